import type { ApiObject } from '../../client/types.ts';
import { semanticEqual } from '../equal.ts';
import { forbidden, invalid, required, tooLong } from '../field-error.ts';
import type { FieldError } from '../strategy.ts';
import type { LabelSelector, ObjectMeta, OwnerReference } from '../types.ts';
import { byteLength, isDns1123Label, isLabelKey, isLabelValue, maskTrailingDash, type NameValidator } from './names.ts';

/**
 * Rules for metadata and label selectors: `k8s.io/apimachinery/pkg/api/validation/objectmeta.go` and
 * `pkg/apis/meta/v1/validation`.
 */

export const IMMUTABLE = 'field is immutable';
export const NEGATIVE = 'must be greater than or equal to 0';
const ANNOTATIONS_LIMIT = 256 * 1024;

/** An Invalid error for each complaint of a rule. */
export function complain(field: string, value: unknown, messages: readonly string[]): FieldError[] {
  return messages.map((message) => invalid(field, value, message));
}

export function validateNonNegative(value: number | undefined | null, field: string): FieldError[] {
  return (value ?? 0) < 0 ? [invalid(field, value, NEGATIVE)] : [];
}

/** `print` gives the value as the server's internal type would print it. */
export function validateImmutable<T>(value: T, old: T, field: string, print: (value: T) => unknown = (v) => v ?? null, detail = IMMUTABLE): FieldError[] {
  return semanticEqual(value, old) ? [] : [invalid(field, print(value), detail)];
}

export function validateLabels(labels: Record<string, string> | undefined, field: string): FieldError[] {
  return sortedEntries(labels).flatMap(([key, value]) => [...complain(field, key, isLabelKey(key)), ...complain(field, value, isLabelValue(value))]);
}

const sortedEntries = (map: Record<string, string> | undefined): [string, string][] => Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

export function validateAnnotations(annotations: Record<string, string> | undefined, field: string): FieldError[] {
  const errors = sortedEntries(annotations).flatMap(([key]) => complain(field, key, isLabelKey(key.toLowerCase())));
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) size += byteLength(key) + byteLength(value);
  if (size > ANNOTATIONS_LIMIT) errors.push(tooLong(field, ANNOTATIONS_LIMIT));
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller = '';
  for (const reference of references) {
    const { apiVersion = '', kind = '', name = '', uid = '' } = reference;
    if (apiVersion === '') errors.push(invalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'));
    for (const [key, value] of Object.entries({ kind, name, uid })) if (value === '') errors.push(invalid(`${field}.${key}`, value, 'must not be empty'));
    if (apiVersion === 'v1' && kind === 'Event') errors.push(invalid(field, ordered(reference), '/v1, Kind=Event is disallowed from being an owner'));
    if (!reference.controller) continue;
    const current = `${kind}/${name}`;
    if (controller !== '') {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      errors.push(invalid(field, references.map(ordered), detail));
    } else controller = current;
  }
  return errors;
}

const ordered = ({ apiVersion = '', kind = '', name = '', uid = '', controller, blockOwnerDeletion }: OwnerReference): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid,
  controller,
  blockOwnerDeletion,
});

