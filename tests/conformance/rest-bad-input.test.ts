import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testKernel } from '../../src/kernel/testing/index.ts';
import { type ApiServer, createApiServer } from '../../src/sim/apiserver/index.ts';
import { admissionPlugins, strategies } from '../../src/sim/kinds/index.ts';
import type { ConfigMap, Namespace } from '../../src/sim/kinds/types.ts';

/** Input that is meant to hurt: an answer like the real server's, bounded memory, no crash. */

const CAUSE = { actor: 'test', rule: 'test' };
const MAPS = '/api/v1/namespaces/default/configmaps';
const REVISIONS = '/apis/apps/v1/namespaces/default/controllerrevisions';

interface Answer {
  status: number;
  warnings: readonly string[];
  value: { message?: string; data?: Record<string, string>; items?: unknown[] };
}

interface Bench {
  server: ApiServer;
  kernel: ReturnType<typeof testKernel>;
  send(method: string, path: string, body?: string | Uint8Array, type?: string): Promise<Answer>;
}

/** A server whose programmer errors fail the test. */
function bench(): Bench {
  const kernel = testKernel();
  kernel.onError = (error) => {
    throw error;
  };
  const server = createApiServer({ kernel, strategies, admission: admissionPlugins });
  server.client.resource<Namespace>('v1/namespaces').create({ metadata: { name: 'default' } }, { cause: CAUSE });
  server.client.resource('v1/configmaps').create({ metadata: { name: 'a', namespace: 'default' } }, { cause: CAUSE });
  return {
    server,
    kernel,
    async send(method, path, body, type = 'application/json') {
      const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
      const response = await server.transport.request({ method, path, headers: { 'content-type': type }, ...(bytes ? { body: bytes } : {}) });
      const text = new TextDecoder().decode(response.body);
      return { status: response.status, warnings: response.warnings, value: text.startsWith('{') ? JSON.parse(text) : {} };
    },
  };
}

const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

