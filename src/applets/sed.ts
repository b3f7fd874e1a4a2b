import { compileRegex, type PosixRegex } from '../unix/regex.ts';
import { Errno, type OpenFile, type Process } from '../unix/types.ts';
import { type Applet, bytesOf, Failure, getopt, program, UsageError } from './applet.ts';

/** sed: addresses, all POSIX commands, and the GNU additions BusyBox has (-i, -E, `0,/re/`, `first~step`, `addr,+n`, I, M-less). */

type Address =
  | { kind: 'line'; line: number }
  | { kind: 'last' }
  | { kind: 'regex'; regex: PosixRegex | undefined }
  | { kind: 'step'; first: number; step: number }
  | { kind: 'plus'; count: number }
  | { kind: 'multiple'; of: number };

interface Command {
  name: string;
  from?: Address;
  to?: Address;
  negated: boolean;
  /** Text of a i c, label of b t T :, file of r w, letters of y. */
  text: string;
  /** Where `}` of a `{` is, where a label is. */
  target: number;
  substitute?: { regex: PosixRegex | undefined; replacement: Replacement[]; global: boolean; print: boolean; occurrence: number; file?: string };
  translate?: Map<string, string>;
  /** State of a range: the line it ends on, or until its second address matches. */
  active: boolean;
  endLine: number;
}

type Replacement = { text: string } | { group: number } | { change: 'U' | 'L' | 'E' | 'u' | 'l' };

class ScriptParser {
  #text: string;
  #at = 0;
  #extended: boolean;
  #process: Process;
  commands: Command[] = [];
  #blocks: number[] = [];

