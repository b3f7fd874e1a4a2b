export type Node =
  | { type: 'list'; nodes: Node[] }
  | { type: 'text'; text: string }
  | { type: 'field'; name: string }
  | { type: 'array'; params: Param[] }
  | { type: 'filter'; left: ListNode; right: ListNode; operator: string }
  | { type: 'number'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'wildcard' }
  | { type: 'recursive' }
  | { type: 'union'; nodes: ListNode[] }
  | { type: 'identifier'; name: string };
export type ListNode = Extract<Node, { type: 'list' }>;

export interface Param {
  value: number;
  known: boolean;
  derived: boolean;
}

const DIGIT = /\d/;
const TERMINATORS = new Set([' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}']);
const isAlphaNumeric = (char: string): boolean => char === '_' || /[\p{L}\p{Nd}]/u.test(char);

export class Parser {
  readonly root: ListNode = { type: 'list', nodes: [] };
  readonly #input: string;
  #position = 0;
  #start = 0;

  constructor(text: string) {
    this.#input = text;
    this.#text();
  }

  #take(): string {
    const value = this.#input.slice(this.#start, this.#position);
    this.#start = this.#position;
    return value;
  }

  #next(): string {
    const char = this.#input[this.#position] ?? '';
    if (char !== '') this.#position++;
    return char;
  }

  #text(): void {
    while (this.#position < this.#input.length) {
      if (this.#input[this.#position] === '{') {
        if (this.#position > this.#start) this.root.nodes.push({ type: 'text', text: this.#take() });
        this.#position++;
        this.#take();
        const list: ListNode = { type: 'list', nodes: [] };
        this.root.nodes.push(list);
        this.#action(list);
        return;
      }
      this.#position++;
    }
    if (this.#position > this.#start) this.root.nodes.push({ type: 'text', text: this.#take() });
  }

  #action(current: ListNode): void {
    for (;;) {
      const rest = this.#input.slice(this.#position);
      if (rest.startsWith('}')) {
        this.#position++;
        this.#take();
        return this.#text();
      }
      if (rest.startsWith('[?(')) {
        this.#filter(current);
        continue;
      }
      if (rest.startsWith('..')) {
        if (current.nodes.at(-1)?.type === 'recursive') throw new Error('invalid multiple recursive descent');
        this.#position += 2;
        this.#take();
        current.nodes.push({ type: 'recursive' });
        if (isAlphaNumeric(this.#input[this.#position] ?? '')) this.#field(current);
        continue;
      }
      const char = this.#next();
      if (char === '' || char === '\n' || char === '\r') throw new Error('unclosed action');
      if (char === ' ' || char === '@' || char === '$') this.#take();
      else if (char === '[') this.#array(current);
      else if (char === '"' || char === "'") this.#quoted(current, char);
      else if (char === '.') this.#field(current);
      else if (char === '+' || char === '-' || DIGIT.test(char)) {
        this.#position--;
        this.#number(current);
      } else if (isAlphaNumeric(char)) {
        this.#position--;
        this.#identifier(current);
      } else {
        const code = char.codePointAt(0) ?? 0;
        throw new Error(`unrecognized character in action: U+${code.toString(16).toUpperCase().padStart(4, '0')} '${char}'`);
      }
    }
  }

  #identifier(current: ListNode): void {
    while (this.#position < this.#input.length && !TERMINATORS.has(this.#input[this.#position] as string)) this.#position++;
    const value = this.#take();
    if (value === 'true' || value === 'false') current.nodes.push({ type: 'bool', value: value === 'true' });
    else current.nodes.push({ type: 'identifier', name: value });
  }

  #number(current: ListNode): void {
    if (/[+-]/.test(this.#input[this.#position] ?? '')) this.#position++;
    while (/[.\d]/.test(this.#input[this.#position] ?? '')) this.#position++;
    const value = this.#take();
    if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(value)) throw new Error(`cannot parse number ${value}`);
    current.nodes.push({ type: 'number', value: Number(value) });
  }

  #array(current: ListNode): void {
    for (;;) {
      const char = this.#next();
      if (char === '' || char === '\n') throw new Error('unterminated array');
      if (char === ']') break;
    }
    let text = this.#take().slice(1, -1);
    if (text === '*') text = ':';
    const parts = text.split(',');
    if (parts.length > 1) {
      current.nodes.push({ type: 'union', nodes: parts.map((part) => parseAction(`[${part.replace(/^ +| +$/g, '')}]`)) });
      return;
    }
    const key = /^'([^']*)'$/.exec(text);
    if (key) {
      current.nodes.push(...parseAction(`.${key[1]}`).nodes);
      return;
    }
    const slice = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text);
    if (!slice) throw new Error(`invalid array index ${text}`);
    const params: Param[] = [];
    for (let i = 0; i < 3; i++) {
      const raw = slice[i + 1] ?? '';
      if (raw !== '') {
        const digits = i > 0 ? raw.slice(1) : raw;
        if (i > 0 && digits === '') params.push({ known: false, value: 0, derived: false });
        else if (digits === '-') throw new Error(`array index ${digits} is not a number`);
        else params.push({ known: true, value: Number(digits), derived: false });
      } else if (i === 1) params.push({ known: true, value: (params[0]?.value ?? 0) + 1, derived: true });
      else params.push({ known: false, value: 0, derived: false });
    }
    current.nodes.push({ type: 'array', params });
  }

  #filter(current: ListNode): void {
    this.#position += 3;
    this.#take();
    let begin = false;
    let end = false;
    let pair = '';
    for (;;) {
      const char = this.#next();
      if (char === '' || char === '\n') throw new Error('unterminated filter');
      if (char === '"' || char === "'") {
        if (!begin) {
          begin = true;
          pair = char;
          continue;
        }
        if (this.#input[this.#position - 2] !== '\\' && char === pair) end = true;
      } else if (char === ')' && begin === end) break;
    }
    if (this.#next() !== ']') throw new Error('unclosed array expect ]');
    const text = this.#take().slice(0, -2);
    const match = /^([^!<>=]+)([!<>=]+)(.+?)$/.exec(text);
    if (!match) current.nodes.push({ type: 'filter', left: parseAction(text), right: { type: 'list', nodes: [] }, operator: 'exists' });
    else current.nodes.push({ type: 'filter', left: parseAction(match[1] ?? ''), right: parseAction(match[3] ?? ''), operator: match[2] ?? '' });
  }

  #quoted(current: ListNode, mark: string): void {
    for (;;) {
      const char = this.#next();
      if (char === '' || char === '\n') throw new Error('unterminated quoted string');
      if (char === mark && this.#input[this.#position - 2] !== '\\') break;
    }
    const raw = this.#take();
    current.nodes.push({ type: 'text', text: unquote(raw, mark) });
  }

  #field(current: ListNode): void {
    this.#take();
    while (this.#position < this.#input.length) {
      const char = this.#input[this.#position] as string;
      if (char === '\\') this.#position += 2;
      else if (TERMINATORS.has(char)) break;
      else this.#position++;
    }
    this.#position = Math.min(this.#position, this.#input.length);
    const value = this.#take();
    current.nodes.push(value === '*' ? { type: 'wildcard' } : { type: 'field', name: value.replaceAll('\\', '') });
  }
}

function parseAction(text: string): ListNode {
  const root = new Parser(`{${text}}`).root;
  return root.nodes[0] as ListNode;
}

const QUOTED: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\' };

function unquote(raw: string, mark: string): string {
  const body = raw.slice(1, -1);
  return body.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[\s\S])|["']/g, (whole, escaped?: string) => {
    if (escaped === undefined) {
      if (whole === mark) throw new Error(`unquote string ${raw} error invalid syntax`);
      return whole;
    }
    if (escaped.length > 1 && /^[xuU]/.test(escaped)) return String.fromCodePoint(Number.parseInt(escaped.slice(1), 16));
    if (/^[0-7]{3}$/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped, 8));
    if (escaped === mark) return mark;
    const char = QUOTED[escaped];
    if (char === undefined) throw new Error(`unquote string ${raw} error invalid syntax`);
    return char;
  });
}
