import { DURATIONS, drawMs } from '../durations.ts';
import type { Container } from '../kinds/types.ts';
import { killContainer } from './kill.ts';
import { computePodActions } from './pod-actions.ts';
import type { PodWorker } from './pod-worker.ts';
import type { RuntimeContainer } from './runtime.ts';
import { startContainer } from './start-container.ts';
import { goDuration } from './time-format.ts';

/** Outcome of one sync with the runtime. */
export interface SyncResult {
  /** Something failed; the sync is to be repeated. */
  error: boolean;
  /** When the failure is a restart back-off: its end, in virtual ms. */
  backoffUntilMs?: number;
  /** Something was done. */
  acted: boolean;
  /** The runtime has something new to show. */
  changed: boolean;
}

/** Models `kubeGenericRuntimeManager.SyncPod`: kill what must not run, make the sandbox, start what is missing. */
export async function syncRuntimePod(worker: PodWorker): Promise<SyncResult> {
  const { kubelet } = worker;
  const runtime = worker.runtime;
  const actions = computePodActions(worker.pod, runtime, kubelet.probes.verdict);
  // Back-off looks at what had ended before this sync: a container killed here for its probe is started again at once.
  const ended = runtime.containers.filter((container) => container.state === 'exited');
  const result: SyncResult = { error: false, acted: false, changed: actions.createSandbox };

  if (actions.killPod) {
    const running = runtime.containers.filter((container) => container.state === 'running');
    await Promise.all(running.map((container) => killContainer(worker, container, {})));
    if (running.length > 0) result.acted = true;
    if (!actions.createSandbox) return result;
  } else {
    for (const kill of actions.containersToKill) {
      const probe = kill.reason === 'LivenessProbe' ? kill.spec.livenessProbe : kill.reason === 'StartupProbe' ? kill.spec.startupProbe : undefined;
      const graceSeconds = probe?.terminationGracePeriodSeconds;
      result.acted = true;
      await killContainer(worker, kill.container, { message: kill.message, ...(graceSeconds !== undefined ? { graceSeconds } : {}) });
    }
  }

  if (actions.createSandbox) {
    result.acted = true;
    await kubelet.sleep(drawMs(kubelet.kernel.random, DURATIONS.sandboxMs));
    if (worker.terminationRequested) return result;
    const problem = kubelet.sandboxes.create(worker, kubelet.runtime.newId(), actions.attempt);
    if (problem !== undefined) {
      kubelet.podEvent(worker.pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${problem}`);
      result.error = true;
      result.changed = false;
      return result;
    }
    kubelet.status.setSandboxReady(worker.pod, worker.cause('kubelet/sandbox-ready'));
  }

  const start = async (container: Container, sort: 'containers' | 'initContainers' | 'ephemeralContainers'): Promise<boolean> => {
    const name = container.name ?? '';
    const backoff = restartBackoff(worker, container, sort, ended);
    if (backoff) {
      worker.startFailures.set(name, { reason: 'CrashLoopBackOff', message: backoff.message });
      result.error = true;
      result.backoffUntilMs = Math.min(result.backoffUntilMs ?? Number.POSITIVE_INFINITY, backoff.untilMs);
      return false;
    }
    result.acted = true;
    const before = runtime.containers[0];
    const failure = await startContainer(worker, container, sort);
    if (runtime.containers[0] !== before) result.changed = true;
    if (failure) {
      worker.startFailures.set(name, failure);
      result.error = true;
      return false;
    }
    worker.startFailures.delete(name);
    return true;
  };

  const spec = worker.pod.spec ?? {};
  for (const index of actions.ephemeralContainersToStart) await start(spec.ephemeralContainers?.[index] as Container, 'ephemeralContainers');
  for (const index of actions.initContainersToStart) {
    const container = spec.initContainers?.[index] as Container;
    if (worker.terminationRequested) return result;
    if (!(await start(container, 'initContainers')) && container.restartPolicy !== 'Always') return result;
  }
  for (const container of runtime.containers) {
    if (!container.actuatedResources) continue;
    delete container.actuatedResources;
    result.acted = true;
  }
  for (const index of actions.containersToStart) {
    if (worker.terminationRequested) return result;
    await start(spec.containers?.[index] as Container, 'containers');
  }
  return result;
}

/** Models `doBackOff`: undefined when the container may be started now. */
function restartBackoff(
  worker: PodWorker,
  container: Container,
  sort: string,
  ended: readonly RuntimeContainer[],
): { message: string; untilMs: number } | undefined {
  const { kubelet, pod } = worker;
  const last = ended.find((candidate) => candidate.name === container.name);
  if (!last) return undefined;
  const identity = `${pod.metadata?.name}_${pod.metadata?.namespace}(${worker.uid})`;
  const key = `${worker.uid}_${container.name}_${last.specHash}`;
  const backoff = kubelet.crashLoopBackoff;
  if (backoff.isInBackOffSince(key, last.finishedMs, kubelet.kernel.now())) {
    const backoffMs = backoff.get(key);
    kubelet.containerEvent(
      pod,
      container,
      container.name ?? '',
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${container.name} in pod ${identity}`,
      sort,
    );
    return { message: `back-off ${goDuration(backoffMs)} restarting failed container=${container.name} pod=${identity}`, untilMs: last.finishedMs + backoffMs };
  }
  backoff.next(key, last.finishedMs);
  return undefined;
}
