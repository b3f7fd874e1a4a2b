import type { Disposable } from '../../../kernel/index.ts';
import type { EndpointSlice, Node, Pod, Service } from '../../kinds/types.ts';
import { Controller, type ControllerContext, ensureIndex } from '../controller.ts';
import { TRIGGER_TIME } from '../endpoints/index.ts';
import { affectedServices, serviceInformer, TriggerTimes } from '../endpoints/service-pods.ts';
import { ignoreNotFound, isNamespaceTerminating } from '../errors.ts';
import { cause, isDeleting, keyFor, keyOf, labelsOf, nameOf, namespaceOf, refOf, splitKey, timeOf } from '../object.ts';
import { podInformer, podsByLabels } from '../pods.ts';
import { desiredGroups, MANAGED_BY, MANAGER, SERVICE_NAME } from './endpoint.ts';
import { reconcileSlices } from './reconcile.ts';

const ACTOR = 'endpoint-slice-controller';

/** The EndpointSlice controller (pkg/controller/endpointslice and k8s.io/endpointslice of v1.36). */
export function startEndpointSliceController(context: ControllerContext): Disposable {
  const { client } = context;
  const pods = podInformer(client);
  const services = serviceInformer(client);
  const nodes = client.informer<Node>('v1/nodes');
  const slices = ensureIndex(client.informer<EndpointSlice>('discovery.k8s.io/v1/endpointslices'), 'service', (slice) => {
    const service = labelsOf(slice)[SERVICE_NAME];
    return service && labelsOf(slice)[MANAGED_BY] === MANAGER ? [keyFor(namespaceOf(slice), service)] : [];
  });
  const resource = client.resource<EndpointSlice>('discovery.k8s.io/v1/endpointslices');
  const triggers = new TriggerTimes();
  const controller = new Controller(context, { name: ACTOR, sync });

  function sync(key: string): void {
    if (controller.isBusy(key)) return;
    const [namespace, name] = splitKey(key);
    const service = services.get(namespace, name);
    if (!service) {
      // The garbage collector takes the slices of a Service that is gone.
      triggers.forget(key);
      return;
    }
    const selector = service.spec?.selector;
    if (service.spec?.type === 'ExternalName' || !selector || Object.keys(selector).length === 0 || isDeleting(service)) return;
    const members = podsByLabels(pods, namespace, selector);
    controller.spent(key, members.length);
    const triggerMs = triggers.next(service, members);
    const desired = desiredGroups(service, members, (node) => nodes.get('', node));
    const changes = reconcileSlices(service, slices.byIndex('service', key), desired);
    const options = { cause: cause(ACTOR, 'endpointslice/sync', refOf(service, 'v1/services')) };
    const stamp = (slice: EndpointSlice): EndpointSlice => {
      const { [TRIGGER_TIME]: _, ...annotations } = slice.metadata?.annotations ?? {};
      const next: Record<string, string> = triggerMs === undefined ? annotations : { ...annotations, [TRIGGER_TIME]: timeOf(triggerMs) };
      slice.metadata = { ...slice.metadata, annotations: next };
      if (Object.keys(next).length === 0) delete slice.metadata.annotations;
      return slice;
    };
    for (const slice of changes.create) {
      try {
        resource.create(stamp(slice), options);
      } catch (error) {
        if (!isNamespaceTerminating(error)) throw error;
      }
    }
    for (const slice of changes.update) resource.update(stamp(slice), options);
    for (const slice of changes.remove) ignoreNotFound(() => resource.delete(namespace, nameOf(slice), options));
  }

  controller.watch<Service>('v1/services', ({ object }) => controller.queue.add(keyOf(object)));
  controller.watch<Pod>('v1/pods', ({ type, object, old }) => {
    for (const key of affectedServices(services, object, type === 'MODIFIED' ? old : undefined)) controller.queue.add(key);
  });
  controller.watch<EndpointSlice>('discovery.k8s.io/v1/endpointslices', ({ type, object }) => {
    const service = labelsOf(object)[SERVICE_NAME];
    if (service && type === 'DELETED') controller.queue.add(keyFor(namespaceOf(object), service));
  });
  return controller;
}
