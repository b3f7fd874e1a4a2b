import type { Disposable } from '../../kernel/index.ts';
import type { Container, ContainerStatus, Probe } from '../kinds/types.ts';
import type { ReadinessView } from './api-status.ts';
import { containersReadyCondition, isTerminalPhase, podReadyCondition } from './conditions.ts';
import type { Kubelet } from './kubelet.ts';
import type { ProbeVerdict } from './pod-actions.ts';
import type { PodWorker } from './pod-worker.ts';
import { runProbe } from './prober.ts';
import { isRestartableInit, restartsAfterExit } from './restart-policy.ts';

export type ProbeType = 'liveness' | 'readiness' | 'startup';
type Result = 'success' | 'failure' | 'unknown';

const INITIAL: Readonly<Record<ProbeType, Result>> = { liveness: 'success', readiness: 'failure', startup: 'unknown' };

/** Runs the probes of all containers on a node and keeps their verdicts (models `pkg/kubelet/prober`). */
export class ProbeManager implements Disposable {
  readonly #kubelet: Kubelet;
  readonly #workers = new Map<string, ProbeWorker>();
  /** Verdict by probe type and container id. */
  readonly results: Record<ProbeType, Map<string, Result>> = { liveness: new Map(), readiness: new Map(), startup: new Map() };

  constructor(kubelet: Kubelet) {
    this.#kubelet = kubelet;
  }

  /** For `computePodActions`. */
  readonly verdict: ProbeVerdict = (containerId, type) => {
    const result = this.results[type].get(containerId);
    return result === 'success' ? true : result === 'failure' ? false : undefined;
  };

  /** For the Pod's status: models `UpdatePodStatus`. Asking for readiness that is still open runs the probe at once. */
  view(uid: string): ReadinessView {
    return {
      started: (container, statusId) => {
        const result = this.results.startup.get(bareId(statusId));
        if (result !== undefined) return result === 'success';
        return !this.#workers.has(workerKey(uid, container, 'startup'));
      },
      ready: (container, statusId) => {
        if (this.results.readiness.get(bareId(statusId)) === 'success') return true;
        const worker = this.#workers.get(workerKey(uid, container, 'readiness'));
        worker?.trigger();
        return worker === undefined;
      },
    };
  }

