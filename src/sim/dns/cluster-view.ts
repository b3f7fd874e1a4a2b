import { type Disposable, DisposableStore, type Kernel, type Random } from '../../kernel/index.ts';
import type { ApiObject, Client, WatchEvent } from '../client/types.ts';
import { DURATIONS } from '../durations.ts';
import type { EndpointSlice, Namespace, Service } from '../kinds/types.ts';

/** One ready address with its ports, as CoreDNS keeps it of an EndpointSlice. */
export interface EndpointAddress {
  ip: string;
  hostname: string;
  ports: readonly { name: string; protocol: string; port: number }[];
}

/**
 * What one CoreDNS process knows of the cluster: Services, the ready endpoints of EndpointSlices, Namespaces. It lags
 * behind the API by a drawn delay, in order per object (models plugin/kubernetes/controller.go).
 */
export class ClusterView implements Disposable {
  #kernel: Kernel;
  #random: Random;
  #services = new Map<string, Service>();
  #serviceByIp = new Map<string, string>();
  #slices = new Map<string, { service: string; addresses: EndpointAddress[] }>();
  #slicesByService = new Map<string, Set<string>>();
  #namespaces = new Set<string>();
  #disposables = new DisposableStore();
  #timers = new Set<Disposable>();
  /** Until when the last change is being applied: later ones wait behind it, as in one watch. */
  #busyUntilMs = 0;
  #modifiedMs: number;

  constructor(kernel: Kernel, random: Random, client: Client) {
    this.#kernel = kernel;
    this.#random = random;
    this.#modifiedMs = kernel.now();
    const services = client.informer<Service>('v1/services');
    const slices = client.informer<EndpointSlice>('discovery.k8s.io/v1/endpointslices');
    const namespaces = client.informer<Namespace>('v1/namespaces');
    for (const service of services.list()) this.#applyService({ type: 'ADDED', object: service });
    for (const slice of slices.list()) this.#applySlice({ type: 'ADDED', object: slice });
    for (const namespace of namespaces.list()) this.#applyNamespace({ type: 'ADDED', object: namespace });
    this.#disposables.add(services.onEvent((event) => this.#later(() => this.#applyService(event))));
    this.#disposables.add(slices.onEvent((event) => this.#later(() => this.#applySlice(event))));
    this.#disposables.add(namespaces.onEvent((event) => this.#later(() => this.#applyNamespace(event))));
  }

  /** Unix seconds of the last change: the SOA's serial. */
  get serial(): number {
    return Math.floor(this.#modifiedMs / 1000);
  }

  namespaceExists(name: string): boolean {
    return this.#namespaces.has(name);
  }

  service(namespace: string, name: string): Service | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  serviceAt(ip: string): Service | undefined {
    const key = this.#serviceByIp.get(ip);
    return key === undefined ? undefined : this.#services.get(key);
  }

  /** Ready addresses of a Service, slice by slice. */
  endpoints(namespace: string, name: string): EndpointAddress[] {
    const out: EndpointAddress[] = [];
    for (const key of this.#slicesByService.get(`${namespace}/${name}`) ?? []) out.push(...(this.#slices.get(key)?.addresses ?? []));
    return out;
  }

  /** Every ready endpoint with this address, with the Service ("namespace/name") it belongs to. */
  endpointsAt(ip: string): { service: string; address: EndpointAddress }[] {
    const out: { service: string; address: EndpointAddress }[] = [];
    for (const { service, addresses } of this.#slices.values()) {
      for (const address of addresses) if (address.ip === ip) out.push({ service, address });
    }
    return out;
  }

  dispose(): void {
    for (const timer of this.#timers) timer.dispose();
    this.#disposables.dispose();
  }

  #later(apply: () => void): void {
    const [min, max] = DURATIONS.endpointsProgrammingMs;
    const now = this.#kernel.now();
    const delay = Math.round(this.#random.between(min, max));
    this.#busyUntilMs = Math.max(this.#busyUntilMs, now + delay);
    const timer = this.#kernel.timer(this.#busyUntilMs - now, () => {
      this.#timers.delete(timer);
      this.#modifiedMs = this.#kernel.now();
      apply();
    });
    this.#timers.add(timer);
  }

  #applyService(event: WatchEvent<Service>): void {
    const key = keyOf(event.object);
    for (const ip of clusterIPs(this.#services.get(key))) this.#serviceByIp.delete(ip);
    if (event.type === 'DELETED') {
      this.#services.delete(key);
      return;
    }
    this.#services.set(key, event.object);
    for (const ip of clusterIPs(event.object)) this.#serviceByIp.set(ip, key);
  }

  #applySlice(event: WatchEvent<EndpointSlice>): void {
    const slice = event.object;
    const key = keyOf(slice);
    const old = this.#slices.get(key);
    if (old) this.#slicesByService.get(old.service)?.delete(key);
    this.#slices.delete(key);
    const serviceName = slice.metadata?.labels?.['kubernetes.io/service-name'];
    if (event.type === 'DELETED' || !serviceName) return;
    const service = `${slice.metadata?.namespace}/${serviceName}`;
    const ports = (slice.ports ?? []).map((port) => ({ name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: port.port ?? 0 }));
    // A Service without ports still gives its Pods names: port -1 answers A but not SRV.
    const addressPorts = ports.length > 0 ? ports : [{ name: '', protocol: '', port: -1 }];
    const addresses = (slice.endpoints ?? [])
      .filter((endpoint) => endpoint.conditions?.ready ?? true)
      .flatMap((endpoint) => (endpoint.addresses ?? []).map((ip) => ({ ip, hostname: endpoint.hostname ?? '', ports: addressPorts })));
    this.#slices.set(key, { service, addresses });
    let keys = this.#slicesByService.get(service);
    if (!keys) {
      keys = new Set();
      this.#slicesByService.set(service, keys);
    }
    keys.add(key);
  }

  #applyNamespace(event: WatchEvent<Namespace>): void {
    const name = event.object.metadata?.name ?? '';
    if (event.type === 'DELETED') this.#namespaces.delete(name);
    else this.#namespaces.add(name);
  }
}

function keyOf(object: ApiObject): string {
  return `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
}

function clusterIPs(service: Service | undefined): readonly string[] {
  return (service?.spec?.clusterIPs ?? [service?.spec?.clusterIP ?? '']).filter((ip) => ip !== '' && ip !== 'None');
}
