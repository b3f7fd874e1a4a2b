import type { Cause } from '../cause.ts';
import type { Client } from '../client/types.ts';
import type { Pod, PodCondition } from '../kinds/types.ts';
import { nameOf, namespaceOf, timeOf } from './object.ts';
import { podCondition } from './pods.ts';

/**
 * podutil.UpdatePodCondition: the Pod's conditions with this one in them, or undefined when nothing changes. The
 * transition time moves only when the status does.
 */
export function withCondition(pod: Pod, condition: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>, nowMs: number): PodCondition[] | undefined {
  const old = podCondition(pod, condition.type ?? '');
  if (old && old.status === condition.status && old.reason === condition.reason && old.message === condition.message) return undefined;
  // Go writes the zero time of a condition nobody probes as null.
  const next: PodCondition = { ...condition, lastProbeTime: null as unknown as string, lastTransitionTime: timeOf(nowMs) };
  if (old && old.status === condition.status && old.lastTransitionTime !== undefined) next.lastTransitionTime = old.lastTransitionTime;
  if (pod.metadata?.generation !== undefined) next.observedGeneration = pod.metadata.generation;
  const conditions = pod.status?.conditions ?? [];
  return old ? conditions.map((one) => (one.type === next.type ? next : one)) : [...conditions, next];
}

/** Writes a condition (and more of the status, when given) unless it is there already. */
export function patchPodCondition(
  client: Client,
  pod: Pod,
  condition: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'> | undefined,
  nowMs: number,
  because: Cause,
  more: Readonly<Record<string, unknown>> = {},
): void {
  const conditions = condition ? withCondition(pod, condition, nowMs) : undefined;
  const status = conditions ? { ...more, conditions } : more;
  if (Object.keys(status).length === 0) return;
  client.resource<Pod>('v1/pods').patch(namespaceOf(pod), nameOf(pod), { status }, { cause: because, subresource: 'status' });
}
