import { Aborted, type Disposable, toDisposable } from '../../kernel/index.ts';
import { Errno, type Listener, type NetworkStack, type Socket } from '../../unix/types.ts';
import type { StreamEnd } from './stream.ts';

export type DatagramHandler = Parameters<NetworkStack['listenDatagrams']>[1];

/** What a namespace asks of the network it hangs in. */
export interface Fabric {
  connect(from: NetworkNamespace, ip: string, port: number, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<StreamEnd>;
  datagram(from: NetworkNamespace, ip: string, port: number, payload: Uint8Array, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Uint8Array>;
  ping(from: NetworkNamespace, ip: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<number>;
}

class ListeningSocket implements Listener {
  readonly port: number;
  readonly host: string;
  #backlog: Socket[] = [];
  #acceptors: { resolve: (socket: Socket) => void; reject: (error: Error) => void }[] = [];
  #closed = false;
  #onClose: () => void;

  constructor(port: number, host: string, onClose: () => void) {
    this.port = port;
    this.host = host;
    this.#onClose = onClose;
  }

  accept(): Promise<Socket> {
    const waiting = this.#backlog.shift();
    if (waiting) return Promise.resolve(waiting);
    if (this.#closed) return Promise.reject(new Aborted('listener closed'));
    return new Promise((resolve, reject) => this.#acceptors.push({ resolve, reject }));
  }

  offer(socket: Socket): void {
    const acceptor = this.#acceptors.shift();
    if (acceptor) acceptor.resolve(socket);
    else this.#backlog.push(socket);
  }

  dispose(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const acceptor of this.#acceptors.splice(0)) acceptor.reject(new Aborted('listener closed'));
    for (const socket of this.#backlog.splice(0)) socket.close();
    this.#onClose();
  }
}

/** A network namespace: one address, its bound ports. A Pod's, a node's (shared by hostNetwork Pods), or the outside's. */
export class NetworkNamespace {
  readonly ip: string;
  readonly kind: 'pod' | 'node' | 'outside';
  /** Name of the node it is on; undefined outside the cluster. */
  readonly node: string | undefined;
  readonly fabric: Fabric;
  /** False once detached: nothing answers here any more. */
  up = true;
  #tcp = new Map<number, ListeningSocket>();
  #udp = new Map<number, DatagramHandler>();
  #nextPort: number;

  constructor(fabric: Fabric, kind: 'pod' | 'node' | 'outside', ip: string, node: string | undefined, firstEphemeralPort: number) {
    this.fabric = fabric;
    this.kind = kind;
    this.ip = ip;
    this.node = node;
    this.#nextPort = firstEphemeralPort;
  }

  /** Ports 32768 to 60999, as Linux has them. */
  ephemeralPort(): number {
    this.#nextPort = this.#nextPort >= 60999 ? 32768 : this.#nextPort + 1;
    return this.#nextPort;
  }

  listen(port: number, host: string): ListeningSocket {
    const chosen = port === 0 ? this.ephemeralPort() : port;
    if (this.#tcp.has(chosen)) throw new Errno('EADDRINUSE');
    const listener = new ListeningSocket(chosen, host, () => this.#tcp.delete(chosen));
    this.#tcp.set(chosen, listener);
    return listener;
  }

  /** The listener that a packet to `ip` reaches; a socket bound to 127.0.0.1 is not seen from outside. */
  listenerFor(port: number, ip: string): ListeningSocket | undefined {
    const listener = this.#tcp.get(port);
    return listener && reaches(listener.host, ip) ? listener : undefined;
  }

  listenDatagrams(port: number, handler: DatagramHandler): Disposable {
    if (this.#udp.has(port)) throw new Errno('EADDRINUSE');
    this.#udp.set(port, handler);
    return toDisposable(() => {
      if (this.#udp.get(port) === handler) this.#udp.delete(port);
    });
  }

  datagramHandler(port: number): DatagramHandler | undefined {
    return this.#udp.get(port);
  }

  listening(): { protocol: 'tcp' | 'udp'; ip: string; port: number }[] {
    return [
      ...[...this.#tcp.values()].map((listener) => ({ protocol: 'tcp' as const, ip: listener.host, port: listener.port })),
      ...[...this.#udp.keys()].map((port) => ({ protocol: 'udp' as const, ip: '0.0.0.0', port })),
    ];
  }
}

function reaches(boundTo: string, ip: string): boolean {
  return boundTo === '0.0.0.0' || boundTo === '::' || boundTo === ip || (boundTo.startsWith('127.') && ip.startsWith('127.'));
}

/**
 * One container's view of a namespace. What it opened is closed with it, so that a restarted container finds its port free.
 */
export class OwnedStack implements NetworkStack, Disposable {
  readonly #namespace: NetworkNamespace;
  #owned = new Set<Disposable>();
  #disposed = false;

  constructor(namespace: NetworkNamespace) {
    this.#namespace = namespace;
  }

  get ip(): string {
    return this.#namespace.ip;
  }

  listen(port: number, host = '0.0.0.0'): Listener {
    const listener = this.#namespace.listen(port, host);
    return this.#own(
      {
        accept: async () => {
          const socket = (await listener.accept()) as StreamEnd;
          this.#ownSocket(socket);
          return socket;
        },
        dispose: () => listener.dispose(),
      },
      listener,
    );
  }

  async connect(ip: string, port: number, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<Socket> {
    const socket = await this.#namespace.fabric.connect(this.#namespace, ip, port, options);
    if (this.#disposed) {
      socket.close();
      throw new Aborted('network gone');
    }
    this.#ownSocket(socket);
    return socket;
  }

  datagram(ip: string, port: number, payload: Uint8Array, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Uint8Array> {
    return this.#namespace.fabric.datagram(this.#namespace, ip, port, payload, options);
  }

  listenDatagrams(port: number, handler: DatagramHandler): Disposable {
    const handle = this.#namespace.listenDatagrams(port, handler);
    return this.#own(handle, handle);
  }

  ping(ip: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<number> {
    return this.#namespace.fabric.ping(this.#namespace, ip, options);
  }

  listening(): readonly { protocol: 'tcp' | 'udp'; ip: string; port: number }[] {
    return this.#namespace.listening();
  }

  /** Closes every listener and connection that was opened through this view: its processes are gone. */
  dispose(): void {
    this.#disposed = true;
    for (const item of [...this.#owned]) item.dispose();
    this.#owned.clear();
  }

  #own<T extends Disposable>(handle: T, inner: Disposable): T {
    const entry = toDisposable(() => inner.dispose());
    this.#owned.add(entry);
    return {
      ...handle,
      dispose: () => {
        this.#owned.delete(entry);
        inner.dispose();
      },
    };
  }

  #ownSocket(socket: StreamEnd): void {
    const entry = toDisposable(() => socket.close());
    this.#owned.add(entry);
    socket.onClosed = () => this.#owned.delete(entry);
  }
}
