import { bytesSource, concatBytes } from '../unix/index.ts';
import { type ByteSource, Errno, type FileStat, type OpenFile } from '../unix/types.ts';
import { type Applet, bytesOf, Failure, fromByteText, getopt, program, toByteText, UsageError } from './applet.ts';
import { formatTime } from './dates.ts';
import { modeString } from './file-list.ts';
import { groupName, userName } from './process-applets.ts';

/** tar: ustar archives with GNU long names; create, extract, list, with -z through gzip. `kubectl cp` runs it. */

const BLOCK = 512;

function header(name: string, info: FileStat, size: number, kind: string, link: string, owner: string, group: string): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => block.set(bytesOf(text), at);
  const octal = (value: number, width: number): string =>
    Math.floor(value)
      .toString(8)
      .padStart(width - 1, '0');
  put(0, name.slice(0, 100));
  put(100, octal(info.mode & 0o7777, 8));
  put(108, octal(info.uid, 8));
  put(116, octal(info.gid, 8));
  put(124, octal(size, 12));
  put(136, octal(info.mtimeMs / 1000, 12));
  put(148, '        ');
  put(156, kind);
  put(157, link.slice(0, 100));
  put(257, 'ustar  ');
  put(265, owner.slice(0, 31));
  put(297, group.slice(0, 31));
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 7)}\0 `);
  return block;
}

async function create(
  applet: Applet,
  output: { write(chunk: Uint8Array): Promise<void>; isStdout: boolean },
  operands: readonly string[],
  directory: string,
  options: ReturnType<typeof getopt>,
): Promise<void> {
  const pad = async (size: number): Promise<void> => {
    if (size % BLOCK !== 0) await output.write(new Uint8Array(BLOCK - (size % BLOCK)));
  };
  const excluded = new Set(options.all('X'));
  let stripped = false;
  const add = async (path: string, given: string): Promise<void> => {
    let info: FileStat;
    try {
      info = options.has('h') ? applet.fs.stat(path) : applet.fs.lstat(path);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`${given}: ${error.message}`);
      return;
    }
    if (excluded.has(given)) return;
    if (given.startsWith('/') && !stripped) {
      stripped = true;
      await applet.err("tar: removing leading '/' from member names\n");
    }
    const name = `${given.replace(/^\/+/, '')}${info.type === 'directory' && !given.endsWith('/') ? '/' : ''}`;
    if (name !== '' && name !== '/') {
      const link = info.type === 'symlink' ? toByteText(applet.fs.readlink(path)) : '';
      if (name.length > 100) {
        await output.write(header('././@LongLink', { ...info, mode: 0, uid: 0, gid: 0, mtimeMs: 0 }, name.length + 1, 'L', '', 'root', 'root'));
        await output.write(bytesOf(`${name}\0`));
        await pad(name.length + 1);
      }
      const kind = { file: '0', directory: '5', symlink: '2', device: '3', fifo: '6' }[info.type];
      const size = info.type === 'file' ? info.sizeBytes : 0;
      const data = info.type === 'file' ? applet.fs.readFile(path) : new Uint8Array();
      await output.write(header(name, info, info.type === 'file' ? data.length : size, kind, link, userName(applet, info.uid), groupName(applet, info.gid)));
      if (data.length > 0) {
        await output.write(data);
        await pad(data.length);
      }
      if (options.has('v')) await (output.isStdout ? applet.err(`${name}\n`) : applet.put(`${name}\n`));
      await applet.process.cpu(0.05 + data.length / 1_000_000);
    }
    if (info.type === 'directory') {
      for (const child of applet.fs.readdir(path)) await add(`${path === '/' ? '' : path}/${child}`, `${given.replace(/\/$/, '')}/${toByteText(child)}`);
    }
  };
  for (const operand of operands) {
    const path = operand.startsWith('/') ? fromByteText(operand) : `${directory === '/' ? '' : directory}/${fromByteText(operand)}`;
    await add(path.replace(/\/+$/, '') || '/', operand);
  }
  await output.write(new Uint8Array(BLOCK * 2));
}

/** Hands out exactly as many bytes as asked for. */
class BlockReader {
  #file: ByteSource;
  #rest = new Uint8Array();

  constructor(file: ByteSource) {
    this.#file = file;
  }

  async startsWith(first: number, second: number): Promise<boolean> {
    if (this.#rest.length === 0) this.#rest = (await this.#file.read())?.slice() ?? new Uint8Array();
    return this.#rest[0] === first && this.#rest[1] === second;
  }

  /** All that is left. */
  async rest(): Promise<Uint8Array> {
    const chunks = [this.#rest];
    for (;;) {
      const chunk = await this.#file.read();
      if (!chunk) return concatBytes(chunks);
      chunks.push(chunk.slice());
    }
  }

  async take(size: number): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    let missing = size;
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const chunk = await this.#file.read();
        if (!chunk) return undefined;
        this.#rest = chunk.slice();
      }
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      parts.push(piece);
      missing -= piece.length;
    }
    const out = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

async function read(applet: Applet, reader: BlockReader, wanted: readonly string[], directory: string, options: ReturnType<typeof getopt>): Promise<void> {
  let longName: string | undefined;
  const strip = Number(options.get('S') ?? 0);
  for (let first = true; ; first = false) {
    const block = await reader.take(BLOCK);
    if (!block) {
      if (first) throw new Failure('short read');
      return;
    }
    if (block.every((byte) => byte === 0)) return;
    const field = (at: number, length: number): string => {
      let text = '';
      for (let i = at; i < at + length && block[i] !== 0; i++) text += String.fromCharCode(block[i] as number);
      return text;
    };
    const octal = (at: number, length: number): number => Number.parseInt(field(at, length).trim() || '0', 8);
    if (!field(257, 5).startsWith('ustar') && Number.isNaN(octal(148, 8))) throw new Failure('invalid tar magic');
    const size = octal(124, 12);
    const kind = String.fromCharCode(block[156] as number);
    const padded = Math.ceil(size / BLOCK) * BLOCK;
    const data = padded > 0 ? await reader.take(padded) : new Uint8Array();
    if (!data) throw new Failure('short read');
    await applet.process.cpu(0.05 + size / 1_000_000);
    if (kind === 'L') {
      longName = toText(data.subarray(0, size)).replace(/\0.*$/, '');
      continue;
    }
    if (kind === 'x' || kind === 'g') {
      longName = /\d+ path=([^\n]*)\n/.exec(toText(data.subarray(0, size)))?.[1] ?? longName;
      continue;
    }
    const prefix = field(257, 6) === 'ustar' && field(263, 2) === '00' ? field(345, 155) : '';
    const name = longName ?? (prefix ? `${prefix}/${field(0, 100)}` : field(0, 100));
    longName = undefined;
    const plain = name.replace(/\/$/, '');
    if (wanted.length > 0 && !wanted.some((one) => plain === one.replace(/\/$/, '') || plain.startsWith(`${one.replace(/\/$/, '')}/`))) continue;
    const mode = octal(100, 8);
    if (options.has('t')) {
      const type = ({ '5': 'directory', '2': 'symlink' } as const)[kind as '5'] ?? 'file';
      const info: FileStat = { type, mode, inode: 0, uid: octal(108, 8), gid: octal(116, 8), sizeBytes: size, mtimeMs: octal(136, 12) * 1000, nlink: 1 };
      const long = `${modeString(info)} ${field(265, 32) || info.uid}/${field(297, 32) || info.gid} ${String(size).padStart(9)} ${formatTime('%Y-%m-%d %H:%M:%S', info.mtimeMs)} `;
      await applet.put(`${options.has('v') ? long : ''}${name}${kind === '2' && options.has('v') ? ` -> ${field(157, 100)}` : ''}\n`);
      continue;
    }
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw new Failure(`name with '..' skipped: '${name}'`);
    const kept = parts.slice(strip).map(fromByteText);
    if (kept.length === 0) continue;
    if (options.has('v')) await applet.put(`${name}\n`);
    const path = `${directory === '/' ? '' : directory}/${kept.join('/')}`;
    if (options.has('O')) {
      await applet.put(toText(data.subarray(0, size)));
      continue;
    }
    applet.fs.mkdir(path.replace(/\/[^/]*$/, '') || '/', { recursive: true });
    if (kind === '5') {
      if (!applet.fs.exists(path)) applet.fs.mkdir(path);
    } else if (kind === '2') {
      if (applet.fs.exists(path)) applet.fs.remove(path);
      applet.fs.symlink(fromByteText(field(157, 100)), path);
      continue;
    } else applet.fs.writeFile(path, data.slice(0, size));
    const { uid, gid } = applet.process;
    applet.fs.chmod(path, mode & (options.has('p') || uid === 0 ? 0o7777 : 0o7777 & ~applet.process.umask));
    if (uid === 0 && !options.has('o')) applet.fs.chown(path, octal(108, 8), octal(116, 8));
    else applet.fs.chown(path, uid, gid);
    if (!options.has('m')) applet.fs.utimes(path, octal(136, 12) * 1000);
  }
}

const toText = (bytes: Uint8Array): string => {
  let out = '';
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return out;
};

async function tar(applet: Applet): Promise<void> {
  const [first = '', ...rest] = applet.args;
  const args = first !== '' && !first.startsWith('-') ? [`-${first}`, ...rest] : applet.args;
  const options = getopt(args, 'cxtvf:C:zjJapmohOkX:T:S:', {
    'strip-components': 'S',
    'no-same-owner': 'o',
    'no-same-permissions': 'o',
    exclude: 'X',
    gzip: 'z',
    verbose: 'v',
    file: 'f',
    directory: 'C',
    'to-stdout': 'O',
  });
  if (options.has('j') || options.has('J')) throw new Failure('bzip2 and xz are not simulated yet');
  const path = options.get('f') ?? '-';
  const directory = options.get('C') === undefined ? applet.process.cwd : applet.path(options.get('C') as string);
  if (!applet.fs.exists(directory)) throw new Failure(`can't change directory to '${options.get('C')}': No such file or directory`);
  const opened = (flags: 'r' | 'w'): OpenFile => {
    if (path === '-') return flags === 'r' ? applet.process.stdin : applet.process.stdout;
    try {
      return applet.process.open(applet.path(path), flags);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new Failure(`can't open '${path}': ${error.message}`);
    }
  };
  if (options.has('c')) {
    if (options.rest.length === 0) throw new Failure('empty archive');
    const output = opened('w');
    const packed: Uint8Array[] = [];
    const gzip = options.has('z') || (options.has('a') && /gz$/.test(path)) ? await applet.process.kernel.external(import('./gzip.ts')) : undefined;
    const write = async (chunk: Uint8Array): Promise<void> => {
      if (gzip) packed.push(chunk);
      else await output.write(chunk);
    };
    await create(applet, { write, isStdout: path === '-' }, options.rest, directory, options);
    if (gzip) await output.write(gzip.compress(concatBytes(packed), applet.process.kernel.now()));
    if (path !== '-') output.close();
    if (applet.code !== 0) await applet.complain('error exit delayed from previous errors');
  } else if (options.has('x') || options.has('t')) {
    let input: ByteSource = opened('r');
    // As BusyBox does, whatever the options: a file that begins like one of gzip's is unpacked.
    const reader = new BlockReader(input);
    if (await reader.startsWith(0x1f, 0x8b)) {
      const gzip = await applet.process.kernel.external(import('./gzip.ts'));
      input = bytesSource(gzip.decompress(await reader.rest()));
      await read(applet, new BlockReader(input), options.rest, directory, options);
    } else if (options.has('z')) throw new Failure('invalid magic');
    else await read(applet, reader, options.rest, directory, options);
  } else throw new UsageError();
}

export const tarApplets = { tar: program('c|x|t [-hvokO] [-f TARFILE] [-C DIR] [FILE]...', tar) };
