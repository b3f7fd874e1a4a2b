import { newInternalError, newInvalid } from '../../apiserver/status-error.ts';
import { Check } from '../check.ts';
import { invalid } from '../field-error.ts';
import { keep, nameOf, row, setGeneration } from '../lifecycle.ts';
import { ipFamily } from '../meta/names.ts';
import { formatLabels } from '../selector.ts';
import type { FieldError, KindStrategy, StrategyContext } from '../strategy.ts';
import type { Service, ServicePort, ServiceSpec } from '../types.ts';
import { checkAddresses, externallyAccessible, hasNodePorts, isExternal, needsHealthCheck } from './service-addresses.ts';

/** Services: defaults, addresses and ports the server hands out, tables (`pkg/registry/core/service`). */

const NETWORK = [10, 43];
const PREFIX = '10.43.0.0/16';
/** The lower addresses and ports are left for those who ask for one by number. */
const RESERVED_ADDRESSES = 256;
const PORT_MIN = 30000;
const PORT_COUNT = 2768;
const RESERVED_PORTS = 86;

export const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIPs?.[0] === 'None' || spec.clusterIP === 'None';
const needsNodePort = (spec: ServiceSpec): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);

function applyDefaults(service: Service): void {
  service.spec ??= {};
  const { spec } = service;
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } };
  }
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  if (externallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (!isExternal(spec)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  service.status ??= {};
  service.status.loadBalancer ??= {};
  for (const ingress of service.status.loadBalancer.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
}

/** Everything other Services hold. */
function inUse(context: StrategyContext, except: Service | undefined): { addresses: Set<string>; ports: Set<number> } {
  const addresses = new Set<string>();
  const ports = new Set<number>();
  for (const { metadata, spec = {} } of context.list<Service>('v1/services')) {
    if (except && metadata?.uid === except.metadata?.uid) continue;
    for (const address of spec.clusterIPs ?? []) addresses.add(address);
    for (const { nodePort } of spec.ports ?? []) if (nodePort) ports.add(nodePort);
    if (spec.healthCheckNodePort) ports.add(spec.healthCheckNodePort);
  }
  return { addresses, ports };
}

/** Starts at a random place of the upper band, then goes round, then tries the reserved band. */
function pickFree(context: StrategyContext, low: number, reserved: number, count: number, isFree: (candidate: number) => boolean): number | undefined {
  const band = count - reserved;
  const start = context.random.int(band);
  for (let i = 0; i < band; i++) {
    const candidate = low + reserved + ((start + i) % band);
    if (isFree(candidate)) return candidate;
  }
  for (let i = 0; i < reserved; i++) if (isFree(low + i)) return low + i;
  return undefined;
}

const addressAt = (offset: number): string => [...NETWORK, offset >> 8, offset & 255].join('.');

class Allocation {
  #service: Service;
  #spec: ServiceSpec;
  #context: StrategyContext;
  #used: { addresses: Set<string>; ports: Set<number> };
  /** Dry runs answer with numbers outside the range, as upstream does. */
  #dryRunPort = PORT_MIN + PORT_COUNT;

  constructor(service: Service, old: Service | undefined, context: StrategyContext) {
    this.#service = service;
    this.#spec = service.spec as ServiceSpec;
    this.#context = context;
    this.#used = inUse(context, old);
  }

  #refuse(errors: FieldError[]): never {
    throw newInvalid({ group: '', resource: 'Service' }, nameOf(this.#service), errors);
  }

  /** `initIPFamilyFields` on a cluster that has IPv4 only. */
  families(old: ServiceSpec | undefined): void {
    const spec = this.#spec;
    if (isExternal(spec)) return;
    const selectorless = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
    spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (selectorless ? 'RequireDualStack' : 'SingleStack');
    const check = new Check();
    checkAddresses(check, this.#service);
    if (check.errors.length > 0) this.#refuse(check.errors);
    const single = spec.ipFamilyPolicy === 'SingleStack';
    const errors: FieldError[] = [];
    if (single && (spec.clusterIPs?.length ?? 0) === 2) {
      errors.push(
        invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified"),
      );
    }
    if (single && (spec.ipFamilies?.length ?? 0) === 2) {
      errors.push(
        invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"),
      );
    }
    spec.clusterIPs?.forEach((address, i) => {
      const family = ipFamily(address);
      if (address === 'None' || !family || i < (spec.ipFamilies?.length ?? 0)) return;
      if (family === 'IPv6') errors.push(invalid(`spec.clusterIPs[${i}]`, spec.clusterIPs, 'IPv6 is not configured on this cluster'));
      else spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    });
    if (errors.length > 0) this.#refuse(errors);
    if (selectorless) {
      if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4'];
      if (spec.ipFamilies.length < 2 && !single) spec.ipFamilies.push(spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4');
      return;
    }
    if (spec.ipFamilyPolicy === 'RequireDualStack') {
      errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
    }
    spec.ipFamilies?.forEach((family, i) => {
      if (family !== 'IPv4') errors.push(invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
    });
    if (errors.length > 0) this.#refuse(errors);
    if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4'];
  }

  address(): void {
    const spec = this.#spec;
    if (isExternal(spec) || isHeadless(spec)) return;
    const wanted = spec.clusterIPs?.[0] || '';
    if (wanted === '') {
      spec.clusterIP = this.#nextAddress();
      spec.clusterIPs = [spec.clusterIP];
      return;
    }
    const parts = wanted.split('.').map(Number);
    const offset = (parts[2] ?? 0) * 256 + (parts[3] ?? 0);
    // Malformed addresses are left for validation.
    if (ipFamily(wanted) !== 'IPv4') return;
    let why = '';
    if (parts[0] !== NETWORK[0] || parts[1] !== NETWORK[1] || offset === 0 || offset === 65535) {
      why = `the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${PREFIX}`;
    } else if (this.#used.addresses.has(wanted) && !this.#context.dryRun) why = 'provided IP is already allocated';
    if (why !== '') this.#refuse([invalid('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${wanted}: ${why}`)]);
    spec.clusterIP = wanted;
  }

  #nextAddress(): string {
    if (this.#context.dryRun) return addressAt(0);
    const offset = pickFree(this.#context, 1, RESERVED_ADDRESSES, 65534, (candidate) => !this.#used.addresses.has(addressAt(candidate)));
    if (offset === undefined) throw newInternalError(`failed to allocate a serviceIP for Service "${nameOf(this.#service)}": range is full`);
    return addressAt(offset);
  }

  #nextPort(): number {
    if (this.#context.dryRun) return ++this.#dryRunPort;
    const port = pickFree(this.#context, PORT_MIN, RESERVED_PORTS, PORT_COUNT, (candidate) => !this.#used.ports.has(candidate));
    if (port === undefined) throw newInternalError('failed to allocate a nodePort: range is full');
    this.#used.ports.add(port);
    return port;
  }

  #takePort(port: number, field: string): void {
    let why = '';
    if (port < PORT_MIN || port >= PORT_MIN + PORT_COUNT) why = `provided port is not in the valid range. The range of valid ports is 30000-32767`;
    else if (this.#used.ports.has(port)) why = 'provided port is already allocated';
    if (why !== '') this.#refuse([invalid(field, port, why)]);
    this.#used.ports.add(port);
  }

  ports(old: ServiceSpec | undefined): void {
    const spec = this.#spec;
    if (hasNodePorts(spec)) {
      const held = new Set((old?.ports ?? []).map(({ nodePort }) => nodePort));
      // The same port over TCP and UDP shares one node port.
      const shared = new Map<number, number>();
      spec.ports?.forEach((port, i) => {
        if (!port.nodePort && !needsNodePort(spec)) return;
        const number = port.port ?? 0;
        const known = old ? undefined : shared.get(number);
        const requested = port.nodePort || (old ? 0 : findRequested(number, spec.ports ?? []));
        if (known !== undefined && (!port.nodePort || port.nodePort === known)) port.nodePort = known;
        else if (requested) {
          if (!held.has(requested)) this.#takePort(requested, `spec.ports[${i}].nodePort`);
          held.add(requested);
          port.nodePort = requested;
        } else port.nodePort = this.#nextPort();
        if (known === undefined) shared.set(number, port.nodePort as number);
      });
    }
    if (needsHealthCheck(spec) && !(old && needsHealthCheck(old))) {
      if (spec.healthCheckNodePort) this.#takePort(spec.healthCheckNodePort, 'spec.healthCheckNodePort');
      else spec.healthCheckNodePort = this.#nextPort();
    }
  }
}

const findRequested = (number: number, ports: readonly ServicePort[]): number => ports.find(({ port, nodePort }) => port === number && nodePort)?.nodePort ?? 0;

const sameList = (a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean => JSON.stringify(a ?? []) === JSON.stringify(b ?? []);

/** Keeps what the server handed out when a client leaves it out, and wipes what the new type has no use for. */
function carryOver(spec: ServiceSpec, old: ServiceSpec): void {
  // clusterIP and clusterIPs[0] are one thing for older clients (`normalizeClusterIPs`).
  if (old.clusterIPs?.length && !spec.clusterIPs?.length && old.clusterIP === spec.clusterIP) spec.clusterIPs = [...old.clusterIPs];
  if ((old.clusterIP ?? '') !== (spec.clusterIP ?? '') && sameList(old.clusterIPs, spec.clusterIPs)) {
    if (old.clusterIP && !spec.clusterIP) delete spec.clusterIPs;
    else spec.clusterIPs = [spec.clusterIP as string];
  }
  if (!isExternal(old) && !isExternal(spec)) {
    spec.clusterIP ||= old.clusterIP;
    if (!spec.clusterIPs?.length && old.clusterIPs?.length) spec.clusterIPs = [...old.clusterIPs];
  }
  if (needsNodePort(old) && needsNodePort(spec)) {
    const newPorts = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
    const used = new Set((old.ports ?? []).map(({ nodePort }) => nodePort).filter((port) => port && newPorts.has(port)));
    for (const port of spec.ports ?? []) {
      const before = (old.ports ?? []).find(({ name = '' }) => name === (port.name ?? ''))?.nodePort;
      if (!port.nodePort && before && !used.has(before)) port.nodePort = before;
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec)) spec.healthCheckNodePort ||= old.healthCheckNodePort;
}

function dropForType(spec: ServiceSpec, old: ServiceSpec): void {
  if (!isExternal(old) && isExternal(spec)) {
    if (sameList(old.clusterIPs, spec.clusterIPs) && (old.clusterIP ?? '') === (spec.clusterIP ?? '')) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (sameList(old.ipFamilies, spec.ipFamilies)) delete spec.ipFamilies;
    if (old.ipFamilyPolicy === spec.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  const nodePorts = ({ ports = [] }: ServiceSpec): number[] => ports.map(({ nodePort = 0 }) => nodePort).filter(Boolean);
  if (needsNodePort(old) && !needsNodePort(spec) && nodePorts(spec).every((port) => nodePorts(old).includes(port))) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(old) && !needsHealthCheck(spec) && old.healthCheckNodePort === spec.healthCheckNodePort) delete spec.healthCheckNodePort;
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (old.allocateLoadBalancerNodePorts === spec.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts;
    if (old.loadBalancerClass === spec.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (externallyAccessible(old) && !externallyAccessible(spec) && old.externalTrafficPolicy === spec.externalTrafficPolicy) delete spec.externalTrafficPolicy;
}

function externalAddress({ spec = {}, status = {} }: Service): string {
  const external = spec.externalIPs ?? [];
  if (isExternal(spec)) return spec.externalName ?? '';
  if (spec.type !== 'LoadBalancer') return external.join(',') || '<none>';
  const ingress = new Set((status.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean));
  return [...[...ingress].sort(), ...external].join(',') || '<pending>';
}

export const serviceStrategy: KindStrategy<Service> = {
  resource: 'v1/services',
  applyDefaults,
  prepareForCreate(service, context) {
    service.status = { loadBalancer: {} };
    setGeneration(service, undefined);
    const spec = service.spec ?? {};
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    const allocation = new Allocation(service, undefined, context);
    allocation.families(undefined);
    allocation.address();
    allocation.ports(undefined);
  },
  prepareForUpdate(service, old, context) {
    keep(service, old, 'status');
    const spec = service.spec ?? {};
    const before = old.spec ?? {};
    carryOver(spec, before);
    dropForType(spec, before);
    if (spec.type !== 'LoadBalancer') service.status = { ...service.status, loadBalancer: {} };
    const allocation = new Allocation(service, old, context);
    allocation.families(before);
    if (isExternal(before)) allocation.address();
    allocation.ports(before);
  },
  selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec?.clusterIP ?? '', 'spec.type': spec?.type ?? '' }),
  tableRow: (service, context) => {
    const { spec = {} } = service;
    const ports = (spec.ports ?? []).map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`);
    const cells = row<Service>(() => [spec.type ?? '', spec.clusterIPs?.[0] ?? '<none>', externalAddress(service), ports.join(',') || '<none>'])(
      service,
      context,
    );
    return [...cells, formatLabels(spec.selector)];
  },
};
