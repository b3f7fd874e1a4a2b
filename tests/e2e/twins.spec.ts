import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';

async function openTwins(page: Page, lesson: string): Promise<void> {
  await page.goto(`lessons/${lesson}/`);
  await page.locator('[data-twins]').click();
  await expect(page.locator('.twins-dialog')).toHaveAttribute('data-state', 'ready', { timeout: 40_000 });
}

test('twins: one command goes to both clusters, and they differ as their policies do', async ({ page }) => {
  await openTwins(page, 'ordering');
  const side = (index: number) => page.locator(`.twins-dialog [data-side="${index}"]`);
  await page.locator('.twins-commands button').first().click();
  for (const index of [0, 1]) await expect(side(index).locator('.xterm-rows')).toContainText('statefulset.apps/web created', { timeout: 20_000 });
  await expect(side(1).locator('.chart .pod')).toHaveCount(3);
  await expect(side(0).locator('.chart .pod')).toHaveCount(1);
  await page.locator('[data-outlines]').click();
  await expect(side(0).locator('[data-outline]')).toContainText('編號 1：沒有 Pod');
  await expect(side(1).locator('[data-outline]')).toContainText('web-2');
  const results = await new AxeBuilder({ page }).include('.twins-dialog').analyze();
  expect(results.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);

  // Typed in one terminal, it goes to both; so does a line of the text field.
  await side(0).locator('textarea').focus();
  await page.keyboard.type('echo $((40 + 2))\n');
  for (const index of [0, 1]) await expect(side(index).locator('.xterm-rows')).toContainText('42');
  await page.locator('#twins-input').fill('echo $((90 + 9))');
  await page.locator('#twins-input').press('Enter');
  for (const index of [0, 1]) await expect(side(index).locator('.xterm-rows')).toContainText('99');
  await page.locator('#twins-input').press('Escape');
  await expect(page.locator('.twins-dialog')).toHaveCount(0);
  await expect(page.locator('[data-twins]')).toBeFocused();
});

test('twins on a phone: one above the other, nothing wider than the screen', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, baseURL });
  const page = await context.newPage();
  await openTwins(page, 'headless');
  await page.locator('.twins-commands button').nth(1).tap();
  await expect(page.locator('[data-side="1"] .xterm-rows')).toContainText('web-h', { timeout: 20_000 });
  const boxes = await Promise.all([0, 1].map((index) => page.locator(`[data-side="${index}"]`).boundingBox()));
  expect(boxes[1]?.y).toBeGreaterThanOrEqual((boxes[0]?.y ?? 0) + (boxes[0]?.height ?? 0) - 1);
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  await context.close();
});
