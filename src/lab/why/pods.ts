import type { Client } from '../../sim/client/types.ts';
import { isDeleting, msOf, nameOf, namespaceOf } from '../../sim/controllers/object.ts';
import { isPodReady, podCondition } from '../../sim/controllers/pods.ts';
import type { Node, PersistentVolumeClaim, Pod, StatefulSet } from '../../sim/kinds/types.ts';
import { claimObstacles } from './claims.ts';
import { eventMessage, finalizerObstacles, obstacle, refOf } from './obstacles.ts';
import type { Obstacle } from './types.ts';

const PODS = 'v1/pods';
const SETS = 'apps/v1/statefulsets';

/** Why a Pod does not run, is not ready or does not go away. */
export function podObstacles(client: Client, pod: Pod): Obstacle[] {
  if (isDeleting(pod)) return terminating(client, pod);
  if (pod.status?.reason === 'Evicted') return [obstacle('not/evicted', { node: pod.spec?.nodeName ?? '' }, pod.status.message ?? '')];
  if (isPodReady(pod) || pod.status?.phase === 'Succeeded') return [];
  if (!pod.spec?.nodeName) return unscheduled(client, pod);
  return [...silentNode(client, pod), ...containerObstacles(pod, client)];
}

function terminating(client: Client, pod: Pod): Obstacle[] {
  const found = [...silentNode(client, pod), ...finalizerObstacles(pod, [])];
  if (found.length > 0) return found;
  const seconds = pod.metadata?.deletionGracePeriodSeconds ?? 30;
  return [obstacle('not/grace-period', { seconds: `${seconds}` }, `deletionTimestamp: ${pod.metadata?.deletionTimestamp ?? ''}`)];
}

/** The node whose kubelet no longer answers. */
function silentNode(client: Client, pod: Pod): Obstacle[] {
  const node = client.resource<Node>('v1/nodes').get('', pod.spec?.nodeName ?? '');
  const ready = node?.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (!node || ready?.status !== 'Unknown') return [];
  return [obstacle('not/node-silent', { node: nameOf(node) }, `Ready=${ready.status}: ${ready.message ?? ''}`, refOf('v1/nodes', node))];
}

function unscheduled(client: Client, pod: Pod): Obstacle[] {
  const gates = pod.spec?.schedulingGates ?? [];
  if (gates.length > 0) return [obstacle('not/gated', {}, gates.map((gate) => gate.name ?? '').join(', '))];
  const found: Obstacle[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const name = volume.persistentVolumeClaim?.claimName;
    if (name === undefined) continue;
    const claim = client.resource<PersistentVolumeClaim>('v1/persistentvolumeclaims').get(namespaceOf(pod), name);
    if (!claim)
      found.push(
        obstacle('not/no-object', {}, `persistentvolumeclaim "${name}" not found`, {
          resource: 'v1/persistentvolumeclaims',
          namespace: namespaceOf(pod),
          name,
        }),
      );
    else if (!claim.spec?.volumeName) {
      found.push(
        obstacle('not/waiting-for-volume', { claim: name }, `PVC ${name}: ${claim.status?.phase ?? 'Pending'}`, refOf('v1/persistentvolumeclaims', claim)),
      );
      found.push(...claimObstacles(client, claim).filter((one) => one.rule !== 'not/claim-waits-for-consumer'));
    }
  }
  const condition = podCondition(pod, 'PodScheduled');
  if (condition?.status === 'False') found.unshift(obstacle('not/unschedulable', {}, condition.message ?? condition.reason ?? ''));
  return found;
}

function containerObstacles(pod: Pod, client: Client): Obstacle[] {
  const found: Obstacle[] = [];
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const status of statuses) {
    const container = status.name ?? '';
    const { waiting, running, terminated } = status.state ?? {};
    const killed = [terminated, status.lastState?.terminated].find((one) => one?.reason === 'OOMKilled');
    if (killed) {
      const limit = pod.spec?.containers?.find((one) => one.name === container)?.resources?.limits?.memory ?? '';
      found.push(obstacle('not/out-of-memory', { container, limit }, `OOMKilled, exit code ${killed.exitCode ?? 137}`));
    }
    if (waiting) {
      const reason = waiting.reason ?? '';
      const evidence = waiting.message ? `${reason}: ${waiting.message}` : reason;
      if (/Image|ErrImage/.test(reason)) found.push(obstacle('not/image', { image: status.image ?? '' }, evidence));
      else if (reason === 'CrashLoopBackOff') found.push(obstacle('not/crashing', { container }, evidence));
      else found.push(obstacle('not/starting', { container }, evidence));
    } else if (running && !status.ready) {
      found.push(obstacle('not/probe', {}, eventMessage(client, pod, 'Unhealthy') || `container ${container}: ready=false`));
    } else if (terminated && terminated.exitCode !== 0) {
      found.push(obstacle('not/crashing', { container }, `${terminated.reason ?? 'Error'}, exit code ${terminated.exitCode ?? ''}`));
    }
  }
  if (statuses.length === 0)
    found.push(
      obstacle(
        'not/starting',
        { container: pod.spec?.containers?.[0]?.name ?? '' },
        eventMessage(client, pod, 'FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox') || 'Pending',
      ),
    );
  return found;
}

