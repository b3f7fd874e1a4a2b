import { type Check, sortedEntries } from '../check.ts';
import { semanticEqual } from '../equal.ts';
import { sortedMap, tooLong } from '../field-error.ts';
import { internalValue } from '../internal.ts';
import { byteLength, ipFamily, isConfigMapKey, isDns1123Label, isDns1123Subdomain, isEndpointIp, isIp, isLabelKey, isLabelValue } from '../meta/names.ts';
import { PROTOCOLS } from '../pod/containers.ts';
import { TAINT_EFFECTS } from '../pod/scheduling.ts';
import { checkPodTemplate } from '../pod/validate.ts';
import { compareQuantities } from '../quantity.ts';
import { checkQuantity, checkQuotaResourceName, checkResourceName } from '../resources.ts';
import { rules } from '../rules.ts';
import type {
  ConfigMap,
  EndpointAddress,
  Endpoints,
  LimitRange,
  LimitRangeItem,
  Namespace,
  Node,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  Secret,
  ServiceAccount,
  Taint,
} from '../types.ts';

/** The smaller kinds of the core group (`pkg/apis/core/validation`). */

const MAX_DATA = 1024 * 1024;
const SEALED = 'field is immutable when `immutable` is set';

interface Sealable {
  immutable?: boolean;
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

function checkSealed(check: Check, object: Sealable, old: Sealable): void {
  if (!old.immutable) return;
  if (!object.immutable) check.forbidden('immutable', SEALED);
  for (const key of ['data', 'binaryData'] as const) if (!semanticEqual(object[key], old[key])) check.forbidden(key, SEALED);
}

/** Bytes that a base64 text stands for. */
const decodedLength = (text: string): number => Math.floor((text.replace(/=+$/, '').length * 3) / 4);

export const configMapRules = rules<ConfigMap>({
  namespaced: true,
  change: checkSealed,
  check(check, { data, binaryData }) {
    let size = 0;
    for (const [key, value] of sortedEntries(data)) {
      check.rule(`data[${key}]`, key, isConfigMapKey);
      if (binaryData && Object.hasOwn(binaryData, key)) check.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData');
      size += byteLength(value);
    }
    for (const [key, value] of sortedEntries(binaryData)) {
      check.rule(`binaryData[${key}]`, key, isConfigMapKey);
      size += decodedLength(value);
    }
    if (size > MAX_DATA) check.errors.push(tooLong('', MAX_DATA));
  },
});

/** Keys that Secrets of a type must have. */
const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export const secretRules = rules<Secret>({
  namespaced: true,
  change(check, secret, old) {
    check.immutable('type', secret.type, old.type);
    checkSealed(check, secret, old);
  },
  check(check, { data = {}, type = '', metadata }) {
    let size = 0;
    for (const [key, value] of sortedEntries(data)) {
      check.rule(`data[${key}]`, key, isConfigMapKey);
      size += decodedLength(value);
    }
    if (size > MAX_DATA) check.errors.push(tooLong('data', MAX_DATA));
    const account = 'kubernetes.io/service-account.name';
    if (type === 'kubernetes.io/service-account-token' && !metadata?.annotations?.[account]) check.required(`metadata.annotations[${account}]`);
    for (const key of SECRET_KEYS[type] ?? []) if (!Object.hasOwn(data, key)) check.required(`data[${key}]`);
    if (type === 'kubernetes.io/basic-auth' && data.username === undefined && data.password === undefined) {
      check.required('data[username]');
      check.required('data[password]');
    }
  },
});

export const serviceAccountRules = rules<ServiceAccount>({ namespaced: true });

export const podTemplateRules = rules<PodTemplate>({
  namespaced: true,
  check: (check, { template }) => checkPodTemplate(check, 'template', template ?? {}),
});

const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion'];

export const namespaceRules = rules<Namespace>({
  namespaced: false,
  name: isDns1123Label,
  check(check, { spec }, old) {
    if (old) return;
    for (const finalizer of spec?.finalizers ?? []) {
      check.rule('spec.finalizers', finalizer, isLabelKey);
      if (!finalizer.includes('/') && !STANDARD_FINALIZERS.includes(finalizer)) {
        check.invalid('spec.finalizers', finalizer, 'name is neither a standard finalizer name nor is it fully qualified');
      }
    }
  },
  status(check, { metadata, status }) {
    const [phase, why] = metadata?.deletionTimestamp ? ['Terminating', 'is not empty'] : ['Active', 'is empty'];
    if (status?.phase !== phase) check.invalid('status.Phase', status?.phase ?? '', `may only be '${phase}' if \`deletionTimestamp\` ${why}`);
  },
});

function checkTaints(check: Check, field: string, taints: readonly Taint[]): void {
  taints.forEach(({ key = '', value = '', effect = '' }, i) => {
    const at = `${field}[${i}]`;
    check.rule(`${at}.key`, key, isLabelKey);
    const messages = isLabelValue(value);
    if (messages.length > 0) check.invalid(`${at}.value`, value, messages.join(';'));
    check.oneOf(`${at}.effect`, effect, TAINT_EFFECTS);
    const first = taints.findIndex((other) => other.key === key && other.effect === effect);
    if (first === i) return;
    check.duplicate(at, internalValue('Taint', taints[i]));
    (check.errors.at(-1) as { detail: string }).detail = 'taints must be unique by key and effect pair';
  });
}

function checkNodeResources(check: Check, { status }: Node): void {
  for (const side of ['capacity', 'allocatable'] as const) {
    for (const [name, amount] of sortedEntries(status?.[side])) checkQuantity(check, `status.${side}.${name}`, name, amount);
  }
}

export const nodeRules = rules<Node>({
  namespaced: false,
  change(check, { spec = {} }, { spec: old = {} }) {
    if (old.podCIDRs?.length && !semanticEqual(old.podCIDRs, spec.podCIDRs))
      check.forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid');
    if (old.providerID && old.providerID !== spec.providerID)
      check.forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid');
  },
  check(check, node) {
    checkNodeResources(check, node);
    checkTaints(check, 'metadata.taints', node.spec?.taints ?? []);
  },
  status: checkNodeResources,
});

function checkEndpointAddress(check: Check, at: string, { ip = '', hostname, nodeName }: EndpointAddress): void {
  check.rule(`${at}.ip`, ip, isIp);
  if (hostname) check.rule(`${at}.hostname`, hostname, isDns1123Label);
  if (nodeName !== undefined) check.rule(`${at}.nodeName`, nodeName, isDns1123Subdomain);
  if (ipFamily(ip)) check.rule(`${at}.ip`, ip, isEndpointIp);
  else check.invalid(`${at}.ip`, ip, 'must be a valid IP address');
}

export const endpointsRules = rules<Endpoints>({
  namespaced: true,
  check(check, { subsets = [] }, old) {
    if (old && semanticEqual(old.subsets, subsets)) return;
    subsets.forEach(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
      const at = `subsets[${i}]`;
      if (addresses.length + notReadyAddresses.length === 0) check.required(at, 'must specify `addresses` or `notReadyAddresses`');
      addresses.forEach((address, j) => {
        checkEndpointAddress(check, `${at}.addresses[${j}]`, address);
      });
      notReadyAddresses.forEach((address, j) => {
        checkEndpointAddress(check, `${at}.notReadyAddresses[${j}]`, address);
      });
      ports.forEach(({ name = '', port = 0, protocol, appProtocol }, j) => {
        const place = `${at}.ports[${j}]`;
        if (name !== '') check.rule(`${place}.name`, name, isDns1123Label);
        else if (ports.length > 1) check.required(`${place}.name`);
        check.port(`${place}.port`, port);
        check.oneOf(`${place}.protocol`, protocol, PROTOCOLS);
        if (appProtocol !== undefined) check.rule(`${place}.appProtocol`, appProtocol, isLabelKey);
      });
    });
  },
});

