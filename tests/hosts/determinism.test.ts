/**
 * A session is its seed and its inputs: every lab and random sessions, played in Node, give the same log of writes, byte for
 * byte, when they are replayed in Chromium's worker and in Node; and a replay up to any moment is what was seen then.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { findChromium } from '../../scripts/chromium.ts';
import { labNames } from '../../scripts/labs.ts';
import { nodeClock } from '../../src/hosts/node/clock.ts';
import { readLabFolder } from '../../src/hosts/node/lab-files.ts';
import type { SavedSession, SessionRequest } from '../../src/lab/protocol.ts';
import { createSession, type Session } from '../../src/lab/session.ts';
import { type BrowserBench, startBrowserBench } from './webcontainer/browser-bench.ts';
import type { Contract } from './webcontainer/page.ts';
import { type StandIn, startStandIn } from './webcontainer/stand-in.ts';

declare const contract: Contract;
const executablePath = findChromium();
const noBrowser = executablePath ? false : 'no Chromium; `node scripts/chromium.ts` says how to get one';
const RUNS = Number(process.env.CHARTROOM_RUNS ?? 3);
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

/** One thing a reader does, and how long they wait afterwards. */
interface Act {
  request: SessionRequest;
  thenMs: number;
}

/** What was seen after an act. */
interface Seen {
  nowMs: number;
  inputs: number;
  digest: string;
}

const startOf = (lab: string, restore?: SavedSession): SessionRequest => {
  const { lab: parsed, files } = readLabFolder(lab);
  return { type: 'start', lab: { lab: parsed, files }, seed: lab, speed: 0, ...(restore ? { restore } : {}) };
};
const digestOf = (session: Session): Promise<string> => session.handle({ type: 'digest' }) as Promise<string>;

/** Plays in Node, time standing still but for what is waited. */
async function play(lab: string, acts: readonly Act[]): Promise<{ saved: SavedSession; seen: Seen[]; session: Session }> {
  const session = createSession({ host: nodeClock, notify: () => undefined });
  await session.handle(startOf(lab));
  await session.handle({ type: 'open-terminal', terminal: 'main', columns: 100, rows: 30 });
  await session.handle({ type: 'skip', ms: 500 });
  const seen: Seen[] = [];
  for (const { request, thenMs } of acts) {
    // Where the cluster refuses (no such Pod to trace from), that too happens again.
    const done = session.handle(request).catch(() => undefined);
    await session.handle({ type: 'skip', ms: thenMs });
    await done;
    const { nowMs, inputs } = (await session.handle({ type: 'save' })) as SavedSession;
    seen.push({ nowMs, inputs: inputs.length, digest: await digestOf(session) });
  }
  return { saved: (await session.handle({ type: 'save' })) as SavedSession, seen, session };
}

async function replayedInNode(saved: SavedSession): Promise<string> {
  const session = createSession({ host: nodeClock, notify: () => undefined });
  await session.handle(startOf(saved.lab, saved));
  const digest = await digestOf(session);
  session.dispose();
  return digest;
}

/** One page for all: a worker serves session after session. */
async function replayedInChromium(sessions: readonly SavedSession[]): Promise<string[]> {
  const page = await bench.open();
  await page.evaluate(() => contract.connectWorker());
  const digests: string[] = [];
  for (const saved of sessions) {
    await page.evaluate((start) => contract.request(start), startOf(saved.lab, saved));
    digests.push((await page.evaluate(() => contract.request({ type: 'digest' }))) as string);
  }
  await page.close();
  return digests;
}

const run = (command: string): SessionRequest => ({ type: 'run', terminal: 'main', command });

test('every lab gives the same writes in Node and in Chromium', { skip: noBrowser, timeout: 400_000 }, async () => {
  const played: { name: string; saved: SavedSession; digest: string }[] = [];
  for (const name of labNames()) {
    const { lab } = readLabFolder(name);
    const commands = lab.steps.flatMap((step) => (step.commands.length > 0 ? step.commands.map((command) => command.run) : (step.solution ?? [])));
    const { saved, seen, session } = await play(
      name,
      commands.map((command) => ({ request: run(command), thenMs: 6_000 })),
    );
    session.dispose();
    played.push({ name, saved, digest: seen.at(-1)?.digest ?? '' });
  }
  const digests = await replayedInChromium(played.map(({ saved }) => saved));
  for (const [index, { name, digest }] of played.entries()) assert.equal(digests[index], digest, `lab ${name}`);
});

const COMMANDS = [
  'kubectl apply -f statefulset.yaml',
  'kubectl apply -f deployment.yaml',
  'kubectl scale sts mysql-statefulset --replicas=1',
  'kubectl scale deploy nginx-deployment --replicas=5',
  'kubectl set image deploy/nginx-deployment nginx=nginx:nope',
  'kubectl rollout undo deploy/nginx-deployment',
  'kubectl delete pod mysql-statefulset-0',
  'kubectl delete pods --all --wait=false',
  'kubectl expose deploy nginx-deployment --name=web --port=80',
  'for i in 1 2 3; do kubectl get pods; sleep 1; done',
  'kubectl get pods -w',
  'kubectl run client --image=busybox:1.37 -- sleep 1000',
  'kubectl exec client -- sh -c "nslookup web; wget -qO- http://web"',
  'why request client http://web/',
  'k3d node stop k3d-demo-agent-0',
  'k3d node start k3d-demo-agent-0',
  'docker network disconnect k3d-demo k3d-demo-agent-1',
  'docker network connect k3d-demo k3d-demo-agent-1',
  'docker exec k3d-demo-agent-0 fallocate -l 50G /var/fill',
  'kubectl -n kube-system scale deployment coredns --replicas=0',
];
const act: fc.Arbitrary<Act> = fc.record({
  request: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...COMMANDS).map(run) },
    { weight: 1, arbitrary: fc.constant<SessionRequest>({ type: 'input', terminal: 'main', data: '\x03' }) },
    { weight: 1, arbitrary: fc.constant<SessionRequest>({ type: 'resize', terminal: 'main', columns: 80, rows: 20 }) },
    { weight: 1, arbitrary: fc.constant<SessionRequest>({ type: 'trace', what: 'request', namespace: 'default', pod: 'client', target: 'http://web/' }) },
  ),
  thenMs: fc.constantFrom(0, 1, 137, 2_000, 20_000, 90_000),
});

test('random sessions: a second time, in another host, and up to any moment', { skip: noBrowser, timeout: 400_000 }, async () => {
  const sessions: { saved: SavedSession; digest: string }[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 10 }), fc.nat(), async (acts, moment) => {
      const { saved, seen, session } = await play('statefulset', acts);
      session.dispose();
      const last = seen.at(-1) as Seen;
      assert.equal(await replayedInNode(saved), last.digest);
      const then = seen[moment % seen.length] as Seen;
      assert.equal(await replayedInNode({ ...saved, inputs: saved.inputs.slice(0, then.inputs), nowMs: then.nowMs }), then.digest, `at ${then.nowMs}`);
      sessions.push({ saved, digest: last.digest });
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
  const digests = await replayedInChromium(sessions.map(({ saved }) => saved));
  assert.deepEqual(
    digests,
    sessions.map(({ digest }) => digest),
  );
});
