import type { Client } from '../../sim/client/types.ts';
import { isDeleting, nameOf, namespaceOf } from '../../sim/controllers/object.ts';
import { isPodFinished, isPodReady } from '../../sim/controllers/pods.ts';
import type { Pod, Service } from '../../sim/kinds/types.ts';
import { obstacle, refOf } from './obstacles.ts';
import { podObstacles, readiness } from './pods.ts';
import type { Obstacle } from './types.ts';

export function selectedPods(client: Client, service: Service): Pod[] {
  const selector = Object.entries(service.spec?.selector ?? {});
  if (selector.length === 0) return [];
  return client
    .resource<Pod>('v1/pods')
    .list(namespaceOf(service))
    .filter((pod) => !isPodFinished(pod) && selector.every(([key, value]) => pod.metadata?.labels?.[key] === value));
}

/** Why nothing answers behind a Service. */
export function serviceObstacles(client: Client, service: Service): Obstacle[] {
  if (service.spec?.type === 'ExternalName') return [];
  const detail = { service: nameOf(service), selector: selectorText(service) };
  if (detail.selector === '') return [obstacle('not/service-no-selector', detail, 'spec.selector: <none>')];
  const pods = selectedPods(client, service);
  if (pods.length === 0) return [obstacle('not/service-selects-nothing', detail, `kubectl get pods -l ${detail.selector}`)];
  if (pods.some((pod) => isPodReady(pod) && !isDeleting(pod)) || service.spec?.publishNotReadyAddresses) return [];
  const first = pods[0] as Pod;
  return [obstacle('not/service-nothing-ready', detail, pods.map(readiness).join('; '), refOf('v1/pods', first)), ...podObstacles(client, first)];
}

function selectorText(service: Service): string {
  return Object.entries(service.spec?.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
