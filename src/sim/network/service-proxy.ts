import type { Disposable, Kernel, Random } from '../../kernel/index.ts';
import { DisposableStore } from '../../kernel/index.ts';
import type { Client, Informer } from '../client/types.ts';
import { DURATIONS } from '../durations.ts';
import type { EndpointSlice, Service } from '../kinds/types.ts';
import { cidrContains, parseCidr } from './address.ts';
import { type Backend, compileService, type PortRules, usable, withHints } from './service-rules.ts';

/** A packet at the door of a node's nat table. */
export interface Packet {
  protocol: 'tcp' | 'udp';
  sourceIp: string;
  destinationIp: string;
  port: number;
  /** Where the packet comes from, as kube-proxy's rules tell it apart. */
  origin: 'pod-of-this-node' | 'this-node' | 'elsewhere';
}

/** What the rules say. `masquerade`: the backend sees the node instead of the client. */
export type Verdict =
  | { kind: 'none' }
  | { kind: 'forward'; ip: string; port: number; masquerade: boolean }
  /** "has no endpoints": answered with a reset, which clients see as connection refused. */
  | { kind: 'reject' }
  /** "has no local endpoints": swallowed, which clients see as a time-out. */
  | { kind: 'drop' };

/** A throw of the dice: one new connection to a Service, and the endpoint it was given. */
export interface Draw {
  node: string;
  sourceIp: string;
  /** "default/web-lb:web", as kube-proxy names a Service's port. */
  rule: string;
  candidates: readonly Backend[];
  chosen: Backend;
  /** Session affinity remembered the client: no dice. */
  remembered: boolean;
}

/**
 * One node's kube-proxy in iptables mode (models pkg/proxy/iptables/proxier.go; corpus dns-clusterip-vs-headless.json):
 * every new connection draws one of the usable endpoints evenly. Rules follow the API after a programming delay.
 */
export class NodeProxy {
  readonly node: string;
  #services = new Map<string, PortRules[]>();
  #byDestination = new Map<string, PortRules>();
  #byNodePort = new Map<string, PortRules>();
  #affinity = new Map<string, { backend: string; lastMs: number }>();
  #kernel: Kernel;
  #random: Random;
  #nodeIp: string;
  #onDraw: (draw: Draw) => void;

  constructor(kernel: Kernel, random: Random, node: string, nodeIp: string, onDraw: (draw: Draw) => void) {
    this.#kernel = kernel;
    this.#random = random;
    this.node = node;
    this.#nodeIp = nodeIp;
    this.#onDraw = onDraw;
  }

  /** Replaces the rules of one Service; an empty list removes them. */
  program(service: string, rules: PortRules[]): void {
    const old = this.#services.get(service);
    for (const rule of old ?? []) {
      for (const key of destinations(rule)) if (this.#byDestination.get(key)?.id === rule.id) this.#byDestination.delete(key);
      if (rule.nodePort) this.#byNodePort.delete(`${rule.protocol}:${rule.nodePort}`);
    }
    if (rules.length === 0) this.#services.delete(service);
    else this.#services.set(service, rules);
    for (const rule of rules) {
      for (const key of destinations(rule)) this.#byDestination.set(key, rule);
      if (rule.nodePort) this.#byNodePort.set(`${rule.protocol}:${rule.nodePort}`, rule);
    }
  }

  judge(packet: Packet): Verdict {
    const direct = this.#byDestination.get(`${packet.protocol}:${packet.destinationIp}:${packet.port}`);
    if (direct) return this.#apply(direct, packet, direct.clusterIP === packet.destinationIp ? 'internal' : 'external');
    const toThisNode = packet.destinationIp === this.#nodeIp || packet.destinationIp.startsWith('127.');
    const byNodePort = toThisNode ? this.#byNodePort.get(`${packet.protocol}:${packet.port}`) : undefined;
    if (byNodePort) return this.#apply(byNodePort, packet, 'external');
    return { kind: 'none' };
  }

  #apply(rule: PortRules, packet: Packet, side: 'internal' | 'external'): Verdict {
    const cluster = usable(withHints(rule.backends, this.node));
    const local = usable(rule.backends.filter((backend) => backend.node === this.node));
    if (cluster.length === 0 && local.length === 0) return { kind: 'reject' };
    let candidates = cluster;
    let masquerade = false;
    if (side === 'internal') {
      if (rule.internalLocal) candidates = local;
      masquerade = packet.origin !== 'pod-of-this-node';
    } else if (rule.externalLocal) {
      // Traffic that starts on this node takes the cluster's endpoints even under Local ("pod traffic for … external destinations").
      if (packet.origin === 'elsewhere') candidates = local;
      masquerade = packet.origin === 'this-node';
    } else {
      masquerade = true;
    }
    if (side === 'external' && !this.#sourceAllowed(rule, packet)) return { kind: 'drop' };
    if (candidates.length === 0) return { kind: 'drop' };
    const backend = this.#choose(rule, candidates, packet.sourceIp);
    return { kind: 'forward', ip: backend.ip, port: backend.port, masquerade };
  }

  #sourceAllowed(rule: PortRules, packet: Packet): boolean {
    if (rule.sourceRanges.length === 0 || !rule.loadBalancerIPs.includes(packet.destinationIp)) return true;
    return rule.sourceRanges.some((range) => cidrContains(parseCidr(range.trim()), packet.sourceIp));
  }

