import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testKernel } from '../../../kernel/testing/index.ts';
import { admissionPlugins, strategies } from '../../kinds/index.ts';
import { createApiServer } from '../index.ts';
import { definitionWarnings } from './definition-rules.ts';

const DEFINITION = {
  metadata: { name: 'crontabs.stable.example.com' },
  spec: {
    group: 'stable.example.com',
    scope: 'Namespaced',
    names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
        additionalPrinterColumns: [{ name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['cronSpec'],
                properties: {
                  cronSpec: { type: 'string', pattern: '^\\S+ \\S+$' },
                  image: { type: 'string', default: 'busybox' },
                  replicas: { type: 'integer', minimum: 1 },
                  list: { type: 'array', items: { type: 'string' } },
                },
              },
              status: { type: 'object', properties: { replicas: { type: 'integer' } } },
            },
          },
        },
      },
    ],
  },
};

it('a CustomResourceDefinition adds a kind, with its rules, and takes it away', async () => {
  const kernel = testKernel();
  const server = createApiServer({ kernel, strategies, admission: admissionPlugins });
  const send = async (
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
    accept = 'application/json',
  ): Promise<{ status: number; value: Record<string, never> }> => {
    const response = await server.transport.request({
      method,
      path,
      headers: { 'content-type': type, accept },
      ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
    });
    await kernel.settle();
    const text = response.body ? new TextDecoder().decode(response.body) : '';
    return { status: response.status, value: text.startsWith('{') ? JSON.parse(text) : {} };
  };
  const root = '/apis/stable.example.com/v1/namespaces/default/crontabs';
  await send('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
  assert.equal((await send('GET', root)).status, 404);
  assert.equal((await send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION)).status, 201);

  const created = await send('POST', root, {
    apiVersion: 'stable.example.com/v1',
    kind: 'CronTab',
    metadata: { name: 'a' },
    spec: { cronSpec: '* *', list: [], unknown: 1 },
  });
  assert.equal(created.status, 201);
  assert.deepEqual(created.value.spec, { cronSpec: '* *', image: 'busybox', list: [] });

  const refused = await send('POST', root, {
    apiVersion: 'stable.example.com/v1',
    kind: 'CronTab',
    metadata: { name: 'b' },
    spec: { cronSpec: 'x', replicas: 0 },
  });
  assert.equal(
    refused.value.message,
    'CronTab.stable.example.com "b" is invalid: [spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match \'^\\S+ \\S+$\', spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1]',
  );
  assert.equal((await send('PATCH', `${root}/a`, { spec: { image: 'x' } }, 'application/strategic-merge-patch+json')).status, 415);
  assert.deepEqual((await send('PATCH', `${root}/a/scale`, { spec: { replicas: 3 } }, 'application/merge-patch+json')).value.spec, { replicas: 3 });
  assert.deepEqual((await send('PATCH', `${root}/a/status`, { status: { replicas: 3 }, spec: { image: 'no' } }, 'application/merge-patch+json')).value.status, {
    replicas: 3,
  });
  const read = await send('GET', `${root}/a`);
  assert.deepEqual(read.value.spec, { cronSpec: '* *', image: 'busybox', list: [], replicas: 3 });
  assert.equal((read.value.metadata as unknown as { generation: number }).generation, 2);

  const table = await send('GET', root, undefined, undefined, 'application/json;as=Table;v=v1;g=meta.k8s.io');
  assert.deepEqual(
    (table.value.rows as unknown as { cells: unknown[] }[]).map(({ cells }) => cells),
    [['a', '* *']],
  );
  const discovery = await send('GET', '/apis/stable.example.com/v1');
  assert.deepEqual(
    (discovery.value.resources as unknown as { name: string }[]).map(({ name }) => name),
    ['crontabs', 'crontabs/status', 'crontabs/scale'],
  );

  assert.equal((await send('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crontabs.stable.example.com')).status, 200);
  assert.equal((await send('GET', root)).status, 404);
});

it('who asks for conversion by webhook is told that there is none', () => {
  const { spec } = DEFINITION;
  assert.deepEqual(definitionWarnings({ spec }), []);
  assert.match(definitionWarnings({ spec: { ...spec, conversion: { strategy: 'Webhook' } } }).join(), /conversion by webhook is not simulated yet/);
});
