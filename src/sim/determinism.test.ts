import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeClock } from '../hosts/node/clock.ts';
import { Kernel } from '../kernel/index.ts';
import { loadSchema } from './apiserver/schema.ts';
import type { ApiObject } from './client/types.ts';
import { type Cluster, createCluster, type WriteRecord } from './index.ts';

await loadSchema();

const CAUSE = { cause: { actor: 'test', rule: 'test/act' } };

function template(app: string, image: string, extra: object = {}): object {
  return {
    metadata: { labels: { app } },
    spec: { terminationGracePeriodSeconds: 2, containers: [{ name: 'c', image, ...extra }] },
  };
}

/** A bit of everything: claims, probes, a crash, a bad image, deletions, a node that stops and one that loses power. */
async function scenario(cluster: Cluster): Promise<void> {
  const { kernel, client } = cluster;
  const pass = (seconds: number): Promise<boolean> => kernel.advance({ untilMs: kernel.now() + seconds * 1000 });
  const create = (resource: string, object: object): void => {
    client.resource(resource).create(object as ApiObject, CAUSE);
  };
  create('apps/v1/statefulsets', {
    metadata: { name: 'db', namespace: 'default' },
    spec: {
      replicas: 3,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: template('db', 'mysql:8.1', {
        env: [{ name: 'MYSQL_ROOT_PASSWORD', value: 'x' }],
        volumeMounts: [{ name: 'data', mountPath: '/var/lib/mysql' }],
      }),
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
    },
  });
  create('apps/v1/deployments', {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      template: template('web', 'nginx:1.25', { readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 2 } }),
    },
  });
  create('v1/pods', { metadata: { name: 'crash', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'busybox', command: ['sleep', '1'] }] } });
  create('v1/pods', { metadata: { name: 'bad', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'localhost/nope:1' }] } });
  await pass(60);
  client.resource('v1/pods').delete('default', 'db-1', CAUSE);
  client.resource('v1/pods').delete('default', 'bad', CAUSE);
  await pass(20);
  const nodes = cluster.nodes.names();
  cluster.nodes.stopKubelet(nodes[1] as string);
  await pass(90);
  cluster.nodes.startKubelet(nodes[1] as string);
  cluster.nodes.powerOff(nodes[2] as string);
  await pass(30);
  cluster.nodes.powerOn(nodes[2] as string);
  await pass(60);
}

async function record(seed: string): Promise<WriteRecord[]> {
  const kernel = new Kernel({ seed, host: nodeClock });
  const cluster = await createCluster({ kernel, preset: 'k3d' });
  const writes: WriteRecord[] = [];
  cluster.onWrite((write) => writes.push(write));
  await scenario(cluster);
  cluster.dispose();
  return writes;
}

test('one seed gives the same writes, byte for byte', async () => {
  const [first, second] = [await record('determinism'), await record('determinism')];
  assert.ok(first.length > 300, `the scenario writes ${first.length} times`);
  assert.equal(first.length, second.length);
  for (const [index, write] of first.entries()) {
    assert.equal(JSON.stringify(second[index]), JSON.stringify(write), `write ${index} of ${write.resource} ${write.namespace}/${write.name}`);
  }
});

test('another seed gives other names and times, and the same end', async () => {
  const [first, other] = [await record('determinism'), await record('other')];
  assert.notEqual(JSON.stringify(other), JSON.stringify(first));
  const end = (writes: readonly WriteRecord[]): string[] => {
    const last = new Map<string, WriteRecord>();
    for (const write of writes) if (write.resource === 'apps/v1/statefulsets') last.set(write.name, write);
    return [...last.values()].map(
      (write) => `${write.name} ${JSON.stringify((write.object as { status?: { readyReplicas?: number } }).status?.readyReplicas)}`,
    );
  };
  assert.deepEqual(end(other), end(first));
});
