import type { Json } from '../util/object.ts';

/** Lexer and parser. */
export type Expr =
  | { kind: 'dot' }
  | { kind: 'nil' }
  | { kind: 'field'; path: string[]; at: Place }
  | { kind: 'variable'; name: string; path: string[]; at: Place }
  | { kind: 'literal'; value: Json; at: Place }
  | { kind: 'function'; name: string; at: Place }
  | { kind: 'chain'; base: Pipe; path: string[]; at: Place }
  | { kind: 'pipe'; pipe: Pipe; at: Place };
export interface Place {
  line: number;
  column: number;
  text: string;
}
export interface Command {
  args: Expr[];
  at: Place;
}
export interface Pipe {
  declare: string[];
  assign: boolean;
  commands: Command[];
  at: Place;
}
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe }
  | { kind: 'if' | 'with' | 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'template'; name: string; pipe: Pipe | undefined; at: Place }
  | { kind: 'break' | 'continue' };

interface Token {
  type:
    | 'text'
    | 'left'
    | 'right'
    | 'field'
    | 'variable'
    | 'identifier'
    | 'dot'
    | 'string'
    | 'number'
    | 'pipe'
    | 'declare'
    | 'assign'
    | 'comma'
    | 'open'
    | 'close'
    | 'char'
    | 'space';
  text: string;
  value?: Json;
  line: number;
  column: number;
}

const FUNCTIONS = new Set('and or not len index slice print printf println html js urlquery call eq ne lt le gt ge exists base64decode'.split(' '));

export class TemplateParser {
  readonly #source: string;
  readonly #templates: Map<string, Node[]>;
  #tokens: Token[] = [];
  #position = 0;
  #rangeDepth = 0;

  constructor(source: string, templates: Map<string, Node[]>) {
    this.#source = source;
    this.#templates = templates;
  }

  parse(): Node[] {
    this.#lex();
    const { nodes, end } = this.#list([]);
    if (end) throw this.#fail(end.token, `unexpected {{${end.word}}}`);
    return nodes;
  }

