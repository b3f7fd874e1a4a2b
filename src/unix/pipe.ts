import { Aborted } from '../kernel/index.ts';
import { Errno, type OpenFile } from './types.ts';

/** What Linux gives a pipe. */
export const PIPE_CAPACITY_BYTES = 65_536;

interface Waiter {
  wake(): void;
}

/**
 * A queue of bytes with one capacity: pipes, sockets and terminals are made of it. A writer waits while it is full, a
 * reader while it is empty; several of either are served first come, first served.
 */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #length = 0;
  #readers: Waiter[] = [];
  #writers: Waiter[] = [];
  readonly capacityBytes: number;
  writeClosed = false;
  readClosed = false;

  constructor(capacityBytes = PIPE_CAPACITY_BYTES) {
    this.capacityBytes = capacityBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Puts bytes in without waiting, whatever the capacity. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#readers.shift()?.wake();
  }

  /** Puts bytes back to the front. */
  unshift(chunk: Uint8Array): void {
    this.#chunks.unshift(chunk);
    this.#length += chunk.length;
    this.#readers.shift()?.wake();
  }

  /** Takes up to `limitBytes` without waiting; undefined when empty. */
  take(limitBytes = PIPE_CAPACITY_BYTES): Uint8Array | undefined {
    const first = this.#chunks[0];
    if (!first) return undefined;
    let taken: Uint8Array;
    if (first.length > limitBytes) {
      taken = first.subarray(0, limitBytes);
      this.#chunks[0] = first.subarray(limitBytes);
    } else if (first.length < 4096 && this.#chunks.length > 1) {
      // Many small writes are read as one, as from a real pipe.
      let count = 0;
      let size = 0;
      while (count < this.#chunks.length && size + this.#chunks[count]!.length <= limitBytes) size += this.#chunks[count++]!.length;
      taken = new Uint8Array(size);
      let offset = 0;
      for (const chunk of this.#chunks.splice(0, count)) {
        taken.set(chunk, offset);
        offset += chunk.length;
      }
    } else {
      taken = first;
      this.#chunks.shift();
    }
    this.#length -= taken.length;
    if (this.#length < this.capacityBytes) this.#writers.shift()?.wake();
    return taken;
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.take();
      if (chunk) {
        if (this.#length > 0) this.#readers.shift()?.wake();
        return chunk;
      }
      if (this.writeClosed) return null;
      await waitIn(this.#readers, signal);
    }
  }

  async write(chunk: Uint8Array, signal?: AbortSignal): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.readClosed) throw new Errno('EPIPE');
      const room = this.capacityBytes - this.#length;
      // Up to PIPE_BUF bytes go in as a whole: lines of several writers do not mix.
      if (room >= Math.min(rest.length, 4096)) {
        const part = rest.length > room ? rest.subarray(0, room) : rest;
        rest = rest.subarray(part.length);
        this.push(part);
        if (rest.length === 0 && this.#length < this.capacityBytes) this.#writers.shift()?.wake();
        continue;
      }
      await waitIn(this.#writers, signal);
    }
    if (this.readClosed) throw new Errno('EPIPE');
  }

  closeWrite(): void {
    this.writeClosed = true;
    for (const reader of this.#readers.splice(0)) reader.wake();
  }

  closeRead(): void {
    this.readClosed = true;
    this.#chunks = [];
    this.#length = 0;
    for (const writer of this.#writers.splice(0)) writer.wake();
  }
}

/** Waits in line until woken. Rejects with Aborted (and leaves the line) when the signal aborts. */
function waitIn(line: Waiter[], signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new Aborted());
    const waiter: Waiter = {
      wake() {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
    };
    const onAbort = (): void => {
      const index = line.indexOf(waiter);
      if (index >= 0) line.splice(index, 1);
      reject(new Aborted());
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    line.push(waiter);
  });
}

/** An anonymous pipe: [read end, write end]. Outside of processes (inside, use `process.pipe()`). */
export function createPipe(capacityBytes = PIPE_CAPACITY_BYTES): [OpenFile, OpenFile] {
  const queue = new ByteQueue(capacityBytes);
  const badFile = async (): Promise<never> => {
    throw new Errno('EBADF');
  };
  return [
    { kind: 'pipe', read: (signal?: AbortSignal) => queue.read(signal), write: badFile, close: () => queue.closeRead() },
    { kind: 'pipe', read: badFile, write: (chunk) => queue.write(chunk), close: () => queue.closeWrite() },
  ];
}

/** An open file that gives these bytes and then ends. */
export function bytesSource(bytes: Uint8Array): OpenFile {
  const queue = new ByteQueue();
  queue.push(bytes);
  queue.closeWrite();
  return {
    kind: 'pipe',
    read: () => queue.read(),
    write: async () => {
      throw new Errno('EBADF');
    },
    close: () => undefined,
  };
}

/** An open file that hands every chunk written to `output`. Reading it gives the end at once. */
export function callbackSink(output: (chunk: Uint8Array) => void | Promise<void>): OpenFile {
  return {
    kind: 'pipe',
    read: async () => null,
    write: async (chunk) => {
      await output(chunk);
    },
    close: () => undefined,
  };
}

/** /dev/null for processes that are started from outside. */
export function nullFile(): OpenFile {
  return { kind: 'null', read: async () => null, write: async () => undefined, close: () => undefined };
}
