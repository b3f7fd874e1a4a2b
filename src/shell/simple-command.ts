import { decodeText, Errno, type Process } from '../unix/index.ts';
import { assign } from './assignment.ts';
import { builtins, SPECIAL_BUILTINS } from './builtins/index.ts';
import { ExitShell, RedirectFailure, ReturnFrom, ShellFailure } from './control.ts';
import { expandText, expandWords, shellQuote } from './expand.ts';
import { Parser } from './parser.ts';
import { applyRedirects } from './redirects.ts';
import type { FunctionDefinition, Shell } from './shell.ts';
import type { Dialect, Redirect, SimpleCommand } from './syntax.ts';
import type { Variable } from './variables.ts';

const FUNCTION_DEPTH_LIMIT = 500;

export async function runSimple(shell: Shell, command: SimpleCommand): Promise<void> {
  shell.line = command.line + shell.lineOffset;
  shell.lastSubstitution = undefined;
  const replacesItself = shell.execution.replacesItself;
  shell.execution.replacesItself = false;
  const words = await expandWords(shell, command.words);
  if (words.length === 0) {
    const undo = await applyRedirects(shell, command.redirects);
    try {
      for (const assignment of command.assignments) {
        await assign(shell, assignment);
        if (shell.options.has('xtrace')) await traceWords(shell, [`${assignment.name}=${traceQuote(shell.get(assignment.name) ?? '', shell.dialect)}`]);
      }
    } finally {
      undo();
    }
    shell.status = shell.takeSubstitutionStatus() ?? 0;
    return;
  }
  const name = words[0]!;
  const fn = shell.functions.get(name);
  const builtin = builtins.get(name);
  const usable = builtin && (!builtin.dialect || builtin.dialect === shell.dialect) ? builtin : undefined;
  const special = SPECIAL_BUILTINS.has(name);
  if (special && usable && (shell.dialect === 'ash' || !fn)) await runInShell(shell, command, words, () => usable.run(shell, words), true);
  else if (fn) await runInShell(shell, command, words, () => callFunction(shell, name, fn, words.slice(1)), false);
  else if (usable) await runInShell(shell, command, words, () => usable.run(shell, words), special);
  else await runExternal(shell, command, words, replacesItself);
}

export async function traceWords(shell: Shell, words: string[]): Promise<void> {
  const prefix = await expandText(shell, new Parser(`"${(shell.get('PS4') ?? '+ ').replaceAll('"', '\\"')}"`, { dialect: shell.dialect }).word());
  await shell.process.err(`${prefix}${words.join(' ')}\n`);
}

async function traceCommand(shell: Shell, words: readonly string[], values: ReadonlyMap<string, string>): Promise<void> {
  if (!shell.options.has('xtrace')) return;
  const assignments = [...values].map(([name, value]) => `${name}=${traceQuote(value, shell.dialect)}`);
  if (shell.dialect === 'bash') for (const assignment of assignments) await traceWords(shell, [assignment]);
  await traceWords(shell, [...(shell.dialect === 'ash' ? assignments : []), ...words.map((word) => traceQuote(word, shell.dialect))]);
}

/** A function or built-in: redirects and assignments hold while it runs. */
async function runInShell(shell: Shell, command: SimpleCommand, words: readonly string[], work: () => Promise<number>, special: boolean): Promise<void> {
  const undo = await redirectOrFail(shell, command, special);
  if (!undo) return;
  const saved = new Map<string, Variable | undefined>();
  // `exec` without a command makes redirects permanent; special built-ins of ash keep assignments.
  const keeps = words[0] === 'exec' && words.length === 1;
  const keepsAssignments = special && shell.dialect === 'ash';
  try {
    const values = new Map<string, string>();
    for (const assignment of command.assignments) {
      if (assignment.elements || keepsAssignments) {
        await assign(shell, assignment);
        continue;
      }
      const before = shell.variables.find(assignment.name);
      if (!saved.has(assignment.name)) saved.set(assignment.name, before && { ...before });
      await assign(shell, assignment);
      values.set(assignment.name, shell.get(assignment.name) ?? '');
      shell.variables.declare(assignment.name).exported = true;
    }
    await traceCommand(shell, words, values);
    shell.status = await work();
  } catch (error) {
    if (error instanceof Errno && (error.code === 'EPIPE' || error.code === 'EBADF' || error.code === 'ENOSPC')) {
      if (shell.process.fds.get(2) && error.code !== 'EPIPE')
        await shell.complain(`${shell.errorPrefix(shell.dialect === 'bash' ? words[0] : undefined)}write error: ${error.message}`);
      shell.status = 1;
    } else {
      if (error instanceof ShellFailure) await shell.tell(error);
      throw error;
    }
  } finally {
    if (!keepsAssignments) for (const [name, variable] of saved) shell.variables.put(name, variable);
    if (!keeps) undo();
  }
}

async function redirectOrFail(shell: Shell, command: { redirects: Redirect[] }, special: boolean): Promise<(() => void) | undefined> {
  try {
    return await applyRedirects(shell, command.redirects);
  } catch (error) {
    if (!(error instanceof RedirectFailure)) throw error;
    if (special && shell.dialect === 'ash') throw new ShellFailure(error.message, 1);
    await shell.complain(error.message);
    shell.status = 1;
    return undefined;
  }
}

