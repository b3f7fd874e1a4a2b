import type { Kernel } from '../../kernel/index.ts';
import type { Cause } from '../cause.ts';
import type { Client } from '../client/types.ts';
import { semanticEqual } from '../kinds/equal.ts';
import type { ContainerStatus, Pod, PodStatus } from '../kinds/types.ts';
import { condition, isKubeletCondition, isTerminalPhase } from './conditions.ts';
import { isRestartableInit } from './restart-policy.ts';
import { rfc3339 } from './time-format.ts';

interface Cached {
  namespace: string;
  name: string;
  status: PodStatus;
  finished: boolean;
  cause: Cause;
  /** Not yet known to the API server. */
  dirty: boolean;
}

export interface StatusManagerOptions {
  kernel: Kernel;
  client: Client;
  /** False while the API server cannot be reached; what is written meanwhile waits for `flush`. */
  online: () => boolean;
  couldHaveRunningContainers: (uid: string) => boolean;
}

const UNLOCATED = { reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated', exitCode: 137 };

/** The kubelet's own view of its Pods' statuses, and what it sends to the API server (models `pkg/kubelet/status`). */
export class StatusManager {
  readonly #kernel: Kernel;
  readonly #client: Client;
  readonly #online: () => boolean;
  readonly #couldHaveRunningContainers: (uid: string) => boolean;
  readonly #cache = new Map<string, Cached>();

  constructor(options: StatusManagerOptions) {
    this.#kernel = options.kernel;
    this.#client = options.client;
    this.#online = options.online;
    this.#couldHaveRunningContainers = options.couldHaveRunningContainers;
  }

  /** The status last generated, whether or not the API server has it. */
  get(uid: string): PodStatus | undefined {
    return this.#cache.get(uid)?.status;
  }

  forget(uid: string): void {
    this.#cache.delete(uid);
  }

  /** Takes a freshly generated status; written when it differs from the last one. */
  set(pod: Pod, status: PodStatus, cause: Cause): void {
    this.#update(pod, status, pod.metadata?.deletionTimestamp !== undefined, false, cause);
  }

  /** Ready to start containers: written at once when the sandbox is up (`OnPodSandboxReady`). */
  setSandboxReady(pod: Pod, cause: Cause): void {
    const current = this.get(pod.metadata?.uid ?? '') ?? pod.status ?? {};
    const ready = condition(pod, 'PodReadyToStartContainers', true);
    const known = current.conditions ?? [];
    const conditions = known.some((entry) => entry.type === ready.type) ? known.map((entry) => (entry.type === ready.type ? ready : entry)) : [...known, ready];
    this.set(pod, { ...current, conditions }, cause);
  }

  /**
   * The end of a Pod: containers without an end are marked as lost, the phase becomes terminal, and the object is deleted when
   * deletion was asked for (`TerminatePod`).
   */
  terminate(pod: Pod, cause: Cause): void {
    const status = structuredClone(this.get(pod.metadata?.uid ?? '') ?? pod.status ?? {});
    if (hasInitialized(pod)) {
      for (const container of status.containerStatuses ?? []) if (!container.state?.terminated) container.state = { terminated: lost() };
    }
    for (const container of initialized(status.initContainerStatuses ?? [])) {
      if (!container.state?.terminated) container.state = { terminated: lost() };
    }
    if (!isTerminalPhase(status.phase)) status.phase = 'Failed';
    this.#update(pod, status, true, true, cause);
  }

  #update(pod: Pod, status: PodStatus, force: boolean, finished: boolean, cause: Cause): void {
    const uid = pod.metadata?.uid ?? '';
    const cached = this.#cache.get(uid);
    const old = cached?.status ?? pod.status ?? {};
    const now = rfc3339(this.#kernel.now());
    status.conditions = (status.conditions ?? []).map((entry) => {
      if (!isKubeletCondition(entry.type) && entry.type !== 'DisruptionTarget') return entry;
      const before = old.conditions?.find((candidate) => candidate.type === entry.type);
      return { ...entry, lastTransitionTime: before && before.status === entry.status ? before.lastTransitionTime : now };
    });
    status.startTime = old.startTime ?? status.startTime ?? now;
    if ((old.observedGeneration ?? 0) > (status.observedGeneration ?? 0)) status.observedGeneration = old.observedGeneration;
    const done = finished || (cached?.finished ?? false);
    if (cached && !force && sameByKubelet(cached.status, status)) return;
    this.#cache.set(uid, { namespace: pod.metadata?.namespace ?? '', name: pod.metadata?.name ?? '', status, finished: done, cause, dirty: true });
    this.#send(uid);
  }

  /** Sends everything that could not be sent before. */
  flush(): void {
    for (const [uid, entry] of [...this.#cache]) if (entry.dirty) this.#send(uid);
  }

  #send(uid: string): void {
    const entry = this.#cache.get(uid);
    if (!entry || !this.#online()) return;
    entry.dirty = false;
    const pods = this.#client.resource<Pod>('v1/pods');
    const stored = pods.get(entry.namespace, entry.name);
    if (!stored || stored.metadata?.uid !== uid) {
      this.#cache.delete(uid);
      return;
    }
    let current = stored;
    const merged = mergeStatus(stored, entry.status, this.#couldHaveRunningContainers(uid), this.#kernel.now());
    if (!semanticEqual(stored.status, merged)) {
      const { resourceVersion: _stale, ...metadata } = stored.metadata ?? {};
      current = pods.updateStatus({ ...stored, metadata, status: merged }, { cause: entry.cause, fieldManager: 'kubelet' });
    }
    if (current.metadata?.deletionTimestamp && isTerminalPhase(current.status?.phase) && entry.finished) {
      this.#cache.delete(uid);
      pods.delete(entry.namespace, entry.name, { cause: { ...entry.cause, rule: 'kubelet/delete-terminated' }, gracePeriodSeconds: 0, preconditions: { uid } });
    }
  }
}

function lost(): NonNullable<ContainerStatus['state']>['terminated'] {
  return { ...UNLOCATED, startedAt: null as unknown as string, finishedAt: null as unknown as string };
}

/** Whether two statuses differ in what the kubelet owns (`isPodStatusByKubeletEqual`). */
function sameByKubelet(old: PodStatus, status: PodStatus): boolean {
  const resizing = (candidate: PodStatus): number => candidate.conditions?.filter((entry) => entry.type?.startsWith('PodResize')).length ?? 0;
  if (resizing(old) !== resizing(status)) return false;
  for (const entry of status.conditions ?? []) {
    if (!isKubeletCondition(entry.type) && entry.type !== 'DisruptionTarget') continue;
    const before = old.conditions?.find((candidate) => candidate.type === entry.type);
    if (!before || before.status !== entry.status || before.message !== entry.message || before.reason !== entry.reason) return false;
  }
  return semanticEqual({ ...old, conditions: [] }, { ...status, conditions: [] });
}

/** Models `mergePodStatus`: conditions of others stay; a terminal phase waits until nothing can run any more. */
function mergeStatus(pod: Pod, status: PodStatus, couldHaveRunningContainers: boolean, nowMs: number): PodStatus {
  const old = pod.status ?? {};
  const conditions = (old.conditions ?? []).filter((entry) => !isKubeletCondition(entry.type));
  const becomesTerminal = !isTerminalPhase(old.phase) && isTerminalPhase(status.phase);
  for (const entry of status.conditions ?? []) {
    if (isKubeletCondition(entry.type)) conditions.push(entry);
    else if (entry.type === 'DisruptionTarget' && becomesTerminal && !couldHaveRunningContainers) {
      const at = conditions.findIndex((candidate) => candidate.type === entry.type);
      if (at >= 0) conditions[at] = entry;
      else conditions.push(entry);
    }
  }
  const merged: PodStatus = { ...status, conditions };
  for (const field of ['nominatedNodeName', 'resourceClaimStatuses', 'extendedResourceClaimStatus', 'nodeAllocatableResourceClaimStatuses'] as const) {
    if (old[field] !== undefined) Object.assign(merged, { [field]: old[field] });
  }
  if (becomesTerminal && couldHaveRunningContainers) {
    merged.phase = old.phase;
    for (const field of ['reason', 'message'] as const) {
      if (old[field] === undefined) delete merged[field];
      else merged[field] = old[field];
    }
  }
  if (isTerminalPhase(merged.phase)) {
    merged.conditions = conditions.map((entry) => {
      if ((entry.type !== 'Ready' && entry.type !== 'ContainersReady') || entry.status !== 'True') return entry;
      const ended = condition(pod, entry.type, false, merged.phase === 'Failed' ? 'PodFailed' : 'PodCompleted');
      return { ...ended, lastTransitionTime: rfc3339(nowMs) };
    });
  }
  return merged;
}

function hasInitialized(pod: Pod): boolean {
  const inits = pod.spec?.initContainers ?? [];
  if (inits.length === 0) return true;
  if ((pod.status?.containerStatuses ?? []).some((entry) => entry.lastState?.terminated || !entry.state?.waiting)) return true;
  const statuses = pod.status?.initContainerStatuses ?? [];
  const last = statuses[statuses.length - 1];
  const spec = inits[statuses.length - 1];
  if (!last || !spec) return false;
  if (isRestartableInit(spec)) return last.state?.running !== undefined && last.started === true;
  return last.lastState?.terminated?.exitCode === 0 || last.state?.terminated?.exitCode === 0;
}

/** All but the trailing init containers that never started; at least one. */
function initialized(statuses: ContainerStatus[]): ContainerStatus[] {
  for (let index = statuses.length - 1; index >= 0; index--) {
    if (!statuses[index]?.state?.waiting || statuses[index]?.lastState?.terminated) return statuses.slice(0, index + 1);
  }
  return statuses.slice(0, 1);
}
