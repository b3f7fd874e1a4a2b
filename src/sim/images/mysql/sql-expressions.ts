import type { OrderItem, SelectStatement, SqlExpression } from './sql-ast.ts';
import { notSimulated } from './sql-error.ts';
import { TokenReader } from './sql-tokens.ts';
import { Decimal } from './sql-value.ts';

const COMPARISONS = ['=', '<=>', '<>', '!=', '<=', '>=', '<', '>'];
const UNITS = /^(microsecond|second|minute|hour|day|week|month|quarter|year)$/i;
/** Functions called without parentheses. */
const BARE_CALLS = /^(current_timestamp|current_date|current_time|current_user|localtime|localtimestamp|utc_date|utc_time|utc_timestamp)$/;

const call = (name: string, ...args: SqlExpression[]): SqlExpression => ({ kind: 'call', name, args, distinct: false });
const literal = (value: string): SqlExpression => ({ kind: 'literal', value });

/** Expressions; SELECT itself is in sql-select-parser.ts. */
export abstract class ExpressionParser extends TokenReader {
  /** SELECT, also in parentheses, with UNION, ORDER BY and LIMIT. */
  protected abstract select(): SelectStatement;

  parameterCount = 0;

  protected isSelect(): boolean {
    let ahead = 0;
    while (this.tokens[this.at + ahead]?.type === 'symbol' && this.tokens[this.at + ahead]?.text === '(') ahead++;
    const token = this.tokens[this.at + ahead];
    return token?.type === 'word' && /^(select|with)$/i.test(token.text);
  }

  protected orderBy(): OrderItem[] {
    if (!this.takeWord('order')) return [];
    this.expectWord('by');
    return this.list(() => {
      const value = this.expression();
      const descending = this.takeWord('desc');
      if (!descending) this.takeWord('asc');
      return { value, descending };
    });
  }

