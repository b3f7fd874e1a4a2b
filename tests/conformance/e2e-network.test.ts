import assert from 'node:assert/strict';
import { AGNHOST, DNSUTILS, has, type Json, services, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/network/dns.go, proxy.go, endpointslice.go, ingress.go. Titles are theirs, several of a kind in one.

const spec = suite('network');

const dnsCmd = (names: string[], prefix: string, _ns: string) =>
  names.map((n) => {
    const lookup = `check="$$(dig +notcp +noall +answer +search ${n} A)" && test -n "$$check" && echo OK > /results/${prefix}_udp@${n}; check="$$(dig +tcp +noall +answer +search ${n} A)" && test -n "$$check" && echo OK > /results/${prefix}_tcp@${n};`;
    return lookup;
  });
spec('DNS should provide DNS for the cluster, for services, for pods, and configurable nameservers', async (e) => {
  const dnsPod = async (name: string, names: string[], extra = '') => {
    const probe = 'for i in `seq 1 600`; do ' + dnsCmd(names, 'wheezy', e.namespace).join('') + extra + 'sleep 1; done';
    await e.pod(name, {
      volumes: [{ name: 'results', emptyDir: {} }],
      containers: [
        {
          name: 'webserver',
          image: AGNHOST,
          args: ['test-webserver'],
          ports: [{ name: 'http', containerPort: 80 }],
          volumeMounts: [{ name: 'results', mountPath: '/results' }],
        },
        { name: 'querier', image: AGNHOST, command: ['sh', '-c', probe], volumeMounts: [{ name: 'results', mountPath: '/results' }] },
        {
          name: 'jessie-querier',
          image: DNSUTILS,
          command: ['sh', '-c', probe.replaceAll('wheezy', 'jessie')],
          volumeMounts: [{ name: 'results', mountPath: '/results' }],
        },
      ],
    });
    await e.ready(name);
    for (const p of ['wheezy', 'jessie'])
      for (const n of names)
        for (const t of ['udp', 'tcp'])
          await e.until(
            `${p}_${t}@${n}`,
            async () => {
              const r = await e.request('GET', `${e.of('pods')}/${name}/proxy/results/${p}_${t}@${n}`);
              return r.status === 200 && r.text.includes('OK');
            },
            60,
          );
  };
  await dnsPod('dns-cluster', ['kubernetes.default.svc.cluster.local', 'kubernetes.default', 'kubernetes.default.svc']);
  await e.post(services(e), {
    metadata: { name: 'dns-test-service' },
    spec: { clusterIP: 'None', ports: [{ port: 80, name: 'http', protocol: 'TCP' }], selector: { 'dns-test': 'true' } },
  });
  await e.post(services(e), {
    metadata: { name: 'test-service-2' },
    spec: { ports: [{ port: 80, name: 'http', protocol: 'TCP' }], selector: { 'dns-test': 'true' } },
  });
  await e.pod(
    'backend',
    { hostname: 'dns-querier-2', subdomain: 'dns-test-service', containers: [{ name: 'c', image: AGNHOST, args: ['test-webserver'] }] },
    { labels: { 'dns-test': 'true' } },
  );
  await e.ready('backend');
  await dnsPod('dns-svc', ['dns-test-service', `dns-test-service.${e.namespace}`, `dns-test-service.${e.namespace}.svc`]);
  has((await e.exec('dns-svc', ['dig', '+short', '+search', `_http._tcp.dns-test-service.${e.namespace}.svc`, 'SRV'], 'querier')).out, /80 dns-querier-2/);
  has((await e.exec('dns-svc', ['getent', 'hosts', `dns-querier-2.dns-test-service.${e.namespace}.svc.cluster.local`], 'querier')).out, /dns-querier-2/);
  has((await e.exec('dns-svc', ['getent', 'hosts', 'dns-svc'], 'querier')).out, /dns-svc/);
  await e.pod('cfg', {
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'] },
    containers: [{ name: 'c', image: AGNHOST, args: ['pause'] }],
  });
  await e.ready('cfg');
  assert.deepEqual((await e.exec('cfg', ['/agnhost', 'dns-suffix'])).out, 'resolv.conf.local\n');
  assert.deepEqual((await e.exec('cfg', ['/agnhost', 'dns-server-list'])).out, '1.1.1.1\n');
  await e.post(services(e), { metadata: { name: 'dns-test-service-3' }, spec: { type: 'ExternalName', externalName: 'foo.example.com' } });
  await e.pass(3);
  assert.deepEqual(
    (await e.exec('dns-svc', ['dig', '+short', `dns-test-service-3.${e.namespace}.svc.cluster.local`, 'CNAME'], 'querier')).out,
    'foo.example.com.\n',
  );
});
spec('Proxy should proxy through a service and a pod', async (e) => {
  await e.post(services(e), {
    metadata: { name: 'proxy-service' },
    spec: {
      selector: { proxy: 'y' },
      ports: [
        { name: 'portname1', port: 80, targetPort: 'dest1' },
        { name: 'portname2', port: 81, targetPort: 162 },
        { name: 'tlsportname1', port: 443, targetPort: 'tlsdest1' },
      ],
    },
  });
  await e.pod(
    'proxy-pod',
    {
      containers: [
        {
          name: 'c',
          image: AGNHOST,
          args: ['porter'],
          env: [
            { name: 'SERVE_PORT_80', value: '<a href="/rewriteme">test</a>' },
            { name: 'SERVE_PORT_1080', value: '<a href="/rewriteme">test</a>' },
            { name: 'SERVE_PORT_160', value: 'foo' },
            { name: 'SERVE_PORT_162', value: 'bar' },
            { name: 'SERVE_TLS_PORT_443', value: '<a href="/rewriteme">test</a>' },
            { name: 'SERVE_TLS_PORT_460', value: 'tls baz' },
          ],
          ports: [
            { containerPort: 80 },
            { name: 'dest1', containerPort: 160 },
            { name: 'dest2', containerPort: 162 },
            { name: 'tlsdest1', containerPort: 460 },
          ],
          readinessProbe: { httpGet: { port: 80 }, initialDelaySeconds: 1, timeoutSeconds: 5, periodSeconds: 10 },
        },
      ],
    },
    { labels: { proxy: 'y' } },
  );
  await e.ready('proxy-pod');
  const t = async (p: string, w: string) => {
    const r = await e.request('GET', p);
    assert.deepEqual([r.status, r.text], [200, w], p);
  };
  await t(`${services(e)}/proxy-service:portname1/proxy/`, 'foo');
  await t(`${services(e)}/proxy-service:81/proxy/`, 'bar');
  await t(`${services(e)}/http:proxy-service:portname2/proxy/`, 'bar');
  await t(`${e.of('pods')}/proxy-pod:160/proxy/`, 'foo');
  await t(`${e.of('pods')}/http:proxy-pod:162/proxy/`, 'bar');
  const base = `${e.of('pods')}/proxy-pod:1080/proxy/`;
  await t(base, `<a href="${base}rewriteme">test</a>`);
  await t(`${services(e)}/https:proxy-service:tlsportname1/proxy/`, 'tls baz');
  await t(`${e.of('pods')}/https:proxy-pod:460/proxy/`, 'tls baz');
});
spec('Proxy: a set of valid responses are returned for both pod and service Proxy', async (e) => {
  await e.pod(
    'agnhost',
    { containers: [{ name: 'agnhost', image: AGNHOST, args: ['porter', '--json-response'], env: [{ name: 'SERVE_PORT_80', value: 'test' }] }] },
    { labels: { t: 'r' } },
  );
  await e.ready('agnhost');
  await e.post(services(e), { metadata: { name: 'e2e-proxy' }, spec: { selector: { t: 'r' }, ports: [{ port: 80, targetPort: 80 }] } });
  await e.pass(3);
  for (const b of [`${e.of('pods')}/agnhost/proxy?method=`, `${e.of('pods')}/agnhost/proxy/?method=`, `${services(e)}/e2e-proxy/proxy?method=`])
    for (const m of ['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT']) {
      const r = await e.request(m, b + m);
      assert.ok([200, 301].includes(r.status), m + b + r.status + r.text);
      if (r.status === 200) has(r.text, m);
    }
});
spec('EndpointSlice should create and delete Endpoints and EndpointSlices; EndpointSliceMirroring mirrors', async (e) => {
  await e.post(services(e), { metadata: { name: 'ex' }, spec: { selector: { no: 'one' }, ports: [{ port: 80 }] } });
  const q = `/apis/discovery.k8s.io/v1/namespaces/${e.namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dex`;
  await e.until('slice', async () => (await e.get(q)).items.length === 1, 20);
  await e.get(`/api/v1/namespaces/${e.namespace}/endpoints/ex`);
  await e.del(services(e) + '/ex');
  await e.until('gone', async () => (await e.get(q)).items.length === 0, 60);
  await e.until(
    'ep gone',
    () =>
      e.get(`/api/v1/namespaces/${e.namespace}/endpoints/ex`).then(
        () => false,
        () => true,
      ),
    60,
  );
  await e.post(services(e), { metadata: { name: 'mir' }, spec: { ports: [{ name: 'example', port: 80 }] } });
  await e.post(`/api/v1/namespaces/${e.namespace}/endpoints`, {
    metadata: { name: 'mir' },
    subsets: [{ ports: [{ port: 80 }], addresses: [{ ip: '10.1.2.3' }] }],
  });
  const m = `/apis/discovery.k8s.io/v1/namespaces/${e.namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dmir`;
  await e.until('mirror', async () => (await e.get(m)).items[0]?.endpoints[0].addresses[0] === '10.1.2.3', 20);
  await e.merge(`/api/v1/namespaces/${e.namespace}/endpoints/mir`, { subsets: [{ ports: [{ port: 81 }], addresses: [{ ip: '10.2.3.4' }] }] });
  await e.until(
    'mirror2',
    async () => {
      const s = (await e.get(m)).items[0];
      return s.endpoints[0].addresses[0] === '10.2.3.4' && s.ports[0].port === 81;
    },
    20,
  );
  await e.del(`/api/v1/namespaces/${e.namespace}/endpoints/mir`);
  await e.until('mirror gone', async () => (await e.get(m)).items.length === 0, 20);
});
spec('Ingress, IngressClass, NetworkPolicy, IPAddress and ServiceCIDR APIs should support their operations', async (e) => {
  for (const [p, o, _upd] of [
    [
      `/apis/networking.k8s.io/v1/namespaces/${e.namespace}/ingresses`,
      {
        spec: {
          rules: [{ host: 'foo.bar.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'x', port: { number: 80 } } } }] } }],
        },
      },
    ],
    ['/apis/networking.k8s.io/v1/ingressclasses', { spec: { controller: 'example.com/c' } }],
    [`/apis/networking.k8s.io/v1/namespaces/${e.namespace}/networkpolicies`, { spec: { podSelector: {} } }],
    ['/apis/networking.k8s.io/v1/ipaddresses', { spec: { parentRef: { resource: 'services', name: 'n', namespace: 'd' } } }],
    ['/apis/networking.k8s.io/v1/servicecidrs', { spec: { cidrs: ['10.99.0.0/16'] } }],
  ] as Json) {
    const name = p.includes('ipaddr') ? '192.168.1.3' : 'e2e-x';
    await e.post(p, { metadata: { name, labels: { s: 'e' } }, ...o });
    await e.get(p + '/' + name);
    assert.deepEqual((await e.get(p + '?labelSelector=s%3De')).items.length, 1, p);
    await e.merge(p + '/' + name, { metadata: { annotations: { patched: 'true' } } });
    const g = await e.get(p + '/' + name);
    g.metadata.annotations.updated = 'true';
    await e.put(p + '/' + name, g);
    if (p.includes('ingresses')) {
      await e.merge(p + '/' + name + '/status', { status: { loadBalancer: { ingress: [{ ip: '169.1.1.1' }] } } });
    }
    await e.del(p + '?labelSelector=s%3De');
    await e.until(p + ' gone', async () => (await e.get(p + '?labelSelector=s%3De')).items.length === 0, 20);
  }
});
