/**
 * Cluster measurements, bundled by main.ts and each run in a process of its own: CASE as the argument prints one JSON line
 * {ms, heapMb, note?}. Only ratios between cases of one run mean something.
 */
import { loadLab } from '../scripts/labs.ts';
import { nodeClock } from '../src/hosts/node/clock.ts';
import { Kernel } from '../src/kernel/index.ts';
import type { SavedSession } from '../src/lab/protocol.ts';
import { createSession } from '../src/lab/session.ts';
import { loadSchema } from '../src/sim/apiserver/schema.ts';
import type { Cluster } from '../src/sim/cluster.ts';
import { createCluster } from '../src/sim/index.ts';
import type { Deployment, Pod, StatefulSet } from '../src/sim/kinds/types.ts';
import { sessionAt } from '../src/workbench/travel.ts';

interface Measured {
  ms: number;
  heapMb: number;
  note?: string;
}

const cause = { actor: 'bench', rule: 'bench/create' };
const POD_LIMIT = 20_000;
/** A node takes 110 Pods; some room is left for the system's. */
const PODS_PER_NODE = 100;

/** A cluster with room for so many Pods. */
async function cluster(pods = 0): Promise<Cluster> {
  // A StatefulSet is written here without going through the HTTP door, which would load its type.
  await loadSchema();
  const agents = Math.max(2, Math.ceil(pods / PODS_PER_NODE) - 1);
  return createCluster({ kernel: new Kernel({ seed: 'bench', host: nodeClock }), preset: 'k3d', agents, maxPods: POD_LIMIT });
}

function template(labels: Record<string, string>): { metadata: { labels: Record<string, string> }; spec: object } {
  return { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'registry.k8s.io/pause:3.10' }] } };
}

function running(it: Cluster): number {
  return it.client
    .resource<Pod>('v1/pods')
    .list('default')
    .filter((pod) => pod.status?.phase === 'Running').length;
}

async function timed(it: Cluster, work: () => Promise<string | undefined>): Promise<Measured> {
  const start = performance.now();
  const note = await work();
  const ms = performance.now() - start;
  globalThis.gc?.();
  it.dispose();
  return { ms, heapMb: process.memoryUsage().heapUsed / 1e6, note };
}

async function untilReady(it: Cluster, resource: string, name: string, replicas: number): Promise<string | undefined> {
  const { kernel, client } = it;
  const start = kernel.now();
  const ready = (): boolean => (client.resource<StatefulSet>(resource).get('default', name)?.status?.readyReplicas ?? 0) >= replicas;
  if (!(await kernel.advance({ until: ready, untilMs: start + 86_400_000 }))) return `NOT reached: ${running(it)} running`;
  return `${((kernel.now() - start) / 1000).toFixed(1)} virtual s`;
}

async function deployment(replicas: number): Promise<Measured> {
  const it = await cluster(replicas);
  return timed(it, async () => {
    const object: Deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: template({ app: 'web' }) },
    };
    it.client.resource<Deployment>('apps/v1/deployments').create(object, { cause });
    return untilReady(it, 'apps/v1/deployments', 'web', replicas);
  });
}

async function statefulSet(replicas: number, podManagementPolicy: string): Promise<Measured> {
  const it = await cluster(replicas);
  return timed(it, async () => {
    const object: StatefulSet = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'default' },
      spec: { replicas, serviceName: 'db', podManagementPolicy, selector: { matchLabels: { app: 'db' } }, template: template({ app: 'db' }) },
    };
    it.client.resource<StatefulSet>('apps/v1/statefulsets').create(object, { cause });
    return untilReady(it, 'apps/v1/statefulsets', 'db', replicas);
  });
}

/** Every Pod replaced by one of another template, as the Deployment's strategy allows (a quarter at a time). */
async function rollingUpdate(replicas: number): Promise<Measured> {
  const it = await cluster(replicas * 2);
  const deployments = it.client.resource<Deployment>('apps/v1/deployments');
  const spec = { replicas, selector: { matchLabels: { app: 'web' } }, template: template({ app: 'web' }) };
  deployments.create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' }, spec }, { cause });
  await untilReady(it, 'apps/v1/deployments', 'web', replicas);
  return timed(it, async () => {
    const { kernel } = it;
    const start = kernel.now();
    deployments.patch('default', 'web', { spec: { template: { metadata: { annotations: { turn: '2' } } } } }, { cause });
    const done = (): boolean => {
      const { status, metadata } = deployments.get('default', 'web') ?? {};
      const { observedGeneration, updatedReplicas, readyReplicas, replicas: all } = status ?? {};
      return observedGeneration === metadata?.generation && updatedReplicas === replicas && readyReplicas === replicas && all === replicas;
    };
    if (!(await kernel.advance({ until: done, untilMs: start + 86_400_000 }))) return 'NOT reached';
    return `${((kernel.now() - start) / 1000).toFixed(1)} virtual s`;
  });
}

