import type { ApiObject } from '../../client/types.ts';
import { asSelector, matchesSelector } from '../../kinds/selector.ts';
import type { AdmissionRequest } from '../../kinds/strategy.ts';
import type { LabelSelector, MatchResources, NamedRuleWithOperations, Namespace } from '../../kinds/types.ts';

/** Which requests an admission policy or webhook is about (`admission/plugin/webhook/predicates` and `policy/matching`). */

interface Place {
  group: string;
  version: string;
  resource: string;
}

/** "apps/v1/deployments" in its parts. */
export function placeOf(id: string): Place {
  const parts = id.split('/');
  const [resource = '', version = '', group = ''] = parts.reverse();
  return { group, version, resource };
}

const has = (list: readonly string[] | undefined, value: string): boolean => list?.includes('*') || list?.includes(value) || false;

function matchesResource(patterns: readonly string[], { resource }: Place, subresource: string): boolean {
  return patterns.some((pattern) => {
    const [wanted = '', sub = ''] = pattern.split('/');
    return (wanted === '*' || wanted === resource) && (sub === '*' ? pattern === '*/*' || subresource !== '' : sub === subresource);
  });
}

export function matchesRule(rule: NamedRuleWithOperations, request: AdmissionRequest): boolean {
  const place = placeOf(request.resource);
  const clustered = request.namespace === '' || place.resource === 'namespaces';
  if (rule.scope === 'Namespaced' && clustered) return false;
  if (rule.scope === 'Cluster' && !clustered) return false;
  if (!has(rule.operations, request.operation) || !has(rule.apiGroups, place.group) || !has(rule.apiVersions, place.version)) return false;
  if (rule.resourceNames?.length && !rule.resourceNames.includes(request.name)) return false;
  return matchesResource(rule.resources ?? [], place, request.subresource);
}

const matchesLabels = (selector: LabelSelector | undefined, object: ApiObject | undefined): boolean => {
  if (!selector) return true;
  return object !== undefined && matchesSelector(asSelector(selector), object.metadata?.labels);
};

/** The namespace a request is about; of a namespace, itself. */
export function namespaceOf(request: AdmissionRequest): Namespace | undefined {
  if (request.resource === 'v1/namespaces') return (request.object ?? request.old) as Namespace | undefined;
  return request.namespace === '' ? undefined : request.context.get<Namespace>('v1/namespaces', '', request.namespace);
}

interface Selectors {
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
}

export function matchesSelectors({ namespaceSelector, objectSelector }: Selectors, request: AdmissionRequest): boolean {
  const clustered = request.namespace === '' && request.resource !== 'v1/namespaces';
  if (!clustered && !matchesLabels(namespaceSelector, namespaceOf(request))) return false;
  if (!objectSelector || (asSelector(objectSelector) ?? []).length === 0) return true;
  return matchesLabels(objectSelector, request.object) || matchesLabels(objectSelector, request.old);
}

/** Whatever configures admission is never subject to it. */
const EXEMPT = /^admissionregistration\.k8s\.io\//;

export function matches(constraints: MatchResources | undefined, request: AdmissionRequest, whenNoRules: boolean): boolean {
  if (EXEMPT.test(request.resource)) return false;
  if (!constraints) return whenNoRules;
  if (!matchesSelectors(constraints, request)) return false;
  if (constraints.excludeResourceRules?.some((rule) => matchesRule(rule, request))) return false;
  const rules = constraints.resourceRules ?? [];
  return rules.length === 0 ? whenNoRules : rules.some((rule) => matchesRule(rule, request));
}
