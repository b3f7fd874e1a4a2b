import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { testKernel } from '../../src/kernel/testing/index.ts';
import { type ApiServer, createApiServer } from '../../src/sim/apiserver/index.ts';
import { type ResourceInfo, ResourceRegistry } from '../../src/sim/apiserver/resources.ts';
import { loadSchema, type ObjectNode, type SchemaNode } from '../../src/sim/apiserver/schema.ts';
import { admissionPlugins, strategies } from '../../src/sim/kinds/index.ts';
import type { ConfigMap, Namespace } from '../../src/sim/kinds/types.ts';
import type { HttpResponse } from '../../src/sim/transport.ts';

await loadSchema();

const CAUSE = { actor: 'test', rule: 'test' };

function freshServer(): { server: ApiServer; kernel: ReturnType<typeof testKernel>; errors: unknown[] } {
  const kernel = testKernel('properties');
  const errors: unknown[] = [];
  kernel.onError = (error) => errors.push(error);
  const server = createApiServer({ kernel, strategies, admission: admissionPlugins });
  server.client.resource<Namespace>('v1/namespaces').create({ metadata: { name: 'default' } }, { cause: CAUSE });
  server.client.resource('v1/serviceaccounts').create({ metadata: { name: 'default', namespace: 'default' } }, { cause: CAUSE });
  return { server, kernel, errors };
}

async function send(
  server: ApiServer,
  method: string,
  path: string,
  body?: unknown,
  type = 'application/json',
  accept = 'application/json',
): Promise<{ response: HttpResponse; value: Record<string, unknown> }> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const response = await server.transport.request({
    method,
    path,
    headers: { accept, 'content-type': type, 'user-agent': 'test/1' },
    ...(text === undefined ? {} : { body: new TextEncoder().encode(text) }),
  });
  const answer = response.body ? new TextDecoder().decode(response.body) : '';
  return { response, value: answer.startsWith('{') ? (JSON.parse(answer) as Record<string, unknown>) : {} };
}

/** Values of a type, mostly right, sometimes of another type. */
function valueFor(node: SchemaNode, depth: number): fc.Arbitrary<unknown> {
  const wrong = fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.boolean(), fc.constant(null), fc.constant([]), fc.constant({}));
  const mostly = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.oneof({ weight: 30, arbitrary: right }, { weight: 1, arbitrary: wrong });
  switch (node.kind) {
    case 'object':
      return depth <= 0 ? fc.constant({}) : mostly(objectOf(node, depth));
    case 'map':
      return depth <= 0
        ? fc.constant({})
        : mostly(fc.dictionary(fc.constantFrom('a', 'b-c', 'app', 'x/y', '__proto__', 'Bad Key'), valueFor(node.value, depth - 1), { maxKeys: 2 }));
    case 'list':
      return depth <= 0 ? fc.constant([]) : mostly(fc.array(valueFor(node.item, depth - 1), { maxLength: 2 }));
    case 'integer':
    case 'number':
      return mostly(fc.oneof(fc.integer({ min: -1, max: 5 }), fc.constant(80), fc.constant(2 ** 40)));
    case 'boolean':
      return mostly(fc.boolean());
    case 'quantity':
      return mostly(fc.constantFrom('1', '500m', '1Gi', '1.5', 'x', 3));
    case 'intOrString':
      return mostly(fc.constantFrom(80, 'http', '25%', -1));
    case 'time':
    case 'microTime':
      return mostly(fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.123456+02:00', 'yesterday'));
    case 'bytes':
      return mostly(fc.constantFrom('aGk=', '', '!'));
    case 'string':
      return mostly(fc.constantFrom('a', 'web', 'Always', 'TCP', 'ClusterIP', 'None', '10.43.0.77', 'x y', '', 'v1', 'Pod', 'RollingUpdate'));
    default:
      return fc.constantFrom({}, { a: 1 }, null);
  }
}

