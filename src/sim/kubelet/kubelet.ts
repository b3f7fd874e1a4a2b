import type { Disposable, Kernel } from '../../kernel/index.ts';
import type { Machine } from '../../unix/types.ts';
import type { Cause } from '../cause.ts';
import type { Client } from '../client/types.ts';
import { DURATIONS } from '../durations.ts';
import type { ImageCatalog } from '../images/types.ts';
import { semanticEqual } from '../kinds/equal.ts';
import type { Container, Node, Pod } from '../kinds/types.ts';
import type { ClusterNetwork } from '../network/index.ts';
import { admitPod, beyondNode } from './admission.ts';
import { Backoff } from './backoff.ts';
import { isTerminalPhase } from './conditions.ts';
import type { DiskPressure } from './disk-pressure.ts';
import { ImageManager } from './image-manager.ts';
import type { ContainerLauncher, LaunchOptions } from './launcher.ts';
import { PodWorker } from './pod-worker.ts';
import { ProbeManager } from './probe-manager.ts';
import { podQosClass } from './qos.ts';
import { noteActuated, resizeMessage, withAllocation } from './resize.ts';
import { type ContainerProcess, NodeRuntime, type RuntimeContainer } from './runtime.ts';
import { SandboxNetwork } from './sandboxes.ts';
import { StatusManager } from './status-manager.ts';
import { VolumeManager } from './volume-manager.ts';
import type { VolumeStore } from './volume-store.ts';

/** What every kubelet shares. */
export interface KubeletEnvironment {
  kernel: Kernel;
  client: Client;
  network: ClusterNetwork;
  images: ImageCatalog;
  launch: ContainerLauncher;
  volumes: VolumeStore;
}

/** The kubelet of one node and the container runtime beneath it (models `pkg/kubelet`). */
export class Kubelet {
  readonly kernel: Kernel;
  readonly client: Client;
  readonly network: ClusterNetwork;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly images: ImageManager;
  readonly runtime: NodeRuntime;
  readonly status: StatusManager;
  readonly probes: ProbeManager;
  readonly volumes: VolumeManager;
  readonly sandboxes: SandboxNetwork;
  readonly crashLoopBackoff = new Backoff(10_000, 300_000);
  /** The machine is without power: nothing here runs on. */
  dead = false;
  /** Its eviction manager, once somebody has put files on the machine's disk. */
  diskPressure: DiskPressure | undefined;
  readonly #environment: KubeletEnvironment;
  readonly #workers = new Map<string, PodWorker>();
  readonly #exits = new Map<string, (() => void)[]>();
  readonly #requeues = new Map<string, Disposable>();
  /** Offset of the 1 s ticks of relists and of the sync loop. */
  readonly #relistPhaseMs: number;
  readonly #syncPhaseMs: number;
  #frozen = false;
  #thawed: (() => void)[] = [];
  #connected = true;

  constructor(environment: KubeletEnvironment, nodeName: string, nodeIp: string) {
    this.#environment = environment;
    this.kernel = environment.kernel;
    this.client = environment.client;
    this.network = environment.network;
    this.nodeName = nodeName;
    this.nodeIp = nodeIp;
    this.images = new ImageManager(this.kernel, environment.images);
    this.runtime = new NodeRuntime(this.kernel);
    this.runtime.onExit = (container) => this.#containerExited(container);
    this.status = new StatusManager({
      kernel: this.kernel,
      client: this.client,
      online: () => this.online,
      couldHaveRunningContainers: (uid) => {
        const state = this.#workers.get(uid)?.state;
        return state === 'sync' || state === 'terminating';
      },
    });
    this.sandboxes = new SandboxNetwork(this.network, nodeName);
    this.probes = new ProbeManager(this);
    this.volumes = new VolumeManager(this, environment.volumes);
    this.#relistPhaseMs = this.kernel.random.int(DURATIONS.kubeletTickMs);
    this.#syncPhaseMs = this.kernel.random.int(DURATIONS.kubeletTickMs);
  }

