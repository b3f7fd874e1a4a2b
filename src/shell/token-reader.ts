import { type Assignment, type Dialect, type Redirect, ShellSyntaxError, type Word } from './syntax.ts';
import { isPlain, plainText, WordReader } from './word-reader.ts';

type Token = { type: 'word'; word: Word; start: number } | { type: 'operator'; text: string; start: number } | { type: 'newline' | 'end'; start: number };

const OPERATORS = ['&>>', '<<<', ';;&', '<<-', '&&', '||', ';;', ';&', '<<', '>>', '<&', '>&', '<>', '>|', '&>', '|&', '|', '&', ';', '<', '>', '(', ')'];
/** Operators that BusyBox' shell does not have: `<<<` reads as `<<` `<` there. */
const BASH_ONLY = new Set(['<<<', ';;&', ';&', '|&']);
const RESERVED = new Set([
  'if',
  'then',
  'else',
  'elif',
  'fi',
  'do',
  'done',
  'case',
  'esac',
  'while',
  'until',
  'for',
  '{',
  '}',
  '!',
  'in',
  '[[',
  'function',
  'time',
]);

export interface ParseOptions {
  dialect: Dialect;
  aliases?: ReadonlyMap<string, string>;
}

/** Tokens of a shell's grammar, with here-documents and aliases seen to: what the parser reads. */
export abstract class TokenReader extends WordReader {
  protected readonly aliases: ReadonlyMap<string, string> | undefined;
  protected token: Token | undefined;
  protected hereDocuments: { redirect: Redirect; strip: boolean; delimiter: string; quoted: boolean }[] = [];
  /** Aliases being expanded, with where their text ends: they are not expanded again inside themselves. */
  protected activeAliases: { name: string; end: number }[] = [];

  constructor(source: string, options: ParseOptions) {
    super(source, options.dialect);
    this.aliases = options.aliases;
  }

  /** Whether nothing but blanks and comments is left. */
  atEnd(): boolean {
    while (this.peek().type === 'newline') this.take();
    return this.peek().type === 'end';
  }

  /** The whole source as one word. */
  word(): Word {
    return this.readWord();
  }

  // ---- tokens ----

  protected peek(): Token {
    this.token ??= this.scan();
    return this.token;
  }

  protected take(): Token {
    const token = this.peek();
    this.token = undefined;
    if (token.type === 'newline') this.readHereDocuments();
    if (token.type === 'end' && this.hereDocuments.length > 0) this.readHereDocuments();
    return token;
  }

  protected scan(): Token {
    const { source } = this;
    for (;;) {
      const character = source[this.position];
      if (character === ' ' || character === '\t' || character === '\r') this.position++;
      else if (character === '\\' && source[this.position + 1] === '\n') this.position += 2;
      else if (character === '#') while (this.position < source.length && source[this.position] !== '\n') this.position++;
      else break;
    }
    const start = this.position;
    if (start >= source.length) return { type: 'end', start };
    if (source[start] === '\n') {
      this.position++;
      return { type: 'newline', start };
    }
    const substitution = (source[start] === '<' || source[start] === '>') && source[start + 1] === '(';
    if (!(substitution && this.dialect === 'bash')) {
      for (const operator of OPERATORS) {
        if (source.startsWith(operator, start) && (this.dialect === 'bash' || !BASH_ONLY.has(operator))) {
          this.position += operator.length;
          return { type: 'operator', text: operator, start };
        }
      }
    }
    return { type: 'word', word: this.readWord(), start };
  }

  /** The reserved word or plain text that the next token is, unquoted; undefined otherwise. */
  protected plain(): string | undefined {
    const token = this.peek();
    return token.type === 'word' && isPlain(token.word) ? plainText(token.word) : undefined;
  }

  protected isOperator(...texts: string[]): boolean {
    const token = this.peek();
    return token.type === 'operator' && texts.includes(token.text);
  }

  protected unexpected(expecting?: string): never {
    const token = this.peek();
    const atEnd = token.type === 'end';
    const line = this.lineAt(token.start);
    if (this.dialect === 'bash') {
      if (atEnd && expecting !== 'word') throw new ShellSyntaxError('syntax error: unexpected end of file', line + 1, true);
      const text = token.type === 'newline' || atEnd ? 'newline' : token.type === 'operator' ? token.text : this.source.slice(token.start, this.position);
      throw new ShellSyntaxError(`syntax error near unexpected token \`${text}'`, line);
    }
    const plain = this.plain();
    const text = atEnd
      ? 'end of file'
      : token.type === 'newline'
        ? 'newline'
        : token.type === 'operator'
          ? /^[<>&]*[<>][<>&|]*$/.test(token.text)
            ? 'redirection'
            : `"${token.text}"`
          : plain !== undefined && RESERVED.has(plain)
            ? `"${plain}"`
            : 'word';
    throw new ShellSyntaxError(
      `syntax error: unexpected ${text}${expecting ? ` (expecting ${expecting === 'word' ? expecting : `"${expecting}"`})` : ''}`,
      line,
      atEnd,
    );
  }