function objectOf(node: ObjectNode, depth: number): fc.Arbitrary<unknown> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  const required: string[] = [];
  for (const [key, property] of node.properties) {
    fields[key] = valueFor(property.node, depth - 1);
    if (property.required) required.push(key);
  }
  // A few fields of many at a time; the required ones usually.
  return fc
    .record({
      chosen: fc.subarray(Object.keys(fields), { maxLength: Math.min(5, Object.keys(fields).length) }),
      needs: fc.boolean(),
    })
    .chain(({ chosen, needs }) =>
      fc.record(Object.fromEntries([...new Set([...chosen, ...(needs ? required : [])])].map((key) => [key, fields[key] as fc.Arbitrary<unknown>]))),
    );
}

const registry = new ResourceRegistry();
/** Binding answers plain 500s upstream, too. */
const kinds = [...registry.all()].filter((info) => info.verbs.has('create') && info.kind !== 'Binding').map((info) => info.id);

describe('random objects', () => {
  it('never make the server fail, and what it accepts reads back the same', async () => {
    const { server, errors } = freshServer();
    const request = fc
      .constantFrom(...kinds)
      .chain((id) => fc.record({ id: fc.constant(id), body: objectOf((registry.get(id) as ResourceInfo).node, 5), named: fc.boolean() }));
    let serial = 0;
    await fc.assert(
      fc.asyncProperty(request, async ({ id, body, named }) => {
        const info = registry.get(id) as ResourceInfo;
        const root = info.group ? `/apis/${info.groupVersion}` : `/api/${info.version}`;
        const path = `${root}${info.namespaced ? '/namespaces/default' : ''}/${info.resource}`;
        const object = { ...(body as object), apiVersion: info.groupVersion, kind: info.kind, ...(named ? { metadata: { name: `n${serial++}` } } : {}) };
        const { response, value } = await send(server, 'POST', path, object);
        const known = [201, 400, 403, 404, 409, 422];
        assert.ok(
          known.includes(response.status) || (response.status === 500 && value.message === 'resourceVersion should not be set on objects to be created'),
          `${response.status} ${JSON.stringify(value).slice(0, 500)} for ${JSON.stringify(object).slice(0, 1500)}`,
        );
        assert.deepEqual(errors, []);
        if (response.status !== 201 || !info.verbs.has('get')) return;
        const meta = value.metadata as { name: string };
        const again = await send(server, 'GET', `${path}/${encodeURIComponent(meta.name)}`);
        assert.equal(again.response.status, 200);
        assert.deepEqual(again.value, value);
        const same = await send(server, 'PUT', `${path}/${encodeURIComponent(meta.name)}`, value);
        assert.equal(same.response.status, 200, JSON.stringify(same.value).slice(0, 800));
        assert.equal(
          (same.value.metadata as { resourceVersion: string }).resourceVersion,
          (value.metadata as { resourceVersion: string }).resourceVersion,
          `an unchanged PUT of ${info.id} wrote ${JSON.stringify(value)} → ${JSON.stringify(same.value)}`,
        );
      }),
      { numRuns: 1_500, seed: 20261123 },
    );
  });

  it('random bytes, paths and patches are refused, not thrown', async () => {
    const { server, errors } = freshServer();
    await send(server, 'POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'a' }, data: { x: '1' } });
    const path = fc.oneof(
      fc.webPath(),
      fc.constantFrom(
        '/api/v1/namespaces/default/configmaps/a',
        '/api/v1/pods?limit=x',
        '/api/v1/pods?labelSelector=((',
        '/apis/%zz/v1',
        '/api/v1/pods?continue=%%%',
        '/api/v1/pods?fieldSelector=a%5C',
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
        path,
        fc.oneof(fc.string(), fc.json(), fc.constantFrom('[{"op":"copy","from":"","path":"/data/a"}]', '{"__proto__":{"x":1}}')),
        fc.constantFrom(
          'application/json',
          'application/yaml',
          'application/merge-patch+json',
          'application/json-patch+json',
          'application/strategic-merge-patch+json',
          'application/apply-patch+yaml',
          'nonsense',
        ),
        async (method, where, body, type) => {
          const { response } = await send(server, method, where, body, type);
          assert.ok(response.status >= 200 && response.status < 600);
          assert.deepEqual(errors, []);
        },
      ),
      { numRuns: 2_000, seed: 7 },
    );
    assert.equal(({} as { x?: unknown }).x, undefined);
  });
});

describe('concurrent writers', () => {
  it('never lose an update when they retry on conflict', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 }), async (turns) => {
        const { server } = freshServer();
        const maps = server.client.resource<ConfigMap>('v1/configmaps');
        maps.create({ metadata: { name: 'counter', namespace: 'default' }, data: { n: '0' } }, { cause: CAUSE });
        const seen = new Map<number, ConfigMap>();
        let done = 0;
        for (const writer of turns) {
          const held = seen.get(writer) ?? (maps.get('default', 'counter') as ConfigMap);
          const next = { ...held, data: { n: String(Number(held.data?.n) + 1) } };
          try {
            seen.set(writer, maps.update(next, { cause: CAUSE }));
            done++;
          } catch (error) {
            assert.equal((error as { status?: { reason?: string } }).status?.reason, 'Conflict');
            seen.delete(writer);
          }
        }
        assert.equal(maps.get('default', 'counter')?.data?.n, String(done));
      }),
      { numRuns: 100, seed: 3 },
    );
  });
});

