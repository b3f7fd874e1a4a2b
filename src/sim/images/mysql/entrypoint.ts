import { type Applet, program } from '../../../applets/applet.ts';
import { randomUid } from '../../../kernel/index.ts';
import { Errno, type Process } from '../../../unix/types.ts';
import { passwordHash } from './auth.ts';
import { splitStatements } from './client-format.ts';
import { Daemon, mysqld, newUuid, readOptions, ServerLog } from './daemon.ts';
import { VERSION } from './server.ts';
import type { Session } from './session.ts';
import { DATA_DIRECTORY, isInitialised, markUnfinished, newState, rotateBinlog, saveState } from './state.ts';
import { startVariables } from './variables.ts';

/** The image's docker-entrypoint.sh: rules of the environment, first initialisation, /docker-entrypoint-initdb.d. */

/** What initialising an empty data directory takes, in virtual time; the real one takes longer. */
const INITIALISE_MS = 2500;
const STEP_MS = 100;
const SCRIPTS = '/docker-entrypoint-initdb.d';

/** The entrypoint gives up: its message, exit status 1. */
class EntrypointError extends Error {}

/** A variable, or what the file holds that VARIABLE_FILE names. */
function setting(process: Process, name: string): string {
  const [value, file] = [process.env.get(name) ?? '', process.env.get(`${name}_FILE`) ?? ''];
  if (value !== '' && file !== '') throw new EntrypointError(`Both ${name} and ${name}_FILE are set (but are exclusive)`);
  if (file === '') return value;
  try {
    return process.machine.fs.readText(file).replace(/\n+$/, '');
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw new EntrypointError(`/usr/local/bin/docker-entrypoint.sh: line 56: ${file}: No such file or directory`);
  }
}

interface Settings {
  rootPassword: string;
  randomPassword: boolean;
  emptyPassword: boolean;
  rootHost: string;
  database: string;
  user: string;
  password: string;
}

function settings(process: Process): Settings {
  return {
    rootPassword: setting(process, 'MYSQL_ROOT_PASSWORD'),
    randomPassword: (process.env.get('MYSQL_RANDOM_ROOT_PASSWORD') ?? '') !== '',
    emptyPassword: (process.env.get('MYSQL_ALLOW_EMPTY_PASSWORD') ?? '') !== '',
    rootHost: setting(process, 'MYSQL_ROOT_HOST') || '%',
    database: setting(process, 'MYSQL_DATABASE'),
    user: setting(process, 'MYSQL_USER'),
    password: setting(process, 'MYSQL_PASSWORD'),
  };
}

const WAYS = '    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD';

async function checkSettings(given: Settings, log: ServerLog): Promise<void> {
  if (given.rootPassword === '' && !given.emptyPassword && !given.randomPassword)
    throw new EntrypointError(
      `Database is uninitialized and password option is not specified\n    You need to specify one of the following as an environment variable:\n${WAYS}`,
    );
  if (given.user === 'root')
    throw new EntrypointError(
      `MYSQL_USER="root", MYSQL_USER and MYSQL_PASSWORD are for configuring a regular user and cannot be used for the root user\n    Remove MYSQL_USER="root" and use one of the following to control the root user password:\n${WAYS}`,
    );
  if (given.user !== '' && given.password === '')
    await log.entrypoint('Warn', 'MYSQL_USER specified, but missing MYSQL_PASSWORD; MYSQL_USER will not be created');
  else if (given.user === '' && given.password !== '')
    await log.entrypoint('Warn', 'MYSQL_PASSWORD specified, but missing MYSQL_USER; MYSQL_PASSWORD will be ignored');
}

