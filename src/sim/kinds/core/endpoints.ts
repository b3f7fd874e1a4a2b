import { plain, row, withMore } from '../lifecycle.ts';
import { ipFamily } from '../meta/names.ts';
import type { KindStrategy } from '../strategy.ts';
import type { Endpoints } from '../types.ts';

/** As Go's `net.JoinHostPort`. */
const hostPort = (ip: string, port: number): string => (ipFamily(ip) === 'IPv6' ? `[${ip}]:${port}` : `${ip}:${port}`);

/** The ENDPOINTS column: three addresses, then how many more. */
export function formatEndpoints({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return '<none>';
  const list = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0 ? addresses.map(({ ip = '' }) => ip) : ports.flatMap(({ port = 0 }) => addresses.map(({ ip = '' }) => hostPort(ip, port))),
  );
  return withMore(list);
}

export const endpointsStrategy: KindStrategy<Endpoints> = {
  resource: 'v1/endpoints',
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  applyDefaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP';
  },
  ...plain,
  tableRow: row((endpoints) => [formatEndpoints(endpoints)]),
};
