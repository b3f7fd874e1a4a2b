import { type Check, sortedEntries } from '../check.ts';
import { semanticEqual } from '../equal.ts';
import { sortedMap } from '../field-error.ts';
import { diff, internalValue } from '../internal.ts';
import { validateObjectMeta } from '../meta/index.ts';
import { isDns1123Subdomain } from '../meta/names.ts';
import { noBacksteps } from '../pod/paths.ts';
import { checkNodeSelector } from '../pod/scheduling.ts';
import { HOST_PATH_TYPES } from '../pod/volumes.ts';
import { compareQuantities } from '../quantity.ts';
import { checkQuantity } from '../resources.ts';
import { rules } from '../rules.ts';
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeSpec } from '../types.ts';
import { checkAccessModes, checkClaimSpec, VOLUME_MODES } from './claim-spec.ts';

/** `ValidatePersistentVolumeClaim…` and `ValidatePersistentVolume…`. */

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

function checkClaimChange(check: Check, claim: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  check.add(validateObjectMeta(claim, { namespaced: true, nameValidator: isDns1123Subdomain }));
  const spec = claim.spec ?? {};
  check.add(checkClaimSpec(spec, 'spec'));
  const oldSpec = old.spec ?? {};
  const [annotation, oldAnnotation] = [claim.metadata?.annotations?.[CLASS_ANNOTATION], old.metadata?.annotations?.[CLASS_ANNOTATION]];
  if ((annotation ?? '') !== (oldAnnotation ?? '')) check.invalid(`metadata.annotations[${CLASS_ANNOTATION}]`, annotation ?? '', 'field is immutable');
  const size = spec.resources?.requests?.storage;
  const oldSize = oldSpec.resources?.requests?.storage;

  // What may change is made the same before the rest is compared.
  const now: PersistentVolumeClaimSpec = { ...spec };
  const before: PersistentVolumeClaimSpec = { ...oldSpec };
  if (!before.volumeName) before.volumeName = now.volumeName;
  if (before.storageClassName === undefined && now.storageClassName !== undefined && (oldAnnotation === undefined || oldAnnotation === now.storageClassName)) {
    delete now.storageClassName;
  }
  if (claim.status?.phase === 'Bound') {
    if (now.resources?.requests && oldSize !== undefined) now.resources = { ...now.resources, requests: { ...now.resources.requests, storage: oldSize } };
    now.volumeAttributesClassName = before.volumeAttributesClassName;
  }
  if (!semanticEqual(now, before)) {
    const text = diff(internalValue('PersistentVolumeClaimSpec', before), internalValue('PersistentVolumeClaimSpec', now));
    check.forbidden('spec', `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${text}`);
  }
  if (compareQuantities(size, oldSize) < 0 && compareQuantities(size, old.status?.capacity?.storage) <= 0) {
    check.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity');
  }
  check.immutable('volumeMode', spec.volumeMode, oldSpec.volumeMode);
  if (spec.volumeAttributesClassName === oldSpec.volumeAttributesClassName || old.status?.currentVolumeAttributesClassName === undefined) return;
  const field = 'spec.volumeAttributesClassName';
  if (spec.volumeAttributesClassName === undefined)
    check.forbidden(field, 'update to nil is forbidden when status.currentVolumeAttributesClassName is not nil');
  else if (spec.volumeAttributesClassName === '')
    check.forbidden(field, 'update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil');
}

export const persistentVolumeClaimRules = rules<PersistentVolumeClaim>({
  namespaced: true,
  check(check, claim, old) {
    if (!old) check.add(checkClaimSpec(claim.spec ?? {}, 'spec'));
  },
  change: checkClaimChange,
});

const NOT_SOURCES = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

const sourceOf = (spec: PersistentVolumeSpec): Record<string, unknown> =>
  Object.fromEntries(Object.entries(spec).filter(([key, value]) => !NOT_SOURCES.has(key) && value !== undefined && value !== null));

