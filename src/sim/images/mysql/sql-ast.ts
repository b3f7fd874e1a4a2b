import type { SqlValue } from './sql-value.ts';

/** What the parser makes of SQL text. */

export type SqlExpression =
  | { kind: 'literal'; value: SqlValue }
  | { kind: 'column'; table?: string; name: string }
  | { kind: 'star'; table?: string }
  | { kind: 'variable'; scope: 'user' | 'system'; name: string; text: string }
  | { kind: 'parameter'; index: number }
  | { kind: 'assign'; name: string; value: SqlExpression }
  | { kind: 'unary'; operator: '-' | 'not' | '~' | 'binary'; operand: SqlExpression }
  | { kind: 'binary'; operator: string; left: SqlExpression; right: SqlExpression }
  | { kind: 'is'; operand: SqlExpression; negated: boolean; what: 'null' | 'true' | 'false' | 'unknown' }
  | { kind: 'in'; operand: SqlExpression; negated: boolean; list?: SqlExpression[]; query?: SelectStatement }
  | { kind: 'between'; operand: SqlExpression; negated: boolean; low: SqlExpression; high: SqlExpression }
  | { kind: 'call'; name: string; args: SqlExpression[]; distinct: boolean; separator?: string; orderBy?: OrderItem[] }
  | { kind: 'case'; operand?: SqlExpression; branches: { when: SqlExpression; result: SqlExpression }[]; otherwise?: SqlExpression }
  | { kind: 'query'; query: SelectStatement; exists: boolean };

export interface SelectItem {
  value: SqlExpression;
  /** Heading: the alias, or the text as written. */
  title: string;
  alias?: string;
}

export interface TableReference {
  database?: string;
  name: string;
  alias: string;
  query?: SelectStatement;
  join?: 'inner' | 'left' | 'right';
  natural?: boolean;
  on?: SqlExpression;
  using?: string[];
}

export interface OrderItem {
  value: SqlExpression;
  descending: boolean;
}

export interface SelectStatement {
  kind: 'select';
  distinct: boolean;
  items: SelectItem[];
  from: TableReference[];
  where?: SqlExpression;
  groupBy: SqlExpression[];
  having?: SqlExpression;
  orderBy: OrderItem[];
  limit?: { count: number; offset: number };
  /** A UNION of these; then only orderBy and limit belong to the statement itself. */
  parts?: { all: boolean; query: SelectStatement }[];
  lock?: 'share' | 'update';
  lockWait?: 'nowait' | 'skip';
}

export interface ColumnDefinition {
  name: string;
  /** Lower case with its arguments: "varchar(20)". */
  type: string;
  nullable: boolean;
  default?: SqlExpression;
  autoIncrement: boolean;
  onUpdateNow: boolean;
}

export interface KeyDefinition {
  name: string;
  kind: 'primary' | 'unique' | 'index';
  columns: string[];
}

export interface ForeignKey {
  name: string;
  columns: string[];
  table: TableName;
  references: string[];
  onDelete: ReferenceAction;
  onUpdate: ReferenceAction;
}

export type ReferenceAction = 'no action' | 'restrict' | 'cascade' | 'set null';

/** CHECK: the condition and how it was written. */
export interface CheckDefinition {
  name: string;
  text: string;
  condition: SqlExpression;
}

/** What CREATE TABLE and ALTER TABLE ADD list besides columns. */
export interface Constraints {
  keys: KeyDefinition[];
  foreignKeys: ForeignKey[];
  checks: CheckDefinition[];
}

export type AlterAction =
  | { kind: 'add-column'; column: ColumnDefinition; constraints: Constraints; place?: ColumnPlace }
  | { kind: 'change-column'; name: string; column: ColumnDefinition; constraints: Constraints; place?: ColumnPlace }
  | { kind: 'rename-column'; name: string; to: string }
  | { kind: 'drop-column' | 'drop-key' | 'drop-foreign-key' | 'drop-check'; name: string }
  | { kind: 'set-default'; name: string; value?: SqlExpression }
  | { kind: 'add-constraints'; constraints: Constraints }
  | { kind: 'auto-increment'; value: bigint }
  | { kind: 'rename'; table: TableName };

/** FIRST, or AFTER a column. */
export type ColumnPlace = 'first' | { after: string };

export type TableName = { database?: string; name: string };

export type SqlStatement =
  | SelectStatement
  | {
      kind: 'insert';
      table: TableName;
      columns?: string[];
      rows?: (SqlExpression | undefined)[][];
      query?: SelectStatement;
      ignore: boolean;
      replace: boolean;
      /** `VALUES (…) AS alias`. */
      alias?: string;
      onDuplicate?: [string, SqlExpression][];
    }
  | { kind: 'update'; table: TableName; set: [string, SqlExpression][]; where?: SqlExpression; orderBy: OrderItem[]; limit?: number; ignore: boolean }
  | { kind: 'delete'; table: TableName; where?: SqlExpression; orderBy: OrderItem[]; limit?: number }
  | { kind: 'truncate'; table: TableName }
  | { kind: 'create-database' | 'drop-database'; name: string; tolerant: boolean }
  | {
      kind: 'create-table';
      table: TableName;
      tolerant: boolean;
      columns: ColumnDefinition[];
      constraints: Constraints;
      autoIncrement?: bigint;
      like?: TableName;
    }
  | { kind: 'drop-table'; tables: TableName[]; tolerant: boolean }
  | { kind: 'alter-table'; table: TableName; actions: AlterAction[] }
  | { kind: 'rename-table'; pairs: { from: TableName; to: TableName }[] }
  | { kind: 'use'; name: string }
  | {
      kind: 'show';
      what: string;
      table?: TableName;
      database?: string;
      like?: string;
      where?: SqlExpression;
      global: boolean;
      full: boolean;
      user?: string;
      host?: string;
      limit?: number;
    }
  | { kind: 'set'; assignments: { scope: 'global' | 'session' | 'user' | 'persist'; name: string; value: SqlExpression }[] }
  | { kind: 'begin'; readOnly: boolean; snapshot: boolean }
  | { kind: 'commit' | 'rollback'; chain: boolean }
  | { kind: 'savepoint' | 'release' | 'rollback-to'; name: string }
  | { kind: 'isolation'; level: string; scope: 'global' | 'session' | 'next' }
  | { kind: 'prepare'; name: string; from: SqlExpression }
  | { kind: 'execute'; name: string; using: string[] }
  | { kind: 'deallocate'; name: string }
  | { kind: 'explain'; query: SqlStatement }
  | { kind: 'do'; values: SqlExpression[] }
  | { kind: 'shutdown' | 'restart' | 'nothing' }
  | { kind: 'flush'; what: string }
  | { kind: 'purge-logs'; to?: string; before?: SqlExpression }
  | { kind: 'reset-logs' }
  | {
      kind: 'user';
      action: 'create' | 'drop' | 'alter' | 'grant' | 'revoke';
      tolerant: boolean;
      user: string;
      host: string;
      plugin?: string;
      password?: string;
      /** IDENTIFIED WITH … AS: the password as the server keeps it. */
      hash?: string;
      privileges?: string[];
      grantOption?: boolean;
      on?: { database: string; table: string };
    }
  | { kind: 'change-source'; options: Record<string, SqlValue> }
  | { kind: 'replica'; action: 'start' | 'stop' | 'reset'; all: boolean; thread?: 'io_thread' | 'sql_thread' }
  | { kind: 'kill'; id: number; query: boolean };
