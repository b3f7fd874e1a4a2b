import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTty, decodeText } from '../../../unix/index.ts';
import { setup } from './testing/pods.ts';

async function server() {
  const { start, wait, kernel } = setup();
  const pod = start('a');
  await wait(5000);
  await pod.sql(
    "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, name VARCHAR(20), price DECIMAL(5,2)); INSERT INTO d.t VALUES (1, '茶', 3.5), (2, 'a\\tb', NULL)",
  );
  return { pod, wait, kernel, start };
}

test('what the options make of one result', async () => {
  const { pod } = await server();
  const q = (...words: string[]): Promise<string> => pod.exec('mysql', ...words);
  assert.equal(await q('d', '-e', 'SELECT * FROM t'), 'id\tname\tprice\n1\t茶\t3.50\n2\ta\\tb\tNULL\n');
  assert.equal(await q('-N', '-D', 'd', '-e', 'SELECT * FROM t'), '1\t茶\t3.50\n2\ta\\tb\tNULL\n');
  assert.equal(await q('-Nrse', 'SELECT name FROM d.t WHERE id = 2'), 'a\tb\n');
  assert.equal(await q('-ss', '-e', 'SELECT id FROM d.t'), '1\n2\n');
  assert.equal(
    await q('--table', '-e', 'SELECT * FROM d.t'),
    '+----+------+-------+\n| id | name | price |\n+----+------+-------+\n|  1 | 茶   |  3.50 |\n|  2 | a\tb  |  NULL |\n+----+------+-------+\n',
  );
  assert.equal(
    await q('-E', '-e', 'SELECT id, price FROM d.t WHERE id = 1'),
    '*************************** 1. row ***************************\n   id: 1\nprice: 3.50\n',
  );
  assert.equal(
    await q('-h', '127.0.0.1', '-P', '3306', '-uroot', '-e', 'SELECT 1 AS one\\G'),
    '*************************** 1. row ***************************\none: 1\n',
  );
  assert.equal(
    await q('-f', '-N', '-e', 'SELECT 1; SELEC; SELECT 2').then((text) => text.replace(/near .* at/, 'near … at')),
    '1\nERROR 1064 (42000) at line 1: You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near … at line 1\n2\n',
  );
  assert.equal(await q('-P', '3307', '-h', '127.0.0.1', '-e', 'SELECT 1'), "ERROR 2003 (HY000): Can't connect to MySQL server on '127.0.0.1:3307' (111)\n");
  assert.equal(await q('-e', 'SELECT 1/0; SHOW WARNINGS'), '1/0\nNULL\nLevel\tCode\tMessage\nWarning\t1365\tDivision by 0\n');
});

test('input from a file: delimiter, source, comments, the line of an error', async () => {
  const { pod } = await server();
  const script =
    "-- first\nUSE d\nDELIMITER //\nSELECT 'a;b' AS x//\nDELIMITER ;\n/* two\nlines */ SELECT 2\n  AS y; SELECT 3;\nsource /tmp/more.sql\nSELECT nope;\n";
  pod.machine.fs.writeFile('/tmp/script.sql', script);
  pod.machine.fs.writeFile('/tmp/more.sql', 'SELECT 4');
  assert.equal(
    await pod.exec('sh', '-c', 'mysql -N < /tmp/script.sql'),
    "a;b\n2\n3\n4\nERROR 1054 (42S22) at line 10: Unknown column 'nope' in 'field list'\n",
  );
});

test('a dump of one Pod fills another through a pipe', async () => {
  const { pod, start, wait } = await server();
  const other = start('b');
  await wait(5000);
  await other.sql('CREATE DATABASE d2');
  assert.equal(await pod.exec('sh', '-c', `mysqldump --no-create-db d | mysql -h ${other.ip} d2`), '');
  assert.equal(await other.sql('SELECT * FROM d2.t'), '1\t茶\t3.50\n2\ta\\tb\tNULL\n');
  assert.match(
    await pod.exec('mysqldump', '--databases', 'd', '--no-data'),
    /CREATE DATABASE \/\*!32312 IF NOT EXISTS\*\/ `d` [\s\S]*USE `d`;[\s\S]*DROP TABLE IF EXISTS `t`;[\s\S]*\) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;\n/,
  );
  assert.match(await pod.exec('mysqldump', 'nope'), /mysqldump: Got error: 1049: Unknown database 'nope' when selecting the database\n$/);
});

