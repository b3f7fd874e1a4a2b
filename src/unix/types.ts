import type { Disposable, Kernel } from '../kernel/index.ts';

/**
 * A small Unix, enough for containers and for the reader's own shell: processes with streams and
 * signals, a filesystem with mounts and symlinks, terminals. Everything runs on the kernel's virtual time.
 * A program is an async function; whatever it awaits is settled by the kernel, so it can always be killed.
 */

/** Where bytes come from. */
export interface ByteSource {
  /**
   * The next chunk, or null at the end. Rejects with `Killed` when the reader's process dies, and with `Aborted` when
   * the signal aborts while waiting (nothing is lost: the next read gets what comes).
   */
  read(signal?: AbortSignal): Promise<Uint8Array | null>;
}

/** Where bytes go. */
export interface ByteSink {
  /**
   * Resolves when there is room for more (back-pressure). Rejects with an `Errno('EPIPE')` when nobody reads.
   * The chunk belongs to the sink afterwards: the writer must not change its bytes.
   */
  write(chunk: Uint8Array): Promise<void>;
}

/** An open file description: what a descriptor number points at. Reference counted by the process table. */
export interface OpenFile extends ByteSource, ByteSink {
  readonly kind: 'file' | 'pipe' | 'tty' | 'null' | 'socket' | 'directory';
  readonly tty?: Tty;
  /** Moves the file offset (regular files only) and returns it. */
  seek?(offset: number, whence: 'start' | 'current' | 'end'): number;
  /** Puts bytes back that were read too far: whoever reads this open file next gets them first. */
  unread?(chunk: Uint8Array): void;
  /** What lies behind it: a path, or `pipe:[7]`, as /proc/self/fd shows it. */
  readonly name?: string;
  /** Called when the last descriptor that points here is closed. */
  close(): void;
}

/** A terminal: the master side belongs to the screen, the slave side to the foreground processes. */
export interface Tty {
  columns: number;
  rows: number;
  /** Raw mode: no echo, no line editing, no signals from keys. */
  raw: boolean;
  echo: boolean;
  /** Shows CR LF for LF (ONLCR). Setting `raw` switches it off and on; a line editor switches it on again. */
  translateOutput: boolean;
  onResize(listener: () => void): Disposable;
  /** Process group in the foreground; it gets SIGINT from Ctrl-C, SIGQUIT from Ctrl-\. */
  foreground: number | undefined;
  /** Process ids are numbers within a machine; signals from keys go to this one. Set by the machine that opens it as controlling terminal. */
  sendSignal: ((pgid: number, signal: SignalName) => void) | undefined;
  /** Keys that a line editor took too many of: they wait for the next reader as if typed now, without being shown. */
  typeAhead(keys: string): void;
  /** Slave side. */
  openSlave(): OpenFile;
}

export type SignalName =
  | 'SIGHUP'
  | 'SIGINT'
  | 'SIGQUIT'
  | 'SIGKILL'
  | 'SIGTERM'
  | 'SIGPIPE'
  | 'SIGUSR1'
  | 'SIGUSR2'
  | 'SIGCHLD'
  | 'SIGSTOP'
  | 'SIGCONT'
  | 'SIGTSTP'
  | 'SIGTTIN'
  | 'SIGTTOU'
  | 'SIGWINCH'
  | 'SIGALRM'
  | 'SIGSEGV';

/** A failed system call: `code` as in errno.h; `message` as strerror says it ("No such file or directory"). */
export class Errno extends Error {
  readonly code: string;
  constructor(code: string, message = strerror(code)) {
    super(message);
    this.name = 'Errno';
    this.code = code;
  }
}

const STRERROR: Record<string, string> = {
  ENOENT: 'No such file or directory',
  EEXIST: 'File exists',
  EISDIR: 'Is a directory',
  ENOTDIR: 'Not a directory',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
  ENOTEMPTY: 'Directory not empty',
  EPIPE: 'Broken pipe',
  EBADF: 'Bad file descriptor',
  EINVAL: 'Invalid argument',
  ENOSPC: 'No space left on device',
  ELOOP: 'Too many levels of symbolic links',
  ESRCH: 'No such process',
  ECHILD: 'No child processes',
  EAGAIN: 'Resource temporarily unavailable',
  EBUSY: 'Device or resource busy',
  EXDEV: 'Cross-device link',
  ECONNREFUSED: 'Connection refused',
  ETIMEDOUT: 'Connection timed out',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network unreachable',
  ECONNRESET: 'Connection reset by peer',
  EADDRINUSE: 'Address in use',
  ENOEXEC: 'Exec format error',
  ENOMEM: 'Out of memory',
  EFBIG: 'File too large',
  ENAMETOOLONG: 'File name too long',
  ENOTTY: 'Not a tty',
};

export function strerror(code: string): string {
  return STRERROR[code] ?? code;
}

/** Thrown inside a program when its process was killed. Programs must let it pass (never swallow it). */
export class Killed extends Error {
  readonly signal: SignalName;
  constructor(signal: SignalName) {
    super(`killed by ${signal}`);
    this.name = 'Killed';
    this.signal = signal;
  }
}

