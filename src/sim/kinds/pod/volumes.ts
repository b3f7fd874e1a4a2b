import { Check } from '../check.ts';
import { checkClaimSpec } from '../core/claim-spec.ts';
import { validateAnnotations, validateLabels } from '../meta/index.ts';
import { compareQuantities } from '../quantity.ts';
import type { DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume } from '../types.ts';
import { checkFieldRef, checkResourceFieldRef, VOLUME_FIELDS } from './env.ts';
import { descending, noBacksteps, notReserved } from './paths.ts';

/** Volumes of a Pod (`ValidateVolumes`). */

export const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

function checkKeyToPath(check: Check, at: string, { key, path = '', mode }: KeyToPath): void {
  check.given(`${at}.key`, key);
  check.given(`${at}.path`, path);
  notReserved(check, `${at}.path`, path);
  check.fileMode(`${at}.mode`, mode);
}

const checkItems = (check: Check, at: string, items: readonly KeyToPath[] = []): void => {
  items.forEach((item, i) => {
    checkKeyToPath(check, `${at}.items[${i}]`, item);
  });
};

function checkDownwardFile(check: Check, at: string, file: DownwardAPIVolumeFile): void {
  const { path = '', fieldRef, resourceFieldRef, mode } = file;
  check.given(`${at}.path`, path);
  notReserved(check, `${at}.path`, path);
  if (fieldRef) {
    checkFieldRef(check, `${at}.fieldRef`, fieldRef, VOLUME_FIELDS);
    if (resourceFieldRef) check.invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously');
  } else if (resourceFieldRef) checkResourceFieldRef(check, `${at}.resourceFieldRef`, resourceFieldRef, true);
  else check.required(at, 'one of fieldRef and resourceFieldRef is required');
  check.fileMode(`${at}.mode`, mode);
}

function checkProjected(check: Check, at: string, { sources = [], defaultMode }: ProjectedVolumeSource): void {
  check.fileMode(`${at}.defaultMode`, defaultMode);
  const seen = new Set<string>();
  const once = (path: string | undefined, name: string): void => {
    if (!path) return;
    if (seen.has(path)) check.invalid(at, name, 'conflicting duplicate paths');
    seen.add(path);
  };
  sources.forEach((source, i) => {
    const from = `${at}.sources[${i}]`;
    for (const kind of ['secret', 'configMap'] as const) {
      const part = source[kind];
      if (!part) continue;
      check.given(`${from}.${kind}.name`, part.name);
      (part.items ?? []).forEach((item, j) => {
        checkKeyToPath(check, `${from}.${kind}.items[${j}]`, item);
        once(item.path, part.name ?? '');
      });
    }
    for (const file of source.downwardAPI?.items ?? []) {
      checkDownwardFile(check, `${from}.downwardAPI`, file);
      once(file.path, file.path ?? '');
    }
    const token = source.serviceAccountToken;
    if (token) {
      const seconds = token.expirationSeconds ?? 0;
      const field = `${from}.serviceAccountToken.expirationSeconds`;
      if (seconds < 600) check.invalid(field, seconds, 'may not specify a duration less than 10 minutes');
      if (seconds > 2 ** 32) check.invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds');
      if (check.given(`${at}.path`, token.path)) notReserved(check, `${at}.path`, token.path);
    }
    const count = Object.values(source).filter((part) => part !== undefined && part !== null).length;
    if (count === 0) check.required(from, 'specify at least one source');
    if (count > 1) check.forbidden(from, 'may not specify more than 1 volume type');
  });
}

