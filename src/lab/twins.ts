import type { HostClock } from '../kernel/index.ts';
import type { Terminal } from '../shell/reader-machine.ts';
import { createEnvironment, driveUntilSettled, type Environment } from './environment.ts';
import type { SessionNotice, SessionRequest, TwinSides } from './protocol.ts';
import type { Session } from './session.ts';
import { clusterView } from './view.ts';

/** Both clocks are moved together this often, in wall time. */
const TICK_MS = 40;
/** A tick never stands for more than this much wall time: whoever falls behind slows down instead of racing. */
const MOST_TICK_MS = 250;

interface Twin {
  environment: Environment;
  terminal: Terminal | undefined;
  dirty: boolean;
}

/**
 * Two clusters side by side on one clock. What is typed goes to both (terminal `both`); each shows its own screen
 * (terminal `0` and `1`) and view. Not kept and not replayed: twins begin anew whenever they are opened.
 */
export async function startTwins(sides: TwinSides, host: HostClock, notify: (notice: SessionNotice) => void): Promise<Session> {
  const twins: Twin[] = [];
  for (const { files } of sides.sides) {
    const environment = await createEnvironment({ host, seed: sides.seed, preset: sides.preset, files });
    twins.push({ environment, terminal: undefined, dirty: true });
    for (const command of sides.setup) {
      const result = await driveUntilSettled(environment.kernel, environment.reader.execute(command));
      if (result.exit !== 0) throw new Error(`the twins' setup failed: ${command}\n${result.stderr}`);
    }
  }
  return new Twins(twins, host, notify);
}

class Twins implements Session {
  #twins: readonly Twin[];
  #host: HostClock;
  #notify: (notice: SessionNotice) => void;
  #speed = 1;
  #nowMs: number;
  #lastWallMs: number;
  #skips: { toMs: number; done: () => void }[] = [];
  #disposed = false;

  constructor(twins: readonly Twin[], host: HostClock, notify: (notice: SessionNotice) => void) {
    this.#twins = twins;
    this.#host = host;
    this.#notify = notify;
    this.#nowMs = Math.max(...twins.map(({ environment }) => environment.kernel.now()));
    this.#lastWallMs = host.wallNowMs();
    for (const twin of twins) {
      twin.environment.cluster.onWrite(() => {
        twin.dirty = true;
      });
      twin.environment.kernel.onError = (error) =>
        notify({ type: 'failed', message: error instanceof Error ? error.message : String(error), detail: error instanceof Error ? (error.stack ?? '') : '' });
    }
    void this.#tick();
  }

  async #tick(): Promise<void> {
    if (this.#disposed) return;
    const wallMs = this.#host.wallNowMs();
    this.#nowMs += Math.min(wallMs - this.#lastWallMs, MOST_TICK_MS) * this.#speed;
    this.#lastWallMs = wallMs;
    this.#nowMs = Math.max(this.#nowMs, ...this.#skips.map((skip) => skip.toMs));
    for (const [side, twin] of this.#twins.entries()) {
      await twin.environment.kernel.advance({ untilMs: Math.floor(this.#nowMs), sliceMs: 12 });
      if (this.#disposed) return;
      if (!twin.dirty) continue;
      twin.dirty = false;
      this.#notify({ type: 'view', view: clusterView(twin.environment.cluster), side });
    }
    // A skip that was asked for meanwhile is the next tick's.
    for (const skip of this.#skips) if (skip.toMs <= this.#nowMs) skip.done();
    this.#skips = this.#skips.filter((skip) => skip.toMs > this.#nowMs);
    this.#notify({ type: 'clock', nowMs: this.#nowMs, speed: this.#speed });
    this.#host.wake(TICK_MS, () => void this.#tick());
  }

  async handle(request: SessionRequest): Promise<unknown> {
    switch (request.type) {
      case 'open-terminal': {
        const side = Number(request.terminal);
        const twin = this.#twins[side];
        if (!twin) throw new Error(`no twin "${request.terminal}"`);
        twin.environment.kernel.input(() => {
          twin.terminal = twin.environment.reader.openTerminal(request.columns, request.rows);
          twin.terminal.onOutput((data) => this.#notify({ type: 'output', terminal: request.terminal, data }));
        });
        return undefined;
      }
      case 'resize': {
        const twin = this.#twins[Number(request.terminal)];
        twin?.environment.kernel.input(() => twin.terminal?.resize(request.columns, request.rows));
        return undefined;
      }
      case 'input':
        return this.#both((terminal) => terminal.input(request.data));
      case 'run':
        return this.#both((terminal) => terminal.run(request.command));
      case 'set-speed':
        this.#speed = Math.max(0, Math.min(request.speed, 60));
        return undefined;
      case 'skip':
        return new Promise<void>((done) => this.#skips.push({ toMs: this.#nowMs + request.ms, done }));
      default:
        throw new Error(`${request.type} is not simulated yet for twins`);
    }
  }

  #both(job: (terminal: Terminal) => void): void {
    for (const twin of this.#twins) twin.environment.kernel.input(() => twin.terminal && job(twin.terminal));
  }

  dispose(): void {
    this.#disposed = true;
    for (const { environment } of this.#twins) environment.dispose();
  }
}
