import { formatFloat } from '../shell/print-format.ts';
import { type Applet, byteText, Failure, getopt, parseNumber, program, SIZE_SUFFIXES } from './applet.ts';

/** base64, od, hexdump: bytes as text. */

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

async function base64(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'dw:i', { decode: 'd', wrap: 'w' });
  const file = await applet.tryOpen(options.rest[0] ?? '-', (name, why) => `${name}: ${why}`);
  if (!file) return;
  if (options.has('d')) {
    let held = '';
    for await (const chunk of applet.chunks(file)) {
      held += byteText(chunk).replace(/[^A-Za-z0-9+/=]/g, '');
      const whole = held.length - (held.length % 4);
      await applet.put(decodeBase64(held.slice(0, whole)));
      held = held.slice(whole);
    }
    if (held !== '') throw new Failure('truncated input');
    return;
  }
  const width = Number(options.get('w') ?? 76);
  /** Bytes that make no whole group yet, and how far the line is filled. */
  let held = '';
  let column = 0;
  const show = async (text: string): Promise<void> => {
    if (width <= 0) {
      await applet.put(text);
      return;
    }
    for (let at = 0; at < text.length; ) {
      const piece = text.slice(at, at + width - column);
      at += piece.length;
      column += piece.length;
      await applet.put(column === width ? `${piece}\n` : piece);
      if (column === width) column = 0;
    }
  };
  for await (const chunk of applet.chunks(file)) {
    held += byteText(chunk);
    const whole = held.length - (held.length % 3);
    await show(btoa(held.slice(0, whole)));
    held = held.slice(whole);
  }
  await show(btoa(held));
  if (column > 0) await applet.put('\n');
}

/** Whole groups of four; stops behind padding. */
function decodeBase64(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; at += 4) {
    const values = [...text.slice(at, at + 4)].map((char) => BASE64.indexOf(char));
    const [a = 0, b = 0, c = 0, d = 0] = values.map((value) => Math.max(0, value));
    const bits = (a << 18) | (b << 12) | (c << 6) | d;
    out += String.fromCharCode((bits >> 16) & 255, (bits >> 8) & 255, bits & 255).slice(0, 3 - values.filter((value) => value < 0).length);
  }
  return out;
}

/** A row's worth of bytes. */
type Row = Uint8Array;

/** The bytes of all files one after another, in rows; at most `limit` behind the first `skip`. */
async function* rows(applet: Applet, paths: readonly string[], width: number, skip: number, limit: number): AsyncGenerator<Row> {
  let at = 0;
  let row = new Uint8Array(width);
  let filled = 0;
  for (const path of paths.length > 0 ? paths : ['-']) {
    if (at >= skip + limit) break;
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (!file) continue;
    for await (const chunk of applet.chunks(file)) {
      for (const byte of chunk.subarray(Math.max(0, skip - at), Math.max(0, skip + limit - at))) {
        row[filled++] = byte;
        if (filled < width) continue;
        yield row;
        row = new Uint8Array(width);
        filled = 0;
      }
      at += chunk.length;
      if (file.kind !== 'file') await applet.flush();
      if (at >= skip + limit) break;
    }
  }
  if (filled > 0) yield row.subarray(0, filled);
}

