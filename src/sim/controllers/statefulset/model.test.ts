import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WriteRecord } from '../../cluster.ts';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../kinds/types.ts';
import { controllerOf, nameOf } from '../object.ts';
import { isPodFinished, isPodReady } from '../pods.ts';
import { Harness } from '../testing/harness.ts';
import { ordinalOf, replicasOf } from './identity.ts';

/**
 * Random sequences of what readers do to a StatefulSet; the invariants of StatefulSets hold after every single write, and
 * when the reader stops the cluster settles to what the spec says. CHARTROOM_RUNS sets the number of runs.
 */

type Action =
  | { do: 'scale'; replicas: number }
  | { do: 'image'; tag: number }
  | { do: 'delete'; ordinal: number; force: boolean }
  | { do: 'finish'; ordinal: number; phase: 'Failed' | 'Succeeded' }
  | { do: 'ready'; ordinal: number; ready: boolean }
  | { do: 'break'; broken: boolean }
  | { do: 'silence'; node: number; silent: boolean }
  | { do: 'strategy'; type: 'RollingUpdate' | 'OnDelete'; partition: number }
  | { do: 'retention'; whenScaled: 'Retain' | 'Delete'; whenDeleted: 'Retain' | 'Delete' }
  | { do: 'recreate'; orphan: boolean }
  | { do: 'claim'; ordinal: number; edit: 'delete' | 'grow' | 'label' }
  | { do: 'release'; ordinal: number }
  | { do: 'wait'; ms: number };

const SETS = 'apps/v1/statefulsets';
const CLAIMS = 'v1/persistentvolumeclaims';
const NODES = ['node-a', 'node-b', 'node-c'];

const ordinal = fc.integer({ min: 0, max: 4 });
const policy = fc.constantFrom<'Retain' | 'Delete'>('Retain', 'Delete');
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('image' as const), tag: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), ordinal, force: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const), ordinal, phase: fc.constantFrom<'Failed' | 'Succeeded'>('Failed', 'Succeeded') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ready' as const), ordinal, ready: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('break' as const), broken: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('silence' as const), node: fc.integer({ min: 0, max: 2 }), silent: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('strategy' as const),
      type: fc.constantFrom<'RollingUpdate' | 'OnDelete'>('RollingUpdate', 'OnDelete'),
      partition: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retention' as const), whenScaled: policy, whenDeleted: policy }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recreate' as const), orphan: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('claim' as const), ordinal, edit: fc.constantFrom<'delete' | 'grow' | 'label'>('delete', 'grow', 'label') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), ordinal }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 7, 50, 400, 900, 3_000, 20_000, 400_000) }) },
);

interface Scenario {
  management: 'OrderedReady' | 'Parallel';
  claims: boolean;
  replicas: number;
  start: number;
  minReadySeconds: number;
  maxUnavailable: number;
  actions: Action[];
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  management: fc.constantFrom<'OrderedReady' | 'Parallel'>('OrderedReady', 'OrderedReady', 'Parallel'),
  claims: fc.boolean(),
  replicas: fc.integer({ min: 0, max: 3 }),
  start: fc.constantFrom(0, 0, 1),
  minReadySeconds: fc.constantFrom(0, 0, 3),
  maxUnavailable: fc.constantFrom(1, 1, 2),
  actions: fc.array(action, { minLength: 1, maxLength: 14 }),
});

function manifest({ management, claims, replicas, start, minReadySeconds, maxUnavailable }: Scenario): StatefulSet {
  const set: StatefulSet = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      serviceName: 'web',
      podManagementPolicy: management,
      ...(start > 0 ? { ordinals: { start } } : {}),
      ...(minReadySeconds > 0 ? { minReadySeconds } : {}),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: maxUnavailable > 1 ? { maxUnavailable } : {} },
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'nginx:1' }] } },
    },
  };
  if (claims && set.spec) {
    set.spec.volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }];
  }
  return set;
}

/** Follows every write and complains at once when a rule is broken. */
class Watcher {
  readonly #pods = new Map<string, Pod>();
  readonly #set: () => StatefulSet | undefined;
  #policyDeletes = false;
  #complaint: string | undefined;
  readonly #doomed = new Set<string>();

  constructor(set: () => StatefulSet | undefined) {
    this.#set = set;
  }

  see(write: WriteRecord): void {
    if (write.resource === SETS) this.#seeSet(write.object as StatefulSet);
    if (write.resource === CLAIMS) this.#seeClaim(write);
    if (write.resource !== 'v1/pods') return;
    const pod = write.object as Pod;
    if (write.type === 'ADDED') this.#seeNewPod(write, pod);
    if (write.cause.rule === 'statefulset/scale-down') this.#seeScaleDown(write, pod);
    if (write.type === 'DELETED') this.#pods.delete(nameOf(pod));
    else this.#pods.set(nameOf(pod), pod);
  }

