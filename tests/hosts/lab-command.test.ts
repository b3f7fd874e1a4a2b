import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import { HostError, startClusterHost } from '../../src/hosts/node/cluster-host.ts';
import { readLabFolder } from '../../src/hosts/node/lab-files.ts';
import { runLabOnRealCluster } from '../../src/hosts/node/lab-real.ts';
import { formatReport } from '../../src/hosts/node/lab-report.ts';
import { runLabInTerminal } from '../../src/hosts/node/lab-terminal.ts';
import { realKubectl } from '../../src/hosts/node/real-kubectl.ts';
import { kubeconfig } from '../../src/lab/kubeconfig.ts';

const kubectl = realKubectl();
const skip = kubectl ? false : 'no real kubectl for this machine';

test('a lab runs with the real kubectl on a foreign cluster, in a namespace of its own that is removed', { skip, timeout: 240_000 }, async () => {
  const host = await startClusterHost({ port: 0, seed: 'foreign', speed: 20, preset: 'k3d' });
  const directory = mkdtempSync(join(tmpdir(), 'chartroom-test-'));
  const config = join(directory, 'config');
  writeFileSync(config, kubeconfig(host.url));
  let said = '';
  const options = {
    folder: readLabFolder('statefulset'),
    context: 'k3d-demo',
    kubectl: kubectl!,
    anyCluster: false,
    namespace: 'chartroom-test',
    keep: false,
    say: (text: string) => {
      said += text;
    },
    kubeconfig: config,
  };
  try {
    const { text } = formatReport(await runLabOnRealCluster(options), true);
    assert.match(text, /7 of 7 steps reached their goal/, said + text);
    const [, matched, total] = /(\d+) of (\d+) commands/.exec(text)!;
    // What is polled at a moment of its own may catch another moment than the lesson did.
    assert.ok(Number(matched) >= Number(total) - 4, text);
    assert.equal(host.cluster.client.resource('v1/namespaces').get('', 'chartroom-test'), undefined);
    await assert.rejects(runLabOnRealCluster({ ...options, context: 'nope' }), HostError);
    writeFileSync(config, kubeconfig('https://cluster.example.com:6443'));
    await assert.rejects(runLabOnRealCluster(options), /--yes-this-cluster/);
  } finally {
    rmSync(directory, { recursive: true });
    await host.close();
  }
});

test('a lab in a local terminal tells its steps, takes keys, and ends with Ctrl-] q', { timeout: 60_000 }, async () => {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: 90, rows: 30 });
  let shown = '';
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const until = async (pattern: RegExp): Promise<void> => {
    for (let i = 0; i < 400 && !pattern.test(shown); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.match(shown, pattern);
  };
  const ended = runLabInTerminal(readLabFolder('statefulset'), 'statefulset', 10, { input, output });
  after(() => input.end());
  await until(/reader@chartroom:~\$ $/);
  input.write('kubectl apply -f statefulset.yaml\r');
  await until(/statefulset.apps\/mysql-statefulset created/);
  await until(/✓ 第一個時刻/);
  input.write('kubectl get nodes; kubectl get pods -A\r');
  await until(/✓ 出發前[\s\S]*── 3\/7/);
  input.write('\x1dh');
  await until(/先等一下/);
  input.write('\x1dq');
  assert.equal(await ended, 0);
});

test('an unknown lab is refused with the names of those there are', () => {
  assert.throws(() => readLabFolder('../etc'), /no lab "\.\.\/etc"; there are: .*statefulset/);
});
