import type { ResourceInfo } from './resources.ts';

/** Kinds that a PUT may create. */
export const CREATE_ON_UPDATE = new Set([
  'v1/endpoints',
  'v1/events',
  'events.k8s.io/v1/events',
  'v1/limitranges',
  'v1/services',
  'coordination.k8s.io/v1/leases',
  'rbac.authorization.k8s.io/v1/roles',
  'rbac.authorization.k8s.io/v1/rolebindings',
  'rbac.authorization.k8s.io/v1/clusterroles',
  'rbac.authorization.k8s.io/v1/clusterrolebindings',
]);
/** Kinds whose PUT must say which resourceVersion it replaces. */
export const CONDITIONAL_UPDATE = new Set([
  'coordination.k8s.io/v1/leases',
  'policy/v1/poddisruptionbudgets',
  'apiregistration.k8s.io/v1/apiservices',
  'apiextensions.k8s.io/v1/customresourcedefinitions',
  'storage.k8s.io/v1/csidrivers',
  'storage.k8s.io/v1/csinodes',
  'storage.k8s.io/v1/volumeattachments',
  'node.k8s.io/v1/runtimeclasses',
  'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
]);
/** Resources whose deletion answers with the object (others: a Status) once it is gone. */
const RETURNS_DELETED = new Set([
  'v1/pods',
  'v1/podtemplates',
  'v1/persistentvolumes',
  'v1/persistentvolumeclaims',
  'v1/resourcequotas',
  'v1/serviceaccounts',
  'v1/services',
  'storage.k8s.io/v1/storageclasses',
  'storage.k8s.io/v1/volumeattachments',
  'storage.k8s.io/v1/csinodes',
  'storage.k8s.io/v1/csidrivers',
  'storage.k8s.io/v1/csistoragecapacities',
  'storage.k8s.io/v1/volumeattributesclasses',
  'resource.k8s.io/v1/resourceclaims',
  'resource.k8s.io/v1/resourceclaimtemplates',
  'resource.k8s.io/v1/resourceslices',
  'resource.k8s.io/v1/deviceclasses',
]);

export function returnsDeletedObject(info: ResourceInfo): boolean {
  return RETURNS_DELETED.has(info.id);
}
