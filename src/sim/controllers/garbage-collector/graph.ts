import type { ApiObject } from '../../client/types.ts';
import type { OwnerReference } from '../../kinds/types.ts';
import { equal, isDeleting, nameOf, namespaceOf, uidOf } from '../object.ts';
import type { DeletableResource } from '../resources.ts';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

/** An object in the graph of who owns whom. */
export interface GraphNode {
  uid: string;
  resource: DeletableResource;
  namespace: string;
  name: string;
  owners: readonly OwnerReference[];
  dependents: Set<GraphNode>;
  deleting: boolean;
  /** Foreground deletion: waits for its dependents. */
  deletingDependents: boolean;
}

export function hasFinalizer(object: ApiObject, finalizer: string): boolean {
  return object.metadata?.finalizers?.includes(finalizer) ?? false;
}

/** What a change of the graph asks for. */
export interface GraphEvents {
  attemptToDelete(node: GraphNode): void;
  attemptToOrphan(node: GraphNode): void;
}

/** Builds the graph from watch events (garbagecollector/graph_builder.go of v1.36). */
export class Graph {
  readonly #nodes = new Map<string, GraphNode>();
  /** Dependents of owners that are not known (yet), by the owner's uid. */
  readonly #waiting = new Map<string, Set<GraphNode>>();
  readonly #events: GraphEvents;

  constructor(events: GraphEvents) {
    this.#events = events;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  set(resource: DeletableResource, object: ApiObject): void {
    const uid = uidOf(object);
    let node = this.#nodes.get(uid);
    const before = node ? { deleting: node.deleting, owners: node.owners } : { deleting: false, owners: [] as readonly OwnerReference[] };
    const owners = object.metadata?.ownerReferences ?? [];
    if (!node) {
      node = { uid, resource, namespace: namespaceOf(object), name: nameOf(object), owners, dependents: new Set(), deleting: false, deletingDependents: false };
      this.#nodes.set(uid, node);
      for (const dependent of this.#waiting.get(uid) ?? []) node.dependents.add(dependent);
      this.#waiting.delete(uid);
      this.#link(node, owners);
    } else if (!equal(owners, before.owners)) this.#relink(node, before.owners, owners);
    const wasDeletingDependents = node.deletingDependents;
    node.deleting = isDeleting(object);
    if (node.deleting && hasFinalizer(object, ORPHAN)) this.#events.attemptToOrphan(node);
    if (node.deleting && hasFinalizer(object, FOREGROUND) && !wasDeletingDependents) {
      node.deletingDependents = true;
      for (const dependent of node.dependents) this.#events.attemptToDelete(dependent);
      this.#events.attemptToDelete(node);
    }
  }

  delete(object: ApiObject): void {
    const node = this.#nodes.get(uidOf(object));
    if (!node) return;
    this.#nodes.delete(node.uid);
    this.#unlink(node, node.owners);
    for (const dependent of node.dependents) this.#events.attemptToDelete(dependent);
    for (const { uid = '' } of node.owners) {
      const owner = this.#nodes.get(uid);
      if (owner?.deletingDependents) this.#events.attemptToDelete(owner);
    }
  }

  #link(node: GraphNode, owners: readonly OwnerReference[]): void {
    for (const { uid = '' } of owners) {
      const owner = this.#nodes.get(uid);
      if (owner) {
        owner.dependents.add(node);
        continue;
      }
      const waiting = this.#waiting.get(uid) ?? new Set();
      waiting.add(node);
      this.#waiting.set(uid, waiting);
      // The owner may not exist at all.
      this.#events.attemptToDelete(node);
    }
  }

  #unlink(node: GraphNode, owners: readonly OwnerReference[]): void {
    for (const { uid = '' } of owners) {
      this.#nodes.get(uid)?.dependents.delete(node);
      const waiting = this.#waiting.get(uid);
      waiting?.delete(node);
      if (waiting?.size === 0) this.#waiting.delete(uid);
    }
  }

  #relink(node: GraphNode, before: readonly OwnerReference[], after: readonly OwnerReference[]): void {
    const removed = before.filter((ref) => !after.some((one) => one.uid === ref.uid));
    const added = after.filter((ref) => !before.some((one) => one.uid === ref.uid));
    node.owners = after;
    // An owner that waited for this one may go now: it is no dependent any more, or does not block any more.
    for (const ref of before) {
      const now = after.find((one) => one.uid === ref.uid);
      const unblocked = ref.blockOwnerDeletion && !now?.blockOwnerDeletion;
      const owner = unblocked ? this.#nodes.get(ref.uid ?? '') : undefined;
      if (owner) this.#events.attemptToDelete(owner);
    }
    this.#unlink(node, removed);
    this.#link(node, added);
  }
}
