/** How one field takes part in a strategic merge patch. */
export interface FieldMeta {
  /** Type of the value, or of a list's elements, when it has fields of interest. */
  type?: string;
  merge?: boolean;
  mergeKey?: string;
  retainKeys?: boolean;
  replace?: boolean;
}

/**
 * Patch strategies of the built-in types (`patchStrategy` and `patchMergeKey` of upstream's Go structs). Form:
 * `field>Type` leads to a type, `field*key` merges a list by that key, `field*` merges a list of scalars, `!` replaces,
 * `~` retains keys.
 */
const TYPES: Record<string, string> = {
  ObjectMeta: 'finalizers* ownerReferences*uid',
  Conditions: 'conditions*type',
  PodTemplateSpec: 'metadata>ObjectMeta spec>PodSpec',
  PodSpec:
    'containers*name>Container ephemeralContainers*name>Container hostAliases*ip imagePullSecrets*name initContainers*name>Container resourceClaims*name~ schedulingGates*name topologySpreadConstraints*topologyKey volumes*name~',
  Container: 'env*name ports*containerPort volumeDevices*devicePath volumeMounts*mountPath',
  PodStatus: 'conditions*type hostIPs*ip podIPs*ip resourceClaimStatuses*name~',
  Workload: 'metadata>ObjectMeta spec>WorkloadSpec status>Conditions',
  WorkloadSpec: 'template>PodTemplateSpec',
  Deployment: 'metadata>ObjectMeta spec>DeploymentSpec status>Conditions',
  DeploymentSpec: 'strategy~ template>PodTemplateSpec',
  CronJob: 'metadata>ObjectMeta spec>CronJobSpec',
  CronJobSpec: 'jobTemplate>JobTemplateSpec',
  JobTemplateSpec: 'metadata>ObjectMeta spec>WorkloadSpec',
  Pod: 'metadata>ObjectMeta spec>PodSpec status>PodStatus',
  PodTemplate: 'metadata>ObjectMeta template>PodTemplateSpec',
  Node: 'metadata>ObjectMeta spec>NodeSpec status>NodeStatus',
  NodeSpec: 'podCIDRs*',
  NodeStatus: 'addresses*type conditions*type',
  Service: 'metadata>ObjectMeta spec>ServiceSpec status>Conditions',
  ServiceSpec: 'ports*port',
  ServiceAccount: 'metadata>ObjectMeta secrets*name',
  PodDisruptionBudget: 'metadata>ObjectMeta spec>PodDisruptionBudgetSpec status>Conditions',
  PodDisruptionBudgetSpec: 'selector!',
  MutatingWebhookConfiguration: 'metadata>ObjectMeta webhooks*name>Webhook',
  ValidatingWebhookConfiguration: 'metadata>ObjectMeta webhooks*name>Webhook',
  Webhook: 'matchConditions*name',
  ValidatingAdmissionPolicy: 'metadata>ObjectMeta spec>AdmissionPolicySpec',
  MutatingAdmissionPolicy: 'metadata>ObjectMeta spec>AdmissionPolicySpec',
  AdmissionPolicySpec: 'matchConditions*name variables*name',
  CSINode: 'metadata>ObjectMeta spec>CSINodeSpec',
  CSINodeSpec: 'drivers*name',
  Plain: 'metadata>ObjectMeta status>Conditions',
};

const WORKLOADS = new Set(['StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job']);
const CORE_GROUPS = new Set([
  '',
  'apps',
  'batch',
  'autoscaling',
  'policy',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

/** The type name to patch a kind with; undefined for kinds without strategic merge patch (custom resources). */
export function patchTypeOf(group: string, kind: string): string | undefined {
  if (!CORE_GROUPS.has(group)) return undefined;
  if (WORKLOADS.has(kind)) return 'Workload';
  return TYPES[kind] && kind !== 'Plain' ? kind : 'Plain';
}

const parsed = new Map<string, Map<string, FieldMeta>>();

/** What is known of a field of a type; fields without entry are merged as maps or replaced as lists. */
export function fieldMeta(type: string | undefined, field: string): FieldMeta {
  if (type === undefined) return {};
  let fields = parsed.get(type);
  if (!fields) {
    fields = new Map();
    for (const token of (TYPES[type] ?? '').split(' ')) {
      const match = /^([A-Za-z]+)(\*(\w*))?(~)?(!)?(?:>(\w+))?$/.exec(token);
      if (!match) continue;
      fields.set(match[1] as string, {
        ...(match[2] ? { merge: true, mergeKey: match[3] ?? '' } : {}),
        ...(match[4] ? { retainKeys: true } : {}),
        ...(match[5] ? { replace: true } : {}),
        ...(match[6] ? { type: match[6] } : {}),
      });
    }
    parsed.set(type, fields);
  }
  return fields.get(field) ?? {};
}
