import type { Kernel } from '../../kernel/index.ts';
import type { FileSystem } from '../../unix/index.ts';

/** One file of a projected volume. */
export interface FileProjection {
  data: Uint8Array | string;
  mode: number;
}

export type Payload = ReadonlyMap<string, FileProjection>;

/**
 * Writes a payload the way `volumeutil.AtomicWriter` does: files in a directory named after the moment, `..data` pointing at it,
 * and a symlink per top-level name. An update swaps `..data`; a payload that is the same leaves everything as it is.
 */
export function writeAtomically(kernel: Kernel, fs: FileSystem, payload: Payload): void {
  const current = fs.exists('/..data') ? fs.readlink('/..data') : undefined;
  if (current !== undefined && sameContent(fs, `/${current}`, payload)) return;
  const stamp = new Date(kernel.now()).toISOString();
  const directory = `..${stamp.slice(0, 10).replaceAll('-', '_')}_${stamp.slice(11, 19).replaceAll(':', '_')}.${kernel.random.int(4_000_000_000)}`;
  fs.mkdir(`/${directory}`, { mode: 0o755 });
  for (const [path, file] of payload) {
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    if (parent) fs.mkdir(`/${directory}/${parent}`, { recursive: true });
    fs.writeFile(`/${directory}/${path}`, file.data, { mode: file.mode });
  }
  if (current === undefined) fs.symlink(directory, '/..data');
  else {
    fs.symlink(directory, '/..data_tmp');
    fs.rename('/..data_tmp', '/..data');
    fs.remove(`/${current}`, { recursive: true });
  }
  const names = new Set([...payload.keys()].map((path) => path.split('/')[0] as string));
  for (const name of names) if (!fs.readdir('/').includes(name)) fs.symlink(`..data/${name}`, `/${name}`);
  for (const name of fs.readdir('/')) if (!name.startsWith('..') && !names.has(name)) fs.remove(`/${name}`);
}

function sameContent(fs: FileSystem, directory: string, payload: Payload): boolean {
  let files = 0;
  const walk = (path: string): void => {
    for (const name of fs.readdir(path)) {
      if (fs.lstat(`${path}/${name}`).type === 'directory') walk(`${path}/${name}`);
      else files++;
    }
  };
  walk(directory);
  if (files !== payload.size) return false;
  for (const [path, file] of payload) {
    if (!fs.exists(`${directory}/${path}`)) return false;
    const stored = fs.readText(`${directory}/${path}`);
    if (stored !== (typeof file.data === 'string' ? file.data : new TextDecoder().decode(file.data))) return false;
  }
  return true;
}
