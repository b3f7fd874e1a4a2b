import { formatIPv6, parseIPv6 } from '../network/address.ts';

/**
 * DNS messages on the wire (RFC 1035, 2782, 3596, 6891) as miekg/dns packs them. Our own codec instead of dns-packet, which needs
 * Node's Buffer and weighs twice as much (tests use it as judge). Names are text with a trailing dot; odd bytes are \DDD.
 */
export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, IXFR: 251, AXFR: 252, ANY: 255 } as const;
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;
export const CLASS_IN = 1;

export interface Question {
  name: string;
  type: number;
  class: number;
}

export type RecordData =
  | { address: string }
  | { target: string }
  | { priority: number; weight: number; port: number; target: string }
  | { preference: number; target: string }
  | { primary: string; mailbox: string; serial: number; refresh: number; retry: number; expire: number; minimum: number }
  | { texts: readonly string[] }
  | { raw: Uint8Array };

export interface ResourceRecord {
  name: string;
  type: number;
  class: number;
  ttl: number;
  data: RecordData;
}

/** The OPT pseudo-record. */
export interface Edns {
  udpSize: number;
  version: number;
  dnssecOk: boolean;
  options: readonly { code: number; data: Uint8Array }[];
}

export interface DnsMessage {
  id: number;
  response: boolean;
  opcode: number;
  authoritative: boolean;
  truncated: boolean;
  recursionDesired: boolean;
  recursionAvailable: boolean;
  authenticData: boolean;
  checkingDisabled: boolean;
  rcode: number;
  questions: readonly Question[];
  answers: readonly ResourceRecord[];
  authorities: readonly ResourceRecord[];
  additionals: readonly ResourceRecord[];
  edns?: Edns;
}

/** A packet that is no DNS message: too short, a name that loops, a section that runs over the end. */
export class MalformedMessage extends Error {}

const MAX_NAME_BYTES = 255;
class Reader {
  readonly bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  u8(): number {
    const value = this.bytes[this.offset++];
    if (value === undefined) throw new MalformedMessage('overflow');
    return value;
  }
  u16(): number {
    return this.u8() * 256 + this.u8();
  }
  u32(): number {
    return this.u16() * 65536 + this.u16();
  }
  take(length: number): Uint8Array {
    if (this.offset + length > this.bytes.length) throw new MalformedMessage('overflow');
    this.offset += length;
    return this.bytes.slice(this.offset - length, this.offset);
  }

  name(): string {
    let out = '';
    let length = 0;
    let at = this.offset;
    let end: number | undefined;
    for (let jumps = 0; ; ) {
      const size = this.bytes[at];
      if (size === undefined) throw new MalformedMessage('overflow');
      if (size === 0) {
        this.offset = end ?? at + 1;
        return out === '' ? '.' : out;
      }
      if ((size & 0xc0) === 0xc0) {
        const low = this.bytes[at + 1];
        if (low === undefined || ++jumps > 126) throw new MalformedMessage('bad compression pointer');
        end ??= at + 2;
        at = (size & 0x3f) * 256 + low;
        continue;
      }
      if (size > 63) throw new MalformedMessage('bad label');
      length += size + 1;
      if (at + 1 + size > this.bytes.length || length >= MAX_NAME_BYTES) throw new MalformedMessage('bad name');
      for (let i = at + 1; i <= at + size; i++) out += escapeByte(this.bytes[i] as number);
      out += '.';
      at += size + 1;
    }
  }
}

function escapeByte(byte: number): string {
  if (byte === 0x2e || byte === 0x5c || byte <= 0x20 || byte >= 0x7f) return `\\${String(byte).padStart(3, '0')}`;
  return String.fromCharCode(byte);
}

/** Labels of a presentation name, as bytes. */
function labelBytes(name: string): number[][] {
  const labels: number[][] = [];
  let label: number[] = [];
  for (let i = 0; i < name.length; i++) {
    const char = name[i] as string;
    if (char === '\\' && /^\d{3}$/.test(name.slice(i + 1, i + 4))) {
      label.push(Number(name.slice(i + 1, i + 4)) & 0xff);
      i += 3;
    } else if (char === '.') {
      if (label.length > 0) labels.push(label);
      label = [];
    } else label.push(char.charCodeAt(0) & 0xff);
  }
  if (label.length > 0) labels.push(label);
  return labels;
}

