import { type Json, quote } from '../util/object.ts';
import { goJson, goSprint } from './go-json.ts';
import { type Node, type Param, Parser } from './jsonpath-parser.ts';

/**
 * JSONPath in kubectl's dialect: models client-go's util/jsonpath (parser.go, jsonpath.go), errors included.
 */
function goType(value: Json): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** A parsed template. */
export class JsonPath {
  #root: Node[];
  allowMissingKeys: boolean;
  outputJson: boolean;
  #beginRange = 0;
  #inRange = 0;
  #endRange = 0;
  #lastEnd: Node | undefined;

  constructor(text: string, options: { allowMissingKeys?: boolean; outputJson?: boolean } = {}) {
    this.#root = new Parser(text).root.nodes;
    this.allowMissingKeys = options.allowMissingKeys ?? false;
    this.outputJson = options.outputJson ?? false;
  }

  /** Results per top-level node. */
  find(data: Json): Json[][] {
    const nodes = this.#root;
    this.#beginRange = 0;
    this.#inRange = 0;
    this.#endRange = 0;
    return this.#findIn(nodes, data);
  }

  #findIn(nodes: Node[], data: Json): Json[][] {
    const full: Json[][] = [];
    const current = [data];
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as Node;
      const results = this.#walk(current, node);
      if (this.#endRange > 0 && this.#endRange <= this.#inRange) {
        this.#endRange--;
        this.#lastEnd = node;
        break;
      }
      if (this.#beginRange > 0) {
        this.#beginRange--;
        this.#inRange++;
        const rest = nodes.slice(i + 1);
        if (results.length > 0) for (const value of results) full.push(...this.#findIn(rest, value));
        else this.#findIn(rest, null);
        this.#inRange--;
        const end = nodes.indexOf(this.#lastEnd as Node, i + 1);
        if (end >= 0) i = end;
        continue;
      }
      full.push(results);
    }
    return full;
  }

  /** What kubectl prints for this object. */
  execute(data: Json): string {
    return this.find(data)
      .map((results) => this.#print(results))
      .join('');
  }

  #print(results: Json[]): string {
    if (this.outputJson) return `${goJson(results, { indent: '    ' })}\n`;
    return results.map((value) => (value === null ? 'null' : typeof value === 'object' ? goJson(value) : goSprint(value))).join(' ');
  }

  #walk(input: Json[], node: Node): Json[] {
    switch (node.type) {
      case 'list':
        return node.nodes.reduce((value: Json[], child) => this.#walk(value, child), input);
      case 'text':
        return [node.text];
      case 'number':
      case 'bool':
        return input.map(() => node.value);
      case 'field':
        return this.#field(input, node.name);
      case 'array':
        return this.#array(input, node.params);
      case 'wildcard':
        return input.flatMap(children);
      case 'recursive':
        return this.#recursive(input);
      case 'union':
        return node.nodes.flatMap((child) => this.#walk(input, child));
      case 'filter':
        return this.#filter(input, node);
      case 'identifier':
        if (node.name === 'range') {
          this.#beginRange++;
          return input;
        }
        if (node.name === 'end') {
          if (this.#inRange > 0) this.#endRange++;
          else throw new Error('not in range, nothing to end');
          return [];
        }
        throw new Error(`unrecognized identifier ${node.name}`);
    }
  }

  #field(input: Json[], name: string): Json[] {
    if (input.length === 0) return [];
    const results: Json[] = [];
    for (const value of input) {
      if (value !== null && typeof value === 'object' && !Array.isArray(value) && Object.hasOwn(value, name) && value[name] !== undefined)
        results.push(value[name]);
    }
    if (results.length === 0 && !this.allowMissingKeys) throw new Error(`${name} is not found`);
    return results;
  }

  #array(input: Json[], params: readonly Param[]): Json[] {
    const result: Json[] = [];
    for (const value of input) {
      if (value === null || value === undefined) continue;
      if (!Array.isArray(value)) throw new Error(`${goType(value)} is not array or slice`);
      const [first, second, third] = params as [Param, Param, Param];
      const { length } = value;
      let from = first.known ? first.value : 0;
      if (from < 0) from += length;
      let to = second.known ? second.value : length;
      if (to < 0 || (to === 0 && second.derived)) to += length;
      if (to === from) return result;
      if (from >= length || from < 0) throw new Error(`array index out of bounds: index ${from}, length ${length}`);
      if (to > length || to < 0) throw new Error(`array index out of bounds: index ${to - 1}, length ${length}`);
      if (from > to) throw new Error(`starting index ${from} is greater than ending index ${to}`);
      let step = 1;
      if (third.known) {
        if (third.value <= 0) throw new Error('step must be > 0');
        step = third.value;
      }
      for (let i = from; i < to; i += step) result.push(value[i]);
    }
    return result;
  }

