import { compareStrings, type Json } from '../util/object.ts';
import { goFloat } from './go-json.ts';

/**
 * text/template, as far as kubectl's go-template output uses it: fields, pipelines, variables, if, range, with, define
 * and template, the built-in functions, and kubectl's own `exists` and `base64decode`. Numbers are float64, as
 * encoding/json makes them. Not modelled: methods, complex numbers, js and urlquery in full.
 */
type Expr =
  | { kind: 'dot' }
  | { kind: 'nil' }
  | { kind: 'field'; path: string[]; at: Place }
  | { kind: 'variable'; name: string; path: string[]; at: Place }
  | { kind: 'literal'; value: Json; at: Place }
  | { kind: 'function'; name: string; at: Place }
  | { kind: 'chain'; base: Pipe; path: string[]; at: Place }
  | { kind: 'pipe'; pipe: Pipe; at: Place };
interface Place {
  line: number;
  column: number;
  text: string;
}
interface Command {
  args: Expr[];
  at: Place;
}
interface Pipe {
  declare: string[];
  assign: boolean;
  commands: Command[];
  at: Place;
}
type Node =
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

class BreakSignal extends Error {}
class ContinueSignal extends Error {}

/** No such key: printed as `<no value>`. */
const MISSING = Symbol('missing');
type Value = Json | typeof MISSING;

export class GoTemplate {
  readonly #root: Node[];
  readonly #templates = new Map<string, Node[]>();
  readonly #missingKeyIsError: boolean;
  #output = '';

  constructor(text: string, options: { missingKeyIsError: boolean }) {
    this.#missingKeyIsError = options.missingKeyIsError;
    this.#root = new TemplateParser(text, this.#templates).parse();
  }

  /** Runs the template; what was printed before an error is kept. */
  execute(data: Json): { output: string; error?: string } {
    this.#output = '';
    try {
      this.#nodes(this.#root, data, [{ $: data }]);
      return { output: this.#output };
    } catch (error) {
      return { output: this.#output, error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** fmt's %+v of the decoded object. */
  goPlusV(value: Json): string {
    return show(value);
  }

  #nodes(nodes: readonly Node[], dot: Value, scopes: Record<string, Value>[]): void {
    const inner = [...scopes, {}];
    for (const node of nodes) this.#node(node, dot, inner);
  }

  #node(node: Node, dot: Value, scopes: Record<string, Value>[]): void {
    switch (node.kind) {
      case 'text':
        this.#output += node.text;
        return;
      case 'action': {
        const value = this.#pipe(node.pipe, dot, scopes);
        if (node.pipe.declare.length === 0) this.#output += printValue(value);
        return;
      }
      case 'break':
        throw new BreakSignal();
      case 'continue':
        throw new ContinueSignal();
      case 'template': {
        const body = this.#templates.get(node.name);
        if (!body) throw this.#error(node.at, `template ${JSON.stringify(node.name)} not defined`);
        const data = node.pipe ? this.#pipe(node.pipe, dot, scopes) : null;
        this.#nodes(body, data, [{ $: data }]);
        return;
      }
      case 'range':
        return this.#range(node, dot, scopes);
      default: {
        const scope = [...scopes, {}];
        const value = this.#pipe(node.pipe, dot, scope);
        if (truth(value)) this.#nodes(node.body, node.kind === 'with' ? value : dot, scope);
        else this.#nodes(node.otherwise, dot, scope);
      }
    }
  }

  #range(node: Extract<Node, { kind: 'range' | 'if' | 'with' }>, dot: Value, scopes: Record<string, Value>[]): void {
    const outer = [...scopes, {}];
    const { declare } = node.pipe;
    const value = this.#pipe({ ...node.pipe, declare: [] }, dot, outer);
    let entries: [Value, Value][] = [];
    if (Array.isArray(value)) entries = value.map((item, index) => [index, item]);
    else if (value !== null && typeof value === 'object')
      entries = Object.keys(value)
        .sort(compareStrings)
        .map((key) => [key, value[key]]);
    else if (typeof value === 'number') entries = Array.from({ length: Math.max(0, Math.trunc(value)) }, (_, index) => [index, index]);
    else if (value !== null && value !== MISSING && value !== undefined) throw this.#error(node.pipe.at, `range can't iterate over ${show(value)}`);
    if (entries.length === 0) {
      this.#nodes(node.otherwise, dot, outer);
      return;
    }
    for (const [key, item] of entries) {
      const scope: Record<string, Value> = {};
      if (declare.length === 1) scope[declare[0] as string] = item;
      if (declare.length === 2) {
        scope[declare[0] as string] = key;
        scope[declare[1] as string] = item;
      }
      try {
        this.#nodes(node.body, item, [...outer, scope]);
      } catch (error) {
        if (error instanceof BreakSignal) return;
        if (!(error instanceof ContinueSignal)) throw error;
      }
    }
  }

  #pipe(pipe: Pipe, dot: Value, scopes: Record<string, Value>[]): Value {
    let value: Value = MISSING;
    let piped = false;
    for (const command of pipe.commands) {
      value = this.#command(command, dot, scopes, piped ? [value] : []);
      piped = true;
    }
    for (const name of pipe.declare) {
      const holder = pipe.assign ? scopes.findLast((scope) => name in scope) : scopes.at(-1);
      if (holder) holder[name] = value;
    }
    return value;
  }

