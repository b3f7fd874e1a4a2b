import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDocuments, readYamlDocument } from './yaml-read.ts';
import { toYaml } from './yaml-write.ts';

test('YAML that is broken is told in go-yaml’s words', () => {
  const cases: [string, string][] = [
    ['a: b\nkey\n', "yaml: line 3: could not find expected ':'"],
    ['a: b\n  c: d\n', 'yaml: line 2: mapping values are not allowed in this context'],
    ['spec:\n  containers:\n  - name: a\n    image: b\n   - name: c\n', 'yaml: line 4: did not find expected key'],
    ['a:\n\tb: c\n', 'yaml: line 2: found character that cannot start any token'],
  ];
  for (const [text, message] of cases) assert.throws(() => readYamlDocument(text), { message });
});

test('documents are separated by lines of ---; JSON values may follow one another', () => {
  assert.deepEqual([...readDocuments('---\na: 1\n---\n# nothing\n---\nb: 2\n')], [{ a: 1 }, null, { b: 2 }]);
  assert.deepEqual([...readDocuments('{"a":1}\n{"b":2}')], [{ a: 1 }, { b: 2 }]);
  assert.throws(() => [...readDocuments('--- foo\na: 1\n')], { message: 'invalid Yaml document separator: foo' });
});

test('scalars that YAML 1.1 would read otherwise are quoted, and come back as they were', () => {
  const value = { a: 'yes', b: '1e3', c: 'null', d: '', e: 'x: y', f: 'two\nlines\n', g: '012', h: '- x', i: 1.5, j: true, k: null, l: [], m: {}, n: '#no' };
  assert.deepEqual(readYamlDocument(toYaml(value)), value);
});
