import type { ApiObject, ResourceId } from '../client/types.ts';

/** An object and the resource it is created through. */
export type Seed = readonly [ResourceId, ApiObject & Record<string, unknown>];

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** As `kubectl apply` leaves it: with the annotation that holds the manifest. */
export function applied(resource: ResourceId, manifest: ApiObject & Record<string, unknown>): Seed {
  const metadata = { annotations: {}, ...manifest.metadata };
  const annotations = { ...manifest.metadata?.annotations, [LAST_APPLIED]: `${JSON.stringify(sorted({ ...manifest, metadata }))}\n` };
  return [resource, { ...manifest, metadata: { ...manifest.metadata, annotations } }];
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}
