import { CLASSES } from '../unix/character-classes.ts';
import { Errno } from '../unix/types.ts';
import { type Applet, Failure, getopt, parseNumber, program, readEscape, UsageError } from './applet.ts';

/** Applets that look inside lines: sort, uniq, cut, tr, comm. */

interface SortKey {
  startField: number;
  startChar: number;
  endField: number;
  endChar: number;
  flags: string;
}

function parseKey(text: string): SortKey {
  const match = /^(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?$/.exec(text);
  if (!match) throw new Failure(`bad field specification`);
  return {
    startField: Number(match[1]),
    startChar: Number(match[2] ?? 1),
    endField: Number(match[4] ?? 0),
    endChar: Number(match[5] ?? 0),
    flags: `${match[3] ?? ''}${match[6] ?? ''}`,
  };
}

/** Where fields begin: after the separator, or (without one) with the blanks before them. */
function keyOf(line: string, key: SortKey, separator: string | undefined): string {
  const fieldStart = (field: number): number => {
    let at = 0;
    for (let i = 1; i < field; i++) {
      if (separator !== undefined) {
        const next = line.indexOf(separator, at);
        if (next < 0) return line.length;
        at = next + 1;
      } else {
        while (at < line.length && isBlank(line[at])) at++;
        while (at < line.length && !isBlank(line[at])) at++;
      }
    }
    return at;
  };
  const fieldEnd = (field: number): number => {
    const start = fieldStart(field);
    if (separator !== undefined) {
      const next = line.indexOf(separator, start);
      return next < 0 ? line.length : next;
    }
    let at = start;
    while (at < line.length && isBlank(line[at])) at++;
    while (at < line.length && !isBlank(line[at])) at++;
    return at;
  };
  let start = fieldStart(key.startField);
  if (key.flags.includes('b')) while (start < line.length && isBlank(line[start])) start++;
  start = Math.min(line.length, start + key.startChar - 1);
  if (key.endField === 0) return line.slice(start);
  const end = key.endChar === 0 ? fieldEnd(key.endField) : Math.min(line.length, fieldStart(key.endField) + key.endChar);
  return line.slice(start, Math.max(start, end));
}

const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t' || char === '\n';

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

function compareBy(flags: string, a: string, b: string): number {
  if (flags.includes('n') || flags.includes('g')) {
    const number = (text: string): number => {
      const match = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i.exec(text);
      return match ? Number.parseFloat(match[0]) : flags.includes('g') ? Number.NEGATIVE_INFINITY : 0;
    };
    const [x, y] = [number(a), number(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (flags.includes('h')) {
    const size = (text: string): number => {
      const match = /^\s*(-?\d+\.?\d*)([kKMGTPE]?)/.exec(text);
      return match ? Number(match[1]) * 1024 ** (match[2] ? ' KMGTPE'.indexOf(match[2].toUpperCase()) : 0) : 0;
    };
    return size(a) - size(b);
  }
  if (flags.includes('M')) {
    const month = (text: string): number => MONTHS.indexOf(text.trim().slice(0, 3).toUpperCase());
    return month(a) - month(b);
  }
  if (flags.includes('V')) return compareVersions(a, b);
  const clean = (text: string): string => {
    let out = text;
    if (flags.includes('d')) out = out.replace(/[^A-Za-z0-9\s]/g, '');
    if (flags.includes('i')) out = out.replace(/[^\x20-\x7e]/g, '');
    return flags.includes('f') ? out.toUpperCase() : out;
  };
  return compareBytes(clean(a), clean(b));
}

function compareVersions(a: string, b: string): number {
  const parts = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const [x, y] = [parts(a), parts(b)];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const [p = '', q = ''] = [x[i], y[i]];
    const order = /^\d/.test(p) && /^\d/.test(q) ? Number(p) - Number(q) : compareBytes(p, q);
    if (order !== 0) return order;
  }
  return 0;
}

async function sort(applet: Applet): Promise<number | undefined> {
  const options = getopt(applet.args, 'nrugMcszbdfihVo:k:t:T:S:m');
  const separator = options.get('t');
  if (options.count('t') > 1) throw new UsageError();
  if (separator !== undefined && separator.length > 1 && separator !== '\\0') throw new Failure(`bad -t parameter`);
  const global = ['n', 'g', 'M', 'h', 'V', 'b', 'd', 'f', 'i', 'r'].filter((letter) => options.has(letter)).join('');
  const keys = options.all('k').map(parseKey);
  const lines: string[] = [];
  for (const path of options.rest.length > 0 ? options.rest : ['-']) {
    let file: ReturnType<Applet['open']>;
    try {
      file = applet.open(path);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new Failure(`${path}: ${error.message}`, 2);
    }
    let bytes = 0;
    for await (const { text } of applet.linesOrNone(file, options.has('z') ? '\0' : '\n')) {
      lines.push(text);
      bytes += text.length + 64;
      if (lines.length % 1000 === 0) applet.process.useMemory(bytes);
    }
  }
  const compareKeys = (a: string, b: string): number => {
    if (keys.length === 0) {
      const order = compareBy(global, global.includes('b') ? a.trimStart() : a, global.includes('b') ? b.trimStart() : b);
      return global.includes('r') ? -order : order;
    }
    for (const key of keys) {
      const flags = /[ngMhVdfibr]/.test(key.flags) ? key.flags : global;
      const withBlanks = { ...key, flags };
      const order = compareBy(flags, keyOf(a, withBlanks, separator), keyOf(b, withBlanks, separator));
      if (order !== 0) return flags.includes('r') ? -order : order;
    }
    return 0;
  };
  const compare = (a: string, b: string): number => {
    const order = compareKeys(a, b);
    if (order !== 0 || options.has('s') || options.has('u')) return order;
    const last = compareBytes(a, b);
    return global.includes('r') ? -last : last;
  };
  if (options.has('c')) {
    for (let i = 1; i < lines.length; i++) {
      const order = compare(lines[i - 1] as string, lines[i] as string);
      if (order > 0 || (order === 0 && options.has('u'))) {
        await applet.err(`Check line ${i}\n`);
        return 1;
      }
    }
    return 0;
  }
  await applet.process.cpu(lines.length / 2000);
  lines.sort(compare);
  const kept = options.has('u') ? lines.filter((line, i) => i === 0 || compareKeys(lines[i - 1] as string, line) !== 0) : lines;
  const end = options.has('z') ? '\0' : '\n';
  const output = options.get('o');
  if (output !== undefined) {
    applet.process.stdout = applet.process.open(applet.path(output), 'w');
  }
  for (const line of kept) await applet.put(line + end);
  return undefined;
}

async function uniq(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'cdus:f:w:iz');
  const [input = '-', output] = options.rest;
  const skipFields = Number(options.get('f') ?? 0);
  const skipChars = Number(options.get('s') ?? 0);
  const width = options.get('w');
  const keyOfLine = (line: string): string => {
    let at = 0;
    for (let i = 0; i < skipFields; i++) at += /^[ \t]*[^ \t]*/.exec(line.slice(at))?.[0].length ?? 0;
    const key = line.slice(at + skipChars, width === undefined ? undefined : at + skipChars + Number(width));
    return options.has('i') ? key.toLowerCase() : key;
  };
  const file = await applet.tryOpen(input, (name, why) => `can't open '${name}': ${why}`);
  if (!file) return;
  if (output !== undefined && output !== '-') applet.process.stdout = applet.process.open(applet.path(output), 'w');
  let current: { line: string; key: string; count: number } | undefined;
  const emit = (): Promise<void> | undefined => {
    if (!current || (options.has('d') && current.count < 2) || (options.has('u') && current.count > 1)) return undefined;
    return applet.put(`${options.has('c') ? `${String(current.count).padStart(7)} ` : ''}${current.line}\n`);
  };
  for await (const { text } of applet.lines(file)) {
    const key = keyOfLine(text);
    if (current?.key === key) {
      current.count++;
      continue;
    }
    await emit();
    current = { line: text, key, count: 1 };
  }
  await emit();
}

/** "1,3-5,7-" → tests whether a position (from 1) is chosen. */
function parseList(text: string): (position: number) => boolean {
  const ranges = text.split(',').map((part): [number, number] => {
    const match = /^(\d*)(-?)(\d*)$/.exec(part.trim());
    if (!match || (match[1] === '' && match[3] === '')) throw new Failure(`invalid range '${part}'`);
    const from = match[1] === '' ? 1 : Number(match[1]);
    const to = match[2] === '' ? from : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]);
    return [from, to];
  });
  return (position) => ranges.some(([from, to]) => position >= from && position <= to);
}

