import type { FileSystem } from '../../../unix/types.ts';
import { GtidSet } from './gtid.ts';
import { Decimal, type Packed, pack, type SqlValue, unpack } from './sql-value.ts';
import { type Change, createTable, type Databases, Store, type Table } from './store.ts';

/**
 * The data directory. `ibdata1` holds everything as of a moment, the binary logs every transaction since; a start reads the
 * one and repeats the other, so that a crash loses nothing that was acknowledged. All are lines of JSON.
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

interface Checkpoint extends Pick<ServerState, 'accounts' | 'source' | 'replicaStarted'> {
  databases: [string, PackedTable[]][];
  executed: string;
  purged: string;
  persisted: Record<string, Packed>;
  /** Which events of the last binary log this already holds. */
  log: string;
  applied: number;
  clean: boolean;
}

interface PackedTable extends Pick<Table, 'database' | 'name' | 'columns' | 'keys' | 'foreignKeys' | 'checks'> {
  autoIncrement: string;
  rows: Packed[][];
}

export const DATA_DIRECTORY = '/var/lib/mysql';
const FILE = `${DATA_DIRECTORY}/ibdata1`;
const IDENTITY = `${DATA_DIRECTORY}/auto.cnf`;

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

export const eventText = (event: BinlogEvent): string => `${toJson({ ...event, changes: event.changes.map((change) => mapRows(change, packRow)) })}\n`;

export function parseEvent(text: string): BinlogEvent {
  const event = fromJson(text) as BinlogEvent;
  return { ...event, changes: event.changes.map((change) => mapRows(change, unpackRow) as Change) };
}

export function newState(uuid: string): ServerState {
  const store = new Store();
  for (const name of ['information_schema', 'mysql', 'performance_schema', 'sys']) store.databases.set(name, new Map());
  return { uuid, store, accounts: [], binlogs: [], executed: new GtidSet(), purged: new GtidSet(), persisted: {}, source: undefined, replicaStarted: false };
}

/** Whether the volume holds a database, complete or begun. */
export const isInitialised = (fs: FileSystem): boolean => fs.exists(FILE) && fs.readFile(FILE).length > 0;

/** What was found, and the events that the crash left to be repeated. Throws SyntaxError when a file is damaged. */
export function loadState(fs: FileSystem, newUuid: () => string): { state: ServerState; clean: boolean; pending: BinlogEvent[] } {
  const saved = fromJson(fs.readText(FILE)) as Checkpoint;
  let uuid = fs.exists(IDENTITY) ? /server-uuid=(\S+)/.exec(fs.readText(IDENTITY))?.[1] : undefined;
  // A data directory copied without auto.cnf gets an identity of its own.
  uuid ??= newUuid();
  const state = newState(uuid);
  state.store.databases = unpackDatabases(state.store, saved.databases);
  Object.assign(state, { accounts: saved.accounts, source: saved.source, replicaStarted: saved.replicaStarted });
  state.executed = GtidSet.parse(saved.executed) ?? new GtidSet();
  state.purged = GtidSet.parse(saved.purged) ?? new GtidSet();
  for (const [name, value] of Object.entries(saved.persisted)) state.persisted[name] = unpack(value);
  const pending: BinlogEvent[] = [];
  for (const name of fs.readdir(DATA_DIRECTORY).filter((one) => /^binlog\.\d+$/.test(one))) {
    const text = fs.readText(`${DATA_DIRECTORY}/${name}`);
    // What comes after the last line break was being written when the server died.
    const events = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map(parseEvent);
    state.binlogs.push({ name, events, sizeBytes: 157 + text.length });
    if (name === saved.log) pending.push(...events.slice(saved.applied));
    else if (name > saved.log) pending.push(...events);
  }
  return { state, clean: saved.clean, pending };
}

/** Writes everything down. Throws Errno ENOSPC when the volume is full. */
export function saveState(fs: FileSystem, state: ServerState, clean = false): void {
  const log = state.binlogs.at(-1);
  const saved: Checkpoint = {
    databases: [...state.store.databases].map(([name, tables]) => [name, [...tables.values()].map(packTable)]),
    accounts: state.accounts,
    executed: state.executed.toString(),
    purged: state.purged.toString(),
    persisted: Object.fromEntries(Object.entries(state.persisted).map(([name, value]) => [name, pack(value)])),
    source: state.source,
    replicaStarted: state.replicaStarted,
    log: log?.name ?? '',
    applied: log?.events.length ?? 0,
    clean,
  };
  fs.writeFile(FILE, toJson(saved));
  if (!fs.exists(IDENTITY) || !fs.readText(IDENTITY).includes(state.uuid)) fs.writeFile(IDENTITY, `[auto]\nserver-uuid=${state.uuid}\n`);
}

/** Before there is anything to keep: the file is there, and shows that initialisation was not finished. */
export function markUnfinished(fs: FileSystem): void {
  fs.writeFile(FILE, '');
}

/** Adds one transaction to the last binary log; it is safe when this returns. Throws Errno ENOSPC, and then nothing was added. */
export function appendEvent(fs: FileSystem, state: ServerState, event: BinlogEvent): void {
  const file = state.binlogs.at(-1);
  if (!file) return;
  const text = eventText(event);
  fs.writeFile(`${DATA_DIRECTORY}/${file.name}`, text, { append: true });
  file.events.push(event);
  file.sizeBytes += text.length;
}

/** Begins a new binary log, as every start and FLUSH LOGS do. */
export function rotateBinlog(fs: FileSystem, state: ServerState): void {
  const number = Number(state.binlogs.at(-1)?.name.split('.')[1] ?? 0) + 1;
  const name = `binlog.${String(number).padStart(6, '0')}`;
  fs.writeFile(`${DATA_DIRECTORY}/${name}`, '');
  state.binlogs.push({ name, events: [], sizeBytes: 157 });
  writeIndex(fs, state);
}

export function removeBinlogs(fs: FileSystem, state: ServerState, count: number): void {
  for (const file of state.binlogs.splice(0, count)) {
    fs.remove(`${DATA_DIRECTORY}/${file.name}`);
    for (const event of file.events) if (event.uuid !== '') state.purged.add(event.uuid, event.number);
  }
  writeIndex(fs, state);
}

function writeIndex(fs: FileSystem, state: ServerState): void {
  fs.writeFile(`${DATA_DIRECTORY}/binlog.index`, state.binlogs.map(({ name }) => `./${name}\n`).join(''));
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
