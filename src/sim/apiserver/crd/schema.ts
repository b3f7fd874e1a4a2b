import { cloneJson, cloneUntyped, convert, type DecodeContext, setKey } from '../decode.ts';
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
  title?: string;
  description?: string;
  id?: string;
  $ref?: string;
  allOf?: CustomSchema[];
  anyOf?: CustomSchema[];
  oneOf?: CustomSchema[];
  not?: CustomSchema;
  additionalItems?: unknown;
  patternProperties?: Record<string, CustomSchema>;
  definitions?: Record<string, CustomSchema>;
  dependencies?: Record<string, unknown>;
  'x-kubernetes-validations'?: ValidationRule[];
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
}

/** One CEL rule of a schema (`x-kubernetes-validations`). */
export interface ValidationRule {
  rule?: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

type Json = Record<string, unknown>;

/** A schema in a place where `true` and `false` may stand, too. */
export const isSchema = (value: CustomSchema | boolean | undefined): value is CustomSchema => typeof value === 'object' && value !== null;

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
      // A null that may not be there is as good as nothing.
      if (item === null && !property.nullable) continue;
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

/** Go's regular expressions are nearly JavaScript's. A text says why it is none. */
export function compilePattern(pattern: string): RegExp | string {
  const flags = /^\(\?([is]+)\)/.exec(pattern);
  const body = pattern
    .slice(flags?.[0].length ?? 0)
    .replace(/\(\?P</g, '(?<')
    .replace(/\\z/g, '$')
    .replace(/\\A/g, '^')
    .replace(/\[\[:(\w+):\]\]/g, (whole, name: string) => POSIX[name] ?? whole);
  try {
    return new RegExp(body, `u${flags?.[1] ?? ''}`);
  } catch {
    try {
      return new RegExp(body, flags?.[1] ?? '');
    } catch {
      return `error parsing regexp: invalid pattern: \`${pattern}\``;
    }
  }
}

const POSIX: Record<string, string> = { alpha: '[A-Za-z]', digit: '[0-9]', alnum: '[0-9A-Za-z]', upper: '[A-Z]', lower: '[a-z]', space: '\\s', word: '\\w' };

/** What pruning leaves of a value. */
export const pruned = (schema: CustomSchema, value: unknown): unknown => prune(schema, value, '', { strict: [], checkTypes: false });
