import type { Server } from 'node:http';
import { Kernel, type Player } from '../../kernel/index.ts';
import type { Cluster, PresetName } from '../../sim/cluster.ts';
import { createCluster } from '../../sim/index.ts';
import { nodeClock } from './clock.ts';
import { createDnsServer } from './dns-server.ts';
import { createHttpServer } from './http-server.ts';

export interface ClusterHostOptions {
  /** 0 takes any free port. */
  port: number;
  /** 0 takes any free port; undefined: no DNS. */
  dnsPort?: number;
  /** Loopback unless the user says otherwise. */
  address?: string;
  seed: string;
  /** Virtual seconds per wall second. */
  speed: number;
  preset: PresetName;
}

/** A running cluster behind real sockets. */
export interface ClusterHost {
  readonly cluster: Cluster;
  readonly player: Player;
  readonly url: string;
  readonly dnsPort: number | undefined;
  close(): Promise<void>;
}

/** A message for the person at the terminal, with the remedy in it. */
export class HostError extends Error {}

/** Starts a cluster and its servers. Throws `HostError` when a port is taken. */
export async function startClusterHost(options: ClusterHostOptions): Promise<ClusterHost> {
  const kernel = new Kernel({ seed: options.seed, host: nodeClock });
  const cluster = await createCluster({ kernel, preset: options.preset });
  const address = options.address ?? '127.0.0.1';
  const http = createHttpServer({ kernel, transport: cluster.transport });
  await listen(http, options.port, address);
  const dns = options.dnsPort === undefined ? undefined : createDnsServer(cluster);
  if (dns) {
    await new Promise<void>((resolve, reject) => {
      dns.once('error', (error: NodeJS.ErrnoException) => {
        http.close();
        reject(explain(error, options.dnsPort ?? 0, '--dns-port'));
      });
      dns.bind(options.dnsPort, address, resolve);
    });
  }
  const player = kernel.play(options.speed);
  const bound = http.address();
  const port = typeof bound === 'object' && bound ? bound.port : options.port;
  return {
    cluster,
    player,
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    dnsPort: dns?.address().port,
    async close() {
      dns?.close();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
      player.dispose();
      await player.finished;
      cluster.dispose();
    },
  };
}

function listen(server: Server, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, port, '--port')));
    server.listen(port, address, resolve);
  });
}

function explain(error: NodeJS.ErrnoException, port: number, flag: string): Error {
  if (error.code === 'EADDRINUSE') return new HostError(`port ${port} is taken by another program; choose another with ${flag} (0 takes any free one)`);
  if (error.code === 'EACCES') return new HostError(`port ${port} may not be opened by this user; choose one above 1023 with ${flag}`);
  return error;
}
