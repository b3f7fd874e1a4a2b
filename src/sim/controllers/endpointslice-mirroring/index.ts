import type { Disposable } from '../../../kernel/index.ts';
import type { DiscoveryV1EndpointPort, Endpoint, EndpointAddress, EndpointPort, EndpointSlice, Endpoints, Service } from '../../kinds/types.ts';
import { Controller, type ControllerContext, ensureIndex } from '../controller.ts';
import { TRIGGER_TIME } from '../endpoints/index.ts';
import { MANAGED_BY, SERVICE_NAME } from '../endpointslice/endpoint.ts';
import { ignoreNotFound, isNamespaceTerminating } from '../errors.ts';
import {
  annotationsOf,
  cause,
  equal,
  isDeleting,
  keyFor,
  keyOf,
  labelsOf,
  nameOf,
  namespaceOf,
  newControllerRef,
  refOf,
  regarding,
  splitKey,
  stableStringify,
} from '../object.ts';

const ACTOR = 'endpoint-slice-mirroring-controller';
const MANAGER = 'endpointslicemirroring-controller.k8s.io';
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX_PER_SUBSET = 1000;
const ENDPOINTS = { apiVersion: 'v1', kind: 'Endpoints', resource: 'v1/endpoints' };
const SLICES = 'discovery.k8s.io/v1/endpointslices';

/** The EndpointSlice that a subset of an Endpoints object asks for, per address type. */
interface Wanted {
  addressType: 'IPv4' | 'IPv6';
  ports: DiscoveryV1EndpointPort[];
  endpoints: Endpoint[];
}

/** Mirrors hand-written Endpoints of Services without selector (pkg/controller/endpointslicemirroring of v1.36). */
export function startEndpointSliceMirroring(context: ControllerContext): Disposable {
  const { client } = context;
  const services = client.informer<Service>('v1/services');
  const endpoints = client.informer<Endpoints>(ENDPOINTS.resource);
  const slices = ensureIndex(client.informer<EndpointSlice>(SLICES), 'mirror', (slice) => {
    const service = labelsOf(slice)[SERVICE_NAME];
    return service && labelsOf(slice)[MANAGED_BY] === MANAGER ? [keyFor(namespaceOf(slice), service)] : [];
  });
  const resource = client.resource<EndpointSlice>(SLICES);
  const controller = new Controller(context, { name: ACTOR, sync });

  function sync(key: string): void {
    const [namespace, name] = splitKey(key);
    const source = endpoints.get(namespace, name);
    const service = services.get(namespace, name);
    const existing = slices.byIndex('mirror', key);
    if (!source || !service || !isMirrored(source) || hasSelector(service)) {
      const because = refOf(source ?? service ?? { metadata: { namespace, name } }, source ? ENDPOINTS.resource : 'v1/services');
      for (const slice of existing) ignoreNotFound(() => resource.delete(namespace, nameOf(slice), { cause: cause(ACTOR, 'endpointslice/mirror', because) }));
      return;
    }
    reconcile(source, existing);
  }

  function reconcile(source: Endpoints, existing: readonly EndpointSlice[]): void {
    const options = { cause: cause(ACTOR, 'endpointslice/mirror', refOf(source, ENDPOINTS.resource)) };
    const { wanted, invalid, skipped } = wantedSlices(source);
    const warn = (reason: string, message: string) =>
      client.event({ regarding: regarding(source, ENDPOINTS), type: 'Warning', reason, message, component: ACTOR, cause: options.cause });
    if (invalid > 0) warn('InvalidIPAddress', `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`);
    if (skipped > 0) {
      const message = `A max of ${MAX_PER_SUBSET} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped + invalid} addresses were skipped`;
      warn('TooManyAddressesToMirror', message);
    }
    const known = new Map<string, EndpointSlice[]>();
    for (const slice of existing) {
      const key = keyOfPorts(slice.addressType ?? 'IPv4', slice.ports ?? []);
      known.set(key, [...(known.get(key) ?? []), slice]);
    }
    const create: EndpointSlice[] = [];
    const update: EndpointSlice[] = [];
    const surplus: EndpointSlice[] = [];
    for (const [key, group] of wanted) {
      const [first, ...rest] = known.get(key) ?? [];
      known.delete(key);
      surplus.push(...rest);
      if (!first) create.push(sliceOf(source, group));
      else if (!isSame(source, first, group)) update.push(sliceOf(source, group, nameOf(first)));
    }
    for (const left of known.values()) surplus.push(...left);
    // A slice that would go is written over instead of making another.
    while (create.length > 0 && surplus.length > 0) {
      const slice = create.pop() as EndpointSlice;
      const reused = surplus.pop() as EndpointSlice;
      const { generateName: _, ...metadata } = slice.metadata ?? {};
      update.push({ ...slice, metadata: { ...metadata, name: nameOf(reused) } });
    }
    if (!isDeleting(source)) {
      for (const slice of create) {
        try {
          resource.create(slice, options);
        } catch (error) {
          if (isNamespaceTerminating(error)) return;
          throw error;
        }
      }
    }
    for (const slice of update) resource.update(slice, options);
    for (const slice of surplus) ignoreNotFound(() => resource.delete(namespaceOf(slice), nameOf(slice), options));
  }

  controller.watch<Endpoints>(ENDPOINTS.resource, ({ object }) => controller.queue.add(keyOf(object)));
  controller.watch<Service>('v1/services', ({ object }) => controller.queue.add(keyOf(object)));
  controller.watch<EndpointSlice>(SLICES, ({ type, object }) => {
    const service = labelsOf(object)[SERVICE_NAME];
    if (type !== 'ADDED' && service && labelsOf(object)[MANAGED_BY] === MANAGER) controller.queue.add(keyFor(namespaceOf(object), service));
  });
  return controller;
}

