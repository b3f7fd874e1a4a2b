import { callbackSink, concatBytes, Errno, nullFile } from '../../unix/index.ts';
import type { Kubelet } from './kubelet.ts';
import { startFailure } from './machine-launcher.ts';
import type { RuntimeContainer } from './runtime.ts';

/** What a command in a container left. */
export type ExecOutcome =
  | { exitCode: number; output: string }
  /** It did not end in time. */
  | { timedOut: true; output: string }
  /** It could not be started: the runtime's words. */
  | { problem: string; code: 'Unknown' | 'NotFound' };

const MAX_OUTPUT_BYTES = 10 * 1024;

/** Runs a command in a container and waits for it (CRI ExecSync): probes and lifecycle hooks. Without a timeout it waits for ever. */
export async function execInContainer(kubelet: Kubelet, container: RuntimeContainer, command: readonly string[], timeoutMs?: number): Promise<ExecOutcome> {
  if (container.state !== 'running' || !container.process) return { problem: taskNotFound(container), code: 'NotFound' };
  const machine = container.process.machine();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const sink = callbackSink((chunk) => {
    if (bytes >= MAX_OUTPUT_BYTES) return;
    chunks.push(chunk);
    bytes += chunk.length;
  });
  const output = (): string => new TextDecoder().decode(concatBytes(chunks).subarray(0, MAX_OUTPUT_BYTES));
  try {
    const process = machine.start(command, {
      env: container.environment,
      cwd: container.cwd,
      stdin: nullFile(),
      stdout: sink,
      stderr: sink,
      uid: container.user.uid,
      gid: container.user.gid,
      asInit: false,
    });
    const ended = process.exited.then((status): ExecOutcome => ({ exitCode: status.code, output: output() }));
    if (timeoutMs === undefined) return await ended;
    const first = await Promise.race([ended, kubelet.kernel.sleep(timeoutMs).then((): ExecOutcome => ({ timedOut: true, output: output() }))]);
    if ('timedOut' in first) process.kill('SIGKILL');
    return first;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    return { problem: execFailure(kubelet, command, error), code: 'Unknown' };
  }
}

/** containerd's words when runc cannot start an exec. */
export function execFailure(kubelet: Kubelet, command: readonly string[], error: Errno): string {
  return `failed to exec in container: failed to start exec "${kubelet.runtime.newId()}": OCI runtime exec failed: exec failed: ${startFailure(command[0] ?? '', error)}`;
}

/** containerd's words for an exec in a container that has ended. */
export function taskNotFound(container: RuntimeContainer): string {
  return `failed to exec in container: failed to load task: no running task found: task ${container.id} not found`;
}
