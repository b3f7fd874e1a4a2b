import { createSocket, type Socket } from 'node:dgram';
import type { Cluster } from '../../sim/cluster.ts';

/** CoreDNS of the simulated cluster over real UDP. A packet it cannot read is dropped, as CoreDNS drops it. */
export function createDnsServer(cluster: Cluster): Socket {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    cluster.kernel.input(() => {
      void cluster.queryDns(new Uint8Array(message)).then((answer) => {
        if (answer) socket.send(answer, from.port, from.address);
      });
    });
  });
  return socket;
}
