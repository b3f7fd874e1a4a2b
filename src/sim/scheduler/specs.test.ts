import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Spec } from '../controllers/testing/spec.ts';
import type { Node, Pod } from '../kinds/types.ts';

// Upstream's scheduling specs (test/e2e/scheduling/*.go, v1.36), played in process. The names are those of the specs.

const PAUSE = 'registry.k8s.io/pause:3.10.1';
const RESOURCE = 'scheduling.k8s.io/foo';

function setResource(spec: Spec, node: string, amount: string): void {
  const client = spec.cluster.client.resource<Node>('v1/nodes');
  const copy = structuredClone(client.get('', node) as Node);
  copy.status = {
    ...copy.status,
    capacity: { ...copy.status?.capacity, [RESOURCE]: amount },
    allocatable: { ...copy.status?.allocatable, [RESOURCE]: amount },
  };
  client.updateStatus(copy, { cause: { actor: 'e2e.test', rule: 'request/test' } });
}

function pod(name: string, amount: string, priorityClassName: string, more: object = {}): object {
  const resources = { requests: { [RESOURCE]: amount }, limits: { [RESOURCE]: amount } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { priorityClassName, terminationGracePeriodSeconds: 0, containers: [{ name: 'pause', image: PAUSE, resources }], ...more },
  };
}

async function cluster(name: string): Promise<Spec> {
  const spec = await Spec.start(name);
  for (const [key, value] of [
    ['low', 1],
    ['medium', 100],
    ['high', 1000],
  ] as const)
    spec.create('scheduling.k8s.io/v1/priorityclasses', {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: key, namespace: '' },
      value,
    });
  for (const node of ['k3d-demo-server-0', 'k3d-demo-agent-0', 'k3d-demo-agent-1']) setResource(spec, node, '5');
  return spec;
}

test('validates basic preemption works', async () => {
  const spec = await cluster('preemption');
  const names = Array.from({ length: 6 }, (_, i) => `pod${i}`);
  for (const [i, name] of names.entries()) spec.create('v1/pods', pod(name, '2', i === 0 ? 'low' : 'medium'));
  await spec.until('all Running', () => names.every((name) => spec.pod(name)?.status?.phase === 'Running'));
  assert.equal(new Set(names.map((name) => spec.pod(name)?.spec?.nodeName)).size, 3);
  const gone: Pod[] = [];
  spec.cluster.onWrite((write) => {
    if (write.resource === 'v1/pods' && write.type === 'DELETED') gone.push(write.object as Pod);
  });
  spec.create('v1/pods', pod('preemptor-pod', '2', 'high'));
  await spec.until('the preemptor Running', () => spec.pod('preemptor-pod')?.status?.phase === 'Running');
  assert.deepEqual(
    gone.map((one) => one.metadata?.name),
    ['pod0'],
  );
  assert.equal(
    gone[0]?.status?.conditions?.some((one) => one.type === 'DisruptionTarget' && one.status === 'True' && one.reason === 'PreemptionByScheduler'),
    true,
  );
  spec.cluster.dispose();
});

test('validates that NodeAffinity, NodeSelector, taints and host ports are respected', async () => {
  const spec = await cluster('predicates');
  const scheduled = (name: string): boolean => spec.pod(name)?.spec?.nodeName !== undefined;
  const node = 'k3d-demo-agent-1';
  spec.create('v1/pods', pod('restricted', '1', 'low', { nodeSelector: { label: 'nonempty' } }));
  await spec.seconds(10);
  assert.equal(scheduled('restricted'), false);
  spec.update<Node>(
    'v1/nodes',
    node,
    (one) => {
      one.metadata = { ...one.metadata, labels: { ...one.metadata?.labels, label: 'nonempty' } };
    },
    '',
  );
  await spec.until('on the labelled node', () => spec.pod('restricted')?.spec?.nodeName === node);
  spec.update<Node>(
    'v1/nodes',
    node,
    (one) => {
      one.spec = { ...one.spec, taints: [{ key: 'kubernetes.io/e2e-taint-key', value: 'v', effect: 'NoSchedule' }] };
    },
    '',
  );
  const at = { nodeSelector: { 'kubernetes.io/hostname': node } };
  spec.create('v1/pods', pod('no-tolerations', '1', 'low', at));
  spec.create(
    'v1/pods',
    pod('with-tolerations', '1', 'low', { ...at, tolerations: [{ key: 'kubernetes.io/e2e-taint-key', value: 'v', effect: 'NoSchedule' }] }),
  );
  await spec.until('the tolerant one', () => scheduled('with-tolerations'));
  assert.equal(scheduled('no-tolerations'), false);
  const port = (hostIP: string, protocol: string): object => ({
    nodeSelector: { 'kubernetes.io/hostname': 'k3d-demo-agent-0' },
    containers: [{ name: 'a', image: PAUSE, ports: [{ hostPort: 54322, hostIP, containerPort: 80, protocol }] }],
  });
  for (const [name, hostIP, protocol] of [
    ['pod4', '0.0.0.0', 'TCP'],
    ['pod5', '127.0.0.1', 'TCP'],
    ['pod6', '127.0.0.1', 'UDP'],
  ] as const) {
    spec.create('v1/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: port(hostIP, protocol) });
    await spec.seconds(10);
  }
  assert.deepEqual(['pod4', 'pod5', 'pod6'].map(scheduled), [true, false, true]);
  spec.cluster.dispose();
});
