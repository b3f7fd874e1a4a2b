import type { Kernel } from '../../../kernel/index.ts';
import type { Client, Informer } from '../../client/types.ts';
import type { ControllerRevision, Pod, StatefulSet, StatefulSetStatus } from '../../kinds/types.ts';
import { retryOnConflict } from '../errors.ts';
import { createRevision, equalRevisions, listRevisions, newRevision, renumberRevision, templateOf, truncateHistory } from '../history.ts';
import { selectorMatcher } from '../labels.ts';
import { cause, clone, isDeleting, nameOf, namespaceOf, omitEmpty, refOf } from '../object.ts';
import { isPodAvailable } from '../pods.ts';
import {
  identityMatches,
  inOrdinalRange,
  isCreated,
  isRunningAndReady,
  isUnavailable,
  newVersionedPod,
  ordinalOf,
  podRevision,
  replicasOf,
  STATEFUL_SET,
  startOrdinal,
  storageMatches,
} from './identity.ts';
import type { StatefulPodControl } from './pod-control.ts';

const ACTOR = 'statefulset-controller';

/** Why processing stopped early. */
type Step = 'exit' | 'go on';

/**
 * The rules of StatefulSets (stateful_set_control.go of v1.36; feature gate MaxUnavailableStatefulSet is off there, as
 * the recorded cluster shows by dropping `maxUnavailable`).
 */
export class StatefulSetControl {
  readonly #kernel: Kernel;
  readonly #client: Client;
  readonly #pods: StatefulPodControl;
  readonly #revisions: Informer<ControllerRevision>;

  constructor(kernel: Kernel, client: Client, pods: StatefulPodControl, revisions: Informer<ControllerRevision>) {
    this.#kernel = kernel;
    this.#client = client;
    this.#pods = pods;
    this.#revisions = revisions;
  }

