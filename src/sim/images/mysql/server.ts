import type { Applet } from '../../../applets/applet.ts';
import { acceptLoop } from '../../../applets/web-server.ts';
import { randomUid } from '../../../kernel/index.ts';
import { Errno, type Process, type Socket } from '../../../unix/types.ts';
import { applyChange, type Change, cloneDatabases, type Databases } from './database.ts';
import { Executor, type Outcome } from './executor.ts';
import type { QueryContext } from './query.ts';
import { Replica } from './replica.ts';
import { showStatement } from './show.ts';
import { SqlError } from './sql-error.ts';
import { toNumber } from './sql-functions.ts';
import { SqlParser, type SqlStatement, type SqlValue } from './sql-parser.ts';
import { type BinlogEvent, gtidText, type ServerState, saveState } from './state.ts';
import { type FromServer, greeting, type ToServer, Wire } from './wire.ts';

/** One connection, or the server's own doing (initialisation, the applier). */
export interface Session {
  id: number;
  user: string;
  host: string;
  database: string | null;
  variables: Map<string, SqlValue>;
  /** An open transaction: its own copy of the data and what it changed. */
  transaction: { databases: Databases; changes: Change[] } | undefined;
  lastInsertId: number;
  rowCount: number;
  command: string;
  sinceMs: number;
}

/** Statements that change data or schema: refused on a read-only server. */
const WRITES = new Set(['insert', 'update', 'delete', 'truncate', 'create-database', 'drop-database', 'create-table', 'drop-table', 'alter-table', 'user']);
const MAX_PACKET_BYTES = 67_108_864;

/** mysqld: sessions over one state, its binary log, and the replication threads. */
export class MysqlServer {
  readonly process: Process;
  readonly state: ServerState;
  readonly globals = new Map<string, SqlValue>();
  readonly replica: Replica;
  readonly sessions = new Map<number, Session>();
  readonly startedMs: number;
  queries = 0;
  #applet: Applet;
  #nextId = 8;
  #followers = new Set<() => void>();

