import type { Container, ContainerState, ContainerStatus, Pod, VolumeMountStatus } from '../kinds/types.ts';
import { shouldContainerBeRestarted } from './pod-actions.ts';
import { newestContainer, type RuntimeContainer, type RuntimePod } from './runtime.ts';
import { rfc3339 } from './time-format.ts';

/** Why the last attempt to start a container failed, until one succeeds (`reasonCache`). */
export interface StartFailure {
  /** "ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff", "CreateContainerConfigError" … */
  reason: string;
  message: string;
}

export interface ContainerStatusInput {
  pod: Pod;
  runtime: RuntimePod;
  containers: readonly Container[];
  previous: readonly ContainerStatus[];
  init: boolean;
  startFailure: (container: string) => StartFailure | undefined;
}

/** Models `convertToAPIContainerStatuses` (kubelet_pods.go): `ready` and `started` are filled in by the probe manager afterwards. */
export function containerStatuses(input: ContainerStatusInput): ContainerStatus[] {
  const { pod, runtime, containers } = input;
  const hasInit = (pod.spec?.initContainers?.length ?? 0) > 0;
  const previous = new Map(input.previous.map((status) => [status.name ?? '', status]));
  const out: ContainerStatus[] = [];
  for (const container of containers) {
    const name = container.name ?? '';
    const old = previous.get(name);
    let status = waitingStatus(container, hasInit, old);
    const seen = runtime.containers.filter((candidate) => candidate.name === name);
    if (seen.length === 0) {
      if (old?.state?.running) {
        // The container vanished from the runtime while it was running.
        status.lastState = {
          terminated: {
            reason: 'ContainerStatusUnknown',
            message: 'The container could not be located when the pod was deleted.  The container used to be Running',
            exitCode: 137,
            startedAt: null as unknown as string,
            finishedAt: null as unknown as string,
          },
        };
        if (!pod.metadata?.deletionTimestamp) status.restartCount = (status.restartCount ?? 0) + 1;
      }
    } else {
      status = fromRuntime(container, seen[0] as RuntimeContainer, old);
      if (seen[1]) status.lastState = runtimeState(seen[1]);
    }
    if (input.init) {
      const newest = newestContainer(runtime, name);
      if (newest?.state === 'exited' && newest.exitCode === 0 && container.restartPolicy !== 'Always') {
        out.push(status);
        continue;
      }
    }
    if (shouldContainerBeRestarted(pod, container, runtime)) {
      const failure = input.startFailure(name);
      if (failure) {
        if (status.state?.terminated) status.lastState = status.state;
        status.state = { waiting: failure.message ? { reason: failure.reason, message: failure.message } : { reason: failure.reason } };
      }
    }
    out.push(status);
  }
  return input.init ? out : out.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
}

function waitingStatus(container: Container, hasInit: boolean, old: ContainerStatus | undefined): ContainerStatus {
  if (old?.state?.terminated) return { ...old };
  const status: ContainerStatus = {
    name: container.name,
    image: container.image,
    imageID: '',
    lastState: old?.lastState ?? {},
    ready: false,
    restartCount: old?.restartCount ?? 0,
    started: false,
    state: { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } },
  };
  const mounts = volumeMountStatuses(container);
  if (mounts.length > 0) status.volumeMounts = mounts;
  return status;
}

function volumeMountStatuses(container: Container): VolumeMountStatus[] {
  return (container.volumeMounts ?? []).map((mount) => {
    const status: VolumeMountStatus = { mountPath: mount.mountPath, name: mount.name };
    if (mount.readOnly) {
      status.readOnly = true;
      status.recursiveReadOnly = mount.recursiveReadOnly === 'Enabled' || mount.recursiveReadOnly === 'IfPossible' ? 'Enabled' : 'Disabled';
    }
    return status;
  });
}

function fromRuntime(container: Container, current: RuntimeContainer, old: ContainerStatus | undefined): ContainerStatus {
  const status: ContainerStatus = {
    containerID: `containerd://${current.id}`,
    image: current.image,
    imageID: current.imageRef,
    lastState: {},
    name: container.name,
    ready: false,
    resources: { ...(current.actuatedResources ?? container.resources) },
    restartCount: Math.max(current.attempt, old?.restartCount ?? 0),
    started: false,
    state: runtimeState(current),
    user: { linux: { gid: current.user.gid, supplementalGroups: [...current.user.supplementalGroups], uid: current.user.uid } },
  };
  if (container.resources?.requests) status.allocatedResources = container.resources.requests;
  const mounts = volumeMountStatuses(container);
  if (mounts.length > 0) status.volumeMounts = mounts;
  if (old) {
    if (old.containerID !== status.containerID && old.state?.terminated) status.lastState = { terminated: old.state.terminated };
    else if (old.lastState?.terminated) status.lastState = { terminated: old.lastState.terminated };
    if (current.state === 'running' && old.state?.terminated && (old.restartCount ?? 0) >= current.attempt && old.containerID !== status.containerID) {
      status.restartCount = (old.restartCount ?? 0) + 1;
    }
  }
  return status;
}

function runtimeState(container: RuntimeContainer): ContainerState {
  if (container.state === 'running') return { running: { startedAt: rfc3339(container.startedMs) } };
  if (container.state === 'created') return { waiting: {} };
  return {
    terminated: {
      containerID: `containerd://${container.id}`,
      exitCode: container.exitCode,
      finishedAt: rfc3339(container.finishedMs),
      ...(container.message ? { message: container.message } : {}),
      reason: container.reason,
      startedAt: container.startedMs > 0 ? rfc3339(container.startedMs) : '1970-01-01T00:00:00Z',
    },
  };
}
