import type { Session } from '../session.ts';

/** kubectl alpha: this release has nothing there. */
export async function alpha(session: Session): Promise<void> {
  await session.err('No alpha commands are available in this version of kubectl\n');
}
