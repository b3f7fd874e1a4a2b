import type { SavedSession } from '../lab/protocol.ts';
import type { Branch } from './branches.ts';

/** Everything kept in this browser has this prefix; the number changes when the format does. */
const PREFIX = 'chartroom.1.';

/** Reads what was kept; undefined when there is nothing, when it is not JSON, or when storage is blocked. */
function readAny(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

/** The same for what is kept as an object: its members, none when it is anything else. */
function read(key: string): Record<string, unknown> {
  const value = readAny(key);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Writes a value; false when storage is full or blocked. */
function write(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

function remove(key: string): void {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // Blocked storage holds nothing to remove.
  }
}

/** Reached steps by lab, never taken back. */
export type Progress = Record<string, string[]>;

export interface KeptSession {
  /** Digest of the lab file the session was made with. */
  digest: string;
  saved: SavedSession;
}

export const progressStore = {
  read(): Progress {
    return Object.fromEntries(
      Object.entries(read('progress')).flatMap(([lab, steps]) => (Array.isArray(steps) ? [[lab, steps.filter((step) => typeof step === 'string')]] : [])),
    );
  },
  /** Adds reached steps; false when it could not be kept. */
  reach(lab: string, steps: readonly string[]): boolean {
    const progress = progressStore.read();
    const known = new Set(progress[lab] ?? []);
    const before = known.size;
    for (const step of steps) known.add(step);
    if (known.size === before) return true;
    progress[lab] = [...known];
    const kept = write('progress', progress);
    document.dispatchEvent(new CustomEvent('chartroom-progress'));
    return kept;
  },
};

export const sessionStore = {
  read: (lab: string): KeptSession | undefined => {
    const kept = read(`session.${lab}`) as Partial<KeptSession>;
    return typeof kept.digest === 'string' && kept.saved?.version === 1 && Array.isArray(kept.saved.inputs) ? (kept as KeptSession) : undefined;
  },
  write: (lab: string, kept: KeptSession): boolean => write(`session.${lab}`, kept),
  remove: (lab: string): void => remove(`session.${lab}`),
};

/** Futures that were left, by lab. */
export const branchStore = {
  read: (lab: string): Branch[] => {
    const kept = readAny(`branches.${lab}`) as Branch[] | undefined;
    return Array.isArray(kept) ? kept.filter((one) => one?.saved?.version === 1 && Array.isArray(one.saved.inputs)) : [];
  },
  write: (lab: string, branches: readonly Branch[]): boolean => write(`branches.${lab}`, branches),
  remove: (lab: string): void => remove(`branches.${lab}`),
};

/** Files the reader edited: kept beside the session, so that they survive even when it cannot be replayed. */
export const fileStore = {
  read: (lab: string): Record<string, string> =>
    Object.fromEntries(Object.entries(read(`files.${lab}`)).filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
  write: (lab: string, files: Record<string, string>): boolean => write(`files.${lab}`, files),
  remove: (lab: string): void => remove(`files.${lab}`),
};

export interface Layout {
  /** Width of the lab in percent of the window. */
  width?: number;
  /** Height of the cluster view in percent of the lab's body. */
  height?: number;
  /** Height of the sheet on small windows, in percent of the window. */
  sheet?: number;
  inputRow?: boolean;
  /** The terminal speaks to screen readers. */
  readAloud?: boolean;
}
export const layoutStore = {
  read: (): Layout => read('layout'),
  change: (change: Layout): void => {
    write('layout', { ...layoutStore.read(), ...change });
  },
};

/** Answers to questions, by page and question. */
export const answerStore = {
  read: (page: string): Record<string, number> => (read('answers')[page] ?? {}) as Record<string, number>,
  write: (page: string, question: string, choice: number): void => {
    write('answers', { ...read('answers'), [page]: { ...answerStore.read(page), [question]: choice } });
  },
};

/** Short digest of a text, to notice that a lab changed since a session was kept (FNV-1a, 32 bits). */
export function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16);
}
