import type { Check } from '../check.ts';
import { semanticEqual } from '../equal.ts';
import { sortedMap, tooLong } from '../field-error.ts';
import { internalTemplate, internalValue } from '../internal.ts';
import { printSelector, validateLabelSelector } from '../meta/index.ts';
import { byteLength, isDns1123Label, isLabelKey } from '../meta/names.ts';
import { checkDomainPrefixedPath } from '../networking/validate.ts';
import { checkPodTemplate } from '../pod/validate.ts';
import { rules } from '../rules.ts';
import { asSelector, matchesSelector } from '../selector.ts';
import type { CronJob, Job, JobSpec, PodFailurePolicyRule, PodTemplateSpec } from '../types.ts';
import { cronError } from './cron-format.ts';

/** `pkg/apis/batch/validation`. */

const listed = (values: readonly string[]): string => `valid values: [${values.map((value) => `"${value}"`).join(' ')}]`;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

function checkFailureRule(check: Check, at: string, rule: PodFailurePolicyRule, spec: JobSpec): void {
  const { action = '', onExitCodes, onPodConditions = [] } = rule;
  if (action === '') check.required(`${at}.action`, listed(ACTIONS));
  else if (action === 'FailIndex') {
    if (spec.backoffLimitPerIndex === undefined) check.invalid(`${at}.action`, action, 'requires the backoffLimitPerIndex to be set');
  } else if (!ACTIONS.includes(action)) check.notSupported(`${at}.action`, action, ACTIONS);
  if (onExitCodes) {
    const { operator = '', containerName, values = [] } = onExitCodes;
    const place = `${at}.onExitCodes`;
    if (operator === '') check.required(`${place}.operator`, listed(['In', 'NotIn']));
    else check.oneOf(`${place}.operator`, operator, ['In', 'NotIn']);
    const names = [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map(({ name }) => name);
    if (containerName !== undefined && !names.includes(containerName)) {
      check.invalid(`${place}.containerName`, containerName, 'must be one of the container or initContainer names in the pod template');
    }
    if (values.length === 0) check.invalid(`${place}.values`, onExitCodes.values ?? null, 'at least one value is required');
    values.forEach((value, i) => {
      if (operator === 'In' && value === 0) check.invalid(`${place}.values[${i}]`, value, 'must not be 0 for the In operator');
      if (values.indexOf(value) < i) check.duplicate(`${place}.values[${i}]`, value);
    });
    if (values.some((value, i) => i > 0 && (values[i - 1] as number) > value)) check.invalid(`${place}.values`, values, 'must be ordered');
  }
  onPodConditions.forEach(({ type = '', status = '' }, i) => {
    check.rule(`${at}.onPodConditions[${i}].type`, type, isLabelKey);
    check.oneOf(`${at}.onPodConditions[${i}].status`, status, ['False', 'True', 'Unknown']);
  });
  const both = onExitCodes && onPodConditions.length > 0;
  if (!both && (onExitCodes || onPodConditions.length > 0)) return;
  const detail = both ? 'specifying both OnExitCodes and OnPodConditions is not supported' : 'specifying one of OnExitCodes and OnPodConditions is required';
  check.errors.push({ type: 'Invalid value', field: at, detail });
}

function checkIndexed(check: Check, at: string, spec: JobSpec): void {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  if (spec.completionMode === 'Indexed') {
    if (completions === undefined) check.required(`${at}.completions`, 'when completion mode is Indexed');
    if (parallelism > 100000) check.invalid(`${at}.parallelism`, parallelism, 'must be less than or equal to 100000 when completion mode is Indexed');
    if (completions !== undefined && (maxFailedIndexes ?? 0) > completions)
      check.invalid(`${at}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions');
  } else {
    if (backoffLimitPerIndex !== undefined) check.invalid(`${at}.backoffLimitPerIndex`, backoffLimitPerIndex, 'requires indexed completion mode');
    if (maxFailedIndexes !== undefined) check.invalid(`${at}.maxFailedIndexes`, maxFailedIndexes, 'requires indexed completion mode');
    if (spec.successPolicy) check.invalid(`${at}.successPolicy`, internalValue('SuccessPolicy', spec.successPolicy), 'requires indexed completion mode');
  }
}

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

function checkJobBody(check: Check, at: string, spec: JobSpec): void {
  for (const key of COUNTS) check.nonNegative(`${at}.${key}`, spec[key]);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    check.required(`${at}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified');
  if (spec.managedBy !== undefined) {
    checkDomainPrefixedPath(check, `${at}.managedBy`, spec.managedBy);
    if (byteLength(spec.managedBy) > 63) check.add([tooLong(`${at}.managedBy`, 63)]);
  }
  if (spec.completionMode !== undefined) check.oneOf(`${at}.completionMode`, spec.completionMode, ['NonIndexed', 'Indexed']);
  checkIndexed(check, at, spec);
  (spec.podFailurePolicy?.rules ?? []).forEach((rule, i) => {
    checkFailureRule(check, `${at}.podFailurePolicy.rules[${i}]`, rule, spec);
  });
  if (spec.podReplacementPolicy !== undefined) {
    check.oneOf(`${at}.podReplacementPolicy`, spec.podReplacementPolicy, spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']);
  }
  checkPodTemplate(check, `${at}.template`, spec.template ?? {});
  const policy = spec.template?.spec?.restartPolicy ?? '';
  const place = `${at}.template.spec.restartPolicy`;
  if (policy === '' || policy === 'Always') check.required(place, 'valid values: "OnFailure", "Never"');
  else if (policy !== 'OnFailure' && policy !== 'Never') check.notSupported(place, policy, ['OnFailure', 'Never']);
  else if (spec.podFailurePolicy && policy !== 'Never') check.invalid(place, policy, 'only "Never" is supported when podFailurePolicy is specified');
}

function checkJobSpec(check: Check, spec: JobSpec): void {
  checkJobBody(check, 'spec', spec);
  if (!spec.selector) check.required('spec.selector');
  else check.add(validateLabelSelector(spec.selector, 'spec.selector'));
  const labels = spec.template?.metadata?.labels;
  if (!matchesSelector(asSelector(spec.selector), labels))
    check.invalid('spec.template.metadata.labels', sortedMap(labels), '`selector` does not match template `labels`');
}

/** Labels that the server makes; authors who write their own must say so. */
function checkGeneratedSelector(check: Check, job: Job): void {
  const { spec = {}, metadata = {} } = job;
  if (spec.manualSelector || !spec.selector) return;
  const labels = spec.template?.metadata?.labels ?? {};
  const expected: Record<string, string> = {};
  for (const prefix of ['', 'batch.kubernetes.io/']) {
    for (const [key, value] of [
      [`${prefix}controller-uid`, metadata.uid ?? ''],
      [`${prefix}job-name`, metadata.name ?? ''],
    ] as const) {
      expected[key] = value;
      const actual = labels[key];
      if (actual === undefined) check.required(`spec.template.metadata.labels[${key}]`, `must be '${value}'`);
      else if (actual !== value) check.invalid(`spec.template.metadata.labels[${key}]`, sortedMap(labels), `must be '${value}'`);
    }
  }
  if (!matchesSelector(asSelector(spec.selector), expected)) check.invalid('spec.selector', printSelector(spec.selector), '`selector` not auto-generated');
}

/** While a Job is suspended and was never started, where its Pods may run can still be changed. */
function withSchedulingOf(template: PodTemplateSpec, from: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, tolerations, schedulingGates, affinity } = from.spec ?? {};
  const merged = affinity || template.spec?.affinity ? { ...template.spec?.affinity, nodeAffinity: affinity?.nodeAffinity } : undefined;
  return {
    metadata: { ...template.metadata, labels: from.metadata?.labels, annotations: from.metadata?.annotations },
    spec: { ...template.spec, nodeSelector, tolerations, schedulingGates, affinity: merged },
  };
}

function withResourcesOf(template: PodTemplateSpec, from: PodTemplateSpec): PodTemplateSpec {
  const containers = (template.spec?.containers ?? []).map((container, i) => ({
    ...container,
    resources: from.spec?.containers?.[i]?.resources ?? container.resources,
  }));
  return { ...template, spec: { ...template.spec, containers } };
}

function checkJobChange(check: Check, job: Job, old: Job): void {
  const [spec, before] = [job.spec ?? {}, old.spec ?? {}];
  checkJobSpec(check, spec);
  if (spec.completionMode !== 'Indexed') check.immutable('spec.completions', spec.completions, before.completions);
  else if (spec.completions !== before.completions && spec.completions !== undefined && spec.completions !== spec.parallelism) {
    check.invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism');
  }
  check.immutable('spec.selector', spec.selector, before.selector, printSelector);
  const template = spec.template ?? {};
  let oldTemplate = before.template ?? {};
  if (before.suspend && !old.status?.startTime) oldTemplate = withResourcesOf(withSchedulingOf(oldTemplate, template), template);
  check.immutable('spec.template', template, oldTemplate, internalTemplate);
  check.immutable('spec.completionMode', spec.completionMode, before.completionMode);
  check.immutable('spec.podFailurePolicy', spec.podFailurePolicy, before.podFailurePolicy, (value) =>
    value ? internalValue('PodFailurePolicy', value) : null,
  );
  check.immutable('spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, before.backoffLimitPerIndex);
  check.immutable('spec.managedBy', spec.managedBy, before.managedBy);
  if (!semanticEqual(spec.successPolicy, before.successPolicy)) {
    check.invalid('spec.successPolicy', spec.successPolicy ? internalValue('SuccessPolicy', spec.successPolicy) : null, 'field is immutable');
  }
}

export const jobRules = rules<Job>({
  namespaced: true,
  check(check, job, old) {
    if (old) return;
    checkGeneratedSelector(check, job);
    checkJobSpec(check, job.spec ?? {});
    const { completionMode, completions = 0 } = job.spec ?? {};
    const hostname = `${job.metadata?.name}-${completions - 1}`;
    if (completionMode === 'Indexed' && completions > 0 && isDns1123Label(hostname).length > 0) {
      check.invalid('metadata.name', job.metadata?.name, `will not able to create pod with invalid DNS label: ${hostname}`);
    }
  },
  change: checkJobChange,
});

function checkTimeZone(check: Check, zone: string): void {
  const field = 'spec.timeZone';
  if (zone === '') {
    check.invalid(field, zone, 'timeZone must be nil or non-empty string');
    return;
  }
  if (zone.split('/').some((part) => part === '.' || part === '..' || part.startsWith('-') || !/^[A-Za-z._0-9+-]{1,14}$/.test(part))) {
    check.invalid(field, zone, `unknown time zone ${zone}`);
    return;
  }
  if (zone.toLowerCase() === 'local') {
    check.invalid(field, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones');
    return;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    check.invalid(field, zone, `unknown time zone ${zone}`);
  }
}

export const cronJobRules = rules<CronJob>({
  namespaced: true,
  check(check, cronJob, old) {
    const spec = cronJob.spec ?? {};
    const { schedule = '', jobTemplate } = spec;
    if (check.given('spec.schedule', schedule)) {
      const error = cronError(schedule);
      if (error) check.invalid('spec.schedule', schedule, error);
      if (schedule.includes('TZ') && !old?.spec?.schedule?.includes('TZ')) {
        check.invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead');
      }
    }
    check.nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds);
    if (spec.timeZone !== undefined && spec.timeZone !== old?.spec?.timeZone) checkTimeZone(check, spec.timeZone);
    check.oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']);
    const job = jobTemplate?.spec ?? {};
    checkJobBody(check, 'spec.jobTemplate.spec', job);
    if (job.selector) check.invalid('spec.jobTemplate.spec.selector', printSelector(job.selector), '`selector` will be auto-generated');
    if (job.manualSelector) check.notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']);
    check.nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit);
    check.nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit);
    const name = cronJob.metadata?.name ?? '';
    if (!old && name.length > 52) check.invalid('metadata.name', name, 'must be no more than 52 characters');
  },
});
