import type { ContainerStatus, Pod } from '../kinds/types.ts';
import { isRestartableInit, restartsAfterExit } from './restart-policy.ts';

/** Models `getPhase` (kubelet_pods.go): a Pod's phase from its containers' states. */
export function podPhase(pod: Pod, statuses: readonly ContainerStatus[], podIsTerminal: boolean, hasInitialized: boolean): string {
  const statusOf = (name: string | undefined): ContainerStatus | undefined => statuses.find((candidate) => candidate.name === name);
  let pendingInit = 0;
  let failedInit = 0;
  for (const container of pod.spec?.initContainers ?? []) {
    if (isRestartableInit(container)) continue;
    const status = statusOf(container.name);
    const ended = status?.state?.terminated ?? (status?.state?.waiting ? status.lastState?.terminated : undefined);
    if (status?.state?.running || !ended) pendingInit++;
    else if (ended.exitCode !== 0 && !restartsAfterExit(pod, container, ended.exitCode ?? 0)) failedInit++;
  }
  let unknown = 0;
  let running = 0;
  let waiting = 0;
  let stopped = 0;
  let stoppedForGood = 0;
  let succeeded = 0;
  let pendingSidecars = 0;
  for (const container of pod.spec?.initContainers ?? []) {
    if (!isRestartableInit(container)) continue;
    const status = statusOf(container.name);
    if (!status) unknown++;
    else if (status.state?.running) {
      if (!status.started) pendingSidecars++;
      running++;
    } else if (status.state?.waiting && !status.lastState?.terminated) {
      pendingSidecars++;
      waiting++;
    }
  }
  for (const container of pod.spec?.containers ?? []) {
    const status = statusOf(container.name);
    if (!status) {
      unknown++;
      continue;
    }
    if (status.state?.running) running++;
    else if (status.state?.terminated) {
      stopped++;
      const exitCode = status.state.terminated.exitCode ?? 0;
      if (!restartsAfterExit(pod, container, exitCode)) stoppedForGood++;
      if (exitCode === 0) succeeded++;
    } else if (status.lastState?.terminated) {
      stopped++;
      if (!restartsAfterExit(pod, container, status.lastState.terminated.exitCode ?? 0)) stoppedForGood++;
    } else waiting++;
  }
  if (failedInit > 0) return 'Failed';
  if (pendingInit > 0 || (pendingSidecars > 0 && !hasInitialized) || waiting > 0) return 'Pending';
  if (running > 0 && unknown === 0) return 'Running';
  if (running === 0 && stopped > 0 && unknown === 0) {
    if (podIsTerminal) return stopped === succeeded ? 'Succeeded' : 'Failed';
    if (stopped !== stoppedForGood) return 'Running';
    return stopped === succeeded ? 'Succeeded' : 'Failed';
  }
  return 'Pending';
}
