import { cloneJson, setKey } from '../decode.ts';
import { equalJson } from '../json-equal.ts';
import type { Property, SchemaNode } from '../schema.ts';

/** A strategic merge patch that cannot be applied; the message is upstream's. */
export class StrategicMergeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StrategicMergeError';
  }
}

type Json = Record<string, unknown>;

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const ORDER_PREFIX = '$setElementOrder/';
const DELETE_PREFIX = '$deleteFromPrimitiveList/';

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function propertyOf(node: SchemaNode | undefined, key: string): Property | undefined {
  return node?.kind === 'object' ? node.properties.get(key) : undefined;
}

function childNode(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  return node?.kind === 'map' ? node.value : propertyOf(node, key)?.node;
}

function strategyOf(property: Property | undefined): string {
  return property?.patchStrategy.find((strategy) => strategy !== 'retainKeys') ?? '';
}

/**
 * Applies a strategic merge patch to a copy of `target`, by the schema's merge keys
 * (models `k8s.io/apimachinery/pkg/util/strategicpatch`). Throws `StrategicMergeError`.
 */
export function applyStrategicMergePatch(node: SchemaNode, target: unknown, patch: Json): Json {
  return mergeMap(node, cloneJson(target) as Json, cloneJson(patch));
}

function mergeMap(node: SchemaNode | undefined, original: Json, patch: Json): Json {
  if (DIRECTIVE in patch) {
    const directive = patch[DIRECTIVE];
    if (directive === 'replace') {
      delete patch[DIRECTIVE];
      return patch;
    }
    if (directive === 'delete') return {};
    throw new StrategicMergeError(`unknown patch type: ${String(directive)} in map: ${JSON.stringify(patch)}`);
  }
  retainKeys(original, patch);
  applyElementOrders(node, original, patch);
  for (const rawKey of Object.keys(patch)) {
    const isDeleteList = rawKey.startsWith(DELETE_PREFIX);
    const key = isDeleteList ? rawKey.slice(DELETE_PREFIX.length) : rawKey;
    const value = patch[rawKey];
    if (value === null) {
      delete original[key];
      continue;
    }
    const known = original[key];
    const sameShape = known !== undefined && known !== null && Array.isArray(known) === Array.isArray(value) && typeof known === typeof value;
    if (!sameShape) {
      if (isDeleteList) continue;
      discardNulls(value);
      const kept = removeDirectives(value);
      if (kept === undefined) delete original[key];
      else setKey(original, key, kept);
      continue;
    }
    if (isObject(known)) {
      const replace = strategyOf(propertyOf(node, key)) === 'replace';
      setKey(original, key, replace ? value : mergeMap(childNode(node, key), known, value as Json));
    } else if (Array.isArray(known)) {
      setKey(original, key, mergeList(node, key, known, value as unknown[], isDeleteList));
    } else setKey(original, key, value);
  }
  return original;
}

function mergeList(node: SchemaNode | undefined, key: string, original: unknown[], patch: unknown[], isDeleteList: boolean): unknown[] {
  const property = propertyOf(node, key);
  if (strategyOf(property) !== 'merge' && !isDeleteList) return patch;
  const list = childNode(node, key);
  return mergeSlice(list?.kind === 'list' ? list.item : undefined, original, patch, property?.patchMergeKey ?? '', isDeleteList);
}

function mergeSlice(item: SchemaNode | undefined, originalList: unknown[], patchList: unknown[], mergeKey: string, isDeleteList: boolean): unknown[] {
  let original = originalList;
  let patch = patchList;
  if (original.length === 0 && patch.length === 0) return original;
  const maps = isObject([...original, ...patch][0]);
  let merged: unknown[];
  if (!maps) {
    if (isDeleteList) return original.filter((value) => !patch.includes(value));
    merged = [...new Set([...original, ...patch])];
  } else {
    if (mergeKey === '') throw new StrategicMergeError(`cannot merge lists without merge key for ${item?.kind === 'object' ? item.typeName : ''}`);
    [original, patch] = specialElements(original, patch, mergeKey);
    merged = [...original];
    for (const value of patch) {
      if (!isObject(value) || value[mergeKey] === undefined) throw noMergeKey(value, mergeKey);
      const at = merged.findIndex((known) => isObject(known) && known[mergeKey] === value[mergeKey]);
      if (at >= 0) merged[at] = mergeMap(item, merged[at] as Json, value);
      else {
        discardNulls(value);
        merged.push(value);
      }
    }
  }
  return inOrder(merged, patch, original, maps ? mergeKey : '');
}

function noMergeKey(value: unknown, mergeKey: string): StrategicMergeError {
  return new StrategicMergeError(`map: ${goMap(value)} does not contain declared merge key: ${mergeKey}`);
}