  /** One round: at most one create or delete in OrderedReady. Returns the status it wrote or found unchanged. */
  update(set: StatefulSet, pods: readonly Pod[]): StatefulSetStatus {
    const revisions = listRevisions(this.#revisions, set, selectorMatcher(set.spec?.selector));
    let current: ControllerRevision | undefined;
    let update: ControllerRevision | undefined;
    try {
      const collision = { count: set.status?.collisionCount ?? 0 };
      [current, update] = this.#currentAndUpdateRevision(set, revisions, collision);
      const round = new Round(this.#kernel.now(), set, current, update, collision.count, pods, this.#pods);
      let failure: unknown;
      try {
        round.run();
      } catch (error) {
        failure = error;
      }
      try {
        this.#writeStatus(set, round.status);
      } catch (error) {
        throw failure ?? error;
      }
      if (failure) throw failure;
      return round.status;
    } finally {
      const live = new Set(pods.map(podRevision));
      if (current) live.add(nameOf(current));
      if (update) live.add(nameOf(update));
      truncateHistory(this.#client, ACTOR, revisions, live, set.spec?.revisionHistoryLimit ?? 10);
    }
  }

  /** getStatefulSetRevisions: the revision Pods have and the one they should get; made or renumbered when the template changed. */
  #currentAndUpdateRevision(set: StatefulSet, revisions: ControllerRevision[], collision: { count: number }): [ControllerRevision, ControllerRevision] {
    const latest = revisions.at(-1);
    let update = newRevision(set, STATEFUL_SET, set.spec?.template, (latest?.revision ?? 0) + 1, collision.count);
    const same = revisions.filter((revision) => equalRevisions(revision, update)).at(-1);
    if (latest && same && equalRevisions(latest, same)) update = latest;
    else if (same) update = renumberRevision(this.#client, ACTOR, same, update.revision ?? 0);
    else update = createRevision(this.#client, ACTOR, set, STATEFUL_SET, update, collision);
    const current = revisions.find((revision) => nameOf(revision) === set.status?.currentRevision) ?? update;
    return [current, update];
  }

  #writeStatus(set: StatefulSet, status: StatefulSetStatus): void {
    completeRollingUpdate(set, status);
    if (!inconsistentStatus(set, status)) return;
    const resource = this.#client.resource<StatefulSet>(STATEFUL_SET.resource);
    retryOnConflict((attempt) => {
      const copy = clone(attempt === 0 ? set : (resource.get(namespaceOf(set), nameOf(set)) ?? set));
      copy.status = omitEmpty(status, ['replicas', 'availableReplicas', 'collisionCount']);
      resource.updateStatus(copy, { cause: cause(ACTOR, 'statefulset/status', refOf(set, STATEFUL_SET.resource)) });
    });
  }
}

function completeRollingUpdate(set: StatefulSet, status: StatefulSetStatus): void {
  const replicas = replicasOf(set);
  if (set.spec?.updateStrategy?.type !== 'RollingUpdate') return;
  if (status.updatedReplicas !== replicas || status.readyReplicas !== replicas || status.replicas !== replicas) return;
  status.currentReplicas = status.updatedReplicas;
  if (status.updateRevision !== undefined) status.currentRevision = status.updateRevision;
}

function inconsistentStatus(set: StatefulSet, status: StatefulSetStatus): boolean {
  const old = set.status ?? {};
  return (
    (status.observedGeneration ?? 0) > (old.observedGeneration ?? 0) ||
    status.replicas !== (old.replicas ?? 0) ||
    status.currentReplicas !== (old.currentReplicas ?? 0) ||
    status.readyReplicas !== (old.readyReplicas ?? 0) ||
    status.updatedReplicas !== (old.updatedReplicas ?? 0) ||
    status.currentRevision !== (old.currentRevision ?? '') ||
    status.availableReplicas !== (old.availableReplicas ?? 0) ||
    status.updateRevision !== (old.updateRevision ?? '')
  );
}

/** One pass of updateStatefulSet over the Pods of a set. */
class Round {
  readonly status: StatefulSetStatus;
  readonly #nowMs: number;
  readonly #set: StatefulSet;
  readonly #current: ControllerRevision;
  readonly #update: ControllerRevision;
  readonly #currentSet: StatefulSet;
  readonly #updateSet: StatefulSet;
  readonly #control: StatefulPodControl;
  readonly #minReadySeconds: number;
  readonly #monotonic: boolean;
  readonly #replicas: Pod[] = [];
  readonly #condemned: Pod[] = [];
  #firstUnavailable: Pod | undefined;

  constructor(
    nowMs: number,
    set: StatefulSet,
    current: ControllerRevision,
    update: ControllerRevision,
    collisionCount: number,
    pods: readonly Pod[],
    control: StatefulPodControl,
  ) {
    this.#nowMs = nowMs;
    this.#set = set;
    this.#current = current;
    this.#update = update;
    this.#currentSet = { ...set, spec: { ...set.spec, template: templateOf(current) } };
    this.#updateSet = { ...set, spec: { ...set.spec, template: templateOf(update) } };
    this.#control = control;
    this.#minReadySeconds = set.spec?.minReadySeconds ?? 0;
    this.#monotonic = set.spec?.podManagementPolicy !== 'Parallel';
    this.status = {
      observedGeneration: set.metadata?.generation ?? 0,
      replicas: 0,
      readyReplicas: 0,
      currentReplicas: 0,
      updatedReplicas: 0,
      currentRevision: nameOf(current),
      updateRevision: nameOf(update),
      collisionCount,
      availableReplicas: 0,
    };
    this.#count(pods);
    this.#sortOut(pods);
  }

  run(): void {
    if (isDeleting(this.#set)) return;
    try {
      if (this.#forAll(this.#replicas, (pod) => this.#processReplica(pod)) === 'exit') return;
      if (this.#forAll(this.#condemned, (pod) => this.#fixClaims(pod)) === 'exit') return;
      if (this.#forAll(this.#condemned, (pod) => this.#processCondemned(pod)) === 'exit') return;
    } finally {
      this.#count(this.#replicas, this.#condemned);
    }
    if (this.#set.spec?.updateStrategy?.type === 'OnDelete') return;
    this.#rollOn();
  }

  /** Valid replicas by ordinal, with new Pods in the gaps; condemned ones from the highest ordinal down. */
  #sortOut(pods: readonly Pod[]): void {
    const start = startOrdinal(this.#set);
    const slots: (Pod | undefined)[] = new Array(replicasOf(this.#set)).fill(undefined);
    for (const pod of pods) {
      if (inOrdinalRange(pod, this.#set)) slots[ordinalOf(pod) - start] = pod;
      else if (ordinalOf(pod) >= 0) this.#condemned.push(pod);
    }
    slots.forEach((pod, index) => {
      this.#replicas.push(pod ?? newVersionedPod(this.#currentSet, this.#updateSet, this.#current, this.#update, start + index));
    });
    this.#condemned.sort((a, b) => ordinalOf(b) - ordinalOf(a));
    this.#firstUnavailable = [...this.#replicas, ...[...this.#condemned].reverse()].find((pod) => isUnavailable(pod, this.#minReadySeconds, this.#nowMs));
  }

  #count(...lists: (readonly Pod[])[]): void {
    let replicas = 0;
    let ready = 0;
    let available = 0;
    let current = 0;
    let updated = 0;
    for (const pods of lists) {
      for (const pod of pods) {
        if (!isCreated(pod)) continue;
        replicas++;
        if (isRunningAndReady(pod)) {
          ready++;
          if (isPodAvailable(pod, this.#minReadySeconds, this.#nowMs)) available++;
        }
        if (isDeleting(pod)) continue;
        if (podRevision(pod) === nameOf(this.#current)) current++;
        if (podRevision(pod) === nameOf(this.#update)) updated++;
      }
    }
    Object.assign(this.status, { replicas, readyReplicas: ready, availableReplicas: available, currentReplicas: current, updatedReplicas: updated });
  }

  /** In order until one says exit (OrderedReady), or all of them in growing batches (Parallel). */
  #forAll(pods: readonly Pod[], step: (pod: Pod) => Step): Step {
    if (this.#monotonic) {
      for (const pod of pods) if (step(pod) === 'exit') return 'exit';
      return 'go on';
    }
    let next = 0;
    for (let batch = 1; next < pods.length; batch = Math.min(batch * 2, 500)) {
      let failure: unknown;
      for (const pod of pods.slice(next, next + batch)) {
        try {
          step(pod);
        } catch (error) {
          failure ??= error;
        }
      }
      if (failure) throw failure;
      next += batch;
    }
    return 'go on';
  }

  #processReplica(pod: Pod): Step {
    // A Pod that ended is replaced whatever its exit code: eviction and reboot end Pods too.
    if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') {
      if (!isDeleting(pod)) this.#control.delete(this.#set, pod, 'statefulset/replace-finished-pod');
      return 'exit';
    }
    if (!isCreated(pod)) {
      if (this.#control.claimIsStale(this.#set, pod)) return 'exit';
      this.#control.create(this.#set, pod);
      if (this.#monotonic) return 'exit';
    }
    if (pod.status?.phase === 'Pending') this.#control.createMissingClaims(this.#set, pod);
    if (this.#monotonic) {
      if (isDeleting(pod) || !isRunningAndReady(pod)) return 'exit';
      if (!isPodAvailable(pod, this.#minReadySeconds, this.#nowMs)) return 'exit';
    }
    const fits = identityMatches(this.#set, pod) && storageMatches(this.#set, pod) && this.#control.claimsMatchPolicy(this.#updateSet, pod);
    if (!fits) this.#control.update(this.#updateSet, pod);
    return 'go on';
  }

  #fixClaims(pod: Pod): Step {
    if (!this.#control.claimsMatchPolicy(this.#updateSet, pod)) this.#control.updateClaims(this.#updateSet, pod);
    return 'go on';
  }

  #processCondemned(pod: Pod): Step {
    if (isDeleting(pod)) return this.#monotonic ? 'exit' : 'go on';
    if (this.#monotonic && pod !== this.#firstUnavailable) {
      if (!isRunningAndReady(pod) || !isPodAvailable(pod, this.#minReadySeconds, this.#nowMs)) return 'exit';
    }
    this.#control.delete(this.#set, pod, 'statefulset/scale-down');
    return 'exit';
  }

  /** Deletes the highest-ordinal Pod of another revision, down to the partition, one at a time. */
  #rollOn(): void {
    const partition = this.#set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
    for (let target = this.#replicas.length - 1; target >= partition; target--) {
      const pod = this.#replicas[target];
      if (!pod) continue;
      if (podRevision(pod) !== nameOf(this.#update) && !isDeleting(pod)) {
        this.#control.delete(this.#set, pod, 'statefulset/rolling-update');
        this.status.currentReplicas = (this.status.currentReplicas ?? 0) - 1;
        return;
      }
      if (isUnavailable(pod, this.#minReadySeconds, this.#nowMs)) return;
    }
  }
}
