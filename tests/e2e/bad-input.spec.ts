import { expect, test } from '@playwright/test';
import { LabPage } from './lab-page.ts';

// What the lab must survive: a clear word or a cluster that copes, and Ctrl-C always gives the prompt back.

test.describe.configure({ timeout: 180_000 });

test('typing errors, endless loops and floods leave a working prompt', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('sandbox');
  expect(await lab.type('kubctl get pods')).toContain('kubctl: command not found');
  expect(await lab.type('kubectl get pdos')).toContain('the server doesn\'t have a resource type "pdos"');
  expect(await lab.type('kubectl delete ns kube-system')).toContain('is forbidden: this namespace may not be deleted');
  await lab.type("printf 'a: [\\n' > broken.yaml");
  expect(await lab.type('kubectl apply -f broken.yaml')).toContain('error: error parsing broken.yaml');
  const wait = async (): Promise<void> => page.waitForTimeout(1500);
  for (const endless of ['echo "never closed', 'while :; do :; done', 'yes', 'cat /dev/zero', 'f() { f; }; f']) {
    await lab.type(endless, { before: wait });
    expect(await lab.type('echo still here')).toContain('still here');
  }
  expect(await lab.type('yes 0123456789 | head -c 10000000 | tail -c 11; echo')).toContain('0123456789');
  await lab.type('yes 0123456789 | head -c 10000000; echo');
  expect(await lab.type('echo still here')).toContain('still here');
});

test('100,000 replicas: the page stays usable, and the limit is said', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('sandbox');
  await lab.type('kubectl create deployment big --image=nginx --replicas=100000');
  await lab.speed('60');
  await page.waitForTimeout(5000);
  expect(await lab.type('kubectl get deployment big')).toContain('/100000');
  await page.locator('[data-tab="events"]').click();
  await expect(page.locator('[data-panel="events"]')).toBeVisible();
  await page.locator('[data-tab="terminal"]').click();
  expect(await lab.type("kubectl get deployment big -o jsonpath='{.status.conditions[*].message}'; echo")).toContain('exceeded quota: cluster-limit');
  await lab.type('kubectl delete deployment big --wait=false');
  expect(await lab.type('kubectl get deployments')).toContain('No resources found');
});
