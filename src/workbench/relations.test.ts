import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterView } from '../lab/protocol.ts';
import { clusterModel } from './cluster-model.ts';
import { relationsOf } from './relations.ts';

const pod = (ordinal: number, node: string): ClusterView['pods'][number] => ({
  namespace: 'default',
  name: `web-${ordinal}`,
  uid: `uid-${ordinal}`,
  node,
  ip: `10.42.0.${ordinal}`,
  status: 'Running',
  ready: true,
  readyText: '1/1',
  restarts: 0,
  deleting: false,
  owner: { kind: 'StatefulSet', name: 'web' },
  ordinal,
  claims: [`data-web-${ordinal}`],
  image: 'nginx',
});
const claim = (ordinal: number): ClusterView['claims'][number] => ({
  namespace: 'default',
  name: `data-web-${ordinal}`,
  phase: 'Bound',
  deleting: false,
});
const MODEL = clusterModel({
  nowMs: 0,
  nodes: ['n1', 'n2'].map((name) => ({ name, ready: true, schedulable: true, running: true, roles: '' })),
  pods: [pod(0, 'n1'), pod(1, 'n2')],
  workloads: [{ kind: 'StatefulSet', namespace: 'default', name: 'web', uid: 'set', desired: 3, ready: 2, deleting: false }],
  services: [
    { namespace: 'default', name: 'web-h', type: 'ClusterIP', clusterIP: 'None', ports: '80', endpoints: [{ ip: '10.42.0.0', pod: 'web-0', ready: true }] },
  ],
  claims: [claim(0), claim(1), claim(2)],
  volumes: [],
  events: [],
});
const related = (object: string): string[] => [...(relationsOf(MODEL, object)?.objects ?? [])].sort();

test('a Pod belongs to its set, node, claims and Services, and to their lines', () => {
  assert.deepEqual(related('pods/default/web-0'), [
    'nodes//n1',
    'persistentvolumeclaims/default/data-web-0',
    'services/default/web-h',
    'statefulsets/default/web',
  ]);
  const relations = relationsOf(MODEL, 'pods/default/web-0');
  assert.equal(relations?.line('bearing/default/web-h/uid-0'), true);
  assert.equal(relations?.line('hang/set/0/data-web-0'), true);
  assert.equal(relations?.line('hang/set/1/data-web-1'), false);
  assert.equal(relations?.says, '選了 web-0。屬於 StatefulSet web；在節點 n1；掛著 PVC data-web-0；指向它的 Service 是 web-h。');
});

test('a claim whose Pod is gone keeps its place; a Service and a node know their Pods; what is gone has no relations', () => {
  assert.match(relationsOf(MODEL, 'persistentvolumeclaims/default/data-web-2')?.says ?? '', /現在沒有 Pod 掛著它/);
  assert.deepEqual(related('services/default/web-h'), ['pods/default/web-0', 'statefulsets/default/web']);
  assert.deepEqual(related('nodes//n2'), ['pods/default/web-1']);
  assert.ok(related('statefulsets/default/web').includes('pods/default/web-2'), 'the gap too');
  assert.equal(relationsOf(MODEL, 'pods/default/other'), undefined);
});
