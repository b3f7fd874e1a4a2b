import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from '@playwright/test';
import { findChromium } from '../../scripts/chromium.ts';
import { readLabFolder } from '../../src/hosts/node/lab-files.ts';
import { type BrowserBench, startBrowserBench } from './webcontainer/browser-bench.ts';
import type { Contract } from './webcontainer/page.ts';
import { type StandIn, startStandIn } from './webcontainer/stand-in.ts';

/** Contract tests of the WebContainer host, against the stand-in; one at the end asks the real service. */
const executablePath = findChromium();
const skip = executablePath ? false : 'no Chromium; `node scripts/chromium.ts` says how to get one';

let bench: BrowserBench;
let standIn: StandIn;
const open = (query?: string): Promise<Page> => bench.open(query);

before(async () => {
  if (skip) return;
  standIn = await startStandIn();
  bench = await startBrowserBench(executablePath!, () => standIn);
});

after(async () => {
  if (skip) return;
  await bench.close();
  await standIn.close();
});

declare const contract: Contract;

async function until(page: Page, pattern: RegExp): Promise<void> {
  await page
    .waitForFunction((source) => new RegExp(source).test(contract.output()), pattern.source, { timeout: 30_000 })
    .catch(async () => {
      assert.match(await page.evaluate(() => contract.output()), pattern);
    });
}

test('a session runs in it: mount, spawn, output, input, resize, API, Node scripts, exit, teardown', { skip, timeout: 120_000 }, async () => {
  standIn.failure = undefined;
  const page = await open();
  const { lab, files } = readLabFolder('statefulset');
  assert.deepEqual((await page.evaluate(() => contract.connect())).ok, true);
  await page.evaluate((start) => contract.request(start), { type: 'start', lab: { lab, files }, seed: 'statefulset' } as const);
  await page.evaluate(() => contract.request({ type: 'open-terminal', terminal: 't', columns: 80, rows: 24 }));
  await until(page, /reader@chartroom:~\$ /);
  await page.evaluate(() => contract.request({ type: 'resize', terminal: 't', columns: 120, rows: 30 }));
  await page.evaluate(() => contract.request({ type: 'input', terminal: 't', data: 'kubectl get nodes; echo 中文\r' }));
  await until(page, /k3d-demo-server-0 +Ready[\s\S]*\n中文/);
  await page.waitForFunction(() => contract.state.servers.length > 0);
  assert.deepEqual(await page.evaluate(() => contract.state.servers[0]!.port), 8001);
  // Inside, the address is http://localhost:8001; the stand-in has only this machine's ports.
  const script = `const answer = await fetch('http://127.0.0.1:' + process.env.PORT + '/api/v1/nodes'); console.log((await answer.json()).items.length, 'nodes');`;
  assert.deepEqual(await page.evaluate((code) => contract.runNode(code), script), { exit: 0, output: '3 nodes\n' });
  await assert.rejects(
    page.evaluate(() => contract.request({ type: 'input', terminal: 'nope', data: 'x' })),
    /no terminal "nope"/,
  );
  await page.evaluate(() => contract.close());
  for (let i = 0; i < 100 && standIn.running() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(standIn.running(), 0);
  await page.close();
});

test('where it cannot boot it refuses within the limit, with a reason and a remedy', { skip, timeout: 120_000 }, async () => {
  const cases: { query?: string; offline?: boolean; failure: StandIn['failure']; reason: RegExp }[] = [
    { offline: true, failure: undefined, reason: /現在沒有網路/ },
    { query: '?open', failure: undefined, reason: /沒有跨來源隔離/ },
    { failure: 'silent', reason: /3 秒內沒有啟動/ },
    { query: '?frame=http://127.0.0.1:9/', failure: undefined, reason: /3 秒內沒有啟動/ },
    { failure: 'licence', reason: /拒絕啟動.*not licensed/ },
  ];
  for (const { query = '', offline = false, failure, reason } of cases) {
    standIn.failure = failure;
    const page = await open(query);
    await page.context().setOffline(offline);
    const result = await page.evaluate(() => contract.connect());
    assert.equal(result.ok, false);
    assert.match(result.reason!, reason);
    assert.ok(result.remedy, result.reason);
    assert.ok(result.tookMs < 3600, `${result.tookMs} ms`);
    await page.context().setOffline(false);
    await page.close();
  }
  standIn.failure = 'spawn';
  const page = await open();
  assert.match((await page.evaluate(() => contract.connect())).reason!, /cannot spawn/);
  await page.close();
});

test('a program that dies is told once, and what was asked of it is refused', { skip, timeout: 60_000 }, async () => {
  standIn.failure = undefined;
  const page = await open();
  assert.equal((await page.evaluate(() => contract.connect())).ok, true);
  assert.match(await page.evaluate(() => contract.request({ type: 'save' }).then(String, (error: Error) => error.message)), /has not started/);
  standIn.killAll();
  await page.waitForFunction(() => contract.state.deaths.length > 0, undefined, { timeout: 5000 });
  assert.match(await page.evaluate(() => contract.state.deaths.join('|')), /^實驗的程式結束了（137）[^|]*$/);
  assert.match(await page.evaluate(() => contract.request({ type: 'save' }).then(String, (error: Error) => error.message)), /has stopped/);
  await page.close();
});

test('the real service boots where the network allows', { skip, timeout: 60_000 }, async (context) => {
  const reachable = await fetch('https://stackblitz.com/headless', { method: 'HEAD', signal: AbortSignal.timeout(5000) }).then(
    () => true,
    () => false,
  );
  if (!reachable) return context.skip('the WebContainer service cannot be reached from here');
  const page = await open('?frame=real');
  const result = await page.evaluate(() => contract.connect(20_000));
  assert.equal(result.ok, true, result.reason);
  await page.evaluate(() => contract.close());
  await page.close();
});
