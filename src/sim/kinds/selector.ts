import { fieldErrorText, invalid } from './field-error.ts';
import { isLabelKey, isLabelValue } from './meta/names.ts';
import type { FieldError } from './strategy.ts';
import type { LabelSelector } from './types.ts';

/**
 * Label and field selectors, as `k8s.io/apimachinery/pkg/labels` and `pkg/fields`: parsing (with their error texts),
 * matching and printing.
 */

type Operator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  key: string;
  operator: Operator;
  values: readonly string[];
}

/** All requirements must hold; an empty list selects everything. */
export type Selector = readonly LabelRequirement[];

/** Thrown by the parsers; `message` is what the API server prints. */
export class SelectorError extends Error {}

interface Token {
  kind: string;
  text: string;
}

const SYMBOLS = ['!=', '==', '=', '!', '(', ')', ',', '>', '<'];

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/[ \t\r\n]/.test(text[at] as string)) {
      at++;
      continue;
    }
    const run = /^[=!(),<>]+/.exec(text.slice(at))?.[0];
    if (run === undefined) {
      const word = /^[^=!(),<> \t\r\n]+/.exec(text.slice(at))?.[0] as string;
      tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
      at += word.length;
      continue;
    }
    const symbol = SYMBOLS.find((candidate) => run.startsWith(candidate)) as string;
    tokens.push({ kind: symbol, text: symbol });
    at += symbol.length;
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

