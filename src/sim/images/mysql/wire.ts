import { SocketReader, sendText } from '../../../applets/http.ts';
import type { Process, Socket } from '../../../unix/types.ts';
import type { SqlValue } from './sql-parser.ts';
import type { BinlogEvent } from './state.ts';

/**
 * What client and server say to each other: MySQL's greeting packet first, so that `nc` sees a MySQL server, then one JSON
 * object per line. Left out: the real packets behind the greeting; only our own client and replicas speak here.
 */
export type ToServer =
  | { login: { user: string; password: string; database?: string } }
  | { sql: string }
  | { dump: { serverId: number; executed: Record<string, number> } };

export type FromServer =
  | { error: [number: number, state: string, message: string] }
  | { ok: { connectionId: number; serverId: number; uuid: string } }
  | { columns: { title: string; numeric: boolean }[]; rows: SqlValue[][]; seconds: number }
  | { affected: number; info?: string; insertId?: number; seconds: number; database?: string }
  | { event: BinlogEvent };

const VERSION = '8.1.0';

export function greeting(connectionId: number): Uint8Array {
  const text = (value: string): number[] => [...value].map((char) => char.charCodeAt(0));
  const payload = [
    10,
    ...text(VERSION),
    0,
    connectionId & 255,
    (connectionId >> 8) & 255,
    0,
    0,
    ...text('chartrm!'),
    0,
    0xff,
    0xf7,
    0xff,
    2,
    0,
    0xff,
    0xdf,
    21,
    ...new Array(10).fill(0),
    ...text('simulated***'),
    0,
    ...text('caching_sha2_password'),
    0,
  ];
  return Uint8Array.from([payload.length & 255, payload.length >> 8, 0, 0, ...payload]);
}

/** One side of a conversation. */
export class Wire {
  readonly socket: Socket;
  #reader: SocketReader;
  #process: Process;

  constructor(process: Process, socket: Socket) {
    this.#process = process;
    this.socket = socket;
    this.#reader = new SocketReader(socket, process.guard.bind(process), Number.POSITIVE_INFINITY);
  }

  async readGreeting(): Promise<boolean> {
    let head = '';
    for await (const piece of this.#reader.body(4)) head += piece;
    if (head.length < 4) return false;
    for await (const _ of this.#reader.body(head.charCodeAt(0) + head.charCodeAt(1) * 256));
    return true;
  }

  async receive<T>(): Promise<T | undefined> {
    const line = await this.#reader.line();
    return line === undefined ? undefined : (JSON.parse(decodeURIComponent(escapeBytes(line))) as T);
  }

  send(message: ToServer | FromServer): Promise<void> {
    return sendText(this.socket, this.#process.guard.bind(this.#process), `${toBytes(JSON.stringify(message))}\n`);
  }
}

/** Byte text to percent-encoding, to read it as UTF-8. */
const escapeBytes = (text: string): string => text.replace(/[%\x80-\xff]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);

function toBytes(text: string): string {
  return text.replace(/[^\x00-\x7f]+/g, (part) =>
    encodeURIComponent(part).replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}
