import type { ApiObject, Client } from '../../sim/client/types.ts';
import { isDeleting, nameOf, namespaceOf, uidOf } from '../../sim/controllers/object.ts';
import { isPodReady } from '../../sim/controllers/pods.ts';
import type { CronJob, DaemonSet, Deployment, Job, Pod, ReplicaSet } from '../../sim/kinds/types.ts';
import { eventMessage, obstacle, refOf } from './obstacles.ts';
import { podObstacles, readiness } from './pods.ts';
import type { Obstacle } from './types.ts';

const PODS = 'v1/pods';
const SETS = 'apps/v1/replicasets';

interface Condition {
  type?: string;
  status?: string;
  reason?: string;
  message?: string;
}

function owned<T extends ApiObject>(client: Client, resource: string, owner: ApiObject): T[] {
  return client
    .resource<T>(resource)
    .list(namespaceOf(owner))
    .filter((one) => one.metadata?.ownerReferences?.some((reference) => reference.uid === uidOf(owner)));
}

const condition = (list: readonly Condition[] | undefined, type: string, status: string): Condition | undefined =>
  list?.find((one) => one.type === type && one.status === status);

/** The first Pod that its owner waits for, and what holds it up. */
function waitingPods(client: Client, pods: readonly Pod[], owner: string): Obstacle[] {
  const waiting = pods.filter((pod) => !isDeleting(pod) && !isPodReady(pod) && pod.status?.phase !== 'Succeeded');
  const first = waiting[0];
  if (!first) return [];
  return [
    obstacle('not/pods-not-ready', { owner, count: `${waiting.length}`, pod: nameOf(first) }, readiness(first), refOf(PODS, first)),
    ...podObstacles(client, first),
  ];
}

/** Why a Deployment has not got as far as its spec asks. */
export function deploymentObstacles(client: Client, deployment: Deployment): Obstacle[] {
  const { spec, status } = deployment;
  const wanted = spec?.replicas ?? 1;
  const done = (status?.updatedReplicas ?? 0) >= wanted && (status?.availableReplicas ?? 0) >= wanted && (status?.replicas ?? 0) <= wanted;
  const found: Obstacle[] = [];
  const newest = owned<ReplicaSet>(client, SETS, deployment).sort((a, b) => revision(b) - revision(a))[0];
  if (spec?.paused) found.push(obstacle('not/paused', {}, 'spec.paused: true'));
  if (done) return found;
  const late = condition(status?.conditions, 'Progressing', 'False');
  if (late) found.push(obstacle('not/progress-deadline', { seconds: `${spec?.progressDeadlineSeconds ?? 600}` }, late.message ?? late.reason ?? ''));
  if (newest) {
    // What the old version still runs is kept until the new one is there.
    found.push(...replicaSetObstacles(client, newest));
    if (found.length > 0 && (status?.replicas ?? 0) > (status?.updatedReplicas ?? 0))
      found.push(obstacle('not/old-version-kept', {}, `replicas: ${status?.replicas ?? 0}, updatedReplicas: ${status?.updatedReplicas ?? 0}`));
  }
  return found;
}

const revision = (set: ReplicaSet): number => Number(set.metadata?.annotations?.['deployment.kubernetes.io/revision'] ?? 0);

/** Why a ReplicaSet has fewer Pods, or fewer ready ones, than its spec asks. */
export function replicaSetObstacles(client: Client, set: ReplicaSet): Obstacle[] {
  const { spec, status } = set;
  const wanted = spec?.replicas ?? 1;
  const pods = owned<Pod>(client, PODS, set);
  const failure = condition(status?.conditions, 'ReplicaFailure', 'True');
  const found: Obstacle[] = [];
  if (pods.length < wanted && failure) found.push(obstacle('not/create-refused', {}, failure.message ?? '', refOf(SETS, set)));
  if ((status?.readyReplicas ?? 0) < wanted) found.push(...waitingPods(client, pods, nameOf(set)));
  return found;
}

/** Why a DaemonSet does not run, or not in its newest version, on every node it should. */
export function daemonSetObstacles(client: Client, set: DaemonSet): Obstacle[] {
  const { spec, status } = set;
  const desired = status?.desiredNumberScheduled ?? 0;
  if (desired === 0) {
    const selector = Object.entries(spec?.template?.spec?.nodeSelector ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    return [obstacle('not/no-node-fits', {}, selector === '' ? 'desiredNumberScheduled: 0' : `nodeSelector: ${selector}`)];
  }
  const found: Obstacle[] = [];
  const refused = eventMessage(client, set, 'FailedCreate');
  if ((status?.currentNumberScheduled ?? 0) < desired && refused !== '') found.push(obstacle('not/create-refused', {}, refused));
  if ((status?.numberReady ?? 0) < desired) found.push(...waitingPods(client, owned<Pod>(client, PODS, set), nameOf(set)));
  if ((status?.updatedNumberScheduled ?? 0) < desired && spec?.updateStrategy?.type === 'OnDelete')
    found.push(obstacle('not/on-delete', {}, `updatedNumberScheduled: ${status?.updatedNumberScheduled ?? 0} / ${desired}`));
  return found;
}

/** Why a Job has not completed. */
export function jobObstacles(client: Client, job: Job): Obstacle[] {
  const { spec, status } = job;
  const over = condition(status?.conditions, 'Failed', 'True');
  if (over) return [obstacle('not/job-failed', {}, `${over.reason ?? ''}: ${over.message ?? ''}`), ...lastFailure(client, job)];
  if (condition(status?.conditions, 'Complete', 'True')) return [];
  if (spec?.suspend) return [obstacle('not/suspended', {}, 'spec.suspend: true')];
  const found = waitingPods(client, owned<Pod>(client, PODS, job), nameOf(job));
  const failed = status?.failed ?? 0;
  if (failed > 0) {
    const detail = { failed: `${failed}`, limit: `${spec?.backoffLimit ?? 6}` };
    found.push(obstacle('not/job-retries', detail, `failed: ${failed}, backoffLimit: ${detail.limit}`), ...lastFailure(client, job));
  }
  if (found.length === 0)
    found.push(obstacle('not/job-running', {}, `active: ${status?.active ?? 0}, succeeded: ${status?.succeeded ?? 0} / ${spec?.completions ?? 1}`));
  return found;
}

function lastFailure(client: Client, job: Job): Obstacle[] {
  const failed = owned<Pod>(client, PODS, job).findLast((pod) => pod.status?.phase === 'Failed');
  return failed ? podObstacles(client, failed) : [];
}

/** Why a CronJob has no Job running. */
export function cronJobObstacles(cronJob: CronJob): Obstacle[] {
  const { spec, status } = cronJob;
  if (spec?.suspend) return [obstacle('not/suspended', {}, 'spec.suspend: true')];
  if ((status?.active ?? []).length > 0) return [];
  return [
    obstacle(
      'not/cron-waits',
      { schedule: spec?.schedule ?? '' },
      `schedule: ${spec?.schedule ?? ''}${spec?.timeZone ? ` (${spec.timeZone})` : ''}, lastScheduleTime: ${status?.lastScheduleTime ?? '<none>'}`,
    ),
  ];
}
