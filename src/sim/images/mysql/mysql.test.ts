import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setup } from './testing/pods.ts';

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
