import rules from '../../../content/rules.json' with { type: 'json' };

interface RuleText {
  /** One zh-TW sentence; {word} is replaced by that detail of the cause. */
  text: string;
  doc?: string;
}

const RULES = rules as Readonly<Record<string, RuleText>>;
const DOCS = 'https://kubernetes.io/docs/';

/** The sentence of a rule with its blanks filled in, and the address of the document that states it. */
export function ruleText(rule: string, detail: Readonly<Record<string, string>> = {}): { text: string; doc?: string } {
  const found = RULES[rule] ?? (rule.endsWith('/event') ? RULES.event : RULES[`${rule.split('/')[0]}/*`]);
  if (!found) return { text: `${detail.actor ?? '某個元件'} 依規則 ${rule} 行動。` };
  const text = found.text.replaceAll(/\{(\w+)\}/g, (_, word: string) => detail[word] ?? '');
  return found.doc === undefined ? { text } : { text, doc: found.doc.startsWith('http') ? found.doc : DOCS + found.doc };
}
