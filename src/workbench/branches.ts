import type { SavedSession } from '../lab/protocol.ts';
import { commandCount } from './travel.ts';

/** A future that was left: the session up to where it had got. */
export interface Branch {
  saved: SavedSession;
  /** The command line entered last in it. */
  last: string;
}

const MOST = 6;

/** Whether everything that was done in `part` was also done, at the same moments, in `whole`. */
export function isPartOf(part: SavedSession, whole: SavedSession): boolean {
  if (part.nowMs > whole.nowMs || part.inputs.length > whole.inputs.length) return false;
  return part.inputs.every((input, index) => JSON.stringify(input) === JSON.stringify(whole.inputs[index]));
}

/** The branches with one more: what is already told by a longer one is left out, and only the newest few are kept. */
export function withBranch(branches: readonly Branch[], left: Branch): Branch[] {
  if (branches.some((branch) => isPartOf(left.saved, branch.saved))) return [...branches];
  return [...branches.filter((branch) => !isPartOf(branch.saved, left.saved)), left].slice(-MOST);
}

/** The branches that lead on from a session, or beside it: not those that it has already gone through. */
export function othersThan(branches: readonly Branch[], present: SavedSession): Branch[] {
  return branches.filter((branch) => !isPartOf(branch.saved, present));
}

/** How a branch is named in the menu. */
export function branchLabel({ saved, last }: Branch, clock: (ms: number) => string): string {
  const shown = last.length > 48 ? `${last.slice(0, 47)}…` : last;
  return `回到 ${clock(saved.nowMs)} 的未來（${commandCount(saved)} 個指令${shown === '' ? '' : `，最後是 ${shown}`}）`;
}
