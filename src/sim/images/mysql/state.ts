import type { FileSystem } from '../../../unix/types.ts';
import { type Change, type Databases, packDatabases, unpackDatabases } from './database.ts';
import type { SqlValue } from './sql-parser.ts';

/** One transaction in the binary log. */
export interface BinlogEvent {
  /** server_uuid of the server it was committed on, and its number there: the GTID. */
  uuid: string;
  number: number;
  atMs: number;
  changes: Change[];
}

export interface Account {
  user: string;
  host: string;
  password: string;
  grants: { privileges: string; on: string }[];
}

export interface SourceSettings {
  host: string;
  port: number;
  user: string;
  password: string;
  autoPosition: boolean;
  retrySeconds: number;
  delaySeconds: number;
}

/** Everything a server keeps in its data directory: written after every commit, read back after a restart or a crash. */
export interface ServerState {
  uuid: string;
  databases: Databases;
  accounts: Account[];
  binlog: BinlogEvent[];
  /** Highest number per server uuid: gtid_executed. */
  executed: Record<string, number>;
  persisted: Record<string, SqlValue>;
  source: SourceSettings | undefined;
  replicaStarted: boolean;
}

const FILE = '/var/lib/mysql/ibdata1';

/** Undefined: the volume holds no (complete) database. */
export function loadState(fs: FileSystem): ServerState | undefined {
  if (!fs.exists(FILE)) return undefined;
  try {
    const data = JSON.parse(fs.readText(FILE)) as Omit<ServerState, 'databases'> & { databases: unknown };
    return { ...data, databases: unpackDatabases(data.databases) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Throws Errno ENOSPC when the volume is full. */
export function saveState(fs: FileSystem, state: ServerState): void {
  fs.writeFile(FILE, JSON.stringify({ ...state, databases: packDatabases(state.databases) }));
}

/** Before there is anything to keep: the file is there, and shows that initialisation was not finished. */
export function markUnfinished(fs: FileSystem): void {
  fs.writeFile(FILE, '');
}

export function newState(uuid: string): ServerState {
  return {
    uuid,
    databases: new Map([
      ['information_schema', new Map()],
      ['mysql', new Map()],
      ['performance_schema', new Map()],
      ['sys', new Map()],
    ]),
    accounts: [],
    binlog: [],
    executed: {},
    persisted: {},
    source: undefined,
    replicaStarted: false,
  };
}

/** "uuid:1-5,\nuuid2:1". */
export function gtidText(executed: Readonly<Record<string, number>>): string {
  return Object.entries(executed)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([uuid, last]) => `${uuid}:${last === 1 ? '1' : `1-${last}`}`)
    .join(',\n');
}
