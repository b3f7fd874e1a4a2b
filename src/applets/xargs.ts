import { SIGNAL_NUMBERS } from '../unix/index.ts';
import { Errno, type ExitStatus, type OpenFile } from '../unix/types.ts';
import { type Applet, Failure, fromByteText, getopt, program } from './applet.ts';

async function xargs(applet: Applet): Promise<number> {
  const options = getopt(applet.args, '+0rtopn:s:I:E:e::L:P:ia:x', { 'no-run-if-empty': 'r', null: '0' });
  const command = options.rest.length > 0 ? options.rest : ['echo'];
  const replace = options.get('I') ?? (options.has('i') ? '{}' : undefined);
  const eof = options.get('E');
  const mostItems = replace !== undefined ? 1 : Number(options.get('n') ?? options.get('L') ?? Number.POSITIVE_INFINITY);
  const commandLength = command.reduce((total, word) => total + word.length + 1, 0);
  const mostBytes = Number(options.get('s') ?? XARGS_BYTES);
  let result = 0;
  /** Runs the command; a number ends xargs. */
  const run = async (batch: readonly string[]): Promise<number | undefined> => {
    const words = replace !== undefined ? command.map((word) => word.split(replace).join(batch[0] ?? '')) : [...command, ...batch];
    if (options.has('t')) await applet.err(`${words.join(' ')}\n`);
    let status: ExitStatus;
    try {
      const [nothing] = applet.process.pipe();
      const child = applet.process.spawn(words.map(fromByteText), { fds: new Map([[0, nothing]]) });
      status = await applet.process.guard(child.exited);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`${words[0]}: ${error.message}`);
      return error.code === 'ENOENT' ? 127 : 126;
    }
    if (status.signal) {
      await applet.complain(`${words[0]}: terminated by signal ${SIGNAL_NUMBERS[status.signal]}`);
      return 125;
    }
    if (status.code === 255) {
      await applet.complain(`${words[0]}: exited with status 255; aborting`);
      return 124;
    }
    if (status.code !== 0) result = 123;
    return undefined;
  };
  let batch: string[] = [];
  let length = commandLength;
  let ran = false;
  const flush = (): Promise<number | undefined> => {
    const full = batch;
    batch = [];
    length = commandLength;
    ran = true;
    return run(full);
  };
  const input = options.get('a') === undefined ? applet.process.stdin : applet.open(options.get('a') as string);
  for await (const item of itemsOf(applet, input, options.has('0') ? 'zeros' : replace !== undefined ? 'lines' : 'words')) {
    applet.process.charge(ITEM_CPU_MS);
    if (item === eof) break;
    if (replace === undefined && commandLength + item.length + 1 > mostBytes) throw new Failure('argument line too long');
    const isFull = replace === undefined && batch.length > 0 && length + item.length + 1 > mostBytes;
    const end = isFull ? await flush() : undefined;
    if (end !== undefined) return end;
    batch.push(item);
    length += item.length + 1;
    const after = batch.length >= mostItems ? await flush() : undefined;
    if (after !== undefined) return after;
  }
  const last = batch.length > 0 || (!ran && !options.has('r') && replace === undefined) ? await flush() : undefined;
  return last ?? result;
}

const ITEM_CPU_MS = 0.002;

/** What a command line holds at most, as BusyBox has it. */
const XARGS_BYTES = 30 * 1024;

/** Items as they come: words (blanks separate, quotes and backslashes protect), lines, or what zero bytes end. */
async function* itemsOf(applet: Applet, input: OpenFile, kind: 'words' | 'lines' | 'zeros'): AsyncGenerator<string> {
  if (kind === 'zeros') {
    for await (const { text } of applet.lines(input, '\0')) yield text;
    return;
  }
  /** A quoted item may go on over lines. */
  let held = '';
  for await (const { text, terminated } of applet.lines(input)) {
    const line = held + text;
    held = '';
    if (kind === 'lines') {
      const trimmed = line.replace(/^[ \t]+/, '');
      if (trimmed !== '') yield unquote(trimmed);
    } else if (/\\$/.test(line) && terminated && !/\\\\$/.test(line)) held = `${line}\n`;
    else yield* splitWords(line);
  }
  if (held !== '') yield* splitWords(held);
}

function unquote(line: string): string {
  return splitWords(line.replace(/ /g, '\\ ').replace(/\t/g, '\\\t')).join('');
}

/** Blanks separate, quotes and backslashes protect. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '\\' && i + 1 < text.length) word = (word ?? '') + text[++i];
    else if (char === '"' || char === "'") {
      const end = text.indexOf(char, i + 1);
      if (end < 0) throw new Failure(`unmatched ${char === '"' ? 'double' : 'single'} quote`);
      word = (word ?? '') + text.slice(i + 1, end);
      i = end;
    } else if (char === ' ' || char === '\t' || char === '\n') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

export const xargsApplets = {
  xargs: program('[OPTIONS] [PROG ARGS]', xargs),
};
