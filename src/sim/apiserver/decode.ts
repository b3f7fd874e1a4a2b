import { canonicalQuantity, QUANTITY_FORMAT_ERROR } from '../kinds/quantity.ts';
import type { ObjectNode, Property, ScalarNode, SchemaNode } from './schema.ts';
import { quote } from './status-error.ts';

/** The body does not fit the type; the message is what Go's decoder says. */
export class DecodeError extends Error {
  /** What the converter from maps to structs says of the same (strategic merge patches go through it). */
  readonly converting: string | undefined;

  constructor(message: string, converting?: string) {
    super(message);
    this.name = 'DecodeError';
    this.converting = converting;
  }
}

/** Keys that occurred twice in one JSON object, by that object. Filled by the strict parser. */
export type Duplicates = WeakMap<object, readonly string[]>;

export interface DecodeContext {
  /** Complaints of strict decoding, in order: `unknown field "spec.replica"`. */
  strict: string[];
  duplicates?: Duplicates;
  /** Off for objects made by components in this program: wrong types cannot occur there, and nobody asks where something stands. */
  checkTypes: boolean;
  /** Frozen parts come from stored objects, are normal and are taken as they are. */
  share?: boolean;
}

/** Where we are: field names for Go's errors, full path for strict ones. */
interface Place {
  parent: Place | undefined;
  /** ".spec", "[0]", or "" at the top. */
  step: string;
  field: string;
  /** Name of the struct that holds the field. */
  struct: string;
}

function strictPath(place: Place | undefined, last: string): string {
  let path = last;
  for (let at = place; at; at = at.parent) path = at.step + path;
  return path.startsWith('.') ? path.slice(1) : path;
}

/** Go's kinds of decoded JSON, by what the decoder calls it. */
const GO_KINDS: Record<string, string> = { string: 'string', number: 'int64', bool: 'bool', object: 'map', array: 'slice' };

/** The converter's words (`runtime.DefaultUnstructuredConverter`): `kind` is what the field is underneath. */
function convertingError(found: string, goType: string, kind: string): string {
  const [word = ''] = found.split(' ');
  const from = /^number .*[.e]/.test(found) ? 'float64' : (GO_KINDS[word] ?? word);
  if (kind === 'map' || kind === 'slice') return `cannot restore ${kind} from ${from}`;
  if (kind === 'struct') return `cannot restore struct from: ${from}`;
  const convertible = (from === 'int64' && kind !== 'bool') || (from === 'float64' && kind.startsWith('int'));
  return convertible ? `cannot convert ${from} to ${goType}` : `unrecognized type: ${kind}`;
}

function typeError(place: Place | undefined, found: string, goType: string, kind: string): DecodeError {
  const converting = kind === 'time' ? `json: cannot unmarshal ${found} into Go value of type string` : convertingError(found, goType, kind);
  const fields: string[] = [];
  for (let at = place; at; at = at.parent) if (at.field) fields.unshift(at.field);
  if (!place || fields.length === 0) return new DecodeError(`json: cannot unmarshal ${found} into Go value of type ${goType}`, converting);
  let struct = '';
  for (let at: Place | undefined = place; at && !struct; at = at.parent) struct = at.struct;
  return new DecodeError(`json: cannot unmarshal ${found} into Go struct field ${struct}.${fields.join('.')} of type ${goType}`, converting);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? 'object' : typeof value;
}

function goTypeOf(node: SchemaNode): string {
  if (node.kind === 'list') return `[]${goTypeOf(node.item)}`;
  if (node.kind === 'map') return `map[string]${goTypeOf(node.value)}`;
  return node.goType;
}

/** Sets a key even if it is `__proto__`. */
export function setKey(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** A deep copy of JSON. */
export function cloneJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneJson) as T;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) setKey(out, key, cloneJson((value as Record<string, unknown>)[key]));
  return out as T;
}

/** Untyped content may not be nested deeper than every later walk over it can bear; Go's limit is 10,000. */
const MAX_UNTYPED_DEPTH = 2_000;

/** A deep copy of content that has no schema. Throws `DecodeError` when it is nested too deep. */
export function cloneUntyped<T>(value: T, depth = 0): T {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_UNTYPED_DEPTH) throw new DecodeError('exceeded max depth');
  if (Array.isArray(value)) return value.map((item) => cloneUntyped(item, depth + 1)) as T;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) setKey(out, key, cloneUntyped((value as Record<string, unknown>)[key], depth + 1));
  return out as T;
}

