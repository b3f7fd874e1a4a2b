import type { Disposable, Kernel } from '../../kernel/index.ts';
import {
  callbackSink,
  createMachine,
  createPipe,
  createTty,
  createVolume,
  Errno,
  type FileSystem,
  type Machine,
  nullFile,
  type OpenFile,
  type Process,
  type SignalName,
  type TerminalMaster,
  type Volume,
  volumeFileSystem,
} from '../../unix/index.ts';
import type { ImageDefinition } from '../images/types.ts';
import { type ContainerLauncher, type ContainerMount, LaunchError, type LaunchOptions, type ProvidedFile } from './launcher.ts';
import type { ContainerExit, ContainerInput, ContainerProcess } from './runtime.ts';

const SHORTEST_LIFE_MS = 30;

interface PreparedImage {
  layer: Volume;
  /** Whether `sleep` is one of its programs: such containers need no machine until somebody looks inside. */
  hasSleep: boolean;
}

/** Starts containers as machines of `src/unix`. One launcher per cluster: image layers are built once and shared. */
export function machineLauncher(kernel: Kernel): ContainerLauncher {
  const images = new Map<ImageDefinition, PreparedImage>();
  const prepare = (definition: ImageDefinition): PreparedImage => {
    let prepared = images.get(definition);
    if (!prepared) {
      const layer = createVolume({ id: `image:${definition.repository}`, kernel });
      const fs = volumeFileSystem(layer);
      definition.build(fs);
      prepared = { layer, hasSleep: fs.exists('/bin/sleep') };
      images.set(definition, prepared);
    }
    return prepared;
  };
  return (options) => {
    const image = prepare(options.image.definition);
    const idleMs = image.hasSleep ? idleDuration(options.argv) : undefined;
    if (idleMs !== undefined) return new IdleProcess(kernel, image.layer, options, idleMs);
    return new MachineProcess(kernel, image.layer, options);
  };
}

/** How long `sleep …` sleeps, in ms (Infinity for "infinity"); undefined for anything else. */
function idleDuration(argv: readonly string[]): number | undefined {
  if (argv.length !== 2 || (argv[0] !== 'sleep' && argv[0] !== '/bin/sleep')) return undefined;
  if (argv[1] === 'infinity' || argv[1] === 'inf') return Number.POSITIVE_INFINITY;
  const match = /^(\d+)([smhd]?)$/.exec(argv[1] as string);
  return match ? Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86_400 }[(match[2] || 's') as 's' | 'm' | 'h' | 'd'] * 1000 : undefined;
}

/** The container's machine with its files; `streams` are PID 1's. */
function buildMachine(kernel: Kernel, layer: Volume, options: LaunchOptions): { machine: Machine; close: () => void } {
  const net = options.openStack();
  const shared = options.shareProcessesWith?.();
  const machine = createMachine({
    kernel,
    hostname: options.hostname,
    layers: options.readOnlyRoot ? [layer, fileLayer(kernel, options)] : [layer],
    programs: options.image.definition.programs,
    net,
    ...(options.readOnlyRoot ? { readOnlyRoot: true } : {}),
    ...(shared ? { shareProcessesWith: shared } : {}),
    facts: {
      memoryBytes: options.nodeMemoryBytes,
      cpus: options.nodeCpus,
      sysctls: options.sysctls,
      groups: options.container.user.supplementalGroups,
      privileged: options.spec.securityContext?.privileged ?? false,
      ...(options.memoryLimitBytes !== undefined ? { memoryLimitBytes: options.memoryLimitBytes } : {}),
    },
  });
  mountAll(machine, options.mounts);
  writeFiles(
    machine.fs,
    options.files.filter((file) => !options.readOnlyRoot || file.path.startsWith('/dev/')),
  );
  return { machine, close: () => net.dispose?.() };
}

