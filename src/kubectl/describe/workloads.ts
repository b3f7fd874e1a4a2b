import { humanDuration } from '../util/duration.ts';
import { deepEqual, type Obj } from '../util/object.ts';
import {
  controllerOf,
  type DescribeContext,
  events,
  formatLabelSelector,
  formatLabels,
  heading,
  labels,
  labelsAndAnnotations,
  podPhases,
  reasonConditions,
  rfc1123,
  selectorString,
  slice,
  trueFalse,
} from './common.ts';
import { podTemplate } from './pod.ts';
import { storageClassOf } from './volumes.ts';
import type { DescribeWriter } from './writer.ts';

export async function describeStatefulSet(set: Obj, context: DescribeContext, w: DescribeWriter): Promise<void> {
  const { metadata, spec, status = {} } = set;
  const selector = selectorString(spec.selector);
  const phases = await podPhases(set, selector, context);
  heading(w, set);
  w.field(0, 'CreationTimestamp', rfc1123(metadata.creationTimestamp));
  w.field(0, 'Selector', selector);
  labelsAndAnnotations(w, set);
  w.field(0, 'Replicas', `${spec.replicas} desired | ${status.replicas ?? 0} total`);
  w.field(0, 'Update Strategy', spec.updateStrategy?.type ?? '');
  const rolling = spec.updateStrategy?.rollingUpdate;
  if (rolling?.partition !== undefined) {
    w.field(1, 'Partition', rolling.partition);
    if (rolling.maxUnavailable !== undefined) w.field(1, 'MaxUnavailable', rolling.maxUnavailable);
  }
  w.field(0, 'Pods Status', phases);
  podTemplate(w, spec.template);
  claimTemplates(w, spec.volumeClaimTemplates);
  events(w, context);
}

function claimTemplates(w: DescribeWriter, templates: readonly Obj[] | undefined): void {
  if (!templates?.length) {
    w.field(0, 'Volume Claims', '<none>');
    return;
  }
  w.write(0, 'Volume Claims:\n');
  for (const template of templates) {
    w.field(1, 'Name', template.metadata?.name);
    w.field(1, 'StorageClass', storageClassOf(template));
    labels(w, 'Labels', template.metadata?.labels, '  ');
    labels(w, 'Annotations', template.metadata?.annotations, '  ');
    w.field(1, 'Capacity', template.spec?.resources?.requests?.storage ?? '<default>');
    w.field(1, 'Access Modes', slice(template.spec?.accessModes));
  }
}

export async function describeDeployment(deployment: Obj, context: DescribeContext, w: DescribeWriter): Promise<void> {
  const { metadata, spec, status = {} } = deployment;
  const selector = selectorString(spec.selector);
  const sets = (await context.source.list(`/apis/apps/v1/namespaces/${metadata.namespace}/replicasets?labelSelector=${encodeURIComponent(selector)}`)).filter(
    (set) => (set.metadata?.ownerReferences ?? []).some((owner: Obj) => owner.controller && owner.uid === metadata.uid),
  );
  heading(w, deployment);
  w.field(0, 'CreationTimestamp', rfc1123(metadata.creationTimestamp));
  labelsAndAnnotations(w, deployment);
  w.field(0, 'Selector', selector);
  const count = (key: string): number => status[key] ?? 0;
  w.field(
    0,
    'Replicas',
    `${spec.replicas} desired | ${count('updatedReplicas')} updated | ${count('replicas')} total | ${count('availableReplicas')} available | ${count('unavailableReplicas')} unavailable`,
  );
  w.field(0, 'StrategyType', spec.strategy?.type ?? '');
  w.field(0, 'MinReadySeconds', spec.minReadySeconds ?? 0);
  const rolling = spec.strategy?.rollingUpdate;
  if (rolling) w.field(0, 'RollingUpdateStrategy', `${rolling.maxUnavailable} max unavailable, ${rolling.maxSurge} max surge`);
  podTemplate(w, spec.template);
  reasonConditions(w, status.conditions);
  const newest = findNewReplicaSet(deployment, sets);
  if (sets.length > 0) {
    const tell = (list: readonly Obj[]): string =>
      list.map((set) => `${set.metadata.name} (${set.status?.replicas ?? 0}/${set.spec.replicas} replicas created)`).join(', ') || '<none>';
    w.field(0, 'OldReplicaSets', tell(sets.filter((set) => set !== newest)));
    w.field(0, 'NewReplicaSet', tell(newest ? [newest] : []));
  }
  events(w, context);
}

