import type { Check } from '../check.ts';
import { validateLabelSelector } from '../meta/index.ts';
import { ipFamily, isCidr, isDns1123Label, isDns1123Subdomain, isPathSegment, isPortName, isWildcardDns1123Subdomain, regexError } from '../meta/names.ts';
import { rules } from '../rules.ts';
import type { Ingress, IngressBackend, IngressClass, IPAddress, IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, ServiceCIDR } from '../types.ts';

/** `pkg/apis/networking/validation`. */

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

/** "acme.io/foo" (`IsDomainPrefixedPath`). */
export function checkDomainPrefixedPath(check: Check, field: string, value: string): void {
  if (!check.given(field, value)) return;
  const slash = value.indexOf('/');
  const [host, path] = [value.slice(0, slash), value.slice(slash + 1)];
  if (slash <= 0 || path === '') {
    check.invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")');
    return;
  }
  for (const message of isDns1123Subdomain(host)) check.invalid(field, host, message);
  if (!new RegExp(`^${HTTP_PATH}$`).test(path)) check.invalid(field, path, regexError('Invalid path', HTTP_PATH));
}

function checkReference(check: Check, at: string, reference: { apiGroup?: string; kind?: string; name?: string }): void {
  if (reference.apiGroup !== undefined) check.subdomain(`${at}.apiGroup`, reference.apiGroup);
  for (const key of ['kind', 'name'] as const) if (check.given(`${at}.${key}`, reference[key])) check.rule(`${at}.${key}`, reference[key], isPathSegment);
}

function checkBackend(check: Check, at: string, { resource, service }: IngressBackend): void {
  if (resource && service) {
    check.invalid(at, '', 'cannot set both resource and service backends');
    return;
  }
  if (resource) {
    checkReference(check, `${at}.resource`, resource);
    return;
  }
  if (!service) {
    check.invalid(at, '', 'resource or service backend is required');
    return;
  }
  if (check.given(`${at}.service.name`, service.name)) check.rule(`${at}.service.name`, service.name, isDns1123Label);
  const { name = '', number = 0 } = service.port ?? {};
  if (name !== '' && number !== 0) check.invalid(at, '', 'cannot set both port name & port number');
  else if (name !== '') check.rule(`${at}.service.port.name`, name, isPortName);
  else if (number !== 0) check.port(`${at}.service.port.number`, number);
  else check.required(at, 'port name or number is required');
}

function checkHost(check: Check, field: string, host: string): void {
  check.rule(field, host, host.includes('*') ? isWildcardDns1123Subdomain : isDns1123Subdomain);
}

function checkPath(check: Check, field: string, path: string, pathType: string): void {
  const strict = pathType !== 'ImplementationSpecific';
  if (!path.startsWith('/') && (strict || path !== '')) check.invalid(field, path, 'must be an absolute path');
  if (!strict) return;
  for (const part of ['//', '/./', '/../', '%2f', '%2F']) if (path.includes(part)) check.invalid(field, path, `must not contain '${part}'`);
  for (const end of ['/..', '/.']) if (path.endsWith(end)) check.invalid(field, path, `cannot end with '${end}'`);
}

export const ingressRules = rules<Ingress>({
  namespaced: true,
  check(check, { spec = {} }) {
    const { defaultBackend, rules: list = [], tls = [], ingressClassName } = spec;
    if (list.length === 0 && !defaultBackend) check.invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified');
    if (defaultBackend) checkBackend(check, 'spec.defaultBackend', defaultBackend);
    list.forEach(({ host = '', http }, i) => {
      const at = `spec.rules[${i}]`;
      if (host !== '') {
        if (ipFamily(host)) check.invalid(`${at}.host`, host, 'must be a DNS name, not an IP address');
        checkHost(check, `${at}.host`, host);
      }
      if (!http) return;
      if (!http.paths?.length) check.required(`${at}.http.paths`);
      (http.paths ?? []).forEach(({ path = '', pathType, backend }, j) => {
        const place = `${at}.http.paths[${j}]`;
        if (pathType === undefined) {
          check.required(`${place}.pathType`, 'pathType must be specified');
          return;
        }
        const types = ['Exact', 'ImplementationSpecific', 'Prefix'];
        if (types.includes(pathType)) checkPath(check, `${place}.path`, path, pathType);
        else check.notSupported(`${place}.pathType`, pathType, types);
        checkBackend(check, `${place}.backend`, backend ?? {});
      });
    });
    tls.forEach(({ hosts = [], secretName }, i) => {
      hosts.forEach((host, j) => {
        checkHost(check, `spec.tls[${i}].hosts[${j}]`, host);
      });
      if (secretName) check.subdomain(`spec.tls[${i}].secretName`, secretName);
    });
    if (ingressClassName !== undefined) check.subdomain('spec.ingressClassName', ingressClassName);
  },
});