function checkQuotaList(check: Check, field: string, list: Record<string, string> | undefined): void {
  for (const [name, amount] of sortedEntries(list)) {
    checkQuotaResourceName(check, `${field}[${name}]`, name);
    checkQuantity(check, `${field}[${name}]`, name, amount);
  }
}

const SCOPES = ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity', 'VolumeAttributesClass'];

const POD_COMPUTE = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];
const STANDARD_QUOTAS = [
  ...POD_COMPUTE,
  ...['ephemeral-storage', 'requests.storage', 'requests.ephemeral-storage', 'limits.ephemeral-storage', 'pods', 'resourcequotas', 'services'],
  ...['replicationcontrollers', 'secrets', 'persistentvolumeclaims', 'configmaps', 'services.nodeports', 'services.loadbalancers'],
];

/** Whether a quota of this scope can count this resource (`IsResourceQuotaScopeValidForResource`). */
function scopeFits(scope: string, name: string): boolean {
  if (!SCOPES.includes(scope) || !STANDARD_QUOTAS.includes(name)) return true;
  if (scope === 'VolumeAttributesClass') return name === 'persistentvolumeclaims' || name === 'requests.storage';
  return name === 'pods' || (scope !== 'BestEffort' && POD_COMPUTE.includes(name));
}

