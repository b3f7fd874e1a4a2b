import { keep, row, setGeneration } from '../lifecycle.ts';
import { roundResources } from '../pod/defaults.ts';
import { formatQuantity, tryParseQuantity } from '../quantity.ts';
import type { KindStrategy } from '../strategy.ts';
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../types.ts';

const SHORT_MODES: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };

/** Access modes as tables show them: `RWO,RWX`, always in the same order. */
export function shortAccessModes(modes: readonly string[] | undefined): string {
  return Object.keys(SHORT_MODES)
    .filter((mode) => modes?.includes(mode))
    .map((mode) => SHORT_MODES[mode])
    .join(',');
}

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/** The class of a claim or volume: the old annotation wins over the field; empty when there is none. */
export const storageClassOf = (object: PersistentVolumeClaim | PersistentVolume): string =>
  object.metadata?.annotations?.[CLASS_ANNOTATION] ?? object.spec?.storageClassName ?? '';

const sizeText = (text: string | undefined): string => {
  const quantity = tryParseQuantity(text);
  return quantity ? formatQuantity(quantity) : '0';
};

export function defaultClaimSpec(spec: PersistentVolumeClaimSpec | undefined): void {
  if (!spec) return;
  spec.volumeMode ??= 'Filesystem';
  roundResources(spec.resources?.limits, spec.resources?.requests);
}

export const persistentVolumeClaimStrategy: KindStrategy<PersistentVolumeClaim> = {
  resource: 'v1/persistentvolumeclaims',
  applyDefaults(claim) {
    claim.spec ??= {};
    claim.spec.resources ??= {};
    defaultClaimSpec(claim.spec);
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
  },
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
    setGeneration(claim, undefined);
    const spec = claim.spec ?? {};
    // Other kinds of the old field are dropped without a word (`DropDisabledFields`).
    const { kind, apiGroup = '' } = spec.dataSource ?? {};
    const known = (kind === 'PersistentVolumeClaim' && apiGroup === '') || (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io');
    if (!known) delete spec.dataSource;
    delete spec.dataSourceRef?.namespace;
    // dataSource and dataSourceRef say the same thing; whichever is missing is filled in.
    if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = structuredClone(spec.dataSource);
    else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
      const { apiGroup, kind, name } = spec.dataSourceRef;
      spec.dataSource = { apiGroup, kind, name };
    }
  },
  prepareForUpdate(claim, old) {
    keep(claim, old, 'status');
  },
  selectableFields: ({ metadata }) => ({ name: metadata?.name ?? '' }),
  tableRow: (claim, context) => {
    const { spec = {}, status = {}, metadata = {} } = claim;
    const cells = row<PersistentVolumeClaim>(() => [
      metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? ''),
      spec.volumeName ?? '',
      spec.volumeName ? sizeText(status.capacity?.storage) : '',
      spec.volumeName ? shortAccessModes(status.accessModes) : '',
      storageClassOf(claim),
      spec.volumeAttributesClassName ?? '<unset>',
    ])(claim, context);
    return [...cells, spec.volumeMode ?? '<unset>'];
  },
};

export const persistentVolumeStrategy: KindStrategy<PersistentVolume> = {
  resource: 'v1/persistentvolumes',
  applyDefaults(volume) {
    volume.spec ??= {};
    roundResources(volume.spec.capacity);
    volume.spec.persistentVolumeReclaimPolicy ||= 'Retain';
    volume.spec.volumeMode ??= 'Filesystem';
    if (volume.spec.hostPath) volume.spec.hostPath.type ??= '';
    volume.status ??= {};
    volume.status.phase ||= 'Pending';
  },
  prepareForCreate(volume, context) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: timestamp(context.nowMs) };
    setGeneration(volume, undefined);
  },
  prepareForUpdate(volume, old) {
    keep(volume, old, 'status');
  },
  selectableFields: ({ metadata }) => ({ name: metadata?.name ?? '' }),
  tableRow: (volume, context) => {
    const { spec = {}, status = {}, metadata = {} } = volume;
    const cells = row<PersistentVolume>(() => [
      sizeText(spec.capacity?.storage),
      shortAccessModes(spec.accessModes),
      spec.persistentVolumeReclaimPolicy ?? '',
      metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? ''),
      spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '',
      storageClassOf(volume),
      spec.volumeAttributesClassName ?? '<unset>',
      status.reason ?? '',
    ])(volume, context);
    return [...cells, spec.volumeMode ?? '<unset>'];
  },
};

/** RFC 3339 with seconds, as `metav1.Time` is written. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
