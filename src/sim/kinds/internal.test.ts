import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { diff, internalValue } from './internal.ts';
import type { Pod } from './types.ts';

interface Conversation {
  name: string;
  request: { path: string };
  response: { body: Pod & { message?: string; kind?: string; items?: Pod[] } };
}

test('the recorded diff of a forbidden Pod update', () => {
  const file = JSON.parse(readFileSync('tests/conformance/corpus/rest.json', 'utf8')) as Conversation[] | { steps: Conversation[] };
  const all = Array.isArray(file) ? file : file.steps;
  const refused = all.find(({ name }) => name === 'pod-update-forbidden');
  const spec: Pod['spec'] = {
    volumes: [
      {
        name: 'kube-api-access-xxxxx',
        projected: {
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
          ],
          defaultMode: 420,
        },
      },
    ],
    containers: [{ name: 'c', image: 'busybox', command: ['sleep', '3600'] }],
  };
  const changed = { ...spec, containers: [{ name: 'c', image: 'busybox', command: ['x'] }] };
  const text = diff(internalValue('PodSpec', spec), internalValue('PodSpec', changed));
  assert.equal(text, refused?.response.body.message?.split('previously negative)\n')[1]);
});
