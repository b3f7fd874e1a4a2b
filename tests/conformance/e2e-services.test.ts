import assert from 'node:assert/strict';
import { AGNHOST, execPod, has, type Json, nodeAddresses, services, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/network/service.go, hostport.go, test/e2e/common/network. Titles are theirs, several of a kind in one.

const spec = suite('services');

spec('Networking Granular Checks: Pods should function for intra-pod and node-pod communication: http, udp', async (e) => {
  for (let i = 0; i < 3; i++)
    await e.pod(
      'netserver-' + i,
      {
        nodeSelector: { 'kubernetes.io/hostname': ['k3d-demo-server-0', 'k3d-demo-agent-0', 'k3d-demo-agent-1'][i] },
        containers: [
          {
            name: 'webserver',
            image: AGNHOST,
            args: ['netexec', '--http-port=8083', '--udp-port=8081'],
            ports: [
              { name: 'http', containerPort: 8083 },
              { name: 'udp', containerPort: 8081, protocol: 'UDP' },
            ],
            livenessProbe: {
              initialDelaySeconds: 10,
              timeoutSeconds: 30,
              periodSeconds: 10,
              successThreshold: 1,
              failureThreshold: 3,
              httpGet: { path: '/healthz', port: 8083 },
            },
            readinessProbe: { initialDelaySeconds: 10, timeoutSeconds: 30, httpGet: { path: '/healthz', port: 8083 } },
          },
        ],
      },
      { labels: { sel: 'x' } },
    );
  const ips: string[] = [];
  for (let i = 0; i < 3; i++) ips.push((await e.ready('netserver-' + i)).status.podIP);
  await e.pod('test-container-pod', {
    containers: [{ name: 'webserver', image: AGNHOST, args: ['netexec', '--http-port=9080', '--udp-port=8081'], ports: [{ containerPort: 9080 }] }],
  });
  const tp = await e.ready('test-container-pod');
  await e.pod('host-test-container-pod', { hostNetwork: true, containers: [{ name: 'agnhost-container', image: AGNHOST, args: ['pause'] }] });
  await e.ready('host-test-container-pod');
  for (let i = 0; i < 3; i++)
    for (const [proto, port] of [
      ['http', 8083],
      ['udp', 8081],
    ] as const) {
      const r = await e.shell(
        'test-container-pod',
        `curl -g -q -s 'http://${tp.status.podIP}:9080/dial?request=hostname&protocol=${proto}&host=${ips[i]}&port=${port}&tries=1'`,
      );
      assert.deepEqual(JSON.parse(r.out), { responses: ['netserver-' + i] });
    }
  for (let i = 0; i < 3; i++) {
    has(
      (await e.shell('host-test-container-pod', `curl -g -q -s --max-time 15 --connect-timeout 1 http://${ips[i]}:8083/hostName | grep -v '^\\s*$'`)).out,
      'netserver-' + i,
    );
    has((await e.shell('host-test-container-pod', `echo hostName | nc -w 1 -u ${ips[i]} 8081 | grep -v '^\\s*$'`)).out, 'netserver-' + i);
  }
});
spec('Services should have session affinity work, and be able to switch it', async (e) => {
  const mk = async (n: string, type: string, aff: string) => {
    await e.post(services(e), {
      metadata: { name: n },
      spec: { type, sessionAffinity: aff, selector: { name: n }, ports: [{ port: 80, targetPort: 9376, protocol: 'TCP' }] },
    });
    await e.post(`/api/v1/namespaces/${e.namespace}/replicationcontrollers`, {
      metadata: { name: n },
      spec: {
        replicas: 3,
        selector: { name: n },
        template: {
          metadata: { labels: { name: n } },
          spec: { terminationGracePeriodSeconds: 0, containers: [{ name: n, image: AGNHOST, args: ['serve-hostname'], ports: [{ containerPort: 9376 }] }] },
        },
      },
    });
    await e.until('ready', async () => (await e.get(`/api/v1/namespaces/${e.namespace}/replicationcontrollers/${n}`)).status.readyReplicas === 3, 120);
    return e.get(`${services(e)}/${n}`);
  };
  const s = await mk('affinity-clusterip', 'ClusterIP', 'ClientIP');
  await execPod(e);
  const ip = s.spec.clusterIP;
  await e.until('an answer', async () => /^/.test((await e.shell('execpod', `echo hostName | nc -v -t -w 2 affinity-clusterip 80`)).out), 60);
  assert.ok((await e.shell('execpod', 'echo hostName | nc -v -t -w 2 affinity-clusterip 80')).status.status === 'Success', 'nc');
  const hosts = async (ip: string, port: number) =>
    (await e.shell('execpod', `for i in $(seq 0 15); do echo; curl -q -s --connect-timeout 2 http://${ip}:${port}/ ; done`)).out.split('\n').filter(Boolean);
  let h = await hosts(ip, 80);
  assert.deepEqual([h.length, new Set(h).size], [16, 1], 'affinity');
  const g = await e.get(`${services(e)}/affinity-clusterip`);
  g.spec.sessionAffinity = 'None';
  await e.put(`${services(e)}/affinity-clusterip`, g);
  await e.pass(3);
  h = await hosts(ip, 80);
  assert.ok(new Set(h).size > 1, 'no affinity');
  await e.merge(`${services(e)}/affinity-clusterip`, { spec: { sessionAffinity: 'ClientIP' } });
  await e.pass(3);
  h = await hosts(ip, 80);
  assert.deepEqual(new Set(h).size, 1);
  const np = await mk('affinity-nodeport', 'NodePort', 'ClientIP');
  const port = np.spec.ports[0].nodePort;
  for (const n of await nodeAddresses(e)) {
    assert.deepEqual((await e.shell('execpod', `echo hostName | nc -v -t -w 2 ${n} ${port}`)).status.status, 'Success', 'nodeport nc');
  }
  h = await hosts((await nodeAddresses(e))[0] ?? '', port);
  assert.deepEqual([h.length, new Set(h).size], [16, 1], 'nodeport affinity');
  has((await e.shell('execpod', 'echo hostName | nc -v -t -w 2 affinity-clusterip 80')).err, /succeeded|open/);
});
spec('Services should be able to change the type from ExternalName to NodePort and back', async (e) => {
  await e.post(services(e), { metadata: { name: 'ext' }, spec: { type: 'ExternalName', externalName: 'foo.example.com' } });
  await e.pod(
    'ext-pod',
    { containers: [{ name: 'c', image: AGNHOST, args: ['serve-hostname'], ports: [{ containerPort: 9376 }] }] },
    { labels: { name: 'ext' } },
  );
  await e.ready('ext-pod');
  const g = await e.get(services(e) + '/ext');
  g.spec.type = 'NodePort';
  delete g.spec.externalName;
  g.spec.ports = [{ port: 80, targetPort: 9376, name: 'http', protocol: 'TCP' }];
  g.spec.selector = { name: 'ext' };
  const n = await e.put(services(e) + '/ext', g);
  assert.ok(n.spec.ports[0].nodePort && n.spec.clusterIP);
  await execPod(e);
  await e.until('an answer', async () => /ext-pod/.test((await e.shell('execpod', `curl -s --connect-timeout 2 http://ext:80/`)).out), 60);
  const b = await e.get(services(e) + '/ext');
  b.spec.type = 'ExternalName';
  b.spec.externalName = 'clusterip-service.' + e.namespace + '.svc.cluster.local';
  b.spec.clusterIP = '';
  b.spec.clusterIPs = [];
  delete b.spec.ipFamilies;
  delete b.spec.ipFamilyPolicy;
  b.spec.ports[0].nodePort = 0;
  delete b.spec.internalTrafficPolicy;
  delete b.spec.externalTrafficPolicy;
  const x = await e.put(services(e) + '/ext', b);
  assert.ok(!x.spec.clusterIP);
  await e.post(services(e), { metadata: { name: 'clusterip-service' }, spec: { selector: { name: 'ext' }, ports: [{ port: 80, targetPort: 9376 }] } });
  await e.until('an answer', async () => /clusterip-service/.test((await e.shell('execpod', 'nslookup ext.' + e.namespace + '.svc.cluster.local')).out), 60);
});
spec('Services should serve multiport endpoints from pods', async (e) => {
  await e.post(services(e), {
    metadata: { name: 'multi' },
    spec: {
      selector: { foo: 'bar' },
      ports: [
        { name: 'portname1', port: 80, targetPort: 'p1' },
        { name: 'portname2', port: 81, targetPort: 'p2' },
      ],
    },
  });
  const ep = async () => (await e.get(`/api/v1/namespaces/${e.namespace}/endpoints/multi`)).subsets ?? [];
  await e.until('empty', async () => (await ep()).length === 0, 10);
  await e.pod(
    'pod1',
    { containers: [{ name: 'c', image: AGNHOST, args: ['netexec', '--http-port=100', '--udp-port=-1'], ports: [{ name: 'p1', containerPort: 100 }] }] },
    { labels: { foo: 'bar' } },
  );
  await e.pod(
    'pod2',
    { containers: [{ name: 'c', image: AGNHOST, args: ['netexec', '--http-port', '101'], ports: [{ name: 'p2', containerPort: 101 }] }] },
    { labels: { foo: 'bar' } },
  );
  await e.ready('pod1');
  await e.ready('pod2');
  await e.until(
    'eps',
    async () => {
      const s = await ep();
      return s.length === 2 && s;
    },
    30,
  );
  await execPod(e);
  for (const p of [80, 81]) assert.deepEqual((await e.shell('execpod', `echo hostName | nc -v -t -w 2 multi ${p}`)).status.status, 'Success', 'nc ' + p);
  await e.del(`${e.of('pods')}/pod1`);
  await e.until('one', async () => (await ep()).length === 1, 60);
});
spec('Services should complete a service status lifecycle and delete a collection; Endpoints lifecycle', async (e) => {
  const _s = await e.post(services(e), {
    metadata: { name: 'st', labels: { 'test-service-static': 'true' } },
    spec: { type: 'ClusterIP', ports: [{ name: 'http', port: 80 }] },
  });
  const g = await e.get(services(e) + '/st/status');
  assert.deepEqual(g.status, { loadBalancer: {} });
  await e
    .merge(services(e) + '/st/status', { metadata: { annotations: { patchedstatus: 'true' } }, status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } } })
    .then(
      () => 0,
      (x) => {
        throw x;
      },
    );
  const u = await e.get(services(e) + '/st');
  u.status.conditions = [{ type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'm', lastTransitionTime: '2026-01-01T00:00:00Z' }];
  await e.put(services(e) + '/st/status', u);
  await e.get('/api/v1/services?labelSelector=test-service-static%3Dtrue');
  for (let i = 0; i < 3; i++) await e.post(services(e), { metadata: { name: 'c' + i, labels: { e2e: 'c' } }, spec: { ports: [{ port: 80 }] } });
  await e.del(services(e) + '?labelSelector=e2e%3Dc');
  assert.deepEqual((await e.get(services(e) + '?labelSelector=e2e%3Dc')).items.length, 0);
  const E = `/api/v1/namespaces/${e.namespace}/endpoints`;
  await e.post(E, {
    metadata: { name: 'te', labels: { 'test-endpoint-static': 'true' } },
    subsets: [{ addresses: [{ ip: '10.0.0.24' }], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }],
  });
  await e.strategic(E + '/te', { subsets: [{ addresses: [{ ip: '10.0.0.25' }], ports: [{ name: 'http-test', port: 8080, protocol: 'TCP' }] }] });
  await e.del(E + '?labelSelector=test-endpoint-static%3Dtrue');
  const K = await e.get('/api/v1/namespaces/default/endpoints/kubernetes');
  assert.ok(K.subsets.length);
  const ES = await e.get('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes');
  assert.ok(ES.items.length === 1, 'kubernetes slice');
});
spec('HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol', async (e) => {
  const _ip = await nodeAddresses(e);
  const node = 'k3d-demo-agent-0';
  const nip = (await e.get('/api/v1/nodes/' + node)).status.addresses.find((a: Json) => a.type === 'InternalIP').address;
  const P = (n: string, hp: Json) =>
    e.pod(n, {
      nodeName: undefined,
      nodeSelector: { 'kubernetes.io/hostname': node },
      containers: [
        {
          name: 'agnhost',
          image: AGNHOST,
          args: ['netexec', '--http-port=8080', '--udp-port=8080'],
          ports: [{ containerPort: 8080, ...hp }],
          readinessProbe: { httpGet: { path: '/hostname', port: 8080 } },
        },
      ],
    });
  await P('pod1', { hostPort: 54323, hostIP: '127.0.0.1', protocol: 'TCP' });
  await P('pod2', { hostPort: 54323, hostIP: nip, protocol: 'TCP' });
  await P('pod3', { hostPort: 54323, hostIP: nip, protocol: 'UDP' });
  for (const p of ['pod1', 'pod2', 'pod3']) await e.ready(p, 60);
  await e.pod('e2e-host-exec', {
    hostNetwork: true,
    nodeSelector: { 'kubernetes.io/hostname': node },
    containers: [{ name: 'e2e-host-exec', image: AGNHOST }],
  });
  await e.ready('e2e-host-exec');
  has((await e.exec('e2e-host-exec', ['/bin/sh', '-c', `curl -g --connect-timeout 5 --interface ${nip} http://127.0.0.1:54323/hostname`])).out, 'pod1');
  has((await e.exec('e2e-host-exec', ['/bin/sh', '-c', `curl -g --connect-timeout 5 http://${nip}:54323/hostname`])).out, 'pod2');
  has((await e.exec('e2e-host-exec', ['/bin/sh', '-c', `echo hostname | nc -u -w 5 ${nip} 54323`])).out, 'pod3');
});
