import type { Disposable } from '../../../kernel/index.ts';
import type { ApiObject } from '../../client/types.ts';
import type { StoreEvent } from '../../storage/index.ts';
import { Pipe } from '../pipe.ts';
import type { ResourceInfo } from '../resources.ts';
import { newResourceExpired } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { parseRevision, tooLargeRevision } from './list.ts';
import type { ListOptions } from './options.ts';
import { selectionOf } from './selection.ts';

export interface WatchFrame {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: unknown;
}

/** How an object is shown on this watch (plain, Table, metadata); equal results are encoded once for all watchers. */
export interface WatchView {
  /** Watches with the same key show the same thing. */
  key: string;
  render(object: ApiObject, first: boolean): unknown;
}

/** Bookmarks come about this often (`bookmarkFrequency`), and shortly before the watch times out. */
const BOOKMARK_MS = 60_000;
const BEFORE_TIMEOUT_MS = 2_000;
/** `--min-request-timeout`: watches without a timeout end after this to twice this. */
const MIN_TIMEOUT_MS = 1_800_000;
/** A watcher that does not read is cut off rather than letting its queue grow. */
const MAX_BACKLOG = 20_000;

const encoder = new TextEncoder();
/** Encoded frames by the object they show, then by view and type: a thousand watchers encode once. */
const encoded = new WeakMap<object, Map<string, Uint8Array>>();

function encodeFrame(object: ApiObject, type: WatchFrame['type'], view: WatchView, first: boolean, encode: (frame: WatchFrame) => string): Uint8Array {
  const key = `${type}|${view.key}|${first}`;
  let known = encoded.get(object);
  if (!known) {
    known = new Map();
    encoded.set(object, known);
  }
  let bytes = known.get(key);
  if (!bytes) {
    bytes = encoder.encode(encode({ type, object: view.render(object, first) }));
    // Tables show ages: never remembered.
    if (!view.key.startsWith('Table')) known.set(key, bytes);
  }
  return bytes;
}

/** One open watch: a stream of encoded frames (models the cacher's watcher and `handlers/watch.go`). */
export function openWatch(
  verbs: Verbs,
  info: ResourceInfo,
  namespace: string,
  options: ListOptions,
  view: WatchView,
  encode: (frame: WatchFrame) => string,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  const selection = selectionOf(verbs, info, options.labelSelector, options.fieldSelector);
  const bucket = verbs.bucket(info);
  const scope = info.namespaced ? namespace : '';
  const revision = parseRevision(options.resourceVersion);
  const current = verbs.store.revision;
  if (options.sendInitialEvents !== undefined && revision > current) throw tooLargeRevision(revision, current);

  const timers = new Map<'timeout' | 'bookmark' | 'last', Disposable>();
  const onAbort = (): void => pipe.close();
  const pipe = new Pipe<Uint8Array>(() => {
    bucket.listeners.delete(listen);
    for (const timer of timers.values()) timer.dispose();
    signal?.removeEventListener('abort', onAbort);
  });
  let first = true;
  const send = (type: WatchFrame['type'], object: ApiObject): void => {
    if (pipe.backlog > MAX_BACKLOG) pipe.close();
    pipe.push(encodeFrame(object, type, view, first, encode));
    first = false;
  };
  const deliver = (event: StoreEvent): void => {
    if (scope !== '' && event.namespace !== scope) return;
    const matches = event.type !== 'DELETED' && selection.matches(event.object);
    const matched = event.old !== undefined && selection.matches(event.old);
    if (matches) send(matched ? 'MODIFIED' : 'ADDED', event.object);
    else if (matched) send('DELETED', event.type === 'DELETED' ? event.object : withRevision(event.old as ApiObject, event));
  };
  const listen = (event: StoreEvent): void => {
    if (event.revision > revision) deliver(event);
  };

  const bookmark = (initial: boolean): void => {
    const metadata = { resourceVersion: String(verbs.store.revision), ...(initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}) };
    const object = { kind: info.kind, apiVersion: info.groupVersion, metadata } as ApiObject;
    pipe.push(encoder.encode(encode({ type: 'BOOKMARK', object: view.render(object, false) })));
  };

  const fromState = options.sendInitialEvents === true || (options.sendInitialEvents === undefined && revision === 0);
  const missed = fromState || (options.sendInitialEvents === false && revision === 0) ? [] : bucket.since(revision);
  if (missed === undefined) {
    const error = newResourceExpired(`too old resource version: ${revision} (${bucket.forgottenUpTo})`);
    pipe.push(encoder.encode(encode({ type: 'ERROR', object: error.status })));
    pipe.close();
    return pipe;
  }
  if (fromState) {
    for (const object of bucket.list(scope)) if (selection.matches(object)) send('ADDED', object);
    if (options.sendInitialEvents && options.allowWatchBookmarks) bookmark(true);
  }
  for (const event of missed) deliver(event);
  bucket.listeners.add(listen);
  if (signal?.aborted) pipe.close();
  else signal?.addEventListener('abort', onAbort, { once: true });

  const { kernel } = verbs;
  const timeoutMs = options.timeoutSeconds ? options.timeoutSeconds * 1000 : MIN_TIMEOUT_MS * 1.5;
  timers.set(
    'timeout',
    kernel.timer(timeoutMs, () => pipe.close()),
  );
  if (options.allowWatchBookmarks) {
    const every = (): void => {
      timers.set(
        'bookmark',
        kernel.timer(BOOKMARK_MS, () => {
          bookmark(false);
          every();
        }),
      );
    };
    every();
    if (timeoutMs > BEFORE_TIMEOUT_MS && timeoutMs < MIN_TIMEOUT_MS) {
      timers.set(
        'last',
        kernel.timer(timeoutMs - BEFORE_TIMEOUT_MS, () => bookmark(false)),
      );
    }
  }
  return pipe;
}

const moved = new WeakMap<StoreEvent, ApiObject>();

/** The object that left the selection, with the revision at which it did. */
function withRevision(old: ApiObject, event: StoreEvent): ApiObject {
  let object = moved.get(event);
  if (!object) {
    object = { ...old, metadata: { ...old.metadata, resourceVersion: String(event.revision) } };
    moved.set(event, object);
  }
  return object;
}
