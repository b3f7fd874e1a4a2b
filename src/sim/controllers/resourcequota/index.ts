import type { Disposable } from '../../../kernel/index.ts';
import type { ApiObject } from '../../client/types.ts';
import { quotaUsage } from '../../kinds/admission/quota.ts';
import type { Pod, ResourceQuota } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { cause, clone, equal, keyOf, namespaceOf, refOf, splitKey } from '../object.ts';
import { isPodFinished } from '../pods.ts';
import { BUILT_IN } from '../resources.ts';

const QUOTAS = 'v1/resourcequotas';
const ACTOR = 'resourcequota-controller';

/**
 * Keeps `status.used` of quotas (pkg/controller/resourcequota). Upstream's admission adds to it as objects are made and
 * the controller takes off what is gone; here admission counts for itself and the controller does both sums.
 */
export function startResourceQuotaController(context: ControllerContext): Disposable {
  const { client } = context;
  const quotas = client.informer<ResourceQuota>(QUOTAS);
  const controller = new Controller(context, { name: ACTOR, sync });

  function sync(key: string): void {
    const quota = quotas.get(...splitKey(key));
    if (!quota) return;
    const used = quotaUsage(quota, (resource, namespace) => client.informer<never>(resource).list(namespace));
    const status = { hard: clone(quota.spec?.hard ?? {}), used };
    if (equal(status, quota.status)) return;
    client.resource<ResourceQuota>(QUOTAS).updateStatus({ ...clone(quota), status }, { cause: cause(ACTOR, 'resourcequota/status', refOf(quota, QUOTAS)) });
  }

  controller.watch<ResourceQuota>(QUOTAS, ({ type, object }) => {
    if (type !== 'DELETED') controller.queue.add(keyOf(object));
  });
  for (const { id, namespaced } of BUILT_IN) {
    if (!namespaced || id === QUOTAS) continue;
    controller.watch<ApiObject>(id, ({ type, object, old }) => {
      const known = quotas.list(namespaceOf(object));
      if (known.length === 0) return;
      // A finished Pod gives back what it held; other changes matter only for claims, which may grow.
      const changed =
        type !== 'MODIFIED' || id === 'v1/persistentvolumeclaims' || (id === 'v1/pods' && isPodFinished(object as Pod) !== isPodFinished((old ?? {}) as Pod));
      if (changed || id === 'v1/services') for (const quota of known) controller.queue.add(keyOf(quota));
    });
  }
  return controller;
}
