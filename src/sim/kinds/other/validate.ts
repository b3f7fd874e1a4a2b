import { checkAtMost100Percent, checkIntOrPercent } from '../apps/validate.ts';
import type { Check } from '../check.ts';
import { semanticEqual } from '../equal.ts';
import { validateLabelSelector, validateLabels } from '../meta/index.ts';
import { ipFamily, isDns1123Label, isDns1123Subdomain, isEndpointIp, isIp, isLabelKey, isPathSegment } from '../meta/names.ts';
import { PROTOCOLS } from '../pod/containers.ts';
import { checkTolerations } from '../pod/scheduling.ts';
import { checkResources } from '../resources.ts';
import { rules } from '../rules.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  EndpointSlice,
  HorizontalPodAutoscaler,
  HPAScalingRules,
  Lease,
  MetricSpec,
  PodDisruptionBudget,
  PriorityClass,
  RbacV1Subject,
  Role,
  RoleBinding,
  RuntimeClass,
  StorageClass,
} from '../types.ts';

/** Validation of the smaller API groups: `pkg/apis/{discovery,policy,autoscaling,rbac,scheduling,node,coordination,storage}/validation`. */

export const endpointSliceRules = rules<EndpointSlice>({
  namespaced: true,
  change: (check, slice, old) => check.immutable('addressType', slice.addressType ?? '', old.addressType ?? ''),
  check(check, { addressType = '', ports = [], endpoints = [] }, old) {
    check.oneOf('addressType', addressType, ['FQDN', 'IPv4', 'IPv6']);
    check.maxItems('ports', ports.length, 20000);
    const names = new Set<string>();
    ports.forEach(({ name = '', protocol, appProtocol }, i) => {
      const at = `ports[${i}]`;
      if (name !== '') check.rule(`${at}.name`, name, isDns1123Label);
      if (names.has(name)) check.duplicate(`${at}.name`, name);
      names.add(name);
      check.oneOf(`${at}.protocol`, protocol, PROTOCOLS);
      if (appProtocol !== undefined) check.rule(`${at}.appProtocol`, appProtocol, isLabelKey);
    });
    if (old && semanticEqual(old.endpoints, endpoints)) return;
    check.maxItems('endpoints', endpoints.length, 1000);
    endpoints.forEach(({ addresses = [], nodeName, hostname, deprecatedTopology }, i) => {
      const at = `endpoints[${i}]`;
      if (addresses.length === 0) check.required(`${at}.addresses`, 'must contain at least 1 address');
      check.maxItems(`${at}.addresses`, addresses.length, 100);
      addresses.forEach((address, j) => {
        const field = `${at}.addresses[${j}]`;
        if (addressType === 'FQDN') check.rule(field, address.replace(/\.$/, ''), isDns1123Subdomain);
        else if (isIp(address).length > 0) check.rule(field, address, isIp);
        else {
          if (ipFamily(address) !== addressType) check.invalid(`${at}.addresses`, address, `must be an ${addressType} address`);
          check.rule(field, address, isEndpointIp);
        }
      });
      if (nodeName !== undefined) check.subdomain(`${at}.nodeName`, nodeName);
      check.add(validateLabels(deprecatedTopology, `${at}.deprecatedTopology`));
      if (hostname !== undefined) check.label(`${at}.hostname`, hostname);
    });
  },
});

export const podDisruptionBudgetRules = rules<PodDisruptionBudget>({
  namespaced: true,
  metaByServer: true,
  check(check, { spec = {} }) {
    const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec;
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      const printed = {
        MinAvailable: minAvailable,
        Selector: selector ?? null,
        MaxUnavailable: maxUnavailable,
        UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy ?? null,
      };
      check.invalid('spec', printed, 'minAvailable and maxUnavailable cannot be both set');
    }
    for (const [key, value] of Object.entries({ minAvailable, maxUnavailable })) {
      if (value === undefined) continue;
      checkIntOrPercent(check, `spec.${key}`, value);
      checkAtMost100Percent(check, `spec.${key}`, value);
    }
    check.add(validateLabelSelector(selector, 'spec.selector'));
    if (unhealthyPodEvictionPolicy !== undefined)
      check.oneOf('spec.unhealthyPodEvictionPolicy', unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget']);
  },
});

