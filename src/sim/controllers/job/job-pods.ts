import type { Job, Pod } from '../../kinds/types.ts';
import { msOf, nameOf } from '../object.ts';
import { isPodReady, podCondition } from '../pods.ts';
import { INDEX, INDEX_FAILURES, indexOf, isIndexed } from './indexes.ts';

export const FINALIZER = 'batch.kubernetes.io/job-tracking';
const BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 600_000;

/** Failures since the last success, for the back-off of new Pods. */
export interface Backoff {
  failures: number;
  lastFailureMs: number;
}

/** When a Pod ended: its containers' end, or what comes nearest. */
export function finishedMs(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map((one) => one.state?.terminated?.finishedAt);
  if (ends.length > 0 && ends.every((end) => end)) return Math.max(...ends.map((end) => msOf(end)));
  const ready = podCondition(pod, 'Ready');
  if (ready?.status === 'False' && ready.lastTransitionTime) return msOf(ready.lastTransitionTime);
  if (pod.metadata?.deletionTimestamp) return msOf(pod.metadata.deletionTimestamp) - (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  return msOf(pod.metadata?.creationTimestamp);
}

export function backoffLeftMs(nowMs: number, failures: number, lastFailureMs: number): number {
  if (failures === 0) return 0;
  const waitMs = Math.min(BACKOFF_MS * 2 ** (failures - 1), MAX_BACKOFF_MS);
  return Math.max(0, lastFailureMs + waitMs - nowMs);
}

export function nextBackoff(known: Backoff | undefined, succeeded: readonly Pod[], failed: readonly Pod[]): Backoff {
  const times = failed.map(finishedMs).sort((a, b) => a - b);
  if (succeeded.length === 0) {
    const before = known ?? { failures: 0, lastFailureMs: 0 };
    return times.length === 0 ? before : { failures: before.failures + times.length, lastFailureMs: times.at(-1) ?? 0 };
  }
  const lastSuccess = Math.max(...succeeded.map(finishedMs));
  const later = times.filter((time) => time > lastSuccess);
  return { failures: later.length, lastFailureMs: later.at(-1) ?? 0 };
}

/** restartPolicy OnFailure: the containers' restarts count towards the limit. */
export function restartedTooOften(job: Job, pods: readonly Pod[]): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const pod of pods) {
    if (pod.status?.phase !== 'Running' && pod.status?.phase !== 'Pending') continue;
    for (const one of [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]) restarts += one.restartCount ?? 0;
  }
  const limit = job.spec?.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Too many Pods: duplicates of an index first, then those not ready, then the youngest. */
export function surplusOf(job: Job, active: readonly Pod[], atLeast: number, atMost: number): Pod[] {
  const out: Pod[] = [];
  let rest = active;
  if (isIndexed(job)) {
    const seen = new Set<number>();
    const unique: Pod[] = [];
    for (const pod of [...active].sort((a, b) => msOf(a.metadata?.creationTimestamp) - msOf(b.metadata?.creationTimestamp))) {
      const index = indexOf(job, pod);
      if (index === undefined || seen.has(index)) out.push(pod);
      else {
        seen.add(index);
        unique.push(pod);
      }
    }
    rest = unique;
  }
  if (out.length < atLeast) {
    const order = [...rest].sort(
      (a, b) => Number(isPodReady(a)) - Number(isPodReady(b)) || msOf(b.metadata?.creationTimestamp) - msOf(a.metadata?.creationTimestamp),
    );
    out.push(...order.slice(0, atLeast - out.length));
  }
  return out.slice(0, atMost);
}

/** What a Job adds to a Pod of its template: the finalizer and, for an indexed Job, the index in all its places. */
export function adjustPod(job: Job, pod: Pod, index: number | undefined, lastFailed: Pod | undefined): void {
  const metadata: NonNullable<Pod['metadata']> = { ...pod.metadata, finalizers: [...(pod.metadata?.finalizers ?? []), FINALIZER] };
  pod.metadata = metadata;
  if (index === undefined) return;
  const text = String(index);
  metadata.annotations = { ...metadata.annotations, [INDEX]: text };
  metadata.labels = { ...metadata.labels, [INDEX]: text };
  metadata.generateName = `${nameOf(job)}-${text}-`;
  if (job.spec?.backoffLimitPerIndex !== undefined) {
    metadata.annotations[INDEX_FAILURES] = String(lastFailed ? Number(lastFailed.metadata?.annotations?.[INDEX_FAILURES] ?? 0) + 1 : 0);
  }
  const variable = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${INDEX}']` } } };
  const withIndex = <T extends { env?: { name?: string }[] }>(container: T): T =>
    container.env?.some((one) => one.name === variable.name) ? container : { ...container, env: [...(container.env ?? []), variable] };
  pod.spec = { ...pod.spec, hostname: `${nameOf(job)}-${text}`, containers: (pod.spec?.containers ?? []).map(withIndex) };
  if (pod.spec.initContainers) pod.spec.initContainers = pod.spec.initContainers.map(withIndex);
}
