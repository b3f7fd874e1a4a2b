import { Aborted, type Disposable, type Kernel, type Random } from '../../kernel/index.ts';
import { Errno } from '../../unix/types.ts';
import type { Client } from '../client/types.ts';
import { isLoopback } from './address.ts';
import { HostLocalIpam, NodeCidrAllocator } from './ipam.ts';
import { PolicyEnforcer } from './network-policy.ts';
import { type Draw, type NodeProxy, ServiceProxies } from './service-proxy.ts';
import { type Fabric, NetworkNamespace, OwnedStack } from './stack.ts';
import { connectPair, type Path, type StreamEnd } from './stream.ts';

export interface ClusterNetworkOptions {
  kernel: Kernel;
  client: Client;
  /** Default 10.42.0.0/16. */
  clusterCidr?: string;
}

/** A Pod as the CNI sees it. */
export interface PodSandbox {
  node: string;
  namespace: string;
  name: string;
  uid: string;
  hostNetwork?: boolean;
  /** `hostIP`: the only address of the node on which the port is open. */
  hostPorts?: readonly { protocol: 'tcp' | 'udp'; hostIP?: string; hostPort: number; containerPort: number }[];
}

/** What a Pod got: an address and a namespace that its containers share. */
export interface PodAttachment {
  readonly ip: string;
  /** A view for one container run; dispose it when the container has ended (frees ports, closes connections). */
  openStack(): OwnedStack;
  /** CNI DEL: the address goes back, whatever is still open falls silent. */
  detach(): void;
}

interface NodeState {
  name: string;
  ip: string;
  ipam: HostLocalIpam;
  proxy: NodeProxy;
  namespace: NetworkNamespace;
  cut: boolean;
  off: boolean;
  /** "tcp:8080" → Pod address and port (the portmap plugin). */
  hostPorts: Map<string, { ip: string; port: number }>;
}

type Route =
  | { kind: 'deliver'; target: NetworkNamespace; ip: string; port: number; seenFrom: string }
  | { kind: 'refuse' }
  | { kind: 'drop' }
  /** ARP finds nobody: the router says so after about three seconds. */
  | { kind: 'unreachable' };

const NO_ROUTE_MS = 3_060;
/** A new SYN one second after the first, then at doubled intervals, as Linux sends them. */
const SYN_RETRY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 127_000;

/**
 * The cluster's network: per-node Pod CIDRs (flannel and host-local), namespaces, and kube-proxy's rules on the way.
 * Left out: IPv6, MTU and fragments, conntrack limits, SCTP. Latency is 0 ms within a node, 1 ms one way between nodes.
 */
export class ClusterNetwork implements Fabric, Disposable {
  #kernel: Kernel;
  #random: Random;
  #cidrs: NodeCidrAllocator;
  #nodes = new Map<string, NodeState>();
  #nodeByIp = new Map<string, NodeState>();
  #byIp = new Map<string, NetworkNamespace>();
  #proxies: ServiceProxies;
  #policies: PolicyEnforcer;

  constructor(options: ClusterNetworkOptions) {
    this.#kernel = options.kernel;
    this.#random = options.kernel.random.fork('network');
    this.#cidrs = new NodeCidrAllocator(options.clusterCidr);
    this.#proxies = new ServiceProxies(options.kernel, this.#random, options.client, (node) => this.#connected(node));
    this.#policies = new PolicyEnforcer(options.client);
  }

  /** The node's Pod CIDR for `spec.podCIDR`, in order of asking; the same node gets the same again. */
  allocatePodCidr(node: string): string {
    return this.#cidrs.allocate(node);
  }