const LOOK_MS = 1_000;

/**
 * A session of ten minutes in which a StatefulSet is made, scaled and loses Pods; then moments of it, spread over its length:
 * 'look' shows one, 'return' goes back to one. `ms` is the median.
 */
async function jump(how: 'look' | 'return'): Promise<Measured> {
  const { lab, files } = loadLab('statefulset');
  const session = createSession({ host: nodeClock, notify: () => undefined });
  const start = async (restore?: SavedSession): Promise<{ nowMs: number }> =>
    (await session.handle({ type: 'start', lab: { lab, files }, seed: lab.name, restore })) as { nowMs: number };
  const { nowMs } = await start();
  await session.handle({ type: 'open-terminal', terminal: 'main', columns: 100, rows: 30 });
  const commands = [
    'kubectl apply -f statefulset.yaml',
    'kubectl get pods',
    'kubectl scale sts mysql-statefulset --replicas=5',
    'kubectl get sts,pods -o wide',
  ];
  for (const command of [...commands, 'kubectl delete pod mysql-statefulset-1', 'kubectl get events', 'kubectl scale sts mysql-statefulset --replicas=2']) {
    await session.handle({ type: 'run', terminal: 'main', command });
    await session.handle({ type: 'skip', ms: 80_000 });
  }
  await session.handle({ type: 'skip', ms: nowMs + 600_000 - ((await session.handle({ type: 'save' })) as SavedSession).nowMs });
  await session.handle({ type: 'set-speed', speed: 0 });
  const saved = (await session.handle({ type: 'save' })) as SavedSession;
  const times: number[] = [];
  for (let i = 0; i < 9; i++) {
    const atMs = nowMs + ((i * 4 + 1) % 10) * 60_000;
    if (how === 'return') {
      // A moment is looked at before one goes back to it.
      await session.handle({ type: 'moment', atMs });
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    const before = performance.now();
    if (how === 'look') await session.handle({ type: 'moment', atMs });
    else await start(sessionAt(saved, atMs));
    times.push(performance.now() - before);
  }
  session.dispose();
  times.sort((a, b) => a - b);
  return { ms: times[4] ?? 0, heapMb: process.memoryUsage().heapUsed / 1e6, note: `worst ${times.at(-1)?.toFixed(0)} ms` };
}

async function quiet(virtualMs: number): Promise<Measured> {
  const it = await cluster();
  return timed(it, async () => {
    await it.kernel.advance({ untilMs: it.kernel.now() + virtualMs });
    return undefined;
  });
}

async function webernetes(replicas: number): Promise<Measured> {
  const { BaseImage, Cluster: Webernetes } = await import('@ngrok/webernetes');
  class Pause extends BaseImage {
    static readonly imageName = 'pause';
    static readonly imageVersion = '1.0';
    readonly defaultCommand = ['pause'];
    override async exec(context: { waitUntilKilled(): Promise<number> }): Promise<number> {
      return context.waitUntilKilled();
    }
  }
  const it = new Webernetes();
  it.registerImage(Pause as never);
  await it.init();
  const up = new Set<string>();
  const informer = it.informer('pods', (type, pod) => {
    const name = pod.metadata?.name ?? '';
    if (!name.startsWith('web-')) return;
    if (type !== 'delete' && pod.status?.phase === 'Running') up.add(name);
    else up.delete(name);
  });
  const start = performance.now();
  await it.apply([
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'pause:1.0' }] } },
      },
    },
  ] as never);
  const limit = start + 120_000;
  while (up.size < replicas && performance.now() < limit) await new Promise((resolve) => setTimeout(resolve, 20));
  const ms = performance.now() - start;
  globalThis.gc?.();
  const heapMb = process.memoryUsage().heapUsed / 1e6;
  await informer.stop();
  return { ms, heapMb, note: up.size < replicas ? `stopped after ${up.size} of ${replicas} Pods` : undefined };
}

const CASES: Record<string, () => Promise<Measured>> = {
  'deployment-100': () => deployment(100),
  'deployment-1000': () => deployment(1000),
  'statefulset-parallel-1000': () => statefulSet(1000, 'Parallel'),
  'statefulset-ordered-100': () => statefulSet(100, 'OrderedReady'),
  'deployment-10000': () => deployment(10_000),
  'rolling-update-1000': () => rollingUpdate(1000),
  'jump-look': () => jump('look'),
  'jump-return': () => jump('return'),
  'quiet-hour': () => quiet(3_600_000),
  'quiet-day': () => quiet(86_400_000),
  'webernetes-100': () => webernetes(100),
  'webernetes-1000': () => webernetes(1000),
};

const name = process.argv[2] ?? '';
const run = CASES[name];
if (!run) {
  console.error(`error: unknown case "${name}"; known: ${Object.keys(CASES).join(', ')}`);
  process.exit(1);
}
console.log(JSON.stringify(await run()));
process.exit(0);
