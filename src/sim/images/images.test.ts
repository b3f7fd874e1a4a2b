import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kernel } from '../../kernel/index.ts';
import { testKernel } from '../../kernel/testing/index.ts';
import { callbackSink, createMachine, createVolume, decodeText, nullFile, type Process, volumeFileSystem } from '../../unix/index.ts';
import { K3S_COREFILE } from '../dns/index.ts';
import { createClusterNetwork } from '../network/index.ts';
import { FakeClient } from '../network/testing/fake-client.ts';
import { createImageCatalog } from './index.ts';

/** Pods without a kubelet: machines of catalogue images on one network, with CoreDNS at 10.43.0.10. */
function setup() {
  const kernel = testKernel('images');
  const client = new FakeClient(kernel);
  const catalog = createImageCatalog({ kernel, client });
  const network = createClusterNetwork({ kernel, client });
  network.addNode({ name: 'server-0', ip: '172.18.0.2' });
  network.addNode({ name: 'agent-0', ip: '172.18.0.3' });
  for (const name of ['default', 'kube-system']) client.put('v1/namespaces', { metadata: { name } });
  const pod = (
    reference: string,
    name: string,
    options: { command?: string[]; env?: Record<string, string>; node?: string; files?: Record<string, string> } = {},
  ) => {
    const image = catalog.find(reference);
    assert.ok(image, reference);
    const layer = createVolume({ id: reference, kernel });
    image.build(volumeFileSystem(layer));
    const attachment = network.attachPod({ node: options.node ?? 'server-0', namespace: 'default', name, uid: name });
    const machine = createMachine({ kernel, hostname: name, layers: [layer], programs: image.programs, net: attachment.openStack() });
    machine.fs.writeFile('/etc/resolv.conf', 'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.43.0.10\noptions ndots:5\n');
    machine.fs.writeFile('/etc/hosts', `127.0.0.1\tlocalhost\n${attachment.ip}\t${name}\n`);
    for (const [path, content] of Object.entries(options.files ?? {})) {
      machine.fs.mkdir(path.replace(/\/[^/]*$/, ''), { recursive: true });
      machine.fs.writeFile(path, content);
    }
    let log = '';
    const start = (argv: readonly string[], sink: (text: string) => void): Process =>
      machine.start(argv, {
        env: new Map(Object.entries({ ...image.env, ...options.env })),
        cwd: image.workingDir ?? '/',
        stdin: nullFile(),
        stdout: callbackSink((chunk) => sink(decodeText(chunk))),
        stderr: callbackSink((chunk) => sink(decodeText(chunk))),
      });
    const main = start([...(image.entrypoint ?? []), ...(options.command ?? image.cmd ?? [])], (text) => {
      log += text;
    });
    return {
      ip: attachment.ip,
      machine,
      main,
      log: () => log,
      async exec(...argv: string[]): Promise<{ output: string; code: number }> {
        let output = '';
        const process = start(argv, (text) => {
          output += text;
        });
        await kernel.advance({ untilMs: kernel.now() + 120_000, until: () => process.status !== undefined });
        await kernel.settle();
        return { output, code: process.status?.code ?? -1 };
      },
    };
  };
  const service = (name: string, clusterIP: string, port: number, ips: readonly string[], namespace = 'default', protocol = 'TCP'): void => {
    client.put('v1/services', {
      metadata: { namespace, name },
      spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], ports: [{ port, protocol }] },
    } as never);
    client.put('discovery.k8s.io/v1/endpointslices', {
      metadata: { namespace, name: `${name}-x`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ port, protocol }],
      endpoints: ips.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
    } as never);
  };
  const dns = pod('rancher/mirrored-coredns-coredns:1.14.7', 'coredns', {
    command: ['-conf', '/etc/coredns/Corefile'],
    files: { '/etc/coredns/Corefile': K3S_COREFILE, '/etc/coredns/NodeHosts': '172.18.0.2 server-0\n' },
  });
  service('kube-dns', '10.43.0.10', 53, [dns.ip], 'kube-system', 'UDP');
  return { kernel, client, catalog, pod, service, dns };
}

