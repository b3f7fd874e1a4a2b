import { compareStrings, type Json } from '../util/object.ts';
import { type Command, type Expr, type Node, type Pipe, type Place, TemplateParser } from './go-template-parser.ts';
import { callFunction, MISSING, printValue, show, truth, type Value } from './go-template-values.ts';

class BreakSignal extends Error {}
class ContinueSignal extends Error {}

/**
 * text/template, as far as kubectl's go-template output uses it: fields, pipelines, variables, if, range, with, define
 * and template, the built-in functions, and kubectl's own `exists` and `base64decode`. Numbers are float64, as
 * encoding/json makes them. Not modelled: methods, complex numbers, js and urlquery in full.
 */
export class GoTemplate {
  readonly #root: Node[];
  readonly #templates = new Map<string, Node[]>();
  readonly #missingKeyIsError: boolean;
  #output = '';

  constructor(text: string, options: { missingKeyIsError: boolean }) {
    this.#missingKeyIsError = options.missingKeyIsError;
    this.#root = new TemplateParser(text, this.#templates).parse();
  }

  /** Runs the template; what was printed before an error is kept. */
  execute(data: Json): { output: string; error?: string } {
    this.#output = '';
    try {
      this.#nodes(this.#root, data, [{ $: data }]);
      return { output: this.#output };
    } catch (error) {
      return { output: this.#output, error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** fmt's %+v of the decoded object. */
  goPlusV(value: Json): string {
    return show(value);
  }

  #nodes(nodes: readonly Node[], dot: Value, scopes: Record<string, Value>[]): void {
    const inner = [...scopes, {}];
    for (const node of nodes) this.#node(node, dot, inner);
  }

  #node(node: Node, dot: Value, scopes: Record<string, Value>[]): void {
    switch (node.kind) {
      case 'text':
        this.#output += node.text;
        return;
      case 'action': {
        const value = this.#pipe(node.pipe, dot, scopes);
        if (node.pipe.declare.length === 0) this.#output += printValue(value);
        return;
      }
      case 'break':
        throw new BreakSignal();
      case 'continue':
        throw new ContinueSignal();
      case 'template': {
        const body = this.#templates.get(node.name);
        if (!body) throw this.#error(node.at, `template ${JSON.stringify(node.name)} not defined`);
        const data = node.pipe ? this.#pipe(node.pipe, dot, scopes) : null;
        this.#nodes(body, data, [{ $: data }]);
        return;
      }
      case 'range':
        return this.#range(node, dot, scopes);
      default: {
        const scope = [...scopes, {}];
        const value = this.#pipe(node.pipe, dot, scope);
        if (truth(value)) this.#nodes(node.body, node.kind === 'with' ? value : dot, scope);
        else this.#nodes(node.otherwise, dot, scope);
      }
    }
  }

  #range(node: Extract<Node, { kind: 'range' | 'if' | 'with' }>, dot: Value, scopes: Record<string, Value>[]): void {
    const outer = [...scopes, {}];
    const { declare } = node.pipe;
    const value = this.#pipe({ ...node.pipe, declare: [] }, dot, outer);
    let entries: [Value, Value][] = [];
    if (Array.isArray(value)) entries = value.map((item, index) => [index, item]);
    else if (value !== null && typeof value === 'object')
      entries = Object.keys(value)
        .sort(compareStrings)
        .map((key) => [key, value[key]]);
    else if (typeof value === 'number') entries = Array.from({ length: Math.max(0, Math.trunc(value)) }, (_, index) => [index, index]);
    else if (value !== null && value !== MISSING && value !== undefined) throw this.#error(node.pipe.at, `range can't iterate over ${show(value)}`);
    if (entries.length === 0) {
      this.#nodes(node.otherwise, dot, outer);
      return;
    }
    for (const [key, item] of entries) {
      const scope: Record<string, Value> = {};
      if (declare.length === 1) scope[declare[0] as string] = item;
      if (declare.length === 2) {
        scope[declare[0] as string] = key;
        scope[declare[1] as string] = item;
      }
      try {
        this.#nodes(node.body, item, [...outer, scope]);
      } catch (error) {
        if (error instanceof BreakSignal) return;
        if (!(error instanceof ContinueSignal)) throw error;
      }
    }
  }

  #pipe(pipe: Pipe, dot: Value, scopes: Record<string, Value>[]): Value {
    let value: Value = MISSING;
    let piped = false;
    for (const command of pipe.commands) {
      value = this.#command(command, dot, scopes, piped ? [value] : []);
      piped = true;
    }
    for (const name of pipe.declare) {
      const holder = pipe.assign ? scopes.findLast((scope) => name in scope) : scopes.at(-1);
      if (holder) holder[name] = value;
    }
    return value;
  }