/** Rules per type of volume; types without rules that can be checked here are not listed. */
const SOURCES: { [K in keyof Volume]?: (check: Check, at: string, source: NonNullable<Volume[K]>, name: string) => void } = {
  emptyDir(check, at, { sizeLimit }) {
    if (compareQuantities(sizeLimit, '0') < 0) check.forbidden(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity');
  },
  hostPath(check, at, { path = '', type = '' }) {
    if (!check.given(`${at}.path`, path)) return;
    noBacksteps(check, `${at}.path`, path);
    if (!HOST_PATH_TYPES.includes(type)) check.notSupported(`${at}.type`, type, HOST_PATH_TYPES);
  },
  gitRepo(check, at, { repository, directory = '' }) {
    check.given(`${at}.repository`, repository);
    descending(check, `${at}.directory`, directory);
  },
  secret(check, at, { secretName, defaultMode, items }) {
    check.given(`${at}.secretName`, secretName);
    check.fileMode(`${at}.defaultMode`, defaultMode);
    checkItems(check, at, items);
  },
  nfs(check, at, { server, path = '' }) {
    check.given(`${at}.server`, server);
    check.given(`${at}.path`, path);
    if (!path.startsWith('/')) check.invalid(`${at}.path`, path, 'must be an absolute path');
  },
  persistentVolumeClaim(check, at, { claimName }) {
    check.given(`${at}.claimName`, claimName);
  },
  downwardAPI(check, at, { defaultMode, items = [] }) {
    check.fileMode(`${at}.defaultMode`, defaultMode);
    for (const file of items) checkDownwardFile(check, at, file);
  },
  configMap(check, at, { name, defaultMode, items }) {
    check.given(`${at}.name`, name);
    check.fileMode(`${at}.defaultMode`, defaultMode);
    checkItems(check, at, items);
  },
  projected: checkProjected,
  csi(check, at, { driver }) {
    check.given(`${at}.driver`, driver);
  },
  ephemeral(check, at, { volumeClaimTemplate }) {
    if (!volumeClaimTemplate) {
      check.required(`${at}.volumeClaimTemplate`);
      return;
    }
    const { metadata, spec = {} } = volumeClaimTemplate;
    check.add(validateAnnotations(metadata?.annotations, `${at}.volumeClaimTemplate.metadata.annotations`));
    check.add(validateLabels(metadata?.labels, `${at}.volumeClaimTemplate.metadata.labels`));
    check.add(checkClaimSpec(spec, `${at}.volumeClaimTemplate.spec`));
  },
  image(check, at, { reference, pullPolicy }) {
    if (!reference) check.required(`${at}.reference`);
    check.oneOf(`${at}.pullPolicy`, pullPolicy, ['Always', 'IfNotPresent', 'Never']);
  },
};

/** Which volumes are claims, by name: block devices need one. */
export type VolumeNames = ReadonlyMap<string, { isClaim: boolean }>;

export function checkVolumes(check: Check, field: string, volumes: readonly Volume[], podName: string): VolumeNames {
  const names = new Map<string, { isClaim: boolean }>();
  const created = new Set(podName === '' ? [] : volumes.filter(({ ephemeral }) => ephemeral).map(({ name }) => `${podName}-${name}`));
  volumes.forEach((volume, i) => {
    const at = `${field}[${i}]`;
    const own = new Check();
    let count = 0;
    for (const key of new Set([...Object.keys(SOURCES), ...Object.keys(volume)]) as Set<keyof Volume>) {
      const source = volume[key];
      if (key === 'name' || source === undefined || source === null) continue;
      if (count++ > 0) own.forbidden(`${at}.${key}`, 'may not specify more than 1 volume type');
      else (SOURCES[key] as ((check: Check, at: string, source: unknown) => void) | undefined)?.(own, `${at}.${key}`, source);
    }
    if (count === 0) own.required(at, 'must specify a volume type');
    const { name = '' } = volume;
    if (own.given(`${at}.name`, name)) own.label(`${at}.name`, name);
    if (names.has(name)) own.duplicate(`${at}.name`, name);
    if (own.errors.length === 0) names.set(name, { isClaim: Boolean(volume.persistentVolumeClaim ?? volume.ephemeral) });
    check.add(own.errors);
    const claim = volume.persistentVolumeClaim?.claimName ?? '';
    if (created.has(claim)) check.invalid(`${at}.persistentVolumeClaim.claimName`, claim, 'must not reference a PVC that gets created for an ephemeral volume');
  });
  return names;
}