/** deploymentutil.FindNewReplicaSet: the oldest whose template equals the Deployment's but for the hash label. */
export function findNewReplicaSet(deployment: Obj, sets: readonly Obj[]): Obj | undefined {
  const bare = (template: Obj): Obj => {
    const { 'pod-template-hash': _, ...rest } = template.metadata?.labels ?? {};
    return { ...template, metadata: { ...template.metadata, labels: rest } };
  };
  return [...sets]
    .sort((a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp))
    .find((set) => deepEqual(bare(set.spec.template), bare(deployment.spec.template)));
}

export async function describeReplicaSet(set: Obj, context: DescribeContext, w: DescribeWriter): Promise<void> {
  // A ReplicationController's selector is a plain map.
  const plain = set.kind === 'ReplicationController';
  const selector = plain ? formatLabels(set.spec.selector) : formatLabelSelector(set.spec.selector);
  const phases = await podPhases(set, selector === '<none>' ? '' : selector, context);
  heading(w, set);
  w.field(0, 'Selector', selector);
  labelsAndAnnotations(w, set);
  const controller = controllerOf(set);
  if (controller && !plain) w.field(0, 'Controlled By', controller);
  w.field(0, 'Replicas', `${set.status?.replicas ?? 0} current / ${set.spec.replicas} desired`);
  w.field(0, 'Pods Status', phases);
  podTemplate(w, set.spec.template);
  reasonConditions(w, set.status?.conditions);
  events(w, context);
}

export async function describeDaemonSet(set: Obj, context: DescribeContext, w: DescribeWriter): Promise<void> {
  const { spec, status = {} } = set;
  const selector = selectorString(spec.selector);
  const phases = await podPhases(set, selector, context);
  heading(w, set);
  w.field(0, 'Selector', selector);
  w.field(0, 'Node-Selector', formatLabels(spec.template?.spec?.nodeSelector));
  labelsAndAnnotations(w, set);
  for (const [label, key] of [
    ['Desired Number of Nodes Scheduled', 'desiredNumberScheduled'],
    ['Current Number of Nodes Scheduled', 'currentNumberScheduled'],
    ['Number of Nodes Scheduled with Up-to-date Pods', 'updatedNumberScheduled'],
    ['Number of Nodes Scheduled with Available Pods', 'numberAvailable'],
    ['Number of Nodes Misscheduled', 'numberMisscheduled'],
  ] as const) {
    w.write(0, `${label}: ${status[key] ?? 0}\n`);
  }
  w.field(0, 'Pods Status', phases);
  podTemplate(w, spec.template);
  events(w, context);
}

export function describeJob(job: Obj, context: DescribeContext, w: DescribeWriter): void {
  const { spec, status = {} } = job;
  heading(w, job);
  w.field(0, 'Selector', selectorString(spec.selector));
  labelsAndAnnotations(w, job);
  const controller = controllerOf(job);
  if (controller) w.field(0, 'Controlled By', controller);
  if (spec.parallelism !== undefined) w.field(0, 'Parallelism', spec.parallelism);
  w.field(0, 'Completions', spec.completions ?? '<unset>');
  if (spec.completionMode !== undefined) w.field(0, 'Completion Mode', spec.completionMode);
  if (spec.suspend !== undefined) w.field(0, 'Suspend', spec.suspend);
  if (spec.backoffLimit !== undefined) w.field(0, 'Backoff Limit', spec.backoffLimit);
  if (spec.ttlSecondsAfterFinished !== undefined) w.field(0, 'TTL Seconds After Finished', spec.ttlSecondsAfterFinished);
  if (status.startTime) w.field(0, 'Start Time', rfc1123(status.startTime));
  if (status.completionTime) w.field(0, 'Completed At', rfc1123(status.completionTime));
  if (status.startTime && status.completionTime) w.field(0, 'Duration', humanDuration(Date.parse(status.completionTime) - Date.parse(status.startTime)));
  if (spec.activeDeadlineSeconds !== undefined) w.field(0, 'Active Deadline Seconds', `${spec.activeDeadlineSeconds}s`);
  const ready = status.ready === undefined ? '' : ` (${status.ready} Ready)`;
  w.field(0, 'Pods Statuses', `${status.active ?? 0} Active${ready} / ${status.succeeded ?? 0} Succeeded / ${status.failed ?? 0} Failed`);
  if (spec.completionMode === 'Indexed') w.field(0, 'Completed Indexes', capIndexes(status.completedIndexes ?? ''));
  podTemplate(w, spec.template);
  events(w, context);
}

