import type { Endpoint, EndpointSlice, Service } from '../../kinds/types.ts';
import { clone, controllerOf, equal, isDeleting, labelsOf, uidOf } from '../object.ts';
import { endpointKey, newSlice, type PortGroup, portsKey, sliceLabels } from './endpoint.ts';

export const MAX_ENDPOINTS_PER_SLICE = 100;

export interface SliceChanges {
  create: EndpointSlice[];
  update: EndpointSlice[];
  remove: EndpointSlice[];
}

/**
 * Which slices to write so that they hold what `desired` says, touching as few as possible
 * (k8s.io/endpointslice/reconciler.go: reconcileByPortMapping and finalize).
 */
export function reconcileSlices(service: Service, existing: readonly EndpointSlice[], desired: Map<string, PortGroup>): SliceChanges {
  const changes: SliceChanges = { create: [], update: [], remove: [] };
  const byPorts = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    if (isDeleting(slice)) continue;
    const owner = controllerOf(slice);
    if (owner && owner.uid !== uidOf(service)) {
      changes.remove.push(slice);
      continue;
    }
    const key = portsKey(slice.ports);
    const list = byPorts.get(key);
    if (list) list.push(slice);
    else byPorts.set(key, [slice]);
  }
  for (const [key, group] of desired) reconcileGroup(service, byPorts.get(key) ?? [], group, changes);
  for (const [key, slices] of byPorts) if (!desired.has(key)) changes.remove.push(...slices);
  if (desired.size === 0) keepPlaceholder(service, changes);
  reuseRemoved(service, changes);
  return changes;
}

/** A Service without endpoints has one empty slice. */
function keepPlaceholder(service: Service, changes: SliceChanges): void {
  const placeholder = newSlice(service, undefined, undefined);
  const present = changes.remove.findIndex((slice) => !slice.endpoints?.length && !slice.ports?.length && equal(labelsOf(slice), sliceLabels(service)));
  if (present >= 0) changes.remove.splice(present, 1);
  else changes.create.push(placeholder);
}

/** A slice that would go and one that would come are one update. */
function reuseRemoved(service: Service, changes: SliceChanges): void {
  for (let i = 0; i < changes.remove.length && changes.create.length > 0; ) {
    const gone = changes.remove[i];
    if (!gone || controllerOf(gone)?.uid !== uidOf(service)) {
      i++;
      continue;
    }
    const next = changes.create.pop();
    if (!next) return;
    changes.update.push(withContent(gone, service, next));
    changes.remove.splice(i, 1);
  }
}

/** `slice` with the labels the Service gives and the content of `next`. */
function withContent(slice: EndpointSlice, service: Service, next: Pick<EndpointSlice, 'endpoints' | 'ports'>): EndpointSlice {
  const copy = clone(slice);
  copy.metadata = { ...copy.metadata, labels: sliceLabels(service) };
  delete copy.endpoints;
  delete copy.ports;
  if (next.endpoints) copy.endpoints = next.endpoints;
  if (next.ports) copy.ports = next.ports;
  return copy;
}

function reconcileGroup(service: Service, slices: readonly EndpointSlice[], group: PortGroup, changes: SliceChanges): void {
  const wanted = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const kept: { slice: EndpointSlice; endpoints: Endpoint[]; changed: boolean }[] = [];
  for (const slice of slices) {
    const endpoints: Endpoint[] = [];
    let changed = !equal(labelsOf(slice), sliceLabels(service));
    for (const endpoint of slice.endpoints ?? []) {
      const next = wanted.get(endpointKey(endpoint));
      if (!next) {
        changed = true;
        continue;
      }
      wanted.delete(endpointKey(endpoint));
      if (equal(next, endpoint)) endpoints.push(endpoint);
      else {
        endpoints.push(next);
        changed = true;
      }
    }
    kept.push({ slice, endpoints, changed });
  }
  const fresh = [...wanted.values()];
  // Slices that are written anyway take new endpoints first, the fullest ones before the others.
  const open = kept.filter((one) => one.changed && one.endpoints.length > 0).sort((a, b) => b.endpoints.length - a.endpoints.length);
  const rest = kept.filter((one) => !open.includes(one)).sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const one of [...open, ...rest]) {
    const room = MAX_ENDPOINTS_PER_SLICE - one.endpoints.length;
    if (fresh.length === 0 || room <= 0) continue;
    one.endpoints.push(...fresh.splice(0, room));
    one.changed = true;
  }
  while (fresh.length > 0) changes.create.push(newSlice(service, clone(group.ports), fresh.splice(0, MAX_ENDPOINTS_PER_SLICE)));
  for (const { slice, endpoints, changed } of kept) {
    if (endpoints.length === 0) changes.remove.push(slice);
    else if (changed) changes.update.push(withContent(slice, service, { endpoints, ports: clone(group.ports) }));
  }
}
