import type { Process, Program, Tty } from '../unix/index.ts';
import type { Completer } from './completion.ts';
import { LineEditor } from './line-editor.ts';
import { DEFAULT_PROMPTS, expandPrompt } from './prompt.ts';
import type { Dialect } from './syntax.ts';

export interface ShellOptions {
  /** Candidates for a word by the command in front of it. */
  completer?: Completer;
  /** Lines of earlier sessions; the shell adds to it. */
  history?: string[];
  /** Aliases of interactive sessions. */
  aliases?: Readonly<Record<string, string>>;
  /** PS1 of interactive sessions that have none in their environment. */
  prompt?: string;
  /** Just before a prompt for a new command is shown, with the status of the last one. */
  onPrompt?(process: Process, status: number): void;
  /** A command was entered; what follows is its output. */
  onCommand?(process: Process, text: string): void;
}

type Engine = typeof import('./shell-program.ts');
let engine: Engine | undefined;

async function loadEngine(process: Process): Promise<Engine> {
  engine ??= await process.kernel.external(import('./shell-program.ts'));
  return engine;
}

/**
 * A shell as a program: BusyBox ash or bash by dialect. Runs `-c TEXT [NAME [ARG…]]`, a script file, standard input, or
 * an interactive session when standard input is a terminal (or with -i). Only the prompt and its line editor are here;
 * grammar and interpreter are loaded with the first command.
 */
export function createShell(dialect: Dialect, options: ShellOptions = {}): Program {
  return async (process) => {
    const tty = process.fds.get(0)?.tty;
    const plain = process.argv.slice(1).every((word) => /^-[il]+$/.test(word));
    const entered = tty && plain && !engine ? await firstLine(process, tty, dialect, options) : undefined;
    return (await loadEngine(process)).shellProgram(dialect, options, entered)(process);
  };
}

/** What the reader did at the first prompt, before the interpreter was there. */
export type FirstLine = { line: string | 'interrupted' | undefined };

async function firstLine(process: Process, tty: Tty, dialect: Dialect, options: ShellOptions): Promise<FirstLine> {
  // An interactive shell does not die of the keyboard's signals.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGTSTP', 'SIGTTOU', 'SIGTTIN'] as const) process.onSignal(signal, () => undefined);
  process.setGroup(0);
  tty.foreground = process.pgid;
  const editor = new LineEditor({
    owner: { process, dialect, history: options.history ?? [] },
    tty,
    complete: async (line, cursor) => (await loadEngine(process)).completeAtPrompt(process, dialect, options, line, cursor),
  });
  options.onPrompt?.(process, 0);
  const prompt = process.env.get('PS1') ?? options.prompt ?? DEFAULT_PROMPTS[dialect];
  return { line: await editor.readLine(expandPrompt(prompt, process, (name) => process.env.get(name))) };
}
