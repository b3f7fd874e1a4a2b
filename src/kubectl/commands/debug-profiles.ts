import { CliError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';

export type DebugStyle = 'ephemeral' | 'copy' | 'node';

const PROFILES = ['legacy', 'general', 'baseline', 'restricted', 'netadmin', 'sysadmin'];

/** NewProfileApplier's check of --profile. */
export function checkProfile(profile: string): void {
  if (!PROFILES.includes(profile)) throw new CliError(`unknown profile: ${profile}`);
}

/** What --profile gives the debugging container (models pkg/cmd/debug/profiles.go); `pod` is the Pod of a node or a copy. */
export function applyProfile(profile: string, style: DebugStyle, container: Obj, pod: Obj): void {
  const security = (fields: Obj): void => {
    container.securityContext = { ...container.securityContext, ...fields };
  };
  const add = (...names: string[]): void => {
    const { capabilities } = container.securityContext ?? {};
    security({ capabilities: { ...capabilities, add: [...(capabilities?.add ?? []), ...names] } });
  };
  if (style === 'node' && ['legacy', 'general', 'netadmin', 'sysadmin'].includes(profile))
    Object.assign(pod.spec, { hostIPC: true, hostNetwork: true, hostPID: true });
  if (style === 'node' && ['legacy', 'general', 'sysadmin'].includes(profile)) {
    pod.spec.volumes = [...(pod.spec.volumes ?? []), { name: 'host-root', hostPath: { path: '/' } }];
    container.volumeMounts = [...(container.volumeMounts ?? []), { mountPath: '/host', name: 'host-root' }];
  }
  if (profile === 'general' && style !== 'node') add('SYS_PTRACE');
  else if (profile === 'general' || profile === 'baseline') delete container.securityContext;
  else if (profile === 'netadmin') add('NET_ADMIN', 'NET_RAW');
  else if (profile === 'sysadmin') security({ privileged: true });
  else if (profile === 'restricted')
    container.securityContext = {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    };
  if (style === 'copy' && profile !== 'legacy') pod.spec.shareProcessNamespace ??= true;
}
