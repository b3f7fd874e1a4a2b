import type { ClusterNetwork, OwnedStack, PodAttachment } from '../network/index.ts';
import type { PodWorker } from './pod-worker.ts';

/** Gives Pods of one node their place in the network (CNI ADD and DEL). */
export class SandboxNetwork {
  readonly #network: ClusterNetwork;
  readonly #node: string;
  readonly #attachments = new Map<string, PodAttachment>();

  constructor(network: ClusterNetwork, node: string) {
    this.#network = network;
    this.#node = node;
  }

  /** Makes the Pod's sandbox with its network. Returns the runtime's words when that fails. */
  create(worker: PodWorker, id: string, attempt: number): string | undefined {
    const { pod, uid } = worker;
    this.#attachments.get(uid)?.detach();
    const hostPorts = (pod.spec?.containers ?? [])
      .flatMap((container) => container.ports ?? [])
      .filter((port) => port.hostPort && port.protocol !== 'SCTP')
      .map((port) => ({
        protocol: port.protocol === 'UDP' ? ('udp' as const) : ('tcp' as const),
        ...(port.hostIP === undefined ? {} : { hostIP: port.hostIP }),
        hostPort: port.hostPort ?? 0,
        containerPort: port.containerPort ?? 0,
      }));
    try {
      const attachment = this.#network.attachPod({
        node: this.#node,
        namespace: pod.metadata?.namespace ?? '',
        name: pod.metadata?.name ?? '',
        uid,
        ...(pod.spec?.hostNetwork ? { hostNetwork: true } : {}),
        ...(hostPorts.length > 0 && !pod.spec?.hostNetwork ? { hostPorts } : {}),
      });
      this.#attachments.set(uid, attachment);
      worker.runtime.sandboxes.unshift({ id, attempt, ready: true, ip: attachment.ip });
      return undefined;
    } catch (error) {
      // The network's plain error: no address is left.
      if (!(error instanceof Error) || error.name !== 'Error') throw error;
      return `rpc error: code = Unknown desc = failed to setup network for sandbox "${id}": plugin type="flannel" failed (add): ${error.message}`;
    }
  }

  stop(worker: PodWorker): void {
    for (const sandbox of worker.runtime.sandboxes) sandbox.ready = false;
    this.#attachments.get(worker.uid)?.detach();
    this.#attachments.delete(worker.uid);
  }

  /** A view of the Pod's network for one container run. */
  openStack(worker: PodWorker): OwnedStack {
    const attachment = this.#attachments.get(worker.uid);
    if (!attachment) throw new Error(`no sandbox for ${worker.uid}`);
    return attachment.openStack();
  }

  get(uid: string): PodAttachment | undefined {
    return this.#attachments.get(uid);
  }

  detachAll(): void {
    for (const attachment of this.#attachments.values()) attachment.detach();
    this.#attachments.clear();
  }
}
