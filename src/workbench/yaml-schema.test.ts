import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import first from '../sim/kinds/facts/schema-first.json' with { type: 'json' };
import later from '../sim/kinds/facts/schema-later.json' with { type: 'json' };
import { documentHead, fieldsAt, pathAt, type Schemas, schemaFor, schemaMistakes } from './yaml-schema.ts';

const schemas = { ...first, ...later } as unknown as Schemas;
const good = readFileSync('labs/statefulset/manifests/statefulset.yaml', 'utf8');
const lines = good.split('\n');
const lineWith = (text: string): number => lines.findIndex((line) => line.includes(text));

test('the path of a key goes through maps and lists, however the list is indented', () => {
  const at = lineWith('containerPort');
  assert.deepEqual(pathAt(lines, at, 14), ['spec', 'template', 'spec', 'containers', '[]', 'ports', '[]']);
  assert.deepEqual(pathAt(lines, lineWith('image:'), 10), ['spec', 'template', 'spec', 'containers', '[]']);
  assert.deepEqual(pathAt(['a:', '- b: 1', '  c'], 2, 2), ['a', '[]']);
  assert.deepEqual(pathAt(lines, lineWith('replicas'), 2), ['spec']);
});

test('the document of a line is told from its neighbours', () => {
  const two = ['apiVersion: v1', 'kind: Service', '---', 'apiVersion: apps/v1', 'kind: StatefulSet', 'spec:'];
  assert.deepEqual(documentHead(two, 5), { apiVersion: 'apps/v1', kind: 'StatefulSet' });
  assert.deepEqual(documentHead(two, 0), { apiVersion: 'v1', kind: 'Service' });
});

test('fields are offered for the place, required ones first', () => {
  const root = schemaFor(schemas, 'apps/v1', 'StatefulSet');
  assert.ok(root);
  const names = fieldsAt(schemas, root, ['spec']).map((field) => field.name);
  assert.deepEqual(names.slice(0, 2), ['selector', 'template']);
  assert.ok(names.includes('volumeClaimTemplates'));
  assert.deepEqual(fieldsAt(schemas, root, ['spec']).find((field) => field.name === 'podManagementPolicy')?.values, ['OrderedReady', 'Parallel']);
});

test('the lesson manifests have no mistake', () => {
  assert.deepEqual(schemaMistakes(schemas, good), []);
});

test("a field at the wrong level is found, with the API server's words", () => {
  const wrong = good
    .replace('  volumeClaimTemplates:', 'volumeClaimTemplates:')
    .replace(/^ {4}- metadata:\n {8}name: mysql-vol[\s\S]*$/m, '    - metadata: {name: mysql-vol}\n');
  const [mistake] = schemaMistakes(schemas, wrong);
  assert.match(mistake?.message ?? '', /unknown field "volumeClaimTemplates"/);
});

test('wrong types and values are found', () => {
  const wrong = good.replace('replicas: 3', 'replicas: three').replace('OrderedReady', 'Together').replace('value: your-root-password', 'value: 123');
  assert.equal(schemaMistakes(schemas, wrong).length, 3);
});
