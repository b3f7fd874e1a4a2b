import type { Check } from '../../kinds/check.ts';
import { sortedEntries } from '../../kinds/check.ts';
import { fieldErrorText } from '../../kinds/field-error.ts';
import { equalJson } from '../json-equal.ts';
import { type CustomSchema, compilePattern, isSchema } from './schema.ts';

/**
 * What makes a schema structural (models `apiextensions-apiserver/pkg/apiserver/schema`): every field has its type said
 * once, outside of allOf, anyOf, oneOf and not, which may only narrow values.
 */

type Level = 'root' | 'item' | 'field';

const WHERE: Record<Level, string> = { root: 'at the root', item: 'for specified array items', field: 'for specified object fields' };
const INT_OR_STRING: readonly CustomSchema[] = [{ type: 'integer' }, { type: 'string' }];
const isIntOrString = (list: readonly CustomSchema[] | undefined): boolean => equalJson(list ?? [], INT_OR_STRING);

/** Complaints in the order the server gives them: by their text. */
export function checkStructural(check: Check, at: string, schema: CustomSchema): void {
  const own = new (check.constructor as new () => Check)();
  invariants(own, at, schema, 'root');
  complete(own, at, schema);
  const keyed = own.errors.map((error) => ({ error, text: fieldErrorText(error) })).sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  check.add(keyed.map(({ error }) => error));
}

function invariants(check: Check, at: string, schema: CustomSchema, level: Level): void {
  const { type = '', properties, additionalProperties, items } = schema;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const intOrString = schema['x-kubernetes-int-or-string'] === true;
  if (type === 'array' && !items) check.required(`${at}.items`, 'must be specified');
  if (items) invariants(check, `${at}.items`, items, 'item');
  for (const [key, property] of sortedEntries(properties)) invariants(check, `${at}.properties[${key}]`, property, 'field');
  if (additionalProperties !== undefined) {
    if (level === 'root') check.forbidden(`${at}.additionalProperties`, 'must not be used at the root');
    if (isSchema(additionalProperties)) invariants(check, `${at}.additionalProperties`, additionalProperties, 'field');
  }
  if (intOrString && keepsUnknown) check.invalid(`${at}.x-kubernetes-preserve-unknown-fields`, true, 'must be false if x-kubernetes-int-or-string is true');
  if (intOrString && embedded) check.invalid(`${at}.x-kubernetes-embedded-resource`, true, 'must be false if x-kubernetes-int-or-string is true');
  valueRules(check, at, schema, isIntOrString(schema.anyOf), isIntOrString(schema.allOf?.[0]?.anyOf));
  if (embedded && type !== 'object') {
    if (type === '') check.required(`${at}.type`, 'must be object if x-kubernetes-embedded-resource is true');
    else check.invalid(`${at}.type`, type, 'must be object if x-kubernetes-embedded-resource is true');
  } else if (type === '' && !intOrString && !keepsUnknown) check.required(`${at}.type`, `must not be empty ${WHERE[level]}`);
  if (embedded && additionalProperties !== undefined)
    check.forbidden(`${at}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set');
  if (level === 'root' && type !== '' && type !== 'object') check.invalid(`${at}.type`, type, 'must be object at the root');
  const isResource = level === 'root' || embedded;
  for (const key of ['kind', 'apiVersion'] as const) {
    const found = properties?.[key];
    if (found && isResource && found.type !== 'string') check.invalid(`${at}.properties[${key}].type`, found.type ?? '', 'must be string');
  }
  const metadata = properties?.metadata;
  if (metadata && isResource && metadata.type !== 'object') check.invalid(`${at}.properties[metadata].type`, metadata.type ?? '', 'must be object');
  if (metadata && level === 'root') {
    const { type: _type, default: _default, properties: inner = {}, ...rest } = metadata;
    const onlyNames = Object.keys(inner).every((key) => key === 'name' || key === 'generateName');
    if (!onlyNames || Object.keys(rest).length > 0)
      check.forbidden(`${at}.properties[metadata]`, 'must not specify anything other than name and generateName, but metadata is implicitly specified');
  }
  if (embedded && !keepsUnknown && Object.keys(properties ?? {}).length === 0) {
    check.required(`${at}.properties`, 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields');
  }
}

/** What stands in one schema to narrow values. */
function valueRules(check: Check, at: string, schema: CustomSchema, skipAnyOf: boolean, skipFirst: boolean): void {
  if (!skipAnyOf) for (const [i, inner] of (schema.anyOf ?? []).entries()) nested(check, `${at}.anyOf[${i}]`, inner, false);
  for (const [i, inner] of (schema.allOf ?? []).entries()) nested(check, `${at}.allOf[${i}]`, inner, skipFirst && i === 0);
  for (const [i, inner] of (schema.oneOf ?? []).entries()) nested(check, `${at}.oneOf[${i}]`, inner, false);
  if (schema.not) nested(check, `${at}.not`, schema.not, false);
  if (schema.pattern) {
    const wrong = compilePattern(schema.pattern);
    if (typeof wrong === 'string') check.invalid(`${at}.pattern`, schema.pattern, `must be a valid regular expression, but isn't: ${wrong}`);
  }
}

