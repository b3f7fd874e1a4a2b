import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ObjectNode, typeNode } from '../schema.ts';
import { applyStrategicMergePatch, StrategicMergeError } from './strategic-merge.ts';

const POD_SPEC = typeNode('io.k8s.api.core.v1.PodSpec') as ObjectNode;
const META = typeNode('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') as ObjectNode;

describe('applyStrategicMergePatch', () => {
  it('merges lists by their key; new items of the patch come first, as recorded', () => {
    const target = { containers: [{ name: 'c', env: [{ name: 'A', value: '1' }] }] };
    const patch = {
      containers: [
        { name: 'c', env: [{ name: 'B', value: '2' }] },
        { name: 'd', image: 'busybox' },
      ],
    };
    assert.deepEqual(applyStrategicMergePatch(POD_SPEC, target, patch), {
      containers: [
        {
          name: 'c',
          env: [
            { name: 'B', value: '2' },
            { name: 'A', value: '1' },
          ],
        },
        { name: 'd', image: 'busybox' },
      ],
    });
  });

  it('deletes by directive', () => {
    const target = { containers: [{ name: 'c' }, { name: 'd' }] };
    assert.deepEqual(applyStrategicMergePatch(POD_SPEC, target, { containers: [{ name: 'd', $patch: 'delete' }] }), { containers: [{ name: 'c' }] });
  });

  it('replaces by directive', () => {
    const target = { containers: [{ name: 'c' }, { name: 'd' }] };
    assert.deepEqual(applyStrategicMergePatch(POD_SPEC, target, { containers: [{ name: 'e' }, { $patch: 'replace' }] }), { containers: [{ name: 'e' }] });
  });

  it('orders by $setElementOrder', () => {
    const target = { containers: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] };
    const patch = { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }], containers: [{ name: 'c', image: 'x' }] };
    assert.deepEqual(
      (applyStrategicMergePatch(POD_SPEC, target, patch).containers as { name: string }[]).map(({ name }) => name),
      ['b', 'c', 'a'],
    );
  });

  it('keeps only the named keys with $retainKeys', () => {
    const target = { volumes: [{ name: 'v', emptyDir: {} }] };
    const patch = { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] };
    assert.deepEqual(applyStrategicMergePatch(POD_SPEC, target, patch), { volumes: [{ name: 'v', hostPath: { path: '/x' } }] });
  });

  it('merges and deletes in lists of strings', () => {
    const target = { finalizers: ['a/b', 'c/d'] };
    assert.deepEqual(applyStrategicMergePatch(META, target, { finalizers: ['e/f'] }).finalizers, ['e/f', 'a/b', 'c/d']);
    assert.deepEqual(applyStrategicMergePatch(META, target, { '$deleteFromPrimitiveList/finalizers': ['a/b'] }).finalizers, ['c/d']);
  });

  it('null removes, and nothing of the target is changed', () => {
    const target = Object.freeze({ nodeSelector: Object.freeze({ a: '1', b: '2' }) });
    assert.deepEqual(applyStrategicMergePatch(POD_SPEC, target, { nodeSelector: { a: null } }), { nodeSelector: { b: '2' } });
  });

  it('says which key is missing', () => {
    assert.throws(
      () => applyStrategicMergePatch(POD_SPEC, { containers: [{ name: 'c' }] }, { containers: [{ image: 'x' }] }),
      (error: unknown) => error instanceof StrategicMergeError && error.message === 'map: map[image:x] does not contain declared merge key: name',
    );
  });
});
