/**
 * Patterns as a nondeterministic automaton, simulated in time linear in the text (Thompson, Pike): regular expressions
 * and shell patterns of a reader cannot make it slow, as they can a backtracking engine. What it finds is what POSIX
 * wants: the leftmost match, and of those the longest. Only back-references backtrack, within a limit of steps.
 */
export type Pattern =
  | { kind: 'set'; set: CharacterSet }
  | { kind: 'sequence' | 'choice'; items: readonly Pattern[] }
  /** `max` may be Infinity. */
  | { kind: 'repeat'; item: Pattern; min: number; max: number }
  /** Numbered from 1. */
  | { kind: 'group'; number: number; item: Pattern }
  | { kind: 'assertion'; holds: Assertion }
  | { kind: 'reference'; group: number };

/** Codes below 256 by table, those above by a test. */
export interface CharacterSet {
  readonly low: Uint8Array;
  beyond(code: number): boolean;
}

/** Whether it holds between `text[at - 1]` and `text[at]`. */
export type Assertion = (text: string, at: number) => boolean;

export function characterSet(has: (code: number) => boolean): CharacterSet {
  const low = new Uint8Array(256);
  for (let code = 0; code < 256; code++) if (has(code)) low[code] = 1;
  return { low, beyond: has };
}

/** What matching may cost before it is given up: about half a second. */
const MAX_STEPS = 20_000_000;
const MAX_INSTRUCTIONS = 40_000;
/** Where a match is looked for by backtracking, places × instructions that are remembered. */
const MAX_REMEMBERED = 400_000_000;

export class PatternTooBig extends Error {}

type Instruction =
  | { op: 'set'; set: CharacterSet }
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { op: 'save'; slot: number }
  | { op: 'assert'; holds: Assertion }
  | { op: 'reference'; group: number }
  /** Ends a repetition that took nothing; `slot` holds where it began. */
  | { op: 'progress'; slot: number }
  | { op: 'match' };

export interface Match {
  start: number;
  end: number;
  /** Start and end of each group, -1 where it took no part: `[start1, end1, start2, …]`. */
  groups: readonly number[];
}

export interface FindOptions {
  from?: number;
  /** The match must begin at `from`. */
  anchored?: boolean;
  /** The shortest match instead of the longest. */
  shortest?: boolean;
  /** Group positions are wanted. */
  groups?: boolean;
}

export class Automaton {
  readonly #code: Instruction[] = [];
  #slots: number;
  readonly #groups: number;
  readonly #references: boolean;
  readonly #ignoreCase: boolean;
  /** Codes a match may begin with; undefined when it may be empty or begins with a reference. */
  readonly #first: CharacterSet | undefined;
  /** Steps taken so far: what matching has cost. */
  steps = 0;

  /** Errors: PatternTooBig. */
  constructor(pattern: Pattern, groups = 0, ignoreCase = false) {
    this.#groups = groups;
    this.#slots = groups * 2;
    this.#ignoreCase = ignoreCase;
    this.#compile(pattern);
    this.#emit({ op: 'match' });
    this.#references = this.#code.some(({ op }) => op === 'reference');
    this.#first = this.#firstSet();
  }

