import type { Check } from '../check.ts';
import { isConfigMapKey, isDns1123Label, isDns1123Subdomain, isEnvVarName, isLabelKey, maskTrailingDash } from '../meta/names.ts';
import { compareQuantities } from '../quantity.ts';
import type { EnvFromSource, EnvVar, ObjectFieldSelector, ResourceFieldSelector } from '../types.ts';
import { noBacksteps } from './paths.ts';

/** Environment variables and the downward API (`ValidateEnv`, `validateObjectFieldSelector`). */

export const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
export const VOLUME_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];
const KNOWN_FIELDS = new Set([...ENV_FIELDS, ...VOLUME_FIELDS, 'spec.restartPolicy', 'status.phase', 'spec.schedulerName']);

const RESOURCES = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory'];
const BYTE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export function checkFieldRef(check: Check, field: string, { apiVersion = '', fieldPath = '' }: ObjectFieldSelector, allowed: readonly string[]): void {
  if (!check.given(`${field}.apiVersion`, apiVersion) || !check.given(`${field}.fieldPath`, fieldPath)) return;
  const [, path = fieldPath, subscript] = /^([^[\]]+)\['(.*)'\]$/.exec(fieldPath) ?? [];
  const convertible = subscript === undefined ? KNOWN_FIELDS.has(path) : path === 'metadata.annotations' || path === 'metadata.labels';
  if (apiVersion !== 'v1' || !convertible) {
    const why =
      apiVersion === 'v1'
        ? subscript === undefined
          ? `field label not supported: ${path}`
          : `field label does not support subscript: ${fieldPath}`
        : `unsupported pod version: ${apiVersion}`;
    check.invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`);
  } else if (subscript !== undefined) check.rule(field, path === 'metadata.annotations' ? subscript.toLowerCase() : subscript, isLabelKey);
  else if (!allowed.includes(path)) check.notSupported(`${field}.fieldPath`, path, [...allowed].sort());
}

export function checkResourceFieldRef(
  check: Check,
  field: string,
  { containerName = '', resource = '', divisor = '0' }: ResourceFieldSelector,
  volume: boolean,
): void {
  const hugePages = /^(?:requests|limits)\.hugepages-/.test(resource);
  if (volume && containerName === '') check.required(`${field}.containerName`);
  else if (resource === '') check.required(`${field}.resource`);
  else if (!RESOURCES.includes(resource) && !hugePages) check.notSupported(`${field}.resource`, resource, RESOURCES);
  if (compareQuantities(divisor, '0') === 0) return;
  if (resource.endsWith('.cpu')) {
    if (!['1m', '1'].includes(divisor)) check.invalid(`${field}.divisor`, resource, "only divisor's values 1m and 1 are supported with the cpu resource");
  } else if ((RESOURCES.includes(resource) || hugePages) && !BYTE_DIVISORS.includes(divisor)) {
    const kind = hugePages ? 'hugepages' : resource.endsWith('.memory') ? 'memory' : 'local ephemeral storage';
    check.invalid(`${field}.divisor`, resource, `only divisor's values ${BYTE_DIVISORS.join(', ')} are supported with the ${kind} resource`);
  }
}

function checkKeyRef(check: Check, field: string, { name = '', key = '' }: { name?: string; key?: string }): void {
  check.subdomain(`${field}.name`, name);
  if (check.given(`${field}.key`, key)) check.rule(`${field}.key`, key, isConfigMapKey);
}

function checkValueFrom(check: Check, field: string, { value = '', valueFrom }: EnvVar): void {
  if (!valueFrom) return;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (fieldRef) checkFieldRef(check, `${field}.fieldRef`, fieldRef, ENV_FIELDS);
  if (resourceFieldRef) checkResourceFieldRef(check, `${field}.resourceFieldRef`, resourceFieldRef, false);
  if (configMapKeyRef) checkKeyRef(check, `${field}.configMapKeyRef`, configMapKeyRef);
  if (secretKeyRef) checkKeyRef(check, `${field}.secretKeyRef`, secretKeyRef);
  if (fileKeyRef) {
    const { key = '', volumeName = '', path = '' } = fileKeyRef;
    const at = `${field}.fileKeyRef`;
    if (check.given(`${at}.key`, key)) check.rule(`${at}.key`, key, isEnvVarName);
    if (check.given(`${at}.volumeName`, volumeName)) check.rule(`${at}.volumeName`, volumeName, isDns1123Label);
    if (check.given(`${at}.path`, path)) noBacksteps(check, `${at}.path`, path);
  }
  if (sources === 0) check.invalid(field, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`');
  else if (value !== '') check.invalid(field, '', 'may not be specified when `value` is not empty');
  else if (sources > 1) check.invalid(field, '', 'may not have more than one field specified at a time');
}

export function checkEnv(check: Check, field: string, variables: readonly EnvVar[]): void {
  variables.forEach((variable, i) => {
    const at = `${field}[${i}]`;
    if (check.given(`${at}.name`, variable.name)) check.rule(`${at}.name`, variable.name, isEnvVarName);
    checkValueFrom(check, `${at}.valueFrom`, variable);
  });
}

export function checkEnvFrom(check: Check, field: string, sources: readonly EnvFromSource[]): void {
  sources.forEach(({ prefix, configMapRef, secretRef }, i) => {
    const at = `${field}[${i}]`;
    if (prefix) check.rule(`${at}.prefix`, prefix, isEnvVarName);
    for (const [key, source] of Object.entries({ configMapRef, secretRef })) {
      if (!source || !check.given(`${at}.${key}.name`, source.name)) continue;
      for (const message of isDns1123Subdomain(maskTrailingDash(source.name))) check.invalid(`${at}.${key}.name`, source.name, message);
    }
    if (!configMapRef && !secretRef) check.invalid(field, '', 'must specify one of: `configMapRef` or `secretRef`');
    else if (configMapRef && secretRef) check.invalid(field, '', 'may not have more than one field specified at a time');
  });
}
