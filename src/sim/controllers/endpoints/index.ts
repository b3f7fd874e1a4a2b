import type { Disposable } from '../../../kernel/index.ts';
import type { Endpoints, Pod, Service } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { ignoreNotFound, isNamespaceTerminating } from '../errors.ts';
import { annotationsOf, cause, clone, equal, keyOf, labelsOf, refOf, splitKey, timeOf } from '../object.ts';
import { podInformer, podsByLabels } from '../pods.ts';
import { affectedServices, isHeadless, serviceInformer, TriggerTimes } from './service-pods.ts';
import { subsetsOf, truncateSubsets } from './subsets.ts';

const ACTOR = 'endpoint-controller';
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const HEADLESS = 'service.kubernetes.io/headless';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

/** The Endpoints controller (pkg/controller/endpoint of v1.36; corpus: dns-clusterip-vs-headless). */
export function startEndpointsController(context: ControllerContext): Disposable {
  const { client } = context;
  const pods = podInformer(client);
  const services = serviceInformer(client);
  const informer = client.informer<Endpoints>('v1/endpoints');
  const resource = client.resource<Endpoints>('v1/endpoints');
  const triggers = new TriggerTimes();
  const controller = new Controller(context, { name: ACTOR, sync });

  function sync(key: string): void {
    if (controller.isBusy(key)) return;
    const [namespace, name] = splitKey(key);
    const service = services.get(namespace, name);
    if (!service) {
      triggers.forget(key);
      if (informer.get(namespace, name)) ignoreNotFound(() => resource.delete(namespace, name, { cause: cause(ACTOR, 'endpoints/service-gone') }));
      return;
    }
    const selector = service.spec?.selector;
    if (service.spec?.type === 'ExternalName' || !selector || Object.keys(selector).length === 0) return;
    const members = podsByLabels(pods, namespace, selector);
    controller.spent(key, members.length);
    const triggerMs = triggers.next(service, members);
    const subsets = subsetsOf(service, members);
    const truncated = truncateSubsets(subsets);
    const current = informer.get(namespace, name);

    const labels: Record<string, string> = { ...labelsOf(service) };
    if (isHeadless(service)) labels[HEADLESS] = '';
    else delete labels[HEADLESS];
    labels[MANAGED_BY] = ACTOR;
    const marked = annotationsOf(current ?? {})[OVER_CAPACITY] !== undefined;
    if (current && equal(current.subsets ?? [], subsets) && equal(labelsOf(current), labels) && marked === truncated) return;

    const next: Endpoints = current ? clone(current) : { apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace } };
    const annotations: Record<string, string> = { ...annotationsOf(next) };
    if (triggerMs !== undefined) annotations[TRIGGER_TIME] = timeOf(triggerMs);
    else delete annotations[TRIGGER_TIME];
    if (truncated) annotations[OVER_CAPACITY] = 'truncated';
    else delete annotations[OVER_CAPACITY];
    next.metadata = { ...next.metadata, labels };
    if (Object.keys(annotations).length > 0) next.metadata.annotations = annotations;
    else delete next.metadata.annotations;
    if (subsets.length > 0) next.subsets = subsets;
    else delete next.subsets;
    write(service, next, current !== undefined);
  }

  function write(service: Service, next: Endpoints, exists: boolean): void {
    const options = { cause: cause(ACTOR, 'endpoints/sync', refOf(service, 'v1/services')) };
    if (exists) {
      resource.update(next, options);
      return;
    }
    try {
      resource.create(next, options);
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error;
    }
  }

  controller.watch<Service>('v1/services', ({ object }) => controller.queue.add(keyOf(object)));
  controller.watch<Pod>('v1/pods', ({ type, object, old }) => {
    for (const key of affectedServices(services, object, type === 'MODIFIED' ? old : undefined)) controller.queue.add(key);
  });
  controller.watch<Endpoints>('v1/endpoints', ({ type, object }) => {
    if (type === 'DELETED') controller.queue.add(keyOf(object));
  });
  return controller;
}
