import { characterWidth, textWidth } from '../unix/index.ts';

/** Keys of an input: escape sequences as a whole, characters one by one. */
export function splitKeys(text: string): string[] {
  return text.match(/\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|[^[O])|[\s\S]/gu) ?? [];
}

export function commonPrefix(texts: readonly string[]): string {
  let prefix = texts[0] ?? '';
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}

export function unquote(text: string): string {
  return text.replace(/^["']/, '').replace(/\\(.)/g, '$1');
}

/** A completed word in the way the typed one is quoted. */
export function quoteLike(typed: string, text: string): string {
  if (/^["']/.test(typed)) return typed[0] + text;
  return text.replace(/[\s"'\\$&;|<>()*?[\]`!#]/g, '\\$&');
}

/** Names in columns, down and then across, as ls does. */
export function inColumns(names: readonly string[], columns: number): string {
  const width = Math.max(...names.map(textWidth)) + 2;
  const perRow = Math.max(1, Math.floor(columns / width));
  const rows = Math.ceil(names.length / perRow);
  let out = '';
  for (let row = 0; row < rows; row++) {
    let line = '';
    for (let column = 0; column < perRow; column++) {
      const name = names[column * rows + row];
      if (name !== undefined) line += name + ' '.repeat(width - textWidth(name));
    }
    out += `${line.trimEnd()}\n`;
  }
  return out;
}

/** Where a text ends on the screen, counted from the prompt's first column. */
export interface Place {
  row: number;
  column: number;
}

/** Where the cursor stands behind a prompt and these characters. */
export function placeOf(prompt: string, characters: readonly string[], columns: number): Place {
  let column = textWidth(prompt.replace(/\x1b\[[0-9;]*[A-Za-z]/g, ''));
  let row = Math.floor(column / columns);
  column %= columns;
  for (const character of characters) {
    if (character === '\n') {
      row++;
      column = 0;
      continue;
    }
    const width = characterWidth(character.codePointAt(0)!);
    if (column + width > columns) {
      row++;
      column = 0;
    }
    column += width;
    if (column >= columns) {
      row++;
      column = 0;
    }
  }
  return { row, column };
}
