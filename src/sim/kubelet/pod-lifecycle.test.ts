import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './testing/world.ts';

// The rows are those of tests/conformance/corpus/pod-lifecycle.json (kubectl get pods -w) and of rules named beside each test.

test('a Pod that runs to its end: Running is seen, then Completed', async () => {
  const world = await World.start();
  world.run('one', { command: ['uname'] }, { restartPolicy: 'Never' });
  await world.pass(10);
  assert.deepEqual(world.rows('one'), ['0/1 Pending 0', '0/1 ContainerCreating 0', '1/1 Running 0', '0/1 Completed 0']);
  assert.equal(world.pod('one').status?.phase, 'Succeeded');
  assert.deepEqual(
    world.pod('one').status?.conditions?.map((condition) => [condition.type, condition.status, condition.reason ?? '']),
    [
      ['PodReadyToStartContainers', 'False', ''],
      ['Initialized', 'True', 'PodCompleted'],
      ['Ready', 'False', 'PodCompleted'],
      ['ContainersReady', 'False', 'PodCompleted'],
      ['PodScheduled', 'True', ''],
    ],
  );
});

test('init containers come first, then all others at once', async () => {
  const world = await World.start();
  world.create('v1/pods', {
    metadata: { name: 'two', namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 1,
      initContainers: [{ name: 'first', image: 'busybox', command: ['sleep', '2'] }],
      containers: [
        { name: 'a', image: 'busybox', command: ['sleep', '3600'] },
        { name: 'b', image: 'busybox', command: ['sleep', '3600'] },
      ],
    },
  });
  await world.pass(10);
  assert.deepEqual(world.rows('two'), ['0/2 Pending 0', '0/2 Init:0/1 0', '0/2 PodInitializing 0', '2/2 Running 0']);
});

test('a container that ends is restarted at once, then with back-off', async () => {
  const world = await World.start();
  world.run('again', { command: ['sleep', '2'] });
  await world.pass(28);
  assert.deepEqual(world.rows('again').slice(0, 6), [
    '0/1 Pending 0',
    '0/1 ContainerCreating 0',
    '1/1 Running 0',
    '0/1 Completed 0',
    '1/1 Running 1',
    '0/1 Completed 1',
  ]);
  await world.pass(300);
  assert.ok(world.rows('again').includes('0/1 CrashLoopBackOff 3'));
  assert.ok(world.events('again').some((event) => /^BackOff: Back-off restarting failed container c in pod again_default\([0-9a-f-]{36}\)$/.test(event)));
});

test('an image that is not there: ErrImagePull, then ImagePullBackOff, and the odd rows of its deletion', async () => {
  const world = await World.start();
  world.run('img', { image: 'localhost/nope:1' });
  await world.until(() => world.rows('img').includes('0/1 ImagePullBackOff 0'));
  world.delete('img');
  await world.until(() => !world.exists('img'));
  assert.deepEqual(world.rows('img'), [
    '0/1 Pending 0',
    '0/1 ContainerCreating 0',
    '0/1 ErrImagePull 0',
    '0/1 ImagePullBackOff 0',
    '0/1 Terminating 0',
    '0/1 ContainerStatusUnknown 0',
  ]);
  const events = world.events('img');
  assert.ok(events.includes('Pulling: Pulling image "localhost/nope:1"'));
  assert.ok(events.includes('Failed: Error: ErrImagePull'));
  assert.ok(events.includes('BackOff: Back-off pulling image "localhost/nope:1"'));
});

test('a program that ignores SIGTERM is killed after the grace period and leaves code 137', async () => {
  const world = await World.start();
  world.run('deaf', { command: ['sleep', '3600'] }, { terminationGracePeriodSeconds: 5 });
  await world.pass(5);
  const startedMs = world.cluster.kernel.now();
  world.delete('deaf');
  await world.until(() => world.rows('deaf').includes('0/1 Error 0'));
  const tookMs = world.cluster.kernel.now() - startedMs;
  assert.ok(tookMs > 5_000 && tookMs < 5_600, `${tookMs} ms`);
  assert.equal(world.pod('deaf').status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 137);
  await world.until(() => !world.exists('deaf'));
});

test('readiness follows its probe, and a failing liveness probe restarts the container', async () => {
  const world = await World.start();
  world.run('ready', {
    image: 'nginx:1.25',
    readinessProbe: { httpGet: { port: 80, path: '/' }, periodSeconds: 2 },
    livenessProbe: { tcpSocket: { port: 81 }, periodSeconds: 3, failureThreshold: 2 },
  });
  await world.pass(30);
  assert.ok(world.rows('ready').includes('1/1 Running 0'));
  assert.ok(world.rows('ready').some((row) => row.endsWith('Running 1')));
  const events = world.events('ready');
  assert.ok(events.some((event) => /^Unhealthy: Liveness probe failed: dial tcp 10\.42\.\d+\.\d+:81: connect: connection refused$/.test(event)));
  assert.ok(events.includes('Killing: Container c failed liveness probe, will be restarted'));
});

