import { type Disposable, type Kernel, toDisposable } from '../../kernel/index.ts';
import { InProcessClient } from '../client/client.ts';
import type { Client } from '../client/types.ts';
import type { WriteRecord } from '../cluster.ts';
import type { AdmissionPlugin, KindStrategy } from '../kinds/strategy.ts';
import { Store } from '../storage/index.ts';
import type { Transport } from '../transport.ts';
import { InProcessBackend } from './backend.ts';
import { addComponentStatuses } from './component-statuses.ts';
import { expireEvents } from './event-ttl.ts';
import { HttpDoor } from './http-door.ts';
import type { PodAccess } from './pod-access.ts';
import { type ResourceInfo, ResourceRegistry } from './resources.ts';
import { loadSchema } from './schema.ts';
import { Verbs } from './verbs.ts';

export interface ApiServerOptions {
  kernel: Kernel;
  strategies: Iterable<KindStrategy>;
  admission: readonly AdmissionPlugin[];
  /** Writes remembered for the timeline; older ones are dropped. Default 20,000. */
  writeLimit?: number;
  /** Where clients reach the server, for discovery. Default "172.18.0.2:6443", as recorded. */
  address?: string;
}

export interface ApiServer {
  /** For kubectl and other clients: the HTTP door. */
  readonly transport: Transport;
  /** For components in this program. */
  readonly client: Client;
  readonly writes: readonly WriteRecord[];
  onWrite(listener: (write: WriteRecord) => void): Disposable;
  /** Where to find the kubelets' door for log, exec, attach and port-forward; asked once, at the first request. */
  setPodAccess(load: () => Promise<PodAccess>): void;
  readonly store: Store;
  readonly verbs: Verbs;
}

/** A Kubernetes v1.36.3 API server over an empty store. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { kernel } = options;
  const store = new Store({ now: () => kernel.now() });
  const registry = new ResourceRegistry();
  const verbs = new Verbs({ kernel, store, registry, strategies: options.strategies, admission: options.admission });
  const client = new InProcessClient(kernel, new InProcessBackend(verbs));
  let loadPodAccess: (() => Promise<PodAccess>) | undefined;
  const http = new HttpDoor(kernel, async () => {
    const [{ HttpServer }, { serveCustomResources }, { serveDynamicAdmission }, podAccess] = await Promise.all([
      import('./http/server.ts'),
      import('./crd/definitions.ts'),
      import('./admission/index.ts'),
      loadPodAccess?.(),
      loadSchema(),
    ]);
    // Definitions come from outside only.
    serveCustomResources(verbs);
    serveDynamicAdmission(verbs);
    return new HttpServer({ verbs, podAccess, address: options.address ?? '172.18.0.2:6443' });
  });
  expireEvents(store, kernel);
  addComponentStatuses(verbs, registry.get('v1/componentstatuses') as ResourceInfo);

  const writes: WriteRecord[] = [];
  const listeners = new Set<(write: WriteRecord) => void>();
  const limit = options.writeLimit ?? 20_000;
  store.listeners.add((event) => {
    const { bucket, ...rest } = event;
    const write: WriteRecord = { ...rest, resource: bucket };
    writes.push(write);
    if (writes.length > limit * 1.25) writes.splice(0, writes.length - limit);
    for (const listener of listeners) listener(write);
  });

  return {
    transport: http,
    client,
    writes,
    onWrite(listener) {
      listeners.add(listener);
      return toDisposable(() => listeners.delete(listener));
    },
    setPodAccess: (load) => {
      loadPodAccess = load;
    },
    store,
    verbs,
  };
}
