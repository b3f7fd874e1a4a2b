import { type Assignment, type Command, type Redirect, type Sequence, ShellSyntaxError, type TestToken, type Word } from './syntax.ts';
import { TokenReader } from './token-reader.ts';
import { isPlain, plainText } from './word-reader.ts';

/**
 * A shell grammar that reads one line's worth of commands at a time, because what is run may change how the next line
 * reads (aliases), and because an error further down must not keep the lines before it from running.
 */
export class Parser extends TokenReader {
  /** The commands up to the end of the line (or of what is begun there); undefined at the end of the source. */
  next(): Sequence | undefined {
    while (this.peek().type === 'newline') this.take();
    if (this.peek().type === 'end') return undefined;
    const items: Sequence['items'] = [];
    for (;;) {
      const type = this.peek().type;
      if (type === 'newline' || type === 'end') {
        this.take();
        break;
      }
      this.#item(items);
    }
    return { items };
  }

  /** Everything. */
  all(): Sequence {
    const items: Sequence['items'] = [];
    for (let line = this.next(); line; line = this.next()) items.push(...line.items);
    return { items };
  }

  /** For `$(…)`: what stands up to the closing parenthesis, which is taken too. */
  protected override nested(start: number): { body: Sequence; end: number } {
    const inner = new Parser(this.source, { dialect: this.dialect, ...(this.aliases ? { aliases: this.aliases } : {}) });
    inner.position = start;
    try {
      const body = inner.#list([')']);
      inner.expect(')');
      return { body, end: inner.position };
    } catch (error) {
      // Bash looks for the end of a substitution before it reads what is inside.
      const unended = this.dialect === 'bash' && error instanceof ShellSyntaxError && error.message.endsWith('end of file');
      throw unended ? new ShellSyntaxError("unexpected EOF while looking for matching `)'", error.line, true) : error;
    }
  }

  protected override parseText(text: string): Sequence {
    return new Parser(text, { dialect: this.dialect, ...(this.aliases ? { aliases: this.aliases } : {}) }).all();
  }

  // ---- lists ----

