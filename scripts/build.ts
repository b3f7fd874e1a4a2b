import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** `npm run build`: build the site. Transcripts are read from labs/<lab>/transcript.json (scripts/transcripts.ts writes them). */
const bin = (name: string): string => join('node_modules', '.bin', name);

function run(what: string, command: string, parameters: readonly string[]): void {
  const { status, error } = spawnSync(command, parameters, { stdio: 'inherit', env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' } });
  if (error) throw error;
  if (status !== 0) {
    console.error(`build: ${what} failed`);
    process.exit(status ?? 1);
  }
}

run('the site', process.execPath, [bin('astro'), 'build', ...process.argv.slice(2)]);
