import type { Disposable } from '../../../kernel/index.ts';
import type { ConfigMap, Namespace, ServiceAccount } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../errors.ts';
import { cause, clone, equal, nameOf, namespaceOf, refOf } from '../object.ts';
import { ROOT_CA } from './root-ca.ts';

const CONFIG_MAP = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or ' +
  'kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Runs a create that may come too late: the namespace is going away, or somebody was faster. */
function tolerant(create: () => unknown): void {
  try {
    create();
  } catch (error) {
    if (!isNamespaceTerminating(error) && !isNotFound(error) && !isAlreadyExists(error)) throw error;
  }
}

/** Every namespace has a ServiceAccount "default" (pkg/controller/serviceaccount). */
export function startServiceAccountController(context: ControllerContext): Disposable {
  const { client } = context;
  const actor = 'service-account-controller';
  const namespaces = client.informer<Namespace>('v1/namespaces');
  const accounts = client.informer<ServiceAccount>('v1/serviceaccounts');
  const controller = new Controller(context, {
    name: actor,
    sync: (key) => {
      const namespace = namespaces.get('', key);
      if (namespace?.status?.phase !== 'Active' || accounts.get(key, 'default')) return;
      tolerant(() =>
        client
          .resource<ServiceAccount>('v1/serviceaccounts')
          .create(
            { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: key } },
            { cause: cause(actor, 'serviceaccount/default', refOf(namespace, 'v1/namespaces')) },
          ),
      );
    },
  });
  controller.watch<Namespace>('v1/namespaces', ({ type, object }) => {
    if (type !== 'DELETED') controller.queue.add(nameOf(object));
  });
  controller.watch<ServiceAccount>('v1/serviceaccounts', ({ type, object }) => {
    if (type === 'DELETED') controller.queue.add(namespaceOf(object));
  });
  return controller;
}

/** Every namespace has the ConfigMap kube-root-ca.crt (pkg/controller/certificates/rootcacertpublisher). */
export function startRootCaPublisher(context: ControllerContext): Disposable {
  const { client } = context;
  const actor = 'root-ca-certificate-publisher';
  const namespaces = client.informer<Namespace>('v1/namespaces');
  const maps = client.informer<ConfigMap>('v1/configmaps');
  const resource = client.resource<ConfigMap>('v1/configmaps');
  const data = { 'ca.crt': ROOT_CA };
  const annotations = { 'kubernetes.io/description': DESCRIPTION };
  const controller = new Controller(context, {
    name: actor,
    sync: (key) => {
      const namespace = namespaces.get('', key);
      if (!namespace) return;
      const known = maps.get(key, CONFIG_MAP);
      const options = { cause: cause(actor, 'root-ca/publish', refOf(namespace, 'v1/namespaces')) };
      if (!known) {
        tolerant(() => resource.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: CONFIG_MAP, namespace: key, annotations }, data }, options));
        return;
      }
      const described = known.metadata?.annotations?.['kubernetes.io/description'] !== undefined;
      if (equal(known.data, data) && described) return;
      const copy = clone(known);
      copy.data = data;
      copy.metadata = { ...copy.metadata, annotations: { ...copy.metadata?.annotations, ...annotations } };
      resource.update(copy, options);
    },
  });
  controller.watch<Namespace>('v1/namespaces', ({ type, object }) => {
    if (type !== 'DELETED' && object.status?.phase !== 'Terminating') controller.queue.add(nameOf(object));
  });
  controller.watch<ConfigMap>('v1/configmaps', ({ object }) => {
    if (nameOf(object) === CONFIG_MAP) controller.queue.add(namespaceOf(object));
  });
  return controller;
}
