import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../client/types.ts';
import { CHANNEL } from './channel-pair.ts';
import { World } from './testing/world.ts';

const CAUSE = { cause: { actor: 'test', rule: 'test/act' } };
const decoder = new TextDecoder();

/** Runs a shell line in a Pod and gives what it printed. */
async function shell(world: World, pod: string, line: string): Promise<string> {
  let out = '';
  let done = false;
  const query = ['sh', '-c', line].map((word) => `command=${encodeURIComponent(word)}`).join('&');
  const work = (async () => {
    const socket = await world.cluster.transport.upgrade(
      { method: 'GET', path: `/api/v1/namespaces/default/pods/${pod}/exec?${query}&stdout=true&stderr=true`, headers: {} },
      ['v5.channel.k8s.io'],
    );
    if (!('receive' in socket)) throw new Error(`refused: ${socket.status} ${decoder.decode(socket.body)}`);
    for (let chunk = await socket.receive(); chunk !== null; chunk = await socket.receive()) {
      if (chunk[0] === CHANNEL.stdout || chunk[0] === CHANNEL.stderr) out += decoder.decode(chunk.subarray(1));
    }
  })().finally(() => {
    done = true;
  });
  work.catch(() => {});
  await world.until(() => done);
  await work;
  return out;
}

function claim(name: string): object {
  return { metadata: { name, namespace: 'default' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
}

const mounted = (volume: object, mount: object = {}): [object, object] => [
  { command: ['sleep', '3600'], volumeMounts: [{ name: 'v', mountPath: '/data', ...mount }] },
  { volumes: [{ name: 'v', ...volume }] },
];

// https://kubernetes.io/docs/concepts/storage/persistent-volumes/: data outlives Pods and goes with the volume.
test('what one Pod writes to a claim the next one reads; it is gone when claim and volume are deleted', async () => {
  const world = await World.start();
  const { client, nodes } = world.cluster;
  world.create('v1/persistentvolumeclaims', claim('c'));
  const using = mounted({ persistentVolumeClaim: { claimName: 'c' } });
  world.run('one', ...using);
  await world.until(() => world.pod('one').status?.phase === 'Running');
  const node = world.pod('one').spec?.nodeName;
  await shell(world, 'one', 'echo kept > /data/f');
  world.delete('one', { gracePeriodSeconds: 1 });
  await world.until(() => !world.exists('one'));
  world.run('two', ...using);
  await world.until(() => world.pod('two').status?.phase === 'Running');
  assert.equal(world.pod('two').spec?.nodeName, node);
  assert.equal(await shell(world, 'two', 'cat /data/f'), 'kept\n');
  nodes.powerOff(node as string);
  await world.pass(5);
  nodes.powerOn(node as string);
  await world.until(() => world.pod('two').status?.containerStatuses?.[0]?.restartCount === 1 && world.pod('two').status?.phase === 'Running');
  assert.equal(await shell(world, 'two', 'cat /data/f'), 'kept\n');
  world.delete('two', { gracePeriodSeconds: 1 });
  await world.until(() => !world.exists('two'));
  client.resource('v1/persistentvolumeclaims').delete('default', 'c', CAUSE);
  await world.until(() => client.resource('v1/persistentvolumes').list().length === 0);
  world.create('v1/persistentvolumeclaims', claim('c'));
  world.run('three', ...using);
  await world.until(() => world.pod('three').status?.phase === 'Running');
  assert.equal(await shell(world, 'three', 'ls /data'), '');
});

test('an emptyDir lives as long as the Pod: over restarts of a container, not over the Pod', async () => {
  const world = await World.start();
  world.run(
    'e',
    { command: ['sh', '-c', 'echo $(cat /data/n)x > /data/n; cat /data/n; sleep 3'], volumeMounts: [{ name: 'v', mountPath: '/data' }] },
    { volumes: [{ name: 'v', emptyDir: {} }] },
  );
  await world.until(() => world.rows('e').includes('1/1 Running 1'));
  assert.equal(await shell(world, 'e', 'cat /data/n'), 'xx\n');
});

// https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
test('a changed ConfigMap reaches the files within a sync period, but not through a subPath', async () => {
  const world = await World.start();
  world.create('v1/configmaps', { metadata: { name: 'cm', namespace: 'default' }, data: { a: 'old' } });
  world.run(
    'p',
    {
      command: ['sleep', '3600'],
      volumeMounts: [
        { name: 'v', mountPath: '/cfg' },
        { name: 'v', mountPath: '/one', subPath: 'a' },
      ],
    },
    { volumes: [{ name: 'v', configMap: { name: 'cm' } }] },
  );
  await world.until(() => world.pod('p').status?.phase === 'Running');
  assert.equal(await shell(world, 'p', 'cat /cfg/a /one'), 'oldold');
  world.cluster.client.resource('v1/configmaps').patch('default', 'cm', { data: { a: 'new' } }, CAUSE);
  assert.equal(await shell(world, 'p', 'cat /cfg/a'), 'old');
  await world.pass(90);
  assert.equal(await shell(world, 'p', 'cat /cfg/a /one'), 'newold');
  assert.match(await shell(world, 'p', 'echo x > /cfg/a'), /Read-only file system/);
});

test('downward API files follow the labels; projected tokens are there', async () => {
  const world = await World.start();
  world.run('d', ...mounted({ downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } }));
  await world.until(() => world.pod('d').status?.phase === 'Running');
  assert.equal(await shell(world, 'd', 'cat /data/labels'), '');
  world.cluster.client.resource<ApiObject>('v1/pods').patch('default', 'd', { metadata: { labels: { tier: 'x' } } }, CAUSE);
  await world.pass(3);
  assert.equal(await shell(world, 'd', 'cat /data/labels'), 'tier="x"');
  assert.equal(await shell(world, 'd', 'cat /var/run/secrets/kubernetes.io/serviceaccount/namespace'), 'default');
  assert.match(await shell(world, 'd', 'cat /var/run/secrets/kubernetes.io/serviceaccount/token'), /^[\w-]+\.[\w-]+\.[\w-]+$/);
});

test('a volume that is not there holds the Pod back with FailedMount, again and again, until it is', async () => {
  const world = await World.start();
  world.run('late', ...mounted({ configMap: { name: 'later' } }));
  await world.pass(10);
  assert.equal(world.rows('late').at(-1), '0/1 ContainerCreating 0');
  assert.ok(world.events('late').includes('FailedMount: MountVolume.SetUp failed for volume "v" : configmap "later" not found'));
  world.create('v1/configmaps', { metadata: { name: 'later', namespace: 'default' }, data: {} });
  await world.until(() => world.pod('late').status?.phase === 'Running', 130);
});

test('hostPath is the node: two Pods of one node share it, and its type is checked', async () => {
  const world = await World.start();
  const on = { nodeName: 'k3d-demo-agent-0' };
  const [container, spec] = mounted({ hostPath: { path: '/srv/x', type: 'DirectoryOrCreate' } });
  world.run('h1', container, { ...spec, ...on });
  world.run('h2', container, { ...spec, ...on });
  const [fileContainer, fileSpec] = mounted({ hostPath: { path: '/srv/x', type: 'File' } });
  await world.until(() => world.pod('h1').status?.phase === 'Running' && world.pod('h2').status?.phase === 'Running');
  await shell(world, 'h1', 'echo shared > /data/f');
  assert.equal(await shell(world, 'h2', 'cat /data/f'), 'shared\n');
  world.run('h3', fileContainer, { ...fileSpec, ...on });
  await world.pass(3);
  assert.ok(world.events('h3').includes('FailedMount: MountVolume.SetUp failed for volume "v" : hostPath type check failed: /srv/x is not a file'));
});

// https://kubernetes.io/docs/concepts/storage/volumes/#emptydir: sizeLimit
test('an emptyDir that outgrows its limit gets the Pod evicted', async () => {
  const world = await World.start();
  world.run('fat', ...mounted({ emptyDir: { sizeLimit: '1Mi' } }));
  await world.until(() => world.pod('fat').status?.phase === 'Running');
  await shell(world, 'fat', 'dd if=/dev/zero of=/data/big bs=1024 count=2048');
  await world.until(() => world.pod('fat').status?.phase === 'Failed', 20);
  assert.deepEqual([world.pod('fat').status?.reason, world.pod('fat').status?.message], ['Evicted', 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ']);
});
