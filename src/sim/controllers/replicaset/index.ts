import type { Disposable } from '../../../kernel/index.ts';
import type { ApiObject, Informer, WatchEvent } from '../../client/types.ts';
import type { ObjectMeta, Pod, PodTemplateSpec, ReplicaSetStatus } from '../../kinds/types.ts';
import { claimObjects } from '../claim-ref.ts';
import { Controller, type ControllerContext, ensureIndex } from '../controller.ts';
import { isNamespaceTerminating, retryOnConflict } from '../errors.ts';
import { type Matcher, mapMatcher, selectorMatcher } from '../labels.ts';
import {
  cause,
  clone,
  controllerOf,
  equal,
  type Identified,
  isDeleting,
  keyOf,
  labelsOf,
  nameOf,
  namespaceOf,
  omitEmpty,
  refOf,
  splitKey,
  timeOf,
  uidOf,
} from '../object.ts';
import { PodWriter, slowStartBatch } from '../pod-writer.ts';
import { isPodActive, isPodAvailable, isPodReady, isPodTerminating, nextAvailabilityMs, podInformer, podsOfOwner } from '../pods.ts';
import { podsToDelete } from './ranking.ts';

/** The fields a ReplicaSet and a ReplicationController share. */
interface Replicated extends ApiObject {
  metadata?: ObjectMeta;
  spec?: { replicas?: number; minReadySeconds?: number; selector?: unknown; template?: PodTemplateSpec };
  status?: ReplicaSetStatus;
}

interface Variant {
  actor: string;
  kind: Identified;
  /** ReplicaSets count terminating Pods in their status since v1.35; ReplicationControllers don't. */
  countsTerminating: boolean;
  matcher(owner: Replicated): Matcher;
}

const REPLICA_SET: Variant = {
  actor: 'replicaset-controller',
  kind: { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'apps/v1/replicasets' },
  countsTerminating: true,
  matcher: (owner) => selectorMatcher(owner.spec?.selector as Parameters<typeof selectorMatcher>[0]),
};

const REPLICATION_CONTROLLER: Variant = {
  actor: 'replication-controller',
  kind: { apiVersion: 'v1', kind: 'ReplicationController', resource: 'v1/replicationcontrollers' },
  countsTerminating: false,
  matcher: (owner) => mapMatcher(owner.spec?.selector as Record<string, string> | undefined),
};

export function startReplicaSetController(context: ControllerContext): Disposable {
  return start(context, REPLICA_SET);
}

/** Upstream runs ReplicationControllers through the ReplicaSet controller too (pkg/controller/replication). */
export function startReplicationController(context: ControllerContext): Disposable {
  return start(context, REPLICATION_CONTROLLER);
}

const BURST = 500;