const METRICS: Readonly<Record<string, 'containerResource' | 'external' | 'object' | 'pods' | 'resource'>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

function checkMetric(check: Check, at: string, metric: MetricSpec): void {
  const { type = '' } = metric;
  const key = METRICS[type];
  if (type === '') check.required(`${at}.type`, 'must specify a metric source type');
  if (!key) {
    check.notSupported(`${at}.type`, type, Object.keys(METRICS));
    return;
  }
  const source = metric[key] as { name?: string; metric?: { name?: string }; target?: Record<string, unknown> } | undefined;
  if (!source) check.required(`${at}.${key}`, 'must populate information for the given metric source');
  const place = `${at}.${key}`;
  const target = source?.target ?? {};
  if (source) {
    if (key === 'resource' || key === 'containerResource') {
      if (!source.name) check.required(`${place}.name`, 'must specify a resource name');
      checkTargetType(check, place, target);
      const [utilization, value] = [target.averageUtilization, target.averageValue];
      if (utilization === undefined && value === undefined)
        check.required(`${place}.target.averageUtilization`, 'must set either a target raw value or a target utilization');
      if (utilization !== undefined && value !== undefined)
        check.forbidden(`${place}.target.averageValue`, 'may not set both a target raw value and a target utilization');
    } else {
      if (!source.metric?.name) check.required(`${place}.metric.name`, 'must specify a metric name');
      checkTargetType(check, place, target);
      if (key === 'pods' && target.averageValue === undefined) check.required(`${place}.target.averageValue`, 'must specify a positive target averageValue');
      const words = key === 'object' ? 'must set either a target value or averageValue' : 'must set either a target value for metric or a per-pod target';
      if (key !== 'pods' && target.value === undefined && target.averageValue === undefined) check.required(`${place}.target.averageValue`, words);
    }
  }
  for (const other of Object.values(METRICS))
    if (other !== key && metric[other]) check.forbidden(`${at}.${other}`, 'must populate the given metric source only');
}

function checkTargetType(check: Check, place: string, target: Record<string, unknown>): void {
  const type = (target.type as string | undefined) ?? '';
  const types = ['AverageValue', 'Utilization', 'Value'];
  if (type === '') check.required(`${place}.target.type`, 'must specify a metric target type');
  if (!types.includes(type)) check.invalid(`${place}.target.type`, type, 'must be either Utilization, Value, or AverageValue');
  const utilization = target.averageUtilization as number | undefined;
  if (utilization !== undefined && utilization < 1) check.invalid(`${place}.target.averageUtilization`, utilization, 'must be greater than 0');
}

