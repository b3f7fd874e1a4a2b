import { type Labels, type Matcher, mapMatcher, selectorMatcher } from '../../controllers/labels.ts';
import { controllerOf, labelsOf, namespaceOf, stableStringify } from '../../controllers/object.ts';
import type { ReplicaSet, ReplicationController, Service, StatefulSet, TopologySpreadConstraint } from '../../kinds/types.ts';
import { type Cycle, MAX_SCORE, type Plugin, reject } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import { requiredAffinityMatches, untoleratedTaint } from '../node-selector.ts';
import { isDeleting } from '../pod-state.ts';

const HOSTNAME = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';
const NAME = 'PodTopologySpread';

interface Constraint {
  maxSkew: number;
  topologyKey: string;
  minDomains: number;
  matches: Matcher;
  /** Names the selector among the cache's counters. */
  key: string;
  empty: boolean;
  honorAffinity: boolean;
  honorTaints: boolean;
}

interface FilterState {
  constraints: Constraint[];
  counts: Map<string, number>[];
}

function constraintsOf(cycle: Cycle, action: string): Constraint[] {
  const labels = labelsOf(cycle.pod);
  return (cycle.pod.spec?.topologySpreadConstraints ?? []).filter((one) => one.whenUnsatisfiable === action).map((one) => constraintOf(one, labels));
}

function constraintOf(one: TopologySpreadConstraint, labels: Labels): Constraint {
  const extra: Record<string, string> = {};
  for (const key of one.matchLabelKeys ?? []) if (labels[key] !== undefined) extra[key] = labels[key];
  const selector = { ...one.labelSelector, matchLabels: { ...one.labelSelector?.matchLabels, ...extra } };
  const empty = Object.keys(selector.matchLabels).length === 0 && !one.labelSelector?.matchExpressions?.length;
  return {
    maxSkew: one.maxSkew ?? 1,
    topologyKey: one.topologyKey ?? '',
    minDomains: one.minDomains ?? 1,
    matches: one.labelSelector ? selectorMatcher(selector) : () => false,
    key: one.labelSelector ? stableStringify(selector) : 'nothing',
    empty,
    honorAffinity: one.nodeAffinityPolicy !== 'Ignore',
    honorTaints: one.nodeTaintsPolicy === 'Honor',
  };
}

/** helper.DefaultSelector: what the Services and the owner that a Pod belongs to select. */
function defaultSelector(cycle: Cycle): { matches: Matcher; key: string } | undefined {
  const { pod, client } = cycle;
  const namespace = namespaceOf(pod);
  const merged: Record<string, string> = {};
  for (const service of client.informer<Service>('v1/services').list(namespace)) {
    const selector = service.spec?.selector;
    if (selector && Object.keys(selector).length > 0 && mapMatcher(selector)(labelsOf(pod))) Object.assign(merged, selector);
  }
  const owner = controllerOf(pod);
  let expressions: NonNullable<NonNullable<ReplicaSet['spec']>['selector']>['matchExpressions'];
  if (owner?.kind === 'ReplicaSet' || owner?.kind === 'StatefulSet') {
    const resource = owner.kind === 'ReplicaSet' ? 'apps/v1/replicasets' : 'apps/v1/statefulsets';
    const selector = client.informer<ReplicaSet | StatefulSet>(resource).get(namespace, owner.name ?? '')?.spec?.selector;
    Object.assign(merged, selector?.matchLabels);
    expressions = selector?.matchExpressions;
  } else if (owner?.kind === 'ReplicationController') {
    Object.assign(merged, client.informer<ReplicationController>('v1/replicationcontrollers').get(namespace, owner.name ?? '')?.spec?.selector);
  }
  if (Object.keys(merged).length === 0 && !expressions?.length) return undefined;
  const selector = expressions ? { matchLabels: merged, matchExpressions: expressions } : { matchLabels: merged };
  return { matches: selectorMatcher(selector), key: stableStringify(selector) };
}

/** Matching Pods on one node. */
function countOn(cycle: Cycle, constraint: Constraint, node: NodeInfo): number {
  if (constraint.empty) return 0;
  const namespace = namespaceOf(cycle.pod);
  if (!cycle.trial) return cycle.cache.matching(namespace, constraint.key, constraint.matches).get(node.name) ?? 0;
  let count = 0;
  for (const { pod } of node.pods.values()) if (!isDeleting(pod) && namespaceOf(pod) === namespace && constraint.matches(labelsOf(pod))) count++;
  return count;
}

function included(cycle: Cycle, constraint: Constraint, node: NodeInfo): boolean {
  if (constraint.honorAffinity && !requiredAffinityMatches(cycle.pod, node.node)) return false;
  return !constraint.honorTaints || !untoleratedTaint(node.node.spec?.taints, cycle.pod.spec?.tolerations, ['NoSchedule', 'NoExecute']);
}

interface ScoreState {
  constraints: Constraint[];
  ignored: Set<string>;
  counts: Map<string, number>[];
  weights: number[];
}

