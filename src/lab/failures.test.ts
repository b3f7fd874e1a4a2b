/** Each entry of the failures palette: its command, typed at the prompt, breaks what it says, and its other command mends it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../sim/kinds/types.ts';
import { type Failure, failuresFor } from './failure-commands.ts';
import { clusterView } from './view.ts';
import { held, Reader, WEB } from './why/testing/reader.ts';

const PODS = 'v1/pods';
const LIMITED = WEB.replace(
  'image: nginx:1.27',
  'image: nginx:1.27\n        resources: {limits: {memory: 64Mi}}\n        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1, failureThreshold: 1}',
);

class Breaker {
  readonly reader: Reader;
  constructor(reader: Reader) {
    this.reader = reader;
  }
  static async start(manifest = LIMITED): Promise<Breaker> {
    const reader = await Reader.start(manifest);
    await reader.seconds(60);
    return new Breaker(reader);
  }
  pod(name: string): Pod {
    return this.reader.environment.cluster.client.resource<Pod>(PODS).get('default', name) as Pod;
  }
  node(name: string): Node {
    return this.reader.environment.cluster.client.resource<Node>('v1/nodes').get('', name) as Node;
  }
  ready(name: string): boolean {
    return this.pod(name)?.status?.conditions?.find((one) => one.type === 'Ready')?.status === 'True';
  }
  /** The palette's entry for a target. */
  entry(id: Failure['id'], pod = 'web-2'): Failure {
    const found = failuresFor(clusterView(this.reader.environment.cluster), { pod: this.pod(pod) }).find((one) => one.id === id);
    assert.ok(found, id);
    return found;
  }
  async end(): Promise<void> {
    this.reader.environment.dispose();
  }
}

test('the palette has ten entries for a Pod, each with its command', async () => {
  const breaker = await Breaker.start();
  const ids = failuresFor(clusterView(breaker.reader.environment.cluster), { pod: breaker.pod('web-0') }).map((one) => one.id);
  assert.deepEqual(ids, ['readiness', 'image', 'kill', 'memory', 'stop', 'partition', 'slow-pull', 'disk', 'coredns', 'provisioner']);
  await breaker.end();
});

test('readiness: the Pod runs on and is out of the Service, until the file is back', async () => {
  const breaker = await Breaker.start();
  const entry = breaker.entry('readiness');
  await breaker.reader.run(entry.command);
  await breaker.reader.seconds(10);
  assert.equal(breaker.ready('web-2'), false);
  assert.deepEqual(held(breaker.reader.why(PODS, 'web-2')), ['not/probe']);
  await breaker.reader.run(entry.undo ?? '');
  await breaker.reader.seconds(10);
  assert.equal(breaker.ready('web-2'), true);
  await breaker.end();
});

test('readiness and memory where the Pod has neither probe nor limit: its workload is given one', async () => {
  const breaker = await Breaker.start(WEB);
  await breaker.reader.run(breaker.entry('readiness').command);
  await breaker.reader.seconds(40);
  assert.deepEqual(held(breaker.reader.why('apps/v1/statefulsets', 'web')), ['not/waiting-for-pod', 'not/probe']);
  await breaker.reader.run(breaker.entry('readiness', 'web-0').undo ?? '');
  await breaker.reader.run('kubectl delete pod web-2');
  await breaker.reader.seconds(40);
  await breaker.reader.run(breaker.entry('memory').command);
  await breaker.reader.seconds(90);
  await breaker.reader.fails(breaker.entry('memory').command);
  await breaker.reader.seconds(1);
  assert.equal(breaker.pod('web-2').status?.containerStatuses?.[0]?.lastState?.terminated?.reason, 'OOMKilled');
  await breaker.end();
});

test('image, kill, memory', async () => {
  const breaker = await Breaker.start();
  const restarts = (): number => breaker.pod('web-0').status?.containerStatuses?.[0]?.restartCount ?? 0;
  await breaker.reader.run(breaker.entry('kill', 'web-0').command);
  await breaker.reader.seconds(20);
  assert.equal(restarts(), 1);
  await breaker.reader.fails(breaker.entry('memory', 'web-0').command);
  await breaker.reader.seconds(5);
  assert.equal(breaker.pod('web-0').status?.containerStatuses?.[0]?.lastState?.terminated?.reason, 'OOMKilled');
  await breaker.reader.run(breaker.entry('image').command);
  await breaker.reader.seconds(60);
  assert.deepEqual(held(breaker.reader.why(PODS, 'web-2')), ['not/image']);
  await breaker.end();
});

