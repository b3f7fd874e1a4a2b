import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { testKernel } from '../../../kernel/testing/index.ts';
import { admissionPlugins, strategies } from '../../kinds/index.ts';
import { createApiServer } from '../index.ts';
import { loadSchema, schemaTypes } from '../schema.ts';
import { permutationLengths } from './field-order.ts';

before(loadSchema);

it('knows the fields of every type', () => {
  const lengths = permutationLengths();
  const types = Object.entries(schemaTypes());
  assert.equal(lengths.length, types.length);
  for (const [i, [name, { properties }]] of types.entries()) if (lengths[i]) assert.equal(lengths[i], Object.keys(properties ?? {}).length, name);
});

it('writes members in the order of the Go types, maps by key, whatever the client did', async () => {
  const server = createApiServer({ kernel: testKernel(), strategies, admission: admissionPlugins });
  server.client.resource('v1/namespaces').create({ metadata: { name: 'default' } }, { cause: { actor: 'test', rule: 'test' } });
  const body = {
    spec: { ports: [{ targetPort: 80, port: 80, name: 'b' }], type: 'ClusterIP', selector: { z: '1', a: '2' }, clusterIP: 'None' },
    metadata: { labels: { b: '1', a: '2' }, name: 's' },
  };
  const path = '/api/v1/namespaces/default/services';
  const send = async (method: string, at: string, sent?: object): Promise<string> => {
    const bytes = sent ? { body: new TextEncoder().encode(JSON.stringify(sent)) } : {};
    return new TextDecoder().decode((await server.transport.request({ method, path: at, headers: { 'user-agent': 'u/1' }, ...bytes })).body);
  };
  const tidy = (text: string): string =>
    text
      .replace(/"uid":"[^"]*","resourceVersion":"[0-9]+"/, '"uid":"","resourceVersion":"2"')
      .replace(/"managedFields":\[.*\]\},"spec"/, '"managedFields":[]},"spec"');
  const created = tidy(await send('POST', path, body));
  assert.equal(
    created,
    '{"kind":"Service","apiVersion":"v1","metadata":{"name":"s","namespace":"default","uid":"","resourceVersion":"2","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"2","b":"1"},"managedFields":[]},"spec":{"ports":[{"name":"b","protocol":"TCP","port":80,"targetPort":80}],"selector":{"a":"2","z":"1"},"clusterIP":"None","clusterIPs":["None"],"type":"ClusterIP","sessionAffinity":"None","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","internalTrafficPolicy":"Cluster"},"status":{"loadBalancer":{}}}\n'.replace(
      '2026-01-01T00:00:00Z',
      (JSON.parse(created) as { metadata: { creationTimestamp: string } }).metadata.creationTimestamp,
    ),
  );
  assert.equal(tidy(await send('GET', `${path}/s`)), created);
});
