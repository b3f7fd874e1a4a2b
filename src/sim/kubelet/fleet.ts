import { type Disposable, DisposableStore, randomHex, randomUid } from '../../kernel/index.ts';
import type { NodeControl } from '../cluster.ts';
import type { ConfigMap, Node, Pod } from '../kinds/types.ts';
import { Kubelet, type KubeletEnvironment } from './kubelet.ts';
import { NodeAgent } from './node-agent.ts';

/** A machine to be run. */
export interface NodeDefinition {
  name: string;
  ip: string;
  podCidr: string;
  labels: Readonly<Record<string, string>>;
}

interface Member {
  definition: NodeDefinition;
  kubelet: Kubelet;
  agent: NodeAgent;
  off: boolean;
  cut: boolean;
}

/** All kubelets of a cluster: one watch of Pods for all of them, and the switches on their machines. */
export class KubeletFleet implements NodeControl, Disposable {
  readonly #environment: KubeletEnvironment;
  readonly #members = new Map<string, Member>();
  readonly #store = new DisposableStore();

  constructor(environment: KubeletEnvironment) {
    this.#environment = environment;
    const pods = environment.client.informer<Pod>('v1/pods');
    this.#store.add(
      pods.onEvent((event) => {
        const member = this.#members.get(event.object.spec?.nodeName ?? '');
        if (!member || member.off || member.cut) return;
        if (event.type === 'DELETED') member.kubelet.podRemoved(event.object);
        else member.kubelet.podChanged(event.object);
      }),
    );
    this.#follow('v1/configmaps', 'configMaps');
    this.#follow('v1/secrets', 'secrets');
  }

  /** ConfigMaps and Secrets that Pods show in files. */
  #follow(resource: 'v1/configmaps' | 'v1/secrets', sort: 'configMaps' | 'secrets'): void {
    this.#store.add(
      this.#environment.client.informer<ConfigMap>(resource).onEvent((event) => {
        const { namespace, name = '' } = event.object.metadata ?? {};
        for (const member of this.#members.values()) {
          if (member.off || member.cut) continue;
          for (const worker of member.kubelet.workers()) {
            if (worker.pod.metadata?.namespace === namespace) member.kubelet.volumes.objectChanged(worker, sort, name);
          }
        }
      }),
    );
  }

  /** Starts a machine with its kubelet, which registers the Node. */
  add(definition: NodeDefinition): Kubelet {
    const { network, kernel } = this.#environment;
    network.addNode({ name: definition.name, ip: definition.ip, podCidr: definition.podCidr });
    const kubelet = new Kubelet(this.#environment, definition.name, definition.ip);
    const agent = new NodeAgent(kubelet, definition.labels, { bootId: randomUid(kernel.random), machineId: randomHex(kernel.random, 32) });
    this.#members.set(definition.name, { definition, kubelet, agent, off: false, cut: false });
    agent.start();
    this.#setPodCidr(definition);
    return kubelet;
  }

  /** The parts of the node IPAM and TTL controllers: the node's Pod range and an annotation. */
  #setPodCidr(definition: NodeDefinition): void {
    const nodes = this.#environment.client.resource<Node>('v1/nodes');
    const node = nodes.get('', definition.name);
    if (!node || node.spec?.podCIDR) return;
    const because = { resource: 'v1/nodes', namespace: '', name: definition.name };
    nodes.patch(
      '',
      definition.name,
      { metadata: { annotations: { 'node.alpha.kubernetes.io/ttl': '0' } } },
      { cause: { actor: 'ttl-controller', rule: 'ttl/annotate', because } },
    );
    nodes.patch(
      '',
      definition.name,
      { spec: { podCIDR: definition.podCidr, podCIDRs: [definition.podCidr] } },
      { cause: { actor: 'node-ipam-controller', rule: 'node-ipam/allocate', because } },
    );
  }

  kubelet(node: string): Kubelet | undefined {
    return this.#members.get(node)?.kubelet;
  }

  names(): readonly string[] {
    return [...this.#members.keys()];
  }

  stopKubelet(node: string): void {
    this.#member(node).kubelet.freeze();
  }

  startKubelet(node: string): void {
    const member = this.#member(node);
    if (!member.kubelet.frozen) return;
    member.kubelet.thaw();
    member.agent.resumed();
  }

  powerOff(node: string): void {
    const member = this.#member(node);
    if (member.off) return;
    member.off = true;
    member.agent.dispose();
    member.kubelet.powerOff();
    this.#environment.network.setPowered(node, false);
  }

  powerOn(node: string): void {
    const member = this.#member(node);
    if (!member.off) return;
    member.off = false;
    this.#environment.network.setPowered(node, true);
    member.kubelet = member.kubelet.rebooted();
    member.agent = new NodeAgent(member.kubelet, member.definition.labels, {
      bootId: randomUid(this.#environment.kernel.random),
      machineId: randomHex(this.#environment.kernel.random, 32),
    });
    member.agent.start(true);
    this.#resync(member);
  }

  isRunning(node: string): boolean {
    return !this.#member(node).off;
  }

  isPartitioned(node: string): boolean {
    return this.#member(node).cut;
  }

  partition(node: string, cut: boolean): void {
    const member = this.#member(node);
    if (member.cut === cut) return;
    member.cut = cut;
    this.#environment.network.setPartitioned(node, cut);
    member.kubelet.setConnected(!cut);
    if (!cut && !member.off) this.#resync(member);
  }

  limitRate(node: string, bitsPerSecond: number | undefined): void {
    this.#member(node).kubelet.images.bitsPerSecond = bitsPerSecond;
  }

  killContainer(node: string, id: string): boolean {
    const running = [...this.#member(node).kubelet.runtime.pods()].flatMap((pod) => pod.containers).filter((one) => one.state === 'running');
    const found = running.find((one) => one.id.startsWith(id));
    found?.process?.signal('SIGKILL');
    return found !== undefined;
  }

  async fillDisk(node: string, bytes: number): Promise<void> {
    const { kubelet } = this.#member(node);
    const { DiskPressure } = await this.#environment.kernel.external(import('./disk-pressure.ts'));
    kubelet.diskPressure ??= new DiskPressure(kubelet);
    kubelet.diskPressure.fill(bytes);
  }

  /** After being away the kubelet lists its Pods anew. */
  #resync(member: Member): void {
    const stored = this.#environment.client
      .resource<Pod>('v1/pods')
      .list()
      .filter((pod) => pod.spec?.nodeName === member.definition.name);
    const known = new Set(stored.map((pod) => pod.metadata?.uid));
    for (const worker of [...member.kubelet.workers()]) if (!known.has(worker.uid)) member.kubelet.podRemoved(worker.pod);
    // What was deleted while the machine was off is not started again.
    for (const pod of [...member.kubelet.runtime.pods()])
      if (!known.has(pod.uid) && pod.containers.every((container) => container.state === 'exited')) member.kubelet.runtime.remove(pod.uid);
    for (const pod of stored) member.kubelet.podChanged(pod);
  }

  #member(node: string): Member {
    const member = this.#members.get(node);
    if (!member) throw new Error(`no machine ${node}`);
    return member;
  }

  dispose(): void {
    this.#store.dispose();
    for (const member of this.#members.values()) {
      member.agent.dispose();
      member.kubelet.powerOff();
    }
  }
}
