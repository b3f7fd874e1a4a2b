import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Kernel } from '../../kernel/index.ts';
import type { ChannelSocket, HttpRequest, HttpResponse, Transport } from '../../sim/transport.ts';
import { protobufToJson } from './protobuf-body.ts';

/** The real server's limit is 3 MiB; a little more is read so that the API server itself can refuse. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/** Serves the API over HTTP and WebSocket. Requests enter the simulation as inputs of its kernel. */
export function createHttpServer(options: { kernel: Kernel; transport: Transport }): Server {
  const { kernel, transport } = options;
  const enter = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      kernel.input(() => void work().then(resolve, reject));
    });

  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing).catch((error: unknown) => {
      if (!outgoing.headersSent) outgoing.writeHead(500, { 'content-type': 'text/plain' });
      outgoing.end(String(error));
    });
  });

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const abort = new AbortController();
    outgoing.on('close', () => abort.abort());
    const body = await readBody(incoming);
    const request = asJson(toRequest(incoming, body, abort.signal));
    const response = await enter(() => transport.request(request));
    writeHead(outgoing, response);
    if (response.body) outgoing.write(response.body);
    if (response.stream) {
      // Headers go out at once: a watch may stay silent for minutes.
      outgoing.flushHeaders();
      for await (const chunk of response.stream) {
        if (abort.signal.aborted) break;
        if (!outgoing.write(chunk)) await new Promise<void>((resolve) => outgoing.once('drain', resolve).once('close', resolve));
      }
    }
    outgoing.end();
  }

  const webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (_, request) => (request as IncomingMessage & { chosenProtocol?: string }).chosenProtocol ?? false,
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const protocols = String(incoming.headers['sec-websocket-protocol'] ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    const abort = new AbortController();
    socket.on('close', () => abort.abort());
    socket.on('error', () => abort.abort());
    void enter(() => transport.upgrade(toRequest(incoming, undefined, abort.signal), protocols)).then(
      (result) => {
        if (!('receive' in result)) {
          refuse(socket, result);
          return;
        }
        (incoming as IncomingMessage & { chosenProtocol?: string }).chosenProtocol = result.protocol;
        webSockets.handleUpgrade(incoming, socket, head, (webSocket) => bridge(kernel, webSocket, result));
      },
      (error: unknown) => refuse(socket, { status: 500, headers: {}, warnings: [], body: Buffer.from(String(error)) }),
    );
  });
  return server;
}

/** Typed clients (kubectl create, client-go) send protobuf: the API server reads JSON. What cannot be read is left to it to refuse. */
function asJson(request: HttpRequest): HttpRequest {
  if (!request.body || !request.headers['content-type']?.startsWith('application/vnd.kubernetes.protobuf')) return request;
  try {
    const body = new TextEncoder().encode(protobufToJson(request.body));
    return { ...request, headers: { ...request.headers, 'content-type': 'application/json' }, body };
  } catch {
    return request;
  }
}

async function readBody(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
  }
  return size === 0 ? undefined : Buffer.concat(chunks);
}

function toRequest(incoming: IncomingMessage, body: Uint8Array | undefined, signal: AbortSignal): HttpRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  return { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers, body, signal };
}

function writeHead(outgoing: ServerResponse, response: HttpResponse): void {
  const headers: Record<string, string | string[]> = { ...response.headers };
  if (response.warnings.length > 0) headers.warning = [...response.warnings];
  if (response.body && !response.stream) headers['content-length'] = String(response.body.length);
  outgoing.writeHead(response.status, headers);
}

function refuse(socket: Duplex, response: HttpResponse): void {
  const body = Buffer.from(response.body ?? new Uint8Array());
  const head = [`HTTP/1.1 ${response.status} ${response.status === 404 ? 'Not Found' : 'Refused'}`, 'Connection: close', `Content-Length: ${body.length}`];
  for (const [name, value] of Object.entries(response.headers)) if (name !== 'content-length') head.push(`${name}: ${value}`);
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
}

function bridge(kernel: Kernel, webSocket: WebSocket, channel: ChannelSocket): void {
  webSocket.on('message', (data: Buffer | Buffer[] | ArrayBuffer) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data as ArrayBuffer);
    kernel.input(() => channel.send(bytes));
  });
  webSocket.on('close', () => kernel.input(() => channel.close()));
  webSocket.on('error', () => webSocket.terminate());
  void (async () => {
    for (;;) {
      const message = await channel.receive();
      if (message === null) break;
      webSocket.send(message);
    }
    webSocket.close(1000);
  })();
}
