import { ZEROS } from '../unix/file-content.ts';
import { encodeWithBytes } from '../unix/index.ts';
import { RegexError } from '../unix/regex-error.ts';
import { Errno, type OpenFile, type Process, type Program } from '../unix/types.ts';

/**
 * BusyBox's applets. Containers run without a locale, so text is bytes: inside applets a string holds one byte per
 * character ("byte text"), and only names of files and environment variables are turned back into real text.
 */
export const BANNER = 'BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.';

/** Real text → one character per UTF-8 byte. */
export function toByteText(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return byteText(encodeWithBytes(text));
}

/** One character per UTF-8 byte → real text. */
export function fromByteText(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return new TextDecoder().decode(bytesOf(text));
}

const ZERO_TEXT = '\0'.repeat(ZEROS.length);

export function byteText(bytes: Uint8Array): string {
  // Whoever reads /dev/zero without end should at least not take much.
  if (bytes.buffer === ZEROS.buffer) return ZERO_TEXT.slice(0, bytes.length);
  let out = '';
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return out;
}

export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Ends an applet with "NAME: message" on stderr. */
export class Failure extends Error {
  readonly code: number;
  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

/** Ends an applet with its usage on stderr; `complaint` comes first ("invalid option -- 'z'"). */
export class UsageError extends Error {
  readonly complaint: string | undefined;
  constructor(complaint?: string) {
    super(complaint ?? 'usage');
    this.complaint = complaint;
  }
}

const LINE_CPU_MS = 0.001;

/** What an applet works with. */
export class Applet {
  readonly process: Process;
  /** Name it was called by, without directory. */
  readonly name: string;
  /** Arguments after the name, as byte text. */
  readonly args: readonly string[];
  /** Exit code so far: `complain` sets it to 1. */
  code = 0;
  #buffer: string[] = [];
  #buffered = 0;

  constructor(process: Process) {
    this.process = process;
    this.name = (process.argv[0] ?? '').replace(/^.*\//, '').replace(/^-/, '');
    this.args = process.argv.slice(1).map(toByteText);
  }

  /** Writes byte text to stdout through a buffer; waits only when much has gathered. */
  put(text: string): Promise<void> | undefined {
    this.#buffer.push(text);
    this.#buffered += text.length;
    return this.#buffered > 16_384 ? this.flush() : undefined;
  }

  async flush(): Promise<void> {
    if (this.#buffered === 0) return;
    const text = this.#buffer.join('');
    this.#buffer = [];
    this.#buffered = 0;
    await this.process.stdout.write(bytesOf(text));
  }

  /** A line on stderr: "NAME: message". The applet goes on and will end with 1. */
  async complain(message: string): Promise<void> {
    this.code = Math.max(this.code, 1);
    await this.flush();
    await this.process.fds.get(2)?.write(bytesOf(`${this.name}: ${message}\n`));
  }

  /** Raw text on stderr. */
  async err(text: string): Promise<void> {
    await this.flush();
    await this.process.fds.get(2)?.write(bytesOf(text));
  }

  /** Absolute real path of a byte-text path. */
  path(path: string): string {
    if (path === '') throw new Errno('ENOENT');
    return this.process.resolve(fromByteText(path));
  }

  get fs() {
    return this.process.machine.fs;
  }

  /** Opens for reading; "-" is stdin. Errors: Errno. */
  open(path: string): OpenFile {
    if (path === '-') return this.process.stdin;
    const file = this.process.open(this.path(path), 'r');
    return file;
  }

  /** Chunks of a file as bytes; complains ("can't open 'x': …") and yields undefined when it cannot be opened. */
  async tryOpen(path: string, phrase = (name: string, why: string) => `can't open '${name}': ${why}`): Promise<OpenFile | undefined> {
    try {
      return this.open(path);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await this.complain(phrase(path, error.message));
      return undefined;
    }
  }

  async *chunks(file: OpenFile): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = await file.read();
        if (!chunk) return;
        await this.process.cpu(0.01 + chunk.length / 100_000);
        yield chunk;
      }
    } finally {
      if (file !== this.process.stdin) file.close();
    }
  }

