/** Errors of a cron schedule, in the words of robfig/cron v3's standard parser; undefined when it is well formed. */
export function cronError(schedule: string): string | undefined {
  let spec = schedule;
  if (spec === '') return 'empty spec string';
  if (/^(?:CRON_)?TZ=/.test(spec)) {
    const space = spec.indexOf(' ');
    spec = space < 0 ? '' : spec.slice(space).trim();
  }
  if (spec.startsWith('@')) return descriptorError(spec);
  const fields = spec.split(/\s+/).filter(Boolean);
  if (fields.length !== 5) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  for (const [i, field] of fields.entries()) {
    for (const part of field.split(',').filter(Boolean)) {
      const error = rangeError(part, BOUNDS[i] as Bounds);
      if (error) return error;
    }
  }
  return undefined;
}

interface Bounds {
  min: number;
  max: number;
  names: readonly string[];
}

const MONTHS = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const BOUNDS: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];

function descriptorError(text: string): string | undefined {
  if (/^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(text)) return undefined;
  if (!text.startsWith('@every ')) return `unrecognized descriptor: ${text}`;
  const duration = text.slice('@every '.length);
  if (/^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))*$|^0$/.test(duration)) return undefined;
  return `failed to parse duration ${text}: time: invalid duration "${duration}"`;
}

/** A number, or the complaint about it. */
function parseNumber(text: string, names: readonly string[]): number | string {
  const named = text === '' ? -1 : names.indexOf(text.toLowerCase());
  if (named >= 0) return named;
  if (!/^[-+]?\d+$/.test(text)) return `failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`;
  const number = Number(text);
  return number < 0 ? `negative number (${number}) not allowed: ${text}` : number;
}

function rangeError(text: string, { min, max, names }: Bounds): string | undefined {
  const [range = '', stepText, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreHighs] = range.split('-');
  let [start, end]: (number | string)[] = [min, max];
  if (low !== '*' && low !== '?') {
    start = parseNumber(low, names);
    if (typeof start === 'string') return start;
    end = high === undefined ? start : parseNumber(high, names);
    if (typeof end === 'string') return end;
    if (moreHighs.length > 0) return `too many hyphens: ${text}`;
  }
  let step: number | string = 1;
  if (moreSteps.length > 0) return `too many slashes: ${text}`;
  if (stepText !== undefined) {
    step = parseNumber(stepText, []);
    if (typeof step === 'string') return step;
    if (high === undefined) end = max;
  }
  if ((start as number) < min) return `beginning of range (${start}) below minimum (${min}): ${text}`;
  if ((end as number) > max) return `end of range (${end}) above maximum (${max}): ${text}`;
  if ((start as number) > (end as number)) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return step === 0 ? `step of range should be a positive number: ${text}` : undefined;
}
