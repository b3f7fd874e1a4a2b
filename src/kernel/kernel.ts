import { type Disposable, toDisposable } from './disposable.ts';
import { Random } from './random.ts';
import { TimerQueue } from './timer-queue.ts';

/** What the kernel needs from the machine it runs on. Wall time only paces; it never enters the simulation. */
export interface HostClock {
  /** Monotonic wall time in milliseconds. */
  wallNowMs(): number;
  /** Resolves in a later macrotask, after every pending microtask has run. */
  hop(): Promise<void>;
  /** Calls back after about `ms` of wall time. */
  wake(ms: number, callback: () => void): Disposable;
}

/** Thrown out of `sleep` and the like when their signal aborts. */
export class Aborted extends Error {
  constructor(message = 'aborted') {
    super(message);
    this.name = 'Aborted';
  }
}

export interface AdvanceOptions {
  /** Stop when virtual time reaches this instant (ms since epoch); virtual time then is exactly this. */
  untilMs?: number;
  /** Stop as soon as this holds; asked after every instant. */
  until?: () => boolean;
  /** Hand the thread back to the host whenever this much wall time was used (ms), so that a page stays responsive. */
  sliceMs?: number;
  signal?: AbortSignal;
}

/**
 * The virtual machine room: clock, timers, chance, and the order in which things happen.
 *
 * Time only moves inside `advance` and `play`. Within one instant, `soon` jobs run first-in first-out,
 * then due timers one by one, then one host hop lets every promise settle; only then does time move.
 * Nothing in the simulation may await anything that settles in a later macrotask, except under `hold()`.
 */
export class Kernel {
  readonly random: Random;
  readonly host: HostClock;
  #nowMs: number;
  #timers = new TimerQueue();
  #soon: (() => void)[] = [];
  #holds = 0;
  #running = false;
  #inputs: (() => void)[] = [];
  #wakePlayer: (() => void) | undefined;
  /** Every error that escaped a job; a host shows or throws them. Programmer errors only. */
  onError: (error: unknown) => void = (error) => {
    throw error;
  };

  constructor(options: { seed: string; host: HostClock; startMs?: number }) {
    this.random = new Random(options.seed);
    this.host = options.host;
    // 2026-11-23T08:00:00Z: the day the reference cluster was recorded.
    this.#nowMs = options.startMs ?? Date.UTC(2026, 10, 23, 8, 0, 0);
  }

  /** Virtual milliseconds since the epoch. */
  now(): number {
    return this.#nowMs;
  }

  /** Runs `job` at the present instant, after what is already queued. */
  soon(job: () => void): void {
    this.#soon.push(job);
    this.#wakePlayer?.();
  }

  /** Runs `job` after `delayMs` of virtual time (at once in the queue's order when 0). Instants are whole milliseconds: a fraction rounds up. */
  timer(delayMs: number, job: () => void): Disposable {
    const handle = this.#timers.add(this.#nowMs + Math.max(0, Math.ceil(delayMs)), job);
    this.#wakePlayer?.();
    return handle;
  }

  /** Resolves after `delayMs` of virtual time; rejects with `Aborted` when the signal aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new Aborted());
      const onAbort = (): void => {
        handle.dispose();
        reject(new Aborted());
      };
      const handle = this.timer(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Virtual time stands still until the returned handle is disposed: for work the host does in real time (loading a module). */
  hold(): Disposable {
    this.#holds++;
    let held = true;
    return toDisposable(() => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.#wakePlayer?.();
    });
  }

  /** Awaits something outside the simulation with the clock standing still. */
  async external<T>(work: Promise<T>): Promise<T> {
    const hold = this.hold();
    try {
      return await work;
    } finally {
      hold.dispose();
    }
  }

  /** Hands in something from outside (a key, a request). It runs at the present instant, after due timers. */
  input(job: () => void): void {
    this.#inputs.push(job);
    this.#wakePlayer?.();
  }

  /** The instant of the next timer, or undefined when nothing is planned. */
  nextTimerMs(): number | undefined {
    return this.#timers.nextMs();
  }

  /**
   * Lets the present instant finish: queued jobs, due timers and every promise that follows from them; then inputs, one
   * by one, each with what follows from it. An input never runs in the middle of an instant's work, so that a replay,
   * which hands it in afterwards, gives the same order.
   */
  async settle(): Promise<void> {
    for (;;) {
      this.#runQueued();
      await this.host.hop();
      while (this.#holds > 0) await this.host.hop();
      if (this.#soon.length > 0 || this.#timers.isDue(this.#nowMs)) continue;
      const input = this.#inputs.shift();
      if (!input) return;
      this.#guard(input);
    }
  }

  #runQueued(): void {
    for (;;) {
      const job = this.#soon.shift() ?? this.#timers.takeDue(this.#nowMs);
      if (!job) return;
      this.#guard(job);
    }
  }

  #guard(job: () => void): void {
    try {
      job();
    } catch (error) {
      this.onError(error);
    }
  }

  /** Moves virtual time as fast as the machine can. Resolves to true when `until` held, else false. */
  async advance(options: AdvanceOptions): Promise<boolean> {
    if (this.#running) throw new Error('kernel is already running');
    this.#running = true;
    try {
      let sliceStart = this.host.wallNowMs();
      await this.settle();
      for (;;) {
        if (options.until?.()) return true;
        if (options.signal?.aborted) return false;
        const next = this.#timers.nextMs();
        if (next === undefined || (options.untilMs !== undefined && next > options.untilMs)) {
          if (options.untilMs !== undefined) this.#nowMs = Math.max(this.#nowMs, options.untilMs);
          return options.until?.() ?? false;
        }
        this.#nowMs = next;
        await this.settle();
        if (options.sliceMs !== undefined && this.host.wallNowMs() - sliceStart > options.sliceMs) {
          await new Promise<void>((resolve) => this.host.wake(0, resolve));
          sliceStart = this.host.wallNowMs();
        }
      }
    } finally {
      this.#running = false;
    }
  }

  /**
   * Moves virtual time in step with wall time until disposed. The speed may change while playing;
   * 0 pauses (inputs still run, at the frozen instant). One player or `advance` at a time.
   */
  play(initialSpeed = 1): Player {
    return new Player(this, initialSpeed, (wake) => {
      this.#wakePlayer = wake;
    });
  }

  /** For `Player`: brings virtual time to `targetMs`, firing what falls due on the way; stops early when the slice is used up. */
  async advanceTowards(targetMs: number, sliceMs: number, until?: () => boolean): Promise<void> {
    const started = this.host.wallNowMs();
    await this.settle();
    for (;;) {
      if (until?.()) return;
      const next = this.#timers.nextMs();
      if (next === undefined || next > targetMs) {
        this.#nowMs = Math.max(this.#nowMs, targetMs);
        return;
      }
      this.#nowMs = Math.max(this.#nowMs, next);
      await this.settle();
      if (this.host.wallNowMs() - started > sliceMs) return;
    }
  }
}

