import { gunzipSync, gzipSync } from 'fflate';
import { concatBytes } from '../unix/index.ts';
import { Errno, type OpenFile } from '../unix/types.ts';
import { type Applet, Failure, getopt, program } from './applet.ts';

/** gzip, gunzip, zcat, and what tar -z needs. Whole files at once, so not for more than memory holds. */

export async function readWhole(applet: Applet, file: OpenFile): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of applet.chunks(file)) {
    chunks.push(chunk.slice());
    length += chunk.length;
    applet.process.useMemory(length);
  }
  return concatBytes(chunks);
}

/** `mtimeMs` goes into the header. */
export function compress(bytes: Uint8Array, mtimeMs: number): Uint8Array {
  return gzipSync(bytes, { mtime: mtimeMs });
}

/** Errors: Failure("invalid magic"), Failure("corrupted data"). */
export function decompress(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new Failure('invalid magic');
  try {
    return gunzipSync(bytes);
  } catch {
    // fflate's own words for what is wrong inside.
    throw new Failure('corrupted data');
  }
}

async function gzip(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'cfkdtvnq123456789');
  const unpacking = applet.name !== 'gzip' || options.has('d');
  const toStdout = options.has('c') || applet.name === 'zcat';
  for (const operand of options.rest.length > 0 ? options.rest : ['-']) {
    try {
      await one(applet, operand, unpacking, operand === '-' || toStdout, options.has('k'), options.has('f'));
    } catch (error) {
      if (error instanceof Failure) await applet.complain(error.message);
      else if (error instanceof Errno && error.code !== 'EPIPE') await applet.complain(`${operand}: ${error.message}`);
      else throw error;
    }
  }
}

async function one(applet: Applet, operand: string, unpacking: boolean, toStdout: boolean, keep: boolean, force: boolean): Promise<void> {
  let target: string | undefined;
  if (!toStdout) {
    const bare = /^(.+)\.(?:gz|tgz)$/.exec(operand)?.[1];
    if (unpacking && bare === undefined) throw new Failure(`${operand}: unknown suffix - ignored`);
    target = unpacking ? `${bare}${operand.endsWith('.tgz') ? '.tar' : ''}` : `${operand}.gz`;
  }
  const path = operand === '-' ? undefined : applet.path(operand);
  const info = path === undefined ? undefined : applet.fs.stat(path);
  if (info?.type === 'directory') throw new Errno('EISDIR');
  const input = await readWhole(applet, applet.open(operand));
  const output = unpacking ? decompress(input) : compress(input, info?.mtimeMs ?? applet.process.kernel.now());
  await applet.process.cpu(input.length / 50_000);
  if (target === undefined) {
    await applet.flush();
    await applet.process.stdout.write(output);
    return;
  }
  if (!force && applet.fs.exists(applet.path(target))) throw new Failure(`can't open '${target}': File exists`);
  const file = applet.process.open(applet.path(target), 'w', info?.mode);
  try {
    await file.write(output);
  } finally {
    file.close();
  }
  if (!keep && path !== undefined) applet.fs.remove(path);
}

export const gzipApplets = {
  gzip: program('[-cfkdt123456789] [FILE]...', gzip),
  gunzip: program('[-cfkt] [FILE]...', gzip),
  zcat: program('[FILE]...', gzip),
};
