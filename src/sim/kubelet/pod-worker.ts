import type { Cause } from '../cause.ts';
import { DURATIONS, drawMs } from '../durations.ts';
import type { Pod, PodStatus } from '../kinds/types.ts';
import { generatePodStatus } from './api-status.ts';
import { isTerminalPhase } from './conditions.ts';
import type { StartFailure } from './container-statuses.ts';
import { killPod } from './kill.ts';
import type { Kubelet } from './kubelet.ts';
import { ResizeState, resizeMessage } from './resize.ts';
import type { RuntimePod } from './runtime.ts';
import { syncRuntimePod } from './sync-pod.ts';

/** Where a Pod is in its life on the node (models `pkg/kubelet/pod_workers.go`). */
export type WorkerState = 'sync' | 'terminating' | 'terminated' | 'finished';

/**
 * Brings one Pod on one node through its life: sync until it ends or has to go, then terminating, then terminated. One step at
 * a time; what arrives meanwhile is done next.
 */
export class PodWorker {
  readonly kubelet: Kubelet;
  readonly uid: string;
  pod: Pod;
  state: WorkerState = 'sync';
  /** The Pod object is gone from the API server although the worker has not finished. */
  orphaned = false;
  /** Passed the kubelet's admission. */
  admitted = false;
  /** Decided by the kubelet: the Pod fails with this reason. */
  evicted: { reason: string; message: string; graceSeconds: number | undefined } | undefined;
  /** Start failures by container (`reasonCache`). */
  readonly startFailures = new Map<string, StartFailure>();
  /** Pod IPs last seen; they outlive the sandbox. */
  podIps: readonly string[] = [];
  /** Grace period in force once terminating, in seconds; it can only shrink. */
  gracePeriodSeconds = 0;
  readonly resize = new ResizeState();
  #deadlineSeconds: number | undefined;
  #lastSyncMs = -1;
  #observedMs = 0;
  #working = false;
  #onObserved: (() => void) | undefined;
  #pending = false;
  /** Cancels what may be interrupted (waiting for volumes) when the Pod has to go. */
  #abort = new AbortController();

  constructor(kubelet: Kubelet, pod: Pod) {
    this.kubelet = kubelet;
    this.uid = pod.metadata?.uid ?? '';
    this.pod = pod;
    if (isTerminalPhase(pod.status?.phase)) this.state = 'terminating';
  }

  get runtime(): RuntimePod {
    return this.kubelet.runtime.ensure(this.uid, this.pod.metadata?.namespace ?? '', this.pod.metadata?.name ?? '');
  }

  get terminationRequested(): boolean {
    return this.state !== 'sync' || this.orphaned || this.pod.metadata?.deletionTimestamp !== undefined || this.evicted !== undefined;
  }

  /** Aborts as soon as the Pod has to go. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Something concerning this Pod happened; the worker looks at it as soon as it is free. */
  wake(): void {
    if (this.state === 'finished') return;
    if (this.terminationRequested) {
      this.#noteGrace();
      this.#abort.abort();
    }
    if (this.#working) {
      this.#pending = true;
      return;
    }
    this.#working = true;
    void this.#run();
  }

  /** The eviction manager wants the node's resources back: the Pod fails as Evicted and its containers get one second. */
  evict(message: string): void {
    if (this.state !== 'sync' || this.evicted) return;
    this.kubelet.podEvent(this.pod, 'Warning', 'Evicted', message);
    this.evicted = { reason: 'Evicted', message, graceSeconds: 1 };
    this.wake();
  }

  /** The Pod was turned away: nothing of it ever runs here. */
  reject(): void {
    this.state = 'terminated';
  }

  /** The runtime's state of this Pod was looked at just now (a relist). */
  observe(): void {
    this.#observedMs = this.kubelet.kernel.now();
    this.#onObserved?.();
    this.wake();
  }