/** pkg/scheduler/framework/plugins/podtopologyspread of v1.36, with the system's default constraints. */
export const podTopologySpread: Plugin = {
  name: NAME,
  weight: 2,
  preFilter(cycle) {
    const constraints = constraintsOf(cycle, 'DoNotSchedule');
    if (constraints.length === 0) return 'skip';
    const counts = constraints.map(() => new Map<string, number>());
    for (const node of cycle.nodes) {
      if (!constraints.every((one) => node.labels[one.topologyKey] !== undefined)) continue;
      constraints.forEach((constraint, index) => {
        if (!included(cycle, constraint, node)) return;
        const value = node.labels[constraint.topologyKey] ?? '';
        const here = counts[index] as Map<string, number>;
        here.set(value, (here.get(value) ?? 0) + countOn(cycle, constraint, node));
      });
    }
    cycle.state.set(NAME, { constraints, counts } satisfies FilterState);
    return undefined;
  },
  filter(cycle, node) {
    const { constraints, counts } = cycle.state.get(NAME) as FilterState;
    for (const [index, constraint] of constraints.entries()) {
      const value = node.labels[constraint.topologyKey];
      if (value === undefined) return reject(NAME, true, "node(s) didn't match pod topology spread constraints (missing required label)");
      const here = counts[index] as Map<string, number>;
      const least = here.size < constraint.minDomains ? 0 : Math.min(0x7fffffff, ...here.values());
      const self = constraint.matches(labelsOf(cycle.pod)) ? 1 : 0;
      if ((here.get(value) ?? 0) + self - least > constraint.maxSkew) return reject(NAME, false, "node(s) didn't match pod topology spread constraints");
    }
    return undefined;
  },
  preScore(cycle, nodes) {
    const own = (cycle.pod.spec?.topologySpreadConstraints?.length ?? 0) > 0;
    let constraints = constraintsOf(cycle, 'ScheduleAnyway');
    if (!own) {
      const selector = defaultSelector(cycle);
      if (!selector) return 'skip';
      const base = { minDomains: 1, ...selector, empty: false, honorAffinity: true, honorTaints: false };
      constraints = [
        { ...base, topologyKey: HOSTNAME, maxSkew: 3 },
        { ...base, topologyKey: ZONE, maxSkew: 5 },
      ];
    }
    if (constraints.length === 0) return 'skip';
    const ignored = new Set<string>();
    const counts = constraints.map(() => new Map<string, number>());
    for (const node of nodes) {
      if (own && !constraints.every((one) => node.labels[one.topologyKey] !== undefined)) {
        ignored.add(node.name);
        continue;
      }
      constraints.forEach((constraint, index) => {
        const value = node.labels[constraint.topologyKey];
        if (value !== undefined && constraint.topologyKey !== HOSTNAME) counts[index]?.set(value, 0);
      });
    }
    const weights = constraints.map((constraint, index) => {
      const size = constraint.topologyKey === HOSTNAME ? nodes.length - ignored.size : (counts[index]?.size ?? 0);
      return Math.log(size + 2);
    });
    for (const node of cycle.nodes) {
      if (own && !constraints.every((one) => node.labels[one.topologyKey] !== undefined)) continue;
      constraints.forEach((constraint, index) => {
        const value = node.labels[constraint.topologyKey];
        const here = counts[index] as Map<string, number>;
        if (constraint.topologyKey === HOSTNAME || value === undefined || !here.has(value) || !included(cycle, constraint, node)) return;
        here.set(value, (here.get(value) ?? 0) + countOn(cycle, constraint, node));
      });
    }
    cycle.state.set(`${NAME}/score`, { constraints, ignored, counts, weights } satisfies ScoreState);
    return undefined;
  },
  score(cycle, node) {
    const { constraints, ignored, counts, weights } = cycle.state.get(`${NAME}/score`) as ScoreState;
    if (ignored.has(node.name)) return 0;
    let score = 0;
    constraints.forEach((constraint, index) => {
      const value = node.labels[constraint.topologyKey];
      if (value === undefined) return;
      const count = constraint.topologyKey === HOSTNAME ? countOn(cycle, constraint, node) : (counts[index]?.get(value) ?? 0);
      score += count * (weights[index] ?? 0) + (constraint.maxSkew - 1);
    });
    return Math.round(score);
  },
  normalize(cycle, scores, nodes) {
    const { ignored } = cycle.state.get(`${NAME}/score`) as ScoreState;
    const counted = scores.filter((_, index) => !ignored.has(nodes[index]?.name ?? ''));
    const least = Math.min(Number.MAX_SAFE_INTEGER, ...counted);
    const most = Math.max(0, ...counted);
    for (let i = 0; i < scores.length; i++) {
      if (ignored.has(nodes[i]?.name ?? '')) scores[i] = 0;
      else if (most === 0) scores[i] = MAX_SCORE;
      else scores[i] = Math.floor((MAX_SCORE * (most + least - (scores[i] ?? 0))) / most);
    }
  },
};
