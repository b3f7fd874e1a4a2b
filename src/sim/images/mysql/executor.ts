import { type Change, type Databases, duplicateError, findDuplicate, findTable, type Row, type Table } from './database.ts';
import { orderValues, Query, type QueryContext, type ResultSet } from './query.ts';
import { SqlError } from './sql-error.ts';
import { timestamp, toNumber, toText } from './sql-functions.ts';
import type { ColumnDefinition, KeyDefinition, SqlExpression, SqlStatement, SqlValue } from './sql-parser.ts';

/** What a statement gave: rows, or how much it changed. */
export type Outcome = { result: ResultSet } | { affected: number; info?: string; insertId?: number };

const SYSTEM = new Set(['mysql', 'information_schema', 'performance_schema', 'sys']);

/** Runs data statements on a set of databases and records every change. */
export class Executor {
  #context: QueryContext;
  #query: Query;
  readonly changes: Change[] = [];

  constructor(context: QueryContext) {
    this.#context = context;
    this.#query = new Query(context);
  }

  run(statement: SqlStatement, sql: string): Outcome {
    switch (statement.kind) {
      case 'select':
        return { result: this.#query.select(statement) };
      case 'insert':
        return this.#insert(statement);
      case 'update':
        return this.#update(statement);
      case 'delete':
        return this.#delete(statement);
      case 'truncate': {
        const { table } = this.#table(statement.table);
        table.rows = [];
        table.autoIncrement = 1;
        return this.#schema(sql);
      }
      case 'create-database':
        if (this.#databases.has(statement.name)) {
          if (statement.tolerant) return { affected: 1 };
          throw new SqlError(1007, 'HY000', `Can't create database '${statement.name}'; database exists`);
        }
        this.#databases.set(statement.name, new Map());
        return { ...this.#schema(sql), affected: 1 };
      case 'drop-database': {
        if (SYSTEM.has(statement.name)) throw new SqlError(3552, 'HY000', `Access to system schema '${statement.name}' is rejected.`);
        const tables = this.#databases.get(statement.name);
        if (!tables) {
          if (statement.tolerant) return { affected: 0 };
          throw new SqlError(1008, 'HY000', `Can't drop database '${statement.name}'; database doesn't exist`);
        }
        this.#databases.delete(statement.name);
        return { ...this.#schema(sql), affected: tables.size };
      }
      case 'create-table':
        return this.#createTable(statement, sql);
      case 'drop-table': {
        for (const name of statement.tables) {
          const database = this.#database(name.database);
          if (!this.#databases.get(database)?.delete(name.name) && !statement.tolerant)
            throw new SqlError(1051, '42S02', `Unknown table '${database}.${name.name}'`);
        }
        return this.#schema(sql);
      }
      case 'alter-table':
        return this.#alter(statement, sql);
      default:
        throw new SqlError(1235, '42000', `This version of MySQL doesn't yet support '${statement.kind}'`);
    }
  }

  get #databases(): Databases {
    return this.#context.databases;
  }

  #database(name: string | undefined): string {
    const database = name ?? this.#context.database;
    if (database === null) throw new SqlError(1046, '3D000', 'No database selected');
    if (!this.#databases.has(database)) throw new SqlError(1049, '42000', `Unknown database '${database}'`);
    if (SYSTEM.has(database)) throw new SqlError(1044, '42000', `Access denied for user to database '${database}'`);
    return database;
  }

  #table(name: { database?: string; name: string }): { table: Table; database: string } {
    return findTable(this.#context, name);
  }

  #schema(sql: string): { affected: number } {
    this.changes.push({ kind: 'schema', database: this.#context.database ?? '', sql });
    return { affected: 0 };
  }

  #createTable(statement: SqlStatement & { kind: 'create-table' }, sql: string): Outcome {
    const database = this.#database(statement.table.database);
    const tables = this.#databases.get(database) as Map<string, Table>;
    const { name } = statement.table;
    if (tables.has(name)) {
      if (statement.tolerant) return { affected: 0 };
      throw new SqlError(1050, '42S01', `Table '${name}' already exists`);
    }
    const source = statement.like ? this.#table(statement.like).table : undefined;
    const columns = structuredClone(source?.columns ?? statement.columns);
    const keys = structuredClone(source?.keys ?? statement.keys);
    if (columns.length === 0) throw new SqlError(1113, '42000', 'A table must have at least 1 column');
    checkKeys(columns, keys);
    tables.set(name, { name, columns, keys, nextId: 1, autoIncrement: 1, rows: [] });
    return this.#schema(sql);
  }

  #alter(statement: SqlStatement & { kind: 'alter-table' }, sql: string): Outcome {
    const { table, database } = this.#table(statement.table);
    for (const { column, keys } of statement.add) {
      if (table.columns.some((one) => one.name.toLowerCase() === column.name.toLowerCase()))
        throw new SqlError(1060, '42S21', `Duplicate column name '${column.name}'`);
      table.columns.push(column);
      table.keys.push(...keys);
      const value = column.default ? this.#query.evaluateOn(column.default, undefined, []) : column.nullable ? null : /char|text/.test(column.type) ? '' : 0;
      for (const row of table.rows) row.values.push(value);
    }
    for (const name of statement.drop) {
      const at = table.columns.findIndex((one) => one.name.toLowerCase() === name.toLowerCase());
      if (at < 0) throw new SqlError(1091, '42000', `Can't DROP '${name}'; check that column/key exists`);
      table.columns.splice(at, 1);
      for (const row of table.rows) row.values.splice(at, 1);
    }
    checkKeys(table.columns, [...table.keys, ...statement.addKeys]);
    table.keys.push(...statement.addKeys);
    if (statement.rename) {
      const tables = this.#databases.get(database) as Map<string, Table>;
      tables.delete(table.name);
      table.name = statement.rename;
      tables.set(table.name, table);
    }
    return this.#schema(sql);
  }

  #insert(statement: SqlStatement & { kind: 'insert' }): Outcome {
    const { table, database } = this.#table(statement.table);
    if (SYSTEM.has(database)) throw new SqlError(1044, '42000', `Access denied for user to database '${database}'`);
    const names = statement.columns ?? table.columns.map((column) => column.name);
    const positions = names.map((name) => {
      const at = table.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
      if (at < 0) throw new SqlError(1054, '42S22', `Unknown column '${name}' in 'field list'`);
      return at;
    });
    const given: (SqlExpression | undefined)[][] =
      statement.rows ??
      (statement.query ? this.#query.select(statement.query).rows.map((row) => row.map((value): SqlExpression => ({ kind: 'literal', value }))) : []);
    let affected = 0;
    let duplicates = 0;
    let insertId: number | undefined;
    for (const [index, expressions] of given.entries()) {
      if (expressions.length !== positions.length && !(expressions.length === 0 && statement.columns === undefined)) {
        throw new SqlError(1136, '21S01', `Column count doesn't match value count at row ${index + 1}`);
      }
      const values: SqlValue[] = table.columns.map((column, at) => {
        const where = positions.indexOf(at);
        const expression = where >= 0 ? expressions[where] : undefined;
        if (expression) return this.#store(column, this.#query.evaluateOn(expression, undefined, []), index + 1);
        if (column.autoIncrement) return null;
        if (column.default) return this.#store(column, this.#query.evaluateOn(column.default, undefined, []), index + 1);
        if (column.nullable) return null;
        if (statement.ignore) return /char|text/.test(column.type) ? '' : 0;
        throw new SqlError(1364, 'HY000', `Field '${column.name}' doesn't have a default value`);
      });
      const counter = table.columns.findIndex((column) => column.autoIncrement);
      if (counter >= 0) {
        if (values[counter] === null || values[counter] === 0) {
          values[counter] = table.autoIncrement;
          insertId ??= table.autoIncrement;
        }
        table.autoIncrement = Math.max(table.autoIncrement, toNumber(values[counter] ?? 0) + 1);
      }
      for (const [at, column] of table.columns.entries())
        if (values[at] === null && !column.nullable) throw new SqlError(1048, '23000', `Column '${column.name}' cannot be null`);
      const row: Row = { id: table.nextId, values };
      let duplicate = findDuplicate(table, row);
      if (duplicate && statement.replace) {
        for (; duplicate; duplicate = findDuplicate(table, row)) {
          table.rows.splice(table.rows.indexOf(duplicate.row), 1);
          this.changes.push({ kind: 'delete', database, table: table.name, row: duplicate.row });
          affected++;
          duplicates++;
        }
      } else if (duplicate && statement.onDuplicate) {
        duplicates++;
        affected += this.#change(table, database, duplicate.row, statement.onDuplicate, values) ? 2 : 0;
        continue;
      } else if (duplicate) {
        if (!statement.ignore) throw duplicateError(table, duplicate);
        duplicates++;
        continue;
      }
      table.nextId++;
      table.rows.push(row);
      this.changes.push({ kind: 'insert', database, table: table.name, row: { id: row.id, values: [...values] } });
      affected++;
    }
    const info =
      given.length > 1 || statement.query
        ? { info: `Records: ${given.length}  Duplicates: ${duplicates}  Warnings: ${statement.ignore ? duplicates : 0}` }
        : {};
    return { affected, ...info, ...(insertId === undefined ? {} : { insertId }) };
  }

  /** Applies SET to one row; whether anything changed. `VALUES(col)` means what would have been inserted. */
  #change(table: Table, database: string, row: Row, set: readonly [string, SqlExpression][], inserted?: readonly SqlValue[]): boolean {
    const before: Row = { id: row.id, values: [...row.values] };
    const values = [...row.values];
    for (const [name, expression] of set) {
      const at = table.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
      if (at < 0) throw new SqlError(1054, '42S22', `Unknown column '${name}' in 'field list'`);
      const column = table.columns[at] as ColumnDefinition;
      const replaced = inserted ? replaceValues(expression, table, inserted) : expression;
      const value = this.#store(column, this.#query.evaluateOn(replaced, table, values), 1);
      if (value === null && !column.nullable) throw new SqlError(1048, '23000', `Column '${column.name}' cannot be null`);
      values[at] = value;
    }
    if (values.every((value, i) => value === before.values[i])) return false;
    for (const [at, column] of table.columns.entries()) {
      if (column.onUpdateNow && !set.some(([name]) => name.toLowerCase() === column.name.toLowerCase())) values[at] = timestamp(this.#context.functions.nowMs);
    }
    const duplicate = findDuplicate(table, { id: row.id, values });
    if (duplicate) throw duplicateError(table, duplicate);
    row.values = values;
    this.changes.push({ kind: 'update', database, table: table.name, before, after: { id: row.id, values: [...values] } });
    return true;
  }

  #matching(table: Table, statement: { where?: SqlExpression; orderBy: readonly { value: SqlExpression; descending: boolean }[]; limit?: number }): Row[] {
    const { where } = statement;
    const rows = where ? table.rows.filter((row) => this.#query.isTrue(this.#query.evaluateOn(where, table, row.values, 'where clause'))) : [...table.rows];
    if (table.rows.length === 0 && where)
      this.#query.evaluateOn(
        where,
        table,
        table.columns.map(() => null),
        'where clause',
      );
    rows.sort((a, b) => {
      for (const { value, descending } of statement.orderBy) {
        const order = orderValues(
          this.#query.evaluateOn(value, table, a.values, 'order clause'),
          this.#query.evaluateOn(value, table, b.values, 'order clause'),
        );
        if (order !== 0) return descending ? -order : order;
      }
      return 0;
    });
    return rows.slice(0, statement.limit);
  }

  #update(statement: SqlStatement & { kind: 'update' }): Outcome {
    const { table, database } = this.#table(statement.table);
    const rows = this.#matching(table, statement);
    const changed = rows.filter((row) => this.#change(table, database, row, statement.set)).length;
    return { affected: changed, info: `Rows matched: ${rows.length}  Changed: ${changed}  Warnings: 0` };
  }

  #delete(statement: SqlStatement & { kind: 'delete' }): Outcome {
    const { table, database } = this.#table(statement.table);
    const rows = this.#matching(table, statement);
    const gone = new Set(rows);
    table.rows = table.rows.filter((row) => !gone.has(row));
    for (const row of rows) this.changes.push({ kind: 'delete', database, table: table.name, row });
    return { affected: rows.length };
  }

