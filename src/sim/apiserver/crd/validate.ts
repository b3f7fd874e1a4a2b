import { printValue } from '../../kinds/field-error.ts';
import { ipFamily, isCidr, isDns1123Label } from '../../kinds/meta/names.ts';
import type { FieldError } from '../../kinds/strategy.ts';
import { equalJson } from '../json-equal.ts';
import { quote } from '../status-error.ts';
import { type CustomSchema, compilePattern, isSchema } from './schema.ts';

/** Custom resources against their schema, in the words of kube-openapi's validator and the apiextensions server. */

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** Whether an error keeps CEL rules from being looked at (`hasBlockingErr`). */
export const isBlocking = (error: FieldError): boolean =>
  ['Unsupported value', 'Required value', 'Too long', 'Too many'].includes(error.type) || / in body must be of type /.test(error.detail);

const child = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/**
 * Complaints about a value. `path` is empty for the whole object, whose own complaints have no field. What is as it was
 * before (`old`) may stay as it is, valid or not (ratcheting).
 */
export function validateCustom(schema: CustomSchema, value: unknown, path = '', old?: unknown): FieldError[] {
  if (old !== undefined && old !== null && equalJson(value, old)) return [];
  const where = path || '<nil>';
  const body = (detail: string): FieldError => ({ type: 'Invalid value', field: where, value: printValue(value), detail: `${path} in body ${detail}` });
  const wrongType = (wanted: string, shown: string): FieldError => ({
    type: 'Invalid value',
    field: where,
    value: quote(shown),
    detail: `${path} in body must be of type ${wanted}: ${quote(shown)}`,
  });
  if (value === null && schema.nullable) return [];
  const actual = typeName(value);
  const wanted = schema['x-kubernetes-int-or-string'] ? 'integer,string' : schema.type;
  if (wanted && !wanted.split(',').includes(actual) && !(wanted === 'number' && actual === 'integer')) return [wrongType(wanted, actual)];
  const errors = junctions(schema, value, path);
  if (typeof value === 'string') {
    if (schema.maxLength !== undefined && [...value].length > schema.maxLength)
      errors.push({ type: 'Too long', field: where, detail: `may not be more than ${schema.maxLength} bytes` });
    if (schema.minLength !== undefined && [...value].length < schema.minLength) errors.push(body(`should be at least ${schema.minLength} chars long`));
    const pattern = schema.pattern === undefined ? undefined : compilePattern(schema.pattern);
    if (pattern instanceof RegExp && !pattern.test(value)) errors.push(body(`should match '${schema.pattern}'`));
    if (schema.format && FORMATS[schema.format]?.(value) === false) errors.push(wrongType(schema.format, value));
  } else if (typeof value === 'number') errors.push(...numberErrors(schema, value, body));
  else if (Array.isArray(value)) {
    const { minItems, maxItems } = schema;
    if (minItems !== undefined && value.length < minItems) errors.push(body(`should have at least ${minItems} items`));
    if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(where, value.length, maxItems));
    const before = correlated(schema, old);
    for (const [i, item] of value.entries()) errors.push(...validateCustom(schema.items ?? {}, item, `${path}[${i}]`, before(item)));
  }
  if (schema.enum && !schema.enum.some((known) => equalJson(known, value))) {
    const supported = schema.enum.map((known) => quote(typeof known === 'string' ? known : JSON.stringify(known))).join(', ');
    errors.push({ type: 'Unsupported value', field: where, value: printValue(value), detail: `supported values: ${supported}` });
  }
  if (isObject(value)) errors.push(...objectErrors(schema, value, path, body, isObject(old) ? old : {}));
  return errors;
}

/** Items of lists that are maps are found again by their keys; no others. */
export function correlated(schema: CustomSchema, old: unknown): (item: unknown) => unknown {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return () => undefined;
  return (item) => old.find((known: Json | null) => keys.every((key) => equalJson(known?.[key], (item as Json | null)?.[key])));
}

const tooMany = (field: string, count: number, max: number): FieldError => ({
  type: 'Too many',
  field,
  value: String(count),
  detail: `must have at most ${max} item${max === 1 ? '' : 's'}`,
});

