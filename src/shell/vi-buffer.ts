/** Text and cursor of the small vi: everything that has nothing to do with the screen. Columns count characters. */
export class ViBuffer {
  lines: string[][];
  row = 0;
  column = 0;
  changed = false;
  /** Lines (`linewise`) or characters that `p` puts. */
  register: { linewise: boolean; lines: string[][] } = { linewise: true, lines: [] };
  #undo: { lines: string[][]; row: number; column: number }[] = [];

  constructor(text: string) {
    this.lines = text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => [...line]);
  }

  text(): string {
    return `${this.lines.map((line) => line.join('')).join('\n')}\n`;
  }

  get line(): string[] {
    return this.lines[this.row]!;
  }

  /** Remembers the state before a change, for `u`. */
  beforeChange(): void {
    this.changed = true;
    this.#undo.push({ lines: this.lines.map((line) => [...line]), row: this.row, column: this.column });
    if (this.#undo.length > 100) this.#undo.shift();
  }

  undo(): boolean {
    const before = this.#undo.pop();
    if (!before) return false;
    this.lines = before.lines;
    this.moveTo(before.row, before.column);
    return true;
  }

  /** Puts the cursor somewhere, at the nearest place there is. `past`: one behind the last character is a place too. */
  moveTo(row: number, column: number, past = false): void {
    this.row = Math.max(0, Math.min(this.lines.length - 1, row));
    this.column = Math.max(0, Math.min(this.line.length - (past ? 0 : 1), column));
  }

  wordForward(): void {
    let { row, column } = this;
    const kind = kindOf(this.lines[row]![column]);
    while (kind !== 'space' && column < this.lines[row]!.length && kindOf(this.lines[row]![column]) === kind) column++;
    for (;;) {
      const line = this.lines[row]!;
      while (column < line.length && kindOf(line[column]) === 'space') column++;
      if (column < line.length || row === this.lines.length - 1) break;
      row++;
      column = 0;
      if (this.lines[row]!.length === 0) break;
    }
    this.moveTo(row, column);
  }

  wordBack(): void {
    let { row, column } = this;
    do {
      if (column === 0) {
        if (row === 0) break;
        row--;
        column = this.lines[row]!.length;
        if (column === 0) break;
      }
      column--;
    } while (kindOf(this.lines[row]![column]) === 'space');
    const kind = kindOf(this.lines[row]![column]);
    while (column > 0 && kindOf(this.lines[row]![column - 1]) === kind) column--;
    this.moveTo(row, column);
  }

  wordEnd(): void {
    let { row, column } = this;
    column++;
    while (kindOf(this.lines[row]![column]) === 'space') {
      if (column >= this.lines[row]!.length) {
        if (row === this.lines.length - 1) break;
        row++;
        column = 0;
      } else column++;
    }
    const kind = kindOf(this.lines[row]![column]);
    while (column + 1 < this.lines[row]!.length && kindOf(this.lines[row]![column + 1]) === kind) column++;
    this.moveTo(row, column);
  }

  insert(text: string): void {
    for (const character of text) {
      if (character === '\n') {
        const rest = this.line.splice(this.column);
        this.lines.splice(this.row + 1, 0, rest);
        this.row++;
        this.column = 0;
      } else this.line.splice(this.column++, 0, character);
    }
  }

  backspace(): void {
    if (this.column > 0) this.line.splice(--this.column, 1);
    else if (this.row > 0) {
      const rest = this.lines.splice(this.row, 1)[0]!;
      this.row--;
      this.column = this.line.length;
      this.line.push(...rest);
    }
  }

  deleteLines(from: number, count: number): void {
    const removed = this.lines.splice(from, count);
    this.register = { linewise: true, lines: removed };
    if (this.lines.length === 0) this.lines = [[]];
    this.moveTo(Math.min(from, this.lines.length - 1), 0);
  }

  deleteWithin(from: number, to: number): void {
    const removed = this.line.splice(from, to - from);
    this.register = { linewise: false, lines: [removed] };
    this.moveTo(this.row, from);
  }

  put(after: boolean): void {
    const { linewise, lines } = this.register;
    if (lines.length === 0) return;
    if (linewise) {
      const at = this.row + (after ? 1 : 0);
      this.lines.splice(at, 0, ...lines.map((line) => [...line]));
      this.moveTo(at, 0);
      return;
    }
    const at = Math.min(this.line.length, this.column + (after ? 1 : 0));
    this.line.splice(at, 0, ...lines[0]!);
    this.moveTo(this.row, at + lines[0]!.length - 1);
  }

  /** The next place of a text, around the end of the file; false when there is none. */
  search(pattern: string, forward: boolean): boolean {
    const count = this.lines.length;
    for (let step = 0; step <= count; step++) {
      const row = (this.row + (forward ? step : -step) + count * 2) % count;
      const line = this.lines[row]!.join('');
      const before = this.lines[this.row]!.slice(0, this.column).join('').length;
      const at = forward ? line.indexOf(pattern, step === 0 ? before + 1 : 0) : line.lastIndexOf(pattern, step === 0 ? before - 1 : line.length);
      if (at >= 0 && !(step === 0 && !forward && before === 0)) {
        this.moveTo(row, [...line.slice(0, at)].length);
        return true;
      }
    }
    return false;
  }
}

function kindOf(character: string | undefined): 'word' | 'space' | 'other' {
  if (character === undefined || /\s/.test(character)) return 'space';
  return /[\p{L}\p{N}_]/u.test(character) ? 'word' : 'other';
}
