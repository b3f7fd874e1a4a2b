import { type Kernel, toDisposable } from '../kernel/index.ts';
import { CpuAccount, SLICE_MS } from './cpu-account.ts';
import { Descriptor, descriptionOf, withStandard } from './descriptor.ts';
import { findExecutable } from './executables.ts';
import type { TreeFileSystem } from './file-system.ts';
import type { UnixMachine } from './machine.ts';
import { openPath } from './open.ts';
import { joinPath } from './paths.ts';
import { createPipe } from './pipe.ts';
import { type ProcessOptions, runProgram, sendSignalFrom } from './process-life.ts';
import { defaultAction, SIGNAL_NUMBERS } from './signals.ts';
import { decodeText, encodeText, READ_ALL_LIMIT_BYTES, readFully } from './text.ts';
import { Errno, type ExitStatus, Killed, type OpenFile, type Process, type Program, type SignalName, type SpawnOptions, type Tty } from './types.ts';

/** Memory that a process takes before it declares any. */
const BASE_MEMORY_BYTES = 512 << 10;
/** What starting a process costs. */
const SPAWN_CPU_MS = 0.6;

export class UnixProcess implements Process {
  readonly pid: number;
  ppid: number;
  pgid: number;
  argv: readonly string[];
  readonly env: Map<string, string>;
  cwd: string;
  uid: number;
  gid: number;
  umask = 0o022;
  readonly fds = new Map<number, OpenFile>();
  readonly machine: UnixMachine;
  readonly kernel: Kernel;
  readonly exited: Promise<ExitStatus>;
  readonly startMs: number;
  readonly parent: UnixProcess | undefined;
  readonly children = new Set<UnixProcess>();
  status: ExitStatus | undefined;
  stopped = false;
  /** Controlling terminal, inherited. */
  terminal: Tty | undefined;
  memoryBytes = BASE_MEMORY_BYTES;
  #abort: AbortController | undefined;
  #guards = new Set<(error: Error) => void>();
  #handlers = new Map<SignalName, (() => void) | 'ignore'>();
  #resolveExited!: (status: ExitStatus) => void;
  readonly #account: CpuAccount;
  #resume: (() => void)[] = [];
  #watchers: ((change: ExitStatus | 'stopped') => void)[] = [];
  /** Every descriptor this process holds, numbered or not: closed when it ends. */
  #open = new Set<Descriptor>();
  readonly isInit: boolean;

  constructor(options: ProcessOptions) {
    this.machine = options.machine;
    this.kernel = options.machine.kernel;
    this.pid = options.pid;
    this.parent = options.parent;
    this.ppid = options.parent?.pid ?? 0;
    this.pgid = options.pgid ?? options.pid;
    this.argv = options.argv;
    this.env = new Map(options.env);
    this.cwd = options.cwd;
    this.uid = options.uid;
    this.gid = options.gid;
    this.isInit = options.isInit;
    this.startMs = this.kernel.now();
    this.#account = new CpuAccount(this.kernel);
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    for (const [number, file] of options.fds) this.fds.set(number, this.attach(file));
    if (options.parent) {
      this.umask = options.parent.umask;
      this.terminal = options.parent.terminal;
      for (const [signal, handler] of options.parent.#handlers) if (handler === 'ignore') this.#handlers.set(signal, 'ignore');
      options.parent.children.add(this);
    } else this.terminal = this.fds.get(0)?.tty ?? this.fds.get(1)?.tty;
  }

  get cpuMs(): number {
    return this.#account.usedMs;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.status) this.#abort.abort();
    return this.#abort.signal;
  }

  // ---- descriptors ----

  /** A descriptor of this process for what `file` points at. */
  attach(file: OpenFile): Descriptor {
    const descriptor = new Descriptor(this, descriptionOf(file), () => this.#open.delete(descriptor));
    this.#open.add(descriptor);
    return descriptor;
  }

  duplicate(file: OpenFile): OpenFile {
    return this.attach(file);
  }

  #standard(number: number): OpenFile {
    const file = this.fds.get(number);
    if (!file) throw new Errno('EBADF');
    return file;
  }

  #replace(number: number, file: OpenFile): void {
    const before = this.fds.get(number);
    if (before === file) return;
    this.fds.set(number, file instanceof Descriptor && file.process === this ? file : this.attach(file));
    before?.close();
  }

