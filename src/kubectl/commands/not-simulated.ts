import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';

/** A command of kubectl that this terminal does not have: it says so instead of pretending. */
export async function notSimulated(session: Session): Promise<void> {
  throw new CliError(`${session.commandPath} is not simulated yet`);
}
