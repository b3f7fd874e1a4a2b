import { changeAccounts, mayEnter } from './accounts.ts';
import { Executor, SYSTEM_DATABASES, visibleColumns } from './executor.ts';
import type { QueryContext, Relation } from './plan.ts';
import { prepareSchemaChange } from './schema.ts';
import type { Host, Session } from './session.ts';
import type { SqlExpression, SqlStatement, TableName } from './sql-ast.ts';
import { notSimulated, SqlError } from './sql-error.ts';
import { SqlParser } from './sql-parser.ts';
import { isTrue, type SqlValue, toText } from './sql-value.ts';
import type { BinlogEvent, ServerState } from './state.ts';
import { type Change, findTable, type Row, type Transaction } from './store.ts';
import { DEFINITIONS, variableName } from './variables.ts';
import { virtualTable } from './virtual-tables.ts';

const _SCHEMA_KINDS = new Set(['create-database', 'drop-database', 'create-table', 'drop-table', 'alter-table', 'rename-table', 'truncate']);
const _ROW_WRITES = new Set(['insert', 'update', 'delete']);

/** What every statement works with: variables, tables, the log. */
export abstract class InstanceBase {
  readonly state: ServerState;
  readonly host: Host;
  readonly globals: Map<string, SqlValue>;
  readonly sessions = new Map<number, Session>();
  readonly startedMs: number;
  readonly counters = { questions: 0, connections: 0, slow: 0, commands: new Map<string, number>() };
  /** Told after every commit. */
  readonly followers = new Set<() => void>();
  replicaStatus: (() => [string, SqlValue][] | undefined) | undefined;
  replicaControl: ((statement: SqlStatement & { kind: 'change-source' | 'replica' }) => void) | undefined;
  replicas: (() => SqlValue[][]) | undefined;
  #nextId = 8;

  constructor(host: Host, state: ServerState, globals: Map<string, SqlValue>) {
    this.host = host;
    this.state = state;
    this.globals = globals;
    this.startedMs = host.now();
    for (const [name, value] of Object.entries(state.persisted)) globals.set(name, value);
    if (globals.get('super_read_only') === 1n) globals.set('read_only', 1n);
    globals.set('hostname', host.hostname);
    globals.set('report_host', toText(globals.get('report_host') ?? ''));
    globals.set('relay_log', `${host.hostname}-relay-bin`);
    globals.set('general_log_file', `/var/lib/mysql/${host.hostname}.log`);
  }

  newSession(user: string, host: string, own = false): Session {
    const now = this.host.now();
    this.counters.connections++;
    const id = own ? 0 : this.#nextId++;
    return {
      ...{ id, user, host, port: 0, account: undefined, database: null, variables: new Map(), transaction: undefined, readOnly: false, nextLevel: undefined },
      ...{ prepared: new Map(), warnings: [], lastInsertId: 0, rowCount: -1, command: 'Sleep', state: '', info: null, sinceMs: now },
      ...{ killed: undefined, interrupt: undefined, close: undefined },
    };
  }

  warn(session: Session, code: number, message: string, level: 'Note' | 'Warning' = 'Warning'): void {
    if (session.warnings.length < 64) session.warnings.push({ level, code, message });
  }

  context(session: Session, transaction: Transaction | undefined): QueryContext {
    const { host } = this;
    const warn = (code: number, message: string): void => this.warn(session, code, message);
    return {
      database: session.database,
      onlyFullGroupBy: toText(this.variable(session, 'sql_mode')).includes('ONLY_FULL_GROUP_BY'),
      functions: {
        nowMs: host.now(),
        random: () => host.random(),
        uuid: () => host.uuid(),
        database: session.database,
        user: `${session.user}@${session.host}`,
        account: `${session.account?.user ?? session.user}@${session.account?.host ?? session.host}`,
        connectionId: session.id,
        lastInsertId: session.lastInsertId,
        rowCount: session.rowCount,
        warn,
      },
      variable: (scope, name) => (scope === 'user' ? (session.variables.get(`@${name}`) ?? null) : this.variable(session, name)),
      setVariable: (name, value) => void session.variables.set(`@${name}`, value),
      warn,
      relation: (reference, locking) => this.#relation(session, transaction, reference, locking),
    };
  }

