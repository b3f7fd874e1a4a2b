import { readFileSync } from 'node:fs';
import { typeNameOf } from '../../sim/apiserver/resources.ts';
import { type SchemaFact, schemaTypes } from '../../sim/apiserver/schema.ts';

/**
 * Turns `application/vnd.kubernetes.protobuf` bodies, which kubectl and other typed clients send, into JSON, so that
 * the API server needs one format only. Field numbers are facts of `k8s.io/api` v0.36.3 (Apache-2.0) in
 * protobuf-fields.json: per message the names in order of their numbers; a number says where the next one begins;
 * `*Type` is a struct that Go embeds and JSON flattens.
 */

type Json = Record<string, unknown>;

interface Field {
  name: string;
  /** Flattened into its parent. */
  embedded: boolean;
}

let table: Readonly<Record<string, string>> | undefined;
const fieldCache = new Map<string, Map<number, Field>>();

function fieldsOf(type: string): Map<number, Field> {
  let fields = fieldCache.get(type);
  if (fields) return fields;
  table ??= JSON.parse(readFileSync(new URL('./protobuf-fields.json', import.meta.url), 'utf8')) as Record<string, string>;
  fields = new Map();
  let number = 1;
  for (const word of (table[type] ?? '').split(' ')) {
    if (/^\d+$/.test(word)) {
      number = Number(word);
      continue;
    }
    fields.set(number++, word.startsWith('*') ? { name: word.slice(1), embedded: true } : { name: word, embedded: false });
  }
  fieldCache.set(type, fields);
  return fields;
}

/** Reads the wire format. Throws RangeError when the bytes end too soon. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || shift > 63n) throw new RangeError('unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  }

  bytes(): Uint8Array {
    return this.#take(Number(this.varint()));
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new RangeError('unexpected EOF');
    const out = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return out;
  }

  /** The next field: its number and its value, still raw. */
  field(): { number: number; value: bigint | Uint8Array } {
    const key = Number(this.varint());
    switch (key & 7) {
      case 0:
        return { number: key >>> 3, value: this.varint() };
      case 1:
        return { number: key >>> 3, value: this.#take(8) };
      case 2:
        return { number: key >>> 3, value: this.bytes() };
      case 5:
        return { number: key >>> 3, value: this.#take(4) };
      default:
        throw new RangeError(`proto: wrong wireType = ${key & 7}`);
    }
  }
}

const decoder = new TextDecoder();

function text(value: bigint | Uint8Array): string {
  return typeof value === 'bigint' ? String(value) : decoder.decode(value);
}

/** All fields of a small message by number (last one wins). */
function simple(value: bigint | Uint8Array): Map<number, bigint | Uint8Array> {
  const out = new Map<number, bigint | Uint8Array>();
  if (typeof value === 'bigint') return out;
  const reader = new Reader(value);
  while (!reader.done) {
    const field = reader.field();
    out.set(field.number, field.value);
  }
  return out;
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Types that JSON writes in another way than as an object with their fields. */
const SPECIAL: Record<string, (value: bigint | Uint8Array) => unknown> = {
  [`${META}.Time`]: (value) => timeOf(value, 0),
  [`${META}.MicroTime`]: (value) => timeOf(value, 6),
  'io.k8s.apimachinery.pkg.api.resource.Quantity': (value) => text(simple(value).get(1) ?? new Uint8Array()),
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': (value) => {
    const fields = simple(value);
    return Number(fields.get(1) ?? 0n) === 1 ? text(fields.get(3) ?? new Uint8Array()) : Number(fields.get(2) ?? 0n);
  },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': raw,
  [`${META}.FieldsV1`]: raw,
  [`${EXTENSIONS}.JSON`]: raw,
  [`${EXTENSIONS}.JSONSchemaPropsOrArray`]: (value) => {
    const fields = simple(value);
    return fields.has(1) ? message(`${EXTENSIONS}.JSONSchemaProps`, fields.get(1) as Uint8Array) : [];
  },
  [`${EXTENSIONS}.JSONSchemaPropsOrBool`]: (value) => {
    const fields = simple(value);
    return fields.has(2) ? message(`${EXTENSIONS}.JSONSchemaProps`, fields.get(2) as Uint8Array) : fields.get(1) === 1n;
  },
};

function raw(value: bigint | Uint8Array): unknown {
  const bytes = simple(value).get(1);
  const json = bytes === undefined ? '' : text(bytes);
  return json === '' ? null : (JSON.parse(json) as unknown);
}

function timeOf(value: bigint | Uint8Array, digits: number): string | null {
  const fields = simple(value);
  const seconds = fields.get(1);
  if (typeof seconds !== 'bigint') return null;
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const nanos = String(Number(fields.get(2) ?? 0n)).padStart(9, '0');
  return digits === 0 ? `${base}Z` : `${base}.${nanos.slice(0, digits)}Z`;
}

function message(type: string, bytes: Uint8Array): Json {
  const out: Json = {};
  fill(out, type, schemaTypes()[type]?.properties ?? {}, bytes);
  return out;
}

function fill(out: Json, type: string, properties: Readonly<Record<string, SchemaFact>>, bytes: Uint8Array): void {
  const fields = fieldsOf(type);
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { number, value } = reader.field();
    const field = fields.get(number);
    if (!field) continue;
    if (field.embedded) {
      if (value instanceof Uint8Array) fill(out, field.name, properties, value);
      continue;
    }
    const fact = properties[field.name];
    if (fact) put(out, field.name, fact, value);
  }
}