async function cut(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'b:c:d:f:snD', { complement: 'n' });
  const list = options.get('b') ?? options.get('c') ?? options.get('f');
  if (list === undefined) throw new Failure('expected a list of bytes, characters, or fields');
  const kinds = ['b', 'c', 'f'].filter((letter) => options.has(letter));
  if (kinds.length > 1) throw new UsageError();
  if (kinds[0] !== 'f' && (options.has('s') || options.has('d')))
    throw new Failure(
      options.has('s')
        ? 'suppressing non-delimited lines makes sense only when operating on fields'
        : 'a delimiter may be specified only when operating on fields',
    );
  const chosen = parseList(list);
  const delimiter = (options.get('d') ?? '\t')[0] ?? '\0';
  for (const path of options.rest.length > 0 ? options.rest : ['-']) {
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (!file) continue;
    for await (const { text } of applet.linesOrNone(file)) {
      if (kinds[0] !== 'f') {
        await applet.put(`${[...text].filter((_, i) => chosen(i + 1)).join('')}\n`);
      } else if (!text.includes(delimiter)) {
        if (!options.has('s')) await applet.put(`${text}\n`);
      } else {
        await applet.put(
          `${text
            .split(delimiter)
            .filter((_, i) => chosen(i + 1))
            .join(delimiter)}\n`,
        );
      }
    }
  }
}