const DROP = Symbol('drop');

/**
 * A fresh, normal copy of `value` by its schema: unknown fields gone, nulls and empty optional values gone, structs
 * that Go always writes filled in, schema defaults applied, quantities and times in canonical spelling. Equal to what
 * decoding into the Go type and encoding again gives. Throws `DecodeError` on a wrong type.
 */
export function convert(node: ObjectNode, value: unknown, context: DecodeContext): Record<string, unknown> {
  if (node.convert) return node.convert(value, context);
  const out = convertValue(node, value, context, undefined);
  return out === DROP ? {} : (out as Record<string, unknown>);
}

function convertValue(node: SchemaNode, value: unknown, context: DecodeContext, place: Place | undefined): unknown {
  if (value === null || value === undefined) return DROP;
  if (context.share && typeof value === 'object' && Object.isFrozen(value)) return value;
  switch (node.kind) {
    case 'object':
      return convertObject(node, value, context, place);
    case 'map': {
      if (typeof value !== 'object' || Array.isArray(value)) throw typeError(place, kindOf(value), goTypeOf(node), 'map');
      const duplicates = context.duplicates?.get(value);
      const out: Record<string, unknown> = {};
      let any = false;
      for (const key of Object.keys(value)) {
        if (duplicates?.includes(key)) context.strict.push(`duplicate field ${quote(strictPath(place, `.${key}`))}`);
        const at = context.checkTypes ? { parent: place, step: `.${key}`, field: '', struct: '' } : undefined;
        const inner = convertValue(node.value, (value as Record<string, unknown>)[key], context, at);
        setKey(out, key, inner === DROP ? zeroOf(node.value) : inner);
        any = true;
      }
      return any ? out : DROP;
    }
    case 'list': {
      if (!Array.isArray(value)) throw typeError(place, kindOf(value), goTypeOf(node), 'slice');
      if (value.length === 0) return DROP;
      const out = new Array<unknown>(value.length);
      for (let i = 0; i < value.length; i++) {
        const at = context.checkTypes ? { parent: place, step: `[${i}]`, field: '', struct: '' } : undefined;
        const inner = convertValue(node.item, value[i], context, at);
        out[i] = inner === DROP ? zeroOf(node.item) : inner;
      }
      return out;
    }
    default:
      return convertScalar(node, value, context, place);
  }
}

/** What Go's zero value of the type is in JSON (an element that was null). */
function zeroOf(node: SchemaNode): unknown {
  switch (node.kind) {
    case 'object':
      return convertObject(node, {}, { strict: [], checkTypes: false }, undefined);
    case 'map':
      return {};
    case 'list':
      return [];
    case 'string':
    case 'bytes':
      return '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'quantity':
      return '0';
    case 'intOrString':
      return 0;
    default:
      return null;
  }
}

function convertObject(node: ObjectNode, value: unknown, context: DecodeContext, place: Place | undefined): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw typeError(place, kindOf(value), node.goType, 'struct');
  const duplicates = context.duplicates?.get(value);
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const property = node.properties.get(key);
    if (duplicates?.includes(key)) context.strict.push(`duplicate field ${quote(strictPath(place, `.${key}`))}`);
    const given = (value as Record<string, unknown>)[key];
    if (property === undefined) {
      if (given !== undefined) context.strict.push(`unknown field ${quote(strictPath(place, `.${key}`))}`);
      continue;
    }
    const at = context.checkTypes ? { parent: place, step: `.${key}`, field: key, struct: node.typeName } : undefined;
    const inner = convertValue(property.node, given, context, at);
    if (inner === DROP) {
      // A required list or map that is there but empty stays what it is.
      if (property.required && given !== null && (property.node.kind === 'list' || property.node.kind === 'map'))
        out[key] = property.node.kind === 'list' ? [] : {};
      continue;
    }
    if (property.dropZero && (inner === '' || inner === 0 || inner === false)) continue;
    out[key] = inner;
  }
  for (const [key, property] of fills(node)) {
    if (key in out) continue;
    const fill = property.fill;
    if (fill === null) {
      out[key] = null;
      continue;
    }
    out[key] = property.node.kind === 'object' ? convertObject(property.node, fill, { strict: [], checkTypes: false }, undefined) : cloneJson(fill);
  }
  return out;
}

const fillCache = new WeakMap<ObjectNode, (readonly [string, Property])[]>();

