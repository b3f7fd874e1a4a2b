import type { Disposable } from '../../../kernel/index.ts';
import type { Deployment, Pod, ReplicaSet } from '../../kinds/types.ts';
import { claimObjects } from '../claim-ref.ts';
import { Controller, type ControllerContext, ensureIndex } from '../controller.ts';
import { selectorMatcher } from '../labels.ts';
import { controllerOf, equal, isDeleting, keyOf, labelsOf, namespaceOf, splitKey, uidOf } from '../object.ts';
import { podInformer } from '../pods.ts';
import { DEPLOYMENT } from './replica-sets.ts';
import { ACTOR, DeploymentSync } from './sync.ts';

const REPLICA_SETS = 'apps/v1/replicasets';

/** The Deployment controller of v1.36 (pkg/controller/deployment). */
export function startDeploymentController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const pods = podInformer(client);
  const deployments = client.informer<Deployment>(DEPLOYMENT.resource);
  const replicaSets = client.informer<ReplicaSet>(REPLICA_SETS);
  ensureIndex(replicaSets, 'owner', (one) => {
    const owner = controllerOf(one);
    return owner ? [owner.uid ?? ''] : [];
  });
  ensureIndex(replicaSets, 'orphans', (one) => (controllerOf(one) ? [] : [namespaceOf(one)]));
  const controller = new Controller(context, { name: ACTOR, sync });

  function sync(key: string): void {
    const [namespace, name] = splitKey(key);
    const deployment = deployments.get(namespace, name);
    if (!deployment) return;
    const matches = selectorMatcher(deployment.spec?.selector);
    const owned = claimObjects<ReplicaSet>({
      actor: ACTOR,
      owner: deployment,
      ownerKind: DEPLOYMENT,
      childResource: REPLICA_SETS,
      children: client.resource<ReplicaSet>(REPLICA_SETS),
      candidates: [...replicaSets.byIndex('owner', uidOf(deployment)), ...replicaSets.byIndex('orphans', namespace)],
      matches: (one) => matches(labelsOf(one)),
      fresh: () => client.resource<Deployment>(DEPLOYMENT.resource).get(namespace, name),
    });
    const run = new DeploymentSync(kernel, client, deployment, owned);
    run.run((one) => pods.byIndex('owner', uidOf(one)));
    if (run.requeue.afterMs !== undefined) controller.queue.addAfter(key, run.requeue.afterMs);
    if (run.requeue.rateLimited) controller.queue.addAfter(key, 1000);
  }

  function ownerOf(object: ReplicaSet): Deployment | undefined {
    const ref = controllerOf(object);
    if (ref?.kind !== DEPLOYMENT.kind) return undefined;
    const deployment = deployments.get(namespaceOf(object), ref.name ?? '');
    return deployment && uidOf(deployment) === ref.uid ? deployment : undefined;
  }

  controller.watch<Deployment>(DEPLOYMENT.resource, ({ object }) => controller.queue.add(keyOf(object)));
  controller.watch<ReplicaSet>(REPLICA_SETS, ({ type, object, old }) => {
    const ownerChanged = old !== undefined && !equal(controllerOf(old), controllerOf(object));
    if (ownerChanged && old) {
      const previous = ownerOf(old);
      if (previous) controller.queue.add(keyOf(previous));
    }
    if (controllerOf(object)) {
      const owner = ownerOf(object);
      if (owner) controller.queue.add(keyOf(owner));
      return;
    }
    if (type === 'DELETED' || isDeleting(object)) return;
    if (type === 'MODIFIED' && old && !ownerChanged && equal(labelsOf(old), labelsOf(object))) return;
    for (const deployment of deployments.list(namespaceOf(object))) {
      if (selectorMatcher(deployment.spec?.selector)(labelsOf(object))) controller.queue.add(keyOf(deployment));
    }
  });
  controller.watch<Pod>('v1/pods', ({ type, object: pod }) => {
    // Only Recreate looks at Pods: the last old one is gone.
    if (type !== 'DELETED') return;
    const ref = controllerOf(pod);
    if (ref?.kind !== 'ReplicaSet') return;
    const replicaSet = replicaSets.get(namespaceOf(pod), ref.name ?? '');
    const deployment = replicaSet && uidOf(replicaSet) === ref.uid ? ownerOf(replicaSet) : undefined;
    if (deployment?.spec?.strategy?.type === 'Recreate') controller.queue.add(keyOf(deployment));
  });
  return controller;
}
