import { type Disposable, type Kernel, toDisposable } from '../kernel/index.ts';
import { ByteQueue } from './pipe.ts';
import { decodeText, encodeText } from './text.ts';
import type { OpenFile, SignalName, Tty } from './types.ts';
import { characterWidth } from './width.ts';

/** Longest line that canonical mode keeps (N_TTY's buffer). */
const LINE_LIMIT = 4095;
/** What the screen takes per virtual millisecond: a flood of output takes time, as on a real terminal. */
const OUTPUT_BYTES_PER_MS = 8192;
const OUTPUT_BURST_BYTES = 262_144;

/** The screen's side of a terminal. */
export interface TerminalMaster {
  readonly tty: Tty;
  /** Keys, as the terminal emulator sends them. */
  input(data: Uint8Array | string): void;
  resize(columns: number, rows: number): void;
  /** The screen is gone: readers see the end, the foreground gets SIGHUP. */
  hangUp(): void;
}

export interface TtyOptions {
  kernel: Kernel;
  columns: number;
  rows: number;
  /** Gets what is to be shown, CR LF at line ends. A promise holds the writers back. */
  output(chunk: Uint8Array): void | Promise<void>;
}

/**
 * A terminal with Linux's default line discipline: canonical input with echo, erase (Backspace), word erase (Ctrl-W),
 * kill (Ctrl-U), end of file (Ctrl-D), signals from Ctrl-C, Ctrl-\ and Ctrl-Z, and CR LF on output. Raw mode passes
 * keys through untouched.
 */
export function createTty(options: TtyOptions): TerminalMaster {
  const terminal = new LineDiscipline(options);
  return { tty: terminal, input: (data) => terminal.input(data), resize: (columns, rows) => terminal.resize(columns, rows), hangUp: () => terminal.hangUp() };
}

class LineDiscipline implements Tty {
  columns: number;
  rows: number;
  echo = true;
  translateOutput = true;
  foreground: number | undefined;
  sendSignal: ((pgid: number, signal: SignalName) => void) | undefined;
  #raw = false;
  #kernel: Kernel;
  #output: TtyOptions['output'];
  #queue = new ByteQueue(65_536);
  #line = '';
  #resized = new Set<() => void>();
  #closed = false;
  /** Empty reads that Ctrl-D on an empty line still owes. */
  #ends = 0;
  /** Readers that wait, to be told of such an end. */
  #endWaiters: (() => void)[] = [];
  #burst = 0;
  #burstAtMs = 0;
  #partial: number[] = [];

  constructor(options: TtyOptions) {
    this.#kernel = options.kernel;
    this.#output = options.output;
    this.columns = options.columns;
    this.rows = options.rows;
  }

  get raw(): boolean {
    return this.#raw;
  }

  set raw(value: boolean) {
    this.#raw = value;
    this.translateOutput = !value;
    // What was typed ahead is not lost on the way into raw mode.
    if (value && this.#line) {
      this.#queue.push(encodeText(this.#line));
      this.#line = '';
    }
  }