class Writer {
  bytes: number[] = [];
  #names = new Map<string, number>();

  u8(value: number): void {
    this.bytes.push(value & 0xff);
  }
  u16(value: number): void {
    this.bytes.push((value >>> 8) & 0xff, value & 0xff);
  }
  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }
  raw(data: Uint8Array): void {
    for (const byte of data) this.bytes.push(byte);
  }
  name(name: string, compress = true): void {
    const labels = labelBytes(name);
    for (let i = 0; i < labels.length; i++) {
      const rest = labels
        .slice(i)
        .map((label) => String.fromCharCode(...label))
        .join('.');
      const known = this.#names.get(rest);
      if (compress && known !== undefined) {
        this.u16(0xc000 | known);
        return;
      }
      if (this.bytes.length < 0x3fff && known === undefined) this.#names.set(rest, this.bytes.length);
      const label = labels[i] as number[];
      this.u8(label.length);
      this.bytes.push(...label);
    }
    this.u8(0);
  }
  /** Two bytes of length before what `write` writes. */
  sized(write: () => void): void {
    const at = this.bytes.length;
    this.u16(0);
    write();
    const size = this.bytes.length - at - 2;
    this.bytes[at] = size >>> 8;
    this.bytes[at + 1] = size & 0xff;
  }
}

/** Reads a packet. Throws MalformedMessage, never anything else, whatever the bytes are. */
export function decodeMessage(packet: Uint8Array): DnsMessage {
  const reader = new Reader(packet);
  const id = reader.u16();
  const flags = reader.u16();
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()] as const;
  const questions: Question[] = [];
  for (let i = 0; i < counts[0]; i++) questions.push({ name: reader.name(), type: reader.u16(), class: reader.u16() });
  let edns: Edns | undefined;
  const section = (count: number): ResourceRecord[] => {
    const records: ResourceRecord[] = [];
    for (let i = 0; i < count; i++) {
      const record = readRecord(reader);
      if ('edns' in record) edns ??= record.edns;
      else records.push(record);
    }
    return records;
  };
  const answers = section(counts[1]);
  const authorities = section(counts[2]);
  const additionals = section(counts[3]);
  return {
    id,
    response: (flags & 0x8000) !== 0,
    opcode: (flags >>> 11) & 15,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    rcode: flags & 15,
    questions,
    answers,
    authorities,
    additionals,
    ...(edns ? { edns } : {}),
  };
}

function readRecord(reader: Reader): ResourceRecord | { edns: Edns } {
  const name = reader.name();
  const type = reader.u16();
  const recordClass = reader.u16();
  const ttl = reader.u32();
  const length = reader.u16();
  const end = reader.offset + length;
  if (end > reader.bytes.length) throw new MalformedMessage('overflow');
  if (type === TYPE.OPT) {
    const options: { code: number; data: Uint8Array }[] = [];
    while (reader.offset + 4 <= end) {
      const code = reader.u16();
      const size = reader.u16();
      if (reader.offset + size > end) throw new MalformedMessage('bad option');
      options.push({ code, data: reader.take(size) });
    }
    reader.offset = end;
    return { edns: { udpSize: recordClass, version: (ttl >>> 16) & 0xff, dnssecOk: (ttl & 0x8000) !== 0, options } };
  }
  const data = readData(reader, type, length);
  if (reader.offset !== end) throw new MalformedMessage('bad rdata');
  return { name, type, class: recordClass, ttl, data };
}

function readData(reader: Reader, type: number, length: number): RecordData {
  const end = reader.offset + length;
  switch (type) {
    case TYPE.A:
      if (length !== 4) throw new MalformedMessage('bad address');
      return { address: [...reader.take(4)].join('.') };
    case TYPE.AAAA:
      if (length !== 16) throw new MalformedMessage('bad address');
      return { address: formatIPv6(reader.take(16)) };
    case TYPE.NS:
    case TYPE.CNAME:
    case TYPE.PTR:
      return { target: reader.name() };
    case TYPE.MX:
      return { preference: reader.u16(), target: reader.name() };
    case TYPE.SRV:
      return { priority: reader.u16(), weight: reader.u16(), port: reader.u16(), target: reader.name() };
    case TYPE.SOA:
      return {
        primary: reader.name(),
        mailbox: reader.name(),
        serial: reader.u32(),
        refresh: reader.u32(),
        retry: reader.u32(),
        expire: reader.u32(),
        minimum: reader.u32(),
      };
    case TYPE.TXT: {
      const texts: string[] = [];
      while (reader.offset < end) texts.push(String.fromCharCode(...reader.take(reader.u8())));
      return { texts };
    }
    default:
      return { raw: reader.take(length) };
  }
}

