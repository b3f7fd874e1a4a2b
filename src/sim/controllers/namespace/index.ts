import type { Disposable } from '../../../kernel/index.ts';
import type { ApiObject } from '../../client/types.ts';
import type { Namespace, NamespaceCondition, Pod } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { ignoreNotFound, isStatusError, SyncError } from '../errors.ts';
import { cause, clone, isDeleting, msOf, nameOf, refOf, timeOf } from '../object.ts';
import { isPodFinished } from '../pods.ts';
import { type DeletableResource, namespacedResources, splitResource } from '../resources.ts';

const ACTOR = 'namespace-controller';
const FINALIZER_ESTIMATE_S = 15;

/** Condition types in their order, with the words for "nothing wrong". */
const CONDITIONS: readonly [type: string, reason: string, message: string][] = [
  ['NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'],
  ['NamespaceDeletionGroupVersionParsingFailure', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  ['NamespaceDeletionContentFailure', 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
  ['NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'],
  ['NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
];

interface Remaining {
  /** Instances by "plural.group". */
  resources: Map<string, number>;
  finalizers: Map<string, number>;
  errors: string[];
  /** Seconds until it makes sense to look again. */
  estimateS: number;
}

/** Empties and removes namespaces that are being deleted: Pods first (pkg/controller/namespace/deletion of v1.36). */
export function startNamespaceController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const namespaces = client.informer<Namespace>('v1/namespaces');
  const controller = new Controller(context, { name: ACTOR, sync, maxMs: 60_000 });

  function sync(name: string): void {
    const namespace = namespaces.get('', name);
    if (!namespace || !isDeleting(namespace) || !namespace.spec?.finalizers?.length) return;
    const remaining: Remaining = { resources: new Map(), finalizers: new Map(), errors: [], estimateS: 0 };
    const resources = namespacedResources(client);
    const pods = resources.filter((one) => one.id === 'v1/pods');
    for (const one of pods) empty(namespace, one, remaining);
    const podsLeft = remaining.resources.size > 0;
    if (!podsLeft) for (const one of resources) if (!pods.includes(one)) empty(namespace, one, remaining);
    const updated = writeConditions(namespace, remaining, !podsLeft);
    if (remaining.estimateS > 0) {
      controller.queue.addAfter(name, (Math.floor(remaining.estimateS / 2) + 1) * 1000);
      return;
    }
    if (remaining.errors.length > 0) throw new SyncError(remaining.errors.join(', '));
    const copy = clone(updated);
    copy.spec = { ...copy.spec, finalizers: (copy.spec?.finalizers ?? []).filter((one) => one !== 'kubernetes') };
    const options = { cause: cause(ACTOR, 'namespace/finalize', refOf(namespace, 'v1/namespaces')) };
    ignoreNotFound(() => client.resource<Namespace>('v1/namespaces/finalize').update(copy, options));
  }

  /** deleteAllContentForGroupVersionResource. */
  function empty(namespace: Namespace, resource: DeletableResource, remaining: Remaining): void {
    const name = nameOf(namespace);
    const writes = client.resource<ApiObject>(resource.id);
    const before = writes.list(name);
    if (before.length === 0) return;
    const estimateS = resource.id === 'v1/pods' ? graceOf(namespace, before as readonly Pod[]) : 0;
    const options = { cause: cause(ACTOR, 'namespace/delete-content', refOf(namespace, 'v1/namespaces')), propagationPolicy: 'Background' as const };
    const [version, plural] = splitResource(resource.id);
    try {
      for (const object of before) ignoreNotFound(() => writes.delete(name, nameOf(object), options));
    } catch (error) {
      if (!isStatusError(error)) throw error;
      remaining.errors.push((error as Error).message);
      return;
    }
    const left = writes.list(name);
    if (left.length === 0) return;
    const group = version.includes('/') ? version.slice(0, version.indexOf('/')) : '';
    remaining.resources.set(`${plural}.${group}`, left.length);
    let finalizers = 0;
    for (const object of left) {
      for (const one of object.metadata?.finalizers ?? []) {
        remaining.finalizers.set(one, (remaining.finalizers.get(one) ?? 0) + 1);
        finalizers++;
      }
    }
    if (estimateS > 0) remaining.estimateS = Math.max(remaining.estimateS, estimateS);
    else if (finalizers > 0) remaining.estimateS = Math.max(remaining.estimateS, FINALIZER_ESTIMATE_S);
    else
      remaining.errors.push(
        `unexpected items still remain in namespace: ${name} for gvr: ${group}/${version.slice(version.indexOf('/') + 1)}, Resource=${plural}`,
      );
  }

  /** The longest grace period of its Pods, unless that has passed. */
  function graceOf(namespace: Namespace, pods: readonly Pod[]): number {
    const longest = pods.filter((pod) => !isPodFinished(pod)).reduce((most, pod) => Math.max(most, pod.spec?.terminationGracePeriodSeconds ?? 0), 0);
    return kernel.now() - msOf(namespace.metadata?.deletionTimestamp) >= longest * 1000 ? 0 : longest;
  }

  function writeConditions(namespace: Namespace, remaining: Remaining, withTotals: boolean): Namespace {
    const now = timeOf(kernel.now());
    const found = new Map<string, [reason: string, message: string]>();
    const listed = (counts: Map<string, number>, word: string): string =>
      [...counts]
        .map(([key, count]) => `${key} ${word} ${count} resource instances`)
        .sort()
        .join(', ');
    if (withTotals && remaining.resources.size > 0) {
      found.set('NamespaceContentRemaining', ['SomeResourcesRemain', `Some resources are remaining: ${listed(remaining.resources, 'has')}`]);
    }
    if (withTotals && remaining.finalizers.size > 0) {
      const message = `Some content in the namespace has finalizers remaining: ${listed(remaining.finalizers, 'in')}`;
      found.set('NamespaceFinalizersRemaining', ['SomeFinalizersRemain', message]);
    }
    if (remaining.errors.length > 0) {
      const message = `Failed to delete all resource types, ${remaining.errors.length} remaining: ${[...remaining.errors].sort().join(', ')}`;
      found.set('NamespaceDeletionContentFailure', ['ContentDeletionFailed', message]);
    }
    const old = namespace.status?.conditions ?? [];
    let changed = false;
    const conditions: NamespaceCondition[] = [...old];
    for (const [type, okReason, okMessage] of CONDITIONS) {
      const trouble = found.get(type);
      const [reason, message] = trouble ?? [okReason, okMessage];
      const status = trouble ? 'True' : 'False';
      const index = conditions.findIndex((one) => one.type === type);
      const before = conditions[index];
      if (before && before.status === status && before.reason === reason && before.message === message) continue;
      changed = true;
      const lastTransitionTime = before && before.status === status ? (before.lastTransitionTime ?? now) : now;
      const next: NamespaceCondition = { type, status, reason, message, lastTransitionTime };
      if (index < 0) conditions.push(next);
      else conditions[index] = next;
    }
    if (!changed) return namespace;
    const copy = clone(namespace);
    copy.status = { ...copy.status, conditions };
    return client.resource<Namespace>('v1/namespaces').updateStatus(copy, { cause: cause(ACTOR, 'namespace/status', refOf(namespace, 'v1/namespaces')) });
  }

  controller.watch<Namespace>('v1/namespaces', ({ type, object }) => {
    // namespaceDeletionGracePeriod: content takes a moment to settle before each look.
    if (type !== 'DELETED' && isDeleting(object)) controller.queue.addAfter(nameOf(object), 5_000);
  });
  return controller;
}
