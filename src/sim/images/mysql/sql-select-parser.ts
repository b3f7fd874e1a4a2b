import type { SelectItem, SelectStatement, SqlExpression, TableReference } from './sql-ast.ts';
import { notSimulated, SqlError } from './sql-error.ts';
import { ExpressionParser } from './sql-expressions.ts';

/** SELECT. */
export class SelectParser extends ExpressionParser {
  /** WITH … AS: a name stands for its query. */
  #named = new Map<string, SelectStatement>();

  /** SELECT, also in parentheses, with UNION, ORDER BY and LIMIT. */
  protected select(): SelectStatement {
    if (this.takeWord('with')) {
      if (this.isWord('recursive')) throw notSimulated('WITH RECURSIVE');
      this.list(() => {
        const name = this.name().toLowerCase();
        this.expectWord('as');
        this.expectSymbol('(');
        this.#named.set(name, this.select());
        this.expectSymbol(')');
      });
    }
    const first = this.#selectCore();
    const parts = [{ all: false, query: first }];
    while (this.takeWord('union')) {
      const all = this.takeWord('all');
      if (!all) this.takeWord('distinct');
      parts.push({ all, query: this.#selectCore() });
    }
    const orderBy = this.orderBy();
    const limit = this.#limit();
    const lock = this.#locking();
    if (parts.length === 1) {
      if (first.orderBy.length === 0 && !first.limit) Object.assign(first, { orderBy }, limit && { limit });
      return Object.assign(first, lock);
    }
    return { kind: 'select', distinct: false, items: [], from: [], groupBy: [], orderBy, parts, ...(limit ? { limit } : {}) };
  }

  #selectCore(): SelectStatement {
    if (this.takeSymbol('(')) {
      const inner = this.select();
      this.expectSymbol(')');
      return inner;
    }
    this.expectWord('select');
    let distinct = false;
    for (;;) {
      if (this.takeWord('distinct') || this.takeWord('distinctrow')) distinct = true;
      else if (!this.takeOneOf('all', 'sql_no_cache', 'sql_calc_found_rows', 'straight_join', 'high_priority')) break;
    }
    const items = this.list(() => this.#selectItem());
    const from = this.takeWord('from') && !this.takeWord('dual') ? this.#from() : [];
    const where = this.takeWord('where') ? this.expression() : undefined;
    let groupBy: SqlExpression[] = [];
    if (this.takeWord('group')) {
      this.expectWord('by');
      groupBy = this.list(() => this.expression());
      if (this.isWord('with', 'rollup')) throw notSimulated('GROUP BY … WITH ROLLUP');
    }
    const having = this.takeWord('having') ? this.expression() : undefined;
    return { kind: 'select', distinct, items, from, groupBy, orderBy: [], ...(where ? { where } : {}), ...(having ? { having } : {}) };
  }

  #limit(): SelectStatement['limit'] {
    if (!this.takeWord('limit')) return undefined;
    const first = this.integer();
    if (this.takeSymbol(',')) return { offset: first, count: this.integer() };
    return { count: first, offset: this.takeWord('offset') ? this.integer() : 0 };
  }

  #locking(): Pick<SelectStatement, 'lock' | 'lockWait'> {
    if (this.takeWord('lock', 'in', 'share', 'mode')) return { lock: 'share' };
    if (!this.isWord('for')) return {};
    this.at++;
    const lock = this.takeOneOf('update', 'share') ?? this.fail();
    if (this.takeWord('of')) this.list(() => this.name());
    const lockWait = this.takeWord('nowait') ? 'nowait' : this.takeWord('skip', 'locked') ? 'skip' : undefined;
    return { lock, ...(lockWait ? { lockWait } : {}) };
  }

  #selectItem(): SelectItem {
    if (this.takeSymbol('*')) return { value: { kind: 'star' }, title: '*' };
    const start = this.at;
    const value = this.expression();
    if (value.kind === 'star') return { value, title: '*' };
    const written = this.written(start);
    let alias: string | undefined;
    if (this.takeWord('as')) alias = this.token.type === 'string' ? this.next().text : this.name();
    else if (this.isName() || this.token.type === 'string') alias = this.next().text;
    const title = alias ?? (value.kind === 'column' ? value.name : value.kind === 'literal' && typeof value.value === 'string' ? value.value : written);
    return { value, title, ...(alias === undefined ? {} : { alias }) };
  }

  #from(): TableReference[] {
    const tables = this.#tableReference();
    for (;;) {
      if (this.takeSymbol(',')) {
        const [first, ...more] = this.#tableReference();
        tables.push({ ...(first as TableReference), join: 'inner' }, ...more);
        continue;
      }
      const natural = this.takeWord('natural');
      let join: 'inner' | 'left' | 'right';
      if (this.takeWord('join') || this.takeWord('inner', 'join') || this.takeWord('cross', 'join') || this.takeWord('straight_join')) join = 'inner';
      else {
        const side = this.takeOneOf('left', 'right');
        if (!side) return natural ? this.fail() : tables;
        join = side;
        this.takeWord('outer');
        this.expectWord('join');
      }
      const [first, ...more] = this.#tableReference();
      if (more.length > 0) throw notSimulated('a join in parentheses on the right side');
      const table: TableReference = { ...(first as TableReference), join, ...(natural ? { natural } : {}) };
      if (this.takeWord('on')) table.on = this.expression();
      else if (this.takeWord('using')) table.using = this.names();
      else if (join !== 'inner' && !natural) this.fail();
      tables.push(table);
    }
  }

  #tableReference(): TableReference[] {
    if (this.isSymbol('(') && !this.isSelect()) {
      this.at++;
      const inner = this.#from();
      this.expectSymbol(')');
      return inner;
    }
    let query: SelectStatement | undefined;
    let table: { database?: string; name: string } = { name: '' };
    if (this.takeSymbol('(')) {
      query = this.select();
      this.expectSymbol(')');
    } else {
      table = this.tableName();
      if (table.database === undefined) query = this.#named.get(table.name.toLowerCase());
    }
    let alias = query && table.name !== '' ? table.name : undefined;
    if (this.takeWord('as') || this.isName()) alias = this.name();
    if (query && alias === undefined) throw new SqlError(1248, '42000', 'Every derived table must have its own alias');
    while (this.isWord('use', 'index') || this.isWord('force', 'index') || this.isWord('ignore', 'index')) {
      this.at += 2;
      this.names();
    }
    return [{ ...table, alias: alias ?? table.name, ...(query ? { query } : {}) }];
  }
}
