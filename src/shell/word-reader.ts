import { byteCharacter, decodeText, encodeWithBytes } from '../unix/index.ts';
import { type Dialect, type ParameterPart, type Sequence, ShellSyntaxError, type Word, type WordPart } from './syntax.ts';

const METACHARACTERS = ' \t\n;&|<>()';
const ANSI_ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', e: '\x1b', E: '\x1b', f: '\f', v: '\v' };
/** Longest operators first. */
const PARAMETER_OPERATORS = [':-', ':=', ':?', ':+', '##', '%%', '//', '/#', '/%', '^^', ',,', '-', '=', '?', '+', '#', '%', '/', ':', '^', ',', '@'];

/** Reads words with their quoting and expansions out of a source text. */
export abstract class WordReader {
  source: string;
  position = 0;
  readonly dialect: Dialect;
  #lineCache = { position: 0, line: 1 };

  constructor(source: string, dialect: Dialect) {
    this.source = source;
    this.dialect = dialect;
  }

  protected abstract nested(start: number): { body: Sequence; end: number };
  protected abstract parseText(text: string): Sequence;

  /** Line number of a position, from 1. */
  lineAt(position: number): number {
    let { position: from, line } = this.#lineCache;
    if (position < from) {
      from = 0;
      line = 1;
    }
    for (let i = this.source.indexOf('\n', from); i >= 0 && i < position; i = this.source.indexOf('\n', i + 1)) line++;
    this.#lineCache = { position, line };
    return line;
  }

  protected readWord(): Word {
    return this.#parts((character) => METACHARACTERS.includes(character), 'word');
  }

