import type { SqlValue } from './sql-value.ts';
import { toNumber, toText } from './sql-value.ts';

/** Dates and times: text in MySQL's form, computed in UTC. */

export const timestamp = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

interface Moment {
  ms: number;
  /** Text had a time of day. */
  timed: boolean;
  fraction: string;
}

/** Text (or a number like 20240131) as a moment; undefined when it is none. */
export function parseMoment(value: SqlValue): Moment | undefined {
  if (value === null) return undefined;
  const text = toText(value).trim();
  const found =
    /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d+)?)?)?$/.exec(text) ??
    /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)(\.\d+)?)?$/.exec(text);
  if (!found) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  const valid = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  return valid ? { ms, timed: found[4] !== undefined, fraction: found[7] ?? '' } : undefined;
}

/** "12:30", "-01:00:00" or a moment's time of day, in seconds. */
export function parseTime(value: SqlValue): number | undefined {
  if (value === null) return undefined;
  const moment = parseMoment(value);
  if (moment) return Math.floor((moment.ms % DAY) / 1000);
  const found = /^(-?)(\d{1,3}):(\d{1,2})(?::(\d{1,2}))?(?:\.\d+)?$/.exec(toText(value).trim());
  if (!found || Number(found[3]) > 59 || Number(found[4] ?? 0) > 59) return undefined;
  const seconds = Number(found[2]) * 3600 + Number(found[3]) * 60 + Number(found[4] ?? 0);
  return found[1] === '-' ? -seconds : seconds;
}

