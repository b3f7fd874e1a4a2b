import { MAX_SCORE, type Plugin, reject } from '../framework.ts';
import { podInfo } from '../node-info.ts';
import type { Amounts } from '../resources.ts';

/** pkg/scheduler/framework/plugins/noderesources/{fit,least_allocated}.go of v1.36. */
export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  filter({ pod }, node) {
    const reasons: string[] = [];
    let unresolvable = false;
    if (node.pods.size + 1 > (node.allocatable.get('pods') ?? 0)) reasons.push('Too many pods');
    const requests = podInfo(pod).requests;
    const check = (name: string): void => {
      const wanted = requests.get(name) ?? 0;
      if (wanted <= 0) return;
      const capacity = node.allocatable.get(name) ?? 0;
      if (wanted <= capacity - (node.requested.get(name) ?? 0)) return;
      reasons.push(`Insufficient ${name}`);
      if (wanted > capacity) unresolvable = true;
    };
    const first = ['cpu', 'memory', 'ephemeral-storage'];
    first.forEach(check);
    for (const name of requests.keys()) if (!first.includes(name)) check(name);
    return reasons.length > 0 ? reject('NodeResourcesFit', unresolvable, ...reasons) : undefined;
  },
  score({ pod }, node) {
    const requests = podInfo(pod).nonZeroRequests;
    let total = 0;
    let weights = 0;
    for (const name of ['cpu', 'memory']) {
      const capacity = node.allocatable.get(name) ?? 0;
      if (capacity === 0) continue;
      const used = (node.nonZeroRequested.get(name) ?? 0) + (requests.get(name) ?? 0);
      total += used > capacity ? 0 : Math.floor(((capacity - used) * MAX_SCORE) / capacity);
      weights++;
    }
    return weights === 0 ? 0 : Math.floor(total / weights);
  },
};

function balance(used: Amounts, extra: Amounts | undefined, capacity: Amounts): number {
  const fractions: number[] = [];
  for (const name of ['cpu', 'memory']) {
    const most = capacity.get(name) ?? 0;
    if (most > 0) fractions.push(Math.min(1, ((used.get(name) ?? 0) + (extra?.get(name) ?? 0)) / most));
  }
  const deviation = fractions.length === 2 ? Math.abs((fractions[0] ?? 0) - (fractions[1] ?? 0)) / 2 : 0;
  return Math.trunc((1 - deviation) * MAX_SCORE);
}

/** How much better or worse balanced cpu and memory are with the Pod than without (balanced_allocation.go). */
export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  preScore({ pod }) {
    const requests = podInfo(pod).requests;
    return !requests.get('cpu') && !requests.get('memory') ? 'skip' : undefined;
  },
  score({ pod }, node) {
    const withPod = balance(node.requested, podInfo(pod).requests, node.allocatable);
    const without = balance(node.requested, undefined, node.allocatable);
    return MAX_SCORE / 2 + Math.trunc((MAX_SCORE / 2 + withPod - without) / 2);
  },
};
