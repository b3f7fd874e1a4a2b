import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../sim/kinds/types.ts';
import { Reader } from './testing/reader.ts';
import { type TraceQuestion, trace } from './trace.ts';
import type { Trace } from './types.ts';

const NODE =
  '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"client"},"spec":{"containers":[{"name":"c","image":"busybox:1.37","command":["sleep","100000"]}]}}';
const FRONT = '{"apiVersion":"v1","kind":"Service","metadata":{"name":"front"},"spec":{"selector":{"app":"nginx"},"ports":[{"port":8080,"targetPort":80}]}}';

async function start(): Promise<Reader> {
  const reader = await Reader.start();
  await reader.write('client.json', NODE);
  await reader.write('front.json', FRONT);
  await reader.seconds(60);
  return reader;
}

/** Traces while the cluster's time goes on. */
async function traced(reader: Reader, what: TraceQuestion['what'], target: string, pod = 'client'): Promise<Trace> {
  const { cluster, kernel } = reader.environment;
  let found: Trace | undefined;
  void trace(cluster, { namespace: 'default', pod, what, target }).then((answer) => {
    found = answer;
  });
  await kernel.advance({ until: () => found !== undefined, untilMs: kernel.now() + 60_000 });
  assert.ok(found);
  return found;
}

const way = (found: Trace): string[] => found.steps.map(({ rule, ok }) => `${ok ? '' : '!'}${rule}`);

test('a name is followed through search path, CoreDNS, Service, slice and readiness', async () => {
  const reader = await start();
  const member = await traced(reader, 'dns', 'web-1.nginx');
  assert.deepEqual(way(member), ['trace/search', 'trace/coredns', 'trace/answered', 'trace/headless-host', 'trace/slice', 'trace/endpoint-ready']);
  assert.equal(member.reached, true);
  const all = await traced(reader, 'dns', 'nginx');
  assert.equal(all.steps.filter((step) => step.rule === 'trace/endpoint-ready').length, 3);
  const long = await traced(reader, 'dns', 'nginx.default');
  assert.deepEqual(way(long).slice(0, 4), ['trace/search', 'trace/coredns', '!trace/nxdomain', 'trace/answered']);
  const missing = await traced(reader, 'dns', 'web-9.nginx');
  assert.equal(missing.reached, false);
  assert.equal(way(missing).at(-1), '!dns/pod-missing');
  assert.equal(way(missing).filter((rule) => rule === '!trace/nxdomain').length, 4);
  assert.deepEqual(way(await traced(reader, 'dns', 'client')), ['trace/hosts']);
  assert.deepEqual(way(await traced(reader, 'dns', 'nginx', 'nobody')).slice(0, 1), ['!trace/no-client']);
  reader.environment.dispose();
});

test('a Pod that is not ready is told of, with what holds it up', async () => {
  const reader = await start();
  await reader.run('kubectl set image sts/web nginx=nginx:nope');
  await reader.seconds(60);
  const found = await traced(reader, 'dns', 'web-2.nginx');
  assert.deepEqual(way(found).slice(-2), ['!trace/endpoint-not-ready', '!not/image']);
  reader.environment.dispose();
});

test('without CoreDNS nothing is answered, and the trace says who is missing', async () => {
  const reader = await start();
  await reader.run('kubectl -n kube-system scale deployment coredns --replicas=0');
  await reader.seconds(10);
  const found = await traced(reader, 'dns', 'nginx');
  assert.deepEqual(way(found).slice(0, 3), ['trace/search', '!dns/coredns-down', '!trace/dns-silent']);
  const why = reader.whyName('nginx');
  assert.equal(why.obstacles[0]?.rule, 'dns/coredns-down');
  assert.equal(why.chain.at(-1)?.command, 'kubectl -n kube-system scale deployment coredns --replicas=0');
  reader.environment.dispose();
});

test('a request shows the dice: the endpoints with their chances, the one drawn, and that it is drawn anew', async () => {
  const reader = await start();
  const found = await traced(reader, 'request', 'http://front:8080/');
  assert.deepEqual(way(found).slice(-4), ['trace/rule', 'trace/dice', 'trace/connected', 'trace/answer']);
  const rule = found.steps.find((step) => step.rule === 'trace/rule');
  assert.match(rule?.evidence ?? '', /\(1\/3\); .*\(1\/2\); .*\(1\/1\)$/);
  assert.match(found.steps.at(-1)?.evidence ?? '', /^HTTP\/1\.1 (200|403)/);
  const drawn = new Set<string>();
  for (let i = 0; i < 12; i++) {
    const again = await traced(reader, 'request', 'front:8080');
    drawn.add(again.steps.find((step) => step.rule === 'trace/dice')?.object?.name ?? '');
    assert.equal(again.reached, true);
  }
  assert.equal(drawn.size, 3);
  const headless = await traced(reader, 'request', 'http://nginx/');
  assert.ok(way(headless).includes('trace/first-address') && !way(headless).includes('trace/dice'), way(headless).join());
  reader.environment.dispose();
});

test('a request that gets nowhere: no endpoints, another port, nobody listening', async () => {
  const reader = await start();
  const other = await traced(reader, 'request', 'front:81');
  assert.deepEqual([other.reached, way(other).at(-1)], [false, '!trace/other-port']);
  const ip = reader.environment.cluster.client.resource<Pod>('v1/pods').get('default', 'client')?.status?.podIP;
  assert.equal(way(await traced(reader, 'request', `${ip}:9`)).at(-1), '!trace/refused');
  await reader.run(`kubectl patch svc front -p '{"spec":{"selector":{"app":"nobody"}}}'`);
  await reader.seconds(5);
  assert.deepEqual(way(await traced(reader, 'request', 'front:8080')).slice(-2), ['!trace/no-endpoints', '!not/service-selects-nothing']);
  reader.environment.dispose();
});

test('at the prompt', async () => {
  const reader = await start();
  assert.match(await reader.run('why dns web-0.nginx --from client'), /^default\/client → dns web-0\.nginx\n {2}1 ✓ (.*\n)*到了。\n$/);
  assert.match(await reader.run('why request client http://front:8080/'), /擲骰子：3 個裡抽到第 [123] 個，web-[012]。/);
  assert.match(await reader.fails('why request client front:81'), /到不了。\n$/);
  reader.environment.dispose();
});

test('the seed decides the dice: the same session draws the same', async () => {
  const runs: string[] = [];
  for (let i = 0; i < 2; i++) {
    const reader = await start();
    runs.push(await reader.run('for i in 1 2 3 4 5; do why request client front:8080; done'));
    reader.environment.dispose();
  }
  assert.equal(runs[0], runs[1]);
});

test('sentences of the tracer have no blanks left in them', async () => {
  const reader = await start();
  const texts: string[] = [];
  for (const found of [await traced(reader, 'request', 'http://front:8080/'), await traced(reader, 'dns', 'web-9.nginx'), await traced(reader, 'dns', 'nginx')])
    texts.push(...found.steps.map((step) => step.text));
  for (const text of texts) assert.doesNotMatch(text, /[{}]|依規則| {2}|（）/);
  reader.environment.dispose();
});
