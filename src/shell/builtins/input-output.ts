import { Aborted } from '../../kernel/index.ts';
import { decodeText, Errno, encodeWithBytes, type Process, type Program } from '../../unix/index.ts';
import { formatPrint, unescapeText } from '../print-format.ts';
import type { Shell } from '../shell.ts';
import { evaluateTest, TestError, testContext } from '../test-expression.ts';
import type { Builtin } from './index.ts';
import { complain, fail, print } from './support.ts';

/** What echo prints for its words. */
export function echoText(args: readonly string[], dialect: Shell['dialect']): string {
  let newline = true;
  let escapes = false;
  let index = 0;
  for (; index < args.length && /^-[neE]+$/.test(args[index]!); index++) {
    for (const letter of args[index]!.slice(1)) {
      if (letter === 'n') newline = false;
      else if (letter === 'e') escapes = true;
      // BusyBox takes -E, to no effect.
      else if (dialect === 'bash') escapes = false;
    }
  }
  const text = args.slice(index).join(' ');
  if (!escapes) return text + (newline ? '\n' : '');
  const unescaped = unescapeText(text, dialect === 'bash' ? 'bash-echo' : 'echo');
  return unescaped.text + (newline && !unescaped.stopped ? '\n' : '');
}

async function echo(shell: Shell, words: readonly string[]): Promise<number> {
  await print(shell, echoText(words.slice(1), shell.dialect));
  return 0;
}

async function printf(shell: Shell, words: readonly string[]): Promise<number> {
  let args = words.slice(1);
  let variable: string | undefined;
  if (args[0] === '-v' && shell.dialect === 'bash') {
    variable = args[1];
    args = args.slice(2);
  }
  if (args[0] === '--') args = args.slice(1);
  const [format, ...rest] = args;
  if (format === undefined) {
    await shell.complain(
      shell.dialect === 'ash' ? `${shell.appletName}: usage: printf FORMAT [ARGUMENT...]` : 'printf: usage: printf [-v var] format [arguments]',
    );
    return 2;
  }
  const formatted = formatPrint(format, rest, shell.dialect);
  for (const problem of formatted.problems) await shell.complain(printfComplaint(shell, problem));
  if (variable !== undefined) shell.setElement(variable, formatted.text);
  else await print(shell, formatted.text);
  return formatted.problems.length > 0 ? 1 : 0;
}

function printfComplaint(shell: Shell, problem: { kind: 'number' | 'format'; text: string }): string {
  if (shell.dialect === 'ash')
    return `${shell.appletName}: ${problem.kind === 'number' ? `invalid number '${problem.text}'` : `${problem.text}: invalid format`}`;
  if (problem.kind === 'number') return `${shell.errorPrefix('printf')}${problem.text}: invalid number`;
  const last = problem.text.at(-1)!;
  return `${shell.errorPrefix('printf')}\`${problem.text.length > 1 && /[a-zA-Z]/.test(last) && last !== 'z' ? last : problem.text}': ${problem.text.length > 1 && last !== 'z' ? 'invalid format character' : 'missing format character'}`;
}

async function test(shell: Shell, words: readonly string[]): Promise<number> {
  const name = words[0]!;
  let args = words.slice(1);
  if (name === '[') {
    if (args.at(-1) !== ']') {
      await shell.complain(shell.dialect === 'ash' ? `${shell.appletName}: missing ]` : `${shell.errorPrefix('[')}missing \`]'`);
      return 2;
    }
    args = args.slice(0, -1);
  }
  try {
    return evaluateTest(args, testContext(shell)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    await shell.complain(testComplaint(shell, name, error, args));
    return 2;
  }
}

function testComplaint(shell: Shell, name: string, error: TestError, args: readonly string[]): string {
  const { kind, message } = error;
  if (shell.dialect === 'ash') {
    const second = args[1] ?? '';
    if (kind === 'operator' && args.length === 2) {
      const isOperator = /^(?:[!=<>]=?|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef))$/.test(second);
      return `${shell.appletName}: ${second}: ${isOperator ? 'argument expected' : 'unknown operand'}`;
    }
    const text =
      kind === 'number'
        ? `${message && `${message}: `}bad number`
        : kind === 'closing'
          ? 'closing paren expected'
          : kind === 'argument'
            ? `${message && `${message}: `}argument expected`
            : `${message}: unknown operand`;
    return `${shell.appletName}: ${text}`;
  }
  const prefix = shell.errorPrefix(name);
  if (kind === 'number') return `${prefix}${message}: integer expression expected`;
  if (kind === 'closing') return `${prefix}\`)' expected`;
  if (kind === 'argument') return `${prefix}argument expected`;
  if (args.length === 2) return `${prefix}${message}: unary operator expected`;
  if (args.length === 3) return `${prefix}${args[1]}: binary operator expected`;
  return `${prefix}too many arguments`;
}

