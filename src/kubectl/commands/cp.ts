import { Errno } from '../../unix/types.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { findOrDefaultContainer } from '../util/pods.ts';
import { execQuery } from './exec.ts';

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

/**
 * kubectl cp. The real one streams a tar archive through `tar` in the container; this one needs `tar` there too (and
 * says so as kubectl does) but carries one file or folder by `cat` and `sh`, which ends in the same files.
 */
export async function cp(session: Session, args: string[]): Promise<void> {
  if (args.length !== 2) throw session.usageError('source and destination are required');
  const source = parseSpec(args[0] as string);
  const destination = parseSpec(args[1] as string);
  if (source.pod !== '' && destination.pod !== '') throw new CliError('one of src or dest must be a local file specification');
  if (source.pod === '' && destination.pod === '') throw new CliError('one of src or dest must be a remote file specification');
  if (source.path === '' || destination.path === '') throw new CliError('filepath can not be empty');
  const remote = source.pod === '' ? destination : source;
  const namespace = remote.namespace || session.namespace;
  if (source.pod === '') checkLocal(session, source.path);
  const pod = await session.client.request('GET', `/api/v1/namespaces/${namespace}/pods/${remote.pod}`);
  const container = session.flags.text('container') || (await findOrDefaultContainer(session, pod, '', true)).name;
  const shell = new RemoteShell(session, pod, container);
  if (source.pod === '') await upload(session, shell, session.process.resolve(source.path), destination.path);
  else await download(session, shell, source.path, session.process.resolve(destination.path));
}

function checkLocal(session: Session, path: string): void {
  if (!session.process.machine.fs.exists(session.process.resolve(path))) throw new CliError(`${path} doesn't exist in local filesystem`);
}

/** Runs commands in the container and gathers their output. */
class RemoteShell {
  #session: Session;
  #pod: Obj;
  #container: string;

  constructor(session: Session, pod: Obj, container: string) {
    this.#session = session;
    this.#pod = pod;
    this.#container = container;
  }

  async run(command: readonly string[], stdin?: Uint8Array): Promise<Uint8Array> {
    const path = `/api/v1/namespaces/${this.#pod.metadata.namespace}/pods/${this.#pod.metadata.name}/exec`;
    const query = execQuery({ container: this.#container, command, stdin: stdin !== undefined, tty: false });
    const socket = await this.#session.client.upgrade(path, query, ['v5.channel.k8s.io']);
    if (stdin !== undefined) {
      for (let i = 0; i < stdin.length; i += 32_768) socket.send(framed(0, stdin.subarray(i, i + 32_768)));
      socket.send(new Uint8Array([255, 0]));
    }
    const out: Uint8Array[] = [];
    let errors = '';
    for (;;) {
      const message = await this.#session.process.guard(socket.receive());
      if (message === null) break;
      const data = message.subarray(1);
      if (message[0] === 1) out.push(data.slice());
      else if (message[0] === 2) errors += new TextDecoder().decode(data);
      else if (message[0] === 3) {
        const status = JSON.parse(new TextDecoder().decode(data)) as Obj;
        if (status.status !== 'Success') {
          await this.#session.err(errors);
          throw new CliError(status.message ?? 'the command failed');
        }
      }
    }
    return concat(out);
  }
}

function framed(channel: number, data: Uint8Array): Uint8Array {
  const message = new Uint8Array(data.length + 1);
  message[0] = channel;
  message.set(data, 1);
  return message;
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

async function upload(session: Session, shell: RemoteShell, from: string, to: string): Promise<void> {
  const { fs } = session.process.machine;
  const base = from.slice(from.lastIndexOf('/') + 1);
  // An existing folder (or a path that ends as one) receives the file under its own name.
  const kind = new TextDecoder().decode(await shell.run(['sh', '-c', '[ -d "$1" ] && echo folder || echo other', 'sh', to])).trim();
  const target = kind === 'folder' || to.endsWith('/') ? `${to.replace(/\/$/, '')}/${base}` : to;
  const copy = async (local: string, remote: string): Promise<void> => {
    if (fs.stat(local).type === 'directory') {
      await shell.run(['mkdir', '-p', remote]);
      for (const name of fs.readdir(local)) await copy(`${local}/${name}`, `${remote}/${name}`);
    } else await shell.run(['sh', '-c', 'cat > "$1"', 'sh', remote], fs.readFile(local));
  };
  await copy(from, target);
}

async function download(session: Session, shell: RemoteShell, from: string, to: string): Promise<void> {
  const { fs } = session.process.machine;
  const listing = new TextDecoder()
    .decode(await shell.run(['find', from]))
    .split('\n')
    .filter(Boolean);
  if (listing.length === 0) throw new CliError(`${from}: no such file or directory`);
  let root = to;
  try {
    if (fs.stat(to).type === 'directory' && listing.length === 1) root = `${to}/${from.slice(from.lastIndexOf('/') + 1)}`;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
  for (const path of listing) {
    const local = root + path.slice(from.length);
    const kind = new TextDecoder().decode(await shell.run(['sh', '-c', '[ -d "$1" ] && echo folder || echo file', 'sh', path])).trim();
    if (kind === 'folder') fs.mkdir(local, { recursive: true });
    else fs.writeFile(local, await shell.run(['cat', path]));
  }
}