const wait = (kernel: Kernel, ms: number): Promise<boolean> => kernel.advance({ untilMs: kernel.now() + ms });

test('references are found as a registry would find them', () => {
  const { catalog } = setup();
  for (const good of [
    'busybox',
    'busybox:1.36',
    'docker.io/library/busybox:latest',
    'mysql:8.1',
    'nginx:1.25',
    'registry.k8s.io/pause:3.10',
    'curlimages/curl:8.1.2',
  ])
    assert.ok(catalog.find(good), good);
  for (const bad of ['busybox:nope', 'nosuch', 'localhost/nope:1', 'registry.k8s.io/busybox']) assert.equal(catalog.find(bad), undefined, bad);
});

test('CoreDNS starts, answers, and is missed when it is gone', async () => {
  const { kernel, pod, service, dns } = setup();
  const box = pod('busybox', 'box', { command: ['sleep', '100000'] });
  service('web', '10.43.7.7', 80, []);
  await wait(kernel, 1000);
  assert.match(dns.log(), /\.:53\n\[INFO\] plugin\/reload: Running configuration SHA512 = [0-9a-f]{128}\nCoreDNS-1\.14\.7\n/);
  const found = await box.exec('nslookup', 'web.default.svc.cluster.local');
  assert.match(found.output, /Name:\tweb\.default\.svc\.cluster\.local\nAddress: 10\.43\.7\.7\n/);
  assert.equal(found.code, 0);
  assert.deepEqual(await box.exec('wget', '-qO-', `http://${dns.ip}:8080/health`), { output: 'OK', code: 0 });
  assert.equal((await box.exec('wget', '-qO-', 'http://web')).output, "wget: can't connect to remote host (10.43.7.7): Connection refused\n");
  dns.main.kill('SIGTERM');
  await wait(kernel, 2000);
  dns.machine.killAll();
  const lost = await box.exec('nslookup', 'web.default.svc.cluster.local');
  assert.equal(lost.code, 1);
  assert.match(lost.output, /;; connection timed out; no servers could be reached\n/);
  assert.equal((await box.exec('wget', '-qO-', 'http://web')).output, "wget: bad address 'web'\n");
});

test('resolve once over a headless name and every connection goes to one Pod', async () => {
  const { kernel, client, pod, service } = setup();
  const servers = ['web-0', 'web-1', 'web-2'].map((name, i) =>
    pod('registry.k8s.io/e2e-test-images/agnhost:2.53', name, { command: ['netexec'], node: i === 1 ? 'server-0' : 'agent-0' }),
  );
  service(
    'web',
    '10.43.7.8',
    8080,
    servers.map((one) => one.ip),
  );
  service(
    'web-h',
    'None',
    8080,
    servers.map((one) => one.ip),
  );
  client.put('v1/services', {
    metadata: { namespace: 'default', name: 'web-h' },
    spec: { clusterIP: 'None', clusterIPs: ['None'], ports: [{ port: 8080 }] },
  } as never);
  const box = pod('busybox', 'box', { command: ['sleep', '100000'] });
  await wait(kernel, 1000);
  const count = async (name: string): Promise<string[]> =>
    (await box.exec('sh', '-c', `for i in $(seq 60); do wget -qO- http://${name}:8080/hostname; echo; done | sort | uniq -c`)).output.trim().split('\n');
  assert.equal((await count('web')).length, 3);
  // glibc prefers the address on the client's own node.
  assert.deepEqual(await count('web-h'), ['60 web-1']);
});

