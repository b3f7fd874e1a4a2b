import { compileRegex } from '../unix/regex.ts';
import { Failure, readEscape } from './applet.ts';

/** awk's syntax tree. */
export type Expression =
  | { kind: 'number'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'regex'; source: string }
  | { kind: 'variable'; name: string }
  | { kind: 'index'; name: string; keys: Expression[] }
  | { kind: 'field'; index: Expression }
  | { kind: 'assign'; target: Expression; operator: string; value: Expression }
  | { kind: 'step'; target: Expression; by: 1 | -1; prefix: boolean }
  | { kind: 'unary'; operator: '!' | '-' | '+'; operand: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'match'; negated: boolean; text: Expression; pattern: Expression }
  | { kind: 'in'; keys: Expression[]; name: string }
  | { kind: 'condition'; test: Expression; yes: Expression; no: Expression }
  | { kind: 'group'; items: Expression[] }
  | { kind: 'call'; name: string; args: Expression[]; builtin: boolean }
  | { kind: 'getline'; target?: Expression; file?: Expression; command?: Expression };

export type Statement =
  | { kind: 'expression'; value: Expression }
  | { kind: 'print'; formatted: boolean; args: Expression[]; redirect?: '>' | '>>' | '|'; target?: Expression }
  | { kind: 'if'; test: Expression; yes: Statement; no?: Statement }
  | { kind: 'while'; test: Expression; body: Statement }
  | { kind: 'do'; test: Expression; body: Statement }
  | { kind: 'for'; start?: Statement; test?: Expression; step?: Statement; body: Statement }
  | { kind: 'for-in'; variable: string; name: string; body: Statement }
  | { kind: 'block'; body: Statement[] }
  | { kind: 'delete'; name: string; keys?: Expression[] }
  | { kind: 'next' | 'nextfile' | 'break' | 'continue' }
  | { kind: 'exit' | 'return'; value?: Expression };

export interface Rule {
  pattern?: Expression;
  /** End of a range pattern. */
  until?: Expression;
  /** Absent: print the record. */
  body?: Statement;
  inRange: boolean;
}

export interface AwkFunction {
  parameters: string[];
  body: Statement;
}

export interface AwkProgram {
  begin: Statement[];
  end: Statement[];
  rules: Rule[];
  functions: Map<string, AwkFunction>;
}

type Token = {
  type: 'number' | 'string' | 'regex' | 'name' | 'function-name' | 'builtin' | 'keyword' | 'symbol' | 'newline' | 'end';
  text: string;
};

const KEYWORDS = [
  'BEGIN',
  'END',
  'function',
  'func',
  'if',
  'else',
  'while',
  'for',
  'do',
  'break',
  'continue',
  'next',
  'nextfile',
  'exit',
  'return',
  'delete',
  'in',
  'getline',
  'print',
  'printf',
];
export const BUILTINS = [
  'length',
  'substr',
  'index',
  'split',
  'sub',
  'gsub',
  'match',
  'sprintf',
  'sin',
  'cos',
  'atan2',
  'exp',
  'log',
  'sqrt',
  'int',
  'rand',
  'srand',
  'tolower',
  'toupper',
  'system',
  'close',
  'fflush',
  'systime',
  'strftime',
  'mktime',
  'and',
  'or',
  'xor',
  'compl',
  'lshift',
  'rshift',
];
const SYMBOLS = [
  '**=',
  '&&',
  '||',
  '++',
  '--',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '^=',
  '==',
  '!=',
  '<=',
  '>=',
  '!~',
  '>>',
  '**',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ';',
  ',',
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '!',
  '>',
  '<',
  '|',
  '?',
  ':',
  '~',
  '$',
  '=',
];

