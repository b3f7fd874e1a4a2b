import type { Kernel } from '../../kernel/index.ts';

/** One line (or the unfinished part of one) that a container wrote. */
export interface LogLine {
  atMs: number;
  stream: 'stdout' | 'stderr';
  /** With its line feed, unless the program ended without one. */
  bytes: Uint8Array;
}

const LINE_FEED = 10;
/** Kept per container; older lines are dropped, as the kubelet's log rotation (10 MiB) does. */
const MAX_BYTES = 1_000_000;

/** What one container wrote, line by line with timestamps, as the CRI log file keeps it. */
export class ContainerLog {
  readonly #kernel: Kernel;
  readonly lines: LogLine[] = [];
  #partial: Record<'stdout' | 'stderr', { atMs: number; chunks: Uint8Array[] } | undefined> = { stdout: undefined, stderr: undefined };
  #bytes = 0;
  #closed = false;
  #waiting: (() => void)[] = [];
  /** Number of lines dropped at the front, so that readers can keep an absolute position. */
  dropped = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(stream: 'stdout' | 'stderr', chunk: Uint8Array): void {
    let start = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, start)) {
      this.#append(stream, chunk.subarray(start, at + 1), true);
      start = at + 1;
    }
    if (start < chunk.length) this.#append(stream, chunk.subarray(start), false);
    this.#wake();
  }

  #append(stream: 'stdout' | 'stderr', part: Uint8Array, complete: boolean): void {
    const pending = this.#partial[stream];
    if (!complete) {
      if (pending) pending.chunks.push(part.slice());
      else this.#partial[stream] = { atMs: this.#kernel.now(), chunks: [part.slice()] };
      return;
    }
    this.#partial[stream] = undefined;
    this.#push({ atMs: pending?.atMs ?? this.#kernel.now(), stream, bytes: pending ? concat([...pending.chunks, part]) : part.slice() });
  }

  #push(line: LogLine): void {
    this.lines.push(line);
    this.#bytes += line.bytes.length;
    while (this.#bytes > MAX_BYTES && this.lines.length > 1) {
      this.#bytes -= (this.lines.shift() as LogLine).bytes.length;
      this.dropped++;
    }
  }

  /** The container has ended: what is left without a line feed becomes a line. */
  close(): void {
    if (this.#closed) return;
    for (const stream of ['stdout', 'stderr'] as const) {
      const pending = this.#partial[stream];
      if (pending) this.#push({ atMs: pending.atMs, stream, bytes: concat(pending.chunks) });
      this.#partial[stream] = undefined;
    }
    this.#closed = true;
    this.#wake();
  }

  /** Resolves when something was written, or the log was closed, after this call. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
