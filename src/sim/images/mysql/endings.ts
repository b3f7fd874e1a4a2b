import { Aborted } from '../../../kernel/index.ts';
import { Errno, Killed } from '../../../unix/types.ts';

/** Whether an error is only the other side's going or our own end: no mistake of the program. */
export const isEnding = (error: unknown): boolean => error instanceof Errno || error instanceof Killed || error instanceof Aborted;
