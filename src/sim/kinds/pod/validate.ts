import { Check, sortedEntries } from '../check.ts';
import { semanticEqual } from '../equal.ts';
import { diff, internalValue } from '../internal.ts';
import { validateAnnotations, validateLabels, validateObjectMeta, validateObjectMetaUpdate } from '../meta/index.ts';
import { ipFamily, isDns1123Subdomain, isDns1123SubdomainWithUnderscore, isIp, isLabelKey } from '../meta/names.ts';
import { compareQuantities } from '../quantity.ts';
import { checkResources } from '../resources.ts';
import type { FieldError } from '../strategy.ts';
import type { Container, Pod, PodDNSConfig, PodSpec, PodTemplateSpec, Toleration } from '../types.ts';
import { checkContainers, checkEphemeralContainers, checkInitContainers, type PodScope } from './containers.ts';
import { podResources } from './resources.ts';
import { checkAffinity, checkSpread, checkTolerations } from './scheduling.ts';
import { checkPodSecurityContext } from './security.ts';
import { checkVolumes } from './volumes.ts';

/** Pods and Pod templates (`ValidatePodSpec`, `ValidatePodTemplateSpec`, `ValidatePodCreate`, `ValidatePodUpdate`). */

const INT32_MAX = 2147483647;
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** Whose spec it is: Pods have names and stricter rules than templates. */
interface SpecOptions {
  podName?: string;
  isPod?: boolean;
}

function checkDnsConfig(check: Check, field: string, policy: string | undefined, config: PodDNSConfig | undefined): void {
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (policy === 'None') {
    if (!config) check.required(field, 'must provide `dnsConfig` when `dnsPolicy` is None');
    else if (nameservers.length === 0) check.required(`${field}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None');
    if (nameservers.length === 0) return;
  }
  if (nameservers.length > 3) check.invalid(`${field}.nameservers`, nameservers, 'must not have more than 3 nameservers');
  nameservers.forEach((address, i) => {
    check.rule(`${field}.nameservers[${i}]`, address, isIp);
  });
  if (searches.length > 32) check.invalid(`${field}.searches`, searches, 'must not have more than 32 search paths');
  if (searches.join(' ').length > 2048)
    check.invalid(`${field}.searches`, searches, 'must not have more than 2048 characters (including spaces) in the search list');
  searches.forEach((search, i) => {
    if (search !== '.') check.rule(`${field}.searches[${i}]`, search.replace(/\.$/, ''), isDns1123SubdomainWithUnderscore);
  });
  options.forEach(({ name = '' }, i) => {
    if (name === '') check.required(`${field}.options[${i}]`, 'must not be empty');
  });
}

/** The Pod's own resources must cover those of its containers. */
function checkPodResources(check: Check, field: string, spec: PodSpec, claims: ReadonlySet<string>): void {
  const own = spec.resources;
  if (!own) return;
  if (own.claims) check.forbidden(`${field}.claims`, 'claims may not be set for Resources at pod-level');
  checkResources(check, field, own, claims, true);
  const together = podResources({ spec: { ...spec, resources: undefined } }, 'requests', { withoutOverhead: true });
  for (const [name, amount] of sortedEntries(together)) {
    const given = own.requests?.[name];
    if (given !== undefined && compareQuantities(amount, given) > 0) {
      check.invalid(`${field}.requests[${name}]`, given, `must be greater than or equal to aggregate container requests of ${amount}`);
    }
  }
  (spec.containers ?? []).forEach((container, i) => {
    for (const [name, amount] of sortedEntries(container.resources?.limits)) {
      const limit = own.limits?.[name];
      if (limit !== undefined && compareQuantities(amount, limit) > 0) {
        check.invalid(`${field}.containers[${i}][${name}].limits`, amount, `must be less than or equal to pod limits of ${limit}`);
      }
    }
  });
}

function checkSpecNames(check: Check, field: string, spec: PodSpec): void {
  for (const key of ['serviceAccountName', 'nodeName'] as const) if (spec[key]) check.subdomain(`${field}.${key}`, spec[key]);
  const deadline = spec.activeDeadlineSeconds;
  check.range(`${field}.activeDeadlineSeconds`, deadline, 1, INT32_MAX);
  for (const key of ['hostname', 'subdomain'] as const) if (spec[key]) check.label(`${field}.${key}`, spec[key]);
  checkTolerations(check, `${field}.tolerations`, spec.tolerations ?? []);
  (spec.hostAliases ?? []).forEach(({ ip = '', hostnames = [] }, i) => {
    check.rule(`${field}.hostAliases[${i}].ip`, ip, isIp);
    hostnames.forEach((name, j) => {
      check.rule(`${field}.hostAliases[${i}].hostnames[${j}]`, name, isDns1123Subdomain);
    });
  });
  for (const key of ['priorityClassName', 'runtimeClassName'] as const) if (spec[key]) check.subdomain(`${field}.${key}`, spec[key]);
  if (spec.preemptionPolicy !== undefined) check.oneOf(`${field}.preemptionPolicy`, spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  if (spec.overhead) checkResources(check, `${field}.overhead`, { limits: spec.overhead }, new Set());
  if (spec.os && !spec.os.name) check.required(`${field}.os.name`);
  else if (spec.os) check.oneOf(`${field}.os`, spec.os.name, ['linux', 'windows']);
}

function checkHost(check: Check, field: string, spec: PodSpec, isPod: boolean): void {
  if (!spec.hostNetwork) return;
  (spec.containers ?? []).forEach(({ ports = [] }, i) => {
    ports.forEach(({ hostPort = 0, containerPort = 0 }, j) => {
      if ((isPod || hostPort !== 0) && hostPort !== containerPort) {
        check.invalid(`${field}.containers[${i}].ports[${j}].hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true');
      }
    });
  });
}

