import { callDateFunction, parseMoment, parseTime, timestamp, timeText } from './sql-dates.ts';
import { notSimulated, SqlError, syntaxError } from './sql-error.ts';
import { arithmetic, compareValues, Decimal, doubleText, fromBoolean, type SqlValue, toDecimal, toInteger, toNumber, toText } from './sql-value.ts';

/** Scalar functions. */

export function likePattern(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (char === '%') source += '[^]*';
    else if (char === '_') source += '[^]';
    else {
      const literal = char === '\\' && i + 1 < pattern.length ? (pattern[++i] as string) : char;
      source += literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, 'iu');
}

/** What functions ask of their surroundings. */
export interface FunctionContext {
  nowMs: number;
  random(): number;
  uuid(): string;
  database: string | null;
  user: string;
  account: string;
  connectionId: number;
  lastInsertId: number;
  rowCount: number;
  warn(code: number, message: string): void;
}

/** ROUND and TRUNCATE: a DECIMAL keeps its kind, a DOUBLE rounds half to even. */
function roundTo(value: Exclude<SqlValue, null>, digits: number, cut: boolean): SqlValue {
  if (typeof value === 'bigint' && digits >= 0) return value;
  if (typeof value === 'number' || typeof value === 'string') {
    const scale = 10 ** digits;
    const scaled = toNumber(value) * scale;
    const whole = cut ? Math.trunc(scaled) : Math.abs(scaled % 1) === 0.5 ? 2 * Math.round(scaled / 2) : Math.round(scaled);
    const result = whole / scale;
    return Number.isFinite(result) ? result : toNumber(value);
  }
  const decimal = toDecimal(value);
  if (digits < 0) {
    const unit = 10n ** BigInt(-digits);
    const { unscaled } = decimal.rounded(0);
    const half = cut ? 0n : unit / 2n;
    return ((unscaled < 0n ? unscaled - half : unscaled + half) / unit) * unit;
  }
  const shown = new Decimal(decimal.rounded(decimal.shown).unscaled, decimal.shown);
  const result = cut && digits < shown.scale ? new Decimal(shown.unscaled / 10n ** BigInt(shown.scale - digits), digits) : shown.rounded(digits);
  return result;
}

function castTo(value: Exclude<SqlValue, null>, type: string, context: FunctionContext): SqlValue {
  const [, base = '', first, second] = /^(\w+)(?:\((\d+)(?:,(\d+))?\))?/.exec(type) ?? [];
  const text = toText(value);
  switch (base) {
    case 'signed':
    case 'unsigned': {
      let whole: bigint;
      if (typeof value === 'string') {
        const digits = /^\s*[-+]?\d+/.exec(value)?.[0].trim();
        if (!/^\s*[-+]?\d+\s*$/.test(value)) context.warn(1292, `Truncated incorrect INTEGER value: '${value}'`);
        whole = BigInt(digits?.replace(/^\+/, '') ?? 0);
      } else whole = toInteger(value);
      return base === 'unsigned' && whole < 0n ? whole + 2n ** 64n : whole;
    }
    case 'decimal': {
      const kept = toDecimal(value).rounded(Number(second ?? 0));
      const most = 10n ** BigInt(first ?? 10) - 1n;
      if (kept.unscaled <= most && kept.unscaled >= -most) return kept;
      context.warn(1264, `Out of range value for column 'CAST' at row 1`);
      return new Decimal(kept.unscaled < 0n ? -most : most, kept.scale);
    }
    case 'double':
    case 'float':
    case 'real':
      return toNumber(value);
    case 'date':
    case 'datetime': {
      const moment = parseMoment(value);
      if (!moment) context.warn(1292, `Incorrect datetime value: '${text}'`);
      return moment ? timestamp(moment.ms).slice(0, base === 'date' ? 10 : 19) : null;
    }
    case 'time': {
      const seconds = parseTime(value);
      return seconds === undefined ? null : timeText(seconds);
    }
    case 'year':
      return BigInt(parseMoment(value) ? text.slice(0, 4) : Math.trunc(toNumber(value)));
    case 'json':
      throw notSimulated('JSON');
    default:
      return first === undefined ? text : [...text].slice(0, Number(first)).join('');
  }
}

