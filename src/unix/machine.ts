import type { Kernel } from '../kernel/index.ts';
import { programOfStub } from './executables.ts';
import { TreeFileSystem } from './file-system.ts';
import { loopbackNetwork } from './loopback.ts';
import { allowed } from './open.ts';
import { procVolume } from './proc-files.ts';
import { UnixProcess } from './process.ts';
import { decodeText } from './text.ts';
import { Errno, type Machine, type MachineFacts, type NetworkStack, type OpenFile, type Process, type Program, type Volume } from './types.ts';
import { VolumeTree } from './volume.ts';

/** Processes that a machine may have at once: the pids limit of its cgroup. A fork bomb ends here. */
const PROCESS_LIMIT = 256;
const LAST_PID = 4_194_304;

/** Process ids and who has them: one per machine, or one per Pod that shares its process namespace. */
interface PidNamespace {
  processes: Map<number, UnixProcess>;
  lastPid: number;
}

export interface MachineOptions {
  kernel: Kernel;
  hostname: string;
  /** Read-only layers of the image, bottom first; shared with other machines. What the machine writes is its own. */
  layers?: readonly Volume[];
  /** Programs by absolute path. Their executables must exist in the filesystem (`installPrograms`). */
  programs: Readonly<Record<string, Program>>;
  net?: NetworkStack;
  facts?: Partial<MachineFacts>;
  readOnlyRoot?: boolean;
  /** Room for what the machine itself writes. */
  writableBytes?: number;
  /** Another machine whose processes are seen (shareProcessNamespace); its first process is init for all. */
  shareProcessesWith?: Machine;
  processLimit?: number;
}

/** A machine: nothing in it is made before it is used, so that thousands of them are cheap. */
export function createMachine(options: MachineOptions): Machine {
  return new UnixMachine(options);
}

/** What is held here is held by the page: beyond this a machine is out of memory, whatever its node promises. */
const REAL_MEMORY_LIMIT_BYTES = 256 << 20;
const UNLIMITED_MEMORY_BYTES = 128 << 20;

export class UnixMachine implements Machine {
  readonly kernel: Kernel;
  readonly fs: TreeFileSystem;
  readonly net: NetworkStack;
  readonly facts: MachineFacts;
  hostname: string;
  oomKilled = false;
  #programs: Readonly<Record<string, Program>>;
  #namespace: PidNamespace;
  #processLimit: number;
  #cpuOfEndedMs = 0;

  constructor(options: MachineOptions) {
    const { kernel } = options;
    this.kernel = kernel;
    this.hostname = options.hostname;
    this.net = options.net ?? loopbackNetwork(kernel);
    this.facts = { kernelRelease: '6.12.43-generic', bootMs: kernel.now(), memoryBytes: 8 * 2 ** 30, cpus: 4, ...options.facts };
    this.#programs = options.programs;
    this.#processLimit = options.processLimit ?? PROCESS_LIMIT;
    const shared = options.shareProcessesWith as UnixMachine | undefined;
    this.#namespace = shared ? shared.#namespace : { processes: new Map(), lastPid: 0 };
    const root = new VolumeTree({
      id: 'overlay',
      kernel,
      ...(options.layers ? { layers: options.layers } : {}),
      ...(options.writableBytes !== undefined ? { capacityBytes: options.writableBytes } : {}),
    });
    this.fs = new TreeFileSystem(kernel, root, { readOnly: options.readOnlyRoot ?? false });
    this.fs.mount('/proc', procVolume(this), { source: 'proc', type: 'proc' });
    this.fs.mount('/dev', deviceVolume(kernel), { source: 'tmpfs', type: 'tmpfs' });
  }

  get processes(): ReadonlyMap<number, UnixProcess> {
    return this.#namespace.processes;
  }

  get lastPid(): number {
    return this.#namespace.lastPid;
  }

  programAt(path: string): Program | undefined {
    try {
      const stub = programOfStub(this.fs.readFile(path));
      return stub === undefined ? undefined : this.#programs[stub];
    } catch (error) {
      if (error instanceof Errno) return undefined;
      throw error;
    }
  }

