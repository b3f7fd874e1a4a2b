import type { ChannelSocket } from '../../transport.ts';
import { Pipe } from '../pipe.ts';
import type { ByteDuplex, PodAccess } from '../pod-access.ts';
import { newBadRequest } from '../status-error.ts';

/**
 * Port-forward as WebSocket channels ("v4.channel.k8s.io"): per port two channels, data (2i) and error (2i+1), each
 * beginning with the port number in two little-endian bytes (models `pkg/kubelet/.../portforward/websocket.go`).
 */
export async function portForwardSocket(
  access: PodAccess,
  namespace: string,
  pod: string,
  ports: readonly number[],
  protocols: readonly string[],
): Promise<ChannelSocket> {
  if (ports.length === 0) throw newBadRequest('you must specify at least 1 port');
  for (const port of ports) if (!Number.isInteger(port) || port < 1 || port > 65_535) throw newBadRequest(`port ${String(port)} must be > 0 and <= 65535`);
  const toClient = new Pipe<Uint8Array>();
  const iterator = toClient[Symbol.asyncIterator]();
  const connections: Promise<ByteDuplex>[] = [];
  const frame = (channel: number, bytes: Uint8Array): Uint8Array => {
    const out = new Uint8Array(bytes.length + 1);
    out[0] = channel;
    out.set(bytes, 1);
    return out;
  };
  for (const [i, port] of ports.entries()) {
    const header = Uint8Array.of(port & 255, port >> 8);
    toClient.push(frame(2 * i, header));
    toClient.push(frame(2 * i + 1, header));
    void pump(i, port);
  }
  async function pump(index: number, port: number): Promise<void> {
    const opening = access.portForward(namespace, pod, port);
    connections[index] = opening;
    try {
      const connection = await opening;
      for (;;) {
        const chunk = await connection.read();
        if (chunk === null) break;
        toClient.push(frame(2 * index, chunk));
      }
      if (ports.length === 1) toClient.close();
    } catch (error) {
      toClient.push(frame(2 * index + 1, new TextEncoder().encode(error instanceof Error ? error.message : String(error))));
    }
  }
  return {
    protocol: protocols.find((protocol) => protocol === 'v4.channel.k8s.io' || protocol === 'v5.channel.k8s.io') ?? 'v4.channel.k8s.io',
    send(message) {
      const channel = message[0] ?? 0;
      if (channel % 2 === 0 && message.length > 1) void connections[channel / 2]?.then((connection) => connection.write(message.slice(1))).catch(() => {});
    },
    async receive() {
      const next = await iterator.next();
      return next.done ? null : next.value;
    },
    close() {
      for (const connection of connections) void connection.then((open) => open.close()).catch(() => {});
      toClient.close();
    },
  };
}
