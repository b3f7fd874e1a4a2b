import { connectWebContainer, type WebContainerConnection, WebContainerRefusal } from '../../../src/hosts/webcontainer/connect.ts';
import type { FromSession, SessionNotice, SessionRequest } from '../../../src/lab/protocol.ts';

/** Tests are checked with Node's types, which have no Worker of browsers. */
declare const Worker: new (
  url: string,
  options: { type: 'module' },
) => { onmessage: (event: { data: FromSession }) => void; postMessage(message: unknown): void; terminate(): void };

/** What the tests call in the browser. */
const state = {
  notices: [] as SessionNotice[],
  deaths: [] as string[],
  servers: [] as { port: number; url: string }[],
  connection: undefined as (Pick<WebContainerConnection, 'request' | 'close'> & Partial<WebContainerConnection>) | undefined,
};

const contract = {
  state,
  async connect(timeoutMs?: number): Promise<{ ok: boolean; reason?: string; remedy?: string; tookMs: number }> {
    const began = performance.now();
    try {
      state.connection = await connectWebContainer({
        programUrl: '/session.mjs',
        onNotice: (notice) => state.notices.push(notice),
        onDeath: (reason) => state.deaths.push(reason),
        onServerReady: (port, url) => state.servers.push({ port, url }),
        ...(timeoutMs ? { timeoutMs } : {}),
      });
      return { ok: true, tookMs: performance.now() - began };
    } catch (error) {
      if (!(error instanceof WebContainerRefusal)) return { ok: false, reason: String(error), tookMs: performance.now() - began };
      return { ok: false, reason: error.reason, remedy: error.remedy, tookMs: performance.now() - began };
    }
  },
  /** The session in a worker, as in the lessons. */
  connectWorker(): void {
    const worker = new Worker('/worker.js', { type: 'module' });
    const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
    let nextId = 1;
    worker.onmessage = ({ data }) => {
      if (data.kind === 'notice') state.notices.push(data.notice);
      else if (data.ok) waiting.get(data.id)!.resolve(data.value as never);
      else waiting.get(data.id)!.reject(new Error(data.error));
    };
    state.connection = {
      request: (request: SessionRequest) =>
        new Promise((resolve, reject) => {
          const id = nextId++;
          waiting.set(id, { resolve, reject });
          worker.postMessage({ kind: 'request', id, request });
        }),
      close: () => worker.terminate(),
    };
  },
  request: (request: SessionRequest): Promise<unknown> => state.connection!.request(request),
  output: (): string => state.notices.map((notice) => (notice.type === 'output' ? notice.data : '')).join(''),
  async runNode(code: string): Promise<{ exit: number; output: string }> {
    await state.connection!.writeFile!('script.mjs', code);
    const process = await state.connection!.spawn!('node', ['script.mjs'], { columns: 80, rows: 24 });
    let output = '';
    await process.output.pipeTo(
      new WritableStream({
        write(text) {
          output += text;
        },
      }),
    );
    return { exit: await process.exit, output };
  },
  close: (): void => state.connection?.close(),
};
export type Contract = typeof contract;

Object.assign(globalThis, { contract });
