import { formatPrint } from '../shell/print-format.ts';
import { evaluateTest, TestError, testContext } from '../shell/test-expression.ts';
import { encodeWithBytes } from '../unix/index.ts';
import { Errno } from '../unix/types.ts';
import { type Applet, byteText, Failure, getopt, program, toByteText, UsageError } from './applet.ts';
import { parseDate } from './file-change.ts';
import { compileRegex } from './regex.ts';

/** Small applets: true, false, printf, test, expr, basename, dirname, pwd, date, cal, tty, clear, reset, sums, base64, od, diff, cmp … */

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const FULL_DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** strftime in the C locale, UTC. */
export function formatTime(format: string, ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [year, month, day, hour, minute, second] = [
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  const weekday = date.getUTCDay();
  const dayOfYear = Math.floor((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000);
  const isoThursday = new Date(Date.UTC(year, month, day + 4 - (weekday || 7)));
  const isoWeek = Math.floor((isoThursday.getTime() - Date.UTC(isoThursday.getUTCFullYear(), 0, 1)) / 604_800_000) + 1;
  const values: Record<string, () => string> = {
    a: () => DAYS[weekday] as string,
    A: () => FULL_DAYS[weekday] as string,
    b: () => (MONTHS[month] as string).slice(0, 3),
    B: () => MONTHS[month] as string,
    c: () => formatTime('%a %b %e %H:%M:%S %Y', ms),
    C: () => two(Math.floor(year / 100)),
    d: () => two(day),
    D: () => formatTime('%m/%d/%y', ms),
    e: () => String(day).padStart(2),
    F: () => formatTime('%Y-%m-%d', ms),
    g: () => two(isoThursday.getUTCFullYear() % 100),
    G: () => String(isoThursday.getUTCFullYear()),
    h: () => (MONTHS[month] as string).slice(0, 3),
    H: () => two(hour),
    I: () => two(hour % 12 || 12),
    j: () => String(dayOfYear + 1).padStart(3, '0'),
    k: () => String(hour).padStart(2),
    l: () => String(hour % 12 || 12).padStart(2),
    m: () => two(month + 1),
    M: () => two(minute),
    n: () => '\n',
    N: () => `${String(((ms % 1000) + 1000) % 1000).padStart(3, '0')}000000`,
    p: () => (hour < 12 ? 'AM' : 'PM'),
    P: () => (hour < 12 ? 'am' : 'pm'),
    r: () => formatTime('%I:%M:%S %p', ms),
    R: () => formatTime('%H:%M', ms),
    s: () => String(Math.floor(ms / 1000)),
    S: () => two(second),
    t: () => '\t',
    T: () => formatTime('%H:%M:%S', ms),
    u: () => String(weekday || 7),
    U: () => two(Math.floor((dayOfYear + 7 - weekday) / 7)),
    V: () => two(isoWeek),
    w: () => String(weekday),
    W: () => two(Math.floor((dayOfYear + 7 - ((weekday + 6) % 7)) / 7)),
    x: () => formatTime('%m/%d/%y', ms),
    X: () => formatTime('%H:%M:%S', ms),
    y: () => two(year % 100),
    Y: () => String(year),
    z: () => '+0000',
    Z: () => 'UTC',
    '%': () => '%',
  };
  return format.replace(/%([-_0^#]?)([a-zA-Z%])/g, (whole, flag: string, letter: string) => {
    const value = values[letter]?.();
    if (value === undefined) return whole;
    return flag === '-'
      ? value.replace(/^[0 ]+(?=.)/, '')
      : flag === '^'
        ? value.toUpperCase()
        : flag === '_'
          ? value.replace(/^0+(?=.)/, (zeros) => ' '.repeat(zeros.length))
          : value;
  });
}

async function date(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'Rd:D:us:r:I::', { utc: 'u', date: 'd', reference: 'r', 'rfc-2822': 'R', set: 's' });
  const now = applet.process.kernel.now();
  const reference = options.get('r');
  const given = options.get('d');
  if (options.has('s') || (options.rest[0] && !options.rest[0].startsWith('+'))) throw new Failure("can't set date: Operation not permitted");
  const time = reference !== undefined ? applet.fs.stat(applet.path(reference)).mtimeMs : given !== undefined ? parseDate(given, now) : now;
  const iso = options.has('I')
    ? { undefined: '%Y-%m-%d', date: '%Y-%m-%d', hours: '%Y-%m-%dT%H+00:00', minutes: '%Y-%m-%dT%H:%M+00:00', seconds: '%Y-%m-%dT%H:%M:%S+00:00' }[
        String(options.get('I'))
      ]
    : undefined;
  const format = options.rest[0]?.slice(1) ?? (options.has('R') ? '%a, %d %b %Y %H:%M:%S +0000' : (iso ?? '%a %b %e %H:%M:%S %Z %Y'));
  await applet.put(`${formatTime(format, time)}\n`);
}

async function cal(applet: Applet): Promise<void> {
  const now = new Date(applet.process.kernel.now());
  const [month, year] = applet.args.length === 2 ? [Number(applet.args[0]) - 1, Number(applet.args[1])] : [now.getUTCMonth(), now.getUTCFullYear()];
  const title = `${MONTHS[month]} ${year}`;
  const first = new Date(Date.UTC(year, month, 1)).getUTCDay();
  const count = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const cells = [...new Array(first).fill('  '), ...Array.from({ length: count }, (_, i) => String(i + 1).padStart(2))];
  await applet.put(`${' '.repeat(Math.floor((20 - title.length) / 2))}${title}\nSu Mo Tu We Th Fr Sa\n`);
  for (let i = 0; i < 42; i += 7) {
    const week = cells
      .slice(i, i + 7)
      .join(' ')
      .trimEnd();
    await applet.put(`${week || ' '.repeat(21)}\n`);
  }
}

async function printf(applet: Applet): Promise<void> {
  const [format, ...rest] = applet.process.argv.slice(1);
  if (format === undefined) throw new UsageError();
  const { text, problems } = formatPrint(format, rest, 'ash');
  await applet.put(byteText(encodeWithBytes(text)));
  for (const problem of problems)
    await applet.complain(problem.kind === 'number' ? `invalid number '${toByteText(problem.text)}'` : `${toByteText(problem.text)}: invalid format`);
}

async function test(applet: Applet): Promise<number> {
  const args = [...applet.process.argv.slice(1)];
  if (applet.name === '[' || applet.name === '[[') {
    const closing = applet.name === '[' ? ']' : ']]';
    if (args.pop() !== closing) throw new Failure(`missing ${closing}`, 2);
  }
  try {
    return evaluateTest(args, testContext(applet)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    const what = {
      number: `bad number: ${error.message}`,
      operator: `unknown operand: ${error.message}`,
      argument: 'argument expected',
      closing: 'closing paren expected',
    }[error.kind];
    throw new Failure(what, 2);
  }
}

async function basename(applet: Applet): Promise<void> {
  const options = getopt(applet.args, '+as:');
  const all = options.has('a') || options.has('s');
  const [first, second] = options.rest;
  if (first === undefined || (!all && options.rest.length > 2)) throw new UsageError();
  const suffix = options.get('s') ?? (all ? undefined : second);
  for (const path of all ? options.rest : [first]) {
    const name = /^\/+$/.test(path) ? '/' : (path.replace(/\/+$/, '').split('/').pop() ?? '');
    await applet.put(`${suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`);
  }
}

async function dirname(applet: Applet): Promise<void> {
  const args = applet.args[0] === '--' ? applet.args.slice(1) : applet.args;
  const [path] = args;
  if (path === undefined || args.length > 1) throw new UsageError();
  const trimmed = path.replace(/\/+$/, '');
  const at = trimmed.lastIndexOf('/');
  await applet.put(`${trimmed === '' ? (path === '' ? '.' : '/') : at < 0 ? '.' : trimmed.slice(0, at).replace(/\/+$/, '') || '/'}\n`);
}

async function pwd(applet: Applet): Promise<void> {
  await applet.put(`${toByteText(applet.process.cwd)}\n`);
}

/** expr: recursive descent over words, lowest precedence first. */
async function expr(applet: Applet): Promise<number> {
  const words = applet.args[0] === '--' ? applet.args.slice(1) : applet.args;
  if (words.length === 0) throw new Failure('too few arguments', 2);
  let at = 0;
  const number = (text: string): bigint => {
    if (!/^[+-]?\d+$/.test(text)) throw new Failure('non-numeric argument', 2);
    return BigInt(text);
  };
  const isNull = (text: string): boolean => text === '' || /^[+-]?0+$/.test(text);
  const match = (text: string, pattern: string): string => {
    const found = compileRegex(`^${pattern.replace(/^\^/, '')}`).exec(text);
    const capturing = /\\\(/.test(pattern);
    if (!found) return capturing ? '' : '0';
    return capturing ? (found.groups[1] ?? '') : String((found.groups[0] as string).length);
  };
  const primary = (): string => {
    const word = words[at++];
    if (word === undefined) throw new Failure('syntax error', 2);
    if (word === '(') {
      const value = or();
      if (words[at++] !== ')') throw new Failure('syntax error', 2);
      return value;
    }
    const next = (): string => {
      const argument = words[at++];
      if (argument === undefined) throw new Failure('syntax error', 2);
      return argument;
    };
    if (at < words.length && word === 'length') return String(next().length);
    if (at < words.length && word === 'match') return match(next(), next());
    if (at < words.length && word === 'index') {
      const [text, chars] = [next(), next()];
      return String([...text].findIndex((char) => chars.includes(char)) + 1);
    }
    if (at < words.length && word === 'substr') {
      const [text, start, length] = [next(), Number(next()), Number(next())];
      return start <= 0 || length <= 0 ? '' : text.slice(start - 1, start - 1 + length);
    }
    if (word === 'quote') return next();
    if (word === ')') throw new Failure('syntax error', 2);
    return word;
  };
  const chain = (operators: readonly string[], operand: () => string, apply: (left: string, operator: string, right: string) => string): string => {
    let left = operand();
    while (at < words.length && operators.includes(words[at] as string)) {
      const operator = words[at++] as string;
      left = apply(left, operator, operand());
    }
    return left;
  };
  const matched = (): string => chain([':'], primary, (left, _, right) => match(left, right));
  const product = (): string =>
    chain(['*', '/', '%'], matched, (left, operator, right) => {
      const [a, b] = [number(left), number(right)];
      if (operator !== '*' && b === 0n) throw new Failure('division by zero', 2);
      return String(operator === '*' ? a * b : operator === '/' ? a / b : a % b);
    });
  const sum = (): string =>
    chain(['+', '-'], product, (left, operator, right) => String(operator === '+' ? number(left) + number(right) : number(left) - number(right)));
  const compare = (): string =>
    chain(['<', '<=', '=', '==', '!=', '>=', '>'], sum, (left, operator, right) => {
      const numeric = /^[+-]?\d+$/.test(left) && /^[+-]?\d+$/.test(right);
      const order = numeric ? (BigInt(left) < BigInt(right) ? -1 : BigInt(left) > BigInt(right) ? 1 : 0) : left < right ? -1 : left > right ? 1 : 0;
      const holds = { '<': order < 0, '<=': order <= 0, '=': order === 0, '==': order === 0, '!=': order !== 0, '>=': order >= 0, '>': order > 0 }[operator];
      return holds ? '1' : '0';
    });
  const and = (): string => chain(['&'], compare, (left, _, right) => (isNull(left) || isNull(right) ? '0' : left));
  const or = (): string => chain(['|'], and, (left, _, right) => (isNull(left) ? (isNull(right) ? '0' : right) : left));
  const value = or();
  if (at < words.length) throw new Failure('syntax error', 2);
  await applet.put(`${value}\n`);
  return isNull(value) ? 1 : 0;
}

async function tty(applet: Applet): Promise<number> {
  const silent = getopt(applet.args, 's').has('s');
  const isTty = applet.process.stdin.kind === 'tty';
  if (!silent) await applet.put(isTty ? '/dev/pts/0\n' : 'not a tty\n');
  return isTty ? 0 : 1;
}

async function stty(applet: Applet): Promise<void> {
  const terminal = applet.process.stdin.tty;
  if (!terminal) throw new Failure('standard input: Inappropriate ioctl for device');
  if (applet.args[0] === 'size') await applet.put(`${terminal.rows} ${terminal.columns}\n`);
  else if (applet.args.includes('raw') || applet.args.includes('-icanon')) terminal.raw = true;
  else if (applet.args.includes('sane') || applet.args.includes('-raw') || applet.args.includes('icanon')) {
    terminal.raw = false;
    terminal.echo = true;
  } else if (applet.args.includes('-echo')) terminal.echo = false;
  else if (applet.args.includes('echo')) terminal.echo = true;
  else if (applet.args.length === 0 || applet.args[0] === '-a') await applet.put(`speed 38400 baud; rows ${terminal.rows}; columns ${terminal.columns};\n`);
}

async function clear(applet: Applet): Promise<void> {
  await applet.put('\x1b[H\x1b[J');
}

async function reset(applet: Applet): Promise<void> {
  const terminal = applet.process.stdin.tty;
  if (terminal) {
    terminal.raw = false;
    terminal.echo = true;
  }
  await applet.put('\x1bc\x1b(B\x1b[m\x1b[J\x1b[?25h');
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

async function base64(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'dw:i', { decode: 'd', wrap: 'w' });
  const file = await applet.tryOpen(options.rest[0] ?? '-', (name, why) => `${name}: ${why}`);
  if (!file) return;
  const text = await applet.readText(file);
  if (options.has('d')) {
    const clean = text.replace(/\s/g, '');
    let bits = 0;
    let count = 0;
    let out = '';
    for (const char of clean.replace(/=+$/, '')) {
      const value = BASE64.indexOf(char);
      if (value < 0) {
        await applet.put(out);
        throw new Failure('truncated input');
      }
      bits = (bits << 6) | value;
      count += 6;
      if (count >= 8) {
        count -= 8;
        out += String.fromCharCode((bits >> count) & 255);
      }
    }
    await applet.put(out);
    return;
  }
  const width = Number(options.get('w') ?? 76);
  const encoded = btoa(text);
  if (encoded === '') return;
  await applet.put(width > 0 ? encoded.replace(new RegExp(`.{1,${width}}`, 'g'), '$&\n') : encoded);
}

/** od and hexdump with the formats people use: -c -x -d -o -b (-A n -t x1/c/o1/d1), -C. */
async function od(applet: Applet): Promise<void> {
  const canonical = applet.name === 'hd' || (applet.name === 'hexdump' && applet.args.some((word) => /^-\w*C/.test(word)));
  const options = getopt(applet.args, applet.name === 'od' ? 'aBbcDdeFfhIiLlOoXxsvN:A:t:j:w:' : 'bcdoxCve:f:n:s:');
  const format =
    options.get('t') ??
    (options.has('c')
      ? 'c'
      : options.has('x') || options.has('h')
        ? 'x2'
        : options.has('b')
          ? 'o1'
          : options.has('d')
            ? 'u2'
            : applet.name === 'od'
              ? 'o2'
              : 'x2');
  const limit = Number(options.get('N') ?? options.get('n') ?? Number.POSITIVE_INFINITY);
  const skip = Number(options.get('j') ?? options.get('s') ?? 0);
  const paths = options.rest.length > 0 ? options.rest : ['-'];
  let text = '';
  for (const path of paths) {
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (file) text += await applet.readText(file);
  }
  text = text.slice(skip, skip + Math.min(limit, text.length));
  const radix = options.get('A') ?? (applet.name === 'od' ? 'o' : 'x');
  const address = (at: number): string =>
    radix === 'n'
      ? ''
      : canonical
        ? (at + skip).toString(16).padStart(8, '0')
        : (at + skip).toString(radix === 'o' ? 8 : radix === 'd' ? 10 : 16).padStart(7, '0');
  const cell = (chunk: string): string => {
    const code = chunk.charCodeAt(0);
    const word = code + (chunk.length > 1 ? chunk.charCodeAt(1) * 256 : 0);
    const named = { '\0': '\\0', '\x07': '\\a', '\b': '\\b', '\t': '\\t', '\n': '\\n', '\v': '\\v', '\f': '\\f', '\r': '\\r' }[chunk];
    switch (format) {
      case 'c':
        return (named ?? (code < 32 || code > 126 ? code.toString(8).padStart(3, '0') : chunk)).padStart(4);
      case 'x1':
        return ` ${code.toString(16).padStart(2, '0')}`;
      case 'o1':
        return ` ${code.toString(8).padStart(3, '0')}`;
      case 'd1':
        return String(code > 127 ? code - 256 : code).padStart(5);
      case 'u1':
        return String(code).padStart(4);
      case 'o2':
        return ` ${word.toString(8).padStart(6, '0')}`;
      case 'u2':
        return ` ${String(word).padStart(5)}`;
      default:
        return ` ${word.toString(16).padStart(4, '0')}`;
    }
  };
  const step = /2$/.test(format) ? 2 : 1;
  let previous = '';
  let starred = false;
  for (let at = 0; at < text.length; at += 16) {
    const row = text.slice(at, at + 16);
    if (row === previous && row.length === 16 && !options.has('v')) {
      if (!starred) await applet.put('*\n');
      starred = true;
      continue;
    }
    previous = row;
    starred = false;
    if (canonical) {
      const hex = [...row].map((char) => char.charCodeAt(0).toString(16).padStart(2, '0'));
      await applet.put(
        `${address(at)}  ${hex.slice(0, 8).join(' ').padEnd(23)}  ${hex.slice(8).join(' ').padEnd(23)}  |${row.replace(/[^\x20-\x7e]/g, '.')}|\n`,
      );
    } else {
      let line = '';
      for (let i = 0; i < row.length; i += step) line += cell(row.slice(i, i + step));
      await applet.put(`${address(at)}${applet.name === 'hexdump' && step === 2 ? line.padEnd(40) : line}\n`);
    }
  }
  if (radix !== 'n' && (text.length > 0 || applet.name === 'od')) await applet.put(`${address(text.length)}\n`);
}

async function cmp(applet: Applet): Promise<number> {
  const options = getopt(applet.args, 'slbn:');
  const [first, second = '-'] = options.rest;
  if (first === undefined) throw new UsageError();
  const texts: string[] = [];
  for (const path of [first, second]) {
    try {
      texts.push(await applet.readText(applet.open(path)));
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new Failure(`${path}: ${error.message}`, 2);
    }
  }
  const [a = '', b = ''] = texts;
  const shared = Math.min(a.length, b.length);
  let code = 0;
  for (let i = 0, line = 1; i < shared; i++) {
    if (a[i] !== b[i]) {
      code = 1;
      if (options.has('s')) return 1;
      if (!options.has('l')) {
        await applet.put(`${first} ${second} differ: char ${i + 1}, line ${line}\n`);
        return 1;
      }
      await applet.put(`${i + 1} ${a.charCodeAt(i).toString(8).padStart(3)} ${b.charCodeAt(i).toString(8).padStart(3)}\n`);
    } else if (a[i] === '\n') line++;
  }
  if (a.length !== b.length) {
    if (!options.has('s')) await applet.err(`cmp: EOF on ${a.length < b.length ? first : second}\n`);
    return 1;
  }
  return code;
}

async function strings(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'afon:t:');
  const size = Number(options.get('n') ?? 4);
  for (const path of options.rest.length > 0 ? options.rest : ['-']) {
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (file) for (const match of (await applet.readText(file)).matchAll(new RegExp(`[\\t\\x20-\\x7e]{${size},}`, 'g'))) await applet.put(`${match[0]}\n`);
  }
}

async function shuf(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'n:ei:o:z');
  const range = options.get('i')?.split('-').map(Number);
  let lines: string[] = [];
  if (range) lines = Array.from({ length: (range[1] as number) - (range[0] as number) + 1 }, (_, i) => String((range[0] as number) + i));
  else if (options.has('e')) lines = [...options.rest];
  else for await (const { text } of applet.lines(applet.open(options.rest[0] ?? '-'))) lines.push(text);
  const shuffled = applet.process.kernel.random.shuffle(lines);
  for (const line of shuffled.slice(0, options.get('n') === undefined ? undefined : Number(options.get('n')))) await applet.put(`${line}\n`);
}

async function factor(applet: Applet): Promise<void> {
  for (const word of applet.args) {
    let rest = Number(word);
    if (!/^\d+$/.test(word) || rest > Number.MAX_SAFE_INTEGER) throw new Failure(`invalid number '${word}'`);
    const factors: number[] = [];
    for (let prime = 2; prime * prime <= rest; prime++) {
      if (prime % 5000 === 0) await applet.process.cpu(0.1);
      while (rest % prime === 0) {
        factors.push(prime);
        rest /= prime;
      }
    }
    if (rest > 1) factors.push(rest);
    await applet.put(`${word}:${factors.map((one) => ` ${one}`).join('')}\n`);
  }
}

async function who(): Promise<void> {}

export const miscApplets = {
  true: program('', async () => 0),
  false: program('', async () => 1),
  date: program('[OPTIONS] [+FMT] [TIME]', date),
  cal: program('[[MONTH] YEAR]', cal),
  printf: program('FORMAT [ARG]...', printf),
  test: program('EXPRESSION', test),
  '[': program('EXPRESSION ]', test),
  '[[': program('EXPRESSION ]]', test),
  basename: program('FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...', basename),
  dirname: program('FILENAME', dirname),
  pwd: program('', pwd),
  expr: program('EXPRESSION', expr),
  tty: program('[-s]', tty),
  stty: program('[-a|g] [-F DEVICE] [SETTING]...', stty),
  clear: program('', clear),
  reset: program('', reset),
  base64: program('[-d] [-w COL] [FILE]', base64),
  od: program('[-aBbcDdeFfHhIiLlOovXx] [-t TYPE] [-A RADIX] [-N SIZE] [FILE]...', od),
  hexdump: program('[-bcdoxCv] [-n LEN] [-s OFS] [FILE]...', od),
  hd: program('[-n LEN] [-s OFS] [FILE]...', od),
  cmp: program('[-ls] FILE1 [FILE2]', cmp),
  strings: program('[-fo] [-n LEN] [FILE]...', strings),
  shuf: program('[-n NUM] [-e|-i L-H] [FILE|ARG...]', shuf),
  factor: program('[NUMBER]...', factor),
  who: program('[-aH]', who),
};