describe('bad input', () => {
  it('a body over 3 MiB', async () => {
    const { send } = bench();
    const answer = await send('POST', MAPS, `{"metadata":{"name":"b"},"data":{"a":"${'x'.repeat(3 * 1024 * 1024)}"}}`);
    assert.deepEqual([answer.status, answer.value.message], [413, 'Request entity too large: limit is 3145728']);
  });

  it('10,000 levels', async () => {
    const { send } = bench();
    const deep = await send('POST', MAPS, `{"metadata":{"name":"b"},"foo":${nested(9_000)}}`);
    assert.deepEqual([deep.status, deep.warnings], [201, ['299 - "unknown field \\"foo\\""']]);
    const deeper = await send('POST', MAPS, `{"metadata":{"name":"c"},"foo":${nested(10_001)}}`);
    assert.match(deeper.value.message ?? '', /json parse error: exceeded max depth/);
    for (const [type, body] of [
      ['application/merge-patch+json', `{"foo":${nested(9_000)}}`],
      ['application/strategic-merge-patch+json', `{"foo":${nested(9_000)}}`],
      ['application/json-patch+json', `[{"op":"add","path":"/foo","value":${nested(9_000)}}]`],
    ] as const)
      assert.equal((await send('PATCH', `${MAPS}/a`, body, type)).status, 400);
    assert.equal((await send('POST', REVISIONS, `{"metadata":{"name":"r"},"revision":1,"data":${nested(9_000)}}`)).status, 400);
    assert.equal((await send('POST', REVISIONS, `{"metadata":{"name":"r"},"revision":1,"data":${nested(1_500)}}`)).status, 201);
    assert.equal((await send('GET', REVISIONS)).value.items?.length, 1);
  });

  it('__proto__ is a key like any other', async () => {
    const { send } = bench();
    const answer = await send('POST', MAPS, '{"metadata":{"name":"b"},"data":{"__proto__":"x"},"__proto__":{"data":{"k":"v"}}}');
    assert.equal(answer.status, 201);
    assert.deepEqual(Object.entries(answer.value.data ?? {}), [['__proto__', 'x']]);
    assert.deepEqual(answer.warnings, ['299 - "unknown field \\"__proto__\\""']);
    await send('PATCH', `${MAPS}/b`, '{"__proto__":{"polluted":"yes"},"data":{"constructor":"c"}}', 'application/merge-patch+json');
    assert.equal(({} as { polluted?: string }).polluted, undefined);
  });

  it('duplicate keys', async () => {
    const { send } = bench();
    const body = '{"metadata":{"name":"b"},"data":{"a":"1","a":"2"}}';
    assert.deepEqual((await send('POST', `${MAPS}?dryRun=All`, body)).warnings, ['299 - "duplicate field \\"data.a\\""']);
    assert.equal((await send('POST', `${MAPS}?fieldValidation=Strict`, body)).status, 400);
    assert.deepEqual((await send('POST', `${MAPS}?fieldValidation=Ignore`, body)).value.data, { a: '2' });
  });

  it('invalid UTF-8 becomes replacement characters', async () => {
    const { send } = bench();
    const body = new Uint8Array([...new TextEncoder().encode('{"metadata":{"name":"b"},"data":{"a":"'), 0xff, ...new TextEncoder().encode('\\ud800"}}')]);
    assert.deepEqual((await send('POST', MAPS, body)).value.data, { a: '\ufffd\ufffd' });
  });

  it('YAML anchors that explode', async () => {
    const { send } = bench();
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    const bomb = lines.join('\n');
    const created = await send('POST', MAPS, bomb, 'application/yaml');
    assert.equal(created.status, 400);
    assert.match(created.value.message ?? '', /yaml: document contains excessive aliasing/);
    const applied = await send('PATCH', `${MAPS}/b?fieldManager=m`, bomb, 'application/apply-patch+yaml');
    assert.match(applied.value.message ?? '', /^error decoding YAML: error converting YAML to JSON: yaml: document contains excessive aliasing$/);
  });

  it('patches that loop', async () => {
    const { send } = bench();
    const doubling = [
      { op: 'add', path: '/data', value: { a: 'x'.repeat(1000) } },
      ...Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/k${i}` })),
    ];
    assert.equal((await send('PATCH', `${MAPS}/a`, JSON.stringify(doubling), 'application/json-patch+json')).status, 422);
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'ConfigMap' }));
    const answer = await send('PATCH', `${MAPS}/a`, JSON.stringify(many), 'application/json-patch+json');
    assert.deepEqual(
      [answer.status, answer.value.message],
      [413, 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001'],
    );
  });

  it('unknown media types', async () => {
    const { send, server } = bench();
    assert.equal((await send('POST', MAPS, 'x', 'image/png')).status, 415);
    assert.equal((await send('PATCH', `${MAPS}/a`, '{}', 'application/json')).status, 415);
    assert.equal((await send('DELETE', `${MAPS}/a`, '{}', 'image/png')).status, 415);
    const refused = await server.transport.request({ method: 'GET', path: MAPS, headers: { accept: 'image/png' } });
    assert.equal(refused.status, 406);
  });

  it('a watch from the future stays silent until then', async () => {
    const { server, kernel } = bench();
    const control = new AbortController();
    const path = `${MAPS}?watch=true&resourceVersion=${server.store.revision + 1}`;
    const response = await server.transport.request({ method: 'GET', path, headers: {}, signal: control.signal });
    const names: string[] = [];
    const reading = (async () => {
      for await (const chunk of response.stream ?? [])
        names.push((JSON.parse(new TextDecoder().decode(chunk)) as { object: ConfigMap }).object.metadata?.name ?? '');
    })();
    const maps = server.client.resource<ConfigMap>('v1/configmaps');
    maps.create({ metadata: { name: 'early', namespace: 'default' } }, { cause: CAUSE });
    maps.create({ metadata: { name: 'later', namespace: 'default' } }, { cause: CAUSE });
    await kernel.settle();
    control.abort();
    await reading;
    assert.deepEqual([response.status, names], [200, ['later']]);
  });

  it('10,000 watches see a change, and go', async () => {
    const { server, kernel } = bench();
    const control = new AbortController();
    const path = `${MAPS}?watch=true&resourceVersion=${server.store.revision}`;
    let seen = 0;
    const reading: Promise<void>[] = [];
    for (let i = 0; i < 10_000; i++) {
      const { stream } = await server.transport.request({ method: 'GET', path, headers: {}, signal: control.signal });
      reading.push(
        (async () => {
          for await (const _ of stream ?? []) seen++;
        })(),
      );
    }
    const bucket = server.store.bucket('v1/configmaps');
    assert.equal(bucket.listeners.size >= 10_000, true);
    server.client.resource<ConfigMap>('v1/configmaps').create({ metadata: { name: 'b', namespace: 'default' } }, { cause: CAUSE });
    await kernel.settle();
    control.abort();
    await Promise.all(reading);
    assert.equal(seen, 10_000);
    assert.equal(bucket.listeners.size < 10, true);
  });
});
