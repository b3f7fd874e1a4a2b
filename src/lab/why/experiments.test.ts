/** The sixteen experiments of the course: at its surprising moment, `why` gives the right cause. The chains are asserted, not the texts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../sim/kinds/types.ts';
import { held, Reader, rules, WEB } from './testing/reader.ts';

const PODS = 'v1/pods';
const CLAIMS = 'v1/persistentvolumeclaims';
const SETS = 'apps/v1/statefulsets';
const NAMES = 'v1/services';

const service = (name: string, spec: string): string =>
  `{"apiVersion":"v1","kind":"Service","metadata":{"name":"${name}"},"spec":{${spec}"ports":[{"port":80,"name":"web"}]}}`;
const SELECT = '"selector":{"app":"nginx"},';

/** A cluster where `manifest` has come to rest. */
async function settled(manifest = WEB): Promise<Reader> {
  const reader = await Reader.start(manifest);
  await reader.seconds(60);
  return reader;
}

test('1 no copies of data: each Pod has a claim of its own, made for its ordinal', async () => {
  const reader = await settled();
  for (const ordinal of [0, 1, 2]) await reader.run(`kubectl exec web-${ordinal} -- sh -c 'echo ${ordinal} > /data/mine'`);
  assert.equal(await reader.run('kubectl exec web-1 -- cat /data/mine'), '1\n');
  const claim = reader.why(CLAIMS, 'data-web-1', '.spec.volumeName');
  assert.deepEqual(rules(claim).slice(0, 2), ['persistentvolume/bind', 'scheduler/bind-volumes']);
  assert.equal(claim.chain.at(-1)?.command, 'kubectl apply -f web.yaml');
  assert.deepEqual(rules(reader.why(CLAIMS, 'data-web-1', '.metadata.name')).slice(0, 1), ['statefulset/create-claim']);
  reader.environment.dispose();
});

test('2 headless does not balance: one name has an address of its own, the other those of all ready Pods', async () => {
  const reader = await settled();
  await reader.write('plain.json', service('plain', SELECT));
  await reader.seconds(5);
  assert.deepEqual(held(reader.whyName('plain')), ['dns/search', 'dns/cluster-ip']);
  assert.deepEqual(held(reader.whyName('nginx')), ['dns/search', 'dns/headless']);
  await reader.run('kubectl scale sts web --replicas=1');
  await reader.seconds(60);
  const scaled = reader.whyName('nginx');
  assert.deepEqual(rules(scaled)[0], 'endpointslice/sync');
  assert.equal(scaled.chain.at(-1)?.command, 'kubectl scale sts web --replicas=1');
  reader.environment.dispose();
});

test('3 a headless name is answered with addresses; the names of Pods are those of its endpoints', async () => {
  const reader = await settled();
  const all = reader.whyName('nginx');
  assert.deepEqual(held(all), ['dns/search', 'dns/headless']);
  assert.match(all.obstacles[1]?.evidence ?? '', /^10\.42\.\d+\.\d+(, 10\.42\.\d+\.\d+){2}$/);
  const one = reader.whyName('web-0.nginx');
  assert.deepEqual([...held(one), one.obstacles[1]?.object?.name], ['dns/search', 'dns/pod-found', 'web-0']);
  reader.environment.dispose();
});

test('4 serviceName may come later: no name until the Service is there, and then without a restart', async () => {
  const reader = await settled(WEB.slice(WEB.indexOf('---\n') + 4));
  const missing = reader.whyName('web-0.nginx');
  assert.deepEqual([missing.found, ...held(missing)], [false, 'dns/search', 'dns/service-missing']);
  await reader.write('service.json', service('nginx', `"clusterIP":"None",${SELECT}`));
  await reader.seconds(5);
  const there = reader.whyName('web-0.nginx');
  assert.deepEqual([there.found, ...held(there)], [true, 'dns/search', 'dns/pod-found']);
  assert.deepEqual(rules(there), ['endpointslice/sync', 'request/create']);
  assert.equal(there.chain.at(-1)?.command, 'kubectl apply -f service.json');
  reader.environment.dispose();
});

