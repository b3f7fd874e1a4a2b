import { formatPrint } from '../shell/print-format.ts';
import { evaluateTest, TestError, testContext } from '../shell/test-expression.ts';
import { encodeWithBytes } from '../unix/index.ts';
import { compileRegex } from '../unix/regex.ts';
import { Errno } from '../unix/types.ts';
import { type Applet, byteText, Failure, getopt, program, toByteText, UsageError } from './applet.ts';

/** Small applets: true, false, printf, test, expr, basename, dirname, pwd, date, cal, tty, clear, reset, sums, base64, od, diff, cmp … */

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
  const warnings: string[] = [];
  const match = (text: string, pattern: string): string => {
    if (pattern.startsWith('^'))
      warnings.push(`expr: warning: '${pattern}': using '^' as the first character\nof a basic regular expression is not portable; it is ignored\n`);
    const found = compileRegex(`^${pattern.replace(/^\^/, '')}`, { process: applet.process }).exec(text);
    const capturing = /\\\(/.test(pattern);
    if (!found) return capturing ? '' : '0';
    return (capturing ? found.groups[1] : undefined) ?? String((found.groups[0] as string).length);
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
  for (const warning of warnings) await applet.err(warning);
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

async function cmp(applet: Applet): Promise<number> {
  const options = getopt(applet.args, 'slbn:');
  if (options.has('s') && options.has('l')) throw new UsageError();
  const [first, second = '-'] = options.rest;
  if (first === undefined) throw new UsageError();
  const texts: string[] = [];
  for (const path of [first, second]) {
    try {
      texts.push(await applet.readText(applet.open(path)));
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (options.has('s')) return 2;
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
    if (!/^\d+$/.test(word) || rest > Number.MAX_SAFE_INTEGER) throw new UsageError();
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
  cmp: program('[-ls] FILE1 [FILE2]', cmp),
  strings: program('[-fo] [-n LEN] [FILE]...', strings),
  shuf: program('[-n NUM] [-e|-i L-H] [FILE|ARG...]', shuf),
  factor: program('[NUMBER]...', factor),
  who: program('[-aH]', who),
};