/** A set of tr as the characters it lists. */
function expandSet(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; ) {
    const named = /^\[:([a-z]+):\]/.exec(text.slice(i));
    const inClass = named ? CLASSES[named[1] as string] : undefined;
    if (named && inClass) {
      for (let code = 0; code < 256; code++) if (inClass(code)) out += String.fromCharCode(code);
      i += named[0].length;
      continue;
    }
    const equal = /^\[=(.)=\]/s.exec(text.slice(i));
    if (equal) {
      out += equal[1];
      i += equal[0].length;
      continue;
    }
    const read = (): string => {
      if (text[i] !== '\\' || i + 1 >= text.length) return text[i++] as string;
      const sequence = readEscape(text, i + 1, false);
      if (!sequence) {
        i += 2;
        return 'c';
      }
      i = sequence.next;
      return sequence.char.length > 1 ? (sequence.char[1] as string) : sequence.char;
    };
    const first = read();
    if (text[i] === '-' && i + 1 < text.length) {
      i++;
      const last = read();
      for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code++) out += String.fromCharCode(code);
    } else out += first;
  }
  return out;
}

async function tr(applet: Applet): Promise<void> {
  const options = getopt(applet.args, '+cCdst');
  const [from, to] = options.rest;
  if (from === undefined) throw new UsageError();
  let set1 = expandSet(from);
  if (options.has('c') || options.has('C')) {
    const members = new Set(set1);
    set1 = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
      .filter((char) => !members.has(char))
      .join('');
  }
  const set2 = to === undefined ? undefined : expandSet(to);
  const members = (text: string | undefined): Uint8Array => Uint8Array.from({ length: 256 }, (_, code) => (text?.includes(String.fromCharCode(code)) ? 1 : 0));
  const remove = members(options.has('d') ? set1 : '');
  const squeeze = members(options.has('s') ? (set2 ?? set1) : '');
  const map = Uint8Array.from({ length: 256 }, (_, code) => code);
  if (!options.has('d') && set2 !== undefined) {
    if (set2 === '') throw new Failure('STRING2 cannot be empty');
    for (let i = 0; i < set1.length; i++) if (i < set2.length || !options.has('t')) map[set1.charCodeAt(i)] = set2.charCodeAt(Math.min(i, set2.length - 1));
  }
  let last = -1;
  for await (const chunk of applet.chunks(applet.process.stdin)) {
    const out = new Uint8Array(chunk.length);
    let length = 0;
    for (const byte of chunk) {
      if (remove[byte] === 1) continue;
      const mapped = map[byte] as number;
      if (mapped === last && squeeze[mapped] === 1) continue;
      last = mapped;
      out[length++] = mapped;
    }
    if (length > 0) await applet.process.stdout.write(out.subarray(0, length));
  }
}

async function comm(applet: Applet): Promise<void> {
  const options = getopt(applet.args, '123');
  if (options.rest.length !== 2) throw new UsageError();
  const [left, right] = await Promise.all(
    options.rest.map(async (path) => {
      const lines: string[] = [];
      for await (const { text } of applet.lines(applet.open(path))) lines.push(text);
      return lines;
    }),
  );
  const show = (column: '1' | '2' | '3', text: string): Promise<void> | undefined => {
    if (options.has(column)) return undefined;
    const indent = (column > '1' && !options.has('1') ? 1 : 0) + (column > '2' && !options.has('2') ? 1 : 0);
    return applet.put(`${'\t'.repeat(indent)}${text}\n`);
  };
  let i = 0;
  let j = 0;
  while (i < (left?.length ?? 0) || j < (right?.length ?? 0)) {
    const [a, b] = [left?.[i], right?.[j]];
    if (b === undefined || (a !== undefined && a < b)) await show('1', left?.[i++] as string);
    else if (a === undefined || b < a) await show('2', right?.[j++] as string);
    else {
      await show('3', a);
      i++;
      j++;
    }
  }
}

export const textFieldApplets = {
  sort: program('[-nrughMcszbdfiokt] [-o FILE] [-k START[.OFS][OPTS][,END[.OFS][OPTS]] [-t CHAR] [FILE]...', sort, 2),
  uniq: program('[-cduiz] [-f,s,w N] [FILE [OUTFILE]]', uniq),
  cut: program('[OPTIONS] [FILE]...', cut),
  tr: program('[-cds] STRING1 [STRING2]', tr),
  comm: program('[-123] FILE1 FILE2', comm),
};
