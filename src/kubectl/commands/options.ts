import { helpText } from '../cli/help.ts';
import type { Session } from '../session.ts';

/** kubectl options: what every command takes. */
export async function options(session: Session): Promise<void> {
  await session.out(helpText(['options']));
}
