import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ApiObject } from '../client/types.ts';
import { create, testContext } from './testing/context.ts';

interface Conversation {
  name: string;
  request: { body: ApiObject };
  response: { status: number; body: ApiObject };
}

const recorded = JSON.parse(readFileSync('tests/conformance/corpus/rest-defaults.json', 'utf8')) as Conversation[] | { steps: Conversation[] };

const context = testContext(
  {
    'v1/namespaces': [{ metadata: { name: 'rest2' } }],
    'v1/serviceaccounts': [{ metadata: { name: 'default', namespace: 'rest2' } }],
    'storage.k8s.io/v1/storageclasses': [{ metadata: { name: 'local-path', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } }],
  },
  { dryRun: true },
);

for (const { name, request, response } of Array.isArray(recorded) ? recorded : recorded.steps) {
  test(`recorded defaults: ${name}`, () => {
    const expected = structuredClone(response.body);
    delete expected.metadata?.managedFields;
    const { uid, creationTimestamp } = expected.metadata ?? {};
    const { object, errors } = create({ ...request.body, metadata: { ...request.body.metadata, namespace: 'rest2', uid, creationTimestamp } }, context);
    assert.deepEqual(errors, []);
    const suffix = /kube-api-access-\w{5}/g;
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replace(suffix, 'kube-api-access-xxxxx'));
    assert.deepEqual(plain(object), plain(expected));
  });
}
