import type { Cause, ObjectRef } from '../cause.ts';
import type { ApiObject, EventRecord, ResourceId } from '../client/types.ts';
import type { OwnerReference } from '../kinds/types.ts';

/** What every controller is handed. */
export interface Identified {
  apiVersion: string;
  kind: string;
  /** "apps/v1/statefulsets". */
  resource: ResourceId;
}

export function nameOf(object: ApiObject): string {
  return object.metadata?.name ?? '';
}

export function namespaceOf(object: ApiObject): string {
  return object.metadata?.namespace ?? '';
}

export function uidOf(object: ApiObject): string {
  return object.metadata?.uid ?? '';
}

export function labelsOf(object: ApiObject): Readonly<Record<string, string>> {
  return object.metadata?.labels ?? {};
}

export function annotationsOf(object: ApiObject): Readonly<Record<string, string>> {
  return object.metadata?.annotations ?? {};
}

export function isDeleting(object: ApiObject): boolean {
  return object.metadata?.deletionTimestamp !== undefined;
}

/** client-go's key: "namespace/name", or "name" for cluster-scoped objects. */
export function keyOf(object: ApiObject): string {
  return keyFor(namespaceOf(object), nameOf(object));
}

export function keyFor(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** The inverse of `keyFor`: [namespace, name]. */
export function splitKey(key: string): [string, string] {
  const slash = key.indexOf('/');
  return slash < 0 ? ['', key] : [key.slice(0, slash), key.slice(slash + 1)];
}

/** A deep, mutable copy of JSON-like data (objects from the API are frozen). */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => clone(item)) as T;
  if (value !== null && typeof value === 'object') {
    const out: Record<string, unknown> = {};
    for (const key in value) out[key] = clone((value as Record<string, unknown>)[key]);
    return out as T;
  }
  return value;
}

/** Deep equality of JSON-like data; an absent field equals an undefined one. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equal(a[i], b[i])) return false;
    return true;
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (left[key] !== undefined && !equal(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

/** JSON with sorted keys, as Go's encoder writes maps: equal data gives equal text. */
export function stableStringify(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => stableStringify(item ?? null)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${stableStringify(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** metav1.Time: RFC 3339 with seconds. */
export function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Milliseconds since the epoch; 0 for an absent time (Go's zero time is "very long ago"). */
export function msOf(time: string | undefined): number {
  return time === undefined || time === null ? 0 : Date.parse(time);
}

/** The controlling owner reference (metav1.GetControllerOf). */
export function controllerOf(object: ApiObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((ref) => ref.controller === true);
}

/** metav1.NewControllerRef. */
export function newControllerRef(owner: ApiObject, kind: Identified): OwnerReference {
  return { apiVersion: kind.apiVersion, kind: kind.kind, name: nameOf(owner), uid: uidOf(owner), controller: true, blockOwnerDeletion: true };
}

/** What somebody saw, for `Cause.because`. */
export function refOf(object: ApiObject, resource: ResourceId): ObjectRef {
  const ref: ObjectRef = { resource, namespace: namespaceOf(object), name: nameOf(object) };
  if (object.metadata?.uid !== undefined) ref.uid = object.metadata.uid;
  if (object.metadata?.resourceVersion !== undefined) ref.resourceVersion = object.metadata.resourceVersion;
  return ref;
}

/** The object an Event is about. */
export function regarding(object: ApiObject, kind: Identified): EventRecord['regarding'] {
  const out: EventRecord['regarding'] = { apiVersion: kind.apiVersion, kind: kind.kind, namespace: namespaceOf(object), name: nameOf(object) };
  if (object.metadata?.uid !== undefined) out.uid = object.metadata.uid;
  if (object.metadata?.resourceVersion !== undefined) out.resourceVersion = object.metadata.resourceVersion;
  return out;
}

export function cause(actor: string, rule: string, because?: ObjectRef, detail?: Readonly<Record<string, string>>): Cause {
  const out: Cause = { actor, rule };
  if (because) out.because = because;
  if (detail) out.detail = detail;
  return out;
}

/** Drops undefined, 0, '' and empty lists, as Go's omitempty does, from the top level of `object`. */
export function omitEmpty<T extends object>(object: T, keep: readonly (keyof T)[] = []): T {
  const out = {} as T;
  for (const key in object) {
    const value = object[key];
    const empty = value === undefined || value === 0 || value === '' || (Array.isArray(value) && value.length === 0);
    if (!empty || keep.includes(key)) out[key] = value;
  }
  return out;
}

/** intstr.GetScaledValueFromIntOrPercent. */
export function scaledValue(value: number | string | undefined, total: number, roundUp: boolean): number {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  const percent = Number.parseInt(value, 10);
  const exact = (percent * total) / 100;
  return roundUp ? Math.ceil(exact) : Math.floor(exact);
}