  protected expect(text: string): void {
    const token = this.peek();
    const matches = token.type === 'operator' ? token.text === text : this.plain() === text;
    if (!matches) this.unexpected(text);
    this.take();
  }

  protected newlines(): void {
    while (this.peek().type === 'newline') this.take();
  }

  protected readHereDocuments(): void {
    for (const { redirect, strip, delimiter, quoted } of this.hereDocuments.splice(0)) {
      const start = this.position;
      let text = '';
      for (;;) {
        if (this.position >= this.source.length) {
          this.unterminatedHereDocument ??= { line: this.lineAt(start), delimiter };
          break;
        }
        let end = this.source.indexOf('\n', this.position);
        if (end < 0) end = this.source.length;
        let line = this.source.slice(this.position, end);
        this.position = Math.min(end + 1, this.source.length);
        if (strip) line = line.replace(/^\t+/, '');
        if (line === delimiter) break;
        // A line continued in an unquoted document cannot end it.
        text += `${line}\n`;
      }
      redirect.body = quoted ? [{ type: 'text', text, quoted: true }] : this.readHereDocument(text);
    }
  }

  /** Set when the source ended inside a here-document: an interactive shell then asks for more. */
  unterminatedHereDocument: { line: number; delimiter: string } | undefined;

  // ---- aliases ----

  protected expandAlias(): void {
    if (!this.aliases || this.aliases.size === 0) return;
    for (;;) {
      const token = this.peek();
      const name = this.plain();
      if (token.type !== 'word' || name === undefined || RESERVED.has(name)) return;
      const value = this.aliases.get(name);
      this.activeAliases = this.activeAliases.filter((active) => token.start < active.end);
      if (value === undefined || this.activeAliases.some((active) => active.name === name)) return;
      if (this.source.slice(token.start, this.position) !== name) return;
      const growth = value.length - name.length;
      this.source = this.source.slice(0, token.start) + value + this.source.slice(this.position);
      for (const active of this.activeAliases) active.end += growth;
      this.activeAliases.push({ name, end: token.start + value.length });
      this.position = token.start;
      this.token = undefined;
    }
  }

  // ---- parts of simple commands ----

  /** `name=value`, `name+=value`, `name[i]=value`, `name=(…)`. */
  protected assignment(word: Word): Assignment | undefined {
    const first = word[0];
    if (first?.type !== 'text' || first.quoted) return undefined;
    const match = /^([A-Za-z_]\w*)(?:\[([^\]]*)\])?(\+?)=/.exec(first.text);
    if (!match || (this.dialect === 'ash' && (match[2] !== undefined || match[3]))) return undefined;
    this.take();
    const [whole, name = '', index, plus] = match;
    if (whole.length === first.text.length && word.length === 1 && this.source[this.position] === '(' && this.dialect === 'bash')
      return { ...this.array(name), append: plus === '+' };
    const rest = first.text.slice(whole.length);
    const value: Word = [...(rest ? [{ ...first, text: rest }] : []), ...word.slice(1)];
    return { name, append: plus === '+', value, ...(index !== undefined ? { index: [{ type: 'text', text: index, quoted: false }] } : {}) };
  }

  protected array(name: string): Assignment {
    this.position++;
    this.token = undefined;
    const elements: Word[] = [];
    for (;;) {
      this.newlines();
      const token = this.peek();
      if (this.isOperator(')')) break;
      if (token.type !== 'word') this.unexpected(')');
      elements.push(token.word);
      this.take();
    }
    this.take();
    return { name, append: false, value: [], elements };
  }

  protected redirect(): Redirect | undefined {
    let fd: number | undefined;
    const first = this.peek();
    if (first.type === 'word') {
      // A number right before < or > is a descriptor.
      const text = this.source.slice(first.start, this.position);
      if (!/^\d+$/.test(text) || !/[<>]/.test(this.source[this.position] ?? '')) return undefined;
      if (this.dialect === 'bash' && this.source[this.position + 1] === '(') return undefined;
      fd = Number(text);
      this.take();
    }
    const token = this.peek();
    if (token.type !== 'operator') return undefined;
    const operator = token.text;
    if (!/^(<|>|>>|>\||<>|<&|>&|&>|&>>|<<|<<-|<<<)$/.test(operator)) return undefined;
    this.take();
    const target = this.peek();
    if (target.type !== 'word') this.unexpected();
    const redirect: Redirect = { fd, operator: (operator === '<<-' ? '<<' : operator) as Redirect['operator'], target: target.word };
    if (operator === '<<' || operator === '<<-') {
      const delimiter = plainText(target.word);
      this.hereDocuments.push({ redirect, strip: operator === '<<-', delimiter, quoted: target.word.some((part) => part.quoted) });
    }
    this.take();
    return redirect;
  }
}
