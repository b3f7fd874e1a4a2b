import { parseIPv4 } from '../network/address.ts';
import type { ClusterView, EndpointAddress } from './cluster-view.ts';
import { CLASS_IN, type DnsMessage, RCODE, type ResourceRecord, replyTo, TYPE } from './message.ts';
import { addressFromReverse, type DnsHandler, type DnsOutcome, type DnsPlugin, type DnsRequest, isSubdomain, matchZone } from './plugin.ts';

export interface KubernetesPluginOptions {
  view: ClusterView;
  /** Lower case with trailing dots; the first that is not reversed is the primary zone. */
  zones: readonly string[];
  ttl: number;
  podMode: 'disabled' | 'insecure' | 'verified';
  podExists(namespace: string, ip: string): boolean;
  /** Zones whose unknown names go to the next plugin; undefined: none. */
  fallthrough: readonly string[] | undefined;
  /** Addresses of the CoreDNS Pod itself, for NS. */
  localIps(): readonly string[];
  /** A look-up through the whole server, for CNAME targets outside the zone. */
  lookup: (name: string, type: number) => Promise<DnsMessage | undefined>;
}

/** A record before it is given a type (CoreDNS' msg.Service). `owner`: the name that belongs to it. */
interface Found {
  host: string;
  port: number;
  owner: string;
}

/** A name that does not exist, as opposed to one without records of the type. */
const NAME_ERROR = Symbol('no such name');
type Lookup = Found[] | typeof NAME_ERROR;

/** Models plugin/kubernetes of CoreDNS 1.14.7 (handler.go, parse.go, kubernetes.go) and plugin/backend_lookup.go; corpus dns.json. */
export class KubernetesPlugin implements DnsPlugin {
  readonly name = 'kubernetes';
  #options: KubernetesPluginOptions;
  #primaryZone: string;

  constructor(options: KubernetesPluginOptions) {
    this.#options = options;
    this.#primaryZone = options.zones.find((zone) => !zone.endsWith('.arpa.')) ?? 'cluster.local.';
  }

