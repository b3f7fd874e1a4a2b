import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../kinds/types.ts';
import { isRestartableInit } from './restart-policy.ts';

/** Conditions that only the kubelet writes (`kubetypes.PodConditionsByKubelet`). */
const BY_KUBELET = new Set([
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'PodResizeInProgress',
  'PodResizePending',
  'AllContainersRestarting',
]);

export function isKubeletCondition(type: string | undefined): boolean {
  return BY_KUBELET.has(type ?? '');
}

export function isTerminalPhase(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** A condition as v1.36 writes it; the transition time is set when it is stored. */
export function condition(pod: Pod, type: string, status: boolean, reason?: string, message?: string): PodCondition {
  const out: PodCondition = { type, status: status ? 'True' : 'False', lastProbeTime: null as unknown as string };
  if (pod.metadata?.generation !== undefined) out.observedGeneration = pod.metadata.generation;
  if (reason) out.reason = reason;
  if (message) out.message = message;
  return out;
}

function names(list: readonly string[]): string {
  return `[${list.join(' ')}]`;
}

/** Models `status.GenerateContainersReadyCondition`. */
export function containersReadyCondition(pod: Pod, statuses: readonly ContainerStatus[], phase: string): PodCondition {
  const unknown: string[] = [];
  const unready: string[] = [];
  const watched = [...(pod.spec?.initContainers ?? []).filter(isRestartableInit), ...(pod.spec?.containers ?? [])];
  for (const container of watched) {
    const status = statuses.find((candidate) => candidate.name === container.name);
    if (!status) unknown.push(container.name ?? '');
    else if (!status.ready) unready.push(container.name ?? '');
  }
  if ((phase === 'Succeeded' && unknown.length === 0) || phase === 'Failed') {
    return condition(pod, 'ContainersReady', false, phase === 'Failed' ? 'PodFailed' : 'PodCompleted');
  }
  const messages: string[] = [];
  if (unknown.length > 0) messages.push(`containers with unknown status: ${names(unknown)}`);
  if (unready.length > 0) messages.push(`containers with unready status: ${names(unready)}`);
  if (messages.length > 0) return condition(pod, 'ContainersReady', false, 'ContainersNotReady', messages.join(', '));
  return condition(pod, 'ContainersReady', true);
}

/** Models `status.GeneratePodReadyCondition`: containers ready, and every readiness gate True. */
export function podReadyCondition(pod: Pod, conditions: readonly PodCondition[], statuses: readonly ContainerStatus[], phase: string): PodCondition {
  const containersReady = containersReadyCondition(pod, statuses, phase);
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' };
  const messages: string[] = [];
  for (const gate of pod.spec?.readinessGates ?? []) {
    const found = conditions.find((candidate) => candidate.type === gate.conditionType);
    if (!found) messages.push(`corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`);
    else if (found.status !== 'True') messages.push(`the status of pod readiness gate "${gate.conditionType}" is not "True", but ${found.status}`);
  }
  if (messages.length > 0) return condition(pod, 'Ready', false, 'ReadinessGatesNotReady', messages.join(', '));
  return condition(pod, 'Ready', true);
}

/** Models `status.GeneratePodInitializedCondition`. */
export function initializedCondition(pod: Pod, old: PodStatus, statuses: readonly ContainerStatus[], phase: string): PodCondition {
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of pod.spec?.initContainers ?? []) {
    const status = statuses.find((candidate) => candidate.name === container.name);
    if (!status) unknown.push(container.name ?? '');
    else if (!(isRestartableInit(container) ? status.started : status.ready)) incomplete.push(container.name ?? '');
  }
  if (phase === 'Succeeded' && unknown.length === 0) return condition(pod, 'Initialized', true, 'PodCompleted');
  const anyRegularStarted = (pod.spec?.containers ?? []).some((container) => {
    const status = statuses.find((candidate) => candidate.name === container.name);
    return status?.state?.running !== undefined || status?.state?.terminated !== undefined || status?.lastState?.terminated !== undefined;
  });
  if (anyRegularStarted) return condition(pod, 'Initialized', true);
  const messages: string[] = [];
  if (unknown.length > 0) messages.push(`containers with unknown status: ${names(unknown)}`);
  if (incomplete.length > 0) messages.push(`containers with incomplete status: ${names(incomplete)}`);
  if (messages.length > 0) {
    if (old.conditions?.some((candidate) => candidate.type === 'Initialized' && candidate.status === 'True')) return condition(pod, 'Initialized', true);
    return condition(pod, 'Initialized', false, 'ContainersNotInitialized', messages.join(', '));
  }
  return condition(pod, 'Initialized', true);
}
