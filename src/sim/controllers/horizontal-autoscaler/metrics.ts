import { podResources } from '../../kinds/pod/resources.ts';
import { formatQuantity, parseQuantity, quantityMilliValue } from '../../kinds/quantity.ts';
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, Pod } from '../../kinds/types.ts';
import { annotationsOf, isDeleting, msOf, nameOf } from '../object.ts';
import { podCondition } from '../pods.ts';

const CPU_INITIALISATION_MS = 300_000;
const INITIAL_READINESS_MS = 30_000;
const TOLERANCE = 0.1;
/** A Pod declares its load here: what a metrics server would measure. */
const LOAD = 'chartroom/load.';
const NO_METRICS_API = 'unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';

/** What a metric asks for. */
export interface Proposal {
  replicas: number;
  /** As events and conditions name the metric. */
  metric: string;
  status: MetricStatus;
}

/** A metric that could not be used: the reason of its condition and the two texts upstream builds around the error. */
export class MetricError extends Error {
  readonly reason: string;
  readonly condition: string;

  constructor(reason: string, cause: string, around: string) {
    super(`${around}: ${cause}`);
    this.reason = reason;
    this.condition = `the HPA was unable to compute the replica count: ${cause}`;
  }
}

/** The replicas one metric wants (computeReplicasForMetric with replica_calculator.go of v1.36); throws MetricError. */
export function propose(hpa: HorizontalPodAutoscaler, spec: MetricSpec, current: number, pods: readonly Pod[], nowMs: number): Proposal {
  if (spec.type !== 'Resource' || !spec.resource) {
    const kind = spec.type ?? '';
    const cause = `unable to get ${kind.toLowerCase()} metric: unable to fetch metrics from custom metrics API: no known available metric versions found`;
    throw new MetricError(`FailedGet${kind}Metric`, cause, `failed to get ${kind.toLowerCase()} metric value`);
  }
  const { name = '', target } = spec.resource;
  const fail = (cause: string): MetricError => new MetricError('FailedGetResourceMetric', cause, `failed to get ${name} resource metric value`);
  try {
    if (target?.averageValue !== undefined) {
      const wanted = quantityMilliValue(target.averageValue);
      const { replicas, average } = calculate(
        hpa,
        name,
        current,
        pods,
        nowMs,
        (usage) => [mean(usage) / wanted, 0],
        () => wanted,
      );
      return { replicas, metric: `${name} resource`, status: { type: 'Resource', resource: { name, current: { averageValue: amount(name, average) } } } };
    }
    const utilization = target?.averageUtilization;
    if (utilization === undefined)
      throw fail('invalid resource metric source: neither an average utilization target nor an average value (usage) target was set');
    const requests = requestsOf(pods, name);
    const ratio = (usage: ReadonlyMap<string, number>): [number, number] => {
      let used = 0;
      let requested = 0;
      for (const [pod, value] of usage) {
        used += value;
        requested += requests.get(pod) ?? 0;
      }
      if (requested === 0) throw new Error('no metrics returned matched known pods');
      const percent = Math.trunc((used * 100) / requested);
      return [percent / utilization, percent];
    };
    const found = calculate(hpa, name, current, pods, nowMs, ratio, (pod) => ((requests.get(pod) ?? 0) * Math.max(100, utilization)) / 100);
    return {
      replicas: found.replicas,
      metric: `${name} resource utilization (percentage of request)`,
      status: { type: 'Resource', resource: { name, current: { averageUtilization: found.percent, averageValue: amount(name, found.average) } } },
    };
  } catch (error) {
    if (error instanceof MetricError) throw error;
    throw fail(`failed to get ${name} ${target?.averageValue !== undefined ? 'usage' : 'utilization'}: ${(error as Error).message}`);
  }
}

type Ratio = (usage: ReadonlyMap<string, number>) => [ratio: number, percent: number];

