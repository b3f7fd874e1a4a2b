import { CLASSES } from './text-fields.ts';

/** A compiled POSIX regular expression over byte text. Matching is leftmost, and longest among top-level alternatives. */
export interface PosixRegex {
  /** First match at or after `from`. `groups[0]` is the whole; unset groups are undefined. */
  exec(text: string, from?: number): { index: number; groups: readonly (string | undefined)[] } | undefined;
  test(text: string): boolean;
}

/** `message` as regcomp(3) of glibc says it. */
export class RegexError extends Error {}

/**
 * Translates a basic (`extended` false) or extended expression to a JavaScript one, with glibc's extensions (`\+ \? \|`
 * in basic ones, `\< \> \b \w \s` in both).
 */
export function compileRegex(pattern: string, options: { extended?: boolean; ignoreCase?: boolean } = {}): PosixRegex {
  const { extended = false, ignoreCase = false } = options;
  const alternatives = translate(pattern, extended);
  const flags = ignoreCase ? 'i' : '';
  const whole = new RegExp(alternatives.join('|'), `${flags}gs`);
  // JavaScript takes the first alternative that matches, POSIX the longest: each is tried alone, groups keeping their numbers.
  const single =
    alternatives.length > 1
      ? alternatives.map((alternative, i) => new RegExp(alternatives.map((other, j) => (j === i ? alternative : `(?!)(?:${other})`)).join('|'), `${flags}ys`))
      : [];
  const find = (text: string, from: number): RegExpExecArray | undefined => {
    whole.lastIndex = from;
    let best = whole.exec(text) ?? undefined;
    if (!best) return undefined;
    for (const one of single) {
      one.lastIndex = best.index;
      const match = one.exec(text);
      if (match && match[0].length > best[0].length) best = match;
    }
    return best;
  };
  return {
    exec(text, from = 0) {
      const match = find(text, from);
      return match && { index: match.index, groups: [...match] };
    },
    test(text) {
      whole.lastIndex = 0;
      return whole.test(text);
    },
  };
}

const SPECIAL = /[\\^$.*+?()[\]{}|/]/;
const escapeChar = (char: string): string => (SPECIAL.test(char) ? `\\${char}` : char);

