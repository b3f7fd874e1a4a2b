/**
 * What `kubectl describe` writes through: levels of indentation over Go's text/tabwriter with padding 2
 * (elastic columns: a column is a run of consecutive lines that have a tab-terminated cell there).
 */
export class DescribeWriter {
  #pending = '';
  #out = '';

  /** One line (or part of one) at an indentation level of two spaces each. */
  write(level: number, text: string): void {
    this.#pending += '  '.repeat(level) + escapeControls(text);
  }

  /** `Label:\tvalue` lines, the commonest case. */
  field(level: number, label: string, value: unknown): void {
    this.write(level, `${label}:\t${String(value)}\n`);
  }

  /** A table: header, dashes, rows. */
  table(level: number, header: readonly string[], rows: readonly (readonly unknown[])[], glue = '\t'): void {
    this.write(level, `${header.join('\t')}\n`);
    this.write(level, `${header.map((name) => '-'.repeat(name.length)).join('\t')}\n`);
    for (const row of rows) this.write(level, `${row.join(glue)}\n`);
  }

  /** Ends the present columns: what follows is aligned by itself. */
  flush(): void {
    this.#out += alignColumns(this.#pending);
    this.#pending = '';
  }

  toString(): string {
    this.flush();
    return this.#out;
  }
}

/** Control characters never reach the terminal (kubectl's WriteEscaped). */
function escapeControls(text: string): string {
  return text.replaceAll('\u001b', '^[');
}

/** text/tabwriter with minwidth 0, padding 2, spaces. */
function alignColumns(text: string): string {
  if (!text.includes('\t')) return text;
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widthOf = (cell: string): number => [...cell].length;
  let out = '';
  const widths: number[] = [];

  const writeLines = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const line = lines[i] ?? [];
      line.forEach((cell, j) => {
        const width = widths[j];
        out += width !== undefined && j < line.length - 1 ? cell + ' '.repeat(Math.max(0, width - widthOf(cell))) : cell;
      });
      if (i < lines.length - 1) out += '\n';
    }
  };

  const format = (from: number, to: number): void => {
    const column = widths.length;
    let start = from;
    for (let i = from; i < to; i++) {
      if (column >= (lines[i]?.length ?? 0) - 1) continue;
      writeLines(start, i);
      start = i;
      let width = 0;
      for (; i < to; i++) {
        const line = lines[i] ?? [];
        if (column >= line.length - 1) break;
        width = Math.max(width, widthOf(line[column] ?? '') + 2);
      }
      widths.push(width);
      format(start, i);
      widths.pop();
      start = i;
    }
    writeLines(start, to);
  };

  format(0, lines.length);
  return out;
}
