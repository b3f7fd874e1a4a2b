import type { Disposable } from '../../../kernel/index.ts';
import type { CronJob, CronJobStatus, Job } from '../../kinds/types.ts';
import { Controller, type ControllerContext, ensureIndex } from '../controller.ts';
import { isAlreadyExists, isNotFound, SyncError } from '../errors.ts';
import { conditionOf, isFinished, JOB } from '../job/sync.ts';
import {
  cause,
  clone,
  controllerOf,
  equal,
  type Identified,
  isDeleting,
  keyOf,
  msOf,
  nameOf,
  namespaceOf,
  newControllerRef,
  omitEmpty,
  refOf,
  regarding,
  splitKey,
  timeOf,
  uidOf,
} from '../object.ts';
import { parseSchedule, type Schedule, zonedTime } from './schedule.ts';

const CRON_JOB: Identified = { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'batch/v1/cronjobs' };
const ACTOR = 'cronjob-controller';
const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** Wakes up a moment after the scheduled time, as upstream does. */
const DELTA_MS = 100;

/** The CronJob controller of v1.36 (pkg/controller/cronjob/cronjob_controllerv2.go). */
export function startCronJobController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const cronJobs = client.informer<CronJob>(CRON_JOB.resource);
  const jobs = ensureIndex(client.informer<Job>(JOB.resource), 'owner', (job) => {
    const owner = controllerOf(job);
    return owner ? [owner.uid ?? ''] : [];
  });
  const jobWrites = client.resource<Job>(JOB.resource);
  const controller = new Controller(context, { name: ACTOR, sync });

  function event(object: CronJob, type: 'Normal' | 'Warning', reason: string, message: string): void {
    client.event({
      regarding: regarding(object, CRON_JOB),
      type,
      reason,
      message,
      component: ACTOR,
      cause: cause(ACTOR, 'cronjob/event', refOf(object, CRON_JOB.resource)),
    });
  }

  function sync(key: string): void {
    const known = cronJobs.get(...splitKey(key));
    if (!known) return;
    const cronJob = clone(known);
    const status: CronJobStatus = { ...cronJob.status };
    cronJob.status = status;
    const children = jobs.byIndex('owner', uidOf(cronJob));
    let failure: unknown;
    let againMs: number | undefined;
    try {
      lookAtChildren(cronJob, status, children);
      againMs = startDue(cronJob, status);
    } catch (error) {
      failure = error;
    }
    cleanUp(cronJob, status, children);
    if (!equal(omitEmpty(status), omitEmpty(known.status ?? {}))) {
      client
        .resource<CronJob>(CRON_JOB.resource)
        .updateStatus({ ...cronJob, status: omitEmpty(status) }, { cause: cause(ACTOR, 'cronjob/status', refOf(known, CRON_JOB.resource)) });
    }
    if (failure) throw failure;
    if (againMs !== undefined) controller.queue.addAfter(key, againMs);
  }

  function lookAtChildren(cronJob: CronJob, status: CronJobStatus, children: readonly Job[]): void {
    for (const job of children) {
      const found = status.active?.some((one) => one.uid === uidOf(job)) ?? false;
      if (!isFinished(job)) {
        if (!found) event(cronJob, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${nameOf(job)}`);
        continue;
      }
      if (found) {
        forget(status, uidOf(job));
        const condition = conditionOf(job, 'Complete') ? 'Complete' : 'Failed';
        event(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${nameOf(job)}, condition: ${condition}`);
      }
      const end = conditionOf(job, 'Complete') ? job.status?.completionTime : undefined;
      if (end !== undefined && msOf(end) > msOf(status.lastSuccessfulTime)) status.lastSuccessfulTime = end;
    }
    for (const active of [...(status.active ?? [])]) {
      if (children.some((job) => uidOf(job) === active.uid) || jobWrites.get(active.namespace ?? '', active.name ?? '')) continue;
      event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${active.name}`);
      forget(status, active.uid ?? '');
    }
  }

  function forget(status: CronJobStatus, uid: string): void {
    status.active = (status.active ?? []).filter((one) => one.uid !== uid);
  }

  /** Starts the Job that is due; returns the milliseconds until the next one. */
  function startDue(cronJob: CronJob, status: CronJobStatus): number | undefined {
    const spec = cronJob.spec ?? {};
    if (isDeleting(cronJob) || spec.suspend) return undefined;
    let schedule: Schedule;
    try {
      schedule = parseSchedule(spec.schedule ?? '', spec.timeZone ?? 'UTC');
    } catch (error) {
      event(cronJob, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${(error as Error).message}`);
      return undefined;
    }
    const nowMs = kernel.now();
    const due = mostRecent(cronJob, status, schedule, nowMs);
    const nextMs = (): number | undefined => {
      const next = schedule.next(due?.atMs ?? nowMs);
      return next === undefined ? undefined : Math.max(1, next + DELTA_MS - nowMs);
    };
    if (!due) return nextMs();
    if (due.missed > 100) {
      event(cronJob, 'Warning', 'TooManyMissedTimes', 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew');
    }
    if (spec.startingDeadlineSeconds !== undefined && due.atMs + spec.startingDeadlineSeconds * 1000 < nowMs) {
      event(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${new Date(due.atMs).toUTCString().replace('GMT', 'UTC')}`);
      return nextMs();
    }
    const name = `${nameOf(cronJob)}-${Math.floor(due.atMs / 60_000)}`;
    if (status.active?.some((one) => one.name === name) || msOf(status.lastScheduleTime) === due.atMs) return nextMs();
    if (spec.concurrencyPolicy === 'Forbid' && (status.active?.length ?? 0) > 0) {
      event(cronJob, 'Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid');
      return nextMs();
    }
    if (spec.concurrencyPolicy === 'Replace') {
      for (const active of [...(status.active ?? [])]) {
        const job = jobWrites.get(active.namespace ?? '', active.name ?? '');
        if (!job || !deleteJob(cronJob, status, job)) throw new SyncError(`could not replace job ${active.namespace}/${active.name}`);
      }
    }
    create(cronJob, status, name, due.atMs);
    return nextMs();
  }

  function mostRecent(cronJob: CronJob, status: CronJobStatus, schedule: Schedule, nowMs: number): { atMs: number; missed: number } | undefined {
    let earliest = msOf(status.lastScheduleTime ?? cronJob.metadata?.creationTimestamp);
    const deadline = cronJob.spec?.startingDeadlineSeconds;
    if (deadline !== undefined) earliest = Math.max(earliest, nowMs - deadline * 1000);
    const first = schedule.next(earliest);
    if (first === undefined || first > nowMs) return undefined;
    const second = schedule.next(first);
    if (second === undefined || second > nowMs) return { atMs: first, missed: 0 };
    const missed = Math.floor((nowMs - first) / (second - first)) + 1;
    // Jumps close to the present instead of walking through everything that was missed.
    let atMs = first;
    for (let next = schedule.next(first + Math.max(0, missed - 2) * (second - first)); next !== undefined && next <= nowMs; next = schedule.next(next))
      atMs = next;
    return { atMs, missed };
  }

  function create(cronJob: CronJob, status: CronJobStatus, name: string, atMs: number): void {
    const template = cronJob.spec?.jobTemplate;
    const job: Job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace: namespaceOf(cronJob),
        annotations: { ...template?.metadata?.annotations, [SCHEDULED]: zonedTime(atMs, cronJob.spec?.timeZone ?? 'UTC') },
        ownerReferences: [newControllerRef(cronJob, CRON_JOB)],
      },
      spec: clone(template?.spec ?? {}),
    };
    if (template?.metadata?.labels && job.metadata) job.metadata.labels = { ...template.metadata.labels };
    let created: Job | undefined;
    try {
      created = jobWrites.create(job, { cause: cause(ACTOR, 'cronjob/create-job', refOf(cronJob, CRON_JOB.resource)) });
      event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
    } catch (error) {
      if (!isAlreadyExists(error)) {
        event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${(error as Error).message}`);
        throw error;
      }
      created = jobWrites.get(namespaceOf(cronJob), name);
      if (!created || controllerOf(created)?.uid !== uidOf(cronJob)) return;
    }
    const resourceVersion = created.metadata?.resourceVersion ?? '';
    const active = { apiVersion: 'batch/v1', kind: 'Job', name, namespace: namespaceOf(cronJob), uid: uidOf(created), resourceVersion };
    status.active = [...(status.active ?? []), active];
    status.lastScheduleTime = timeOf(atMs);
  }

  function deleteJob(cronJob: CronJob, status: CronJobStatus, job: Job): boolean {
    try {
      jobWrites.delete(namespaceOf(job), nameOf(job), {
        cause: cause(ACTOR, 'cronjob/delete-job', refOf(cronJob, CRON_JOB.resource)),
        propagationPolicy: 'Background',
      });
    } catch (error) {
      if (!isNotFound(error)) {
        event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${(error as Error).message}`);
        return false;
      }
    }
    forget(status, uidOf(job));
    event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${nameOf(job)}`);
    return true;
  }

  function cleanUp(cronJob: CronJob, status: CronJobStatus, children: readonly Job[]): void {
    const byStart = [...children].sort((a, b) => msOf(a.status?.startTime) - msOf(b.status?.startTime) || (nameOf(a) < nameOf(b) ? -1 : 1));
    for (const [type, limit] of [
      ['Complete', cronJob.spec?.successfulJobsHistoryLimit],
      ['Failed', cronJob.spec?.failedJobsHistoryLimit],
    ] as const) {
      if (limit === undefined) continue;
      const ended = byStart.filter((job) => conditionOf(job, type) && !isDeleting(job));
      for (const job of ended.slice(0, Math.max(0, ended.length - limit))) deleteJob(cronJob, status, job);
    }
  }

  controller.watch<CronJob>(CRON_JOB.resource, ({ type, object }) => {
    if (type !== 'DELETED') controller.queue.add(keyOf(object));
  });
  controller.watch<Job>(JOB.resource, ({ object: job }) => {
    const owner = controllerOf(job);
    if (owner?.kind !== CRON_JOB.kind) return;
    const cronJob = cronJobs.get(namespaceOf(job), owner.name ?? '');
    if (cronJob && uidOf(cronJob) === owner.uid) controller.queue.add(keyOf(cronJob));
  });
  return controller;
}
