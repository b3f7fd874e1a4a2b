import type { Check } from '../check.ts';
import { validateLabels } from '../meta/index.ts';
import { isCidr, isDns1123Label, isEndpointIp, isIp, isLabelKey } from '../meta/names.ts';
import { PROTOCOLS } from '../pod/containers.ts';
import { rules } from '../rules.ts';
import type { Service, ServicePort, ServiceSpec } from '../types.ts';

import { checkAddresses, externallyAccessible, hasNodePorts, isExternal, isHeadless, needsHealthCheck } from './service-addresses.ts';

/** `validateService` and what belongs to it. */

function checkPort(check: Check, at: string, port: ServicePort, names: Set<string>, nameRequired: boolean): void {
  const { name = '', appProtocol } = port;
  if (name !== '') {
    check.rule(`${at}.name`, name, isDns1123Label);
    if (names.has(name)) check.duplicate(`${at}.name`, name);
    names.add(name);
  } else if (nameRequired) check.required(`${at}.name`);
  check.port(`${at}.port`, port.port ?? 0);
  check.oneOf(`${at}.protocol`, port.protocol, PROTOCOLS);
  check.portOrName(`${at}.targetPort`, port.targetPort);
  if (appProtocol !== undefined) check.rule(`${at}.appProtocol`, appProtocol, isLabelKey);
}

