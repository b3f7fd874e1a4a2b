/** `why` and *why not* for the other kinds, for refused requests, for fields and for events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../sim/kinds/types.ts';
import { held, Reader, rules, WEB } from './testing/reader.ts';

const DEPLOYMENTS = 'apps/v1/deployments';

test('a Deployment whose new version cannot start: the Pod, its image, and the old version that is kept', async () => {
  const reader = await Reader.start();
  await reader.run('kubectl create deployment api --image=nginx:1.27 --replicas=2');
  await reader.seconds(20);
  assert.deepEqual(held(reader.why(DEPLOYMENTS, 'api')), []);
  await reader.run('kubectl set image deploy/api nginx=nginx:nope');
  await reader.seconds(30);
  assert.deepEqual(held(reader.why(DEPLOYMENTS, 'api')), ['not/pods-not-ready', 'not/image', 'not/old-version-kept']);
  await reader.seconds(700);
  const late = reader.why(DEPLOYMENTS, 'api');
  assert.equal(held(late)[0], 'not/progress-deadline');
  assert.equal(late.chain.at(-1)?.command, 'kubectl set image deploy/api nginx=nginx:nope');
  await reader.run('kubectl rollout pause deploy/api');
  assert.equal(held(reader.why(DEPLOYMENTS, 'api'))[0], 'not/paused');
  reader.environment.dispose();
});

test('a quota refuses Pods: the ReplicaSet says so, and so does a Pod made by hand', async () => {
  const reader = await Reader.start();
  await reader.run('kubectl create quota few --hard=pods=0');
  await reader.run('kubectl create deployment api --image=nginx:1.27');
  await reader.seconds(20);
  assert.deepEqual(held(reader.why(DEPLOYMENTS, 'api')), ['not/create-refused']);
  await reader.fails('kubectl run extra --image=nginx:1.27');
  const refused = reader.whyLast();
  assert.deepEqual([...held(refused), ...rules(refused)], ['refused/quota', 'request/refused', 'request/create']);
  assert.equal(refused.chain.at(-1)?.command, 'kubectl create quota few --hard=pods=0');
  reader.environment.dispose();
});

test('Job, CronJob, DaemonSet: what each waits for', async () => {
  const reader = await Reader.start();
  const apply = (name: string, kind: string, version: string, spec: string) =>
    reader.write(`${name}.json`, `{"apiVersion":"${version}","kind":"${kind}","metadata":{"name":"${name}"},"spec":${spec}}`);
  const pod = (command: string) => `{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"busybox:1.37","command":${command}}]}}`;
  await apply('bad', 'Job', 'batch/v1', `{"backoffLimit":0,"template":${pod('["false"]')}}`);
  await apply('long', 'Job', 'batch/v1', `{"template":${pod('["sleep","1000"]')}}`);
  await apply('asleep', 'Job', 'batch/v1', `{"suspend":true,"template":${pod('["true"]')}}`);
  await apply('yearly', 'CronJob', 'batch/v1', `{"schedule":"0 0 1 1 *","jobTemplate":{"spec":{"template":${pod('["true"]')}}}}`);
  await apply(
    'nowhere',
    'DaemonSet',
    'apps/v1',
    '{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"nodeSelector":{"disk":"ssd"},"containers":[{"name":"c","image":"nginx:1.27"}]}}}',
  );
  await reader.seconds(30);
  const job = 'batch/v1/jobs';
  assert.deepEqual(held(reader.why(job, 'bad')), ['not/job-failed', 'not/crashing']);
  assert.deepEqual(held(reader.why(job, 'long')), ['not/job-running']);
  assert.deepEqual(held(reader.why(job, 'asleep')), ['not/suspended']);
  assert.deepEqual(held(reader.why('batch/v1/cronjobs', 'yearly')), ['not/cron-waits']);
  assert.deepEqual(held(reader.why('apps/v1/daemonsets', 'nowhere')), ['not/no-node-fits']);
  reader.environment.dispose();
});

test('a namespace that stays Terminating names the object and the finalizer that keep it', async () => {
  const reader = await Reader.start();
  await reader.run('kubectl create namespace staging');
  await reader.write('held.json', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"held","namespace":"staging","finalizers":["example.com/keep"]}}');
  await reader.run('kubectl delete namespace staging --wait=false');
  await reader.seconds(30);
  const stuck = reader.why('v1/namespaces', 'staging');
  assert.ok(held(stuck).includes('not/left-with-finalizer'), held(stuck).join());
  assert.ok(stuck.obstacles.some((one) => one.object?.name === 'held'));
  assert.equal(stuck.chain[0]?.command, 'kubectl delete namespace staging --wait=false');
  await reader.fails('kubectl create configmap late -n staging');
  const refused = reader.whyLast();
  assert.deepEqual([...held(refused), ...rules(refused)], ['refused/namespace-terminating', 'request/refused', 'request/delete']);
  reader.environment.dispose();
});

test('a released volume, a cordoned node, a budget that allows nothing', async () => {
  const reader = await Reader.start(WEB.replace('replicas: 3', 'replicas: 1'));
  await reader.seconds(40);
  const volume = reader.environment.cluster.client.resource('v1/persistentvolumes').list()[0]?.metadata?.name ?? '';
  await reader.run(`kubectl patch pv ${volume} -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`);
  await reader.run('kubectl create pdb safe --selector=app=nginx --min-available=1');
  await reader.run('kubectl cordon k3d-demo-agent-1');
  await reader.seconds(5);
  assert.deepEqual(held(reader.why('policy/v1/poddisruptionbudgets', 'safe')), ['not/no-disruption']);
  assert.deepEqual(held(reader.why('v1/nodes', 'k3d-demo-agent-1')), ['not/cordoned']);
  await reader.run('kubectl delete sts/web pvc/data-web-0 --wait=false');
  await reader.seconds(40);
  assert.deepEqual(held(reader.why('v1/persistentvolumes', volume)), ['not/volume-released']);
  reader.environment.dispose();
});

test('out of memory: the container, its limit', async () => {
  const reader = await Reader.start(
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"hungry"},"spec":{"containers":[{"name":"c","image":"busybox:1.37","command":["tail","/dev/zero"],"resources":{"limits":{"memory":"32Mi"}}}]}}',
  );
  await reader.seconds(30);
  const found = reader.why('v1/pods', 'hungry');
  assert.equal(held(found)[0], 'not/out-of-memory');
  assert.match(found.obstacles[0]?.text ?? '', /32Mi/);
  reader.environment.dispose();
});

test('fields: who wrote one, what is a default, what the server keeps', async () => {
  const reader = await Reader.start();
  await reader.seconds(60);
  const sets = 'apps/v1/statefulsets';
  await reader.run('kubectl scale sts web --replicas=2');
  const replicas = reader.why(sets, 'web', '.spec.replicas');
  assert.deepEqual([...held(replicas), ...rules(replicas)], ['field/owned', 'request/patch']);
  assert.equal(replicas.obstacles[0]?.evidence, '.spec.replicas: 3 → 2');
  assert.equal(replicas.chain[0]?.command, 'kubectl scale sts web --replicas=2');
  assert.deepEqual(held(reader.why(sets, 'web', 'spec.template.spec.containers[0].image')), ['field/owned']);
  assert.deepEqual(held(reader.why(sets, 'web', '.spec.template.spec.schedulerName')), ['field/owned']);
  assert.deepEqual(held(reader.why(sets, 'web', '.metadata.uid')), ['field/server']);
  assert.deepEqual(held(reader.why(sets, 'web', '.spec.nothing')), ['field/unset']);
  const node = reader.why('v1/pods', 'web-0', '.spec.nodeName');
  assert.deepEqual(rules(node).slice(0, 2), ['scheduler/bind', 'statefulset/create-pod']);
  reader.environment.dispose();
});

test('an event leads to what it tells of, and to the command', async () => {
  const reader = await Reader.start(WEB.replace('nginx:1.27', 'nginx:nope'));
  await reader.seconds(30);
  const failed = reader.environment.cluster.client
    .resource<Event>('v1/events')
    .list('default')
    .find((event) => event.reason === 'Failed' && event.involvedObject?.name === 'web-0');
  const chain = reader.why('v1/events', failed?.metadata?.name ?? '');
  assert.ok(rules(chain).includes('statefulset/create-pod'), rules(chain).join());
  assert.equal(chain.chain.at(-1)?.command, 'kubectl apply -f web.yaml');
  reader.environment.dispose();
});

test('refused: a TAB, an unknown field, a missing volume, a name that is taken, a log that is not there yet', async () => {
  const reader = await Reader.start();
  reader.file('tab.yaml', 'apiVersion: v1\nkind: Service\nmetadata:\n\tname: x\n');
  reader.file('field.yaml', WEB.replace('serviceName: nginx', 'serviceName: nginx\n  volumes: []').replace('name: web}\nspec', 'name: other}\nspec'));
  reader.file(
    'volume.yaml',
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"nginx","volumeMounts":[{"name":"data","mountPath":"/d"}]}]}}',
  );
  await reader.run('kubectl run broken --image=nginx:nope');
  await reader.seconds(3);
  for (const [command, rule, link] of [
    ['kubectl apply -f tab.yaml', 'refused/tab', 'request/not-sent'],
    ['kubectl create -f field.yaml', 'refused/unknown-field', 'request/refused'],
    ['kubectl apply -f volume.yaml', 'refused/no-volume', 'request/refused'],
    ['kubectl create service clusterip nginx --tcp=80', 'refused/already-exists', 'request/refused'],
    ['kubectl get pod nobody', 'refused/not-found', 'request/refused'],
    ['kubectl get podz', 'refused/no-type', 'request/not-sent'],
    ['kubectl scale sts web --replicaz=3', 'refused/usage', 'request/not-sent'],
    ['kubectl logs broken', 'refused/container-waiting', 'request/refused'],
  ] as const) {
    await reader.fails(command);
    const found = reader.whyLast();
    assert.deepEqual([held(found)[0], rules(found)[0], found.chain[0]?.command], [rule, link, command]);
  }
  await reader.run('kubectl get nodes');
  assert.deepEqual(reader.whyLast().obstacles, []);
  reader.environment.dispose();
});
