import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelSocket } from '../transport.ts';
import { CHANNEL } from './channel-pair.ts';
import { World } from './testing/world.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function message(channel: number, text: string): Uint8Array {
  return Uint8Array.of(channel, ...encoder.encode(text));
}

/** Opens an upgraded connection to a Pod's subresource; `send` is given the socket at once. Resolves with what came on each channel. */
async function converse(world: World, path: string, send: (socket: ChannelSocket) => void = () => {}): Promise<Record<number, string>> {
  const received: Record<number, string> = {};
  let done = false;
  const work = (async () => {
    const socket = await world.cluster.transport.upgrade({ method: 'GET', path: `/api/v1/namespaces/default/pods/${path}`, headers: {} }, [
      'v5.channel.k8s.io',
    ]);
    if (!('receive' in socket)) throw new Error(`refused: ${socket.status} ${decoder.decode(socket.body)}`);
    send(socket);
    for (;;) {
      const chunk = await socket.receive();
      if (chunk === null) break;
      const channel = chunk[0] ?? 0;
      received[channel] = (received[channel] ?? '') + decoder.decode(chunk.subarray(1));
    }
  })().finally(() => {
    done = true;
  });
  work.catch(() => {});
  await world.until(() => done, 120);
  await work;
  return received;
}

async function text(world: World, path: string): Promise<{ status: number; body: string }> {
  const { cluster } = world;
  const response = await cluster.transport.request({ method: 'GET', path, headers: {} });
  let body = decoder.decode(response.body ?? new Uint8Array());
  if (response.stream) for await (const chunk of response.stream) body += decoder.decode(chunk);
  return { status: response.status, body };
}

test('exec: output, errors and the exit code on their channels', async () => {
  const world = await World.start();
  world.run('p', { command: ['sleep', '3600'] });
  await world.pass(5);
  const ok = await converse(world, 'p/exec?command=sh&command=-c&command=echo+out%3B+echo+err+%3E%262%3B+exit+4&stdout=true&stderr=true');
  assert.equal(ok[CHANNEL.stdout], 'out\n');
  assert.equal(ok[CHANNEL.stderr], 'err\n');
  assert.equal(JSON.parse(ok[CHANNEL.error] as string).reason, 'NonZeroExitCode');
  assert.deepEqual(JSON.parse(ok[CHANNEL.error] as string).details, { causes: [{ reason: 'ExitCode', message: '4' }] });
  const none = await converse(world, 'p/exec?command=nope&stdout=true');
  assert.match(
    JSON.parse(none[CHANNEL.error] as string).message,
    /^Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "[0-9a-f]{64}": OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in \$PATH$/,
  );
});

test('exec with standard input: half-closing it ends the program', async () => {
  const world = await World.start();
  world.run('p', { command: ['sleep', '3600'] });
  await world.pass(5);
  const result = await converse(world, 'p/exec?command=cat&stdin=true&stdout=true', (socket) => {
    socket.send(message(CHANNEL.stdin, 'hello\n'));
    socket.send(Uint8Array.of(CHANNEL.close, CHANNEL.stdin));
  });
  assert.equal(result[CHANNEL.stdout], 'hello\n');
  assert.equal(JSON.parse(result[CHANNEL.error] as string).status, 'Success');
});

test('exec with a terminal: it echoes, and has the size it was given', async () => {
  const world = await World.start();
  world.run('p', { command: ['sleep', '3600'] });
  await world.pass(5);
  const result = await converse(world, 'p/exec?command=sh&stdin=true&stdout=true&tty=true', (socket) => {
    socket.send(message(CHANNEL.resize, '{"Width":100,"Height":30}'));
    socket.send(message(CHANNEL.stdin, 'echo $((6*7))\nexit 3\n'));
  });
  assert.match(result[CHANNEL.stdout] as string, /echo \$\(\(6\*7\)\)\r\n/);
  assert.match(result[CHANNEL.stdout] as string, /42\r\n/);
  assert.equal(JSON.parse(result[CHANNEL.error] as string).details.causes[0].message, '3');
});

test('attach feeds PID 1, and what is not running is refused in plain text', async () => {
  const world = await World.start();
  world.run('in', { command: ['cat'], stdin: true, stdinOnce: true }, { restartPolicy: 'Never' });
  world.run('gone', { command: ['uname'] }, { restartPolicy: 'Never' });
  await world.pass(5);
  const result = await converse(world, 'in/attach?stdin=true&stdout=true', (socket) => {
    socket.send(message(CHANNEL.stdin, 'one\n'));
    socket.send(Uint8Array.of(CHANNEL.close, CHANNEL.stdin));
  });
  assert.equal(result[CHANNEL.stdout], 'one\n');
  await assert.rejects(converse(world, 'gone/attach?stdout=true'), /container c not found in pod gone_default/);
});

test('logs: whole, of the container before, with timestamps, the tail, and the words when there are none', async () => {
  const world = await World.start();
  world.run('log', { command: ['sh', '-c', 'for i in 1 2 3; do echo line $i; done; sleep 2; exit 1'] });
  world.run('img', { image: 'localhost/nope:1' });
  await world.pass(12);
  const path = '/api/v1/namespaces/default/pods/log/log';
  assert.deepEqual(await text(world, path), { status: 200, body: 'line 1\nline 2\nline 3\n' });
  assert.equal((await text(world, `${path}?previous=true`)).body, 'line 1\nline 2\nline 3\n');
  assert.equal((await text(world, `${path}?tailLines=1`)).body, 'line 3\n');
  assert.match((await text(world, `${path}?timestamps=true&tailLines=1`)).body, /^2026-11-23T08:\d\d:\d\d\.\d{9}Z line 3\n$/);
  const waiting = await text(world, '/api/v1/namespaces/default/pods/img/log');
  assert.equal(waiting.status, 400);
  assert.match(waiting.body, /container \\"c\\" in pod \\"img\\" is waiting to start: (image can't be pulled|trying and failing to pull image)/);
});

// https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/#ephemeral-container
test('an ephemeral container joins a running Pod and sees the processes of its target', async () => {
  const world = await World.start();
  world.run('web', { image: 'nginx:1.25' });
  await world.pass(5);
  const pod = world.pod('web');
  const ephemeralContainers = [{ name: 'debug', image: 'busybox', command: ['sleep', '1000'], targetContainerName: 'c' }];
  world.cluster.client
    .resource('v1/pods/ephemeralcontainers')
    .update({ ...pod, spec: { ...pod.spec, ephemeralContainers } } as never, { cause: { actor: 'test', rule: 'test/act' } });
  await world.pass(5);
  const status = world.pod('web').status?.ephemeralContainerStatuses?.[0];
  assert.ok(status?.state?.running);
  const result = await converse(world, 'web/exec?command=ps&container=debug&stdout=true');
  assert.match(result[CHANNEL.stdout] as string, /sleep 1000/);
  assert.match(result[CHANNEL.stdout] as string, /httpd|nginx/);
  assert.equal(world.rows('web').at(-1), '1/1 Running 0');
});
