import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Socket as NodeSocket } from 'node:net';
import { test } from 'node:test';
import { isProof, passwordHash, scramble } from './auth.ts';
import { type Pod, setup } from './testing/pods.ts';

const CLIENT = ['/usr/bin/mysql', '/usr/bin/mariadb'].find(existsSync);

test('what answers on port 3306 begins with MySQL’s greeting', async () => {
  const { start, wait } = setup();
  const server = start('a');
  await wait(5000);
  const greeting = await server.exec('sh', '-c', `nc -w 1 ${server.ip} 3306 < /dev/null | head -c 12 | hexdump -C | head -1`);
  // Length, sequence 0, protocol 10, "8.1.0".
  assert.match(greeting, /^00000000 {2}49 00 00 00 0a 38 2e 31 {2}2e 30 00 /);
});

test('passwords are proved, not shown', () => {
  const nonce = Uint8Array.from({ length: 20 }, (_, i) => i + 1);
  for (const plugin of ['caching_sha2_password', 'mysql_native_password'] as const) {
    const hash = passwordHash(plugin, "it's 祕密");
    assert.ok(isProof(plugin, hash, nonce, scramble(plugin, "it's 祕密", nonce)));
    assert.ok(!isProof(plugin, hash, nonce, scramble(plugin, 'its', nonce)));
    assert.ok(!isProof(plugin, hash, nonce, new Uint8Array()));
    assert.ok(isProof(plugin, '', nonce, new Uint8Array()));
  }
  // What SELECT PASSWORD('secret') was, as every MySQL of twenty years kept it.
  assert.equal(passwordHash('mysql_native_password', 'secret').toUpperCase(), '14E65567ABDB5135D0CFD9A70B3032C179A49EE7');
});

test('who speaks something else is shown out, and nobody else notices', async () => {
  const { start, wait } = setup();
  const server = start('a');
  await wait(5000);
  await server.exec('sh', '-c', `printf 'GET / HTTP/1.1\\r\\n\\r\\n' | nc -w 1 ${server.ip} 3306 > /dev/null`);
  assert.equal(await server.sql('SELECT 1'), '1\n');
});

/** Lets a program of this machine reach a Pod's port, while virtual time follows the clock on the wall. */
async function forward(pod: Pod, kernel: ReturnType<typeof setup>['kernel']): Promise<{ port: number; close(): void }> {
  const open = new Set<NodeSocket>();
  const server = createServer((outer) => {
    open.add(outer);
    void pod.machine.net.connect(pod.ip, 3306).then(async (inner) => {
      outer.on('data', (chunk) => void inner.write(new Uint8Array(chunk)));
      outer.on('close', () => inner.close());
      for (let chunk = await inner.read(); chunk; chunk = await inner.read()) outer.write(chunk);
      outer.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let running = false;
  const pace = setInterval(() => {
    if (running) return;
    running = true;
    void kernel.advance({ untilMs: kernel.now() + 20 }).finally(() => {
      running = false;
    });
  }, 5);
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close() {
      clearInterval(pace);
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

test('a real client logs in, asks, and is told what goes wrong', {
  timeout: 60_000,
  skip: CLIENT ? undefined : 'no mysql or mariadb client is installed here (Debian: mariadb-client)',
}, async () => {
  const { start, wait, kernel } = setup();
  const server = start('a');
  await wait(5000);
  await server.sql(
    "CREATE USER old IDENTIFIED WITH mysql_native_password BY 'native'; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v DECIMAL(4,1), w VARCHAR(9)); INSERT INTO d.t VALUES (1, 2.5, '海'), (2, NULL, '')",
  );
  const tunnel = await forward(server, kernel);
  const client = (user: string, password: string, sql: string): Promise<string> =>
    new Promise((resolve) => {
      const words = ['--no-defaults', '-h127.0.0.1', `-P${tunnel.port}`, `-u${user}`, `-p${password}`, '--default-character-set=utf8mb4', '-e', sql];
      execFile(CLIENT as string, words, (_, stdout, stderr) => resolve(stdout + stderr.replace(/^.*Using a password.*\n/, '')));
    });
  try {
    assert.equal(
      await client('root', 'secret', 'SELECT * FROM d.t; SELECT @@version, COUNT(*) FROM d.t'),
      'id\tv\tw\n1\t2.5\t海\n2\tNULL\t\n@@version\tCOUNT(*)\n8.1.0\t2\n',
    );
    assert.equal(await client('old', 'native', 'SELECT CURRENT_USER()'), 'CURRENT_USER()\nold@%\n');
    assert.match(await client('root', 'wrong', 'SELECT 1'), /ERROR 1045 \(28000\): Access denied for user 'root'@/);
    assert.match(await client('root', 'secret', 'SELECT nope FROM d.t'), /ERROR 1054 \(42S22\) at line 1: Unknown column 'nope' in 'field list'/);
    assert.equal(await client('root', 'secret', 'USE d; BEGIN; INSERT INTO t VALUES (3, 3, "c"); ROLLBACK; SELECT COUNT(*) AS n FROM t'), 'n\n2\n');
  } finally {
    tunnel.close();
  }
});
