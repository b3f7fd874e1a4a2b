/**
 * `npm run bench [-- --quick]`: measures once, prints milliseconds and, because machines differ, the ratios that matter.
 * Nothing here is asserted; the aims stand beside the figures.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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
  'quiet-hour',
  'quiet-day',
  'webernetes-100',
  'webernetes-1000',
];

const results = new Map<string, Measured>();
for (const name of process.argv.includes('--quick') ? QUICK : ALL) {
  const child = spawnSync(process.execPath, ['--expose-gc', 'bench/cluster.ts', name], { encoding: 'utf8', timeout: 600_000 });
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

console.log('');
ratio('growth from 100 to 1,000 Pods', 'deployment-1000', 'deployment-100', 'within 12');
ratio('webernetes / chartroom, 100 Pods', 'webernetes-100', 'deployment-100', 'at least 10');
ratio('webernetes / chartroom, 1,000 Pods', 'webernetes-1000', 'deployment-1000', 'at least 10');

for (const line of await measureApi()) console.log(line);
for (const line of await measureDatabase()) console.log(line);

const chromium = findChromium();
if (!chromium) console.log('page: not measured, no Chromium found');
else if (!existsSync('dist/index.html')) console.log('page: not measured, run `npm run build` first');
else for (const line of await measurePage(chromium)) console.log(line);