export interface FileStat {
  type: 'file' | 'directory' | 'symlink' | 'device' | 'fifo';
  inode: number;
  /** Permission bits, for instance 0o644. */
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  /** Virtual ms since epoch. */
  mtimeMs: number;
  nlink: number;
}

/** Paths are absolute and normalised by the callee; errors are `Errno`. All calls are synchronous. */
export interface FileSystem {
  readFile(path: string): Uint8Array;
  readText(path: string): string;
  writeFile(path: string, data: Uint8Array | string, options?: { append?: boolean; mode?: number; uid?: number; gid?: number }): void;
  stat(path: string): FileStat;
  lstat(path: string): FileStat;
  exists(path: string): boolean;
  /** Names without "." and "..", sorted by code unit. */
  readdir(path: string): string[];
  mkdir(path: string, options?: { recursive?: boolean; mode?: number }): void;
  /** Removes a file, symlink or (recursive or empty) directory. */
  remove(path: string, options?: { recursive?: boolean }): void;
  rename(from: string, to: string): void;
  symlink(target: string, path: string): void;
  link(existing: string, path: string): void;
  readlink(path: string): string;
  realpath(path: string): string;
  chmod(path: string, mode: number): void;
  chown(path: string, uid: number, gid: number): void;
  utimes(path: string, mtimeMs: number): void;
  mounts(): readonly MountInfo[];
  /** Mounts `volume` (or a part of it) at a path, creating the mount point. */
  mount(path: string, volume: Volume, options?: { readOnly?: boolean; subPath?: string; source?: string; type?: string }): void;
  unmount(path: string): void;
}

export interface MountInfo {
  path: string;
  source: string;
  type: string;
  readOnly: boolean;
  volume: Volume;
}

/** A tree of files that can be mounted in several filesystems at once and outlives them (a volume, an image layer). */
export interface Volume {
  readonly id: string;
  readonly root: VolumeDirectory;
  /** Undefined: as large as the node's disk. */
  capacityBytes: number | undefined;
  usedBytes(): number;
  /** Told after every change of a name or of contents. */
  onChange(listener: () => void): Disposable;
}

/** Opaque outside `src/unix`; use a `FileSystem` over the volume to look inside. */
export interface VolumeDirectory {
  readonly type: 'directory';
}

export interface SpawnOptions {
  env?: ReadonlyMap<string, string>;
  cwd?: string;
  /** Descriptor table of the child; 0, 1 and 2 default to the parent's. */
  fds?: ReadonlyMap<number, OpenFile>;
  /** Starts a process group of its own (job control). */
  newGroup?: boolean;
  uid?: number;
  gid?: number;
}

export interface ExitStatus {
  /** 0..255; 128 + signal number when killed. */
  code: number;
  signal?: SignalName;
}

/** What a program sees of itself and its machine. */
export interface Process {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly argv: readonly string[];
  readonly env: Map<string, string>;
  cwd: string;
  uid: number;
  gid: number;
  umask: number;
  readonly fds: Map<number, OpenFile>;
  readonly machine: Machine;
  readonly kernel: Kernel;
  /** Aborts when the process is killed. */
  readonly signal: AbortSignal;

  stdin: OpenFile;
  stdout: OpenFile;
  stderr: OpenFile;
  /** Writes text as UTF-8 to stdout / stderr. */
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
  /** All of stdin as text. */
  readAll(): Promise<string>;

  /** Virtual sleep; rejects with Killed. */
  sleep(ms: number): Promise<void>;
  /**
   * Charges virtual CPU time. Every loop of a program must call this (or something that sleeps) so that
   * time moves and Ctrl-C gets through: it sleeps once enough has accumulated.
   */
  cpu(ms: number): Promise<void>;
  /** Adds CPU time that is slept off at the next `cpu` or `sleep`. */
  charge(ms: number): void;
  /** Rejects with Killed as soon as the process is killed; otherwise settles as `work` does. */
  guard<T>(work: Promise<T>): Promise<T>;

