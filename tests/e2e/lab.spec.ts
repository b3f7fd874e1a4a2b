import { readdirSync, readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect as baseExpect, test } from '@playwright/test';
import { loadLab } from '../../scripts/labs.ts';
import { compareOutput } from '../../src/lab/compare.ts';
import type { LabCommand } from '../../src/lab/schema.ts';
import type { LabTranscript } from '../../src/lab/transcript.ts';
import { LabPage } from './lab-page.ts';

/** Compares as the recordings are compared: ages, addresses and generated names may differ. */
const expect = baseExpect.extend({
  toSatisfyTranscript(actual: string, command: string, expected: string) {
    const differences = compareOutput(command, { stdout: expected }, { stdout: actual });
    return { pass: differences.length === 0, message: () => `${command}\n${differences.join('\n')}` };
  },
});

test.describe.configure({ timeout: 120_000 });

test('the prompt is usable, and a typed command answers', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  expect(await lab.type('kubectl get pods')).toContain('No resources found in default namespace.');
  expect(await lab.type('echo 海圖室 | wc -c')).toContain('10');
});

test('a button runs its command in the terminal, and the step is marked', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await page.locator('[data-command="kubectl apply -f statefulset.yaml"] [data-run]').click();
  await expect.poll(() => lab.screen()).toContain('statefulset.apps/mysql-statefulset created');
  await expect.poll(() => lab.reached('apply')).toBe(true);
  await expect(page.locator('.chart .pod')).toHaveCount(1);
  await expect(page.locator('[data-outline]')).toContainText('編號 1：沒有 Pod');
});

test('reloading keeps the cluster, the steps and the edited file', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f statefulset.yaml');
  await expect.poll(() => lab.reached('apply')).toBe(true);
  await page.locator('[data-tab="files"]').click();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('# mine\n');
  await expect(page.locator('[data-file-state]')).toHaveText('已存檔');
  await page.waitForTimeout(2500);
  await page.reload();
  await lab.ready();
  expect(await lab.reached('apply')).toBe(true);
  expect(await lab.type('kubectl get sts')).toContain('mysql-statefulset');
  expect(await lab.type('head -1 statefulset.yaml')).toContain('# mine');
});

test('reset gives a new cluster and keeps the reached steps', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f statefulset.yaml');
  await expect.poll(() => lab.reached('apply')).toBe(true);
  await page.locator('[data-reset]').click();
  await page.locator('[data-reset]').click();
  await lab.ready();
  expect(await lab.type('kubectl get pods')).toContain('No resources found');
  expect(await lab.reached('apply')).toBe(true);
});

test('the page uses the worker that its head started, and says so when that cannot be loaded', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  expect(page.workers()).toHaveLength(1);
  let refuse = true;
  await page.route('**/_astro/main-*.js', (route) => (refuse ? route.abort() : route.continue()));
  await page.reload();
  const retry = page.getByRole('button', { name: '再試一次' });
  await expect(retry).toBeVisible();
  refuse = false;
  await retry.click();
  await lab.ready();
});

test('a computation that never ends is noticed, and the lab goes on from what was kept', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl apply -f statefulset.yaml');
  await expect.poll(() => lab.reached('apply')).toBe(true);
  await page.waitForTimeout(2500);
  // The lab's worker never comes to an end; nobody waits for that.
  const worker = page.workers().find((each) => each.url().includes('main'));
  worker?.evaluate('for (;;);').catch(() => undefined);
  const retry = page.getByRole('button', { name: '再試一次' });
  await expect(retry).toBeVisible({ timeout: 60_000 });
  await retry.click();
  await lab.ready();
  expect(await lab.type('kubectl get sts')).toContain('mysql-statefulset');
});

test('keyboard only: from the skip link to the terminal and out again', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await page.keyboard.press('Tab');
  for (let i = 0; i < 80 && !(await page.evaluate<boolean>("document.activeElement.classList.contains('xterm-helper-textarea')")); i++)
    await page.keyboard.press('Tab');
  await expect(page.locator('.xterm-helper-textarea')).toBeFocused();
  await page.keyboard.type('kubectl get nodes');
  await page.keyboard.press('Enter');
  await expect.poll(() => lab.screen()).toContain('k3d-demo-server-0');
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.press('F6');
  await expect(page.locator('[data-tab="terminal"]')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('[data-panel="files"]')).toBeVisible();
});

