import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setup } from './testing/pods.ts';

test('the entrypoint’s rules of the environment', async () => {
  const { start, wait } = setup();
  const ended = async (env: Record<string, string>, files: Record<string, string> = {}): Promise<{ code: number | undefined; log: string }> => {
    const server = start(`s${JSON.stringify(env).length}${Object.keys(env).join('')}`, { env, files });
    await wait(6000);
    const result = { code: server.main.status?.code, log: server.log() };
    await server.crash();
    return result;
  };
  const missing = await ended({});
  assert.equal(missing.code, 1);
  assert.match(
    missing.log,
    /\[ERROR\] \[Entrypoint\]: Database is uninitialized and password option is not specified\n {4}You need to specify one of the following as an environment variable:\n {4}- MYSQL_ROOT_PASSWORD\n {4}- MYSQL_ALLOW_EMPTY_PASSWORD\n {4}- MYSQL_RANDOM_ROOT_PASSWORD\n$/,
  );
  assert.match(
    (await ended({ MYSQL_ROOT_PASSWORD: 'x', MYSQL_USER: 'root' })).log,
    /MYSQL_USER="root", MYSQL_USER and MYSQL_PASSWORD are for configuring a regular user/,
  );
  assert.match(
    (await ended({ MYSQL_ROOT_PASSWORD: 'x', MYSQL_ROOT_PASSWORD_FILE: '/p' })).log,
    /Both MYSQL_ROOT_PASSWORD and MYSQL_ROOT_PASSWORD_FILE are set \(but are exclusive\)/,
  );
  const half = await ended({ MYSQL_ALLOW_EMPTY_PASSWORD: 'yes', MYSQL_USER: 'app' });
  assert.equal(half.code, undefined);
  assert.match(half.log, /\[Warn\] \[Entrypoint\]: MYSQL_USER specified, but missing MYSQL_PASSWORD; MYSQL_USER will not be created/);
  assert.match((await ended({ MYSQL_RANDOM_ROOT_PASSWORD: '1' })).log, /\[Note\] \[Entrypoint\]: GENERATED ROOT PASSWORD: [0-9a-f]{32}\n/);
});

test('first start: database, user, scripts; the second start skips all of it', async () => {
  const { start, wait } = setup();
  const options = {
    env: { MYSQL_ROOT_PASSWORD_FILE: '/run/root', MYSQL_DATABASE: 'shop', MYSQL_USER: 'app', MYSQL_PASSWORD_FILE: '/run/app' },
    files: {
      '/run/root': 'secret\n',
      '/run/app': 'app-secret\n',
      '/docker-entrypoint-initdb.d/1-tables.sql': "CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(9));\n-- more\nINSERT INTO item VALUES (1, 'a;b');\n",
      '/docker-entrypoint-initdb.d/2-more.sh': 'mysql -uroot -p"$(cat /run/root)" shop -e "INSERT INTO item VALUES (2, \'sh\')"\n',
      '/docker-entrypoint-initdb.d/readme.txt': 'no script',
    },
  };
  let server = start('a', options);
  await wait(8000);
  assert.equal(await server.sql('SELECT * FROM shop.item'), '1\ta;b\n2\tsh\n');
  const steps = server
    .log()
    .match(/\[Entrypoint\]: .*/g)
    ?.map((line) => line.replace('[Entrypoint]: ', ''));
  assert.deepEqual(steps, [
    'Entrypoint script for MySQL Server 8.1.0-1.el8 started.',
    "Switching to dedicated user 'mysql'",
    'Entrypoint script for MySQL Server 8.1.0-1.el8 started.',
    'Initializing database files',
    'Database files initialized',
    'Starting temporary server',
    'Temporary server started.',
    'Creating database shop',
    'Creating user app',
    'Giving user app access to schema shop',
    '/usr/local/bin/docker-entrypoint.sh: running /docker-entrypoint-initdb.d/1-tables.sql',
    '/usr/local/bin/docker-entrypoint.sh: sourcing /docker-entrypoint-initdb.d/2-more.sh',
    '/usr/local/bin/docker-entrypoint.sh: ignoring /docker-entrypoint-initdb.d/readme.txt',
    'Stopping temporary server',
    'Temporary server stopped',
    'MySQL init process done. Ready for start up.',
  ]);
  assert.match(
    server.log(),
    /ready for connections\. Version: '8\.1\.0' {2}socket: '\/var\/run\/mysqld\/mysqld\.sock' {2}port: 3306 {2}MySQL Community Server - GPL\.\n$/,
  );
  const app = await server.exec('mysql', '-h', server.ip, '-uapp', '-papp-secret', '-N', '-e', 'SELECT DATABASE(), COUNT(*) FROM item', 'shop');
  assert.match(app, /shop\t2\n$/);
  await server.stop();
  assert.equal(server.main.status?.code, 0);
  assert.match(
    server.log(),
    /Received SHUTDOWN from user <via user signal>\. Shutting down mysqld \(Version: 8\.1\.0\)\.\n.*Shutdown complete \(mysqld 8\.1\.0\)/,
  );
  server = start('a', { ...options, env: { ...options.env, MYSQL_DATABASE: 'other' } });
  await wait(1000);
  assert.doesNotMatch(server.log(), /Initializing|initdb|crash recovery/);
  assert.equal(await server.sql('SHOW DATABASES'), 'information_schema\nmysql\nperformance_schema\nshop\nsys\n');
});

