import type { Pod } from '../../kinds/types.ts';
import { msOf, uidOf } from '../object.ts';
import { isPodActive, isPodReady, podCondition } from '../pods.ts';

const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

function deletionCost(pod: Pod): number {
  const cost = Number(pod.metadata?.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

function maxRestarts(pod: Pod): [number, number] {
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter((one) => one.restartPolicy === 'Always').map((one) => one.name));
  const most = (statuses: readonly { name?: string; restartCount?: number }[] | undefined): number =>
    (statuses ?? []).reduce((max, one) => Math.max(max, one.restartCount ?? 0), 0);
  return [most(pod.status?.containerStatuses), most(pod.status?.initContainerStatuses?.filter((one) => sidecars.has(one.name)))];
}

/** log2 of an age in nanoseconds, as Go computes it; -1 for no age. */
function logarithmicRank(nowMs: number, thenMs: number): number {
  const age = (nowMs - thenMs) * 1e6;
  return age > 0 ? Math.floor(Math.log2(age)) : -1;
}

/**
 * controller.ActivePodsWithRanks: the Pods a ReplicaSet gives up first come first (unassigned, pending, not ready,
 * cheap to delete, doubled up on a node, young).
 */
export function podsToDelete(pods: readonly Pod[], related: readonly Pod[], count: number, nowMs: number): Pod[] {
  if (count >= pods.length) return pods.slice(0, count);
  const onNode = new Map<string, number>();
  for (const pod of related) {
    if (isPodActive(pod)) onNode.set(pod.spec?.nodeName ?? '', (onNode.get(pod.spec?.nodeName ?? '') ?? 0) + 1);
  }
  const compare = (a: Pod, b: Pod): number => {
    const nodeA = a.spec?.nodeName ?? '';
    const nodeB = b.spec?.nodeName ?? '';
    if (nodeA !== nodeB && (nodeA === '' || nodeB === '')) return nodeA === '' ? -1 : 1;
    const phase = (PHASE_ORDER[a.status?.phase ?? ''] ?? 0) - (PHASE_ORDER[b.status?.phase ?? ''] ?? 0);
    if (phase !== 0) return phase;
    if (isPodReady(a) !== isPodReady(b)) return isPodReady(a) ? 1 : -1;
    const cost = deletionCost(a) - deletionCost(b);
    if (cost !== 0) return cost;
    const rank = (onNode.get(nodeB) ?? 0) - (onNode.get(nodeA) ?? 0);
    if (rank !== 0) return rank;
    const byAge = (timeA: number, timeB: number): number => {
      const diff = logarithmicRank(nowMs, timeA) - logarithmicRank(nowMs, timeB);
      return diff !== 0 ? diff : uidOf(a) < uidOf(b) ? -1 : 1;
    };
    if (isPodReady(a) && isPodReady(b)) {
      const readyA = msOf(podCondition(a, 'Ready')?.lastTransitionTime);
      const readyB = msOf(podCondition(b, 'Ready')?.lastTransitionTime);
      if (readyA !== readyB) return byAge(readyA, readyB);
    }
    const [restartsA, sidecarsA] = maxRestarts(a);
    const [restartsB, sidecarsB] = maxRestarts(b);
    if (restartsA !== restartsB) return restartsB - restartsA;
    if (sidecarsA !== sidecarsB) return sidecarsB - sidecarsA;
    const createdA = msOf(a.metadata?.creationTimestamp);
    const createdB = msOf(b.metadata?.creationTimestamp);
    return createdA !== createdB ? byAge(createdA, createdB) : 0;
  };
  return [...pods].sort(compare).slice(0, count);
}