async function callFunction(shell: Shell, name: string, definition: FunctionDefinition, args: string[]): Promise<number> {
  if (shell.functionDepth >= FUNCTION_DEPTH_LIMIT)
    throw new ShellFailure(`${shell.errorPrefix()}maximum function nesting level exceeded (${FUNCTION_DEPTH_LIMIT})`, 2);
  const { positional, loopDepth, messageName } = shell;
  // Bash names where a function came from.
  if (shell.dialect === 'bash' && !shell.interactive && messageName === 'bash') shell.messageName = shell.fromCommandLine ? 'environment' : 'main';
  shell.positional = args;
  shell.functionDepth++;
  shell.functionNames.push(name);
  shell.loopDepth = 0;
  shell.variables.enterScope();
  try {
    await shell.execution.command(definition.body);
    return shell.status;
  } catch (error) {
    if (error instanceof ReturnFrom) return error.status;
    throw error;
  } finally {
    shell.variables.leaveScope();
    shell.functionDepth--;
    shell.positional = positional;
    shell.loopDepth = loopDepth;
    shell.messageName = messageName;
    shell.functionNames.pop();
  }
}

async function runExternal(shell: Shell, command: SimpleCommand, words: readonly string[], replacesItself: boolean): Promise<void> {
  const undo = await redirectOrFail(shell, command, false);
  if (!undo) return;
  let child: Process | undefined;
  try {
    const env = shell.variables.environment();
    const values = new Map<string, string>();
    for (const assignment of command.assignments) {
      const value = await expandText(shell, assignment.value, true);
      values.set(assignment.name, value);
      env.set(assignment.name, value);
    }
    await traceCommand(shell, words, values);
    if (replacesItself) {
      shell.status = await executeInPlace(shell, words, env);
      throw new ExitShell(shell.status);
    }
    child = await startExternal(shell, words, env);
  } finally {
    undo();
  }
  if (child) shell.status = await shell.execution.foreground([child], words.join(' '));
}

/** Starts an external command; undefined (and a message and status) when it cannot. */
export async function startExternal(shell: Shell, words: readonly string[], env: ReadonlyMap<string, string>): Promise<Process | undefined> {
  try {
    return shell.process.spawn(words, { env, newGroup: shell.jobControl });
  } catch (error) {
    const failed = await notStarted(shell, error, words);
    if (failed) return shell.process.fork(failed, words, { env, newGroup: shell.jobControl });
    return undefined;
  }
}

/** exec: this process becomes the command. */
export async function executeInPlace(shell: Shell, words: readonly string[], env: ReadonlyMap<string, string>, asExec = false): Promise<number> {
  try {
    return await shell.process.exec(words, { env });
  } catch (error) {
    const failed = await notStarted(shell, error, words, asExec);
    return failed ? failed(shell.process) : shell.status;
  }
}

/** Tells why a command did not start. A text file that nobody can execute is a script for this shell: returned as a program. */
async function notStarted(
  shell: Shell,
  error: unknown,
  words: readonly string[],
  asExec = false,
): Promise<((process: Process) => Promise<number>) | undefined> {
  if (!(error instanceof Errno)) throw error;
  const name = words[0]!;
  const { process } = shell;
  if (error.code === 'ENOEXEC') {
    const path = process.resolve(name.includes('/') ? name : (process.which(name) ?? name));
    const text = decodeText(process.machine.fs.readFile(path));
    if (!text.slice(0, 256).includes('\0')) {
      return async (own) => {
        const script = shell.script(own, path, words.slice(1));
        return script.toExit(() => script.runText(text));
      };
    }
  }
  if (error.code === 'EAGAIN') {
    await shell.complain(
      shell.dialect === 'ash' ? `${shell.errorPrefix()}can't fork: ${error.message}` : `${shell.messageName}: fork: retry: ${error.message}`,
    );
    shell.status = shell.dialect === 'ash' ? 2 : 254;
    return undefined;
  }
  const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
  shell.status = missing ? 127 : 126;
  const prefix = shell.errorPrefix(asExec ? 'exec' : undefined);
  if (shell.dialect === 'ash') {
    const denied = !missing && error.code !== 'EACCES' ? error.message : 'Permission denied';
    await shell.complain(`${prefix}${name}: ${missing ? 'not found' : denied}`);
  } else {
    const isDirectory =
      error.code === 'EACCES' &&
      name.includes('/') &&
      process.machine.fs.exists(process.resolve(name)) &&
      process.machine.fs.stat(process.resolve(name)).type === 'directory';
    const reason = isDirectory ? 'Is a directory' : name.includes('/') ? error.message : missing ? (asExec ? 'not found' : 'command not found') : error.message;
    await shell.complain(`${prefix}${name}: ${reason}`);
  }
  return undefined;
}

/** How `set -x` shows a word. */
export function traceQuote(word: string, dialect: Dialect): string {
  if (dialect === 'ash') return /^[\w@%+:,./^\]-]*$/.test(word) ? word : shellQuote(word, dialect);
  return /^[^\s'"\\$`*?[\](){}<>|&;!^~#\x00-\x1f][^\s'"\\$`*?[\](){}<>|&;!^\x00-\x1f]*$/.test(word) ? word : shellQuote(word);
}