  check(): void {
    assert.equal(this.#complaint, undefined);
  }

  #complain(text: string): void {
    this.#complaint ??= text;
  }

  #seeSet(set: StatefulSet): void {
    const retention = set.spec?.persistentVolumeClaimRetentionPolicy;
    if (retention?.whenDeleted === 'Delete' || retention?.whenScaled === 'Delete') this.#policyDeletes = true;
  }

  #seeClaim(write: WriteRecord): void {
    const going = write.type === 'DELETED' || write.object.metadata?.deletionTimestamp !== undefined;
    const uid = write.object.metadata?.uid ?? '';
    if (going && write.cause.actor === 'test') this.#doomed.add(uid);
    if (this.#doomed.has(uid)) return;
    if (going && !this.#policyDeletes && write.cause.actor !== 'test')
      this.#complain(`claim ${write.name} deleted by ${write.cause.actor} without a policy that says so`);
  }

  #seeNewPod(write: WriteRecord, pod: Pod): void {
    const set = this.#set();
    if (this.#pods.has(nameOf(pod))) this.#complain(`two Pods are called ${nameOf(pod)}`);
    for (const volume of pod.spec?.volumes ?? []) {
      const claim = volume.persistentVolumeClaim?.claimName;
      if (claim !== undefined && claim !== `data-${nameOf(pod)}`) this.#complain(`${nameOf(pod)} mounts ${claim}`);
    }
    if (set?.spec?.podManagementPolicy !== 'OrderedReady' || write.cause.rule !== 'statefulset/create-pod') return;
    for (let before = set.spec.ordinals?.start ?? 0; before < ordinalOf(pod); before++) {
      const other = this.#pods.get(`web-${before}`);
      if (!other || !isPodReady(other) || other.metadata?.deletionTimestamp) this.#complain(`${nameOf(pod)} was created while web-${before} was not ready`);
    }
  }

  #seeScaleDown(write: WriteRecord, pod: Pod): void {
    if (this.#set()?.spec?.podManagementPolicy !== 'OrderedReady' || write.old?.metadata?.deletionTimestamp) return;
    for (const other of this.#pods.values()) {
      if (ordinalOf(other) > ordinalOf(pod) && controllerOf(other)) this.#complain(`${nameOf(pod)} was stopped before ${nameOf(other)} was gone`);
    }
  }
}

async function act(harness: Harness, world: { broken: boolean }, spec: Scenario, one: Action): Promise<void> {
  const set = harness.get<StatefulSet>(SETS, 'web');
  const pod = 'ordinal' in one ? harness.get<Pod>('v1/pods', `web-${one.ordinal}`) : undefined;
  switch (one.do) {
    case 'scale':
      if (set) harness.patch(SETS, 'web', { spec: { replicas: one.replicas } });
      break;
    case 'image':
      if (set) harness.patch(SETS, 'web', { spec: { template: { spec: { containers: [{ name: 'c', image: `nginx:${one.tag}` }] } } } });
      break;
    case 'delete':
      if (pod) harness.delete('v1/pods', nameOf(pod), 'default', one.force ? { gracePeriodSeconds: 0 } : {});
      break;
    case 'finish':
      if (pod?.status?.phase === 'Running') harness.finish(nameOf(pod), one.phase);
      break;
    case 'ready':
      if (pod?.status?.phase === 'Running') harness.setReady(nameOf(pod), one.ready);
      break;
    case 'break':
      world.broken = one.broken;
      break;
    case 'silence':
      harness.silence(NODES[one.node] ?? '', one.silent);
      break;
    case 'strategy':
      if (set)
        harness.patch(SETS, 'web', {
          spec: { updateStrategy: { type: one.type, rollingUpdate: one.type === 'OnDelete' ? null : { partition: one.partition } } },
        });
      break;
    case 'retention':
      if (set) harness.patch(SETS, 'web', { spec: { persistentVolumeClaimRetentionPolicy: { whenScaled: one.whenScaled, whenDeleted: one.whenDeleted } } });
      break;
    case 'claim': {
      const name = `data-web-${one.ordinal}`;
      const claim = harness.get<PersistentVolumeClaim>(CLAIMS, name);
      if (!claim) break;
      if (one.edit === 'delete') harness.delete(CLAIMS, name);
      else if (one.edit === 'label') harness.patch(CLAIMS, name, { metadata: { labels: { edited: 'yes' } } });
      // The class does not allow it: refused, and nothing changes.
      else assert.throws(() => harness.patch(CLAIMS, name, { spec: { resources: { requests: { storage: '2Gi' } } } }));
      break;
    }
    case 'release':
      // Without its owner it is an orphan with the right labels: the set takes it back.
      if (pod && !pod.metadata?.deletionTimestamp) harness.patch('v1/pods', nameOf(pod), { metadata: { ownerReferences: null } });
      break;
    case 'recreate':
      if (!set) break;
      harness.delete(SETS, 'web', 'default', { propagationPolicy: one.orphan ? 'Orphan' : 'Background' });
      await harness.run(200);
      harness.create(SETS, manifest(spec));
      break;
    case 'wait':
      await harness.run(one.ms);
  }
}

