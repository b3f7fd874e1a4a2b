/**
 * liggitt/tabwriter as kubectl configures it: minwidth 6, padding 3, spaces, and column widths that are remembered from
 * one flush to the next, so that rows of a watch keep the columns of the first print.
 */
export class TabWriter {
  #lines: string[][] = [[]];
  #remembered: number[] = [];
  readonly #minWidth: number;
  readonly #padding: number;
  readonly #remember: boolean;

  constructor(options: { minWidth?: number; padding?: number; remember?: boolean } = {}) {
    this.#minWidth = options.minWidth ?? 6;
    this.#padding = options.padding ?? 3;
    this.#remember = options.remember ?? true;
  }

  /** Adds text: tabs end cells, newlines end rows. */
  write(text: string): void {
    const rows = text.split('\n');
    rows.forEach((row, index) => {
      if (index > 0) this.#lines.push([]);
      const cells = row.split('\t');
      const line = this.#lines.at(-1) as string[];
      if (line.length === 0) line.push(...cells);
      else {
        line[line.length - 1] += cells[0] ?? '';
        line.push(...cells.slice(1));
      }
    });
  }

  forgetWidths(): void {
    this.#remembered = [];
  }

  /** The formatted text of everything written since the last flush. */
  flush(): string {
    const lines = this.#lines;
    this.#lines = [[]];
    const out: string[] = [];
    const widths: number[] = [];
    this.#format(lines, 0, lines.length, widths, out);
    return out.join('');
  }

  /** text/tabwriter's format: a column is a block of consecutive tab-terminated cells. */
  #format(lines: string[][], from: number, to: number, widths: number[], out: string[]): void {
    const column = widths.length;
    let start = from;
    for (let i = from; i < to; i++) {
      const line = lines[i] as string[];
      if (column >= line.length - 1) continue;
      this.#emit(lines, start, i, widths, out);
      let width = this.#remember ? (this.#remembered[column] ?? this.#minWidth) : this.#minWidth;
      let end = i;
      let discardable = true;
      for (; end < to; end++) {
        const cells = lines[end] as string[];
        if (column >= cells.length - 1) break;
        const cell = cells[column] as string;
        width = Math.max(width, displayWidth(cell) + this.#padding);
        if (cell.length > 0) discardable = false;
      }
      if (discardable && !this.#remember) width = Math.max(width, this.#minWidth);
      if (this.#remember) this.#remembered[column] = width;
      this.#format(lines, i, end, [...widths, width], out);
      start = end;
      i = end - 1;
    }
    this.#emit(lines, start, to, widths, out);
  }

  #emit(lines: string[][], from: number, to: number, widths: number[], out: string[]): void {
    for (let i = from; i < to; i++) {
      const line = lines[i] as string[];
      line.forEach((cell, j) => {
        const width = widths[j];
        if (j < line.length - 1 && width !== undefined) out.push(cell + ' '.repeat(Math.max(0, width - displayWidth(cell))));
        else out.push(cell);
      });
      if (i < lines.length - 1) out.push('\n');
    }
  }
}

/** tabwriter counts runes. */
function displayWidth(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
