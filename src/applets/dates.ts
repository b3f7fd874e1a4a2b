import { type Applet, Failure, getopt, program } from './applet.ts';
import { parseDate } from './file-change.ts';

/** date and cal, and strftime for whoever needs it. Always UTC, in the C locale. */

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

export const dateApplets = {
  date: program('[OPTIONS] [+FMT] [TIME]', date),
  cal: program('[[MONTH] YEAR]', cal),
};
