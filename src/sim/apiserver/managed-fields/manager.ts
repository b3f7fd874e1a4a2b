import type { ApiObject } from '../../client/types.ts';
import type { ManagedFieldsEntry } from '../../kinds/types.ts';
import { convert } from '../decode.ts';
import type { ResourceInfo } from '../resources.ts';
import { covering, difference, equalTrees, type FieldTree, intersection, isEmptySet, LEAF, recursiveDifference, sortTree, union } from './field-set.ts';
import { compare } from './typed.ts';

/** One manager's fields, decoded. */
export interface ManagedEntry {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  time?: string;
  fields: FieldTree;
  subresource?: string;
}

const MAX_UPDATE_MANAGERS = 10;

/** Never owned by anybody (`stripMetaManager`). */
const STRIP: FieldTree = {
  'f:apiVersion': LEAF,
  'f:kind': LEAF,
  'f:metadata': {
    '.': LEAF,
    'f:name': LEAF,
    'f:namespace': LEAF,
    'f:creationTimestamp': LEAF,
    'f:selfLink': LEAF,
    'f:uid': LEAF,
    'f:clusterName': LEAF,
    'f:generation': LEAF,
    'f:managedFields': LEAF,
    'f:resourceVersion': LEAF,
  },
};

export function strip(set: FieldTree): FieldTree {
  return difference(set, STRIP);
}

/** Who is who: manager, operation and subresource; for updates the version too (`BuildManagerIdentifier`). */
export function identifier(entry: ManagedEntry): string {
  return `${entry.manager}"${entry.operation}"${entry.operation === 'Apply' ? '' : entry.apiVersion}"${entry.subresource ?? ''}`;
}

/** Decodes `metadata.managedFields`; undefined when they are not well-formed. */
export function decodeManaged(entries: readonly ManagedFieldsEntry[] | undefined): Map<string, ManagedEntry> | undefined {
  const out = new Map<string, ManagedEntry>();
  for (const entry of entries ?? []) {
    if ((entry.operation !== 'Apply' && entry.operation !== 'Update') || !entry.apiVersion || entry.fieldsType !== 'FieldsV1') return undefined;
    const decoded: ManagedEntry = {
      manager: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      time: entry.time,
      fields: (entry.fieldsV1 ?? LEAF) as FieldTree,
      subresource: entry.subresource,
    };
    out.set(identifier(decoded), decoded);
  }
  return out;
}

function seconds(time: string | undefined): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1000);
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Back to the wire's form and order. */
export function encodeManaged(managed: Map<string, ManagedEntry>): ManagedFieldsEntry[] | undefined {
  if (managed.size === 0) return undefined;
  return [...managed.values()]
    .sort(
      (a, b) =>
        text(a.operation, b.operation) ||
        (a.time === b.time ? 0 : seconds(a.time) - seconds(b.time)) ||
        text(a.manager, b.manager) ||
        text(a.apiVersion, b.apiVersion) ||
        text(a.subresource ?? '', b.subresource ?? ''),
    )
    .map((entry) => ({
      manager: entry.manager,
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      ...(entry.time === undefined ? {} : { time: entry.time }),
      fieldsType: 'FieldsV1',
      fieldsV1: sortTree(entry.fields) as ManagedFieldsEntry['fieldsV1'],
      ...(entry.subresource ? { subresource: entry.subresource } : {}),
    }));
}

/** Fields a request cannot set through this door, so that it does not own them. */
export function resetFields(info: ResourceInfo, subresource: string): FieldTree {
  if (subresource === 'status') return { 'f:spec': LEAF };
  if (subresource === '' && info.subresources.has('status')) return { 'f:status': LEAF };
  return LEAF;
}

const emptyObjects = new WeakMap<ResourceInfo, ApiObject>();

/** What Go's zero value of the kind looks like in JSON: the "old object" of a create. */
export function emptyObject(info: ResourceInfo): ApiObject {
  let object = emptyObjects.get(info);
  if (!object) {
    object = convert(info.node, {}, { strict: [], checkTypes: false }) as ApiObject;
    emptyObjects.set(info, object);
  }
  return object;
}

function withManaged(object: ApiObject, managedFields: ManagedFieldsEntry[] | undefined): ApiObject {
  const metadata = { ...object.metadata, managedFields };
  if (!managedFields) delete metadata.managedFields;
  return { ...object, metadata };
}

/** What fields are compared of: who manages them is no field. */
function withoutManaged(object: ApiObject): ApiObject {
  return object.metadata?.managedFields ? { ...object, metadata: { ...object.metadata, managedFields: undefined } } : object;
}

/** A client asks to forget all managers with `managedFields: [{}]` (or `[]`, which decoding turns into that). */
function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  return entries?.length === 1 && Object.keys(entries[0] as object).length === 0;
}

/**
 * Takes what changed from live to `other` away from every other manager (`merge.Updater.update`). `conflicts`
 * collects what they lose by being overruled.
 */
