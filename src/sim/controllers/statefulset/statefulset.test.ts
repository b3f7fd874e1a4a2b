import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet, StatefulSetSpec } from '../../kinds/types.ts';
import { nameOf } from '../object.ts';
import { Harness } from '../testing/harness.ts';

const SETS = 'apps/v1/statefulsets';

function set(spec: StatefulSetSpec = {}, name = 'web'): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: 3,
      serviceName: 'nginx',
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'nginx', image: 'nginx:1.25' }] } },
      ...spec,
    },
  };
}

const claims = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }];

function ready(harness: Harness, count: number, name = 'web'): () => boolean {
  return () => harness.get<StatefulSet>(SETS, name)?.status?.readyReplicas === count;
}

function image(harness: Harness, pod: string): string | undefined {
  return harness.get<Pod>('v1/pods', pod)?.spec?.containers?.[0]?.image;
}

/** "ADDED web-0", "DELETED web-2" …, as they happened. */
function podLife(harness: Harness): string[] {
  return harness.writes.filter((write) => write.resource === 'v1/pods' && write.type !== 'MODIFIED').map((write) => `${write.type} ${write.name}`);
}

test('creates Pods one by one, each after its predecessor is ready (corpus: sts-create-ordered)', async () => {
  const harness = new Harness();
  harness.create(SETS, set());
  await harness.until(ready(harness, 3));
  assert.deepEqual(podLife(harness), ['ADDED web-0', 'ADDED web-1', 'ADDED web-2']);
  for (const ordinal of [1, 2]) {
    const created = harness.writes.findIndex((write) => write.name === `web-${ordinal}` && write.type === 'ADDED');
    const before = harness.writes
      .slice(0, created)
      .filter((write) => write.name === `web-${ordinal - 1}`)
      .at(-1)?.object as Pod;
    assert.equal(before.status?.conditions?.find((one) => one.type === 'Ready')?.status, 'True');
  }
  const pod = harness.get<Pod>('v1/pods', 'web-1');
  assert.equal(pod?.spec?.hostname, 'web-1');
  assert.equal(pod?.spec?.subdomain, 'nginx');
  const revision = harness.list<ControllerRevision>('apps/v1/controllerrevisions')[0];
  assert.deepEqual(pod?.metadata?.labels, {
    app: 'web',
    'apps.kubernetes.io/pod-index': '1',
    'controller-revision-hash': nameOf(revision ?? {}),
    'statefulset.kubernetes.io/pod-name': 'web-1',
  });
  const status = harness.get<StatefulSet>(SETS, 'web')?.status;
  assert.deepEqual(status, {
    availableReplicas: 3,
    collisionCount: 0,
    currentReplicas: 3,
    currentRevision: nameOf(revision ?? {}),
    observedGeneration: 1,
    readyReplicas: 3,
    replicas: 3,
    updateRevision: nameOf(revision ?? {}),
    updatedReplicas: 3,
  });
  assert.deepEqual(
    harness.events('StatefulSet', 'web'),
    [0, 1, 2].map((n) => `SuccessfulCreate: Create Pod web-${n} in StatefulSet web successful`),
  );
  harness.dispose();
});

test('the spreading of the scheduler puts each Pod of a set on its own node', async () => {
  const harness = new Harness();
  harness.create(SETS, set());
  await harness.until(ready(harness, 3));
  const nodes = harness.list<Pod>('v1/pods').map((pod) => pod.spec?.nodeName);
  assert.equal(new Set(nodes).size, 3);
  harness.dispose();
});

test('scales down from the highest ordinal, waiting for each to be gone (corpus: sts-scale)', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ replicas: 4 }));
  await harness.until(ready(harness, 4));
  harness.writes.length = 0;
  harness.patch(SETS, 'web', { spec: { replicas: 1 } });
  await harness.until(() => harness.names('v1/pods').length === 1);
  assert.deepEqual(podLife(harness), ['DELETED web-3', 'DELETED web-2', 'DELETED web-1']);
  const deletions = harness.writes.filter((write) => write.resource === 'v1/pods' && write.cause.rule === 'statefulset/scale-down').map((write) => write.name);
  assert.deepEqual(deletions, ['web-3', 'web-2', 'web-1']);
  harness.dispose();
});

