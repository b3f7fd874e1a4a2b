import { newBadRequest, quote } from './status-error.ts';

export type Labels = Readonly<Record<string, string>>;

/** One requirement of a label selector (models `labels.Requirement`). */
export interface Requirement {
  key: string;
  operator: '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';
  values: readonly string[];
}

export type LabelSelector = readonly Requirement[];

const SPECIAL = new Set(['(', ')', ',', '!', '=', '<', '>']);

interface Token {
  kind: 'end' | 'identifier' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '<' | '>' | 'in' | 'notin' | 'error';
  text: string;
}

/** `labels.Lexer`: two lookahead contexts, in which `in` and `notin` may be values. */
class Lexer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    while (this.#at < this.#text.length && ' \t\r\n'.includes(this.#text[this.#at] as string)) this.#at++;
    const first = this.#text[this.#at];
    if (first === undefined) return { kind: 'end', text: '' };
    if (SPECIAL.has(first)) {
      let symbol = '';
      while (this.#at < this.#text.length && SPECIAL.has(this.#text[this.#at] as string)) {
        const longer = symbol + this.#text[this.#at];
        if (symbol !== '' && !['==', '!='].includes(longer)) break;
        symbol = longer;
        this.#at++;
      }
      return { kind: symbol as Token['kind'], text: symbol };
    }
    const start = this.#at;
    while (this.#at < this.#text.length && !SPECIAL.has(this.#text[this.#at] as string) && !' \t\r\n'.includes(this.#text[this.#at] as string)) this.#at++;
    const text = this.#text.slice(start, this.#at);
    return { kind: text === 'in' || text === 'notin' ? text : 'identifier', text };
  }
}

class Parser {
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(text: string) {
    const lexer = new Lexer(text);
    for (;;) {
      const token = lexer.next();
      this.#tokens.push(token);
      if (token.kind === 'end') break;
    }
  }

  #peek(values: boolean): Token {
    const token = this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] as Token;
    return values && (token.kind === 'in' || token.kind === 'notin') ? { kind: 'identifier', text: token.text } : token;
  }

  #take(values: boolean): Token {
    const token = this.#peek(values);
    this.#at++;
    return token;
  }

  parse(): Requirement[] {
    const out: Requirement[] = [];
    for (;;) {
      const token = this.#peek(true);
      if (token.kind === 'identifier' || token.kind === '!') {
        out.push(this.#requirement());
        const after = this.#take(true);
        if (after.kind === 'end') return out;
        if (after.kind !== ',') throw `found '${after.text}', expected: ',' or 'end of string'`;
        const following = this.#peek(true);
        if (following.kind !== 'identifier' && following.kind !== '!') throw `found '${following.text}', expected: identifier after ','`;
      } else if (token.kind === 'end') return out;
      else throw `found '${token.text}', expected: !, identifier, or 'end of string'`;
    }
  }

  #requirement(): Requirement {
    let operator: Requirement['operator'] | undefined;
    if (this.#peek(true).kind === '!') {
      operator = '!';
      this.#take(true);
    }
    const keyToken = this.#take(true);
    if (keyToken.kind !== 'identifier') throw `found '${keyToken.text}', expected: identifier`;
    const key = keyToken.text;
    const bad = labelKeyErrors(key);
    if (bad.length > 0) throw `key: Invalid value: ${quote(key)}: ${bad.join('; ')}`;
    const ahead = this.#peek(true);
    if (ahead.kind === 'end' || ahead.kind === ',') return { key, operator: operator ?? 'exists', values: [] };
    if (operator === '!') return { key, operator, values: [] };
    const symbol = this.#take(false);
    const operators: Record<string, Requirement['operator']> = { in: 'in', notin: 'notin', '=': '=', '==': '==', '!=': '!=', '>': 'gt', '<': 'lt' };
    operator = operators[symbol.kind];
    if (!operator) throw `found '${symbol.text}', expected: in, notin, =, ==, !=, gt, lt`;
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()];
    for (const value of values) {
      const errors = labelValueErrors(value);
      if (errors.length > 0) throw `values[0][${key}]: Invalid value: ${quote(value)}: ${errors.join('; ')}`;
    }
    if ((operator === 'gt' || operator === 'lt') && !/^-?\d+$/.test(values[0] ?? '')) {
      throw `values[0]: Invalid value: ${quote(values[0] ?? '')}: for 'Gt', 'Lt' operators, the value must be an integer`;
    }
    return { key, operator, values: [...values].sort() };
  }

  #values(): string[] {
    const open = this.#take(true);
    if (open.kind !== '(') throw `found '${open.text}' expected: '('`;
    const first = this.#peek(true);
    if (first.kind !== 'identifier' && first.kind !== ',') {
      if (first.kind === ')') {
        this.#take(true);
        return [''];
      }
      throw `found '${first.text}', expected: ',', ')' or identifier`;
    }
    const out = this.#identifiers();
    const close = this.#take(true);
    if (close.kind !== ')') throw `found '${close.text}', expected: ')'`;
    return [...new Set(out)];
  }

  #identifiers(): string[] {
    const out: string[] = [];
    for (;;) {
      const token = this.#take(true);
      if (token.kind === 'identifier') {
        out.push(token.text);
        const after = this.#peek(true);
        if (after.kind === ',') continue;
        if (after.kind === ')') return out;
        throw `found '${after.text}', expected: ',' or ')'`;
      }
      if (token.kind !== ',') throw `found '${token.text}', expected: ',', or identifier`;
      if (out.length === 0) out.push('');
      const after = this.#peek(true);
      if (after.kind === ')') {
        out.push('');
        return out;
      }
      if (after.kind === ',') {
        this.#take(true);
        out.push('');
      }
    }
  }

  #exactValue(): string {
    const ahead = this.#peek(true);
    if (ahead.kind === 'end' || ahead.kind === ',') return '';
    const token = this.#take(true);
    if (token.kind === 'identifier') return token.text;
    throw `found '${token.text}', expected: identifier`;
  }
}

