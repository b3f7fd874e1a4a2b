import { parseDuration } from '../util/duration.ts';
import { quote } from '../util/object.ts';

/** bool, string, int, int32, duration, list (pflag StringSlice), array (pflag StringArray), pairs (pflag StringToString). */
export type FlagType = 'b' | 's' | 'i' | 'n' | 'd' | 'l' | 'a' | 'm';

export interface FlagDefinition {
  name: string;
  shorthand: string | undefined;
  type: FlagType;
  /** Text of the default, as kubectl's help shows it. */
  defaultText: string;
  /** Value when the flag is given without one. */
  withoutValue: string | undefined;
}

export type FlagValue = string | boolean | number | string[];

/** A flag that could not be parsed: pflag's message. */
export class FlagError extends Error {}

const NO_OPTION_DEFAULTS: Record<string, string> = { 'dry-run': 'unchanged', validate: 'strict', cascade: 'background' };

/** Reads the table's form `[shorthand,]name:type[=default]`. */
export function parseDefinitions(spec: string): FlagDefinition[] {
  return spec
    .split(' ')
    .filter((token) => token !== '')
    .map((token) => {
      const match = /^(?:(\w),)?([^:]+):(\w)(?:=(.*))?$/.exec(token);
      if (!match) throw new Error(`bad flag definition ${token}`);
      const type = match[3] as FlagType;
      const name = match[2] ?? '';
      return { name, shorthand: match[1], type, defaultText: match[4] ?? '', withoutValue: type === 'b' ? 'true' : NO_OPTION_DEFAULTS[name] };
    });
}

/** The flags of one command line: pflag's parsing, every spelling that it takes. */
export class FlagSet {
  readonly #byName = new Map<string, FlagDefinition>();
  readonly #byShorthand = new Map<string, FlagDefinition>();
  readonly #values = new Map<string, FlagValue>();
  /** Index in `rest` of what followed `--`, or -1 (cobra's ArgsLenAtDash). */
  lengthAtDash = -1;
  rest: string[] = [];

