import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonSet, DaemonSetSpec, Pod, PodDisruptionBudget, ResourceQuota, StatefulSet } from '../../kinds/types.ts';
import { Harness } from '../testing/harness.ts';

const SETS = 'apps/v1/daemonsets';

function daemonSet(spec: DaemonSetSpec = {}): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image: 'agent:1' }] } },
      ...spec,
    },
  };
}

const ready = (harness: Harness, count: number) => () => harness.get<DaemonSet>(SETS, 'agent')?.status?.numberReady === count;
const nodesOf = (harness: Harness): (string | undefined)[] =>
  harness
    .list<Pod>('v1/pods')
    .map((pod) => pod.spec?.nodeName)
    .sort();

test('one Pod on every node, also on those that come later', async () => {
  const harness = new Harness();
  harness.create(SETS, daemonSet());
  await harness.until(ready(harness, 3));
  harness.addNode('node-d');
  await harness.until(ready(harness, 4));
  assert.deepEqual(nodesOf(harness), ['node-a', 'node-b', 'node-c', 'node-d']);
  assert.deepEqual(harness.get<DaemonSet>(SETS, 'agent')?.status, {
    currentNumberScheduled: 4,
    desiredNumberScheduled: 4,
    numberAvailable: 4,
    numberMisscheduled: 0,
    numberReady: 4,
    observedGeneration: 1,
    updatedNumberScheduled: 4,
  });
  harness.dispose();
});

test('node selectors and taints decide where', async () => {
  const harness = new Harness();
  harness.patch('v1/nodes', 'node-b', { metadata: { labels: { disk: 'ssd' } } }, '');
  harness.create(
    SETS,
    daemonSet({ template: { metadata: { labels: { app: 'agent' } }, spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'agent:1' }] } } }),
  );
  await harness.until(ready(harness, 1));
  assert.deepEqual(nodesOf(harness), ['node-b']);
  harness.patch('v1/nodes', 'node-c', { metadata: { labels: { disk: 'ssd' } } }, '');
  await harness.until(ready(harness, 2));
  harness.patch('v1/nodes', 'node-b', { metadata: { labels: { disk: null } } }, '');
  await harness.run(3_000);
  assert.deepEqual(nodesOf(harness), ['node-c']);
  harness.dispose();
});

test('a rolling update takes one node at a time', async () => {
  const harness = new Harness();
  harness.create(SETS, daemonSet());
  await harness.until(ready(harness, 3));
  let least = 3;
  harness.onWrite((write) => {
    if (write.resource === SETS) least = Math.min(least, (write.object as DaemonSet).status?.numberReady ?? 0);
  });
  harness.patch(SETS, 'agent', { spec: { template: { spec: { containers: [{ name: 'c', image: 'agent:2' }] } } } });
  await harness.run(20_000);
  assert.ok(harness.list<Pod>('v1/pods').every((pod) => pod.spec?.containers?.[0]?.image === 'agent:2'));
  assert.equal(least, 2);
  harness.dispose();
});

test('a disruption budget counts what may go', async () => {
  const harness = new Harness();
  harness.create<StatefulSet>('apps/v1/statefulsets', {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
    },
  });
  await harness.run(5_000);
  harness.create<PodDisruptionBudget>('policy/v1/poddisruptionbudgets', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'default' },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
  });
  const budget = (): PodDisruptionBudget['status'] => harness.get<PodDisruptionBudget>('policy/v1/poddisruptionbudgets', 'web')?.status;
  await harness.run(1_000);
  assert.deepEqual([budget()?.currentHealthy, budget()?.desiredHealthy, budget()?.disruptionsAllowed, budget()?.expectedPods], [3, 2, 1, 3]);
  harness.setReady('web-1', false);
  await harness.run(500);
  assert.equal(budget()?.disruptionsAllowed, 0);
  assert.equal(budget()?.conditions?.[0]?.reason, 'InsufficientPods');
  harness.dispose();
});

test('a quota shows what is used', async () => {
  const harness = new Harness();
  harness.create<ResourceQuota>('v1/resourcequotas', {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'default' },
    spec: { hard: { pods: '2' } },
  });
  await harness.run(100);
  harness.create<Pod>('v1/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'nginx' }] },
  });
  await harness.run(100);
  assert.deepEqual(harness.get<ResourceQuota>('v1/resourcequotas', 'q')?.status, { hard: { pods: '2' }, used: { pods: '1' } });
  harness.delete('v1/pods', 'one');
  await harness.run(2_000);
  assert.deepEqual(harness.get<ResourceQuota>('v1/resourcequotas', 'q')?.status?.used, { pods: '0' });
  harness.dispose();
});