test('5 not any Service names Pods: ClusterIP, other name, second Service, wrong selector', async () => {
  const reader = await settled();
  await reader.write('plain.json', service('plain', SELECT));
  await reader.write('second.json', service('second', `"clusterIP":"None",${SELECT}`));
  await reader.write('wrong.json', service('wrong', '"clusterIP":"None","selector":{"app":"ngnix"},'));
  await reader.seconds(5);
  assert.deepEqual(held(reader.whyName('web-0.plain')), ['dns/search', 'dns/not-headless-pod']);
  assert.deepEqual(held(reader.whyName('web-0.other')), ['dns/search', 'dns/service-missing']);
  assert.deepEqual(held(reader.whyName('web-0.second')), ['dns/search', 'dns/pod-other-subdomain']);
  assert.deepEqual(held(reader.whyName('web-0.wrong')), ['dns/search', 'dns/pod-other-subdomain']);
  assert.deepEqual(held(reader.why(NAMES, 'wrong')), ['not/service-selects-nothing']);
  reader.environment.dispose();
});

test('6 short names: the search path completes them inside the namespace, and not from another', async () => {
  const reader = await settled();
  const details = (name: string) => reader.whyName(name).obstacles.map((one) => one.rule);
  assert.deepEqual(details('web-0.nginx.default.svc.cluster.local'), ['dns/pod-found']);
  assert.deepEqual(details('web-0.nginx.default.svc'), ['dns/search', 'dns/pod-found']);
  const elsewhere = reader.whyName('web-0.nginx', 'kube-system');
  assert.deepEqual([elsewhere.found, ...held(elsewhere)], [false, 'dns/search', 'dns/service-missing']);
  reader.environment.dispose();
});

test('7 not ready is not in DNS: the name is gone until readiness, unless the Service publishes it', async () => {
  const probe = 'image: nginx:1.27\n        readinessProbe: {exec: {command: [cat, /tmp/ready]}, periodSeconds: 1}';
  const reader = await settled(WEB.replace('image: nginx:1.27', probe));
  const waiting = reader.whyName('web-0.nginx');
  assert.deepEqual([waiting.found, ...held(waiting)], [false, 'dns/search', 'dns/pod-not-ready', 'not/probe']);
  assert.deepEqual(held(reader.why(PODS, 'web-1')), ['not/no-object', 'not/predecessor-not-ready', 'not/probe']);
  await reader.run(`kubectl patch svc nginx -p '{"spec":{"publishNotReadyAddresses":true}}'`);
  await reader.seconds(5);
  const published = reader.whyName('web-0.nginx');
  assert.equal(published.found, true);
  assert.match(published.chain.at(-1)?.command ?? '', /^kubectl patch svc nginx /);
  reader.environment.dispose();
});

test('8 a stable name is no stable address: the same claim and name, a new Pod', async () => {
  const reader = await settled();
  await reader.run('kubectl delete pod web-1');
  await reader.seconds(30);
  const address = reader.why(PODS, 'web-1', '.status.podIP');
  assert.ok(rules(address)[0]?.startsWith('kubelet/'));
  assert.ok(rules(address).includes('statefulset/create-pod'));
  assert.equal(address.chain.at(-1)?.command, 'kubectl delete pod web-1');
  assert.equal(reader.why(CLAIMS, 'data-web-1').chain.at(-1)?.command, 'kubectl apply -f web.yaml');
  reader.environment.dispose();
});

