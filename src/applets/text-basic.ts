import { Errno, type OpenFile } from '../unix/types.ts';
import { type Applet, bytesOf, byteText, Failure, getopt, parseNumber, program, readEscape, SIZE_SUFFIXES, UsageError } from './applet.ts';

/** Applets that pass text along: cat, head, tail, wc, tee, seq, yes, tac, rev, nl, fold, paste. */

async function cat(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'nbvteAsu');
  const number = options.has('n') || options.has('b');
  const show = options.has('v') || options.has('t') || options.has('e') || options.has('A');
  const ends = options.has('e') || options.has('A');
  const tabs = options.has('t') || options.has('A');
  let line = 0;
  let atStart = true;
  for (const path of options.rest.length > 0 ? options.rest : ['-']) {
    const file = await applet.tryOpen(path, number ? (name, why) => `${name}: ${why}` : undefined);
    if (!file) continue;
    try {
      if (!number && !show) {
        for await (const chunk of applet.chunks(file)) {
          await applet.flush();
          await applet.process.stdout.write(chunk);
        }
        continue;
      }
      for await (const { text, terminated } of applet.lines(file)) {
        if (number && atStart && !(options.has('b') && text === '')) await applet.put(`${String(++line).padStart(6)}${show ? '  ' : '\t'}`);
        atStart = terminated;
        await applet.put((show ? visible(text, tabs) : text) + (terminated ? (ends ? '$\n' : '\n') : ''));
      }
    } catch (error) {
      if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
      if (number) continue;
      if (show) applet.code = 1;
      else await applet.complain(`read error: ${error.message}`);
    }
  }
}

function visible(text: string, tabs: boolean): string {
  let out = '';
  for (const char of text) {
    let code = char.charCodeAt(0);
    if (code >= 128) {
      out += 'M-';
      code -= 128;
    }
    if (code === 9 && !tabs) out += '\t';
    else if (code < 32) out += `^${String.fromCharCode(code + 64)}`;
    else out += code === 127 ? '^?' : String.fromCharCode(code);
  }
  return out;
}

async function wc(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'cmlwL');
  const letters = ['l', 'w', 'm', 'c', 'L'].filter((letter) => options.has(letter));
  const columns = letters.length > 0 ? letters : ['l', 'w', 'c'];
  const paths = options.rest.length > 0 ? options.rest : ['-'];
  const totals = new Map<string, number>();
  // BusyBox pads every number to 9 unless there is exactly one column.
  const line = (values: Map<string, number>, name: string): string =>
    `${columns.map((letter, i) => `${i ? ' ' : ''}${columns.length > 1 || paths.length > 1 ? String(values.get(letter) ?? 0).padStart(9) : (values.get(letter) ?? 0)}`).join('')}${name}\n`;
  let shown = 0;
  for (const path of paths) {
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (!file) continue;
    const values = new Map<string, number>();
    const add = (letter: string, n: number): unknown => values.set(letter, (values.get(letter) ?? 0) + n);
    let inWord = false;
    let width = 0;
    let longest = 0;
    try {
      for await (const chunk of applet.chunks(file)) {
        add('c', chunk.length);
        let lines = 0;
        let words = 0;
        for (const byte of chunk) {
          if (byte === 10) lines++;
          if (byte === 10 || byte === 13 || byte === 12) {
            longest = Math.max(longest, width);
            width = 0;
          } else if (byte === 9) width += 8 - (width % 8);
          else if (byte >= 32 && byte < 127) width++;
          const blank = byte === 32 || (byte >= 9 && byte <= 13);
          if (!blank && !inWord && byte > 32 && byte < 127) {
            words++;
            inWord = true;
          } else if (blank) inWord = false;
        }
        add('l', lines);
        add('w', words);
      }
    } catch (error) {
      if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
      await applet.complain(`${path}: ${error.message}`);
    }
    add('m', values.get('c') ?? 0);
    values.set('L', Math.max(longest, width));
    for (const [letter, value] of values) totals.set(letter, letter === 'L' ? Math.max(totals.get('L') ?? 0, value) : (totals.get(letter) ?? 0) + value);
    await applet.put(line(values, options.rest.length > 0 ? ` ${path}` : ''));
    shown++;
  }
  if (paths.length > 1 && shown >= 0) await applet.put(line(totals, ' total'));
}

