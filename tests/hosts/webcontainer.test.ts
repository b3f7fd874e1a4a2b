import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Browser, chromium, type Page } from '@playwright/test';
import { build } from 'esbuild';
import { findChromium } from '../../scripts/chromium.ts';
import { writeWebContainerProgram } from '../../scripts/webcontainer-program.ts';
import { nodeClock } from '../../src/hosts/node/clock.ts';
import { readLabFolder } from '../../src/hosts/node/lab-files.ts';
import type { SavedSession, SessionNotice } from '../../src/lab/protocol.ts';
import { createSession } from '../../src/lab/session.ts';
import type { Contract } from './webcontainer/page.ts';
import { type StandIn, startStandIn } from './webcontainer/stand-in.ts';

/** Contract tests of the WebContainer host, against the stand-in; one at the end asks the real service. */
const executablePath = findChromium();
const skip = executablePath ? false : 'no Chromium; `node scripts/chromium.ts` says how to get one';

let browser: Browser;
let standIn: StandIn;
let site: { url: string; close(): void };
let directory: string;

before(async () => {
  if (skip) return;
  directory = mkdtempSync(join(tmpdir(), 'webcontainer-test-'));
  const program = readFileSync(await writeWebContainerProgram(directory), 'utf8');
  const bundle = await build({ entryPoints: ['tests/hosts/webcontainer/page.ts'], bundle: true, format: 'esm', write: false, logLevel: 'error' });
  standIn = await startStandIn();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://host');
    const isolation = url.searchParams.has('open') ? {} : { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
    const frame = url.searchParams.get('frame') ?? standIn.url;
    if (url.pathname === '/session.mjs') response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(program);
    else if (url.pathname === '/page.js') response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(bundle.outputFiles[0]!.text);
    else
      response
        .writeHead(200, { ...isolation, 'Content-Type': 'text/html' })
        .end(
          `<!doctype html><body><script>${frame === 'real' ? '' : `WEBCONTAINER_API_IFRAME_URL=${JSON.stringify(frame)}`}</script><script type="module" src="/page.js"></script>`,
        );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
  browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
});

after(async () => {
  if (skip) return;
  await browser.close();
  await standIn.close();
  site.close();
  rmSync(directory, { recursive: true });
});

async function open(query = ''): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${site.url}/${query}`);
  await page.waitForFunction(() => 'contract' in globalThis);
  return page;
}

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

test('a session is carried over from another host and back, and finds the same cluster', { skip, timeout: 120_000 }, async () => {
  standIn.failure = undefined;
  const { lab, files } = readLabFolder('statefulset');
  const start = { type: 'start', lab: { lab, files }, seed: 'carried' } as const;
  const notices: SessionNotice[] = [];
  const here = createSession({ host: nodeClock, notify: (notice) => notices.push(notice) });
  await here.handle(start);
  await here.handle({ type: 'open-terminal', terminal: 't', columns: 80, rows: 24 });
  await here.handle({ type: 'run', terminal: 't', command: 'kubectl apply -f statefulset.yaml' });
  await here.handle({ type: 'skip', ms: 120_000 });
  await here.handle({ type: 'set-speed', speed: 0 });
  const saved = (await here.handle({ type: 'save' })) as SavedSession;
  const look = { type: 'get-object', resource: 'v1/pods', namespace: 'default', name: 'mysql-statefulset-2' } as const;
  const pod = (await here.handle(look)) as { metadata: { uid: string } } | undefined;
  here.dispose();
  assert.ok(pod, 'the Pod should be there by now');

  const page = await open();
  assert.equal((await page.evaluate(() => contract.connect())).ok, true);
  await page.evaluate((request) => contract.request(request), { ...start, restore: saved });
  const there = (await page.evaluate((request) => contract.request(request), look)) as typeof pod;
  assert.equal(there?.metadata.uid, pod.metadata.uid);
  const again = (await page.evaluate(() => contract.request({ type: 'save' }))) as SavedSession;
  await page.evaluate(() => contract.close());
  await page.close();

  const back = createSession({ host: nodeClock, notify: () => undefined });
  await back.handle({ ...start, restore: again });
  assert.equal(((await back.handle(look)) as typeof pod)?.metadata.uid, pod.metadata.uid);
  back.dispose();
});

test('where it cannot boot it refuses within the limit, with a reason and a remedy', { skip, timeout: 120_000 }, async () => {
  const cases: { query?: string; failure: StandIn['failure']; reason: RegExp }[] = [
    { query: '?open', failure: undefined, reason: /沒有跨來源隔離/ },
    { failure: 'silent', reason: /3 秒內沒有啟動/ },
    { query: '?frame=http://127.0.0.1:9/', failure: undefined, reason: /3 秒內沒有啟動/ },
    { failure: 'licence', reason: /拒絕啟動.*not licensed/ },
  ];
  for (const { query = '', failure, reason } of cases) {
    standIn.failure = failure;
    const page = await open(query);
    const result = await page.evaluate(() => contract.connect());
    assert.equal(result.ok, false);
    assert.match(result.reason!, reason);
    assert.ok(result.remedy, result.reason);
    assert.ok(result.tookMs < 3600, `${result.tookMs} ms`);
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
