/** Requests per second of the API server alone (no controllers), in process and over HTTP. Prints one line each. */
import type { AddressInfo } from 'node:net';
import { nodeClock } from '../src/hosts/node/clock.ts';
import { createHttpServer } from '../src/hosts/node/http-server.ts';
import { Kernel } from '../src/kernel/index.ts';
import { type ApiServer, createApiServer } from '../src/sim/apiserver/index.ts';
import { admissionPlugins, strategies } from '../src/sim/kinds/index.ts';

type Send = (method: string, path: string, body?: unknown, type?: string, accept?: string) => Promise<unknown>;

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const PODS = '/api/v1/namespaces/default/pods';

function pod(name: string): object {
  return {
    metadata: { name, labels: { app: 'bench' } },
    spec: { containers: [{ name: 'c', image: 'nginx', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] }] },
  };
}

async function measure(label: string, count: number, work: (i: number) => Promise<unknown>): Promise<string> {
  const start = performance.now();
  for (let i = 0; i < count; i++) await work(i);
  const ms = performance.now() - start;
  return `${label.padEnd(44)} ${((count / ms) * 1000).toFixed(0).padStart(7)}/s`;
}

async function run(where: string, send: Send, watch: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  await send('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
  await send('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  lines.push(await measure(`api, ${where}: create a Pod`, 1_000, (i) => send('POST', PODS, pod(`p${i}`))));
  lines.push(await measure(`api, ${where}: get a Pod`, 1_000, (i) => send('GET', `${PODS}/p${i % 1_000}`)));
  lines.push(await measure(`api, ${where}: list 1,000 Pods as Table`, 20, () => send('GET', PODS, undefined, undefined, TABLE)));
  lines.push(
    await measure(`api, ${where}: patch a Pod`, 1_000, (i) =>
      send('PATCH', `${PODS}/p${i % 1_000}`, { metadata: { labels: { n: String(i) } } }, 'application/merge-patch+json'),
    ),
  );
  for (let i = 0; i < 100; i++) await watch();
  lines.push(
    await measure(`api, ${where}: patch, 100 watchers`, 300, (i) =>
      send('PATCH', `${PODS}/p${i % 1_000}`, { metadata: { labels: { w: String(i) } } }, 'application/merge-patch+json'),
    ),
  );
  return lines;
}

function newServer(): { server: ApiServer; kernel: Kernel } {
  const kernel = new Kernel({ seed: 'bench', host: nodeClock });
  return { kernel, server: createApiServer({ kernel, strategies, admission: admissionPlugins }) };
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _chunk of stream);
}

export async function measureApi(): Promise<string[]> {
  const encoder = new TextEncoder();
  const inside = newServer();
  const direct: Send = (method, path, body, type = 'application/json', accept = 'application/json') =>
    inside.server.transport.request({
      method,
      path,
      headers: { accept, 'content-type': type },
      ...(body === undefined ? {} : { body: encoder.encode(JSON.stringify(body)) }),
    });
  const lines = await run('in process', direct, async () => {
    const response = await inside.server.transport.request({
      method: 'GET',
      path: `${PODS}?watch=true&resourceVersion=${inside.server.store.revision}`,
      headers: {},
    });
    if (response.stream) void drain(response.stream);
  });

  const outside = newServer();
  const http = createHttpServer({ kernel: outside.kernel, transport: outside.server.transport });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const player = outside.kernel.play(1);
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const abort = new AbortController();
  const over: Send = async (method, path, body, type = 'application/json', accept = 'application/json') => {
    const response = await fetch(url + path, {
      method,
      headers: { accept, 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.arrayBuffer();
  };
  lines.push(
    ...(await run('over HTTP', over, async () => {
      const response = await fetch(`${url}${PODS}?watch=true&resourceVersion=${outside.server.store.revision}`, { signal: abort.signal });
      if (response.body) void drain(response.body).catch(() => {});
    })),
  );
  abort.abort();
  http.closeAllConnections();
  http.close();
  player.dispose();
  return lines;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const line of await measureApi()) console.log(line);
  process.exit(0);
}
