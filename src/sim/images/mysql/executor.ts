import { implicitDefault, storeValue } from './column-values.ts';
import { compareKeys } from './evaluate.ts';
import { followChildren, requireParents } from './foreign-keys.ts';
import { INSERTED, type QueryContext, type ResultSet, type Visible } from './plan.ts';
import { Query } from './query.ts';
import type { ColumnDefinition, SqlExpression, SqlStatement, TableName } from './sql-ast.ts';
import { timestamp } from './sql-dates.ts';
import { SqlError } from './sql-error.ts';
import { declaredType } from './sql-types.ts';
import { compareValues, isTrue, type SqlValue, toInteger } from './sql-value.ts';
import { columnIndex, duplicateError, findTable, type Row, type Store, type Table, type Transaction } from './store.ts';

/** What a statement gave: rows, or how much it changed. */
export type Outcome = { result: ResultSet } | { affected: number; info?: string; insertId?: number; generated?: boolean };

export const SYSTEM_DATABASES = new Set(['mysql', 'information_schema', 'performance_schema', 'sys']);

export interface ExecutionContext extends QueryContext {
  store: Store;
  transaction: Transaction;
  foreignKeyChecks: boolean;
}

type Insert = SqlStatement & { kind: 'insert' };

/** Columns of a table as expressions see them. */
export function visibleColumns(table: Table, alias = table.name): Visible[] {
  return table.columns.map((column) => ({
    table: alias,
    database: table.database,
    name: column.name,
    type: declaredType(column.type),
    default: column.default,
  }));
}

/** Runs SELECT, INSERT, UPDATE and DELETE within a transaction. Throws SqlError and LockWait; the caller undoes. */
export class Executor {
  #context: ExecutionContext;
  #query: Query;

  constructor(context: ExecutionContext) {
    this.#context = context;
    this.#query = new Query(context);
  }

  run(statement: SqlStatement): Outcome {
    switch (statement.kind) {
      case 'select':
        return { result: this.#query.select(statement) };
      case 'insert':
        return this.#insert(statement);
      case 'update':
        return this.#update(statement);
      case 'delete':
        return this.#delete(statement);
      default:
        throw new SqlError(1235, '42000', `${statement.kind} is not simulated yet`);
    }
  }

  /** One value without a table. */
  value(expression: SqlExpression): SqlValue {
    this.#query.bind(expression, []);
    return this.#query.evaluate(expression, { row: [] });
  }

  #table(name: TableName): Table {
    const { store, database } = this.#context;
    if (SYSTEM_DATABASES.has(name.database ?? database ?? ''))
      throw new SqlError(3552, 'HY000', `Access to system schema '${name.database ?? database}' is rejected.`);
    return findTable(store.databases, name, database);
  }

