import type { Shell } from '../shell.ts';
import type { Dialect } from '../syntax.ts';
import { flowBuiltins } from './flow.ts';
import { informationBuiltins } from './information.ts';
import { inputOutputBuiltins } from './input-output.ts';
import { jobBuiltins } from './jobs.ts';
import { variableBuiltins } from './variables.ts';

/** A command that the shell runs itself. `words[0]` is its name. */
export interface Builtin {
  run(shell: Shell, words: readonly string[]): Promise<number>;
  /** Only this dialect has it. */
  dialect?: Dialect;
}

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

export const builtins: ReadonlyMap<string, Builtin> = new Map([
  ...flowBuiltins,
  ...variableBuiltins,
  ...inputOutputBuiltins,
  ...jobBuiltins,
  ...informationBuiltins,
]);