  /** Whether it runs and reaches the API server. */
  get online(): boolean {
    return this.#connected && !this.#frozen && !this.dead;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  workers(): IterableIterator<PodWorker> {
    return this.#workers.values();
  }

  // ---- what the API server says ----

  /** A Pod of this node was created or changed. */
  podChanged(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    const known = this.#workers.get(uid);
    if (known) {
      const before = known.pod;
      const allocated = known.admitted ? withAllocation(pod, before) : pod;
      known.pod = allocated;
      known.resize.desired = allocated === pod ? undefined : pod;
      const matters =
        !semanticEqual(before.metadata?.labels, pod.metadata?.labels) ||
        !semanticEqual(before.metadata?.annotations, pod.metadata?.annotations) ||
        before.metadata?.generation !== pod.metadata?.generation ||
        before.metadata?.deletionTimestamp !== pod.metadata?.deletionTimestamp ||
        before.metadata?.deletionGracePeriodSeconds !== pod.metadata?.deletionGracePeriodSeconds;
      if (matters) {
        this.volumes.podChanged(known);
        this.#later(PodWorker.reactionMs(this, false), () => {
          if (before.metadata?.generation !== pod.metadata?.generation) this.#resize(known);
          known.wake();
        });
      } else if ((pod.spec?.readinessGates?.length ?? 0) > 0) known.wake();
      return;
    }
    if (isTerminalPhase(pod.status?.phase) && !pod.metadata?.deletionTimestamp) return;
    const worker = new PodWorker(this, pod);
    this.#workers.set(uid, worker);
    this.#later(PodWorker.reactionMs(this, true), () => {
      if (worker.state === 'sync' && !worker.terminationRequested && this.#reject(worker)) return;
      worker.wake();
    });
  }

  /** Turns a Pod away that does not fit here; true when it did. */
  #reject(worker: PodWorker): boolean {
    const node = this.client.resource<Node>('v1/nodes').get('', this.nodeName);
    if (!node) return false;
    const rejection = this.diskPressure?.rejects(worker.pod) ?? admitPod(worker.pod, this.#othersOf(worker), node);
    if (!rejection) {
      worker.admitted = true;
      return false;
    }
    this.podEvent(worker.pod, 'Warning', rejection.reason, rejection.message);
    worker.reject();
    const status = { phase: 'Failed', reason: rejection.reason, message: `Pod was rejected: ${rejection.message}`, qosClass: podQosClass(worker.pod) };
    this.status.set(worker.pod, status, worker.cause('kubelet/reject', { reason: rejection.reason }));
    return true;
  }

  /** The Pods that hold resources of this node. */
  #othersOf(worker: PodWorker): Pod[] {
    const others: Pod[] = [];
    for (const other of this.#workers.values()) {
      if (other !== worker && other.admitted && other.state !== 'terminated' && other.state !== 'finished') others.push(other.pod);
    }
    return others;
  }

  /** Grants a Pod the resources it now asks for, or lets it wait for them (`handlePodResourcesResize`). */
  #resize(worker: PodWorker): void {
    const desired = worker.resize.desired;
    const node = this.client.resource<Node>('v1/nodes').get('', this.nodeName);
    if (!desired || !node || worker.state !== 'sync') {
      worker.resize.clearPending();
      return;
    }
    const generation = desired.metadata?.generation ?? 0;
    const never = beyondNode(desired, node);
    const message = never ?? admitPod(desired, this.#othersOf(worker), node)?.message;
    if (message !== undefined) {
      const reason = never === undefined ? 'Deferred' : 'Infeasible';
      if (worker.resize.setPending(desired, reason, message))
        this.podEvent(desired, 'Warning', `Resize${reason}`, resizeMessage(`Pod resize ${reason}`, desired, generation, message));
      return;
    }
    noteActuated(worker.runtime, worker.pod, desired);
    worker.pod = desired;
    worker.resize.desired = undefined;
    worker.resize.start(desired);
    this.podEvent(desired, 'Normal', 'ResizeStarted', resizeMessage('Pod resize started', desired, generation));
    this.#retryResizes();
  }

  /** Resources may have become free: resizes that wait are looked at again. */
  #retryResizes(): void {
    for (const worker of this.#workers.values()) {
      if (!worker.resize.desired) continue;
      this.#later(0, () => {
        if (!worker.resize.desired) return;
        this.#resize(worker);
        worker.wake();
      });
    }
  }

  /** A Pod of this node is gone from the API server. */
  podRemoved(pod: Pod): void {
    const worker = this.#workers.get(pod.metadata?.uid ?? '');
    if (!worker) return;
    worker.orphaned = true;
    this.status.forget(worker.uid);
    if (worker.state === 'finished') {
      this.#forget(worker);
      return;
    }
    this.#later(PodWorker.reactionMs(this, false), () => worker.wake());
  }

  /** The worker has nothing more to do. */
  finished(worker: PodWorker): void {
    this.#requeues.get(worker.uid)?.dispose();
    this.#requeues.delete(worker.uid);
    this.images.forgetPod(worker.uid);
    this.crashLoopBackoff.forget(`${worker.uid}_`);
    this.#forget(worker);
    this.#retryResizes();
  }

  /** Containers and logs of a Pod are dropped once its object is gone. */
  #forget(worker: PodWorker): void {
    const stored = this.client.resource<Pod>('v1/pods').get(worker.pod.metadata?.namespace ?? '', worker.pod.metadata?.name ?? '');
    if (stored?.metadata?.uid === worker.uid) return;
    this.#workers.delete(worker.uid);
    this.runtime.remove(worker.uid);
  }

  // ---- time ----

  /** Virtual sleep of the kubelet: while it is frozen nothing of it goes on. */
  async sleep(ms: number): Promise<void> {
    await this.kernel.sleep(Math.max(0, ms));
    await this.awake();
  }

  /** Resolves once the kubelet answers: requests to one that is stopped hang. */
  async awake(): Promise<void> {
    while (this.#frozen) await new Promise<void>((resolve) => this.#thawed.push(resolve));
  }

  #later(ms: number, job: () => void): void {
    void this.sleep(ms).then(() => {
      if (!this.dead) job();
    });
  }

  /** `wait.Jitter(period, 0.5)`. */
  jitter(ms: number): number {
    return Math.round(ms + this.kernel.random.float() * 0.5 * ms);
  }

  #nextTick(phaseMs: number, afterMs: number): number {
    const period = DURATIONS.kubeletTickMs;
    return Math.floor((afterMs - phaseMs) / period + 1) * period + phaseMs;
  }

  /** The last moment at which the runtime was listed. */
  lastRelistMs(): number {
    return this.#nextTick(this.#relistPhaseMs, this.kernel.now()) - DURATIONS.kubeletTickMs;
  }

  nextRelistAfter(ms: number): number {
    return this.#nextTick(this.#relistPhaseMs, ms);
  }

  /** Syncs the Pod at the first tick of the sync loop after `delayMs`. */
  requeue(worker: PodWorker, delayMs: number): void {
    this.#requeues.get(worker.uid)?.dispose();
    const at = this.#nextTick(this.#syncPhaseMs, this.kernel.now() + delayMs);
    const handle = this.kernel.timer(at - this.kernel.now(), () => {
      this.#requeues.delete(worker.uid);
      this.#later(0, () => worker.wake());
    });
    this.#requeues.set(worker.uid, handle);
  }

  // ---- the runtime ----

  launch(options: LaunchOptions): ContainerProcess {
    return this.#environment.launch(options);
  }

  /** The machine of the Pod's first container, for containers that share its processes. */
  firstMachine(worker: PodWorker, except: RuntimeContainer): Machine | undefined {
    const oldest = [...worker.runtime.containers].reverse().find((candidate) => candidate.state === 'running' && candidate !== except);
    return oldest?.process?.machine();
  }

  /** What the node can give to Pods. */
  allocatable(): Record<string, string> {
    return this.client.resource<Node>('v1/nodes').get('', this.nodeName)?.status?.allocatable ?? {};
  }

  /** Resolves when the container has ended. */
  exitOf(container: RuntimeContainer): Promise<void> {
    if (container.state === 'exited') return Promise.resolve();
    return new Promise((resolve) => {
      const list = this.#exits.get(container.id) ?? [];
      list.push(resolve);
      this.#exits.set(container.id, list);
    });
  }

  #containerExited(container: RuntimeContainer): void {
    const waiting = this.#exits.get(container.id);
    this.#exits.delete(container.id);
    for (const resolve of waiting ?? []) resolve();
    if (this.dead) return;
    const worker = this.#workers.get(container.podUid);
    if (!worker) return;
    this.observeAtRelist(worker);
  }

  /** The Pod is looked at when the runtime is listed next. */
  observeAtRelist(worker: PodWorker): void {
    const now = this.kernel.now();
    this.#later(this.nextRelistAfter(now) - now, () => worker.observe());
  }

  // ---- words ----

  cause(pod: Pod, rule: string, detail?: Cause['detail']): Cause {
    const metadata = pod.metadata ?? {};
    return {
      actor: `kubelet/${this.nodeName}`,
      rule,
      because: {
        resource: 'v1/pods',
        namespace: metadata.namespace ?? '',
        name: metadata.name ?? '',
        ...(metadata.uid ? { uid: metadata.uid } : {}),
        ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
      },
      ...(detail ? { detail } : {}),
    };
  }

  podEvent(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void {
    const metadata = pod.metadata ?? {};
    if (!this.online) return;
    this.client.event({
      regarding: {
        apiVersion: 'v1',
        kind: 'Pod',
        namespace: metadata.namespace ?? '',
        name: metadata.name ?? '',
        ...(metadata.uid ? { uid: metadata.uid } : {}),
        ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
        ...(fieldPath ? { fieldPath } : {}),
      },
      type,
      reason,
      message,
      component: 'kubelet',
      host: this.nodeName,
      cause: this.cause(pod, `kubelet/event-${reason}`),
    });
  }

  /** An event about one container of a Pod. */
  containerEvent(pod: Pod, spec: Container | undefined, name: string, type: 'Normal' | 'Warning', reason: string, message: string, sort?: string): void {
    const kind = sort ?? (pod.spec?.initContainers?.some((entry) => entry === spec || entry.name === name) ? 'initContainers' : 'containers');
    this.podEvent(pod, type, reason, message, `spec.${kind}{${name}}`);
  }

  // ---- being stopped ----

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    const waiting = this.#thawed;
    this.#thawed = [];
    for (const resolve of waiting) resolve();
    this.status.flush();
  }

  /** The machine loses power: containers end, the kubelet with them. */
  powerOff(): void {
    this.dead = true;
    for (const handle of this.#requeues.values()) handle.dispose();
    this.#requeues.clear();
    this.probes.dispose();
    this.runtime.powerOff();
    this.sandboxes.detachAll();
  }

  /** A kubelet for the same machine after it was switched on again. Images and volumes on its disk are still there. */
  rebooted(): Kubelet {
    const next = new Kubelet(this.#environment, this.nodeName, this.nodeIp);
    for (const image of this.images.list()) next.images.preload(image.reference);
    next.volumes.adopt(this.volumes);
    next.diskPressure = this.diskPressure?.movedTo(next);
    for (const old of this.runtime.pods()) {
      const pod = next.runtime.ensure(old.uid, old.namespace, old.name);
      pod.containers = old.containers;
      pod.sandboxes = old.sandboxes;
    }
    return next;
  }

  setConnected(connected: boolean): void {
    this.#connected = connected;
    if (connected) this.status.flush();
  }
}
