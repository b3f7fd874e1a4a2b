import { Check } from '../check.ts';
import { checkClaimSpec } from '../core/claim-spec.ts';
import { semanticEqual } from '../equal.ts';
import { sortedMap } from '../field-error.ts';
import { internalValue } from '../internal.ts';
import {
  printSelector,
  validateAnnotations,
  validateLabelSelector,
  validateLabels,
  validateNonNegative,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../meta/index.ts';
import { isDns1123Label, isDns1123Subdomain, isPercent } from '../meta/names.ts';
import { checkPodTemplate } from '../pod/validate.ts';
import { asSelector, matchesSelector } from '../selector.ts';
import type { FieldError } from '../strategy.ts';
import type { ControllerRevision, DaemonSet, Deployment, IntOrString, LabelSelector, PodTemplateSpec, ReplicaSet, StatefulSet } from '../types.ts';

/** `pkg/apis/apps/validation`. */

const META = 'metadata';

/** A selector that is there, well formed, not empty. `kind` is the word of upstream's message. */
export function checkSelector(check: Check, field: string, selector: LabelSelector | undefined, kind: string): void {
  if (!selector) {
    check.required(field);
    return;
  }
  check.add(validateLabelSelector(selector, field));
  if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0) === 0) {
    check.invalid(field, printSelector(selector), `empty selector is invalid for ${kind}`);
  }
}

/** Whether it can be turned into a selector (`LabelSelectorAsSelector` would not fail). */
const isUsable = (selector: LabelSelector | undefined): boolean => validateLabelSelector(selector, '').length === 0;

/** A missing selector selects nothing, so it never matches the template either. */
export function checkTemplateLabels(check: Check, field: string, selector: LabelSelector | undefined, template: PodTemplateSpec | undefined): void {
  const requirements = asSelector(selector);
  if (requirements?.length === 0) return;
  const labels = template?.metadata?.labels;
  if (!matchesSelector(requirements, labels)) check.invalid(`${field}.metadata.labels`, sortedMap(labels), '`selector` does not match template `labels`');
}

function checkAlways(check: Check, field: string, template: PodTemplateSpec | undefined, kind: string): void {
  const { restartPolicy = '', activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== 'Always') check.notSupported(`${field}.spec.restartPolicy`, restartPolicy, ['Always']);
  if (activeDeadlineSeconds !== undefined) check.forbidden(`${field}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`);
}

/** A number or a percentage, not negative (`ValidatePositiveIntOrPercent`). */
export function checkIntOrPercent(check: Check, field: string, value: IntOrString | undefined): void {
  if (typeof value === 'string') check.rule(field, value, isPercent);
  else check.add(validateNonNegative(value, field));
}

const percentOf = (value: IntOrString | undefined): number | undefined =>
  typeof value === 'string' && /^\d+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;
export const amountOf = (value: IntOrString | undefined): number => percentOf(value) ?? (Number(value ?? 0) || 0);

export function checkAtMost100Percent(check: Check, field: string, value: IntOrString | undefined): void {
  if ((percentOf(value) ?? 0) > 100) check.invalid(field, value, 'must not be greater than 100%');
}

interface SetOptions {
  update: boolean;
  /** The stored template was invalid already. */
  skipTemplate?: boolean;
}

