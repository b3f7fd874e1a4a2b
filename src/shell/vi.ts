import { characterWidth, decodeText, Errno, encodeText, type Process, type Program, StreamDecoder, type Tty } from '../unix/index.ts';
import { splitKeys } from './line-editor-text.ts';
import { ViBuffer } from './vi-buffer.ts';

const ESCAPE = '\x1b';
const ARROWS: Record<string, string> = {
  '\x1b[A': 'k',
  '\x1b[B': 'j',
  '\x1b[C': 'l',
  '\x1b[D': 'h',
  '\x1bOA': 'k',
  '\x1bOB': 'j',
  '\x1bOC': 'l',
  '\x1bOD': 'h',
  '\x1b[H': '0',
  '\x1b[F': '$',
  '\x1b[3~': 'x',
};

/** A small vi, as BusyBox has one: motions, insert, delete, yank and put, search, undo, and the `:` commands to write and quit. */
export const viProgram: Program = async (process) => {
  const tty = process.stdin.tty;
  if (!tty) {
    await process.err('vi: standard input is not a terminal\n');
    return 1;
  }
  const name = process.argv.slice(1).find((word) => !word.startsWith('-') && !word.startsWith('+'));
  const editor = new Vi(process, tty, name);
  return editor.run();
};

class Vi {
  readonly #process: Process;
  readonly #tty: Tty;
  #name: string | undefined;
  #buffer: ViBuffer;
  #mode: 'normal' | 'insert' | 'command' = 'normal';
  /** First line on the screen. */
  #top = 0;
  #status = '';
  #command = '';
  #pending = '';
  #count = '';
  #searched = '';
  #done = false;

  constructor(process: Process, tty: Tty, name: string | undefined) {
    this.#process = process;
    this.#tty = tty;
    this.#name = name;
    let text = '';
    if (name !== undefined) {
      try {
        text = decodeText(process.machine.fs.readFile(process.resolve(name)));
        this.#status = `'${name}' ${text.split('\n').length - 1}L, ${encodeText(text).length}C`;
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        this.#status = `'${name}' [New file]`;
      }
    }
    this.#buffer = new ViBuffer(text);
  }

  async run(): Promise<number> {
    const { stdin } = this.#process;
    const decoder = new StreamDecoder();
    this.#tty.raw = true;
    await this.#write('\x1b[?1049h');
    const resized = this.#tty.onResize(() => void this.#draw());
    try {
      while (!this.#done) {
        await this.#draw();
        const chunk = await stdin.read();
        if (chunk === null) break;
        for (const key of splitKeys(decoder.decode(chunk))) if (!this.#done) this.#key(key);
      }
    } finally {
      resized.dispose();
      this.#tty.raw = false;
    }
    await this.#write('\x1b[?1049l');
    return 0;
  }

  async #write(text: string): Promise<void> {
    await this.#process.stdout.write(encodeText(text));
  }

  // ---- screen ----

