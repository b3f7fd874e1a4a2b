import { applyOverrides } from '../generators/overrides.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { build } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, ExitError, errorText, throwAggregate } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { parsePairs } from '../util/pairs.ts';
import { attachablePod, findOrDefaultContainer, podIsReady, waitForPod } from '../util/pods.ts';
import { attachToPod } from './attach.ts';
import { deleteResult, propagationOf } from './delete.ts';
import { podRunningTimeout } from './exec.ts';
import { setLastApplied } from './last-applied.ts';
import { type LogQuery, openLog } from './logs.ts';

/** distribution/reference's ReferenceRegexp. */
const IMAGE =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

/** kubectl run. */
export async function run(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const annotations = parsePairs(flags.list('annotations'), 'annotations', false).pairs;
  const labels = parseLabels(flags.text('labels'));
  const env = parseEnv(flags.list('env'));
  const stdin = flags.bool('stdin');
  const restart = restartPolicy(session, flags.text('restart'), stdin);
  const pull = flags.text('image-pull-policy');
  if (!['', 'Always', 'IfNotPresent', 'Never'].includes(pull)) {
    throw session.usageError(`invalid image pull policy: ${pull}`);
  }
  const timeout = podRunningTimeout(session);
  const attached = flags.changed('attach') ? flags.bool('attach') : stdin;
  const dryRun = await session.dryRun();
  const printer = await makePrinter(session, 'created');
  await propagationOf(session);
  if (args.length === 0 || flags.lengthAtDash === 0) throw session.usageError('NAME is required for run');
  const image = flags.text('image');
  if (image === '') throw new CliError('--image is required');
  if (!IMAGE.test(image)) throw new CliError(`Invalid image name "${image}": invalid reference format`);
  if (flags.bool('tty') && !stdin) throw session.usageError('-i/--stdin is required for containers with -t/--tty=true');
  const port = flags.text('port');
  if (flags.bool('expose') && port === '') throw session.usageError('--port must be set when exposing a service');
  if (port !== '' && !/^[+-]?\d+$/.test(port)) throw new CliError(`strconv.Atoi: parsing "${port}": invalid syntax`);
  if (!attached && flags.bool('rm')) throw session.usageError('--rm should only be used for attached containers');
  if (attached && dryRun !== 'none')
    throw session.usageError("--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)");

  const name = args[0] as string;
  const rest = args.slice(1);
  const usedLabels = Object.keys(labels).length > 0 ? labels : { run: name };
  const container: Obj = {
    name,
    image,
    ...(rest.length > 0 ? (flags.bool('command') ? { command: rest } : { args: rest }) : {}),
    ...(port === '' ? {} : { ports: [{ containerPort: Number(port) }] }),
    ...(env.length > 0 ? { env } : {}),
    resources: {},
    ...(pull === '' ? {} : { imagePullPolicy: pull }),
    ...(flags.bool('privileged') ? { securityContext: { privileged: true } } : {}),
    ...(stdin ? { stdin: true } : {}),
    ...(stdin && !flags.bool('leave-stdin-open') ? { stdinOnce: true } : {}),
    ...(flags.bool('tty') ? { tty: true } : {}),
  };
  const namespaced = session.enforceNamespace ? { namespace: session.namespace } : {};
  const pod: Obj = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, ...namespaced, labels: usedLabels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: { containers: [container], restartPolicy: restart, dnsPolicy: 'ClusterFirst' },
    status: {},
  };
  const objects: Obj[] = [await createGenerated(session, applyOverrides(session, pod))];
  const errors: unknown[] = [];
  if (flags.bool('expose')) {
    const service: Obj = {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name, ...namespaced },
      spec: { ports: [{ protocol: 'TCP', port: Number(port), targetPort: Number(port) }], selector: usedLabels },
      status: { loadBalancer: {} },
    };
    try {
      const exposed = await createGenerated(session, service);
      objects.push(exposed);
      // The Service is told before the Pod, with a separator of its own.
      await session.out(printer.print(exposed, { typed: dryRun === 'client' }));
      if (flags.text('output') === 'yaml') await session.out('---\n');
    } catch (error) {
      errors.push(error);
    }
  }
  if (attached) {
    try {
      await attachAndWait(session, objects[0] as Obj, timeout, restart);
    } finally {
      if (flags.bool('rm') && !session.process.signal.aborted) await removeCreated(session, objects);
    }
    return;
  }
  await session.out(printer.print(objects[0] as Obj, { typed: dryRun === 'client' }));
  throwAggregate(errors);
}

function restartPolicy(session: Session, text: string, interactive: boolean): string {
  if (text === '') return interactive ? 'OnFailure' : 'Always';
  if (['Always', 'OnFailure', 'Never'].includes(text)) return text;
  throw session.usageError(`invalid restart policy: ${text}`);
}

