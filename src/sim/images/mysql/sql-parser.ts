import { AdministrationParser } from './sql-administration-parser.ts';
import type { SqlExpression, SqlStatement } from './sql-ast.ts';
import { notSimulated, SqlError } from './sql-error.ts';

type Show = SqlStatement & { kind: 'show' };

/** MySQL can do these, this engine cannot. */
const LEFT_OUT = /^(view|trigger|procedure|function|event|role|server|tablespace|or|definer|algorithm|spatial|fulltext|resource|logfile)$/i;

/** One statement. */
export class SqlParser extends AdministrationParser {
  /** Throws 1064, 1065, and 1235 for what is left out. */
  parse(): SqlStatement {
    const statement = this.#statement();
    this.takeSymbol(';');
    if (this.token.type !== 'end') this.fail();
    return statement;
  }

  #statement(): SqlStatement {
    if (this.ended) throw new SqlError(1065, '42000', 'Query was empty');
    if (this.isSelect()) return this.select();
    const word = this.token.type === 'word' ? this.token.text.toLowerCase() : '';
    const read = this.#statements[word];
    if (!read) return this.fail();
    this.at++;
    return read();
  }

  readonly #statements: Readonly<Record<string, () => SqlStatement>> = {
    insert: () => this.#insert(false),
    replace: () => this.#insert(true),
    update: () => {
      const ignore = this.takeWord('ignore');
      const table = this.tableName();
      if (this.isSymbol(',') || this.isWord('join') || this.isWord('inner') || this.isWord('left')) throw notSimulated('UPDATE of several tables');
      if (this.takeWord('as') || this.isName()) this.name();
      this.expectWord('set');
      return { kind: 'update', table, ignore, set: this.assignments(), ...this.#tail() };
    },
    delete: () => {
      this.takeWord('ignore');
      if (!this.isWord('from')) throw notSimulated('DELETE of several tables');
      this.at++;
      const table = this.tableName();
      if (this.isWord('using')) throw notSimulated('DELETE of several tables');
      if (this.takeWord('as') || this.isName()) this.name();
      return { kind: 'delete', table, ...this.#tail() };
    },
    truncate: () => {
      this.takeWord('table');
      return { kind: 'truncate', table: this.tableName() };
    },
    create: () => this.#create(),
    drop: () => this.#drop(),
    alter: () => {
      if (this.takeWord('user')) return this.userStatement('alter');
      if (this.takeOneOf('database', 'schema')) {
        this.skipStatement();
        return { kind: 'nothing' };
      }
      if (LEFT_OUT.test(this.token.text)) throw notSimulated(`ALTER ${this.token.text.toUpperCase()}`);
      this.expectWord('table');
      return this.alterTable();
    },
    rename: () => {
      this.expectWord('table');
      return this.renameTables();
    },
    use: () => ({ kind: 'use', name: this.name() }),
    show: () => this.#show(),
    describe: () => this.#describe(),
    desc: () => this.#describe(),
    explain: () => this.#describe(),
    set: () => this.setStatement(),
    begin: () => {
      this.takeWord('work');
      return { kind: 'begin', readOnly: false, snapshot: false };
    },
    start: () => {
      if (this.isWord('replica') || this.isWord('slave')) return this.replicaStatement('start');
      if (this.takeWord('group_replication')) throw notSimulated('group replication');
      this.expectWord('transaction');
      const start = this.at;
      this.skipStatement();
      const options = this.at > start ? this.written(start) : '';
      return { kind: 'begin', readOnly: /read\s+only/i.test(options), snapshot: /with\s+consistent\s+snapshot/i.test(options) };
    },
    commit: () => this.#end('commit'),
    rollback: () => {
      this.takeWord('work');
      if (!this.takeWord('to')) return this.#end('rollback');
      this.takeWord('savepoint');
      return { kind: 'rollback-to', name: this.name() };
    },
    savepoint: () => ({ kind: 'savepoint', name: this.name() }),
    release: () => {
      this.expectWord('savepoint');
      return { kind: 'release', name: this.name() };
    },
    grant: () => this.grantStatement('grant'),
    revoke: () => this.grantStatement('revoke'),
    change: () => this.changeSourceStatement(),
    stop: () => this.replicaStatement('stop'),
    reset: () => {
      if (this.takeWord('master') || this.takeWord('binary', 'logs', 'and', 'gtids')) return { kind: 'reset-logs' };
      return this.replicaStatement('reset');
    },
    purge: () => {
      if (!this.takeOneOf('binary', 'master')) this.fail();
      this.expectWord('logs');
      if (this.takeWord('to')) return { kind: 'purge-logs', to: this.text() };
      this.expectWord('before');
      return { kind: 'purge-logs', before: this.expression() };
    },
    flush: () => {
      this.takeOneOf('no_write_to_binlog', 'local');
      const start = this.at;
      this.skipStatement();
      return { kind: 'flush', what: this.at > start ? this.written(start).toLowerCase() : this.fail() };
    },
    kill: () => {
      const query = this.takeWord('query');
      if (!query) this.takeWord('connection');
      return { kind: 'kill', id: this.integer(), query };
    },
    prepare: () => {
      const name = this.name();
      this.expectWord('from');
      return { kind: 'prepare', name, from: this.expression() };
    },
    execute: () => {
      const name = this.name();
      const using = this.takeWord('using') ? this.list(() => this.next().text.replace(/^@/, '').toLowerCase()) : [];
      return { kind: 'execute', name, using };
    },
    deallocate: () => {
      this.expectWord('prepare');
      return { kind: 'deallocate', name: this.name() };
    },
    do: () => ({ kind: 'do', values: this.list(() => this.expression()) }),
    shutdown: () => ({ kind: 'shutdown' }),
    restart: () => ({ kind: 'restart' }),
    lock: () => this.#nothing(),
    unlock: () => this.#nothing(),
    analyze: () => this.#nothing(),
    optimize: () => this.#nothing(),
    call: () => this.#leftOut('CALL'),
    load: () => this.#leftOut('LOAD DATA'),
    handler: () => this.#leftOut('HANDLER'),
    install: () => this.#leftOut('INSTALL PLUGIN'),
    clone: () => this.#leftOut('CLONE'),
    xa: () => this.#leftOut('XA'),
  };

  #leftOut(what: string): never {
    throw notSimulated(what);
  }

  #nothing(): SqlStatement {
    this.skipStatement();
    return { kind: 'nothing' };
  }

  #end(kind: 'commit' | 'rollback'): SqlStatement {
    this.takeWord('work');
    const chain = this.takeWord('and', 'chain');
    return { kind, chain };
  }

  #describe(): SqlStatement {
    this.takeWord('analyze');
    if (this.isSelect() || /^(insert|update|delete|replace)$/i.test(this.token.text)) return { kind: 'explain', query: this.#statement() };
    const table = this.tableName();
    const like = this.isName() || this.token.type === 'string' ? this.next().text : undefined;
    return { kind: 'show', what: 'columns', table, global: false, full: false, ...(like === undefined ? {} : { like }) };
  }

  #tail(): { where?: SqlExpression; orderBy: ReturnType<SqlParser['orderBy']>; limit?: number } {
    const where = this.takeWord('where') ? this.expression() : undefined;
    const orderBy = this.orderBy();
    const limit = this.takeWord('limit') ? this.integer() : undefined;
    return { orderBy, ...(where ? { where } : {}), ...(limit === undefined ? {} : { limit }) };
  }

  #insert(replace: boolean): SqlStatement {
    this.takeOneOf('low_priority', 'delayed', 'high_priority');
    const ignore = this.takeWord('ignore');
    this.takeWord('into');
    const table = this.tableName();
    const base = { kind: 'insert', table, ignore, replace } as const;
    if (this.takeWord('set')) {
      const set = this.assignments();
      return { ...base, columns: set.map(([name]) => name), rows: [set.map(([, value]) => value)], ...this.#onDuplicate() };
    }
    let columns: string[] | undefined;
    if (this.isSymbol('(') && !this.isSelect()) {
      if (this.ahead()?.text === ')') {
        this.at += 2;
        columns = [];
      } else columns = this.names();
    }
    const named = columns && columns.length > 0 ? { columns } : {};
    if (this.isSelect()) return { ...base, ...named, query: this.select(), ...this.#onDuplicate() };
    if (!this.takeOneOf('values', 'value')) this.fail();
    const rows = this.list(() => {
      this.takeWord('row');
      this.expectSymbol('(');
      if (this.takeSymbol(')')) return [];
      const row = this.list(() => (this.isWord('default') && this.ahead()?.text !== '(' && this.takeWord('default') ? undefined : this.expression()));
      this.expectSymbol(')');
      return row;
    });
    const alias = this.takeWord('as') ? { alias: this.name() } : {};
    return { ...base, ...named, rows, ...alias, ...this.#onDuplicate() };
  }

  #onDuplicate(): { onDuplicate?: [string, SqlExpression][] } {
    if (!this.takeWord('on')) return {};
    this.expectWord('duplicate', 'key', 'update');
    return { onDuplicate: this.assignments() };
  }

  #create(): SqlStatement {
    if (this.takeOneOf('database', 'schema')) return this.createDatabase();
    if (this.takeWord('user')) return this.userStatement('create');
    if (this.takeWord('index')) return this.createIndex(false);
    if (this.takeWord('unique')) {
      this.expectWord('index');
      return this.createIndex(true);
    }
    if (LEFT_OUT.test(this.token.text))
      throw notSimulated(`CREATE ${/^(or|definer|algorithm)$/i.test(this.token.text) ? 'VIEW or TRIGGER' : this.token.text.toUpperCase()}`);
    if (this.isWord('temporary')) throw notSimulated('CREATE TEMPORARY TABLE');
    this.expectWord('table');
    return this.createTable();
  }

  #drop(): SqlStatement {
    if (this.takeOneOf('database', 'schema')) {
      const tolerant = this.takeWord('if', 'exists');
      return { kind: 'drop-database', name: this.name(), tolerant };
    }
    if (this.takeWord('user')) return this.userStatement('drop');
    if (this.takeWord('index')) {
      const name = this.name();
      this.expectWord('on');
      return { kind: 'alter-table', table: this.tableName(), actions: [{ kind: 'drop-key', name }] };
    }
    if (LEFT_OUT.test(this.token.text)) throw notSimulated(`DROP ${this.token.text.toUpperCase()}`);
    this.takeWord('temporary');
    if (!this.takeOneOf('table', 'tables')) this.fail();
    return this.dropTables();
  }

  #show(): SqlStatement {
    let [global, full] = [false, false];
    for (;;) {
      const word = this.takeOneOf('global', 'session', 'local', 'full', 'extended');
      if (!word) break;
      global ||= word === 'global';
      full ||= word === 'full';
    }
    const statement: Show = { kind: 'show', what: this.next().text.toLowerCase(), global, full };
    const { what } = statement;
    const second = (words: readonly string[], meaning: string): boolean => {
      const taken = this.takeWord(...words);
      if (taken) statement.what = meaning;
      return taken;
    };
    if (what === 'create') {
      const object = this.next().text.toLowerCase();
      statement.what = `create-${object}`;
      if (object === 'user') Object.assign(statement, this.account());
      else if (object === 'table') statement.table = this.tableName();
      else {
        this.takeWord('if', 'not', 'exists');
        statement.database = this.name();
      }
    } else if (what === 'replica' || what === 'slave') second(['status'], 'replica-status') || this.expectWord('status');
    else if (what === 'binary' || what === 'master')
      second(['log', 'status'], 'source-status') || second(['status'], 'source-status') || second(['logs'], 'binary-logs') || this.fail();
    else if (what === 'binlog') second(['events'], 'binlog-events') || this.fail();
    else if (what === 'table') second(['status'], 'table-status') || this.fail();
    else if (what === 'engine') this.#leftOut('SHOW ENGINE');
    else if (what === 'character') second(['set'], 'charset') || this.fail();
    else if (what === 'count') this.#leftOut('SHOW COUNT');
    if (statement.what === 'grants' && this.takeWord('for')) {
      if (this.takeWord('current_user')) this.takeSymbol('(') && this.expectSymbol(')');
      else Object.assign(statement, this.account());
    }
    if (statement.what === 'replica-status' && this.takeWord('for', 'channel')) this.text();
    if (statement.what === 'binlog-events' && this.takeWord('in')) statement.like = this.text();
    else if (this.takeWord('from') || this.takeWord('in')) {
      const first = this.tableName();
      if (/^(tables|table-status|triggers|events)$/.test(statement.what)) statement.database = first.name;
      else statement.table = this.takeWord('from') || this.takeWord('in') ? { ...first, database: this.name() } : first;
    }
    if (this.takeWord('like')) statement.like = this.text();
    else if (this.takeWord('where')) statement.where = this.expression();
    if (this.takeWord('limit')) statement.limit = this.integer();
    return statement;
  }
}
