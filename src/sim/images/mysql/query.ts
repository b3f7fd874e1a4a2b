import { type Databases, findTable, type Table } from './database.ts';
import { SqlError } from './sql-error.ts';
import { callFunction, compareValues, decimalScale, type FunctionContext, likePattern, toNumber } from './sql-functions.ts';
import type { SelectStatement, SqlExpression, SqlValue, TableReference } from './sql-parser.ts';

/** What a SELECT reads and where it runs. */
export interface QueryContext {
  databases: Databases;
  database: string | null;
  functions: FunctionContext;
  /** A user variable or a system variable; throws 1193. */
  variable(scope: 'user' | 'system', name: string): SqlValue;
}

export interface ResultSet {
  columns: { title: string; numeric: boolean }[];
  rows: SqlValue[][];
}

/** A column that expressions can see. */
interface Visible {
  table: string;
  name: string;
  numeric: boolean;
}

interface Scope {
  columns: readonly Visible[];
  row: readonly SqlValue[];
  /** Rows of the group an aggregate runs over. */
  group?: readonly (readonly SqlValue[])[];
  /** Select aliases, for HAVING, GROUP BY and ORDER BY. */
  aliases?: ReadonlyMap<string, SqlExpression>;
  outer?: Scope;
  clause: string;
}

const AGGREGATES = new Set(['count', 'sum', 'avg', 'min', 'max', 'group_concat']);
const isNumericType = (type: string): boolean => /^(tinyint|smallint|mediumint|int|bigint|decimal|float|double)/.test(type);

/** Rows one SELECT may look at before it is stopped: the page must stay alive. */
const ROW_LIMIT = 2_000_000;

function hasAggregate(expression: SqlExpression | undefined): boolean {
  if (!expression) return false;
  switch (expression.kind) {
    case 'call':
      return AGGREGATES.has(expression.name) || expression.args.some(hasAggregate);
    case 'unary':
    case 'is':
      return hasAggregate(expression.operand);
    case 'binary':
      return hasAggregate(expression.left) || hasAggregate(expression.right);
    case 'in':
      return hasAggregate(expression.operand) || (expression.list ?? []).some(hasAggregate);
    case 'between':
      return hasAggregate(expression.operand) || hasAggregate(expression.low) || hasAggregate(expression.high);
    case 'case':
      return expression.branches.some(({ when, result }) => hasAggregate(when) || hasAggregate(result)) || hasAggregate(expression.otherwise);
    default:
      return false;
  }
}

/** Evaluates expressions and SELECTs. */
export class Query {
  readonly context: QueryContext;
  #looked = 0;

  constructor(context: QueryContext) {
    this.context = context;
  }

