import { type Disposable, DisposableStore, type Kernel, WorkQueue } from '../../kernel/index.ts';
import type { ApiObject, Client, Informer, ResourceId, WatchEvent } from '../client/types.ts';
import { DURATIONS } from '../durations.ts';

/** What a controller is started with. */
export interface ControllerContext {
  kernel: Kernel;
  client: Client;
}

/**
 * The one controller shape: informers → keys → work queue → `sync(key)`. (Models the pattern of
 * k8s.io/sample-controller and of every controller in kube-controller-manager.)
 *
 * A sync runs from a timer, after every informer handler of that instant; therefore its caches hold everything
 * written before it began, and upstream's expectations and consistency stores have nothing to guard against here.
 */
export class Controller implements Disposable {
  readonly kernel: Kernel;
  readonly client: Client;
  readonly name: string;
  readonly queue: WorkQueue;
  readonly #owned = new DisposableStore();

  constructor(context: ControllerContext, options: { name: string; sync: (key: string) => void; latencyMs?: number; maxMs?: number }) {
    this.kernel = context.kernel;
    this.client = context.client;
    this.name = options.name;
    const settings: ConstructorParameters<typeof WorkQueue>[1] = { sync: options.sync, latencyMs: options.latencyMs ?? DURATIONS.controllerLatencyMs };
    if (options.maxMs !== undefined) settings.maxMs = options.maxMs;
    this.queue = this.#owned.add(new WorkQueue(context.kernel, settings));
  }

  /** Follows a resource: `handler` sees what exists as ADDED, then every change. */
  watch<T extends ApiObject>(resource: ResourceId, handler: (event: WatchEvent<T>) => void): Informer<T> {
    const informer = this.client.informer<T>(resource);
    for (const object of informer.list()) handler({ type: 'ADDED', object });
    this.#owned.add(informer.onEvent(handler));
    return informer;
  }

  own<T extends Disposable>(item: T): T {
    return this.#owned.add(item);
  }

  dispose(): void {
    this.#owned.dispose();
  }
}

const indexesOf = new WeakMap<object, Set<string>>();

/** Adds an index to a shared informer once, whoever asks first. */
export function ensureIndex<T extends ApiObject>(informer: Informer<T>, name: string, values: (object: T) => readonly string[]): Informer<T> {
  let known = indexesOf.get(informer);
  if (!known) {
    known = new Set();
    indexesOf.set(informer, known);
  }
  if (!known.has(name)) {
    known.add(name);
    informer.addIndex(name, values);
  }
  return informer;
}
