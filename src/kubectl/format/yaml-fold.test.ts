import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readYamlDocument } from './yaml-read.ts';
import { toYaml } from './yaml-write.ts';

const words = 'a text that goes on and on until it is much longer than one line of a describe page may be, so that it is folded';

test('a line is broken at the first single space after column 80, as libyaml does', () => {
  assert.equal(
    toYaml({ metadata: { annotations: { 'long/annotation': words } } }),
    `metadata:
  annotations:
    long/annotation: a text that goes on and on until it is much longer than one line
      of a describe page may be, so that it is folded
`,
  );
});

test('folded scalars of every style are read back as they were', () => {
  for (const text of [words, `${words}: ${words}`, `"${words}\t${words}"`, `${words}  two spaces ${words}`, `'${words}'`])
    assert.deepEqual(readYamlDocument(toYaml({ list: [{ text }], text })), { list: [{ text }], text });
});