/** The reader stops, the machines come back, and what was broken works: then the cluster has to settle. */
async function settle(harness: Harness, world: { broken: boolean }): Promise<StatefulSet> {
  world.broken = false;
  for (const node of NODES) harness.silence(node, false);
  for (const pod of harness.list<Pod>('v1/pods')) if (pod.status?.phase === 'Running') harness.setReady(nameOf(pod), true);
  // Longer than the longest back-off of a work queue (1,000 s), as after many failures to create a Pod whose name is still taken.
  await harness.run(1_100_000);
  for (const pod of harness.list<Pod>('v1/pods')) if (pod.status?.phase === 'Running' && !isPodReady(pod)) harness.setReady(nameOf(pod), true);
  // As upstream (processCondemned): finished Pods above the wanted size wait for each other until somebody deletes them.
  const before = harness.get<StatefulSet>(SETS, 'web') as StatefulSet;
  const wanted = replicasOf(before);
  const start = before.spec?.ordinals?.start ?? 0;
  const finished = harness.list<Pod>('v1/pods').filter((pod) => isPodFinished(pod) && ordinalOf(pod) >= wanted + start);
  for (const pod of finished) harness.delete('v1/pods', nameOf(pod));
  await harness.run(400_000);
  const set = harness.get<StatefulSet>(SETS, 'web');
  assert.ok(set);
  return set;
}

function stateOf(harness: Harness): unknown {
  return {
    pods: harness.list<Pod>('v1/pods').map((pod) => [nameOf(pod), pod.spec?.containers?.[0]?.image, isPodReady(pod)]),
    claims: harness.list<PersistentVolumeClaim>(CLAIMS).map((claim) => [nameOf(claim), claim.status?.phase]),
  };
}

async function play(spec: Scenario, seed: string, pace = { startMs: 500, stopMs: 300 }): Promise<unknown> {
  const harness = new Harness({ seed, nodes: NODES });
  harness.startMs = pace.startMs;
  harness.stopMs = pace.stopMs;
  const world = { broken: false };
  harness.behaviourOf = () => (world.broken ? 'unready' : 'ready');
  const watcher = new Watcher(() => harness.get<StatefulSet>(SETS, 'web'));
  harness.onWrite((write) => watcher.see(write));
  await harness.run(1_000);
  harness.create(SETS, manifest(spec));
  for (const one of spec.actions) {
    await act(harness, world, spec, one);
    watcher.check();
  }
  const set = await settle(harness, world);
  watcher.check();
  const replicas = replicasOf(set);
  const names = Array.from({ length: replicas }, (_, n) => `web-${n + (set.spec?.ordinals?.start ?? 0)}`);
  assert.deepEqual(harness.names('v1/pods'), names);
  const pods = harness.list<Pod>('v1/pods');
  assert.ok(pods.every((pod) => isPodReady(pod) && controllerOf(pod)?.uid === set.metadata?.uid));
  assert.equal(set.status?.replicas ?? 0, replicas);
  assert.equal(set.status?.readyReplicas ?? 0, replicas);
  assert.equal(set.status?.availableReplicas ?? 0, replicas);
  assert.equal(set.status?.observedGeneration, set.metadata?.generation);
  if (set.spec?.updateStrategy?.type === 'RollingUpdate') {
    const partition = set.spec.updateStrategy.rollingUpdate?.partition ?? 0;
    for (const pod of pods) {
      // As upstream, the partition counts from the first ordinal.
      if (ordinalOf(pod) - (set.spec.ordinals?.start ?? 0) >= partition)
        assert.equal(pod.metadata?.labels?.['controller-revision-hash'], set.status?.updateRevision, nameOf(pod));
    }
  }
  const state = stateOf(harness);
  harness.dispose();
  return state;
}

const numRuns = Number(process.env.CHARTROOM_RUNS ?? 60);

test('whatever a reader does, the rules of StatefulSets hold, and the cluster settles', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scenario, fc.integer({ min: 0, max: 1_000_000 }), async (spec, seed) => {
      await play(spec, `model-${seed}`);
    }),
    { numRuns },
  );
});

test('neither chance nor the order in which Pods start and stop changes what the cluster settles to', { timeout: 600_000 }, async () => {
  const calm = scenario.map((spec) => ({ ...spec, actions: spec.actions.flatMap((one): Action[] => [one, { do: 'wait', ms: 20_000 }]) }));
  await fc.assert(
    fc.asyncProperty(calm, async (spec) => {
      assert.deepEqual(await play(spec, 'one order'), await play(spec, 'another order', { startMs: 120, stopMs: 900 }));
    }),
    { numRuns: Math.ceil(numRuns / 4) },
  );
});