function checkScalingRules(check: Check, at: string, given: HPAScalingRules | undefined): void {
  if (!given) return;
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [] } = given;
  if (window !== undefined && window < 0) check.invalid(`${at}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero');
  if (window !== undefined && window > 3600) check.invalid(`${at}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600');
  if (selectPolicy !== undefined) check.oneOf(`${at}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']);
  if (policies.length === 0) check.required(`${at}.policies`, 'must specify at least one Policy');
  policies.forEach(({ type = '', value = 0, periodSeconds = 0 }, i) => {
    const place = `${at}.policies[${i}]`;
    if (type !== 'Pods' && type !== 'Percent') check.notSupported(`${place}.type`, type, ['Percent', 'Pods']);
    check.positive(`${place}.value`, value);
    check.positive(`${place}.periodSeconds`, periodSeconds);
    if (periodSeconds > 1800) check.invalid(`${place}.periodSeconds`, periodSeconds, 'must be less than or equal to 1800');
  });
}

export const horizontalPodAutoscalerRules = rules<HorizontalPodAutoscaler>({
  namespaced: true,
  check(check, { spec = {} }, old) {
    const { minReplicas, maxReplicas = 0, scaleTargetRef = {}, metrics = [], behavior } = spec;
    if (minReplicas !== undefined && minReplicas < 1) check.invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1');
    if (maxReplicas === 0) check.required('spec.maxReplicas', 'must be set and greater than 0');
    else if (maxReplicas < 0) check.invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1');
    if (minReplicas !== undefined && maxReplicas < minReplicas)
      check.invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`');
    for (const key of ['kind', 'name'] as const)
      if (check.given(`spec.scaleTargetRef.${key}`, scaleTargetRef[key])) check.rule(`spec.scaleTargetRef.${key}`, scaleTargetRef[key], isPathSegment);
    const { apiVersion = '', kind } = scaleTargetRef;
    const before = old?.spec?.scaleTargetRef;
    const known = before && before.apiVersion === apiVersion && before.kind === kind;
    if (!known && kind !== 'ReplicationController' && !apiVersion.includes('/')) {
      check.invalid('spec.scaleTargetRef.apiVersion', apiVersion, 'apiVersion must specify API group');
    }
    metrics.forEach((metric, i) => {
      checkMetric(check, `spec.metrics[${i}]`, metric);
    });
    checkScalingRules(check, 'spec.behavior.scaleUp', behavior?.scaleUp);
    checkScalingRules(check, 'spec.behavior.scaleDown', behavior?.scaleDown);
  },
});

const RBAC = 'rbac.authorization.k8s.io';

