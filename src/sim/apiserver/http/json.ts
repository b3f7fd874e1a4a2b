import { type Duplicates, setKey } from '../decode.ts';

/** A body that is not JSON; the message is what Go's decoder says. */
export class JsonSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonSyntaxError';
  }
}

/** As Go's `encoding/json`. */
const MAX_DEPTH = 10_000;

/** Go's `quoteChar`. */
function quoteChar(character: string): string {
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}

const OPENED = Symbol('opened');

/** A list or an object that is not closed yet. */
interface Open {
  list: unknown[] | undefined;
  object: Record<string, unknown>;
  key: string;
  twice: string[];
}

/**
 * Parses JSON strictly, in Go's words, remembering which keys occurred twice (the last one wins, as in Go). Own parser:
 * `JSON.parse` forgets duplicates, says other things, and overflows its stack on deep input.
 */
class JsonParser {
  readonly #text: string;
  #at = 0;
  readonly duplicates: Duplicates = new WeakMap();

  constructor(text: string) {
    this.#text = text;
  }

  parse(): unknown {
    // What is open, from outside in. No recursion: ten thousand levels are more than the host's stack holds.
    const open: Open[] = [];
    for (;;) {
      this.#space();
      let value = this.#value(open);
      if (value === OPENED) continue;
      // A whole value: it closes whatever ends with it.
      for (;;) {
        const holder = open.at(-1);
        this.#space();
        if (!holder) {
          if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
          return value;
        }
        this.#put(holder, value);
        const next = this.#text[this.#at];
        if (next === (holder.list ? ']' : '}')) {
          this.#at++;
          open.pop();
          value = this.#close(holder);
          continue;
        }
        if (next !== ',') throw this.#unexpected(holder.list ? 'after array element' : 'after object key:value pair');
        this.#at++;
        if (!holder.list) this.#key(holder);
        break;
      }
    }
  }

  #put(holder: Open, value: unknown): void {
    if (holder.list) {
      holder.list.push(value);
      return;
    }
    if (Object.hasOwn(holder.object, holder.key) && !holder.twice.includes(holder.key)) holder.twice.push(holder.key);
    setKey(holder.object, holder.key, value);
  }

  #close(holder: Open): unknown {
    if (holder.list) return holder.list;
    if (holder.twice.length > 0) this.duplicates.set(holder.object, holder.twice);
    return holder.object;
  }

  /** Reads `"key":` of an object. */
  #key(holder: Open): void {
    this.#space();
    if (this.#text[this.#at] !== '"') throw this.#unexpected('looking for beginning of object key string');
    holder.key = this.#string();
    this.#space();
    if (this.#text[this.#at] !== ':') throw this.#unexpected('after object key');
    this.#at++;
  }

  #unexpected(context: string): JsonSyntaxError {
    const character = this.#text[this.#at];
    if (character === undefined) return new JsonSyntaxError('unexpected end of JSON input');
    return new JsonSyntaxError(`invalid character ${quoteChar(character)} ${context}`);
  }

  #space(): void {
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at++;
    }
  }

  /** A scalar or an empty container, or `OPENED` after the beginning of a container. */
  #value(open: Open[]): unknown {
    switch (this.#text[this.#at]) {
      case '{':
      case '[':
        return this.#begin(open);
      case '"':
        return this.#string();
      case 't':
        return this.#literal('true', true);
      case 'f':
        return this.#literal('false', false);
      case 'n':
        return this.#literal('null', null);
      default:
        return this.#number();
    }
  }

  #begin(open: Open[]): unknown {
    const list = this.#text[this.#at] === '[' ? [] : undefined;
    if (open.length >= MAX_DEPTH) throw new JsonSyntaxError('exceeded max depth');
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === (list ? ']' : '}')) {
      this.#at++;
      return list ?? {};
    }
    const holder: Open = { list, object: {}, key: '', twice: [] };
    open.push(holder);
    if (!list) this.#key(holder);
    return OPENED;
  }

  #string(): string {
    const start = ++this.#at;
    let out = '';
    let from = start;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 34) {
        out += this.#text.slice(from, this.#at);
        this.#at++;
        // Half a surrogate pair is no character.
        return out.isWellFormed() ? out : out.toWellFormed();
      }
      if (Number.isNaN(code)) throw this.#unexpected('');
      if (code < 32) throw this.#unexpected('in string literal');
      if (code !== 92) {
        this.#at++;
        continue;
      }
      out += this.#text.slice(from, this.#at);
      this.#at++;
      out += this.#escape();
      from = this.#at;
    }
  }

  #escape(): string {
    const simple: Record<string, string> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
    const character = this.#text[this.#at];
    if (character !== undefined && character in simple) {
      this.#at++;
      return simple[character] as string;
    }
    if (character !== 'u') throw this.#unexpected('in string escape code');
    this.#at++;
    for (let i = 0; i < 4; i++) {
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? '')) throw this.#unexpected('in \\u hexadecimal character escape');
      this.#at++;
    }
    return String.fromCharCode(Number.parseInt(this.#text.slice(this.#at - 4, this.#at), 16));
  }

  #literal<T>(word: string, value: T): T {
    for (let i = 0; i < word.length; i++, this.#at++) {
      if (this.#text[this.#at] !== word[i]) throw this.#unexpected(`in literal ${word} (expecting ${quoteChar(word[i] as string)})`);
    }
    return value;
  }

  #number(): number {
    const start = this.#at;
    const digit = (): boolean => /[0-9]/.test(this.#text[this.#at] ?? '');
    if (this.#text[this.#at] === '-') {
      this.#at++;
      if (!digit()) throw this.#unexpected('in numeric literal');
    } else if (!digit()) throw this.#unexpected('looking for beginning of value');
    if (this.#text[this.#at] === '0') this.#at++;
    else while (digit()) this.#at++;
    if (this.#text[this.#at] === '.') {
      this.#at++;
      if (!digit()) throw this.#unexpected('after decimal point in numeric literal');
      while (digit()) this.#at++;
    }
    if (this.#text[this.#at] === 'e' || this.#text[this.#at] === 'E') {
      this.#at++;
      if (this.#text[this.#at] === '+' || this.#text[this.#at] === '-') this.#at++;
      if (!digit()) throw this.#unexpected('in exponent of numeric literal');
      while (digit()) this.#at++;
    }
    return Number(this.#text.slice(start, this.#at));
  }
}

export interface ParsedJson {
  value: unknown;
  duplicates: Duplicates;
}

/** Throws `JsonSyntaxError`. */
export function parseJson(text: string): ParsedJson {
  const parser = new JsonParser(text);
  return { value: parser.parse(), duplicates: parser.duplicates };
}

const ESCAPES: Record<string, string> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026', '\u2028': '\\u2028', '\u2029': '\\u2029' };

const escapeHtml = (json: string): string => json.replace(/[<>&\u2028\u2029]/g, (character) => ESCAPES[character] as string);

/** JSON as Go's encoder writes it (with HTML escaping), and a newline. */
export const encodeJson = (value: unknown): string => `${escapeHtml(JSON.stringify(value))}\n`;

/** The same for people (`json.MarshalIndent`). */
export const prettyJson = (value: unknown): string => escapeHtml(JSON.stringify(value, null, 2));
