import { implicitDefault, storeValue, typeParts } from './column-values.ts';
import { addConstraints, checkName, checkTable, type SchemaContext } from './constraints.ts';
import { SYSTEM_DATABASES } from './executor.ts';
import { constraintText, referencesTo } from './foreign-keys.ts';
import type { AlterAction, ColumnDefinition, ColumnPlace, SqlStatement, TableName } from './sql-ast.ts';
import { SqlError } from './sql-error.ts';
import type { SqlValue } from './sql-value.ts';
import { columnIndex, createTable, type Databases, findTable, rebuildKeys, type Table } from './store.ts';

/** What CREATE, ALTER, DROP, RENAME and TRUNCATE do: checked first, then done at once. */

/** `apply` does it; undefined: nothing to do, nothing to log. */
export interface SchemaChange {
  affected: number;
  apply?: () => void;
}

export function prepareSchemaChange(context: SchemaContext, statement: SqlStatement): SchemaChange {
  const { databases } = context.store;
  switch (statement.kind) {
    case 'create-database':
      if (databases.has(statement.name)) {
        const message = `Can't create database '${statement.name}'; database exists`;
        if (!statement.tolerant) throw new SqlError(1007, 'HY000', message);
        context.warn(1007, message, 'Note');
        return { affected: 1 };
      }
      checkName(statement.name);
      return { affected: 1, apply: () => databases.set(statement.name, new Map()) };
    case 'drop-database': {
      if (SYSTEM_DATABASES.has(statement.name.toLowerCase())) throw new SqlError(3552, 'HY000', `Access to system schema '${statement.name}' is rejected.`);
      const tables = databases.get(statement.name);
      if (!tables) {
        const message = `Can't drop database '${statement.name}'; database doesn't exist`;
        if (!statement.tolerant) throw new SqlError(1008, 'HY000', message);
        context.warn(1008, message, 'Note');
        return { affected: 0 };
      }
      for (const table of tables.values()) context.store.requireAlone(table);
      return { affected: tables.size, apply: () => databases.delete(statement.name) };
    }
    case 'create-table':
      return prepareCreate(context, statement);
    case 'drop-table':
      return prepareDrop(context, statement);
    case 'truncate': {
      const table = findTable(databases, statement.table, context.database);
      refuseSystem(table.database);
      const reference = context.foreignKeyChecks ? referencesTo(context.store, table).find(({ child }) => child !== table) : undefined;
      if (reference) {
        const { child, key } = reference;
        throw new SqlError(
          1701,
          '42000',
          `Cannot truncate a table referenced in a foreign key constraint (\`${child.database}\`.\`${child.name}\`, ${constraintText(key, child.database)})`,
        );
      }
      context.store.requireAlone(table);
      return {
        affected: 0,
        apply: () => {
          table.rows = new Map();
          table.autoIncrement = 1n;
          rebuildKeys(table);
        },
      };
    }
    case 'rename-table':
      return {
        affected: 0,
        apply: () => {
          for (const { from, to } of statement.pairs) renameTable(databases, findTable(databases, from, context.database), to);
        },
      };
    case 'alter-table': {
      const table = findTable(databases, statement.table, context.database);
      refuseSystem(table.database);
      context.store.requireAlone(table);
      return prepareAlter(context, table, statement.actions);
    }
    default:
      throw new SqlError(1235, '42000', `${statement.kind} is not simulated yet`);
  }
}

function refuseSystem(database: string): void {
  if (SYSTEM_DATABASES.has(database)) throw new SqlError(3552, 'HY000', `Access to system schema '${database}' is rejected.`);
}

function databaseOf(context: SchemaContext, name: TableName): string {
  const database = name.database ?? context.database;
  if (database === null) throw new SqlError(1046, '3D000', 'No database selected');
  if (!context.store.databases.has(database)) throw new SqlError(1049, '42000', `Unknown database '${database}'`);
  refuseSystem(database);
  return database;
}

function prepareCreate(context: SchemaContext, statement: SqlStatement & { kind: 'create-table' }): SchemaChange {
  const database = databaseOf(context, statement.table);
  const tables = context.store.databases.get(database) as Map<string, Table>;
  const { name } = statement.table;
  if (tables.has(name)) {
    if (!statement.tolerant) throw new SqlError(1050, '42S01', `Table '${name}' already exists`);
    context.warn(1050, `Table '${name}' already exists`, 'Note');
    return { affected: 0 };
  }
  checkName(name);
  const source = statement.like ? findTable(context.store.databases, statement.like, context.database) : undefined;
  const columns = (source?.columns ?? statement.columns).map((column) => ({ ...column }));
  if (columns.length === 0) throw new SqlError(1113, '42000', 'A table must have at least 1 column');
  const table = createTable(database, { name, columns, keys: [], foreignKeys: [], checks: [], autoIncrement: statement.autoIncrement ?? 1n });
  const constraints = source ? { keys: source.keys.map((key) => ({ ...key })), foreignKeys: [], checks: source.checks } : statement.constraints;
  addConstraints(context, table, constraints);
  checkTable(context, table);
  rebuildKeys(table);
  return { affected: 0, apply: () => tables.set(name, table) };
}

