import { Executor, type Outcome } from './executor.ts';
import type { Session } from './session.ts';
import type { SqlStatement } from './sql-ast.ts';
import { SqlError } from './sql-error.ts';
import { toNumber, toText } from './sql-value.ts';
import { waitsFor } from './statement-facts.ts';
import { type IsolationLevel, LockWait, type Transaction } from './store.ts';

const _SCHEMA_KINDS = new Set(['create-database', 'drop-database', 'create-table', 'drop-table', 'alter-table', 'rename-table', 'truncate']);
const ROW_WRITES = new Set(['insert', 'update', 'delete']);

import { InstanceBase } from './instance-base.ts';

/** Transactions of sessions: locks and waiting for them, commit, rollback, savepoints. */
export abstract class TransactionalInstance extends InstanceBase {
  /** Ends a session: what it had open never was. */
  leave(session: Session): void {
    this.sessions.delete(session.id);
    this.rollback(session);
  }

  protected begin(session: Session): Transaction {
    const level = (session.nextLevel ?? toText(this.variable(session, 'transaction_isolation'))) as IsolationLevel;
    session.nextLevel = undefined;
    return this.state.store.begin(level);
  }

  protected async data(session: Session, statement: SqlStatement): Promise<Outcome> {
    const { store } = this.state;
    if (ROW_WRITES.has(statement.kind)) {
      this.refuseWhenReadOnly(session);
      if (session.readOnly && session.transaction) throw new SqlError(1792, '25006', 'Cannot execute statement in a READ ONLY transaction.');
    }
    if (!session.transaction && !this.isOn(session, 'autocommit')) session.transaction = this.begin(session);
    const transaction = session.transaction ?? this.begin(session);
    const own = session.transaction === undefined;
    if (transaction.level === 'READ-COMMITTED') transaction.snapshot = undefined;
    try {
      const outcome = await this.#untilUnlocked(session, transaction, 'innodb_lock_wait_timeout', () => {
        const executor = new Executor({
          ...this.context(session, transaction),
          store,
          transaction,
          foreignKeyChecks: this.isOn(session, 'foreign_key_checks'),
        });
        return executor.run(statement);
      });
      if (own) this.#publish(session, transaction);
      return outcome;
    } catch (error) {
      if (own && store.transactions.has(transaction)) store.rollback(transaction);
      throw error;
    }
  }

  /** Runs it; when a lock is in the way, undoes it, waits and runs it again. Errors 1205, 1213, 1317. */
  async #untilUnlocked<T>(session: Session, transaction: Transaction | undefined, limit: string, work: () => T): Promise<T> {
    const deadline = this.host.now() + toNumber(this.variable(session, limit)) * 1000;
    const { store } = this.state;
    for (;;) {
      const mark = transaction?.undo.length ?? 0;
      const before = session.warnings.length;
      try {
        return work();
      } catch (error) {
        if (transaction) store.rollbackTo(transaction, mark);
        if (!(error instanceof LockWait)) throw error;
        session.warnings.length = before;
        if (transaction && waitsFor(error.blockers, transaction)) {
          this.rollback(session, transaction);
          throw new SqlError(1213, '40001', 'Deadlock found when trying to get lock; try restarting transaction');
        }
        if (transaction) transaction.waitingFor = error.blockers;
        session.state = transaction ? (session.info?.trim().slice(0, 6).toLowerCase() === 'insert' ? 'update' : 'updating') : 'Waiting for table metadata lock';
        const left = deadline - this.host.now();
        const ended =
          left > 0
            ? await this.host.wait(left, (wake) => {
                store.onRelease(wake);
                session.interrupt = wake;
              })
            : 'timeout';
        if (transaction) transaction.waitingFor = [];
        this.#throwIfKilled(session);
        if (ended === 'timeout') throw new SqlError(1205, 'HY000', 'Lock wait timeout exceeded; try restarting transaction');
      }
    }
  }

  protected async pause(session: Session, ms: number): Promise<void> {
    await this.host.wait(ms, (wake) => {
      session.interrupt = wake;
    });
    this.#throwIfKilled(session);
  }

  #throwIfKilled(session: Session): void {
    session.interrupt = undefined;
    if (!session.killed) return;
    if (session.killed === 'query') session.killed = undefined;
    throw new SqlError(1317, '70100', 'Query execution was interrupted');
  }

  protected savepoint(session: Session, statement: SqlStatement & { kind: 'savepoint' | 'release' | 'rollback-to' }): Outcome {
    const { transaction } = session;
    const name = statement.name.toLowerCase();
    const at = transaction?.savepoints.findLastIndex((one) => one.name === name) ?? -1;
    if (statement.kind === 'savepoint') {
      if (transaction) {
        if (at >= 0) transaction.savepoints.splice(at, 1);
        transaction.savepoints.push({ name, mark: transaction.undo.length });
      }
      return { affected: 0 };
    }
    const point = transaction?.savepoints[at];
    if (!transaction || !point) throw new SqlError(1305, '42000', `SAVEPOINT ${statement.name} does not exist`);
    if (statement.kind === 'rollback-to') this.state.store.rollbackTo(transaction, point.mark);
    transaction.savepoints.length = statement.kind === 'release' ? at : at + 1;
    return { affected: 0 };
  }

  protected rollback(session: Session, transaction = session.transaction): void {
    if (transaction && this.state.store.transactions.has(transaction)) this.state.store.rollback(transaction);
    if (transaction === session.transaction) session.transaction = undefined;
    session.readOnly = false;
    this.#finishGtid(session);
  }

  protected commit(session: Session): void {
    const { transaction } = session;
    session.transaction = undefined;
    session.readOnly = false;
    if (transaction) this.#publish(session, transaction);
    this.#finishGtid(session);
  }

  /** After SET GTID_NEXT='uuid:n', an empty transaction takes that identifier: how a replica is told to skip one. */
  #finishGtid(session: Session): void {
    const [uuid = '', number = '0'] = toText(session.variables.get('gtid_next') ?? 'AUTOMATIC').split(':');
    if (number === '0') return;
    if (!this.state.executed.has(uuid, Number(number))) this.log({ uuid, number: Number(number), atMs: this.host.now(), changes: [] });
    session.variables.set('gtid_next', 'USED');
  }

  /** Makes a transaction durable, then visible. On failure it never was. */
  #publish(session: Session, transaction: Transaction): void {
    const { store } = this.state;
    if (transaction.changes.length === 0) {
      store.commit(transaction);
      return;
    }
    try {
      this.refuseWhenReadOnly(session);
      this.log(this.event(session, transaction.changes));
    } catch (error) {
      store.rollback(transaction);
      throw error;
    }
    store.commit(transaction);
    this.tellFollowers();
  }

  protected async schema(session: Session, statement: SqlStatement, sql: string): Promise<Outcome> {
    this.refuseWhenReadOnly(session);
    this.commit(session);
    const change = await this.#untilUnlocked(session, undefined, 'lock_wait_timeout', () => this.prepareSchema(session, statement));
    if (change.apply) {
      this.log(this.event(session, [{ kind: 'schema', database: session.database ?? '', sql }]));
      change.apply();
      if (statement.kind === 'drop-database' && session.database === statement.name) session.database = null;
      this.tellFollowers();
    }
    return { affected: change.affected };
  }
}