/** The fields of a type that are always written. */
function fills(node: ObjectNode): readonly (readonly [string, Property])[] {
  let list = fillCache.get(node);
  if (!list) {
    list = [...node.properties].filter(([, property]) => property.fill !== undefined && !isEmptySpecial(property.node, property.fill));
    fillCache.set(node, list);
  }
  return list;
}

/** `default: {}` of a type that is not an object in JSON (IntOrString, Quantity) says nothing. */
function isEmptySpecial(node: SchemaNode, fill: unknown): boolean {
  return node.kind !== 'object' && typeof fill === 'object' && fill !== null;
}

/** The spelling that nearly every time has already. */
const CANONICAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function convertScalar(node: ScalarNode, value: unknown, context: DecodeContext, place: Place | undefined): unknown {
  switch (node.kind) {
    case 'string':
      if (typeof value === 'string') return value;
      throw typeError(place, kindOf(value), node.goType, 'string');
    case 'integer':
      if (typeof value !== 'number') throw typeError(place, kindOf(value), node.goType, node.goType);
      if (context.checkTypes) {
        const limit = node.goType === 'int32' ? 0x7fff_ffff : Number.MAX_SAFE_INTEGER;
        if (!Number.isInteger(value) || value > limit || value < -limit - 1) throw typeError(place, `number ${formatNumber(value)}`, node.goType, node.goType);
      }
      return value;
    case 'number':
      if (typeof value !== 'number') throw typeError(place, kindOf(value), node.goType, node.goType);
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') throw typeError(place, kindOf(value), node.goType, 'bool');
      return value;
    case 'bytes': {
      if (typeof value !== 'string') throw typeError(place, kindOf(value), node.goType, 'slice');
      if (context.checkTypes) {
        const bad = badBase64(value);
        if (bad !== undefined)
          throw new DecodeError(`illegal base64 data at input byte ${bad}`, `error decoding from json: illegal base64 data at input byte ${bad}`);
      }
      return value.includes('\n') || value.includes('\r') ? value.replace(/[\r\n]/g, '') : value;
    }
    case 'time':
    case 'microTime':
      return convertTime(node.kind, value, place);
    case 'quantity': {
      if (typeof value !== 'string' && typeof value !== 'number') throw new DecodeError(QUANTITY_FORMAT_ERROR);
      try {
        return canonicalQuantity(typeof value === 'number' ? formatNumber(value) : value.trim());
      } catch (error) {
        throw new DecodeError((error as Error).message);
      }
    }
    case 'intOrString':
      if (typeof value === 'string') return value;
      if (typeof value === 'number') {
        if (!Number.isInteger(value) || Math.abs(value) > 0x7fff_ffff)
          throw new DecodeError(`json: cannot unmarshal number ${formatNumber(value)} into Go value of type int32`);
        return value;
      }
      throw new DecodeError(`json: cannot unmarshal ${kindOf(value)} into Go value of type int32`);
    default:
      return cloneUntyped(value);
  }
}

function convertTime(kind: 'time' | 'microTime', value: unknown, place: Place | undefined): unknown {
  if (typeof value !== 'string') throw typeError(place, kindOf(value), 'string', 'time');
  if (kind === 'time' && CANONICAL_TIME.test(value)) return value;
  const match = TIME.exec(value);
  const layout = kind === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
  if (!match) throw new DecodeError(`parsing time ${quote(quote(value)).slice(1, -1)} as ${quote(layout)}: cannot parse ${quote(value)} as "2006"`);
  const fraction = (match[7] ?? '').slice(1).padEnd(6, '0').slice(0, 6);
  let base = value.slice(0, 19);
  if (match[8] !== 'Z') {
    const ms = Date.parse(`${base}${match[8]}`);
    base = new Date(ms).toISOString().slice(0, 19);
  }
  return kind === 'time' ? `${base}Z` : `${base}.${fraction}Z`;
}

function formatNumber(value: number): string {
  return String(value).replace('e+', 'e');
}

/** Offset of the first byte that makes standard base64 fail, or undefined when all is well. */
function badBase64(text: string): number | undefined {
  const clean = text.replace(/[\r\n]/g, '');
  const bad = clean.search(/[^A-Za-z0-9+/=]/);
  if (bad >= 0) return bad;
  const padding = clean.indexOf('=');
  if (padding >= 0 && !/^={1,2}$/.test(clean.slice(padding))) return padding;
  return clean.length % 4 === 0 ? undefined : padding >= 0 ? padding : clean.length - (clean.length % 4);
}
