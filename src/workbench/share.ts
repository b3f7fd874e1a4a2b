import type { SavedSession, SessionRequest } from '../lab/protocol.ts';

/** A link says no to more than this, whatever it unpacks to. */
const MOST_TEXT = 2_000_000;
const MOST_FILE = 10_000_000;
const MOST_INPUTS = 20_000;
const DAY_MS = 86_400_000;

/** A link that cannot be opened: the message is for the reader. */
export class ShareError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ShareError';
  }
}

/** One input, as short as it can be said: milliseconds since the one before, a letter, and what it needs. */
type Packed = [number, string, ...(string | number)[]];
interface Packet {
  v: 1;
  lab: string;
  seed: string;
  from: number;
  now: number;
  /** What the cluster had come to: a replay that comes to something else is refused. */
  mark?: string;
  inputs: Packed[];
}

function pack(request: SessionRequest): [string, ...(string | number)[]] | undefined {
  switch (request.type) {
    case 'open-terminal':
      return ['o', request.terminal, request.columns, request.rows];
    case 'close-terminal':
      return ['c', request.terminal];
    case 'input':
      return ['i', request.terminal, request.data];
    case 'resize':
      return ['z', request.terminal, request.columns, request.rows];
    case 'run':
      return ['r', request.terminal, request.command];
    case 'write-file':
      return ['w', request.path, request.text];
    case 'delete-file':
      return ['d', request.path];
    case 'node-action':
      return ['n', request.node, request.action];
    case 'trace':
      return ['t', request.what, `${request.namespace}/${request.pod}`, request.target];
    default:
      return undefined;
  }
}

const NODE_ACTIONS = new Set(['stop-kubelet', 'start-kubelet', 'power-off', 'power-on', 'partition', 'mend']);

function unpack(code: unknown, first: unknown, second: unknown, third: unknown): SessionRequest {
  const text = (value: unknown, pattern: RegExp): string => {
    if (typeof value !== 'string' || !pattern.test(value)) throw new ShareError('連結裡有看不懂的內容。');
    return value;
  };
  const anything = (value: unknown): string => text(value, /^[\s\S]{0,200000}$/);
  const terminal = (): string => text(first, /^[a-z]{1,10}$/);
  const path = (): string => text(first, /^(?!\/)(?!.*\.\.)[\w.\-/]{1,200}$/);
  const size = (value: unknown): number => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 1000) throw new ShareError('連結裡有看不懂的內容。');
    return value;
  };
  switch (code) {
    case 'o':
      return { type: 'open-terminal', terminal: terminal(), columns: size(second), rows: size(third) };
    case 'c':
      return { type: 'close-terminal', terminal: terminal() };
    case 'i':
      return { type: 'input', terminal: terminal(), data: anything(second) };
    case 'z':
      return { type: 'resize', terminal: terminal(), columns: size(second), rows: size(third) };
    case 'r':
      return { type: 'run', terminal: terminal(), command: anything(second) };
    case 'w':
      return { type: 'write-file', path: path(), text: anything(second) };
    case 'd':
      return { type: 'delete-file', path: path() };
    case 'n': {
      if (typeof second !== 'string' || !NODE_ACTIONS.has(second)) throw new ShareError('連結裡有看不懂的內容。');
      return { type: 'node-action', node: text(first, /^[a-z0-9.-]{1,63}$/), action: second as 'power-off' };
    }
    case 't': {
      const [namespace = '', pod = ''] = text(second, /^[a-z0-9.-]{1,63}\/[a-z0-9.-]{1,253}$/).split('/');
      if (first !== 'dns' && first !== 'request') throw new ShareError('連結裡有看不懂的內容。');
      return { type: 'trace', what: first, namespace, pod, target: text(third, /^\S{1,300}$/) };
    }
    default:
      throw new ShareError('這個連結來自別的版本，這裡沒辦法重播。');
  }
}