export const ingressClassRules = rules<IngressClass>({
  namespaced: false,
  change: (check, { spec }, old) => check.immutable('spec.controller', spec?.controller ?? '', old.spec?.controller ?? ''),
  check(check, { spec }) {
    check.maxBytes('spec.controller', spec?.controller ?? '', 250);
    checkDomainPrefixedPath(check, 'spec.controller', spec?.controller ?? '');
    if (!spec?.parameters) return;
    const at = 'spec.parameters';
    checkReference(check, at, spec.parameters);
    const { scope, namespace } = spec.parameters;
    if (scope === undefined) check.required(`${at}.scope`);
    else check.oneOf(`${at}.scope`, scope, ['Cluster', 'Namespace']);
    if (scope === 'Namespace') {
      if (!namespace) check.required(`${at}.namespace`, "`parameters.scope` is set to 'Namespace'");
      else check.label(`${at}.namespace`, namespace);
    } else if (scope === 'Cluster' && namespace !== undefined) check.forbidden(`${at}.namespace`, "`parameters.scope` is set to 'Cluster'");
  },
});

function checkPolicyPort(check: Check, at: string, { protocol, port, endPort }: NetworkPolicyPort): void {
  if (protocol !== undefined) check.oneOf(`${at}.protocol`, protocol, ['TCP', 'UDP', 'SCTP']);
  if (port === undefined) {
    if (endPort !== undefined) check.invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is not specified');
    return;
  }
  if (typeof port === 'string') {
    if (endPort !== undefined) check.invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is non-numeric');
    check.rule(`${at}.port`, port, isPortName);
    return;
  }
  check.port(`${at}.port`, port);
  if (endPort === undefined) return;
  if (endPort < port) check.invalid(`${at}.endPort`, port, 'must be greater than or equal to `port`');
  check.port(`${at}.endPort`, endPort);
}

const prefixBits = (cidr: string): number => Number(cidr.split('/')[1]);

/** Whether an IPv4 range lies wholly and strictly inside another; others are not looked into. */
function isInside(inner: string, outer: string): boolean {
  const bits = (cidr: string): string =>
    (cidr.split('/')[0] ?? '')
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  if (ipFamily(inner.split('/')[0] ?? '') !== 'IPv4' || ipFamily(outer.split('/')[0] ?? '') !== 'IPv4') return prefixBits(inner) > prefixBits(outer);
  return prefixBits(inner) > prefixBits(outer) && bits(inner).startsWith(bits(outer).slice(0, prefixBits(outer)));
}

function checkIpBlock(check: Check, at: string, { cidr = '', except = [] }: IPBlock): void {
  if (!check.given(`${at}.cidr`, cidr)) return;
  check.rule(`${at}.cidr`, cidr, isCidr);
  except.forEach((range, i) => {
    check.rule(`${at}.except[${i}]`, range, isCidr);
    if (isCidr(cidr).length === 0 && isCidr(range).length === 0 && !isInside(range, cidr))
      check.invalid(`${at}.except[${i}]`, range, 'must be a strict subset of `cidr`');
  });
}

function checkPeer(check: Check, at: string, { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): void {
  check.add(validateLabelSelector(podSelector, `${at}.podSelector`));
  check.add(validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`));
  if (ipBlock) checkIpBlock(check, `${at}.ipBlock`, ipBlock);
  if (!podSelector && !namespaceSelector && !ipBlock) check.required(at, 'must specify a peer');
  else if (ipBlock && (podSelector || namespaceSelector)) check.forbidden(at, 'may not specify both ipBlock and another peer');
}

export const networkPolicyRules = rules<NetworkPolicy>({
  namespaced: true,
  check(check, { spec = {} }) {
    check.add(validateLabelSelector(spec.podSelector, 'spec.podSelector'));
    const directions = [
      ...(spec.ingress ?? []).map((rule, i) => ({ at: `spec.ingress[${i}]`, ports: rule.ports, peers: rule.from, key: 'from' })),
      ...(spec.egress ?? []).map((rule, i) => ({ at: `spec.egress[${i}]`, ports: rule.ports, peers: rule.to, key: 'to' })),
    ];
    for (const { at, ports = [], peers = [], key } of directions) {
      ports.forEach((port, i) => {
        checkPolicyPort(check, `${at}.ports[${i}]`, port);
      });
      peers.forEach((peer, i) => {
        checkPeer(check, `${at}.${key}[${i}]`, peer);
      });
    }
    const types = spec.policyTypes ?? [];
    if (types.length > 2) return check.invalid('spec.policyTypes', types, 'may not specify more than two policyTypes');
    types.forEach((type, i) => {
      if (type !== 'Ingress' && type !== 'Egress') check.notSupported(`spec.policyTypes[${i}]`, type, ['Ingress', 'Egress']);
    });
  },
});

export const ipAddressRules = rules<IPAddress>({
  namespaced: false,
  name: (name) => (ipFamily(name) ? [] : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']),
  change: (check, { spec }, old) => check.immutable('spec.parentRef', spec?.parentRef, old.spec?.parentRef),
  check(check, { spec }) {
    const parent = spec?.parentRef;
    if (!parent) return check.required('spec.parentRef');
    for (const key of ['resource', 'name'] as const) if (!parent[key]) check.required(`spec.parentRef.${key}`);
  },
});

export const serviceCidrRules = rules<ServiceCIDR>({
  namespaced: false,
  check(check, { spec }) {
    const cidrs = spec?.cidrs ?? [];
    if (cidrs.length === 0) check.required('spec.cidrs', 'at least one CIDR required');
    cidrs.forEach((cidr, i) => {
      check.rule(`spec.cidrs[${i}]`, cidr, isCidr);
    });
  },
});
