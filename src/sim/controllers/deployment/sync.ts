import type { Kernel } from '../../../kernel/index.ts';
import type { Client } from '../../client/types.ts';
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '../../kinds/types.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../errors.ts';
import { annotationsOf, cause, clone, controllerOf, equal, isDeleting, msOf, nameOf, namespaceOf, omitEmpty, refOf, regarding, uidOf } from '../object.ts';
import { beyondHistory, DEPLOYMENT, newReplicaSet, rollbackTo } from './replica-sets.ts';
import { rolloutStatus, statusOf } from './status.ts';
import {
  active,
  byCreation,
  conditionOf,
  DESIRED_REPLICAS,
  findNew,
  hasProgressDeadline,
  isComplete,
  isRolling,
  maxSurge,
  maxUnavailable,
  newAnnotations,
  newCondition,
  newReplicaCount,
  proportionOf,
  REVISION,
  replicasAnnotations,
  replicasOf,
  revisionOf,
  sameTemplate,
  setCondition,
  sum,
} from './util.ts';

export const ACTOR = 'deployment-controller';
const REPLICA_SETS = 'apps/v1/replicasets';
const ROLLBACK_TO = 'deprecated.deployment.rollback.to';

/** What one sync wants of its queue afterwards. */
export interface Requeue {
  afterMs?: number;
  rateLimited?: boolean;
}

/** One sync of one Deployment (pkg/controller/deployment/{sync,rolling,recreate,progress,rollback}.go of v1.36). */
export class DeploymentSync {
  readonly #kernel: Kernel;
  readonly #client: Client;
  /** A mutable copy; status and annotations change along the way, as upstream's copy does. */
  readonly #deployment: Deployment;
  readonly #replicaSets: ReplicaSet[];
  readonly requeue: Requeue = {};

  constructor(kernel: Kernel, client: Client, deployment: Deployment, replicaSets: readonly ReplicaSet[]) {
    this.#kernel = kernel;
    this.#client = client;
    this.#deployment = clone(deployment);
    this.#deployment.status ??= {};
    this.#replicaSets = [...replicaSets];
  }

  run(podsOf: (replicaSet: ReplicaSet) => readonly Pod[]): void {
    const deployment = this.#deployment;
    if (equal(deployment.spec?.selector, {})) {
      this.#event('Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.');
      return;
    }
    if (isDeleting(deployment)) {
      const [fresh, old] = this.#newAndOld(false);
      this.#syncStatus([...old, fresh], fresh);
      return;
    }
    this.#checkPaused();
    if (deployment.spec?.paused) {
      this.#scaleOnly();
      return;
    }
    if (annotationsOf(deployment)[ROLLBACK_TO] !== undefined) {
      this.#rollback();
      return;
    }
    if (this.#isScalingEvent()) {
      this.#scaleOnly();
      return;
    }
    if (deployment.spec?.strategy?.type === 'Recreate') this.#recreate(podsOf);
    else this.#roll();
  }

