import { SqlError, syntaxError } from './sql-error.ts';

/** A value as a column holds it. Times are text. */
export type SqlValue = string | number | null;

export type SqlExpression =
  | { kind: 'literal'; value: SqlValue }
  | { kind: 'column'; table?: string; name: string }
  | { kind: 'star'; table?: string }
  | { kind: 'variable'; scope: 'user' | 'system'; name: string; text: string }
  | { kind: 'unary'; operator: '-' | 'not'; operand: SqlExpression }
  | { kind: 'binary'; operator: string; left: SqlExpression; right: SqlExpression }
  | { kind: 'is'; operand: SqlExpression; negated: boolean; what: 'null' | 'true' | 'false' }
  | { kind: 'in'; operand: SqlExpression; negated: boolean; list?: SqlExpression[]; query?: SelectStatement }
  | { kind: 'between'; operand: SqlExpression; negated: boolean; low: SqlExpression; high: SqlExpression }
  | { kind: 'call'; name: string; args: SqlExpression[]; distinct: boolean; separator?: string }
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
  union?: { all: boolean; query: SelectStatement };
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

type TableName = { database?: string; name: string };

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
      onDuplicate?: [string, SqlExpression][];
    }
  | { kind: 'update'; table: TableName; set: [string, SqlExpression][]; where?: SqlExpression; orderBy: OrderItem[]; limit?: number }
  | { kind: 'delete'; table: TableName; where?: SqlExpression; orderBy: OrderItem[]; limit?: number }
  | { kind: 'truncate'; table: TableName }
  | { kind: 'create-database' | 'drop-database'; name: string; tolerant: boolean }
  | { kind: 'create-table'; table: TableName; tolerant: boolean; columns: ColumnDefinition[]; keys: KeyDefinition[]; like?: TableName }
  | { kind: 'drop-table'; tables: TableName[]; tolerant: boolean }
  | {
      kind: 'alter-table';
      table: TableName;
      add: { column: ColumnDefinition; keys: KeyDefinition[] }[];
      drop: string[];
      addKeys: KeyDefinition[];
      rename?: string;
    }
  | { kind: 'use'; name: string }
  | { kind: 'show'; what: string; table?: TableName; database?: string; like?: string; global: boolean }
  | { kind: 'set'; assignments: { scope: 'global' | 'session' | 'user' | 'persist'; name: string; value: SqlExpression }[] }
  | { kind: 'begin' | 'commit' | 'rollback' | 'nothing' }
  | {
      kind: 'user';
      action: 'create' | 'drop' | 'alter' | 'grant' | 'revoke';
      tolerant: boolean;
      user: string;
      host: string;
      password?: string;
      privileges?: string;
      on?: string;
    }
  | { kind: 'change-source'; options: Record<string, SqlValue> }
  | { kind: 'replica'; action: 'start' | 'stop' | 'reset'; all: boolean; thread?: 'io_thread' | 'sql_thread' }
  | { kind: 'kill'; id: number };

interface Token {
  type: 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'variable' | 'end';
  text: string;
  at: number;
}

const SYMBOL = /^(?:<=>|<=|>=|<>|!=|:=|\|\||&&|[-+*/%=<>(),.;@!&|^~{}])/;

function tokenise(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const fail = (): never => {
    throw syntaxError(sql.slice(at), sql.slice(0, at).split('\n').length);
  };
  while (at < sql.length) {
    const rest = sql.slice(at);
    const blank = /^(?:\s+|#[^\n]*|--(?:[ \t][^\n]*)?(?=\n|$)|\/\*(?!!)[\s\S]*?\*\/)/.exec(rest);
    if (blank) {
      at += blank[0].length;
      continue;
    }
    const hint = /^\/\*!\d*\s?([\s\S]*?)\*\//.exec(rest);
    if (hint) {
      tokens.push(
        ...tokenise(hint[1] as string)
          .slice(0, -1)
          .map((token) => ({ ...token, at })),
      );
      at += hint[0].length;
      continue;
    }
    const push = (type: Token['type'], text: string, length: number): void => {
      tokens.push({ type, text, at });
      at += length;
    };
    const variable = /^@@?(?:(?:global|session|persist)\.)?(?:[A-Za-z_][\w.$]*|`[^`]+`|'[^']*')/i.exec(rest);
    if (variable && tokens.at(-1)?.type !== 'string' && tokens.at(-1)?.type !== 'quoted') {
      push('variable', variable[0].replace(/[`']/g, ''), variable[0].length);
      continue;
    }
    const number = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z_$])/.exec(rest);
    if (number) {
      push('number', number[0], number[0].length);
      continue;
    }
    const word = /^[A-Za-z_$\u0080-\uffff0-9][\w$\u0080-\uffff]*/.exec(rest);
    if (word) {
      push('word', word[0], word[0].length);
      continue;
    }
    const quote = rest[0];
    if (quote === '`') {
      const end = rest.indexOf('`', 1);
      if (end < 0) fail();
      push('quoted', rest.slice(1, end), end + 1);
      continue;
    }
    if (quote === "'" || quote === '"') {
      const literal = (quote === "'" ? /^'((?:[^'\\]|\\[\s\S]|'')*)'/ : /^"((?:[^"\\]|\\[\s\S]|"")*)"/).exec(rest);
      if (!literal) return fail();
      const text = (literal[1] as string)
        .replace(quote === "'" ? /''/g : /""/g, quote)
        .replace(/\\([\s\S])/g, (_, char: string) => ({ n: '\n', t: '\t', r: '\r', '0': '\0', b: '\b', Z: '\x1a', '%': '\\%', _: '\\_' })[char] ?? char);
      push('string', text, literal[0].length);
      continue;
    }
    const symbol = SYMBOL.exec(rest);
    if (!symbol) fail();
    push('symbol', (symbol as RegExpExecArray)[0], (symbol as RegExpExecArray)[0].length);
  }
  tokens.push({ type: 'end', text: '', at: sql.length });
  return tokens;
}