function validateFinalizers(finalizers: readonly string[], field: string): FieldError[] {
  const errors = finalizers.flatMap((finalizer) => complain(field, finalizer, isLabelKey(finalizer)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** What built-in kinds ask besides (`validateKubeFinalizerName`): a domain, unless it is one of Kubernetes' own. */
function validateKubeFinalizers(finalizers: readonly string[], field: string): FieldError[] {
  return finalizers.flatMap((finalizer, i) =>
    finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer)
      ? []
      : [invalid(`${field}[${i}]`, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')],
  );
}

export interface ObjectMetaRules {
  namespaced: boolean;
  nameValidator: NameValidator;
}

/** As `ValidateObjectMeta`; runs after a name was generated. */
export function validateObjectMeta(object: ApiObject, rules: ObjectMetaRules, field = 'metadata'): FieldError[] {
  const meta: ObjectMeta = object.metadata ?? {};
  const errors: FieldError[] = [];
  const { name = '', generateName = '', namespace = '' } = meta;
  if (generateName !== '') errors.push(...complain(`${field}.generateName`, generateName, rules.nameValidator(maskTrailingDash(generateName))));
  if (name === '') errors.push(required(`${field}.name`, 'name or generateName is required'));
  else errors.push(...complain(`${field}.name`, name, rules.nameValidator(name)));
  if (!rules.namespaced) {
    if (namespace !== '') errors.push(forbidden(`${field}.namespace`, 'not allowed on this type'));
  } else if (namespace === '') errors.push(required(`${field}.namespace`));
  else errors.push(...complain(`${field}.namespace`, namespace, isDns1123Label(namespace)));
  errors.push(
    ...validateNonNegative(meta.generation, `${field}.generation`),
    ...validateLabels(meta.labels, `${field}.labels`),
    ...validateAnnotations(meta.annotations, `${field}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences ?? [], `${field}.ownerReferences`),
    ...validateFinalizers(meta.finalizers ?? [], `${field}.finalizers`),
    ...validateKubeFinalizers(meta.finalizers ?? [], `${field}.finalizers`),
  );
  return errors;
}

/** As `ValidateObjectMetaUpdate`. */
export function validateObjectMetaUpdate(object: ApiObject, oldObject: ApiObject, field = 'metadata'): FieldError[] {
  const meta: ObjectMeta = object.metadata ?? {};
  const old: ObjectMeta = oldObject.metadata ?? {};
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const known = new Set(old.finalizers ?? []);
    const extra = [...new Set(meta.finalizers ?? [])].filter((finalizer) => !known.has(finalizer)).sort();
    if (extra.length > 0) {
      const list = `[]string{${extra.map((finalizer) => `"${finalizer}"`).join(', ')}}`;
      errors.push(forbidden(`${field}.finalizers`, `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`));
    }
  }
  if (!meta.resourceVersion) errors.push(invalid(`${field}.resourceVersion`, '', 'must be specified for an update'));
  if ((meta.generation ?? 0) < (old.generation ?? 0)) errors.push(invalid(`${field}.generation`, meta.generation ?? 0, 'must not be decremented'));
  for (const key of ['name', 'namespace', 'uid'] as const) errors.push(...validateImmutable(meta[key] ?? '', old[key] ?? '', `${field}.${key}`));
  for (const key of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    errors.push(...validateImmutable<unknown>(meta[key], old[key], `${field}.${key}`));
  }
  errors.push(
    ...validateLabels(meta.labels, `${field}.labels`),
    ...validateAnnotations(meta.annotations, `${field}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences ?? [], `${field}.ownerReferences`),
    ...validateKubeFinalizers(meta.finalizers ?? [], `${field}.finalizers`),
  );
  return errors;
}

/** As `ValidateLabelSelector`. */
export function validateLabelSelector(selector: LabelSelector | undefined, field: string): FieldError[] {
  if (!selector) return [];
  const errors = validateLabels(selector.matchLabels, `${field}.matchLabels`);
  selector.matchExpressions?.forEach(({ key = '', operator = '', values = [] }, i) => {
    const at = `${field}.matchExpressions[${i}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    errors.push(...complain(`${at}.key`, key, isLabelKey(key)));
    values.forEach((value, j) => {
      errors.push(...complain(`${at}.values[${j}]`, value, isLabelValue(value)));
    });
  });
  return errors;
}

/** A label selector as Go's JSON prints `metav1.LabelSelector`. */
export function printSelector(selector: LabelSelector | undefined): unknown {
  if (!selector) return null;
  const out: Record<string, unknown> = {};
  if (selector.matchLabels && Object.keys(selector.matchLabels).length > 0) out.matchLabels = Object.fromEntries(sortedEntries(selector.matchLabels));
  if (selector.matchExpressions?.length) out.matchExpressions = selector.matchExpressions.map(({ key, operator, values }) => ({ key, operator, values }));
  return out;
}
