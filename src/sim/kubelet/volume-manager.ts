import type { Disposable } from '../../kernel/index.ts';
import { createVolume, type Volume as FileTree, volumeFileSystem } from '../../unix/index.ts';
import { quantityValue } from '../kinds/quantity.ts';
import type { Container, HostPathVolumeSource, PersistentVolume, PersistentVolumeClaim, Pod, Volume, VolumeMount } from '../kinds/types.ts';
import { writeAtomically } from './atomic-writer.ts';
import { ConfigError } from './config-error.ts';
import { makeEnvironment } from './environment.ts';
import { expand } from './expansion.ts';
import type { Kubelet } from './kubelet.ts';
import type { ContainerMount } from './launcher.ts';
import type { PodWorker } from './pod-worker.ts';
import { MountError, payloadSources, volumePayload } from './volume-payload.ts';
import type { VolumeStore } from './volume-store.ts';

/** Where a volume's files are. */
interface Mounted {
  tree: FileTree;
  /** Directory in the tree (a path on the node's disk), without a leading slash. */
  directory: string;
  source: string;
  type: string;
  readOnly: boolean;
  /** Brings the content up to date (objects that changed). */
  refresh?: () => void;
}

/** Volumes of one Pod: made when first looked at, kept until the Pod is gone. */
interface PodVolumes {
  mounted: Map<string, Mounted>;
  timers: Map<string, Disposable>;
}

/** First wait after a failed mount, doubled up to the limit (`exponentialbackoff`: 500 ms, 2 m 2 s). */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 122_000;
/** A changed ConfigMap reaches the files with a periodic sync of the Pod (60 to 90 s) at the latest. */
const REFRESH_MS = [5_000, 75_000] as const;

/** How often the eviction manager looks. */
const EVICTION_PERIOD_MS = 10_000;

/** Makes a Pod's volumes and mounts them into containers (models `pkg/kubelet/volumemanager` and `pkg/volume`). */
export class VolumeManager {
  readonly #kubelet: Kubelet;
  readonly #store: VolumeStore;
  readonly #pods = new Map<string, PodVolumes>();

  constructor(kubelet: Kubelet, store: VolumeStore) {
    this.#kubelet = kubelet;
    this.#store = store;
  }

