import { decodeText, joinPath, nullFile } from '../unix/index.ts';
import { builtins } from './builtins/index.ts';
import type { Shell } from './shell.ts';

/**
 * Asked for candidates: the words of the command before the cursor (aliases expanded, quotes removed), the last of
 * which is the one being typed (it may be empty). Undefined: complete file names.
 */
export type Completer = (words: readonly string[], context: CompletionContext) => Promise<Candidates | undefined> | Candidates | undefined;

/** `noSpace`: more may follow a single candidate at once. */
export type Candidates = readonly string[] | { candidates: readonly string[]; noSpace: boolean };

export interface CompletionContext {
  cwd: string;
  env: ReadonlyMap<string, string>;
  /** What a command prints on standard output. */
  run(argv: readonly string[]): Promise<string>;
}

export interface Completion {
  /** Where the word that is completed begins in the line. */
  start: number;
  candidates: readonly string[];
  /** A single candidate is not followed by a space. */
  noSpace?: boolean;
  /** The part of the candidates that need not be shown (a directory). */
  hidden: number;
}

/** Candidates for the word before the cursor. */
export async function completeCommandLine(shell: Shell, completer: Completer | undefined, line: string, cursor: number): Promise<Completion> {
  const { words, start, quoted } = wordsBefore(line.slice(0, cursor));
  const word = words[words.length - 1]!;
  const plain = (candidates: readonly string[], hidden = 0): Completion => ({ start: quoted ? start : start, candidates, hidden });
  const variable = /\$\{?(\w*)$/.exec(word);
  if (variable && !quoted) {
    const prefix = variable[0].slice(0, variable[0].length - variable[1]!.length);
    const at = start + word.length - variable[0].length;
    return {
      start: at,
      candidates: shell.variables
        .names()
        .filter((name) => name.startsWith(variable[1]!))
        .map((name) => `${prefix}${name}${prefix.endsWith('{') ? '}' : ''}`),
      hidden: 0,
    };
  }
  if (words.length === 1 && !word.includes('/')) return plain(commandNames(shell).filter((name) => name.startsWith(word)));
  const redirected = /[<>]\s*\S*$/.test(line.slice(0, cursor));
  if (completer && !redirected && words.length > 1) {
    const alias = shell.aliases.get(words[0]!);
    const expanded = alias ? [...alias.trim().split(/\s+/), ...words.slice(1)] : words;
    const env = shell.variables.environment();
    const found = await completer(expanded, { cwd: shell.process.cwd, env, run: (argv) => outputOf(shell, argv, env) });
    if (found) {
      const { candidates, noSpace } = 'noSpace' in found ? found : { candidates: found, noSpace: false };
      return { ...plain([...candidates].filter((candidate) => candidate.startsWith(word)).sort()), noSpace };
    }
  }
  // `--file=path`
  const option = /^--?[\w-]+=/.exec(word)?.[0] ?? '';
  const files = fileNames(shell, word.slice(option.length));
  const directory = word.slice(option.length).lastIndexOf('/') + 1;
  return plain(
    files.map((name) => option + name),
    option.length + directory,
  );
}

async function outputOf(shell: Shell, argv: readonly string[], env: ReadonlyMap<string, string>): Promise<string> {
  const { process } = shell;
  const [reader, writer] = process.pipe();
  const child = process.spawn(argv, { env, fds: new Map([[0, nullFile()], [1, writer], [2, nullFile()]]) }); // biome-ignore format: a pair per line adds nothing
  writer.close();
  let text = '';
  for (let chunk = await reader.read(); chunk; chunk = await reader.read()) text += decodeText(chunk);
  reader.close();
  await process.guard(child.exited);
  return text;
}

/** Words of the last command before the cursor. */
function wordsBefore(text: string): { words: string[]; start: number; quoted: boolean } {
  let words: string[] = [];
  let current = '';
  let started = false;
  let start = text.length;
  let quote = '';
  const finish = (): void => {
    if (started) words.push(current);
    current = '';
    started = false;
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (quote) {
      if (character === quote) quote = '';
      else current += character;
      continue;
    }
    if (/\s/.test(character)) finish();
    else if (';|&('.includes(character)) {
      finish();
      words = [];
    } else {
      if (!started) start = i;
      started = true;
      if (character === '"' || character === "'") quote = character;
      else if (character === '\\') current += text[++i] ?? '';
      else current += character;
    }
  }
  const quoted = quote !== '';
  if (started) words.push(current);
  else {
    words.push('');
    start = text.length;
  }
  // Words before the command itself: assignments and the like.
  while (
    words.length > 1 &&
    (/^\w+=/.test(words[0]!) || ['sudo', 'time', 'exec', 'command', 'watch', 'then', 'do', 'else', 'if', 'while', '!', '{'].includes(words[0]!))
  )
    words.shift();
  return { words, start, quoted };
}

function commandNames(shell: Shell): string[] {
  const names = new Set<string>([...shell.aliases.keys(), ...shell.functions.keys()]);
  for (const [name, builtin] of builtins) if (!builtin.dialect || builtin.dialect === shell.dialect) names.add(name);
  const { fs } = shell.process.machine;
  for (const directory of (shell.get('PATH') ?? '').split(':')) {
    try {
      for (const name of fs.readdir(joinPath('/', directory))) names.add(name);
    } catch {
      // A directory of PATH that is not there has no commands.
    }
  }
  return [...names].sort();
}

function fileNames(shell: Shell, word: string): string[] {
  const slash = word.lastIndexOf('/') + 1;
  const directory = word.slice(0, slash);
  const prefix = word.slice(slash);
  const { fs } = shell.process.machine;
  const home = shell.get('HOME') ?? '/';
  const base = joinPath(shell.process.cwd, directory.startsWith('~/') ? home + directory.slice(1) : directory || '.');
  try {
    return fs
      .readdir(base)
      .filter((name) => name.startsWith(prefix) && (!name.startsWith('.') || prefix.startsWith('.')))
      .map((name) => {
        const isDirectory = fs.exists(joinPath(base, name)) && fs.stat(joinPath(base, name)).type === 'directory';
        return `${directory}${name}${isDirectory ? '/' : ''}`;
      });
  } catch {
    return [];
  }
}
