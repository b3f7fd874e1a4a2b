import type { ColumnDefinition } from './sql-ast.ts';
import { parseMoment, parseTime, timestamp, timeText } from './sql-dates.ts';
import { SqlError } from './sql-error.ts';
import { Decimal, type SqlValue, toDecimal, toInteger, toNumber, toText } from './sql-value.ts';

const INTEGER_BITS: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, mediumint: 24, int: 32, bigint: 64 };
const TEXT_BYTES: Readonly<Record<string, number>> = {
  tinytext: 255,
  tinyblob: 255,
  text: 65_535,
  blob: 65_535,
  mediumtext: 16_777_215,
  mediumblob: 16_777_215,
};
const NUMERIC_TEXT = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/;

/** "decimal(6,2) unsigned" in parts. */
export function typeParts(type: string): { base: string; args: string[]; unsigned: boolean } {
  const [, base = '', argument = ''] = /^(\w+)(?:\((.*)\))?/.exec(type) ?? [];
  const args = [...argument.matchAll(/'((?:[^']|'')*)'|[^,]+/g)].map((one) => (one[1] === undefined ? one[0] : one[1].replace(/''/g, "'")));
  return { base, args, unsigned: / unsigned$/.test(type) };
}

/** What a column holds where nothing was given and nothing is an error: 0, '' and the like. */
export function implicitDefault(column: ColumnDefinition): SqlValue {
  const { base, args } = typeParts(column.type);
  if (INTEGER_BITS[base] !== undefined || base === 'year' || base === 'bit') return 0n;
  if (base === 'decimal') return new Decimal(0n, Number(args[1] ?? 0));
  if (base === 'float' || base === 'double') return 0;
  if (base === 'date') return '0000-00-00';
  if (base === 'datetime' || base === 'timestamp') return '0000-00-00 00:00:00';
  if (base === 'time') return '00:00:00';
  return base === 'enum' ? (args[0] ?? '') : '';
}

/**
 * A value as the column's type keeps it. Throws 1264, 1265, 1292, 1366, 1406, 3140 as in strict mode; with `lenient` (INSERT
 * IGNORE) it warns and keeps the nearest that fits.
 */
export function storeValue(column: ColumnDefinition, value: SqlValue, row: number, warn: (code: number, message: string) => void, lenient = false): SqlValue {
  if (value === null) return null;
  try {
    return convert(column, value, row, warn);
  } catch (error) {
    if (!(error instanceof SqlError) || !lenient) throw error;
    warn(error.number, error.message);
    return nearest(column, value);
  }
}

