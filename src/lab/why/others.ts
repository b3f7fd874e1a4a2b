import { ResourceRegistry } from '../../sim/apiserver/resources.ts';
import type { ApiObject, Client } from '../../sim/client/types.ts';
import { isDeleting, nameOf } from '../../sim/controllers/object.ts';
import type { Namespace, Node, PersistentVolume, PersistentVolumeClaim, PodDisruptionBudget } from '../../sim/kinds/types.ts';
import { claimObstacles } from './claims.ts';
import { finalizerObstacles, obstacle, refOf } from './obstacles.ts';
import type { Obstacle } from './types.ts';

const CLAIMS = 'v1/persistentvolumeclaims';
const PROTECTION = 'kubernetes.io/pv-protection';

/** Why a PersistentVolume waits for a claim, may not be used again, or does not go away. */
export function volumeObstacles(client: Client, volume: PersistentVolume): Obstacle[] {
  const reference = volume.spec?.claimRef;
  const detail = { volume: nameOf(volume), claim: reference ? `${reference.namespace}/${reference.name}` : '' };
  const claim = reference && client.resource<PersistentVolumeClaim>(CLAIMS).get(reference.namespace ?? '', reference.name ?? '');
  const same = claim?.metadata?.uid === reference?.uid ? claim : undefined;
  if (isDeleting(volume)) {
    const found = finalizerObstacles(volume, same ? [PROTECTION] : []);
    if (same) {
      found.unshift(obstacle('not/volume-in-use', detail, `metadata.finalizers: ${PROTECTION}`, refOf(CLAIMS, same)));
      if (isDeleting(same)) found.push(...claimObstacles(client, same));
    }
    return found;
  }
  const { phase = 'Pending', message } = volume.status ?? {};
  if (phase === 'Released') {
    const policy = volume.spec?.persistentVolumeReclaimPolicy ?? '';
    return [obstacle('not/volume-released', { ...detail, policy }, `phase: Released, persistentVolumeReclaimPolicy: ${policy}`)];
  }
  if (phase === 'Failed') return [obstacle('not/volume-failed', detail, message ?? 'phase: Failed')];
  return phase === 'Bound' ? [] : [obstacle('not/volume-unclaimed', detail, `phase: ${phase}`)];
}

/** Why a namespace that was deleted is still there: what is left in it, and whose finalizers keep it. */
export function namespaceObstacles(client: Client, namespace: Namespace): Obstacle[] {
  if (!isDeleting(namespace)) return [];
  const found: Obstacle[] = [];
  for (const { type, status, message } of namespace.status?.conditions ?? [])
    if (status === 'True') found.push(obstacle('not/namespace-content', { namespace: nameOf(namespace), condition: type ?? '' }, message ?? ''));
  for (const info of new ResourceRegistry().all()) {
    if (!info.namespaced || info.alias || !info.verbs.has('delete')) continue;
    for (const left of client.resource<ApiObject>(info.id).list(nameOf(namespace))) {
      const finalizers = left.metadata?.finalizers ?? [];
      if (!isDeleting(left) || finalizers.length === 0) continue;
      const detail = { object: `${info.singular}/${nameOf(left)}`, finalizer: finalizers.join('、') };
      found.push(obstacle('not/left-with-finalizer', detail, `metadata.finalizers: ${finalizers.join(', ')}`, refOf(info.id, left)));
    }
  }
  if (found.length === 0) found.push(obstacle('not/namespace-emptying', { namespace: nameOf(namespace) }, `phase: ${namespace.status?.phase ?? ''}`));
  return found;
}

/** Why a node takes no Pods, or is not Ready. */
export function nodeObstacles(node: Node): Obstacle[] {
  const found: Obstacle[] = [];
  for (const { type, status, reason, message } of node.status?.conditions ?? []) {
    if (type === 'Ready' ? status === 'True' : status !== 'True') continue;
    const rule = type !== 'Ready' ? 'not/node-pressure' : status === 'Unknown' ? 'not/node-silent' : 'not/node-not-ready';
    found.push(obstacle(rule, { node: nameOf(node), condition: type ?? '' }, `${type}=${status}: ${reason ?? ''}, ${message ?? ''}`));
  }
  if (node.spec?.unschedulable) found.push(obstacle('not/cordoned', { node: nameOf(node) }, 'spec.unschedulable: true'));
  return found;
}

/** Why a PodDisruptionBudget lets nothing be evicted. */
export function budgetObstacles(budget: PodDisruptionBudget): Obstacle[] {
  const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = budget.status ?? {};
  if (disruptionsAllowed > 0) return [];
  return [
    obstacle(
      'not/no-disruption',
      { healthy: `${currentHealthy}`, desired: `${desiredHealthy}` },
      `disruptionsAllowed: 0, currentHealthy: ${currentHealthy}, desiredHealthy: ${desiredHealthy}, expectedPods: ${expectedPods}`,
    ),
  ];
}

/** Of any other kind: what its own status says is not so. */
export function conditionObstacles(object: ApiObject): Obstacle[] {
  const { status } = object as { status?: { conditions?: readonly { type?: string; status?: string; reason?: string; message?: string }[] } };
  return (status?.conditions ?? [])
    .filter((one) => one.status === 'False' && (one.message ?? '') !== '')
    .map((one) => obstacle('not/condition', { condition: one.type ?? '' }, `${one.reason ?? ''}: ${one.message ?? ''}`));
}
