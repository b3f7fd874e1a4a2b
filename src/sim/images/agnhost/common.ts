import { type Applet, fromByteText, toByteText } from '../../../applets/applet.ts';
import { SocketReader, sendText } from '../../../applets/http.ts';
import { dial } from '../../../applets/net-clients.ts';
import { resolveHost } from '../../../applets/resolver.ts';
import { acceptLoop, type HttpAnswer, serveConnection } from '../../../applets/web-server.ts';
import { acceptTls } from '../../../unix/handshake.ts';
import { decodeText, encodeText } from '../../../unix/index.ts';
import { untilStopped } from '../until-stopped.ts';

export type Flags = ReadonlyMap<string, string>;
export type Subcommand = (applet: Applet, flags: Flags, operands: readonly string[]) => Promise<number>;

export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  body: string;
  headers: ReadonlyMap<string, string>;
  /** Address and port of the asker. */
  client: string;
}

export const text = (body: string, status = 200): HttpAnswer => ({ status, body: toByteText(body), type: 'text/plain; charset=utf-8' });
export const json = (value: unknown, status = 200): HttpAnswer => text(JSON.stringify(value), status);
export const notFound: HttpAnswer = text('404 page not found\n', 404);
export const redirect = (location: string, status = 302): HttpAnswer => ({ ...text('', status), headers: `Location: ${location}\r\n` });

/** As Go's log.Printf writes it: with the time, on stderr. */
export async function log(applet: Applet, message: string): Promise<void> {
  const [day = '', time = ''] = new Date(applet.process.kernel.now()).toISOString().split('T');
  await applet.process.err(`${day.replaceAll('-', '/')} ${time.slice(0, 8)} ${message}\n`);
}

/** Until the process is told to end. */
export async function forever(applet: Applet): Promise<number> {
  await untilStopped(applet.process);
  return 0;
}

/** An HTTP server on a port, or an HTTPS one. */
export function serve(applet: Applet, port: number, handle: (request: Request) => Promise<HttpAnswer> | HttpAnswer, secure = false): void {
  void acceptLoop(applet, port, async (socket) => {
    if (secure && !(await applet.process.guard(acceptTls(socket)))) return socket.close();
    await serveConnection(applet, socket, {
      root: '/nowhere',
      headers: '',
      handle: async ({ query, ...request }) => handle({ ...request, query: new URLSearchParams(query), client: `${socket.remote.ip}:${socket.remote.port}` }),
    });
  }).catch(() => {});
}

export async function firstAddress(applet: Applet, host: string): Promise<string> {
  const found = await resolveHost(applet.process, host);
  if ('failure' in found || !found.addresses[0]) throw new Error(`lookup ${host}: no such host`);
  return found.addresses[0];
}

export async function askUdp(applet: Applet, host: string, port: number, request: string): Promise<string> {
  const { process } = applet;
  const address = await firstAddress(applet, host);
  return decodeText(await process.guard(process.machine.net.datagram(address, port, encodeText(request), { timeoutMs: 5000, signal: process.signal })));
}

export async function askHttp(applet: Applet, host: string, port: number, path: string): Promise<string> {
  const guard = applet.process.guard.bind(applet.process);
  const socket = await dial(applet, await firstAddress(applet, host), port, 5000);
  try {
    await sendText(socket, guard, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const reader = new SocketReader(socket, guard);
    const head = await reader.head();
    if (!head) throw new Error('EOF');
    let body = '';
    for await (const piece of reader.bodyOf(head)) body += piece;
    return fromByteText(body);
  } finally {
    socket.close();
  }
}

export function parseGoDuration(duration: string): number {
  let ms = 0;
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)(ms|s|m|h)/g)) ms += Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 's'];
  return ms;
}