const roleRules = (namespaced: boolean) =>
  rules<Role & ClusterRole>({
    namespaced,
    name: isPathSegment,
    check(check, role) {
      (role.rules ?? []).forEach(({ verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }, i) => {
        const at = `rules[${i}]`;
        if (verbs.length === 0) check.required(`${at}.verbs`, 'verbs must contain at least one value');
        if (nonResourceURLs.length > 0) {
          const field = `${at}.nonResourceURLs`;
          if (namespaced) check.invalid(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs');
          if (apiGroups.length + resources.length + resourceNames.length > 0)
            check.invalid(field, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs');
          return;
        }
        if (apiGroups.length === 0) check.required(`${at}.apiGroups`, 'resource rules must supply at least one api group');
        if (resources.length === 0) check.required(`${at}.resources`, 'resource rules must supply at least one resource');
      });
      if (!role.aggregationRule) return;
      const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
      const at = 'aggregationRule.clusterRoleSelectors';
      if (selectors.length === 0) check.required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil');
      selectors.forEach((selector, i) => {
        check.add(validateLabelSelector(selector, `${at}[${i}]`));
      });
    },
  });

function checkSubject(check: Check, at: string, subject: RbacV1Subject, namespaced: boolean): void {
  const { kind = '', name = '', apiGroup = '', namespace = '' } = subject;
  check.given(`${at}.name`, name);
  if (kind === 'ServiceAccount') {
    if (name !== '') check.subdomain(`${at}.name`, name);
    if (apiGroup !== '') check.notSupported(`${at}.apiGroup`, apiGroup, ['']);
    if (!namespaced && namespace === '') check.required(`${at}.namespace`);
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== RBAC) check.notSupported(`${at}.apiGroup`, apiGroup, [RBAC]);
  } else check.notSupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group']);
}

const bindingRules = (namespaced: boolean) =>
  rules<RoleBinding & ClusterRoleBinding>({
    namespaced,
    name: isPathSegment,
    change(check, { roleRef }, old) {
      const { apiGroup = '', kind = '', name = '' } = roleRef ?? {};
      if (!semanticEqual(roleRef, old.roleRef)) check.invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef');
    },
    check(check, { roleRef, subjects = [] }) {
      const { apiGroup = '', kind = '', name = '' } = roleRef ?? {};
      const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
      if (apiGroup !== RBAC) check.notSupported('roleRef.apiGroup', apiGroup, [RBAC]);
      if (!kinds.includes(kind)) check.notSupported('roleRef.kind', kind, kinds);
      if (check.given('roleRef.name', name)) check.rule('roleRef.name', name, isPathSegment);
      subjects.forEach((subject, i) => {
        checkSubject(check, `subjects[${i}]`, subject, namespaced);
      });
    },
  });

export const rbacRules = { roles: roleRules(true), clusterroles: roleRules(false), rolebindings: bindingRules(true), clusterrolebindings: bindingRules(false) };

const SYSTEM_CLASSES: Readonly<Record<string, number>> = { 'system-node-critical': 2000001000, 'system-cluster-critical': 2000000000 };

export const priorityClassRules = rules<PriorityClass>({
  namespaced: false,
  change(check, priorityClass, old) {
    if ((priorityClass.value ?? 0) !== (old.value ?? 0)) check.forbidden('value', 'may not be changed in an update.');
    check.immutable('preemptionPolicy', priorityClass.preemptionPolicy, old.preemptionPolicy);
  },
  check(check, { metadata, value = 0, globalDefault, preemptionPolicy }, old) {
    if (old) return;
    const name = metadata?.name ?? '';
    if (name.startsWith('system-')) {
      const known = SYSTEM_CLASSES[name];
      let why = '';
      if (known === undefined) why = `${name} is not a known system priority class`;
      else if (value !== known) why = `value of ${name} PriorityClass must be ${known}`;
      else if (globalDefault) why = `globalDefault of ${name} PriorityClass must be false`;
      if (why !== '') check.forbidden('metadata.name', `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`);
    } else if (value > 1000000000) check.forbidden('value', 'maximum allowed value of a user defined priority is 1000000000');
    if (preemptionPolicy !== undefined) check.oneOf('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  },
});

export const runtimeClassRules = rules<RuntimeClass>({
  namespaced: false,
  change: (check, runtimeClass, old) => check.immutable('handler', runtimeClass.handler ?? '', old.handler ?? ''),
  check(check, { handler = '', overhead, scheduling }, old) {
    if (old) return;
    if (check.given('handler', handler)) check.rule('handler', handler, isDns1123Label);
    if (overhead) checkResources(check, 'overhead', { limits: overhead.podFixed }, new Set());
    check.add(validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'));
    checkTolerations(check, 'scheduling.tolerations', scheduling?.tolerations ?? []);
  },
});

export const leaseRules = rules<Lease>({
  namespaced: true,
  check(check, { spec = {} }) {
    const { leaseDurationSeconds, leaseTransitions } = spec;
    if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0)
      check.invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0');
    if (leaseTransitions !== undefined && leaseTransitions < 0) check.invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0');
  },
});

export const storageClassRules = rules<StorageClass>({
  namespaced: false,
  change(check, storageClass, old) {
    check.immutable('parameters', storageClass.parameters, old.parameters);
    check.immutable('provisioner', storageClass.provisioner ?? '', old.provisioner ?? '');
    check.immutable('reclaimPolicy', storageClass.reclaimPolicy, old.reclaimPolicy);
    check.immutable('volumeBindingMode', storageClass.volumeBindingMode, old.volumeBindingMode);
  },
  check(check, storageClass, old) {
    if (old) return;
    const { provisioner = '', parameters = {}, reclaimPolicy, volumeBindingMode, allowedTopologies = [] } = storageClass;
    if (check.given('provisioner', provisioner))
      for (const message of isLabelKey(provisioner.toLowerCase())) check.invalid('provisioner', provisioner.toLowerCase(), message);
    if (Object.hasOwn(parameters, '')) check.invalid('parameters', '', 'field can not be empty.');
    if (reclaimPolicy) check.oneOf('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']);
    if (volumeBindingMode === undefined) check.required('volumeBindingMode');
    else check.oneOf('volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']);
    allowedTopologies.forEach(({ matchLabelExpressions = [] }, i) => {
      matchLabelExpressions.forEach(({ key = '', values = [] }, j) => {
        const at = `allowedTopologies[${i}].matchLabelExpressions[${j}]`;
        if (values.length === 0) check.required(`${at}.values`);
        check.rule(`${at}.key`, key, isLabelKey);
      });
    });
  },
});
