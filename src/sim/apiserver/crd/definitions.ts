import type { Cause } from '../../cause.ts';
import type { ApiObject } from '../../client/types.ts';
import { isLabelKey } from '../../kinds/meta/names.ts';
import type { FieldError, KindStrategy } from '../../kinds/strategy.ts';
import type { CustomResourceDefinition } from '../../kinds/types.ts';
import { validateMeta, validateMetaUpdate } from '../object-meta.ts';
import { SYSTEM_USER } from '../request-context.ts';
import type { ResourceInfo, SubresourceInfo } from '../resources.ts';
import { quote } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { type CustomSchema, customNode, validateCustom } from './schema.ts';

const DEFINITIONS = 'apiextensions.k8s.io/v1/customresourcedefinitions';
const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

type Version = NonNullable<NonNullable<CustomResourceDefinition['spec']>['versions']>[number];

/**
 * CustomResourceDefinitions at work: serves each established kind, and takes it away with its objects when the
 * definition goes (models apiextensions-apiserver's naming, establishing and finalizing controllers in one; conversion
 * webhooks and CEL rules are left out: all versions are stored as one).
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
    if (event.type === 'DELETED') {
      const ids = served.get(event.name) ?? [];
      drop(event.name);
      const storage = storageId(definition);
      if (ids.length > 0) {
        const cause: Cause = { actor: 'apiextensions-apiserver', rule: 'customresource/definition-deleted' };
        for (const object of verbs.store.bucket(storage).list(''))
          verbs.store.remove(storage, object.metadata?.namespace ?? '', object.metadata?.name ?? '', cause);
      }
      return;
    }
    const established = definition.status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True');
    if (established) {
      drop(event.name);
      const infos = resourcesOf(definition);
      for (const resource of infos) {
        verbs.registry.add(resource);
        verbs.setStrategy(customStrategy(resource));
      }
      served.set(
        event.name,
        infos.map((resource) => resource.id),
      );
    } else {
      kernel.soon(() => establish(verbs, info, event.name));
    }
  });
}

function storageId(definition: CustomResourceDefinition): string {
  return `custom/${definition.spec?.group}/${definition.spec?.names?.plural}`;
}

/** Writes the status that says the kind is served. */
function establish(verbs: Verbs, info: ResourceInfo, name: string): void {
  const definition = verbs.bucket(info).get('', name) as CustomResourceDefinition | undefined;
  if (!definition || definition.metadata?.deletionTimestamp) return;
  const now = verbs.now();
  const names = { ...definition.spec?.names };
  const status = {
    acceptedNames: names,
    conditions: [
      { type: 'NamesAccepted', status: 'True', lastTransitionTime: now, reason: 'NoConflicts', message: 'no conflicts found' },
      { type: 'Established', status: 'True', lastTransitionTime: now, reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
    ],
    storedVersions: definition.status?.storedVersions?.length
      ? definition.status.storedVersions
      : definition.spec?.versions?.filter((version) => version.storage).map((version) => version.name as string),
  };
  const cause: Cause = { actor: 'apiextensions-apiserver', rule: 'customresource/establish', because: { resource: DEFINITIONS, namespace: '', name } };
  verbs.update(
    info,
    '',
    name,
    () => verbs.normalize(info, { ...definition, status }),
    { user: SYSTEM_USER, cause, fieldManager: 'kube-apiserver', dryRun: false, warnings: [] },
    { subresource: 'status' },
  );
}

function resourcesOf(definition: CustomResourceDefinition): ResourceInfo[] {
  return (definition.spec?.versions ?? []).filter((version) => version.served).map((version) => resourceOf(definition, version));
}

function resourceOf(definition: CustomResourceDefinition, version: Version): ResourceInfo {
  const { group = '', names = {}, scope } = definition.spec ?? {};
  const groupVersion = `${group}/${version.name}`;
  const schema = (version.schema?.openAPIV3Schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }) as CustomSchema;
  const node = customNode(schema, names.kind ?? '');
  const subresources = new Map<string, SubresourceInfo>();
  const own = { group, version: version.name as string, kind: names.kind as string };
  if (version.subresources?.status) subresources.set('status', { name: 'status', kind: own, verbs: new Set(['get', 'patch', 'update']) });
  const scale = version.subresources?.scale;
  if (scale)
    subresources.set('scale', { name: 'scale', kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: new Set(['get', 'patch', 'update']) });
  return {
    id: `${groupVersion}/${names.plural}`,
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
    custom: {
      definition: definition.metadata?.name ?? '',
      hasStatus: version.subresources?.status !== undefined,
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
    },
  };
}

