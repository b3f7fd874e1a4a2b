import { bytesSource, Errno, encodeText, type OpenFile } from '../unix/index.ts';
import { RedirectFailure, ShellFailure } from './control.ts';
import { expandText } from './expand.ts';
import type { Shell } from './shell.ts';
import type { Redirect } from './syntax.ts';

/** Carries out redirects on the shell's own descriptors; the returned function undoes them. */
export async function applyRedirects(shell: Shell, redirects: readonly Redirect[]): Promise<() => void> {
  const { fds } = shell.process;
  const saved = new Map<number, OpenFile | undefined>();
  const undo = (): void => {
    for (const [number, file] of saved) {
      fds.get(number)?.close();
      if (file) fds.set(number, file);
      else fds.delete(number);
    }
  };
  const put = (number: number, file: OpenFile | undefined): void => {
    if (saved.has(number)) fds.get(number)?.close();
    else saved.set(number, fds.get(number));
    if (file) fds.set(number, file);
    else fds.delete(number);
  };
  try {
    for (const redirect of redirects) await redirectOne(shell, redirect, put);
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

async function redirectOne(shell: Shell, redirect: Redirect, put: (number: number, file: OpenFile | undefined) => void): Promise<void> {
  const { process } = shell;
  const { operator } = redirect;
  const number = redirect.fd ?? (operator.startsWith('<') ? 0 : 1);
  if (operator === '<<' || operator === '<<<') {
    const text = operator === '<<' ? await expandText(shell, redirect.body ?? []) : `${await expandText(shell, redirect.target)}\n`;
    put(number, process.duplicate(bytesSource(encodeText(text))));
    return;
  }
  const target = await expandText(shell, redirect.target);
  if (operator === '>&' || operator === '<&') {
    if (target === '-') {
      put(number, undefined);
      return;
    }
    if (/^\d+-?$/.test(target)) {
      const from = process.fds.get(Number.parseInt(target, 10));
      if (!from) throw new RedirectFailure(`${shell.errorPrefix()}${target}: Bad file descriptor`);
      put(number, process.duplicate(from));
      if (target.endsWith('-')) put(Number.parseInt(target, 10), undefined);
      return;
    }
    if (shell.dialect === 'ash' && operator === '<&') throw new ShellFailure(`${shell.errorPrefix()}syntax error: bad fd number`, 2);
  }
  const both = operator === '&>' || operator === '&>>' || operator === '>&';
  const file = openTarget(shell, target, operator);
  put(both ? 1 : number, file);
  if (both) put(2, process.duplicate(file));
}

function openTarget(shell: Shell, target: string, operator: Redirect['operator']): OpenFile {
  const { process } = shell;
  const writing = operator !== '<' && operator !== '<>';
  try {
    if (operator === '<') return process.open(target, 'r');
    if (operator === '<>') return process.open(target, process.machine.fs.exists(process.resolve(target)) ? 'r+' : 'w');
    if (operator === '>>' || operator === '&>>') return process.open(target, 'a');
    if (
      operator === '>' &&
      shell.options.has('noclobber') &&
      process.machine.fs.exists(process.resolve(target)) &&
      process.machine.fs.stat(process.resolve(target)).type === 'file'
    )
      throw new Errno('EEXIST');
    return process.open(target, 'w');
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    if (shell.dialect === 'bash') {
      const shown = error.code === 'EEXIST' ? 'cannot overwrite existing file' : target === '' ? 'No such file or directory' : error.message;
      throw new RedirectFailure(`${shell.errorPrefix()}${target}: ${shown}`);
    }
    const reason = error.code === 'ENOENT' || error.code === 'ENOTDIR' ? (writing ? 'nonexistent directory' : 'no such file') : error.message;
    throw new RedirectFailure(`${shell.errorPrefix()}can't ${writing ? 'create' : 'open'} ${target}: ${reason}`);
  }
}
