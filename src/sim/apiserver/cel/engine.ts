import { Environment, Optional } from '@marcbachmann/cel-js';
import { registerLibrary } from './library.ts';

/**
 * CEL by `@marcbachmann/cel-js`, with Kubernetes' functions and cel-go's words. Costs are not counted: the budgets that a
 * real server gives rules are not simulated.
 */

/** Integers are bigint, doubles numbers; objects and lists are plain. */
export type CelValue = unknown;

/** What a variable may be, for the compiler. `dyn` is looked at only when the rule runs. */
export type CelType =
  | { kind: 'dyn' | 'int' | 'double' | 'string' | 'bool' | 'bytes' | 'timestamp' | 'duration' }
  | { kind: 'list' | 'map'; of: CelType }
  | { kind: 'object'; fields: Readonly<Record<string, CelType>> };

export interface Compiled {
  /** cel-go's complaint: "ERROR: <input>:1:6: undefined field 'x'\n | …". */
  issues?: string;
  /** "bool", "string", "dyn" … */
  type: string;
  uses(variable: string): boolean;
  /** Throws `CelFailure`. */
  run(variables: Readonly<Record<string, CelValue>>): CelValue;
}

/** An expression that failed while it ran, in cel-go's words. */
export class CelFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CelFailure';
  }
}

interface EngineNode {
  op?: string;
  start?: number;
  pos?: number;
  end?: number;
  args?: unknown;
}
interface EngineError {
  message: string;
  code?: string;
  node?: EngineNode;
  range?: { start: number; end: number };
}

const OPTIONS = { enableOptionalTypes: true, homogeneousAggregateLiterals: false } as const;

export const optional = (value: CelValue | undefined): unknown => (value === undefined ? Optional.none() : Optional.of(value));

function typeName(env: Environment, type: CelType, names: { next: number }): string {
  if (type.kind === 'list') return `list<${typeName(env, type.of, names)}>`;
  if (type.kind === 'map') return `map<string, ${typeName(env, type.of, names)}>`;
  if (type.kind !== 'object')
    return type.kind === 'timestamp' ? 'google.protobuf.Timestamp' : type.kind === 'duration' ? 'google.protobuf.Duration' : type.kind;
  const fields = Object.fromEntries(Object.entries(type.fields).map(([field, inner]) => [field, typeName(env, inner, names)]));
  const name = `Self${names.next++}`;
  env.registerType(name, { fields });
  env.registerOperator(`${name} == ${name}`, () => true);
  return name;
}

/** Compiles an expression over the given variables; what it says of them is checked by their types. */
export function compile(source: string, variables: Readonly<Record<string, CelType>>): Compiled {
  const typed = new Environment(OPTIONS);
  const loose = new Environment(OPTIONS);
  registerLibrary(typed);
  registerLibrary(loose);
  const names = { next: 0 };
  for (const [name, type] of Object.entries(variables)) {
    typed.registerVariable(name, typeName(typed, type, names));
    loose.registerVariable(name, 'dyn');
  }
  const uses = (variable: string): boolean => new RegExp(`(?<![\\w.])${variable}(?!\\w)`).test(source.replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/g, '""'));
  const result = typed.check(source) as { valid: boolean; type?: string; error?: EngineError };
  const failed = (issues: string): Compiled => ({ issues, type: '', uses, run: () => undefined });
  if (!result.valid && result.error) return failed(issuesOf(source, result.error));
  const program = loose.parse(source) as (context: Record<string, unknown>) => unknown;
  return {
    type: result.type ?? 'dyn',
    uses,
    run(values) {
      try {
        return program({ ...values });
      } catch (error) {
        throw new CelFailure(failureOf(error as EngineError));
      }
    },
  };
}

/** Where cel-go says the trouble is: a line and a column, and the line with a mark under it. */
function issuesOf(source: string, error: EngineError): string {
  const summary = (error.message.split('\n')[0] ?? '').trim();
  const start = error.range?.start ?? 0;
  const node = error.node;
  const quoted = (text: string): string => /'([^']*)'/.exec(text)?.[1] ?? '';
  switch (error.code) {
    case 'unknown_variable':
      return located(source, start, `undeclared reference to '${summary.replace('Unknown variable: ', '')}' (in container '')`);
    case 'no_such_key':
      return located(source, source.lastIndexOf('.', start), `undefined field '${summary.replace('No such key: ', '')}'`);
    case 'no_such_overload': {
      const [, left = '', operator = '', right = ''] = /^no such overload: (\S*?)\s*([!=<>+\-*/%&|]+|in)\s*(\S+)$/.exec(summary) ?? [];
      const at = left === '' ? start : operatorAt(source, node, operator);
      const applied = left === '' ? right : `${goType(left)}, ${goType(right)}`;
      return located(source, at, `found no matching overload for '${left === '' ? `${operator}_` : `_${operator}_`}' applied to '(${applied})'`);
    }
    case 'no_matching_overload': {
      const [, receiver = '', name = '', given = ''] = /^(?:(.*)\.)?([\w@]+)\((.*)\)$/.exec(quoted(summary)) ?? [];
      const at = Math.max(source.indexOf('(', source.indexOf(name, start)), 0);
      if (!KNOWN.has(name)) return located(source, at, `undeclared reference to '${name}' (in container '')`);
      const target = receiver === '' ? `(${given})` : `${goType(receiver)}.(${given})`;
      return located(source, at, `found no matching overload for '${name}' applied to '${target}'`);
    }
    case 'unexpected_token':
      if (summary.endsWith('EOF')) return located(source, source.length, `Syntax error: mismatched input '<EOF>' expecting ${STARTERS}`);
      return located(source, start, `Syntax error: extraneous input '${source.slice(start, error.range?.end ?? start + 1)}' expecting <EOF>`);
    default:
      return located(source, start, summary);
  }
}

const STARTERS = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

const KNOWN = new Set(
  (
    'size string int uint double bool bytes type dyn duration timestamp startsWith endsWith contains matches lowerAscii upperAscii trim indexOf lastIndexOf ' +
    'substring split join getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth getSeconds sum min max ' +
    'isSorted find findAll charAt replace reverse format quantity isQuantity isGreaterThan isLessThan compareTo sign isInteger asInteger asApproximateFloat ' +
    'isIP ip family isLoopback isCIDR isURL url getScheme getHost getHostname getPort getEscapedPath'
  ).split(' '),
);

const goType = (type: string): string => (type.startsWith('Self') ? 'object' : type.replaceAll('<', '(').replaceAll('>', ')'));

function operatorAt(source: string, node: EngineNode | undefined, operator: string): number {
  const [left] = (Array.isArray(node?.args) ? node.args : []) as EngineNode[];
  const from = typeof left?.end === 'number' ? left.end : (node?.start ?? 0);
  const at = source.indexOf(operator, from);
  return at < 0 ? from : at;
}

function located(source: string, offset: number, text: string): string {
  const before = source.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - (before.lastIndexOf('\n') + 1);
  return `ERROR: <input>:${line}:${column + 1}: ${text}\n | ${source.split('\n')[line - 1] ?? ''}\n | ${'.'.repeat(column)}^`;
}

function failureOf({ message, code }: EngineError): string {
  const summary = (message.split('\n')[0] ?? '').trim();
  if (code === 'index_out_of_bounds') return `index out of bounds: ${/index (-?\d+)/.exec(summary)?.[1] ?? ''}`;
  if (code === 'no_such_key') return summary.replace('No such key', 'no such key');
  if (code === 'no_such_overload' || code === 'no_matching_overload') return 'no such overload';
  return summary;
}