/** Writes a packet with compressed names (not inside SRV, as RFC 2782 wants). */
export function encodeMessage(message: DnsMessage): Uint8Array {
  const writer = new Writer();
  writer.u16(message.id);
  writer.u16(
    (message.response ? 0x8000 : 0) |
      (message.opcode << 11) |
      (message.authoritative ? 0x0400 : 0) |
      (message.truncated ? 0x0200 : 0) |
      (message.recursionDesired ? 0x0100 : 0) |
      (message.recursionAvailable ? 0x0080 : 0) |
      (message.authenticData ? 0x0020 : 0) |
      (message.checkingDisabled ? 0x0010 : 0) |
      (message.rcode & 15),
  );
  writer.u16(message.questions.length);
  writer.u16(message.answers.length);
  writer.u16(message.authorities.length);
  writer.u16(message.additionals.length + (message.edns ? 1 : 0));
  for (const question of message.questions) {
    writer.name(question.name);
    writer.u16(question.type);
    writer.u16(question.class);
  }
  for (const record of [...message.answers, ...message.authorities, ...message.additionals]) writeRecord(writer, record);
  if (message.edns) {
    const { udpSize, version, dnssecOk, options } = message.edns;
    writer.u8(0);
    writer.u16(TYPE.OPT);
    writer.u16(udpSize);
    writer.u8(message.rcode >>> 4);
    writer.u8(version);
    writer.u16(dnssecOk ? 0x8000 : 0);
    writer.sized(() => {
      for (const option of options) {
        writer.u16(option.code);
        writer.u16(option.data.length);
        writer.raw(option.data);
      }
    });
  }
  return Uint8Array.from(writer.bytes);
}

function writeRecord(writer: Writer, record: ResourceRecord): void {
  writer.name(record.name);
  writer.u16(record.type);
  writer.u16(record.class);
  writer.u32(record.ttl);
  writer.sized(() => {
    const data = record.data;
    if ('raw' in data) writer.raw(data.raw);
    else if ('address' in data) writer.raw(record.type === TYPE.A ? Uint8Array.from(data.address.split('.').map(Number)) : parseIPv6(data.address));
    else if ('weight' in data) {
      writer.u16(data.priority);
      writer.u16(data.weight);
      writer.u16(data.port);
      writer.name(data.target, false);
    } else if ('preference' in data) {
      writer.u16(data.preference);
      writer.name(data.target);
    } else if ('target' in data) writer.name(data.target);
    else if ('primary' in data) {
      writer.name(data.primary);
      writer.name(data.mailbox);
      for (const value of [data.serial, data.refresh, data.retry, data.expire, data.minimum]) writer.u32(value);
    } else {
      for (const text of data.texts) {
        writer.u8(Math.min(255, text.length));
        for (let i = 0; i < Math.min(255, text.length); i++) writer.u8(text.charCodeAt(i));
      }
    }
  });
}

/** A question as resolvers send it. */
export function createQuery(id: number, name: string, type: number): DnsMessage {
  const fqdn = name.endsWith('.') ? name : `${name}.`;
  return { ...EMPTY, id, recursionDesired: true, questions: [{ name: fqdn, type, class: CLASS_IN }] };
}

/** An answer to `query` without records yet (miekg's SetReply). */
export function replyTo(query: DnsMessage, rcode: number = RCODE.NOERROR): DnsMessage {
  return {
    ...EMPTY,
    id: query.id,
    response: true,
    opcode: query.opcode,
    recursionDesired: query.opcode === 0 && query.recursionDesired,
    checkingDisabled: query.opcode === 0 && query.checkingDisabled,
    rcode,
    questions: query.questions.slice(0, 1),
  };
}

const EMPTY: DnsMessage = {
  id: 0,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: RCODE.NOERROR,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};
