/**
 * Everything that can be known without running the program: format and lint, types (the core without DOM and Node),
 * banned sources of time and chance, dead code, import cycles, file length, and the words in content and labs.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { findCycles } from './import-cycles.ts';
import { checkWords } from './words.ts';

const CORE = ['kernel', 'unix', 'shell', 'applets', 'sim', 'kubectl', 'lab'];
const MAX_LINES = 400;

let problems = 0;

function report(name: string, findings: readonly string[]): void {
  console.log(`${findings.length === 0 ? 'ok' : 'FAILED'}: ${name}`);
  for (const finding of findings.slice(0, 60)) console.log(`  ${finding}`);
  problems += findings.length;
}

function tool(name: string, command: string, args: readonly string[]): void {
  const result = spawnSync(command, [...args], { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0' }, maxBuffer: 64 * 1024 * 1024 });
  report(name, result.status === 0 ? [] : `${result.stdout ?? ''}${result.stderr ?? ''}`.trimEnd().split('\n'));
}

const bin = (name: string): string => `node_modules/.bin/${name}`;
tool('format and lint', bin('biome'), ['check', '--diagnostic-level=error', '.']);
for (const project of ['core', 'node', 'web']) tool(`types: ${project}`, bin('tsc'), ['--pretty', 'false', '-p', `tsconfig.${project}.json`]);
tool('dead code', bin('knip'), []);
tool('support page', process.execPath, ['scripts/support.ts', '--check']);

const sources = globSync(`src/{${CORE.join(',')}}/**/*.ts`).filter(
  (path) => !path.endsWith('.test.ts') && !path.includes('/testing/') && !path.endsWith('kinds/types.ts'),
);
report('time and chance come from the kernel', sources.flatMap(bannedCalls));
report('import cycles', findCycles(globSync('src/**/*.ts').filter((path) => !path.endsWith('.test.ts'))));
report('file length', fileLengths(sources));
report('words', checkWords());
process.exitCode = problems === 0 ? 0 : 1;

/** Lint bans globals; these are calls on globals that have innocent uses. */
function bannedCalls(path: string): string[] {
  const banned: [RegExp, string][] = [
    [/\bDate\.now\(/, 'kernel.now()'],
    [/\bnew Date\(\)/, 'new Date(kernel.now())'],
    [/\bMath\.random\(/, 'kernel.random'],
  ];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line, i) =>
      banned
        .filter(([pattern]) => pattern.test(line) && !/^\s*(\*|\/\/)/.test(line))
        .map(([pattern, instead]) => `${path}:${i + 1}: ${pattern.source} is banned here; use ${instead}`),
    );
}

/** Long files need a reason in scripts/long-files.json; the list only shrinks. */
function fileLengths(paths: readonly string[]): string[] {
  const excused = JSON.parse(readFileSync('scripts/long-files.json', 'utf8')) as Record<string, string>;
  const long = new Map(paths.map((path) => [path, readFileSync(path, 'utf8').split('\n').length] as const).filter(([, lines]) => lines > MAX_LINES));
  return [
    ...[...long]
      .filter(([path]) => !(path in excused))
      .map(([path, lines]) => `${path}: ${lines} lines; split it, or give the reason in scripts/long-files.json`),
    ...Object.keys(excused)
      .filter((path) => !long.has(path))
      .map((path) => `${path}: no longer long; take it off scripts/long-files.json`),
  ];
}