  /** The right side of `=~`: ends at a blank outside of parentheses. */
  protected readPattern(): Word {
    let depth = 0;
    return this.#parts((character) => {
      if (character === '(') depth++;
      else if (character === ')') depth--;
      return depth <= 0 && character !== ')' && ' \t\n'.includes(character);
    }, 'word');
  }

  protected readHereDocument(text: string): Word {
    const { source, position } = this;
    this.source = text;
    this.position = 0;
    try {
      return this.#parts(() => false, 'document');
    } finally {
      this.source = source;
      this.position = position;
    }
  }

  /** An arithmetic expression up to `closing` at its own level, which is taken too. */
  protected readArithmetic(closing: '))' | ';'): Word {
    let depth = 0;
    const start = this.position;
    const parts = this.#parts((character) => {
      if (character === '(') depth++;
      else if (character === ')') {
        if (depth === 0) return true;
        depth--;
      }
      return depth === 0 && closing === ';' && character === ';';
    }, 'arithmetic');
    if (!this.source.startsWith(closing, this.position))
      throw new ShellSyntaxError('syntax error: unterminated arithmetic', this.lineAt(start), this.position >= this.source.length);
    this.position += closing.length;
    return parts;
  }

  /**
   * Reads parts until a character ends it outside of quotes. `word`: full quoting. `double`: inside double quotes.
   * `document`, `arithmetic`: as inside double quotes, where a double quote itself is plain.
   */
  #parts(ends: (character: string) => boolean, mode: 'word' | 'double' | 'document' | 'arithmetic'): WordPart[] {
    const parts: WordPart[] = [];
    const quoted = mode !== 'word';
    const text = (value: string, isQuoted: boolean): void => {
      const last = parts[parts.length - 1];
      if (last?.type === 'text' && last.quoted === isQuoted) last.text += value;
      else parts.push({ type: 'text', text: value, quoted: isQuoted });
    };
    while (this.position < this.source.length) {
      const character = this.source[this.position]!;
      if (character === '\\') {
        const next = this.source[this.position + 1];
        this.position += 2;
        if (next === '\n') continue;
        if (next === undefined) text('\\', quoted);
        else if (!quoted) text(next, true);
        else if ((next === '"' && mode === 'double') || '$`\\'.includes(next)) text(next, true);
        else text(`\\${next}`, true);
        continue;
      }
      if (character === '$' || character === '`') {
        const part = this.#dollar(quoted);
        if (part) parts.push(part);
        else {
          text('$', quoted);
          this.position++;
        }
        continue;
      }
      if (!quoted && (character === '<' || character === '>') && this.source[this.position + 1] === '(' && this.dialect === 'bash') {
        const { body, end } = this.nested(this.position + 2);
        parts.push({ type: 'process', direction: character, body, quoted: true });
        this.position = end;
        continue;
      }
      if (ends(character)) break;
      if (!quoted && character === "'") {
        const end = this.source.indexOf("'", this.position + 1);
        if (end < 0) this.#unterminated("'");
        text(this.source.slice(this.position + 1, end), true);
        this.position = end + 1;
        continue;
      }
      if (!quoted && character === '"') {
        for (const part of this.#doubleQuoted()) {
          if (part.type === 'text') text(part.text, true);
          else parts.push(part);
        }
        continue;
      }
      if (mode === 'arithmetic' && (character === '"' || character === "'")) {
        this.position++;
        continue;
      }
      text(character, quoted);
      this.position++;
    }
    return parts;
  }

  /** From the opening to behind the closing double quote. An empty pair still makes an (empty) word. */
  #doubleQuoted(): WordPart[] {
    this.position++;
    const parts = this.#parts((character) => character === '"', 'double');
    if (this.source[this.position] !== '"') this.#unterminated('"');
    this.position++;
    return parts.length > 0 ? parts : [{ type: 'text', text: '', quoted: true }];
  }

  #unterminated(quote: string): never {
    const line = this.lineAt(this.position);
    throw new ShellSyntaxError(
      this.dialect === 'bash'
        ? `unexpected EOF while looking for matching \`${quote}'`
        : quote === '`'
          ? 'syntax error: EOF in backquote substitution'
          : 'syntax error: unterminated quoted string',
      line,
      true,
    );
  }

  /** What a `$` or backquote begins; undefined when the dollar is only a dollar. */
  #dollar(quoted: boolean): WordPart | undefined {
    const { source } = this;
    const start = this.position;
    if (source[start] === '`') return this.#backquoted(quoted);
    const next = source[start + 1];
    if (next === undefined) return undefined;
    if (next === '(') {
      if (source[start + 2] === '(') {
        try {
          this.position = start + 3;
          return { type: 'arithmetic', expression: this.readArithmetic('))'), quoted };
        } catch (error) {
          if (!(error instanceof ShellSyntaxError)) throw error;
          // $( (…) ) after all.
        }
      }
      const { body, end } = this.nested(start + 2);
      this.position = end;
      return { type: 'command', body, quoted };
    }
    if (next === '{') return this.#braced(quoted);
    if (next === "'" && !quoted) return this.#ansiQuoted();
    if (next === '"' && !quoted && this.dialect === 'bash') {
      this.position++;
      return undefined;
    }
    const name = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(source.slice(start + 1, start + 128))?.[0];
    if (name === undefined) return undefined;
    this.position = start + 1 + name.length;
    return { type: 'parameter', name, quoted };
  }

  #backquoted(quoted: boolean): WordPart {
    let text = '';
    let i = this.position + 1;
    for (; i < this.source.length && this.source[i] !== '`'; i++) {
      const next = this.source[i + 1];
      if (this.source[i] === '\\' && next !== undefined && ('$`\\'.includes(next) || (quoted && next === '"'))) text += this.source[++i];
      else text += this.source[i];
    }
    if (i >= this.source.length) this.#unterminated('`');
    this.position = i + 1;
    return { type: 'command', body: this.parseText(text), quoted };
  }

  #ansiQuoted(): WordPart {
    let text = '';
    let i = this.position + 2;
    for (; ; i++) {
      const character = this.source[i];
      if (character === undefined) this.#unterminated("'");
      if (character === "'") break;
      if (character !== '\\') {
        text += character;
        continue;
      }
      const rest = this.source.slice(i + 1, i + 11);
      const number = (
        this.dialect === 'ash'
          ? /^(?:x([0-9a-fA-F]{1,2})|(?!)()|(?!)()|([0-7]{1,3}))/
          : /^(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3}))/
      ).exec(rest);
      if (number) {
        if (number[4] !== undefined) text += byteCharacter(Number.parseInt(number[4], 8) & 255);
        else if (number[1] !== undefined) text += byteCharacter(Number.parseInt(number[1], 16));
        else text += String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(number[2] ?? number[3]!, 16)));
        i += number[0].length;
      } else {
        const next = this.source[++i] ?? '';
        text += ANSI_ESCAPES[next] ?? ('\\\'"?'.includes(next) ? next : `\\${next}`);
      }
    }
    this.position = i + 1;
    return { type: 'text', text: decodeText(encodeWithBytes(text)), quoted: true };
  }

  #braced(quoted: boolean): ParameterPart {
    const start = this.position;
    this.position += 2;
    const bad = (): never => {
      throw new ShellSyntaxError(
        this.dialect === 'bash' ? 'bad substitution' : 'syntax error: bad substitution',
        this.lineAt(start),
        this.position >= this.source.length,
      );
    };
    const rest = this.source.slice(this.position);
    let length = false;
    let indirect = false;
    if (/^#(?:[A-Za-z_]|[0-9@*?$!-]\}|#\})/.test(rest)) {
      length = true;
      this.position++;
    } else if (/^![A-Za-z_0-9]/.test(rest) && this.dialect === 'bash') {
      indirect = true;
      this.position++;
    }
    const name = /^(?:[A-Za-z_]\w*|\d+|[@*#?$!-])/.exec(this.source.slice(this.position, this.position + 256))?.[0];
    if (name === undefined) return bad();
    this.position += name.length;
    const part: ParameterPart = { type: 'parameter', name, quoted, ...(length ? { length } : {}), ...(indirect ? { indirect } : {}) };
    if (this.source[this.position] === '[' && this.dialect === 'bash') {
      this.position++;
      part.index = this.#parts((character) => character === ']', 'arithmetic');
      if (this.source[this.position] !== ']') bad();
      this.position++;
    }
    if (this.source[this.position] === '}') {
      this.position++;
      return part;
    }
    const operator = PARAMETER_OPERATORS.find(
      (candidate) => this.source.startsWith(candidate, this.position) && !(this.dialect === 'ash' && (candidate === '/#' || candidate === '/%')),
    );
    if (operator === undefined || length || (this.dialect === 'ash' && '^^,,@'.includes(operator))) return bad();
    this.position += operator.length;
    part.operator = operator;
    // Patterns are quoted by their own quotes even inside double quotes; default values are not.
    const pattern = '##%%/#/%//'.includes(operator);
    const mode = operator === ':' ? 'arithmetic' : quoted && !pattern ? 'double' : 'word';
    const stop = operator.startsWith('/') ? '/}' : operator === ':' ? ':}' : '}';
    part.argument = this.#argument(stop, mode);
    if (this.source[this.position] !== '}') {
      this.position++;
      part.second = this.#argument('}', operator === ':' ? 'arithmetic' : quoted ? 'double' : 'word');
    }
    this.position++;
    return part;
  }

  #argument(stop: string, mode: 'word' | 'double' | 'arithmetic'): Word {
    const start = this.position;
    let parts: WordPart[] = [];
    // A double quote inside a default value in double quotes toggles quoting; its content is read as such.
    for (;;) {
      parts = [...parts, ...this.#parts((character) => stop.includes(character) || (mode === 'double' && character === '"'), mode)];
      if (mode === 'double' && this.source[this.position] === '"') {
        this.position++;
        continue;
      }
      break;
    }
    if (this.position >= this.source.length) {
      throw new ShellSyntaxError(
        this.dialect === 'bash' ? "unexpected EOF while looking for matching `}'" : "syntax error: missing '}'",
        this.lineAt(start),
        true,
      );
    }
    return parts;
  }
}

/** Whether a word is nothing but unquoted text. */
export function isPlain(word: Word): boolean {
  return word.length === 1 && word[0]!.type === 'text' && !word[0]!.quoted;
}

/** The literal text of a word (expansions left out). */
export function plainText(word: Word): string {
  return word.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
