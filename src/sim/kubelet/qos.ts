import { parseQuantity } from '../kinds/quantity.ts';
import type { Container, Pod } from '../kinds/types.ts';

const COMPUTE = ['cpu', 'memory'];

function positive(value: string | undefined): boolean {
  return value !== undefined && parseQuantity(value).nano > 0n;
}

/** Models `qos.ComputePodQOS`: Guaranteed when every container's limits are set and equal its requests, BestEffort when nothing is set. */
export function podQosClass(pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers: { resources?: Container['resources'] }[] =
    pod.spec?.resources?.requests || pod.spec?.resources?.limits
      ? [{ resources: pod.spec.resources }]
      : [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  let any = false;
  let guaranteed = true;
  for (const container of containers) {
    const requests = container.resources?.requests ?? {};
    const limits = container.resources?.limits ?? {};
    for (const name of COMPUTE) {
      const request = requests[name];
      const limit = limits[name];
      if (positive(request) || positive(limit)) any = true;
      if (!positive(limit)) guaranteed = false;
      else if (request !== undefined && parseQuantity(request).nano !== parseQuantity(limit as string).nano) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
