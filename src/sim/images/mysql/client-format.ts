import { textWidth as cellsOf } from '../../../unix/index.ts';

/** How the mysql client shows rows, and how it cuts its input into statements. */

type Cell = string | null;

/** The client counts a control character as one cell. */
const textWidth = (text: string): number => cellsOf(text.replace(/[\x00-\x1f]/g, ' '));

const cellText = (value: Cell): string => value ?? 'NULL';

/** The boxes of the interactive client. */
export function box(columns: readonly { title: string; numeric: boolean }[], rows: readonly (readonly Cell[])[], headings: boolean): string {
  const widthOf = (text: string): number => Math.max(...text.split('\n').map(textWidth));
  const widths = columns.map(({ title }, i) =>
    rows.reduce((width, row) => Math.max(width, widthOf(cellText(row[i] ?? null))), headings ? textWidth(title) : 0),
  );
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const pad = (text: string, width: number, right: boolean): string => {
    const space = ' '.repeat(Math.max(0, width - textWidth(text)));
    return right ? space + text : text + space;
  };
  const line = (cells: readonly string[], header: boolean): string =>
    `|${cells.map((cell, i) => ` ${pad(cell, widths[i] ?? 0, !header && (columns[i]?.numeric ?? false))} `).join('|')}|\n`;
  const titles = columns.map(({ title }) => title);
  return (
    rule +
    (headings ? line(titles, true) + rule : '') +
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

export function vertical(columns: readonly { title: string }[], rows: readonly (readonly Cell[])[]): string {
  const width = Math.max(0, ...columns.map(({ title }) => textWidth(title)));
  const label = (title: string): string => ' '.repeat(width - textWidth(title)) + title;
  return rows
    .map(
      (row, i) =>
        `*************************** ${i + 1}. row ***************************\n${columns.map(({ title }, at) => `${label(title)}: ${cellText(row[at] ?? null)}\n`).join('')}`,
    )
    .join('');
}

export const batchCell = (value: Cell, raw: boolean): string =>
  raw ? cellText(value) : cellText(value).replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n').replace(/\0/g, '\\0');

export interface Split {
  statements: { sql: string; vertical: boolean; line: number }[];
  rest: string;
  /** What the rest is in the middle of: a quote, a comment, or nothing. */
  open: "'" | '"' | '`' | '/*' | '';
  /** \c was there: what was gathered is thrown away. */
  cleared: boolean;
}

/** Cuts text into statements at the delimiter, \g and \G outside quotes and comments. */
export function splitStatements(text: string, delimiter = ';'): Split {
  const statements: Split['statements'] = [];
  const ending = delimiter.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const pattern = new RegExp(
    `'(?:[^'\\\\]|\\\\[^])*'|"(?:[^"\\\\]|\\\\[^])*"|\`[^\`]*\`|--(?=[ \\t\\n]|$)[^\\n]*|#[^\\n]*|/\\*[^]*?\\*/|/\\*|${ending}|\\\\[gGc]|['"\`]`,
    'g',
  );
  let start = 0;
  let line = 1;
  let counted = 0;
  let open: Split['open'] = '';
  let cleared = false;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [found] = match;
    if (found === '/*' || (/^['"`]$/.test(found) && found !== delimiter)) {
      open = found as Split['open'];
      break;
    }
    if (found === '\\c') {
      start = match.index + 2;
      cleared = true;
      continue;
    }
    if (found !== delimiter && found !== '\\g' && found !== '\\G') continue;
    const piece = text.slice(start, match.index);
    const begins = start + (piece.length - piece.trimStart().length);
    for (; counted < begins; counted++) if (text[counted] === '\n') line++;
    if (piece.trim() !== '') statements.push({ sql: piece.trim(), vertical: found === '\\G', line });
    start = match.index + found.length;
  }
  // What is left may be nothing but comments.
  const rest = text.slice(start);
  const blank = /^(?:\s|#[^\n]*(?:\n|$)|--(?:[ \t][^\n]*)?(?:\n|$)|\/\*(?!!)[\s\S]*?\*\/)*$/.test(rest);
  return { statements, rest: blank && open === '' ? '' : rest, open, cleared };
}
