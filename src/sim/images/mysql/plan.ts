import { AGGREGATES, childrenOf, type EvaluationContext, Evaluator } from './evaluate.ts';
import type { OrderItem, SelectStatement, SqlExpression, TableReference } from './sql-ast.ts';
import { SqlError } from './sql-error.ts';
import { type StaticType, unify } from './sql-types.ts';
import type { SqlValue } from './sql-value.ts';
import type { Row } from './store.ts';

/** A column that expressions can see. */
export interface Visible {
  table: string;
  database?: string;
  name: string;
  type: StaticType;
  default?: SqlExpression | undefined;
}

/** A table as a query reads it. */
export interface Relation {
  columns: Visible[];
  /** Columns that determine the whole row: primary and unique keys without NULL. */
  keys: string[][];
  rows(): readonly Row[];
  /** Takes a row lock (FOR UPDATE, FOR SHARE). Throws LockWait. */
  lock(row: Row, exclusive: boolean): void;
  isLocked(row: Row): boolean;
}

export interface QueryContext extends EvaluationContext {
  relation(reference: { database?: string; name: string }, locking: boolean): Relation;
  onlyFullGroupBy: boolean;
}

export interface ResultSet {
  columns: { title: string; type: StaticType }[];
  rows: (readonly SqlValue[])[];
}

/** Where names are looked up. */
interface NameScope {
  columns: readonly Visible[];
  clause: string;
  outer?: NameScope | undefined;
  /** Select aliases; ORDER BY and HAVING prefer them, GROUP BY does not. */
  aliases?: ReadonlyMap<string, SqlExpression>;
  aliasesFirst?: boolean;
  aggregates: boolean;
  /** HAVING sees only these columns outside aggregates. */
  only?: ReadonlySet<number>;
  onOuter?: () => void;
}

interface Source extends Omit<TableReference, 'query'> {
  relation?: Relation;
  plan?: Plan;
  from: number;
  /** Pairs of columns that USING or NATURAL compares. */
  pairs: [left: number, right: number][];
}

export interface Plan {
  statement: SelectStatement;
  sources: Source[];
  columns: Visible[];
  items: { value: SqlExpression; title: string }[];
  groupBy: SqlExpression[];
  orderBy: OrderItem[];
  grouped: boolean;
  parts: { all: boolean; plan: Plan }[];
  types: StaticType[];
  correlated: boolean;
  cache?: ResultSet;
}

/** Plans SELECT: resolves names, types and what is grouped. */
export abstract class Planner extends Evaluator {
  declare readonly context: QueryContext;
  #plans = new Map<SelectStatement, Plan>();

  constructor(context: QueryContext) {
    super(context);
  }

  /** Resolves the names of an expression over these columns. Throws 1054, 1052, 1111. */
  bind(expression: SqlExpression, columns: readonly Visible[], clause = 'field list'): void {
    this.#resolve(expression, { columns, clause, aggregates: false });
  }

  protected planOf(statement: SelectStatement): Plan {
    return this.#plans.get(statement) ?? this.#plan(statement, undefined);
  }

  protected subqueryTypes(statement: SelectStatement): readonly StaticType[] {
    return this.#plans.get(statement)?.types ?? [];
  }

  // ---- planning ----

