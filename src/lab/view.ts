import type { Cluster } from '../sim/cluster.ts';
import { podStatusText } from '../sim/index.ts';
import type { EndpointSlice, Event, Node, OwnerReference, PersistentVolume, PersistentVolumeClaim, Pod, Service, StatefulSet } from '../sim/kinds/types.ts';
import { type ClusterView, DRAWN_LIMIT, type PodView } from './protocol.ts';

/** Namespaces of the cluster's own Pods: not drawn, so that a lesson shows what the reader made. */
export const SYSTEM_NAMESPACES = new Set(['kube-system', 'kube-public', 'kube-node-lease']);
const EVENT_LIMIT = 200;

/** The cluster as the page draws it. */
export function clusterView(cluster: Pick<Cluster, 'client' | 'kernel'>): ClusterView {
  const { client } = cluster;
  const own = <T extends { metadata?: { namespace?: string } }>(objects: readonly T[]): T[] =>
    objects.filter((object) => !SYSTEM_NAMESPACES.has(object.metadata?.namespace ?? ''));
  const allPods = own(client.resource<Pod>('v1/pods').list());
  const pods = drawnPods(allPods).map(podView);
  return {
    nowMs: cluster.kernel.now(),
    nodes: client.resource<Node>('v1/nodes').list().map(nodeView),
    pods,
    workloads: ['statefulsets', 'deployments', 'replicasets', 'daemonsets'].flatMap((plural) =>
      own(client.resource<StatefulSet>(`apps/v1/${plural}`).list()).map((object) => workloadView(plural, object)),
    ),
    services: own(client.resource<Service>('v1/services').list())
      .filter((service) => service.metadata?.name !== 'kubernetes')
      .map((service) => serviceView(service, client.resource<EndpointSlice>('discovery.k8s.io/v1/endpointslices').list(service.metadata?.namespace))),
    claims: drawnClaims(own(client.resource<PersistentVolumeClaim>('v1/persistentvolumeclaims').list()), allPods, pods).map(claimView),
    volumes: client
      .resource<PersistentVolume>('v1/persistentvolumes')
      .list()
      .map((volume) => ({
        name: volume.metadata?.name ?? '',
        phase: volume.status?.phase ?? 'Pending',
        claim: volume.spec?.claimRef ? `${volume.spec.claimRef.namespace}/${volume.spec.claimRef.name}` : undefined,
        node: volume.spec?.nodeAffinity?.required?.nodeSelectorTerms?.[0]?.matchExpressions?.[0]?.values?.[0],
        reclaimPolicy: volume.spec?.persistentVolumeReclaimPolicy ?? '',
      })),
    events: own(client.resource<Event>('v1/events').list())
      .map(eventView)
      .sort((a, b) => a.atMs - b.atMs)
      .slice(-EVENT_LIMIT),
  };
}

/** The first of each owner, lowest ordinals before others. */
function drawnPods(pods: Pod[]): Pod[] {
  if (pods.length <= DRAWN_LIMIT) return pods;
  const byOwner = Map.groupBy(pods, (pod) => controllerOf(pod)?.uid ?? pod.metadata?.namespace);
  return [...byOwner.values()].flatMap((owned) =>
    owned.length <= DRAWN_LIMIT ? owned : owned.sort((a, b) => (ordinalOf(a) ?? 0) - (ordinalOf(b) ?? 0)).slice(0, DRAWN_LIMIT),
  );
}

/** The claims of the Pods that are drawn, and the first of those that no Pod uses. */
function drawnClaims(claims: PersistentVolumeClaim[], allPods: Pod[], pods: PodView[]): PersistentVolumeClaim[] {
  if (claims.length <= DRAWN_LIMIT) return claims;
  const key = (namespace: string | undefined, name: string | undefined): string => `${namespace}/${name}`;
  const used = new Set(allPods.flatMap((pod) => claimsOf(pod).map((name) => key(pod.metadata?.namespace, name))));
  const drawn = new Set(pods.flatMap((pod) => pod.claims.map((name) => key(pod.namespace, name))));
  let unused = 0;
  return claims.filter(({ metadata }) => {
    const claim = key(metadata?.namespace, metadata?.name);
    return drawn.has(claim) || (!used.has(claim) && ++unused <= DRAWN_LIMIT);
  });
}

