import { equalJson } from '../json-equal.ts';
import type { ListNode, SchemaNode } from '../schema.ts';
import { type FieldTree, LEAF, makeNode } from './field-set.ts';

/** What differs between two values: paths only in the right, in both but unequal, only in the left. */
export interface Comparison {
  added: FieldTree | undefined;
  modified: FieldTree | undefined;
  removed: FieldTree | undefined;
}

const NOTHING: Comparison = { added: undefined, modified: undefined, removed: undefined };
const ADDED: Comparison = { ...NOTHING, added: LEAF };
const MODIFIED: Comparison = { ...NOTHING, modified: LEAF };
const REMOVED: Comparison = { ...NOTHING, removed: LEAF };

type Json = Record<string, unknown>;

function isAtomic(node: SchemaNode): boolean {
  switch (node.kind) {
    case 'object':
    case 'map':
      return node.atomic;
    case 'list':
      return node.listType === 'atomic';
    default:
      return true;
  }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object') {
    for (const _key in value) return false;
    return true;
  }
  return false;
}

/** Path element of a list item: `v:"a"` in sets, `k:{"name":"c"}` in maps. */
export function itemElement(node: ListNode, item: unknown): string {
  if (node.listType === 'set') return `v:${JSON.stringify(item)}`;
  const keys: Json = {};
  const properties = node.item.kind === 'object' ? node.item.properties : undefined;
  for (const key of node.keys.length > 1 ? [...node.keys].sort() : node.keys) {
    const value = (item as Json | null)?.[key] ?? properties?.get(key)?.fill;
    if (value !== undefined) keys[key] = value;
  }
  return `k:${JSON.stringify(keys)}`;
}

function childNode(node: SchemaNode, key: string): SchemaNode {
  if (node.kind === 'map') return node.value;
  if (node.kind === 'object') return node.properties.get(key)?.node ?? UNTYPED;
  return UNTYPED;
}

const UNTYPED: SchemaNode = { kind: 'any', goType: 'interface {}' };

/** The differences below one place, gathered child by child. Most often there are none: then nothing is made. */
class Gathered {
  added: Record<string, FieldTree> | undefined;
  modified: Record<string, FieldTree> | undefined;
  removed: Record<string, FieldTree> | undefined;

  put(element: string, result: Comparison): void {
    if (result === NOTHING) return;
    if (result.added) {
      this.added ??= {};
      this.added[element] = result.added;
    }
    if (result.modified) {
      this.modified ??= {};
      this.modified[element] = result.modified;
    }
    if (result.removed) {
      this.removed ??= {};
      this.removed[element] = result.removed;
    }
  }
}

const WITHOUT_CHILDREN: Record<string, FieldTree> = {};

/** Compares two values of one type (models `typed.Compare`). Undefined stands for absent. */
export function compare(node: SchemaNode, left: unknown, right: unknown): Comparison {
  if (left === right) return NOTHING;
  if (isAtomic(node) || (isEmpty(left) && isEmpty(right))) {
    if (left === undefined) return ADDED;
    if (right === undefined) return REMOVED;
    return equalJson(left, right) ? NOTHING : MODIFIED;
  }
  const below = new Gathered();
  if (node.kind === 'list') compareItems(node, (left ?? []) as unknown[], (right ?? []) as unknown[], below);
  else {
    const before = (left ?? {}) as Json;
    const after = (right ?? {}) as Json;
    for (const key of Object.keys(after)) {
      const now = after[key];
      // The same object on both sides: a part that was not touched.
      if (now === undefined || now === before[key]) continue;
      below.put(`f:${key}`, compare(childNode(node, key), presentValue(node, key, before, left), now));
    }
    for (const key of Object.keys(before)) {
      if (before[key] === undefined || after[key] !== undefined) continue;
      below.put(`f:${key}`, compare(childNode(node, key), before[key], presentValue(node, key, after, right)));
    }
  }
  const added = below.added || left === undefined ? makeNode(left === undefined, below.added ?? WITHOUT_CHILDREN) : undefined;
  const removed = below.removed || right === undefined ? makeNode(right === undefined, below.removed ?? WITHOUT_CHILDREN) : undefined;
  return added || below.modified || removed ? { added, modified: below.modified, removed } : NOTHING;
}

