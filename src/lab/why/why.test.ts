import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../sim/kinds/types.ts';
import { ruleText } from './rules.ts';
import { held, Reader, rules, WEB } from './testing/reader.ts';

const PODS = 'v1/pods';
const CLAIMS = 'v1/persistentvolumeclaims';
const SETS = 'apps/v1/statefulsets';

test('order: web-1 is made when web-0 is ready, and the chain ends with what the reader typed', async () => {
  const reader = await Reader.start();
  await reader.seconds(1);
  const early = reader.why(PODS, 'web-1');
  assert.equal(early.found, false);
  assert.deepEqual(held(early).slice(0, 2), ['not/no-object', 'not/predecessor-not-ready']);
  await reader.seconds(60);
  const late = reader.why(PODS, 'web-1');
  assert.deepEqual(rules(late), ['statefulset/create-pod', 'kubelet/sync', 'scheduler/bind', 'statefulset/create-pod', 'request/create']);
  assert.equal(late.chain.at(-1)?.command, 'kubectl apply -f web.yaml');
  assert.deepEqual(late.obstacles, []);
  assert.ok(late.chain.every((link) => link.text !== '' && !link.text.includes('{')));
  reader.environment.dispose();
});

test('order: a web-0 that never gets ready holds up the rest', async () => {
  const reader = await Reader.start(WEB.replace('nginx:1.27', 'nginx:nope'));
  await reader.seconds(60);
  assert.deepEqual(held(reader.why(PODS, 'web-2')), ['not/no-object', 'not/predecessor-not-ready', 'not/image']);
  assert.deepEqual(held(reader.why(SETS, 'web')), ['not/waiting-for-pod', 'not/image']);
  reader.environment.dispose();
});

test('storage: a claim waits for its consumer, is bound for good, and outlives the set', async () => {
  const reader = await Reader.start();
  await reader.seconds(60);
  assert.deepEqual(rules(reader.why(CLAIMS, 'data-web-0')), ['persistentvolume/bind', 'scheduler/bind-volumes', 'statefulset/create-pod', 'request/create']);
  const claim = (name: string, className: string) =>
    `{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"${name}"},"spec":{"storageClassName":"${className}","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}`;
  await reader.write('a.json', claim('lonely', 'local-path'));
  await reader.write('b.json', claim('typo', 'fast-ssd'));
  await reader.seconds(20);
  assert.deepEqual(held(reader.why(CLAIMS, 'lonely')), ['not/claim-waits-for-consumer']);
  assert.deepEqual(held(reader.why(CLAIMS, 'typo')), ['not/claim-class-missing']);

  await reader.run('kubectl delete pvc data-web-0 --wait=false');
  const terminating = reader.why(CLAIMS, 'data-web-0');
  assert.deepEqual(held(terminating), ['not/claim-in-use']);
  assert.match(terminating.obstacles[0]?.text ?? '', /web-0/);
  assert.equal(terminating.chain[0]?.command, 'kubectl delete pvc data-web-0 --wait=false');

  await reader.run('kubectl delete sts web');
  await reader.seconds(30);
  assert.deepEqual(rules(reader.why(PODS, 'web-1')), ['kubelet/delete-terminated', 'garbage-collector/owner-gone', 'request/delete']);
  assert.deepEqual(rules(reader.why(CLAIMS, 'data-web-0')), ['protection/remove', 'request/delete']);
  assert.equal(reader.why(CLAIMS, 'data-web-1').found, true);
  reader.environment.dispose();
});