  #command(command: Command, dot: Value, scopes: Record<string, Value>[], final: Value[]): Value {
    const [first, ...rest] = command.args as [Expr, ...Expr[]];
    if (first.kind === 'function') return this.#call({ ...first, at: { ...first.at, text: command.at.text } }, rest, dot, scopes, final);
    if (rest.length > 0 || final.length > 0) {
      const what =
        first.kind === 'field'
          ? `${first.path.at(-1)} has arguments but cannot be invoked as function`
          : `can't give argument to non-function ${first.kind === 'literal' ? first.at.text : 'at' in first ? first.at.text : '.'}`;
      throw this.#error(command.at, what);
    }
    return this.#expr(first, dot, scopes);
  }

  #expr(expr: Expr, dot: Value, scopes: Record<string, Value>[]): Value {
    switch (expr.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
        return expr.value;
      case 'field':
        return this.#fields(dot, expr.path, expr.at);
      case 'variable': {
        const holder = scopes.findLast((scope) => expr.name in scope);
        if (!holder) throw this.#error(expr.at, `undefined variable: ${expr.name}`);
        return this.#fields(holder[expr.name], expr.path, expr.at);
      }
      case 'function':
        return this.#call(expr, [], dot, scopes, []);
      case 'pipe':
        return this.#pipe(expr.pipe, dot, scopes);
      case 'chain':
        return this.#fields(this.#pipe(expr.base, dot, scopes), expr.path, expr.at);
    }
  }

  #fields(start: Value, path: readonly string[], at: Place): Value {
    let value = start;
    for (const name of path) {
      if (value === MISSING) {
        if (this.#missingKeyIsError) throw this.#error(at, `nil data; no entry for key ${JSON.stringify(name)}`);
        return MISSING;
      }
      if (value === null || value === undefined) throw this.#error(at, `nil pointer evaluating interface {}.${name}`);
      if (typeof value !== 'object' || Array.isArray(value)) throw this.#error(at, `can't evaluate field ${name} in type interface {}`);
      if (Object.hasOwn(value, name)) value = value[name];
      else if (this.#missingKeyIsError) throw this.#error(at, `map has no entry for key ${JSON.stringify(name)}`);
      else value = MISSING;
    }
    return value;
  }

  #error(at: Place, message: string): Error {
    const context = at.text.length > 20 ? `${at.text.slice(0, 20)}...` : at.text;
    return new Error(`template: output:${at.line}:${at.column}: executing "output" at <${context}>: ${message}`);
  }

  #call(fn: Extract<Expr, { kind: 'function' }>, args: Expr[], dot: Value, scopes: Record<string, Value>[], final: Value[]): Value {
    const lazy = [...args.map((arg) => () => this.#argument(arg, dot, scopes)), ...final.map((value) => () => value)];
    if (fn.name === 'and' || fn.name === 'or') {
      if (lazy.length === 0) throw this.#error(fn.at, `wrong number of args for ${fn.name}: want at least 1 got 0`);
      let value: Value = null;
      for (const each of lazy) {
        value = each();
        if (truth(value) === (fn.name === 'or')) return value;
      }
      return value;
    }
    const values = lazy.map((each) => each());
    try {
      return callFunction(fn.name, values);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw this.#error(fn.at, text.startsWith('wrong number') ? text : `error calling ${fn.name}: ${text}`);
    }
  }

  #argument(arg: Expr, dot: Value, scopes: Record<string, Value>[]): Value {
    return this.#expr(arg, dot, scopes);
  }
}

