import { readRequest, writeResponse } from '../../applets/http-carry.ts';
import { Aborted } from '../../kernel/index.ts';
import { acceptTls } from '../../unix/handshake.ts';
import { Errno, type Socket } from '../../unix/types.ts';
import type { Transport } from '../transport.ts';

/**
 * The API server as Pods reach it: HTTPS on the server node's port 6443, behind the Service `kubernetes`. Whoever brings no
 * token is system:anonymous, as with --anonymous-auth (the transport itself takes requests without one for the owner's).
 * Left out: client certificates, upgrades (exec and the like), several requests on a connection.
 */
export async function serveSecurely(transport: Transport, socket: Socket): Promise<void> {
  const gone = new AbortController();
  try {
    if (!(await acceptTls(socket, { certifiedByCluster: true }))) return;
    const asked = await readRequest(socket);
    if (!asked) return;
    const { request, version } = asked;
    const headers: Record<string, string> = { ...request.headers };
    if (!/^bearer /i.test(headers.authorization ?? '')) {
      for (const name of Object.keys(headers)) if (name.startsWith('impersonate-')) delete headers[name];
      Object.assign(headers, { 'impersonate-user': 'system:anonymous', 'impersonate-group': 'system:unauthenticated' });
    }
    await writeResponse(socket, version, request.method, await transport.request({ ...request, headers, signal: gone.signal }));
  } catch (error) {
    // The client went away.
    if (!(error instanceof Errno || error instanceof Aborted)) throw error;
  } finally {
    gone.abort();
    socket.close();
  }
}
