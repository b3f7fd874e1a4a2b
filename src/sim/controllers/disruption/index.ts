import type { Disposable } from '../../../kernel/index.ts';
import type { ApiObject } from '../../client/types.ts';
import type { Condition, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus, ReplicaSet } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { isConflict, isStatusError, SyncError } from '../errors.ts';
import { selectorMatcher } from '../labels.ts';
import {
  cause,
  clone,
  controllerOf,
  equal,
  type Identified,
  isDeleting,
  keyOf,
  labelsOf,
  msOf,
  nameOf,
  namespaceOf,
  refOf,
  regarding,
  scaledValue,
  splitKey,
  timeOf,
  uidOf,
} from '../object.ts';
import { patchPodCondition } from '../pod-condition.ts';
import { isPodFinished, isPodReady, podCondition, podInformer } from '../pods.ts';

const BUDGET: Identified = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', resource: 'policy/v1/poddisruptionbudgets' };
const ACTOR = 'disruption-controller';
/** A Pod whose eviction was allowed counts as gone for this long, whether or not it is. */
const DELETION_TIMEOUT_MS = 2 * 60_000;
const STALE_CONDITION_MS = 2 * 60_000;

/** What has a number of replicas, by the kind in a Pod's owner reference. */
const SCALED: Readonly<Record<string, string>> = {
  ReplicaSet: 'apps/v1/replicasets',
  StatefulSet: 'apps/v1/statefulsets',
  Deployment: 'apps/v1/deployments',
  ReplicationController: 'v1/replicationcontrollers',
};

