import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, DeploymentSpec, Pod, ReplicaSet } from '../../kinds/types.ts';
import { nameOf } from '../object.ts';
import { Harness } from '../testing/harness.ts';

const DEPLOYMENTS = 'apps/v1/deployments';

function deployment(spec: DeploymentSpec = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'nginx', namespace: 'default' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'nginx' } },
      template: { metadata: { labels: { app: 'nginx' } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'nginx', image: 'nginx:1.25' }] } },
      ...spec,
    },
  };
}

const image = (tag: string): object => ({ spec: { template: { spec: { containers: [{ name: 'nginx', image: tag }] } } } });

function rolledOut(harness: Harness, replicas = 3): () => boolean {
  return () => {
    const one = harness.get<Deployment>(DEPLOYMENTS, 'nginx');
    const status = one?.status ?? {};
    return (
      status.observedGeneration === one?.metadata?.generation &&
      status.updatedReplicas === replicas &&
      status.replicas === replicas &&
      status.availableReplicas === replicas &&
      (status.terminatingReplicas ?? 0) === 0
    );
  };
}

function condition(harness: Harness, type: string): string | undefined {
  const found = harness.get<Deployment>(DEPLOYMENTS, 'nginx')?.status?.conditions?.find((one) => one.type === type);
  return found && `${found.status} ${found.reason}`;
}

test('rolls one Pod up, one Pod down, with the recorded events (corpus: deploy-rollout)', async () => {
  const harness = new Harness();
  harness.create(DEPLOYMENTS, deployment());
  await harness.until(rolledOut(harness));
  const first = nameOf(harness.list<ReplicaSet>('apps/v1/replicasets')[0] ?? {});
  let least = 3;
  let most = 3;
  harness.onWrite((write) => {
    if (write.resource !== DEPLOYMENTS) return;
    const { availableReplicas = 0, replicas = 0 } = (write.object as Deployment).status ?? {};
    least = Math.min(least, availableReplicas);
    most = Math.max(most, replicas);
  });
  harness.patch(DEPLOYMENTS, 'nginx', image('nginx:1.27'));
  await harness.until(rolledOut(harness));
  const second = nameOf(harness.list<ReplicaSet>('apps/v1/replicasets').find((one) => nameOf(one) !== first) ?? {});
  assert.deepEqual([least, most], [3, 4]);
  assert.deepEqual(harness.events('Deployment', 'nginx'), [
    `ScalingReplicaSet: Scaled up replica set ${first} from 0 to 3`,
    `ScalingReplicaSet: Scaled up replica set ${second} from 0 to 1`,
    `ScalingReplicaSet: Scaled down replica set ${first} from 3 to 2`,
    `ScalingReplicaSet: Scaled up replica set ${second} from 1 to 2`,
    `ScalingReplicaSet: Scaled down replica set ${first} from 2 to 1`,
    `ScalingReplicaSet: Scaled up replica set ${second} from 2 to 3`,
    `ScalingReplicaSet: Scaled down replica set ${first} from 1 to 0`,
  ]);
  assert.equal(condition(harness, 'Progressing'), 'True NewReplicaSetAvailable');
  assert.equal(condition(harness, 'Available'), 'True MinimumReplicasAvailable');
  assert.equal(harness.get<Deployment>(DEPLOYMENTS, 'nginx')?.metadata?.annotations?.['deployment.kubernetes.io/revision'], '2');
  // Going back takes the old ReplicaSet again, under a new revision.
  harness.patch(DEPLOYMENTS, 'nginx', image('nginx:1.25'));
  await harness.until(rolledOut(harness));
  const old = harness.get<ReplicaSet>('apps/v1/replicasets', first);
  assert.equal(old?.metadata?.annotations?.['deployment.kubernetes.io/revision'], '3');
  assert.equal(old?.metadata?.annotations?.['deployment.kubernetes.io/revision-history'], '1');
  harness.dispose();
});

