import type { ApiObject } from '../client/types.ts';
import type { ObjectMeta } from '../kinds/types.ts';
import type { ResourceInfo } from './resources.ts';
import type { Mutable } from './spec-and-status.ts';
import { kindOf, newConflict } from './status-error.ts';

/** `metav1.DeleteOptions`. */
export interface DeleteParameters {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
}

/** Whether the preconditions hold; 409. */
export function checkDeletion(info: ResourceInfo, existing: ApiObject, { preconditions }: DeleteParameters): void {
  const { metadata = {} } = existing;
  if (preconditions?.uid !== undefined && preconditions.uid !== metadata.uid) {
    throw newConflict(
      kindOf(info),
      metadata.name ?? '',
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== metadata.resourceVersion) {
    throw newConflict(
      kindOf(info),
      metadata.name ?? '',
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/** Moves the deadline of a running grace period forward; it never lies in the past. */
export function shortenGrace(metadata: ObjectMeta, wanted: number, nowMs: number): number {
  const started = Date.parse(metadata.deletionTimestamp as string) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  let deadline = started + wanted * 1000;
  let grace = wanted;
  if (deadline < nowMs) {
    deadline = nowMs;
    if (grace !== 0) grace = 1;
  }
  metadata.deletionTimestamp = `${new Date(deadline).toISOString().slice(0, 19)}Z`;
  metadata.deletionGracePeriodSeconds = grace;
  return grace;
}

/** Grace of a Pod in seconds (models `podStrategy.CheckGracefulDelete`). */
export function podGracePeriod(pod: { spec?: Record<string, unknown>; status?: Record<string, unknown> }, parameters: DeleteParameters): number {
  let period = parameters.gracePeriodSeconds ?? (pod.spec?.terminationGracePeriodSeconds as number | undefined) ?? 0;
  if (!pod.spec?.nodeName) period = 0;
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') period = 0;
  return period < 0 ? 1 : period;
}

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/** `deletionFinalizersForGarbageCollection`. */
export function deletionFinalizers(finalizers: readonly string[], parameters: DeleteParameters, info: ResourceInfo): string[] {
  if (info.storage === 'v1/events') return [...finalizers];
  let orphan = finalizers.includes(ORPHAN);
  let foreground = finalizers.includes(FOREGROUND) && !orphan;
  if (parameters.orphanDependents !== undefined) {
    orphan = parameters.orphanDependents;
    foreground = false;
  } else if (parameters.propagationPolicy !== undefined) {
    orphan = parameters.propagationPolicy === 'Orphan';
    foreground = parameters.propagationPolicy === 'Foreground';
  }
  const out = finalizers.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  if (orphan) out.push(ORPHAN);
  if (foreground) out.push(FOREGROUND);
  return out.length === finalizers.length && out.every((finalizer) => finalizers.includes(finalizer)) ? [...finalizers] : out;
}

/** An object being deleted goes when its last finalizer and its grace are gone (`ShouldDeleteDuringUpdate`). */
export function isEmptied(info: ResourceInfo, { metadata, spec }: Mutable, { metadata: before }: Mutable): boolean {
  if ((metadata.finalizers?.length ?? 0) > 0) return false;
  if (info.id === 'v1/namespaces') return before.deletionTimestamp !== undefined && ((spec?.finalizers as string[] | undefined)?.length ?? 0) === 0;
  return metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0 && (before.deletionGracePeriodSeconds ?? 0) === 0;
}