  constructor(text: string, extended: boolean, process: Process) {
    this.#text = text;
    this.#extended = extended;
    this.#process = process;
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #skip(pattern: RegExp): void {
    while (this.#at < this.#text.length && pattern.test(this.#text[this.#at] as string)) this.#at++;
  }

  parse(): Command[] {
    for (;;) {
      this.#skip(/[\s;]/);
      if (this.#at >= this.#text.length) break;
      if (this.#peek() === '#') {
        this.#skip(/[^\n]/);
        continue;
      }
      this.#command();
    }
    if (this.#blocks.length > 0) throw new Failure('unterminated {');
    for (const command of this.commands) {
      if (!/^[btT]$/.test(command.name) || command.text === '') continue;
      command.target = this.commands.findIndex((one) => one.name === ':' && one.text === command.text);
      if (command.target < 0) throw new Failure(`can't find label for jump to '${command.text}'`);
    }
    return this.commands;
  }

  #command(): void {
    const from = this.#address(true);
    let to: Address | undefined;
    if (from) {
      this.#skip(/[ \t]/);
      if (this.#peek() === ',') {
        this.#at++;
        this.#skip(/[ \t]/);
        to = this.#address(false);
        if (!to) throw new Failure('no address after comma');
      }
    }
    this.#skip(/[ \t]/);
    let negated = false;
    while (this.#peek() === '!') {
      negated = true;
      this.#at++;
      this.#skip(/[ \t!]/);
    }
    const name = this.#text[this.#at++];
    if (name === undefined || name === '\n' || name === ';') throw new Failure('missing command');
    const command: Command = { name, negated, text: '', target: -1, active: false, endLine: 0, ...(from ? { from } : {}), ...(to ? { to } : {}) };
    if (to && 'air'.includes(name)) throw new Failure(`command '${name}' uses only one address`);
    const index = this.commands.length;
    switch (name) {
      case '{':
        this.#blocks.push(index);
        break;
      case '}': {
        const open = this.#blocks.pop();
        if (open === undefined) throw new Failure('unexpected }');
        (this.commands[open] as Command).target = index;
        break;
      }
      case 's':
        this.#substitute(command);
        break;
      case 'y':
        this.#translate(command);
        break;
      case 'a':
      case 'i':
      case 'c':
        command.text = this.#textArgument();
        break;
      case ':':
      case 'b':
      case 't':
      case 'T': {
        this.#skip(/[ \t]/);
        const start = this.#at;
        this.#skip(name === ':' ? /[^\s;]/ : /[^\s;}]/);
        command.text = this.#text.slice(start, this.#at);
        if (name === ':' && command.text === '') throw new Failure(`":" lacks a label`);
        break;
      }
      case 'r':
      case 'w': {
        this.#skip(/[ \t]/);
        const start = this.#at;
        this.#skip(/[^\n]/);
        command.text = this.#text.slice(start, this.#at);
        if (command.text === '') throw new Failure('empty filename');
        break;
      }
      case 'q':
      case 'Q':
      case 'l':
      case 'L': {
        this.#skip(/[ \t]/);
        const start = this.#at;
        this.#skip(/\d/);
        command.text = this.#text.slice(start, this.#at);
        break;
      }
      default:
        if (!'=dDgGhHnNpPxz'.includes(name)) throw new Failure(`unsupported command ${name}`);
    }
    this.commands.push(command);
    if ('aic'.includes(name)) return;
    this.#skip(/[ \t]/);
    const next = this.#peek();
    if (name !== '{' && name !== '}' && next !== undefined && !/[;\n}#]/.test(next)) throw new Failure('extra characters after command');
  }

  #address(first: boolean): Address | undefined {
    const char = this.#peek();
    if (char === undefined) return undefined;
    const number = (): number => {
      const match = /^\d+/.exec(this.#text.slice(this.#at));
      this.#at += match?.[0].length ?? 0;
      return Number(match?.[0] ?? 0);
    };
    if (/\d/.test(char)) {
      const line = number();
      if (first && this.#peek() === '~') {
        this.#at++;
        return { kind: 'step', first: line, step: number() };
      }
      return { kind: 'line', line };
    }
    if (!first && (char === '+' || char === '~')) {
      this.#at++;
      return char === '+' ? { kind: 'plus', count: number() } : { kind: 'multiple', of: number() };
    }
    if (char === '$') {
      this.#at++;
      return { kind: 'last' };
    }
    if (char === '/' || char === '\\') {
      this.#at += char === '\\' ? 2 : 1;
      const delimiter = char === '\\' ? (this.#text[this.#at - 1] as string) : '/';
      const source = this.#delimited(delimiter, 'bad format in address');
      let ignoreCase = false;
      while (this.#peek() === 'I' || this.#peek() === 'M') {
        if (this.#peek() === 'I') ignoreCase = true;
        this.#at++;
      }
      return { kind: 'regex', regex: source === '' ? undefined : this.#regex(source, ignoreCase) };
    }
    return undefined;
  }

  #regex(source: string, ignoreCase: boolean): PosixRegex {
    return compileRegex(source, { extended: this.#extended, ignoreCase, process: this.#process });
  }

  /** Up to an unescaped delimiter; inside brackets it does not count. The delimiter's own backslash goes. */
  #delimited(delimiter: string, complaint: string, isRegex = true): string {
    let out = '';
    let bracket = -1;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] as string;
      if (bracket >= 0) {
        if (char === '\\' && /[ntr]/.test(this.#text[this.#at + 1] ?? '')) {
          out += { n: '\n', t: '\t', r: '\r' }[this.#text[++this.#at] as 'n'];
          continue;
        }
        if (char === ']' && this.#at > bracket) bracket = -1;
        out += char;
        continue;
      }
      if (char === delimiter) {
        this.#at++;
        return out;
      }
      if (char === '\\') {
        const next = this.#text[++this.#at] ?? '';
        if (next === delimiter) out += isRegex && /[.*[\]^$+?(){}|]/.test(next) && delimiter !== '/' ? `[${next}]` : next;
        else if (isRegex && /[ntr]/.test(next)) out += { n: '\n', t: '\t', r: '\r' }[next];
        else out += `\\${next}`;
        continue;
      }
      if (isRegex && char === '[') {
        bracket = this.#at + (this.#text[this.#at + 1] === '^' ? 2 : 1);
      } else if (char === '\n' && isRegex) throw new Failure(complaint);
      out += char;
    }
    throw new Failure(complaint);
  }

  #substitute(command: Command): void {
    const delimiter = this.#text[this.#at++] ?? '';
    if (delimiter === '' || delimiter === '\n' || delimiter === '\\') throw new Failure('bad format in substitution expression');
    const complaint = `unmatched '${delimiter}'`;
    const source = this.#delimited(delimiter, complaint);
    const text = this.#delimited(delimiter, complaint, false);
    let global = false;
    let print = false;
    let ignoreCase = false;
    let occurrence = 1;
    let file: string | undefined;
    for (;;) {
      const flag = this.#peek();
      if (flag === 'g') global = true;
      else if (flag === 'p') print = true;
      else if (flag === 'i' || flag === 'I') ignoreCase = true;
      else if (flag === 'm' || flag === 'M') {
        /* Multi-line anchors: patterns here see one line unless N joined several. */
      } else if (flag !== undefined && /\d/.test(flag)) {
        const match = /^\d+/.exec(this.#text.slice(this.#at)) as RegExpExecArray;
        occurrence = Number(match[0]);
        if (occurrence === 0) throw new Failure('bad option in substitution expression');
        this.#at += match[0].length - 1;
      } else if (flag === 'w') {
        this.#at++;
        this.#skip(/[ \t]/);
        const start = this.#at;
        this.#skip(/[^\n]/);
        file = this.#text.slice(start, this.#at);
        break;
      } else if (flag === undefined || /[\s;}#]/.test(flag)) break;
      else throw new Failure('bad option in substitution expression');
      this.#at++;
    }
    command.substitute = {
      regex: source === '' ? undefined : this.#regex(source, ignoreCase),
      replacement: parseReplacement(text),
      global,
      print,
      occurrence,
      ...(file === undefined ? {} : { file }),
    };
  }

  #translate(command: Command): void {
    const delimiter = this.#text[this.#at++] ?? '';
    const plain = (text: string): string => text.replace(/\\(n|\\|.)/gs, (_, char: string) => (char === 'n' ? '\n' : char));
    const from = plain(this.#delimited(delimiter, `unmatched '${delimiter}'`, false));
    const to = plain(this.#delimited(delimiter, `unmatched '${delimiter}'`, false));
    if (from.length !== to.length) throw new Failure('strings for y command are different lengths');
    command.translate = new Map([...from].map((char, i) => [char, to[i] as string]));
  }

  /** Text after a, i, c: the rest of the line, or the lines after a backslash. */
  #textArgument(): string {
    this.#skip(/[ \t]/);
    if (this.#peek() === '\\') {
      this.#at++;
      const save = this.#at;
      this.#skip(/[ \t]/);
      if (this.#peek() === '\n') this.#at++;
      else this.#at = save;
    }
    let out = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] as string;
      if (char === '\n') break;
      if (char === '\\' && this.#at + 1 < this.#text.length) {
        const next = this.#text[++this.#at] as string;
        out += next === 't' ? '\t' : next;
      } else out += char;
    }
    if (out === '' && this.#at >= this.#text.length) throw new Failure("expected \\ after 'a', 'c' or 'i'");
    return out;
  }
}

function parseReplacement(text: string): Replacement[] {
  const parts: Replacement[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') parts.push({ text: literal });
    literal = '';
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '&') {
      flush();
      parts.push({ group: 0 });
    } else if (char === '\\' && i + 1 < text.length) {
      const next = text[++i] as string;
      if (/\d/.test(next)) {
        flush();
        parts.push({ group: Number(next) });
      } else if (/[ULEul]/.test(next)) {
        flush();
        parts.push({ change: next as 'U' });
      } else literal += { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07' }[next] ?? next;
    } else literal += char;
  }
  flush();
  return parts;
}

function expandReplacement(parts: readonly Replacement[], groups: readonly (string | undefined)[]): string {
  let out = '';
  let mode: 'U' | 'L' | 'E' = 'E';
  let next: 'u' | 'l' | undefined;
  for (const part of parts) {
    if ('change' in part) {
      if (part.change === 'u' || part.change === 'l') next = part.change;
      else mode = part.change;
      continue;
    }
    let text = 'text' in part ? part.text : (groups[part.group] ?? '');
    if (mode !== 'E') text = mode === 'U' ? text.toUpperCase() : text.toLowerCase();
    if (next && text !== '') {
      text = (next === 'u' ? (text[0] as string).toUpperCase() : (text[0] as string).toLowerCase()) + text.slice(1);
      next = undefined;
    }
    out += text;
  }
  return out;
}

interface Line {
  text: string;
  terminated: boolean;
}

/** Lines of all inputs, with one of look-ahead so that `$` is known. */
/** A pattern space from which on each command is paid for by its size. */
const BIG_BYTES = 65_536;

class Input {
  #applet: Applet;
  #paths: readonly string[];
  #index = -1;
  #lines: AsyncGenerator<Line> | undefined;
  #ahead: Line | undefined;
  number = 0;
  started = false;

  constructor(applet: Applet, paths: readonly string[]) {
    this.#applet = applet;
    this.#paths = paths;
  }

  async #fetch(): Promise<Line | undefined> {
    for (;;) {
      if (this.#lines) {
        try {
          const { value, done } = await this.#lines.next();
          if (!done) return value;
        } catch (error) {
          if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
          if (error.code !== 'EISDIR') await this.#applet.complain(`read error: ${error.message}`);
        }
        this.#lines = undefined;
      }
      const path = this.#paths[++this.#index];
      if (path === undefined) return undefined;
      const file: OpenFile | undefined = await this.#applet.tryOpen(path, (name, why) => `${name}: ${why}`);
      if (file) this.#lines = this.#applet.lines(file);
    }
  }

  async next(): Promise<Line | undefined> {
    if (!this.started) {
      this.started = true;
      this.#ahead = await this.#fetch();
    }
    const line = this.#ahead;
    if (!line) return undefined;
    this.number++;
    this.#ahead = await this.#fetch();
    return line;
  }

  get isLast(): boolean {
    return this.#ahead === undefined;
  }
}

class Sed {
  #applet: Applet;
  #commands: readonly Command[];
  #quiet: boolean;
  #input: Input;
  #output: (text: string) => Promise<void> | undefined;
  #files = new Map<string, OpenFile>();
  #pattern: Line = { text: '', terminated: true };
  #hold = '';
  #appended: { text?: string; file?: string }[] = [];
  #lastRegex: PosixRegex | undefined;
  #replaced = false;
  #steps = 0;
  /** The last line printed had no newline: one is due before anything more. */
  #newlineDue = false;

  constructor(applet: Applet, commands: readonly Command[], quiet: boolean, input: Input, output: (text: string) => Promise<void> | undefined) {
    this.#applet = applet;
    this.#commands = commands;
    this.#quiet = quiet;
    this.#input = input;
    this.#output = output;
  }

  async #print(text: string, terminated = true): Promise<void> {
    const waiting = this.#output(`${this.#newlineDue ? '\n' : ''}${text}${terminated ? '\n' : ''}`);
    this.#newlineDue = !terminated;
    if (waiting) await waiting;
  }

  async run(): Promise<number> {
    for (;;) {
      const line = await this.#input.next();
      if (!line) return this.#applet.code;
      this.#pattern = { ...line };
      const end = await this.#cycle();
      if (end !== undefined) return end;
    }
  }

  /** Runs the script on the pattern space; a number ends sed with it. */
  async #cycle(): Promise<number | undefined> {
    this.#replaced = false;
    for (let at = 0; at < this.#commands.length; at++) {
      if (++this.#steps % 50 === 0) await this.#applet.process.cpu(0.05);
      const heldBytes = this.#pattern.text.length + this.#hold.length;
      if (heldBytes > BIG_BYTES) {
        this.#applet.process.useMemory(heldBytes);
        await this.#applet.process.cpu(heldBytes / 1_000_000);
      }
      const command = this.#commands[at] as Command;
      if (!this.#selects(command)) {
        if (command.name === '{') at = command.target;
        continue;
      }
      switch (command.name) {
        case 's':
          await this.#substitute(command);
          break;
        case 'y':
          this.#pattern.text = [...this.#pattern.text].map((char) => command.translate?.get(char) ?? char).join('');
          break;
        case 'd':
          await this.#finish(false);
          return undefined;
        case 'D': {
          const newline = this.#pattern.text.indexOf('\n');
          if (newline < 0) {
            await this.#finish(false);
            return undefined;
          }
          this.#pattern.text = this.#pattern.text.slice(newline + 1);
          await this.#finish(false);
          at = -1;
          break;
        }
        case 'p':
          await this.#print(this.#pattern.text, this.#pattern.terminated);
          break;
        case 'P':
          await this.#print(this.#pattern.text.split('\n')[0] as string);
          break;
        case 'n':
        case 'N': {
          if (command.name === 'N' && this.#input.isLast) {
            await this.#finish(true);
            return this.#applet.code;
          }
          if (command.name === 'n' && this.#input.isLast) {
            await this.#finish(true);
            return this.#applet.code;
          }
          if (command.name === 'n') await this.#finish(true);
          else await this.#flushAppended();
          const line = (await this.#input.next()) as Line;
          this.#pattern = command.name === 'n' ? { ...line } : { text: `${this.#pattern.text}\n${line.text}`, terminated: line.terminated };
          break;
        }
        case 'g':
          this.#pattern.text = this.#hold;
          break;
        case 'G':
          this.#pattern.text += `\n${this.#hold}`;
          break;
        case 'h':
          this.#hold = this.#pattern.text;
          break;
        case 'H':
          this.#hold += `\n${this.#pattern.text}`;
          break;
        case 'x':
          [this.#pattern.text, this.#hold] = [this.#hold, this.#pattern.text];
          break;
        case 'z':
          this.#pattern.text = '';
          break;
        case '=':
          await this.#print(String(this.#input.number));
          break;
        case 'l':
          await this.#print(`${visible(this.#pattern.text)}$`);
          break;
        case 'a':
          this.#appended.push({ text: command.text });
          break;
        case 'i':
          await this.#print(command.text);
          break;
        case 'c':
          if (!command.to || command.negated || !command.active) await this.#print(command.text);
          await this.#finish(false);
          return undefined;
        case 'r':
          this.#appended.push({ file: command.text });
          break;
        case 'w':
          await this.#writeFile(command.text, `${this.#pattern.text}\n`);
          break;
        case 'b':
          at = command.text === '' ? this.#commands.length : command.target;
          break;
        case 't':
        case 'T':
          if (this.#replaced === (command.name === 't')) at = command.text === '' ? this.#commands.length : command.target;
          this.#replaced = false;
          break;
        case 'q':
          await this.#finish(true);
          return Number(command.text || 0);
        case 'Q':
          return Number(command.text || 0);
        default:
      }
    }
    await this.#finish(true);
    return undefined;
  }

  async #finish(print: boolean): Promise<void> {
    if (print && !this.#quiet) await this.#print(this.#pattern.text, this.#pattern.terminated);
    await this.#flushAppended();
  }

  async #flushAppended(): Promise<void> {
    for (const { text, file } of this.#appended.splice(0)) {
      if (text !== undefined) await this.#print(text);
      else if (file !== undefined) {
        try {
          const content = await this.#applet.readText(this.#applet.open(file));
          if (content !== '') await this.#print(content.replace(/\n$/, ''), content.endsWith('\n'));
        } catch (error) {
          if (!(error instanceof Errno)) throw error;
        }
      }
    }
  }

  #selects(command: Command): boolean {
    return this.#inRange(command) !== command.negated;
  }

  #inRange(command: Command): boolean {
    const { from, to } = command;
    const line = this.#input.number;
    if (!from) return true;
    if (!to) return this.#matches(from);
    if (command.active) {
      if (to.kind === 'line' || to.kind === 'plus' || to.kind === 'multiple') {
        if (line >= command.endLine) command.active = false;
        // A range whose end is already behind selects its first line only.
        return line <= command.endLine;
      }
      if (this.#matches(to)) command.active = false;
      return true;
    }
    const zero = from.kind === 'line' && from.line === 0;
    if (zero ? line !== 1 : !this.#matches(from)) return false;
    command.active = true;
    if (to.kind === 'line') {
      command.endLine = to.line;
      if (to.line <= line) command.active = false;
    } else if (to.kind === 'plus') {
      command.endLine = line + to.count;
      if (to.count === 0) command.active = false;
    } else if (to.kind === 'multiple') {
      command.endLine = to.of > 0 ? Math.ceil(line / to.of) * to.of : line;
      if (command.endLine <= line) command.active = false;
    } else if ((to.kind === 'last' && this.#input.isLast) || (zero && this.#matches(to))) command.active = false;
    return true;
  }

  #matches(address: Address): boolean {
    switch (address.kind) {
      case 'line':
        return this.#input.number === address.line;
      case 'last':
        return this.#input.isLast;
      case 'step':
        return address.step > 0
          ? this.#input.number >= address.first && (this.#input.number - address.first) % address.step === 0
          : this.#input.number === address.first;
      case 'regex':
        return this.#pick(address.regex).test(this.#pattern.text);
      default:
        return false;
    }
  }

  #pick(regex: PosixRegex | undefined): PosixRegex {
    const chosen = regex ?? this.#lastRegex;
    if (!chosen) throw new Failure('no previous regexp');
    this.#lastRegex = chosen;
    return chosen;
  }

  async #substitute(command: Command): Promise<void> {
    const rule = command.substitute as NonNullable<Command['substitute']>;
    const regex = this.#pick(rule.regex);
    const text = this.#pattern.text;
    let out = '';
    let copied = 0;
    let found = 0;
    let changed = false;
    let justMatched = -1;
    for (let from = 0; from <= text.length; ) {
      const match = regex.exec(text, from);
      // Long lines cost much: Ctrl-C must come through.
      await this.#applet.process.cpu(0);
      if (!match) break;
      const whole = match.groups[0] as string;
      const end = match.index + whole.length;
      // An empty match right behind a match is none.
      if (whole === '' && match.index === justMatched) {
        from = end + 1;
        continue;
      }
      found++;
      if (found >= rule.occurrence) {
        out += text.slice(copied, match.index) + expandReplacement(rule.replacement, match.groups);
        copied = end;
        changed = true;
      }
      justMatched = end;
      if (changed && !rule.global) break;
      from = whole === '' ? end + 1 : end;
    }
    if (!changed) return;
    this.#replaced = true;
    this.#pattern.text = out + text.slice(copied);
    if (rule.print) await this.#print(this.#pattern.text, this.#pattern.terminated);
    if (rule.file !== undefined) await this.#writeFile(rule.file, `${this.#pattern.text}\n`);
  }

  async #writeFile(path: string, text: string): Promise<void> {
    if (path === '/dev/stdout') {
      await this.#output(text);
      return;
    }
    let file = this.#files.get(path);
    if (!file) {
      file = path === '/dev/stderr' ? this.#applet.process.stderr : this.#applet.process.open(this.#applet.path(path), 'w');
      this.#files.set(path, file);
    }
    await file.write(bytesOf(text));
  }
}

function visible(text: string): string {
  let out = '';
  for (const char of text) {
    const code = char.charCodeAt(0);
    const named = { '\\': '\\\\', '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' }[char];
    out += named ?? (code < 32 || code > 126 ? `\\${code.toString(8).padStart(3, '0')}` : char);
  }
  return out;
}

async function sed(applet: Applet): Promise<number | undefined> {
  const options = getopt(applet.args, 'i::rEne:f:sz', { 'in-place': 'i', 'regexp-extended': 'r', quiet: 'n', silent: 'n', expression: 'e', file: 'f' });
  const rest = [...options.rest];
  const scripts: string[] = [];
  for (const { letter, value } of options.order) {
    if (letter === 'e') scripts.push(value as string);
    else if (letter === 'f') scripts.push((await applet.readText(applet.open(value as string))).replace(/\n$/, ''));
  }
  if (!options.has('e') && !options.has('f')) {
    const script = rest.shift();
    if (script === undefined) throw new UsageError();
    scripts.push(script);
  }
  const text = scripts.join('\n');
  const extended = options.has('r') || options.has('E');
  const quiet = options.has('n') || text.startsWith('#n\n');
  if (!options.has('i')) {
    const commands = new ScriptParser(text, extended, applet.process).parse();
    const sedRun = new Sed(applet, commands, quiet, new Input(applet, rest.length > 0 ? rest : ['-']), (piece) => applet.put(piece));
    return sedRun.run();
  }
  if (rest.length === 0) throw new UsageError();
  let code = 0;
  for (const path of rest) {
    const real = applet.path(path);
    if (!applet.fs.exists(real)) {
      await applet.complain(`${path}: No such file or directory`);
      continue;
    }
    const info = applet.fs.stat(real);
    let result = '';
    const commands = new ScriptParser(text, extended, applet.process).parse();
    code = Math.max(
      code,
      await new Sed(applet, commands, quiet, new Input(applet, [path]), (piece) => {
        result += piece;
        return undefined;
      }).run(),
    );
    const suffix = options.get('i');
    if (suffix) applet.fs.rename(real, `${real}${suffix}`);
    // In place means a new file under the old name, as sed makes it.
    const target = applet.process.open(real, 'w', info.mode & 0o777);
    try {
      await target.write(bytesOf(result));
    } finally {
      target.close();
    }
  }
  return Math.max(code, applet.code);
}

export const sedApplets = { sed: program('[-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\nor: sed [-i[SFX]] [-nrE] CMD [FILE]...', sed) };