  /** A value as the column's type keeps it. Throws 1264, 1366, 1406, 1292 in strict mode, as by default. */
  #store(column: ColumnDefinition, value: SqlValue, row: number): SqlValue {
    if (value === null) return null;
    const [, base = '', argument = ''] = /^(\w+)(?:\(([^)]*)\))?/.exec(column.type) ?? [];
    if (/int$/.test(base)) {
      if (typeof value === 'string' && !/^\s*[-+]?\d+(\.\d+)?\s*$/.test(value))
        throw new SqlError(1366, 'HY000', `Incorrect integer value: '${value}' for column '${column.name}' at row ${row}`);
      const whole = Math.round(toNumber(value));
      const bits = { tinyint: 8, smallint: 16, mediumint: 24, int: 32, bigint: 63 }[base as 'int'] ?? 32;
      const unsigned = column.type.includes('unsigned');
      const max = unsigned ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
      if (whole > max || whole < (unsigned ? 0 : -(2 ** (bits - 1))))
        throw new SqlError(1264, '22003', `Out of range value for column '${column.name}' at row ${row}`);
      return whole;
    }
    if (base === 'decimal') return toNumber(value).toFixed(Number(argument.split(',')[1] ?? 0));
    if (base === 'float' || base === 'double') return toNumber(value);
    if (base === 'varchar' || base === 'char') {
      const text = String(value);
      if ([...text].length > Number(argument || 1)) throw new SqlError(1406, '22001', `Data too long for column '${column.name}' at row ${row}`);
      return text;
    }
    if (base === 'datetime' || base === 'timestamp' || base === 'date') {
      const text = String(value);
      if (!/^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(:\d\d)?)?/.test(text))
        throw new SqlError(1292, '22007', `Incorrect ${base} value: '${text}' for column '${column.name}' at row ${row}`);
      return base === 'date' ? text.slice(0, 10) : text.length <= 10 ? `${text} 00:00:00` : text.slice(0, 19).replace('T', ' ');
    }
    if (base === 'enum') {
      const choices = argument.split(',').map((one) => one.replace(/^'|'$/g, ''));
      const hit = choices.find((one) => one.toLowerCase() === String(value).toLowerCase());
      if (hit === undefined) throw new SqlError(1265, '01000', `Data truncated for column '${column.name}' at row ${row}`);
      return hit;
    }
    return String(value);
  }
}

