import type { ApiObject } from '../client/types.ts';
import type { ObjectMeta } from '../kinds/types.ts';
import { cloneJson, convert } from './decode.ts';
import type { ResourceInfo } from './resources.ts';

/** An object on its way into the store. */
export type Mutable = ApiObject & { metadata: ObjectMeta; spec?: Record<string, unknown>; status?: Record<string, unknown> };

/** A copy whose top level and metadata may be changed. */
export function thaw(object: ApiObject): Mutable {
  return { ...object, metadata: { ...object.metadata } } as Mutable;
}

/** Writing `status` leaves everything else (but metadata) as it was. */
export function keepSpec(object: Mutable, existing: Mutable): Mutable {
  const { status: _status, ...rest } = existing as Mutable & Record<string, unknown>;
  const out = rest as Mutable;
  out.metadata = object.metadata;
  if (object.status !== undefined) out.status = object.status;
  return out;
}

/** An update through the main door leaves the status alone. */
export function keepStatus(object: Mutable, existing: Mutable): void {
  if (existing.status === undefined) delete object.status;
  else object.status = cloneJson(existing.status);
}

/** A new object starts with an empty status. */
export function resetStatus(info: ResourceInfo, object: Mutable): void {
  delete object.status;
  const fresh = convert(info.node, {}, { strict: [], checkTypes: false });
  if (fresh.status !== undefined) object.status = fresh.status as Record<string, unknown>;
}

/**
 * A copy in the normal form of its kind, for writers that make no mistakes of type. Managers and owners that come from the store
 * are normal already and shared: unpacking and comparing them again would be half of a small object's work.
 */
export function normalCopy(info: ResourceInfo, object: ApiObject): Mutable {
  const { managedFields, ownerReferences } = object.metadata ?? {};
  const managers = managedFields !== undefined && Object.isFrozen(managedFields);
  const owners = ownerReferences !== undefined && Object.isFrozen(ownerReferences);
  let given = object;
  if (managers || owners) {
    const metadata = { ...object.metadata };
    if (managers) metadata.managedFields = undefined;
    if (owners) metadata.ownerReferences = undefined;
    given = { ...object, metadata };
  }
  const out = convert(info.node, given, { strict: [], checkTypes: false }) as unknown as Mutable;
  if (managers) out.metadata.managedFields = managedFields;
  if (owners) out.metadata.ownerReferences = ownerReferences;
  return out;
}
