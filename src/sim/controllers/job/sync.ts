import type { Kernel } from '../../../kernel/index.ts';
import type { Client } from '../../client/types.ts';
import type { Job, JobCondition, JobStatus, Pod } from '../../kinds/types.ts';
import { ignoreNotFound, isNamespaceTerminating } from '../errors.ts';
import { cause, clone, equal, type Identified, isDeleting, msOf, nameOf, namespaceOf, omitEmpty, refOf, timeOf, uidOf } from '../object.ts';
import type { PodWriter } from '../pod-writer.ts';
import { isPodActive, isPodReady, isPodTerminating } from '../pods.ts';
import { completionsOf, formatIndexes, INDEX_FAILURES, indexOf, isIndexed, parseIndexes } from './indexes.ts';
import { adjustPod, type Backoff, backoffLeftMs, FINALIZER, finishedMs, nextBackoff, restartedTooOften, surplusOf } from './job-pods.ts';
import { judgeFailure, judgeSuccess } from './policies.ts';

export const JOB: Identified = { apiVersion: 'batch/v1', kind: 'Job', resource: 'batch/v1/jobs' };
export const JOB_ACTOR = 'job-controller';
const MAX_PODS_PER_SYNC = 500;

export function conditionOf(job: Job, type: string): JobCondition | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

export const isFinished = (job: Job): boolean => conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined;

/** One sync of one Job (syncJob, manageJob and trackJobStatusAndRemoveFinalizers of pkg/controller/job/job_controller.go, v1.36). */
export class JobSync {
  readonly #kernel: Kernel;
  readonly #client: Client;
  readonly #writer: PodWriter;
  readonly #job: Job;
  readonly #status: JobStatus;
  readonly #pods: readonly Pod[];
  readonly #active: Pod[];
  readonly #backoffs: Map<string, Backoff>;
  #terminating: number;
  #ready: number;
  #succeeded = 0;
  #finish: JobCondition | undefined;
  #succeededIndexes = new Set<number>();
  #previousIndexes = new Set<number>();
  #failedIndexes: Set<number> | undefined;
  /** Indexed Jobs with backoffLimitPerIndex: the last failed Pod of an index that may be tried again. */
  #lastFailed = new Map<number, Pod>();
  /** When to look again. */
  againMs: number | undefined;

  constructor(kernel: Kernel, client: Client, writer: PodWriter, backoffs: Map<string, Backoff>, job: Job, pods: readonly Pod[]) {
    this.#kernel = kernel;
    this.#client = client;
    this.#writer = writer;
    this.#backoffs = backoffs;
    this.#job = clone(job);
    this.#job.status ??= {};
    this.#status = this.#job.status;
    this.#status.uncountedTerminatedPods ??= {};
    this.#pods = pods;
    this.#active = pods.filter(isPodActive);
    this.#terminating = pods.filter(isPodTerminating).length;
    this.#ready = this.#active.filter(isPodReady).length;
  }

