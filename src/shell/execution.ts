import { Errno, nullFile, type Process } from '../unix/index.ts';
import { builtins } from './builtins/index.ts';
import { conditionalExpression } from './conditional.ts';
import { BreakLoop, ExitShell, Interrupted, RedirectFailure, ShellFailure } from './control.ts';
import { evaluate, expandPattern, expandText, expandWords } from './expand.ts';
import { shellPattern } from './glob.ts';
import { finishChild } from './jobs.ts';
import { applyRedirects } from './redirects.ts';
import type { Shell } from './shell.ts';
import { executeInPlace, runSimple, startExternal, traceQuote, traceWords } from './simple-command.ts';
import type { Command, Redirect, Sequence, TestToken } from './syntax.ts';

type PipelineCommand = Extract<Command, { type: 'pipeline' }>;
type CompoundCommand = Extract<Command, { redirects: Redirect[] }>;

/** Runs commands of all kinds for one shell. */
export class Execution {
  readonly shell: Shell;
  /** For built-ins that look at or start other commands. */
  readonly builtins = builtins;
  readonly startExternal = startExternal;
  readonly executeInPlace = executeInPlace;
  /** The next external command is the last thing this process does: it may take its place. */
  replacesItself = false;
  /** Descriptors of process substitutions, closed after the command. */
  temporaryDescriptors: number[] = [];

  constructor(shell: Shell) {
    this.shell = shell;
  }

  async command(command: Command): Promise<void> {
    const { shell } = this;
    await shell.chargeCommand();
    switch (command.type) {
      case 'simple':
        await this.#guarded(() => runSimple(shell, command));
        this.#closeTemporary();
        return this.#checkError();
      case 'pipeline':
        await this.#pipeline(command);
        if (!command.negated) this.#checkError();
        return;
      case 'and':
      case 'or': {
        await this.#tested(() => this.command(command.left));
        if ((shell.status === 0) === (command.type === 'and')) await this.command(command.right);
        return;
      }
      case 'function':
        shell.functions.set(command.name, { body: command.body, source: command.source });
        shell.status = 0;
        return;
      default:
        shell.line = command.line + shell.lineOffset;
        await this.#compound(command);
        if (command.type === 'subshell' || command.type === 'arithmetic' || command.type === 'test') this.#checkError();
    }
  }

