import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError } from './errors.ts';
import { goSort } from './go-sort.ts';
import { labelSelectorText } from './labels.ts';
import type { Obj } from './object.ts';
import { untilWithSync, WaitTimeout } from './until.ts';

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** Containers of a Pod as podcmd looks for them: containers, init containers, ephemeral ones. */
export function allContainers(pod: Obj): { container: Obj; suffix: string; fieldPath: string }[] {
  const part = (field: string, suffix: string): { container: Obj; suffix: string; fieldPath: string }[] =>
    ((pod.spec?.[field] ?? []) as Obj[]).map((container) => ({ container, suffix, fieldPath: `spec.${field}{${container.name}}` }));
  return [...part('containers', ''), ...part('initContainers', ' (init)'), ...part('ephemeralContainers', ' (ephem)')];
}

/** podcmd.AllContainerNames. */
export function allContainerNames(pod: Obj): string {
  const order = (suffix: string): number => ['', ' (ephem)', ' (init)'].indexOf(suffix);
  return allContainers(pod)
    .sort((a, b) => order(a.suffix) - order(b.suffix))
    .map(({ container, suffix }) => container.name + suffix)
    .join(', ');
}

export function findContainer(pod: Obj, name: string): Obj | undefined {
  return allContainers(pod).find(({ container }) => container.name === name)?.container;
}

/** podcmd.FindOrDefaultContainerByName: says on stderr which container it chose among several. */
export async function findOrDefaultContainer(session: Session, pod: Obj, name: string, quiet: boolean): Promise<Obj> {
  const [first] = pod.spec?.containers ?? [];
  if (!first) throw new CliError(`pod ${pod.metadata?.namespace}/${pod.metadata?.name} does not have any containers`);
  const wanted: string | undefined = name || pod.metadata?.annotations?.[DEFAULT_CONTAINER];
  if (wanted) {
    const found = findContainer(pod, wanted);
    if (!found) throw new CliError(`container ${wanted} is not valid for pod ${pod.metadata?.name} out of: ${allContainerNames(pod)}`);
    return found;
  }
  if (!quiet && allContainers(pod).length > 1) await session.err(`Defaulted container "${first.name}" out of: ${allContainerNames(pod)}\n`);
  return first;
}

const ready = (pod: Obj): boolean => ((pod.status?.conditions ?? []) as Obj[]).some((condition) => condition.type === 'Ready' && condition.status === 'True');

function readyTime(pod: Obj): number {
  const condition = ((pod.status?.conditions ?? []) as Obj[]).find((each) => each.type === 'Ready' && each.status === 'True');
  return condition?.lastTransitionTime ? Date.parse(condition.lastTransitionTime) : 0;
}

function maxRestarts(pod: Obj): number {
  return Math.max(0, ...((pod.status?.containerStatuses ?? []) as Obj[]).map((status) => status.restartCount ?? 0));
}

const PHASE_ORDER: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };

/** podutils.ActivePods order turned around: the most active Pod first. */
function moreActive(a: Obj, b: Obj): boolean {
  if (Boolean(a.spec?.nodeName) !== Boolean(b.spec?.nodeName)) return Boolean(a.spec?.nodeName);
  const phase = (pod: Obj): number => PHASE_ORDER[pod.status?.phase] ?? 0;
  if (phase(a) !== phase(b)) return phase(a) > phase(b);
  if (ready(a) !== ready(b)) return ready(a);
  if (Boolean(a.metadata?.deletionTimestamp) !== Boolean(b.metadata?.deletionTimestamp)) return !a.metadata?.deletionTimestamp;
  if (ready(a) && readyTime(a) !== readyTime(b)) return readyTime(a) < readyTime(b);
  if (maxRestarts(a) !== maxRestarts(b)) return maxRestarts(a) < maxRestarts(b);
  const created = (pod: Obj): number => Date.parse(pod.metadata?.creationTimestamp ?? '') || 0;
  return created(a) < created(b);
}

