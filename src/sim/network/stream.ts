import type { Kernel } from '../../kernel/index.ts';
import { Errno, type Socket } from '../../unix/types.ts';

/** What one connection's packets travel: how long one way takes, and whether anything gets through at present. */
export interface Path {
  latencyMs: number;
  /** False while a cut or a powered-off machine lies between; segments are then retransmitted every second. */
  open(): boolean;
}

type Segment = { data: Uint8Array } | 'fin' | 'rst';

/** Bytes that may be under way or unread before a writer has to wait (the receive window). */
const WINDOW_BYTES = 64 * 1024;
/** First wait before a segment is sent again; doubled up to two minutes, and given up after a quarter of an hour. */
const RETRANSMIT_MS = 1000;
const GIVE_UP_MS = 924_000;

/** One end of a TCP connection. Ends are made in pairs by `connectPair`. */
export class StreamEnd implements Socket {
  readonly local: { ip: string; port: number };
  readonly remote: { ip: string; port: number };
  #kernel: Kernel;
  #path: Path;
  #peer: StreamEnd | undefined;
  #outbox: Segment[] = [];
  #unread: Uint8Array[] = [];
  /** Bytes sent to this end and not yet read from it. */
  #backlogBytes = 0;
  #readers: { resolve: (chunk: Uint8Array | null) => void; reject: (error: Error) => void }[] = [];
  #writers: (() => void)[] = [];
  #finSent = false;
  #finReceived = false;
  #reset = false;
  #closed = false;
  /** Told once when this end is closed or reset: owners forget it. */
  onClosed: (() => void) | undefined;

  constructor(kernel: Kernel, path: Path, local: { ip: string; port: number }, remote: { ip: string; port: number }) {
    this.#kernel = kernel;
    this.#path = path;
    this.local = local;
    this.remote = remote;
  }

  pairWith(peer: StreamEnd): void {
    this.#peer = peer;
  }

  read(): Promise<Uint8Array | null> {
    const chunk = this.#unread.shift();
    if (chunk) {
      this.#drained(chunk.length);
      return Promise.resolve(chunk);
    }
    if (this.#reset) return Promise.reject(new Errno('ECONNRESET'));
    if (this.#finReceived || this.#closed) return Promise.resolve(null);
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (;;) {
      if (this.#closed || this.#finSent) throw new Errno('EPIPE');
      if (this.#reset) throw new Errno('ECONNRESET');
      const peer = this.#peer;
      if (!peer || chunk.length === 0) return;
      if (peer.#backlogBytes < WINDOW_BYTES) {
        // Copied: the writer may reuse its buffer.
        peer.#backlogBytes += chunk.length;
        this.#send({ data: chunk.slice() });
        return;
      }
      await new Promise<void>((resolve) => this.#writers.push(resolve));
    }
  }

  end(): void {
    if (this.#finSent || this.#closed || this.#reset) return;
    this.#finSent = true;
    this.#send('fin');
  }

  /** Closes both directions; data that nobody read makes it a reset, as the kernel does. */
  close(): void {
    if (this.#closed) return;
    const abortive = this.#unread.length > 0;
    this.#closed = true;
    this.#unread = [];
    if (!this.#reset) {
      if (abortive) this.#send('rst');
      else if (!this.#finSent) this.#send('fin');
    }
    this.#finSent = true;
    this.#wakeAll();
    for (const reader of this.#readers.splice(0)) reader.resolve(null);
    this.onClosed?.();
  }

  #send(segment: Segment): void {
    this.#outbox.push(segment);
    this.#kernel.timer(this.#path.latencyMs, () => this.#deliver());
  }

  /** Nobody has acknowledged for too long: ETIMEDOUT for whoever still uses this end. */
  #timeOut(): void {
    this.#outbox = [];
    if (!this.#closed) this.#receive('rst');
  }

  #deliver(waitedMs = 0): void {
    if (!this.#path.open()) {
      if (waitedMs >= GIVE_UP_MS) this.#timeOut();
      else {
        const delayMs = Math.min(120_000, Math.max(RETRANSMIT_MS, waitedMs));
        this.#kernel.timer(delayMs, () => this.#deliver(waitedMs + delayMs));
      }
      return;
    }
    const segment = this.#outbox.shift();
    if (segment !== undefined && this.#peer) this.#peer.#receive(segment);
  }

  #receive(segment: Segment): void {
    if (segment === 'rst') {
      if (this.#closed) return;
      this.#reset = true;
      this.#unread = [];
      for (const reader of this.#readers.splice(0)) reader.reject(new Errno('ECONNRESET'));
      this.#wakeAll();
      this.onClosed?.();
    } else if (segment === 'fin') {
      this.#finReceived = true;
      for (const reader of this.#readers.splice(0)) reader.resolve(null);
    } else if (this.#closed) {
      // Data for a closed socket is answered by a reset.
      this.#backlogBytes = 0;
      this.#send('rst');
    } else {
      const reader = this.#readers.shift();
      if (reader) {
        this.#drained(segment.data.length);
        reader.resolve(segment.data);
      } else this.#unread.push(segment.data);
    }
  }

  #drained(bytes: number): void {
    this.#backlogBytes -= bytes;
    if (this.#peer && this.#backlogBytes < WINDOW_BYTES) this.#peer.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#writers.splice(0)) wake();
  }
}

/** Two ends of one connection. `seenFrom` is the client's address as the server sees it (after SNAT). */
export function connectPair(
  kernel: Kernel,
  paths: readonly [there: Path, back: Path],
  client: { ip: string; port: number },
  dialled: { ip: string; port: number },
  server: { ip: string; port: number },
  seenFrom: { ip: string; port: number },
): [StreamEnd, StreamEnd] {
  const clientEnd = new StreamEnd(kernel, paths[0], client, dialled);
  const serverEnd = new StreamEnd(kernel, paths[1], server, seenFrom);
  clientEnd.pairWith(serverEnd);
  serverEnd.pairWith(clientEnd);
  return [clientEnd, serverEnd];
}
