import type { Shell } from '../shell.ts';
import type { Dialect } from '../syntax.ts';
import { flowBuiltins } from './flow.ts';
import { informationBuiltins } from './information.ts';
import { inputOutputBuiltins } from './input-output.ts';
import { jobBuiltins } from './jobs.ts';

export { SPECIAL_BUILTINS } from './support.ts';

import { variableBuiltins } from './variables.ts';

/** A command that the shell runs itself. `words[0]` is its name. */
export interface Builtin {
  run(shell: Shell, words: readonly string[]): Promise<number>;
  /** Only this dialect has it. */
  dialect?: Dialect;
}

export const builtins: ReadonlyMap<string, Builtin> = new Map([
  ...flowBuiltins,
  ...variableBuiltins,
  ...inputOutputBuiltins,
  ...jobBuiltins,
  ...informationBuiltins,
]);