const NAME_MESSAGE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DNS_SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** `validation.IsQualifiedName`. */
export function labelKeyErrors(key: string): string[] {
  const parts = key.split('/');
  const out: string[] = [];
  let name = key;
  if (parts.length === 2) {
    const prefix = parts[0] as string;
    name = parts[1] as string;
    if (prefix === '') out.push('prefix part must be non-empty');
    else if (prefix.length > 253) out.push('prefix part must be no more than 253 bytes');
    else if (!DNS_SUBDOMAIN.test(prefix)) out.push(`prefix part ${DNS_SUBDOMAIN_MESSAGE}`);
  } else if (parts.length > 2) {
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  }
  if (name === '') out.push('name part must be non-empty');
  else if (name.length > 63) out.push('name part must be no more than 63 bytes');
  if (!QUALIFIED_NAME.test(name)) out.push(NAME_MESSAGE);
  return out;
}

/** `validation.IsValidLabelValue`. */
export function labelValueErrors(value: string): string[] {
  const out: string[] = [];
  if (value.length > 63) out.push('must be no more than 63 bytes');
  if (value !== '' && !QUALIFIED_NAME.test(value)) {
    out.push(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    );
  }
  return out;
}

/** Parses `a in (b,c),!d`; throws 400 in `labels.Parse`'s words. */
export function parseLabelSelector(text: string): LabelSelector {
  try {
    return new Parser(text).parse();
  } catch (error) {
    if (typeof error === 'string') throw newBadRequest(`unable to parse requirement: ${error}`);
    throw error;
  }
}

export function matchesLabels(selector: LabelSelector, labels: Labels | undefined): boolean {
  for (const { key, operator, values } of selector) {
    const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case '=':
      case '==':
      case 'in':
        if (value === undefined || !values.includes(value)) return false;
        break;
      case '!=':
      case 'notin':
        if (value !== undefined && values.includes(value)) return false;
        break;
      case 'exists':
        if (value === undefined) return false;
        break;
      case '!':
        if (value !== undefined) return false;
        break;
      default: {
        if (value === undefined || !/^-?\d+$/.test(value)) return false;
        const limit = Number(values[0]);
        if (operator === 'gt' ? Number(value) <= limit : Number(value) >= limit) return false;
      }
    }
  }
  return true;
}

export interface FieldRequirement {
  field: string;
  operator: '=' | '!=';
  value: string;
}

/** Parses `metadata.name=a,status.phase!=Running` (models `fields.ParseSelector`); throws 400. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  const out: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === '') continue;
    const match = /^((?:[^=!\\]|\\.|!(?!=))*?)(!=|==|=)(.*)$/s.exec(term);
    if (!match) throw newBadRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const value = unescapeValue(match[3] as string);
    if (value === undefined) throw newBadRequest(`invalid field selector: invalid escape sequence in ${quote(match[3] as string)}`);
    out.push({ field: match[1] as string, operator: match[2] === '!=' ? '!=' : '=', value });
  }
  return out;
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescapeValue(text: string): string | undefined {
  if (!text.includes('\\')) return text;
  if (!/^(?:[^\\]|\\[\\,=])*$/s.test(text)) return undefined;
  return text.replace(/\\(.)/gs, '$1');
}
