/** A parsed cron schedule, as github.com/robfig/cron/v3's standard parser reads it. */
export interface Schedule {
  /** The first moment after `afterMs` (milliseconds since the epoch); undefined when there is none within five years. */
  next(afterMs: number): number | undefined;
}

interface Field {
  min: number;
  max: number;
  names?: readonly string[];
}

const MINUTE: Field = { min: 0, max: 59 };
const HOUR: Field = { min: 0, max: 23 };
const DAY: Field = { min: 1, max: 31 };
const MONTH: Field = { min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] };
const WEEKDAY: Field = { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] };

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const DAY_MS = 86_400_000;

interface Parsed {
  values: ReadonlySet<number>;
  /** Written as * or ?: any value. */
  any: boolean;
}

function numberIn(text: string, field: Field): number {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + field.min;
  if (!/^\d+$/.test(text)) throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`);
  return Number(text);
}

function parseField(text: string, field: Field): Parsed {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/');
    if (more.length > 0) throw new Error(`too many slashes: ${part}`);
    const [lowText = '', highText, ...extra] = range.split('-');
    if (extra.length > 0) throw new Error(`too many hyphens: ${part}`);
    let low: number;
    let high: number;
    if (lowText === '*' || lowText === '?') {
      low = field.min;
      high = field.max;
      if (stepText === undefined) any = true;
    } else {
      low = numberIn(lowText, field);
      high = highText === undefined ? low : numberIn(highText, field);
      if (highText === undefined && stepText !== undefined) high = field.max;
    }
    const step = stepText === undefined ? 1 : numberIn(stepText, { min: 0, max: field.max });
    if (low < field.min) throw new Error(`beginning of range (${low}) below minimum (${field.min}): ${part}`);
    if (high > field.max) throw new Error(`end of range (${high}) above maximum (${field.max}): ${part}`);
    if (low > high) throw new Error(`beginning of range (${low}) beyond end of range (${high}): ${part}`);
    if (step === 0) throw new Error(`step of range should be a positive number: ${part}`);
    for (let value = low; value <= high; value += step) values.add(value);
  }
  return { values, any };
}

/** Milliseconds local time is ahead of UTC in `timeZone` at that moment. */
function offsetMs(timeZone: string, atMs: number): number {
  if (timeZone === '' || timeZone === 'UTC' || timeZone === 'Etc/UTC') return 0;
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(new Date(atMs));
  const value = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const local = Date.UTC(value('year'), value('month') - 1, value('day'), value('hour'), value('minute'), value('second'));
  return local - Math.floor(atMs / 1000) * 1000;
}

/** Local wall time of an instant, as an RFC 3339 text with its offset. */
export function zonedTime(atMs: number, timeZone: string): string {
  const offset = offsetMs(timeZone, atMs);
  const local = new Date(atMs + offset).toISOString().slice(0, 19);
  if (offset === 0) return `${local}Z`;
  const minutes = Math.abs(offset) / 60_000;
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

function parseEvery(text: string): Schedule {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000 };
  const matches = [...text.matchAll(/(\d+(?:\.\d+)?)([hms])/g)];
  if (matches.length === 0) throw new Error(`failed to parse duration @every ${text}`);
  const stepMs = Math.max(1_000, Math.floor(matches.reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ''] ?? 0), 0) / 1000) * 1000);
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + stepMs };
}

/** Parses five fields, a descriptor (@hourly) or @every; a leading TZ=… or CRON_TZ=… overrides `zone`. Throws Error with the parser's words. */
export function parseSchedule(text: string, zone = 'UTC'): Schedule {
  let spec = text.trim();
  let timeZone = zone;
  const prefix = /^(?:CRON_)?TZ=(\S+)\s+/.exec(spec);
  if (prefix) {
    timeZone = prefix[1] ?? zone;
    spec = spec.slice(prefix[0].length);
  }
  if (spec.startsWith('@every ')) return parseEvery(spec.slice(7));
  if (spec.startsWith('@')) {
    const known = DESCRIPTORS[spec];
    if (!known) throw new Error(`unrecognized descriptor: ${spec}`);
    spec = known;
  }
  const fields = spec.split(/\s+/);
  if (fields.length !== 5) throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const [minute, hour, day, month, weekday] = [MINUTE, HOUR, DAY, MONTH, WEEKDAY].map((field, index) => parseField(fields[index] ?? '', field)) as [
    Parsed,
    Parsed,
    Parsed,
    Parsed,
    Parsed,
  ];
  const dayFits = (date: Date): boolean => {
    const ofMonth = day.values.has(date.getUTCDate());
    const ofWeek = weekday.values.has(date.getUTCDay());
    // When both are restricted either will do.
    return day.any || weekday.any ? ofMonth && ofWeek : ofMonth || ofWeek;
  };
  return {
    next(afterMs) {
      const startMs = Math.floor(afterMs / 60_000) * 60_000 + 60_000;
      // Walks local time, in the offset of the start: a day is looked at whole only when its date fits.
      const offset = offsetMs(timeZone, startMs);
      let local = startMs + offset;
      const limit = local + 5 * 366 * DAY_MS;
      while (local < limit) {
        const date = new Date(local);
        if (!month.values.has(date.getUTCMonth() + 1) || !dayFits(date)) {
          local = Math.floor(local / DAY_MS) * DAY_MS + DAY_MS;
        } else if (!hour.values.has(date.getUTCHours())) {
          local = Math.floor(local / 3_600_000) * 3_600_000 + 3_600_000;
        } else if (!minute.values.has(date.getUTCMinutes())) local += 60_000;
        else return local - offsetMs(timeZone, local - offset);
      }
      return undefined;
    },
  };
}
