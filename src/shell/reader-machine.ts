import { applets } from '../applets/index.ts';
import type { Disposable, Kernel } from '../kernel/index.ts';
import { toDisposable } from '../kernel/index.ts';
import {
  bytesSource,
  callbackSink,
  createMachine,
  createTty,
  createVolume,
  type ExitStatus,
  encodeText,
  installPrograms,
  type Machine,
  type NetworkStack,
  nullFile,
  type OpenFile,
  type Process,
  type Program,
  StreamDecoder,
  volumeFileSystem,
} from '../unix/index.ts';
import type { Completer } from './completion.ts';
import { createShell, echoProgram, killProgram, printfProgram, pwdProgram, testProgram } from './index.ts';
import { readerPrograms } from './reader-programs.ts';
import { ScreenModes } from './screen-modes.ts';

export const READER_HOME = '/home/reader';
const HOSTNAME = 'chartroom';
const READER = { uid: 1000, gid: 1000 };

export interface ReaderMachineOptions {
  kernel: Kernel;
  /** The kubectl program, at /usr/local/bin/kubectl. */
  kubectl: Program;
  /** Files in the reader's home: relative path → text. */
  files: Readonly<Record<string, string>>;
  /** More programs by name, in /usr/local/bin. */
  extraPrograms?: Readonly<Record<string, Program>>;
  network?: NetworkStack;
  /** Candidates for Tab after a command's name (kubectl's resources and flags). */
  completer?: Completer;
}

/** The reader's laptop: a home directory, a bash, kubectl and the usual commands. */
export interface ReaderMachine extends Disposable {
  readonly machine: Machine;
  /** Runs a command line as `bash -c` does in the home directory. Never rejects: what goes wrong is in stderr and exit. */
  execute(commandLine: string, options?: { stdin?: string }): Promise<{ stdout: string; stderr: string; exit: number }>;
  /** The same, left running; its output (both streams) comes as text. `interrupt` is Ctrl-C. */
  startBackground(commandLine: string, onOutput: (text: string) => void): { interrupt(): void; ended: Promise<ExitStatus> };
  openTerminal(columns: number, rows: number): Terminal;
  /** Told after any change below the home directory. */
  onFilesChanged(listener: () => void): Disposable;
  /** `edit FILE` (vi, vim, nano) wants a file opened in the page's editor. Absolute path. */
  onEdit(listener: (path: string) => void): Disposable;
  /** Files below home, without dot-files; paths relative to home. */
  listFiles(): { path: string; sizeBytes: number }[];
}

/** A screen with a bash of its own. Starts at once; output before the first listener is kept for it. */
export interface Terminal extends Disposable {
  /** Keys as the terminal emulator sends them. */
  input(data: string): void;
  onOutput(listener: (text: string) => void): Disposable;
  /** A command line was entered; what is shown from now on until `onPrompt` is its output. */
  onCommand(listener: (line: string) => void): Disposable;
  /** The prompt comes (again), with the exit status of the last command. */
  onPrompt(listener: (exitStatus: number) => void): Disposable;
  resize(columns: number, rows: number): void;
  /** Types a command and Enter; what is running gets Ctrl-C first, a half-typed line is cleared. */
  run(command: string): void;
}

export function createReaderMachine(options: ReaderMachineOptions): ReaderMachine {
  return new Laptop(options);
}

/** Asks kubectl itself, as its bash completion does: candidates and their descriptions, and at last what to do with them. */
const completeKubectl: Completer = async (words, context) => {
  if (words[0] !== 'kubectl') return undefined;
  const lines = (await context.run(['kubectl', '__complete', ...words.slice(1)])).split('\n').filter(Boolean);
  const directive = Number(/^:(\d+)$/.exec(lines.at(-1) ?? '')?.[1] ?? 1);
  const candidates = lines.slice(0, -1).map((line) => line.split('\t', 1)[0]!);
  // cobra: 1 is an error, 2 adds no space, 4 wants no file names.
  if ((directive & 1) !== 0) return [];
  if (candidates.length === 0 && (directive & 4) === 0) return undefined;
  return { candidates, noSpace: (directive & 2) !== 0 };
};