  #choose(rule: PortRules, candidates: readonly Backend[], sourceIp: string): Backend {
    const key = `${rule.id}|${sourceIp}`;
    const last = rule.affinityMs === undefined ? undefined : this.#affinity.get(key);
    const now = this.#kernel.now();
    const kept = last && now - last.lastMs <= (rule.affinityMs ?? 0) ? candidates.find((b) => `${b.ip}:${b.port}` === last.backend) : undefined;
    const chosen = kept ?? this.#random.pick(candidates);
    if (rule.affinityMs !== undefined) this.#affinity.set(key, { backend: `${chosen.ip}:${chosen.port}`, lastMs: now });
    this.#onDraw({ node: this.node, sourceIp, rule: rule.id, candidates, chosen, remembered: kept !== undefined });
    return chosen;
  }
}

function destinations(rule: PortRules): string[] {
  return [rule.clusterIP, ...rule.externalIPs, ...rule.loadBalancerIPs].map((ip) => `${rule.protocol}:${ip}:${rule.port}`);
}

/** Feeds every node's proxy from Services and EndpointSlices. */
export class ServiceProxies implements Disposable {
  #kernel: Kernel;
  #random: Random;
  #services: Informer<Service>;
  #slices: Informer<EndpointSlice>;
  #proxies = new Map<string, NodeProxy>();
  #pending = new Set<string>();
  #reachable: (node: string) => boolean;
  /** Told of every throw of the dice, on any node. */
  onDraw: ((draw: Draw) => void) | undefined;
  #timers = new Set<Disposable>();
  #disposables = new DisposableStore();

  constructor(kernel: Kernel, random: Random, client: Client, reachable: (node: string) => boolean) {
    this.#kernel = kernel;
    this.#random = random;
    this.#reachable = reachable;
    this.#services = client.informer<Service>('v1/services');
    this.#slices = client.informer<EndpointSlice>('discovery.k8s.io/v1/endpointslices');
    this.#slices.addIndex('network/service', (slice) => [serviceOf(slice)]);
    this.#disposables.add(this.#services.onEvent(({ object }) => this.#changed(`${object.metadata?.namespace}/${object.metadata?.name}`)));
    this.#disposables.add(
      this.#slices.onEvent(({ object, old }) => {
        this.#changed(serviceOf(object));
        if (old && serviceOf(old) !== serviceOf(object)) this.#changed(serviceOf(old));
      }),
    );
  }

  add(node: string, nodeIp: string): NodeProxy {
    const proxy = new NodeProxy(this.#kernel, this.#random, node, nodeIp, (draw) => this.onDraw?.(draw));
    this.#proxies.set(node, proxy);
    this.resync(node);
    return proxy;
  }

  remove(node: string): void {
    this.#proxies.delete(node);
  }

  /** Programs everything anew: a node that comes back relists. */
  resync(node: string): void {
    const proxy = this.#proxies.get(node);
    if (!proxy) return;
    for (const service of this.#services.list()) this.#program(proxy, `${service.metadata?.namespace}/${service.metadata?.name}`);
  }

  #changed(service: string): void {
    for (const proxy of this.#proxies.values()) {
      const key = `${proxy.node} ${service}`;
      if (this.#pending.has(key)) continue;
      this.#pending.add(key);
      const [min, max] = DURATIONS.endpointsProgrammingMs;
      const timer = this.#kernel.timer(Math.round(this.#random.between(min, max)), () => {
        this.#pending.delete(key);
        this.#timers.delete(timer);
        // A node that is cut off hears of nothing; it catches up when it is back (resync).
        if (this.#reachable(proxy.node)) this.#program(proxy, service);
      });
      this.#timers.add(timer);
    }
  }

  #program(proxy: NodeProxy, key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const service = this.#services.get(namespace, name);
    proxy.program(key, service ? compileService(service, this.#slices.byIndex('network/service', key)) : []);
  }

  dispose(): void {
    for (const timer of this.#timers) timer.dispose();
    this.#disposables.dispose();
  }
}

function serviceOf(slice: EndpointSlice): string {
  return `${slice.metadata?.namespace}/${slice.metadata?.labels?.['kubernetes.io/service-name'] ?? ''}`;
}
