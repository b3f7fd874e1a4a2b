import { Check } from '../check.ts';
import { validateLabelSelector } from '../meta/index.ts';
import { isDns1123Subdomain } from '../meta/names.ts';
import { compareQuantities } from '../quantity.ts';
import type { FieldError } from '../strategy.ts';
import type { PersistentVolumeClaimSpec } from '../types.ts';

export const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const VOLUME_MODES = ['Block', 'Filesystem'];

export function checkAccessModes(check: Check, field: string, modes: readonly string[]): void {
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) check.notSupported(field, mode, ACCESS_MODES);
  if (modes.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod')) {
    check.forbidden(field, 'may not use ReadWriteOncePod with other access modes');
  }
}

function checkSource(check: Check, field: string, source: { apiGroup?: string; kind?: string; name?: string; namespace?: string }): void {
  const { apiGroup = '', kind = '', namespace = '' } = source;
  check.given(`${field}.name`, source.name);
  check.given(`${field}.kind`, kind);
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim') check.invalid(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  if (apiGroup !== '') check.subdomain(`${field}.apiGroup`, apiGroup);
  if (namespace !== '') check.label(`${field}.namespace`, namespace);
}

/** As `ValidatePersistentVolumeClaimSpec`: claims, their templates in StatefulSets and ephemeral volumes. */
export function checkClaimSpec(spec: PersistentVolumeClaimSpec, field: string): FieldError[] {
  const check = new Check();
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) check.required(`${field}.accessModes`, 'at least 1 access mode is required');
  check.add(validateLabelSelector(spec.selector, `${field}.selector`));
  checkAccessModes(check, `${field}.accessModes`, modes);
  const storage = spec.resources?.requests?.storage;
  if (storage === undefined) check.required(`${field}.resources[storage]`);
  else if (compareQuantities(storage, '0') <= 0) check.invalid(`${field}.resources[storage]`, storage, 'must be greater than zero');
  const className = spec.storageClassName ?? '';
  if (className !== '') check.rule(`${field}.storageClassName`, className, isDns1123Subdomain);
  if (spec.volumeMode !== undefined && !VOLUME_MODES.includes(spec.volumeMode)) check.notSupported(`${field}.volumeMode`, spec.volumeMode, VOLUME_MODES);
  if (spec.dataSource) checkSource(check, `${field}.dataSource`, spec.dataSource);
  if (spec.dataSourceRef) checkSource(check, `${field}.dataSourceRef`, spec.dataSourceRef);
  if (spec.dataSourceRef?.namespace) {
    if (spec.dataSource) check.invalid(field, `${field}.dataSource`, 'may not be specified when dataSourceRef.namespace is specified');
  } else if (spec.dataSource && spec.dataSourceRef) {
    const [a, b] = [spec.dataSource, spec.dataSourceRef];
    if ((a.apiGroup ?? '') !== (b.apiGroup ?? '') || a.kind !== b.kind || a.name !== b.name)
      check.invalid(field, `${field}.dataSource`, 'must match dataSourceRef');
  }
  if (spec.volumeAttributesClassName) check.rule(`${field}.volumeAttributesClassName`, spec.volumeAttributesClassName, isDns1123Subdomain);
  return check.errors;
}