const ARGUMENTS: Readonly<Record<string, [least: number, most: number]>> = Object.fromEntries(
  (
    [
      [
        1,
        1,
        'length char_length character_length octet_length bit_length upper ucase lower lcase ltrim rtrim reverse abs ceil ceiling floor sqrt sign isnull hex ascii exp log2 log10 degrees radians year month day hour minute second quarter dayname monthname dayofweek dayofyear weekday last_day space ln bin unhex',
      ],
      [2, 2, 'repeat left right instr ifnull nullif datediff date_format mod pow power timediff strcmp find_in_set'],
      [3, 3, 'replace substring_index lpad rpad'],
      [1, 2, 'log locate_ unix_timestamp_ from_unixtime week'],
    ] as const
  ).flatMap(([least, most, names]) => names.split(' ').map((name): [string, [number, number]] => [name, [least, most]])),
);

/** Functions that the grammar knows: with the wrong arguments they are a mistake of syntax. */
const GRAMMAR = new Set(
  'ascii char date day hour insert left minute month right second year if mod quarter repeat replace reverse truncate week format'.split(' '),
);

/** Throws 1305 for a function that does not exist, 1582 for a wrong number of arguments. */
export function callFunction(name: string, args: readonly SqlValue[], context: FunctionContext, database: string): SqlValue {
  const count = ARGUMENTS[name];
  if (count && (args.length < count[0] || args.length > count[1]))
    throw GRAMMAR.has(name) ? syntaxError(')', 1) : new SqlError(1582, '42000', `Incorrect parameter count in the call to native function '${name}'`);
  const time = callDateFunction(name, args, context.nowMs, (value) => context.warn(1292, `Incorrect datetime value: '${toText(value)}'`));
  if (time !== undefined) return time;
  const text = textFunction(name, args);
  if (text !== undefined) return text;
  const number = numberFunction(name, args, context);
  if (number !== undefined) return number;
  const [a = null, b = null] = args;
  switch (name) {
    case 'version':
      return '8.1.0';
    case 'database':
    case 'schema':
      return context.database;
    case 'user':
    case 'session_user':
    case 'system_user':
      return context.user;
    case 'current_user':
      return context.account;
    case 'connection_id':
      return BigInt(context.connectionId);
    case 'last_insert_id':
      return BigInt(context.lastInsertId);
    case 'row_count':
      return BigInt(context.rowCount);
    case 'uuid':
      return context.uuid();
    case 'nullif':
      return compareValues(a, b) === 0 ? null : a;
    case 'isnull':
      return fromBoolean(a === null);
    case 'cast':
      return a === null ? null : castTo(a, toText(b), context);
    case 'default':
      return a;
    case 'sleep':
      return 0n;
    case 'md5':
    case 'sha1':
    case 'sha':
    case 'sha2':
    case 'aes_encrypt':
    case 'compress':
    case 'get_lock':
    case 'release_lock':
    case 'benchmark':
    case 'str_to_date':
    case 'format_bytes':
      throw notSimulated(`${name.toUpperCase()}()`);
    default:
      if (/^(json_|st_|regexp_|bin_to|uuid_to|gtid_)/.test(name)) throw notSimulated(`${name.toUpperCase()}()`);
      throw new SqlError(1305, '42000', `FUNCTION ${database}.${name} does not exist`);
  }
}

const characters = (value: SqlValue): string[] => [...toText(value)];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const hexOf = (data: Uint8Array): string => [...data].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('');

