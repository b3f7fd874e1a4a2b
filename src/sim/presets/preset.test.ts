import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeClock } from '../../hosts/node/clock.ts';
import { Kernel } from '../../kernel/index.ts';
import { type Cluster, createCluster, podStatusText } from '../index.ts';
import type { Node, Pod, Service, StorageClass } from '../kinds/types.ts';

async function start(preset: 'k3d' | 'single', agents?: number): Promise<Cluster> {
  const kernel = new Kernel({ seed: 'preset', host: nodeClock });
  return createCluster({ kernel, preset, ...(agents === undefined ? {} : { agents }) });
}

// tests/conformance/corpus/kubectl-errors.json: get nodes -o wide, get all -A, get sc -o yaml, get ns.
test('k3d: three Ready nodes, the system Pods running under their recorded names, nothing in default', async () => {
  const { client } = await start('k3d');
  assert.deepEqual(
    client
      .resource<Node>('v1/nodes')
      .list()
      .map((node) => [
        node.metadata?.name,
        node.status?.addresses?.[0]?.address,
        node.spec?.podCIDR,
        node.status?.nodeInfo?.kubeletVersion,
        node.status?.conditions?.find((condition) => condition.type === 'Ready')?.status,
        node.spec?.taints?.length ?? 0,
      ]),
    [
      ['k3d-demo-agent-0', '172.18.0.3', '10.42.1.0/24', 'v1.36.3', 'True', 0],
      ['k3d-demo-agent-1', '172.18.0.4', '10.42.2.0/24', 'v1.36.3', 'True', 0],
      ['k3d-demo-server-0', '172.18.0.2', '10.42.0.0/24', 'v1.36.3', 'True', 0],
    ],
  );
  const pods = client.resource<Pod>('v1/pods').list();
  assert.deepEqual(
    pods.map((pod) => [pod.metadata?.name?.replace(/-[a-z0-9]+-(?=[a-z0-9]{5}$)/, '-*-'), podStatusText(pod as never).status, pod.spec?.nodeName]),
    [
      ['coredns-*-28fjb', 'Running', 'k3d-demo-server-0'],
      ['local-path-provisioner-*-6z4hr', 'Running', 'k3d-demo-server-0'],
    ],
  );
  assert.ok(pods.every((pod) => pod.metadata?.ownerReferences?.[0]?.kind === 'ReplicaSet'));
  assert.equal(client.resource<Service>('v1/services').get('kube-system', 'kube-dns')?.spec?.clusterIP, '10.43.0.10');
  assert.equal(client.resource<Service>('v1/services').get('default', 'kubernetes')?.spec?.clusterIP, '10.43.0.1');
  assert.equal(client.resource<StorageClass>('storage.k8s.io/v1/storageclasses').get('', 'local-path')?.provisioner, 'rancher.io/local-path');
  assert.equal(client.resource('v1/events').list('default').length, 0);
});

test('single: one node; agents: as many as asked for', async () => {
  assert.deepEqual((await start('single')).nodes.names(), ['k3d-demo-server-0']);
  assert.equal((await start('k3d', 4)).nodes.names().length, 5);
});

test('the bootstrap roles are all there a few seconds later, and edit holds what view holds', async () => {
  const { client, kernel } = await start('single');
  await kernel.advance({ untilMs: kernel.now() + 5_000 });
  const roles = client.resource('rbac.authorization.k8s.io/v1/clusterroles').list();
  assert.equal(roles.length, 69 + 2);
  const resources = (name: string): Set<string> =>
    new Set(
      (client.resource('rbac.authorization.k8s.io/v1/clusterroles').get('', name) as { rules?: { resources?: string[] }[] }).rules?.flatMap(
        (rule) => rule.resources ?? [],
      ),
    );
  for (const resource of resources('view')) assert.ok(resources('edit').has(resource), resource);
});