  constructor(applet: Applet, state: ServerState, options: ReadonlyMap<string, SqlValue>) {
    this.#applet = applet;
    this.process = applet.process;
    this.state = state;
    this.startedMs = this.process.kernel.now();
    const defaults: [string, SqlValue][] = [
      ['autocommit', 1],
      ['binlog_format', 'ROW'],
      ['character_set_server', 'utf8mb4'],
      ['collation_server', 'utf8mb4_0900_ai_ci'],
      ['datadir', '/var/lib/mysql/'],
      ['default_storage_engine', 'InnoDB'],
      ['enforce_gtid_consistency', 'OFF'],
      ['gtid_mode', 'OFF'],
      ['hostname', this.process.machine.hostname],
      ['innodb_buffer_pool_size', 134_217_728],
      ['log_bin', 1],
      ['log_replica_updates', 1],
      ['max_allowed_packet', MAX_PACKET_BYTES],
      ['max_connections', 151],
      ['port', 3306],
      ['read_only', 0],
      ['report_host', ''],
      ['server_id', 1],
      ['sql_log_bin', 1],
      ['sql_mode', 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'],
      ['super_read_only', 0],
      ['time_zone', 'SYSTEM'],
      ['transaction_isolation', 'REPEATABLE-READ'],
      ['version', '8.1.0'],
      ['version_comment', 'MySQL Community Server - GPL'],
      ['wait_timeout', 28_800],
    ];
    for (const [name, value] of [...defaults, ...options, ...Object.entries(state.persisted)]) this.globals.set(name, value);
    if (toNumber(this.globals.get('super_read_only') ?? 0) !== 0) this.globals.set('read_only', 1);
    this.replica = new Replica(this);
  }

  // ---- connections ----

  async listen(port: number): Promise<never> {
    return acceptLoop(this.#applet, port, (socket) => this.#serve(socket));
  }

  newSession(user: string, host: string): Session {
    const session: Session = {
      id: this.#nextId++,
      user,
      host,
      database: null,
      variables: new Map(),
      transaction: undefined,
      lastInsertId: 0,
      rowCount: -1,
      command: 'Sleep',
      sinceMs: this.process.kernel.now(),
    };
    return session;
  }

  async #serve(socket: Socket): Promise<void> {
    const wire = new Wire(this.process, socket);
    const host = socket.remote.ip.startsWith('127.') ? 'localhost' : socket.remote.ip;
    const session = this.newSession('', host);
    try {
      await this.process.guard(socket.write(greeting(session.id)));
      const first = await wire.receive<ToServer>();
      if (!first || !('login' in first)) return;
      const { user, password, database } = first.login;
      const account = this.state.accounts.find((one) => one.user === user && (one.host === '%' || one.host === host));
      if (!account || account.password !== password) {
        await wire.send({ error: [1045, '28000', `Access denied for user '${user}'@'${host}' (using password: ${password === '' ? 'NO' : 'YES'})`] });
        return;
      }
      session.user = user;
      if (database !== undefined) {
        if (!this.state.databases.has(database)) {
          await wire.send({ error: [1049, '42000', `Unknown database '${database}'`] });
          return;
        }
        session.database = database;
      }
      this.sessions.set(session.id, session);
      await wire.send({ ok: { connectionId: session.id, serverId: toNumber(this.globals.get('server_id') ?? 1), uuid: this.state.uuid } });
      for (;;) {
        const message = await wire.receive<ToServer>();
        if (!message || !this.sessions.has(session.id)) return;
        if ('dump' in message) {
          session.command = 'Binlog Dump GTID';
          await this.#dump(wire, message.dump.executed);
          return;
        }
        if ('sql' in message) await wire.send(await this.query(session, message.sql));
      }
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
    } finally {
      this.sessions.delete(session.id);
      socket.close();
    }
  }

  /** Sends what the replica lacks, then everything that follows. Ends when the connection does. */
  async #dump(wire: Wire, executed: Record<string, number>): Promise<void> {
    const known = { ...executed };
    let wake: (() => void) | undefined;
    const follow = (): void => wake?.();
    this.#followers.add(follow);
    let gone = false;
    void wire.receive().then(
      () => {
        gone = true;
        follow();
      },
      () => {
        gone = true;
        follow();
      },
    );
    try {
      for (let at = 0; !gone; ) {
        for (; at < this.state.binlog.length; at++) {
          const event = this.state.binlog[at] as BinlogEvent;
          if (event.number <= (known[event.uuid] ?? 0)) continue;
          known[event.uuid] = event.number;
          await wire.send({ event });
        }
        await this.process.guard(
          new Promise<void>((resolve) => {
            wake = resolve;
            if (gone || at < this.state.binlog.length) resolve();
          }),
        );
      }
    } finally {
      this.#followers.delete(follow);
    }
  }

  // ---- statements ----

  /** Runs one statement of a connection and answers as the server would. */
  async query(session: Session, sql: string): Promise<FromServer> {
    const { kernel } = this.process;
    const began = kernel.now();
    session.command = 'Query';
    session.sinceMs = began;
    this.queries++;
    try {
      if (sql.length > MAX_PACKET_BYTES) throw new SqlError(1153, '08S01', "Got a packet bigger than 'max_allowed_packet' bytes");
      const statement = new SqlParser(sql).parse();
      await this.process.cpu(0.2 + sql.length / 100_000);
      const outcome = await this.#run(session, statement, sql.trim().replace(/;\s*$/, ''));
      const seconds = (kernel.now() - began) / 1000;
      if ('result' in outcome) return { ...outcome.result, seconds };
      session.rowCount = outcome.affected;
      if (outcome.insertId !== undefined) session.lastInsertId = outcome.insertId;
      return { ...outcome, seconds, ...(session.database === null ? {} : { database: session.database }) };
    } catch (error) {
      if (error instanceof SqlError) return { error: [error.number, error.state, error.message] };
      if (error instanceof Errno)
        return {
          error: [
            error.code === 'ENOSPC' ? 1114 : 1030,
            'HY000',
            error.code === 'ENOSPC' ? 'The table is full' : `Got error - '${error.message}' from storage engine`,
          ],
        };
      throw error;
    } finally {
      session.command = 'Sleep';
      session.sinceMs = kernel.now();
    }
  }