async function read(shell: Shell, words: readonly string[]): Promise<number> {
  let raw = false;
  let prompt = '';
  let delimiter = '\n';
  let limit: number | undefined;
  let exact = false;
  let timeoutMs: number | undefined;
  let silent = false;
  let array: string | undefined;
  let descriptor = 0;
  let index = 1;
  for (; index < words.length && /^-./.test(words[index]!); index++) {
    const word = words[index]!;
    if (word === '--') {
      index++;
      break;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i]!;
      if (letter === 'r') raw = true;
      else if (letter === 's') silent = true;
      else if (letter === 'e') continue;
      else if ('pdntuaN'.includes(letter)) {
        const value = word.slice(i + 1) || words[++index];
        if (value === undefined)
          return fail(shell, 'read', shell.dialect === 'ash' ? `option requires an argument -- ${letter}` : `-${letter}: option requires an argument`, 2);
        if (letter === 'p') prompt = value;
        else if (letter === 'd') delimiter = value.slice(0, 1) || '\0';
        else if (letter === 't') timeoutMs = Number(value) * 1000;
        else if (letter === 'u') descriptor = Number(value);
        else if (letter === 'a') array = value;
        else {
          limit = Number(value);
          exact = letter === 'N';
        }
        break;
      } else return shell.dialect === 'ash' ? fail(shell, 'read', `illegal option -${letter}`, 2) : complain(shell, 'read', `-${letter}: invalid option`, 2);
    }
  }
  const names = words.slice(index);
  for (const name of names) {
    if (!/^[A-Za-z_]\w*$/.test(name))
      return shell.dialect === 'ash' ? fail(shell, 'read', `${name}: bad variable name`, 2) : complain(shell, 'read', `\`${name}': not a valid identifier`);
  }
  const { process } = shell;
  const file = process.fds.get(descriptor);
  if (!file) return complain(shell, 'read', shell.dialect === 'ash' ? 'read error: Bad file descriptor' : `read error: ${descriptor}: Bad file descriptor`);
  if (prompt && file.tty) await process.err(prompt);
  const tty = file.tty;
  const echo = tty?.echo;
  if (tty && silent) tty.echo = false;
  let line: Awaited<ReturnType<typeof readLine>>;
  try {
    line = await readLine(shell, file, { raw, delimiter, limit, timeoutMs });
  } finally {
    if (tty && silent) tty.echo = echo ?? true;
  }
  assign(shell, names, array, exact ? line.characters.map((character) => ({ ...character, escaped: true })) : line.characters);
  return line.timedOut ? (shell.dialect === 'bash' ? 142 : 1) : line.ended ? 1 : 0;
}

interface ReadCharacter {
  text: string;
  /** Came after a backslash: never a delimiter. */
  escaped: boolean;
}

async function readLine(
  shell: Shell,
  file: Process['stdin'],
  options: { raw: boolean; delimiter: string; limit: number | undefined; timeoutMs: number | undefined },
): Promise<{ characters: ReadCharacter[]; ended: boolean; timedOut: boolean }> {
  const characters: ReadCharacter[] = [];
  const delimiter = options.delimiter.charCodeAt(0);
  let bytes: number[] = [];
  let escaping = false;
  const { kernel } = shell.process;
  const deadlineMs = options.timeoutMs === undefined ? undefined : kernel.now() + options.timeoutMs;
  const flush = (): void => {
    if (bytes.length === 0) return;
    for (const text of decodeText(Uint8Array.from(bytes))) characters.push({ text, escaped: false });
    bytes = [];
  };
  for (;;) {
    const chunk = await shell
      .waitFor(async (signal) => {
        if (deadlineMs === undefined) return file.read(signal);
        const controller = new AbortController();
        signal.addEventListener('abort', () => controller.abort(), { once: true });
        const timer = kernel.timer(deadlineMs - kernel.now(), () => controller.abort());
        try {
          return await file.read(controller.signal);
        } catch (error) {
          if (error instanceof Aborted && !signal.aborted) return undefined;
          throw error;
        } finally {
          timer.dispose();
        }
      })
      .catch(async (error) => {
        if (!(error instanceof Aborted)) throw error;
        await shell.checkSignals();
        return new Uint8Array(0);
      });
    if (chunk === undefined) {
      flush();
      return { characters, ended: true, timedOut: true };
    }
    if (chunk === null) {
      flush();
      return { characters, ended: true, timedOut: false };
    }
    // A source that always has more never lets the signal be seen.
    await shell.checkSignals();
    await shell.process.cpu(chunk.length / 50_000);
    shell.process.useMemory(characters.length * 100 + bytes.length * 8);
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (escaping) {
        escaping = false;
        flush();
        if (byte !== 10) characters.push({ text: String.fromCharCode(byte), escaped: true });
        continue;
      }
      if (byte === 92 && !options.raw) {
        flush();
        escaping = true;
        continue;
      }
      const full = options.limit !== undefined && characters.length + bytes.length + 1 >= options.limit;
      if (byte !== delimiter && byte !== 0) bytes.push(byte);
      if (byte === delimiter || full) {
        file.unread?.(chunk.subarray(i + 1));
        flush();
        return { characters, ended: false, timedOut: false };
      }
    }
  }
}