/** "a=b,c=d". */
export function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  if (text === '') return labels;
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    if (equals < 0) throw new CliError(`unexpected label spec: ${part}`);
    if (equals === 0) throw new CliError('unexpected empty label key');
    labels[part.slice(0, equals)] = part.slice(equals + 1);
  }
  return labels;
}

function parseEnv(entries: readonly string[]): Obj[] {
  return entries.map((entry) => {
    const equals = entry.indexOf('=');
    if (equals <= 0) throw new CliError(`invalid env: ${entry}`);
    const value = entry.slice(equals + 1);
    return { name: entry.slice(0, equals), ...(value === '' ? {} : { value }) };
  });
}

async function createGenerated(session: Session, object: Obj): Promise<Obj> {
  const dryRun = await session.dryRun();
  const mapper = await session.mapper();
  const mapping = mapper.forKind(object.kind, '', 'v1');
  if (dryRun === 'client') return object;
  if (session.flags.bool('save-config')) setLastApplied(object, true);
  const helper = new Helper(session, mapping, { dryRun, fieldManager: session.flags.text('field-manager') });
  return helper.create(session.namespace, object);
}

async function removeCreated(session: Session, objects: readonly Obj[]): Promise<void> {
  for (const object of objects) {
    const result = await build(session, {
      args: [object.metadata.name],
      defaultType: object.kind === 'Pod' ? 'pods' : 'services',
      namespace: object.metadata.namespace,
      continueOnError: true,
      flatten: true,
    });
    await deleteResult(session, result, {
      ignoreNotFound: true,
      gracePeriod: -1,
      propagation: await propagationOf(session),
      wait: false,
      timeoutMs: 0,
      dryRun: 'none',
      output: session.flags.text('output'),
      quiet: session.flags.bool('quiet'),
      warnClusterScope: false,
    });
  }
}

const completed = (pod: Obj): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

async function attachAndWait(session: Session, created: Obj, timeoutMs: number, restart: string): Promise<void> {
  const { flags } = session;
  const pod = await attachablePod(session, created, timeoutMs);
  const { namespace, name } = pod.metadata;
  const running = await waitForPod(session, namespace, name, timeoutMs, (seen, type) => {
    if (type === 'DELETED') throw new CliError(`pods "${name}" not found`);
    if (completed(seen)) return true;
    return seen.status?.phase === 'Running' && podIsReady(seen);
  });
  await handleAttach(session, running);
  const waits = !flags.bool('leave-stdin-open') && restart !== 'Always';
  if (!waits) return;
  const ended = await waitForPod(session, namespace, name, timeoutMs, (seen, type) => {
    if (type === 'DELETED') throw new CliError(`pods "${name}" not found`);
    return restart === 'OnFailure' ? seen.status?.phase === 'Succeeded' : completed(seen);
  });
  if (ended.status?.phase === 'Succeeded') return;
  if (ended.status?.phase !== 'Failed') throw new CliError(`pod ${namespace}/${name} left in phase ${ended.status?.phase}`);
  const terminated = ended.status?.containerStatuses?.[0]?.state?.terminated;
  if (!terminated?.exitCode) throw new CliError(`pod ${namespace}/${name} failed with unknown exit code`);
  throw new ExitError(terminated.exitCode, `pod ${namespace}/${name} terminated (${terminated.reason ?? ''})\n${terminated.message ?? ''}`);
}

async function handleAttach(session: Session, pod: Obj): Promise<void> {
  const { flags } = session;
  const quiet = flags.bool('quiet');
  const container = (await findOrDefaultContainer(session, pod, '', quiet)).name;
  const copyLog = async (query: LogQuery): Promise<void> => {
    for await (const chunk of openLog(session, pod, { container, ...query })) await session.process.stdout.write(chunk);
  };
  if (completed(pod)) return copyLog({});
  let since: string | undefined;
  try {
    await copyLog({});
    since = new Date(Math.floor(session.nowMs / 1000) * 1000).toISOString().replace('.000', '');
  } catch (error) {
    if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
    await session.err(`warning: couldn't fetch pre-attach logs: ${errorText(error)}\n`);
  }
  try {
    await attachToPod(session, pod, {
      container: '',
      stdin: flags.bool('stdin'),
      tty: flags.bool('tty'),
      quiet,
      commandName: 'kubectl attach',
      detachKeys: flags.text('detach-keys'),
    });
  } catch (error) {
    if (error instanceof ExitError || (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno'))) throw error;
    await session.err(`warning: couldn't attach to pod/${pod.metadata.name}, falling back to streaming logs: ${errorText(error)}\n`);
    await copyLog(since === undefined ? {} : { sinceTime: since });
  }
}
