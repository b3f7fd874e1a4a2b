/** The hashes in names and labels are the recorded cluster's own: equal templates have equal hashes on both. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { type Json, suite } from './e2e/cluster.ts';

const corpus = new URL('corpus/', import.meta.url);
const HASH = '[bcdfghjklmnpqrstvwxz2456789]{8,10}';
const OWNED: Readonly<Record<string, string>> = { Deployment: 'replicasets', StatefulSet: 'controllerrevisions' };

const spec = suite('hashes');

for (const file of readdirSync(corpus).filter((name) => name.endsWith('.json'))) {
  const recording = JSON.parse(readFileSync(new URL(file, corpus), 'utf8')) as { files?: Record<string, string>; steps?: Json[] };
  const text = JSON.stringify(recording.steps ?? []);
  const manifests: Json[] = Object.values(recording.files ?? {}).flatMap((yaml) => parseAllDocuments(yaml).map((document) => document.toJS()));
  const workloads = manifests.filter((object) => {
    const name = object?.metadata?.name;
    return OWNED[object?.kind] !== undefined && new RegExp(`\\b${name}-${HASH}\\b`).test(text);
  });
  if (workloads.length === 0) continue;
  spec(`hashes of ${file}`, async (outside) => {
    let known = 0;
    for (const { kind, metadata, spec: wanted } of workloads) {
      const group = `/apis/apps/v1/namespaces/${outside.namespace}`;
      await outside.post(`${group}/${kind.toLowerCase()}s`, { apiVersion: 'apps/v1', kind, metadata: { name: metadata.name }, spec: wanted });
      await outside.pass(2);
      const { items } = await outside.get(`${group}/${OWNED[kind]}`);
      known += items.filter((item: Json) => text.includes(item.metadata.name)).length;
      await outside.del(`${group}/${kind.toLowerCase()}s/${metadata.name}`);
      await outside.gone(`${group}/${kind.toLowerCase()}s/${metadata.name}`);
    }
    assert.ok(known > 0, 'none of the names is in the recording');
  });
}