test('identity: a deleted Pod comes back because it is gone', async () => {
  const reader = await Reader.start();
  await reader.seconds(60);
  await reader.run('kubectl delete pod web-1 --wait=false');
  assert.deepEqual(held(reader.why(PODS, 'web-1')), ['not/grace-period']);
  await reader.seconds(30);
  const found = reader.why(PODS, 'web-1');
  assert.deepEqual(rules(found), ['statefulset/create-pod', 'kubelet/delete-terminated', 'request/delete']);
  assert.equal(found.chain.at(-1)?.command, 'kubectl delete pod web-1 --wait=false');
  await reader.run('kubectl scale sts web --replicas=1');
  await reader.seconds(30);
  const gone = reader.why(PODS, 'web-1');
  assert.deepEqual(rules(gone), [
    'kubelet/delete-terminated',
    'statefulset/scale-down',
    'kubelet/delete-terminated',
    'statefulset/scale-down',
    'request/patch',
  ]);
  assert.deepEqual(held(gone), ['not/no-object', 'not/ordinal-beyond-replicas']);
  reader.environment.dispose();
});

test('updates: a broken version stays after undo until its Pod is deleted', async () => {
  const reader = await Reader.start();
  await reader.seconds(60);
  await reader.run('kubectl set image sts/web nginx=nginx:nope');
  await reader.seconds(60);
  assert.deepEqual(rules(reader.why(PODS, 'web-2')), ['statefulset/create-pod', 'kubelet/delete-terminated', 'statefulset/rolling-update', 'request/patch']);
  assert.deepEqual(held(reader.why(SETS, 'web')), ['not/waiting-for-pod', 'not/image']);
  await reader.run('kubectl rollout undo sts/web');
  await reader.seconds(60);
  const stuck = reader.why(SETS, 'web');
  assert.deepEqual(held(stuck), ['not/undo-needs-delete', 'not/image']);
  assert.equal(stuck.chain[0]?.command, 'kubectl rollout undo sts/web');
  await reader.run('kubectl delete pod web-2');
  await reader.seconds(60);
  assert.deepEqual(held(reader.why(SETS, 'web')), []);
  await reader.run(`kubectl patch sts web -p '{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":2}}}}'`);
  await reader.run('kubectl set image sts/web nginx=nginx:1.28');
  await reader.seconds(60);
  assert.deepEqual(held(reader.why(SETS, 'web')), ['not/partition']);
  reader.environment.dispose();
});

test('names: headless, ClusterIP, other subdomain, not ready, missing Service', async () => {
  const reader = await Reader.start();
  await reader.seconds(60);
  const member = reader.whyName('web-1.nginx');
  assert.deepEqual([member.found, ...held(member)], [true, 'dns/search', 'dns/pod-found']);
  assert.equal(rules(reader.whyName('nginx'))[0], 'endpointslice/sync');
  assert.equal(reader.whyName('nginx').chain.at(-1)?.command, 'kubectl apply -f web.yaml');
  assert.deepEqual(held(reader.whyName('nginx.default.svc.cluster.local')), ['dns/headless']);
  assert.deepEqual(held(reader.whyName('web-0.wrong')), ['dns/search', 'dns/service-missing']);
  assert.deepEqual(held(reader.whyName('example.com')), ['dns/outside']);
  assert.deepEqual(held(reader.whyName('web-9.nginx')), ['dns/search', 'dns/pod-missing']);

  const service = (name: string, clusterIp: string) =>
    `{"apiVersion":"v1","kind":"Service","metadata":{"name":"${name}"},"spec":{${clusterIp}"selector":{"app":"nginx"},"ports":[{"port":80}]}}`;
  await reader.write('plain.json', service('plain', ''));
  assert.deepEqual(held(reader.whyName('plain')), ['dns/search', 'dns/cluster-ip']);
  assert.deepEqual(held(reader.whyName('web-0.plain')), ['dns/search', 'dns/not-headless-pod']);
  await reader.write('second.json', service('second', '"clusterIP":"None",'));
  await reader.seconds(5);
  assert.deepEqual(held(reader.whyName('web-0.second')), ['dns/search', 'dns/pod-other-subdomain']);
  assert.equal(reader.whyName('second').found, true);

  await reader.run('kubectl set image sts/web nginx=nginx:nope');
  await reader.seconds(60);
  assert.deepEqual(held(reader.whyName('web-2.nginx')), ['dns/search', 'dns/pod-not-ready', 'not/image']);
  await reader.run('kubectl delete svc nginx');
  const missing = reader.whyName('web-0.nginx');
  assert.deepEqual([missing.found, ...held(missing)], [false, 'dns/search', 'dns/service-missing']);
  reader.environment.dispose();
});