  protected expression(): SqlExpression {
    if (this.token.type === 'variable' && !this.token.text.startsWith('@@') && this.ahead()?.text === ':=') {
      const name = this.next().text.slice(1).toLowerCase();
      this.at++;
      return { kind: 'assign', name, value: this.expression() };
    }
    let left = this.#xor();
    while (this.takeWord('or') || this.takeSymbol('||')) left = { kind: 'binary', operator: 'or', left, right: this.#xor() };
    return left;
  }

  #xor(): SqlExpression {
    let left = this.#and();
    while (this.takeWord('xor')) left = { kind: 'binary', operator: 'xor', left, right: this.#and() };
    return left;
  }

  #and(): SqlExpression {
    let left = this.#not();
    while (this.takeWord('and') || this.takeSymbol('&&')) left = { kind: 'binary', operator: 'and', left, right: this.#not() };
    return left;
  }

  #not(): SqlExpression {
    if (this.takeWord('not')) return { kind: 'unary', operator: 'not', operand: this.#not() };
    return this.#comparison();
  }

  #comparison(): SqlExpression {
    let left = this.#bits('|');
    for (;;) {
      if (this.takeWord('is')) {
        const negated = this.takeWord('not');
        const what = this.takeOneOf('null', 'true', 'false', 'unknown') ?? this.fail();
        left = { kind: 'is', operand: left, negated, what };
        continue;
      }
      const negated = this.isWord('not') && /^(like|in|between|regexp|rlike)$/i.test(this.ahead()?.text ?? '') && this.takeWord('not');
      const pattern = this.takeOneOf('like', 'regexp', 'rlike');
      if (pattern) {
        const test: SqlExpression = { kind: 'binary', operator: pattern === 'like' ? 'like' : 'regexp', left, right: this.#bits('|') };
        if (pattern === 'like' && this.takeWord('escape')) this.text();
        left = negated ? { kind: 'unary', operator: 'not', operand: test } : test;
        continue;
      }
      if (this.takeWord('in')) {
        this.expectSymbol('(');
        left = { kind: 'in', operand: left, negated, ...(this.isSelect() ? { query: this.select() } : { list: this.list(() => this.expression()) }) };
        this.expectSymbol(')');
        continue;
      }
      if (this.takeWord('between')) {
        const low = this.#bits('|');
        this.expectWord('and');
        left = { kind: 'between', operand: left, negated, low, high: this.#bits('|') };
        continue;
      }
      const operator = COMPARISONS.find((one) => this.isSymbol(one));
      if (!operator) return left;
      this.at++;
      const quantifier = this.takeOneOf('all', 'any', 'some');
      if (quantifier) throw notSimulated(`${operator} ${quantifier.toUpperCase()} (subquery)`);
      left = { kind: 'binary', operator: operator === '!=' ? '<>' : operator, left, right: this.#bits('|') };
    }
  }

  /** | then & then << >>. */
  #bits(level: '|' | '&' | '<<'): SqlExpression {
    const lower = (): SqlExpression => (level === '|' ? this.#bits('&') : level === '&' ? this.#bits('<<') : this.#sum());
    let left = lower();
    for (;;) {
      const operator = level === '<<' ? (['<<', '>>'].find((one) => this.isSymbol(one)) ?? '') : level;
      if (operator === '' || !this.takeSymbol(operator)) return left;
      left = { kind: 'binary', operator, left, right: lower() };
    }
  }

  #sum(): SqlExpression {
    let left = this.#product();
    while (this.isSymbol('+') || this.isSymbol('-')) {
      const operator = this.next().text;
      if (this.isWord('interval')) left = call(operator === '+' ? 'date_add' : 'date_sub', left, ...this.#interval());
      else left = { kind: 'binary', operator, left, right: this.#product() };
    }
    return left;
  }

  /** INTERVAL amount unit, as two arguments. */
  #interval(): [SqlExpression, SqlExpression] {
    this.expectWord('interval');
    const amount = this.expression();
    const unit = this.next().text;
    if (!UNITS.test(unit)) this.fail();
    return [amount, literal(unit.toLowerCase())];
  }

  #product(): SqlExpression {
    let left = this.#power();
    for (;;) {
      const symbol = ['*', '/', '%'].find((one) => this.isSymbol(one));
      const operator = symbol ?? (this.isWord('mod') ? '%' : this.isWord('div') ? 'div' : undefined);
      if (!operator) return left;
      this.at++;
      left = { kind: 'binary', operator, left, right: this.#power() };
    }
  }

  #power(): SqlExpression {
    let left = this.unary();
    while (this.takeSymbol('^')) left = { kind: 'binary', operator: '^', left, right: this.unary() };
    return left;
  }

  protected unary(): SqlExpression {
    if (this.takeSymbol('-')) {
      const operand = this.unary();
      if (operand.kind === 'literal' && (typeof operand.value === 'bigint' || typeof operand.value === 'number'))
        return { kind: 'literal', value: -operand.value };
      if (operand.kind === 'literal' && operand.value instanceof Decimal)
        return { kind: 'literal', value: new Decimal(-operand.value.unscaled, operand.value.scale) };
      return { kind: 'unary', operator: '-', operand };
    }
    if (this.takeSymbol('+')) return this.unary();
    if (this.takeSymbol('!')) return { kind: 'unary', operator: 'not', operand: this.unary() };
    if (this.takeSymbol('~')) return { kind: 'unary', operator: '~', operand: this.unary() };
    if (this.isWord('binary') && this.ahead()?.text !== '(') {
      this.at++;
      return { kind: 'unary', operator: 'binary', operand: this.unary() };
    }
    const value = this.#primary();
    while (this.takeWord('collate')) this.text();
    return value;
  }

  #primary(): SqlExpression {
    const { token } = this;
    switch (token.type) {
      case 'number':
        this.at++;
        return {
          kind: 'literal',
          value: /e/i.test(token.text) ? Number(token.text) : token.text.includes('.') ? Decimal.parse(token.text) : BigInt(token.text),
        };
      case 'string': {
        let value = '';
        while (this.token.type === 'string') value += this.next().text;
        return literal(value);
      }
      case 'variable':
        this.at++;
        return {
          kind: 'variable',
          scope: token.text.startsWith('@@') ? 'system' : 'user',
          name: token.text.replace(/^@@?(?:(?:global|session|local|persist)\.)?/i, '').toLowerCase(),
          text: token.text,
        };
      case 'symbol':
        if (this.takeSymbol('?')) return { kind: 'parameter', index: this.parameterCount++ };
        if (this.isSymbol('(')) {
          const query = this.isSelect();
          this.at++;
          const inner: SqlExpression = query ? { kind: 'query', query: this.select(), exists: false } : this.expression();
          if (this.isSymbol(',')) throw notSimulated('a row of values as an operand');
          this.expectSymbol(')');
          return inner;
        }
        break;
      case 'word': {
        const found = this.#keyword(token.text.toLowerCase());
        if (found) return found;
        break;
      }
      default:
    }
    const name = this.name();
    if (!this.takeSymbol('.')) return { kind: 'column', name };
    if (this.takeSymbol('*')) return { kind: 'star', table: name };
    const second = this.name();
    if (this.takeSymbol('.')) return { kind: 'column', table: second, name: this.name() };
    return { kind: 'column', table: name, name: second };
  }

  /** What begins with a word that is no column. */
  #keyword(word: string): SqlExpression | undefined {
    const next = this.ahead();
    if (word === 'null' || word === 'true' || word === 'false') {
      this.at++;
      return { kind: 'literal', value: word === 'null' ? null : word === 'true' ? 1n : 0n };
    }
    if (word === 'case') return this.#case();
    if (word === 'exists') {
      this.at++;
      this.expectSymbol('(');
      const query = this.select();
      this.expectSymbol(')');
      return { kind: 'query', query, exists: true };
    }
    if (word === 'interval' && next?.text !== '(') {
      const [amount, unit] = this.#interval();
      this.expectSymbol('+');
      return call('date_add', this.#product(), amount, unit);
    }
    if ((word === 'date' || word === 'timestamp' || word === 'time') && next?.type === 'string') {
      this.at++;
      return call(word === 'timestamp' ? 'timestamp' : word, literal(this.next().text));
    }
    if (/^_utf8(mb[34])?$|^n$/.test(word) && next?.type === 'string') {
      this.at++;
      return literal(this.next().text);
    }
    const opens = next?.type === 'symbol' && next.text === '(';
    if (BARE_CALLS.test(word) && !opens) {
      this.at++;
      return call(word);
    }
    return opens ? this.#call() : undefined;
  }

  #case(): SqlExpression {
    this.expectWord('case');
    const operand = this.isWord('when') ? undefined : this.expression();
    const branches: { when: SqlExpression; result: SqlExpression }[] = [];
    while (this.takeWord('when')) {
      const when = this.expression();
      this.expectWord('then');
      branches.push({ when, result: this.expression() });
    }
    if (branches.length === 0) this.fail();
    const otherwise = this.takeWord('else') ? this.expression() : undefined;
    this.expectWord('end');
    return { kind: 'case', branches, ...(operand ? { operand } : {}), ...(otherwise ? { otherwise } : {}) };
  }