class Parser {
  #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = scan(text);
  }

  /** `in` and `notin` are words like others except where an operator is expected. */
  #peek(asValue = true): Token {
    const token = this.#tokens[this.#at] as Token;
    return asValue && (token.kind === 'in' || token.kind === 'notin') ? { kind: 'identifier', text: token.text } : token;
  }

  #take(asValue = true): Token {
    const token = this.#peek(asValue);
    if (this.#at < this.#tokens.length - 1) this.#at++;
    return token;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'identifier' && token.kind !== '!') {
        throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      try {
        requirements.push(this.#requirement());
      } catch (error) {
        if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`);
        throw error;
      }
      const next = this.#take();
      if (next.kind === 'end') return requirements;
      if (next.kind !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (after.kind !== 'identifier' && after.kind !== '!') throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
    }
  }

  #requirement(): LabelRequirement {
    let token = this.#take();
    const negated = token.kind === '!';
    if (negated) token = this.#take();
    if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const keyErrors = isLabelKey(key);
    if (keyErrors.length > 0) throw new SelectorError(fieldErrorText(invalid('<nil>', key, keyErrors.join('; '))));
    const next = this.#peek();
    if (negated) return checked(key, '!', []);
    if (next.kind === 'end' || next.kind === ',') return checked(key, 'exists', []);
    const symbol = this.#take(false);
    const operator = ({ in: 'in', notin: 'notin', '=': '=', '==': '==', '!=': '!=', '>': 'gt', '<': 'lt' } as Record<string, Operator>)[symbol.kind];
    if (operator === undefined) throw new SelectorError(`found '${symbol.text}', expected: in, notin, =, ==, !=, gt, lt`);
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()];
    return checked(key, operator, [...new Set(values)].sort());
  }

  #exactValue(): string {
    const token = this.#peek();
    if (token.kind === 'end' || token.kind === ',') return '';
    this.#take();
    if (token.kind === 'identifier') return token.text;
    throw new SelectorError(`found '${token.text}', expected: identifier`);
  }

  #values(): string[] {
    const open = this.#take();
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ')') {
      this.#take();
      return [''];
    }
    if (first.kind !== 'identifier' && first.kind !== ',') throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    const values: string[] = [];
    for (;;) {
      const token = this.#take();
      if (token.kind === 'identifier') {
        values.push(token.text);
        const next = this.#peek();
        if (next.kind === ',') continue;
        if (next.kind === ')') break;
        throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
      }
      if (token.kind !== ',') throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
      if (values.length === 0) values.push('');
      const next = this.#peek();
      if (next.kind === ')') {
        values.push('');
        break;
      }
      if (next.kind === ',') values.push('');
    }
    this.#take();
    return values;
  }
}

/** As `labels.NewRequirement`: checks the parts of one requirement. Field paths are those upstream prints without a path. */
function checked(key: string, operator: Operator, values: string[]): LabelRequirement {
  const errors: FieldError[] = [];
  if ((operator === 'gt' || operator === 'lt') && !/^[+-]?\d+$/.test(values[0] ?? '')) {
    errors.push(invalid('values[0]', values[0], "for 'Gt', 'Lt' operators, the value must be an integer"));
  }
  values.forEach((value, i) => {
    const messages = isLabelValue(value);
    if (messages.length > 0) errors.push(invalid(`values[${i}][${key}]`, value, messages.join('; ')));
  });
  if (errors.length > 0) {
    const texts = [...new Set(errors.map(fieldErrorText))];
    throw new SelectorError(texts.length === 1 ? (texts[0] as string) : `[${texts.join(', ')}]`);
  }
  return { key, operator, values };
}

const cache = new Map<string, Selector>();

/** Parses the text of `--selector` / `labelSelector=`. Throws `SelectorError`. */
export function parseLabelSelector(text: string): Selector {
  const known = cache.get(text);
  if (known) return known;
  const parsed = new Parser(text).parse();
  // Go's string order is by bytes; label keys are ASCII.
  parsed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  if (cache.size > 500) cache.clear();
  cache.set(text, parsed);
  return parsed;
}

const OPERATORS: Readonly<Record<string, Operator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

/**
 * A selector of the API (`spec.selector`) as requirements (`metav1.LabelSelectorAsSelector`): undefined selects nothing
 * (returned as undefined), an empty one everything. Also takes the plain map that Services and ReplicationControllers have.
 */
export function asSelector(selector: LabelSelector | undefined | null): Selector | undefined {
  if (!selector) return undefined;
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) requirements.push({ key, operator: '=', values: [value] });
  for (const { key = '', operator = '', values = [] } of selector.matchExpressions ?? []) {
    requirements.push({ key, operator: OPERATORS[operator] ?? 'in', values: [...values] });
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** A map of labels as requirements (`labels.SelectorFromSet`): an empty map selects everything. */
export function selectorFromMap(labels: Readonly<Record<string, string>> | undefined): Selector {
  return asSelector({ matchLabels: { ...labels } }) as Selector;
}

function holds({ key, operator, values }: LabelRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'gt':
    case 'lt': {
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
      return operator === 'gt' ? BigInt(value) > BigInt(values[0] as string) : BigInt(value) < BigInt(values[0] as string);
    }
    default:
      return value !== undefined && values.includes(value);
  }
}

/** Whether labels satisfy a parsed selector; undefined (no selector) matches nothing. */
export function matchesSelector(selector: Selector | undefined, labels: Readonly<Record<string, string>> | undefined): boolean {
  return selector?.every((requirement) => holds(requirement, labels ?? {})) ?? false;
}

/** Whether labels satisfy an API `LabelSelector` (undefined: nothing; `{}`: everything). */
export function matchesLabelSelector(selector: LabelSelector | undefined | null, labels: Readonly<Record<string, string>> | undefined): boolean {
  return matchesSelector(asSelector(selector), labels);
}

/** As `Selector.String()`: `app=a,tier in (x,y),!z`. */
export function formatSelector(selector: Selector): string {
  return selector
    .map(({ key, operator, values }) => {
      switch (operator) {
        case 'exists':
          return key;
        case '!':
          return `!${key}`;
        case 'in':
        case 'notin':
          return `${key} ${operator} (${[...values].sort().join(',')})`;
        case 'gt':
        case 'lt':
          return `${key}${operator === 'gt' ? '>' : '<'}${values[0]}`;
        default:
          return `${key}${operator}${values[0] ?? ''}`;
      }
    })
    .join(',');
}

/** As `metav1.FormatLabelSelector`, the SELECTOR column: `<none>` for an empty one. */
export function formatLabelSelector(selector: LabelSelector | undefined | null): string {
  return formatSelector(asSelector(selector) ?? []) || '<none>';
}

/** As `labels.FormatLabels`: a map as `a=1,b=2`, `<none>` when empty. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  return formatSelector(selectorFromMap(labels)) || '<none>';
}

/** One term of a field selector. */
export interface FieldRequirement {
  field: string;
  negated: boolean;
  value: string;
}

/** Parses `fieldSelector=`: comma-separated `field=value`, `==`, `!=`; `\` escapes. Throws `SelectorError`. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const terms: string[] = [];
  let term = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (character === '\\') {
      term += character + (text[++i] ?? '');
    } else if (character === ',') {
      terms.push(term);
      term = '';
    } else {
      term += character;
    }
  }
  terms.push(term);
  const out: FieldRequirement[] = [];
  for (const part of terms.sort()) {
    if (part === '') continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(part);
    if (!match) throw new SelectorError(`invalid selector: '${text}'; can't understand '${part}'`);
    out.push({ field: match[1] as string, negated: match[2] === '!=', value: unescapeValue(match[3] as string) });
  }
  return out;
}

function unescapeValue(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (character === '\\') {
      const next = text[++i];
      if (next === undefined || !'\\,='.includes(next)) throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next ?? ''}`);
      out += next;
    } else if (character === ',' || character === '=') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${character.codePointAt(0)}`);
    } else {
      out += character;
    }
  }
  return out;
}