class Listeners<T extends unknown[]> {
  #all = new Set<(...values: T) => void>();
  add(listener: (...values: T) => void): Disposable {
    this.#all.add(listener);
    return toDisposable(() => this.#all.delete(listener));
  }
  get size(): number {
    return this.#all.size;
  }
  emit(...values: T): void {
    for (const listener of [...this.#all]) listener(...values);
  }
}

class Laptop implements ReaderMachine {
  readonly machine: Machine;
  #kernel: Kernel;
  #edits = new Listeners<[string]>();
  #changes = new Listeners<[]>();
  #terminals = new Set<LaptopTerminal>();
  #history: string[] = [];
  #sessions: LaptopTerminal[] = [];

  constructor(options: ReaderMachineOptions) {
    this.#kernel = options.kernel;
    const programs: Record<string, Program> = {};
    const add = (directory: string, table: Readonly<Record<string, Program>>): void => {
      for (const [name, program] of Object.entries(table)) programs[`${directory}/${name}`] = program;
    };
    add('/usr/bin', { ...applets, echo: echoProgram, printf: printfProgram, pwd: pwdProgram, test: testProgram, '[': testProgram, kill: killProgram });
    const shortDate = (ms: number): string => new Date(ms).toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1 $3 $2 $5 $4');
    add(
      '/usr/bin',
      readerPrograms({
        date: shortDate,
        edit: (path) => {
          this.#edits.emit(path);
          return this.#edits.size > 0;
        },
      }),
    );
    add('/usr/local/bin', { kubectl: options.kubectl, ...options.extraPrograms });
    // Sessions learn through the terminal they run on; others have nobody to tell.
    const session = (process: Process): LaptopTerminal | undefined => this.#sessions.find((terminal) => terminal.pid === process.pid);
    programs['/bin/bash'] = createShell('bash', {
      history: this.#history,
      completer: options.completer ?? completeKubectl,
      aliases: { k: 'kubectl', ll: 'ls -l', la: 'ls -la' },
      prompt: '\\u@\\h:\\w\\$ ',
      onPrompt: (process, status) => session(process)?.prompted(status),
      onCommand: (process, text) => session(process)?.entered(text),
    });
    programs['/bin/sh'] = createShell('ash');
    programs['/sbin/init'] = (process) => process.guard(new Promise<number>(() => undefined));

    const image = createVolume({ id: 'laptop', kernel: options.kernel });
    const fs = volumeFileSystem(image);
    fs.mkdir('/etc');
    fs.mkdir('/tmp', { mode: 0o1777 });
    fs.mkdir('/var/log', { recursive: true });
    fs.mkdir('/root', { mode: 0o700 });
    fs.writeFile('/etc/passwd', `root:x:0:0:root:/root:/bin/bash\nreader:x:1000:1000:reader:${READER_HOME}:/bin/bash\n`);
    fs.writeFile('/etc/group', 'root:x:0:\nreader:x:1000:\n');
    fs.writeFile('/etc/hostname', `${HOSTNAME}\n`);
    fs.writeFile('/etc/hosts', `127.0.0.1\tlocalhost\n127.0.1.1\t${HOSTNAME}\n`);
    fs.writeFile('/etc/os-release', 'PRETTY_NAME="海圖室"\nNAME="chartroom"\nID=chartroom\n');
    installPrograms(fs, Object.keys(programs));
    this.machine = createMachine({
      kernel: options.kernel,
      hostname: HOSTNAME,
      layers: [image],
      programs,
      ...(options.network ? { net: options.network } : {}),
    });
    const home = createVolume({ id: 'home', kernel: options.kernel });
    this.machine.fs.mount(READER_HOME, home);
    this.machine.fs.chown(READER_HOME, READER.uid, READER.gid);
    for (const [path, text] of Object.entries(options.files)) this.#writeHomeFile(path, text);
    home.onChange(() => this.#changes.emit());
    this.machine.start(['/sbin/init'], { env: new Map(), cwd: '/', stdin: nullFile(), stdout: nullFile(), stderr: nullFile(), asInit: true });
  }

  #writeHomeFile(path: string, text: string): void {
    const { fs } = this.machine;
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth++) {
      const directory = `${READER_HOME}/${names.slice(0, depth).join('/')}`;
      if (fs.exists(directory)) continue;
      fs.mkdir(directory);
      fs.chown(directory, READER.uid, READER.gid);
    }
    fs.writeFile(`${READER_HOME}/${path}`, text, READER);
  }

  #start(argv: readonly string[], files: { stdin: OpenFile; stdout: OpenFile; stderr: OpenFile }): Process {
    const env = new Map([
      ['HOME', READER_HOME],
      ['USER', 'reader'],
      ['LOGNAME', 'reader'],
      ['SHELL', '/bin/bash'],
      ['PATH', '/usr/local/bin:/usr/bin:/bin'],
      ['LANG', 'zh_TW.UTF-8'],
      ['TERM', 'xterm-256color'],
      ['EDITOR', 'edit'],
    ]);
    return this.machine.start(argv, { env, cwd: READER_HOME, ...files, ...READER, asInit: false });
  }

  async execute(commandLine: string, options: { stdin?: string } = {}): Promise<{ stdout: string; stderr: string; exit: number }> {
    const out: Uint8Array[] = [];
    const err: Uint8Array[] = [];
    const process = this.#start(['/bin/bash', '-c', commandLine], {
      stdin: bytesSource(encodeText(options.stdin ?? '')),
      stdout: callbackSink((chunk) => void out.push(chunk)),
      stderr: callbackSink((chunk) => void err.push(chunk)),
    });
    const status = await process.exited;
    const text = (chunks: Uint8Array[]): string => {
      const decoder = new StreamDecoder();
      return chunks.map((chunk) => decoder.decode(chunk)).join('') + decoder.flush();
    };
    return { stdout: text(out), stderr: text(err), exit: status.code };
  }

  startBackground(commandLine: string, onOutput: (text: string) => void): { interrupt(): void; ended: Promise<ExitStatus> } {
    const sink = (): OpenFile => {
      const decoder = new StreamDecoder();
      return callbackSink((chunk) => onOutput(decoder.decode(chunk)));
    };
    const process = this.#start(['/bin/bash', '-c', commandLine], { stdin: nullFile(), stdout: sink(), stderr: sink() });
    return { interrupt: () => this.#signalGroup(process.pgid, 'SIGINT'), ended: process.exited };
  }

  #signalGroup(pgid: number, signal: 'SIGINT' | 'SIGHUP' | 'SIGKILL'): void {
    for (const process of [...this.machine.processes.values()]) if (process.pgid === pgid) process.kill(signal);
  }

  openTerminal(columns: number, rows: number): Terminal {
    const terminal = new LaptopTerminal({
      kernel: this.#kernel,
      columns,
      rows,
      start: (slave) => {
        const process = this.#start(['/bin/bash'], { stdin: slave, stdout: slave, stderr: slave });
        return process;
      },
      closed: () => {
        this.#terminals.delete(terminal);
        this.#sessions = this.#sessions.filter((other) => other !== terminal);
      },
    });
    this.#terminals.add(terminal);
    this.#sessions.push(terminal);
    return terminal;
  }

  onFilesChanged(listener: () => void): Disposable {
    return this.#changes.add(listener);
  }

  onEdit(listener: (path: string) => void): Disposable {
    return this.#edits.add(listener);
  }

  listFiles(): { path: string; sizeBytes: number }[] {
    const { fs } = this.machine;
    const out: { path: string; sizeBytes: number }[] = [];
    const walk = (directory: string, prefix: string): void => {
      for (const name of fs.readdir(directory)) {
        if (name.startsWith('.')) continue;
        const stat = fs.lstat(`${directory}/${name}`);
        if (stat.type === 'directory') walk(`${directory}/${name}`, `${prefix}${name}/`);
        else if (stat.type === 'file') out.push({ path: prefix + name, sizeBytes: stat.sizeBytes });
      }
    };
    walk(READER_HOME, '');
    return out;
  }

  dispose(): void {
    for (const terminal of [...this.#terminals]) terminal.dispose();
    this.machine.killAll();
  }
}

class LaptopTerminal implements Terminal {
  #options: { kernel: Kernel; start(slave: OpenFile): Process; closed(): void };
  #master: ReturnType<typeof createTty>;
  #output = new Listeners<[string]>();
  #commands = new Listeners<[string]>();
  #prompts = new Listeners<[number]>();
  #process!: Process;
  #atPrompt = false;
  #waiting: string[] = [];
  #modes = new ScreenModes();
  #early = '';
  #disposed = false;

  constructor(options: { kernel: Kernel; columns: number; rows: number; start(slave: OpenFile): Process; closed(): void }) {
    this.#options = options;
    const decoder = new StreamDecoder();
    this.#master = createTty({
      kernel: options.kernel,
      columns: options.columns,
      rows: options.rows,
      output: (chunk) => {
        const text = decoder.decode(chunk);
        if (!this.#atPrompt) this.#modes.watch(text);
        this.#show(text);
      },
    });
    this.#startShell();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** A shell that was left (exit, Ctrl-D) is followed by a new one: the page's terminal is never dead. */
  #startShell(): void {
    const { tty } = this.#master;
    tty.foreground = undefined;
    tty.raw = false;
    tty.echo = true;
    this.#process = this.#options.start(tty.openSlave());
    this.#process.exited.then(() => {
      if (!this.#disposed) this.#startShell();
    });
  }

  #show(text: string): void {
    if (this.#output.size > 0) this.#output.emit(text);
    else this.#early += text;
  }

  prompted(status: number): void {
    this.#atPrompt = true;
    this.#prompts.emit(status);
    const restore = this.#modes.restore();
    if (restore) this.#show(restore);
    const next = this.#waiting.shift();
    // After the prompt itself was shown.
    if (next !== undefined) this.#options.kernel.soon(() => this.#type(next));
  }

  entered(line: string): void {
    this.#atPrompt = false;
    this.#commands.emit(line);
  }

  #type(command: string): void {
    this.#master.input(`\x05\x15${command.replace(/\n$/, '').replaceAll('\n', '\r')}\r`);
  }

  run(command: string): void {
    if (this.#atPrompt) {
      this.#type(command);
      return;
    }
    this.#waiting.push(command);
    this.#master.input('\x03');
  }

  input(data: string): void {
    this.#master.input(data);
  }

  onOutput(listener: (text: string) => void): Disposable {
    const early = this.#early;
    this.#early = '';
    if (early) listener(early);
    return this.#output.add(listener);
  }

  onCommand(listener: (line: string) => void): Disposable {
    return this.#commands.add(listener);
  }

  onPrompt(listener: (exitStatus: number) => void): Disposable {
    return this.#prompts.add(listener);
  }

  resize(columns: number, rows: number): void {
    this.#master.resize(columns, rows);
  }

  dispose(): void {
    this.#disposed = true;
    this.#master.hangUp();
    this.#process.kill('SIGHUP');
    this.#process.kill('SIGKILL');
    this.#options.closed();
  }
}
