import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setup } from './testing/pods.ts';

/** Two sessions beside each other: one begins, sleeps and ends; the other comes between. */

async function database() {
  const { start, wait, kernel } = setup();
  const server = start('a');
  await wait(5000);
  await server.sql('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 10), (2, 20)');
  return { server, wait, kernel };
}

test('a reader does not see what is not committed, and keeps what it saw', async () => {
  const { server, wait } = await database();
  const writer = server.begin('mysql', '-N', '-e', 'BEGIN; UPDATE d.t SET v = 11 WHERE id = 1; DO 0; SELECT SLEEP(10); COMMIT');
  const reader = server.begin(
    'mysql',
    '-N',
    '-e',
    'BEGIN; SELECT v FROM d.t WHERE id = 1; SELECT SLEEP(20); SELECT v FROM d.t WHERE id = 1; COMMIT; SELECT v FROM d.t WHERE id = 1',
  );
  const committed = server.begin(
    'mysql',
    '-N',
    '-e',
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN; SELECT v FROM d.t WHERE id = 1; SELECT SLEEP(20); SELECT v FROM d.t WHERE id = 1',
  );
  await wait(1000);
  assert.equal(await server.sql('SELECT v FROM d.t WHERE id = 1'), '10\n');
  assert.equal(await server.sql('SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SELECT v FROM d.t WHERE id = 1'), '11\n');
  await writer.wait();
  assert.equal(await reader.wait(), '10\n0\n10\n11\n');
  assert.equal(await committed.wait(), '10\n0\n11\n');
});

test('a lock is waited for, until the other is done or 50 seconds are over', async () => {
  const { server, wait, kernel } = await database();
  server.begin('mysql', '-e', 'BEGIN; UPDATE d.t SET v = 0 WHERE id = 1; SELECT SLEEP(5); COMMIT');
  await wait(500);
  const began = kernel.now();
  assert.equal(await server.sql('UPDATE d.t SET v = v + 1 WHERE id = 1; SELECT v FROM d.t WHERE id = 1'), '1\n');
  assert.ok(kernel.now() - began > 4000, 'it waited');
  server.begin('mysql', '-e', 'BEGIN; UPDATE d.t SET v = 0 WHERE id = 1; SELECT SLEEP(100); COMMIT');
  await wait(500);
  assert.equal(await server.sql('UPDATE d.t SET v = 3 WHERE id = 2; SELECT v FROM d.t WHERE id = 2'), '3\n', 'another row is free');
  assert.match(await server.sql('SELECT * FROM d.t WHERE id = 1 FOR UPDATE NOWAIT'), /^ERROR 3572 \(HY000\)/);
  assert.equal(await server.sql('SELECT id FROM d.t FOR UPDATE SKIP LOCKED'), '2\n');
  const from = kernel.now();
  const waiting = server.begin('mysql', '-N', '-e', 'UPDATE d.t SET v = 9');
  await wait(2000);
  assert.match(await server.sql('SHOW FULL PROCESSLIST'), /\tQuery\t2\tupdating\tUPDATE d\.t SET v = 9\n/);
  assert.equal(await waiting.wait(), 'ERROR 1205 (HY000) at line 1: Lock wait timeout exceeded; try restarting transaction\n');
  assert.ok(kernel.now() - from >= 50_000);
  assert.equal(
    await server.sql('SET innodb_lock_wait_timeout = 1; DELETE FROM d.t WHERE id = 1'),
    'ERROR 1205 (HY000) at line 1: Lock wait timeout exceeded; try restarting transaction\n',
  );
});

test('of two that wait for each other one is told of the deadlock', async () => {
  const { server, wait } = await database();
  const one = server.begin('mysql', '-N', '-e', 'BEGIN; UPDATE d.t SET v = 1 WHERE id = 1; SELECT SLEEP(2); UPDATE d.t SET v = 1 WHERE id = 2; COMMIT');
  await wait(500);
  const other = server.begin('mysql', '-N', '-e', 'BEGIN; UPDATE d.t SET v = 2 WHERE id = 2; SELECT SLEEP(4); UPDATE d.t SET v = 2 WHERE id = 1; COMMIT');
  assert.equal(await other.wait(), '0\nERROR 1213 (40001) at line 1: Deadlock found when trying to get lock; try restarting transaction\n');
  assert.equal(await one.wait(), '0\n');
  assert.equal(await server.sql('SELECT v FROM d.t'), '1\n1\n');
});