describe('watch', () => {
  it('from any point, replayed, equals a list', async () => {
    const step = fc.record({
      op: fc.constantFrom('create', 'update', 'relabel', 'delete'),
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      reconnect: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.constantFrom('', 'labelSelector=t%3Dx'), async (steps, selector) => {
        const { server, kernel } = freshServer();
        const maps = server.client.resource<ConfigMap>('v1/configmaps');
        const root = '/api/v1/namespaces/default/configmaps';
        const list = (await send(server, 'GET', `${root}?${selector}`)).value as { metadata: { resourceVersion: string }; items: ConfigMap[] };
        const state = new Map(list.items.map((item) => [item.metadata?.name, item.metadata?.resourceVersion]));
        let revision = list.metadata.resourceVersion;
        let abort = new AbortController();
        let reading = Promise.resolve();
        const open = async (): Promise<void> => {
          abort = new AbortController();
          const response = await server.transport.request({
            method: 'GET',
            path: `${root}?watch=true&resourceVersion=${revision}&${selector}`,
            headers: {},
            signal: abort.signal,
          });
          reading = (async () => {
            for await (const chunk of response.stream ?? []) {
              for (const line of new TextDecoder().decode(chunk).split('\n').filter(Boolean)) {
                const { type, object } = JSON.parse(line) as { type: string; object: ConfigMap };
                revision = object.metadata?.resourceVersion as string;
                if (type === 'ADDED') assert.ok(!state.has(object.metadata?.name), 'ADDED twice');
                else assert.ok(state.has(object.metadata?.name), `${type} of what was never added`);
                if (type === 'DELETED') state.delete(object.metadata?.name);
                else state.set(object.metadata?.name, revision);
              }
            }
          })();
        };
        await open();
        for (const { op, name, reconnect } of steps) {
          const existing = maps.get('default', name);
          const label = op === 'relabel' ? (existing?.metadata?.labels?.t === 'x' ? 'y' : 'x') : (existing?.metadata?.labels?.t ?? 'x');
          if (op === 'delete') {
            if (existing) maps.delete('default', name, { cause: CAUSE });
          } else if (existing)
            maps.update({ ...existing, metadata: { ...existing.metadata, labels: { t: label } }, data: { n: String(Math.random()) } }, { cause: CAUSE });
          else maps.create({ metadata: { name, namespace: 'default', labels: { t: label } } }, { cause: CAUSE });
          if (reconnect) {
            await kernel.settle();
            abort.abort();
            await reading;
            await open();
          }
        }
        await kernel.settle();
        abort.abort();
        await reading;
        const final = (await send(server, 'GET', `${root}?${selector}`)).value as { items: ConfigMap[] };
        assert.deepEqual(new Map([...state].sort()), new Map(final.items.map((item) => [item.metadata?.name, item.metadata?.resourceVersion])));
      }),
      { numRuns: 60, seed: 5 },
    );
  });
});
