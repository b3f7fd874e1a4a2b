import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GTID, type Pod, setup } from './testing/pods.ts';

const follow = (primary: Pod, more = ''): string =>
  `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${primary.ip}', SOURCE_USER='repl', SOURCE_PASSWORD='r', SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, GET_SOURCE_PUBLIC_KEY=1${more}; START REPLICA`;

async function pair() {
  const world = setup();
  const primary = world.start('db-0', { cnf: `${GTID}server-id=100\n` });
  const replica = world.start('db-1', { cnf: `${GTID}server-id=101\nsuper-read-only=ON\n` });
  await world.wait(5000);
  await primary.sql(
    "CREATE USER 'repl'@'%' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%'; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v TEXT)",
  );
  return { ...world, primary, replica };
}

/** Fields of SHOW REPLICA STATUS. */
async function status(replica: Pod): Promise<Map<string, string>> {
  const text = await replica.exec('mysql', '-e', 'SHOW REPLICA STATUS\\G');
  return new Map([...text.matchAll(/^ *(\w+): (.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}

test('a duplicate stops the applier; an empty transaction with its GTID lets it go on', async () => {
  const { primary, replica, wait } = await pair();
  await replica.sql(follow(primary));
  await wait(1000);
  await replica.sql("SET GLOBAL super_read_only = OFF; INSERT INTO d.t VALUES (5, 'mine'); SET GLOBAL super_read_only = ON");
  await primary.sql("INSERT INTO d.t VALUES (5, 'theirs'); INSERT INTO d.t VALUES (6, 'next')");
  await wait(1000);
  const broken = await status(replica);
  assert.equal(broken.get('Replica_IO_Running'), 'Yes');
  assert.equal(broken.get('Replica_SQL_Running'), 'No');
  assert.equal(broken.get('Last_SQL_Errno'), '1062');
  assert.equal(broken.get('Seconds_Behind_Source'), 'NULL');
  const failed =
    /failed executing transaction '([0-9a-f-]+:\d+)'.*Could not execute Write_rows event on table d\.t; Duplicate entry '5' for key 't\.PRIMARY', Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY/.exec(
      broken.get('Last_SQL_Error') ?? '',
    );
  assert.ok(failed, broken.get('Last_SQL_Error'));
  assert.equal(await replica.sql(`STOP REPLICA; SET GTID_NEXT = '${failed[1]}'; BEGIN; COMMIT; SET GTID_NEXT = 'AUTOMATIC'; START REPLICA`), '');
  await wait(1000);
  assert.equal((await status(replica)).get('Replica_SQL_Running'), 'Yes');
  assert.equal(await replica.sql('SELECT * FROM d.t'), '5\tmine\n6\tnext\n');
});

test('the primary is gone, comes back, and the replica catches up; a restart of the replica too', async () => {
  const { primary, replica, wait, start } = await pair();
  await replica.sql(follow(primary));
  await wait(1000);
  await replica.stop();
  await primary.sql("INSERT INTO d.t VALUES (1, 'while away')");
  const again = start('db-1', { cnf: `${GTID}server-id=101\nsuper-read-only=ON\n`, env: {} });
  await wait(3000);
  assert.equal(await again.sql('SELECT v FROM d.t'), 'while away\n');
  await primary.stop();
  await wait(3000);
  const lost = await status(again);
  assert.equal(lost.get('Replica_IO_Running'), 'Connecting');
  assert.equal(lost.get('Replica_SQL_Running'), 'Yes');
  assert.equal(lost.get('Last_IO_Errno'), '2003');
  assert.match(
    lost.get('Last_IO_Error') ?? '',
    /^Error reconnecting to source 'repl@10\..*:3306'\. This was attempt \d+\/86400, with a delay of 1 seconds between attempts\. Message: Can't connect to MySQL server on '10\./,
  );
});

test('lag: SOURCE_DELAY holds transactions back on virtual time', async () => {
  const { primary, replica, wait } = await pair();
  await replica.sql(follow(primary, ', SOURCE_DELAY=30'));
  await wait(40_000);
  await primary.sql("INSERT INTO d.t VALUES (1, 'late')");
  await wait(10_000);
  assert.equal(await replica.sql('SELECT COUNT(*) FROM d.t'), '0\n');
  const waiting = await status(replica);
  assert.equal(waiting.get('Seconds_Behind_Source'), '10');
  assert.equal(waiting.get('SQL_Delay'), '30');
  assert.ok(Number(waiting.get('SQL_Remaining_Delay')) >= 19);
  await wait(21_000);
  assert.equal(await replica.sql('SELECT COUNT(*) FROM d.t'), '1\n');
  assert.equal((await status(replica)).get('Seconds_Behind_Source'), '0');
});

test('what cannot be fetched any more is error 1236; a dump from the primary brings it', async () => {
  const { primary, replica, wait, start } = await pair();
  await primary.sql("INSERT INTO d.t VALUES (1, 'it''s old'); FLUSH LOGS; PURGE BINARY LOGS TO 'binlog.000003'; INSERT INTO d.t VALUES (2, NULL)");
  await replica.sql(follow(primary));
  await wait(2000);
  const lost = await status(replica);
  assert.equal(lost.get('Replica_IO_Running'), 'No');
  assert.equal(lost.get('Last_IO_Errno'), '13114');
  assert.match(
    lost.get('Last_IO_Error') ?? '',
    /^Got fatal error 1236 from source when reading data from binary log: 'Cannot replicate because the source purged required binary logs\./,
  );
  const dump = await primary.exec('mysqldump', '--all-databases', '--single-transaction');
  assert.match(dump, /SET @@GLOBAL\.GTID_PURGED=\/\*!80000 '\+'\*\/ '[0-9a-f-]+:1-6';/);
  const clone = start('db-2', { cnf: `${GTID}server-id=102\nsuper-read-only=ON\n`, files: { '/docker-entrypoint-initdb.d/clone.sql': dump } });
  await wait(6000);
  assert.equal(await clone.sql(follow(primary)), '', clone.log());
  await primary.sql("INSERT INTO d.t VALUES (3, 'new')");
  await wait(2000);
  assert.equal((await status(clone)).get('Replica_IO_Running'), 'Yes');
  assert.equal(await clone.sql('SELECT * FROM d.t'), "1\tit's old\n2\tNULL\n3\tnew\n");
  assert.equal(await clone.sql("SELECT COUNT(*) FROM mysql.user WHERE user = 'repl'"), '1\n');
});

test('orders that make no sense, and what a server says of itself', async () => {
  const { primary, replica, wait, start } = await pair();
  assert.match(await primary.sql('START REPLICA'), /^ERROR 1200 /);
  await replica.sql(follow(primary));
  assert.match(await replica.sql(follow(primary)), /^ERROR 3021 /);
  assert.match(await replica.sql('RESET REPLICA ALL'), /^ERROR 3081 /);
  await wait(1000);
  assert.equal(
    await replica.sql('CREATE DATABASE x'),
    'ERROR 1290 (HY000) at line 1: The MySQL server is running with the --super-read-only option so it cannot execute this statement\n',
  );
  assert.equal(await replica.sql('SELECT @@hostname, @@server_id, @@read_only, @@super_read_only'), 'db-1\t101\t1\t1\n');
  assert.match(await primary.sql('SHOW REPLICAS'), /^101\t\t3306\t100\t[0-9a-f-]{36}\n$/);
  assert.match(
    await primary.sql('SHOW PROCESSLIST'),
    /repl\t10\.[\d.:]+\tNULL\tBinlog Dump GTID\t\d+\tSource has sent all binlog to replica; waiting for more updates\tNULL\n/,
  );
  assert.match(await primary.sql('SHOW MASTER STATUS'), /^binlog\.000002\t\d+\t\t\t[0-9a-f-]{36}:1-4\n$/);
  assert.match(await primary.sql('SHOW BINARY LOGS'), /^binlog\.000001\t\d+\tNo\nbinlog\.000002\t\d+\tNo\n$/);
  assert.equal(await replica.sql('STOP REPLICA; RESET REPLICA ALL; SHOW REPLICA STATUS'), '');
  const twin = start('db-9', { cnf: `${GTID}server-id=100\n` });
  const plain = start('db-8', { cnf: '[mysqld]\nserver-id=8\n' });
  await wait(5000);
  await twin.sql(follow(primary));
  await wait(1000);
  assert.match((await status(twin)).get('Last_IO_Error') ?? '', /equal MySQL server ids/);
  assert.match(await plain.sql(follow(primary)), /^ERROR 1777 .*@@GLOBAL\.GTID_MODE = OFF\.\n$/);
  const wrong = start('db-7', { cnf: `${GTID}server-id=7\n` });
  await wait(5000);
  await wrong.sql(follow(primary).replace("SOURCE_PASSWORD='r'", "SOURCE_PASSWORD='x'"));
  await wait(1000);
  assert.equal((await status(wrong)).get('Last_IO_Errno'), '1045');
});
