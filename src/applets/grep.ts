import { compileRegex, type PosixRegex } from '../unix/regex.ts';
import { RegexError } from '../unix/regex-error.ts';
import { Errno } from '../unix/types.ts';
import { type Applet, Failure, getopt, program, toByteText, UsageError } from './applet.ts';

const LONG_OPTIONS = {
  'line-number': 'n',
  'ignore-case': 'i',
  'invert-match': 'v',
  count: 'c',
  quiet: 'q',
  recursive: 'r',
  'only-matching': 'o',
  'extended-regexp': 'E',
  'fixed-strings': 'F',
  'files-with-matches': 'l',
  'word-regexp': 'w',
};

/** grep, egrep, fgrep. Exit: 0 a line was selected, 1 none, 2 trouble. */
async function grep(applet: Applet): Promise<number> {
  const args = applet.args
    .filter((word) => !/^--colou?r(=.*)?$/.test(word))
    .map((word, i, all) => (/^-\d+$/.test(word) && !/^-[mABCef]$/.test(all[i - 1] ?? '') ? `-C${word.slice(1)}` : word));
  const options = getopt(args, 'lnqvscFiHhe:f:LorRm:wxEA:B:C:az', LONG_OPTIONS);
  const rest = [...options.rest];
  const patterns: string[] = options.all('e').flatMap((text) => text.split('\n'));
  for (const file of options.all('f')) {
    const text = await applet.readText(applet.open(file));
    patterns.push(...text.replace(/\n$/, '').split('\n'));
  }
  if (!options.has('e') && !options.has('f')) {
    const pattern = rest.shift();
    if (pattern === undefined) throw new UsageError();
    patterns.push(...pattern.split('\n'));
  }
  const fixed = options.has('F') || applet.name === 'fgrep';
  const matchers = patterns.map((pattern) => compile(applet, pattern, fixed, options));
  const recursive = options.has('r') || options.has('R');
  const paths = rest.length > 0 ? rest : [recursive ? '.' : '-'];
  const named = options.has('H') || (!options.has('h') && (rest.length > 1 || recursive));
  const after = Number(options.get('A') ?? options.get('C') ?? 0);
  const before = Number(options.get('B') ?? options.get('C') ?? 0);
  const limit = options.get('m') === undefined ? Number.POSITIVE_INFINITY : Number(options.get('m'));
  const context = after > 0 || before > 0;
  let selectedAny = false;
  let trouble = false;
  let separatorDue = false;

  const find = async (text: string): Promise<{ start: number; end: number }[]> => {
    const spans: { start: number; end: number }[] = [];
    for (let from = 0; from <= text.length; ) {
      let best: { start: number; end: number } | undefined;
      for (const matcher of matchers) {
        const span = matcher(text, from);
        if (span && (!best || span.start < best.start || (span.start === best.start && span.end > best.end))) best = span;
      }
      // Long lines cost much: Ctrl-C must come through.
      await applet.process.cpu(0);
      if (!best) break;
      spans.push(best);
      if (!options.has('o')) break;
      from = best.end > best.start ? best.end : best.end + 1;
    }
    return spans;
  };

  const search = async (path: string): Promise<void> => {
    let file: ReturnType<Applet['open']>;
    try {
      if (path !== '-' && applet.fs.stat(applet.path(path)).type === 'directory') {
        if (!recursive) {
          if (options.has('c')) await applet.put(`${named ? `${path}:` : ''}0\n`);
          if (options.has('L')) await applet.put(`${path}\n`);
          return;
        }
        for (const name of applet.fs.readdir(applet.path(path))) await search(`${path.replace(/\/$/, '')}/${toByteText(name)}`);
        return;
      }
      file = applet.open(path);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (!options.has('s')) await applet.complain(`${path}: ${error.message}`);
      trouble = true;
      return;
    }
    const title = path === '-' ? '(standard input)' : path;
    const held: { text: string; line: number }[] = [];
    let line = 0;
    let count = 0;
    let trailing = 0;
    let lastShown = -1;
    const show = async (text: string, number: number, mark: ':' | '-'): Promise<void> => {
      if (context && separatorDue && number !== lastShown + 1) await applet.put('--\n');
      separatorDue = true;
      lastShown = number;
      await applet.put(`${named ? `${title}${mark}` : ''}${options.has('n') ? `${number}${mark}` : ''}${text}\n`);
    };
    const silent = options.has('q') || options.has('l') || options.has('L') || options.has('c');
    try {
      for await (const { text } of applet.lines(file, options.has('z') ? '\0' : '\n')) {
        line++;
        const spans = await find(text);
        if (spans.length > 0 === options.has('v')) {
          if (trailing > 0 && !silent) {
            trailing--;
            if (!options.has('o')) await show(text, line, '-');
          } else if (before > 0) {
            held.push({ text, line });
            if (held.length > before) held.shift();
          }
          continue;
        }
        count++;
        selectedAny = true;
        if (options.has('q')) return;
        if (!silent) {
          for (const one of held.splice(0)) if (!options.has('o')) await show(one.text, one.line, '-');
          if (options.has('o')) {
            if (!options.has('v'))
              for (const { start, end } of spans)
                if (end > start) await applet.put(`${named ? `${title}:` : ''}${options.has('n') ? `${line}:` : ''}${text.slice(start, end)}\n`);
          } else await show(text, line, ':');
          trailing = after;
        }
        if (options.has('l') || options.has('L')) break;
        if (count >= limit) break;
      }
    } catch (error) {
      if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
      if (!options.has('s')) await applet.complain(`${path}: ${error.message}`);
      trouble = true;
    }
    if (options.has('q') && count > 0) return;
    if (options.has('c')) await applet.put(`${named ? `${title}:` : ''}${count}\n`);
    if ((options.has('l') && count > 0) || (options.has('L') && count === 0)) await applet.put(`${title}\n`);
    if (options.has('L') && count === 0) selectedAny = true;
  };
  for (const path of paths) {
    await search(path);
    if (options.has('q') && selectedAny) return 0;
  }
  return trouble ? 2 : selectedAny ? 0 : 1;
}