function claimView(claim: PersistentVolumeClaim): ClusterView['claims'][number] {
  return {
    namespace: claim.metadata?.namespace ?? '',
    name: claim.metadata?.name ?? '',
    phase: claim.status?.phase ?? 'Pending',
    volume: claim.spec?.volumeName,
    storageClass: claim.spec?.storageClassName,
    capacity: claim.status?.capacity?.storage ?? claim.spec?.resources?.requests?.storage,
    deleting: claim.metadata?.deletionTimestamp !== undefined,
  };
}

function nodeView(node: Node): ClusterView['nodes'][number] {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const roles = Object.keys(node.metadata?.labels ?? {})
    .filter((label) => label.startsWith('node-role.kubernetes.io/'))
    .map((label) => label.slice('node-role.kubernetes.io/'.length));
  return {
    name: node.metadata?.name ?? '',
    ready: ready?.status === 'True',
    schedulable: !node.spec?.unschedulable,
    running: ready?.status !== 'Unknown',
    roles: roles.join(','),
  };
}

function controllerOf(object: Pod | StatefulSet): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller);
}

function ordinalOf(pod: Pod): number | undefined {
  const index = pod.metadata?.labels?.['apps.kubernetes.io/pod-index'];
  return index === undefined ? undefined : Number(index);
}

export function podView(pod: Pod): PodView {
  const text = podStatusText(pod);
  const owner = controllerOf(pod);
  return {
    namespace: pod.metadata?.namespace ?? '',
    name: pod.metadata?.name ?? '',
    uid: pod.metadata?.uid ?? '',
    node: pod.spec?.nodeName,
    ip: pod.status?.podIP,
    status: text.status,
    ready: pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false,
    readyText: text.ready,
    restarts: text.restarts,
    deleting: pod.metadata?.deletionTimestamp !== undefined,
    owner: owner ? { kind: owner.kind ?? '', name: owner.name ?? '' } : undefined,
    ordinal: ordinalOf(pod),
    revision: pod.metadata?.labels?.['controller-revision-hash'] ?? pod.metadata?.labels?.['pod-template-hash'],
    claims: claimsOf(pod),
    image: pod.spec?.containers?.[0]?.image ?? '',
  };
}

function claimsOf(pod: Pod): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => (volume.persistentVolumeClaim?.claimName ? [volume.persistentVolumeClaim.claimName] : []));
}

const KIND_OF: Record<string, string> = { statefulsets: 'StatefulSet', deployments: 'Deployment', replicasets: 'ReplicaSet', daemonsets: 'DaemonSet' };

function workloadView(plural: string, object: StatefulSet): ClusterView['workloads'][number] {
  return {
    kind: KIND_OF[plural] ?? plural,
    namespace: object.metadata?.namespace ?? '',
    name: object.metadata?.name ?? '',
    uid: object.metadata?.uid ?? '',
    owner: controllerOf(object)?.name,
    desired: object.spec?.replicas ?? 1,
    ready: object.status?.readyReplicas ?? 0,
    updated: object.status?.updatedReplicas,
    revision: object.status?.updateRevision,
    deleting: object.metadata?.deletionTimestamp !== undefined,
  };
}

function serviceView(service: Service, slices: readonly EndpointSlice[]): ClusterView['services'][number] {
  const name = service.metadata?.name ?? '';
  return {
    namespace: service.metadata?.namespace ?? '',
    name,
    type: service.spec?.type ?? 'ClusterIP',
    clusterIP: service.spec?.clusterIP ?? '',
    ports: (service.spec?.ports ?? []).map((port) => `${port.port}/${port.protocol ?? 'TCP'}`).join(','),
    endpoints: slices
      .filter((slice) => slice.metadata?.labels?.['kubernetes.io/service-name'] === name)
      .flatMap((slice) =>
        (slice.endpoints ?? []).map((endpoint) => ({
          ip: endpoint.addresses?.[0] ?? '',
          pod: endpoint.targetRef?.name,
          ready: endpoint.conditions?.ready ?? true,
        })),
      ),
  };
}

function eventView(event: Event): ClusterView['events'][number] {
  const at = event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp;
  return {
    namespace: event.metadata?.namespace ?? '',
    name: event.metadata?.name ?? '',
    atMs: at ? Date.parse(at) : 0,
    type: event.type ?? 'Normal',
    reason: event.reason ?? '',
    object: `${(event.involvedObject?.kind ?? '').toLowerCase()}/${event.involvedObject?.name ?? ''}`,
    message: event.message ?? '',
    count: event.count ?? 1,
  };
}
