/**
 * Compares transcripts of one scenario: recorded against simulated (or against a real cluster).
 * The rules are those the recordings came with: what differs from run to run on a real cluster
 * (generated names, ages, IPs, which node, how rows of a watch interleave) is replaced before comparing.
 */

/** A transcript file; see tests/conformance/corpus/README.md. */
export interface Scenario {
  name?: string;
  about?: string;
  files?: Record<string, string>;
  steps: ScenarioStep[];
}

export interface ScenarioStep {
  run?: string;
  stdin?: string;
  at?: number;
  took?: number;
  exit?: number;
  stdout?: string;
  stderr?: string;
  note?: string;
  wait?: string;
  ok?: boolean;
  sleep?: number;
  background?: string;
  id?: string;
  stop?: string;
  command?: string;
  /** [second it appeared, text]. */
  lines?: [number, string][];
  write?: string;
  text?: string;
  quiet?: string;
  action?: string;
  nodeOf?: string;
}

export interface StepResult {
  command: string;
  ok: boolean;
  /** Lines with "-" (recorded) and "+" (simulated). */
  diff: string[];
}

const SAFE = 'bcdfghjklmnpqrstvwxz2456789';
const GENERATED: [string, RegExp][] = [
  ['uid', /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g],
  ['ip', /\b10\.4[23]\.\d+\.\d+\b/g],
  [
    'hash',
    new RegExp(`(?<=-)[${SAFE}]{8,10}(?=-[${SAFE}]{5}\\b)|(?<=-)[${SAFE}]{8,10}\\b|(?<=hash[=:])\\s?[${SAFE}]{8,10}\\b|(?<=")[${SAFE}]{8,10}(?=")`, 'g'),
  ],
  ['suffix', new RegExp(`(?<=-)[${SAFE}]{5}\\b`, 'g')],
  ['nodeport', /\b3[0-2]\d{3}\b(?=\/TCP|\/UDP|$|\n)/g],
];
const FIXED_IPS = new Set(['10.43.0.1', '10.43.0.10']);
const BEFORE_NAMES: [RegExp, string][] = [
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b/g, '<time>'],
  [/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000/g, '<time>'],
  [/sha256:[0-9a-f]{64}/g, '<digest>'],
  [/containerd:\/\/[0-9a-f]{64}/g, '<container>'],
  [/\b[0-9a-f]{64}\b/g, '<container>'],
  [/(resourceVersion"?(: ?|=))"?\d+"?/g, '$1<rv>'],
];
const AFTER_NAMES: [RegExp, string][] = [
  [/in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes\./g, 'in <took>. Image size: <size> bytes.'],
  [
    /(Successfully pulled image "[^"]+" in <took>\. Image size: <size> bytes\.|Container image "[^"]+" already present on machine and can be accessed by the pod)/g,
    '<pulled>',
  ],
  [/TokenExpirationSeconds: {2}\d+/g, 'TokenExpirationSeconds:  <n>'],
  [/\(x\d+ over [\dsmhd]+\)/g, ''],
  [/\bk3d-\w+-(server|agent)-\d\b/g, '<node>'],
  [/172\.18\.0\.[234]\b/g, '<nodeip>'],
  [/(?<![\w.:/"-])(<invalid>|(\d+d)?(\d+h)?(\d+m)?(\d+s)|\d+[dhm](\d+[hms])?)(?![\w."/-])/g, '<age>'],
  [/\(<age> ago\)/g, '(<age> ago)'],
  [/time=[\d.]+ ms/g, 'time=<ms>'],
  [/\.[0-9a-f]{16}\b/g, '.<event>'],
  [/\/tmp\/(MERGED|LIVE)-\d+\//g, '/tmp/$1-<n>/'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000/g, '<time>'],
  [/\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d\b/g, '<date>'],
  [/\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+/g, '..<stamp>'],
];

/** Replaces everything that chance or the hour decides by placeholders. */
export function normalise(text: string): string {
  let out = text;
  for (const [pattern, word] of BEFORE_NAMES) out = out.replace(pattern, word);
  for (const [kind, pattern] of GENERATED) out = out.replace(pattern, (match) => (FIXED_IPS.has(match.trim()) ? match.trim() : `<${kind}>`));
  for (const [pattern, word] of AFTER_NAMES) out = out.replace(pattern, word);
  return out;
}

function linesOf(text: string): string[] {
  const out: string[] = [];
  for (const raw of normalise(text).split('\n')) {
    const line = raw.trimEnd();
    // A client library's own log line.
    if (/^[EWI]\d{4} \d\d:\d\d:\d\d\.\d+ /.test(line)) continue;
    out.push(line.replace(/(?<=\S) {2,}/g, '  '));
  }
  while (out.length > 0 && out.at(-1) === '') out.pop();
  return out;
}

/** Event rows become an unordered set; everything else keeps its place. */
function foldEvents(lines: readonly string[]): string[] {
  const out: string[] = [];
  let block: string[] = [];
  const isEvent = (line: string): boolean =>
    /^\s+(Normal|Warning) {2}/.test(line) || /^<age> {2}(\(.*\) {2})?(Normal|Warning) {2}/.test(line) || /^<age> {2}\S*\s*(Normal|Warning) {2}/.test(line);
  for (const line of [...lines, undefined]) {
    if (line !== undefined && isEvent(line)) {
      const row = line.replaceAll('<age>', '').trim();
      if (!/^Normal +Pulling /.test(row)) block.push(row);
      continue;
    }
    if (block.length > 0) {
      out.push(...[...new Set(block)].sort());
      block = [];
    }
    if (line !== undefined) out.push(line);
  }
  return out;
}

/** The lines of an nslookup after its server are an unordered set: A and AAAA answers race. */
function foldDns(lines: string[]): string[] {
  for (const [i, line] of lines.entries()) {
    if (line.startsWith('Server:\t') && i + 1 < lines.length && line.endsWith('10.43.0.10')) {
      return [
        ...lines.slice(0, i + 2),
        ...lines
          .slice(i + 2)
          .filter(Boolean)
          .sort(),
      ];
    }
  }
  return lines;
}

/** Per object: the sequence of rows without the age column, repeats folded; as a multiset. */
function watchRows(lines: readonly [number, string][]): string[] {
  const rows = new Map<string, string[]>();
  for (const [, line] of lines) {
    if (!line.trim() || /^(NAME|NAMESPACE) /.test(line)) continue;
    const key = line.trim().split(/\s+/)[0] ?? '';
    const row = (linesOf(line)[0] ?? '').replace(/\s*<age>/g, '');
    const sequence = rows.get(key) ?? [];
    if (sequence.at(-1) !== row) sequence.push(row);
    rows.set(key, sequence);
  }
  return [...rows.values()].map((sequence) => JSON.stringify(sequence)).sort();
}

const UNORDERED = /(-- env|componentstatuses)$/;

function equalLists(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}

/** Rows may come in another order where generated values decide it. */
function rowsEqual(command: string, expected: readonly string[], actual: readonly string[]): boolean {
  if (equalLists(expected, actual)) return true;
  // Which intermediate counts are seen is timing.
  if (command.startsWith('kubectl rollout status')) return expected.at(-1) === actual.at(-1);
  const generated = expected.some((line) => line.includes('<suffix>') || line.includes('<hash>') || line.includes('<uid>'));
  return (generated || UNORDERED.test(command)) && equalLists([...expected].sort(), [...actual].sort());
}

/** The lines that only one side has, by longest common subsequence. */
export function diffLines(expected: readonly string[], actual: readonly string[]): string[] {
  const n = expected.length;
  const m = actual.length;
  if (n * m > 4_000_000) return [`- ${n} lines`, `+ ${m} lines`];
  const table = Array.from({ length: n + 1 }, () => new Uint32Array(m + 1));
  const at = (i: number, j: number): number => table[i]?.[j] ?? 0;
  for (let i = n - 1; i >= 0; i--) {
    const row = table[i] as Uint32Array;
    for (let j = m - 1; j >= 0; j--) row[j] = expected[i] === actual[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const out: string[] = [];
  let i = 0;
  let j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && expected[i] === actual[j]) {
      i++;
      j++;
    } else if (j >= m || (i < n && at(i + 1, j) >= at(i, j + 1))) out.push(`-${expected[i++]}`);
    else out.push(`+${actual[j++]}`);
  }
  return out;
}

export interface Output {
  stdout?: string;
  stderr?: string;
  exit?: number;
}

/** Compares one command's output; an empty result means equal. */
export function compareOutput(command: string, expected: Output, actual: Output): string[] {
  const fold = (output: Output): string[] => [...foldDns(foldEvents(linesOf(output.stdout ?? ''))), ...foldDns(foldEvents(linesOf(output.stderr ?? '')))];
  const want = fold(expected);
  const got = fold(actual);
  if ((expected.exit ?? 0) === (actual.exit ?? 0) && rowsEqual(command, want, got)) return [];
  return [`exit ${expected.exit ?? 0} / ${actual.exit ?? 0}`, ...diffLines(want, got)];
}

/** Compares every recorded `run` and `stop` step. Steps whose note begins with "random" or "order" are left out. */
export function compareScenarios(expected: Scenario, actual: Scenario): StepResult[] {
  const compared = (scenario: Scenario): ScenarioStep[] => scenario.steps.filter((step) => step.run !== undefined || step.stop !== undefined);
  const actualSteps = compared(actual);
  const results: StepResult[] = [];
  for (const [i, want] of compared(expected).entries()) {
    if (/^(random|order)/.test(want.note ?? '')) continue;
    const command = want.run ?? want.command ?? '';
    const got = actualSteps[i];
    if (!got || (got.run ?? got.command) !== command) {
      results.push({ command, ok: false, diff: ['step missing'] });
    } else if (want.run !== undefined) {
      const diff = compareOutput(command, want, got);
      results.push({ command, ok: diff.length === 0, diff });
    } else {
      const wantRows = watchRows(want.lines ?? []);
      const gotRows = watchRows(got.lines ?? []);
      const ok = equalLists(wantRows, gotRows);
      results.push({ command, ok, diff: ok ? [] : diffLines(wantRows, gotRows) });
    }
  }
  return results;
}