  add(definitions: readonly FlagDefinition[]): void {
    for (const definition of definitions) {
      if (this.#byName.has(definition.name)) continue;
      this.#byName.set(definition.name, definition);
      if (definition.shorthand && !this.#byShorthand.has(definition.shorthand)) this.#byShorthand.set(definition.shorthand, definition);
    }
  }

  definitions(): FlagDefinition[] {
    return [...this.#byName.values()];
  }

  lookup(name: string): FlagDefinition | undefined {
    return this.#byName.get(name.replaceAll('_', '-'));
  }

  shorthand(letter: string): FlagDefinition | undefined {
    return this.#byShorthand.get(letter);
  }

  /** Parses arguments; throws FlagError with pflag's words. */
  parse(args: readonly string[], options: { interspersed?: boolean } = {}): void {
    const queue = [...args];
    while (queue.length > 0) {
      const arg = queue.shift() as string;
      if (!arg.startsWith('-') || arg === '-') {
        this.rest.push(arg);
        if (options.interspersed === false) {
          this.rest.push(...queue);
          return;
        }
        continue;
      }
      if (arg === '--') {
        this.lengthAtDash = this.rest.length;
        this.rest.push(...queue);
        return;
      }
      if (arg.startsWith('--')) this.#long(arg, queue);
      else this.#short(arg.slice(1), queue);
    }
  }

  #long(arg: string, queue: string[]): void {
    const body = arg.slice(2);
    if (body.startsWith('-') || body.startsWith('=')) throw new FlagError(`bad flag syntax: ${arg}`);
    const equals = body.indexOf('=');
    const name = equals < 0 ? body : body.slice(0, equals);
    const flag = this.lookup(name);
    if (!flag) throw new FlagError(`unknown flag: --${name}`);
    if (equals >= 0) this.#set(flag, body.slice(equals + 1), `--${flag.name}`);
    else if (flag.withoutValue !== undefined) this.#set(flag, flag.withoutValue, `--${flag.name}`);
    else if (queue.length > 0) this.#set(flag, queue.shift() as string, `--${flag.name}`);
    else throw new FlagError(`flag needs an argument: --${name}`);
  }

  #short(shorthands: string, queue: string[]): void {
    let rest = shorthands;
    while (rest.length > 0) {
      const letter = rest[0] as string;
      const after = rest.slice(1);
      const flag = this.#byShorthand.get(letter);
      if (!flag) throw new FlagError(`unknown shorthand flag: ${quoteRune(letter)} in -${rest}`);
      const label = `-${letter}, --${flag.name}`;
      if (after.length > 1 && after[0] === '=') {
        this.#set(flag, after.slice(1), label);
        return;
      }
      if (flag.withoutValue !== undefined) {
        this.#set(flag, flag.withoutValue, label);
        rest = after;
        continue;
      }
      if (after.length > 0) this.#set(flag, after, label);
      else if (queue.length > 0) this.#set(flag, queue.shift() as string, label);
      else throw new FlagError(`flag needs an argument: ${quoteRune(letter)} in -${rest}`);
      return;
    }
  }

  #set(flag: FlagDefinition, text: string, _label: string): void {
    try {
      this.#assign(flag, text);
    } catch (error) {
      const label = flag.shorthand ? `-${flag.shorthand}, --${flag.name}` : `--${flag.name}`;
      throw new FlagError(`invalid argument ${quote(text)} for ${quote(label)} flag: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #assign(flag: FlagDefinition, text: string): void {
    const { name } = flag;
    if (flag.type === 'b') this.#values.set(name, parseBool(text));
    else if (flag.type === 'i') this.#values.set(name, parseInteger(text, 9.3e18));
    else if (flag.type === 'n') this.#values.set(name, parseInteger(text, 2 ** 31 - 1));
    else if (flag.type === 'd') this.#values.set(name, parseDuration(text));
    else if (flag.type === 's') this.#values.set(name, text);
    else {
      const items = flag.type === 'a' ? [text] : splitCsv(text);
      const bad = flag.type === 'm' ? items.find((item) => !item.includes('=')) : undefined;
      if (bad !== undefined) throw new Error(`${bad} must be formatted as key=value`);
      const present = this.#values.get(name);
      this.#values.set(name, Array.isArray(present) ? [...present, ...items] : items);
    }
  }

  changed(name: string): boolean {
    return this.#values.has(name);
  }

  set(name: string, value: FlagValue): void {
    this.#values.set(name, value);
  }

  #definition(name: string): FlagDefinition {
    const flag = this.#byName.get(name);
    if (!flag) throw new Error(`flag ${name} is not defined for this command`);
    return flag;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  text(name: string): string {
    const flag = this.#definition(name);
    const value = this.#values.get(name);
    return value === undefined ? flag.defaultText : String(value);
  }

  bool(name: string): boolean {
    const flag = this.#definition(name);
    const value = this.#values.get(name);
    return value === undefined ? flag.defaultText === 'true' : value === true;
  }

  /** Integers; durations in milliseconds. */
  number(name: string): number {
    const flag = this.#definition(name);
    const value = this.#values.get(name);
    if (typeof value === 'number') return value;
    return flag.type === 'd' ? parseDuration(flag.defaultText || '0s') : Number(flag.defaultText || 0);
  }

  list(name: string): string[] {
    const flag = this.#definition(name);
    const value = this.#values.get(name);
    if (Array.isArray(value)) return value;
    return flag.defaultText === '' ? [] : [flag.defaultText];
  }

  /** Names of the flags that were given, in the order of their definition. */
  given(): string[] {
    return [...this.#byName.keys()].filter((name) => this.#values.has(name));
  }
}

function quoteRune(letter: string): string {
  return `'${letter === "'" ? "\\'" : letter === '\\' ? '\\\\' : letter}'`;
}

/** strconv.ParseBool. */
export function parseBool(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${quote(text)}: invalid syntax`);
}

/** strconv.ParseInt with base 0. */
function parseInteger(text: string, most: number): number {
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
  const negative = text.startsWith('-');
  const digits = text.replace(/^[+-]/, '').replace(/^0(?=[0-7])/, '0o');
  const value = Number(digits);
  if (value > most + (negative ? 1 : 0)) throw new Error(`strconv.ParseInt: parsing ${quote(text)}: value out of range`);
  return negative ? -value : value;
}

/** One line of CSV, as pflag's StringSlice reads it. */
export function splitCsv(text: string): string[] {
  if (text === '') return [];
  const out: string[] = [];
  let i = 0;
  for (;;) {
    if (text[i] === '"') {
      let field = '';
      i++;
      for (;;) {
        if (i >= text.length) throw new Error('parse error on line 1, column 1: extraneous or missing " in quoted-field');
        if (text[i] === '"' && text[i + 1] === '"') {
          field += '"';
          i += 2;
        } else if (text[i] === '"') {
          i++;
          break;
        } else field += text[i++];
      }
      out.push(field);
    } else {
      const end = text.indexOf(',', i);
      const field = end < 0 ? text.slice(i) : text.slice(i, end);
      const bare = field.indexOf('"');
      if (bare >= 0) throw new Error(`parse error on line 1, column ${i + bare + 1}: bare " in non-quoted-field`);
      out.push(field);
      i += field.length;
    }
    if (i >= text.length) return out;
    i++;
  }
}