  #column(table: Table, name: string): number {
    const at = columnIndex(table, name);
    if (at < 0) throw new SqlError(1054, '42S22', `Unknown column '${name}' in 'field list'`);
    return at;
  }

  // ---- INSERT, REPLACE ----

  #insert(statement: Insert): Outcome {
    const table = this.#table(statement.table);
    const names = statement.columns ?? table.columns.map((column) => column.name);
    const positions = names.map((name) => this.#column(table, name));
    const twice = names.find((_name, i) => positions.indexOf(positions[i] as number) !== i);
    if (twice !== undefined) throw new SqlError(1110, '42000', `Column '${twice}' specified twice`);
    const given: (SqlExpression | undefined)[][] =
      statement.rows ??
      (statement.query ? this.#query.select(statement.query).rows.map((row) => row.map((value): SqlExpression => ({ kind: 'literal', value }))) : []);
    if (statement.query && given.length === 0) {
      const width = this.#query.select(statement.query).columns.length;
      if (width !== positions.length) throw new SqlError(1136, '21S01', "Column count doesn't match value count at row 1");
    }
    const columns = visibleColumns(table);
    const onDuplicate = statement.onDuplicate ?? [];
    const inserted = [
      ...columns,
      ...columns.map((column) => ({ ...column, table: INSERTED })),
      ...columns.map((column) => ({ ...column, table: statement.alias ?? '\0' })),
    ];
    for (const [index, row] of given.entries()) {
      if (row.length !== positions.length && !(row.length === 0 && statement.columns === undefined))
        throw new SqlError(1136, '21S01', `Column count doesn't match value count at row ${index + 1}`);
      for (const expression of row) if (expression) this.#query.bind(expression, columns);
    }
    for (const [, expression] of onDuplicate) this.#query.bind(expression, inserted);
    const count = { affected: 0, duplicates: 0, insertId: undefined as number | undefined, generated: false };
    for (const [index, row] of given.entries()) this.#insertRow(statement, table, positions, row, index + 1, count);
    const info =
      given.length > 1 || statement.query
        ? { info: `Records: ${given.length}  Duplicates: ${count.duplicates}  Warnings: ${statement.ignore ? count.duplicates : 0}` }
        : {};
    return { affected: count.affected, ...info, ...(count.insertId === undefined ? {} : { insertId: count.insertId, generated: count.generated }) };
  }

  #insertRow(
    statement: Insert,
    table: Table,
    positions: readonly number[],
    expressions: readonly (SqlExpression | undefined)[],
    number: number,
    count: { affected: number; duplicates: number; insertId: number | undefined; generated: boolean },
  ): void {
    const { store, transaction } = this.#context;
    const values: SqlValue[] = table.columns.map(() => null);
    const filled = new Set<number>();
    for (const [i, at] of positions.entries()) {
      const expression = expressions[i];
      if (!expression) continue;
      const column = table.columns[at] as ColumnDefinition;
      values[at] = this.#store(column, this.#query.evaluate(expression, { row: values }), number, statement.ignore);
      filled.add(at);
    }
    for (const [at, column] of table.columns.entries()) if (!filled.has(at)) values[at] = this.#default(column, number, statement.ignore);
    const counter = table.columns.findIndex((column) => column.autoIncrement);
    if (counter >= 0) {
      const own = values[counter] ?? null;
      if (own === null || own === 0n) {
        values[counter] = this.#store(table.columns[counter] as ColumnDefinition, table.autoIncrement, number, false);
        if (!count.generated) count.insertId = Number(table.autoIncrement);
        count.generated = true;
      } else if (!count.generated) count.insertId = Number(toInteger(own));
      const used = toInteger(values[counter] as bigint);
      if (used >= table.autoIncrement) table.autoIncrement = used + 1n;
    }
    this.#checkRow(table, values, statement.ignore);
    for (;;) {
      const id = table.nextRow++;
      const duplicate = store.claim(transaction, table, id, values);
      if (!duplicate) {
        if (this.#context.foreignKeyChecks) requireParents(store, transaction, table, values);
        store.lock(transaction, table, id, true);
        store.write(transaction, table, id, values, { kind: 'insert', database: table.database, table: table.name, after: values });
        count.affected++;
        return;
      }
      count.duplicates++;
      if (statement.replace) {
        this.#remove(table, duplicate.row);
        count.affected++;
        continue;
      }
      if (statement.onDuplicate) {
        const row = [...duplicate.row.values, ...values, ...values];
        count.affected += this.#change(table, duplicate.row, statement.onDuplicate, number, row) ? 2 : 0;
        return;
      }
      if (!statement.ignore) throw duplicateError(table, duplicate);
      this.#context.warn(1062, duplicateError(table, duplicate).message);
      return;
    }
  }

  #default(column: ColumnDefinition, row: number, lenient: boolean): SqlValue {
    if (column.autoIncrement) return null;
    if (column.default) {
      this.#query.bind(column.default, []);
      return this.#store(column, this.#query.evaluate(column.default, { row: [] }), row, lenient);
    }
    if (column.nullable) return null;
    const message = `Field '${column.name}' doesn't have a default value`;
    if (!lenient) throw new SqlError(1364, 'HY000', message);
    this.#context.warn(1364, message);
    return implicitDefault(column);
  }

  #store(column: ColumnDefinition, value: SqlValue, row: number, lenient: boolean): SqlValue {
    return storeValue(column, value, row, (code, message) => this.#context.warn(code, message), lenient);
  }

  /** NOT NULL (1048) and CHECK (3819). */
  #checkRow(table: Table, values: SqlValue[], lenient: boolean): void {
    for (const [at, column] of table.columns.entries()) {
      if (values[at] !== null || column.nullable) continue;
      if (!lenient) throw new SqlError(1048, '23000', `Column '${column.name}' cannot be null`);
      this.#context.warn(1048, `Column '${column.name}' cannot be null`);
      values[at] = implicitDefault(column);
    }
    for (const check of table.checks) {
      this.#query.bind(check.condition, visibleColumns(table));
      const held = this.#query.evaluate(check.condition, { row: values });
      if (held !== null && !isTrue(held)) throw new SqlError(3819, 'HY000', `Check constraint '${check.name}' is violated.`);
    }
  }

  // ---- UPDATE, DELETE ----

  /** Applies SET to one row; whether anything changed. Later assignments see earlier ones. `seen` is what expressions read. */
  #change(table: Table, row: Row, set: readonly [string, SqlExpression][], number: number, seen: SqlValue[] = [...row.values], lenient = false): boolean {
    const { store, transaction } = this.#context;
    store.lock(transaction, table, row.id, true);
    for (const [name, expression] of set) {
      const at = this.#column(table, name);
      seen[at] = this.#store(table.columns[at] as ColumnDefinition, this.#query.evaluate(expression, { row: seen }), number, lenient);
    }
    const values = seen.slice(0, table.columns.length);
    this.#checkRow(table, values, lenient);
    if (values.every((value, i) => sameValue(value, row.values[i] ?? null))) return false;
    for (const [at, column] of table.columns.entries())
      if (column.onUpdateNow && !set.some(([name]) => name.toLowerCase() === column.name.toLowerCase())) values[at] = timestamp(this.#context.functions.nowMs);
    this.#replace(table, row, values);
    return true;
  }

  #replace(table: Table, row: Row, values: readonly SqlValue[], ownWill = true): void {
    const { store, transaction, foreignKeyChecks } = this.#context;
    store.lock(transaction, table, row.id, true);
    if (foreignKeyChecks) {
      // What a cascade brings is the parent's doing.
      if (ownWill) requireParents(store, transaction, table, values, row.values);
      followChildren(store, transaction, table, row.values, values, this.#writer);
    }
    const duplicate = store.claim(transaction, table, row.id, values);
    if (duplicate) throw duplicateError(table, duplicate);
    store.write(transaction, table, row.id, values, { kind: 'update', database: table.database, table: table.name, before: row.values, after: values });
  }

  #remove(table: Table, row: Row): void {
    const { store, transaction, foreignKeyChecks } = this.#context;
    store.lock(transaction, table, row.id, true);
    if (foreignKeyChecks) followChildren(store, transaction, table, row.values, undefined, this.#writer);
    store.write(transaction, table, row.id, null, { kind: 'delete', database: table.database, table: table.name, before: row.values });
  }

  readonly #writer = {
    remove: (table: Table, row: Row): void => this.#remove(table, row),
    replace: (table: Table, row: Row, values: readonly SqlValue[]): void => this.#replace(table, row, values, false),
  };

  #matching(table: Table, statement: SqlStatement & { kind: 'update' | 'delete' }): Row[] {
    const { store, transaction } = this.#context;
    const { where, orderBy, limit } = statement;
    const columns = visibleColumns(table);
    if (where) this.#query.bind(where, columns, 'where clause');
    for (const { value } of orderBy) this.#query.bind(value, columns, 'order clause');
    const all = store.scan(transaction, table, 'current');
    const rows = where ? all.filter((row) => isTrue(this.#query.evaluate(where, { row: row.values }))) : all;
    // Without a key to find them by, every row is looked at, and every row looked at is locked.
    if (!findsByKey(table, where) && (transaction.level === 'REPEATABLE-READ' || transaction.level === 'SERIALIZABLE'))
      for (const row of all) store.lock(transaction, table, row.id, true);
    const keyed = rows.map((row) => ({ row, keys: orderBy.map(({ value }) => this.#query.sortKey(value, { row: row.values })) }));
    keyed.sort((a, b) => compareKeys(orderBy, a.keys, b.keys));
    return keyed.slice(0, limit).map(({ row }) => row);
  }

  #update(statement: SqlStatement & { kind: 'update' }): Outcome {
    const table = this.#table(statement.table);
    for (const [name, expression] of statement.set) {
      this.#column(table, name);
      this.#query.bind(expression, visibleColumns(table));
    }
    const rows = this.#matching(table, statement);
    let changed = 0;
    for (const [i, row] of rows.entries()) {
      try {
        if (this.#change(table, row, statement.set, i + 1, undefined, statement.ignore)) changed++;
      } catch (error) {
        if (!statement.ignore || !(error instanceof SqlError) || error.number !== 1062) throw error;
        this.#context.warn(1062, error.message);
      }
    }
    return { affected: changed, info: `Rows matched: ${rows.length}  Changed: ${changed}  Warnings: 0` };
  }

  #delete(statement: SqlStatement & { kind: 'delete' }): Outcome {
    const table = this.#table(statement.table);
    const rows = this.#matching(table, statement);
    const { store, transaction } = this.#context;
    for (const row of rows) {
      // A cascade may have taken it already.
      const values = store.current(transaction, table, row.id);
      if (values) this.#remove(table, { id: row.id, values });
    }
    return { affected: rows.length };
  }
}

const sameValue = (a: SqlValue, b: SqlValue): boolean => a === b || (typeof a !== 'string' && typeof b !== 'string' && compareValues(a, b) === 0);

/** Whether a condition picks rows by the first column of some key. */
function findsByKey(table: Table, where: SqlExpression | undefined): boolean {
  if (!where) return false;
  if (where.kind === 'binary' && where.operator === 'and') return findsByKey(table, where.left) || findsByKey(table, where.right);
  const firsts = new Set(table.keys.map((key) => key.columns[0]?.toLowerCase()));
  const isKey = (one: SqlExpression): boolean => one.kind === 'column' && firsts.has(one.name.toLowerCase());
  if (where.kind === 'in' || where.kind === 'between') return !where.negated && isKey(where.operand);
  if (where.kind === 'is') return where.what === 'null' && !where.negated && isKey(where.operand);
  return where.kind === 'binary' && /^(=|<=>|<|<=|>|>=)$/.test(where.operator) && (isKey(where.left) || isKey(where.right));
}
