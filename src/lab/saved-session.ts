import type { SavedSession } from './protocol.ts';

/** Virtual time; nobody skips that far. */
const LONGEST_SESSION_MS = 100 * 86_400_000;

/** Throws when a kept session cannot be one: it lay where anybody may write, and a time that never comes would be waited for. */
export function checkSaved(saved: SavedSession, nowMs: number, replayed: ReadonlySet<string>): void {
  const plausible = (ms: unknown): boolean => Number.isFinite(ms) && (ms as number) < nowMs + LONGEST_SESSION_MS;
  if (!plausible(saved.nowMs) || !saved.inputs.every((input) => plausible(input?.atMs) && replayed.has(input.request?.type)))
    throw new Error('what was kept of the session is broken');
}
