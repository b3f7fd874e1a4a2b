import type { Cause } from '../../cause.ts';
import type { ApiObject } from '../../client/types.ts';
import type { FieldError, KindStrategy } from '../../kinds/strategy.ts';
import type { CustomResourceDefinition } from '../../kinds/types.ts';
import { sortedVersions } from '../http/discovery.ts';
import { validateMeta, validateMetaUpdate } from '../object-meta.ts';
import { SYSTEM_USER } from '../request-context.ts';
import type { ResourceInfo, SubresourceInfo } from '../resources.ts';
import type { Verbs } from '../verbs.ts';
import { acceptNames, CLEANUP, setCondition } from './definition-status.ts';
import { definitionStrategy, isEstablished } from './definition-strategy.ts';
import { checkRules } from './rules.ts';
import { type CustomSchema, customNode } from './schema.ts';
import { isBlocking, listErrors, validateCustom } from './validate.ts';

const DEFINITIONS = 'apiextensions.k8s.io/v1/customresourcedefinitions';
const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

type Version = NonNullable<NonNullable<CustomResourceDefinition['spec']>['versions']>[number];

/**
 * CustomResourceDefinitions at work: serves each established kind in all its versions, and takes it away with its objects
 * when the definition goes (models apiextensions-apiserver's naming, establishing and finalizing controllers in one).
 * Versions are converted by changing their name; who asks for a conversion webhook is told that there is none.
 */
export function serveCustomResources(verbs: Verbs): void {
  const info = verbs.registry.get(DEFINITIONS) as ResourceInfo;
  const { kernel } = verbs;
  const served = new Map<string, string[]>();
  verbs.setStrategy({ ...verbs.strategy(info), ...definitionStrategy });
  const drop = (name: string): void => {
    for (const id of served.get(name) ?? []) verbs.registry.remove(id);
    served.delete(name);
  };
  verbs.bucket(info).listeners.add((event) => {
    const definition = event.object as CustomResourceDefinition;
    drop(event.name);
    if (event.type === 'DELETED') {
      // Its names are free again: somebody may have waited for them.
      for (const other of verbs.bucket(info).list('')) kernel.soon(() => writeStatus(verbs, info, other.metadata?.name ?? ''));
      return;
    }
    if (isEstablished(definition)) {
      const infos = resourcesOf(definition);
      for (const resource of infos) {
        verbs.registry.add(resource);
        verbs.setStrategy(customStrategy(resource));
      }
      const ids = infos.map((resource) => resource.id);
      served.set(event.name, ids);
    }
    kernel.soon(() => (definition.metadata?.deletionTimestamp ? cleanUp(verbs, info, event.name) : writeStatus(verbs, info, event.name)));
  });
}

const storageId = ({ spec }: CustomResourceDefinition): string => `custom/${spec?.group}/${spec?.names?.plural}`;

function update(verbs: Verbs, info: ResourceInfo, definition: CustomResourceDefinition, rule: string): void {
  const name = definition.metadata?.name ?? '';
  const cause: Cause = { actor: 'apiextensions-apiserver', rule, because: { resource: DEFINITIONS, namespace: '', name } };
  const context = { user: SYSTEM_USER, cause, fieldManager: 'kube-apiserver', dryRun: false, warnings: [] };
  verbs.update(info, '', name, () => verbs.normalize(info, definition), context, { subresource: 'status' });
}

/** Says which names are accepted and whether the kind is served. */
function writeStatus(verbs: Verbs, info: ResourceInfo, name: string): void {
  const definition = verbs.bucket(info).get('', name) as CustomResourceDefinition | undefined;
  if (!definition || definition.metadata?.deletionTimestamp) return;
  const others = (verbs.bucket(info).list('') as readonly CustomResourceDefinition[]).filter(
    (other) => other.metadata?.name !== name && other.spec?.group === definition.spec?.group,
  );
  const status = acceptNames(definition, others, verbs.now());
  if (status) update(verbs, info, { ...definition, status }, 'customresource/establish');
}

