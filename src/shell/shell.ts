import { Aborted } from '../kernel/index.ts';
import { Errno, type ExitStatus, joinPath, type OpenFile, type Process, type SignalName } from '../unix/index.ts';
import { ExitShell, Interrupted, ReturnFrom, ShellFailure } from './control.ts';
import { importEnvironment } from './environment.ts';
import { Execution } from './execution.ts';
import { evaluate } from './expand.ts';
import { JobTable } from './jobs.ts';
import { OPTION_LETTERS } from './options.ts';
import { Parser } from './parser.ts';
import { type Command, type Dialect, type Sequence, ShellSyntaxError } from './syntax.ts';
import { syntaxMessage } from './syntax-message.ts';
import { Variables } from './variables.ts';

/** CPU time of one command of a script, in virtual milliseconds. */
const COMMAND_CPU_MS = 0.01;

export interface FunctionDefinition {
  body: Command;
  source: string;
}

/** Names of users that `~name` knows are read from /etc/passwd. */
export class Shell {
  readonly process: Process;
  readonly dialect: Dialect;
  scriptName: string;
  /** What messages begin with: `sh`, `bash`, or the script's path. */
  messageName: string;
  /** ash: the script file being read; its messages tell lines. */
  messageFile: string | undefined;
  variables = new Variables();
  functions = new Map<string, FunctionDefinition>();
  aliases = new Map<string, string>();
  options = new Set<string>();
  positional: string[] = [];
  status = 0;
  lastBackground: number | undefined;
  traps = new Map<string, string>();
  pendingTraps: SignalName[] = [];
  jobs = new JobTable();
  interactive = false;
  /** Children get process groups of their own and the terminal. */
  jobControl = false;
  isSubshell = false;
  /** From `-c`: bash names it in syntax errors, ash counts its lines from 0. */
  fromCommandLine = false;
  line = 1;
  functionDepth = 0;
  functionNames: string[] = [];
  loopDepth = 0;
  sourceDepth = 0;
  /** Above 0 where a failing command does not end the shell under `set -e`. */
  tested = 0;
  interrupted = false;
  /** Ctrl-C reached the shell itself, not a child in the foreground. */
  interruptedItself = false;
  /** Lines of standard input before the text that is being run. */
  lineOffset = 0;
  history: string[] = [];
  getoptsOffset = 0;
  /** Set while a built-in waits, so that Ctrl-C and trapped signals end the wait. */
  #wake: AbortController | undefined;
  lastSubstitution: number | undefined;
  readonly execution: Execution;
  readonly startMs: number;

  constructor(process: Process, dialect: Dialect, name: string) {
    this.process = process;
    this.dialect = dialect;
    this.scriptName = name;
    this.messageName = name;
    this.startMs = process.kernel.now();
    this.execution = new Execution(this);
  }

  /** Takes over the environment, as a shell does when it starts. */
  importEnvironment(): void {
    importEnvironment(this);
  }

  /** A new shell for a script without an interpreter line. */
  script(process: Process, path: string, args: string[]): Shell {
    const script = new Shell(process, this.dialect, path);
    script.rootPid = process.pid;
    script.importEnvironment();
    script.positional = args;
    return script;
  }

  /** A copy for a subshell that runs in another process. */
  subshell(process: Process): Shell {
    const copy = new Shell(process, this.dialect, this.scriptName);
    copy.messageName = this.messageName;
    copy.messageFile = this.messageFile;
    copy.variables = new Variables(this.variables);
    copy.functions = new Map(this.functions);
    copy.aliases = this.aliases;
    copy.options = new Set([...this.options].filter((option) => option !== 'monitor'));
    copy.positional = [...this.positional];
    copy.status = this.status;
    copy.lastBackground = this.lastBackground;
    for (const [name, action] of this.traps) if (action === '') copy.traps.set(name, '');
    copy.isSubshell = true;
    copy.fromCommandLine = this.fromCommandLine;
    copy.line = this.line;
    copy.functionDepth = this.functionDepth;
    copy.functionNames = [...this.functionNames];
    copy.loopDepth = this.loopDepth;
    copy.sourceDepth = this.sourceDepth;
    copy.tested = this.tested;
    copy.getoptsOffset = this.getoptsOffset;
    // A subshell of an interactive shell does not ask, and dies of Ctrl-C.
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGTSTP', 'SIGTTOU', 'SIGTTIN'] as const) if (this.interactive) process.onSignal(signal, undefined);
    return copy;
  }

