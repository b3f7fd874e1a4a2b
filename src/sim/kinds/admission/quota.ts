import type { ApiObject } from '../../client/types.ts';
import { storageClassOf } from '../core/volumes.ts';
import { qosClassOf } from '../pod/qos.ts';
import { podResources, type ResourceList, runnableContainers } from '../pod/resources.ts';
import { addQuantities, compareQuantities, subtractQuantities } from '../quantity.ts';
import type { AdmissionPlugin } from '../strategy.ts';
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from '../types.ts';
import { groupResource, refuse } from './request.ts';

/**
 * `k8s.io/apiserver/pkg/admission/plugin/resourcequota` and `pkg/quota/v1/evaluator/core`. Usage is counted from what exists
 * at that moment; `status` of the quota is the controller's business (`quotaUsage` does its sum).
 */

type List = <T extends ApiObject>(resource: string, namespace?: string) => readonly T[];

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const POD_NAMES = new Set(['count/pods', 'pods', ...COMPUTE, ...COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`])]);
const MUST_BE_SET = new Set(['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]));
const ALIASES: Readonly<Record<string, string>> = {
  configmaps: 'configmaps',
  resourcequotas: 'resourcequotas',
  replicationcontrollers: 'replicationcontrollers',
  secrets: 'secrets',
};
const BY_CLASS = '.storageclass.storage.k8s.io/';

function computeUsage(requests: ResourceList, limits: ResourceList): ResourceList {
  const usage: ResourceList = { pods: '1' };
  for (const [name, amount] of Object.entries(requests)) {
    if (COMPUTE.includes(name) || name.startsWith('hugepages-')) usage[name] = amount;
    if (COMPUTE.includes(name) || name.startsWith('hugepages-') || name.includes('/')) usage[`requests.${name}`] = amount;
  }
  for (const name of COMPUTE) if (limits[name] !== undefined) usage[`limits.${name}`] = limits[name];
  return usage;
}

const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** What one object takes of a quota, by resource name. */
function usageOf(resource: string, object: ApiObject): ResourceList {
  const { group, resource: plural } = groupResource(resource);
  const counted: ResourceList = { [`count/${plural}${group ? `.${group}` : ''}`]: '1' };
  if (resource === 'v1/pods') {
    const pod = object as Pod;
    return isOver(pod) ? counted : { ...counted, ...computeUsage(podResources(pod, 'requests'), podResources(pod, 'limits')) };
  }
  if (resource === 'v1/services') {
    const { spec = {} } = object as Service;
    const ports = spec.ports ?? [];
    const exposed = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
    const nodePorts = exposed ? ports.length : spec.type === 'LoadBalancer' ? ports.filter(({ nodePort }) => nodePort).length : 0;
    return { ...counted, services: '1', 'services.nodeports': String(nodePorts), 'services.loadbalancers': spec.type === 'LoadBalancer' ? '1' : '0' };
  }
  if (resource === 'v1/persistentvolumeclaims') {
    const claim = object as PersistentVolumeClaim;
    const size = claim.spec?.resources?.requests?.storage;
    const usage: ResourceList = { ...counted, persistentvolumeclaims: '1', ...(size === undefined ? {} : { 'requests.storage': size }) };
    const className = storageClassOf(claim);
    if (className !== '') {
      usage[`${className}${BY_CLASS}persistentvolumeclaims`] = '1';
      if (size !== undefined) usage[`${className}${BY_CLASS}requests.storage`] = size;
    }
    return usage;
  }
  const alias = group === '' ? ALIASES[plural] : undefined;
  return alias ? { ...counted, [alias]: '1' } : counted;
}

/** Which resource a name of `spec.hard` counts. */
function countedResource(name: string): string | undefined {
  if (name.startsWith('count/')) return name.slice('count/'.length);
  if (POD_NAMES.has(name) || name.startsWith('hugepages-') || (name.startsWith('requests.') && name !== 'requests.storage')) return 'pods';
  if (name === 'services' || name.startsWith('services.')) return 'services';
  if (name === 'persistentvolumeclaims' || name === 'requests.storage' || name.includes(BY_CLASS)) return 'persistentvolumeclaims';
  return ALIASES[name];
}

const counts = (name: string, resource: string): boolean => {
  const { group, resource: plural } = groupResource(resource);
  return countedResource(name) === (group ? `${plural}.${group}` : plural);
};

function inScope(quota: ResourceQuota, resource: string, object: ApiObject): boolean {
  const scopes: { scopeName?: string; operator?: string; values?: string[] }[] = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName: scopeName as string, operator: 'Exists' })),
    ...(quota.spec?.scopeSelector?.matchExpressions ?? []),
  ];
  if (scopes.length === 0) return true;
  if (resource !== 'v1/pods') return false;
  const pod = object as Pod;
  return scopes.every(({ scopeName, operator, values = [] }) => {
    const className = pod.spec?.priorityClassName ?? '';
    switch (scopeName) {
      case 'Terminating':
        return (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
      case 'NotTerminating':
        return (pod.spec?.activeDeadlineSeconds ?? -1) < 0;
      case 'BestEffort':
        return qosClassOf(pod) === 'BestEffort';
      case 'NotBestEffort':
        return qosClassOf(pod) !== 'BestEffort';
      case 'PriorityClass':
        if (operator === 'In') return values.includes(className);
        if (operator === 'NotIn') return !values.includes(className);
        return (className !== '') === (operator !== 'DoesNotExist');
      default:
        return false;
    }
  });
}

function resourceId(counted: string, list: readonly string[]): string | undefined {
  return list.find((id) => {
    const { group, resource } = groupResource(id);
    return (group ? `${resource}.${group}` : resource) === counted;
  });
}

/** Resources whose objects a quota can count, by id. */
const COUNTABLE = [
  'v1/pods',
  'v1/services',
  'v1/persistentvolumeclaims',
  'v1/configmaps',
  'v1/secrets',
  'v1/resourcequotas',
  'v1/replicationcontrollers',
  'v1/serviceaccounts',
  'v1/endpoints',
  'v1/limitranges',
  'apps/v1/deployments',
  'apps/v1/replicasets',
  'apps/v1/statefulsets',
  'apps/v1/daemonsets',
  'batch/v1/jobs',
  'batch/v1/cronjobs',
  'networking.k8s.io/v1/ingresses',
  'networking.k8s.io/v1/networkpolicies',
  'policy/v1/poddisruptionbudgets',
  'autoscaling/v2/horizontalpodautoscalers',
  'discovery.k8s.io/v1/endpointslices',
  'coordination.k8s.io/v1/leases',
];

/** `status.used` of a quota for what exists now: every name of `spec.hard`, zero included. */
export function quotaUsage(quota: ResourceQuota, list: List): ResourceList {
  const namespace = quota.metadata?.namespace ?? '';
  const used: ResourceList = {};
  for (const name of Object.keys(quota.spec?.hard ?? {})) {
    const id = resourceId(countedResource(name) ?? '', COUNTABLE);
    used[name] = '0';
    if (id === undefined) continue;
    for (const object of list<ApiObject>(id, namespace)) {
      if (inScope(quota, id, object)) used[name] = addQuantities(used[name], usageOf(id, object)[name] ?? '0');
    }
  }
  return used;
}

/** `must specify limits.cpu for: a,b; requests.cpu for: a`. */
function missingRequirements(pod: Pod, names: readonly string[]): string {
  if (pod.spec?.resources) return '';
  const needed = names.filter((name) => MUST_BE_SET.has(name)).sort();
  const parts = needed.flatMap((name) => {
    const containers = runnableContainers(pod).filter(({ resources }) => computeUsage(resources?.requests ?? {}, resources?.limits ?? {})[name] === undefined);
    return containers.length === 0 ? [] : [`${name} for: ${[...new Set(containers.map((container) => container.name ?? ''))].sort().join(',')}`];
  });
  return parts.length === 0 ? '' : `must specify ${parts.join('; ')}`;
}

const print = (names: readonly string[], list: ResourceList): string => names.map((name) => `${name}=${list[name] ?? '0'}`).join(',');

export const resourceQuotaPlugin: AdmissionPlugin = {
  name: 'ResourceQuota',
  validate(request) {
    const { operation, resource, object, old, context } = request;
    if (request.subresource !== '' || !object || request.namespace === '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
    if (operation === 'UPDATE' && resource !== 'v1/services' && resource !== 'v1/persistentvolumeclaims') return;
    const quotas = context.list<ResourceQuota>('v1/resourcequotas', request.namespace);
    if (quotas.length === 0 || resource === 'v1/events' || resource === 'events.k8s.io/v1/events') return;
    const usage = usageOf(resource, object);
    const before = operation === 'UPDATE' && old ? usageOf(resource, old) : {};
    for (const quota of quotas) {
      const hard = quota.status?.hard ?? {};
      const names = Object.keys(hard).filter((name) => counts(name, resource));
      if (names.length === 0 || !inScope(quota, resource, object)) continue;
      const name = quota.metadata?.name ?? '';
      if (resource === 'v1/pods') {
        const missing = missingRequirements(object as Pod, names);
        if (missing !== '') throw refuse(request, `failed quota: ${name}: ${missing}`);
      }
      if (names.some((one) => quota.status?.used?.[one] === undefined)) {
        throw refuse(request, `status unknown for quota: ${name}, resources: ${names.sort().join(',')}`);
      }
      const delta: ResourceList = {};
      for (const one of names) {
        const amount = subtractQuantities(usage[one] ?? '0', before[one]);
        if (compareQuantities(amount, '0') > 0) delta[one] = amount;
      }
      const used = quotaUsage({ ...quota, spec: { ...quota.spec, hard } }, context.list.bind(context) as List);
      const exceeded = Object.keys(delta)
        .filter((one) => compareQuantities(addQuantities(used[one], delta[one]), hard[one]) > 0)
        .sort();
      if (exceeded.length > 0) {
        throw refuse(
          request,
          `exceeded quota: ${name}, requested: ${print(exceeded, delta)}, used: ${print(exceeded, used)}, limited: ${print(exceeded, hard as ResourceList)}`,
        );
      }
    }
  },
};
