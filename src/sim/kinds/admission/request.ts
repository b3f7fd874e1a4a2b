import { newForbidden, type StatusCause, type StatusError } from '../../apiserver/status-error.ts';
import type { AdmissionRequest } from '../strategy.ts';

/** As `admission.NewForbidden`: the object by its name, or by what its name will begin with. */
export function refuse(request: AdmissionRequest, why: string, causes?: StatusCause[]): StatusError {
  const meta = request.object?.metadata ?? request.old?.metadata;
  return newForbidden(groupResource(request.resource), request.name || meta?.name || meta?.generateName || 'Unknown', why, causes);
}

/** "apps/v1/statefulsets" as group and resource. */
export function groupResource(id: string): { group: string; resource: string } {
  const parts = id.split('/');
  return { group: parts.length === 3 ? (parts[0] as string) : '', resource: parts.at(-1) as string };
}
