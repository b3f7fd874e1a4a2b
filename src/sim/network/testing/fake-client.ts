import type { Disposable, Kernel } from '../../../kernel/index.ts';
import type { ApiObject, Client, Informer, ResourceClient, WatchEvent } from '../../client/types.ts';

/** Informers over objects that a test puts in directly: no API server, so that one room can be tested alone. */
export class FakeClient implements Client {
  #kernel: Kernel;
  #informers = new Map<string, FakeInformer<ApiObject>>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  resource<T extends ApiObject>(id: string): ResourceClient<T> {
    const informer = this.informer<T>(id);
    const unsupported = (): never => {
      throw new Error('the fake client only reads');
    };
    return {
      get: (namespace, name) => informer.get(namespace, name),
      list: (namespace) => informer.list(namespace),
      create: unsupported,
      update: unsupported,
      updateStatus: unsupported,
      patch: unsupported,
      delete: unsupported,
    };
  }

  informer<T extends ApiObject>(id: string): Informer<T> {
    let informer = this.#informers.get(id);
    if (!informer) {
      informer = new FakeInformer(this.#kernel);
      this.#informers.set(id, informer);
    }
    return informer as unknown as Informer<T>;
  }

  event(): void {}

  put(id: string, object: ApiObject): void {
    this.informer(id);
    this.#informers.get(id)?.put(object);
  }

  remove(id: string, namespace: string, name: string): void {
    this.#informers.get(id)?.remove(namespace, name);
  }
}

class FakeInformer<T extends ApiObject> implements Informer<T> {
  #kernel: Kernel;
  #objects = new Map<string, T>();
  #handlers = new Set<(event: WatchEvent<T>) => void>();
  #indexes = new Map<string, (object: T) => readonly string[]>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }
  list(namespace?: string): readonly T[] {
    return [...this.#objects.values()].filter((object) => !namespace || object.metadata?.namespace === namespace);
  }
  byIndex(index: string, value: string): readonly T[] {
    return this.list().filter((object) => this.#indexes.get(index)?.(object).includes(value));
  }
  addIndex(index: string, values: (object: T) => readonly string[]): void {
    this.#indexes.set(index, values);
  }
  onEvent(handler: (event: WatchEvent<T>) => void): Disposable {
    this.#handlers.add(handler);
    return { dispose: () => this.#handlers.delete(handler) };
  }
  put(object: T): void {
    const key = `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    this.#tell(old ? { type: 'MODIFIED', object, old } : { type: 'ADDED', object });
  }
  remove(namespace: string, name: string): void {
    const old = this.get(namespace, name);
    this.#objects.delete(`${namespace}/${name}`);
    if (old) this.#tell({ type: 'DELETED', object: old });
  }
  #tell(event: WatchEvent<T>): void {
    this.#kernel.soon(() => {
      for (const handler of this.#handlers) handler(event);
    });
  }
}
