import type { CheckDefinition, ColumnDefinition, ForeignKey, KeyDefinition } from './sql-ast.ts';
import { SqlError } from './sql-error.ts';
import { collate, orderValues, type SqlValue, toText } from './sql-value.ts';

/**
 * Tables as InnoDB keeps them: committed versions of rows, and transactions that read their own moment and lock what they
 * change. Left out: gap locks, purge of deleted rows as a thing of its own, tablespaces.
 */

/** One stored row; `versions` ends with the newest, null meaning deleted. */
interface StoredRow {
  id: number;
  versions: { at: number; values: readonly SqlValue[] | null }[];
}

export interface Row {
  id: number;
  values: readonly SqlValue[];
}

export interface Table {
  database: string;
  name: string;
  columns: ColumnDefinition[];
  keys: KeyDefinition[];
  foreignKeys: ForeignKey[];
  checks: CheckDefinition[];
  /** The next AUTO_INCREMENT value. */
  autoIncrement: bigint;
  nextRow: number;
  rows: Map<number, StoredRow>;
  /** Per unique key: entry → row id, of what is committed. */
  unique: Map<KeyDefinition, Map<string, number>>;
  /** Entries that open transactions have taken. */
  claims: Map<string, { by: Transaction; row: number }>;
  /** Rows in primary key order; undefined: to be sorted again. */
  ordered: StoredRow[] | undefined;
}

export type Databases = Map<string, Map<string, Table>>;

/** What a transaction changed, as row-based binary logging records it. */
export type Change =
  | { kind: 'insert'; database: string; table: string; after: readonly SqlValue[] }
  | { kind: 'update'; database: string; table: string; before: readonly SqlValue[]; after: readonly SqlValue[] }
  | { kind: 'delete'; database: string; table: string; before: readonly SqlValue[] }
  | { kind: 'schema'; database: string; sql: string };

export type IsolationLevel = 'READ-UNCOMMITTED' | 'READ-COMMITTED' | 'REPEATABLE-READ' | 'SERIALIZABLE';

/** Thrown when a lock is held by others: the statement is undone and tried again when they are done. */
export class LockWait extends Error {
  readonly blockers: readonly Transaction[];
  constructor(blockers: readonly Transaction[]) {
    super('lock wait');
    this.blockers = blockers;
  }
}

export class Transaction {
  readonly level: IsolationLevel;
  /** Reads see what was committed up to here; undefined: no read yet. */
  snapshot: number | undefined;
  readonly writes = new Map<Table, Map<number, readonly SqlValue[] | null>>();
  readonly touched = new Set<Table>();
  readonly locks = new Set<string>();
  readonly undo: (() => void)[] = [];
  readonly savepoints: { name: string; mark: number }[] = [];
  changes: Change[] = [];
  waitingFor: readonly Transaction[] = [];

  constructor(level: IsolationLevel) {
    this.level = level;
  }
}

export interface Duplicate {
  key: KeyDefinition;
  row: Row;
  entry: string;
}

export const columnIndex = (table: Pick<Table, 'columns'>, name: string): number => {
  const lower = name.toLowerCase();
  return table.columns.findIndex((column) => column.name.toLowerCase() === lower);
};

export const keyIndexes = (table: Pick<Table, 'columns'>, columns: readonly string[]): number[] => columns.map((name) => columnIndex(table, name));

/** What makes an entry of a unique key; undefined when a part is NULL. */
function entryOf(table: Table, key: KeyDefinition, values: readonly SqlValue[]): string | undefined {
  const parts: string[] = [];
  for (const at of keyIndexes(table, key.columns)) {
    const value = values[at] ?? null;
    if (value === null) return undefined;
    parts.push(typeof value === 'string' ? collate(value) : toText(value));
  }
  return parts.join('\0');
}

export function createTable(database: string, parts: Pick<Table, 'name' | 'columns' | 'keys' | 'foreignKeys' | 'checks' | 'autoIncrement'>): Table {
  const table: Table = { ...parts, database, nextRow: 1, rows: new Map(), unique: new Map(), claims: new Map(), ordered: [] };
  rebuildKeys(table);
  return table;
}

