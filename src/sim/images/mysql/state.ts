import type { FileSystem } from '../../../unix/types.ts';
import { GtidSet } from './gtid.ts';
import { Decimal, type Packed, pack, type SqlValue, unpack } from './sql-value.ts';
import { type Change, createTable, type Databases, Store, type Table } from './store.ts';

/**
 * The data directory: one file, as the reference cluster's stand-in keeps it (corpus sts-data-is-not-copied.json). Its first
 * line holds everything as of a moment, each further line a transaction since; a start reads the one and repeats the
 * others, so that a crash loses nothing that was acknowledged.
 */

/** One transaction in the binary log. */
export interface BinlogEvent {
  /** server_uuid of the server it was committed on, and its number there: the GTID. '' without GTIDs. */
  uuid: string;
  number: number;
  atMs: number;
  changes: Change[];
  /** Written with sql_log_bin=0: for recovery only, not for replicas. */
  local?: boolean;
}

export interface BinlogFile {
  name: string;
  events: BinlogEvent[];
  sizeBytes: number;
}

export interface Account {
  user: string;
  host: string;
  plugin: 'caching_sha2_password' | 'mysql_native_password';
  /** Hexadecimal, hashed twice by the plugin's function; '' for no password. */
  hash: string;
  grants: { privileges: string[]; on: { database: string; table: string }; grantOption: boolean }[];
}

export interface SourceSettings {
  host: string;
  port: number;
  user: string;
  password: string;
  autoPosition: boolean;
  retrySeconds: number;
  delaySeconds: number;
  getPublicKey: boolean;
}

export interface ServerState {
  uuid: string;
  store: Store;
  accounts: Account[];
  binlogs: BinlogFile[];
  executed: GtidSet;
  /** Executed, and no longer in the binary logs. */
  purged: GtidSet;
  persisted: Record<string, SqlValue>;
  source: SourceSettings | undefined;
  replicaStarted: boolean;
}

interface Checkpoint extends Pick<ServerState, 'uuid' | 'accounts' | 'source' | 'replicaStarted'> {
  databases: [string, PackedTable[]][];
  executed: string;
  purged: string;
  persisted: Record<string, Packed>;
  binlogs: { name: string; sizeBytes: number; events: unknown[] }[];
  clean: boolean;
}

interface PackedTable extends Pick<Table, 'database' | 'name' | 'columns' | 'keys' | 'foreignKeys' | 'checks'> {
  autoIncrement: string;
  rows: Packed[][];
}

export const DATA_DIRECTORY = '/var/lib/mysql';
const FILE = `${DATA_DIRECTORY}/ibdata1`;

/** JSON with BIGINT and DECIMAL in it. */
const toJson = (data: unknown): string =>
  JSON.stringify(data, (_, value) => (typeof value === 'bigint' || value instanceof Decimal ? { $: pack(value) } : value));
const fromJson = (text: string): unknown =>
  JSON.parse(text, (_, value) => (value !== null && typeof value === 'object' && '$' in value ? unpack(value.$) : value));

const packRow = (row: readonly SqlValue[]): Packed[] => row.map(pack);
const unpackRow = (row: readonly Packed[]): SqlValue[] => row.map(unpack);

function mapRows<A, B>(change: object, use: (row: A) => B): object {
  const out: Record<string, unknown> = { ...change };
  for (const side of ['before', 'after']) if (side in out) out[side] = use(out[side] as A);
  return out;
}

const packEvent = (event: BinlogEvent): object => ({ ...event, changes: event.changes.map((change) => mapRows(change, packRow)) });
const unpackEvent = (event: BinlogEvent): BinlogEvent => ({ ...event, changes: event.changes.map((change) => mapRows(change, unpackRow) as Change) });

export const eventText = (event: BinlogEvent): string => `${toJson(packEvent(event))}\n`;
export const parseEvent = (text: string): BinlogEvent => unpackEvent(fromJson(text) as BinlogEvent);

export function newState(uuid: string): ServerState {
  const store = new Store();
  for (const name of ['information_schema', 'mysql', 'performance_schema', 'sys']) store.databases.set(name, new Map());
  return { uuid, store, accounts: [], binlogs: [], executed: new GtidSet(), purged: new GtidSet(), persisted: {}, source: undefined, replicaStarted: false };
}

/** Whether the volume holds a database, complete or begun. */
export const isInitialised = (fs: FileSystem): boolean => fs.exists(FILE) && fs.readFile(FILE).length > 0;

