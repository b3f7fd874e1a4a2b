import type { ApiObject } from '../../client/types.ts';
import type { HttpRequest } from '../../transport.ts';
import { equalJson } from '../json-equal.ts';
import type { UserInfo } from '../request-context.ts';
import type { ResourceInfo } from '../resources.ts';
import { newBadRequest } from '../status-error.ts';

/** One request for a resource, after routing. */
export interface ResourceRequest {
  http: HttpRequest;
  query: URLSearchParams;
  info: ResourceInfo;
  namespace: string;
  name: string;
  subresource: string;
  user: UserInfo;
  warnings: string[];
  /** The old `/watch/` paths. */
  watchPath: boolean;
}

/** The object must be the one the URL names. */
export function checkIdentity({ info, namespace, name }: Pick<ResourceRequest, 'info' | 'namespace' | 'name'>, object: ApiObject): void {
  const { metadata = {} } = object;
  if (info.namespaced && metadata.namespace && metadata.namespace !== namespace) {
    throw newBadRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (!metadata.name) throw newBadRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (metadata.name !== name) throw newBadRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
}

/** Owner references that come twice are kept once, with a warning (`dedupOwnerReferencesAndAddWarning`). */
export function dedupeOwners(object: ApiObject, warnings: string[]): void {
  const owners = object.metadata?.ownerReferences;
  if (!owners || owners.length < 2) return;
  const kept: typeof owners = [];
  const duplicates: string[] = [];
  for (const owner of owners) {
    if (kept.some((known) => equalJson(known, owner))) duplicates.push(owner.uid ?? '');
    else kept.push(owner);
  }
  if (duplicates.length === 0 || !object.metadata) return;
  object.metadata.ownerReferences = kept;
  warnings.push(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${duplicates.join(', ')}`,
  );
}
