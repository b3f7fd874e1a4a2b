import { grantTexts } from './accounts.ts';
import { typeParts } from './column-values.ts';
import type { InstanceBase } from './instance-base.ts';
import type { Relation } from './plan.ts';
import { defaultText } from './schema-text.ts';
import type { Session } from './session.ts';
import { declaredType } from './sql-types.ts';
import type { SqlValue } from './sql-value.ts';
import type { Table } from './store.ts';
import { shownVariable } from './variables.ts';

/** Tables that the server itself answers: the well-known columns of a few of mysql, information_schema and performance_schema. */
type Rows = (instance: InstanceBase, session: Session) => SqlValue[][];

const tablesOf = (instance: InstanceBase): Table[] => [...instance.state.store.databases.values()].flatMap((tables) => [...tables.values()]);

const TABLES: Readonly<Record<string, { columns: string; rows: Rows }>> = {
  'mysql.user': {
    columns: 'Host char User char plugin char authentication_string text account_locked char',
    rows: (instance) => [
      ...instance.state.accounts.map((one): SqlValue[] => [one.host, one.user, one.plugin, one.hash === '' ? '' : `$A$005$${one.hash}`, 'N']),
      ...['mysql.infoschema', 'mysql.session', 'mysql.sys'].map((name): SqlValue[] => [
        'localhost',
        name,
        'caching_sha2_password',
        '$A$005$THISISACOMBINATIONOFINVALIDSALTANDPASSWORDTHATMUSTNEVERBRBEUSED',
        'Y',
      ]),
    ],
  },
  'mysql.gtid_executed': {
    columns: 'source_uuid char interval_start bigint interval_end bigint',
    rows: (instance) =>
      instance.state.executed
        .toString()
        .split(',\n')
        .filter((part) => part !== '')
        .flatMap((part) => {
          const [uuid = '', ...ranges] = part.split(':');
          return ranges.map((range): SqlValue[] => [uuid, BigInt(range.split('-')[0] ?? 0), BigInt(range.split('-').at(-1) ?? 0)]);
        }),
  },
  'information_schema.schemata': {
    columns: 'CATALOG_NAME char SCHEMA_NAME char DEFAULT_CHARACTER_SET_NAME char DEFAULT_COLLATION_NAME char',
    rows: (instance) => [...instance.state.store.databases.keys()].map((name) => ['def', name, 'utf8mb4', 'utf8mb4_0900_ai_ci']),
  },
  'information_schema.tables': {
    columns: 'TABLE_CATALOG char TABLE_SCHEMA char TABLE_NAME char TABLE_TYPE char ENGINE char TABLE_ROWS bigint AUTO_INCREMENT bigint TABLE_COLLATION char',
    rows: (instance) =>
      tablesOf(instance).map((table) => [
        'def',
        table.database,
        table.name,
        'BASE TABLE',
        'InnoDB',
        BigInt(table.rows.size),
        table.columns.some((column) => column.autoIncrement) ? table.autoIncrement : null,
        'utf8mb4_0900_ai_ci',
      ]),
  },
  'information_schema.columns': {
    columns:
      'TABLE_SCHEMA char TABLE_NAME char COLUMN_NAME char ORDINAL_POSITION int COLUMN_DEFAULT text IS_NULLABLE char DATA_TYPE char COLUMN_TYPE char COLUMN_KEY char EXTRA char',
    rows: (instance) =>
      tablesOf(instance).flatMap((table) =>
        table.columns.map((column, i): SqlValue[] => {
          const key = table.keys.find((one) => one.columns[0] === column.name);
          const fallback = column.default ? defaultText(column).replace(/^'|'$/g, '') : null;
          const kind = key ? { primary: 'PRI', unique: 'UNI', index: 'MUL' }[key.kind] : '';
          return [
            table.database,
            table.name,
            column.name,
            BigInt(i + 1),
            fallback,
            column.nullable ? 'YES' : 'NO',
            typeParts(column.type).base,
            column.type,
            kind,
            column.autoIncrement ? 'auto_increment' : '',
          ];
        }),
      ),
  },
  'information_schema.processlist': {
    columns: 'ID bigint USER char HOST char DB char COMMAND char TIME int STATE char INFO text',
    rows: (instance, session) => instance.processes(session),
  },
  'performance_schema.global_variables': {
    columns: 'VARIABLE_NAME char VARIABLE_VALUE char',
    rows: (instance, session) => instance.variables(session, true).map(([name, value]) => [name, shownVariable(name, value)]),
  },
  'performance_schema.replication_connection_status': {
    columns: 'CHANNEL_NAME char SOURCE_UUID char SERVICE_STATE char RECEIVED_TRANSACTION_SET text LAST_ERROR_NUMBER int LAST_ERROR_MESSAGE text',
    rows: (instance) => {
      const status = new Map(instance.replicaStatus?.() ?? []);
      const get = (name: string): SqlValue => status.get(name) ?? null;
      const state = { Yes: 'ON', Connecting: 'CONNECTING' }[String(get('Replica_IO_Running'))] ?? 'OFF';
      return status.size === 0 ? [] : [['', get('Source_UUID'), state, get('Retrieved_Gtid_Set'), get('Last_IO_Errno'), get('Last_IO_Error')]];
    },
  },
  'information_schema.user_privileges': {
    columns: 'GRANTEE char PRIVILEGE_TYPE char',
    rows: (instance) =>
      instance.state.accounts.flatMap((account) => grantTexts(account).map((text): SqlValue[] => [`'${account.user}'@'${account.host}'`, text])),
  },
};

/** The table of that name, if the server has it. */
export function virtualTable(instance: InstanceBase, session: Session, database: string, name: string): Relation | undefined {
  const table = TABLES[`${database}.${database === 'mysql' ? name : name.toLowerCase()}`];
  if (!table) return undefined;
  const words = table.columns.split(' ');
  const columns = words.flatMap((word, i) => (i % 2 === 0 ? [{ table: name, database, name: word, type: declaredType(words[i + 1] ?? 'char') }] : []));
  const rows = table.rows(instance, session).map((values, id) => ({ id, values }));
  return { columns, keys: [], rows: () => rows, lock: () => {}, isLocked: () => false };
}

/** Names of such tables in a database, for SHOW TABLES. */
export const virtualNames = (database: string): string[] =>
  Object.keys(TABLES).flatMap((key) =>
    key.startsWith(`${database}.`) ? [database === 'mysql' ? key.slice(6) : key.slice(database.length + 1).toUpperCase()] : [],
  );
