import { readRequest, writeResponse } from '../../applets/http-carry.ts';
import type { HttpRequest, HttpResponse } from '../../sim/transport.ts';
import { Errno, type Listener, type Socket } from '../../unix/types.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';

/**
 * kubectl proxy: the API without credentials, for programs on this machine (k8s.io/kubectl/pkg/proxy). Each connection
 * carries one request. Left out: upgrades, --www, --unix-socket, addresses other than this machine's.
 */
export async function proxy(session: Session): Promise<void> {
  const { flags, process } = session;
  for (const flag of ['www', 'unix-socket', 'append-server-path']) {
    if (flags.changed(flag)) throw new CliError(`kubectl proxy --${flag} is not simulated yet`);
  }
  const address = flags.text('address');
  // 0 asks for any port that is free.
  const port = flags.number('port') || 40_001;
  const prefix = apiPrefix(flags.text('api-prefix'));
  const filter = filterOf(session, prefix);
  let listener: Listener;
  try {
    listener = process.machine.net.listen(port, address);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw new CliError(`listen tcp ${address}:${port}: bind: ${error.code === 'EADDRINUSE' ? 'address already in use' : 'cannot assign requested address'}`);
  }
  try {
    await session.out(`Starting to serve on ${address}:${port}\n`);
    await process.guard(
      (async () => {
        for (;;) void serve(session, prefix, filter, await listener.accept());
      })(),
    );
  } finally {
    listener.dispose();
  }
}

type Filter = (request: HttpRequest) => HttpResponse | undefined;

/** What is answered without asking the cluster: what the filter forbids, and paths beside --api-prefix. */
function filterOf({ flags }: Session, prefix: string): Filter {
  const patterns = (flag: string): RegExp[] =>
    flags
      .text(flag)
      .split(',')
      .map((source) => {
        try {
          return new RegExp(source);
        } catch {
          throw new CliError(`error parsing regexp: ${source}`);
        }
      });
  const hosts = patterns('accept-hosts');
  const paths = patterns('accept-paths');
  const badPaths = patterns('reject-paths');
  const badMethods = patterns('reject-methods');
  const matches = (list: readonly RegExp[], text: string): boolean => list.some((pattern) => pattern.test(text));
  return ({ method, path, headers }) => {
    const bare = path.replace(/\?.*/, '');
    const host = (headers.host ?? '').replace(/:\d+$/, '');
    const allowed = !matches(badMethods, method) && matches(hosts, host) && matches(paths, bare) && !matches(badPaths, bare);
    if (!allowed && !flags.bool('disable-filter')) return plain(403, 'Forbidden');
    return bare.startsWith(prefix) ? undefined : plain(404, '404 page not found');
  };
}

/** With a slash at both ends. */
function apiPrefix(text: string): string {
  return `/${text.replace(/^\/+|\/+$/g, '')}/`.replace('//', '/');
}

/** As Go's http.Error writes it. */
function plain(status: number, text: string): HttpResponse {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
  return { status, headers, warnings: [], body: new TextEncoder().encode(`${text}\n`) };
}

async function serve(session: Session, prefix: string, filter: Filter, socket: Socket): Promise<void> {
  const gone = new AbortController();
  const stop = (): void => gone.abort();
  session.process.signal.addEventListener('abort', stop);
  try {
    const asked = await readRequest(socket);
    if (!asked) return;
    const { request, version } = asked;
    const answered = filter(request) ?? (await session.client.carry({ ...request, path: `/${request.path.slice(prefix.length)}`, signal: gone.signal }));
    await writeResponse(socket, version, request.method, answered);
  } catch (error) {
    // The client or this command went away.
    if (!(error instanceof Errno || (error instanceof Error && /^(Aborted|Killed)$/.test(error.name)))) throw error;
  } finally {
    session.process.signal.removeEventListener('abort', stop);
    gone.abort();
    socket.close();
  }
}
