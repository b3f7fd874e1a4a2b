import { passwordHash } from './auth.ts';
import type { SqlStatement, TableName } from './sql-ast.ts';
import { SqlError, syntaxError } from './sql-error.ts';
import { likePattern } from './sql-functions.ts';
import type { Account } from './state.ts';

/** Accounts and what they may do. Left out: roles, privileges on columns, password expiry and history. */

/** The most exact account for a user from a host; `wrongHost`: no account admits that host. */
export function findAccount(accounts: readonly Account[], user: string, host: string): Account | undefined {
  const rank = (pattern: string): number => (pattern === host ? 0 : pattern.includes('%') ? 2 : 1);
  const matches = accounts.filter((one) => hostMatches(one.host, host)).sort((a, b) => rank(a.host) - rank(b.host));
  return matches.find((one) => one.user === user) ?? matches.find((one) => one.user === '');
}

export const hostMatches = (pattern: string, host: string): boolean =>
  pattern === host || pattern === '%' || (pattern === '127.0.0.1' && host === 'localhost') || (pattern.includes('%') && likePattern(pattern).test(host));

export function changeAccounts(accounts: Account[], statement: SqlStatement & { kind: 'user' }): void {
  const at = accounts.findIndex((one) => one.user === statement.user && one.host === statement.host);
  const failed = (action: string): SqlError => new SqlError(1396, 'HY000', `Operation ${action} failed for '${statement.user}'@'${statement.host}'`);
  const account = accounts[at];
  const plugin = statement.plugin ?? 'caching_sha2_password';
  if (plugin !== 'caching_sha2_password' && plugin !== 'mysql_native_password') throw new SqlError(1524, 'HY000', `Plugin '${plugin}' is not loaded`);
  switch (statement.action) {
    case 'create':
      if (account && !statement.tolerant) throw failed('CREATE USER');
      if (!account)
        accounts.push({
          user: statement.user,
          host: statement.host,
          plugin,
          hash: statement.hash ?? passwordHash(plugin, statement.password ?? ''),
          grants: [],
        });
      return;
    case 'drop':
      if (!account && !statement.tolerant) throw failed('DROP USER');
      if (account) accounts.splice(at, 1);
      return;
    case 'alter':
      if (!account) {
        if (statement.tolerant) return;
        throw failed('ALTER USER');
      }
      if (statement.plugin) account.plugin = plugin;
      if (statement.password !== undefined) account.hash = passwordHash(account.plugin, statement.password);
      return;
    default:
  }
  if (!account) throw new SqlError(1410, '42000', 'You are not allowed to create a user with GRANT');
  const on = statement.on ?? { database: '*', table: '*' };
  const privileges = (statement.privileges ?? []).filter((one) => one !== 'GRANT OPTION' && one !== 'USAGE');
  const unknown = privileges.find((one) => !PRIVILEGES.has(one) && !DYNAMIC.split(',').includes(one));
  if (unknown !== undefined) throw syntaxError(unknown, 1);
  const same = (grant: Account['grants'][number]): boolean => grant.on.database === on.database && grant.on.table === on.table;
  let grant = account.grants.find(same);
  if (statement.action === 'grant') {
    if (!grant) {
      grant = { privileges: [], on, grantOption: false };
      account.grants.push(grant);
    }
    grant.privileges = [...new Set([...grant.privileges, ...privileges])];
    grant.grantOption ||= statement.grantOption ?? false;
    return;
  }
  if (!grant) throw new SqlError(1141, '42000', `There is no such grant defined for user '${statement.user}' on host '${statement.host}'`);
  if (privileges.includes('ALL PRIVILEGES')) grant.privileges = [];
  else {
    if (grant.privileges.includes('ALL PRIVILEGES')) grant.privileges = [...PRIVILEGES].filter((one) => one !== 'ALL PRIVILEGES');
    const { privileges: had } = grant;
    grant.privileges = had.filter((one) => !privileges.includes(one));
  }
  if (statement.grantOption) grant.grantOption = false;
  account.grants = account.grants.filter((one) => one.privileges.length > 0 || one.grantOption);
}