function checkVolumeSource(check: Check, spec: PersistentVolumeSpec): void {
  const sources = Object.keys(sourceOf(spec));
  if (sources.length === 0) check.required('spec', 'must specify a volume type');
  for (const extra of sources.slice(1)) check.forbidden(`spec.${extra}`, 'may not specify more than 1 volume type');
  const { hostPath, local, nfs, csi } = spec;
  if (hostPath) {
    const { path = '', type = '' } = hostPath;
    if (check.given('spec.hostPath.path', path)) {
      noBacksteps(check, 'spec.hostPath.path', path);
      if (!HOST_PATH_TYPES.includes(type)) check.notSupported('spec.hostPath.type', type, HOST_PATH_TYPES);
    }
  }
  if (local) {
    if (check.given('spec.local.path', local.path)) noBacksteps(check, 'spec.local.path', local.path);
    if (!spec.nodeAffinity) check.required('spec.nodeAffinity', 'Local volume requires node affinity');
  }
  if (nfs) {
    check.given('spec.nfs.server', nfs.server);
    check.given('spec.nfs.path', nfs.path);
    if (!nfs.path?.startsWith('/')) check.invalid('spec.nfs.path', nfs.path ?? '', 'must be an absolute path');
  }
  if (csi) {
    check.given('spec.csi.driver', csi.driver);
    check.given('spec.csi.volumeHandle', csi.volumeHandle);
  }
  if (hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    check.forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'");
  }
}

function checkVolume(check: Check, volume: PersistentVolume): void {
  const spec = volume.spec ?? {};
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) check.required('spec.accessModes');
  checkAccessModes(check, 'spec.accessModes', modes);
  const capacity = spec.capacity ?? {};
  if (Object.keys(capacity).length === 0) check.required('spec.capacity');
  if (capacity.storage === undefined || Object.keys(capacity).length > 1) check.notSupported('spec.capacity', sortedMap(spec.capacity) ?? null, ['storage']);
  for (const [name, amount] of sortedEntries(capacity)) {
    if (compareQuantities(amount, '0') <= 0) check.invalid(`spec.capacity[${name}]`, amount, 'must be greater than zero');
    else checkQuantity(check, `spec.capacity[${name}]`, name, amount);
  }
  if (spec.persistentVolumeReclaimPolicy)
    check.oneOf('spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain']);
  const required = spec.nodeAffinity?.required;
  if (spec.nodeAffinity) {
    if (!required) check.required('spec.nodeAffinity.required', 'must specify required node constraints');
    else checkNodeSelector(check, 'spec.nodeAffinity.required', required);
  }
  checkVolumeSource(check, spec);
  if (spec.storageClassName) check.subdomain('spec.storageClassName', spec.storageClassName);
  if (spec.volumeMode !== undefined) check.oneOf('spec.volumeMode', spec.volumeMode, VOLUME_MODES);
}

export const persistentVolumeRules = rules<PersistentVolume>({
  namespaced: false,
  check(check, volume, old) {
    if (!old) checkVolume(check, volume);
  },
  change(check, volume, old) {
    checkVolume(check, volume);
    const [now, before] = [sourceOf(volume.spec ?? {}), sourceOf(old.spec ?? {})];
    if (!semanticEqual(now, before)) {
      const text = diff(internalValue('PersistentVolumeSource', before), internalValue('PersistentVolumeSource', now));
      check.forbidden('spec.persistentvolumesource', `spec.persistentvolumesource is immutable after creation\n${text}`);
    }
    check.immutable('volumeMode', volume.spec?.volumeMode, old.spec?.volumeMode);
    const print = (affinity: unknown): unknown => (affinity ? internalValue('VolumeNodeAffinity', affinity) : null);
    if (old.spec?.nodeAffinity) check.immutable('nodeAffinity', volume.spec?.nodeAffinity, old.spec.nodeAffinity, print);
  },
});
