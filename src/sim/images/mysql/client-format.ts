import { textWidth } from '../../../unix/index.ts';
import type { SqlValue } from './sql-parser.ts';

/** How the mysql client shows rows, and how it cuts its input into statements. */

const cellText = (value: SqlValue): string => (value === null ? 'NULL' : String(value));

/** The boxes of the interactive client. */
export function box(columns: readonly { title: string; numeric: boolean }[], rows: readonly SqlValue[][], headings: boolean): string {
  const widths = columns.map(({ title }, i) =>
    Math.max(
      headings ? textWidth(title) : 0,
      ...rows.map((row) =>
        Math.max(
          ...cellText(row[i] ?? null)
            .split('\n')
            .map(textWidth),
        ),
      ),
    ),
  );
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const pad = (text: string, width: number, right: boolean): string => {
    const space = ' '.repeat(Math.max(0, width - textWidth(text)));
    return right ? space + text : text + space;
  };
  const line = (cells: readonly string[], header: boolean): string =>
    `|${cells.map((cell, i) => ` ${pad(cell, widths[i] ?? 0, !header && (columns[i]?.numeric ?? false))} `).join('|')}|\n`;
  return (
    rule +
    (headings
      ? line(
          columns.map(({ title }) => title),
          true,
        ) + rule
      : '') +
    rows
      .map((row) =>
        line(
          columns.map((_, i) => cellText(row[i] ?? null)),
          false,
        ),
      )
      .join('') +
    rule
  );
}

export function vertical(columns: readonly { title: string }[], rows: readonly SqlValue[][]): string {
  const width = Math.max(0, ...columns.map(({ title }) => title.length));
  return rows
    .map(
      (row, i) =>
        `*************************** ${i + 1}. row ***************************\n${columns.map(({ title }, at) => `${title.padStart(width)}: ${cellText(row[at] ?? null)}\n`).join('')}`,
    )
    .join('');
}

export const batchCell = (value: SqlValue): string => cellText(value).replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n');

/** Splits text into statements at ; \g \G outside quotes; what is unfinished stays in `rest`. */
export function splitStatements(text: string): { statements: { sql: string; vertical: boolean; line: number }[]; rest: string } {
  const statements: { sql: string; vertical: boolean; line: number }[] = [];
  let start = 0;
  const pattern = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`[^`]*`|-- [^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|;|\\[gG]|['"`]/g;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const end = match[0];
    if (end.length === 1 && end !== ';') break;
    if (end !== ';' && end !== '\\g' && end !== '\\G') continue;
    const sql = text.slice(start, match.index).trim();
    if (sql !== '')
      statements.push({
        sql,
        vertical: end === '\\G',
        line: text.slice(0, start).split('\n').length + (/^\s*\n/.exec(text.slice(start))?.[0].split('\n').length ?? 1) - 1,
      });
    start = match.index + end.length;
  }
  // What is left may be nothing but comments.
  const rest = text.slice(start);
  return { statements, rest: /^(?:\s|#[^\n]*|--(?:[ \t][^\n]*)?(?=\n|$)|\/\*(?!!)[\s\S]*?\*\/)*$/.test(rest) ? '' : rest };
}
