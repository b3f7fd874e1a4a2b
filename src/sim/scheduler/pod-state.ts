import type { Pod } from '../kinds/types.ts';

export { isDeleting } from '../controllers/object.ts';
export { isPodFinished } from '../controllers/pods.ts';

export function priorityOf(pod: Pod): number {
  return pod.spec?.priority ?? 0;
}

/** Names of the claims a Pod mounts (ephemeral volumes make one named after Pod and volume). */
export function claimNames(pod: Pod): { name: string; ephemeral: boolean }[] {
  const out: { name: string; ephemeral: boolean }[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.persistentVolumeClaim?.claimName) out.push({ name: volume.persistentVolumeClaim.claimName, ephemeral: false });
    else if (volume.ephemeral) out.push({ name: `${pod.metadata?.name ?? ''}-${volume.name ?? ''}`, ephemeral: true });
  }
  return out;
}
