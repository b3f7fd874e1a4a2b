import type { FieldError } from '../../kinds/strategy.ts';
import { cloneJson, cloneUntyped, convert, type DecodeContext, setKey } from '../decode.ts';
import { equalJson } from '../json-equal.ts';
import { type ObjectNode, type Property, type SchemaNode, typeNode } from '../schema.ts';
import { quote } from '../status-error.ts';

/** `apiextensions.k8s.io/v1 JSONSchemaProps` as JSON, as far as structural schemas use it. */
export interface CustomSchema {
  type?: string;
  format?: string;
  default?: unknown;
  nullable?: boolean;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, CustomSchema>;
  additionalProperties?: CustomSchema | boolean;
  items?: CustomSchema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
}

type Json = Record<string, unknown>;

const ANY: SchemaNode = { kind: 'any', goType: 'interface {}' };

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Structure for server-side apply and managedFields. */
function nodeOf(schema: CustomSchema, name: string): SchemaNode {
  if (schema['x-kubernetes-int-or-string']) return { kind: 'intOrString', goType: 'intstr.IntOrString' };
  switch (schema.type) {
    case 'object': {
      if (schema.properties) return objectNode(schema, name);
      if (isObject(schema.additionalProperties))
        return { kind: 'map', value: nodeOf(schema.additionalProperties as CustomSchema, name), atomic: schema['x-kubernetes-map-type'] === 'atomic' };
      // Untyped content is tracked field by field.
      return { kind: 'map', value: UNTYPED_MAP, atomic: schema['x-kubernetes-map-type'] === 'atomic' };
    }
    case 'array': {
      const listType = schema['x-kubernetes-list-type'];
      const item = nodeOf(schema.items ?? {}, name);
      return { kind: 'list', item, listType: listType === 'set' || listType === 'map' ? listType : 'atomic', keys: schema['x-kubernetes-list-map-keys'] ?? [] };
    }
    case 'string':
      return { kind: 'string', goType: 'string' };
    case 'integer':
      return { kind: 'integer', goType: 'int64' };
    case 'number':
      return { kind: 'number', goType: 'float64' };
    case 'boolean':
      return { kind: 'boolean', goType: 'bool' };
    default:
      return ANY;
  }
}

const UNTYPED_MAP: SchemaNode = ANY;

function objectNode(schema: CustomSchema, name: string): ObjectNode {
  const properties = new Map<string, Property>();
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    properties.set(key, {
      node: nodeOf(property, key),
      dropZero: false,
      required: schema.required?.includes(key) ?? false,
      patchStrategy: [],
      ...(property.default === undefined ? {} : { fill: property.default }),
    });
  }
  return { kind: 'object', typeName: name, goType: `unstructured.${name}`, properties, atomic: schema['x-kubernetes-map-type'] === 'atomic' };
}

/** The structure of a custom kind, with its own decoding: prune, then default. */
export function customNode(schema: CustomSchema, kind: string): ObjectNode {
  const meta = typeNode('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  const node = objectNode(schema, kind);
  const properties = new Map(node.properties);
  const plain = (child: SchemaNode): Property => ({ node: child, dropZero: false, required: false, patchStrategy: [] });
  properties.set('apiVersion', plain({ kind: 'string', goType: 'string' }));
  properties.set('kind', plain({ kind: 'string', goType: 'string' }));
  properties.set('metadata', plain(meta));
  return {
    ...node,
    properties,
    convert(value, context) {
      const source = isObject(value) ? value : {};
      const out: Json = {};
      for (const key of ['apiVersion', 'kind'] as const) if (source[key] !== undefined) out[key] = source[key];
      out.metadata = convertMeta(meta as ObjectNode, source.metadata, context);
      const pruned = prune(schema, source, '', context, true) as Json;
      for (const key of Object.keys(pruned)) if (key !== 'apiVersion' && key !== 'kind' && key !== 'metadata') setKey(out, key, pruned[key]);
      applyDefaults(schema, out);
      return out;
    },
  };
}

function convertMeta(meta: ObjectNode, value: unknown, context: DecodeContext): Json {
  const inner: DecodeContext = { ...context, strict: [] };
  const out = convert(meta, value ?? {}, inner);
  for (const text of inner.strict) context.strict.push(text.replace(/"(.*)"/, '"metadata.$1"'));
  return out;
}

/** Drops what the schema does not know (`structural-schema pruning`). */
function prune(schema: CustomSchema, value: unknown, path: string, context: DecodeContext, root = false): unknown {
  if (Array.isArray(value)) return value.map((item, i) => prune(schema.items ?? {}, item, `${path}[${i}]`, context));
  if (!isObject(value)) return value;
  const keepsAll = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const out: Json = {};
  const duplicates = context.duplicates?.get(value);
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item === undefined) continue;
    const here = path ? `${path}.${key}` : key;
    if (duplicates?.includes(key)) context.strict.push(`duplicate field ${quote(here)}`);
    const special = (root || schema['x-kubernetes-embedded-resource']) && (key === 'apiVersion' || key === 'kind' || key === 'metadata');
    const property = schema.properties?.[key] ?? (isObject(schema.additionalProperties) ? (schema.additionalProperties as CustomSchema) : undefined);
    if (special) setKey(out, key, cloneUntyped(item));
    else if (property) {
      if (item === null && !property.nullable && property.default !== undefined) continue;
      setKey(out, key, prune(property, item, here, context));
    } else if (keepsAll || schema.additionalProperties === true) setKey(out, key, cloneUntyped(item));
    else context.strict.push(`unknown field ${quote(here)}`);
  }
  return out;
}

