import type { EndpointSlice, Service } from '../kinds/types.ts';

/** One backend of a Service port, as kube-proxy reads it from EndpointSlices. */
export interface Backend {
  ip: string;
  port: number;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  node: string | undefined;
  /** Nodes named by topology hints (trafficDistribution: PreferSameNode); empty without. */
  hintedNodes: readonly string[];
}

/** Rules of one Service port. What is local to a node is decided when a packet comes by. */
export interface PortRules {
  /** "default/web-lb:web". */
  id: string;
  protocol: 'tcp' | 'udp' | 'sctp';
  clusterIP: string;
  port: number;
  nodePort: number | undefined;
  /** spec.externalIPs and status.loadBalancer.ingress (ipMode VIP). */
  externalIPs: readonly string[];
  loadBalancerIPs: readonly string[];
  sourceRanges: readonly string[];
  /** Session affinity ClientIP; undefined: None. */
  affinityMs: number | undefined;
  internalLocal: boolean;
  externalLocal: boolean;
  backends: readonly Backend[];
}

/** Headless and ExternalName Services have no rules (kube-proxy's ShouldSkipService). */
export function compileService(service: Service, slices: readonly EndpointSlice[]): PortRules[] {
  const spec = service.spec;
  if (!spec?.clusterIP || spec.clusterIP === 'None' || spec.type === 'ExternalName') return [];
  const clusterIP = spec.clusterIP;
  const loadBalancerIPs = (service.status?.loadBalancer?.ingress ?? []).flatMap((ingress) => (ingress.ip && ingress.ipMode !== 'Proxy' ? [ingress.ip] : []));
  const affinityMs = spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800) * 1000 : undefined;
  return (spec.ports ?? []).map((port) => ({
    id: `${service.metadata?.namespace}/${service.metadata?.name}:${port.name ?? ''}`,
    protocol: (port.protocol ?? 'TCP').toLowerCase() as PortRules['protocol'],
    clusterIP,
    port: port.port ?? 0,
    nodePort: port.nodePort || undefined,
    externalIPs: spec.externalIPs ?? [],
    loadBalancerIPs,
    sourceRanges: spec.loadBalancerSourceRanges ?? [],
    affinityMs,
    internalLocal: spec.internalTrafficPolicy === 'Local',
    externalLocal: spec.externalTrafficPolicy === 'Local',
    backends: backendsOf(slices, port.name ?? '', port.protocol ?? 'TCP'),
  }));
}

function backendsOf(slices: readonly EndpointSlice[], portName: string, protocol: string): Backend[] {
  const backends = new Map<string, Backend>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    for (const slicePort of slice.ports ?? []) {
      if ((slicePort.name ?? '') !== portName || (slicePort.protocol ?? 'TCP') !== protocol || !slicePort.port) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const ip = endpoint.addresses?.[0];
        if (!ip) continue;
        const ready = endpoint.conditions?.ready ?? true;
        const backend: Backend = {
          ip,
          port: slicePort.port,
          ready,
          serving: endpoint.conditions?.serving ?? ready,
          terminating: endpoint.conditions?.terminating ?? false,
          node: endpoint.nodeName,
          hintedNodes: (endpoint.hints?.forNodes ?? []).flatMap((hint) => (hint.name ? [hint.name] : [])),
        };
        const key = `${ip}:${slicePort.port}`;
        // During a move between slices an endpoint may be in both: ready wins, as in EndpointSliceCache.
        if (!backends.has(key) || ready) backends.set(key, backend);
      }
    }
  }
  return [...backends.values()];
}

/** kube-proxy's CategorizeEndpoints: ready ones; when there is none, those that terminate but still serve. */
export function usable(backends: readonly Backend[]): readonly Backend[] {
  const ready = backends.filter((backend) => backend.ready);
  if (ready.length > 0) return ready;
  return backends.filter((backend) => backend.serving && backend.terminating);
}

/** Ready endpoints hinted for this node, when every endpoint carries hints and one names it; else all. */
export function withHints(backends: readonly Backend[], node: string): readonly Backend[] {
  if (backends.length === 0 || backends.some((backend) => backend.hintedNodes.length === 0)) return backends;
  const hinted = backends.filter((backend) => backend.hintedNodes.includes(node));
  return hinted.length > 0 ? hinted : backends;
}