/** Go's `%v` of a map, for the error above. */
function goMap(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goMap).join(' ')}]`;
  if (isObject(value))
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goMap(value[key])}`)
      .join(' ')}]`;
  return value === null ? '<nil>' : String(value);
}

/** Handles `$patch: delete` and `$patch: replace` elements of a list. */
function specialElements(original: unknown[], patch: unknown[], mergeKey: string): [unknown[], unknown[]] {
  const plain: unknown[] = [];
  let left = original;
  let replace = false;
  for (const value of patch) {
    if (!isObject(value) || !(DIRECTIVE in value)) {
      plain.push(value);
      continue;
    }
    switch (value[DIRECTIVE]) {
      case 'delete':
        if (value[mergeKey] === undefined) throw noMergeKey(value, mergeKey);
        left = left.filter((known) => !isObject(known) || known[mergeKey] !== value[mergeKey]);
        break;
      case 'replace':
        replace = true;
        break;
      case 'merge':
        throw new StrategicMergeError('merging lists cannot yet be specified in the patch');
      default:
        throw new StrategicMergeError(`unknown patch type: ${String(value[DIRECTIVE])} in map: ${goMap(value)}`);
    }
  }
  return replace ? [plain, []] : [left, plain];
}

function retainKeys(original: Json, patch: Json): void {
  const keep = patch[RETAIN_KEYS];
  if (keep === undefined) return;
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(keep)) throw new StrategicMergeError(`invalid patch format of retainKeys`);
  for (const key of Object.keys(patch)) {
    if (!keep.includes(key) && !key.startsWith(ORDER_PREFIX) && !key.startsWith(DELETE_PREFIX))
      throw new StrategicMergeError('invalid patch format of retainKeys');
  }
  for (const key of Object.keys(original)) if (!keep.includes(key)) delete original[key];
}

/** Merges the lists that come with a `$setElementOrder` and puts them in that order. */
function applyElementOrders(node: SchemaNode | undefined, original: Json, patch: Json): void {
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(ORDER_PREFIX)) continue;
    const order = patch[directive];
    delete patch[directive];
    const key = directive.slice(ORDER_PREFIX.length);
    const mine = original[key];
    const theirs = patch[key];
    if (
      !Array.isArray(order) ||
      (mine !== undefined && mine !== null && !Array.isArray(mine)) ||
      (theirs !== undefined && theirs !== null && !Array.isArray(theirs))
    ) {
      throw new StrategicMergeError('invalid patch format of setElementOrder list');
    }
    const property = propertyOf(node, key);
    const mergeKey = property?.patchMergeKey ?? '';
    checkOrder((theirs ?? []) as unknown[], order, mergeKey);
    let merged: unknown[];
    if (Array.isArray(mine) && Array.isArray(theirs)) merged = mergeList(node, key, mine, theirs, false);
    else if (Array.isArray(mine)) merged = mine;
    else if (Array.isArray(theirs)) merged = removeDirectives(theirs) as unknown[];
    else continue;
    setKey(original, key, inOrder(merged, order, (mine ?? []) as unknown[], mergeKey));
    delete patch[key];
  }
}

/** The patch's elements must come in the order the directive says. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  const rest = patch.filter((value) => !isObject(value) || !(DIRECTIVE in value));
  if (order.length === 0 || rest.length === 0) return;
  let at = 0;
  for (let i = 0; at < rest.length && i < order.length; i++) if (identity(rest[at], mergeKey) === identity(order[i], mergeKey)) at++;
  if (at < rest.length)
    throw new StrategicMergeError(`The order in patch list:\n${goMap([...patch])}\n doesn't match $setElementOrder list:\n${goMap([...order])}\n`);
}

function identity(value: unknown, mergeKey: string): unknown {
  return mergeKey !== '' && isObject(value) ? value[mergeKey] : value;
}

function indexOf(list: readonly unknown[], value: unknown, mergeKey: string): number {
  const wanted = identity(value, mergeKey);
  return list.findIndex((known) => {
    const id = identity(known, mergeKey);
    return id === wanted || (typeof id === 'object' && equalJson(id, wanted));
  });
}

/** Patch items keep the patch's order, the others the server's; both are interleaved by the server's order. */
function inOrder(merged: readonly unknown[], patchOrder: readonly unknown[], serverOrder: readonly unknown[], mergeKey: string): unknown[] {
  const fromPatch = stableSort(
    merged.filter((value) => indexOf(patchOrder, value, mergeKey) >= 0),
    patchOrder,
    mergeKey,
  );
  const serverOnly = stableSort(
    merged.filter((value) => indexOf(patchOrder, value, mergeKey) < 0),
    serverOrder,
    mergeKey,
  );
  const out: unknown[] = [];
  let i = 0;
  let j = 0;
  while (i < serverOnly.length || j < fromPatch.length) {
    if (i >= serverOnly.length) out.push(fromPatch[j++]);
    else if (j >= fromPatch.length) out.push(serverOnly[i++]);
    else {
      const left = indexOf(serverOrder, serverOnly[i], mergeKey);
      const right = indexOf(serverOrder, fromPatch[j], mergeKey);
      if (left >= 0 && right >= 0 && left < right) out.push(serverOnly[i++]);
      else out.push(fromPatch[j++]);
    }
  }
  return out;
}

/** Go's insertion sort with upstream's comparison, which calls unknown items smaller. */
function stableSort(items: unknown[], order: readonly unknown[], mergeKey: string): unknown[] {
  const out = [...items];
  const less = (a: unknown, b: unknown): boolean => {
    const left = indexOf(order, a, mergeKey);
    const right = indexOf(order, b, mergeKey);
    return left >= 0 && right >= 0 ? left < right : true;
  };
  for (let i = 1; i < out.length; i++) for (let j = i; j > 0 && less(out[j], out[j - 1]); j--) [out[j - 1], out[j]] = [out[j], out[j - 1]];
  return out;
}

function discardNulls(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) discardNulls(item);
  else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key];
      else discardNulls(value[key]);
    }
  }
}

/** The value without directives; undefined when it was one. */
function removeDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(removeDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (DIRECTIVE in value) return undefined;
  const out: Json = {};
  for (const key of Object.keys(value)) {
    const kept = removeDirectives(value[key]);
    if (kept !== undefined) setKey(out, key, kept);
  }
  return out;
}
