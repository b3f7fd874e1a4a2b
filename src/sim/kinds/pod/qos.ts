import { addQuantities, compareQuantities } from '../quantity.ts';
import type { Pod } from '../types.ts';

const COMPUTE = ['cpu', 'memory'];

/** The quality-of-service class (`pkg/apis/core/helper/qos`): only CPU and memory count; the Pod's own resources, if given, decide alone. */
export function qosClassOf(pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const spec = pod.spec ?? {};
  const holders = spec.resources ? [spec] : [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const sums: Record<'requests' | 'limits', Record<string, string>> = { requests: {}, limits: {} };
  let guaranteed = true;
  for (const { resources } of holders) {
    for (const name of COMPUTE) {
      for (const side of ['requests', 'limits'] as const) {
        const amount = resources?.[side]?.[name];
        if (compareQuantities(amount, '0') > 0) sums[side][name] = addQuantities(sums[side][name], amount);
        else if (side === 'limits') guaranteed = false;
      }
    }
  }
  const { requests, limits } = sums;
  if (Object.keys(requests).length === 0 && Object.keys(limits).length === 0) return 'BestEffort';
  return guaranteed && COMPUTE.every((name) => compareQuantities(requests[name], limits[name]) === 0) ? 'Guaranteed' : 'Burstable';
}