/** Why a Pod that one expects is not there: its name tells which StatefulSet ought to make it. */
export function absentPodObstacles(client: Client, namespace: string, name: string): Obstacle[] {
  const match = /^(.+)-(\d+)$/.exec(name);
  if (!match) return [];
  const setName = match[1] as string;
  const ordinal = Number(match[2]);
  const set = client.resource<StatefulSet>(SETS).get(namespace, setName);
  if (!set)
    return [obstacle('not/statefulset-missing', { set: setName }, `statefulsets.apps "${setName}" not found`, { resource: SETS, namespace, name: setName })];
  const replicas = set.spec?.replicas ?? 1;
  const start = set.spec?.ordinals?.start ?? 0;
  if (ordinal >= start + replicas || ordinal < start) {
    return [obstacle('not/ordinal-beyond-replicas', { set: setName, replicas: `${replicas}` }, `spec.replicas: ${replicas}`, refOf(SETS, set))];
  }
  const found: Obstacle[] = [];
  if (set.spec?.podManagementPolicy !== 'Parallel') {
    for (let before = start; before < ordinal; before++) {
      const predecessor = client.resource<Pod>(PODS).get(namespace, `${setName}-${before}`);
      const detail = { pod: `${setName}-${before}` };
      if (!predecessor)
        found.push(
          obstacle('not/predecessor-missing', detail, `pods "${detail.pod}" not found`, { resource: PODS, namespace, name: detail.pod }),
          ...absentPodObstacles(client, namespace, detail.pod),
        );
      else if (!isPodReady(predecessor) || isDeleting(predecessor))
        found.push(obstacle('not/predecessor-not-ready', detail, readiness(predecessor), refOf(PODS, predecessor)), ...podObstacles(client, predecessor));
      if (found.length > 0) return found;
    }
  }
  const refused = eventMessage(client, set, 'FailedCreate');
  return refused === '' ? [] : [obstacle('not/create-refused', {}, refused, refOf(SETS, set))];
}

export function readiness(pod: Pod): string {
  if (isDeleting(pod)) return `${nameOf(pod)}: Terminating`;
  const ready = podCondition(pod, 'Ready');
  return `${nameOf(pod)}: ${pod.status?.phase ?? 'Pending'}, Ready=${ready?.status ?? 'False'}`;
}

/** Why a StatefulSet does not reach what its spec asks for. */
export function setObstacles(client: Client, set: StatefulSet): Obstacle[] {
  const found: Obstacle[] = [];
  const { spec, status } = set;
  const replicas = spec?.replicas ?? 1;
  const start = spec?.ordinals?.start ?? 0;
  const prefix = nameOf(set);
  const pod = (ordinal: number) => client.resource<Pod>(PODS).get(namespaceOf(set), `${prefix}-${ordinal}`);
  const revisionOf = (one: Pod) => one.metadata?.labels?.['controller-revision-hash'] ?? '';
  const target = status?.updateRevision ?? '';

  for (let ordinal = start; ordinal < start + replicas; ordinal++) {
    const one = pod(ordinal);
    if (!one) {
      found.push(...absentPodObstacles(client, namespaceOf(set), `${prefix}-${ordinal}`));
      break;
    }
    if (isPodReady(one) && !isDeleting(one)) continue;
    const detail = { pod: nameOf(one) };
    if (!isDeleting(one) && spec?.podManagementPolicy !== 'Parallel' && revisionOf(one) !== target && neverReady(one)) {
      found.push(obstacle('not/undo-needs-delete', detail, `${detail.pod}: ${revisionOf(one)}, updateRevision: ${target}`, refOf(PODS, one)));
    } else found.push(obstacle('not/waiting-for-pod', detail, readiness(one), refOf(PODS, one)));
    found.push(...podObstacles(client, one));
    break;
  }
  const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let ordinal = start + replicas - 1; ordinal >= start; ordinal--) {
    const one = pod(ordinal);
    if (!one || revisionOf(one) === target) continue;
    if (spec?.updateStrategy?.type === 'OnDelete') {
      found.push(obstacle('not/on-delete', {}, `${nameOf(one)}: ${revisionOf(one)}, updateRevision: ${target}`, refOf(PODS, one)));
      break;
    }
    if (ordinal < partition) {
      found.push(obstacle('not/partition', { partition: `${partition}` }, `${nameOf(one)}: ${revisionOf(one)}, updateRevision: ${target}`, refOf(PODS, one)));
      break;
    }
  }
  return found;
}

/** The Pod has not been ready since it was made: its Ready condition never changed after the Pod was scheduled. */
function neverReady(pod: Pod): boolean {
  const ready = podCondition(pod, 'Ready');
  const scheduled = podCondition(pod, 'PodScheduled');
  return ready?.status !== 'True' && msOf(ready?.lastTransitionTime) - msOf(scheduled?.lastTransitionTime) < 2000;
}