function customStrategy(info: ResourceInfo): KindStrategy {
  const bySchema = (object: ApiObject): FieldError[] => validateCustom(info.custom?.schema as CustomSchema, object);
  const onUpdate = (object: ApiObject, old: ApiObject): FieldError[] => [
    ...validateMeta(info, object.metadata ?? {}),
    ...validateMetaUpdate(object.metadata ?? {}, old.metadata ?? {}),
    ...bySchema(object),
  ];
  return { resource: info.id, validate: bySchema, validateUpdate: onUpdate, validateStatusUpdate: onUpdate };
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** What a definition must be, in `pkg/apis/apiextensions/validation`'s words (the parts readers meet). */
const definitionStrategy: Pick<KindStrategy, 'applyDefaults' | 'prepareForCreate' | 'prepareForUpdate' | 'validate' | 'resource'> = {
  resource: DEFINITIONS,
  applyDefaults(object) {
    const definition = object as CustomResourceDefinition;
    if (!definition.spec?.names) return;
    const { names } = definition.spec;
    names.singular ||= (names.kind ?? '').toLowerCase();
    names.listKind ||= `${names.kind ?? ''}List`;
    definition.spec.conversion ??= { strategy: 'None' };
  },
  prepareForCreate(object) {
    const definition = object as CustomResourceDefinition;
    const storage = definition.spec?.versions?.find((version) => version.storage)?.name;
    definition.metadata = { ...definition.metadata, generation: 1 };
    definition.status = { acceptedNames: { kind: '', plural: '' }, conditions: [], storedVersions: storage ? [storage] : [] };
  },
  prepareForUpdate(object, old) {
    const definition = object as CustomResourceDefinition;
    definition.status = (old as CustomResourceDefinition).status;
    if (JSON.stringify(definition.spec) !== JSON.stringify((old as CustomResourceDefinition).spec)) {
      definition.metadata = { ...definition.metadata, generation: (old.metadata?.generation ?? 0) + 1 };
    }
  },
  validate(object) {
    const { metadata, spec } = object as CustomResourceDefinition;
    const errors: FieldError[] = [];
    const required = (field: string, value: unknown, detail = ''): void => {
      if (!value) errors.push({ type: 'Required value', field, detail });
    };
    const expected = `${spec?.names?.plural}.${spec?.group}`;
    if (metadata?.name && metadata.name !== expected) {
      errors.push({ type: 'Invalid value', field: 'metadata.name', value: quote(metadata.name), detail: `must be spec.names.plural+"."+spec.group` });
    }
    required('spec.group', spec?.group);
    if (spec?.group && !spec.group.includes('.'))
      errors.push({ type: 'Invalid value', field: 'spec.group', value: quote(spec.group), detail: 'should be a domain with at least one dot' });
    if (spec?.scope !== 'Namespaced' && spec?.scope !== 'Cluster') {
      if (!spec?.scope) required('spec.scope', undefined);
      else errors.push({ type: 'Unsupported value', field: 'spec.scope', value: quote(spec.scope), detail: 'supported values: "Cluster", "Namespaced"' });
    }
    const storage = (spec?.versions ?? []).filter((version) => version.storage).length;
    if (storage !== 1)
      errors.push({
        type: 'Invalid value',
        field: 'spec.versions',
        value: JSON.stringify(spec?.versions ?? []),
        detail: 'must have exactly one version marked as storage version',
      });
    for (const [i, version] of (spec?.versions ?? []).entries()) {
      if (!DNS_LABEL.test(version.name ?? ''))
        errors.push({
          type: 'Invalid value',
          field: `spec.versions[${i}].name`,
          value: quote(version.name ?? ''),
          detail: isLabelKey(version.name ?? '')[0] ?? 'must be a DNS label',
        });
      if (!version.schema?.openAPIV3Schema) required(`spec.versions[${i}].schema.openAPIV3Schema`, undefined, 'schemas are required');
      else if (version.schema.openAPIV3Schema.type !== 'object') required(`spec.validation.openAPIV3Schema.type`, undefined, 'must be object at the root');
    }
    required('spec.names.plural', spec?.names?.plural);
    required('spec.names.kind', spec?.names?.kind);
    return errors;
  },
};
