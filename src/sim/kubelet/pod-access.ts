import { type ByteDuplex, type ExecOptions, KubeletRefusal, type LogOptions, type PodAccess } from '../apiserver/pod-access.ts';
import { newBadRequest, newInternalError, newNotFound } from '../apiserver/status-error.ts';
import type { Client } from '../client/types.ts';
import { DURATIONS, drawMs } from '../durations.ts';
import type { ContainerStatus, Pod } from '../kinds/types.ts';
import type { ChannelSocket } from '../transport.ts';
import { attachToContainer, startExec } from './exec-session.ts';
import type { KubeletFleet } from './fleet.ts';
import type { Kubelet } from './kubelet.ts';
import { readLog } from './log-reader.ts';
import type { RuntimeContainer } from './runtime.ts';

/** The kubelets' HTTP servers as the API server sees them: logs, exec, attach and port-forward of any Pod. */
export class FleetPodAccess implements PodAccess {
  readonly #client: Client;
  readonly #fleet: KubeletFleet;

  constructor(client: Client, fleet: KubeletFleet) {
    this.#client = client;
    this.#fleet = fleet;
  }

  logs(namespace: string, name: string, options: LogOptions): AsyncIterable<Uint8Array> {
    const pod = this.#pod(namespace, name);
    const container = chooseContainer(pod, options.container);
    if (!pod.spec?.nodeName) return nothing();
    const kubelet = this.#reach(pod, `containerLogs/${namespace}/${name}/${container}`);
    const found = logContainer(kubelet, pod, container, options.previous);
    return readLog(kubelet.kernel, found.log, options);
  }

  async exec(namespace: string, name: string, options: ExecOptions): Promise<ChannelSocket> {
    const { kubelet, pod, container } = await this.#target(namespace, name, options.container, 'exec');
    const running = runningContainer(kubelet, pod, container);
    if (!running) throw new KubeletRefusal(`container not found ("${container}")`);
    return startExec(kubelet, running, options);
  }

  async attach(namespace: string, name: string, options: Omit<ExecOptions, 'command'>): Promise<ChannelSocket> {
    const { kubelet, pod, container } = await this.#target(namespace, name, options.container, 'attach');
    const running = runningContainer(kubelet, pod, container);
    if (!running) throw new KubeletRefusal(`container ${container} not found in pod ${name}_${namespace}`);
    return attachToContainer(kubelet, pod, running, options);
  }

  async portForward(namespace: string, name: string, port: number): Promise<ByteDuplex> {
    const pod = this.#pod(namespace, name);
    if (!pod.spec?.nodeName) throw newBadRequest(`pod ${name} does not have a host assigned`);
    const kubelet = this.#reach(pod, `portForward/${namespace}/${name}`);
    await kubelet.awake();
    const attachment = kubelet.sandboxes.get(pod.metadata?.uid ?? '');
    if (!attachment) throw new KubeletRefusal(`unable to do port forwarding: pod not found ("${name}_${namespace}")`);
    const stack = attachment.openStack();
    const socket = await stack.connect('127.0.0.1', port);
    return {
      read: () => socket.read(),
      write: (chunk) => socket.write(chunk),
      end: () => socket.end(),
      close: () => {
        socket.close();
        stack.dispose();
      },
    };
  }

  async #target(namespace: string, name: string, wanted: string | undefined, verb: string): Promise<{ kubelet: Kubelet; pod: Pod; container: string }> {
    const pod = this.#pod(namespace, name);
    const container = chooseContainer(pod, wanted);
    if (!pod.spec?.nodeName) throw newBadRequest(`pod ${name} does not have a host assigned`);
    const kubelet = this.#reach(pod, `${verb}/${namespace}/${name}/${container}`);
    await kubelet.sleep(drawMs(kubelet.kernel.random, DURATIONS.execStartMs));
    return { kubelet, pod, container };
  }

  #pod(namespace: string, name: string): Pod {
    const pod = this.#client.resource<Pod>('v1/pods').get(namespace, name);
    if (!pod) throw newNotFound({ group: '', resource: 'pods' }, name);
    return pod;
  }

  /** The kubelet of the Pod's node, if a connection to it can be made. */
  #reach(pod: Pod, path: string): Kubelet {
    const node = pod.spec?.nodeName ?? '';
    const kubelet = this.#fleet.kubelet(node);
    if (!kubelet) throw newNotFound({ group: '', resource: 'nodes' }, node);
    if (!this.#fleet.isRunning(node) || this.#fleet.isPartitioned(node)) {
      throw newInternalError(`Get "https://${kubelet.nodeIp}:10250/${path}": dial tcp ${kubelet.nodeIp}:10250: connect: no route to host`);
    }
    return kubelet;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A Pod without a node has no logs yet: an empty answer.
}

/** Models `validateContainer` of the API server's Pod strategy. */
function chooseContainer(pod: Pod, wanted: string | undefined): string {
  const spec = pod.spec ?? {};
  const all = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])].map((container) => container.name ?? '');
  if (wanted) {
    if (!all.includes(wanted)) throw newBadRequest(`container ${wanted} is not valid for pod ${pod.metadata?.name}`);
    return wanted;
  }
  const only = spec.containers?.[0]?.name;
  if (spec.containers?.length === 1 && only) return only;
  throw newBadRequest(`a container name must be specified for pod ${pod.metadata?.name}, choose one of: [${all.join(' ')}]`);
}

function runningContainer(kubelet: Kubelet, pod: Pod, name: string): RuntimeContainer | undefined {
  return kubelet.runtime.get(pod.metadata?.uid ?? '')?.containers.find((container) => container.name === name && container.state === 'running');
}

/** Models `validateContainerLogStatus`: which container's log is meant, or why there is none. */
function logContainer(kubelet: Kubelet, pod: Pod, name: string, previous: boolean): RuntimeContainer {
  const status = kubelet.status.get(pod.metadata?.uid ?? '') ?? pod.status ?? {};
  const entry: ContainerStatus | undefined = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ].find((candidate) => candidate.name === name);
  const what = `container "${name}" in pod "${pod.metadata?.name}"`;
  if (!entry) throw newBadRequest(`${what} is not available`);
  const { waiting, running, terminated } = entry.state ?? {};
  const last = entry.lastState?.terminated;
  let id: string | undefined;
  if (previous) {
    if (!last?.containerID) throw newBadRequest(`previous terminated ${what} not found`);
    id = last.containerID;
  } else if (running) id = entry.containerID;
  else if (terminated || last) {
    id = terminated?.containerID || last?.containerID;
    if (!id) throw newBadRequest(`${what} is terminated`);
  } else if (waiting) {
    if (waiting.reason === 'ErrImagePull') throw newBadRequest(`${what} is waiting to start: image can't be pulled`);
    if (waiting.reason === 'ImagePullBackOff') throw newBadRequest(`${what} is waiting to start: trying and failing to pull image`);
    throw newBadRequest(`${what} is waiting to start: ${waiting.reason ?? ''}`);
  } else throw newBadRequest(`${what} is waiting to start - no logs yet`);
  const bare = (id ?? '').slice((id ?? '').indexOf('://') + 3);
  const found = kubelet.runtime.get(pod.metadata?.uid ?? '')?.containers.find((container) => container.id === bare);
  if (!found) throw newBadRequest(`unable to retrieve container logs for ${id}`);
  return found;
}
