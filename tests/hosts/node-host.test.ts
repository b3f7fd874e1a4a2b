import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type ClusterHost, HostError, startClusterHost } from '../../src/hosts/node/cluster-host.ts';

const run = promisify(execFile);
const DIG = ['/usr/bin/dig', '/usr/local/bin/dig'].find((path) => existsSync(path));

describe('a cluster behind real sockets', () => {
  let host: ClusterHost;
  before(async () => {
    host = await startClusterHost({ port: 0, dnsPort: 0, seed: 'host', speed: 20, preset: 'k3d' });
  });
  after(() => host.close());

  test('answers HTTP as the API server does', async () => {
    const version = (await (await fetch(`${host.url}/version`)).json()) as { gitVersion: string };
    assert.equal(version.gitVersion, 'v1.36.3');
    const missing = await fetch(`${host.url}/api/v1/namespaces/default/pods/nope`);
    assert.equal(missing.status, 404);
    assert.equal(((await missing.json()) as { message: string }).message, 'pods "nope" not found');
  });

  test('streams a watch, and forgets it when the client goes away', async () => {
    const abort = new AbortController();
    const response = await fetch(`${host.url}/api/v1/namespaces/default/configmaps?watch=1`, { signal: abort.signal });
    const body = response.body as ReadableStream<Uint8Array>;
    const created = await fetch(`${host.url}/api/v1/namespaces/default/configmaps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ metadata: { name: 'seen' } }),
    });
    assert.equal(created.status, 201);
    let text = '';
    for await (const chunk of body) {
      text += new TextDecoder().decode(chunk);
      if (text.includes('"seen"')) break;
    }
    assert.match(text, /"type":"ADDED".*"seen"/s);
    abort.abort();
  });

  test('refuses a body that is too large without dying', async () => {
    const response = await fetch(`${host.url}/api/v1/namespaces/default/configmaps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ metadata: { name: 'big' }, data: { a: 'x'.repeat(3_200_000) } }),
    });
    assert.equal(response.status, 413);
    assert.equal((await fetch(`${host.url}/healthz`)).status, 200);
  });

  test('answers the real dig', { skip: DIG ? false : 'dig is not installed (Debian: bind9-dnsutils)' }, async () => {
    // Not the synchronous one: the server it asks is in this process.
    const { stdout } = await run(DIG ?? '', ['@127.0.0.1', '-p', String(host.dnsPort), 'kubernetes.default.svc.cluster.local', '+short']);
    assert.equal(stdout.trim(), '10.43.0.1');
  });
});

test('a taken port is a clear message, not a stack trace', async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
  const address = squatter.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await assert.rejects(
    startClusterHost({ port, seed: 'x', speed: 1, preset: 'single' }),
    (error: Error) => error instanceof HostError && /taken by another program/.test(error.message),
  );
  squatter.close();
});
