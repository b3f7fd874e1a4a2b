import { Errno } from '../../unix/types.ts';
import { readDocuments } from '../format/yaml-read.ts';
import { unreachable } from '../rest/unreachable.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import { goList, type Json, quote } from '../util/object.ts';

const EXTENSIONS = ['.json', '.yaml', '.yml'];

/** Files behind one -f argument: a file, a pattern, or a folder (with -R its subfolders). Throws kubectl's words. */
export function expandPaths(session: Session, argument: string, recursive: boolean): { files: string[]; single: boolean } {
  if (/^https?:\/\//.test(argument)) throw unreachable('Get', argument);
  const { fs } = session.process.machine;
  const absolute = (path: string): string => session.process.resolve(path);
  let paths = [argument];
  if (!exists(session, argument)) {
    paths = glob(session, argument);
    if (paths.length === 0) throw new CliError(`the path ${quote(argument)} does not exist`);
  }
  const files: string[] = [];
  for (const path of paths) {
    const walk = (current: string, top: boolean): void => {
      const stat = fs.stat(absolute(current));
      if (stat.type === 'directory') {
        if (!top && !recursive) return;
        for (const name of fs.readdir(absolute(current))) walk(`${current.replace(/\/+$/, '')}/${name}`, false);
        return;
      }
      if (!top && !EXTENSIONS.some((extension) => current.endsWith(extension))) return;
      files.push(top ? current : clean(current));
    };
    try {
      walk(path, true);
    } catch (error) {
      throw new CliError(`the path ${quote(path)} cannot be accessed: ${errorText(error)}`);
    }
  }
  if (files.length === 0) throw new CliError(`error reading ${goList(paths)}: recognized file extensions are ${goList(EXTENSIONS)}`);
  return { files, single: paths.length === 1 };
}

function exists(session: Session, path: string): boolean {
  try {
    session.process.machine.fs.stat(session.process.resolve(path));
    return true;
  } catch (error) {
    if (error instanceof Errno) return false;
    throw error;
  }
}

/** filepath.Join's cleaning of "./a//b". */
function clean(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '.' || (part === '' && out.length > 0)) continue;
    out.push(part);
  }
  return out.join('/');
}

function glob(session: Session, pattern: string): string[] {
  if (!/[*?[]/.test(pattern)) return [];
  const slash = pattern.lastIndexOf('/');
  const folder = slash < 0 ? '.' : pattern.slice(0, slash) || '/';
  const expression = new RegExp(
    `^${pattern
      .slice(slash + 1)
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')}$`,
  );
  try {
    return session.process.machine.fs
      .readdir(session.process.resolve(folder))
      .filter((name) => expression.test(name))
      .map((name) => (slash < 0 ? name : `${pattern.slice(0, slash + 1)}${name}`));
  } catch {
    return [];
  }
}

/** The documents of a file or of standard input. */
export async function readSource(session: Session, file: string): Promise<Generator<Json>> {
  const text = file === 'STDIN' ? await session.process.readAll() : session.readFile(file);
  return readDocuments(text);
}
