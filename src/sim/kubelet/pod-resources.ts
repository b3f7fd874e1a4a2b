import { formatQuantity, parseQuantity, type Quantity } from '../kinds/quantity.ts';
import type { Container, Pod, ResourceRequirements } from '../kinds/types.ts';
import { isRestartableInit } from './restart-policy.ts';

type Amounts = Map<string, Quantity>;

function amounts(list: Record<string, string> | undefined): Amounts {
  return new Map(Object.entries(list ?? {}).map(([name, value]) => [name, parseQuantity(value)]));
}

function add(into: Amounts, more: Amounts): void {
  for (const [name, value] of more) {
    const have = into.get(name);
    into.set(name, have ? { nano: have.nano + value.nano, format: have.format } : value);
  }
}

function raise(into: Amounts, other: Amounts): void {
  for (const [name, value] of other) {
    const have = into.get(name);
    if (!have || value.nano > have.nano) into.set(name, value);
  }
}

function aggregate(pod: Pod, kind: 'requests' | 'limits'): Record<string, string> {
  const total: Amounts = new Map();
  const of = (container: Container): Amounts => amounts(container.resources?.[kind]);
  for (const container of pod.spec?.containers ?? []) add(total, of(container));
  const sidecars: Amounts = new Map();
  const highestInit: Amounts = new Map();
  for (const container of pod.spec?.initContainers ?? []) {
    const own = of(container);
    if (isRestartableInit(container)) {
      add(total, own);
      add(sidecars, own);
      raise(highestInit, sidecars);
    } else {
      const together = new Map(sidecars);
      add(together, own);
      raise(highestInit, together);
    }
  }
  raise(total, highestInit);
  for (const [name, value] of amounts(pod.spec?.resources?.[kind])) total.set(name, value);
  if (kind === 'requests' || total.size > 0) {
    const overhead = amounts(pod.spec?.overhead);
    if (kind === 'requests') add(total, overhead);
    else for (const [name, value] of overhead) if (total.has(name)) add(total, new Map([[name, value]]));
  }
  return Object.fromEntries([...total].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, formatQuantity(value)]));
}

/** Models `resourcehelper.PodRequests`: what the Pod as a whole asks for (sum of containers, or the highest init step). */
export function podRequests(pod: Pod): Record<string, string> {
  return aggregate(pod, 'requests');
}

/** Models `resourcehelper.PodLimits`. */
export function podLimits(pod: Pod): Record<string, string> {
  return aggregate(pod, 'limits');
}

/** `status.resources` of the Pod: `{}` when nothing is set anywhere. */
export function podLevelResources(pod: Pod): ResourceRequirements {
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  return { ...(Object.keys(limits).length > 0 ? { limits } : {}), ...(Object.keys(requests).length > 0 ? { requests } : {}) };
}
