import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice, Node, Pod, Service } from '../../kinds/types.ts';
import { findPort, hostnameUnder, isHeadless, shouldBeInEndpoints } from '../endpoints/service-pods.ts';
import { isDeleting, labelsOf, nameOf, namespaceOf, newControllerRef, stableStringify, uidOf } from '../object.ts';
import { isPodReady } from '../pods.ts';

export const MANAGER = 'endpointslice-controller.k8s.io';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
export const SERVICE_NAME = 'kubernetes.io/service-name';
const HEADLESS = 'service.kubernetes.io/headless';
const SERVICE = { apiVersion: 'v1', kind: 'Service', resource: 'v1/services' };

/** One group of endpoints that share their ports. */
export interface PortGroup {
  ports: DiscoveryV1EndpointPort[];
  endpoints: Endpoint[];
}

/** podToEndpoint (k8s.io/endpointslice/utils.go). */
function endpointOf(pod: Pod, node: Node | undefined, service: Service): Endpoint {
  const serving = isPodReady(pod);
  const terminating = isDeleting(pod);
  const endpoint: Endpoint = {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating },
    targetRef: { kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) },
  };
  if (pod.spec?.nodeName) endpoint.nodeName = pod.spec.nodeName;
  const zone = node ? labelsOf(node)['topology.kubernetes.io/zone'] : undefined;
  if (zone) endpoint.zone = zone;
  const hostname = hostnameUnder(pod, service);
  if (hostname) endpoint.hostname = hostname;
  return endpoint;
}

/** The endpoints a Service should have, grouped by their ports (key: the ports as text). */
export function desiredGroups(service: Service, pods: readonly Pod[], nodeOf: (name: string) => Node | undefined): Map<string, PortGroup> {
  const groups = new Map<string, PortGroup>();
  const servicePorts = service.spec?.ports ?? [];
  for (const pod of pods) {
    if (!shouldBeInEndpoints(pod, true)) continue;
    const ports: DiscoveryV1EndpointPort[] = [];
    for (const port of servicePorts) {
      const number = findPort(pod, port);
      if (number === undefined) continue;
      const one: DiscoveryV1EndpointPort = { name: port.name ?? '', port: number, protocol: port.protocol ?? 'TCP' };
      if (port.appProtocol) one.appProtocol = port.appProtocol;
      ports.push(one);
    }
    const key = portsKey(ports);
    let group = groups.get(key);
    if (!group) {
      group = { ports, endpoints: [] };
      groups.set(key, group);
    }
    group.endpoints.push(endpointOf(pod, nodeOf(pod.spec?.nodeName ?? ''), service));
  }
  return groups;
}

export function portsKey(ports: readonly DiscoveryV1EndpointPort[] | undefined): string {
  return (ports ?? [])
    .map((port) => stableStringify({ name: port.name ?? '', port: port.port, protocol: port.protocol ?? 'TCP', app: port.appProtocol ?? '' }))
    .sort()
    .join();
}

/** What makes two endpoints the same one: the Pod and its addresses. */
export function endpointKey(endpoint: Endpoint): string {
  return `${endpoint.targetRef?.uid ?? ''}/${(endpoint.addresses ?? []).join()}`;
}

/** A Service's labels as its slices carry them. */
export function sliceLabels(service: Service): Record<string, string> {
  const labels: Record<string, string> = { ...labelsOf(service) };
  delete labels[HEADLESS];
  if (isHeadless(service)) labels[HEADLESS] = '';
  labels[SERVICE_NAME] = nameOf(service);
  labels[MANAGED_BY] = MANAGER;
  return labels;
}

export function newSlice(service: Service, ports: DiscoveryV1EndpointPort[] | undefined, endpoints: Endpoint[] | undefined): EndpointSlice {
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${nameOf(service)}-`,
      namespace: namespaceOf(service),
      labels: sliceLabels(service),
      ownerReferences: [newControllerRef(service, SERVICE)],
    },
    addressType: 'IPv4',
  };
  if (endpoints) slice.endpoints = endpoints;
  if (ports) slice.ports = ports;
  return slice;
}
