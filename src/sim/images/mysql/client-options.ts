import { type Applet, byteText, fromByteText } from '../../../applets/applet.ts';
import { resolveHost } from '../../../applets/resolver.ts';
import { Errno, type Socket } from '../../../unix/types.ts';
import { Connection } from './connection.ts';

/** Options that the command-line tools share, and how they connect. */

export interface ClientOptions {
  host: string;
  port: number;
  user: string;
  password: string | undefined;
  askPassword: boolean;
  database: string | undefined;
  execute: string[];
  /** Single letters (as often as given) and long names, with their values. */
  flags: Map<string, string[]>;
  rest: string[];
}

/** Ends a tool with its one line. */
export class ClientError extends Error {
  readonly code: number;
  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

const SHORT: Readonly<Record<string, string>> = { h: 'host', P: 'port', u: 'user', D: 'database', e: 'execute', S: 'socket' };
const WITH_VALUE = new Set(
  'host port user database execute socket protocol default-character-set connect-timeout defaults-file defaults-extra-file max-allowed-packet net-buffer-length prompt delimiter where ignore-table result-file ssl-mode plugin-dir default-auth set-gtid-purged character-sets-dir init-command login-path sleep count'.split(
    ' ',
  ),
);

export function parseOptions(applet: Applet): ClientOptions {
  const options: ClientOptions = {
    ...{ host: 'localhost', port: 3306, user: 'root', password: applet.process.env.get('MYSQL_PWD'), askPassword: false, database: undefined },
    ...{ execute: [], flags: new Map(), rest: [] },
  };
  const args = applet.process.argv.slice(1);
  const take = (name: string, value: string): void => {
    if (name === 'host') options.host = value;
    else if (name === 'port') options.port = Number(value);
    else if (name === 'user') options.user = value;
    else if (name === 'database') options.database = value;
    else if (name === 'execute') options.execute.push(value);
    else options.flags.set(name, [...(options.flags.get(name) ?? []), value]);
  };
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    const long = /^--([a-z][\w-]*)(?:=(.*))?$/s.exec(word);
    if (word === '--') {
      options.rest.push(...args.slice(i + 1));
      break;
    }
    if (long) {
      const name = (long[1] as string).replace(/_/g, '-');
      if (name === 'password') {
        if (long[2] === undefined) options.askPassword = true;
        else options.password = long[2];
      } else if (WITH_VALUE.has(name)) take(name, long[2] ?? args[++i] ?? '');
      else take(name, long[2] ?? '');
    } else if (/^-[A-Za-z?]/.test(word)) {
      // Letters may be joined; the first that takes a value takes what is left.
      for (let at = 1; at < word.length; at++) {
        const letter = word[at] as string;
        if (letter === 'p') {
          if (at + 1 < word.length) options.password = word.slice(at + 1);
          else options.askPassword = true;
          break;
        }
        const name = SHORT[letter];
        if (name === undefined) take(letter, '');
        else {
          take(name, word.slice(at + 1) || (args[++i] ?? ''));
          break;
        }
      }
    } else options.rest.push(word);
  }
  if (options.password !== undefined && applet.process.env.get('MYSQL_PWD') === undefined) options.flags.set('password-shown', ['']);
  return options;
}

export const errorLine = ([number, state, message]: readonly [number, string, string], line?: number): string =>
  `ERROR ${number} (${state})${line === undefined ? '' : ` at line ${line}`}: ${message}`;

/** A connection and its socket. Throws ClientError. */
export async function connect(applet: Applet, options: ClientOptions): Promise<{ connection: Connection; socket: Socket }> {
  const { process } = applet;
  if (options.askPassword && options.password === undefined) options.password = await readPassword(applet);
  if (options.flags.has('password-shown')) await applet.err(`${applet.name}: [Warning] Using a password on the command line interface can be insecure.\n`);
  const local = options.host === 'localhost' && options.flags.get('protocol')?.[0]?.toLowerCase() !== 'tcp';
  const path = options.flags.get('socket')?.[0] ?? '/var/run/mysqld/mysqld.sock';
  const noSocket = (code: number): ClientError => new ClientError(`ERROR 2002 (HY000): Can't connect to local MySQL server through socket '${path}' (${code})`);
  let [address, port] = ['127.0.0.1', options.port];
  if (local) {
    // The file says where the server is; another container of the Pod does not have it.
    if (!applet.fs.exists(path)) throw noSocket(2);
    port = Number(applet.fs.readText(path));
  } else {
    const found = options.host === 'localhost' ? { addresses: ['127.0.0.1'] } : await resolveHost(process, options.host);
    if (!('addresses' in found) || !found.addresses[0]) throw new ClientError(`ERROR 2005 (HY000): Unknown MySQL server host '${options.host}' (-2)`);
    address = found.addresses[0];
  }
  let socket: Socket;
  try {
    socket = await process.guard(process.machine.net.connect(address, port, { signal: process.signal, timeoutMs: 30_000 }));
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    if (local) throw noSocket(111);
    throw new ClientError(
      `ERROR 2003 (HY000): Can't connect to MySQL server on '${options.host}:${options.port}' (${error.code === 'ECONNREFUSED' ? 111 : error.code === 'EHOSTUNREACH' ? 113 : 110})`,
    );
  }
  const lost = new ClientError("ERROR 2013 (HY000): Lost connection to MySQL server at 'reading initial communication packet', system error: 0");
  try {
    const connection = await Connection.open({ read: () => process.guard(socket.read()), write: (bytes) => process.guard(socket.write(bytes)) });
    if (!connection) throw lost;
    if ('error' in connection) throw new ClientError(errorLine(connection.error));
    const refused = await connection.login({ user: options.user, password: options.password ?? '', database: options.database, mayShowPassword: true });
    if (refused) throw new ClientError(errorLine(refused));
    return { connection, socket };
  } catch (error) {
    socket.close();
    throw error instanceof Errno ? lost : error;
  }
}

async function readPassword(applet: Applet): Promise<string> {
  const { tty } = applet.process.stdin;
  await applet.put('Enter password: ');
  await applet.flush();
  if (tty) tty.echo = false;
  try {
    const chunk = await applet.process.stdin.read();
    return chunk ? fromByteText(byteText(chunk)).replace(/\r?\n[\s\S]*$/, '') : '';
  } finally {
    if (tty) tty.echo = true;
    await applet.put('\n');
    await applet.flush();
  }
}
