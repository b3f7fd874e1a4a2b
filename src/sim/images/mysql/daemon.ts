import { type Applet, program } from '../../../applets/applet.ts';
import { Random, randomUid } from '../../../kernel/index.ts';
import { Errno, type Process } from '../../../unix/types.ts';
import { untilStopped } from '../until-stopped.ts';
import { splitStatements } from './client-format.ts';
import { MysqlServer, type Session } from './server.ts';
import type { SqlValue } from './sql-parser.ts';
import { loadState, markUnfinished, newState, type ServerState, saveState } from './state.ts';

/** The image's entrypoint and mysqld: rules of the environment, first initialisation, the daemon's life. */

/** What initialising an empty data directory takes, in virtual time; the real one takes longer. */
const INITIALISE_MS = 2500;

function environment(process: Process, name: string): string | undefined {
  const file = process.env.get(`${name}_FILE`);
  if (file) {
    try {
      return process.machine.fs.readText(file).replace(/\n$/, '');
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
    }
  }
  return process.env.get(name) || undefined;
}

/** [mysqld] sections of /etc/my.cnf and /etc/mysql/conf.d/*.cnf, then the command line; dashes and underscores are one. */
export function readOptions(process: Process): Map<string, SqlValue> {
  const { fs } = process.machine;
  const options = new Map<string, SqlValue>();
  const set = (line: string): void => {
    const [name = '', ...rest] = line.split('=');
    const key = name
      .trim()
      .replace(/^--/, '')
      .replace(/-/g, '_')
      .replace(/^loose_/, '')
      .toLowerCase();
    const text = rest
      .join('=')
      .trim()
      .replace(/^(['"])(.*)\1$/, '$2');
    const value: SqlValue =
      rest.length === 0
        ? 1
        : /^\d+$/.test(text)
          ? Number(text)
          : /^(on|true)$/i.test(text) && !/^(gtid_mode|enforce_gtid_consistency)$/.test(key)
            ? 1
            : /^(off|false)$/i.test(text) && !/^(gtid_mode|enforce_gtid_consistency)$/.test(key)
              ? 0
              : /^(on|off)$/i.test(text)
                ? text.toUpperCase()
                : text;
    options.set(key, key === 'log_bin' ? 1 : rest.length === 0 && key === 'enforce_gtid_consistency' ? 'ON' : value);
  };
  const directory = '/etc/mysql/conf.d';
  const files = [
    '/etc/my.cnf',
    ...(fs.exists(directory)
      ? fs
          .readdir(directory)
          .filter((name) => name.endsWith('.cnf'))
          .map((name) => `${directory}/${name}`)
      : []),
  ];
  for (const file of files) {
    if (!fs.exists(file)) continue;
    let section = '';
    for (const line of fs.readText(file).split('\n')) {
      const text = line.replace(/\s*[#;].*$/, '').trim();
      const heading = /^\[(.*)\]$/.exec(text)?.[1];
      if (heading !== undefined) section = heading;
      else if (text !== '' && ['mysqld', 'server', 'mysqld-8.1'].includes(section)) set(text);
    }
  }
  for (const word of process.argv.slice(1)) if (word.startsWith('--')) set(word);
  return options;
}

async function mysqld(applet: Applet): Promise<number> {
  const { process } = applet;
  const { fs } = process.machine;
  let stopping = false;
  const stop = (): void => {
    stopping = true;
  };
  process.onSignal('SIGTERM', stop);
  process.onSignal('SIGINT', stop);
  const clock = (): string => new Date(process.kernel.now()).toISOString();
  const note = (level: string, text: string): Promise<void> =>
    process.err(
      `${clock()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, '+00:00')} [${level}] [Entrypoint]: ${text}\n`,
    );
  const log = (code: string, text: string, level = 'System'): Promise<void> =>
    process.err(`${clock().replace('Z', '000Z')} 0 [${level}] [${code}] [Server] ${text}\n`);
  await note('Note', 'Entrypoint script for MySQL Server 8.1.0-1.el8 started.');
  const options = readOptions(process);
  let state = loadState(fs);
  let server: MysqlServer;
  if (!state) {
    const password = environment(process, 'MYSQL_ROOT_PASSWORD');
    const random = environment(process, 'MYSQL_RANDOM_ROOT_PASSWORD');
    if (password === undefined && random === undefined && !process.env.get('MYSQL_ALLOW_EMPTY_PASSWORD')) {
      await note('ERROR', 'Database is uninitialized and password option is not specified');
      await process.err(
        '    You need to specify one of the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD\n',
      );
      return 1;
    }
    await note('Note', 'Initializing database files');
    markUnfinished(fs);
    for (let waited = 0; waited < INITIALISE_MS; waited += 100) {
      if (stopping) return 0;
      await process.sleep(100);
    }
    await note('Note', 'Database files initialized');
    // An identity of its own for every data directory.
    state = newState(randomUid(new Random(`mysql:${process.machine.hostname}:${process.kernel.random.uint32()}`)));
    const generated = random === undefined ? undefined : randomUid(process.kernel.random).slice(0, 20);
    if (generated) await note('Note', `GENERATED ROOT PASSWORD: ${generated}`);
    await initialise(applet, state, options, password ?? generated ?? '');
    await note('Note', 'MySQL init process done. Ready for start up.');
  }
  try {
    server = new MysqlServer(applet, state, options);
    saveState(fs, state);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    await log('MY-012592', `Operating system error number 28 in a file operation: ${error.message}`, 'ERROR');
    return 1;
  }
  await log('MY-010116', `/usr/sbin/mysqld (mysqld 8.1.0) starting as process ${process.pid}`);
  void server.listen(3306).catch(() => {});
  server.replica.resume();
  await log(
    'MY-010931',
    "/usr/sbin/mysqld: ready for connections. Version: '8.1.0'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL.",
  );
  if (!stopping) await untilStopped(process);
  // Takes its time as the reference cluster's stand-in does, which looks at its orders once a second (corpus sts-scale.json).
  await process.sleep(1000 - ((process.kernel.now() - server.startedMs) % 1000));
  await log('MY-013172', 'Received SHUTDOWN from user <via user signal>. Shutting down mysqld (Version: 8.1.0).');
  saveState(fs, state);
  await log('MY-010910', '/usr/sbin/mysqld: Shutdown complete (mysqld 8.1.0)  MySQL Community Server - GPL.');
  return 0;
}

/** Accounts, the database that was asked for, and /docker-entrypoint-initdb.d. */
async function initialise(applet: Applet, state: ServerState, options: ReadonlyMap<string, SqlValue>, rootPassword: string): Promise<void> {
  const { process } = applet;
  const { fs } = process.machine;
  const server = new MysqlServer(applet, state, new Map([...options, ['super_read_only', 0], ['read_only', 0]]));
  const session: Session = { ...server.newSession('root', 'localhost'), id: 0 };
  session.variables.set('sql_log_bin', 0);
  const run = async (sql: string): Promise<void> => {
    const answer = await server.query(session, sql);
    if ('error' in answer) await process.err(`ERROR ${answer.error[0]} (${answer.error[1]}): ${answer.error[2]}\n`);
  };
  for (const host of ['localhost', '%'])
    state.accounts.push({ user: 'root', host, password: rootPassword, grants: [{ privileges: 'ALL PRIVILEGES', on: '*.*' }] });
  const database = process.env.get('MYSQL_DATABASE');
  const user = process.env.get('MYSQL_USER');
  if (database) {
    await run(`CREATE DATABASE IF NOT EXISTS \`${database}\``);
    session.database = database;
  }
  if (user) {
    state.accounts.push({
      user,
      host: '%',
      password: environment(process, 'MYSQL_PASSWORD') ?? '',
      grants: database ? [{ privileges: 'ALL PRIVILEGES', on: `\`${database}\`.*` }] : [],
    });
  }
  session.variables.set('sql_log_bin', 1);
  const directory = '/docker-entrypoint-initdb.d';
  for (const name of fs.exists(directory) ? fs.readdir(directory) : []) {
    if (!name.endsWith('.sql') && !name.endsWith('.sh')) continue;
    await process.err(`/usr/local/bin/docker-entrypoint.sh: running ${directory}/${name}\n`);
    if (name.endsWith('.sh')) await process.guard(process.spawn(['sh', `${directory}/${name}`]).exited);
    else {
      const { statements, rest } = splitStatements(fs.readText(`${directory}/${name}`));
      for (const sql of [...statements.map((one) => one.sql), ...(rest.trim() === '' ? [] : [rest.trim()])]) await run(sql);
    }
  }
}

export const daemonPrograms = {
  mysqld: program('[OPTIONS]', mysqld),
  entrypoint: program('', async (applet) => {
    const [command, ...rest] = applet.process.argv.slice(1);
    if (command === undefined || command === 'mysqld' || command.startsWith('-')) return mysqld(applet);
    return applet.process.exec([command, ...rest]);
  }),
};
