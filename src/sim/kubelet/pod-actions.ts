import type { Container, Pod } from '../kinds/types.ts';
import { resizeRestarts } from './resize.ts';
import { isRestartableInit, restartsAfterExit } from './restart-policy.ts';
import { newestContainer, type RuntimeContainer, type RuntimePod, readySandbox } from './runtime.ts';

/** Why a running container has to go. */
export interface ContainerToKill {
  container: RuntimeContainer;
  spec: Container;
  /** Text of the Killing event. */
  message: string;
  reason: '' | 'LivenessProbe' | 'StartupProbe';
}

/** What one sync has to do to a Pod, computed before anything is done. */
export interface PodActions {
  killPod: boolean;
  createSandbox: boolean;
  attempt: number;
  initContainersToStart: number[];
  containersToStart: number[];
  ephemeralContainersToStart: number[];
  containersToKill: ContainerToKill[];
}

/** Latest verdict of a container's probe; undefined while it has none. */
export type ProbeVerdict = (containerId: string, probe: 'liveness' | 'startup') => boolean | undefined;

/** Models `kubecontainer.ShouldContainerBeRestarted`. */
export function shouldContainerBeRestarted(pod: Pod, container: Container, runtime: RuntimePod): boolean {
  if (pod.metadata?.deletionTimestamp) return false;
  const status = newestContainer(runtime, container.name ?? '');
  if (!status) return true;
  if (status.state === 'running') return false;
  if (status.state === 'created') return true;
  return restartsAfterExit(pod, container, status.exitCode);
}

function shouldRestartOnFailure(pod: Pod): boolean {
  return pod.spec?.restartPolicy !== 'Never';
}

/** Whether a running container's spec was changed (the only mutable field that matters is the image). */
export function containerSpecHash(container: Container): string {
  return container.image ?? '';
}

/** Models `kubeGenericRuntimeManager.computePodActions` (kuberuntime_manager.go, v1.36). */
export function computePodActions(pod: Pod, runtime: RuntimePod, verdict: ProbeVerdict): PodActions {
  const containers = pod.spec?.containers ?? [];
  const sandbox = readySandbox(runtime);
  const actions: PodActions = {
    killPod: !sandbox,
    createSandbox: !sandbox,
    attempt: (runtime.sandboxes[0]?.attempt ?? -1) + 1,
    initContainersToStart: [],
    containersToStart: [],
    ephemeralContainersToStart: [],
    containersToKill: [],
  };
  if (!sandbox) {
    if (!shouldRestartOnFailure(pod) && actions.attempt !== 0 && runtime.containers.length !== 0) {
      actions.createSandbox = false;
      return actions;
    }
    containers.forEach((container, index) => {
      const runOnce = (container.restartPolicy ?? pod.spec?.restartPolicy) === 'OnFailure';
      const status = newestContainer(runtime, container.name ?? '');
      if (runOnce && status?.state === 'exited' && status.exitCode === 0) return;
      actions.containersToStart.push(index);
    });
    if (actions.containersToStart.length === 0 && containers.some((c) => newestContainer(runtime, c.name ?? ''))) {
      actions.createSandbox = false;
      return actions;
    }
    if ((pod.spec?.initContainers?.length ?? 0) !== 0) {
      actions.initContainersToStart = [0];
      actions.containersToStart = [];
    }
    return actions;
  }

  pod.spec?.ephemeralContainers?.forEach((container, index) => {
    if (!newestContainer(runtime, container.name ?? '')) actions.ephemeralContainersToStart.push(index);
  });

  const initialized = computeInitActions(pod, runtime, verdict, actions);
  if (actions.killPod || !initialized) return actions;

  let keep = 0;
  containers.forEach((container, index) => {
    const status = newestContainer(runtime, container.name ?? '');
    if (status?.state !== 'running') {
      if (shouldContainerBeRestarted(pod, container, runtime)) actions.containersToStart.push(index);
      return;
    }
    let restart = container.restartPolicy !== undefined ? container.restartPolicy !== 'Never' : shouldRestartOnFailure(pod);
    let message: string;
    let reason: ContainerToKill['reason'] = '';
    if (status.specHash !== containerSpecHash(container)) {
      message = `Container ${container.name} definition changed`;
      restart = true;
    } else if (verdict(status.id, 'liveness') === false) {
      message = `Container ${container.name} failed liveness probe`;
      reason = 'LivenessProbe';
    } else if (verdict(status.id, 'startup') === false) {
      message = `Container ${container.name} failed startup probe`;
      reason = 'StartupProbe';
    } else if (resizeRestarts(container, status)) {
      actions.containersToStart.push(index);
      actions.containersToKill.push({ container: status, spec: container, message: `Container ${container.name} resize requires restart`, reason });
      return;
    } else {
      keep++;
      return;
    }
    if (restart) {
      message = `${message}, will be restarted`;
      actions.containersToStart.push(index);
    }
    actions.containersToKill.push({ container: status, spec: container, message, reason });
  });
  if (keep === 0 && actions.containersToStart.length === 0) {
    actions.killPod = true;
    actions.initContainersToStart = [];
  }
  return actions;
}

/** Models `computeInitContainerActions`: which init container is next, and which sidecars want a restart. True when all are done. */
function computeInitActions(pod: Pod, runtime: RuntimePod, verdict: ProbeVerdict, actions: PodActions): boolean {
  const inits = pod.spec?.initContainers ?? [];
  if (inits.length === 0) return true;
  let initialized = (pod.spec?.containers ?? []).some((container) => {
    const status = newestContainer(runtime, container.name ?? '');
    return status !== undefined && status.state !== 'exited';
  });
  let previouslyInitialized = initialized;
  const start: number[] = [];
  for (let index = inits.length - 1; index >= 0; index--) {
    const container = inits[index] as Container;
    const restartable = isRestartableInit(container);
    const status = newestContainer(runtime, container.name ?? '');
    if (!status) {
      if (previouslyInitialized && restartable) start.push(index);
      continue;
    }
    if (previouslyInitialized && !restartable) continue;
    const next = (): void => {
      if (index === inits.length - 1) initialized = true;
      else if (!previouslyInitialized || !restartable) start.push(index + 1);
    };
    const kill = (message: string, reason: ContainerToKill['reason']): void => {
      actions.containersToKill.push({ container: status, spec: container, message, reason });
      start.push(index);
    };
    if (status.state === 'created') start.push(index);
    else if (status.state === 'running') {
      if (restartable) {
        const startup = container.startupProbe ? verdict(status.id, 'startup') : true;
        if (startup === false) kill(`Init container ${container.name} failed startup probe`, 'StartupProbe');
        else if (startup === true) {
          next();
          if (status.specHash !== containerSpecHash(container)) kill(`Init container ${container.name} definition changed`, '');
          else if (container.livenessProbe && verdict(status.id, 'liveness') === false) {
            kill(`Init container ${container.name} failed liveness probe`, 'LivenessProbe');
          }
        }
      }
    } else if (restartable) start.push(index);
    else if (status.exitCode !== 0) {
      if (!shouldContainerBeRestarted(pod, container, runtime)) {
        actions.killPod = true;
        actions.initContainersToStart = [];
        return false;
      }
      start.push(index);
    } else next();
    previouslyInitialized = true;
  }
  if (!previouslyInitialized) start.push(0);
  actions.initContainersToStart = start.reverse();
  return initialized;
}