  #relation(session: Session, transaction: Transaction | undefined, reference: TableName, locking: boolean): Relation {
    const database = reference.database ?? session.database;
    const virtual =
      database !== null && SYSTEM_DATABASES.has(database.toLowerCase()) ? virtualTable(this, session, database.toLowerCase(), reference.name) : undefined;
    if (virtual) return virtual;
    const { store } = this.state;
    const table = findTable(store.databases, reference, session.database);
    const columns = visibleColumns(table);
    const keys = table.keys.filter(
      (key) => key.kind !== 'index' && key.columns.every((name) => table.columns.find((column) => column.name === name)?.nullable === false),
    );
    let rows: readonly Row[] | undefined;
    if (!transaction) throw notSimulated('a table here');
    const within = transaction;
    const share = transaction.level === 'SERIALIZABLE' && session.transaction !== undefined;
    return {
      columns,
      keys: keys.map((key) => key.columns),
      rows: () => {
        rows ??= store.scan(within, table, locking || share ? 'current' : 'snapshot');
        if (share && !locking) for (const row of rows) store.lock(within, table, row.id, false);
        return rows;
      },
      lock: (row, exclusive) => store.lock(within, table, row.id, exclusive),
      isLocked: (row) => store.isLockedByOthers(within, table, row.id),
    };
  }

  variable(session: Session | undefined, name: string): SqlValue {
    const key = variableName(name);
    const special: Record<string, () => SqlValue> = {
      gtid_executed: () => this.state.executed.toString(),
      gtid_purged: () => this.state.purged.toString(),
      server_uuid: () => this.state.uuid,
      timestamp: () => this.host.now() / 1000,
      warning_count: () => BigInt(session?.warnings.length ?? 0),
      last_insert_id: () => BigInt(session?.lastInsertId ?? 0),
      pseudo_thread_id: () => BigInt(session?.id ?? 0),
    };
    const value = special[key]?.() ?? session?.variables.get(key) ?? this.globals.get(key);
    if (value === undefined) throw new SqlError(1193, 'HY000', `Unknown system variable '${name}'`);
    return value;
  }

  isOn(session: Session | undefined, name: string): boolean {
    return isTrue(this.variable(session, name));
  }

  /** All variables by name. */
  variables(session: Session, global: boolean): [string, SqlValue][] {
    return [...DEFINITIONS.keys()].sort().map((name) => [name, this.variable(global ? undefined : session, name)]);
  }

  /** Rows of SHOW PROCESSLIST. */
  processes(viewer: Session): SqlValue[][] {
    const now = this.host.now();
    return [...this.sessions.values()].map((one): SqlValue[] => [
      BigInt(one.id),
      one.user,
      one.host === 'localhost' ? 'localhost' : `${one.host}:${one.port}`,
      one.database,
      one.command,
      BigInt(Math.floor((now - one.sinceMs) / 1000)),
      one === viewer ? 'init' : one.state,
      one.info,
    ]);
  }

  protected tellFollowers(): void {
    for (const follow of this.followers) follow();
  }

  protected event(session: Session, changes: Change[]): BinlogEvent {
    const { uuid, executed } = this.state;
    const atMs = this.host.now();
    if (!this.isOn(session, 'sql_log_bin')) return { uuid: '', number: 0, atMs, changes, local: true };
    if (this.globals.get('gtid_mode') !== 'ON') return { uuid: '', number: 0, atMs, changes };
    const [given = '', number] = toText(session.variables.get('gtid_next') ?? 'AUTOMATIC').split(':');
    if (number !== undefined) session.variables.set('gtid_next', 'USED');
    else if (given === 'USED')
      throw new SqlError(
        1837,
        'HY000',
        "When @@SESSION.GTID_NEXT is set to a GTID, you must explicitly set it to a different value after a COMMIT or ROLLBACK. Please check GTID_NEXT variable manual page for detailed explanation. Current @@SESSION.GTID_NEXT is 'NOT_YET_DETERMINED'.",
      );
    return number === undefined ? { uuid, number: executed.last(uuid) + 1, atMs, changes } : { uuid: given, number: Number(number), atMs, changes };
  }

  protected log(event: BinlogEvent): void {
    this.host.append(event);
    if (event.uuid !== '') this.state.executed.add(event.uuid, event.number);
  }

  refuseWhenReadOnly(session: Session): void {
    if (session.id === 0) return;
    const option = this.isOn(undefined, 'super_read_only')
      ? 'super-read-only'
      : this.isOn(undefined, 'read_only') && !this.#isSuper(session)
        ? 'read-only'
        : undefined;
    if (option) throw new SqlError(1290, 'HY000', `The MySQL server is running with the --${option} option so it cannot execute this statement`);
  }

  #isSuper(session: Session): boolean {
    return (
      session.account?.grants.some(
        (grant) => grant.on.database === '*' && (grant.privileges.includes('ALL PRIVILEGES') || grant.privileges.includes('SUPER')),
      ) ?? false
    );
  }

  protected prepareSchema(session: Session, statement: SqlStatement) {
    return prepareSchemaChange(
      {
        store: this.state.store,
        database: session.database,
        foreignKeyChecks: this.isOn(session, 'foreign_key_checks'),
        evaluate: (expression) => this.value(session, expression),
        warn: (code, message, level) => this.warn(session, code, message, level),
      },
      statement,
    );
  }

  protected value(session: Session, expression: SqlExpression): SqlValue {
    const { store } = this.state;
    const transaction = store.begin('READ-COMMITTED');
    try {
      return new Executor({ ...this.context(session, transaction), store, transaction, foreignKeyChecks: false }).value(expression);
    } finally {
      store.rollback(transaction);
    }
  }

  /** A transaction from a log, done here: after a crash, or as a replica. Throws 1062, 1032, 1146 and the like; then nothing was done. */
  apply(event: BinlogEvent, durable: boolean): void {
    const { store } = this.state;
    const transaction = store.begin('READ-COMMITTED');
    const session = { ...this.newSession('root', 'localhost', true) };
    const schema: (() => void)[] = [];
    try {
      for (const change of event.changes) {
        if (change.kind === 'schema') schema.push(this.#repeatSchema(session, change));
        else this.#repeatRow(transaction, change);
      }
      if (durable) this.log(event);
    } catch (error) {
      store.rollback(transaction);
      throw error;
    }
    store.commit(transaction);
    for (const apply of schema) apply();
    if (!durable && event.uuid !== '') this.state.executed.add(event.uuid, event.number);
    this.tellFollowers();
  }

  #repeatSchema(session: Session, change: Change & { kind: 'schema' }): () => void {
    session.database = change.database === '' ? null : change.database;
    const statement = new SqlParser(change.sql).parse();
    if (statement.kind !== 'user') return this.prepareSchema(session, statement).apply ?? (() => {});
    const accounts = structuredClone(this.state.accounts);
    changeAccounts(accounts, statement);
    return () => {
      this.state.accounts = accounts;
    };
  }

  #repeatRow(transaction: Transaction, change: Exclude<Change, { kind: 'schema' }>): void {
    const { store } = this.state;
    const table = store.databases.get(change.database)?.get(change.table);
    if (!table) throw new SqlError(1146, '42S02', `Table '${change.database}.${change.table}' doesn't exist`);
    const row = change.kind === 'insert' ? undefined : store.locate(transaction, table, change.before);
    if (change.kind !== 'insert' && !row) throw new SqlError(1032, 'HY000', `Can't find record in '${change.table}'`);
    const id = row?.id ?? table.nextRow++;
    store.lock(transaction, table, id, true);
    if (change.kind !== 'delete') {
      const duplicate = store.claim(transaction, table, id, change.after);
      if (duplicate) throw new SqlError(1062, '23000', `Duplicate entry '${duplicate.entry}' for key '${table.name}.${duplicate.key.name}'`);
      const counter = table.columns.findIndex((column) => column.autoIncrement);
      const used = change.after[counter];
      if (typeof used === 'bigint' && used >= table.autoIncrement) table.autoIncrement = used + 1n;
    }
    store.write(transaction, table, id, change.kind === 'delete' ? null : change.after, change);
  }

  mayEnter(session: Session, database: string): boolean {
    return session.id === 0 || mayEnter(session.account, database);
  }
}
