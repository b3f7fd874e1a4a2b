import assert from 'node:assert/strict';
import { AGNHOST, HTTPD, type Json, NEW_HTTPD, type Outside, refused, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/apps. Titles are theirs, several of a kind in one.

const spec = suite('apps');

const A = (e: Outside, r: string) => `/apis/apps/v1/namespaces/${e.namespace}/${r}`;
const _B = (e: Outside, r: string) => `/apis/batch/v1/namespaces/${e.namespace}/${r}`;
const tmpl = (labels: Json, image = HTTPD, o: Json = {}) => ({
  metadata: { labels },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'httpd', image, ...o }] },
});
const dep = (name: string, n: number, o: Json = {}, image = HTTPD) => ({
  metadata: { name, labels: { name: 'httpd' } },
  spec: { replicas: n, selector: { matchLabels: { name: 'httpd' } }, template: tmpl({ name: 'httpd' }, image), ...o },
});
spec('Daemon set should run and stop simple and complex daemons, retry creating failed pods, and update', async (e) => {
  const ds = (o: Json = {}) => ({
    metadata: { name: 'daemon-set' },
    spec: { selector: { matchLabels: { 'daemonset-name': 'daemon-set' } }, template: tmpl({ 'daemonset-name': 'daemon-set' }), ...o },
  });
  await e.post(A(e, 'daemonsets'), ds());
  const full = () =>
    e.until(
      '3',
      async () => {
        const d = await e.get(A(e, 'daemonsets/daemon-set'));
        return d.status.numberReady === 3 && d.status.numberAvailable === 3 && d;
      },
      60,
    );
  await full();
  const list = async () => (await e.get(e.of('pods') + '?labelSelector=daemonset-name%3Ddaemon-set')).items;
  const victim = (await list())[0];
  await e.del(`${e.of('pods')}/${victim.metadata.name}`);
  await e.until(
    'revived',
    async () => {
      const l = (await list()).filter((p: Json) => !p.metadata.deletionTimestamp);
      return l.length === 3 && !l.some((p: Json) => p.metadata.uid === victim.metadata.uid);
    },
    60,
  );
  await full();
  const v2 = (await list())[0];
  const st = await e.get(`${e.of('pods')}/${v2.metadata.name}`);
  st.status.phase = 'Failed';
  await e.put(`${e.of('pods')}/${v2.metadata.name}/status`, st);
  await e.until('failed one gone', async () => !(await list()).some((p: Json) => p.metadata.uid === v2.metadata.uid), 120);
  await full();
  const revs = (await e.get(A(e, 'controllerrevisions'))).items;
  assert.deepEqual(revs.length, 1);
  const h = revs[0].metadata.labels['controller-revision-hash'];
  assert.ok((await list()).every((p: Json) => p.metadata.labels['controller-revision-hash'] === h));
  await e.strategic(A(e, 'daemonsets/daemon-set'), { spec: { template: { spec: { containers: [{ name: 'httpd', image: AGNHOST }] } } } });
  await e.until(
    'updated',
    async () => {
      const d = await e.get(A(e, 'daemonsets/daemon-set'));
      return d.status.observedGeneration === d.metadata.generation && d.status.updatedNumberScheduled === 3 && d.status.numberReady === 3;
    },
    200,
  );
  assert.ok((await list()).every((p: Json) => p.spec.containers[0].image === AGNHOST));
  assert.deepEqual((await e.get(A(e, 'controllerrevisions'))).items.length, 2);
  const g = await e.get(A(e, 'daemonsets/daemon-set/status'));
  g.status.conditions = [{ type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from e2e test' }];
  await e.put(A(e, 'daemonsets/daemon-set/status'), g);
  await e.merge(A(e, 'daemonsets/daemon-set/status'), { status: { conditions: [{ type: 'StatusPatched', status: 'True' }] } });
  await e.del(A(e, 'daemonsets'));
  await e.until('gone', async () => (await list()).length === 0, 60);
  await e.post(
    A(e, 'daemonsets'),
    ds({
      template: {
        metadata: { labels: { 'daemonset-name': 'daemon-set' } },
        spec: { nodeSelector: { 'daemonset-color': 'blue' }, containers: [{ name: 'a', image: HTTPD }] },
      },
    }),
  );
  await e.pass(5);
  assert.deepEqual((await list()).length, 0);
  await e.merge('/api/v1/nodes/k3d-demo-agent-0', { metadata: { labels: { 'daemonset-color': 'blue' } } });
  await e.until('one', async () => (await list()).length === 1, 30);
  await e.merge('/api/v1/nodes/k3d-demo-agent-0', { metadata: { labels: { 'daemonset-color': 'green' } } });
  await e.until('none', async () => (await list()).length === 0, 60);
  await e.merge(A(e, 'daemonsets/daemon-set'), {
    spec: { template: { spec: { nodeSelector: { 'daemonset-color': 'green' } } }, updateStrategy: { type: 'RollingUpdate' } },
  });
  await e.until('green', async () => (await list()).length === 1, 30);
  await e.merge('/api/v1/nodes/k3d-demo-agent-0', { metadata: { labels: { 'daemonset-color': null } } });
});
spec('Deployment should run the lifecycle, validate its status endpoints and have a working scale subresource', async (e) => {
  await e.post(A(e, 'deployments'), dep('d', 2));
  const ok1 = (n: number) =>
    e.until(
      'ready ' + n,
      async () => {
        const d = await e.get(A(e, 'deployments/d'));
        return (
          d.status.availableReplicas === n &&
          d.status.updatedReplicas === n &&
          d.status.replicas === n &&
          d.status.observedGeneration >= d.metadata.generation &&
          d
        );
      },
      120,
    );
  await ok1(2);
  await e.strategic(A(e, 'deployments/d'), {
    metadata: { labels: { 'test-deployment': 'patched' } },
    spec: { replicas: 3, template: { spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'httpd', image: NEW_HTTPD }] } } },
  });
  await ok1(3);
  const st = await e.get(A(e, 'deployments/d/status'));
  st.status.conditions.push({ type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from e2e test' });
  await e.put(A(e, 'deployments/d/status'), st);
  await e.merge(A(e, 'deployments/d/status'), { status: { conditions: [{ type: 'StatusPatched', status: 'True' }] } });
  const sc = await e.get(A(e, 'deployments/d/scale'));
  assert.deepEqual([sc.kind, sc.spec.replicas], ['Scale', 3]);
  sc.spec.replicas = 4;
  sc.metadata.resourceVersion = '';
  await e.put(A(e, 'deployments/d/scale'), sc);
  await ok1(4);
  await e.merge(A(e, 'deployments/d/scale'), { spec: { replicas: 2 } });
  await ok1(2);
  await refused(e.post(A(e, 'deployments'), { ...dep('bad', 1), spec: { ...dep('bad', 1).spec, selector: { matchLabels: { z: 'z' } } } }), 422);
  await e.get('/apis/apps/v1/deployments?labelSelector=test-deployment%3Dpatched');
  await e.del(A(e, 'deployments') + '?labelSelector=test-deployment%3Dpatched');
  await e.until('rs gone', async () => (await e.get(A(e, 'replicasets'))).items.length === 0, 120);
});
spec('Deployment should delete old replica sets, and adopt matching ones', async (e) => {
  await e.post(A(e, 'replicasets'), {
    metadata: { name: 'test-rs', labels: { name: 'httpd' } },
    spec: { replicas: 1, selector: { matchLabels: { name: 'httpd' } }, template: tmpl({ name: 'httpd', pod: 'httpd' }) },
  });
  await e.until('rs', async () => (await e.get(A(e, 'replicasets/test-rs'))).status.readyReplicas === 1, 60);
  await e.post(A(e, 'deployments'), dep('cleanup', 1, { revisionHistoryLimit: 0 }, AGNHOST));
  await e.until(
    'old rs gone',
    async () => {
      const l = (await e.get(A(e, 'replicasets'))).items;
      return l.length === 1 && l[0].metadata.name !== 'test-rs';
    },
    120,
  );
  for (const img of [NEW_HTTPD, HTTPD, AGNHOST]) {
    await e.strategic(A(e, 'deployments/cleanup'), { spec: { template: { spec: { containers: [{ name: 'httpd', image: img }] } } } });
  }
  await e.until(
    'one rs',
    async () => (await e.get(A(e, 'replicasets'))).items.length === 1 && (await e.get(A(e, 'deployments/cleanup'))).status.updatedReplicas === 1,
    120,
  );
});
spec('ReplicaSet should adopt matching pods on creation and release no longer matching ones, and surface a failure condition', async (e) => {
  await e.pod('pod-adoption-release', { containers: [{ name: 'p', image: HTTPD }] }, { labels: { name: 'par' } });
  await e.ready('pod-adoption-release');
  await e.post(A(e, 'replicasets'), {
    metadata: { name: 'par' },
    spec: { replicas: 1, selector: { matchLabels: { name: 'par' } }, template: tmpl({ name: 'par' }) },
  });
  await e.until('adopted', async () => (await e.get(`${e.of('pods')}/pod-adoption-release`)).metadata.ownerReferences?.[0]?.name === 'par', 30);
  await e.merge(`${e.of('pods')}/pod-adoption-release`, { metadata: { labels: { name: 'not' } } });
  await e.until('released', async () => !(await e.get(`${e.of('pods')}/pod-adoption-release`)).metadata.ownerReferences?.length, 30);
  await e.post(`/api/v1/namespaces/${e.namespace}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard: { pods: '3' } } });
  await e.until('quota', async () => (await e.get(`/api/v1/namespaces/${e.namespace}/resourcequotas/q`)).status.hard?.pods === '3', 20);
  await e.post(A(e, 'replicasets'), {
    metadata: { name: 'cond' },
    spec: { replicas: 3, selector: { matchLabels: { name: 'cond' } }, template: tmpl({ name: 'cond' }) },
  });
  await e.until(
    'failure',
    async () => (await e.get(A(e, 'replicasets/cond'))).status.conditions?.some((c: Json) => c.type === 'ReplicaFailure' && c.status === 'True'),
    60,
  );
  await e.merge(A(e, 'replicasets/cond'), { spec: { replicas: 1 } });
  await e.until('cleared', async () => !(await e.get(A(e, 'replicasets/cond'))).status.conditions?.length, 60);
  const p = await e.merge(A(e, 'replicasets/cond/scale'), { spec: { replicas: 2 } }).catch((x) => x);
  assert.ok(p.spec, p.message);
  const s = await e.get(A(e, 'replicasets/cond/status'));
  s.status.conditions = [{ type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'm' }];
  await e.put(A(e, 'replicasets/cond/status'), s);
  await e.del(A(e, 'replicasets'));
});
spec('ReplicationController should test the lifecycle of a ReplicationController', async (e) => {
  const R = `/api/v1/namespaces/${e.namespace}/replicationcontrollers`;
  const ev = await e.watch(
    R + '?watch=true',
    async () => {
      await e.post(R, {
        metadata: { name: 'rc-test', labels: { 'test-rc-static': 'true' } },
        spec: { replicas: 1, selector: { 'test-rc-static': 'true' }, template: tmpl({ 'test-rc-static': 'true' }) },
      });
      await e.until('ready', async () => (await e.get(R + '/rc-test')).status.readyReplicas === 1, 60);
      await e.strategic(R + '/rc-test', { metadata: { labels: { 'test-rc': 'patched' } } });
      await e.strategic(R + '/rc-test/status', { status: { readyReplicas: 0, availableReplicas: 0 } });
      await e.strategic(R + '/rc-test/scale', { spec: { replicas: 2 } });
      await e.until('two', async () => (await e.get(R + '/rc-test')).status.readyReplicas === 2, 60);
      await e.del(R + '?labelSelector=test-rc-static%3Dtrue');
    },
    30,
  );
  assert.ok(ev.some((x) => x.type === 'ADDED') && ev.some((x) => x.type === 'DELETED'));
});
