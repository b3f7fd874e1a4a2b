import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../client/types.ts';
import { Harness } from '../controllers/testing/harness.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, PodSpec } from '../kinds/types.ts';
import { topOfHeap } from './algorithm.ts';

function pod(name: string, spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', labels }, spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec } };
}

const cpu = (amount: string): Partial<PodSpec> => ({ containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: amount } } }] });

async function failure(spec: Partial<PodSpec>, prepare: (harness: Harness) => void = () => undefined): Promise<string | undefined> {
  const harness = new Harness();
  prepare(harness);
  await harness.run(500);
  harness.create('v1/pods', pod('p', spec));
  await harness.run(500);
  const message = harness.events('Pod', 'p').at(-1);
  const condition = harness.get<Pod>('v1/pods', 'p')?.status?.conditions?.find((one) => one.type === 'PodScheduled');
  if (message?.startsWith('FailedScheduling: ')) assert.equal(condition?.message, message.slice('FailedScheduling: '.length));
  harness.dispose();
  return message;
}

const NOT_HELPFUL = 'no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.';

test('says why no node will do, in the words of v1.36', async () => {
  assert.equal(await failure(cpu('64')), `FailedScheduling: 0/3 nodes are available: 3 Insufficient cpu. ${NOT_HELPFUL}`);
  assert.equal(
    await failure({ nodeSelector: { disk: 'ssd' } }),
    `FailedScheduling: 0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. ${NOT_HELPFUL}`,
  );
  const taint = (harness: Harness): void => {
    harness.patch('v1/nodes', 'node-a', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }, '');
    harness.patch('v1/nodes', 'node-b', { spec: { unschedulable: true } }, '');
  };
  assert.equal(
    await failure({ nodeSelector: { disk: 'ssd' } }, taint),
    `FailedScheduling: 0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. ${NOT_HELPFUL}`,
  );
  // corpus: storage-classes
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'nothere' } }];
  assert.equal(await failure({ volumes }), 'FailedScheduling: 0/3 nodes are available: persistentvolumeclaim "nothere" not found. not found');
});

test('a Pod that fits nowhere is tried again when a node comes or room is made', async () => {
  const harness = new Harness();
  await harness.run(500);
  for (const name of ['a', 'b', 'c']) harness.create('v1/pods', pod(name, cpu('3')));
  await harness.run(2_000);
  harness.create('v1/pods', pod('late', cpu('3')));
  await harness.run(1_000);
  assert.equal(
    harness.events('Pod', 'late')[0],
    'FailedScheduling: 0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.',
  );
  harness.delete('v1/pods', 'b');
  await harness.until(() => harness.get<Pod>('v1/pods', 'late')?.spec?.nodeName !== undefined, 60_000);
  harness.dispose();
});

test('a Pod of higher priority takes the place of one of lower priority', async () => {
  const harness = new Harness({ nodes: ['node-a'] });
  harness.create('scheduling.k8s.io/v1/priorityclasses', {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
  } as ApiObject);
  await harness.run(500);
  harness.create('v1/pods', pod('low', { ...cpu('3'), terminationGracePeriodSeconds: 1 }));
  await harness.run(2_000);
  harness.create('v1/pods', pod('high', { ...cpu('3'), priorityClassName: 'high' }));
  await harness.run(50);
  const uid = harness.get('v1/pods', 'high')?.metadata?.uid;
  assert.equal(harness.get<Pod>('v1/pods', 'high')?.status?.nominatedNodeName, 'node-a');
  assert.equal(harness.events('Pod', 'low').at(-1), `Preempted: Preempted by pod ${uid} on node node-a`);
  await harness.until(() => harness.get<Pod>('v1/pods', 'high')?.status?.phase === 'Running', 60_000);
  assert.equal(harness.get('v1/pods', 'low'), undefined);
  harness.dispose();
});

