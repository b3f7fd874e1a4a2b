import { goSprint } from '../format/go-json.ts';
import { CliError } from '../util/errors.ts';
import { compareStrings, deepEqual, isObject, type Json, type Obj } from '../util/object.ts';
import { fieldMeta } from './patch-meta.ts';

/**
 * apimachinery's strategicpatch: patches made from two or three versions of an object, and applied to one. Patches are
 * shown in kubectl's errors, so their form ($setElementOrder, $retainKeys, $patch) is kept.
 */
interface DiffOptions {
  setElementOrder?: boolean;
  ignoreChangesAndAdditions?: boolean;
  ignoreDeletions?: boolean;
  retainKeys?: boolean;
}

interface MergeOptions {
  mergeParallelList: boolean;
  ignoreUnmatchedNulls: boolean;
}

const ORDER = '$setElementOrder';
const DELETE_LIST = '$deleteFromPrimitiveList';
const RETAIN = '$retainKeys';

const clone = <T>(value: T): T => (value === undefined ? value : structuredClone(value));
const kindOf = (value: Json): string => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value);

/** CreateTwoWayMergePatch. */
export function twoWayMergePatch(original: Obj, modified: Obj, type: string | undefined): Obj {
  return diffMaps(clone(original), clone(modified), type, { setElementOrder: true });
}

/** CreateThreeWayMergePatch with overwrite. */
export function threeWayMergePatch(original: Obj, modified: Obj, current: Obj, type: string | undefined): Obj {
  const delta = diffMaps(clone(current), clone(modified), type, { ignoreDeletions: true, setElementOrder: true });
  const deletions = diffMaps(clone(original), clone(modified), type, { setElementOrder: true, ignoreChangesAndAdditions: true });
  return mergeMap(deletions, delta, type, { mergeParallelList: false, ignoreUnmatchedNulls: false });
}

/** StrategicMergePatch: applies a patch. */
export function strategicMerge(original: Obj, patch: Obj, type: string | undefined): Obj {
  return mergeMap(clone(original), clone(patch), type, { mergeParallelList: true, ignoreUnmatchedNulls: true });
}

function diffMaps(original: Obj, modified: Obj, type: string | undefined, options: DiffOptions): Obj {
  const patch: Obj = {};
  const retained: Json[] = [];
  for (const [key, modifiedValue] of Object.entries(modified)) {
    if (options.retainKeys && modifiedValue !== null) retained.push(key);
    if (!Object.hasOwn(original, key)) {
      if (!options.ignoreChangesAndAdditions) patch[key] = modifiedValue;
      continue;
    }
    const originalValue = original[key];
    if (key === '$patch') {
      if (originalValue !== modifiedValue) patch[key] = modifiedValue;
      continue;
    }
    if (kindOf(originalValue) !== kindOf(modifiedValue)) {
      if (!options.ignoreChangesAndAdditions) patch[key] = modifiedValue;
      continue;
    }
    const meta = fieldMeta(type, key);
    if (isObject(originalValue)) {
      if (meta.replace) {
        if (!options.ignoreChangesAndAdditions) patch[key] = modifiedValue;
      } else {
        const inner = diffMaps(originalValue, modifiedValue, meta.type, { ...options, retainKeys: meta.retainKeys ?? false });
        if (Object.keys(inner).length > 0) patch[key] = inner;
      }
    } else if (Array.isArray(originalValue) && meta.merge) {
      const lists = diffLists(originalValue, modifiedValue, meta.type, meta.mergeKey ?? '', { ...options, retainKeys: meta.retainKeys ?? false });
      if (lists.add.length > 0) patch[key] = lists.add;
      if (lists.remove.length > 0) patch[`${DELETE_LIST}/${key}`] = lists.remove;
      if (lists.order.length > 0) patch[`${ORDER}/${key}`] = lists.order;
    } else if (!options.ignoreChangesAndAdditions && !deepEqual(originalValue, modifiedValue)) patch[key] = modifiedValue;
  }
  if (!options.ignoreDeletions) for (const key of Object.keys(original)) if (!Object.hasOwn(modified, key)) patch[key] = null;
  if (retained.length > 0 && (Object.keys(patch).length > 0 || Object.keys(original).some((key) => !Object.hasOwn(modified, key)))) {
    patch[RETAIN] = sortScalars(retained);
  }
  return patch;
}

const sortScalars = (list: Json[]): Json[] => [...list].sort((a, b) => compareStrings(goSprint(a), goSprint(b)));
const unique = (list: Json[]): Json[] => [...new Set(list)];

