import type { Disposable } from './disposable.ts';

interface Entry {
  dueMs: number;
  order: number;
  job: (() => void) | undefined;
}

/** A binary heap of timers; equal instants keep the order in which they were added. */
export class TimerQueue {
  #heap: Entry[] = [];
  #order = 0;
  #cancelled = 0;

  add(dueMs: number, job: () => void): Disposable {
    const entry: Entry = { dueMs, order: this.#order++, job };
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    return {
      dispose: () => {
        if (!entry.job) return;
        entry.job = undefined;
        this.#cancelled++;
        if (this.#cancelled > 1024 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
      },
    };
  }

  nextMs(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.dueMs;
  }

  isDue(nowMs: number): boolean {
    const next = this.nextMs();
    return next !== undefined && next <= nowMs;
  }

  takeDue(nowMs: number): (() => void) | undefined {
    if (!this.isDue(nowMs)) return undefined;
    const entry = this.#pop();
    const job = entry?.job;
    if (entry) entry.job = undefined;
    return job;
  }

  #dropCancelled(): void {
    while (this.#heap[0] && !this.#heap[0].job) {
      this.#pop();
      this.#cancelled--;
    }
  }

  #sweep(): void {
    this.#heap = this.#heap.filter((entry) => entry.job).sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
    this.#cancelled = 0;
  }

  #before(a: Entry, b: Entry): boolean {
    return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
  }

  #up(start: number): void {
    const heap = this.#heap;
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const a = heap[i] as Entry;
      const b = heap[parent] as Entry;
      if (!this.#before(a, b)) return;
      heap[i] = b;
      heap[parent] = a;
      i = parent;
    }
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    heap[0] = last;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      if (left >= heap.length) return top;
      const right = left + 1;
      const child = right < heap.length && this.#before(heap[right] as Entry, heap[left] as Entry) ? right : left;
      const a = heap[i] as Entry;
      const b = heap[child] as Entry;
      if (!this.#before(b, a)) return top;
      heap[i] = b;
      heap[child] = a;
      i = child;
    }
  }
}