/** Removes the objects of a kind whose definition is being deleted, then lets go of it. */
function cleanUp(verbs: Verbs, info: ResourceInfo, name: string): void {
  const definition = verbs.bucket(info).get('', name) as CustomResourceDefinition | undefined;
  const metadata = definition?.metadata;
  if (!definition || !metadata?.finalizers?.includes(CLEANUP)) return;
  const cause: Cause = { actor: 'apiextensions-apiserver', rule: 'customresource/definition-deleted' };
  const storage = storageId(definition);
  const [resource] = resourcesOf(definition);
  const context = { user: SYSTEM_USER, cause, fieldManager: 'kube-apiserver', dryRun: false, warnings: [] };
  for (const object of verbs.store.bucket(storage).list('')) {
    const { namespace = '', name: own = '', deletionTimestamp } = object.metadata ?? {};
    if (resource && !deletionTimestamp) verbs.delete(resource, namespace, own, {}, context);
  }
  if (verbs.store.bucket(storage).list('').length > 0) {
    verbs.kernel.timer(5_000, () => cleanUp(verbs, info, name));
    return;
  }
  const completed = isEstablished(definition)
    ? { reason: 'InstanceDeletionCompleted', message: 'removed all instances' }
    : { reason: 'NeverEstablished', message: 'resource was never established' };
  const status = setCondition(definition.status, { type: 'Terminating', status: 'False', ...completed }, verbs.now());
  const finalizers = metadata.finalizers.filter((finalizer) => finalizer !== CLEANUP);
  if (finalizers.length === 0) {
    verbs.store.remove(info.storage, '', name, cause);
    return;
  }
  update(verbs, info, { ...definition, metadata: { ...metadata, finalizers }, status }, 'customresource/definition-deleted');
}

const idOf = ({ spec }: CustomResourceDefinition, version: Version): string => `${spec?.group}/${version.name}/${spec?.names?.plural}`;

/** The served versions; the one that is stored (or else the first) is what the others are made from. */
function resourcesOf(definition: CustomResourceDefinition): ResourceInfo[] {
  const versions = (definition.spec?.versions ?? []).filter(({ served }) => served);
  const hub = versions.find(({ storage }) => storage) ?? versions[0];
  return versions.map((version) => resourceOf(definition, version, hub as Version));
}

function resourceOf(definition: CustomResourceDefinition, version: Version, hub: Version): ResourceInfo {
  const { group = '', names = {}, scope } = definition.spec ?? {};
  const groupVersion = `${group}/${version.name}`;
  const schema = (version.schema?.openAPIV3Schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }) as CustomSchema;
  const node = customNode(schema, names.kind ?? '');
  const subresources = new Map<string, SubresourceInfo>();
  const own = { group, version: version.name as string, kind: names.kind as string };
  const verbs = new Set(['get', 'patch', 'update']);
  const { status, scale } = version.subresources ?? {};
  if (status) subresources.set('status', { name: 'status', kind: own, verbs });
  if (scale) subresources.set('scale', { name: 'scale', kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs });
  const shown = (object: ApiObject): ApiObject =>
    object.apiVersion === groupVersion ? object : (node.convert?.({ ...object, apiVersion: groupVersion }, { strict: [], checkTypes: false }) as ApiObject);
  const hubVersion = `${group}/${hub.name}`;
  const alias = { stored: idOf(definition, hub), toWire: shown, toStored: (object: ApiObject): ApiObject => ({ ...object, apiVersion: hubVersion }) };
  return {
    id: idOf(definition, version),
    group,
    version: version.name as string,
    groupVersion,
    resource: names.plural as string,
    singular: names.singular || (names.kind ?? '').toLowerCase(),
    kind: names.kind as string,
    namespaced: scope === 'Namespaced',
    verbs: new Set(VERBS),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    subresources,
    node,
    storage: storageId(definition),
    ...(version === hub ? {} : { alias }),
    custom: {
      definition: definition.metadata?.name ?? '',
      hasStatus: status !== undefined,
      ...(scale
        ? {
            scale: {
              specReplicasPath: scale.specReplicasPath ?? '',
              statusReplicasPath: scale.statusReplicasPath ?? '',
              labelSelectorPath: scale.labelSelectorPath,
            },
          }
        : {}),
      columns: (version.additionalPrinterColumns ?? []).map((column) => ({
        ...column,
        name: column.name ?? '',
        type: column.type ?? 'string',
        jsonPath: column.jsonPath ?? '',
      })),
      selectableFields: (version.selectableFields ?? []).map((field) => field.jsonPath ?? ''),
      schema,
      listKind: names.listKind ?? `${names.kind}List`,
      ...(version.deprecated ? { deprecation: version.deprecationWarning ?? deprecationOf(definition, version) } : {}),
    },
  };
}

