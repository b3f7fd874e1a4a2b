import { ageOf, humanDuration } from '../duration.ts';
import { age, nameOf, withGeneration, workloadCells } from '../lifecycle.ts';
import { defaultPodTemplate } from '../pod/defaults.ts';
import type { KindStrategy } from '../strategy.ts';
import type { CronJob, Job, JobSpec, ObjectMeta } from '../types.ts';

const PREFIX = 'batch.kubernetes.io/';

function defaultJobSpec(spec: JobSpec): void {
  spec.template ??= {};
  defaultPodTemplate(spec.template);
}

/** Labels that tie Pods to their Job, and a selector of them, unless the author chose both (`generateSelector`). */
function generateSelector(job: Job): void {
  const spec = job.spec ?? {};
  if (spec.manualSelector) return;
  const template: { metadata?: ObjectMeta } = spec.template ?? {};
  template.metadata ??= {};
  template.metadata.labels ??= {};
  const { labels } = template.metadata;
  for (const prefix of ['', PREFIX]) {
    labels[`${prefix}job-name`] ??= nameOf(job);
    labels[`${prefix}controller-uid`] ??= job.metadata?.uid ?? '';
  }
  spec.selector ??= {};
  spec.selector.matchLabels ??= {};
  spec.selector.matchLabels[`${PREFIX}controller-uid`] ??= job.metadata?.uid ?? '';
}

function jobStatusText({ status, metadata }: Job): string {
  const holds = (wanted: string): boolean => status?.conditions?.find(({ type }) => type === wanted)?.status === 'True';
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (metadata?.deletionTimestamp) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(holds) ?? 'Running';
}

export const jobStrategy: KindStrategy<Job> = {
  resource: 'batch/v1/jobs',
  applyDefaults(job) {
    job.spec ??= {};
    const { spec } = job;
    defaultJobSpec(spec);
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647;
    // The same map on purpose, as upstream: labels generated for the template appear here too.
    const labels = spec.template?.metadata?.labels;
    if (labels && Object.keys(job.metadata?.labels ?? {}).length === 0) job.metadata = { ...job.metadata, labels };
    spec.completionMode ??= 'NonIndexed';
    spec.suspend ??= false;
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
    for (const rule of spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True';
    spec.manualSelector ??= false;
    job.status ??= {};
  },
  prepareForCreate(job, context) {
    withGeneration<Job>().prepareForCreate(job, context);
    generateSelector(job);
    const labels = job.spec?.template?.metadata?.labels;
    if (labels && Object.keys(job.metadata?.labels ?? {}).length === 0) job.metadata = { ...job.metadata, labels };
  },
  prepareForUpdate: withGeneration<Job>().prepareForUpdate,
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  tableRow: (job, context) => {
    const { spec = {}, status = {} } = job;
    const done = status.succeeded ?? 0;
    const parallelism = spec.parallelism ?? 0;
    const { startTime, completionTime } = status;
    return [
      nameOf(job),
      jobStatusText(job),
      spec.completions === undefined ? (parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`) : `${done}/${spec.completions}`,
      startTime ? humanDuration((completionTime ? Date.parse(completionTime) : context.nowMs) - Date.parse(startTime)) : '',
      age(job, context),
      ...workloadCells(spec.template?.spec?.containers, spec.selector ?? null),
    ];
  },
};

export const cronJobStrategy: KindStrategy<CronJob> = {
  resource: 'batch/v1/cronjobs',
  applyDefaults(cronJob) {
    cronJob.spec ??= {};
    const { spec } = cronJob;
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    spec.jobTemplate ??= {};
    spec.jobTemplate.metadata ??= {};
    spec.jobTemplate.spec ??= {};
    defaultJobSpec(spec.jobTemplate.spec);
    cronJob.status ??= {};
  },
  ...withGeneration<CronJob>(),
  tableRow: (cronJob, context) => {
    const { spec = {}, status = {} } = cronJob;
    return [
      nameOf(cronJob),
      spec.schedule ?? '',
      spec.timeZone ?? '<none>',
      spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False',
      status.active?.length ?? 0,
      status.lastScheduleTime ? ageOf(status.lastScheduleTime, context.nowMs) : '<none>',
      age(cronJob, context),
      ...workloadCells(spec.jobTemplate?.spec?.template?.spec?.containers, spec.jobTemplate?.spec?.selector ?? null),
    ];
  },
};
