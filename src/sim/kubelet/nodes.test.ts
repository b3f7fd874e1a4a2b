import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease, Node } from '../kinds/types.ts';
import { World } from './testing/world.ts';

const AGENT = 'k3d-demo-agent-1';
const sleeper = { command: ['sleep', '3600'] };

function ready(world: World, name: string): string | undefined {
  return world.cluster.client
    .resource<Node>('v1/nodes')
    .get('', name)
    ?.status?.conditions?.find((condition) => condition.type === 'Ready')?.status;
}

// The e2e spec "Should recreate evicted statefulset" relies on this: a Pod put on a node past the scheduler.
test('a Pod whose host port is taken is turned away with reason NodePorts', async () => {
  const world = await World.start();
  const ports = [{ containerPort: 80, hostPort: 21017 }];
  world.run('first', { ...sleeper, ports }, { nodeName: AGENT });
  await world.pass(3);
  world.run('second', { ...sleeper, ports }, { nodeName: AGENT });
  await world.pass(3);
  const status = world.pod('second').status;
  assert.deepEqual(
    [status?.phase, status?.reason, status?.message],
    ['Failed', 'NodePorts', "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"],
  );
  world.run('big', { ...sleeper, resources: { requests: { cpu: '64' } } }, { nodeName: AGENT });
  await world.pass(3);
  assert.equal(world.pod('big').status?.reason, 'OutOfcpu');
  assert.equal(world.pod('big').status?.message, "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 4000");
  world.delete('second');
  await world.until(() => !world.exists('second'));
});

// tests/conformance/corpus/node-lost.json
test('a kubelet that stops: its lease ages, deletions wait, containers go on; it catches up when it goes on', async () => {
  const world = await World.start();
  const { client, nodes } = world.cluster;
  world.run('p', sleeper, { nodeName: AGENT });
  await world.pass(5);
  nodes.stopKubelet(AGENT);
  const lease = (): string | undefined => client.resource<Lease>('coordination.k8s.io/v1/leases').get('kube-node-lease', AGENT)?.spec?.renewTime;
  const before = lease();
  world.delete('p');
  await world.pass(30);
  assert.equal(lease(), before);
  assert.equal(world.rows('p').at(-1), '1/1 Terminating 0');
  nodes.startKubelet(AGENT);
  await world.until(() => !world.exists('p'), 15);
  await world.until(() => ready(world, AGENT) === 'True', 30);
});

test('a machine that loses power and comes back restarts its containers in a new sandbox', async () => {
  const world = await World.start();
  world.run('p', sleeper, { nodeName: AGENT });
  await world.pass(5);
  const ip = world.pod('p').status?.podIP;
  world.cluster.nodes.powerOff(AGENT);
  assert.equal(world.cluster.nodes.isRunning(AGENT), false);
  await world.pass(20);
  world.cluster.nodes.powerOn(AGENT);
  await world.until(() => world.rows('p').at(-1) === '1/1 Running 1', 20);
  assert.notEqual(world.pod('p').status?.podIP, ip);
  assert.equal(world.pod('p').status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 255);
});

test('a machine cut off from the API server goes on, and reports what happened meanwhile', async () => {
  const world = await World.start();
  world.run('p', { command: ['sleep', '20'] }, { nodeName: AGENT, restartPolicy: 'Never' });
  await world.pass(5);
  world.cluster.nodes.partition(AGENT, true);
  await world.pass(30);
  assert.equal(world.pod('p').status?.phase, 'Running');
  world.cluster.nodes.partition(AGENT, false);
  await world.pass(5);
  assert.equal(world.pod('p').status?.phase, 'Succeeded');
});

test('an image that is changed in place restarts its container only', async () => {
  const world = await World.start();
  world.run('p', sleeper);
  await world.pass(5);
  const pod = world.pod('p');
  const containers = pod.spec?.containers?.map((container) => ({ ...container, image: 'busybox:1.36' }));
  world.cluster.client.resource('v1/pods').update({ ...pod, spec: { ...pod.spec, containers } } as never, { cause: { actor: 'test', rule: 'test/act' } });
  await world.until(() => world.rows('p').at(-1) === '1/1 Running 1', 30);
  assert.ok(world.events('p').includes('Killing: Container c definition changed, will be restarted'));
});

test('activeDeadlineSeconds ends a Pod with DeadlineExceeded', async () => {
  const world = await World.start();
  world.run('slow', sleeper, { activeDeadlineSeconds: 5, terminationGracePeriodSeconds: 1 });
  await world.pass(15);
  assert.deepEqual([world.pod('slow').status?.phase, world.pod('slow').status?.reason], ['Failed', 'DeadlineExceeded']);
});

test('a readiness gate keeps the Pod unready until somebody sets its condition', async () => {
  const world = await World.start();
  world.run('gated', sleeper, { readinessGates: [{ conditionType: 'example.com/ok' }] });
  await world.pass(5);
  const condition = (): object | undefined => world.pod('gated').status?.conditions?.find((entry) => entry.type === 'Ready');
  assert.match(JSON.stringify(condition()), /ReadinessGatesNotReady.*corresponding condition of pod readiness gate \\"example.com\/ok\\" does not exist\./);
  const pod = world.pod('gated');
  world.cluster.client
    .resource('v1/pods')
    .updateStatus({ ...pod, status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []), { type: 'example.com/ok', status: 'True' }] } } as never, {
      cause: { actor: 'test', rule: 'test/act' },
    });
  await world.pass(3);
  assert.match(JSON.stringify(condition()), /"status":"True"/);
});