/** A required list that Go writes as null is there, though empty. */
function presentValue(node: SchemaNode, key: string, holder: Json, whole: unknown): unknown {
  const value = holder[key];
  if (value !== undefined || whole === undefined || node.kind !== 'object') return value;
  const property = node.properties.get(key);
  return property?.required && (property.node.kind === 'list' || property.node.kind === 'map') ? null : undefined;
}

function compareItems(node: ListNode, left: readonly unknown[], right: readonly unknown[], below: Gathered): void {
  if (comparePairs(node, left, right, below)) return;
  const before = group(node, left);
  const after = group(node, right);
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(element) ?? [];
    const now = after.get(element) ?? [];
    if (old.length <= 1 && now.length <= 1) below.put(element, compare(node.item, old[0], now[0]));
    else if (old.length >= 2 && now.length >= 2) {
      if (!equalJson(old, now)) below.put(element, MODIFIED);
    } else if (old.length >= 2) {
      const fresh = now.length > 0 ? compare(node.item, undefined, now[0]) : NOTHING;
      below.put(element, { ...fresh, removed: LEAF });
    } else {
      const gone = old.length > 0 ? compare(node.item, old[0], undefined) : NOTHING;
      below.put(element, { ...gone, added: LEAF });
    }
  }
}

const SHORT_LIST = 16;

/** The usual case, without maps: a short list whose items are the same ones in the same order, none twice. False: it is another case. */
function comparePairs(node: ListNode, left: readonly unknown[], right: readonly unknown[], below: Gathered): boolean {
  if (left.length !== right.length || left.length > SHORT_LIST) return false;
  const elements: string[] = [];
  for (let i = 0; i < left.length; i++) {
    const element = itemElement(node, left[i]);
    if (elements.includes(element) || (left[i] !== right[i] && itemElement(node, right[i]) !== element)) return false;
    elements.push(element);
  }
  for (const [i, element] of elements.entries()) below.put(element, compare(node.item, left[i], right[i]));
  return true;
}

function group(node: ListNode, items: readonly unknown[]): Map<string, unknown[]> {
  const out = new Map<string, unknown[]>();
  for (const item of items) {
    const element = itemElement(node, item);
    const known = out.get(element);
    if (known) known.push(item);
    else out.set(element, [item]);
  }
  return out;
}

/** Every field that `value` sets (models `typed.ToFieldSet`). */
export function toFieldSet(node: SchemaNode, value: unknown): FieldTree {
  return fieldSetOf(node, value) ?? LEAF;
}

function fieldSetOf(node: SchemaNode, value: unknown): FieldTree | undefined {
  if (isAtomic(node)) return LEAF;
  if (value === null || value === undefined) return undefined;
  const children: Record<string, FieldTree> = {};
  if (node.kind === 'list') {
    for (const [element, items] of group(node, value as unknown[])) {
      const inner = items.length === 1 ? fieldSetOf(node.item, items[0]) : LEAF;
      // Items are members themselves.
      children[element] = inner === undefined || inner === LEAF ? LEAF : { '.': LEAF, ...inner };
    }
  } else {
    for (const key of Object.keys(value as Json)) {
      const item = (value as Json)[key];
      if (item === undefined) continue;
      const inner = fieldSetOf(childNode(node, key), item);
      const known = node.kind === 'object' && node.properties.has(key);
      const member = item === null || (typeof item === 'object' && !Array.isArray(item) && isEmpty(item)) || !known;
      const tree = inner === undefined || inner === LEAF ? (inner ?? (member ? LEAF : undefined)) : member ? { '.': LEAF, ...inner } : inner;
      if (tree) children[`f:${key}`] = tree;
    }
  }
  return makeNode(false, children);
}

