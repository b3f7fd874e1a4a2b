import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { writeSearchIndex } from './search-index.ts';
import { writeServiceWorker } from './service-worker.ts';
import { writeWebContainerProgram } from './webcontainer-program.ts';

/**
 * `npm run build`: the site, its search index, and the service worker that makes it work without a network.
 * Transcripts are read from labs/<lab>/transcript.json (scripts/transcripts.ts writes them). Stops at the first failure.
 */
const astro = join('node_modules', '.bin', 'astro');
const { status, error } = spawnSync(process.execPath, [astro, 'build', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
});
if (error) throw error;
if (status !== 0) {
  console.error('build: the site could not be built; the reason stands above');
  process.exit(status ?? 1);
}
console.log(`search.json: ${writeSearchIndex('dist')} parts of pages`);
console.log(`${await writeWebContainerProgram('dist')}: the program for WebContainers`);
console.log(`sw.js: ${await writeServiceWorker('dist')} files work without a network`);
