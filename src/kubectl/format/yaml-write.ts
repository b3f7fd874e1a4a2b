import type { Json } from '../util/object.ts';
import { goFloat } from './go-json.ts';

/**
 * YAML as sigs.k8s.io/yaml writes it (its fork of go-yaml v2): keys in natural order, sequences not indented under
 * their key, the quoting rules of go-yaml's resolver and of libyaml's emitter, long lines folded where libyaml folds them.
 */
export function toYaml(value: Json): string {
  const out: string[] = [];
  writeNode(out, value, 0, 'root');
  return out.join('');
}

type Place = 'root' | 'value' | 'item';

function writeNode(out: string[], value: Json, indent: number, place: Place): void {
  if (Array.isArray(value) && value.length > 0) {
    let first = true;
    if (place === 'value') out.push('\n');
    for (const item of value) {
      // Inside a sequence item the first entry stays on the item's own line.
      out.push(first && place === 'item' ? '- ' : `${' '.repeat(indent)}- `);
      first = false;
      writeNode(out, item, indent + 2, 'item');
    }
    return;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const keys = Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort(compareKeys);
    if (keys.length > 0) {
      if (place === 'value') out.push('\n');
      let first = true;
      for (const key of keys) {
        const text = scalar(key, indent, true);
        const lead = first && place === 'item' ? '' : ' '.repeat(indent);
        first = false;
        // libyaml's limit for a simple key is 128 bytes; longer ones are written in the explicit form.
        out.push(key.length > 128 ? `${lead}? ${text}\n${' '.repeat(indent)}:` : `${lead}${text}:`);
        const child = value[key];
        const nested = typeof child === 'object' && child !== null && Object.keys(child).length > 0;
        if (!nested) out.push(' ');
        writeNode(out, child, nested && Array.isArray(child) ? indent : indent + 2, 'value');
      }
      return;
    }
  }
  out.push(`${leaf(value, indent, columnOf(out))}\n`);
}

/** The column after what was written last. */
function columnOf(out: readonly string[]): number {
  let column = 0;
  for (let i = out.length - 1; i >= 0; i--) {
    const piece = out[i] as string;
    const lineBreak = piece.lastIndexOf('\n');
    column += [...piece].length - (lineBreak < 0 ? 0 : [...piece.slice(0, lineBreak + 1)].length);
    if (lineBreak >= 0) break;
  }
  return column;
}

function leaf(value: Json, indent: number, column: number): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object') return '{}';
  if (typeof value === 'string') return scalar(value, indent, false, column);
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 1e21 ? String(value) : goFloat(value);
  return String(value);
}

const RESERVED = new Set(
  'y Y yes Yes YES true True TRUE on On ON n N no No NO false False FALSE off Off OFF ~ null Null NULL .nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF <<'.split(
    ' ',
  ),
);

/** go-yaml's resolve(): whether an unquoted scalar would be read as something else than a string. */
function resolvesToOther(text: string): boolean {
  if (text === '' || RESERVED.has(text)) return true;
  const first = text[0] ?? '';
  if (first === '.') return /^\.[0-9]+([eE][-+]?[0-9]+)?$/.test(text);
  if (!/[0-9+-]/.test(first)) return false;
  if (isTimestamp(text)) return true;
  const plain = text.replaceAll('_', '');
  if (/^[+-]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)$/.test(plain)) return true;
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) return true;
  return /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text);
}

function isTimestamp(text: string): boolean {
  const match =
    /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))|(?: (\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?))?$/.exec(
      text,
    );
  if (!match) return false;
  const [, year, month, day] = match.map(Number) as [number, number, number, number];
  const hour = Number(match[4] ?? match[7] ?? 0);
  const minute = Number(match[5] ?? match[8] ?? 0);
  const second = Number(match[6] ?? match[9] ?? 0);
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60;
}

function isPrintable(code: number): boolean {
  if (code === 0x0a || (code >= 0x20 && code <= 0x7e)) return true;
  return code >= 0xa0 && code <= 0xffff && code !== 0xfeff && code !== 0xfffe && code !== 0xffff && !(code >= 0xd800 && code <= 0xdfff);
}

const isBreak = (char: string | undefined): boolean => char === '\n' || char === '\r' || char === '\u0085' || char === '\u2028' || char === '\u2029';
const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t';

interface Analysis {
  plain: boolean;
  single: boolean;
  block: boolean;
  multiline: boolean;
}

/** yaml_emitter_analyze_scalar. */
function analyse(chars: readonly string[]): Analysis {
  if (chars.length === 0) return { plain: true, single: true, block: false, multiline: false };
  const text = chars.join('');
  let blockIndicators = text.startsWith('---') || text.startsWith('...');
  let [lineBreaks, special, leading, trailingSpace, trailingBreak, breakSpace, spaceBreak] = [false, false, false, false, false, false, false];
  let [previousSpace, previousBreak, precededByWhitespace] = [false, false, true];
  chars.forEach((char, index) => {
    const last = index === chars.length - 1;
    const followedByWhitespace = last || isBlank(chars[index + 1]) || isBreak(chars[index + 1]);
    if (index === 0) {
      if ('#,[]{}&*!|>\'"%@`'.includes(char)) blockIndicators = true;
      else if ('?:-'.includes(char) && followedByWhitespace) blockIndicators = true;
    } else if ((char === ':' && followedByWhitespace) || (char === '#' && precededByWhitespace)) {
      blockIndicators = true;
    }
    if (!isPrintable(char.codePointAt(0) ?? 0)) special = true;
    if (char === ' ') {
      if (index === 0) leading = true;
      if (last) trailingSpace = true;
      if (previousBreak) breakSpace = true;
      [previousSpace, previousBreak] = [true, false];
    } else if (isBreak(char)) {
      lineBreaks = true;
      if (index === 0) leading = true;
      if (last) trailingBreak = true;
      if (previousSpace) spaceBreak = true;
      [previousSpace, previousBreak] = [false, true];
    } else {
      [previousSpace, previousBreak] = [false, false];
    }
    precededByWhitespace = isBlank(char) || isBreak(char);
  });
  const bad = spaceBreak || special;
  return {
    plain: !(leading || trailingSpace || trailingBreak || breakSpace || bad || lineBreaks || blockIndicators),
    single: !(breakSpace || bad),
    block: !(trailingSpace || bad),
    multiline: lineBreaks,
  };
}

