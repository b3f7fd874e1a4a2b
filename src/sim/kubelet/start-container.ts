import { DURATIONS, drawMs } from '../durations.ts';
import type { Container } from '../kinds/types.ts';
import { ConfigError } from './config-error.ts';
import { ContainerLog } from './container-log.ts';
import type { StartFailure } from './container-statuses.ts';
import { killContainer } from './kill.ts';
import { LaunchError } from './launcher.ts';
import { runHandler } from './lifecycle.ts';
import { containerSpecHash } from './pod-actions.ts';
import type { PodWorker } from './pod-worker.ts';
import { prepareContainer } from './run-options.ts';
import { newestContainer, type RuntimeContainer } from './runtime.ts';

/** Models `startContainer` (kuberuntime_container.go): image, create, start, postStart hook. Undefined when all went well. */
export async function startContainer(worker: PodWorker, spec: Container, sort: string): Promise<StartFailure | undefined> {
  const { kubelet, pod, runtime } = worker;
  const kernel = kubelet.kernel;
  const name = spec.name ?? '';
  const event = (type: 'Normal' | 'Warning', reason: string, message: string): void => kubelet.containerEvent(pod, spec, name, type, reason, message, sort);

  const ensured = await kubelet.images.ensure(worker.uid, spec.image ?? '', spec.imagePullPolicy ?? 'IfNotPresent', (entry) =>
    event(entry.type, entry.reason, entry.message),
  );
  if ('error' in ensured) {
    event('Warning', 'Failed', `Error: ${ensured.error}`);
    return { reason: ensured.error, message: ensured.message };
  }
  const previous = newestContainer(runtime, name);
  const container: RuntimeContainer = {
    id: kubelet.runtime.newId(),
    name,
    podUid: worker.uid,
    attempt: previous ? previous.attempt + 1 : 0,
    createdMs: kernel.now(),
    image: ensured.image.reference,
    imageRef: ensured.image.digestReference,
    state: 'created',
    startedMs: 0,
    finishedMs: 0,
    exitCode: 0,
    reason: '',
    message: '',
    user: { uid: 0, gid: 0, supplementalGroups: [0] },
    specHash: containerSpecHash(spec),
    steadyProbes: ensured.image.definition.steadyProbes ?? false,
    environment: new Map(),
    cwd: '/',
    log: new ContainerLog(kernel),
    listeners: new Set(),
  };
  let options: ReturnType<typeof prepareContainer>;
  try {
    options = prepareContainer(worker, spec, container, ensured.image);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    event('Warning', 'Failed', `Error: ${error.message}`);
    return { reason: 'CreateContainerConfigError', message: error.message };
  }
  runtime.containers.unshift(container);
  const startMs = drawMs(kernel.random, DURATIONS.containerStartMs);
  const createMs = Math.floor(startMs / 2);
  await kubelet.sleep(createMs);
  event('Normal', 'Created', 'Container created');
  await kubelet.sleep(startMs - createMs);
  if (kubelet.dead) return undefined;
  try {
    container.process = kubelet.launch(options);
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    container.startedMs = 0;
    container.message = error.message;
    kubelet.runtime.exited(container, { exitCode: error.exitCode, reason: 'StartError' });
    event('Warning', 'Failed', `Error: ${error.message}`);
    return { reason: 'RunContainerError', message: error.message };
  }
  container.state = container.finishedMs > 0 ? 'exited' : 'running';
  container.startedMs = kernel.now();
  event('Normal', 'Started', 'Container started');
  pruneDeadContainers(worker, name);

  const hook = spec.lifecycle?.postStart;
  if (hook) {
    const problem = await runHandler(worker, container, spec, hook);
    if (problem !== undefined) {
      event('Warning', 'FailedPostStartHook', 'PostStartHook failed');
      if (container.state === 'running') await killContainer(worker, container, { message: 'FailedPostStartHook' });
      return { reason: 'PostStartHookError', message: problem };
    }
  }
  return undefined;
}

/** Of each container one dead instance is kept (MaxPerPodContainer = 1): `logs --previous` and lastState come from it. */
function pruneDeadContainers(worker: PodWorker, name: string): void {
  let dead = 0;
  worker.runtime.containers = worker.runtime.containers.filter((container) => container.name !== name || container.state !== 'exited' || ++dead <= 1);
}
