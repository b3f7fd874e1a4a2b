import { Errno } from '../unix/types.ts';
import { type Applet, Failure, getopt, parseNumber, program, SIZE_SUFFIXES, UsageError } from './applet.ts';
import { attempt } from './file-attempt.ts';

/** truncate and dd: what is inside files. */

async function truncate(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'cs:', { size: 's' });
  const size = options.get('s');
  if (size === undefined || options.rest.length === 0) throw new UsageError();
  for (const operand of options.rest) {
    await attempt(
      applet,
      (why) => `${operand}: ${why}`,
      () => {
        const path = applet.path(operand);
        const old = applet.fs.exists(path) ? applet.fs.readFile(path) : new Uint8Array();
        if (!applet.fs.exists(path) && options.has('c')) return;
        const relative = /^[+-]/.test(size);
        const length = Math.max(0, (relative ? old.length : 0) + parseNumber(size, SIZE_SUFFIXES));
        if (length > 64 << 20) throw new Errno('ENOSPC');
        const content = new Uint8Array(length);
        content.set(old.subarray(0, length));
        applet.fs.writeFile(path, content);
      },
    );
  }
}

async function dd(applet: Applet): Promise<void> {
  const values = new Map<string, string>();
  for (const word of applet.args) {
    const [key = '', value = ''] = [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)];
    if (!['if', 'of', 'bs', 'ibs', 'obs', 'count', 'skip', 'seek', 'conv', 'status', 'iflag', 'oflag'].includes(key))
      throw new UsageError(word.includes('=') ? undefined : undefined);
    values.set(key, value);
  }
  const blockSize = parseNumber(values.get('bs') ?? values.get('ibs') ?? '512', SIZE_SUFFIXES);
  const count = values.has('count') ? parseNumber(values.get('count') as string, SIZE_SUFFIXES) : Number.POSITIVE_INFINITY;
  const skip = parseNumber(values.get('skip') ?? '0', SIZE_SUFFIXES) * blockSize;
  const seek = parseNumber(values.get('seek') ?? '0', SIZE_SUFFIXES) * blockSize;
  const input = values.get('if');
  const output = values.get('of');
  const opened = (path: string | undefined, flags: 'r' | 'w' | 'r+'): ReturnType<Applet['open']> => {
    try {
      if (path === undefined) return flags === 'r' ? applet.process.stdin : applet.process.stdout;
      const exists = applet.fs.exists(applet.path(path));
      return applet.process.open(applet.path(path), flags === 'r+' && !exists ? 'w' : flags);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new Failure(`can't open '${path}': ${error.message}`);
    }
  };
  const source = opened(input, 'r');
  const sink = opened(output, values.get('conv')?.includes('notrunc') || seek > 0 ? 'r+' : 'w');
  if (seek > 0) sink.seek?.(seek, 'start');
  const began = applet.process.kernel.now();
  let left = count * blockSize;
  let toSkip = skip;
  let bytes = 0;
  let failure: Errno | undefined;
  try {
    if (left > 0) {
      for await (const piece of applet.chunks(source)) {
        let chunk = piece;
        if (toSkip > 0) {
          const dropped = Math.min(toSkip, chunk.length);
          toSkip -= dropped;
          chunk = chunk.subarray(dropped);
        }
        if (chunk.length > left) chunk = chunk.subarray(0, left);
        if (chunk.length > 0) {
          await sink.write(chunk.slice());
          bytes += chunk.length;
          left -= chunk.length;
        }
        if (left <= 0) break;
      }
    }
  } catch (error) {
    if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
    failure = error;
  } finally {
    if (output !== undefined) sink.close();
  }
  if (failure) await applet.complain(`error writing '${output ?? 'standard output'}': ${failure.message}`);
  if (values.get('status') === 'none') return;
  const full = Math.floor(bytes / blockSize);
  const partial = bytes % blockSize > 0 ? 1 : 0;
  const seconds = Math.max(0.000001, (applet.process.kernel.now() - began) / 1000);
  const human = (value: number): string => {
    let amount = value;
    let unit = 0;
    for (; amount >= 1024 && unit < 4; unit++) amount /= 1024;
    return `${unit === 0 ? Math.round(amount) : amount.toFixed(1)}${['B', 'KB', 'MB', 'GB', 'TB'][unit]}`;
  };
  await applet.err(`${full}+${partial} records in\n${full}+${partial} records out\n`);
  if (values.get('status') !== 'noxfer')
    await applet.err(`${bytes} bytes (${human(bytes)}) copied, ${seconds.toFixed(6)} seconds, ${human(bytes / seconds)}/s\n`);
}

export const fileDataApplets = {
  truncate: program('[-c] -s SIZE FILE...', truncate),
  dd: program('[if=FILE] [of=FILE] [ibs=N obs=N/bs=N] [count=N] [skip=N] [seek=N] [conv=notrunc|noerror|sync|fsync]', dd),
};
