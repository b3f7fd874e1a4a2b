import { Aborted } from '../kernel/index.ts';
import { decodeText, type Tty } from '../unix/index.ts';
import { completeCommandLine } from './completion.ts';
import { BreakLoop, ExitShell, Interrupted, ReturnFrom, ShellFailure } from './control.ts';
import type { FirstLine, ShellOptions } from './create-shell.ts';
import { expandHistory } from './history-expansion.ts';
import { LineEditor } from './line-editor.ts';
import { Parser } from './parser.ts';
import { DEFAULT_PROMPTS, expandPrompt } from './prompt.ts';
import type { Shell } from './shell.ts';
import { type Sequence, ShellSyntaxError } from './syntax.ts';
import { syntaxMessage } from './syntax-message.ts';

const HISTORY_LIMIT = 1000;

/** A session at a terminal, or with -i on a stream. */
export async function interact(shell: Shell, options: ShellOptions, first?: FirstLine): Promise<number> {
  const { process } = shell;
  const tty = process.fds.get(0)?.tty;
  shell.interactive = true;
  if (options.history) shell.history = options.history;
  // Handlers that do nothing, not 'ignore': children must not inherit them.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGTSTP', 'SIGTTOU', 'SIGTTIN'] as const)
    process.onSignal(signal, () => (signal === 'SIGINT' ? shell.onSignal(signal) : undefined));
  if (tty) {
    shell.jobControl = true;
    shell.options.add('monitor');
    process.setGroup(0);
    tty.foreground = process.pgid;
  }
  prepareInteractive(shell, options);
  const editor = tty
    ? new LineEditor({ owner: shell, tty, complete: (line, cursor) => completeCommandLine(shell, options.completer, line, cursor) })
    : undefined;
  const status = await shell.toExit(() => sessionLoop(shell, tty, editor, options, first));
  return status;
}

/** Aliases and prompt of an interactive shell. */
export function prepareInteractive(shell: Shell, options: ShellOptions): void {
  if (shell.get('PS1') === undefined) shell.set('PS1', options.prompt ?? DEFAULT_PROMPTS[shell.dialect]);
  for (const [name, value] of Object.entries(options.aliases ?? {})) shell.aliases.set(name, value);
}

async function sessionLoop(
  shell: Shell,
  tty: Tty | undefined,
  editor: LineEditor | undefined,
  options: ShellOptions,
  first: FirstLine | undefined,
): Promise<void> {
  let given = first;
  for (;;) {
    if (!given) {
      await announceJobs(shell);
      options.onPrompt?.(shell.process, shell.status);
    }
    const entered = await readCommand(shell, editor, given);
    given = undefined;
    if (entered === 'interrupted') {
      shell.status = 130;
      continue;
    }
    if (entered === 'end') {
      if (tty) await shell.process.err(shell.dialect === 'bash' ? 'exit\n' : '\n');
      return;
    }
    if (!entered.sequence) {
      if (entered.message) {
        shell.status = entered.status;
        options.onCommand?.(shell.process, entered.text);
        await shell.complain(entered.message);
      }
      continue;
    }
    options.onCommand?.(shell.process, entered.text);
    await runGuarded(shell, tty, entered.sequence);
  }
}

/** Runs one command line; whatever goes wrong, the prompt comes back. */
async function runGuarded(shell: Shell, tty: Tty | undefined, sequence: Sequence): Promise<void> {
  shell.loopDepth = 0;
  shell.functionDepth = 0;
  shell.tested = 0;
  shell.interrupted = false;
  try {
    await shell.run(sequence);
    await shell.checkSignals();
  } catch (error) {
    if (error instanceof ExitShell) throw error;
    if (error instanceof ShellFailure) {
      await shell.tell(error);
      shell.status = error.status === 127 && shell.dialect === 'bash' ? 1 : error.status;
    } else if (error instanceof Interrupted || error instanceof Aborted) {
      shell.status = 130;
      // The shell itself was running (a loop of built-ins): the ^C stands on a line of its own.
      if (error instanceof Interrupted && shell.interruptedItself && tty) await shell.process.err('\n');
    } else if (!(error instanceof ReturnFrom) && !(error instanceof BreakLoop)) throw error;
  } finally {
    shell.interrupted = false;
    shell.interruptedItself = false;
    while (shell.variables.inFunction) shell.variables.leaveScope();
    if (tty) {
      tty.foreground = shell.process.pgid;
      tty.raw = false;
      tty.echo = true;
    }
  }
}