const VALUELESS_SCOPES = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'];

function checkScopeSelector(check: Check, { hard, scopes, scopeSelector }: NonNullable<ResourceQuota['spec']>): void {
  const at = 'spec.scopeSelector.matchExpressions';
  const requirements = scopeSelector?.matchExpressions ?? [];
  for (const { scopeName = '', operator = '', values = [] } of requirements) {
    if (!SCOPES.includes(scopeName)) check.invalid(`${at}.scopeName`, scopeName, 'unsupported scope');
    for (const [name] of sortedEntries(hard)) {
      if (scopeFits(scopeName, name)) continue;
      const printed = requirements.map((item) => ({ ScopeName: item.scopeName ?? '', Operator: item.operator ?? '', Values: item.values ?? null }));
      check.invalid(at, { MatchExpressions: printed }, 'unsupported scope applied to resource');
    }
    if (VALUELESS_SCOPES.includes(scopeName) && operator !== 'Exists') {
      check.invalid(
        `${at}.operator`,
        operator,
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      );
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) check.required(`${at}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) check.invalid(`${at}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
    } else check.invalid(`${at}.operator`, operator, 'not a valid selector operator');
  }
  const names = requirements.map(({ scopeName }) => scopeName);
  for (const [a, b] of CONFLICTING_SCOPES) if (names.includes(a) && names.includes(b)) check.invalid(at, scopes ?? null, 'conflicting scopes');
}

const CONFLICTING_SCOPES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

export const resourceQuotaRules = rules<ResourceQuota>({
  namespaced: true,
  change(check, { spec }, old) {
    const sorted = (scopes: readonly string[] | undefined): string[] => [...(scopes ?? [])].sort();
    if (!semanticEqual(sorted(spec?.scopes), sorted(old.spec?.scopes))) check.invalid('spec.scopes', spec?.scopes ?? null, 'field is immutable');
  },
  check(check, { spec, status }) {
    checkQuotaList(check, 'spec.hard', spec?.hard);
    const scopes: readonly string[] = spec?.scopes ?? [];
    for (const scope of scopes) {
      if (!SCOPES.includes(scope)) check.invalid('spec.scopes', scopes, 'unsupported scope');
      for (const [name] of sortedEntries(spec?.hard)) {
        if (!scopeFits(scope, name)) check.invalid('spec.scopes', scopes, 'unsupported scope applied to resource');
      }
    }
    for (const [a, b] of CONFLICTING_SCOPES) {
      if (scopes.includes(a) && scopes.includes(b)) check.invalid('spec.scopes', scopes, 'conflicting scopes');
    }
    checkScopeSelector(check, spec ?? {});
    checkQuotaList(check, 'status.hard', status?.hard);
    checkQuotaList(check, 'status.used', status?.used);
  },
});

