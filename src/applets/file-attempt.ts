import { Errno } from '../unix/types.ts';
import type { Applet } from './applet.ts';

/** What applets that change files share. */

export const baseName = (path: string): string => path.replace(/\/+$/, '').split('/').pop() || '/';
export const joined = (directory: string, name: string): string => `${directory.replace(/\/+$/, '')}/${name}`;

/** Runs work that may fail with an Errno; prints "NAME: …: why" then and yields false. */
export async function attempt(applet: Applet, say: (why: string) => string, work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
    await applet.complain(say(error.message));
    return false;
  }
}
