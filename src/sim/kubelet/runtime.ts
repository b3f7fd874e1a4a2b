import { type Kernel, randomHex } from '../../kernel/index.ts';
import type { Machine } from '../../unix/types.ts';
import type { Container } from '../kinds/types.ts';
import type { ContainerLog } from './container-log.ts';
import type { OutputListener } from './launcher.ts';

/** What a container is doing, as the container runtime (CRI) tells it. */
export type RuntimeContainerState = 'created' | 'running' | 'exited';

/** How a container ended. */
export interface ContainerExit {
  exitCode: number;
  /** "Completed", "Error", "OOMKilled", "StartError"; the runtime sets it, the kubelet reports it. */
  reason: string;
}

/** The processes of one running container: started by the launcher, stopped by signals. */
export interface ContainerProcess {
  /** Its machine; built on first use when the program never needed one. */
  machine(): Machine;
  /** Sends a signal to PID 1. */
  signal(name: 'SIGTERM' | 'SIGKILL' | (string & {})): void;
  /** Writes to PID 1's standard input (only containers with `stdin: true` have one). */
  readonly stdin?: ContainerInput;
  /** Its terminal (only containers with `tty: true`). */
  readonly terminal?: { resize(columns: number, rows: number): void };
}

/** The write end of a container's standard input. */
export interface ContainerInput {
  write(chunk: Uint8Array): void;
  end(): void;
}

/** One container in a sandbox. A restart makes a new one with the next `attempt`. */
export interface RuntimeContainer {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly podUid: string;
  /** Number of earlier containers of this name in the Pod. */
  readonly attempt: number;
  readonly createdMs: number;
  /** Reference shown in `status.image` ("docker.io/library/mysql:8.1"). */
  image: string;
  /** Reference by digest shown in `status.imageID`. */
  imageRef: string;
  state: RuntimeContainerState;
  startedMs: number;
  finishedMs: number;
  exitCode: number;
  reason: string;
  message: string;
  user: { uid: number; gid: number; supplementalGroups: readonly number[] };
  /** Identity of the container's spec when it was created: a change restarts the container. */
  specHash: string;
  /** What its processes start with; execs start with the same. */
  environment: ReadonlyMap<string, string>;
  cwd: string;
  /** From the image: see `ImageDefinition.steadyProbes`. */
  steadyProbes: boolean;
  readonly log: ContainerLog;
  /** Who is attached to its output. */
  readonly listeners: Set<OutputListener>;
  process?: ContainerProcess;
  /** What it runs with while a resize of it is not done yet. */
  actuatedResources?: NonNullable<Container['resources']>;
}

/** One Pod sandbox: the network identity that containers of a Pod share. */
export interface Sandbox {
  readonly id: string;
  readonly attempt: number;
  ready: boolean;
  ip: string;
}

/** All that the runtime knows of one Pod. Newest first. */
export interface RuntimePod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  sandboxes: Sandbox[];
  containers: RuntimeContainer[];
}

/**
 * The container runtime of one node (containerd): what runs there, independent of whether the kubelet does. It outlives a
 * stopped kubelet and dies with the machine.
 */
export class NodeRuntime {
  readonly #kernel: Kernel;
  readonly #pods = new Map<string, RuntimePod>();
  /** Told whenever a container ends by itself or is killed. */
  onExit: (container: RuntimeContainer) => void = () => {};

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get(uid: string): RuntimePod | undefined {
    return this.#pods.get(uid);
  }

  ensure(uid: string, namespace: string, name: string): RuntimePod {
    let pod = this.#pods.get(uid);
    if (!pod) {
      pod = { uid, namespace, name, sandboxes: [], containers: [] };
      this.#pods.set(uid, pod);
    }
    return pod;
  }

  pods(): IterableIterator<RuntimePod> {
    return this.#pods.values();
  }

  newId(): string {
    return randomHex(this.#kernel.random, 64);
  }

  /** Marks a container as ended and reports it. Nothing happens when it has ended before. */
  exited(container: RuntimeContainer, exit: ContainerExit): void {
    if (container.state === 'exited') return;
    container.state = 'exited';
    container.exitCode = exit.exitCode;
    container.reason = exit.reason;
    container.finishedMs = this.#kernel.now();
    container.log.close();
    this.onExit(container);
  }

  /** Forgets a Pod entirely (the kubelet's garbage collection after the Pod is gone). */
  remove(uid: string): void {
    this.#pods.delete(uid);
  }

  /** The machine loses power: everything in it ends at once. */
  powerOff(): void {
    for (const pod of this.#pods.values()) {
      for (const sandbox of pod.sandboxes) sandbox.ready = false;
      for (const container of pod.containers) {
        if (container.state === 'exited') continue;
        const process = container.process;
        this.exited(container, { exitCode: 255, reason: 'Unknown' });
        process?.signal('SIGKILL');
      }
    }
  }
}

/** The newest container of this name, or undefined. */
export function newestContainer(pod: RuntimePod, name: string): RuntimeContainer | undefined {
  return pod.containers.find((container) => container.name === name);
}

/** The sandbox that is up, if any. */
export function readySandbox(pod: RuntimePod): Sandbox | undefined {
  const newest = pod.sandboxes[0];
  return newest?.ready ? newest : undefined;
}
