import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nodeClock } from '../hosts/node/clock.ts';
import { checkManifest } from '../lab/check-manifest.ts';
import { placeRefusals } from './server-words.ts';

const GOOD = readFileSync('labs/statefulset/manifests/statefulset.yaml', 'utf8');

/** Where the editor marks a text, and what it says there. */
async function marks(text: string): Promise<{ at: string; means: string; words: string }[]> {
  return placeRefusals(text, await checkManifest(nodeClock, 'f.yaml', text)).map(({ from, to, means, words }) => ({ at: text.slice(from, to), means, words }));
}

test("nothing is marked in the lesson's own manifest, nor in a second object of a name that is taken", async () => {
  assert.deepEqual(await marks(GOOD), []);
  assert.deepEqual(await marks(GOOD), []);
});

test("a mistake is marked where it stands, in the reader's words and in the server's own", async () => {
  const [tab] = await marks(GOOD.replace('    matchLabels', '\tmatchLabels'));
  assert.match(tab?.at ?? '', /^\tmatchLabels/);
  assert.match(tab?.means ?? '', /不能用 Tab/);
  assert.match(tab?.words ?? '', /^error: error parsing f\.yaml: error converting YAML to JSON: yaml: line \d+: /);

  const [unknown] = await marks(GOOD.replace('serviceName:', 'servicename:'));
  assert.equal(unknown?.at, 'servicename');
  assert.match(unknown?.means ?? '', /沒有 servicename 這個欄位/);
  assert.match(unknown?.words ?? '', /strict decoding error: unknown field "spec\.servicename"/);

  const [type] = await marks(GOOD.replace('replicas: 3', 'replicas: three'));
  assert.deepEqual({ at: type?.at, means: type?.means }, { at: 'three', means: 'replicas 的型別不對：寫的是 string，要的是 int32。' });

  const [env] = await marks(GOOD.replace('value: your-root-password', 'value: 123'));
  assert.equal(env?.at, '123');

  const two = await marks(GOOD.replace('OrderedReady', 'Together').replace('- name: mysql-vol', '- name: nope'));
  assert.deepEqual(
    two.map(({ at }) => at),
    ['Together', 'nope'],
  );
  assert.match(two[1]?.words ?? '', /^spec\.template\.spec\.containers\[0\]\.volumeMounts\[0\]\.name: Not found: "nope"$/);
});

test('of several documents, the right one is marked; what is missing is marked above it', async () => {
  const text = `${GOOD}---\napiVersion: v1\nkind: Service\nmetadata:\n  name: A_b\nspec:\n  type: ClusterIP\n`;
  const found = await marks(text);
  assert.deepEqual(
    found.map(({ at, means }) => [at, means]),
    [
      ['A_b', 'name 的值不合規則。'],
      ['spec', '少了必填的 ports。'],
    ],
  );
});
