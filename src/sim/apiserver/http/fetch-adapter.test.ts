import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testKernel } from '../../../kernel/testing/index.ts';
import { createApiServer } from '../index.ts';
import { fetchAdapter } from './fetch-adapter.ts';

it('answers web Requests with web Responses', async () => {
  const server = createApiServer({ kernel: testKernel(), strategies: [], admission: [] });
  const fetch = fetchAdapter(
    server.transport,
    ({ status, headers, body }) => new Response(body instanceof Uint8Array ? Buffer.from(body) : undefined, { status, headers }),
  );
  const created = await fetch(
    new Request('http://sim/api/v1/namespaces?fieldValidation=Warn', {
      method: 'POST',
      body: JSON.stringify({ metadata: { name: 'a' }, extra: 1 }),
      headers: { 'content-type': 'application/json' },
    }),
  );
  assert.equal(created.status, 201);
  assert.equal(created.headers.get('warning'), '299 - "unknown field \\"extra\\""');
  const read = await fetch(new Request('http://sim/api/v1/namespaces/a'));
  assert.equal(((await read.json()) as { metadata: { name: string } }).metadata.name, 'a');
});
