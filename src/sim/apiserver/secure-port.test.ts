import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKernel } from '../../kernel/testing/index.ts';
import { callbackSink, createMachine, createVolume, decodeText, nullFile, volumeFileSystem } from '../../unix/index.ts';
import { createImageCatalog } from '../images/index.ts';
import { createCluster } from '../index.ts';
import type { Pod } from '../kinds/types.ts';

test('a Pod asks the API server over HTTPS: with its token, without, and with a certificate it does not know', async () => {
  const kernel = testKernel('secure-port');
  const cluster = await createCluster({ kernel, preset: 'single' });
  const image = createImageCatalog({ kernel, client: cluster.client }).find('curlimages/curl')!;
  const layer = createVolume({ id: 'image', kernel });
  image.build(volumeFileSystem(layer));
  const pod = cluster.client.resource<Pod>('v1/pods').list('kube-system')[0]!;
  const machine = createMachine({
    kernel,
    hostname: 'c',
    layers: [layer],
    programs: image.programs,
    net: cluster.podStack('kube-system', pod.metadata!.name!)!,
  });
  machine.fs.writeFile('/ca.crt', 'any');
  const curl = async (...args: string[]): Promise<{ output: string; code: number }> => {
    let output = '';
    const sink = callbackSink((chunk) => {
      output += decodeText(chunk);
    });
    const process = machine.start(['curl', '-sS', ...args], {
      env: new Map(Object.entries(image.env ?? {})),
      cwd: '/',
      stdin: nullFile(),
      stdout: sink,
      stderr: sink,
    });
    await kernel.advance({ untilMs: kernel.now() + 60_000, until: () => process.status !== undefined });
    return { output, code: process.status?.code ?? -1 };
  };
  const answered = await cluster.transport.request({
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts/default/token',
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode('{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}'),
  });
  const { token } = (JSON.parse(decodeText(answered.body!)) as { status: { token: string } }).status;
  const bearer = ['-H', `Authorization: Bearer ${token}`];

  assert.equal(JSON.parse((await curl('-k', ...bearer, 'https://10.43.0.1/api')).output).kind, 'APIVersions');
  assert.match(
    (await curl('--cacert', '/ca.crt', ...bearer, 'https://10.43.0.1/api/v1/pods')).output,
    /pods is forbidden: User \\"system:serviceaccount:default:default\\"/,
  );
  const anonymous = await curl('-ki', 'https://10.43.0.1/api', '-H', 'Impersonate-User: system:admin');
  assert.match(anonymous.output, /^HTTP\/2 403 \r\n/);
  assert.match(anonymous.output, /forbidden: User \\"system:anonymous\\" cannot get path \\"\/api\\"/);
  assert.equal((await curl('-k', 'https://10.43.0.1/healthz')).output, 'ok');
  assert.equal((await curl('-ko', '/dev/null', '-w', '%{http_code}', '-H', 'Authorization: Bearer no', 'https://10.43.0.1/api')).output, '401');
  const unknown = await curl('https://10.43.0.1/api');
  assert.equal(unknown.code, 60);
  assert.match(unknown.output, /^curl: \(60\) SSL certificate problem: unable to get local issuer certificate\n/);
  assert.match((await curl('http://10.43.0.1:443/')).output, /^Client sent an HTTP request to an HTTPS server\./);
  const watch = await curl('-km', '2', ...bearer, 'https://10.43.0.1/apis/storage.k8s.io/v1/storageclasses?watch=1');
  assert.match(watch.output, /forbidden/);
  cluster.dispose();
});
