import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { testKernel } from '../../kernel/testing/index.ts';
import { type ApiServer, createApiServer } from './index.ts';

type Json = Record<string, unknown>;

describe('access', () => {
  const kernel = testKernel();
  let server: ApiServer;

  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<{ status: number; value: Json }> {
    const response = await server.transport.request({
      method,
      path,
      headers,
      ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
    });
    return { status: response.status, value: JSON.parse(new TextDecoder().decode(response.body)) as Json };
  }

  beforeEach(async () => {
    server = createApiServer({ kernel, strategies: [], admission: [] });
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
    await send('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'reader' } });
    await send('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', {
      metadata: { name: 'r' },
      rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'] }],
    });
    await send('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
      metadata: { name: 'rb' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
    });
  });

  it('without credentials is the owner of the cluster', async () => {
    const { value } = await send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {});
    assert.deepEqual((value.status as { userInfo: Json }).userInfo.groups, ['system:masters', 'system:authenticated']);
  });

  it('of a ServiceAccount goes as far as its roles', async () => {
    const token = ((await send('POST', '/api/v1/namespaces/default/serviceaccounts/reader/token', { spec: {} })).value.status as { token: string }).token;
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await send('GET', '/api/v1/namespaces/default/pods', undefined, headers)).status, 200);
    const refused = await send('GET', '/api/v1/namespaces/default/secrets', undefined, headers);
    assert.equal(refused.status, 403);
    assert.equal(
      refused.value.message,
      'secrets is forbidden: User "system:serviceaccount:default:reader" cannot list resource "secrets" in API group "" in the namespace "default"',
    );
    assert.equal(
      (await send('GET', '/api/v1/pods', undefined, headers)).value.message,
      'pods is forbidden: User "system:serviceaccount:default:reader" cannot list resource "pods" in API group "" at the cluster scope',
    );
    const asked = await send(
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      { spec: { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } } },
      headers,
    );
    assert.deepEqual(asked.value.status, { allowed: true, reason: 'RBAC: allowed by RoleBinding "rb/default" of Role "r" to ServiceAccount "reader/default"' });
  });

  it('with a made-up token is none', async () => {
    const { status, value } = await send('GET', '/api/v1/pods', undefined, { authorization: 'Bearer a.b.c' });
    assert.equal(status, 401);
    assert.equal(value.message, 'Unauthorized');
  });

  it('ends with the ServiceAccount, and with the token', async () => {
    const token = (
      (await send('POST', '/api/v1/namespaces/default/serviceaccounts/reader/token', { spec: { expirationSeconds: 600 } })).value.status as { token: string }
    ).token;
    const headers = { authorization: `Bearer ${token}` };
    await kernel.advance({ untilMs: kernel.now() + 601_000 });
    assert.equal((await send('GET', '/api/v1/namespaces/default/pods', undefined, headers)).status, 401);
  });

  it('as somebody else is what that one may', async () => {
    const headers = { 'impersonate-user': 'jane' };
    assert.equal(
      (await send('GET', '/api/v1/nodes', undefined, headers)).value.message,
      'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
    );
    assert.equal((await send('GET', '/version', undefined, headers)).status, 200);
    assert.equal(
      (await send('GET', '/version', undefined, { 'impersonate-group': 'a, b' })).value.message,
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a", "b"}, Extra:map[string][]string(nil)} without impersonating a user name',
    );
  });
});