  // ---- variables ----

  get(name: string): string | undefined {
    return this.variables.get(name);
  }

  /** A parameter as `$name` gives it. */
  parameter(name: string): string | undefined {
    switch (name) {
      case '?':
        return String(this.status);
      case '$':
        return String(this.rootPid);
      case '!':
        return this.lastBackground === undefined ? undefined : String(this.lastBackground);
      case '#':
        return String(this.positional.length);
      case '-':
        return this.optionLetters();
      case '0':
        return this.scriptName;
      case 'FUNCNAME':
        return this.functionNames.at(-1) ?? this.get(name);
      case '_':
        return this.get('_') ?? '';
      case 'RANDOM':
        return String(this.process.kernel.random.int(32768));
      case 'LINENO':
        return String(this.messageLine());
      case 'SECONDS':
        if (this.dialect === 'bash') return String(Math.floor((this.process.kernel.now() - this.startMs) / 1000));
        break;
      case 'EPOCHSECONDS':
        return String(Math.floor(this.process.kernel.now() / 1000));
      case 'BASHPID':
        if (this.dialect === 'bash') return String(this.process.pid);
        break;
    }
    if (/^\d+$/.test(name)) return this.positional[Number(name) - 1];
    return this.get(name);
  }

  /** `$$` of a subshell is that of the shell it came from. */
  rootPid = 0;

  optionLetters(): string {
    const letters = Object.entries(OPTION_LETTERS)
      .filter(([, option]) => this.options.has(option))
      .map(([letter]) => letter)
      .join('');
    if (this.dialect === 'bash') return `${letters}${this.interactive ? 'iH' : ''}${this.fromCommandLine ? 'c' : this.interactive ? 's' : ''}`;
    return `${letters}${this.interactive ? 'i' : ''}${this.fromCommandLine ? 'c' : 's'}`;
  }

  unboundVariable(name: string): never {
    throw new ShellFailure(
      `${this.errorPrefix()}${this.dialect === 'bash' && /^\d/.test(name) ? '$' : ''}${name}: ${this.dialect === 'ash' ? 'parameter not set' : 'unbound variable'}`,
      this.dialect === 'ash' ? 2 : 127,
    );
  }

  set(name: string, value: string): void {
    const variable = this.variables.declare(name);
    if (variable.readonly)
      throw new ShellFailure(`${this.errorPrefix()}${name}: ${this.dialect === 'ash' ? 'is read only' : 'readonly variable'}`, this.dialect === 'ash' ? 2 : 1);
    if (variable.array) variable.array.set('0', value);
    this.variables.hold(this.process, value.length - (variable.value?.length ?? 0));
    variable.value = value;
    if (this.options.has('allexport')) variable.exported = true;
    if (name === 'OPTIND') this.getoptsOffset = 0;
  }

  arrayValues(name: string): Iterable<string> | undefined {
    const variable = this.variables.find(name);
    if (variable?.array) return variable.array.values();
    return variable?.value === undefined ? undefined : [variable.value];
  }

  /** `name` or `name[index]`. */
  getElement(reference: string): string | undefined {
    const match = /^(\w+)\[(.*)\]$/s.exec(reference);
    if (!match) return this.parameter(reference);
    const variable = this.variables.find(match[1]!);
    const key = this.#key(match[1]!, match[2]!);
    if (variable?.array) return variable.array.get(key);
    return key === '0' ? variable?.value : undefined;
  }