function checkStatefulSetSpec(check: Check, set: StatefulSet, options: SetOptions): void {
  const field = 'spec';
  const spec = set.spec ?? {};
  const { updateStrategy = {}, podManagementPolicy = '', persistentVolumeClaimRetentionPolicy: retention, volumeClaimTemplates = [], template = {} } = spec;
  if (podManagementPolicy === '') check.required(`${field}.podManagementPolicy`);
  else if (!['OrderedReady', 'Parallel'].includes(podManagementPolicy)) {
    check.invalid(`${field}.podManagementPolicy`, podManagementPolicy, "must be 'OrderedReady' or 'Parallel'");
  }
  const rolling = updateStrategy.rollingUpdate;
  const at = `${field}.updateStrategy`;
  if (!updateStrategy.type) check.required(at);
  else if (updateStrategy.type === 'OnDelete') {
    if (rolling)
      check.invalid(`${at}.rollingUpdate`, internalValue('RollingUpdateStatefulSetStrategy', rolling), "only allowed for updateStrategy 'RollingUpdate'");
  } else if (updateStrategy.type === 'RollingUpdate') check.nonNegative(`${at}.rollingUpdate.partition`, rolling?.partition);
  else {
    const printed = { ...updateStrategy, ...(rolling ? { rollingUpdate: { ...rolling, partition: rolling.partition ?? 0 } } : {}) };
    check.invalid(at, internalValue('StatefulSetUpdateStrategy', printed), "must be 'RollingUpdate' or 'OnDelete'");
  }
  for (const key of ['whenDeleted', 'whenScaled'] as const) {
    const value = retention?.[key] ?? '';
    if (retention && value !== 'Retain' && value !== 'Delete')
      check.notSupported(`${field}.persistentVolumeClaimRetentionPolicy.${key}`, value, ['Retain', 'Delete']);
  }
  if (!options.update) {
    volumeClaimTemplates.forEach((claim, i) => {
      check.add(checkClaimSpec(claim.spec ?? {}, `${field}.volumeClaimTemplates[${i}].spec`));
    });
  }
  check.nonNegative(`${field}.replicas`, spec.replicas);
  check.nonNegative(`${field}.minReadySeconds`, spec.minReadySeconds);
  check.nonNegative(`${field}.ordinals.start`, spec.ordinals?.start);
  if (!options.update && spec.serviceName) check.label(`${field}.serviceName`, spec.serviceName);
  checkSelector(check, `${field}.selector`, spec.selector, 'statefulset');

  // Claims become volumes of the Pods, and the controller names and places the Pods itself.
  const claimed = new Set(volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? ''));
  const volumes = [
    ...[...claimed].map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ...(template.spec?.volumes ?? []).filter(({ name = '' }) => !claimed.has(name)),
  ];
  const checked: PodTemplateSpec = { ...template, spec: { ...template.spec, volumes, hostname: '', subdomain: '' } };
  if (isUsable(spec.selector)) {
    checkTemplateLabels(check, `${field}.template`, spec.selector, template);
    if (!options.skipTemplate) checkPodTemplate(check, `${field}.template`, checked);
    check.add(validateLabels(template.metadata?.labels, `${field}.template.labels`));
    check.add(validateAnnotations(template.metadata?.annotations, `${field}.template.annotations`));
  } else check.invalid(`${field}.selector`, printSelector(spec.selector), '');
  checkAlways(check, `${field}.template`, template, 'StatefulSet');
}

export function validateStatefulSet(set: StatefulSet): FieldError[] {
  const check = new Check().add(validateObjectMeta(set, { namespaced: true, nameValidator: isDns1123Label }));
  checkStatefulSetSpec(check, set, { update: false });
  return check.errors;
}

const FIXED_IN_STATEFUL_SET = ['serviceName', 'podManagementPolicy', 'selector', 'volumeClaimTemplates'] as const;

export function validateStatefulSetUpdate(set: StatefulSet, old: StatefulSet): FieldError[] {
  const check = new Check().add(validateObjectMetaUpdate(set, old));
  const before = new Check();
  checkStatefulSetSpec(before, old, { update: true });
  checkStatefulSetSpec(check, set, { update: true, skipTemplate: before.errors.length > 0 });
  if (FIXED_IN_STATEFUL_SET.some((key) => !semanticEqual(set.spec?.[key], old.spec?.[key]))) {
    check.forbidden(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    );
  }
  return check.errors;
}

/** Counts of a status: none negative, none above the whole. */
function checkCounts(check: Check, status: Record<string, unknown>, names: readonly string[], readyField: string): void {
  const count = (name: string): number => Number(status[name] ?? 0);
  for (const name of ['replicas', ...names, 'observedGeneration', 'collisionCount']) check.nonNegative(`status.${name}`, count(name));
  for (const name of names)
    if (name !== 'unavailableReplicas' && count(name) > count('replicas'))
      check.invalid(`status.${name}`, count(name), 'cannot be greater than status.replicas');
  if (count('availableReplicas') > count('readyReplicas'))
    check.invalid('status.availableReplicas', count('availableReplicas'), `cannot be greater than ${readyField}`);
}