  #plan(statement: SelectStatement, outer: NameScope | undefined): Plan {
    const plan: Plan = { statement, sources: [], columns: [], items: [], groupBy: [], orderBy: [], grouped: false, parts: [], types: [], correlated: false };
    this.#plans.set(statement, plan);
    const onOuter = (): void => {
      plan.correlated = true;
    };
    if (statement.parts) return this.#planUnion(plan, statement.parts, outer);
    const scope = (clause: string, more: Partial<NameScope> = {}): NameScope => ({ columns: plan.columns, clause, outer, aggregates: false, onOuter, ...more });
    this.#planFrom(plan, scope);
    if (statement.where) this.#resolve(statement.where, scope('where clause'));
    plan.items = statement.items.flatMap((item) => (item.value.kind === 'star' ? this.#star(plan, item.value.table) : [item]));
    for (const { value } of plan.items) this.#resolve(value, scope('field list', { aggregates: true }));
    const aliases = new Map(statement.items.flatMap((item): [string, SqlExpression][] => (item.alias ? [[item.alias.toLowerCase(), item.value]] : [])));
    plan.groupBy = statement.groupBy.map((value) => this.#ordinal(value, plan.items, 'group statement'));
    for (const value of plan.groupBy) if (!this.resolved.has(value)) this.#resolve(value, scope('group statement', { aliases }));
    plan.orderBy = statement.orderBy.map(({ value, descending }) => ({ value: this.#ordinal(value, plan.items, 'order clause'), descending }));
    for (const { value } of plan.orderBy)
      if (!plan.items.some((item) => item.value === value)) this.#resolve(value, scope('order clause', { aliases, aliasesFirst: true, aggregates: true }));
    const selected = [...plan.items.map(({ value }) => value), ...plan.groupBy].map((value) => this.#place(value));
    const only = new Set(selected.flatMap((place) => (place && place.depth === 0 ? [place.index] : [])));
    if (statement.having) {
      const bare = plan.groupBy.length === 0 && !plan.items.some(({ value }) => hasAggregate(value)) && !hasAggregate(statement.having);
      this.#resolve(statement.having, scope('having clause', { aliases, aliasesFirst: true, aggregates: true, only }));
      plan.grouped = !bare;
    }
    plan.grouped =
      plan.groupBy.length > 0 ||
      plan.items.some(({ value }) => hasAggregate(value)) ||
      (statement.having !== undefined && hasAggregate(statement.having)) ||
      plan.orderBy.some(({ value }) => hasAggregate(value));
    if (plan.grouped && this.context.onlyFullGroupBy) this.#checkGrouping(plan);
    plan.types = plan.items.map(({ value }) => this.typeOf(value));
    return plan;
  }

  #planUnion(plan: Plan, parts: NonNullable<SelectStatement['parts']>, outer: NameScope | undefined): Plan {
    plan.parts = parts.map(({ all, query }) => ({ all, plan: this.#plan(query, outer) }));
    plan.correlated = plan.parts.some((one) => one.plan.correlated);
    const first = plan.parts[0]?.plan as Plan;
    if (plan.parts.some((one) => one.plan.types.length !== first.types.length))
      throw new SqlError(1222, '21000', 'The used SELECT statements have a different number of columns');
    plan.types = first.types.map((_, i) => unify(plan.parts.map((one) => one.plan.types[i] as StaticType)));
    plan.items = titlesOf(first).map((title) => ({ title, value: { kind: 'column', name: title } }));
    plan.columns = plan.items.map(({ title }, i) => ({ table: '', name: title, type: plan.types[i] as StaticType }));
    for (const { value } of plan.items) this.#resolve(value, { columns: plan.columns, clause: 'field list', aggregates: false });
    plan.orderBy = plan.statement.orderBy.map(({ value, descending }) => ({ value: this.#ordinal(value, plan.items, 'order clause'), descending }));
    for (const { value } of plan.orderBy) this.#resolve(value, { columns: plan.columns, clause: 'order clause', aggregates: false });
    return plan;
  }

  #planFrom(plan: Plan, scope: (clause: string) => NameScope): void {
    for (const reference of plan.statement.from) {
      const { query, ...rest } = reference;
      const source: Source = { ...rest, from: plan.columns.length, pairs: [] };
      let columns: Visible[];
      if (query) {
        const inner = this.#plan(query, undefined);
        source.plan = inner;
        columns = titlesOf(inner).map((name, i) => ({ table: reference.alias, name, type: inner.types[i] as StaticType }));
        const twice = columns.find((one, i) => columns.findIndex((other) => other.name.toLowerCase() === one.name.toLowerCase()) !== i);
        if (twice) throw new SqlError(1060, '42S21', `Duplicate column name '${twice.name}'`);
      } else {
        source.relation = this.context.relation(reference, plan.statement.lock !== undefined);
        columns = source.relation.columns.map((column) => ({ ...column, table: reference.alias }));
      }
      if (plan.sources.some((one) => one.alias === reference.alias && one.database === reference.database))
        throw new SqlError(1066, '42000', `Not unique table/alias: '${reference.alias}'`);
      const left = plan.columns;
      plan.columns = [...left, ...columns];
      const shared = reference.natural ? columns.map(({ name }) => name).filter((name) => left.some((one) => same(one.name, name))) : (reference.using ?? []);
      source.pairs = shared.map((name): [number, number] => {
        const [a, b] = [left.findIndex((one) => same(one.name, name)), columns.findIndex((one) => same(one.name, name))];
        if (a < 0 || b < 0) throw new SqlError(1054, '42S22', `Unknown column '${name}' in 'from clause'`);
        return [a, left.length + b];
      });
      if (shared.length > 0) source.using = shared;
      plan.sources.push(source);
      if (reference.on) this.#resolve(reference.on, scope('on clause'));
    }
  }

  #star(plan: Plan, table: string | undefined): { value: SqlExpression; title: string }[] {
    const hidden = new Set(table === undefined ? plan.sources.flatMap((source) => source.pairs.map(([, right]) => right)) : []);
    const chosen = plan.columns.flatMap((column, index) =>
      (table === undefined || same(column.table, table)) && !hidden.has(index) ? [{ column, index }] : [],
    );
    if (chosen.length === 0)
      throw table === undefined ? new SqlError(1096, 'HY000', 'No tables used') : new SqlError(1051, '42S02', `Unknown table '${table}'`);
    // USING columns come first, once.
    const first = new Set(table === undefined ? plan.sources.flatMap((source) => source.pairs.map(([left]) => left)) : []);
    const ordered = [...chosen.filter(({ index }) => first.has(index)), ...chosen.filter(({ index }) => !first.has(index))];
    return ordered.map(({ column, index }) => {
      const value: SqlExpression = { kind: 'column', table: column.table, name: column.name };
      this.resolved.set(value, { depth: 0, index, type: column.type });
      return { value, title: column.name };
    });
  }

  /** "ORDER BY 2" means the second column. */
  #ordinal(value: SqlExpression, items: readonly { value: SqlExpression }[], clause: string): SqlExpression {
    if (value.kind !== 'literal' || typeof value.value !== 'bigint') return value;
    const item = items[Number(value.value) - 1];
    if (!item) throw new SqlError(1054, '42S22', `Unknown column '${value.value}' in '${clause}'`);
    return item.value;
  }

  // ---- names ----

  #resolve(expression: SqlExpression, scope: NameScope): void {
    if (expression.kind === 'column') {
      if (!this.resolved.has(expression)) this.#resolveColumn(expression, scope);
      return;
    }
    if (expression.kind === 'query' || (expression.kind === 'in' && expression.query)) {
      if (expression.query && !this.#plans.has(expression.query)) {
        const { aliases: _, only: __, ...outer } = scope;
        const plan = this.#plan(expression.query, { ...outer, clause: scope.clause });
        const count = plan.types.length;
        if (count !== 1 && !(expression.kind === 'query' && expression.exists)) throw new SqlError(1241, '21000', 'Operand should contain 1 column(s)');
      }
    }
    let inner = scope;
    if (expression.kind === 'call') {
      if (AGGREGATES.has(expression.name)) {
        if (!scope.aggregates) throw new SqlError(1111, 'HY000', 'Invalid use of group function');
        const { only: _, ...rest } = scope;
        inner = { ...rest, aggregates: expression.name === 'any_value' };
      }
      const [argument] = expression.args;
      if (expression.name === 'values' && argument?.kind === 'column') {
        const index = scope.columns.findIndex((column) => column.table === INSERTED && same(column.name, argument.name));
        if (index >= 0) this.resolved.set(argument, { depth: 0, index, type: (scope.columns[index] as Visible).type });
      }
      if (expression.name === 'default' && argument?.kind === 'column') {
        const column = scope.columns.find((one) => same(one.name, argument.name));
        if (column) this.resolved.set(argument, { alias: column.default ?? { kind: 'literal', value: null } });
        if (column?.default) this.#resolve(column.default, scope);
      }
      if (expression.args.some((one) => one.kind === 'star')) return;
    }
    for (const child of childrenOf(expression)) this.#resolve(child, inner);
  }

  #resolveColumn(expression: SqlExpression & { kind: 'column' }, scope: NameScope): void {
    const alias = expression.table === undefined ? scope.aliases?.get(expression.name.toLowerCase()) : undefined;
    if (alias && alias !== expression && scope.aliasesFirst && !sameColumn(alias, expression)) {
      this.resolved.set(expression, { alias });
      return;
    }
    let depth = 0;
    for (let from: NameScope | undefined = scope; from; from = from.outer, depth++) {
      const { columns, only } = from;
      const hits = columns.flatMap((column, i) =>
        same(column.name, expression.name) && column.table !== INSERTED && (expression.table === undefined || same(column.table, expression.table)) ? [i] : [],
      );
      const distinct = hits.filter((i) => !columns[i]?.table.startsWith('\0'));
      if (distinct.length > 1 && !this.#joined(columns, distinct)) {
        throw new SqlError(
          1052,
          '23000',
          `Column '${expression.name}' in ${scope.clause === 'group statement' ? 'group statement' : scope.clause} is ambiguous`,
        );
      }
      const [index] = hits;
      if (index !== undefined && (!only || only.has(index))) {
        if (depth > 0) for (let inner: NameScope | undefined = scope, i = 0; inner && i < depth; inner = inner.outer, i++) inner.onOuter?.();
        this.resolved.set(expression, { depth, index, type: (columns[index] as Visible).type });
        return;
      }
      if (depth === 0 && alias) {
        this.resolved.set(expression, { alias });
        return;
      }
    }
    throw new SqlError(
      1054,
      '42S22',
      `Unknown column '${expression.table === undefined ? '' : `${expression.table}.`}${expression.name}' in '${scope.clause}'`,
    );
  }

  /** Whether these columns are one by USING or NATURAL. */
  #joined(columns: readonly Visible[], hits: readonly number[]): boolean {
    for (const plan of this.#plans.values()) {
      if (plan.columns !== columns) continue;
      const pairs = plan.sources.flatMap((source) => source.pairs);
      return hits.slice(1).every((hit) => pairs.some(([, right]) => right === hit));
    }
    return false;
  }

  #place(expression: SqlExpression): { depth: number; index: number } | undefined {
    const place = this.resolved.get(expression);
    return place && 'alias' in place ? this.#place(place.alias) : place;
  }

  /** ONLY_FULL_GROUP_BY: errors 1055 and 1140. */
  #checkGrouping(plan: Plan): void {
    const known = new Set(plan.groupBy.flatMap((value) => this.#place(value)?.index ?? []));
    for (const source of plan.sources) {
      for (const key of source.relation?.keys ?? []) {
        const at = key.map((name) => plan.columns.findIndex((column, i) => i >= source.from && same(column.name, name)));
        if (at.every((i) => known.has(i))) for (let i = 0; i < (source.relation?.columns.length ?? 0); i++) known.add(source.from + i);
      }
    }
    const texts = new Set(plan.groupBy.map((value) => this.#shape(value)));
    const loose = (value: SqlExpression): number | undefined => {
      if (texts.has(this.#shape(value))) return undefined;
      if (value.kind === 'column') {
        const place = this.resolved.get(value);
        if (place && 'alias' in place) return loose(place.alias);
        return place && place.depth === 0 && !known.has(place.index) ? place.index : undefined;
      }
      if (value.kind === 'call' && AGGREGATES.has(value.name)) return undefined;
      for (const child of childrenOf(value)) {
        const found = loose(child);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    const places = [
      ...plan.items.map(({ value }, i) => ({ value, i, where: 'SELECT list' })),
      ...plan.orderBy.map(({ value }, i) => ({ value, i, where: 'ORDER BY clause' })),
    ];
    for (const { value, i, where } of places) {
      const index = loose(value);
      const column = index === undefined ? undefined : plan.columns[index];
      if (!column) continue;
      const name = `${column.database === undefined ? '' : `${column.database}.`}${column.table}.${column.name}`;
      throw plan.groupBy.length > 0
        ? new SqlError(
            1055,
            '42000',
            `Expression #${i + 1} of ${where} is not in GROUP BY clause and contains nonaggregated column '${name}' which is not functionally dependent on columns in GROUP BY clause; this is incompatible with sql_mode=only_full_group_by`,
          )
        : new SqlError(
            1140,
            '42000',
            `In aggregated query without GROUP BY, expression #${i + 1} of ${where} contains nonaggregated column '${name}'; this is incompatible with sql_mode=only_full_group_by`,
          );
    }
  }

  /** Equal for expressions that say the same. */
  #shape(value: SqlExpression): string {
    const place = value.kind === 'column' ? this.resolved.get(value) : undefined;
    if (place) return 'alias' in place ? this.#shape(place.alias) : `#${place.depth}.${place.index}`;
    const { kind, ...rest } = value;
    const own = Object.entries(rest).filter(
      ([, part]) => typeof part !== 'object' || (typeof part === 'object' && part !== null && !('kind' in part) && !Array.isArray(part)),
    );
    return `${kind}(${own.map(([name, part]) => `${name}=${String(part)}`).join()})[${childrenOf(value)
      .map((child) => this.#shape(child))
      .join(';')}]`;
  }
}

/** The pseudo table that VALUES(column) reads in ON DUPLICATE KEY UPDATE. */
export const INSERTED = '\0inserted';

const same = (a: string, b: string): boolean => a === b || a.toLowerCase() === b.toLowerCase();
const sameColumn = (a: SqlExpression, b: SqlExpression): boolean => a.kind === 'column' && b.kind === 'column' && same(a.name, b.name);
export const titlesOf = (plan: Plan): string[] => plan.items.map(({ title }) => title);

function hasAggregate(expression: SqlExpression): boolean {
  return (expression.kind === 'call' && AGGREGATES.has(expression.name)) || childrenOf(expression).some(hasAggregate);
}
