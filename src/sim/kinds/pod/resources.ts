import { addQuantities, compareQuantities } from '../quantity.ts';
import type { Container, Pod } from '../types.ts';

export type ResourceList = Record<string, string>;

function add(into: ResourceList, list: ResourceList | undefined): void {
  for (const [name, amount] of Object.entries(list ?? {})) into[name] = addQuantities(into[name], amount);
}

function max(into: ResourceList, list: ResourceList): void {
  for (const [name, amount] of Object.entries(list)) if (into[name] === undefined || compareQuantities(amount, into[name]) > 0) into[name] = amount;
}

/**
 * What a whole Pod asks for (`component-helpers/resource.PodRequests`, `PodLimits`): containers and sidecars added up, or the
 * hungriest init container if that is more; the Pod's own resources replace the sum; overhead is added unless told otherwise.
 */
export function podResources(pod: Pod, side: 'requests' | 'limits', options: { withoutOverhead?: boolean } = {}): ResourceList {
  const spec = pod.spec ?? {};
  const total: ResourceList = {};
  for (const container of spec.containers ?? []) add(total, container.resources?.[side]);
  const sidecars: ResourceList = {};
  const init: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    const own = container.resources?.[side];
    if (container.restartPolicy === 'Always') {
      add(total, own);
      add(sidecars, own);
      max(init, sidecars);
    } else {
      const together = { ...sidecars };
      add(together, own);
      max(init, together);
    }
  }
  max(total, init);
  for (const [name, amount] of Object.entries(spec.resources?.[side] ?? {})) total[name] = amount;
  if (!options.withoutOverhead) {
    for (const [name, amount] of Object.entries(spec.overhead ?? {})) {
      if (side === 'requests' || total[name] !== undefined) total[name] = addQuantities(total[name], amount);
    }
  }
  return total;
}

/** Containers and init containers, in the order upstream visits them. */
export const runnableContainers = (pod: Pod): Container[] => [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
