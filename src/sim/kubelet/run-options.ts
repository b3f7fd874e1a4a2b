import type { Machine } from '../../unix/index.ts';
import { quantityMilliValue, quantityValue } from '../kinds/quantity.ts';
import type { Container, EphemeralContainer } from '../kinds/types.ts';
import { ConfigError } from './config-error.ts';
import { makeEnvironment } from './environment.ts';
import { expand } from './expansion.ts';
import { hostsFile, nodeHostsFile, podHostName, resolvConf } from './host-files.ts';
import type { LocalImage } from './image-manager.ts';
import type { LaunchOptions, ProvidedFile } from './launcher.ts';
import type { PodWorker } from './pod-worker.ts';
import type { RuntimeContainer } from './runtime.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Everything a container is started with (models `GenerateRunContainerOptions` and the image's own settings). Throws `ConfigError`. */
export function prepareContainer(worker: PodWorker, spec: Container, container: RuntimeContainer, image: LocalImage): LaunchOptions {
  const { kubelet, pod } = worker;
  const definition = image.definition;
  const sandbox = worker.runtime.sandboxes[0];
  const podIp = pod.spec?.hostNetwork ? kubelet.nodeIp : (sandbox?.ip ?? '');
  const name = podHostName(pod);
  const own = makeEnvironment(worker, spec, podIp);
  const lookup = (variable: string): string | undefined => own.get(variable);
  const command = (spec.command ?? []).map((word) => expand(word, lookup));
  const args = (spec.args ?? []).map((word) => expand(word, lookup));
  const argv = spec.command ? [...command, ...args] : [...(definition.entrypoint ?? []), ...(spec.args ? args : (definition.cmd ?? []))];

  const nodename = pod.spec?.hostNetwork ? kubelet.nodeName : name.nodename;
  const env = new Map<string, string>([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', nodename],
    ...(spec.tty ? [['TERM', 'xterm'] as [string, string]] : []),
    ...Object.entries(definition.env ?? {}),
    ...own,
  ]);
  setUser(worker, spec, container, image);
  if (!env.has('HOME')) env.set('HOME', container.user.uid === 0 ? '/root' : '/');

  container.environment = env;
  container.cwd = spec.workingDir || definition.workingDir || '/';
  const mounts = kubelet.volumes.mountsFor(worker, spec);
  const files: ProvidedFile[] = [
    {
      path: '/etc/hosts',
      content: pod.spec?.hostNetwork ? nodeHostsFile(pod, kubelet.nodeName, kubelet.nodeIp) : hostsFile(pod, podIp ? [podIp] : []),
      mode: 0o644,
    },
    { path: '/etc/resolv.conf', content: resolvConf(pod), mode: 0o644 },
    { path: '/etc/hostname', content: `${nodename}\n`, mode: 0o644 },
    { path: spec.terminationMessagePath || '/dev/termination-log', content: '', mode: 0o666 },
  ];
  const memory = spec.resources?.limits?.memory;
  const node = kubelet.allocatable();
  return {
    pod,
    spec,
    container,
    image,
    argv,
    env,
    cwd: container.cwd,
    hostname: nodename,
    mounts,
    files: files.filter((file) => !mounts.some((mount) => mount.path === file.path)),
    openStack: () => kubelet.sandboxes.openStack(worker),
    listeners: container.listeners,
    readOnlyRoot: spec.securityContext?.readOnlyRootFilesystem ?? false,
    shareProcessesWith: () => sharedProcesses(worker, spec, container),
    sysctls: Object.fromEntries((pod.spec?.securityContext?.sysctls ?? []).map(({ name = '', value = '' }) => [name.replaceAll('/', '.'), value])),
    nodeMemoryBytes: quantityValue(node.memory),
    nodeCpus: Math.max(1, Math.floor(quantityMilliValue(node.cpu) / 1000)),
    ...(memory !== undefined ? { memoryLimitBytes: quantityValue(memory) } : {}),
    onExit: (exit, message) => {
      container.log.close();
      container.message = terminationMessage(spec, container, exit.exitCode, message);
      kubelet.runtime.exited(container, exit);
    },
  };
}

/** Whose processes a container sees besides its own: the Pod's (shareProcessNamespace), or those of the container it debugs. */
function sharedProcesses(worker: PodWorker, spec: Container, container: RuntimeContainer): Machine | undefined {
  if (worker.pod.spec?.shareProcessNamespace) return worker.kubelet.firstMachine(worker, container);
  const target = (spec as EphemeralContainer).targetContainerName;
  if (!target) return undefined;
  return worker.runtime.containers.find((candidate) => candidate.name === target && candidate.state === 'running')?.process?.machine();
}

/** The user a container runs as, from its security context, the Pod's, or the image. */
function setUser(worker: PodWorker, spec: Container, container: RuntimeContainer, image: LocalImage): void {
  const context = spec.securityContext ?? {};
  const podContext = worker.pod.spec?.securityContext ?? {};
  const uid = context.runAsUser ?? podContext.runAsUser ?? image.definition.user?.uid ?? 0;
  const gid =
    context.runAsGroup ??
    podContext.runAsGroup ??
    (context.runAsUser === undefined && podContext.runAsUser === undefined ? (image.definition.user?.gid ?? 0) : 0);
  if ((context.runAsNonRoot ?? podContext.runAsNonRoot) && uid === 0) {
    const identity = `"${worker.pod.metadata?.name}_${worker.pod.metadata?.namespace}(${worker.uid})", container: ${spec.name}`;
    throw new ConfigError(
      context.runAsUser !== undefined || podContext.runAsUser !== undefined
        ? `container's runAsUser breaks non-root policy (pod: ${identity})`
        : `container has runAsNonRoot and image will run as root (pod: ${identity})`,
    );
  }
  const supplemental = new Set([gid, ...(podContext.fsGroup !== undefined ? [podContext.fsGroup] : []), ...(podContext.supplementalGroups ?? [])]);
  container.user = { uid, gid, supplementalGroups: [...supplemental].sort((a, b) => a - b) };
}

/** Models `getTerminationMessage`: the file, or with FallbackToLogsOnError the tail of the log (80 lines, 2048 bytes). */
function terminationMessage(spec: Container, container: RuntimeContainer, exitCode: number, fromFile: string): string {
  if (fromFile || spec.terminationMessagePolicy !== 'FallbackToLogsOnError' || exitCode === 0) return fromFile;
  const decoder = new TextDecoder();
  const tail = container.log.lines
    .slice(-80)
    .map((line) => decoder.decode(line.bytes))
    .join('');
  return tail.slice(-2048);
}
