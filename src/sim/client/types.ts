import type { Disposable } from '../../kernel/index.ts';
import type { Cause } from '../cause.ts';
import type { ObjectMeta } from '../kinds/types.ts';

/** Any stored object. Objects that come out of the API are deep-frozen: clone before changing (`structuredClone` or `copy`). */
export interface ApiObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** "apps/v1/statefulsets" or, for the core group, "v1/pods". The storage version; clients use these only. */
export type ResourceId = string;

export interface WriteOptions {
  cause: Cause;
  /** metadata.managedFields manager; defaults to the cause's actor. */
  fieldManager?: string;
  dryRun?: boolean;
}

export interface DeleteOptions extends WriteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  preconditions?: { uid?: string; resourceVersion?: string };
}

/** In-process client of one resource: synchronous, no serialising. Errors are `StatusError`s. Cluster-scoped: namespace ''. */
export interface ResourceClient<T extends ApiObject> {
  /** Undefined when there is none (404); other failures throw. */
  get(namespace: string, name: string): T | undefined;
  list(namespace?: string): readonly T[];
  create(object: T, options: WriteOptions): T;
  /** Conflict (409) when resourceVersion is given and stale. */
  update(object: T, options: WriteOptions): T;
  updateStatus(object: T, options: WriteOptions): T;
  /** Merge patch (RFC 7386); `subresource` 'status' or none. */
  patch(namespace: string, name: string, body: unknown, options: WriteOptions & { subresource?: 'status' }): T;
  delete(namespace: string, name: string, options: DeleteOptions): void;
}

export type WatchEvent<T> = { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T; old?: T };

/**
 * A cache fed by watch. Handlers run in the kernel's queue after the write that caused them, never inside it, so a
 * cache can lag behind the store exactly as a real informer's does.
 */
export interface Informer<T extends ApiObject> {
  get(namespace: string, name: string): T | undefined;
  list(namespace?: string): readonly T[];
  /** Objects whose index function gave this value. */
  byIndex(index: string, value: string): readonly T[];
  addIndex(index: string, values: (object: T) => readonly string[]): void;
  onEvent(handler: (event: WatchEvent<T>) => void): Disposable;
}

/** What every component in the cluster holds. */
export interface Client {
  resource<T extends ApiObject>(id: ResourceId): ResourceClient<T>;
  /** Shared: asking twice gives the same informer. Starts on first use, filled at once with what exists. */
  informer<T extends ApiObject>(id: ResourceId): Informer<T>;
  /** Records an Event (events.k8s.io semantics: aggregation and counting as client-go's recorder does). */
  event(event: EventRecord): void;
}

export interface EventRecord {
  /** The object the event is about. */
  regarding: { apiVersion: string; kind: string; namespace: string; name: string; uid?: string; resourceVersion?: string; fieldPath?: string };
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** For instance "kubelet". */
  component: string;
  /** Node of the component, for kubelet events. */
  host?: string;
  cause: Cause;
}
