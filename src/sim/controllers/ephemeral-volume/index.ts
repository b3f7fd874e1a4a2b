import type { Disposable } from '../../../kernel/index.ts';
import type { PersistentVolumeClaim, Pod, Volume } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { isNamespaceTerminating, SyncError } from '../errors.ts';
import { cause, clone, controllerOf, isDeleting, keyFor, keyOf, nameOf, namespaceOf, newControllerRef, refOf, regarding, splitKey, uidOf } from '../object.ts';
import { POD } from '../pods.ts';

const ACTOR = 'ephemeral-volume-controller';
const CLAIMS = 'v1/persistentvolumeclaims';

/** Makes the claims of generic ephemeral volumes (pkg/controller/volume/ephemeral/controller.go of v1.36). */
export function startEphemeralVolumeController(context: ControllerContext): Disposable {
  const { client } = context;
  const pods = client.informer<Pod>(POD.resource);
  const claims = client.informer<PersistentVolumeClaim>(CLAIMS);
  const controller = new Controller(context, { name: ACTOR, sync });

  function sync(key: string): void {
    const pod = pods.get(...splitKey(key));
    if (!pod || isDeleting(pod)) return;
    for (const volume of pod.spec?.volumes ?? []) {
      try {
        ensureClaim(pod, volume);
      } catch (error) {
        const message = `ephemeral volume ${volume.name ?? ''}: ${(error as Error).message}`;
        client.event({
          regarding: regarding(pod, POD),
          type: 'Warning',
          reason: 'FailedBinding',
          message,
          component: 'ephemeral_volume',
          cause: cause(ACTOR, 'ephemeral-volume/event', refOf(pod, POD.resource)),
        });
        throw error;
      }
    }
  }

  function ensureClaim(pod: Pod, volume: Volume): void {
    const template = volume.ephemeral?.volumeClaimTemplate;
    if (!template) return;
    const name = `${nameOf(pod)}-${volume.name ?? ''}`;
    const because = cause(ACTOR, 'ephemeral-volume/create-claim', refOf(pod, POD.resource));
    const known = claims.get(namespaceOf(pod), name);
    if (known) {
      if (controllerOf(known)?.uid === uidOf(pod)) return;
      throw new SyncError(`PVC ${namespaceOf(pod)}/${name} was not created for pod ${keyOf(pod)} (pod is not owner)`);
    }
    const metadata: NonNullable<PersistentVolumeClaim['metadata']> = { name, namespace: namespaceOf(pod), ownerReferences: [newControllerRef(pod, POD)] };
    if (template.metadata?.annotations) metadata.annotations = { ...template.metadata.annotations };
    if (template.metadata?.labels) metadata.labels = { ...template.metadata.labels };
    const claim: PersistentVolumeClaim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: clone(template.spec ?? {}) };
    try {
      client.resource<PersistentVolumeClaim>(CLAIMS).create(claim, { cause: because });
    } catch (error) {
      if (isNamespaceTerminating(error)) return;
      throw new SyncError(`create PVC ${name}: ${(error as Error).message}`);
    }
  }

  const isEphemeral = (pod: Pod): boolean => pod.spec?.volumes?.some((volume) => volume.ephemeral !== undefined) === true;
  controller.watch<Pod>(POD.resource, ({ type, object }) => {
    if (type === 'ADDED' && isEphemeral(object)) controller.queue.add(keyOf(object));
  });
  controller.watch<PersistentVolumeClaim>(CLAIMS, ({ type, object }) => {
    const owner = type === 'DELETED' ? controllerOf(object) : undefined;
    if (owner?.kind === 'Pod') controller.queue.add(keyFor(namespaceOf(object), owner.name ?? ''));
  });
  return controller;
}
