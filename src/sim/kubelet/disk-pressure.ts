import type { Disposable } from '../../kernel/index.ts';
import { quantityValue } from '../kinds/quantity.ts';
import type { Pod } from '../kinds/types.ts';
import type { Kubelet } from './kubelet.ts';
import { NODE_CAPACITY } from './node-agent.ts';
import type { PodWorker } from './pod-worker.ts';

/** How often the eviction manager looks. */
const PERIOD_MS = 10_000;
/** k3s starts its kubelets with --eviction-hard=nodefs.available<5%. */
const THRESHOLD = 0.05;
/** evictionPressureTransitionPeriod: a condition stays this long after its signal has gone. */
const TRANSITION_MS = 300_000;
/** What the machine's own software takes of its disk. */
const OWN_SHARE = 0.4;
const SYSTEM_CRITICAL = 2_000_000_000;

/**
 * The eviction manager of a node whose disk fills up (models `pkg/kubelet/eviction`, signal nodefs.available): the node
 * gets DiskPressure, new Pods are turned away, and each round one Pod is evicted, lowest priority first. Left out: what
 * containers themselves use, and image garbage collection (the disk is filled by files that are not Kubernetes').
 */
export class DiskPressure {
  readonly #kubelet: Kubelet;
  #filledBytes = 0;
  #metMs: number | undefined;
  #timer: Disposable | undefined;

  constructor(kubelet: Kubelet) {
    this.#kubelet = kubelet;
    this.#plan();
  }

  /** Whether the node has the condition. */
  get active(): boolean {
    return this.#metMs !== undefined && this.#kubelet.kernel.now() - this.#metMs < TRANSITION_MS;
  }

  /** Bytes in files that somebody put on the machine's disk. */
  fill(bytes: number): void {
    this.#filledBytes = bytes;
  }

  /** The same disk under the kubelet of a machine that was switched on again. */
  movedTo(kubelet: Kubelet): DiskPressure {
    this.#timer?.dispose();
    const next = new DiskPressure(kubelet);
    next.fill(this.#filledBytes);
    return next;
  }

  /** Why a Pod may not start here now (`managerImpl.Admit`). */
  rejects(pod: Pod): { reason: string; message: string } | undefined {
    if (!this.active || critical(pod)) return undefined;
    return { reason: 'Evicted', message: 'The node had condition: [DiskPressure]. ' };
  }

  #plan(): void {
    const { kernel } = this.#kubelet;
    this.#timer = kernel.timer(PERIOD_MS - (kernel.now() % PERIOD_MS), () => {
      if (this.#kubelet.dead) return;
      if (!this.#kubelet.frozen) this.#look();
      this.#plan();
    });
  }

  #look(): void {
    const { kernel } = this.#kubelet;
    const capacity = quantityValue(NODE_CAPACITY.ephemeralStorage);
    const threshold = Math.floor(capacity * THRESHOLD);
    const available = Math.max(0, Math.floor(capacity * (1 - OWN_SHARE)) - this.#filledBytes);
    if (available >= threshold) return;
    this.#metMs = kernel.now();
    const victim = [...this.#kubelet.workers()]
      .filter((worker) => worker.admitted && !worker.terminationRequested && !critical(worker.pod))
      .sort((a, b) => priorityOf(a) - priorityOf(b))[0];
    victim?.evict(`The node was low on resource: ephemeral-storage. Threshold quantity: ${threshold}, available: ${Math.floor(available / 1024)}Ki. `);
  }
}

const priorityOf = (worker: PodWorker): number => worker.pod.spec?.priority ?? 0;
const critical = (pod: Pod): boolean => (pod.spec?.priority ?? 0) >= SYSTEM_CRITICAL;
