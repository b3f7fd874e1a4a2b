import type { Disposable } from '../../../kernel/index.ts';
import type { ApiObject } from '../../client/types.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, LabelSelector, MetricStatus, Pod, Scale } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { selectorMatcher } from '../labels.ts';
import { cause, clone, equal, keyOf, labelsOf, namespaceOf, refOf, regarding, splitKey, timeOf } from '../object.ts';
import { podInformer } from '../pods.ts';
import { MetricError, type Proposal, propose } from './metrics.ts';
import { limitPlainly, ScaleHistory } from './scaling.ts';

const ACTOR = 'horizontal-pod-autoscaler';
const SYNC_MS = 15_000;
const HPA = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', resource: 'autoscaling/v2/horizontalpodautoscalers' };
const TARGETS: Readonly<Record<string, string>> = {
  'apps/Deployment': 'apps/v1/deployments',
  'apps/ReplicaSet': 'apps/v1/replicasets',
  'apps/StatefulSet': 'apps/v1/statefulsets',
  '/ReplicationController': 'v1/replicationcontrollers',
};

interface WithSelector extends ApiObject {
  spec?: { selector?: LabelSelector | Record<string, string> };
}

/** The autoscaler (pkg/controller/podautoscaler/horizontal.go of v1.36): looks at each HPA every 15 seconds. */
export function startHorizontalAutoscaler(context: ControllerContext): Disposable {
  const { client, kernel } = context;
  const autoscalers = client.informer<HorizontalPodAutoscaler>(HPA.resource);
  const pods = podInformer(client);
  const histories = new Map<string, ScaleHistory>();
  const waiting = new Set<string>();
  const controller = new Controller(context, { name: ACTOR, sync });

  function plan(key: string): void {
    if (waiting.has(key)) return;
    waiting.add(key);
    controller.queue.addAfter(key, SYNC_MS);
  }

  function sync(key: string): void {
    waiting.delete(key);
    const hpa = autoscalers.get(...splitKey(key));
    if (!hpa) {
      histories.delete(key);
      return;
    }
    const history = histories.get(key) ?? new ScaleHistory();
    histories.set(key, history);
    reconcile(clone(hpa), history);
    plan(key);
  }

  function reconcile(hpa: HorizontalPodAutoscaler, history: ScaleHistory): void {
    const before = clone(hpa.status ?? {});
    hpa.status ??= {};
    const because = (rule: string) => ({ cause: cause(ACTOR, rule, refOf(hpa, HPA.resource)) });
    const event = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
      client.event({ regarding: regarding(hpa, HPA), type, reason, message, component: ACTOR, ...because('hpa/event') });
    const condition = (type: string, status: string, reason: string, message: string): void =>
      setCondition(hpa.status as HorizontalPodAutoscalerStatus, type, status, reason, message, timeOf(kernel.now()));
    const setStatus = (current: number, desired: number, metrics: MetricStatus[], rescaled: boolean): void => {
      const { conditions, lastScaleTime } = hpa.status ?? {};
      const status: HorizontalPodAutoscalerStatus = {
        currentReplicas: current,
        desiredReplicas: desired,
        currentMetrics: metrics,
        conditions: conditions ?? [],
      };
      if (rescaled) status.lastScaleTime = timeOf(kernel.now());
      else if (lastScaleTime !== undefined) status.lastScaleTime = lastScaleTime;
      if (metrics.length === 0) delete status.currentMetrics;
      hpa.status = status;
      if (!equal(before, status)) client.resource<HorizontalPodAutoscaler>(HPA.resource).updateStatus(hpa, because('hpa/status'));
    };

    const target = scaleOf(hpa);
    if (typeof target === 'string') {
      event('Warning', 'FailedGetScale', target);
      condition('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${target}`);
      if (!equal(before, hpa.status)) client.resource<HorizontalPodAutoscaler>(HPA.resource).updateStatus(hpa, because('hpa/status'));
      return;
    }
    condition('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
    const current = target.scale.spec?.replicas ?? 0;
    history.recordInitial(current, kernel.now());
    const min = hpa.spec?.minReplicas ?? 1;
    const max = hpa.spec?.maxReplicas ?? 1;
    let desired = 0;
    let reason = '';
    let metrics: MetricStatus[] = [];
    if (current === 0 && min !== 0) {
      condition('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero');
      setStatus(current, current, metrics, false);
      return;
    }
    if (current > max) {
      reason = 'Current number of replicas above Spec.MaxReplicas';
      desired = max;
    } else if (current < min) {
      reason = 'Current number of replicas below Spec.MinReplicas';
      desired = min;
    } else {
      const found = proposals(hpa, current, target.pods());
      metrics = found.metrics;
      const { best, failure, failures } = found;
      if (failure && (failures === hpa.spec?.metrics?.length || !best || best.replicas < current)) {
        condition('ScalingActive', 'False', failure.reason, failure.condition);
        setStatus(current, hpa.status?.desiredReplicas ?? 0, metrics, false);
        const message = `invalid metrics (${failures} invalid out of ${hpa.spec?.metrics?.length ?? 0}), first error is: ${failure.message}`;
        event('Warning', failure.reason, failure.condition.replace('the HPA was unable to compute the replica count: ', ''));
        event('Warning', 'FailedComputeMetricsReplicas', message);
        return;
      }
      condition('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${best?.metric ?? ''}`);
      desired = best?.replicas ?? 0;
      if (desired > current) reason = `${best?.metric ?? ''} above target`;
      if (desired < current) reason = 'All metrics below target';
      desired = normalize(hpa, history, current, desired, min, max, condition);
    }
    const rescale = desired !== current;
    if (rescale) {
      try {
        client.resource<Scale>(`${target.resource}/scale`).update({ ...target.scale, spec: { ...target.scale.spec, replicas: desired } }, because('hpa/scale'));
      } catch (error) {
        event('Warning', 'FailedRescale', `New size: ${desired}; reason: ${reason}; error: ${(error as Error).message}`);
        condition('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${(error as Error).message}`);
        setStatus(current, hpa.status?.desiredReplicas ?? 0, metrics, false);
        return;
      }
      condition('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${desired}`);
      event('Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason}`);
      history.recordScale(current, desired, kernel.now());
    }
    setStatus(current, desired, metrics, rescale);
  }

  function proposals(
    hpa: HorizontalPodAutoscaler,
    current: number,
    members: readonly Pod[],
  ): { best?: Proposal; failure?: MetricError; failures: number; metrics: MetricStatus[] } {
    let best: Proposal | undefined;
    let failure: MetricError | undefined;
    let failures = 0;
    const metrics: MetricStatus[] = [];
    for (const spec of hpa.spec?.metrics ?? []) {
      try {
        const one = propose(hpa, spec, current, members, kernel.now());
        metrics.push(one.status);
        if (!best || one.replicas > best.replicas) best = one;
      } catch (error) {
        if (!(error instanceof MetricError)) throw error;
        failure ??= error;
        failures++;
        // Upstream leaves an empty entry for a metric that failed.
        metrics.push({ type: '' });
      }
    }
    return { ...(best ? { best } : {}), ...(failure ? { failure } : {}), failures, metrics };
  }

  function normalize(
    hpa: HorizontalPodAutoscaler,
    history: ScaleHistory,
    current: number,
    desired: number,
    min: number,
    max: number,
    condition: (type: string, status: string, reason: string, message: string) => void,
  ): number {
    const nowMs = kernel.now();
    const behavior = hpa.spec?.behavior;
    const stable = behavior ? history.stabilizeWith(behavior, current, desired, nowMs) : history.stabilize(desired, nowMs);
    const up = behavior !== undefined && desired >= current;
    if (stable === desired) condition('AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size');
    else if (up)
      condition('AbleToScale', 'True', 'ScaleUpStabilized', 'recent recommendations were lower than current one, applying the lowest recent recommendation');
    else
      condition(
        'AbleToScale',
        'True',
        'ScaleDownStabilized',
        'recent recommendations were higher than current one, applying the highest recent recommendation',
      );
    const limited = behavior ? history.limitWith(behavior, current, stable, min, max, nowMs) : limitPlainly(current, stable, min, max);
    condition('ScalingLimited', limited.replicas === stable ? 'False' : 'True', limited.reason, limited.message);
    return limited.replicas;
  }

  /** The target's scale and its Pods, or why it cannot be had. */
  function scaleOf(hpa: HorizontalPodAutoscaler): { resource: string; scale: Scale; pods: () => Pod[] } | string {
    const { apiVersion = '', kind = '', name = '' } = hpa.spec?.scaleTargetRef ?? {};
    const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
    const resource = TARGETS[`${group}/${kind}`];
    if (!resource) return `no matches for kind "${kind}" in group "${group}"`;
    const namespace = namespaceOf(hpa);
    const object = client.resource<WithSelector>(resource).get(namespace, name);
    const scale = object && client.resource<Scale>(`${resource}/scale`).get(namespace, name);
    if (!object || !scale) return `${resource.split('/').at(-1) ?? ''}${group ? `.${group}` : ''} "${name}" not found`;
    const selector = object.spec?.selector;
    const matches = selectorMatcher(resource.startsWith('apps/') ? (selector as LabelSelector) : { matchLabels: selector as Record<string, string> });
    return { resource, scale, pods: () => pods.list(namespace).filter((pod) => matches(labelsOf(pod))) };
  }

  controller.watch<HorizontalPodAutoscaler>(HPA.resource, ({ type, object }) => {
    if (type !== 'DELETED') plan(keyOf(object));
    else histories.delete(keyOf(object));
  });
  return controller;
}

function setCondition(status: HorizontalPodAutoscalerStatus, type: string, value: string, reason: string, message: string, now: string): void {
  const known = status.conditions?.find((one) => one.type === type);
  const lastTransitionTime = known && known.status === value ? known.lastTransitionTime : now;
  const next = { type, status: value, reason, message, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) };
  status.conditions = known ? (status.conditions ?? []).map((one) => (one === known ? next : one)) : [...(status.conditions ?? []), next];
}