function applyDefaults(schema: CustomSchema, value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) applyDefaults(schema.items ?? {}, item);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (value[key] === undefined && property.default !== undefined) setKey(value, key, cloneJson(property.default));
    if (value[key] !== undefined) applyDefaults(property, value[key]);
  }
  if (isObject(schema.additionalProperties))
    for (const key of Object.keys(value)) if (!schema.properties?.[key]) applyDefaults(schema.additionalProperties as CustomSchema, value[key]);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  return JSON.stringify(value) ?? 'null';
}

/** Complaints in the words of kube-openapi's validator. */
export function validateCustom(schema: CustomSchema, value: unknown, path = ''): FieldError[] {
  const errors: FieldError[] = [];
  const where = path || '<nil>';
  const body = (detail: string): FieldError => ({ type: 'Invalid value', field: where, value: shown(value), detail: `${path} in body ${detail}` });
  if (value === null && schema.nullable) return errors;
  const actual = typeName(value);
  if (schema['x-kubernetes-int-or-string']) {
    if (actual !== 'integer' && actual !== 'string')
      errors.push({ type: 'Invalid value', field: where, value: quote(actual), detail: `${path} in body must be of type integer,string: ${quote(actual)}` });
    return errors;
  }
  const wanted = schema.type;
  if (wanted && actual !== wanted && !(wanted === 'number' && actual === 'integer')) {
    errors.push({ type: 'Invalid value', field: where, value: quote(actual), detail: `${path} in body must be of type ${wanted}: ${quote(actual)}` });
    return errors;
  }
  if (schema.enum && !schema.enum.some((known) => equalJson(known, value))) {
    errors.push({ type: 'Unsupported value', field: where, value: shown(value), detail: `supported values: ${schema.enum.map(shown).join(', ')}` });
  }
  if (typeof value === 'number') errors.push(...numberErrors(schema, value, body));
  else if (typeof value === 'string') {
    if (schema.maxLength !== undefined && [...value].length > schema.maxLength)
      errors.push({ type: 'Too long', field: where, detail: `may not be more than ${schema.maxLength} bytes` });
    if (schema.minLength !== undefined && [...value].length < schema.minLength) errors.push(body(`should be at least ${schema.minLength} chars long`));
    if (schema.pattern !== undefined && !matchesPattern(schema.pattern, value)) errors.push(body(`should match '${schema.pattern}'`));
  } else if (Array.isArray(value)) {
    if (schema.maxItems !== undefined && value.length > schema.maxItems)
      errors.push({ type: 'Too many', field: where, value: String(value.length), detail: `must have at most ${schema.maxItems} items` });
    if (schema.minItems !== undefined && value.length < schema.minItems) errors.push(body(`should have at least ${schema.minItems} items`));
    for (const [i, item] of value.entries()) errors.push(...validateCustom(schema.items ?? {}, item, `${path}[${i}]`));
  } else if (isObject(value)) errors.push(...objectErrors(schema, value, path, body));
  return errors;
}

function numberErrors(schema: CustomSchema, value: number, body: (detail: string) => FieldError): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.maximum !== undefined && (schema.exclusiveMaximum ? value >= schema.maximum : value > schema.maximum)) {
    errors.push(body(schema.exclusiveMaximum ? `should be less than ${schema.maximum}` : `should be less than or equal to ${schema.maximum}`));
  }
  if (schema.minimum !== undefined && (schema.exclusiveMinimum ? value <= schema.minimum : value < schema.minimum)) {
    errors.push(body(schema.exclusiveMinimum ? `should be greater than ${schema.minimum}` : `should be greater than or equal to ${schema.minimum}`));
  }
  if (schema.multipleOf !== undefined && !Number.isInteger(value / schema.multipleOf)) errors.push(body(`should be a multiple of ${schema.multipleOf}`));
  return errors;
}

function objectErrors(schema: CustomSchema, value: Json, path: string, body: (detail: string) => FieldError): FieldError[] {
  const errors: FieldError[] = [];
  const count = Object.keys(value).length;
  if (schema.maxProperties !== undefined && count > schema.maxProperties) errors.push(body(`should have at most ${schema.maxProperties} properties`));
  if (schema.minProperties !== undefined && count < schema.minProperties) errors.push(body(`should have at least ${schema.minProperties} properties`));
  for (const key of schema.required ?? [])
    if (value[key] === undefined) errors.push({ type: 'Required value', field: path ? `${path}.${key}` : key, detail: '' });
  for (const key of Object.keys(value)) {
    const here = path ? `${path}.${key}` : key;
    if (path === '' && (key === 'metadata' || key === 'apiVersion' || key === 'kind')) continue;
    const property = schema.properties?.[key] ?? (isObject(schema.additionalProperties) ? (schema.additionalProperties as CustomSchema) : undefined);
    if (property) errors.push(...validateCustom(property, value[key], here));
  }
  return errors;
}

function matchesPattern(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}
