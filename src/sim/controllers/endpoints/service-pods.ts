import type { Client, Informer } from '../../client/types.ts';
import type { Pod, Service, ServicePort } from '../../kinds/types.ts';
import { ensureIndex } from '../controller.ts';
import { mapMatcher } from '../labels.ts';
import { equal, isDeleting, keyOf, labelsOf, msOf, nameOf, namespaceOf } from '../object.ts';
import { isPodFinished, isPodReady, podCondition } from '../pods.ts';

// What the Endpoints and EndpointSlice controllers share (k8s.io/endpointslice/{util,trigger_time_tracker}.go).

export function serviceInformer(client: Client): Informer<Service> {
  return ensureIndex(client.informer<Service>('v1/services'), 'selecting', (service) =>
    service.spec?.selector && Object.keys(service.spec.selector).length > 0 ? [namespaceOf(service)] : [],
  );
}

/** Keys of the Services that a changed Pod was or is part of; none when nothing they show changed. */
export function affectedServices(services: Informer<Service>, pod: Pod, old: Pod | undefined): string[] {
  if (old && !podChanged(old, pod)) return [];
  const keys: string[] = [];
  for (const service of services.byIndex('selecting', namespaceOf(pod))) {
    const matches = mapMatcher(service.spec?.selector);
    if (matches(labelsOf(pod)) || (old && matches(labelsOf(old)))) keys.push(keyOf(service));
  }
  return keys;
}

function podChanged(old: Pod, pod: Pod): boolean {
  return (
    isDeleting(old) !== isDeleting(pod) ||
    isPodReady(old) !== isPodReady(pod) ||
    isPodFinished(old) !== isPodFinished(pod) ||
    old.status?.podIP !== pod.status?.podIP ||
    old.spec?.nodeName !== pod.spec?.nodeName ||
    old.spec?.hostname !== pod.spec?.hostname ||
    old.spec?.subdomain !== pod.spec?.subdomain ||
    !equal(labelsOf(old), labelsOf(pod)) ||
    !equal(old.status?.podIPs, pod.status?.podIPs)
  );
}

export function shouldBeInEndpoints(pod: Pod, includeTerminating: boolean): boolean {
  if (isPodFinished(pod)) return false;
  if (!pod.status?.podIP && !pod.status?.podIPs?.length) return false;
  return includeTerminating || !isDeleting(pod);
}

/** A Pod has a DNS name under a Service when its subdomain is the Service's name. */
export function hostnameUnder(pod: Pod, service: Service): string | undefined {
  return pod.spec?.hostname && pod.spec.subdomain === nameOf(service) ? pod.spec.hostname : undefined;
}

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === 'None' || !service.spec?.clusterIP;

/** The Pod's port number behind a Service port; undefined when a named port is not there. */
export function findPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const protocol = port.protocol ?? 'TCP';
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const one of container.ports ?? []) if (one.name === target && (one.protocol ?? 'TCP') === protocol) return one.containerPort;
  }
  return undefined;
}

/**
 * The annotation `endpoints.kubernetes.io/last-change-trigger-time`: the earliest of the changes (Service made, Pods'
 * readiness) since the last sync.
 */
export class TriggerTimes {
  readonly #seen = new Map<string, { serviceMs: number; pods: Map<string, string> }>();

  /** Milliseconds since the epoch, or undefined when nothing changed. */
  next(service: Service, pods: readonly Pod[]): number | undefined {
    const before = this.#seen.get(keyOf(service));
    let least: number | undefined;
    const consider = (ms: number, known: number): void => {
      if (ms > known && (least === undefined || ms < least)) least = ms;
    };
    const times = new Map<string, string>();
    for (const pod of pods) {
      const ready = podCondition(pod, 'Ready');
      if (!ready?.lastTransitionTime) continue;
      // Upstream compares whole seconds only. A simulated Pod is often created and ready within one second, where a real
      // one crosses into the next: the status is compared too, so that becoming ready is not overlooked.
      const state = `${ready.lastTransitionTime} ${ready.status}`;
      times.set(nameOf(pod), state);
      if (before?.pods.get(nameOf(pod)) !== state) consider(msOf(ready.lastTransitionTime), 0);
    }
    const serviceMs = msOf(service.metadata?.creationTimestamp);
    consider(serviceMs, before?.serviceMs ?? 0);
    this.#seen.set(keyOf(service), { serviceMs, pods: times });
    return least;
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}
