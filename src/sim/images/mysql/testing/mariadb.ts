import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection, type Reply } from '../connection.ts';

/** A real MariaDB, where one is installed, on a socket in a directory of its own: what our engine is compared with. */
const SERVER = ['/usr/sbin/mariadbd', '/usr/sbin/mysqld'].find(existsSync);
const INSTALL = ['/usr/bin/mariadb-install-db', '/usr/bin/mysql_install_db'].find(existsSync);
const SQL_MODE = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

/** Why there is nothing to compare with; undefined: there is. */
export const whyNoMariadb = SERVER && INSTALL ? undefined : 'no MariaDB server is installed here (Debian: mariadb-server)';

export interface RealServer {
  connect(): Promise<{ query(sql: string): Promise<Reply | undefined>; close(): void }>;
  stop(): void;
}

function streamOf(socket: Socket) {
  const chunks: Uint8Array[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    wake?.();
  });
  socket.on('close', () => {
    ended = true;
    wake?.();
  });
  return {
    async read(): Promise<Uint8Array | null> {
      while (chunks.length === 0 && !ended)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return chunks.shift() ?? null;
    },
    write: (bytes: Uint8Array) => new Promise<void>((resolve) => socket.write(bytes, () => resolve())),
  };
}

export async function startMariadb(): Promise<RealServer> {
  const directory = mkdtempSync(join(tmpdir(), 'mariadb-'));
  const data = join(directory, 'data');
  const path = join(directory, 'socket');
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  spawnSync(INSTALL as string, ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...user], {
    stdio: 'ignore',
  });
  const server: ChildProcess = spawn(
    SERVER as string,
    [
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${path}`,
      '--skip-networking',
      `--pid-file=${join(directory, 'pid')}`,
      '--character-set-server=utf8mb4',
      '--collation-server=utf8mb4_uca1400_nopad_ai_ci',
      `--sql-mode=${SQL_MODE}`,
      '--default-time-zone=+00:00',
      '--innodb-flush-log-at-trx-commit=0',
      ...user,
    ],
    { stdio: 'ignore' },
  );
  const open = async () => {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const connection = await Connection.open(streamOf(socket));
    if (!(connection instanceof Connection)) throw new Error('MariaDB refused the connection');
    const refused = await connection.login({ user: 'root', password: '', mayShowPassword: false });
    if (refused) throw new Error(refused[2]);
    // The newest client of the time sends utf8mb4 with its own collation; names and literals must compare alike.
    await connection.query('SET NAMES utf8mb4 COLLATE utf8mb4_uca1400_nopad_ai_ci');
    return { query: (sql: string) => connection.query(sql), close: () => socket.destroy() };
  };
  for (let attempt = 0; ; attempt++) {
    try {
      (await open()).close();
      break;
    } catch (error) {
      if (attempt > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    connect: open,
    stop() {
      server.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
