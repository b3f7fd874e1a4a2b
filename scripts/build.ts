import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** `npm run build`: run every lab for its transcript, then build the site. Stops at the first part that fails. */
const bin = (name: string): string => join('node_modules', '.bin', name);

function run(what: string, command: string, parameters: readonly string[]): void {
  const { status, error } = spawnSync(command, parameters, { stdio: 'inherit', env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' } });
  if (error) throw error;
  if (status !== 0) {
    console.error(`build: ${what} failed`);
    process.exit(status ?? 1);
  }
}

if (existsSync('scripts/transcripts.ts')) run('running the labs', process.execPath, ['scripts/transcripts.ts']);
run('the site', process.execPath, [bin('astro'), 'build', ...process.argv.slice(2)]);
