import type { HttpRequest, HttpResponse } from '../sim/transport.ts';
import type { Socket } from '../unix/types.ts';
import type { HttpHead } from './http.ts';
import { SocketReader } from './http.ts';
import { REASONS } from './http-reasons.ts';

/** Carries HTTP between a simulated socket and a Transport: for servers whose answers come from the API server. */

/** The request on a new connection; undefined when the client closed before. `version` is the one it speaks ("HTTP/1.1"). */
export async function readRequest(socket: Socket): Promise<{ request: HttpRequest; version: string; head: HttpHead } | undefined> {
  const reader = new SocketReader(socket, (work) => work);
  const head = await reader.head();
  if (!head) return undefined;
  const [method = 'GET', path = '/', version = 'HTTP/1.1'] = head.line.split(' ');
  let body = '';
  const length = Number(head.headers.get('content-length') ?? 0);
  if (length > 0) for await (const piece of reader.body(length)) body += piece;
  const bytes = body === '' ? {} : { body: Uint8Array.from(body, (char) => char.charCodeAt(0)) };
  return { request: { method, path, headers: Object.fromEntries(head.headers), ...bytes }, version, head };
}

/** Writes a whole answer, streams included. Does not close the socket. Throws Errno when the client went away. */
export async function writeResponse(socket: Socket, version: string, method: string, response: HttpResponse): Promise<void> {
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
