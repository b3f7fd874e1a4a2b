import { SqlError } from './sql-error.ts';
import type { SqlValue } from './sql-parser.ts';

/** Scalar functions and the arithmetic of values, as MySQL converts them. */

export function toNumber(value: SqlValue): number {
  if (typeof value === 'number') return value;
  const match = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/.exec(value ?? '');
  return match ? Number(match[0]) : 0;
}

export function toText(value: SqlValue): string {
  return value === null ? 'NULL' : String(value);
}

/** < 0, 0, > 0; null when one side is NULL. Text compares without case, as utf8mb4_0900_ai_ci does. */
export function compareValues(a: SqlValue, b: SqlValue): number | null {
  if (a === null || b === null) return null;
  // DECIMAL values are kept as text with their scale; two of them compare as numbers.
  if (typeof a === 'number' || typeof b === 'number' || (isDecimal(a) && isDecimal(b))) return toNumber(a) - toNumber(b);
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  return x < y ? -1 : x > y ? 1 : 0;
}

const isDecimal = (text: string): boolean => /^-?\d+\.\d+$/.test(text);

/** Digits behind the point that a sum of these values shows; undefined: not of DECIMALs. */
export function decimalScale(values: readonly SqlValue[]): number | undefined {
  const scales = values.flatMap((value) => (typeof value === 'string' && isDecimal(value) ? [(value.split('.')[1] as string).length] : []));
  return scales.length > 0 ? Math.max(...scales) : undefined;
}

export function likePattern(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (char === '%') source += '[^]*';
    else if (char === '_') source += '[^]';
    else {
      const literal = char === '\\' && i + 1 < pattern.length ? (pattern[++i] as string) : char;
      source += literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, 'i');
}

export const timestamp = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

const UNITS: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

function shiftTime(time: SqlValue, amount: number, unit: string): SqlValue {
  if (time === null) return null;
  const text = String(time);
  const ms = Date.parse(`${text.length <= 10 ? `${text}T00:00:00` : text.replace(' ', 'T')}Z`);
  if (Number.isNaN(ms)) return null;
  const lower = unit.toLowerCase();
  let moved = ms + amount * (UNITS[lower] ?? 0);
  if (lower === 'month' || lower === 'year') {
    const date = new Date(ms);
    moved = Date.UTC(
      date.getUTCFullYear() + (lower === 'year' ? amount : 0),
      date.getUTCMonth() + (lower === 'month' ? amount : 0),
      date.getUTCDate(),
      date.getUTCHours(),
      date.getUTCMinutes(),
      date.getUTCSeconds(),
    );
  }
  const out = timestamp(moved);
  return text.length <= 10 && ['day', 'week', 'month', 'year'].includes(lower) ? out.slice(0, 10) : out;
}

/** What functions ask of their surroundings. */
export interface FunctionContext {
  nowMs: number;
  random(): number;
  uuid(): string;
  database: string | null;
  user: string;
  connectionId: number;
  lastInsertId: number;
  rowCount: number;
}

