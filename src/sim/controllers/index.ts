import { type Disposable, DisposableStore } from '../../kernel/index.ts';
import type { ApiObject } from '../client/types.ts';
import type { Node, Pod } from '../kinds/types.ts';
import type { ControllerContext } from './controller.ts';
import { startDeploymentController } from './deployment/index.ts';
import { startEndpointsController } from './endpoints/index.ts';
import { startEndpointSliceController } from './endpointslice/index.ts';
import { startGarbageCollector } from './garbage-collector/index.ts';
import { startNamespaceController } from './namespace/index.ts';
import { startNodeLifecycleController } from './node-lifecycle/index.ts';
import { startPodGarbageCollector } from './pod-gc/index.ts';
import { startReplicaSetController, startReplicationController } from './replicaset/index.ts';
import { startRootCaPublisher, startServiceAccountController } from './service-account/index.ts';
import { whenNeeded } from './when-needed.ts';

const CLAIMS_AND_VOLUMES = ['v1/persistentvolumeclaims', 'v1/persistentvolumes'];

/** Not by the Endpoints controller, nor the API server's own. */
const isWrittenByHand = ({ metadata }: ApiObject): boolean =>
  metadata?.labels?.['endpoints.kubernetes.io/managed-by'] === undefined && metadata?.labels?.['endpointslice.kubernetes.io/skip-mirror'] !== 'true';
const hasEphemeralVolume = (pod: Pod): boolean => pod.spec?.volumes?.some((volume) => volume.ephemeral) ?? false;
const evicts = (node: Node): boolean => node.spec?.taints?.some((taint) => taint.effect === 'NoExecute') ?? false;

/** Starts kube-controller-manager. */
export function startControllers(context: ControllerContext): Disposable {
  const owned = new DisposableStore();
  for (const start of [
    whenNeeded(['apps/v1/statefulsets'], async () => (await import('./statefulset/index.ts')).startStatefulSetController),
    startReplicaSetController,
    startReplicationController,
    startDeploymentController,
    startEndpointsController,
    startEndpointSliceController,
    whenNeeded(['v1/endpoints'], async () => (await import('./endpointslice-mirroring/index.ts')).startEndpointSliceMirroring, isWrittenByHand),
    whenNeeded(CLAIMS_AND_VOLUMES, async () => (await import('./persistentvolume/index.ts')).startPersistentVolumeController),
    whenNeeded(['v1/pods'], async () => (await import('./ephemeral-volume/index.ts')).startEphemeralVolumeController, hasEphemeralVolume),
    whenNeeded(CLAIMS_AND_VOLUMES, async () => (await import('./volume-protection/index.ts')).startClaimProtection),
    whenNeeded(CLAIMS_AND_VOLUMES, async () => (await import('./volume-protection/index.ts')).startVolumeProtection),
    whenNeeded(['storage.k8s.io/v1/volumeattributesclasses'], async () => (await import('./volume-protection/index.ts')).startAttributesClassProtection),
    startGarbageCollector,
    startNamespaceController,
    startServiceAccountController,
    startRootCaPublisher,
    startNodeLifecycleController,
    whenNeeded(['v1/nodes'], async () => (await import('./taint-eviction/index.ts')).startTaintEvictionController, evicts),
    startPodGarbageCollector,
    whenNeeded(['apps/v1/daemonsets'], async () => (await import('./daemonset/index.ts')).startDaemonSetController),
    whenNeeded(['batch/v1/jobs'], async () => (await import('./job/index.ts')).startJobController),
    whenNeeded(['batch/v1/cronjobs'], async () => (await import('./cronjob/index.ts')).startCronJobController),
    whenNeeded(['batch/v1/jobs'], async () => (await import('./ttl-after-finished/index.ts')).startTtlAfterFinishedController),
    whenNeeded(['policy/v1/poddisruptionbudgets'], async () => (await import('./disruption/index.ts')).startDisruptionController),
    whenNeeded(['v1/resourcequotas'], async () => (await import('./resourcequota/index.ts')).startResourceQuotaController),
    whenNeeded(['autoscaling/v2/horizontalpodautoscalers'], async () => (await import('./horizontal-autoscaler/index.ts')).startHorizontalAutoscaler),
  ]) {
    owned.add(start(context));
  }
  return owned;
}
