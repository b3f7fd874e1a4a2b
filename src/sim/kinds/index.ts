import { controllerRevisionStrategy, daemonSetStrategy, deploymentStrategy, replicaSetStrategy, statefulSetStrategy } from './apps/index.ts';
import { horizontalPodAutoscalerStrategy } from './autoscaling/index.ts';
import { cronJobStrategy, jobStrategy } from './batch/index.ts';
import { leaseStrategy } from './coordination/index.ts';
import { componentStatusStrategy, namespaceStrategy, nodeStrategy } from './core/cluster.ts';
import { configMapStrategy, podTemplateStrategy, secretStrategy, serviceAccountStrategy } from './core/config.ts';
import { endpointsStrategy } from './core/endpoints.ts';
import { eventStrategy, eventsV1Strategy } from './core/event.ts';
import { limitRangeStrategy, replicationControllerStrategy, resourceQuotaStrategy } from './core/quota.ts';
import { serviceStrategy } from './core/service.ts';
import { persistentVolumeClaimStrategy, persistentVolumeStrategy } from './core/volumes.ts';
import { endpointSliceStrategy } from './discovery/index.ts';
import { validatedLater } from './later.ts';
import { ingressClassStrategy, ingressStrategy, ipAddressStrategy, networkPolicyStrategy, serviceCidrStrategy } from './networking/index.ts';
import { otherStrategies } from './other/index.ts';
import { podStrategy } from './pod/index.ts';
import { podDisruptionBudgetStrategy } from './policy/index.ts';
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './rbac/index.ts';
import { priorityClassStrategy, runtimeClassStrategy } from './scheduling/index.ts';
import {
  csiDriverStrategy,
  csiNodeStrategy,
  csiStorageCapacityStrategy,
  storageClassStrategy,
  volumeAttachmentStrategy,
  volumeAttributesClassStrategy,
} from './storage/index.ts';
import type { KindStrategy } from './strategy.ts';

/** What the API server knows of each built-in kind; one entry per resource. */
export const strategies: KindStrategy[] = (
  [
    podStrategy,
    configMapStrategy,
    secretStrategy,
    serviceAccountStrategy,
    podTemplateStrategy,
    persistentVolumeClaimStrategy,
    persistentVolumeStrategy,
    namespaceStrategy,
    nodeStrategy,
    componentStatusStrategy,
    serviceStrategy,
    endpointsStrategy,
    eventStrategy,
    eventsV1Strategy,
    resourceQuotaStrategy,
    limitRangeStrategy,
    replicationControllerStrategy,
    statefulSetStrategy,
    deploymentStrategy,
    replicaSetStrategy,
    daemonSetStrategy,
    controllerRevisionStrategy,
    jobStrategy,
    cronJobStrategy,
    podDisruptionBudgetStrategy,
    endpointSliceStrategy,
    ingressStrategy,
    ingressClassStrategy,
    networkPolicyStrategy,
    ipAddressStrategy,
    serviceCidrStrategy,
    storageClassStrategy,
    csiDriverStrategy,
    csiNodeStrategy,
    csiStorageCapacityStrategy,
    volumeAttachmentStrategy,
    volumeAttributesClassStrategy,
    horizontalPodAutoscalerStrategy,
    roleStrategy,
    clusterRoleStrategy,
    roleBindingStrategy,
    clusterRoleBindingStrategy,
    priorityClassStrategy,
    runtimeClassStrategy,
    leaseStrategy,
    ...otherStrategies,
  ] as KindStrategy[]
).map(validatedLater);

export { admissionPlugins } from './admission/index.ts';
export { loadValidation, validatingTransport } from './later.ts';
export { podStatusText } from './pod/table.ts';