test('Parallel starts and stops all at once', async () => {
  const harness = new Harness();
  harness.behaviourOf = () => 'unready';
  harness.create(SETS, set({ podManagementPolicy: 'Parallel', replicas: 5 }));
  await harness.run(2_000);
  assert.deepEqual(harness.names('v1/pods'), ['web-0', 'web-1', 'web-2', 'web-3', 'web-4']);
  harness.patch(SETS, 'web', { spec: { replicas: 0 } });
  await harness.run(100);
  assert.ok(harness.list<Pod>('v1/pods').every((pod) => pod.metadata?.deletionTimestamp));
  harness.dispose();
});

test('a rolling update goes down from the highest ordinal and stops at the partition', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } }));
  await harness.until(ready(harness, 3));
  harness.writes.length = 0;
  harness.patch(SETS, 'web', { spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nginx:1.27' }] } } } });
  await harness.run(10_000);
  assert.deepEqual(podLife(harness), ['DELETED web-2', 'ADDED web-2', 'DELETED web-1', 'ADDED web-1']);
  assert.deepEqual(
    [0, 1, 2].map((n) => image(harness, `web-${n}`)),
    ['nginx:1.25', 'nginx:1.27', 'nginx:1.27'],
  );
  const status = harness.get<StatefulSet>(SETS, 'web')?.status;
  assert.equal(status?.currentReplicas, 1);
  assert.equal(status?.updatedReplicas, 2);
  assert.notEqual(status?.currentRevision, status?.updateRevision);
  // A Pod below the partition that is deleted comes back with the old template (Partition in statefulset.go of the e2e suite).
  harness.delete('v1/pods', 'web-0');
  await harness.run(3_000);
  assert.equal(image(harness, 'web-0'), 'nginx:1.25');
  harness.patch(SETS, 'web', { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } });
  await harness.run(10_000);
  assert.equal(image(harness, 'web-0'), 'nginx:1.27');
  assert.equal(harness.get<StatefulSet>(SETS, 'web')?.status?.currentRevision, status?.updateRevision);
  harness.dispose();
});