function calculate(
  hpa: HorizontalPodAutoscaler,
  resource: string,
  current: number,
  pods: readonly Pod[],
  nowMs: number,
  ratioOf: Ratio,
  fallback: (pod: string) => number,
): { replicas: number; percent: number; average: number } {
  const usage = loads(pods, resource);
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count');
  const { ready, unready, missing } = groupPods(pods, usage, resource, nowMs);
  if (usage.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)');
  const [ratio, percent] = ratioOf(usage);
  const average = Math.trunc(mean(usage));
  const stay = { replicas: current, percent, average };
  const isSmall = (value: number): boolean => {
    const { scaleUp, scaleDown } = hpa.spec?.behavior ?? {};
    const up = scaleUp?.tolerance === undefined ? TOLERANCE : quantityMilliValue(scaleUp.tolerance) / 1000;
    const down = scaleDown?.tolerance === undefined ? TOLERANCE : quantityMilliValue(scaleDown.tolerance) / 1000;
    return value >= 1 - down && value <= 1 + up;
  };
  const upWithUnready = unready.length > 0 && ratio > 1;
  if (!upWithUnready && missing.length === 0) return isSmall(ratio) ? stay : { ...stay, replicas: Math.ceil(ratio * ready) };
  if (ratio < 1) for (const pod of missing) usage.set(pod, fallback(pod));
  else if (ratio > 1) for (const pod of missing) usage.set(pod, 0);
  if (upWithUnready) for (const pod of unready) usage.set(pod, 0);
  const [again] = ratioOf(usage);
  if (isSmall(again) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return stay;
  const replicas = Math.ceil(again * usage.size);
  if ((again < 1 && replicas > current) || (again > 1 && replicas < current)) return stay;
  return { ...stay, replicas };
}

/** groupPods; usage keeps only the Pods that count. */
function groupPods(pods: readonly Pod[], usage: Map<string, number>, resource: string, nowMs: number): { ready: number; unready: string[]; missing: string[] } {
  const unready: string[] = [];
  const missing: string[] = [];
  let ready = 0;
  for (const pod of pods) {
    const name = nameOf(pod);
    if (isDeleting(pod) || pod.status?.phase === 'Failed') usage.delete(name);
    else if (pod.status?.phase === 'Pending' || (usage.has(name) && resource === 'cpu' && isUnready(pod, nowMs))) {
      unready.push(name);
      usage.delete(name);
    } else if (!usage.has(name)) missing.push(name);
    else ready++;
  }
  return { ready, unready, missing };
}

function isUnready(pod: Pod, nowMs: number): boolean {
  const condition = podCondition(pod, 'Ready');
  if (!condition || !pod.status?.startTime) return true;
  const startMs = msOf(pod.status.startTime);
  const sinceMs = msOf(condition.lastTransitionTime);
  // A metrics server measures over half a minute.
  if (startMs + CPU_INITIALISATION_MS > nowMs) return condition.status === 'False' || nowMs < sinceMs + 30_000;
  return condition.status === 'False' && startMs + INITIAL_READINESS_MS > sinceMs;
}

function loads(pods: readonly Pod[], resource: string): Map<string, number> {
  const usage = new Map<string, number>();
  for (const pod of pods) {
    const declared = annotationsOf(pod)[LOAD + resource];
    if (declared !== undefined && pod.status?.phase === 'Running') usage.set(nameOf(pod), quantityMilliValue(declared));
  }
  if (usage.size === 0) throw new Error(`unable to get metrics for resource ${resource}: ${NO_METRICS_API}`);
  return usage;
}

function requestsOf(pods: readonly Pod[], resource: string): Map<string, number> {
  const out = new Map<string, number>();
  for (const pod of pods) {
    const without = pod.spec?.containers?.find((container) => container.resources?.requests?.[resource] === undefined);
    if (without && pod.spec?.resources?.requests?.[resource] === undefined)
      throw new Error(`missing request for ${resource} in container ${without.name ?? ''} of Pod ${nameOf(pod)}`);
    out.set(nameOf(pod), quantityMilliValue(podResources(pod, 'requests')[resource]));
  }
  return out;
}

function mean(usage: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const value of usage.values()) sum += value;
  return sum / usage.size;
}

function amount(resource: string, milli: number): string {
  return resource === 'memory'
    ? formatQuantity({ ...parseQuantity(`${Math.trunc(milli)}m`), format: 'BinarySI' })
    : formatQuantity(parseQuantity(`${Math.trunc(milli)}m`));
}
