import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strategicMerge, threeWayMergePatch, twoWayMergePatch } from './strategic.ts';

const deployment = (containers: object[], replicas?: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { ...(replicas === undefined ? {} : { replicas }), template: { spec: { containers } } },
});

test('apply’s three-way patch changes what changed and removes what is gone from the file', () => {
  const original = deployment(
    [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'y' },
    ],
    2,
  );
  const modified = deployment([{ name: 'a', image: 'z' }]);
  const live = deployment(
    [
      { name: 'a', image: 'x', imagePullPolicy: 'Always' },
      { name: 'b', image: 'y' },
    ],
    2,
  );
  const patch = threeWayMergePatch(original, modified, live, 'Deployment');
  assert.deepEqual(strategicMerge(live, patch, 'Deployment'), deployment([{ name: 'a', image: 'z', imagePullPolicy: 'Always' }]));
  assert.deepEqual(threeWayMergePatch(original, original, live, 'Deployment'), {});
});

test('a list with merge keys is patched by element', () => {
  const before = deployment([
    { name: 'a', image: 'x' },
    { name: 'b', image: 'y' },
  ]);
  const after = deployment([
    { name: 'a', image: 'x' },
    { name: 'b', image: 'q' },
  ]);
  assert.deepEqual(twoWayMergePatch(before, after, 'Deployment').spec.template.spec.containers, [{ image: 'q', name: 'b' }]);
});
