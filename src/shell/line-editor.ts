import { encodeText, type Process, StreamDecoder, type Tty } from '../unix/index.ts';
import type { Completion } from './completion.ts';
import { commonPrefix, inColumns, type Place, placeOf, quoteLike, splitKeys, unquote } from './line-editor-text.ts';
import type { Dialect } from './syntax.ts';

export interface LineEditorOptions {
  /** The shell, or what stands for it before it is loaded. */
  owner: { readonly process: Process; readonly dialect: Dialect; readonly history: readonly string[] };
  tty: Tty;
  complete(line: string, cursor: number): Promise<Completion>;
}

/**
 * Reads a line with editing, history and completion, as readline and BusyBox' lineedit do with their default keys. The
 * terminal is in raw mode only while a line is being edited, so that nothing a program does can take the prompt away.
 */
export class LineEditor {
  #options: LineEditorOptions;
  #prompt = '';
  /** Characters, so that the cursor never stands inside one. */
  #text: string[] = [];
  #cursor = 0;
  /** Screen row of the cursor, from the prompt's row. */
  #row = 0;
  #killed: string[] = [];
  #historyIndex = 0;
  #draft = '';
  #lastWasTab = false;
  #search: { query: string; index: number; saved: string } | undefined;
  #pasting = false;
  #decoder = new StreamDecoder();

  constructor(options: LineEditorOptions) {
    this.#options = options;
  }

