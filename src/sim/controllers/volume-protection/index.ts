import type { Disposable } from '../../../kernel/index.ts';
import type { ApiObject, ResourceClient } from '../../client/types.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { ignoreNotFound } from '../errors.ts';
import { cause, clone, isDeleting, keyOf, nameOf, refOf, splitKey } from '../object.ts';
import { isPodFinished } from '../pods.ts';
import { claimInformer, claimKeys, podsByClaim } from './claims.ts';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

function setFinalizer<T extends ApiObject>(writes: ResourceClient<T>, object: T, finalizer: string, present: boolean, actor: string, resource: string): void {
  const copy = clone(object);
  const others = (copy.metadata?.finalizers ?? []).filter((one) => one !== finalizer);
  copy.metadata = { ...copy.metadata, finalizers: present ? [...others, finalizer] : others };
  ignoreNotFound(() => writes.update(copy, { cause: cause(actor, present ? 'protection/add' : 'protection/remove', refOf(object, resource)) }));
}

/** A claim that a Pod uses is not deleted before the Pod is gone (pkg/controller/volume/pvcprotection). */
export function startClaimProtection(context: ControllerContext): Disposable {
  const { client } = context;
  const resource = 'v1/persistentvolumeclaims';
  const actor = 'pvc-protection-controller';
  const claims = claimInformer(client);
  const pods = podsByClaim(client);
  const writes = client.resource<PersistentVolumeClaim>(resource);
  const controller = new Controller(context, { name: actor, sync });

  function sync(key: string): void {
    const claim = claims.get(...splitKey(key));
    if (!claim) return;
    const protectedNow = claim.metadata?.finalizers?.includes(CLAIM_FINALIZER) ?? false;
    if (!isDeleting(claim)) {
      if (!protectedNow) setFinalizer(writes, claim, CLAIM_FINALIZER, true, actor, resource);
      return;
    }
    if (!protectedNow) return;
    // A Pod without a node does not use anything yet; a finished one holds its claim until it is deleted.
    const used = pods.byIndex('claim', key).some((pod) => (pod.spec?.nodeName ?? '') !== '');
    if (!used) setFinalizer(writes, claim, CLAIM_FINALIZER, false, actor, resource);
  }

  controller.watch<PersistentVolumeClaim>(resource, ({ type, object }) => {
    if (type !== 'DELETED') controller.queue.add(keyOf(object));
  });
  controller.watch<Pod>('v1/pods', ({ type, object, old }) => {
    if (type === 'DELETED' || (isPodFinished(object) && !(old && isPodFinished(old)))) {
      for (const key of claimKeys(object)) if (isDeleting(claims.get(...splitKey(key)) ?? {})) controller.queue.add(key);
    }
  });
  return controller;
}

/** A volume that is bound is not deleted before its claim is gone (pkg/controller/volume/pvprotection). */
export function startVolumeProtection(context: ControllerContext): Disposable {
  const { client } = context;
  const resource = 'v1/persistentvolumes';
  const actor = 'pv-protection-controller';
  const volumes = client.informer<PersistentVolume>(resource);
  const writes = client.resource<PersistentVolume>(resource);
  const controller = new Controller(context, { name: actor, sync });

  function sync(key: string): void {
    const volume = volumes.get('', key);
    if (!volume) return;
    const protectedNow = volume.metadata?.finalizers?.includes(VOLUME_FINALIZER) ?? false;
    if (!isDeleting(volume)) {
      if (!protectedNow) setFinalizer(writes, volume, VOLUME_FINALIZER, true, actor, resource);
    } else if (protectedNow && volume.status?.phase !== 'Bound') setFinalizer(writes, volume, VOLUME_FINALIZER, false, actor, resource);
  }

  controller.watch<PersistentVolume>(resource, ({ type, object }) => {
    if (type !== 'DELETED') controller.queue.add(nameOf(object));
  });
  return controller;
}