/** Drives a kernel at a chosen speed. */
export class Player implements Disposable {
  #kernel: Kernel;
  #speed: number;
  #baseWallMs: number;
  #baseVirtualMs: number;
  #disposed = false;
  #wake: (() => void) | undefined;
  #dirty = false;
  #forward: { untilMs: number; until: (() => boolean) | undefined; done: () => void } | undefined;
  readonly finished: Promise<void>;

  constructor(kernel: Kernel, speed: number, register: (wake: (() => void) | undefined) => void) {
    this.#kernel = kernel;
    this.#speed = speed;
    this.#baseWallMs = kernel.host.wallNowMs();
    this.#baseVirtualMs = kernel.now();
    register(() => {
      this.#dirty = true;
      this.#wake?.();
    });
    this.finished = this.#loop().finally(() => register(undefined));
  }

  get speed(): number {
    return this.#speed;
  }

  /** Virtual seconds per wall second; 0 pauses. */
  set speed(value: number) {
    this.#rebase();
    this.#speed = value;
    this.#wake?.();
  }

  /**
   * Runs as fast as the machine can until `untilMs` or until the condition holds, then goes on at the set speed.
   * A later call replaces an unfinished one. Resolves when reached (or replaced, or disposed).
   */
  fastForward(options: { untilMs: number; until?: () => boolean }): Promise<void> {
    this.#forward?.done();
    return new Promise((resolve) => {
      this.#forward = { untilMs: options.untilMs, until: options.until, done: resolve };
      this.#wake?.();
      this.#dirty = true;
    });
  }

  dispose(): void {
    this.#disposed = true;
    this.#forward?.done();
    this.#wake?.();
  }

  #rebase(): void {
    this.#baseWallMs = this.#kernel.host.wallNowMs();
    this.#baseVirtualMs = this.#kernel.now();
  }

  async #loop(): Promise<void> {
    const kernel = this.#kernel;
    while (!this.#disposed) {
      this.#dirty = false;
      const forward = this.#forward;
      if (forward) {
        await kernel.advanceTowards(forward.untilMs, 12, forward.until);
        this.#rebase();
        if (kernel.now() >= forward.untilMs || forward.until?.()) {
          if (this.#forward === forward) this.#forward = undefined;
          forward.done();
        } else {
          // Give the host a breath between slices: it draws and reads keys.
          await new Promise<void>((resolve) => kernel.host.wake(0, resolve));
        }
        continue;
      }
      const elapsed = (kernel.host.wallNowMs() - this.#baseWallMs) * this.#speed;
      const target = Math.floor(this.#baseVirtualMs + elapsed);
      await kernel.advanceTowards(target, 12);
      // Fell behind (a busy cluster or a sleeping tab): slow down honestly instead of racing to catch up.
      if (target - kernel.now() > 250 * Math.max(1, this.#speed)) this.#rebase();
      if (this.#disposed) return;
      const next = kernel.nextTimerMs();
      let waitMs = 1000;
      if (this.#speed > 0 && next !== undefined) waitMs = Math.min(waitMs, Math.max(0, (next - kernel.now()) / this.#speed));
      if (this.#dirty) continue;
      await new Promise<void>((resolve) => {
        const handle = kernel.host.wake(waitMs, resolve);
        this.#wake = () => {
          handle.dispose();
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }
}
