import type { FileSystem, Machine, Program } from '../../unix/types.ts';

/** A simulated container image: one small module each. */
export interface ImageDefinition {
  /** Repository as `docker.io/library/mysql`; references are normalised to it. */
  repository: string;
  /** Tags that exist; others fail to pull as a missing tag does. '*' for any. */
  tags: readonly string[];
  /**
   * By tag: the tag under which nodes already know the same image. containerd tells the first name it has of an image, so
   * `status.image` of a Pod may show another tag than its spec.
   */
  knownAs?: Readonly<Record<string, string>>;
  /** As shown in events ("Image size: 120563712 bytes"). */
  sizeBytes: number;
  entrypoint?: readonly string[];
  cmd?: readonly string[];
  env?: Readonly<Record<string, string>>;
  workingDir?: string;
  user?: { uid: number; gid: number };
  exposedPorts?: readonly number[];
  /** Fills the image's filesystem (called once per image; layers are shared copy-on-write). */
  build(fs: FileSystem): void;
  /** Programs by absolute path. */
  programs: Readonly<Record<string, Program>>;
  /** Declared load for metrics and OOM: used when a program does not tell. */
  /**
   * Its probes, once they have succeeded, go on succeeding while the container runs: the kubelet then stops asking (a quiet
   * cluster costs nothing).
   */
  steadyProbes?: boolean;
  usage?: { cpuMillicores: number; memoryBytes: number };
}

/** Finds images; asked by the kubelet. */
export interface ImageCatalog {
  /** Undefined: no such repository or tag (pull fails). `reference` as written in the Pod. */
  find(reference: string): ImageDefinition | undefined;
}

/** Prepares a machine's /etc and /proc the way the container runtime does; the kubelet adds mounts. */
export type MachineSetup = (machine: Machine) => void;
