import { makePrinter } from '../printers/print-flags.ts';
import { build } from '../resource/builder.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { type Obj, quote } from '../util/object.ts';
import { canonicalQuantity } from '../util/quantity.ts';
import { finish, intOrString, metadataOf, nameFromArgs } from './common.ts';

/** Container name from an image (sanitizeAndUniquify). */
function containerName(image: string, random: () => string): string {
  const name = (image.split('/').at(-1) ?? '').split(':')[0]?.split('@')[0] ?? '';
  if (!name.includes('_') && !name.includes('.')) return name;
  return `${name.replace(/[_.]/g, '-').replace(/[^-a-z0-9]/gi, '')}-${random()}`;
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** kubectl create deployment. */
export async function createDeployment(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const command = args.slice(1);
  const images = flags.list('image');
  if (images.length > 1 && command.length > 0) throw new CliError('cannot specify multiple --image options and command');
  const random = (): string => Array.from({ length: 5 }, () => ALPHABET[session.process.kernel.random.int(ALPHABET.length)]).join('');
  const port = flags.number('port');
  const labels = { app: name };
  const containers = images.map((image, index) => ({
    name: containerName(image, random),
    image,
    ...(command.length > 0 ? { command } : {}),
    ...(index === 0 && port >= 0 ? { ports: [{ containerPort: port }] } : {}),
    resources: {},
  }));
  const object: Obj = {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: metadataOf(session, name, { labels }),
    spec: {
      replicas: flags.number('replicas'),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      strategy: {},
    },
    status: {},
  };
  await finish(session, object, 'failed to create deployment: ');
}

/** kubectl create namespace. */
export async function createNamespace(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  await finish(session, { kind: 'Namespace', apiVersion: 'v1', metadata: { name }, spec: {}, status: {} }, undefined);
}

/** kubectl create serviceaccount. */
export async function createServiceAccount(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  await finish(session, { kind: 'ServiceAccount', apiVersion: 'v1', metadata: metadataOf(session, name) }, 'failed to create serviceaccount: ');
}

function parsePorts(text: string): { port: number; targetPort: number | string } {
  const [first = '', second] = text.split(':');
  if (!/^\d+$/.test(first)) throw new CliError(`strconv.ParseUint: parsing ${quote(first)}: invalid syntax`);
  const port = Number(first);
  if (port > 65535) throw new CliError(`strconv.ParseUint: parsing ${quote(first)}: value out of range`);
  if (second === undefined) return { port, targetPort: port };
  if (/^[+-]?\d+$/.test(second)) {
    const target = Number(second);
    if (target < 1 || target > 65535) throw new CliError('must be between 1 and 65535, inclusive');
    return { port, targetPort: target };
  }
  if (!/[a-z]/.test(second)) throw new CliError('must contain at least one letter (a-z)');
  if (!/^[-a-z0-9]+$/.test(second)) throw new CliError('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (second.length > 15) throw new CliError('must be no more than 15 characters');
  return { port, targetPort: second };
}

function createService(type: string): (session: Session, args: string[]) => Promise<void> {
  return async (session, args) => {
    const { flags } = session;
    const name = nameFromArgs(session, args);
    const tcp = flags.list('tcp');
    const clusterIp = flags.has('clusterip') ? flags.text('clusterip') : '';
    if (clusterIp !== 'None' && tcp.length === 0 && type !== 'ExternalName') throw new CliError('at least one tcp port specifier must be provided');
    const externalName = flags.has('external-name') ? flags.text('external-name') : '';
    if (type === 'ExternalName' && !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(externalName)) {
      throw new CliError(`invalid service external name ${externalName}`);
    }
    const nodePort = flags.has('node-port') ? flags.number('node-port') : 0;
    const ports = tcp.map((text) => ({ name: text.replaceAll(':', '-'), protocol: 'TCP', ...parsePorts(text), ...(nodePort === 0 ? {} : { nodePort }) }));
    const labels = { app: name };
    const object: Obj = {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: metadataOf(session, name, { labels }),
      spec: {
        ...(ports.length > 0 ? { ports } : {}),
        selector: labels,
        ...(clusterIp === '' ? {} : { clusterIP: clusterIp }),
        type,
        ...(externalName === '' ? {} : { externalName }),
      },
      status: { loadBalancer: {} },
    };
    await finish(session, object, `failed to create ${type} service: `);
  };
}

export const createServiceClusterIp = createService('ClusterIP');
export const createServiceNodePort = createService('NodePort');
export const createServiceLoadBalancer = createService('LoadBalancer');
export const createServiceExternalName = createService('ExternalName');

// ---- batch ----

/** kubectl create job. */
export async function createJob(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const command = args.slice(1);
  const image = flags.text('image');
  const from = flags.text('from');
  if ((image === '') === (from === '')) throw new CliError('either --image or --from must be specified');
  if (command.length > 0 && from !== '') throw new CliError('cannot specify --from and command');
  let object: Obj;
  if (image !== '') {
    const containers = [{ name, image, ...(command.length > 0 ? { command } : {}), resources: {} }];
    object = {
      kind: 'Job',
      apiVersion: 'batch/v1',
      metadata: metadataOf(session, name),
      spec: { template: { metadata: {}, spec: { containers, restartPolicy: 'Never' } } },
      status: {},
    };
  } else {
    const result = await build(session, { args: [from], namespace: session.namespace, flatten: true, latest: true });
    const infos = await result.infos();
    const [info] = infos;
    if (infos.length !== 1 || !info) throw new CliError('from must be an existing cronjob');
    const cron = info.object as Obj;
    if (info.mapping.kind !== 'CronJob') throw new CliError(`unknown object type *v1.${info.mapping.kind}`);
    const { labels } = cron.spec.jobTemplate.metadata ?? {};
    object = {
      kind: 'Job',
      apiVersion: 'batch/v1',
      metadata: metadataOf(session, name, {
        ...(labels ? { labels } : {}),
        annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', ...cron.spec.jobTemplate.metadata?.annotations },
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: cron.metadata.name, uid: cron.metadata.uid, controller: true }],
      }),
      spec: cron.spec.jobTemplate.spec,
      status: {},
    };
  }
  await finish(session, object, 'failed to create job: ');
}

