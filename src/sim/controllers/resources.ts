import type { Client, ResourceId } from '../client/types.ts';
import type { CustomResourceDefinition } from '../kinds/types.ts';

/** A resource that can be listed, watched and deleted, as discovery tells. */
export interface DeletableResource {
  id: ResourceId;
  kind: string;
  namespaced: boolean;
}

const NAMESPACED: Readonly<Record<string, string>> = {
  'v1/pods': 'Pod',
  'v1/services': 'Service',
  'v1/endpoints': 'Endpoints',
  'v1/configmaps': 'ConfigMap',
  'v1/secrets': 'Secret',
  'v1/serviceaccounts': 'ServiceAccount',
  'v1/persistentvolumeclaims': 'PersistentVolumeClaim',
  'v1/replicationcontrollers': 'ReplicationController',
  'v1/resourcequotas': 'ResourceQuota',
  'v1/limitranges': 'LimitRange',
  'v1/podtemplates': 'PodTemplate',
  'apps/v1/deployments': 'Deployment',
  'apps/v1/replicasets': 'ReplicaSet',
  'apps/v1/statefulsets': 'StatefulSet',
  'apps/v1/daemonsets': 'DaemonSet',
  'apps/v1/controllerrevisions': 'ControllerRevision',
  'batch/v1/jobs': 'Job',
  'batch/v1/cronjobs': 'CronJob',
  'autoscaling/v2/horizontalpodautoscalers': 'HorizontalPodAutoscaler',
  'policy/v1/poddisruptionbudgets': 'PodDisruptionBudget',
  'discovery.k8s.io/v1/endpointslices': 'EndpointSlice',
  'networking.k8s.io/v1/ingresses': 'Ingress',
  'networking.k8s.io/v1/networkpolicies': 'NetworkPolicy',
  'coordination.k8s.io/v1/leases': 'Lease',
  'rbac.authorization.k8s.io/v1/roles': 'Role',
  'rbac.authorization.k8s.io/v1/rolebindings': 'RoleBinding',
  'storage.k8s.io/v1/csistoragecapacities': 'CSIStorageCapacity',
};

const CLUSTER: Readonly<Record<string, string>> = {
  'v1/nodes': 'Node',
  'v1/namespaces': 'Namespace',
  'v1/persistentvolumes': 'PersistentVolume',
  'storage.k8s.io/v1/storageclasses': 'StorageClass',
  'storage.k8s.io/v1/volumeattachments': 'VolumeAttachment',
  'storage.k8s.io/v1/csinodes': 'CSINode',
  'storage.k8s.io/v1/csidrivers': 'CSIDriver',
  'rbac.authorization.k8s.io/v1/clusterroles': 'ClusterRole',
  'rbac.authorization.k8s.io/v1/clusterrolebindings': 'ClusterRoleBinding',
  'scheduling.k8s.io/v1/priorityclasses': 'PriorityClass',
  'networking.k8s.io/v1/ingressclasses': 'IngressClass',
  'apiextensions.k8s.io/v1/customresourcedefinitions': 'CustomResourceDefinition',
};

/** The built-in resources the garbage collector follows. Events are left out, as upstream leaves them out. */
export const BUILT_IN: readonly DeletableResource[] = [
  ...Object.entries(NAMESPACED).map(([id, kind]) => ({ id, kind, namespaced: true })),
  ...Object.entries(CLUSTER).map(([id, kind]) => ({ id, kind, namespaced: false })),
];

/** The resource a CustomResourceDefinition defines, once it is established. */
export function customResource(definition: CustomResourceDefinition): DeletableResource | undefined {
  const established = definition.status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True');
  const version = definition.spec?.versions?.find((one) => one.storage);
  if (!established || !version) return undefined;
  return {
    id: `${definition.spec?.group ?? ''}/${version.name ?? ''}/${definition.spec?.names?.plural ?? ''}`,
    kind: definition.spec?.names?.kind ?? '',
    namespaced: definition.spec?.scope === 'Namespaced',
  };
}

export const DEFINITIONS = 'apiextensions.k8s.io/v1/customresourcedefinitions';

/** All namespaced resources there are now, Events included: what a namespace may hold. */
export function namespacedResources(client: Client): DeletableResource[] {
  const custom = client.informer<CustomResourceDefinition>(DEFINITIONS).list().map(customResource);
  const events: DeletableResource = { id: 'v1/events', kind: 'Event', namespaced: true };
  return [...BUILT_IN, events, ...custom.filter((one) => one !== undefined)].filter((one) => one.namespaced);
}

/** "apps/v1/deployments" → ["apps/v1", "deployments"]; "v1/pods" → ["v1", "pods"]. */
export function splitResource(id: ResourceId): [string, string] {
  const slash = id.lastIndexOf('/');
  return [id.slice(0, slash), id.slice(slash + 1)];
}