export function checkPodSpec(check: Check, field: string, spec: PodSpec, options: SpecOptions = {}): void {
  const { podName = '', isPod = false } = options;
  if (spec.terminationGracePeriodSeconds === undefined) check.required(`${field}.terminationGracePeriodSeconds`);
  const volumes = checkVolumes(check, `${field}.volumes`, spec.volumes ?? [], podName);
  const claims = new Set((spec.resourceClaims ?? []).map(({ name = '' }) => name));
  const scope: PodScope = { spec, volumes, claims };
  checkContainers(check, `${field}.containers`, scope);
  checkInitContainers(check, `${field}.initContainers`, scope);
  checkEphemeralContainers(check, `${field}.ephemeralContainers`, scope);
  checkPodResources(check, `${field}.resources`, spec, claims);
  checkHost(check, field, spec, isPod);
  check.oneOf(`${field}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']);
  check.oneOf(`${field}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES);
  check.add(validateLabels(spec.nodeSelector, `${field}.nodeSelector`));
  checkPodSecurityContext(check, `${field}.securityContext`, spec.securityContext, spec);
  checkAffinity(check, `${field}.affinity`, spec.affinity);
  checkDnsConfig(check, `${field}.dnsConfig`, spec.dnsPolicy, spec.dnsConfig);
  (spec.readinessGates ?? []).forEach(({ conditionType = '' }, i) => {
    check.rule(`${field}.readinessGates[${i}].conditionType`, conditionType, isLabelKey);
  });
  const gates = new Set<string>();
  (spec.schedulingGates ?? []).forEach(({ name = '' }, i) => {
    check.rule(`${field}.schedulingGates[${i}]`, name, isLabelKey);
    if (gates.has(name)) check.duplicate(`${field}.schedulingGates[${i}]`, name);
    gates.add(name);
  });
  checkSpread(check, `${field}.topologySpreadConstraints`, spec.topologySpreadConstraints ?? []);
  if (spec.hostUsers === false) {
    if (spec.hostNetwork) check.forbidden(`${field}.hostNetwork`, 'when `hostUsers` is false');
    if (spec.hostPID) check.forbidden(`${field}.HostPID`, 'when `hostUsers` is false');
    if (spec.hostIPC) check.forbidden(`${field}.HostIPC`, 'when `hostUsers` is false');
  }
  const override = spec.hostnameOverride;
  if (override !== undefined) {
    const place = `${field}.hostnameOverride`;
    if (spec.setHostnameAsFQDN) check.forbidden(place, 'may not be specified when setHostnameAsFQDN is true');
    if (spec.hostNetwork) check.forbidden(place, 'may not be specified when hostNetwork is true');
    check.maxBytes(place, override, 64);
    check.subdomain(place, override);
  }
  checkSpecNames(check, field, spec);
}