  select(statement: SelectStatement, outer?: Scope): ResultSet {
    const source = this.#source(statement.from, outer);
    const scopeOf = (row: readonly SqlValue[], clause: string): Scope => ({ columns: source.columns, row, clause, ...(outer ? { outer } : {}) });
    let rows = source.rows;
    if (statement.where) rows = rows.filter((row) => this.isTrue(this.evaluate(statement.where as SqlExpression, scopeOf(row, 'where clause'))));
    const items = statement.items.flatMap((item) => {
      if (item.value.kind !== 'star') return [item];
      const { table } = item.value;
      const chosen = source.columns.filter((column) => table === undefined || column.table === table);
      if (chosen.length === 0)
        throw table === undefined ? new SqlError(1096, 'HY000', 'No tables used') : new SqlError(1051, '42S02', `Unknown table '${table}'`);
      return chosen.map((column) => ({ value: { kind: 'column', table: column.table, name: column.name } as SqlExpression, title: column.name }));
    });
    const aliases = new Map(statement.items.flatMap((item): [string, SqlExpression][] => (item.alias ? [[item.alias.toLowerCase(), item.value]] : [])));
    const grouped = statement.groupBy.length > 0 || items.some((item) => hasAggregate(item.value)) || hasAggregate(statement.having);
    let scopes: Scope[];
    if (grouped) {
      const groups = new Map<string, SqlValue[][]>();
      for (const row of rows) {
        const key = statement.groupBy
          .map((value) => JSON.stringify(this.evaluate(this.#ordinal(value, items), { ...scopeOf(row, 'group statement'), aliases })))
          .join();
        const group = groups.get(key);
        if (group) group.push(row);
        else groups.set(key, [row]);
      }
      if (groups.size === 0 && statement.groupBy.length === 0) groups.set('', []);
      scopes = [...groups.values()].map((group) => ({ ...scopeOf(group[0] ?? source.columns.map(() => null), 'field list'), group, aliases }));
    } else scopes = rows.map((row) => ({ ...scopeOf(row, 'field list'), aliases }));
    if (statement.having)
      scopes = scopes.filter((scope) => this.isTrue(this.evaluate(statement.having as SqlExpression, { ...scope, clause: 'having clause' })));
    let results = scopes.map((scope) => ({ scope, values: items.map((item) => this.evaluate(item.value, { ...scope, aliases: new Map() })) }));
    // An empty table still has its columns checked.
    if (results.length === 0 && !grouped && statement.from.length > 0) for (const item of items) this.#check(item.value, scopeOf([], 'field list'));
    if (statement.distinct) {
      const seen = new Set<string>();
      results = results.filter(({ values }) => {
        const key = JSON.stringify(values);
        return seen.has(key) ? false : Boolean(seen.add(key));
      });
    }
    let output: ResultSet = {
      columns: items.map((item, i) => ({
        title: item.title,
        numeric: this.#isNumeric(
          item.value,
          source.columns,
          results.map(({ values }) => values[i] ?? null),
        ),
      })),
      rows: [],
    };
    if (statement.orderBy.length > 0 && !statement.union) {
      const keyed = results.map((result) => ({
        result,
        keys: statement.orderBy.map(({ value }) => this.evaluate(this.#ordinal(value, items), { ...result.scope, clause: 'order clause' })),
      }));
      keyed.sort((a, b) => {
        for (const [i, { descending }] of statement.orderBy.entries()) {
          const order = orderValues(a.keys[i] ?? null, b.keys[i] ?? null);
          if (order !== 0) return descending ? -order : order;
        }
        return 0;
      });
      results = keyed.map(({ result }) => result);
    }
    output.rows = results.map(({ values }) => values);
    if (statement.union) {
      const more = this.select(statement.union.query, outer);
      if (more.columns.length !== output.columns.length) throw new SqlError(1222, '21000', 'The used SELECT statements have a different number of columns');
      const all = [...output.rows, ...more.rows];
      output = { ...output, rows: statement.union.all ? all : [...new Map(all.map((row) => [JSON.stringify(row), row])).values()] };
    }
    if (statement.limit) output.rows = output.rows.slice(statement.limit.offset, statement.limit.offset + statement.limit.count);
    return output;
  }

  /** "ORDER BY 2" means the second column. */
  #ordinal(value: SqlExpression, items: readonly { value: SqlExpression }[]): SqlExpression {
    if (value.kind !== 'literal' || typeof value.value !== 'number') return value;
    const item = items[value.value - 1];
    if (!item) throw new SqlError(1054, '42S22', `Unknown column '${value.value}' in 'order clause'`);
    return item.value;
  }

  #isNumeric(value: SqlExpression, columns: readonly Visible[], values: readonly SqlValue[]): boolean {
    if (value.kind === 'column')
      return (
        columns.find((column) => column.name.toLowerCase() === value.name.toLowerCase() && (value.table === undefined || column.table === value.table))
          ?.numeric ?? false
      );
    return values.some((one) => typeof one === 'number') && values.every((one) => one === null || typeof one === 'number');
  }

  #check(value: SqlExpression, scope: Scope): void {
    if (value.kind === 'column') this.#column(value, { ...scope, row: scope.columns.map(() => null) });
  }

  #source(from: readonly TableReference[], outer: Scope | undefined): { columns: Visible[]; rows: SqlValue[][] } {
    let columns: Visible[] = [];
    let rows: SqlValue[][] = [[]];
    for (const reference of from) {
      const right = this.#load(reference, outer);
      const combined = [...columns, ...right.columns];
      const matches = (row: SqlValue[]): boolean => {
        if (++this.#looked > ROW_LIMIT) throw new SqlError(3024, 'HY000', 'Query execution was interrupted, maximum statement execution time exceeded');
        const scope: Scope = { columns: combined, row, clause: 'on clause', ...(outer ? { outer } : {}) };
        if (reference.on) return this.isTrue(this.evaluate(reference.on, scope));
        return (reference.using ?? []).every((name) => {
          const at = combined.flatMap((column, i) => (column.name.toLowerCase() === name.toLowerCase() ? [i] : []));
          return compareValues(row[at[0] as number] ?? null, row[at.at(-1) as number] ?? null) === 0;
        });
      };
      const joined: SqlValue[][] = [];
      const usedRight = new Set<number>();
      for (const left of rows) {
        let found = false;
        for (const [i, one] of right.rows.entries()) {
          const row = [...left, ...one];
          if (!matches(row)) continue;
          found = true;
          usedRight.add(i);
          joined.push(row);
        }
        if (!found && reference.join === 'left') joined.push([...left, ...right.columns.map(() => null)]);
      }
      if (reference.join === 'right') for (const [i, one] of right.rows.entries()) if (!usedRight.has(i)) joined.push([...columns.map(() => null), ...one]);
      columns = combined;
      rows = joined;
    }
    return { columns, rows: from.length === 0 ? [[]] : rows };
  }

  #load(reference: TableReference, outer: Scope | undefined): { columns: Visible[]; rows: SqlValue[][] } {
    if (reference.query) {
      const result = this.select(reference.query, outer);
      return { columns: result.columns.map(({ title, numeric }) => ({ table: reference.alias, name: title, numeric })), rows: result.rows };
    }
    const { table } = findTable(this.context, reference);
    return {
      columns: table.columns.map((column) => ({ table: reference.alias, name: column.name, numeric: isNumericType(column.type) })),
      rows: table.rows.map((row) => row.values),
    };
  }

