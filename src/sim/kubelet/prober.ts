import type { Container, Probe } from '../kinds/types.ts';
import { execInContainer } from './exec-in-container.ts';
import { expand } from './expansion.ts';
import { httpGet, resolvePort, tcpConnect } from './http-get.ts';
import type { Kubelet } from './kubelet.ts';
import type { PodWorker } from './pod-worker.ts';
import type { RuntimeContainer } from './runtime.ts';

export type ProbeOutcome =
  | { kind: 'success' }
  | { kind: 'warning'; message: string }
  | { kind: 'failure'; message: string }
  /** The probe itself went wrong: no verdict. */
  | { kind: 'error'; message: string };

/**
 * Runs one probe (models `prober.runProbe` and `pkg/probe`).
 */
export async function runProbe(kubelet: Kubelet, worker: PodWorker, spec: Container, container: RuntimeContainer, probe: Probe): Promise<ProbeOutcome> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const podIp = worker.podIps[0] ?? kubelet.nodeIp;
  if (probe.exec) {
    const fixed = new Map((spec.env ?? []).filter((entry) => entry.value).map((entry) => [entry.name ?? '', entry.value ?? '']));
    const command = (probe.exec.command ?? []).map((word) => expand(word, (name) => fixed.get(name)));
    const outcome = await execInContainer(kubelet, container, command, timeoutMs);
    if ('problem' in outcome) return { kind: 'error', message: `rpc error: code = ${outcome.code} desc = ${outcome.problem}` };
    if ('timedOut' in outcome)
      return { kind: 'failure', message: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutMs / 1000}s` };
    return outcome.exitCode === 0 ? { kind: 'success' } : { kind: 'failure', message: outcome.output };
  }
  const stack = kubelet.network.nodeStack(kubelet.nodeName);
  if (probe.httpGet) {
    const outcome = await httpGet(stack, probe.httpGet, spec, podIp, 'probe', timeoutMs, kubelet.kernel);
    if ('error' in outcome) return { kind: 'failure', message: outcome.error };
    if (outcome.status >= 300 && outcome.status < 400) return { kind: 'warning', message: 'Probe terminated redirects, Response body: ' };
    return outcome.status >= 200 && outcome.status < 300
      ? { kind: 'success' }
      : { kind: 'failure', message: `HTTP probe failed with statuscode: ${outcome.status}` };
  }
  if (probe.tcpSocket) {
    const port = resolvePort(probe.tcpSocket.port, spec);
    if (port === undefined) return { kind: 'error', message: `couldn't find port: ${JSON.stringify(probe.tcpSocket.port)} in {}` };
    const problem = await tcpConnect(stack, probe.tcpSocket.host || podIp, port, timeoutMs);
    return problem === undefined ? { kind: 'success' } : { kind: 'failure', message: problem };
  }
  if (probe.grpc) {
    const { probeGrpc } = await kubelet.kernel.external(import('./grpc-probe.ts'));
    return probeGrpc(stack, podIp, probe.grpc, timeoutMs, kubelet.kernel);
  }
  return { kind: 'error', message: `missing probe handler for ${worker.pod.metadata?.name}_${worker.pod.metadata?.namespace}(${worker.uid}):${spec.name}` };
}
