import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../kernel/index.ts';
import { testKernel } from '../../../kernel/testing/index.ts';
import { callbackSink, createMachine, createVolume, decodeText, nullFile, type Volume, volumeFileSystem } from '../../../unix/index.ts';
import { createClusterNetwork } from '../../network/index.ts';
import { FakeClient } from '../../network/testing/fake-client.ts';
import { createImageCatalog } from '../index.ts';

/** MySQL containers on one network, each with a volume that outlives it. */
function setup(seed = 'mysql') {
  const kernel = testKernel(seed);
  const client = new FakeClient(kernel);
  const image = createImageCatalog({ kernel, client }).find('mysql:8.1');
  assert.ok(image);
  const layer = createVolume({ id: 'mysql', kernel });
  image.build(volumeFileSystem(layer));
  const network = createClusterNetwork({ kernel, client });
  network.addNode({ name: 'node', ip: '172.18.0.2' });
  const volumes = new Map<string, Volume>();
  const start = (name: string, options: { cnf?: string; env?: Record<string, string> } = {}) => {
    const volume = volumes.get(name) ?? createVolume({ id: name, kernel });
    volumes.set(name, volume);
    const attachment = network.attachPod({ node: 'node', namespace: 'default', name, uid: name });
    const stack = attachment.openStack();
    const machine = createMachine({ kernel, hostname: name, layers: [layer], programs: image.programs, net: stack });
    machine.fs.mount('/var/lib/mysql', volume);
    machine.fs.writeFile('/etc/hosts', '127.0.0.1 localhost\n');
    if (options.cnf) machine.fs.writeFile('/etc/mysql/conf.d/server.cnf', options.cnf);
    let log = '';
    const run = (argv: readonly string[], sink: (text: string) => void, env: Record<string, string>) =>
      machine.start(argv, {
        env: new Map(Object.entries({ ...image.env, ...env })),
        cwd: '/',
        stdin: nullFile(),
        stdout: callbackSink((chunk) => sink(decodeText(chunk))),
        stderr: callbackSink((chunk) => sink(decodeText(chunk))),
      });
    const main = run(
      ['docker-entrypoint.sh', 'mysqld'],
      (text) => {
        log += text;
      },
      options.env ?? { MYSQL_ROOT_PASSWORD: 'secret' },
    );
    void main.exited.then(() => stack.dispose());
    return {
      ip: attachment.ip,
      main,
      machine,
      log: () => log,
      async exec(...argv: string[]): Promise<string> {
        let output = '';
        const process = run(argv, (text) => (output += text), { MYSQL_PWD: 'secret' });
        await kernel.advance({ untilMs: kernel.now() + 200_000, until: () => process.status !== undefined });
        await kernel.settle();
        return output;
      },
      sql(text: string): Promise<string> {
        return this.exec('mysql', '-N', '-e', text);
      },
      async stop(): Promise<void> {
        main.kill('SIGTERM');
        await kernel.advance({ untilMs: kernel.now() + 5000, until: () => main.status !== undefined });
        machine.killAll();
        stack.dispose();
        attachment.detach();
      },
      async crash(): Promise<void> {
        machine.killAll();
        stack.dispose();
        attachment.detach();
        await kernel.settle();
      },
    };
  };
  const wait = (ms: number): Promise<boolean> => kernel.advance({ untilMs: kernel.now() + ms });
  return { kernel, start, wait };
}

const GTID = '[mysqld]\ngtid-mode=ON\nenforce-gtid-consistency=ON\nlog-bin=binlog\n';

test('without a root password it refuses to start', async () => {
  const { start, wait } = setup();
  const server = start('a', { env: {} });
  await wait(1000);
  assert.equal(server.main.status?.code, 1);
  assert.match(server.log(), /Database is uninitialized and password option is not specified\n {4}You need to specify one of the following/);
});

