import type { SelectStatement, SqlStatement, TableName } from './sql-ast.ts';
import { type SqlValue, toNumber } from './sql-value.ts';
import type { Transaction } from './store.ts';

/** Whether one of these waits, in the end, for that transaction. */
export function waitsFor(blockers: readonly Transaction[], target: Transaction, seen = new Set<Transaction>()): boolean {
  return blockers.some((one) => one === target || (!seen.has(one) && Boolean(seen.add(one)) && waitsFor(one.waitingFor, target, seen)));
}

/** Every table a statement names: the changed one first. */
export function tablesIn(statement: SqlStatement): TableName[] {
  const inSelect = (select: SelectStatement): TableName[] => [
    ...(select.parts ?? []).flatMap(({ query }) => inSelect(query)),
    ...select.from.flatMap((table) =>
      table.query ? inSelect(table.query) : [{ ...(table.database === undefined ? {} : { database: table.database }), name: table.name }],
    ),
  ];
  switch (statement.kind) {
    case 'select':
      return inSelect(statement);
    case 'insert':
      return [statement.table, ...(statement.query ? inSelect(statement.query) : [])];
    case 'drop-table':
      return statement.tables;
    case 'rename-table':
      return statement.pairs.map(({ from }) => from);
    case 'update':
    case 'delete':
    case 'truncate':
    case 'create-table':
    case 'alter-table':
      return [statement.table];
    default:
      return [];
  }
}

/** Puts values in the place of question marks. */
export function bindParameters(node: unknown, values: readonly SqlValue[]): void {
  if (node === null || typeof node !== 'object') return;
  const expression = node as { kind?: string; index?: number };
  if (expression.kind === 'parameter') Object.assign(node, { kind: 'literal', value: values[expression.index ?? 0] ?? null });
  else for (const child of Object.values(node)) bindParameters(child, values);
}

/** Seconds of the SLEEP(n) calls among the selected values. */
export function sleepSeconds(statement: SelectStatement): number {
  return statement.items.reduce((sum, { value }) => {
    const argument = value.kind === 'call' && value.name === 'sleep' ? value.args[0] : undefined;
    return sum + (argument?.kind === 'literal' ? toNumber(argument.value) : 0);
  }, 0);
}