/** Functions of text: NULL in, NULL out. */
function textFunction(name: string, args: readonly SqlValue[]): SqlValue | undefined {
  const [a = null, b = null, c = null] = args;
  const table: Readonly<Record<string, (x: string) => SqlValue>> = {
    length: (x) => BigInt(bytes(x).length),
    octet_length: (x) => BigInt(bytes(x).length),
    bit_length: (x) => BigInt(bytes(x).length * 8),
    char_length: (x) => BigInt([...x].length),
    character_length: (x) => BigInt([...x].length),
    upper: (x) => x.toUpperCase(),
    ucase: (x) => x.toUpperCase(),
    lower: (x) => x.toLowerCase(),
    lcase: (x) => x.toLowerCase(),
    ltrim: (x) => x.replace(/^ +/, ''),
    rtrim: (x) => x.replace(/ +$/, ''),
    reverse: (x) => [...x].reverse().join(''),
    ascii: (x) => BigInt(bytes(x)[0] ?? 0),
    quote: (x) => `'${x.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`,
    space: (x) => ' '.repeat(Math.max(0, Math.min(100_000, toNumber(x)))),
    trim: (x) => {
      const cut = toText(b);
      if (cut === '') return x;
      let text = x;
      if (c !== 'trailing') while (text.startsWith(cut)) text = text.slice(cut.length);
      if (c !== 'leading') while (text.endsWith(cut)) text = text.slice(0, text.length - cut.length);
      return text;
    },
    repeat: (x) => x.repeat(Math.min(100_000, Math.max(0, toNumber(b)))),
    replace: (x) => (toText(b) === '' ? x : x.split(toText(b)).join(toText(c))),
    left: (x) => [...x].slice(0, Math.max(0, toNumber(b))).join(''),
    right: (x) => (toNumber(b) > 0 ? [...x].slice(-toNumber(b)).join('') : ''),
    substring_index: (x) => {
      const parts = x.split(toText(b));
      const count = toNumber(c);
      return (count >= 0 ? parts.slice(0, count) : parts.slice(count)).join(toText(b));
    },
    instr: (x) => BigInt(x.toLowerCase().indexOf(toText(b).toLowerCase()) + 1),
    lpad: (x) => pad(x, toNumber(b), toText(c), true),
    rpad: (x) => pad(x, toNumber(b), toText(c), false),
    strcmp: () => BigInt(Math.sign(compareValues(toText(a), toText(b)) ?? 0)),
    find_in_set: (x) => BigInt(x === '' ? 0 : toText(b).toLowerCase().split(',').indexOf(x.toLowerCase()) + 1),
  };
  if (name === 'concat') return args.includes(null) ? null : args.map(toText).join('');
  if (name === 'concat_ws') {
    if (a === null) return null;
    return args
      .slice(1)
      .filter((one) => one !== null)
      .map(toText)
      .join(toText(a));
  }
  if (name === 'locate') {
    if (a === null || b === null) return null;
    return BigInt(
      toText(b)
        .toLowerCase()
        .indexOf(toText(a).toLowerCase(), c === null ? 0 : Math.max(0, toNumber(c) - 1)) + 1,
    );
  }
  if (name === 'substring' || name === 'substr' || name === 'mid') {
    if (args.includes(null)) return null;
    const text = characters(a);
    const from = toNumber(b);
    const start = from > 0 ? from - 1 : text.length + from;
    if (from === 0 || start < 0) return '';
    return text.slice(start, c === null ? undefined : start + Math.max(0, toNumber(c))).join('');
  }
  if (name === 'field') return BigInt(a === null ? 0 : args.slice(1).findIndex((one) => compareValues(a, one) === 0) + 1);
  if (name === 'elt') return a === null ? null : (args[toNumber(a)] ?? null);
  if (name === 'char') return args.flatMap((one) => (one === null ? [] : [String.fromCharCode(toNumber(one) & 255)])).join('');
  if (name === 'insert') {
    if (args.includes(null)) return null;
    const text = characters(a);
    const [from, length] = [toNumber(b), toNumber(c)];
    if (from < 1 || from > text.length) return toText(a);
    return text.slice(0, from - 1).join('') + toText(args[3] ?? null) + text.slice(length < 0 ? text.length : from - 1 + length).join('');
  }
  if (name === 'hex') return a === null ? null : typeof a === 'string' ? hexOf(bytes(a)) : toInteger(a).toString(16).toUpperCase();
  if (name === 'bin' || name === 'oct') return a === null ? null : toInteger(a).toString(name === 'bin' ? 2 : 8);
  if (name === 'format') {
    if (a === null || b === null) return null;
    const [whole = '', part] = toText(toDecimal(a).rounded(Math.max(0, toNumber(b)))).split('.');
    return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part === undefined ? '' : `.${part}`);
  }
  const use = table[name];
  return use ? (args.includes(null) ? null : use(toText(a))) : undefined;
}

