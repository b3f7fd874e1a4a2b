import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { ApiObject } from '../client/types.ts';
import { fieldErrorBody } from './field-error.ts';
import type { FieldError } from './strategy.ts';
import { create, testContext, update } from './testing/context.ts';
import type { Pod, Service, StatefulSet } from './types.ts';

interface Scenario {
  files: Record<string, string>;
  steps: { run?: string; stdout?: string; stderr?: string; exit?: number }[];
}

const context = testContext({
  'v1/namespaces': [{ metadata: { name: 'default' } }],
  'v1/serviceaccounts': [{ metadata: { name: 'default', namespace: 'default' } }],
});

const inDefault = (object: ApiObject): ApiObject => ({ ...object, metadata: { uid: 'u', ...object.metadata, namespace: 'default' } });
const texts = (errors: readonly FieldError[]): string[] => errors.map((error) => `${error.field}: ${fieldErrorBody(error)}`);

/** The complaints in what kubectl printed. */
function recordedErrors(output: string): string[] | undefined {
  const match = /^The \S+ "[^"]*" is invalid: (.*)$/s.exec(output.trim());
  if (!match) return undefined;
  const body = (match[1] as string).trim();
  return body.startsWith('* ') ? body.slice(2).split('\n* ') : [body];
}

const FILES = ['sts-validation-errors', 'sts-errata-seed-yaml'];

for (const file of FILES) {
  const scenario = JSON.parse(readFileSync(`tests/conformance/corpus/${file}.json`, 'utf8')) as Scenario;
  let stored: ApiObject | undefined;
  for (const step of scenario.steps) {
    const name = /^kubectl (?:apply|create) -f (\S+)/.exec(step.run ?? '')?.[1];
    const expected = recordedErrors((step.stderr ?? '') + (step.stdout ?? ''));
    if (step.run?.startsWith('kubectl delete sts')) stored = undefined;
    if (!name || !scenario.files[name]) continue;
    if (!expected) {
      if (step.exit === 0) stored = create(inDefault(parse(scenario.files[name], { uniqueKeys: false }) as ApiObject), context).object;
      continue;
    }
    const before = stored;
    test(`recorded: ${file} ${step.run}`, () => {
      const object = inDefault(parse(scenario.files[name] as string) as ApiObject);
      if (!before || object.metadata?.name !== before.metadata?.name) {
        assert.deepEqual(texts(create(object, context).errors), expected);
        return;
      }
      // kubectl apply patches what is there: the old strategy's partition stays.
      const merged = structuredClone(before) as StatefulSet;
      const { updateStrategy, ...spec } = (object as StatefulSet).spec ?? {};
      merged.spec = { ...merged.spec, ...spec };
      if (updateStrategy) {
        const rollingUpdate = { ...merged.spec.updateStrategy?.rollingUpdate, ...updateStrategy.rollingUpdate };
        merged.spec.updateStrategy = { ...merged.spec.updateStrategy, ...updateStrategy, rollingUpdate };
      }
      if (!spec.template) delete merged.spec.template;
      merged.metadata = { ...merged.metadata, resourceVersion: '1' };
      assert.deepEqual(
        texts(update(merged, before, context).errors).filter((text) => !text.startsWith('spec: Forbidden')),
        expected,
      );
    });
  }
}

test('recorded: many errors at once', () => {
  const all = JSON.parse(readFileSync('tests/conformance/corpus/rest.json', 'utf8'));
  const found = (Array.isArray(all) ? all : all.steps).find(({ name }: { name: string }) => name === 'invalid-many');
  const { errors } = create(inDefault(found.request.body), context);
  const causes = found.response.body.details.causes as { field: string; message: string }[];
  assert.deepEqual(
    errors.map((error) => ({ field: error.field, message: fieldErrorBody(error) })),
    causes.map(({ field, message }) => ({ field, message })),
  );
});

test('recorded: forbidden StatefulSet update', () => {
  const old = create(inDefault({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'w' }, spec: webSpec('s') } as ApiObject), context).object;
  const changed = { ...structuredClone(old), spec: { ...(old as StatefulSet).spec, serviceName: 'other' } } as StatefulSet;
  changed.metadata = { ...changed.metadata, resourceVersion: '1' };
  assert.deepEqual(texts(update(changed, old, context).errors), [
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ]);
});

function webSpec(serviceName: string): StatefulSet['spec'] {
  return {
    serviceName,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
  };
}

test('Services: names, ports, addresses', () => {
  const service = (spec: Service['spec'], name = 's'): string[] =>
    texts(create(inDefault({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec } as Service), context).errors);
  assert.deepEqual(service({ clusterIP: 'None' }), []);
  assert.deepEqual(service({}), ['spec.ports: Required value']);
  assert.deepEqual(service({ ports: [{ port: 80 }, { port: 81 }] }), ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value']);
  assert.deepEqual(service({ ports: [{ port: 0 }] }), [
    'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
  ]);
});

test('Pods: what may change', () => {
  const old = create(inDefault({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'a' }] } } as Pod), context)
    .object as Pod;
  const change = (spec: Pod['spec']): string[] => {
    const pod = structuredClone(old);
    pod.metadata = { ...pod.metadata, resourceVersion: '1' };
    pod.spec = { ...pod.spec, ...spec };
    return texts(update(pod, old, context).errors);
  };
  const [container] = old.spec?.containers ?? [];
  assert.deepEqual(change({ containers: [{ ...container, image: 'b' }] }), []);
  assert.deepEqual(change({ containers: [] }), ['spec.containers: Required value', 'spec.containers: Forbidden: pod updates may not add or remove containers']);
});