/** anyOf, oneOf, allOf and not: their own complaint belongs to the whole object; the first alternative's follow. */
function junctions(schema: CustomSchema, value: unknown, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const own = (detail: string): void => void errors.push({ type: 'Invalid value', field: '<nil>', value: '""', detail: `${quote(path)} ${detail}` });
  const results = (list: readonly CustomSchema[] | undefined): FieldError[][] => (list ?? []).map((inner) => validateCustom(inner, value, path));
  const any = results(schema.anyOf);
  if (any.length > 0 && !any.some((found) => found.length === 0)) {
    own('must validate at least one schema (anyOf)');
    errors.push(...(any[0] ?? []));
  }
  const one = results(schema.oneOf);
  const valid = one.filter((found) => found.length === 0).length;
  if (one.length > 0 && valid !== 1) {
    own(`must validate one and only one schema (oneOf). ${valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`}`);
    if (valid === 0) errors.push(...(one[0] ?? []));
  }
  const all = results(schema.allOf);
  errors.push(...all.flat());
  if (all.some((found) => found.length > 0)) own(`must validate all the schemas (allOf)${all.every((found) => found.length > 0) ? '. None validated' : ''}`);
  if (schema.not && validateCustom(schema.not, value, path).length === 0) own('must not validate the schema (not)');
  return errors;
}

function numberErrors(schema: CustomSchema, value: number, body: (detail: string) => FieldError): FieldError[] {
  const errors: FieldError[] = [];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) errors.push(body(`should be a multiple of ${multipleOf}`));
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    errors.push(body(`should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`));
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    errors.push(body(`should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`));
  const [low, high] = schema.format === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : [-Infinity, Infinity];
  if (value < low || value > high) errors.push(body(`must be of type int32: ${value}`));
  return errors;
}

function objectErrors(schema: CustomSchema, value: Json, path: string, body: (detail: string) => FieldError, old: Json): FieldError[] {
  const errors: FieldError[] = [];
  const count = Object.keys(value).length;
  const { minProperties, maxProperties } = schema;
  if (minProperties !== undefined && count < minProperties) return [body(`should have at least ${minProperties} properties`)];
  if (maxProperties !== undefined && count > maxProperties) return [tooMany(path || '<nil>', count, maxProperties)];
  for (const key of schema.required ?? []) if (value[key] === undefined) errors.push({ type: 'Required value', field: child(path, key), detail: '' });
  for (const key of Object.keys(value)) {
    if (path === '' && (key === 'metadata' || key === 'apiVersion' || key === 'kind') && !schema.properties?.[key]) continue;
    const property = schema.properties?.[key] ?? (isSchema(schema.additionalProperties) ? schema.additionalProperties : undefined);
    if (property && value[key] !== undefined) errors.push(...validateCustom(property, value[key], child(path, key), old[key]));
  }
  return errors;
}

const isDate = (text: string): boolean => !Number.isNaN(Date.parse(text));

/** The formats that mean something for strings (`strfmt`); others are only remarks. */
const FORMATS: Record<string, (text: string) => boolean> = {
  'date-time': (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/i.test(text) && isDate(text),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && isDate(text),
  email: (text) => /^[^@\s<>]+@[^@\s<>]+$/.test(text),
  hostname: (text) => text.length <= 255 && /^([a-zA-Z0-9_]([a-zA-Z0-9-_]{0,62}[a-zA-Z0-9_])?\.?)+$/.test(text),
  ipv4: (text) => ipFamily(text) === 'IPv4',
  ipv6: (text) => ipFamily(text) === 'IPv6',
  cidr: (text) => isCidr(text).length === 0,
  uri: (text) => /^(\/|[a-zA-Z][a-zA-Z0-9+.-]*:)/.test(text) && !/[\s<>]/.test(text),
  mac: (text) => /^([0-9a-fA-F]{2}([:-]))([0-9a-fA-F]{2}\2){4}[0-9a-fA-F]{2}$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid3: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid4: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  uuid5: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  duration: (text) => /^-?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h|d|w)\s*)+$/.test(text) || text === '0',
  k8s_short_name: (text) => isDns1123Label(text).length === 0,
  'k8s-short-name': (text) => isDns1123Label(text).length === 0,
};

/** Sets and maps that are lists may name nobody twice (`listtype.ValidateListSetsAndMaps`). */
export function listErrors(schema: CustomSchema, value: unknown, path = ''): FieldError[] {
  if (Array.isArray(value)) return [...arrayErrors(schema, value, path), ...value.flatMap((item, i) => listErrors(schema.items ?? {}, item, `${path}[${i}]`))];
  if (!isObject(value)) return [];
  return Object.keys(value).flatMap((key) => {
    const property = schema.properties?.[key];
    if (property) return listErrors(property, value[key], child(path, key));
    return isSchema(schema.additionalProperties) ? listErrors(schema.additionalProperties, value[key], `${path}[${key}]`) : [];
  });
}

function arrayErrors(schema: CustomSchema, value: readonly unknown[], path: string): FieldError[] {
  const type = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (type !== 'set' && type !== 'map') return [];
  const idOf = (item: unknown): unknown =>
    type === 'set' ? item : Object.fromEntries(keys.filter((key) => (item as Json | null)?.[key] !== undefined).map((key) => [key, (item as Json)[key]]));
  const times = new Map<string, number>();
  return value.flatMap((item, i): FieldError[] => {
    const id = idOf(item);
    const text = JSON.stringify(id);
    times.set(text, (times.get(text) ?? 0) + 1);
    return times.get(text) === 2 ? [{ type: 'Duplicate value', field: `${path}[${i}]`, value: printValue(id), detail: '' }] : [];
  });
}
