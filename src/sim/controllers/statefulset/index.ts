import type { Disposable } from '../../../kernel/index.ts';
import type { WatchEvent } from '../../client/types.ts';
import type { Pod, StatefulSet } from '../../kinds/types.ts';
import { claimObjects } from '../claim-ref.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { adoptRevision, listRevisions, revisionInformer } from '../history.ts';
import { selectorMatcher } from '../labels.ts';
import { controllerOf, equal, isDeleting, keyFor, keyOf, labelsOf, nameOf, namespaceOf, splitKey, uidOf } from '../object.ts';
import { isPodReady, nextAvailabilityMs, podInformer, podsOfOwner } from '../pods.ts';
import { StatefulSetControl } from './control.ts';
import { isMemberOf, STATEFUL_SET } from './identity.ts';
import { StatefulPodControl } from './pod-control.ts';

const ACTOR = 'statefulset-controller';

/** The StatefulSet controller of kube-controller-manager v1.36 (pkg/controller/statefulset). */
export function startStatefulSetController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const pods = podInformer(client);
  const sets = client.informer<StatefulSet>(STATEFUL_SET.resource);
  const revisions = revisionInformer(client);
  const control = new StatefulSetControl(kernel, client, new StatefulPodControl(client), revisions);
  const controller = new Controller(context, { name: ACTOR, sync });

  function sync(key: string): void {
    const [namespace, name] = splitKey(key);
    const set = sets.get(namespace, name);
    if (!set || controller.isBusy(key)) return;
    const resource = client.resource<StatefulSet>(STATEFUL_SET.resource);
    const matches = selectorMatcher(set.spec?.selector);
    const fresh = (): StatefulSet | undefined => resource.get(namespace, name);

    const orphans = listRevisions(revisions, set, matches).filter((revision) => !controllerOf(revision));
    if (orphans.length > 0) {
      const now = fresh();
      if (now && uidOf(now) === uidOf(set) && !isDeleting(now)) for (const orphan of orphans) adoptRevision(client, ACTOR, set, STATEFUL_SET, orphan);
    }
    const members = claimObjects<Pod>({
      actor: ACTOR,
      owner: set,
      ownerKind: STATEFUL_SET,
      childResource: 'v1/pods',
      children: client.resource<Pod>('v1/pods'),
      candidates: podsOfOwner(pods, set, true),
      matches: (pod) => matches(labelsOf(pod)) && isMemberOf(set, pod),
      fresh,
    });
    controller.spent(key, members.length);
    const status = control.update(set, members);
    const minReadySeconds = set.spec?.minReadySeconds ?? 0;
    if (minReadySeconds > 0 && status.readyReplicas !== status.availableReplicas) {
      controller.queue.addAfter(key, nextAvailabilityMs(members, minReadySeconds, kernel.now()) ?? minReadySeconds * 1000);
    }
  }

  function enqueueOwner(pod: Pod): boolean {
    const owner = controllerOf(pod);
    if (!owner) return false;
    if (owner.kind !== STATEFUL_SET.kind) return true;
    const set = sets.get(namespaceOf(pod), owner.name ?? '');
    if (set && uidOf(set) === owner.uid) controller.queue.add(keyOf(set));
    return true;
  }

  function onPod({ type, object: pod, old }: WatchEvent<Pod>): void {
    const ownerChanged = old !== undefined && !equal(controllerOf(old), controllerOf(pod));
    if (ownerChanged && old) enqueueOwner(old);
    if (enqueueOwner(pod)) {
      const set = sets.get(namespaceOf(pod), controllerOf(pod)?.name ?? '');
      const minReadySeconds = set?.spec?.minReadySeconds ?? 0;
      if (type === 'MODIFIED' && minReadySeconds > 0 && set && isPodReady(pod) && !(old && isPodReady(old))) {
        controller.queue.addAfter(keyOf(set), minReadySeconds * 1000);
      }
      return;
    }
    if (type === 'DELETED' || isDeleting(pod)) return;
    if (type === 'MODIFIED' && old && !ownerChanged && equal(labelsOf(old), labelsOf(pod))) return;
    for (const set of sets.list(namespaceOf(pod))) {
      if (selectorMatcher(set.spec?.selector)(labelsOf(pod))) controller.queue.add(keyFor(namespaceOf(set), nameOf(set)));
    }
  }

  controller.watch<StatefulSet>(STATEFUL_SET.resource, ({ object }) => controller.queue.add(keyOf(object)));
  controller.watch<Pod>('v1/pods', onPod);
  return controller;
}
