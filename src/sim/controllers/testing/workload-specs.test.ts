import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronJob, DaemonSet, Deployment, Job, Pod, PodDisruptionBudget, ReplicaSet } from '../../kinds/types.ts';
import { Spec } from './spec.ts';

// Upstream's specs of the other workloads (test/e2e/apps/*.go, v1.36), played in process. The names are those of the specs.

const PODS = 'v1/pods';
const JOBS = 'batch/v1/jobs';
const HTTPD = 'registry.k8s.io/e2e-test-images/httpd:2.4.38-4';
const BUSYBOX = 'registry.k8s.io/e2e-test-images/busybox:1.37.0-1';

const shell = (command: string): object => ({ name: 'c', image: BUSYBOX, command: ['/bin/sh', '-c', command] });

function job(name: string, command: string, more: object): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [shell(command)] } }, ...more },
  };
}

function jobStatus(spec: Spec, name: string) {
  return spec.get<Job>(JOBS, name)?.status;
}

function hasCondition(spec: Spec, name: string, type: string): boolean {
  return jobStatus(spec, name)?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
}

function deployment(name: string, replicas: number, image: string, strategy: object, more: object = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      strategy,
      selector: { matchLabels: { name: 'sample-pod' } },
      template: { metadata: { labels: { name: 'sample-pod' } }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'httpd', image }] } },
      ...more,
    },
  };
}

function setImage(spec: Spec, name: string, image: string): void {
  spec.update<Deployment>('apps/v1/deployments', name, (one) => {
    const container = one.spec?.template?.spec?.containers?.[0];
    if (container) container.image = image;
  });
}

const podsOf = (spec: Spec, label: string, value: string): Pod[] =>
  spec.cluster.client
    .resource<Pod>(PODS)
    .list('default')
    .filter((pod) => pod.metadata?.labels?.[label] === value);

test('deployment should support proportional scaling', async () => {
  const spec = await Spec.start('proportional');
  const name = 'webserver-deployment';
  spec.create('apps/v1/deployments', deployment(name, 10, HTTPD, { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } }));
  const status = () => spec.get<Deployment>('apps/v1/deployments', name)?.status;
  await spec.until('10 available', () => status()?.availableReplicas === 10);
  setImage(spec, name, 'webserver:404');
  const sizes = (): number[] =>
    spec.cluster.client
      .resource<ReplicaSet>('apps/v1/replicasets')
      .list('default')
      .map((one) => one.spec?.replicas ?? 0)
      .sort((a, b) => b - a);
  await spec.until('8 and 5', () => sizes().join() === '8,5' && status()?.availableReplicas === 8);
  spec.update<Deployment>('apps/v1/deployments', name, (one) => {
    one.spec = { ...one.spec, replicas: 30 };
  });
  await spec.until('20 and 13', () => sizes().join() === '20,13');
  spec.cluster.dispose();
});

test('deployment should support rollover', async () => {
  const spec = await Spec.start('rollover');
  const name = 'test-rollover-deployment';
  const template = { metadata: { labels: { name: 'sample-pod' } }, spec: { containers: [{ name: 'httpd', image: HTTPD }] } };
  const rs = { replicas: 1, selector: { matchLabels: { name: 'sample-pod' } }, template };
  spec.create('apps/v1/replicasets', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'test-rollover-controller', labels: { name: 'sample-pod' } },
    spec: rs,
  });
  await spec.until('the first Pod', () => podsOf(spec, 'name', 'sample-pod').some((pod) => pod.status?.phase === 'Running'));
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  spec.create('apps/v1/deployments', deployment(name, 1, 'redis-slave:nonexistent', strategy, { minReadySeconds: 10 }));
  await spec.until('revision 2', () => spec.get('apps/v1/deployments', name)?.metadata?.annotations?.['deployment.kubernetes.io/revision'] !== undefined);
  setImage(spec, name, 'registry.k8s.io/e2e-test-images/agnhost:2.63.0');
  const complete = (): boolean => {
    const one = spec.get<Deployment>('apps/v1/deployments', name);
    return (
      one?.status?.updatedReplicas === 1 &&
      one.status.replicas === 1 &&
      one.status.availableReplicas === 1 &&
      one.status.observedGeneration === one.metadata?.generation
    );
  };
  await spec.until('complete', complete);
  for (const old of spec.cluster.client.resource<ReplicaSet>('apps/v1/replicasets').list('default')) {
    if (old.spec?.template?.spec?.containers?.[0]?.image?.includes('agnhost')) continue;
    assert.equal(old.spec?.replicas, 0);
  }
  spec.cluster.dispose();
});

