import type { KindStrategy } from '../../kinds/strategy.ts';
import type { ResourceInfo } from '../resources.ts';
import type { Verbs } from '../verbs.ts';
import { validatingAdmissionPolicy } from './policies.ts';
import { admissionRules } from './rules.ts';
import { mutatingAdmissionWebhook, validatingAdmissionWebhook } from './webhooks.ts';

const MUTATING = 'admissionregistration.k8s.io/v1/mutatingadmissionpolicies';

/** Admission that readers configure themselves: policies and webhooks. It comes with the HTTP door, the only way to make any. */
export function serveDynamicAdmission(verbs: Verbs): void {
  for (const [resource, rules] of admissionRules) {
    const own = verbs.strategy(verbs.registry.get(resource) as ResourceInfo);
    verbs.setStrategy({ ...own, resource, ...rules } as KindStrategy);
  }
  const mutating = verbs.strategy(verbs.registry.get(MUTATING) as ResourceInfo);
  const notYet = 'error: MutatingAdmissionPolicy is not simulated yet: it is kept and changes nothing';
  verbs.setStrategy({ ...mutating, resource: MUTATING, warnings: () => [notYet] } as KindStrategy);
  verbs.addAdmission([mutatingAdmissionWebhook, validatingAdmissionPolicy(verbs.registry), validatingAdmissionWebhook]);
}
