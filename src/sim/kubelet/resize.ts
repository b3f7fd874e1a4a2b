import { semanticEqual } from '../kinds/equal.ts';
import type { Container, Pod, PodCondition } from '../kinds/types.ts';
import { condition } from './conditions.ts';
import type { RuntimeContainer, RuntimePod } from './runtime.ts';
import { rfc3339 } from './time-format.ts';

type Resources = NonNullable<Container['resources']>;

/** Where an in-place resize of a Pod stands (models `podResizeConditions`). */
export class ResizeState {
  /** The Pod as the API server has it while the kubelet grants it less: its resources differ from those allocated. */
  desired: Pod | undefined;
  #pending: PodCondition | undefined;
  #inProgress: PodCondition | undefined;

  /** True when this was not known yet. */
  setPending(pod: Pod, reason: 'Deferred' | 'Infeasible', message: string): boolean {
    const known = this.#pending;
    this.#pending = condition(pod, 'PodResizePending', true, reason, message);
    return known?.observedGeneration !== this.#pending.observedGeneration;
  }

  clearPending(): void {
    this.#pending = undefined;
  }

  start(pod: Pod): void {
    this.#pending = undefined;
    this.#inProgress = condition(pod, 'PodResizeInProgress', true);
  }

  /** The generation of the resize that is over, or undefined when none was under way. */
  complete(): number | undefined {
    const generation = this.#inProgress?.observedGeneration;
    this.#inProgress = undefined;
    return generation;
  }

  conditions(nowMs: number): PodCondition[] {
    return [this.#pending, this.#inProgress].filter((entry) => entry !== undefined).map((entry) => ({ ...entry, lastProbeTime: rfc3339(nowMs) }));
  }
}

/** The Pod with the resources of `allocated`; the same object when they are equal (`UpdatePodFromAllocation`). */
export function withAllocation(pod: Pod, allocated: Pod): Pod {
  const spec = pod.spec;
  if (!spec || spec === allocated.spec) return pod;
  let changed = false;
  const apply = (containers: readonly Container[], from: readonly Container[] | undefined): Container[] =>
    containers.map((container) => {
      const granted = from?.find((candidate) => candidate.name === container.name);
      if (!granted || granted.resources === container.resources || semanticEqual(granted.resources ?? {}, container.resources ?? {})) return container;
      changed = true;
      return { ...container, resources: granted.resources ?? {} };
    });
  const containers = apply(spec.containers ?? [], allocated.spec?.containers);
  const initContainers = spec.initContainers ? apply(spec.initContainers, allocated.spec?.initContainers) : undefined;
  return changed ? { ...pod, spec: { ...spec, containers, ...(initContainers ? { initContainers } : {}) } } : pod;
}

/** Remembers what running containers run with until the runtime is told of their new resources. */
export function noteActuated(runtime: RuntimePod, before: Pod, after: Pod): void {
  const specs = (pod: Pod): Container[] => [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  for (const container of runtime.containers) {
    if (container.state !== 'running') continue;
    const old = specs(before).find((candidate) => candidate.name === container.name)?.resources ?? {};
    const next = specs(after).find((candidate) => candidate.name === container.name)?.resources ?? {};
    if (!semanticEqual(old, next)) container.actuatedResources ??= old;
  }
}

/** Whether the container's resize policy wants it restarted for this change (`computePodResizeAction`). */
export function resizeRestarts(spec: Container, container: RuntimeContainer): boolean {
  const old = container.actuatedResources;
  if (!old) return false;
  const differs = (name: string): boolean =>
    (['limits', 'requests'] as const).some((sort) => !semanticEqual(old[sort]?.[name], spec.resources?.[sort]?.[name]));
  return (spec.resizePolicy ?? []).some((policy) => policy.restartPolicy === 'RestartContainer' && differs(policy.resourceName ?? ''));
}

/** Text of the resize events: what was asked for, as JSON (`events/resize.go`). */
export function resizeMessage(prefix: string, pod: Pod, generation: number, error?: string): string {
  const sorted = (amounts: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));
  const resources = (value: Resources | undefined): object => ({
    ...(value?.limits ? { limits: sorted(value.limits) } : {}),
    ...(value?.requests ? { requests: sorted(value.requests) } : {}),
  });
  const list = (containers: readonly Container[]): object[] => containers.map((entry) => ({ name: entry.name, resources: resources(entry.resources) }));
  const summary = {
    ...(pod.spec?.initContainers?.length ? { initContainers: list(pod.spec.initContainers) } : {}),
    ...(pod.spec?.containers?.length ? { containers: list(pod.spec.containers) } : {}),
    generation,
    ...(error ? { error } : {}),
  };
  return `${prefix}: ${JSON.stringify(summary)}`;
}
