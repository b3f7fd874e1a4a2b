import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import * as k8s from '@kubernetes/client-node';
import { type ClusterHost, startClusterHost } from '../../src/hosts/node/cluster-host.ts';
import { ResourceRegistry } from '../../src/sim/apiserver/resources.ts';

type ConfigMap = import('../../src/sim/kinds/types.ts').ConfigMap;

/** Collects what is written, and tells when something is there. */
class Sink extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function until(condition: () => boolean, what: string, limitMs = 10_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const POD: k8s.V1Pod = {
  metadata: { name: 'box', labels: { app: 'box' } },
  spec: {
    containers: [{ name: 'c', image: 'busybox', command: ['sh', '-c', 'i=0; while true; do echo line $i; i=$((i+1)); sleep 1; done'] }],
    terminationGracePeriodSeconds: 0,
  },
};
const WEB: k8s.V1Pod = { metadata: { name: 'web' }, spec: { containers: [{ name: 'nginx', image: 'nginx' }] } };

describe('@kubernetes/client-node', () => {
  let host: ClusterHost;
  let config: k8s.KubeConfig;
  let core: k8s.CoreV1Api;

  before(async () => {
    host = await startClusterHost({ port: 0, seed: 'client-node', speed: 20, preset: 'single' });
    config = new k8s.KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'sim', server: host.url, skipTLSVerify: true }],
      users: [{ name: 'me' }],
      contexts: [{ name: 'sim', cluster: 'sim', user: 'me' }],
      currentContext: 'sim',
    });
    core = config.makeApiClient(k8s.CoreV1Api);
    for (const body of [POD, WEB]) await core.createNamespacedPod({ namespace: 'default', body });
    await until(
      () =>
        ['box', 'web'].every(
          (name) =>
            (host.cluster.client.resource<k8s.V1Pod & { metadata: never }>('v1/pods').get('default', name) as unknown as k8s.V1Pod | undefined)?.status
              ?.phase === 'Running',
        ),
      'Pods run',
    );
  });
  after(async () => {
    await host.close();
  });

  it('lists with pages and selectors', async () => {
    const pods = await core.listNamespacedPod({ namespace: 'default', labelSelector: 'app=box' });
    assert.deepEqual(
      pods.items.map((pod) => pod.metadata?.name),
      ['box'],
    );
    const first = await core.listPodForAllNamespaces({ limit: 1 });
    assert.equal(first.items.length, 1);
    const rest = await core.listPodForAllNamespaces({ limit: 100, _continue: first.metadata?._continue });
    assert.ok(rest.items.length >= 2);
  });

  it('keeps an informer true across a compaction', async () => {
    const informer = k8s.makeInformer(config, '/api/v1/namespaces/default/configmaps', () => core.listNamespacedConfigMap({ namespace: 'default' }));
    const names = new Set<string>();
    informer.on('add', (object) => names.add(object.metadata?.name ?? ''));
    informer.on('delete', (object) => names.delete(object.metadata?.name ?? ''));
    let running = true;
    informer.on('error', () => setTimeout(() => running && void informer.start(), 10));
    await informer.start();
    await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'before' } } });
    await until(() => names.has('before'), 'the first object');
    await informer.stop();
    await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'between' } } });
    // More changes than the server remembers: where the informer left off is gone.
    const maps = host.cluster.client.resource<ConfigMap>('v1/configmaps');
    for (let i = 0; i < 6_500; i++) maps.patch('default', 'between', { data: { n: String(i) } }, { cause: { actor: 'test', rule: 'test' } });
    await informer.start();
    await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'before' });
    await until(() => names.has('between') && !names.has('before'), 'the state after the compaction');
    running = false;
    await informer.stop();
  });

  it('creates, patches and deletes each kind', async () => {
    const objects = k8s.KubernetesObjectApi.makeApiClient(config);
    const bodies: Record<string, object> = {
      'v1/services': { spec: { ports: [{ port: 80 }] } },
      'v1/pods': { spec: { containers: [{ name: 'c', image: 'busybox' }] } },
      'v1/persistentvolumeclaims': { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    };
    const template = { metadata: { labels: { app: 'each' } }, spec: { containers: [{ name: 'c', image: 'busybox' }] } };
    for (const kind of ['deployments', 'replicasets', 'daemonsets', 'statefulsets'])
      bodies[`apps/v1/${kind}`] = { spec: { selector: { matchLabels: { app: 'each' } }, template } };
    bodies['batch/v1/jobs'] = { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } };
    for (const id of [
      ...Object.keys(bodies),
      'v1/configmaps',
      'v1/secrets',
      'v1/serviceaccounts',
      'coordination.k8s.io/v1/leases',
      'rbac.authorization.k8s.io/v1/roles',
      'networking.k8s.io/v1/networkpolicies',
    ]) {
      const info = new ResourceRegistry().get(id);
      assert.ok(info, id);
      const meta = { apiVersion: info.groupVersion, kind: info.kind, metadata: { name: 'each', namespace: 'default' } };
      const created = await objects.create({ ...meta, ...bodies[id] } as k8s.KubernetesObject);
      assert.equal(created.metadata?.name, 'each', id);
      const patched = await objects.patch(
        { ...meta, metadata: { ...meta.metadata, labels: { patched: 'yes' } } } as k8s.KubernetesObject,
        undefined,
        undefined,
        undefined,
        undefined,
        k8s.PatchStrategy.MergePatch,
      );
      assert.equal(patched.metadata?.labels?.patched, 'yes', id);
      await objects.delete(meta as k8s.KubernetesObject);
    }
  });

  it('execs', async () => {
    const out = new Sink();
    const status = await new Promise<k8s.V1Status>((resolve, reject) => {
      new k8s.Exec(config).exec('default', 'box', 'c', ['sh', '-c', 'echo hello; exit 3'], out, new Sink(), null, false, resolve).catch(reject);
    });
    assert.equal(out.text, 'hello\n');
    assert.equal(status.details?.causes?.[0]?.message, '3');
  });

  it('execs with input', async () => {
    const out = new Sink();
    const input = new PassThrough();
    await new k8s.Exec(config).exec('default', 'box', 'c', ['head', '-n', '1'], out, null, input, false);
    input.write('typed\n');
    await until(() => out.text === 'typed\n', 'the echo');
  });

  it('attaches', async () => {
    const out = new Sink();
    const socket = await new k8s.Attach(config).attach('default', 'box', 'c', out, null, null, false);
    await until(() => out.text.includes('line'), 'output');
    socket.close();
  });

  it('forwards a port', async () => {
    const forward = new k8s.PortForward(config);
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      void forward.portForward('default', 'web', [80], socket, null, socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    assert.equal(response.status, 200);
    await response.text();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('elects a leader by a Lease: one of many wins, and another after it lets go', async () => {
    const leases = config.makeApiClient(k8s.CoordinationV1Api);
    const take = async (holder: string): Promise<boolean> => {
      try {
        const lease = await leases.readNamespacedLease({ namespace: 'default', name: 'leader' });
        if (lease.spec?.holderIdentity) return lease.spec.holderIdentity === holder;
        await leases.replaceNamespacedLease({ namespace: 'default', name: 'leader', body: { ...lease, spec: { ...lease.spec, holderIdentity: holder } } });
        return true;
      } catch (error) {
        if ((error as { code?: number }).code === 409) return false;
        if ((error as { code?: number }).code !== 404) throw error;
      }
      try {
        await leases.createNamespacedLease({
          namespace: 'default',
          body: {
            metadata: { name: 'leader' },
            spec: { holderIdentity: holder, leaseDurationSeconds: 15, acquireTime: new k8s.V1MicroTime(), renewTime: new k8s.V1MicroTime() },
          },
        });
        return true;
      } catch (error) {
        if ((error as { code?: number }).code === 409) return false;
        throw error;
      }
    };
    const first = await Promise.all(['a', 'b', 'c', 'd'].map(take));
    assert.equal(first.filter(Boolean).length, 1);
    const lease = await leases.readNamespacedLease({ namespace: 'default', name: 'leader' });
    await leases.replaceNamespacedLease({ namespace: 'default', name: 'leader', body: { ...lease, spec: { ...lease.spec, holderIdentity: '' } } });
    const second = await Promise.all(['e', 'f', 'g'].map(take));
    assert.equal(second.filter(Boolean).length, 1);
  });

  it('follows logs to the end', async () => {
    const out = new Sink();
    await new k8s.Log(config).log('default', 'box', 'c', out, { follow: true, tailLines: 1 });
    await until(() => out.text.split('\n').length > 3, 'lines');
    // The stream ends with the Pod.
    await core.deleteNamespacedPod({ namespace: 'default', name: 'box' });
    await until(() => out.writableFinished, 'the end');
    assert.match(out.text, /^line \d+\nline \d+\n/);
  });
});