  run(): void {
    const job = this.#job;
    const status = this.#status;
    const nowMs = this.#kernel.now();
    const uncounted = status.uncountedTerminatedPods ?? {};
    const tracked = this.#pods.filter((pod) => pod.metadata?.finalizers?.includes(FINALIZER));
    const newSucceeded = tracked.filter((pod) => pod.status?.phase === 'Succeeded' && !uncounted.succeeded?.includes(uidOf(pod)));
    const newFailed = tracked.filter((pod) => this.#isFailed(pod) && !uncounted.failed?.includes(uidOf(pod)));
    this.#succeeded = (status.succeeded ?? 0) + newSucceeded.length + (uncounted.succeeded?.length ?? 0);
    const failed = (status.failed ?? 0) + newFailed.filter((pod) => judgeFailure(job, pod).counts).length + (uncounted.failed?.length ?? 0);
    const suspended = job.spec?.suspend === true;
    if (status.startTime === undefined && !suspended) status.startTime = timeOf(nowMs);
    const backoff = nextBackoff(this.#backoffs.get(uidOf(job)), newSucceeded, newFailed);

    this.#decideFinish(failed);
    if (isIndexed(job)) this.#countIndexes(tracked);
    let active = this.#active.length;
    let failure: unknown;
    let suspendChanged = false;
    if (this.#finish) {
      for (const pod of this.#active) this.#writer.delete(job, pod, 'job/finish');
      active = 0;
      this.#terminating += this.#active.length;
      this.#ready = 0;
    } else if (!isDeleting(job)) {
      [active, failure] = this.#manage(backoff);
      const completions = job.spec?.completions;
      const complete = completions === undefined ? this.#succeeded > 0 && active === 0 : this.#succeeded >= completions && active === 0;
      if (complete) this.#finish = this.#condition('SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods');
      else suspendChanged = this.#syncSuspended(suspended);
    }
    const changed =
      suspendChanged ||
      active !== (status.active ?? 0) ||
      this.#ready !== status.ready ||
      this.#terminating !== status.terminating ||
      status.startTime === undefined;
    status.active = active;
    status.ready = this.#ready;
    status.terminating = this.#terminating;
    this.#track(tracked, changed, backoff);
    if (failure) throw failure;
  }

  /** With podReplacementPolicy Failed (or a failure policy) a Pod has failed when it is gone from the node, not when it is told to go. */
  #isFailed(pod: Pod): boolean {
    if (pod.status?.phase === 'Failed') return true;
    const strict = this.#job.spec?.podFailurePolicy !== undefined || this.#job.spec?.podReplacementPolicy === 'Failed';
    return !strict && isDeleting(pod) && pod.status?.phase !== 'Succeeded';
  }

  #condition(type: string, reason: string, message: string, status = 'True'): JobCondition {
    const now = timeOf(this.#kernel.now());
    return { type, status, reason, message, lastProbeTime: now, lastTransitionTime: now };
  }

  #decideFinish(failed: number): void {
    const job = this.#job;
    this.#finish = conditionOf(job, 'SuccessCriteriaMet');
    if (this.#finish) return;
    const target = conditionOf(job, 'FailureTarget');
    if (target) {
      this.#finish = this.#condition('Failed', target.reason ?? '', target.message ?? '');
      return;
    }
    for (const pod of this.#pods) {
      const message = this.#isFailed(pod) ? judgeFailure(job, pod).failJob : undefined;
      if (message === undefined) continue;
      this.#finish = this.#condition('FailureTarget', 'PodFailurePolicy', message);
      return;
    }
    const deadline = job.spec?.activeDeadlineSeconds;
    if (failed > (job.spec?.backoffLimit ?? 6) || restartedTooOften(job, this.#pods)) {
      this.#finish = this.#condition('FailureTarget', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit');
    } else if (deadline !== undefined && this.#status.startTime !== undefined && !job.spec?.suspend) {
      const leftMs = msOf(this.#status.startTime) + deadline * 1000 - this.#kernel.now();
      if (leftMs <= 0) this.#finish = this.#condition('FailureTarget', 'DeadlineExceeded', 'Job was active longer than specified deadline');
      else this.againMs = leftMs;
    }
  }

  #countIndexes(tracked: readonly Pod[]): void {
    const job = this.#job;
    this.#previousIndexes = parseIndexes(this.#status.completedIndexes, completionsOf(job));
    this.#succeededIndexes = new Set(this.#previousIndexes);
    for (const pod of tracked) {
      const index = indexOf(job, pod);
      if (pod.status?.phase === 'Succeeded' && index !== undefined) this.#succeededIndexes.add(index);
    }
    this.#succeeded = this.#succeededIndexes.size;
    const perIndex = job.spec?.backoffLimitPerIndex;
    if (perIndex !== undefined) {
      const failed = parseIndexes(this.#status.failedIndexes, completionsOf(job));
      for (const pod of tracked) {
        const index = indexOf(job, pod);
        if (index === undefined || !this.#isFailed(pod) || this.#succeededIndexes.has(index)) continue;
        const failures = Number(pod.metadata?.annotations?.[INDEX_FAILURES] ?? 0);
        if (failures >= perIndex || judgeFailure(job, pod).failIndex) failed.add(index);
        const known = this.#lastFailed.get(index);
        if (!known || Number(known.metadata?.annotations?.[INDEX_FAILURES] ?? 0) < failures) this.#lastFailed.set(index, pod);
      }
      for (const index of failed) this.#lastFailed.delete(index);
      this.#failedIndexes = failed;
      const most = job.spec?.maxFailedIndexes;
      if (!this.#finish && most !== undefined && failed.size > most) {
        this.#finish = this.#condition('FailureTarget', 'MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
      } else if (!this.#finish && failed.size > 0 && failed.size + this.#succeededIndexes.size >= completionsOf(job)) {
        this.#finish = this.#condition('FailureTarget', 'FailedIndexes', 'Job has failed indexes');
      }
    }
    const met = this.#finish ? undefined : judgeSuccess(job, this.#succeededIndexes);
    if (met !== undefined) this.#finish = this.#condition('SuccessCriteriaMet', 'SuccessPolicy', met);
  }

  #syncSuspended(suspended: boolean): boolean {
    const known = this.#status.conditions?.find((one) => one.type === 'Suspended');
    if (suspended === (known?.status === 'True') || (!suspended && !known)) return false;
    const [reason, message] = suspended ? ['JobSuspended', 'Job suspended'] : ['JobResumed', 'Job resumed'];
    const next = this.#condition('Suspended', reason, message, suspended ? 'True' : 'False');
    this.#status.conditions = known ? (this.#status.conditions ?? []).map((one) => (one === known ? next : one)) : [...(this.#status.conditions ?? []), next];
    this.#writer.event(this.#job, 'Normal', suspended ? 'Suspended' : 'Resumed', message);
    if (!suspended) this.#status.startTime = timeOf(this.#kernel.now());
    return true;
  }

  /** manageJob: how many Pods are active after creating or deleting what differs, and the first failure. */
  #manage(backoff: Backoff): [number, unknown] {
    const job = this.#job;
    const parallelism = job.spec?.parallelism ?? 1;
    if (job.spec?.suspend) return [this.#deletePods(this.#active), undefined];
    const completions = job.spec?.completions;
    const wanted =
      completions === undefined ? (this.#succeeded > 0 ? this.#active.length : parallelism) : Math.max(0, Math.min(parallelism, completions - this.#succeeded));
    const surplus = surplusOf(job, this.#active, Math.max(0, this.#active.length - wanted), MAX_PODS_PER_SYNC);
    if (surplus.length > 0) return [this.#deletePods(surplus), undefined];
    const waitsForFailed = job.spec?.podFailurePolicy !== undefined || job.spec?.podReplacementPolicy === 'Failed';
    const missing = Math.min(wanted - this.#active.length - (waitsForFailed ? this.#terminating : 0), MAX_PODS_PER_SYNC);
    if (missing <= 0) return [this.#active.length, undefined];
    const nowMs = this.#kernel.now();
    if (job.spec?.backoffLimitPerIndex === undefined) {
      const waitMs = backoffLeftMs(nowMs, backoff.failures, backoff.lastFailureMs);
      if (waitMs > 0) {
        this.#lookAgain(waitMs);
        return [this.#active.length, undefined];
      }
    }
    return this.#createPods(missing);
  }

  #lookAgain(waitMs: number): void {
    this.againMs = Math.min(this.againMs ?? Number.POSITIVE_INFINITY, waitMs);
  }

  #deletePods(pods: readonly Pod[]): number {
    for (const pod of pods) {
      this.#removeFinalizer(pod);
      this.#writer.delete(this.#job, pod, 'job/delete-pod');
      if (isPodReady(pod)) this.#ready--;
    }
    this.#terminating += pods.length;
    return this.#active.length - pods.length;
  }

  #createPods(missing: number): [number, unknown] {
    const job = this.#job;
    let indexes: (number | undefined)[] = new Array(missing).fill(undefined);
    if (isIndexed(job)) {
      indexes = this.#pendingIndexes(missing);
      if (job.spec?.backoffLimitPerIndex !== undefined) indexes = this.#withoutBackoff(indexes as number[]);
    }
    let created = 0;
    let failure: unknown;
    for (let batch = 1, next = 0; next < indexes.length && !failure; batch *= 2) {
      for (const index of indexes.slice(next, next + batch)) {
        try {
          this.#writer.create(job, job.spec?.template, 'job/create-pod', (pod) =>
            adjustPod(job, pod, index, index === undefined ? undefined : this.#lastFailed.get(index)),
          );
          created++;
        } catch (error) {
          if (!isNamespaceTerminating(error)) failure ??= error;
        }
      }
      next += batch;
    }
    return [this.#active.length + created, failure];
  }

  /** firstPendingIndexes: the lowest that neither succeeded, failed for good, nor are being worked on. */
  #pendingIndexes(count: number): number[] {
    const busy = new Set<number | undefined>(this.#active.map((pod) => indexOf(this.#job, pod)));
    const out: number[] = [];
    for (let index = 0; index < completionsOf(this.#job) && out.length < count; index++) {
      if (!busy.has(index) && !this.#succeededIndexes.has(index) && !this.#failedIndexes?.has(index)) out.push(index);
    }
    return out;
  }

  #withoutBackoff(indexes: readonly number[]): number[] {
    return indexes.filter((index) => {
      const pod = this.#lastFailed.get(index);
      if (!pod) return true;
      const failures = Number(pod.metadata?.annotations?.[INDEX_FAILURES] ?? 0) + 1;
      const waitMs = backoffLeftMs(this.#kernel.now(), failures, finishedMs(pod));
      if (waitMs > 0) this.#lookAgain(waitMs);
      return waitMs === 0;
    });
  }

  /** Counts ended Pods: noted in the status first, then freed of their finalizer, then added up. */
  #track(tracked: readonly Pod[], changed: boolean, backoff: Backoff): void {
    const job = this.#job;
    const status = this.#status;
    const uncounted = status.uncountedTerminatedPods ?? {};
    const before = { succeeded: [...(uncounted.succeeded ?? [])], failed: [...(uncounted.failed ?? [])] };
    const held = new Set(tracked.map(uidOf));
    let flush = this.#addUp(held) || changed;
    const free: Pod[] = [];
    const newIndexes = new Set<number>();
    for (const pod of tracked) {
      const failed = this.#isFailed(pod);
      if (!this.#mayRelease(pod, failed)) continue;
      free.push(pod);
      const uid = uidOf(pod);
      const index = indexOf(job, pod);
      if (pod.status?.phase === 'Succeeded' && !before.failed.includes(uid)) {
        if (isIndexed(job)) {
          if (index !== undefined && !this.#previousIndexes.has(index)) newIndexes.add(index);
        } else if (!before.succeeded.includes(uid)) uncounted.succeeded = [...(uncounted.succeeded ?? []), uid];
      } else if (failed || (this.#finish && this.#finish.type !== 'SuccessCriteriaMet')) {
        const counted = judgeFailure(job, pod).counts && (!isIndexed(job) || index !== undefined);
        if (!before.failed.includes(uid) && counted) uncounted.failed = [...(uncounted.failed ?? []), uid];
      }
    }
    if (!equal(before, { succeeded: uncounted.succeeded ?? [], failed: uncounted.failed ?? [] }) || newIndexes.size > 0) flush = true;
    status.uncountedTerminatedPods = uncounted;
    if (isIndexed(job)) {
      const completed = new Set([...this.#previousIndexes, ...newIndexes]);
      const text = formatIndexes(completed);
      if (text !== (status.completedIndexes ?? '')) flush = true;
      status.succeeded = completed.size;
      status.completedIndexes = text;
      if (this.#failedIndexes) {
        const failed = formatIndexes(this.#failedIndexes);
        if (failed !== status.failedIndexes) flush = true;
        status.failedIndexes = failed;
      }
    }
    if (this.#finish?.type === 'FailureTarget') {
      status.conditions = [...(status.conditions ?? []), this.#finish];
      flush = true;
      this.#finish = this.#condition('Failed', this.#finish.reason ?? '', this.#finish.message ?? '');
    } else if (this.#finish?.type === 'SuccessCriteriaMet') {
      if (!conditionOf(job, 'SuccessCriteriaMet')) {
        status.conditions = [...(status.conditions ?? []), this.#finish];
        flush = true;
      }
      this.#finish = this.#condition('Complete', this.#finish.reason ?? '', this.#finish.message ?? '');
    }
    if (flush) {
      this.#write('job/status');
      this.#backoffs.set(uidOf(job), backoff);
    }
    for (const pod of free) {
      this.#removeFinalizer(pod);
      held.delete(uidOf(pod));
    }
    const counted = this.#addUp(held);
    const finished = this.#enactFinish();
    if (counted || finished) this.#write(finished ? 'job/finished' : 'job/status');
    if (finished) this.#announce();
  }

  #mayRelease(pod: Pod, failed: boolean): boolean {
    if (isDeleting(this.#job) || this.#finish || pod.status?.phase === 'Succeeded') return true;
    if (!failed) return false;
    const index = indexOf(this.#job, pod);
    // The last failed Pod of an index holds its failure count until the next one is made.
    return index === undefined || this.#lastFailed.get(index) !== pod;
  }

  /** Moves Pods that have lost their finalizer from the uncounted lists to the counters. */
  #addUp(held: ReadonlySet<string>): boolean {
    const uncounted = this.#status.uncountedTerminatedPods ?? {};
    let changed = false;
    for (const key of ['succeeded', 'failed'] as const) {
      const all = uncounted[key] ?? [];
      const left = all.filter((uid) => held.has(uid));
      if (left.length === all.length) continue;
      changed = true;
      this.#status[key] = (this.#status[key] ?? 0) + all.length - left.length;
      if (left.length > 0) uncounted[key] = left;
      else delete uncounted[key];
    }
    return changed;
  }

  #enactFinish(): boolean {
    const uncounted = this.#status.uncountedTerminatedPods ?? {};
    if (!this.#finish || (uncounted.succeeded?.length ?? 0) + (uncounted.failed?.length ?? 0) > 0 || this.#terminating > 0) return false;
    this.#status.conditions = [...(this.#status.conditions ?? []).filter((one) => one.type !== this.#finish?.type), this.#finish];
    if (this.#finish.type === 'Complete' && this.#finish.lastTransitionTime) this.#status.completionTime = this.#finish.lastTransitionTime;
    return true;
  }

  #announce(): void {
    this.#backoffs.delete(uidOf(this.#job));
    if (this.#finish?.type === 'Complete') this.#writer.event(this.#job, 'Normal', 'Completed', 'Job completed');
    else this.#writer.event(this.#job, 'Warning', this.#finish?.reason ?? '', this.#finish?.message ?? '');
  }

  #removeFinalizer(pod: Pod): void {
    if (!pod.metadata?.finalizers?.includes(FINALIZER)) return;
    const finalizers = pod.metadata.finalizers.filter((one) => one !== FINALIZER);
    const because = cause(JOB_ACTOR, 'job/release-pod', refOf(this.#job, JOB.resource));
    ignoreNotFound(() => {
      this.#client
        .resource<Pod>('v1/pods')
        .patch(namespaceOf(pod), nameOf(pod), { metadata: { finalizers: finalizers.length > 0 ? finalizers : null } }, { cause: because });
    });
  }

  #write(rule: string): void {
    const status = omitEmpty(clone(this.#status), ['ready', 'terminating', 'uncountedTerminatedPods', 'failedIndexes']);
    const written = this.#client
      .resource<Job>(JOB.resource)
      .updateStatus({ ...this.#job, status }, { cause: cause(JOB_ACTOR, rule, refOf(this.#job, JOB.resource)) });
    if (written.metadata?.resourceVersion) this.#job.metadata = { ...this.#job.metadata, resourceVersion: written.metadata.resourceVersion };
  }
}