  /** Joins a node: its Pod CIDR (allocated when not given), its host namespace, its kube-proxy. */
  addNode(node: { name: string; ip: string; podCidr?: string }): void {
    if (this.#nodes.has(node.name)) return;
    const namespace = new NetworkNamespace(this, 'node', node.ip, node.name, this.#firstPort());
    const state: NodeState = {
      name: node.name,
      ip: node.ip,
      ipam: new HostLocalIpam(node.podCidr ?? this.#cidrs.allocate(node.name)),
      proxy: this.#proxies.add(node.name, node.ip),
      namespace,
      cut: false,
      off: false,
      hostPorts: new Map(),
    };
    this.#nodes.set(node.name, state);
    this.#nodeByIp.set(node.ip, state);
    this.#byIp.set(node.ip, namespace);
  }

  removeNode(name: string): void {
    const node = this.#nodes.get(name);
    if (!node) return;
    this.#nodes.delete(name);
    this.#nodeByIp.delete(node.ip);
    this.#byIp.delete(node.ip);
    this.#proxies.remove(name);
    this.#cidrs.release(name);
  }

  /** Cuts (or mends) a node's connection to everything else. */
  setPartitioned(name: string, cut: boolean): void {
    const node = this.#node(name);
    node.cut = cut;
    if (!cut) this.#proxies.resync(name);
  }

  /** A machine without power neither sends nor answers. */
  setPowered(name: string, on: boolean): void {
    const node = this.#node(name);
    node.off = !on;
    if (on) this.#proxies.resync(name);
  }

  /** CNI ADD. Throws when the node's range is used up, in host-local's words. */
  attachPod(pod: PodSandbox): PodAttachment {
    const node = this.#node(pod.node);
    if (pod.hostNetwork) return { ip: node.ip, openStack: () => new OwnedStack(node.namespace), detach: () => {} };
    const ip = node.ipam.allocate();
    if (!ip) throw new Error(`failed to allocate for range 0: no IP addresses available in range set: ${node.ipam.gateway}-${node.ipam.cidr}`);
    const namespace = new NetworkNamespace(this, 'pod', ip, pod.node, this.#firstPort());
    this.#byIp.set(ip, namespace);
    for (const port of pod.hostPorts ?? [])
      node.hostPorts.set(`${port.protocol}:${port.hostIP === '0.0.0.0' ? '' : (port.hostIP ?? '')}:${port.hostPort}`, { ip, port: port.containerPort });
    let attached = true;
    return {
      ip,
      openStack: () => new OwnedStack(namespace),
      detach: () => {
        if (!attached) return;
        attached = false;
        namespace.up = false;
        for (const [key, target] of node.hostPorts) if (target.ip === ip) node.hostPorts.delete(key);
        if (this.#byIp.get(ip) === namespace) this.#byIp.delete(ip);
        node.ipam.release(ip);
      },
    };
  }

  /** A view of the node's own namespace: for the kubelet's probes, the API server's port, node shells. */
  nodeStack(name: string): OwnedStack {
    return new OwnedStack(this.#node(name).namespace);
  }

  /** A machine beside the cluster (the reader's laptop): reaches nodes, not Pods or ClusterIPs. */
  outsideStack(ip = '172.18.0.1'): OwnedStack {
    let namespace = this.#byIp.get(ip);
    if (!namespace) {
      namespace = new NetworkNamespace(this, 'outside', ip, undefined, this.#firstPort());
      this.#byIp.set(ip, namespace);
    }
    return new OwnedStack(namespace);
  }

  /** Address of the bridge (cni0) on a node. */
  gatewayOf(node: string): string {
    return this.#node(node).ipam.gateway;
  }

  /** Tells of every endpoint that kube-proxy's rules draw, on any node, until disposed; one listener at a time. */
  watchDraws(listener: (draw: Draw) => void): Disposable {
    this.#proxies.onDraw = listener;
    return { dispose: () => (this.#proxies.onDraw = undefined) };
  }

  dispose(): void {
    this.#proxies.dispose();
  }

  // ---- Fabric: what namespaces ask for ----

  async connect(from: NetworkNamespace, ip: string, port: number, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<StreamEnd> {
    const deadline = this.#kernel.now() + (options.timeoutMs ?? CONNECT_TIMEOUT_MS);
    const sourcePort = from.ephemeralPort();
    for (let retry = SYN_RETRY_MS; ; retry *= 2) {
      if (options.signal?.aborted) throw new Aborted();
      const route = this.#route(from, 'tcp', ip, port);
      if (route.kind === 'unreachable' && this.#kernel.now() + NO_ROUTE_MS <= deadline) {
        await this.#kernel.sleep(NO_ROUTE_MS, options.signal);
        throw new Errno('EHOSTUNREACH');
      }
      if (route.kind === 'refuse') {
        await this.#pause(0, options.signal);
        throw new Errno('ECONNREFUSED');
      }
      if (route.kind === 'deliver' && this.#open(from, route.target)) {
        const path = this.#path(from, route.target);
        await this.#pause(path.latencyMs, options.signal);
        const listener = route.target.up ? route.target.listenerFor(route.port, route.ip) : undefined;
        if (listener) {
          const dialled = { ip, port };
          const server = { ip: route.ip, port: route.port };
          const [client, accepted] = connectPair(this.#kernel, [path, this.#path(route.target, from)], { ip: from.ip, port: sourcePort }, dialled, server, {
            ip: route.seenFrom,
            port: sourcePort,
          });
          listener.offer(accepted);
          try {
            await this.#pause(path.latencyMs, options.signal);
          } catch (error) {
            client.close();
            throw error;
          }
          return client;
        }
        await this.#pause(path.latencyMs, options.signal);
        if (route.target.up) throw new Errno('ECONNREFUSED');
      }
      const now = this.#kernel.now();
      if (now >= deadline) throw new Errno('ETIMEDOUT');
      await this.#kernel.sleep(Math.min(retry, deadline - now), options.signal);
      if (this.#kernel.now() >= deadline) throw new Errno('ETIMEDOUT');
    }
  }

  async datagram(
    from: NetworkNamespace,
    ip: string,
    port: number,
    payload: Uint8Array,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Uint8Array> {
    const started = this.#kernel.now();
    const silence = async (): Promise<never> => {
      await this.#kernel.sleep(Math.max(0, started + options.timeoutMs - this.#kernel.now()), options.signal);
      throw new Errno('ETIMEDOUT');
    };
    const sourcePort = from.ephemeralPort();
    const route = this.#route(from, 'udp', ip, port);
    if (route.kind === 'refuse') {
      await this.#pause(0, options.signal);
      throw new Errno('ECONNREFUSED');
    }
    if (route.kind !== 'deliver' || !this.#open(from, route.target)) return silence();
    const path = this.#path(from, route.target);
    await this.#pause(path.latencyMs, options.signal);
    if (!route.target.up) return silence();
    const handler = route.target.datagramHandler(route.port);
    if (!handler) {
      await this.#pause(path.latencyMs, options.signal);
      throw new Errno('ECONNREFUSED');
    }
    const answer = handler(payload, { ip: route.seenFrom, port: sourcePort });
    return new Promise<Uint8Array>((resolve, reject) => {
      const waiting = this.#kernel.sleep(Math.max(0, started + options.timeoutMs - this.#kernel.now()), options.signal);
      waiting.then(() => reject(new Errno('ETIMEDOUT')), reject);
      void Promise.resolve(answer).then((bytes) => {
        if (!bytes) return;
        this.#kernel.timer(path.latencyMs, () => {
          if (path.open()) resolve(bytes);
        });
      }, reject);
    });
  }

  async ping(from: NetworkNamespace, ip: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<number> {
    const target = isLoopback(ip) ? from : this.#byIp.get(ip);
    // A ClusterIP answers no ping: the rules match ports, so ICMP leaves the node and is lost.
    if (!target?.up || !this.#open(from, target) || !this.#policies.allows(from, target, 'icmp', 0)) {
      await this.#kernel.sleep(options.timeoutMs, options.signal);
      throw new Errno('ETIMEDOUT');
    }
    const sameNode = target.node === from.node;
    await this.#pause(sameNode ? 0 : 1, options.signal);
    return Math.round(this.#random.between(sameNode ? 40 : 180, sameNode ? 140 : 600)) / 1000;
  }

  // ---- routing ----

  #route(from: NetworkNamespace, protocol: 'tcp' | 'udp', ip: string, port: number): Route {
    const home = from.node === undefined ? undefined : this.#nodes.get(from.node);
    if (from.kind === 'pod' && (isLoopback(ip) || ip === from.ip)) return { kind: 'deliver', target: from, ip, port, seenFrom: ip };
    if (home) {
      const origin = from.kind === 'node' ? 'this-node' : 'pod-of-this-node';
      const route = this.#translate(home, from, protocol, ip, port, origin);
      if (route) return route;
    }
    if (isLoopback(ip) || ip === from.ip) return { kind: 'deliver', target: from, ip, port, seenFrom: ip };
    const otherNode = this.#nodeByIp.get(ip);
    if (otherNode && otherNode !== home) {
      const route = this.#translate(otherNode, from, protocol, ip, port, 'elsewhere');
      if (route) return route;
    }
    return this.#direct(from, home, protocol, ip, port, this.#sourceFor(from, ip));
  }

  /** Passes one node's nat table. Undefined: no rule matched. */
  #translate(
    node: NodeState,
    from: NetworkNamespace,
    protocol: 'tcp' | 'udp',
    ip: string,
    port: number,
    origin: 'pod-of-this-node' | 'this-node' | 'elsewhere',
  ): Route | undefined {
    const verdict = node.proxy.judge({ protocol, sourceIp: from.ip, destinationIp: ip, port, origin });
    if (verdict.kind === 'reject') return { kind: 'refuse' };
    if (verdict.kind === 'drop') return { kind: 'drop' };
    if (verdict.kind === 'forward') {
      // A Pod that reaches itself through its Service sees the bridge as the client (hairpin).
      const masquerade = verdict.masquerade || verdict.ip === from.ip;
      return this.#direct(from, node, protocol, verdict.ip, verdict.port, masquerade ? this.#masqueradeIp(node, verdict.ip) : from.ip);
    }
    const own = ip === node.ip || (origin === 'this-node' && isLoopback(ip));
    const mapped = own ? (node.hostPorts.get(`${protocol}:${ip}:${port}`) ?? node.hostPorts.get(`${protocol}::${port}`)) : undefined;
    if (mapped) return this.#direct(from, node, protocol, mapped.ip, mapped.port, origin === 'elsewhere' ? from.ip : this.#masqueradeIp(node, mapped.ip));
    return undefined;
  }

  #direct(from: NetworkNamespace, via: NodeState | undefined, protocol: 'tcp' | 'udp', ip: string, port: number, seenFrom: string): Route {
    const target = this.#byIp.get(ip);
    if (target?.kind === 'pod' && from.kind === 'outside' && !via) return { kind: 'drop' };
    if (target) {
      if (!this.#policies.allows(from, target, protocol, port)) return { kind: 'refuse' };
      return { kind: 'deliver', target, ip, port, seenFrom };
    }
    // An address of a node's range that no Pod has: ARP on that node finds nobody. Anything else leaves by the default route and is lost.
    const owner = [...this.#nodes.values()].find((node) => ip.startsWith(node.ipam.gateway.replace(/\d+$/, '')));
    return owner && via && !owner.off && !owner.cut ? { kind: 'unreachable' } : { kind: 'drop' };
  }

  /** What the other side sees when `from` speaks to `ip` without any Service in between. */
  #sourceFor(from: NetworkNamespace, ip: string): string {
    const home = from.node === undefined ? undefined : this.#nodes.get(from.node);
    if (!home) return from.ip;
    const target = this.#byIp.get(ip);
    if (from.kind === 'node') return target?.kind === 'pod' ? this.#masqueradeIp(home, ip) : from.ip;
    // flannel masquerades what leaves the Pod network, except towards the Pod's own node.
    return target?.kind === 'pod' || ip === home.ip ? from.ip : home.ip;
  }

  /** The node's address on the interface towards `ip`: cni0, flannel.1 or eth0. */
  #masqueradeIp(node: NodeState, ip: string): string {
    const target = this.#byIp.get(ip);
    if (target?.kind !== 'pod') return node.ip;
    return target.node === node.name ? node.ipam.gateway : node.ipam.overlay;
  }

  #path(from: NetworkNamespace, to: NetworkNamespace): Path {
    return { latencyMs: from.node === to.node ? 0 : 1, open: () => to.up && this.#open(from, to) };
  }

  #open(from: NetworkNamespace, to: NetworkNamespace): boolean {
    const a = from.node === undefined ? undefined : this.#nodes.get(from.node);
    const b = to.node === undefined ? undefined : this.#nodes.get(to.node);
    if (a?.off || b?.off) return false;
    return a === b || (!a?.cut && !b?.cut);
  }

  #connected(node: string): boolean {
    const state = this.#nodes.get(node);
    return state !== undefined && !state.cut && !state.off;
  }

  #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#kernel.sleep(ms, signal);
  }

  #firstPort(): number {
    return 32768 + this.#random.int(28000);
  }

  #node(name: string): NodeState {
    const node = this.#nodes.get(name);
    if (!node) throw new Error(`no such node in the network: ${name}`);
    return node;
  }
}

/** The network of one simulated cluster. */
export function createClusterNetwork(options: ClusterNetworkOptions): ClusterNetwork {
  return new ClusterNetwork(options);
}