test('a startup probe holds the others back; a sidecar starts before the rest and ends after it', async () => {
  const world = await World.start();
  world.create('v1/pods', {
    metadata: { name: 'side', namespace: 'default' },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      initContainers: [{ name: 'proxy', image: 'nginx:1.25', restartPolicy: 'Always', startupProbe: { httpGet: { port: 80 }, periodSeconds: 1 } }],
      containers: [{ name: 'work', image: 'busybox', command: ['sleep', '3'] }],
    },
  });
  await world.pass(20);
  const rows = world.rows('side');
  assert.deepEqual([rows[0], rows[1]], ['0/2 Pending 0', '0/2 Init:0/1 0']);
  assert.ok(rows.includes('2/2 Running 0'), rows.join(' | '));
  assert.equal(world.pod('side').status?.phase, 'Succeeded');
});

test('a missing ConfigMap holds the container back with CreateContainerConfigError until it is there', async () => {
  const world = await World.start();
  world.run('cfg', { command: ['sleep', '60'], env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'late', key: 'k' } } }] });
  await world.pass(5);
  assert.equal(world.rows('cfg').at(-1), '0/1 CreateContainerConfigError 0');
  assert.ok(world.events('cfg').includes('Failed: Error: configmap "late" not found'));
  world.create('v1/configmaps', { metadata: { name: 'late', namespace: 'default' }, data: { k: 'v' } });
  await world.until(() => world.rows('cfg').at(-1) === '1/1 Running 0');
});

// pkg/kubelet/kubelet.go, SyncTerminatingPod: it runs on a context of its own, so a shorter grace period does not reach it.
test('a second deletion with a shorter grace period does not interrupt the stop under way; force does not wait', async () => {
  const world = await World.start();
  world.run('slow', { command: ['sleep', '3600'] }, { terminationGracePeriodSeconds: 60 });
  await world.pass(5);
  world.delete('slow');
  await world.pass(10);
  world.delete('slow', { gracePeriodSeconds: 3 });
  await world.pass(20);
  assert.ok(world.exists('slow'));
  world.delete('slow', { gracePeriodSeconds: 0 });
  assert.ok(!world.exists('slow'));
});

// pkg/kubelet/allocation: what does not fit is Deferred until it does; what fits is done and reported.
test('an in-place resize is done, or waits for the resources it asks for', async () => {
  const world = await World.start();
  world.run('grow', { command: ['sleep', '3600'], resources: { requests: { cpu: '100m' } } });
  await world.pass(10);
  const resize = async (cpu: string): Promise<void> => {
    const body = new TextEncoder().encode(JSON.stringify({ spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] } }));
    const path = '/api/v1/namespaces/default/pods/grow/resize';
    const response = await world.cluster.transport.request({
      method: 'PATCH',
      path,
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body,
    });
    assert.equal(response.status, 200);
    await world.pass(10);
  };
  const granted = (): unknown => world.pod('grow').status?.containerStatuses?.[0]?.resources?.requests?.cpu;
  await resize('200m');
  assert.equal(granted(), '200m');
  await resize('100');
  assert.equal(granted(), '200m');
  const pending = world.pod('grow').status?.conditions?.find((condition) => condition.type === 'PodResizePending');
  assert.equal(pending?.reason, 'Infeasible');
  assert.equal(pending?.message, "Node didn't have enough capacity: cpu, requested: 100000, capacity: 4000");
  world.run('beside', { command: ['sleep', '3600'], resources: { requests: { cpu: '100m' } } }, { nodeName: world.pod('grow').spec?.nodeName });
  await resize('3950m');
  const deferred = world.pod('grow').status?.conditions?.find((condition) => condition.type === 'PodResizePending');
  assert.equal(deferred?.reason, 'Deferred');
  assert.match(deferred?.message ?? '', /^Node didn't have enough resource: cpu, requested: 3950, used: \d+, capacity: 4000$/);
  await resize('300m');
  assert.equal(granted(), '300m');
  assert.ok(!world.pod('grow').status?.conditions?.some((condition) => condition.type?.startsWith('PodResize')));
  assert.equal(world.pod('grow').status?.containerStatuses?.[0]?.restartCount, 0);
  const words = world.events('grow').map((event) => event.split(': ', 2)[0]);
  assert.deepEqual(words.filter((reason) => reason?.startsWith('Resize')).sort(), [
    'ResizeCompleted',
    'ResizeCompleted',
    'ResizeDeferred',
    'ResizeInfeasible',
    'ResizeStarted',
    'ResizeStarted',
  ]);
});