  /** The line that was entered; undefined at Ctrl-D on an empty line or when the terminal is gone. */
  async readLine(prompt: string): Promise<string | 'interrupted' | undefined> {
    const { tty, owner: shell } = this.#options;
    const lastBreak = prompt.lastIndexOf('\n') + 1;
    this.#prompt = prompt.slice(lastBreak);
    this.#text = [];
    this.#cursor = 0;
    this.#row = 0;
    this.#historyIndex = shell.history.length;
    this.#draft = '';
    this.#search = undefined;
    this.#lastWasTab = false;
    tty.raw = true;
    tty.translateOutput = true;
    const resized = tty.onResize(() => void this.#redraw());
    await this.#write(`${shell.dialect === 'bash' ? '\x1b[?2004h' : ''}${prompt.slice(0, lastBreak)}${this.#prompt}`);
    let result: string | 'interrupted' | undefined;
    let rest = '';
    try {
      for (let done = false; !done; ) {
        const chunk = await shell.process.stdin.read();
        if (chunk === null) break;
        const keys = splitKeys(this.#decoder.decode(chunk));
        for (let i = 0; i < keys.length && !done; i++) {
          const outcome = await this.#key(keys[i]!);
          if (outcome === undefined) continue;
          done = true;
          result = outcome === 'enter' ? this.#text.join('') : outcome === 'interrupted' ? 'interrupted' : undefined;
          rest = keys.slice(i + 1).join('');
        }
      }
    } finally {
      resized.dispose();
      tty.raw = false;
    }
    await this.#write(shell.dialect === 'bash' ? '\x1b[?2004l' : '');
    // What was typed ahead belongs to whoever reads next.
    if (rest) tty.typeAhead(rest);
    return result;
  }

  async #write(text: string): Promise<void> {
    if (text) await this.#options.owner.process.stderr.write(encodeText(text));
  }

  /** Handles one key. A result ends the line. */
  async #key(key: string): Promise<'enter' | 'interrupted' | 'end' | undefined> {
    if (key === '\x1b[200~') this.#pasting = true;
    else if (key === '\x1b[201~') this.#pasting = false;
    else if (this.#pasting) await this.#insert(key === '\r' ? '\n' : key === '\t' ? '    ' : /^[\x00-\x08\x0b-\x1f\x7f]/.test(key) ? '' : key);
    else if (this.#search) return this.#searchKey(key);
    else return this.#editKey(key);
    return undefined;
  }

  async #editKey(key: string): Promise<'enter' | 'interrupted' | 'end' | undefined> {
    const tab = key === '\t';
    const repeatedTab = tab && this.#lastWasTab;
    this.#lastWasTab = tab;
    switch (key) {
      case '\r':
      case '\n':
        await this.#moveTo(this.#text.length);
        await this.#write('\n');
        return 'enter';
      case '\x03':
        await this.#moveTo(this.#text.length);
        await this.#write('^C\n');
        return 'interrupted';
      case '\x04':
        if (this.#text.length === 0) return 'end';
        await this.#delete(this.#cursor, this.#cursor + 1);
        break;
      case '\x1b[3~':
        await this.#delete(this.#cursor, this.#cursor + 1);
        break;
      case '\x7f':
      case '\b':
        await this.#delete(this.#cursor - 1, this.#cursor);
        break;
      case '\t':
        await this.#complete(repeatedTab);
        break;
      case '\x01':
      case '\x1b[H':
      case '\x1bOH':
      case '\x1b[1~':
      case '\x1b[7~':
        await this.#moveTo(0);
        break;
      case '\x05':
      case '\x1b[F':
      case '\x1bOF':
      case '\x1b[4~':
      case '\x1b[8~':
        await this.#moveTo(this.#text.length);
        break;
      case '\x02':
      case '\x1b[D':
      case '\x1bOD':
        await this.#moveTo(this.#cursor - 1);
        break;
      case '\x06':
      case '\x1b[C':
      case '\x1bOC':
        await this.#moveTo(this.#cursor + 1);
        break;
      case '\x1bb':
      case '\x1b[1;5D':
      case '\x1b[1;3D':
        await this.#moveTo(this.#wordStart());
        break;
      case '\x1bf':
      case '\x1b[1;5C':
      case '\x1b[1;3C':
        await this.#moveTo(this.#wordEnd());
        break;
      case '\x0b':
        await this.#kill(this.#cursor, this.#text.length);
        break;
      case '\x15':
        await this.#kill(0, this.#cursor);
        break;
      case '\x17': {
        let start = this.#cursor;
        while (start > 0 && /\s/.test(this.#text[start - 1]!)) start--;
        while (start > 0 && !/\s/.test(this.#text[start - 1]!)) start--;
        await this.#kill(start, this.#cursor);
        break;
      }
      case '\x1b\x7f':
      case '\x1b\b':
        await this.#kill(this.#wordStart(), this.#cursor);
        break;
      case '\x1bd':
        await this.#kill(this.#cursor, this.#wordEnd());
        break;
      case '\x19':
        await this.#insert(this.#killed.join(''));
        break;
      case '\x14':
        await this.#transpose();
        break;
      case '\x0c':
        this.#row = 0;
        await this.#write('\x1b[H\x1b[2J');
        await this.#redraw();
        break;
      case '\x10':
      case '\x1b[A':
      case '\x1bOA':
        await this.#browse(-1);
        break;
      case '\x0e':
      case '\x1b[B':
      case '\x1bOB':
        await this.#browse(1);
        break;
      case '\x12':
        this.#search = { query: '', index: this.#options.owner.history.length, saved: this.#text.join('') };
        await this.#showSearch();
        break;
      default:
        if (key >= ' ' && !key.startsWith('\x7f')) await this.#insert(key);
    }
    return undefined;
  }

  // ---- editing ----

  async #insert(text: string): Promise<void> {
    const characters = [...text];
    if (characters.length === 0) return;
    const atEnd = this.#cursor === this.#text.length;
    const before = this.#place(this.#cursor);
    this.#text.splice(this.#cursor, 0, ...characters);
    this.#cursor += characters.length;
    const after = this.#place(this.#cursor);
    // Typing at the end of a row needs no redraw.
    if (atEnd && before.row === after.row && after.column > before.column && !text.includes('\n')) await this.#write(text);
    else await this.#redraw();
  }

  async #delete(from: number, to: number): Promise<void> {
    const start = Math.max(0, from);
    const end = Math.min(this.#text.length, to);
    if (start >= end) return;
    this.#text.splice(start, end - start);
    this.#cursor = start;
    await this.#redraw();
  }

  async #kill(from: number, to: number): Promise<void> {
    if (from >= to) return;
    this.#killed = this.#text.slice(from, to);
    await this.#delete(from, to);
  }

  async #transpose(): Promise<void> {
    if (this.#text.length < 2 || this.#cursor === 0) return;
    const at = Math.min(this.#cursor, this.#text.length - 1);
    const left = this.#text[at - 1]!;
    this.#text[at - 1] = this.#text[at]!;
    this.#text[at] = left;
    this.#cursor = at + 1;
    await this.#redraw();
  }

  #wordStart(): number {
    let at = this.#cursor;
    while (at > 0 && !/[\p{L}\p{N}]/u.test(this.#text[at - 1]!)) at--;
    while (at > 0 && /[\p{L}\p{N}]/u.test(this.#text[at - 1]!)) at--;
    return at;
  }

  #wordEnd(): number {
    let at = this.#cursor;
    while (at < this.#text.length && !/[\p{L}\p{N}]/u.test(this.#text[at]!)) at++;
    while (at < this.#text.length && /[\p{L}\p{N}]/u.test(this.#text[at]!)) at++;
    return at;
  }

  async #replace(text: string): Promise<void> {
    this.#text = [...text];
    this.#cursor = this.#text.length;
    await this.#redraw();
  }

  async #browse(step: number): Promise<void> {
    const { history } = this.#options.owner;
    const next = this.#historyIndex + step;
    if (next < 0 || next > history.length) return;
    if (this.#historyIndex === history.length) this.#draft = this.#text.join('');
    this.#historyIndex = next;
    await this.#replace(history[next] ?? this.#draft);
  }

  // ---- searching backwards ----

  async #searchKey(key: string): Promise<'enter' | 'interrupted' | 'end' | undefined> {
    const search = this.#search!;
    const { history } = this.#options.owner;
    const find = (from: number): void => {
      for (let i = Math.min(from, history.length - 1); i >= 0; i--) {
        if (search.query && history[i]!.includes(search.query)) {
          search.index = i;
          return;
        }
      }
    };
    if (key === '\x12') find(search.index - 1);
    else if (key === '\x7f' || key === '\b') {
      search.query = [...search.query].slice(0, -1).join('');
      search.index = history.length;
      find(history.length - 1);
    } else if (key >= ' ' && !key.startsWith('\x1b')) {
      search.query += key;
      find(search.index);
    } else {
      // Any other key takes the line that was found, and then does what it does.
      const found = key === '\x07' || key === '\x03' ? search.saved : (history[search.index] ?? search.saved);
      this.#search = undefined;
      await this.#replace(found);
      return key === '\x07' || key === '\x1b' ? undefined : this.#editKey(key);
    }
    await this.#showSearch();
    return undefined;
  }

  async #showSearch(): Promise<void> {
    const search = this.#search!;
    const found = this.#options.owner.history[search.index] ?? '';
    const prompt = this.#prompt;
    this.#prompt = `(reverse-i-search)\`${search.query}': `;
    this.#text = [...found];
    this.#cursor = Math.max(0, [...found.slice(0, Math.max(0, found.indexOf(search.query)))].length);
    await this.#redraw();
    this.#prompt = prompt;
  }

  // ---- completion ----

  async #complete(listing: boolean): Promise<void> {
    const line = this.#text.join('');
    const cursor = this.#text.slice(0, this.#cursor).join('').length;
    let completion: Completion;
    try {
      completion = await this.#options.complete(line, cursor);
    } catch {
      // A completer that fails (the cluster is away) completes nothing.
      return;
    }
    const { candidates, start } = completion;
    if (candidates.length === 0) {
      await this.#write('\x07');
      return;
    }
    const typed = line.slice(start, cursor);
    const shared = commonPrefix(candidates);
    const only = candidates.length === 1;
    const suffix = only && !completion.noSpace && !/[/=:]$/.test(shared) && line[cursor] !== ' ' ? ' ' : '';
    if (shared.length > unquote(typed).length || (only && suffix)) {
      const before = [...line.slice(0, start)];
      const inserted = [...quoteLike(typed, shared), ...suffix];
      const added = inserted.slice([...line.slice(start, cursor)].length);
      if (inserted.join('').startsWith(typed)) {
        await this.#insert(added.join(''));
        return;
      }
      this.#text = [...before, ...inserted, ...line.slice(cursor)];
      this.#cursor = before.length + inserted.length;
      await this.#redraw();
      return;
    }
    if (!listing) {
      await this.#write('\x07');
      return;
    }
    const at = this.#cursor;
    await this.#moveTo(this.#text.length);
    await this.#write(
      `\n${inColumns(
        candidates.map((candidate) => candidate.slice(completion.hidden)),
        this.#options.tty.columns,
      )}`,
    );
    this.#row = 0;
    this.#cursor = at;
    await this.#redraw();
  }

  // ---- screen ----

  async #moveTo(position: number): Promise<void> {
    const target = Math.max(0, Math.min(this.#text.length, position));
    const place = this.#place(target);
    let sequence = '';
    if (place.row < this.#row) sequence += `\x1b[${this.#row - place.row}A`;
    else if (place.row > this.#row) sequence += `\x1b[${place.row - this.#row}B`;
    sequence += `\r${place.column > 0 ? `\x1b[${place.column}C` : ''}`;
    if (target !== this.#cursor) await this.#write(sequence);
    this.#cursor = target;
    this.#row = place.row;
  }

  /** Draws prompt and line anew and puts the cursor in its place. */
  async #redraw(): Promise<void> {
    const end = this.#place(this.#text.length);
    const place = this.#place(this.#cursor);
    let output = `${this.#row > 0 ? `\x1b[${this.#row}A` : ''}\r\x1b[J${this.#prompt}${this.#text.join('')}`;
    // A row that is exactly full leaves the cursor on it until something follows.
    if (end.column === 0 && this.#text.length > 0 && this.#text.at(-1) !== '\n') output += '\n';
    if (place.row < end.row) output += `\x1b[${end.row - place.row}A`;
    if (place.row !== end.row || place.column !== end.column) output += `\r${place.column > 0 ? `\x1b[${place.column}C` : ''}`;
    this.#row = place.row;
    await this.#write(output);
  }

  #place(position: number): Place {
    return placeOf(this.#prompt, this.#text.slice(0, position), this.#options.tty.columns);
  }
}