/** How many Pods a PodDisruptionBudget lets go (pkg/controller/disruption of v1.36). */
export function startDisruptionController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const budgets = client.informer<PodDisruptionBudget>(BUDGET.resource);
  const pods = podInformer(client);
  const controller = new Controller(context, { name: ACTOR, sync });
  const stale = controller.own(new Controller(context, { name: ACTOR, sync: clearStale }));

  function event(budget: PodDisruptionBudget, type: 'Normal' | 'Warning', reason: string, message: string): void {
    client.event({
      regarding: regarding(budget, BUDGET),
      type,
      reason,
      message,
      component: 'controllermanager',
      cause: cause(ACTOR, 'disruption/event', refOf(budget, BUDGET.resource)),
    });
  }

  function sync(key: string): void {
    const budget = budgets.get(...splitKey(key));
    if (!budget) return;
    try {
      trySync(key, budget);
    } catch (error) {
      if (!isStatusError(error) || isConflict(error)) throw error;
      failSafe(budget, error as Error);
    }
  }

  function trySync(key: string, budget: PodDisruptionBudget): void {
    const matches = selectorMatcher(budget.spec?.selector);
    const selected = pods.list(namespaceOf(budget)).filter((pod) => matches(labelsOf(pod)));
    if (selected.length === 0) event(budget, 'Normal', 'NoPods', 'No matching pods found');
    const [expected, desired] = expectedCounts(budget, selected);
    const nowMs = kernel.now();
    const disrupted: Record<string, string> = {};
    for (const pod of selected) {
      const since = budget.status?.disruptedPods?.[nameOf(pod)];
      if (isDeleting(pod) || since === undefined) continue;
      const leftMs = msOf(since) + DELETION_TIMEOUT_MS - nowMs;
      if (leftMs < 0) continue;
      disrupted[nameOf(pod)] = since;
      controller.queue.addAfter(key, leftMs);
    }
    const healthy = selected.filter((pod) => !isDeleting(pod) && disrupted[nameOf(pod)] === undefined && isPodReady(pod)).length;
    const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
    const status: PodDisruptionBudgetStatus = {
      currentHealthy: healthy,
      desiredHealthy: desired,
      disruptionsAllowed: allowed,
      expectedPods: expected,
      observedGeneration: budget.metadata?.generation ?? 0,
      conditions: withAllowed(budget, allowed > 0 ? ['True', 'SufficientPods', ''] : ['False', 'InsufficientPods', '']),
    };
    if (Object.keys(disrupted).length > 0) status.disruptedPods = disrupted;
    if (equal(status, budget.status)) return;
    write(budget, status);
  }

  /** [expected Pods, desired healthy ones]. */
  function expectedCounts(budget: PodDisruptionBudget, selected: readonly Pod[]): [number, number] {
    const { maxUnavailable, minAvailable } = budget.spec ?? {};
    if (maxUnavailable !== undefined) {
      const expected = expectedScale(budget, selected);
      return [expected, Math.max(0, expected - scaledValue(maxUnavailable, expected, true))];
    }
    if (typeof minAvailable === 'number') return [selected.length, minAvailable];
    if (minAvailable === undefined) return [0, 0];
    const expected = expectedScale(budget, selected);
    return [expected, scaledValue(minAvailable, expected, true)];
  }

  /** The sum of what the Pods' controllers are scaled to. */
  function expectedScale(budget: PodDisruptionBudget, selected: readonly Pod[]): number {
    const scales = new Map<string, number>();
    const unmanaged: string[] = [];
    for (const pod of selected) {
      const owner = controllerOf(pod);
      if (!owner) {
        unmanaged.push(nameOf(pod));
        continue;
      }
      if (scales.has(owner.uid ?? '')) continue;
      const found = scaleOf(namespaceOf(pod), owner.kind ?? '', owner.name ?? '', owner.uid ?? '');
      if (!found) throw new SyncError(`found no controllers for pod ${JSON.stringify(nameOf(pod))}`);
      scales.set(found.uid, found.replicas);
    }
    if (unmanaged.length > 0) {
      event(
        budget,
        'Warning',
        'UnmanagedPods',
        `Pods selected by this PodDisruptionBudget (selector: ${goSelector(budget)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
      );
    }
    return [...scales.values()].reduce((sum, one) => sum + one, 0);
  }

  function goSelector(budget: PodDisruptionBudget): string {
    const labels = Object.entries(budget.spec?.selector?.matchLabels ?? {}).map(([key, value]) => `${key}: ${value},`);
    return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{},}`;
  }

  /** A ReplicaSet's own controller counts, when it has one. */
  function scaleOf(namespace: string, kind: string, name: string, uid: string): { uid: string; replicas: number } | undefined {
    const resource = SCALED[kind];
    const owner = resource ? client.informer<ReplicaSet>(resource).get(namespace, name) : undefined;
    if (!owner || uidOf(owner) !== uid) return undefined;
    const parent = kind === 'ReplicaSet' ? controllerOf(owner) : undefined;
    const above = parent ? scaleOf(namespace, parent.kind ?? '', parent.name ?? '', parent.uid ?? '') : undefined;
    return above ?? { uid, replicas: owner.spec?.replicas ?? 1 };
  }

  function withAllowed(budget: PodDisruptionBudget, [status, reason, message]: readonly [string, string, string]): Condition[] {
    const known = budget.status?.conditions ?? [];
    const old = known.find((one) => one.type === 'DisruptionAllowed');
    const next: Condition = {
      type: 'DisruptionAllowed',
      status,
      reason,
      message,
      observedGeneration: budget.metadata?.generation ?? 0,
      lastTransitionTime: old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : timeOf(kernel.now()),
    };
    return old ? known.map((one) => (one === old ? next : one)) : [...known, next];
  }

  function failSafe(budget: PodDisruptionBudget, error: Error): void {
    const status = { ...budget.status, disruptionsAllowed: 0, conditions: withAllowed(budget, ['False', 'SyncFailed', error.message]) };
    if (!equal(status, budget.status)) write(budget, status);
  }

  function write(budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus): void {
    client
      .resource<PodDisruptionBudget>(BUDGET.resource)
      .updateStatus({ ...clone(budget), status }, { cause: cause(ACTOR, 'disruption/status', refOf(budget, BUDGET.resource)) });
  }

  /** A Pod marked as a disruption's target that is still there after two minutes is no target any more. */
  function clearStale(key: string): void {
    const pod = pods.get(...splitKey(key));
    const condition = pod ? podCondition(pod, 'DisruptionTarget') : undefined;
    if (!pod || isDeleting(pod) || isPodFinished(pod) || condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return;
    const leftMs = msOf(condition.lastTransitionTime) + STALE_CONDITION_MS - kernel.now();
    if (leftMs > 0) stale.queue.addAfter(key, leftMs);
    else patchPodCondition(client, pod, { type: 'DisruptionTarget', status: 'False' }, kernel.now(), cause(ACTOR, 'disruption/stale', refOf(pod, 'v1/pods')));
  }

  controller.watch<PodDisruptionBudget>(BUDGET.resource, ({ type, object }) => {
    if (type !== 'DELETED') controller.queue.add(keyOf(object));
  });
  controller.watch<Pod>('v1/pods', ({ type, object: pod, old }) => {
    if (podCondition(pod, 'DisruptionTarget')?.status === 'True' && type !== 'DELETED') stale.queue.add(keyOf(pod));
    const changed = !old || isPodReady(old) !== isPodReady(pod) || isDeleting(old) !== isDeleting(pod) || !equal(labelsOf(old), labelsOf(pod));
    if (!changed && type === 'MODIFIED') return;
    for (const budget of budgets.list(namespaceOf(pod))) {
      const matches = selectorMatcher(budget.spec?.selector);
      if (matches(labelsOf(pod)) || (old && matches(labelsOf(old)))) controller.queue.add(keyOf(budget));
    }
  });
  for (const resource of Object.values(SCALED)) {
    controller.watch<ApiObject>(resource, ({ type, object, old }) => {
      const replicas = (one: ApiObject | undefined): number | undefined => (one as ReplicaSet | undefined)?.spec?.replicas;
      if (type === 'MODIFIED' && replicas(object) !== replicas(old))
        for (const budget of budgets.list(namespaceOf(object))) controller.queue.add(keyOf(budget));
    });
  }
  return controller;
}
