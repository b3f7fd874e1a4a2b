import type { Deployment, DeploymentStatus, ReplicaSet } from '../../kinds/types.ts';
import { nameOf } from '../object.ts';
import {
  conditionOf,
  hasProgressDeadline,
  hasTimedOut,
  isComplete,
  isProgressing,
  maxUnavailable,
  newCondition,
  removeCondition,
  replicasOf,
  setCondition,
  sum,
} from './util.ts';

type ReplicaSets = readonly (ReplicaSet | undefined)[];

/** calculateStatus: what the ReplicaSets report, added up, and whether that is enough. */
export function statusOf(deployment: Deployment, all: ReplicaSets, fresh: ReplicaSet | undefined, nowMs: number): DeploymentStatus {
  const available = sum(all, (one) => one.status?.availableReplicas);
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: sum(all, (one) => one.status?.replicas),
    updatedReplicas: fresh?.status?.replicas ?? 0,
    readyReplicas: sum(all, (one) => one.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all, replicasOf) - available),
    conditions: [...(deployment.status?.conditions ?? [])],
  };
  if (deployment.status?.collisionCount !== undefined) status.collisionCount = deployment.status.collisionCount;
  const unknown = all.some((one) => one && one.status?.terminatingReplicas === undefined && (one.status?.observedGeneration ?? 0) !== 0);
  if (!unknown) status.terminatingReplicas = sum(all, (one) => one.status?.terminatingReplicas);
  const enough = available >= replicasOf(deployment) - maxUnavailable(deployment);
  setCondition(
    status,
    enough
      ? newCondition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', nowMs)
      : newCondition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', nowMs),
  );
  return status;
}

/** syncRolloutStatus: the status during a rollout, with how it progresses. */
export function rolloutStatus(deployment: Deployment, all: ReplicaSets, fresh: ReplicaSet | undefined, nowMs: number): DeploymentStatus {
  const status = statusOf(deployment, all, fresh, nowMs);
  if (!hasProgressDeadline(deployment)) removeCondition(status, 'Progressing');
  const current = conditionOf(deployment.status ?? {}, 'Progressing');
  const finished = status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable';
  if (hasProgressDeadline(deployment) && !finished) {
    const subject = fresh ? `ReplicaSet ${JSON.stringify(nameOf(fresh))}` : `Deployment ${JSON.stringify(nameOf(deployment))}`;
    if (isComplete(deployment, status)) {
      setCondition(status, newCondition('Progressing', 'True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`, nowMs));
    } else if (isProgressing(deployment, status)) {
      const condition = newCondition('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`, nowMs);
      if (current?.status === 'True' && current.lastTransitionTime !== undefined) condition.lastTransitionTime = current.lastTransitionTime;
      removeCondition(status, 'Progressing');
      setCondition(status, condition);
    } else if (hasTimedOut(deployment, status, nowMs)) {
      setCondition(status, newCondition('Progressing', 'False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`, nowMs));
    }
  }
  const failure = [fresh, ...all].flatMap((one) => one?.status?.conditions ?? []).find((condition) => condition.type === 'ReplicaFailure');
  if (failure) {
    const condition = newCondition('ReplicaFailure', failure.status ?? 'True', failure.reason ?? '', failure.message ?? '', nowMs);
    if (failure.lastTransitionTime !== undefined) condition.lastTransitionTime = condition.lastUpdateTime = failure.lastTransitionTime;
    setCondition(status, condition);
  } else removeCondition(status, 'ReplicaFailure');
  return status;
}