function prepareDrop(context: SchemaContext, statement: SqlStatement & { kind: 'drop-table' }): SchemaChange {
  const { store } = context;
  const found: Table[] = [];
  const missing: string[] = [];
  for (const name of statement.tables) {
    const database = name.database ?? context.database;
    if (database === null) throw new SqlError(1046, '3D000', 'No database selected');
    refuseSystem(database);
    const table = store.databases.get(database)?.get(name.name);
    if (table) found.push(table);
    else missing.push(`${database}.${name.name}`);
  }
  if (missing.length > 0) {
    if (!statement.tolerant) throw new SqlError(1051, '42S02', `Unknown table '${missing.join(',')}'`);
    for (const name of missing) context.warn(1051, `Unknown table '${name}'`, 'Note');
  }
  for (const table of found) {
    const reference = context.foreignKeyChecks ? referencesTo(store, table).find(({ child }) => !found.includes(child)) : undefined;
    if (reference)
      throw new SqlError(
        3730,
        'HY000',
        `Cannot drop table '${table.name}' referenced by a foreign key constraint '${reference.key.name}' on table '${reference.child.name}'.`,
      );
    store.requireAlone(table);
  }
  if (found.length === 0) return { affected: 0 };
  return {
    affected: 0,
    apply: () => {
      for (const table of found) store.databases.get(table.database)?.delete(table.name);
    },
  };
}

function renameTable(databases: Databases, table: Table, to: TableName): void {
  const database = to.database ?? table.database;
  const target = databases.get(database);
  if (!target) throw new SqlError(1049, '42000', `Unknown database '${database}'`);
  if (target.has(to.name)) throw new SqlError(1050, '42S01', `Table '${to.name}' already exists`);
  databases.get(table.database)?.delete(table.name);
  for (const tables of databases.values())
    for (const child of tables.values())
      for (const key of child.foreignKeys)
        if (key.table.name === table.name && (key.table.database ?? child.database) === table.database) key.table = { ...to };
  Object.assign(table, { name: to.name, database });
  target.set(to.name, table);
}

// ---- ALTER TABLE ----

/** Works on a copy, and puts it in the table's place at once. */
function prepareAlter(context: SchemaContext, table: Table, actions: readonly AlterAction[]): SchemaChange {
  const copy: Table = {
    ...table,
    columns: table.columns.map((column) => ({ ...column })),
    keys: table.keys.map((key) => ({ ...key, columns: [...key.columns] })),
    foreignKeys: table.foreignKeys.map((key) => ({ ...key, columns: [...key.columns] })),
    checks: [...table.checks],
  };
  let rows = [...table.rows.values()].flatMap((row) => {
    const values = row.versions.at(-1)?.values;
    return values ? [[...values]] : [];
  });
  let renamed: TableName | undefined;
  for (const action of actions) {
    if (action.kind === 'rename') renamed = action.table;
    else if (action.kind === 'auto-increment') copy.autoIncrement = action.value > copy.autoIncrement || rows.length === 0 ? action.value : copy.autoIncrement;
    else rows = alter(context, table, copy, action, rows);
  }
  checkTable(context, copy);
  const altered = createTable(copy.database, copy);
  for (const values of rows) context.store.put(altered, values);
  rebuildKeys(altered);
  const tables = context.store.databases.get(table.database) as Map<string, Table>;
  const columnChange = actions.some((action) => action.kind === 'change-column' && isRebuilt(table, action.name, action.column.type));
  return {
    affected: columnChange ? rows.length : 0,
    apply: () => {
      tables.set(table.name, altered);
      if (renamed) renameTable(context.store.databases, altered, renamed);
    },
  };
}

/** Whether every row is written anew: another type, but not a longer VARCHAR. */
function isRebuilt(table: Table, name: string, type: string): boolean {
  const [before, after] = [typeParts(table.columns[columnIndex(table, name)]?.type ?? ''), typeParts(type)];
  if (before.base === 'varchar' && after.base === 'varchar') return Number(after.args[0]) < Number(before.args[0]);
  return table.columns[columnIndex(table, name)]?.type !== type;
}

