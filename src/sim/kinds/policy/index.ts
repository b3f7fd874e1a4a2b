import { row, withGeneration } from '../lifecycle.ts';
import type { KindStrategy } from '../strategy.ts';
import type { PodDisruptionBudget } from '../types.ts';

export const podDisruptionBudgetStrategy: KindStrategy<PodDisruptionBudget> = {
  resource: 'policy/v1/poddisruptionbudgets',
  ...withGeneration<PodDisruptionBudget>(() => ({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 })),
  tableRow: row(({ spec, status }) => [String(spec?.minAvailable ?? 'N/A'), String(spec?.maxUnavailable ?? 'N/A'), status?.disruptionsAllowed ?? 0]),
};
