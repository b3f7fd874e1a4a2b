import type { Kernel } from '../../kernel/index.ts';
import type { Store } from '../storage/index.ts';

/** `--event-ttl`: Events vanish an hour after their last change. */
const EVENT_TTL_MS = 3_600_000;

/** Removes Events whose lease ran out, when the next write of an Event finds them (no timers, so that an idle cluster stays idle). */
export function expireEvents(store: Store, kernel: Kernel): () => void {
  const leases: { namespace: string; name: string; revision: string; expiresMs: number }[] = [];
  const bucket = store.bucket('v1/events');
  const purge = (): void => {
    const nowMs = kernel.now();
    while (leases[0] && leases[0].expiresMs <= nowMs) {
      const lease = leases.shift() as (typeof leases)[number];
      if (bucket.get(lease.namespace, lease.name)?.metadata?.resourceVersion !== lease.revision) continue;
      store.remove('v1/events', lease.namespace, lease.name, { actor: 'etcd', rule: 'events/expire' });
    }
  };
  let purging = false;
  bucket.listeners.add((event) => {
    if (event.type !== 'DELETED') {
      leases.push({
        namespace: event.namespace,
        name: event.name,
        revision: event.object.metadata?.resourceVersion ?? '',
        expiresMs: event.atMs + EVENT_TTL_MS,
      });
    }
    if (purging) return;
    purging = true;
    purge();
    purging = false;
  });
  return purge;
}
