import { plain, row, setGeneration } from '../lifecycle.ts';
import type { KindStrategy } from '../strategy.ts';
import type { PriorityClass, RuntimeClass } from '../types.ts';

export const priorityClassStrategy: KindStrategy<PriorityClass> = {
  resource: 'scheduling.k8s.io/v1/priorityclasses',
  applyDefaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  prepareForCreate(priorityClass) {
    setGeneration(priorityClass, 1);
  },
  prepareForUpdate: plain.prepareForUpdate,
  tableRow: (priorityClass, context) => [
    ...row<PriorityClass>(({ value = 0, globalDefault = false }) => [value, globalDefault])(priorityClass, context),
    priorityClass.preemptionPolicy ?? '',
  ],
};

export const runtimeClassStrategy: KindStrategy<RuntimeClass> = {
  resource: 'node.k8s.io/v1/runtimeclasses',
  ...plain,
  tableRow: row(({ handler = '' }) => [handler]),
};
