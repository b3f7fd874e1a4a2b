import { age, createdAtRow, nameOf, plain, row, withStatus } from '../lifecycle.ts';
import type { KindStrategy } from '../strategy.ts';
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment, VolumeAttributesClass } from '../types.ts';

const DEFAULT_CLASS = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

/** Marked as the default class, by the annotation of today or that of old. */
export const isDefaultClass = ({ metadata }: StorageClass): boolean => DEFAULT_CLASS.some((key) => metadata?.annotations?.[key] === 'true');

export const storageClassStrategy: KindStrategy<StorageClass> = {
  resource: 'storage.k8s.io/v1/storageclasses',
  applyDefaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
  ...plain,
  tableRow: (storageClass, context) => [
    nameOf(storageClass) + (isDefaultClass(storageClass) ? ' (default)' : ''),
    storageClass.provisioner ?? '',
    storageClass.reclaimPolicy ?? 'Delete',
    storageClass.volumeBindingMode ?? 'Immediate',
    storageClass.allowVolumeExpansion ?? false,
    age(storageClass, context),
  ],
};

export const csiDriverStrategy: KindStrategy<CSIDriver> = {
  resource: 'storage.k8s.io/v1/csidrivers',
  applyDefaults(driver) {
    driver.spec ??= {};
    const { spec } = driver;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  ...plain,
  tableRow: row(({ spec = {} }) => [
    spec.attachRequired ?? true,
    spec.podInfoOnMount ?? false,
    spec.storageCapacity ?? false,
    spec.tokenRequests ? spec.tokenRequests.map(({ audience }) => audience).join(',') : '<unset>',
    spec.requiresRepublish ?? false,
    spec.volumeLifecycleModes?.join(',') || '<none>',
  ]),
};

export const csiNodeStrategy: KindStrategy<CSINode> = {
  resource: 'storage.k8s.io/v1/csinodes',
  ...plain,
  tableRow: row(({ spec }) => [spec?.drivers?.length ?? 0]),
};

export const csiStorageCapacityStrategy: KindStrategy<CSIStorageCapacity> = {
  resource: 'storage.k8s.io/v1/csistoragecapacities',
  ...plain,
  tableRow: createdAtRow,
};

export const volumeAttachmentStrategy: KindStrategy<VolumeAttachment> = {
  resource: 'storage.k8s.io/v1/volumeattachments',
  ...withStatus<VolumeAttachment>({ initial: () => ({ attached: false }) }),
  tableRow: row(({ spec = {}, status }) => [spec.attacher ?? '', spec.source?.persistentVolumeName ?? '', spec.nodeName ?? '', status?.attached ?? false]),
};

export const volumeAttributesClassStrategy: KindStrategy<VolumeAttributesClass> = {
  resource: 'storage.k8s.io/v1/volumeattributesclasses',
  ...plain,
  tableRow: row(({ driverName = '' }) => [driverName]),
};
