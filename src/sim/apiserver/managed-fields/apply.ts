import type { ApiObject } from '../../client/types.ts';
import { convert } from '../decode.ts';
import { equalJson } from '../json-equal.ts';
import type { ResourceInfo } from '../resources.ts';
import { newApplyConflict, quote, type StatusCause, type StatusError } from '../status-error.ts';
import { difference, type FieldTree, forEachPath, intersection, isEmptySet, LEAF, pathText, recursiveDifference, union } from './field-set.ts';
import { decodeManaged, emptyObject, encodeManaged, identifier, type ManagedEntry, resetFields, strip, takeFromOthers, updateManagers } from './manager.ts';
import { compare, ensureNamedFields, merge, removeItems, toFieldSet } from './typed.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export interface ApplyRequest {
  manager: string;
  force: boolean;
  subresource: string;
  /** RFC 3339. */
  now: string;
}

function printManager(entry: ManagedEntry): string {
  let text = quote(entry.manager);
  if (entry.subresource) text += ` with subresource ${quote(entry.subresource)}`;
  if (entry.operation === 'Apply') return text;
  return `${text} using ${entry.apiVersion}${entry.time ? ` at ${entry.time}` : ''}`;
}

function conflictError(conflicts: Map<string, FieldTree>, managed: Map<string, ManagedEntry>): StatusError {
  const causes: StatusCause[] = [];
  const byManager: { name: string; paths: string[] }[] = [];
  const printed = [...conflicts].map(([id, set]) => ({ name: printManager({ ...(managed.get(id) as ManagedEntry), time: undefined }), set }));
  printed.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, set } of printed) {
    const paths: string[] = [];
    forEachPath(set, (path) => paths.push(pathText(path)));
    byManager.push({ name, paths });
    for (const field of paths) causes.push({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field });
  }
  const only = causes[0];
  if (causes.length === 1 && only) return newApplyConflict(causes, `Apply failed with 1 conflict: ${only.message}: ${only.field}`);
  const lines = byManager.flatMap(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)]);
  return newApplyConflict(causes, `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`);
}

/**
 * Server-side apply: merges `config` (what the client says, without defaults) into `live` and settles who owns what.
 * Returns the new object in normal form, before defaulting. `live` is undefined when it is to be created. Throws 409
 * with the conflicts (models `merge.Updater.Apply` inside the field manager's chain).
 */
export function applyConfiguration(
  info: ResourceInfo,
  live: ApiObject | undefined,
  config: ApiObject,
  request: ApplyRequest,
  finish: (object: ApiObject) => ApiObject,
): ApiObject {
  const base = withoutManaged(live ?? ({ ...emptyObject(info), metadata: {} } as ApiObject));
  const managed = decodeManaged(live?.metadata?.managedFields) ?? new Map<string, ManagedEntry>();
  if (managed.size === 0 && live) {
    // Fields from before anybody was tracked belong to one manager (`skipNonAppliedManager`).
    updateManagers(
      info,
      emptyObject(info),
      base,
      managed,
      {
        manager: 'before-first-apply',
        operation: 'Update',
        apiVersion: info.groupVersion,
        fields: LEAF,
        ...(request.subresource ? { subresource: request.subresource } : {}),
      },
      request.now,
    );
  }
  let result: { object: ApiObject; managed: Map<string, ManagedEntry> };
  try {
    result = applyOnce(info, base, config, new Map(managed), request);
  } catch (error) {
    if (!(error instanceof ApplyConflicts)) throw error;
    let conflicts = error.conflicts;
    // kubectl may take over what its own client-side apply set before.
    const allowed = request.manager === 'kubectl' ? lastAppliedFields(info, base) : undefined;
    if (allowed) conflicts = new Map([...conflicts].map(([id, set]) => [id, difference(set, allowed)] as const).filter(([, set]) => !isEmptySet(set)));
    if (conflicts.size > 0) throw conflictError(conflicts, managed);
    result = applyOnce(info, base, config, new Map(managed), { ...request, force: true });
  }
  let object = finish(result.object);
  if (request.manager === 'kubectl' && object.metadata?.annotations?.[LAST_APPLIED]) object = withLastApplied(object, config);
  const self = identifier({
    manager: request.manager,
    operation: 'Apply',
    apiVersion: info.groupVersion,
    fields: LEAF,
    ...(request.subresource ? { subresource: request.subresource } : {}),
  });
  const entry = result.managed.get(self);
  const unchanged = live !== undefined && equalJson(withoutManaged(object), withoutManaged(live));
  const before = managed.get(self);
  if (entry) result.managed.set(self, { ...entry, time: unchanged && before && equalJson(before.fields, entry.fields) ? before.time : request.now });
  return { ...object, metadata: { ...object.metadata, managedFields: encodeManaged(result.managed) } };
}

