import { isLabelValue } from './meta/names.ts';
import type { NodeSelectorTerm } from './types.ts';

const use = (since: string, label: string): string => `deprecated since ${since}; use "${label}" instead`;

const DEPRECATED: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': use('v1.14', 'kubernetes.io/arch'),
  'beta.kubernetes.io/os': use('v1.14', 'kubernetes.io/os'),
  'failure-domain.beta.kubernetes.io/region': use('v1.17', 'topology.kubernetes.io/region'),
  'failure-domain.beta.kubernetes.io/zone': use('v1.17', 'topology.kubernetes.io/zone'),
  'beta.kubernetes.io/instance-type': use('v1.17', 'node.kubernetes.io/instance-type'),
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

export const deprecatedLabel = (key: string | undefined): string | undefined => (key === undefined ? undefined : DEPRECATED[key]);

export function nodeTermWarnings(field: string, term: NodeSelectorTerm | undefined, checkValues = false): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key, values = [] }, i) => {
    const deprecated = deprecatedLabel(key);
    const texts = deprecated ? [`${field}.matchExpressions[${i}].key: ${key} is ${deprecated}`] : [];
    if (!checkValues) return texts;
    return [
      ...texts,
      ...values.flatMap((value, j) => isLabelValue(value).map((text) => `${field}.matchExpressions[${i}].values[${j}]: ${value} is invalid, ${text}`)),
    ];
  });
}