  async #draw(): Promise<void> {
    const { columns, rows } = this.#tty;
    const buffer = this.#buffer;
    const height = Math.max(1, rows - 1);
    if (buffer.row < this.#top) this.#top = buffer.row;
    if (buffer.row >= this.#top + height) this.#top = buffer.row - height + 1;
    let screen = '\x1b[?25l\x1b[H';
    for (let i = 0; i < height; i++) {
      const line = buffer.lines[this.#top + i];
      screen += `${line ? shown(line, columns).text : '~'}\x1b[K\r\n`;
    }
    const column = shown(buffer.line.slice(0, buffer.column), columns).width;
    const bottom =
      this.#mode === 'command'
        ? this.#command
        : this.#status ||
          `${this.#mode === 'insert' ? 'I' : '-'} ${this.#name ?? 'No file'}${buffer.changed ? ' [modified]' : ''} ${buffer.row + 1}/${buffer.lines.length}`;
    screen += `${[...bottom].slice(0, columns - 1).join('')}\x1b[K`;
    screen += this.#mode === 'command' ? '' : `\x1b[${buffer.row - this.#top + 1};${Math.min(column, columns - 1) + 1}H`;
    await this.#write(`${screen}\x1b[?25h`);
  }

  // ---- keys ----

  #key(key: string): void {
    this.#status = '';
    if (this.#mode === 'insert') this.#insertKey(key);
    else if (this.#mode === 'command') this.#commandKey(key);
    else this.#normalKey(ARROWS[key] ?? key);
  }

  #insertKey(key: string): void {
    const buffer = this.#buffer;
    if (key === ESCAPE) {
      this.#mode = 'normal';
      buffer.moveTo(buffer.row, buffer.column - 1);
    } else if (key === '\x7f' || key === '\b') buffer.backspace();
    else if (key === '\r' || key === '\n') buffer.insert('\n');
    else if (ARROWS[key] && 'hjkl'.includes(ARROWS[key])) this.#move(ARROWS[key], true);
    else if (key === '\t' || key >= ' ') buffer.insert(key.startsWith(ESCAPE) ? '' : key);
  }

  #commandKey(key: string): void {
    if (key === '\r' || key === '\n') {
      const command = this.#command;
      this.#mode = 'normal';
      if (command.startsWith('/')) this.#find(command.slice(1), true);
      else this.#colon(command.slice(1));
    } else if (key === ESCAPE || key === '\x03') this.#mode = 'normal';
    else if (key === '\x7f' || key === '\b') {
      this.#command = [...this.#command].slice(0, -1).join('');
      if (this.#command === '') this.#mode = 'normal';
    } else if (key >= ' ' && !key.startsWith(ESCAPE)) this.#command += key;
  }

  #normalKey(key: string): void {
    const buffer = this.#buffer;
    if (/^[1-9]$/.test(key) || (key === '0' && this.#count)) {
      this.#count += key;
      return;
    }
    const given = this.#count;
    const count = Math.min(10_000, Number(given || 1));
    this.#count = '';
    const pending = this.#pending;
    this.#pending = '';
    if (pending) {
      this.#operator(pending, key, count);
      return;
    }
    if ('dycgZr'.includes(key)) {
      this.#pending = key;
      this.#count = given;
      return;
    }
    if (this.#move(key, false, count, given !== '')) return;
    const insert = (column: number): void => {
      buffer.beforeChange();
      buffer.moveTo(buffer.row, column, true);
      this.#mode = 'insert';
    };
    switch (key) {
      case 'i':
        insert(buffer.column);
        return;
      case 'a':
        insert(buffer.column + 1);
        return;
      case 'I':
        insert(
          Math.max(
            0,
            buffer.line.findIndex((character) => character.trim() !== ''),
          ),
        );
        return;
      case 'A':
        insert(buffer.line.length);
        return;
      case 'o':
      case 'O':
        insert(0);
        buffer.lines.splice(buffer.row + (key === 'o' ? 1 : 0), 0, []);
        buffer.moveTo(buffer.row + (key === 'o' ? 1 : 0), 0);
        return;
      case 'x':
        buffer.beforeChange();
        buffer.deleteWithin(buffer.column, buffer.column + count);
        return;
      case 'D':
        buffer.beforeChange();
        buffer.deleteWithin(buffer.column, buffer.line.length);
        return;
      case 'J':
        if (buffer.row + 1 >= buffer.lines.length) return;
        buffer.beforeChange();
        buffer.line.push(
          ' ',
          ...[
            ...buffer.lines
              .splice(buffer.row + 1, 1)[0]!
              .join('')
              .trimStart(),
          ],
        );
        return;
      case 'p':
      case 'P':
        buffer.beforeChange();
        for (let i = 0; i < count; i++) buffer.put(key === 'p');
        return;
      case 'u':
        if (!buffer.undo()) this.#status = 'Already at oldest change';
        return;
      case 'n':
      case 'N':
        this.#find(this.#searched, key === 'n');
        return;
      case ':':
      case '/':
        this.#mode = 'command';
        this.#command = key;
        return;
      default:
    }
  }

  /** Motions; false when the key is none. */
  #move(key: string, past: boolean, count = 1, counted = false): boolean {
    const buffer = this.#buffer;
    const page = Math.max(1, this.#tty.rows - 3);
    const repeat = (step: () => void): void => {
      for (let i = 0; i < count; i++) step();
    };
    const motions: Record<string, () => void> = {
      h: () => buffer.moveTo(buffer.row, buffer.column - count, past),
      l: () => buffer.moveTo(buffer.row, buffer.column + count, past),
      j: () => buffer.moveTo(buffer.row + count, buffer.column, past),
      k: () => buffer.moveTo(buffer.row - count, buffer.column, past),
      ' ': () => buffer.moveTo(buffer.row, buffer.column + count),
      '\r': () => buffer.moveTo(buffer.row + count, 0),
      '0': () => buffer.moveTo(buffer.row, 0),
      '^': () =>
        buffer.moveTo(
          buffer.row,
          Math.max(
            0,
            buffer.line.findIndex((character) => character.trim() !== ''),
          ),
        ),
      $: () => buffer.moveTo(buffer.row, buffer.line.length),
      w: () => repeat(() => buffer.wordForward()),
      b: () => repeat(() => buffer.wordBack()),
      e: () => repeat(() => buffer.wordEnd()),
      G: () => buffer.moveTo(counted ? count - 1 : buffer.lines.length - 1, 0),
      '\x06': () => buffer.moveTo(buffer.row + page, buffer.column),
      '\x02': () => buffer.moveTo(buffer.row - page, buffer.column),
      '\x04': () => buffer.moveTo(buffer.row + Math.ceil(page / 2), buffer.column),
      '\x15': () => buffer.moveTo(buffer.row - Math.ceil(page / 2), buffer.column),
    };
    const motion = Object.hasOwn(motions, key) ? motions[key] : undefined;
    motion?.();
    return motion !== undefined;
  }

  /** `dd`, `dw`, `yy`, `cc`, `cw`, `gg`, `ZZ`, `rX`. */
  #operator(operator: string, key: string, count: number): void {
    const buffer = this.#buffer;
    if (operator === 'g') {
      if (key === 'g') buffer.moveTo(0, 0);
      return;
    }
    if (operator === 'Z') {
      if (key === 'Z') this.#colon('x');
      else if (key === 'Q') this.#done = true;
      return;
    }
    if (operator === 'r') {
      if (key < ' ' || buffer.line.length === 0) return;
      buffer.beforeChange();
      buffer.line[buffer.column] = key;
      return;
    }
    const { row, column } = buffer;
    if (operator === 'y') {
      if (key === 'y') buffer.register = { linewise: true, lines: buffer.lines.slice(row, row + count).map((line) => [...line]) };
      return;
    }
    buffer.beforeChange();
    if (key === operator) {
      if (operator === 'd') buffer.deleteLines(row, count);
      else buffer.deleteWithin(0, buffer.line.length);
    } else {
      // Within the line: up to where the motion leads.
      if (!this.#move(operator === 'c' && key === 'w' ? 'e' : key, true, count)) return;
      const inclusive = key === 'e' || key === '$' || (operator === 'c' && key === 'w');
      const target = buffer.row === row ? buffer.column + (inclusive ? 1 : 0) : buffer.row > row ? buffer.lines[row]!.length : 0;
      const end = key === 'w' && buffer.row === row && buffer.column === buffer.line.length - 1 && operator === 'd' ? buffer.line.length : target;
      buffer.row = row;
      buffer.deleteWithin(Math.min(column, end), Math.max(column, end));
    }
    if (operator === 'c') {
      buffer.column = key === operator ? 0 : Math.min(column, buffer.line.length);
      this.#mode = 'insert';
    }
  }

  #find(text: string, forward: boolean): void {
    if (text) this.#searched = text;
    if (this.#searched && !this.#buffer.search(this.#searched, forward)) this.#status = 'Pattern not found';
  }

  // ---- commands ----

  #colon(command: string): void {
    const buffer = this.#buffer;
    const [, verb = '', force = '', argument = ''] = /^(wq|w|q|x|\d+|\$|s[^a-z].*)(!?)\s*(.*)$/.exec(command.trim()) ?? [];
    if (command.trim() === '') return;
    if (/^(\d+|\$)$/.test(verb)) buffer.moveTo(verb === '$' ? buffer.lines.length - 1 : Number(verb) - 1, 0);
    else if (verb === 'q') {
      if (buffer.changed && !force) this.#status = 'No write since last change (:q! overrides)';
      else this.#done = true;
    } else if (verb === 'w' || verb === 'wq' || verb === 'x') {
      if (verb === 'x' && !buffer.changed) this.#done = true;
      else if (this.#save(argument || this.#name) && verb !== 'w') this.#done = true;
    } else this.#substitute(command.trim());
  }

  #save(name: string | undefined): boolean {
    if (name === undefined) {
      this.#status = 'No current filename';
      return false;
    }
    const text = this.#buffer.text();
    const process = this.#process;
    try {
      const path = process.resolve(name);
      const { fs } = process.machine;
      fs.writeFile(path, text, fs.exists(path) ? {} : { uid: process.uid, gid: process.gid });
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      this.#status = `'${name}' ${error.message}`;
      return false;
    }
    this.#name ??= name;
    this.#buffer.changed = false;
    this.#status = `'${name}' ${this.#buffer.lines.length}L, ${encodeText(text).length}C`;
    return true;
  }

  /** `:s/a/b/g` and `:%s/a/b/g` with plain texts. */
  #substitute(command: string): void {
    const match = /^(%?)s(\W)(.*?)\2(.*?)(?:\2(g?))?$/.exec(command);
    if (!match) {
      this.#status = `'${command}' is not implemented`;
      return;
    }
    const [, all, , from = '', to = '', flag] = match;
    const buffer = this.#buffer;
    buffer.beforeChange();
    buffer.lines = buffer.lines.map((line, row) => {
      if (!all && row !== buffer.row) return line;
      const text = line.join('');
      return [...(flag === 'g' ? text.replaceAll(from, () => to) : text.replace(from, () => to))];
    });
    buffer.moveTo(buffer.row, buffer.column);
  }
}

/** A line as the screen shows it: tabs to every eighth column, control characters as ^X, cut at the edge. */
function shown(line: readonly string[], columns: number): { text: string; width: number } {
  let text = '';
  let width = 0;
  for (const character of line) {
    const piece = character === '\t' ? ' '.repeat(8 - (width % 8)) : character < ' ' ? `^${String.fromCharCode(character.charCodeAt(0) + 64)}` : character;
    const size = character === '\t' || character < ' ' ? piece.length : characterWidth(character.codePointAt(0)!);
    if (width + size > columns) break;
    text += piece;
    width += size;
  }
  return { text, width };
}