test('mysqladmin', async () => {
  const { pod, wait } = await server();
  assert.equal(await pod.exec('mysqladmin', 'ping'), 'mysqld is alive\n');
  assert.match(await pod.exec('mysqladmin', 'status'), /^Uptime: \d+ {2}Threads: \d+ {2}Questions: \d+ {2}Slow queries: 0 {2}Opens: \d+ /);
  assert.match(await pod.exec('mysqladmin', 'variables'), /\| version +\| 8\.1\.0 +\|/);
  assert.equal(await pod.exec('mysqladmin', 'nonsense'), "mysqladmin: Unknown command: 'nonsense'\n");
  assert.match(await pod.exec('mysqladmin', '-pwrong', 'ping'), /Access denied for user 'root'@'localhost' \(using password: YES\)'\nmysqld is alive\n$/);
  await pod.exec('mysqladmin', 'shutdown');
  await wait(3000);
  assert.equal(pod.main.status?.code, 0);
  assert.match(pod.log(), /Received SHUTDOWN from user root\./);
  assert.equal(
    await pod.exec('mysqladmin', 'ping'),
    "mysqladmin: connect to server at 'localhost' failed\nerror: 'Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)'\nCheck that mysqld is running and that the socket: '/var/run/mysqld/mysqld.sock' exists!\n",
  );
});

test('at the terminal: editing, prompts, boxes, times, warnings', async () => {
  const { pod, kernel } = await server();
  let screen = '';
  const terminal = createTty({
    kernel,
    columns: 100,
    rows: 30,
    output(chunk) {
      screen += decodeText(chunk);
    },
  });
  const slave = terminal.tty.openSlave();
  const env = new Map([
    ['MYSQL_PWD', 'secret'],
    ['PATH', '/usr/bin:/bin'],
  ]);
  const client = pod.machine.start(['mysql', 'd'], { env, cwd: '/', stdin: slave, stdout: slave, stderr: slave });
  const type = async (keys: string): Promise<string> => {
    screen = '';
    terminal.input(keys);
    await kernel.advance({ untilMs: kernel.now() + 1000, until: () => client.status !== undefined });
    return screen.replace(/\r\n/g, '\n');
  };
  await kernel.advance({ untilMs: kernel.now() + 1000 });
  assert.match(
    screen.replace(/\r\n/g, '\n'),
    /^Welcome to the MySQL monitor\. {2}Commands end with ; or \\g\.\nYour MySQL connection id is \d+\nServer version: 8\.1\.0 MySQL Community Server - GPL\n[\s\S]*mysql> $/,
  );
  assert.match(
    await type('SELECT id\rFROM t;\r'),
    /\n {4}-> [\s\S]*\+----\+\n\| id \|\n\+----\+\n\| {2}1 \|\n\| {2}2 \|\n\+----\+\n2 rows in set \(0\.\d\d sec\)\n\nmysql> $/,
  );
  assert.match(await type("SELECT 'a\r"), /\n {4}'> $/);
  assert.match(await type("b';\\c\r"), /mysql> $/);
  assert.match(await type('SELECT 1/0;\r'), /1 row in set, 1 warning \(0\.\d\d sec\)\n\nmysql> $/);
  assert.match(
    await type("INSERT INTO t VALUES (3, 'c', 1), (4, 'd', 2);\r"),
    /Query OK, 2 rows affected \(0\.\d\d sec\)\nRecords: 2 {2}Duplicates: 0 {2}Warnings: 0\n\nmysql> $/,
  );
  assert.match(await type('SELECT 1 FROM t WHERE 0;\r'), /Empty set \(0\.\d\d sec\)\n\nmysql> $/);
  assert.match(await type('use mysql\r'), /Database changed\nmysql> $/);
  assert.match(await type('nonsense;\r'), /ERROR 1064 \(42000\): You have an error in your SQL syntax; [^\n]* near 'nonsense' at line 1\nmysql> $/);
  assert.match(await type('\x1b[A\x1b[Ause d\r'), /mysql> $/);
  assert.match(await type('\\s\r'), /Current database:\s+\w+\n[\s\S]*UNIX socket:\s+\/var\/run\/mysqld\/mysqld\.sock\n/);
  assert.match(await type('exit\r'), /Bye\n$/);
  assert.equal(client.status?.code, 0);
});
