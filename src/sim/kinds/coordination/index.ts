import { plain, row } from '../lifecycle.ts';
import type { KindStrategy } from '../strategy.ts';
import type { Lease } from '../types.ts';

export const leaseStrategy: KindStrategy<Lease> = {
  resource: 'coordination.k8s.io/v1/leases',
  ...plain,
  tableRow: row(({ spec }) => [spec?.holderIdentity ?? '']),
};
