import { Errno } from '../unix/types.ts';
import { type Applet, getopt, program } from './applet.ts';

/** md5sum, sha1sum, sha256sum, sha512sum over streams of bytes. */
export interface Digest {
  update(chunk: Uint8Array): void;
  /** Lower-case hexadecimal. */
  finish(): string;
}

const rotateLeft = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
const rotateRight = (value: number, bits: number): number => (value >>> bits) | (value << (32 - bits));

/** Cuts a stream into blocks and pads its end (Merkle and Damgård). */
function blocks(size: number, littleEndian: boolean, compress: (view: DataView) => void, result: () => string): Digest {
  const buffer = new Uint8Array(size);
  const view = new DataView(buffer.buffer);
  let filled = 0;
  let length = 0;
  const feed = (chunk: Uint8Array): void => {
    for (let at = 0; at < chunk.length; ) {
      const take = Math.min(size - filled, chunk.length - at);
      buffer.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled === size) {
        compress(view);
        filled = 0;
      }
    }
  };
  return {
    update(chunk) {
      length += chunk.length;
      feed(chunk);
    },
    finish() {
      const bits = length * 8;
      const tail = size / 8;
      feed(Uint8Array.of(0x80));
      feed(new Uint8Array((size - tail - filled + size) % size));
      const end = new DataView(new ArrayBuffer(tail));
      if (littleEndian) {
        end.setUint32(0, bits >>> 0, true);
        end.setUint32(4, Math.floor(bits / 0x1_0000_0000), true);
      } else {
        end.setUint32(tail - 8, Math.floor(bits / 0x1_0000_0000));
        end.setUint32(tail - 4, bits >>> 0);
      }
      feed(new Uint8Array(end.buffer));
      return result();
    },
  };
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

function md5(): Digest {
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const table = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 0x1_0000_0000) | 0);
  return blocks(
    64,
    true,
    (view) => {
      let [a = 0, b = 0, c = 0, d = 0] = state;
      for (let i = 0; i < 64; i++) {
        const round = i >> 4;
        const mixed = round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d);
        const word = view.getUint32(((round === 0 ? i : round === 1 ? 5 * i + 1 : round === 2 ? 3 * i + 5 : 7 * i) % 16) * 4, true);
        const next = (b + rotateLeft((a + mixed + (table[i] as number) + word) | 0, shifts[round * 4 + (i % 4)] as number)) | 0;
        [a, b, c, d] = [d, next, b, c];
      }
      for (const [i, value] of [a, b, c, d].entries()) state[i] = ((state[i] as number) + value) | 0;
    },
    () => state.map((value) => hex(value).match(/../g)?.reverse().join('')).join(''),
  );
}

function sha1(): Digest {
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  return blocks(
    64,
    false,
    (view) => {
      const words = Array.from({ length: 16 }, (_, i) => view.getUint32(i * 4) | 0);
      for (let i = 16; i < 80; i++)
        words.push(rotateLeft((words[i - 3] as number) ^ (words[i - 8] as number) ^ (words[i - 14] as number) ^ (words[i - 16] as number), 1));
      let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
      for (let i = 0; i < 80; i++) {
        const [mixed, constant] =
          i < 20
            ? [(b & c) | (~b & d), 0x5a827999]
            : i < 40
              ? [b ^ c ^ d, 0x6ed9eba1]
              : i < 60
                ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc]
                : [b ^ c ^ d, 0xca62c1d6];
        [a, b, c, d, e] = [(rotateLeft(a, 5) + mixed + e + constant + (words[i] as number)) | 0, a, rotateLeft(b, 30), c, d];
      }
      for (const [i, value] of [a, b, c, d, e].entries()) state[i] = ((state[i] as number) + value) | 0;
    },
    () => state.map(hex).join(''),
  );
}

/** First bits of the fractional parts of the square or cube roots of the first primes, as SHA-2 takes its constants. */
const known = new Map<string, readonly bigint[]>();

function rootBits(count: number, root: 2 | 3, bits: bigint): bigint[] {
  const name = `${count} ${root} ${bits}`;
  const found = known.get(name) ?? computeRootBits(count, root, bits);
  known.set(name, found);
  return [...found];
}

function computeRootBits(count: number, root: 2 | 3, bits: bigint): bigint[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map((prime) => {
    // Integer root of prime * 2^(root * bits), by Newton's method.
    const target = BigInt(prime) << (BigInt(root) * bits);
    let x = 1n << (bits + 6n);
    for (;;) {
      const next = root === 2 ? (x + target / x) / 2n : (2n * x + target / (x * x)) / 3n;
      if (next >= x) break;
      x = next;
    }
    return x & ((1n << bits) - 1n);
  });
}

