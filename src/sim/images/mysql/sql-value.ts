import { SqlError } from './sql-error.ts';

/**
 * A value at run time: text (also times), BIGINT, DOUBLE, DECIMAL, NULL. DECIMAL keeps more digits than it shows, as MySQL's
 * division does: 1/3*3 is 1.0000.
 */
export type SqlValue = string | bigint | number | Decimal | null;

const power = (digits: number): bigint => 10n ** BigInt(digits);

/** Division that rounds half away from zero. */
function divideRounded(value: bigint, by: bigint): bigint {
  const half = by / 2n;
  return value >= 0n ? (value + half) / by : -((-value + half) / by);
}

export class Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
  /** Digits behind the point that are shown. */
  readonly shown: number;

  constructor(unscaled: bigint, scale: number, shown = scale) {
    this.unscaled = unscaled;
    this.scale = scale;
    this.shown = shown;
  }

  static parse(text: string): Decimal {
    const [, sign = '', whole = '', part = ''] = /^([-+]?)(\d*)\.?(\d*)$/.exec(text) ?? [];
    const unscaled = BigInt(whole + part || '0');
    return new Decimal(sign === '-' ? -unscaled : unscaled, part.length);
  }

  rounded(scale: number): Decimal {
    if (scale >= this.scale) return new Decimal(this.unscaled * power(scale - this.scale), scale);
    return new Decimal(divideRounded(this.unscaled, power(this.scale - scale)), scale);
  }

  /** The same number with another count of digits shown. */
  showing(shown: number): Decimal {
    return shown > this.scale ? new Decimal(this.unscaled * power(shown - this.scale), shown) : new Decimal(this.unscaled, this.scale, shown);
  }

  toString(): string {
    const { unscaled } = this.rounded(this.shown);
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(this.shown + 1, '0');
    const whole = digits.slice(0, digits.length - this.shown);
    return `${unscaled < 0n ? '-' : ''}${whole}${this.shown === 0 ? '' : `.${digits.slice(digits.length - this.shown)}`}`;
  }
}

const NUMBER_PREFIX = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/;

/** Any value as a JavaScript number; text by its numeric beginning, NULL as 0. */
export function toNumber(value: SqlValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return Number(NUMBER_PREFIX.exec(value)?.[0] ?? 0);
  if (value instanceof Decimal) return Number(value.showing(value.scale).toString());
  return value === null ? 0 : Number(value);
}

/** Text in arithmetic is a DOUBLE. */
export function toNumeric(value: Exclude<SqlValue, null>): bigint | number | Decimal {
  return typeof value === 'string' ? toNumber(value) : value;
}

export function toDecimal(value: Exclude<SqlValue, null>): Decimal {
  if (value instanceof Decimal) return value;
  if (typeof value === 'bigint') return new Decimal(value, 0);
  const text = typeof value === 'string' ? (NUMBER_PREFIX.exec(value)?.[0].trim() ?? '0') : doubleText(value);
  const [mantissa = '0', exponent] = text.toLowerCase().split('e');
  const parsed = Decimal.parse(mantissa);
  if (exponent === undefined) return parsed;
  const shift = Math.max(-80, Math.min(80, Number(exponent)));
  if (shift >= 0)
    return shift >= parsed.scale ? new Decimal(parsed.unscaled * power(shift - parsed.scale), 0) : new Decimal(parsed.unscaled, parsed.scale - shift);
  return new Decimal(parsed.unscaled, parsed.scale - shift);
}

/** Rounds to a BIGINT, half away from zero (DOUBLE: half to even, as rint does). Throws 1264's cousin 1690 never: the caller checks ranges. */
export function toInteger(value: Exclude<SqlValue, null>): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    const rounded = Math.round(value);
    return BigInt(Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded);
  }
  return toDecimal(value).rounded(0).unscaled;
}

/** A DOUBLE as MySQL prints it: shortest form, exponent beyond 15 digits. */
export function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-15)) return value.toExponential().replace('e+', 'e');
  const text = String(value);
  if (!text.includes('e')) return text;
  const [mantissa = '0', exponent = '0'] = text.split('e');
  const digits = mantissa.replace(/[-.]/g, '');
  return `${value < 0 ? '-' : ''}0.${'0'.repeat(-Number(exponent) - 1)}${digits}`;
}

export function toText(value: SqlValue): string {
  return value === null ? 'NULL' : typeof value === 'number' ? doubleText(value) : typeof value === 'string' ? value : value.toString();
}

export const isTrue = (value: SqlValue): boolean => value !== null && (typeof value === 'bigint' ? value !== 0n : toNumber(value) !== 0);
export const fromBoolean = (value: boolean): bigint => (value ? 1n : 0n);

const PUNCTUATION = ' _-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$';

