import type { SelectStatement, SqlExpression } from './sql-ast.ts';
import { notSimulated, SqlError } from './sql-error.ts';
import { callFunction, type FunctionContext, likePattern } from './sql-functions.ts';
import { coerce, type StaticType, typeOf, unify } from './sql-types.ts';
import {
  arithmetic,
  compareValues,
  Decimal,
  divide,
  fromBoolean,
  identitiesOf,
  isTrue,
  orderValues,
  type SqlValue,
  toDecimal,
  toInteger,
  toNumber,
  toText,
} from './sql-value.ts';

/** One row being looked at; with `group`, the rows an aggregate runs over. */
export interface Scope {
  row: readonly SqlValue[];
  group?: readonly (readonly SqlValue[])[] | undefined;
  outer?: Scope | undefined;
}

/** What a name in an expression stands for. */
export type Resolved = { depth: number; index: number; type: StaticType } | { alias: SqlExpression };

export interface EvaluationContext {
  functions: FunctionContext;
  database: string | null;
  /** A user variable or a system variable; throws 1193. */
  variable(scope: 'user' | 'system', name: string): SqlValue;
  setVariable(name: string, value: SqlValue): void;
  warn(code: number, message: string): void;
}

export const AGGREGATES = new Set(['count', 'sum', 'avg', 'min', 'max', 'group_concat', 'std', 'stddev', 'variance', 'stddev_pop', 'var_pop', 'any_value']);

const BIT_MASK = 2n ** 64n - 1n;

/** The expressions within an expression, subqueries left out. */
export function childrenOf(expression: SqlExpression): SqlExpression[] {
  switch (expression.kind) {
    case 'unary':
    case 'is':
      return [expression.operand];
    case 'assign':
      return [expression.value];
    case 'binary':
      return [expression.left, expression.right];
    case 'in':
      return [expression.operand, ...(expression.list ?? [])];
    case 'between':
      return [expression.operand, expression.low, expression.high];
    case 'call':
      return [...expression.args, ...(expression.orderBy ?? []).map(({ value }) => value)];
    case 'case':
      return [
        ...(expression.operand ? [expression.operand] : []),
        ...expression.branches.flatMap(({ when, result }) => [when, result]),
        ...(expression.otherwise ? [expression.otherwise] : []),
      ];
    default:
      return [];
  }
}

/** Computes expressions whose names are resolved. */
export abstract class Evaluator {
  readonly context: EvaluationContext;
  protected readonly resolved = new Map<SqlExpression, Resolved>();
  #types = new Map<SqlExpression, StaticType>();

  constructor(context: EvaluationContext) {
    this.context = context;
  }

  /** Rows of a subquery whose names are resolved. */
  protected abstract subquery(statement: SelectStatement, outer: Scope): readonly (readonly SqlValue[])[];
  protected abstract subqueryTypes(statement: SelectStatement): readonly StaticType[];

  typeOf(expression: SqlExpression): StaticType {
    let found = this.#types.get(expression);
    if (!found) {
      found = typeOf(expression, {
        column: (one) => {
          const resolved = this.resolved.get(one);
          return resolved === undefined ? { kind: 'string', scale: 0 } : 'alias' in resolved ? this.typeOf(resolved.alias) : resolved.type;
        },
        variable: (one) => this.context.variable(one.scope, one.name),
        query: (statement) => this.subqueryTypes(statement)[0] ?? { kind: 'null', scale: 0 },
      });
      this.#types.set(expression, found);
    }
    return found;
  }

  /** What ORDER BY compares: an ENUM by the place of its word. */
  sortKey(expression: SqlExpression, scope: Scope): SqlValue {
    const value = this.evaluate(expression, scope);
    const { choices } = this.typeOf(expression);
    return choices && typeof value === 'string' ? BigInt(choices.indexOf(value) + 1) : value;
  }

