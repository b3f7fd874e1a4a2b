import { type Cidr, formatIPv4, parseCidr, parseIPv4 } from './address.ts';

/**
 * Addresses of one node, handed out as the CNI plugin `host-local` does: ascending from the one after the last
 * allocation, wrapping at the end, so that an address is not reused soon. The first address is the bridge (cni0).
 */
export class HostLocalIpam {
  readonly cidr: string;
  /** Address of cni0 on the node. */
  readonly gateway: string;
  /** Address of flannel.1 on the node: what other nodes see when this node itself speaks. */
  readonly overlay: string;
  #range: Cidr;
  #used = new Set<number>();
  #last: number;

  constructor(cidr: string) {
    this.cidr = cidr;
    this.#range = parseCidr(cidr);
    this.overlay = formatIPv4(this.#range.base);
    this.gateway = formatIPv4(this.#range.base + 1);
    this.#last = this.#range.base + 1;
  }

  /** Undefined when the range is used up (the kubelet reports "no IP addresses available in range set"). */
  allocate(): string | undefined {
    const first = this.#range.base + 2;
    const count = this.#range.size - 3;
    for (let i = 0; i < count; i++) {
      const candidate = first + ((this.#last + 1 - first + i) % count);
      if (this.#used.has(candidate)) continue;
      this.#used.add(candidate);
      this.#last = candidate;
      return formatIPv4(candidate);
    }
    return undefined;
  }

  release(ip: string): void {
    const value = parseIPv4(ip);
    if (value !== undefined) this.#used.delete(value);
  }
}

/** Node CIDRs out of the cluster's Pod CIDR, in the order in which nodes join (kube-controller-manager's range allocator). */
export class NodeCidrAllocator {
  #range: Cidr;
  #used = new Map<string, string>();

  constructor(clusterCidr = '10.42.0.0/16') {
    this.#range = parseCidr(clusterCidr);
  }

  /** The same node gets the same CIDR again. */
  allocate(node: string): string {
    const existing = this.#used.get(node);
    if (existing) return existing;
    const taken = new Set(this.#used.values());
    for (let base = this.#range.base; base < this.#range.base + this.#range.size; base += 256) {
      const cidr = `${formatIPv4(base)}/24`;
      if (taken.has(cidr)) continue;
      this.#used.set(node, cidr);
      return cidr;
    }
    throw new Error('CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range');
  }

  release(node: string): void {
    this.#used.delete(node);
  }
}