/** A session as short as it can be said. */
function packSession(saved: SavedSession): Packet {
  const from = saved.inputs[0]?.atMs ?? saved.nowMs;
  let last = from;
  const inputs: Packed[] = [];
  for (const { atMs, request } of saved.inputs) {
    const packed = pack(request);
    if (!packed) continue;
    inputs.push([atMs - last, ...packed]);
    last = atMs;
  }
  return { v: 1, lab: saved.lab, seed: saved.seed, from, now: saved.nowMs - from, ...(saved.mark === undefined ? {} : { mark: saved.mark }), inputs };
}

/** A session as the fragment of a link: deflated, base64url. Nothing of it is ever sent to a server. */
export async function encodeSession(saved: SavedSession): Promise<string> {
  const stream = new Blob([JSON.stringify(packSession(saved))]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** A session as a file, for what is too long for a link. */
export function sessionFile(saved: SavedSession): string {
  return `${JSON.stringify({ chartroom: 'session', ...packSession(saved) })}\n`;
}

/** The session in a file. Throws `ShareError` for anything that is not one. */
export function readSessionFile(text: string): SavedSession {
  if (text.length > MOST_FILE) throw new ShareError('這個檔案太大了，不重播。');
  let packet: unknown;
  try {
    packet = JSON.parse(text);
  } catch {
    throw new ShareError('這不是海圖室的檔案。');
  }
  if ((packet as { chartroom?: unknown } | null)?.chartroom !== 'session') throw new ShareError('這不是海圖室的檔案。');
  return unpackSession(packet);
}

/** The session in a link's fragment. Throws `ShareError` for anything that is not one, however it is made up. */
export async function decodeSession(text: string): Promise<SavedSession> {
  let packet: unknown;
  try {
    packet = JSON.parse(await inflate(text));
  } catch (error) {
    if (error instanceof ShareError) throw error;
    throw new ShareError('這個連結不完整，可能複製的時候少了一段。');
  }
  return unpackSession(packet);
}

function unpackSession(packet: unknown): SavedSession {
  if (typeof packet !== 'object' || packet === null) throw new ShareError('這個連結不完整，可能複製的時候少了一段。');
  const { v, lab, seed, from, now, mark, inputs } = packet as Record<string, unknown>;
  if (v !== 1) throw new ShareError('這個連結來自別的版本，這裡沒辦法重播。');
  if (typeof lab !== 'string' || !/^[a-z0-9-]{1,40}$/.test(lab) || typeof seed !== 'string' || seed.length > 100 || !Array.isArray(inputs)) {
    throw new ShareError('連結裡有看不懂的內容。');
  }
  if (mark !== undefined && (typeof mark !== 'string' || !/^[\w.]{1,60}$/.test(mark))) throw new ShareError('連結裡有看不懂的內容。');
  if (inputs.length > MOST_INPUTS) throw new ShareError('這個連結太長了，不重播。');
  const time = (value: unknown, most: number): number => {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > most) throw new ShareError('連結裡有看不懂的內容。');
    return value;
  };
  const startMs = time(from, 8.64e15);
  const nowMs = startMs + time(now, DAY_MS);
  let atMs = startMs;
  const unpacked = inputs.map((input: unknown) => {
    if (!Array.isArray(input)) throw new ShareError('連結裡有看不懂的內容。');
    const [after, code, first, second, third] = input as unknown[];
    atMs += time(after, DAY_MS);
    if (atMs > nowMs) throw new ShareError('連結裡有看不懂的內容。');
    return { atMs, request: unpack(code, first, second, third) };
  });
  return { version: 1, lab, seed, inputs: unpacked, nowMs, ...(mark === undefined ? {} : { mark }) };
}

/** Unpacks piece by piece, so that a bomb is noticed before it has gone off. */
async function inflate(text: string): Promise<string> {
  if (!/^[\w-]{1,400000}$/.test(text)) throw new ShareError('這個連結不完整，可能複製的時候少了一段。');
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).pipeThrough(new TextDecoderStream()).getReader();
  let out = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return out;
    out += value;
    if (out.length > MOST_TEXT) {
      await reader.cancel();
      throw new ShareError('這個連結太大了，不重播。');
    }
  }
}
