/**
 * Models the scanner of libyaml as go-yaml v2 carries it (scannerc.go): tokens, marks and errors agree, because kubectl
 * shows the errors. Left out: encodings other than UTF-8.
 */
export interface Mark {
  index: number;
  line: number;
  column: number;
}

export type TokenType =
  | 'stream-start'
  | 'stream-end'
  | 'version-directive'
  | 'tag-directive'
  | 'document-start'
  | 'document-end'
  | 'block-sequence-start'
  | 'block-mapping-start'
  | 'block-end'
  | 'flow-sequence-start'
  | 'flow-sequence-end'
  | 'flow-mapping-start'
  | 'flow-mapping-end'
  | 'block-entry'
  | 'flow-entry'
  | 'key'
  | 'value'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'scalar';

export interface Token {
  type: TokenType;
  start: Mark;
  end: Mark;
  value: string;
  suffix: string;
  plain: boolean;
}

/** A failure with go-yaml's words: `yaml: line N: problem`. */
export class YamlError extends Error {
  constructor(problem: string, options: { context?: Mark; mark?: Mark; scanner?: boolean } = {}) {
    const { context, mark, scanner } = options;
    let line = 0;
    if (mark && mark.line !== 0) line = mark.line + (scanner ? 1 : 0);
    else if (context && context.line !== 0) line = context.line;
    super(`yaml: ${line === 0 ? '' : `line ${line}: `}${problem}`);
  }
}

interface SimpleKey {
  possible: boolean;
  required: boolean;
  tokenNumber: number;
  mark: Mark;
}

const isBreak = (char: string): boolean => char === '\n' || char === '\r' || char === '\u0085' || char === '\u2028' || char === '\u2029';
const isBlank = (char: string): boolean => char === ' ' || char === '\t';
const isBreakOrEnd = (char: string): boolean => char === '' || isBreak(char);
const isBlankOrEnd = (char: string): boolean => isBlank(char) || isBreakOrEnd(char);
const isAlpha = (char: string): boolean => /^[0-9A-Za-z_-]$/.test(char);
const isHex = (char: string): boolean => /^[0-9A-Fa-f]$/.test(char);

export class YamlScanner {
  readonly #text: string;
  #mark: Mark = { index: 0, line: 0, column: 0 };
  #tokens: Token[] = [];
  #tokensParsed = 0;
  #started = false;
  #ended = false;
  #flowLevel = 0;
  #indent = -1;
  #indents: number[] = [];
  #simpleKeys: SimpleKey[] = [];
  #simpleKeyAllowed = false;

  constructor(text: string) {
    // go-yaml checks the input's characters while reading it.
    for (const char of text) {
      const code = char.codePointAt(0) ?? 0;
      const fine =
        code === 0x09 ||
        code === 0x0a ||
        code === 0x0d ||
        (code >= 0x20 && code <= 0x7e) ||
        code === 0x85 ||
        (code >= 0xa0 && code <= 0xd7ff) ||
        (code >= 0xe000 && code <= 0xfffd) ||
        code >= 0x10000;
      if (!fine) throw new YamlError('control characters are not allowed');
    }
    this.#text = text;
  }

  peek(): Token {
    this.#fetchMore();
    return this.#tokens[0] as Token;
  }

  next(): Token {
    const token = this.peek();
    this.#tokens.shift();
    this.#tokensParsed++;
    return token;
  }

