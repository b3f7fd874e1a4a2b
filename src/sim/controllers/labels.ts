import type { LabelSelector } from '../kinds/types.ts';

export type Labels = Readonly<Record<string, string>>;
export type Matcher = (labels: Labels) => boolean;

const nothing: Matcher = () => false;

/** metav1.LabelSelectorAsSelector: an absent selector matches nothing, an empty one everything. */
export function selectorMatcher(selector: LabelSelector | undefined): Matcher {
  if (!selector) return nothing;
  const wanted = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  return (labels) => {
    for (const [key, value] of wanted) if (labels[key] !== value) return false;
    for (const { key = '', operator, values = [] } of expressions) {
      const has = Object.hasOwn(labels, key);
      const value = labels[key] ?? '';
      if (operator === 'In' && !(has && values.includes(value))) return false;
      if (operator === 'NotIn' && has && values.includes(value)) return false;
      if (operator === 'Exists' && !has) return false;
      if (operator === 'DoesNotExist' && has) return false;
    }
    return true;
  };
}

/** A Service's selector (a plain map); empty matches nothing here, as Services without selector select no Pods. */
export function mapMatcher(selector: Labels | undefined): Matcher {
  const wanted = Object.entries(selector ?? {});
  if (wanted.length === 0) return nothing;
  return (labels) => wanted.every(([key, value]) => labels[key] === value);
}
