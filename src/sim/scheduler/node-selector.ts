import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration, TopologySelectorTerm } from '../kinds/types.ts';

type Labels = Readonly<Record<string, string>>;

function requirementMatches({ key = '', operator, values = [] }: NodeSelectorRequirement, labels: Labels): boolean {
  const has = Object.hasOwn(labels, key);
  const value = labels[key] ?? '';
  switch (operator) {
    case 'In':
      return has && values.includes(value);
    case 'NotIn':
      return !has || !values.includes(value);
    case 'Exists':
      return has;
    case 'DoesNotExist':
      return !has;
    case 'Gt':
    case 'Lt': {
      if (!has || !/^[+-]?\d+$/.test(value)) return false;
      return operator === 'Gt' ? Number(value) > Number(values[0]) : Number(value) < Number(values[0]);
    }
    default:
      return false;
  }
}

/** A term with neither expressions nor fields matches nothing (component-helpers/scheduling/corev1/nodeaffinity). */
export function termMatches(term: NodeSelectorTerm, labels: Labels, nodeName: string): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return expressions.every((one) => requirementMatches(one, labels)) && fields.every((one) => requirementMatches(one, { 'metadata.name': nodeName }));
}

export function nodeSelectorMatches(selector: NodeSelector | undefined, labels: Labels, nodeName: string): boolean {
  return (selector?.nodeSelectorTerms ?? []).some((term) => termMatches(term, labels, nodeName));
}

/** spec.nodeSelector and required node affinity together. */
export function requiredAffinityMatches(pod: Pod, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || nodeSelectorMatches(required, labels, node.metadata?.name ?? '');
}

/** v1.Toleration.ToleratesTaint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return (toleration.operator === undefined || toleration.operator === 'Equal') && (toleration.value ?? '') === (taint.value ?? '');
}

/** The first taint with one of `effects` that nothing tolerates. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return (taints ?? []).find((taint) => effects.includes(taint.effect ?? '') && !(tolerations ?? []).some((one) => tolerates(one, taint)));
}

/** A StorageClass' allowedTopologies: none allows every node. */
export function topologyTermsMatch(terms: readonly TopologySelectorTerm[] | undefined, labels: Labels): boolean {
  if (!terms || terms.length === 0) return true;
  return terms.some((term) => (term.matchLabelExpressions ?? []).every((one) => (one.values ?? []).includes(labels[one.key ?? ''] ?? '\u0000')));
}
