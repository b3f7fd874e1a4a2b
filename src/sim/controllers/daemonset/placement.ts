import type { DaemonSet, Node, Pod, Toleration } from '../../kinds/types.ts';
import { requiredAffinityMatches, untoleratedTaint } from '../../scheduler/node-selector.ts';
import { nameOf } from '../object.ts';

/** What every daemon Pod tolerates (daemon/util.AddOrUpdateDaemonPodTolerations). */
function daemonTolerations(hostNetwork: boolean): Toleration[] {
  const exists = (key: string, effect: string): Toleration => ({ key, operator: 'Exists', effect });
  const out = [
    exists('node.kubernetes.io/not-ready', 'NoExecute'),
    exists('node.kubernetes.io/unreachable', 'NoExecute'),
    exists('node.kubernetes.io/disk-pressure', 'NoSchedule'),
    exists('node.kubernetes.io/memory-pressure', 'NoSchedule'),
    exists('node.kubernetes.io/pid-pressure', 'NoSchedule'),
    exists('node.kubernetes.io/unschedulable', 'NoSchedule'),
  ];
  if (hostNetwork) out.push(exists('node.kubernetes.io/network-unavailable', 'NoSchedule'));
  return out;
}

export function withDaemonTolerations(pod: Pod): void {
  const known = pod.spec?.tolerations ?? [];
  const same = (a: Toleration, b: Toleration): boolean => a.key === b.key && a.effect === b.effect && a.operator === b.operator && a.value === b.value;
  const added = daemonTolerations(pod.spec?.hostNetwork === true).filter((one) => !known.some((other) => same(one, other)));
  pod.spec = { ...pod.spec, tolerations: [...known, ...added] };
}

/** Ties a Pod to one node by its name; required node affinity has had its say and is replaced (ReplaceDaemonSetPodNodeNameNodeAffinity). */
export function pinToNode(pod: Pod, node: string): void {
  const affinity = pod.spec?.affinity;
  const nodeSelectorTerms = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }];
  pod.spec = {
    ...pod.spec,
    affinity: { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  };
}

/** The node a daemon Pod is on or meant for. */
export function targetNode(pod: Pod): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  for (const term of pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []) {
    const field = term.matchFields?.find((one) => one.key === 'metadata.name' && one.operator === 'In');
    if (field?.values?.[0] !== undefined) return field.values[0];
  }
  return undefined;
}

/** NodeShouldRunDaemonPod: may a Pod be made there, and may one that is there stay. */
export function shouldRun(set: DaemonSet, node: Node): { run: boolean; stay: boolean } {
  const template = set.spec?.template?.spec ?? {};
  const pod: Pod = { spec: { ...template } };
  withDaemonTolerations(pod);
  if (template.nodeName && template.nodeName !== nameOf(node)) return { run: false, stay: false };
  if (!requiredAffinityMatches(pod, node)) return { run: false, stay: false };
  const taints = node.spec?.taints;
  if (untoleratedTaint(taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute'])) {
    return { run: false, stay: untoleratedTaint(taints, pod.spec?.tolerations, ['NoExecute']) === undefined };
  }
  return { run: true, stay: true };
}