function checkKeys(columns: readonly ColumnDefinition[], keys: readonly KeyDefinition[]): void {
  if (keys.filter((key) => key.kind === 'primary').length > 1) throw new SqlError(1068, '42000', 'Multiple primary key defined');
  for (const key of keys) {
    for (const name of key.columns) {
      const column = columns.find((one) => one.name.toLowerCase() === name.toLowerCase());
      if (!column) throw new SqlError(1072, '42000', `Key column '${name}' doesn't exist in table`);
      if (key.kind === 'primary') column.nullable = false;
    }
  }
  const counter = columns.find((column) => column.autoIncrement);
  if (counter && !keys.some((key) => key.columns[0]?.toLowerCase() === counter.name.toLowerCase())) {
    throw new SqlError(1075, '42000', 'Incorrect table definition; there can be only one auto column and it must be defined as a key');
  }
  if (counter) counter.nullable = false;
}

function replaceValues(expression: SqlExpression, table: Table, inserted: readonly SqlValue[]): SqlExpression {
  if (expression.kind === 'call' && expression.name === 'values' && expression.args[0]?.kind === 'column') {
    const { name } = expression.args[0];
    return { kind: 'literal', value: inserted[table.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase())] ?? null };
  }
  if (expression.kind === 'binary')
    return { ...expression, left: replaceValues(expression.left, table, inserted), right: replaceValues(expression.right, table, inserted) };
  return expression;
}

