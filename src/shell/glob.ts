import { joinPath } from '../unix/index.ts';
import type { FileSystem } from '../unix/types.ts';

/** Whether a pattern (quoted characters escaped by a backslash) has a wildcard. */
export function hasWildcard(pattern: string): boolean {
  return /^(?:[^\\]|\\.)*?[*?[]/s.test(pattern);
}

const CLASSES: Record<string, string> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  cntrl: '\\x00-\\x1f\\x7f',
  print: '\\x20-\\x7e',
  graph: '\\x21-\\x7e',
};

const compiled = new Map<string, RegExp>();

/** A shell pattern as a regular expression over whole texts. Quoted characters are escaped by a backslash. */
export function patternToRegExp(pattern: string, lazy = false): RegExp {
  const key = (lazy ? 'l' : 'g') + pattern;
  let expression = compiled.get(key);
  if (!expression) {
    if (compiled.size > 500) compiled.clear();
    expression = new RegExp(`^(?:${patternSource(pattern, lazy)})$`, 'su');
    compiled.set(key, expression);
  }
  return expression;
}

export function patternSource(pattern: string, lazy = false): string {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (character === '\\' && i + 1 < pattern.length) source += escapeCharacter(pattern[++i]!);
    else if (character === '*') {
      // Several in a row are one: a row of them must not make matching slow.
      while (pattern[i + 1] === '*') i++;
      source += lazy ? '.*?' : '.*';
    } else if (character === '?') source += '.';
    else if (character === '[') {
      const bracket = readBracket(pattern, i);
      if (bracket) {
        source += bracket.source;
        i = bracket.end;
      } else source += '\\[';
    } else source += escapeCharacter(character);
  }
  return source;
}

function readBracket(pattern: string, start: number): { source: string; end: number } | undefined {
  let i = start + 1;
  let source = '[';
  if (pattern[i] === '!' || pattern[i] === '^') {
    source += '^';
    i++;
  }
  for (let first = true; ; first = false, i++) {
    const character = pattern[i];
    if (character === undefined) return undefined;
    if (character === ']' && !first) break;
    const named = /^\[:(\w+):\]/.exec(pattern.slice(i, i + 12));
    if (named && CLASSES[named[1]!]) {
      source += CLASSES[named[1]!];
      i += named[0].length - 1;
    } else if (character === '\\' && pattern[i + 1] !== undefined) source += escapeInClass(pattern[++i]!);
    else if (character === '-') source += source === '[' || source === '[^' || pattern[i + 1] === ']' ? '\\-' : '-';
    else source += escapeInClass(character);
  }
  source += ']';
  try {
    new RegExp(source, 'u');
  } catch {
    return undefined;
  }
  return { source, end: i };
}

function escapeCharacter(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function escapeInClass(character: string): string {
  return /[\\\][^-]/.test(character) ? `\\${character}` : character;
}

/** Removes the backslashes that mark quoted characters. */
export function unescapePattern(pattern: string): string {
  return pattern.replace(/\\(.)/gs, '$1');
}

/** Pathnames that a pattern matches, sorted; empty when none does. Names that begin with a dot want a dot. */
export function expandPathname(fs: FileSystem, cwd: string, pattern: string): string[] {
  const absolute = pattern.startsWith('/');
  const components = pattern.split('/').filter((component) => component !== '');
  const onlyDirectories = pattern.endsWith('/');
  let found = [absolute ? '/' : ''];
  for (let index = 0; index < components.length; index++) {
    const component = components[index]!;
    const last = index === components.length - 1;
    const next: string[] = [];
    const wild = hasWildcard(component);
    for (const base of found) {
      if (!wild) {
        const path = base + unescapePattern(component);
        if (last ? lexists(fs, joinPath(cwd, path)) : fs.exists(joinPath(cwd, path))) next.push(last ? path : `${path}/`);
        continue;
      }
      let names: string[];
      try {
        names = fs.readdir(joinPath(cwd, base || '.'));
      } catch {
        // Not a directory, or not there: nothing matches below it.
        continue;
      }
      const expression = patternToRegExp(component);
      const dots = component.startsWith('.') || component.startsWith('\\.');
      for (const name of dots ? ['.', '..', ...names] : names) {
        if (name.startsWith('.') && !dots) continue;
        if (expression.test(name)) next.push(last ? base + name : `${base}${name}/`);
      }
    }
    found = next;
  }
  if (onlyDirectories) found = found.filter((path) => isDirectory(fs, joinPath(cwd, path))).map((path) => `${path}/`);
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function lexists(fs: FileSystem, path: string): boolean {
  try {
    fs.lstat(path);
    return true;
  } catch {
    return false;
  }
}

function isDirectory(fs: FileSystem, path: string): boolean {
  try {
    return fs.stat(path).type === 'directory';
  } catch {
    return false;
  }
}