test('9 order: OrderedReady waits for its predecessor, Parallel for nobody; deleted together they come back in order', async () => {
  const ordered = await settled(WEB.replace('nginx:1.27', 'nginx:nope'));
  assert.deepEqual(held(ordered.why(PODS, 'web-1')), ['not/no-object', 'not/predecessor-not-ready', 'not/image']);
  ordered.environment.dispose();
  const parallel = await settled(WEB.replace('nginx:1.27', 'nginx:nope').replace('replicas: 3', 'replicas: 3\n  podManagementPolicy: Parallel'));
  assert.deepEqual(held(parallel.why(PODS, 'web-1')), ['not/image']);
  assert.deepEqual(rules(parallel.why(PODS, 'web-2')), ['statefulset/create-pod', 'request/create']);
  parallel.environment.dispose();
  const again = await settled();
  await again.run('kubectl delete pods --all --wait=false');
  await again.seconds(60);
  const back = again.why(PODS, 'web-1');
  assert.equal(rules(back)[0], 'statefulset/create-pod');
  assert.equal(back.chain.at(-1)?.command, 'kubectl delete pods --all --wait=false');
  again.environment.dispose();
});

test('10 rolling back does not heal a broken revision: its Pod has to be deleted', async () => {
  const reader = await settled();
  await reader.run('kubectl set image sts/web nginx=nginx:nope');
  await reader.seconds(60);
  await reader.run('kubectl rollout undo sts/web');
  await reader.seconds(120);
  const stuck = reader.why(SETS, 'web');
  assert.deepEqual(held(stuck), ['not/undo-needs-delete', 'not/image']);
  assert.equal(stuck.chain[0]?.command, 'kubectl rollout undo sts/web');
  const broken = reader.why(PODS, 'web-2');
  assert.equal(broken.chain.at(-1)?.command, 'kubectl set image sts/web nginx=nginx:nope');
  await reader.run('kubectl delete pod web-2');
  await reader.seconds(60);
  assert.deepEqual(held(reader.why(SETS, 'web')), []);
  reader.environment.dispose();
});

test('11 data outlives its Pod and set: scaled down and up again, the old claim is used', async () => {
  const reader = await settled();
  await reader.run('kubectl scale sts web --replicas=1');
  await reader.seconds(60);
  const gone = reader.why(PODS, 'web-2');
  assert.deepEqual(held(gone), ['not/no-object', 'not/ordinal-beyond-replicas']);
  assert.ok(rules(gone).includes('statefulset/scale-down'));
  assert.equal(reader.why(CLAIMS, 'data-web-2').chain.at(-1)?.command, 'kubectl apply -f web.yaml');
  await reader.run('kubectl scale sts web --replicas=3');
  await reader.seconds(60);
  assert.equal(reader.why(PODS, 'web-2').chain.at(-1)?.command, 'kubectl scale sts web --replicas=3');
  await reader.run(`kubectl patch sts web -p '{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Delete"}}}'`);
  await reader.run('kubectl scale sts web --replicas=2');
  await reader.seconds(60);
  const deleted = reader.why(CLAIMS, 'data-web-2');
  assert.equal(deleted.found, false);
  assert.ok(rules(deleted).includes('garbage-collector/owner-gone'), rules(deleted).join());
  assert.equal(deleted.chain.at(-1)?.command, 'kubectl scale sts web --replicas=2');
  reader.environment.dispose();
});

test('12 volumeClaimTemplates cannot be edited, nor a claim of a class that does not expand', async () => {
  const reader = await settled();
  await reader.fails(
    `kubectl patch sts web --type=json -p '[{"op":"replace","path":"/spec/volumeClaimTemplates/0/spec/resources/requests/storage","value":"2Gi"}]'`,
  );
  const refused = reader.whyLast();
  assert.deepEqual([...held(refused), ...rules(refused)], ['refused/statefulset-immutable', 'request/refused', 'request/create']);
  assert.match(refused.chain[0]?.command ?? '', /^kubectl patch sts web /);
  await reader.fails(`kubectl patch pvc data-web-0 -p '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}'`);
  assert.deepEqual(held(reader.whyLast()), ['refused/claim-no-expansion']);
  reader.environment.dispose();
});

