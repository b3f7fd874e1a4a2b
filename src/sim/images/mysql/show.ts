import { grantTexts, isAllowed } from './accounts.ts';
import type { Outcome } from './executor.ts';
import type { InstanceBase } from './instance-base.ts';
import { Query } from './query.ts';
import { createTableText, defaultText } from './schema-text.ts';
import type { Session } from './session.ts';
import type { SqlStatement } from './sql-ast.ts';
import { notSimulated, SqlError } from './sql-error.ts';
import { likePattern } from './sql-functions.ts';
import { declaredType } from './sql-types.ts';
import { isTrue, type SqlValue, toText } from './sql-value.ts';
import { eventText } from './state.ts';
import { findTable, type Table } from './store.ts';
import { shownVariable } from './variables.ts';
import { virtualNames } from './virtual-tables.ts';

type Show = SqlStatement & { kind: 'show' };

/** SHOW and DESCRIBE. */
export function showStatement(instance: InstanceBase, session: Session, statement: Show): Outcome {
  const { state } = instance;
  const { databases } = state.store;
  const suffix = statement.like === undefined ? '' : ` (${statement.like})`;
  /** Titles beginning with # are numbers. LIKE and WHERE choose among the rows. */
  const table = (titles: readonly string[], rows: SqlValue[][]): Outcome => {
    const columns = titles.map((title) => ({ title: title.replace(/^#/, ''), type: declaredType(title.startsWith('#') ? 'bigint' : 'char') }));
    const query = new Query(instance.context(session, undefined));
    const { like, where } = statement;
    const pattern = like === undefined ? undefined : likePattern(like);
    if (where)
      query.bind(
        where,
        columns.map(({ title, type }) => ({ table: '', name: title.replace(/ \(.*$/, ''), type })),
        'where clause',
      );
    const kept = rows.filter((row) => (!pattern || pattern.test(toText(row[0] ?? null))) && (!where || isTrue(query.evaluate(where, { row }))));
    return { result: { columns, rows: kept.slice(0, statement.limit) } };
  };
  const databaseNamed = (name: string | null | undefined): string => {
    if (name === null || name === undefined) throw new SqlError(1046, '3D000', 'No database selected');
    if (!databases.has(name)) throw new SqlError(1049, '42000', `Unknown database '${name}'`);
    if (!instance.mayEnter(session, name))
      throw new SqlError(1044, '42000', `Access denied for user '${session.user}'@'${session.account?.host ?? session.host}' to database '${name}'`);
    return name;
  };
  const tableNamed = (): Table => {
    const name = statement.table ?? { name: '' };
    const found = findTable(databases, name, session.database);
    if (session.id !== 0 && !isAllowed(session.account, 'any', found.database, found.name))
      throw new SqlError(1142, '42000', `SELECT command denied to user '${session.user}'@'${session.host}' for table '${name.name}'`);
    return found;
  };
  const needs = (privilege: string, shown: string): void => {
    if (session.id !== 0 && !isAllowed(session.account, privilege) && !isAllowed(session.account, 'SUPER'))
      throw new SqlError(1227, '42000', `Access denied; you need (at least one of) the ${shown} privilege(s) for this operation`);
  };
  switch (statement.what) {
    case 'databases':
    case 'schemas':
      return table(
        [`Database${suffix}`],
        [...databases.keys()]
          .filter((name) => instance.mayEnter(session, name))
          .sort()
          .map((name) => [name]),
      );
    case 'tables': {
      const database = databaseNamed(statement.database ?? session.database);
      const names = [...(databases.get(database)?.keys() ?? []), ...virtualNames(database)].sort();
      return statement.full
        ? table(
            [`Tables_in_${database}${suffix}`, 'Table_type'],
            names.map((name) => [name, 'BASE TABLE']),
          )
        : table(
            [`Tables_in_${database}${suffix}`],
            names.map((name) => [name]),
          );
    }
    case 'table-status': {
      const database = databaseNamed(statement.database ?? session.database);
      const rows = [...(databases.get(database)?.values() ?? [])].map((one): SqlValue[] => [
        one.name,
        'InnoDB',
        10n,
        'Dynamic',
        BigInt(one.rows.size),
        one.columns.some((column) => column.autoIncrement) ? one.autoIncrement : null,
        'utf8mb4_0900_ai_ci',
        '',
      ]);
      return table(['Name', 'Engine', '#Version', 'Row_format', '#Rows', '#Auto_increment', 'Collation', 'Comment'], rows);
    }
    case 'columns':
    case 'fields':
      return table(['Field', 'Type', 'Null', 'Key', 'Default', 'Extra'], describeTable(tableNamed()));
    case 'index':
    case 'indexes':
    case 'keys':
      return table(INDEX_TITLES, indexRows(tableNamed()));
    case 'create-table': {
      const found = tableNamed();
      return table(['Table', 'Create Table'], [[found.name, createTableText(found)]]);
    }
    case 'create-database':
    case 'create-schema': {
      const name = databaseNamed(statement.database);
      return table(
        ['Database', 'Create Database'],
        [[name, `CREATE DATABASE \`${name}\` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci */ /*!80016 DEFAULT ENCRYPTION='N' */`]],
      );
    }
    case 'create-user': {
      const account = state.accounts.find((one) => one.user === statement.user && one.host === statement.host);
      const name = `'${statement.user}'@'${statement.host}'`;
      if (!account) throw new SqlError(3162, 'HY000', `Authorization ID ${name} does not exist.`);
      return table(
        [`CREATE USER for ${statement.user}@${statement.host}`],
        [
          [
            `CREATE USER \`${account.user}\`@\`${account.host}\` IDENTIFIED WITH '${account.plugin}' AS '$A$005$${account.hash}' REQUIRE NONE PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL DEFAULT PASSWORD REQUIRE CURRENT DEFAULT`,
          ],
        ],
      );
    }
    case 'variables':
      return table(
        ['Variable_name', 'Value'],
        instance.variables(session, statement.global).map(([name, value]) => [name, shownVariable(name, value)]),
      );
    case 'status':
      return table(['Variable_name', 'Value'], statusRows(instance));
    case 'processlist':
      return table(
        ['#Id', 'User', 'Host', 'db', 'Command', '#Time', 'State', 'Info'],
        instance
          .processes(session)
          .filter(([, user]) => isAllowed(session.account, 'PROCESS') || user === session.user)
          .map((row) => row.with(7, typeof row[7] === 'string' && !statement.full ? row[7].slice(0, 100) : (row[7] ?? null))),
      );
    case 'replica-status': {
      needs('REPLICATION CLIENT', 'SUPER, REPLICATION CLIENT');
      const row = instance.replicaStatus?.();
      return row
        ? table(
            row.map(([title, value]) => (typeof value === 'bigint' ? `#${title}` : title)),
            [row.map(([, value]) => value)],
          )
        : { result: { columns: [], rows: [] } };
    }
    case 'replicas':
    case 'slave':
      return table(['#Server_Id', 'Host', '#Port', '#Source_Id', 'Replica_UUID'], instance.replicas?.() ?? []);
    case 'source-status': {
      needs('REPLICATION CLIENT', 'SUPER, REPLICATION CLIENT');
      const log = state.binlogs.at(-1);
      return table(
        ['File', '#Position', 'Binlog_Do_DB', 'Binlog_Ignore_DB', 'Executed_Gtid_Set'],
        log ? [[log.name, BigInt(log.sizeBytes), '', '', state.executed.toString()]] : [],
      );
    }
    case 'binary-logs':
      needs('REPLICATION CLIENT', 'SUPER, REPLICATION CLIENT');
      return table(
        ['Log_name', '#File_size', 'Encrypted'],
        state.binlogs.map(({ name, sizeBytes }) => [name, BigInt(sizeBytes), 'No']),
      );
    case 'binlog-events': {
      const { like, ...rest } = statement;
      const log = like === undefined ? state.binlogs[0] : state.binlogs.find(({ name }) => name === like);
      if (!log) throw new SqlError(1220, 'HY000', 'Error when executing command SHOW BINLOG EVENTS: Could not find target log');
      return showStatement(instance, session, { ...rest, what: 'events-of-log', database: log.name });
    }
    case 'events-of-log': {
      const log = state.binlogs.find(({ name }) => name === statement.database);
      const id = instance.variable(undefined, 'server_id');
      let at = 157n;
      const rows = (log?.events ?? []).flatMap((event): SqlValue[][] => {
        const size = BigInt(eventText(event).length);
        const gtid: SqlValue[] = [
          log?.name ?? '',
          at,
          event.uuid === '' ? 'Anonymous_Gtid' : 'Gtid',
          id,
          at + size / 2n,
          `SET @@SESSION.GTID_NEXT= '${event.uuid === '' ? 'ANONYMOUS' : `${event.uuid}:${event.number}`}'`,
        ];
        const first = event.changes[0];
        const text = first?.kind === 'schema' ? `${first.database === '' ? '' : `use \`${first.database}\`; `}${first.sql}` : 'BEGIN';
        at += size;
        return event.local ? [] : [gtid, [log?.name ?? '', at - size + size / 2n, 'Query', id, at, text]];
      });
      return table(['Log_name', '#Pos', 'Event_type', '#Server_id', '#End_log_pos', 'Info'], rows);
    }
    case 'grants': {
      const [user, host] =
        statement.user === undefined || statement.user === ''
          ? [session.account?.user ?? session.user, session.account?.host ?? '%']
          : [statement.user, statement.host ?? '%'];
      const account = state.accounts.find((one) => one.user === user && one.host === host);
      if (!account) throw new SqlError(1141, '42000', `There is no such grant defined for user '${user}' on host '${host}'`);
      return table(
        [`Grants for ${user}@${host}`],
        grantTexts(account).map((text) => [text]),
      );
    }
    case 'warnings':
    case 'errors': {
      const rows = session.warnings.filter(({ level }) => statement.what === 'warnings' || level === 'Error');
      return table(
        ['Level', '#Code', 'Message'],
        rows.map(({ level, code, message }) => [level, BigInt(code), message]),
      );
    }
    case 'engines':
      return table(
        ['Engine', 'Support', 'Comment', 'Transactions', 'XA', 'Savepoints'],
        [['InnoDB', 'DEFAULT', 'Supports transactions, row-level locking, and foreign keys', 'YES', 'YES', 'YES']],
      );
    case 'charset':
      return table(['Charset', 'Description', 'Default collation', '#Maxlen'], [['utf8mb4', 'UTF-8 Unicode', 'utf8mb4_0900_ai_ci', 4n]]);
    case 'collation':
      return table(
        ['Collation', 'Charset', '#Id', 'Default', 'Compiled', '#Sortlen', 'Pad_attribute'],
        [['utf8mb4_0900_ai_ci', 'utf8mb4', 255n, 'Yes', 'Yes', 0n, 'NO PAD']],
      );
    case 'triggers':
      return table(['Trigger', 'Event', 'Table', 'Statement', 'Timing', 'Created', 'sql_mode', 'Definer'], []);
    default:
      throw notSimulated(`SHOW ${statement.what.replace(/-/g, ' ').toUpperCase()}`);
  }
}

function statusRows(instance: InstanceBase): SqlValue[][] {
  const { counters, host } = instance;
  const of = (kind: string): number => counters.commands.get(kind) ?? 0;
  const running = [...instance.sessions.values()].filter(({ command }) => command !== 'Sleep').length;
  const values: Record<string, number | string> = {
    Aborted_clients: 0,
    Com_commit: of('commit'),
    Com_delete: of('delete'),
    Com_insert: of('insert'),
    Com_rollback: of('rollback'),
    Com_select: of('select'),
    Com_update: of('update'),
    Connections: counters.connections,
    Innodb_row_lock_current_waits: [...instance.state.store.transactions].filter(({ waitingFor }) => waitingFor.length > 0).length,
    Queries: counters.questions,
    Questions: counters.questions,
    Slow_queries: counters.slow,
    Threads_connected: instance.sessions.size,
    Threads_running: Math.max(1, running),
    Uptime: Math.floor((host.now() - instance.startedMs) / 1000),
  };
  return Object.entries(values).map(([name, value]) => [name, String(value)]);
}

const INDEX_TITLES = [
  'Table',
  '#Non_unique',
  'Key_name',
  '#Seq_in_index',
  'Column_name',
  'Collation',
  '#Cardinality',
  '#Sub_part',
  'Packed',
  'Null',
  'Index_type',
  'Comment',
  'Index_comment',
  'Visible',
  'Expression',
];

function indexRows(table: Table): SqlValue[][] {
  return table.keys.flatMap((key) =>
    key.columns.map((name, i): SqlValue[] => {
      const nullable = table.columns.find((column) => column.name === name)?.nullable ?? false;
      return [
        table.name,
        key.kind === 'index' ? 1n : 0n,
        key.name,
        BigInt(i + 1),
        name,
        'A',
        BigInt(table.rows.size),
        null,
        null,
        nullable ? 'YES' : '',
        'BTREE',
        '',
        '',
        'YES',
        null,
      ];
    }),
  );
}

function describeTable(table: Table): SqlValue[][] {
  return table.columns.map((column) => {
    const first = table.keys.filter((one) => one.columns[0] === column.name);
    const key = table.keys.some((one) => one.kind === 'primary' && one.columns.includes(column.name))
      ? 'PRI'
      : first.some((one) => one.kind === 'unique' && one.columns.length === 1)
        ? column.nullable || table.keys.some((one) => one.kind === 'primary')
          ? 'UNI'
          : 'PRI'
        : first.length > 0
          ? 'MUL'
          : '';
    const fallback = column.default ? defaultText(column).replace(/^'([\s\S]*)'$/, '$1') : null;
    const generated = column.default?.kind === 'call';
    const extra = column.autoIncrement
      ? 'auto_increment'
      : `${generated ? 'DEFAULT_GENERATED' : ''}${column.onUpdateNow ? ' on update CURRENT_TIMESTAMP' : ''}`.trim();
    return [column.name, column.type, column.nullable ? 'YES' : 'NO', key, fallback === 'NULL' ? null : fallback, extra];
  });
}