function diffLists(
  original: Json[],
  modified: Json[],
  type: string | undefined,
  mergeKey: string,
  options: DiffOptions,
): { add: Json[]; remove: Json[]; order: Json[] } {
  if (original.length === 0) return { add: options.ignoreChangesAndAdditions ? [] : modified, remove: [], order: [] };
  if (isObject(original[0] ?? modified[0])) {
    const { patch, deletions } = diffListsOfMaps(original, modified, type, mergeKey, options);
    const add = [...sortByOrder(patch, modified, mergeKey), ...deletions];
    const orderSame = original.length === modified.length && modified.every((item, index) => item[mergeKey] === original[index][mergeKey]);
    const wantsOrder =
      options.setElementOrder && ((!options.ignoreChangesAndAdditions && (add.length > 0 || !orderSame)) || (!options.ignoreDeletions && add.length > 0));
    return { add, remove: [], order: wantsOrder ? modified.map((item) => ({ [mergeKey]: item[mergeKey] })) : [] };
  }
  const add = options.ignoreChangesAndAdditions ? [] : modified.filter((item) => !original.includes(item));
  const remove = options.ignoreDeletions ? [] : unique(sortScalars(original.filter((item) => !modified.includes(item))));
  const wantsOrder =
    options.setElementOrder && ((!options.ignoreDeletions && remove.length > 0) || (!options.ignoreChangesAndAdditions && !deepEqual(original, modified)));
  return { add: sortByOrder(add, modified, ''), remove, order: wantsOrder ? modified : [] };
}

function keyOf(item: Json, mergeKey: string): Json {
  if (!isObject(item)) throw new CliError(`expected a map[string]interface {}, but received a ${kindOf(item)}`);
  if (!Object.hasOwn(item, mergeKey)) throw new CliError(`map: ${goSprint(item)} does not contain declared merge key: ${mergeKey}`);
  return item[mergeKey];
}

function diffListsOfMaps(
  original: Json[],
  modified: Json[],
  type: string | undefined,
  mergeKey: string,
  options: DiffOptions,
): { patch: Json[]; deletions: Json[] } {
  const byKey = (list: Json[]): Json[] => [...list].sort((a, b) => compareStrings(goSprint(keyOf(a, mergeKey)), goSprint(keyOf(b, mergeKey))));
  const before = byKey(original);
  const after = byKey(modified);
  const patch: Json[] = [];
  const deletions: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const x = before[i];
    const y = after[j];
    const order = x === undefined ? 1 : y === undefined ? -1 : compareStrings(goSprint(x[mergeKey]), goSprint(y[mergeKey]));
    if (order === 0) {
      const inner = diffMaps(x, y, type, options);
      if (Object.keys(inner).length > 0) patch.push({ ...inner, [mergeKey]: y[mergeKey] });
      i++;
      j++;
    } else if (order > 0) {
      if (!options.ignoreChangesAndAdditions) patch.push(y);
      j++;
    } else {
      if (!options.ignoreDeletions) deletions.push({ [mergeKey]: x[mergeKey], $patch: 'delete' });
      i++;
    }
  }
  return { patch, deletions };
}

const identity = (item: Json, mergeKey: string): Json => (isObject(item) ? item[mergeKey] : item);

function sortByOrder(list: Json[], order: Json[], mergeKey: string): Json[] {
  const rank = (item: Json): number => order.findIndex((each) => identity(each, mergeKey) === identity(item, mergeKey));
  const kept = list.filter((item) => !(isObject(item) && item.$patch === 'delete'));
  const deletions = list.filter((item) => isObject(item) && item.$patch === 'delete');
  return [...kept.sort((a, b) => rank(a) - rank(b)), ...deletions];
}

function mergeMap(original: Obj | null | undefined, patch: Obj, type: string | undefined, options: MergeOptions): Obj {
  if (patch.$patch === 'replace') {
    delete patch.$patch;
    return patch;
  }
  if (patch.$patch === 'delete') return {};
  if (patch.$patch !== undefined) throw new CliError(`unknown patch type: ${patch.$patch} in map: ${goSprint(patch)}`);
  const target: Obj = original ?? {};
  applyRetainKeys(target, patch, options);
  mergeOrderedLists(target, patch, type, options);
  for (const [name, value] of Object.entries(patch)) {
    let key = name;
    let isDeleteList = false;
    if (name.startsWith(`${DELETE_LIST}/`)) {
      if (!options.mergeParallelList) {
        target[name] = value;
        continue;
      }
      key = name.slice(DELETE_LIST.length + 1);
      isDeleteList = true;
    }
    if (value === null) {
      delete target[key];
      if (options.ignoreUnmatchedNulls) continue;
    }
    if (!Object.hasOwn(target, key) || kindOf(target[key]) !== kindOf(value)) {
      if (isDeleteList) continue;
      const plain = withoutDirectives(value, options);
      if (plain === undefined) delete target[key];
      else target[key] = plain;
      continue;
    }
    const meta = fieldMeta(type, key);
    if (isObject(value)) target[key] = meta.replace ? value : mergeMap(target[key], value, meta.type, options);
    else if (Array.isArray(value)) {
      target[key] = meta.merge || isDeleteList ? mergeList(target[key], value, meta.type, meta.mergeKey ?? '', options, isDeleteList) : value;
    } else target[key] = value;
  }
  return target;
}

