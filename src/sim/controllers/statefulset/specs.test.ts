import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Node, PersistentVolumeClaim, Scale, StatefulSet } from '../../kinds/types.ts';
import { Spec } from '../testing/spec.ts';

// Upstream's StatefulSet specs (test/e2e/apps/statefulset.go, v1.36) that need the whole cluster, played in process. The
// names are those of the specs.

function statefulSet(replicas: number, options: { claims?: boolean; retention?: object; port?: number; node?: string; more?: object } = {}): object {
  const container = {
    name: 'webserver',
    image: 'registry.k8s.io/e2e-test-images/httpd:2.4.38-4',
    ...(options.port ? { ports: [{ containerPort: options.port, hostPort: options.port, name: 'conflict' }] } : {}),
    ...(options.claims ? { volumeMounts: [{ name: 'datadir', mountPath: '/data/' }] } : {}),
  };
  const template = { metadata: { name: 'datadir' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1' } } } };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'ss' },
    spec: {
      replicas,
      serviceName: 'test',
      selector: { matchLabels: { foo: 'bar', baz: 'blah' } },
      template: { metadata: { labels: { foo: 'bar', baz: 'blah' } }, spec: { containers: [container], ...(options.node ? { nodeName: options.node } : {}) } },
      ...(options.claims ? { volumeClaimTemplates: [template] } : {}),
      ...(options.retention ? { persistentVolumeClaimRetentionPolicy: options.retention } : {}),
      ...options.more,
    },
  };
}

test('Should recreate evicted statefulset', async () => {
  const spec = await Spec.start('evicted');
  const node = 'k3d-demo-agent-0';
  const conflict = { ports: [{ hostPort: 21017, containerPort: 21017, name: 'conflict' }] };
  const agnhost = { name: 'agnhost', image: 'registry.k8s.io/e2e-test-images/agnhost:2.63.0', ...conflict };
  spec.create('v1/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'test-pod' }, spec: { containers: [agnhost], nodeName: node } });
  await spec.until('test-pod Running', () => spec.pod('test-pod')?.status?.phase === 'Running');
  const gone: string[] = [];
  spec.cluster.onWrite((write) => {
    if (write.type === 'DELETED' && write.name === 'ss-0') gone.push(write.object.metadata?.uid ?? '');
  });
  spec.create('apps/v1/statefulsets', statefulSet(1, { port: 21017, node }));
  await spec.until('ss-0 deleted at least once', () => gone.length > 0);
  spec.delete('v1/pods', 'test-pod', { gracePeriodSeconds: 0 });
  await spec.until(
    'ss-0 Running with another uid',
    () => spec.pod('ss-0')?.status?.phase === 'Running' && !gone.includes(spec.pod('ss-0')?.metadata?.uid ?? ''),
  );
  spec.cluster.dispose();
});

test('PVC should be recreated when pod is pending due to missing PVC', async () => {
  const spec = await Spec.start('missing-claim');
  const node = 'k3d-demo-agent-0';
  const set = statefulSet(1, { claims: true }) as StatefulSet;
  if (set.spec?.template?.spec) set.spec.template.spec.nodeSelector = { 'kubernetes.io/hostname': node };
  spec.create('apps/v1/statefulsets', set);
  await spec.until('ready', () => spec.ready() === 1);
  const cordon = (unschedulable: boolean): void =>
    spec.update<Node>(
      'v1/nodes',
      node,
      (one) => {
        one.spec = { ...one.spec, unschedulable };
      },
      '',
    );
  cordon(true);
  const uid = spec.pod('ss-0')?.metadata?.uid;
  spec.delete('v1/pods', 'ss-0');
  await spec.until('ss-0 again', () => spec.pod('ss-0') !== undefined && spec.pod('ss-0')?.metadata?.uid !== uid);
  const claim = spec.get('v1/persistentvolumeclaims', 'datadir-ss-0')?.metadata?.uid;
  spec.delete('v1/persistentvolumeclaims', 'datadir-ss-0');
  cordon(false);
  await spec.until('another claim', () => {
    const now = spec.get('v1/persistentvolumeclaims', 'datadir-ss-0')?.metadata?.uid;
    return now !== undefined && now !== claim;
  });
  await spec.until('ready again', () => spec.ready() === 1 && spec.pod('ss-0')?.spec?.nodeName === node);
  spec.cluster.dispose();
});

test('should not delete PVC with OnScaledown policy if another controller owns the PVC', async () => {
  const spec = await Spec.start('other-controller');
  spec.create('apps/v1/statefulsets', statefulSet(3, { claims: true }));
  await spec.until('three claims', () => spec.claims().length === 3);
  const dummy = spec.create<ConfigMap>('v1/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'dummy-controller' } });
  const own = (owners: { apiVersion: string; kind: string; name: string; uid: string; controller: boolean }[]): void =>
    spec.update<PersistentVolumeClaim>('v1/persistentvolumeclaims', 'datadir-ss-1', (claim) => {
      claim.metadata = { ...claim.metadata, ownerReferences: owners };
    });
  own([{ apiVersion: 'v1', kind: 'ConfigMap', name: 'dummy-controller', uid: dummy.metadata?.uid ?? '', controller: true }]);
  spec.update<StatefulSet>('apps/v1/statefulsets', 'ss', (set) => {
    set.spec = { ...set.spec, persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' } };
  });
  spec.scale(0);
  await spec.until('claim 1 alone is left', () => spec.claims().join() === 'datadir-ss-1');
  own([]);
  spec.scale(2);
  await spec.until('claims 0 and 1', () => spec.claims().sort().join() === 'datadir-ss-0,datadir-ss-1' && spec.ready() === 2);
  spec.scale(1);
  await spec.until('claim 0', () => spec.claims().join() === 'datadir-ss-0');
  spec.cluster.dispose();
});

for (const [policy, title] of [
  [{ whenDeleted: 'Delete' }, 'should delete PVCs after adopting pod (WhenDeleted)'],
  [{ whenScaled: 'Delete' }, 'should delete PVCs after adopting pod (WhenScaled)'],
] as const) {
  test(title, async () => {
    const spec = await Spec.start(title);
    spec.create('apps/v1/statefulsets', statefulSet(3, { claims: true }));
    await spec.until('three ready', () => spec.ready() === 3);
    spec.delete('apps/v1/statefulsets', 'ss', { propagationPolicy: 'Orphan' });
    await spec.until('set gone', () => spec.get('apps/v1/statefulsets', 'ss') === undefined);
    spec.create('apps/v1/statefulsets', statefulSet(3, { claims: true, retention: policy }));
    await spec.until('adopted', () => [0, 1, 2].every((i) => spec.pod(`ss-${i}`)?.metadata?.ownerReferences?.length === 1) && spec.ready() === 3);
    await spec.seconds(5);
    if ('whenDeleted' in policy) {
      spec.delete('apps/v1/statefulsets', 'ss');
      await spec.until('no claims', () => spec.claims().length === 0);
    } else {
      spec.scale(2);
      await spec.until('two claims', () => spec.claims().sort().join() === 'datadir-ss-0,datadir-ss-1');
    }
    spec.cluster.dispose();
  });
}

test('should not delete PVCs when there is another controller', async () => {
  const spec = await Spec.start('another-controller');
  spec.create('apps/v1/statefulsets', statefulSet(4, { claims: true }));
  await spec.until('four claims', () => spec.claims().length === 4 && spec.ready() === 4);
  const owner = spec.create<ConfigMap>('v1/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'random-owner' } });
  const change = (index: number, metadata: PersistentVolumeClaim['metadata']): void =>
    spec.update<PersistentVolumeClaim>('v1/persistentvolumeclaims', `datadir-ss-${index}`, (claim) => {
      claim.metadata = { ...claim.metadata, ...metadata };
    });
  const external = { apiVersion: 'v1', kind: 'ConfigMap', name: 'random-owner', uid: owner.metadata?.uid ?? '' };
  const stale = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name: 'unknown',
    uid: '9d86d6ae-4e06-4ff1-bc55-f77f52e272e9',
    controller: true,
    blockOwnerDeletion: true,
  };
  change(1, { ownerReferences: [external] });
  change(3, { ownerReferences: [stale], finalizers: ['keep-with/stale-ref'] });
  spec.update<StatefulSet>('apps/v1/statefulsets', 'ss', (set) => {
    set.spec = { ...set.spec, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } };
  });
  await spec.seconds(20);
  const claim = (index: number) => spec.get<PersistentVolumeClaim>('v1/persistentvolumeclaims', `datadir-ss-${index}`);
  const owners = (index: number) => claim(index)?.metadata?.ownerReferences?.map((one) => one.name);
  // Claim 1's external owner is neither its Pod nor its set, so it gets a controller; a stale controller keeps claim 3.
  assert.deepEqual([0, 1, 2, 3].map(owners), [['ss'], ['random-owner', 'ss'], ['ss'], ['unknown']]);
  const uid = spec.get('apps/v1/statefulsets', 'ss')?.metadata?.uid ?? '';
  change(0, { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'ss', uid, controller: false, blockOwnerDeletion: true }] });
  spec.update<StatefulSet>('apps/v1/statefulsets', 'ss', (set) => {
    set.spec = { ...set.spec, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' } };
  });
  await spec.until('the controller flag of claim 0', () => claim(0)?.metadata?.ownerReferences?.[0]?.controller === true);
  spec.delete('apps/v1/statefulsets', 'ss');
  await spec.until('what the set owned is gone', () => spec.claims().sort().join() === 'datadir-ss-1,datadir-ss-3');
  spec.cluster.dispose();
});

test('should have a working scale subresource', async () => {
  const spec = await Spec.start('scale');
  spec.create('apps/v1/statefulsets', statefulSet(1));
  await spec.until('one ready', () => spec.ready() === 1);
  const scale = structuredClone(spec.get<Scale>('apps/v1/statefulsets/scale', 'ss') as Scale);
  assert.equal(scale.status?.replicas, 1);
  scale.spec = { replicas: 2 };
  spec.cluster.client.resource<Scale>('apps/v1/statefulsets/scale').update(scale, { cause: { actor: 'e2e.test', rule: 'request/test' } });
  await spec.until('two ready', () => spec.ready() === 2);
  spec.cluster.dispose();
});
