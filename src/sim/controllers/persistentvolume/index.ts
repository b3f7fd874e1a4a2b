import type { Disposable } from '../../../kernel/index.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../kinds/types.ts';
import { Controller, type ControllerContext, ensureIndex } from '../controller.ts';
import { ignoreNotFound, SyncError } from '../errors.ts';
import { annotationsOf, cause, clone, equal, type Identified, isDeleting, keyFor, keyOf, nameOf, refOf, regarding, splitKey, uidOf } from '../object.ts';
import { isPodFinished } from '../pods.ts';
import { claimInformer, podsByClaim } from '../volume-protection/claims.ts';
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  boundToClaim,
  capacityBytes,
  claimClass,
  classOf,
  findMatchingVolume,
  hasAccessModes,
  isBoundTo,
  isDelayBinding,
  PROVISIONED_BY,
  requestedBytes,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  sameVolumeMode,
  volumeClass,
} from './match.ts';

const ACTOR = 'persistentvolume-controller';
const CLAIM: Identified = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', resource: 'v1/persistentvolumeclaims' };
const VOLUME: Identified = { apiVersion: 'v1', kind: 'PersistentVolume', resource: 'v1/persistentvolumes' };
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
/** How often everything that is not bound is looked at again. */
const RESYNC_MS = 15_000;

/**
 * Binds claims to volumes and reclaims volumes (pkg/controller/volume/persistentvolume of v1.36). Volumes are provisioned and
 * deleted by external provisioners; of the in-tree plugins none can do either here.
 */