test('statements give MySQL’s tables, counts and errors', async () => {
  const { start, wait } = setup();
  const server = start('a');
  await wait(5000);
  assert.equal(await server.exec('mysqladmin', 'ping'), 'mysqld is alive\n');
  assert.equal(
    await server.sql(
      "CREATE DATABASE shop; USE shop; CREATE TABLE item (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(10) NOT NULL, price DECIMAL(6,2) DEFAULT 1.50, UNIQUE KEY (name)); INSERT INTO item (name, price) VALUES ('tea', 3), ('rum', 12.5), ('fig', NULL)",
    ),
    '',
  );
  const cases: [string, string][] = [
    ['SELECT * FROM shop.item ORDER BY price DESC', '2\trum\t12.50\n1\ttea\t3.00\n3\tfig\tNULL\n'],
    ['SELECT COUNT(*), SUM(price), MAX(name) FROM shop.item', '3\t15.50\ttea\n'],
    ["SELECT name FROM shop.item WHERE price BETWEEN 1 AND 5 OR name LIKE 'f%'", 'tea\nfig\n'],
    ['SELECT a.name, b.name FROM shop.item a JOIN shop.item b ON a.id = b.id + 1 ORDER BY 1', 'fig\trum\nrum\ttea\n'],
    ['SELECT price IS NULL AS missing, COUNT(*) FROM shop.item GROUP BY missing ORDER BY missing', '0\t2\n1\t1\n'],
    ['SELECT (SELECT MAX(id) FROM shop.item), 7 / 2, 7 DIV 2, 1 + NULL', '3\t3.5000\t3\tNULL\n'],
    ["SELECT CONCAT(name, '!') FROM shop.item WHERE id IN (SELECT MIN(id) FROM shop.item)", 'tea!\n'],
    ['SELECT @@server_id, @@hostname, @@read_only, DATABASE()', '1\ta\t0\tNULL\n'],
    ['SELECT nope FROM shop.item', "ERROR 1054 (42S22) at line 1: Unknown column 'nope' in 'field list'\n"],
    ['SELECT * FROM shop.nope', "ERROR 1146 (42S02) at line 1: Table 'shop.nope' doesn't exist\n"],
    ['SELECT * FROM item', 'ERROR 1046 (3D000) at line 1: No database selected\n'],
    ["INSERT INTO shop.item (name) VALUES ('tea')", "ERROR 1062 (23000) at line 1: Duplicate entry 'tea' for key 'item.name'\n"],
    ['INSERT INTO shop.item (price) VALUES (1)', "ERROR 1364 (HY000) at line 1: Field 'name' doesn't have a default value\n"],
    ["INSERT INTO shop.item (name) VALUES ('far too long a name')", "ERROR 1406 (22001) at line 1: Data too long for column 'name' at row 1\n"],
    ["INSERT INTO shop.item (id, name) VALUES ('x', 'y')", "ERROR 1366 (HY000) at line 1: Incorrect integer value: 'x' for column 'id' at row 1\n"],
    [
      'SELEC 1',
      "ERROR 1064 (42000) at line 1: You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near 'SELEC 1' at line 1\n",
    ],
    ['CREATE DATABASE shop', "ERROR 1007 (HY000) at line 1: Can't create database 'shop'; database exists\n"],
    ['DROP DATABASE mysql', "ERROR 3552 (HY000) at line 1: Access to system schema 'mysql' is rejected.\n"],
    ['SHOW DATABASES', 'information_schema\nmysql\nperformance_schema\nshop\nsys\n'],
    ["SHOW VARIABLES LIKE 'super_read%'", 'super_read_only\tOFF\n'],
  ];
  for (const [sql, expected] of cases) assert.equal(await server.sql(sql), expected, sql);
  assert.equal(
    await server.exec('mysql', '-t', '-e', 'SELECT id, name FROM shop.item WHERE id < 3'),
    '+----+------+\n| id | name |\n+----+------+\n|  1 | tea  |\n|  2 | rum  |\n+----+------+\n',
  );
  assert.equal(await server.exec('mysql', '-e', 'SELECT 1 AS a\\G'), '*************************** 1. row ***************************\na: 1\n');
  assert.equal(
    await server.exec('mysql', '-pwrong', '-e', 'SELECT 1').then((text) => text.split('\n').at(-2)),
    "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)",
  );
  assert.equal(
    await server.exec('mysql', '-h', '10.42.0.99', '-e', 'SELECT 1'),
    "ERROR 2003 (HY000): Can't connect to MySQL server on '10.42.0.99:3306' (113)\n",
  );
  assert.match(
    await server.exec('sh', '-c', 'mysqldump shop | grep -v ^-- | head -20'),
    /CREATE TABLE `item` \(\n {2}`id` int NOT NULL AUTO_INCREMENT,\n {2}`name` varchar\(10\) NOT NULL,/,
  );
  assert.equal(
    await server.exec(
      'sh',
      '-c',
      "mysqldump shop > /tmp/d.sql; mysql -e 'CREATE DATABASE copy'; mysql copy < /tmp/d.sql; mysql -N -e 'SELECT COUNT(*) FROM copy.item'",
    ),
    '3\n',
  );
});

test('a transaction is all or nothing, also over a crash; a restart keeps what was committed', async () => {
  const { start, wait } = setup();
  let server = start('a');
  await wait(5000);
  await server.sql('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)');
  assert.equal(await server.sql('BEGIN; INSERT INTO d.t VALUES (1); ROLLBACK; SELECT COUNT(*) FROM d.t'), '0\n');
  assert.equal(await server.sql('BEGIN; INSERT INTO d.t VALUES (2); COMMIT; SELECT * FROM d.t'), '2\n');
  assert.match(await server.sql('INSERT INTO d.t VALUES (3), (2)'), /1062/);
  assert.equal(await server.sql('SELECT COUNT(*) FROM d.t'), '1\n');
  await server.sql('INSERT INTO d.t VALUES (9)');
  await server.crash();
  server = start('a', { env: {} });
  await wait(3000);
  assert.equal(await server.sql('SELECT * FROM d.t ORDER BY id'), '2\n9\n');
});

test('replicas follow by GTID, refuse writes, and stop at a duplicate', async () => {
  const { start, wait } = setup();
  const primary = start('db-0', { cnf: `${GTID}server-id=100\n` });
  const replica = start('db-1', { cnf: `${GTID}server-id=101\nsuper-read-only=ON\n` });
  await wait(5000);
  await primary.sql(
    "CREATE USER 'repl'@'%' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%'; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v TEXT); INSERT INTO d.t VALUES (1, 'one')",
  );
  const follow = `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${primary.ip}', SOURCE_USER='repl', SOURCE_PASSWORD='r', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=5; START REPLICA`;
  assert.equal(await replica.sql(follow), '');
  await wait(2000);
  assert.equal(await replica.sql('SELECT * FROM d.t'), '1\tone\n');
  assert.equal(
    await replica.sql("INSERT INTO d.t VALUES (2, 'two')"),
    'ERROR 1290 (HY000) at line 1: The MySQL server is running with the --super-read-only option so it cannot execute this statement\n',
  );
  const status = await replica.exec('mysql', '-e', 'SHOW REPLICA STATUS\\G');
  assert.match(status, / Replica_IO_Running: Yes\n/);
  assert.match(status, / Replica_SQL_Running: Yes\n/);
  assert.match(status, / Seconds_Behind_Source: 0\n/);
  await replica.sql("SET GLOBAL super_read_only=OFF; INSERT INTO d.t VALUES (5, 'mine'); SET GLOBAL super_read_only=ON");
  await primary.sql("INSERT INTO d.t VALUES (5, 'theirs')");
  await wait(1000);
  const broken = await replica.exec('mysql', '-e', 'SHOW REPLICA STATUS\\G');
  assert.match(broken, / Replica_SQL_Running: No\n/);
  assert.match(broken, / Last_SQL_Errno: 1062\n/);
  await primary.crash();
  await wait(3000);
  assert.match(await replica.exec('mysql', '-e', 'SHOW REPLICA STATUS\\G'), / Replica_IO_Running: Connecting\n/);
});

test('60 random histories of writes and restarts: nothing acknowledged is lost, replicas converge', async () => {
  for (let round = 0; round < 60; round++) {
    const random = new Random(`history:${round}`);
    const { start, wait } = setup(`history:${round}`);
    const servers = [start('db-0', { cnf: `${GTID}server-id=100\n` }), start('db-1', { cnf: `${GTID}server-id=101\nsuper-read-only=ON\n` })];
    await wait(4000);
    const [primary, replica] = servers as [(typeof servers)[0], (typeof servers)[0]];
    await primary.sql("CREATE USER 'repl'@'%' IDENTIFIED BY 'r'; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)");
    await replica.sql(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${primary.ip}', SOURCE_USER='repl', SOURCE_PASSWORD='r', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1; START REPLICA`,
    );
    const rows = new Map<number, number>();
    let current = replica;
    for (let step = 0; step < 12; step++) {
      const id = random.int(6);
      switch (random.int(5)) {
        case 0:
          if ((await primary.sql(`INSERT INTO d.t VALUES (${id}, ${step})`)) === '') rows.set(id, step);
          break;
        case 1:
          if ((await primary.sql(`UPDATE d.t SET v = ${step} WHERE id = ${id}`)) === '' && rows.has(id)) rows.set(id, step);
          break;
        case 2:
          if ((await primary.sql(`DELETE FROM d.t WHERE id = ${id}`)) === '') rows.delete(id);
          break;
        case 3:
          await (random.int(2) === 0 ? current.crash() : current.stop());
          current = start('db-1', { cnf: `${GTID}server-id=101\nsuper-read-only=ON\n` });
          break;
        default:
          await wait(random.int(1500));
      }
    }
    await wait(4000);
    const expected = [...rows]
      .sort(([a], [b]) => a - b)
      .map(([id, v]) => `${id}\t${v}\n`)
      .join('');
    assert.equal(await primary.sql('SELECT * FROM d.t ORDER BY id'), expected, `seed history:${round}`);
    assert.equal(await current.sql('SELECT * FROM d.t ORDER BY id'), expected, `seed history:${round}, replica`);
  }
});
