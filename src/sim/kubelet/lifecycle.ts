import type { Container, HTTPGetAction, LifecycleHandler } from '../kinds/types.ts';
import { execInContainer } from './exec-in-container.ts';
import { httpGet } from './http-get.ts';
import type { PodWorker } from './pod-worker.ts';
import type { RuntimeContainer } from './runtime.ts';

const HTTP_HOOK_TIMEOUT_MS = 120_000;

/** Runs a lifecycle handler (postStart, preStop). Resolves to a text when it failed. */
export async function runHandler(worker: PodWorker, container: RuntimeContainer, spec: Container, handler: LifecycleHandler): Promise<string | undefined> {
  const { kubelet } = worker;
  if (handler.sleep) {
    await kubelet.sleep((handler.sleep.seconds ?? 0) * 1000);
    return undefined;
  }
  const identity = `Container ${JSON.stringify(spec.name)} in Pod "${worker.pod.metadata?.name}_${worker.pod.metadata?.namespace}(${worker.uid})"`;
  if (handler.exec) {
    const command = handler.exec.command ?? [];
    const outcome = await execInContainer(kubelet, container, command);
    if ('exitCode' in outcome && outcome.exitCode === 0) return undefined;
    const problem =
      'exitCode' in outcome ? `command '${command.join(' ')}' exited with ${outcome.exitCode}` : 'problem' in outcome ? outcome.problem : 'timed out';
    const output = 'output' in outcome ? outcome.output : '';
    return `Exec lifecycle hook ([${command.join(' ')}]) for ${identity} failed - error: ${problem}: ${output}, message: ${JSON.stringify(output)}`;
  }
  if (handler.httpGet) {
    const stack = kubelet.network.nodeStack(kubelet.nodeName);
    const ask = (action: HTTPGetAction) => httpGet(stack, action, spec, worker.podIps[0] ?? kubelet.nodeIp, 'lifecycle', HTTP_HOOK_TIMEOUT_MS, kubelet.kernel);
    let outcome = await ask(handler.httpGet);
    // Hooks were sent over HTTP whatever their scheme, once: a server that has no TLS is asked again without.
    if ('error' in outcome && outcome.error.endsWith('server gave HTTP response to HTTPS client')) outcome = await ask({ ...handler.httpGet, scheme: 'HTTP' });
    if (!('error' in outcome)) return undefined;
    return `HTTP lifecycle hook (${handler.httpGet.path ?? ''}) for ${identity} failed - error: ${outcome.error}`;
  }
  return 'Cannot run handler: invalid handler: &{nil nil nil nil}';
}