/**
 * A string scalar in the style that go-yaml's encoder and libyaml's emitter agree on; `column` is where it begins, for
 * folding.
 */
function scalar(text: string, indent: number, key: boolean, column = 0): string {
  const chars = [...text];
  const analysis = analyse(chars);
  if (key && analysis.multiline) return doubleQuoted(chars);
  const fold: Fold | undefined = key ? undefined : { indent: Math.max(indent, 2), column };
  if (text.includes('\n')) return analysis.block && !key ? literal(text, indent) : doubleQuoted(chars, fold);
  if (resolvesToOther(text)) return doubleQuoted(chars, fold);
  if (analysis.plain) return folded(chars, false, fold);
  return analysis.single ? `'${folded(chars, true, fold)}'` : doubleQuoted(chars, fold);
}

/** Where a scalar begins and how far its further lines are indented. */
interface Fold {
  indent: number;
  column: number;
}

/** libyaml's best_width: a line is broken at the first single space after it. */
const BEST_WIDTH = 80;

/** yaml_emitter_write_plain_scalar and write_single_quoted_scalar, of text without line breaks. */
function folded(chars: readonly string[], quoted: boolean, fold: Fold | undefined): string {
  let out = '';
  let column = (fold?.column ?? 0) + (quoted ? 1 : 0);
  let spaces = false;
  chars.forEach((char, i) => {
    if (char === ' ' && fold && !spaces && column > BEST_WIDTH && chars[i + 1] !== ' ' && (!quoted || (i > 0 && i < chars.length - 1))) {
      out += `\n${' '.repeat(fold.indent)}`;
      column = fold.indent;
    } else {
      const written = quoted && char === "'" ? "''" : char;
      out += written;
      column += written.length === 2 && char === "'" ? 2 : 1;
    }
    spaces = char === ' ';
  });
  return out;
}

function literal(text: string, indent: number): string {
  let hints = /^[ \n\r]/.test(text) ? '2' : '';
  if (!text.endsWith('\n')) hints += '-';
  else if (text === '\n' || text.endsWith('\n\n')) hints += '+';
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const pad = ' '.repeat(Math.max(indent, 2));
  return `|${hints}\n${body
    .split('\n')
    .map((line) => (line === '' ? '' : pad + line))
    .join('\n')}`;
}

const DOUBLE_ESCAPES: Record<string, string> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\u0085': 'N',
  '\u00a0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
};

/** yaml_emitter_write_double_quoted_scalar. */
function doubleQuoted(chars: readonly string[], fold?: Fold): string {
  let out = '"';
  let column = (fold?.column ?? 0) + 1;
  let spaces = false;
  chars.forEach((char, i) => {
    const code = char.codePointAt(0) ?? 0;
    if (char === ' ' && fold && !spaces && column > BEST_WIDTH && i > 0 && i < chars.length - 1) {
      out += `\n${' '.repeat(fold.indent)}${chars[i + 1] === ' ' ? '\\' : ''}`;
      column = fold.indent + (chars[i + 1] === ' ' ? 1 : 0);
    } else if (isPrintable(code) && !isBreak(char) && char !== '"' && char !== '\\') {
      out += char;
      column++;
    } else {
      const short = DOUBLE_ESCAPES[char];
      const hex = code.toString(16).toUpperCase();
      const written = short
        ? `\\${short}`
        : code <= 0xff
          ? `\\x${hex.padStart(2, '0')}`
          : code <= 0xffff
            ? `\\u${hex.padStart(4, '0')}`
            : `\\U${hex.padStart(8, '0')}`;
      out += written;
      column += written.length;
    }
    spaces = char === ' ';
  });
  return `${out}"`;
}

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9';
const isLetter = (char: string): boolean => /\p{L}/u.test(char);

/** go-yaml's keyList.Less: natural order, digits before letters after a number. */
function compareKeys(a: string, b: string): number {
  const x = [...a];
  const y = [...b];
  let digits = false;
  for (let i = 0; i < x.length && i < y.length; i++) {
    const p = x[i] as string;
    const q = y[i] as string;
    if (p === q) {
      digits = isDigit(p);
      continue;
    }
    const pLetter = isLetter(p);
    const qLetter = isLetter(q);
    if (pLetter && qLetter) return p < q ? -1 : 1;
    if (pLetter || qLetter) return (digits ? pLetter : qLetter) ? -1 : 1;
    let pNumber = 0;
    let qNumber = 0;
    if (p === '0' || q === '0') {
      for (let j = i - 1; j >= 0 && isDigit(x[j]); j--) {
        if (x[j] !== '0') {
          pNumber = 1;
          qNumber = 1;
          break;
        }
      }
    }
    let pEnd = i;
    let qEnd = i;
    for (; isDigit(x[pEnd]); pEnd++) pNumber = pNumber * 10 + Number(x[pEnd]);
    for (; isDigit(y[qEnd]); qEnd++) qNumber = qNumber * 10 + Number(y[qEnd]);
    if (pNumber !== qNumber) return pNumber - qNumber;
    if (pEnd !== qEnd) return pEnd - qEnd;
    return p < q ? -1 : 1;
  }
  return x.length - y.length;
}