export function timeText(seconds: number): string {
  const size = Math.abs(seconds);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${seconds < 0 ? '-' : ''}${two(size / 3600)}:${two((size % 3600) / 60)}:${two(size % 60)}`;
}

const DAY = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { microsecond: 0.001, second: 1000, minute: 60_000, hour: 3_600_000, day: DAY, week: 7 * DAY };
const MONTHS: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 };
const DAY_NAMES = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTH_NAMES = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** DATE_ADD: a DATE stays a DATE while only days and more are added. */
function shift(value: SqlValue, amount: number, unit: string): SqlValue {
  const moment = parseMoment(value);
  if (!moment) return null;
  let { ms } = moment;
  const months = MONTHS[unit];
  if (months === undefined) ms += Math.round(amount) * (UNITS[unit] ?? 0);
  else {
    const date = new Date(ms);
    const target = date.getUTCFullYear() * 12 + date.getUTCMonth() + Math.round(amount) * months;
    const last = new Date(Date.UTC(Math.floor(target / 12), (target % 12) + 1, 0)).getUTCDate();
    ms = Date.UTC(Math.floor(target / 12), target % 12, Math.min(date.getUTCDate(), last)) + (ms % DAY);
  }
  if (Number.isNaN(ms) || ms < -62_167_219_200_000 || ms > 253_402_300_799_999) return null;
  const text = timestamp(ms);
  return moment.timed || !/^(day|week|month|quarter|year)$/.test(unit) ? text : text.slice(0, 10);
}

/** ISO week number (mode 3) or MySQL's default (mode 0: weeks begin on Sunday, week 0 before the first). */
function week(ms: number, mode: number): number {
  const date = new Date(ms);
  const start = Date.UTC(date.getUTCFullYear(), 0, 1);
  const day = Math.floor((ms - start) / DAY);
  if (mode === 1 || mode === 3) {
    const thursday = ms + (3 - ((date.getUTCDay() + 6) % 7)) * DAY;
    if (mode === 1 && new Date(thursday).getUTCFullYear() < date.getUTCFullYear()) return 0;
    const year = mode === 1 ? date.getUTCFullYear() : new Date(thursday).getUTCFullYear();
    return Math.floor((thursday - Date.UTC(year, 0, 1)) / DAY / 7) + 1;
  }
  const firstSunday = (7 - new Date(start).getUTCDay()) % 7;
  return day < firstSunday ? 0 : Math.floor((day - firstSunday) / 7) + 1;
}

function format(ms: number, pattern: string): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hour, day] = [date.getUTCHours(), date.getUTCDate()];
  const twelve = hour % 12 === 0 ? 12 : hour % 12;
  const ordinal = day > 10 && day < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][day % 10] ?? 'th');
  const parts: Readonly<Record<string, () => string>> = {
    Y: () => String(date.getUTCFullYear()).padStart(4, '0'),
    y: () => two(date.getUTCFullYear() % 100),
    m: () => two(date.getUTCMonth() + 1),
    c: () => String(date.getUTCMonth() + 1),
    M: () => MONTH_NAMES[date.getUTCMonth()] ?? '',
    b: () => (MONTH_NAMES[date.getUTCMonth()] ?? '').slice(0, 3),
    d: () => two(day),
    e: () => String(day),
    D: () => `${day}${ordinal}`,
    W: () => DAY_NAMES[date.getUTCDay()] ?? '',
    a: () => (DAY_NAMES[date.getUTCDay()] ?? '').slice(0, 3),
    w: () => String(date.getUTCDay()),
    j: () => String(Math.floor((ms - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY) + 1).padStart(3, '0'),
    H: () => two(hour),
    k: () => String(hour),
    h: () => two(twelve),
    I: () => two(twelve),
    l: () => String(twelve),
    i: () => two(date.getUTCMinutes()),
    s: () => two(date.getUTCSeconds()),
    S: () => two(date.getUTCSeconds()),
    f: () => '000000',
    p: () => (hour < 12 ? 'AM' : 'PM'),
    T: () => timestamp(ms).slice(11),
    r: () => `${two(twelve)}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${hour < 12 ? 'AM' : 'PM'}`,
    u: () => two(week(ms, 1)),
    U: () => two(week(ms, 0)),
    v: () => two(week(ms, 3)),
  };
  return pattern.replace(/%(.)/g, (_, char: string) => parts[char]?.() ?? char);
}

function difference(unit: string, from: number, to: number): number {
  const months = MONTHS[unit];
  if (months === undefined) return Math.trunc((to - from) / (UNITS[unit] ?? 1));
  if (to < from) return -difference(unit, to, from) || 0;
  const [a, b] = [new Date(from), new Date(to)];
  let count = (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth();
  const rest = (date: Date): number => date.getUTCDate() * DAY + (date.getTime() % DAY);
  if (rest(b) < rest(a)) count--;
  return Math.trunc(count / months);
}

const PARTS: Readonly<Record<string, (date: Date) => number>> = {
  year: (date) => date.getUTCFullYear(),
  month: (date) => date.getUTCMonth() + 1,
  quarter: (date) => Math.floor(date.getUTCMonth() / 3) + 1,
  day: (date) => date.getUTCDate(),
  dayofmonth: (date) => date.getUTCDate(),
  dayofweek: (date) => date.getUTCDay() + 1,
  weekday: (date) => (date.getUTCDay() + 6) % 7,
  dayofyear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY) + 1,
  to_days: (date) => Math.floor(date.getTime() / DAY) + 719_528,
};

/** Date and time functions; undefined: none of them. `invalid` is told of text that is no date. */
export function callDateFunction(name: string, args: readonly SqlValue[], nowMs: number, invalid: (value: SqlValue) => void): SqlValue | undefined {
  const [a = null, b = null, c = null] = args;
  const at = (value: SqlValue): Moment | undefined => {
    const moment = parseMoment(value);
    if (!moment && value !== null) invalid(value);
    return moment;
  };
  const part = PARTS[name];
  if (part) {
    const moment = at(a);
    return moment ? BigInt(part(new Date(moment.ms))) : null;
  }
  switch (name) {
    case 'now':
    case 'current_timestamp':
    case 'sysdate':
    case 'localtime':
    case 'localtimestamp':
    case 'utc_timestamp':
      return timestamp(nowMs);
    case 'curdate':
    case 'current_date':
    case 'utc_date':
      return timestamp(nowMs).slice(0, 10);
    case 'curtime':
    case 'current_time':
    case 'utc_time':
      return timestamp(nowMs).slice(11);
    case 'unix_timestamp': {
      if (args.length === 0) return BigInt(Math.floor(nowMs / 1000));
      const moment = at(a);
      return moment ? BigInt(Math.floor(moment.ms / 1000)) : a === null ? null : 0n;
    }
    case 'from_unixtime': {
      if (a === null) return null;
      const ms = toNumber(a) * 1000;
      return b === null ? timestamp(ms) : format(ms, toText(b));
    }
    case 'date': {
      const moment = at(a);
      return moment ? timestamp(moment.ms).slice(0, 10) : null;
    }
    case 'timestamp': {
      const moment = at(a);
      return moment ? timestamp(moment.ms + (b === null ? 0 : (parseTime(b) ?? 0) * 1000)) : null;
    }
    case 'time': {
      const seconds = parseTime(a);
      return seconds === undefined ? null : timeText(seconds);
    }
    case 'hour':
    case 'minute':
    case 'second': {
      const seconds = parseTime(a);
      if (seconds === undefined) return a !== null && at(a) ? 0n : null;
      const size = Math.abs(seconds);
      return BigInt(name === 'hour' ? Math.floor(size / 3600) : name === 'minute' ? Math.floor((size % 3600) / 60) : size % 60);
    }
    case 'week': {
      const moment = at(a);
      return moment ? BigInt(week(moment.ms, toNumber(b))) : null;
    }
    case 'dayname':
    case 'monthname': {
      const moment = at(a);
      if (!moment) return null;
      const date = new Date(moment.ms);
      return (name === 'dayname' ? DAY_NAMES[date.getUTCDay()] : MONTH_NAMES[date.getUTCMonth()]) ?? null;
    }
    case 'last_day': {
      const moment = at(a);
      if (!moment) return null;
      const date = new Date(moment.ms);
      return timestamp(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).slice(0, 10);
    }
    case 'date_add':
    case 'date_sub':
    case 'adddate':
    case 'subdate': {
      if (a === null || b === null || !at(a)) return null;
      return shift(a, (name === 'date_add' || name === 'adddate' ? 1 : -1) * toNumber(b), args.length < 3 ? 'day' : toText(c));
    }
    case 'datediff': {
      const [x, y] = [at(a), at(b)];
      return x && y ? BigInt(Math.floor(x.ms / DAY) - Math.floor(y.ms / DAY)) : null;
    }
    case 'timestampdiff': {
      const [x, y] = [at(b), at(c)];
      return x && y ? BigInt(difference(toText(a), x.ms, y.ms)) : null;
    }
    case 'timediff': {
      const [x, y] = [parseMoment(a), parseMoment(b)];
      if (x && y) return timeText((x.ms - y.ms) / 1000);
      const [p, q] = [parseTime(a), parseTime(b)];
      return p === undefined || q === undefined ? null : timeText(p - q);
    }
    case 'date_format': {
      const moment = at(a);
      return moment && b !== null ? format(moment.ms, toText(b)) : null;
    }
    case 'time_to_sec': {
      const seconds = parseTime(a);
      return seconds === undefined ? null : BigInt(seconds);
    }
    case 'sec_to_time':
      return a === null ? null : timeText(Math.trunc(toNumber(a)));
    case 'makedate':
      return a === null || b === null || toNumber(b) < 1 ? null : timestamp(Date.UTC(toNumber(a), 0, toNumber(b))).slice(0, 10);
    case 'from_days':
      return a === null ? null : timestamp((toNumber(a) - 719_528) * DAY).slice(0, 10);
    default:
      return undefined;
  }
}
