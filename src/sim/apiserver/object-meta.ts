import { isDns1123Label, isDns1123Subdomain, isLabelKey, isLabelValue } from '../kinds/meta/names.ts';
import type { FieldError } from '../kinds/strategy.ts';
import type { ObjectMeta } from '../kinds/types.ts';
import type { ResourceInfo } from './resources.ts';
import { quote } from './status-error.ts';

function invalid(field: string, value: string, detail: string): FieldError {
  return { type: 'Invalid value', field, value: quote(value), detail };
}

/** `path.IsValidPathSegmentName`. */
function pathSegmentErrors(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  const bad = ['/', '%'].filter((part) => name.includes(part));
  return bad.map((part) => `may not contain '${part}'`);
}

/** The usual rule for names, for kinds that bring none of their own: a DNS subdomain (RBAC's names are free). */
export function validateName(info: ResourceInfo, metadata: ObjectMeta): FieldError[] {
  if (!metadata.name || info.group === 'rbac.authorization.k8s.io') return [];
  const rule = info.id === 'v1/namespaces' ? isDns1123Label : isDns1123Subdomain;
  return rule(metadata.name).map((detail) => invalid('metadata.name', metadata.name as string, detail));
}

const FINALIZER = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/**
 * What every kind's metadata must satisfy, after the kind's own rules
 * (models `k8s.io/apimachinery/pkg/api/validation.ValidateObjectMetaAccessor`).
 */
export function validateMeta(info: ResourceInfo, metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  if (metadata.generateName)
    for (const detail of pathSegmentErrors(metadata.generateName)) errors.push(invalid('metadata.generateName', metadata.generateName, detail));
  if (!metadata.name) errors.push({ type: 'Required value', field: 'metadata.name', detail: 'name or generateName is required' });
  else for (const detail of pathSegmentErrors(metadata.name)) errors.push(invalid('metadata.name', metadata.name, detail));
  if (info.namespaced && !metadata.namespace) errors.push({ type: 'Required value', field: 'metadata.namespace', detail: '' });
  if (!info.namespaced && metadata.namespace) errors.push({ type: 'Forbidden', field: 'metadata.namespace', detail: 'not allowed on this type' });
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    for (const detail of isLabelKey(key)) errors.push(invalid('metadata.labels', key, detail));
    for (const detail of isLabelValue(value)) errors.push(invalid('metadata.labels', value, detail));
  }
  let size = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    for (const detail of isLabelKey(key.toLowerCase())) errors.push(invalid('metadata.annotations', key, detail));
    size += key.length + value.length;
  }
  if (size > 256 * 1024) errors.push({ type: 'Too long', field: 'metadata.annotations', detail: 'may not be more than 262144 bytes' });
  validateOwners(metadata, errors);
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
    const field = 'metadata.finalizers';
    const details = isLabelKey(finalizer);
    for (const detail of details) errors.push(invalid(field, finalizer, detail));
    if (!info.custom && details.length === 0 && !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer) && FINALIZER.test(finalizer)) {
      errors.push(invalid(`${field}[${index}]`, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
    }
  }
  if (metadata.finalizers?.includes('orphan') && metadata.finalizers.includes('foregroundDeletion')) {
    errors.push(invalid('metadata.finalizers', '', 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

function validateOwners(metadata: ObjectMeta, errors: FieldError[]): void {
  let controller: string | undefined;
  for (const [index, owner] of (metadata.ownerReferences ?? []).entries()) {
    const field = `metadata.ownerReferences[${index}]`;
    if (!owner.apiVersion) errors.push({ type: 'Invalid value', field: `${field}.apiVersion`, value: '""', detail: 'version must not be empty' });
    if (!owner.kind) errors.push({ type: 'Invalid value', field: `${field}.kind`, value: '""', detail: 'must not be empty' });
    if (!owner.name) errors.push({ type: 'Invalid value', field: `${field}.name`, value: '""', detail: 'must not be empty' });
    if (!owner.uid) errors.push({ type: 'Invalid value', field: `${field}.uid`, value: '""', detail: 'must not be empty' });
    if (!owner.controller) continue;
    if (controller !== undefined) {
      errors.push({
        type: 'Invalid value',
        field: 'metadata.ownerReferences',
        value: JSON.stringify(metadata.ownerReferences),
        detail: `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`,
      });
    } else controller = owner.name;
  }
}

function immutable(field: string, value: string | undefined, old: string | undefined, errors: FieldError[]): void {
  if (value !== old) errors.push(invalid(field, value ?? '', 'field is immutable'));
}

/** `ValidateObjectMetaAccessorUpdate`. */
export function validateMetaUpdate(metadata: ObjectMeta, old: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const added = (metadata.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer));
    if (added.length > 0) {
      errors.push({
        type: 'Forbidden',
        field: 'metadata.finalizers',
        detail: `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(quote).join(', ')}}`,
      });
    }
  }
  immutable('metadata.name', metadata.name, old.name, errors);
  immutable('metadata.namespace', metadata.namespace, old.namespace, errors);
  immutable('metadata.uid', metadata.uid, old.uid, errors);
  if (old.deletionGracePeriodSeconds !== undefined && metadata.deletionGracePeriodSeconds !== old.deletionGracePeriodSeconds) {
    errors.push(
      invalid('metadata.deletionGracePeriodSeconds', String(metadata.deletionGracePeriodSeconds), 'field is immutable; may only be changed via deletion'),
    );
  }
  return errors;
}
