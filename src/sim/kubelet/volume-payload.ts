import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Secret, Volume } from '../kinds/types.ts';
import type { FileProjection } from './atomic-writer.ts';
import { decodeBase64 } from './base64.ts';
import { fieldValue, resourceFieldValue } from './environment.ts';
import type { PodWorker } from './pod-worker.ts';
import { serviceAccountToken } from './service-account-token.ts';

/** A volume that cannot be set up; the text follows `MountVolume.SetUp failed for volume "…" : `. */
export class MountError extends Error {}

type Files = Map<string, FileProjection>;

/** Objects whose changes change a volume's content. */
export interface PayloadSources {
  configMaps: readonly string[];
  secrets: readonly string[];
  downward: boolean;
}

/** Which objects a volume shows; undefined when it is no projection of objects. */
export function payloadSources(volume: Volume): PayloadSources | undefined {
  if (volume.configMap) return { configMaps: [volume.configMap.name ?? ''], secrets: [], downward: false };
  if (volume.secret) return { configMaps: [], secrets: [volume.secret.secretName ?? ''], downward: false };
  if (volume.downwardAPI) return { configMaps: [], secrets: [], downward: true };
  if (!volume.projected) return undefined;
  const sources = volume.projected.sources ?? [];
  return {
    configMaps: sources.flatMap((source) => (source.configMap ? [source.configMap.name ?? ''] : [])),
    secrets: sources.flatMap((source) => (source.secret ? [source.secret.name ?? ''] : [])),
    downward: sources.some((source) => source.downwardAPI),
  };
}

/** The files of a configMap, secret, downwardAPI or projected volume, as they are now. Throws `MountError`. */
export function volumePayload(worker: PodWorker, volume: Volume): Files {
  const files: Files = new Map();
  if (volume.configMap) {
    const { name = '', items, defaultMode = 0o644, optional = false } = volume.configMap;
    addConfigMap(worker, files, name, items, defaultMode, optional);
  } else if (volume.secret) {
    const { secretName = '', items, defaultMode = 0o644, optional = false } = volume.secret;
    addSecret(worker, files, secretName, items, defaultMode, optional);
  } else if (volume.downwardAPI) {
    addDownward(worker, files, volume.downwardAPI.items ?? [], volume.downwardAPI.defaultMode ?? 0o644);
  } else if (volume.projected) {
    const mode = volume.projected.defaultMode ?? 0o644;
    const problems: string[] = [];
    for (const source of volume.projected.sources ?? []) {
      try {
        if (source.configMap) addConfigMap(worker, files, source.configMap.name ?? '', source.configMap.items, mode, source.configMap.optional ?? false);
        else if (source.secret) addSecret(worker, files, source.secret.name ?? '', source.secret.items, mode, source.secret.optional ?? false);
        else if (source.downwardAPI) addDownward(worker, files, source.downwardAPI.items ?? [], mode);
        else if (source.serviceAccountToken) {
          files.set(source.serviceAccountToken.path ?? 'token', { data: serviceAccountToken(worker, source.serviceAccountToken), mode });
        } else throw new MountError('this kind of projected volume source is not simulated yet');
      } catch (error) {
        if (!(error instanceof MountError)) throw error;
        problems.push(error.message);
      }
    }
    const distinct = [...new Set(problems)];
    if (distinct.length === 1) throw new MountError(distinct[0]);
    if (distinct.length > 1) throw new MountError(`[${distinct.join(', ')}]`);
  }
  return files;
}

function addConfigMap(worker: PodWorker, files: Files, name: string, items: KeyToPath[] | undefined, mode: number, optional: boolean): void {
  const found = worker.kubelet.client.resource<ConfigMap>('v1/configmaps').get(worker.pod.metadata?.namespace ?? '', name);
  if (!found) {
    if (optional) return;
    throw new MountError(`configmap "${name}" not found`);
  }
  const data = new Map<string, Uint8Array | string>(Object.entries(found.data ?? {}));
  for (const [key, value] of Object.entries(found.binaryData ?? {})) data.set(key, decodeBase64(value));
  addItems(files, data, items, mode, optional, (key) => `configmap references non-existent config key: ${key}`);
}

function addSecret(worker: PodWorker, files: Files, name: string, items: KeyToPath[] | undefined, mode: number, optional: boolean): void {
  const found = worker.kubelet.client.resource<Secret>('v1/secrets').get(worker.pod.metadata?.namespace ?? '', name);
  if (!found) {
    if (optional) return;
    throw new MountError(`secret "${name}" not found`);
  }
  const data = new Map<string, Uint8Array | string>(Object.entries(found.data ?? {}).map(([key, value]) => [key, decodeBase64(value)]));
  addItems(files, data, items, mode, optional, (key) => `references non-existent secret key: ${key}`);
}

function addItems(
  files: Files,
  data: ReadonlyMap<string, Uint8Array | string>,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  optional: boolean,
  problem: (key: string) => string,
): void {
  if (!items || items.length === 0) {
    for (const [key, content] of data) files.set(key, { data: content, mode });
    return;
  }
  for (const item of items) {
    const content = data.get(item.key ?? '');
    if (content !== undefined) files.set(item.path ?? '', { data: content, mode: item.mode ?? mode });
    else if (!optional) throw new MountError(problem(item.key ?? ''));
  }
}

function addDownward(worker: PodWorker, files: Files, items: readonly DownwardAPIVolumeFile[], mode: number): void {
  for (const item of items) {
    const data = item.fieldRef
      ? fieldValue(worker, item.fieldRef.fieldPath ?? '', worker.podIps[0] ?? '')
      : item.resourceFieldRef
        ? resourceFieldValue(worker, item.resourceFieldRef, undefined)
        : '';
    files.set(item.path ?? '', { data, mode: item.mode ?? mode });
  }
}
