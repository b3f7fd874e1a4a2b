import { type Disposable, DisposableStore } from '../../kernel/index.ts';
import type { ControllerContext } from './controller.ts';
import { startDeploymentController } from './deployment/index.ts';
import { startEndpointsController } from './endpoints/index.ts';
import { startEndpointSliceController } from './endpointslice/index.ts';
import { startEndpointSliceMirroring } from './endpointslice-mirroring/index.ts';
import { startEphemeralVolumeController } from './ephemeral-volume/index.ts';
import { startGarbageCollector } from './garbage-collector/index.ts';
import { startNamespaceController } from './namespace/index.ts';
import { startNodeLifecycleController } from './node-lifecycle/index.ts';
import { startPodGarbageCollector } from './pod-gc/index.ts';
import { startReplicaSetController, startReplicationController } from './replicaset/index.ts';
import { startResourceQuotaController } from './resourcequota/index.ts';
import { startRootCaPublisher, startServiceAccountController } from './service-account/index.ts';
import { startTaintEvictionController } from './taint-eviction/index.ts';
import { whenNeeded } from './when-needed.ts';

const CLAIMS_AND_VOLUMES = ['v1/persistentvolumeclaims', 'v1/persistentvolumes'];

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
    startEndpointSliceMirroring,
    whenNeeded(CLAIMS_AND_VOLUMES, async () => (await import('./persistentvolume/index.ts')).startPersistentVolumeController),
    startEphemeralVolumeController,
    whenNeeded(CLAIMS_AND_VOLUMES, async () => (await import('./volume-protection/index.ts')).startClaimProtection),
    whenNeeded(CLAIMS_AND_VOLUMES, async () => (await import('./volume-protection/index.ts')).startVolumeProtection),
    startGarbageCollector,
    startNamespaceController,
    startServiceAccountController,
    startRootCaPublisher,
    startNodeLifecycleController,
    startTaintEvictionController,
    startPodGarbageCollector,
    whenNeeded(['apps/v1/daemonsets'], async () => (await import('./daemonset/index.ts')).startDaemonSetController),
    whenNeeded(['batch/v1/jobs'], async () => (await import('./job/index.ts')).startJobController),
    whenNeeded(['batch/v1/cronjobs'], async () => (await import('./cronjob/index.ts')).startCronJobController),
    whenNeeded(['batch/v1/jobs'], async () => (await import('./ttl-after-finished/index.ts')).startTtlAfterFinishedController),
    whenNeeded(['policy/v1/poddisruptionbudgets'], async () => (await import('./disruption/index.ts')).startDisruptionController),
    startResourceQuotaController,
    whenNeeded(['autoscaling/v2/horizontalpodautoscalers'], async () => (await import('./horizontal-autoscaler/index.ts')).startHorizontalAutoscaler),
  ]) {
    owned.add(start(context));
  }
  return owned;
}
