import type { Check } from '../check.ts';
import { ipFamily, isIp } from '../meta/names.ts';
import type { Service, ServiceSpec } from '../types.ts';

export const isExternal = (spec: ServiceSpec): boolean => spec.type === 'ExternalName';
export const hasNodePorts = (spec: ServiceSpec): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer';
export const needsHealthCheck = (spec: ServiceSpec): boolean => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
export const externallyAccessible = (spec: ServiceSpec): boolean => hasNodePorts(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0);
export const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === 'None';

/** Whether the address fields fit each other; also asked before addresses are handed out. */
export function checkAddresses(check: Check, { spec = {} }: Service): void {
  if (isExternal(spec)) return;
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const at = 'spec.clusterIPs';
  if (clusterIP !== '') {
    if (clusterIPs.length === 0) check.required(at);
    else if (clusterIPs[0] !== clusterIP) check.invalid(at, clusterIPs, 'first value must match `clusterIP`');
  } else if (clusterIPs.length > 0) check.invalid(at, clusterIPs, 'must be empty when `clusterIP` is not specified');
  ipFamilies.forEach((family, i) => {
    if (!['IPv4', 'IPv6'].includes(family)) check.notSupported(`spec.ipFamilies[${i}]`, family, ['IPv4', 'IPv6']);
    if (ipFamilies.indexOf(family) < i) check.duplicate(`spec.ipFamilies[${i}]`, family);
  });
  if (ipFamilyPolicy !== undefined) check.oneOf('spec.ipFamilyPolicy', ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack']);
  let broken = false;
  clusterIPs.forEach((address, i) => {
    if (i === 0 && address === 'None') {
      if (clusterIPs.length === 1) return;
      broken = true;
      check.invalid(at, clusterIPs, "'None' must be the first and only value");
      return;
    }
    if (isIp(address).length > 0) broken = true;
    check.rule(`${at}[${i}]`, address, isIp);
  });
  if (clusterIPs.length > 2) check.invalid(at, clusterIPs, 'may only hold up to 2 values');
  if (broken) return;
  if (clusterIPs.length > 1 && ipFamily(clusterIPs[0] as string) === ipFamily(clusterIPs[1] as string)) {
    check.invalid(at, clusterIPs, 'may specify no more than one IP for each IP family');
  }
  if (isHeadless(spec)) return;
  clusterIPs.forEach((address, i) => {
    const family = ipFamilies[i];
    if (family && family !== ipFamily(address)) check.invalid(`${at}[${i}]`, address, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``);
  });
}
