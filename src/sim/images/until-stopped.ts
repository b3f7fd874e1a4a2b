import type { Process } from '../../unix/types.ts';

/** Resolves when the process is told to end (SIGTERM, SIGINT). Rejects with Killed. A waiting server costs nothing. */
export function untilStopped(process: Process): Promise<void> {
  return process.guard(
    new Promise<void>((resolve) => {
      process.onSignal('SIGTERM', resolve);
      process.onSignal('SIGINT', resolve);
    }),
  );
}
