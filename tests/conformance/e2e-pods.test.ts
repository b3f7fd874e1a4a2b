import assert from 'node:assert/strict';
import { AGNHOST, BUSYBOX, has, type Json, type Outside, refused, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/common/node. Titles are theirs, several of a kind in one.

const spec = suite('pods');

const C = (o: Json) => ({ containers: [{ name: 'c', image: AGNHOST, ...o }] });
const restarts = async (e: Outside, n: string, want: number, within = 240) =>
  e.until(n + ' restarts ' + want, async () => (await e.get(`${e.of('pods')}/${n}`)).status.containerStatuses?.[0]?.restartCount >= want, within);
spec('Variable Expansion: env, command, args, subpaths; a failing subpath expansion can be modified', async (e) => {
  has(
    (
      await e.output('a', {
        containers: [
          {
            name: 'dapi',
            image: BUSYBOX,
            command: ['sh', '-c', 'env'],
            env: [
              { name: 'FOO', value: 'foo-value' },
              { name: 'BAR', value: 'bar-value' },
              { name: 'FOOBAR', value: '$(FOO);;$(BAR)' },
            ],
          },
        ],
      })
    ).log,
    'FOOBAR=foo-value;;bar-value',
  );
  has(
    (
      await e.output('b', {
        containers: [
          { name: 'dapi', image: BUSYBOX, command: ['sh', '-c', 'TEST_VAR=wrong echo "$(TEST_VAR)"'], env: [{ name: 'TEST_VAR', value: 'test-value' }] },
        ],
      })
    ).log,
    'test-value',
  );
  has(
    (
      await e.output('c', {
        containers: [
          {
            name: 'dapi',
            image: BUSYBOX,
            command: ['sh', '-c'],
            args: ['TEST_VAR=wrong echo "$(TEST_VAR)"'],
            env: [{ name: 'TEST_VAR', value: 'test-value' }],
          },
        ],
      })
    ).log,
    'test-value',
  );
  has(
    (
      await e.output('d', {
        volumes: [{ name: 'w', emptyDir: {} }],
        containers: [
          {
            name: 'dapi',
            image: BUSYBOX,
            command: ['sh', '-c', 'test -d /testcontainer/d; echo $?'],
            env: [{ name: 'POD_NAME', value: 'foo' }],
            volumeMounts: [
              { name: 'w', mountPath: '/logscontainer', subPathExpr: '$(POD_NAME)' },
              { name: 'w', mountPath: '/testcontainer' },
            ],
          },
        ],
      })
    ).log,
    '1',
  );
  const bad = async (n: string, val: string) => {
    await e.pod(n, {
      volumes: [{ name: 'w', emptyDir: {} }],
      restartPolicy: 'Never',
      containers: [
        {
          name: 'dapi',
          image: BUSYBOX,
          command: ['sh', '-c', 'tail -f /dev/null'],
          env: [{ name: 'POD_NAME', value: val }],
          volumeMounts: [{ name: 'w', mountPath: '/logscontainer', subPathExpr: '$(POD_NAME)' }],
        },
      ],
    });
    await e.pass(15);
    const p = await e.get(`${e.of('pods')}/${n}`);
    assert.deepEqual([p.status.phase, p.status.containerStatuses[0].state.waiting?.reason], ['Pending', 'CreateContainerConfigError'], n);
  };
  await bad('bt', '..');
  await bad('abs', '/tmp');
  // verify that a failing subpath expansion can be modified
  await e.pod(
    'mod',
    {
      volumes: [{ name: 'w', emptyDir: {} }],
      restartPolicy: 'Never',
      containers: [
        {
          name: 'dapi',
          image: BUSYBOX,
          command: ['sh', '-c', 'tail -f /dev/null'],
          env: [
            { name: 'POD_NAME', value: 'foo' },
            { name: 'ANNOTATION', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['mysubpath']" } } },
          ],
          volumeMounts: [
            { name: 'w', mountPath: '/subpath_mount', subPathExpr: '$(ANNOTATION)/$(POD_NAME)' },
            { name: 'w', mountPath: '/volume_mount' },
          ],
        },
      ],
    },
    { annotations: { notmysubpath: 'mypath' } },
  );
  await e.pass(20);
  assert.deepEqual((await e.get(`${e.of('pods')}/mod`)).status.phase, 'Pending');
  await e.merge(`${e.of('pods')}/mod`, { metadata: { annotations: { mysubpath: 'mypath' } } });
  await e.running('mod');
  // succeed in writing subpaths
  await e.pod(
    'wr',
    {
      volumes: [{ name: 'w', emptyDir: {} }],
      restartPolicy: 'Never',
      containers: [
        {
          name: 'dapi',
          image: BUSYBOX,
          command: ['sh', '-c', 'tail -f /dev/null'],
          env: [
            { name: 'POD_NAME', value: 'foo' },
            { name: 'ANNOTATION', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['mysubpath']" } } },
          ],
          volumeMounts: [
            { name: 'w', mountPath: '/subpath_mount', subPathExpr: '$(ANNOTATION)/$(POD_NAME)' },
            { name: 'w', mountPath: '/volume_mount' },
          ],
        },
      ],
    },
    { annotations: { mysubpath: 'mypath' } },
  );
  await e.ready('wr');
  assert.deepEqual((await e.shell('wr', 'touch /volume_mount/mypath/foo/test.log')).status.status, 'Success');
  assert.deepEqual((await e.shell('wr', 'test -f /subpath_mount/test.log')).status.status, 'Success');
  await e.merge(`${e.of('pods')}/wr`, { metadata: { annotations: { mysubpath: 'mynewpath' } } });
  assert.deepEqual((await e.shell('wr', 'test -f /subpath_mount/test.log')).status.status, 'Success');
});
spec('RuntimeClass should reject a Pod requesting a non-existent RuntimeClass', async (e) => {
  await refused(e.pod('x', { runtimeClassName: 'nope', containers: [{ name: 'c', image: BUSYBOX }] }), 403);
  await e.post('/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: 'rc-ok' }, handler: 'runc' });
});
spec('Secrets should be consumable from pods in env vars and via the environment', async (e) => {
  await e.post(`/api/v1/namespaces/${e.namespace}/secrets`, { metadata: { name: 's' }, data: { 'data-1': 'dmFsdWUtMQ==' } });
  has(
    (
      await e.output('a', {
        containers: [
          {
            name: 'c',
            image: BUSYBOX,
            command: ['sh', '-c', 'env'],
            env: [{ name: 'SECRET_DATA', valueFrom: { secretKeyRef: { name: 's', key: 'data-1' } } }],
            envFrom: [{ secretRef: { name: 's' } }, { prefix: 'p-', secretRef: { name: 's' } }],
          },
        ],
      })
    ).log,
    'SECRET_DATA=value-1',
  );
  await refused(e.post(`/api/v1/namespaces/${e.namespace}/secrets`, { metadata: { name: 's2' }, data: { '': 'dmFsdWUtMQ==' } }), 422);
});
spec('Container restart rules restart a container by its exit code', async (e) => {
  await e.pod('ss', { os: { name: 'linux' }, ...C({ args: ['pause'], lifecycle: { stopSignal: 'SIGUSR1' } }) });
  await e.ready('ss');
  await e.pod('rr', {
    restartPolicy: 'Never',
    containers: [
      {
        name: 'c',
        image: BUSYBOX,
        command: ['sh', '-c', 'sleep 1; exit 42'],
        restartPolicy: 'Never',
        restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
      },
    ],
  });
  await restarts(e, 'rr', 2);
});
spec('Pod InPlace Resize: done where it fits, infeasible where it never will', async (e) => {
  await e.pod('rs', {
    containers: [
      {
        name: 'c',
        image: BUSYBOX,
        command: ['sh', '-c', 'sleep 1000'],
        resources: { requests: { cpu: '10m', memory: '10Mi' }, limits: { cpu: '20m', memory: '20Mi' } },
      },
    ],
  });
  const p = await e.ready('rs');
  assert.deepEqual(p.status.containerStatuses[0].allocatedResources, { cpu: '10m', memory: '10Mi' });
  assert.deepEqual(p.status.containerStatuses[0].resources, { requests: { cpu: '10m', memory: '10Mi' }, limits: { cpu: '20m', memory: '20Mi' } });
  await e.strategic(`${e.of('pods')}/rs/resize`, { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '15m' }, limits: { cpu: '30m' } } }] } });
  await e.until('resized', async () => (await e.get(`${e.of('pods')}/rs`)).status.containerStatuses[0].resources.requests.cpu === '15m', 60);
  const q = await e.get(`${e.of('pods')}/rs`);
  assert.ok(!q.status.conditions.some((c: Json) => c.type.startsWith('PodResize')), 'no cond');
  assert.deepEqual(q.status.containerStatuses[0].restartCount, 0);
  await e.strategic(`${e.of('pods')}/rs/resize`, { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1000' }, limits: { cpu: '1000' } } }] } });
  await e.until(
    'infeasible',
    async () => (await e.get(`${e.of('pods')}/rs`)).status.conditions.some((c: Json) => c.type === 'PodResizePending' && c.reason === 'Infeasible'),
    60,
  );
});