/** A long list of indexes is cut at the first comma after 50 characters. */
function capIndexes(indexes: string): string {
  if (indexes === '') return '<none>';
  const cut = indexes.indexOf(',', 50);
  return cut < 0 ? indexes : `${indexes.slice(0, cut + 1)}...`;
}

export function describeCronJob(cronJob: Obj, context: DescribeContext, w: DescribeWriter): void {
  const { spec, status = {} } = cronJob;
  heading(w, cronJob);
  labelsAndAnnotations(w, cronJob);
  w.field(0, 'Schedule', spec.schedule);
  w.field(0, 'Concurrency Policy', spec.concurrencyPolicy ?? '');
  w.field(0, 'Suspend', trueFalse(spec.suspend));
  w.field(0, 'Time Zone', spec.timeZone ?? '<unset>');
  w.field(0, 'Successful Job History Limit', spec.successfulJobsHistoryLimit ?? '<unset>');
  w.field(0, 'Failed Job History Limit', spec.failedJobsHistoryLimit ?? '<unset>');
  w.field(0, 'Starting Deadline Seconds', spec.startingDeadlineSeconds === undefined ? '<unset>' : `${spec.startingDeadlineSeconds}s`);
  const job = spec.jobTemplate?.spec ?? {};
  w.field(0, 'Selector', job.selector ? selectorString(job.selector) : '<unset>');
  w.field(0, 'Parallelism', job.parallelism ?? '<unset>');
  w.field(0, 'Completions', job.completions ?? '<unset>');
  if (job.activeDeadlineSeconds !== undefined) w.field(0, 'Active Deadline Seconds', `${job.activeDeadlineSeconds}s`);
  podTemplate(w, job.template);
  w.field(0, 'Last Schedule Time', status.lastScheduleTime ? rfc1123(status.lastScheduleTime) : '<unset>');
  w.field(0, 'Active Jobs', (status.active ?? []).map((reference: Obj) => reference.name).join(', ') || '<none>');
  events(w, context);
}

export function describeHorizontalPodAutoscaler(hpa: Obj, context: DescribeContext, w: DescribeWriter): void {
  const { metadata, spec, status = {} } = hpa;
  heading(w, hpa);
  labelsAndAnnotations(w, hpa);
  w.field(0, 'CreationTimestamp', rfc1123(metadata.creationTimestamp));
  w.field(0, 'Reference', `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`);
  w.field(0, 'Metrics', '( current / target )');
  (spec.metrics ?? []).forEach((metric: Obj, i: number) => {
    metricLine(w, metric, status.currentMetrics?.[i]);
  });
  w.field(0, 'Min replicas', spec.minReplicas ?? '<unset>');
  w.field(0, 'Max replicas', spec.maxReplicas);
  if (spec.behavior) {
    w.write(0, 'Behavior:\n');
    behaviour(w, 'Scale Up', spec.behavior.scaleUp);
    behaviour(w, 'Scale Down', spec.behavior.scaleDown);
  }
  w.field(0, `${spec.scaleTargetRef.kind} pods`, `${status.currentReplicas ?? 0} current / ${status.desiredReplicas ?? 0} desired`);
  if (status.conditions?.length) {
    w.write(0, 'Conditions:\n');
    w.table(
      1,
      ['Type', 'Status', 'Reason', 'Message'],
      status.conditions.map((condition: Obj) => [condition.type, condition.status, condition.reason, condition.message]),
    );
  }
  events(w, context);
}

