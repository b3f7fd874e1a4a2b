import { applyOverrides } from '../generators/overrides.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import { groupResource } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { setLastApplied, updateLastApplied } from './last-applied.ts';
import { parseLabels } from './run.ts';

/** kubectl expose. */
export async function expose(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const printer = await makePrinter(session, 'exposed');
  const result = await build(session, {
    ...fileOptions(session),
    args,
    continueOnError: true,
    flatten: true,
  });
  const mapper = await session.mapper();
  await result.visit(async (info) => {
    const object = info.object as Obj;
    const kind = groupResource(info.mapping.kind, info.mapping.group);
    if (!['ReplicationController', 'Service', 'Pod', 'Deployment.apps', 'ReplicaSet.apps'].includes(kind)) throw new CliError(`cannot expose a ${kind}`);
    const selector = flags.text('selector') || selectorText(object);
    const headless = flags.text('cluster-ip') === 'None';
    let ports = flags.text('port') === '' ? portsOf(object) : [flags.text('port')];
    if (flags.text('port') === '' && ports.length === 0 && !headless) throw new CliError("couldn't find port via --port flag or introspection");
    if (flags.text('port') !== '') ports = flags.text('port').split(',');
    const service = makeService(session, {
      name: flags.text('name') || info.name.slice(0, 63),
      selector,
      labels:
        flags.text('labels') ||
        Object.entries((object.metadata?.labels ?? {}) as Record<string, string>)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
      ports,
      protocols: protocolsOf(object),
    });
    const final = applyOverrides(session, service);
    if (dryRun === 'client') {
      if (session.enforceNamespace) final.metadata.namespace = session.namespace;
      await session.out(printer.print(final, { typed: true }));
      return;
    }
    if (flags.bool('save-config')) setLastApplied(final, true);
    else updateLastApplied(final);
    const helper = new Helper(session, mapper.forKind('Service', '', 'v1'), { dryRun, fieldManager: flags.text('field-manager') });
    await session.out(printer.print(await helper.create(session.namespace, final)));
  });
}

/** MapBasedSelectorForObject. */
function selectorText(object: Obj): string {
  const join = (labels: Record<string, string> | undefined): string =>
    Object.entries(labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
  const fail = (reason: string): never => {
    throw new CliError(`couldn't retrieve selectors via --selector flag or introspection: ${reason}`);
  };
  switch (object.kind) {
    case 'Pod':
      if (Object.keys(object.metadata?.labels ?? {}).length === 0) return fail('the pod has no labels and cannot be exposed');
      return join(object.metadata.labels);
    case 'Service':
    case 'ReplicationController': {
      const noun = object.kind === 'Service' ? 'the service' : 'the replication controller';
      if (Object.keys(object.spec?.selector ?? {}).length === 0) return fail(`${noun} has no pod selector set`);
      return join(object.spec.selector);
    }
    default: {
      const selector: Obj | undefined = object.spec?.selector;
      if (Object.keys(selector?.matchLabels ?? {}).length === 0 && !selector?.matchExpressions?.length)
        return fail('invalid deployment: no selectors, therefore cannot be exposed');
      if (selector?.matchExpressions?.length)
        return fail(`couldn't convert expressions - "${JSON.stringify(selector.matchExpressions)}" to map-based selector format`);
      return join(selector?.matchLabels);
    }
  }
}

function containersOf(object: Obj): Obj[] {
  return object.kind === 'Pod' ? (object.spec?.containers ?? []) : (object.spec?.template?.spec?.containers ?? []);
}

function portsOf(object: Obj): string[] {
  if (object.kind === 'Service') return ((object.spec?.ports ?? []) as Obj[]).map((port) => String(port.port));
  return containersOf(object).flatMap((container) => ((container.ports ?? []) as Obj[]).map((port) => String(port.containerPort)));
}

function protocolsOf(object: Obj): Map<string, string[]> {
  const map = new Map<string, string[]>();
  const add = (port: number, protocol: string | undefined): void => {
    map.set(String(port), [...(map.get(String(port)) ?? []), protocol || 'TCP']);
  };
  if (object.kind === 'Service') for (const port of (object.spec?.ports ?? []) as Obj[]) add(port.port, port.protocol);
  else for (const container of containersOf(object)) for (const port of (container.ports ?? []) as Obj[]) add(port.containerPort, port.protocol);
  return map;
}

/** intstr.Parse. */
function intOrString(text: string): number | string {
  return /^[+-]?\d+$/.test(text) ? Number(text) : text;
}

function makeService(session: Session, input: { name: string; selector: string; labels: string; ports: string[]; protocols: Map<string, string[]> }): Obj {
  const { flags } = session;
  if (input.selector === '') throw new CliError('selector must be specified');
  const selector = parseLabels(input.selector);
  const labels = input.labels === '' ? undefined : parseLabels(input.labels);
  const ports: Obj[] = [];
  const given = flags.text('protocol');
  input.ports.forEach((text, index) => {
    if (!/^[+-]?\d+$/.test(text)) throw new CliError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    const port = Number(text);
    const name = input.ports.length > 1 ? `port-${index + 1}` : '';
    let protocol = given || 'TCP';
    if (given === '' && input.protocols.size > 0) {
      const known = input.protocols.get(text);
      if (known && known.length > 1) {
        for (const each of known) ports.push({ name: `port-${index + 1}-${each.toLowerCase()}`, protocol: each, port });
        return;
      }
      protocol = known?.[0] ?? 'TCP';
    }
    ports.push({ ...(name === '' ? {} : { name }), protocol, port });
  });
  const target = flags.text('target-port');
  for (const port of ports) port.targetPort = target === '' ? port.port : intOrString(target);
  const type = flags.text('type');
  const affinity = flags.text('session-affinity');
  if (affinity !== '' && affinity !== 'None' && affinity !== 'ClientIP') throw new CliError(`unknown session affinity: ${affinity}`);
  const clusterIp = flags.text('cluster-ip');
  const externalIp = flags.text('external-ip');
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: input.name, ...(labels ? { labels } : {}) },
    spec: {
      ...(ports.length > 0 ? { ports } : {}),
      selector,
      ...(clusterIp === '' ? {} : { clusterIP: clusterIp }),
      ...(type === '' ? {} : { type }),
      ...(externalIp === '' ? {} : { externalIPs: [externalIp] }),
      ...(affinity === '' ? {} : { sessionAffinity: affinity }),
      ...(type === 'LoadBalancer' && flags.text('load-balancer-ip') !== '' ? { loadBalancerIP: flags.text('load-balancer-ip') } : {}),
    },
    status: { loadBalancer: {} },
  };
}