function applyRetainKeys(target: Obj, patch: Obj, options: MergeOptions): void {
  const retain = patch[RETAIN];
  if (retain === undefined) return;
  delete patch[RETAIN];
  if (!options.mergeParallelList) {
    target[RETAIN] = retain;
    return;
  }
  for (const key of Object.keys(target)) if (!(retain as Json[]).includes(key)) delete target[key];
}

/** Lists with a $setElementOrder beside them: merged, then put into that order. */
function mergeOrderedLists(target: Obj, patch: Obj, type: string | undefined, options: MergeOptions): void {
  for (const name of Object.keys(patch)) {
    if (!name.startsWith(`${ORDER}/`)) continue;
    const order = patch[name] as Json[];
    if (!options.mergeParallelList) target[name] ??= order;
    delete patch[name];
    const key = name.slice(ORDER.length + 1);
    const before = target[key] as Json[] | undefined;
    const added = patch[key] as Json[] | undefined;
    if (!before && !added) continue;
    const meta = fieldMeta(type, key);
    const mergeKey = meta.mergeKey ?? '';
    const present = before ? [...before] : [];
    let merged: Json[];
    if (before && added) merged = meta.merge ? mergeList(before, added, meta.type, mergeKey, options, false) : added;
    else if (added) merged = withoutDirectives(added, options) as Json[];
    else merged = before as Json[];
    target[key] = arrange(merged, order, present, mergeKey);
    delete patch[key];
  }
}

/** normalizeElementOrder: items of the patch in its order, the server's own ones kept in theirs. */
function arrange(merged: Json[], order: Json[], serverOrder: Json[], mergeKey: string): Json[] {
  const rank = (list: Json[], item: Json): number => list.findIndex((each) => identity(each, mergeKey) === identity(item, mergeKey));
  const right = sortByOrder(
    merged.filter((item) => rank(order, item) >= 0),
    order,
    mergeKey,
  );
  const left = sortByOrder(
    merged.filter((item) => rank(order, item) < 0),
    serverOrder,
    mergeKey,
  );
  const out: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i >= left.length) out.push(right[j++]);
    else if (j >= right.length) out.push(left[i++]);
    else {
      const a = rank(serverOrder, left[i]);
      const b = rank(serverOrder, right[j]);
      out.push(a >= 0 && b >= 0 && a < b ? left[i++] : right[j++]);
    }
  }
  return out;
}

function mergeList(original: Json[], patch: Json[], type: string | undefined, mergeKey: string, options: MergeOptions, isDeleteList: boolean): Json[] {
  if (!isObject(original[0] ?? patch[0])) {
    if (isDeleteList) return original.filter((item) => !patch.includes(item));
    return arrange(unique([...original, ...patch]), patch, original, '');
  }
  let kept = original;
  const plain: Json[] = [];
  let replace = false;
  for (const item of patch) {
    if (item.$patch === undefined) plain.push(item);
    else if (item.$patch === 'delete') kept = kept.filter((each) => each[mergeKey] !== keyOf(item, mergeKey));
    else if (item.$patch === 'replace') replace = true;
    else throw new CliError(`unknown patch type: ${item.$patch} in map: ${goSprint(item)}`);
  }
  if (replace) return plain;
  const merged = [...kept];
  for (const item of plain) {
    const value = keyOf(item, mergeKey);
    const at = merged.findIndex((each) => each[mergeKey] === value);
    if (at >= 0) merged[at] = mergeMap(merged[at], item, type, options);
    else merged.push(withoutDirectives(item, options));
  }
  return arrange(merged, plain, kept, mergeKey);
}

/** A value of the patch as it stands in an object; undefined when it is a directive to delete. */
function withoutDirectives(value: Json, options: MergeOptions): Json {
  if (Array.isArray(value)) {
    if (!options.mergeParallelList) return value;
    return value.map((item) => withoutDirectives(item, options)).filter((item) => item !== undefined);
  }
  if (!isObject(value)) return value;
  if (!options.mergeParallelList) return value;
  if (value.$patch === 'delete') return undefined;
  const out: Obj = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === '$patch' || key === RETAIN || key.startsWith(`${ORDER}/`) || key.startsWith(`${DELETE_LIST}/`)) continue;
    if (item === null && options.ignoreUnmatchedNulls) continue;
    const plain = withoutDirectives(item, options);
    if (plain !== undefined) out[key] = plain;
  }
  return out;
}
