import { type Obj, splitApiVersion } from '../util/object.ts';
import * as cluster from './cluster.ts';
import type { Describer, DescribeSource } from './common.ts';
import { describeGeneric } from './generic.ts';
import * as network from './network.ts';
import { describePod } from './pod.ts';
import * as rare from './rare.ts';
import * as storage from './storage.ts';
import * as workloads from './workloads.ts';
import { DescribeWriter } from './writer.ts';

export type { DescribeSource } from './common.ts';

/** By `Kind.group`. */
const DESCRIBERS: Record<string, Describer> = {
  'Pod.': describePod,
  'Service.': network.describeService,
  'Endpoints.': network.describeEndpoints,
  'Node.': cluster.describeNode,
  'Namespace.': cluster.describeNamespace,
  'ConfigMap.': cluster.describeConfigMap,
  'Secret.': cluster.describeSecret,
  'ServiceAccount.': cluster.describeServiceAccount,
  'ResourceQuota.': cluster.describeQuota,
  'LimitRange.': cluster.describeLimitRange,
  'PersistentVolume.': storage.describeVolume,
  'PersistentVolumeClaim.': storage.describeClaim,
  'ReplicationController.': workloads.describeReplicaSet,
  'StatefulSet.apps': workloads.describeStatefulSet,
  'Deployment.apps': workloads.describeDeployment,
  'ReplicaSet.apps': workloads.describeReplicaSet,
  'DaemonSet.apps': workloads.describeDaemonSet,
  'Job.batch': workloads.describeJob,
  'CronJob.batch': workloads.describeCronJob,
  'HorizontalPodAutoscaler.autoscaling': workloads.describeHorizontalPodAutoscaler,
  'PodDisruptionBudget.policy': workloads.describePodDisruptionBudget,
  'PriorityClass.scheduling.k8s.io': workloads.describePriorityClass,
  'EndpointSlice.discovery.k8s.io': network.describeEndpointSlice,
  'Ingress.networking.k8s.io': network.describeIngress,
  'IngressClass.networking.k8s.io': network.describeIngressClass,
  'NetworkPolicy.networking.k8s.io': network.describeNetworkPolicy,
  'StorageClass.storage.k8s.io': storage.describeStorageClass,
  'ServiceCIDR.networking.k8s.io': rare.describeServiceCidr,
  'IPAddress.networking.k8s.io': rare.describeIpAddress,
  'CSINode.storage.k8s.io': rare.describeCsiNode,
  'VolumeAttributesClass.storage.k8s.io': rare.describeVolumeAttributesClass,
  'CertificateSigningRequest.certificates.k8s.io': rare.describeCertificateSigningRequest,
  'Role.rbac.authorization.k8s.io': cluster.describeRole,
  'ClusterRole.rbac.authorization.k8s.io': cluster.describeRole,
  'RoleBinding.rbac.authorization.k8s.io': cluster.describeRoleBinding,
  'ClusterRoleBinding.rbac.authorization.k8s.io': cluster.describeRoleBinding,
};

/** Kinds whose page has no events even when there are some. */
const WITHOUT_EVENTS = new Set(['Namespace.', 'Secret.', 'ResourceQuota.', 'LimitRange.', 'NetworkPolicy.networking.k8s.io']);

/**
 * The page `kubectl describe` prints for one object (models k8s.io/kubectl/pkg/describe). Ends with a newline.
 * Errors of the source pass through.
 */
export async function describeObject(object: Obj, source: DescribeSource, options: { showEvents: boolean }): Promise<string> {
  const [group] = splitApiVersion(object.apiVersion);
  const key = `${object.kind}.${group}`;
  const events = options.showEvents && !WITHOUT_EVENTS.has(key) ? await eventsAbout(object, source) : undefined;
  const writer = new DescribeWriter();
  await (DESCRIBERS[key] ?? describeGeneric)(object, { source, events }, writer);
  return writer.toString();
}

async function eventsAbout(object: Obj, source: DescribeSource): Promise<Obj[]> {
  const { name, namespace = '', uid } = object.metadata ?? {};
  const about = (id: string): Promise<Obj[]> => {
    const fields = [
      `involvedObject.name=${name}`,
      `involvedObject.namespace=${namespace}`,
      ...(object.kind === 'Pod' ? [] : [`involvedObject.kind=${object.kind}`]),
      `involvedObject.uid=${id}`,
    ];
    return source.list(`/api/v1${namespace ? `/namespaces/${namespace}` : ''}/events?fieldSelector=${encodeURIComponent(fields.join(','))}`);
  };
  const found = await about(uid);
  // Kubelets record events about their node under its name instead of its uid.
  return object.kind === 'Node' ? [...found, ...(await about(name))] : found;
}
