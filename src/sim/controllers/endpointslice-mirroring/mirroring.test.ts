import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../../client/types.ts';
import type { EndpointSlice } from '../../kinds/types.ts';
import { Harness } from '../testing/harness.ts';

const service = (name: string, spec: object): ApiObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec }) as ApiObject;
const endpoints = (name: string, addresses: readonly string[], labels: Record<string, string> = {}): ApiObject =>
  ({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name, namespace: 'default', labels },
    subsets: [{ addresses: addresses.map((ip) => ({ ip })), notReadyAddresses: [{ ip: '192.0.2.9' }], ports: [{ name: 'db', port: 3306 }] }],
  }) as ApiObject;

test('Endpoints written by hand are mirrored for a Service without selector', async () => {
  const harness = new Harness();
  harness.create('v1/services', service('database', { ports: [{ name: 'db', port: 3306 }] }));
  harness.create('v1/endpoints', endpoints('database', ['192.0.2.1', '192.0.2.2'], { team: 'a' }));
  harness.create('v1/services', service('hidden', { ports: [{ name: 'db', port: 3306 }] }));
  harness.create('v1/endpoints', endpoints('hidden', ['192.0.2.3'], { 'endpointslice.kubernetes.io/skip-mirror': 'true' }));
  await harness.run(5);
  const all = (): readonly EndpointSlice[] => harness.client.resource<EndpointSlice>('discovery.k8s.io/v1/endpointslices').list('default');
  const [slice, ...others] = all();
  assert.deepEqual(others, []);
  assert.match(slice?.metadata?.name ?? '', /^database-[a-z0-9]{5}$/);
  assert.deepEqual(slice?.metadata?.labels, {
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    'kubernetes.io/service-name': 'database',
    team: 'a',
  });
  assert.deepEqual(
    slice?.endpoints?.map((one) => [one.addresses?.[0], one.conditions?.ready]),
    [
      ['192.0.2.1', true],
      ['192.0.2.2', true],
      ['192.0.2.9', false],
    ],
  );

  const current = harness.client.resource('v1/endpoints').get('default', 'database') as ApiObject;
  harness.client.resource('v1/endpoints').update({ ...current, ...endpoints('database', ['192.0.2.7']), metadata: current.metadata } as ApiObject, {
    cause: { actor: 'test', rule: 'test' },
  });
  await harness.run(5);
  assert.deepEqual(
    all().map((one) => [one.metadata?.name, one.endpoints?.[0]?.addresses?.[0]]),
    [[slice?.metadata?.name, '192.0.2.7']],
  );
  harness.client.resource('v1/endpoints').delete('default', 'database', { cause: { actor: 'test', rule: 'test' } });
  await harness.run(5);
  assert.deepEqual(all(), []);
  harness.dispose();
});