  onResize(listener: () => void): Disposable {
    this.#resized.add(listener);
    return toDisposable(() => this.#resized.delete(listener));
  }

  resize(columns: number, rows: number): void {
    if (columns === this.columns && rows === this.rows) return;
    this.columns = Math.max(1, Math.floor(columns));
    this.rows = Math.max(1, Math.floor(rows));
    for (const listener of this.#resized) listener();
    this.#signal('SIGWINCH');
  }

  hangUp(): void {
    this.#closed = true;
    this.#queue.closeWrite();
    this.#signal('SIGHUP');
  }

  input(data: Uint8Array | string): void {
    if (this.#closed) return;
    const bytes = typeof data === 'string' ? encodeText(data) : data;
    if (this.#raw) {
      // A reader that never reads must not make the page run out of memory.
      if (this.#queue.length + bytes.length <= 1 << 20) this.#queue.push(bytes);
      return;
    }
    for (const character of this.#characters(bytes)) this.#key(character);
  }

  typeAhead(keys: string): void {
    const { echo } = this;
    this.echo = false;
    this.input(keys);
    this.echo = echo;
  }

  /** Whole characters; the bytes of one that was cut wait for the rest. */
  #characters(bytes: Uint8Array): string {
    const all = this.#partial.length > 0 ? Uint8Array.from([...this.#partial, ...bytes]) : bytes;
    let end = all.length;
    for (let back = 1; back <= 3 && back <= all.length; back++) {
      const byte = all[all.length - back]!;
      if ((byte & 0xc0) === 0x80) continue;
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      if (needed > back) end = all.length - back;
      break;
    }
    this.#partial = [...all.subarray(end)];
    return decodeText(all.subarray(0, end));
  }

  #key(character: string): void {
    switch (character) {
      case '\x03':
        this.#interrupt('^C', 'SIGINT');
        break;
      case '\x1c':
        this.#interrupt('^\\', 'SIGQUIT');
        break;
      case '\x1a':
        this.#interrupt('^Z', 'SIGTSTP');
        break;
      case '\x04':
        if (this.#line) this.#commit();
        else {
          this.#ends++;
          this.#endWaiters.shift()?.();
        }
        break;
      case '\x7f':
      case '\b':
        this.#erase(1);
        break;
      case '\x15':
        this.#erase([...this.#line].length);
        break;
      case '\x17': {
        const kept = this.#line.replace(/\S*\s*$/, '');
        this.#erase([...this.#line.slice(kept.length)].length);
        break;
      }
      case '\r':
      case '\n':
        this.#line += '\n';
        if (this.echo) this.#show('\r\n');
        this.#commit();
        break;
      default:
        if (this.#line.length >= LINE_LIMIT) return;
        this.#line += character;
        if (this.echo) this.#show(character < ' ' && character !== '\t' ? `^${String.fromCharCode(character.charCodeAt(0) + 64)}` : character);
    }
  }

  #interrupt(shown: string, signal: SignalName): void {
    this.#line = '';
    while (this.#queue.take());
    if (this.echo) this.#show(shown);
    this.#signal(signal);
  }

  #erase(count: number): void {
    const characters = [...this.#line];
    for (let i = 0; i < count && characters.length > 0; i++) {
      const gone = characters.pop()!;
      const width = gone < ' ' ? 2 : characterWidth(gone.codePointAt(0)!);
      if (this.echo) this.#show('\b \b'.repeat(width));
    }
    this.#line = characters.join('');
  }

  #commit(): void {
    // As the kernel does, input beyond the buffer is dropped.
    if (this.#queue.length < 65_536) this.#queue.push(encodeText(this.#line));
    this.#line = '';
  }

  #signal(signal: SignalName): void {
    if (this.foreground !== undefined) this.sendSignal?.(this.foreground, signal);
  }

  #show(text: string): void {
    void this.#output(encodeText(text));
  }

  async #read(signal?: AbortSignal): Promise<Uint8Array | null> {
    if (this.#ends > 0 && this.#queue.length === 0) {
      this.#ends--;
      return null;
    }
    const ready = this.#queue.take();
    if (ready) return this.#oneLine(ready);
    if (this.#closed) return null;
    // Waits for bytes or for an end of file, whichever comes first.
    const either = new AbortController();
    const stop = (): void => either.abort();
    signal?.addEventListener('abort', stop, { once: true });
    let ended = false;
    const onEnd = (): void => {
      ended = true;
      either.abort();
    };
    this.#endWaiters.push(onEnd);
    try {
      const chunk = await this.#queue.read(either.signal);
      return chunk && this.#oneLine(chunk);
    } catch (error) {
      if (!ended) throw error;
      this.#ends--;
      return null;
    } finally {
      signal?.removeEventListener('abort', stop);
      const index = this.#endWaiters.indexOf(onEnd);
      if (index >= 0) this.#endWaiters.splice(index, 1);
    }
  }

  /** Canonical mode gives one line per read; the rest goes back to the front. */
  #oneLine(chunk: Uint8Array): Uint8Array {
    if (this.#raw) return chunk;
    const newline = chunk.indexOf(10);
    if (newline < 0 || newline === chunk.length - 1) return chunk;
    this.#queue.unshift(chunk.subarray(newline + 1));
    return chunk.subarray(0, newline + 1);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#closed) return;
    const shown = this.translateOutput ? withCarriageReturns(chunk) : chunk;
    await this.#output(shown);
    const now = this.#kernel.now();
    this.#burst = Math.max(0, this.#burst - (now - this.#burstAtMs) * OUTPUT_BYTES_PER_MS) + shown.length;
    this.#burstAtMs = now;
    if (this.#burst > OUTPUT_BURST_BYTES) await this.#kernel.sleep((this.#burst - OUTPUT_BURST_BYTES / 2) / OUTPUT_BYTES_PER_MS);
  }

  openSlave(): OpenFile {
    return {
      kind: 'tty',
      tty: this,
      name: '/dev/pts/0',
      read: (signal?: AbortSignal) => this.#read(signal),
      write: (chunk) => this.#write(chunk),
      close: () => undefined,
    };
  }
}

function withCarriageReturns(chunk: Uint8Array): Uint8Array {
  let count = 0;
  for (const byte of chunk) if (byte === 10) count++;
  if (count === 0) return chunk;
  const out = new Uint8Array(chunk.length + count);
  let at = 0;
  for (const byte of chunk) {
    if (byte === 10) out[at++] = 13;
    out[at++] = byte;
  }
  return out;
}
