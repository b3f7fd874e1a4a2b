import type { ChannelSocket, HttpRequest, HttpResponse } from '../../sim/transport.ts';
import { SpdyConnection } from './spdy.ts';

/** What kubectl asks for: SPDY inside a WebSocket, or SPDY after an HTTP upgrade. */
export const SPDY_TUNNEL = 'SPDY/3.1+portforward.k8s.io';
export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io';

export function isPortForward(path: string): boolean {
  return /\/pods\/[^/]+\/portforward(\?|$)/.test(path);
}

interface Pair {
  error?: number;
  data?: number;
  port: number;
  socket?: ChannelSocket;
  /** What came before the port was open. */
  early: Uint8Array[];
}

/**
 * Serves kubectl's port-forward over one SPDY connection: for each local connection the client opens an error stream and
 * a data stream with the same requestID; each pair becomes one conversation with the Pod's port, asked of the API server
 * over its own channel protocol. `open` asks it; `send` writes to the client.
 */
export function servePortForward(options: {
  request: HttpRequest;
  open(request: HttpRequest): Promise<ChannelSocket | HttpResponse>;
  /** Runs something as an input of the simulation. */
  enter(work: () => void): void;
  send(bytes: Buffer): void;
}): { receive(bytes: Buffer): void; close(): void } {
  const pairs = new Map<string, Pair>();
  const byStream = new Map<number, Pair>();
  const connection = new SpdyConnection({
    send: options.send,
    onStream(id, headers) {
      connection.reply(id);
      const key = headers.get('requestid') ?? headers.get('port') ?? '';
      const pair = pairs.get(key) ?? { port: Number(headers.get('port')), early: [] };
      pairs.set(key, pair);
      byStream.set(id, pair);
      if (headers.get('streamtype') === 'error') pair.error = id;
      else pair.data = id;
      if (pair.error !== undefined && pair.data !== undefined) void start(pair, key);
    },
    onData(id, bytes) {
      const pair = byStream.get(id);
      if (!pair || pair.data !== id || bytes.length === 0) return;
      if (pair.socket) forward(pair.socket, bytes);
      else pair.early.push(Uint8Array.from(bytes));
    },
    onReset(id) {
      const pair = byStream.get(id);
      if (pair?.socket) options.enter(() => pair.socket?.close());
    },
  });

  function forward(socket: ChannelSocket, bytes: Uint8Array): void {
    const message = new Uint8Array(bytes.length + 1);
    message.set(bytes, 1);
    options.enter(() => socket.send(message));
  }

  async function start(pair: Pair, key: string): Promise<void> {
    const { error = 0, data = 0 } = pair;
    const path = `${options.request.path.split('?')[0]}?ports=${pair.port}`;
    try {
      const socket = await options.open({ ...options.request, path });
      if (!('receive' in socket)) throw new Error(Buffer.from(socket.body ?? new Uint8Array()).toString());
      pair.socket = socket;
      for (const bytes of pair.early.splice(0)) forward(socket, bytes);
      // Each channel begins with the port number.
      const begun = new Set<number>();
      for (;;) {
        const message = await socket.receive();
        if (message === null) break;
        const channel = message[0] ?? 0;
        if (!begun.has(channel)) begun.add(channel);
        else if (channel === 0) connection.data(data, message.subarray(1));
        else throw new Error(Buffer.from(message.subarray(1)).toString());
      }
    } catch (problem) {
      connection.data(error, Buffer.from(problem instanceof Error ? problem.message : String(problem)));
    }
    connection.data(error, new Uint8Array(), true);
    connection.data(data, new Uint8Array(), true);
    pairs.delete(key);
    byStream.delete(error);
    byStream.delete(data);
  }

  return {
    receive: (bytes) => connection.receive(bytes),
    close() {
      for (const pair of pairs.values()) options.enter(() => pair.socket?.close());
      connection.close();
    },
  };
}