  #noteGrace(): void {
    const wanted = [this.pod.metadata?.deletionGracePeriodSeconds, this.evicted?.graceSeconds].filter((value) => value !== undefined);
    for (const value of wanted) if (this.gracePeriodSeconds === 0 || value < this.gracePeriodSeconds) this.gracePeriodSeconds = value;
    if (wanted.length === 0 && this.gracePeriodSeconds === 0) this.gracePeriodSeconds = this.pod.spec?.terminationGracePeriodSeconds ?? 30;
    if (this.orphaned) this.gracePeriodSeconds = 1;
    this.gracePeriodSeconds = Math.max(1, this.gracePeriodSeconds);
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#pending = false;
        await this.#observeNewer();
        await this.#step();
        this.#lastSyncMs = this.kubelet.kernel.now();
      } while (this.#pending && this.state !== ('finished' as WorkerState));
    } catch (error) {
      if (!this.kubelet.dead) this.kubelet.kernel.onError(error);
    } finally {
      this.#working = false;
    }
  }

  /** Waits until the runtime was observed after the last step, as the worker does with `podCache.GetNewerThan`. */
  async #observeNewer(): Promise<void> {
    const kernel = this.kubelet.kernel;
    if (this.#lastSyncMs < 0 || this.#observedMs > this.#lastSyncMs || this.kubelet.lastRelistMs() > this.#lastSyncMs) return;
    const relist = this.kubelet.sleep(this.kubelet.nextRelistAfter(kernel.now()) - kernel.now());
    const looked = new Promise<void>((resolve) => {
      this.#onObserved = resolve;
    });
    await Promise.race([relist, looked]);
    this.#onObserved = undefined;
    this.#observedMs = kernel.now();
  }

  async #step(): Promise<void> {
    if (this.state === 'sync' && this.terminationRequested) this.state = 'terminating';
    switch (this.state) {
      case 'sync':
        return this.#syncPod();
      case 'terminating':
        return this.#syncTerminating();
      case 'terminated':
        return this.#syncTerminated();
      case 'finished':
    }
  }

  /** The status as the runtime shows it now. */
  status(podIsTerminal = false): PodStatus {
    const kubelet = this.kubelet;
    const ip = this.runtime.sandboxes[0]?.ready ? this.runtime.sandboxes[0].ip : '';
    if (ip) this.podIps = [ip];
    return generatePodStatus({
      pod: this.pod,
      runtime: this.runtime,
      old: kubelet.status.get(this.uid) ?? this.pod.status ?? {},
      podIsTerminal,
      startFailure: (name) => this.startFailures.get(name),
      readiness: kubelet.probes.view(this.uid),
      hostIp: kubelet.nodeIp,
      podIps: this.podIps,
      resize: this.resize.conditions(kubelet.kernel.now()),
      ...(this.evicted ? { evicted: this.evicted } : {}),
    });
  }

  cause(rule: string, detail?: Cause['detail']): Cause {
    return this.kubelet.cause(this.pod, rule, detail);
  }

  /** Models `Kubelet.SyncPod`. */
  async #syncPod(): Promise<void> {
    const kubelet = this.kubelet;
    if (!this.runtime.containers.some((container) => container.state === 'running' && container.actuatedResources)) {
      const generation = this.resize.complete();
      if (generation !== undefined) kubelet.podEvent(this.pod, 'Normal', 'ResizeCompleted', resizeMessage('Pod resize completed', this.pod, generation));
    }
    const status = this.status();
    kubelet.status.set(this.pod, status, this.cause('kubelet/sync'));
    this.#watchDeadline();
    if (isTerminalPhase(status.phase)) {
      this.state = 'terminating';
      this.#noteGrace();
      kubelet.requeue(this, 0);
      return;
    }
    const mounted = await kubelet.volumes.waitForMounts(this);
    if (this.signal.aborted) return;
    if (!mounted) {
      kubelet.requeue(this, kubelet.jitter(10_000));
      return;
    }
    kubelet.probes.addPod(this);
    const result = await syncRuntimePod(this);
    if (result.error) {
      // What did start is noticed at the next relist.
      if (result.changed) kubelet.observeAtRelist(this);
      const delayMs = result.backoffUntilMs === undefined ? 10_000 : Math.min(Math.max(0, result.backoffUntilMs - kubelet.kernel.now()), 60_000);
      kubelet.requeue(this, kubelet.jitter(delayMs));
    } else if (result.acted) {
      // RequestPodRelist: the new state is looked at at once instead of at the next relist.
      kubelet.kernel.timer(1, () => this.observe());
    }
  }

  /** activeDeadlineSeconds: past it the Pod fails (models `active_deadline.go`). */
  #watchDeadline(): void {
    const seconds = this.pod.spec?.activeDeadlineSeconds;
    if (seconds === undefined || this.#deadlineSeconds === seconds) return;
    this.#deadlineSeconds = seconds;
    const { kernel } = this.kubelet;
    const startedMs = Date.parse(this.kubelet.status.get(this.uid)?.startTime ?? '') || kernel.now();
    kernel.timer(Math.max(0, startedMs + seconds * 1000 - kernel.now()), () => {
      if (this.state !== 'sync' || this.pod.spec?.activeDeadlineSeconds !== seconds) return;
      const message = 'Pod was active on the node longer than the specified deadline';
      this.kubelet.podEvent(this.pod, 'Normal', 'DeadlineExceeded', message);
      this.evicted = { reason: 'DeadlineExceeded', message, graceSeconds: undefined };
      this.kubelet.requeue(this, 0);
    });
  }

  /** Models `Kubelet.SyncTerminatingPod`. */
  async #syncTerminating(): Promise<void> {
    const kubelet = this.kubelet;
    this.#noteGrace();
    if (!this.orphaned) kubelet.status.set(this.pod, this.status(), this.cause('kubelet/terminating'));
    kubelet.probes.stopLivenessAndStartup(this.uid);
    await killPod(this);
    kubelet.probes.removePod(this.uid);
    this.state = 'terminated';
    if (!this.orphaned) kubelet.status.set(this.pod, this.status(true), this.cause('kubelet/containers-stopped'));
    kubelet.requeue(this, 0);
  }

  /** Models `Kubelet.SyncTerminatedPod`. */
  async #syncTerminated(): Promise<void> {
    const kubelet = this.kubelet;
    if (!this.orphaned) {
      // What the reader changed meanwhile (a deletion) has to be in the final status.
      kubelet.status.set(this.pod, this.status(true), this.cause('kubelet/terminated'));
      kubelet.volumes.unmount(this);
      kubelet.status.terminate(this.pod, this.cause('kubelet/terminated'));
    } else kubelet.volumes.unmount(this);
    this.state = 'finished';
    kubelet.finished(this);
  }

  /** How long the kubelet takes to notice a change of this Pod, in ms. */
  static reactionMs(kubelet: Kubelet, first: boolean): number {
    return drawMs(kubelet.kernel.random, first ? DURATIONS.kubeletAdmitMs : DURATIONS.kubeletUpdateMs);
  }
}
