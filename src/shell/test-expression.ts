import type { OpenFile, Process } from '../unix/index.ts';
import type { FileStat } from '../unix/types.ts';
import type { Shell } from './shell.ts';

/** What file tests ask. */
export interface TestContext {
  stat(path: string, follow: boolean): FileStat | undefined;
  isTerminal(descriptor: number): boolean;
  may(path: string, bit: 1 | 2 | 4): boolean;
  compareFiles(left: string, operator: string, right: string): boolean;
  /** BusyBox' ideas of what a few words mean. */
  isAsh: boolean;
}

export function testContext(owner: Shell | { process: Process }): TestContext {
  const { process } = owner;
  const stat = (path: string, follow: boolean): FileStat | undefined => {
    if (path === '') return undefined;
    try {
      const { fs } = process.machine;
      const absolute = process.resolve(path);
      // /proc/self and /dev/fd are those of the asking process.
      const own = absolute.replace(/^\/proc\/self(?=\/|$)/, `/proc/${process.pid}`);
      return follow ? fs.stat(own) : fs.lstat(own);
    } catch {
      return undefined;
    }
  };
  const may = (path: string, bit: 1 | 2 | 4): boolean => {
    const found = stat(path, true);
    if (!found) return false;
    if (process.uid === 0) return bit !== 1 || found.type === 'directory' || (found.mode & 0o111) !== 0;
    const shift = process.uid === found.uid ? 6 : process.gid === found.gid ? 3 : 0;
    return ((found.mode >> shift) & bit) !== 0;
  };
  const isAsh = ('dialect' in owner ? owner.dialect : 'ash') === 'ash';
  return {
    isAsh,
    stat,
    may,
    isTerminal: (descriptor) => {
      const file: OpenFile | undefined = process.fds.get(descriptor);
      return file?.tty !== undefined;
    },
    compareFiles(left, operator, right) {
      const a = stat(left, true);
      const b = stat(right, true);
      if (operator === '-ef')
        return a !== undefined && b !== undefined && process.machine.fs.realpath(process.resolve(left)) === process.machine.fs.realpath(process.resolve(right));
      // BusyBox wants both files to be there.
      if (isAsh && (!a || !b)) return false;
      if (operator === '-nt') return a !== undefined && (b === undefined || a.mtimeMs > b.mtimeMs);
      return b !== undefined && (a === undefined || a.mtimeMs < b.mtimeMs);
    },
  };
}

export function fileTest(context: TestContext, operator: string, operand: string): boolean {
  switch (operator) {
    case '-z':
      return operand === '';
    case '-n':
      return operand !== '';
    case '-t':
      if (!/^\s*[-+]?\d+\s*$/.test(operand)) throw new TestError('number', operand);
      return context.isTerminal(Number(operand));
    case '-h':
    case '-L':
      return context.stat(operand, false)?.type === 'symlink';
    case '-r':
      return context.may(operand, 4);
    case '-w':
      return context.may(operand, 2);
    case '-x':
      return context.may(operand, 1);
  }
  const stat = context.stat(operand, true);
  if (!stat) return false;
  switch (operator) {
    case '-e':
    case '-a':
      return true;
    case '-f':
      return stat.type === 'file';
    case '-d':
      return stat.type === 'directory';
    case '-s':
      return stat.sizeBytes > 0;
    case '-c':
      return stat.type === 'device';
    case '-p':
      return stat.type === 'fifo';
    case '-u':
      return (stat.mode & 0o4000) !== 0;
    case '-g':
      return (stat.mode & 0o2000) !== 0;
    case '-k':
      return (stat.mode & 0o1000) !== 0;
    case '-O':
    case '-G':
      return true;
    default:
      return false;
  }
}

export function compareNumbers(left: bigint, operator: string, right: bigint): boolean {
  switch (operator) {
    case '-eq':
      return left === right;
    case '-ne':
      return left !== right;
    case '-lt':
      return left < right;
    case '-le':
      return left <= right;
    case '-gt':
      return left > right;
    default:
      return left >= right;
  }
}

/** What is wrong with a test's words, as the caller's dialect says it. */
export class TestError extends Error {
  readonly kind: 'number' | 'operator' | 'argument' | 'closing';
  constructor(kind: TestError['kind'], text: string) {
    super(text);
    this.kind = kind;
  }
}

const UNARY = /^-[abcdefghknoprstuvwxzGLNOS]$/;
const BINARY = /^(?:=|==|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/;

/** `test`: whether the expression holds. Throws TestError. */
export function evaluateTest(args: readonly string[], context: TestContext): boolean {
  let position = 0;
  const number = (text: string): bigint => {
    if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new TestError('number', text);
    return BigInt(text.trim().replace(/^\+/, ''));
  };
  const binary = (left: string, operator: string, right: string): boolean => {
    switch (operator) {
      case '=':
      case '==':
        return left === right;
      case '!=':
        return left !== right;
      case '<':
        return left < right;
      case '>':
        return left > right;
      case '-nt':
      case '-ot':
      case '-ef':
        return context.compareFiles(left, operator, right);
      default:
        return compareNumbers(number(left), operator, number(right));
    }
  };
  function or(): boolean {
    let value = and();
    while (args[position] === '-o') {
      position++;
      const right = and();
      value = value || right;
    }
    return value;
  }
  function and(): boolean {
    let value = not();
    while (args[position] === '-a') {
      position++;
      const right = not();
      value = value && right;
    }
    return value;
  }
  function not(): boolean {
    if (args[position] === '!' && position + 1 < args.length) {
      position++;
      return !not();
    }
    return primary();
  }
  function primary(): boolean {
    const first = args[position];
    if (first === undefined) throw new TestError('argument', args.at(-1) === '(' ? '' : (args.at(-1) ?? ''));
    const second = args[position + 1];
    if (second !== undefined && BINARY.test(second) && args[position + 2] !== undefined) {
      position += 3;
      return binary(first, second, args[position - 1]!);
    }
    if (first === '(') {
      position++;
      if (args[position] === ')') {
        position++;
        return false;
      }
      const value = or();
      if (args[position] !== ')') throw new TestError('closing', ')');
      position++;
      return value;
    }
    if (UNARY.test(first) && second !== undefined) {
      position += 2;
      return fileTest(context, first, second);
    }
    if (UNARY.test(first) && args.length === 2) throw new TestError('argument', first);
    position++;
    return first !== '';
  }
  if (args.length === 0) return false;
  if (args.length === 1) return args[0] !== '';
  if (args.length === 2) {
    if (args[0] === '!') return args[1] === '';
    if (UNARY.test(args[0]!)) return fileTest(context, args[0]!, args[1]!);
    throw new TestError('operator', args[0]!);
  }
  // POSIX: with three arguments a binary operator in the middle decides; with four, a leading `!`.
  if (args.length === 3 && BINARY.test(args[1]!)) return binary(args[0]!, args[1]!, args[2]!);
  if (args.length === 4 && args[0] === '!' && (!context.isAsh || BINARY.test(args[2]!))) return !evaluateTest(args.slice(1), context);
  const value = or();
  if (position < args.length) throw new TestError('operator', args[position]!);
  return value;
}
