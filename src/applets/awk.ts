import { formatFloat } from '../shell/print-format.ts';
import { SIGNAL_NUMBERS } from '../unix/index.ts';
import { compileRegex, type PosixRegex } from '../unix/regex.ts';
import { Errno, type OpenFile } from '../unix/types.ts';
import { type Applet, bytesOf, byteText, Failure, fromByteText, getopt, program, toByteText, UsageError } from './applet.ts';
import { AwkParser, type AwkProgram, type Expression, type Statement, unescapeAwk } from './awk-parser.ts';
import { formatTime } from './dates.ts';

/** A string that came from input: compares as a number when it looks like one. */
class Input {
  readonly text: string;
  readonly numeric: boolean;
  constructor(text: string) {
    this.text = text;
    this.numeric = /^[ \t\n]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t\n]*$/.test(text);
  }
}

type Value = number | string | Input | undefined;
type Cell = Value | Map<string, Value>;
/** Most of awk runs without waiting; only input and commands make promises. */
type Maybe<T> = T | Promise<T>;

function then<T, U>(value: Maybe<T>, use: (value: T) => Maybe<U>): Maybe<U> {
  return value instanceof Promise ? value.then(use) : use(value);
}

const number = (value: Value): number => {
  if (typeof value === 'number') return value;
  const text = value instanceof Input ? value.text : (value ?? '');
  const match = /^[ \t\n]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/.exec(text);
  return match ? Number(match[0]) : 0;
};

class Jump {
  readonly kind: 'next' | 'nextfile' | 'break' | 'continue' | 'exit' | 'return';
  readonly value: Value;
  constructor(kind: Jump['kind'], value?: Value) {
    this.kind = kind;
    this.value = value;
  }
}
type Flow = Jump | undefined;

/** Lines of something, read one by one with awk's record separator. */
class RecordReader {
  /** Reads on; is told how much is held already. */
  #next: (heldBytes: number) => Promise<Uint8Array | null>;
  #close: () => void;
  #buffer = '';
  /** What came behind the buffer without a separator in it. */
  #tail: string[] = [];
  #tailBytes = 0;
  #ended = false;
  #started = false;

  constructor(next: (heldBytes: number) => Promise<Uint8Array | null>, close: () => void) {
    this.#next = next;
    this.#close = close;
  }

