import { type Assertion, Automaton, characterSet, type Pattern, PatternTooBig } from './automaton.ts';
import { CLASSES } from './character-classes.ts';
import { RegexError } from './regex-error.ts';
import type { Process } from './types.ts';

/** A compiled POSIX regular expression. Matching is leftmost and longest, in time linear in the text. */
export interface PosixRegex {
  /** First match at or after `from`. `groups[0]` is the whole; unset groups are undefined. Errors: RegexError. */
  exec(text: string, from?: number): { index: number; groups: readonly (string | undefined)[] } | undefined;
  test(text: string): boolean;
}

export interface RegexOptions {
  extended?: boolean;
  ignoreCase?: boolean;
  /** As grep takes it: what cannot be an operator where it stands is itself, or nothing. */
  lenient?: boolean;
  /** Pays for matching. */
  process?: Process;
}

/** Steps of matching in a millisecond of virtual CPU time. */
const STEPS_PER_MS = 100_000;
/** What callers that match without ever waiting may spend: awk's gsub over a very long line. */
const MAX_STEPS_BETWEEN_WAITS = 40_000_000;

/**
 * A basic (`extended` false) or extended expression with glibc's extensions (`\+ \? \|` in basic ones, `\< \> \b \w \s`
 * in both). Errors: RegexError.
 */
export function compileRegex(pattern: string, options: RegexOptions = {}): PosixRegex {
  const { process, ignoreCase = false } = options;
  const parser = new Parser(pattern, options);
  const automaton = giveUp(pattern, () => new Automaton(parser.parse(), parser.groups, ignoreCase));
  let paid = 0;
  let waitedAt = -1;
  let since = 0;
  const run = <T>(work: () => T): T => {
    try {
      return giveUp(pattern, work);
    } finally {
      const cost = automaton.steps - paid;
      paid = automaton.steps;
      process?.charge(cost / STEPS_PER_MS);
      const nowMs = process?.kernel.now() ?? 0;
      since = nowMs === waitedAt ? since + cost : cost;
      waitedAt = nowMs;
    }
  };
  return {
    exec(text, from = 0) {
      const found = run(() => {
        if (since > MAX_STEPS_BETWEEN_WAITS) throw new PatternTooBig('Memory exhausted');
        return automaton.find(text, { from, groups: true });
      });
      if (!found) return undefined;
      const groups: (string | undefined)[] = [text.slice(found.start, found.end)];
      for (let i = 0; i < found.groups.length; i += 2) {
        const start = found.groups[i] as number;
        groups.push(start < 0 ? undefined : text.slice(start, found.groups[i + 1]));
      }
      return { index: found.start, groups };
    },
    test: (text) => run(() => automaton.find(text, { shortest: true })) !== undefined,
  };
}

/** Errors carry the pattern. */
function giveUp<T>(pattern: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PatternTooBig) && !(error instanceof RegexError)) throw error;
    const refused = new RegexError(error.message);
    refused.pattern = pattern;
    throw refused;
  }
}

const isWord = (code: number): boolean => CLASSES.alnum(code) || code === 95;
const wordAt = (text: string, at: number): boolean => at >= 0 && at < text.length && isWord(text.charCodeAt(at));
const START: Assertion = (_, at) => at === 0;
const END: Assertion = (text, at) => at === text.length;
const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  '<': (text, at) => !wordAt(text, at - 1) && wordAt(text, at),
  '>': (text, at) => wordAt(text, at - 1) && !wordAt(text, at),
  b: (text, at) => wordAt(text, at - 1) !== wordAt(text, at),
  B: (text, at) => wordAt(text, at - 1) === wordAt(text, at),
  '`': START,
  "'": END,
};
const MAX_REPEAT = 32767;

/** Recursive descent, with glibc's ideas of what is an operator where. */
class Parser {
  readonly #text: string;
  readonly #extended: boolean;
  readonly #ignoreCase: boolean;
  readonly #lenient: boolean;
  #at = 0;
  #depth = 0;
  groups = 0;
  /** Groups that are closed: only those may be referred to. */
  readonly #closed = new Set<number>();