export function callFunction(name: string, args: readonly SqlValue[], context: FunctionContext, database: string): SqlValue {
  const [a = null, b = null, c = null] = args;
  const numeric = (use: (x: number) => number): SqlValue => (a === null ? null : use(toNumber(a)));
  const textual = (use: (x: string) => SqlValue): SqlValue => (a === null ? null : use(String(a)));
  switch (name) {
    case 'now':
    case 'current_timestamp':
    case 'sysdate':
    case 'localtime':
      return timestamp(context.nowMs);
    case 'curdate':
    case 'current_date':
      return timestamp(context.nowMs).slice(0, 10);
    case 'curtime':
    case 'current_time':
      return timestamp(context.nowMs).slice(11);
    case 'unix_timestamp':
      return a === null ? Math.floor(context.nowMs / 1000) : Math.floor(Date.parse(`${String(a).replace(' ', 'T')}Z`) / 1000);
    case 'date':
      return textual((x) => x.slice(0, 10));
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'minute':
    case 'second':
      return textual((x) =>
        Number(/^(\d+)-(\d+)-(\d+)(?: (\d+):(\d+):(\d+))?/.exec(x)?.[['year', 'month', 'day', 'hour', 'minute', 'second'].indexOf(name) + 1] ?? 0),
      );
    case 'date_add':
    case 'date_sub':
      return shiftTime(a, (name === 'date_add' ? 1 : -1) * toNumber(b), String(c));
    case 'version':
      return '8.1.0';
    case 'database':
    case 'schema':
      return context.database;
    case 'user':
    case 'current_user':
    case 'session_user':
      return context.user;
    case 'connection_id':
      return context.connectionId;
    case 'last_insert_id':
      return context.lastInsertId;
    case 'row_count':
      return context.rowCount;
    case 'uuid':
      return context.uuid();
    case 'rand':
      return context.random();
    case 'concat':
      return args.includes(null) ? null : args.map(String).join('');
    case 'concat_ws':
      return a === null
        ? null
        : args
            .slice(1)
            .filter((one) => one !== null)
            .map(String)
            .join(String(a));
    case 'length':
      return textual((x) => new TextEncoder().encode(x).length);
    case 'char_length':
    case 'character_length':
      return textual((x) => [...x].length);
    case 'upper':
    case 'ucase':
      return textual((x) => x.toUpperCase());
    case 'lower':
    case 'lcase':
      return textual((x) => x.toLowerCase());
    case 'trim':
      return textual((x) => x.trim());
    case 'ltrim':
      return textual((x) => x.trimStart());
    case 'rtrim':
      return textual((x) => x.trimEnd());
    case 'reverse':
      return textual((x) => [...x].reverse().join(''));
    case 'repeat':
      return textual((x) => x.repeat(Math.min(100_000, Math.max(0, toNumber(b)))));
    case 'replace':
      return textual((x) => (b === null || c === null ? null : String(b) === '' ? x : x.split(String(b)).join(String(c))));
    case 'left':
      return textual((x) => x.slice(0, Math.max(0, toNumber(b))));
    case 'right':
      return textual((x) => (toNumber(b) > 0 ? x.slice(-toNumber(b)) : ''));
    case 'substring':
    case 'substr':
    case 'mid':
      return textual((x) => {
        const start = toNumber(b) > 0 ? toNumber(b) - 1 : x.length + toNumber(b);
        return toNumber(b) === 0 ? '' : x.slice(start, c === null ? undefined : start + toNumber(c));
      });
    case 'substring_index':
      return textual((x) => {
        const parts = x.split(String(b));
        const count = toNumber(c);
        return count >= 0 ? parts.slice(0, count).join(String(b)) : parts.slice(count).join(String(b));
      });
    case 'instr':
      return textual((x) => x.toLowerCase().indexOf(String(b).toLowerCase()) + 1);
    case 'locate':
      return b === null || a === null ? null : String(b).toLowerCase().indexOf(String(a).toLowerCase()) + 1;
    case 'lpad':
      return textual((x) => x.slice(0, toNumber(b)).padStart(toNumber(b), String(c)));
    case 'rpad':
      return textual((x) => x.slice(0, toNumber(b)).padEnd(toNumber(b), String(c)));
    case 'hex':
      return typeof a === 'number'
        ? a.toString(16).toUpperCase()
        : textual((x) =>
            [...new TextEncoder().encode(x)]
              .map((byte) => byte.toString(16).padStart(2, '0'))
              .join('')
              .toUpperCase(),
          );
    case 'abs':
      return numeric(Math.abs);
    case 'ceil':
    case 'ceiling':
      return numeric(Math.ceil);
    case 'floor':
      return numeric(Math.floor);
    case 'round':
      return numeric((x) => {
        const scale = 10 ** toNumber(b);
        return (Math.sign(x) * Math.round(Math.abs(x) * scale + 1e-9)) / scale;
      });
    case 'truncate':
      return numeric((x) => Math.trunc(x * 10 ** toNumber(b)) / 10 ** toNumber(b));
    case 'mod':
      return toNumber(b) === 0 ? null : numeric((x) => x % toNumber(b));
    case 'pow':
    case 'power':
      return numeric((x) => x ** toNumber(b));
    case 'sqrt':
      return numeric((x) => (x < 0 ? Number.NaN : Math.sqrt(x)));
    case 'sign':
      return numeric(Math.sign);
    case 'greatest':
      return args.includes(null) ? null : args.reduce((x, y) => ((compareValues(x, y) ?? 0) >= 0 ? x : y));
    case 'least':
      return args.includes(null) ? null : args.reduce((x, y) => ((compareValues(x, y) ?? 0) <= 0 ? x : y));
    case 'coalesce':
      return args.find((one) => one !== null) ?? null;
    case 'ifnull':
      return a ?? b;
    case 'nullif':
      return compareValues(a, b) === 0 ? null : a;
    case 'if':
      return a !== null && toNumber(a) !== 0 ? b : c;
    case 'isnull':
      return a === null ? 1 : 0;
    case 'cast':
    case 'convert':
      return a === null ? null : /^(signed|unsigned|int|integer|decimal)/i.test(String(b)) ? Math.trunc(toNumber(a)) : String(a);
    case 'md5':
    case 'sha1':
    case 'sha2':
    case 'password':
      throw new SqlError(1235, '42000', `This version of MySQL doesn't yet support '${name.toUpperCase()}()' (it is not simulated yet)`);
    default:
      throw new SqlError(1305, '42000', `FUNCTION ${database}.${name} does not exist`);
  }
}
