import { fnv32a, type HostClock, type Player } from '../kernel/index.ts';
import type { Terminal } from '../shell/reader-machine.ts';
import type { PresetName, WriteRecord } from '../sim/cluster.ts';
import { listenToCommands } from './command-output.ts';
import { createEnvironment, driveUntilSettled, type Environment } from './environment.ts';
import { PreparedCluster } from './prepared.ts';
import type { ProgressTracker } from './progress.ts';
import type { LabFileSet, SavedSession, SessionNotice, SessionRequest } from './protocol.ts';
import { checkSaved } from './saved-session.ts';
import { clusterView } from './view.ts';
import type { TraceQuestion } from './why/trace.ts';
import type { Trace } from './why/types.ts';

const HOME = '/home/reader';
/** The view is drawn at most this often, in wall time. */
const VIEW_INTERVAL_MS = 60;
const CLOCK_INTERVAL_MS = 250;
/** "Settled": nothing but heartbeats was written for this long (virtual). */
const QUIET_MS = 5_000;
const SETTLE_LIMIT_MS = 600_000;
/** Heartbeats and bookkeeping that go on for ever. */
const HEARTBEATS = new Set(['coordination.k8s.io/v1/leases', 'v1/nodes']);
const MARKED_WRITES = 50;
const TRACE_LIMIT_MS = 60_000;
/** Inputs kept for replay; beyond this the session can no longer be restored exactly and says so. */
const INPUT_LIMIT = 20_000;

/** Requests that change the world: they are what a session consists of, besides its seed. */
const REPLAYED = new Set<SessionRequest['type']>([
  'open-terminal',
  'close-terminal',
  'input',
  'resize',
  'run',
  'write-file',
  'delete-file',
  'node-action',
  'trace',
]);

export interface Session {
  /** Answers one request of the page. Rejects with an Error whose message can be shown. */
  handle(request: SessionRequest): Promise<unknown>;
  dispose(): void;
}

/** A session before and after it has started. */
interface SessionHost extends Session {
  /** Begins to boot the cluster that the first `start` will want, so that it need not wait for the page. */
  prepare(seed: string, preset: PresetName): void;
}

/** A lab session: one environment, its terminals, its clock, and what the page must know. */
export function createSession(options: {
  host: HostClock;
  notify: (notice: SessionNotice) => void;
  /** Told of each world that is made: a host may put it behind sockets. */
  onEnvironment?: (environment: Environment) => void;
}): SessionHost {
  const { host } = options;
  let running: Session | undefined;
  let current: { seed: string; preset: PresetName } | undefined;
  const prepared = new PreparedCluster(host);
  return {
    async handle(request) {
      if (request.type === 'start') {
        running?.dispose();
        running = undefined;
        const { lab, files } = request.lab;
        const cluster = prepared.take(request.seed, lab.cluster);
        current = { seed: request.seed, preset: lab.cluster };
        const environment = await createEnvironment({ host, seed: request.seed, preset: lab.cluster, files, cluster });
        const session = await RunningSession.start(environment, request, host, options.notify, options.onEnvironment);
        running = session;
        return { nowMs: session.nowMs };
      }
      if (request.type === 'start-twins') {
        running?.dispose();
        running = undefined;
        current = undefined;
        const { startTwins } = await import('./twins.ts');
        running = await startTwins(request, host, options.notify);
        return undefined;
      }
      if (!running) throw new Error('the session has not started');
      // Who looks at an earlier moment may go back to it, which begins with a new cluster.
      if (request.type === 'moment' && current) {
        const { seed, preset } = current;
        host.wake(0, () => prepared.prepare(seed, preset));
      }
      return running.handle(request);
    },
    prepare: (seed, preset) => prepared.prepare(seed, preset),
    dispose() {
      running?.dispose();
      prepared.dispose();
    },
  };
}

class RunningSession implements Session {
  #environment: Environment;
  #lab: LabFileSet;
  #seed: string;
  #notify: (notice: SessionNotice) => void;
  #host: HostClock;
  #player: Player | undefined;
  #terminals = new Map<string, Terminal>();
  #inputs: { atMs: number; request: SessionRequest }[] = [];
  /** Fetched beside the session: it only tells the page, so nothing in the cluster waits for it. */
  #progress: Promise<ProgressTracker>;
  #viewPlanned = false;
  #lastWriteMs = 0;
  #disposed = false;

  static async start(
    environment: Environment,
    { lab, seed, restore, speed = 1 }: SessionRequest & { type: 'start' },
    host: HostClock,
    notify: (notice: SessionNotice) => void,
    onEnvironment?: (environment: Environment) => void,
  ): Promise<RunningSession> {
    onEnvironment?.(environment);
    const session = new RunningSession(environment, lab, seed, host, notify);
    for (const command of lab.lab.setup) {
      const result = await driveUntilSettled(environment.kernel, environment.reader.execute(command));
      if (result.exit !== 0) throw new Error(`the lab's setup failed: ${command}\n${result.stderr}`);
    }
    if (restore) await session.#restore(restore);
    session.#play(speed);
    return session;
  }