test('the palette does what the page can do, by keyboard, from the terminal too', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  const dialog = page.getByRole('dialog', { name: '搜尋和指令面板' });
  const choose = async (words: string): Promise<void> => {
    await page.keyboard.press('F1');
    await dialog.getByRole('searchbox').fill(words);
    await expect(dialog.locator('[data-palette-actions] button').first()).toBeVisible();
    await page.keyboard.press('Enter');
    await expect(dialog).toBeHidden();
  };
  await lab.focusTerminal();
  await choose('執行 apply statefulset');
  await expect.poll(() => lab.screen()).toContain('statefulset.apps/mysql-statefulset created');
  await lab.focusTerminal();
  await choose('時間 60');
  await expect(page.locator('input[name="lab-speed"][value="60"]')).toBeChecked();
  await choose('編輯檔案 deployment');
  await expect(page.locator('.cm-content')).toContainText('kind: Deployment', { timeout: 10_000 });
  await choose('打開「事件」');
  await expect(page.locator('[data-panel="events"]')).toBeVisible();
  await choose('theme dark');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await choose('打開「終端機」');
  await choose('重設');
  await lab.ready();
  await expect(page.locator('.chart .pod')).toHaveCount(0);

  // Arrows move through actions and search results alike; Escape leaves everything as it was.
  await page.keyboard.press('F1');
  await dialog.getByRole('searchbox').fill('時間');
  await expect(dialog.locator('[data-search-results] a').first()).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect(dialog.locator('[data-palette-actions] button').first()).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(dialog.getByRole('searchbox')).toBeFocused();
  const results = await new AxeBuilder({ page }).include('[data-search] dialog').analyze();
  expect(results.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
  // The first Escape empties the field, as search fields do.
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('a misconception is explained at once, in the step and where the reader types', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl create deploy web --image=nginx');
  await expect(page.locator('[data-notice]')).toContainText('這樣建出來的不是 StatefulSet');
  await expect(page.locator('section[data-step="apply"] [data-hint-text]')).toContainText('這樣建出來的不是 StatefulSet');
  expect(await lab.reached('apply')).toBe(false);
});

test('a step that asks to see something counts by what was seen, not by how', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await lab.type('kubectl get no -o name');
  expect(await lab.reached('look')).toBe(false);
  await lab.type('kubectl get po -A -o wide');
  await expect.poll(() => lab.reached('look')).toBe(true);
});

test("the editor marks a mistake with the API server's words, compares with the original, and formats", async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await page.locator('[data-tab="files"]').click();
  await page.locator('.cm-line', { hasText: 'replicas: 3' }).click();
  await page.keyboard.press('End');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('three');
  const problem = page.locator('[data-file-problem]');
  await expect(problem).toContainText('replicas 的型別不對', { timeout: 20_000 });
  await expect(problem.locator('code')).toContainText('json: cannot unmarshal string into Go struct field StatefulSetSpec.spec.replicas of type int32');
  await expect(page.locator('.cm-lint-marker-error')).toHaveCount(1);

  await page.locator('[data-file-compare]').click();
  await expect(page.locator('.file-diff del')).toHaveText('-  replicas: 3');
  await expect(page.locator('.file-diff ins')).toHaveText('+  replicas: three');
  const results = await new AxeBuilder({ page }).include('[data-panel="files"]').analyze();
  expect(results.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
  await page.locator('[data-file-compare]').click();

  await page.locator('.cm-line', { hasText: 'replicas: three' }).click();
  await page.keyboard.press('End');
  for (let i = 0; i < 5; i++) await page.keyboard.press('Backspace');
  await page.keyboard.type('    4');
  await expect(problem).toBeHidden();
  await page.locator('[data-file-format]').click();
  await expect(page.locator('.cm-line', { hasText: 'replicas:' })).toHaveText('  replicas: 4');
});

test('with the network cut after the page has loaded, lessons and labs go on', async ({ page, context }) => {
  const lab = new LabPage(page);
  await lab.open('statefulset');
  await expect
    .poll(() => page.evaluate<boolean>('navigator.serviceWorker.ready.then((registration) => Boolean(registration.active))'), { timeout: 20_000 })
    .toBe(true);
  await context.setOffline(true);
  expect(await lab.type('kubectl get pods')).toContain('No resources found');
  await page.locator('[data-tab="files"]').click();
  await expect(page.locator('.cm-content')).toContainText('StatefulSet', { timeout: 10_000 });
  await page.goto('lessons/dns/');
  await lab.ready();
  await context.setOffline(false);
});

