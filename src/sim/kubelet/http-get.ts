import type { Kernel } from '../../kernel/index.ts';
import { Errno, type NetworkStack, type Socket } from '../../unix/index.ts';
import type { Container, HTTPGetAction } from '../kinds/types.ts';

/** Outcome of one HTTP request: a status code, or the error in the words of Go's http client. */
export type HttpOutcome = { status: number } | { error: string };

/** A port given as a number or as the name of a container port. Undefined when there is no such port. */
export function resolvePort(port: number | string | undefined, container: Container): number | undefined {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((candidate) => candidate.name === port);
  if (named) return named.containerPort;
  const number = Number(port);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

/** Why a request's leftovers are given up: one for all, since making it is dear, most of all while modules are being read. */
let finished: Error | undefined;

/** One GET as the kubelet sends it (`NewRequestForHTTPGetAction`): probes and HTTP lifecycle hooks. Redirects within the host are followed. */
export async function httpGet(
  stack: NetworkStack,
  action: HTTPGetAction,
  container: Container,
  podIp: string,
  agent: 'probe' | 'lifecycle',
  timeoutMs: number,
  kernel: Kernel,
): Promise<HttpOutcome> {
  const named = resolvePort(action.port, container);
  if (named === undefined) return { error: `couldn't find port: ${JSON.stringify(action.port)} in {}` };
  let port = named;
  let scheme = (action.scheme || 'HTTP').toLowerCase();
  const host = action.host || podIp;
  let path = (action.path || '/').startsWith('/') ? action.path || '/' : `/${action.path}`;
  const fail = (text: string): HttpOutcome => ({ error: `Get "${scheme}://${host}:${port}${path}": ${text}` });
  const abort = new AbortController();
  let socket: Socket | undefined;
  const exchange = async (): Promise<HttpOutcome> => {
    for (let redirects = 0; redirects < 10; redirects++) {
      try {
        socket = await stack.connect(host, port, { timeoutMs, signal: abort.signal });
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        if (error.code === 'ETIMEDOUT') return fail(`dial tcp ${host}:${port}: i/o timeout (Client.Timeout exceeded while awaiting headers)`);
        return fail(`dial tcp ${host}:${port}: connect: ${error.message.toLowerCase()}`);
      }
      try {
        if (scheme === 'https') {
          const { startTls } = await kernel.external(import('../../unix/handshake.ts'));
          const met = await startTls(socket);
          if (met === 'plain' || met === 'closed') return fail(met === 'plain' ? 'http: server gave HTTP response to HTTPS client' : 'EOF');
        }
        await socket.write(new TextEncoder().encode(requestText(`${host}:${port}`, path, action, agent)));
        const head = await readHead(socket);
        const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
        if (!status) {
          return head === ''
            ? fail('EOF')
            : fail(`net/http: HTTP/1.x transport connection broken: malformed HTTP response ${JSON.stringify(head.split('\r\n', 1)[0])}`);
        }
        const location = /\r\nlocation: *(?:(https?):\/\/([^/:\r]*)(?::(\d+))?)?([^\r]*)/i.exec(head);
        if (status < 300 || status >= 400 || !location) return { status };
        if (location[1] !== undefined && location[2] !== host) return { status };
        socket.close();
        if (location[1] !== undefined) {
          scheme = location[1].toLowerCase();
          port = Number(location[3] ?? (scheme === 'https' ? 443 : 80));
        }
        path = location[4]?.startsWith('/') ? location[4] : `${path.replace(/[^/]*$/, '')}${location[4]}`;
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        return fail(error.code === 'ECONNRESET' ? `read tcp ${host}:${port}: read: connection reset by peer` : error.message.toLowerCase());
      }
    }
    return fail('stopped after 10 redirects');
  };
  const outcome = await Promise.race([
    exchange().catch((error: unknown): HttpOutcome => {
      if (abort.signal.aborted) return fail('context canceled');
      throw error;
    }),
    kernel.sleep(timeoutMs).then(() => undefined),
  ]);
  finished ??= new Error('finished');
  abort.abort(finished);
  socket?.close();
  return outcome ?? fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
}

function requestText(host: string, path: string, action: HTTPGetAction, agent: string): string {
  const headers = new Map<string, string>([
    ['Host', host],
    ['User-Agent', `kube-${agent}/1.36`],
    ['Accept', '*/*'],
  ]);
  for (const header of action.httpHeaders ?? []) {
    const name = [...headers.keys()].find((key) => key.toLowerCase() === header.name?.toLowerCase()) ?? header.name ?? '';
    headers.set(name, header.value ?? '');
  }
  return `GET ${path} HTTP/1.1\r\n${[...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('')}Connection: close\r\n\r\n`;
}

async function readHead(socket: Socket): Promise<string> {
  let head = '';
  for (;;) {
    const chunk = await socket.read();
    if (chunk === null) return head;
    head += new TextDecoder().decode(chunk);
    if (head.includes('\r\n\r\n') || head.length > 64 * 1024) return head;
  }
}

/** A TCP connection and nothing more. Undefined when it could be made. */
export async function tcpConnect(stack: NetworkStack, host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  try {
    const socket = await stack.connect(host, port, { timeoutMs });
    socket.close();
    return undefined;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    if (error.code === 'ETIMEDOUT') return `dial tcp ${host}:${port}: i/o timeout`;
    return `dial tcp ${host}:${port}: connect: ${error.message.toLowerCase()}`;
  }
}
