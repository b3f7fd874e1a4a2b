import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { startStaticServer } from '../../src/hosts/node/static-server.ts';
import { LabPage } from './lab-page.ts';

test('a lab in an iframe of another site: parameters, messages out and in', async ({ page, baseURL }) => {
  // A blog of another origin, cross-origin isolated itself: the strictest that can embed.
  const root = mkdtempSync(join(tmpdir(), 'chartroom-blog-'));
  writeFileSync(
    join(root, 'index.html'),
    `<!doctype html><title>blog</title><iframe width="720" height="640" src="${baseURL}embed/statefulset/?step=apply&theme=dark&size=small"></iframe>
      <script>globalThis.heard = []; addEventListener('message', (event) => event.data?.source === 'chartroom' && heard.push(event.data));</script>`,
  );
  const blog = await startStaticServer({ root, port: 0 });
  await page.goto(`${blog.url}/`);
  const frame = page.frameLocator('iframe');
  const heard = (type: string): Promise<unknown[]> => page.evaluate<unknown[]>(`heard.filter((one) => one.type === '${type}')`);
  await expect.poll(() => heard('ready'), { timeout: 30_000 }).toHaveLength(1);
  expect(await heard('step')).toEqual([{ source: 'chartroom', version: 1, type: 'step', lab: 'statefulset', step: 'apply' }]);
  await expect(frame.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(frame.locator('section[data-step]:visible')).toHaveCount(1);
  await page.evaluate(`document.querySelector('iframe').contentWindow.postMessage({ target: 'chartroom', type: 'run', command: 'rm -rf /' }, '*')`);
  await page.evaluate(
    `document.querySelector('iframe').contentWindow.postMessage({ target: 'chartroom', type: 'run', command: 'kubectl apply -f statefulset.yaml' }, '*')`,
  );
  await expect.poll(() => heard('reached'), { timeout: 20_000 }).toHaveLength(1);
  expect((await heard('reached'))[0]).toMatchObject({ lab: 'statefulset', step: 'apply' });
  await expect(frame.locator('.xterm-rows')).not.toContainText('rm -rf');
  await frame.locator('[data-embed-next]').click();
  await page.evaluate(`document.querySelector('iframe').contentWindow.postMessage({ target: 'chartroom', type: 'theme', theme: 'light' }, '*')`);
  await expect(frame.locator('html')).toHaveAttribute('data-theme', 'light');
  await blog.close();
  rmSync(root, { recursive: true });
});

test('the embedded page is accessible', async ({ page }) => {
  for (const theme of ['light', 'dark']) {
    await page.goto(`embed/statefulset/?theme=${theme}`);
    await expect(page.locator('section[data-lab]')).toHaveAttribute('data-state', 'ready', { timeout: 30_000 });
    const results = await new AxeBuilder({ page }).analyze();
    expect(results.violations.map((violation) => `${theme}: ${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
  }
});

test('the site is replaced by a newer one while a lab runs: nothing is lost', async ({ page, context }) => {
  const root = mkdtempSync(join(tmpdir(), 'chartroom-site-'));
  cpSync('dist', root, { recursive: true });
  const server = await startStaticServer({ root, port: 0 });
  try {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const lab = new LabPage(page);
    await page.goto(`${server.url}/lessons/statefulset/`);
    await lab.ready();
    await expect
      .poll(() => page.evaluate<boolean>('navigator.serviceWorker.ready.then((registration) => Boolean(registration.active))'), { timeout: 20_000 })
      .toBe(true);
    await page.reload();
    await lab.ready();
    expect(await page.evaluate<boolean>('Boolean(navigator.serviceWorker.controller)')).toBe(true);
    await lab.type('kubectl apply -f deployment.yaml');
    await expect(page.locator('.chart .pod')).toHaveCount(3);
    // A new version is put in its place: another service worker, and scripts under other names.
    for (const name of readdirSync(join(root, '_astro'))) if (name.endsWith('.js')) rmSync(join(root, '_astro', name));
    const worker = readFileSync(join(root, 'sw.js'), 'utf8');
    const newer = worker.replaceAll(/chartroom-[0-9a-f]{12}/g, 'chartroom-000000000000');
    expect(newer).not.toBe(worker);
    writeFileSync(join(root, 'sw.js'), newer);
    await page.evaluate('navigator.serviceWorker.getRegistration().then((registration) => registration.update())');
    await expect
      .poll(() =>
        page.evaluate<boolean>('navigator.serviceWorker.getRegistration().then((registration) => Boolean(registration.waiting ?? registration.installing))'),
      )
      .toBe(true);
    // What was not loaded yet still comes, and the cluster goes on.
    await page.locator('[data-tab="why"]').click();
    await page.locator('.chart .pod').first().click();
    await expect(page.locator('[data-details] h3')).toContainText('pod/', { timeout: 10_000 });
    await page.locator('[data-tab="files"]').click();
    await expect(page.locator('.cm-content')).toBeVisible({ timeout: 20_000 });
    await page.locator('[data-tab="terminal"]').click();
    expect(await lab.type('kubectl get deploy')).toContain('nginx-deployment');
    await page.waitForTimeout(2500);
    // The page that is open keeps its own scripts over a reload, as long as it is controlled by the worker it came with.
    await page.reload();
    await lab.ready();
    expect(await lab.type('kubectl get deploy')).toContain('nginx-deployment');
  } finally {
    await page.close();
    await server.close();
    rmSync(root, { recursive: true });
  }
});
