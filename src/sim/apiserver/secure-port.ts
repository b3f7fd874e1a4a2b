import { SocketReader } from '../../applets/http.ts';
import { Aborted } from '../../kernel/index.ts';
import { acceptTls } from '../../unix/handshake.ts';
import { Errno, type Socket } from '../../unix/types.ts';
import type { HttpResponse, Transport } from '../transport.ts';

/**
 * The API server as Pods reach it: HTTPS on the server node's port 6443, behind the Service `kubernetes`. Whoever brings no
 * token is system:anonymous, as with --anonymous-auth (the transport itself takes requests without one for the owner's).
 * Left out: client certificates, upgrades (exec and the like), several requests on a connection.
 */
export async function serveSecurely(transport: Transport, socket: Socket): Promise<void> {
  try {
    if (!(await acceptTls(socket, { certifiedByCluster: true }))) return;
    const reader = new SocketReader(socket, (work) => work);
    const head = await reader.head();
    if (!head) return;
    const [method = 'GET', path = '/', version = 'HTTP/1.1'] = head.line.split(' ');
    let body = '';
    const length = Number(head.headers.get('content-length') ?? 0);
    if (length > 0) for await (const piece of reader.body(length)) body += piece;
    const headers = Object.fromEntries(head.headers);
    if (!/^bearer /i.test(headers.authorization ?? '')) {
      for (const name of Object.keys(headers)) if (name.startsWith('impersonate-')) delete headers[name];
      Object.assign(headers, { 'impersonate-user': 'system:anonymous', 'impersonate-group': 'system:unauthenticated' });
    }
    const gone = new AbortController();
    const request = { method, path, headers, signal: gone.signal, ...(body === '' ? {} : { body: Uint8Array.from(body, (char) => char.charCodeAt(0)) }) };
    try {
      await answer(socket, version, method, await transport.request(request));
    } finally {
      gone.abort();
    }
  } catch (error) {
    // The client went away.
    if (!(error instanceof Errno || error instanceof Aborted)) throw error;
  } finally {
    socket.close();
  }
}

async function answer(socket: Socket, version: string, method: string, response: HttpResponse): Promise<void> {
  const modern = version === 'HTTP/2';
  const reason = modern ? '' : (REASONS[response.status] ?? '');
  const named = (name: string): string => (modern ? name.toLowerCase() : name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase()));
  const lines = [`${version} ${response.status} ${reason}`, ...Object.entries(response.headers).map(([name, value]) => `${named(name)}: ${value}`)];
  for (const warning of response.warnings) lines.push(`${named('warning')}: ${warning}`);
  const known = Object.keys(response.headers).some((name) => name.toLowerCase() === 'content-length');
  if (response.body && !known) lines.push(`${named('content-length')}: ${response.body.length}`);
  if (!response.body && !modern) lines.push('Connection: close');
  await socket.write(new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`));
  if (method === 'HEAD') return;
  if (response.body) await socket.write(response.body.slice());
  for await (const chunk of response.stream ?? []) await socket.write(chunk.slice());
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  410: 'Gone',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
