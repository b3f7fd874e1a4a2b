import type { WebContainer, WebContainerProcess } from '@webcontainer/api';
import type { FromSession, SessionNotice, SessionRequest, ToSession } from '../../lab/protocol.ts';
import { frameMessage, MessageReader } from './framing.ts';

/** Why a WebContainer is not to be had here, and what the reader can do about it; both in the reader's language. */
export class WebContainerRefusal extends Error {
  readonly reason: string;
  readonly remedy: string;
  constructor(reason: string, remedy: string) {
    super(`${reason}${remedy}`);
    this.name = 'WebContainerRefusal';
    this.reason = reason;
    this.remedy = remedy;
  }
}

export interface WebContainerOptions {
  /** Address of session.mjs as the build wrote it (scripts/webcontainer-program.ts). */
  programUrl: string;
  onNotice(notice: SessionNotice): void;
  /** Once, when the session can no longer answer. */
  onDeath(reason: string): void;
  /** The cluster's API answers here (inside: http://localhost:8001). */
  onServerReady?(port: number, url: string): void;
  /** Longest the boot may take, in milliseconds; then the lab goes on in the page's own worker. Default 3,000. */
  timeoutMs?: number;
}

/** A session in a WebContainer: the same requests and notices as the worker's, and real Node.js programs beside it. */
export interface WebContainerConnection {
  request<T = unknown>(request: SessionRequest): Promise<T>;
  /** Runs a real program of the WebContainer (node, npm, jsh) and gives its process. */
  spawn(command: string, args: readonly string[], terminal: { columns: number; rows: number }): Promise<WebContainerProcess>;
  writeFile(path: string, text: string): Promise<void>;
  close(): void;
}

const BOOT_LIMIT_MS = 3000;
/** The program's own start inside is given longer: it happens once the machine is there. */
const START_LIMIT_MS = 20_000;

/**
 * Boots a WebContainer and starts the lab's program in it. Rejects with WebContainerRefusal, at the latest after
 * `timeoutMs`, wherever that cannot be; a boot that comes through too late is torn down.
 */
export async function connectWebContainer(options: WebContainerOptions): Promise<WebContainerConnection> {
  refuseEarly();
  const limit = deadline(options.timeoutMs ?? BOOT_LIMIT_MS);
  const programText = fetchProgram(options.programUrl);
  // Whoever loses the race must not become an unhandled rejection.
  programText.catch(() => undefined);
  const booting = import('@webcontainer/api').then(({ WebContainer: container }) => container.boot({ coep: 'require-corp', workdirName: 'chartroom' }));
  let late = false;
  booting.then(
    (container) => late && container.teardown(),
    () => undefined,
  );
  let container: WebContainer;
  try {
    container = await Promise.race([booting.catch(refuseBoot), limit.expired]);
  } catch (error) {
    late = true;
    throw error;
  } finally {
    limit.cancel();
  }
  try {
    return await startSession(container, await programText, options);
  } catch (error) {
    container.teardown();
    throw error;
  }
}

/** What is known without asking anybody. */
function refuseEarly(): void {
  const { crossOriginIsolated, navigator } = globalThis as { crossOriginIsolated?: boolean; navigator?: { onLine?: boolean } };
  if (!crossOriginIsolated || typeof SharedArrayBuffer === 'undefined') {
    throw new WebContainerRefusal(
      '這個網頁沒有跨來源隔離，WebContainer 開不起來。',
      '請從設定了 COOP／COEP 標頭的網站打開（例如 npm start），或繼續用頁面內建的實驗。',
    );
  }
  if (navigator?.onLine === false) throw new WebContainerRefusal('現在沒有網路，WebContainer 要連線才能啟動。', '連上網路後再切換一次。');
}

function refuseBoot(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  throw new WebContainerRefusal(`WebContainer 拒絕啟動（${message}）。`, '可能是授權或瀏覽器設定；實驗會留在頁面裡執行。');
}

async function fetchProgram(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new WebContainerRefusal(`找不到實驗的程式（${response.status}）。`, '重新整理頁面再試一次。');
  return response.text();
}

function deadline(ms: number): { expired: Promise<never>; cancel(): void } {
  let handle: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    handle = setTimeout(
      () =>
        reject(new WebContainerRefusal(`WebContainer 在 ${ms / 1000} 秒內沒有啟動。`, '可能是網路、第三方 Cookie 被擋，或瀏覽器不支援；可以檢查後再切換。')),
      ms,
    );
  });
  expired.catch(() => undefined);
  return { expired, cancel: () => clearTimeout(handle) };
}

async function startSession(container: WebContainer, program: string, options: WebContainerOptions): Promise<WebContainerConnection> {
  await container.mount({ 'session.mjs': { file: { contents: program } }, 'package.json': { file: { contents: '{"type":"module","private":true}\n' } } });
  container.on('server-ready', (port, url) => options.onServerReady?.(port, url));
  container.on('error', (error) => die(error.message));
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  let dead = false;
  let lastWords = '';
  let started: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    started = resolve;
  });
  const reader = new MessageReader(
    (raw) => {
      const message = raw as FromSession | { kind: 'ready' };
      if (message.kind === 'ready') started();
      else if (message.kind === 'notice') options.onNotice(message.notice);
      else if (message.kind === 'answer') {
        const asked = waiting.get(message.id);
        waiting.delete(message.id);
        if (message.ok) asked?.resolve(message.value as never);
        else asked?.reject(new Error(message.error));
      }
    },
    (line) => {
      if (line.trim()) lastWords = line.trim();
    },
  );
  const process = await container.spawn('node', ['session.mjs']);
  const input = process.input.getWriter();
  const die = (reason: string): void => {
    if (dead) return;
    dead = true;
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
    options.onDeath(reason);
  };
  process.output.pipeTo(new WritableStream({ write: (text) => reader.feed(text) })).catch((error: Error) => die(error.message));
  process.exit.then((code) => die(`實驗的程式結束了（${code}）${lastWords ? `：${lastWords}` : ''}`));
  const limit = deadline(START_LIMIT_MS);
  try {
    await Promise.race([ready, limit.expired, process.exit.then((code) => refuseBoot(new Error(`node ended with ${code}: ${lastWords}`)))]);
  } finally {
    limit.cancel();
  }
  return {
    request<T>(request: SessionRequest): Promise<T> {
      if (dead) return Promise.reject(new Error('the lab has stopped'));
      return new Promise<T>((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        const message: ToSession = { kind: 'request', id, request };
        input.write(frameMessage(message)).catch((error: Error) => die(error.message));
      });
    },
    spawn: (command, args, terminal) => container.spawn(command, [...args], { terminal: { cols: terminal.columns, rows: terminal.rows } }),
    writeFile: (path, text) => container.fs.writeFile(path, text),
    close() {
      dead = true;
      for (const { reject } of waiting.values()) reject(new Error('the lab was closed'));
      waiting.clear();
      process.kill();
      container.teardown();
    },
  };
}
