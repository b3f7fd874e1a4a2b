import type { Machine, NetworkStack, Volume } from '../../unix/types.ts';
import type { Container, Pod } from '../kinds/types.ts';
import type { LocalImage } from './image-manager.ts';
import type { ContainerExit, ContainerProcess, RuntimeContainer } from './runtime.ts';

/** One mount in a container. */
export interface ContainerMount {
  path: string;
  /** Makes the tree to mount: asked when the container's machine is built. */
  open(): {
    volume: Volume;
    readOnly: boolean;
    subPath?: string;
    /** As /proc/mounts shows them. */
    source: string;
    type: string;
  };
}

/** A file that the kubelet or the runtime puts into the container (/etc/hosts, the termination log). */
export interface ProvidedFile {
  path: string;
  content: string;
  mode: number;
}

/** Gets what PID 1 writes, as it writes it (attach). */
export type OutputListener = (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;

/** All that is needed to start a container's processes. */
export interface LaunchOptions {
  pod: Pod;
  spec: Container;
  container: RuntimeContainer;
  image: LocalImage;
  /** Command line: entrypoint and arguments, expanded. */
  argv: readonly string[];
  env: ReadonlyMap<string, string>;
  cwd: string;
  hostname: string;
  mounts: readonly ContainerMount[];
  files: readonly ProvidedFile[];
  openStack: () => NetworkStack & { dispose?: () => void };
  listeners: ReadonlySet<OutputListener>;
  readOnlyRoot: boolean;
  /** The machine whose processes are shared (shareProcessNamespace). */
  shareProcessesWith?: () => Machine | undefined;
  /** By dotted name. */
  sysctls: Readonly<Record<string, string>>;
  nodeMemoryBytes: number;
  nodeCpus: number;
  memoryLimitBytes?: number;
  /** Called once, with what the container left as its termination message. */
  onExit: (exit: ContainerExit, message: string) => void;
}

/** Why a container could not be started: the words of the OCI runtime. */
export class LaunchError extends Error {
  /** Exit code the runtime reports (128 StartError, 127 not found, 126 not executable). */
  readonly exitCode: number;
  constructor(message: string, exitCode = 128) {
    super(message);
    this.name = 'LaunchError';
    this.exitCode = exitCode;
  }
}

/** Starts programs in containers. Throws `LaunchError`. */
export type ContainerLauncher = (options: LaunchOptions) => ContainerProcess;
