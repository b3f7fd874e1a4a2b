import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProgressFile } from './progress-file.ts';

test('a progress file is read, and what is strange in it is left out', () => {
  const text = JSON.stringify({
    kind: 'chartroom-progress',
    version: 1,
    progress: { dns: ['client', 7, '<b>'], '<img>': ['x'], broken: 'no list' },
    files: { dns: { 'a.yaml': 'a: 1', '../x': 'no', 'b.yaml': 3 } },
  });
  assert.deepEqual(parseProgressFile(text), { kind: 'chartroom-progress', version: 1, progress: { dns: ['client'] }, files: { dns: { 'a.yaml': 'a: 1' } } });
});

for (const [what, text] of [
  ['not JSON', '{'],
  ['something else', '{"kind":"other"}'],
  ['null', 'null'],
  ['another version', '{"kind":"chartroom-progress","version":2}'],
] as const) {
  test(`a file that is ${what} is refused in words`, () => {
    assert.throws(() => parseProgressFile(text), /進度/);
  });
}
