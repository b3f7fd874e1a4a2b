import { age, createdAtRow, nameOf, plain, row, withGeneration, withStatus, workloadCells } from '../lifecycle.ts';
import { defaultPodTemplate, roundResources } from '../pod/defaults.ts';
import { formatLabels, formatSelector, selectorFromMap } from '../selector.ts';
import type { KindStrategy } from '../strategy.ts';
import type { LimitRange, ReplicationController, ResourceQuota } from '../types.ts';

export const resourceQuotaStrategy: KindStrategy<ResourceQuota> = {
  resource: 'v1/resourcequotas',
  applyDefaults: ({ spec }) => roundResources(spec?.hard),
  ...withStatus(),
  tableRow: row(({ status }) => {
    const columns: Record<'request' | 'limit', string[]> = { request: [], limit: [] };
    for (const [name, hard] of Object.entries(status?.hard ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
      columns[name.startsWith('limits.') ? 'limit' : 'request'].push(`${name}: ${status?.used?.[name] ?? '0'}/${hard}`);
    }
    return [columns.request.join(', '), columns.limit.join(', ')];
  }),
};

export const limitRangeStrategy: KindStrategy<LimitRange> = {
  resource: 'v1/limitranges',
  applyDefaults({ spec }) {
    for (const item of spec?.limits ?? []) {
      roundResources(item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio);
      if (item.type !== 'Container') continue;
      item.default = { ...item.max, ...item.default };
      item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
    }
  },
  ...plain,
  tableRow: createdAtRow,
};

export const replicationControllerStrategy: KindStrategy<ReplicationController> = {
  resource: 'v1/replicationcontrollers',
  applyDefaults(controller) {
    controller.spec ??= {};
    const { spec } = controller;
    defaultPodTemplate(spec.template);
    const labels = spec.template?.metadata?.labels;
    if (labels) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (Object.keys(controller.metadata?.labels ?? {}).length === 0) controller.metadata = { ...controller.metadata, labels: { ...labels } };
    }
    spec.replicas ??= 1;
  },
  ...withGeneration(() => ({ replicas: 0 })),
  selectableFields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  tableRow: (controller, context) => {
    const { spec = {}, status = {} } = controller;
    return [
      nameOf(controller),
      spec.replicas ?? 0,
      status.replicas ?? 0,
      status.readyReplicas ?? 0,
      age(controller, context),
      ...workloadCells(spec.template?.spec?.containers),
      formatLabels(spec.selector),
    ];
  },
  scale: {
    get: ({ spec, status }) => ({ spec: spec?.replicas ?? 0, status: status?.replicas ?? 0, selector: formatSelector(selectorFromMap(spec?.selector)) }),
    set(controller, replicas) {
      controller.spec = { ...controller.spec, replicas };
    },
  },
};