test('RecreateDeployment should delete old pods and create new ones', async () => {
  const spec = await Spec.start('recreate');
  spec.create('apps/v1/deployments', deployment('test-recreate-deployment', 1, HTTPD, { type: 'Recreate' }));
  const status = () => spec.get<Deployment>('apps/v1/deployments', 'test-recreate-deployment')?.status;
  await spec.until('available', () => status()?.availableReplicas === 1);
  let most = 0;
  const hashes = (): number => new Set(podsOf(spec, 'name', 'sample-pod').map((pod) => pod.metadata?.labels?.['pod-template-hash'])).size;
  spec.cluster.onWrite((write) => {
    if (write.resource === PODS) most = Math.max(most, hashes());
  });
  setImage(spec, 'test-recreate-deployment', 'registry.k8s.io/e2e-test-images/httpd:2.4.39-4');
  await spec.until('updated', () => status()?.updatedReplicas === 1 && status()?.availableReplicas === 1 && status()?.observedGeneration === 2);
  assert.equal(most, 1);
  spec.cluster.dispose();
});

test('should surface a failure condition on a common issue like exceeded quota', async () => {
  const spec = await Spec.start('quota');
  spec.create('v1/resourcequotas', { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'condition-test' }, spec: { hard: { pods: '2' } } });
  await spec.seconds(5);
  const template = { metadata: { labels: { name: 'condition-test' } }, spec: { containers: [{ name: 'httpd', image: HTTPD }] } };
  const rs = { replicas: 3, selector: { matchLabels: { name: 'condition-test' } }, template };
  spec.create('apps/v1/replicasets', { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'condition-test' }, spec: rs });
  const failure = () => spec.get<ReplicaSet>('apps/v1/replicasets', 'condition-test')?.status?.conditions?.find((one) => one.type === 'ReplicaFailure');
  await spec.until('ReplicaFailure', () => failure()?.status === 'True');
  spec.update<ReplicaSet>('apps/v1/replicasets', 'condition-test', (one) => {
    one.spec = { ...one.spec, replicas: 2 };
  });
  await spec.until('no failure', () => failure() === undefined);
  spec.cluster.dispose();
});

test('should retry creating failed daemon pods; should rollback without unnecessary restarts', async () => {
  const spec = await Spec.start('daemons');
  const labels = { 'daemonset-name': 'daemon-set' };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'app', image: HTTPD }] } };
  spec.create('apps/v1/daemonsets', {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'daemon-set' },
    spec: { selector: { matchLabels: labels }, template },
  });
  const pods = () => podsOf(spec, 'daemonset-name', 'daemon-set');
  const ready = () => spec.get<DaemonSet>('apps/v1/daemonsets', 'daemon-set')?.status?.numberReady === 3;
  await spec.until('three ready', ready);
  const first = pods()[0] as Pod;
  const failed = structuredClone(first);
  failed.status = { ...failed.status, phase: 'Failed' };
  spec.cluster.client.resource<Pod>(PODS).updateStatus(failed, { cause: { actor: 'e2e.test', rule: 'request/test' } });
  await spec.until('replaced', () => pods().length === 3 && pods().every((pod) => pod.metadata?.uid !== first.metadata?.uid) && ready());

  const before = new Set(pods().map((pod) => pod.metadata?.uid));
  const image = (value: string): void =>
    spec.update<DaemonSet>('apps/v1/daemonsets', 'daemon-set', (one) => {
      const container = one.spec?.template?.spec?.containers?.[0];
      if (container) container.image = value;
    });
  image('foo:non-existent');
  await spec.until('one new Pod', () => pods().some((pod) => pod.spec?.containers?.[0]?.image === 'foo:non-existent'));
  const kept = pods()
    .filter((pod) => pod.spec?.containers?.[0]?.image === HTTPD && before.has(pod.metadata?.uid))
    .map((pod) => pod.metadata?.uid);
  assert.equal(kept.length, 2);
  image(HTTPD);
  await spec.until('rolled back', () => ready() && pods().every((pod) => pod.spec?.containers?.[0]?.image === HTTPD));
  assert.ok(kept.every((uid) => pods().some((pod) => pod.metadata?.uid === uid)));
  spec.cluster.dispose();
});