const ALL =
  'SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, SHUTDOWN, PROCESS, FILE, REFERENCES, INDEX, ALTER, SHOW DATABASES, SUPER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, CREATE TABLESPACE, CREATE ROLE, DROP ROLE';
const DYNAMIC =
  'APPLICATION_PASSWORD_ADMIN,AUDIT_ABORT_EXEMPT,AUDIT_ADMIN,AUTHENTICATION_POLICY_ADMIN,BACKUP_ADMIN,BINLOG_ADMIN,BINLOG_ENCRYPTION_ADMIN,CLONE_ADMIN,CONNECTION_ADMIN,ENCRYPTION_KEY_ADMIN,FIREWALL_EXEMPT,FLUSH_OPTIMIZER_COSTS,FLUSH_STATUS,FLUSH_TABLES,FLUSH_USER_RESOURCES,GROUP_REPLICATION_ADMIN,GROUP_REPLICATION_STREAM,INNODB_REDO_LOG_ARCHIVE,INNODB_REDO_LOG_ENABLE,PASSWORDLESS_USER_ADMIN,PERSIST_RO_VARIABLES_ADMIN,REPLICATION_APPLIER,REPLICATION_SLAVE_ADMIN,RESOURCE_GROUP_ADMIN,RESOURCE_GROUP_USER,ROLE_ADMIN,SENSITIVE_VARIABLES_OBSERVER,SERVICE_CONNECTION_ADMIN,SESSION_VARIABLES_ADMIN,SET_USER_ID,SHOW_ROUTINE,SYSTEM_USER,SYSTEM_VARIABLES_ADMIN,TABLE_ENCRYPTION_ADMIN,TELEMETRY_LOG_ADMIN,XA_RECOVER_ADMIN';
const PRIVILEGES: ReadonlySet<string> = new Set(['ALL PRIVILEGES', ...ALL.split(', ')]);
/** SHOW GRANTS lists privileges in this order. */
const ORDER = [...PRIVILEGES];

const on = ({ database, table }: { database: string; table: string }): string =>
  `${database === '*' ? '*' : `\`${database}\``}.${table === '*' ? '*' : `\`${table}\``}`;

/** The rows of SHOW GRANTS. */
export function grantTexts(account: Account): string[] {
  const to = `TO \`${account.user}\`@\`${account.host}\``;
  const everything = account.grants.find((grant) => grant.on.database === '*' && grant.on.table === '*');
  const option = (grant: { grantOption: boolean }): string => (grant.grantOption ? ' WITH GRANT OPTION' : '');
  const rest = account.grants
    .filter((grant) => grant !== everything)
    .map(
      (grant) =>
        `GRANT ${[...grant.privileges].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).join(', ') || 'USAGE'} ON ${on(grant.on)} ${to}${option(grant)}`,
    );
  if (!everything) return [`GRANT USAGE ON *.* ${to}`, ...rest];
  if (everything.privileges.includes('ALL PRIVILEGES'))
    return [`GRANT ${ALL} ON *.* ${to}${option(everything)}`, `GRANT ${DYNAMIC} ON *.* ${to}${option(everything)}`, ...rest];
  return [`GRANT ${[...everything.privileges].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).join(', ')} ON *.* ${to}${option(everything)}`, ...rest];
}

/** Whether the account may do this there; without a database: everywhere. */
export function isAllowed(account: Account | undefined, privilege: string, database?: string, table?: string): boolean {
  if (database === 'information_schema') return true;
  return (account?.grants ?? []).some((grant) => {
    const here = grant.on.database === '*' || (database !== undefined && (grant.on.database === database || likePattern(grant.on.database).test(database)));
    const covered = here && (grant.on.table === '*' || (table !== undefined && grant.on.table === table));
    return covered && (privilege === 'any' ? grant.privileges.length > 0 : grant.privileges.includes(privilege) || grant.privileges.includes('ALL PRIVILEGES'));
  });
}

