import type { Program } from '../unix/index.ts';

/** A program whose code is loaded when it first runs: a page that only shows a prompt need not load it. */
export function lazyProgram(load: () => Promise<Program>): Program {
  let loaded: Program | undefined;
  return async (process) => {
    loaded ??= await process.kernel.external(load());
    return loaded(process);
  };
}
