import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../../kinds/types.ts';
import { clone, type Identified, isDeleting, nameOf, namespaceOf, newControllerRef } from '../object.ts';
import { isPodAvailable, isPodReady, podFromTemplate } from '../pods.ts';

export const STATEFUL_SET: Identified = { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'apps/v1/statefulsets' };
export const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';
export const REVISION_LABEL = 'controller-revision-hash';

// Everything here follows pkg/controller/statefulset/stateful_set_utils.go of v1.36.

export function replicasOf(set: StatefulSet): number {
  return set.spec?.replicas ?? 1;
}

export function startOrdinal(set: StatefulSet): number {
  return set.spec?.ordinals?.start ?? 0;
}

/** The set's name and the ordinal in a Pod's name; ordinal -1 when it has none. */
export function parentAndOrdinal(podName: string): [string, number] {
  const match = /^(.*)-([0-9]+)$/.exec(podName);
  if (!match) return ['', -1];
  const ordinal = Number(match[2]);
  return [match[1] ?? '', ordinal <= 0x7fffffff ? ordinal : -1];
}

const parsedNames = new WeakMap<Pod, [string, number]>();

function identityOf(pod: Pod): [string, number] {
  let known = parsedNames.get(pod);
  // A Pod's name is fixed before anyone asks for its ordinal, except while one is being made: those are not kept.
  if (known) return known;
  known = parentAndOrdinal(nameOf(pod));
  if (Object.isFrozen(pod)) parsedNames.set(pod, known);
  return known;
}

export function ordinalOf(pod: Pod): number {
  return identityOf(pod)[1];
}

export function inOrdinalRange(pod: Pod, set: StatefulSet): boolean {
  const ordinal = ordinalOf(pod);
  return ordinal >= startOrdinal(set) && ordinal < startOrdinal(set) + replicasOf(set);
}

export function claimName(set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string {
  return `${nameOf(template)}-${nameOf(set)}-${ordinal}`;
}

export function isMemberOf(set: StatefulSet, pod: Pod): boolean {
  return identityOf(pod)[0] === nameOf(set);
}

export function identityMatches(set: StatefulSet, pod: Pod): boolean {
  const [parent, ordinal] = identityOf(pod);
  return ordinal >= 0 && nameOf(set) === parent && namespaceOf(pod) === namespaceOf(set) && pod.metadata?.labels?.[POD_NAME_LABEL] === nameOf(pod);
}

export function storageMatches(set: StatefulSet, pod: Pod): boolean {
  const ordinal = ordinalOf(pod);
  if (ordinal < 0) return false;
  return (set.spec?.volumeClaimTemplates ?? []).every((template) => {
    const volume = pod.spec?.volumes?.find((one) => one.name === nameOf(template));
    return volume?.persistentVolumeClaim?.claimName === claimName(set, template, ordinal);
  });
}

/** The claims of one Pod, from the set's templates, in their order. */
export function claimsOf(set: StatefulSet, pod: Pod): PersistentVolumeClaim[] {
  const ordinal = ordinalOf(pod);
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const claim = clone(template);
    claim.apiVersion = 'v1';
    claim.kind = 'PersistentVolumeClaim';
    claim.metadata = {
      ...claim.metadata,
      name: claimName(set, template, ordinal),
      namespace: namespaceOf(set),
      labels: { ...claim.metadata?.labels, ...set.spec?.selector?.matchLabels },
    };
    return claim;
  });
}

/** The Pod's volumes made to fit the set's claim templates; those come first, as upstream builds them. */
export function updateStorage(set: StatefulSet, pod: Pod): void {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  if (templates.length === 0) return;
  const ordinal = ordinalOf(pod);
  const claims = templates.map((template) => ({ name: nameOf(template), persistentVolumeClaim: { claimName: claimName(set, template, ordinal) } }));
  const names = new Set(claims.map((volume) => volume.name));
  pod.spec = { ...pod.spec, volumes: [...claims, ...(pod.spec?.volumes ?? []).filter((volume) => !names.has(volume.name ?? ''))] };
}

export function updateIdentity(set: StatefulSet, pod: Pod): void {
  const ordinal = ordinalOf(pod);
  const name = `${nameOf(set)}-${ordinal}`;
  pod.metadata = {
    ...pod.metadata,
    name,
    namespace: namespaceOf(set),
    labels: { ...pod.metadata?.labels, [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: String(ordinal) },
  };
}

export const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === 'Running' && isPodReady(pod);
/** A Pod the API server has: one not created yet has no phase. */
export const isCreated = (pod: Pod): boolean => (pod.status?.phase ?? '') !== '';

export function isUnavailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return !isPodAvailable(pod, minReadySeconds, nowMs) || isDeleting(pod);
}

export function podRevision(pod: Pod): string {
  return pod.metadata?.labels?.[REVISION_LABEL] ?? '';
}

/** A new Pod for an ordinal, from the current or the update revision as the update strategy says. */
export function newVersionedPod(
  currentSet: StatefulSet,
  updateSet: StatefulSet,
  currentRevision: ControllerRevision,
  updateRevision: ControllerRevision,
  ordinal: number,
): Pod {
  const strategy = currentSet.spec?.updateStrategy;
  const start = startOrdinal(currentSet);
  const current =
    (strategy?.type === 'RollingUpdate' && !strategy.rollingUpdate && ordinal < start + (currentSet.status?.currentReplicas ?? 0)) ||
    (strategy?.rollingUpdate !== undefined && ordinal < start + (strategy.rollingUpdate.partition ?? 0));
  const set = current ? currentSet : updateSet;
  const pod = podFromTemplate(set.spec?.template, set, newControllerRef(set, STATEFUL_SET));
  pod.metadata = { ...pod.metadata, name: `${nameOf(set)}-${ordinal}` };
  updateIdentity(set, pod);
  pod.spec = { ...pod.spec, hostname: nameOf(pod) };
  if (set.spec?.serviceName) pod.spec.subdomain = set.spec.serviceName;
  updateStorage(set, pod);
  pod.metadata.labels = { ...pod.metadata.labels, [REVISION_LABEL]: nameOf(current ? currentRevision : updateRevision) };
  return pod;
}
