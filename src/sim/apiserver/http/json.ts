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

/**
 * Parses JSON strictly, in Go's words, remembering which keys occurred twice (the last one wins, as in Go). Own parser:
 * `JSON.parse` forgets duplicates, says other things, and overflows its stack on deep input.
 */
class JsonParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  readonly duplicates: Duplicates = new WeakMap();

  constructor(text: string) {
    this.#text = text;
  }

  parse(): unknown {
    this.#space();
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
    return value;
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

  #value(): unknown {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
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

  #nested(parse: () => unknown): unknown {
    if (++this.#depth > MAX_DEPTH) throw new JsonSyntaxError('exceeded max depth');
    // A thousand levels more than any object has; far below where the host's stack ends.
    if (this.#depth > 2_000) throw new JsonSyntaxError('exceeded max depth');
    const value = parse();
    this.#depth--;
    return value;
  }

  #object(): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    let twice: string[] | undefined;
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return out;
    }
    for (;;) {
      if (this.#text[this.#at] !== '"') throw this.#unexpected('looking for beginning of object key string');
      const key = this.#string();
      this.#space();
      if (this.#text[this.#at] !== ':') throw this.#unexpected('after object key');
      this.#at++;
      this.#space();
      const value = this.#value();
      if (Object.hasOwn(out, key)) {
        twice ??= [];
        if (!twice.includes(key)) twice.push(key);
      }
      setKey(out, key, value);
      this.#space();
      const next = this.#text[this.#at];
      if (next === '}') {
        this.#at++;
        if (twice) this.duplicates.set(out, twice);
        return out;
      }
      if (next !== ',') throw this.#unexpected('after object key:value pair');
      this.#at++;
      this.#space();
    }
  }

  #array(): unknown[] {
    const out: unknown[] = [];
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return out;
    }
    for (;;) {
      out.push(this.#value());
      this.#space();
      const next = this.#text[this.#at];
      if (next === ']') {
        this.#at++;
        return out;
      }
      if (next !== ',') throw this.#unexpected('after array element');
      this.#at++;
      this.#space();
    }
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
        return out;
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
