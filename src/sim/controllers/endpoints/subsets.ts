import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service, ServicePort } from '../../kinds/types.ts';
import { nameOf, namespaceOf, stableStringify, uidOf } from '../object.ts';
import { isPodReady } from '../pods.ts';
import { findPort, hostnameUnder, shouldBeInEndpoints } from './service-pods.ts';

/** More addresses than this are left out and the object is marked over-capacity. */
export const MAX_ADDRESSES = 1000;

function addressOf(pod: Pod, service: Service): EndpointAddress {
  const address: EndpointAddress = {
    ip: pod.status?.podIP ?? pod.status?.podIPs?.[0]?.ip ?? '',
    targetRef: { kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) },
  };
  if (pod.spec?.nodeName) address.nodeName = pod.spec.nodeName;
  const hostname = hostnameUnder(pod, service);
  if (hostname) address.hostname = hostname;
  return address;
}

function portOf(port: ServicePort, number: number): EndpointPort {
  const out: EndpointPort = { port: number, protocol: port.protocol ?? 'TCP' };
  if (port.name) out.name = port.name;
  if (port.appProtocol) out.appProtocol = port.appProtocol;
  return out;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The subsets of a Service: addresses with the same ports together, in the order RepackSubsets gives. */
export function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const groups = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>();
  const tolerant = service.spec?.publishNotReadyAddresses === true;
  const servicePorts = service.spec?.ports ?? [];
  for (const pod of pods) {
    if (!shouldBeInEndpoints(pod, tolerant)) continue;
    const ports: EndpointPort[] = [];
    for (const port of servicePorts) {
      const number = findPort(pod, port);
      if (number !== undefined) ports.push(portOf(port, number));
    }
    if (ports.length === 0 && (servicePorts.length > 0 || service.spec?.clusterIP !== 'None')) continue;
    const key = stableStringify(ports);
    let group = groups.get(key);
    if (!group) {
      group = { ports, ready: [], notReady: [] };
      groups.set(key, group);
    }
    (tolerant || isPodReady(pod) ? group.ready : group.notReady).push(addressOf(pod, service));
  }
  return [...groups.entries()]
    .sort(([a], [b]) => byText(a, b))
    .map(([, group]) => {
      const subset: EndpointSubset = {};
      const order = (a: EndpointAddress, b: EndpointAddress): number =>
        byText(a.ip ?? '', b.ip ?? '') || byText(a.targetRef?.uid ?? '', b.targetRef?.uid ?? '');
      if (group.ready.length > 0) subset.addresses = group.ready.sort(order);
      if (group.notReady.length > 0) subset.notReadyAddresses = group.notReady.sort(order);
      if (group.ports.length > 0) subset.ports = group.ports;
      return subset;
    });
}

/** Cuts down to MAX_ADDRESSES, ready ones first; true when something was cut. */
export function truncateSubsets(subsets: EndpointSubset[]): boolean {
  const count = (key: 'addresses' | 'notReadyAddresses'): number => subsets.reduce((total, subset) => total + (subset[key]?.length ?? 0), 0);
  const ready = count('addresses');
  const notReady = count('notReadyAddresses');
  if (ready + notReady <= MAX_ADDRESSES) return false;
  const cutReady = ready > MAX_ADDRESSES;
  const most = cutReady ? MAX_ADDRESSES : MAX_ADDRESSES - ready;
  const total = cutReady ? ready : notReady;
  const key = cutReady ? 'addresses' : 'notReadyAddresses';
  let left = most;
  for (const subset of subsets) {
    const here = subset[key] ?? [];
    const share = Math.min(Math.ceil((here.length / total) * most), left);
    left -= Math.min(share, here.length);
    if (share < here.length) subset[key] = here.slice(0, share);
    if (cutReady) delete subset.notReadyAddresses;
    if (subset[key]?.length === 0) delete subset[key];
  }
  return true;
}
