import { Aborted, type Kernel } from '../kernel/index.ts';
import { ByteQueue } from './pipe.ts';
import { Errno, type Listener, type NetworkStack, type Socket } from './types.ts';

/** A network stack with nothing but the loopback interface: a machine without a network, such as the reader's laptop. */
export function loopbackNetwork(_kernel: Kernel): NetworkStack {
  const ip = '127.0.0.1';
  const ports = new Map<number, { accept(socket: Socket): void }>();
  let nextPort = 40_000;
  return {
    ip,
    listen(port) {
      if (ports.has(port)) throw new Errno('EADDRINUSE');
      const waiting: Socket[] = [];
      const takers: { take(socket: Socket): void; fail(error: Error): void }[] = [];
      ports.set(port, {
        accept(socket) {
          const taker = takers.shift();
          if (taker) taker.take(socket);
          else waiting.push(socket);
        },
      });
      const listener: Listener = {
        accept() {
          const socket = waiting.shift();
          if (socket) return Promise.resolve(socket);
          return new Promise((take, fail) => takers.push({ take, fail }));
        },
        dispose() {
          ports.delete(port);
          for (const taker of takers.splice(0)) taker.fail(new Aborted());
          for (const socket of waiting.splice(0)) socket.close();
        },
      };
      return listener;
    },
    async connect(target, port) {
      if (target !== ip) throw new Errno('ENETUNREACH');
      const server = ports.get(port);
      if (!server) throw new Errno('ECONNREFUSED');
      const [near, far] = socketPair({ ip, port: nextPort++ }, { ip, port });
      server.accept(far);
      return near;
    },
    async datagram(target) {
      throw new Errno(target === ip ? 'ECONNREFUSED' : 'ENETUNREACH');
    },
    listenDatagrams: () => ({ dispose: () => undefined }),
    async ping(target) {
      if (target !== ip) throw new Errno('ENETUNREACH');
      return 0.05;
    },
    listening: () => [...ports.keys()].map((port) => ({ protocol: 'tcp' as const, ip: '0.0.0.0', port })),
  };
}

type Address = { ip: string; port: number };

/** Two connected sockets with 64 KiB of buffer in each direction. */
export function socketPair(near: Address, far: Address): [Socket, Socket] {
  const forth = new ByteQueue();
  const back = new ByteQueue();
  const side = (local: Address, remote: Address, incoming: ByteQueue, outgoing: ByteQueue): Socket => ({
    local,
    remote,
    read: (signal?: AbortSignal) => incoming.read(signal),
    write: (chunk) => outgoing.write(chunk),
    end: () => outgoing.closeWrite(),
    close() {
      outgoing.closeWrite();
      incoming.closeRead();
      // Whoever still reads this end is told that it is over.
      incoming.closeWrite();
    },
  });
  return [side(near, far, back, forth), side(far, near, forth, back)];
}
