import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/**
 * Weighs what a lesson page loads before its first keystroke: its scripts, what they import statically, and the lab's
 * worker with its static imports. Exits 1 over the budget. Needs a built site: `node scripts/budgets.ts`.
 */
const LIMIT_BYTES = 300_000;
const root = 'dist';

/** Files of _astro that a script loads at once (not by a later `import()`). */
function staticImports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const names = [...text.matchAll(/(?:\bfrom|\bimport)\s*["'](\.\/[\w.-]+\.js)["']/g)].map((match) => join(dirname(file), match[1] ?? ''));
  const workers = [...text.matchAll(/new Worker\(\s*new URL\(\s*["'`]([^"'`]+\.js)["'`]/g)].map((match) => join(root, '_astro', basename(match[1] ?? '')));
  return [...names, ...workers];
}

function pageScripts(page: string): Set<string> {
  const html = readFileSync(page, 'utf8');
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file) || !existsSync(file)) return;
    found.add(file);
    for (const next of staticImports(file)) visit(next);
  };
  for (const match of html.matchAll(/<(?:script[^>]*\bsrc|link[^>]*rel="modulepreload"[^>]*\bhref)="[^"]*\/_astro\/([\w.-]+\.js)"/g))
    visit(join(root, '_astro', match[1] ?? ''));
  // Small scripts stand in the page itself; they import from _astro, and one starts the lab's worker.
  for (const match of html.matchAll(/(?:import\s*|new Worker\()["'][^"']*\/_astro\/([\w.-]+\.js)["']/g)) visit(join(root, '_astro', match[1] ?? ''));
  return found;
}

const lessons = existsSync(join(root, 'lessons')) ? readdirSync(join(root, 'lessons')) : [];
if (lessons.length === 0) {
  console.error('budgets: no lessons in dist; run "npm run build" first');
  process.exit(1);
}
/** What only a lab with a database needs, known by a sentence of it. */
const SQL_ENGINE = 'You have an error in your SQL syntax';
let failed = false;
let listed = false;
for (const lesson of lessons) {
  const sizes = [...pageScripts(join(root, 'lessons', lesson, 'index.html'))].map((file) => ({
    file: basename(file),
    bytes: gzipSync(readFileSync(file), { level: 9 }).length,
  }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (!listed) {
    for (const { file, bytes } of sizes.sort((a, b) => b.bytes - a.bytes)) console.log(`  ${(bytes / 1000).toFixed(1).padStart(7)} kB  ${file}`);
    listed = true;
  }
  const engine = sizes.find(({ file }) => readFileSync(join(root, '_astro', file), 'utf8').includes(SQL_ENGINE));
  if (engine) console.log(`over  the SQL engine is in ${engine.file}, which lessons/${lesson}/ loads at once`);
  failed ||= engine !== undefined;
  const over = total > LIMIT_BYTES;
  failed ||= over;
  console.log(`${over ? 'over' : 'ok  '} ${(total / 1000).toFixed(1).padStart(7)} kB of ${LIMIT_BYTES / 1000} gzipped  lessons/${lesson}/`);
}
process.exit(failed ? 1 : 0);
