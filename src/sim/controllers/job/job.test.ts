import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronJob, Job, JobSpec, Pod } from '../../kinds/types.ts';
import { parseSchedule } from '../cronjob/schedule.ts';
import { Harness } from '../testing/harness.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';

const JOBS = 'batch/v1/jobs';

function job(spec: JobSpec = {}): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'pi', namespace: 'default' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } }, ...spec },
  };
}

function conditions(harness: Harness): string[] {
  return (harness.get<Job>(JOBS, 'pi')?.status?.conditions ?? []).map((one) => `${one.type}=${one.status} ${one.reason}`);
}

test('a Job runs its completions, a few at a time, and says so', async () => {
  const harness = new Harness();
  harness.behaviourOf = () => 'succeeding';
  harness.create(JOBS, job({ completions: 3, parallelism: 2 }));
  await harness.until(() => conditions(harness).length === 2);
  assert.deepEqual(conditions(harness), ['SuccessCriteriaMet=True CompletionsReached', 'Complete=True CompletionsReached']);
  const status = harness.get<Job>(JOBS, 'pi')?.status;
  assert.equal(status?.succeeded, 3);
  assert.deepEqual(status?.uncountedTerminatedPods, {});
  assert.ok(harness.list<Pod>('v1/pods').every((pod) => !pod.metadata?.finalizers));
  assert.equal(harness.events('Job', 'pi').at(-1), 'Completed: Job completed');
  harness.dispose();
});

test('failed Pods are made again with a growing back-off until the limit', async () => {
  const harness = new Harness();
  harness.behaviourOf = () => 'failing';
  harness.create(JOBS, job({ backoffLimit: 2 }));
  await harness.until(() => conditions(harness).length === 2);
  assert.deepEqual(conditions(harness), ['FailureTarget=True BackoffLimitExceeded', 'Failed=True BackoffLimitExceeded']);
  const created = harness.writes.filter((write) => write.resource === 'v1/pods' && write.type === 'ADDED').map((write) => write.atMs);
  assert.equal(created.length, 3);
  const gaps = created.slice(1).map((atMs, index) => Math.round((atMs - (created[index] ?? 0)) / 1000));
  assert.ok((gaps[0] ?? 0) >= 10 && (gaps[1] ?? 0) >= 20, String(gaps));
  harness.dispose();
});

test('an indexed Job gives each Pod its index', async () => {
  const harness = new Harness();
  harness.behaviourOf = () => 'succeeding';
  harness.create(JOBS, job({ completions: 3, parallelism: 3, completionMode: 'Indexed' }));
  await harness.until(() => conditions(harness).length === 2);
  assert.equal(harness.get<Job>(JOBS, 'pi')?.status?.completedIndexes, '0-2');
  const names = harness.list<Pod>('v1/pods').map((pod) => pod.spec?.hostname);
  assert.deepEqual(names.sort(), ['pi-0', 'pi-1', 'pi-2']);
  harness.dispose();
});

test('suspending removes the Pods, resuming makes them again; a TTL removes the finished Job', async () => {
  const harness = new Harness();
  harness.create(JOBS, job({ ttlSecondsAfterFinished: 5 }));
  await harness.run(2_000);
  harness.patch(JOBS, 'pi', { spec: { suspend: true } });
  await harness.run(3_000);
  assert.deepEqual(harness.names('v1/pods'), []);
  assert.deepEqual(conditions(harness), ['Suspended=True JobSuspended']);
  harness.behaviourOf = () => 'succeeding';
  harness.patch(JOBS, 'pi', { spec: { suspend: false } });
  await harness.run(3_000);
  assert.ok(conditions(harness).includes('Complete=True CompletionsReached'));
  await harness.run(10_000);
  assert.equal(harness.get(JOBS, 'pi'), undefined);
  assert.deepEqual(harness.names('v1/pods'), []);
  harness.dispose();
});

test('a CronJob starts a Job at every due minute and keeps as many as it should', async () => {
  const harness = new Harness();
  harness.behaviourOf = () => 'succeeding';
  harness.create<CronJob>('batch/v1/cronjobs', {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'tick', namespace: 'default' },
    spec: { schedule: '*/1 * * * *', successfulJobsHistoryLimit: 2, jobTemplate: { spec: job().spec ?? {} } },
  });
  await harness.run(5 * 60_000 + 10_000);
  const created = harness.writes.filter((write) => write.resource === JOBS && write.type === 'ADDED');
  assert.equal(created.length, 5);
  assert.equal(harness.names(JOBS).length, 2);
  assert.ok(harness.events('CronJob', 'tick').some((text) => /^SawCompletedJob: Saw completed job: tick-\d+, condition: Complete$/.test(text)));
  harness.dispose();
});

test('cron schedules', () => {
  const at = (text: string): number => Date.parse(text);
  const next = (schedule: string, after: string, zone?: string): string =>
    new Date(parseSchedule(schedule, zone).next(at(after)) ?? 0).toISOString().slice(0, 16);
  assert.equal(next('*/15 * * * *', '2026-11-23T10:07:30Z'), '2026-11-23T10:15');
  assert.equal(next('0 3 * * 1-5', '2026-11-20T04:00:00Z'), '2026-11-23T03:00');
  assert.equal(next('30 2 29 2 *', '2026-11-23T00:00:00Z'), '2028-02-29T02:30');
  assert.equal(next('0 9 * * *', '2026-11-23T00:30:00Z', 'Asia/Taipei'), '2026-11-23T01:00');
  assert.equal(next('@hourly', '2026-11-23T10:00:00Z'), '2026-11-23T11:00');
  assert.throws(() => parseSchedule('* * * *'), /expected exactly 5 fields, found 4/);
  assert.throws(() => parseSchedule('60 * * * *'), /end of range \(60\) above maximum \(59\): 60/);
});

test('index sets are written as intervals', () => {
  assert.equal(formatIndexes(new Set([0, 1, 2, 5, 7, 8])), '0-2,5,7,8');
  assert.deepEqual([...parseIndexes('0-2,5,9', 6)], [0, 1, 2, 5]);
});
