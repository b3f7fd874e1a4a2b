import type { Disposable } from '../../../kernel/index.ts';
import type { ApiObject, ResourceClient } from '../../client/types.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttributesClass } from '../../kinds/types.ts';
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

const CLASS_FINALIZER = 'kubernetes.io/vac-protection';

/** A VolumeAttributesClass that a claim or a volume names is not deleted (pkg/controller/volume/vacprotection). */
export function startAttributesClassProtection(context: ControllerContext): Disposable {
  const { client } = context;
  const resource = 'storage.k8s.io/v1/volumeattributesclasses';
  const actor = 'volumeattributesclass-protection-controller';
  const classes = client.informer<VolumeAttributesClass>(resource);
  const claims = client.informer<PersistentVolumeClaim>('v1/persistentvolumeclaims');
  const volumes = client.informer<PersistentVolume>('v1/persistentvolumes');
  const writes = client.resource<VolumeAttributesClass>(resource);
  const controller = new Controller(context, { name: actor, sync });

  function isUsed(name: string): boolean {
    return (
      volumes.list().some((volume) => volume.spec?.volumeAttributesClassName === name) ||
      claims
        .list()
        .some(
          ({ spec, status }) =>
            spec?.volumeAttributesClassName === name ||
            status?.currentVolumeAttributesClassName === name ||
            status?.modifyVolumeStatus?.targetVolumeAttributesClassName === name,
        )
    );
  }

  function sync(key: string): void {
    const known = classes.get('', key);
    if (!known) return;
    const protectedNow = known.metadata?.finalizers?.includes(CLASS_FINALIZER) ?? false;
    if (!isDeleting(known)) {
      if (!protectedNow) setFinalizer(writes, known, CLASS_FINALIZER, true, actor, resource);
    } else if (protectedNow && !isUsed(key)) setFinalizer(writes, known, CLASS_FINALIZER, false, actor, resource);
  }

  controller.watch<VolumeAttributesClass>(resource, ({ type, object }) => {
    if (type !== 'DELETED') controller.queue.add(nameOf(object));
  });
  const lookAgain = (): void => {
    for (const known of classes.list()) if (isDeleting(known)) controller.queue.add(nameOf(known));
  };
  controller.watch<PersistentVolumeClaim>('v1/persistentvolumeclaims', lookAgain);
  controller.watch<PersistentVolume>('v1/persistentvolumes', lookAgain);
  return controller;
}
