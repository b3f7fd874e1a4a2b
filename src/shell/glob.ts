import { Automaton, characterSet, type FindOptions, type Pattern } from '../unix/automaton.ts';
import { CLASSES } from '../unix/character-classes.ts';
import { joinPath } from '../unix/index.ts';
import { Errno, type FileSystem, type Process } from '../unix/types.ts';

/** Whether a pattern (quoted characters escaped by a backslash) has a wildcard. */
export function hasWildcard(pattern: string): boolean {
  return /^(?:[^\\]|\\.)*?[*?[]/s.test(pattern);
}

/** Steps of matching in a millisecond of virtual CPU time. */
const STEPS_PER_MS = 100_000;
const ANY: Pattern = { kind: 'set', set: characterSet(() => true) };
const ANYTHING: Pattern = { kind: 'repeat', item: ANY, min: 0, max: Number.POSITIVE_INFINITY };

/** A shell pattern. All questions are answered in time linear in the text. */
export class ShellPattern {
  readonly #items: readonly Pattern[];
  #forward: Automaton | undefined;
  #backward: Automaton | undefined;

  /** Quoted characters are escaped by a backslash. */
  constructor(pattern: string, ignoreCase = false) {
    this.#items = parsePattern(pattern, ignoreCase);
  }

  /** Whether the whole text matches. `process` pays for finding out. */
  test(text: string, process?: Process): boolean {
    return this.find(text, { anchored: true }, process)?.end === text.length;
  }

  /** How long a prefix of the text matches: the longest or the shortest. */
  prefix(text: string, longest: boolean, process?: Process): number | undefined {
    return this.find(text, { anchored: true, shortest: !longest }, process)?.end;
  }

  suffix(text: string, longest: boolean, process?: Process): number | undefined {
    this.#backward ??= new Automaton({ kind: 'sequence', items: this.#items.toReversed() });
    return charged(this.#backward, process, (automaton) => automaton.find([...text].reverse().join(''), { anchored: true, shortest: !longest }))?.end;
  }

  find(text: string, options: FindOptions, process?: Process): { start: number; end: number } | undefined {
    this.#forward ??= new Automaton({ kind: 'sequence', items: this.#items });
    return charged(this.#forward, process, (automaton) => automaton.find(text, options));
  }
}

function charged<T>(automaton: Automaton, process: Process | undefined, work: (automaton: Automaton) => T): T {
  const before = automaton.steps;
  try {
    return work(automaton);
  } finally {
    process?.charge((automaton.steps - before) / STEPS_PER_MS);
  }
}

const known = new Map<string, ShellPattern>();

export function shellPattern(pattern: string): ShellPattern {
  let found = known.get(pattern);
  if (!found) {
    if (known.size > 500) known.clear();
    found = new ShellPattern(pattern);
    known.set(pattern, found);
  }
  return found;
}

function parsePattern(pattern: string, ignoreCase: boolean): Pattern[] {
  const items: Pattern[] = [];
  const add = (has: (code: number) => boolean): void => {
    const either = (code: number): boolean => {
      const char = String.fromCodePoint(code);
      return has(char.toLowerCase().codePointAt(0) as number) || has(char.toUpperCase().codePointAt(0) as number);
    };
    items.push({ kind: 'set', set: characterSet(ignoreCase ? either : has) });
  };
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    let character = characters[i]!;
    if (character === '*') {
      if (items.at(-1) !== ANYTHING) items.push(ANYTHING);
      continue;
    }
    if (character === '?') {
      items.push(ANY);
      continue;
    }
    const bracket = character === '[' ? readBracket(characters, i) : undefined;
    if (bracket) {
      add(bracket.has);
      i = bracket.end;
      continue;
    }
    if (character === '\\' && i + 1 < characters.length) character = characters[++i]!;
    const wanted = character.codePointAt(0);
    add((code) => code === wanted);
  }
  return items;
}

/** A bracket expression; undefined when it is none: no end, or a range backwards. */
function readBracket(pattern: readonly string[], start: number): { has(code: number): boolean; end: number } | undefined {
  let i = start + 1;
  const negated = pattern[i] === '!' || pattern[i] === '^';
  if (negated) i++;
  const classes: ((code: number) => boolean)[] = [];
  const ranges: [number, number][] = [];
  const element = (): number => {
    if (pattern[i] === '\\' && pattern[i + 1] !== undefined) i++;
    return pattern[i++]!.codePointAt(0) as number;
  };
  for (let first = true; ; first = false) {
    if (pattern[i] === undefined) return undefined;
    if (pattern[i] === ']' && !first) break;
    const named = /^\[:(\w+):\]/.exec(pattern.slice(i, i + 12).join(''));
    const members = named ? CLASSES[named[1]!] : undefined;
    if (named && members) {
      classes.push(members);
      i += named[0].length;
      continue;
    }
    const from = element();
    if (pattern[i] !== '-' || pattern[i + 1] === ']' || pattern[i + 1] === undefined) {
      ranges.push([from, from]);
      continue;
    }
    i++;
    const to = element();
    if (to < from) return undefined;
    ranges.push([from, to]);
  }
  const inside = (code: number): boolean => ranges.some(([from, to]) => code >= from && code <= to) || classes.some((has) => has(code));
  return { has: (code) => inside(code) !== negated, end: i };
}

/** Removes the backslashes that mark quoted characters. */
export function unescapePattern(pattern: string): string {
  return pattern.replace(/\\(.)/gs, '$1');
}

/** What a command line may hold: a pattern that goes up and down again would make ever more of it. */
const MAX_PATHNAMES = 30_000;

/** Pathnames that a pattern matches, sorted; empty when none does. Names that begin with a dot want a dot. Errors: Errno E2BIG. */
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
      if (next.length > MAX_PATHNAMES) throw new Errno('E2BIG', 'Argument list too long');
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
      const expression = shellPattern(component);
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
