import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { startStaticServer } from '../src/hosts/node/static-server.ts';
import { CHROMIUM_ARGUMENTS } from './chromium.ts';

/** Pictures of every page on desktop, phone and dark, after its lab has started: `npm run shots -- [page …] [--run step]`. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: '.cache/shots' },
    /** Runs the commands of the first so many steps before the picture. */
    steps: { type: 'string', default: '2' },
    /** Wall milliseconds to wait after the last command. */
    wait: { type: 'string', default: '1500' },
    full: { type: 'boolean', default: false },
  },
});

const pages =
  positionals.length > 0
    ? positionals
    : ['', ...['lessons', 'reference'].flatMap((folder) => readdirSync(join('dist', folder)).map((name) => `${folder}/${name}/`))];
const looks = [
  { name: 'desktop', viewport: { width: 1440, height: 900 }, colorScheme: 'light' as const, phone: false },
  { name: 'dark', viewport: { width: 1440, height: 900 }, colorScheme: 'dark' as const, phone: false },
  { name: 'phone', viewport: { width: 390, height: 844 }, colorScheme: 'light' as const, phone: true },
];

mkdirSync(values.out, { recursive: true });
const server = await startStaticServer({ base: process.env.BASE_PATH ?? '/', port: 0 });
const executablePath = process.env.CHROMIUM_PATH ?? (existsSync('/usr/bin/chromium') ? '/usr/bin/chromium' : undefined);
const browser = await chromium.launch({
  executablePath,
  args: CHROMIUM_ARGUMENTS,
});
for (const path of pages) {
  for (const look of looks) {
    const context = await browser.newContext({
      viewport: look.viewport,
      colorScheme: look.colorScheme,
      locale: 'zh-TW',
      hasTouch: look.phone,
      isMobile: look.phone,
    });
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && console.error(`${path} ${look.name}: ${message.text()}`));
    page.on('pageerror', (error) => console.error(`${path} ${look.name}: ${error.message}`));
    await page.goto(`${server.url}/${path}`);
    const name = `${path.replaceAll('/', '-').replace(/-$/, '') || 'front'}-${look.name}`;
    if (await page.locator('[data-lab]').count()) {
      await page
        .locator('[data-lab][data-state="ready"]')
        .waitFor({ state: 'attached', timeout: 15_000 })
        .catch(() => console.error(`${path} ${look.name}: the lab did not start`));
      if (look.phone) await page.screenshot({ path: join(values.out, `${name}-text.png`) });
      const buttons = page.locator('section[data-step] [data-run]');
      const wanted = await page
        .locator('section[data-step]')
        .evaluateAll((steps, count) => steps.slice(0, count).reduce((sum, step) => sum + step.querySelectorAll('[data-run]').length, 0), Number(values.steps));
      for (let i = 0; i < wanted; i++) {
        await buttons.nth(i).evaluate((button) => (button as unknown as { click(): void }).click());
        await page.waitForTimeout(250);
      }
      await page.waitForTimeout(Number(values.wait));
    }
    await page.screenshot({ path: join(values.out, `${name}.png`), fullPage: values.full });
    await context.close();
  }
}
await browser.close();
await server.close();
console.log(`${pages.length} pages in ${values.out}`);
