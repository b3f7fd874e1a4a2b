import type { Program } from '../unix/index.ts';
import { lazyProgram } from './lazy.ts';

export type { Completer } from './completion.ts';
export { createShell, type ShellOptions } from './create-shell.ts';

/** Built-ins of the shell as programs of their own, for env, xargs, find -exec and Pods without a shell. */
export const echoProgram: Program = lazyProgram(async () => (await import('./builtins/input-output.ts')).echoProgram);
export const printfProgram: Program = lazyProgram(async () => (await import('./builtins/input-output.ts')).printfProgram);
export const testProgram: Program = lazyProgram(async () => (await import('./builtins/input-output.ts')).testProgram);
export const pwdProgram: Program = lazyProgram(async () => (await import('./builtins/input-output.ts')).pwdProgram);
export const killProgram: Program = lazyProgram(async () => (await import('./builtins/jobs.ts')).killProgram);
