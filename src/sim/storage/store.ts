import type { Cause } from '../cause.ts';
import type { ApiObject } from '../client/types.ts';

/** One change, in the order of its revision. `old` is what was there before (absent for ADDED). */
export interface StoreEvent {
  revision: number;
  atMs: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  bucket: string;
  namespace: string;
  name: string;
  /** For DELETED: the last state, with the deletion's resourceVersion. */
  object: ApiObject;
  old?: ApiObject;
  cause: Cause;
}

/** Events kept per resource for watches that come back, as the real watch cache keeps a window. */
const HISTORY_LIMIT = 4096;

/** Freezes an object and all it holds. Stops at what is frozen already: parts shared with older revisions are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    if (Array.isArray(value)) for (const item of value) deepFreeze(item);
    else for (const key in value) deepFreeze((value as Record<string, unknown>)[key]);
  }
  return value;
}

/** First index whose key is >= `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The objects of one resource, keyed "namespace/name" in etcd's order, with the recent history for watches. */
export class Bucket {
  readonly id: string;
  readonly #objects = new Map<string, ApiObject>();
  #keys: string[] = [];
  /** Oldest first. */
  #history: StoreEvent[] = [];
  /** Changes up to and including this revision are forgotten. */
  #forgottenUpTo: number;
  readonly listeners = new Set<(event: StoreEvent) => void>();

  constructor(id: string, startRevision: number) {
    this.id = id;
    this.#forgottenUpTo = startRevision;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string, name: string): ApiObject | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  /** Keys of a namespace ('' for all), sorted as etcd sorts them. */
  keys(namespace: string): readonly string[] {
    if (namespace === '') return this.#keys;
    const start = lowerBound(this.#keys, `${namespace}/`);
    const end = lowerBound(this.#keys, `${namespace}0`); // '0' follows '/'
    return this.#keys.slice(start, end);
  }

  list(namespace: string): ApiObject[] {
    const out: ApiObject[] = [];
    for (const key of this.keys(namespace)) out.push(this.#objects.get(key) as ApiObject);
    return out;
  }

  at(key: string): ApiObject | undefined {
    return this.#objects.get(key);
  }

  /** Events after `revision`, or undefined when that is too long ago. */
  since(revision: number): readonly StoreEvent[] | undefined {
    if (revision < this.#forgottenUpTo) return undefined;
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#history[middle] as StoreEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#history.slice(low);
  }

  get forgottenUpTo(): number {
    return this.#forgottenUpTo;
  }

  /** The state at an earlier revision, by key, or undefined when that is too long ago. */
  snapshot(revision: number): Map<string, ApiObject> | undefined {
    const events = this.since(revision);
    if (events === undefined) return undefined;
    const state = new Map(this.#objects);
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i] as StoreEvent;
      const key = `${event.namespace}/${event.name}`;
      if (event.old === undefined) state.delete(key);
      else state.set(key, event.old);
    }
    return new Map([...state].sort((a, b) => (a[0] < b[0] ? -1 : 1)));
  }

  compact(revision: number): void {
    if (revision <= this.#forgottenUpTo) return;
    const rest = this.since(revision) ?? [];
    this.#history = [...rest];
    this.#forgottenUpTo = revision;
  }

  /** For `Store` only. */
  seed(key: string, object: ApiObject): void {
    if (!this.#objects.has(key)) this.#keys.splice(lowerBound(this.#keys, key), 0, key);
    this.#objects.set(key, object);
  }

  /** For `Store` only. */
  record(event: StoreEvent): void {
    const key = `${event.namespace}/${event.name}`;
    if (event.type === 'DELETED') {
      this.#objects.delete(key);
      this.#keys.splice(lowerBound(this.#keys, key), 1);
    } else {
      if (!this.#objects.has(key)) this.#keys.splice(lowerBound(this.#keys, key), 0, key);
      this.#objects.set(key, event.object);
    }
    this.#history.push(event);
    if (this.#history.length > HISTORY_LIMIT * 1.5) {
      const dropped = this.#history.splice(0, this.#history.length - HISTORY_LIMIT);
      this.#forgottenUpTo = (dropped[dropped.length - 1] as StoreEvent).revision;
    }
    for (const listener of this.listeners) listener(event);
  }
}

/**
 * Revisioned storage with one global counter (what etcd is to Kubernetes): every write gets the next revision, which
 * is the object's `metadata.resourceVersion`. Objects are deep-frozen on the way in.
 */
export class Store {
  readonly #buckets = new Map<string, Bucket>();
  readonly #startRevision: number;
  #revision: number;
  readonly #now: () => number;
  /** Told of every write of every resource, in order. */
  readonly listeners = new Set<(event: StoreEvent) => void>();

  /** `startRevision`: what the counter shows before the first write. A real cluster's boot takes some hundreds. */
  constructor(options: { now: () => number; startRevision?: number }) {
    this.#now = options.now;
    this.#startRevision = options.startRevision ?? 200;
    this.#revision = this.#startRevision;
  }

  get revision(): number {
    return this.#revision;
  }

  bucket(id: string): Bucket {
    let bucket = this.#buckets.get(id);
    if (!bucket) {
      bucket = new Bucket(id, this.#startRevision);
      this.#buckets.set(id, bucket);
    }
    return bucket;
  }

  buckets(): IterableIterator<Bucket> {
    return this.#buckets.values();
  }

  /** Stores `object` (its resourceVersion is set here) and tells the watchers. Returns the frozen object. */
  put(bucketId: string, namespace: string, name: string, object: ApiObject, cause: Cause): ApiObject {
    const bucket = this.bucket(bucketId);
    const old = bucket.get(namespace, name);
    const revision = ++this.#revision;
    object.metadata = { ...object.metadata, resourceVersion: String(revision) };
    this.#emit(bucket, {
      revision,
      atMs: this.#now(),
      type: old ? 'MODIFIED' : 'ADDED',
      bucket: bucketId,
      namespace,
      name,
      object: deepFreeze(object),
      old,
      cause,
    });
    return object;
  }

  /** Puts something there that was never written: it has no revision, and nobody is told. */
  seed(bucketId: string, namespace: string, name: string, object: ApiObject): void {
    this.bucket(bucketId).seed(`${namespace}/${name}`, deepFreeze(object));
  }

  /** Removes what is there; `last` (default: the stored state) is what watchers see, with the deletion's revision. */
  remove(bucketId: string, namespace: string, name: string, cause: Cause, last?: ApiObject): void {
    const bucket = this.bucket(bucketId);
    const old = bucket.get(namespace, name);
    if (!old) return;
    const revision = ++this.#revision;
    const source = last ?? old;
    const object = deepFreeze({ ...source, metadata: { ...source.metadata, resourceVersion: String(revision) } });
    this.#emit(bucket, { revision, atMs: this.#now(), type: 'DELETED', bucket: bucketId, namespace, name, object, old, cause });
  }

  /** Forgets history up to `revision` (default: all of it), as etcd's compaction does. */
  compact(revision = this.#revision): void {
    for (const bucket of this.#buckets.values()) bucket.compact(revision);
  }

  #emit(bucket: Bucket, event: StoreEvent): void {
    bucket.record(event);
    for (const listener of this.listeners) listener(event);
  }
}