export function validateStatefulSetStatusUpdate(set: StatefulSet, old: StatefulSet): FieldError[] {
  const check = new Check();
  checkCounts(check, { ...set.status }, ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'], 'status.readyReplicas');
  check.add(validateObjectMetaUpdate(set, old));
  const collisions = set.status?.collisionCount ?? 0;
  if (collisions < (old.status?.collisionCount ?? 0)) check.invalid('status.collisionCount', collisions, 'cannot be decremented');
  return check.errors;
}

function checkReplicas(check: Check, spec: NonNullable<ReplicaSet['spec']>): void {
  check.nonNegative('spec.replicas', spec.replicas);
  check.nonNegative('spec.minReadySeconds', spec.minReadySeconds);
}

function checkReplicatedTemplate(check: Check, spec: NonNullable<ReplicaSet['spec']>): void {
  if (!isUsable(spec.selector)) {
    check.invalid('spec.selector', printSelector(spec.selector), 'invalid label selector');
    return;
  }
  checkTemplateLabels(check, 'spec.template', spec.selector, spec.template);
  checkPodTemplate(check, 'spec.template', spec.template ?? {});
  checkAlways(check, 'spec.template', spec.template, 'ReplicaSet');
}

function checkDeploymentSpec(check: Check, deployment: Deployment): void {
  const spec = deployment.spec ?? {};
  check.nonNegative('spec.replicas', spec.replicas);
  checkSelector(check, 'spec.selector', spec.selector, 'deployment');
  checkReplicatedTemplate(check, spec);
  const { type = '', rollingUpdate } = spec.strategy ?? {};
  const at = 'spec.strategy.rollingUpdate';
  if (type === 'Recreate') {
    if (rollingUpdate) check.forbidden(at, "may not be specified when strategy `type` is 'Recreate'");
  } else if (type !== 'RollingUpdate') check.notSupported('spec.strategy', internalValue('DeploymentStrategy', spec.strategy), ['Recreate', 'RollingUpdate']);
  else if (!rollingUpdate) check.required(at, 'this should be defaulted and never be nil');
  else {
    const { maxUnavailable, maxSurge } = rollingUpdate;
    checkIntOrPercent(check, `${at}.maxUnavailable`, maxUnavailable);
    checkIntOrPercent(check, `${at}.maxSurge`, maxSurge);
    if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) check.invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0');
    checkAtMost100Percent(check, `${at}.maxUnavailable`, maxUnavailable);
  }
  check.nonNegative('spec.minReadySeconds', spec.minReadySeconds);
  check.nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  const deadline = spec.progressDeadlineSeconds;
  if (deadline === undefined) return;
  check.nonNegative('spec.progressDeadlineSeconds', deadline);
  if (deadline <= (spec.minReadySeconds ?? 0)) check.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds');
}

export function validateDeployment(deployment: Deployment): FieldError[] {
  const check = new Check().add(validateObjectMeta(deployment, { namespaced: true, nameValidator: isDns1123Subdomain }, META));
  checkDeploymentSpec(check, deployment);
  return check.errors;
}

export function validateDeploymentUpdate(deployment: Deployment, old: Deployment): FieldError[] {
  const check = new Check().add(validateObjectMetaUpdate(deployment, old));
  checkDeploymentSpec(check, deployment);
  check.immutable('spec.selector', deployment.spec?.selector, old.spec?.selector, printSelector);
  return check.errors;
}

export function validateDeploymentStatusUpdate(deployment: Deployment, old: Deployment): FieldError[] {
  const check = new Check().add(validateObjectMetaUpdate(deployment, old));
  checkCounts(check, { ...deployment.status }, ['updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas'], 'readyReplicas');
  const collisions = deployment.status?.collisionCount ?? 0;
  if (collisions < (old.status?.collisionCount ?? 0)) check.invalid('status.collisionCount', collisions, 'cannot be decremented');
  return check.errors;
}

function checkReplicaSetSpec(check: Check, set: ReplicaSet): void {
  const spec = set.spec ?? {};
  checkReplicas(check, spec);
  checkSelector(check, 'spec.selector', spec.selector, 'deployment');
  checkReplicatedTemplate(check, spec);
}

export function validateReplicaSet(set: ReplicaSet): FieldError[] {
  const check = new Check().add(validateObjectMeta(set, { namespaced: true, nameValidator: isDns1123Subdomain }));
  checkReplicaSetSpec(check, set);
  return check.errors;
}

