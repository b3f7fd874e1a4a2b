import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kernel } from '../../kernel/index.ts';
import { testKernel } from '../../kernel/testing/index.ts';
import { Errno, type NetworkStack } from '../../unix/types.ts';
import { createClusterNetwork } from './index.ts';
import { HostLocalIpam } from './ipam.ts';
import { FakeClient } from './testing/fake-client.ts';

const text = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? new Uint8Array());
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

function setup(seed = 'network') {
  const kernel = testKernel(seed);
  const client = new FakeClient(kernel);
  const network = createClusterNetwork({ kernel, client });
  network.addNode({ name: 'server-0', ip: '172.18.0.2' });
  network.addNode({ name: 'agent-0', ip: '172.18.0.3' });
  network.addNode({ name: 'agent-1', ip: '172.18.0.4' });
  const pod = (node: string, name: string) => {
    const attachment = network.attachPod({ node, namespace: 'default', name, uid: name });
    client.put('v1/pods', { metadata: { namespace: 'default', name, labels: { app: name } }, status: { phase: 'Running', podIP: attachment.ip } } as never);
    return { ...attachment, node, name, stack: attachment.openStack() };
  };
  return { kernel, client, network, pod };
}

type Pod = ReturnType<ReturnType<typeof setup>['pod']>;

/** Runs work on virtual time and returns its outcome and how long it took. */
async function run<T>(kernel: Kernel, work: Promise<T>): Promise<{ value?: T; error?: unknown; ms: number }> {
  const started = kernel.now();
  let outcome: { value?: T; error?: unknown } | undefined;
  work.then(
    (value) => (outcome = { value }),
    (error) => (outcome = { error }),
  );
  await kernel.advance({ until: () => outcome !== undefined });
  return { ...outcome, ms: kernel.now() - started };
}

/** Serves "<name> <client address>\n" on a port. */
function serveName(stack: NetworkStack, name: string, port = 80, host?: string): void {
  const listener = stack.listen(port, host);
  void (async () => {
    for (;;) {
      const socket = await listener.accept();
      await socket.write(bytes(`${name} ${socket.remote.ip}`));
      socket.close();
    }
  })().catch(() => {});
}

async function ask(stack: NetworkStack, ip: string, port = 80): Promise<string> {
  const socket = await stack.connect(ip, port, { timeoutMs: 5000 });
  try {
    return text(await socket.read());
  } finally {
    socket.close();
  }
}

function service(client: FakeClient, name: string, clusterIP: string, pods: readonly Pod[], extra: object = {}, notReady: readonly Pod[] = []): void {
  client.put('v1/services', {
    metadata: { namespace: 'default', name },
    spec: { type: 'ClusterIP', clusterIP, ports: [{ name: 'web', port: 80, protocol: 'TCP', ...(extra as { port?: object }).port }], ...extra },
  } as never);
  client.put('discovery.k8s.io/v1/endpointslices', {
    metadata: { namespace: 'default', name: `${name}-abcde`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'web', port: 80, protocol: 'TCP' }],
    endpoints: [
      ...pods.map((pod) => ({ addresses: [pod.ip], nodeName: pod.node, conditions: { ready: true, serving: true, terminating: false } })),
      ...notReady.map((pod) => ({ addresses: [pod.ip], nodeName: pod.node, conditions: { ready: false, serving: false, terminating: false } })),
    ],
  } as never);
}

const code = (error: unknown): string => (error instanceof Errno ? error.code : String(error));

test('addresses ascend per node and are not reused soon', () => {
  const ipam = new HostLocalIpam('10.42.1.0/24');
  assert.equal(ipam.gateway, '10.42.1.1');
  assert.deepEqual([ipam.allocate(), ipam.allocate(), ipam.allocate()], ['10.42.1.2', '10.42.1.3', '10.42.1.4']);
  ipam.release('10.42.1.3');
  assert.equal(ipam.allocate(), '10.42.1.5');
  for (let i = 6; i <= 254; i++) assert.equal(ipam.allocate(), `10.42.1.${i}`);
  assert.equal(ipam.allocate(), '10.42.1.3');
  assert.equal(ipam.allocate(), undefined);
});