  #char(offset = 0): string {
    return this.#text[this.#mark.index + offset] ?? '';
  }

  #position(): Mark {
    return { ...this.#mark };
  }

  #skip(count = 1): void {
    this.#mark.index += count;
    this.#mark.column += count;
  }

  #skipLine(): void {
    if (this.#char() === '\r' && this.#char(1) === '\n') this.#mark.index += 2;
    else if (isBreak(this.#char())) this.#mark.index++;
    else return;
    this.#mark.column = 0;
    this.#mark.line++;
  }

  #read(): string {
    const char = this.#char();
    this.#skip();
    return char;
  }

  #readLine(): string {
    const char = this.#char();
    const out = char === '\u2028' || char === '\u2029' ? char : '\n';
    this.#skipLine();
    return out;
  }

  #fail(problem: string, context: Mark = this.#position()): never {
    throw new YamlError(problem, { context, mark: this.#position(), scanner: true });
  }

  #fetchMore(): void {
    while (!this.#ended || this.#tokens.length === 0) {
      if (this.#tokens.length > 0) {
        const pending = this.#simpleKeys.find((key) => key.possible && key.tokenNumber === this.#tokensParsed);
        if (!pending || !this.#isValid(pending)) return;
      }
      this.#fetchNext();
    }
  }

  #isValid(key: SimpleKey): boolean {
    if (!key.possible) return false;
    if (key.mark.line < this.#mark.line || key.mark.index + 1024 < this.#mark.index) {
      if (key.required) this.#fail("could not find expected ':'", key.mark);
      key.possible = false;
      return false;
    }
    return true;
  }

  #push(type: TokenType, start: Mark, options: { value?: string; suffix?: string; plain?: boolean; at?: number } = {}): void {
    const token: Token = { type, start, end: this.#position(), value: options.value ?? '', suffix: options.suffix ?? '', plain: options.plain ?? false };
    if (options.at !== undefined && options.at >= 0) this.#tokens.splice(options.at, 0, token);
    else this.#tokens.push(token);
  }

  #fetchNext(): void {
    if (!this.#started) {
      this.#started = true;
      this.#simpleKeys.push({ possible: false, required: false, tokenNumber: 0, mark: this.#position() });
      this.#simpleKeyAllowed = true;
      this.#push('stream-start', this.#position());
      return;
    }
    this.#toNextToken();
    this.#unrollIndent(this.#mark.column);
    const char = this.#char();
    if (char === '') return this.#streamEnd();
    if (this.#mark.column === 0 && char === '%') return this.#directive();
    const three = this.#text.slice(this.#mark.index, this.#mark.index + 3);
    if (this.#mark.column === 0 && (three === '---' || three === '...') && isBlankOrEnd(this.#char(3))) {
      this.#unrollIndent(-1);
      this.#removeSimpleKey();
      this.#simpleKeyAllowed = false;
      const start = this.#position();
      this.#skip(3);
      this.#push(three === '---' ? 'document-start' : 'document-end', start);
      return;
    }
    if (char === '[' || char === '{') return this.#flowStart(char === '[' ? 'flow-sequence-start' : 'flow-mapping-start');
    if (char === ']' || char === '}') return this.#flowEnd(char === ']' ? 'flow-sequence-end' : 'flow-mapping-end');
    if (char === ',') {
      this.#removeSimpleKey();
      this.#simpleKeyAllowed = true;
      return this.#indicator('flow-entry');
    }
    const nextBlank = isBlankOrEnd(this.#char(1));
    if (char === '-' && nextBlank) return this.#blockEntry();
    if (char === '?' && (this.#flowLevel > 0 || nextBlank)) return this.#key();
    if (char === ':' && (this.#flowLevel > 0 || nextBlank)) return this.#value();
    if (char === '*') return this.#anchor('alias');
    if (char === '&') return this.#anchor('anchor');
    if (char === '!') return this.#tag();
    if ((char === '|' || char === '>') && this.#flowLevel === 0) return this.#blockScalar(char === '|');
    if (char === "'" || char === '"') return this.#flowScalar(char === "'");
    if (
      !(isBlankOrEnd(char) || '-?:,[]{}#&*!|>\'"%@`'.includes(char)) ||
      (char === '-' && !isBlank(this.#char(1))) ||
      (this.#flowLevel === 0 && (char === '?' || char === ':') && !nextBlank)
    ) {
      return this.#plainScalar();
    }
    this.#fail('found character that cannot start any token');
  }

  #indicator(type: TokenType, length = 1): void {
    const start = this.#position();
    this.#skip(length);
    this.#push(type, start);
  }

  #saveSimpleKey(): void {
    const required = this.#flowLevel === 0 && this.#indent === this.#mark.column;
    if (!this.#simpleKeyAllowed) return;
    this.#removeSimpleKey();
    this.#simpleKeys[this.#simpleKeys.length - 1] = { possible: true, required, tokenNumber: this.#tokensParsed + this.#tokens.length, mark: this.#position() };
  }

  #removeSimpleKey(): void {
    const key = this.#simpleKeys.at(-1) as SimpleKey;
    if (key.possible && key.required) this.#fail("could not find expected ':'", key.mark);
    key.possible = false;
  }

  #rollIndent(column: number, number: number, type: TokenType, mark: Mark): void {
    if (this.#flowLevel > 0 || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    this.#indent = column;
    this.#push(type, mark, number > -1 ? { at: number - this.#tokensParsed } : {});
  }

  #unrollIndent(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      this.#push('block-end', this.#position());
      this.#indent = this.#indents.pop() as number;
    }
  }

  #streamEnd(): void {
    if (this.#mark.column !== 0) {
      this.#mark.column = 0;
      this.#mark.line++;
    }
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    this.#push('stream-end', this.#position());
    this.#ended = true;
  }

  #flowStart(type: TokenType): void {
    this.#saveSimpleKey();
    this.#simpleKeys.push({ possible: false, required: false, tokenNumber: 0, mark: this.#position() });
    this.#flowLevel++;
    if (this.#flowLevel > 10_000) this.#fail('exceeded max depth of 10000');
    this.#simpleKeyAllowed = true;
    this.#indicator(type);
  }

  #flowEnd(type: TokenType): void {
    this.#removeSimpleKey();
    if (this.#flowLevel > 0) {
      this.#flowLevel--;
      this.#simpleKeys.pop();
    }
    this.#simpleKeyAllowed = false;
    this.#indicator(type);
  }

  #blockEntry(): void {
    if (this.#flowLevel === 0) {
      if (!this.#simpleKeyAllowed) this.#fail('block sequence entries are not allowed in this context');
      this.#rollIndent(this.#mark.column, -1, 'block-sequence-start', this.#position());
    }
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    this.#indicator('block-entry');
  }

  #key(): void {
    if (this.#flowLevel === 0) {
      if (!this.#simpleKeyAllowed) this.#fail('mapping keys are not allowed in this context');
      this.#rollIndent(this.#mark.column, -1, 'block-mapping-start', this.#position());
    }
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = this.#flowLevel === 0;
    this.#indicator('key');
  }

  #value(): void {
    const key = this.#simpleKeys.at(-1) as SimpleKey;
    if (this.#isValid(key)) {
      this.#push('key', key.mark, { at: key.tokenNumber - this.#tokensParsed });
      this.#rollIndent(key.mark.column, key.tokenNumber, 'block-mapping-start', key.mark);
      key.possible = false;
      this.#simpleKeyAllowed = false;
    } else {
      if (this.#flowLevel === 0) {
        if (!this.#simpleKeyAllowed) this.#fail('mapping values are not allowed in this context');
        this.#rollIndent(this.#mark.column, -1, 'block-mapping-start', this.#position());
      }
      this.#simpleKeyAllowed = this.#flowLevel === 0;
    }
    this.#indicator('value');
  }

  #toNextToken(): void {
    for (;;) {
      if (this.#mark.column === 0 && this.#char() === '\uFEFF') this.#skip();
      while (this.#char() === ' ' || ((this.#flowLevel > 0 || !this.#simpleKeyAllowed) && this.#char() === '\t')) this.#skip();
      if (this.#char() === '#') while (!isBreakOrEnd(this.#char())) this.#skip();
      if (!isBreak(this.#char())) return;
      this.#skipLine();
      if (this.#flowLevel === 0) this.#simpleKeyAllowed = true;
    }
  }

  #directive(): void {
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    const start = this.#position();
    this.#skip();
    let name = '';
    while (isAlpha(this.#char())) name += this.#read();
    if (name === '') this.#fail('could not find expected directive name', start);
    if (!isBlankOrEnd(this.#char())) this.#fail('found unexpected non-alphabetical character', start);
    while (isBlank(this.#char())) this.#skip();
    let rest = '';
    if (name === 'YAML') {
      const version = /^\d{1,2}\.\d{1,2}/.exec(this.#text.slice(this.#mark.index, this.#mark.index + 8));
      if (!version) this.#fail('did not find expected version number', start);
      rest = (version as RegExpExecArray)[0];
      this.#skip(rest.length);
    } else if (name === 'TAG') {
      const handle = this.#tagHandle(true, start);
      if (!isBlank(this.#char())) this.#fail('did not find expected whitespace', start);
      while (isBlank(this.#char())) this.#skip();
      const prefix = this.#tagUri(true, '', start);
      if (!isBlankOrEnd(this.#char())) this.#fail('did not find expected whitespace or line break', start);
      this.#push('tag-directive', start, { value: handle, suffix: prefix });
    } else this.#fail('found unknown directive name', start);
    if (name === 'YAML') this.#push('version-directive', start, { value: rest });
    while (isBlank(this.#char())) this.#skip();
    if (this.#char() === '#') while (!isBreakOrEnd(this.#char())) this.#skip();
    if (!isBreakOrEnd(this.#char())) this.#fail('did not find expected comment or line break', start);
    this.#skipLine();
  }

  #anchor(type: 'alias' | 'anchor'): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const start = this.#position();
    this.#skip();
    let name = '';
    while (isAlpha(this.#char())) name += this.#read();
    const after = this.#char();
    if (name === '' || !(isBlankOrEnd(after) || '?:,]}%@`'.includes(after))) this.#fail('did not find expected alphabetic or numeric character', start);
    this.#push(type, start, { value: name });
  }

  #tag(): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const start = this.#position();
    let handle = '';
    let suffix: string;
    if (this.#char(1) === '<') {
      this.#skip(2);
      suffix = this.#tagUri(false, '', start);
      if (this.#char() !== '>') this.#fail("did not find the expected '>'", start);
      this.#skip();
    } else {
      handle = this.#tagHandle(false, start);
      if (handle.length > 1 && handle.endsWith('!')) suffix = this.#tagUri(false, '', start);
      else {
        suffix = this.#tagUri(false, handle, start);
        handle = '!';
        if (suffix === '') [handle, suffix] = [suffix, handle];
      }
    }
    if (!isBlankOrEnd(this.#char())) this.#fail('did not find expected whitespace or line break', start);
    this.#push('tag', start, { value: handle, suffix });
  }

  #tagHandle(directive: boolean, start: Mark): string {
    if (this.#char() !== '!') this.#fail("did not find expected '!'", start);
    let text = this.#read();
    while (isAlpha(this.#char())) text += this.#read();
    if (this.#char() === '!') text += this.#read();
    else if (directive && text !== '!') this.#fail("did not find expected '!'", start);
    return text;
  }

  #tagUri(_directive: boolean, head: string, start: Mark): string {
    let text = head.slice(1);
    let found = head.length > 0;
    while (isAlpha(this.#char()) || (this.#char() !== '' && ";/?:@&=+$,.!~*'()[]%".includes(this.#char()))) {
      if (this.#char() === '%') {
        let bytes = '';
        while (this.#char() === '%') {
          if (!isHex(this.#char(1)) || !isHex(this.#char(2))) this.#fail('did not find URI escaped octet', start);
          bytes += this.#text.slice(this.#mark.index, this.#mark.index + 3);
          this.#skip(3);
        }
        text += decodeURIComponent(bytes);
      } else text += this.#read();
      found = true;
    }
    if (!found) this.#fail('did not find expected tag URI', start);
    return text;
  }

  #blockScalar(literal: boolean): void {
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    const start = this.#position();
    this.#skip();
    let chomping = 0;
    let increment = 0;
    const sign = (): void => {
      if (this.#char() !== '+' && this.#char() !== '-') return;
      chomping = this.#char() === '+' ? 1 : -1;
      this.#skip();
    };
    const digit = (): void => {
      if (!/^\d$/.test(this.#char())) return;
      if (this.#char() === '0') this.#fail('found an indentation indicator equal to 0', start);
      increment = Number(this.#read());
    };
    if (this.#char() === '+' || this.#char() === '-') {
      sign();
      digit();
    } else {
      digit();
      if (increment > 0) sign();
    }
    while (isBlank(this.#char())) this.#skip();
    if (this.#char() === '#') while (!isBreakOrEnd(this.#char())) this.#skip();
    if (!isBreakOrEnd(this.#char())) this.#fail('did not find expected comment or line break', start);
    this.#skipLine();
    let indent = increment > 0 ? (this.#indent >= 0 ? this.#indent + increment : increment) : 0;
    let text = '';
    let leadingBreak = '';
    let breaks: string;
    ({ indent, breaks } = this.#blockBreaks(indent, start));
    let leadingBlank = false;
    while (this.#mark.column === indent && this.#char() !== '') {
      const trailingBlank = isBlank(this.#char());
      if (!literal && !leadingBlank && !trailingBlank && leadingBreak.startsWith('\n')) {
        if (breaks === '') text += ' ';
      } else text += leadingBreak;
      text += breaks;
      leadingBlank = isBlank(this.#char());
      while (!isBreakOrEnd(this.#char())) text += this.#read();
      leadingBreak = this.#char() === '' ? '' : this.#readLine();
      ({ indent, breaks } = this.#blockBreaks(indent, start));
    }
    if (chomping !== -1) text += leadingBreak;
    if (chomping === 1) text += breaks;
    this.#push('scalar', start, { value: text });
  }

  #blockBreaks(given: number, start: Mark): { indent: number; breaks: string } {
    let indent = given;
    let breaks = '';
    let most = 0;
    for (;;) {
      while ((indent === 0 || this.#mark.column < indent) && this.#char() === ' ') this.#skip();
      most = Math.max(most, this.#mark.column);
      if ((indent === 0 || this.#mark.column < indent) && this.#char() === '\t') {
        this.#fail('found a tab character where an indentation space is expected', start);
      }
      if (!isBreak(this.#char())) break;
      breaks += this.#readLine();
    }
    if (indent === 0) indent = Math.max(most, this.#indent + 1, 1);
    return { indent, breaks };
  }

  #atDocumentIndicator(): boolean {
    const three = this.#text.slice(this.#mark.index, this.#mark.index + 3);
    return this.#mark.column === 0 && (three === '---' || three === '...') && isBlankOrEnd(this.#char(3));
  }

  #flowScalar(single: boolean): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const start = this.#position();
    const mark = single ? "'" : '"';
    this.#skip();
    let text = '';
    for (;;) {
      if (this.#atDocumentIndicator()) this.#fail('found unexpected document indicator', start);
      if (this.#char() === '') this.#fail('found unexpected end of stream', start);
      let leadingBlanks = false;
      while (!isBlankOrEnd(this.#char())) {
        const char = this.#char();
        if (single && char === "'" && this.#char(1) === "'") {
          text += "'";
          this.#skip(2);
        } else if (char === mark) break;
        else if (!single && char === '\\' && isBreak(this.#char(1))) {
          this.#skip();
          this.#skipLine();
          leadingBlanks = true;
          break;
        } else if (!single && char === '\\') text += this.#escape(start);
        else text += this.#read();
      }
      if (this.#char() === mark) break;
      let whitespace = '';
      let leadingBreak = '';
      let breaks = '';
      while (isBlank(this.#char()) || isBreak(this.#char())) {
        if (isBlank(this.#char())) {
          if (leadingBlanks) this.#skip();
          else whitespace += this.#read();
        } else if (!leadingBlanks) {
          whitespace = '';
          leadingBreak = this.#readLine();
          leadingBlanks = true;
        } else breaks += this.#readLine();
      }
      if (!leadingBlanks) text += whitespace;
      else if (leadingBreak.startsWith('\n')) text += breaks === '' ? ' ' : breaks;
      else text += leadingBreak + breaks;
    }
    this.#skip();
    this.#push('scalar', start, { value: text });
  }

  #escape(start: Mark): string {
    const simple: Record<string, string> = {
      '0': '\0',
      a: '\x07',
      b: '\b',
      t: '\t',
      '\t': '\t',
      n: '\n',
      v: '\v',
      f: '\f',
      r: '\r',
      e: '\x1b',
      ' ': ' ',
      '"': '"',
      "'": "'",
      '\\': '\\',
      N: '\u0085',
      _: '\u00a0',
      L: '\u2028',
      P: '\u2029',
    };
    const lengths: Record<string, number> = { x: 2, u: 4, U: 8 };
    const char = this.#char(1);
    const known = simple[char];
    const length = lengths[char];
    if (known === undefined && length === undefined) this.#fail('found unknown escape character', start);
    this.#skip(2);
    if (known !== undefined) return known;
    let value = 0;
    for (let i = 0; i < (length as number); i++) {
      if (!isHex(this.#char(i))) this.#fail('did not find expected hexdecimal number', start);
      value = value * 16 + Number.parseInt(this.#char(i), 16);
    }
    if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) this.#fail('found invalid Unicode character escape code', start);
    this.#skip(length);
    return String.fromCodePoint(value);
  }

  #plainScalar(): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const start = this.#position();
    let end = this.#position();
    const indent = this.#indent + 1;
    let text = '';
    let whitespace = '';
    let leadingBreak = '';
    let breaks = '';
    let leadingBlanks = false;
    for (;;) {
      if (this.#atDocumentIndicator() || this.#char() === '#') break;
      while (!isBlankOrEnd(this.#char())) {
        const char = this.#char();
        if ((char === ':' && isBlankOrEnd(this.#char(1))) || (this.#flowLevel > 0 && ',?[]{}'.includes(char))) break;
        if (leadingBlanks) {
          if (leadingBreak.startsWith('\n')) text += breaks === '' ? ' ' : breaks;
          else text += leadingBreak + breaks;
          leadingBreak = '';
          breaks = '';
          leadingBlanks = false;
        } else text += whitespace;
        whitespace = '';
        text += this.#read();
        end = this.#position();
      }
      if (!isBlank(this.#char()) && !isBreak(this.#char())) break;
      while (isBlank(this.#char()) || isBreak(this.#char())) {
        if (isBlank(this.#char())) {
          if (leadingBlanks && this.#mark.column < indent && this.#char() === '\t') this.#fail('found a tab character that violates indentation', start);
          if (leadingBlanks) this.#skip();
          else whitespace += this.#read();
        } else if (!leadingBlanks) {
          whitespace = '';
          leadingBreak = this.#readLine();
          leadingBlanks = true;
        } else breaks += this.#readLine();
      }
      if (this.#flowLevel === 0 && this.#mark.column < indent) break;
    }
    this.#push('scalar', start, { value: text, plain: true });
    (this.#tokens.at(-1) as Token).end = end;
    if (leadingBlanks) this.#simpleKeyAllowed = true;
  }
}
