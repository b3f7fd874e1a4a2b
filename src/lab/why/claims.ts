import type { Client } from '../../sim/client/types.ts';
import { isDeleting, nameOf, namespaceOf } from '../../sim/controllers/object.ts';
import { isPodFinished } from '../../sim/controllers/pods.ts';
import type { PersistentVolumeClaim, Pod, StorageClass } from '../../sim/kinds/types.ts';
import { eventMessage, finalizerObstacles, obstacle, refOf } from './obstacles.ts';
import type { Obstacle } from './types.ts';

const PROTECTION = 'kubernetes.io/pvc-protection';
const CLASSES = 'storage.k8s.io/v1/storageclasses';

/** Why a claim is Pending or does not go away. */
export function claimObstacles(client: Client, claim: PersistentVolumeClaim): Obstacle[] {
  if (isDeleting(claim)) {
    const users = usersOf(client, claim);
    const found = finalizerObstacles(claim, users.length > 0 ? [PROTECTION] : []);
    if (users.length > 0)
      found.unshift(
        obstacle('not/claim-in-use', { pods: users.map(nameOf).join('、') }, `metadata.finalizers: ${PROTECTION}`, refOf('v1/pods', users[0] as Pod)),
      );
    return found;
  }
  if (claim.status?.phase === 'Bound') return [];
  const className = claim.spec?.storageClassName;
  if (className === undefined || className === '')
    return [obstacle('not/claim-no-class', {}, eventMessage(client, claim, 'FailedBinding') || 'storageClassName: ""')];
  const storageClass = client.resource<StorageClass>(CLASSES).get('', className);
  if (!storageClass)
    return [
      obstacle('not/claim-class-missing', { class: className }, eventMessage(client, claim, 'ProvisioningFailed') || `storageclass "${className}" not found`, {
        resource: CLASSES,
        namespace: '',
        name: className,
      }),
    ];
  const selected = claim.metadata?.annotations?.['volume.kubernetes.io/selected-node'];
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && selected === undefined) {
    return [
      obstacle(
        'not/claim-waits-for-consumer',
        {},
        eventMessage(client, claim, 'WaitForFirstConsumer', 'WaitForPodScheduled') || 'volumeBindingMode: WaitForFirstConsumer',
        refOf(CLASSES, storageClass),
      ),
    ];
  }
  const provisioner = storageClass.provisioner ?? '';
  return [
    obstacle(
      'not/claim-provisioning',
      { provisioner },
      eventMessage(client, claim, 'ProvisioningFailed', 'ExternalProvisioning', 'Provisioning') || claim.status?.phase || 'Pending',
    ),
  ];
}

function usersOf(client: Client, claim: PersistentVolumeClaim): Pod[] {
  return client
    .resource<Pod>('v1/pods')
    .list(namespaceOf(claim))
    .filter((pod) => !isPodFinished(pod) && pod.spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === nameOf(claim)));
}
