import { decodeText, Errno, type Process, type Program } from '../unix/index.ts';
import { type Completion, completeCommandLine } from './completion.ts';
import type { FirstLine, ShellOptions } from './create-shell.ts';
import { interact, prepareInteractive } from './interactive.ts';
import { readScript } from './script-input.ts';
import { Shell } from './shell.ts';
import type { Dialect } from './syntax.ts';

/** The shell's code behind `createShell`. `first`: what was entered at the prompt before this was loaded. */
export function shellProgram(dialect: Dialect, options: ShellOptions, first?: FirstLine): Program {
  return async (process) => {
    const own = (process.argv[0] ?? dialect).replace(/^-/, '');
    const shell = new Shell(process, dialect, dialect === 'ash' ? own : 'bash');
    shell.rootPid = process.pid;
    shell.importEnvironment();
    const given = readArguments(shell, process.argv.slice(1));
    if (typeof given === 'string') {
      await process.err(given);
      return 2;
    }
    const { commandText, rest, forcedInteractive, standardInput } = given;
    if (commandText !== undefined) {
      shell.fromCommandLine = true;
      if (rest[0] !== undefined) {
        shell.scriptName = rest[0];
        shell.messageName = rest[0];
      }
      shell.positional = rest.slice(1);
      return shell.toExit(() => shell.runText(commandText, '-c', true));
    }
    const script = standardInput ? undefined : rest[0];
    if (script !== undefined) {
      shell.positional = rest.slice(1);
      return runScript(shell, process, script);
    }
    shell.positional = standardInput ? rest : [];
    if (process.fds.get(0)?.tty || forcedInteractive) return interact(shell, options, first);
    return shell.toExit(() => readScript(shell));
  };
}

interface Given {
  commandText: string | undefined;
  rest: string[];
  forcedInteractive: boolean;
  standardInput: boolean;
}

function readArguments(shell: Shell, args: readonly string[]): Given | string {
  const rest = [...args];
  let wantsCommand = false;
  let forcedInteractive = false;
  let standardInput = false;
  while (rest.length > 0 && /^[-+]./.test(rest[0]!)) {
    const word = rest.shift()!;
    if (word === '--') break;
    if (word.startsWith('--')) continue;
    for (const letter of word.slice(1)) {
      if (letter === 'c') wantsCommand = true;
      else if (letter === 'i') forcedInteractive = true;
      else if (letter === 's') standardInput = true;
      else if (letter === 'l') continue;
      else if (letter === 'o') {
        const name = rest.shift();
        if (name) shell.options.add(name);
      } else {
        const option = { e: 'errexit', u: 'nounset', x: 'xtrace', f: 'noglob', v: 'verbose', a: 'allexport', C: 'noclobber', n: 'noexec', m: 'monitor' }[
          letter
        ];
        if (!option) return shell.dialect === 'ash' ? `${shell.messageName}: illegal option -${letter}\n` : `bash: -${letter}: invalid option\n`;
        if (word.startsWith('-')) shell.options.add(option);
        else shell.options.delete(option);
      }
    }
  }
  if (!wantsCommand) return { commandText: undefined, rest, forcedInteractive, standardInput };
  const commandText = rest.shift();
  if (commandText === undefined) return shell.dialect === 'ash' ? `${shell.messageName}: -c requires an argument\n` : 'bash: -c: option requires an argument\n';
  return { commandText, rest, forcedInteractive, standardInput };
}

async function runScript(shell: Shell, process: Process, path: string): Promise<number> {
  let text: string;
  const { fs } = process.machine;
  try {
    let file = process.resolve(path);
    if (!path.includes('/') && !fs.exists(file)) file = process.resolve(process.which(path) ?? path);
    text = decodeText(fs.readFile(file));
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    await process.err(
      shell.dialect === 'ash'
        ? `${shell.messageName}: can't open '${path}': ${error.message}\n`
        : `bash: ${path}: ${error.code === 'EISDIR' ? 'Is a directory' : error.message}\n`,
    );
    return shell.dialect === 'ash' ? 2 : error.code === 'EISDIR' ? 126 : 127;
  }
  shell.scriptName = path;
  shell.messageName = path;
  shell.messageFile = path;
  if (text.slice(0, 80).includes('\0')) {
    await shell.complain(`${path}: ${path}: cannot execute binary file`);
    return 126;
  }
  return shell.toExit(async () => {
    if (shell.options.has('noexec')) return;
    await shell.runText(text);
  });
}

/** Completion at a prompt whose shell does not exist yet. */
export async function completeAtPrompt(process: Process, dialect: Dialect, options: ShellOptions, line: string, cursor: number): Promise<Completion> {
  const shell = new Shell(process, dialect, dialect);
  shell.importEnvironment();
  prepareInteractive(shell, options);
  return completeCommandLine(shell, options.completer, line, cursor);
}
