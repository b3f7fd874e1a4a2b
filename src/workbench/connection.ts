import type { FromSession, Ping, Pong, SessionNotice, SessionRequest, ToSession } from '../lab/protocol.ts';

declare global {
  /** The worker that the page's head started before anything else (src/components/route-data.ts), and how it failed. */
  var earlyLab: { worker: Worker; failed?: string } | undefined;
}

export interface Connection {
  /** Asks the session; rejects with its words when it refuses, or when it died. */
  request<T = unknown>(request: SessionRequest): Promise<T>;
  close(): void;
}

/** The worker is asked this often whether it is there … */
const PING_MS = 5_000;
/** … and given up after this many questions without any answer. Simulated work lets messages through all the time. */
const MAX_UNANSWERED = 4;

/**
 * The session in its worker. `onNotice` hears what it tells unasked; `onDeath` is called once when the worker can no
 * longer answer (a crash, no memory, a script that does not load, a computation that does not end, such as a regular
 * expression that tries every way).
 */
export function connectWorker(onNotice: (notice: SessionNotice) => void, onDeath: (reason: string) => void): Connection {
  const early = globalThis.earlyLab;
  globalThis.earlyLab = undefined;
  const worker = early?.worker ?? new Worker(new URL('../hosts/worker/main.ts', import.meta.url), { type: 'module', name: 'lab' });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  let dead = false;
  let unanswered = 0;
  let pings: ReturnType<typeof setInterval> | undefined;
  const post = (message: ToSession | Ping): void => worker.postMessage(message);

  const die = (reason: string): void => {
    if (dead) return;
    dead = true;
    clearInterval(pings);
    worker.terminate();
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
    onDeath(reason);
  };

  worker.addEventListener('message', (event: MessageEvent<FromSession | Pong>) => {
    const message = event.data;
    unanswered = 0;
    // Not before its first word: until then it is being loaded, which takes as long as the network takes.
    pings ??= setInterval(() => {
      if (unanswered >= MAX_UNANSWERED) return die(`${(PING_MS * MAX_UNANSWERED) / 1000} 秒沒有回應`);
      unanswered++;
      post({ kind: 'ping' });
    }, PING_MS);
    if (message.kind === 'pong') return;
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
  // Heard before anybody listened here; told once the caller holds this connection.
  if (early?.failed !== undefined) queueMicrotask(() => die(early.failed || 'the lab could not be loaded'));

  return {
    request<T>(request: SessionRequest): Promise<T> {
      if (dead) return Promise.reject(new Error('the lab has stopped'));
      return new Promise<T>((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        post({ kind: 'request', id, request });
      });
    },
    close() {
      dead = true;
      clearInterval(pings);
      worker.terminate();
      for (const { reject } of waiting.values()) reject(new Error('the lab was closed'));
      waiting.clear();
    },
  };
}