function alter(
  context: SchemaContext,
  old: Table,
  table: Table,
  action: Exclude<AlterAction, { kind: 'rename' | 'auto-increment' }>,
  rows: SqlValue[][],
): SqlValue[][] {
  const find = (name: string): number => {
    const at = columnIndex(table, name);
    if (at < 0) throw new SqlError(1054, '42S22', `Unknown column '${name}' in '${old.name}'`);
    return at;
  };
  const cannotDrop = (name: string): SqlError => new SqlError(1091, '42000', `Can't DROP '${name}'; check that column/key exists`);
  switch (action.kind) {
    case 'add-column': {
      if (columnIndex(table, action.column.name) >= 0) throw new SqlError(1060, '42S21', `Duplicate column name '${action.column.name}'`);
      const column = { ...action.column };
      const at = placeAt(table, action.place, find);
      table.columns.splice(at, 0, column);
      addConstraints(context, table, action.constraints);
      const value = column.default ? storeValue(column, context.evaluate(column.default), 1, context.warn) : column.nullable ? null : implicitDefault(column);
      return rows.map((row, i) => row.toSpliced(at, 0, column.autoIncrement ? BigInt(i + 1) : value));
    }
    case 'change-column': {
      const at = find(action.name);
      const column = { ...action.column };
      if (column.name.toLowerCase() !== action.name.toLowerCase() && columnIndex(table, column.name) >= 0)
        throw new SqlError(1060, '42S21', `Duplicate column name '${column.name}'`);
      renameColumn(table, table.columns[at]?.name ?? '', column.name);
      if (table.keys.some((key) => key.kind === 'primary' && key.columns.includes(column.name))) column.nullable = false;
      table.columns[at] = column;
      addConstraints(context, table, action.constraints);
      const changed = rows.map((row, i) => {
        const value = row[at] ?? null;
        if (value === null && !column.nullable) throw new SqlError(1138, '22004', 'Invalid use of NULL value');
        try {
          return row.with(at, storeValue(column, value, i + 1, context.warn));
        } catch (error) {
          if (!(error instanceof SqlError) || error.number !== 1406) throw error;
          throw new SqlError(1265, '01000', `Data truncated for column '${column.name}' at row ${i + 1}`);
        }
      });
      if (!action.place) return changed;
      table.columns.splice(at, 1);
      const to = placeAt(table, action.place, find);
      table.columns.splice(to, 0, column);
      return changed.map((row) => row.toSpliced(at, 1).toSpliced(to, 0, row[at] ?? null));
    }
    case 'rename-column': {
      const column = table.columns[find(action.name)] as ColumnDefinition;
      if (columnIndex(table, action.to) >= 0) throw new SqlError(1060, '42S21', `Duplicate column name '${action.to}'`);
      renameColumn(table, column.name, action.to);
      column.name = action.to;
      return rows;
    }
    case 'drop-column': {
      const at = columnIndex(table, action.name);
      if (at < 0) throw cannotDrop(action.name);
      const { name } = table.columns[at] as ColumnDefinition;
      const foreign = table.foreignKeys.find((key) => key.columns.includes(name));
      if (foreign) throw new SqlError(1828, 'HY000', `Cannot drop column '${name}': needed in a foreign key constraint '${foreign.name}'`);
      if (table.columns.length === 1) throw new SqlError(1090, '42000', "You can't delete all columns with ALTER TABLE; use DROP TABLE instead");
      table.columns.splice(at, 1);
      table.keys = table.keys.map((key) => ({ ...key, columns: key.columns.filter((one) => one !== name) })).filter((key) => key.columns.length > 0);
      return rows.map((row) => row.toSpliced(at, 1));
    }
    case 'drop-key': {
      const key = table.keys.find((one) => one.name.toLowerCase() === action.name.toLowerCase());
      if (!key) throw cannotDrop(action.name);
      const needed = table.foreignKeys.some(
        (one) => one.columns[0] === key.columns[0] && !table.keys.some((other) => other !== key && other.columns[0] === one.columns[0]),
      );
      if (needed && context.foreignKeyChecks) throw new SqlError(1553, 'HY000', `Cannot drop index '${key.name}': needed in a foreign key constraint`);
      table.keys = table.keys.filter((one) => one !== key);
      return rows;
    }
    case 'drop-foreign-key': {
      if (!table.foreignKeys.some((key) => key.name === action.name)) throw cannotDrop(action.name);
      table.foreignKeys = table.foreignKeys.filter((key) => key.name !== action.name);
      return rows;
    }
    case 'drop-check': {
      const known = table.checks.some((check) => check.name === action.name) || table.foreignKeys.some((key) => key.name === action.name);
      if (!known) throw new SqlError(3940, 'HY000', `Constraint '${action.name}' does not exist.`);
      table.checks = table.checks.filter((check) => check.name !== action.name);
      table.foreignKeys = table.foreignKeys.filter((key) => key.name !== action.name);
      return rows;
    }
    case 'set-default': {
      const column = table.columns[find(action.name)] as ColumnDefinition;
      if (action.value) column.default = action.value;
      else delete column.default;
      return rows;
    }
    case 'add-constraints':
      addConstraints(context, table, action.constraints);
      return rows;
  }
}

function placeAt(table: Table, place: ColumnPlace | undefined, find: (name: string) => number): number {
  return place === undefined ? table.columns.length : place === 'first' ? 0 : find(place.after) + 1;
}

function renameColumn(table: Table, from: string, to: string): void {
  for (const key of [...table.keys, ...table.foreignKeys]) key.columns = key.columns.map((name) => (name === from ? to : name));
}