type Entered = { text: string; sequence: Sequence | undefined; message?: string; status: number };

/** Reads lines until they make a whole command. */
async function readCommand(shell: Shell, editor: LineEditor | undefined, first: FirstLine | undefined): Promise<Entered | 'interrupted' | 'end'> {
  let text = '';
  let given = first;
  for (;;) {
    const prompt = expandPrompt(shell.get(text ? 'PS2' : 'PS1') ?? '', shell.process, (name) => shell.get(name));
    const line = given ? given.line : editor ? await editor.readLine(prompt) : await plainLine(shell, prompt);
    given = undefined;
    if (line === 'interrupted') return 'interrupted';
    if (line === undefined) {
      if (!text) return 'end';
      const failed = parse(shell, text);
      return { text, sequence: undefined, message: failed instanceof ShellSyntaxError ? syntaxMessage(shell, failed, text, '') : '', status: 2 };
    }
    const expanded = shell.dialect === 'bash' ? expandHistory(line, shell.history) : { text: line };
    if (expanded.missing !== undefined)
      return { text: line, sequence: undefined, message: `${shell.messageName}: ${expanded.missing}: event not found`, status: 1 };
    // As bash does, the line is shown as it will run.
    if (expanded.text !== line) await shell.process.err(`${expanded.text}\n`);
    text += text ? `\n${expanded.text}` : expanded.text;
    const parsed = parse(shell, text);
    if (parsed === 'more') continue;
    if (text.trim()) remember(shell, text);
    if (parsed instanceof ShellSyntaxError) return { text, sequence: undefined, message: syntaxMessage(shell, parsed, text, ''), status: 2 };
    return { text, sequence: parsed, status: 0 };
  }
}

function parse(shell: Shell, text: string): Sequence | undefined | 'more' | ShellSyntaxError {
  const parser = new Parser(text, { dialect: shell.dialect, aliases: shell.aliases });
  try {
    const sequence = parser.all();
    if (parser.unterminatedHereDocument || /(?:^|[^\\])(?:\\\\)*\\$/.test(text)) return 'more';
    return sequence.items.length > 0 ? sequence : undefined;
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    return error.incomplete ? 'more' : error;
  }
}

function remember(shell: Shell, text: string): void {
  const line = text.replaceAll('\n', shell.dialect === 'bash' ? '\n' : ' ');
  if (shell.history.at(-1) !== line) shell.history.push(line);
  if (shell.history.length > HISTORY_LIMIT) shell.history.shift();
}

/** A line from a stream that is no terminal (`sh -i` with stdin piped). */
async function plainLine(shell: Shell, prompt: string): Promise<string | undefined> {
  await shell.process.err(prompt);
  const bytes: number[] = [];
  const input = shell.process.stdin;
  for (;;) {
    const chunk = await input.read();
    if (chunk === null) return bytes.length > 0 ? decodeText(Uint8Array.from(bytes)) : undefined;
    const newline = chunk.indexOf(10);
    bytes.push(...(newline < 0 ? chunk : chunk.subarray(0, newline)));
    if (newline >= 0) {
      input.unread?.(chunk.subarray(newline + 1));
      return decodeText(Uint8Array.from(bytes));
    }
  }
}

/** Says which background jobs have ended. */
async function announceJobs(shell: Shell): Promise<void> {
  for (const job of [...shell.jobs.all()]) {
    if (job.state !== 'Done') continue;
    await shell.process.err(`${shell.jobs.describe(job, shell.dialect)}\n`);
    shell.jobs.remove(job);
  }
}
