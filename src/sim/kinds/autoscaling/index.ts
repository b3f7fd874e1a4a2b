import { row, withStatus } from '../lifecycle.ts';
import type { KindStrategy } from '../strategy.ts';
import type { HorizontalPodAutoscaler, HPAScalingRules, MetricSpec, MetricStatus } from '../types.ts';

const policy = (type: string, value: number): { type: string; value: number; periodSeconds: number } => ({ type, value, periodSeconds: 15 });
const scaleUp = (): HPAScalingRules => ({ stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [policy('Pods', 4), policy('Percent', 100)] });
const scaleDown = (): HPAScalingRules => ({ selectPolicy: 'Max', policies: [policy('Percent', 100)] });

interface Target {
  averageUtilization?: number;
  averageValue?: string;
  value?: string;
}

/** One metric as "current/target" (`formatHPAMetrics`). */
function formatMetric(spec: MetricSpec, status: MetricStatus | undefined): string {
  const key = ({ External: 'external', Pods: 'pods', Object: 'object', Resource: 'resource', ContainerResource: 'containerResource' } as const)[
    spec.type ?? ''
  ];
  if (!key) return '<unknown type>';
  const wanted = spec[key] as { name?: string; target?: Target } | undefined;
  const target = wanted?.target ?? {};
  const current = (status?.[key] as { current?: Target } | undefined)?.current;
  if (key === 'resource' || key === 'containerResource') {
    const percent = (value: number | undefined, missing: string): string => (value === undefined ? missing : `${value}%`);
    if (target.averageValue !== undefined) return `${wanted?.name}: ${current?.averageValue ?? '<unknown>'}/${target.averageValue}`;
    return `${wanted?.name}: ${percent(current?.averageUtilization, '<unknown>')}/${percent(target.averageUtilization, '<auto>')}`;
  }
  if (key === 'pods') return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`;
  if (target.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`;
  return `${current?.value ?? '<unknown>'}/${target.value}`;
}

function formatMetrics(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return '<none>';
  const list = specs.map((spec, i) => formatMetric(spec, statuses[i]));
  return list.length > 2 ? `${list.slice(0, 2).join(', ')} + ${list.length - 2} more...` : list.join(', ');
}

export const horizontalPodAutoscalerStrategy: KindStrategy<HorizontalPodAutoscaler> = {
  resource: 'autoscaling/v2/horizontalpodautoscalers',
  applyDefaults(autoscaler) {
    autoscaler.spec ??= {};
    const { spec } = autoscaler;
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length) spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
    if (spec.behavior) {
      spec.behavior.scaleUp = { ...scaleUp(), ...spec.behavior.scaleUp };
      spec.behavior.scaleDown = { ...scaleDown(), ...spec.behavior.scaleDown };
    }
  },
  ...withStatus<HorizontalPodAutoscaler>({ initial: () => ({ desiredReplicas: 0, currentMetrics: null }) }),
  tableRow: row(({ spec = {}, status = {} }) => [
    `${spec.scaleTargetRef?.kind}/${spec.scaleTargetRef?.name}`,
    formatMetrics(spec.metrics ?? [], status.currentMetrics ?? []),
    spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
    spec.maxReplicas ?? 0,
    status.currentReplicas ?? 0,
  ]),
};
