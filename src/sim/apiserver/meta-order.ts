import type { ObjectMeta } from '../kinds/types.ts';

const META_ORDER: readonly (keyof ObjectMeta)[] = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

/** The order Go writes metadata in. */
export function orderMeta(metadata: ObjectMeta): ObjectMeta {
  const out: Record<string, unknown> = {};
  for (const key of META_ORDER) {
    if (metadata[key] !== undefined) out[key] = metadata[key];
    // Reserves the place of what the store sets.
    else if (key === 'resourceVersion') out[key] = undefined;
  }
  return out as ObjectMeta;
}