  isTrue(value: SqlValue): boolean {
    return value !== null && toNumber(value) !== 0;
  }

  /** An expression over one row of a table (UPDATE, DELETE, DEFAULT), or over none. */
  evaluateOn(expression: SqlExpression, table: Table | undefined, row: readonly SqlValue[], clause = 'field list'): SqlValue {
    const columns = (table?.columns ?? []).map((column) => ({ table: table?.name ?? '', name: column.name, numeric: isNumericType(column.type) }));
    return this.evaluate(expression, { columns, row, clause });
  }

  #column(expression: SqlExpression & { kind: 'column' }, scope: Scope): SqlValue {
    const name = expression.name.toLowerCase();
    const hits = scope.columns.flatMap((column, i) =>
      column.name.toLowerCase() === name && (expression.table === undefined || column.table.toLowerCase() === expression.table.toLowerCase()) ? [i] : [],
    );
    if (hits.length > 1 && expression.table === undefined && scope.clause !== 'order clause')
      throw new SqlError(1052, '23000', `Column '${expression.name}' in ${scope.clause} is ambiguous`);
    if (hits.length > 0) return scope.row[hits[0] as number] ?? null;
    const alias = expression.table === undefined ? scope.aliases?.get(name) : undefined;
    if (alias) return this.evaluate(alias, { ...scope, aliases: new Map() });
    if (scope.outer) return this.#column(expression, scope.outer);
    throw new SqlError(
      1054,
      '42S22',
      `Unknown column '${expression.table === undefined ? '' : `${expression.table}.`}${expression.name}' in '${scope.clause}'`,
    );
  }

  evaluate(expression: SqlExpression, scope: Scope): SqlValue {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'column':
        return this.#column(expression, scope);
      case 'variable':
        return this.context.variable(expression.scope, expression.name);
      case 'star':
        throw new SqlError(
          1064,
          '42000',
          "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '*' at line 1",
        );
      case 'unary': {
        const value = this.evaluate(expression.operand, scope);
        if (value === null) return null;
        return expression.operator === '-' ? -toNumber(value) : this.isTrue(value) ? 0 : 1;
      }
      case 'binary':
        return this.#binary(expression, scope);
      case 'is': {
        const value = this.evaluate(expression.operand, scope);
        const holds = expression.what === 'null' ? value === null : value !== null && this.isTrue(value) === (expression.what === 'true');
        return holds !== expression.negated ? 1 : 0;
      }
      case 'in': {
        const value = this.evaluate(expression.operand, scope);
        const list = expression.query
          ? this.select(expression.query, scope).rows.map((row) => row[0] ?? null)
          : (expression.list ?? []).map((one) => this.evaluate(one, scope));
        const results = list.map((one) => compareValues(value, one));
        if (results.includes(0)) return expression.negated ? 0 : 1;
        return results.includes(null) ? null : expression.negated ? 1 : 0;
      }
      case 'between': {
        const value = this.evaluate(expression.operand, scope);
        const low = compareValues(value, this.evaluate(expression.low, scope));
        const high = compareValues(value, this.evaluate(expression.high, scope));
        if (low === null || high === null) return null;
        return (low >= 0 && high <= 0) !== expression.negated ? 1 : 0;
      }
      case 'case': {
        const operand = expression.operand ? this.evaluate(expression.operand, scope) : undefined;
        for (const { when, result } of expression.branches) {
          const value = this.evaluate(when, scope);
          if (operand === undefined ? this.isTrue(value) : compareValues(operand, value) === 0) return this.evaluate(result, scope);
        }
        return expression.otherwise ? this.evaluate(expression.otherwise, scope) : null;
      }
      case 'query': {
        const result = this.select(expression.query, scope);
        if (expression.exists) return result.rows.length > 0 ? 1 : 0;
        if (result.rows.length > 1) throw new SqlError(1242, '21000', 'Subquery returns more than 1 row');
        return result.rows[0]?.[0] ?? null;
      }
      case 'call':
        if (AGGREGATES.has(expression.name)) return this.#aggregate(expression, scope);
        return callFunction(
          expression.name,
          expression.args.map((argument) => this.evaluate(argument, scope)),
          this.context.functions,
          this.context.database ?? 'mysql',
        );
    }
  }

  #binary(expression: SqlExpression & { kind: 'binary' }, scope: Scope): SqlValue {
    const left = this.evaluate(expression.left, scope);
    if (expression.operator === 'and' && left !== null && !this.isTrue(left)) return 0;
    if (expression.operator === 'or' && this.isTrue(left)) return 1;
    const right = this.evaluate(expression.right, scope);
    switch (expression.operator) {
      case 'and':
        return right !== null && !this.isTrue(right) ? 0 : left === null || right === null ? null : 1;
      case 'or':
        return this.isTrue(right) ? 1 : left === null || right === null ? null : 0;
      case '<=>':
        return left === null || right === null ? Number(left === right) : Number(compareValues(left, right) === 0);
      case 'like':
        return left === null || right === null ? null : Number(likePattern(String(right)).test(String(left)));
      case 'regexp':
        if (left === null || right === null) return null;
        try {
          return Number(new RegExp(String(right), 'i').test(String(left)));
        } catch {
          throw new SqlError(3685, 'HY000', 'Illegal argument to a regular expression.');
        }
      case '=':
      case '<>':
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const order = compareValues(left, right);
        if (order === null) return null;
        return Number({ '=': order === 0, '<>': order !== 0, '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[expression.operator]);
      }
      default: {
        if (left === null || right === null) return null;
        const [a, b] = [toNumber(left), toNumber(right)];
        if (expression.operator === '+') return a + b;
        if (expression.operator === '-') return a - b;
        if (expression.operator === '*') return a * b;
        if (b === 0) return null;
        if (expression.operator === 'div') return Math.trunc(a / b);
        if (expression.operator === '%') return a % b;
        // Division of whole numbers shows four decimals.
        return Number.isInteger(a) && Number.isInteger(b) ? (a / b).toFixed(4) : a / b;
      }
    }
  }

  #aggregate(expression: SqlExpression & { kind: 'call' }, scope: Scope): SqlValue {
    if (!scope.group) throw new SqlError(1111, 'HY000', 'Invalid use of group function');
    const [argument] = expression.args;
    if (expression.name === 'count' && argument?.kind === 'star') return scope.group.length;
    const { group: _, ...rest } = scope;
    let values = scope.group.map((row) => this.evaluate(argument as SqlExpression, { ...rest, row })).filter((value) => value !== null);
    if (expression.distinct) values = [...new Map(values.map((value) => [String(value).toLowerCase(), value])).values()];
    switch (expression.name) {
      case 'count':
        return values.length;
      case 'sum':
      case 'avg': {
        if (values.length === 0) return null;
        const sum = values.reduce<number>((total, value) => total + toNumber(value), 0);
        const scale = decimalScale(values);
        if (expression.name === 'sum') return scale === undefined ? sum : sum.toFixed(scale);
        return (sum / values.length).toFixed((scale ?? 0) + 4);
      }
      case 'group_concat':
        return values.length === 0 ? null : values.map(String).join(expression.separator ?? ',');
      default:
        return values.reduce<SqlValue>((best, value) => {
          if (best === null) return value;
          const order = compareValues(value, best) ?? 0;
          return (expression.name === 'min' ? order < 0 : order > 0) ? value : best;
        }, null);
    }
  }
}

/** Order of ORDER BY: NULL first. */
export function orderValues(a: SqlValue, b: SqlValue): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return compareValues(a, b) ?? 0;
}
