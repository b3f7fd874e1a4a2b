import { build } from '../resource/builder.ts';
import type { Session } from '../session.ts';
import { CliError, errorText, isNotFound, StatusError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { allContainerNames, allContainers, findContainer, goTypeName, podsFor, selectorForObject } from '../util/pods.ts';
import { podRunningTimeout } from './exec.ts';

const USAGE = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

export type LogQuery = Record<string, string | number | boolean | undefined>;

/** One log to be read. */
interface LogRequest {
  pod: Obj;
  container: string;
  query: LogQuery;
}

/** kubectl logs. */
export async function logs(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const selector = flags.text('selector');
  let container = flags.text('container');
  if (args.length === 0 && selector === '') throw session.usageError(USAGE);
  if (args.length === 1 && selector !== '') throw session.usageError('only a selector (-l) or a POD name is allowed');
  if (args.length > 2) throw session.usageError(USAGE);
  if (args.length === 2) container = args[1] as string;
  const allPods = flags.bool('all-pods');
  const timeout = podRunningTimeout(session);
  const query: LogQuery = {
    follow: flags.bool('follow') || undefined,
    previous: flags.bool('previous') || undefined,
    timestamps: flags.bool('timestamps') || undefined,
    limitBytes: flags.number('limit-bytes') || undefined,
    sinceTime: sinceTime(flags.text('since-time')),
    sinceSeconds: flags.number('since') === 0 ? undefined : Math.round(flags.number('since') / 1000),
  };
  const tail = flags.number('tail');
  if (selector !== '' && tail === -1 && !flags.changed('tail')) query.tailLines = 10;
  else if (tail !== -1) query.tailLines = tail;
  const object = await target(session, args, selector);
  const all = flags.bool('all-containers');
  if (flags.text('since-time') !== '' && flags.number('since') !== 0) throw new CliError('at most one of `sinceTime` or `sinceSeconds` may be specified');
  if (all && container !== '') throw new CliError(`--all-containers=true should not be specified with container name ${container}`);
  if (flags.changed('container') && args.length === 2) throw new CliError('only one of -c or an inline [CONTAINER] arg is allowed');
  if (flags.number('limit-bytes') < 0) throw new CliError('--limit-bytes must be greater than 0');
  if (flags.number('since') < 0) throw new CliError('--since must be greater than 0');
  if (tail < -1) throw new CliError('--tail must be greater than or equal to -1');
  const requests = await logRequests(session, object, { container, query, all, allPods, timeout });
  const follow = flags.bool('follow');
  if (follow && requests.length > 1) {
    const most = flags.number('max-log-requests');
    if (requests.length > most) {
      throw new CliError(
        `you are attempting to follow ${requests.length} log streams, but maximum allowed concurrency is ${most}, use --max-log-requests to increase the limit`,
      );
    }
    await Promise.all(requests.map((request) => consumeWithRetry(session, request, timeout)));
    return;
  }
  for (const request of requests) await consumeWithRetry(session, request, timeout);
}

function sinceTime(text: string): string | undefined {
  if (text === '') return undefined;
  if (Number.isNaN(Date.parse(text)) || !/^\d{4}-\d\d-\d\dT/.test(text)) {
    throw new CliError(`parsing time "${text}" as "2006-01-02T15:04:05Z07:00": cannot parse "${text}" as "2006"`);
  }
  return text;
}

async function target(session: Session, args: string[], selector: string): Promise<Obj> {
  try {
    const result = await build(session, {
      ...(selector !== '' ? { args: ['pods'], labelSelector: selector } : { args: args.slice(0, 1), defaultType: 'pods' }),
      namespace: session.namespace,
      enforceNamespace: session.enforceNamespace,
      singleResourceType: true,
    });
    const infos = await result.infos();
    if (selector === '' && infos.length !== 1) throw new CliError('expected a resource');
    const object = infos[0]?.object as Obj;
    if (selector !== '' && object.items.length === 0) await session.err(`No resources found in ${session.namespace} namespace.\n`);
    return object;
  } catch (error) {
    if (isNotFound(error)) throw new CliError(`error from server (NotFound): ${error.message} in namespace "${session.namespace}"`);
    throw error;
  }
}

/** polymorphichelpers.logsForObject. */
async function logRequests(
  session: Session,
  object: Obj,
  options: { container: string; query: LogQuery; all: boolean; allPods: boolean; timeout: number },
): Promise<LogRequest[]> {
  if (Array.isArray(object.items)) {
    const requests: LogRequest[] = [];
    for (const pod of object.items as Obj[]) requests.push(...(await logRequests(session, { apiVersion: 'v1', kind: 'Pod', ...pod }, options)));
    return requests;
  }
  if (object.kind !== 'Pod') {
    let selector: string;
    try {
      selector = selectorForObject(object);
    } catch (error) {
      throw new CliError(`cannot get the logs from ${goTypeName(object)}: ${errorText(error)}`);
    }
    const pods = await podsFor(session, object.metadata.namespace, selector, options.timeout, true);
    if (pods.length > 1 && options.allPods) return logRequests(session, { items: pods }, options);
    if (pods.length > 1) await session.err(`Found ${pods.length} pods, using pod/${pods[0]?.metadata.name}\n`);
    return logRequests(session, pods[0] as Obj, options);
  }
  if (options.all) {
    const order = (suffix: string): number => (suffix === ' (init)' ? 0 : suffix === '' ? 1 : 2);
    return allContainers(object)
      .sort((a, b) => order(a.suffix) - order(b.suffix))
      .map(({ container }) => ({ pod: object, container: container.name, query: options.query }));
  }
  let { container } = options;
  const annotated: string | undefined = object.metadata?.annotations?.['kubectl.kubernetes.io/default-container'];
  if (container === '' && annotated) {
    if (findContainer(object, annotated)) container = annotated;
    else await session.err(`Default container name "${annotated}" not found in pod ${object.metadata.name}\n`);
  }
  if (container === '') {
    container = object.spec.containers[0].name;
    if (allContainers(object).length > 1 && !options.allPods) await session.err(`Defaulted container "${container}" out of: ${allContainerNames(object)}\n`);
  }
  if (!findContainer(object, container)) {
    throw new CliError(`container ${container} is not valid for pod ${object.metadata.name} out of: ${allContainerNames(object)}`);
  }
  return [{ pod: object, container, query: options.query }];
}

async function consumeWithRetry(session: Session, request: LogRequest, timeoutMs: number): Promise<void> {
  const { flags } = session;
  const ignore = flags.bool('ignore-errors');
  const deadline = session.nowMs + timeoutMs;
  for (;;) {
    try {
      await consume(session, request);
      return;
    } catch (error) {
      if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
      if (ignore) {
        await session.out(`error: ${errorText(error)}\n`);
        return;
      }
      if (!flags.bool('follow')) throw error;
      await session.err(`${errorText(error)}\n`);
      if (!(error instanceof StatusError)) throw error;
      if (session.nowMs >= deadline) throw new CliError('timed out waiting for the condition');
      await session.process.sleep(Math.min(1000, deadline - session.nowMs));
    }
  }
}

async function consume(session: Session, request: LogRequest): Promise<void> {
  const { flags } = session;
  const prefix = flags.bool('prefix') || flags.bool('all-pods') ? `[pod/${request.pod.metadata.name}/${request.container}] ` : '';
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of openLog(session, request.pod, { ...request.query, container: request.container })) {
    if (prefix === '') {
      await session.process.stdout.write(chunk);
      continue;
    }
    pending += decoder.decode(chunk, { stream: true });
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) await session.out(`${prefix}${line}\n`);
  }
  if (pending !== '') await session.out(prefix + pending);
}

export function openLog(session: Session, pod: Obj, query: LogQuery): AsyncGenerator<Uint8Array> {
  return session.client.stream(`/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/log`, { query });
}