test('stop and partition: the node falls silent; a partitioned one takes its Pods up again', async () => {
  const breaker = await Breaker.start();
  const node = breaker.pod('web-2').spec?.nodeName ?? '';
  const ready = (): string | undefined => breaker.node(node).status?.conditions?.find((one) => one.type === 'Ready')?.status;
  const { command, undo = '' } = breaker.entry('partition');
  await breaker.reader.run(command);
  await breaker.reader.seconds(60);
  assert.equal(ready(), 'Unknown');
  await breaker.reader.run(undo);
  await breaker.reader.seconds(20);
  assert.equal(ready(), 'True');
  assert.equal(breaker.pod('web-2').status?.containerStatuses?.[0]?.restartCount, 0);
  await breaker.reader.run(breaker.entry('stop').command);
  await breaker.reader.seconds(60);
  assert.equal(ready(), 'Unknown');
  assert.match(await breaker.reader.fails(`docker exec ${node} rm /var/fill`), /is not running/);
  await breaker.end();
});

test('slow pull: an image that the node has not takes as long as the link allows', async () => {
  const breaker = await Breaker.start();
  const { command, undo = '' } = breaker.entry('slow-pull');
  await breaker.reader.run(command);
  await breaker.reader.run('kubectl set image sts/web nginx=nginx:1.28');
  await breaker.reader.seconds(15);
  assert.equal(breaker.ready('web-2'), false);
  assert.deepEqual(held(breaker.reader.why(PODS, 'web-2')), ['not/starting']);
  await breaker.reader.run(undo);
  await breaker.reader.seconds(60);
  assert.equal(breaker.ready('web-2'), true);
  await breaker.end();
});

test('a full disk: the node has the condition and its taint, Pods are evicted one by one, and their replacements wait', async () => {
  const breaker = await Breaker.start();
  const node = breaker.pod('web-2').spec?.nodeName ?? '';
  const { command, undo = '' } = breaker.entry('disk');
  const pressure = (): string | undefined => breaker.node(node).status?.conditions?.find((one) => one.type === 'DiskPressure')?.status;
  await breaker.reader.run(command);
  await breaker.reader.seconds(90);
  assert.equal(pressure(), 'True');
  assert.ok(breaker.node(node).spec?.taints?.some((taint) => taint.key === 'node.kubernetes.io/disk-pressure' && taint.effect === 'NoSchedule'));
  assert.match(
    await breaker.reader.run('kubectl get events'),
    /Evicted +pod\/web-\d +The node was low on resource: ephemeral-storage\. Threshold quantity: 3133554892, available: \d+Ki\./,
  );
  assert.deepEqual(held(breaker.reader.why('v1/nodes', node)), ['not/node-pressure']);
  // Its volume is on that node: nowhere else to go.
  const waiting = breaker.reader.environment.cluster.client
    .resource<Pod>(PODS)
    .list('default')
    .find((pod) => !pod.spec?.nodeName);
  assert.deepEqual(held(breaker.reader.why(PODS, waiting?.metadata?.name ?? '')), ['not/unschedulable']);
  await breaker.reader.run(undo);
  await breaker.reader.seconds(400);
  assert.equal(pressure(), 'False');
  for (const name of ['web-0', 'web-1', 'web-2']) assert.equal(breaker.ready(name), true, name);
  await breaker.end();
});

test('CoreDNS down, slow provisioner', async () => {
  const breaker = await Breaker.start();
  const dns = breaker.entry('coredns');
  await breaker.reader.run(dns.command);
  await breaker.reader.seconds(5);
  assert.equal(held(breaker.reader.whyName('web-0.nginx'))[0], 'dns/coredns-down');
  await breaker.reader.run(dns.undo ?? '');
  await breaker.reader.seconds(20);
  assert.equal(breaker.reader.whyName('web-0.nginx').found, true);
  const slow = breaker.entry('provisioner');
  await breaker.reader.run(slow.command);
  await breaker.reader.run('kubectl scale sts web --replicas=4');
  await breaker.reader.seconds(35);
  assert.equal(breaker.pod('web-3').spec?.nodeName, undefined);
  assert.ok(held(breaker.reader.why(PODS, 'web-3')).includes('not/claim-provisioning'));
  await breaker.reader.seconds(60);
  assert.equal(breaker.ready('web-3'), true);
  await breaker.reader.run(slow.undo ?? '');
  await breaker.reader.run('kubectl scale sts web --replicas=5');
  await breaker.reader.seconds(25);
  assert.equal(breaker.ready('web-4'), true);
  await breaker.end();
});

test('docker says what it cannot do', async () => {
  const breaker = await Breaker.start(WEB);
  assert.match(await breaker.reader.run('docker ps'), /rancher\/k3s:v1\.36\.3-k3s1 .*k3d-demo-agent-1\n/);
  assert.match(await breaker.reader.fails('docker run nginx'), /error: "docker run nginx" is not simulated yet/);
  assert.match(await breaker.reader.fails('docker stop nobody'), /No such container: nobody/);
  await breaker.end();
});
