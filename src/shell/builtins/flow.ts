import { decodeText, Errno, type SignalName, signalFromText } from '../../unix/index.ts';
import { BreakLoop, ExitShell, ReturnFrom, ShellFailure } from '../control.ts';
import { evaluate, shellQuote } from '../expand.ts';
import { OPTION_LETTERS } from '../options.ts';
import type { Shell } from '../shell.ts';
import type { Builtin } from './index.ts';
import { complain, fail, print } from './support.ts';

const succeed = async (): Promise<number> => 0;

async function exitOrReturn(shell: Shell, words: readonly string[]): Promise<number> {
  const [name, text] = words as [string, string | undefined];
  if (text !== undefined && !/^\d+$/.test(text) && !(shell.dialect === 'bash' && /^-\d+$/.test(text))) {
    if (shell.dialect === 'ash') throw new ShellFailure(`${shell.errorPrefix(name)}Illegal number: ${text}`, 2);
    await complain(shell, name, `${text}: numeric argument required`);
    if (name === 'exit') throw new ExitShell(2);
    throw new ReturnFrom(2);
  }
  if (name === 'exit' && words.length > 2 && shell.dialect === 'bash') return complain(shell, name, 'too many arguments');
  const status = text === undefined ? shell.status : Number(BigInt(text) & 255n);
  if (name === 'exit') throw new ExitShell(status);
  if (shell.dialect === 'bash' && shell.functionDepth === 0 && shell.sourceDepth === 0)
    return complain(shell, name, "can only `return' from a function or sourced script", 2);
  throw new ReturnFrom(status);
}

async function breakOrContinue(shell: Shell, words: readonly string[]): Promise<number> {
  const [name, text = '1'] = words as [string, string | undefined];
  if (!/^\d+$/.test(text) || Number(text) < 1) {
    if (shell.dialect === 'ash') return fail(shell, name, `Illegal number: ${text}`, 2);
    return complain(shell, name, /^\d+$/.test(text) ? `${text}: loop count out of range` : `${text}: numeric argument required`);
  }
  if (shell.loopDepth === 0) {
    if (shell.dialect === 'ash') return 0;
    await complain(shell, name, "only meaningful in a `for', `while', or `until' loop");
    return 0;
  }
  shell.status = 0;
  throw new BreakLoop(Math.min(Number(text), shell.loopDepth), name === 'continue');
}

async function source(shell: Shell, words: readonly string[]): Promise<number> {
  const [name, file] = words as [string, string | undefined];
  if (file === undefined)
    return shell.dialect === 'ash' ? 2 : complain(shell, name, `filename argument required\n${name}: usage: ${name} filename [arguments]`, 2);
  const { process } = shell;
  const { fs } = process.machine;
  let path = process.resolve(file);
  if (!file.includes('/')) {
    const found = (shell.get('PATH') ?? '')
      .split(':')
      .map((directory) => process.resolve(`${directory || '.'}/${file}`))
      .find((candidate) => fs.exists(candidate));
    if (found) path = found;
    else if (shell.dialect === 'ash') throw new ShellFailure(`${shell.errorPrefix(name)}${file}: not found`, 2);
  }
  let text: string;
  try {
    text = decodeText(fs.readFile(path));
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    if (shell.dialect === 'ash') throw new ShellFailure(`${shell.errorPrefix(name)}can't open '${file}': ${error.message}`, 2);
    await shell.complain(
      `${shell.errorPrefix()}${error.code === 'EISDIR' ? `${name}: ` : ''}${file}: ${error.code === 'EISDIR' ? 'is a directory' : error.message}`,
    );
    return 1;
  }
  const { positional, messageName, line, fromCommandLine } = shell;
  if (words.length > 2) shell.positional = words.slice(2);
  const { messageFile } = shell;
  if (shell.dialect === 'bash') shell.messageName = file;
  else shell.messageFile = file;
  shell.fromCommandLine = false;
  shell.sourceDepth++;
  shell.status = 0;
  try {
    await shell.runText(text, '');
    return shell.status;
  } catch (error) {
    if (error instanceof ReturnFrom) return error.status;
    throw error;
  } finally {
    shell.sourceDepth--;
    shell.messageName = messageName;
    shell.messageFile = messageFile;
    shell.fromCommandLine = fromCommandLine;
    shell.line = line;
    if (words.length > 2) shell.positional = positional;
  }
}

