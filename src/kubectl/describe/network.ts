import type { Obj } from '../util/object.ts';
import { annotations, type DescribeContext, events, formatLabelSelector, formatLabels, heading, labels, labelsAndAnnotations } from './common.ts';
import type { DescribeWriter } from './writer.ts';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const SHOWN_ENDPOINTS = 3;

async function slicesOf(namespace: string, service: string, context: DescribeContext): Promise<Obj[]> {
  return context.source.list(
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${encodeURIComponent(`${SERVICE_NAME_LABEL}=${service}`)}`,
  );
}

/** The ready addresses behind a port name: at most three, then `+ n more...`. */
function endpointText(slices: readonly Obj[], portName: string): string {
  if (slices.length === 0) return '<none>';
  const ready = (endpoint: Obj): boolean => endpoint.conditions?.ready ?? true;
  const all = slices.flatMap((slice) => {
    const endpoints: Obj[] = (slice.endpoints ?? []).filter(ready);
    // A headless Service may have no ports.
    if (!slice.ports?.length) return endpoints.map((endpoint) => String(endpoint.addresses[0]));
    return (slice.ports as Obj[])
      .filter((port) => (port.name ?? '') === portName)
      .flatMap((port) => endpoints.map((endpoint) => hostPort(endpoint.addresses[0], port.port)));
  });
  const text = all.slice(0, SHOWN_ENDPOINTS).join(',');
  return all.length > SHOWN_ENDPOINTS ? `${text} + ${all.length - SHOWN_ENDPOINTS} more...` : text;
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export async function describeService(service: Obj, context: DescribeContext, w: DescribeWriter): Promise<void> {
  const { metadata, spec = {}, status = {} } = service;
  const slices = await slicesOf(metadata.namespace, metadata.name, context);
  heading(w, service);
  labelsAndAnnotations(w, service);
  w.field(0, 'Selector', formatLabels(spec.selector));
  w.field(0, 'Type', spec.type ?? '');
  if (spec.ipFamilyPolicy) w.field(0, 'IP Family Policy', spec.ipFamilyPolicy);
  w.field(0, 'IP Families', (spec.ipFamilies ?? []).join(',') || '<none>');
  w.field(0, 'IP', spec.clusterIP ?? '');
  w.field(0, 'IPs', (spec.clusterIPs ?? []).join(',') || '<none>');
  if (spec.externalIPs?.length) w.field(0, 'External IPs', spec.externalIPs.join(','));
  if (spec.loadBalancerIP) w.field(0, 'Desired LoadBalancer IP', spec.loadBalancerIP);
  if (spec.externalName) w.field(0, 'External Name', spec.externalName);
  const ingress: Obj[] = status.loadBalancer?.ingress ?? [];
  if (ingress.length > 0)
    w.field(
      0,
      'LoadBalancer Ingress',
      ingress.map((point) => (point.ip ? `${point.ip}${point.ipMode ? ` (${point.ipMode})` : ''}` : (point.hostname ?? ''))).join(', '),
    );
  for (const port of spec.ports ?? []) {
    const name = port.name || '<unset>';
    w.write(0, `Port:\t${name}\t${port.port}/${port.protocol}\n`);
    w.field(0, 'TargetPort', `${port.targetPort ?? 0}/${port.protocol}`);
    if (port.appProtocol) w.field(0, 'AppProtocol', port.appProtocol);
    if (port.nodePort) w.write(0, `NodePort:\t${name}\t${port.nodePort}/${port.protocol}\n`);
    w.field(0, 'Endpoints', endpointText(slices, port.name ?? ''));
  }
  w.field(0, 'Session Affinity', spec.sessionAffinity ?? '');
  if (spec.externalTrafficPolicy) w.field(0, 'External Traffic Policy', spec.externalTrafficPolicy);
  if (spec.internalTrafficPolicy) w.field(0, 'Internal Traffic Policy', spec.internalTrafficPolicy);
  if (spec.healthCheckNodePort) w.field(0, 'HealthCheck NodePort', spec.healthCheckNodePort);
  if (spec.loadBalancerSourceRanges?.length) w.field(0, 'LoadBalancer Source Ranges', spec.loadBalancerSourceRanges.join(','));
  if (spec.trafficDistribution) w.field(0, 'Traffic Distribution', spec.trafficDistribution);
  events(w, context);
}

export function describeEndpoints(endpoints: Obj, context: DescribeContext, w: DescribeWriter): void {
  heading(w, endpoints);
  labelsAndAnnotations(w, endpoints);
  w.write(0, 'Subsets:\n');
  for (const subset of endpoints.subsets ?? []) {
    const addresses = (list: readonly Obj[] | undefined): string => (list ?? []).map((address) => address.ip).join(',') || '<none>';
    w.field(1, 'Addresses', addresses(subset.addresses));
    w.field(1, 'NotReadyAddresses', addresses(subset.notReadyAddresses));
    if (subset.ports?.length) {
      w.write(1, 'Ports:\n');
      w.table(
        2,
        ['Name', 'Port', 'Protocol'],
        subset.ports.map((port: Obj) => [port.name || '<unset>', port.port, port.protocol]),
      );
    }
    w.write(0, '\n');
  }
  events(w, context);
}

export function describeEndpointSlice(slice: Obj, context: DescribeContext, w: DescribeWriter): void {
  heading(w, slice);
  labelsAndAnnotations(w, slice);
  w.field(0, 'AddressType', slice.addressType);
  if (slice.ports?.length) {
    w.write(0, 'Ports:\n');
    w.table(
      1,
      ['Name', 'Port', 'Protocol'],
      slice.ports.map((port: Obj) => [port.name || '<unset>', port.port ?? '<unset>', port.protocol]),
    );
  } else w.write(0, 'Ports: <unset>\n');
  if (slice.endpoints?.length) {
    w.write(0, 'Endpoints:\n');
    for (const endpoint of slice.endpoints) {
      w.write(1, `- Addresses:\t${(endpoint.addresses ?? []).join(', ') || '<none>'}\n`);
      w.write(2, 'Conditions:\n');
      w.field(3, 'Ready', endpoint.conditions?.ready ?? '<unset>');
      w.field(2, 'Hostname', endpoint.hostname ?? '<unset>');
      if (endpoint.targetRef) w.field(2, 'TargetRef', `${endpoint.targetRef.kind}/${endpoint.targetRef.name}`);
      w.field(2, 'NodeName', endpoint.nodeName ?? '<unset>');
      w.field(2, 'Zone', endpoint.zone ?? '<unset>');
    }
  } else w.write(0, 'Endpoints: <none>\n');
  events(w, context);
}

export async function describeIngress(ingress: Obj, context: DescribeContext, w: DescribeWriter): Promise<void> {
  const { metadata, spec = {}, status = {} } = ingress;
  const backend = (value: Obj): Promise<string> => backendText(metadata.namespace, value, context);
  w.field(0, 'Name', metadata.name);
  labels(w, 'Labels', metadata.labels);
  w.field(0, 'Namespace', metadata.namespace);
  const addresses = new Set<string>((status.loadBalancer?.ingress ?? []).map((point: Obj) => point.ip || point.hostname).filter(Boolean));
  w.field(0, 'Address', [...addresses].sort().join(','));
  w.field(0, 'Ingress Class', spec.ingressClassName ?? '<none>');
  const fallback = spec.defaultBackend ? await backend(spec.defaultBackend) : '<default>';
  w.field(0, 'Default backend', fallback);
  if (spec.tls?.length) {
    w.write(0, 'TLS:\n');
    for (const { secretName, hosts = [] } of spec.tls)
      w.write(1, secretName ? `${secretName} terminates ${hosts.join(',')}\n` : `SNI routes ${hosts.join(',')}\n`);
  }
  w.write(0, 'Rules:\n');
  w.table(1, ['Host', 'Path', 'Backends'], []);
  const rules: Obj[] = (spec.rules ?? []).filter((rule: Obj) => rule.http);
  for (const rule of rules) {
    w.write(1, `${rule.host || '*'}\t\n`);
    for (const path of rule.http.paths ?? []) w.write(2, `\t${path.path ?? ''} \t${await backend(path.backend)}\n`);
  }
  if (rules.length === 0) w.write(1, `*\t*\t${fallback}\n`);
  annotations(w, 'Annotations', metadata.annotations);
  events(w, context);
}

async function backendText(namespace: string, backend: Obj, context: DescribeContext): Promise<string> {
  if (backend.service) {
    const { name, port = {} } = backend.service;
    const text = `${name}:${port.number || port.name || ''}`;
    const service = await context.source.get(`/api/v1/namespaces/${namespace}/services/${name}`);
    if (!service) return `${text} (<error: services "${name}" not found>)`;
    const found = (service.spec?.ports ?? []).find((candidate: Obj) => (port.number ? candidate.port === port.number : candidate.name === port.name));
    return `${text} (${endpointText(await slicesOf(namespace, name, context), found?.name ?? '')})`;
  }
  if (!backend.resource) return '';
  return `APIGroup: ${backend.resource.apiGroup ?? '<none>'}, Kind: ${backend.resource.kind}, Name: ${backend.resource.name}`;
}

export function describeIngressClass(ingressClass: Obj, context: DescribeContext, w: DescribeWriter): void {
  const { metadata, spec = {} } = ingressClass;
  w.field(0, 'Name', metadata.name);
  labelsAndAnnotations(w, ingressClass);
  w.field(0, 'Controller', spec.controller ?? '');
  if (spec.parameters) {
    w.write(0, 'Parameters:\n');
    if (spec.parameters.apiGroup) w.field(1, 'APIGroup', spec.parameters.apiGroup);
    w.field(1, 'Kind', spec.parameters.kind);
    w.field(1, 'Name', spec.parameters.name);
  }
  events(w, context);
}

export function describeNetworkPolicy(policy: Obj, _context: DescribeContext, w: DescribeWriter): void {
  const { metadata, spec = {} } = policy;
  heading(w, policy);
  w.field(0, 'Created on', `${String(metadata.creationTimestamp).replace('T', ' ').replace('Z', '')} +0000 UTC`);
  labelsAndAnnotations(w, policy);
  const selector = formatLabelSelector(spec.podSelector);
  w.write(0, 'Spec:\n');
  w.write(1, `PodSelector:     ${selector === '<none>' ? '<none> (Allowing the specific traffic to all pods in this namespace)' : selector}\n`);
  const types: string[] = spec.policyTypes ?? [];
  for (const [type, word, rules, peers, direction] of [
    ['Ingress', 'ingress', spec.ingress, 'from', 'From'],
    ['Egress', 'egress', spec.egress, 'to', 'To'],
  ] as [string, string, Obj[] | undefined, string, string][]) {
    if (types.includes(type)) {
      w.write(1, `Allowing ${word} traffic:\n`);
      policyRules(w, rules ?? [], word, peers, direction);
    } else w.write(1, `Not affecting ${word} traffic\n`);
  }
  w.write(1, `Policy Types: ${types.join(', ') || '<none>'}\n`);
}

function policyRules(w: DescribeWriter, rules: readonly Obj[], word: string, peerKey: string, direction: string): void {
  const indent = '    ';
  if (rules.length === 0) w.write(0, `${indent}<none> (Selected pods are isolated for ${word} connectivity)\n`);
  rules.forEach((rule, i) => {
    if (!rule.ports?.length) w.write(0, `${indent}To Port: <any> (traffic allowed to all ports)\n`);
    for (const port of rule.ports ?? []) {
      const protocol = port.protocol ?? 'TCP';
      w.write(
        0,
        port.endPort === undefined
          ? `${indent}To Port: ${port.port ?? '<nil>'}/${protocol}\n`
          : `${indent}To Port Range: ${port.port}-${port.endPort}/${protocol}\n`,
      );
    }
    const peers: Obj[] = rule[peerKey] ?? [];
    if (peers.length === 0) w.write(0, `${indent}${direction}: <any> (traffic not restricted by ${direction === 'From' ? 'source' : 'destination'})\n`);
    for (const peer of peers) {
      w.write(0, `${indent}${direction}:\n`);
      if (peer.namespaceSelector) w.write(1, `${indent}NamespaceSelector: ${formatLabelSelector(peer.namespaceSelector)}\n`);
      if (peer.podSelector) w.write(1, `${indent}PodSelector: ${formatLabelSelector(peer.podSelector)}\n`);
      if (peer.ipBlock && !peer.namespaceSelector && !peer.podSelector) {
        w.write(1, `${indent}IPBlock:\n`);
        w.write(2, `${indent}CIDR: ${peer.ipBlock.cidr}\n`);
        w.write(2, `${indent}Except: ${(peer.ipBlock.except ?? []).join(', ')}\n`);
      }
    }
    if (i < rules.length - 1) w.write(0, `${indent}----------\n`);
  });
}
