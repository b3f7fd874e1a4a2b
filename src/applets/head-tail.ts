import { Errno, type OpenFile } from '../unix/types.ts';
import { type Applet, byteText, Failure, getopt, parseNumber, program, SIZE_SUFFIXES } from './applet.ts';

/** head and tail. */

/** "-5" as an option of head and tail. */
function oldStyle(args: readonly string[], letter: string): string[] {
  return args.map((word, i) => (/^-\d+[bkm]?$/.test(word) && !/^-[nc]$/.test(args[i - 1] ?? '') ? `-${letter}${word.slice(1)}` : word));
}

async function head(applet: Applet): Promise<void> {
  const options = getopt(oldStyle(applet.args, 'n'), 'n:c:qv');
  for (const { letter, value } of options.order)
    if ((letter === 'n' || letter === 'c') && value?.startsWith('+')) throw new Failure(`invalid number '${value}'`);
  const inBytes = options.has('c') && options.order.findLast(({ letter }) => letter === 'c' || letter === 'n')?.letter === 'c';
  const wanted = options.get(inBytes ? 'c' : 'n') ?? '10';
  const fromEnd = wanted.startsWith('-');
  const count = Math.abs(parseNumber(wanted, SIZE_SUFFIXES));
  const paths = options.rest.length > 0 ? options.rest : ['-'];
  const titled = options.has('v') || (paths.length > 1 && !options.has('q'));
  let first = true;
  for (const path of paths) {
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (!file) continue;
    if (titled) await applet.put(`${first ? '' : '\n'}==> ${path === '-' ? 'standard input' : path} <==\n`);
    first = false;
    if (inBytes) {
      if (fromEnd) {
        const text = await applet.readText(file);
        await applet.put(text.slice(0, Math.max(0, text.length - count)));
        continue;
      }
      let left = count;
      if (left > 0) {
        for await (const chunk of applet.chunks(file)) {
          await applet.put(byteText(chunk.subarray(0, left)));
          left -= chunk.length;
          if (left <= 0) break;
        }
      }
      continue;
    }
    if (fromEnd) {
      const lines: string[] = [];
      for await (const { text, terminated } of applet.lines(file)) {
        lines.push(terminated ? `${text}\n` : text);
        if (lines.length > count) await applet.put(lines.shift() as string);
      }
      continue;
    }
    let left = count;
    if (left === 0) continue;
    for await (const { text, terminated } of applet.lines(file)) {
      await applet.put(terminated ? `${text}\n` : text);
      if (--left === 0) break;
    }
  }
}

/** Shows all but the first bytes or lines; gives the size. */
async function skipping(applet: Applet, file: OpenFile, inBytes: boolean, count: number): Promise<number> {
  let size = 0;
  let left = count;
  for await (const chunk of applet.chunks(file)) {
    size += chunk.length;
    let from = 0;
    while (left > 0 && from < chunk.length) {
      const newline = inBytes ? Math.min(from + left, chunk.length) - 1 : chunk.indexOf(10, from);
      left -= inBytes ? newline + 1 - from : newline < 0 ? 0 : 1;
      from = newline < 0 ? chunk.length : newline + 1;
    }
    if (from < chunk.length) await applet.put(byteText(chunk.subarray(from)));
    if (file.kind !== 'file') await applet.flush();
  }
  return size;
}

/** Shows the last bytes or lines, holding no more than those; gives the size. */
async function lastOf(applet: Applet, file: OpenFile, inBytes: boolean, count: number): Promise<number> {
  let size = 0;
  let held: string[] = [];
  if (inBytes) {
    let kept = '';
    for await (const chunk of applet.chunks(file)) {
      size += chunk.length;
      kept = count === 0 ? '' : (kept + byteText(chunk)).slice(-count);
    }
    await applet.put(kept);
    return size;
  }
  for await (const { text, terminated } of applet.lines(file)) {
    size += text.length + (terminated ? 1 : 0);
    held.push(terminated ? `${text}\n` : text);
    if (held.length > 2 * count + 1000) held = count === 0 ? [] : held.slice(-count);
  }
  await applet.put(count === 0 ? '' : held.slice(-count).join(''));
  return size;
}

async function tail(applet: Applet): Promise<void> {
  const args = applet.args.map((word, i, all) => (/^\+\d+[bkm]?$/.test(word) && !/^-\w*[nc]$/.test(all[i - 1] ?? '') ? `-n${word}` : word));
  const options = getopt(oldStyle(args, 'n'), 'fFc:n:s:qv');
  const inBytes = options.has('c');
  // The last number given counts, for whichever it was.
  const wanted = options.order.findLast(({ letter }) => letter === 'c' || letter === 'n')?.value ?? '10';
  const fromStart = wanted.startsWith('+');
  const count = Math.abs(parseNumber(wanted, SIZE_SUFFIXES));
  const follow = options.has('f') || options.has('F');
  const pauseMs = Number(options.get('s') ?? 1) * 1000;
  const paths = options.rest.length > 0 ? options.rest : ['-'];
  const titled = options.has('v') || (paths.length > 1 && !options.has('q'));
  const followed: { path: string; size: number }[] = [];
  let first = true;
  let shown = '';
  for (const path of paths) {
    const file = await applet.tryOpen(path);
    if (!file) {
      if (options.has('F')) followed.push({ path, size: 0 });
      continue;
    }
    if (titled) await applet.put(`${first ? '' : '\n'}==> ${path === '-' ? 'standard input' : path} <==\n`);
    first = false;
    shown = path;
    let size = 0;
    try {
      size = fromStart ? await skipping(applet, file, inBytes, Math.max(0, count - 1)) : await lastOf(applet, file, inBytes, count);
    } catch (error) {
      if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
      await applet.complain(`read error: ${error.message}`);
    }
    if (path !== '-') followed.push({ path, size });
  }
  if (first && applet.code !== 0 && shown === '') {
    await applet.complain('no files');
    return;
  }
  if (!follow) return;
  for (;;) {
    await applet.flush();
    await applet.process.sleep(pauseMs);
    for (const one of followed) {
      let data: Uint8Array;
      try {
        data = applet.fs.readFile(applet.path(one.path));
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        continue;
      }
      if (data.length < one.size) one.size = 0;
      if (data.length === one.size) continue;
      if (titled && shown !== one.path) await applet.put(`\n==> ${one.path} <==\n`);
      shown = one.path;
      await applet.put(byteText(data.subarray(one.size)));
      one.size = data.length;
    }
  }
}

export const headTailApplets = {
  head: program('[OPTIONS] [FILE]...', head),
  tail: program('[OPTIONS] [FILE]...', tail),
};
