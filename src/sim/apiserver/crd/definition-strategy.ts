import type { KindStrategy } from '../../kinds/strategy.ts';
import type { CustomResourceDefinition } from '../../kinds/types.ts';
import { equalJson } from '../json-equal.ts';
import { definitionWarnings, validateDefinition, validateDefinitionStatus, validateDefinitionUpdate } from './definition-rules.ts';
import { CLEANUP, setCondition } from './definition-status.ts';

export const isEstablished = ({ status }: CustomResourceDefinition): boolean =>
  status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True') ?? false;

/** A version that is stored once stays on the list until somebody migrates its objects. */
function addStored(definition: CustomResourceDefinition): void {
  const storage = definition.spec?.versions?.find((version) => version.storage)?.name;
  const stored = definition.status?.storedVersions ?? [];
  if (storage && !stored.includes(storage)) definition.status = { ...definition.status, storedVersions: [...stored, storage] };
}

/** `apiextensions-apiserver/pkg/registry/customresourcedefinition` and the defaults of `apiextensions.k8s.io/v1`. */
const strategy: KindStrategy<CustomResourceDefinition> = {
  resource: 'apiextensions.k8s.io/v1/customresourcedefinitions',
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.names ??= {};
    const { names } = spec;
    const kind = names.kind ?? '';
    if (kind !== '') {
      names.singular ||= kind.toLowerCase();
      names.listKind ||= `${kind}List`;
    }
    spec.conversion ??= { strategy: 'None' };
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service) service.port ??= 443;
  },
  prepareForCreate(definition) {
    definition.metadata = { ...definition.metadata, generation: 1 };
    definition.status = { acceptedNames: { kind: '', plural: '' }, conditions: [], storedVersions: [] };
    addStored(definition);
  },
  prepareForUpdate(definition, old) {
    definition.status = structuredClone(old.status);
    if (!equalJson(definition.spec, old.spec)) definition.metadata = { ...definition.metadata, generation: (old.metadata?.generation ?? 0) + 1 };
    addStored(definition);
  },
  markDeleted(definition, context) {
    const finalizers = definition.metadata?.finalizers ?? [];
    if (!finalizers.includes(CLEANUP)) definition.metadata = { ...definition.metadata, finalizers: [...finalizers, CLEANUP] };
    const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon';
    const now = `${new Date(context.nowMs).toISOString().slice(0, 19)}Z`;
    definition.status = setCondition(definition.status, { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', message }, now);
  },
  validate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
  validateStatusUpdate: validateDefinitionStatus,
  warnings: definitionWarnings,
};

export const definitionStrategy = strategy as KindStrategy;