/** Divides a line by IFS among names; the last one gets the rest. */
function assign(shell: Shell, names: readonly string[], array: string | undefined, characters: readonly ReadCharacter[]): void {
  const ifs = shell.get('IFS') ?? ' \t\n';
  const isSpace = (character: ReadCharacter | undefined): boolean =>
    character !== undefined && !character.escaped && ' \t\n'.includes(character.text) && ifs.includes(character.text);
  const isDelimiter = (character: ReadCharacter | undefined): boolean => character !== undefined && !character.escaped && ifs.includes(character.text);
  let position = 0;
  const skipSpace = (): void => {
    while (isSpace(characters[position])) position++;
  };
  const word = (): string => {
    let text = '';
    while (position < characters.length && !isDelimiter(characters[position])) text += characters[position++]!.text;
    skipSpace();
    if (position < characters.length && isDelimiter(characters[position]) && !isSpace(characters[position])) {
      position++;
      skipSpace();
    }
    return text;
  };
  if (names.length === 0 && array === undefined) {
    shell.set('REPLY', shell.dialect === 'bash' ? characters.map((character) => character.text).join('') : trimmed(characters, 0, isSpace));
    return;
  }
  skipSpace();
  if (array !== undefined) {
    const values: string[] = [];
    while (position < characters.length) values.push(word());
    shell.variables.declare(array).array = new Map(values.map((value, index) => [String(index), value]));
    return;
  }
  names.forEach((name, index) => {
    if (index < names.length - 1) {
      shell.set(name, word());
      return;
    }
    // One field left with its delimiter behind it loses the delimiter; more than one keep everything between.
    const start = position;
    const first = word();
    shell.set(name, position >= characters.length ? first : trimmed(characters, start, isSpace));
  });
}

function trimmed(characters: readonly ReadCharacter[], start: number, isSpace: (character: ReadCharacter | undefined) => boolean): string {
  let end = characters.length;
  while (end > start && isSpace(characters[end - 1])) end--;
  let from = start;
  while (from < end && isSpace(characters[from])) from++;
  return characters
    .slice(from, end)
    .map((character) => character.text)
    .join('');
}

async function mapfile(shell: Shell, words: readonly string[]): Promise<number> {
  const trim = words.includes('-t');
  const name = words.findLast((word, index) => index > 0 && !word.startsWith('-')) ?? 'MAPFILE';
  const text = await shell.process.readAll();
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  shell.variables.declare(name).array = new Map(lines.map((line, index) => [String(index), trim ? line.replace(/\n$/, '') : line]));
  return 0;
}

export const inputOutputBuiltins: readonly (readonly [string, Builtin])[] = [
  ['echo', { run: echo }],
  ['printf', { run: printf }],
  ['test', { run: test }],
  ['[', { run: test }],
  ['read', { run: read }],
  ['mapfile', { run: mapfile, dialect: 'bash' }],
  ['readarray', { run: mapfile, dialect: 'bash' }],
];

// ---- the same as programs of their own, for env, xargs, find -exec and Pods without a shell ----

const appletName = (process: Process): string => (process.argv[0] ?? '').split('/').pop()!;

export const echoProgram: Program = async (process) => {
  await process.stdout.write(encodeWithBytes(echoText(process.argv.slice(1), 'ash')));
  return 0;
};

export const printfProgram: Program = async (process) => {
  const [format, ...args] = process.argv.slice(1);
  if (format === undefined) {
    await process.err('printf: usage: printf FORMAT [ARGUMENT...]\n');
    return 1;
  }
  const formatted = formatPrint(format, args, 'ash');
  for (const problem of formatted.problems)
    await process.err(problem.kind === 'number' ? `printf: invalid number '${problem.text}'\n` : `printf: ${problem.text}: invalid format\n`);
  await process.stdout.write(encodeWithBytes(formatted.text));
  return formatted.problems.length > 0 ? 1 : 0;
};

export const testProgram: Program = async (process) => {
  const name = appletName(process);
  let args = process.argv.slice(1);
  if (name === '[') {
    if (args.at(-1) !== ']') {
      await process.err('[: missing ]\n');
      return 2;
    }
    args = args.slice(0, -1);
  }
  try {
    return evaluateTest(args, testContext({ process })) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    await process.err(
      `${name}: ${error.message}: ${error.kind === 'number' ? 'bad number' : error.kind === 'argument' ? 'argument expected' : 'unknown operand'}\n`,
    );
    return 2;
  }
};

export const pwdProgram: Program = async (process) => {
  try {
    await process.out(`${process.machine.fs.realpath(process.cwd)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    await process.err(`pwd: ${error.message}\n`);
    return 1;
  }
};