  /** Commands until one of the closing words or operators, which is left. At least one command. */
  #list(closing: readonly string[], mayBeEmpty = closing[0] === ')'): Sequence {
    const items: Sequence['items'] = [];
    for (;;) {
      this.newlines();
      const token = this.peek();
      if (token.type === 'end') this.unexpected(closing.at(-1) === ';;' ? ';;' : closing[0]);
      const text = token.type === 'operator' ? token.text : this.plain();
      if (text !== undefined && closing.includes(text)) {
        if (items.length === 0 && !mayBeEmpty) this.unexpected();
        return { items };
      }
      this.#item(items);
    }
  }

  /** One and-or list with its `;` or `&`. */
  #item(items: Sequence['items']): void {
    const { start } = this.peek();
    const command = this.#andOr();
    const source = this.source.slice(start, this.peek().start).trim();
    let background = false;
    if (this.isOperator('&')) {
      this.take();
      background = true;
    } else if (this.isOperator(';')) this.take();
    else {
      const token = this.peek();
      const closes = token.type === 'operator' ? [')', ';;', ';&', ';;&'].includes(token.text) : token.type !== 'word';
      if (!closes) this.unexpected();
      // A closing operator where nothing is open is found by whoever reads the next command.
    }
    items.push({ command, background, source });
  }

  #andOr(): Command {
    let left = this.#pipeline();
    while (this.isOperator('&&', '||')) {
      const token = this.take();
      this.newlines();
      const type = token.type === 'operator' && token.text === '&&' ? 'and' : 'or';
      left = { type, left, right: this.#pipeline(), line: left.line };
    }
    return left;
  }

  #pipeline(): Command {
    const line = this.lineAt(this.peek().start);
    let negated = false;
    let timed = false;
    for (;;) {
      const plain = this.plain();
      if (plain === '!') negated = !negated;
      else if (plain === 'time' && !timed && this.dialect === 'bash') timed = true;
      else break;
      this.take();
      if (timed && this.plain() === '-p') this.take();
    }
    const first = this.peek();
    if (timed && (first.type === 'newline' || first.type === 'end' || this.isOperator(';'))) return { type: 'pipeline', commands: [], negated, timed, line };
    const commands = [this.#command()];
    while (this.isOperator('|', '|&')) {
      const token = this.take();
      const last = commands[commands.length - 1]!;
      if (token.type === 'operator' && token.text === '|&' && 'redirects' in last)
        last.redirects.push({ fd: 2, operator: '>&', target: [{ type: 'text', text: '1', quoted: false }] });
      this.newlines();
      commands.push(this.#command());
    }
    if (commands.length === 1 && !negated && !timed) return commands[0]!;
    return { type: 'pipeline', commands, negated, timed, line };
  }

  // ---- commands ----

  #command(): Command {
    this.expandAlias();
    const token = this.peek();
    const line = this.lineAt(token.start);
    if (token.type === 'operator' && token.text === '(') {
      if (this.source[this.position] === '(') {
        const arithmetic = this.dialect === 'bash' ? this.#arithmeticCommand(line) : undefined;
        if (arithmetic) return arithmetic;
      }
      this.take();
      const body = this.#list([')'], false);
      this.expect(')');
      return this.#withRedirects({ type: 'subshell', body, redirects: [], line });
    }
    switch (this.plain()) {
      case 'if':
        return this.#if(line);
      case 'while':
      case 'until': {
        const until = this.plain() === 'until';
        this.take();
        const condition = this.#list(['do'], false);
        this.expect('do');
        return this.#withRedirects({ type: 'loop', until, condition, body: this.#untilDone(), redirects: [], line });
      }
      case 'for':
        return this.#for(line);
      case 'case':
        return this.#case(line);
      case '{': {
        this.take();
        const body = this.#list(['}'], false);
        this.expect('}');
        return this.#withRedirects({ type: 'group', body, redirects: [], line });
      }
      case '[[':
        return this.#test(line);
      case 'function': {
        this.take();
        const name = this.plain();
        if (name === undefined) this.unexpected();
        this.take();
        if (this.isOperator('(')) {
          this.take();
          this.expect(')');
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
        return this.unexpected();
      default:
        return this.#simple(line);
    }
  }

  #withRedirects<T extends Command & { redirects: Redirect[] }>(command: T): T {
    for (let redirect = this.redirect(); redirect; redirect = this.redirect()) command.redirects.push(redirect);
    return command;
  }

  #untilDone(): Sequence {
    const body = this.#list(['done'], false);
    this.expect('done');
    return body;
  }

  #if(line: number): Command {
    const clauses: { condition: Sequence; body: Sequence }[] = [];
    let otherwise: Sequence | undefined;
    do {
      this.take();
      const condition = this.#list(['then'], false);
      this.expect('then');
      clauses.push({ condition, body: this.#list(['fi', 'elif', 'else'], false) });
    } while (this.plain() === 'elif');
    if (this.plain() === 'else') {
      this.take();
      otherwise = this.#list(['fi'], false);
    }
    this.expect('fi');
    return this.#withRedirects({ type: 'if', clauses, otherwise, redirects: [], line });
  }

  #for(line: number): Command {
    this.take();
    if (this.isOperator('(') && this.source[this.position] === '(' && this.dialect === 'bash') {
      this.position++;
      this.token = undefined;
      const parts: Word[] = [];
      for (let i = 0; i < 3; i++) parts.push(this.readArithmetic(i < 2 ? ';' : '))'));
      if (this.isOperator(';')) this.take();
      this.newlines();
      const brace = this.plain() === '{';
      this.expect(brace ? '{' : 'do');
      const body = brace ? this.#list(['}'], false) : this.#untilDone();
      if (brace) this.expect('}');
      return this.#withRedirects({ type: 'count', parts: parts as [Word, Word, Word], body, redirects: [], line });
    }
    const name = this.plain();
    if (name === undefined) {
      if (this.peek().type === 'end') this.unexpected('do');
      this.unexpected();
    }
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      if (this.dialect === 'ash') throw new ShellSyntaxError('syntax error: bad for loop variable', line);
      throw new ShellSyntaxError(`\`${name}': not a valid identifier`, line);
    }
    this.take();
    let words: Word[] | undefined;
    this.newlines();
    if (this.plain() === 'in') {
      this.take();
      words = [];
      for (let token = this.peek(); token.type === 'word'; token = this.peek()) {
        words.push(token.word);
        this.take();
      }
      if (this.peek().type !== 'newline' && !this.isOperator(';')) this.unexpected(this.peek().type === 'end' ? 'do' : undefined);
      this.take();
    } else if (this.isOperator(';')) this.take();
    this.newlines();
    if (this.plain() === '{' && this.dialect === 'bash') {
      this.take();
      const body = this.#list(['}'], false);
      this.expect('}');
      return this.#withRedirects({ type: 'for', name, words, body, redirects: [], line });
    }
    this.expect('do');
    return this.#withRedirects({ type: 'for', name, words, body: this.#untilDone(), redirects: [], line });
  }

  #case(line: number): Command {
    this.take();
    const subject = this.peek();
    if (subject.type !== 'word') this.unexpected('word');
    this.take();
    this.newlines();
    this.expect('in');
    const items: { patterns: Word[]; body: Sequence; next: ';;' | ';&' | ';;&' }[] = [];
    for (;;) {
      this.newlines();
      if (this.plain() === 'esac') break;
      if (this.isOperator('(')) this.take();
      const patterns: Word[] = [];
      for (;;) {
        const token = this.peek();
        if (token.type !== 'word') this.unexpected(token.type === 'end' ? ')' : undefined);
        patterns.push(token.word);
        this.take();
        if (!this.isOperator('|')) break;
        this.take();
      }
      this.expect(')');
      const body = this.#list(['esac', ';;', ';&', ';;&'], true);
      const token = this.peek();
      if (token.type === 'operator') {
        items.push({ patterns, body, next: token.text as ';;' });
        this.take();
      } else {
        items.push({ patterns, body, next: ';;' });
        break;
      }
    }
    this.expect('esac');
    return this.#withRedirects({ type: 'case', word: subject.word, items, redirects: [], line });
  }

  #arithmeticCommand(line: number): Command | undefined {
    const before = this.position;
    try {
      this.position++;
      const expression = this.readArithmetic('))');
      this.token = undefined;
      return this.#withRedirects({ type: 'arithmetic', expression, redirects: [], line });
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      this.position = before;
      return undefined;
    }
  }

  #test(line: number): Command {
    this.take();
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
      this.newlines();
      const token = this.peek();
      if (token.type === 'end') this.unexpected(']]');
      this.take();
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
    this.newlines();
    const { start } = this.peek();
    const body = this.#command();
    if (body.type === 'simple' && this.dialect === 'bash') this.unexpected();
    return { type: 'function', name, body, source: this.source.slice(start, this.peek().start).trim(), line };
  }

  #simple(line: number): Command {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (;;) {
      if (words.length === 0) this.expandAlias();
      const redirect = this.redirect();
      if (redirect) {
        redirects.push(redirect);
        continue;
      }
      const token = this.peek();
      if (token.type !== 'word') {
        if (token.type === 'operator' && token.text === '(') {
          const name = words.length === 1 && assignments.length === 0 && redirects.length === 0 && isPlain(words[0]!) ? plainText(words[0]!) : undefined;
          if (name === undefined) this.unexpected();
          this.take();
          this.expect(')');
          return this.#function(name, line);
        }
        break;
      }
      const assignment = words.length === 0 ? this.assignment(token.word) : undefined;
      if (assignment) assignments.push(assignment);
      else {
        const declares = words.length > 0 && this.dialect === 'bash' && /^(declare|local|export|readonly|typeset)$/.test(plainText(words[0]!));
        words.push(token.word);
        this.take();
        // `declare a=(…)`
        if (declares && this.source[this.position] === '(' && /=$/.test(plainText(token.word))) {
          const array = this.array(plainText(token.word).slice(0, -1));
          assignments.push(array);
          words.pop();
          words.push([{ type: 'text', text: array.name, quoted: true }]);
        }
      }
    }
    if (assignments.length === 0 && words.length === 0 && redirects.length === 0) this.unexpected();
    return { type: 'simple', assignments, words, redirects, line };
  }
}