type Matcher = (text: string, from: number) => { start: number; end: number } | undefined;

function compile(applet: Applet, pattern: string, fixed: boolean, options: ReturnType<typeof getopt>): Matcher {
  const ignoreCase = options.has('i');
  const extended = options.has('E') || applet.name === 'egrep';
  let find: Matcher;
  if (fixed) {
    const wanted = ignoreCase ? pattern.toLowerCase() : pattern;
    find = (text, from) => {
      const start = (ignoreCase ? text.toLowerCase() : text).indexOf(wanted, from);
      return start < 0 ? undefined : { start, end: start + wanted.length };
    };
  } else {
    let regex: PosixRegex;
    try {
      regex = compileRegex(pattern, {
        extended,
        ignoreCase,
        lenient: true,
        process: applet.process,
      });
    } catch (error) {
      if (!(error instanceof RegexError)) throw error;
      throw new Failure(`bad regex '${pattern}'`, 2);
    }
    find = (text, from) => {
      const match = regex.exec(text, from);
      return match && { start: match.index, end: match.index + (match.groups[0] as string).length };
    };
  }
  if (options.has('x')) {
    return (text, from) => {
      const span = find(text, from);
      return span && span.start === 0 && span.end === text.length ? span : undefined;
    };
  }
  if (!options.has('w')) return find;
  const isWord = (char: string | undefined): boolean => char !== undefined && /\w/.test(char);
  return (text, from) => {
    for (let at = from; at <= text.length; ) {
      const span = find(text, at);
      if (!span) return undefined;
      if (!isWord(text[span.start - 1]) && !isWord(text[span.end])) return span;
      at = span.start + 1;
    }
    return undefined;
  };
}

const grepProgram = program('[-HhnlLoqvsrRiwFE] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]...', grep, 2);

export const grepApplets = { grep: grepProgram, egrep: grepProgram, fgrep: grepProgram };