export function startPersistentVolumeController(context: ControllerContext): Disposable {
  const { client } = context;
  const claims = claimInformer(client);
  const volumes = ensureIndex(client.informer<PersistentVolume>(VOLUME.resource), 'class', (volume) => [volumeClass(volume)]);
  const pods = podsByClaim(client);
  const claimWrites = client.resource<PersistentVolumeClaim>(CLAIM.resource);
  /** Uids of claims that were told what they wait for. */
  const lookedAt = new Set<string>();
  const volumeWrites = client.resource<PersistentVolume>(VOLUME.resource);
  const claimQueue = new Controller(context, { name: ACTOR, sync: syncClaim });
  const volumeQueue = claimQueue.own(new Controller(context, { name: ACTOR, sync: syncVolume }));

  function event(object: PersistentVolume | PersistentVolumeClaim, kind: Identified, type: 'Normal' | 'Warning', reason: string, message: string): void {
    client.event({
      regarding: regarding(object, kind),
      type,
      reason,
      message,
      component: ACTOR,
      cause: cause(ACTOR, 'persistentvolume/event', refOf(object, kind.resource)),
    });
  }

  function syncClaim(key: string): void {
    const claim = claims.get(...splitKey(key));
    if (!claim) return;
    if (annotationsOf(claim)[BIND_COMPLETED] === undefined) {
      syncUnbound(claim);
      const now = claims.get(...splitKey(key));
      if (now && now.status?.phase !== 'Bound') claimQueue.queue.addAfter(key, RESYNC_MS);
    } else syncBound(claim);
  }

  function syncUnbound(claim: PersistentVolumeClaim): void {
    const name = claim.spec?.volumeName;
    if (name) {
      syncRequested(claim, name);
      return;
    }
    const delayed = isDelayBinding(client, claim);
    const volume = findMatchingVolume(claim, candidates(claim), undefined, new Set(), delayed);
    if (volume) {
      bind(volume, claim);
      return;
    }
    if (assignDefaultClass(claim)) return;
    if (delayed && annotationsOf(claim)[SELECTED_NODE] === undefined) waitForConsumer(claim);
    else if (claimClass(claim) !== '') {
      provision(claim);
      return;
    } else event(claim, CLAIM, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
    claimStatus(claim, 'Pending', undefined);
  }

  /** Volumes of the claim's class, and those reserved for it whatever their class; fewest access modes first. */
  function candidates(claim: PersistentVolumeClaim): PersistentVolume[] {
    const reserved = volumes.list().filter((volume) => isBoundTo(volume, claim));
    const free = volumes.byIndex('class', claimClass(claim)).filter((volume) => !volume.spec?.claimRef && hasAccessModes(claim, volume));
    const modes = (volume: PersistentVolume): number => volume.spec?.accessModes?.length ?? 0;
    return [...reserved, ...free.sort((a, b) => modes(a) - modes(b))];
  }

  const revisionOf = (object: PersistentVolumeClaim | Pod): number => Number(object.metadata?.resourceVersion ?? 0);

  /** A claim's first sync comes before anything that was created after it is in the caches. */
  function waitForConsumer(claim: PersistentVolumeClaim): void {
    const first = !lookedAt.has(uidOf(claim));
    lookedAt.add(uidOf(claim));
    const waiting = pods
      .byIndex('claim', keyOf(claim))
      .filter((pod) => !isPodFinished(pod) && !pod.spec?.nodeName && !(first && revisionOf(pod) > revisionOf(claim)))
      .map((pod) => nameOf(pod));
    if (waiting.length === 0) event(claim, CLAIM, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
    else if (waiting.length === 1) event(claim, CLAIM, 'Normal', 'WaitForPodScheduled', `waiting for pod ${waiting[0]} to be scheduled`);
    else event(claim, CLAIM, 'Normal', 'WaitForPodScheduled', `waiting for pods ${waiting.join(',')} to be scheduled`);
  }

  /** A claim without class gets the default one, once there is one. */
  function assignDefaultClass(claim: PersistentVolumeClaim): boolean {
    if (claim.spec?.storageClassName !== undefined || claimClass(claim) !== '') return false;
    const defaults = client
      .informer<StorageClass>('storage.k8s.io/v1/storageclasses')
      .list()
      .filter((one) => annotationsOf(one)[DEFAULT_CLASS] === 'true')
      .sort((a, b) => ((a.metadata?.creationTimestamp ?? '') < (b.metadata?.creationTimestamp ?? '') ? 1 : -1));
    const chosen = defaults[0];
    if (!chosen) return false;
    const copy = clone(claim);
    copy.spec = { ...copy.spec, storageClassName: nameOf(chosen) };
    claimWrites.update(copy, { cause: cause(ACTOR, 'persistentvolume/default-class', refOf(claim, CLAIM.resource)) });
    return true;
  }

  function provision(claim: PersistentVolumeClaim): void {
    const storageClass = classOf(client, claimClass(claim));
    if (!storageClass) {
      event(claim, CLAIM, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io ${JSON.stringify(claimClass(claim))} not found`);
      return;
    }
    const provisioner = storageClass.provisioner ?? '';
    if (provisioner.startsWith('kubernetes.io/')) {
      event(claim, CLAIM, 'Warning', 'ProvisioningFailed', `no volume plugin matched name: ${provisioner}`);
      return;
    }
    const annotations = annotationsOf(claim);
    if (annotations[STORAGE_PROVISIONER] !== provisioner || annotations[BETA_STORAGE_PROVISIONER] !== provisioner) {
      const copy = clone(claim);
      copy.metadata = { ...copy.metadata, annotations: { ...annotations, [BETA_STORAGE_PROVISIONER]: provisioner, [STORAGE_PROVISIONER]: provisioner } };
      claimWrites.update(copy, { cause: cause(ACTOR, 'persistentvolume/external-provisioning', refOf(claim, CLAIM.resource), { provisioner }) });
    }
    const message =
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
      'If volume creation is delayed, please verify that the provisioner is running and correctly registered.';
    event(claim, CLAIM, 'Normal', 'ExternalProvisioning', message);
  }

  /** A claim that names its volume. */
  function syncRequested(claim: PersistentVolumeClaim, name: string): void {
    const volume = volumes.get('', name);
    if (!volume) {
      claimStatus(claim, 'Pending', undefined);
      return;
    }
    if (!volume.spec?.claimRef) {
      const mismatch = whyUnsuitable(volume, claim);
      if (!mismatch) {
        bind(volume, claim);
        return;
      }
      event(claim, CLAIM, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume ${JSON.stringify(name)}: ${mismatch}`);
      claimStatus(claim, 'Pending', undefined);
      return;
    }
    if (isBoundTo(volume, claim)) {
      bind(volume, claim);
      return;
    }
    event(claim, CLAIM, 'Warning', 'FailedBinding', `volume ${JSON.stringify(name)} already bound to a different claim.`);
    if (annotationsOf(claim)[BOUND_BY_CONTROLLER] === undefined) {
      claimStatus(claim, 'Pending', undefined);
      return;
    }
    const holder = keyFor(volume.spec.claimRef.namespace ?? '', volume.spec.claimRef.name ?? '');
    throw new SyncError(`invalid binding of claim "${keyOf(claim)}" to volume "${name}": volume already claimed by "${holder}"`);
  }

  function whyUnsuitable(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
    if (isDeleting(volume)) return `the volume is marked for deletion ${JSON.stringify(nameOf(volume))}`;
    if (capacityBytes(volume) < requestedBytes(claim)) return 'requested PV is too small';
    if (volumeClass(volume) !== claimClass(claim)) return 'storageClassName does not match';
    if (!sameVolumeMode(claim, volume)) return 'incompatible volumeMode';
    return hasAccessModes(claim, volume) ? undefined : 'incompatible accessMode';
  }

  function syncBound(claim: PersistentVolumeClaim): void {
    const name = claim.spec?.volumeName;
    if (!name) {
      lost(claim, 'ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
      return;
    }
    const volume = volumes.get('', name);
    if (!volume) {
      lost(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
      return;
    }
    const ref = volume.spec?.claimRef;
    if (!ref || ref.uid === uidOf(claim)) {
      bind(volume, claim);
      return;
    }
    lost(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
  }

  function lost(claim: PersistentVolumeClaim, reason: string, message: string): void {
    if (claim.status?.phase === 'Lost') return;
    claimStatus(claim, 'Lost', undefined);
    event(claim, CLAIM, 'Warning', reason, message);
  }

  function claimStatus(claim: PersistentVolumeClaim, phase: string, volume: PersistentVolume | undefined): void {
    const next = clone(claim.status ?? {});
    next.phase = phase;
    if (!volume) {
      delete next.accessModes;
      delete next.capacity;
      delete next.currentVolumeAttributesClassName;
    } else {
      if (volume.spec?.accessModes) next.accessModes = [...volume.spec.accessModes];
      if (claim.status?.phase !== phase && volume.spec?.capacity) next.capacity = { ...volume.spec.capacity };
      if (volume.spec?.volumeAttributesClassName) next.currentVolumeAttributesClassName = volume.spec.volumeAttributesClassName;
    }
    if (equal(next, claim.status ?? {})) return;
    claimWrites.updateStatus(
      { ...clone(claim), status: next },
      { cause: cause(ACTOR, `persistentvolume/claim-${phase.toLowerCase()}`, refOf(claim, CLAIM.resource)) },
    );
  }

  function volumePhase(volume: PersistentVolume, phase: string, message = ''): PersistentVolume {
    if (volume.status?.phase === phase) return volume;
    const copy = clone(volume);
    copy.status = { ...copy.status, phase };
    if (message) copy.status.message = message;
    else delete copy.status.message;
    return volumeWrites.updateStatus(copy, { cause: cause(ACTOR, `persistentvolume/volume-${phase.toLowerCase()}`, refOf(volume, VOLUME.resource)) });
  }

  /** Volume to claim, claim to volume, both Bound: four writes, each only when needed. */
  function bind(original: PersistentVolume, claim: PersistentVolumeClaim): void {
    const because = cause(ACTOR, 'persistentvolume/bind', refOf(claim, CLAIM.resource), { volume: nameOf(original) });
    const reserved = boundToClaim(original, claim);
    const volume = volumePhase(reserved ? volumeWrites.update(reserved, { cause: because }) : original, 'Bound');
    let bound = claim;
    const annotations = { ...annotationsOf(claim) };
    const copy = clone(claim);
    if (claim.spec?.volumeName !== nameOf(volume)) {
      copy.spec = { ...copy.spec, volumeName: nameOf(volume) };
      annotations[BOUND_BY_CONTROLLER] ??= 'yes';
    }
    annotations[BIND_COMPLETED] ??= 'yes';
    copy.metadata = { ...copy.metadata, annotations };
    if (!equal(copy, claim)) bound = claimWrites.update(copy, { cause: because });
    claimStatus(bound, 'Bound', volume);
  }

  function syncVolume(key: string): void {
    const volume = volumes.get('', key);
    if (!volume) return;
    const ref = volume.spec?.claimRef;
    if (!ref?.uid) {
      volumePhase(volume, 'Available');
      return;
    }
    const found = claims.get(ref.namespace ?? '', ref.name ?? '');
    const claim = found && uidOf(found) === ref.uid ? found : undefined;
    if (!claim) {
      const released = volume.status?.phase === 'Released' || volume.status?.phase === 'Failed' ? volume : volumePhase(volume, 'Released');
      reclaim(released);
    } else if (!claim.spec?.volumeName) {
      if (sameVolumeMode(claim, volume)) {
        claimQueue.queue.add(keyOf(claim));
        return;
      }
      const reason = 'due to incompatible volumeMode.';
      event(
        volume,
        VOLUME,
        'Warning',
        'VolumeMismatch',
        `Cannot bind PersistentVolume to requested PersistentVolumeClaim ${JSON.stringify(nameOf(claim))} ${reason}`,
      );
      event(
        claim,
        CLAIM,
        'Warning',
        'VolumeMismatch',
        `Cannot bind PersistentVolume ${JSON.stringify(nameOf(volume))} to requested PersistentVolumeClaim ${reason}`,
      );
    } else if (claim.spec.volumeName === nameOf(volume)) volumePhase(volume, 'Bound');
    else if (annotationsOf(volume)[PROVISIONED_BY] !== undefined && volume.spec?.persistentVolumeReclaimPolicy === 'Delete') {
      reclaim(volume.status?.phase === 'Released' || volume.status?.phase === 'Failed' ? volume : volumePhase(volume, 'Released'));
    } else unbind(volume);
  }

  function unbind(volume: PersistentVolume): void {
    const copy = clone(volume);
    copy.spec = { ...copy.spec };
    if (annotationsOf(volume)[BOUND_BY_CONTROLLER] !== undefined) {
      delete copy.spec.claimRef;
      const { [BOUND_BY_CONTROLLER]: _, ...annotations } = annotationsOf(volume);
      copy.metadata = { ...copy.metadata, annotations };
    } else if (copy.spec.claimRef) delete copy.spec.claimRef.uid;
    const written = volumeWrites.update(copy, { cause: cause(ACTOR, 'persistentvolume/unbind', refOf(volume, VOLUME.resource)) });
    volumePhase(written, 'Available');
  }

  function reclaim(volume: PersistentVolume): void {
    const policy = volume.spec?.persistentVolumeReclaimPolicy;
    const fail = (reason: string, message: string): void => {
      if (volume.status?.phase === 'Failed') return;
      event(volumePhase(volume, 'Failed', message), VOLUME, 'Warning', reason, message);
    };
    if (policy === 'Recycle') {
      fail('VolumeFailedRecycle', 'No recycler plugin found for the volume!');
      return;
    }
    if (policy !== 'Delete' || annotationsOf(volume)[PROVISIONED_BY] || volume.spec?.csi) return;
    // Nobody provisioned it: only an in-tree plugin could delete it.
    const path = volume.spec?.hostPath?.path;
    if (path !== undefined && /^\/tmp\/.+/.test(path)) {
      ignoreNotFound(() => volumeWrites.delete('', nameOf(volume), { cause: cause(ACTOR, 'persistentvolume/delete', refOf(volume, VOLUME.resource)) }));
    } else if (path !== undefined) fail('VolumeFailedDelete', `host_path deleter only supports /tmp/.+ but received provided ${path}`);
    else fail('VolumeFailedDelete', `error getting deleter volume plugin for volume ${JSON.stringify(nameOf(volume))}: no deletable volume plugin matched`);
  }

  claimQueue.watch<PersistentVolumeClaim>(CLAIM.resource, ({ type, object: claim }) => {
    if (type === 'DELETED') lookedAt.delete(uidOf(claim));
    if (type !== 'DELETED') claimQueue.queue.add(keyOf(claim));
    // The volume of a claim that is gone is released at once.
    else if (claim.spec?.volumeName) volumeQueue.queue.add(claim.spec.volumeName);
  });
  claimQueue.watch<PersistentVolume>(VOLUME.resource, ({ type, object: volume }) => {
    if (type !== 'DELETED') volumeQueue.queue.add(nameOf(volume));
    const ref = volume.spec?.claimRef;
    if (type === 'DELETED' && ref) claimQueue.queue.add(keyFor(ref.namespace ?? '', ref.name ?? ''));
    // A volume that becomes free may be what a pending claim waits for.
    if (type !== 'DELETED' && volume.status?.phase === 'Available') {
      for (const claim of claims.byIndex('pending', 'yes'))
        if (claimClass(claim) === volumeClass(volume) || isBoundTo(volume, claim)) claimQueue.queue.add(keyOf(claim));
    }
  });
  return claimQueue;
}
