import assert from 'node:assert/strict';
import { AGNHOST, has, type Json, type Outside, PAUSE, refused, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/scheduling, test/e2e/node/taints.go, test/e2e/apimachinery/resource_quota.go. Titles are theirs, several of a kind in one.

const spec = suite('scheduling');

const N = (e: Outside, r: string, g = '/api/v1') => `${g}/namespaces/${e.namespace}/${r}`;
spec('ResourceQuota should capture the life of services, claims, pods and replica sets, and verify scopes', async (e) => {
  const Q = N(e, 'resourcequotas');
  await e.post(Q, {
    metadata: { name: 'q', labels: { e2e: 'q' } },
    spec: {
      hard: {
        pods: '5',
        services: '10',
        'services.nodeports': '1',
        'services.loadbalancers': '1',
        secrets: '10',
        configmaps: '10',
        replicationcontrollers: '10',
        resourcequotas: '1',
        persistentvolumeclaims: '10',
        'requests.storage': '10Gi',
        cpu: '1',
        memory: '500Mi',
        'count/replicasets.apps': '5',
        'requests.example.com/dongle': '3',
        'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '10',
      },
    },
  });
  const used = async () => (await e.get(Q + '/q')).status.used ?? {};
  await e.until('computed', async () => (await used()).resourcequotas === '1', 30);
  assert.deepEqual((await used()).configmaps, '1');
  await e.post(N(e, 'services'), { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
  await e.post(N(e, 'services'), { metadata: { name: 'np' }, spec: { type: 'NodePort', ports: [{ port: 80 }] } });
  await refused(e.post(N(e, 'services'), { metadata: { name: 'lb' }, spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } }), 403);
  await e.until('svc', async () => (await used()).services === '2' && (await used())['services.nodeports'] === '1', 20);
  await e.post(N(e, 'replicasets', '/apis/apps/v1'), {
    metadata: { name: 'rs' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'x', image: PAUSE }] } },
    },
  });
  await e.until('rs', async () => (await used())['count/replicasets.apps'] === '1', 20);
  await e.post(N(e, 'persistentvolumeclaims'), {
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await e.until('pvc', async () => (await used())['requests.storage'] === '1Gi', 20);
  await e.pod('p', {
    containers: [
      { name: 'x', image: PAUSE, resources: { requests: { cpu: '500m', memory: '252Mi', 'example.com/dongle': '2' }, limits: { 'example.com/dongle': '2' } } },
    ],
  });
  await e.until('pod', async () => (await used()).cpu === '500m' && (await used())['requests.example.com/dongle'] === '2', 20);
  await refused(
    e.pod('p2', { containers: [{ name: 'x', image: PAUSE, resources: { requests: { cpu: '600m', memory: '100Mi' } } }] }),
    403,
    /exceeded quota: q, requested: cpu=600m, used: cpu=500m, limited: cpu=1/,
  );
  await refused(e.pod('p3', { containers: [{ name: 'x', image: PAUSE }] }), 403, /must specify/);
  await e.del(`${e.of('pods')}/p`, { gracePeriodSeconds: 0 });
  await e.until('released', async () => (await used()).cpu === '0', 30);
  await e.post(Q, { metadata: { name: 'q-be' }, spec: { hard: { pods: '5' }, scopes: ['BestEffort'] } }).catch((x) => {
    if (x.status !== 403) throw x;
  });
  await e.merge(Q + '/q', { spec: { hard: { resourcequotas: '5', cpu: null, memory: null } } });
  await e.pass(3);
  await e.post(Q, { metadata: { name: 'be' }, spec: { hard: { pods: '5' }, scopes: ['BestEffort'] } });
  await e.post(Q, { metadata: { name: 'nbe' }, spec: { hard: { pods: '5' }, scopes: ['NotBestEffort'] } });
  await e.post(Q, { metadata: { name: 'term' }, spec: { hard: { pods: '5' }, scopes: ['Terminating'] } });
  await e.post(Q, {
    metadata: { name: 'pc' },
    spec: { hard: { pods: '1' }, scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['zzz'] }] } },
  });
  const u2 = async (n: string) => (await e.get(Q + '/' + n)).status.used?.pods;
  await e.until('be', async () => (await u2('be')) === '0', 20);
  await e.pod('be-pod', { containers: [{ name: 'x', image: PAUSE }], activeDeadlineSeconds: 3600 });
  await e.until('be1', async () => (await u2('be')) === '1' && (await u2('nbe')) === '0' && (await u2('term')) === '1', 20);
  const st = await e.get(Q + '/nbe/status');
  st.status.hard = { pods: '7' };
  await e.put(Q + '/nbe/status', st);
  await e.merge(Q + '/nbe/status', { status: { hard: { pods: '8' } } });
  await e.get('/api/v1/resourcequotas');
  await e.del(Q + '?labelSelector=e2e%3Dq');
});
spec('LimitRange should set default values, and refuse a Pod below its minimum', async (e) => {
  const L = N(e, 'limitranges');
  await e.post(L, {
    metadata: { name: 'lr' },
    spec: {
      limits: [
        {
          type: 'Container',
          min: { cpu: '50m', memory: '100Mi', 'ephemeral-storage': '100Gi' },
          max: { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' },
          default: { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' },
          defaultRequest: { cpu: '100m', memory: '200Mi', 'ephemeral-storage': '200Gi' },
          maxLimitRequestRatio: {},
        },
      ],
    },
  });
  const p = await e.pod('no-res', { containers: [{ name: 'p', image: PAUSE }] });
  assert.deepEqual(p.spec.containers[0].resources, {
    requests: { cpu: '100m', memory: '200Mi', 'ephemeral-storage': '200Gi' },
    limits: { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' },
  });
  await refused(e.pod('bad', { containers: [{ name: 'p', image: PAUSE, resources: { requests: { cpu: '10m' } } }] }), 403);
  await e.merge(L + '/lr', { metadata: { labels: { a: 'b' } } });
  await e.del(L + '?labelSelector=a%3Db');
});
spec('SchedulerPredicates and SchedulerPreemption: node selectors, host ports, extended resources, priorities', async (e) => {
  const nodes = (await e.get('/api/v1/nodes')).items;
  const n0 = nodes[0].metadata.name;
  await e.pod('restricted', { nodeSelector: { label: 'nonempty' }, containers: [{ name: 'p', image: PAUSE }] });
  await e.pass(5);
  has(JSON.stringify((await e.get(`${e.of('pods')}/restricted`)).status.conditions), "didn't match Pod's node affinity/selector");
  await e.merge(`/api/v1/nodes/${n0}`, { metadata: { labels: { label: 'nonempty' } } });
  await e.ready('restricted', 60);
  await e.merge(`/api/v1/nodes/${n0}`, { metadata: { labels: { label: null } } });
  await e.pod('hp1', {
    nodeSelector: { 'kubernetes.io/hostname': n0 },
    containers: [{ name: 'a', image: AGNHOST, ports: [{ hostPort: 54322, containerPort: 8080, hostIP: '0.0.0.0' }] }],
  });
  await e.ready('hp1');
  await e.pod('hp2', {
    nodeSelector: { 'kubernetes.io/hostname': n0 },
    containers: [{ name: 'a', image: AGNHOST, ports: [{ hostPort: 54322, containerPort: 8080, hostIP: '127.0.0.1' }] }],
  });
  await e.pass(10);
  assert.deepEqual((await e.get(`${e.of('pods')}/hp2`)).status.phase, 'Pending');
  // preemption with extended resource
  const setRes = async (v: Json) =>
    e.patchJson(`/api/v1/nodes/${n0}/status`, [{ op: v ? 'add' : 'remove', path: '/status/capacity/scheduling.k8s.io~1foo', ...(v ? { value: v } : {}) }]);
  await setRes('5');
  await e.until('allocatable', async () => (await e.get(`/api/v1/nodes/${n0}`)).status.allocatable['scheduling.k8s.io/foo'] === '5', 60);
  await e.post('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name: 'e2e-low' }, value: 1 });
  await e.post('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name: 'e2e-high' }, value: 1000 });
  const r = (n: string, pc: string, q: string) =>
    e.pod(n, {
      priorityClassName: pc,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'p', image: PAUSE, resources: { requests: { 'scheduling.k8s.io/foo': q }, limits: { 'scheduling.k8s.io/foo': q } } }],
    });
  await r('low', 'e2e-low', '3');
  await e.ready('low');
  await r('high', 'e2e-high', '3');
  await e.ready('high', 60);
  await e.until(
    'victim',
    async () => {
      const p = await e.get(`${e.of('pods')}/low`).catch((x) => x);
      return p.status === 404 || p.metadata?.deletionTimestamp;
    },
    30,
  );
  await setRes('').catch(() => 0);
  await refused(e.merge('/apis/scheduling.k8s.io/v1/priorityclasses/e2e-low', { value: 5 }), 422);
  await e.get('/apis/scheduling.k8s.io/v1/priorityclasses');
  await e.del('/apis/scheduling.k8s.io/v1/priorityclasses/e2e-low');
  await e.del('/apis/scheduling.k8s.io/v1/priorityclasses/e2e-high');
});
spec('NoExecuteTaintManager evicts pods with minTolerationSeconds', async (e) => {
  const n = 'k3d-demo-agent-1';
  const p = (name: string, tol: Json[]) =>
    e.pod(name, {
      nodeName: undefined,
      nodeSelector: { 'kubernetes.io/hostname': n },
      terminationGracePeriodSeconds: 1,
      tolerations: tol,
      containers: [{ name: 'p', image: PAUSE }],
    });
  const key = { key: 'kubernetes.io/e2e-evict-taint-key', value: 'evictTaintVal', effect: 'NoExecute' };
  await p('t1', [{ ...key, operator: 'Equal', tolerationSeconds: 30 }]);
  await p('t2', []);
  await e.ready('t1');
  await e.ready('t2');
  const node = await e.get('/api/v1/nodes/' + n);
  node.spec.taints = [...(node.spec.taints ?? []), key];
  await e.put('/api/v1/nodes/' + n, node);
  await e.until(
    't2 gone',
    () =>
      e.get(`${e.of('pods')}/t2`).then(
        () => false,
        () => true,
      ),
    20,
  );
  await e.get(`${e.of('pods')}/t1`);
  await e.until(
    't1 gone',
    () =>
      e.get(`${e.of('pods')}/t1`).then(
        () => false,
        () => true,
      ),
    60,
  );
  const back = await e.get('/api/v1/nodes/' + n);
  back.spec.taints = (back.spec.taints ?? []).filter((t: Json) => t.key !== key.key);
  await e.put('/api/v1/nodes/' + n, back);
});
