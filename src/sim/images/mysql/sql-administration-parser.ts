import type { SqlExpression, SqlStatement } from './sql-ast.ts';
import { notSimulated } from './sql-error.ts';
import { SchemaParser } from './sql-schema-parser.ts';
import type { SqlValue } from './sql-value.ts';

type UserStatement = SqlStatement & { kind: 'user' };

/** SET, accounts and replication. */
export class AdministrationParser extends SchemaParser {
  protected setStatement(): SqlStatement {
    if (this.takeWord('names') || this.takeWord('character', 'set') || this.takeWord('charset')) {
      this.skipStatement();
      return { kind: 'nothing' };
    }
    const scopeAt = this.at;
    const scoped = this.takeOneOf('global', 'session', 'local');
    if (this.takeWord('transaction')) {
      const start = this.at;
      this.skipStatement();
      const level = /isolation\s+level\s+(read\s+uncommitted|read\s+committed|repeatable\s+read|serializable)/i.exec(this.written(start))?.[1];
      if (!level) return { kind: 'nothing' };
      return { kind: 'isolation', level: level.toUpperCase().replace(/\s+/, '-'), scope: scoped === 'global' ? 'global' : scoped ? 'session' : 'next' };
    }
    this.at = scopeAt;
    const assignments = this.list(() => this.#assignment());
    return { kind: 'set', assignments };
  }

  #assignment(): (SqlStatement & { kind: 'set' })['assignments'][number] {
    const word = this.takeOneOf('global', 'persist', 'session', 'local', 'persist_only');
    let scope: 'global' | 'session' | 'user' | 'persist' = word === 'global' ? 'global' : word?.startsWith('persist') ? 'persist' : 'session';
    let name: string;
    if (this.token.type === 'variable') {
      const { text } = this.next();
      const match = /^@@(?:(global|session|local|persist)\.)?(.*)$/is.exec(text);
      if (match) scope = match[1]?.toLowerCase() === 'global' ? 'global' : match[1]?.toLowerCase() === 'persist' ? 'persist' : 'session';
      else scope = 'user';
      name = match?.[2] ?? text.slice(1);
    } else name = this.name();
    if (!this.takeSymbol('=') && !this.takeSymbol(':=')) this.fail();
    const bare =
      this.token.type === 'word' && /^(on|off|default|true|false|[a-z]+_only|row|statement|mixed|system)$/i.test(this.token.text) && scope !== 'user';
    const value: SqlExpression = bare ? { kind: 'literal', value: this.next().text.toUpperCase() } : this.expression();
    // SET gtid_next = AUTOMATIC and the like: a bare word is its own text.
    const named: SqlExpression =
      scope !== 'user' && value.kind === 'column' && value.table === undefined ? { kind: 'literal', value: value.name.toUpperCase() } : value;
    return { scope, name: name.toLowerCase(), value: named };
  }

  // ---- accounts ----

  protected account(): { user: string; host: string } {
    if (this.takeWord('current_user')) {
      if (this.takeSymbol('(')) this.expectSymbol(')');
      return { user: '', host: '' };
    }
    const user = this.text();
    let host = '%';
    if (this.token.type === 'variable') host = this.next().text.replace(/^@/, '');
    else if (this.takeSymbol('@')) host = this.text();
    return { user, host };
  }

  protected userStatement(action: 'create' | 'drop' | 'alter'): SqlStatement {
    const tolerant = this.takeWord('if', 'not', 'exists') || this.takeWord('if', 'exists');
    const statement: UserStatement = { kind: 'user', action, tolerant, ...this.account() };
    if (this.isSymbol(',')) throw notSimulated('several accounts in one statement');
    if (this.takeWord('identified')) {
      if (this.takeWord('with')) statement.plugin = this.text();
      if (this.takeWord('by')) {
        if (this.isWord('random')) throw notSimulated('IDENTIFIED BY RANDOM PASSWORD');
        statement.password = this.text();
      } else if (this.takeWord('as')) {
        statement.hash = this.text().replace(/^\$A\$005\$/, '');
      }
    }
    if (this.takeWord('require') || this.takeWord('password', 'expire') || this.takeWord('with') || this.takeWord('account') || this.takeWord('comment'))
      this.skipStatement();
    return statement;
  }

  protected grantStatement(action: 'grant' | 'revoke'): SqlStatement {
    const privileges = this.list(() => {
      const start = this.at;
      while (!this.ended && !this.isSymbol(',') && !this.isWord('on') && !this.isWord('to') && !this.isWord('from')) {
        if (this.isSymbol('(')) throw notSimulated('privileges on columns');
        this.at++;
      }
      return this.at > start ? this.written(start).toUpperCase().replace(/\s+/g, ' ') : this.fail();
    });
    if (!this.isWord('on')) throw notSimulated('roles');
    this.at++;
    this.takeWord('table');
    const part = (): string => (this.takeSymbol('*') ? '*' : this.name());
    const first = part();
    const on = this.takeSymbol('.') ? { database: first, table: part() } : { database: '', table: first };
    if (!this.takeWord(action === 'grant' ? 'to' : 'from')) this.fail();
    const account = this.account();
    if (this.takeWord('identified')) this.fail();
    const grantOption = this.takeWord('with', 'grant', 'option') || privileges.includes('GRANT OPTION');
    return {
      kind: 'user',
      action,
      tolerant: false,
      ...account,
      privileges: privileges.map((one) => (one === 'ALL' ? 'ALL PRIVILEGES' : one)),
      grantOption,
      on,
    };
  }

  // ---- replication ----

  protected replicaStatement(action: 'start' | 'stop' | 'reset'): SqlStatement {
    if (!this.takeOneOf('replica', 'slave')) this.fail();
    const threads = this.isWord('io_thread') || this.isWord('sql_thread') ? this.list(() => this.takeOneOf('io_thread', 'sql_thread') ?? this.fail()) : [];
    const all = this.takeWord('all');
    if (this.takeWord('for', 'channel')) this.text();
    return { kind: 'replica', action, all, ...(threads.length === 1 && threads[0] ? { thread: threads[0] } : {}) };
  }

  protected changeSourceStatement(): SqlStatement {
    if (!this.takeWord('replication', 'source', 'to') && !this.takeWord('master', 'to')) {
      if (this.isWord('replication', 'filter')) throw notSimulated('CHANGE REPLICATION FILTER');
      this.fail();
    }
    const options: Record<string, SqlValue> = {};
    this.list(() => {
      const name = this.name()
        .toUpperCase()
        .replace(/^MASTER_/, 'SOURCE_')
        .replace('GET_MASTER_', 'GET_SOURCE_');
      this.expectSymbol('=');
      const value = this.unary();
      options[name] = value.kind === 'literal' ? value.value : null;
    });
    if (this.takeWord('for', 'channel')) this.text();
    return { kind: 'change-source', options };
  }
}