  get stdin(): OpenFile {
    return this.#standard(0);
  }
  set stdin(file: OpenFile) {
    this.#replace(0, file);
  }
  get stdout(): OpenFile {
    return this.#standard(1);
  }
  set stdout(file: OpenFile) {
    this.#replace(1, file);
  }
  get stderr(): OpenFile {
    return this.#standard(2);
  }
  set stderr(file: OpenFile) {
    this.#replace(2, file);
  }

  async out(text: string): Promise<void> {
    if (text) await this.stdout.write(encodeText(text));
  }

  async err(text: string): Promise<void> {
    if (text) await this.fds.get(2)?.write(encodeText(text));
  }

  async readAll(): Promise<string> {
    try {
      return decodeText(await readFully(this.stdin, READ_ALL_LIMIT_BYTES));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.terminate('SIGKILL');
      throw new Killed('SIGKILL');
    }
  }

  pipe(): [OpenFile, OpenFile] {
    const [reader, writer] = createPipe();
    return [this.attach(reader), this.attach(writer)];
  }

  open(path: string, flags: 'r' | 'w' | 'a' | 'r+' | 'wx', mode = 0o666): OpenFile {
    return openPath(this, path, flags, mode & ~this.umask);
  }

  // ---- time ----

  async guard<T>(work: Promise<T>): Promise<T> {
    const beganMs = this.kernel.now();
    const value = await this.#untilKilled(work);
    this.#account.waited(this.kernel.now() - beganMs);
    while (this.stopped) await this.#untilKilled(new Promise<void>((resolve) => this.#resume.push(resolve)));
    return value;
  }

  #untilKilled<T>(work: Promise<T>): Promise<T> {
    if (this.status) {
      work.catch(() => undefined);
      return Promise.reject(this.#killed());
    }
    return new Promise<T>((resolve, reject) => {
      this.#guards.add(reject);
      work.then(
        (value) => {
          this.#guards.delete(reject);
          resolve(value);
        },
        (error) => {
          this.#guards.delete(reject);
          reject(this.status ? this.#killed() : error);
        },
      );
    });
  }

  #killed(): Killed {
    return new Killed(this.status?.signal ?? 'SIGKILL');
  }

  async sleep(ms: number): Promise<void> {
    await this.#settleDebt();
    let timer = toDisposable(() => undefined);
    try {
      await this.guard(
        new Promise<void>((resolve) => {
          timer = this.kernel.timer(ms, resolve);
        }),
      );
    } finally {
      timer.dispose();
    }
  }