  #fail(token: { line: number } | undefined, message: string): Error {
    const line = token?.line ?? this.#source.split('\n').length;
    return new Error(`template: output:${line}: ${message}`);
  }

  #place(offset: number): { line: number; column: number } {
    const before = this.#source.slice(0, offset);
    const lastBreak = before.lastIndexOf('\n');
    return { line: before.split('\n').length, column: offset - lastBreak - 1 };
  }

  #lex(): void {
    const source = this.#source;
    let position = 0;
    let trimNext = false;
    const push = (type: Token['type'], text: string, at: number, value?: Json): void => {
      this.#tokens.push({ type, text, ...this.#place(at), ...(value === undefined ? {} : { value }) });
    };
    while (position < source.length) {
      const open = source.indexOf('{{', position);
      let text = open < 0 ? source.slice(position) : source.slice(position, open);
      if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
      const trimLeft = open >= 0 && /^\{\{-[ \t\r\n]/.test(source.slice(open, open + 4));
      if (trimLeft) text = text.replace(/[ \t\r\n]+$/, '');
      if (text !== '') push('text', text, position);
      if (open < 0) return;
      position = open + 2 + (trimLeft ? 2 : 0);
      if (source.startsWith('/*', position)) {
        const end = source.indexOf('*/', position);
        if (end < 0) throw this.#fail(this.#place(open), 'unclosed comment');
        const close = /^\s*-?\}\}/.exec(source.slice(end + 2));
        if (!close) throw this.#fail(this.#place(open), 'comment ends before closing delimiter');
        position = end + 2 + close[0].length;
        trimNext = close[0].includes('-');
        continue;
      }
      push('left', '{{', open);
      ({ position, trimNext } = this.#lexAction(position, open, push));
    }
  }

  #lexAction(
    start: number,
    open: number,
    push: (type: Token['type'], text: string, at: number, value?: Json) => void,
  ): { position: number; trimNext: boolean } {
    const source = this.#source;
    let position = start;
    for (;;) {
      const rest = source.slice(position);
      if (rest === '') throw this.#fail(this.#place(open), 'unclosed action');
      const trimmed = /^[ \t\r\n]+-\}\}/.exec(rest);
      if (trimmed) {
        push('right', '}}', position);
        return { position: position + trimmed[0].length, trimNext: true };
      }
      if (rest.startsWith('}}')) {
        push('right', '}}', position);
        return { position: position + 2, trimNext: false };
      }
      const match =
        /^(?<space>[ \t\r\n]+)|^(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|^(?<char>'(?:[^'\\\n]|\\.)+')|^(?<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+))|^(?<field>\.[\p{L}_][\p{L}\p{Nd}_]*)|^(?<dot>\.)|^(?<variable>\$[\p{L}\p{Nd}_]*)|^(?<identifier>[\p{L}_][\p{L}\p{Nd}_]*)|^(?<declare>:=)|^(?<assign>=)|^(?<pipe>\|)|^(?<comma>,)|^(?<open>\()|^(?<close>\))/u.exec(
          rest,
        );
      if (!match?.groups) {
        const char = rest[0] as string;
        if (char === '"') throw this.#fail(this.#place(position), 'unterminated quoted string');
        if (char === '`') throw this.#fail(this.#place(position), 'unterminated raw quoted string');
        throw this.#fail(
          this.#place(position),
          `unexpected ${JSON.stringify(char)} in action`.replace(
            /^unexpected "(.)" in action$/,
            (_, bad: string) => `unrecognized character in action: U+${(bad.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} '${bad}'`,
          ),
        );
      }
      const [type, text] = Object.entries(match.groups).find(([, value]) => value !== undefined) as [Token['type'], string];
      let value: Json;
      if (type === 'string') value = text.startsWith('`') ? text.slice(1, -1) : unquoteGo(text);
      if (type === 'number') value = Number(text);
      if (type === 'char') value = text.codePointAt(1);
      push(type === 'char' ? 'number' : type, text, position, value);
      position += text.length;
    }
  }

  #peek(): Token | undefined {
    while (this.#tokens[this.#position]?.type === 'space') this.#position++;
    return this.#tokens[this.#position];
  }

  #take(): Token {
    const token = this.#peek();
    if (!token) throw this.#fail(undefined, 'unexpected EOF');
    this.#position++;
    return token;
  }

  /** Nodes up to {{end}} or {{else}}. */
  #list(_within: string[]): { nodes: Node[]; end?: { word: string; token: Token } } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#tokens[this.#position];
      if (!token) return { nodes };
      if (token.type === 'text') {
        this.#position++;
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      this.#position++;
      const word = this.#peek();
      if (word?.type === 'identifier') {
        switch (word.text) {
          case 'end':
          case 'else':
            this.#position++;
            return { nodes, end: { word: word.text, token: word } };
          case 'if':
          case 'with':
          case 'range':
            this.#position++;
            nodes.push(this.#control(word.text, word));
            continue;
          case 'break':
          case 'continue':
            this.#position++;
            if (this.#rangeDepth === 0) throw this.#fail(word, `{{${word.text}}} outside {{range}}`);
            this.#right(word.text);
            nodes.push({ kind: word.text });
            continue;
          case 'define':
          case 'block': {
            this.#position++;
            const name = this.#take();
            if (name.type !== 'string') throw this.#fail(name, `unexpected ${quoteToken(name)} in ${word.text} clause`);
            const pipe = word.text === 'block' ? this.#pipeline('block clause') : undefined;
            if (!pipe) this.#right('define clause');
            const body = this.#list([word.text]);
            if (body.end?.word !== 'end') throw this.#fail(body.end?.token, 'unexpected EOF');
            this.#right('end');
            this.#templates.set(name.value, body.nodes);
            if (pipe) nodes.push({ kind: 'template', name: name.value, pipe, at: pipe.at });
            continue;
          }
          case 'template': {
            this.#position++;
            const name = this.#take();
            if (name.type !== 'string') throw this.#fail(name, `unexpected ${quoteToken(name)} in template clause`);
            const at: Place = { line: name.line, column: name.column, text: `{{template ${name.text}}}` };
            const pipe = this.#peek()?.type === 'right' ? undefined : this.#pipeline('template clause');
            if (!pipe) this.#right('template clause');
            nodes.push({ kind: 'template', name: name.value, pipe, at });
            continue;
          }
        }
      }
      nodes.push({ kind: 'action', pipe: this.#pipeline('command') });
    }
  }

  #right(context: string): void {
    const token = this.#take();
    if (token.type !== 'right') throw this.#fail(token, `unexpected ${quoteToken(token)} in ${context}`);
  }

  #control(kind: 'if' | 'with' | 'range', token: Token): Node {
    const pipe = this.#pipeline(kind);
    if (kind === 'range') this.#rangeDepth++;
    const body = this.#list([kind]);
    if (kind === 'range') this.#rangeDepth--;
    if (!body.end) throw this.#fail(undefined, 'unexpected EOF');
    let otherwise: Node[] = [];
    if (body.end.word === 'else') {
      const next = this.#peek();
      if (next?.type === 'identifier' && (next.text === 'if' || next.text === 'with') && kind === next.text) {
        this.#position++;
        otherwise = [this.#control(next.text, token)];
        return { kind, pipe, body: body.nodes, otherwise };
      }
      this.#right('else');
      const rest = this.#list(['else']);
      if (rest.end?.word !== 'end') throw this.#fail(rest.end?.token, rest.end ? `expected end; found {{else}}` : 'unexpected EOF');
      otherwise = rest.nodes;
    }
    this.#right('end');
    return { kind, pipe, body: body.nodes, otherwise };
  }

  #pipeline(context: string): Pipe {
    const pipe = this.#pipe(context);
    this.#right(context);
    return pipe;
  }

  #pipe(context: string): Pipe {
    const first = this.#peek();
    const at: Place = { line: first?.line ?? 1, column: first?.column ?? 0, text: '' };
    const declare: string[] = [];
    let assign = false;
    const mark = this.#position;
    if (first?.type === 'variable') {
      const names = [this.#take().text];
      let next = this.#peek();
      if (next?.type === 'comma' && context === 'range') {
        this.#position++;
        names.push(this.#take().text);
        next = this.#peek();
      }
      if (next?.type === 'declare' || next?.type === 'assign') {
        this.#position++;
        assign = next.type === 'assign';
        declare.push(...names);
      } else this.#position = mark;
    }
    const commands: Command[] = [];
    for (;;) {
      const token = this.#peek();
      if (!token || token.type === 'right' || token.type === 'close') {
        if (commands.length === 0) throw this.#fail(token, `missing value for ${context}`);
        at.text = commands.map((command) => command.at.text).join(' | ');
        return { declare, assign, commands, at };
      }
      commands.push(this.#command(context));
      if (this.#peek()?.type === 'pipe') {
        this.#position++;
        const next = this.#peek();
        if (next?.type === 'right' || next?.type === 'close') throw this.#fail(next, `missing value for ${context}`);
      }
    }
  }

  #command(context: string): Command {
    const args: Expr[] = [];
    const start = this.#peek() as Token;
    for (;;) {
      const token = this.#peek();
      if (!token || token.type === 'right' || token.type === 'close' || token.type === 'pipe') break;
      args.push(this.#operand(context));
    }
    if (args.length === 0) throw this.#fail(start, 'empty command');
    const texts = args.map((arg) => ('at' in arg ? arg.at.text : arg.kind === 'dot' ? '.' : 'nil'));
    return { args, at: { line: start.line, column: start.column, text: texts.join(' ') } };
  }

  #operand(context: string): Expr {
    const token = this.#take();
    const at: Place = { line: token.line, column: token.column, text: token.text };
    const path = (): string[] => {
      const names: string[] = [];
      while (this.#tokens[this.#position]?.type === 'field') {
        const field = this.#tokens[this.#position++] as Token;
        names.push(field.text.slice(1));
        at.text += field.text;
        if (names.length === 1) at.column = field.column;
      }
      return names;
    };
    switch (token.type) {
      case 'field':
        return { kind: 'field', path: [token.text.slice(1), ...path()], at };
      case 'dot':
        return { kind: 'dot' };
      case 'variable':
        return { kind: 'variable', name: token.text, path: path(), at };
      case 'string':
      case 'number':
        return { kind: 'literal', value: token.value, at };
      case 'identifier':
        if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true', at };
        if (token.text === 'nil') return { kind: 'nil' };
        if (!FUNCTIONS.has(token.text)) throw this.#fail(token, `function ${JSON.stringify(token.text)} not defined`);
        return { kind: 'function', name: token.text, at };
      case 'open': {
        const pipe = this.#pipe('parenthesized pipeline');
        const close = this.#take();
        if (close.type !== 'close') throw this.#fail(close, `unclosed left paren`);
        at.text = `(${pipe.at.text})`;
        const names = path();
        return names.length > 0 ? { kind: 'chain', base: pipe, path: names, at } : { kind: 'pipe', pipe, at };
      }
      default:
        throw this.#fail(
          token,
          `unexpected ${quoteToken(token)} in ${context === 'command' ? 'command' : context === 'if' || context === 'range' || context === 'with' ? context : 'operand'}`,
        );
    }
  }
}

function quoteToken(token: Token): string {
  return token.type === 'right' ? '"}}"' : `<${token.text}>`.startsWith('<') ? JSON.stringify(token.text) : token.text;
}

function unquoteGo(text: string): string {
  return text.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3}|[\s\S])/g, (_, escaped: string) => {
    const simple: Record<string, string> = { n: '\n', t: '\t', r: '\r', '"': '"', "'": "'", '\\': '\\', a: '\x07', b: '\b', f: '\f', v: '\v' };
    if (simple[escaped] !== undefined) return simple[escaped] as string;
    if (/^[xu]/.test(escaped)) return String.fromCodePoint(Number.parseInt(escaped.slice(1), 16));
    return String.fromCharCode(Number.parseInt(escaped, 8));
  });
}