function checkPortsTogether(check: Check, spec: ServiceSpec): void {
  const ports = spec.ports ?? [];
  if (spec.type === 'ClusterIP') {
    ports.forEach(({ nodePort }, i) => {
      if (nodePort) check.forbidden(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'");
    });
  }
  const [nodePorts, seen] = [new Set<string>(), new Set<string>()];
  ports.forEach(({ protocol, nodePort }, i) => {
    if (!nodePort) return;
    if (nodePorts.has(`${protocol}/${nodePort}`)) check.duplicate(`spec.ports[${i}].nodePort`, nodePort);
    nodePorts.add(`${protocol}/${nodePort}`);
  });
  ports.forEach(({ protocol, port }, i) => {
    const key = `${protocol}/${port}`;
    if (seen.has(key)) check.duplicate(`spec.ports[${i}]`, { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 });
    seen.add(key);
  });
}

function checkType(check: Check, spec: ServiceSpec): void {
  if (hasNodePorts(spec) && isHeadless(spec)) check.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`);
  if (!isExternal(spec)) return;
  const why = 'may not be set for ExternalName services';
  for (const key of ['clusterIPs', 'ipFamilies'] as const) if (spec[key]?.length) check.forbidden(`spec.${key}`, why);
  if (spec.ipFamilyPolicy !== undefined) check.forbidden('spec.ipFamilyPolicy', why);
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (check.given('spec.externalName', name)) check.subdomain('spec.externalName', name);
}

const ONLY_BALANCERS = "may only be used when `type` is 'LoadBalancer'";

function checkTraffic(check: Check, spec: ServiceSpec): void {
  const { externalTrafficPolicy = '', healthCheckNodePort = 0, internalTrafficPolicy, trafficDistribution } = spec;
  if (!externallyAccessible(spec)) {
    if (externalTrafficPolicy !== '') check.invalid('spec.externalTrafficPolicy', externalTrafficPolicy, 'may only be set for externally-accessible services');
  } else check.oneOf('spec.externalTrafficPolicy', externalTrafficPolicy, ['Cluster', 'Local']);
  const field = 'spec.healthCheckNodePort';
  if (!needsHealthCheck(spec)) {
    if (healthCheckNodePort !== 0)
      check.invalid(field, healthCheckNodePort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
  } else if (healthCheckNodePort === 0) check.required(field);
  else check.port(field, healthCheckNodePort);
  check.oneOf('spec.internalTrafficPolicy', internalTrafficPolicy, ['Cluster', 'Local'], isExternal(spec));
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution))
    check.notSupported('spec.trafficDistribution', trafficDistribution, distributions);
}

function checkService(check: Check, service: Service): void {
  const { spec = {} } = service;
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(spec) && !isExternal(spec)) check.required('spec.ports');
  checkType(check, spec);
  const names = new Set<string>();
  ports.forEach((port, i) => {
    checkPort(check, `spec.ports[${i}]`, port, names, ports.length > 1);
  });
  check.add(validateLabels(spec.selector, 'spec.selector'));
  check.oneOf('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']);
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (spec.sessionAffinity === 'ClientIP') {
    const field = 'spec.sessionAffinityConfig';
    if (timeout === undefined) check.required(`${field}.clientIP.timeoutSeconds`, 'when session affinity type is ClientIP');
    else if (timeout <= 0 || timeout > 86400) check.invalid(`${field}.clientIP.timeoutSeconds`, timeout, 'must be greater than 0 and less than 86400');
  }
  checkAddresses(check, service);
  (spec.externalIPs ?? []).forEach((address, i) => {
    const field = `spec.externalIPs[${i}]`;
    check.rule(field, address, isIp(address).length > 0 ? isIp : isEndpointIp);
  });
  check.oneOf('spec.type', spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']);
  checkPortsTogether(check, spec);
  const balancer = spec.type === 'LoadBalancer';
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && !balancer) check.forbidden('spec.LoadBalancerSourceRanges', ONLY_BALANCERS);
  ranges.forEach((range, i) => {
    check.rule(`spec.LoadBalancerSourceRanges[${i}]`, range.trim(), isCidr);
  });
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balancer) check.forbidden('spec.allocateLoadBalancerNodePorts', ONLY_BALANCERS);
  if (spec.loadBalancerClass !== undefined) {
    if (balancer) check.rule('spec.loadBalancerClass', spec.loadBalancerClass, isLabelKey);
    else check.forbidden('spec.loadBalancerClass', ONLY_BALANCERS);
  }
  checkTraffic(check, spec);
}

const ONCE = 'may not change once set';

function checkAddressChange(check: Check, spec: ServiceSpec, old: ServiceSpec): void {
  if (isExternal(spec) || isExternal(old) || (isHeadless(spec) && isHeadless(old))) return;
  const [now, before] = [spec.clusterIPs ?? [], old.clusterIPs ?? []];
  const at = (i: number): string => `spec.clusterIPs[${i}]`;
  if (now.length === before.length) {
    before.forEach((address, i) => {
      if (address !== now[i]) check.invalid(at(i), now, ONCE);
    });
    return;
  }
  if (before.length > now.length && now.length === 0) check.invalid(at(0), now, 'primary clusterIP can not be unset');
  if (before.length > 0 && now.length > 0 && now[0] !== before[0]) check.invalid(at(0), now, ONCE);
  if (before.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    check.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary clusterIP");
  }
}

function checkFamilyChange(check: Check, spec: ServiceSpec, old: ServiceSpec): void {
  if (isExternal(spec) || isExternal(old) || isHeadless(spec) || isHeadless(old)) return;
  const [now, before] = [spec.ipFamilies ?? [], old.ipFamilies ?? []];
  if (now.length === before.length) {
    before.forEach((family, i) => {
      if (family !== now[i]) check.invalid('spec.ipFamilies[0]', now, ONCE);
    });
  } else if (before.length > 0 && now.length > 0 && now[0] !== before[0]) check.invalid('spec.ipFamilies[0]', spec.clusterIPs ?? null, ONCE);
}

export const serviceRules = rules<Service>({
  namespaced: true,
  name: isDns1123Label,
  check: checkService,
  change(check, { spec = {} }, { spec: old = {} }) {
    checkAddressChange(check, spec, old);
    checkFamilyChange(check, spec, old);
    const balancers = spec.type === 'LoadBalancer' && old.type === 'LoadBalancer';
    if (balancers && spec.loadBalancerClass !== old.loadBalancerClass) check.invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, ONCE);
    if (needsHealthCheck(spec) && needsHealthCheck(old) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
      check.forbidden('spec.healthCheckNodePort', 'field is immutable');
    }
  },
});
