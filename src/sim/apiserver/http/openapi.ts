import type { HttpResponse } from '../../transport.ts';
import type { ResourceRegistry } from '../resources.ts';

/** `/openapi/…`; undefined for unknown paths. */
export function openApiResponse(_registry: ResourceRegistry, _path: string, _accept: string | undefined): HttpResponse | undefined {
  return undefined;
}
