import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
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

  test('Pods should support remote command execution, and retrieving logs, over websockets', async () => {
    const pods = `${host.url}/api/v1/namespaces/default/pods`;
    const container = { name: 'main', image: 'busybox', command: ['/bin/sh', '-c', 'echo container is alive; sleep 10000'] };
    const body = JSON.stringify({ metadata: { name: 'ws' }, spec: { containers: [container] } });
    await fetch(pods, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    for (;;) {
      const pod = (await (await fetch(`${pods}/ws`)).json()) as { status: { phase: string } };
      if (pod.status.phase === 'Running') break;
    }
    const frames = (path: string, protocol: string): Promise<string[]> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`${pods.replace('http', 'ws')}/ws/${path}`, protocol);
        const seen: string[] = [];
        socket.on('message', (data: Buffer) => seen.push(data.toString('latin1')));
        socket.on('error', reject);
        socket.on('close', () => resolve([socket.protocol, ...seen]));
      });
    const exec = (command: string): string => `exec?stdout=1&stderr=1&container=main&command=sh&command=-c&command=${encodeURIComponent(command)}`;
    assert.deepEqual(await frames(exec('echo hello'), 'channel.k8s.io'), ['channel.k8s.io', '\x01hello\n']);
    assert.deepEqual(await frames(exec('exit 3'), 'channel.k8s.io'), [
      'channel.k8s.io',
      '\x03command terminated with non-zero exit code: command terminated with exit code 3',
    ]);
    assert.deepEqual(await frames(exec('echo hello'), 'v4.channel.k8s.io'), ['v4.channel.k8s.io', '\x01hello\n', '\x03{"metadata":{},"status":"Success"}']);
    assert.deepEqual(await frames(exec('echo hello'), 'base64.channel.k8s.io'), ['base64.channel.k8s.io', `1${btoa('hello\n')}`]);
    assert.deepEqual(await frames('log?container=main', 'binary.k8s.io'), ['binary.k8s.io', 'container is alive\n']);
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