  async cpu(ms: number): Promise<void> {
    if (this.status) throw this.#killed();
    this.charge(ms);
    if (this.#account.debtMs >= SLICE_MS) await this.#settleDebt();
    else if (this.stopped) await this.guard(Promise.resolve());
  }

  /** Adds CPU time to be slept off at the next chance. */
  charge(ms: number): void {
    this.#account.charge(ms);
  }

  async #settleDebt(): Promise<void> {
    if (this.#account.debtMs < 0.05) return;
    const { kernel } = this;
    await this.#account.settle(this.machine.facts.cpus, async (ms) => {
      let timer = toDisposable(() => undefined);
      try {
        await this.guard(
          new Promise<void>((resolve) => {
            timer = kernel.timer(ms, resolve);
          }),
        );
      } finally {
        timer.dispose();
      }
    });
  }

  /** A background process that reads the terminal is stopped until it is brought to the foreground. */
  async waitForForeground(tty: Tty): Promise<void> {
    while (tty === this.terminal && tty.foreground !== undefined && tty.foreground !== this.pgid) {
      this.deliver('SIGTTIN', true);
      if (!this.stopped) return;
      await this.guard(Promise.resolve());
    }
  }

  // ---- children ----

  resolve(path: string): string {
    const absolute = joinPath(this.cwd, path);
    return path.endsWith('/') && absolute !== '/' ? `${absolute}/` : absolute;
  }

  which(command: string): string | undefined {
    return findExecutable(this, command);
  }

  /** The machine's filesystem, where /proc/self means this process. */
  fileSystem(): TreeFileSystem {
    const fs = this.machine.fs;
    fs.callerPid = this.pid;
    return fs;
  }

  spawn(argv: readonly string[], options: SpawnOptions = {}): Process {
    const { program, argv: resolved } = this.machine.load(this, argv, options.env ?? this.env);
    return this.fork(program, resolved, options);
  }

  fork(program: Program, argv: readonly string[], options: SpawnOptions = {}): Process {
    if (this.status) throw this.#killed();
    // The more processes there are, the less of the processors each gets: a fork bomb slows itself down.
    this.charge(SPAWN_CPU_MS * (1 + this.machine.processes.size / 16));
    const child = this.machine.createProcess({
      parent: this,
      argv,
      env: options.env ?? this.env,
      cwd: options.cwd ?? this.cwd,
      uid: options.uid ?? this.uid,
      gid: options.gid ?? this.gid,
      ...(options.newGroup ? {} : { pgid: this.pgid }),
      fds: withStandard(this.fds, options.fds),
    });
    // Children go on where the parent's slice was: a chain of forks must not be free.
    child.#account.debtMs = this.#account.debtMs;
    child.run(program);
    return child;
  }

  async exec(argv: readonly string[], options: SpawnOptions = {}): Promise<number> {
    const { program, argv: resolved } = this.machine.load(this, argv, options.env ?? this.env);
    if (options.env) {
      const env = [...options.env];
      this.env.clear();
      for (const [name, value] of env) this.env.set(name, value);
    }
    if (options.cwd !== undefined) this.cwd = options.cwd;
    if (options.fds) for (const [number, file] of options.fds) this.#replace(number, file);
    for (const [signal, handler] of this.#handlers) if (handler !== 'ignore') this.#handlers.delete(signal);
    this.argv = resolved;
    return program(this);
  }

  run(program: Program): void {
    runProgram(this, program);
  }

  finish(status: ExitStatus): void {
    if (this.status) return;
    this.status = status;
    this.#account.close();
    this.machine.ended(this);
    const error = this.#killed();
    for (const reject of this.#guards) reject(error);
    this.#guards.clear();
    for (const descriptor of [...this.#open]) descriptor.close();
    this.#abort?.abort();
    this.parent?.children.delete(this);
    for (const watcher of this.#watchers.splice(0)) watcher(status);
    this.#resolveExited(status);
    if (this.parent && !this.parent.status) this.parent.kill('SIGCHLD');
  }

  changed(): Promise<ExitStatus | 'stopped'> {
    if (this.status) return Promise.resolve(this.status);
    if (this.stopped) return Promise.resolve('stopped');
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  // ---- signals ----

  onSignal(signal: SignalName, handler: (() => void) | 'ignore' | undefined): void {
    if (handler === undefined) this.#handlers.delete(signal);
    else this.#handlers.set(signal, handler);
  }

  /** Whether a signal is ignored (a shell must not trap what was ignored when it started). */
  ignores(signal: SignalName): boolean {
    return this.#handlers.get(signal) === 'ignore';
  }

  kill(signal: SignalName): void {
    this.deliver(signal, false);
  }

  sendSignal(pid: number, signal: SignalName | 0): void {
    sendSignalFrom(this, pid, signal);
  }

  deliver(signal: SignalName, fromInside: boolean): void {
    if (this.status) return;
    const unstoppable = signal === 'SIGKILL' || signal === 'SIGSTOP';
    if (unstoppable) {
      if (this.isInit && fromInside) return;
    } else {
      const handler = this.#handlers.get(signal);
      if (handler === 'ignore') return;
      if (signal === 'SIGCONT') this.#continue();
      if (handler) {
        handler();
        return;
      }
      // The kernel drops what would end the init of a PID namespace by default.
      if (this.isInit) return;
    }
    switch (defaultAction(signal)) {
      case 'terminate':
        this.terminate(signal);
        break;
      case 'stop':
        this.stopped = true;
        for (const watcher of this.#watchers.splice(0)) watcher('stopped');
        this.parent?.kill('SIGCHLD');
        break;
      default:
        break;
    }
  }

  #continue(): void {
    this.stopped = false;
    for (const resume of this.#resume.splice(0)) resume();
  }

  terminate(signal: SignalName): void {
    this.finish({ code: 128 + SIGNAL_NUMBERS[signal], signal });
  }

  setGroup(pgid: number): void {
    this.pgid = pgid === 0 ? this.pid : pgid;
  }

  useMemory(bytes: number): void {
    this.memoryBytes = BASE_MEMORY_BYTES + bytes;
    this.machine.checkMemory(this);
    if (this.status) throw this.#killed();
  }
}
