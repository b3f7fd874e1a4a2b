import assert from 'node:assert/strict';
import { BUSYBOX, HTTPD, has, type Json, type Outside, PAUSE, refused, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/apps/job.go, cronjob.go, disruption.go, statefulset.go, controller_revision.go. Titles are theirs, several of a kind in one.

const spec = suite('batch');

const A = (e: Outside, r: string) => `/apis/apps/v1/namespaces/${e.namespace}/${r}`;
const B = (e: Outside, r: string) => `/apis/batch/v1/namespaces/${e.namespace}/${r}`;
const tmpl = (labels: Json, image = HTTPD, o: Json = {}) => ({
  metadata: { labels },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'httpd', image, ...o }] },
});
spec('CronJob should schedule multiple jobs concurrently, not when suspended, forbid, replace, and support its API operations', async (e) => {
  const cj = (name: string, o: Json = {}, cmd = ['sleep', '300']) => ({
    metadata: { name },
    spec: {
      schedule: '*/1 * * * ?',
      concurrencyPolicy: 'Allow',
      jobTemplate: {
        spec: {
          parallelism: 1,
          completions: 1,
          template: {
            spec: {
              restartPolicy: 'OnFailure',
              volumes: [{ name: 'data', emptyDir: {} }],
              containers: [{ name: 'c', image: BUSYBOX, command: cmd, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
            },
          },
        },
      },
      ...o,
    },
  });
  await e.post(B(e, 'cronjobs'), cj('concurrent'));
  await e.post(B(e, 'cronjobs'), cj('suspended', { suspend: true }));
  await e.post(B(e, 'cronjobs'), cj('forbid', { concurrencyPolicy: 'Forbid' }));
  await e.post(B(e, 'cronjobs'), cj('replace', { concurrencyPolicy: 'Replace' }));
  await e.post(B(e, 'cronjobs'), cj('hist', { successfulJobsHistoryLimit: 1 }, ['true']));
  await e.post(B(e, 'cronjobs'), cj('tz', { timeZone: 'Asia/Taipei' }));
  await e.until('two active', async () => (await e.get(B(e, 'cronjobs/concurrent'))).status.active?.length >= 2, 200);
  assert.ok(!(await e.get(B(e, 'cronjobs/suspended'))).status.active?.length);
  assert.deepEqual((await e.get(B(e, 'cronjobs/forbid'))).status.active.length, 1);
  assert.deepEqual((await e.get(B(e, 'cronjobs/replace'))).status.active.length, 1);
  await e.pass(120);
  const jobs = (await e.get(B(e, 'jobs'))).items.filter((j: Json) => j.metadata.name.startsWith('hist') && j.status.succeeded);
  assert.ok(jobs.length <= 1);
  assert.ok((await e.get(B(e, 'cronjobs/concurrent'))).status.lastScheduleTime);
  const p = await e.merge(B(e, 'cronjobs/concurrent/status'), {
    metadata: { annotations: { patchedstatus: 'true' } },
    status: { lastScheduleTime: '2026-11-23T00:00:00Z' },
  });
  assert.deepEqual(p.metadata.annotations.patchedstatus, 'true');
  const s = await e.get(B(e, 'cronjobs/concurrent'));
  s.status.lastScheduleTime = '2026-11-23T00:01:00Z';
  await e.put(B(e, 'cronjobs/concurrent/status'), s);
  await e.get('/apis/batch/v1/cronjobs');
  await e.del(B(e, 'cronjobs'));
  assert.deepEqual((await e.get(B(e, 'cronjobs'))).items.length, 0);
  await refused(e.post(B(e, 'cronjobs'), cj('x', { schedule: 'nope' })), 422);
});
spec('Job should run to completion locally and indexed, fail, suspend, time out, clean up, and apply changes to its status', async (e) => {
  const job = (n: string, cmd: string, o: Json = {}, rp = 'Never') => ({
    metadata: { name: n },
    spec: {
      parallelism: 2,
      completions: 4,
      template: {
        spec: {
          restartPolicy: rp,
          terminationGracePeriodSeconds: 0,
          volumes: [{ name: 'data', emptyDir: {} }],
          containers: [{ name: 'c', image: BUSYBOX, command: ['/bin/sh', '-c', cmd], volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
        },
      },
      ...o,
    },
  });
  const J = B(e, 'jobs');
  const complete = (n: string, type = 'Complete') =>
    e.until(
      n + ' ' + type,
      async () => {
        const j = await e.get(J + '/' + n);
        return j.status.conditions?.some((c: Json) => c.type === type && c.status === 'True') && j;
      },
      600,
    );
  await e.post(J, job('ok', 'exit 0'));
  const j = await complete('ok');
  assert.deepEqual([j.status.succeeded, j.status.conditions.map((c: Json) => c.type)], [4, ['SuccessCriteriaMet', 'Complete']]);
  await e.post(J, job('local', 'if [ -r /data/foo ]; then exit 0; else touch /data/foo; exit 1; fi', {}, 'OnFailure'));
  await complete('local');
  await e.post(J, job('idx', 'exit 0', { completionMode: 'Indexed' }));
  await complete('idx');
  const pods = (await e.get(e.of('pods') + '?labelSelector=job-name%3Didx')).items;
  assert.deepEqual(pods.map((p: Json) => p.metadata.annotations['batch.kubernetes.io/job-completion-index']).sort(), ['0', '1', '2', '3']);
  assert.ok(pods.every((p: Json) => p.spec.hostname?.startsWith('idx-') && p.metadata.labels['batch.kubernetes.io/job-completion-index']));
  await e.post(J, job('bo', 'exit 1', { backoffLimit: 0, parallelism: 1, completions: 1 }));
  assert.deepEqual((await complete('bo', 'Failed')).status.conditions.at(-1).reason, 'BackoffLimitExceeded');
  await e.post(J, job('adl', 'sleep 1000', { activeDeadlineSeconds: 1 }));
  assert.deepEqual((await complete('adl', 'Failed')).status.conditions.at(-1).reason, 'DeadlineExceeded');
  await e.post(J, job('sus', 'exit 0', { suspend: true }));
  await e.until('suspended', async () => (await e.get(J + '/sus')).status.conditions?.some((c: Json) => c.type === 'Suspended' && c.status === 'True'), 20);
  assert.deepEqual((await e.get(e.of('pods') + '?labelSelector=job-name%3Dsus')).items.length, 0);
  await e.merge(J + '/sus', { spec: { suspend: false } });
  await complete('sus');
  await e.post(J, job('ttl', 'exit 0', { ttlSecondsAfterFinished: 10 }));
  await complete('ttl');
  await e.until(
    'ttl gone',
    () =>
      e.get(J + '/ttl').then(
        () => false,
        () => true,
      ),
    60,
  );
  await e.post(
    J,
    job('sp', 'if [ "$JOB_COMPLETION_INDEX" = 0 ]; then exit 0; else sleep 1000; fi', {
      completionMode: 'Indexed',
      successPolicy: { rules: [{ succeededIndexes: '0' }] },
    }),
  );
  assert.deepEqual((await complete('sp')).status.conditions[0].reason, 'SuccessPolicy');
  await e.post(J, job('mb', 'exit 0', { managedBy: 'example.com/x' }));
  await e.pass(20);
  assert.deepEqual((await e.get(J + '/mb')).status, {});
  await e.post(J, job('life', 'sleep 1000', { suspend: true, parallelism: 2, completions: 2 }));
  await e.merge(J + '/life', { metadata: { labels: { 'e2e-life': 'patched' } } });
  const l = await e.get(J + '/life');
  l.metadata.annotations = { updated: 'true' };
  await e.put(J + '/life', l);
  const s = await e.get(J + '/life/status');
  assert.ok(s.spec);
  await e.merge(J + '/life/status', { metadata: { annotations: { patchedstatus: 'true' } }, status: { startTime: null } }).catch(() => 0);
  await e.del(J + '?labelSelector=e2e-life%3Dpatched');
  await e.post(J, job('tooearly', 'sleep 1000', { parallelism: 2 }));
  await e.until('active', async () => (await e.get(J + '/tooearly')).status.active === 2 && (await e.get(J + '/tooearly')).status.ready === 2, 60);
  await e.del(J + '/tooearly', { propagationPolicy: 'Foreground' });
  await e.until(
    'gone',
    () =>
      e.get(J + '/tooearly').then(
        () => false,
        () => true,
      ),
    60,
  );
});
spec('DisruptionController should create, update and patch a budget, and block an eviction until it is updated to allow it', async (e) => {
  const P = `/apis/policy/v1/namespaces/${e.namespace}/poddisruptionbudgets`;
  await e.post(P, { metadata: { name: 'foo', labels: { x: 'y' } }, spec: { selector: { matchLabels: { foo: 'bar' } }, minAvailable: 1 } });
  await e.until('processed', async () => (await e.get(P + '/foo')).status.observedGeneration === 1, 20);
  const u = await e.get(P + '/foo');
  u.spec.minAvailable = '2%';
  await e.put(P + '/foo', u);
  await e.merge(P + '/foo', { spec: { minAvailable: '3%' } });
  await e.get('/apis/policy/v1/poddisruptionbudgets');
  const s = await e.get(P + '/foo/status');
  s.status.disruptedPods = { 'pod-0': '2026-11-23T00:00:00Z' };
  await e.put(P + '/foo/status', s);
  await e.merge(P + '/foo/status', { status: { disruptedPods: null } });
  for (let i = 0; i < 3; i++) await e.pod('rs-' + i, { containers: [{ name: 'd', image: PAUSE }] }, { labels: { foo: 'bar' } });
  for (let i = 0; i < 3; i++) await e.ready('rs-' + i);
  await e.merge(P + '/foo', { spec: { minAvailable: 3 } });
  await e.until('3', async () => (await e.get(P + '/foo')).status.currentHealthy === 3 && (await e.get(P + '/foo')).status.disruptionsAllowed === 0, 20);
  const evict = () =>
    e.post(`${e.of('pods')}/rs-0/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'rs-0', namespace: e.namespace } });
  await refused(evict(), 429);
  await e.merge(P + '/foo', { spec: { minAvailable: 2 } });
  await e.until('1', async () => (await e.get(P + '/foo')).status.disruptionsAllowed === 1, 20);
  await evict();
  await e.del(P);
});
spec('ControllerRevision should manage the lifecycle of a ControllerRevision', async (e) => {
  await e.post(A(e, 'daemonsets'), { metadata: { name: 'crd' }, spec: { selector: { matchLabels: { a: 'b' } }, template: tmpl({ a: 'b' }) } });
  const R = A(e, 'controllerrevisions');
  const r = await e.until('rev', async () => (await e.get(R)).items[0], 20);
  await e.merge(`${R}/${r.metadata.name}`, { metadata: { labels: { [r.metadata.name]: 'patched' } } });
  const _c = await e.post(R, {
    metadata: { name: 'extra', labels: { extra: 'y' }, ownerReferences: r.metadata.ownerReferences },
    data: r.data,
    revision: r.revision + 1,
  });
  await e.del(`${R}/${r.metadata.name}`);
  await e.until('reborn', async () => (await e.get(R + '?labelSelector=a%3Db')).items.length >= 1, 30);
  const x = await e.get(R + '/extra');
  x.metadata.labels.extra = 'updated';
  await e.put(R + '/extra', x);
  await e.del(R + '?labelSelector=extra%3Dupdated');
  await e.until('gone', async () => (await e.get(R + '?labelSelector=extra')).items.length === 0, 20);
});
spec('StatefulSet should list, patch and delete a collection, validate status endpoints, scale, break and be mended, recreate', async (e) => {
  const S = A(e, 'statefulsets');
  await e.post(`/api/v1/namespaces/${e.namespace}/services`, {
    metadata: { name: 'test' },
    spec: { clusterIP: 'None', selector: { foo: 'bar' }, ports: [{ name: 'http', port: 80 }] },
  });
  await e.post(S, {
    metadata: { name: 'ss', labels: { e2e: 'ss' } },
    spec: {
      serviceName: 'test',
      replicas: 1,
      selector: { matchLabels: { foo: 'bar' } },
      template: {
        metadata: { labels: { foo: 'bar' } },
        spec: { containers: [{ name: 'webserver', image: HTTPD, readinessProbe: { httpGet: { path: '/index.html', port: 80 }, periodSeconds: 1 } }] },
      },
    },
  });
  await e.until('r', async () => (await e.get(S + '/ss')).status.readyReplicas === 1, 60);
  await e.get('/apis/apps/v1/statefulsets?labelSelector=e2e%3Dss');
  const s = await e.get(S + '/ss/status');
  s.status.conditions = [{ type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'm' }];
  const u = await e.put(S + '/ss/status', s);
  assert.deepEqual(u.status.conditions[0].type, 'StatusUpdate');
  const p = await e.merge(S + '/ss/status', { status: { conditions: [{ type: 'StatusPatched', status: 'True' }] } });
  assert.deepEqual(p.status.conditions[0].type, 'StatusPatched');
  const sc = await e.get(S + '/ss/scale');
  sc.metadata.resourceVersion = '';
  sc.spec.replicas = 2;
  await e.put(S + '/ss/scale', sc);
  await e.merge(S + '/ss/scale', { spec: { replicas: 3 } });
  await e.until('3', async () => (await e.get(S + '/ss')).status.readyReplicas === 3, 60);
  await e.shell('ss-0', 'mv -v /usr/local/apache2/htdocs/index.html /tmp/ || true');
  await e.until('broken', async () => (await e.get(S + '/ss')).status.readyReplicas === 2, 60);
  const r = await e.shell('ss-0', 'mv -v /tmp/index.html /usr/local/apache2/htdocs/ || true');
  has(r.out, "'/tmp/index.html' -> '/usr/local/apache2/htdocs/index.html'");
  await e.until('mended', async () => (await e.get(S + '/ss')).status.readyReplicas === 3, 60);
  await e.del(S);
  await e.until('pods gone', async () => (await e.get(e.of('pods'))).items.length === 0, 120);
  await e.pod('blocker', {
    nodeName: 'k3d-demo-agent-0',
    containers: [{ name: 'webserver', image: HTTPD, ports: [{ containerPort: 21017, hostPort: 21017 }] }],
  });
  await e.running('blocker');
  await e.post(S, {
    metadata: { name: 'ss' },
    spec: {
      serviceName: 'test',
      replicas: 1,
      selector: { matchLabels: { foo: 'bar' } },
      template: {
        metadata: { labels: { foo: 'bar' } },
        spec: { nodeName: 'k3d-demo-agent-0', containers: [{ name: 'webserver', image: HTTPD, ports: [{ containerPort: 21017, hostPort: 21017 }] }] },
      },
    },
  });
  const ev = await e.watch(
    e.of('pods') + '?watch=true&fieldSelector=metadata.name%3Dss-0',
    async () => {
      await e.pass(1);
      await e.del(`${e.of('pods')}/blocker`, { gracePeriodSeconds: 0 });
    },
    30,
  );
  assert.ok(
    ev.some((x) => x.object.status.phase === 'Failed') && ev.some((x) => x.type === 'DELETED'),
    'recreated: ' + ev.map((x) => x.type + x.object.status.phase),
  );
  await e.running('ss-0');
});
