import { Check, sortedEntries } from '../../kinds/check.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../kinds/meta/index.ts';
import { byteLength, isDns1123Subdomain, maxLengthError, regexError } from '../../kinds/meta/names.ts';
import type { FieldError } from '../../kinds/strategy.ts';
import type { CustomResourceDefinition } from '../../kinds/types.ts';
import { equalJson } from '../json-equal.ts';
import { checkSchema } from './definition-schema.ts';
import type { CustomSchema } from './schema.ts';

/** What a CustomResourceDefinition must be (`pkg/apis/apiextensions/validation`). */

type Spec = NonNullable<CustomResourceDefinition['spec']>;
type Version = NonNullable<Spec['versions']>[number];

const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';

function isDns1035Label(value: string): string[] {
  const out: string[] = [];
  if (byteLength(value) > 63) out.push(maxLengthError(63));
  if (!new RegExp(`^${LABEL_1035}$`).test(value)) {
    const rule =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
    out.push(regexError(rule, LABEL_1035, 'my-name', 'abc-123'));
  }
  return out;
}

const PER_VERSION = ['subresources', 'schema', 'additionalPrinterColumns', 'selectableFields'] as const;
type PerVersion = (typeof PER_VERSION)[number];

/**
 * The server's own form says once what all versions have in common: `spec.validation` instead of each version's schema.
 * Complaints name their places there.
 */
function common(spec: Spec): Set<PerVersion> {
  const versions = spec.versions ?? [];
  return new Set(PER_VERSION.filter((key) => versions.every((version) => equalJson(version[key] ?? null, versions[0]?.[key] ?? null))));
}

/** Versions as the server prints them. */
const printVersions = (spec: Spec, shared: Set<PerVersion>): unknown =>
  (spec.versions ?? []).map((version) => ({
    Name: version.name ?? '',
    Served: version.served ?? false,
    Storage: version.storage ?? false,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: shared.has('schema') || !version.schema ? null : { OpenAPIV3Schema: version.schema.openAPIV3Schema ?? null },
    Subresources: shared.has('subresources') ? null : (version.subresources ?? null),
    AdditionalPrinterColumns: shared.has('additionalPrinterColumns') ? null : (version.additionalPrinterColumns ?? null),
    SelectableFields: shared.has('selectableFields') ? null : (version.selectableFields ?? null),
  }));

const joined = (check: Check, field: string, value: string, messages: readonly string[], before = ''): void => {
  if (value !== '' && messages.length > 0) check.invalid(field, value, before + messages.join(','));
};