/** Mounts parents before children; a mount point inside another volume is made in that volume (`MakeNestedMountpoints`). */
function mountAll(machine: Machine, mounts: readonly ContainerMount[]): void {
  const opened = mounts
    .map((mount) => ({ path: mount.path.replace(/\/+$/, ''), ...mount.open() }))
    .sort((a, b) => a.path.split('/').length - b.path.split('/').length);
  for (const { path, volume, ...how } of opened) {
    const parent = opened.findLast((other) => other.path !== path && path.startsWith(`${other.path}/`));
    if (parent) {
      const inParent = `/${parent.subPath ?? ''}/${path.slice(parent.path.length + 1)}`;
      const fs = volumeFileSystem(parent.volume);
      if (!fs.exists(inParent)) fs.mkdir(inParent, { recursive: true });
    }
    machine.fs.mount(path, volume, how);
  }
}

function writeFiles(fs: FileSystem, files: readonly ProvidedFile[]): void {
  for (const { path, content, mode } of files) {
    const directory = path.slice(0, path.lastIndexOf('/')) || '/';
    if (!fs.exists(directory)) fs.mkdir(directory, { recursive: true });
    fs.writeFile(path, content, { mode });
  }
}

/** What the kubelet provides, and the mount points, for a container that cannot write its own root. */
function fileLayer(kernel: Kernel, options: LaunchOptions): Volume {
  const layer = createVolume({ id: 'kubelet', kernel });
  const fs = volumeFileSystem(layer);
  writeFiles(
    fs,
    options.files.filter((file) => !file.path.startsWith('/dev/')),
  );
  for (const mount of options.mounts) fs.mkdir(mount.path, { recursive: true });
  return layer;
}

interface Streams {
  stdin: OpenFile;
  stdout: OpenFile;
  stderr: OpenFile;
  input?: ContainerInput;
  terminal?: TerminalMaster;
}

function openStreams(kernel: Kernel, options: LaunchOptions): Streams {
  const { spec, container } = options;
  const write = (stream: 'stdout' | 'stderr') => (chunk: Uint8Array) => {
    container.log.write(stream, chunk);
    for (const listener of options.listeners) listener(stream, chunk);
  };
  if (spec.tty) {
    const terminal = createTty({ kernel, columns: 80, rows: 24, output: write('stdout') });
    const slave = terminal.tty.openSlave();
    const input: ContainerInput = { write: (chunk) => terminal.input(chunk), end: () => {} };
    return { stdin: slave, stdout: slave, stderr: slave, terminal, ...(spec.stdin ? { input } : {}) };
  }
  const stdout = callbackSink(write('stdout'));
  const stderr = callbackSink(write('stderr'));
  if (!spec.stdin) return { stdin: nullFile(), stdout, stderr };
  const [readEnd, writeEnd] = createPipe();
  const input: ContainerInput = {
    write: (chunk) => {
      writeEnd.write(chunk).catch(() => {});
    },
    end: () => writeEnd.close(),
  };
  return { stdin: readEnd, stdout, stderr, input };
}

/** PID 1 of a container on a machine of its own. */
class MachineProcess implements ContainerProcess {
  readonly #machine: Machine;
  readonly #process: Process;
  readonly stdin?: ContainerInput;
  readonly terminal?: TerminalMaster;