class ApplyConflicts extends Error {
  readonly conflicts: Map<string, FieldTree>;
  constructor(conflicts: Map<string, FieldTree>) {
    super('conflicts');
    this.name = 'ApplyConflicts';
    this.conflicts = conflicts;
  }
}

function applyOnce(
  info: ResourceInfo,
  live: ApiObject,
  config: ApiObject,
  managed: Map<string, ManagedEntry>,
  request: ApplyRequest,
): { object: ApiObject; managed: Map<string, ManagedEntry> } {
  const { node } = info;
  const entry: ManagedEntry = {
    manager: request.manager,
    operation: 'Apply',
    apiVersion: info.groupVersion,
    fields: LEAF,
    ...(request.subresource ? { subresource: request.subresource } : {}),
  };
  const self = identifier(entry);
  const last = managed.get(self);
  const reset = resetFields(info, request.subresource);
  const set = recursiveDifference(toFieldSet(node, config), reset);
  managed.set(self, { ...entry, fields: set });
  let merged = merge(node, live, config);
  if (last && !isEmptySet(last.fields)) merged = prune(info, merged, last.fields, managed);
  const differences = compare(node, live, merged);
  const changed = recursiveDifference(union(differences.modified ?? LEAF, differences.added ?? LEAF), reset);
  const removed = recursiveDifference(differences.removed ?? LEAF, reset);
  if (!request.force) {
    const conflicts = new Map<string, FieldTree>();
    takeFromOthers(managed, self, changed, removed, conflicts);
    if (conflicts.size > 0) throw new ApplyConflicts(conflicts);
  }
  takeFromOthers(managed, self, changed, removed);
  const mine = strip(set);
  if (isEmptySet(mine)) managed.delete(self);
  else managed.set(self, { ...entry, fields: mine });
  return { object: merged as ApiObject, managed };
}

/** Takes away what this manager applied last time, does not apply now, and nobody else owns. */
function prune(info: ResourceInfo, merged: unknown, last: FieldTree, managed: Map<string, ManagedEntry>): unknown {
  const { node } = info;
  const named = (set: FieldTree): FieldTree => ensureNamedFields(node, set);
  const fields = named(toFieldSet(node, merged));
  const lastFields = named(last);
  let owned: FieldTree = LEAF;
  for (const entry of managed.values()) owned = union(owned, entry.fields);
  // What others own comes back with all that holds it …
  const bare = named(toFieldSet(node, removeItems(node, merged, lastFields)));
  const withOwned = removeItems(node, merged, difference(fields, union(bare, named(owned))));
  // … and so does what was never this manager's.
  const left = named(toFieldSet(node, withOwned));
  return removeItems(node, merged, intersection(difference(fields, left), lastFields)) ?? {};
}

/** Fields that client-side apply set and that still are as it set them. */
function lastAppliedFields(info: ResourceInfo, live: ApiObject): FieldTree | undefined {
  const text = live.metadata?.annotations?.[LAST_APPLIED];
  if (!text) return undefined;
  let applied: ApiObject;
  try {
    applied = JSON.parse(text) as ApiObject;
    if (applied.apiVersion !== info.groupVersion) return undefined;
    applied = convert(info.node, applied, { strict: [], checkTypes: true }) as ApiObject;
  } catch {
    return undefined;
  }
  const set = toFieldSet(info.node, applied);
  const differences = compare(info.node, applied, live);
  return difference(difference(difference(set, differences.modified ?? LEAF), differences.added ?? LEAF), differences.removed ?? LEAF);
}

function withLastApplied(object: ApiObject, config: ApiObject): ApiObject {
  const { [LAST_APPLIED]: _old, ...annotations } = config.metadata?.annotations ?? {};
  const source = { ...config, metadata: { ...config.metadata, annotations } };
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata?.annotations, [LAST_APPLIED]: `${JSON.stringify(sortKeys(source))}\n` } },
  };
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const source = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(source)
      .sort()
      .map((key) => [key, sortKeys(source[key])]),
  );
}

function withoutManaged(object: ApiObject): ApiObject {
  const { managedFields: _managed, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
}