test('a Service that selects nothing, or nothing ready', async () => {
  const reader = await Reader.start(WEB.replace('nginx:1.27', 'nginx:nope'));
  await reader.seconds(60);
  assert.deepEqual(held(reader.why('v1/services', 'nginx')), ['not/service-nothing-ready', 'not/image']);
  await reader.run(`kubectl patch svc nginx -p '{"spec":{"selector":{"app":"ngnix"}}}'`);
  assert.deepEqual(held(reader.why('v1/services', 'nginx')), ['not/service-selects-nothing']);
  reader.environment.dispose();
});

test('a lost node: its Pod is Terminating for as long as nobody can stop it', async () => {
  const reader = await Reader.start();
  await reader.seconds(60);
  const { client } = reader.environment.cluster;
  const pods = client.resource<Pod>(PODS).list('default');
  const victim = pods.find((pod) => pod.spec?.nodeName !== 'k3d-demo-server-0') as Pod;
  const name = victim.metadata?.name ?? '';
  const node = victim.spec?.nodeName ?? '';
  await reader.run(`k3d node stop ${node}`);
  await reader.seconds(60);
  assert.ok(rules(reader.why('v1/nodes', node)).includes('node/unknown'));
  assert.deepEqual(held(reader.why(PODS, name))[0], 'not/node-silent');
  await reader.seconds(320);
  const found = reader.why(PODS, name);
  assert.deepEqual(rules(found), ['taint/evict', 'node/taint', 'node/unknown']);
  assert.deepEqual(held(found), ['not/node-silent']);
  reader.environment.dispose();
});

test('scheduling: a Pod nobody has room for', async () => {
  const reader = await Reader.start(WEB.replace('image: nginx:1.27', 'image: nginx:1.27\n        resources: {requests: {cpu: "900"}}'));
  await reader.seconds(20);
  const found = reader.why(PODS, 'web-0');
  assert.equal(held(found)[0], 'not/unschedulable');
  assert.match(found.obstacles[0]?.evidence ?? '', /0\/3 nodes are available: .*Insufficient cpu/);
  reader.environment.dispose();
});

test('at the prompt', async () => {
  const reader = await Reader.start();
  await reader.seconds(60);
  assert.match(
    await reader.run('why pod web-0'),
    /^pods\/web-0\n經過（由近到遠）：\n.* statefulset-controller 建立 pods\/web-0\n(.*\n)*.*\$ kubectl apply -f web\.yaml\n$/,
  );
  assert.match(await reader.run('why dns web-0.nginx'), /web-0 是 Pod 的主機名/);
  assert.match(await reader.run('why'), /^why 說明/);
  reader.environment.dispose();
});

test('every rule that moves a cluster has a sentence without blanks left in it', async () => {
  const reader = await Reader.start();
  await reader.seconds(60);
  await reader.run('kubectl create deployment api --image=nginx:1.27 --replicas=2');
  await reader.run('kubectl create job once --image=busybox:1.37 -- true');
  await reader.run('kubectl set image sts/web nginx=nginx:1.28');
  await reader.seconds(60);
  await reader.run('kubectl scale sts web --replicas=1');
  await reader.run('k3d node stop k3d-demo-agent-1');
  await reader.seconds(400);
  await reader.run('kubectl delete sts,deploy,job,svc,pvc --all --wait=false');
  await reader.seconds(30);
  const untold = new Set<string>();
  for (const { cause, name } of reader.environment.cluster.writes) {
    if (cause.rule.startsWith('request/')) continue;
    const { text } = ruleText(cause.rule, { actor: cause.actor, name, ...cause.detail });
    if (text.includes('依規則') || /\{|（）| {2}/.test(text)) untold.add(`${cause.rule} ${text}`);
  }
  assert.deepEqual([...untold], []);
  reader.environment.dispose();
});