test('jobs: policies for failures, indexes and success', async () => {
  const spec = await Spec.start('jobs');
  const onExit = (exitCode: number, action: string): object => ({
    podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In', values: [exitCode] } }] },
  });
  const indexed = (completions: number, more: object): object => ({ completionMode: 'Indexed', completions, parallelism: completions, ...more });
  // should allow to use the pod failure policy on exit code to fail the job early
  spec.create(JOBS, job('early', 'exit 1', { parallelism: 1, completions: 1, backoffLimit: 4, ...onExit(1, 'FailJob') }));
  // should allow to use a pod failure policy to ignore failure matching on exit code
  spec.create(
    JOBS,
    job('ignore', 'if [ -e /tmp/never ]; then exit 0; fi; exit 0', { parallelism: 1, completions: 1, backoffLimit: 0, ...onExit(1, 'Ignore') }),
  );
  // with successPolicy succeededIndexes rule should succeeded even when some indexes remain pending
  spec.create(
    JOBS,
    job('success', 'if [ "$JOB_COMPLETION_INDEX" = 0 ]; then exit 0; fi; sleep 10000', indexed(2, { successPolicy: { rules: [{ succeededIndexes: '0' }] } })),
  );
  // should execute all indexes despite some failing when using backoffLimitPerIndex
  spec.create(JOBS, job('per-index', 'exit $(( JOB_COMPLETION_INDEX % 2 == 0 ))', indexed(4, { parallelism: 2, backoffLimitPerIndex: 1 })));
  // should terminate job execution when the number of failed indexes exceeds maxFailedIndexes
  spec.create(JOBS, job('max-failed', 'exit 1', indexed(10, { parallelism: 2, backoffLimitPerIndex: 1, maxFailedIndexes: 4 })));
  // should mark indexes as failed when the FailIndex action is matched in podFailurePolicy
  spec.create(JOBS, job('fail-index', 'exit $(( JOB_COMPLETION_INDEX == 0 ))', indexed(2, { backoffLimitPerIndex: 1, ...onExit(1, 'FailIndex') })));
  // should fail to exceed backoffLimit
  spec.create(JOBS, job('backoff', 'exit 1', { parallelism: 1, completions: 1, backoffLimit: 1 }));
  // should fail when exceeds active deadline
  spec.create(JOBS, job('deadline', 'sleep 10000', { parallelism: 2, completions: 4, backoffLimit: 6, activeDeadlineSeconds: 1 }));

  await spec.until('early Failed', () => hasCondition(spec, 'early', 'Failed'));
  assert.equal(jobStatus(spec, 'early')?.conditions?.find((one) => one.type === 'Failed')?.reason, 'PodFailurePolicy');
  await spec.until('ignore Complete', () => hasCondition(spec, 'ignore', 'Complete'));
  await spec.until('success Complete', () => hasCondition(spec, 'success', 'Complete'));
  assert.equal(jobStatus(spec, 'success')?.completedIndexes, '0');
  await spec.until('per-index Failed', () => hasCondition(spec, 'per-index', 'Failed'));
  assert.deepEqual([jobStatus(spec, 'per-index')?.failedIndexes, jobStatus(spec, 'per-index')?.completedIndexes], ['0,2', '1,3']);
  assert.deepEqual([jobStatus(spec, 'per-index')?.failed, jobStatus(spec, 'per-index')?.succeeded], [4, 2]);
  await spec.until('max-failed Failed', () => hasCondition(spec, 'max-failed', 'Failed'));
  assert.equal(jobStatus(spec, 'max-failed')?.conditions?.find((one) => one.type === 'Failed')?.reason, 'MaxFailedIndexesExceeded');
  await spec.until('fail-index Failed', () => hasCondition(spec, 'fail-index', 'Failed'));
  assert.deepEqual(
    [jobStatus(spec, 'fail-index')?.failedIndexes, jobStatus(spec, 'fail-index')?.completedIndexes, jobStatus(spec, 'fail-index')?.failed],
    ['0', '1', 1],
  );
  await spec.until('backoff Failed', () => hasCondition(spec, 'backoff', 'Failed'));
  assert.equal(podsOf(spec, 'job-name', 'backoff').length, 2);
  await spec.until('deadline Failed', () => hasCondition(spec, 'deadline', 'Failed'));
  assert.equal(jobStatus(spec, 'deadline')?.conditions?.find((one) => one.type === 'Failed')?.reason, 'DeadlineExceeded');
  spec.cluster.dispose();
});

