import { selectorMatcher } from '../../controllers/labels.ts';
import { labelsOf, namespaceOf } from '../../controllers/object.ts';
import type { Namespace, Pod, PodAffinityTerm } from '../../kinds/types.ts';
import { type Cycle, MAX_SCORE, type Plugin, reject } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';

const NAME = 'InterPodAffinity';

/** A term made ready to match: namespaces resolved, (mis)matchLabelKeys merged into the selector. */
interface Term {
  topologyKey: string;
  matches(pod: Pod): boolean;
}

function termOf(cycle: Cycle, owner: Pod, term: PodAffinityTerm): Term {
  const labels = labelsOf(owner);
  const expressions = [...(term.labelSelector?.matchExpressions ?? [])];
  for (const key of term.matchLabelKeys ?? []) if (labels[key] !== undefined) expressions.push({ key, operator: 'In', values: [labels[key]] });
  for (const key of term.mismatchLabelKeys ?? []) if (labels[key] !== undefined) expressions.push({ key, operator: 'NotIn', values: [labels[key]] });
  const selects = term.labelSelector ? selectorMatcher({ ...term.labelSelector, matchExpressions: expressions }) : () => false;
  const named = term.namespaces?.length ? new Set(term.namespaces) : term.namespaceSelector ? new Set<string>() : new Set([namespaceOf(owner)]);
  const byLabels = term.namespaceSelector ? selectorMatcher(term.namespaceSelector) : undefined;
  const namespaces = cycle.client.informer<Namespace>('v1/namespaces');
  const inNamespace = (name: string): boolean => {
    if (named.has(name) || !byLabels) return named.has(name);
    const namespace = namespaces.get('', name);
    return namespace ? byLabels(labelsOf(namespace)) : false;
  };
  return { topologyKey: term.topologyKey ?? '', matches: (pod) => inNamespace(namespaceOf(pod)) && selects(labelsOf(pod)) };
}

/** Counts by "topologyKey=value". */
type Counts = Map<string, number>;

function bump(counts: Counts, node: NodeInfo, topologyKey: string, by: number): void {
  const value = node.labels[topologyKey];
  if (value === undefined) return;
  const pair = `${topologyKey}=${value}`;
  counts.set(pair, (counts.get(pair) ?? 0) + by);
}

interface FilterState {
  affinity: Term[];
  antiAffinity: Term[];
  existingAnti: Counts;
  affinityCounts: Counts;
  antiCounts: Counts;
}

interface Weighted {
  term: Term;
  weight: number;
}

function preferred(cycle: Cycle, owner: Pod, kind: 'podAffinity' | 'podAntiAffinity'): Weighted[] {
  const terms = owner.spec?.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.map((one) => ({ term: termOf(cycle, owner, one.podAffinityTerm ?? {}), weight: one.weight ?? 0 }));
}

function required(cycle: Cycle, owner: Pod, kind: 'podAffinity' | 'podAntiAffinity'): Term[] {
  return (owner.spec?.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((one) => termOf(cycle, owner, one));
}

/** pkg/scheduler/framework/plugins/interpodaffinity of v1.36. */
export const interPodAffinity: Plugin = {
  name: NAME,
  weight: 2,
  preFilter(cycle) {
    const { pod } = cycle;
    const state: FilterState = {
      affinity: required(cycle, pod, 'podAffinity'),
      antiAffinity: required(cycle, pod, 'podAntiAffinity'),
      existingAnti: new Map(),
      affinityCounts: new Map(),
      antiCounts: new Map(),
    };
    for (const node of cycle.nodes) {
      for (const existing of node.withRequiredAntiAffinity) {
        for (const term of required(cycle, existing.pod, 'podAntiAffinity')) if (term.matches(pod)) bump(state.existingAnti, node, term.topologyKey, 1);
      }
      if (state.affinity.length === 0 && state.antiAffinity.length === 0) continue;
      for (const { pod: existing } of node.pods.values()) {
        if (state.affinity.length > 0 && state.affinity.every((term) => term.matches(existing))) {
          for (const term of state.affinity) bump(state.affinityCounts, node, term.topologyKey, 1);
        }
        for (const term of state.antiAffinity) if (term.matches(existing)) bump(state.antiCounts, node, term.topologyKey, 1);
      }
    }
    if (state.existingAnti.size === 0 && state.affinity.length === 0 && state.antiAffinity.length === 0) return 'skip';
    cycle.state.set(NAME, state);
    return undefined;
  },
  filter(cycle, node) {
    const state = cycle.state.get(NAME) as FilterState;
    for (const term of state.affinity) {
      const value = node.labels[term.topologyKey];
      const missing = value === undefined || (state.affinityCounts.get(`${term.topologyKey}=${value}`) ?? 0) <= 0;
      if (!missing) continue;
      // The first of a group that only wants to be with its own kind may go anywhere that has the labels.
      const first = state.affinityCounts.size === 0 && state.affinity.every((one) => one.matches(cycle.pod));
      if (first && state.affinity.every((one) => node.labels[one.topologyKey] !== undefined)) break;
      return reject(NAME, true, "node(s) didn't match pod affinity rules");
    }
    for (const term of state.antiAffinity) {
      const value = node.labels[term.topologyKey];
      if (value !== undefined && (state.antiCounts.get(`${term.topologyKey}=${value}`) ?? 0) > 0) {
        return reject(NAME, false, "node(s) didn't match pod anti-affinity rules");
      }
    }
    for (const [key, value] of Object.entries(node.labels)) {
      if ((state.existingAnti.get(`${key}=${value}`) ?? 0) > 0) return reject(NAME, false, "node(s) didn't satisfy existing pods anti-affinity rules");
    }
    return undefined;
  },
  preScore(cycle) {
    const { pod } = cycle;
    const likes = preferred(cycle, pod, 'podAffinity');
    const dislikes = preferred(cycle, pod, 'podAntiAffinity');
    const wants = likes.length > 0 || dislikes.length > 0;
    const counts: Counts = new Map();
    for (const node of cycle.nodes) {
      for (const { pod: existing, hasAffinity } of wants ? node.pods.values() : node.withAffinity.values()) {
        for (const { term, weight } of likes) if (term.matches(existing)) bump(counts, node, term.topologyKey, weight);
        for (const { term, weight } of dislikes) if (term.matches(existing)) bump(counts, node, term.topologyKey, -weight);
        if (!hasAffinity) continue;
        // Existing Pods' required affinity counts with weight 1 (hardPodAffinityWeight).
        for (const term of required(cycle, existing, 'podAffinity')) if (term.matches(pod)) bump(counts, node, term.topologyKey, 1);
        for (const { term, weight } of preferred(cycle, existing, 'podAffinity')) if (term.matches(pod)) bump(counts, node, term.topologyKey, weight);
        for (const { term, weight } of preferred(cycle, existing, 'podAntiAffinity')) if (term.matches(pod)) bump(counts, node, term.topologyKey, -weight);
      }
    }
    if (counts.size === 0) return 'skip';
    cycle.state.set(`${NAME}/score`, counts);
    return undefined;
  },
  score(cycle, node) {
    const counts = cycle.state.get(`${NAME}/score`) as Counts;
    let score = 0;
    for (const [key, value] of Object.entries(node.labels)) score += counts.get(`${key}=${value}`) ?? 0;
    return score;
  },
  normalize(_cycle, scores) {
    const least = Math.min(...scores);
    const range = Math.max(...scores) - least;
    for (let i = 0; i < scores.length; i++) scores[i] = range > 0 ? Math.trunc((MAX_SCORE * ((scores[i] ?? 0) - least)) / range) : 0;
  },
};
