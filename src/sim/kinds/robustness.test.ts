import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadSchema, schemaTypes } from '../apiserver/schema.ts';
import type { ApiObject } from '../client/types.ts';
import { fieldErrorBody } from './field-error.ts';
import { strategies } from './index.ts';
import { testContext } from './testing/context.ts';

interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}

await loadSchema();
const types = schemaTypes() as Record<string, Schema>;
const discovery = JSON.parse(readFileSync(new URL('facts/discovery.json', import.meta.url), 'utf8')) as unknown;

/** Kind names by resource id, wherever the discovery facts mention them. */
function kindsByResource(): Map<string, { group: string; version: string; kind: string }> {
  const found = new Map<string, { group: string; version: string; kind: string }>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { groupVersion, resources } = value as { groupVersion?: string; resources?: { name: string; kind: string }[] };
    if (groupVersion && Array.isArray(resources)) {
      const [group, version] = groupVersion.includes('/') ? (groupVersion.split('/') as [string, string]) : ['', groupVersion];
      for (const { name, kind } of resources) found.set(`${groupVersion}/${name}`, { group, version, kind });
    }
    for (const child of Object.values(value)) visit(child);
  };
  visit(discovery);
  return found;
}

/** Words that reach the deeper rules, among random ones. */
const WORDS = [
  '',
  'a',
  'web',
  'web-',
  'Web',
  '1',
  '80',
  '25%',
  '10.43.0.9',
  'None',
  'example.com/x',
  '../up',
  '/data',
  '0 0 * * *',
  'x'.repeat(70),
  '測試',
  '\u0000',
];
const QUANTITIES = ['0', '1', '1.5', '100m', '1Gi', '-1', '1e3', '5E'];

const cache = new Map<string, fc.Arbitrary<unknown>>();

function arbitraryOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref) {
    const name = schema.$ref;
    if (name.endsWith('.Quantity')) return fc.constantFrom(...QUANTITIES);
    if (name.endsWith('.IntOrString')) return fc.oneof(fc.integer({ min: -2, max: 70000 }), fc.constantFrom(...WORDS));
    const key = `${name}@${depth}`;
    const known = cache.get(key) ?? arbitraryOf(types[name] ?? {}, depth);
    cache.set(key, known);
    return known;
  }
  if (schema.format === 'date-time') return fc.constantFrom('2026-11-23T12:00:00Z', '1970-01-01T00:00:00.000000Z');
  if (schema.format === 'byte') return fc.constantFrom('', 'eA==', 'LS0tLS1CRUdJTiA=');
  if (schema.enum) return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...schema.enum) }, fc.constantFrom(...WORDS));
  if (schema.type === 'string') return fc.constantFrom(...WORDS);
  if (schema.type === 'integer') return fc.oneof(fc.integer({ min: -2, max: 5 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
  if (schema.type === 'number') return fc.double({ noNaN: true });
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'array') return depth <= 0 ? fc.constant([]) : fc.array(arbitraryOf(schema.items ?? {}, depth - 1), { maxLength: 2 });
  if (schema.additionalProperties) return fc.dictionary(fc.constantFrom(...WORDS), arbitraryOf(schema.additionalProperties, depth - 1), { maxKeys: 2 });
  if (schema.properties) {
    if (depth <= 0) return fc.constant({});
    const fields = Object.fromEntries(
      Object.entries(schema.properties).map(([key, value]) => [key, fc.option(arbitraryOf(value, depth - 1), { nil: undefined, freq: 2 })]),
    );
    return fc.record(fields).map((object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)));
  }
  return fc.constant({});
}

const kinds = kindsByResource();

for (const strategy of strategies) {
  const kind = kinds.get(strategy.resource);
  if (!kind) continue;
  const { group, version, kind: name } = kind;
  const schema = Object.values(types).find((type) =>
    type['x-kubernetes-group-version-kind']?.some((gvk) => gvk.group === group && gvk.version === version && gvk.kind === name),
  );
  if (!schema?.properties) continue;

  test(`${strategy.resource}: any object of the right types gets an answer`, () => {
    const object = arbitraryOf(schema, 7) as fc.Arbitrary<ApiObject>;
    fc.assert(
      fc.property(object, object, (first, second) => {
        const context = testContext();
        const finish = (it: ApiObject, old?: ApiObject): ApiObject => {
          const copy = structuredClone(it);
          copy.metadata = { ...copy.metadata, uid: 'u', resourceVersion: '1' };
          strategy.applyDefaults?.(copy);
          try {
            if (old) strategy.prepareForUpdate?.(copy, old, context);
            else strategy.prepareForCreate?.(copy, context);
          } catch (error) {
            // A refusal of an allocator, not a fault.
            if (!(error as { status?: unknown }).status) throw error;
          }
          return copy;
        };
        const old = finish(first);
        const errors = strategy.validate?.(old, context) ?? [];
        strategy.warnings?.(old);
        strategy.selectableFields?.(old);
        strategy.tableRow?.(old, context);
        strategy.scale?.get(old);
        strategy.gracePeriodSeconds?.(old);
        const changed = finish(second, old);
        errors.push(...(strategy.validateUpdate?.(changed, old, context) ?? []), ...(strategy.validateStatusUpdate?.(changed, old) ?? []));
        strategy.warnings?.(changed, old);
        for (const error of errors) {
          assert.ok(error.field !== undefined && !/undefined|\[object/.test(error.field), error.field);
          fieldErrorBody(error);
        }
      }),
      { numRuns: Number(process.env.FAST_CHECK_RUNS ?? 60), seed: 1 },
    );
  });
}
