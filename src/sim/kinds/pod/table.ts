import { ageOf } from '../duration.ts';
import type { Cell, StrategyContext } from '../strategy.ts';
import type { Container, ContainerStatus, Pod } from '../types.ts';

const isSidecar = (container: Container | undefined): boolean => container?.restartPolicy === 'Always';

function terminatedText(state: NonNullable<NonNullable<ContainerStatus['state']>['terminated']>): string {
  if (state.reason) return state.reason;
  return state.signal ? `Signal:${state.signal}` : `ExitCode:${state.exitCode ?? 0}`;
}

interface PodSummary {
  ready: number;
  total: number;
  status: string;
  restarts: number;
  /** RFC 3339, empty when nothing was restarted. */
  lastRestart: string;
}

/** READY, STATUS and RESTARTS of a Pod, as `printPod` of `pkg/printers/internalversion/printers.go` works them out. */
export function summarizePod(pod: Pod): PodSummary {
  const { spec = {}, status = {}, metadata = {} } = pod;
  const conditions = status.conditions ?? [];
  const sidecars = new Map((spec.initContainers ?? []).filter(isSidecar).map((container) => [container.name, container]));
  const summary: PodSummary = {
    ready: 0,
    total: (spec.containers?.length ?? 0) + sidecars.size,
    status: status.reason || status.phase || '',
    restarts: 0,
    lastRestart: '',
  };
  if (conditions.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated')) summary.status = 'SchedulingGated';
  const later = (a: string, container: ContainerStatus): string => {
    const finishedAt = container.lastState?.terminated?.finishedAt ?? '';
    return finishedAt > a ? finishedAt : a;
  };

  let initializing = false;
  let sidecarRestarts = 0;
  let sidecarLastRestart = '';
  for (const [i, container] of (status.initContainerStatuses ?? []).entries()) {
    const sidecar = sidecars.has(container.name);
    const { terminated, waiting } = container.state ?? {};
    summary.restarts += container.restartCount ?? 0;
    summary.lastRestart = later(summary.lastRestart, container);
    if (sidecar) {
      sidecarRestarts += container.restartCount ?? 0;
      sidecarLastRestart = later(sidecarLastRestart, container);
    }
    if (terminated && (terminated.exitCode ?? 0) === 0) continue;
    if (sidecar && container.started) {
      if (container.ready) summary.ready++;
      continue;
    }
    if (terminated) summary.status = `Init:${terminatedText(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') summary.status = `Init:${waiting.reason}`;
    else summary.status = `Init:${i}/${spec.initContainers?.length ?? 0}`;
    initializing = true;
    break;
  }

  if (!initializing || conditions.find(({ type }) => type === 'Initialized')?.status === 'True') {
    summary.restarts = sidecarRestarts;
    summary.lastRestart = sidecarLastRestart;
    let running = false;
    let failure = '';
    for (const container of (status.containerStatuses ?? []).toReversed()) {
      const { terminated, waiting, running: isRunning } = container.state ?? {};
      summary.restarts += container.restartCount ?? 0;
      summary.lastRestart = later(summary.lastRestart, container);
      if (waiting?.reason) summary.status = waiting.reason;
      else if (terminated) {
        summary.status = terminatedText(terminated);
        if (terminated.exitCode) failure = summary.status;
      } else if (container.ready && isRunning) {
        running = true;
        summary.ready++;
      }
    }
    // One container still at work: the Pod is not "Completed" yet.
    if (summary.status === 'Completed') {
      if (running && conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True')) summary.status = 'Running';
      else if (failure !== '') summary.status = failure;
      else if (running) summary.status = 'NotReady';
    }
  }

  if (metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') summary.status = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') summary.status = 'Terminating';
  }
  return summary;
}

/** The STATUS, READY ("1/1") and RESTARTS columns of `kubectl get pods`, for views that draw Pods. */
export function podStatusText(pod: Pod): { status: string; ready: string; restarts: number } {
  const { status, ready, total, restarts } = summarizePod(pod);
  return { status, ready: `${ready}/${total}`, restarts };
}

export function podRow(pod: Pod, context: StrategyContext): Cell[] {
  const { ready, total, status, restarts, lastRestart } = summarizePod(pod);
  const gates = pod.spec?.readinessGates ?? [];
  const open = gates.filter(({ conditionType }) => pod.status?.conditions?.find(({ type }) => type === conditionType)?.status === 'True');
  return [
    pod.metadata?.name ?? '',
    `${ready}/${total}`,
    status,
    restarts !== 0 && lastRestart !== '' ? `${restarts} (${ageOf(lastRestart, context.nowMs)} ago)` : String(restarts),
    ageOf(pod.metadata?.creationTimestamp, context.nowMs),
    pod.status?.podIPs?.[0]?.ip || '<none>',
    pod.spec?.nodeName || '<none>',
    pod.status?.nominatedNodeName || '<none>',
    gates.length > 0 ? `${open.length}/${gates.length}` : '<none>',
  ];
}
