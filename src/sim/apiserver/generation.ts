import type { ApiObject } from '../client/types.ts';
import { equalJson } from './json-equal.ts';
import type { ResourceInfo } from './resources.ts';

/** Kinds whose `metadata.generation` counts changes of what the user asked for. */
const COUNTED = new Set(
  (
    'apps/v1/daemonsets apps/v1/deployments apps/v1/replicasets apps/v1/statefulsets v1/replicationcontrollers v1/pods batch/v1/jobs batch/v1/cronjobs ' +
    'networking.k8s.io/v1/networkpolicies networking.k8s.io/v1/ingresses networking.k8s.io/v1/ingressclasses policy/v1/poddisruptionbudgets ' +
    'flowcontrol.apiserver.k8s.io/v1/flowschemas flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations ' +
    'admissionregistration.k8s.io/v1/validatingwebhookconfigurations admissionregistration.k8s.io/v1/mutatingwebhookconfigurations ' +
    'admissionregistration.k8s.io/v1/validatingadmissionpolicies admissionregistration.k8s.io/v1/validatingadmissionpolicybindings ' +
    'admissionregistration.k8s.io/v1/mutatingadmissionpolicies admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings ' +
    'discovery.k8s.io/v1/endpointslices apiextensions.k8s.io/v1/customresourcedefinitions resource.k8s.io/v1/resourceslices resource.k8s.io/v1/deviceclasses'
  ).split(' '),
);

export function countsGeneration(info: ResourceInfo): boolean {
  return COUNTED.has(info.id) || info.custom !== undefined;
}

/** True when something other than metadata and status differs. */
export function desiredStateChanged(object: ApiObject, old: ApiObject): boolean {
  const left = object as Record<string, unknown>;
  const right = old as Record<string, unknown>;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (key === 'metadata' || key === 'status' || key === 'kind' || key === 'apiVersion') continue;
    if (!equalJson(left[key], right[key])) return true;
  }
  return false;
}