/** SHOW CREATE TABLE's text. */
export function createTableText(table: Table): string {
  const lines = table.columns.map((column) => {
    const parts = [`\`${column.name}\` ${column.type}`];
    if (!column.nullable) parts.push('NOT NULL');
    else if (/^timestamp/.test(column.type)) parts.push('NULL');
    if (column.default) parts.push(`DEFAULT ${defaultText(column.default)}`);
    else if (column.nullable && !column.autoIncrement && !/text|blob/.test(column.type)) parts.push('DEFAULT NULL');
    if (column.onUpdateNow) parts.push('ON UPDATE CURRENT_TIMESTAMP');
    if (column.autoIncrement) parts.push('AUTO_INCREMENT');
    return `  ${parts.join(' ')}`;
  });
  for (const key of table.keys) {
    const columns = key.columns.map((name) => `\`${name}\``).join(',');
    lines.push(key.kind === 'primary' ? `  PRIMARY KEY (${columns})` : `  ${key.kind === 'unique' ? 'UNIQUE ' : ''}KEY \`${key.name}\` (${columns})`);
  }
  const counter = table.columns.some((column) => column.autoIncrement) && table.autoIncrement > 1 ? ` AUTO_INCREMENT=${table.autoIncrement}` : '';
  return `CREATE TABLE \`${table.name}\` (\n${lines.join(',\n')}\n) ENGINE=InnoDB${counter} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci`;
}

export function defaultText(expression: SqlExpression): string {
  if (expression.kind === 'literal') return expression.value === null ? 'NULL' : `'${toText(expression.value)}'`;
  return expression.kind === 'call' ? (/^(now|current_timestamp)$/.test(expression.name) ? 'CURRENT_TIMESTAMP' : `${expression.name}()`) : '';
}
