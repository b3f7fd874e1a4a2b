import { readdirSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';

const pages = ['', ...['lessons', 'reference'].flatMap((folder) => readdirSync(`dist/${folder}`).map((name) => `${folder}/${name}/`))];

/** Everything the page complains of, and every request that leaves the site. */
function watch(page: Page): { errors: string[]; foreign: string[] } {
  const seen = { errors: [] as string[], foreign: [] as string[] };
  page.on('console', (message) => message.type() === 'error' && seen.errors.push(message.text()));
  page.on('pageerror', (error) => seen.errors.push(error.message));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.hostname !== '127.0.0.1' && url.protocol.startsWith('http')) seen.foreign.push(request.url());
  });
  return seen;
}

async function labReady(page: Page): Promise<void> {
  if (await page.locator('section[data-lab]').count())
    await expect(page.locator('section[data-lab]')).toHaveAttribute('data-state', 'ready', { timeout: 20_000 });
}

for (const path of pages) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${path || 'front page'} (${colorScheme}): no error, no foreign request, accessible, nothing moves`, async ({ browser }) => {
      const context = await browser.newContext({ colorScheme, viewport: { width: 1440, height: 900 }, serviceWorkers: 'block' });
      const page = await context.newPage();
      const seen = watch(page);
      await page.addInitScript(`globalThis.shift = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shift += entry.value;
        }).observe({ type: 'layout-shift', buffered: true });`);
      await page.goto(path);
      await labReady(page);
      await page.waitForTimeout(300);
      const results = await new AxeBuilder({ page }).analyze();
      expect(results.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
      expect(await page.evaluate<number>('globalThis.shift')).toBeLessThan(0.02);
      expect(seen).toEqual({ errors: [], foreign: [] });
      await context.close();
    });
  }
}

test('search finds Chinese and Kubernetes words', async ({ page }) => {
  await page.goto('');
  await page.keyboard.press('Control+k');
  for (const word of ['叢集', '無頭服務', '持久化', '滾動更新', 'nslookup']) {
    await page.getByRole('searchbox').fill(word);
    await expect(page.locator('[data-search-results] a').first()).toBeVisible();
  }
  await page.getByRole('searchbox').fill('無頭服務');
  await page.locator('[data-search-results] a').first().click();
  await expect(page).toHaveURL(/lessons|reference/);
});

test('without scripts the lesson and its transcripts can be read', async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto('lessons/statefulset/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('照順序長出來的 Pod');
  await expect(page.locator('.transcript pre').first()).toBeVisible();
  await context.close();
});

test('every tool of the lab is accessible', async ({ page }) => {
  await page.goto('lessons/statefulset/');
  await labReady(page);
  await page.locator('[data-command="kubectl apply -f statefulset.yaml"] [data-run]').click();
  await expect(page.locator('.chart .pod')).toHaveCount(1, { timeout: 10_000 });
  await page.locator('[data-outline-toggle]').click();
  for (const tab of ['files', 'events', 'timeline', 'why', 'terminal']) {
    await page.locator(`[data-tab="${tab}"]`).click();
    if (tab === 'files') await expect(page.locator('.cm-content')).toContainText('StatefulSet', { timeout: 20_000 });
    const results = await new AxeBuilder({ page }).include('section[data-lab]').analyze();
    expect(results.violations.map((violation) => `${tab}: ${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
  }
  await page.locator('[data-outline] button', { hasText: 'mysql-statefulset-0' }).click();
  await expect(page.locator('[data-details] h3')).toContainText('pod/mysql-statefulset-0', { timeout: 10_000 });
  // What belongs to it is marked in the drawing and said in the outline.
  await expect(page.locator('[data-outline]')).toContainText('選了 mysql-statefulset-0。屬於 StatefulSet mysql-statefulset');
  await expect(page.locator('[data-outline] [aria-current="true"]')).toHaveText('mysql-statefulset-0');
  await expect(page.locator('.chart .selected')).toHaveCount(1);
  await expect(page.locator('.chart .claim.related')).toHaveCount(1);
});