const CHARACTERS: Readonly<Record<number, string>> = { 0: '\\0', 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r' };
const ASCII_NAMES = 'nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp'.split(' ');
const character = (byte: number): string => CHARACTERS[byte] ?? (byte < 32 || byte > 126 ? byte.toString(8).padStart(3, '0') : String.fromCharCode(byte));

/** One way of showing bytes: how many make a cell, and the cell with the blanks before it. */
interface CellFormat {
  size: number;
  cell(bytes: Uint8Array): string;
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
}

const WIDTHS: Readonly<Record<string, readonly number[]>> = { o: [4, 7, 12, 23], d: [5, 7, 12, 21], u: [4, 6, 11, 21], x: [3, 5, 9, 17] };

/** od's types: a, c, and d, o, u, x, f with a size. */
function odFormat(type: string, size: number): CellFormat {
  if (type === 'a')
    return { size: 1, cell: ([byte = 0]) => ((byte & 127) === 127 ? 'del' : (ASCII_NAMES[byte & 127] ?? String.fromCharCode(byte & 127))).padStart(4) };
  if (type === 'c') return { size: 1, cell: ([byte = 0]) => character(byte).padStart(4) };
  if (type === 'f') {
    return {
      size,
      cell: (bytes) => {
        const view = new DataView(Uint8Array.from(bytes).buffer);
        const value = size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
        return formatFloat(Math.abs(value), 'e', size === 4 ? 7 : 14)
          .replace(/^/, value < 0 ? '-' : '')
          .padStart(size === 4 ? 16 : 22);
      },
    };
  }
  const width = WIDTHS[type]?.[Math.log2(size)] as number;
  return {
    size,
    cell: (bytes) => {
      const value = littleEndian(bytes);
      if (type === 'd')
        return BigInt.asIntN(size * 8, value)
          .toString()
          .padStart(width);
      if (type === 'u') return value.toString().padStart(width);
      return ` ${value.toString(type === 'o' ? 8 : 16).padStart(width - 1, '0')}`;
    },
  };
}

const OD_LETTERS: Readonly<Record<string, [string, number]>> = {
  a: ['a', 1],
  b: ['o', 1],
  c: ['c', 1],
  d: ['u', 2],
  f: ['f', 4],
  h: ['x', 2],
  i: ['d', 2],
  l: ['d', 4],
  o: ['o', 2],
  x: ['x', 2],
  s: ['d', 2],
};

function odTypes(text: string): CellFormat[] {
  const formats: CellFormat[] = [];
  for (let rest = text; rest !== ''; ) {
    const match = /^([acdoufx])(\d+|[CSILFDL])?/.exec(rest);
    if (!match) throw new Failure(`invalid character '${rest[0]}' in type string '${text}'`);
    const [whole, type = '', sizeText = ''] = match;
    const size = sizeText === '' ? (type === 'f' ? 8 : 4) : ({ C: 1, S: 2, I: 4, L: 8, F: 4, D: 8 }[sizeText] ?? Number(sizeText));
    if (type !== 'a' && type !== 'c' && ![1, 2, 4, 8].includes(size))
      throw new Failure(`invalid type string '${text}'; ${size}-byte integral type is not supported`);
    formats.push(odFormat(type, size));
    rest = rest.slice(whole.length);
  }
  return formats;
}

async function od(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'A:N:abcdfhij:lot:vxsS:w::');
  const given = (letter: string): CellFormat[] => (options.has(letter) ? [odFormat(...(OD_LETTERS[letter] as [string, number]))] : []);
  const formats = [...[...'abcdfhilo'].flatMap(given), ...options.all('t').flatMap(odTypes), ...[...'xs'].flatMap(given)];
  if (formats.length === 0) formats.push(odFormat('o', 2));
  const width = options.has('w') ? Number(options.get('w') ?? 32) : 16;
  const skip = parseNumber(options.get('j') ?? '0', SIZE_SUFFIXES);
  const limit = options.has('N') ? parseNumber(options.get('N') as string, SIZE_SUFFIXES) : Number.POSITIVE_INFINITY;
  const radix = options.get('A') ?? 'o';
  const address = (at: number): string => (radix === 'n' ? '' : at.toString(radix === 'o' ? 8 : radix === 'd' ? 10 : 16).padStart(radix === 'x' ? 6 : 7, '0'));
  const widest = Math.max(...formats.map(({ size }) => size));
  const indent = ' '.repeat(address(0).length);
  await dump(applet, rows(applet, options.rest, width, skip, limit), !options.has('v'), (row, at) =>
    formats.map(({ size, cell }, i) => {
      let text = i === 0 ? address(skip + at) : indent;
      // A last row is filled with zeros for the widest.
      for (let from = 0; from < Math.ceil(row.length / widest) * widest; from += size) {
        const part = new Uint8Array(size);
        part.set(row.subarray(from, from + size));
        text += cell(part);
      }
      return text;
    }),
  ).then((end) => (radix === 'n' ? undefined : applet.put(`${address(skip + end)}\n`)));
}

/** Shows rows, one "*" for all that are like the one before; gives how many bytes there were. */
async function dump(applet: Applet, source: AsyncGenerator<Row>, squeeze: boolean, show: (row: Uint8Array, at: number) => string[]): Promise<number> {
  let at = 0;
  let previous: string | undefined;
  let starred = false;
  for await (const bytes of source) {
    const text = byteText(bytes);
    if (squeeze && text === previous) {
      if (!starred) await applet.put('*\n');
      starred = true;
    } else {
      starred = false;
      previous = text;
      for (const line of show(bytes, at)) await applet.put(`${line}\n`);
    }
    at += bytes.length;
  }
  return at;
}

/** hexdump's letters: bytes in a cell, blanks before it, digits, base. */
const HEXDUMP: Readonly<Record<string, [size: number, width: number, base: number]>> = { b: [1, 3, 8], d: [2, 5, 10], o: [2, 6, 8], x: [2, 4, 16] };
const HEXDUMP_CELL: Readonly<Record<string, number>> = { b: 4, c: 4, d: 8, o: 8, x: 8, default: 5 };