const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

function checkPodAnnotations(check: Check, field: string, annotations: Record<string, string> | undefined, spec: PodSpec): void {
  const mirror = annotations?.[MIRROR];
  if (mirror !== undefined && !spec.nodeName) check.invalid(`${field}[${MIRROR}]`, mirror, 'must set spec.nodeName if mirror pod annotation is set');
  const cost = annotations?.[DELETION_COST];
  const isCost = cost === undefined || (/^(?:0|-?[1-9]\d*)$/.test(cost) && Math.abs(Number(cost)) <= INT32_MAX);
  if (!isCost) check.invalid(`${field}[${DELETION_COST}]`, cost, 'must be a 32bit integer');
}

export function checkPodTemplate(check: Check, field: string, template: PodTemplateSpec): void {
  const { metadata, spec = {} } = template;
  check.add(validateLabels(metadata?.labels, `${field}.labels`));
  check.add(validateAnnotations(metadata?.annotations, `${field}.annotations`));
  checkPodAnnotations(check, `${field}.annotations`, metadata?.annotations, spec);
  checkPodSpec(check, `${field}.spec`, spec);
  if (spec.ephemeralContainers?.length) check.forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template');
}

function checkImageSpaces(check: Check, field: string, containers: readonly Container[] = []): void {
  containers.forEach(({ image = '' }, i) => {
    if (image.trim() !== image) check.invalid(`${field}[${i}].image`, image, 'must not have leading or trailing whitespace');
  });
}

export function checkPod(check: Check, pod: Pod): void {
  const spec = pod.spec ?? {};
  check.add(validateObjectMeta(pod, { namespaced: true, nameValidator: isDns1123Subdomain }));
  checkPodAnnotations(check, 'metadata.annotations', pod.metadata?.annotations, spec);
  checkPodSpec(check, 'spec', spec, { podName: pod.metadata?.name, isPod: true });
  if (!spec.serviceAccountName) {
    (spec.volumes ?? []).forEach(({ projected }, i) => {
      (projected?.sources ?? []).forEach(({ serviceAccountToken }, j) => {
        if (serviceAccountToken)
          check.forbidden(`spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`, 'must not be specified when serviceAccountName is not set');
      });
    });
  }
  checkImageSpaces(check, 'spec.containers', spec.containers);
  checkImageSpaces(check, 'spec.initContainers', spec.initContainers);
}

export function validatePod(pod: Pod): FieldError[] {
  const check = new Check();
  checkPod(check, pod);
  if (pod.spec?.ephemeralContainers?.length) check.forbidden('spec.ephemeralContainers', 'cannot be set on create');
  if (pod.spec?.nodeName && pod.spec.schedulingGates?.length) check.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared');
  return check.errors;
}

/** False when the rest cannot be compared. */
function checkContainerUpdates(check: Check, field: string, containers: readonly Container[] = [], old: readonly Container[] = []): boolean {
  if (containers.length !== old.length) {
    check.forbidden(field, 'pod updates may not add or remove containers');
    return false;
  }
  containers.forEach(({ image = '' }, i) => {
    check.given(`${field}[${i}].image`, image);
  });
  checkImageSpaces(check, field, containers);
  return true;
}

function checkDeadline(check: Check, deadline: number | undefined, old: number | undefined): boolean {
  const field = 'spec.activeDeadlineSeconds';
  if (deadline === undefined) {
    if (old !== undefined) check.invalid(field, null, 'must not update from a positive integer to nil value');
    return true;
  }
  if (deadline < 0 || deadline > INT32_MAX) check.range(field, deadline, 0, INT32_MAX);
  else if (old !== undefined && old < deadline) check.invalid(field, deadline, 'must be less than or equal to previous value');
  else return true;
  return false;
}

