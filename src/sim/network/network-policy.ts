import type { Client, Informer } from '../client/types.ts';
import { matchesLabelSelector } from '../kinds/selector.ts';
import type { Namespace, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, Pod } from '../kinds/types.ts';
import { cidrContains, parseCidr } from './address.ts';
import type { NetworkNamespace } from './stack.ts';

type Protocol = 'tcp' | 'udp' | 'icmp';

/**
 * NetworkPolicies as k3s' controller (kube-router) enforces them: what no policy allows is rejected at once, so clients
 * see "connection refused"; traffic between a Pod and its own node always passes. Left out: its sync period.
 */
export class PolicyEnforcer {
  #policies: Informer<NetworkPolicy>;
  #pods: Informer<Pod>;
  #namespaces: Informer<Namespace>;

  constructor(client: Client) {
    this.#policies = client.informer<NetworkPolicy>('networking.k8s.io/v1/networkpolicies');
    this.#pods = client.informer<Pod>('v1/pods');
    this.#namespaces = client.informer<Namespace>('v1/namespaces');
    this.#pods.addIndex('network/ip', (pod) => (pod.status?.podIP && !pod.spec?.hostNetwork ? [pod.status.podIP] : []));
  }

  /** Whether a new connection from one namespace to a port of another may pass. */
  allows(from: NetworkNamespace, target: NetworkNamespace, protocol: Protocol, port: number): boolean {
    if (this.#policies.list().length === 0 || from === target) return true;
    if ((from.kind === 'node' || target.kind === 'node') && from.node === target.node) return true;
    const source = from.kind === 'pod' ? this.#podAt(from.ip) : undefined;
    const destination = target.kind === 'pod' ? this.#podAt(target.ip) : undefined;
    if (source && !this.#sideAllows('Egress', source, destination, target.ip, destination, protocol, port)) return false;
    return !destination || this.#sideAllows('Ingress', destination, source, from.ip, destination, protocol, port);
  }

  #podAt(ip: string): Pod | undefined {
    return this.#pods.byIndex('network/ip', ip).find((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed');
  }

  #sideAllows(
    side: 'Ingress' | 'Egress',
    subject: Pod,
    peer: Pod | undefined,
    peerIp: string,
    portOwner: Pod | undefined,
    protocol: Protocol,
    port: number,
  ): boolean {
    const namespace = subject.metadata?.namespace ?? '';
    const selecting = this.#policies.list(namespace).filter((policy) => {
      const types = policy.spec?.policyTypes ?? ['Ingress'];
      return types.includes(side) && matchesLabelSelector(policy.spec?.podSelector ?? {}, subject.metadata?.labels ?? {});
    });
    if (selecting.length === 0) return true;
    return selecting.some((policy) => {
      const rules =
        side === 'Ingress'
          ? (policy.spec?.ingress ?? []).map((rule) => ({ peers: rule.from, ports: rule.ports }))
          : (policy.spec?.egress ?? []).map((rule) => ({ peers: rule.to, ports: rule.ports }));
      return rules.some(
        (rule) =>
          (!rule.peers?.length || rule.peers.some((one) => this.#peerMatches(one, namespace, peer, peerIp))) &&
          (!rule.ports?.length || rule.ports.some((one) => portMatches(one, portOwner, protocol, port))),
      );
    });
  }

  #peerMatches(rule: NetworkPolicyPeer, policyNamespace: string, peer: Pod | undefined, peerIp: string): boolean {
    if (rule.ipBlock?.cidr) {
      return cidrContains(parseCidr(rule.ipBlock.cidr), peerIp) && !(rule.ipBlock.except ?? []).some((cidr) => cidrContains(parseCidr(cidr), peerIp));
    }
    if (!peer) return false;
    const peerNamespace = peer.metadata?.namespace ?? '';
    if (rule.namespaceSelector) {
      const labels = this.#namespaces.get('', peerNamespace)?.metadata?.labels ?? {};
      if (!matchesLabelSelector(rule.namespaceSelector, labels)) return false;
    } else if (peerNamespace !== policyNamespace) return false;
    return !rule.podSelector || matchesLabelSelector(rule.podSelector, peer.metadata?.labels ?? {});
  }
}

function portMatches(rule: NetworkPolicyPort, owner: Pod | undefined, protocol: Protocol, port: number): boolean {
  if ((rule.protocol ?? 'TCP').toLowerCase() !== protocol) return false;
  if (rule.port === undefined) return true;
  if (typeof rule.port === 'string') {
    const named = owner?.spec?.containers?.flatMap((container) => container.ports ?? []).find((one) => one.name === rule.port);
    return named?.containerPort === port;
  }
  return rule.endPort ? port >= rule.port && port <= rule.endPort : rule.port === port;
}