test('on a phone: chips, sheet, key bar and text field', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, baseURL });
  const page = await context.newPage();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('lessons/statefulset/');
  await expect(page.locator('section[data-lab]')).toHaveAttribute('data-state', 'ready', { timeout: 30_000 });
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  await page.locator('[data-command="kubectl get nodes"] [data-run]').tap();
  const lab = new LabPage(page);
  await expect(page.locator('#lab-body')).toBeVisible();
  await expect.poll(() => lab.screen()).toContain('k3d-demo-server-0');
  await page.locator('#lab-input').fill('kubectl get ns');
  await page.locator('#lab-input').press('Enter');
  await expect.poll(() => lab.screen()).toContain('kube-system');
  await page.locator('[data-sheet]').tap();
  await expect(page.locator('#lab-body')).toBeHidden();
  await context.close();
});

const lessons = readdirSync('content/lessons')
  .filter((file) => file.endsWith('.mdx'))
  .flatMap((file): [string, string][] => {
    const lab = /^lab: *(\S+)/m.exec(readFileSync(`content/lessons/${file}`, 'utf8'))?.[1];
    return lab ? [[file.replace(/\.mdx$/, ''), lab]] : [];
  });

/** What a terminal keeps of an output: tabs are blanks there, and empty lines do not matter to the reader. */
const asSeen = (text: string): string =>
  text
    .replace(/\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000/g, '<date>')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uid>')
    .replace(/[ \t]+/g, '  ')
    .replace(/ +$/gm, '')
    .replace(/\n{2,}/g, '\n')
    .replace(/^\n/, '');
const same = (command: string, expected: string, actual: string): boolean =>
  compareOutput(command, { stdout: asSeen(expected) }, { stdout: asSeen(actual) }).length === 0;
/** States that last for a moment only: a reader who is slower or faster sees another one. */
const momentless = (text: string): string =>
  text
    .replace(/\b(Pending|ContainerCreating|PodInitializing|Init:\d\/\d|Running|Terminating|Completed|NotReady|Ready)\b/g, 'Running')
    .replace(/\b\d+\/\d+\b/g, '1/1')
    // Things with random names come in another order.
    .split('\n')
    .sort()
    .join('\n');
const READS =
  /^(kubectl (get|describe|logs|top|version|cluster-info|explain|api-resources|rollout history|exec \S+( -c \S+)? -- (nslookup|cat|ls|hostname|ping|wget|env|ps|head|grep|df|id)\b)|cat|ls|grep|head|hostname|echo) /;

for (const [lesson, name] of lessons) {
  test(`${lesson}: every step is typed, answers as its transcript, and is reached`, async ({ page }) => {
    test.setTimeout(400_000);
    const { lab: file } = loadLab(name);
    const transcript: LabTranscript = JSON.parse(readFileSync(`labs/${name}/transcript.json`, 'utf8'));
    const lab = new LabPage(page);
    await lab.open(lesson);

    /** Types a command; one that only reads is typed again, time going faster, until it answers as the transcript does. */
    const answer = async (command: LabCommand, expected: string | undefined): Promise<void> => {
      const reads = READS.test(command.run);
      // What is compared is asked until it is there; what chance decides is not.
      if (command.sleepSeconds || (command.waitFor && (!reads || command.random))) await lab.settle();
      const watches = command.stopWhen !== undefined || command.stopAfterSeconds !== undefined;
      if (watches) {
        await lab.type(command.run, { before: () => lab.settle() });
        return;
      }
      for (let attempt = 0; ; attempt++) {
        const output = await lab.type(command.run);
        // Chance decides what is marked so.
        if (expected === undefined || command.random || same(command.run, expected, output)) break;
        if (!reads || attempt === 24) {
          expect(momentless(asSeen(output)), command.run).toSatisfyTranscript(command.run, momentless(asSeen(expected)));
          break;
        }
        if (attempt === 6) await lab.speed('5');
        if (attempt === 14) await lab.speed('60');
        await page.waitForTimeout(500);
      }
      await lab.speed('1');
    };

    for (const step of file.steps) {
      const commands: readonly LabCommand[] = step.commands.length > 0 ? step.commands : (step.solution ?? []).map((run) => ({ run }));
      const printed = transcript.steps.find((each) => each.id === step.id)?.commands;
      for (const [index, command] of commands.entries()) await answer(command, printed?.[index]?.output);
      if (!(await lab.reached(step.id))) await lab.settle();
      await expect.poll(() => lab.reached(step.id), { timeout: 30_000, message: `step ${step.id}` }).toBe(true);
    }
  });
}
