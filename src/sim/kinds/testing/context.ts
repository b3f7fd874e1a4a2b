import { Random } from '../../../kernel/index.ts';
import type { ApiObject } from '../../client/types.ts';
import { admissionPlugins, loadValidation, strategies } from '../index.ts';
import type { AdmissionRequest, FieldError, KindStrategy, StrategyContext } from '../strategy.ts';

await loadValidation();

/** A context over a plain table of objects, for tests of one room. */
export function testContext(objects: Record<string, ApiObject[]> = {}, more: Partial<StrategyContext> = {}): StrategyContext {
  const inNamespace = (object: ApiObject, namespace: string): boolean => (object.metadata?.namespace ?? '') === namespace;
  return {
    nowMs: Date.UTC(2026, 10, 23, 12, 0, 0),
    random: new Random('kinds'),
    get: (resource, namespace, name) => (objects[resource] ?? []).find((object) => inNamespace(object, namespace) && object.metadata?.name === name) as never,
    list: (resource, namespace) => (objects[resource] ?? []).filter((object) => namespace === undefined || inNamespace(object, namespace)) as never,
    ...more,
  };
}

export function strategyOf(resource: string): KindStrategy {
  const found = strategies.find((strategy) => strategy.resource === resource);
  if (!found) throw new Error(`no strategy for ${resource}`);
  return found;
}

/** "StatefulSet" → "apps/v1/statefulsets". */
export function resourceOf(object: ApiObject): string {
  const kind = (object.kind ?? '').toLowerCase();
  const plural = /(?:ss|x)$/.test(kind) ? `${kind}es` : kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : kind.endsWith('s') ? kind : `${kind}s`;
  return `${object.apiVersion}/${plural}`;
}

export function admissionRequest(resource: string, object: ApiObject, context: StrategyContext, old?: ApiObject): AdmissionRequest {
  return {
    operation: old ? 'UPDATE' : 'CREATE',
    resource,
    subresource: '',
    namespace: object.metadata?.namespace ?? '',
    name: old ? (object.metadata?.name ?? '') : '',
    object,
    old,
    dryRun: false,
    context,
  };
}

/** What the API server does to a new object, in its order, without storing it. */
export function create(input: ApiObject, context: StrategyContext): { object: ApiObject; errors: FieldError[] } {
  const object = structuredClone(input);
  const resource = resourceOf(object);
  const strategy = strategyOf(resource);
  strategy.applyDefaults?.(object);
  const request = admissionRequest(resource, object, context);
  for (const plugin of admissionPlugins) plugin.admit?.(request);
  strategy.prepareForCreate?.(object, context);
  const errors = strategy.validate?.(object, context) ?? [];
  if (errors.length === 0) for (const plugin of admissionPlugins) plugin.validate?.(request);
  return { object, errors };
}

/** What it does to a change. */
export function update(input: ApiObject, old: ApiObject, context: StrategyContext): { object: ApiObject; errors: FieldError[] } {
  const object = structuredClone(input);
  const resource = resourceOf(object);
  const strategy = strategyOf(resource);
  strategy.applyDefaults?.(object);
  const request = admissionRequest(resource, object, context, old);
  for (const plugin of admissionPlugins) plugin.admit?.(request);
  strategy.prepareForUpdate?.(object, old, context);
  const errors = strategy.validateUpdate?.(object, old, context) ?? [];
  if (errors.length === 0) for (const plugin of admissionPlugins) plugin.validate?.(request);
  return { object, errors };
}
