import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../sim/kinds/types.ts';
import { clusterAt, compareMoments, TooLongAgo, viewAt, yamlOf } from './moments.ts';
import { clusterView } from './view.ts';
import { explain } from './why/index.ts';
import { Reader } from './why/testing/reader.ts';

test('any moment looks from its writes as it looked then', async () => {
  const reader = await Reader.start();
  const { cluster, kernel } = reader.environment;
  const seen: { atMs: number; view: string; pods: string }[] = [];
  const look = (): void => {
    const pods = cluster.client.resource<Pod>('v1/pods').list('default');
    seen.push({ atMs: kernel.now(), view: JSON.stringify(clusterView(cluster)), pods: pods.map(yamlOf).join('---\n') });
  };
  for (let i = 0; i < 30; i++) {
    await reader.seconds(2);
    look();
  }
  await reader.run('kubectl delete pod web-1 --wait=false');
  await reader.seconds(3);
  look();
  await reader.run('kubectl scale sts web --replicas=1');
  await reader.seconds(8);
  look();
  await reader.run('kubectl delete sts,pvc,svc --all --wait=false');
  await reader.seconds(30);
  for (const { atMs, view, pods } of seen) {
    assert.equal(JSON.stringify(viewAt(cluster, atMs)), view, `at ${atMs}`);
    assert.equal(clusterAt(cluster, atMs).client.resource<Pod>('v1/pods').list('default').map(yamlOf).join('---\n'), pods);
  }
  // 「為什麼」 of that moment: web-1 was waited for.
  const early = { ...cluster, ...clusterAt(cluster, seen[0]?.atMs ?? 0) };
  const waiting = explain(early, { resource: 'v1/pods', namespace: 'default', name: 'web-1' });
  assert.ok(waiting.obstacles.some((one) => one.rule === 'not/predecessor-not-ready'));
  reader.environment.dispose();
});

test('two moments compared: what was created, changed and deleted, by whom, as a diff', async () => {
  const reader = await Reader.start();
  const { cluster, kernel } = reader.environment;
  await reader.seconds(60);
  const before = kernel.now();
  await reader.run('kubectl scale sts web --replicas=2');
  await reader.run('kubectl create configmap note --from-literal=a=1');
  await reader.seconds(30);
  const found = compareMoments(cluster, before, kernel.now());
  const said = (name: string) => found.find((one) => one.name === name);
  assert.equal(said('web-2')?.change, 'deleted');
  assert.equal(said('note')?.change, 'created');
  assert.equal(said('web')?.change, 'changed');
  assert.match(said('web')?.diff ?? '', /^-\s+replicas: 3\n\+\s+replicas: 2$/m);
  assert.ok(said('web')?.actors.includes('kubectl') && said('web')?.actors.includes('statefulset-controller'));
  assert.ok(found.every((one) => one.resource !== 'v1/events'));
  assert.deepEqual(compareMoments(cluster, kernel.now(), before), found);
  assert.deepEqual(compareMoments(cluster, before, before), []);
  reader.environment.dispose();
});

test('a moment before the history that is kept says so', async () => {
  const reader = await Reader.start();
  const { cluster, kernel } = reader.environment;
  const kept = { client: cluster.client, kernel, writes: cluster.writes.slice(200) };
  assert.throws(() => viewAt(kept, (kept.writes[0]?.atMs ?? 0) - 1000), TooLongAgo);
  reader.environment.dispose();
});
