import type { ForeignKey, ReferenceAction } from './sql-ast.ts';
import { SqlError } from './sql-error.ts';
import { compareValues, type SqlValue } from './sql-value.ts';
import { keyIndexes, type Row, type Store, type Table, type Transaction } from './store.ts';

/** What a change of rows asks of foreign keys. */
export interface RowWriter {
  remove(table: Table, row: Row): void;
  replace(table: Table, row: Row, values: readonly SqlValue[]): void;
}

export const constraintText = (key: ForeignKey, database: string): string => {
  const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');
  const table = `${key.table.database !== undefined && key.table.database !== database ? `\`${key.table.database}\`.` : ''}\`${key.table.name}\``;
  const action = (event: string, what: ReferenceAction): string => (what === 'no action' ? '' : ` ON ${event} ${what.toUpperCase()}`);
  return `CONSTRAINT \`${key.name}\` FOREIGN KEY (${list(key.columns)}) REFERENCES ${table} (${list(key.references)})${action('DELETE', key.onDelete)}${action('UPDATE', key.onUpdate)}`;
};

const fails = (number: 1451 | 1452, child: Table, key: ForeignKey): SqlError =>
  new SqlError(
    number,
    '23000',
    `Cannot ${number === 1452 ? 'add or update a child row' : 'delete or update a parent row'}: a foreign key constraint fails (\`${child.database}\`.\`${child.name}\`, ${constraintText(key, child.database)})`,
  );

/** Tables that refer to this one, with the key. */
export function referencesTo(store: Store, table: Table): { child: Table; key: ForeignKey }[] {
  return [...store.databases.values()].flatMap((tables) =>
    [...tables.values()].flatMap((child) =>
      child.foreignKeys.flatMap((key) => (key.table.name === table.name && (key.table.database ?? child.database) === table.database ? [{ child, key }] : [])),
    ),
  );
}

const sameAt = (a: readonly SqlValue[], at: readonly number[], b: readonly SqlValue[], bt: readonly number[]): boolean =>
  at.every((i, n) => compareValues(a[i] ?? null, b[bt[n] as number] ?? null) === 0);

/** Error 1452 unless the parents of a row to be exist; they are share-locked. */
export function requireParents(store: Store, transaction: Transaction, table: Table, values: readonly SqlValue[], before?: readonly SqlValue[]): void {
  for (const key of table.foreignKeys) {
    const at = keyIndexes(table, key.columns);
    if (at.some((i) => (values[i] ?? null) === null) || (before && sameAt(values, at, before, at))) continue;
    const parent = store.databases.get(key.table.database ?? table.database)?.get(key.table.name);
    if (!parent) throw fails(1452, table, key);
    const parentAt = keyIndexes(parent, key.references);
    // A row may be its own parent.
    if (parent === table && sameAt(values, at, values, parentAt)) continue;
    const found = store.scan(transaction, parent, 'current').find((row) => sameAt(row.values, parentAt, values, at));
    if (!found) throw fails(1452, table, key);
    store.lock(transaction, parent, found.id, false);
  }
}

/** What happens to the children of a row that goes (no `after`) or changes: error 1451, or the key's action. */
export function followChildren(
  store: Store,
  transaction: Transaction,
  table: Table,
  before: readonly SqlValue[],
  after: readonly SqlValue[] | undefined,
  writer: RowWriter,
): void {
  for (const { child, key } of referencesTo(store, table)) {
    const parentAt = keyIndexes(table, key.references);
    if (parentAt.some((i) => (before[i] ?? null) === null) || (after && sameAt(before, parentAt, after, parentAt))) continue;
    const at = keyIndexes(child, key.columns);
    const action = after ? key.onUpdate : key.onDelete;
    for (const row of store.scan(transaction, child, 'current')) {
      if (!sameAt(row.values, at, before, parentAt)) continue;
      if (child === table && sameAt(row.values, parentAt, before, parentAt) && !after) continue;
      if (action === 'no action' || action === 'restrict') throw fails(1451, child, key);
      if (action === 'cascade' && !after) writer.remove(child, row);
      else {
        const values = [...row.values];
        for (const [n, i] of at.entries()) values[i] = action === 'set null' ? null : ((after ?? [])[parentAt[n] as number] ?? null);
        writer.replace(child, row, values);
      }
    }
  }
}
