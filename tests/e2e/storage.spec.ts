/** What a browser keeps may be blocked, full, broken, old, or held by another tab: a clear word, and nothing lost. */
import { expect, test } from '@playwright/test';
import { LabPage } from './lab-page.ts';

const KEPT = 'chartroom.1.';

test('storage is blocked: lesson and lab work, and a word says that nothing is kept', async ({ page }) => {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.addInitScript(`Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get() { throw new DOMException('The operation is insecure.', 'SecurityError'); },
  });`);
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await lab.type('kubectl apply -f statefulset.yaml');
  await expect.poll(() => lab.reached('apply')).toBe(true);
  await expect(page.locator('[data-notice]')).toContainText('瀏覽器的儲存空間滿了或被關掉');
  expect(errors).toEqual([]);
});

test('storage is full: the same word, and the steps of this visit stay marked', async ({ page }) => {
  await page.addInitScript(`Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };`);
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f statefulset.yaml');
  await expect.poll(() => lab.reached('apply')).toBe(true);
  await expect(page.locator('[data-notice]')).toContainText('這次的操作不會留到下次');
});

test('what was kept is broken: it counts as nothing, and what is whole is kept', async ({ page }) => {
  await page.goto('');
  await page.evaluate(
    ([prefix]) => {
      const keep = (key: string, text: string): void => localStorage.setItem(`${prefix}${key}`, text);
      keep('progress', '{"statefulset":["look",7,null],"dns":"all","identity":{}}');
      keep('session.statefulset', '{"digest":"0","saved":{"version":1,"inputs":"none"}}');
      keep('files.statefulset', '["a"]');
      keep('layout', '[1,');
      keep('answers', '"yes"');
    },
    [KEPT] as const,
  );
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const lab = new LabPage(page);
  await lab.open('statefulset');
  expect(await lab.reached('look')).toBe(true);
  expect(await lab.reached('apply')).toBe(false);
  expect(await lab.type('ls')).toContain('statefulset.yaml');
  await page.locator('[data-question] input').first().check();
  await page.goto('');
  await expect(page.locator('a[data-progress-lab="statefulset"]').last()).toContainText('1/7');
  expect(errors).toEqual([]);
});

test('an old session is begun anew with a word; one that cannot be replayed too, and edited files stay', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f statefulset.yaml');
  await expect.poll(() => page.evaluate((key) => localStorage.getItem(key) !== null, `${KEPT}session.statefulset`)).toBe(true);
  await page.goto('');
  await page.evaluate(
    ([prefix]) => {
      const key = `${prefix}session.statefulset`;
      const kept = JSON.parse(localStorage.getItem(key) ?? '');
      localStorage.setItem(
        key,
        JSON.stringify({ ...kept, saved: { ...kept.saved, inputs: [{ atMs: 'soon', request: { type: 'input', terminal: 'nobody' } }] } }),
      );
      localStorage.setItem(`${prefix}files.statefulset`, JSON.stringify({ 'note.txt': 'mine\n' }));
    },
    [KEPT] as const,
  );
  await lab.open('statefulset');
  await expect(page.locator('[data-notice]')).toContainText('上次的進度沒辦法重播');
  expect(await lab.type('cat note.txt')).toContain('mine');
  expect(await lab.reached('apply')).toBe(true);

  await page.goto('');
  await page.evaluate(
    (key) => localStorage.setItem(key, JSON.stringify({ digest: 'another', saved: { version: 1, inputs: [] } })),
    `${KEPT}session.statefulset`,
  );
  await lab.open('statefulset');
  await expect(page.locator('[data-notice]')).toContainText('實驗的內容更新過');
});

test('two tabs on one lab: the second says that only the first is kept', async ({ page, context }) => {
  const first = new LabPage(page);
  await first.open('statefulset');
  const second = new LabPage(await context.newPage());
  await second.open('statefulset');
  await expect(second.page.locator('[data-notice]')).toContainText('另一個分頁也開著這個實驗');
  await second.type('kubectl apply -f deployment.yaml');
  await expect.poll(() => second.reached('beside')).toBe(true);
  await second.page.close();
  await page.reload();
  await first.ready();
  expect(await first.type('kubectl get deploy')).toContain('No resources found');
  expect(await first.reached('beside')).toBe(true);
});

test('a file that is no progress file is refused in words, and what was reached stays', async ({ page }) => {
  await page.goto('');
  await page.evaluate((key) => localStorage.setItem(key, '{"dns":["client"]}'), `${KEPT}progress`);
  await page.reload();
  const file = (text: string) => ({ name: 'progress.json', mimeType: 'application/json', buffer: Buffer.from(text) });
  for (const [text, word] of [
    ['{"kind":', '內容壞了'],
    ['[]', '不是進度檔'],
    ['{"kind":"chartroom-progress","version":9}', '別的版本'],
  ] as const) {
    await page.locator('[data-progress-file]').setInputFiles(file(text));
    await expect(page.locator('[data-progress-status]')).toContainText(word);
  }
  await expect(page.locator('a[data-progress-lab="dns"]').last()).toContainText('1/9');
});
