import type { ApiObject, Client, Informer } from '../client/types.ts';
import type { OwnerReference, Pod, PodCondition, PodTemplateSpec } from '../kinds/types.ts';
import { ensureIndex } from './controller.ts';
import { clone, controllerOf, type Identified, isDeleting, msOf, nameOf, namespaceOf, uidOf } from './object.ts';

export const POD: Identified = { apiVersion: 'v1', kind: 'Pod', resource: 'v1/pods' };

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** podutil.IsPodAvailable: ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return false;
  return minReadySeconds === 0 || msOf(ready.lastTransitionTime) + minReadySeconds * 1000 <= nowMs;
}

/** controller.IsPodActive: neither finished nor being deleted. */
export function isPodActive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed' && !isDeleting(pod);
}

/** controller.IsPodTerminating. */
export function isPodTerminating(pod: Pod): boolean {
  return isDeleting(pod) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

export function isPodFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Milliseconds until the next of `pods` becomes available, or undefined (controller.FindMinNextPodAvailabilityCheck). */
export function nextAvailabilityMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  let least: number | undefined;
  for (const pod of pods) {
    const ready = podCondition(pod, 'Ready');
    if (ready?.status !== 'True' || minReadySeconds === 0) continue;
    const wait = msOf(ready.lastTransitionTime) + minReadySeconds * 1000 - nowMs;
    if (wait > 0 && (least === undefined || wait < least)) least = wait;
  }
  return least;
}

/** Pods by controller uid ("owner") and orphans by namespace ("orphans"), by node ("node"). */
export function podInformer(client: Client): Informer<Pod> {
  const informer = client.informer<Pod>('v1/pods');
  ensureIndex(informer, 'owner', (pod) => {
    const owner = controllerOf(pod);
    return owner ? [owner.uid ?? ''] : [];
  });
  ensureIndex(informer, 'orphans', (pod) => (controllerOf(pod) ? [] : [namespaceOf(pod)]));
  ensureIndex(informer, 'node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  ensureIndex(informer, 'label', (pod) => {
    const namespace = namespaceOf(pod);
    return Object.entries(pod.metadata?.labels ?? {}).map(([key, value]) => `${namespace}/${key}=${value}`);
  });
  return informer;
}

/** controller.FilterPodsByOwner: what `owner` controls plus the orphans of its namespace. */
export function podsOfOwner(pods: Informer<Pod>, owner: ApiObject, withOrphans: boolean): Pod[] {
  const owned = pods.byIndex('owner', uidOf(owner));
  return withOrphans ? [...owned, ...pods.byIndex('orphans', namespaceOf(owner))] : [...owned];
}

/** Pods of a namespace that carry all of `selector` (a plain map), through the label index. */
export function podsByLabels(pods: Informer<Pod>, namespace: string, selector: Readonly<Record<string, string>>): Pod[] {
  const entries = Object.entries(selector);
  const first = entries[0];
  if (!first) return [...pods.list(namespace)];
  const rest = entries.slice(1);
  return pods.byIndex('label', `${namespace}/${first[0]}=${first[1]}`).filter((pod) => rest.every(([key, value]) => pod.metadata?.labels?.[key] === value));
}

/** controller.GetPodFromTemplate. */
export function podFromTemplate(template: PodTemplateSpec | undefined, parent: ApiObject, controllerRef: OwnerReference | undefined): Pod {
  const metadata: NonNullable<Pod['metadata']> = { namespace: namespaceOf(parent), generateName: `${nameOf(parent)}-` };
  if (template?.metadata?.labels) metadata.labels = { ...template.metadata.labels };
  if (template?.metadata?.annotations && Object.keys(template.metadata.annotations).length > 0) metadata.annotations = { ...template.metadata.annotations };
  if (template?.metadata?.finalizers && template.metadata.finalizers.length > 0) metadata.finalizers = [...template.metadata.finalizers];
  if (controllerRef) metadata.ownerReferences = [controllerRef];
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: clone(template?.spec ?? {}) };
}