/** After keys or columns changed. Throws 1062 when rows collide. */
export function rebuildKeys(table: Table): void {
  table.unique = new Map();
  table.ordered = undefined;
  for (const key of table.keys) {
    if (key.kind === 'index') continue;
    const entries = new Map<string, number>();
    for (const row of table.rows.values()) {
      const values = row.versions.at(-1)?.values;
      const entry = values ? entryOf(table, key, values) : undefined;
      if (entry === undefined) continue;
      if (entries.has(entry)) throw duplicateError(table, { key, entry: shownEntry(table, key, values ?? []) });
      entries.set(entry, row.id);
    }
    table.unique.set(key, entries);
  }
}

const shownEntry = (table: Table, key: KeyDefinition, values: readonly SqlValue[]): string =>
  keyIndexes(table, key.columns)
    .map((at) => toText(values[at] ?? null))
    .join('-');

export function duplicateError(table: Table, duplicate: { key: KeyDefinition; entry: string }): SqlError {
  return new SqlError(1062, '23000', `Duplicate entry '${duplicate.entry.slice(0, 64)}' for key '${table.name}.${duplicate.key.name}'`);
}

export class Store {
  databases: Databases = new Map();
  #sequence = 1;
  #active = new Set<Transaction>();
  #locks = new Map<string, { exclusive: boolean; owners: Set<Transaction> }>();
  #released = new Set<() => void>();

  begin(level: IsolationLevel): Transaction {
    const transaction = new Transaction(level);
    this.#active.add(transaction);
    return transaction;
  }

  get transactions(): ReadonlySet<Transaction> {
    return this.#active;
  }

  /** START TRANSACTION WITH CONSISTENT SNAPSHOT. */
  takeSnapshot(transaction: Transaction): void {
    transaction.snapshot = this.#sequence;
  }

  /** Calls back once when some lock was given up. */
  onRelease(listener: () => void): void {
    this.#released.add(listener);
  }

  // ---- reading ----

