import { storeValue } from './column-values.ts';
import { constraintText } from './foreign-keys.ts';
import type { ColumnDefinition } from './sql-ast.ts';
import { toText } from './sql-value.ts';
import type { Table } from './store.ts';

/** SHOW CREATE TABLE's text. */
export function createTableText(table: Table): string {
  const lines = table.columns.map((column) => {
    const parts = [`\`${column.name}\` ${column.type}`];
    if (!column.nullable) parts.push('NOT NULL');
    else if (/^timestamp/.test(column.type)) parts.push('NULL');
    if (column.default) parts.push(`DEFAULT ${defaultText(column)}`);
    else if (column.nullable && !column.autoIncrement && !/text|blob|json/.test(column.type)) parts.push('DEFAULT NULL');
    if (column.onUpdateNow) parts.push('ON UPDATE CURRENT_TIMESTAMP');
    if (column.autoIncrement) parts.push('AUTO_INCREMENT');
    return `  ${parts.join(' ')}`;
  });
  for (const key of table.keys) {
    const columns = key.columns.map((name) => `\`${name}\``).join(',');
    lines.push(key.kind === 'primary' ? `  PRIMARY KEY (${columns})` : `  ${key.kind === 'unique' ? 'UNIQUE ' : ''}KEY \`${key.name}\` (${columns})`);
  }
  for (const key of table.foreignKeys) lines.push(`  ${constraintText(key, table.database)}`);
  for (const check of table.checks) lines.push(`  CONSTRAINT \`${check.name}\` CHECK (${check.text})`);
  const counter = table.columns.some((column) => column.autoIncrement) && table.autoIncrement > 1n ? ` AUTO_INCREMENT=${table.autoIncrement}` : '';
  return `CREATE TABLE \`${table.name}\` (\n${lines.join(',\n')}\n) ENGINE=InnoDB${counter} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci`;
}

export function defaultText(column: ColumnDefinition): string {
  const expression = column.default;
  if (expression?.kind === 'literal') return expression.value === null ? 'NULL' : `'${toText(storeValue(column, expression.value, 1, () => {}))}'`;
  if (expression?.kind !== 'call') return '';
  return /^(now|current_timestamp|localtime|localtimestamp)$/.test(expression.name) ? 'CURRENT_TIMESTAMP' : `(${expression.name}())`;
}
