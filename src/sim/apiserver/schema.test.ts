import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSchema, schemaTypes } from './schema.ts';

/** Names that a type refers to, however deep. */
const references = (fact: unknown): string[] => [...JSON.stringify(fact).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');

test('the types that are there from the start refer to no other, and the rest comes when it is asked for', async () => {
  const first = schemaTypes();
  for (const [name, fact] of Object.entries(first)) for (const other of references(fact)) assert.ok(first[other], `${name} refers to ${other}`);
  assert.equal(first['io.k8s.api.apps.v1.StatefulSet'], undefined);
  await loadSchema();
  const all = schemaTypes();
  assert.equal(Object.keys(all).length, 581);
  assert.ok(all['io.k8s.api.apps.v1.StatefulSet']);
  for (const name of Object.keys(first)) assert.equal(all[name], first[name]);
});
