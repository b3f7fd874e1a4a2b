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
  readonly #busyUntilMs = new Map<string, number>();

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

  /**
   * Large objects take a worker longer: call with what the last sync of `key` went through. Until that time has passed
   * `isBusy` puts the key back, so that a thousand changes are not a thousand looks at a thousand Pods.
   */
  spent(key: string, items: number): void {
    if (items >= 100) this.#busyUntilMs.set(key, this.kernel.now() + Math.round(items / 20));
    else this.#busyUntilMs.delete(key);
  }

  /** True when a worker is still at `key`; the key comes back when it is done. */
  isBusy(key: string): boolean {
    const waitMs = (this.#busyUntilMs.get(key) ?? 0) - this.kernel.now();
    if (waitMs <= 0) return false;
    this.queue.addAfter(key, waitMs);
    return true;
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