  addPod(pod: PodWorker): void {
    const spec = pod.pod.spec ?? {};
    for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? []).filter(isRestartableInit)]) {
      this.#add(pod, container, 'startup', container.startupProbe);
      this.#add(pod, container, 'readiness', container.readinessProbe);
      this.#add(pod, container, 'liveness', container.livenessProbe);
    }
  }

  #add(pod: PodWorker, container: Container, type: ProbeType, probe: Probe | undefined): void {
    if (!probe) return;
    const key = workerKey(pod.uid, container.name ?? '', type);
    const known = this.#workers.get(key);
    if (known) {
      known.resume();
      return;
    }
    const worker = new ProbeWorker(this.#kubelet, this, pod, container, type, probe, () => this.#workers.delete(key));
    this.#workers.set(key, worker);
    worker.start();
  }

  /** The Pod is being stopped: it must not be found unhealthy for that. */
  stopLivenessAndStartup(uid: string): void {
    for (const worker of [...this.#workers.values()]) if (worker.pod.uid === uid && worker.type !== 'readiness') worker.dispose();
  }

  removePod(uid: string): void {
    for (const worker of [...this.#workers.values()]) if (worker.pod.uid === uid) worker.dispose();
  }

  /** Takes a verdict and acts on a change: readiness and startup show in the status, and the Pod is synced. */
  set(worker: ProbeWorker, containerId: string, result: Result): void {
    const results = this.results[worker.type];
    if (results.get(containerId) === result) return;
    results.set(containerId, result);
    const { pod } = worker;
    if (worker.type === 'readiness') this.#setReadiness(pod, containerId, result === 'success');
    else if (worker.type === 'startup') this.#setStarted(pod, containerId, result === 'success');
    if (worker.type !== 'liveness' || result === 'failure') pod.wake();
  }

  #setReadiness(pod: PodWorker, containerId: string, ready: boolean): void {
    this.#patchStatus(pod, containerId, (entry) => {
      if (entry.ready === ready) return false;
      entry.ready = ready;
      return true;
    });
  }

  #setStarted(pod: PodWorker, containerId: string, started: boolean): void {
    this.#patchStatus(pod, containerId, (entry) => {
      if (entry.started === started) return false;
      entry.started = started;
      return true;
    });
  }

  /** Models `SetContainerReadiness` and `SetContainerStartup` of the status manager. */
  #patchStatus(pod: PodWorker, containerId: string, change: (entry: ContainerStatus) => boolean): void {
    const known = this.#kubelet.status.get(pod.uid);
    if (!known) return;
    const copy = (entries: ContainerStatus[] | undefined): ContainerStatus[] | undefined => entries?.map((entry) => ({ ...entry }));
    const status = { ...known };
    if (known.initContainerStatuses) status.initContainerStatuses = copy(known.initContainerStatuses);
    if (known.containerStatuses) status.containerStatuses = copy(known.containerStatuses);
    const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    const entry = all.find((candidate) => candidate.containerID === `containerd://${containerId}`);
    if (!entry || !change(entry)) return;
    const ready = podReadyCondition(pod.pod, status.conditions ?? [], all, status.phase ?? '');
    const containersReady = containersReadyCondition(pod.pod, all, status.phase ?? '');
    status.conditions = (status.conditions ?? []).map((condition) =>
      condition.type === 'Ready' ? ready : condition.type === 'ContainersReady' ? containersReady : condition,
    );
    this.#kubelet.status.set(pod.pod, status, pod.cause('kubelet/probe'));
  }

  forget(containerId: string): void {
    for (const results of Object.values(this.results)) results.delete(containerId);
  }

  dispose(): void {
    for (const worker of [...this.#workers.values()]) worker.dispose();
  }
}

function workerKey(uid: string, container: string, type: ProbeType): string {
  return `${uid}/${container}/${type}`;
}

function bareId(statusId: string): string {
  return statusId.slice(statusId.indexOf('://') + 3);
}

/** One probe of one container, over all its restarts (models `prober/worker.go`). */
class ProbeWorker implements Disposable {
  readonly pod: PodWorker;
  readonly type: ProbeType;
  readonly #kubelet: Kubelet;
  readonly #manager: ProbeManager;
  readonly #container: Container;
  readonly #probe: Probe;
  readonly #onStop: () => void;
  #containerId = '';
  #onHold = false;
  #lastResult: Result | undefined;
  #resultRun = 0;
  #tick: Disposable | undefined;
  #busy = false;
  #triggered = false;
  #stopped = false;
  /** Not asked any more: the image promises that the answer stays (`ImageDefinition.steadyProbes`). */
  #steady = false;

  constructor(kubelet: Kubelet, manager: ProbeManager, pod: PodWorker, container: Container, type: ProbeType, probe: Probe, onStop: () => void) {
    this.#kubelet = kubelet;
    this.#manager = manager;
    this.pod = pod;
    this.#container = container;
    this.type = type;
    this.#probe = probe;
    this.#onStop = onStop;
  }

  get #periodMs(): number {
    return (this.#probe.periodSeconds ?? 10) * 1000;
  }

  start(): void {
    this.#schedule();
    void this.#iterate();
  }

  /** Runs at once; the period starts anew. */
  trigger(): void {
    this.resume();
    if (this.#stopped || this.#triggered) return;
    this.#triggered = true;
    if (this.#busy) return;
    this.#kubelet.kernel.soon(() => {
      this.#schedule();
      void this.#iterate();
    });
  }

  /** A Pod sync: a steady probe looks whether its container is still the same one. */
  resume(): void {
    if (!this.#steady || this.pod.runtime.containers.some((container) => container.id === this.#containerId && container.state === 'running')) return;
    this.#steady = false;
    this.#schedule();
  }

  #schedule(): void {
    this.#tick?.dispose();
    if (this.#stopped || this.#steady) return;
    this.#tick = this.#kubelet.kernel.timer(this.#periodMs, () => {
      this.#schedule();
      void this.#iterate();
    });
  }

  async #iterate(): Promise<void> {
    if (this.#busy || this.#stopped || this.#kubelet.frozen) return;
    this.#busy = true;
    this.#triggered = false;
    try {
      if (!(await this.#doProbe())) this.dispose();
    } catch (error) {
      if (!this.#kubelet.dead) this.#kubelet.kernel.onError(error);
    } finally {
      this.#busy = false;
    }
  }

  /** False when probing is over for good. */
  async #doProbe(): Promise<boolean> {
    const kubelet = this.#kubelet;
    const status = kubelet.status.get(this.pod.uid);
    if (!status) return true;
    if (isTerminalPhase(status.phase)) return false;
    const name = this.#container.name;
    const entry =
      status.containerStatuses?.find((candidate) => candidate.name === name && candidate.containerID) ??
      status.initContainerStatuses?.find((candidate) => candidate.name === name && candidate.containerID);
    if (!entry?.containerID) return true;
    const id = bareId(entry.containerID);
    if (id !== this.#containerId) {
      if (this.#containerId) this.#manager.results[this.type].delete(this.#containerId);
      this.#containerId = id;
      this.#manager.results[this.type].set(id, INITIAL[this.type]);
      this.#onHold = false;
    }
    if (this.#onHold) return true;
    if (!entry.state?.running) {
      this.#manager.set(this, id, 'failure');
      const ended = entry.state?.terminated;
      return !ended || restartsAfterExit(this.pod.pod, this.#container, ended.exitCode ?? 0) || isRestartableInit(this.#container);
    }
    if (this.pod.pod.metadata?.deletionTimestamp && this.type !== 'readiness') {
      this.#manager.set(this, id, 'success');
      return false;
    }
    const runningMs = kubelet.kernel.now() - Date.parse(entry.state.running.startedAt ?? '');
    if (Math.floor(runningMs / 1000) < (this.#probe.initialDelaySeconds ?? 0)) return true;
    if (entry.started ? this.type === 'startup' : this.type !== 'startup') return true;

    const running = this.pod.runtime.containers.find((candidate) => candidate.id === id);
    if (!running) return true;
    const outcome = await runProbe(kubelet, this.pod, this.#container, running, this.#probe);
    if (this.#stopped || this.#containerId !== id) return true;
    const label = `${this.type[0]?.toUpperCase()}${this.type.slice(1)} probe`;
    const event = (reason: string, text: string): void =>
      kubelet.containerEvent(this.pod.pod, this.#container, name ?? '', 'Warning', reason, `${label} ${text}`);
    let result: Result;
    if (outcome.kind === 'error') {
      event('Unhealthy', `errored and resulted in unknown state: ${outcome.message}`);
      return true;
    }
    if (outcome.kind === 'failure') {
      event('Unhealthy', `failed: ${outcome.message}`);
      result = 'failure';
    } else {
      if (outcome.kind === 'warning') event('ProbeWarning', `warning: ${outcome.message}`);
      result = 'success';
    }
    if (this.#lastResult === result) this.#resultRun++;
    else {
      this.#lastResult = result;
      this.#resultRun = 1;
    }
    if (result === 'failure' && this.#resultRun < (this.#probe.failureThreshold ?? 3)) return true;
    if (result === 'success' && this.#resultRun < (this.#probe.successThreshold ?? 1)) return true;
    this.#manager.set(this, id, result);
    if (result === 'success' && running.steadyProbes && this.type !== 'startup') {
      this.#steady = true;
      this.#tick?.dispose();
    }
    if ((this.type === 'liveness' && result === 'failure') || this.type === 'startup') {
      this.#onHold = true;
      this.#resultRun = 0;
    }
    return true;
  }

  dispose(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#tick?.dispose();
    if (this.#containerId) this.#manager.results[this.type].delete(this.#containerId);
    this.#onStop();
  }
}