const LOGGING_ORDER: Record<string, number> = { Running: 0, Unknown: 1, Pending: 2 };

/** podutils.ByLogging: a phase that it does not know counts as running. */
function betterForLogs(a: Obj, b: Obj): boolean {
  if (Boolean(a.spec?.nodeName) !== Boolean(b.spec?.nodeName)) return Boolean(a.spec?.nodeName);
  const phase = (pod: Obj): number => LOGGING_ORDER[pod.status?.phase] ?? 0;
  if (phase(a) !== phase(b)) return phase(a) < phase(b);
  if (ready(a) !== ready(b)) return ready(a);
  if (ready(a) && readyTime(a) !== readyTime(b)) return readyTime(a) < readyTime(b);
  if (maxRestarts(a) !== maxRestarts(b)) return maxRestarts(a) > maxRestarts(b);
  const created = (pod: Obj): number => Date.parse(pod.metadata?.creationTimestamp ?? '') || 0;
  return created(a) < created(b);
}

/** The label selector of a workload or Service, as polymorphichelpers.SelectorsForObject. */
export function selectorForObject(object: Obj): string {
  const simple = (labels: Obj | undefined): string => labelSelectorText({ matchLabels: labels ?? {} });
  switch (object.kind) {
    case 'ReplicationController':
      return simple(object.spec?.selector);
    case 'Service':
      if (Object.keys(object.spec?.selector ?? {}).length === 0)
        throw new CliError(`invalid service '${object.metadata?.name}': Service is defined without a selector`);
      return simple(object.spec?.selector);
    case 'ReplicaSet':
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'Job':
      return labelSelectorText(object.spec?.selector);
    default:
      throw new CliError(`selector for ${goTypeName(object)} not implemented`);
  }
}

/** "*v1.ConfigMap": the Go type that upstream would print with %T. */
export function goTypeName(object: Obj): string {
  const version =
    String(object.apiVersion || 'v1')
      .split('/')
      .at(-1) ?? 'v1';
  return `*${version}.${object.kind}`;
}

/** Pods behind a selector, best first; waits up to the timeout for the first one. */
export async function podsFor(session: Session, namespace: string, selector: string, timeoutMs: number, forLogs: boolean): Promise<Obj[]> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const deadline = session.nowMs + timeoutMs;
  for (;;) {
    const list = await session.client.request('GET', path, { query: { labelSelector: selector } });
    const pods = ((list.items ?? []) as Obj[]).map((pod) => ({ apiVersion: 'v1', kind: 'Pod', ...pod }));
    if (pods.length > 0) return goSort(pods, forLogs ? betterForLogs : moreActive);
    if (session.nowMs >= deadline) throw new WaitTimeout();
    await session.process.sleep(Math.min(500, deadline - session.nowMs));
  }
}

/** polymorphichelpers.AttachablePodForObject. */
export async function attachablePod(session: Session, object: Obj, timeoutMs: number): Promise<Obj> {
  if (object.kind === 'Pod') return object;
  let selector: string;
  try {
    selector = selectorForObject(object);
  } catch (error) {
    throw new CliError(`cannot attach to ${goTypeName(object)}: ${(error as Error).message}`);
  }
  const pods = await podsFor(session, object.metadata.namespace, selector, timeoutMs, false);
  return pods[0] as Obj;
}

export const podMapping = (session: Session): Promise<Helper> => session.mapper().then((mapper) => new Helper(session, mapper.forKind('Pod', '', 'v1')));

/** Waits for one Pod to reach a state. */
export async function waitForPod(
  session: Session,
  namespace: string,
  name: string,
  timeoutMs: number,
  done: (pod: Obj, type: string) => boolean,
): Promise<Obj> {
  const helper = await podMapping(session);
  let last: Obj | undefined;
  await untilWithSync(session, helper, namespace, name, {
    timeoutMs,
    done: ({ type, object }) => {
      last = object;
      return done(object, type);
    },
  });
  return { apiVersion: 'v1', kind: 'Pod', ...(last as Obj) };
}

export { ready as podIsReady };
