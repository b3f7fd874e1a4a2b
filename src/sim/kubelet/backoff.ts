/** Models client-go's `flowcontrol.Backoff`: per key, doubling from `initialMs` to `maxMs`; forgotten after 2 × max without use. */
export class Backoff {
  readonly #entries = new Map<string, { backoffMs: number; lastUpdateMs: number }>();
  readonly #initialMs: number;
  readonly #maxMs: number;

  constructor(initialMs: number, maxMs: number) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
  }

  get(key: string): number {
    return this.#entries.get(key)?.backoffMs ?? 0;
  }

  next(key: string, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (!entry || nowMs - entry.lastUpdateMs > this.#maxMs * 2) {
      this.#entries.set(key, { backoffMs: this.#initialMs, lastUpdateMs: nowMs });
      return;
    }
    entry.backoffMs = Math.min(entry.backoffMs * 2, this.#maxMs);
    entry.lastUpdateMs = nowMs;
  }

  /** Whether `eventMs` (a container's end) lies less than the back-off before `nowMs`. */
  isInBackOffSince(key: string, eventMs: number, nowMs: number): boolean {
    const entry = this.#entries.get(key);
    if (!entry || eventMs - entry.lastUpdateMs > this.#maxMs * 2) return false;
    return nowMs - eventMs < entry.backoffMs;
  }

  /** Whether the last `next` lies less than the back-off before `nowMs`. */
  isInBackOffSinceUpdate(key: string, nowMs: number): boolean {
    const entry = this.#entries.get(key);
    if (!entry || nowMs - entry.lastUpdateMs > this.#maxMs * 2) return false;
    return nowMs - entry.lastUpdateMs < entry.backoffMs;
  }

  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }
}