  context(session: Session): QueryContext {
    const { kernel } = this.process;
    return {
      databases: session.transaction?.databases ?? this.state.databases,
      database: session.database,
      functions: {
        nowMs: kernel.now(),
        random: () => kernel.random.float(),
        uuid: () => randomUid(kernel.random),
        database: session.database,
        user: `${session.user}@${session.host}`,
        connectionId: session.id,
        lastInsertId: session.lastInsertId,
        rowCount: session.rowCount,
      },
      variable: (scope, name) => this.variable(session, scope, name),
    };
  }

  variable(session: Session, scope: 'user' | 'system', name: string): SqlValue {
    if (scope === 'user') return session.variables.get(`@${name}`) ?? null;
    const special: Record<string, () => SqlValue> = {
      gtid_executed: () => this.gtidExecuted(),
      server_uuid: () => this.state.uuid,
    };
    const value = special[name]?.() ?? session.variables.get(name) ?? this.globals.get(name);
    if (value === undefined) throw new SqlError(1193, 'HY000', `Unknown system variable '${name}'`);
    return value;
  }

  gtidExecuted(): string {
    return gtidText(this.state.executed);
  }

  async #run(session: Session, statement: SqlStatement, sql: string): Promise<Outcome> {
    this.#authorise(session, statement);
    if (WRITES.has(statement.kind)) this.#refuseWhenReadOnly(session);
    switch (statement.kind) {
      case 'use':
        if (!this.state.databases.has(statement.name)) throw new SqlError(1049, '42000', `Unknown database '${statement.name}'`);
        session.database = statement.name;
        return { affected: 0 };
      case 'begin':
        this.#commit(session);
        session.transaction = { databases: cloneDatabases(this.state.databases), changes: [] };
        return { affected: 0 };
      case 'commit':
        this.#commit(session);
        return { affected: 0 };
      case 'rollback':
        session.transaction = undefined;
        return { affected: 0 };
      case 'nothing':
        return { affected: 0 };
      case 'set':
        return this.#set(session, statement);
      case 'show':
        return showStatement(this, session, statement);
      case 'user':
        return this.#user(session, statement, sql);
      case 'change-source':
      case 'replica':
        return this.replica.control(statement);
      case 'kill':
        if (!this.sessions.delete(statement.id)) throw new SqlError(1094, 'HY000', `Unknown thread id: ${statement.id}`);
        return { affected: 0 };
      default:
    }
    if (statement.kind === 'select') {
      const seconds = sleepSeconds(statement);
      if (seconds > 0) await this.process.sleep(seconds * 1000);
      if (seconds > 0) return { result: { columns: [{ title: `sleep(${seconds})`, numeric: true }], rows: [[0]] } };
    }
    const implicit = !['select', 'insert', 'update', 'delete'].includes(statement.kind);
    if (implicit) this.#commit(session);
    if (!session.transaction && toNumber(this.variable(session, 'system', 'autocommit')) === 0 && statement.kind !== 'select') {
      session.transaction = { databases: cloneDatabases(this.state.databases), changes: [] };
    }
    if (session.transaction) {
      // A statement that fails half-way leaves nothing behind.
      const attempt = cloneDatabases(session.transaction.databases);
      const executor = new Executor({ ...this.context(session), databases: attempt });
      const outcome = executor.run(statement, sql);
      session.transaction.databases = attempt;
      session.transaction.changes.push(...executor.changes);
      return outcome;
    }
    const writes = statement.kind !== 'select';
    const attempt = writes ? cloneDatabases(this.state.databases) : this.state.databases;
    const executor = new Executor({ ...this.context(session), databases: attempt });
    const outcome = executor.run(statement, sql);
    if (writes) this.#publish(session, attempt, executor.changes);
    return outcome;
  }

  #commit(session: Session): void {
    const { transaction } = session;
    session.transaction = undefined;
    if (!transaction || transaction.changes.length === 0) return;
    this.#refuseWhenReadOnly(session);
    const merged = cloneDatabases(this.state.databases);
    for (const change of transaction.changes) if (change.kind !== 'schema') applyChange(merged, change);
    this.#publish(session, merged, transaction.changes);
  }

  /** Makes new data the data, logs it, and writes the file: all of it or nothing. */
  #publish(session: Session, databases: Databases, changes: Change[]): void {
    if (changes.length === 0) return;
    const before = { databases: this.state.databases, executed: { ...this.state.executed }, length: this.state.binlog.length };
    this.state.databases = databases;
    if (toNumber(this.variable(session, 'system', 'sql_log_bin')) !== 0) {
      const number = (this.state.executed[this.state.uuid] ?? 0) + 1;
      this.state.executed[this.state.uuid] = number;
      this.state.binlog.push({ uuid: this.state.uuid, number, atMs: this.process.kernel.now(), changes });
    }
    try {
      this.save();
    } catch (error) {
      this.state.databases = before.databases;
      this.state.executed = before.executed;
      this.state.binlog.length = before.length;
      throw error;
    }
    for (const follow of this.#followers) follow();
  }

  /** A transaction of the source, applied here under its own GTID. Throws what the applier stops with. */
  apply(event: BinlogEvent): void {
    const databases = cloneDatabases(this.state.databases);
    for (const change of event.changes) {
      if (change.kind !== 'schema') {
        applyChange(databases, change);
        continue;
      }
      const statement = new SqlParser(change.sql).parse();
      if (statement.kind === 'user') {
        this.#changeAccounts(statement);
        continue;
      }
      const session = { ...this.newSession('root', 'localhost'), database: change.database || null };
      new Executor({ ...this.context(session), databases }).run(statement, change.sql);
    }
    this.state.databases = databases;
    this.state.executed[event.uuid] = event.number;
    this.state.binlog.push(event);
    this.save();
    for (const follow of this.#followers) follow();
  }

  save(): void {
    saveState(this.process.machine.fs, this.state);
  }

  #refuseWhenReadOnly(session: Session): void {
    const option =
      toNumber(this.globals.get('super_read_only') ?? 0) !== 0
        ? 'super-read-only'
        : toNumber(this.globals.get('read_only') ?? 0) !== 0 && session.user !== 'root'
          ? 'read-only'
          : undefined;
    if (option && session.id > 0)
      throw new SqlError(1290, 'HY000', `The MySQL server is running with the --${option} option so it cannot execute this statement`);
  }

  #authorise(session: Session, statement: SqlStatement): void {
    if (session.user === 'root' || session.id === 0) return;
    const account = this.state.accounts.find((one) => one.user === session.user);
    const words = {
      select: 'SELECT',
      insert: 'INSERT',
      update: 'UPDATE',
      delete: 'DELETE',
      'create-table': 'CREATE',
      'drop-table': 'DROP',
      'create-database': 'CREATE',
      'drop-database': 'DROP',
    } as const;
    const need = words[statement.kind as keyof typeof words];
    if (!need || (statement.kind === 'select' && statement.from.length === 0)) return;
    const table = 'table' in statement ? statement.table : statement.kind === 'select' ? statement.from[0] : undefined;
    const database = table?.database ?? session.database ?? '';
    const covered = account?.grants.some(({ privileges, on }) => {
      const target = (on.replace(/`/g, '').split('.')[0] ?? '*').trim();
      return (target === '*' || target === database) && (/^all/i.test(privileges) || privileges.toUpperCase().includes(need));
    });
    if (!covered) throw new SqlError(1142, '42000', `${need} command denied to user '${session.user}'@'${session.host}' for table '${table?.name ?? ''}'`);
  }

  #set(session: Session, statement: SqlStatement & { kind: 'set' }): Outcome {
    for (const { scope, name, value: expression } of statement.assignments) {
      const evaluated = new Executor(this.context(session)).run(
        { kind: 'select', distinct: false, items: [{ value: expression, title: '' }], from: [], groupBy: [], orderBy: [] },
        '',
      );
      const raw = 'result' in evaluated ? (evaluated.result.rows[0]?.[0] ?? null) : null;
      if (scope === 'user') {
        session.variables.set(`@${name}`, raw);
        continue;
      }
      if (!this.globals.has(name) && name !== 'gtid_purged') throw new SqlError(1193, 'HY000', `Unknown system variable '${name}'`);
      if (['hostname', 'version', 'datadir', 'port', 'log_bin'].includes(name)) throw new SqlError(1238, 'HY000', `Variable '${name}' is a read only variable`);
      if (scope === 'session' && ['server_id', 'read_only', 'super_read_only', 'gtid_mode', 'max_connections'].includes(name))
        throw new SqlError(1229, 'HY000', `Variable '${name}' is a GLOBAL variable and should be set with SET GLOBAL`);
      const value = typeof this.globals.get(name) === 'number' ? ({ ON: 1, OFF: 0, TRUE: 1, FALSE: 0 }[String(raw).toUpperCase()] ?? toNumber(raw)) : raw;
      if (scope === 'session') session.variables.set(name, value);
      else {
        this.globals.set(name, value);
        if (name === 'super_read_only' && toNumber(value) !== 0) this.globals.set('read_only', 1);
        if (name === 'read_only' && toNumber(value) === 0) this.globals.set('super_read_only', 0);
        if (scope === 'persist') {
          this.state.persisted[name] = value;
          this.save();
        }
      }
      if (name === 'autocommit' && toNumber(value) !== 0) this.#commit(session);
    }
    return { affected: 0 };
  }

  #user(session: Session, statement: SqlStatement & { kind: 'user' }, sql: string): Outcome {
    if (session.user !== 'root') throw new SqlError(1227, '42000', 'Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation');
    this.#changeAccounts(statement);
    this.#publish(session, this.state.databases, [{ kind: 'schema', database: '', sql }]);
    this.save();
    return { affected: 0 };
  }

  #changeAccounts(statement: SqlStatement & { kind: 'user' }): void {
    const { accounts } = this.state;
    const at = accounts.findIndex((one) => one.user === statement.user && one.host === statement.host);
    const failed = (action: string): SqlError => new SqlError(1396, 'HY000', `Operation ${action} failed for '${statement.user}'@'${statement.host}'`);
    const account = accounts[at];
    switch (statement.action) {
      case 'create':
        if (account && !statement.tolerant) throw failed('CREATE USER');
        if (!account) accounts.push({ user: statement.user, host: statement.host, password: statement.password ?? '', grants: [] });
        break;
      case 'drop':
        if (!account && !statement.tolerant) throw failed('DROP USER');
        if (account) accounts.splice(at, 1);
        break;
      case 'alter':
        if (!account) throw failed('ALTER USER');
        account.password = statement.password ?? account.password;
        break;
      default:
        if (!account) throw new SqlError(1410, '42000', 'You are not allowed to create a user with GRANT');
        if (statement.action === 'grant') account.grants.push({ privileges: statement.privileges ?? '', on: statement.on ?? '*.*' });
        else account.grants = account.grants.filter((grant) => grant.on !== statement.on);
    }
  }
}

/** Seconds of a lone SELECT SLEEP(n). */
function sleepSeconds(statement: SqlStatement & { kind: 'select' }): number {
  const value = statement.items[0]?.value;
  const argument = value?.kind === 'call' && value.name === 'sleep' ? value.args[0] : undefined;
  return argument?.kind === 'literal' ? toNumber(argument.value) : 0;
}