/** Words that cannot be an alias or a column without quotes. */
const RESERVED = new Set(
  'select from where group having order limit join inner left right outer cross on using union set values into as and or not in is null like between case when then else end insert update delete create drop alter table database by distinct exists for key primary index unique default add desc asc'.split(
    ' ',
  ),
);

export class SqlParser {
  #sql: string;
  #tokens: Token[];
  #at = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.#tokens = tokenise(sql);
  }

  parse(): SqlStatement {
    const statement = this.#statement();
    this.#takeSymbol(';');
    if (this.#token.type !== 'end') this.#fail();
    return statement;
  }

  get #token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  get #ended(): boolean {
    return this.#token.type === 'end';
  }

  #fail(): never {
    const { at } = this.#token;
    throw syntaxError(this.#sql.slice(at), this.#sql.slice(0, at).split('\n').length);
  }

  #isWord(...words: string[]): boolean {
    return words.every((word, i) => {
      const token = this.#tokens[this.#at + i];
      return token?.type === 'word' && token.text.toLowerCase() === word;
    });
  }

  #takeWord(...words: string[]): boolean {
    if (!this.#isWord(...words)) return false;
    this.#at += words.length;
    return true;
  }

  #expectWord(...words: string[]): void {
    if (!this.#takeWord(...words)) this.#fail();
  }

  #isSymbol(symbol: string): boolean {
    return this.#token.type === 'symbol' && this.#token.text === symbol;
  }

  #takeSymbol(symbol: string): boolean {
    if (!this.#isSymbol(symbol)) return false;
    this.#at++;
    return true;
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) this.#fail();
  }

  #name(): string {
    const { type, text } = this.#token;
    if (type === 'quoted' || (type === 'word' && !RESERVED.has(text.toLowerCase()))) {
      this.#at++;
      return text;
    }
    return this.#fail();
  }

  #text(): string {
    const { type, text } = this.#token;
    if (type !== 'string' && type !== 'word' && type !== 'quoted') this.#fail();
    this.#at++;
    return text;
  }

  #tableName(): TableName {
    const first = this.#name();
    return this.#takeSymbol('.') ? { database: first, name: this.#name() } : { name: first };
  }

  #list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.#takeSymbol(',')) items.push(item());
    return items;
  }

  #names(): string[] {
    this.#expectSymbol('(');
    const names = this.#list(() => {
      const name = this.#name();
      if (this.#takeSymbol('(')) while (!this.#takeSymbol(')')) this.#at++;
      this.#takeWord('asc') || this.#takeWord('desc');
      return name;
    });
    this.#expectSymbol(')');
    return names;
  }

  // ---- statements ----

  #statement(): SqlStatement {
    if (this.#ended || this.#isSymbol(';')) throw new SqlError(1065, '42000', 'Query was empty');
    if (this.#isWord('select') || this.#isSymbol('(')) return this.#select();
    if (this.#isWord('insert') || this.#isWord('replace')) return this.#insert();
    if (this.#takeWord('update')) return this.#update();
    if (this.#takeWord('delete')) {
      this.#expectWord('from');
      const table = this.#tableName();
      return { kind: 'delete', table, ...this.#tail() };
    }
    if (this.#takeWord('truncate')) {
      this.#takeWord('table');
      return { kind: 'truncate', table: this.#tableName() };
    }
    if (this.#takeWord('create')) return this.#create();
    if (this.#takeWord('drop')) return this.#drop();
    if (this.#takeWord('alter')) {
      if (this.#takeWord('user')) return this.#user('alter');
      return this.#alter();
    }
    if (this.#takeWord('use')) return { kind: 'use', name: this.#name() };
    if (this.#takeWord('show')) return this.#show();
    if (this.#takeWord('describe') || this.#takeWord('desc') || this.#takeWord('explain'))
      return { kind: 'show', what: 'columns', table: this.#tableName(), global: false };
    if (this.#takeWord('set')) return this.#set();
    if (this.#takeWord('begin') || this.#takeWord('start', 'transaction')) {
      while (this.#token.type === 'word' || this.#isSymbol(',')) this.#at++;
      return { kind: 'begin' };
    }
    if (this.#takeWord('commit')) return { kind: 'commit' };
    if (this.#takeWord('rollback')) return { kind: 'rollback' };
    if (this.#takeWord('grant')) return this.#grant('grant');
    if (this.#takeWord('revoke')) return this.#grant('revoke');
    if (this.#takeWord('change')) return this.#changeSource();
    for (const action of ['start', 'stop', 'reset'] as const) {
      if (!this.#takeWord(action)) continue;
      if (!this.#takeWord('replica') && !this.#takeWord('slave')) this.#fail();
      const thread = this.#takeWord('io_thread') ? 'io_thread' : this.#takeWord('sql_thread') ? 'sql_thread' : undefined;
      return { kind: 'replica', action, all: this.#takeWord('all'), ...(thread ? { thread } : {}) };
    }
    if (this.#takeWord('kill')) {
      this.#takeWord('query') || this.#takeWord('connection');
      return { kind: 'kill', id: Number(this.#tokens[this.#at++]?.text) };
    }
    if (this.#isWord('flush') || this.#isWord('lock') || this.#isWord('unlock') || this.#isWord('analyze') || this.#isWord('optimize') || this.#isWord('do')) {
      while (!this.#ended && !this.#isSymbol(';')) this.#at++;
      return { kind: 'nothing' };
    }
    return this.#fail();
  }

  #tail(): { where?: SqlExpression; orderBy: OrderItem[]; limit?: number } {
    const where = this.#takeWord('where') ? this.#expression() : undefined;
    const orderBy = this.#orderBy();
    const limit = this.#takeWord('limit') ? Number(this.#tokens[this.#at++]?.text) : undefined;
    return { orderBy, ...(where ? { where } : {}), ...(limit === undefined ? {} : { limit }) };
  }

  #orderBy(): OrderItem[] {
    if (!this.#takeWord('order')) return [];
    this.#expectWord('by');
    return this.#list(() => {
      const value = this.#expression();
      const descending = this.#takeWord('desc');
      if (!descending) this.#takeWord('asc');
      return { value, descending };
    });
  }

  #select(): SelectStatement {
    if (this.#takeSymbol('(')) {
      const inner = this.#select();
      this.#expectSymbol(')');
      return inner;
    }
    this.#expectWord('select');
    const distinct = this.#takeWord('distinct');
    this.#takeWord('all') || this.#takeWord('sql_no_cache');
    const items = this.#list(() => this.#selectItem());
    const from = this.#takeWord('from') && !this.#takeWord('dual') ? this.#from() : [];
    const where = this.#takeWord('where') ? this.#expression() : undefined;
    let groupBy: SqlExpression[] = [];
    if (this.#takeWord('group')) {
      this.#expectWord('by');
      groupBy = this.#list(() => this.#expression());
    }
    const having = this.#takeWord('having') ? this.#expression() : undefined;
    const orderBy = this.#orderBy();
    let limit: SelectStatement['limit'];
    if (this.#takeWord('limit')) {
      const number = (): number => {
        if (this.#token.type !== 'number') this.#fail();
        return Number(this.#tokens[this.#at++]?.text);
      };
      const first = number();
      limit = this.#takeSymbol(',') ? { offset: first, count: number() } : { count: first, offset: this.#takeWord('offset') ? number() : 0 };
    }
    if (this.#takeWord('for')) {
      this.#takeWord('update') || this.#takeWord('share');
    }
    const statement: SelectStatement = {
      kind: 'select',
      distinct,
      items,
      from,
      groupBy,
      orderBy,
      ...(where ? { where } : {}),
      ...(having ? { having } : {}),
      ...(limit ? { limit } : {}),
    };
    if (this.#takeWord('union')) {
      const all = this.#takeWord('all');
      this.#takeWord('distinct');
      statement.union = { all, query: this.#select() };
    }
    return statement;
  }

  #selectItem(): SelectItem {
    if (this.#takeSymbol('*')) return { value: { kind: 'star' }, title: '*' };
    const start = this.#token.at;
    const value = this.#expression();
    const end = (this.#tokens[this.#at - 1] as Token).at + this.#width(this.#at - 1);
    const written = this.#sql.slice(start, end);
    if (value.kind === 'star') return { value, title: '*' };
    let alias: string | undefined;
    if (this.#takeWord('as')) alias = this.#text();
    else if (this.#token.type === 'quoted' || this.#token.type === 'string' || (this.#token.type === 'word' && !RESERVED.has(this.#token.text.toLowerCase())))
      alias = this.#text();
    const title = alias ?? (value.kind === 'column' ? value.name : value.kind === 'literal' && typeof value.value === 'string' ? value.value : written);
    return { value, title, ...(alias === undefined ? {} : { alias }) };
  }

  /** Characters that a token takes in the text. */
  #width(index: number): number {
    const token = this.#tokens[index] as Token;
    const next = this.#tokens[index + 1] as Token;
    return this.#sql.slice(token.at, next.at).replace(/\s+$/, '').length;
  }

  #from(): TableReference[] {
    const tables = [this.#tableReference()];
    for (;;) {
      if (this.#takeSymbol(',')) {
        tables.push({ ...this.#tableReference(), join: 'inner' });
        continue;
      }
      let join: 'inner' | 'left' | 'right' | undefined;
      if (this.#takeWord('join') || this.#takeWord('inner', 'join') || this.#takeWord('cross', 'join')) join = 'inner';
      else if (this.#takeWord('left')) join = 'left';
      else if (this.#takeWord('right')) join = 'right';
      if (!join) return tables;
      if (join !== 'inner') {
        this.#takeWord('outer');
        this.#expectWord('join');
      }
      const table: TableReference = { ...this.#tableReference(), join };
      if (this.#takeWord('on')) table.on = this.#expression();
      else if (this.#takeWord('using')) table.using = this.#names();
      tables.push(table);
    }
  }

  #tableReference(): TableReference {
    const query = this.#isSymbol('(') ? this.#select() : undefined;
    const table = query ? { name: '' } : this.#tableName();
    let alias: string | undefined;
    if (this.#takeWord('as')) alias = this.#name();
    else if (this.#token.type === 'quoted' || (this.#token.type === 'word' && !RESERVED.has(this.#token.text.toLowerCase()))) alias = this.#name();
    if (query && alias === undefined) throw new SqlError(1248, '42000', 'Every derived table must have its own alias');
    return { ...table, alias: alias ?? table.name, ...(query ? { query } : {}) };
  }

  #insert(): SqlStatement {
    const replace = this.#takeWord('replace');
    if (!replace) this.#expectWord('insert');
    const ignore = this.#takeWord('ignore');
    this.#takeWord('into');
    const table = this.#tableName();
    const base = { kind: 'insert', table, ignore, replace } as const;
    if (this.#takeWord('set')) {
      const set = this.#assignments();
      return { ...base, columns: set.map(([name]) => name), rows: [set.map(([, value]) => value)] };
    }
    const columns =
      this.#isSymbol('(') && !(this.#tokens[this.#at + 1]?.text.toLowerCase() === 'select')
        ? this.#tokens[this.#at + 1]?.text === ')'
          ? []
          : this.#names()
        : undefined;
    if (columns?.length === 0) this.#at += 2;
    const named = columns && columns.length > 0 ? { columns } : {};
    if (this.#isWord('select') || this.#isSymbol('(')) return { ...base, ...named, query: this.#select() };
    if (!this.#takeWord('values') && !this.#takeWord('value')) this.#fail();
    const rows = this.#list(() => {
      this.#expectSymbol('(');
      if (this.#takeSymbol(')')) return [];
      const row = this.#list(() => (this.#takeWord('default') ? undefined : this.#expression()));
      this.#expectSymbol(')');
      return row;
    });
    const onDuplicate = this.#takeWord('on', 'duplicate', 'key', 'update') ? this.#assignments() : undefined;
    return { ...base, ...named, rows, ...(onDuplicate ? { onDuplicate } : {}) };
  }

  #assignments(): [string, SqlExpression][] {
    return this.#list((): [string, SqlExpression] => {
      let name = this.#name();
      if (this.#takeSymbol('.')) name = this.#name();
      this.#expectSymbol('=');
      return [name, this.#expression()];
    });
  }

  #update(): SqlStatement {
    const table = this.#tableName();
    this.#expectWord('set');
    return { kind: 'update', table, set: this.#assignments(), ...this.#tail() };
  }

  #create(): SqlStatement {
    if (this.#takeWord('database') || this.#takeWord('schema')) {
      const tolerant = this.#takeWord('if', 'not', 'exists');
      const name = this.#name();
      while (this.#token.type === 'word' || this.#isSymbol('=')) this.#at++;
      return { kind: 'create-database', name, tolerant };
    }
    if (this.#takeWord('user')) return this.#user('create');
    if (this.#isWord('index') || this.#isWord('unique', 'index')) {
      const unique = this.#takeWord('unique');
      this.#expectWord('index');
      const name = this.#name();
      this.#expectWord('on');
      const table = this.#tableName();
      return { kind: 'alter-table', table, add: [], drop: [], addKeys: [{ name, kind: unique ? 'unique' : 'index', columns: this.#names() }] };
    }
    this.#takeWord('temporary');
    this.#expectWord('table');
    const tolerant = this.#takeWord('if', 'not', 'exists');
    const table = this.#tableName();
    if (this.#takeWord('like')) return { kind: 'create-table', table, tolerant, columns: [], keys: [], like: this.#tableName() };
    this.#expectSymbol('(');
    const columns: ColumnDefinition[] = [];
    const keys: KeyDefinition[] = [];
    this.#list(() => {
      const key = this.#keyDefinition();
      if (key === 'ignored') return;
      if (key) keys.push(key);
      else {
        const column = this.#columnDefinition();
        columns.push(column.column);
        keys.push(...column.keys);
      }
    });
    this.#expectSymbol(')');
    while (this.#token.type !== 'end' && !this.#isSymbol(';')) this.#at++;
    return { kind: 'create-table', table, tolerant, columns, keys };
  }

  #keyDefinition(): KeyDefinition | 'ignored' | undefined {
    if (this.#takeWord('constraint')) {
      if (!this.#isWord('foreign') && !this.#isWord('primary') && !this.#isWord('unique') && !this.#isWord('check')) this.#name();
    }
    if (this.#takeWord('primary', 'key')) return { name: 'PRIMARY', kind: 'primary', columns: this.#names() };
    if (this.#takeWord('foreign', 'key') || this.#takeWord('check')) {
      let depth = 0;
      while (this.#token.type !== 'end' && !(depth === 0 && (this.#isSymbol(',') || this.#isSymbol(')')))) {
        if (this.#isSymbol('(')) depth++;
        if (this.#isSymbol(')')) depth--;
        this.#at++;
      }
      return 'ignored';
    }
    const kind = this.#isWord('unique') ? 'unique' : this.#isWord('key') || this.#isWord('index') || this.#isWord('fulltext') ? 'index' : undefined;
    if (!kind) return undefined;
    this.#at++;
    this.#takeWord('key') || this.#takeWord('index');
    const name = this.#isSymbol('(') ? undefined : this.#name();
    const columns = this.#names();
    return { name: name ?? (columns[0] as string), kind, columns };
  }

  #columnDefinition(): { column: ColumnDefinition; keys: KeyDefinition[] } {
    const name = this.#name();
    let type = (this.#tokens[this.#at++] as Token).text.toLowerCase();
    if (this.#tokens[this.#at - 1]?.type !== 'word') {
      this.#at--;
      this.#fail();
    }
    type =
      { integer: 'int', bool: 'tinyint(1)', boolean: 'tinyint(1)', numeric: 'decimal', dec: 'decimal', real: 'double', serial: 'bigint unsigned' }[type] ??
      type;
    if (this.#takeSymbol('(')) {
      const args: string[] = [];
      while (!this.#isSymbol(')')) {
        const token = this.#tokens[this.#at++] as Token;
        if (token.type === 'end') this.#fail();
        if (token.text !== ',') args.push(token.type === 'string' ? `'${token.text}'` : token.text);
      }
      this.#at++;
      // Display widths of integers are gone since 8.0.19.
      if (!/^(tinyint|smallint|mediumint|int|bigint)$/.test(type) || (type === 'tinyint' && args[0] === '1')) type += `(${args.join(',')})`;
    } else if (type === 'decimal') type = 'decimal(10,0)';
    else if (type === 'char') type = 'char(1)';
    else if (type === 'varchar') this.#fail();
    const column: ColumnDefinition = { name, type, nullable: true, autoIncrement: false, onUpdateNow: false };
    const keys: KeyDefinition[] = [];
    for (;;) {
      if (this.#takeWord('unsigned')) column.type += ' unsigned';
      else if (this.#takeWord('not', 'null')) column.nullable = false;
      else if (this.#takeWord('null')) column.nullable = true;
      else if (this.#takeWord('auto_increment')) column.autoIncrement = true;
      else if (this.#takeWord('primary', 'key') || this.#takeWord('primary')) keys.push({ name: 'PRIMARY', kind: 'primary', columns: [name] });
      else if (this.#takeWord('unique', 'key') || this.#takeWord('unique')) keys.push({ name, kind: 'unique', columns: [name] });
      else if (this.#takeWord('key')) keys.push({ name: 'PRIMARY', kind: 'primary', columns: [name] });
      else if (this.#takeWord('default')) column.default = this.#unary();
      else if (this.#takeWord('on', 'update')) {
        this.#unary();
        column.onUpdateNow = true;
      } else if (this.#takeWord('comment') || this.#takeWord('collate') || this.#takeWord('character', 'set') || this.#takeWord('charset')) this.#at++;
      else if (this.#takeWord('first')) continue;
      else if (this.#takeWord('after')) this.#name();
      else return { column, keys };
    }
  }

  #drop(): SqlStatement {
    if (this.#takeWord('database') || this.#takeWord('schema')) {
      const tolerant = this.#takeWord('if', 'exists');
      return { kind: 'drop-database', name: this.#name(), tolerant };
    }
    if (this.#takeWord('user')) return this.#user('drop');
    this.#takeWord('temporary');
    this.#expectWord('table');
    const tolerant = this.#takeWord('if', 'exists');
    return { kind: 'drop-table', tolerant, tables: this.#list(() => this.#tableName()) };
  }

  #alter(): SqlStatement {
    this.#expectWord('table');
    const table = this.#tableName();
    const statement: SqlStatement & { kind: 'alter-table' } = { kind: 'alter-table', table, add: [], drop: [], addKeys: [] };
    this.#list(() => {
      if (this.#takeWord('add')) {
        const key = this.#keyDefinition();
        if (key && key !== 'ignored') statement.addKeys.push(key);
        else if (!key) {
          this.#takeWord('column');
          statement.add.push(this.#columnDefinition());
        }
      } else if (this.#takeWord('drop')) {
        this.#takeWord('column');
        statement.drop.push(this.#name());
      } else if (this.#takeWord('rename')) {
        this.#takeWord('to') || this.#takeWord('as');
        statement.rename = this.#name();
      } else if (this.#takeWord('disable', 'keys') || this.#takeWord('enable', 'keys')) return;
      else this.#fail();
    });
    return statement;
  }

  #show(): SqlStatement {
    const global = this.#takeWord('global');
    this.#takeWord('session') || this.#takeWord('full');
    const what = (this.#tokens[this.#at++] as Token).text.toLowerCase();
    const statement: SqlStatement & { kind: 'show' } = { kind: 'show', what, global };
    if (what === 'create') {
      const object = (this.#tokens[this.#at++] as Token).text.toLowerCase();
      statement.what = `create-${object}`;
      if (object === 'table') statement.table = this.#tableName();
      else statement.database = this.#name();
    } else if (what === 'replica' || what === 'slave') {
      this.#expectWord('status');
      statement.what = 'replica-status';
    } else if (what === 'binary' || what === 'master') {
      if (this.#takeWord('log', 'status') || this.#takeWord('status')) statement.what = 'source-status';
      else {
        this.#expectWord('logs');
        statement.what = 'binary-logs';
      }
    } else if (what === 'engine') {
      while (this.#token.type === 'word') this.#at++;
    }
    if (this.#takeWord('from') || this.#takeWord('in')) {
      const first = this.#name();
      if (what === 'tables') statement.database = first;
      else statement.table = this.#takeSymbol('.') ? { database: first, name: this.#name() } : { name: first };
      if (this.#takeWord('from') || this.#takeWord('in')) statement.table = { name: first, database: this.#name() };
    }
    if (this.#takeWord('for')) {
      this.#takeWord('user');
      while (this.#token.type !== 'end' && !this.#isSymbol(';')) this.#at++;
    }
    if (this.#takeWord('like')) statement.like = this.#text();
    else if (this.#takeWord('where')) {
      this.#name();
      if (!this.#takeSymbol('=') && !this.#takeWord('like')) this.#fail();
      statement.like = this.#text();
    }
    return statement;
  }

  #set(): SqlStatement {
    if (this.#takeWord('names') || this.#takeWord('character', 'set') || this.#isWord('transaction') || this.#isWord('session', 'transaction')) {
      while (this.#token.type !== 'end' && !this.#isSymbol(';')) this.#at++;
      return { kind: 'nothing' };
    }
    const assignments = this.#list(() => {
      let scope: 'global' | 'session' | 'user' | 'persist' = this.#takeWord('global') ? 'global' : this.#takeWord('persist') ? 'persist' : 'session';
      this.#takeWord('session') || this.#takeWord('local');
      let name: string;
      if (this.#token.type === 'variable') {
        const text = (this.#tokens[this.#at++] as Token).text;
        if (text.startsWith('@@')) {
          const match = /^@@(?:(global|session|persist)\.)?(.*)$/i.exec(text);
          if (match?.[1]) scope = match[1].toLowerCase() as 'global';
          name = match?.[2] ?? '';
        } else {
          scope = 'user';
          name = text.slice(1);
        }
      } else name = this.#name();
      if (!this.#takeSymbol('=') && !this.#takeSymbol(':=')) this.#fail();
      const word = this.#token;
      const bare = word.type === 'word' && /^(on|off|default|true|false)$/i.test(word.text);
      if (bare) this.#at++;
      const value: SqlExpression = bare ? { kind: 'literal', value: word.text.toUpperCase() } : this.#expression();
      return { scope, name: name.toLowerCase(), value };
    });
    return { kind: 'set', assignments };
  }

  #account(): { user: string; host: string } {
    const user = this.#text();
    let host = '%';
    if (this.#token.type === 'variable') host = (this.#tokens[this.#at++] as Token).text.replace(/^@/, '');
    else if (this.#takeSymbol('@')) host = this.#text();
    return { user, host };
  }

  #user(action: 'create' | 'drop' | 'alter'): SqlStatement {
    const tolerant = this.#takeWord('if', 'not', 'exists') || this.#takeWord('if', 'exists');
    const account = this.#account();
    let password: string | undefined;
    if (this.#takeWord('identified')) {
      if (this.#takeWord('with')) this.#at++;
      if (this.#takeWord('by')) password = this.#text();
    }
    return { kind: 'user', action, tolerant, ...account, ...(password === undefined ? {} : { password }) };
  }

  #grant(action: 'grant' | 'revoke'): SqlStatement {
    const start = this.#token.at;
    while (this.#token.type !== 'end' && !this.#isWord('on')) this.#at++;
    const privileges = this.#sql.slice(start, this.#token.at).trim();
    this.#expectWord('on');
    const onStart = this.#token.at;
    while (this.#token.type !== 'end' && !this.#isWord('to') && !this.#isWord('from')) this.#at++;
    const on = this.#sql.slice(onStart, this.#token.at).trim();
    if (!this.#takeWord('to') && !this.#takeWord('from')) this.#fail();
    const account = this.#account();
    if (this.#takeWord('with', 'grant', 'option')) return { kind: 'user', action, tolerant: false, ...account, privileges, on };
    return { kind: 'user', action, tolerant: false, ...account, privileges, on };
  }

  #changeSource(): SqlStatement {
    if (!this.#takeWord('replication', 'source', 'to') && !this.#takeWord('master', 'to')) this.#fail();
    const options: Record<string, SqlValue> = {};
    this.#list(() => {
      const name = this.#name()
        .toUpperCase()
        .replace(/^MASTER_/, 'SOURCE_');
      this.#expectSymbol('=');
      const value = this.#unary();
      options[name] = value.kind === 'literal' ? value.value : null;
    });
    if (this.#takeWord('for', 'channel')) this.#text();
    return { kind: 'change-source', options };
  }

  // ---- expressions ----

  #expression(): SqlExpression {
    let left = this.#and();
    while (this.#takeWord('or') || this.#takeSymbol('||') || this.#takeWord('xor')) left = { kind: 'binary', operator: 'or', left, right: this.#and() };
    return left;
  }

  #and(): SqlExpression {
    let left = this.#not();
    while (this.#takeWord('and') || this.#takeSymbol('&&')) left = { kind: 'binary', operator: 'and', left, right: this.#not() };
    return left;
  }

  #not(): SqlExpression {
    if (this.#takeWord('not')) return { kind: 'unary', operator: 'not', operand: this.#not() };
    return this.#comparison();
  }

  #comparison(): SqlExpression {
    let left = this.#sum();
    for (;;) {
      if (this.#takeWord('is')) {
        const negated = this.#takeWord('not');
        const what = this.#takeWord('null') ? 'null' : this.#takeWord('true') ? 'true' : this.#takeWord('false') ? 'false' : this.#fail();
        left = { kind: 'is', operand: left, negated, what };
        continue;
      }
      const negated =
        this.#isWord('not') &&
        ['like', 'in', 'between', 'regexp', 'rlike'].includes(this.#tokens[this.#at + 1]?.text.toLowerCase() ?? '') &&
        this.#takeWord('not');
      if (this.#takeWord('like') || this.#takeWord('regexp') || this.#takeWord('rlike')) {
        const operator = this.#tokens[this.#at - 1]?.text.toLowerCase() === 'like' ? 'like' : 'regexp';
        const test: SqlExpression = { kind: 'binary', operator, left, right: this.#sum() };
        left = negated ? { kind: 'unary', operator: 'not', operand: test } : test;
        continue;
      }
      if (this.#takeWord('in')) {
        this.#expectSymbol('(');
        if (this.#isWord('select')) left = { kind: 'in', operand: left, negated, query: this.#select() };
        else left = { kind: 'in', operand: left, negated, list: this.#list(() => this.#expression()) };
        this.#expectSymbol(')');
        continue;
      }
      if (this.#takeWord('between')) {
        const low = this.#sum();
        this.#expectWord('and');
        left = { kind: 'between', operand: left, negated, low, high: this.#sum() };
        continue;
      }
      const operator = ['=', '<=>', '<>', '!=', '<=', '>=', '<', '>'].find((one) => this.#isSymbol(one));
      if (!operator) return left;
      this.#at++;
      left = { kind: 'binary', operator: operator === '!=' ? '<>' : operator, left, right: this.#sum() };
    }
  }

  #sum(): SqlExpression {
    let left = this.#product();
    while (this.#isSymbol('+') || this.#isSymbol('-')) {
      const operator = (this.#tokens[this.#at++] as Token).text;
      // Intervals: date + INTERVAL n unit.
      if (this.#takeWord('interval')) {
        const amount = this.#sum();
        const unit = this.#name();
        left = { kind: 'call', name: operator === '+' ? 'date_add' : 'date_sub', args: [left, amount, { kind: 'literal', value: unit }], distinct: false };
      } else left = { kind: 'binary', operator, left, right: this.#product() };
    }
    return left;
  }

  #product(): SqlExpression {
    let left = this.#unary();
    for (;;) {
      const operator = this.#isSymbol('*')
        ? '*'
        : this.#isSymbol('/')
          ? '/'
          : this.#isSymbol('%') || this.#isWord('mod')
            ? '%'
            : this.#isWord('div')
              ? 'div'
              : undefined;
      if (!operator) return left;
      this.#at++;
      left = { kind: 'binary', operator, left, right: this.#unary() };
    }
  }

  #unary(): SqlExpression {
    if (this.#takeSymbol('-')) {
      const operand = this.#unary();
      return operand.kind === 'literal' && typeof operand.value === 'number'
        ? { kind: 'literal', value: -operand.value }
        : { kind: 'unary', operator: '-', operand };
    }
    if (this.#takeSymbol('+')) return this.#unary();
    if (this.#takeSymbol('!')) return { kind: 'unary', operator: 'not', operand: this.#unary() };
    return this.#primary();
  }

  #primary(): SqlExpression {
    const token = this.#token;
    switch (token.type) {
      case 'number':
        this.#at++;
        return { kind: 'literal', value: Number(token.text) };
      case 'string': {
        this.#at++;
        let value = token.text;
        while (this.#token.type === 'string') value += (this.#tokens[this.#at++] as Token).text;
        return { kind: 'literal', value };
      }
      case 'variable': {
        this.#at++;
        const system = token.text.startsWith('@@');
        return {
          kind: 'variable',
          scope: system ? 'system' : 'user',
          name: token.text.replace(/^@@?(?:(?:global|session|persist)\.)?/i, '').toLowerCase(),
          text: token.text,
        };
      }
      case 'symbol':
        if (this.#takeSymbol('(')) {
          if (this.#isWord('select')) {
            const query = this.#select();
            this.#expectSymbol(')');
            return { kind: 'query', query, exists: false };
          }
          const inner = this.#expression();
          this.#expectSymbol(')');
          return inner;
        }
        break;
      case 'word': {
        const word = token.text.toLowerCase();
        if (word === 'null' || word === 'true' || word === 'false') {
          this.#at++;
          return { kind: 'literal', value: word === 'null' ? null : word === 'true' ? 1 : 0 };
        }
        if (word === 'case') return this.#case();
        if (word === 'exists') {
          this.#at++;
          this.#expectSymbol('(');
          const query = this.#select();
          this.#expectSymbol(')');
          return { kind: 'query', query, exists: true };
        }
        if (word === 'binary') {
          this.#at++;
          return this.#unary();
        }
        if (/^(current_timestamp|current_date|current_time|current_user)$/.test(word) && this.#tokens[this.#at + 1]?.text !== '(') {
          this.#at++;
          return { kind: 'call', name: word, args: [], distinct: false };
        }
        if (this.#tokens[this.#at + 1]?.text === '(' && this.#tokens[this.#at + 1]?.type === 'symbol') return this.#call();
        break;
      }
      default:
    }
    const name = this.#name();
    if (!this.#takeSymbol('.')) return { kind: 'column', name };
    if (this.#takeSymbol('*')) return { kind: 'star', table: name };
    const second = this.#name();
    if (this.#takeSymbol('.')) return { kind: 'column', table: second, name: this.#name() };
    return { kind: 'column', table: name, name: second };
  }

  #case(): SqlExpression {
    this.#expectWord('case');
    const operand = this.#isWord('when') ? undefined : this.#expression();
    const branches: { when: SqlExpression; result: SqlExpression }[] = [];
    while (this.#takeWord('when')) {
      const when = this.#expression();
      this.#expectWord('then');
      branches.push({ when, result: this.#expression() });
    }
    const otherwise = this.#takeWord('else') ? this.#expression() : undefined;
    this.#expectWord('end');
    return { kind: 'case', branches, ...(operand ? { operand } : {}), ...(otherwise ? { otherwise } : {}) };
  }

  #call(): SqlExpression {
    const name = (this.#tokens[this.#at] as Token).text.toLowerCase();
    this.#at += 2;
    const distinct = this.#takeWord('distinct');
    const args: SqlExpression[] = [];
    let separator: string | undefined;
    while (!this.#isSymbol(')')) {
      if (this.#takeSymbol('*')) args.push({ kind: 'star' });
      else if (this.#takeWord('interval')) {
        args.push(this.#sum());
        args.push({ kind: 'literal', value: this.#name() });
      } else args.push(this.#expression());
      if (this.#takeWord('as')) {
        args.push({ kind: 'literal', value: (this.#tokens[this.#at++] as Token).text });
        if (this.#takeSymbol('(')) while (!this.#takeSymbol(')')) this.#at++;
      }
      if (this.#isWord('order')) this.#orderBy();
      if (this.#takeWord('separator')) separator = this.#text();
      if (!this.#takeSymbol(',')) break;
    }
    this.#expectSymbol(')');
    return { kind: 'call', name, args, distinct, ...(separator === undefined ? {} : { separator }) };
  }
}
