import { type Assignment, type Command, type Dialect, type Redirect, type Sequence, ShellSyntaxError, type TestToken, type Word } from './syntax.ts';
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

/**
 * A shell grammar that reads one line's worth of commands at a time, because what is run may change how the next line
 * reads (aliases), and because an error further down must not keep the lines before it from running.
 */
export class Parser extends WordReader {
  readonly #aliases: ReadonlyMap<string, string> | undefined;
  #token: Token | undefined;
  #hereDocuments: { redirect: Redirect; strip: boolean; delimiter: string; quoted: boolean }[] = [];
  /** Aliases being expanded, with where their text ends: they are not expanded again inside themselves. */
  #activeAliases: { name: string; end: number }[] = [];

  constructor(source: string, options: ParseOptions) {
    super(source, options.dialect);
    this.#aliases = options.aliases;
  }

  /** The commands up to the end of the line (or of what is begun there); undefined at the end of the source. */
  next(): Sequence | undefined {
    while (this.#peek().type === 'newline') this.#take();
    if (this.#peek().type === 'end') return undefined;
    const items: Sequence['items'] = [];
    for (;;) {
      const type = this.#peek().type;
      if (type === 'newline' || type === 'end') {
        this.#take();
        break;
      }
      this.#item(items);
    }
    return { items };
  }

  /** Whether nothing but blanks and comments is left. */
  atEnd(): boolean {
    while (this.#peek().type === 'newline') this.#take();
    return this.#peek().type === 'end';
  }

  /** The whole source as one word. */
  word(): Word {
    return this.readWord();
  }

  /** Everything. */
  all(): Sequence {
    const items: Sequence['items'] = [];
    for (let line = this.next(); line; line = this.next()) items.push(...line.items);
    return { items };
  }

  /** For `$(…)`: what stands up to the closing parenthesis, which is taken too. */
  protected override nested(start: number): { body: Sequence; end: number } {
    const inner = new Parser(this.source, { dialect: this.dialect, ...(this.#aliases ? { aliases: this.#aliases } : {}) });
    inner.position = start;
    const body = inner.#list([')']);
    inner.#expect(')');
    return { body, end: inner.position };
  }

  protected override parseText(text: string): Sequence {
    return new Parser(text, { dialect: this.dialect, ...(this.#aliases ? { aliases: this.#aliases } : {}) }).all();
  }

  // ---- tokens ----

  #peek(): Token {
    this.#token ??= this.#scan();
    return this.#token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#token = undefined;
    if (token.type === 'newline') this.#readHereDocuments();
    if (token.type === 'end' && this.#hereDocuments.length > 0) this.#readHereDocuments();
    return token;
  }

  #scan(): Token {
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
  #plain(): string | undefined {
    const token = this.#peek();
    return token.type === 'word' && isPlain(token.word) ? plainText(token.word) : undefined;
  }

  #isOperator(...texts: string[]): boolean {
    const token = this.#peek();
    return token.type === 'operator' && texts.includes(token.text);
  }

  #unexpected(expecting?: string): never {
    const token = this.#peek();
    const atEnd = token.type === 'end';
    const line = this.lineAt(token.start);
    if (this.dialect === 'bash') {
      if (atEnd) throw new ShellSyntaxError('syntax error: unexpected end of file', line + 1, true);
      const text = token.type === 'newline' ? 'newline' : token.type === 'operator' ? token.text : this.source.slice(token.start, this.position);
      throw new ShellSyntaxError(`syntax error near unexpected token \`${text}'`, line);
    }
    const plain = this.#plain();
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

  #expect(text: string): void {
    const token = this.#peek();
    const matches = token.type === 'operator' ? token.text === text : this.#plain() === text;
    if (!matches) this.#unexpected(text);
    this.#take();
  }

  #newlines(): void {
    while (this.#peek().type === 'newline') this.#take();
  }

  // ---- lists ----

  /** Commands until one of the closing words or operators, which is left. At least one command. */
  #list(closing: readonly string[], mayBeEmpty = closing[0] === ')'): Sequence {
    const items: Sequence['items'] = [];
    for (;;) {
      this.#newlines();
      const token = this.#peek();
      if (token.type === 'end') this.#unexpected(closing.at(-1) === ';;' ? ';;' : closing[0]);
      const text = token.type === 'operator' ? token.text : this.#plain();
      if (text !== undefined && closing.includes(text)) {
        if (items.length === 0 && !mayBeEmpty) this.#unexpected();
        return { items };
      }
      this.#item(items);
    }
  }

  /** One and-or list with its `;` or `&`. */
  #item(items: Sequence['items']): void {
    const { start } = this.#peek();
    const command = this.#andOr();
    const source = this.source.slice(start, this.#peek().start).trim();
    let background = false;
    if (this.#isOperator('&')) {
      this.#take();
      background = true;
    } else if (this.#isOperator(';')) this.#take();
    else {
      const token = this.#peek();
      const closes = token.type === 'operator' ? [')', ';;', ';&', ';;&'].includes(token.text) : token.type !== 'word';
      if (!closes) this.#unexpected();
      // A closing operator where nothing is open is found by whoever reads the next command.
    }
    items.push({ command, background, source });
  }

  #andOr(): Command {
    let left = this.#pipeline();
    while (this.#isOperator('&&', '||')) {
      const token = this.#take();
      this.#newlines();
      const type = token.type === 'operator' && token.text === '&&' ? 'and' : 'or';
      left = { type, left, right: this.#pipeline(), line: left.line };
    }
    return left;
  }

  #pipeline(): Command {
    const line = this.lineAt(this.#peek().start);
    let negated = false;
    let timed = false;
    for (;;) {
      const plain = this.#plain();
      if (plain === '!') negated = !negated;
      else if (plain === 'time' && !timed && this.dialect === 'bash') timed = true;
      else break;
      this.#take();
      if (timed && this.#plain() === '-p') this.#take();
    }
    const first = this.#peek();
    if (timed && (first.type === 'newline' || first.type === 'end' || this.#isOperator(';'))) return { type: 'pipeline', commands: [], negated, timed, line };
    const commands = [this.#command()];
    while (this.#isOperator('|', '|&')) {
      const token = this.#take();
      const last = commands[commands.length - 1]!;
      if (token.type === 'operator' && token.text === '|&' && 'redirects' in last)
        last.redirects.push({ fd: 2, operator: '>&', target: [{ type: 'text', text: '1', quoted: false }] });
      this.#newlines();
      commands.push(this.#command());
    }
    if (commands.length === 1 && !negated && !timed) return commands[0]!;
    return { type: 'pipeline', commands, negated, timed, line };
  }

  // ---- commands ----

  #command(): Command {
    this.#expandAlias();
    const token = this.#peek();
    const line = this.lineAt(token.start);
    if (token.type === 'operator' && token.text === '(') {
      if (this.source[this.position] === '(') {
        const arithmetic = this.dialect === 'bash' ? this.#arithmeticCommand(line) : undefined;
        if (arithmetic) return arithmetic;
      }
      this.#take();
      const body = this.#list([')'], false);
      this.#expect(')');
      return this.#withRedirects({ type: 'subshell', body, redirects: [], line });
    }
    switch (this.#plain()) {
      case 'if':
        return this.#if(line);
      case 'while':
      case 'until': {
        const until = this.#plain() === 'until';
        this.#take();
        const condition = this.#list(['do'], false);
        this.#expect('do');
        return this.#withRedirects({ type: 'loop', until, condition, body: this.#untilDone(), redirects: [], line });
      }
      case 'for':
        return this.#for(line);
      case 'case':
        return this.#case(line);
      case '{': {
        this.#take();
        const body = this.#list(['}'], false);
        this.#expect('}');
        return this.#withRedirects({ type: 'group', body, redirects: [], line });
      }
      case '[[':
        return this.#test(line);
      case 'function': {
        this.#take();
        const name = this.#plain();
        if (name === undefined) this.#unexpected();
        this.#take();
        if (this.#isOperator('(')) {
          this.#take();
          this.#expect(')');
        }
        return this.#function(name, line);
      }
      case 'then':
      case 'else':
      case 'elif':
      case 'fi':
      case 'do':
      case 'done':
      case 'esac':
      case '}':
        return this.#unexpected();
      default:
        return this.#simple(line);
    }
  }

  #withRedirects<T extends Command & { redirects: Redirect[] }>(command: T): T {
    for (let redirect = this.#redirect(); redirect; redirect = this.#redirect()) command.redirects.push(redirect);
    return command;
  }

  #untilDone(): Sequence {
    const body = this.#list(['done'], false);
    this.#expect('done');
    return body;
  }

  #if(line: number): Command {
    const clauses: { condition: Sequence; body: Sequence }[] = [];
    let otherwise: Sequence | undefined;
    do {
      this.#take();
      const condition = this.#list(['then'], false);
      this.#expect('then');
      clauses.push({ condition, body: this.#list(['fi', 'elif', 'else'], false) });
    } while (this.#plain() === 'elif');
    if (this.#plain() === 'else') {
      this.#take();
      otherwise = this.#list(['fi'], false);
    }
    this.#expect('fi');
    return this.#withRedirects({ type: 'if', clauses, otherwise, redirects: [], line });
  }

  #for(line: number): Command {
    this.#take();
    if (this.#isOperator('(') && this.source[this.position] === '(' && this.dialect === 'bash') {
      this.position++;
      this.#token = undefined;
      const parts: Word[] = [];
      for (let i = 0; i < 3; i++) parts.push(this.readArithmetic(i < 2 ? ';' : '))'));
      if (this.#isOperator(';')) this.#take();
      this.#newlines();
      const brace = this.#plain() === '{';
      this.#expect(brace ? '{' : 'do');
      const body = brace ? this.#list(['}'], false) : this.#untilDone();
      if (brace) this.#expect('}');
      return this.#withRedirects({ type: 'count', parts: parts as [Word, Word, Word], body, redirects: [], line });
    }
    const name = this.#plain();
    if (name === undefined) {
      if (this.#peek().type === 'end') this.#unexpected('do');
      this.#unexpected();
    }
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      if (this.dialect === 'ash') throw new ShellSyntaxError('syntax error: bad for loop variable', line);
      throw new ShellSyntaxError(`\`${name}': not a valid identifier`, line);
    }
    this.#take();
    let words: Word[] | undefined;
    this.#newlines();
    if (this.#plain() === 'in') {
      this.#take();
      words = [];
      for (let token = this.#peek(); token.type === 'word'; token = this.#peek()) {
        words.push(token.word);
        this.#take();
      }
      if (this.#peek().type !== 'newline' && !this.#isOperator(';')) this.#unexpected(this.#peek().type === 'end' ? 'do' : undefined);
      this.#take();
    } else if (this.#isOperator(';')) this.#take();
    this.#newlines();
    if (this.#plain() === '{' && this.dialect === 'bash') {
      this.#take();
      const body = this.#list(['}'], false);
      this.#expect('}');
      return this.#withRedirects({ type: 'for', name, words, body, redirects: [], line });
    }
    this.#expect('do');
    return this.#withRedirects({ type: 'for', name, words, body: this.#untilDone(), redirects: [], line });
  }

  #case(line: number): Command {
    this.#take();
    const subject = this.#peek();
    if (subject.type !== 'word') this.#unexpected('word');
    this.#take();
    this.#newlines();
    this.#expect('in');
    const items: { patterns: Word[]; body: Sequence; next: ';;' | ';&' | ';;&' }[] = [];
    for (;;) {
      this.#newlines();
      if (this.#plain() === 'esac') break;
      if (this.#isOperator('(')) this.#take();
      const patterns: Word[] = [];
      for (;;) {
        const token = this.#peek();
        if (token.type !== 'word') this.#unexpected(token.type === 'end' ? ')' : undefined);
        patterns.push(token.word);
        this.#take();
        if (!this.#isOperator('|')) break;
        this.#take();
      }
      this.#expect(')');
      const body = this.#list(['esac', ';;', ';&', ';;&'], true);
      const token = this.#peek();
      if (token.type === 'operator') {
        items.push({ patterns, body, next: token.text as ';;' });
        this.#take();
      } else {
        items.push({ patterns, body, next: ';;' });
        break;
      }
    }
    this.#expect('esac');
    return this.#withRedirects({ type: 'case', word: subject.word, items, redirects: [], line });
  }

  #arithmeticCommand(line: number): Command | undefined {
    const before = this.position;
    try {
      this.position++;
      const expression = this.readArithmetic('))');
      this.#token = undefined;
      return this.#withRedirects({ type: 'arithmetic', expression, redirects: [], line });
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      this.position = before;
      return undefined;
    }
  }

  #test(line: number): Command {
    this.#take();
    const words: TestToken[] = [];
    let pattern = false;
    for (;;) {
      if (pattern) {
        // The right side of =~ may hold parentheses and bars without being operators.
        while (' \t'.includes(this.source[this.position] ?? '')) this.position++;
        words.push({ word: this.readPattern(), quoted: false });
        pattern = false;
        continue;
      }
      this.#newlines();
      const token = this.#peek();
      if (token.type === 'end') this.#unexpected(']]');
      this.#take();
      if (token.type === 'operator') words.push({ operator: token.text });
      else if (token.type === 'word') {
        const plain = isPlain(token.word) ? plainText(token.word) : undefined;
        if (plain === ']]') break;
        if (plain === '!') words.push({ operator: '!' });
        else words.push({ word: token.word, quoted: token.word.some((part) => part.quoted) });
        pattern = plain === '=~';
      }
    }
    return this.#withRedirects({ type: 'test', words, redirects: [], line });
  }

  #function(name: string, line: number): Command {
    this.#newlines();
    const { start } = this.#peek();
    const body = this.#command();
    if (body.type === 'simple' && this.dialect === 'bash') this.#unexpected();
    return { type: 'function', name, body, source: this.source.slice(start, this.#peek().start).trim(), line };
  }

  #simple(line: number): Command {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (;;) {
      if (words.length === 0) this.#expandAlias();
      const redirect = this.#redirect();
      if (redirect) {
        redirects.push(redirect);
        continue;
      }
      const token = this.#peek();
      if (token.type !== 'word') {
        if (token.type === 'operator' && token.text === '(') {
          const name = words.length === 1 && assignments.length === 0 && redirects.length === 0 && isPlain(words[0]!) ? plainText(words[0]!) : undefined;
          if (name === undefined) this.#unexpected();
          this.#take();
          this.#expect(')');
          return this.#function(name, line);
        }
        break;
      }
      const assignment = words.length === 0 ? this.#assignment(token.word) : undefined;
      if (assignment) assignments.push(assignment);
      else {
        const declares = words.length > 0 && this.dialect === 'bash' && /^(declare|local|export|readonly|typeset)$/.test(plainText(words[0]!));
        words.push(token.word);
        this.#take();
        // `declare a=(…)`
        if (declares && this.source[this.position] === '(' && /=$/.test(plainText(token.word))) {
          const array = this.#array(plainText(token.word).slice(0, -1));
          assignments.push(array);
          words.pop();
          words.push([{ type: 'text', text: array.name, quoted: true }]);
        }
      }
    }
    if (assignments.length === 0 && words.length === 0 && redirects.length === 0) this.#unexpected();
    return { type: 'simple', assignments, words, redirects, line };
  }

  /** `name=value`, `name+=value`, `name[i]=value`, `name=(…)`. */
  #assignment(word: Word): Assignment | undefined {
    const first = word[0];
    if (first?.type !== 'text' || first.quoted) return undefined;
    const match = /^([A-Za-z_]\w*)(?:\[([^\]]*)\])?(\+?)=/.exec(first.text);
    if (!match || (this.dialect === 'ash' && (match[2] !== undefined || match[3]))) return undefined;
    this.#take();
    const [whole, name = '', index, plus] = match;
    if (whole.length === first.text.length && word.length === 1 && this.source[this.position] === '(' && this.dialect === 'bash')
      return { ...this.#array(name), append: plus === '+' };
    const rest = first.text.slice(whole.length);
    const value: Word = [...(rest ? [{ ...first, text: rest }] : []), ...word.slice(1)];
    return { name, append: plus === '+', value, ...(index !== undefined ? { index: [{ type: 'text', text: index, quoted: false }] } : {}) };
  }

  #array(name: string): Assignment {
    this.position++;
    this.#token = undefined;
    const elements: Word[] = [];
    for (;;) {
      this.#newlines();
      const token = this.#peek();
      if (this.#isOperator(')')) break;
      if (token.type !== 'word') this.#unexpected(')');
      elements.push(token.word);
      this.#take();
    }
    this.#take();
    return { name, append: false, value: [], elements };
  }

  #redirect(): Redirect | undefined {
    let fd: number | undefined;
    const first = this.#peek();
    if (first.type === 'word') {
      // A number right before < or > is a descriptor.
      const text = this.source.slice(first.start, this.position);
      if (!/^\d+$/.test(text) || !/[<>]/.test(this.source[this.position] ?? '')) return undefined;
      if (this.dialect === 'bash' && this.source[this.position + 1] === '(') return undefined;
      fd = Number(text);
      this.#take();
    }
    const token = this.#peek();
    if (token.type !== 'operator') return undefined;
    const operator = token.text;
    if (!/^(<|>|>>|>\||<>|<&|>&|&>|&>>|<<|<<-|<<<)$/.test(operator)) return undefined;
    this.#take();
    const target = this.#peek();
    if (target.type !== 'word') this.#unexpected();
    const redirect: Redirect = { fd, operator: (operator === '<<-' ? '<<' : operator) as Redirect['operator'], target: target.word };
    if (operator === '<<' || operator === '<<-') {
      const delimiter = plainText(target.word);
      this.#hereDocuments.push({ redirect, strip: operator === '<<-', delimiter, quoted: target.word.some((part) => part.quoted) });
    }
    this.#take();
    return redirect;
  }

  #readHereDocuments(): void {
    for (const { redirect, strip, delimiter, quoted } of this.#hereDocuments.splice(0)) {
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

  #expandAlias(): void {
    if (!this.#aliases || this.#aliases.size === 0) return;
    for (;;) {
      const token = this.#peek();
      const name = this.#plain();
      if (token.type !== 'word' || name === undefined || RESERVED.has(name)) return;
      const value = this.#aliases.get(name);
      this.#activeAliases = this.#activeAliases.filter((active) => token.start < active.end);
      if (value === undefined || this.#activeAliases.some((active) => active.name === name)) return;
      if (this.source.slice(token.start, this.position) !== name) return;
      const growth = value.length - name.length;
      this.source = this.source.slice(0, token.start) + value + this.source.slice(this.position);
      for (const active of this.#activeAliases) active.end += growth;
      this.#activeAliases.push({ name, end: token.start + value.length });
      this.position = token.start;
      this.#token = undefined;
    }
  }
}
