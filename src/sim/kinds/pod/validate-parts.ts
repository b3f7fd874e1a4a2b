import { Check } from '../check.ts';
import { semanticEqual } from '../equal.ts';
import type { FieldError } from '../strategy.ts';
import type { Container, Pod } from '../types.ts';
import { qosClassOf } from './qos.ts';
import { checkPod } from './validate.ts';

/** Changes through `pods/ephemeralcontainers` and `pods/resize` (`ValidatePodEphemeralContainersUpdate`, `ValidatePodResize`). */

export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  const check = new Check();
  checkPod(check, pod);
  const kept = new Map((pod.spec?.ephemeralContainers ?? []).map((container) => [container.name, container]));
  for (const container of old.spec?.ephemeralContainers ?? []) {
    const now = kept.get(container.name);
    const what = !now ? 'removed' : semanticEqual(now, container) ? undefined : 'changed';
    if (what) check.forbidden('spec.ephemeralContainers', `existing ephemeral containers ${JSON.stringify(container.name)} may not be ${what}\n`);
  }
  return check.errors;
}

export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  const check = new Check();
  checkPod(check, pod);
  const before = old.status?.qosClass || qosClassOf(old);
  const after = qosClassOf(pod);
  if (after !== before) check.invalid('spec', after, 'Pod QOS Class may not change as a result of resizing');
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [i, container] of (pod.spec?.[list] ?? []).entries()) {
      const known = old.spec?.[list]?.find(({ name }) => name === container.name);
      if (known) checkContainer(check, `spec.${list}[${i}].resources`, container, known);
    }
  }
  return check.errors;
}

const MUTABLE = ['cpu', 'memory'];

function checkContainer(check: Check, field: string, { resources = {} }: Container, { resources: old = {} }: Container): void {
  for (const side of ['limits', 'requests'] as const) {
    const removed = Object.keys(old[side] ?? {}).some((name) => resources[side]?.[name] === undefined);
    if (removed) check.forbidden(`${field}.${side}`, `resource ${side} cannot be removed`);
    const others = (amounts: Record<string, string> | undefined): unknown => Object.entries(amounts ?? {}).filter(([name]) => !MUTABLE.includes(name));
    if (!removed && !semanticEqual(others(resources[side]), others(old[side]))) check.forbidden('spec', 'only cpu and memory resources are mutable');
  }
}