/** What was found, and the transactions to be repeated. Throws SyntaxError when the file is damaged. */
export function loadState(fs: FileSystem): { state: ServerState; clean: boolean; pending: BinlogEvent[] } {
  // What comes after the last line break was being written when the server died.
  const [first = '', ...lines] = fs.readText(FILE).split('\n');
  const saved = fromJson(first) as Checkpoint;
  const state = newState(saved.uuid);
  state.store.databases = unpackDatabases(state.store, saved.databases);
  Object.assign(state, { accounts: saved.accounts, source: saved.source, replicaStarted: saved.replicaStarted });
  state.executed = GtidSet.parse(saved.executed) ?? new GtidSet();
  state.purged = GtidSet.parse(saved.purged) ?? new GtidSet();
  for (const [name, value] of Object.entries(saved.persisted)) state.persisted[name] = unpack(value);
  state.binlogs = saved.binlogs.map((file) => ({ ...file, events: file.events.map((event) => unpackEvent(event as BinlogEvent)) }));
  const pending = lines.slice(0, -1).map(parseEvent);
  for (const event of pending) keepEvent(state, event);
  return { state, clean: saved.clean, pending };
}

/** Writes everything down. Throws Errno ENOSPC when the volume is full. */
export function saveState(fs: FileSystem, state: ServerState, clean = false): void {
  const { uuid, accounts, source, replicaStarted } = state;
  const saved: Checkpoint = {
    ...{ uuid, accounts, source, replicaStarted, clean },
    databases: [...state.store.databases].map(([name, tables]) => [name, [...tables.values()].map(packTable)]),
    executed: state.executed.toString(),
    purged: state.purged.toString(),
    persisted: Object.fromEntries(Object.entries(state.persisted).map(([name, value]) => [name, pack(value)])),
    binlogs: state.binlogs.map((file) => ({ ...file, events: file.events.map(packEvent) })),
  };
  const before = fs.exists(FILE) ? fs.readFile(FILE) : undefined;
  try {
    fs.writeFile(FILE, `${toJson(saved)}\n`);
  } catch (error) {
    // Writing began by emptying the file; what it held fits.
    if (before) fs.writeFile(FILE, before);
    throw error;
  }
}

/** Before there is anything to keep: the file is there, and shows that initialisation was not finished. */
export function markUnfinished(fs: FileSystem): void {
  fs.writeFile(FILE, '');
}

/** Adds one transaction to the last binary log; it is safe when this returns. Throws Errno ENOSPC, and then nothing was added. */
export function appendEvent(fs: FileSystem, state: ServerState, event: BinlogEvent): void {
  fs.writeFile(FILE, eventText(event), { append: true });
  keepEvent(state, event);
}

function keepEvent(state: ServerState, event: BinlogEvent): void {
  const file = state.binlogs.at(-1);
  file?.events.push(event);
  if (file) file.sizeBytes += eventText(event).length;
}

/** Begins a new binary log, as every start and FLUSH LOGS do. The caller saves. */
export function rotateBinlog(state: ServerState): void {
  const number = Number(state.binlogs.at(-1)?.name.split('.')[1] ?? 0) + 1;
  state.binlogs.push({ name: `binlog.${String(number).padStart(6, '0')}`, events: [], sizeBytes: 157 });
}

/** Forgets the oldest binary logs. The caller saves. */
export function removeBinlogs(state: ServerState, count: number): void {
  for (const { events } of state.binlogs.splice(0, count)) for (const { uuid, number } of events) if (uuid !== '') state.purged.add(uuid, number);
}

function packTable(table: Table): PackedTable {
  const { database, name, columns, keys, foreignKeys, checks, autoIncrement } = table;
  const rows = [...table.rows.values()].flatMap((row) => {
    const values = row.versions.at(-1)?.values;
    return values ? [packRow(values)] : [];
  });
  return { database, name, columns, keys, foreignKeys, checks, autoIncrement: autoIncrement.toString(), rows };
}

function unpackDatabases(store: Store, data: Checkpoint['databases']): Databases {
  return new Map(
    data.map(([name, tables]) => [
      name,
      new Map(
        tables.map((packed) => {
          const table = createTable(name, { ...packed, autoIncrement: BigInt(packed.autoIncrement) });
          for (const row of packed.rows) store.put(table, unpackRow(row));
          return [packed.name, table];
        }),
      ),
    ]),
  );
}
