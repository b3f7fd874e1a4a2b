import type { Process } from '../unix/index.ts';
import type { Dialect } from './syntax.ts';

/** PS1 of a shell that was given none. */
export const DEFAULT_PROMPTS: Readonly<Record<Dialect, string>> = { ash: '\\w \\$ ', bash: '\\s-\\v\\$ ' };

/** Backslash escapes of PS1. */
export function expandPrompt(text: string, process: Process, get: (name: string) => string | undefined): string {
  const home = get('HOME');
  const { cwd } = process;
  const directory = home && home !== '/' && (cwd === home || cwd.startsWith(`${home}/`)) ? `~${cwd.slice(home.length)}` : cwd;
  const values: Record<string, string> = {
    w: directory,
    W: directory === '/' ? '/' : directory.split('/').pop()!,
    u: get('USER') ?? (process.uid === 0 ? 'root' : String(process.uid)),
    h: process.machine.hostname.split('.')[0]!,
    H: process.machine.hostname,
    $: process.uid === 0 ? '#' : '$',
    s: 'bash',
    v: '5.2',
    n: '\n',
    '\\': '\\',
    '[': '',
    ']': '',
    e: '\x1b',
  };
  return text.replace(/\\(033|.)/g, (whole, letter: string) => (letter === '033' ? '\x1b' : (values[letter] ?? whole)));
}
