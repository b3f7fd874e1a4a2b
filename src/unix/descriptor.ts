import type { UnixProcess } from './process.ts';
import { Errno, Killed, type OpenFile, type Tty } from './types.ts';

/** An open file description with its reference count: the underlying file is closed with its last descriptor. */
export interface Description {
  file: OpenFile;
  references: number;
  closed: boolean;
  /** Bytes read too far and put back. */
  pushedBack: Uint8Array[];
}

const descriptions = new WeakMap<OpenFile, Description>();

/** The description behind an open file: shared by all descriptors that were made from it. */
export function descriptionOf(file: OpenFile): Description {
  if (file instanceof Descriptor) return file.description;
  let description = descriptions.get(file);
  if (!description) {
    description = { file, references: 0, closed: false, pushedBack: [] };
    descriptions.set(file, description);
  }
  return description;
}

/** CPU time per read or write, and per megabyte moved. */
const CALL_CPU_MS = 0.002;
const MEGABYTE_CPU_MS = 0.4;

/** One process' handle on an open file. Reading and writing end with Killed when the process dies, and cost CPU time. */
export class Descriptor implements OpenFile {
  readonly process: UnixProcess;
  readonly description: Description;
  #onClose: () => void;
  #closed = false;

  constructor(process: UnixProcess, description: Description, onClose: () => void) {
    this.process = process;
    this.description = description;
    this.#onClose = onClose;
    description.references++;
  }

  get kind(): OpenFile['kind'] {
    return this.description.file.kind;
  }
  get tty(): Tty | undefined {
    return this.description.file.tty;
  }
  get name(): string | undefined {
    return this.description.file.name;
  }
  get closed(): boolean {
    return this.#closed;
  }

  seek(offset: number, whence: 'start' | 'current' | 'end'): number {
    const { file } = this.description;
    if (!file.seek) throw new Errno('EINVAL', 'Illegal seek');
    return file.seek(offset, whence);
  }

  unread(chunk: Uint8Array): void {
    if (chunk.length > 0) this.description.pushedBack.push(chunk);
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | null> {
    this.#checkOpen();
    const { process } = this;
    const { file } = this.description;
    const pushedBack = this.description.pushedBack.pop();
    if (pushedBack) {
      await process.cpu(CALL_CPU_MS);
      return pushedBack;
    }
    if (file.tty) await process.waitForForeground(file.tty);
    const chunk = await process.guard(signal ? withSignals(process.signal, signal, (both) => file.read(both)) : file.read(process.signal));
    await process.cpu(CALL_CPU_MS + ((chunk?.length ?? 0) / 1_000_000) * MEGABYTE_CPU_MS);
    return chunk;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkOpen();
    const { process } = this;
    try {
      await process.guard(this.description.file.write(chunk));
    } catch (error) {
      if (error instanceof Errno && error.code === 'EPIPE' && !process.status) {
        process.kill('SIGPIPE');
        if (process.status) throw new Killed('SIGPIPE');
      }
      throw error;
    }
    await process.cpu(CALL_CPU_MS + (chunk.length / 1_000_000) * MEGABYTE_CPU_MS);
  }

  #checkOpen(): void {
    if (this.process.status) throw new Killed(this.process.status.signal ?? 'SIGKILL');
    if (this.#closed) throw new Errno('EBADF');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    const { description } = this;
    if (--description.references === 0 && !description.closed) {
      description.closed = true;
      description.file.close();
    }
  }
}

/** Runs `work` with one signal for two reasons to stop waiting. */
async function withSignals<T>(first: AbortSignal, second: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  if (first.aborted || second.aborted) stop();
  first.addEventListener('abort', stop);
  second.addEventListener('abort', stop);
  try {
    return await work(controller.signal);
  } finally {
    first.removeEventListener('abort', stop);
    second.removeEventListener('abort', stop);
  }
}

/** The child's descriptors: what was given, and the parent's standard three. */
export function withStandard(own: ReadonlyMap<number, OpenFile>, given: ReadonlyMap<number, OpenFile> | undefined): ReadonlyMap<number, OpenFile> {
  if (!given) return own;
  const fds = new Map<number, OpenFile>();
  for (const number of [0, 1, 2]) {
    const file = own.get(number);
    if (file) fds.set(number, file);
  }
  for (const [number, file] of given) fds.set(number, file);
  return fds;
}