  /** Absolute path of a path given relative to cwd. */
  resolve(path: string): string;
  /** Finds a command by PATH (or as a path). Undefined when there is none. */
  which(command: string): string | undefined;
  /** Starts a program; `argv[0]` is looked up as execvp does. Throws Errno ENOENT / EACCES. */
  spawn(argv: readonly string[], options?: SpawnOptions): Process;
  /** Starts an in-memory program (a subshell, a pipeline part) as a child. */
  fork(program: Program, argv: readonly string[], options?: SpawnOptions): Process;
  /** Replaces what this process runs (exec). */
  exec(argv: readonly string[], options?: SpawnOptions): Promise<number>;
  /** Resolves when the process has ended. */
  readonly exited: Promise<ExitStatus>;
  readonly status: ExitStatus | undefined;
  /** Stopped by SIGSTOP or SIGTSTP; goes on with SIGCONT. */
  readonly stopped: boolean;
  /** Resolves when the process has ended or has stopped (waitpid with WUNTRACED). */
  changed(): Promise<ExitStatus | 'stopped'>;
  /**
   * A signal from outside the container (the kubelet, the terminal). PID 1 takes SIGKILL and SIGSTOP, and others only
   * when it has a handler, as the kernel protects the init of a PID namespace.
   */
  kill(signal: SignalName): void;
  /**
   * kill(2) by this process: `pid` > 0 a process, 0 its own group, < -1 that group, -1 everybody else. Signal 0 only
   * checks. Throws Errno ESRCH / EPERM. Init cannot be killed from within, not even with SIGKILL.
   */
  sendSignal(pid: number, signal: SignalName | 0): void;
  /** Handles a signal instead of its default; undefined restores the default; 'ignore' ignores. */
  onSignal(signal: SignalName, handler: (() => void) | 'ignore' | undefined): void;
  /** Moves a process (itself or a child) into a process group: setpgid(2). */
  setGroup(pgid: number): void;
  /** Declares how many bytes of memory the process holds now. Beyond the machine's limit it is killed (OOMKilled): throws Killed. */
  useMemory(bytes: number): void;
  readonly memoryBytes: number;
  /** Virtual CPU time used so far, and when it began: what ps and top show. */
  readonly cpuMs: number;
  readonly startMs: number;
  /** Anonymous pipe: [read end, write end]. */
  pipe(): [OpenFile, OpenFile];
  /** Opens a file as open(2) does; flags as in `r`, `w`, `a`, `r+`. Errors: Errno. */
  open(path: string, flags: 'r' | 'w' | 'a' | 'r+' | 'wx', mode?: number): OpenFile;
  /** Another descriptor for the same open file (dup(2)). */
  duplicate(file: OpenFile): OpenFile;
}

/** A program: gets its process, resolves to its exit code. */
export type Program = (process: Process) => Promise<number>;

/** A machine (a container or the reader's laptop): processes over one filesystem and one network. */
export interface Machine {
  readonly kernel: Kernel;
  readonly fs: FileSystem;
  hostname: string;
  readonly net: NetworkStack;
  /** The program behind an executable path, if it is one of ours (scripts with #! are resolved by spawn). */
  programAt(path: string): Program | undefined;
  readonly processes: ReadonlyMap<number, Process>;
  /** Starts PID 1 (or a further top-level process for exec). */
  start(
    argv: readonly string[],
    options: {
      env: ReadonlyMap<string, string>;
      cwd: string;
      stdin: OpenFile;
      stdout: OpenFile;
      stderr: OpenFile;
      uid?: number;
      gid?: number;
      asInit?: boolean;
    },
  ): Process;
  /** SIGKILLs everything. */
  killAll(): void;
  /** A process was killed because the memory limit was reached. */
  readonly oomKilled: boolean;
  /** Bytes of memory that the processes hold now, and virtual CPU milliseconds used so far: what metrics show. */
  memoryBytes(): number;
  cpuMs(): number;
  /** Facts that programs ask for: kernel release, uptime start, memory, cpus. */
  readonly facts: MachineFacts;
}

export interface MachineFacts {
  /** uname -r; the reference cluster shows 6.12.43-generic. */
  kernelRelease: string;
  bootMs: number;
  memoryBytes: number;
  /** The container's memory limit, when there is one: growth beyond it is OOMKilled. */
  memoryLimitBytes?: number;
  cpus: number;
  /** Groups that all processes are in besides their own (a Pod's fsGroup and supplementalGroups). */
  groups?: readonly number[];
  /** May do what only root of the node may. */
  privileged?: boolean;
  /** What differs from the kernel's own values of /proc/sys, by dotted name. */
  sysctls?: Readonly<Record<string, string>>;
}

// ---- network, as a program sees it ----

export interface Socket extends ByteSource, ByteSink {
  readonly local: { ip: string; port: number };
  readonly remote: { ip: string; port: number };
  /** Half close: no more writes from here. */
  end(): void;
  close(): void;
}

export interface Listener extends Disposable {
  /** The next connection; rejects with Aborted when the listener is closed. */
  accept(): Promise<Socket>;
}

export interface NetworkStack {
  /** The Pod IP; '127.0.0.1' is always there too. Containers of one Pod share one stack. */
  readonly ip: string;
  /** TCP. Throws Errno EADDRINUSE. `host` '0.0.0.0' (default) or '127.0.0.1'. */
  listen(port: number, host?: string): Listener;
  /** TCP. Rejects with Errno ECONNREFUSED | ETIMEDOUT (after `timeoutMs`, default 127 s) | EHOSTUNREACH. */
  connect(ip: string, port: number, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<Socket>;
  /** One UDP question and its answer. Rejects with Errno ETIMEDOUT | ECONNREFUSED. */
  datagram(ip: string, port: number, payload: Uint8Array, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Uint8Array>;
  /** UDP service. Return undefined to stay silent. */
  listenDatagrams(
    port: number,
    handler: (payload: Uint8Array, from: { ip: string; port: number }) => Uint8Array | undefined | Promise<Uint8Array | undefined>,
  ): Disposable;
  /** ICMP echo: round-trip ms, or Errno. */
  ping(ip: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<number>;
  listening(): readonly { protocol: 'tcp' | 'udp'; ip: string; port: number }[];
}
