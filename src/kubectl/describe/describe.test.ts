import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { Scenario } from '../../lab/compare.ts';
import type { Obj } from '../util/object.ts';
import { labelFor } from './generic.ts';
import { type DescribeSource, describeObject } from './index.ts';

function recorded(file: string, command: string): string {
  const scenario = JSON.parse(readFileSync(new URL(`../../../tests/conformance/corpus/${file}`, import.meta.url), 'utf8')) as Scenario;
  const step = scenario.steps.find((candidate) => candidate.run === command);
  assert.ok(step?.stdout, `${file}: ${command}`);
  return step.stdout;
}

/** The recorded page without its events and its final empty line; the same objects as `get -o yaml` gave them go in. */
async function page(object: Obj, lists: Record<string, Obj[]> = {}): Promise<string> {
  const source: DescribeSource = {
    nowMs: Date.parse('2026-11-23T12:00:00Z'),
    list: async (path) => lists[path.split('?')[0]?.split('/').at(-1) ?? ''] ?? [],
    get: async () => undefined,
  };
  return describeObject(object, source, { showEvents: false });
}

function withoutEvents(text: string): string {
  return text.slice(0, text.indexOf('Events:'));
}

test('a StatefulSet is described as recorded', async () => {
  const set = parse(recorded('sts-create-ordered.json', 'kubectl get sts mysql-statefulset -o yaml')) as Obj;
  const pod = { metadata: { ownerReferences: [{ controller: true, uid: set.metadata.uid }] }, status: { phase: 'Running' } };
  assert.equal(await page(set, { pods: [pod, pod, pod] }), withoutEvents(recorded('sts-create-ordered.json', 'kubectl describe sts mysql-statefulset')));
});

test('a Pod is described as recorded', async () => {
  const pod = parse(recorded('sts-create-ordered.json', 'kubectl get pod mysql-statefulset-0 -o yaml')) as Obj;
  assert.equal(await page(pod), withoutEvents(recorded('sts-create-ordered.json', 'kubectl describe pod mysql-statefulset-0')));
});

test('a claim and its volumes are described as recorded', async () => {
  const claim = parse(recorded('sts-pvc-identity.json', 'kubectl get pvc mysql-vol-mysql-statefulset-0 -o yaml')) as Obj;
  const user = { metadata: { name: 'mysql-statefulset-0' }, spec: { volumes: [{ persistentVolumeClaim: { claimName: claim.metadata.name } }] } };
  assert.equal(await page(claim, { pods: [user] }), withoutEvents(recorded('sts-pvc-identity.json', 'kubectl describe pvc mysql-vol-mysql-statefulset-0')));

  const volumes = (parse(recorded('sts-pvc-identity.json', 'kubectl get pv -o yaml')) as { items: Obj[] }).items;
  const pages = recorded('sts-pvc-identity.json', 'kubectl describe pv').split('\n\n\n');
  const first = pages[0]?.replace(/\n?Events:.*$/s, '\n') ?? '';
  assert.ok(pages.length >= 3);
  assert.equal((await page(volumes[0] as Obj)).trimEnd(), first.trimEnd());
});

test('Services, EndpointSlices and Endpoints are described as recorded', async () => {
  const file = 'dns-clusterip-vs-headless.json';
  const service = parse(recorded(file, 'kubectl get svc web-lb -o yaml')) as Obj;
  const slice: Obj = {
    ports: [{ name: 'web', port: 80, protocol: 'TCP' }],
    endpoints: ['10.42.0.118', '10.42.2.124', '10.42.1.150'].map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
  };
  assert.equal(await page(service, { endpointslices: [slice] }), withoutEvents(recorded(file, 'kubectl describe svc web-lb')));
  const more = { ...slice, endpoints: [...slice.endpoints, { addresses: ['10.42.9.9'] }, { addresses: ['10.42.9.8'], conditions: { ready: false } }] };
  assert.match(await page(service, { endpointslices: [more] }), /Endpoints: +10\.42\.0\.118:80,10\.42\.2\.124:80,10\.42\.1\.150:80 \+ 1 more\.\.\.\n/);
});

test('field names become words', () => {
  const words: [string, string][] = [
    ['apiVersion', 'API Version'],
    ['creationTimestamp', 'Creation Timestamp'],
    ['resourceVersion', 'Resource Version'],
    ['uid', 'UID'],
    ['kind', 'Kind'],
    ['my.field', 'my.field'],
  ];
  for (const [field, label] of words) assert.equal(labelFor(field), label);
});