async function entrypoint(applet: Applet, words: readonly string[]): Promise<number> {
  const { process } = applet;
  const log = new ServerLog(process);
  const started = `Entrypoint script for MySQL Server ${VERSION}-1.el8 started.`;
  await log.entrypoint('Note', started);
  const options = readOptions(process, words);
  const { bad } = startVariables(options);
  try {
    if (bad !== undefined) {
      const command = ['mysqld', ...words, '--verbose', '--help', '--log-bin-index=/tmp/tmp.hYd4bFKv3u'].join(' ');
      const stamp = new Date(process.kernel.now()).toISOString().replace('Z', '000Z');
      throw new EntrypointError(
        `mysqld failed while attempting to check config\n\tcommand was: ${command}\n\t${stamp} 0 [ERROR] [MY-000067] [Server] ${bad}.\n${stamp} 0 [ERROR] [MY-010119] [Server] Aborting`,
      );
    }
    await log.entrypoint('Note', "Switching to dedicated user 'mysql'");
    await log.entrypoint('Note', started);
    if (!isInitialised(applet.fs)) {
      const given = settings(process);
      await checkSettings(given, log);
      const outcome = await initialise(applet, given, words, log);
      if (outcome !== 'done') return outcome === 'stopped' ? 0 : 1;
    }
  } catch (error) {
    if (!(error instanceof EntrypointError)) throw error;
    await log.entrypoint('ERROR', error.message);
    return 1;
  }
  return mysqld(applet, words);
}

/** Fills the empty data directory. */
async function initialise(applet: Applet, given: Settings, words: readonly string[], log: ServerLog): Promise<'done' | 'stopped' | 'failed'> {
  const { process, fs } = applet;
  await log.entrypoint('Note', 'Initializing database files');
  await log.server('MY-015017', 'MySQL Server Initialization - start.');
  await log.server('MY-013169', `/usr/sbin/mysqld (mysqld ${VERSION}) initializing of server in progress as process ${process.pid + 79}`);
  // A disk of its own has this directory: a mount needs a subPath.
  if (fs.exists(`${DATA_DIRECTORY}/lost+found`)) {
    await log.server('MY-010457', '--initialize specified but the data directory has files in it. Aborting.', 'ERROR');
    await log.server(
      'MY-013236',
      `The designated data directory ${DATA_DIRECTORY}/ is unusable. You can remove all files that the server added to it.`,
      'ERROR',
    );
    await log.server('MY-010119', 'Aborting', 'ERROR');
    return 'failed';
  }
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.onSignal(signal, () => {
      stopping = true;
    });
  markUnfinished(fs);
  for (let waited = 0; waited < INITIALISE_MS; waited += STEP_MS) {
    if (stopping) return 'stopped';
    await process.sleep(STEP_MS);
  }
  await log.innodb();
  await log.server(
    'MY-010453',
    'root@localhost is created with an empty password ! Please consider switching off the --initialize-insecure option.',
    'Warning',
    'Server',
    6,
  );
  await log.server('MY-015018', 'MySQL Server Initialization - end.');
  await log.entrypoint('Note', 'Database files initialized');
  await log.entrypoint('Note', 'Starting temporary server');
  const state = newState(newUuid(process));
  rotateBinlog(state);
  const options = readOptions(process, [...words, '--skip-networking', '--super-read-only=OFF', '--read-only=OFF']);
  const daemon = new Daemon(applet, state, options);
  const password = given.randomPassword ? randomUid(process.kernel.random).replace(/-/g, '').slice(0, 32) : given.rootPassword;
  for (const host of new Set(['localhost', given.rootHost]))
    state.accounts.push({
      user: 'root',
      host,
      plugin: 'caching_sha2_password',
      hash: passwordHash('caching_sha2_password', password),
      grants: [{ privileges: ['ALL PRIVILEGES'], on: { database: '*', table: '*' }, grantOption: true }],
    });
  saveState(fs, state);
  daemon.listen(undefined);
  await log.server(
    'MY-010931',
    `/usr/sbin/mysqld: ready for connections. Version: '${VERSION}'  socket: '/var/run/mysqld/mysqld.sock'  port: 0  MySQL Community Server - GPL.`,
  );
  await log.entrypoint('Note', 'Temporary server started.');
  if (given.randomPassword) await log.entrypoint('Note', `GENERATED ROOT PASSWORD: ${password}`);
  await fill(applet, daemon, given, password, log);
  await log.entrypoint('Note', 'Stopping temporary server');
  await log.server('MY-013172', `Received SHUTDOWN from user root. Shutting down mysqld (Version: ${VERSION}).`, 'System', 'Server', 10);
  daemon.close();
  await log.server('MY-010910', `/usr/sbin/mysqld: Shutdown complete (mysqld ${VERSION})  MySQL Community Server - GPL.`);
  await log.entrypoint('Note', 'Temporary server stopped');
  await process.err('\n');
  await log.entrypoint('Note', 'MySQL init process done. Ready for start up.');
  await process.err('\n');
  return stopping ? 'stopped' : 'done';
}