/** Whether any of the account's grants reaches into a database. */
export const mayEnter = (account: Account | undefined, database: string): boolean =>
  database === 'information_schema' ||
  database === 'performance_schema' ||
  (account?.grants ?? []).some(
    (grant) => grant.privileges.length > 0 && (grant.on.database === '*' || grant.on.database === database || likePattern(grant.on.database).test(database)),
  );

const NEEDS: Readonly<Record<string, string>> = {
  select: 'SELECT',
  insert: 'INSERT',
  update: 'UPDATE',
  delete: 'DELETE',
  truncate: 'DROP',
  'create-table': 'CREATE',
  'drop-table': 'DROP',
  'alter-table': 'ALTER',
  'rename-table': 'ALTER',
};
const GLOBAL_NEEDS: Readonly<Record<string, [privilege: string, shown: string]>> = {
  user: ['CREATE USER', 'CREATE USER'],
  'change-source': ['SUPER', 'SUPER, REPLICATION_SLAVE_ADMIN'],
  replica: ['SUPER', 'SUPER, REPLICATION_SLAVE_ADMIN'],
  'purge-logs': ['SUPER', 'SUPER, BINLOG_ADMIN'],
  'reset-logs': ['RELOAD', 'RELOAD'],
  flush: ['RELOAD', 'RELOAD'],
  shutdown: ['SHUTDOWN', 'SHUTDOWN'],
  restart: ['SHUTDOWN', 'SHUTDOWN'],
};

/** Throws 1044, 1142, 1227. `tables`: every table the statement reads or changes. */
export function authorise(
  account: Account | undefined,
  who: { user: string; host: string },
  statement: SqlStatement,
  tables: readonly TableName[],
  current: string | null,
): void {
  const denied = (database: string): SqlError =>
    new SqlError(1044, '42000', `Access denied for user '${who.user}'@'${account?.host ?? who.host}' to database '${database}'`);
  const global = GLOBAL_NEEDS[statement.kind];
  const setsGlobal = statement.kind === 'set' && statement.assignments.some(({ scope }) => scope === 'global' || scope === 'persist');
  const [privilege, shown] = setsGlobal ? ['SUPER', 'SUPER or SYSTEM_VARIABLES_ADMIN'] : (global ?? []);
  if (statement.kind === 'user' && (statement.action === 'grant' || statement.action === 'revoke')) {
    if ((account?.grants ?? []).some((grant) => grant.grantOption && (grant.on.database === '*' || grant.on.database === statement.on?.database))) return;
    if (statement.on && statement.on.database !== '*') throw denied(statement.on.database || (current ?? ''));
    throw new SqlError(1045, '28000', `Access denied for user '${who.user}'@'${account?.host ?? who.host}' (using password: YES)`);
  }
  if (privilege !== undefined && !isAllowed(account, privilege))
    throw new SqlError(1227, '42000', `Access denied; you need (at least one of) the ${shown} privilege(s) for this operation`);
  if (statement.kind === 'use' && !mayEnter(account, statement.name)) throw denied(statement.name);
  if (statement.kind === 'create-database' && !isAllowed(account, 'CREATE', statement.name)) throw denied(statement.name);
  if (statement.kind === 'drop-database' && !isAllowed(account, 'DROP', statement.name)) throw denied(statement.name);
  const need = NEEDS[statement.kind];
  if (need === undefined) return;
  for (const [i, table] of tables.entries()) {
    // The first is what is changed; the others are read.
    const wanted = i === 0 ? need : 'SELECT';
    const database = table.database ?? current ?? '';
    if (!isAllowed(account, wanted, database, table.name))
      throw new SqlError(1142, '42000', `${wanted} command denied to user '${who.user}'@'${who.host}' for table '${table.name}'`);
  }
}