test('undo reuses the old revision under a new number (corpus: sts-update-rolling)', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ replicas: 1 }));
  await harness.until(ready(harness, 1));
  const first = harness.get<StatefulSet>(SETS, 'web')?.status?.currentRevision;
  harness.patch(SETS, 'web', { spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nginx:1.27' }] } } } });
  await harness.run(5_000);
  harness.patch(SETS, 'web', { spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nginx:1.25' }] } } } });
  await harness.run(5_000);
  const revisions = harness.list<ControllerRevision>('apps/v1/controllerrevisions').map((one) => one.revision);
  assert.deepEqual([...revisions].sort(), [2, 3]);
  assert.equal(harness.get<StatefulSet>(SETS, 'web')?.status?.currentRevision, first);
  harness.dispose();
});

test('undo alone does not replace a broken Pod (corpus: sts-update-broken)', async () => {
  const harness = new Harness();
  harness.create(SETS, set());
  await harness.until(ready(harness, 3));
  harness.behaviourOf = (pod) => (pod.spec?.containers?.[0]?.image === 'nope' ? 'unready' : 'ready');
  harness.patch(SETS, 'web', { spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nope' }] } } } });
  await harness.run(5_000);
  assert.equal(image(harness, 'web-2'), 'nope');
  harness.patch(SETS, 'web', { spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nginx:1.25' }] } } } });
  await harness.run(60_000);
  assert.equal(image(harness, 'web-2'), 'nope');
  harness.delete('v1/pods', 'web-2');
  await harness.until(ready(harness, 3));
  assert.equal(image(harness, 'web-2'), 'nginx:1.25');
  harness.dispose();
});

test('OnDelete leaves Pods alone until they are deleted (corpus: sts-update-ondelete)', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ updateStrategy: { type: 'OnDelete' } }));
  await harness.until(ready(harness, 3));
  harness.patch(SETS, 'web', { spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nginx:1.27' }] } } } });
  await harness.run(10_000);
  assert.equal(image(harness, 'web-1'), 'nginx:1.25');
  harness.delete('v1/pods', 'web-1');
  await harness.run(3_000);
  assert.deepEqual(
    [0, 1, 2].map((n) => image(harness, `web-${n}`)),
    ['nginx:1.25', 'nginx:1.27', 'nginx:1.25'],
  );
  harness.dispose();
});

test('failed and finished Pods are replaced', async () => {
  const harness = new Harness();
  harness.create(SETS, set());
  await harness.until(ready(harness, 3));
  const uid = harness.get('v1/pods', 'web-1')?.metadata?.uid;
  harness.finish('web-1', 'Failed');
  await harness.run(3_000);
  assert.notEqual(harness.get('v1/pods', 'web-1')?.metadata?.uid, uid);
  assert.equal(harness.get<Pod>('v1/pods', 'web-1')?.status?.phase, 'Running');
  harness.dispose();
});

test('a Pod on a silent node is Terminating and not replaced until it is force-deleted (corpus: node-lost)', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ replicas: 1 }));
  await harness.until(ready(harness, 1));
  const pod = harness.get<Pod>('v1/pods', 'web-0');
  harness.silence(pod?.spec?.nodeName ?? '');
  await harness.run(70_000);
  assert.equal(harness.get<StatefulSet>(SETS, 'web')?.status?.readyReplicas, undefined);
  await harness.run(310_000);
  const stuck = harness.get<Pod>('v1/pods', 'web-0');
  assert.equal(stuck?.metadata?.uid, pod?.metadata?.uid);
  assert.ok(stuck?.metadata?.deletionTimestamp);
  assert.equal(stuck?.status?.conditions?.find((one) => one.type === 'DisruptionTarget')?.reason, 'DeletionByTaintManager');
  harness.delete('v1/pods', 'web-0', 'default', { gracePeriodSeconds: 0 });
  await harness.until(ready(harness, 1));
  assert.notEqual(harness.get<Pod>('v1/pods', 'web-0')?.spec?.nodeName, pod?.spec?.nodeName);
  harness.dispose();
});

test('minReadySeconds holds back the next Pod', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ replicas: 2, minReadySeconds: 10 }));
  await harness.until(ready(harness, 1));
  await harness.run(8_000);
  assert.deepEqual(harness.names('v1/pods'), ['web-0']);
  assert.equal(harness.get<StatefulSet>(SETS, 'web')?.status?.availableReplicas, 0);
  await harness.run(3_000);
  assert.deepEqual(harness.names('v1/pods'), ['web-0', 'web-1']);
  await harness.run(15_000);
  assert.equal(harness.get<StatefulSet>(SETS, 'web')?.status?.availableReplicas, 2);
  harness.dispose();
});

test('ordinals.start moves the range; what is outside is removed', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ replicas: 2 }));
  await harness.until(ready(harness, 2));
  harness.patch(SETS, 'web', { spec: { ordinals: { start: 3 } } });
  await harness.run(10_000);
  assert.deepEqual(harness.names('v1/pods'), ['web-3', 'web-4']);
  harness.dispose();
});

test('claims are made from templates, outlive their Pods and are bound to the node they were made for', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ replicas: 2, volumeClaimTemplates: claims }));
  await harness.until(ready(harness, 2));
  assert.deepEqual(harness.names('v1/persistentvolumeclaims'), ['data-web-0', 'data-web-1']);
  const claim = harness.get<PersistentVolumeClaim>('v1/persistentvolumeclaims', 'data-web-0');
  assert.equal(claim?.status?.phase, 'Bound');
  assert.deepEqual(claim?.metadata?.labels, { app: 'web' });
  const node = harness.get<Pod>('v1/pods', 'web-0')?.spec?.nodeName;
  harness.delete('v1/pods', 'web-0');
  await harness.run(100);
  await harness.until(ready(harness, 2));
  assert.equal(harness.get<Pod>('v1/pods', 'web-0')?.spec?.nodeName, node);
  harness.delete(SETS, 'web');
  await harness.run(10_000);
  assert.deepEqual(harness.names('v1/pods'), []);
  assert.deepEqual(harness.names('v1/persistentvolumeclaims'), ['data-web-0', 'data-web-1']);
  harness.dispose();
});