  #ordered(table: Table): StoredRow[] {
    if (table.ordered) return table.ordered;
    const key = clusteredKey(table);
    const rows = [...table.rows.values()];
    if (key) {
      const at = keyIndexes(table, key.columns);
      const values = (row: StoredRow): readonly SqlValue[] => row.versions.at(-1)?.values ?? row.versions.at(-2)?.values ?? [];
      rows.sort((a, b) => compareAt(at, values(a), values(b)));
    }
    table.ordered = rows;
    return rows;
  }

  /** Rows that a plain SELECT of this transaction sees ('snapshot'), or that a change works on ('current'), in primary key order. */
  scan(transaction: Transaction, table: Table, how: 'snapshot' | 'current'): Row[] {
    transaction.touched.add(table);
    const own = transaction.writes.get(table);
    let limit = Number.POSITIVE_INFINITY;
    if (how === 'snapshot' && (transaction.level === 'REPEATABLE-READ' || transaction.level === 'SERIALIZABLE')) {
      transaction.snapshot ??= this.#sequence;
      limit = transaction.snapshot;
    }
    const dirty = how === 'snapshot' && transaction.level === 'READ-UNCOMMITTED';
    const writes = dirty ? [...this.#active].flatMap((one) => one.writes.get(table) ?? []) : own ? [own] : [];
    const rows: Row[] = [];
    for (const row of this.#ordered(table)) {
      if (writes.some((one) => one.has(row.id))) continue;
      const values = row.versions.findLast((version) => version.at <= limit)?.values;
      if (values) rows.push({ id: row.id, values });
    }
    if (writes.length === 0) return rows;
    for (const one of writes) for (const [id, values] of one) if (values) rows.push({ id, values });
    const key = clusteredKey(table);
    const at = key ? keyIndexes(table, key.columns) : [];
    return rows.sort((a, b) => compareAt(at, a.values, b.values) || a.id - b.id);
  }

  /** The row as a change of this transaction would find it. */
  current(transaction: Transaction, table: Table, id: number): readonly SqlValue[] | null {
    const own = transaction.writes.get(table);
    return own?.has(id) ? (own.get(id) ?? null) : (table.rows.get(id)?.versions.at(-1)?.values ?? null);
  }

  /** The row that a logged row stands for: by its primary key, else by all its values. */
  locate(transaction: Transaction, table: Table, values: readonly SqlValue[]): Row | undefined {
    const key = clusteredKey(table);
    const entry = key && entryOf(table, key, values);
    if (key && entry !== undefined) {
      const id = table.claims.get(`${key.name}\0${entry}`)?.row ?? table.unique.get(key)?.get(entry);
      const found = id === undefined ? null : this.current(transaction, table, id);
      return id !== undefined && found && entryOf(table, key, found) === entry ? { id, values: found } : undefined;
    }
    return this.scan(transaction, table, 'current').find((row) => row.values.every((value, i) => orderValues(value, values[i] ?? null) === 0));
  }

  // ---- locks ----

  /** Takes a lock on a row or keeps the one it has. Throws LockWait. */
  lock(transaction: Transaction, table: Table, row: number, exclusive: boolean): void {
    transaction.touched.add(table);
    const name = `${table.database}\0${table.name}\0${row}`;
    const lock = this.#locks.get(name);
    if (!lock) this.#locks.set(name, { exclusive, owners: new Set([transaction]) });
    else {
      const others = [...lock.owners].filter((one) => one !== transaction);
      if (others.length > 0 && (exclusive || lock.exclusive)) throw new LockWait(others);
      lock.owners.add(transaction);
      lock.exclusive ||= exclusive;
    }
    transaction.locks.add(name);
  }

  isLockedByOthers(transaction: Transaction, table: Table, row: number): boolean {
    const lock = this.#locks.get(`${table.database}\0${table.name}\0${row}`);
    return lock?.exclusive === true && !lock.owners.has(transaction);
  }

  /** Waits (by LockWait) until no other transaction uses the table: the metadata lock of ALTER, DROP and TRUNCATE. */
  requireAlone(table: Table, transaction?: Transaction): void {
    const users = [...this.#active].filter((one) => one !== transaction && one.touched.has(table));
    if (users.length > 0) throw new LockWait(users);
  }

  // ---- changing ----

  /** Takes the unique entries of a row to be. Returns what it collides with; then nothing was taken. Throws LockWait. */
  claim(transaction: Transaction, table: Table, id: number, values: readonly SqlValue[]): Duplicate | undefined {
    transaction.touched.add(table);
    const taken: string[] = [];
    for (const [key, entries] of table.unique) {
      const entry = entryOf(table, key, values);
      if (entry === undefined) continue;
      const name = `${key.name}\0${entry}`;
      const claim = table.claims.get(name);
      if (claim && claim.by !== transaction) throw new LockWait([claim.by]);
      const other = claim ? claim.row : entries.get(entry);
      if (other !== undefined && other !== id) {
        const found = this.current(transaction, table, other);
        if (found && entryOf(table, key, found) === entry) {
          // Somebody may be about to delete it: wait to know.
          this.lock(transaction, table, other, false);
          return { key, row: { id: other, values: found }, entry: shownEntry(table, key, values) };
        }
        const lock = this.#locks.get(`${table.database}\0${table.name}\0${other}`);
        if (lock && !lock.owners.has(transaction)) throw new LockWait([...lock.owners]);
      }
      taken.push(name);
    }
    for (const name of taken) {
      const before = table.claims.get(name);
      table.claims.set(name, { by: transaction, row: id });
      transaction.undo.push(() => (before ? table.claims.set(name, before) : table.claims.delete(name)));
    }
    return undefined;
  }

  /** Records a new state of a row (null: deleted) and its change. The caller holds the lock and the claims. */
  write(transaction: Transaction, table: Table, id: number, values: readonly SqlValue[] | null, change: Change): void {
    const own = transaction.writes.get(table) ?? new Map<number, readonly SqlValue[] | null>();
    transaction.writes.set(table, own);
    const [had, before] = [own.has(id), own.get(id)];
    // What was inserted and deleted within the transaction never was.
    if (values === null && !table.rows.has(id)) own.delete(id);
    else own.set(id, values);
    transaction.changes.push(change);
    transaction.undo.push(() => {
      if (had) own.set(id, before ?? null);
      else own.delete(id);
      transaction.changes.pop();
    });
  }

  rollbackTo(transaction: Transaction, mark: number): void {
    while (transaction.undo.length > mark) transaction.undo.pop()?.();
  }

  commit(transaction: Transaction): void {
    const at = ++this.#sequence;
    this.#active.delete(transaction);
    const oldest = Math.min(at, ...[...this.#active].map((one) => one.snapshot ?? at));
    for (const [table, writes] of transaction.writes) for (const [id, values] of writes) this.#install(table, id, values, at, oldest);
    this.#forget(transaction);
  }

  #install(table: Table, id: number, values: readonly SqlValue[] | null, at: number, oldest: number): void {
    let row = table.rows.get(id);
    const before = row?.versions.at(-1)?.values;
    for (const [key, entries] of table.unique) {
      const [old, now] = [before ? entryOf(table, key, before) : undefined, values ? entryOf(table, key, values) : undefined];
      if (old === now) continue;
      if (old !== undefined && entries.get(old) === id) entries.delete(old);
      if (now !== undefined) entries.set(now, id);
    }
    const key = clusteredKey(table);
    const place = key ? keyIndexes(table, key.columns) : [];
    if (!row) {
      row = { id, versions: [] };
      table.rows.set(id, row);
      const last = table.ordered?.at(-1);
      const lastValues = last?.versions.at(-1)?.values;
      if (!last || (lastValues && values && compareAt(place, lastValues, values) <= 0)) table.ordered?.push(row);
      else table.ordered = undefined;
    } else if (before && values && compareAt(place, before, values) !== 0) table.ordered = undefined;
    row.versions.push({ at, values });
    while (row.versions.length > 1 && (row.versions[1]?.at ?? at) <= oldest) row.versions.shift();
    if (values === null && row.versions.length === 1) {
      table.rows.delete(id);
      table.ordered = undefined;
    }
  }

  rollback(transaction: Transaction): void {
    this.rollbackTo(transaction, 0);
    this.#active.delete(transaction);
    this.#forget(transaction);
  }

  #forget(transaction: Transaction): void {
    for (const table of transaction.touched) for (const [name, claim] of table.claims) if (claim.by === transaction) table.claims.delete(name);
    for (const name of transaction.locks) {
      const lock = this.#locks.get(name);
      lock?.owners.delete(transaction);
      if (lock?.owners.size === 0) this.#locks.delete(name);
      else if (lock) lock.exclusive = false;
    }
    const waiting = [...this.#released];
    this.#released.clear();
    for (const listener of waiting) listener();
  }

  /** A committed row put in place: reading the files back, and ALTER TABLE. */
  put(table: Table, values: readonly SqlValue[]): void {
    const id = table.nextRow++;
    this.#install(table, id, values, 0, 0);
  }
}

/** The key that rows are stored by: the primary key, else the first unique key without NULL. */
function clusteredKey(table: Table): KeyDefinition | undefined {
  return (
    table.keys.find((key) => key.kind === 'primary') ??
    table.keys.find((key) => key.kind === 'unique' && keyIndexes(table, key.columns).every((at) => table.columns[at]?.nullable === false))
  );
}

function compareAt(at: readonly number[], a: readonly SqlValue[], b: readonly SqlValue[]): number {
  for (const i of at) {
    const order = orderValues(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

/** A table by name. Throws 1046, 1049, 1146. */
export function findTable(databases: Databases, name: { database?: string; name: string }, current: string | null): Table {
  const database = name.database ?? current;
  if (database === null) throw new SqlError(1046, '3D000', 'No database selected');
  const tables = databases.get(database);
  if (!tables) throw new SqlError(1049, '42000', `Unknown database '${database}'`);
  const table = tables.get(name.name);
  if (!table) throw new SqlError(1146, '42S02', `Table '${database}.${name.name}' doesn't exist`);
  return table;
}
