import { Errno } from '../unix/types.ts';
import { ArithmeticError, evaluateArithmetic } from './arithmetic.ts';
import { braceExpand } from './brace-expansion.ts';
import { ShellFailure } from './control.ts';
import { expandPathname, hasWildcard, type ShellPattern, shellPattern } from './glob.ts';
import type { Shell } from './shell.ts';
import { processSubstitution, substitute } from './substitution.ts';
import type { ParameterPart, Word } from './syntax.ts';

/** A stretch of expanded text. `split`: comes from an unquoted expansion, so that IFS divides it. */
type Segment = { text: string; quoted: boolean; split: boolean } | 'break';

/** Words as a command gets them: expanded, divided by IFS, pathnames filled in. */
export async function expandWords(shell: Shell, words: readonly Word[]): Promise<string[]> {
  const out: string[] = [];
  for (const word of words) {
    const only = word.length === 1 ? word[0]! : undefined;
    if (only?.type === 'text' && (only.quoted || !/[*?[~{]/.test(only.text))) {
      out.push(only.text);
      continue;
    }
    const alternatives = shell.dialect === 'bash' && shell.options.has('braceexpand') ? braces(shell, word) : [word];
    // Not spread into push: there may be a million of them.
    for (const alternative of alternatives) for (const field of toFields(shell, await segmentsOf(shell, alternative, false))) out.push(field);
  }
  return out;
}

function braces(shell: Shell, word: Word): Word[] {
  const words = braceExpand(word);
  if (!words) throw new ShellFailure(`${shell.errorPrefix()}brace expansion: cannot allocate memory`, 1);
  return words;
}

/** A word as one text: no splitting, no pathnames (assignments, redirects, `case`). */
export async function expandText(shell: Shell, word: Word, assignment = false): Promise<string> {
  const only = word.length === 1 ? word[0]! : undefined;
  if (only?.type === 'text' && (only.quoted || !only.text.includes('~'))) return only.text;
  const segments = await segmentsOf(shell, word, assignment);
  return segments.map((segment) => (segment === 'break' ? ' ' : segment.text)).join('');
}

/** A word as a pattern in which quoted characters are escaped. */
export async function expandPattern(shell: Shell, word: Word): Promise<string> {
  const segments = await segmentsOf(shell, word, false);
  return segments.map((segment) => (segment === 'break' ? ' ' : segment.quoted ? escapePattern(segment.text) : segment.text)).join('');
}

function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]!^-]/g, '\\$&');
}

async function segmentsOf(shell: Shell, word: Word, assignment: boolean): Promise<Segment[]> {
  const out: Segment[] = [];
  for (let i = 0; i < word.length; i++) {
    const part = word[i]!;
    switch (part.type) {
      case 'text': {
        let { text } = part;
        if (!part.quoted && text.includes('~')) {
          const closed = i === word.length - 1;
          if (i === 0) text = expandTilde(shell, text, closed, assignment);
          if (assignment) text = text.replace(/:(~[^/:]*)/g, (_, name: string) => `:${expandTilde(shell, name, true, false)}`);
        }
        out.push({ text, quoted: part.quoted, split: false });
        break;
      }
      case 'parameter':
        out.push(...(await expandParameter(shell, part)));
        break;
      case 'command':
        out.push({ text: await substitute(shell, part.body), quoted: part.quoted, split: !part.quoted });
        break;
      case 'arithmetic':
        out.push({ text: String(await arithmetic(shell, part.expression)), quoted: part.quoted, split: !part.quoted });
        break;
      case 'process':
        out.push({ text: await processSubstitution(shell, part.direction, part.body), quoted: true, split: false });
        break;
    }
  }
  return out;
}

function expandTilde(shell: Shell, text: string, closed: boolean, assignment: boolean): string {
  const match = (assignment ? /^~([^/:]*)/ : /^~([^/]*)/).exec(text);
  if (!match || (match[0] === text && !closed)) return text;
  const name = match[1]!;
  const home =
    name === ''
      ? shell.get('HOME')
      : name === '+' && shell.dialect === 'bash'
        ? shell.get('PWD')
        : name === '-' && shell.dialect === 'bash'
          ? shell.get('OLDPWD')
          : homeOf(shell, name);
  return home === undefined ? text : home + text.slice(match[0].length);
}