  /** Errors: PatternTooBig when it would take too many steps. */
  find(text: string, options: FindOptions = {}): Match | undefined {
    const { from = 0, anchored = false } = options;
    if (this.#references) {
      const limit = this.steps + MAX_STEPS / 10;
      for (let start = from; start <= text.length; start++) {
        const found = this.#backtrack(text, start, undefined, limit);
        if (found || anchored) return found;
      }
      return undefined;
    }
    const span = this.#simulate(text, from, anchored, options.shortest ?? false);
    if (!span) return undefined;
    if (options.groups && this.#groups > 0) return this.#backtrack(text, span.start, span.end, this.steps + MAX_STEPS);
    return { ...span, groups: [] };
  }

  /** Whether the whole text matches. */
  matches(text: string): boolean {
    const found = this.find(text, { anchored: true });
    return found !== undefined && found.end === text.length;
  }

  #emit(instruction: Instruction): number {
    if (this.#code.length >= MAX_INSTRUCTIONS) throw new PatternTooBig('Regular expression too big');
    return this.#code.push(instruction) - 1;
  }

  #compile(pattern: Pattern): void {
    switch (pattern.kind) {
      case 'set':
        this.#emit({ op: 'set', set: pattern.set });
        break;
      case 'sequence':
        for (const item of pattern.items) this.#compile(item);
        break;
      case 'choice': {
        const jumps: { op: 'jump'; to: number }[] = [];
        pattern.items.forEach((item, i) => {
          const last = i === pattern.items.length - 1;
          const split = { op: 'split' as const, first: this.#code.length + 1, second: 0 };
          if (!last) this.#emit(split);
          this.#compile(item);
          if (last) return;
          const jump = { op: 'jump' as const, to: 0 };
          jumps.push(jump);
          this.#emit(jump);
          split.second = this.#code.length;
        });
        for (const jump of jumps) jump.to = this.#code.length;
        break;
      }
      case 'repeat': {
        for (let i = 0; i < pattern.min; i++) this.#compile(pattern.item);
        if (pattern.max === Number.POSITIVE_INFINITY) {
          const slot = this.#slots++;
          const split = { op: 'split' as const, first: this.#code.length + 1, second: 0 };
          const at = this.#emit(split);
          this.#emit({ op: 'save', slot });
          this.#compile(pattern.item);
          this.#emit({ op: 'progress', slot });
          this.#emit({ op: 'jump', to: at });
          split.second = this.#code.length;
        } else {
          const splits: { second: number }[] = [];
          for (let i = pattern.min; i < pattern.max; i++) {
            const split = { op: 'split' as const, first: this.#code.length + 1, second: 0 };
            splits.push(split);
            this.#emit(split);
            this.#compile(pattern.item);
          }
          for (const split of splits) split.second = this.#code.length;
        }
        break;
      }
      case 'group':
        this.#emit({ op: 'save', slot: pattern.number * 2 - 2 });
        this.#compile(pattern.item);
        this.#emit({ op: 'save', slot: pattern.number * 2 - 1 });
        break;
      case 'assertion':
        this.#emit({ op: 'assert', holds: pattern.holds });
        break;
      default:
        this.#emit({ op: 'reference', group: pattern.group });
    }
  }

  #firstSet(): CharacterSet | undefined {
    const sets: CharacterSet[] = [];
    const seen = new Set<number>();
    const waiting = [0];
    while (waiting.length > 0) {
      const at = waiting.pop() as number;
      if (seen.has(at)) continue;
      seen.add(at);
      const instruction = this.#code[at] as Instruction;
      if (instruction.op === 'match' || instruction.op === 'reference') return undefined;
      if (instruction.op === 'set') sets.push(instruction.set);
      else if (instruction.op === 'split') waiting.push(instruction.first, instruction.second);
      else waiting.push(instruction.op === 'jump' ? instruction.to : at + 1);
    }
    return characterSet((code) => sets.some((set) => (code < 256 ? set.low[code] === 1 : set.beyond(code))));
  }

  /** All possibilities at once, ordered by where they began; the first to be there owns a state. */
  #simulate(text: string, from: number, anchored: boolean, shortest: boolean): { start: number; end: number } | undefined {
    const code = this.#code;
    const first = this.#first;
    const limit = this.steps + MAX_STEPS;
    let now = new Threads(code.length);
    let next = new Threads(code.length);
    const stack: number[] = [];
    let best: { start: number; end: number } | undefined;
    const add = (threads: Threads, state: number, start: number, at: number): void => {
      stack.push(state);
      while (stack.length > 0) {
        const top = stack.pop() as number;
        if (threads.has(top)) continue;
        threads.mark(top);
        this.steps++;
        const instruction = code[top] as Instruction;
        switch (instruction.op) {
          case 'set':
            threads.push(top, start);
            break;
          case 'split':
            stack.push(instruction.second, instruction.first);
            break;
          case 'jump':
            stack.push(instruction.to);
            break;
          case 'assert':
            if (instruction.holds(text, at)) stack.push(top + 1);
            break;
          case 'match':
            if (!best || start < best.start || (start === best.start && !shortest)) best = { start, end: at };
            break;
          default:
            stack.push(top + 1);
        }
      }
    };
    for (let at = from; ; ) {
      if (now.size === 0) {
        if (best || (anchored && at > from)) return best;
        if (first && !anchored) {
          while (at < text.length && !inSet(first, text.codePointAt(at) as number)) at++;
          if (at >= text.length) return undefined;
        }
      }
      if (!best && (!anchored || at === from)) add(now, 0, at, at);
      if (at >= text.length) return best;
      const point = text.codePointAt(at) as number;
      const width = point > 0xffff ? 2 : 1;
      next.clear();
      for (let i = 0; i < now.size; i++) {
        const start = now.starts[i] as number;
        if (best && (start > best.start || (shortest && start === best.start))) break;
        const state = now.states[i] as number;
        this.steps++;
        if (inSet((code[state] as { set: CharacterSet }).set, point)) add(next, state + 1, start, at + width);
      }
      if (this.steps > limit) throw new PatternTooBig('Memory exhausted');
      [now, next] = [next, now];
      at += width;
    }
  }

  /** The first way through in the order of preference. With `end` known no place is tried twice. */
  #backtrack(text: string, from: number, end: number | undefined, limit: number): Match | undefined {
    const code = this.#code;
    const length = end === undefined ? 0 : end - from + 1;
    if (length * code.length > MAX_REMEMBERED) throw new PatternTooBig('Memory exhausted');
    const seen = end === undefined ? undefined : new Uint32Array(Math.ceil((length * code.length) / 32));
    const slots = new Int32Array(this.#slots).fill(-1);
    /** Ways not tried yet (state, place), and slots to put back on the way (-slot - 1, value). */
    const stack: number[] = [0, from];
    while (stack.length > 0) {
      let at = stack.pop() as number;
      let state = stack.pop() as number;
      if (state < 0) {
        slots[-state - 1] = at;
        continue;
      }
      for (;;) {
        if (++this.steps > limit) throw new PatternTooBig('Memory exhausted');
        if (seen) {
          const place = (at - from) * code.length + state;
          const bit = 1 << (place & 31);
          if (((seen[place >>> 5] as number) & bit) !== 0) break;
          seen[place >>> 5] = (seen[place >>> 5] as number) | bit;
        }
        const instruction = code[state] as Instruction;
        state++;
        if (instruction.op === 'set') {
          const point = at < (end ?? text.length) ? (text.codePointAt(at) as number) : -1;
          if (point < 0 || !inSet(instruction.set, point)) break;
          at += point > 0xffff ? 2 : 1;
        } else if (instruction.op === 'split') {
          stack.push(instruction.second, at);
          state = instruction.first;
        } else if (instruction.op === 'jump') state = instruction.to;
        else if (instruction.op === 'save') {
          stack.push(-instruction.slot - 1, slots[instruction.slot] as number);
          slots[instruction.slot] = at;
        } else if (instruction.op === 'assert') {
          if (!instruction.holds(text, at)) break;
        } else if (instruction.op === 'progress') {
          if (slots[instruction.slot] === at) break;
        } else if (instruction.op === 'reference') {
          const [start = -1, stop = -1] = slots.subarray(instruction.group * 2 - 2, instruction.group * 2);
          const wanted = text.slice(start, stop);
          const there = text.slice(at, at + wanted.length);
          if (start < 0 || stop < 0 || (there !== wanted && !(this.#ignoreCase && there.toLowerCase() === wanted.toLowerCase()))) break;
          this.steps += wanted.length;
          at += wanted.length;
        } else if (end === undefined || at === end) return { start: from, end: at, groups: [...slots.subarray(0, this.#groups * 2)] };
        else break;
      }
    }
    return undefined;
  }
}

function inSet(set: CharacterSet, code: number): boolean {
  return code < 256 ? set.low[code] === 1 : set.beyond(code);
}

/** States that are reached, each with the place where its match began. */
class Threads {
  readonly states: Int32Array;
  readonly starts: Int32Array;
  readonly #marks: Int32Array;
  #generation = 1;
  size = 0;

  constructor(count: number) {
    this.states = new Int32Array(count);
    this.starts = new Int32Array(count);
    this.#marks = new Int32Array(count);
  }

  has(state: number): boolean {
    return this.#marks[state] === this.#generation;
  }

  mark(state: number): void {
    this.#marks[state] = this.#generation;
  }

  push(state: number, start: number): void {
    this.states[this.size] = state;
    this.starts[this.size++] = start;
  }

  clear(): void {
    this.size = 0;
    this.#generation++;
  }
}
