import { expect, test } from '@playwright/test';
import { LabPage } from './lab-page.ts';

test('undo takes the last command back, and the future that was left can be returned to', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f statefulset.yaml');
  await lab.type('kubectl apply -f deployment.yaml');
  await expect(page.locator('.chart .pod')).toHaveCount(4);
  await page.locator('[popovertarget="lab-back"]').click();
  await page.locator('[data-undo]').click();
  await expect(page.locator('.chart .pod')).toHaveCount(1);
  await expect(page.locator('input[name="lab-speed"][value="0"]')).toBeChecked();
  await page.locator('[popovertarget="lab-back"]').click();
  await page.locator('[data-future]').click();
  await expect(page.locator('.chart .pod')).toHaveCount(4);
});

test('a link carries the cluster to another reader, whose own progress is left alone', async ({ page, context }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f deployment.yaml');
  await expect.poll(() => lab.reached('beside')).toBe(true);
  await page.locator('[data-share]').click();
  await expect(page.locator('[data-notice]')).toContainText('連結已經複製好了');
  const link = await page.evaluate<string>('navigator.clipboard.readText()');
  expect(link.length).toBeLessThan(8000);
  await page.close();
  const other = await context.newPage();
  await other.goto('');
  await other.evaluate('localStorage.clear()');
  await other.goto(link);
  await expect(other.locator('[data-notice]')).toContainText('別人分享的時刻', { timeout: 20_000 });
  await expect(other.locator('.chart .pod')).toHaveCount(3);
  expect(await other.evaluate('localStorage.getItem("chartroom.1.progress")')).toBeNull();
  await other.getByRole('button', { name: '回到我的進度' }).click();
  await expect(other.locator('.chart .pod')).toHaveCount(0);
});

test('a link that is broken or hostile says no, and the lab starts as ever', async ({ page }) => {
  const lab = new LabPage(page);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('lessons/statefulset/#share=PHNjcmlwdD4');
  await expect(page.locator('[data-notice]')).toContainText('分享的連結打不開');
  await lab.ready();
});

test('為什麼: a gap on the line says what it waits for', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f statefulset.yaml');
  await page.locator('.chart .gap').first().click();
  await expect(page.locator('[data-details]')).toContainText('mysql-statefulset-0', { timeout: 10_000 });
  await expect(page.locator('[data-details]')).toContainText('OrderedReady');
});

test('two terminals: one watches while the other works', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await page.locator('[data-split]').click();
  await page.keyboard.type('kubectl get pods -w\n');
  await page.locator('[data-terminal="main"] textarea').focus();
  await page.keyboard.type('kubectl apply -f deployment.yaml\n');
  await expect(page.locator('[data-terminal="side"] .xterm-rows')).toContainText('nginx-deployment', { timeout: 10_000 });
});

test('the editor knows the fields, and says what the API server would', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await page.locator('[data-tab="files"]').click();
  await page.locator('.cm-line', { hasText: 'serviceName' }).click();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('upd');
  await expect(page.locator('.cm-tooltip-autocomplete')).toContainText('updateStrategy');
  await page.keyboard.press('Escape');
  await page.keyboard.type('atee: 1');
  await expect(page.locator('.cm-lint-marker')).toHaveCount(1);
});
