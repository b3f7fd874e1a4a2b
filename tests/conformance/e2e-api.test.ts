import assert from 'node:assert/strict';
import { BUSYBOX, HTTPD, has, type Json, type Outside, PAUSE, refused, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/apimachinery, auth, instrumentation. Titles are theirs, several of a kind in one.

const spec = suite('api');

const N = (e: Outside, r: string, g = '/api/v1') => `${g}/namespaces/${e.namespace}/${r}`;
async function crud(e: Outside, base: string, obj: Json, change: Json = { metadata: { annotations: { patched: 'true' } } }, status?: Json) {
  const name = obj.metadata.name;
  const b = base;
  obj.metadata.labels = { ...obj.metadata.labels, e2e: 'crud' };
  await e.post(b, obj);
  await e.get(`${b}/${name}`);
  assert.deepEqual((await e.get(b + '?labelSelector=e2e%3Dcrud')).items.length, 1, b);
  await e.merge(`${b}/${name}`, change);
  const g = await e.get(`${b}/${name}`);
  g.metadata.annotations = { ...g.metadata.annotations, updated: 'true' };
  await e.put(`${b}/${name}`, g);
  if (status) {
    await e.get(`${b}/${name}/status`);
    await e.merge(`${b}/${name}/status`, { metadata: { annotations: { patchedstatus: 'true' } }, status });
    const s = await e.get(`${b}/${name}/status`);
    await e.put(`${b}/${name}/status`, s);
  }
  await e.del(`${b}?labelSelector=e2e%3Dcrud`);
  await e.until(b + ' gone', async () => (await e.get(b + '?labelSelector=e2e%3Dcrud')).items.length === 0, 30);
}
spec('API priority and fairness should support FlowSchema and PriorityLevelConfiguration API operations', async (e) => {
  const G = '/apis/flowcontrol.apiserver.k8s.io/v1';
  await crud(
    e,
    G + '/flowschemas',
    {
      metadata: { name: 'e2e-fs' },
      spec: {
        matchingPrecedence: 10000,
        priorityLevelConfiguration: { name: 'global-default' },
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          { subjects: [{ kind: 'User', user: { name: 'example-e2e-non-existent-user' } }], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] },
        ],
      },
    },
    undefined,
    { conditions: [{ type: 'PatchStatusFailed', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  );
  await crud(
    e,
    G + '/prioritylevelconfigurations',
    { metadata: { name: 'e2e-pl' }, spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } } },
    undefined,
    { conditions: [{ type: 'X', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  );
});
spec('Webhook configurations and ValidatingAdmissionPolicies should support API operations', async (e) => {
  const G = '/apis/admissionregistration.k8s.io/v1';
  const rule = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }];
  for (const k of ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'])
    await crud(e, `${G}/${k}`, {
      metadata: { name: 'e2e-wh' },
      webhooks: [
        {
          name: 'x.k8s.io',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { url: 'https://localhost:1' },
          rules: rule,
          namespaceSelector: { matchLabels: { nope: 'nope' } },
          matchConditions: [{ name: 'c', expression: "object.metadata.name != 'skip-me'" }],
        },
      ],
    });
  await crud(
    e,
    G + '/validatingadmissionpolicies',
    {
      metadata: { name: 'e2e-vap' },
      spec: {
        failurePolicy: 'Ignore',
        matchConstraints: { resourceRules: [{ ...rule[0], apiGroups: ['x'], resources: ['y'] }] },
        validations: [{ expression: 'object.spec.replicas <= 100' }],
      },
    },
    undefined,
    { conditions: [{ type: 'X', status: 'True', reason: 'r', message: 'm', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  );
  await crud(e, G + '/validatingadmissionpolicybindings', { metadata: { name: 'e2e-vapb' }, spec: { policyName: 'e2e-vap', validationActions: ['Deny'] } });
});
spec('Certificates API should support CSR API operations', async (e) => {
  const req =
    'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlHVk1ENENBUUF3QURCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkE9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K';
  const G = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
  await e.post(G, {
    metadata: { name: 'e2e-csr', labels: { e2e: 'csr' } },
    spec: { request: req, signerName: 'example.com/e2e', expirationSeconds: 3600, usages: ['digital signature', 'key encipherment', 'server auth'] },
  });
  await e.merge(G + '/e2e-csr', { metadata: { annotations: { patched: 'true' } } });
  const g = await e.get(G + '/e2e-csr/approval');
  g.status.conditions = [{ type: 'Approved', status: 'True', reason: 'E2E', message: 'x' }];
  await e.put(G + '/e2e-csr/approval', g);
  await e.merge(G + '/e2e-csr/status', { metadata: { annotations: { patchedstatus: 'true' } }, status: { certificate: '' } }).catch((x) => {
    throw x;
  });
  await e.del(G + '?labelSelector=e2e%3Dcsr');
});
spec('ServiceAccounts should mount an API token, allow opting out, and guarantee kube-root-ca.crt; SubjectReview', async (e) => {
  const r = await e.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', { metadata: {} });
  assert.ok(r.status.userInfo.username);
  await e.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    spec: { user: 'x', resourceAttributes: { verb: 'get', resource: 'pods', namespace: e.namespace } },
  });
  await e.post(`/apis/authorization.k8s.io/v1/namespaces/${e.namespace}/localsubjectaccessreviews`, {
    spec: { user: 'x', resourceAttributes: { verb: 'get', resource: 'pods', namespace: e.namespace } },
  });
  const SA = N(e, 'serviceaccounts');
  await e.post(SA, { metadata: { name: 'mount', labels: { a: 'b' } }, automountServiceAccountToken: false });
  const pod = (n: string, spec: Json) => e.pod(n, { containers: [{ name: 'c', image: BUSYBOX, command: ['sleep', '1000'] }], ...spec });
  const p = await pod('x', { serviceAccountName: 'mount' });
  assert.ok(!p.spec.volumes?.length);
  const q = await pod('y', { serviceAccountName: 'mount', automountServiceAccountToken: true });
  assert.ok(q.spec.volumes.length);
  await e.ready('y');
  const t = (await e.exec('y', ['cat', '/var/run/secrets/kubernetes.io/serviceaccount/token'])).out;
  has(t, /^eyJ/);
  assert.deepEqual((await e.exec('y', ['cat', '/var/run/secrets/kubernetes.io/serviceaccount/namespace'])).out, e.namespace);
  has((await e.exec('y', ['cat', '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'])).out, 'BEGIN CERTIFICATE');
  const tr = await e.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: t } });
  assert.deepEqual([tr.status.authenticated, tr.status.user?.username], [true, `system:serviceaccount:${e.namespace}:mount`]);
  const tk = await e.post(SA + '/mount/token', { spec: { audiences: ['x'], expirationSeconds: 3600 } });
  assert.ok(tk.status.token);
  await e.strategic(SA + '/mount', { secrets: [{ name: 'x' }] });
  await e.get('/api/v1/serviceaccounts?labelSelector=a%3Db');
  await e.del(SA + '?labelSelector=a%3Db');
  const CM = N(e, 'configmaps/kube-root-ca.crt');
  await e.del(CM);
  await e.until('reborn', () => e.get(CM), 20);
  const c = await e.get(CM);
  c.data = {};
  await e.put(CM, c);
  await e.until('reconciled', async () => (await e.get(CM)).data?.['ca.crt'], 20);
  const oidc = JSON.parse((await e.request('GET', '/.well-known/openid-configuration')).text);
  assert.ok(oidc.issuer && oidc.jwks_uri);
});
spec('Events should delete a collection, and manage the lifecycle of an event in both APIs', async (e) => {
  const E = N(e, 'events');
  await e.post(E, {
    metadata: { name: 'event-test', labels: { 'testevent-constant': 'true' } },
    message: 'x',
    reason: 'Test',
    type: 'Normal',
    count: 1,
    involvedObject: { namespace: e.namespace, name: 'x', kind: 'Pod' },
  });
  await e.strategic(E + '/event-test', { message: 'patched' });
  await e.get('/api/v1/events?labelSelector=testevent-constant%3Dtrue');
  await e.del(E + '?labelSelector=testevent-constant%3Dtrue');
  const V = `/apis/events.k8s.io/v1/namespaces/${e.namespace}/events`;
  await e.post(V, {
    metadata: { name: 'ev', labels: { l: 'm' } },
    regarding: { namespace: e.namespace, kind: 'Pod', name: 'x' },
    eventTime: '2026-11-23T08:00:00.000000Z',
    note: 'n',
    type: 'Normal',
    action: 'Do',
    reason: 'Test',
    reportingController: 'test-controller',
    reportingInstance: 'test-node',
  });
  const g = await e.get(V + '/ev');
  g.series = { count: 100, lastObservedTime: '2026-11-23T08:00:01.000000Z' };
  await e.put(V + '/ev', g);
  await e.merge(V + '/ev', { note: 'n2' }).then(
    () => 0,
    (x) => {
      if (x.status !== 422) throw x;
    },
  );
  assert.deepEqual((await e.get('/apis/events.k8s.io/v1/events?fieldSelector=reportingController%3Dtest-controller')).items.length, 1, 'field selector');
  await e.del(V + '?labelSelector=l%3Dm');
});
spec('Namespaces should patch, apply changes to a status and a finalizer', async (e) => {
  await e.post('/api/v1/namespaces', { metadata: { name: 'e2e-nsx' } });
  await e.merge('/api/v1/namespaces/e2e-nsx', { metadata: { labels: { testLabel: 'testValue' } } });
  const _s = await e.merge('/api/v1/namespaces/e2e-nsx/status', {
    metadata: { annotations: { patchedstatus: 'true' } },
    status: { conditions: [{ type: 'StatusPatch', status: 'True', reason: 'E2E', message: 'm' }] },
  });
  const g = await e.get('/api/v1/namespaces/e2e-nsx/status');
  g.status.conditions.push({ type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'm' });
  await e.put('/api/v1/namespaces/e2e-nsx/status', g);
  const f = await e.get('/api/v1/namespaces/e2e-nsx');
  f.spec.finalizers = ['e2e.example.com/fakeFinalizer', ...f.spec.finalizers];
  const u = await e.put('/api/v1/namespaces/e2e-nsx/finalize', f);
  assert.ok(u.spec.finalizers.length === 2, 'finalizers ' + JSON.stringify(u.spec));
  u.spec.finalizers = ['kubernetes'];
  await e.put('/api/v1/namespaces/e2e-nsx/finalize', u);
  await e.del('/api/v1/namespaces/e2e-nsx');
  await e.until(
    'gone',
    () =>
      e.get('/api/v1/namespaces/e2e-nsx').then(
        () => false,
        () => true,
      ),
    60,
  );
});
spec('PodTemplates, Lease, HPA, RBAC, EndpointSlice and DRA kinds should support their API operations', async (e) => {
  await crud(e, N(e, 'podtemplates'), {
    metadata: { name: 'pt' },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'n', image: HTTPD }] } },
  });
  await crud(e, N(e, 'leases', '/apis/coordination.k8s.io/v1'), {
    metadata: { name: 'lease' },
    spec: {
      holderIdentity: 'h',
      leaseDurationSeconds: 30,
      leaseTransitions: 0,
      acquireTime: '2026-11-23T08:00:00.000000Z',
      renewTime: '2026-11-23T08:00:00.000000Z',
    },
  });
  await crud(e, N(e, 'horizontalpodautoscalers', '/apis/autoscaling/v2'), {
    metadata: { name: 'h' },
    spec: { maxReplicas: 2, scaleTargetRef: { kind: 'Deployment', name: 'x', apiVersion: 'apps/v1' } },
  });
  await crud(e, '/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'e2e-cr' }, rules: [] });
  await crud(e, '/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: 'e2e-rc' }, handler: 'h' });
  await crud(e, N(e, 'endpointslices', '/apis/discovery.k8s.io/v1'), {
    metadata: { name: 'esl' },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.1.1'] }],
    ports: [{ port: 80 }],
  });
  for (const k of ['resourceclaims', 'resourceclaimtemplates'])
    await crud(e, N(e, k, '/apis/resource.k8s.io/v1'), {
      metadata: { name: 'rc' },
      spec:
        k === 'resourceclaims'
          ? { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'x' } }] } }
          : { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'x' } }] } } },
    });
  await crud(e, '/apis/resource.k8s.io/v1/deviceclasses', { metadata: { name: 'e2e-dc' }, spec: {} });
  for (const n of ['k3d-demo-agent-0']) {
    await e.merge(`/api/v1/nodes/${n}`, { metadata: { annotations: { x: 'y' } } });
    const s = await e.get(`/api/v1/nodes/${n}/status`);
    assert.ok(s.status.nodeInfo.kubeletVersion);
  }
  assert.deepEqual((await e.get('/version')).gitVersion.startsWith('v1.36'), true);
  await e.get('/api/v1/componentstatuses').catch(() => 0);
  assert.ok((await e.request('GET', '/healthz')).text === 'ok');
  assert.ok((await e.request('GET', '/readyz?verbose')).status === 200);
});
spec('CustomResourceDefinition: defaulting, pruning, selectable fields, strict validation, status, OpenAPI', async (e) => {
  const C = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await e.post(C, {
    metadata: { name: 'foos.e2e.example.com' },
    spec: {
      group: 'e2e.example.com',
      scope: 'Namespaced',
      names: { plural: 'foos', singular: 'foo', kind: 'Foo', listKind: 'FooList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
          selectableFields: [{ jsonPath: '.spec.color' }],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  properties: {
                    replicas: { type: 'integer', default: 1 },
                    color: { type: 'string' },
                    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
                  },
                },
                status: { type: 'object', properties: { replicas: { type: 'integer' } } },
              },
            },
          },
        },
      ],
    },
  });
  await e.until(
    'established',
    async () => (await e.get(C + '/foos.e2e.example.com')).status.conditions?.some((c: Json) => c.type === 'Established' && c.status === 'True'),
    20,
  );
  const F = N(e, 'foos', '/apis/e2e.example.com/v1');
  const f = await e.post(F, { apiVersion: 'e2e.example.com/v1', kind: 'Foo', metadata: { name: 'a' }, spec: { color: 'blue', bogus: 1 } });
  assert.deepEqual(f.spec, { color: 'blue', replicas: 1 });
  assert.deepEqual((await e.get(F + '?fieldSelector=spec.color%3Dblue')).items.length, 1);
  assert.deepEqual((await e.get(F + '?fieldSelector=spec.color%3Dred')).items.length, 0);
  await refused(
    e.post(F + '?fieldValidation=Strict', { apiVersion: 'e2e.example.com/v1', kind: 'Foo', metadata: { name: 'c' }, spec: { bogus: 1 } }),
    400,
    /unknown field "spec\.bogus"/,
  );
  await e.get(F + '/a/scale');
  const s = await e.get(C + '/foos.e2e.example.com/status');
  s.status.conditions.push({ type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'm' });
  await e.put(C + '/foos.e2e.example.com/status', s);
  const o = JSON.parse((await e.request('GET', '/openapi/v2')).text);
  assert.ok(o.definitions['com.example.e2e.v1.Foo'], 'openapi v2');
  await e.del(C + '/foos.e2e.example.com');
  await e.until(
    'crd gone',
    () =>
      e.get(C + '/foos.e2e.example.com').then(
        () => false,
        () => true,
      ),
    60,
  );
  await e.until('openapi gone', async () => !JSON.parse((await e.request('GET', '/openapi/v2')).text).definitions['com.example.e2e.v1.Foo'], 20);
});
spec('Servers should chunk lists, and transform into Tables', async (e) => {
  for (let i = 0; i < 40; i++)
    await e.post(N(e, 'podtemplates'), {
      metadata: { name: 't' + String(i).padStart(4, '0') },
      template: { metadata: { labels: {} }, spec: { containers: [{ name: 'x', image: PAUSE }] } },
    });
  let c = '',
    seen = 0;
  do {
    const l = await e.get(N(e, 'podtemplates') + `?limit=17${c ? '&continue=' + encodeURIComponent(c) : ''}`);
    seen += l.items.length;
    c = l.metadata.continue ?? '';
    if (c && l.metadata.remainingItemCount !== undefined) assert.deepEqual(l.metadata.remainingItemCount + seen, 40);
  } while (c);
  assert.deepEqual(seen, 40);
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const t = JSON.parse((await e.request('GET', N(e, 'podtemplates') + '?limit=2', undefined, undefined, table)).text);
  assert.deepEqual([t.kind, t.rows.length], ['Table', 2]);
  const bad = await e.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: {} }, undefined, table);
  assert.deepEqual(bad.status, 406);
  await e.del(N(e, 'podtemplates'));
});
