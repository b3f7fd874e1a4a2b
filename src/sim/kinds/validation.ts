import {
  validateControllerRevision,
  validateControllerRevisionUpdate,
  validateDaemonSet,
  validateDaemonSetUpdate,
  validateDeployment,
  validateDeploymentStatusUpdate,
  validateDeploymentUpdate,
  validateReplicaSet,
  validateReplicaSetStatusUpdate,
  validateReplicaSetUpdate,
  validateStatefulSet,
  validateStatefulSetStatusUpdate,
  validateStatefulSetUpdate,
} from './apps/validate.ts';
import { cronJobRules, jobRules } from './batch/validate.ts';
import { serviceRules } from './core/service-validate.ts';
import {
  configMapRules,
  endpointsRules,
  limitRangeRules,
  namespaceRules,
  nodeRules,
  podTemplateRules,
  replicationControllerRules,
  resourceQuotaRules,
  secretRules,
  serviceAccountRules,
} from './core/validate.ts';
import { persistentVolumeClaimRules, persistentVolumeRules } from './core/volumes-validate.ts';
import type { Validation } from './later.ts';
import { ingressClassRules, ingressRules, ipAddressRules, networkPolicyRules, serviceCidrRules } from './networking/validate.ts';
import {
  endpointSliceRules,
  horizontalPodAutoscalerRules,
  leaseRules,
  podDisruptionBudgetRules,
  priorityClassRules,
  rbacRules,
  runtimeClassRules,
  storageClassRules,
} from './other/validate.ts';
import { validatePod, validatePodStatusUpdate, validatePodUpdate } from './pod/validate.ts';
import { warnings } from './warnings.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const NETWORKING = 'networking.k8s.io/v1';

const RULES = {
  'v1/pods': { validate: validatePod, validateUpdate: validatePodUpdate, validateStatusUpdate: validatePodStatusUpdate },
  'v1/configmaps': configMapRules,
  'v1/secrets': secretRules,
  'v1/serviceaccounts': serviceAccountRules,
  'v1/podtemplates': podTemplateRules,
  'v1/persistentvolumeclaims': persistentVolumeClaimRules,
  'v1/persistentvolumes': persistentVolumeRules,
  'v1/namespaces': namespaceRules,
  'v1/nodes': nodeRules,
  'v1/services': serviceRules,
  'v1/endpoints': endpointsRules,
  'v1/resourcequotas': resourceQuotaRules,
  'v1/limitranges': limitRangeRules,
  'v1/replicationcontrollers': replicationControllerRules,
  'apps/v1/statefulsets': { validate: validateStatefulSet, validateUpdate: validateStatefulSetUpdate, validateStatusUpdate: validateStatefulSetStatusUpdate },
  'apps/v1/deployments': { validate: validateDeployment, validateUpdate: validateDeploymentUpdate, validateStatusUpdate: validateDeploymentStatusUpdate },
  'apps/v1/replicasets': { validate: validateReplicaSet, validateUpdate: validateReplicaSetUpdate, validateStatusUpdate: validateReplicaSetStatusUpdate },
  'apps/v1/daemonsets': { validate: validateDaemonSet, validateUpdate: validateDaemonSetUpdate },
  'apps/v1/controllerrevisions': { validate: validateControllerRevision, validateUpdate: validateControllerRevisionUpdate },
  'batch/v1/jobs': jobRules,
  'batch/v1/cronjobs': cronJobRules,
  'policy/v1/poddisruptionbudgets': podDisruptionBudgetRules,
  'discovery.k8s.io/v1/endpointslices': endpointSliceRules,
  [`${NETWORKING}/ingresses`]: ingressRules,
  [`${NETWORKING}/ingressclasses`]: ingressClassRules,
  [`${NETWORKING}/networkpolicies`]: networkPolicyRules,
  [`${NETWORKING}/ipaddresses`]: ipAddressRules,
  [`${NETWORKING}/servicecidrs`]: serviceCidrRules,
  'storage.k8s.io/v1/storageclasses': storageClassRules,
  'autoscaling/v2/horizontalpodautoscalers': horizontalPodAutoscalerRules,
  [`${RBAC}/roles`]: rbacRules.roles,
  [`${RBAC}/clusterroles`]: rbacRules.clusterroles,
  [`${RBAC}/rolebindings`]: rbacRules.rolebindings,
  [`${RBAC}/clusterrolebindings`]: rbacRules.clusterrolebindings,
  'scheduling.k8s.io/v1/priorityclasses': priorityClassRules,
  'node.k8s.io/v1/runtimeclasses': runtimeClassRules,
  'coordination.k8s.io/v1/leases': leaseRules,
} as Readonly<Record<string, Validation>>;

/** What the server refuses and warns of, by resource. */
export const validation: ReadonlyMap<string, Validation> = new Map(
  [...new Set([...Object.keys(RULES), ...warnings.keys()])].map((resource) => [resource, { ...RULES[resource], warnings: warnings.get(resource) }]),
);
