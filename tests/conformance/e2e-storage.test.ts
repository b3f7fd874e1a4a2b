import assert from 'node:assert/strict';
import { AGNHOST, BUSYBOX, has, type Json, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/storage. Titles are theirs, several of a kind in one.

const spec = suite('storage');

spec('PersistentVolumes CSI Conformance: run through the lifecycle and apply changes to a PV and a PVC, and their status', async (e) => {
  const PV = '/api/v1/persistentvolumes';
  const _pv = await e.post(PV, {
    metadata: { name: 'pvx', labels: { e: 'x' } },
    spec: {
      capacity: { storage: '2Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: 'nope',
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['x'] }] }] } },
      hostPath: { path: '/tmp/e2e' },
    },
  });
  await e.get(PV + '?labelSelector=e%3Dx');
  const _c = await e.post(`/api/v1/namespaces/${e.namespace}/persistentvolumeclaims`, {
    metadata: { name: 'c', labels: { q: 'q' } },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'nope', resources: { requests: { storage: '1Gi' } } },
  });
  await e.merge(`/api/v1/namespaces/${e.namespace}/persistentvolumeclaims/c`, { metadata: { labels: { c: 'patched' } } });
  await e.strategic(PV + '/pvx', { metadata: { labels: { pvx: 'patched' } } });
  const st = await e.get(PV + '/pvx/status');
  st.status.message = 'StatusUpdate';
  st.status.reason = 'E2E';
  await e.put(PV + '/pvx/status', st);
  await e.strategic(PV + '/pvx/status', { status: { message: 'StatusPatched', reason: 'E2E patchStatus' } });
  assert.deepEqual((await e.get(PV + '/pvx')).status.message, 'StatusPatched');
  const P = `/api/v1/namespaces/${e.namespace}/persistentvolumeclaims/c/status`;
  const cs = await e.get(P);
  cs.status.conditions = [{ type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from an e2e test' }];
  await e.put(P, cs);
  await e.strategic(P, { status: { conditions: [{ type: 'StatusPatched', status: 'True', reason: 'r', message: 'm' }] } });
  await e.del(`/api/v1/namespaces/${e.namespace}/persistentvolumeclaims/c`);
  await e.until(
    'claim gone',
    async () =>
      e.get(`/api/v1/namespaces/${e.namespace}/persistentvolumeclaims/c`).then(
        () => false,
        () => true,
      ),
    60,
  );
  await e.del(PV + '?labelSelector=pvx%3Dpatched');
  await e.until(
    'pv gone',
    async () =>
      e.get(PV + '/pvx').then(
        () => false,
        () => true,
      ),
    60,
  );
});
spec('CSIDriver, CSINode, StorageClass, VolumeAttachment, VolumeAttributesClass and CSIStorageCapacity APIs', async (e) => {
  const S = '/apis/storage.k8s.io/v1';
  for (const [r, o] of [
    ['csidrivers', { spec: { attachRequired: false } }],
    ['csinodes', { spec: { drivers: [{ name: 'd', nodeID: 'k3d-demo-agent-0', topologyKeys: ['a'] }] } }],
    ['storageclasses', { provisioner: 'x/y', reclaimPolicy: 'Delete', volumeBindingMode: 'WaitForFirstConsumer', parameters: {} }],
    ['volumeattachments', { spec: { attacher: 'e2e', nodeName: 'k3d-demo-agent-0', source: { persistentVolumeName: 'pv' } } }],
    ['volumeattributesclasses', { driverName: 'd', parameters: { a: 'b' } }],
  ] as Json) {
    const _c = await e.post(`${S}/${r}`, { metadata: { name: 'e2e-x', labels: { t: r } }, ...o });
    await e.get(`${S}/${r}/e2e-x`);
    assert.deepEqual((await e.get(`${S}/${r}?labelSelector=t%3D${r}`)).items.length, 1, r);
    await e.merge(`${S}/${r}/e2e-x`, { metadata: { labels: { patched: 'true' } } });
    const g = await e.get(`${S}/${r}/e2e-x`);
    g.metadata.labels.upd = 'y';
    await e.put(`${S}/${r}/e2e-x`, g);
    if (r === 'volumeattachments') {
      await e.merge(`${S}/${r}/e2e-x/status`, { status: { attached: false, attachError: { message: 'x' } } });
      const s = await e.get(`${S}/${r}/e2e-x/status`);
      s.status.attached = true;
      await e.put(`${S}/${r}/e2e-x/status`, s);
    }
    await e.del(`${S}/${r}?labelSelector=upd%3Dy`);
    await e.until(r, async () => (await e.get(`${S}/${r}?labelSelector=t%3D${r}`)).items.length === 0, 10);
  }
  const C = `${S}/namespaces/${e.namespace}/csistoragecapacities`;
  await e.post(C, { metadata: { name: 'a', labels: { a: 'b' } }, storageClassName: 'sc', capacity: '1Gi', maximumVolumeSize: '1Gi' });
  await e.get(S + '/csistoragecapacities');
  await e.merge(C + '/a', { metadata: { labels: { x: 'y' } } });
  await e.del(C + '?labelSelector=x%3Dy');
});
spec('PVC Protection: a claim in use is not removed, and no new Pod may use it; EmptyDir wrapper volumes should not conflict', async (e) => {
  await e.post(`/api/v1/namespaces/${e.namespace}/persistentvolumeclaims`, {
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await e.pod('p', {
    containers: [
      {
        name: 'c',
        image: BUSYBOX,
        command: ['sh', '-c', 'trap exit TERM; while true; do sleep 1; done'],
        volumeMounts: [{ name: 'v', mountPath: '/mnt/volume1' }],
      },
    ],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }],
  });
  await e.ready('p');
  await e.del(`/api/v1/namespaces/${e.namespace}/persistentvolumeclaims/c`);
  const c = await e.get(`/api/v1/namespaces/${e.namespace}/persistentvolumeclaims/c`);
  assert.ok(c.metadata.deletionTimestamp && c.metadata.finalizers.includes('kubernetes.io/pvc-protection'));
  await e.pod('p2', {
    containers: [{ name: 'c', image: BUSYBOX, command: ['sleep', '100'], volumeMounts: [{ name: 'v', mountPath: '/mnt/volume1' }] }],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }],
  });
  await e.pass(10);
  const p2 = await e.get(`${e.of('pods')}/p2`);
  has(JSON.stringify(p2.status.conditions), 'persistentvolumeclaim \\"c\\" is being deleted');
  await e.del(`${e.of('pods')}/p`);
  await e.until(
    'gone',
    async () =>
      e.get(`/api/v1/namespaces/${e.namespace}/persistentvolumeclaims/c`).then(
        () => false,
        () => true,
      ),
    60,
  );
  await e.post(`/api/v1/namespaces/${e.namespace}/secrets`, { metadata: { name: 's' }, stringData: { a: 'b' } });
  await e.post(`/api/v1/namespaces/${e.namespace}/configmaps`, { metadata: { name: 'm' }, data: { a: 'b' } });
  await e.pod('w', {
    volumes: [
      { name: 'a', secret: { secretName: 's' } },
      { name: 'b', configMap: { name: 'm' } },
    ],
    containers: [
      {
        name: 'c',
        image: AGNHOST,
        args: ['test-webserver'],
        volumeMounts: [
          { name: 'a', mountPath: '/etc/secret-volume', readOnly: true },
          { name: 'b', mountPath: '/etc/configmap-volume' },
        ],
      },
    ],
  });
  await e.ready('w');
});
