import assert from 'node:assert/strict';
import { AGNHOST, BUSYBOX, has, type Json, PAUSE, refused, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/common/node. Titles are theirs, several of a kind in one.

const spec = suite('node');

const C = (o: Json) => ({ containers: [{ name: 'c', image: AGNHOST, ...o }] });
spec('Containers should use the image defaults, and override arguments and command', async (e) => {
  await e.pod('def', { ...C({}), restartPolicy: 'Never' });
  await e.running('def');
  await e.until('Paused', async () => (await e.logs('def')).includes('Paused'));
  has((await e.output('args', C({ args: ['entrypoint-tester', 'override', 'arguments'] }))).log, '[/agnhost entrypoint-tester override arguments]');
  has((await e.output('cmd', C({ command: ['/agnhost-2', 'entrypoint-tester'] }))).log, '[/agnhost-2 entrypoint-tester]');
  has(
    (await e.output('both', C({ command: ['/agnhost-2'], args: ['entrypoint-tester', 'override', 'arguments'] }))).log,
    '[/agnhost-2 entrypoint-tester override arguments]',
  );
});
spec('Downward API should provide names, addresses, resources and default limits as env vars', async (e) => {
  const f = (p: string) => ({ valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: p } } });
  const r = (p: string) => ({ valueFrom: { resourceFieldRef: { resource: p } } });
  const { log } = await e.output(
    'd',
    {
      containers: [
        {
          name: 'dapi',
          image: BUSYBOX,
          command: ['sh', '-c', 'env'],
          resources: {
            requests: { cpu: '250m', memory: '32Mi', 'ephemeral-storage': '32Mi' },
            limits: { cpu: '1250m', memory: '64Mi', 'ephemeral-storage': '64Mi' },
          },
          env: [
            { name: 'POD_NAME', ...f('metadata.name') },
            { name: 'NS', ...f('metadata.namespace') },
            { name: 'IP', ...f('status.podIP') },
            { name: 'IPS', ...f('status.podIPs') },
            { name: 'HOST_IP', ...f('status.hostIP') },
            { name: 'HOST_IPS', ...f('status.hostIPs') },
            { name: 'UID2', ...f('metadata.uid') },
            { name: 'CPUL', ...r('limits.cpu') },
            { name: 'MEML', ...r('limits.memory') },
            { name: 'CPUR', ...r('requests.cpu') },
            { name: 'ESL', ...r('limits.ephemeral-storage') },
            { name: 'LBL', ...f("metadata.labels['a']") },
          ],
        },
      ],
    },
    { labels: { a: 'b' } },
  );
  has(log, 'POD_NAME=d\n');
  has(log, 'CPUL=2\n');
  has(log, 'MEML=67108864\n');
  has(log, 'CPUR=1\n');
  has(log, 'ESL=67108864\n');
  has(log, /HOST_IP=\d+\.\d+/);
  has(log, /IPS=10\.42/);
  has(log, 'LBL=b\n');
  const d2 = await e.output('d2', {
    containers: [
      {
        name: 'dapi',
        image: BUSYBOX,
        command: ['sh', '-c', 'env'],
        env: [
          { name: 'CPUL', ...r('limits.cpu') },
          { name: 'MEML', ...r('limits.memory') },
        ],
      },
    ],
  });
  has(d2.log, /CPUL=[1-9]/);
  has(d2.log, /MEML=[1-9]/);
  const d3 = await e.output('d3', {
    hostNetwork: true,
    containers: [
      {
        name: 'dapi',
        image: BUSYBOX,
        command: ['sh', '-c', 'env'],
        env: [
          { name: 'HOST_IP', ...f('status.hostIP') },
          { name: 'POD_IP', ...f('status.podIP') },
        ],
      },
    ],
  });
  const m = /HOST_IP=(\S+)/.exec(d3.log)![1];
  has(d3.log, 'POD_IP=' + m);
});
spec('KubeletManagedEtcHosts should test kubelet managed /etc/hosts file', async (e) => {
  const spec = (hn: boolean) => ({
    hostNetwork: hn,
    containers: [1, 2]
      .map((i) => ({ name: 'busybox-' + i, image: AGNHOST, command: ['sleep', '900'] }))
      .concat(
        hn
          ? []
          : [{ name: 'busybox-3', image: AGNHOST, command: ['sleep', '900'], volumeMounts: [{ name: 'host-etc-hosts', mountPath: '/etc/hosts' }] } as Json],
      ),
    volumes: [{ name: 'host-etc-hosts', hostPath: { path: '/etc/hosts', type: 'File' } }],
  });
  await e.pod('n', spec(false));
  await e.pod('h', {
    ...spec(true),
    volumes: [{ name: 'host-etc-hosts', hostPath: { path: '/etc/hosts', type: 'File' } }],
    containers: spec(true).containers.map((c: Json) => ({ ...c })),
  });
  await e.ready('n');
  await e.ready('h');
  has((await e.exec('n', ['cat', '/etc/hosts'], 'busybox-1')).out, '# Kubernetes-managed hosts file.');
  assert.ok(!(await e.exec('n', ['cat', '/etc/hosts'], 'busybox-3')).out.includes('Kubernetes-managed'), 'c3');
  assert.ok(
    !(await e.exec('h', ['cat', '/etc/hosts'], 'busybox-1')).out.startsWith('# Kubernetes-managed hosts file.\n'),
    'host net: ' + (await e.exec('h', ['cat', '/etc/hosts'], 'busybox-1')).out,
  );
});
spec('Kubelet: logs, read-only root filesystem, terminated reason, hostAliases', async (e) => {
  has((await e.output('l', { containers: [{ name: 'c', image: BUSYBOX, command: ['sh', '-c', "echo 'Hello World' ; sleep 1"] }] })).log, 'Hello World\n');
  await e.pod('ro', {
    restartPolicy: 'Never',
    containers: [{ name: 'c', image: BUSYBOX, command: ['/bin/sh', '-c', 'echo test > /file; sleep 240'], securityContext: { readOnlyRootFilesystem: true } }],
  });
  await e.running('ro');
  await e.until('log', async () => (await e.logs('ro')) === "/bin/sh: can't create /file: Read-only file system\n", 20);
  await e.pod('f', { restartPolicy: 'Never', containers: [{ name: 'c', image: BUSYBOX, command: ['/bin/false'] }] });
  const p = await e.ended('f');
  assert.ok(p.status.containerStatuses[0].state.terminated.exitCode !== 0 && p.status.containerStatuses[0].state.terminated.reason, 'reason');
  assert.deepEqual(p.status.phase, 'Failed');
  await e.pod('ha', {
    restartPolicy: 'Never',
    hostAliases: [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }],
    containers: [{ name: 'c', image: BUSYBOX, command: ['/bin/sh', '-c', 'cat /etc/hosts; sleep 6000'] }],
  });
  await e.running('ha');
  await e.until('alias', async () => (await e.logs('ha')).includes('123.45.67.89\tfoo\tbar'), 20);
});
spec('Security Context: runAsUser, runAsGroup, privileged, runAsNonRoot', async (e) => {
  assert.deepEqual(
    (await e.output('u', { containers: [{ name: 'c', image: BUSYBOX, command: ['sh', '-c', 'id -u'], securityContext: { runAsUser: 65534 } }] })).log,
    '65534\n',
  );
  const p = await e.output('p', {
    containers: [{ name: 'c', image: BUSYBOX, command: ['sh', '-c', 'ip link add dummy0 type dummy || true'], securityContext: { privileged: false } }],
  });
  has(p.log, 'ip: RTNETLINK answers: Operation not permitted');
  const q = await e.output('p2', {
    containers: [{ name: 'c', image: BUSYBOX, command: ['sh', '-c', 'ip link add dummy0 type dummy || true'], securityContext: { privileged: true } }],
  });
  assert.deepEqual(q.log, '');
  assert.deepEqual(
    (
      await e.output('g', {
        securityContext: { runAsUser: 1001, supplementalGroups: [1234, 5678] },
        containers: [{ name: 'c', image: BUSYBOX, command: ['sh', '-c', 'id -G'] }],
      })
    ).log.includes('1234'),
    true,
  );
  has(
    (await e.output('g2', { securityContext: { runAsUser: 1001, runAsGroup: 2002 }, containers: [{ name: 'c', image: BUSYBOX, command: ['sh', '-c', 'id'] }] }))
      .log,
    /uid=1001.*gid=2002/,
  );
  const nr = (n: string, sc: Json) =>
    e.pod(n, { restartPolicy: 'Never', containers: [{ name: 'c', image: BUSYBOX, command: ['sh', '-c', 'id'], securityContext: sc }] });
  await nr('nr', { runAsNonRoot: true });
  await e.pass(20);
  assert.deepEqual((await e.get(`${e.of('pods')}/nr`)).status.containerStatuses[0].state.waiting.reason, 'CreateContainerConfigError');
});
spec('Sysctls should support sysctls and reject invalid and unsafe ones', async (e) => {
  const o = await e.output('s', {
    securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] },
    containers: [{ name: 'c', image: BUSYBOX, command: ['/bin/sysctl', 'kernel.shm_rmid_forced'] }],
  });
  has(o.log, 'kernel.shm_rmid_forced = 1');
  await refused(
    e.pod('bad', {
      securityContext: {
        sysctls: [
          { name: 'foo-', value: 'bar' },
          { name: 'kernel.shmmax', value: '100000000' },
          { name: 'safe-and-unsafe', value: '100000000' },
          { name: 'bar..', value: '42' },
        ],
      },
      containers: [{ name: 'c', image: BUSYBOX }],
    }),
    422,
    /Invalid value: "foo-".*Invalid value: "bar\.\."/,
  );
  await e.pod('un', {
    restartPolicy: 'Never',
    securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '10000000000' }] },
    containers: [{ name: 'c', image: BUSYBOX, command: ['true'] }],
  });
  await e.pass(10);
  const p = await e.get(`${e.of('pods')}/un`);
  assert.deepEqual([p.status.phase, p.status.reason], ['Failed', 'SysctlForbidden']);
  const o2 = await e.output('s2', {
    securityContext: { sysctls: [{ name: 'kernel/shm_rmid_forced', value: '1' }] },
    containers: [{ name: 'c', image: BUSYBOX, command: ['/bin/sysctl', 'kernel/shm_rmid_forced'] }],
  });
  has(o2.log, 'kernel.shm_rmid_forced = 1');
});
spec('InitContainer should invoke init containers, and not start app containers if they fail', async (e) => {
  const I = (n: string, c: string) => ({ name: n, image: BUSYBOX, command: [c] });
  const a = await e.output('a', {
    initContainers: [I('init1', '/bin/true'), I('init2', '/bin/true')],
    containers: [{ name: 'run1', image: BUSYBOX, command: ['/bin/true'], resources: { limits: { cpu: '100m', memory: '50Mi' } } }],
  });
  assert.deepEqual(a.phase, 'Succeeded');
  assert.deepEqual(a.pod.status.conditions.find((c: Json) => c.type === 'Initialized').status, 'True');
  await e.pod('b', { initContainers: [I('init1', '/bin/true')], containers: [{ name: 'run1', image: PAUSE }] });
  await e.ready('b');
  await e.pod('c', {
    restartPolicy: 'Always',
    initContainers: [I('init1', '/bin/false'), I('init2', '/bin/true')],
    containers: [{ name: 'run1', image: PAUSE }],
  });
  await e.until('restarts', async () => (await e.get(`${e.of('pods')}/c`)).status.initContainerStatuses[0].restartCount >= 3);
  const p = await e.get(`${e.of('pods')}/c`);
  assert.deepEqual(p.status.phase, 'Pending');
  assert.deepEqual(p.status.conditions.find((c: Json) => c.type === 'Initialized').reason, 'ContainersNotInitialized');
  assert.deepEqual(p.status.conditions.find((c: Json) => c.type === 'Initialized').message, 'containers with incomplete status: [init1 init2]');
  const d = await e.output('d', {
    initContainers: [I('init1', '/bin/true'), I('init2', '/bin/false')],
    containers: [{ name: 'run1', image: BUSYBOX, command: ['/bin/true'] }],
  });
  assert.deepEqual(d.phase, 'Failed');
  assert.deepEqual(d.pod.status.conditions.find((c: Json) => c.type === 'Initialized').message, 'containers with incomplete status: [init2]');
  assert.ok(d.pod.status.containerStatuses[0].state.waiting, 'waiting');
});
spec('Ephemeral Containers will start an ephemeral container in an existing pod, and update it', async (e) => {
  await e.pod('p', { containers: [{ name: 'c', image: AGNHOST, args: ['pause'] }] });
  await e.ready('p');
  const _p = await e.get(`${e.of('pods')}/p/ephemeralcontainers`);
  await e.strategic(`${e.of('pods')}/p/ephemeralcontainers`, {
    spec: {
      ephemeralContainers: [
        { name: 'debugger', image: BUSYBOX, command: ['/bin/sh', '-c', 'while true; do echo polo; sleep 2; done'], stdin: true, tty: true },
      ],
    },
  });
  await e.until('eph', async () => (await e.get(`${e.of('pods')}/p`)).status.ephemeralContainerStatuses?.[0]?.state?.running);
  await e.until('polo', async () => (await e.logs('p', 'debugger')).includes('polo'), 20);
  const q = await e.get(`${e.of('pods')}/p`);
  q.spec.ephemeralContainers.push({ name: 'd2', image: BUSYBOX, command: ['sh', '-c', 'sleep 100'] });
  await e.put(`${e.of('pods')}/p/ephemeralcontainers`, q);
});
spec('Pods: service environment, activeDeadlineSeconds, lifecycle of Pods and PodStatus, generation', async (e) => {
  // service env
  await e.pod(
    'srv',
    { containers: [{ name: 'srv', image: AGNHOST, args: ['serve-hostname'], ports: [{ containerPort: 9376 }] }] },
    { labels: { name: 'srv' } },
  );
  await e.ready('srv');
  await e.post(`/api/v1/namespaces/${e.namespace}/services`, {
    metadata: { name: 'fooservice' },
    spec: { ports: [{ port: 8765, targetPort: 8080 }], selector: { name: 'srv' } },
  });
  const o = await e.output('cl', { containers: [{ name: 'c', image: BUSYBOX, command: ['sh', '-c', 'env'] }] });
  for (const x of [
    'FOOSERVICE_SERVICE_HOST=',
    'FOOSERVICE_SERVICE_PORT=',
    'FOOSERVICE_PORT=',
    'FOOSERVICE_PORT_8765_TCP_PORT=',
    'FOOSERVICE_PORT_8765_TCP_PROTO=',
    'FOOSERVICE_PORT_8765_TCP=',
    'FOOSERVICE_PORT_8765_TCP_ADDR=',
  ])
    has(o.log, x);
  await e.pod('dl', { containers: [{ name: 'c', image: AGNHOST, args: ['pause'] }], activeDeadlineSeconds: 5 });
  await e.until(
    'deadline',
    async () => {
      const p = await e.get(`${e.of('pods')}/dl`);
      return p.status.phase === 'Failed' && p.status.reason === 'DeadlineExceeded';
    },
    60,
  );
  // lifecycle of Pods and PodStatus
  await e.pod(
    'pod-test',
    { containers: [{ name: 'pod-test', image: AGNHOST, args: ['pause'] }], terminationGracePeriodSeconds: 1 },
    { labels: { 'test-pod-static': 'true' } },
  );
  await e.ready('pod-test');
  await e.strategic(`${e.of('pods')}/pod-test`, {
    metadata: { labels: { 'test-pod': 'patched' } },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'pod-test', image: AGNHOST.replace('2.63.0', '2.40') }] },
  });
  const st = await e.get(`${e.of('pods')}/pod-test/status`);
  for (const c of st.status.conditions) if (c.type === 'Ready') c.status = 'False';
  await e.put(`${e.of('pods')}/pod-test/status`, st);
  const back = await e.get(`${e.of('pods')}/pod-test/status`);
  assert.deepEqual(back.status.conditions.find((c: Json) => c.type === 'Ready').status, 'False');
  await e.del(`${e.of('pods')}?labelSelector=test-pod-static%3Dtrue`);
  await e.until('gone', async () => (await e.get(`${e.of('pods')}?labelSelector=test-pod-static%3Dtrue`)).items.length === 0, 60);
  // generation
  const g = await e.pod('gen', { containers: [{ name: 'c', image: AGNHOST, args: ['pause'] }] });
  assert.deepEqual(g.metadata.generation, 1);
  const r = await e.ready('gen');
  assert.deepEqual(r.status.observedGeneration, 1);
  assert.deepEqual(
    r.status.conditions.map((c: Json) => c.observedGeneration),
    r.status.conditions.map(() => 1),
  );
  await e.merge(`${e.of('pods')}/gen`, { spec: { activeDeadlineSeconds: 5000 } });
  assert.deepEqual((await e.get(`${e.of('pods')}/gen`)).metadata.generation, 2);
  await e.until('og', async () => (await e.get(`${e.of('pods')}/gen`)).status.observedGeneration === 2, 30);
  await e.merge(`${e.of('pods')}/gen`, { metadata: { labels: { x: 'y' } } });
  assert.deepEqual((await e.get(`${e.of('pods')}/gen`)).metadata.generation, 2);
  await e.del(`${e.of('pods')}/gen`, { gracePeriodSeconds: 30 });
  assert.deepEqual((await e.get(`${e.of('pods')}/gen`)).metadata.generation, 3);
});