  get #status(): DeploymentStatus {
    this.#deployment.status ??= {};
    return this.#deployment.status;
  }

  #checkPaused(): void {
    if (!hasProgressDeadline(this.#deployment)) return;
    const condition = conditionOf(this.#status, 'Progressing');
    if (condition?.reason === 'ProgressDeadlineExceeded') return;
    const paused = this.#deployment.spec?.paused === true;
    const known = condition?.reason === 'DeploymentPaused';
    if (paused === known) return;
    const [reason, message] = paused ? ['DeploymentPaused', 'Deployment is paused'] : ['DeploymentResumed', 'Deployment is resumed'];
    setCondition(this.#status, newCondition('Progressing', 'Unknown', reason, message, this.#kernel.now()));
    this.#writeStatus('deployment/pause');
  }

  /** getAllReplicaSetsAndSyncRevision: [new, all old ones]. */
  #newAndOld(create: boolean): [ReplicaSet | undefined, ReplicaSet[]] {
    const existing = findNew(this.#deployment, this.#replicaSets);
    const old = this.#replicaSets.filter((one) => uidOf(one) !== (existing ? uidOf(existing) : undefined));
    const revision = old.reduce((max, one) => Math.max(max, revisionOf(one)), 0) + 1;
    if (existing) return [this.#syncExisting(existing, revision), old];
    return [create ? this.#create(old, revision) : undefined, old];
  }

  #syncExisting(existing: ReplicaSet, revision: number): ReplicaSet {
    const deployment = this.#deployment;
    const annotations = newAnnotations(deployment, existing, revision, true);
    const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
    if (!equal(annotations, annotationsOf(existing)) || (existing.spec?.minReadySeconds ?? 0) !== minReadySeconds) {
      const copy = clone(existing);
      copy.metadata = { ...copy.metadata, annotations };
      copy.spec = { ...copy.spec };
      if (minReadySeconds > 0) copy.spec.minReadySeconds = minReadySeconds;
      else delete copy.spec.minReadySeconds;
      return this.#client.resource<ReplicaSet>(REPLICA_SETS).update(copy, { cause: this.#cause('deployment/sync-revision') });
    }
    let changed = this.#setRevision(annotationsOf(existing)[REVISION] ?? '');
    if (hasProgressDeadline(deployment) && !conditionOf(this.#status, 'Progressing')) {
      const message = `Found new replica set ${JSON.stringify(nameOf(existing))}`;
      setCondition(this.#status, newCondition('Progressing', 'True', 'FoundNewReplicaSet', message, this.#kernel.now()));
      changed = true;
    }
    if (changed) this.#writeStatus('deployment/sync-revision');
    return existing;
  }

  #setRevision(revision: string): boolean {
    if (annotationsOf(this.#deployment)[REVISION] === revision) return false;
    this.#deployment.metadata = { ...this.#deployment.metadata, annotations: { ...this.#deployment.metadata?.annotations, [REVISION]: revision } };
    return true;
  }

  #create(old: readonly ReplicaSet[], revision: number): ReplicaSet {
    const deployment = this.#deployment;
    const replicas = newReplicaCount(deployment, old, 0);
    const fresh = newReplicaSet(deployment, revision, replicas);
    let created: ReplicaSet;
    let existed = false;
    try {
      created = this.#client
        .resource<ReplicaSet>(REPLICA_SETS)
        .create(fresh, { cause: this.#cause('deployment/create-replicaset', { replicas: String(replicas) }) });
    } catch (error) {
      if (!isAlreadyExists(error)) throw this.#createFailed(fresh, error);
      const known = this.#client.resource<ReplicaSet>(REPLICA_SETS).get(namespaceOf(fresh), nameOf(fresh));
      const ours = known && controllerOf(known)?.uid === uidOf(deployment) && sameTemplate(deployment.spec?.template, known.spec?.template);
      if (!known || !ours) {
        // A hash collision: count it, so that the next sync makes another name.
        this.#status.collisionCount = (this.#status.collisionCount ?? 0) + 1;
        this.#writeStatus('deployment/hash-collision');
        throw error;
      }
      created = known;
      existed = true;
    }
    if (!existed && replicas > 0) this.#event('Normal', 'ScalingReplicaSet', `Scaled up replica set ${nameOf(created)} from 0 to ${replicas}`);
    let changed = this.#setRevision(String(revision));
    if (!existed && hasProgressDeadline(deployment)) {
      const message = `Created new replica set ${JSON.stringify(nameOf(created))}`;
      setCondition(this.#status, newCondition('Progressing', 'True', 'NewReplicaSetCreated', message, this.#kernel.now()));
      changed = true;
    }
    if (changed) this.#writeStatus('deployment/new-replicaset');
    return created;
  }

  #createFailed(fresh: ReplicaSet, error: unknown): unknown {
    if (isNamespaceTerminating(error)) return error;
    const message = `Failed to create new replica set ${JSON.stringify(nameOf(fresh))}: ${(error as Error).message}`;
    if (hasProgressDeadline(this.#deployment)) {
      setCondition(this.#status, newCondition('Progressing', 'False', 'ReplicaSetCreateError', message, this.#kernel.now()));
      this.#writeStatus('deployment/create-failed');
    }
    this.#event('Warning', 'ReplicaSetCreateError', message);
    return error;
  }

  #isScalingEvent(): boolean {
    const [fresh, old] = this.#newAndOld(false);
    return active([...old, fresh]).some((one) => {
      const desired = annotationsOf(one)[DESIRED_REPLICAS];
      return desired !== undefined && Number(desired) !== replicasOf(this.#deployment);
    });
  }

  /** sync(): scaling and pausing touch sizes only. */
  #scaleOnly(): void {
    const [fresh, old] = this.#newAndOld(false);
    this.#scale(fresh, old);
    if (this.#deployment.spec?.paused && annotationsOf(this.#deployment)[ROLLBACK_TO] === undefined) this.#cleanUp(old);
    this.#syncStatus([...old, fresh], fresh);
  }

  #scale(fresh: ReplicaSet | undefined, old: ReplicaSet[]): void {
    const deployment = this.#deployment;
    const replicas = replicasOf(deployment);
    old.sort((a, b) => byCreation(b, a));
    const running = active([...old, fresh]);
    const single = running.length === 0 ? (fresh ?? old[0]) : running.length === 1 ? running[0] : undefined;
    if (running.length <= 1) {
      if (single && replicasOf(single) !== replicas) this.#scaleReplicaSet(single, replicas);
      return;
    }
    const saturated =
      fresh !== undefined &&
      replicasOf(fresh) === replicas &&
      Number(annotationsOf(fresh)[DESIRED_REPLICAS]) === replicas &&
      (fresh.status?.availableReplicas ?? 0) === replicas;
    if (saturated) {
      for (const one of active(old)) this.#scaleReplicaSet(one, 0);
      return;
    }
    if (!isRolling(deployment)) return;
    const toAdd = (replicas > 0 ? replicas + maxSurge(deployment) : 0) - sum(running, replicasOf);
    running.sort((a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)));
    let added = 0;
    const sizes = running.map((one) => {
      if (toAdd === 0) return replicasOf(one);
      const share = proportionOf(one, deployment, toAdd, added);
      added += share;
      return replicasOf(one) + share;
    });
    running.forEach((one, index) => {
      const leftover = index === 0 && toAdd !== 0 ? toAdd - added : 0;
      this.#scaleReplicaSet(one, Math.max(0, (sizes[index] ?? 0) + leftover), true);
    });
  }

  /** Returns the ReplicaSet as it is afterwards and whether its size changed. */
  #scaleReplicaSet(replicaSet: ReplicaSet, size: number, force = false): { replicaSet: ReplicaSet; scaled: boolean } {
    const before = replicasOf(replicaSet);
    if (!force && before === size) return { replicaSet, scaled: false };
    const annotations = { ...annotationsOf(replicaSet), ...replicasAnnotations(this.#deployment) };
    if (before === size && equal(annotations, annotationsOf(replicaSet))) return { replicaSet, scaled: false };
    const copy = clone(replicaSet);
    copy.metadata = { ...copy.metadata, annotations };
    copy.spec = { ...copy.spec, replicas: size };
    const updated = this.#client.resource<ReplicaSet>(REPLICA_SETS).update(copy, {
      cause: this.#cause(before < size ? 'deployment/scale-up' : 'deployment/scale-down', {
        replicaSet: nameOf(copy),
        from: String(before),
        to: String(size),
      }),
    });
    if (before === size) return { replicaSet: updated, scaled: false };
    this.#event('Normal', 'ScalingReplicaSet', `Scaled ${before < size ? 'up' : 'down'} replica set ${nameOf(copy)} from ${before} to ${size}`);
    return { replicaSet: updated, scaled: true };
  }

  #roll(): void {
    const deployment = this.#deployment;
    const [fresh, old] = this.#newAndOld(true);
    if (!fresh) return;
    const all = [...old, fresh];
    if (replicasOf(fresh) !== replicasOf(deployment)) {
      const size = replicasOf(fresh) > replicasOf(deployment) ? replicasOf(deployment) : newReplicaCount(deployment, all, replicasOf(fresh));
      if (this.#scaleReplicaSet(fresh, size).scaled) {
        this.#syncRolloutStatus(all, fresh);
        return;
      }
    }
    if (this.#reconcileOld(all, active(old), fresh)) {
      this.#syncRolloutStatus(all, fresh);
      return;
    }
    if (isComplete(deployment, this.#status)) this.#cleanUp(old);
    this.#syncRolloutStatus(all, fresh);
  }

  #reconcileOld(all: readonly ReplicaSet[], old: ReplicaSet[], fresh: ReplicaSet): boolean {
    if (sum(old, replicasOf) === 0) return false;
    const minAvailable = replicasOf(this.#deployment) - maxUnavailable(this.#deployment);
    const freshUnavailable = replicasOf(fresh) - (fresh.status?.availableReplicas ?? 0);
    const most = sum(all, replicasOf) - minAvailable - freshUnavailable;
    if (most <= 0) return false;
    // Unhealthy old Pods go first, however few are available.
    old.sort(byCreation);
    let cleaned = 0;
    for (let i = 0; i < old.length && cleaned < most; i++) {
      const one = old[i] as ReplicaSet;
      const unhealthy = replicasOf(one) - (one.status?.availableReplicas ?? 0);
      if (replicasOf(one) === 0 || unhealthy === 0) continue;
      const down = Math.min(most - cleaned, unhealthy);
      old[i] = this.#scaleReplicaSet(one, replicasOf(one) - down).replicaSet;
      cleaned += down;
    }
    const available = sum([...old, fresh], (one) => one.status?.availableReplicas);
    let scaled = 0;
    for (const one of old) {
      const left = available - minAvailable - scaled;
      if (left <= 0) break;
      if (replicasOf(one) === 0) continue;
      const down = Math.min(replicasOf(one), left);
      this.#scaleReplicaSet(one, replicasOf(one) - down);
      scaled += down;
    }
    return cleaned + scaled > 0;
  }

  #recreate(podsOf: (replicaSet: ReplicaSet) => readonly Pod[]): void {
    let [fresh, old] = this.#newAndOld(false);
    let scaled = false;
    for (const one of active(old)) scaled = this.#scaleReplicaSet(one, 0).scaled || scaled;
    if (scaled) {
      this.#syncRolloutStatus([...old, fresh], fresh);
      return;
    }
    const running =
      sum(old, (one) => one.status?.replicas) > 0 ||
      old.some((one) => podsOf(one).some((pod) => pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded'));
    if (running) {
      this.#syncRolloutStatus([...old, fresh], fresh);
      return;
    }
    if (!fresh) [fresh, old] = this.#newAndOld(true);
    if (fresh) this.#scaleReplicaSet(fresh, replicasOf(this.#deployment));
    if (isComplete(this.#deployment, this.#status)) this.#cleanUp(old);
    this.#syncRolloutStatus([...old, fresh], fresh);
  }

  /** Old ReplicaSets beyond revisionHistoryLimit go. */
  #cleanUp(old: readonly ReplicaSet[]): void {
    for (const one of beyondHistory(this.#deployment, old)) {
      try {
        this.#client.resource<ReplicaSet>(REPLICA_SETS).delete(namespaceOf(one), nameOf(one), { cause: this.#cause('deployment/history-limit') });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }

  #rollback(): void {
    const { reason, message, template } = rollbackTo(this.#deployment, this.#replicaSets, Number(annotationsOf(this.#deployment)[ROLLBACK_TO]) || 0);
    const { [ROLLBACK_TO]: _, ...annotations } = annotationsOf(this.#deployment);
    this.#deployment.metadata = { ...this.#deployment.metadata, annotations };
    if (template) this.#deployment.spec = { ...this.#deployment.spec, template };
    this.#event(template ? 'Normal' : 'Warning', reason, message);
    this.#client.resource<Deployment>(DEPLOYMENT.resource).update(this.#deployment, { cause: this.#cause('deployment/rollback') });
  }

  #syncStatus(all: readonly (ReplicaSet | undefined)[], fresh: ReplicaSet | undefined): void {
    this.#writeIfChanged(statusOf(this.#deployment, all, fresh, this.#kernel.now()));
  }

  #writeIfChanged(status: DeploymentStatus): boolean {
    const next = omitEmpty(status, ['terminatingReplicas', 'collisionCount']);
    if (equal(omitEmpty(this.#status, ['terminatingReplicas', 'collisionCount']), next)) return false;
    this.#deployment.status = next;
    this.#writeStatus('deployment/status');
    return true;
  }

  #syncRolloutStatus(all: readonly (ReplicaSet | undefined)[], fresh: ReplicaSet | undefined): void {
    const status = rolloutStatus(this.#deployment, all, fresh, this.#kernel.now());
    if (!this.#writeIfChanged(status)) this.#requeueIfStuck(status);
  }

  /** Comes back when the progress deadline may have passed. */
  #requeueIfStuck(status: DeploymentStatus): void {
    const current = conditionOf(this.#status, 'Progressing');
    if (!hasProgressDeadline(this.#deployment) || !current) return;
    if (isComplete(this.#deployment, status) || current.reason === 'ProgressDeadlineExceeded') return;
    const afterMs = msOf(current.lastUpdateTime) + (this.#deployment.spec?.progressDeadlineSeconds ?? 0) * 1000 - this.#kernel.now();
    if (afterMs < 1000) this.requeue.rateLimited = true;
    else this.requeue.afterMs = afterMs + 1000;
  }

  #writeStatus(rule: string): void {
    const written = this.#client.resource<Deployment>(DEPLOYMENT.resource).updateStatus(clone(this.#deployment), { cause: this.#cause(rule) });
    // Later writes of this sync build on this one.
    if (written.metadata?.resourceVersion !== undefined) {
      this.#deployment.metadata = { ...this.#deployment.metadata, resourceVersion: written.metadata.resourceVersion };
    }
  }

  #cause(rule: string, detail?: Readonly<Record<string, string>>): ReturnType<typeof cause> {
    return cause(ACTOR, rule, refOf(this.#deployment, DEPLOYMENT.resource), detail);
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#client.event({ regarding: regarding(this.#deployment, DEPLOYMENT), type, reason, message, component: ACTOR, cause: this.#cause('deployment/event') });
  }
}