async function evalCommand(shell: Shell, words: readonly string[]): Promise<number> {
  const { line } = shell;
  shell.status = 0;
  try {
    await shell.runText(words.slice(1).join(' '), 'eval');
  } catch (error) {
    // A syntax error in eval ends ash, but not bash.
    if (!(error instanceof ShellFailure) || shell.dialect === 'ash') throw error;
    await shell.tell(error);
    return error.status;
  } finally {
    shell.line = line;
  }
  return shell.status;
}

async function exec(shell: Shell, words: readonly string[]): Promise<number> {
  let rest = words.slice(1);
  if (rest[0] === '--') rest = rest.slice(1);
  if (rest.length === 0) return 0;
  const status = await shell.execution.executeInPlace(shell, rest, shell.variables.environment(), true);
  if (shell.interactive && (status === 127 || status === 126)) return status;
  throw new ExitShell(status);
}

async function trap(shell: Shell, words: readonly string[]): Promise<number> {
  let rest = words.slice(1);
  if (rest[0] === '--') rest = rest.slice(1);
  const shown = (name: string): string => (shell.dialect === 'bash' && !['EXIT', 'ERR', 'DEBUG', 'RETURN'].includes(name) ? `SIG${name}` : name);
  if (rest.length === 0 || rest[0] === '-p') {
    for (const [name, action] of shell.traps) await print(shell, `trap -- ${shellQuote(action, shell.dialect)} ${shown(name)}\n`);
    return 0;
  }
  const resets = rest.length === 1 || /^\d+$/.test(rest[0]!);
  const action = resets && rest[0] !== '-' ? undefined : rest[0] === '-' ? undefined : rest[0]!;
  const names = resets && rest[0] !== '-' ? rest : rest.slice(1);
  let status = 0;
  for (const text of names) {
    const special = text === '0' ? 'EXIT' : text.toUpperCase().replace(/^SIG(?=EXIT)/, '');
    const signal = ['EXIT', 'ERR', 'DEBUG', 'RETURN'].includes(special) ? special : signalFromText(text)?.slice(3);
    if (signal === undefined) {
      status = await complain(shell, 'trap', `${text}: invalid signal specification`);
      continue;
    }
    if (action === undefined) shell.traps.delete(signal);
    else shell.traps.set(signal, action);
    const name = `SIG${signal}` as SignalName;
    if (signal === 'EXIT' || signal === 'KILL' || signal === 'STOP' || signalFromText(signal) === undefined) continue;
    if (action === '') shell.process.onSignal(name, 'ignore');
    else if (action !== undefined || (shell.interactive && ['INT', 'QUIT', 'TERM', 'TSTP', 'TTIN', 'TTOU'].includes(signal)))
      shell.process.onSignal(name, () => shell.onSignal(name));
    else shell.process.onSignal(name, undefined);
  }
  return status;
}

const ASH_OPTION_ORDER = [
  'errexit',
  'noglob',
  'ignoreeof',
  'monitor',
  'noexec',
  'xtrace',
  'verbose',
  'noclobber',
  'allexport',
  'notify',
  'nounset',
  'errtrace',
  'vi',
  'pipefail',
];
const BASH_OPTION_ORDER = [
  'allexport', 'braceexpand', 'emacs', 'errexit', 'errtrace', 'functrace', 'hashall', 'histexpand', 'history', 'ignoreeof', 'interactive-comments', 'keyword', 'monitor', 'noclobber',
  'noexec', 'noglob', 'nolog', 'notify', 'nounset', 'onecmd', 'physical', 'pipefail', 'posix', 'privileged', 'verbose', 'vi', 'xtrace',
]; // biome-ignore format: a list of names reads better filled