test('dig prints what the recording shows, host and BIND nslookup what theirs do', async () => {
  const { kernel, pod, service } = setup();
  const tools = pod('registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7', 'dnsutils');
  service('lb', '10.43.175.45', 8080, []);
  await wait(kernel, 1000);
  const dug = await tools.exec('dig', 'lb.default.svc.cluster.local');
  assert.match(
    dug.output,
    /;; QUESTION SECTION:\n;lb\.default\.svc\.cluster\.local\.\tIN\tA\n\n;; ANSWER SECTION:\nlb\.default\.svc\.cluster\.local\. 5\tIN\tA\t10\.43\.175\.45\n/,
  );
  assert.equal((await tools.exec('dig', '+short', 'lb.default.svc.cluster.local')).output, '10.43.175.45\n');
  assert.equal((await tools.exec('host', 'lb')).output, 'lb.default.svc.cluster.local has address 10.43.175.45\n');
  assert.equal(
    (await tools.exec('nslookup', 'lb')).output,
    'Server:\t\t10.43.0.10\nAddress:\t10.43.0.10#53\n\nName:\tlb.default.svc.cluster.local\nAddress: 10.43.175.45\n\n',
  );
  assert.equal((await tools.exec('nslookup', 'nope')).output, "Server:\t\t10.43.0.10\nAddress:\t10.43.0.10#53\n\n** server can't find nope: NXDOMAIN\n\n");
});

test('nginx serves and logs; curl and wget tell what went wrong', async () => {
  const { kernel, pod, service } = setup();
  const web = pod('nginx:1.25', 'web');
  service('web', '10.43.7.9', 80, [web.ip]);
  const curl = pod('curlimages/curl', 'curl', { command: ['sleep', '100000'] });
  await wait(kernel, 1000);
  assert.match((await curl.exec('curl', '-s', 'http://web')).output, /Welcome to nginx!/);
  assert.match(web.log(), /"GET \/ HTTP\/1\.1" 200 \d+ "-" "curl\/8\.10\.1" "-"\n/);
  assert.equal((await curl.exec('curl', '-s', '-o', '/dev/null', '-w', '%{http_code}\\n', 'http://web/nope')).output, '404\n');
  assert.deepEqual(await curl.exec('curl', '-sS', 'http://nosuch'), { output: 'curl: (6) Could not resolve host: nosuch\n', code: 6 });
  assert.equal((await curl.exec('curl', '-sS', `http://${web.ip}:81`)).code, 7);
  assert.equal((await curl.exec('curl', '-sS', '-m', '2', 'http://10.43.99.99')).output, 'curl: (28) Connection timed out after 2000 milliseconds\n');
});

test('redis keeps what it was told', async () => {
  const { kernel, pod } = setup();
  const redis = pod('redis:7', 'redis');
  await wait(kernel, 1000);
  assert.equal((await redis.exec('redis-cli', 'SET', 'a', '1')).output, 'OK\n');
  assert.equal((await redis.exec('redis-cli', 'INCR', 'a')).output, '2\n');
  assert.equal((await redis.exec('redis-cli', 'GET', 'a')).output, '2\n');
});

test('agnhost: connect tells refused from silent, porter and liveness do their part', async () => {
  const { kernel, pod } = setup();
  const porter = pod('registry.k8s.io/e2e-test-images/agnhost:2.53', 'porter', { command: ['porter'], env: { SERVE_PORT_81: 'foo' } });
  const live = pod('registry.k8s.io/e2e-test-images/agnhost:2.53', 'live', { command: ['liveness'] });
  await wait(kernel, 500);
  assert.equal((await live.exec('/agnhost', 'connect', `${porter.ip}:81`, '--timeout=3s')).code, 0);
  assert.deepEqual(await live.exec('/agnhost', 'connect', `${porter.ip}:82`, '--timeout=3s'), { output: 'REFUSED\n', code: 1 });
  assert.deepEqual(await live.exec('/agnhost', 'connect', '10.43.99.99:80', '--timeout=3s'), { output: 'TIMEOUT\n', code: 1 });
  assert.equal((await live.exec('curl', '-s', `${porter.ip}:81`)).output, 'foo');
  assert.equal((await live.exec('curl', '-s', `${live.ip}:8080/healthz`)).output, 'ok');
  await wait(kernel, 11_000);
  assert.match((await live.exec('curl', '-s', '-i', `${live.ip}:8080/healthz`)).output, /^HTTP\/1\.1 500 /);
});
