import { Check, sortedEntries } from '../../kinds/check.ts';
import type { FieldError } from '../../kinds/strategy.ts';
import { equalJson } from '../json-equal.ts';
import { ruleErrors } from './rules.ts';
import { type CustomSchema, isSchema, pruned } from './schema.ts';
import { checkStructural } from './structural.ts';
import { validateCustom } from './validate.ts';

/** The schema of a definition: structural, with defaults that fit, and what OpenAPI and Kubernetes' own words allow. */

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

const AT_ROOT = new Set(
  (
    'description type format title maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems ' +
    'multipleOf required items properties externalDocs example x-kubernetes-preserve-unknown-fields x-kubernetes-validations'
  ).split(' '),
);
const AT_ROOT_GO =
  '[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]';

/** `at` is where the server says the schema is: "spec.validation" or "spec.versions[0].schema". */
export function checkSchema(check: Check, at: string, schema: CustomSchema, hasStatus: boolean): void {
  const root = `${at}.openAPIV3Schema`;
  if (hasStatus) {
    if ((schema.type ?? '') !== 'object' && schema.type) {
      check.invalid(`${root}.type`, schema.type, 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled');
    } else if (Object.keys(schema).some((key) => !AT_ROOT.has(key)))
      check.invalid(root, schema, `only ${AT_ROOT_GO} fields are allowed at the root of the schema if the status subresource is enabled`);
  }
  if (schema.nullable) check.forbidden(`${root}.nullable`, 'nullable cannot be true at the root');
  const structural = new Check();
  checkStructural(structural, root, schema);
  if (structural.errors.length === 0) checkDefaults(structural, root, schema);
  check.add(structural.errors);
  const open: SchemaErrors = { schema: [], rules: [] };
  checkOpen(open, root, schema, { isRoot: true, mayDefault: '', mayCompile: structural.errors.length === 0 });
  check.add([...open.schema, ...open.rules]);
}

/** Defaults are pruned and valid. */
function checkDefaults(check: Check, at: string, schema: CustomSchema): void {
  if (schema.default !== undefined) {
    const field = `${at}.default`;
    if (!equalJson(pruned(schema, schema.default), schema.default)) check.invalid(field, schema.default, 'must not have unknown fields');
    check.add(validateCustom(schema, schema.default, field));
  }
  if (schema.items) checkDefaults(check, `${at}.items`, schema.items);
  for (const [key, property] of sortedEntries(schema.properties)) checkDefaults(check, `${at}.properties[${key}]`, property);
}

interface SchemaErrors {
  schema: FieldError[];
  rules: FieldError[];
}

interface Place {
  isRoot: boolean;
  /** Why no default may stand here; empty when one may. */
  mayDefault: string;
  /** Rules are compiled only when everything around them is sound. */
  mayCompile: boolean;
  /** The nearest ancestor whose parts cannot be told apart between two states of an object. */
  uncorrelatable?: string;
}

const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const;

function checkOpen(errors: SchemaErrors, at: string, schema: CustomSchema, place: Place): void {
  const check = new Check();
  const { type = '', items } = schema;
  if (type !== '' && !TYPES.includes(type)) check.notSupported(`${at}.type`, type, TYPES);
  if (schema.default !== undefined && place.mayDefault !== '') check.forbidden(`${at}.default`, `must not be set ${place.mayDefault}`);
  for (const key of UNSUPPORTED) if (schema[key]) check.forbidden(`${at}.${key}`, `${key} is not supported`);
  if (type === 'null') check.forbidden(`${at}.type`, 'type cannot be set to null, use nullable as an alternative');
  if (Array.isArray(items)) check.forbidden(`${at}.items`, 'items must be a schema object and not an array');
  if (schema.uniqueItems) check.forbidden(`${at}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic');
  const before = errors.schema.length;
  errors.schema.push(...check.errors);
  const own = new Check();
  if (schema.additionalProperties !== undefined) {
    if (Object.keys(schema.properties ?? {}).length > 0 && schema.additionalProperties !== true)
      own.forbidden(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive');
    if (isSchema(schema.additionalProperties)) checkOpen(errors, `${at}.additionalProperties`, schema.additionalProperties, { ...place, isRoot: false });
  }
  for (const [key, property] of sortedEntries(schema.properties)) {
    const isMeta = key === 'metadata' || key === 'kind' || key === 'apiVersion';
    const lost = schema['x-kubernetes-map-type'] === 'atomic' ? (place.uncorrelatable ?? at) : place.uncorrelatable;
    const mayDefault = place.isRoot && isMeta ? `in top-level ${key}` : place.mayDefault;
    checkOpen(errors, `${at}.properties[${key}]`, property, { ...place, isRoot: false, mayDefault, uncorrelatable: lost });
  }
  for (const key of ['allOf', 'oneOf', 'anyOf'] as const)
    for (const [i, inner] of (schema[key] ?? []).entries()) checkOpen(errors, `${at}.${key}[${i}]`, inner, { ...place, isRoot: false, mayCompile: false });
  if (schema.not) checkOpen(errors, `${at}.not`, schema.not, { ...place, isRoot: false, mayCompile: false });
  if (items && !Array.isArray(items)) {
    const lost = schema['x-kubernetes-list-type'] === 'map' ? place.uncorrelatable : (place.uncorrelatable ?? at);
    checkOpen(errors, `${at}.items`, items, { ...place, isRoot: false, uncorrelatable: lost });
  }
  checkKubernetesWords(own, at, schema);
  errors.schema.push(...own.errors);
  const rules = schema['x-kubernetes-validations'] ?? [];
  for (const [i, rule] of rules.entries()) checkRuleText(errors, `${at}.x-kubernetes-validations[${i}]`, rule);
  if (rules.length > 0 && place.mayCompile && errors.schema.length === before) errors.rules.push(...ruleErrors(schema, at, place.uncorrelatable, place.isRoot));
}

function checkKubernetesWords(check: Check, at: string, schema: CustomSchema): void {
  const { type = '', items } = schema;
  const list = schema['x-kubernetes-list-type'];
  const map = schema['x-kubernetes-map-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const mustBe = (wanted: string, because: string): void => {
    if (type === '') check.required(`${at}.type`, `must be ${wanted} if ${because} is specified`);
    else check.invalid(`${at}.type`, type, `must be ${wanted} if ${because} is specified`);
  };
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) check.invalid(`${at}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined');
  if (map !== undefined && type !== 'object') mustBe('object', 'x-kubernetes-map-type');
  if (map !== undefined) check.oneOf(`${at}.x-kubernetes-map-type`, map, ['atomic', 'granular']);
  if (list !== undefined && type !== 'array') mustBe('array', 'x-kubernetes-list-type');
  if (list !== undefined && !['atomic', 'set', 'map'].includes(list)) check.notSupported(`${at}.x-kubernetes-list-type`, list, ['atomic', 'set', 'map']);
  if (keys.length > 0 && list !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    if (list === undefined) check.required(`${at}.x-kubernetes-list-type`, detail);
    else check.invalid(`${at}.x-kubernetes-list-type`, list, detail);
  }
  if (list === 'map') {
    if (keys.length === 0) check.required(`${at}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map');
    if (!items) check.required(`${at}.items`, 'must have a schema if x-kubernetes-list-type is map');
    else if (items.type !== 'object') check.invalid(`${at}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map");
    else for (const key of keys) checkMapKey(check, at, key, keys, items);
  }
  if ((list === 'map' || list === 'set') && items?.nullable)
    check.forbidden(`${at}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${list}`);
}

function checkMapKey(check: Check, at: string, key: string, keys: readonly string[], items: CustomSchema): void {
  const property = items.properties?.[key];
  if (!property) {
    check.invalid(`${at}.x-kubernetes-list-map-keys`, keys, 'entries must all be names of item properties');
    return;
  }
  const here = `${at}.items.properties[${key}]`;
  if (property.type === 'array' || property.type === 'object')
    check.invalid(`${here}.type`, items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map");
  if (!items.required?.includes(key) && property.default === undefined)
    check.required(`${here}.default`, 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property');
  if (property.nullable) check.forbidden(`${here}.nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable');
}

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

function checkRuleText(errors: SchemaErrors, at: string, rule: NonNullable<CustomSchema['x-kubernetes-validations']>[number]): void {
  const check = new Check();
  const { rule: text = '', message = '', messageExpression = '', reason, fieldPath = '' } = rule;
  const breaks = (one: string): boolean => /[\n\r]/.test(one.trim());
  if (text.trim() === '') check.required(`${at}.rule`, 'rule is not specified');
  else if (message !== '' && message.trim() === '') check.invalid(`${at}.message`, message, 'must be non-empty if specified');
  else if (breaks(message)) check.invalid(`${at}.message`, message, 'must not contain line breaks');
  else if (breaks(text) && message.trim() === '') check.required(`${at}.message`, 'message must be specified if rule contains line breaks');
  if (messageExpression !== '' && messageExpression.trim() === '')
    check.required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified');
  if (reason !== undefined && !REASONS.includes(reason)) check.notSupported(`${at}.reason`, reason, REASONS);
  if (fieldPath !== '' && fieldPath.trim() === '') check.invalid(`${at}.fieldPath`, fieldPath, 'must be non-empty if specified');
  if (/[\n\r]/.test(fieldPath)) check.invalid(`${at}.fieldPath`, fieldPath, 'must not contain line breaks');
  errors.schema.push(...check.errors);
}
