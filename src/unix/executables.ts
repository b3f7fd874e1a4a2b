import type { TreeFileSystem } from './file-system.ts';
import { parentPath } from './paths.ts';
import type { UnixProcess } from './process.ts';
import { decodeText } from './text.ts';
import type { FileSystem } from './types.ts';

/** Content of the stubs that stand for executables: cp, ln and mv of them keep working. */
const STUB_PREFIX = '\x7fELF\x02\x01\x01chartroom:';

/** Writes executables for programs, so that ls, which and exec find them. `sizeBytes` is what ls shows. */
export function installPrograms(fs: FileSystem, programs: Iterable<string>, sizeBytes?: number): void {
  for (const path of programs) {
    fs.mkdir(parentPath(path), { recursive: true });
    fs.writeFile(path, STUB_PREFIX + path, { mode: 0o755 });
    if (sizeBytes !== undefined) {
      const { node } = (fs as TreeFileSystem).nodeForChange(path);
      if (node.type === 'file') node.shownSizeBytes = sizeBytes;
    }
  }
}

/** The program path that a stub stands for. */
export function programOfStub(content: Uint8Array): string | undefined {
  if (content.length > 512 || content[0] !== 0x7f) return undefined;
  const text = decodeText(content);
  return text.startsWith(STUB_PREFIX) ? text.slice(STUB_PREFIX.length) : undefined;
}

/** Finds a command by PATH, or as a path; undefined when there is none that may be run. */
export function findExecutable(process: UnixProcess, command: string): string | undefined {
  const fs = process.fileSystem();
  const isProgram = (path: string): boolean => {
    try {
      const stat = fs.stat(path);
      return stat.type === 'file' && (stat.mode & 0o111) !== 0;
    } catch {
      return false;
    }
  };
  if (command === '') return undefined;
  if (command.includes('/')) return isProgram(process.resolve(command)) ? command : undefined;
  for (const directory of (process.env.get('PATH') ?? '/sbin:/usr/sbin:/bin:/usr/bin').split(':')) {
    const path = `${directory === '' ? '.' : directory}/${command}`;
    if (isProgram(process.resolve(path))) return path;
  }
  return undefined;
}
