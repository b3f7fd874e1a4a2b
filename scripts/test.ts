/**
 * Runs everything: check, unit, conformance and host tests, the site's build and the browser tests.
 * Ends with `N passed, N failed` and exits 1 when anything failed.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { findOrInstallChromium } from './chromium.ts';

let passed = 0;
let failed = 0;

function heading(text: string): void {
  console.log(`\n── ${text}`);
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): { ok: boolean; out: string } {
  const result = spawnSync(command, [...args], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, FORCE_COLOR: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.stdout.write(result.stdout ?? '');
  return { ok: result.status === 0, out: result.stdout ?? '' };
}

function count(out: string, pattern: RegExp): number {
  return [...out.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
}

function single(name: string, ok: boolean): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok' : 'FAILED'}: ${name}`);
}

function nodeTests(name: string, pattern: string): void {
  heading(name);
  const files = globSync(pattern, { exclude: (path) => path.includes('node_modules') });
  if (files.length === 0) return;
  const { ok, out } = run(process.execPath, ['--test', '--test-concurrency=2', ...files]);
  const bad = count(out, /^ℹ fail (\d+)$/gm) + count(out, /^ℹ cancelled (\d+)$/gm);
  passed += count(out, /^ℹ pass (\d+)$/gm);
  failed += bad;
  if (!ok && bad === 0) single(name, false);
}

heading('check');
single('check', run(process.execPath, ['scripts/check.ts']).ok);
nodeTests('unit tests', 'src/**/*.test.ts');
nodeTests('conformance tests', 'tests/conformance/*.test.ts');
nodeTests('host tests', 'tests/hosts/*.test.ts');

heading('build');
const built = run(process.execPath, ['scripts/build.ts']).ok;
single('build', built);
if (built) {
  single('bundle budgets', run(process.execPath, ['scripts/budgets.ts']).ok);
  heading('browser tests');
  const chromium = findOrInstallChromium();
  if (!chromium) {
    console.log('No Chromium: install one and set CHROMIUM_PATH if it is not found.');
    single('browser tests', false);
  } else {
    const report = 'test-results/report.json';
    rmSync(report, { force: true });
    const { ok } = run(process.execPath, ['node_modules/@playwright/test/cli.js', 'test', '--reporter=list,json'], {
      CHROMIUM_PATH: chromium,
      PLAYWRIGHT_JSON_OUTPUT_NAME: report,
    });
    try {
      const { stats } = JSON.parse(readFileSync(report, 'utf8')) as { stats: { expected: number; unexpected: number; flaky: number } };
      passed += stats.expected + stats.flaky;
      failed += stats.unexpected;
      if (!ok && stats.unexpected === 0) single('browser tests', false);
    } catch {
      single('browser tests', false);
    }
  }
}

console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