async function hexdump(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'bcdoxCe:f:n:s:v');
  const letters = applet.name === 'hd' ? ['C'] : options.order.map(({ letter }) => letter).filter((letter) => /[bcdoxC]/.test(letter));
  if (letters.length === 0) letters.push('default');
  const skip = parseNumber(options.get('s') ?? '0', SIZE_SUFFIXES);
  const limit = options.has('n') ? parseNumber(options.get('n') as string, SIZE_SUFFIXES) : Number.POSITIVE_INFINITY;
  const address = (at: number, letter: string): string => (skip + at).toString(16).padStart(letter === 'C' ? 8 : 7, '0');
  const showRow = (row: Uint8Array, at: number, letter: string): string => {
    if (letter === 'C') {
      const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0'));
      const plain = byteText(row).replace(/[^\x20-\x7e]/g, '.');
      return `${address(at, letter)}  ${hex.slice(0, 8).join(' ').padEnd(23)}  ${hex.slice(8).join(' ').padEnd(23)}  |${plain}|`;
    }
    const width = HEXDUMP_CELL[letter] as number;
    const [size, digits, base] = HEXDUMP[letter] ?? (letter === 'c' ? [1, 3, 0] : [2, 4, 16]);
    let text = '';
    for (let from = 0; from < row.length; from += size) {
      const value = (row[from] as number) + (size === 2 ? (row[from + 1] ?? 0) * 256 : 0);
      text += (base === 0 ? character(value) : value.toString(base).padStart(digits, '0')).padStart(width);
    }
    return address(at, letter) + text.padEnd((16 / size) * width);
  };
  const end = await dump(applet, rows(applet, options.rest, 16, skip, limit), !options.has('v'), (row, at) =>
    letters.map((letter) => showRow(row, at, letter)),
  );
  if (end > 0) await applet.put(`${address(end, letters.at(-1) as string)}\n`);
}

async function xxd(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'pril:n:s:o:g:c:u');
  if (options.has('r')) {
    const file = await applet.tryOpen(options.rest[0] ?? '-');
    if (!file) return;
    for await (const { text } of applet.lines(file)) {
      const hex = (options.has('p') ? text : text.replace(/^\s*[0-9a-fA-F]+:?/, '').replace(/ {2}.*/, '')).replace(/\s/g, '');
      await applet.put((hex.match(/^([0-9a-fA-F]{2})*/)?.[0] ?? '').replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16))));
    }
    return;
  }
  if (options.has('i')) throw new Failure('-i is not simulated yet');
  const width = Number(options.get('c') ?? (options.has('p') ? 30 : 16));
  const group = Number(options.get('g') ?? 2) || width;
  const skip = parseNumber(options.get('s') ?? '0', SIZE_SUFFIXES);
  const wanted = options.get('l') ?? options.get('n');
  const cells = (row: Uint8Array): string => [...row].map((byte, i) => byte.toString(16).padStart(2, '0') + ((i + 1) % group === 0 ? ' ' : '')).join('');
  const shown = width * 2 + Math.floor(width / group);
  const offset = skip + parseNumber(options.get('o') ?? '0', SIZE_SUFFIXES);
  await dump(
    applet,
    rows(applet, options.rest, width, skip, wanted === undefined ? Number.POSITIVE_INFINITY : parseNumber(wanted, SIZE_SUFFIXES)),
    false,
    (row, at) => {
      if (options.has('p')) return [[...row].map((byte) => byte.toString(16).padStart(2, '0')).join('')];
      const plain = byteText(row).replace(/[^\x20-\x7e]/g, '.');
      return [`${(offset + at).toString(16).padStart(8, '0')}: ${cells(row).padEnd(shown)}${width % group === 0 ? ' ' : '  '}${plain}`];
    },
  );
}

export const dumpApplets = {
  base64: program('[-d] [-w COL] [FILE]', base64),
  od: program('[-abcdfhilovxs] [-t TYPE] [-A RADIX] [-N SIZE] [-j SKIP] [-S MINSTR] [-w WIDTH] [FILE]...', od),
  hexdump: program('[-bcdoxCv] [-e FMT] [-f FMT_FILE] [-n LEN] [-s OFS] [FILE]...', hexdump),
  hd: program('FILE...', hexdump),
  xxd: program('[-pri] [-g N] [-c N] [-l LEN] [-s OFS] [-o OFS] [FILE]', xxd),
};
