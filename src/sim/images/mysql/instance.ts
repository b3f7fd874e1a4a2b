import { authorise, changeAccounts, findAccount } from './accounts.ts';
import type { Outcome } from './executor.ts';
import { GtidSet } from './gtid.ts';
import type { Answer, Session } from './session.ts';
import { showStatement } from './show.ts';
import type { SqlStatement } from './sql-ast.ts';
import { timestamp } from './sql-dates.ts';
import { notSimulated, SqlError } from './sql-error.ts';
import { SqlParser } from './sql-parser.ts';
import { isTrue, type SqlValue, toText } from './sql-value.ts';
import { bindParameters, sleepSeconds, tablesIn } from './statement-facts.ts';
import { DEFINITIONS, variableName, variableValue } from './variables.ts';

const SCHEMA_KINDS = new Set(['create-database', 'drop-database', 'create-table', 'drop-table', 'alter-table', 'rename-table', 'truncate']);
const _ROW_WRITES = new Set(['insert', 'update', 'delete']);

import { TransactionalInstance } from './instance-transactions.ts';

/** A database server without its network: sessions over one state. */
export class Instance extends TransactionalInstance {
  async query(session: Session, sql: string): Promise<Answer> {
    session.command = 'Query';
    session.info = sql;
    session.sinceMs = this.host.now();
    this.counters.questions++;
    try {
      const statement = new SqlParser(sql).parse();
      this.counters.commands.set(statement.kind, (this.counters.commands.get(statement.kind) ?? 0) + 1);
      return await this.#answer(session, statement, sql.trim().replace(/;\s*$/, ''));
    } catch (error) {
      const failure = error instanceof SqlError ? error : undefined;
      if (!failure) throw error;
      session.warnings = [{ level: 'Error', code: failure.number, message: failure.message }];
      session.rowCount = -1;
      return { error: [failure.number, failure.state, failure.message] };
    } finally {
      session.command = 'Sleep';
      session.state = '';
      session.info = null;
      session.sinceMs = this.host.now();
    }
  }

