import type { Container, Node, Pod } from '../kinds/types.ts';
import { requiredAffinityMatches, untoleratedTaint } from '../scheduler/node-selector.ts';
import { type Amounts, addAmounts, allocatableOf, amountsOf, podRequests } from '../scheduler/resources.ts';

/** Why the kubelet does not take a Pod that was bound to its node. */
export interface Rejection {
  reason: string;
  message: string;
}

/** What Pods may set without the kubelet being told so (pkg/kubelet/sysctl/safe_sysctls.go). */
const SAFE_SYSCTL =
  /^(kernel\.shm_rmid_forced|net\.ipv4\.(ip_local_port_range|tcp_syncookies|ping_group_range|ip_unprivileged_port_start|ip_local_reserved_ports|tcp_keepalive_(time|intvl|probes)|tcp_fin_timeout|tcp_[rw]mem))$/;

const OUT_OF: Readonly<Record<string, string>> = { cpu: 'OutOfcpu', memory: 'OutOfmemory', 'ephemeral-storage': 'OutOfephemeral-storage', pods: 'OutOfpods' };

function failed(predicate: string, description: string): Rejection {
  return { reason: predicate, message: `Predicate ${predicate} failed: ${description}` };
}

function hostPorts(pod: Pod): { ip: string; protocol: string; port: number }[] {
  const containers: Container[] = [
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always'),
  ];
  return containers
    .flatMap((container) => container.ports ?? [])
    .filter((port) => port.hostPort)
    .map((port) => ({ ip: port.hostIP || '0.0.0.0', protocol: port.protocol ?? 'TCP', port: port.hostPort as number }));
}

/** Models `predicateAdmitHandler.Admit` (lifecycle/predicate.go): the checks a Pod has to pass that came past the scheduler. */
export function admitPod(pod: Pod, others: readonly Pod[], node: Node): Rejection | undefined {
  if (pod.spec?.os?.name && pod.spec.os.name !== 'linux') {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  }
  const forbidden = pod.spec?.securityContext?.sysctls?.find(({ name = '' }) => !SAFE_SYSCTL.test(name.replaceAll('/', '.')));
  if (forbidden) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${JSON.stringify(forbidden.name)} not allowlisted` };
  const insufficient = checkResources(pod, others, node);
  if (insufficient) return insufficient;
  if (!requiredAffinityMatches(pod, node)) return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  if (pod.spec?.nodeName !== node.metadata?.name) return failed('NodeName', "node(s) didn't match the requested node name");
  const wanted = hostPorts(pod);
  if (wanted.length > 0) {
    const taken = others.flatMap(hostPorts);
    const conflicts = wanted.some((mine) =>
      taken.some(
        (other) => mine.port === other.port && mine.protocol === other.protocol && (mine.ip === other.ip || mine.ip === '0.0.0.0' || other.ip === '0.0.0.0'),
      ),
    );
    if (conflicts) return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  }
  if (untoleratedTaint(node.spec?.taints, pod.spec?.tolerations, ['NoExecute']))
    return failed('TaintToleration', "node(s) had taints that the pod didn't tolerate");
  return undefined;
}

/** Why a resize can never be granted here, whatever else the node has to do (`canResizePod`). */
export function beyondNode(pod: Pod, node: Node): string | undefined {
  const capacity = allocatableOf(node);
  const requests = podRequests(pod);
  const name = ['memory', 'cpu'].find((one) => (requests.get(one) ?? 0) > (capacity.get(one) ?? 0));
  return name === undefined ? undefined : `Node didn't have enough capacity: ${name}, requested: ${requests.get(name)}, capacity: ${capacity.get(name) ?? 0}`;
}

function checkResources(pod: Pod, others: readonly Pod[], node: Node): Rejection | undefined {
  const capacity = node.status?.allocatable ? allocatableOf(node) : amountsOf({});
  const insufficient = (name: string, requested: number, used: number): Rejection => ({
    reason: OUT_OF[name] ?? `OutOf${name}`,
    message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity.get(name) ?? 0}`,
  });
  if (others.length + 1 > (capacity.get('pods') ?? 0)) return insufficient('pods', 1, others.length);
  const requests = podRequests(pod);
  if ([...requests.values()].every((amount) => amount === 0)) return undefined;
  const used: Amounts = new Map();
  for (const other of others) addAmounts(used, podRequests(other));
  for (const [name, amount] of requests) {
    if (amount > (capacity.get(name) ?? 0) - (used.get(name) ?? 0) && (capacity.has(name) || !name.includes('/')))
      return insufficient(name, amount, used.get(name) ?? 0);
  }
  return undefined;
}