/** A key under which text sorts and compares as utf8mb4_0900_ai_ci does: no case, no accents, punctuation before digits before letters. */
export function collate(text: string): string {
  const plain = /^[\x20-\x7e]*$/.test(text) ? text : text.normalize('NFD').replace(/\p{M}/gu, '');
  return plain.toLowerCase().replace(/[ -/:-@[-`{-~]/g, (char) => String.fromCharCode(1 + PUNCTUATION.indexOf(char)));
}

const DATE_TEXT = /^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?$/;

/** < 0, 0, > 0; null when one side is NULL. */
export function compareValues(a: SqlValue, b: SqlValue): number | null {
  if (a === null || b === null) return null;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'string' && typeof b === 'string') {
    if (a === b) return 0;
    if (a.length !== b.length && DATE_TEXT.test(a) && DATE_TEXT.test(b))
      return compareText(a.padEnd(19, ' 00:00:00').slice(0, 19), b.padEnd(19, ' 00:00:00').slice(0, 19));
    return compareText(collate(a), collate(b));
  }
  const [x, y] = [toNumeric(a), toNumeric(b)];
  if (typeof x === 'number' || typeof y === 'number') return toNumber(x) - toNumber(y);
  const [p, q] = [toDecimal(x), toDecimal(y)];
  const scale = Math.max(p.scale, q.scale);
  const difference = p.rounded(scale).unscaled - q.rounded(scale).unscaled;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Order of ORDER BY: NULL first. */
export function orderValues(a: SqlValue, b: SqlValue): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return compareValues(a, b) ?? 0;
}

/** What makes two values the same for DISTINCT, GROUP BY, UNION and unique keys. */
export function identityOf(value: SqlValue): string {
  if (value === null) return 'n';
  if (typeof value === 'string') return `s${collate(value)}`;
  const decimal = typeof value === 'number' ? undefined : toDecimal(value);
  return `d${
    decimal
      ? decimal.toString().includes('.')
        ? decimal
            .showing(decimal.scale)
            .toString()
            .replace(/\.?0+$/, '')
        : decimal.toString()
      : doubleText(value as number)
  }`;
}

export const identitiesOf = (values: readonly SqlValue[]): string => values.map(identityOf).join('\0');

/** A BIGINT, or error 1690. Beyond the signed range lie only unsigned numbers. */
function inRange(value: bigint, text: () => string, unsigned = false): bigint {
  if (value < (unsigned ? 0n : -(2n ** 63n)) || value >= 2n ** (unsigned ? 64n : 63n))
    throw new SqlError(1690, '22003', `BIGINT value is out of range in '(${text()})'`);
  return value;
}

/** Two numbers of different digits behind the point, with the same. */
function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.unscaled * power(scale - a.scale), b.unscaled * power(scale - b.scale), scale];
}

/** What the server keeps of a division: whole groups of nine digits. */
const wordDigits = (digits: number): number => Math.ceil(digits / 9) * 9;

/**
 * + - * / % DIV on numbers; NULL when dividing by zero (the caller warns 1365). Throws 1690 beyond BIGINT.
 */
export function arithmetic(operator: string, left: Exclude<SqlValue, null>, right: Exclude<SqlValue, null>): SqlValue {
  const [a, b] = [toNumeric(left), toNumeric(right)];
  const written = (): string => `${toText(left)} ${operator} ${toText(right)}`;
  if (operator === 'div') {
    const [x, y] = aligned(toDecimal(a), toDecimal(b));
    return y === 0n ? null : inRange(x / y, written);
  }
  if (typeof a === 'number' || typeof b === 'number') {
    const [x, y] = [toNumber(a), toNumber(b)];
    if ((operator === '/' || operator === '%') && y === 0) return null;
    const result = operator === '+' ? x + y : operator === '-' ? x - y : operator === '*' ? x * y : operator === '/' ? x / y : x % y;
    if (!Number.isFinite(result)) throw new SqlError(1690, '22003', `DOUBLE value is out of range in '(${written()})'`);
    return result;
  }
  if (typeof a === 'bigint' && typeof b === 'bigint' && operator !== '/') {
    if (operator === '%') return b === 0n ? null : a % b;
    return inRange(operator === '+' ? a + b : operator === '-' ? a - b : a * b, written, a >= 2n ** 63n || b >= 2n ** 63n);
  }
  const [p, q] = [toDecimal(a), toDecimal(b)];
  switch (operator) {
    case '+':
    case '-':
    case '%': {
      const [x, y, scale] = aligned(p, q);
      if (operator === '%' && y === 0n) return null;
      return new Decimal(operator === '+' ? x + y : operator === '-' ? x - y : x % y, scale, Math.max(p.shown, q.shown));
    }
    case '*': {
      const scale = p.scale + q.scale;
      return new Decimal(p.unscaled * q.unscaled, scale, Math.min(30, p.shown + q.shown));
    }
    default:
      return q.unscaled === 0n ? null : divide(p, q, Math.min(30, p.shown + 4));
  }
}

/** A quotient that shows so many digits. */
export function divide(p: Decimal, q: Decimal, shown: number): Decimal {
  const [fraction0, fraction1] = [wordDigits(p.scale), wordDigits(q.scale)];
  const increment = Math.max(0, 4 - (fraction0 - p.scale + fraction1 - q.scale));
  const scale = Math.max(wordDigits(fraction0 + fraction1 + increment), shown);
  return new Decimal((p.unscaled * power(scale + q.scale)) / (q.unscaled * power(p.scale)), scale, shown);
}

// ---- values in files and in the binary log: JSON ----

export type Packed = string | number | null | [kind: 'i' | 'd' | 'f', text: string];

export function pack(value: SqlValue): Packed {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'bigint') return value > -(2n ** 53n) && value < 2n ** 53n ? Number(value) : ['i', value.toString()];
  return value instanceof Decimal ? ['d', value.toString()] : ['f', doubleText(value)];
}

export function unpack(value: Packed): SqlValue {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number') return BigInt(value);
  return value[0] === 'i' ? BigInt(value[1]) : value[0] === 'd' ? Decimal.parse(value[1]) : Number(value[1]);
}
