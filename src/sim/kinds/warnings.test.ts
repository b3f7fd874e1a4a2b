import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../client/types.ts';
import { strategyOf } from './testing/context.ts';

const warn = (resource: string, object: object, old?: object): string[] =>
  strategyOf(resource).warnings?.(object as ApiObject, old as ApiObject | undefined) ?? [];

/** Texts checked against the strategies of Kubernetes v1.36.3 themselves. */
test('new Deployments whose name is no DNS label', () => {
  const [text] = warn('apps/v1/deployments', { metadata: { name: 'a.b' }, spec: {} });
  assert.match(
    text as string,
    /^metadata\.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: \[must not contain dots\]$/,
  );
  assert.deepEqual(warn('apps/v1/deployments', { metadata: { name: 'a.b', generation: 1 }, spec: {} }, { metadata: { generation: 1 } }), []);
});

test('variables that hide one another, ports that overlap', () => {
  const containers = [
    {
      name: 'c',
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
      ports: [{ containerPort: 80, protocol: 'TCP' }],
    },
    { name: 'd', ports: [{ containerPort: 80, protocol: 'TCP' }] },
  ];
  assert.deepEqual(warn('v1/pods', { metadata: { name: 'web' }, spec: { containers } }), [
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    'spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]',
  ]);
});

test('fractional bytes of a claim, a negative history', () => {
  const spec = { revisionHistoryLimit: -1, volumeClaimTemplates: [{ spec: { resources: { requests: { storage: '1500m' } } } }] };
  assert.deepEqual(warn('apps/v1/statefulsets', { metadata: { name: 'web' }, spec }), [
    'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
  ]);
});