test('13 a Pending claim: it waits for its Pod, its class does not exist, or there is no class', async () => {
  const reader = await settled();
  const claim = (name: string, className: string) =>
    reader.write(
      `${name}.json`,
      `{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"${name}"},"spec":{"storageClassName":"${className}","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}`,
    );
  await claim('lonely', 'local-path');
  await claim('typo', 'local-paht');
  await claim('none', '');
  await reader.seconds(20);
  assert.deepEqual(held(reader.why(CLAIMS, 'lonely')), ['not/claim-waits-for-consumer']);
  assert.deepEqual(held(reader.why(CLAIMS, 'typo')), ['not/claim-class-missing']);
  assert.deepEqual(held(reader.why(CLAIMS, 'none')), ['not/claim-no-class']);
  reader.environment.dispose();
});

test('14 ReadWriteOnce is per node: a second Pod elsewhere cannot be placed, for the volume is on another node', async () => {
  const shared = (affinity: string) => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: shared}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front}
spec:
  replicas: 2
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec:
      ${affinity}
      containers: [{name: nginx, image: 'nginx:1.27', volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: shared}}]
`;
  const together = await settled(shared(''));
  assert.deepEqual(held(together.why('apps/v1/deployments', 'front')), []);
  together.environment.dispose();
  const apart = await settled(
    shared(
      'affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: front}}}]}}',
    ),
  );
  const stuck = apart.why('apps/v1/deployments', 'front');
  assert.deepEqual(held(stuck), ['not/pods-not-ready', 'not/unschedulable']);
  assert.match(stuck.obstacles[1]?.evidence ?? '', /node\(s\) (had volume node affinity conflict|didn't match PersistentVolume's node affinity)/);
  assert.deepEqual(rules(stuck), ['request/create']);
  apart.environment.dispose();
});

test('15 a node dies: the Pod is not moved but stays Terminating, since nobody can say that it has stopped', async () => {
  const reader = await settled();
  const pods = reader.environment.cluster.client.resource<Pod>(PODS).list('default');
  const victim = pods.find((pod) => pod.spec?.nodeName !== 'k3d-demo-server-0') as Pod;
  const { name = '' } = victim.metadata ?? {};
  await reader.run(`k3d node stop ${victim.spec?.nodeName}`);
  await reader.seconds(420);
  const stuck = reader.why(PODS, name);
  assert.deepEqual(rules(stuck), ['taint/evict', 'node/taint', 'node/unknown']);
  assert.deepEqual(held(stuck), ['not/node-silent']);
  await reader.run(`kubectl delete pod ${name} --force --grace-period=0`);
  await reader.seconds(60);
  assert.equal(reader.why(PODS, name).chain.at(-1)?.command, `kubectl delete pod ${name} --force --grace-period=0`);
  reader.environment.dispose();
});

test('16 a claim in use is not deleted: its finalizer holds until the Pod has gone', async () => {
  const reader = await settled();
  await reader.run('kubectl delete pvc data-web-0 --wait=false');
  const held16 = reader.why(CLAIMS, 'data-web-0');
  assert.deepEqual([...held(held16), ...rules(held16)], ['not/claim-in-use', 'request/delete']);
  const volume = reader.environment.cluster.client.resource('v1/persistentvolumes').list()[0]?.metadata?.name ?? '';
  await reader.run(`kubectl delete pv ${volume} --wait=false`);
  assert.equal(held(reader.why('v1/persistentvolumes', volume))[0], 'not/volume-in-use');
  await reader.run('kubectl delete pod web-0');
  await reader.seconds(30);
  const fresh = reader.why(CLAIMS, 'data-web-0');
  assert.deepEqual(held(fresh), []);
  assert.equal(fresh.chain.at(-1)?.command, 'kubectl delete pod web-0');
  reader.environment.dispose();
});
