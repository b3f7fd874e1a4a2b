import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Namespace, Node, Pod, ReplicationController, ResourceQuota } from '../../kinds/types.ts';
import { Spec } from './spec.ts';

// Upstream's specs of garbage collection, namespaces, taints and quotas (test/e2e/apimachinery, test/e2e/node, v1.36), played in
// process. The names are those of the specs.

const PODS = 'v1/pods';
const HTTPD = 'registry.k8s.io/e2e-test-images/httpd:2.4.38-4';

function controller(name: string, replicas: number): object {
  const labels = { type: name };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'nginx', image: HTTPD }] } };
  return { apiVersion: 'v1', kind: 'ReplicationController', metadata: { name }, spec: { replicas, selector: labels, template } };
}

const pods = (spec: Spec, type: string): Pod[] =>
  spec.cluster.client
    .resource<Pod>(PODS)
    .list('default')
    .filter((pod) => pod.metadata?.labels?.type === type);

const controllerOf = (spec: Spec, name: string) => spec.get<ReplicationController>('v1/replicationcontrollers', name);

test('should orphan pods created by rc if delete options say so', async () => {
  const spec = await Spec.start('orphan');
  spec.create('v1/replicationcontrollers', controller('orphan', 10));
  await spec.until('ten', () => pods(spec, 'orphan').length === 10);
  spec.delete('v1/replicationcontrollers', 'orphan', { propagationPolicy: 'Orphan' });
  await spec.until('the controller gone', () => controllerOf(spec, 'orphan') === undefined);
  await spec.seconds(30);
  assert.equal(pods(spec, 'orphan').length, 10);
  assert.ok(pods(spec, 'orphan').every((pod) => pod.metadata?.ownerReferences === undefined));
  spec.cluster.dispose();
});

test('should keep the rc around until all its pods are deleted if the deleteOptions says so', async () => {
  const spec = await Spec.start('foreground');
  spec.create('v1/replicationcontrollers', controller('fore', 10));
  await spec.until('ten', () => controllerOf(spec, 'fore')?.status?.readyReplicas === 10);
  let left = -1;
  spec.cluster.onWrite((write) => {
    if (write.resource === 'v1/replicationcontrollers' && write.type === 'DELETED') left = pods(spec, 'fore').length;
  });
  spec.delete('v1/replicationcontrollers', 'fore', { propagationPolicy: 'Foreground' });
  assert.ok(controllerOf(spec, 'fore')?.metadata?.deletionTimestamp);
  await spec.until('all gone', () => controllerOf(spec, 'fore') === undefined);
  assert.equal(left, 0);
  spec.cluster.dispose();
});

test("should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted", async () => {
  const spec = await Spec.start('two-owners');
  spec.create('v1/replicationcontrollers', controller('goes', 6));
  spec.create('v1/replicationcontrollers', controller('stays', 0));
  await spec.until('six', () => controllerOf(spec, 'goes')?.status?.readyReplicas === 6);
  const stays = controllerOf(spec, 'stays');
  const half = pods(spec, 'goes').slice(0, 3);
  for (const { metadata } of half) {
    spec.update<Pod>(PODS, metadata?.name ?? '', (pod) => {
      const owner = { apiVersion: 'v1', kind: 'ReplicationController', name: 'stays', uid: stays?.metadata?.uid ?? '' };
      pod.metadata = { ...pod.metadata, ownerReferences: [...(pod.metadata?.ownerReferences ?? []), owner] };
    });
  }
  spec.delete('v1/replicationcontrollers', 'goes', { propagationPolicy: 'Foreground' });
  await spec.until('the owner gone', () => controllerOf(spec, 'goes') === undefined);
  await spec.seconds(30);
  assert.deepEqual(
    pods(spec, 'goes')
      .map((pod) => pod.metadata?.name)
      .sort(),
    half.map((pod) => pod.metadata?.name).sort(),
  );
  assert.ok(pods(spec, 'goes').every((pod) => !pod.metadata?.deletionTimestamp && pod.metadata?.ownerReferences?.length === 1));
  spec.cluster.dispose();
});

test('should not be blocked by dependency circle', async () => {
  const spec = await Spec.start('circle');
  const names = ['pod1', 'pod2', 'pod3'];
  for (const name of names)
    spec.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'nginx', image: HTTPD }] },
    });
  for (const [i, name] of names.entries()) {
    const owner = spec.pod(names[(i + 2) % 3] ?? '');
    spec.update<Pod>(PODS, name, (pod) => {
      const ref = {
        apiVersion: 'v1',
        kind: 'Pod',
        name: owner?.metadata?.name ?? '',
        uid: owner?.metadata?.uid ?? '',
        controller: true,
        blockOwnerDeletion: true,
      };
      pod.metadata = { ...pod.metadata, ownerReferences: [ref] };
    });
  }
  spec.delete(PODS, 'pod1', { propagationPolicy: 'Foreground' });
  await spec.until('all gone', () => names.every((name) => spec.pod(name) === undefined));
  spec.cluster.dispose();
});

