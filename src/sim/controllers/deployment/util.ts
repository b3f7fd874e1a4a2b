import type { Deployment, DeploymentCondition, DeploymentStatus, PodTemplateSpec, ReplicaSet } from '../../kinds/types.ts';
import { annotationsOf, clone, equal, msOf, nameOf, scaledValue, timeOf } from '../object.ts';

// pkg/controller/deployment/util/deployment_util.go of v1.36.

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
export const HASH_LABEL = 'pod-template-hash';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const NOT_COPIED = new Set([LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, 'deprecated.deployment.rollback.to']);
const MAX_INT32 = 2147483647;

export const replicasOf = (object: Deployment | ReplicaSet): number => object.spec?.replicas ?? 1;
export const isRolling = (deployment: Deployment): boolean => deployment.spec?.strategy?.type === 'RollingUpdate';

export function maxSurge(deployment: Deployment): number {
  if (!isRolling(deployment)) return 0;
  return scaledValue(deployment.spec?.strategy?.rollingUpdate?.maxSurge ?? 0, replicasOf(deployment), true);
}

export function maxUnavailable(deployment: Deployment): number {
  const replicas = replicasOf(deployment);
  if (!isRolling(deployment) || replicas === 0) return 0;
  let unavailable = scaledValue(deployment.spec?.strategy?.rollingUpdate?.maxUnavailable ?? 0, replicas, false);
  // Both may round to zero, and then nothing could ever move.
  if (unavailable === 0 && maxSurge(deployment) === 0) unavailable = 1;
  return Math.min(unavailable, replicas);
}

export function revisionOf(replicaSet: ReplicaSet | Deployment): number {
  return Number.parseInt(annotationsOf(replicaSet)[REVISION] ?? '0', 10) || 0;
}

export function conditionOf(status: DeploymentStatus | undefined, type: string): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function newCondition(type: string, status: string, reason: string, message: string, nowMs: number): DeploymentCondition {
  const now = timeOf(nowMs);
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now };
}

export function setCondition(status: DeploymentStatus, condition: DeploymentCondition): void {
  const current = conditionOf(status, condition.type ?? '');
  if (current && current.status === condition.status && current.reason === condition.reason) return;
  const next = { ...condition };
  if (current && current.status === condition.status && current.lastTransitionTime !== undefined) next.lastTransitionTime = current.lastTransitionTime;
  status.conditions = [...(status.conditions ?? []).filter((one) => one.type !== condition.type), next];
}

export function removeCondition(status: DeploymentStatus, type: string): void {
  if (status.conditions) status.conditions = status.conditions.filter((one) => one.type !== type);
}

export function hasProgressDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== MAX_INT32;
}

export function hasHistoryLimit(deployment: Deployment): boolean {
  const limit = deployment.spec?.revisionHistoryLimit;
  return limit !== undefined && limit !== MAX_INT32;
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const replicas = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}

export function isProgressing(deployment: Deployment, status: DeploymentStatus): boolean {
  const old = deployment.status ?? {};
  return (
    (status.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    (status.replicas ?? 0) - (status.updatedReplicas ?? 0) < (old.replicas ?? 0) - (old.updatedReplicas ?? 0) ||
    (status.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

export function hasTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const condition = conditionOf(status, 'Progressing');
  if (!hasProgressDeadline(deployment) || !condition || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return msOf(condition.lastUpdateTime) + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000 < nowMs;
}

function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { [HASH_LABEL]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
}

export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return equal(withoutHash(a), withoutHash(b));
}

export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const age = msOf(a.metadata?.creationTimestamp) - msOf(b.metadata?.creationTimestamp);
  return age !== 0 ? age : nameOf(a) < nameOf(b) ? -1 : 1;
}

/** The ReplicaSet of the present template: the oldest that equals it. */
export function findNew(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...replicaSets].sort(byCreation).find((one) => sameTemplate(one.spec?.template, deployment.spec?.template));
}

export const active = (replicaSets: readonly (ReplicaSet | undefined)[]): ReplicaSet[] =>
  replicaSets.filter((one): one is ReplicaSet => one !== undefined && replicasOf(one) > 0);

export const sum = (replicaSets: readonly (ReplicaSet | undefined)[], value: (one: ReplicaSet) => number | undefined): number =>
  replicaSets.reduce((total, one) => total + (one ? (value(one) ?? 0) : 0), 0);

export function replicasAnnotations(deployment: Deployment): Record<string, string> {
  return { [DESIRED_REPLICAS]: String(replicasOf(deployment)), [MAX_REPLICAS]: String(replicasOf(deployment) + maxSurge(deployment)) };
}

/** SetNewReplicaSetAnnotations: what the new ReplicaSet's annotations should be. */
export function newAnnotations(deployment: Deployment, replicaSet: ReplicaSet, revision: number, exists: boolean): Record<string, string> {
  const out = { ...annotationsOf(replicaSet) };
  for (const [key, value] of Object.entries(annotationsOf(deployment))) if (!NOT_COPIED.has(key)) out[key] = value;
  const old = out[REVISION];
  if ((Number(old ?? 0) || 0) < revision) {
    out[REVISION] = String(revision);
    if (old !== undefined) out[REVISION_HISTORY] = out[REVISION_HISTORY] ? `${out[REVISION_HISTORY]},${old}` : old;
  }
  if (!exists) Object.assign(out, replicasAnnotations(deployment));
  return out;
}

/** How many replicas a new ReplicaSet may have now. */
export function newReplicaCount(deployment: Deployment, all: readonly (ReplicaSet | undefined)[], current: number): number {
  if (!isRolling(deployment)) return replicasOf(deployment);
  const total = sum(all, replicasOf);
  const most = replicasOf(deployment) + maxSurge(deployment);
  if (total >= most) return current;
  return current + Math.min(most - total, replicasOf(deployment) - current);
}

/** A ReplicaSet's share when the Deployment is scaled during a rollout. */
export function proportionOf(replicaSet: ReplicaSet, deployment: Deployment, toAdd: number, added: number): number {
  if (replicasOf(replicaSet) === 0 || toAdd === 0 || toAdd === added) return 0;
  const fraction = fractionOf(replicaSet, deployment);
  const allowed = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, allowed) : Math.max(fraction, allowed);
}

function fractionOf(replicaSet: ReplicaSet, deployment: Deployment): number {
  if (replicasOf(deployment) === 0) return -replicasOf(replicaSet);
  const most = replicasOf(deployment) + maxSurge(deployment);
  const before = Number(annotationsOf(replicaSet)[MAX_REPLICAS] ?? 0) || deployment.status?.replicas || 0;
  if (before === 0) return 0;
  return Math.round((replicasOf(replicaSet) * most) / before) - replicasOf(replicaSet);
}

/** The template a ReplicaSet was made for, for a rollback: without the hash label. */
export function rollbackTemplate(replicaSet: ReplicaSet): PodTemplateSpec {
  return clone(withoutHash(replicaSet.spec?.template));
}
