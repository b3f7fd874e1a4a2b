import type { Socket } from '../unix/types.ts';
import { bytesOf, byteText } from './applet.ts';

/** HTTP/1.1 as small servers and clients in containers speak it, over simulated sockets. Bodies are byte text. */
export interface HttpHead {
  /** Request or status line. */
  line: string;
  /** Lower-case names. */
  headers: Map<string, string>;
  /** Header lines as they came. */
  raw: string[];
}

/** Reads a socket piece by piece. */
export class SocketReader {
  #socket: Socket;
  #buffer = '';
  #ended = false;
  #guard: <T>(work: Promise<T>) => Promise<T>;

  #lineLimit: number;

  constructor(socket: Socket, guard: <T>(work: Promise<T>) => Promise<T>, lineLimit = 65_536) {
    this.#lineLimit = lineLimit;
    this.#socket = socket;
    this.#guard = guard;
  }

  async #fill(): Promise<boolean> {
    if (this.#ended) return false;
    const chunk = await this.#guard(this.#socket.read());
    if (!chunk) this.#ended = true;
    else this.#buffer += byteText(chunk);
    return !this.#ended;
  }

  /** A line without its end; undefined at the end of the stream. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const at = this.#buffer.indexOf('\n');
      if (at >= 0) {
        const line = this.#buffer.slice(0, at).replace(/\r$/, '');
        this.#buffer = this.#buffer.slice(at + 1);
        return line;
      }
      if (this.#buffer.length > this.#lineLimit) return undefined;
      if (!(await this.#fill())) {
        const rest = this.#buffer;
        this.#buffer = '';
        return rest === '' ? undefined : rest;
      }
    }
  }

  /** Start line and headers; undefined when the other side closed before. */
  async head(): Promise<HttpHead | undefined> {
    const line = await this.line();
    if (line === undefined) return undefined;
    const headers = new Map<string, string>();
    const raw: string[] = [];
    for (;;) {
      const header = await this.line();
      if (header === undefined || header === '') return { line, headers, raw };
      raw.push(header);
      const at = header.indexOf(':');
      if (at > 0) headers.set(header.slice(0, at).toLowerCase(), header.slice(at + 1).trim());
    }
  }

  /** Pieces of a body of `length` bytes, or of everything until the end. */
  async *body(length: number | undefined): AsyncGenerator<string> {
    let left = length ?? Number.POSITIVE_INFINITY;
    while (left > 0) {
      if (this.#buffer === '' && !(await this.#fill())) return;
      const piece = this.#buffer.slice(0, left);
      this.#buffer = this.#buffer.slice(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** A body as its headers describe it: chunked, of known length, or to the end. */
  async *bodyOf(head: HttpHead): AsyncGenerator<string> {
    if (!/chunked/i.test(head.headers.get('transfer-encoding') ?? '')) {
      const length = head.headers.get('content-length');
      yield* this.body(length === undefined ? undefined : Number(length));
      return;
    }
    for (;;) {
      const size = Number.parseInt((await this.line()) ?? '0', 16);
      if (!(size > 0)) return;
      yield* this.body(size);
      await this.line();
    }
  }
}

export interface Url {
  host: string;
  port: number;
  /** With query; "/" at least. */
  path: string;
  scheme: string;
  user?: string;
}

/** Undefined for what is no http(s) URL; a missing scheme means http. */
export function parseUrl(text: string): Url | undefined {
  const match = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:([^@/]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?([^#]*)/i.exec(text);
  if (!match?.[3]) return undefined;
  const scheme = (match[1] ?? 'http').toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return undefined;
  const path = match[5] ?? '';
  return {
    scheme,
    host: match[3].replace(/^\[|\]$/g, ''),
    port: Number(match[4] ?? (scheme === 'https' ? 443 : 80)),
    path: path.startsWith('/') ? path : `/${path}`,
    ...(match[2] === undefined ? {} : { user: match[2] }),
  };
}

/** "Mon, 23 Nov 2026 12:42:30 GMT". */
export function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

export async function sendText(socket: Socket, guard: <T>(work: Promise<T>) => Promise<T>, text: string): Promise<void> {
  if (text !== '') await guard(socket.write(bytesOf(text)));
}