/** kubectl create cronjob. */
export async function createCronJob(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const command = args.slice(1);
  const containers = [{ name, image: flags.text('image'), ...(command.length > 0 ? { command } : {}), resources: {} }];
  const object: Obj = {
    kind: 'CronJob',
    apiVersion: 'batch/v1',
    metadata: metadataOf(session, name),
    spec: {
      schedule: flags.text('schedule'),
      jobTemplate: { metadata: { name }, spec: { template: { metadata: {}, spec: { containers, restartPolicy: flags.text('restart') || 'OnFailure' } } } },
    },
    status: {},
  };
  await finish(session, object, 'failed to create cronjob: ');
}

// ---- policy ----

/** kubectl create quota. */
export async function createQuota(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const hard: Record<string, string> = {};
  if (flags.text('hard') !== '') {
    for (const statement of flags.text('hard').split(',')) {
      const parts = statement.split('=');
      if (parts.length !== 2) throw new CliError(`Invalid argument syntax ${statement}, expected <resource>=<value>`);
      const quantity = canonicalQuantity(parts[1] as string);
      if (quantity === undefined) throw new CliError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
      hard[parts[0] as string] = quantity;
    }
  }
  const scopes = flags.text('scopes') === '' ? [] : flags.text('scopes').split(',');
  if (scopes.includes('')) throw new CliError('invalid resource quota scope ""');
  const spec = { ...(Object.keys(hard).length > 0 ? { hard } : {}), ...(scopes.length > 0 ? { scopes } : {}) };
  await finish(session, { kind: 'ResourceQuota', apiVersion: 'v1', metadata: metadataOf(session, name), spec, status: {} }, 'failed to create quota: ');
}