  async read(separator: string, regex: (source: string) => PosixRegex): Promise<string | undefined> {
    for (;;) {
      if (separator === '') {
        // Paragraphs: blank lines before the first are skipped.
        this.#buffer = this.#started ? this.#buffer : this.#buffer.replace(/^\n+/, '');
        const end = /\n\n+(?=[^\n])/.exec(this.#buffer);
        if (end) return this.#cut(end.index, end[0].length);
        if (this.#ended) {
          const rest = this.#buffer.replace(/\n+$/, '');
          this.#buffer = '';
          return rest === '' ? undefined : rest;
        }
      } else if (separator.length === 1) {
        const at = this.#buffer.indexOf(separator);
        if (at >= 0) return this.#cut(at, 1);
      } else {
        const match = regex(separator).exec(this.#buffer);
        const length = match?.groups[0]?.length ?? 0;
        if (match && length > 0 && (this.#ended || match.index + length < this.#buffer.length)) return this.#cut(match.index, length);
      }
      if (this.#ended) {
        if (this.#buffer === '') return undefined;
        const rest = this.#buffer;
        this.#buffer = '';
        return rest;
      }
      await this.#fill(separator);
    }
  }

  async #fill(separator: string): Promise<void> {
    for (;;) {
      const chunk = await this.#next(this.#buffer.length + this.#tailBytes);
      const text = chunk ? byteText(chunk) : '';
      this.#tail.push(text);
      this.#tailBytes += text.length;
      if (!chunk) this.#ended = true;
      else if (separator.length === 1 && !text.includes(separator)) continue;
      this.#buffer += this.#tail.join('');
      this.#tail = [];
      this.#tailBytes = 0;
      return;
    }
  }

  #cut(at: number, length: number): string {
    const record = this.#buffer.slice(0, at);
    this.#buffer = this.#buffer.slice(at + length);
    this.#started = true;
    return record;
  }

  close(): void {
    this.#close();
  }
}

/** What an element of an array takes besides its text. */
const ELEMENT_BYTES = 64;
const BIG_BYTES = 1 << 20;
const MAX_FIELDS = 1_000_000;

function sizeOf(value: Value): number {
  return typeof value === 'string' ? value.length : value instanceof Input ? value.text.length : 0;
}

interface Output {
  write(text: string): Maybe<void>;
  close(): Promise<number>;
}

class Awk {
  #applet: Applet;
  #program: AwkProgram;
  #globals = new Map<string, Cell>();
  #frames: Map<string, Cell>[] = [];
  #record = '';
  #fields: Value[] = [];
  #split = true;
  #operandAt = 0;
  #main: RecordReader | undefined;
  #readers = new Map<string, { reader: RecordReader; exit?: () => Promise<number> }>();
  #outputs = new Map<string, Output>();
  #regexes = new Map<string, PosixRegex>();
  #seed = 1;
  #state = 1;
  #steps = 0;
  #heldBytes = 0;

  constructor(applet: Applet, program: AwkProgram, operands: string[]) {
    this.#applet = applet;
    this.#program = program;
    const defaults: [string, Value][] = [
      ['FS', ' '],
      ['OFS', ' '],
      ['ORS', '\n'],
      ['RS', '\n'],
      ['NR', 0],
      ['FNR', 0],
      ['SUBSEP', '\x1c'],
      ['CONVFMT', '%.6g'],
      ['OFMT', '%.6g'],
      ['FILENAME', ''],
      ['RSTART', 0],
      ['RLENGTH', -1],
      ['ARGC', operands.length + 1],
    ];
    for (const [name, value] of defaults) this.#globals.set(name, value);
    this.#globals.set('NF', 0);
    this.#globals.set('ARGV', new Map<string, Value>([['0', 'awk'], ...operands.map((word, i): [string, Value] => [String(i + 1), new Input(word)])]));
    this.#globals.set('ENVIRON', new Map([...applet.process.env].map(([name, value]): [string, Value] => [toByteText(name), new Input(toByteText(value))])));
  }

  setVariable(assignment: string): void {
    const at = assignment.indexOf('=');
    this.#setVariable(assignment.slice(0, at), new Input(unescapeAwk(assignment.slice(at + 1))));
  }

  // ---- running ----

  async run(): Promise<number> {
    let code = 0;
    let flow: Flow;
    const finish = (jump: Jump): void => {
      if (jump.value !== undefined) code = number(jump.value) & 255;
    };
    for (const statement of this.#program.begin) {
      flow = await this.#execute(statement);
      if (flow?.kind === 'exit') break;
    }
    if (flow?.kind === 'exit') finish(flow);
    else if (this.#program.rules.length > 0 || this.#program.end.length > 0) {
      for (;;) {
        if (!(await this.#nextMainRecord())) break;
        flow = await this.#runRules();
        if (flow?.kind === 'exit') {
          finish(flow);
          break;
        }
      }
    }
    if (this.#program.begin.length === 0 || flow?.kind !== 'exit' || this.#program.rules.length > 0) {
      for (const statement of this.#program.end) {
        const end = await this.#execute(statement);
        if (end?.kind === 'exit') {
          finish(end);
          break;
        }
      }
    }
    await this.#applet.flush();
    for (const output of this.#outputs.values()) await output.close();
    for (const { reader } of this.#readers.values()) reader.close();
    return code;
  }

  #runRules(): Maybe<Flow> {
    const { rules } = this.#program;
    const from = (index: number): Maybe<Flow> => {
      for (let i = index; i < rules.length; i++) {
        const rule = rules[i] as AwkProgram['rules'][number];
        const selected = this.#selects(rule);
        const act = (yes: boolean): Maybe<Flow> => {
          if (!yes) return undefined;
          if (!rule.body) return then(this.#applet.put(this.#record + this.#text(this.#get('ORS'))), () => undefined);
          return this.#execute(rule.body);
        };
        const result = then(selected, act);
        if (result instanceof Promise) return result.then((flow) => (flow ? this.#ruleFlow(flow) : from(i + 1)));
        if (result) return this.#ruleFlow(result);
      }
      return undefined;
    };
    return from(0);
  }

  #ruleFlow(flow: Jump): Flow {
    if (flow.kind === 'nextfile') {
      this.#main?.close();
      this.#main = undefined;
      return undefined;
    }
    return flow.kind === 'exit' ? flow : undefined;
  }

  #selects(rule: AwkProgram['rules'][number]): Maybe<boolean> {
    if (!rule.pattern) return true;
    const { pattern, until } = rule;
    if (!until) return this.#truth(pattern);
    const ends = (): Maybe<boolean> =>
      then(this.#truth(until), (end) => {
        rule.inRange = !end;
        return true;
      });
    if (rule.inRange) return ends();
    return then(this.#truth(pattern), (begins) => (begins ? ends() : false));
  }

  #execute(statement: Statement): Maybe<Flow> {
    if (++this.#steps % 500 === 0) return this.#applet.process.cpu(0.3).then(() => this.#perform(statement));
    return this.#perform(statement);
  }

  #perform(statement: Statement): Maybe<Flow> {
    switch (statement.kind) {
      case 'expression':
        return then(this.#evaluate(statement.value), () => undefined);
      case 'print':
        return then(this.#all(statement.args), (values) => this.#print(statement, values));
      case 'block': {
        const { body } = statement;
        const from = (index: number): Maybe<Flow> => {
          for (let i = index; i < body.length; i++) {
            const flow = this.#execute(body[i] as Statement);
            if (flow instanceof Promise) return flow.then((one) => one ?? from(i + 1));
            if (flow) return flow;
          }
          return undefined;
        };
        return from(0);
      }
      case 'if':
        return then(this.#truth(statement.test), (yes) => (yes ? this.#execute(statement.yes) : statement.no ? this.#execute(statement.no) : undefined));
      case 'while':
        return this.#loop(() => this.#truth(statement.test), statement.body);
      case 'do':
        return then(this.#execute(statement.body), (flow) => {
          if (flow?.kind === 'break') return undefined;
          if (flow && flow.kind !== 'continue') return flow;
          return this.#loop(() => this.#truth(statement.test), statement.body);
        });
      case 'for':
        return then(statement.start ? this.#execute(statement.start) : undefined, () =>
          this.#loop(() => (statement.test ? this.#truth(statement.test) : true), statement.body, statement.step),
        );
      case 'for-in': {
        const keys = [...this.#array(statement.name).keys()];
        let i = 0;
        return this.#loop(() => {
          if (i >= keys.length) return false;
          this.#setVariable(statement.variable, new Input(keys[i++] as string));
          return true;
        }, statement.body);
      }
      case 'delete':
        if (!statement.keys) {
          this.#array(statement.name).clear();
          return undefined;
        }
        return then(this.#key(statement.keys), (key) => {
          this.#array(statement.name).delete(key);
          return undefined;
        });
      case 'exit':
      case 'return':
        if (!statement.value) return new Jump(statement.kind);
        return then(this.#evaluate(statement.value), (value) => new Jump(statement.kind, value ?? ''));
      default:
        return new Jump(statement.kind);
    }
  }

  #loop(test: () => Maybe<boolean>, body: Statement, step?: Statement): Maybe<Flow> {
    for (;;) {
      const go = test();
      if (go instanceof Promise) return go.then((yes) => (yes ? this.#round(test, body, step) : undefined));
      if (!go) return undefined;
      const flow = this.#execute(body);
      if (flow instanceof Promise) return flow.then((one) => this.#afterBody(one, test, body, step));
      if (flow?.kind === 'break') return undefined;
      if (flow && flow.kind !== 'continue') return flow;
      const stepped = step ? this.#execute(step) : undefined;
      if (stepped instanceof Promise) return stepped.then(() => this.#loop(test, body, step));
    }
  }

  #round(test: () => Maybe<boolean>, body: Statement, step?: Statement): Maybe<Flow> {
    return then(this.#execute(body), (flow) => this.#afterBody(flow, test, body, step));
  }

  #afterBody(flow: Flow, test: () => Maybe<boolean>, body: Statement, step?: Statement): Maybe<Flow> {
    if (flow?.kind === 'break') return undefined;
    if (flow && flow.kind !== 'continue') return flow;
    return then(step ? this.#execute(step) : undefined, () => this.#loop(test, body, step));
  }

  #print(statement: Statement & { kind: 'print' }, values: Value[]): Maybe<Flow> {
    const text = statement.formatted
      ? this.#format(this.#text(values[0]), values.slice(1))
      : (values.length === 0 ? this.#record : values.map((value) => this.#outputText(value)).join(this.#text(this.#get('OFS')))) + this.#text(this.#get('ORS'));
    if (!statement.redirect) return then(this.#applet.put(text), () => undefined);
    return then(this.#evaluate(statement.target as Expression), (target) =>
      then(this.#output(statement.redirect as string, this.#text(target)), (output) => then(output.write(text), () => undefined)),
    );
  }

  async #output(redirect: string, target: string): Promise<Output> {
    const known = this.#outputs.get(target);
    if (known) return known;
    let output: Output;
    const { process } = this.#applet;
    if (redirect === '|') {
      const [reader, writer] = process.pipe();
      await this.#applet.flush();
      const child = process.spawn(['sh', '-c', fromByteText(target)], { fds: new Map([[0, reader]]) });
      reader.close();
      output = {
        write: (text) => writer.write(bytesOf(text)),
        close: async () => {
          await this.#applet.flush();
          writer.close();
          const status = await process.guard(child.exited);
          return status.signal ? 256 + SIGNAL_NUMBERS[status.signal] : status.code;
        },
      };
    } else if (target === '/dev/stdout' || target === '-') {
      return { write: (text) => this.#applet.put(text), close: async () => 0 };
    } else if (target === '/dev/stderr') {
      return { write: (text) => this.#applet.err(text), close: async () => 0 };
    } else {
      let file: OpenFile;
      try {
        file = process.open(this.#applet.path(target), redirect === '>>' ? 'a' : 'w');
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        throw new Failure(`can't open '${target}': ${error.message}`);
      }
      output = {
        write: (text) => file.write(bytesOf(text)),
        close: async () => {
          file.close();
          return 0;
        },
      };
    }
    this.#outputs.set(target, output);
    return output;
  }

  // ---- input ----

  async #nextMainRecord(): Promise<boolean> {
    const record = await this.#readMain();
    if (record === undefined) return false;
    this.#setRecord(record);
    return true;
  }

  async #readMain(): Promise<string | undefined> {
    for (;;) {
      if (!this.#main && !(await this.#openNext())) return undefined;
      const record = await this.#main?.read(this.#text(this.#get('RS')), (source) => this.#regex(source));
      if (record !== undefined) {
        this.#globals.set('NR', number(this.#get('NR')) + 1);
        this.#globals.set('FNR', number(this.#get('FNR')) + 1);
        return record;
      }
      this.#main?.close();
      this.#main = undefined;
    }
  }

  /** Opens the next operand; assignments among them are carried out. Standard input when there was none. */
  async #openNext(): Promise<boolean> {
    const argv = this.#array('ARGV');
    for (;;) {
      const index = ++this.#operandAt;
      if (index >= number(this.#get('ARGC'))) {
        if (this.#usedOperand) return false;
        this.#usedOperand = true;
        this.#open(this.#applet.process.stdin, '');
        return true;
      }
      const operand = this.#text(argv.get(String(index)));
      if (operand === '') continue;
      if (/^[A-Za-z_]\w*=/.test(operand)) {
        this.setVariable(operand);
        continue;
      }
      this.#usedOperand = true;
      try {
        this.#open(this.#applet.open(operand), operand);
        return true;
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        throw new Failure(`${operand}: ${error.message}`);
      }
    }
  }
  #usedOperand = false;

  #open(file: OpenFile, name: string): void {
    this.#globals.set('FNR', 0);
    this.#globals.set('FILENAME', name);
    this.#main = this.#readerOf(file);
  }

  #readerOf(file: OpenFile): RecordReader {
    return new RecordReader(
      async (heldBytes) => {
        if (file.kind !== 'file') await this.#applet.flush();
        await this.#applet.process.cpu(0.02);
        if (heldBytes > BIG_BYTES) this.#applet.process.useMemory(this.#heldBytes + heldBytes);
        try {
          return await file.read();
        } catch (error) {
          if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
          throw new Failure(`cmd. line:1: ${error.message}`);
        }
      },
      () => {
        if (file !== this.#applet.process.stdin) file.close();
      },
    );
  }

  async #getline(expression: Expression & { kind: 'getline' }): Promise<number> {
    let record: string | undefined;
    if (expression.command || expression.file) {
      const name = this.#text(await this.#evaluate((expression.command ?? expression.file) as Expression));
      let source = this.#readers.get(name);
      if (!source) {
        try {
          source = expression.command ? await this.#startReading(name) : { reader: this.#readerOf(this.#applet.open(name)) };
        } catch (error) {
          if (!(error instanceof Errno)) throw error;
          return -1;
        }
        this.#readers.set(name, source);
      }
      record = await source.reader.read(this.#text(this.#get('RS')), (one) => this.#regex(one));
      if (record !== undefined && expression.command) this.#globals.set('NR', number(this.#get('NR')) + 1);
    } else record = await this.#readMain();
    if (record === undefined) return 0;
    if (expression.target) await this.#assign(expression.target, new Input(record));
    else this.#setRecord(record);
    return 1;
  }

  async #startReading(command: string): Promise<{ reader: RecordReader; exit: () => Promise<number> }> {
    const { process } = this.#applet;
    await this.#applet.flush();
    const [reader, writer] = process.pipe();
    const child = process.spawn(['sh', '-c', fromByteText(command)], { fds: new Map([[1, writer]]) });
    writer.close();
    return {
      reader: this.#readerOf(reader),
      exit: async () => (await process.guard(child.exited)).code,
    };
  }

  // ---- values ----

  #text(value: Value): string {
    if (typeof value === 'string') return value;
    if (value === undefined) return '';
    if (value instanceof Input) return value.text;
    return numberText(value, () => this.#text(this.#get('CONVFMT')));
  }

  #outputText(value: Value): string {
    return typeof value === 'number' ? numberText(value, () => this.#text(this.#get('OFMT'))) : this.#text(value);
  }

  #isTrue(value: Value): boolean {
    if (typeof value === 'number') return value !== 0;
    if (value instanceof Input) return value.numeric ? number(value) !== 0 : value.text !== '';
    return value !== undefined && value !== '';
  }

  #truth(expression: Expression): Maybe<boolean> {
    return then(this.#evaluate(expression), (value) => this.#isTrue(value));
  }

  #regex(source: string): PosixRegex {
    let regex = this.#regexes.get(source);
    if (!regex) {
      regex = compileRegex(source, { extended: true, process: this.#applet.process });
      this.#regexes.set(source, regex);
    }
    return regex;
  }

  /** A pattern operand: a literal, or a value taken as one. */
  #pattern(expression: Expression): Maybe<PosixRegex> {
    if (expression.kind === 'regex') return this.#regex(expression.source);
    return then(this.#evaluate(expression), (value) => this.#regex(this.#text(value)));
  }

  #setRecord(text: string): void {
    this.#record = text;
    this.#split = false;
  }

  #splitRecord(): void {
    if (this.#split) return;
    this.#split = true;
    this.#fields = this.#splitText(this.#record, this.#text(this.#get('FS'))).map((field) => new Input(field));
    this.#globals.set('NF', this.#fields.length);
  }

  #splitText(text: string, separator: string): string[] {
    const paragraph = this.#text(this.#get('RS')) === '';
    if (separator === ' ') {
      const trimmed = text.replace(/^[ \t\n]+|[ \t\n]+$/g, '');
      return trimmed === '' ? [] : trimmed.split(/[ \t\n]+/);
    }
    if (text === '') return [];
    if (separator === '') return [...text];
    if (separator.length === 1 && separator !== '\\' && !paragraph) return text.split(separator);
    const source = separator.length === 1 ? separator.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : separator;
    const regex = this.#regex(paragraph ? `${source}|\n` : source);
    const parts: string[] = [];
    let from = 0;
    for (let at = 0; at <= text.length; ) {
      const match = regex.exec(text, at);
      const length = match?.groups[0]?.length ?? 0;
      if (!match) break;
      if (length === 0) {
        at = match.index + 1;
        continue;
      }
      parts.push(text.slice(from, match.index));
      from = match.index + length;
      at = from;
    }
    parts.push(text.slice(from));
    return parts;
  }

  #joinRecord(): void {
    this.#record = this.#fields.map((field) => this.#text(field)).join(this.#text(this.#get('OFS')));
  }

  #frame(): Map<string, Cell> | undefined {
    return this.#frames.at(-1);
  }

  #scope(name: string): Map<string, Cell> {
    const frame = this.#frame();
    return frame?.has(name) ? frame : this.#globals;
  }

  #get(name: string): Value {
    if (name === 'NF') this.#splitRecord();
    const cell = this.#scope(name).get(name);
    return cell instanceof Map ? undefined : cell;
  }

  #array(name: string): Map<string, Value> {
    const scope = this.#scope(name);
    const cell = scope.get(name);
    if (cell instanceof Map) return cell;
    const array = new Map<string, Value>();
    scope.set(name, array);
    return array;
  }

  /** Accounts for what variables hold, so that a program that never stops keeping things is stopped. */
  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    if (bytes > 0) this.#applet.process.useMemory(this.#heldBytes);
  }

  #setVariable(name: string, value: Value): void {
    const scope = this.#scope(name);
    if (scope === this.#globals) {
      const old = scope.get(name);
      this.#hold(sizeOf(value) - (old instanceof Map ? 0 : sizeOf(old)));
    } else if (sizeOf(value) > BIG_BYTES) this.#applet.process.useMemory(this.#heldBytes + sizeOf(value));
    scope.set(name, value);
    if (name !== 'NF' || this.#frame()?.has('NF')) return;
    this.#splitBefore(value);
  }

  #splitBefore(value: Value): void {
    const count = Math.max(0, Math.floor(number(value)));
    if (!this.#split) {
      this.#splitRecord();
      this.#globals.set('NF', count);
    }
    if (count > MAX_FIELDS) throw new Failure('out of memory');
    while (this.#fields.length < count) this.#fields.push('');
    this.#fields.length = count;
    this.#joinRecord();
  }

  #setField(index: number, value: Value): void {
    if (index < 0) throw new Failure('Access to negative field');
    if (index > MAX_FIELDS) throw new Failure('out of memory');
    if (index === 0) {
      this.#setRecord(this.#text(value));
      return;
    }
    this.#splitRecord();
    while (this.#fields.length < index) this.#fields.push('');
    this.#fields[index - 1] = value;
    this.#globals.set('NF', this.#fields.length);
    this.#joinRecord();
  }

  #assign(target: Expression, value: Value): Maybe<Value> {
    switch (target.kind) {
      case 'variable':
        this.#setVariable(target.name, value);
        return value;
      case 'index':
        return then(this.#key(target.keys), (key) => {
          const array = this.#array(target.name);
          this.#hold(sizeOf(value) + (array.has(key) ? -sizeOf(array.get(key)) : ELEMENT_BYTES + key.length));
          array.set(key, value);
          return value;
        });
      case 'field':
        return then(this.#evaluate(target.index), (index) => {
          this.#setField(Math.floor(number(index)), value);
          return value;
        });
      default:
        throw new Failure('Unexpected token');
    }
  }

  #key(keys: readonly Expression[]): Maybe<string> {
    if (keys.length === 1) return then(this.#evaluate(keys[0] as Expression), (value) => this.#text(value));
    return then(this.#all(keys), (values) => values.map((value) => this.#text(value)).join(this.#text(this.#get('SUBSEP'))));
  }

  #all(expressions: readonly Expression[]): Maybe<Value[]> {
    const values: Value[] = [];
    const from = (index: number): Maybe<Value[]> => {
      for (let i = index; i < expressions.length; i++) {
        const value = this.#evaluate(expressions[i] as Expression);
        if (value instanceof Promise) {
          return value.then((one) => {
            values[i] = one;
            return from(i + 1);
          });
        }
        values[i] = value;
      }
      return values;
    };
    return from(0);
  }

  #evaluate(expression: Expression): Maybe<Value> {
    switch (expression.kind) {
      case 'number':
      case 'string':
        return expression.value;
      case 'regex':
        return this.#regex(expression.source).test(this.#record) ? 1 : 0;
      case 'variable':
        return this.#get(expression.name);
      case 'index':
        return then(this.#key(expression.keys), (key) => {
          const array = this.#array(expression.name);
          if (!array.has(key)) array.set(key, undefined);
          return array.get(key);
        });
      case 'field':
        return then(this.#evaluate(expression.index), (value) => {
          const index = Math.floor(number(value));
          if (index < 0) throw new Failure('Access to negative field');
          if (index > MAX_FIELDS) throw new Failure('out of memory');
          if (index === 0) return new Input(this.#record);
          this.#splitRecord();
          return this.#fields[index - 1];
        });
      case 'assign':
        return then(this.#evaluate(expression.value), (value) => {
          if (expression.operator === '') return this.#assign(expression.target, value);
          return then(this.#evaluate(expression.target), (old) => this.#assign(expression.target, arithmetic(expression.operator, number(old), number(value))));
        });
      case 'step':
        return then(this.#evaluate(expression.target), (old) =>
          then(this.#assign(expression.target, number(old) + expression.by), (value) => (expression.prefix ? value : number(old))),
        );
      case 'unary':
        return then(this.#evaluate(expression.operand), (value) =>
          expression.operator === '!' ? (this.#isTrue(value) ? 0 : 1) : expression.operator === '-' ? -number(value) : number(value),
        );
      case 'binary':
        return then(this.#evaluate(expression.left), (left) =>
          then(this.#evaluate(expression.right), (right) => this.#binary(expression.operator, left, right)),
        );
      case 'and':
        return then(this.#truth(expression.left), (left) => (left ? then(this.#truth(expression.right), Number) : 0));
      case 'or':
        return then(this.#truth(expression.left), (left) => (left ? 1 : then(this.#truth(expression.right), Number)));
      case 'match':
        return then(this.#evaluate(expression.text), (value) =>
          then(this.#pattern(expression.pattern), (regex) => (regex.test(this.#text(value)) !== expression.negated ? 1 : 0)),
        );
      case 'in':
        return then(this.#key(expression.keys), (key) => (this.#array(expression.name).has(key) ? 1 : 0));
      case 'condition':
        return then(this.#truth(expression.test), (yes) => this.#evaluate(yes ? expression.yes : expression.no));
      case 'group':
        return then(this.#all(expression.items), (values) =>
          values.length === 1 ? values[0] : values.map((value) => this.#text(value)).join(this.#text(this.#get('SUBSEP'))),
        );
      case 'getline':
        return this.#getline(expression);
      case 'call':
        return expression.builtin ? this.#builtin(expression.name, expression.args) : this.#call(expression.name, expression.args);
    }
  }

  #binary(operator: string, left: Value, right: Value): Value {
    if (operator === ' ') return this.#text(left) + this.#text(right);
    if (!['<', '<=', '==', '!=', '>=', '>'].includes(operator)) return arithmetic(operator, number(left), number(right));
    const numeric = (value: Value): boolean => typeof value === 'number' || value === undefined || (value instanceof Input && value.numeric);
    const [a, b] = numeric(left) && numeric(right) ? [number(left), number(right)] : [this.#text(left), this.#text(right)];
    const holds = { '<': a < b, '<=': a <= b, '==': a === b, '!=': a !== b, '>=': a >= b, '>': a > b }[operator];
    return holds ? 1 : 0;
  }

  #call(name: string, args: readonly Expression[]): Maybe<Value> {
    const definition = this.#program.functions.get(name);
    if (!definition) throw new Failure(`cmd. line:1: Call to undefined function`);
    if (this.#frames.length > 1000) throw new Failure('out of memory');
    const frame = new Map<string, Cell>();
    // A bare name may be an array, or become one inside the function.
    const untyped: { parameter: string; name: string; scope: Map<string, Cell> }[] = [];
    const bind = (index: number): Maybe<Value> => {
      for (let i = index; i < definition.parameters.length; i++) {
        const parameter = definition.parameters[i] as string;
        const argument = args[i];
        if (!argument) {
          frame.set(parameter, undefined);
          continue;
        }
        if (argument.kind === 'variable') {
          const scope = this.#scope(argument.name);
          const cell = argument.name === 'NF' ? this.#get('NF') : scope.get(argument.name);
          frame.set(parameter, cell);
          if (cell === undefined) untyped.push({ parameter, name: argument.name, scope });
          continue;
        }
        const value = this.#evaluate(argument);
        if (value instanceof Promise) {
          return value.then((one) => {
            frame.set(parameter, one);
            return bind(i + 1);
          });
        }
        frame.set(parameter, value);
      }
      this.#frames.push(frame);
      const leave = (flow: Flow): Value => {
        this.#frames.pop();
        for (const one of untyped) {
          const cell = frame.get(one.parameter);
          if (cell instanceof Map && one.scope.get(one.name) === undefined) one.scope.set(one.name, cell);
        }
        if (flow?.kind === 'exit') throw flow;
        return flow?.kind === 'return' ? flow.value : undefined;
      };
      return then(this.#execute(definition.body), leave);
    };
    return bind(0);
  }

  #builtin(name: string, args: readonly Expression[]): Maybe<Value> {
    const [first, second, third] = args;
    if (name === 'length') {
      if (!first) return this.#record.length;
      if (first.kind === 'variable' && this.#scope(first.name).get(first.name) instanceof Map) return this.#array(first.name).size;
    }
    if (name === 'split' && first && second && 'name' in second) {
      return then(this.#evaluate(first), (value) => {
        const done = (separator: string): number => {
          const array = this.#array(second.name);
          const parts = this.#splitText(this.#text(value), separator);
          array.clear();
          for (const [i, part] of parts.entries()) array.set(String(i + 1), new Input(part));
          return parts.length;
        };
        if (!third) return done(this.#text(this.#get('FS')));
        return third.kind === 'regex'
          ? done(third.source.length === 1 ? `[${third.source}]` : third.source)
          : then(this.#evaluate(third), (separator) => done(this.#text(separator)));
      });
    }
    if ((name === 'sub' || name === 'gsub') && first && second)
      return this.#substitute(name === 'gsub', first, second, third ?? { kind: 'field', index: { kind: 'number', value: 0 } });
    if (name === 'match' && first && second) {
      return then(this.#evaluate(first), (value) =>
        then(this.#pattern(second), (regex) => {
          const match = regex.exec(this.#text(value));
          this.#globals.set('RSTART', match ? match.index + 1 : 0);
          this.#globals.set('RLENGTH', match ? (match.groups[0] as string).length : -1);
          return match ? match.index + 1 : 0;
        }),
      );
    }
    return then(this.#all(args), (values) => this.#function(name, values));
  }

  #function(name: string, values: readonly Value[]): Maybe<Value> {
    const [a, b, c] = values;
    const text = (value: Value): string => this.#text(value);
    switch (name) {
      case 'length':
        return text(a).length;
      case 'substr': {
        // A start before the string does not shorten the piece, unlike in other awks.
        const start = Math.max(0, Math.trunc(number(b)) - 1);
        return text(a).slice(start, values.length > 2 ? start + Math.max(0, Math.trunc(number(c))) : undefined);
      }
      case 'index':
        return text(a).indexOf(text(b)) + 1;
      case 'sprintf':
        return this.#format(text(a), values.slice(1));
      case 'tolower':
        return text(a).replace(/[A-Z]/g, (char) => char.toLowerCase());
      case 'toupper':
        return text(a).replace(/[a-z]/g, (char) => char.toUpperCase());
      case 'int':
        return Math.trunc(number(a));
      case 'sin':
        return Math.sin(number(a));
      case 'cos':
        return Math.cos(number(a));
      case 'atan2':
        return Math.atan2(number(a), number(b));
      case 'exp':
        return Math.exp(number(a));
      case 'log':
        return Math.log(number(a));
      case 'sqrt':
        return Math.sqrt(number(a));
      case 'rand':
        // xorshift, so that srand(n) repeats itself.
        this.#state ^= this.#state << 13;
        this.#state ^= this.#state >>> 17;
        this.#state ^= this.#state << 5;
        return (this.#state >>> 0) / 0x1_0000_0000;
      case 'srand': {
        const old = this.#seed;
        this.#seed = values.length > 0 ? number(a) : Math.floor(this.#applet.process.kernel.now() / 1000);
        this.#state = (this.#seed * 2654435761 + 1) | 1;
        return old;
      }
      case 'systime':
        return Math.floor(this.#applet.process.kernel.now() / 1000);
      case 'strftime':
        return formatTime(
          values.length > 0 ? text(a) : '%a %b %e %H:%M:%S %Z %Y',
          (values.length > 1 ? number(b) : Math.floor(this.#applet.process.kernel.now() / 1000)) * 1000,
        );
      case 'mktime': {
        const parts = text(a).split(' ').map(Number);
        return Date.UTC(parts[0] ?? 0, (parts[1] ?? 1) - 1, parts[2], parts[3], parts[4], parts[5]) / 1000;
      }
      case 'and':
        return (number(a) & number(b)) >>> 0;
      case 'or':
        return (number(a) | number(b)) >>> 0;
      case 'xor':
        return (number(a) ^ number(b)) >>> 0;
      case 'compl':
        return ~number(a) >>> 0;
      case 'lshift':
        return (number(a) << number(b)) >>> 0;
      case 'rshift':
        return number(a) >>> number(b);
      case 'system':
        return this.#system(text(a));
      case 'close':
        return this.#close(text(a));
      case 'fflush':
        return this.#applet.flush().then(() => 0);
      default:
        return undefined;
    }
  }

  async #system(command: string): Promise<number> {
    await this.#applet.flush();
    const { process } = this.#applet;
    const status = await process.guard(process.spawn(['sh', '-c', fromByteText(command)]).exited);
    return status.signal ? 256 + SIGNAL_NUMBERS[status.signal] : status.code;
  }

  async #close(name: string): Promise<number> {
    const output = this.#outputs.get(name);
    const input = this.#readers.get(name);
    this.#outputs.delete(name);
    this.#readers.delete(name);
    if (output) return output.close();
    if (!input) return -1;
    input.reader.close();
    return (await input.exit?.()) ?? 0;
  }

  #substitute(global: boolean, pattern: Expression, replacement: Expression, target: Expression): Maybe<Value> {
    return then(this.#pattern(pattern), (regex) =>
      then(this.#evaluate(replacement), (raw) =>
        then(this.#evaluate(target), (value) => {
          const text = this.#text(value);
          const template = this.#text(raw);
          let out = '';
          let copied = 0;
          let count = 0;
          let last = -1;
          for (let at = 0; at <= text.length; ) {
            const match = regex.exec(text, at);
            if (!match) break;
            const whole = match.groups[0] as string;
            if (whole === '' && match.index === last) {
              at = match.index + 1;
              continue;
            }
            out += text.slice(copied, match.index) + template.replace(/\\\\|\\&|&/g, (part) => (part === '&' ? whole : part.slice(1)));
            copied = match.index + whole.length;
            last = copied;
            count++;
            if (!global) break;
            at = whole === '' ? copied + 1 : copied;
          }
          if (count === 0) return 0;
          return then(this.#assign(target, out + text.slice(copied)), () => count);
        }),
      ),
    );
  }

  #format(format: string, values: readonly Value[]): string {
    let next = 0;
    return format.replace(
      /%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d*))?(?:[hlL]*)([a-zA-Z%])/g,
      (_, flags: string, width: string | undefined, precision: string | undefined, letter: string) => {
        if (letter === '%') return '%';
        const size = width === '*' ? number(values[next++]) : Number(width ?? 0);
        const digits = precision === undefined ? undefined : precision === '*' ? number(values[next++]) : Number(precision || 0);
        const value = values[next++];
        let text: string;
        let numeric = true;
        const signed = (negative: boolean, body: string): string => (negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + body;
        switch (letter) {
          case 'd':
          case 'i': {
            const whole = Math.trunc(number(value));
            text = signed(whole < 0, wholeText(Math.abs(whole)).padStart(digits ?? 1, '0'));
            break;
          }
          case 'o':
          case 'x':
          case 'X':
          case 'u': {
            const whole = BigInt.asUintN(64, BigInt(Number.isFinite(number(value)) ? Math.trunc(number(value)) : 0));
            text = whole.toString(letter === 'o' ? 8 : letter === 'u' ? 10 : 16).padStart(digits ?? 1, '0');
            if (flags.includes('#') && whole !== 0n) text = (letter === 'o' ? '0' : letter === 'u' ? '' : '0x') + text;
            if (letter === 'X') text = text.toUpperCase();
            break;
          }
          case 'e':
          case 'E':
          case 'f':
          case 'F':
          case 'g':
          case 'G': {
            const amount = number(value);
            text = signed(amount < 0 || Object.is(amount, -0), formatFloat(Math.abs(amount), letter.toLowerCase(), digits ?? 6, flags.includes('#')));
            if (letter === 'E' || letter === 'G') text = text.toUpperCase();
            break;
          }
          case 'c':
            numeric = false;
            text =
              typeof value === 'number' || (value instanceof Input && value.numeric) ? String.fromCharCode(number(value) & 255) : this.#text(value).slice(0, 1);
            break;
          case 's':
            numeric = false;
            text = this.#text(value).slice(0, digits);
            break;
          default:
            throw new Failure(`%${letter}: invalid format`);
        }
        const columns = Math.abs(size);
        if (flags.includes('-') || size < 0) return text.padEnd(columns);
        if (numeric && flags.includes('0') && !(digits !== undefined && /[dioxXu]/.test(letter))) {
          const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
          return sign + text.slice(sign.length).padStart(columns - sign.length, '0');
        }
        return text.padStart(columns);
      },
    );
  }
}

/** A whole number in plain digits, however large. */
function wholeText(value: number): string {
  return Number.isFinite(value) ? (value < 1e21 ? String(value) : BigInt(value).toString()) : String(value).toLowerCase();
}

function numberText(value: number, convert: () => string): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return Object.is(value, -0) ? '-0' : (value < 0 ? '-' : '') + wholeText(Math.abs(value));
  const precision = Number(/^%\.(\d+)g$/.exec(convert())?.[1] ?? 6);
  return (value < 0 ? '-' : '') + formatFloat(Math.abs(value), /f$/.test(convert()) ? 'f' : 'g', precision);
}

function arithmetic(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      if (b === 0) throw new Failure('cmd. line:1: Division by zero');
      return a / b;
    case '%':
      if (b === 0) throw new Failure('cmd. line:1: Division by zero');
      return a % b;
    default:
      return a ** b;
  }
}

async function awk(applet: Applet): Promise<number> {
  const options = getopt(applet.args, '+F:v:f:e:W:');
  const rest = [...options.rest];
  const sources: string[] = [];
  for (const { letter, value } of options.order) {
    if (letter === 'e') sources.push(value as string);
    if (letter !== 'f') continue;
    try {
      sources.push(await applet.readText(applet.open(value as string)));
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new Failure(`can't open '${value}': ${error.message}`);
    }
  }
  if (sources.length === 0) {
    const source = rest.shift();
    if (source === undefined) throw new UsageError();
    sources.push(source);
  }
  const run = new Awk(applet, new AwkParser(sources.join('\n')).parse(), rest);
  for (const assignment of options.all('v')) {
    if (!/^[A-Za-z_]\w*=/.test(assignment)) throw new UsageError();
    run.setVariable(assignment);
  }
  const separator = options.get('F');
  if (separator !== undefined) run.setVariable(`FS=${separator === 't' ? '\\t' : separator}`);
  try {
    return await run.run();
  } catch (error) {
    if (error instanceof Jump) return number(error.value) & 255;
    throw error;
  }
}

export const awkApplets = { awk: program('[-F SEP] [-v VAR=VAL]... [-f FILE | CMDS] [FILE]...', awk) };