export function validateReplicaSetUpdate(set: ReplicaSet, old: ReplicaSet): FieldError[] {
  const check = new Check().add(validateObjectMetaUpdate(set, old));
  checkReplicaSetSpec(check, set);
  check.immutable('spec.selector', set.spec?.selector, old.spec?.selector, printSelector);
  return check.errors;
}

export function validateReplicaSetStatusUpdate(set: ReplicaSet, old: ReplicaSet): FieldError[] {
  const check = new Check().add(validateObjectMetaUpdate(set, old));
  checkCounts(check, { ...set.status }, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], 'readyReplicas');
  return check.errors;
}

function checkDaemonSetSpec(check: Check, set: DaemonSet): void {
  const spec = set.spec ?? {};
  const { template = {}, updateStrategy = {} } = spec;
  check.add(validateLabelSelector(spec.selector, 'spec.selector'));
  const requirements = asSelector(spec.selector);
  if (isUsable(spec.selector) && !matchesSelector(requirements, template.metadata?.labels)) {
    check.invalid('spec.template.metadata.labels', sortedMap(template.metadata?.labels), '`selector` does not match template `labels`');
  }
  if (spec.selector && requirements?.length === 0) check.invalid('spec.selector', printSelector(spec.selector), 'empty selector is invalid for daemonset');
  checkPodTemplate(check, 'spec.template', template);
  const { restartPolicy = '', activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') check.notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']);
  if (activeDeadlineSeconds !== undefined) check.forbidden('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in DaemonSet is not Supported');
  check.nonNegative('spec.minReadySeconds', spec.minReadySeconds);
  const at = 'spec.updateStrategy';
  const rolling = updateStrategy.rollingUpdate;
  if (updateStrategy.type === 'RollingUpdate') {
    if (!rolling) check.required(`${at}.rollingUpdate`);
    else {
      const { maxUnavailable, maxSurge } = rolling;
      checkIntOrPercent(check, `${at}.rollingUpdate.maxUnavailable`, maxUnavailable);
      checkIntOrPercent(check, `${at}.rollingUpdate.maxSurge`, maxSurge);
      checkAtMost100Percent(check, `${at}.rollingUpdate.maxUnavailable`, maxUnavailable);
      checkAtMost100Percent(check, `${at}.rollingUpdate.maxSurge`, maxSurge);
      const [unavailable, surge] = [amountOf(maxUnavailable) !== 0, amountOf(maxSurge) !== 0];
      if (unavailable && surge) check.invalid(`${at}.rollingUpdate.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero');
      if (!unavailable && !surge) check.required(`${at}.rollingUpdate.maxUnavailable`, 'cannot be 0 when maxSurge is 0');
    }
  } else if (updateStrategy.type !== 'OnDelete')
    check.notSupported(at, internalValue('DaemonSetUpdateStrategy', updateStrategy), ['RollingUpdate', 'OnDelete']);
  check.nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit);
}

export function validateDaemonSet(set: DaemonSet): FieldError[] {
  const check = new Check().add(validateObjectMeta(set, { namespaced: true, nameValidator: isDns1123Subdomain }));
  checkDaemonSetSpec(check, set);
  return check.errors;
}

export function validateDaemonSetUpdate(set: DaemonSet, old: DaemonSet): FieldError[] {
  const check = new Check().add(validateObjectMetaUpdate(set, old));
  checkDaemonSetSpec(check, set);
  check.immutable('spec.selector', set.spec?.selector, old.spec?.selector, printSelector);
  return check.errors;
}

export function validateControllerRevision(revision: ControllerRevision): FieldError[] {
  const check = new Check().add(validateObjectMeta(revision, { namespaced: true, nameValidator: isDns1123Subdomain }));
  check.nonNegative('revision', revision.revision);
  const data: unknown = revision.data;
  if (data === undefined || data === null) check.required('data', 'data is mandatory');
  else if (typeof data !== 'object' || Array.isArray(data)) check.required('data', 'data must be a valid JSON object');
  return check.errors;
}

export function validateControllerRevisionUpdate(revision: ControllerRevision, old: ControllerRevision): FieldError[] {
  const check = new Check().add(validateObjectMetaUpdate(revision, old));
  check.add(validateObjectMeta(revision, { namespaced: true, nameValidator: isDns1123Subdomain }));
  check.nonNegative('revision', revision.revision);
  check.immutable('data', revision.data, old.data);
  return check.errors;
}
