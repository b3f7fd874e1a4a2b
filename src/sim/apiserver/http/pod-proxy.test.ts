import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testKernel } from '../../../kernel/testing/index.ts';
import { createApiServer } from '../index.ts';
import type { ByteDuplex, PodAccess } from '../pod-access.ts';

it('proxies one exchange to a port of a Pod', async () => {
  const asked: string[] = [];
  const answer = ['HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\nhello\r\n', '6\r\n world\r\n0\r\n\r\n'];
  const connection: ByteDuplex = {
    read: async () => {
      const next = answer.shift();
      return next === undefined ? null : new TextEncoder().encode(next);
    },
    write: async (chunk) => void asked.push(new TextDecoder().decode(chunk)),
    end: () => {},
    close: () => {},
  };
  const podAccess = {
    portForward: async (_namespace: string, _pod: string, port: number) => {
      if (port !== 8080) throw new Error('Connection refused');
      return connection;
    },
  } as unknown as PodAccess;
  const server = createApiServer({ kernel: testKernel(), strategies: [], admission: [] });
  server.setPodAccess(async () => podAccess);
  const cause = { actor: 'test', rule: 'test' };
  server.client
    .resource('v1/pods')
    .create({ metadata: { name: 'p', namespace: 'default' }, spec: { containers: [{ name: 'c', ports: [{ containerPort: 8080 }] }] } } as never, { cause });

  const response = await server.transport.request({
    method: 'GET',
    path: '/api/v1/namespaces/default/pods/p/proxy/a/b?c=d',
    headers: { 'x-mine': 'yes', authorization: '' },
  });
  assert.equal(response.status, 200);
  assert.equal(new TextDecoder().decode(response.body), 'hello world');
  assert.equal(response.headers['content-type'], 'text/plain');
  assert.equal(asked[0], 'GET /a/b?c=d HTTP/1.1\r\nHost: p:8080\r\nConnection: close\r\nx-mine: yes\r\n\r\n');

  const refused = await server.transport.request({ method: 'GET', path: '/api/v1/namespaces/default/pods/p:81/proxy/', headers: {} });
  assert.equal(refused.status, 503);
  assert.match(new TextDecoder().decode(refused.body), /error trying to reach service: dial tcp :81: connect: connection refused/);
});