/** The database and the user that were asked for, then the scripts. */
async function fill(applet: Applet, daemon: Daemon, given: Settings, password: string, log: ServerLog): Promise<void> {
  const { process, fs } = applet;
  const session = daemon.server.instance.newSession('root', 'localhost', true);
  const run = (sql: string, line = 1): Promise<void> => runSql(daemon, session, sql, line);
  const quoted = (text: string): string => `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
  const name = `\`${given.database.replace(/`/g, '``')}\``;
  if (given.database !== '') {
    await log.entrypoint('Note', `Creating database ${given.database}`);
    await run(`CREATE DATABASE IF NOT EXISTS ${name}`);
    await run(`USE ${name}`);
  }
  if (given.user !== '' && given.password !== '') {
    await log.entrypoint('Note', `Creating user ${given.user}`);
    await run(`CREATE USER ${quoted(given.user)}@'%' IDENTIFIED BY ${quoted(given.password)}`);
    if (given.database !== '') {
      await log.entrypoint('Note', `Giving user ${given.user} access to schema ${given.database}`);
      await run(`GRANT ALL ON ${name.replace(/_/g, '\\_')}.* TO ${quoted(given.user)}@'%'`);
    }
  }
  for (const file of fs.exists(SCRIPTS) ? fs.readdir(SCRIPTS) : []) {
    const path = `${SCRIPTS}/${file}`;
    if (!/\.(sh|sql|sql\.gz)$/.test(file)) {
      await log.entrypoint('Warn', `/usr/local/bin/docker-entrypoint.sh: ignoring ${path}`);
      continue;
    }
    const sourced = file.endsWith('.sh') && (fs.stat(path).mode & 0o111) === 0;
    await log.entrypoint('Note', `/usr/local/bin/docker-entrypoint.sh: ${sourced ? 'sourcing' : 'running'} ${path}`);
    if (file.endsWith('.sql')) {
      const { statements, rest } = splitStatements(fs.readText(path));
      for (const { sql, line } of rest.trim() === '' ? statements : [...statements, { sql: rest.trim(), line: 1 }]) await run(sql, line);
      await process.err('\n');
      continue;
    }
    const words = file.endsWith('.sh') ? ['bash', path] : ['sh', '-c', `gunzip -c ${path} | mysql ${given.database}`];
    const env = new Map([...process.env, ['MYSQL_PWD', password]]);
    const status = await process.guard(process.spawn(words, { env: file.endsWith('.sh') ? process.env : env }).exited);
    if (status.code !== 0) throw new EntrypointError(`${path}: exit status ${status.code}`);
  }
}

async function runSql(daemon: Daemon, session: Session, sql: string, line: number): Promise<void> {
  const answer = await daemon.server.instance.query(session, sql);
  if ('error' in answer) throw new EntrypointError(`ERROR ${answer.error[0]} (${answer.error[1]}) at line ${line}: ${answer.error[2]}`);
}

export const entrypointProgram = program('', async (applet) => {
  const [command, ...rest] = applet.process.argv.slice(1);
  if (command === undefined || command === 'mysqld') return entrypoint(applet, rest);
  if (command.startsWith('-')) return entrypoint(applet, [command, ...rest]);
  return applet.process.exec([command, ...rest]);
});
