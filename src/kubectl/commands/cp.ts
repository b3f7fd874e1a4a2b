import type { Session } from '../session.ts';
import { CliError, ExitError } from '../util/errors.ts';
import { readTar, type TarEntry, writeTar } from '../util/tar.ts';
import { execInPod } from './exec.ts';

interface FileSpec {
  namespace: string;
  pod: string;
  path: string;
}

/** `[namespace/]pod:path`, or a path of this machine. */
function parseSpec(spec: string): FileSpec {
  const cut = spec.indexOf(':');
  if (cut < 0) return { namespace: '', pod: '', path: spec };
  if (cut === 0) throw new CliError('filespec must match the canonical format: [[namespace/]pod:]file/path');
  const [pod, path] = [spec.slice(0, cut), spec.slice(cut + 1)];
  const parts = pod.split('/');
  if (parts.length === 1) return { namespace: '', pod, path };
  if (parts.length === 2) return { namespace: parts[0] ?? '', pod: parts[1] ?? '', path };
  throw new CliError('filespec must match the canonical format: [[namespace/]pod:]file/path');
}

/** kubectl cp: a tar archive through `tar` in the container. */
export async function cp(session: Session, args: string[]): Promise<void> {
  if (args.length !== 2) throw new CliError('source and destination are required');
  const source = parseSpec(args[0] as string);
  const destination = parseSpec(args[1] as string);
  if (source.pod !== '' && destination.pod !== '') throw new CliError('one of src or dest must be a local file specification');
  if (source.path === '' || destination.path === '') throw new CliError('filepath can not be empty');
  if (source.pod !== '') await download(session, source, destination.path);
  else if (destination.pod !== '') await upload(session, source.path, destination);
  else throw new CliError('one of src or dest must be a remote file specification');
}

/** Runs a command in the container; `out` gets both of its streams when it is given. */
async function run(
  session: Session,
  spec: FileSpec,
  command: readonly string[],
  streams: { input?: Uint8Array; out?: (data: Uint8Array) => Promise<void>; err?: (data: Uint8Array) => Promise<void> },
): Promise<void> {
  const pod = await session.client.request('GET', `/api/v1/namespaces/${spec.namespace || session.namespace}/pods/${spec.pod}`);
  await execInPod(session, pod, {
    ...streams,
    container: session.flags.text('container'),
    command,
    stdin: streams.input !== undefined,
    tty: false,
    quiet: false,
  });
}

const nowhere = async (): Promise<void> => undefined;

async function upload(session: Session, from: string, to: FileSpec): Promise<void> {
  if (!session.process.machine.fs.exists(session.process.resolve(from))) throw new CliError(`${from} doesn't exist in local filesystem`);
  const base = session.process.resolve(from).split('/').at(-1) ?? '';
  let path = to.path;
  try {
    await run(session, to, ['test', '-d', to.path], { out: nowhere, err: nowhere });
    path = `${path.replace(/\/+$/, '')}/${base}`;
  } catch (error) {
    // Whatever goes wrong means that it is no folder; the copy itself will tell what it was.
    if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
  }
  path = path.replace(/(?<=.)\/+$/, '');
  const cut = path.lastIndexOf('/');
  const preserve = session.flags.bool('no-preserve') ? ['--no-same-permissions', '--no-same-owner'] : [];
  const folder = cut < 0 ? [] : ['-C', path.slice(0, cut) || '/'];
  await run(session, to, ['tar', ...preserve, '-xmf', '-', ...folder], {
    input: writeTar(gather(session, session.process.resolve(from), path.slice(cut + 1))),
  });
}

/** A file, or what is in a folder, for an archive; folders themselves only when they are empty. */
function gather(session: Session, local: string, name: string): TarEntry[] {
  const { fs } = session.process.machine;
  const info = fs.lstat(local);
  if (info.type === 'symlink') return [{ name, kind: 'symlink', link: fs.readlink(local), data: new Uint8Array(), mode: info.mode, mtimeMs: info.mtimeMs }];
  if (info.type !== 'directory') return [{ name, kind: 'file', link: '', data: fs.readFile(local), mode: info.mode, mtimeMs: info.mtimeMs }];
  const inside = fs.readdir(local);
  if (inside.length === 0) return [{ name, kind: 'directory', link: '', data: new Uint8Array(), mode: info.mode, mtimeMs: info.mtimeMs }];
  return inside.flatMap((each) => gather(session, `${local}/${each}`, `${name}/${each}`));
}

async function download(session: Session, from: FileSpec, to: string): Promise<void> {
  const chunks: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let ended = false;
  try {
    await run(session, from, ['tar', 'cf', '-', from.path], {
      out: async (data) => {
        chunks.push(data.slice());
        // Two empty blocks end an archive.
        ended ||= data.length >= 1024 && data.subarray(-1024).every((byte) => byte === 0);
      },
      // Upstream gives tar's complaints to standard output, and is done when the archive is whole.
      err: async (data) => {
        if (!ended) await session.out(decoder.decode(data, { stream: true }));
      },
    });
  } catch (error) {
    if (!ended || !(error instanceof ExitError)) throw error;
  }
  const { fs } = session.process.machine;
  const prefix = cleanPath(from.path.replace(/^\/+/, '')).replace(/^(\.\.\/)+|^\.\.$|^\.$/, '');
  const root = session.process.resolve(to);
  let warned = false;
  for (const entry of readTar(concat(chunks))) {
    if (!entry.name.startsWith(prefix)) throw new CliError('tar contents corrupted');
    const rest = cleanPath(entry.name.slice(prefix.length).replace(/^\/+/, ''));
    const shown = rest === '.' ? to : `${to.replace(/\/+$/, '')}/${rest}`;
    const local = rest === '.' ? root : `${root}/${rest}`;
    if (rest.startsWith('..')) {
      await session.err(`warning: file "${shown}" is outside target destination, skipping\n`);
      continue;
    }
    fs.mkdir(local.slice(0, local.lastIndexOf('/')) || '/', { recursive: true });
    if (entry.kind === 'directory') fs.mkdir(local, { recursive: true });
    else if (entry.kind === 'symlink') {
      const hint = warned ? '' : ` (consider using "kubectl exec -n "${from.namespace}" "${from.pod}" -- tar cf - "${from.path}" | tar xf -")`;
      warned = true;
      await session.err(`warning: skipping symlink: "${shown}" -> "${entry.link}"${hint}\n`);
    } else if (fs.exists(local) && fs.stat(local).type === 'directory') throw new CliError(`open ${shown}: is a directory`);
    else fs.writeFile(local, entry.data);
  }
}

/** path.Clean of a relative path. */
function cleanPath(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else out.push(part);
  }
  return out.join('/') || '.';
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
