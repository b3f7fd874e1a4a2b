import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadLab } from '../../scripts/labs.ts';
import { nodeClock } from '../hosts/node/clock.ts';
import type { SavedSession, SessionNotice, StepState } from './protocol.ts';
import { createSession, type Session } from './session.ts';

interface Watched {
  session: Session;
  notices: SessionNotice[];
  screen(): string;
}

async function start(lab: string, restore?: SavedSession): Promise<Watched> {
  const notices: SessionNotice[] = [];
  const session = createSession({ host: nodeClock, notify: (notice) => notices.push(notice) });
  const { lab: parsed, files } = loadLab(lab);
  await session.handle({ type: 'start', lab: { lab: parsed, files }, seed: lab, restore });
  return { session, notices, screen: () => notices.flatMap((notice) => (notice.type === 'output' ? [notice.data] : [])).join('') };
}

/** Wall time passes only until the condition holds; the session plays at full speed meanwhile. */
async function until(watched: Watched, holds: () => boolean): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!holds()) {
    assert.ok(performance.now() < limit, `timed out; the screen shows:\n${watched.screen()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function lastSteps(watched: Watched): readonly StepState[] {
  return watched.notices.flatMap((notice) => (notice.type === 'progress' ? [notice.steps] : [])).at(-1) ?? [];
}

test('a reader types, the screen answers, a goal is reached and stays reached', async () => {
  const watched = await start('statefulset');
  const { session } = watched;
  await session.handle({ type: 'set-speed', speed: 60 });
  await session.handle({ type: 'open-terminal', terminal: 'one', columns: 100, rows: 30 });
  await until(watched, () => watched.screen().includes('$ '));
  await session.handle({ type: 'input', terminal: 'one', data: 'kubectl get nodes\r' });
  await until(watched, () => watched.screen().includes('k3d-demo-agent-1'));
  await session.handle({ type: 'run', terminal: 'one', command: 'kubectl apply -f statefulset.yaml' });
  await until(watched, () => watched.screen().includes('statefulset.apps/mysql-statefulset created'));
  await session.handle({ type: 'skip', ms: 90_000 });
  await until(watched, () => lastSteps(watched).some((step) => step.id === 'watch' && step.reached));
  await session.handle({ type: 'run', terminal: 'one', command: 'kubectl delete sts mysql-statefulset' });
  await until(watched, () => watched.screen().includes('deleted'));
  assert.ok(lastSteps(watched).some((step) => step.id === 'watch' && step.reached));
  session.dispose();
});

test('a saved session comes back as it was: cluster, files and screen', async () => {
  const first = await start('start');
  await first.session.handle({ type: 'open-terminal', terminal: 'one', columns: 100, rows: 30 });
  await until(first, () => first.screen().includes('$ '));
  await first.session.handle({ type: 'write-file', path: 'note.txt', text: '記下來' });
  await first.session.handle({ type: 'run', terminal: 'one', command: 'kubectl apply -f hello.yaml' });
  await until(first, () => first.screen().includes('pod/hello created'));
  await first.session.handle({ type: 'skip', ms: 10_000 });
  await first.session.handle({ type: 'run', terminal: 'one', command: 'kubectl get pod hello -o yaml' });
  await until(first, () => /qosClass: BestEffort/.test(first.screen()));
  await first.session.handle({ type: 'set-speed', speed: 0 });
  const saved = (await first.session.handle({ type: 'save' })) as SavedSession;
  const before = await first.session.handle({ type: 'get-object', resource: 'v1/pods', namespace: 'default', name: 'hello' });

  const second = await start('start', JSON.parse(JSON.stringify(saved)) as SavedSession);
  const after = await second.session.handle({ type: 'get-object', resource: 'v1/pods', namespace: 'default', name: 'hello' });
  assert.deepEqual(after, before);
  assert.equal(await second.session.handle({ type: 'read-file', path: 'note.txt' }), '記下來');
  assert.equal(second.screen(), first.screen());
  first.session.dispose();
  second.session.dispose();
});

test('a cluster that was prepared is the one that would have been made, and one of another seed is not used', async () => {
  const { lab, files } = loadLab('start');
  const uidOfNode = async (prepare?: string, again = false): Promise<string> => {
    const session = createSession({ host: nodeClock, notify: () => undefined });
    if (prepare !== undefined) session.prepare(prepare, lab.cluster);
    const { nowMs } = (await session.handle({ type: 'start', lab: { lab, files }, seed: 'start' })) as { nowMs: number };
    if (again) {
      // Looking at a moment prepares the way back to it.
      await session.handle({ type: 'moment', atMs: nowMs });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await session.handle({ type: 'start', lab: { lab, files }, seed: 'start' });
    }
    const node = (await session.handle({ type: 'get-object', resource: 'v1/nodes', namespace: '', name: 'k3d-demo-server-0' })) as {
      metadata: { uid: string };
    };
    session.dispose();
    return node.metadata.uid;
  };
  const expected = await uidOfNode();
  assert.match(expected, /^[0-9a-f-]{36}$/);
  assert.equal(await uidOfNode('start'), expected);
  assert.equal(await uidOfNode('another'), expected);
  assert.equal(await uidOfNode(undefined, true), expected);
});

test('Ctrl-C gives the prompt back from a loop that never ends', async () => {
  const watched = await start('sandbox');
  const { session } = watched;
  await session.handle({ type: 'open-terminal', terminal: 'one', columns: 80, rows: 24 });
  await until(watched, () => watched.screen().includes('$ '));
  await session.handle({ type: 'input', terminal: 'one', data: 'while :; do :; done\r' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await session.handle({ type: 'input', terminal: 'one', data: '\u0003' });
  await session.handle({ type: 'input', terminal: 'one', data: 'echo still $((20 + 22))\r' });
  await until(watched, () => watched.screen().includes('still 42'));
  session.dispose();
});

test('a path outside the home folder and an unknown request are refused in words', async () => {
  const { session } = await start('sandbox');
  await assert.rejects(session.handle({ type: 'read-file', path: '../../etc/passwd' }), /not a file in the home folder/);
  await assert.rejects(session.handle({ type: 'input', terminal: 'none', data: 'x' }), /no terminal "none"/);
  session.dispose();
});