const MUST_BE_EMPTY = ['title', 'description'] as const;
const MUST_BE_FALSE = ['nullable', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string'] as const;
const MUST_BE_UNDEFINED = ['x-kubernetes-list-type', 'x-kubernetes-map-type'] as const;

function nested(check: Check, at: string, schema: CustomSchema, skipAnyOf: boolean): void {
  valueRules(check, at, schema, skipAnyOf, false);
  if (schema.items) nested(check, `${at}.items`, schema.items, false);
  for (const [key, property] of sortedEntries(schema.properties)) nested(check, `${at}.properties[${key}]`, property, false);
  const no = (key: string, what: string): void => check.forbidden(`${at}.${key}`, `must be ${what} to be structural`);
  if (schema.type) no('type', 'empty');
  if (schema.additionalProperties !== undefined) no('additionalProperties', 'undefined');
  if (schema.default !== undefined) no('default', 'undefined');
  for (const key of MUST_BE_EMPTY) if (schema[key]) no(key, 'empty');
  for (const key of MUST_BE_FALSE) if (schema[key]) no(key, 'false');
  if (schema['x-kubernetes-list-map-keys']?.length) no('x-kubernetes-list-map-keys', 'empty');
  for (const key of MUST_BE_UNDEFINED) if (schema[key] !== undefined) no(key, 'undefined');
  if (schema['x-kubernetes-validations']?.length) no('x-kubernetes-validations', 'empty');
  if (schema.properties?.metadata) check.forbidden(`${at}.properties[metadata]`, 'must not be specified in a nested context');
}

/** Fields and items that only a junctor at the root speaks of must be in the schema itself (`validateStructuralCompleteness`). */
function complete(check: Check, at: string, schema: CustomSchema): void {
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [i, inner] of (schema[key] ?? []).entries()) covered(check, `${at}.${key}[${i}]`, inner, schema, at);
  if (schema.not) covered(check, `${at}.not`, schema.not, schema, at);
}

function covered(check: Check, at: string, inner: CustomSchema, whole: CustomSchema, wholeAt: string): void {
  for (const key of ['anyOf', 'allOf', 'oneOf'] as const)
    for (const [i, deeper] of (inner[key] ?? []).entries()) covered(check, `${at}.${key}[${i}]`, deeper, whole, wholeAt);
  if (inner.not) covered(check, `${at}.not`, inner.not, whole, wholeAt);
  if (inner.items) {
    if (!whole.items) check.required(`${wholeAt}.items`, `because it is defined in ${at}.items`);
    else covered(check, `${at}.items`, inner.items, whole.items, `${wholeAt}.items`);
  }
  for (const [key, property] of sortedEntries(inner.properties)) {
    const own = whole.properties?.[key];
    if (!own) check.required(`${wholeAt}.properties[${key}]`, `because it is defined in ${at}.properties[${key}]`);
    else covered(check, `${at}.properties[${key}]`, property, own, `${wholeAt}.properties[${key}]`);
  }
}