for (const [whenScaled, whenDeleted] of [
  ['Delete', 'Delete'],
  ['Delete', 'Retain'],
  ['Retain', 'Delete'],
]) {
  test(`claim retention: whenScaled ${whenScaled}, whenDeleted ${whenDeleted}`, async () => {
    const harness = new Harness();
    const persistentVolumeClaimRetentionPolicy = { whenScaled: whenScaled ?? '', whenDeleted: whenDeleted ?? '' };
    harness.create(SETS, set({ replicas: 3, volumeClaimTemplates: claims, persistentVolumeClaimRetentionPolicy }));
    await harness.until(ready(harness, 3));
    const owner = harness.get<PersistentVolumeClaim>('v1/persistentvolumeclaims', 'data-web-0')?.metadata?.ownerReferences;
    assert.deepEqual(owner?.map((ref) => ref.kind) ?? [], whenDeleted === 'Delete' ? ['StatefulSet'] : []);
    harness.patch(SETS, 'web', { spec: { replicas: 1 } });
    await harness.run(20_000);
    assert.deepEqual(harness.names('v1/persistentvolumeclaims'), whenScaled === 'Delete' ? ['data-web-0'] : ['data-web-0', 'data-web-1', 'data-web-2']);
    harness.delete(SETS, 'web');
    await harness.run(20_000);
    assert.equal(harness.names('v1/persistentvolumeclaims').includes('data-web-0'), whenDeleted === 'Retain');
    harness.dispose();
  });
}

test('orphaned Pods live on and are adopted by a set of the same name and selector (corpus: sts-delete)', async () => {
  const harness = new Harness();
  harness.create(SETS, set());
  await harness.until(ready(harness, 3));
  const uids = harness.list('v1/pods').map((pod) => pod.metadata?.uid);
  harness.delete(SETS, 'web', 'default', { propagationPolicy: 'Orphan' });
  await harness.run(2_000);
  assert.equal(harness.get(SETS, 'web'), undefined);
  assert.ok(harness.list('v1/pods').every((pod) => !pod.metadata?.ownerReferences));
  harness.delete('v1/pods', 'web-1');
  await harness.run(2_000);
  assert.deepEqual(harness.names('v1/pods'), ['web-0', 'web-2']);
  harness.create(SETS, set());
  await harness.until(ready(harness, 3));
  assert.deepEqual(
    harness
      .list('v1/pods')
      .filter((pod) => uids.includes(pod.metadata?.uid))
      .map(nameOf),
    ['web-0', 'web-2'],
  );
  harness.dispose();
});

test('a Pod whose labels no longer match is released and replaced', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ replicas: 1 }));
  await harness.until(ready(harness, 1));
  harness.patch('v1/pods', 'web-0', { metadata: { labels: { app: 'other' } } });
  await harness.run(2_000);
  // The name is taken: the set cannot make its Pod as long as the released one lives (statefulset.go: "adopt matching orphans and release non-matching pods").
  assert.equal(harness.get('v1/pods', 'web-0')?.metadata?.ownerReferences, undefined);
  harness.dispose();
});

test('the revision history is cut to its limit', async () => {
  const harness = new Harness();
  harness.create(SETS, set({ replicas: 1, revisionHistoryLimit: 1 }));
  await harness.until(ready(harness, 1));
  for (const tag of ['2', '3', '4']) {
    harness.patch(SETS, 'web', { spec: { template: { spec: { containers: [{ name: 'nginx', image: `nginx:${tag}` }] } } } });
    await harness.run(5_000);
  }
  assert.deepEqual(
    harness
      .list<ControllerRevision>('apps/v1/controllerrevisions')
      .map((one) => one.revision)
      .sort(),
    [3, 4],
  );
  harness.dispose();
});