test('Recreate waits until the last old Pod is gone', async () => {
  const harness = new Harness();
  harness.create(DEPLOYMENTS, deployment({ strategy: { type: 'Recreate' } }));
  await harness.until(rolledOut(harness));
  harness.writes.length = 0;
  harness.patch(DEPLOYMENTS, 'nginx', image('nginx:1.27'));
  await harness.until(rolledOut(harness));
  const life = harness.writes.filter((write) => write.resource === 'v1/pods' && write.type !== 'MODIFIED').map((write) => write.type);
  assert.deepEqual(life, ['DELETED', 'DELETED', 'DELETED', 'ADDED', 'ADDED', 'ADDED']);
  harness.dispose();
});

test('a rollout that makes no progress says so after its deadline', async () => {
  const harness = new Harness();
  harness.behaviourOf = (pod) => (pod.spec?.containers?.[0]?.image === 'nope' ? 'unready' : 'ready');
  harness.create(DEPLOYMENTS, deployment({ progressDeadlineSeconds: 10 }));
  await harness.until(rolledOut(harness));
  harness.patch(DEPLOYMENTS, 'nginx', image('nope'));
  await harness.run(8_000);
  assert.equal(condition(harness, 'Progressing'), 'True ReplicaSetUpdated');
  await harness.run(6_000);
  assert.equal(condition(harness, 'Progressing'), 'False ProgressDeadlineExceeded');
  harness.dispose();
});

test('a paused Deployment changes nothing until it is resumed; scaling meanwhile is shared out', async () => {
  const harness = new Harness();
  harness.create(DEPLOYMENTS, deployment());
  await harness.until(rolledOut(harness));
  harness.patch(DEPLOYMENTS, 'nginx', { spec: { paused: true } });
  harness.patch(DEPLOYMENTS, 'nginx', image('nginx:1.27'));
  harness.patch(DEPLOYMENTS, 'nginx', { spec: { replicas: 5 } });
  await harness.run(5_000);
  assert.equal(harness.list('apps/v1/replicasets').length, 1);
  assert.equal(harness.names('v1/pods').length, 5);
  assert.equal(condition(harness, 'Progressing'), 'Unknown DeploymentPaused');
  harness.patch(DEPLOYMENTS, 'nginx', { spec: { paused: null } });
  await harness.until(rolledOut(harness, 5));
  assert.ok(harness.list<Pod>('v1/pods').every((pod) => pod.spec?.containers?.[0]?.image === 'nginx:1.27'));
  harness.dispose();
});

test('deletion in the background, in the foreground, and of the Deployment alone', async () => {
  for (const propagationPolicy of ['Background', 'Foreground', 'Orphan'] as const) {
    const harness = new Harness();
    harness.create(DEPLOYMENTS, deployment());
    await harness.until(rolledOut(harness));
    harness.delete(DEPLOYMENTS, 'nginx', 'default', { propagationPolicy });
    await harness.run(100);
    assert.equal(harness.get(DEPLOYMENTS, 'nginx') !== undefined, propagationPolicy === 'Foreground', propagationPolicy);
    await harness.run(10_000);
    assert.equal(harness.get(DEPLOYMENTS, 'nginx'), undefined, propagationPolicy);
    assert.equal(harness.names('v1/pods').length, propagationPolicy === 'Orphan' ? 3 : 0, propagationPolicy);
    harness.dispose();
  }
});

test('deleting a namespace empties it, Pods first, and then removes it', async () => {
  const harness = new Harness();
  harness.create('v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  await harness.run(500);
  assert.deepEqual(harness.names('v1/serviceaccounts', 'shop'), ['default']);
  assert.deepEqual(harness.names('v1/configmaps', 'shop'), ['kube-root-ca.crt']);
  const one = deployment();
  harness.create(DEPLOYMENTS, { ...one, metadata: { ...one.metadata, namespace: 'shop' } });
  await harness.run(3_000);
  harness.delete('v1/namespaces', 'shop', '');
  await harness.run(60_000);
  assert.equal(harness.get('v1/namespaces', 'shop', ''), undefined);
  assert.deepEqual(harness.names('v1/pods', 'shop'), []);
  harness.dispose();
});
