import facts from '../../kinds/facts/field-order.json' with { type: 'json' };
import { type ObjectNode, type Property, type SchemaNode, schemaTypes, typeNameOfNode } from '../schema.ts';

/**
 * JSON members in the order the real server writes them: struct fields as they are declared in Go, maps by key. The facts
 * hold, for each type in the order of names, the positions of its alphabetical fields; nothing where that is the order.
 */

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_';

type Json = Record<string, unknown>;

const orders = new WeakMap<ReadonlyMap<string, Property>, readonly string[]>();
let positions: ReadonlyMap<string, string> | undefined;

function orderOf(node: ObjectNode): readonly string[] {
  let order = orders.get(node.properties);
  if (!order) {
    positions ??= new Map(Object.keys(schemaTypes()).map((name, i) => [name, PERMUTATIONS[i] ?? '']));
    const fields = [...node.properties.keys()].sort();
    const digits = positions.get(typeNameOfNode(node) ?? '') ?? '';
    order = digits.length === fields.length ? [...digits].map((digit) => fields[DIGITS.indexOf(digit)] as string) : fields;
    orders.set(node.properties, order);
  }
  return order;
}

const PERMUTATIONS = facts.order.split(',');

/** How many fields each type has by the facts (0: alphabetical), for the test that holds them against the schema. */
export const permutationLengths = (): readonly number[] => PERMUTATIONS.map((digits) => digits.length);

/** A copy with members in order, sharing what needs none. */
export function inFieldOrder(node: SchemaNode, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  switch (node.kind) {
    case 'list':
      return Array.isArray(value) ? value.map((item) => inFieldOrder(node.item, item)) : value;
    case 'map':
      return sortedKeys(value as Json, (inner) => inFieldOrder(node.value, inner));
    case 'object': {
      // A custom resource is a map to the server, all the way down.
      if (node.convert) return sortedDeep(value);
      const source = value as Json;
      const out: Json = {};
      for (const key of orderOf(node)) {
        const child = source[key];
        if (child !== undefined) out[key] = inFieldOrder((node.properties.get(key) as Property).node, child);
      }
      for (const key of Object.keys(source)) if (!(key in out) && source[key] !== undefined) out[key] = source[key];
      return out;
    }
    default:
      return value;
  }
}

function sortedKeys(value: Json, each: (inner: unknown) => unknown): Json {
  const out: Json = {};
  for (const key of Object.keys(value).sort())
    Object.defineProperty(out, key, { value: each(value[key]), enumerable: true, configurable: true, writable: true });
  return out;
}

function sortedDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedDeep);
  return typeof value === 'object' && value !== null ? sortedKeys(value as Json, sortedDeep) : value;
}
