import type { ApiObject } from '../client/types.ts';
import { validateEphemeralContainersUpdate, validatePodResize } from '../kinds/pod/validate-parts.ts';
import type { FieldError } from '../kinds/strategy.ts';
import { newInvalid } from './status-error.ts';

type Loose = ApiObject & { spec?: Record<string, unknown> };

/** `pods/ephemeralcontainers` and `pods/resize`: the one part of the spec that each may change; the rest is as it was. */
export function changePodPart(existing: ApiObject, object: ApiObject, subresource: 'ephemeralcontainers' | 'resize'): ApiObject {
  const old = (existing as Loose).spec ?? {};
  const given = (object as Loose).spec ?? {};
  const metadata = { ...existing.metadata, resourceVersion: object.metadata?.resourceVersion, managedFields: object.metadata?.managedFields };
  if (subresource === 'ephemeralcontainers') {
    const changed = { ...existing, metadata, spec: { ...structuredClone(old), ephemeralContainers: given.ephemeralContainers } } as ApiObject;
    return valid(changed, validateEphemeralContainersUpdate(changed, existing));
  }
  const resources = new Map(
    (given.containers as { name?: string; resources?: unknown }[] | undefined)?.map((container) => [container.name, container.resources]),
  );
  const containers = ((old.containers as { name?: string; resources?: unknown }[] | undefined) ?? []).map((container) => ({
    ...container,
    resources: resources.get(container.name) ?? container.resources,
  }));
  const changed = { ...existing, metadata, spec: structuredClone({ ...old, containers }) } as ApiObject;
  return valid(changed, validatePodResize(changed, existing));
}

function valid(pod: ApiObject, errors: readonly FieldError[]): ApiObject {
  if (errors.length > 0) throw newInvalid({ group: '', resource: 'Pod' }, pod.metadata?.name ?? '', errors);
  return pod;
}
