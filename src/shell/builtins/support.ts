import { encodeWithBytes } from '../../unix/index.ts';
import { ShellFailure } from '../control.ts';
import type { Shell } from '../shell.ts';

/** POSIX special built-ins: an error in one ends a non-interactive ash. */
export const SPECIAL_BUILTINS = new Set([
  'break',
  ':',
  'continue',
  '.',
  'source',
  'eval',
  'exec',
  'exit',
  'export',
  'readonly',
  'return',
  'set',
  'shift',
  'times',
  'trap',
  'unset',
]);

/** Tells an error in a built-in's name; the built-in's status is then `status`. */
export async function complain(shell: Shell, name: string, message: string, status = 1): Promise<number> {
  await shell.complain(`${shell.errorPrefix(name)}${message}`);
  return status;
}

/** An error that ends a non-interactive ash when the built-in is a special one; bash goes on with the status. */
export async function fail(shell: Shell, name: string, message: string, status: number): Promise<number> {
  if (shell.dialect === 'bash') return complain(shell, name, message, status);
  if (SPECIAL_BUILTINS.has(name)) throw new ShellFailure(`${shell.errorPrefix(name)}${message}`, 2);
  return complain(shell, name, message, 2);
}

/** Writes to standard output; the built-in fails when nobody reads. */
export async function print(shell: Shell, text: string): Promise<void> {
  if (text) await shell.process.stdout.write(encodeWithBytes(text));
}

/** Leading options made of the given letters: `-ab`; stops at `--`. Undefined for a letter that is not allowed. */
export function takeOptions(words: readonly string[], allowed: string): { letters: Set<string>; rest: string[]; bad?: string } {
  const letters = new Set<string>();
  let index = 1;
  for (; index < words.length; index++) {
    const word = words[index]!;
    if (word === '--') {
      index++;
      break;
    }
    if (!/^-./.test(word)) break;
    for (const letter of word.slice(1)) {
      if (!allowed.includes(letter)) return { letters, rest: words.slice(index), bad: letter };
      letters.add(letter);
    }
  }
  return { letters, rest: words.slice(index) };
}
