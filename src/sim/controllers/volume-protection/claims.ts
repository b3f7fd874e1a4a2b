import type { Client, Informer } from '../../client/types.ts';
import type { PersistentVolumeClaim, Pod } from '../../kinds/types.ts';
import { ensureIndex } from '../controller.ts';
import { keyFor, nameOf, namespaceOf } from '../object.ts';

/** Claims, with those that are not bound under index "pending". */
export function claimInformer(client: Client): Informer<PersistentVolumeClaim> {
  return ensureIndex(client.informer<PersistentVolumeClaim>('v1/persistentvolumeclaims'), 'pending', (claim) =>
    claim.status?.phase === 'Bound' || claim.status?.phase === 'Lost' ? [] : ['yes'],
  );
}

/** Pods, by the keys of the claims they mount under index "claim". */
export function podsByClaim(client: Client): Informer<Pod> {
  return ensureIndex(client.informer<Pod>('v1/pods'), 'claim', claimKeys);
}

export function claimKeys(pod: Pod): string[] {
  const keys: string[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.persistentVolumeClaim?.claimName) keys.push(keyFor(namespaceOf(pod), volume.persistentVolumeClaim.claimName));
    else if (volume.ephemeral) keys.push(keyFor(namespaceOf(pod), `${nameOf(pod)}-${volume.name ?? ''}`));
  }
  return keys;
}
