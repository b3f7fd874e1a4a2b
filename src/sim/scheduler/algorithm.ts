import type { Cycle, Plugin, Rejection } from './framework.ts';
import type { NodeInfo } from './node-info.ts';

/** Why a Pod fits nowhere (framework.FitError with its Diagnosis). */
export interface FitError {
  total: number;
  /** A plugin refused the Pod as a whole. */
  preFilter?: Rejection;
  byNode: Map<string, Rejection>;
  /** What the attempt to make room said. */
  postFilter: string;
}

export type Placement = { node: NodeInfo } | { error: FitError };

/** Runs every preFilter; the names of plugins that have nothing to filter, or the refusal. */
export function runPreFilters(plugins: readonly Plugin[], cycle: Cycle): Set<string> | Rejection {
  const skipped = new Set<string>();
  for (const plugin of plugins) {
    const verdict = plugin.preFilter?.(cycle);
    if (verdict === 'skip') skipped.add(plugin.name);
    else if (verdict) return verdict;
  }
  return skipped;
}

export function runFilters(plugins: readonly Plugin[], skipped: ReadonlySet<string>, cycle: Cycle, node: NodeInfo): Rejection | undefined {
  for (const plugin of plugins) {
    if (!plugin.filter || skipped.has(plugin.name)) continue;
    const rejection = plugin.filter(cycle, node);
    if (rejection) return rejection;
  }
  return undefined;
}

/** Of many nodes only some are looked at, from where the last Pod stopped (numFeasibleNodesToFind). */
export function feasibleNodesToFind(total: number): number {
  if (total < 100) return total;
  const percentage = Math.max(5, 50 - Math.floor(total / 125));
  return Math.max(100, Math.floor((total * percentage) / 100));
}

/** schedulePod: filters, scores, and picks one of the best. `start` is the index of the first node to look at. */
export function place(plugins: readonly Plugin[], cycle: Cycle, start: { index: number }): Placement {
  const error: FitError = { total: cycle.nodes.length, byNode: new Map(), postFilter: '' };
  const skipped = runPreFilters(plugins, cycle);
  if (!(skipped instanceof Set)) {
    error.preFilter = skipped;
    return { error };
  }
  const nominated = cycle.pod.status?.nominatedNodeName;
  const preferred = nominated ? cycle.nodes.find((node) => node.name === nominated) : undefined;
  if (preferred && !runFilters(plugins, skipped, cycle, preferred)) return { node: preferred };

  const enough = feasibleNodesToFind(cycle.nodes.length);
  const feasible: NodeInfo[] = [];
  let looked = 0;
  for (; looked < cycle.nodes.length && feasible.length < enough; looked++) {
    const node = cycle.nodes[(start.index + looked) % cycle.nodes.length] as NodeInfo;
    const rejection = runFilters(plugins, skipped, cycle, node);
    if (rejection) error.byNode.set(node.name, rejection);
    else feasible.push(node);
  }
  if (cycle.nodes.length > 0) start.index = (start.index + looked) % cycle.nodes.length;
  if (feasible.length === 0) return { error };
  return { node: feasible.length === 1 ? (feasible[0] as NodeInfo) : best(plugins, cycle, feasible) };
}

/** The node with the highest weighted score; which of several equals is decided as Go's heap does it. */
function best(plugins: readonly Plugin[], cycle: Cycle, nodes: readonly NodeInfo[]): NodeInfo {
  const totals = nodes.map(() => 0);
  for (const plugin of plugins) {
    if (!plugin.score || plugin.preScore?.(cycle, nodes) === 'skip') continue;
    const scores = nodes.map((node) => plugin.score?.(cycle, node) ?? 0);
    plugin.normalize?.(cycle, scores, nodes);
    scores.forEach((score, index) => {
      totals[index] = (totals[index] ?? 0) + score * (plugin.weight ?? 1);
    });
  }
  return nodes[topOfHeap(totals)] as NodeInfo;
}

/**
 * The index that container/heap has at the top after Init with "higher first". Since v1.36 nodes of equal score are not
 * shuffled any more (the randomizer is only set behind extenders), so that the order of the nodes decides.
 */
export function topOfHeap(scores: readonly number[]): number {
  const heap = scores.map((_, index) => index);
  const higher = (a: number, b: number): boolean => (scores[heap[a] as number] as number) > (scores[heap[b] as number] as number);
  for (let start = Math.floor(heap.length / 2) - 1; start >= 0; start--) {
    for (let parent = start; ; ) {
      const left = 2 * parent + 1;
      if (left >= heap.length) break;
      const child = left + 1 < heap.length && higher(left + 1, left) ? left + 1 : left;
      if (!higher(child, parent)) break;
      [heap[parent], heap[child]] = [heap[child] as number, heap[parent] as number];
      parent = child;
    }
  }
  return heap[0] ?? 0;
}

/** FitError.Error(): `0/3 nodes are available: …`. */
export function describeFitError(error: FitError): string {
  let message = `0/${error.total} nodes are available:`;
  if (error.preFilter) message += ` ${error.preFilter.reasons.join(', ')}.`;
  else {
    const counts = new Map<string, number>();
    for (const { reasons } of error.byNode.values()) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    if (parts.length > 0) message += ` ${parts.join(', ')}.`;
  }
  return error.postFilter === '' ? message : `${message} ${error.postFilter}`;
}