function typeName(value: Value): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? '[]interface {}' : 'interface {}';
}

function truth(value: Value): boolean {
  if (value === MISSING || value === null || value === undefined || value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function show(value: Value): string {
  if (value === MISSING) return '<no value>';
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'number') return goFloat(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  return `map[${Object.keys(value)
    .sort(compareStrings)
    .map((key) => `${key}:${show(value[key])}`)
    .join(' ')}]`;
}

const printValue = (value: Value): string => (value === null || value === undefined ? '<no value>' : show(value));

/** fmt.Sprint: spaces between operands when neither is a string. */
function sprint(values: Value[]): string {
  return values
    .map((value, index) => (index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string' ? ` ${show(value)}` : show(value)))
    .join('');
}

function sprintf(format: string, values: Value[]): string {
  let next = 0;
  const out = format.replace(
    /%([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const value = values[next++];
      let text: string;
      if (verb === 'v') text = show(value);
      else if (verb === 's')
        text = typeof value === 'string' ? value : typeof value === 'object' && value !== null ? show(value) : `%!s(${typeName(value)}=${show(value)})`;
      else if (verb === 'q') text = typeof value === 'string' ? JSON.stringify(value) : show(value);
      else if (verb === 'd') text = typeof value === 'number' ? `%!d(float64=${goFloat(value)})` : `%!d(${typeName(value)}=${show(value)})`;
      else if (verb === 'f')
        text = typeof value === 'number' ? value.toFixed(precision === undefined ? 6 : Number(precision)) : `%!f(${typeName(value)}=${show(value)})`;
      else if (verb === 'g') text = typeof value === 'number' ? goFloat(value) : show(value);
      else if (verb === 't') text = typeof value === 'boolean' ? String(value) : `%!t(${typeName(value)}=${show(value)})`;
      else if (verb === 'T') text = typeName(value);
      else text = `%!${verb}(${typeName(value)}=${show(value)})`;
      if (verb === 's' && precision !== undefined) text = text.slice(0, Number(precision));
      if (width !== undefined)
        text = flags.includes('-') ? text.padEnd(Number(width)) : text.padStart(Number(width), flags.includes('0') && verb !== 's' ? '0' : ' ');
      return text;
    },
  );
  const extra = values.slice(next);
  return extra.length === 0 ? out : `${out}%!(EXTRA ${extra.map((value) => `${typeName(value)}=${show(value)}`).join(', ')})`;
}

function basic(value: Value): string {
  if (value === null || value === MISSING || value === undefined) return 'nil';
  const type = typeof value;
  if (type === 'object') throw new Error('non-comparable type in comparison');
  return type;
}

function compareValues(a: Value, b: Value): number {
  if (basic(a) !== basic(b)) throw new Error('incompatible types for comparison');
  if (a === b) return 0;
  return (a as string) < (b as string) ? -1 : 1;
}

function indexValue(item: Value, key: Value): Value {
  if (item === null || item === MISSING || item === undefined) throw new Error('index of untyped nil');
  if (Array.isArray(item)) {
    if (typeof key !== 'number') throw new Error(`cannot index slice/array with type ${typeName(key)}`);
    if (key < 0 || key >= item.length) throw new Error(`index out of range: ${key}`);
    return item[key];
  }
  if (typeof item === 'string') {
    if (typeof key !== 'number') throw new Error(`cannot index slice/array with type ${typeName(key)}`);
    if (key < 0 || key >= item.length) throw new Error(`index out of range: ${key}`);
    return item.charCodeAt(key);
  }
  if (typeof item === 'object') {
    if (typeof key !== 'string') throw new Error(`value has type ${typeName(key)}; should be string`);
    return Object.hasOwn(item, key) ? item[key] : MISSING;
  }
  throw new Error(`can't index item of type ${typeName(item)}`);
}

function callFunction(name: string, values: Value[]): Value {
  const need = (count: number): void => {
    if (values.length !== count) throw new Error(`wrong number of args for ${name}: want ${count} got ${values.length}`);
  };
  const [first, second] = values;
  switch (name) {
    case 'not':
      need(1);
      return !truth(first);
    case 'len':
      need(1);
      if (typeof first === 'string') return new TextEncoder().encode(first).length;
      if (Array.isArray(first)) return first.length;
      if (first !== null && typeof first === 'object') return Object.keys(first).length;
      throw new Error(first === null || first === MISSING ? 'reflect: call of reflect.Value.Type on zero Value' : `len of type ${typeName(first)}`);
    case 'index':
      if (values.length === 0) throw new Error('wrong number of args for index: want at least 1 got 0');
      return values.slice(1).reduce((item: Value, key) => indexValue(item, key), first);
    case 'slice': {
      if (typeof first !== 'string' && !Array.isArray(first)) throw new Error(`can't slice item of type ${typeName(first)}`);
      return first.slice(Number(second ?? 0), values[2] === undefined ? undefined : Number(values[2]));
    }
    case 'print':
      return sprint(values);
    case 'println':
      return `${values.map(show).join(' ')}\n`;
    case 'printf':
      return sprintf(String(first), values.slice(1));
    case 'html':
      return sprint(values).replace(/[&<>"']/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' })[char] as string);
    case 'js':
      return sprint(values).replace(/['"\\<>&=]/g, (char) =>
        char === "'" || char === '"' || char === '\\' ? `\\${char}` : `\\u00${char.charCodeAt(0).toString(16).toUpperCase()}`,
      );
    case 'urlquery':
      return encodeURIComponent(sprint(values)).replaceAll('%20', '+');
    case 'eq':
      if (values.length < 2) throw new Error('missing argument for comparison');
      return values
        .slice(1)
        .some((value) => (basic(first) === 'nil' || basic(value) === 'nil' ? basic(first) === basic(value) : compareValues(first, value) === 0));
    case 'ne':
      need(2);
      return basic(first) === 'nil' || basic(second) === 'nil' ? basic(first) !== basic(second) : compareValues(first, second) !== 0;
    case 'lt':
      return compareValues(first, second) < 0;
    case 'le':
      return compareValues(first, second) <= 0;
    case 'gt':
      return compareValues(first, second) > 0;
    case 'ge':
      return compareValues(first, second) >= 0;
    case 'exists': {
      let item: Value = first;
      for (const key of values.slice(1)) {
        if (item === null || item === MISSING || item === undefined) return false;
        if (Array.isArray(item) || typeof item === 'string') {
          if (typeof key !== 'number' || key < 0 || key >= item.length) return false;
          item = item[key];
        } else if (typeof item === 'object' && typeof key === 'string') item = Object.hasOwn(item, key) ? item[key] : null;
        else return false;
      }
      return item !== null && item !== MISSING && item !== undefined;
    }
    case 'base64decode': {
      need(1);
      try {
        return new TextDecoder().decode(Uint8Array.from(atob(String(first)), (char) => char.charCodeAt(0)));
      } catch {
        throw new Error('base64 decode failed: illegal base64 data at input byte 0');
      }
    }
    default:
      throw new Error(`function ${JSON.stringify(name)} not defined`);
  }
}

/** Lexer and parser. */
class TemplateParser {
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