function sha256(): Digest {
  const constants = rootBits(64, 3, 32n).map((value) => Number(value) | 0);
  const state = rootBits(8, 2, 32n).map((value) => Number(value) | 0);
  return blocks(
    64,
    false,
    (view) => {
      const words = Array.from({ length: 16 }, (_, i) => view.getUint32(i * 4) | 0);
      for (let i = 16; i < 64; i++) {
        const [x, y] = [words[i - 15] as number, words[i - 2] as number];
        const s0 = rotateRight(x, 7) ^ rotateRight(x, 18) ^ (x >>> 3);
        const s1 = rotateRight(y, 17) ^ rotateRight(y, 19) ^ (y >>> 10);
        words.push(((words[i - 16] as number) + s0 + (words[i - 7] as number) + s1) | 0);
      }
      let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
      for (let i = 0; i < 64; i++) {
        const t1 =
          (h + (rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25)) + ((e & f) ^ (~e & g)) + (constants[i] as number) + (words[i] as number)) | 0;
        const t2 = ((rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        [a, b, c, d, e, f, g, h] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
      }
      for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = ((state[i] as number) + value) | 0;
    },
    () => state.map(hex).join(''),
  );
}

function sha512(): Digest {
  const mask = (1n << 64n) - 1n;
  const rotate = (value: bigint, bits: bigint): bigint => ((value >> bits) | (value << (64n - bits))) & mask;
  const constants = rootBits(80, 3, 64n);
  const state = rootBits(8, 2, 64n);
  return blocks(
    128,
    false,
    (view) => {
      const words = Array.from({ length: 16 }, (_, i) => view.getBigUint64(i * 8));
      for (let i = 16; i < 80; i++) {
        const [x, y] = [words[i - 15] as bigint, words[i - 2] as bigint];
        const s0 = rotate(x, 1n) ^ rotate(x, 8n) ^ (x >> 7n);
        const s1 = rotate(y, 19n) ^ rotate(y, 61n) ^ (y >> 6n);
        words.push(((words[i - 16] as bigint) + s0 + (words[i - 7] as bigint) + s1) & mask);
      }
      let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state;
      for (let i = 0; i < 80; i++) {
        const t1 =
          (h + (rotate(e, 14n) ^ rotate(e, 18n) ^ rotate(e, 41n)) + ((e & f) ^ (~e & mask & g)) + (constants[i] as bigint) + (words[i] as bigint)) & mask;
        const t2 = ((rotate(a, 28n) ^ rotate(a, 34n) ^ rotate(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c))) & mask;
        [a, b, c, d, e, f, g, h] = [(t1 + t2) & mask, a, b, c, (d + t1) & mask, e, f, g];
      }
      for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = ((state[i] as bigint) + value) & mask;
    },
    () => state.map((value) => value.toString(16).padStart(16, '0')).join(''),
  );
}

export const DIGESTS = { md5sum: md5, sha1sum: sha1, sha256sum: sha256, sha512sum: sha512 } as const;

async function sum(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'cswb');
  const create = DIGESTS[applet.name as keyof typeof DIGESTS] ?? md5;
  const digestOf = async (path: string): Promise<string | undefined> => {
    const file = await applet.tryOpen(path);
    if (!file) return undefined;
    const digest = create();
    try {
      for await (const chunk of applet.chunks(file)) digest.update(chunk);
    } catch (error) {
      if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
      await applet.complain(`can't read '${path}': ${error.message}`);
      return undefined;
    }
    return digest.finish();
  };
  const paths = options.rest.length > 0 ? options.rest : ['-'];
  if (!options.has('c')) {
    for (const path of paths) {
      const value = await digestOf(path);
      if (value !== undefined) await applet.put(`${value}  ${path}\n`);
    }
    return;
  }
  let total = 0;
  let failed = 0;
  for (const list of paths) {
    for await (const { text } of applet.lines(applet.open(list))) {
      const match = /^([0-9a-fA-F]+)[ ][ *](.+)$/.exec(text);
      if (!match) {
        if (options.has('w')) await applet.complain(`invalid format`);
        failed++;
        applet.code = 1;
        continue;
      }
      total++;
      const value = await digestOf(match[2] as string);
      const good = value === (match[1] as string).toLowerCase();
      if (!good) {
        failed++;
        applet.code = 1;
      }
      if (!options.has('s')) await applet.put(`${match[2]}: ${good ? 'OK' : 'FAILED'}\n`);
    }
  }
  if (failed > 0 && !options.has('s')) await applet.complain(`WARNING: ${failed} of ${total} computed checksums did NOT match`);
}

export const sumApplets = Object.fromEntries(Object.keys(DIGESTS).map((name) => [name, program('[-c[sw]] [FILE]...', sum)]));
