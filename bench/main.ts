/**
 * `npm run bench [-- --quick]`: measures once, prints milliseconds and, because machines differ, the ratios that matter.
 * Nothing here is asserted; the aims stand beside the figures.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { findChromium } from '../scripts/chromium.ts';
import { measureApi } from './api.ts';
import { measureDatabase } from './database.ts';
import { measurePage } from './page.ts';

interface Measured {
  ms: number;
  heapMb: number;
  note?: string;
}

const QUICK = ['deployment-100', 'deployment-1000', 'quiet-hour', 'webernetes-100'];
const ALL = [
  'deployment-100',
  'deployment-1000',
  'deployment-10000',
  'statefulset-parallel-1000',
  'statefulset-ordered-100',
  'rolling-update-1000',
  'jump-look',
  'jump-return',
  'quiet-hour',
  'quiet-day',
  'webernetes-100',
  'webernetes-1000',
];

/** Both simulators as they run in a page, bundled (webernetes' modules name each other as only bundlers follow). Inside the project, where packages are found. */
const bundle = join('node_modules', '.cache', `bench-${process.pid}`);
await build({
  entryPoints: ['bench/cluster.ts'],
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  outdir: bundle,
  outExtension: { '.js': '.mjs' },
  banner: { js: "import { createRequire as $require } from 'node:module'; const require = $require(import.meta.url);" },
  logLevel: 'error',
});
process.on('exit', () => rmSync(bundle, { recursive: true, force: true }));

const results = new Map<string, Measured>();
for (const name of process.argv.includes('--quick') ? QUICK : ALL) {
  const child = spawnSync(process.execPath, ['--expose-gc', join(bundle, 'cluster.mjs'), name], { encoding: 'utf8', timeout: 600_000 });
  const line = child.stdout?.trim().split('\n').at(-1) ?? '';
  try {
    const measured = JSON.parse(line) as Measured;
    results.set(name, measured);
    console.log(`${name.padEnd(28)} ${measured.ms.toFixed(0).padStart(8)} ms ${measured.heapMb.toFixed(0).padStart(6)} MB  ${measured.note ?? ''}`);
  } catch {
    console.log(`${name.padEnd(28)} failed: ${(child.stderr || line).trim().split('\n').at(-1)}`);
  }
}

function ratio(label: string, above: string, below: string, aim: string): void {
  const a = results.get(above);
  const b = results.get(below);
  if (a && b) console.log(`${label}: ${(a.ms / b.ms).toFixed(1)} (aim: ${aim})`);
}

function aim(label: string, name: string, limitMs: number): void {
  const measured = results.get(name);
  if (measured) console.log(`${label}: ${measured.ms.toFixed(0)} ms (aim: under ${limitMs.toLocaleString('en')})`);
}

console.log('');
ratio('growth from 100 to 1,000 Pods', 'deployment-1000', 'deployment-100', 'within 12');
ratio('webernetes / chartroom, 100 Pods', 'webernetes-100', 'deployment-100', 'at least 10');
ratio('webernetes / chartroom, 1,000 Pods', 'webernetes-1000', 'deployment-1000', 'at least 10');
aim('a virtual day of a quiet cluster', 'quiet-day', 1_000);
aim('a virtual hour of it', 'quiet-hour', 100);
aim('a look at any moment of ten minutes', 'jump-look', 100);
aim('the way back to any moment of ten minutes', 'jump-return', 100);

for (const line of await measureApi()) console.log(line);
for (const line of await measureDatabase()) console.log(line);

const chromium = findChromium();
if (!chromium) console.log('page: not measured, no Chromium found');
else if (!existsSync('dist/index.html')) console.log('page: not measured, run `npm run build` first');
else for (const line of await measurePage(chromium)) console.log(line);