test('a script that fails ends the container, and the half-filled volume counts as initialised', async () => {
  const { start, wait } = setup();
  let server = start('a', { files: { '/docker-entrypoint-initdb.d/bad.sql': 'CREATE DATABASE d;\nSELEC 1;\n' } });
  await wait(8000);
  assert.equal(server.main.status?.code, 1);
  assert.match(server.log(), /ERROR 1064 \(42000\) at line 2: You have an error in your SQL syntax/);
  await server.crash();
  server = start('a');
  await wait(1000);
  assert.equal(await server.sql('SHOW DATABASES LIKE "d"'), 'd\n');
});

test('killed without warning, it recovers: what was committed stays, what was open is gone', async () => {
  const { start, wait } = setup();
  let server = start('a');
  await wait(5000);
  await server.sql('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v DECIMAL(5,2)); INSERT INTO d.t VALUES (1, 1.50), (2, NULL)');
  server.begin('mysql', '-e', 'BEGIN; INSERT INTO d.t VALUES (3, 3); UPDATE d.t SET v = 9; SELECT SLEEP(60); COMMIT');
  await wait(1000);
  await server.crash();
  server = start('a', { env: {} });
  await wait(3000);
  assert.match(server.log(), /\[MY-010229\] \[Server\] Starting XA crash recovery\.\.\.\n.*\[MY-010232\] \[Server\] XA crash recovery finished\./);
  assert.equal(await server.sql('SELECT * FROM d.t'), '1\t1.50\n2\tNULL\n');
  assert.equal(await server.sql('INSERT INTO d.t VALUES (3, 3); SELECT COUNT(*) FROM d.t'), '3\n');
});

test('configuration: conf.d, the command line, and what it does not know', async () => {
  const { start, wait } = setup();
  const server = start('a', {
    cnf: '[client]\nuser=x\n[mysqld]\n# a note\nserver-id = 42\nmax_connections=7\nskip-name-resolve\ninnodb_buffer_pool_size=256M\n',
    args: ['--sql-mode=ANSI', '--read-only'],
  });
  await wait(5000);
  assert.equal(await server.sql('SELECT @@server_id, @@max_connections, @@innodb_buffer_pool_size, @@sql_mode, @@read_only'), '42\t7\t268435456\tANSI\t1\n');
  const bad = start('b', { cnf: '[mysqld]\nserver-id=1\nno-such-thing=5\n' });
  await wait(2000);
  assert.equal(bad.main.status?.code, 1);
  assert.match(
    bad.log(),
    /\[ERROR\] \[Entrypoint\]: mysqld failed while attempting to check config\n\tcommand was: mysqld --verbose --help .*\n\t.* \[ERROR\] \[MY-000067\] \[Server\] unknown variable 'no-such-thing=5'\.\n.*\[MY-010119\] \[Server\] Aborting\n/,
  );
});

test('a full volume: error 1114, nothing half done, and it goes on when there is room', async () => {
  const { start, wait, volumes } = setup();
  const server = start('a');
  await wait(5000);
  await server.sql('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v TEXT)');
  const volume = volumes.get('a');
  assert.ok(volume);
  volume.capacityBytes = volume.usedBytes() + 3000;
  assert.equal(await server.sql("INSERT INTO d.t VALUES (1, REPEAT('x', 5000))"), "ERROR 1114 (HY000) at line 1: The table 't' is full\n");
  assert.equal(await server.sql("INSERT INTO d.t VALUES (2, 'small'); SELECT id FROM d.t"), '2\n');
  volume.capacityBytes = undefined;
  assert.equal(await server.sql("INSERT INTO d.t VALUES (1, REPEAT('x', 5000)); SELECT id, LENGTH(v) FROM d.t"), '1\t5000\n2\t5\n');
});

test('a damaged data file, and a directory that is not empty', async () => {
  const { start, wait } = setup();
  let server = start('a');
  await wait(5000);
  await server.stop();
  server = start('a', { files: { '/var/lib/mysql/ibdata1': 'not what it was' } });
  await wait(2000);
  assert.equal(server.main.status?.code, 1);
  assert.match(server.log(), /Data Dictionary initialization failed/);
  const other = start('b', { files: { '/var/lib/mysql/lost+found': '' } });
  await wait(4000);
  assert.equal(other.main.status?.code, 1);
  assert.match(other.log(), /--initialize specified but the data directory has files in it\. Aborting\./);
});

test('the well-known accidents: DROP DATABASE mysql, a packet too large', async () => {
  const { start, wait } = setup();
  const server = start('a', { cnf: '[mysqld]\nmax_allowed_packet=1M\n' });
  await wait(5000);
  assert.match(await server.sql('DROP DATABASE mysql'), /ERROR 3552 \(HY000\) at line 1: Access to system schema 'mysql' is rejected\./);
  assert.match(await server.sql('DELETE FROM mysql.user'), /ERROR/);
  const large = '{ printf "INSERT INTO d.t VALUES (\'"; head -c 2000000 /dev/zero | tr \'\\0\' x; echo "\')"; } | mysql';
  assert.match(
    await server.exec('sh', '-c', large),
    /^ERROR (1153 \(08S01\) at line 1: Got a packet bigger than 'max_allowed_packet' bytes|2006 \(HY000\) at line 1: MySQL server has gone away)\n$/,
  );
  assert.equal(await server.sql('SELECT 1'), '1\n');
});