  #command(command: Command, dot: Value, scopes: Record<string, Value>[], final: Value[]): Value {
    const [first, ...rest] = command.args as [Expr, ...Expr[]];
    if (first.kind === 'nil') throw this.#error(command.at, 'nil is not a command');
    if (first.kind === 'function') return this.#call({ ...first, at: { ...first.at, text: command.at.text } }, rest, dot, scopes, final);
    if (rest.length > 0 || final.length > 0) {
      const what =
        first.kind === 'field'
          ? `${first.path.at(-1)} is not a method but has arguments`
          : `can't give argument to non-function ${first.kind === 'literal' ? first.at.text : 'at' in first ? first.at.text : '.'}`;
      throw this.#error('at' in first ? first.at : command.at, what);
    }
    return this.#expr(first, dot, scopes);
  }

  #expr(expr: Expr, dot: Value, scopes: Record<string, Value>[]): Value {
    switch (expr.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
        return expr.value;
      case 'field':
        return this.#fields(dot, expr.path, expr.at);
      case 'variable': {
        const holder = scopes.findLast((scope) => expr.name in scope);
        if (!holder) throw this.#error(expr.at, `undefined variable: ${expr.name}`);
        return this.#fields(holder[expr.name], expr.path, expr.at);
      }
      case 'function':
        return this.#call(expr, [], dot, scopes, []);
      case 'pipe':
        return this.#pipe(expr.pipe, dot, scopes);
      case 'chain':
        return this.#fields(this.#pipe(expr.base, dot, scopes), expr.path, expr.at);
    }
  }

  #fields(start: Value, path: readonly string[], at: Place): Value {
    let value = start;
    for (const name of path) {
      if (value === MISSING) {
        if (this.#missingKeyIsError) throw this.#error(at, `nil data; no entry for key ${JSON.stringify(name)}`);
        return MISSING;
      }
      if (value === null || value === undefined) throw this.#error(at, `nil pointer evaluating interface {}.${name}`);
      if (typeof value !== 'object' || Array.isArray(value)) throw this.#error(at, `can't evaluate field ${name} in type interface {}`);
      if (Object.hasOwn(value, name)) value = value[name];
      else if (this.#missingKeyIsError) throw this.#error(at, `map has no entry for key ${JSON.stringify(name)}`);
      else value = MISSING;
    }
    return value;
  }

  #error(at: Place, message: string): Error {
    const context = at.text.length > 20 ? `${at.text.slice(0, 20)}...` : at.text;
    return new Error(`template: output:${at.line}:${at.column}: executing "output" at <${context}>: ${message}`);
  }

  #call(fn: Extract<Expr, { kind: 'function' }>, args: Expr[], dot: Value, scopes: Record<string, Value>[], final: Value[]): Value {
    const lazy = [...args.map((arg) => () => this.#argument(arg, dot, scopes)), ...final.map((value) => () => value)];
    if (fn.name === 'and' || fn.name === 'or') {
      if (lazy.length === 0) throw this.#error(fn.at, `wrong number of args for ${fn.name}: want at least 1 got 0`);
      let value: Value = null;
      for (const each of lazy) {
        value = each();
        if (truth(value) === (fn.name === 'or')) return value;
      }
      return value;
    }
    const values = lazy.map((each) => each());
    try {
      return callFunction(fn.name, values);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw this.#error(fn.at, text.startsWith('wrong number') ? text : `error calling ${fn.name}: ${text}`);
    }
  }

  #argument(arg: Expr, dot: Value, scopes: Record<string, Value>[]): Value {
    return this.#expr(arg, dot, scopes);
  }
}
