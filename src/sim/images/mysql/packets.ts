import { bytesOf, byteText, fromByteText, toByteText } from '../../../applets/applet.ts';

/** MySQL's client/server protocol, the text half of it: packets, the greeting, results (MySQL Internals, protocol version 10). */

/** One side's bytes. */
export interface ByteStream {
  /** null: the other side has closed. */
  read(): Promise<Uint8Array | null>;
  write(bytes: Uint8Array): Promise<unknown>;
}

export class PacketTooLarge extends Error {}

const LARGEST = 0xffffff;

/** Packets over a stream; each conversation counts them from 0. */
export class PacketStream {
  #stream: ByteStream;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #sequence = 0;
  readonly #maxBytes: () => number;

  constructor(stream: ByteStream, maxBytes: () => number = () => Number.POSITIVE_INFINITY) {
    this.#stream = stream;
    this.#maxBytes = maxBytes;
  }

  /** A new command begins. */
  restart(): void {
    this.#sequence = 0;
  }

  async #take(count: number): Promise<Uint8Array | undefined> {
    while (this.#length < count) {
      const chunk = await this.#stream.read();
      if (!chunk) return undefined;
      this.#chunks.push(chunk);
      this.#length += chunk.length;
    }
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array) : concat(this.#chunks);
    this.#length -= count;
    this.#chunks = this.#length > 0 ? [all.subarray(count)] : [];
    return all.subarray(0, count);
  }

  /** The next payload; undefined at the end. Throws PacketTooLarge as soon as the header says so. */
  async read(): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (let total = 0; ; ) {
      const head = await this.#take(4);
      if (!head) return undefined;
      const size = (head[0] as number) | ((head[1] as number) << 8) | ((head[2] as number) << 16);
      this.#sequence = ((head[3] as number) + 1) & 255;
      total += size;
      if (total > this.#maxBytes()) throw new PacketTooLarge();
      const body = await this.#take(size);
      if (!body) return undefined;
      parts.push(body);
      if (size < LARGEST) return parts.length === 1 ? body : concat(parts);
    }
  }

  async write(...payloads: Uint8Array[]): Promise<void> {
    const out: Uint8Array[] = [];
    for (const payload of payloads) {
      for (let at = 0; ; at += LARGEST) {
        const part = payload.subarray(at, at + LARGEST);
        out.push(Uint8Array.of(part.length & 255, (part.length >> 8) & 255, part.length >> 16, this.#sequence), part);
        this.#sequence = (this.#sequence + 1) & 255;
        if (part.length < LARGEST) break;
      }
    }
    await this.#stream.write(concat(out));
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Writes a payload piece by piece. */
export class PayloadWriter {
  #parts: Uint8Array[] = [];

  bytes(bytes: Uint8Array | readonly number[]): this {
    this.#parts.push(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes));
    return this;
  }

  integer(value: number, size: number): this {
    return this.bytes(Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256));
  }

  /** An integer in its shortest form. */
  length(value: number): this {
    if (value < 251) return this.integer(value, 1);
    if (value < 65_536) return this.integer(252, 1).integer(value, 2);
    if (value < 16_777_216) return this.integer(253, 1).integer(value, 3);
    return this.integer(254, 1).integer(value, 8);
  }

  text(value: string): this {
    return this.bytes(bytesOf(toByteText(value)));
  }

  zeroText(value: string): this {
    return this.text(value).integer(0, 1);
  }

  lengthText(value: string): this {
    const bytes = bytesOf(toByteText(value));
    return this.length(bytes.length).bytes(bytes);
  }

  done(): Uint8Array {
    return concat(this.#parts);
  }
}

/** Reads a payload piece by piece. */
export class PayloadReader {
  #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  bytes(count: number): Uint8Array {
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  integer(size: number): number {
    return this.bytes(size).reduce((sum, byte, i) => sum + byte * 256 ** i, 0);
  }

  /** null: the mark for NULL. */
  length(): number | null {
    const first = this.integer(1);
    if (first === 251) return null;
    return first < 251 ? first : this.integer(first === 252 ? 2 : first === 253 ? 3 : 8);
  }

  text(count = this.#bytes.length - this.#at): string {
    return fromByteText(byteText(this.bytes(count)));
  }

  zeroText(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.text((end < 0 ? this.#bytes.length : end) - this.#at);
    this.#at++;
    return text;
  }

  lengthText(): string | null {
    const count = this.length();
    return count === null ? null : this.text(count);
  }
}

export const CAPABILITY = {
  longPassword: 1,
  foundRows: 2,
  longFlag: 4,
  connectWithDatabase: 8,
  protocol41: 0x200,
  interactive: 0x400,
  ssl: 0x800,
  transactions: 0x2000,
  secureConnection: 0x8000,
  multiStatements: 0x10000,
  multiResults: 0x20000,
  pluginAuth: 0x80000,
  attributes: 0x100000,
  lengthAuth: 0x200000,
  deprecateEof: 0x1000000,
} as const;

const {
  longPassword,
  longFlag,
  connectWithDatabase,
  protocol41,
  interactive,
  transactions,
  secureConnection,
  multiResults,
  pluginAuth,
  attributes,
  lengthAuth,
  deprecateEof,
} = CAPABILITY;
export const SERVER_CAPABILITIES =
  longPassword +
  CAPABILITY.foundRows +
  longFlag +
  connectWithDatabase +
  protocol41 +
  interactive +
  transactions +
  secureConnection +
  multiResults +
  pluginAuth +
  attributes +
  lengthAuth +
  deprecateEof;

export const COMMAND = {
  quit: 1,
  useDatabase: 2,
  query: 3,
  fieldList: 4,
  statistics: 9,
  ping: 14,
  setOption: 27,
  prepare: 22,
  dumpBinlogGtid: 30,
  reset: 31,
} as const;

const AUTOCOMMIT = 2;
const UTF8MB4 = 255;

export interface Greeting {
  version: string;
  connectionId: number;
  nonce: Uint8Array;
  plugin: string;
}

export function encodeGreeting({ version, connectionId, nonce, plugin }: Greeting): Uint8Array {
  return new PayloadWriter()
    .integer(10, 1)
    .zeroText(version)
    .integer(connectionId, 4)
    .bytes(nonce.subarray(0, 8))
    .integer(0, 1)
    .integer(SERVER_CAPABILITIES % 65_536, 2)
    .integer(UTF8MB4, 1)
    .integer(AUTOCOMMIT, 2)
    .integer(Math.floor(SERVER_CAPABILITIES / 65_536), 2)
    .integer(21, 1)
    .bytes(new Uint8Array(10))
    .bytes(nonce.subarray(8))
    .integer(0, 1)
    .zeroText(plugin)
    .done();
}

export function decodeGreeting(payload: Uint8Array): Greeting {
  const reader = new PayloadReader(payload);
  reader.integer(1);
  const version = reader.zeroText();
  const connectionId = reader.integer(4);
  const first = reader.bytes(8);
  reader.bytes(1 + 2 + 1 + 2 + 2);
  const size = reader.integer(1);
  reader.bytes(10);
  const rest = reader.bytes(Math.max(13, size - 8)).subarray(0, 12);
  return { version, connectionId, nonce: concat([first, rest]), plugin: reader.zeroText() };
}

export interface Login {
  capabilities: number;
  user: string;
  proof: Uint8Array;
  database: string | undefined;
  plugin: string;
  attributes: Map<string, string>;
}

export function encodeLogin(login: Login): Uint8Array {
  const writer = new PayloadWriter()
    .integer(login.capabilities, 4)
    .integer(LARGEST + 1, 4)
    .integer(45, 1)
    .bytes(new Uint8Array(23))
    .zeroText(login.user);
  writer.integer(login.proof.length, 1).bytes(login.proof);
  if (login.database !== undefined) writer.zeroText(login.database);
  writer.zeroText(login.plugin);
  const pairs = new PayloadWriter();
  for (const [name, value] of login.attributes) pairs.lengthText(name).lengthText(value);
  const body = pairs.done();
  return writer.length(body.length).bytes(body).done();
}

export function decodeLogin(payload: Uint8Array): Login {
  const reader = new PayloadReader(payload);
  const capabilities = reader.integer(4);
  reader.bytes(4 + 1 + 23);
  const has = (flag: number): boolean => Math.floor(capabilities / flag) % 2 === 1;
  const user = reader.zeroText();
  const size = has(lengthAuth) ? (reader.length() ?? 0) : reader.integer(1);
  const proof = reader.bytes(size);
  const database = has(connectWithDatabase) ? reader.zeroText() : '';
  const plugin = has(pluginAuth) ? reader.zeroText() : 'mysql_native_password';
  const pairs = new Map<string, string>();
  if (has(attributes) && !reader.ended) {
    const total = reader.length() ?? 0;
    const inner = new PayloadReader(reader.bytes(total));
    while (!inner.ended) pairs.set(inner.lengthText() ?? '', inner.lengthText() ?? '');
  }
  return { capabilities, user, proof, database: database === '' ? undefined : database, plugin, attributes: pairs };
}

export const encodeOk = (ok: { affected: number; insertId: number; warnings: number; info: string }, header = 0): Uint8Array =>
  new PayloadWriter().integer(header, 1).length(ok.affected).length(ok.insertId).integer(AUTOCOMMIT, 2).integer(ok.warnings, 2).text(ok.info).done();

export const encodeEof = (warnings: number): Uint8Array => new PayloadWriter().integer(0xfe, 1).integer(warnings, 2).integer(AUTOCOMMIT, 2).done();

export const encodeError = ([number, state, message]: readonly [number, string, string]): Uint8Array =>
  new PayloadWriter().integer(0xff, 1).integer(number, 2).text(`#${state}${message}`).done();

export interface ColumnPacket {
  title: string;
  type: number;
  decimals: number;
}

const NUMBER_FLAG = 0x8000;

export const encodeColumn = ({ title, type, decimals }: ColumnPacket): Uint8Array =>
  new PayloadWriter()
    .lengthText('def')
    .lengthText('')
    .lengthText('')
    .lengthText('')
    .lengthText(title)
    .lengthText('')
    .integer(12, 1)
    .integer(isNumberType(type) ? 63 : UTF8MB4, 2)
    .integer(1024, 4)
    .integer(type, 1)
    .integer(isNumberType(type) ? NUMBER_FLAG : 0, 2)
    .integer(decimals, 1)
    .integer(0, 2)
    .done();

export function decodeColumn(payload: Uint8Array): ColumnPacket {
  const reader = new PayloadReader(payload);
  for (let i = 0; i < 4; i++) reader.lengthText();
  const title = reader.lengthText() ?? '';
  reader.lengthText();
  reader.bytes(1 + 2 + 4);
  const type = reader.integer(1);
  reader.bytes(2);
  return { title, type, decimals: reader.integer(1) };
}

/** Whether the client aligns the column to the right. */
export const isNumberType = (type: number): boolean => (type <= 9 && type !== 7) || type === 13 || type === 246;

export const TYPE_CODES = { null: 6, int: 8, decimal: 246, double: 5, date: 10, time: 11, datetime: 12, string: 253 } as const;

export function encodeRow(cells: readonly (string | null)[]): Uint8Array {
  const writer = new PayloadWriter();
  for (const cell of cells) {
    if (cell === null) writer.integer(251, 1);
    else writer.lengthText(cell);
  }
  return writer.done();
}

export function decodeRow(payload: Uint8Array): (string | null)[] {
  const reader = new PayloadReader(payload);
  const cells: (string | null)[] = [];
  while (!reader.ended) cells.push(reader.lengthText());
  return cells;
}

export function decodeError(payload: Uint8Array): [number, string, string] {
  const reader = new PayloadReader(payload);
  reader.integer(1);
  const number = reader.integer(2);
  const text = reader.text();
  return text.startsWith('#') ? [number, text.slice(1, 6), text.slice(6)] : [number, 'HY000', text];
}