  async #answer(session: Session, statement: SqlStatement, sql: string): Promise<Answer> {
    if (!(statement.kind === 'show' && /^(warnings|errors)$/.test(statement.what))) session.warnings = [];
    const outcome = await this.#run(session, statement, sql);
    const warnings = session.warnings.length;
    if ('result' in outcome) {
      session.rowCount = -1;
      return { columns: outcome.result.columns, rows: outcome.result.rows, warnings: statement.kind === 'show' ? 0 : warnings };
    }
    session.rowCount = outcome.affected;
    if (outcome.insertId !== undefined && outcome.generated) session.lastInsertId = outcome.insertId;
    return {
      affected: outcome.affected,
      info: (outcome.info ?? '').replace(/Warnings: \d+/, `Warnings: ${warnings}`),
      insertId: outcome.insertId ?? 0,
      warnings,
    };
  }

  async #run(session: Session, statement: SqlStatement, sql: string): Promise<Outcome> {
    if (session.id !== 0) authorise(session.account, session, statement, tablesIn(statement), session.database);
    switch (statement.kind) {
      case 'use':
        if (!this.state.store.databases.has(statement.name)) throw new SqlError(1049, '42000', `Unknown database '${statement.name}'`);
        session.database = statement.name;
        return { affected: 0 };
      case 'begin':
        this.commit(session);
        session.transaction = this.begin(session);
        session.readOnly = statement.readOnly;
        if (statement.snapshot) this.state.store.takeSnapshot(session.transaction);
        return { affected: 0 };
      case 'commit':
      case 'rollback':
        if (statement.kind === 'commit') this.commit(session);
        else this.rollback(session);
        if (statement.chain) session.transaction = this.begin(session);
        return { affected: 0 };
      case 'savepoint':
      case 'release':
      case 'rollback-to':
        return this.savepoint(session, statement);
      case 'isolation':
        if (statement.scope === 'global') this.globals.set('transaction_isolation', statement.level);
        else if (statement.scope === 'session') session.variables.set('transaction_isolation', statement.level);
        else if (session.transaction) throw new SqlError(1568, '25001', "Transaction characteristics can't be changed while a transaction is in progress");
        else session.nextLevel = statement.level;
        return { affected: 0 };
      case 'nothing':
        return { affected: 0 };
      case 'do':
        for (const value of statement.values) this.value(session, value);
        return { affected: 0 };
      case 'set':
        return this.#set(session, statement);
      case 'show':
        return showStatement(this, session, statement);
      case 'explain':
        throw notSimulated('EXPLAIN of a statement');
      case 'prepare': {
        const text = toText(this.value(session, statement.from) ?? '');
        new SqlParser(text).parse();
        session.prepared.set(statement.name.toLowerCase(), text);
        return { affected: 0 };
      }
      case 'execute':
        return this.#execute(session, statement);
      case 'deallocate':
        if (!session.prepared.delete(statement.name.toLowerCase()))
          throw new SqlError(1243, 'HY000', `Unknown prepared statement handler (${statement.name}) given to DEALLOCATE PREPARE`);
        return { affected: 0 };
      case 'user':
        return this.#user(session, statement, sql);
      case 'change-source':
      case 'replica':
        this.replicaControl?.(statement);
        return { affected: 0 };
      case 'kill':
        return this.#kill(statement);
      case 'flush':
        if (/^(binary )?logs/.test(statement.what)) {
          this.host.rotate();
          this.host.save();
        }
        return { affected: 0 };
      case 'purge-logs':
        return this.#purge(session, statement);
      case 'reset-logs':
        this.state.executed = new GtidSet();
        this.host.purge(this.state.binlogs.length);
        this.state.purged = new GtidSet();
        this.host.rotate();
        this.host.save();
        return { affected: 0 };
      case 'shutdown':
        this.host.shutdown?.();
        return { affected: 0 };
      case 'restart':
        throw new SqlError(3707, 'HY000', 'Restart server failed (mysqld is not managed by supervisor process).');
      default:
    }
    const seconds = statement.kind === 'select' ? sleepSeconds(statement) : 0;
    if (seconds > 0) {
      session.state = 'User sleep';
      await this.pause(session, seconds * 1000);
    }
    return SCHEMA_KINDS.has(statement.kind) ? this.schema(session, statement, sql) : this.data(session, statement);
  }

  async #execute(session: Session, statement: SqlStatement & { kind: 'execute' }): Promise<Outcome> {
    const text = session.prepared.get(statement.name.toLowerCase());
    if (text === undefined) throw new SqlError(1243, 'HY000', `Unknown prepared statement handler (${statement.name}) given to EXECUTE`);
    const values = statement.using.map((name) => session.variables.get(`@${name}`) ?? null);
    const parser = new SqlParser(text);
    const parsed = parser.parse();
    if (parser.parameterCount !== values.length) throw new SqlError(1210, 'HY000', 'Incorrect arguments to EXECUTE');
    bindParameters(parsed, values);
    return this.#run(session, parsed, text);
  }

  #set(session: Session, statement: SqlStatement & { kind: 'set' }): Outcome {
    for (const { scope, name: written, value: expression } of statement.assignments) {
      const raw = this.value(session, expression);
      if (scope === 'user') {
        session.variables.set(`@${written}`, raw);
        continue;
      }
      const name = variableName(written);
      const definition = DEFINITIONS.get(name);
      if (!definition) throw new SqlError(1193, 'HY000', `Unknown system variable '${written}'`);
      if (definition.scope === 'none') throw new SqlError(1238, 'HY000', `Variable '${name}' is a read only variable`);
      if (scope === 'session' && definition.scope === 'global')
        throw new SqlError(1229, 'HY000', `Variable '${name}' is a GLOBAL variable and should be set with SET GLOBAL`);
      if (scope !== 'session' && definition.scope === 'session')
        throw new SqlError(1228, 'HY000', `Variable '${name}' is a SESSION variable and can't be used with SET GLOBAL`);
      const value = variableValue(name, raw);
      if (scope === 'session') this.#setSession(session, name, value);
      else this.#setGlobal(name, value, scope === 'persist');
    }
    return { affected: 0 };
  }

  #setSession(session: Session, name: string, value: SqlValue): void {
    if (name === 'gtid_next') {
      const text = toText(value);
      if (text !== 'AUTOMATIC' && text !== 'ANONYMOUS' && (GtidSet.parse(text)?.isEmpty ?? true))
        throw new SqlError(1774, 'HY000', `Malformed GTID specification '${text}'.`);
      if (text.includes(':') && this.globals.get('gtid_mode') !== 'ON')
        throw new SqlError(1781, 'HY000', '@@SESSION.GTID_NEXT cannot be set to UUID:NUMBER when @@GLOBAL.GTID_MODE = OFF.');
    }
    session.variables.set(name, value);
    if (name === 'autocommit' && isTrue(value)) this.commit(session);
  }

  #setGlobal(name: string, value: SqlValue, persist: boolean): void {
    if (name === 'gtid_purged') {
      const text = toText(value).replace(/^\+/, '');
      const set = GtidSet.parse(text);
      if (!set) throw new SqlError(1774, 'HY000', `Malformed GTID specification '${text}'.`);
      if (!toText(value).startsWith('+') && !this.state.executed.isEmpty && !set.includes(this.state.executed))
        throw new SqlError(3546, 'HY000', '@@GLOBAL.GTID_PURGED cannot be changed: the new value must be a superset of the old value');
      this.state.purged.addAll(set);
      this.state.executed.addAll(set);
      this.host.save();
      return;
    }
    this.globals.set(name, value);
    if (name === 'super_read_only' && isTrue(value)) this.globals.set('read_only', 1n);
    if (name === 'read_only' && !isTrue(value)) this.globals.set('super_read_only', 0n);
    if (!persist) return;
    this.state.persisted[name] = value;
    this.host.save();
  }

  #user(session: Session, statement: SqlStatement & { kind: 'user' }, sql: string): Outcome {
    this.refuseWhenReadOnly(session);
    this.commit(session);
    const named = statement.user === '' && session.account ? { ...statement, user: session.account.user, host: session.account.host } : statement;
    if (named.on?.database === '') {
      if (session.database === null) throw new SqlError(1046, '3D000', 'No database selected');
      named.on = { ...named.on, database: session.database };
    }
    const accounts = structuredClone(this.state.accounts);
    changeAccounts(accounts, named);
    this.log(this.event(session, [{ kind: 'schema', database: session.database ?? '', sql }]));
    this.state.accounts = accounts;
    for (const one of this.sessions.values()) one.account = findAccount(accounts, one.user, one.host);
    this.tellFollowers();
    return { affected: 0 };
  }

  #kill(statement: SqlStatement & { kind: 'kill' }): Outcome {
    const target = this.sessions.get(statement.id);
    if (!target) throw new SqlError(1094, 'HY000', `Unknown thread id: ${statement.id}`);
    target.killed = statement.query ? 'query' : 'connection';
    target.interrupt?.();
    if (!statement.query && target.command === 'Sleep') target.close?.();
    return { affected: 0 };
  }

  #purge(session: Session, statement: SqlStatement & { kind: 'purge-logs' }): Outcome {
    const { binlogs } = this.state;
    let count = 0;
    if (statement.to !== undefined) {
      count = binlogs.findIndex(({ name }) => name === statement.to);
      if (count < 0) throw new SqlError(1373, 'HY000', 'Target log not found in binlog index');
    } else if (statement.before) {
      const before = toText(this.value(session, statement.before));
      while (count < binlogs.length - 1 && timestamp(binlogs[count]?.events.at(-1)?.atMs ?? 0) < before) count++;
    }
    this.host.purge(count);
    this.host.save();
    return { affected: 0 };
  }
}
