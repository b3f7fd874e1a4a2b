import type { ApiObject } from '../../client/types.ts';
import type { HttpRequest } from '../../transport.ts';
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
  if (!metadata.name) throw newBadRequest('name must be provided');
  if (metadata.name !== name) throw newBadRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
}