  private constructor(environment: Environment, lab: LabFileSet, seed: string, host: HostClock, notify: (notice: SessionNotice) => void) {
    this.#environment = environment;
    this.#lab = lab;
    this.#seed = seed;
    this.#host = host;
    this.#notify = notify;
    this.#progress = import('./progress.ts').then((module) => new module.ProgressTracker(lab.lab, environment.cluster.client));
    this.#progress.catch((error: unknown) => this.#fail(error));
    this.#lastWriteMs = environment.kernel.now();
    environment.kernel.onError = (error) => this.#fail(error);
    environment.cluster.onWrite((write) => this.#onWrite(write));
    environment.reader.onFilesChanged(() => notify({ type: 'files-changed' }));
    environment.reader.onEdit((path) => notify({ type: 'edit', path }));
  }

  get nowMs(): number {
    return this.#environment.kernel.now();
  }

  dispose(): void {
    this.#disposed = true;
    this.#player?.dispose();
    this.#environment.dispose();
  }

  #fail(error: unknown): void {
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    this.#notify({ type: 'failed', message, detail: stack });
  }

  #play(speed: number): void {
    this.#player = this.#environment.kernel.play(speed);
    this.#player.finished.catch((error: unknown) => this.#fail(error));
    this.#planView();
    this.#tick();
  }

  #tick(): void {
    if (this.#disposed) return;
    this.#notify({ type: 'clock', nowMs: this.nowMs, speed: this.#player?.speed ?? 0 });
    this.#host.wake(CLOCK_INTERVAL_MS, () => this.#tick());
  }

  #onWrite(write: WriteRecord): void {
    if (HEARTBEATS.has(write.resource)) return;
    this.#lastWriteMs = write.atMs;
    this.#planView();
  }

  #planView(): void {
    if (this.#viewPlanned || !this.#player) return;
    this.#viewPlanned = true;
    this.#host.wake(VIEW_INTERVAL_MS, () => {
      this.#viewPlanned = false;
      if (this.#disposed) return;
      this.#notify({ type: 'view', view: clusterView(this.#environment.cluster) });
      this.#track((progress) => progress.update());
    });
  }

  async handle(request: SessionRequest): Promise<unknown> {
    if (REPLAYED.has(request.type)) {
      return new Promise((resolve, reject) => {
        this.#environment.kernel.input(() => {
          if (this.#inputs.length < INPUT_LIMIT) this.#inputs.push({ atMs: this.nowMs, request });
          try {
            resolve(this.#apply(request));
          } catch (error) {
            reject(error);
          }
        });
      });
    }
    return this.#answer(request);
  }

  /** Carries out a request that belongs to the session's log. Runs inside the kernel. */
  #apply(request: SessionRequest): unknown {
    const { reader, cluster } = this.#environment;
    switch (request.type) {
      case 'open-terminal': {
        if (this.#terminals.has(request.terminal)) return undefined;
        const terminal = reader.openTerminal(request.columns, request.rows);
        this.#terminals.set(request.terminal, terminal);
        terminal.onOutput((data) => this.#notify({ type: 'output', terminal: request.terminal, data }));
        terminal.onCommand((line) => this.#onCommand(request.terminal, line));
        listenToCommands(terminal, (output) => {
          this.#track((progress) => {
            progress.printed(output);
            return false;
          });
          this.#planView();
        });
        return undefined;
      }
      case 'close-terminal':
        this.#terminals.get(request.terminal)?.dispose();
        this.#terminals.delete(request.terminal);
        return undefined;
      case 'input':
        this.#terminal(request.terminal).input(request.data);
        return undefined;
      case 'resize':
        this.#terminal(request.terminal).resize(request.columns, request.rows);
        return undefined;
      case 'run':
        this.#terminal(request.terminal).run(request.command);
        return undefined;
      case 'write-file':
        reader.machine.fs.writeFile(homePath(request.path), request.text);
        return undefined;
      case 'delete-file':
        reader.machine.fs.remove(homePath(request.path));
        return undefined;
      case 'node-action': {
        const { nodes } = cluster;
        if (request.action === 'stop-kubelet') nodes.stopKubelet(request.node);
        else if (request.action === 'start-kubelet') nodes.startKubelet(request.node);
        else if (request.action === 'power-off') nodes.powerOff(request.node);
        else if (request.action === 'power-on') nodes.powerOn(request.node);
        else nodes.partition(request.node, request.action === 'partition');
        return undefined;
      }
      case 'trace':
        return this.#trace(request);
      default:
        throw new Error(`not part of a session's log: ${request.type}`);
    }
  }

  /** Packets need the cluster's time: where it stands still, it goes on for as long as they are on their way. */
  async #trace(question: TraceQuestion): Promise<Trace> {
    const { kernel, cluster } = this.#environment;
    let done = false;
    const tracing = kernel.external(import('./why/trace.ts')).then(({ trace }) => trace(cluster, question));
    // Replaying asks nobody for the answer.
    tracing.then(
      () => (done = true),
      () => (done = true),
    );
    if (this.#player?.speed === 0) void this.#player.fastForward({ untilMs: kernel.now() + TRACE_LIMIT_MS, until: () => done });
    return tracing;
  }

  #terminal(id: string): Terminal {
    const terminal = this.#terminals.get(id);
    if (!terminal) throw new Error(`no terminal "${id}"`);
    return terminal;
  }

  #onCommand(terminal: string, line: string): void {
    this.#notify({ type: 'command', terminal, line, atMs: this.nowMs });
    this.#track((progress) => progress.typed(line));
  }

  /** Tells the page of the steps when `look` found something new. In the order of asking. */
  #track(look: (progress: ProgressTracker) => boolean): void {
    void this.#progress.then(
      (progress) => look(progress) && !this.#disposed && this.#notify({ type: 'progress', steps: progress.states }),
      () => undefined,
    );
  }

  async #answer(request: SessionRequest): Promise<unknown> {
    const { kernel, cluster, reader } = this.#environment;
    const player = this.#player;
    switch (request.type) {
      case 'set-speed':
        if (player) player.speed = Math.max(0, Math.min(request.speed, 3600));
        return undefined;
      case 'step':
        await player?.fastForward({ untilMs: kernel.nextTimerMs() ?? kernel.now() });
        return undefined;
      case 'skip':
        await player?.fastForward({ untilMs: kernel.now() + request.ms });
        return undefined;
      case 'until-settled': {
        const start = kernel.now();
        this.#lastWriteMs = Math.max(this.#lastWriteMs, start - QUIET_MS + 1000);
        await player?.fastForward({ untilMs: start + SETTLE_LIMIT_MS, until: () => kernel.now() - this.#lastWriteMs >= QUIET_MS });
        return undefined;
      }
      case 'list-files':
        return reader.listFiles();
      case 'read-file':
        return reader.machine.fs.readText(homePath(request.path));
      case 'check-manifest': {
        const { checkManifest } = await import('./check-manifest.ts');
        return checkManifest(this.#host, request.name, request.text);
      }
      case 'get-object':
        return cluster.client.resource(request.resource).get(request.namespace, request.name);
      case 'why':
        return (await import('./why/answer.ts')).answerWhy(cluster, request);
      case 'moment':
        return (await import('./moments.ts')).viewAt(cluster, request.atMs);
      case 'history':
        return (await import('./moments.ts')).podHistories(cluster.writes);
      case 'digest':
        return (await import('./moments.ts')).digestOf(cluster.writes);
      case 'compare':
        return (await import('./moments.ts')).compareMoments(cluster, request.fromMs, request.toMs);
      case 'yaml': {
        const { clusterAt, yamlOf } = await import('./moments.ts');
        const then = request.atMs === undefined ? cluster : clusterAt(cluster, request.atMs);
        return yamlOf(then.client.resource(request.resource).get(request.namespace, request.name));
      }
      case 'save':
        // Between instants, so that a replay up to this one comes to the same.
        return new Promise((resolve) => kernel.input(() => resolve(this.#save())));
      default:
        throw new Error(`${request.type} is not simulated yet`);
    }
  }

  /** The revision the cluster has come to, and a digest of its last writes. */
  #mark(): string {
    const { writes } = this.#environment.cluster;
    const last = writes
      .slice(-MARKED_WRITES)
      .map((write) => `${write.revision} ${write.atMs} ${write.type} ${write.resource} ${write.namespace}/${write.name}`);
    return `${writes.at(-1)?.revision ?? 0}.${fnv32a(last.join()).toString(16)}`;
  }

  #save(): SavedSession | undefined {
    if (this.#inputs.length >= INPUT_LIMIT) return undefined;
    return { version: 1, lab: this.#lab.lab.name, seed: this.#seed, inputs: [...this.#inputs], nowMs: this.nowMs, mark: this.#mark() };
  }

  /** Plays the log of an earlier session: the same seed and inputs give the same cluster. */
  async #restore(saved: SavedSession): Promise<void> {
    const { kernel } = this.#environment;
    checkSaved(saved, kernel.now(), REPLAYED);
    for (const { atMs, request } of saved.inputs) {
      await kernel.advance({ untilMs: Math.max(atMs, kernel.now()), sliceMs: 12 });
      kernel.input(() => {
        this.#inputs.push({ atMs: kernel.now(), request });
        this.#apply(request);
      });
      await kernel.settle();
    }
    await kernel.advance({ untilMs: Math.max(saved.nowMs, kernel.now()), sliceMs: 12 });
  }
}

/** The page names files relative to the reader's home; nothing outside it can be named. */
function homePath(path: string): string {
  if (path.startsWith('/') || path.split('/').includes('..')) throw new Error(`not a file in the home folder: ${path}`);
  return `${HOME}/${path}`;
}
