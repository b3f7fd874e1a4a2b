import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Kernel } from '../../kernel/index.ts';
import { loadSchema } from '../../sim/apiserver/schema.ts';
import type { ChannelSocket, HttpRequest, HttpResponse, Transport } from '../../sim/transport.ts';
import { protobufToJson } from './protobuf-body.ts';
import { isPortForward, PORT_FORWARD_PROTOCOL, SPDY_TUNNEL, servePortForward } from './spdy-port-forward.ts';
import { channelFrames, type Frames, readerFrames } from './web-socket-frames.ts';

/** What the simulator speaks. */
const CHANNELS = 'v5.channel.k8s.io';
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
    const request = await asJson(toRequest(incoming, body, abort.signal));
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
    if (isPortForward(incoming.url ?? '') && (protocols.includes(SPDY_TUNNEL) || incoming.headers.upgrade === 'SPDY/3.1')) {
      void tunnel(incoming, socket, head, toRequest(incoming, undefined, abort.signal));
      return;
    }
    const [path = '', query] = (incoming.url ?? '').split('?');
    const isWatch = /^(true|1)$/.test(new URLSearchParams(query).get('watch') ?? '');
    if (path.endsWith('/log') || isWatch) {
      void read(incoming, socket, head, toRequest(incoming, undefined, abort.signal), readerFrames(protocols, isWatch));
      return;
    }
    const frames = channelFrames(protocols);
    void enter(() => transport.upgrade(toRequest(incoming, undefined, abort.signal), frames ? [CHANNELS] : protocols)).then(
      (result) => {
        if (!('receive' in result)) {
          refuse(socket, result);
          return;
        }
        accept(incoming, socket, head, frames ? frames.protocol : result.protocol, (webSocket) => bridge(kernel, webSocket, result, frames));
      },
      (error: unknown) => refuse(socket, { status: 500, headers: {}, warnings: [], body: Buffer.from(String(error)) }),
    );
  });

  function accept(incoming: IncomingMessage, socket: Duplex, head: Buffer, protocol: string | undefined, opened: (webSocket: WebSocket) => void): void {
    if (protocol !== undefined) (incoming as IncomingMessage & { chosenProtocol?: string }).chosenProtocol = protocol;
    webSockets.handleUpgrade(incoming, socket, head, opened);
  }

  /** Logs and watches may be read over a WebSocket: the body in frames. */
  async function read(incoming: IncomingMessage, socket: Duplex, head: Buffer, request: HttpRequest, frames: Frames): Promise<void> {
    const response = await enter(() => transport.request(request));
    if (response.status !== 200) return refuse(socket, response);
    accept(incoming, socket, head, frames.protocol, (webSocket) => {
      webSocket.on('error', () => webSocket.terminate());
      void (async () => {
        const send = (chunk: Uint8Array): void => webSocket.send(frames.out(chunk) ?? '');
        if (response.body) send(response.body);
        for await (const chunk of response.stream ?? []) send(chunk);
        webSocket.close(1000);
      })();
    });
  }

  /** kubectl's port-forward speaks SPDY, in a WebSocket or bare. The Pod is asked for first, so that a refusal is an answer. */
  async function tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer, request: HttpRequest): Promise<void> {
    const podPath = (request.path.split('?')[0] ?? '').replace(/\/portforward$/, '');
    const known = await enter(() =>
      transport.request({ ...request, method: 'GET', path: podPath, headers: { ...request.headers, accept: 'application/json' } }),
    );
    if (known.status !== 200) return refuse(socket, known);
    const open = (inner: HttpRequest): Promise<ChannelSocket | HttpResponse> => enter(() => transport.upgrade(inner, ['v4.channel.k8s.io']));
    const common = { request, open, enter: (work: () => void) => kernel.input(work) };
    if (incoming.headers.upgrade === 'SPDY/3.1') {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${PORT_FORWARD_PROTOCOL}\r\n\r\n`,
      );
      const bare = servePortForward({ ...common, send: (bytes) => void socket.write(bytes) });
      socket.on('data', (bytes: Buffer) => bare.receive(bytes));
      socket.on('close', () => bare.close());
      if (head.length > 0) bare.receive(head);
      return;
    }
    accept(incoming, socket, head, SPDY_TUNNEL, (webSocket) => {
      const inside = servePortForward({ ...common, send: (bytes) => webSocket.send(bytes) });
      webSocket.on('message', (data: Buffer) => inside.receive(data));
      webSocket.on('close', () => inside.close());
      webSocket.on('error', () => webSocket.terminate());
    });
  }
  return server;
}

/** Typed clients (kubectl create, client-go) send protobuf: the API server reads JSON. What cannot be read is left to it to refuse. */
async function asJson(request: HttpRequest): Promise<HttpRequest> {
  if (!request.body || !request.headers['content-type']?.startsWith('application/vnd.kubernetes.protobuf')) return request;
  await loadSchema();
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

function bridge(kernel: Kernel, webSocket: WebSocket, channel: ChannelSocket, frames: Frames | undefined): void {
  webSocket.on('message', (data: Buffer | Buffer[] | ArrayBuffer) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data as ArrayBuffer);
    kernel.input(() => channel.send(frames ? frames.in(bytes) : bytes));
  });
  webSocket.on('close', () => kernel.input(() => channel.close()));
  webSocket.on('error', () => webSocket.terminate());
  void (async () => {
    for (;;) {
      const message = await channel.receive();
      if (message === null) break;
      const shown = frames ? frames.out(message) : message;
      if (shown !== undefined) webSocket.send(shown);
    }
    webSocket.close(1000);
  })();
}
