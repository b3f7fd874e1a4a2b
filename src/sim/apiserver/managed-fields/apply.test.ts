import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { testKernel } from '../../../kernel/testing/index.ts';
import { type ApiServer, createApiServer } from '../index.ts';

type Json = Record<string, unknown>;
interface Entry {
  manager: string;
  operation: string;
  fieldsV1: Json;
  subresource?: string;
}

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

describe('server-side apply', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = createApiServer({ kernel: testKernel(), strategies: [], admission: [] });
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
  });

  async function send(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
  ): Promise<{ status: number; value: Json & { metadata: { managedFields?: Entry[] }; spec?: Json; message?: string } }> {
    const response = await server.transport.request({
      method,
      path,
      headers: { 'content-type': type, 'user-agent': 'test/1' },
      ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
    });
    return { status: response.status, value: JSON.parse(new TextDecoder().decode(response.body)) };
  }

  const apply = (manager: string, spec: Json, more = ''): ReturnType<typeof send> =>
    send(
      'PATCH',
      `${DEPLOYMENTS}/d?fieldManager=${manager}${more}`,
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec },
      'application/apply-patch+yaml',
    );

  const template = (...containers: Json[]): Json => ({
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers } },
  });

  it('owns what is said, items of lists by their keys, and not what is filled in', async () => {
    const { status, value } = await apply('one', template({ name: 'c', image: 'x', ports: [{ containerPort: 80 }] }));
    assert.equal(status, 201);
    assert.deepEqual(value.metadata.managedFields?.[0]?.fieldsV1, {
      'f:spec': {
        'f:selector': {},
        'f:template': {
          'f:metadata': { 'f:labels': { 'f:a': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"c"}': {
                '.': {},
                'f:image': {},
                'f:name': {},
                'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
              },
            },
          },
        },
      },
    });
  });

  it('removes what its owner no longer says, unless somebody else does', async () => {
    await apply('one', { ...template({ name: 'c', image: 'x' }, { name: 'd', image: 'y' }), replicas: 3 });
    await apply('two', template({ name: 'd', image: 'y' }));
    const { value } = await apply('one', template({ name: 'c', image: 'x' }));
    const spec = (value.spec as { template: { spec: { containers: { name: string }[] } }; replicas?: number }) ?? {};
    assert.deepEqual(
      spec.template.spec.containers.map(({ name }) => name),
      ['c', 'd'],
    );
    assert.equal(spec.replicas, undefined);
  });

  it('refuses to overrule others, names each field, and does when forced', async () => {
    await apply('one', { ...template({ name: 'c', image: 'x' }), replicas: 1 });
    const refused = await apply('two', { ...template({ name: 'c', image: 'y' }), replicas: 2 });
    assert.equal(refused.status, 409);
    assert.equal(
      refused.value.message,
      'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.replicas\n- .spec.template.spec.containers[name="c"].image',
    );
    const forced = await apply('two', { ...template({ name: 'c', image: 'y' }), replicas: 2 }, '&force=true');
    assert.equal(forced.status, 200);
    assert.equal(forced.value.spec?.replicas, 2);
    const [one] = forced.value.metadata.managedFields ?? [];
    assert.equal(one?.manager, 'one');
    assert.equal(JSON.stringify(one?.fieldsV1).includes('f:replicas'), false);
  });

  it('shares a field that both say alike', async () => {
    await apply('one', { ...template({ name: 'c', image: 'x' }), replicas: 1 });
    const { status, value } = await apply('two', { replicas: 1 });
    assert.equal(status, 200);
    assert.deepEqual(
      value.metadata.managedFields?.map(({ manager }) => manager),
      ['one', 'two'],
    );
  });

  it('writes nothing when nothing changes', async () => {
    const first = await apply('one', template({ name: 'c', image: 'x' }));
    const second = await apply('one', template({ name: 'c', image: 'x' }));
    assert.deepEqual(second.value.metadata, first.value.metadata);
  });

  it('an update takes the field over', async () => {
    await apply('one', { ...template({ name: 'c', image: 'x' }), replicas: 1 });
    const { value } = await send('PATCH', `${DEPLOYMENTS}/d`, { spec: { replicas: 5 } }, 'application/merge-patch+json');
    const update = value.metadata.managedFields?.find(({ operation }) => operation === 'Update');
    assert.deepEqual(update?.fieldsV1, { 'f:spec': { 'f:replicas': {} } });
    const back = await apply('one', { ...template({ name: 'c', image: 'x' }), replicas: 1 });
    assert.match(String(back.value.message), /conflict with "test" using apps\/v1: \.spec\.replicas/);
  });

  it('says what does not fit the schema', async () => {
    const { status, value } = await apply('one', { replicas: 'x', nope: 1 });
    assert.equal(status, 500);
    assert.equal(
      value.message,
      'failed to create typed patch object (/d; apps/v1, Kind=Deployment): errors:\n  .spec.replicas: expected numeric (int or float), got string\n  .spec.nope: field not declared in schema',
    );
  });
});