function put(out: Json, name: string, fact: SchemaFact, value: bigint | Uint8Array): void {
  if (fact.type === 'array') {
    const list = (out[name] ?? []) as unknown[];
    list.push(one(fact.items ?? {}, value));
    out[name] = list;
  } else if (fact.additionalProperties) {
    const entry = simple(value);
    const map = (out[name] ?? {}) as Json;
    const key = text(entry.get(1) ?? new Uint8Array());
    map[key] = mapValue(fact.additionalProperties, entry.get(2) ?? new Uint8Array());
    out[name] = map;
  } else {
    const decoded = one(fact, value);
    if (decoded !== null) out[name] = decoded;
  }
}

/** Values of maps of lists are wrapped in a message with the list as field 1 (`ExtraValue`). */
function mapValue(fact: SchemaFact, value: bigint | Uint8Array): unknown {
  if (fact.type !== 'array') return one(fact, value);
  const list: unknown[] = [];
  if (value instanceof Uint8Array) {
    const reader = new Reader(value);
    while (!reader.done) list.push(one(fact.items ?? {}, reader.field().value));
  }
  return list;
}

function one(fact: SchemaFact, value: bigint | Uint8Array): unknown {
  if (fact.$ref) {
    const special = SPECIAL[fact.$ref];
    if (special) return special(value);
    return message(fact.$ref, value instanceof Uint8Array ? value : new Uint8Array());
  }
  switch (fact.type) {
    case 'integer':
      return Number(value);
    case 'boolean':
      return value === 1n;
    case 'number':
      return value instanceof Uint8Array ? new DataView(value.buffer, value.byteOffset, 8).getFloat64(0, true) : Number(value);
    case 'string':
      return fact.format === 'byte' && value instanceof Uint8Array ? Buffer.from(value).toString('base64') : text(value);
    default:
      return null;
  }
}

/** The JSON text of a protobuf body. Throws with the server's words when it is none. */
export function protobufToJson(body: Uint8Array): string {
  if (body.length < 4 || body[0] !== 0x6b || body[1] !== 0x38 || body[2] !== 0x73 || body[3] !== 0) {
    throw new Error('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  const unknown = simple(body.subarray(4));
  const meta = simple(unknown.get(1) ?? new Uint8Array());
  const apiVersion = text(meta.get(1) ?? new Uint8Array());
  const kind = text(meta.get(2) ?? new Uint8Array());
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const type = typeNameOf(group, version, kind) ?? (kind === 'DeleteOptions' ? `${META}.DeleteOptions` : undefined);
  if (!type) throw new Error(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  const bytes = unknown.get(2);
  return JSON.stringify({ kind, apiVersion, ...message(type, bytes instanceof Uint8Array ? bytes : new Uint8Array()) });
}
