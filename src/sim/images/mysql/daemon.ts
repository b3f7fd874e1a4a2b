import type { Applet } from '../../../applets/applet.ts';
import { program } from '../../../applets/applet.ts';
import { Random, randomUid } from '../../../kernel/index.ts';
import { Errno, type Listener, type Process } from '../../../unix/types.ts';
import { MysqlServer, VERSION } from './server.ts';
import { SqlError } from './sql-error.ts';
import { type BinlogEvent, DATA_DIRECTORY, isInitialised, loadState, rotateBinlog, type ServerState, saveState } from './state.ts';
import { startVariables } from './variables.ts';

/** mysqld's own life: options, recovery, listening, the end. The image's entrypoint is in entrypoint.ts. */

export const SOCKET = '/var/run/mysqld/mysqld.sock';
/** Where the server's Unix socket really is: a port on the loopback, whose number is written in the socket's file. */
const SOCKET_PORT = 33_062;

export interface Option {
  name: string;
  value: string | undefined;
  written: string;
}

function parseOption(text: string): Option {
  const at = text.indexOf('=');
  const written = text.replace(/^--/, '').trim();
  const name = (at < 0 ? text : text.slice(0, at))
    .trim()
    .replace(/^--/, '')
    .replace(/-/g, '_')
    .replace(/^loose_/, '')
    .toLowerCase();
  if (at < 0) return { name, value: undefined, written };
  const value = text
    .slice(at + 1)
    .trim()
    .replace(/^(['"])(.*)\1$/, '$2');
  return { name, value, written: `${written.slice(0, written.indexOf('=')).trim()}=${value}` };
}

/** [mysqld] sections of /etc/my.cnf and /etc/mysql/conf.d/*.cnf, then the command line; dashes and underscores are one. */
export function readOptions(process: Process, words: readonly string[]): Option[] {
  const { fs } = process.machine;
  const directory = '/etc/mysql/conf.d';
  const included = fs.exists(directory) ? fs.readdir(directory).filter((name) => name.endsWith('.cnf')) : [];
  const options: Option[] = [];
  for (const file of ['/etc/my.cnf', ...included.map((name) => `${directory}/${name}`)]) {
    if (!fs.exists(file)) continue;
    let section = '';
    for (const line of fs.readText(file).split('\n')) {
      const text = line.replace(/(^|\s)[#;].*$/, '').trim();
      const heading = /^\[(.*)\]$/.exec(text)?.[1];
      if (heading !== undefined) section = heading;
      else if (text !== '' && !text.startsWith('!') && ['mysqld', 'server', 'mysqld-8.1'].includes(section)) options.push(parseOption(text));
    }
  }
  return [...options, ...words.filter((word) => word.startsWith('--')).map(parseOption)];
}

/** Lines of the error log, on stderr. */
export class ServerLog {
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
  }

  #clock(): string {
    return new Date(this.#process.kernel.now()).toISOString();
  }

  entrypoint(level: 'Note' | 'Warn' | 'ERROR', text: string): Promise<void> {
    return this.#process.err(
      `${this.#clock()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, '+00:00')} [${level}] [Entrypoint]: ${text}\n`,
    );
  }

  server(code: string, text: string, level: 'System' | 'Warning' | 'ERROR' = 'System', part: 'Server' | 'InnoDB' = 'Server', thread = 0): Promise<void> {
    return this.#process.err(`${this.#clock().replace('Z', '000Z')} ${thread} [${level}] [${code}] [${part}] ${text}\n`);
  }

  async innodb(): Promise<void> {
    await this.server('MY-013576', 'InnoDB initialization has started.', 'System', 'InnoDB', 1);
    await this.server('MY-013577', 'InnoDB initialization has ended.', 'System', 'InnoDB', 1);
  }
}

/** An identity of its own for every data directory. */
export const newUuid = (process: Process): string => randomUid(new Random(`mysql:${process.machine.hostname}:${process.kernel.random.uint32()}`));

/** A running server, until it is told to stop. */
export class Daemon {
  readonly server: MysqlServer;
  readonly log: ServerLog;
  readonly #applet: Applet;
  readonly #stopped: Promise<string>;
  readonly #listeners: Listener[] = [];

  constructor(applet: Applet, state: ServerState, options: readonly Option[]) {
    const { process } = applet;
    this.#applet = applet;
    this.log = new ServerLog(process);
    let stop: (who: string) => void = () => {};
    this.#stopped = new Promise((resolve) => {
      stop = resolve;
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.onSignal(signal, () => stop('<via user signal>'));
    this.server = new MysqlServer(applet, state, startVariables(options).values, () => stop('root'));
  }

  /** Repeats what the last run had logged and not yet written down, and begins a binary log of its own. */
  async recover(clean: boolean, pending: readonly BinlogEvent[]): Promise<void> {
    const { state } = this.server.instance;
    if (!clean) await this.log.server('MY-010229', 'Starting XA crash recovery...');
    for (const event of pending) this.server.instance.apply(event, false);
    if (!clean) await this.log.server('MY-010232', 'XA crash recovery finished.');
    rotateBinlog(state);
    saveState(this.#applet.fs, state);
  }

  /** On the socket only, or on the port too. Throws Errno EADDRINUSE. */
  listen(port: number | undefined): void {
    const { fs } = this.#applet;
    fs.mkdir(SOCKET.replace(/\/[^/]*$/, ''), { recursive: true });
    fs.writeFile(SOCKET, String(SOCKET_PORT));
    this.#listeners.push(this.server.listen(SOCKET_PORT, true));
    if (port !== undefined) this.#listeners.push(this.server.listen(port, false));
  }

  /** Who asked for the end. */
  untilStopped(): Promise<string> {
    return this.#applet.process.guard(this.#stopped);
  }

  close(): void {
    for (const listener of this.#listeners) listener.dispose();
    if (this.#applet.fs.exists(SOCKET)) this.#applet.fs.remove(SOCKET);
    saveState(this.#applet.fs, this.server.instance.state, true);
  }
}

/** Reads the data directory; undefined and a line in the log when it is no database. */
async function open(process: Process, log: ServerLog): Promise<ReturnType<typeof loadState> | undefined> {
  const { fs } = process.machine;
  try {
    if (isInitialised(fs)) return loadState(fs);
    await log.server(
      'MY-013236',
      `The designated data directory ${DATA_DIRECTORY}/ is unusable. You can remove all files that the server added to it.`,
      'ERROR',
    );
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof SqlError)) throw error;
    await log.server('MY-012224', 'Header page contains inconsistent data in datafile: ibdata1.', 'ERROR', 'InnoDB', 1);
    await log.server('MY-010334', 'Failed to initialize DD Storage Engine', 'ERROR');
    await log.server('MY-010020', 'Data Dictionary initialization failed.', 'ERROR');
  }
  await log.server('MY-010119', 'Aborting', 'ERROR');
  return undefined;
}

export async function mysqld(applet: Applet, words: readonly string[]): Promise<number> {
  const { process } = applet;
  const log = new ServerLog(process);
  const options = readOptions(process, words);
  const { bad } = startVariables(options);
  if (bad !== undefined) {
    await log.server('MY-000067', `${bad}.`, 'ERROR');
    await log.server('MY-010119', 'Aborting', 'ERROR');
    return 1;
  }
  await log.server('MY-015015', 'MySQL Server - start.');
  await log.server('MY-010116', `/usr/sbin/mysqld (mysqld ${VERSION}) starting as process ${process.pid}`);
  const found = await open(process, log);
  if (!found) return 1;
  await log.innodb();
  const daemon = new Daemon(applet, found.state, options);
  try {
    await daemon.recover(found.clean, found.pending);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    await log.server('MY-012592', 'Operating system error number 28 in a file operation.', 'ERROR', 'InnoDB', 1);
    await log.server('MY-012640', "Error number 28 means 'No space left on device'", 'ERROR', 'InnoDB', 1);
    await log.server('MY-010119', 'Aborting', 'ERROR');
    return 1;
  }
  const port = Number(daemon.server.instance.variable(undefined, 'port') ?? 3306);
  const networked = daemon.server.instance.variable(undefined, 'skip_networking') !== 1n;
  try {
    daemon.listen(networked ? port : undefined);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    await log.server('MY-010262', `Can't start server: Bind on TCP/IP port: ${error.message}`, 'ERROR');
    await log.server('MY-010257', `Do you already have another mysqld server running on port: ${port} ?`, 'ERROR');
    await log.server('MY-010119', 'Aborting', 'ERROR');
    return 1;
  }
  if (!options.some(({ name }) => name === 'skip_replica_start' || name === 'skip_slave_start')) daemon.server.replica.resume();
  await log.server(
    'MY-010931',
    `/usr/sbin/mysqld: ready for connections. Version: '${VERSION}'  socket: '${SOCKET}'  port: ${networked ? port : 0}  MySQL Community Server - GPL.`,
  );
  const who = await daemon.untilStopped();
  // Takes its time as the reference cluster's stand-in does, which looks at its orders once a second (corpus sts-scale.json).
  await process.sleep(1000 - ((process.kernel.now() - daemon.server.instance.startedMs) % 1000));
  await log.server('MY-013172', `Received SHUTDOWN from user ${who}. Shutting down mysqld (Version: ${VERSION}).`);
  try {
    daemon.close();
  } catch (error) {
    // A full volume: what was acknowledged is in the binary log, and the next start finds it there.
    if (!(error instanceof Errno)) throw error;
  }
  await log.server('MY-010910', `/usr/sbin/mysqld: Shutdown complete (mysqld ${VERSION})  MySQL Community Server - GPL.`);
  await log.server('MY-015016', 'MySQL Server - end.');
  return 0;
}

export const mysqldProgram = program('[OPTIONS]', (applet) => mysqld(applet, applet.process.argv.slice(1)));
