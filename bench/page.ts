import { gzipSync } from 'node:zlib';
import { chromium } from '@playwright/test';
import { CHROMIUM_ARGUMENTS } from '../scripts/chromium.ts';
import { startStaticServer } from '../src/hosts/node/static-server.ts';
import { measureTimeline } from './timeline.ts';

const LESSON = '/lessons/statefulset/';
const RUNS = 5;
/** A new window is work of the browser's own, which is over before somebody follows a link in it. */
const WINDOW_MS = 1_500;

/** Opens a lesson in Chromium: milliseconds from navigation to a usable prompt, and what was loaded until then. */
export async function measurePage(executablePath: string): Promise<string[]> {
  const server = await startStaticServer({ port: 0 });
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS });
  try {
    const times: number[] = [];
    let scripts = 0;
    for (let i = 0; i < RUNS; i++) {
      const page = await browser.newPage();
      const bodies: Promise<number>[] = [];
      page.on('response', (response) => {
        if (/javascript/.test(response.headers()['content-type'] ?? ''))
          bodies.push(
            response.body().then(
              (body) => gzipSync(body).length,
              () => 0,
            ),
          );
      });
      await page.goto('about:blank');
      await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
      const start = performance.now();
      await page.goto(`${server.url}${LESSON}`, { waitUntil: 'commit' });
      await page.locator('[data-terminal-ready="true"]').first().waitFor({ timeout: 30_000 });
      times.push(performance.now() - start);
      scripts = (await Promise.all(bodies)).reduce((sum, size) => sum + size, 0);
      await page.close();
    }
    const page = await browser.newPage();
    await page.goto(`${server.url}${LESSON}`);
    await page.locator('[data-terminal-ready="true"]').first().waitFor({ timeout: 30_000 });
    const timeline = await measureTimeline(page);
    times.sort((a, b) => a - b);
    return [
      `navigation to usable prompt: median ${times[Math.floor(RUNS / 2)]?.toFixed(0)} ms, worst ${times.at(-1)?.toFixed(0)} ms of ${RUNS} (aim: under 1,000)`,
      `scripts before the first keystroke: ${(scripts / 1000).toFixed(0)} kB gzipped (aim: at most 300)`,
      timeline,
    ];
  } finally {
    await browser.close();
    await server.close();
  }
}