  constructor(text: string, { extended = false, ignoreCase = false, lenient = false }: RegexOptions) {
    this.#text = text;
    this.#extended = extended;
    this.#ignoreCase = ignoreCase;
    this.#lenient = lenient;
  }

  parse(): Pattern {
    const pattern = this.#choice();
    if (this.#at < this.#text.length) throw new RegexError('Unmatched ) or \\)');
    return pattern;
  }

  #isNext(operator: string): boolean {
    return this.#text.startsWith(this.#extended ? operator : `\\${operator}`, this.#at);
  }

  #take(operator: string): boolean {
    if (!this.#isNext(operator)) return false;
    this.#at += this.#extended ? 1 : 2;
    return true;
  }

  #closesHere(): boolean {
    return this.#isNext(')') && (this.#depth > 0 || !this.#extended);
  }

  #choice(): Pattern {
    const items = [this.#branch()];
    while (this.#take('|')) items.push(this.#branch());
    return items.length === 1 ? (items[0] as Pattern) : { kind: 'choice', items };
  }

  #branch(): Pattern {
    const items: Pattern[] = [];
    /** Nothing stands before that an operator could repeat. */
    let bare = true;
    while (this.#at < this.#text.length && !this.#isNext('|') && !this.#closesHere()) {
      const char = this.#text[this.#at] as string;
      const atStart = items.length === 0 && bare;
      if (char === '^' && (this.#extended || atStart)) {
        this.#at++;
        items.push({ kind: 'assertion', holds: START });
        bare = true;
        continue;
      }
      if (char === '$' && (this.#extended || this.#endsAfter())) {
        this.#at++;
        items.push({ kind: 'assertion', holds: END });
        bare = true;
        continue;
      }
      const assertion = char === '\\' ? ASSERTIONS[this.#text[this.#at + 1] ?? ''] : undefined;
      if (assertion) {
        this.#at += 2;
        items.push({ kind: 'assertion', holds: assertion });
        bare = true;
        continue;
      }
      if (bare && this.#dropsOperator()) continue;
      let item = this.#atom();
      for (let repeated = this.#repeat(item); repeated; repeated = this.#repeat(item)) item = repeated;
      items.push(item);
      bare = false;
    }
    return { kind: 'sequence', items };
  }

  /** Whether the "$" here ends a basic expression. */
  #endsAfter(): boolean {
    const rest = this.#text.slice(this.#at + 1, this.#at + 3);
    return rest === '' || rest === '\\)' || rest === '\\|';
  }

  /** An operator with nothing to repeat: regcomp refuses it in extended expressions, grep passes over it. */
  #dropsOperator(): boolean {
    const char = this.#text[this.#at] as string;
    if (this.#extended) {
      const operator = char === '*' || char === '+' || char === '?' || (char === '{' && !this.#lenient);
      if (!operator) return false;
      if (!this.#lenient) throw new RegexError('Invalid preceding regular expression');
      this.#at++;
      return true;
    }
    if (char === '\\' && this.#text[this.#at + 1] === '{') throw new RegexError('Invalid preceding regular expression');
    return false;
  }

  /** What stands behind an atom may repeat it. */
  #repeat(item: Pattern): Pattern | undefined {
    const repeated = (min: number, max: number): Pattern => ({ kind: 'repeat', item, min, max });
    if (this.#text[this.#at] === '*') {
      this.#at++;
      return repeated(0, Number.POSITIVE_INFINITY);
    }
    if (this.#take('+')) return repeated(1, Number.POSITIVE_INFINITY);
    if (this.#take('?')) return repeated(0, 1);
    if (!this.#isNext('{')) return undefined;
    const from = this.#at + (this.#extended ? 1 : 2);
    const closing = this.#extended ? '}' : '\\}';
    const end = this.#text.indexOf(closing, from);
    const bounds = /^(\d*)(,?)(\d*)$/.exec(end < 0 ? '' : this.#text.slice(from, end));
    if (!bounds || (bounds[1] === '' && bounds[2] === '')) {
      if (this.#lenient && this.#extended) return undefined;
      throw new RegexError(end < 0 ? 'Unmatched \\{' : 'Invalid content of \\{\\}');
    }
    const min = Number(bounds[1] || 0);
    const max = bounds[2] === '' ? min : bounds[3] === '' ? Number.POSITIVE_INFINITY : Number(bounds[3]);
    if (max < min) throw new RegexError('Invalid content of \\{\\}');
    if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY)) throw new RegexError('Regular expression too big');
    this.#at = end + closing.length;
    return repeated(min, max);
  }

  #atom(): Pattern {
    if (this.#take('(')) {
      const number = ++this.groups;
      this.#depth++;
      const item = this.#choice();
      this.#depth--;
      if (!this.#take(')')) throw new RegexError('Unmatched ( or \\(');
      this.#closed.add(number);
      return { kind: 'group', number, item };
    }
    const char = this.#text[this.#at++] as string;
    if (char === '.') return set(() => true);
    if (char === '[') return this.#bracket();
    if (char !== '\\') return this.#literal(char + (/[\ud800-\udbff]/.test(char) ? (this.#text[this.#at++] ?? '') : ''));
    const next = this.#text[this.#at++];
    if (next === undefined) throw new RegexError('Trailing backslash');
    if (next >= '1' && next <= '9') {
      if (!this.#closed.has(Number(next))) throw new RegexError('Invalid back reference');
      return { kind: 'reference', group: Number(next) };
    }
    if (next === 'w') return set(isWord);
    if (next === 'W') return set((code) => !isWord(code));
    if (next === 's') return set(CLASSES.space);
    if (next === 'S') return set((code) => !CLASSES.space(code));
    return this.#literal(next);
  }

  #literal(char: string): Pattern {
    const wanted = char.codePointAt(0) as number;
    return this.#folded((code) => code === wanted);
  }

  #folded(has: (code: number) => boolean): Pattern {
    if (!this.#ignoreCase) return set(has);
    return set((code) => has(code) || (CLASSES.upper(code) && has(code + 32)) || (CLASSES.lower(code) && has(code - 32)));
  }

  /** A bracket expression from behind its "[". */
  #bracket(): Pattern {
    const text = this.#text;
    const negated = text[this.#at] === '^';
    if (negated) this.#at++;
    const tests: ((code: number) => boolean)[] = [];
    const ranges: [number, number][] = [];
    /** A character, or `[.x.]`, as a code. */
    const element = (): number => {
      const named = /^\[([.=])(.)\1\]/su.exec(text.slice(this.#at, this.#at + 7));
      if (!named && /^\[[.=]/.test(text.slice(this.#at, this.#at + 2))) throw new RegexError('Invalid collation character');
      const code = text.codePointAt(this.#at);
      if (code === undefined) throw new RegexError('Unmatched [, [^, [:, [., or [=');
      this.#at += named ? named[0].length : code > 0xffff ? 2 : 1;
      return named ? (named[2]!.codePointAt(0) as number) : code;
    };
    for (let first = true; ; first = false) {
      if (this.#at >= text.length) throw new RegexError('Unmatched [, [^, [:, [., or [=');
      if (text[this.#at] === ']' && !first) break;
      const named = /^\[:([^:\]]*):\]/.exec(text.slice(this.#at, this.#at + 16));
      if (named) {
        const member = CLASSES[named[1] as string];
        if (!member) throw new RegexError('Invalid character class name');
        tests.push(member);
        this.#at += named[0].length;
        continue;
      }
      const from = element();
      if (text[this.#at] !== '-' || text[this.#at + 1] === ']' || this.#at + 1 >= text.length) {
        ranges.push([from, from]);
        continue;
      }
      this.#at++;
      const to = element();
      if (to < from) throw new RegexError('Invalid range end');
      ranges.push([from, to]);
    }
    this.#at++;
    const has = (code: number): boolean => ranges.some(([from, to]) => code >= from && code <= to) || tests.some((member) => member(code));
    const folded = this.#folded(has);
    if (!negated || folded.kind !== 'set') return folded;
    const inside = folded.set;
    return set((code) => (code < 256 ? inside.low[code] === 0 : !inside.beyond(code)));
  }
}

function set(has: (code: number) => boolean): Pattern {
  return { kind: 'set', set: characterSet(has) };
}