function checkAddedTolerations(check: Check, tolerations: readonly Toleration[], old: readonly Toleration[]): void {
  for (const before of old) {
    const kept = tolerations.some((toleration) => semanticEqual({ ...before, tolerationSeconds: toleration.tolerationSeconds }, toleration));
    if (kept) continue;
    check.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds');
    return;
  }
  checkTolerations(check, 'spec.tolerations', tolerations);
}

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

export function validatePodUpdate(pod: Pod, oldPod: Pod): FieldError[] {
  const check = new Check();
  const [spec, old] = [pod.spec ?? {}, oldPod.spec ?? {}];
  check.add(validateObjectMetaUpdate(pod, oldPod));
  checkPod(check, pod);
  const [before, after] = [oldPod.metadata?.annotations?.[MIRROR], pod.metadata?.annotations?.[MIRROR]];
  if (before !== after) {
    check.forbidden(
      `metadata.annotations[${MIRROR}]`,
      before === undefined ? 'may not add mirror pod annotation' : 'may not remove or update mirror pod annotation',
    );
  }
  if (!checkContainerUpdates(check, 'spec.containers', spec.containers, old.containers)) return check.errors;
  if (!checkContainerUpdates(check, 'spec.initContainers', spec.initContainers, old.initContainers)) return check.errors;
  if (!checkDeadline(check, spec.activeDeadlineSeconds, old.activeDeadlineSeconds)) return check.errors;
  checkAddedTolerations(check, spec.tolerations ?? [], old.tolerations ?? []);
  (spec.schedulingGates ?? []).forEach(({ name }, i) => {
    if (old.schedulingGates?.some((gate) => gate.name === name)) return;
    check.forbidden(`spec.schedulingGates[${i}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`);
  });
  if (semanticEqual(spec, old)) return check.errors;

  const withImages = (containers: Container[] | undefined, from: Container[] | undefined) =>
    containers?.map((container, i) => ({ ...container, image: from?.[i]?.image }));
  const munged: PodSpec = {
    ...spec,
    containers: withImages(spec.containers, old.containers),
    initContainers: withImages(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
  };
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && munged.terminationGracePeriodSeconds === 1)
    munged.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds;
  if (old.schedulingGates?.length) {
    // A gated Pod may be tied down further.
    const narrowed = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => munged.nodeSelector?.[key] === value);
    if (!narrowed)
      check.invalid('spec.nodeSelector', munged.nodeSelector ?? null, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)');
    munged.nodeSelector = old.nodeSelector;
    if (munged.affinity || old.affinity) munged.affinity = { ...munged.affinity, nodeAffinity: old.affinity?.nodeAffinity };
  }
  if (!semanticEqual(munged, old)) {
    const text = diff(internalValue('PodSpec', old), internalValue('PodSpec', munged));
    check.forbidden('spec', `pod updates may not change fields other than ${UPDATABLE}\n${text}`);
  }
  return check.errors;
}

export function validatePodStatusUpdate(pod: Pod, oldPod: Pod): FieldError[] {
  const check = new Check();
  check.add(validateObjectMetaUpdate(pod, oldPod));
  (pod.status?.conditions ?? []).forEach(({ type = '' }, i) => {
    // Only the kubelet's own condition types may be without a domain.
    if (type.includes('/')) check.rule(`status.conditions[${i}].Type`, type, isLabelKey);
  });
  if ((pod.spec?.nodeName ?? '') !== (oldPod.spec?.nodeName ?? '')) check.forbidden('status.nodeName', 'may not be changed directly');
  const { qosClass, podIPs = [] } = pod.status ?? {};
  check.immutable('status.qosClass', qosClass, oldPod.status?.qosClass);
  podIPs.forEach(({ ip = '' }, i) => {
    check.rule(`status.podIPs[${i}]`, ip, isIp);
  });
  const families = podIPs.map(({ ip = '' }) => ipFamily(ip));
  if (podIPs.length > 1 && (podIPs.length > 2 || families[0] === families[1])) {
    check.invalid(
      'status.podIPs',
      podIPs.map(({ ip }) => ({ IP: ip })),
      'may specify no more than one IP for each IP family',
    );
  }
  return check.errors;
}