  evaluate(expression: SqlExpression, scope: Scope): SqlValue {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'column':
        return this.#column(expression, scope);
      case 'variable':
        return this.context.variable(expression.scope, expression.name);
      case 'assign': {
        const value = this.evaluate(expression.value, scope);
        this.context.setVariable(expression.name, value);
        return value;
      }
      case 'parameter':
        throw new SqlError(1210, 'HY000', 'Incorrect arguments to EXECUTE');
      case 'star':
        throw new SqlError(
          1064,
          '42000',
          "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '*' at line 1",
        );
      case 'unary':
        return this.#unary(expression.operator, this.evaluate(expression.operand, scope));
      case 'binary':
        return this.#binary(expression, scope);
      case 'is': {
        const value = this.evaluate(expression.operand, scope);
        const holds =
          expression.what === 'null' || expression.what === 'unknown' ? value === null : value !== null && isTrue(value) === (expression.what === 'true');
        return fromBoolean(holds !== expression.negated);
      }
      case 'in':
        return this.#in(expression, scope);
      case 'between': {
        const value = this.evaluate(expression.operand, scope);
        const low = compareValues(value, this.evaluate(expression.low, scope));
        const high = compareValues(value, this.evaluate(expression.high, scope));
        // One side that fails decides, whatever the other is.
        if ((low !== null && low < 0) || (high !== null && high > 0)) return fromBoolean(expression.negated);
        return low === null || high === null ? null : fromBoolean(!expression.negated);
      }
      case 'case':
        return this.#case(expression, scope);
      case 'query': {
        const rows = this.subquery(expression.query, scope);
        if (expression.exists) return fromBoolean(rows.length > 0);
        if (this.subqueryTypes(expression.query).length !== 1) throw new SqlError(1241, '21000', 'Operand should contain 1 column(s)');
        if (rows.length > 1) throw new SqlError(1242, '21000', 'Subquery returns more than 1 row');
        return rows[0]?.[0] ?? null;
      }
      case 'call':
        return this.#call(expression, scope);
    }
  }

  #column(expression: SqlExpression & { kind: 'column' }, scope: Scope): SqlValue {
    const place = this.resolved.get(expression);
    if (!place) throw new SqlError(1054, '42S22', `Unknown column '${expression.name}' in 'field list'`);
    if ('alias' in place) return this.evaluate(place.alias, scope);
    let from: Scope | undefined = scope;
    for (let i = 0; i < place.depth; i++) from = from?.outer;
    return from?.row[place.index] ?? null;
  }

  #unary(operator: '-' | 'not' | '~' | 'binary', value: SqlValue): SqlValue {
    if (value === null) return null;
    if (operator === 'not') return fromBoolean(!isTrue(value));
    if (operator === 'binary') return toText(value);
    if (operator === '~') return ~toInteger(value) & BIT_MASK;
    if (value instanceof Decimal) return new Decimal(-value.unscaled, value.scale, value.shown);
    return typeof value === 'bigint' ? -value : -toNumber(value);
  }

  #in(expression: SqlExpression & { kind: 'in' }, scope: Scope): SqlValue {
    const value = this.evaluate(expression.operand, scope);
    const list = expression.query
      ? this.subquery(expression.query, scope).map((row) => row[0] ?? null)
      : (expression.list ?? []).map((one) => this.evaluate(one, scope));
    if (expression.query && this.subqueryTypes(expression.query).length !== 1) throw new SqlError(1241, '21000', 'Operand should contain 1 column(s)');
    const results = list.map((one) => compareValues(value, one));
    if (results.includes(0)) return fromBoolean(!expression.negated);
    return results.includes(null) ? null : fromBoolean(expression.negated);
  }

  #case(expression: SqlExpression & { kind: 'case' }, scope: Scope): SqlValue {
    const operand = expression.operand ? this.evaluate(expression.operand, scope) : undefined;
    const hit = expression.branches.find(({ when }) => {
      const value = this.evaluate(when, scope);
      return operand === undefined ? isTrue(value) : compareValues(operand, value) === 0;
    });
    const chosen = hit?.result ?? expression.otherwise;
    return chosen ? coerce(this.evaluate(chosen, scope), this.typeOf(expression)) : null;
  }

  #binary(expression: SqlExpression & { kind: 'binary' }, scope: Scope): SqlValue {
    const { operator } = expression;
    const left = this.evaluate(expression.left, scope);
    if (operator === 'and' && left !== null && !isTrue(left)) return 0n;
    if (operator === 'or' && isTrue(left)) return 1n;
    const right = this.evaluate(expression.right, scope);
    if (operator === 'and') return right !== null && !isTrue(right) ? 0n : left === null || right === null ? null : 1n;
    if (operator === 'or') return isTrue(right) ? 1n : left === null || right === null ? null : 0n;
    if (operator === '<=>') return fromBoolean(left === null || right === null ? left === right : compareValues(left, right) === 0);
    if (left === null || right === null) return null;
    switch (operator) {
      case 'xor':
        return fromBoolean(isTrue(left) !== isTrue(right));
      case 'like':
        return fromBoolean(likePattern(toText(right)).test(toText(left)));
      case 'regexp':
        try {
          return fromBoolean(new RegExp(toText(right), 'i').test(toText(left)));
        } catch {
          throw new SqlError(3685, 'HY000', 'Illegal argument to a regular expression.');
        }
      case '=':
      case '<>':
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const order = compareValues(left, right) ?? 0;
        return fromBoolean({ '=': order === 0, '<>': order !== 0, '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator]);
      }
      case '|':
      case '&':
      case '^':
      case '<<':
      case '>>': {
        const [a, b] = [toInteger(left) & BIT_MASK, toInteger(right) & BIT_MASK];
        if (operator === '|') return a | b;
        if (operator === '&') return a & b;
        if (operator === '^') return a ^ b;
        return b > 63n ? 0n : operator === '<<' ? (a << b) & BIT_MASK : a >> b;
      }
      default: {
        for (const value of [left, right]) this.#warnTruncated(value);
        const result = arithmetic(operator, left, right);
        if (result === null) this.context.warn(1365, 'Division by 0');
        return result;
      }
    }
  }

  #warnTruncated(value: SqlValue): void {
    if (typeof value === 'string' && !/^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/.test(value))
      this.context.warn(1292, `Truncated incorrect DOUBLE value: '${value}'`);
  }

  #call(expression: SqlExpression & { kind: 'call' }, scope: Scope): SqlValue {
    const { name, args } = expression;
    if (AGGREGATES.has(name)) return this.#aggregate(expression, scope);
    const given = (i: number): SqlValue => (args[i] ? this.evaluate(args[i], scope) : null);
    switch (name) {
      // Only what is needed is computed, and it takes the type of all.
      case 'if':
        needs(name, args, 3);
        return coerce(isTrue(given(0)) ? given(1) : given(2), this.typeOf(expression));
      case 'ifnull':
        needs(name, args, 2);
        return coerce(given(0) ?? given(1), this.typeOf(expression));
      case 'coalesce': {
        for (const one of args) {
          const value = this.evaluate(one, scope);
          if (value !== null) return coerce(value, this.typeOf(expression));
        }
        return null;
      }
      case 'values':
        return given(0);
      case 'greatest':
      case 'least': {
        needs(name, args, Math.max(args.length, 2));
        const values = args.map((one) => this.evaluate(one, scope));
        if (values.includes(null)) return null;
        const type = unify(args.map((one) => this.typeOf(one)));
        const kept = values.map((value) => coerce(value, type));
        return kept.reduce((best, value) => ((compareValues(value, best) ?? 0) * (name === 'greatest' ? 1 : -1) > 0 ? value : best));
      }
      default:
    }
    const values = args.map((one) => this.evaluate(one, scope));
    if (name === 'mod' || name === 'pow' || name === 'sqrt') for (const value of values) this.#warnTruncated(value);
    if ((name === 'mod' || name === 'div') && values[1] !== null && values[0] !== null && toNumber(values[1] ?? 0) === 0)
      this.context.warn(1365, 'Division by 0');
    return callFunction(name, values, this.context.functions, this.context.database ?? 'mysql');
  }

  #aggregate(expression: SqlExpression & { kind: 'call' }, scope: Scope): SqlValue {
    const { name, args, distinct } = expression;
    if (!scope.group) throw new SqlError(1111, 'HY000', 'Invalid use of group function');
    const [argument] = args;
    if (!argument)
      throw new SqlError(
        1064,
        '42000',
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near ')' at line 1",
      );
    if (argument.kind === 'star') return BigInt(scope.group.length);
    if (name === 'any_value') return this.evaluate(argument, { ...scope, group: undefined });
    let rows = scope.group.map((row) => ({ row, values: args.map((one) => this.evaluate(one, { row, outer: scope.outer })) }));
    rows = rows.filter(({ values }) => !values.includes(null));
    if (distinct) rows = [...new Map(rows.map((one) => [identitiesOf(one.values), one])).values()];
    if (name === 'count') return BigInt(rows.length);
    if (rows.length === 0) return null;
    if (name === 'group_concat') {
      const { orderBy = [] } = expression;
      const keyed = rows.map((one) => ({ ...one, keys: orderBy.map(({ value }) => this.sortKey(value, { row: one.row, outer: scope.outer })) }));
      if (orderBy.length > 0) keyed.sort((a, b) => compareKeys(orderBy, a.keys, b.keys));
      return keyed
        .map(({ values }) => values.map(toText).join(''))
        .join(expression.separator ?? ',')
        .slice(0, 1024);
    }
    const values = rows.map(({ values: [value = null] }) => value as Exclude<SqlValue, null>);
    if (name === 'min' || name === 'max')
      return values.reduce((best, value) => ((compareValues(value, best) ?? 0) * (name === 'max' ? 1 : -1) > 0 ? value : best));
    for (const value of values) this.#warnTruncated(value);
    const type = this.typeOf(expression);
    if (name === 'sum' || name === 'avg') {
      const sum = values.reduce<SqlValue>((total, value) => arithmetic('+', total ?? 0n, value), type.kind === 'double' ? 0 : new Decimal(0n, 0)) ?? 0n;
      if (name === 'sum') return coerce(sum, type);
      return type.kind === 'double' ? toNumber(sum) / values.length : divide(toDecimal(sum), new Decimal(BigInt(values.length), 0), type.scale);
    }
    if (!/^(std|var)/.test(name)) throw notSimulated(`${name.toUpperCase()}()`);
    const mean = values.reduce<number>((total, value) => total + toNumber(value), 0) / values.length;
    const variance = values.reduce<number>((total, value) => total + (toNumber(value) - mean) ** 2, 0) / values.length;
    return name.startsWith('std') ? Math.sqrt(variance) : variance;
  }
}

function needs(name: string, args: readonly SqlExpression[], count: number): void {
  if (args.length === count) return;
  if (name === 'if')
    throw new SqlError(
      1064,
      '42000',
      "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near ')' at line 1",
    );
  throw new SqlError(1582, '42000', `Incorrect parameter count in the call to native function '${name.toUpperCase()}'`);
}

export function compareKeys(orderBy: readonly { descending: boolean }[], a: readonly SqlValue[], b: readonly SqlValue[]): number {
  for (const [i, { descending }] of orderBy.entries()) {
    const order = orderValues(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return descending ? -order : order;
  }
  return 0;
}