/** Top-level alternatives as JavaScript sources. */
function translate(pattern: string, extended: boolean): string[] {
  const alternatives: string[] = [];
  let out = '';
  /** What a following `*` would repeat: undefined at the start of an expression or group. */
  let atomStart: number | undefined;
  const open: { at: number; atomStart: number | undefined }[] = [];
  let closed = 0;
  let i = 0;
  const atom = (source: string): void => {
    atomStart = out.length;
    out += source;
  };
  const repeat = (operator: string): void => {
    if (atomStart === undefined) return;
    // a** and (a*)+ are allowed in POSIX; JavaScript wants a group around the first.
    const repeated = out.slice(atomStart);
    out = `${out.slice(0, atomStart)}(?:${repeated})${operator}`;
    if (/^(\\.|[^\\]|\[[^\]]*\])$/s.test(repeated)) out = out.slice(0, atomStart) + repeated + operator;
  };
  const alternate = (): void => {
    if (open.length === 0) {
      alternatives.push(out);
      out = '';
    } else out += '|';
    atomStart = undefined;
  };
  const begin = (): void => {
    open.push({ at: out.length, atomStart });
    out += '(';
    atomStart = undefined;
  };
  const end = (): void => {
    const group = open.pop();
    if (!group) throw new RegexError('Unmatched ) or \\)');
    closed++;
    out += ')';
    atomStart = group.at;
  };
  while (i < pattern.length) {
    const char = pattern[i] as string;
    if (char === '\\') {
      const next = pattern[i + 1];
      if (next === undefined) throw new RegexError('Trailing backslash');
      i += 2;
      if (!extended && next === '(') begin();
      else if (!extended && next === ')') end();
      else if (!extended && next === '|') alternate();
      else if (!extended && next === '{') i = interval(i, '\\}');
      else if (!extended && (next === '+' || next === '?')) {
        if (atomStart === undefined) atom(escapeChar(next));
        else repeat(next);
      } else if (next >= '1' && next <= '9') {
        if (Number(next) > closed) throw new RegexError('Invalid back reference');
        atom(`(?:\\${next})`);
      } else if (next === '<') out += '\\b(?=\\w)';
      else if (next === '>') out += '\\b(?<=\\w)';
      else if (next === 'b' || next === 'B') out += `\\${next}`;
      else if (next === '`') out += '^';
      else if (next === "'") out += '$';
      else if (/[wWsS]/.test(next)) atom(`\\${next}`);
      else if (next === 'n') atom('\\n');
      else if (next === 't') atom('\\t');
      else atom(escapeChar(next));
      continue;
    }
    i++;
    if (char === '[') {
      const bracket = translateBracket(pattern, i);
      atom(bracket.source);
      i = bracket.next;
    } else if (char === '.') atom('[^]');
    else if (char === '*') {
      if (atomStart === undefined) {
        if (extended && out !== '' && !out.endsWith('(') && !out.endsWith('|') && !out.endsWith('^')) atom('\\*');
        else if (!extended || out === '') atom('\\*');
      } else repeat('*');
    } else if (extended && (char === '+' || char === '?')) {
      if (atomStart === undefined) {
        if (out === '') atom(`\\${char}`);
      } else repeat(char);
    } else if (extended && char === '(') begin();
    else if (extended && char === ')' && open.length > 0) end();
    else if (extended && char === '|') alternate();
    else if (extended && char === '{' && atomStart !== undefined && /^\d*,?\d*\}/.test(pattern.slice(i)) && !pattern.slice(i).startsWith('}'))
      i = interval(i, '}');
    else if (
      char === '^' &&
      (extended || out === '' || out.endsWith('(') || out.endsWith('|') || pattern.slice(0, i - 1).endsWith('\\(') || pattern.slice(0, i - 1).endsWith('\\|'))
    ) {
      out += '^';
      atomStart = undefined;
    } else if (char === '$' && (extended || i === pattern.length || pattern.startsWith('\\)', i) || pattern.startsWith('\\|', i))) {
      out += '$(?![^])';
      atomStart = undefined;
    } else atom(escapeChar(char));
  }
  if (open.length > 0) throw new RegexError('Unmatched ( or \\(');
  alternatives.push(out);
  return alternatives;

  function interval(from: number, closing: string): number {
    const endAt = pattern.indexOf(closing, from);
    if (endAt < 0) throw new RegexError('Unmatched \\{');
    const match = /^(\d*)(,?)(\d*)$/.exec(pattern.slice(from, endAt));
    if (!match || (match[1] === '' && match[2] === '')) throw new RegexError('Invalid content of \\{\\}');
    const [, low = '', comma = '', high = ''] = match;
    if (high !== '' && Number(high) < Number(low || 0)) throw new RegexError('Invalid content of \\{\\}');
    if (Number(low) > 32767 || Number(high) > 32767) throw new RegexError('Regular expression too big');
    repeat(`{${low || 0}${comma}${high}}`);
    return endAt + closing.length;
  }
}

/** A bracket expression from behind its "[". */
function translateBracket(pattern: string, start: number): { source: string; next: number } {
  let i = start;
  let negated = false;
  if (pattern[i] === '^') {
    negated = true;
    i++;
  }
  let source = '';
  const literal = (code: number): string => `\\x${code.toString(16).padStart(2, '0')}`;
  for (let first = true; ; first = false) {
    const char = pattern[i];
    if (char === undefined) throw new RegexError('Unmatched [, [^, [:, [., or [=');
    if (char === ']' && !first) break;
    const named = /^\[:([a-z]*):\]/.exec(pattern.slice(i, i + 16));
    if (named) {
      const member = CLASSES[named[1] as string];
      if (!member) throw new RegexError('Invalid character class name');
      for (let code = 0; code < 256; code++) if (member(code)) source += literal(code);
      i += named[0].length;
      continue;
    }
    const single = /^\[([.=])(.)\1\]/s.exec(pattern.slice(i, i + 5));
    const from = single ? (single[2] as string) : char;
    i += single ? single[0].length : 1;
    if (pattern[i] === '-' && pattern[i + 1] !== ']' && pattern[i + 1] !== undefined) {
      const endSingle = /^\[([.=])(.)\1\]/s.exec(pattern.slice(i + 1, i + 6));
      const to = endSingle ? (endSingle[2] as string) : (pattern[i + 1] as string);
      i += 1 + (endSingle ? endSingle[0].length : 1);
      if (to < from) throw new RegexError('Invalid range end');
      source += `${literal(from.charCodeAt(0))}-${literal(to.charCodeAt(0))}`;
    } else source += literal(from.charCodeAt(0));
  }
  return { source: source === '' ? (negated ? '[^]' : '(?!)') : `[${negated ? '^' : ''}${source}]`, next: i + 1 };
}
