import { type Disposable, type Kernel, toDisposable } from '../../kernel/index.ts';
import type { Bucket, StoreEvent } from '../storage/index.ts';
import type { ApiObject, Informer, WatchEvent } from './types.ts';

interface Index<T> {
  values: (object: T) => readonly string[];
  /** Value → keys of the objects that have it. */
  keys: Map<string, Set<string>>;
}

/** The shared informer of one resource (models client-go's SharedIndexInformer over the in-process store). */
export class BucketInformer<T extends ApiObject> implements Informer<T> {
  readonly #kernel: Kernel;
  readonly #byNamespace = new Map<string, Map<string, T>>();
  readonly #indices = new Map<string, Index<T>>();
  readonly #handlers = new Set<(event: WatchEvent<T>) => void>();
  #pending: StoreEvent[] = [];
  #scheduled = false;

  constructor(kernel: Kernel, bucket: Bucket) {
    this.#kernel = kernel;
    for (const object of bucket.list('')) this.#store(object as T);
    bucket.listeners.add((event) => this.#enqueue(event));
  }

  get(namespace: string, name: string): T | undefined {
    return this.#byNamespace.get(namespace)?.get(name);
  }

  list(namespace = ''): readonly T[] {
    if (namespace !== '') return [...(this.#byNamespace.get(namespace)?.values() ?? [])];
    const out: T[] = [];
    for (const objects of this.#byNamespace.values()) for (const object of objects.values()) out.push(object);
    return out;
  }

  byIndex(index: string, value: string): readonly T[] {
    const keys = this.#indices.get(index)?.keys.get(value);
    if (!keys) return [];
    const out: T[] = [];
    for (const key of keys) {
      const slash = key.indexOf('/');
      const object = this.get(key.slice(0, slash), key.slice(slash + 1));
      if (object) out.push(object);
    }
    return out;
  }

  addIndex(index: string, values: (object: T) => readonly string[]): void {
    if (this.#indices.has(index)) return;
    const added: Index<T> = { values, keys: new Map() };
    this.#indices.set(index, added);
    for (const object of this.list()) indexObject(added, object);
  }

  /** The handler first hears of everything that is there already, as ADDED. */
  onEvent(handler: (event: WatchEvent<T>) => void): Disposable {
    let active = true;
    const known = this.list();
    if (known.length > 0) {
      this.#kernel.soon(() => {
        for (const object of known) if (active) handler({ type: 'ADDED', object });
        if (active) this.#handlers.add(handler);
        // Changes between asking and now were not seen by this handler: catch up by comparing.
        if (active) this.#catchUp(known, handler);
      });
    } else this.#handlers.add(handler);
    return toDisposable(() => {
      active = false;
      this.#handlers.delete(handler);
    });
  }

  #catchUp(known: readonly T[], handler: (event: WatchEvent<T>) => void): void {
    const before = new Map(known.map((object) => [keyOf(object), object]));
    for (const object of this.list()) {
      const old = before.get(keyOf(object));
      before.delete(keyOf(object));
      if (old === undefined) handler({ type: 'ADDED', object });
      else if (old !== object) handler({ type: 'MODIFIED', object, old });
    }
    for (const object of before.values()) handler({ type: 'DELETED', object });
  }

  #enqueue(event: StoreEvent): void {
    this.#pending.push(event);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#kernel.soon(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const events = this.#pending;
    this.#pending = [];
    for (const event of events) {
      const object = event.object as T;
      const old = this.get(event.namespace, event.name);
      if (event.type === 'DELETED') this.#remove(event.namespace, event.name, old);
      else this.#store(object, old);
      const type = event.type === 'DELETED' ? 'DELETED' : old ? 'MODIFIED' : 'ADDED';
      for (const handler of this.#handlers) {
        try {
          handler({ type, object, ...(old ? { old } : {}) });
        } catch (error) {
          this.#kernel.onError(error);
        }
      }
    }
  }

  #store(object: T, old?: T): void {
    const namespace = object.metadata?.namespace ?? '';
    let objects = this.#byNamespace.get(namespace);
    if (!objects) {
      objects = new Map();
      this.#byNamespace.set(namespace, objects);
    }
    objects.set(object.metadata?.name ?? '', object);
    for (const index of this.#indices.values()) {
      if (old) unindexObject(index, old);
      indexObject(index, object);
    }
  }

  #remove(namespace: string, name: string, old: T | undefined): void {
    const objects = this.#byNamespace.get(namespace);
    objects?.delete(name);
    if (objects?.size === 0) this.#byNamespace.delete(namespace);
    if (old) for (const index of this.#indices.values()) unindexObject(index, old);
  }
}

function keyOf(object: ApiObject): string {
  return `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
}

function indexObject<T extends ApiObject>(index: Index<T>, object: T): void {
  for (const value of index.values(object)) {
    const keys = index.keys.get(value);
    if (keys) keys.add(keyOf(object));
    else index.keys.set(value, new Set([keyOf(object)]));
  }
}

function unindexObject<T extends ApiObject>(index: Index<T>, object: T): void {
  for (const value of index.values(object)) {
    const keys = index.keys.get(value);
    keys?.delete(keyOf(object));
    if (keys?.size === 0) index.keys.delete(value);
  }
}