/** metav1.ParseToLabelSelector, for equality and set terms. */
function toLabelSelector(text: string): Obj {
  const selector: Obj = {};
  for (const term of text.match(/[^,(]+(\([^)]*\))?/g) ?? []) {
    const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(term);
    const pair = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(\S*)\s*$/.exec(term);
    const add = (key: string, operator: string, values?: string[]): void => {
      selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, ...(values ? { values } : {}) }];
    };
    if (set)
      add(
        set[1] as string,
        set[2] === 'in' ? 'In' : 'NotIn',
        (set[3] ?? '').split(',').map((value) => value.trim()),
      );
    else if (pair && pair[2] !== '!=') selector.matchLabels = { ...selector.matchLabels, [pair[1] as string]: pair[3] ?? '' };
    else if (pair) throw new CliError('"!=" is not a valid label selector operator');
    else if (/^\s*!/.test(term)) add(term.trim().slice(1), 'DoesNotExist');
    else add(term.trim(), 'Exists');
  }
  return selector;
}

/** kubectl create poddisruptionbudget. */
export async function createPodDisruptionBudget(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const min = flags.text('min-available');
  const max = flags.text('max-unavailable');
  if (flags.text('selector') === '') throw new CliError('a selector must be specified');
  if (min === '' && max === '') throw new CliError('one of min-available or max-unavailable must be specified');
  if (min !== '' && max !== '') throw new CliError('min-available and max-unavailable cannot be both specified');
  if (min !== '' && !/^\d+%?$/.test(min)) throw new CliError('invalid format specified for min-available');
  if (max !== '' && !/^\d+%?$/.test(max)) throw new CliError('invalid format specified for max-unavailable');
  const object: Obj = {
    kind: 'PodDisruptionBudget',
    apiVersion: 'policy/v1',
    metadata: metadataOf(session, name),
    spec: {
      ...(min === '' ? {} : { minAvailable: intOrString(min) }),
      selector: toLabelSelector(flags.text('selector')),
      ...(max === '' ? {} : { maxUnavailable: intOrString(max) }),
    },
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  };
  await finish(session, object, 'failed to create poddisruptionbudgets: ');
}

/** kubectl create priorityclass. */
export async function createPriorityClass(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const object: Obj = {
    kind: 'PriorityClass',
    apiVersion: 'scheduling.k8s.io/v1',
    metadata: { name },
    value: flags.number('value'),
    ...(flags.bool('global-default') ? { globalDefault: true } : {}),
    ...(flags.text('description') === '' ? {} : { description: flags.text('description') }),
    preemptionPolicy: flags.text('preemption-policy'),
  };
  await finish(session, object, 'failed to create priorityclass: ');
}

// ---- ingress ----

const INGRESS_RULE = /^([^/]*)\/([^=]*)=([^:]+):([^,:]+)(?:,(tls(?:=.*)?))?$/;

