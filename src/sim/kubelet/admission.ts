import type { Container, Node, Pod } from '../kinds/types.ts';
import { requiredAffinityMatches, untoleratedTaint } from '../scheduler/node-selector.ts';
import { type Amounts, addAmounts, allocatableOf, amountsOf, podRequests } from '../scheduler/resources.ts';

/** Why the kubelet does not take a Pod that was bound to its node. */
export interface Rejection {
  reason: string;
  message: string;
}

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
