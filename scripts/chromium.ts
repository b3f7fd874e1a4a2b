/**
 * Finds a Chromium for the browser tests: CHROMIUM_PATH, an installed one, Playwright's own download, and on a machine
 * where packages may be installed (CI), Debian's. Run directly, it prints the path or fails with what to do.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

/** How tests and pictures start Chromium: as root in a container, and without asking its maker's servers anything. */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of a Chromium that is there, or undefined. */
export function findChromium(): string | undefined {
  const playwrightOwn = chromium.executablePath();
  return [process.env.CHROMIUM_PATH, ...INSTALLED, playwrightOwn].find((path) => path !== undefined && path !== '' && existsSync(path));
}

/** As `findChromium`, installing one where that is possible without asking. */
export function findOrInstallChromium(): string | undefined {
  const found = findChromium();
  if (found) return found;
  const attempts: [string, string[]][] = [
    [process.execPath, ['node_modules/@playwright/test/cli.js', 'install', 'chromium']],
    ['sh', ['-c', 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium']],
  ];
  for (const [command, args] of attempts) {
    if (args[0] === '-c' && (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))) continue;
    spawnSync(command, args, { stdio: 'inherit', timeout: 300_000 });
    const path = findChromium();
    if (path) return path;
  }
  return undefined;
}

if (import.meta.main) {
  const path = findOrInstallChromium();
  if (path) console.log(path);
  else {
    console.error('error: no Chromium found and none could be installed; install one and set CHROMIUM_PATH');
    process.exitCode = 1;
  }
}
