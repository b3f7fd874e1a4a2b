import assert from 'node:assert/strict';
import { test } from 'node:test';
import packet from 'dns-packet';
import { Random } from '../../kernel/index.ts';
import { testKernel } from '../../kernel/testing/index.ts';
import { FakeClient } from '../network/testing/fake-client.ts';
import { createDnsServer, K3S_COREFILE } from './index.ts';
import { createQuery, type DnsMessage, decodeMessage, encodeMessage, MalformedMessage, RCODE, TYPE } from './message.ts';

function setup(corefile = K3S_COREFILE) {
  const kernel = testKernel('dns');
  const client = new FakeClient(kernel);
  client.put('v1/namespaces', { metadata: { name: 'default' } });
  const logs: string[] = [];
  const server = createDnsServer({
    kernel,
    client,
    corefile,
    readFile: () => undefined,
    glob: () => [],
    localIps: () => ['10.42.0.5'],
    log: (line) => logs.push(line),
  });
  const headless = (): void => client.put('v1/services', { metadata: { namespace: 'default', name: 'web' }, spec: { clusterIP: 'None' } } as never);
  const slice = (...endpoints: { hostname?: string; ip: string; ready?: boolean }[]): void =>
    client.put('discovery.k8s.io/v1/endpointslices', {
      metadata: { namespace: 'default', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
      endpoints: endpoints.map(({ hostname, ip, ready }) => ({ hostname, addresses: [ip], conditions: { ready: ready ?? true } })),
      ports: [{ port: 80, protocol: 'TCP' }],
    } as never);
  const wait = (ms: number): Promise<boolean> => kernel.advance({ untilMs: kernel.now() + ms });
  const ask = async (name: string, type: number = TYPE.A) => {
    const bytes = await server.answer(encodeMessage(createQuery(7, name, type)));
    assert.ok(bytes);
    return decodeMessage(bytes);
  };
  return { kernel, client, server, headless, slice, wait, ask, logs };
}

const addresses = (message: { answers: readonly { data: object }[] }): string[] =>
  message.answers.map(({ data }) => ('address' in data ? String(data.address) : '')).sort();

test('a name appears after the propagation delay, and a denial is remembered for five seconds', async () => {
  const { headless, slice, wait, ask } = setup();
  assert.equal((await ask('web.default.svc.cluster.local')).rcode, RCODE.NXDOMAIN);
  headless();
  slice({ hostname: 'web-0', ip: '10.42.0.9' });
  await wait(500);
  assert.equal((await ask('web.default.svc.cluster.local')).rcode, RCODE.NXDOMAIN);
  assert.deepEqual(addresses(await ask('web-0.web.default.svc.cluster.local')), ['10.42.0.9']);
  await wait(5000);
  assert.deepEqual(addresses(await ask('web.default.svc.cluster.local')), ['10.42.0.9']);
});

test('a Pod that left is still answered while the cache lives', async () => {
  const { headless, slice, wait, ask } = setup();
  headless();
  slice({ hostname: 'web-0', ip: '10.42.0.9' }, { hostname: 'web-1', ip: '10.42.0.10' });
  await wait(500);
  assert.equal((await ask('web.default.svc.cluster.local')).answers.length, 2);
  slice({ hostname: 'web-1', ip: '10.42.0.10' });
  await wait(3000);
  const cached = await ask('web.default.svc.cluster.local');
  assert.deepEqual(addresses(cached), ['10.42.0.10', '10.42.0.9']);
  assert.equal(cached.answers[0]?.ttl, 2);
  await wait(2000);
  assert.deepEqual(addresses(await ask('web.default.svc.cluster.local')), ['10.42.0.10']);
});

test('unready endpoints have no names; a headless Service with none is NXDOMAIN', async () => {
  const { headless, slice, wait, ask } = setup();
  headless();
  slice({ hostname: 'web-0', ip: '10.42.0.9', ready: false });
  await wait(500);
  assert.equal((await ask('web.default.svc.cluster.local')).rcode, RCODE.NXDOMAIN);
  assert.equal((await ask('web-0.web.default.svc.cluster.local')).rcode, RCODE.NXDOMAIN);
  assert.equal((await ask('default.svc.cluster.local')).rcode, RCODE.NOERROR);
});

test('addresses come in every order, also out of the cache', async () => {
  const { headless, slice, wait, ask } = setup();
  headless();
  slice({ ip: '10.42.0.1' }, { ip: '10.42.0.2' }, { ip: '10.42.0.3' });
  await wait(500);
  const first = new Map<string, number>();
  for (let i = 0; i < 300; i++) {
    const data = (await ask('web.default.svc.cluster.local')).answers[0]?.data;
    const ip = data && 'address' in data ? data.address : '';
    first.set(ip, (first.get(ip) ?? 0) + 1);
  }
  assert.equal(first.size, 3);
  for (const count of first.values()) assert.ok(count > 60, JSON.stringify([...first]));
});

test('an answer too large for UDP is cut and says so; TCP gets it whole', async () => {
  const { headless, slice, wait, server } = setup();
  headless();
  slice(...Array.from({ length: 60 }, (_, i) => ({ ip: `10.42.0.${i + 2}` })));
  await wait(500);
  const query = encodeMessage(createQuery(7, 'web.default.svc.cluster.local', TYPE.A));
  const overUdp = await server.answer(query);
  assert.ok(overUdp && overUdp.length <= 512);
  assert.equal(decodeMessage(overUdp).truncated, true);
  const overTcp = await server.answer(query, { overTcp: true });
  assert.ok(overTcp);
  assert.equal(decodeMessage(overTcp).answers.length, 60);
  assert.equal(decodeMessage(overTcp).truncated, false);
});

test('a Corefile that was changed: another domain, a hosts block, a log line, an unknown directive', async () => {
  const { server, ask, logs } = setup(
    '.:53 {\n  log\n  hosts {\n    10.1.2.3 db.corp\n    fallthrough\n  }\n  kubernetes cluster.local\n  forward . 8.8.8.8\n}\n',
  );
  assert.deepEqual(addresses(await ask('db.corp')), ['10.1.2.3']);
  assert.match(logs[0] ?? '', /^\[INFO\] 7 "A IN db\.corp\. udp 25 false 512" NOERROR qr,aa,rd \d+ 0\.\d+s$/);
  assert.throws(() => server.reload('.:53 {\n    nonsense\n}\n'), { message: "/etc/coredns/Corefile:2 - Error during parsing: Unknown directive 'nonsense'" });
});

test('corners, as a real CoreDNS 1.14.7 answers them: Pod names of IPv6, other classes, letter case, ns.dns', async () => {
  const { ask, server } = setup();
  const both = async (name: string): Promise<unknown[]> => {
    const [v4, v6] = [await ask(name), await ask(name, TYPE.AAAA)];
    return [v4.rcode, addresses(v4), v6.rcode, addresses(v6)];
  };
  assert.deepEqual(await both('10-42-0-5.default.pod.cluster.local'), [RCODE.NOERROR, ['10.42.0.5'], RCODE.NOERROR, []]);
  assert.deepEqual(await both('fe80--1.default.pod.cluster.local'), [RCODE.NOERROR, [], RCODE.NOERROR, ['fe80::1']]);
  for (const name of ['01-2-3-4', '256-1-1-1', '10-42-0', 'a-b-c-d', '1-2-3-4-5'])
    assert.deepEqual(await both(`${name}.default.pod.cluster.local`), [RCODE.NXDOMAIN, [], RCODE.NXDOMAIN, []], name);
  assert.equal((await ask('ns.dns.cluster.local', TYPE.MX)).rcode, RCODE.NOERROR);
  assert.equal((await ask('ns.dns.Cluster.Local', TYPE.SRV)).rcode, RCODE.NXDOMAIN);
  const inClass = async (code: number): Promise<DnsMessage> => {
    const query = createQuery(5, 'svc.cluster.local', TYPE.A);
    return decodeMessage((await server.answer(encodeMessage({ ...query, questions: [{ ...query.questions[0]!, class: code }] })))!);
  };
  assert.equal((await inClass(3)).rcode, RCODE.NOERROR);
  server.reload('.:53 {\n  kubernetes cluster.local\n}\n');
  assert.equal((await inClass(3)).rcode, RCODE.REFUSED);
});

test('dns-packet reads what we write, and we read what it writes', async () => {
  const { headless, slice, wait, server } = setup();
  headless();
  slice({ hostname: 'web-0', ip: '10.42.0.9' }, { hostname: 'web-1', ip: '10.42.0.10' });
  await wait(500);
  const query = packet.encode({ type: 'query', id: 99, flags: packet.RECURSION_DESIRED, questions: [{ type: 'SRV', name: 'web.default.svc.cluster.local' }] });
  const bytes = await server.answer(query);
  assert.ok(bytes);
  const answer = packet.decode(Buffer.from(bytes));
  assert.equal(answer.id, 99);
  assert.deepEqual(
    answer.answers?.map((one) => (one.type === 'SRV' ? one.data : undefined)),
    [
      { priority: 0, weight: 50, port: 80, target: 'web-0.web.default.svc.cluster.local' },
      { priority: 0, weight: 50, port: 80, target: 'web-1.web.default.svc.cluster.local' },
    ],
  );
  assert.equal(answer.additionals?.length, 2);
  const soa = packet.decode(Buffer.from((await server.answer(encodeMessage(createQuery(1, 'nope.default.svc.cluster.local', TYPE.A)))) ?? []));
  assert.equal(soa.authorities?.[0]?.type, 'SOA');
});

test('20,000 broken packets neither crash nor hang the server', async () => {
  const { server, headless, slice, wait } = setup();
  headless();
  slice({ hostname: 'web-0', ip: '10.42.0.9' });
  await wait(500);
  const random = new Random('fuzz');
  const seeds = [
    encodeMessage(createQuery(1, 'web.default.svc.cluster.local', TYPE.SRV)),
    encodeMessage({
      ...createQuery(2, 'a.b.c', TYPE.A),
      edns: { udpSize: 4096, version: 0, dnssecOk: true, options: [{ code: 10, data: new Uint8Array(8) }] },
    }),
    // A name that points at itself, and one whose pointer leaves the packet.
    Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]),
    Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 1, 0, 1]),
  ];
  for (let round = 0; round < 20_000; round++) {
    const bytes = round % 3 === 0 ? Uint8Array.from({ length: random.int(80) }, () => random.int(256)) : random.pick(seeds).slice();
    for (let i = 0; i < random.int(6); i++) bytes[random.int(bytes.length || 1)] = random.int(256);
    const cut = random.int(4) === 0 ? bytes.slice(0, random.int(bytes.length + 1)) : bytes;
    const answer = await server.answer(cut);
    if (answer === undefined) continue;
    assert.ok(answer.length >= 12 && answer.length <= 65535);
    assert.deepEqual([answer[0], answer[1]], [cut[0], cut[1]]);
    try {
      decodeMessage(answer);
    } catch (error) {
      assert.ok(!(error instanceof MalformedMessage), `our own answer is malformed: ${Buffer.from(cut).toString('hex')}`);
      throw error;
    }
  }
});
