/** Tar archives (ustar, GNU long names) as `kubectl cp` exchanges them with `tar` in a container. */

export interface TarEntry {
  name: string;
  kind: 'file' | 'directory' | 'symlink';
  /** Where a symlink points. */
  link: string;
  data: Uint8Array;
  mode: number;
  mtimeMs: number;
}

const BLOCK = 512;
const KINDS = { file: '0', symlink: '2', directory: '5' } as const;

/** The archive of these entries, with its end. */
export function writeTar(entries: readonly TarEntry[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  const add = (name: string, kind: string, link: string, data: Uint8Array, mode: number, mtimeMs: number): void => {
    if (new TextEncoder().encode(name).length > 100) add('././@LongLink', 'L', '', new TextEncoder().encode(`${name}\0`), 0, 0);
    blocks.push(header(name, kind, link, data.length, mode, mtimeMs));
    const padded = new Uint8Array(Math.ceil(data.length / BLOCK) * BLOCK);
    padded.set(data);
    blocks.push(padded);
  };
  for (const { name, kind, link, data, mode, mtimeMs } of entries) add(kind === 'directory' ? `${name}/` : name, KINDS[kind], link, data, mode, mtimeMs);
  blocks.push(new Uint8Array(2 * BLOCK));
  const out = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    out.set(block, at);
    at += block.length;
  }
  return out;
}

function header(name: string, kind: string, link: string, size: number, mode: number, mtimeMs: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string, most = 100): void => block.set(new TextEncoder().encode(text).subarray(0, most), at);
  const octal = (value: number, width: number): string => Math.floor(value).toString(8).padStart(width, '0');
  put(0, name);
  put(100, octal(mode & 0o7777, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(size, 11));
  put(136, octal(mtimeMs / 1000, 11));
  put(148, '        ');
  put(156, kind);
  put(157, link);
  put(257, 'ustar\x0000');
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return block;
}

/** The entries of an archive; stops at its end or where it is cut off. Other kinds of entries count as files. */
export function readTar(bytes: Uint8Array): TarEntry[] {
  const out: TarEntry[] = [];
  const decoder = new TextDecoder();
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const block = bytes.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) break;
    const text = (from: number, length: number): string => (decoder.decode(block.subarray(from, from + length)).split('\0')[0] ?? '').trim();
    const size = Number.parseInt(text(124, 12) || '0', 8) || 0;
    const data = bytes.slice(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const kind = text(156, 1);
    if (kind === 'L') {
      longName = decoder.decode(data).replace(/\0+$/, '');
      continue;
    }
    const prefix = text(257, 6) === 'ustar' && block[262] === 0 ? text(345, 155) : '';
    const name = longName ?? (prefix ? `${prefix}/${text(0, 100)}` : text(0, 100));
    longName = undefined;
    out.push({
      name,
      kind: kind === '5' ? 'directory' : kind === '2' ? 'symlink' : 'file',
      link: text(157, 100),
      data,
      mode: Number.parseInt(text(100, 8) || '0', 8) || 0,
      mtimeMs: (Number.parseInt(text(136, 12) || '0', 8) || 0) * 1000,
    });
  }
  return out;
}
