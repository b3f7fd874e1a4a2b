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
  await page.locator('[popovertarget="lab-share"]').click();
  await page.locator('[data-share="link"]').click();
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
  // Only to be looked at.
  const visiting = new LabPage(other);
  const before = await visiting.screen();
  await visiting.focusTerminal();
  await other.keyboard.type('kubectl delete deploy --all\n');
  await other.waitForTimeout(300);
  expect(await visiting.screen()).toBe(before);
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

test('both futures of a fork are kept, and one can go from one to the other', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f statefulset.yaml');
  await lab.type('kubectl create configmap first');
  await page.locator('[popovertarget="lab-back"]').click();
  await page.locator('[data-undo]').click();
  await expect(page.locator('[data-notice]')).toContainText('時間停在');
  await lab.ready();
  await lab.speed('1');
  expect(await lab.type('kubectl get cm first')).toContain('not found');
  await lab.type('kubectl create configmap second');
  await page.locator('[popovertarget="lab-back"]').click();
  await expect(page.locator('[data-future]')).toContainText('kubectl create configmap first');
  await page.locator('[data-future]').click();
  await lab.ready();
  await lab.speed('1');
  expect(await lab.type('kubectl get cm first second')).toMatch(/first +0[\s\S]*"second" not found/);
  await page.locator('[popovertarget="lab-back"]').click();
  await expect(page.locator('[data-future]').first()).toContainText('kubectl');
});

test('the timeline by keyboard: another moment is shown, told in words, compared, and left again', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f deployment.yaml');
  await lab.settle();
  await lab.type('kubectl scale deploy/nginx-deployment --replicas=1');
  await page.locator('[popovertarget="lab-forward"]').click();
  await page.locator('[data-skip]').click();
  await expect(page.locator('.chart .pod')).toHaveCount(1);
  await page.locator('[data-tab="timeline"]').click();
  const slider = page.locator('[data-travel-at]');
  await slider.focus();
  await page.keyboard.press('Home');
  await expect(page.locator('.chart .pod')).toHaveCount(0);
  await page.locator('[data-compare]').press('Enter');
  for (let i = 0; i < 60 && !/nginx-deployment-\S+ 就緒/.test((await slider.getAttribute('aria-valuetext')) ?? ''); i++)
    await page.locator('[data-panel="timeline"] [data-after]').press('Enter');
  await expect(slider).toHaveAttribute('aria-valuetext', /在 kubectl apply -f deployment\.yaml 之後，nginx-deployment/);
  await expect(page.locator('.chart .pod')).toHaveCount(3);
  await page.locator('[data-compare]').press('Enter');
  await expect(page.locator('[data-compared] h3')).toContainText('個物件不同');
  await expect(page.locator('[data-compared] summary').first()).toContainText('建立');
  await page.locator('[data-compared] summary').first().press('Enter');
  await expect(page.locator('[data-compared] pre .added').first()).toBeVisible();
  await page.locator('[data-travel-now]').press('Enter');
  await expect(page.locator('.chart .pod')).toHaveCount(1);
});

test('the failures menu: chosen by keyboard, done by a command in the terminal', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f deployment.yaml');
  await lab.settle();
  await page.locator('[popovertarget="lab-break"]').press('Enter');
  await expect(page.locator('#lab-break select')).toBeFocused();
  await expect(page.locator('[data-failure]')).toHaveCount(10);
  await page.locator('[data-failure="coredns"]').press('Enter');
  await expect.poll(() => lab.screen()).toContain('$ kubectl -n kube-system scale deployment coredns --replicas=0');
  await expect.poll(() => lab.screen()).toContain('deployment.apps/coredns scaled');
});

test('a request is followed from a Pod, and the dice are shown', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f deployment.yaml');
  await lab.settle();
  await lab.type('kubectl expose deploy nginx-deployment --name=web --port=80');
  await lab.speed('0');
  await page.locator('[data-tab="why"]').click();
  await page.locator('#lab-ask').fill('http://web/');
  await page.locator('[data-ask-from]').focus();
  await page.locator('[data-ask-from]').selectOption({ index: 1 });
  await page.locator('#lab-ask').press('Enter');
  await expect(page.locator('[data-details]')).toContainText('擲骰子：3 個裡抽到第', { timeout: 20_000 });
  await expect(page.locator('[data-details] li[data-ok="true"]').last()).toContainText('回答了');
  await lab.speed('1');
  await page.locator('[data-tab="terminal"]').click();
  expect(await lab.type('kubectl get pod nobody')).toContain('not found');
  await page.locator('[data-tab="why"]').click();
  await page.locator('[data-ask-last]').click();
  await expect(page.locator('[data-details]')).toContainText('叢集裡沒有這個名字的物件');
});

test('a question as Markdown, a file and back, and slides with the arrow keys', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f deployment.yaml');
  await lab.settle();
  await lab.type('kubectl scale deploy/nginx-deployment --replicas=1');
  const share = async (how: string): Promise<void> => {
    await page.locator('[popovertarget="lab-share"]').click();
    await page.locator(`[data-share="${how}"]`).click();
  };
  await share('question');
  await expect(page.locator('[data-notice]')).toContainText('問題複製好了');
  const text = await page.evaluate<string>('navigator.clipboard.readText()');
  expect(text).toMatch(/#share=[\w-]+\)[\s\S]*```sh\nkubectl apply -f deployment\.yaml\nkubectl scale/);
  const downloading = page.waitForEvent('download');
  await share('file');
  const path = await (await downloading).path();
  await share('slides');
  await expect(page.locator('.slides h3')).toContainText('1 / 2');
  await expect(page.locator('.slides')).toContainText('建立了 deployments/nginx-deployment');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('.slides h3')).toContainText('2 / 2');
  await page.keyboard.press('Escape');
  await expect(page.locator('.slides')).toHaveCount(0);
  await page.locator('[data-reset]').click();
  await page.locator('[data-reset]').click();
  await lab.ready();
  const choosing = page.waitForEvent('filechooser');
  await share('open');
  await (await choosing).setFiles(path);
  await expect(page.locator('[data-notice]')).toContainText('別人分享的時刻', { timeout: 20_000 });
  await expect.poll(() => lab.screen()).toContain('replicas=1');
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