function isMirrored(source: Endpoints): boolean {
  return labelsOf(source)[SKIP_MIRROR] !== 'true' && annotationsOf(source)[LEADER] === undefined;
}

function hasSelector(service: Service): boolean {
  return Object.keys(service.spec?.selector ?? {}).length > 0;
}

function wantedSlices(source: Endpoints): { wanted: Map<string, Wanted>; invalid: number; skipped: number } {
  const wanted = new Map<string, Wanted>();
  let invalid = 0;
  let skipped = 0;
  for (const subset of source.subsets ?? []) {
    const ports = (subset.ports ?? []).map(portOf);
    let added = 0;
    const add = (address: EndpointAddress, ready: boolean): void => {
      const addressType = typeOf(address.ip ?? '');
      if (!addressType) invalid++;
      else if (added >= MAX_PER_SUBSET) skipped++;
      else {
        added++;
        const key = keyOfPorts(addressType, ports);
        const group = wanted.get(key) ?? { addressType, ports, endpoints: [] };
        group.endpoints.push(endpointOf(address, ready));
        wanted.set(key, group);
      }
    };
    for (const address of subset.addresses ?? []) add(address, true);
    for (const address of subset.notReadyAddresses ?? []) add(address, false);
  }
  return { wanted, invalid, skipped };
}

function typeOf(ip: string): 'IPv4' | 'IPv6' | undefined {
  if (/^\d+(\.\d+){3}$/.test(ip)) return 'IPv4';
  return /^[\da-f:.]*:[\da-f:.]*$/i.test(ip) ? 'IPv6' : undefined;
}

function portOf({ name, port, protocol, appProtocol }: EndpointPort): DiscoveryV1EndpointPort {
  const out: DiscoveryV1EndpointPort = { name: name ?? '', port: port ?? 0, protocol: protocol ?? 'TCP' };
  if (appProtocol !== undefined) out.appProtocol = appProtocol;
  return out;
}

function keyOfPorts(addressType: string, ports: readonly DiscoveryV1EndpointPort[]): string {
  const texts = ports.map(({ name, port, protocol, appProtocol }) => stableStringify([name ?? '', port ?? 0, protocol ?? 'TCP', appProtocol ?? '']));
  return `${addressType}-${texts.sort().join()}`;
}

function endpointOf({ ip, nodeName, hostname, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  const endpoint: Endpoint = { addresses: [ip ?? ''], conditions: { ready } };
  if (targetRef) endpoint.targetRef = targetRef;
  if (nodeName) endpoint.nodeName = nodeName;
  if (hostname) endpoint.hostname = hostname;
  return endpoint;
}

function mirroredAnnotations(source: Endpoints): Record<string, string> {
  const { [TRIGGER_TIME]: _, [LAST_APPLIED]: __, ...annotations } = annotationsOf(source);
  return annotations;
}

function sliceOf(source: Endpoints, { addressType, ports, endpoints }: Wanted, name?: string): EndpointSlice {
  const metadata: NonNullable<EndpointSlice['metadata']> = {
    namespace: namespaceOf(source),
    labels: { ...labelsOf(source), [SERVICE_NAME]: nameOf(source), [MANAGED_BY]: MANAGER },
    ownerReferences: [newControllerRef(source, ENDPOINTS)],
  };
  const annotations = mirroredAnnotations(source);
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  if (name === undefined) metadata.generateName = `${nameOf(source)}-`;
  else metadata.name = name;
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType, ports, endpoints };
}

function isSame(source: Endpoints, slice: EndpointSlice, { endpoints }: Wanted): boolean {
  const { [SERVICE_NAME]: _, [MANAGED_BY]: __, ...labels } = labelsOf(slice);
  const texts = (list: readonly Endpoint[]) => list.map((one) => stableStringify(one)).sort();
  const ownedByIt = slice.metadata?.ownerReferences?.some((one) => one.uid === source.metadata?.uid);
  return (
    ownedByIt === true &&
    equal(labels, labelsOf(source)) &&
    equal(annotationsOf(slice), mirroredAnnotations(source)) &&
    equal(texts(slice.endpoints ?? []), texts(endpoints))
  );
}
