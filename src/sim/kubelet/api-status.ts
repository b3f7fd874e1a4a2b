import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../kinds/types.ts';
import { condition, containersReadyCondition, initializedCondition, isKubeletCondition, isTerminalPhase, podReadyCondition } from './conditions.ts';
import { containerStatuses, type StartFailure } from './container-statuses.ts';
import { podPhase } from './phase.ts';
import { podLevelResources, podRequests } from './pod-resources.ts';
import { podQosClass } from './qos.ts';
import { isRestartableInit } from './restart-policy.ts';
import { newestContainer, type RuntimePod, readySandbox } from './runtime.ts';

/** What the probe manager says of a container: whether it counts as started and as ready. */
export interface ReadinessView {
  started(container: string, containerId: string): boolean;
  ready(container: string, containerId: string): boolean;
}

export interface ApiStatusInput {
  pod: Pod;
  runtime: RuntimePod;
  /** The status last generated, or the one stored when there is none. */
  old: PodStatus;
  podIsTerminal: boolean;
  startFailure: (container: string) => StartFailure | undefined;
  readiness: ReadinessView;
  hostIp: string;
  /** IPs known from the runtime; kept from before when the sandbox is gone. */
  podIps: readonly string[];
  /** Set when an eviction was decided. */
  evicted?: { reason: string; message: string };
  /** Conditions of a resize that is pending or under way. */
  resize?: readonly PodCondition[];
}

/** Models `Kubelet.generateAPIPodStatus` (kubelet_pods.go, v1.36): a Pod's status from what the runtime shows. */
export function generatePodStatus(input: ApiStatusInput): PodStatus {
  const { pod, runtime, old } = input;
  const spec = pod.spec ?? {};
  const convert = (containers: PodStatus['containerStatuses'], specs: typeof spec.containers, init: boolean): ContainerStatus[] =>
    containerStatuses({ pod, runtime, containers: specs ?? [], previous: containers ?? [], init, startFailure: input.startFailure });
  const regular = convert(old.containerStatuses, spec.containers, false);
  const init = convert(old.initContainerStatuses, spec.initContainers, true);
  const ephemeral = convert(old.ephemeralContainerStatuses, spec.ephemeralContainers, false);

  const anyActive = (spec.containers ?? []).some((container) => {
    const newest = newestContainer(runtime, container.name ?? '');
    return newest?.state === 'running' || newest?.state === 'created';
  });
  let phase = podPhase(pod, [...regular, ...init], input.podIsTerminal, anyActive);
  if (!isTerminalPhase(phase)) {
    if (isTerminalPhase(old.phase)) phase = old.phase as string;
    else if (isTerminalPhase(pod.status?.phase)) phase = pod.status?.phase as string;
  }
  const status: PodStatus = { phase };
  if (phase === old.phase) {
    status.reason = old.reason || pod.status?.reason;
    status.message = old.message || pod.status?.message;
  }
  if (input.evicted) {
    status.phase = 'Failed';
    status.reason = input.evicted.reason;
    status.message = input.evicted.message;
  }
  if (isTerminalPhase(pod.status?.phase)) status.phase = pod.status?.phase;
  if (status.reason === undefined) delete status.reason;
  if (status.message === undefined) delete status.message;

  for (const container of regular) applyReadiness(container, input.readiness);
  init.forEach((container, index) => {
    const isSidecar = isRestartableInit(spec.initContainers?.[index] ?? {});
    if (isSidecar) applyReadiness(container, input.readiness);
    else {
      container.started = container.state?.running !== undefined && input.readiness.started(container.name ?? '', container.containerID ?? '');
      container.ready = container.state?.terminated?.exitCode === 0;
    }
  });
  for (const container of ephemeral) delete container.started;

  const conditions = (pod.status?.conditions ?? []).filter((candidate) => !isKubeletCondition(candidate.type));
  if (!input.podIsTerminal) conditions.push(...(input.resize ?? []));
  const disruption = old.conditions?.find((candidate) => candidate.type === 'DisruptionTarget');
  if (disruption) {
    const at = conditions.findIndex((candidate) => candidate.type === 'DisruptionTarget');
    if (at >= 0) conditions[at] = disruption;
    else conditions.push(disruption);
  }
  const all = [...init, ...regular];
  conditions.push(condition(pod, 'PodReadyToStartContainers', readySandbox(runtime) !== undefined));
  conditions.push(initializedCondition(pod, old, all, status.phase ?? ''));
  conditions.push(podReadyCondition(pod, conditions, all, status.phase ?? ''));
  conditions.push(containersReadyCondition(pod, all, status.phase ?? ''));
  conditions.push(condition(pod, 'PodScheduled', true));
  status.conditions = conditions;

  status.hostIP = input.hostIp;
  status.hostIPs = [{ ip: input.hostIp }];
  const ips = spec.hostNetwork ? [input.hostIp] : input.podIps;
  if (ips[0]) {
    status.podIP = ips[0];
    status.podIPs = ips.map((ip) => ({ ip }));
  }
  status.qosClass = podQosClass(pod);
  status.containerStatuses = regular;
  if (init.length > 0) status.initContainerStatuses = init;
  if (ephemeral.length > 0) status.ephemeralContainerStatuses = ephemeral;
  if (pod.metadata?.generation !== undefined) status.observedGeneration = pod.metadata.generation;
  status.resources = podLevelResources(pod);
  const requests = podRequests(pod);
  if (Object.keys(requests).length > 0) status.allocatedResources = requests;
  return status;
}

function applyReadiness(container: ContainerStatus, readiness: ReadinessView): void {
  const running = container.state?.running !== undefined;
  container.started = running && readiness.started(container.name ?? '', container.containerID ?? '');
  container.ready = container.started && readiness.ready(container.name ?? '', container.containerID ?? '');
}
