import { selectorMatcher } from '../controllers/labels.ts';
import { labelsOf, msOf, namespaceOf } from '../controllers/object.ts';
import { podCondition } from '../controllers/pods.ts';
import type { Pod, PodDisruptionBudget } from '../kinds/types.ts';
import { describeFitError, type FitError, runFilters, runPreFilters } from './algorithm.ts';
import { type Cycle, type Plugin, type Rejection, reject } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import { isDeleting, priorityOf } from './pod-state.ts';

export interface Candidate {
  node: string;
  victims: Pod[];
  violations: number;
}

/** Either whom to evict where, or what the PostFilter plugins say ("no new claims to deallocate, preemption: …"). */
export type PreemptionResult = { candidate: Candidate } | { message: string; clearNomination: boolean };

// DynamicResources comes before DefaultPreemption and has its say in the message, claims or not.
const NO_CLAIMS = 'no new claims to deallocate';

/** pkg/scheduler/framework/{preemption,plugins/defaultpreemption} of v1.36. */
export function preempt(plugins: readonly Plugin[], cycle: Cycle, error: FitError): PreemptionResult {
  // A refusal before DynamicResources' PreFilter leaves it without state, and its PostFilter fails with just that.
  if (error.preFilter) return { message: 'not found', clearNomination: true };
  const ineligible = whyIneligible(cycle, error);
  if (ineligible) return { message: `${NO_CLAIMS}, preemption: ${ineligible}`, clearNomination: false };
  const statuses = new Map<string, Rejection>();
  const candidates: Candidate[] = [];
  const budgets = cycle.client.informer<PodDisruptionBudget>('policy/v1/poddisruptionbudgets').list();
  for (const node of cycle.nodes) {
    const rejection = error.byNode.get(node.name);
    if (!rejection || rejection.unresolvable) continue;
    const found = victimsOn(plugins, cycle, node, budgets);
    if ('reasons' in found) statuses.set(node.name, found);
    else candidates.push(found);
  }
  const best = pick(candidates);
  if (best) return { candidate: best };
  for (const node of cycle.nodes) {
    if (!statuses.has(node.name)) statuses.set(node.name, reject('DefaultPreemption', true, 'Preemption is not helpful for scheduling'));
  }
  const message = describeFitError({ total: cycle.nodes.length, byNode: statuses, postFilter: '' });
  return { message: `${NO_CLAIMS}, preemption: ${message}`, clearNomination: true };
}

function whyIneligible({ pod, nodes }: Cycle, error: FitError): string | undefined {
  if (pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = pod.status?.nominatedNodeName;
  if (!nominated || error.byNode.get(nominated)?.unresolvable) return undefined;
  const node = nodes.find((one) => one.name === nominated);
  for (const { pod: other } of node?.pods.values() ?? []) {
    const condition = podCondition(other, 'DisruptionTarget');
    const leaving = isDeleting(other) && condition?.status === 'True' && condition.reason === 'PreemptionByScheduler';
    if (leaving && priorityOf(other) < priorityOf(pod)) return 'not eligible due to a terminating pod on the nominated node.';
  }
  return undefined;
}

/** util.MoreImportantPod: higher priority, then longer running, comes first. */
function byImportance(a: Pod, b: Pod): number {
  return priorityOf(b) - priorityOf(a) || msOf(a.status?.startTime) - msOf(b.status?.startTime);
}

function victimsOn(plugins: readonly Plugin[], cycle: Cycle, original: NodeInfo, budgets: readonly PodDisruptionBudget[]): Candidate | Rejection {
  const node = original.copy();
  const nodes = cycle.nodes.map((one) => (one.name === node.name ? node : one));
  const potential = [...node.pods.values()].map((one) => one.pod).filter((one) => priorityOf(one) < priorityOf(cycle.pod));
  if (potential.length === 0) return reject('DefaultPreemption', true, 'No preemption victims found for incoming pod');
  const fits = (): Rejection | undefined => {
    const trial: Cycle = { ...cycle, nodes, state: new Map(), trial: true };
    const skipped = runPreFilters(plugins, trial);
    return skipped instanceof Set ? runFilters(plugins, skipped, trial, node) : skipped;
  };
  for (const pod of potential) node.remove(pod.metadata?.uid ?? '');
  const rejection = fits();
  if (rejection) return rejection;
  potential.sort(byImportance);
  const [violating, others] = splitByBudgets(potential, budgets);
  const victims: Pod[] = [];
  let violations = 0;
  // Put back as many as possible, those with a budget first.
  for (const pod of [...violating, ...others]) {
    node.add(pod);
    if (!fits()) continue;
    node.remove(pod.metadata?.uid ?? '');
    victims.push(pod);
    if (violating.includes(pod)) violations++;
  }
  victims.sort(byImportance);
  return { node: node.name, victims, violations };
}

function splitByBudgets(pods: readonly Pod[], budgets: readonly PodDisruptionBudget[]): [Pod[], Pod[]] {
  const allowed = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
  const violating: Pod[] = [];
  const others: Pod[] = [];
  for (const pod of pods) {
    let violates = false;
    for (const budget of budgets) {
      if (namespaceOf(budget) !== namespaceOf(pod) || !selectorMatcher(budget.spec?.selector)(labelsOf(pod))) continue;
      if (budget.status?.disruptedPods?.[pod.metadata?.name ?? ''] !== undefined) continue;
      const left = (allowed.get(budget) ?? 0) - 1;
      allowed.set(budget, left);
      if (left < 0) violates = true;
    }
    (violates ? violating : others).push(pod);
  }
  return [violating, others];
}

/** pickOneNodeForPreemption. */
function pick(candidates: readonly Candidate[]): Candidate | undefined {
  const highest = (one: Candidate): number => priorityOf(one.victims[0] ?? {});
  const earliestStart = (one: Candidate): number => {
    const top = one.victims.filter((pod) => priorityOf(pod) === highest(one));
    return Math.min(...top.map((pod) => msOf(pod.status?.startTime)));
  };
  const scores: ((one: Candidate) => number)[] = [
    (one) => -one.violations,
    (one) => -highest(one),
    (one) => -one.victims.reduce((sum, pod) => sum + priorityOf(pod) + 2147483648, 0),
    (one) => -one.victims.length,
    earliestStart,
  ];
  let left = [...candidates];
  for (const score of scores) {
    const most = Math.max(...left.map(score));
    left = left.filter((one) => score(one) === most);
  }
  return left[0];
}
