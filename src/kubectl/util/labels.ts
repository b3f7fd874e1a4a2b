import { compareStrings, type Obj } from './object.ts';

/** labels.FormatLabels: "a=b,c=d" sorted, or `<none>`. */
export function formatLabels(labels: Obj | undefined): string {
  const keys = Object.keys(labels ?? {}).sort(compareStrings);
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${labels?.[key]}`).join(',');
}

export interface Requirement {
  key: string;
  operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';
  values: string[];
}

/** labels.Parse; throws with apimachinery's words. */
export function parseSelector(text: string): Requirement[] {
  const tokens = [...text.matchAll(/\s*([A-Za-z0-9_./-]+|[!=<>]+|[(),]|\S)/g)].map((match) => match[1] as string);
  let position = 0;
  const peek = (): string => tokens[position] ?? '';
  const next = (): string => tokens[position++] ?? '';
  const requirements: Requirement[] = [];
  const fail = (message: string): never => {
    throw new Error(`unable to parse requirement: ${message}`);
  };
  if (tokens.length === 0) return requirements;
  for (;;) {
    let negated = false;
    if (peek() === '!') {
      negated = true;
      next();
    }
    const key = next();
    if (!/^[A-Za-z0-9_./-]+$/.test(key)) fail(`found '${key}', expected: identifier`);
    const operator = peek();
    if (negated || operator === '' || operator === ',') requirements.push({ key, operator: negated ? '!' : 'exists', values: [] });
    else if (operator === 'in' || operator === 'notin') {
      next();
      if (next() !== '(') fail(`found '${tokens[position - 1] ?? ''}' expected: '('`);
      const values: string[] = [];
      for (;;) {
        if (peek() === ')') {
          if (values.length === 0) values.push('');
          next();
          break;
        }
        if (peek() === ',') {
          next();
          if (peek() === ')' || values.length === 0) values.push('');
          continue;
        }
        if (peek() === '') fail(`found '', expected: ',', or ')'`);
        values.push(next());
      }
      requirements.push({ key, operator, values });
    } else if (operator === '=' || operator === '==' || operator === '!=' || operator === '>' || operator === '<') {
      next();
      const value = peek() === ',' ? '' : next();
      requirements.push({ key, operator: operator === '==' ? '=' : operator, values: [value] });
    } else fail(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
    const separator = next();
    if (separator === '') return requirements;
    if (separator !== ',') fail(`found '${separator}', expected: ',' or 'end of string'`);
    if (peek() === '') fail(`found '', expected: identifier after ','`);
  }
}

export function matchesSelector(requirements: readonly Requirement[], labels: Obj | undefined): boolean {
  return requirements.every((requirement) => meets(requirement, labels?.[requirement.key] as string | undefined));
}

function meets({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case '=':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case '>':
      return value !== undefined && Number(value) > Number(values[0]);
    case '<':
      return value !== undefined && Number(value) < Number(values[0]);
  }
}

/** The string form of a metav1.LabelSelector, for a list query (LabelSelectorAsSelector().String()). */
export function labelSelectorText(selector: Obj | undefined): string {
  const parts: [string, string][] = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => [key, `${key}=${value}`]);
  for (const expression of (selector?.matchExpressions ?? []) as Obj[]) {
    const values = [...(expression.values ?? [])].sort(compareStrings).join(',');
    const text: Record<string, string> = {
      In: `${expression.key} in (${values})`,
      NotIn: `${expression.key} notin (${values})`,
      Exists: expression.key,
      DoesNotExist: `!${expression.key}`,
    };
    parts.push([expression.key, text[expression.operator] ?? '']);
  }
  return parts
    .sort(([a], [b]) => compareStrings(a, b))
    .map(([, text]) => text)
    .join(',');
}