/** kubectl create ingress. */
export async function createIngress(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const rules = flags.list('rule');
  const backendText = flags.text('default-backend');
  if (backendText === '' && rules.length === 0) {
    throw new CliError(
      'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
    );
  }
  for (const rule of rules)
    if (!INGRESS_RULE.test(rule)) throw new CliError(`rule ${rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
  const annotations: Record<string, string> = {};
  for (const annotation of flags.list('annotation')) {
    const equals = annotation.indexOf('=');
    if (equals < 0) throw new CliError(`annotation ${annotation} is invalid and should be in format key=[value]`);
    annotations[annotation.slice(0, equals)] = annotation.slice(equals + 1);
  }
  if (backendText !== '' && backendText.split(':').length !== 2) throw new CliError('default-backend should be in format servicename:serviceport');
  const backend = (text: string): Obj => {
    const [service = '', port = ''] = text.split(':');
    const value = intOrString(port);
    return { service: { name: service, port: typeof value === 'number' ? { number: value } : { name: value } } };
  };
  const tls: Obj[] = [];
  const grouped: Obj[] = [];
  const tlsHosts = new Set<string>();
  for (const rule of rules) {
    const [main = '', tlsText, more] = rule.split(',');
    const host = main.slice(0, main.indexOf('/'));
    const [pathText = '', service = ''] = main.slice(main.indexOf('/') + 1).split('=');
    const prefix = `/${pathText}`.endsWith('*');
    const path = { path: prefix ? `/${pathText}`.slice(0, -1) : `/${pathText}`, pathType: prefix ? 'Prefix' : 'Exact', backend: backend(service) };
    const known = grouped.find((each) => (each.host ?? '') === host);
    if (known) known.http.paths.push(path);
    else grouped.push({ ...(host === '' ? {} : { host }), http: { paths: [path] } });
    if (tlsText === undefined || more !== undefined || tlsHosts.has(host)) continue;
    tlsHosts.add(host);
    const secret = tlsText.split('=')[1] ?? '';
    const same = tls.find((each) => (each.secretName ?? '') === secret);
    if (same) same.hosts = [...(same.hosts ?? []), host];
    else if (host !== '' || secret !== '') tls.push({ ...(host === '' ? {} : { hosts: [host] }), ...(secret === '' ? {} : { secretName: secret }) });
  }
  const object: Obj = {
    kind: 'Ingress',
    apiVersion: 'networking.k8s.io/v1',
    metadata: metadataOf(session, name, Object.keys(annotations).length > 0 ? { annotations } : {}),
    spec: {
      ...(flags.text('class') === '' ? {} : { ingressClassName: flags.text('class') }),
      ...(backendText === '' ? {} : { defaultBackend: backend(backendText) }),
      ...(tls.length > 0 ? { tls } : {}),
      ...(grouped.length > 0 ? { rules: grouped } : {}),
    },
    status: { loadBalancer: {} },
  };
  await finish(session, object, 'failed to create ingress: ');
}

// ---- rbac ----

/** kubectl create token. */
export async function createToken(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const duration = flags.number('duration');
  if (duration < 0) throw new CliError('--duration must be greater than or equal to 0');
  if (duration % 1000 !== 0) throw new CliError('--duration cannot be expressed in units less than seconds');
  const kind = flags.text('bound-object-kind');
  const kinds: Record<string, string> = { Node: 'v1', Pod: 'v1', Secret: 'v1' };
  if (kind === '') {
    if (flags.text('bound-object-name') !== '') throw new CliError('--bound-object-name can only be set if --bound-object-kind is provided');
    if (flags.text('bound-object-uid') !== '') throw new CliError('--bound-object-uid can only be set if --bound-object-kind is provided');
  } else {
    if (!(kind in kinds)) throw new CliError(`supported --bound-object-kind values are ${Object.keys(kinds).join(', ')}`);
    if (flags.text('bound-object-name') === '') throw new CliError('--bound-object-name is required if --bound-object-kind is provided');
  }
  const audiences = flags.list('audience');
  const bound =
    kind === ''
      ? {}
      : {
          boundObjectRef: {
            kind,
            apiVersion: kinds[kind],
            name: flags.text('bound-object-name'),
            ...(flags.text('bound-object-uid') === '' ? {} : { uid: flags.text('bound-object-uid') }),
          },
        };
  let response: Obj;
  try {
    response = await session.client.request('POST', `/api/v1/namespaces/${session.namespace}/serviceaccounts/${name}/token`, {
      body: {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: {},
        spec: { audiences: audiences.length > 0 ? audiences : null, ...(duration > 0 ? { expirationSeconds: duration / 1000 } : {}), ...bound },
        status: {},
      },
    });
  } catch (error) {
    if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
    throw new CliError(`failed to create token: ${(error as Error).message}`);
  }
  if (!response.status?.token) throw new CliError('failed to create token: no token in server response');
  if (flags.text('output') !== '') {
    const printer = await makePrinter(session, '');
    await session.out(printer.print(response));
    return;
  }
  await session.out(response.status.token + (session.process.stdout.kind === 'tty' ? '\n' : ''));
}