test('should ensure that all pods are removed when a namespace is deleted', async () => {
  const spec = await Spec.start('namespace');
  spec.create('v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'nsdelete', namespace: '' } });
  await spec.until('its service account', () => spec.get('v1/serviceaccounts', 'default', 'nsdelete') !== undefined);
  spec.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'test-pod', namespace: 'nsdelete' },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'nginx', image: HTTPD }] },
  });
  spec.create('v1/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'test-service', namespace: 'nsdelete' },
    spec: { selector: { foo: 'bar' }, ports: [{ port: 80 }] },
  });
  await spec.until('Running', () => spec.get<Pod>(PODS, 'test-pod', 'nsdelete')?.status?.phase === 'Running');
  spec.cluster.client.resource('v1/namespaces').delete('', 'nsdelete', { cause: { actor: 'e2e.test', rule: 'request/test' } });
  assert.equal(spec.get<Namespace>('v1/namespaces', 'nsdelete', '')?.status?.phase, 'Terminating');
  assert.throws(
    () => spec.create<ConfigMap>('v1/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late', namespace: 'nsdelete' } }),
    /because it is being terminated/,
  );
  await spec.until('gone', () => spec.get('v1/namespaces', 'nsdelete', '') === undefined);
  assert.equal(spec.get(PODS, 'test-pod', 'nsdelete'), undefined);
  spec.cluster.dispose();
});

test('NoExecuteTaintManager: evicts pods from tainted nodes, in the time they tolerate, unless the taint goes', async () => {
  const spec = await Spec.start('taints');
  const node = 'k3d-demo-agent-0';
  const pod = (name: string, tolerations: object[]): void => {
    spec.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { nodeName: node, terminationGracePeriodSeconds: 1, tolerations, containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10.1' }] },
    });
  };
  const key = 'kubernetes.io/e2e-evict-taint-key';
  const tolerate = { key, operator: 'Equal', value: 'evictTaintVal', effect: 'NoExecute' };
  pod('none', []);
  pod('all', [tolerate]);
  pod('some', [{ ...tolerate, tolerationSeconds: 60 }]);
  await spec.until('Running', () => ['none', 'all', 'some'].every((name) => spec.pod(name)?.status?.phase === 'Running'));
  const taint = (taints: object[]): void =>
    spec.update<Node>(
      'v1/nodes',
      node,
      (one) => {
        one.spec = { ...one.spec, taints: taints as [] };
      },
      '',
    );
  taint([{ key, value: 'evictTaintVal', effect: 'NoExecute' }]);
  await spec.until('none gone', () => spec.pod('none') === undefined, 20_000);
  await spec.seconds(20);
  assert.ok(spec.pod('some'));
  taint([]);
  await spec.seconds(90);
  assert.ok(spec.pod('some'));
  taint([{ key, value: 'evictTaintVal', effect: 'NoExecute' }]);
  await spec.until('some gone', () => spec.pod('some') === undefined, 90_000);
  assert.ok(spec.pod('all'));
  spec.cluster.dispose();
});

test('should create a ResourceQuota and capture the life of a pod', async () => {
  const spec = await Spec.start('quota-life');
  const hard = { pods: '5', cpu: '1', memory: '500Mi', configmaps: '10', services: '10', 'count/replicasets.apps': '5' };
  spec.create('v1/resourcequotas', { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'test-quota' }, spec: { hard } });
  const used = () => spec.get<ResourceQuota>('v1/resourcequotas', 'test-quota')?.status?.used ?? {};
  await spec.until('computed', () => used().pods === '0' && used().configmaps === '1');
  const pod = (name: string, cpu: string): void => {
    const resources = { requests: { cpu, memory: '252Mi' }, limits: { cpu, memory: '252Mi' } };
    spec.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10.1', resources }] },
    });
  };
  pod('test-pod', '500m');
  await spec.until('captured', () => used().pods === '1' && used().cpu === '500m' && used().memory === '252Mi');
  assert.throws(
    () => pod('fail-pod', '600m'),
    /exceeded quota: test-quota, requested: cpu=600m,memory=252Mi, used: cpu=500m,memory=252Mi, limited: cpu=1,memory=500Mi/,
  );
  spec.delete(PODS, 'test-pod', { gracePeriodSeconds: 0 });
  await spec.until('released', () => used().pods === '0' && used().cpu === '0' && used().memory === '0');
  spec.cluster.dispose();
});