function pad(text: string, length: number, filler: string, left: boolean): SqlValue {
  const own = [...text];
  if (length < 0) return null;
  if (own.length >= length) return own.slice(0, length).join('');
  if (filler === '') return '';
  const fill = [...filler.repeat(Math.ceil((length - own.length) / [...filler].length))].slice(0, length - own.length).join('');
  return left ? fill + text : text + fill;
}

function numberFunction(name: string, args: readonly SqlValue[], context: FunctionContext): SqlValue | undefined {
  const [a = null, b = null] = args;
  const doubles: Readonly<Record<string, (x: number, y: number) => number>> = {
    pow: (x, y) => x ** y,
    power: (x, y) => x ** y,
    sqrt: Math.sqrt,
    exp: Math.exp,
    ln: Math.log,
    log2: Math.log2,
    log10: Math.log10,
    sin: Math.sin,
    cos: Math.cos,
    tan: Math.tan,
    degrees: (x) => (x * 180) / Math.PI,
    radians: (x) => (x * Math.PI) / 180,
  };
  switch (name) {
    case 'pi':
      return new Decimal(3_141_593n, 6);
    case 'rand':
      return context.random();
    case 'abs':
      if (a === null) return null;
      if (a instanceof Decimal) return a.unscaled < 0n ? new Decimal(-a.unscaled, a.scale, a.shown) : a;
      return typeof a === 'bigint' ? (a < 0n ? -a : a) : Math.abs(toNumber(a));
    case 'sign':
      return a === null ? null : BigInt(Math.sign(compareValues(a, 0n) ?? 0));
    case 'ceil':
    case 'ceiling':
    case 'floor': {
      if (a === null || typeof a === 'bigint') return a;
      if (!(a instanceof Decimal)) return name === 'floor' ? Math.floor(toNumber(a)) : Math.ceil(toNumber(a));
      const unit = 10n ** BigInt(a.scale);
      const whole = a.unscaled / unit;
      const rest = a.unscaled % unit;
      return name === 'floor' ? (rest < 0n ? whole - 1n : whole) : rest > 0n ? whole + 1n : whole;
    }
    case 'round':
    case 'truncate':
      if (a === null || (args.length > 1 && b === null)) return null;
      return roundTo(a, Math.max(-30, Math.min(30, b === null ? 0 : Number(toInteger(b)))), name === 'truncate');
    case 'mod':
      return a === null || b === null ? null : arithmetic('%', a, b);
    case 'crc32':
      throw notSimulated('CRC32()');
    case 'log': {
      if (a === null || (args.length > 1 && b === null)) return null;
      const result = args.length > 1 ? Math.log(toNumber(b)) / Math.log(toNumber(a)) : Math.log(toNumber(a));
      return Number.isFinite(result) ? result : null;
    }
    case 'conv': {
      if (args.includes(null)) return null;
      const value = Number.parseInt(toText(a), toNumber(b));
      return Number.isNaN(value) ? '0' : value.toString(toNumber(args[2] ?? null)).toUpperCase();
    }
    default: {
      const use = doubles[name];
      if (!use) return undefined;
      if (args.includes(null)) return null;
      const result = use(toNumber(a), toNumber(b));
      if (Number.isFinite(result)) return result;
      if (name === 'pow' || name === 'power' || name === 'exp')
        throw new SqlError(
          1690,
          '22003',
          `DOUBLE value is out of range in '${name}(${args.map((one) => (typeof one === 'number' ? doubleText(one) : toText(one))).join(',')})'`,
        );
      return null;
    }
  }
}