function checkLimitOrder(check: Check, at: string, item: LimitRangeItem, name: string): void {
  const { min, max, default: limit, defaultRequest: request, maxLimitRequestRatio: ratio } = item;
  const [low, high, usual, asked] = [min?.[name], max?.[name], limit?.[name], request?.[name]];
  const over = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && compareQuantities(a, b) > 0;
  if (over(low, high)) check.invalid(`${at}.min[${name}]`, low, `min value ${low} is greater than max value ${high}`);
  if (over(low, asked)) check.invalid(`${at}.defaultRequest[${name}]`, asked, `min value ${low} is greater than default request value ${asked}`);
  if (over(asked, high)) check.invalid(`${at}.defaultRequest[${name}]`, asked, `default request value ${asked} is greater than max value ${high}`);
  if (over(asked, usual)) check.invalid(`${at}.defaultRequest[${name}]`, asked, `default request value ${asked} is greater than default limit value ${usual}`);
  if (over(low, usual)) check.invalid(`${at}.default[${name}]`, low, `min value ${low} is greater than default value ${usual}`);
  if (over(usual, high)) check.invalid(`${at}.default[${name}]`, high, `default value ${usual} is greater than max value ${high}`);
  const share = ratio?.[name];
  if (share !== undefined && compareQuantities(share, '1') < 0) check.invalid(`${at}.maxLimitRequestRatio[${name}]`, share, `ratio ${share} is less than 1`);
}

export const limitRangeRules = rules<LimitRange>({
  namespaced: true,
  check(check, { spec }) {
    const seen = new Set<string>();
    (spec?.limits ?? []).forEach((item, i) => {
      const at = `spec.limits[${i}]`;
      const { type = '' } = item;
      check.rule(`${at}.type`, type, isLabelKey);
      if (isLabelKey(type).length === 0 && !type.includes('/') && !['Pod', 'Container', 'PersistentVolumeClaim'].includes(type)) {
        check.invalid(`${at}.type`, type, 'must be a standard limit type or fully qualified');
      }
      if (seen.has(type)) check.duplicate(`${at}.type`, type);
      seen.add(type);
      const names = new Set<string>();
      for (const key of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const) {
        const list = item[key];
        if (type === 'Pod' && key.startsWith('default')) {
          if (list && Object.keys(list).length > 0) check.forbidden(`${at}.${key}`, "may not be specified when `type` is 'Pod'");
          continue;
        }
        for (const [name] of sortedEntries(list)) {
          checkResourceName(check, `${at}.${key}[${name}]`, name);
          names.add(name);
        }
      }
      if (type === 'PersistentVolumeClaim' && item.min?.storage === undefined && item.max?.storage === undefined) {
        check.required(`${at}.limits`, 'either minimum or maximum storage value is required, but neither was provided');
      }
      for (const name of [...names].sort()) checkLimitOrder(check, at, item, name);
    });
  },
});

export const replicationControllerRules = rules<ReplicationController>({
  namespaced: true,
  check(check, { spec = {} }) {
    const { selector = {}, template } = spec;
    check.nonNegative('spec.minReadySeconds', spec.minReadySeconds);
    if (Object.keys(selector).length === 0) check.required('spec.selector');
    check.nonNegative('spec.replicas', spec.replicas);
    if (!template) return check.required('spec.template');
    const labels = template.metadata?.labels;
    if (Object.entries(selector).some(([key, value]) => labels?.[key] !== value)) {
      check.invalid('spec.template.metadata.labels', sortedMap(labels), '`selector` does not match template `labels`');
    }
    checkPodTemplate(check, 'spec.template', template);
    const { restartPolicy = '', activeDeadlineSeconds } = template.spec ?? {};
    if (restartPolicy !== 'Always') check.notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']);
    if (activeDeadlineSeconds !== undefined)
      check.forbidden('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in ReplicationController is not Supported');
  },
});