test('jobs: should adopt matching orphans and release non-matching pods', async () => {
  const spec = await Spec.start('adopt-job');
  spec.create(JOBS, job('adopt-release', 'sleep 10000', { parallelism: 2, completions: 2 }));
  const pods = () => podsOf(spec, 'job-name', 'adopt-release');
  await spec.until('two active', () => jobStatus(spec, 'adopt-release')?.ready === 2);
  const name = pods()[0]?.metadata?.name ?? '';
  spec.update<Pod>(PODS, name, (pod) => {
    if (pod.metadata) pod.metadata.ownerReferences = [];
  });
  await spec.until('adopted', () => spec.pod(name)?.metadata?.ownerReferences?.[0]?.name === 'adopt-release');
  spec.update<Pod>(PODS, name, (pod) => {
    if (pod.metadata) pod.metadata.labels = {};
  });
  await spec.until('released', () => spec.pod(name)?.metadata?.ownerReferences === undefined);
  spec.cluster.dispose();
});

test('cron jobs: ForbidConcurrent, ReplaceConcurrent, suspended', async () => {
  const spec = await Spec.start('cron');
  const cron = (name: string, more: object): object => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: { schedule: '*/1 * * * ?', jobTemplate: { spec: { template: { spec: { restartPolicy: 'OnFailure', containers: [shell('sleep 300')] } } } }, ...more },
  });
  spec.create('batch/v1/cronjobs', cron('forbid', { concurrencyPolicy: 'Forbid' }));
  spec.create('batch/v1/cronjobs', cron('replace', { concurrencyPolicy: 'Replace' }));
  spec.create('batch/v1/cronjobs', cron('allow', { concurrencyPolicy: 'Allow' }));
  spec.create('batch/v1/cronjobs', cron('suspended', { suspend: true }));
  const active = (name: string): string[] => spec.get<CronJob>('batch/v1/cronjobs', name)?.status?.active?.map((one) => one.name ?? '') ?? [];
  await spec.until('the first Jobs', () => active('forbid').length === 1 && active('replace').length === 1);
  const [first] = active('replace');
  await spec.seconds(130);
  assert.equal(active('forbid').length, 1);
  assert.equal(active('replace').length, 1);
  assert.notEqual(active('replace')[0], first);
  assert.ok(active('allow').length >= 2);
  assert.deepEqual(active('suspended'), []);
  spec.cluster.dispose();
});

test('should block an eviction until the PDB is updated to allow it', async () => {
  const spec = await Spec.start('pdb');
  const labels = { foo: 'bar' };
  const budget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'foo' },
    spec: { minAvailable: 3, selector: { matchLabels: labels } },
  };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'httpd', image: HTTPD }] } };
  spec.create('apps/v1/replicasets', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'rs' },
    spec: { replicas: 3, selector: { matchLabels: labels }, template },
  });
  spec.create('policy/v1/poddisruptionbudgets', budget);
  const status = () => spec.get<PodDisruptionBudget>('policy/v1/poddisruptionbudgets', 'foo')?.status;
  await spec.until('three healthy', () => status()?.currentHealthy === 3);
  const name = podsOf(spec, 'foo', 'bar')[0]?.metadata?.name ?? '';
  const evict = (): void => {
    spec.create('v1/pods/eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } });
  };
  assert.throws(evict, /Cannot evict pod as it would violate the pod's disruption budget/);
  spec.update<PodDisruptionBudget>('policy/v1/poddisruptionbudgets', 'foo', (one) => {
    one.spec = { ...one.spec, minAvailable: 2 };
  });
  await spec.until('one disruption allowed', () => status()?.disruptionsAllowed === 1);
  evict();
  await spec.until('gone', () => spec.pod(name) === undefined);
  spec.cluster.dispose();
});

test('generic ephemeral volumes: the claim is made for the Pod, and goes with it', async () => {
  const spec = await Spec.start('ephemeral');
  const template = { metadata: { labels: { type: 'scratch' } }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
  const container = { ...shell('echo hello > /data/file; sleep 10000'), volumeMounts: [{ name: 'scratch', mountPath: '/data' }] };
  const volumes = [{ name: 'scratch', ephemeral: { volumeClaimTemplate: template } }];
  spec.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app' }, spec: { terminationGracePeriodSeconds: 1, containers: [container], volumes } });
  await spec.until('Running', () => spec.pod('app')?.status?.phase === 'Running');
  const claim = spec.get('v1/persistentvolumeclaims', 'app-scratch');
  assert.deepEqual([claim?.metadata?.labels, claim?.metadata?.ownerReferences?.[0]?.kind], [{ type: 'scratch' }, 'Pod']);
  spec.delete(PODS, 'app');
  await spec.until('no claim', () => spec.claims().length === 0);
  spec.cluster.dispose();
});