test('affinity keeps Pods together or apart, topology spread even, host ports exclusive', async () => {
  const harness = new Harness();
  await harness.run(500);
  const apart = {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } }],
    },
  };
  for (const name of ['db-0', 'db-1', 'db-2', 'db-3']) {
    harness.create('v1/pods', pod(name, { affinity: apart }, { app: 'db' }));
    await harness.run(1_000);
  }
  const node = (name: string): string | undefined => harness.get<Pod>('v1/pods', name)?.spec?.nodeName;
  assert.equal(new Set([node('db-0'), node('db-1'), node('db-2')]).size, 3);
  assert.equal(node('db-3'), undefined);
  assert.match(harness.events('Pod', 'db-3')[0] ?? '', /3 node\(s\) didn't match pod anti-affinity rules/);
  const together = {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'cache' } } }],
    },
  };
  for (const name of ['cache-0', 'cache-1']) {
    harness.create('v1/pods', pod(name, { affinity: together }, { app: 'cache' }));
    await harness.run(1_000);
  }
  assert.ok(node('cache-0'));
  assert.equal(node('cache-0'), node('cache-1'));
  const spread = [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'even' } } }];
  for (let i = 0; i < 6; i++) harness.create('v1/pods', pod(`even-${i}`, { topologySpreadConstraints: spread }, { app: 'even' }));
  await harness.run(2_000);
  const counts = ['node-a', 'node-b', 'node-c'].map(
    (one) => harness.list<Pod>('v1/pods').filter((two) => two.metadata?.labels?.app === 'even' && two.spec?.nodeName === one).length,
  );
  assert.deepEqual(counts, [2, 2, 2]);
  const port = { containers: [{ name: 'c', image: 'nginx', ports: [{ containerPort: 80, hostPort: 8080 }] }] };
  for (let i = 0; i < 4; i++) harness.create('v1/pods', pod(`port-${i}`, port));
  await harness.run(2_000);
  assert.match(harness.events('Pod', 'port-3')[0] ?? '', /3 node\(s\) didn't have free ports for the requested pod ports/);
  harness.dispose();
});

test('gated Pods wait; static volumes are bound where they are', async () => {
  const harness = new Harness();
  await harness.run(500);
  harness.create('v1/pods', pod('gated', { schedulingGates: [{ name: 'example.com/wait' }] }));
  await harness.run(1_000);
  assert.equal(harness.get<Pod>('v1/pods', 'gated')?.spec?.nodeName, undefined);
  harness.patch('v1/pods', 'gated', { spec: { schedulingGates: null } });
  await harness.run(1_000);
  assert.ok(harness.get<Pod>('v1/pods', 'gated')?.spec?.nodeName);

  harness.create('storage.k8s.io/v1/storageclasses', {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  } as ApiObject);
  const affinity = { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-b'] }] }] } };
  harness.create<PersistentVolume>('v1/persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '5Gi' },
      local: { path: '/disk' },
      nodeAffinity: affinity,
      storageClassName: 'local',
      persistentVolumeReclaimPolicy: 'Retain',
    },
  });
  harness.create<PersistentVolumeClaim>('v1/persistentvolumeclaims', {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local', resources: { requests: { storage: '1Gi' } } },
  });
  await harness.run(500);
  assert.equal(harness.get<PersistentVolumeClaim>('v1/persistentvolumeclaims', 'data')?.status?.phase, 'Pending');
  harness.create('v1/pods', pod('user', { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] }));
  await harness.run(4_000);
  assert.equal(harness.get<Pod>('v1/pods', 'user')?.spec?.nodeName, 'node-b');
  assert.equal(harness.get<PersistentVolumeClaim>('v1/persistentvolumeclaims', 'data')?.spec?.volumeName, 'disk');
  // Retain: the volume is Released when its claim goes, and kept; the claim goes only when its Pod has.
  harness.delete('v1/persistentvolumeclaims', 'data');
  await harness.run(1_000);
  assert.ok(harness.get('v1/persistentvolumeclaims', 'data')?.metadata?.deletionTimestamp);
  harness.delete('v1/pods', 'user', 'default', { gracePeriodSeconds: 1 });
  await harness.run(3_000);
  assert.equal(harness.get('v1/persistentvolumeclaims', 'data'), undefined);
  assert.equal(harness.get<PersistentVolume>('v1/persistentvolumes', 'disk', '')?.status?.phase, 'Released');
  harness.dispose();
});

test("container/heap's choice among equals", () => {
  assert.equal(topOfHeap([5, 5, 5]), 0);
  assert.equal(topOfHeap([1, 5, 5]), 1);
  assert.equal(topOfHeap([1, 2, 5, 5, 5]), 3);
});
