import type { Disposable } from '../../../kernel/index.ts';
import type { ObjectRef } from '../../cause.ts';
import type { ApiObject } from '../../client/types.ts';
import type { CustomResourceDefinition, OwnerReference } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { ignoreNotFound } from '../errors.ts';
import { cause, isDeleting, refOf, uidOf } from '../object.ts';
import { BUILT_IN, customResource, DEFINITIONS, type DeletableResource, splitResource } from '../resources.ts';
import { FOREGROUND, Graph, type GraphNode, hasFinalizer, ORPHAN } from './graph.ts';

const ACTOR = 'garbage-collector';

/** "apps" of "apps/v1", '' of "v1". */
function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

/** Deletes what has lost its owners; background, foreground and orphan deletion (pkg/controller/garbagecollector of v1.36). */
export function startGarbageCollector(context: ControllerContext): Disposable {
  const { client } = context;
  const byKind = new Map<string, DeletableResource>();
  const deletes = new Controller(context, { name: ACTOR, sync: attemptToDelete, latencyMs: 8 });
  const orphans = deletes.own(new Controller(context, { name: ACTOR, sync: attemptToOrphan, latencyMs: 8 }));
  const graph = new Graph({
    attemptToDelete: (node) => deletes.queue.add(node.uid),
    attemptToOrphan: (node) => orphans.queue.add(node.uid),
  });

  function latestOf(node: GraphNode): ApiObject | undefined {
    const object = client.resource<ApiObject>(node.resource.id).get(node.namespace, node.name);
    return object && uidOf(object) === node.uid ? object : undefined;
  }

  function attemptToDelete(uid: string): void {
    const node = graph.get(uid);
    if (!node || (node.deleting && !node.deletingDependents)) return;
    const latest = latestOf(node);
    if (!latest) return;
    if (node.deletingDependents) {
      processDeletingDependents(node, latest);
      return;
    }
    const owners = latest.metadata?.ownerReferences ?? [];
    if (owners.length === 0) return;
    const solid: OwnerReference[] = [];
    const dangling: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const ref of owners) {
      const owner = ownerOf(node, ref);
      if (owner === 'unknown') return;
      if (!owner) dangling.push(ref);
      else if (isDeleting(owner) && hasFinalizer(owner, FOREGROUND)) waiting.push(ref);
      else solid.push(ref);
    }
    if (solid.length > 0) {
      if (dangling.length > 0 || waiting.length > 0) setOwners(node, latest, solid, 'garbage-collector/drop-owner');
      return;
    }
    if (waiting.length > 0 && node.dependents.size > 0) {
      // A cycle would wait for itself: let the owner go on without this one.
      if ([...node.dependents].some((one) => one.deletingDependents)) {
        const unblocked = owners.map((ref) => ({ ...ref, blockOwnerDeletion: false }));
        setOwners(node, latest, unblocked, 'garbage-collector/unblock');
      }
      remove(node, latest, 'Foreground');
      return;
    }
    if (hasFinalizer(latest, ORPHAN)) remove(node, latest, 'Orphan');
    else remove(node, latest, hasFinalizer(latest, FOREGROUND) ? 'Foreground' : 'Background');
  }

  /** The owner as it is now; undefined when it is gone, 'unknown' when its kind is not known here. */
  function ownerOf(node: GraphNode, ref: OwnerReference): ApiObject | 'unknown' | undefined {
    const resource = byKind.get(`${groupOf(ref.apiVersion ?? '')}/${ref.kind ?? ''}`);
    if (!resource || (resource.namespaced && node.namespace === '')) return 'unknown';
    const owner = client.resource<ApiObject>(resource.id).get(resource.namespaced ? node.namespace : '', ref.name ?? '');
    return owner && uidOf(owner) === ref.uid ? owner : undefined;
  }

  function processDeletingDependents(node: GraphNode, latest: ApiObject): void {
    const blocking = [...node.dependents].filter((one) => one.owners.some((ref) => ref.uid === node.uid && ref.blockOwnerDeletion));
    if (blocking.length === 0) {
      removeFinalizer(node, latest, FOREGROUND);
      return;
    }
    for (const dependent of blocking) if (!dependent.deletingDependents) deletes.queue.add(dependent.uid);
  }

  function attemptToOrphan(uid: string): void {
    const node = graph.get(uid);
    const latest = node ? latestOf(node) : undefined;
    if (!node || !latest || !hasFinalizer(latest, ORPHAN)) return;
    for (const dependent of [...node.dependents]) {
      const object = latestOf(dependent);
      if (!object) continue;
      const left = (object.metadata?.ownerReferences ?? []).filter((ref) => ref.uid !== uid);
      setOwners(dependent, object, left, 'garbage-collector/orphan', refOf(latest, node.resource.id));
    }
    removeFinalizer(node, latest, ORPHAN);
  }

  function setOwners(node: GraphNode, latest: ApiObject, owners: readonly OwnerReference[], rule: string, because = refOf(latest, node.resource.id)): void {
    const body = { metadata: { uid: node.uid, ownerReferences: owners.length > 0 ? owners : null } };
    ignoreNotFound(() => client.resource(node.resource.id).patch(node.namespace, node.name, body, { cause: cause(ACTOR, rule, because) }));
  }

  /** Whose end is the dependent's end too. */
  function goneOwner(node: GraphNode): ObjectRef | undefined {
    const ref = node.owners.find((one) => one.controller) ?? node.owners[0];
    const resource = byKind.get(`${groupOf(ref?.apiVersion ?? '')}/${ref?.kind ?? ''}`);
    if (!ref || !resource) return undefined;
    return { resource: resource.id, namespace: resource.namespaced ? node.namespace : '', name: ref.name ?? '', uid: ref.uid ?? '' };
  }

  function removeFinalizer(node: GraphNode, latest: ApiObject, finalizer: string): void {
    const finalizers = (latest.metadata?.finalizers ?? []).filter((one) => one !== finalizer);
    const body = { metadata: { uid: node.uid, finalizers: finalizers.length > 0 ? finalizers : null } };
    const options = { cause: cause(ACTOR, 'garbage-collector/finish', refOf(latest, node.resource.id), { finalizer }) };
    ignoreNotFound(() => client.resource(node.resource.id).patch(node.namespace, node.name, body, options));
  }

  function remove(node: GraphNode, latest: ApiObject, propagationPolicy: 'Background' | 'Foreground' | 'Orphan'): void {
    ignoreNotFound(() =>
      client.resource(node.resource.id).delete(node.namespace, node.name, {
        cause: cause(ACTOR, 'garbage-collector/owner-gone', goneOwner(node) ?? refOf(latest, node.resource.id)),
        propagationPolicy,
        preconditions: { uid: node.uid },
      }),
    );
  }

  function follow(resource: DeletableResource): void {
    const [version] = splitResource(resource.id);
    byKind.set(`${groupOf(version)}/${resource.kind}`, resource);
    deletes.watch<ApiObject>(resource.id, ({ type, object }) => {
      if (type === 'DELETED') graph.delete(object);
      else graph.set(resource, object);
    });
  }

  for (const resource of BUILT_IN) follow(resource);
  const followed = new Set<string>();
  deletes.watch<CustomResourceDefinition>(DEFINITIONS, ({ type, object }) => {
    const resource = type === 'DELETED' ? undefined : customResource(object);
    if (!resource || followed.has(resource.id)) return;
    followed.add(resource.id);
    follow(resource);
  });
  return deletes;
}
