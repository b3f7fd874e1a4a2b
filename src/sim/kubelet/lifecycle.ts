import type { Container, LifecycleHandler } from '../kinds/types.ts';
import type { PodWorker } from './pod-worker.ts';
import type { RuntimeContainer } from './runtime.ts';

/** Runs a lifecycle handler (postStart, preStop). Resolves to a text when it failed. */
export async function runHandler(worker: PodWorker, container: RuntimeContainer, spec: Container, handler: LifecycleHandler): Promise<string | undefined> {
  const { kubelet } = worker;
  if (handler.sleep) {
    await kubelet.sleep((handler.sleep.seconds ?? 0) * 1000);
    return undefined;
  }
  return kubelet.handlers(worker, container, spec, handler);
}
