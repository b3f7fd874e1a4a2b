import { SqlError } from './sql-error.ts';
import { toNumber } from './sql-functions.ts';
import type { ColumnDefinition, KeyDefinition, SqlValue } from './sql-parser.ts';

/** One stored row; `id` identifies it in the binary log when the table has no primary key. */
export interface Row {
  id: number;
  values: SqlValue[];
}

export interface Table {
  name: string;
  columns: ColumnDefinition[];
  keys: KeyDefinition[];
  nextId: number;
  autoIncrement: number;
  rows: Row[];
}

export type Databases = Map<string, Map<string, Table>>;

/** What a statement changed, as row-based binary logging records it. */
export type Change =
  | { kind: 'insert'; database: string; table: string; row: Row }
  | { kind: 'update'; database: string; table: string; before: Row; after: Row }
  | { kind: 'delete'; database: string; table: string; row: Row }
  | { kind: 'schema'; database: string; sql: string };

export function keyText(values: readonly SqlValue[]): string {
  return values.map((value) => (value === null ? '' : String(value))).join('-');
}

const indexes = (table: Table, key: KeyDefinition): number[] =>
  key.columns.map((name) => table.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase()));

/** Rows that a new or changed row collides with, with the key; undefined: none. */
export function findDuplicate(table: Table, row: Row): { key: KeyDefinition; row: Row; entry: string } | undefined {
  for (const key of table.keys) {
    if (key.kind === 'index') continue;
    const at = indexes(table, key);
    const wanted = at.map((i) => row.values[i] ?? null);
    if (wanted.includes(null)) continue;
    const same = (other: Row): boolean => at.every((i, n) => String(other.values[i]).toLowerCase() === String(wanted[n]).toLowerCase());
    const hit = table.rows.find((other) => other !== row && other.id !== row.id && same(other)) ?? undefined;
    if (hit) return { key, row: hit, entry: keyText(wanted) };
  }
  return undefined;
}

export function duplicateError(table: Table, duplicate: { key: KeyDefinition; entry: string }): SqlError {
  return new SqlError(1062, '23000', `Duplicate entry '${duplicate.entry}' for key '${table.name}.${duplicate.key.name}'`);
}

/** The row a logged row stands for: by primary key, else by identity. */
function locate(table: Table, row: Row): number {
  const primary = table.keys.find((key) => key.kind === 'primary');
  if (!primary) return table.rows.findIndex((one) => one.id === row.id);
  const at = indexes(table, primary);
  return table.rows.findIndex((one) => at.every((i) => String(one.values[i]) === String(row.values[i])));
}

/** Repeats logged row changes. Throws 1062, 1032, 1146 as the applier of a replica stops with. */
export function applyChange(databases: Databases, change: Exclude<Change, { kind: 'schema' }>): void {
  const table = databases.get(change.database)?.get(change.table);
  if (!table) throw new SqlError(1146, '42S02', `Table '${change.database}.${change.table}' doesn't exist`);
  const missing = (): SqlError => new SqlError(1032, 'HY000', `Can't find record in '${change.table}'`);
  if (change.kind === 'insert') {
    const row = { id: change.row.id, values: [...change.row.values] };
    // The source's identity may be taken here by a row written locally.
    const duplicate = findDuplicate(table, { ...row, id: -1 });
    if (duplicate) throw duplicateError(table, duplicate);
    table.rows.push(row);
    table.nextId = Math.max(table.nextId, row.id + 1);
    const counter = table.columns.findIndex((column) => column.autoIncrement);
    if (counter >= 0) table.autoIncrement = Math.max(table.autoIncrement, toNumber(row.values[counter] ?? 0) + 1);
  } else if (change.kind === 'update') {
    const index = locate(table, change.before);
    if (index < 0) throw missing();
    table.rows[index] = { id: change.after.id, values: [...change.after.values] };
  } else {
    const index = locate(table, change.row);
    if (index < 0) throw missing();
    table.rows.splice(index, 1);
  }
}

/** Plain data and back, for the file in the volume. */
export function packDatabases(databases: Databases): unknown {
  return [...databases].map(([name, tables]) => [name, [...tables.values()]]);
}

export function unpackDatabases(data: unknown): Databases {
  return new Map((data as [string, Table[]][]).map(([name, tables]) => [name, new Map(tables.map((table) => [table.name, table]))]));
}

export function cloneDatabases(databases: Databases): Databases {
  return unpackDatabases(structuredClone(packDatabases(databases)));
}

/** A table by name. Throws 1046, 1049, 1146. */
export function findTable(
  context: { databases: Databases; database: string | null },
  name: { database?: string; name: string },
): { table: Table; database: string } {
  const database = name.database ?? context.database;
  if (database === null) throw new SqlError(1046, '3D000', 'No database selected');
  const tables = context.databases.get(database);
  if (!tables) throw new SqlError(1049, '42000', `Unknown database '${database}'`);
  const table = tables.get(name.name);
  if (!table) throw new SqlError(1146, '42S02', `Table '${database}.${name.name}' doesn't exist`);
  return { table, database };
}
