import type { Container, Pod } from '../kinds/types.ts';

/** A sidecar: an init container with restartPolicy Always. */
export function isRestartableInit(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Whether a container that ended with this code is started again, by its own policy and rules or the Pod's. */
export function restartsAfterExit(pod: Pod, container: Container, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    const values = rule.exitCodes?.values ?? [];
    const matches = rule.exitCodes?.operator === 'NotIn' ? !values.includes(exitCode) : values.includes(exitCode);
    if (matches) return rule.action === 'Restart' || rule.action === 'RestartAllContainers';
  }
  const isInit = pod.spec?.initContainers?.includes(container) ?? false;
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  if (isInit && container.restartPolicy === undefined) return policy !== 'Never';
  if (policy === 'Always') return true;
  return policy === 'OnFailure' ? exitCode !== 0 : false;
}
