import type { Check } from '../check.ts';
import { internalValue } from '../internal.ts';
import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext } from '../types.ts';
import { descending } from './paths.ts';

/** Security contexts (`ValidateSecurityContext`, `validatePodSpecSecurityContext`); what only Windows has is not checked. */

const ID_MAX = 2147483647;

function checkSeccomp(check: Check, at: string, profile: SeccompProfile | undefined): void {
  if (!profile) return;
  const { type = '', localhostProfile } = profile;
  if (type === '') check.required(`${at}.type`, 'type is required when seccompProfile is set');
  else check.oneOf(`${at}.type`, type, ['Localhost', 'RuntimeDefault', 'Unconfined']);
  if (type === 'Localhost') {
    if (localhostProfile === undefined) check.required(`${at}.localhostProfile`, 'must be set when seccomp type is Localhost');
    else descending(check, `${at}.localhostProfile`, localhostProfile);
  } else if (localhostProfile !== undefined) {
    check.invalid(`${at}.localhostProfile`, internalValue('SeccompProfile', profile), 'can only be set when seccomp type is Localhost');
  }
}

function checkAppArmor(check: Check, at: string, profile: AppArmorProfile | undefined): void {
  if (!profile) return;
  const { type = '', localhostProfile } = profile;
  if (type === 'Localhost') {
    if (localhostProfile === undefined) check.required(`${at}.localhostProfile`, 'must be set when AppArmor type is Localhost');
  } else if (type === 'RuntimeDefault' || type === 'Unconfined') {
    if (localhostProfile !== undefined) check.invalid(`${at}.localhostProfile`, localhostProfile, 'can only be set when AppArmor type is Localhost');
  } else if (type === '') check.required(`${at}.type`, 'type is required when appArmorProfile is set');
  else check.notSupported(`${at}.type`, type, ['Localhost', 'RuntimeDefault', 'Unconfined']);
}

function checkIds(check: Check, at: string, ids: Record<string, number | undefined>): void {
  for (const [name, id] of Object.entries(ids)) check.range(`${at}.${name}`, id, 0, ID_MAX);
}

export function checkSecurityContext(check: Check, at: string, context: SecurityContext | undefined, hostUsers: boolean): void {
  if (!context) return;
  const { runAsUser, runAsGroup, procMount, seccompProfile, allowPrivilegeEscalation, privileged, capabilities } = context;
  checkIds(check, at, { runAsUser, runAsGroup });
  if (procMount !== undefined) {
    if (!['Default', 'Unmasked'].includes(procMount)) check.notSupported(`${at}.procMount`, procMount, ['Default', 'Unmasked']);
    if (hostUsers && procMount === 'Unmasked') check.invalid(`${at}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`');
  }
  checkSeccomp(check, `${at}.seccompProfile`, seccompProfile);
  if (allowPrivilegeEscalation === false) {
    const value = internalValue('SecurityContext', context);
    if (privileged) check.invalid(at, value, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
    if (capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      check.invalid(at, value, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN');
    }
  }
  checkAppArmor(check, `${at}.appArmorProfile`, context.appArmorProfile);
}

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;

export function checkPodSecurityContext(check: Check, at: string, context: PodSecurityContext | undefined, spec: PodSpec): void {
  if (!context) return;
  const { fsGroup, runAsUser, runAsGroup, supplementalGroups = [], sysctls = [] } = context;
  checkIds(check, at, { fsGroup, runAsUser, runAsGroup });
  supplementalGroups.forEach((id, i) => {
    check.range(`${at}.supplementalGroups[${i}]`, id, 0, ID_MAX);
  });
  if (spec.shareProcessNamespace && spec.hostPID) {
    check.invalid(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled');
  }
  const seen = new Set<string>();
  sysctls.forEach(({ name = '' }, i) => {
    const field = `${at}.sysctls[${i}].name`;
    if (name === '') check.required(field);
    else if (name.length > 253 || !SYSCTL.test(name))
      check.invalid(field, name, `must have at most 253 characters and match regex ${SYSCTL.source.replaceAll('\\/', '/').replaceAll('[./]', '[\\./]')}`);
    else if (seen.has(name)) check.duplicate(field, name);
    seen.add(name);
  });
  if (context.fsGroupChangePolicy !== undefined) check.oneOf(`${at}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  checkSeccomp(check, `${at}.seccompProfile`, context.seccompProfile);
  checkAppArmor(check, `${at}.appArmorProfile`, context.appArmorProfile);
  if (context.supplementalGroupsPolicy !== undefined) check.oneOf(`${at}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict']);
  if (context.seLinuxChangePolicy !== undefined) check.oneOf(`${at}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ['MountOption', 'Recursive']);
}