function metricLine(w: DescribeWriter, metric: Obj, current: Obj | undefined): void {
  const unknown = '<unknown>';
  const kind = (
    { Resource: 'resource', ContainerResource: 'containerResource', Pods: 'pods', Object: 'object', External: 'external' } as Record<string, string>
  )[metric.type];
  const source = kind ? metric[kind] : undefined;
  const now = kind ? current?.[kind]?.current : undefined;
  if (!source) {
    w.write(1, `<unknown metric type "${metric.type}">\n`);
  } else if (kind === 'resource' || kind === 'containerResource') {
    const where = kind === 'resource' ? 'on pods' : `of container "${source.container}" on pods`;
    if (source.target.averageValue !== undefined)
      w.write(1, `resource ${source.name} ${where}:\t${now?.averageValue ?? unknown} / ${source.target.averageValue}\n`);
    else {
      const present = now?.averageUtilization === undefined ? unknown : `${now.averageUtilization}% (${now.averageValue})`;
      const target = source.target.averageUtilization === undefined ? '<auto>' : `${source.target.averageUtilization}%`;
      w.write(1, `resource ${source.name} ${where}  (as a percentage of request):\t${present} / ${target}\n`);
    }
  } else if (kind === 'pods') {
    w.write(1, `"${source.metric.name}" on pods:\t${now?.averageValue ?? unknown} / ${source.target.averageValue}\n`);
  } else {
    const on = kind === 'object' ? ` on ${source.describedObject.kind}/${source.describedObject.name}` : '';
    const average = source.target.averageValue !== undefined;
    w.write(
      1,
      `"${source.metric.name}"${on} (target ${average ? 'average ' : ''}value):\t${(average ? now?.averageValue : now?.value) ?? unknown} / ${average ? source.target.averageValue : source.target.value}\n`,
    );
  }
}

function behaviour(w: DescribeWriter, direction: string, rules: Obj | undefined): void {
  if (!rules) return;
  w.write(1, `${direction}:\n`);
  if (rules.stabilizationWindowSeconds !== undefined) w.write(2, `Stabilization Window: ${rules.stabilizationWindowSeconds} seconds\n`);
  if (!rules.policies?.length) return;
  w.write(2, `Select Policy: ${rules.selectPolicy ?? 'Max'}\n`);
  w.write(2, 'Policies:\n');
  for (const policy of rules.policies) w.write(3, `- Type: ${policy.type}\tValue: ${policy.value}\tPeriod: ${policy.periodSeconds} seconds\n`);
}

export function describePodDisruptionBudget(budget: Obj, context: DescribeContext, w: DescribeWriter): void {
  const { spec, status = {} } = budget;
  heading(w, budget);
  if (spec.minAvailable !== undefined) w.field(0, 'Min available', spec.minAvailable);
  else if (spec.maxUnavailable !== undefined) w.field(0, 'Max unavailable', spec.maxUnavailable);
  w.field(0, 'Selector', spec.selector ? formatLabelSelector(spec.selector) : '<unset>');
  w.write(0, 'Status:\n');
  w.field(2, 'Allowed disruptions', status.disruptionsAllowed ?? 0);
  w.field(2, 'Current', status.currentHealthy ?? 0);
  w.field(2, 'Desired', status.desiredHealthy ?? 0);
  w.field(2, 'Total', status.expectedPods ?? 0);
  events(w, context);
}

export function describePriorityClass(priority: Obj, context: DescribeContext, w: DescribeWriter): void {
  w.field(0, 'Name', priority.metadata.name);
  w.field(0, 'Value', priority.value);
  w.field(0, 'GlobalDefault', priority.globalDefault ?? false);
  w.field(0, 'PreemptionPolicy', priority.preemptionPolicy);
  w.field(0, 'Description', priority.description ?? '');
  w.field(0, 'Annotations', formatLabels(priority.metadata.annotations));
  events(w, context);
}
