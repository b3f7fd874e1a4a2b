import type { Client } from '../../client/types.ts';
import { quantityValue } from '../../kinds/quantity.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../kinds/types.ts';
import { nodeSelectorMatches } from '../../scheduler/node-selector.ts';
import { selectorMatcher } from '../labels.ts';
import { annotationsOf, clone, isDeleting, labelsOf, nameOf, namespaceOf, uidOf } from '../object.ts';

// k8s.io/component-helpers/storage/volume/{pv,helpers}.go: what the PV controller and the scheduler share.

export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
export const BETA_STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

export function claimClass(claim: PersistentVolumeClaim): string {
  return annotationsOf(claim)[BETA_CLASS] ?? claim.spec?.storageClassName ?? '';
}

export function volumeClass(volume: PersistentVolume): string {
  return annotationsOf(volume)[BETA_CLASS] ?? volume.spec?.storageClassName ?? '';
}

export function classOf(client: Client, name: string): StorageClass | undefined {
  return name === '' ? undefined : client.informer<StorageClass>('storage.k8s.io/v1/storageclasses').get('', name);
}

/** The claim's class waits for a Pod to be scheduled first. */
export function isDelayBinding(client: Client, claim: PersistentVolumeClaim): boolean {
  return classOf(client, claimClass(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
}

export function requestedBytes(claim: PersistentVolumeClaim): number {
  return quantityValue(claim.spec?.resources?.requests?.storage);
}

export function capacityBytes(volume: PersistentVolume): number {
  return quantityValue(volume.spec?.capacity?.storage);
}

export function sameVolumeMode(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  return (claim.spec?.volumeMode ?? 'Filesystem') === (volume.spec?.volumeMode ?? 'Filesystem');
}

export function hasAccessModes(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  return (claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode));
}

/** The volume names this claim; one whose reference has no uid yet is reserved for whoever has the name. */
export function isBoundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const ref = volume.spec?.claimRef;
  if (!ref || ref.name !== nameOf(claim) || ref.namespace !== namespaceOf(claim)) return false;
  return !ref.uid || ref.uid === uidOf(claim);
}

export function isFullyBound(claim: PersistentVolumeClaim): boolean {
  return (claim.spec?.volumeName ?? '') !== '' && annotationsOf(claim)[BIND_COMPLETED] !== undefined;
}

export function nodeFits(volume: PersistentVolume, node: Node): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  return !required || nodeSelectorMatches(required, labelsOf(node), nameOf(node));
}

/**
 * FindMatchingVolume: the smallest volume that satisfies the claim; one already reserved for it wins. With `node`,
 * only volumes that can be used there (and none for a delayed claim without a node).
 */
export function findMatchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node: Node | undefined,
  excluded: ReadonlySet<string>,
  delayBinding: boolean,
): PersistentVolume | undefined {
  const wanted = requestedBytes(claim);
  const selects = claim.spec?.selector ? selectorMatcher(claim.spec.selector) : undefined;
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (excluded.has(nameOf(volume))) continue;
    if (volume.spec?.claimRef && !isBoundTo(volume, claim)) continue;
    const size = capacityBytes(volume);
    if (size < wanted || !sameVolumeMode(claim, volume) || isDeleting(volume)) continue;
    if ((claim.spec?.volumeAttributesClassName ?? '') !== (volume.spec?.volumeAttributesClassName ?? '')) continue;
    const fits = node === undefined || nodeFits(volume, node);
    if (isBoundTo(volume, claim)) {
      // Bound already, or reserved: no other will do.
      if (size < wanted) continue;
      return fits ? volume : undefined;
    }
    if (node === undefined && delayBinding) continue;
    if (volume.status?.phase !== 'Available') continue;
    if (selects && !selects(labelsOf(volume))) continue;
    if (volumeClass(volume) !== claimClass(claim) || !fits || !hasAccessModes(claim, volume)) continue;
    if (!best || capacityBytes(best) > size) best = volume;
  }
  return best;
}

/** GetBindVolumeToClaim: the volume with its reference to the claim; undefined when nothing changes. */
export function boundToClaim(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume | undefined {
  const ref = volume.spec?.claimRef;
  const reserve = !ref || ref.name !== nameOf(claim) || ref.namespace !== namespaceOf(claim) || ref.uid !== uidOf(claim);
  const mark = !isBoundTo(volume, claim) && annotationsOf(volume)[BOUND_BY_CONTROLLER] === undefined;
  if (!reserve && !mark) return undefined;
  const copy = clone(volume);
  copy.spec = {
    ...copy.spec,
    claimRef: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: namespaceOf(claim),
      name: nameOf(claim),
      uid: uidOf(claim),
      resourceVersion: claim.metadata?.resourceVersion ?? '',
    },
  };
  if (mark) copy.metadata = { ...copy.metadata, annotations: { ...copy.metadata?.annotations, [BOUND_BY_CONTROLLER]: 'yes' } };
  return copy;
}