/** `left` overlaid with `right` (models `typed.Merge`): lists by key, atomic things replaced. */
export function merge(node: SchemaNode, left: unknown, right: unknown): unknown {
  if (right === undefined) return left;
  if (left === undefined || left === null) return right;
  if (isAtomic(node) || (isEmpty(left) && isEmpty(right))) return right;
  if (right === null) return left;
  if (node.kind === 'list') return mergeItems(node, left as unknown[], right as unknown[]);
  const out: Json = { ...(left as Json) };
  for (const key of Object.keys(right as Json)) out[key] = merge(childNode(node, key), (left as Json)[key], (right as Json)[key]);
  return out;
}

function mergeItems(node: ListNode, left: readonly unknown[], right: readonly unknown[]): unknown[] {
  const leftElements = left.map((item) => itemElement(node, item));
  const rightElements = right.map((item) => itemElement(node, item));
  const before = new Map<string, unknown>();
  for (const [i, element] of leftElements.entries()) before.set(element, before.has(element) ? undefined : left[i]);
  const after = new Map(rightElements.map((element, i) => [element, right[i]]));
  const shared = rightElements.filter((element) => before.has(element));
  let next = shared.shift();
  const merged = new Set<string>();
  const out: unknown[] = [];
  const take = (element: string): void => {
    merged.add(element);
    out.push(merge(node.item, before.get(element), after.get(element)));
  };
  for (let l = 0, r = 0; l < leftElements.length || r < rightElements.length; ) {
    const mine = leftElements[l];
    const theirs = rightElements[r];
    if (mine !== undefined && theirs !== undefined) {
      if (mine === theirs) {
        take(mine);
        l++;
        r++;
        next = shared.shift();
        continue;
      }
      if (after.has(mine) && next !== undefined && next !== mine) {
        l++;
        continue;
      }
    }
    if (mine !== undefined) {
      if (!after.has(mine)) {
        out.push(left[l]);
        l++;
        continue;
      }
      if (merged.has(mine)) l++;
    }
    if (theirs !== undefined) {
      take(theirs);
      r++;
      if (next === theirs) next = shared.shift();
    }
  }
  return out;
}

/** `value` without the fields of `set` (models `typed.RemoveItems`). */
export function removeItems(node: SchemaNode, value: unknown, set: FieldTree): unknown {
  if (value === null || value === undefined || typeof value !== 'object') return value;
  if (isEmpty(value)) return undefined;
  if (isAtomic(node)) return node.kind === 'list' || node.kind === 'map' || node.kind === 'object' ? undefined : value;
  const isMember = (tree: FieldTree): boolean => '.' in tree || Object.keys(tree).length === 0;
  if (node.kind === 'list') {
    const out: unknown[] = [];
    for (const item of value as unknown[]) {
      const below = set[itemElement(node, item)];
      if (below && isMember(below)) continue;
      out.push(below ? removeItems(node.item, item, below) : item);
    }
    return out.length > 0 ? out : undefined;
  }
  const out: Json = {};
  let any = false;
  for (const key of Object.keys(value as Json)) {
    const below = set[`f:${key}`];
    if (below && isMember(below)) continue;
    const item = (value as Json)[key];
    const left = below ? removeItems(childNode(node, key), item, below) : item;
    if (left === undefined) continue;
    out[key] = left;
    any = true;
  }
  return any ? out : undefined;
}

/**
 * The set with every named field on the way to a member made a member too (`EnsureNamedFieldsAreMembers`), so that a
 * struct whose fields are all pruned goes with them. Keys of maps and list items are not named fields.
 */
export function ensureNamedFields(node: SchemaNode, set: FieldTree): FieldTree {
  const out: Record<string, FieldTree> = {};
  for (const key of Object.keys(set)) {
    if (key === '.') {
      out[key] = LEAF;
      continue;
    }
    const child = set[key] as FieldTree;
    const named = key.startsWith('f:') && node.kind === 'object' && node.properties.has(key.slice(2));
    const below = key.startsWith('f:') ? childNode(node, key.slice(2)) : node.kind === 'list' ? node.item : UNTYPED;
    const inner = ensureNamedFields(below, child);
    out[key] = named && Object.keys(inner).length > 0 ? { '.': LEAF, ...inner } : inner;
  }
  return out;
}