  /** Resolves to true once every volume can be mounted; false when the Pod has to go meanwhile. Failures are FailedMount events. */
  async waitForMounts(worker: PodWorker): Promise<boolean> {
    if (this.#pods.has(worker.uid)) return true;
    let waitMs = FIRST_RETRY_MS;
    for (;;) {
      const problems = this.#problems(worker);
      if (problems.length === 0) {
        this.#pods.set(worker.uid, { mounted: new Map(), timers: new Map() });
        return true;
      }
      for (const problem of problems) this.#kubelet.podEvent(worker.pod, 'Warning', 'FailedMount', problem);
      await Promise.race([this.#kubelet.sleep(waitMs), aborted(worker.signal)]);
      if (worker.signal.aborted || this.#kubelet.dead) return false;
      waitMs = Math.min(waitMs * 2, MAX_RETRY_MS);
    }
  }

  #problems(worker: PodWorker): string[] {
    const out: string[] = [];
    const used = usedVolumes(worker.pod);
    for (const volume of worker.pod.spec?.volumes ?? []) {
      if (!used.has(volume.name ?? '')) continue;
      try {
        if (payloadSources(volume)) volumePayload(worker, volume);
        else this.#check(worker, volume);
      } catch (error) {
        if (!(error instanceof MountError)) throw error;
        out.push(`MountVolume.SetUp failed for volume "${this.#pvName(worker, volume) ?? volume.name}" : ${error.message}`);
      }
    }
    return out;
  }

  #claim(worker: PodWorker, volume: Volume): PersistentVolumeClaim | undefined {
    const name = volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${worker.pod.metadata?.name}-${volume.name}` : undefined);
    if (name === undefined) return undefined;
    return this.#kubelet.client.resource<PersistentVolumeClaim>('v1/persistentvolumeclaims').get(worker.pod.metadata?.namespace ?? '', name);
  }

  #pvName(worker: PodWorker, volume: Volume): string | undefined {
    return this.#claim(worker, volume)?.spec?.volumeName;
  }

  #persistentVolume(worker: PodWorker, volume: Volume): PersistentVolume {
    const claim = this.#claim(worker, volume);
    if (!claim) throw new MountError(`persistentvolumeclaim "${volume.persistentVolumeClaim?.claimName ?? volume.name}" not found`);
    if (claim.status?.phase !== 'Bound' || !claim.spec?.volumeName)
      throw new MountError(`PVC ${claim.metadata?.namespace}/${claim.metadata?.name} is not bound`);
    const pv = this.#kubelet.client.resource<PersistentVolume>('v1/persistentvolumes').get('', claim.spec.volumeName);
    if (!pv) throw new MountError(`persistentvolume "${claim.spec.volumeName}" not found`);
    return pv;
  }

  /** Whether a volume that is no projection can be mounted here. Throws `MountError`. */
  #check(worker: PodWorker, volume: Volume): void {
    if (volume.persistentVolumeClaim || volume.ephemeral) {
      const pv = this.#persistentVolume(worker, volume);
      if (pv.spec?.hostPath) this.#checkHostPath(pv.spec.hostPath);
      if (pv.spec?.local && !this.#store.disk(this.#kubelet.nodeName).fs.exists(pv.spec.local.path ?? '')) {
        throw new MountError(`path "${pv.spec.local.path}" does not exist`);
      }
    } else if (volume.hostPath) this.#checkHostPath(volume.hostPath);
    else if (!volume.emptyDir) throw new MountError('this kind of volume is not simulated yet');
  }

  /** hostPath's `type` check; also makes what may be made. */
  #checkHostPath(source: HostPathVolumeSource): void {
    const { fs } = this.#store.disk(this.#kubelet.nodeName);
    const path = source.path ?? '/';
    const found = fs.exists(path) ? fs.stat(path).type : undefined;
    const mustBe = (type: string | undefined, what: string): void => {
      if (type === undefined || found !== type) throw new MountError(`hostPath type check failed: ${path} is not a ${what}`);
    };
    switch (source.type ?? '') {
      case 'DirectoryOrCreate':
        if (!found) fs.mkdir(path, { recursive: true });
        else mustBe('directory', 'directory');
        break;
      case 'Directory':
        mustBe('directory', 'directory');
        break;
      case 'FileOrCreate':
        if (!found) fs.writeFile(path, '');
        else mustBe('file', 'file');
        break;
      case 'File':
        mustBe('file', 'file');
        break;
      case 'Socket':
        mustBe(undefined, 'socket file');
        break;
      case 'CharDevice':
        mustBe(undefined, 'character device');
        break;
      case 'BlockDevice':
        mustBe(undefined, 'block device');
        break;
      default:
        if (!found) fs.mkdir(path, { recursive: true });
    }
  }

  /** What to mount into a container; trees are made when its machine is. Throws `ConfigError` for a bad subPath. */
  mountsFor(worker: PodWorker, spec: Container): ContainerMount[] {
    return (spec.volumeMounts ?? []).map((mount) => {
      const volume = worker.pod.spec?.volumes?.find((candidate) => candidate.name === mount.name);
      if (!volume) throw new ConfigError(`cannot find volume "${mount.name}" to mount into container "${spec.name}"`);
      const subPath = subPathOf(worker, spec, mount);
      return {
        path: mount.mountPath ?? '',
        open: () => {
          const mounted = this.#mounted(worker, volume);
          const inTree = [mounted.directory, subPath].filter(Boolean).join('/');
          if (subPath) makeSubPath(mounted, inTree);
          return {
            volume: mounted.tree,
            readOnly: (mount.readOnly ?? false) || mounted.readOnly,
            source: mounted.source,
            type: mounted.type,
            ...(inTree ? { subPath: inTree } : {}),
          };
        },
      };
    });
  }

  #mounted(worker: PodWorker, volume: Volume): Mounted {
    const pod = this.#pods.get(worker.uid);
    const known = pod?.mounted.get(volume.name ?? '');
    if (known) return known;
    const made = this.#make(worker, volume);
    pod?.mounted.set(volume.name ?? '', made);
    return made;
  }

  #make(worker: PodWorker, volume: Volume): Mounted {
    const { kernel } = this.#kubelet;
    const group = worker.pod.spec?.securityContext?.fsGroup;
    if (payloadSources(volume)) {
      const inMemory = volume.secret !== undefined || volume.projected !== undefined;
      const tree = createVolume({ id: `${worker.uid}/${volume.name}`, kernel, mode: inMemory ? 0o1777 : 0o777 });
      const fs = volumeFileSystem(tree);
      const refresh = (): void => {
        try {
          writeAtomically(kernel, fs, volumePayload(worker, volume));
        } catch (error) {
          // What vanished meanwhile leaves the files as they were.
          if (!(error instanceof MountError)) throw error;
        }
      };
      refresh();
      return { tree, directory: '', source: inMemory ? 'tmpfs' : '/dev/vda1', type: inMemory ? 'tmpfs' : 'ext4', readOnly: true, refresh };
    }
    if (volume.emptyDir) {
      const memory = volume.emptyDir.medium === 'Memory';
      const limit = volume.emptyDir.sizeLimit;
      const tree = createVolume({
        id: `${worker.uid}/${volume.name}`,
        kernel,
        mode: 0o777,
        ...(memory && limit ? { capacityBytes: quantityValue(limit) } : {}),
      });
      if (group !== undefined) volumeFileSystem(tree).chown('/', 0, group);
      if (limit && !memory) this.#watchSize(worker, volume.name ?? '', tree, limit);
      return { tree, directory: '', source: memory ? 'tmpfs' : '/dev/vda1', type: memory ? 'tmpfs' : 'ext4', readOnly: false };
    }
    const disk = this.#store.disk(this.#kubelet.nodeName);
    const onDisk = (path: string): Mounted => {
      if (!disk.fs.exists(path)) disk.fs.mkdir(path, { recursive: true });
      return { tree: disk.volume, directory: path.replace(/^\/+|\/+$/g, ''), source: '/dev/vda1', type: 'ext4', readOnly: false };
    };
    if (volume.hostPath) return onDisk(volume.hostPath.path ?? '/');
    const pv = this.#persistentVolume(worker, volume);
    const readOnly = volume.persistentVolumeClaim?.readOnly ?? false;
    if (pv.spec?.hostPath) return { ...onDisk(pv.spec.hostPath.path ?? '/'), readOnly };
    if (pv.spec?.local) return { ...onDisk(pv.spec.local.path ?? '/'), readOnly };
    const key = `pv:${pv.metadata?.name}`;
    return { tree: this.#store.shared(key), directory: '', source: key, type: pv.spec?.nfs ? 'nfs4' : 'ext4', readOnly };
  }

  /** An emptyDir that outgrows its sizeLimit costs the Pod its life (`localStorageEviction`; the manager looks every ten seconds). */
  #watchSize(worker: PodWorker, name: string, tree: FileTree, limit: string): void {
    const { kernel } = this.#kubelet;
    const limitBytes = quantityValue(limit);
    let planned = false;
    const watch = tree.onChange(() => {
      if (planned || tree.usedBytes() <= limitBytes) return;
      planned = true;
      kernel.timer(EVICTION_PERIOD_MS - (kernel.now() % EVICTION_PERIOD_MS), () => {
        planned = false;
        if (tree.usedBytes() <= limitBytes) return;
        watch.dispose();
        worker.evict(`Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `);
      });
    });
  }

  /** A ConfigMap or Secret changed: the files of Pods that show it follow some time later. */
  objectChanged(worker: PodWorker, sort: 'configMaps' | 'secrets', name: string): void {
    const pod = this.#pods.get(worker.uid);
    if (!pod) return;
    for (const volume of worker.pod.spec?.volumes ?? []) {
      const mounted = pod.mounted.get(volume.name ?? '');
      if (!mounted?.refresh || !payloadSources(volume)?.[sort].includes(name)) continue;
      this.#refreshLater(pod, volume.name ?? '', mounted, Math.round(this.#kubelet.kernel.random.between(REFRESH_MS[0], REFRESH_MS[1])));
    }
  }

  /** The Pod's labels or annotations changed: the next sync rewrites downward API files. */
  podChanged(worker: PodWorker): void {
    const pod = this.#pods.get(worker.uid);
    if (!pod) return;
    for (const volume of worker.pod.spec?.volumes ?? []) {
      const mounted = pod.mounted.get(volume.name ?? '');
      if (mounted?.refresh && payloadSources(volume)?.downward) this.#refreshLater(pod, volume.name ?? '', mounted, 300);
    }
  }

  #refreshLater(pod: PodVolumes, name: string, mounted: Mounted, delayMs: number): void {
    if (pod.timers.has(name)) return;
    pod.timers.set(
      name,
      this.#kubelet.kernel.timer(delayMs, () => {
        pod.timers.delete(name);
        mounted.refresh?.();
      }),
    );
  }

  /** The machine was restarted: what lay on its disk is still there, what lay in memory is not. */
  adopt(before: VolumeManager): void {
    for (const [uid, pod] of before.#pods) {
      for (const timer of pod.timers.values()) timer.dispose();
      const mounted = new Map([...pod.mounted].filter(([, volume]) => volume.type !== 'tmpfs' && !volume.refresh));
      this.#pods.set(uid, { mounted, timers: new Map() });
    }
  }

  /** The Pod has ended: what belongs to it alone is gone. */
  unmount(worker: PodWorker): void {
    const pod = this.#pods.get(worker.uid);
    for (const timer of pod?.timers.values() ?? []) timer.dispose();
    this.#pods.delete(worker.uid);
  }
}

/** Names of volumes that some container mounts. */
function usedVolumes(pod: Pod): Set<string> {
  const spec = pod.spec ?? {};
  const names = new Set<string>();
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]) {
    for (const mount of container.volumeMounts ?? []) names.add(mount.name ?? '');
    for (const device of container.volumeDevices ?? []) names.add(device.name ?? '');
  }
  return names;
}

function subPathOf(worker: PodWorker, spec: Container, mount: VolumeMount): string {
  if (mount.subPathExpr) {
    const own = makeEnvironment(worker, spec, worker.podIps[0] ?? '');
    const value = expand(mount.subPathExpr, (name) => own.get(name));
    if (value.startsWith('/')) throw new ConfigError(`subPath "${value}" must not be an absolute path`);
    if (value.split('/').includes('..')) throw new ConfigError(`unable to provision SubPath \`${value}\`: must not contain '..'`);
    return value;
  }
  return (mount.subPath ?? '').replace(/\/+$/, '');
}

/** A subPath that does not exist becomes a directory. */
function makeSubPath(mounted: Mounted, path: string): void {
  const fs = volumeFileSystem(mounted.tree);
  if (!fs.exists(`/${path}`)) fs.mkdir(`/${path}`, { recursive: true, mode: 0o755 });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
