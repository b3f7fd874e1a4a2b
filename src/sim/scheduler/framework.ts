import type { Client } from '../client/types.ts';
import type { Pod } from '../kinds/types.ts';
import type { SchedulerCache } from './cache.ts';
import type { NodeInfo } from './node-info.ts';

/** Why a Pod does not go to a node. Unresolvable: no preemption would help. */
export interface Rejection {
  plugin: string;
  unresolvable: boolean;
  reasons: readonly string[];
}

export function reject(plugin: string, unresolvable: boolean, ...reasons: string[]): Rejection {
  return { plugin, unresolvable, reasons };
}

/** One attempt to schedule one Pod: the Pod, the nodes as they are, and what plugins worked out beforehand. */
export interface Cycle {
  pod: Pod;
  nodes: readonly NodeInfo[];
  cache: SchedulerCache;
  client: Client;
  /** State of each plugin, by its name. */
  state: Map<string, unknown>;
  /** True while preemption tries a node with Pods taken away: per-selector counters don't know of that. */
  trial: boolean;
}

/** A scheduler plugin: upstream's extension points as far as they are used. */
export interface Plugin {
  name: string;
  /** Weight of its score. */
  weight?: number;
  /** Looks at the Pod once. 'skip': nothing to filter; a rejection ends the attempt for all nodes. */
  preFilter?(cycle: Cycle): Rejection | 'skip' | undefined;
  filter?(cycle: Cycle, node: NodeInfo): Rejection | undefined;
  /** 'skip' leaves the plugin out of scoring. */
  preScore?(cycle: Cycle, nodes: readonly NodeInfo[]): 'skip' | undefined;
  score?(cycle: Cycle, node: NodeInfo): number;
  /** Brings raw scores to 0…100. */
  normalize?(cycle: Cycle, scores: number[], nodes: readonly NodeInfo[]): void;
}

export const MAX_SCORE = 100;

/** helper.DefaultNormalizeScore: scales to the highest; `reverse` for scores where little is good. */
export function defaultNormalize(scores: number[], reverse: boolean): void {
  const most = Math.max(0, ...scores);
  for (let i = 0; i < scores.length; i++) {
    if (most === 0) {
      if (reverse) scores[i] = MAX_SCORE;
      continue;
    }
    const scaled = Math.floor((MAX_SCORE * (scores[i] ?? 0)) / most);
    scores[i] = reverse ? MAX_SCORE - scaled : scaled;
  }
}
