import type { Session } from '../session.ts';
import { get } from './get.ts';

/** Runs a command; the exit code is 0 unless it says otherwise or throws. */
// biome-ignore lint/suspicious/noConfusingVoidType: most commands have no code of their own
export type CommandRun = (session: Session, args: string[]) => Promise<number | void>;

const COMMANDS: Record<string, CommandRun> = {
  get,
};

type Module = Record<string, CommandRun | unknown>;

/** Modules loaded when a command of theirs is first used: path prefix → import and export name. */
const LAZY: Record<string, [load: () => Promise<Module>, name: string]> = {};

/** The program of a command path ("rollout status"); undefined for a command that only groups others. */
export async function commandRun(session: Session, path: string): Promise<CommandRun | undefined> {
  const own = COMMANDS[path];
  if (own) return own;
  const lazy = LAZY[path];
  if (!lazy) return undefined;
  const module = await session.process.kernel.external(lazy[0]());
  return module[lazy[1]] as CommandRun;
}