  setElement(reference: string, value: string): void {
    const match = /^(\w+)\[(.*)\]$/s.exec(reference);
    if (!match) {
      this.set(reference, value);
      return;
    }
    const variable = this.variables.declare(match[1]!);
    if (variable.readonly) this.set(match[1]!, value);
    variable.array ??= new Map(variable.value === undefined ? [] : [['0', variable.value]]);
    const key = this.#key(match[1]!, match[2]!);
    const isNew = !variable.array.has(key);
    this.variables.hold(this.process, value.length + (isNew ? 64 : 0));
    variable.array.set(key, value);
    if (isNew) this.process.charge(variable.array.size / 20_000);
    if (isNew && !variable.associative) variable.array = new Map([...variable.array].sort(([a], [b]) => Number(a) - Number(b)));
  }

  #key(name: string, text: string): string {
    const variable = this.variables.find(name);
    if (variable?.associative || /^\d+$/.test(text)) return text;
    let index = Number(evaluate(this, text));
    if (index < 0 && variable?.array) index += Number([...variable.array.keys()].at(-1) ?? -1) + 1;
    return String(index);
  }

  // ---- messages ----

  messageLine(): number {
    return this.dialect === 'ash' && this.fromCommandLine ? this.line - 1 : this.line;
  }

  /** By which BusyBox calls itself in the messages of built-ins that are applets too. */
  get appletName(): string {
    return this.messageName.replace(/^.*\//, '');
  }

  /** What an error message begins with; with the built-in's name when it is one's. */
  errorPrefix(builtin?: string): string {
    if (this.dialect === 'ash') {
      const context = builtin ?? this.messageFile;
      if (context === undefined) return `${this.messageName}: `;
      const line = this.interactive && this.messageFile === undefined ? '' : `line ${this.messageLine()}: `;
      return `${this.messageName}: ${context === this.messageName ? '' : `${context}: `}${line}`;
    }
    return `${this.messageName}: ${this.interactive ? '' : `line ${this.line}: `}${builtin ? `${builtin}: ` : ''}`;
  }

  /** Shows a failure's message, once. */
  async tell(failure: ShellFailure): Promise<void> {
    if (failure.told) return;
    failure.told = true;
    await this.complain(failure.message);
  }

  async complain(message: string): Promise<void> {
    await this.process.err(`${message}\n`);
  }

  // ---- running ----

  /** Runs commands one by one. */
  async run(sequence: Sequence): Promise<void> {
    for (const item of sequence.items) {
      if (item.background) await this.execution.background(item.command, item.source);
      else await this.execution.command(item.command);
    }
  }

  /** Runs a text line by line, as far as it parses. Syntax errors are told; their status is 2. */
  async runText(text: string, name = this.fromCommandLine ? '-c' : '', isWhole = false): Promise<void> {
    const parser = new Parser(text, {
      dialect: this.dialect,
      aliases: this.dialect === 'ash' || this.interactive || this.options.has('expand_aliases') ? this.aliases : new Map(),
    });
    for (;;) {
      let sequence: Sequence | undefined;
      try {
        sequence = parser.next();
        if (parser.unterminatedHereDocument && this.dialect === 'bash') {
          const { line, delimiter } = parser.unterminatedHereDocument;
          await this.complain(
            `${this.messageName}: line ${line}: warning: here-document at line ${line - 1} delimited by end-of-file (wanted \`${delimiter}')`,
          );
          parser.unterminatedHereDocument = undefined;
        }
      } catch (error) {
        if (!(error instanceof ShellSyntaxError)) throw error;
        throw new ShellFailure(syntaxMessage(this, error, text, name), error.message.endsWith('bad substitution') && this.dialect === 'bash' ? 1 : 2);
      }
      if (!sequence) return;
      const last = sequence.items[sequence.items.length - 1];
      if (isWhole && last?.command.type === 'simple' && !last.background && parser.atEnd() && this.traps.size === 0) {
        await this.run({ items: sequence.items.slice(0, -1) });
        // The last command of `sh -c` takes the shell's place.
        this.execution.replacesItself = this.traps.size === 0;
        await this.execution.command(last.command);
      } else await this.run(sequence);
    }
  }

  /** Runs something as the whole of a process: gives the exit code, with traps and failures seen to. */
  async toExit(work: () => Promise<void>): Promise<number> {
    let status = await this.#untilExit(work);
    const onExit = this.traps.get('EXIT');
    if (onExit) {
      this.traps.delete('EXIT');
      this.status = status;
      status = await this.#untilExit(async () => {
        await this.runText(onExit);
        this.status = status;
      });
    }
    return status;
  }

  async #untilExit(work: () => Promise<void>): Promise<number> {
    try {
      await work();
      await this.checkSignals();
      return this.status;
    } catch (error) {
      if (error instanceof ExitShell || error instanceof ReturnFrom) return error.status;
      if (error instanceof ShellFailure) {
        await this.tell(error);
        return error.status;
      }
      if (error instanceof Interrupted) return 130;
      throw error;
    }
  }

  /** Runs traps of signals that came in, and ends what runs after Ctrl-C. */
  async checkSignals(): Promise<void> {
    if (this.interrupted) {
      this.interrupted = false;
      this.interruptedItself = true;
      throw new Interrupted();
    }
    while (this.pendingTraps.length > 0) {
      const signal = this.pendingTraps.shift()!;
      const action = this.traps.get(signal.slice(3));
      if (!action) continue;
      const { status } = this;
      await this.runText(action);
      this.status = status;
    }
  }

  /** Waits for something that a signal may end early: rejects with Aborted then. */
  async waitFor<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.interrupted) throw new Interrupted();
    const controller = new AbortController();
    this.#wake = controller;
    try {
      return await work(controller.signal);
    } finally {
      if (this.#wake === controller) this.#wake = undefined;
    }
  }

  /** Called by signal handlers. */
  onSignal(signal: SignalName): void {
    if (this.traps.get(signal.slice(3))) this.pendingTraps.push(signal);
    else if (signal === 'SIGINT') this.interrupted = true;
    this.#wake?.abort();
  }

  /** A child's end, or the signal that ended the waiting. */
  async awaitChild(child: Process): Promise<ExitStatus | 'stopped'> {
    const { process } = this;
    return this.waitFor(
      (signal) =>
        new Promise<ExitStatus | 'stopped'>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Aborted()), { once: true });
          process.guard(child.changed()).then(resolve, reject);
        }),
    );
  }

  /** The shell's own descriptors with some replaced. */
  descriptors(replaced: readonly (readonly [number, OpenFile])[]): Map<number, OpenFile> {
    const fds = new Map(this.process.fds);
    for (const [number, file] of replaced) fds.set(number, file);
    return fds;
  }

  takeSubstitutionStatus(): number | undefined {
    const status = this.lastSubstitution;
    this.lastSubstitution = undefined;
    return status;
  }

  /** Makes a directory the current one; the new path. Throws Errno. */
  changeDirectory(path: string, physical = false): string {
    const { process } = this;
    const { fs } = process.machine;
    const logical = joinPath(process.cwd, path);
    const target = physical ? fs.realpath(logical) : logical;
    if (fs.stat(target).type !== 'directory') throw new Errno('ENOTDIR');
    process.cwd = target;
    return target;
  }

  async chargeCommand(): Promise<void> {
    if (this.interrupted || this.pendingTraps.length > 0) await this.checkSignals();
    await this.process.cpu(COMMAND_CPU_MS);
    if (this.interrupted) await this.checkSignals();
  }
}