/** A string literal's or -v value's escapes. */
export function unescapeAwk(text: string): string {
  return text.replace(/\\(\n|[0-7]{1,3}|.)/gs, (whole, code: string) => {
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 255);
    return (
      ({ n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', '/': '/', a: '\x07', b: '\b', f: '\f', v: '\v', '\n': '' } as Record<string, string>)[code] ?? whole
    );
  });
}

export class AwkParser {
  #text: string;
  #at = 0;
  #token!: Token;
  /** Inside print's list, where > is a redirection. */
  #noGreater = 0;
  #noIn = 0;
  #functions = new Map<string, AwkFunction>();

  constructor(text: string) {
    this.#text = text;
    this.#advance();
  }

  parse(): AwkProgram {
    const program: AwkProgram = { begin: [], end: [], rules: [], functions: this.#functions };
    for (this.#newlines(); this.#token.type !== 'end'; this.#terminators()) {
      if (this.#takeKeyword('BEGIN')) program.begin.push(this.#block());
      else if (this.#takeKeyword('END')) program.end.push(this.#block());
      else if (this.#takeKeyword('function') || this.#takeKeyword('func')) this.#function();
      else {
        const rule: Rule = { inRange: false };
        if (!this.#is('{')) {
          rule.pattern = this.#expression();
          if (this.#take(',')) {
            this.#newlines();
            rule.until = this.#expression();
          }
        }
        if (this.#is('{')) rule.body = this.#block();
        program.rules.push(rule);
      }
    }
    return program;
  }

  // ---- tokens ----

  #fail(message: string): never {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    throw new Failure(`cmd. line:${line}: ${message}`);
  }

  #advance(): void {
    this.#token = this.#scan();
  }

  #scan(): Token {
    const text = this.#text;
    for (;;) {
      const skipped = /^(?:[ \t\r]+|\\\r?\n|#[^\n]*)/.exec(text.slice(this.#at, this.#at + 4096));
      if (!skipped) break;
      this.#at += skipped[0].length;
    }
    const rest = text.slice(this.#at);
    const make = (type: Token['type'], value: string, length: number): Token => {
      this.#at += length;
      return { type, text: value };
    };
    if (rest === '') return make('end', '', 0);
    if (rest[0] === '\n') return make('newline', '\n', 1);
    const number = /^(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/.exec(rest);
    if (number) return make('number', number[0], number[0].length);
    const name = /^[A-Za-z_]\w*/.exec(rest)?.[0];
    if (name) {
      const type = KEYWORDS.includes(name) ? 'keyword' : BUILTINS.includes(name) ? 'builtin' : rest[name.length] === '(' ? 'function-name' : 'name';
      return make(type, name, name.length);
    }
    if (rest[0] === '"') {
      const literal = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(rest);
      if (!literal) this.#fail('Unexpected end of string');
      return make('string', unescapeAwk(literal[1] as string), literal[0].length);
    }
    if (rest[0] === '/' && this.#regexMayFollow()) {
      const literal = /^\/((?:[^/\\[\n]|\\.|\[\^?\]?(?:[^\]\n\\]|\\.)*\])*)\//.exec(rest);
      if (!literal) this.#fail('Unexpected end of regex');
      return make('regex', (literal[1] as string).replace(/\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)/gs, regexEscape), literal[0].length);
    }
    const symbol = SYMBOLS.find((one) => rest.startsWith(one));
    if (!symbol) this.#fail('Unexpected token');
    return make('symbol', symbol === '**' ? '^' : symbol === '**=' ? '^=' : symbol, symbol.length);
  }

  #regexMayFollow(): boolean {
    const before = this.#token;
    if (!before) return true;
    if (['number', 'string', 'regex', 'name', 'function-name', 'builtin'].includes(before.type)) return false;
    return !(before.type === 'symbol' && [')', ']', '$', '++', '--'].includes(before.text));
  }

  #is(symbol: string): boolean {
    return this.#token.type === 'symbol' && this.#token.text === symbol;
  }

  #take(symbol: string): boolean {
    if (!this.#is(symbol)) return false;
    this.#advance();
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) this.#fail('Unexpected token');
  }

  #isKeyword(word: string): boolean {
    return this.#token.type === 'keyword' && this.#token.text === word;
  }

  #takeKeyword(word: string): boolean {
    if (!this.#isKeyword(word)) return false;
    this.#advance();
    return true;
  }

  #newlines(): void {
    while (this.#token.type === 'newline') this.#advance();
  }

  #terminators(): void {
    while (this.#token.type === 'newline' || this.#is(';')) this.#advance();
  }

  // ---- statements ----

  #function(): void {
    const name = this.#token.text;
    this.#advance();
    this.#expect('(');
    const parameters: string[] = [];
    while (!this.#is(')')) {
      parameters.push(this.#token.text);
      this.#advance();
      this.#take(',');
      this.#newlines();
    }
    this.#expect(')');
    this.#newlines();
    this.#functions.set(name, { parameters, body: this.#block() });
  }

  #block(): Statement {
    this.#newlines();
    this.#expect('{');
    const body: Statement[] = [];
    for (this.#terminators(); !this.#is('}'); this.#terminators()) {
      if (this.#token.type === 'end') this.#fail('Unexpected token');
      body.push(this.#statement());
    }
    this.#expect('}');
    return { kind: 'block', body };
  }

  /** A simple statement ends at ; newline } or the end. */
  #endOfSimple(): void {
    if (this.#take(';')) return;
    if (this.#token.type === 'newline') {
      this.#advance();
      return;
    }
    if (!this.#is('}') && this.#token.type !== 'end') this.#fail('Unexpected token');
  }

  #body(): Statement {
    this.#newlines();
    if (this.#take(';')) return { kind: 'block', body: [] };
    return this.#statement();
  }

  #statement(): Statement {
    if (this.#is('{')) return this.#block();
    if (this.#takeKeyword('if')) {
      this.#expect('(');
      const test = this.#expression();
      this.#expect(')');
      const yes = this.#body();
      const save = [this.#at, this.#token] as const;
      this.#terminators();
      if (this.#takeKeyword('else')) return { kind: 'if', test, yes, no: this.#body() };
      [this.#at, this.#token] = save;
      return { kind: 'if', test, yes };
    }
    if (this.#takeKeyword('while')) {
      this.#expect('(');
      const test = this.#expression();
      this.#expect(')');
      return { kind: 'while', test, body: this.#body() };
    }
    if (this.#takeKeyword('do')) {
      const body = this.#body();
      this.#terminators();
      if (!this.#takeKeyword('while')) this.#fail('Unexpected token');
      this.#expect('(');
      const test = this.#expression();
      this.#expect(')');
      this.#endOfSimple();
      return { kind: 'do', test, body };
    }
    if (this.#takeKeyword('for')) return this.#for();
    const simple = this.#simple();
    this.#endOfSimple();
    return simple;
  }

  #for(): Statement {
    this.#expect('(');
    const save = [this.#at, this.#token] as const;
    if (this.#token.type === 'name') {
      const variable = this.#token.text;
      this.#advance();
      if (this.#takeKeyword('in') && this.#token.type === 'name') {
        const name = this.#token.text;
        this.#advance();
        if (this.#take(')')) return { kind: 'for-in', variable, name, body: this.#body() };
      }
      [this.#at, this.#token] = save;
    }
    const start = this.#is(';') ? undefined : this.#simple();
    this.#expect(';');
    this.#newlines();
    const test = this.#is(';') ? undefined : this.#expression();
    this.#expect(';');
    this.#newlines();
    const step = this.#is(')') ? undefined : this.#simple();
    this.#expect(')');
    const body = this.#body();
    return { kind: 'for', body, ...(start ? { start } : {}), ...(test ? { test } : {}), ...(step ? { step } : {}) };
  }

  #simple(): Statement {
    if (this.#isKeyword('print') || this.#isKeyword('printf')) return this.#print();
    for (const kind of ['next', 'nextfile', 'break', 'continue'] as const) if (this.#takeKeyword(kind)) return { kind };
    for (const kind of ['exit', 'return'] as const) {
      if (!this.#takeKeyword(kind)) continue;
      const ended = this.#is(';') || this.#is('}') || this.#token.type === 'newline' || this.#token.type === 'end';
      return ended ? { kind } : { kind, value: this.#expression() };
    }
    if (this.#takeKeyword('delete')) {
      const name = this.#token.text;
      this.#advance();
      if (!this.#take('[')) return { kind: 'delete', name };
      const keys = this.#list(']');
      return { kind: 'delete', name, keys };
    }
    return { kind: 'expression', value: this.#expression() };
  }

  #print(): Statement {
    const formatted = this.#token.text === 'printf';
    this.#advance();
    let args: Expression[] = [];
    this.#noGreater++;
    const ended = (): boolean =>
      this.#is(';') || this.#is('}') || this.#is('>') || this.#is('>>') || this.#is('|') || this.#token.type === 'newline' || this.#token.type === 'end';
    if (!ended()) {
      args.push(this.#expression());
      while (this.#take(',')) {
        this.#newlines();
        args.push(this.#expression());
      }
    }
    this.#noGreater--;
    if (args.length === 1 && args[0]?.kind === 'group') args = args[0].items;
    for (const redirect of ['>>', '>', '|'] as const) {
      if (this.#take(redirect)) return { kind: 'print', formatted, args, redirect, target: this.#concatenation(false) };
    }
    return { kind: 'print', formatted, args };
  }

  // ---- expressions ----

  #list(closing: string): Expression[] {
    const items: Expression[] = [];
    const [greater, within] = [this.#noGreater, this.#noIn];
    this.#noGreater = 0;
    this.#noIn = 0;
    this.#newlines();
    while (!this.#is(closing)) {
      items.push(this.#expression());
      this.#newlines();
      if (!this.#take(',')) break;
      this.#newlines();
    }
    this.#expect(closing);
    this.#noGreater = greater;
    this.#noIn = within;
    return items;
  }

  #expression(): Expression {
    const left = this.#ternary();
    const operator = this.#token.text;
    if (this.#token.type === 'symbol' && ['=', '+=', '-=', '*=', '/=', '%=', '^='].includes(operator)) {
      if (!['variable', 'index', 'field'].includes(left.kind)) this.#fail('Unexpected token');
      this.#advance();
      this.#newlines();
      return { kind: 'assign', target: left, operator: operator.slice(0, -1), value: this.#expression() };
    }
    return left;
  }

  #ternary(): Expression {
    const test = this.#or();
    if (!this.#take('?')) return test;
    this.#newlines();
    const yes = this.#expression();
    this.#newlines();
    this.#expect(':');
    this.#newlines();
    return { kind: 'condition', test, yes, no: this.#expression() };
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#take('||')) {
      this.#newlines();
      left = { kind: 'or', left, right: this.#and() };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#in();
    while (this.#take('&&')) {
      this.#newlines();
      left = { kind: 'and', left, right: this.#in() };
    }
    return left;
  }

  #in(): Expression {
    let left = this.#match();
    while (this.#noIn === 0 && this.#takeKeyword('in')) {
      const name = this.#token.text;
      this.#advance();
      left = { kind: 'in', keys: left.kind === 'group' ? left.items : [left], name };
    }
    return left;
  }

  #match(): Expression {
    let left = this.#comparison();
    while (this.#is('~') || this.#is('!~')) {
      const negated = this.#token.text === '!~';
      this.#advance();
      left = { kind: 'match', negated, text: left, pattern: this.#comparison() };
    }
    return left;
  }

  #comparison(): Expression {
    let left = this.#concatenation(true);
    while (this.#token.type === 'symbol' && ['<', '<=', '==', '!=', '>=', '>'].includes(this.#token.text)) {
      const operator = this.#token.text;
      if (operator === '>' && this.#noGreater > 0) break;
      this.#advance();
      left = { kind: 'binary', operator, left, right: this.#concatenation(true) };
    }
    // "cmd" | getline binds here.
    while (this.#is('|')) {
      const save = [this.#at, this.#token] as const;
      this.#advance();
      if (!this.#takeKeyword('getline')) {
        [this.#at, this.#token] = save;
        break;
      }
      const target = this.#optionalTarget();
      left = { kind: 'getline', command: left, ...(target ? { target } : {}) };
    }
    return left;
  }

  #concatenation(withGetline: boolean): Expression {
    let left = this.#sum();
    for (;;) {
      const { type, text } = this.#token;
      const starts =
        ['number', 'string', 'regex', 'name', 'function-name', 'builtin'].includes(type) ||
        (type === 'symbol' && ['$', '!', '(', '-', '+', '++', '--'].includes(text)) ||
        (withGetline && type === 'keyword' && text === 'getline');
      if (!starts || (type === 'keyword' && text === 'in')) return left;
      left = { kind: 'binary', operator: ' ', left, right: this.#sum() };
    }
  }

  #sum(): Expression {
    let left = this.#product();
    while (this.#is('+') || this.#is('-')) {
      const operator = this.#token.text;
      this.#advance();
      left = { kind: 'binary', operator, left, right: this.#product() };
    }
    return left;
  }

  #product(): Expression {
    let left = this.#unary();
    while (this.#is('*') || this.#is('/') || this.#is('%')) {
      const operator = this.#token.text;
      this.#advance();
      left = { kind: 'binary', operator, left, right: this.#unary() };
    }
    return left;
  }

  #unary(): Expression {
    for (const operator of ['!', '-', '+'] as const) {
      if (this.#take(operator)) return { kind: 'unary', operator, operand: this.#unary() };
    }
    return this.#power();
  }

  #power(): Expression {
    const base = this.#postfix();
    if (!this.#take('^')) return base;
    // -2^2 is -(2^2), 2^-1 works, and it groups to the right.
    const exponent = this.#is('-') || this.#is('+') || this.#is('!') ? this.#unary() : this.#power();
    return { kind: 'binary', operator: '^', left: base, right: exponent };
  }

  #postfix(): Expression {
    const value = this.#primary();
    const assignable = ['variable', 'index', 'field'].includes(value.kind);
    if (assignable && this.#take('++')) return { kind: 'step', target: value, by: 1, prefix: false };
    if (assignable && this.#take('--')) return { kind: 'step', target: value, by: -1, prefix: false };
    return value;
  }

  #optionalTarget(): Expression | undefined {
    if (this.#is('$') || this.#token.type === 'name') return this.#primary();
    return undefined;
  }

  #primary(): Expression {
    const { type, text } = this.#token;
    switch (type) {
      case 'number':
        this.#advance();
        return { kind: 'number', value: /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text) };
      case 'string':
        this.#advance();
        return { kind: 'string', value: text };
      case 'regex':
        this.#advance();
        // Refused before anything runs.
        compileRegex(text, { extended: true });
        return { kind: 'regex', source: text };
      case 'name':
        this.#advance();
        if (this.#take('[')) return { kind: 'index', name: text, keys: this.#list(']') };
        return { kind: 'variable', name: text };
      case 'function-name':
        this.#advance();
        this.#expect('(');
        return { kind: 'call', name: text, args: this.#list(')'), builtin: false };
      case 'builtin': {
        this.#advance();
        if (this.#take('(')) return { kind: 'call', name: text, args: this.#list(')'), builtin: true };
        if (text !== 'length') this.#fail('Unexpected token');
        return { kind: 'call', name: text, args: [], builtin: true };
      }
      case 'keyword':
        if (text === 'getline') {
          this.#advance();
          const target = this.#optionalTarget();
          if (this.#take('<')) return { kind: 'getline', file: this.#postfix(), ...(target ? { target } : {}) };
          return { kind: 'getline', ...(target ? { target } : {}) };
        }
        break;
      case 'symbol':
        if (this.#take('$')) {
          const index: Expression = this.#is('++') || this.#is('--') ? this.#primary() : this.#is('-') ? this.#unary() : this.#primary();
          return { kind: 'field', index };
        }
        if (this.#take('++')) return { kind: 'step', target: this.#primary(), by: 1, prefix: true };
        if (this.#take('--')) return { kind: 'step', target: this.#primary(), by: -1, prefix: true };
        if (this.#take('(')) {
          const items = this.#list(')');
          if (items.length === 0) this.#fail('Empty sequence');
          return { kind: 'group', items };
        }
        break;
      default:
    }
    return this.#fail('Unexpected token');
  }
}

/** An escape within slashes: a character where C knows one, otherwise left to the expression. */
function regexEscape(sequence: string): string {
  if (sequence === '\\/') return '/';
  if (sequence === '\\\\' || sequence === '\\c' || sequence === '\\e') return sequence;
  const read = readEscape(sequence, 1, false);
  return read ? read.char : sequence;
}