function checkNames(check: Check, at: string, names: NonNullable<Spec['names']>): void {
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names;
  joined(check, `${at}.plural`, plural, isDns1035Label(plural));
  joined(check, `${at}.singular`, singular, isDns1035Label(singular));
  joined(check, `${at}.kind`, kind, isDns1035Label(kind.toLowerCase()), 'may have mixed case, but should otherwise match: ');
  joined(check, `${at}.listKind`, listKind, isDns1035Label(listKind.toLowerCase()), 'may have mixed case, but should otherwise match: ');
  for (const [i, name] of shortNames.entries()) joined(check, `${at}.shortNames[${i}]`, name || ' ', isDns1035Label(name));
  if (kind !== '' && kind === listKind) check.invalid(`${at}.listKind`, listKind, 'kind and listKind may not be the same');
  for (const [i, name] of categories.entries()) joined(check, `${at}.categories[${i}]`, name || ' ', isDns1035Label(name));
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function checkPath(check: Check, field: string, path: string): boolean {
  if (path.startsWith('.')) return true;
  check.invalid(field, path, 'must be a simple json path starting with .');
  return false;
}

function checkColumns(check: Check, at: string, columns: Version['additionalPrinterColumns']): void {
  for (const [i, { name, type, format, jsonPath }] of (columns ?? []).entries()) {
    const here = `${at}.additionalPrinterColumns[${i}]`;
    check.given(`${here}.name`, name);
    if (!type) check.required(`${here}.type`, `must be one of ${COLUMN_TYPES.join(',')}`);
    else if (!COLUMN_TYPES.includes(type)) check.invalid(`${here}.type`, type, `must be one of ${COLUMN_TYPES.join(',')}`);
    if (format && !COLUMN_FORMATS.includes(format)) check.invalid(`${here}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`);
    if (check.given(`${here}.JSONPath`, jsonPath)) checkPath(check, `${here}.JSONPath`, jsonPath);
  }
}

function checkSubresources(check: Check, at: string, subresources: Version['subresources']): void {
  const scale = subresources?.scale;
  if (!scale) return;
  const under = (key: 'specReplicasPath' | 'statusReplicasPath' | 'labelSelectorPath', roots: readonly string[], text: string): void => {
    const path = scale[key];
    const field = `${at}.subresources.scale.${key}`;
    if (!path) {
      if (key !== 'labelSelectorPath') check.required(field);
    } else if (checkPath(check, field, path) && !roots.some((root) => path.startsWith(root))) check.invalid(field, path, `should be a json path under ${text}`);
  };
  under('specReplicasPath', ['.spec.'], '.spec');
  under('statusReplicasPath', ['.status.'], '.status');
  under('labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status');
}

function checkSelectable(check: Check, at: string, fields: Version['selectableFields'], schema: CustomSchema | undefined): void {
  const seen = new Set<string>();
  for (const [i, { jsonPath = '' }] of (fields ?? []).entries()) {
    const here = `${at}.selectableFields[${i}].jsonPath`;
    if (!check.given(here, jsonPath)) continue;
    const parts = jsonPath.split('.').filter(Boolean);
    const found = parts.reduce<CustomSchema | undefined>((node, part) => node?.properties?.[part], schema);
    if (jsonPath.includes('[')) check.invalid(here, jsonPath, 'is an invalid path: array notation is not allowed');
    else if (!found) check.invalid(here, jsonPath, 'is an invalid path: does not refer to a valid field');
    else {
      if (parts[0] === 'metadata') check.invalid(here, jsonPath, 'must not point to fields in metadata');
      if (!['string', 'boolean', 'integer'].includes(found.type ?? ''))
        check.invalid(here, jsonPath, 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.');
      if (seen.has(parts.join('.'))) check.duplicate(here, jsonPath);
      seen.add(parts.join('.'));
    }
  }
  if (seen.size > 8) check.maxItems(`${at}.selectableFields`, seen.size, 8);
}

function checkDeprecation(check: Check, at: string, { deprecated, deprecationWarning: text }: Version): void {
  if (text === undefined) return;
  const field = `${at}.deprecationWarning`;
  if (!deprecated) check.invalid(field, text, 'can only be set for deprecated versions');
  else if (text.length > 256) check.invalid(field, text, 'must be <= 256 characters long');
}

function checkConversion(check: Check, conversion: NonNullable<Spec['conversion']>): void {
  const { strategy, webhook } = conversion;
  const at = 'spec.conversion';
  check.oneOf(`${at}.strategy`, strategy, ['None', 'Webhook']);
  if (strategy !== 'Webhook') {
    if (webhook?.clientConfig) check.forbidden(`${at}.webhookClientConfig`, 'should not be set when strategy is not set to Webhook');
    if (webhook?.conversionReviewVersions?.length) check.forbidden(`${at}.conversionReviewVersions`, 'should not be set when strategy is not set to Webhook');
    return;
  }
  const { url, service } = webhook?.clientConfig ?? {};
  if (!webhook?.clientConfig) check.required(`${at}.webhookClientConfig`, 'required when strategy is set to Webhook');
  else if ((url === undefined) === (service === undefined)) check.required(`${at}.webhookClientConfig`, 'exactly one of url or service is required');
  const versions = webhook?.conversionReviewVersions ?? [];
  if (versions.length === 0) check.required(`${at}.conversionReviewVersions`);
  else if (!versions.some((version) => version === 'v1' || version === 'v1beta1'))
    check.invalid(`${at}.conversionReviewVersions`, versions, 'must include at least one of v1, v1beta1');
}

const schemaOf = (version: Version | undefined): CustomSchema | undefined => version?.schema?.openAPIV3Schema as CustomSchema | undefined;

function checkSpec(check: Check, spec: Spec): void {
  const { group = '', scope, names = {}, versions = [], conversion } = spec;
  const shared = common(spec);
  const [first] = versions;
  if (group === '') check.required('spec.group');
  else if (isDns1123Subdomain(group).length > 0) check.invalid('spec.group', group, isDns1123Subdomain(group).join(','));
  else if (!group.includes('.')) check.invalid('spec.group', group, 'should be a domain with at least one dot');
  check.oneOf('spec.scope', scope, ['Cluster', 'Namespaced']);
  for (const [i, version] of versions.entries()) if (!schemaOf(version)) check.required(`spec.versions[${i}].schema.openAPIV3Schema`);
  for (const [i, version] of versions.entries()) {
    const at = `spec.versions[${i}]`;
    const wrong = isDns1035Label(version.name ?? '');
    if (wrong.length > 0) check.invalid(`${at}.name`, version.name ?? '', wrong.join(','));
    checkDeprecation(check, at, version);
    const schema = schemaOf(version);
    if (!shared.has('schema') && schema) checkSchema(check, `${at}.schema`, schema, version.subresources?.status !== undefined);
    if (!shared.has('subresources')) checkSubresources(check, at, version.subresources);
    if (!shared.has('additionalPrinterColumns')) checkColumns(check, at, version.additionalPrinterColumns);
    if (!shared.has('selectableFields')) checkSelectable(check, at, version.selectableFields, schema);
  }
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    check.invalid('spec.versions', printVersions(spec, shared), 'must contain unique version names');
  if (versions.filter(({ storage }) => storage).length !== 1)
    check.invalid('spec.versions', printVersions(spec, shared), 'must have exactly one version marked as storage version');
  for (const key of ['plural', 'singular', 'kind', 'listKind'] as const) check.given(`spec.names.${key}`, names[key]);
  checkNames(check, 'spec.names', names);
  const sharedSchema = shared.has('schema') ? schemaOf(first) : undefined;
  if (sharedSchema)
    checkSchema(
      check,
      'spec.validation',
      sharedSchema,
      versions.some(({ subresources }) => subresources?.status !== undefined),
    );
  if (shared.has('subresources')) checkSubresources(check, 'spec', first?.subresources);
  if (shared.has('additionalPrinterColumns')) checkColumns(check, 'spec', first?.additionalPrinterColumns);
  if (shared.has('selectableFields')) checkSelectable(check, 'spec', first?.selectableFields, schemaOf(first));
  if (conversion) checkConversion(check, conversion);
}

function checkStoredVersions(check: Check, { status, spec }: CustomResourceDefinition): void {
  const field = 'status.storedVersions';
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return check.invalid(field, null, 'must have at least one stored version');
  const names = (spec?.versions ?? []).map(({ name }) => name);
  for (const { name = '', storage } of spec?.versions ?? [])
    if (storage && !stored.includes(name)) check.invalid(field, stored, `must have the storage version ${name}`);
  for (const [i, version] of stored.entries()) {
    if (names.includes(version)) continue;
    const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    check.invalid(`${field}[${i}]`, version, detail);
  }
}

const APPROVAL = 'api-approved.kubernetes.io';

function checkApproval(check: Check, { metadata, spec }: CustomResourceDefinition, old?: CustomResourceDefinition): void {
  const group = spec?.group ?? '';
  const text = metadata?.annotations?.[APPROVAL] ?? '';
  if (!['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`))) return;
  if (old && (old.metadata?.annotations?.[APPROVAL] ?? '') === text) return;
  const field = `metadata.annotations[${APPROVAL}]`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (text === '') check.required(field, `protected groups must have approval annotation "${APPROVAL}", ${see}`);
  else if (!text.startsWith('unapproved') && !/^[a-z]+:\/\/./i.test(text))
    check.invalid(field, text, `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", ${see}`);
}

function checkRest(check: Check, definition: CustomResourceDefinition, old?: CustomResourceDefinition): void {
  checkNames(check, 'status.acceptedNames', definition.status?.acceptedNames ?? {});
  checkStoredVersions(check, definition);
  checkApproval(check, definition, old);
  if (definition.spec?.preserveUnknownFields && !old?.spec?.preserveUnknownFields) {
    const detail = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    check.invalid('spec.preserveUnknownFields', true, detail);
  }
}

export function validateDefinition(definition: CustomResourceDefinition): FieldError[] {
  const required = `${definition.spec?.names?.plural ?? ''}.${definition.spec?.group ?? ''}`;
  const nameValidator = (name: string): string[] => [...isDns1123Subdomain(name), ...(name === required ? [] : ['must be spec.names.plural+"."+spec.group'])];
  const check = new Check().add(validateObjectMeta(definition, { namespaced: false, nameValidator }));
  checkSpec(check, definition.spec ?? {});
  checkRest(check, definition);
  return check.errors;
}

export function validateDefinitionUpdate(definition: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const check = new Check().add(validateObjectMetaUpdate(definition, old));
  const [spec, oldSpec] = [definition.spec ?? {}, old.spec ?? {}];
  checkSpec(check, spec);
  if (old.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')) {
    check.immutable('spec.scope', spec.scope, oldSpec.scope);
    check.immutable('spec.names.kind', spec.names?.kind, oldSpec.names?.kind);
  }
  check.immutable('spec.group', spec.group, oldSpec.group);
  check.immutable('spec.names.plural', spec.names?.plural, oldSpec.names?.plural);
  checkRest(check, definition, old);
  return check.errors;
}

export function validateDefinitionStatus(definition: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const check = new Check().add(validateObjectMetaUpdate(definition, old));
  checkNames(check, 'status.acceptedNames', definition.status?.acceptedNames ?? {});
  return check.errors;
}

const FORMATS = new Set(
  'bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn hexcolor rgbcolor byte password date duration datetime date-time int32 int64 float double k8s-short-name k8s-long-name'.split(
    ' ',
  ),
);

/** Formats that nobody checks. */
export function definitionWarnings({ spec }: CustomResourceDefinition, old?: CustomResourceDefinition): string[] {
  const found = (definition: Spec | undefined): string[] => [...new Set((definition?.versions ?? []).flatMap((version) => formatsOf(schemaOf(version))))];
  const known = new Set(found(old?.spec));
  const warnings = found(spec)
    .filter((format) => !FORMATS.has(format) && !known.has(format))
    .sort()
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
  if (spec?.conversion?.strategy === 'Webhook') warnings.push('error: conversion by webhook is not simulated yet: versions are converted by name alone');
  return warnings;
}

function formatsOf(schema: CustomSchema | undefined): string[] {
  if (!schema || typeof schema !== 'object') return [];
  const inner = [schema.items, schema.additionalProperties, ...sortedEntries(schema.properties).map(([, property]) => property)];
  return [...(schema.format ? [schema.format] : []), ...inner.flatMap((one) => formatsOf(one as CustomSchema | undefined))];
}
