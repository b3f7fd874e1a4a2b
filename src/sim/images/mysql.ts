import { type Applet, program } from '../../applets/applet.ts';
import { dial, hostAddress } from '../../applets/net-clients.ts';
import { acceptLoop } from '../../applets/web-server.ts';
import { busyboxImage } from './base.ts';

/**
 * mysql: keeps the real image's contract as far as Kubernetes sees it: refuses to start without a root password
 * (exit code 1), writes /var/lib/mysql/ibdata1, listens on 3306, leaves with 0 on SIGTERM. It has no SQL engine yet: a
 * session on the port is `serveSession`, where one is to be added.
 */
async function mysqld(applet: Applet): Promise<number> {
  const { process, fs } = applet;
  const { env } = process;
  const given = (name: string): boolean => (env.get(name) ?? '') !== '' || (env.get(`${name}_FILE`) ?? '') !== '';
  const stamp = (): string =>
    new Date(process.kernel.now())
      .toISOString()
      .replace('T', ' ')
      .replace(/\.\d+Z$/, '+00:00');
  const note = (level: string, text: string): Promise<void> => process.err(`${stamp()} [${level}] [Entrypoint]: ${text}\n`);
  const DATA = '/var/lib/mysql';
  await note('Note', 'Entrypoint script for MySQL Server 8.1.0-1.el8 started.');
  if (!fs.exists(`${DATA}/ibdata1`)) {
    if (!given('MYSQL_ROOT_PASSWORD') && !given('MYSQL_ALLOW_EMPTY_PASSWORD') && !given('MYSQL_RANDOM_ROOT_PASSWORD')) {
      await note('ERROR', 'Database is uninitialized and password option is not specified');
      await process.err(
        '    You need to specify one of the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD\n',
      );
      return 1;
    }
    await note('Note', 'Initializing database files');
    fs.writeFile(`${DATA}/ibdata1`, '');
    await note('Note', 'Database files initialized');
  }
  let stopping = false;
  process.onSignal('SIGTERM', () => {
    stopping = true;
  });
  process.onSignal('SIGINT', () => {
    stopping = true;
  });
  await process.err(
    `${new Date(process.kernel.now()).toISOString()} 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.1.0'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL.\n`,
  );
  void acceptLoop(applet, 3306, serveSession).catch(() => {});
  // Looks at its orders once a second, as the reference cluster's stand-in does.
  while (!stopping) await process.sleep(1000);
  return 0;
}

/** What a client that connects gets: the server's greeting (protocol 10), then an error packet, since nothing speaks SQL yet. */
async function serveSession(socket: { write(bytes: Uint8Array): Promise<void>; read(): Promise<Uint8Array | null>; close(): void }): Promise<void> {
  const packet = (sequence: number, payload: number[]): Uint8Array => Uint8Array.from([payload.length & 255, payload.length >> 8, 0, sequence, ...payload]);
  const text = (value: string): number[] => [...value].map((char) => char.charCodeAt(0));
  await socket.write(
    packet(0, [
      10,
      ...text('8.1.0'),
      0,
      8,
      0,
      0,
      0,
      ...text('chartrm!'),
      0,
      0xff,
      0xf7,
      0xff,
      2,
      0,
      0xff,
      0xdf,
      21,
      ...new Array(10).fill(0),
      ...text('simulated***'),
      0,
      ...text('caching_sha2_password'),
      0,
    ]),
  );
  if (await socket.read()) await socket.write(packet(2, [0xff, 0x28, 0x04, ...text('#42000SQL is not simulated yet')]));
  socket.close();
}

/** The command-line client: connects, and says what is missing. */
async function mysql(applet: Applet): Promise<number> {
  const host = optionValue(applet.args, '-h', '--host') ?? '127.0.0.1';
  const port = Number(optionValue(applet.args, '-P', '--port') ?? 3306);
  const ip = host === 'localhost' ? '127.0.0.1' : await hostAddress(applet, host);
  const socket = await dial(applet, ip, port);
  socket.close();
  if (applet.name === 'mysqladmin' && applet.args.includes('ping')) {
    await applet.put('mysqld is alive\n');
    return 0;
  }
  await applet.err('error: SQL is not simulated yet\n');
  return 1;
}

function optionValue(args: readonly string[], short: string, long: string): string | undefined {
  for (const [i, word] of args.entries()) {
    if (word === short || word === long) return args[i + 1];
    if (word.startsWith(`${long}=`)) return word.slice(long.length + 1);
    if (word.startsWith(short) && word.length > 2 && !word.startsWith('--')) return word.slice(2);
  }
  return undefined;
}

const entrypoint = program('', async (applet) => {
  const [command, ...rest] = applet.process.argv.slice(1);
  if (command === undefined || command === 'mysqld' || command.startsWith('-')) return mysqld(applet);
  return applet.process.exec([command, ...rest]);
});

const client = program('[OPTIONS] [database]', mysql);

function mysqlImage(repository: string, tags: readonly string[], sizeBytes: number) {
  return busyboxImage({
    repository,
    tags,
    sizeBytes,
    entrypoint: ['docker-entrypoint.sh'],
    cmd: ['mysqld'],
    exposedPorts: [3306],
    env: { MYSQL_MAJOR: '8.1', MYSQL_VERSION: '8.1.0-1.el8' },
    accounts: [{ name: 'mysql', uid: 999, gid: 999, home: '/var/lib/mysql' }],
    programs: {
      '/usr/local/bin/docker-entrypoint.sh': entrypoint,
      '/usr/sbin/mysqld': program('', mysqld),
      '/usr/bin/mysql': client,
      '/usr/bin/mysqladmin': client,
    },
    build(fs) {
      fs.mkdir('/var/lib/mysql', { recursive: true });
    },
  });
}

export const mysqlImages = [
  mysqlImage('docker.io/library/mysql', ['latest', '5.7', '8', '8.0', '8.1', '8.1.0', '8.2', '8.4', '9', '9.0', 'lts'], 2130905),
  mysqlImage('docker.io/library/mariadb', ['latest', '10', '10.6', '11', '11.4', 'lts'], 105_234_117),
];