test('an insert waits for one of the same key, and for nothing else', async () => {
  const { server, wait } = await database();
  const first = server.begin('mysql', '-N', '-e', 'BEGIN; INSERT INTO d.t VALUES (7, 1); SELECT SLEEP(5); ROLLBACK');
  await wait(500);
  assert.equal(await server.sql('INSERT INTO d.t VALUES (8, 1); SELECT COUNT(*) FROM d.t'), '3\n');
  assert.equal(await server.sql('INSERT INTO d.t VALUES (7, 2); SELECT v FROM d.t WHERE id = 7'), '2\n');
  assert.ok(first.ended());
});

test('DDL waits for whoever uses the table; KILL ends a query or a connection', async () => {
  const { server, wait } = await database();
  const user = server.begin('mysql', '-N', '-e', 'BEGIN; SELECT v FROM d.t WHERE id = 1; SELECT SLEEP(500)');
  await wait(500);
  const alter = server.begin('mysql', '-N', '-e', 'ALTER TABLE d.t ADD c INT');
  await wait(1000);
  assert.ok(!alter.ended());
  const list = await server.sql('SHOW PROCESSLIST');
  assert.match(list, /Waiting for table metadata lock\tALTER TABLE d\.t ADD c INT/);
  const id = /^(\d+).*SLEEP/m.exec(list)?.[1];
  await server.sql(`KILL ${id}`);
  assert.match(await user.wait(), /ERROR (1317|2013)/);
  assert.equal(await alter.wait(), '');
  assert.equal(await server.sql('KILL 99'), 'ERROR 1094 (HY000) at line 1: Unknown thread id: 99\n');
});

test('accounts: passwords with quotes, grants, what they forbid', async () => {
  const { server } = await database();
  await server.sql(
    `CREATE USER 'o''neil'@'%' IDENTIFIED BY 'it''s "q"\\\\'; GRANT SELECT, INSERT ON d.* TO 'o''neil'@'%'; CREATE USER app IDENTIFIED WITH mysql_native_password BY 'old'`,
  );
  const as = (...words: string[]): Promise<string> => server.exec('mysql', '-h', server.ip, '-N', ...words);
  const neil = ["-uo'neil", `-pit's "q"\\`];
  const warning = 'mysql: [Warning] Using a password on the command line interface can be insecure.\n';
  const only = async (answer: Promise<string>): Promise<string> => (await answer).replace(warning, '');
  assert.equal(await only(as(...neil, '-e', 'SELECT CURRENT_USER(), USER()')), `o'neil@%\to'neil@${server.ip}\n`);
  assert.equal(await only(as(...neil, 'd', '-e', 'SELECT v FROM t WHERE id = 1')), '10\n');
  assert.match(
    await as(...neil, '-e', 'DELETE FROM d.t'),
    new RegExp(`ERROR 1142 \\(42000\\) at line 1: DELETE command denied to user 'o'neil'@'${server.ip}' for table 't'`),
  );
  assert.match(await as(...neil, '-e', 'CREATE DATABASE x'), /ERROR 1044 \(42000\) at line 1: Access denied for user 'o'neil'@'%' to database 'x'/);
  assert.match(await as(...neil, 'mysql', '-e', 'SELECT 1'), /ERROR 1044 \(42000\): Access denied for user 'o'neil'@'%' to database 'mysql'/);
  assert.match(await as(...neil, '-e', 'SET GLOBAL read_only = ON'), /ERROR 1227 \(42000\)/);
  assert.match(
    await as('-uapp', '-pwrong', '-e', 'SELECT 1'),
    new RegExp(`ERROR 1045 \\(28000\\): Access denied for user 'app'@'${server.ip}' \\(using password: YES\\)`),
  );
  assert.equal(await only(as('-uapp', '-pold', '-e', 'SHOW DATABASES')), 'information_schema\nperformance_schema\n');
  assert.equal(await server.sql("SHOW GRANTS FOR 'o''neil'@'%'"), "GRANT USAGE ON *.* TO `o'neil`@`%`\nGRANT SELECT, INSERT ON `d`.* TO `o'neil`@`%`\n");
  assert.equal(
    await server.sql("ALTER USER app IDENTIFIED BY 'new'; REVOKE INSERT ON d.* FROM 'o''neil'@'%'; DROP USER nobody"),
    "ERROR 1396 (HY000) at line 1: Operation DROP USER failed for 'nobody'@'%'\n",
  );
  assert.equal(await only(as('-uapp', '-pnew', '-e', 'SELECT 1')), '1\n');
  assert.match(await as(...neil, '-e', 'INSERT INTO d.t VALUES (5, 5)'), /ERROR 1142/);
  assert.equal(
    await server.sql("SELECT user, host, plugin FROM mysql.user WHERE user IN ('app', 'root') ORDER BY user, host"),
    'app\t%\tmysql_native_password\nroot\t%\tcaching_sha2_password\nroot\tlocalhost\tcaching_sha2_password\n',
  );
});
