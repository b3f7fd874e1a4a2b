import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findChromium } from '../../scripts/chromium.ts';
import { nodeClock } from '../../src/hosts/node/clock.ts';
import { readLabFolder } from '../../src/hosts/node/lab-files.ts';
import type { SavedSession, SessionNotice, SessionRequest } from '../../src/lab/protocol.ts';
import { createSession } from '../../src/lab/session.ts';
import { type BrowserBench, startBrowserBench } from './webcontainer/browser-bench.ts';
import type { Contract } from './webcontainer/page.ts';
import { type StandIn, startStandIn } from './webcontainer/stand-in.ts';

/** One suite for every host that a lab's session runs in: the same requests, the same expectations. */
interface Host {
  request<T>(request: SessionRequest): Promise<T>;
  /** What the terminals showed so far. */
  output(): Promise<string>;
  close(): Promise<void>;
}

declare const contract: Contract;
const executablePath = findChromium();
const noBrowser = executablePath ? false : 'no Chromium; `node scripts/chromium.ts` says how to get one';
let bench: BrowserBench;
let standIn: StandIn;

before(async () => {
  if (noBrowser) return;
  standIn = await startStandIn();
  bench = await startBrowserBench(executablePath!, () => standIn);
});

after(async () => {
  if (noBrowser) return;
  await bench.close();
  await standIn.close();
});

async function nodeHost(): Promise<Host> {
  const notices: SessionNotice[] = [];
  const session = createSession({ host: nodeClock, notify: (notice) => notices.push(notice) });
  return {
    request: <T>(request: SessionRequest) => session.handle(request) as Promise<T>,
    output: async () => notices.map((notice) => (notice.type === 'output' ? notice.data : '')).join(''),
    close: async () => session.dispose(),
  };
}

async function pageHost(connect: 'worker' | 'webcontainer'): Promise<Host> {
  const page = await bench.open();
  if (connect === 'worker') await page.evaluate(() => contract.connectWorker());
  else assert.equal((await page.evaluate(() => contract.connect())).ok, true);
  return {
    request: <T>(request: SessionRequest) => page.evaluate((asked) => contract.request(asked), request) as Promise<T>,
    output: () => page.evaluate(() => contract.output()),
    async close() {
      await page.evaluate(() => contract.close());
      await page.close();
    },
  };
}

const hosts: Record<string, { skip: string | false; open(): Promise<Host> }> = {
  node: { skip: false, open: nodeHost },
  worker: { skip: noBrowser, open: () => pageHost('worker') },
  'stand-in WebContainer': { skip: noBrowser, open: () => pageHost('webcontainer') },
};

const { lab, files } = readLabFolder('statefulset');
const start = { type: 'start', lab: { lab, files }, seed: 'contract' } as const;
const pod = { type: 'get-object', resource: 'v1/pods', namespace: 'default', name: 'mysql-statefulset-2' } as const;
interface Found {
  metadata: { uid: string; creationTimestamp: string };
  status: { podIP: string };
}

async function until(host: Host, pattern: RegExp): Promise<void> {
  for (let i = 0; i < 200 && !pattern.test(await host.output()); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.match(await host.output(), pattern);
}

/** Plays the lab's beginning and gives the session at rest. */
async function play(host: Host): Promise<{ saved: SavedSession; found: Found }> {
  await host.request(start);
  await host.request({ type: 'set-speed', speed: 0 });
  await host.request({ type: 'open-terminal', terminal: 't', columns: 100, rows: 30 });
  await host.request({ type: 'run', terminal: 't', command: 'kubectl apply -f statefulset.yaml' });
  await host.request({ type: 'skip', ms: 120_000 });
  return { saved: await host.request<SavedSession>({ type: 'save' }), found: await host.request<Found>(pod) };
}

for (const [name, { skip, open }] of Object.entries(hosts)) {
  test(`${name}: terminals, files, time and refusals`, { skip, timeout: 120_000 }, async () => {
    const host = await open();
    try {
      await assert.rejects(host.request({ type: 'save' }), /the session has not started/);
      await host.request(start);
      await host.request({ type: 'open-terminal', terminal: 't', columns: 100, rows: 30 });
      await until(host, /reader@chartroom:~\$ /);
      await host.request({ type: 'input', terminal: 't', data: 'kubectl get nodes; echo 中文 $COLUMNS\r' });
      await until(host, /k3d-demo-server-0 +Ready[\s\S]*\n中文/);
      await host.request({ type: 'resize', terminal: 't', columns: 60, rows: 20 });
      await host.request({ type: 'write-file', path: 'note.txt', text: '航海\n' });
      assert.equal(await host.request({ type: 'read-file', path: 'note.txt' }), '航海\n');
      const listed = await host.request<{ path: string }[]>({ type: 'list-files' });
      assert.ok(listed.some((file) => file.path === 'note.txt'));
      await assert.rejects(host.request({ type: 'write-file', path: '../etc/passwd', text: '' }), /not a file in the home folder/);
      await assert.rejects(host.request({ type: 'input', terminal: 'nope', data: 'x' }), /no terminal "nope"/);
      await host.request({ type: 'run', terminal: 't', command: 'while :; do :; done' });
      await host.request({ type: 'skip', ms: 1000 });
      await host.request({ type: 'input', terminal: 't', data: '\x03' });
      await host.request({ type: 'run', terminal: 't', command: 'echo back $?' });
      await until(host, /back 130/);
    } finally {
      await host.close();
    }
  });
}

test('a session carried from each host to each other finds the same cluster', { skip: noBrowser, timeout: 240_000 }, async () => {
  const played: { name: string; saved: SavedSession; found: Found }[] = [];
  for (const [name, { open }] of Object.entries(hosts)) {
    const host = await open();
    played.push({ name, ...(await play(host)) });
    await host.close();
  }
  for (const from of played) {
    assert.ok(from.found, `${from.name}: the third Pod should be there`);
    assert.deepEqual(from.found, played[0]!.found, `${from.name} differs from ${played[0]!.name}`);
    for (const [name, { open }] of Object.entries(hosts)) {
      const host = await open();
      await host.request({ ...start, restore: from.saved });
      assert.deepEqual(await host.request<Found>(pod), from.found, `${from.name} → ${name}`);
      await host.close();
    }
  }
});