  async serve(request: DnsRequest, next: DnsHandler): Promise<DnsOutcome> {
    const lowerZone = matchZone(this.#options.zones, request.name);
    if (!lowerZone) return next(request);
    const zone = request.question.name.slice(request.question.name.length - lowerZone.length);
    const type = request.question.type;
    if (type === TYPE.AXFR || type === TYPE.IXFR) return { rcode: RCODE.REFUSED };
    const answer = await this.#answer(request, zone);
    if (answer === NAME_ERROR) {
      if (this.#options.fallthrough?.some((one) => isSubdomain(one, request.name))) return next(request);
      return { wrote: this.#withSoa(request, zone, RCODE.NXDOMAIN) };
    }
    if (answer.records.length === 0) return { wrote: this.#withSoa(request, zone, RCODE.NOERROR) };
    return { wrote: { ...replyTo(request.message), authoritative: true, answers: answer.records, additionals: answer.extra } };
  }

  async #answer(request: DnsRequest, zone: string): Promise<{ records: ResourceRecord[]; extra: ResourceRecord[] } | typeof NAME_ERROR> {
    const { question, name } = request;
    const none = { records: [], extra: [] };
    switch (question.type) {
      case TYPE.A:
      case TYPE.AAAA: {
        const records = await this.#addresses(question.name, zone, question.type, []);
        return records === NAME_ERROR ? NAME_ERROR : { records, extra: [] };
      }
      case TYPE.SRV:
        return this.#services(question.name, name, zone);
      case TYPE.PTR:
        return this.#pointers(question.name, name, zone);
      case TYPE.CNAME: {
        const found = this.#find(name, zone);
        if (found === NAME_ERROR) return NAME_ERROR;
        const first = found[0];
        if (!first || isAddress(first.host)) return none;
        return { records: [this.#record(question.name, TYPE.CNAME, { target: fqdn(first.host) })], extra: [] };
      }
      case TYPE.TXT: {
        if (name === `dns-version.${zone.toLowerCase()}`) {
          // The schema's version; its own TTL (28800) is cut by the cache.
          return { records: [{ ...this.#record(question.name, TYPE.TXT, { texts: ['1.1.0'] }), ttl: 28800 }], extra: [] };
        }
        const found = this.#find(name, zone);
        return found !== NAME_ERROR && found.length > 0 ? none : NAME_ERROR;
      }
      case TYPE.MX: {
        const found = this.#find(name, zone);
        return found === NAME_ERROR ? NAME_ERROR : none;
      }
      case TYPE.SOA:
        return { records: name === zone.toLowerCase() ? [this.#soa(zone)] : [], extra: [] };
      case TYPE.NS:
        if (name === zone.toLowerCase()) return this.#nameServers(question.name, zone);
        break;
      default:
    }
    // Anything else: look for an address, to tell "no such record" from "no such name".
    const found = this.#find(name, zone);
    return found === NAME_ERROR ? NAME_ERROR : none;
  }

  async #addresses(qname: string, zone: string, type: number, chain: readonly ResourceRecord[]): Promise<ResourceRecord[] | typeof NAME_ERROR> {
    const name = qname.toLowerCase();
    const found = name === `ns.dns.${zone}` ? this.#nsAddresses(zone) : this.#find(name, zone);
    if (found === NAME_ERROR) return NAME_ERROR;
    const records: ResourceRecord[] = [];
    const seen = new Set<string>();
    for (const one of found) {
      if (isAddress(one.host)) {
        if (type !== addressType(one.host) || seen.has(one.host)) continue;
        seen.add(one.host);
        records.push(this.#record(qname, type, { address: one.host }));
        continue;
      }
      const target = fqdn(one.host);
      if (target.toLowerCase() === name || chain.length > 10) continue;
      const alias = this.#record(qname, TYPE.CNAME, { target });
      if (chain.some((link) => 'target' in link.data && link.data.target === target && link.name === alias.name)) continue;
      if (isSubdomain(zone.toLowerCase(), target.toLowerCase())) {
        const rest = await this.#addresses(target, zone, type, [...chain, alias]);
        if (rest !== NAME_ERROR && rest.length > 0) records.push(alias, ...rest);
        continue;
      }
      const outside = await this.#options.lookup(target, type);
      if (outside) records.push(alias, ...outside.answers);
    }
    return records;
  }

  #services(qname: string, name: string, zone: string): { records: ResourceRecord[]; extra: ResourceRecord[] } | typeof NAME_ERROR {
    const found = this.#find(name, zone);
    if (found === NAME_ERROR) return NAME_ERROR;
    const internal = found.filter((one) => isAddress(one.host));
    const weight = Math.max(1, Math.floor((100 / (100 * internal.length)) * 100));
    const records = new Map<string, ResourceRecord>();
    const extra = new Map<string, ResourceRecord>();
    for (const one of internal) {
      if (one.port === -1) continue;
      const key = `${one.owner} ${one.port}`;
      if (!records.has(key)) records.set(key, this.#record(qname, TYPE.SRV, { priority: 0, weight, port: one.port, target: one.owner }));
      extra.set(`${one.owner} ${one.host}`, this.#record(one.owner, addressType(one.host), { address: one.host }));
    }
    return { records: [...records.values()], extra: [...extra.values()] };
  }

  #pointers(qname: string, name: string, zone: string): { records: ResourceRecord[]; extra: ResourceRecord[] } | typeof NAME_ERROR {
    const ip = addressFromReverse(name);
    if (ip === undefined) return this.#find(name, zone) === NAME_ERROR ? NAME_ERROR : { records: [], extra: [] };
    const service = this.#options.view.serviceAt(ip);
    const hosts = service
      ? [`${service.metadata?.name}.${service.metadata?.namespace}.svc.${this.#primaryZone}`]
      : this.#options.view.endpointsAt(ip).map(({ service: owner, address }) => {
          const [namespace, serviceName] = owner.split('/');
          return `${endpointHostname(address)}.${serviceName}.${namespace}.svc.${this.#primaryZone}`;
        });
    if (hosts.length === 0) return NAME_ERROR;
    return { records: [...new Set(hosts)].map((target) => this.#record(qname, TYPE.PTR, { target })), extra: [] };
  }

  #nameServers(qname: string, zone: string): { records: ResourceRecord[]; extra: ResourceRecord[] } {
    const found = this.#nsAddresses(zone);
    return {
      records: [...new Set(found.map((one) => one.owner))].map((target) => this.#record(qname, TYPE.NS, { target })),
      extra: found.map((one) => this.#record(one.owner, TYPE.A, { address: one.host })),
    };
  }

  /** The Services in front of this very CoreDNS; without one, its own addresses as ns.dns.<zone>. */
  #nsAddresses(zone: string): Found[] {
    const view = this.#options.view;
    const found: Found[] = [];
    for (const localIp of this.#options.localIps()) {
      for (const { service: key, address } of view.endpointsAt(localIp)) {
        const [namespace = '', name = ''] = key.split('/');
        const service = view.service(namespace, name);
        if (!service) continue;
        const owner = `${name}.${namespace}.svc.${zone}`;
        if (service.spec?.clusterIP === 'None') found.push({ host: address.ip, port: 0, owner: `${endpointHostname(address)}.${owner}` });
        else for (const ip of service.spec?.clusterIPs ?? []) found.push({ host: ip, port: 0, owner });
      }
    }
    if (found.length === 0) return this.#options.localIps().map((host) => ({ host, port: 0, owner: `ns.dns.${zone}` }));
    return [...new Map(found.map((one) => [`${one.owner} ${one.host}`, one])).values()];
  }

  /** k.Records: [_port._proto.|endpoint.]service.namespace.svc.<zone>, or a-b-c-d.namespace.pod.<zone>. `name` is lower case. */
  #find(name: string, zone: string): Lookup {
    const base = name.slice(0, name.length - zone.length).replace(/\.$/, '');
    // The server itself has addresses under this name, and nothing else.
    if (base === '' || name === `ns.dns.${zone}`) return [];
    const labels = base.split('.');
    const kind = labels.pop();
    if (kind !== 'svc' && kind !== 'pod') return NAME_ERROR;
    const namespace = labels.pop();
    if (namespace === undefined) return [];
    const service = labels.pop();
    if (labels.length > 2) return NAME_ERROR;
    if (zone.toLowerCase().endsWith('.arpa.')) return NAME_ERROR;
    if (!this.#options.view.namespaceExists(namespace)) return NAME_ERROR;
    if (service === undefined) return [];
    if (kind === 'pod') return this.#findPod(service, namespace, zone);
    const protocol = labels.length === 2 ? stripUnderscore(labels[1] ?? '') : '';
    const port = labels.length === 2 ? stripUnderscore(labels[0] ?? '') : '';
    const endpoint = labels.length === 1 ? (labels[0] ?? '') : '';
    return this.#findService(service, namespace, endpoint, port, protocol, zone);
  }

  #findPod(name: string, namespace: string, zone: string): Lookup {
    const ip = podAddress(name);
    if (this.#options.podMode === 'disabled' || ip === undefined) return NAME_ERROR;
    if (this.#options.podMode === 'verified' && !this.#options.podExists(namespace, ip)) return NAME_ERROR;
    return [{ host: ip, port: 0, owner: `${name}.${namespace}.pod.${zone}` }];
  }

  #findService(name: string, namespace: string, endpoint: string, port: string, protocol: string, zone: string): Lookup {
    const service = this.#options.view.service(namespace, name);
    if (!service) return NAME_ERROR;
    const owner = `${name}.${namespace}.svc.${zone}`;
    const spec = service.spec ?? {};
    if (spec.type === 'ExternalName') {
      if (endpoint || port || protocol || isAddress(spec.externalName ?? '')) return NAME_ERROR;
      return [{ host: spec.externalName ?? '', port: 0, owner }];
    }
    const wanted = (portName: string, portProtocol: string): boolean =>
      (port === '' || port === portName.toLowerCase()) && (protocol === '' || protocol === portProtocol.toLowerCase());
    const found: Found[] = [];
    if (spec.clusterIP === 'None' || endpoint) {
      for (const address of this.#options.view.endpoints(namespace, name)) {
        const hostname = endpointHostname(address);
        if (endpoint && endpoint !== hostname.toLowerCase()) continue;
        for (const one of address.ports) {
          if (wanted(one.name, one.protocol)) found.push({ host: address.ip, port: one.port, owner: `${hostname}.${owner}` });
        }
      }
    } else {
      for (const one of spec.ports ?? []) {
        if (!wanted(one.name ?? '', one.protocol ?? 'TCP')) continue;
        for (const ip of spec.clusterIPs ?? [spec.clusterIP ?? '']) found.push({ host: ip, port: one.port ?? 0, owner });
      }
    }
    return found.length > 0 ? found : NAME_ERROR;
  }

  #withSoa(request: DnsRequest, zone: string, rcode: number): DnsMessage {
    return { ...replyTo(request.message, rcode), authoritative: true, authorities: [this.#soa(zone)] };
  }

  #soa(zone: string): ResourceRecord {
    const { ttl, view } = this.#options;
    return {
      name: zone,
      type: TYPE.SOA,
      class: CLASS_IN,
      ttl: Math.min(ttl, 300),
      data: { primary: `ns.dns.${zone}`, mailbox: `hostmaster.${zone}`, serial: view.serial, refresh: 7200, retry: 1800, expire: 86400, minimum: ttl },
    };
  }

  #record(name: string, type: number, data: ResourceRecord['data']): ResourceRecord {
    return { name, type, class: CLASS_IN, ttl: this.#options.ttl, data };
  }
}

function endpointHostname(address: EndpointAddress): string {
  return address.hostname || address.ip.replaceAll('.', '-');
}

/** `10-42-0-5` → 10.42.0.5, `fe80--1` → fe80::1 (findPods). */
function podAddress(name: string): string | undefined {
  if (/^\d+-\d+-\d+-\d+$/.test(name)) {
    const ip = name.replaceAll('-', '.');
    // Go takes no leading zeros.
    return parseIPv4(ip) === undefined || /(^|\.)0\d/.test(ip) ? undefined : ip;
  }
  const ip = name.replaceAll('-', ':');
  const groups = ip.split(':').filter((group) => group !== '');
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group)) || /:::|^:[^:]|[^:]:$/.test(ip) || ip.split('::').length > 2) return undefined;
  return ip.includes('::') ? (groups.length < 8 ? ip : undefined) : groups.length === 8 ? ip : undefined;
}

function addressType(host: string): number {
  return host.includes(':') ? TYPE.AAAA : TYPE.A;
}

function isAddress(host: string): boolean {
  return parseIPv4(host) !== undefined || host.includes(':');
}

function stripUnderscore(label: string): string {
  return label.startsWith('_') ? label.slice(1) : label;
}

function fqdn(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}
