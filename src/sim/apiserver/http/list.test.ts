import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { testKernel } from '../../../kernel/testing/index.ts';
import type { ConfigMap } from '../../kinds/types.ts';
import { type ApiServer, createApiServer } from '../index.ts';

const CAUSE = { actor: 'test', rule: 'test' };
const MAPS = '/api/v1/namespaces/default/configmaps';

interface Page {
  code?: number;
  reason?: string;
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  items: ConfigMap[];
}

describe('lists', () => {
  let server: ApiServer;
  beforeEach(() => {
    server = createApiServer({ kernel: testKernel(), strategies: [], admission: [] });
    const maps = server.client.resource<ConfigMap>('v1/configmaps');
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      maps.create({ metadata: { name, namespace: 'default', labels: { even: String(name.charCodeAt(0) % 2 === 0) } } }, { cause: CAUSE });
  });

  async function list(query: string): Promise<Page> {
    const response = await server.transport.request({ method: 'GET', path: `${MAPS}?${query}`, headers: {} });
    return JSON.parse(new TextDecoder().decode(response.body)) as Page;
  }
  const names = (page: Page): (string | undefined)[] => page.items.map((item) => item.metadata?.name);

  it('in chunks shows one moment, whatever happens in between', async () => {
    const first = await list('limit=2');
    assert.deepEqual(names(first), ['a', 'b']);
    assert.equal(first.metadata.remainingItemCount, 3);
    const maps = server.client.resource<ConfigMap>('v1/configmaps');
    maps.delete('default', 'c', { cause: CAUSE });
    maps.create({ metadata: { name: 'cc', namespace: 'default' } }, { cause: CAUSE });
    const second = await list(`limit=2&continue=${first.metadata.continue}`);
    assert.deepEqual(names(second), ['c', 'd']);
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    const third = await list(`limit=2&continue=${second.metadata.continue}`);
    assert.deepEqual(names(third), ['e']);
    assert.equal(third.metadata.continue, undefined);
  });

  it('after a compaction say Expired and how to go on', async () => {
    const first = await list('limit=2');
    server.client.resource<ConfigMap>('v1/configmaps').patch('default', 'e', { data: { n: '1' } }, { cause: CAUSE });
    server.store.compact();
    const expired = await list(`limit=2&continue=${first.metadata.continue}`);
    assert.equal(expired.code, 410);
    assert.equal(expired.reason, 'Expired');
    const inconsistent = await list(`limit=9&continue=${expired.metadata.continue}`);
    assert.deepEqual(names(inconsistent), ['c', 'd', 'e']);
  });

  it('fill a chunk with what the selector wants, without counting the rest', async () => {
    const first = await list('limit=1&labelSelector=even%3Dtrue');
    assert.deepEqual(names(first), ['b']);
    assert.equal(first.metadata.remainingItemCount, undefined);
    assert.deepEqual(names(await list(`limit=1&labelSelector=even%3Dtrue&continue=${first.metadata.continue}`)), ['d']);
  });

  it('show an exact moment of the past', async () => {
    const before = (await list('')).metadata.resourceVersion;
    server.client.resource<ConfigMap>('v1/configmaps').delete('default', 'a', { cause: CAUSE });
    assert.deepEqual(names(await list(`resourceVersion=${before}&resourceVersionMatch=Exact`)), ['a', 'b', 'c', 'd', 'e']);
    assert.deepEqual(names(await list(`resourceVersion=${before}&resourceVersionMatch=NotOlderThan`)), ['b', 'c', 'd', 'e']);
  });
});
