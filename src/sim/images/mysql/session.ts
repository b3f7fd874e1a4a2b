import type { StaticType } from './sql-types.ts';
import type { SqlValue } from './sql-value.ts';
import type { Account, BinlogEvent } from './state.ts';
import type { Transaction } from './store.ts';

/** One connection, or the server's own doing (initialisation, the applier): id 0. */
export interface Session {
  id: number;
  user: string;
  host: string;
  port: number;
  account: Account | undefined;
  database: string | null;
  /** Session values of system variables; user variables with an @ before. */
  variables: Map<string, SqlValue>;
  transaction: Transaction | undefined;
  /** The transaction was begun with BEGIN, or autocommit is off: it stays open. */
  readOnly: boolean;
  nextLevel: string | undefined;
  prepared: Map<string, string>;
  warnings: { level: 'Note' | 'Warning' | 'Error'; code: number; message: string }[];
  lastInsertId: number;
  rowCount: number;
  command: string;
  state: string;
  info: string | null;
  sinceMs: number;
  /** Set by KILL; wakes the session when it waits. */
  killed: 'query' | 'connection' | undefined;
  interrupt: (() => void) | undefined;
  close: (() => void) | undefined;
}

export type Answer =
  | { error: [number: number, state: string, message: string] }
  | { columns: { title: string; type: StaticType }[]; rows: (readonly SqlValue[])[]; warnings: number }
  | { affected: number; info: string; insertId: number; warnings: number };

/** What the engine needs of the machine it runs on. */
export interface Host {
  hostname: string;
  now(): number;
  random(): number;
  uuid(): string;
  /** Waits; ends early when `signal` calls back. */
  wait(ms: number, onWake: (wake: () => void) => void): Promise<'woken' | 'timeout'>;
  /** Makes a transaction durable. Throws what a full volume makes of it. */
  append(event: BinlogEvent): void;
  save(): void;
  rotate(): void;
  purge(count: number): void;
  shutdown?(): void;
}
