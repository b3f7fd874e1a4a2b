import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../kinds/types.ts';
import { podTemplateHash } from '../hash.ts';
import { clone, type Identified, isDeleting, nameOf, namespaceOf, newControllerRef } from '../object.ts';
import { byCreation, HASH_LABEL, hasHistoryLimit, newAnnotations, replicasOf, revisionOf, rollbackTemplate, sameTemplate } from './util.ts';

export const DEPLOYMENT: Identified = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'apps/v1/deployments' };

/** The ReplicaSet of a Deployment's present template. */
export function newReplicaSet(deployment: Deployment, revision: number, replicas: number): ReplicaSet {
  const hash = podTemplateHash(deployment.spec?.template, deployment.status?.collisionCount);
  const template = clone(deployment.spec?.template ?? {});
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  template.metadata = { ...template.metadata, labels };
  const selector = clone(deployment.spec?.selector ?? {});
  selector.matchLabels = { ...selector.matchLabels, [HASH_LABEL]: hash };
  const fresh: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${nameOf(deployment).slice(0, 253 - 1 - hash.length)}-${hash}`,
      namespace: namespaceOf(deployment),
      ownerReferences: [newControllerRef(deployment, DEPLOYMENT)],
      labels: { ...labels },
    },
    spec: { replicas, selector, template },
  };
  if (deployment.spec?.minReadySeconds && fresh.spec) fresh.spec.minReadySeconds = deployment.spec.minReadySeconds;
  fresh.metadata = { ...fresh.metadata, annotations: newAnnotations(deployment, fresh, revision, false) };
  return fresh;
}

/** Old ReplicaSets that revisionHistoryLimit leaves no room for and that have nothing left. */
export function beyondHistory(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  if (!hasHistoryLimit(deployment)) return [];
  const candidates = old.filter((one) => !isDeleting(one)).sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b));
  const surplus = candidates.length - (deployment.spec?.revisionHistoryLimit ?? 10);
  return candidates.slice(0, Math.max(0, surplus)).filter((one) => {
    const busy = (one.status?.replicas ?? 0) !== 0 || replicasOf(one) !== 0;
    return !busy && (one.metadata?.generation ?? 0) <= (one.status?.observedGeneration ?? 0);
  });
}

/** The template of an earlier revision (0: the one before the present), or why there is nothing to go back to. */
export function rollbackTo(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  asked: number,
): { reason: string; message: string; template?: PodTemplateSpec } {
  const revision = asked || (replicaSets.map(revisionOf).sort((a, b) => b - a)[1] ?? 0);
  if (revision === 0) return { reason: 'DeploymentRollbackRevisionNotFound', message: 'Unable to find last revision.' };
  const target = replicaSets.find((one) => revisionOf(one) === revision);
  if (!target) return { reason: 'DeploymentRollbackRevisionNotFound', message: 'Unable to find the revision to rollback to.' };
  const name = JSON.stringify(nameOf(deployment));
  if (sameTemplate(deployment.spec?.template, target.spec?.template)) {
    return { reason: 'DeploymentRollbackTemplateUnchanged', message: `The rollback revision contains the same template as current deployment ${name}` };
  }
  return { reason: 'DeploymentRollback', message: `Rolled back deployment ${name} to revision ${revision}`, template: rollbackTemplate(target) };
}