  #call(): SqlExpression {
    const name = this.next().text.toLowerCase();
    this.at++;
    const special = this.#specialCall(name);
    if (special) {
      this.expectSymbol(')');
      return special;
    }
    const distinct = this.takeWord('distinct');
    const args: SqlExpression[] = [];
    if (!this.isSymbol(')')) {
      this.list(() => {
        if (this.takeSymbol('*')) args.push({ kind: 'star' });
        else if (this.isWord('interval')) args.push(...this.#interval());
        else args.push(this.expression());
      });
    }
    const orderBy = this.orderBy();
    const separator = this.takeWord('separator') ? this.text() : undefined;
    this.expectSymbol(')');
    if (this.isWord('over')) throw notSimulated('a window function (OVER)');
    return { kind: 'call', name, args, distinct, ...(separator === undefined ? {} : { separator }), ...(orderBy.length > 0 ? { orderBy } : {}) };
  }

  /** Functions whose arguments have words between them. */
  #specialCall(name: string): SqlExpression | undefined {
    if (name === 'cast' || name === 'convert') {
      const value = this.expression();
      if (name === 'convert' && this.takeWord('using')) {
        this.text();
        return call('concat', value);
      }
      if (!(name === 'cast' ? this.takeWord('as') : this.takeSymbol(','))) this.fail();
      return call('cast', value, literal(this.#castType()));
    }
    if (name === 'extract') {
      const unit = this.next().text.toLowerCase();
      this.expectWord('from');
      return call(unit, this.expression());
    }
    if (name === 'timestampdiff' || name === 'timestampadd') {
      const unit = this.next().text.toLowerCase();
      if (!UNITS.test(unit)) this.fail();
      this.expectSymbol(',');
      const first = this.expression();
      this.expectSymbol(',');
      const second = this.expression();
      return name === 'timestampdiff' ? call(name, literal(unit), first, second) : call('date_add', second, first, literal(unit));
    }
    if (name === 'position') {
      const needle = this.#bits('|');
      this.expectWord('in');
      return call('locate', needle, this.expression());
    }
    if ((name === 'substring' || name === 'substr') && !this.isSymbol(')')) {
      const args = [this.expression()];
      const from = this.takeWord('from');
      if (from || this.takeSymbol(',')) args.push(this.expression());
      if (from ? this.takeWord('for') : this.takeSymbol(',')) args.push(this.expression());
      return call(name, ...args);
    }
    if (name === 'trim') {
      const side = this.takeOneOf('both', 'leading', 'trailing') ?? 'both';
      const first = this.isWord('from') ? literal(' ') : this.expression();
      const text = this.takeWord('from') ? this.expression() : undefined;
      return call('trim', text ?? first, text ? first : literal(' '), literal(side));
    }
    return undefined;
  }

  /** "decimal(5,2)", "signed", "char(3)", in lower case. */
  #castType(): string {
    let type = this.next().text.toLowerCase();
    if (!/^(signed|unsigned|char|binary|date|datetime|time|decimal|double|float|real|json|year|nchar)$/.test(type)) {
      this.at--;
      this.fail();
    }
    this.takeWord('integer') || this.takeWord('int');
    if (this.takeSymbol('(')) {
      type += `(${this.list(() => this.integer()).join(',')})`;
      this.expectSymbol(')');
    }
    if (this.takeWord('character', 'set') || this.takeWord('charset')) this.text();
    return type;
  }
}
