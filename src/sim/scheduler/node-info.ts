import type { Node, Pod } from '../kinds/types.ts';
import { type Amounts, addAmounts, allocatableOf, podRequests } from './resources.ts';

/** A Pod with what the plugins ask of it again and again. */
export interface PodInfo {
  pod: Pod;
  requests: Amounts;
  /** With the defaults of scoring for what is left out. */
  nonZeroRequests: Amounts;
  hostPorts: readonly HostPort[];
  hasAffinity: boolean;
  hasRequiredAntiAffinity: boolean;
}

export interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

const infos = new WeakMap<Pod, PodInfo>();

export function podInfo(pod: Pod): PodInfo {
  const known = infos.get(pod);
  if (known) return known;
  const hostPorts: HostPort[] = [];
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const port of container.ports ?? []) {
      if (port.hostPort) hostPorts.push({ ip: port.hostIP || '0.0.0.0', protocol: port.protocol ?? 'TCP', port: port.hostPort });
    }
  }
  const affinity = pod.spec?.affinity;
  const info: PodInfo = {
    pod,
    requests: podRequests(pod),
    nonZeroRequests: podRequests(pod, true),
    hostPorts,
    hasAffinity: affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined,
    hasRequiredAntiAffinity: (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length ?? 0) > 0,
  };
  infos.set(pod, info);
  return info;
}

/** A node with what runs on it or is assumed to (framework.NodeInfo). */
export class NodeInfo {
  node: Node;
  allocatable: Amounts;
  readonly pods = new Map<string, PodInfo>();
  readonly requested: Amounts = new Map();
  readonly nonZeroRequested: Amounts = new Map();
  readonly withAffinity = new Set<PodInfo>();
  readonly withRequiredAntiAffinity = new Set<PodInfo>();

  constructor(node: Node) {
    this.node = node;
    this.allocatable = allocatableOf(node);
  }

  get name(): string {
    return this.node.metadata?.name ?? '';
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node.metadata?.labels ?? {};
  }

  setNode(node: Node): void {
    this.node = node;
    this.allocatable = allocatableOf(node);
  }

  add(pod: Pod): void {
    const info = podInfo(pod);
    this.pods.set(pod.metadata?.uid ?? '', info);
    addAmounts(this.requested, info.requests);
    addAmounts(this.nonZeroRequested, info.nonZeroRequests);
    if (info.hasAffinity) this.withAffinity.add(info);
    if (info.hasRequiredAntiAffinity) this.withRequiredAntiAffinity.add(info);
  }

  /** Removes the Pod of that uid, whatever version of it is here. */
  remove(uid: string): Pod | undefined {
    const info = this.pods.get(uid);
    if (!info) return undefined;
    this.pods.delete(uid);
    addAmounts(this.requested, info.requests, -1);
    addAmounts(this.nonZeroRequested, info.nonZeroRequests, -1);
    this.withAffinity.delete(info);
    this.withRequiredAntiAffinity.delete(info);
    return info.pod;
  }

  /** A copy to try things on. */
  copy(): NodeInfo {
    const out = new NodeInfo(this.node);
    for (const info of this.pods.values()) out.add(info.pod);
    return out;
  }
}
