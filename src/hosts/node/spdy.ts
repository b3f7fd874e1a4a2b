import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';

/**
 * The server's side of SPDY/3.1 as far as kubectl's port-forward needs it: streams with headers and data, pings. Flow
 * control is left out, as in the library that kubectl uses.
 */

const WORDS =
  'options,head,post,put,delete,trace,accept,accept-charset,accept-encoding,accept-language,accept-ranges,age,allow,authorization,cache-control,connection,' +
  'content-base,content-encoding,content-language,content-length,content-location,content-md5,content-range,content-type,date,etag,expect,expires,from,host,' +
  'if-match,if-modified-since,if-none-match,if-range,if-unmodified-since,last-modified,location,max-forwards,pragma,proxy-authenticate,proxy-authorization,' +
  'range,referer,retry-after,server,te,trailer,transfer-encoding,upgrade,user-agent,vary,via,warning,www-authenticate,method,get,status,200 OK,version,' +
  'HTTP/1.1,url,public,set-cookie,keep-alive,origin';
const TAIL =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved ' +
  'Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr ' +
  'May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,' +
  'application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

/** The dictionary that SPDY/3 fixes for its header compression. */
function dictionary(): Buffer {
  const parts: Buffer[] = [];
  for (const word of WORDS.split(',')) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(word.length);
    parts.push(length, Buffer.from(word));
  }
  return Buffer.concat([...parts, Buffer.from(TAIL)]);
}

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const FIN = 1;

export interface SpdyHandlers {
  /** Bytes for the client. */
  send(bytes: Buffer): void;
  onStream(id: number, headers: ReadonlyMap<string, string>): void;
  onData(id: number, bytes: Buffer): void;
  onReset(id: number): void;
}

/** One connection. Frames are handled in order, one after another. */
export class SpdyConnection {
  readonly #handlers: SpdyHandlers;
  readonly #inflate: Inflate;
  readonly #deflate: Deflate;
  #inflated: Buffer[] = [];
  #deflated: Buffer[] = [];
  #pending = Buffer.alloc(0);
  #queue: Promise<void> = Promise.resolve();

  constructor(handlers: SpdyHandlers) {
    this.#handlers = handlers;
    this.#inflate = createInflate({ dictionary: dictionary() });
    this.#deflate = createDeflate({ dictionary: dictionary() });
    this.#inflate.on('data', (chunk: Buffer) => this.#inflated.push(chunk));
    this.#deflate.on('data', (chunk: Buffer) => this.#deflated.push(chunk));
    this.#inflate.on('error', () => this.close());
  }

  receive(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length >= 8) {
      const length = this.#pending.readUIntBE(5, 3);
      if (this.#pending.length < 8 + length) return;
      const frame = this.#pending.subarray(0, 8 + length);
      this.#pending = this.#pending.subarray(8 + length);
      this.#queue = this.#queue.then(() => this.#frame(frame)).catch(() => this.close());
    }
  }

  async #frame(frame: Buffer): Promise<void> {
    const body = frame.subarray(8);
    if ((frame[0] as number) < 0x80) {
      this.#handlers.onData(frame.readUInt32BE(0), body);
      return;
    }
    switch (frame.readUInt16BE(2)) {
      case SYN_STREAM: {
        const headers = await this.#readHeaders(body.subarray(10));
        this.#handlers.onStream(body.readUInt32BE(0) & 0x7fffffff, headers);
        break;
      }
      case RST_STREAM:
        this.#handlers.onReset(body.readUInt32BE(0) & 0x7fffffff);
        break;
      case PING:
        this.#handlers.send(frame);
        break;
      default:
    }
  }

  #readHeaders(block: Buffer): Promise<Map<string, string>> {
    return new Promise((resolve) => {
      this.#inflate.write(block, () => {
        this.#inflate.flush(constants.Z_SYNC_FLUSH, () => {
          const bytes = Buffer.concat(this.#inflated.splice(0));
          const headers = new Map<string, string>();
          let at = 4;
          const text = (): string => {
            const length = bytes.readUInt32BE(at);
            at += 4 + length;
            return bytes.toString('utf8', at - length, at);
          };
          for (let i = bytes.readUInt32BE(0); i > 0; i--) {
            const name = text();
            headers.set(name, text());
          }
          resolve(headers);
        });
      });
    });
  }

  /** Accepts a stream (no headers of our own). */
  reply(id: number): void {
    this.#queue = this.#queue.then(
      () =>
        new Promise((resolve) => {
          this.#deflate.write(Buffer.alloc(4), () => {
            this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
              const block = Buffer.concat(this.#deflated.splice(0));
              const body = Buffer.alloc(4);
              body.writeUInt32BE(id);
              this.#handlers.send(control(SYN_REPLY, 0, Buffer.concat([body, block])));
              resolve();
            });
          });
        }),
    );
  }

  data(id: number, bytes: Uint8Array, last = false): void {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(id);
    head[4] = last ? FIN : 0;
    head.writeUIntBE(bytes.length, 5, 3);
    // After the replies that are still being compressed.
    this.#queue = this.#queue.then(() => this.#handlers.send(Buffer.concat([head, bytes])));
  }

  close(): void {
    this.#inflate.destroy();
    this.#deflate.destroy();
  }
}

function control(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003);
  head.writeUInt16BE(type, 2);
  head[4] = flags;
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}
