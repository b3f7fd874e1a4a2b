import type { FromSession, SessionNotice, SessionRequest } from '../lab/protocol.ts';

export interface Connection {
  /** Asks the session; rejects with its words when it refuses, or when it died. */
  request<T = unknown>(request: SessionRequest): Promise<T>;
  close(): void;
}

/**
 * The session in its worker. `onNotice` hears what it tells unasked; `onDeath` is called once when the worker can no
 * longer answer (a crash, no memory, a script that does not load).
 */
export function connectWorker(onNotice: (notice: SessionNotice) => void, onDeath: (reason: string) => void): Connection {
  const worker = new Worker(new URL('../hosts/worker/main.ts', import.meta.url), { type: 'module', name: 'lab' });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  let dead = false;

  const die = (reason: string): void => {
    if (dead) return;
    dead = true;
    worker.terminate();
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
    onDeath(reason);
  };

  worker.addEventListener('message', (event: MessageEvent<FromSession>) => {
    const message = event.data;
    if (message.kind === 'notice') return onNotice(message.notice);
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.ok) asked?.resolve(message.value as never);
    else asked?.reject(new Error(message.error));
  });
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    die(event.message || 'the lab could not be loaded');
  });
  worker.addEventListener('messageerror', () => die('a message could not be read'));

  return {
    request<T>(request: SessionRequest): Promise<T> {
      if (dead) return Promise.reject(new Error('the lab has stopped'));
      return new Promise<T>((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ kind: 'request', id, request });
      });
    },
    close() {
      dead = true;
      worker.terminate();
      for (const { reject } of waiting.values()) reject(new Error('the lab was closed'));
      waiting.clear();
    },
  };
}
