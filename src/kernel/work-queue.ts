import type { Disposable } from './disposable.ts';
import type { Kernel } from './kernel.ts';

/**
 * The work queue of client-go: a key waits at most once, failures back off exponentially
 * (`base` · 2ⁿ, at most `max`; client-go's defaults are 5 ms and 1000 s).
 */
export class WorkQueue implements Disposable {
  #kernel: Kernel;
  #sync: (key: string) => void;
  #queued = new Set<string>();
  #failures = new Map<string, number>();
  #later = new Map<string, { dueMs: number; handle: Disposable }>();
  #stopped = false;
  #baseMs: number;
  #maxMs: number;
  #latencyMs: number;

  constructor(
    kernel: Kernel,
    options: {
      /** Does the work; throwing puts the key back with back-off. */
      sync: (key: string) => void;
      baseMs?: number;
      maxMs?: number;
      /** From enqueue to sync: the time an informer and a worker take in a real cluster. */
      latencyMs?: number;
    },
  ) {
    this.#kernel = kernel;
    this.#sync = options.sync;
    this.#baseMs = options.baseMs ?? 5;
    this.#maxMs = options.maxMs ?? 1_000_000;
    this.#latencyMs = options.latencyMs ?? 2;
  }

  /** Puts the key in the queue unless it is there. */
  add(key: string): void {
    if (this.#stopped || this.#queued.has(key)) return;
    this.#queued.add(key);
    this.#kernel.timer(this.#latencyMs, () => this.#run(key));
  }

  /** Puts the key in the queue after `delayMs`; the earlier of several wins. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped) return;
    if (delayMs <= 0) return this.add(key);
    const dueMs = this.#kernel.now() + delayMs;
    const waiting = this.#later.get(key);
    if (waiting && waiting.dueMs <= dueMs) return;
    waiting?.handle.dispose();
    const handle = this.#kernel.timer(delayMs, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { dueMs, handle });
  }

  /** Back-off as after a failure. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.min(this.#baseMs * 2 ** failures, this.#maxMs));
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  #run(key: string): void {
    this.#queued.delete(key);
    if (this.#stopped) return;
    try {
      this.#sync(key);
      this.forget(key);
    } catch (error) {
      // Only refusals of the API (conflict, not found, forbidden) are part of life; anything else is our bug.
      if (!(error instanceof Error) || error.name !== 'StatusError') this.#kernel.onError(error);
      this.addRateLimited(key);
    }
  }

  dispose(): void {
    this.#stopped = true;
    for (const { handle } of this.#later.values()) handle.dispose();
    this.#later.clear();
  }
}
