import { DURATIONS, drawMs } from '../durations.ts';
import type { Container, Pod } from '../kinds/types.ts';
import { runHandler } from './lifecycle.ts';
import type { PodWorker } from './pod-worker.ts';
import { isRestartableInit } from './restart-policy.ts';
import type { RuntimeContainer } from './runtime.ts';

/** Seconds a container always gets (`minimumGracePeriodInSeconds`). */
const MINIMUM_GRACE_SECONDS = 2;

/** The spec of a container of any sort, by name. */
export function containerSpec(pod: Pod, name: string): Container | undefined {
  const spec = pod.spec ?? {};
  return [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].find((container) => container.name === name);
}

/** Stops everything of a Pod: containers side by side (sidecars after the others, in reverse order), then the sandbox. */
export async function killPod(worker: PodWorker): Promise<void> {
  const { kubelet, runtime } = worker;
  const running = runtime.containers.filter((container) => container.state === 'running');
  const ordering = new TerminationOrder(worker.pod, running);
  await Promise.all(running.map((container) => killContainer(worker, container, { ordering })));
  const sandbox = runtime.sandboxes.find((candidate) => candidate.ready);
  if (sandbox) {
    await kubelet.sleep(drawMs(kubelet.kernel.random, DURATIONS.sandboxStopMs));
    kubelet.sandboxes.stop(worker);
  }
}

export interface KillOptions {
  message?: string;
  /** Overrides the Pod's grace period (a probe's own, or none). */
  graceSeconds?: number;
  ordering?: TerminationOrder;
}

/** Models `killContainer`: preStop hook, SIGTERM, and after the grace period SIGKILL. Resolves when the container has ended. */
export async function killContainer(worker: PodWorker, container: RuntimeContainer, options: KillOptions): Promise<void> {
  const { kubelet, pod } = worker;
  const kernel = kubelet.kernel;
  const spec = containerSpec(pod, container.name);
  kubelet.containerEvent(pod, spec, container.name, 'Normal', 'Killing', options.message ?? `Stopping container ${container.name}`);
  // Fixed from here on: v1.36 does not interrupt a stop under way when the grace period is shortened (SyncTerminatingPod ignores its context).
  const graceSeconds = options.graceSeconds ?? (worker.state === 'sync' ? (pod.spec?.terminationGracePeriodSeconds ?? 30) : worker.gracePeriodSeconds);
  const deadlineMs = kernel.now() + graceSeconds * 1000;
  const untilDeadline = (leastMs = 0): Promise<void> => kubelet.sleep(Math.max(leastMs, deadlineMs - kernel.now()));
  if (spec?.lifecycle?.preStop && graceSeconds > 0) {
    const hook = runHandler(worker, container, spec, spec.lifecycle.preStop).then((problem) => {
      if (problem) kubelet.containerEvent(pod, spec, container.name, 'Warning', 'FailedPreStopHook', 'PreStopHook failed');
    });
    await Promise.race([hook, untilDeadline()]);
  }
  if (options.ordering) await Promise.race([options.ordering.turn(container.name), untilDeadline()]);
  if (container.state !== 'exited') {
    const ended = kubelet.exitOf(container);
    container.process?.signal(stopSignal(spec));
    await Promise.race([ended, untilDeadline(MINIMUM_GRACE_SECONDS * 1000)]);
    if (container.state !== ('exited' as string)) {
      container.process?.signal('SIGKILL');
      await ended;
    }
  }
  await kubelet.sleep(drawMs(kernel.random, DURATIONS.containerStopMs));
  options.ordering?.ended(container.name);
}

function stopSignal(spec: Container | undefined): string {
  return spec?.lifecycle?.stopSignal ?? 'SIGTERM';
}

/** Order of ending: sidecars wait for all regular containers and for the sidecars after them. */
class TerminationOrder {
  readonly #remaining: Set<string>;
  readonly #sidecars: readonly string[];
  readonly #regular: ReadonlySet<string>;
  #waiting: { name: string; resolve: () => void }[] = [];

  constructor(pod: Pod, running: readonly RuntimeContainer[]) {
    this.#remaining = new Set(running.map((container) => container.name));
    this.#sidecars = (pod.spec?.initContainers ?? []).filter(isRestartableInit).map((container) => container.name ?? '');
    this.#regular = new Set((pod.spec?.containers ?? []).map((container) => container.name ?? ''));
  }

  #blocked(name: string): boolean {
    const at = this.#sidecars.indexOf(name);
    if (at < 0) return false;
    for (const other of this.#remaining) {
      if (this.#regular.has(other) || this.#sidecars.indexOf(other) > at) return true;
    }
    return false;
  }

  turn(name: string): Promise<void> {
    if (!this.#blocked(name)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ name, resolve }));
  }

  ended(name: string): void {
    this.#remaining.delete(name);
    const free = this.#waiting.filter((entry) => !this.#blocked(entry.name));
    this.#waiting = this.#waiting.filter((entry) => this.#blocked(entry.name));
    for (const entry of free) entry.resolve();
  }
}