async function set(shell: Shell, words: readonly string[]): Promise<number> {
  if (words.length === 1) {
    for (const name of shell.variables.names()) {
      const value = shell.get(name);
      if (value !== undefined)
        await print(shell, `${name}=${shell.dialect === 'ash' || /[^\w@%+=:,./-]/.test(value) ? shellQuote(value, shell.dialect) : value}\n`);
    }
    return 0;
  }
  const order = shell.dialect === 'ash' ? ASH_OPTION_ORDER : BASH_OPTION_ORDER;
  const isOn = (name: string): boolean => shell.options.has(name) || name === 'interactive-comments';
  let index = 1;
  for (; index < words.length; index++) {
    const word = words[index]!;
    if (word === '--') {
      shell.positional = words.slice(index + 1);
      return 0;
    }
    if (word === '-' && index === words.length - 1) break;
    if (!/^[-+]./.test(word)) break;
    const on = word.startsWith('-');
    for (const letter of word.slice(1)) {
      if (letter === 'o') {
        const name = words[++index];
        if (name === undefined) {
          for (const option of order) {
            const text =
              shell.dialect === 'ash' ? `${option.padEnd(16)}${isOn(option) ? 'on' : 'off'}\n` : `${option.padEnd(15)}\t${isOn(option) ? 'on' : 'off'}\n`;
            await print(shell, on ? text : `set ${isOn(option) ? '-' : '+'}o ${option}\n`);
          }
          return 0;
        }
        if (!order.includes(name))
          return shell.dialect === 'ash'
            ? fail(shell, 'set', `illegal option ${on ? '-' : '+'}o ${name}`, 2)
            : complain(shell, 'set', `${name}: invalid option name`, 2);
        if (on) shell.options.add(name);
        else shell.options.delete(name);
        continue;
      }
      const option = OPTION_LETTERS[letter] ?? (letter === 'E' ? 'errtrace' : undefined);
      if (option === undefined) {
        if (shell.dialect === 'ash') return fail(shell, 'set', `illegal option -${letter}`, 2);
        await complain(shell, 'set', `-${letter}: invalid option`);
        await shell.complain('set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]');
        return 2;
      }
      if (on) shell.options.add(option);
      else shell.options.delete(option);
    }
  }
  if (index < words.length) shell.positional = words.slice(index);
  return 0;
}

async function shift(shell: Shell, words: readonly string[]): Promise<number> {
  const text = words[1] ?? '1';
  if (!/^\d+$/.test(text))
    return shell.dialect === 'ash' ? fail(shell, 'shift', `Illegal number: ${text}`, 2) : complain(shell, 'shift', `${text}: numeric argument required`);
  const count = Number(text);
  if (count > shell.positional.length) return 1;
  shell.positional = shell.positional.slice(count);
  return 0;
}

async function letCommand(shell: Shell, words: readonly string[]): Promise<number> {
  if (words.length === 1) return shell.dialect === 'ash' ? fail(shell, 'let', 'expression expected', 2) : complain(shell, 'let', 'expression expected');
  let value = 0n;
  for (const text of words.slice(1)) value = evaluate(shell, text, shell.dialect === 'bash' ? 'let: ' : '');
  return value === 0n ? 1 : 0;
}

async function times(shell: Shell): Promise<number> {
  await print(shell, '0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n');
  return 0;
}

export const flowBuiltins: readonly (readonly [string, Builtin])[] = [
  [':', { run: succeed }],
  ['true', { run: succeed }],
  ['false', { run: async () => 1 }],
  ['exit', { run: exitOrReturn }],
  ['return', { run: exitOrReturn }],
  ['break', { run: breakOrContinue }],
  ['continue', { run: breakOrContinue }],
  ['.', { run: source }],
  ['source', { run: source }],
  ['eval', { run: evalCommand }],
  ['exec', { run: exec }],
  ['trap', { run: trap }],
  ['set', { run: set }],
  ['shift', { run: shift }],
  ['let', { run: letCommand }],
  ['times', { run: times }],
];
