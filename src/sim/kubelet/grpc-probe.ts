import type { Kernel } from '../../kernel/index.ts';
import { askGrpcHealth } from '../../unix/handshake.ts';
import { Errno, type NetworkStack, type Socket } from '../../unix/types.ts';
import type { GRPCAction } from '../kinds/types.ts';
import type { ProbeOutcome } from './prober.ts';

/** Asks grpc.health.v1.Health/Check as the kubelet does (models `pkg/probe/grpc`). */
export async function probeGrpc(stack: NetworkStack, host: string, action: GRPCAction, timeoutMs: number, kernel: Kernel): Promise<ProbeOutcome> {
  const address = `${host}:${action.port ?? 0}`;
  const service = action.service ?? '';
  const unreachable: ProbeOutcome = {
    kind: 'failure',
    message: `timeout: failed to connect service "${address}" within ${timeoutMs / 1000}s: context deadline exceeded`,
  };
  let socket: Socket | undefined;
  // A client that reaches no gRPC server goes on trying until its time is over.
  const ask = async (): Promise<ProbeOutcome | undefined> => {
    try {
      socket = await stack.connect(host, action.port ?? 0, { timeoutMs });
      const health = await askGrpcHealth(socket, service);
      if (health === undefined) return undefined;
      if (health === 'SERVING') return { kind: 'success' };
      return health === 'NOT_FOUND'
        ? { kind: 'failure', message: 'error: health rpc failed: rpc error: code = NotFound desc = unknown service' }
        : { kind: 'failure', message: `service unhealthy (responded with "${health}")` };
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      return undefined;
    }
  };
  const late = kernel.sleep(timeoutMs);
  const outcome = await Promise.race([ask(), late.then(() => undefined)]);
  socket?.close();
  if (outcome) return outcome;
  await late;
  return unreachable;
}