function deprecationOf({ spec }: CustomResourceDefinition, version: Version): string {
  const text = (name: string | undefined): string => `${spec?.group}/${name} ${spec?.names?.kind}`;
  const newer = sortedVersions((spec?.versions ?? []).filter(({ served, deprecated }) => served && !deprecated).map(({ name }) => name ?? ''))[0];
  const isNewer = newer !== undefined && sortedVersions([newer, version.name ?? ''])[0] === newer;
  return `${text(version.name)} is deprecated${isNewer ? `; use ${text(newer)}` : ''}`;
}

const STANDARD_FINALIZERS = ['orphan', 'foregroundDeletion', 'kubernetes'];

function finalizerWarnings(object: ApiObject, old?: ApiObject): string[] {
  const known = old?.metadata?.finalizers ?? [];
  return (object.metadata?.finalizers ?? [])
    .filter((finalizer) => !known.includes(finalizer) && !finalizer.includes('/') && !STANDARD_FINALIZERS.includes(finalizer))
    .sort()
    .map((finalizer) => {
      const path = finalizer.includes('.') ? ' including a path (/)' : '';
      return `metadata.finalizers: ${JSON.stringify(finalizer)}: prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
    });
}

/** The server says once that it did not look further, without a field or value. */
const NOT_CHECKED: FieldError = {
  type: 'Invalid value',
  field: '<nil>',
  value: 'null',
  detail: 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

function customStrategy(info: ResourceInfo): KindStrategy {
  const schema = info.custom?.schema as CustomSchema;
  const scaleErrors = (object: ApiObject): FieldError[] => {
    const path = info.custom?.scale?.specReplicasPath;
    if (!path) return [];
    const value = path
      .split('.')
      .filter(Boolean)
      .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], object);
    return typeof value === 'number' && value < 0
      ? [{ type: 'Invalid value', field: path, value: String(value), detail: 'should be a non-negative integer' }]
      : [];
  };
  const ofObject = (object: ApiObject, old?: ApiObject): FieldError[] => {
    const before = old && info.alias ? info.alias.toWire(old) : old;
    const errors = [...validateCustom(schema, object, '', before), ...scaleErrors(object)];
    if (!before || listErrors(schema, before).length === 0) errors.push(...listErrors(schema, object));
    if (!errors.some(isBlocking)) return [...errors, ...checkRules(schema, object, before)];
    return hasRules(schema) ? [...errors, NOT_CHECKED] : errors;
  };
  const metaOnUpdate = (object: ApiObject, old: ApiObject): FieldError[] => [
    ...validateMeta(info, object.metadata ?? {}),
    ...validateMetaUpdate(object.metadata ?? {}, old.metadata ?? {}),
  ];
  return {
    resource: info.id,
    validate: (object) => ofObject(object),
    validateUpdate: (object, old) => [...metaOnUpdate(object, old), ...ofObject(object, old)],
    validateStatusUpdate: (object, old) => [...metaOnUpdate(object, old), ...ofObject(object, old)],
    warnings: finalizerWarnings,
    ...(info.custom?.deprecation ? { deprecation: info.custom.deprecation } : {}),
  };
}

const ruled = new WeakMap<CustomSchema, boolean>();

function hasRules(schema: CustomSchema): boolean {
  let known = ruled.get(schema);
  if (known === undefined) {
    known = JSON.stringify(schema).includes('"x-kubernetes-validations":');
    ruled.set(schema, known);
  }
  return known;
}
