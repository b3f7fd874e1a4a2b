import type { ApiObject } from '../client/types.ts';

/** A second API version of a resource that is stored as another one. */
export interface ResourceAlias {
  /** Id of the stored resource. */
  stored: string;
  toStored(object: ApiObject): ApiObject;
  toWire(object: ApiObject): ApiObject;
}

type Json = Record<string, unknown>;

/** Moves fields by name; the rest stays. */
function renamed(object: Json, names: Readonly<Record<string, string>>): Json {
  const out: Json = {};
  for (const key of Object.keys(object)) if (object[key] !== undefined) out[names[key] ?? key] = object[key];
  return out;
}

const EVENT_NAMES: Readonly<Record<string, string>> = {
  involvedObject: 'regarding',
  message: 'note',
  reportingComponent: 'reportingController',
  source: 'deprecatedSource',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
};
const CORE_EVENT_NAMES = Object.fromEntries(Object.entries(EVENT_NAMES).map(([core, own]) => [own, core]));

const events: ResourceAlias = {
  stored: 'v1/events',
  toStored: (object) => ({ ...renamed(object as Json, CORE_EVENT_NAMES), apiVersion: 'v1' }) as ApiObject,
  toWire: (object) => ({ ...renamed(object as Json, EVENT_NAMES), apiVersion: 'events.k8s.io/v1' }) as ApiObject,
};

interface CpuMetric {
  type?: string;
  resource?: { name?: string; target?: { type?: string; averageUtilization?: number }; current?: { averageUtilization?: number } };
}

const isCpu = (metric: CpuMetric): boolean => metric.type === 'Resource' && metric.resource?.name === 'cpu';

/** autoscaling/v1 knows one metric, CPU utilization; others travel in an annotation (models `pkg/apis/autoscaling/v1/conversion.go`). */
const METRICS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/metrics';

const autoscalers: ResourceAlias = {
  stored: 'autoscaling/v2/horizontalpodautoscalers',
  toStored(object) {
    const { targetCPUUtilizationPercentage, ...spec } = ((object as Json).spec ?? {}) as Json;
    const { currentCPUUtilizationPercentage: _current, ...status } = ((object as Json).status ?? {}) as Json;
    const { [METRICS_ANNOTATION]: others, ...annotations } = object.metadata?.annotations ?? {};
    const metrics: unknown[] = others ? (JSON.parse(others) as unknown[]) : [];
    if (targetCPUUtilizationPercentage !== undefined) {
      metrics.unshift({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: targetCPUUtilizationPercentage } } });
    }
    return {
      ...object,
      apiVersion: 'autoscaling/v2',
      metadata: { ...object.metadata, ...(object.metadata?.annotations ? { annotations } : {}) },
      spec: { ...spec, ...(metrics.length > 0 ? { metrics } : {}) },
      status,
    } as ApiObject;
  },
  toWire(object) {
    const { metrics, behavior: _behavior, ...spec } = ((object as Json).spec ?? {}) as Json & { metrics?: CpuMetric[] };
    const { currentMetrics, conditions: _conditions, ...status } = ((object as Json).status ?? {}) as Json & { currentMetrics?: CpuMetric[] };
    const cpu = metrics?.find(isCpu)?.resource?.target?.averageUtilization;
    const current = currentMetrics?.find(isCpu)?.resource?.current?.averageUtilization;
    const others = metrics?.filter((metric) => !isCpu(metric)) ?? [];
    return {
      ...object,
      apiVersion: 'autoscaling/v1',
      metadata:
        others.length > 0
          ? { ...object.metadata, annotations: { ...object.metadata?.annotations, [METRICS_ANNOTATION]: JSON.stringify(others) } }
          : object.metadata,
      spec: { ...spec, ...(cpu === undefined ? {} : { targetCPUUtilizationPercentage: cpu }) },
      status: { currentReplicas: 0, ...status, ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }) },
    } as ApiObject;
  },
};

export const ALIASES: Readonly<Record<string, ResourceAlias>> = {
  'events.k8s.io/v1/events': events,
  'autoscaling/v1/horizontalpodautoscalers': autoscalers,
};