  /** Whole content as byte text. Errors: Errno (EISDIR from reading a directory). */
  async readText(file: OpenFile): Promise<string> {
    const parts: string[] = [];
    let length = 0;
    for await (const chunk of this.chunks(file)) {
      parts.push(byteText(chunk));
      length += chunk.length;
      this.process.useMemory(1_000_000 + length);
    }
    return parts.join('');
  }

  /** Lines of what may be a directory: those that read with stdio find nothing there and do not complain. */
  async *linesOrNone(file: OpenFile, separator = '\n'): AsyncGenerator<{ text: string; terminated: boolean }> {
    try {
      yield* this.lines(file, separator);
    } catch (error) {
      if (!(error instanceof Errno) || error.code !== 'EISDIR') throw error;
    }
  }

  /** Lines without their newline; `terminated` is false for a last line that has none. Output is flushed before waiting for more. */
  async *lines(file: OpenFile, separator = '\n'): AsyncGenerator<{ text: string; terminated: boolean }> {
    /** The beginning of a line that has not ended yet. */
    let held: string[] = [];
    let heldLength = 0;
    for await (const chunk of this.chunks(file)) {
      const pieces = byteText(chunk).split(separator);
      const rest = pieces.pop() as string;
      if (pieces.length > 0) {
        pieces[0] = held.join('') + pieces[0];
        held = [];
        heldLength = 0;
      }
      held.push(rest);
      heldLength += rest.length;
      if (heldLength > 1 << 20) this.process.useMemory(heldLength);
      for (const text of pieces) yield { text, terminated: true };
      // Each line costs its reader something, too.
      this.process.charge(pieces.length * LINE_CPU_MS);
      if (file.kind !== 'file') await this.flush();
    }
    const rest = held.join('');
    if (rest !== '') yield { text: rest, terminated: false };
  }
}

export type AppletMain = (applet: Applet) => Promise<number | undefined> | Promise<void>;

export interface ParsedOptions {
  /** Letter (or long name) → how often it was given. */
  has(letter: string): boolean;
  count(letter: string): number;
  /** Last argument of an option. */
  get(letter: string): string | undefined;
  all(letter: string): readonly string[];
  /** Letters with their arguments, in order. */
  order: readonly { letter: string; value: string | undefined }[];
  rest: string[];
}

/**
 * getopt as BusyBox uses it: options may follow operands unless `spec` begins with "+". `longs` maps long names to a
 * letter of `spec`.
 */
export function getopt(args: readonly string[], spec: string, longs: Readonly<Record<string, string>> = {}): ParsedOptions {
  const inOrder = spec.startsWith('+');
  const letters = inOrder ? spec.slice(1) : spec;
  const arity = (letter: string): 'none' | 'required' | 'optional' | undefined => {
    const at = letter === ':' ? -1 : letters.indexOf(letter);
    if (at < 0) return undefined;
    if (letters[at + 1] !== ':') return 'none';
    return letters[at + 2] === ':' ? 'optional' : 'required';
  };
  const order: { letter: string; value: string | undefined }[] = [];
  const rest: string[] = [];
  let i = 0;
  for (; i < args.length; i++) {
    const word = args[i] as string;
    if (word === '--') {
      i++;
      break;
    }
    if (word.startsWith('--')) {
      const [long = '', value] = splitOnce(word.slice(2), '=');
      const candidates = Object.keys(longs).filter((name) => name === long || name.startsWith(long));
      const name = candidates.includes(long) ? long : candidates.length === 1 ? candidates[0] : undefined;
      if (name === undefined) throw new UsageError(`unrecognized option '${word}'`);
      const letter = longs[name] as string;
      const kind = arity(letter);
      if (kind === 'none' && value !== undefined) throw new UsageError(`option '--${name}' doesn't allow an argument`);
      if (kind === 'required' && value === undefined) {
        if (i + 1 >= args.length) throw new UsageError(`option '--${name}' requires an argument`);
        order.push({ letter, value: args[++i] });
      } else order.push({ letter, value });
      continue;
    }
    if (word.length > 1 && word.startsWith('-')) {
      for (let j = 1; j < word.length; j++) {
        const letter = word[j] as string;
        const kind = arity(letter);
        if (!kind) throw new UsageError(`invalid option -- '${letter}'`);
        if (kind === 'none') {
          order.push({ letter, value: undefined });
          continue;
        }
        const attached = word.slice(j + 1);
        if (attached !== '' || kind === 'optional') order.push({ letter, value: attached === '' ? undefined : attached });
        else if (i + 1 < args.length) order.push({ letter, value: args[++i] });
        else throw new UsageError(`option requires an argument -- '${letter}'`);
        break;
      }
      continue;
    }
    if (inOrder) break;
    rest.push(word);
  }
  rest.push(...args.slice(i));
  const of = (letter: string) => order.filter((one) => one.letter === letter);
  return {
    order,
    rest,
    has: (letter) => of(letter).length > 0,
    count: (letter) => of(letter).length,
    get: (letter) => of(letter).at(-1)?.value,
    all: (letter) => of(letter).flatMap((one) => (one.value === undefined ? [] : [one.value])),
  };
}

