import { storeValue, typeParts } from './column-values.ts';
import type { ColumnDefinition, Constraints, KeyDefinition, SqlExpression } from './sql-ast.ts';
import { SqlError } from './sql-error.ts';
import type { SqlValue } from './sql-value.ts';
import { columnIndex, keyIndexes, type Store, type Table } from './store.ts';

/** Keys, foreign keys and checks of a table to be, and what else must hold of it. */

export interface SchemaContext {
  store: Store;
  database: string | null;
  foreignKeyChecks: boolean;
  evaluate(expression: SqlExpression): SqlValue;
  warn(code: number, message: string, level?: 'Note' | 'Warning'): void;
}

const NUMBERED_NAME = /_(?:ibfk|chk)_(\d+)$/;

export function checkName(name: string): void {
  if ([...name].length > 64) throw new SqlError(1059, '42000', `Identifier name '${name}' is too long`);
}

export function addConstraints(context: SchemaContext, table: Table, constraints: Constraints): void {
  const taken = (name: string): boolean => table.keys.some((key) => key.name.toLowerCase() === name.toLowerCase());
  const columnsOf = (names: readonly string[]): string[] =>
    names.map((name) => {
      const column = table.columns[columnIndex(table, name)];
      if (!column) throw new SqlError(1072, '42000', `Key column '${name}' doesn't exist in table`);
      return column.name;
    });
  for (const key of constraints.keys) {
    const columns = columnsOf(key.columns);
    if (key.kind === 'primary' && taken('PRIMARY')) throw new SqlError(1068, '42000', 'Multiple primary key defined');
    let { name } = key;
    if (name === '') for (let n = 1; name === '' || taken(name); n++) name = n === 1 ? (columns[0] as string) : `${columns[0]}_${n}`;
    if (taken(name)) {
      const implied = key.kind === 'unique' && key.columns[0] === key.name;
      if (!implied) throw new SqlError(1061, '42000', `Duplicate key name '${name}'`);
      name = `${name}_2`;
    }
    const kept: KeyDefinition = { ...key, name, columns };
    for (const column of columns) {
      const definition = table.columns[columnIndex(table, column)] as ColumnDefinition;
      if (/text|blob|json/.test(definition.type) && key.kind !== 'index')
        throw new SqlError(1170, '42000', `BLOB/TEXT column '${column}' used in key specification without a key length`);
      if (key.kind === 'primary') definition.nullable = false;
    }
    table.keys.push(kept);
  }
  // As SHOW CREATE TABLE has them: the primary key first, unique keys before others.
  const rank = { primary: 0, unique: 1, index: 2 };
  table.keys.sort((a, b) => rank[a.kind] - rank[b.kind]);
  const number = (names: readonly string[]): number => Math.max(0, ...names.map((name) => Number(NUMBERED_NAME.exec(name)?.[1] ?? 0))) + 1;
  for (const key of constraints.foreignKeys) {
    const name = key.name === '' ? `${table.name}_ibfk_${number(table.foreignKeys.map((one) => one.name))}` : key.name;
    const columns = columnsOf(key.columns);
    const parentDatabase = key.table.database ?? table.database;
    const parent =
      parentDatabase === table.database && key.table.name === table.name ? table : context.store.databases.get(parentDatabase)?.get(key.table.name);
    if (context.foreignKeyChecks || parent) {
      if (!parent) throw new SqlError(1824, 'HY000', `Failed to open the referenced table '${key.table.name}'`);
      const references = keyIndexes(parent, key.references);
      if (references.includes(-1))
        throw new SqlError(
          3734,
          'HY000',
          `Failed to add the foreign key constraint. Missing column '${key.references[references.indexOf(-1)]}' for constraint '${name}' in the referenced table '${parent.name}'`,
        );
      if (!parent.keys.some((one) => key.references.every((column, i) => one.columns[i]?.toLowerCase() === column.toLowerCase())))
        throw new SqlError(
          1822,
          'HY000',
          `Failed to add the foreign key constraint. Missing index for constraint '${name}' in the referenced table '${parent.name}'`,
        );
      for (const [i, column] of columns.entries()) {
        const [own, other] = [table.columns[columnIndex(table, column)]?.type ?? '', parent.columns[references[i] as number]?.type ?? ''];
        if (typeParts(own).base !== typeParts(other).base || /unsigned/.test(own) !== /unsigned/.test(other))
          throw new SqlError(
            3780,
            'HY000',
            `Referencing column '${column}' and referenced column '${key.references[i]}' in foreign key constraint '${name}' are incompatible.`,
          );
      }
    }
    if (!table.keys.some((one) => columns.every((column, i) => one.columns[i] === column))) table.keys.push({ name, kind: 'index', columns });
    table.foreignKeys.push({ ...key, name, columns });
  }
  for (const check of constraints.checks)
    table.checks.push({ ...check, name: check.name === '' ? `${table.name}_chk_${number(table.checks.map((one) => one.name))}` : check.name });
}

export function checkTable(context: SchemaContext, table: Table): void {
  const { columns } = table;
  for (const [i, column] of columns.entries()) {
    checkName(column.name);
    if (columnIndex(table, column.name) !== i) throw new SqlError(1060, '42S21', `Duplicate column name '${column.name}'`);
    const { base, args } = typeParts(column.type);
    if ((base === 'varchar' && Number(args[0]) > 16_383) || (base === 'char' && Number(args[0]) > 255))
      throw new SqlError(
        1074,
        '42000',
        `Column length too big for column '${column.name}' (max = ${base === 'char' ? 255 : 16_383}); use BLOB or TEXT instead`,
      );
    if (base === 'decimal' && Number(args[1] ?? 0) > Number(args[0]))
      throw new SqlError(1427, '42000', `For float(M,D), double(M,D) or decimal(M,D), M must be >= D (column '${column.name}').`);
    const value = column.default?.kind === 'literal' ? column.default.value : undefined;
    if (value === undefined) continue;
    if (value === null && !column.nullable) throw new SqlError(1067, '42000', `Invalid default value for '${column.name}'`);
    if (value !== null && /text|blob|json/.test(base))
      throw new SqlError(1101, '42000', `BLOB, TEXT, GEOMETRY or JSON column '${column.name}' can't have a default value`);
    try {
      storeValue(column, value, 1, context.warn);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      throw new SqlError(1067, '42000', `Invalid default value for '${column.name}'`);
    }
  }
  const counters = columns.filter((column) => column.autoIncrement);
  const [counter] = counters;
  if (counters.length > 1 || (counter && !table.keys.some((key) => key.columns[0] === counter.name)))
    throw new SqlError(1075, '42000', 'Incorrect table definition; there can be only one auto column and it must be defined as a key');
  if (counter && !/int|float|double/.test(counter.type)) throw new SqlError(1063, '42000', `Incorrect column specifier for column '${counter.name}'`);
  if (counter) counter.nullable = false;
}
