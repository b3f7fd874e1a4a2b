import { semanticEqual } from '../equal.ts';
import { row, setGeneration, withMore } from '../lifecycle.ts';
import type { KindStrategy } from '../strategy.ts';
import type { EndpointSlice } from '../types.ts';

export const endpointSliceStrategy: KindStrategy<EndpointSlice> = {
  resource: 'discovery.k8s.io/v1/endpointslices',
  applyDefaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  prepareForCreate(slice) {
    setGeneration(slice, 1);
  },
  prepareForUpdate(slice, old) {
    const { generation = 0, labels: oldLabels } = old.metadata ?? {};
    const same = semanticEqual(slice.ports, old.ports) && semanticEqual(slice.endpoints, old.endpoints) && semanticEqual(slice.metadata?.labels, oldLabels);
    setGeneration(slice, same ? generation : generation + 1);
  },
  tableRow: row(({ addressType = '', ports, endpoints }) => [
    addressType,
    withMore((ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? '*') : String(port)))) || '<unset>',
    withMore((endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])) || '<unset>',
  ]),
};