test('Pods reach each other across nodes; no listener is refused, no Pod has no route, a foreign address times out', async () => {
  const { kernel, pod } = setup();
  const a = pod('server-0', 'a');
  const b = pod('agent-0', 'b');
  assert.deepEqual([a.ip, b.ip], ['10.42.0.2', '10.42.1.2']);
  serveName(b.stack, 'b');
  assert.equal((await run(kernel, ask(a.stack, b.ip))).value, 'b 10.42.0.2');
  const refused = await run(kernel, a.stack.connect(b.ip, 81));
  assert.equal(code(refused.error), 'ECONNREFUSED');
  assert.ok(refused.ms < 10);
  const nobody = await run(kernel, a.stack.connect('10.42.1.77', 80));
  assert.equal(code(nobody.error), 'EHOSTUNREACH');
  assert.ok(nobody.ms > 2900 && nobody.ms < 3500);
  const lost = await run(kernel, a.stack.connect('10.43.9.9', 80, { timeoutMs: 2000 }));
  assert.equal(code(lost.error), 'ETIMEDOUT');
  assert.equal(lost.ms, 2000);
});

test('a socket bound to 127.0.0.1 is not reached from outside', async () => {
  const { kernel, pod } = setup();
  const a = pod('server-0', 'a');
  const b = pod('server-0', 'b');
  serveName(b.stack, 'local', 80, '127.0.0.1');
  assert.equal(code((await run(kernel, ask(a.stack, b.ip))).error), 'ECONNREFUSED');
  assert.equal((await run(kernel, ask(b.stack, '127.0.0.1'))).value, 'local 127.0.0.1');
  assert.throws(() => b.stack.listen(80), { code: 'EADDRINUSE' });
  b.stack.dispose();
  serveName(b.openStack(), 'again');
  assert.equal((await run(kernel, ask(a.stack, b.ip))).value, 'again 10.42.0.2');
});