function convert(column: ColumnDefinition, value: Exclude<SqlValue, null>, row: number, warn: (code: number, message: string) => void): SqlValue {
  const { base, args, unsigned } = typeParts(column.type);
  const place = `for column '${column.name}' at row ${row}`;
  const incorrect = (what: string): SqlError => new SqlError(1366, 'HY000', `Incorrect ${what} value: '${toText(value)}' ${place}`);
  const outOfRange = (): SqlError => new SqlError(1264, '22003', `Out of range value ${place}`);
  const truncated = (): SqlError => new SqlError(1265, '01000', `Data truncated ${place}`);
  const bits = INTEGER_BITS[base];
  if (bits !== undefined || base === 'bit') {
    checkNumber(value, () => incorrect('integer'), truncated);
    const whole = toInteger(typeof value === 'string' ? (NUMERIC_TEXT.test(value) && !/e/i.test(value) ? toDecimal(value) : toNumber(value)) : value);
    const size = BigInt(bits ?? Number(args[0] ?? 1));
    const positive = unsigned || base === 'bit';
    const [low, high] = positive ? [0n, 2n ** size - 1n] : [-(2n ** (size - 1n)), 2n ** (size - 1n) - 1n];
    if (whole < low || whole > high) throw outOfRange();
    return whole;
  }
  switch (base) {
    case 'decimal': {
      checkNumber(value, () => incorrect('decimal'), truncated);
      const [precision, scale] = [Number(args[0] ?? 10), Number(args[1] ?? 0)];
      const exact = toDecimal(value);
      const kept = exact.rounded(scale);
      if (kept.unscaled >= 10n ** BigInt(precision) || kept.unscaled <= -(10n ** BigInt(precision)) || (unsigned && kept.unscaled < 0n)) throw outOfRange();
      if (exact.scale > scale && exact.unscaled % 10n ** BigInt(exact.scale - scale) !== 0n) warn(1265, `Data truncated ${place}`);
      return kept;
    }
    case 'float':
    case 'double': {
      checkNumber(value, () => incorrect(base), truncated);
      const number = toNumber(value);
      if (unsigned && number < 0) throw outOfRange();
      return base === 'float' ? Number(Math.fround(number).toPrecision(6)) : number;
    }
    case 'year': {
      checkNumber(value, () => incorrect('integer'), truncated);
      const year = toNumber(value);
      const full = typeof value === 'string' || year !== 0 ? (year < 70 ? year + 2000 : year < 100 ? year + 1900 : year) : 0;
      if (full !== 0 && (full < 1901 || full > 2155)) throw outOfRange();
      return BigInt(full);
    }
    case 'date':
    case 'datetime':
    case 'timestamp': {
      const moment = parseMoment(value);
      if (!moment) throw new SqlError(1292, '22007', `Incorrect ${base === 'date' ? 'date' : 'datetime'} value: '${toText(value)}' ${place}`);
      const digits = Number(args[0] ?? 0);
      if (base === 'date') {
        if (moment.timed && moment.ms % 86_400_000 !== 0) warn(1292, `Incorrect date value: '${toText(value)}' ${place}`);
        return timestamp(moment.ms).slice(0, 10);
      }
      return digits === 0
        ? timestamp(moment.ms + (Number(moment.fraction || 0) >= 0.5 ? 1000 : 0))
        : `${timestamp(moment.ms)}.${moment.fraction.slice(1, digits + 1).padEnd(digits, '0')}`;
    }
    case 'time': {
      const seconds = parseTime(value);
      if (seconds === undefined) throw new SqlError(1292, '22007', `Incorrect time value: '${toText(value)}' ${place}`);
      return timeText(seconds);
    }
    case 'enum': {
      const hit = typeof value === 'bigint' ? args[Number(value) - 1] : args.find((one) => one.toLowerCase() === toText(value).toLowerCase());
      if (hit === undefined) throw truncated();
      return hit;
    }
    case 'set': {
      const chosen = toText(value) === '' ? [] : toText(value).toLowerCase().split(',');
      if (chosen.some((one) => !args.some((choice) => choice.toLowerCase() === one))) throw truncated();
      return args.filter((choice) => chosen.includes(choice.toLowerCase())).join(',');
    }
    case 'json':
      try {
        return JSON.stringify(JSON.parse(toText(value)))
          .replace(/","/g, '", "')
          .replace(/":/g, '": ');
      } catch {
        throw new SqlError(3140, '22032', `Invalid JSON text: "Invalid value." at position 0 in value for column '${column.name}'.`);
      }
    default: {
      const text = toText(value);
      const limit = TEXT_BYTES[base];
      const length = args[0] === undefined ? Number.POSITIVE_INFINITY : Number(args[0]);
      const size = [...text].length;
      if (size > length || (limit !== undefined && text.length > limit / 4 && new TextEncoder().encode(text).length > limit)) {
        const cut = [...text].slice(0, length).join('');
        if (size <= length || text.slice(cut.length).trim() !== '') throw new SqlError(1406, '22001', `Data too long ${place}`);
        return base === 'char' ? cut.replace(/ +$/, '') : cut;
      }
      return base === 'char' ? text.replace(/ +$/, '') : text;
    }
  }
}

/** Text that is no number is an error; text that only begins with one is another. */
function checkNumber(value: SqlValue, none: () => SqlError, part: () => SqlError): void {
  if (typeof value !== 'string' || NUMERIC_TEXT.test(value)) return;
  throw /^\s*[-+]?\.?\d/.test(value) ? part() : none();
}

function nearest(column: ColumnDefinition, value: Exclude<SqlValue, null>): SqlValue {
  const { base, args, unsigned } = typeParts(column.type);
  const bits = INTEGER_BITS[base];
  if (bits !== undefined) {
    const size = BigInt(bits);
    const [low, high] = unsigned ? [0n, 2n ** size - 1n] : [-(2n ** (size - 1n)), 2n ** (size - 1n) - 1n];
    const whole = toInteger(toNumber(value));
    return whole < low ? low : whole > high ? high : whole;
  }
  if (base === 'decimal') {
    const digits = 10n ** BigInt(Number(args[0] ?? 10)) - 1n;
    const kept = toDecimal(value).rounded(Number(args[1] ?? 0));
    return new Decimal(kept.unscaled > digits ? digits : kept.unscaled < -digits ? -digits : kept.unscaled, kept.scale);
  }
  if (base === 'varchar' || base === 'char') return [...toText(value)].slice(0, Number(args[0] ?? 1)).join('');
  return base === 'enum' ? '' : implicitDefault(column);
}
