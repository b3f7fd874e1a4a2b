import type { Labels, Matcher } from '../controllers/labels.ts';
import type { Node, Pod } from '../kinds/types.ts';
import { NodeInfo } from './node-info.ts';
import { isDeleting, isPodFinished } from './pod-state.ts';

/** How many Pods per node a selector matches, kept up to date as Pods come and go. */
interface Counter {
  namespace: string;
  matches: Matcher;
  byNode: Map<string, number>;
}

const MAX_COUNTERS = 64;

/**
 * Nodes and the Pods on them, with Pods assumed to be bound before the API says so (pkg/scheduler/backend/cache).
 * Pods on nodes that are not known (any more) wait in `homeless`.
 */
export class SchedulerCache {
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #homeless = new Map<string, Map<string, Pod>>();
  /** Uid → node, for assumed and bound Pods. */
  readonly #placed = new Map<string, string>();
  readonly #assumed = new Set<string>();
  readonly #counters = new Map<string, Counter>();
  #list: NodeInfo[] | undefined;

  /** All nodes, zone after zone in turn, by name within a zone (node_tree.go; upstream's order within a zone is that of arrival). */
  nodes(): readonly NodeInfo[] {
    if (this.#list) return this.#list;
    const zones = new Map<string, NodeInfo[]>();
    for (const info of [...this.#nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const zone = `${info.labels['topology.kubernetes.io/region'] ?? ''}:${info.labels['topology.kubernetes.io/zone'] ?? ''}`;
      const members = zones.get(zone);
      if (members) members.push(info);
      else zones.set(zone, [info]);
    }
    this.#list = [];
    for (let turn = 0; this.#list.length < this.#nodes.size; turn++) {
      for (const members of zones.values()) if (members[turn]) this.#list.push(members[turn] as NodeInfo);
    }
    return this.#list;
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  setNode(node: Node): void {
    const name = node.metadata?.name ?? '';
    const known = this.#nodes.get(name);
    if (known) {
      known.setNode(node);
      return;
    }
    const info = new NodeInfo(node);
    this.#nodes.set(name, info);
    for (const pod of this.#homeless.get(name)?.values() ?? []) info.add(pod);
    this.#homeless.delete(name);
    this.#list = undefined;
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (!info) return;
    this.#nodes.delete(name);
    const left = new Map<string, Pod>();
    for (const [uid, one] of info.pods) left.set(uid, one.pod);
    if (left.size > 0) this.#homeless.set(name, left);
    this.#list = undefined;
  }

  assume(pod: Pod, node: string): void {
    const uid = pod.metadata?.uid ?? '';
    this.#assumed.add(uid);
    this.#place({ ...pod, spec: { ...pod.spec, nodeName: node } }, node);
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid);
  }

  forget(uid: string): void {
    if (this.#assumed.delete(uid)) this.#unplace(uid);
  }

  /** A Pod the API says is on a node (or finished there). */
  setPod(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    this.#assumed.delete(uid);
    if (isPodFinished(pod)) this.#unplace(uid);
    else this.#place(pod, pod.spec?.nodeName ?? '');
  }

  removePod(uid: string): void {
    this.#assumed.delete(uid);
    this.#unplace(uid);
  }

  #place(pod: Pod, node: string): void {
    const uid = pod.metadata?.uid ?? '';
    if (this.#placed.has(uid)) this.#unplace(uid);
    this.#placed.set(uid, node);
    const info = this.#nodes.get(node);
    if (info) info.add(pod);
    else {
      const waiting = this.#homeless.get(node) ?? new Map<string, Pod>();
      waiting.set(uid, pod);
      this.#homeless.set(node, waiting);
    }
    this.#count(pod, node, 1);
  }

  #unplace(uid: string): void {
    const node = this.#placed.get(uid);
    if (node === undefined) return;
    this.#placed.delete(uid);
    let pod = this.#nodes.get(node)?.remove(uid);
    if (!pod) {
      pod = this.#homeless.get(node)?.get(uid);
      this.#homeless.get(node)?.delete(uid);
    }
    if (pod) this.#count(pod, node, -1);
  }

  #count(pod: Pod, node: string, sign: 1 | -1): void {
    if (this.#counters.size === 0 || isDeleting(pod)) return;
    const namespace = pod.metadata?.namespace ?? '';
    const labels: Labels = pod.metadata?.labels ?? {};
    for (const counter of this.#counters.values()) {
      if (counter.namespace === namespace && counter.matches(labels)) counter.byNode.set(node, (counter.byNode.get(node) ?? 0) + sign);
    }
  }

  /** Per node, the Pods of `namespace` that match and are not being deleted; `key` names the selector. */
  matching(namespace: string, key: string, matches: Matcher): ReadonlyMap<string, number> {
    const id = `${namespace}/${key}`;
    let counter = this.#counters.get(id);
    if (counter) {
      // Least recently used goes first when there are too many.
      this.#counters.delete(id);
      this.#counters.set(id, counter);
      return counter.byNode;
    }
    counter = { namespace, matches, byNode: new Map() };
    for (const info of this.#nodes.values()) {
      let count = 0;
      for (const { pod } of info.pods.values()) {
        if (!isDeleting(pod) && pod.metadata?.namespace === namespace && matches(pod.metadata.labels ?? {})) count++;
      }
      if (count > 0) counter.byNode.set(info.name, count);
    }
    this.#counters.set(id, counter);
    if (this.#counters.size > MAX_COUNTERS) {
      const oldest = this.#counters.keys().next().value;
      if (oldest !== undefined) this.#counters.delete(oldest);
    }
    return counter.byNode;
  }
}