export function takeFromOthers(
  managed: Map<string, ManagedEntry>,
  self: string,
  changed: FieldTree,
  removed: FieldTree,
  conflicts?: Map<string, FieldTree>,
): void {
  for (const [id, entry] of managed) {
    if (id === self) continue;
    const conflict = intersection(entry.fields, changed);
    if (!isEmptySet(conflict)) conflicts?.set(id, conflict);
    if (conflicts) continue;
    const left = difference(difference(entry.fields, conflict), removed);
    if (isEmptySet(left)) managed.delete(id);
    else if (!equalTrees(left, entry.fields)) managed.set(id, { ...entry, fields: left });
  }
}

/**
 * Gives the object its managedFields for a create or update by `manager`: it takes the fields that differ from `live`
 * (models the chain of `k8s.io/apimachinery/pkg/util/managedfields`).
 */
export function trackUpdate(info: ResourceInfo, live: ApiObject | undefined, object: ApiObject, manager: string, subresource: string, now: string): ApiObject {
  const given = object.metadata?.managedFields;
  let managed: Map<string, ManagedEntry>;
  if (subresource !== '') managed = decodeManaged(live?.metadata?.managedFields) ?? new Map();
  else if (isReset(given)) managed = new Map();
  else {
    const fromObject = decodeManaged(given);
    managed = fromObject && fromObject.size > 0 ? fromObject : (decodeManaged(live?.metadata?.managedFields) ?? new Map());
  }
  // Nobody is tracked on an object whose managers were reset, until somebody applies.
  if (managed.size === 0 && live?.metadata?.uid) return withManaged(object, undefined);
  updateManagers(
    info,
    live ?? emptyObject(info),
    object,
    managed,
    { manager: manager || 'unknown', operation: 'Update', apiVersion: info.groupVersion, fields: LEAF, ...(subresource ? { subresource } : {}) },
    now,
  );
  return withManaged(object, encodeManaged(managed));
}

/** The core of an update: changes `managed`. */
export function updateManagers(
  info: ResourceInfo,
  live: ApiObject,
  object: ApiObject,
  managed: Map<string, ManagedEntry>,
  self: ManagedEntry,
  now: string,
): void {
  const difference_ = compare(info.node, withoutManaged(live), withoutManaged(object));
  const reset = resetFields(info, self.subresource ?? '');
  const added = difference_.added ? recursiveDifference(difference_.added, reset) : LEAF;
  const modified = difference_.modified ? recursiveDifference(difference_.modified, reset) : LEAF;
  const removed = difference_.removed ? recursiveDifference(difference_.removed, reset) : LEAF;
  const changed = union(modified, added);
  const id = identifier(self);
  takeFromOthers(managed, id, changed, removed);
  const mine = strip(changed);
  const previous = managed.get(id);
  const kept = previous && difference(previous.fields, removed);
  if (!isEmptySet(mine)) managed.set(id, { ...self, time: now, fields: kept ? covering(kept, mine) : mine });
  else if (previous && kept && isEmptySet(kept)) managed.delete(id);
  else if (previous && kept && kept !== previous.fields) managed.set(id, { ...previous, fields: kept });
  capManagers(managed);
}

/** Folds the oldest updaters into "ancient-changes" when there are too many (`capManagersManager`). */
function capManagers(managed: Map<string, ManagedEntry>): void {
  if (managed.size <= MAX_UPDATE_MANAGERS) return;
  const updaters = [...managed].filter(([, entry]) => entry.operation === 'Update');
  if (updaters.length <= MAX_UPDATE_MANAGERS) return;
  updaters.sort(([a, left], [b, right]) => seconds(left.time) - seconds(right.time) || (a < b ? -1 : 1));
  const first = new Map<string, string>();
  let count = updaters.length;
  for (const [id, entry] of updaters) {
    if (count <= MAX_UPDATE_MANAGERS) return;
    const bucket: ManagedEntry = { manager: 'ancient-changes', operation: 'Update', apiVersion: entry.apiVersion, fields: LEAF };
    const bucketId = identifier(bucket);
    const known = first.get(entry.apiVersion);
    if (known === undefined) {
      first.set(entry.apiVersion, id);
      continue;
    }
    if (!managed.has(bucketId)) {
      managed.set(bucketId, { ...bucket, fields: managed.get(known)?.fields ?? LEAF });
      managed.delete(known);
    }
    managed.set(bucketId, { ...bucket, time: entry.time, fields: union(entry.fields, managed.get(bucketId)?.fields ?? LEAF) });
    managed.delete(id);
    count--;
  }
}

/** The object with the managers' times left out, for "did anything change?". */
export function withoutTimes(object: ApiObject): ApiObject {
  const entries = object.metadata?.managedFields;
  if (!entries) return object;
  return { ...object, metadata: { ...object.metadata, managedFields: entries.map(({ time: _time, ...entry }) => entry) } };
}
