import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, Node, Pod, StatefulSet } from '../../kinds/types.ts';
import { Spec } from '../testing/spec.ts';

// Documentation "Node Shutdowns", section "Non-graceful node shutdown handling", and pkg/controller/{nodelifecycle,tainteviction,podgc}.

const PODS = 'v1/pods';

function manifest(): object {
  const labels = { app: 'web' };
  const containers = [{ name: 'c', image: 'busybox', command: ['sleep', '1000000'] }];
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      podManagementPolicy: 'Parallel',
      serviceName: 'test',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers } },
    },
  };
}

test('power off: NotReady, taints, Terminating after five minutes, replaced only when the node is out of service', async () => {
  const spec = await Spec.start('power-off');
  const { cluster } = spec;
  spec.create<StatefulSet>('apps/v1/statefulsets', manifest());
  const readyReplicas = (): number => spec.get<StatefulSet>('apps/v1/statefulsets', 'web')?.status?.readyReplicas ?? 0;
  await spec.until('three ready', () => readyReplicas() === 3);
  const victim = ['web-0', 'web-1', 'web-2'].find((name) => spec.pod(name)?.spec?.nodeName?.includes('agent')) ?? '';
  const agent = spec.pod(victim)?.spec?.nodeName ?? '';
  const uid = spec.pod(victim)?.metadata?.uid;
  const node = (): Node => spec.get<Node>('v1/nodes', agent, '') as Node;
  const seen: string[] = [];
  const offMs = cluster.kernel.now();
  let unknownMs: number | undefined;
  const note = (what: string): void => {
    unknownMs ??= cluster.kernel.now();
    const line = `${what} after ${Math.round((cluster.kernel.now() - unknownMs) / 10_000) * 10} s`;
    if (!seen.some((known) => known.startsWith(`${what} after`))) seen.push(line);
  };
  cluster.onWrite(({ resource, name, type, object }) => {
    if (resource === 'v1/nodes' && name === agent) {
      for (const { key, effect } of (object as Node).spec?.taints ?? []) note(`taint ${key}:${effect}`);
      if ((object as Node).status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'Unknown')) note('Ready Unknown');
    }
    if (resource === PODS && name === victim && type === 'MODIFIED') {
      const pod = object as Pod;
      if (pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'False')) note('Pod not ready');
      if (pod.status?.conditions?.some((one) => one.type === 'DisruptionTarget')) note('Pod DisruptionTarget');
      if (pod.metadata?.deletionTimestamp) note('Pod Terminating');
    }
  });
  cluster.nodes.powerOff(agent);
  await spec.seconds(500);
  // The grace period counts from the last heartbeat the monitor saw.
  const silentMs = (unknownMs ?? 0) - offMs;
  assert.ok(silentMs > 40_000 && silentMs <= 60_000, `${silentMs} ms`);
  assert.deepEqual(seen, [
    'Ready Unknown after 0 s',
    'Pod not ready after 0 s',
    'taint node.kubernetes.io/unreachable:NoSchedule after 0 s',
    'taint node.kubernetes.io/unreachable:NoExecute after 0 s',
    'Pod DisruptionTarget after 300 s',
    'Pod Terminating after 300 s',
  ]);
  const reasons = cluster.client
    .resource<Event>('v1/events')
    .list('default')
    .filter((event) => [agent, victim].includes(event.involvedObject?.name ?? ''))
    .map((event) => `${event.involvedObject?.kind} ${event.reason}`);
  for (const reason of ['Node NodeNotReady', 'Pod NodeNotReady', 'Pod TaintManagerEviction']) assert.ok(reasons.includes(reason), `${reason} in ${reasons}`);
  // Nobody can say that its containers have stopped: the identity stays taken.
  assert.equal(spec.pod(victim)?.metadata?.uid, uid);
  spec.update<Node>(
    'v1/nodes',
    agent,
    (copy) => {
      copy.spec = {
        ...copy.spec,
        taints: [...(copy.spec?.taints ?? []), { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }],
      };
    },
    '',
  );
  await spec.until('replaced elsewhere', () => {
    const pod = spec.pod(victim);
    return pod?.metadata?.uid !== uid && pod?.spec?.nodeName !== agent && readyReplicas() === 3;
  });
  cluster.nodes.powerOn(agent);
  await spec.until('Ready again', () => node().status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false);
  await spec.seconds(10);
  // Whoever set the out-of-service taint has to take it away again.
  assert.deepEqual(
    node().spec?.taints?.map((taint) => taint.key),
    ['node.kubernetes.io/out-of-service'],
  );
  spec.cluster.dispose();
});
