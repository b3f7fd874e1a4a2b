import type { Kernel } from '../kernel/index.ts';

/** Virtual CPU time that a process may use before it has to let time move. */
export const SLICE_MS = 10;
/** After so much CPU time without ever waiting, a process is charged ever more, so that an endless loop costs the host little. */
const BUSY_STEPS: readonly (readonly [afterMs: number, factor: number])[] = [
  [60_000, 1000],
  [10_000, 200],
  [2_000, 20],
];
/** How much of that one millisecond of waiting makes good. */
const BUSY_DECAY = 0.1;
/** How many processes of a kernel are using up a slice right now: they share the machine's processors. */
const hungry = new WeakMap<Kernel, { count: number }>();

/** What one process has used of the processors, and what it still has to sleep off before it may go on. */
export class CpuAccount {
  readonly #kernel: Kernel;
  usedMs = 0;
  debtMs = 0;
  /** CPU time since this process last waited for something. */
  #busyMs = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  charge(ms: number): void {
    let factor = 1;
    for (const [afterMs, times] of BUSY_STEPS) {
      if (this.#busyMs >= afterMs) {
        factor = times;
        break;
      }
    }
    this.debtMs += ms * factor;
  }

  /** The process waited so long (virtual ms): that makes good for some of its business. */
  waited(ms: number): void {
    this.#busyMs = Math.max(0, this.#busyMs - ms * BUSY_DECAY);
  }

  /** Sleeps the debt off, longer when more processes want the processors than there are. */
  async settle(cpus: number, sleep: (ms: number) => Promise<void>): Promise<void> {
    let queue = hungry.get(this.#kernel);
    if (!queue) {
      queue = { count: 0 };
      hungry.set(this.#kernel, queue);
    }
    const debt = this.debtMs;
    this.debtMs = 0;
    this.usedMs += debt;
    const busy = this.#busyMs + debt;
    queue.count++;
    try {
      await sleep(debt * Math.max(1, queue.count / cpus));
    } finally {
      queue.count--;
    }
    this.#busyMs = busy;
  }

  close(): void {
    this.usedMs += this.debtMs;
    this.debtMs = 0;
  }
}
