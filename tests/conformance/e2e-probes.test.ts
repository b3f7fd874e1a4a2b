import assert from 'node:assert/strict';
import { AGNHOST, BUSYBOX, type Json, type Outside, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/common/node/container_probe.go, lifecycle_hook.go, runtime.go. Titles are theirs, several of a kind in one.

const spec = suite('probes');

const C = (o: Json) => ({ containers: [{ name: 'c', image: AGNHOST, ...o }] });
async function handler(e: Outside) {
  await e.pod('pod-handle-http-request', {
    containers: [
      { name: 'container-handle-http-request', image: AGNHOST, args: ['netexec', '--http-port=8080', '--udp-port=8081'], ports: [{ containerPort: 8080 }] },
      {
        name: 'container-handle-https-request',
        image: AGNHOST,
        args: ['netexec', '--http-port', '9090', '--udp-port', '9091', '--tls-cert-file', '/localhost.crt', '--tls-private-key-file', '/localhost.key'],
        ports: [{ containerPort: 9090 }],
      },
    ],
  });
  const p = await e.ready('pod-handle-http-request');
  return p.status.podIP;
}
spec('Container Lifecycle Hook should execute poststart and prestop exec and http hooks properly', async (e) => {
  const ip = await handler(e);
  const logs = () => e.logs('pod-handle-http-request', 'container-handle-http-request');
  await e.pod('ps', {
    ...C({ lifecycle: { postStart: { exec: { command: ['sh', '-c', `curl http://${ip}:8080/echo?msg=poststart`] } } } }),
    terminationGracePeriodSeconds: 3,
  });
  await e.ready('ps');
  await e.until('msg', async () => /GET \/echo\?msg=poststart/.test(await logs()), 30);
  await e.pod('pre', { ...C({ lifecycle: { preStop: { exec: { command: ['sh', '-c', `curl http://${ip}:8080/echo?msg=prestop`] } } } }) });
  await e.ready('pre');
  await e.del(`${e.of('pods')}/pre`);
  await e.until('msg', async () => /GET \/echo\?msg=prestop/.test(await logs()), 60);
  await e.pod('psh', { ...C({ lifecycle: { postStart: { httpGet: { path: '/echo?msg=poststarth', host: ip, port: 8080 } } } }) });
  await e.ready('psh');
  await e.until('msg', async () => /GET \/echo\?msg=poststarth/.test(await logs()), 30);
});
spec('Container Lifecycle Hook should execute poststart https hook properly', async (e) => {
  const ip = await handler(e);
  await e.pod('psh', { ...C({ lifecycle: { postStart: { httpGet: { scheme: 'HTTPS', path: '/echo?msg=poststart', host: ip, port: 9090 } } } }) });
  await e.ready('psh');
  await e.until('msg', async () => /GET \/echo\?msg=poststart/.test(await e.logs('pod-handle-http-request', 'container-handle-https-request')), 30);
});
spec('Lifecycle sleep hook: valid prestop hook using sleep action', async (e) => {
  await e.pod('s', { ...C({ lifecycle: { preStop: { sleep: { seconds: 5 } } } }) });
  await e.ready('s');
  const t = e.kernel.now();
  await e.del(`${e.of('pods')}/s`);
  await e.until(
    'gone',
    async () =>
      e.get(`${e.of('pods')}/s`).then(
        () => false,
        () => true,
      ),
    60,
  );
  const d = (e.kernel.now() - t) / 1000;
  assert.ok(d >= 4 && d < 40, 'took ' + d);
});
const restarts = async (e: Outside, n: string, want: number, within = 240) =>
  e.until(n + ' restarts ' + want, async () => (await e.get(`${e.of('pods')}/${n}`)).status.containerStatuses?.[0]?.restartCount >= want, within);
spec('Probing container should or should not be restarted with liveness probes: exec, http, tcp, gRPC, redirects', async (e) => {
  const probe = (p: Json) => ({ initialDelaySeconds: 15, failureThreshold: 1, timeoutSeconds: 1, ...p });
  await e.pod('http', C({ args: ['liveness'], livenessProbe: probe({ httpGet: { path: '/healthz', port: 8080 } }) }));
  await e.pod('execp', {
    containers: [
      {
        name: 'c',
        image: BUSYBOX,
        command: ['/bin/sh', '-c', 'echo ok >/tmp/health; sleep 10; rm -rf /tmp/health; sleep 600'],
        livenessProbe: probe({ exec: { command: ['cat', '/tmp/health'] } }),
      },
    ],
  });
  await e.pod('tcp', C({ args: ['liveness'], livenessProbe: probe({ tcpSocket: { port: 8080 } }) }));
  await e.pod('grpcok', C({ args: ['grpc-health-checking'], livenessProbe: probe({ grpc: { port: 5000 }, timeoutSeconds: 5 }) }));
  await e.pod('grpcbad', C({ args: ['grpc-health-checking'], livenessProbe: probe({ grpc: { port: 2333 }, timeoutSeconds: 5 }) }));
  await e.pod('redir', C({ args: ['liveness'], livenessProbe: probe({ httpGet: { path: '/redirect?loc=' + encodeURIComponent('/healthz'), port: 8080 } }) }));
  await e.pod(
    'redirx',
    C({ args: ['netexec'], livenessProbe: probe({ httpGet: { path: '/redirect?location=' + encodeURIComponent('http://0.0.0.0/'), port: 8080 } }) }),
  );
  await restarts(e, 'http', 1);
  await restarts(e, 'execp', 1);
  await restarts(e, 'grpcbad', 1);
  await restarts(e, 'redir', 1);
  await e.pass(240);
  for (const n of ['tcp', 'grpcok', 'redirx']) assert.deepEqual((await e.get(`${e.of('pods')}/${n}`)).status.containerStatuses[0].restartCount, 0, n);
  await restarts(e, 'http', 5, 600);
});
spec('Probing container with readiness probe should not be ready before initial delay, and never restart', async (e) => {
  await e.pod('r', C({ args: ['test-webserver'], readinessProbe: { httpGet: { port: 80, path: '/' }, initialDelaySeconds: 30 } }));
  const p = await e.ready('r');
  const rt = Date.parse(p.status.conditions.find((c: Json) => c.type === 'Ready').lastTransitionTime),
    st = Date.parse(p.status.containerStatuses[0].state.running.startedAt);
  assert.ok(rt - st >= 30000, 'delay ' + (rt - st));
  assert.deepEqual(p.status.containerStatuses[0].restartCount, 0);
  await e.pod('never', C({ args: ['test-webserver'], readinessProbe: { exec: { command: ['/bin/false'] }, initialDelaySeconds: 15 } }));
  await e.pass(120);
  const q = await e.get(`${e.of('pods')}/never`);
  assert.deepEqual(q.status.conditions.find((c: Json) => c.type === 'Ready').status, 'False');
  assert.deepEqual(q.status.containerStatuses[0].restartCount, 0);
});
spec('Probing container should not be restarted by liveness probe because startup probe delays it', async (e) => {
  await e.pod(
    'st',
    C({
      command: ['sh', '-c', 'sleep 30; echo y > /tmp/s; sleep 600'],
      startupProbe: { exec: { command: ['cat', '/tmp/s'] }, failureThreshold: 60, periodSeconds: 1 },
      livenessProbe: { exec: { command: ['cat', '/tmp/nope'] }, failureThreshold: 1, initialDelaySeconds: 1 },
    }),
  );
  await e.pass(20);
  assert.deepEqual((await e.get(`${e.of('pods')}/st`)).status.containerStatuses[0].restartCount, 0);
  await restarts(e, 'st', 1);
});
spec('Probing container should be restarted with an exec liveness probe with timeout', async (e) => {
  await e.pod('t', {
    containers: [
      {
        name: 'c',
        image: BUSYBOX,
        command: ['/bin/sh', '-c', 'sleep 600'],
        livenessProbe: { exec: { command: ['/bin/sh', '-c', 'sleep 10'] }, initialDelaySeconds: 15, timeoutSeconds: 1, failureThreshold: 1 },
      },
    ],
  });
  await restarts(e, 't', 1);
});
spec('Probing container should override timeoutGracePeriodSeconds when LivenessProbe field is set', async (e) => {
  await e.pod('t', {
    terminationGracePeriodSeconds: 500,
    containers: [
      {
        name: 'c',
        image: BUSYBOX,
        command: ['/bin/sh', '-c', 'sleep 1000'],
        livenessProbe: { exec: { command: ['/bin/false'] }, initialDelaySeconds: 10, terminationGracePeriodSeconds: 5, failureThreshold: 1 },
      },
    ],
  });
  await restarts(e, 't', 1, 60);
});
spec('Container Runtime: when starting a container that exits it should run with the expected status', async (e) => {
  const cmd =
    "f=/restart-count/restartCount\ncount=`echo 'hello' >> $f ; wc -l $f | awk {'print $1'}`\nif [ $count -eq 1 ]; then\nexit 1\nfi\nif [ $count -eq 2 ]; then\nexit 0\nfi\nwhile true; do sleep 1; done\n";
  const mk = (n: string, rp: string, c: string) =>
    e.pod(n, {
      restartPolicy: rp,
      volumes: [{ name: 'restart-count', emptyDir: { medium: 'Memory' } }],
      containers: [{ name: n, image: BUSYBOX, command: ['sh', '-c', c], volumeMounts: [{ name: 'restart-count', mountPath: '/restart-count' }] }],
    });
  await mk('rpa', 'Always', cmd);
  await mk('rpof', 'OnFailure', cmd.replace('while true; do sleep 1; done', 'x'));
  await mk('rpn', 'Never', 'exit 1');
  await e.until('rpa', async () => (await e.get(`${e.of('pods')}/rpa`)).status.containerStatuses?.[0]?.restartCount === 2);
  const _a = await e.running('rpa');
  assert.deepEqual((await e.ready('rpa')).status.phase, 'Running');
  const f = await e.ended('rpof');
  assert.deepEqual([f.status.phase, f.status.containerStatuses[0].restartCount], ['Succeeded', 1]);
  const n = await e.ended('rpn');
  assert.deepEqual([n.status.phase, n.status.containerStatuses[0].restartCount], ['Failed', 0]);
});
spec('Container Runtime: on terminated container it should report the termination message', async (e) => {
  const t = async (n: string, c: Json, phase: string, msg: string) => {
    const { pod } = await e.output(n, { containers: [{ name: 'tm', image: BUSYBOX, ...c }] });
    assert.deepEqual([pod.status.phase, pod.status.containerStatuses[0].state.terminated.message ?? ''], [phase, msg], n);
  };
  await t(
    'a',
    {
      command: ['/bin/sh', '-c', '/bin/echo -n DONE > /dev/termination-custom-log'],
      terminationMessagePath: '/dev/termination-custom-log',
      securityContext: { runAsUser: 1000 },
    },
    'Succeeded',
    'DONE',
  );
  await t(
    'b',
    {
      command: ['/bin/sh', '-c', '/bin/echo -n DONE; /bin/false'],
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'FallbackToLogsOnError',
    },
    'Failed',
    'DONE',
  );
  await t('c', { command: ['/bin/sh', '-c', '/bin/echo DONE; /bin/true'], terminationMessagePolicy: 'FallbackToLogsOnError' }, 'Succeeded', '');
  await t(
    'd',
    { command: ['/bin/sh', '-c', '/bin/echo -n OK > /dev/termination-log; /bin/echo DONE; /bin/true'], terminationMessagePolicy: 'FallbackToLogsOnError' },
    'Succeeded',
    'OK',
  );
});
spec('PreStop should call prestop when killing a pod', async (e) => {
  await e.pod('server', { containers: [{ name: 'agnhost-container', image: AGNHOST, args: ['nettest'], ports: [{ containerPort: 8080 }] }] });
  const s = await e.ready('server');
  await e.pod('tester', {
    containers: [
      {
        name: 'tester',
        image: BUSYBOX,
        command: ['sleep', '600'],
        lifecycle: { preStop: { exec: { command: ['wget', '-O-', '--post-data=' + '{"Source": "prestop"}', `http://${s.status.podIP}:8080/write`] } } },
      },
    ],
  });
  await e.ready('tester');
  await e.del(`${e.of('pods')}/tester`);
  await e.until(
    'received',
    async () => {
      const r = await e.request('GET', `${e.of('pods')}/server/proxy/read`);
      const b = JSON.parse(r.text);
      return b.Received?.prestop;
    },
    60,
  );
});
