import type { SchemaNode } from '../schema.ts';
import { pathText } from './field-set.ts';
import { itemElement } from './typed.ts';

type Json = Record<string, unknown>;

function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (typeof value === 'object') {
    const source = value as Json;
    return `map[${Object.keys(source)
      .sort()
      .map((key) => `${key}:${goValue(source[key])}`)
      .join(' ')}]`;
  }
  return String(value);
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64';
    default:
      return 'map[string]interface {}';
  }
}

/** `%#v` of a value as structured-merge-diff holds it. */
function held(value: unknown): string {
  return `&value.valueUnstructured{Value:${typeof value === 'string' ? JSON.stringify(value) : goValue(value)}}`;
}

/**
 * What is wrong with an applied configuration, in structured-merge-diff's words (`typed.Validate`): each text is
 * "<path>: <complaint>".
 */
export function typedErrors(node: SchemaNode, value: unknown, path: readonly string[] = []): string[] {
  if (value === null || value === undefined) return [];
  const at = (complaint: string): string[] => [`${pathText(path)}: ${complaint}`];
  switch (node.kind) {
    case 'object':
    case 'map': {
      if (typeof value !== 'object' || Array.isArray(value)) return at(`expected map, got ${held(value)}`);
      const out: string[] = [];
      for (const key of Object.keys(value)) {
        const child = node.kind === 'map' ? node.value : node.properties.get(key)?.node;
        const here = [...path, `f:${key}`];
        if (child) out.push(...typedErrors(child, (value as Json)[key], here));
        else out.push(`${pathText(here)}: field not declared in schema`);
      }
      return out;
    }
    case 'list': {
      if (!Array.isArray(value)) return at(`expected list, got ${held(value)}`);
      const out: string[] = [];
      const seen = new Set<string>();
      for (const [i, item] of value.entries()) {
        if (node.listType === 'atomic') {
          out.push(...typedErrors(node.item, item, [...path, `i:${i}`]));
          continue;
        }
        const missing =
          node.listType === 'map'
            ? node.keys.find(
                (key) =>
                  (item as Json | null)?.[key] === undefined &&
                  (node.item.kind !== 'object' || node.item.properties.get(key)?.fill === undefined || node.item.properties.get(key)?.fill === ''),
              )
            : undefined;
        if (missing !== undefined) {
          out.push(
            ...at(`element ${i}: associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`),
          );
          continue;
        }
        const element = itemElement(node, item);
        if (seen.has(element)) out.push(...at(`duplicate entries for key ${pathText([element])}`));
        seen.add(element);
        out.push(...typedErrors(node.item, item, [...path, element]));
      }
      return out;
    }
    case 'string':
    case 'bytes':
    case 'time':
    case 'microTime':
      return typeof value === 'string' ? [] : at(`expected string, got ${held(value)}`);
    case 'integer':
    case 'number':
      return typeof value === 'number' ? [] : at(`expected numeric (int or float), got ${goType(value)}`);
    case 'boolean':
      return typeof value === 'boolean' ? [] : at(`expected boolean, got ${held(value)}`);
    default:
      return [];
  }
}
