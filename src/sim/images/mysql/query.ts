import { compareKeys, type Scope } from './evaluate.ts';
import { type Plan, Planner, type ResultSet, titlesOf } from './plan.ts';
import type { SelectStatement } from './sql-ast.ts';
import { SqlError } from './sql-error.ts';
import { coerce, type StaticType } from './sql-types.ts';
import { compareValues, identitiesOf, isTrue, type SqlValue } from './sql-value.ts';

/** Rows one SELECT may look at before it is stopped: the page must stay alive. */
const ROW_LIMIT = 2_000_000;

/** Runs SELECT, and evaluates what other statements need. */
export class Query extends Planner {
  #looked = 0;

  select(statement: SelectStatement): ResultSet {
    return this.#run(this.planOf(statement), undefined);
  }

  protected subquery(statement: SelectStatement, outer: Scope): ResultSet['rows'] {
    return this.#run(this.planOf(statement), outer).rows;
  }

  #run(plan: Plan, outer: Scope | undefined): ResultSet {
    if (plan.cache) return plan.cache;
    const result = plan.parts.length > 0 ? this.#runUnion(plan, outer) : this.#runSelect(plan, outer);
    const { limit } = plan.statement;
    if (limit) result.rows = result.rows.slice(limit.offset, limit.offset + limit.count);
    if (!plan.correlated) plan.cache = result;
    return result;
  }

  #runUnion(plan: Plan, outer: Scope | undefined): ResultSet {
    let rows: (readonly SqlValue[])[] = [];
    for (const { all, plan: part } of plan.parts) {
      rows.push(...this.#run(part, outer).rows.map((row) => row.map((value, i) => coerce(value, plan.types[i] as StaticType))));
      if (!all && part !== plan.parts[0]?.plan) rows = distinctBy(rows, identitiesOf);
    }
    const keyed = rows.map((row) => ({ row, keys: plan.orderBy.map(({ value }) => this.sortKey(value, { row, outer })) }));
    keyed.sort((a, b) => compareKeys(plan.orderBy, a.keys, b.keys));
    return { columns: titlesOf(plan).map((title, i) => ({ title, type: plan.types[i] as StaticType })), rows: keyed.map(({ row }) => row) };
  }

  #runSelect(plan: Plan, outer: Scope | undefined): ResultSet {
    const { statement } = plan;
    const { where, having } = statement;
    let rows = this.#join(plan, outer);
    if (where) rows = rows.filter((row) => isTrue(this.evaluate(where, { row, outer })));
    if (statement.lock) rows = this.#lockRows(plan, rows, statement);
    let scopes: Scope[] = plan.grouped ? this.#group(plan, rows, outer) : rows.map((row) => ({ row, outer }));
    if (having) scopes = scopes.filter((scope) => isTrue(this.evaluate(having, scope)));
    let results = scopes.map((scope) => ({ scope, values: plan.items.map(({ value }) => this.evaluate(value, scope)) }));
    if (statement.distinct) results = distinctBy(results, ({ values }) => identitiesOf(values));
    if (plan.orderBy.length > 0) {
      const keyed = results.map((result) => ({ result, keys: plan.orderBy.map(({ value }) => this.sortKey(value, result.scope)) }));
      keyed.sort((a, b) => compareKeys(plan.orderBy, a.keys, b.keys));
      results = keyed.map(({ result }) => result);
    }
    return { columns: plan.items.map(({ title }, i) => ({ title, type: plan.types[i] as StaticType })), rows: results.map(({ values }) => values) };
  }

  #group(plan: Plan, rows: readonly (readonly SqlValue[])[], outer: Scope | undefined): Scope[] {
    const groups = new Map<string, (readonly SqlValue[])[]>();
    for (const row of rows) {
      const key = identitiesOf(plan.groupBy.map((value) => this.evaluate(value, { row, outer })));
      const group = groups.get(key);
      if (group) group.push(row);
      else groups.set(key, [row]);
    }
    if (groups.size === 0 && plan.groupBy.length === 0) groups.set('', []);
    return [...groups.values()].map((group) => ({ row: group[0] ?? plan.columns.map(() => null), group, outer }));
  }

  #join(plan: Plan, outer: Scope | undefined): (readonly SqlValue[])[] {
    let rows: (readonly SqlValue[])[] = [[]];
    for (const source of plan.sources) {
      const right = source.plan ? this.#run(source.plan, undefined).rows : (source.relation?.rows() ?? []).map(({ values }) => values);
      const width = source.plan?.types.length ?? source.relation?.columns.length ?? 0;
      if (source === plan.sources[0]) {
        rows = right;
        continue;
      }
      const joined: (readonly SqlValue[])[] = [];
      const used = new Set<number>();
      for (const left of rows) {
        let found = false;
        for (const [i, one] of right.entries()) {
          if (++this.#looked > ROW_LIMIT) throw new SqlError(3024, 'HY000', 'Query execution was interrupted, maximum statement execution time exceeded');
          const row = [...left, ...one];
          if (source.on && !isTrue(this.evaluate(source.on, { row, outer }))) continue;
          if (!source.pairs.every(([a, b]) => compareValues(row[a] ?? null, row[b] ?? null) === 0)) continue;
          found = true;
          used.add(i);
          joined.push(row);
        }
        if (!found && source.join === 'left') joined.push([...left, ...new Array<SqlValue>(width).fill(null)]);
      }
      if (source.join === 'right')
        for (const [i, one] of right.entries()) {
          if (used.has(i)) continue;
          const row: SqlValue[] = [...new Array<SqlValue>(source.from).fill(null), ...one];
          for (const [a, b] of source.pairs) row[a] = row[b] ?? null;
          joined.push(row);
        }
      rows = joined;
    }
    return rows;
  }

  #lockRows(plan: Plan, rows: readonly (readonly SqlValue[])[], statement: SelectStatement): (readonly SqlValue[])[] {
    return rows.filter((row) => {
      for (const source of plan.sources) {
        const { relation } = source;
        if (!relation) continue;
        for (const one of relation.rows()) {
          if (plan.sources.length === 1 ? one.values !== row : !one.values.every((value, i) => value === row[source.from + i])) continue;
          if (statement.lockWait && relation.isLocked(one)) {
            if (statement.lockWait === 'skip') return false;
            throw new SqlError(3572, 'HY000', 'Statement aborted because lock(s) could not be acquired immediately and NOWAIT is set.');
          }
          relation.lock(one, statement.lock === 'update');
        }
      }
      return true;
    });
  }
}

function distinctBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const one = key(item);
    return !seen.has(one) && Boolean(seen.add(one));
  });
}