  /** Redirect failures are told; the command then has status 1. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RedirectFailure)) throw error;
      await this.shell.complain(error.message);
      this.shell.status = 1;
    }
  }

  #closeTemporary(): void {
    for (const number of this.temporaryDescriptors.splice(0)) {
      this.shell.process.fds.get(number)?.close();
      this.shell.process.fds.delete(number);
    }
  }

  #checkError(): void {
    const { shell } = this;
    if (shell.status !== 0 && shell.tested === 0 && shell.options.has('errexit')) throw new ExitShell(shell.status);
  }

  async #tested<T>(work: () => Promise<T>): Promise<T> {
    this.shell.tested++;
    try {
      return await work();
    } finally {
      this.shell.tested--;
    }
  }

  async #condition(sequence: Sequence): Promise<boolean> {
    await this.#tested(() => this.shell.run(sequence));
    return this.shell.status === 0;
  }

  async #compound(command: CompoundCommand): Promise<void> {
    const { shell } = this;
    if (command.redirects.length === 0) return this.#body(command);
    await this.#guarded(async () => {
      const undo = await applyRedirects(shell, command.redirects);
      try {
        await this.#body(command);
      } catch (error) {
        if (error instanceof ShellFailure) await shell.tell(error);
        throw error;
      } finally {
        undo();
      }
    });
  }

  async #body(command: CompoundCommand): Promise<void> {
    const { shell } = this;
    switch (command.type) {
      case 'group':
        return shell.run(command.body);
      case 'subshell': {
        const child = await this.#fork(command.body);
        if (child) shell.status = await this.foreground([child], '', true);
        return;
      }
      case 'if':
        for (const clause of command.clauses) {
          if (await this.#condition(clause.condition)) return shell.run(clause.body);
        }
        shell.status = 0;
        if (command.otherwise) await shell.run(command.otherwise);
        return;
      case 'loop':
        return this.#loop(async () => {
          if ((await this.#condition(command.condition)) === command.until) return false;
          await shell.run(command.body);
          return true;
        });
      case 'for': {
        const values = command.words ? await expandWords(shell, command.words) : [...shell.positional];
        let index = 0;
        return this.#loop(async () => {
          const value = values[index++];
          if (value === undefined) return false;
          shell.set(command.name, value);
          await shell.run(command.body);
          return true;
        });
      }
      case 'count': {
        const [initialize, test, update] = command.parts;
        const value = async (word: typeof test): Promise<bigint> => evaluate(shell, await expandText(shell, word), '((: ');
        // Blanks alone are no condition: it holds.
        const always = test.every((part) => part.type === 'text' && part.text.trim() === '');
        await value(initialize);
        let first = true;
        return this.#loop(async () => {
          if (!first) await value(update);
          first = false;
          if (!always && (await value(test)) === 0n) return false;
          await shell.run(command.body);
          return true;
        });
      }
      case 'case': {
        const text = await expandText(shell, command.word);
        shell.status = 0;
        let fallsThrough = false;
        for (const item of command.items) {
          let matches = fallsThrough;
          for (const pattern of item.patterns) {
            if (matches) break;
            matches = shellPattern(await expandPattern(shell, pattern)).test(text, shell.process);
          }
          if (!matches) continue;
          await shell.run(item.body);
          if (item.next === ';;') return;
          fallsThrough = item.next === ';&';
        }
        return;
      }
      case 'arithmetic':
        shell.status = evaluate(shell, await expandText(shell, command.expression), '((: ') === 0n ? 1 : 0;
        return;
      case 'test':
        shell.status = shell.dialect === 'ash' ? await this.#ashTest(command.words) : await conditionalExpression(shell, command.words);
        return;
      case 'simple':
        return;
    }
  }

  /** BusyBox' `[[` is `[` with `&&` and `||`. */
  async #ashTest(tokens: readonly TestToken[]): Promise<number> {
    const words = ['['];
    for (const token of tokens) {
      if ('word' in token) words.push(...(await expandWords(this.shell, [token.word])));
      else words.push({ '&&': '-a', '||': '-o' }[token.operator] ?? token.operator);
    }
    if (this.shell.options.has('xtrace'))
      await traceWords(
        this.shell,
        ['[[', ...words.slice(1), ']]'].map((word) => traceQuote(word, 'ash')),
      );
    return builtins.get('[')!.run(this.shell, [...words, ']']);
  }

  /** Repeats until the round says no, seeing to `break` and `continue`. */
  async #loop(round: () => Promise<boolean>): Promise<void> {
    const { shell } = this;
    shell.loopDepth++;
    let status = 0;
    try {
      for (;;) {
        await shell.chargeCommand();
        try {
          if (!(await round())) break;
          status = shell.status;
        } catch (error) {
          if (!(error instanceof BreakLoop)) throw error;
          status = shell.status;
          if (--error.levels > 0 && shell.loopDepth > 1) throw error;
          if (!error.continues) break;
        }
      }
    } finally {
      shell.loopDepth--;
    }
    shell.status = status;
  }

  // ---- processes ----

  /** Runs commands in a subshell; undefined (and a message) when no process could be made. */
  async #fork(body: Sequence | Command, options: { fds?: Parameters<Shell['descriptors']>[0]; newGroup?: boolean } = {}): Promise<Process | undefined> {
    const { shell } = this;
    try {
      return shell.process.fork(
        async (own) => {
          const inner = shell.subshell(own);
          inner.rootPid = shell.rootPid;
          return inner.toExit(async () => {
            if (!('type' in body)) {
              const only = body.items.length === 1 ? body.items[0]! : undefined;
              inner.execution.replacesItself = only?.command.type === 'simple' && !only.background;
              await inner.run(body);
            } else {
              inner.execution.replacesItself = body.type === 'simple';
              await inner.execution.command(body);
            }
          });
        },
        shell.process.argv,
        { fds: shell.descriptors(options.fds ?? []), newGroup: options.newGroup ?? shell.jobControl },
      );
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await shell.complain(shell.dialect === 'ash' ? `${shell.errorPrefix()}can't fork: ${error.message}` : `${shell.messageName}: fork: ${error.message}`);
      shell.status = shell.dialect === 'ash' ? 2 : 254;
      if (!shell.interactive) throw new ExitShell(shell.status);
      return undefined;
    }
  }

  async #pipeline(command: PipelineCommand): Promise<void> {
    const { shell } = this;
    const beganMs = shell.process.kernel.now();
    const run = async (): Promise<void> => {
      if (command.commands.length === 1) return this.command(command.commands[0]!);
      if (command.commands.length > 1) await this.#connect(command.commands);
    };
    if (command.negated) {
      await this.#tested(run);
      shell.status = shell.status === 0 ? 1 : 0;
    } else await run();
    if (command.timed) {
      const ms = shell.process.kernel.now() - beganMs;
      const shown = (value: number): string => `${Math.floor(value / 60_000)}m${((value % 60_000) / 1000).toFixed(3)}s`;
      await shell.process.err(`\nreal\t${shown(ms)}\nuser\t${shown(0)}\nsys\t${shown(0)}\n`);
    }
  }

  async #connect(commands: readonly Command[]): Promise<void> {
    const { shell } = this;
    const { process } = shell;
    const children: Process[] = [];
    let input: ReturnType<Process['pipe']>[0] | undefined;
    for (let i = 0; i < commands.length; i++) {
      const pipe = i < commands.length - 1 ? process.pipe() : undefined;
      const fds: [number, NonNullable<typeof input>][] = [];
      if (input) fds.push([0, input]);
      if (pipe) fds.push([1, pipe[1]]);
      const leader = children[0];
      const child = await this.#fork(commands[i]!, { fds, newGroup: shell.jobControl && !leader });
      input?.close();
      pipe?.[1].close();
      input = pipe?.[0];
      if (!child) break;
      if (shell.jobControl && leader) child.setGroup(leader.pgid);
      children.push(child);
    }
    input?.close();
    if (children.length === commands.length) shell.status = await this.foreground(children, '', false);
  }

  /** Waits for a foreground job, giving it the terminal meanwhile. */
  async foreground(children: readonly Process[], source: string, isSubshell = false): Promise<number> {
    const { shell } = this;
    const tty = shell.jobControl ? (shell.process.fds.get(0)?.tty ?? shell.process.fds.get(2)?.tty) : undefined;
    const last = children[children.length - 1]!;
    if (tty) tty.foreground = children[0]!.pgid;
    const statuses: number[] = [];
    let interrupted = false;
    try {
      for (const child of children) {
        statuses.push(await finishChild(shell, child, source, child !== last || isSubshell));
        if (shell.jobControl && child.status?.signal === 'SIGINT') interrupted = true;
        if (child === last && isSubshell && child.status?.signal === 'SIGINT' && shell.interactive) await shell.process.err('\n');
      }
    } finally {
      if (tty) {
        tty.foreground = shell.process.pgid;
        if (tty.raw && !last.stopped) tty.raw = false;
        tty.echo = true;
      }
    }
    if (shell.dialect === 'bash') shell.variables.declare('PIPESTATUS').array = new Map(statuses.map((status, index) => [String(index), String(status)]));
    // Ctrl-C ends the whole line, not only its running command.
    if (interrupted) {
      shell.status = 130;
      throw new Interrupted();
    }
    const code = statuses[statuses.length - 1]!;
    return shell.options.has('pipefail') ? (statuses.findLast((status) => status !== 0) ?? 0) : code;
  }

  async background(command: Command, source: string): Promise<void> {
    const { shell } = this;
    await shell.chargeCommand();
    // Without job control a background command must not take the terminal's input.
    const child = await this.#fork(command, shell.jobControl ? {} : { fds: [[0, nullFile()]] });
    if (!child) return;
    if (!shell.jobControl) {
      child.onSignal('SIGINT', 'ignore');
      child.onSignal('SIGQUIT', 'ignore');
    }
    const job = shell.jobs.add([child], source);
    shell.lastBackground = child.pid;
    shell.status = 0;
    if (shell.interactive && shell.dialect === 'bash') await shell.process.err(`[${job.id}] ${child.pid}\n`);
  }
}