async function tee(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'ia');
  const outputs: { write(chunk: Uint8Array): Promise<void> }[] = [applet.process.stdout];
  for (const path of options.rest) {
    try {
      outputs.push(path === '-' ? applet.process.stdout : applet.process.open(applet.path(path), options.has('a') ? 'a' : 'w'));
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`${path}: ${error.message}`);
    }
  }
  for await (const chunk of applet.chunks(applet.process.stdin)) for (const output of outputs) await output.write(chunk.slice());
}

async function seq(applet: Applet): Promise<void> {
  const options = getopt(applet.args, '+s:w');
  const words = options.rest;
  if (words.length < 1 || words.length > 3) throw new UsageError();
  const numbers = words.map((word) => {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word)) throw new UsageError();
    return Number(word);
  });
  const last = numbers.at(-1) as number;
  const start = numbers.length > 1 ? (numbers[0] as number) : 1;
  const step = numbers.length === 3 ? (numbers[1] as number) : 1;
  // The last word counts for the width, not for the decimals.
  const decimals = Math.max(0, ...words.slice(0, -1).map((word) => word.split('.')[1]?.length ?? 0));
  const separator = options.get('s') ?? '\n';
  const width = options.has('w') ? Math.max(...words.map((word) => (word.split('.')[0] as string).length)) + (decimals > 0 ? decimals + 1 : 0) : 0;
  const print = (value: number): string => {
    const text = value.toFixed(decimals);
    return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
  };
  const within = (value: number): boolean => (step >= 0 ? value <= last + 1e-9 : value >= last - 1e-9);
  let any = false;
  for (let i = 0, value = start; within(value); i++, value = start + i * step) {
    const waiting = applet.put((any ? separator : '') + print(value));
    any = true;
    if (waiting) await waiting;
    if (i % 100 === 0) await applet.process.cpu(0.05);
  }
  if (any) await applet.put('\n');
}

async function yes(applet: Applet): Promise<void> {
  const chunk = bytesOf(`${applet.args.length > 0 ? applet.args.join(' ') : 'y'}\n`.repeat(512));
  for (;;) {
    await applet.process.stdout.write(chunk.slice());
    await applet.process.cpu(0.1);
  }
}

/** Runs over lines of all operands. */
async function eachLine(applet: Applet, paths: readonly string[], use: (text: string, terminated: boolean) => Promise<unknown> | undefined): Promise<void> {
  for (const path of paths.length > 0 ? paths : ['-']) {
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (file) for await (const { text, terminated } of applet.lines(file)) await use(text, terminated);
  }
}

async function tac(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'b');
  const lines: string[] = [];
  await eachLine(applet, options.rest, (text, terminated) => void lines.push(terminated ? `${text}\n` : text));
  for (const line of lines.reverse()) await applet.put(line);
}

async function rev(applet: Applet): Promise<void> {
  await eachLine(applet, getopt(applet.args, '').rest, (text, terminated) => applet.put([...text].reverse().join('') + (terminated ? '\n' : '')));
}

async function nl(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'b:i:s:v:w:p');
  let number = Number(options.get('v') ?? 1);
  const width = Number(options.get('w') ?? 6);
  const separator = options.get('s') ?? '\t';
  const mode = options.get('b') ?? 't';
  await eachLine(applet, options.rest, (text) => {
    const counted = mode === 'a' || (mode === 't' && text !== '');
    if (!counted) return applet.put(`${' '.repeat(width + separator.length)}${text}\n`);
    const line = `${String(number).padStart(width)}${separator}${text}\n`;
    number += Number(options.get('i') ?? 1);
    return applet.put(line);
  });
}

