/** The shape of a parsed script. Words keep their quoting, because what expansion does depends on it. */

export type Word = readonly WordPart[];

export type WordPart =
  | { type: 'text'; text: string; quoted: boolean }
  | ParameterPart
  | { type: 'command'; body: Sequence; quoted: boolean }
  | { type: 'arithmetic'; expression: Word; quoted: boolean }
  | { type: 'process'; direction: '<' | '>'; body: Sequence; quoted: boolean };

export interface ParameterPart {
  type: 'parameter';
  name: string;
  quoted: boolean;
  /** `${#x}` */
  length?: boolean;
  /** `${!x}` */
  indirect?: boolean;
  /** `${x[...]}`; '@' and '*' as text. */
  index?: Word;
  /** `-`, `:-`, `#`, `##`, `/`, `//`, `:` … */
  operator?: string;
  argument?: Word;
  /** Replacement of `/`, length of `:`. */
  second?: Word;
}

export interface Redirect {
  /** Descriptor number on the left; undefined: 0 or 1 by the operator. */
  fd: number | undefined;
  operator: '<' | '>' | '>>' | '>|' | '<>' | '<&' | '>&' | '&>' | '&>>' | '<<' | '<<<';
  target: Word;
  /** Body of a here-document; filled in when the line has ended. */
  body?: Word;
}

export interface Assignment {
  name: string;
  append: boolean;
  index?: Word;
  value: Word;
  /** `a=(…)` */
  elements?: readonly Word[];
}

export interface SimpleCommand {
  type: 'simple';
  assignments: Assignment[];
  words: Word[];
  redirects: Redirect[];
  line: number;
}

interface Compound {
  redirects: Redirect[];
  line: number;
}

export type Command =
  | SimpleCommand
  | { type: 'pipeline'; commands: Command[]; negated: boolean; timed: boolean; line: number }
  | { type: 'and' | 'or'; left: Command; right: Command; line: number }
  | ({ type: 'if'; clauses: { condition: Sequence; body: Sequence }[]; otherwise: Sequence | undefined } & Compound)
  | ({ type: 'loop'; until: boolean; condition: Sequence; body: Sequence } & Compound)
  | ({ type: 'for'; name: string; words: Word[] | undefined; body: Sequence } & Compound)
  | ({ type: 'count'; parts: [Word, Word, Word]; body: Sequence } & Compound)
  | ({ type: 'case'; word: Word; items: { patterns: Word[]; body: Sequence; next: ';;' | ';&' | ';;&' }[] } & Compound)
  | ({ type: 'subshell' | 'group'; body: Sequence } & Compound)
  | ({ type: 'arithmetic'; expression: Word } & Compound)
  | ({ type: 'test'; words: TestToken[] } & Compound)
  | { type: 'function'; name: string; body: Command; source: string; line: number };

/** What stands between `[[` and `]]`: words, and operators that are only operators there. */
export type TestToken = { operator: string } | { word: Word; quoted: boolean };

export interface Sequence {
  items: { command: Command; background: boolean; source: string }[];
}

/** How this shell's grammar and messages differ. */
export type Dialect = 'ash' | 'bash';

/** Something that cannot be parsed. `incomplete`: more input could still make it right. */
export class ShellSyntaxError extends Error {
  readonly incomplete: boolean;
  readonly line: number;
  constructor(message: string, line: number, incomplete = false) {
    super(message);
    this.name = 'ShellSyntaxError';
    this.line = line;
    this.incomplete = incomplete;
  }
}