test('30,000 connections over a ClusterIP spread evenly over the ready Pods only', async () => {
  const { kernel, client, pod } = setup();
  const clientPod = pod('server-0', 'client');
  const pods = [pod('server-0', 'web-0'), pod('agent-0', 'web-1'), pod('agent-1', 'web-2')];
  const sick = pod('agent-1', 'web-3');
  for (const one of [...pods, sick]) serveName(one.stack, one.name);
  service(client, 'web', '10.43.0.50', pods, {}, [sick]);
  await kernel.advance({ untilMs: kernel.now() + 200 });
  const counts = new Map<string, number>();
  const many = async (): Promise<void> => {
    for (let i = 0; i < 30_000; i++) {
      const name = (await ask(clientPod.stack, '10.43.0.50')).split(' ')[0] as string;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  };
  assert.equal((await run(kernel, many())).error, undefined);
  assert.deepEqual([...counts.keys()].sort(), ['web-0', 'web-1', 'web-2']);
  // Chi-square with two degrees of freedom: 13.8 is exceeded once in a thousand.
  let chiSquare = 0;
  for (const count of counts.values()) chiSquare += (count - 10_000) ** 2 / 10_000;
  assert.ok(chiSquare < 13.8, `chi-square ${chiSquare}: ${JSON.stringify([...counts])}`);
});

test('a Service without endpoints refuses; one without local endpoints under policy Local stays silent', async () => {
  const { kernel, client, pod } = setup();
  const near = pod('server-0', 'near');
  const far = pod('agent-0', 'far');
  serveName(far.stack, 'far');
  service(client, 'empty', '10.43.0.51', []);
  service(client, 'local', '10.43.0.52', [far], { internalTrafficPolicy: 'Local' });
  await kernel.advance({ untilMs: kernel.now() + 200 });
  assert.equal(code((await run(kernel, near.stack.connect('10.43.0.51', 80))).error), 'ECONNREFUSED');
  assert.equal(code((await run(kernel, near.stack.connect('10.43.0.52', 80, { timeoutMs: 1500 }))).error), 'ETIMEDOUT');
  assert.match((await run(kernel, ask(far.stack, '10.43.0.52'))).value ?? '', /^far /);
});

test('rules follow endpoints after the programming delay, not at once', async () => {
  const { kernel, client, pod } = setup();
  const a = pod('server-0', 'a');
  const old = pod('agent-0', 'old');
  const fresh = pod('agent-1', 'fresh');
  serveName(old.stack, 'old');
  serveName(fresh.stack, 'fresh');
  service(client, 'web', '10.43.0.50', [old]);
  await kernel.advance({ untilMs: kernel.now() + 200 });
  service(client, 'web', '10.43.0.50', [fresh]);
  assert.equal((await run(kernel, ask(a.stack, '10.43.0.50'))).value, 'old 10.42.0.2');
  await kernel.advance({ untilMs: kernel.now() + 200 });
  assert.equal((await run(kernel, ask(a.stack, '10.43.0.50'))).value, 'fresh 10.42.0.2');
  client.remove('v1/services', 'default', 'web');
  await kernel.advance({ untilMs: kernel.now() + 200 });
  assert.equal(code((await run(kernel, a.stack.connect('10.43.0.50', 80, { timeoutMs: 1000 }))).error), 'ETIMEDOUT');
});

test('session affinity keeps a client on one Pod until that Pod leaves', async () => {
  const { kernel, client, pod } = setup();
  const a = pod('server-0', 'a');
  const pods = [pod('server-0', 'web-0'), pod('agent-0', 'web-1'), pod('agent-1', 'web-2')];
  for (const one of pods) serveName(one.stack, one.name);
  service(client, 'web', '10.43.0.50', pods, { sessionAffinity: 'ClientIP' });
  await kernel.advance({ untilMs: kernel.now() + 200 });
  const seen = new Set<string>();
  for (let i = 0; i < 20; i++) seen.add((await run(kernel, ask(a.stack, '10.43.0.50'))).value?.split(' ')[0] ?? '');
  assert.equal(seen.size, 1);
  const rest = pods.filter((one) => !seen.has(one.name));
  service(client, 'web', '10.43.0.50', rest, { sessionAffinity: 'ClientIP' });
  await kernel.advance({ untilMs: kernel.now() + 200 });
  const next = (await run(kernel, ask(a.stack, '10.43.0.50'))).value?.split(' ')[0] ?? '';
  assert.ok(rest.some((one) => one.name === next));
});

test('a Pod reaches itself through its Service and sees the bridge; NodePort masquerades unless Local', async () => {
  const { kernel, client, network, pod } = setup();
  const self = pod('agent-0', 'self');
  serveName(self.stack, 'self');
  service(client, 'web', '10.43.0.50', [self], { type: 'NodePort', port: { nodePort: 30080 } });
  service(client, 'kept', '10.43.0.51', [self], { type: 'NodePort', externalTrafficPolicy: 'Local', port: { nodePort: 30081 } });
  await kernel.advance({ untilMs: kernel.now() + 200 });
  assert.equal((await run(kernel, ask(self.stack, '10.43.0.50'))).value, 'self 10.42.1.1');
  const laptop = network.outsideStack();
  assert.equal((await run(kernel, ask(laptop, '172.18.0.3', 30080))).value, 'self 10.42.1.1');
  assert.equal((await run(kernel, ask(laptop, '172.18.0.2', 30080))).value, 'self 10.42.0.0');
  assert.equal((await run(kernel, ask(laptop, '172.18.0.3', 30081))).value, 'self 172.18.0.1');
  assert.equal(code((await run(kernel, laptop.connect('172.18.0.2', 30081, { timeoutMs: 1000 }))).error), 'ETIMEDOUT');
  assert.equal(code((await run(kernel, laptop.connect(self.ip, 80, { timeoutMs: 1000 }))).error), 'ETIMEDOUT');
  assert.equal((await run(kernel, ask(network.nodeStack('agent-0'), self.ip))).value, 'self 10.42.1.1');
});

test('a partition holds traffic back and mending lets it through', async () => {
  const { kernel, network, pod } = setup();
  const a = pod('server-0', 'a');
  const b = pod('agent-0', 'b');
  serveName(b.stack, 'b');
  network.setPartitioned('agent-0', true);
  assert.equal(code((await run(kernel, a.stack.connect(b.ip, 80, { timeoutMs: 3000 }))).error), 'ETIMEDOUT');
  kernel.timer(2000, () => network.setPartitioned('agent-0', false));
  const late = await run(kernel, ask(a.stack, b.ip));
  assert.equal(late.value, 'b 10.42.0.2');
  assert.ok(late.ms >= 2000);
});

test('a writer waits for a slow reader; data for a closed socket resets it', async () => {
  const { kernel, pod } = setup();
  const a = pod('server-0', 'a');
  const b = pod('agent-0', 'b');
  const listener = b.stack.listen(9000);
  let written = 0;
  const outcome = run(
    kernel,
    (async () => {
      const socket = await a.stack.connect(b.ip, 9000);
      for (let i = 0; i < 100; i++) {
        await socket.write(new Uint8Array(16 * 1024));
        written++;
      }
    })(),
  );
  const server = await listener.accept();
  await kernel.settle();
  kernel.timer(5000, () => server.close());
  assert.equal(code((await outcome).error), 'ECONNRESET');
  assert.ok(written >= 4 && written < 10, `${written}`);
});

test('UDP: an answer, silence, and nobody there', async () => {
  const { kernel, pod } = setup();
  const a = pod('server-0', 'a');
  const b = pod('agent-0', 'b');
  b.stack.listenDatagrams(53, (payload, from) => (text(payload) === 'hush' ? undefined : bytes(`${text(payload)} from ${from.ip}`)));
  assert.equal(text((await run(kernel, a.stack.datagram(b.ip, 53, bytes('hi'), { timeoutMs: 1000 }))).value ?? null), 'hi from 10.42.0.2');
  assert.equal(code((await run(kernel, a.stack.datagram(b.ip, 53, bytes('hush'), { timeoutMs: 1000 }))).error), 'ETIMEDOUT');
  assert.equal(code((await run(kernel, a.stack.datagram(b.ip, 54, bytes('hi'), { timeoutMs: 1000 }))).error), 'ECONNREFUSED');
  const rtt = await run(kernel, a.stack.ping(b.ip, { timeoutMs: 1000 }));
  assert.ok((rtt.value ?? 0) > 0 && (rtt.value ?? 99) < 2);
  assert.equal(code((await run(kernel, a.stack.ping('10.43.0.10', { timeoutMs: 1000 }))).error), 'ETIMEDOUT');
});

test('a NetworkPolicy rejects what it does not allow', async () => {
  const { kernel, client, pod } = setup();
  const good = pod('server-0', 'good');
  const bad = pod('server-0', 'bad');
  const db = pod('agent-0', 'db');
  serveName(db.stack, 'db', 3306);
  client.put('networking.k8s.io/v1/networkpolicies', {
    metadata: { namespace: 'default', name: 'db' },
    spec: {
      podSelector: { matchLabels: { app: 'db' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'good' } } }], ports: [{ protocol: 'TCP', port: 3306 }] }],
    },
  } as never);
  assert.match((await run(kernel, ask(good.stack, db.ip, 3306))).value ?? '', /^db /);
  assert.equal(code((await run(kernel, ask(bad.stack, db.ip, 3306))).error), 'ECONNREFUSED');
});