async function fold(applet: Applet): Promise<void> {
  const args = applet.args.map((word) => (/^-\d+$/.test(word) ? `-w${word.slice(1)}` : word));
  const options = getopt(args, 'bsw:');
  const width = Number(options.get('w') ?? 80);
  await eachLine(applet, options.rest, (text, terminated) => {
    const out: string[] = [];
    let row = '';
    let column = 0;
    const after = (from: number, char: string): number =>
      options.has('b') ? from + 1 : char === '\t' ? from + 8 - (from % 8) : char === '\b' ? Math.max(0, from - 1) : char === '\r' ? 0 : from + 1;
    for (const char of text) {
      if (after(column, char) > width && row !== '') {
        const blank = options.has('s') ? Math.max(row.lastIndexOf(' '), row.lastIndexOf('\t')) : -1;
        const kept = blank >= 0 ? row.slice(blank + 1) : '';
        out.push(`${row.slice(0, row.length - kept.length)}\n`);
        row = kept;
        column = [...kept].reduce(after, 0);
      }
      row += char;
      column = after(column, char);
    }
    return applet.put(out.join('') + row + (terminated ? '\n' : ''));
  });
}

async function paste(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'd:s');
  const delimiters = (options.get('d') ?? '\t').replace(/\\(.)/g, (_, letter: string) => ({ n: '\n', t: '\t', '0': '' })[letter] ?? letter);
  const columns: string[][] = [];
  let stdin: string[] | undefined;
  for (const path of options.rest.length > 0 ? options.rest : ['-']) {
    if (path === '-' && stdin && !options.has('s')) {
      columns.push(stdin);
      continue;
    }
    const lines: string[] = [];
    for await (const { text } of applet.lines(applet.open(path))) lines.push(text);
    if (path === '-') stdin = lines;
    columns.push(lines);
  }
  if (options.has('s')) {
    for (const lines of columns)
      await applet.put(`${lines.map((line, i) => (i ? (delimiters[(i - 1) % (delimiters.length || 1)] ?? '') : '') + line).join('')}\n`);
    return;
  }
  const shared = new Set(columns).size < columns.length;
  const taken = new Map<string[], number>();
  const next = (lines: string[], row: number): string | undefined => {
    if (!shared || columns.filter((one) => one === lines).length === 1) return lines[row];
    const at = taken.get(lines) ?? 0;
    taken.set(lines, at + 1);
    return lines[at];
  };
  for (let row = 0; ; row++) {
    const cells = columns.map((lines) => next(lines, row));
    if (cells.every((cell) => cell === undefined)) return;
    await applet.put(`${cells.map((cell, i) => (i ? (delimiters[(i - 1) % (delimiters.length || 1)] ?? '') : '') + (cell ?? '')).join('')}\n`);
  }
}

async function echo(applet: Applet): Promise<void> {
  let newline = true;
  let escapes = false;
  let at = 0;
  for (; /^-[neE]+$/.test(applet.args[at] ?? ''); at++) {
    for (const letter of (applet.args[at] as string).slice(1)) {
      if (letter === 'n') newline = false;
      else escapes = letter === 'e';
    }
  }
  const text = applet.args.slice(at).join(' ');
  if (!escapes) {
    await applet.put(newline ? `${text}\n` : text);
    return;
  }
  let out = '';
  for (let i = 0; i < text.length; ) {
    if (text[i] !== '\\') {
      out += text[i++];
      continue;
    }
    const sequence = readEscape(text, i + 1, true);
    if (!sequence) {
      await applet.put(out);
      return;
    }
    out += sequence.char;
    i = sequence.next;
  }
  await applet.put(newline ? `${out}\n` : out);
}

export const textBasicApplets = {
  cat: program('[-nbvteA] [FILE]...', cat),
  wc: program('[-cmlwL] [FILE]...', wc),
  tee: program('[-ai] [FILE]...', tee),
  seq: program('[-w] [-s SEP] [FIRST [INC]] LAST', seq),
  yes: program('[STRING]', yes),
  tac: program('[FILE]...', tac),
  rev: program('[FILE]...', rev),
  nl: program('[OPTIONS] [FILE]...', nl),
  fold: program('[-bs] [-w WIDTH] [FILE]...', fold),
  paste: program('[-d DELIMITERS] [-s] [FILE]...', paste),
  echo: program('', echo),
};