  start(argv: readonly string[], options: Parameters<Machine['start']>[1]): Process {
    const asInit = options.asInit ?? this.#namespace.processes.size === 0;
    const process = this.createProcess({
      parent: undefined,
      argv,
      env: options.env,
      cwd: options.cwd,
      uid: options.uid ?? 0,
      gid: options.gid ?? 0,
      isInit: asInit && !this.#namespace.processes.has(1),
      fds: new Map([
        [0, options.stdin],
        [1, options.stdout],
        [2, options.stderr],
      ]),
    });
    const { terminal } = process;
    if (terminal) {
      terminal.sendSignal = (pgid, signal) => {
        for (const member of [...this.#namespace.processes.values()]) if (member.pgid === pgid) member.kill(signal);
      };
      terminal.foreground ??= process.pgid;
    }
    let loaded: { program: Program; argv: readonly string[] };
    try {
      loaded = this.load(process, argv, options.env);
    } catch (error) {
      // Nothing ran: the number is free again.
      process.finish({ code: 127 });
      this.#namespace.lastPid--;
      throw error;
    }
    process.argv = loaded.argv;
    process.run(loaded.program);
    return process;
  }

  /** execve(2): the program behind argv[0], through #! lines. Throws ENOENT, EACCES, ENOEXEC. */
  load(process: UnixProcess, argv: readonly string[], env: ReadonlyMap<string, string>): { program: Program; argv: readonly string[] } {
    const command = argv[0] ?? '';
    const found = command.includes('/') ? command : whichIn(process, command, env);
    if (found === undefined) throw new Errno('ENOENT');
    let path = process.resolve(found);
    let args = [...argv];
    for (let depth = 0; depth < 5; depth++) {
      const { node } = process.fileSystem().locate(path);
      if (!node) throw new Errno('ENOENT');
      if (node.type !== 'file' || !allowed(process, node, 1)) throw new Errno('EACCES');
      const content = this.fs.readFile(path);
      const stub = programOfStub(content);
      if (stub !== undefined) {
        const program = this.#programs[stub];
        if (!program) throw new Errno('ENOEXEC');
        return { program, argv: args };
      }
      if (content[0] !== 0x23 || content[1] !== 0x21) throw new Errno('ENOEXEC');
      const line = decodeText(content.subarray(2, 256)).split('\n', 1)[0]!.trim();
      const [, interpreter = '', argument] = /^(\S+)(?:\s+(.*))?$/.exec(line) ?? [];
      if (!interpreter) throw new Errno('ENOEXEC');
      args = [interpreter, ...(argument ? [argument] : []), depth === 0 ? found : path, ...args.slice(1)];
      path = process.resolve(interpreter);
    }
    throw new Errno('ELOOP');
  }

  createProcess(options: {
    parent: UnixProcess | undefined;
    argv: readonly string[];
    env: ReadonlyMap<string, string>;
    cwd: string;
    uid: number;
    gid: number;
    pgid?: number;
    isInit?: boolean;
    fds: ReadonlyMap<number, OpenFile>;
  }): UnixProcess {
    const { processes } = this.#namespace;
    if (processes.size >= this.#processLimit) throw new Errno('EAGAIN');
    let pid = this.#namespace.lastPid;
    do pid = pid >= LAST_PID ? 2 : pid + 1;
    while (processes.has(pid));
    this.#namespace.lastPid = pid;
    const process = new UnixProcess({ ...options, machine: this, pid, isInit: options.isInit ?? false });
    processes.set(pid, process);
    return process;
  }

  /** A process has ended: its children go to init, and with init everything ends. */
  ended(process: UnixProcess): void {
    this.#cpuOfEndedMs += process.cpuMs;
    const { processes } = this.#namespace;
    processes.delete(process.pid);
    const init = process.isInit ? undefined : processes.get(1);
    for (const child of process.children) child.ppid = init ? init.pid : 0;
    if (process.isInit) for (const other of [...processes.values()]) other.terminate('SIGKILL');
  }

  killAll(): void {
    for (const process of [...this.#namespace.processes.values()]) if (process.machine === this) process.terminate('SIGKILL');
  }

  memoryBytes(): number {
    let bytes = 0;
    for (const process of this.#namespace.processes.values()) if (process.machine === this) bytes += process.memoryBytes;
    return bytes;
  }

  cpuMs(): number {
    let ms = this.#cpuOfEndedMs;
    for (const process of this.#namespace.processes.values()) if (process.machine === this) ms += process.cpuMs;
    return ms;
  }

  /**
   * The out-of-memory killer. Of the cgroup: the kubelet sets memory.oom.group, so it takes every process of the container.
   * Of the node: the process that holds most.
   */
  checkMemory(process: UnixProcess): void {
    const cgroup = this.facts.memoryLimitBytes;
    const limit = Math.min(cgroup ?? UNLIMITED_MEMORY_BYTES, REAL_MEMORY_LIMIT_BYTES);
    if (process.memoryBytes <= limit / 64 || this.memoryBytes() <= limit) return;
    this.oomKilled = true;
    if (limit === cgroup) return this.killAll();
    let largest = process;
    for (const other of this.#namespace.processes.values()) if (other.machine === this && other.memoryBytes > largest.memoryBytes) largest = other;
    largest.terminate('SIGKILL');
  }
}

function whichIn(process: UnixProcess, command: string, env: ReadonlyMap<string, string>): string | undefined {
  let denied = false;
  for (const directory of (env.get('PATH') ?? '/sbin:/usr/sbin:/bin:/usr/bin').split(':')) {
    const path = `${directory || '.'}/${command}`;
    try {
      const { node } = process.fileSystem().locate(process.resolve(path));
      if (node?.type === 'file' && allowed(process, node, 1)) return path;
      if (node?.type === 'file') denied = true;
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
    }
  }
  if (denied) throw new Errno('EACCES');
  return undefined;
}

/** /dev as the container runtime makes it. */
function deviceVolume(kernel: Kernel): VolumeTree {
  const volume = new VolumeTree({ id: 'dev', kernel });
  const { entries } = volume.root;
  for (const [name, device] of Object.entries({ null: 'null', zero: 'zero', full: 'full', random: 'random', urandom: 'random', tty: 'tty' }))
    entries.set(name, volume.newDevice(device));
  for (const [name, target] of Object.entries({ fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2' }))
    entries.set(name, volume.newSymlink(target));
  for (const name of ['pts', 'shm']) entries.set(name, volume.newDirectory(name === 'shm' ? 0o1777 : 0o755));
  return volume;
}