  #recursive(input: Json[]): Json[] {
    const result: Json[] = [];
    for (const value of input) {
      const inner = typeof value === 'string' ? [] : children(value);
      if (inner.length === 0 && !(typeof value === 'string' && value !== '')) continue;
      result.push(value, ...this.#recursive(inner));
    }
    return result;
  }

  #filter(input: Json[], node: Extract<Node, { type: 'filter' }>): Json[] {
    const results: Json[] = [];
    for (const value of input) {
      if (!Array.isArray(value)) throw new Error(`${goSprint(value)} is not array or slice and cannot be filtered`);
      for (const item of value) {
        let lefts: Json[] = [];
        let failure: unknown;
        try {
          lefts = this.#walk([item], node.left);
        } catch (error) {
          failure = error;
        }
        if (node.operator === 'exists') {
          if (lefts.length > 0) results.push(item);
          continue;
        }
        if (failure) throw failure;
        if (lefts.length === 0) continue;
        if (lefts.length > 1) throw new Error('can only compare one element at a time');
        const rights = this.#walk([item], node.right);
        if (rights.length === 0) continue;
        if (rights.length > 1) throw new Error('can only compare one element at a time');
        if (compare(lefts[0], rights[0], node.operator)) results.push(item);
      }
    }
    return results;
  }
}

function children(value: Json): Json[] {
  if (value === null || typeof value !== 'object') return typeof value === 'string' ? [...new TextEncoder().encode(value)] : [];
  return Array.isArray(value) ? value : Object.values(value);
}

/** The forked text/template comparisons. */
function compare(left: Json, right: Json, operator: string): boolean {
  const basic = (value: Json): string => {
    const type = goType(value);
    if (!/^(string|bool|int64|float64)$/.test(type)) throw new Error('invalid type for comparison');
    return type;
  };
  if (!['<', '>', '==', '!=', '<=', '>='].includes(operator)) throw new Error(`unrecognized filter operator ${operator}`);
  const type = basic(left);
  if (type !== basic(right)) throw new Error('incompatible types for comparison');
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (type === 'bool') throw new Error('invalid type for comparison');
  const less = left < right;
  const equal = left === right;
  return operator === '<' ? less : operator === '<=' ? less || equal : operator === '>' ? !less && !equal : !less;
}

/** RelaxedJSONPathExpression: accepts a path with or without braces and leading dot. */
export function relaxedJsonPath(expression: string): string {
  if (expression === '') return expression;
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(expression);
  if (!match) throw new Error(`unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`);
  return `{.${match[1] || match[2]}}`;
}

/** What kubectl says when a jsonpath template fails on an object. */
export function jsonPathFailure(template: string, error: unknown, shown: string): string {
  const text = error instanceof Error ? error.message : String(error);
  return `error executing jsonpath ${quote(template)}: Error executing template: ${text}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${template}\n\tobject given to jsonpath engine was:\n\t\t${shown}\n\n\n`;
}
