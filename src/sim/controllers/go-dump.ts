import type { PodTemplateSpec } from '../kinds/types.ts';
import { GO_STRUCTS } from './go-structs.ts';

interface Field {
  name: string;
  json: string;
  embedded: boolean;
  type: string;
  /** As reflection names it. */
  shown: string;
}

const parsed = new Map<string, readonly Field[]>();

/** "DNSPolicy" → "dnsPolicy". */
function jsonName(name: string): string {
  const capitals = /^[A-Z]+/.exec(name)?.[0] ?? '';
  const first = capitals.length > 1 && capitals.length < name.length ? capitals.slice(0, -1) : capitals;
  return first.toLowerCase() + name.slice(first.length);
}

function fieldsOf(struct: string): readonly Field[] {
  let fields = parsed.get(struct);
  if (!fields) {
    fields = (GO_STRUCTS[struct] ?? '').split(' ').map((word) => {
      const [, name = '', json, type = 'string'] = /^(\w+)(=\w*)?(?::(.+))?$/.exec(word) ?? [];
      return { name, json: json?.slice(1) ?? jsonName(name), embedded: json === '=', type, shown: type.replace(/^((?:\*|\[\])*)(?=[A-Z])/, '$1v1.') };
    });
    parsed.set(struct, fields);
  }
  return fields;
}

const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** resource.Quantity as ParseQuantity leaves it; the API server has written it without needless fractions. Left out: amounts beyond 64 bits. */
function quantity(text: string): string {
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+)|([a-zA-Z]*))$/.exec(text) ?? [];
  let value = BigInt(`${whole}${fraction}` || '0');
  const power = BINARY.indexOf(suffix);
  if (power >= 0) value <<= BigInt((power + 1) * 10);
  const scale = power >= 0 ? -fraction.length : (exponent === undefined ? (DECIMAL[suffix] ?? 0) : Number(exponent)) - fraction.length;
  const format = power >= 0 ? 'BinarySI' : exponent === undefined ? 'DecimalSI' : 'DecimalExponent';
  return `{i:(resource.int64Amount){value:(int64)${sign === '-' ? -value : value} scale:(resource.Scale)${scale}} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)${text} Format:(resource.Format)${format}}`;
}

const NO_QUANTITY =
  '{i:(resource.int64Amount){value:(int64)0 scale:(resource.Scale)0} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string) Format:(resource.Format)}';
/** A template has no time of its own. */
const NO_TIME = '{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}';
const ZERO: Readonly<Record<string, string>> = { bool: 'false', int32: '0', int64: '0' };

function struct(name: string, value: unknown): string {
  const object = (value ?? {}) as Record<string, unknown>;
  const fields = fieldsOf(name).map((field) => `${field.name}:(${field.shown})${dump(field.type, field.embedded ? object : object[field.json])}`);
  return `{${fields.join(' ')}}`;
}

function dump(type: string, value: unknown): string {
  if (type.startsWith('*')) return value === undefined || value === null ? '<nil>' : dump(type.slice(1), value);
  if (type.startsWith('[]')) {
    const items = (value ?? []) as readonly unknown[];
    return items.length === 0 ? '<nil>' : `[${items.map((item) => dump(type.slice(2), item)).join(' ')}]`;
  }
  if (type.startsWith('map[') || type === 'ResourceList') {
    const entries = Object.entries((value ?? {}) as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
    const of = type === 'ResourceList' ? 'resource.Quantity' : type.slice(type.indexOf(']') + 1);
    return entries.length === 0 ? '<nil>' : `map[${entries.map(([key, entry]) => `${key}:${dump(of, entry)}`).join(' ')}]`;
  }
  if (type === 'resource.Quantity') return value === undefined ? NO_QUANTITY : quantity(String(value));
  if (type === 'Time') return NO_TIME;
  if (type === 'intstr.IntOrString')
    return typeof value === 'string'
      ? `{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)${value}}`
      : `{Type:(intstr.Type)0 IntVal:(int32)${value ?? 0} StrVal:(string)}`;
  if (Object.hasOwn(GO_STRUCTS, type)) return struct(type, value);
  return value === undefined ? (ZERO[type] ?? '') : String(value);
}

/** A Pod template as spew prints it with "%#v", sorted keys and without methods (`dump.ForHash`). */
export function dumpPodTemplate(template: PodTemplateSpec | undefined): string {
  return `(v1.PodTemplateSpec)${struct('PodTemplateSpec', template)}`;
}
