import { syntaxError } from './sql-error.ts';

export interface Token {
  type: 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'variable' | 'end';
  text: string;
  at: number;
  end: number;
}

const SYMBOL = /(?:<=>|<=|>=|<>|!=|:=|\|\||&&|<<|>>|[-+*/%=<>(),.;@!&|^~?{}])/y;
const BLANK = /(?:\s+|#[^\n]*|--(?:[ \t][^\n]*)?(?=\n|$)|\/\*(?!!)[\s\S]*?\*\/)+/y;
const HINT = /\/\*!\d*\s?([\s\S]*?)\*\//y;
const VARIABLE = /@@?(?:(?:global|session|local|persist)\.)?(?:[A-Za-z_][\w.$]*|`[^`]+`|'[^']*')/iy;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w$])/y;
const WORD = /[\w$\u0080-\uffff]+/y;
const QUOTED = /`((?:[^`]|``)+)`/y;
const STRING = { "'": /'((?:[^'\\]|\\[\s\S]|'')*)'/y, '"': /"((?:[^"\\]|\\[\s\S]|"")*)"/y };
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', b: '\b', Z: '\x1a', '%': '\\%', _: '\\_' };

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

export function tokenise(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (type: Token['type'], text: string, length: number): void => {
    tokens.push({ type, text, at, end: at + length });
    at += length;
  };
  for (;;) {
    at += match(BLANK, sql, at)?.[0].length ?? 0;
    if (at >= sql.length) break;
    const hint = match(HINT, sql, at);
    if (hint) {
      const start = at;
      const inner = tokenise(hint[1] as string).slice(0, -1);
      tokens.push(...inner.map((token) => ({ ...token, at: start, end: start + hint[0].length })));
      at += hint[0].length;
      continue;
    }
    const last = tokens.at(-1);
    // 'user'@'host' is no variable.
    const variable = last?.type === 'string' || last?.type === 'quoted' ? null : match(VARIABLE, sql, at);
    if (variable) {
      push('variable', variable[0].replace(/[`']/g, ''), variable[0].length);
      continue;
    }
    const afterPoint = last?.type === 'symbol' && last.text === '.' && last.end === at;
    const number = afterPoint ? null : match(NUMBER, sql, at);
    if (number) {
      push('number', number[0], number[0].length);
      continue;
    }
    const word = match(WORD, sql, at);
    if (word) {
      push('word', word[0], word[0].length);
      continue;
    }
    const quoted = match(QUOTED, sql, at);
    if (quoted) {
      push('quoted', (quoted[1] as string).replace(/``/g, '`'), quoted[0].length);
      continue;
    }
    const quote = sql[at];
    if (quote === "'" || quote === '"') {
      const literal = match(STRING[quote], sql, at);
      if (!literal) break;
      const text = (literal[1] as string).replace(quote === "'" ? /''|\\([\s\S])/g : /""|\\([\s\S])/g, (_, char?: string) =>
        char === undefined ? quote : (ESCAPES[char] ?? char),
      );
      push('string', text, literal[0].length);
      continue;
    }
    const symbol = match(SYMBOL, sql, at);
    if (!symbol) break;
    push('symbol', symbol[0], symbol[0].length);
  }
  if (at < sql.length) throw syntaxError(sql.slice(at), sql.slice(0, at).split('\n').length);
  tokens.push({ type: 'end', text: '', at: sql.length, end: sql.length });
  return tokens;
}

/** Words that name nothing without quotes (MySQL 8.1, Keywords and Reserved Words). */
const RESERVED = new Set(
  (
    'accessible add all alter analyze and as asc before between bigint binary blob both by call cascade case change char character check collate column ' +
    'constraint convert create cross cube current_date current_time current_timestamp current_user cursor database databases decimal declare default delete ' +
    'dense_rank desc describe distinct distinctrow div double drop dual each else elseif empty enclosed escaped except exists exit explain false fetch float ' +
    'for force foreign from fulltext function generated get grant group grouping groups having high_priority if ignore in index infile inner inout insert int ' +
    'integer intersect interval into is iterate join json_table key keys kill lag lateral lead leading leave left like limit lines load localtime ' +
    'localtimestamp lock long longblob longtext loop low_priority match maxvalue mediumblob mediumint mediumtext mod natural not null numeric of on optimize ' +
    'option or order out outer outfile over partition precision primary procedure purge range rank read real recursive references regexp release rename ' +
    'repeat replace require restrict return revoke right rlike row row_number rows schema schemas select separator set show signal smallint spatial sql ' +
    'starting stored straight_join system table terminated then tinyblob tinyint tinytext to trailing trigger true undo union unique unlock unsigned update ' +
    'usage use using utc_date utc_time utc_timestamp values varbinary varchar varying virtual when where while window with write xor zerofill'
  ).split(' '),
);

/** The parser's position in the text and its small steps. */
export class TokenReader {
  protected readonly sql: string;
  protected readonly tokens: Token[];
  protected at = 0;

  constructor(sql: string) {
    this.sql = sql;
    this.tokens = tokenise(sql);
  }

  protected get token(): Token {
    return this.tokens[this.at] as Token;
  }

  protected get ended(): boolean {
    return this.token.type === 'end' || this.isSymbol(';');
  }

  /** The token after the present one. */
  protected ahead(steps = 1): Token | undefined {
    return this.tokens[this.at + steps];
  }

  protected next(): Token {
    const { token } = this;
    if (token.type !== 'end') this.at++;
    return token;
  }

  protected fail(): never {
    const { at } = this.token;
    throw syntaxError(this.sql.slice(at), this.sql.slice(0, at).split('\n').length);
  }

  /** The text from a token on to the one before the present one. */
  protected written(from: number): string {
    return this.sql.slice(this.tokens[from]?.at, this.tokens[this.at - 1]?.end);
  }

  protected isWord(...words: string[]): boolean {
    return words.every((word, i) => {
      const token = this.tokens[this.at + i];
      return token?.type === 'word' && token.text.toLowerCase() === word;
    });
  }

  protected takeWord(...words: string[]): boolean {
    if (!this.isWord(...words)) return false;
    this.at += words.length;
    return true;
  }

  /** The first of these words that is next, taken. */
  protected takeOneOf<T extends string>(...words: T[]): T | undefined {
    return words.find((word) => this.takeWord(word));
  }

  protected expectWord(...words: string[]): void {
    for (const word of words) if (!this.takeWord(word)) this.fail();
  }

  protected isSymbol(symbol: string): boolean {
    return this.token.type === 'symbol' && this.token.text === symbol;
  }

  protected takeSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.at++;
    return true;
  }

  protected expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) this.fail();
  }

  /** Whether a name stands here, quoted or not reserved. */
  protected isName(): boolean {
    const { type, text } = this.token;
    return type === 'quoted' || (type === 'word' && !RESERVED.has(text.toLowerCase()) && !/^\d+$/.test(text));
  }

  protected name(): string {
    // Behind a point every word is a name.
    const before = this.tokens[this.at - 1];
    const afterPoint = before?.type === 'symbol' && before.text === '.';
    if (!this.isName() && !(afterPoint && this.token.type === 'word')) this.fail();
    return this.next().text;
  }

  protected text(): string {
    const { type } = this.token;
    if (type !== 'string' && type !== 'word' && type !== 'quoted') this.fail();
    return this.next().text;
  }

  protected integer(): number {
    const { type, text } = this.token;
    if (type !== 'number' || !/^\d+$/.test(text)) this.fail();
    this.at++;
    return Number(text);
  }

  protected list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.takeSymbol(',')) items.push(item());
    return items;
  }

  protected tableName(): { database?: string; name: string } {
    const first = this.name();
    return this.takeSymbol('.') ? { database: first, name: this.name() } : { name: first };
  }

  /** "(a, b(10) DESC)". */
  protected names(): string[] {
    this.expectSymbol('(');
    const names = this.list(() => {
      const name = this.name();
      if (this.takeSymbol('(')) while (!this.takeSymbol(')')) if (this.next().type === 'end') this.fail();
      this.takeOneOf('asc', 'desc');
      return name;
    });
    this.expectSymbol(')');
    return names;
  }

  protected skipStatement(): void {
    while (!this.ended) this.at++;
  }
}
