import type { SavedSession } from '../lab/protocol.ts';
import type { Branch } from './branches.ts';

/** Everything kept in this browser has this prefix; the number changes when the format does. */
const PREFIX = 'chartroom.1.';

/** Reads a value; undefined when there is none, when it is not JSON, or when storage is blocked. */
function read<T>(key: string): T | undefined {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
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
    const value = read<unknown>('progress');
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string[]] => Array.isArray(entry[1])));
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
    const kept = read<KeptSession>(`session.${lab}`);
    return kept && typeof kept.digest === 'string' && kept.saved?.version === 1 && Array.isArray(kept.saved.inputs) ? kept : undefined;
  },
  write: (lab: string, kept: KeptSession): boolean => write(`session.${lab}`, kept),
  remove: (lab: string): void => remove(`session.${lab}`),
};

/** Futures that were left, by lab. */
export const branchStore = {
  read: (lab: string): Branch[] => {
    const kept = read<Branch[]>(`branches.${lab}`);
    return Array.isArray(kept) ? kept.filter((one) => one.saved?.version === 1 && Array.isArray(one.saved.inputs)) : [];
  },
  write: (lab: string, branches: readonly Branch[]): boolean => write(`branches.${lab}`, branches),
  remove: (lab: string): void => remove(`branches.${lab}`),
};

/** Files the reader edited: kept beside the session, so that they survive even when it cannot be replayed. */
export const fileStore = {
  read: (lab: string): Record<string, string> => read<Record<string, string>>(`files.${lab}`) ?? {},
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
  read: (): Layout => read<Layout>('layout') ?? {},
  change: (change: Layout): void => {
    write('layout', { ...layoutStore.read(), ...change });
  },
};

/** Answers to questions, by page and question. */
export const answerStore = {
  read: (page: string): Record<string, number> => read<Record<string, Record<string, number>>>('answers')?.[page] ?? {},
  write: (page: string, question: string, choice: number): void => {
    const all = read<Record<string, Record<string, number>>>('answers') ?? {};
    write('answers', { ...all, [page]: { ...all[page], [question]: choice } });
  },
};

/** Short digest of a text, to notice that a lab changed since a session was kept (FNV-1a, 32 bits). */
export function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16);
}
