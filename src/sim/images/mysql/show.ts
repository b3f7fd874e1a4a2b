import { findTable, type Table } from './database.ts';
import { createTableText, defaultText, type Outcome } from './executor.ts';
import type { ResultSet } from './query.ts';
import type { MysqlServer, Session } from './server.ts';
import { SqlError } from './sql-error.ts';
import { likePattern, toNumber } from './sql-functions.ts';
import type { SqlStatement, SqlValue } from './sql-parser.ts';

/** SHOW and DESCRIBE. */
export function showStatement(server: MysqlServer, session: Session, statement: SqlStatement & { kind: 'show' }): Outcome {
  const { state } = server;
  const context = server.context(session);
  const filter = (rows: SqlValue[][]): SqlValue[][] => {
    if (statement.like === undefined) return rows;
    const pattern = likePattern(statement.like);
    return rows.filter(([name]) => pattern.test(String(name)));
  };
  const table = (titles: readonly string[], rows: SqlValue[][], numeric: readonly string[] = []): Outcome => {
    const result: ResultSet = { columns: titles.map((title) => ({ title, numeric: numeric.includes(title) })), rows };
    return { result };
  };
  const suffix = statement.like === undefined ? '' : ` (${statement.like})`;
  switch (statement.what) {
    case 'databases':
    case 'schemas':
      return table([`Database${suffix}`], filter([...context.databases.keys()].sort().map((name) => [name])));
    case 'tables': {
      const database = statement.database ?? session.database;
      if (database === null) throw new SqlError(1046, '3D000', 'No database selected');
      const tables = context.databases.get(database);
      if (!tables) throw new SqlError(1049, '42000', `Unknown database '${database}'`);
      return table([`Tables_in_${database}${suffix}`], filter([...tables.keys()].sort().map((name) => [name])));
    }
    case 'columns':
    case 'fields':
      return table(['Field', 'Type', 'Null', 'Key', 'Default', 'Extra'], filter(describeTable(findTable(context, statement.table ?? { name: '' }).table)));
    case 'index':
    case 'indexes':
    case 'keys': {
      const { table: found } = findTable(context, statement.table ?? { name: '' });
      return table(
        ['Table', 'Non_unique', 'Key_name', 'Seq_in_index', 'Column_name'],
        found.keys.flatMap((key) => key.columns.map((column, i): SqlValue[] => [found.name, key.kind === 'index' ? 1 : 0, key.name, i + 1, column])),
        ['Non_unique', 'Seq_in_index'],
      );
    }
    case 'create-table': {
      const { table: found } = findTable(context, statement.table ?? { name: '' });
      return table(['Table', 'Create Table'], [[found.name, createTableText(found)]]);
    }
    case 'create-database':
    case 'create-schema':
      if (!context.databases.has(statement.database ?? '')) throw new SqlError(1049, '42000', `Unknown database '${statement.database}'`);
      return table(
        ['Database', 'Create Database'],
        [
          [
            statement.database ?? '',
            `CREATE DATABASE \`${statement.database}\` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci */ /*!80016 DEFAULT ENCRYPTION='N' */`,
          ],
        ],
      );
    case 'variables': {
      const values = new Map<string, SqlValue>([
        ...server.globals,
        ['gtid_executed', server.gtidExecuted()],
        ['server_uuid', state.uuid],
        ...(statement.global ? [] : [...session.variables].filter(([name]) => !name.startsWith('@'))),
      ]);
      const switches = new Set(['autocommit', 'log_bin', 'log_replica_updates', 'read_only', 'sql_log_bin', 'super_read_only']);
      const shown = (name: string, value: SqlValue): string => (switches.has(name) ? (toNumber(value) !== 0 ? 'ON' : 'OFF') : String(value ?? ''));
      return table(['Variable_name', 'Value'], filter([...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, shown(name, value)])));
    }
    case 'status': {
      const seconds = Math.floor((server.process.kernel.now() - server.startedMs) / 1000);
      const rows: SqlValue[][] = [
        ['Connections', String(session.id + 1)],
        ['Queries', String(server.queries)],
        ['Threads_connected', String(server.sessions.size)],
        ['Threads_running', '2'],
        ['Uptime', String(seconds)],
      ];
      return table(['Variable_name', 'Value'], filter(rows));
    }
    case 'processlist': {
      const now = server.process.kernel.now();
      const rows = [...server.sessions.values()].map((one): SqlValue[] => [
        one.id,
        one.user,
        one.host === 'localhost' ? 'localhost' : `${one.host}:${40_000 + one.id}`,
        one.database,
        one.command,
        Math.floor((now - one.sinceMs) / 1000),
        one === session ? 'init' : one.command.startsWith('Binlog') ? 'Source has sent all binlog to replica; waiting for more updates' : '',
        one === session ? 'SHOW PROCESSLIST' : null,
      ]);
      return table(['Id', 'User', 'Host', 'db', 'Command', 'Time', 'State', 'Info'], rows, ['Id', 'Time']);
    }
    case 'replica-status': {
      const row = server.replica.status();
      return row
        ? table(
            row.map(([title]) => title),
            [row.map(([, value]) => value)],
          )
        : { result: { columns: [], rows: [] } };
    }
    case 'replicas':
      return table(['Server_Id', 'Host', 'Port', 'Source_Id', 'Replica_UUID'], []);
    case 'source-status':
      return table(
        ['File', 'Position', 'Binlog_Do_DB', 'Binlog_Ignore_DB', 'Executed_Gtid_Set'],
        [['binlog.000002', 157 + state.binlog.length * 310, '', '', server.gtidExecuted()]],
        ['Position'],
      );
    case 'binary-logs':
      return table(['Log_name', 'File_size', 'Encrypted'], [['binlog.000002', 157 + state.binlog.length * 310, 'No']], ['File_size']);
    case 'grants': {
      const account = state.accounts.find((one) => one.user === session.user);
      const grants =
        account?.user === 'root' ? [{ privileges: 'ALL PRIVILEGES', on: '*.*' }] : [{ privileges: 'USAGE', on: '*.*' }, ...(account?.grants ?? [])];
      return table(
        [`Grants for ${session.user}@${account?.host ?? '%'}`],
        grants.map(({ privileges, on }) => [`GRANT ${privileges.toUpperCase()} ON ${on} TO \`${session.user}\`@\`${account?.host ?? '%'}\``]),
      );
    }
    case 'warnings':
    case 'errors':
      return { result: { columns: ['Level', 'Code', 'Message'].map((title) => ({ title, numeric: title === 'Code' })), rows: [] } };
    case 'engines':
      return table(['Engine', 'Support', 'Comment'], [['InnoDB', 'DEFAULT', 'Supports transactions, row-level locking, and foreign keys']]);
    default:
      throw new SqlError(1235, '42000', `This version of MySQL doesn't yet support 'SHOW ${statement.what.toUpperCase()}' (it is not simulated yet)`);
  }
}

function describeTable(table: Table): SqlValue[][] {
  return table.columns.map((column) => {
    const key = table.keys.find((one) => one.columns[0] === column.name);
    const fallback = column.default ? defaultText(column.default).replace(/^'|'$/g, '') : null;
    const extra = column.autoIncrement
      ? 'auto_increment'
      : fallback === 'CURRENT_TIMESTAMP'
        ? `DEFAULT_GENERATED${column.onUpdateNow ? ' on update CURRENT_TIMESTAMP' : ''}`
        : '';
    return [
      column.name,
      column.type,
      column.nullable ? 'YES' : 'NO',
      key ? { primary: 'PRI', unique: 'UNI', index: 'MUL' }[key.kind] : '',
      fallback === 'NULL' ? null : fallback,
      extra,
    ];
  });
}
