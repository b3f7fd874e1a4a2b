import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Store } from './store.ts';

const CAUSE = { actor: 'test', rule: 'test' };

function filled(): Store {
  const store = new Store({ now: () => 0, startRevision: 10 });
  for (const [namespace, name] of [
    ['b', 'x'],
    ['a', 'y'],
    ['a-b', 'z'],
    ['a', 'x'],
  ] as const) {
    store.put('v1/things', namespace, name, { metadata: { namespace, name } }, CAUSE);
  }
  return store;
}

describe('Store', () => {
  it('keeps keys in the order of etcd', () => {
    assert.deepEqual(filled().bucket('v1/things').keys(''), ['a-b/z', 'a/x', 'a/y', 'b/x']);
    assert.deepEqual(filled().bucket('v1/things').keys('a'), ['a/x', 'a/y']);
  });

  it('counts revisions over all resources and stamps them on objects', () => {
    const store = filled();
    const object = store.put('v1/others', '', 'n', { metadata: { name: 'n' } }, CAUSE);
    assert.equal(object.metadata?.resourceVersion, '15');
    assert.equal(store.revision, 15);
  });

  it('freezes what it holds, down to the leaves', () => {
    const object = filled().bucket('v1/things').get('a', 'x');
    assert.throws(() => {
      (object as { metadata: { name: string } }).metadata.name = 'other';
    }, TypeError);
  });

  it('shows earlier states as long as it remembers', () => {
    const store = filled();
    const bucket = store.bucket('v1/things');
    store.remove('v1/things', 'a', 'x', CAUSE);
    store.put('v1/things', 'a', 'w', { metadata: { namespace: 'a', name: 'w' } }, CAUSE);
    assert.deepEqual([...(bucket.snapshot(14)?.keys() ?? [])], ['a-b/z', 'a/x', 'a/y', 'b/x']);
    assert.deepEqual([...(bucket.snapshot(11)?.keys() ?? [])], ['b/x']);
    store.compact(12);
    assert.equal(bucket.snapshot(11), undefined);
    assert.equal(bucket.since(11), undefined);
    assert.equal(bucket.since(14)?.length, 2);
  });

  it('gives a deletion a revision of its own, with the last state', () => {
    const store = filled();
    let seen: unknown;
    store.listeners.add((event) => {
      seen = [event.type, event.object.metadata?.resourceVersion, event.old?.metadata?.resourceVersion];
    });
    store.remove('v1/things', 'a', 'x', CAUSE);
    assert.deepEqual(seen, ['DELETED', '15', '14']);
  });
});
