import type { SavedSession, SessionRequest } from '../lab/protocol.ts';

/** The session as it was at that moment: what was done up to then. */
export function sessionAt(saved: SavedSession, atMs: number): SavedSession {
  return { ...saved, inputs: saved.inputs.filter((input) => input.atMs <= atMs), nowMs: atMs };
}

function isCommand(request: SessionRequest | undefined): boolean {
  return request?.type === 'run' || (request?.type === 'input' && request.data.includes('\r'));
}

/** How many command lines were entered. */
export function commandCount(saved: SavedSession): number {
  return saved.inputs.filter((input) => isCommand(input.request)).length;
}

/** The session just before its last command line was begun; undefined when there was none. */
export function beforeLastCommand(saved: SavedSession): SavedSession | undefined {
  const { inputs } = saved;
  const enters = (index: number): boolean => isCommand(inputs[index]?.request);
  let last = inputs.length - 1;
  while (last >= 0 && !enters(last)) last--;
  if (last < 0) return undefined;
  // Keys of that line belong to it.
  let first = last;
  if (inputs[last]?.request.type === 'input') while (first > 0 && !enters(first - 1) && inputs[first - 1]?.request.type === 'input') first--;
  const atMs = inputs[first]?.atMs ?? saved.nowMs;
  return { ...saved, inputs: inputs.slice(0, first), nowMs: atMs };
}