  constructor(kernel: Kernel, layer: Volume, options: LaunchOptions) {
    const { machine, close } = buildMachine(kernel, layer, options);
    this.#machine = machine;
    const streams = openStreams(kernel, options);
    if (streams.input) this.stdin = streams.input;
    if (streams.terminal) this.terminal = streams.terminal;
    try {
      if (options.cwd !== '/' && !machine.fs.exists(options.cwd)) machine.fs.mkdir(options.cwd, { recursive: true });
      this.#process = machine.start(options.argv, {
        env: options.env,
        cwd: options.cwd,
        stdin: streams.stdin,
        stdout: streams.stdout,
        stderr: streams.stderr,
        uid: options.container.user.uid,
        gid: options.container.user.gid,
        asInit: true,
      });
    } catch (error) {
      close();
      if (!(error instanceof Errno)) throw error;
      throw new LaunchError(
        `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: ${startFailure(options.argv[0] ?? '', error)}`,
      );
    }
    const startedMs = kernel.now();
    void this.#process.exited.then((status) => {
      const end = (): void => {
        const message = readTerminationMessage(machine, options);
        close();
        options.onExit({ exitCode: status.code, reason: machine.oomKilled ? 'OOMKilled' : status.code === 0 ? 'Completed' : 'Error' }, message);
      };
      // Even a program that does nothing takes its time to be loaded and to exit.
      const leftMs = startedMs + SHORTEST_LIFE_MS - kernel.now();
      if (leftMs > 0) kernel.timer(leftMs, end);
      else end();
    });
  }

  machine(): Machine {
    return this.#machine;
  }

  signal(name: string): void {
    if (name === 'SIGKILL') this.#machine.killAll();
    else this.#process.kill(name as SignalName);
  }
}

/** runc's words when a program cannot be started. */
export function startFailure(command: string, error: Errno): string {
  const quoted = JSON.stringify(command);
  const prefix = 'unable to start container process: ';
  if (error.code === 'ENOENT') {
    return command.includes('/')
      ? `${prefix}exec: ${quoted}: stat ${command}: no such file or directory`
      : `${prefix}exec: ${quoted}: executable file not found in $PATH`;
  }
  if (error.code === 'EACCES') return `${prefix}exec: ${quoted}: permission denied`;
  if (error.code === 'ENOEXEC') return `${prefix}exec ${command}: exec format error`;
  return `${prefix}exec: ${quoted}: ${error.message.toLowerCase()}`;
}

/** A container that only sleeps: a timer, until somebody wants its machine. PID 1 ignores SIGTERM, as it has no handler. */
class IdleProcess implements ContainerProcess {
  readonly #kernel: Kernel;
  readonly #layer: Volume;
  readonly #options: LaunchOptions;
  #timer: Disposable | undefined;
  #built: { machine: Machine; close: () => void } | undefined;
  #ended = false;

  constructor(kernel: Kernel, layer: Volume, options: LaunchOptions, durationMs: number) {
    this.#kernel = kernel;
    this.#layer = layer;
    this.#options = options;
    if (durationMs !== Number.POSITIVE_INFINITY) this.#timer = kernel.timer(durationMs, () => this.#end({ exitCode: 0, reason: 'Completed' }));
  }

  machine(): Machine {
    if (!this.#built) {
      const options = this.#options;
      this.#built = buildMachine(this.#kernel, this.#layer, options);
      const process = this.#built.machine.start(options.argv, {
        env: options.env,
        cwd: options.cwd,
        stdin: nullFile(),
        stdout: nullFile(),
        stderr: nullFile(),
        uid: options.container.user.uid,
        gid: options.container.user.gid,
        asInit: true,
      });
      const { machine } = this.#built;
      void process.exited.then((status) =>
        this.#end({ exitCode: status.code, reason: machine.oomKilled ? 'OOMKilled' : status.code === 0 ? 'Completed' : 'Error' }),
      );
    }
    return this.#built.machine;
  }

  signal(name: string): void {
    if (name === 'SIGKILL') this.#end({ exitCode: 137, reason: 'Error' });
  }

  #end(exit: ContainerExit): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.dispose();
    const message = this.#built ? readTerminationMessage(this.#built.machine, this.#options) : '';
    this.#built?.machine.killAll();
    this.#built?.close();
    this.#options.onExit(exit, message);
  }
}

/** What the container left in its termination log (at most 4096 bytes), as the kubelet reads it. */
function readTerminationMessage(machine: Machine, options: LaunchOptions): string {
  const path = options.spec.terminationMessagePath || '/dev/termination-log';
  try {
    return new TextDecoder().decode(machine.fs.readFile(path).subarray(0, 4096));
  } catch (error) {
    if (error instanceof Errno) return '';
    throw error;
  }
}