/** pkg/controller/replicaset of v1.36. */
function start(context: ControllerContext, variant: Variant): Disposable {
  const { kernel, client } = context;
  const { actor, kind } = variant;
  const pods = podInformer(client);
  const owners: Informer<Replicated> = ensureIndex(client.informer<Replicated>(kind.resource), 'owner', (one) => {
    const owner = controllerOf(one);
    return owner ? [owner.uid ?? ''] : [];
  });
  const resource = client.resource<Replicated>(kind.resource);
  const writer = new PodWriter(client, actor, kind);
  const controller = new Controller(context, { name: actor, sync });

  function sync(key: string): void {
    const [namespace, name] = splitKey(key);
    const owner = owners.get(namespace, name);
    if (!owner || controller.isBusy(key)) return;
    const matches = variant.matcher(owner);
    const candidates = podsOfOwner(pods, owner, true);
    const active = claimObjects<Pod>({
      actor,
      owner,
      ownerKind: kind,
      childResource: 'v1/pods',
      children: client.resource<Pod>('v1/pods'),
      candidates: candidates.filter(isPodActive),
      matches: (pod) => matches(labelsOf(pod)),
      fresh: () => resource.get(namespace, name),
    });
    const terminating = candidates.filter((pod) => isPodTerminating(pod) && controllerOf(pod)?.uid === uidOf(owner) && matches(labelsOf(pod)));
    controller.spent(key, candidates.length);
    let failure: unknown;
    if (!isDeleting(owner)) failure = manage(owner, active);
    writeStatus(owner, statusOf(owner, active, terminating.length, failure));
    if (failure) throw failure;
    const minReadySeconds = owner.spec?.minReadySeconds ?? 0;
    if (minReadySeconds > 0) {
      const waitMs = nextAvailabilityMs(active, minReadySeconds, kernel.now());
      if (waitMs !== undefined) controller.queue.addAfter(key, waitMs);
    }
  }

  /** Creates what is missing or deletes what is too much; returns the first failure. */
  function manage(owner: Replicated, active: readonly Pod[]): unknown {
    const diff = active.length - (owner.spec?.replicas ?? 1);
    if (diff < 0) {
      const [, failure] = slowStartBatch(Math.min(-diff, BURST), () => {
        try {
          writer.create(owner, owner.spec?.template, 'replicaset/create-pod');
        } catch (error) {
          if (!isNamespaceTerminating(error)) throw error;
        }
      });
      // A real controller creates the next 500 when it has seen these; here the events of these bring it back too.
      return failure;
    }
    let failure: unknown;
    if (diff > 0) {
      for (const pod of podsToDelete(active, relatedPods(owner), Math.min(diff, BURST), kernel.now())) {
        try {
          writer.delete(owner, pod, 'replicaset/delete-pod');
        } catch (error) {
          failure ??= error;
        }
      }
    }
    return failure;
  }

  /** Pods of all ReplicaSets with the same controller: those doubled up on a node go first. */
  function relatedPods(owner: Replicated): Pod[] {
    const parent = controllerOf(owner);
    if (!parent) return [];
    return owners.byIndex('owner', parent.uid ?? '').flatMap((sibling) => pods.byIndex('owner', uidOf(sibling)));
  }

  function statusOf(owner: Replicated, active: readonly Pod[], terminating: number, failure: unknown): ReplicaSetStatus {
    const minReadySeconds = owner.spec?.minReadySeconds ?? 0;
    const hasTemplateLabels = mapMatcher(owner.spec?.template?.metadata?.labels);
    const ready = active.filter(isPodReady);
    const status: ReplicaSetStatus = {
      ...clone(owner.status ?? {}),
      replicas: active.length,
      fullyLabeledReplicas: active.filter((pod) => hasTemplateLabels(labelsOf(pod))).length,
      readyReplicas: ready.length,
      availableReplicas: ready.filter((pod) => isPodAvailable(pod, minReadySeconds, kernel.now())).length,
    };
    if (variant.countsTerminating) status.terminatingReplicas = terminating;
    const others = (status.conditions ?? []).filter((condition) => condition.type !== 'ReplicaFailure');
    const known = status.conditions?.find((condition) => condition.type === 'ReplicaFailure');
    if (failure && !known) {
      const diff = active.length - (owner.spec?.replicas ?? 1);
      status.conditions = [
        ...others,
        {
          type: 'ReplicaFailure',
          status: 'True',
          lastTransitionTime: timeOf(kernel.now()),
          reason: diff < 0 ? 'FailedCreate' : 'FailedDelete',
          message: (failure as Error).message,
        },
      ];
    } else if (!failure && known) status.conditions = others;
    return status;
  }

  function writeStatus(owner: Replicated, status: ReplicaSetStatus): void {
    const generation = owner.metadata?.generation ?? 0;
    const old = owner.status ?? {};
    const same =
      (old.replicas ?? 0) === status.replicas &&
      (old.fullyLabeledReplicas ?? 0) === status.fullyLabeledReplicas &&
      (old.readyReplicas ?? 0) === status.readyReplicas &&
      (old.availableReplicas ?? 0) === status.availableReplicas &&
      old.terminatingReplicas === status.terminatingReplicas &&
      generation === (old.observedGeneration ?? 0) &&
      equal(old.conditions ?? [], status.conditions ?? []);
    if (same) return;
    retryOnConflict((attempt) => {
      const fresh = attempt === 0 ? owner : resource.get(namespaceOf(owner), nameOf(owner));
      if (!fresh) return;
      const copy = clone(fresh);
      copy.status = omitEmpty({ ...status, observedGeneration: generation }, variant.countsTerminating ? ['replicas', 'terminatingReplicas'] : ['replicas']);
      resource.updateStatus(copy, { cause: cause(actor, 'replicaset/status', refOf(owner, kind.resource)) });
    });
  }

  function ownerOf(pod: Pod): Replicated | undefined {
    const ref = controllerOf(pod);
    if (!ref || ref.kind !== kind.kind) return undefined;
    const owner = owners.get(namespaceOf(pod), ref.name ?? '');
    return owner && uidOf(owner) === ref.uid ? owner : undefined;
  }

  function onPod({ type, object: pod, old }: WatchEvent<Pod>): void {
    const ownerChanged = old !== undefined && !equal(controllerOf(old), controllerOf(pod));
    if (ownerChanged && old) {
      const previous = ownerOf(old);
      if (previous) controller.queue.add(keyOf(previous));
    }
    if (controllerOf(pod)) {
      const owner = ownerOf(pod);
      if (!owner) return;
      controller.queue.add(keyOf(owner));
      const minReadySeconds = owner.spec?.minReadySeconds ?? 0;
      if (minReadySeconds > 0 && isPodReady(pod) && old && !isPodReady(old)) controller.queue.addAfter(keyOf(owner), minReadySeconds * 1000);
      return;
    }
    if (type === 'DELETED' || isDeleting(pod)) return;
    if (type === 'MODIFIED' && old && !ownerChanged && equal(labelsOf(old), labelsOf(pod))) return;
    for (const owner of owners.list(namespaceOf(pod))) if (variant.matcher(owner)(labelsOf(pod))) controller.queue.add(keyOf(owner));
  }

  controller.watch<Replicated>(kind.resource, ({ object }) => controller.queue.add(keyOf(object)));
  controller.watch<Pod>('v1/pods', onPod);
  return controller;
}