export async function arithmetic(shell: Shell, expression: Word): Promise<bigint> {
  return evaluate(shell, await expandText(shell, expression));
}

/** Evaluates arithmetic with the shell's variables. Errors are shell failures. */
export function evaluate(shell: Shell, text: string, prefix = ''): bigint {
  try {
    return evaluateArithmetic(
      text,
      {
        get: (name) => shell.getElement(name),
        set: (name, value) => shell.setElement(name, value),
        ...(shell.options.has('nounset') ? { unset: (name: string) => shell.unboundVariable(name) } : {}),
      },
      shell.dialect,
    );
  } catch (error) {
    if (!(error instanceof ArithmeticError)) throw error;
    throw new ShellFailure(`${shell.errorPrefix()}${prefix}${error.message}`, shell.dialect === 'ash' ? 2 : 1);
  }
}

// ---- parameters ----

async function expandParameter(shell: Shell, part: ParameterPart): Promise<Segment[]> {
  const { quoted, operator } = part;
  const segment = (text: string): Segment[] => [{ text, quoted, split: !quoted }];
  let { name } = part;
  if (part.indirect) {
    if (part.operator === undefined && part.index !== undefined) return many(shell, [...(shell.variables.find(name)?.array?.keys() ?? [])], '@', quoted);
    name = shell.get(name) ?? '';
  }
  const indexText = part.index ? await expandText(shell, part.index) : undefined;
  const all = name === '@' || name === '*' ? name : indexText === '@' || indexText === '*' ? indexText : undefined;
  if (all) {
    const values = name === '@' || name === '*' ? shell.positional : [...(shell.arrayValues(name) ?? [])];
    if (part.length) return segment(String(values.length));
    if (operator === undefined) return many(shell, values, all, quoted);
    if (operator === ':') {
      const [from, count] = await sliceOf(shell, part);
      const list = name === '@' || name === '*' ? [shell.scriptName, ...values] : values;
      const start = from < 0 ? list.length + from : from;
      return many(shell, list.slice(name === '@' && start === 0 ? 0 : start, count === undefined ? undefined : start + count), all, quoted);
    }
    if (/^(?:#|%|\/|\^|,)/.test(operator)) {
      const results: string[] = [];
      for (const value of values) results.push(await transform(shell, part, value));
      return many(shell, results, all, quoted);
    }
  }
  let value = all
    ? shell.positional.length > 0
      ? shell.positional.join(' ')
      : undefined
    : indexText !== undefined
      ? shell.getElement(`${name}[${indexText}]`)
      : shell.parameter(name);
  if (part.length) {
    if (value === undefined && shell.options.has('nounset')) shell.unboundVariable(name);
    return segment(String([...(value ?? '')].length));
  }
  switch (operator) {
    case undefined:
      if (value === undefined && shell.options.has('nounset') && !all) shell.unboundVariable(indexText === undefined ? name : `${name}[${indexText}]`);
      return value === undefined && !quoted ? [] : segment(value ?? '');
    case '-':
    case ':-':
    case '+':
    case ':+': {
      const present = value !== undefined && !(operator.startsWith(':') && value === '');
      if (present !== operator.endsWith('+')) return present ? (all ? many(shell, shell.positional, all, quoted) : segment(value!)) : quoted ? segment('') : [];
      return argumentSegments(shell, part.argument!, quoted);
    }
    case '=':
    case ':=': {
      if (value === undefined || (operator === ':=' && value === '')) {
        value = await expandText(shell, part.argument!);
        if (!/^[A-Za-z_]/.test(name))
          throw new ShellFailure(
            shell.dialect === 'ash' ? `${shell.errorPrefix()}${name}: bad variable name` : `${shell.errorPrefix()}$${name}: cannot assign in this way`,
            shell.dialect === 'ash' ? 2 : 1,
          );
        shell.setElement(indexText === undefined ? name : `${name}[${indexText}]`, value);
      }
      return segment(value);
    }
    case '?':
    case ':?':
      if (value === undefined || (operator === ':?' && value === '')) {
        const message = await expandText(shell, part.argument!);
        const unset = shell.dialect === 'ash' ? 'parameter not set' : 'parameter null or not set';
        throw new ShellFailure(
          `${shell.errorPrefix()}${name}: ${message || (shell.dialect === 'bash' && operator === '?' ? 'parameter not set' : unset)}`,
          shell.dialect === 'ash' ? 2 : 127,
        );
      }
      return segment(value);
    default:
      if (value === undefined) {
        if (shell.options.has('nounset')) shell.unboundVariable(name);
        value = '';
      }
      return segment(await transform(shell, part, value));
  }
}

/** `$@` and `$*` and arrays: one field each, joined by IFS only for a quoted star. */
function many(shell: Shell, values: readonly string[], kind: string, quoted: boolean): Segment[] {
  if (kind === '*' && quoted) {
    const ifs = shell.get('IFS');
    return [{ text: values.join(ifs === undefined ? ' ' : ifs.slice(0, 1)), quoted, split: false }];
  }
  const out: Segment[] = [];
  values.forEach((text, index) => {
    if (index > 0) out.push('break');
    out.push({ text, quoted, split: !quoted });
  });
  return out;
}

async function argumentSegments(shell: Shell, word: Word, quoted: boolean): Promise<Segment[]> {
  const segments = await segmentsOf(shell, word, false);
  if (word.length === 0) return quoted ? [{ text: '', quoted, split: false }] : [];
  return segments.map((segment) => (segment === 'break' || segment.quoted ? segment : { ...segment, split: !quoted }));
}

async function sliceOf(shell: Shell, part: ParameterPart): Promise<[number, number | undefined]> {
  const from = Number(await arithmetic(shell, part.argument!));
  return [from, part.second ? Number(await arithmetic(shell, part.second)) : undefined];
}

async function transform(shell: Shell, part: ParameterPart, value: string): Promise<string> {
  const operator = part.operator!;
  if (operator === ':') {
    const characters = [...value];
    const [from, count] = await sliceOf(shell, part);
    const start = from < 0 ? Math.max(0, characters.length + from) : from;
    if (from < 0 && characters.length + from < 0) return '';
    if (count !== undefined && count < 0 && characters.length + count < start) {
      if (shell.dialect === 'ash') return '';
      throw new ShellFailure(`${shell.errorPrefix()}${count}: substring expression < 0`, 1);
    }
    return characters.slice(start, count === undefined ? undefined : count < 0 ? characters.length + count : start + count).join('');
  }
  if (operator.startsWith('#') || operator.startsWith('%')) return removePattern(shell, value, await expandPattern(shell, part.argument!), operator);
  if (operator.startsWith('/')) {
    const pattern = await expandPattern(shell, part.argument!);
    const replacement = part.second ? await expandText(shell, part.second) : '';
    if (pattern === '') return value;
    return replacePattern(shell, value, shellPattern(pattern), operator, replacement);
  }
  if (operator === '@') {
    const kind = await expandText(shell, part.argument ?? []);
    return kind === 'Q'
      ? shellQuote(value)
      : kind === 'U'
        ? value.toUpperCase()
        : kind === 'L'
          ? value.toLowerCase()
          : kind === 'u'
            ? value.slice(0, 1).toUpperCase() + value.slice(1)
            : value;
  }
  const upper = operator.startsWith('^');
  const change = (text: string): string => (upper ? text.toUpperCase() : text.toLowerCase());
  return operator.length === 2 ? change(value) : change(value.slice(0, 1)) + value.slice(1);
}

function removePattern(shell: Shell, value: string, pattern: string, operator: string): string {
  const longest = operator.length === 2;
  if (operator.startsWith('#')) return value.slice(shellPattern(pattern).prefix(value, longest, shell.process) ?? 0);
  return value.slice(0, value.length - (shellPattern(pattern).suffix(value, longest, shell.process) ?? 0));
}

/** `/`: the first match, `//`: all, `/#` and `/%`: one at the beginning or end. */
async function replacePattern(shell: Shell, value: string, pattern: ShellPattern, operator: string, replacement: string): Promise<string> {
  if (operator === '/#') {
    const length = pattern.prefix(value, true, shell.process);
    return length === undefined ? value : replacement + value.slice(length);
  }
  if (operator === '/%') {
    const length = pattern.suffix(value, true, shell.process);
    return length === undefined ? value : value.slice(0, value.length - length) + replacement;
  }
  let out = '';
  let from = 0;
  while (from < value.length || value === '') {
    const found = pattern.find(value, { from }, shell.process);
    if (!found) break;
    const empty = found.end === found.start;
    out += value.slice(from, found.start) + (empty && operator === '//' ? '' : replacement);
    from = found.end;
    if (operator === '/' || value === '') break;
    if (empty) out += value.slice(from, ++from);
    // A long value costs much: Ctrl-C must come through.
    await shell.process.cpu(0);
  }
  return out + value.slice(from);
}

/** A text in single quotes where it needs them. */
export function shellQuote(text: string, dialect: 'ash' | 'bash' = 'bash'): string {
  return `'${text.replaceAll("'", dialect === 'ash' ? `'"'"'` : "'\\''")}'`;
}

function pathnames(shell: Shell, pattern: string): string[] {
  try {
    const found = expandPathname(shell.process.machine.fs, shell.process.cwd, pattern);
    shell.process.charge(found.length / 1000);
    return found;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw new ShellFailure(`${shell.errorPrefix()}${pattern}: ${error.message}`, 1);
  }
}

// ---- fields ----

interface Field {
  text: string;
  pattern: string;
}

function toFields(shell: Shell, segments: readonly Segment[]): string[] {
  const ifs = shell.get('IFS') ?? ' \t\n';
  const fields: Field[] = [];
  let current: Field | undefined;
  /** A delimiter of white space has ended the last field: one further delimiter character belongs to it. */
  let afterSpace = false;
  const end = (): void => {
    if (current) fields.push(current);
    current = undefined;
  };
  const add = (text: string, pattern: string): void => {
    current ??= { text: '', pattern: '' };
    current.text += text;
    current.pattern += pattern;
    afterSpace = false;
  };
  for (const segment of segments) {
    if (segment === 'break') {
      end();
      continue;
    }
    const { text } = segment;
    if (!segment.split) {
      if (text !== '' || segment.quoted) add(text, segment.quoted ? escapePattern(text) : text);
      continue;
    }
    let run = 0;
    const flush = (to: number): void => {
      if (to > run) {
        const piece = text.slice(run, to);
        add(piece, piece.replaceAll('\\', '\\\\'));
      }
    };
    for (let i = 0; i < text.length; i++) {
      const character = text[i]!;
      if (!ifs.includes(character)) continue;
      flush(i);
      run = i + 1;
      if (' \t\n'.includes(character)) {
        if (current) {
          end();
          afterSpace = true;
        }
      } else if (current) end();
      else if (afterSpace) afterSpace = false;
      else fields.push({ text: '', pattern: '' });
    }
    flush(text.length);
  }
  end();
  const out: string[] = [];
  for (const field of fields) {
    if (shell.options.has('noglob') || !hasWildcard(field.pattern)) {
      out.push(field.text);
      continue;
    }
    const found = pathnames(shell, field.pattern);
    if (found.length > 0) for (const path of found) out.push(path);
    else if (!shell.options.has('nullglob')) out.push(field.text);
  }
  return out;
}

/** Home directory of a user in /etc/passwd. */
function homeOf(shell: Shell, user: string): string | undefined {
  try {
    const line = shell.process.machine.fs
      .readText('/etc/passwd')
      .split('\n')
      .find((entry) => entry.startsWith(`${user}:`));
    return line?.split(':')[5];
  } catch {
    return undefined;
  }
}