export function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Makes a Program of an applet: prints failures and usage as BusyBox does. `synopsis`: what follows the name in "Usage:". */
export function program(synopsis: string, main: AppletMain, usageCode = 1): Program {
  return async (process) => {
    const applet = new Applet(process);
    try {
      const code = (await main(applet)) ?? applet.code;
      await applet.flush();
      return code;
    } catch (error) {
      if (error instanceof Failure) {
        await applet.err(`${applet.name}: ${error.message}\n`);
        return error.code;
      }
      if (error instanceof RegexError) {
        await applet.err(`${applet.name}: bad regex '${error.pattern}': ${error.message}\n`);
        return usageCode;
      }
      if (error instanceof UsageError) {
        if (error.complaint) await applet.err(`${applet.name}: ${error.complaint}\n`);
        await applet.err(`${BANNER}\n\nUsage: ${applet.name}${synopsis && ` ${synopsis}`}\n`);
        return usageCode;
      }
      if (error instanceof Errno && error.code !== 'EPIPE') {
        await applet.err(`${applet.name}: ${error.message}\n`);
        return 1;
      }
      throw error;
    }
  };
}

/** xatoi and friends: "invalid number 'x'". Accepts the suffixes given (b k m K M G). */
export function parseNumber(text: string, suffixes: Readonly<Record<string, number>> = {}): number {
  const match = /^([+-]?\d+)([A-Za-z]*)$/.exec(text);
  const factor = match?.[2] === '' ? 1 : suffixes[match?.[2] ?? ''];
  if (!match || factor === undefined) throw new Failure(`invalid number '${text}'`);
  return Number(match[1]) * factor;
}

export const SIZE_SUFFIXES = { b: 512, k: 1024, K: 1024, m: 1 << 20, M: 1 << 20, G: 1 << 30, kD: 1000, kB: 1000, MB: 1e6, MD: 1e6 };

/** Durations of sleep, timeout: "1.5", "2m". */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(text);
  if (!match) throw new Failure(`invalid number '${text}'`);
  return Number(match[1]) * { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 's']!;
}

/** Backslash escapes of echo -e, printf, tr: returns the character and where it ends, or undefined after \c. */
export function readEscape(text: string, at: number, zeroOctal: boolean): { char: string; next: number } | undefined {
  const letter = text[at] ?? '';
  const simple: Record<string, string> = { a: '\x07', b: '\b', e: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };
  if (letter === 'c') return undefined;
  if (letter in simple) return { char: simple[letter] as string, next: at + 1 };
  const octal = (zeroOctal ? /^0([0-7]{0,3})/ : /^([0-7]{1,3})/).exec(text.slice(at, at + 4));
  if (octal) return { char: String.fromCharCode(Number.parseInt(octal[1] || '0', 8) & 255), next: at + octal[0].length };
  if (zeroOctal) {
    const plain = /^[1-7][0-7]{0,2}/.exec(text.slice(at, at + 3));
    if (plain) return { char: String.fromCharCode(Number.parseInt(plain[0], 8) & 255), next: at + plain[0].length };
  }
  const hex = /^x([0-9a-fA-F]{1,2})/.exec(text.slice(at, at + 3));
  if (hex) return { char: String.fromCharCode(Number.parseInt(hex[1] as string, 16)), next: at + hex[0].length };
  return { char: `\\${letter}`, next: at + (letter ? 1 : 0) };
}
