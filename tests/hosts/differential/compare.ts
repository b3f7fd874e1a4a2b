import { normalise } from '../../../src/lab/compare.ts';
import type { Outcome, World } from './world.ts';

export interface Difference {
  command: string;
  builtin: Outcome;
  real: Outcome;
  lines: string[];
}

const AGE = /(?<![\w.:/"-])(<invalid>|(\d+[ydhm])?\d+[ydhms])(?![\w."/-])/g;

/** What neither kubectl decides: the directory, log lines' times and process ids, how long a request took. */
export function settle(text: string, world: World, ages: boolean): string {
  const out = world
    .translate(text)
    .replace(/^([EWIF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ /gm, '$1<log> ')
    .replace(/\b(milliseconds|DNSLookup_ms|Dial_ms|TLSHandshake_ms|ServerProcessing_ms|Duration_ms)=\d+/g, '$1=<n>')
    .replace(/\/tmp\/(LIVE|MERGED)-\d+/g, '/tmp/$1-<n>')
    .replace(/\/tmp\/kubectl-edit-[\w-]*?(\.\w+)?\b/g, '/tmp/kubectl-edit-<n>$1')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+\d{4}/g, '<time>')
    .replace(/^I<log> (envvar|reflector)\.go.*\n/gm, '')
    .replace(/\bdebugger-[a-z0-9]{5}\b/g, 'debugger-<n>')
    .replace(/ on [\d.]+:53: no such host/g, ' on <resolver>: no such host')
    .replace(/\b[0-9a-f]{64}\b/g, '<container>')
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>');
  return ages ? out.replace(AGE, '<age>').replace(/(?<=\S) {2,}/g, '  ') : out;
}

/** kubectl's own clock decides the ages in what these print; elsewhere the server's does. */
const OWN_AGES = /describe|events|server-print=false|get .*(-w|--watch)|wait|exec|logs/;
const DRY_SERVER = /--dry-run=server/;

function stable(text: string, command: string): string {
  // What a candidate is for is told in Chinese.
  if (command.includes('__complete')) return text.replace(/\t.*$/gm, '');
  return DRY_SERVER.test(command) ? text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>').replace(/10\.43\.\d+\.\d+/g, '<ip>') : text;
}

/** What differs between two runs; with `apart` they were on two clusters, whose chance differs, too. */
export function difference(command: string, builtin: Outcome, real: Outcome, world: World, apart = false): Difference | undefined {
  const ages = apart || OWN_AGES.test(command);
  const view = (outcome: Outcome): string =>
    stable([`exit ${outcome.exit}`, '--- stdout', settle(outcome.stdout, world, ages), '--- stderr', settle(outcome.stderr, world, ages)].join('\n'), command);
  // Help is ours, in Chinese.
  if (/^Usage:$/m.test(real.stdout + real.stderr) && /用法/.test(builtin.stdout + builtin.stderr) && real.exit === builtin.exit) return undefined;
  const left = apart ? normalise(view(real)) : view(real);
  const right = apart ? normalise(view(builtin)) : view(builtin);
  return left === right ? undefined : { command, builtin, real, lines: diffLines(left.split('\n'), right.split('\n')) };
}

/** Lines only the real one printed ("-") and only ours ("+"), in order. */
function diffLines(a: readonly string[], b: readonly string[]): string[] {
  const rows = a.length;
  const columns = b.length;
  if (rows * columns > 4_000_000)
    return ['(long)', ...a.filter((line) => !b.includes(line)).map((line) => `- ${line}`), ...b.filter((line) => !a.includes(line)).map((line) => `+ ${line}`)];
  const table = Array.from({ length: rows + 1 }, () => new Uint16Array(columns + 1));
  for (let i = rows - 1; i >= 0; i--)
    for (let j = columns - 1; j >= 0; j--)
      (table[i] as Uint16Array)[j] = a[i] === b[j] ? (table[i + 1]?.[j + 1] ?? 0) + 1 : Math.max(table[i + 1]?.[j] ?? 0, table[i]?.[j + 1] ?? 0);
  const out: string[] = [];
  let i = 0;
  let j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[i] === b[j]) {
      i++;
      j++;
    } else if (j >= columns || (i < rows && (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0))) out.push(`- ${a[i++]}`);
    else out.push(`+ ${b[j++]}`);
  }
  return out;
}
