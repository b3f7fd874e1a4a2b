import { deprecatedLabel, nodeTermWarnings } from './node-labels.ts';
import { claimSpecWarnings, goneVolumeWarnings, podWarnings, workloadWarnings } from './pod/warnings.ts';
import { compareQuantities } from './quantity.ts';
import type { KindStrategy } from './strategy.ts';
import type {
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Ingress,
  Job,
  JobSpec,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PodTemplate,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  RuntimeClass,
  Secret,
  Service,
  StatefulSet,
  StorageClass,
} from './types.ts';

/** `Warning:` header texts by kind: what the server accepts but advises against. */

const SPEC_TEMPLATE = 'spec.template';

function statefulSetAdvice({ spec = {} }: StatefulSet, old?: StatefulSet): string[] {
  return [
    // "Spec" on updates is upstream's slip.
    ...(spec.volumeClaimTemplates ?? []).flatMap((claim, i) => claimSpecWarnings(`spec.volumeClaimTemplates[${i}]${old ? '.Spec' : ''}`, claim.spec)),
    ...((spec.revisionHistoryLimit ?? 0) < 0
      ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
      : []),
  ];
}

function jobAdvice(field: string, { completionMode, completions = 0, parallelism = 0 }: JobSpec): string[] {
  if (completionMode !== 'Indexed' || completions <= 100_000 || parallelism <= 10_000) return [];
  return [
    `${field}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
  ];
}

function volumeWarnings({ metadata = {}, spec = {} }: PersistentVolume): string[] {
  const advice: Record<string, string> = {
    'volume.beta.kubernetes.io/storage-class': 'deprecated since v1.8; use "storageClassName" attribute instead',
    'volume.beta.kubernetes.io/mount-options': 'deprecated since v1.31; use "mountOptions" attribute instead',
  };
  const { flocker: _flocker, quobyte: _quobyte, ...source } = spec as Record<string, unknown>;
  return [
    ...Object.entries(advice).flatMap(([key, text]) => (metadata.annotations?.[key] === undefined ? [] : [`metadata.annotations[${key}]: ${text}`])),
    ...(spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? ['spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.']
      : []),
    ...(spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, i) =>
      nodeTermWarnings(`spec.nodeAffinity.required.nodeSelectorTerms[${i}]`, term),
    ),
    ...goneVolumeWarnings('spec', source),
  ];
}

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

const claimWarnings = ({ metadata, spec }: PersistentVolumeClaim): string[] => [
  ...(metadata?.annotations?.[BETA_CLASS] === undefined
    ? []
    : [`metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
  ...claimSpecWarnings('spec', spec),
];

function serviceWarnings({ metadata, spec = {} }: Service): string[] {
  const texts: string[] = [];
  const external = spec.externalIPs ?? [];
  const isName = spec.type === 'ExternalName';
  const isHeadless = spec.type === 'ClusterIP' && spec.clusterIP === 'None';
  if (metadata?.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined) {
    texts.push('annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead');
  }
  if (isHeadless) {
    if (spec.loadBalancerIP) texts.push('spec.loadBalancerIP is ignored for headless services');
    if (external.length > 0) texts.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== 'None') texts.push('spec.SessionAffinity is ignored for headless services');
  }
  if (external.length > 0 && !isHeadless && !isName) texts.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  if (isName && external.length > 0) texts.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (!isName && spec.externalName) texts.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose') texts.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return texts;
}

function quotaWarnings({ spec }: ResourceQuota, old?: ResourceQuota): string[] {
  const hard = spec?.hard ?? {};
  if (old) return [];
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((name) => {
    const bare = (name === 'cpu' || name === 'memory') && hard[`requests.${name}`] === undefined;
    const [request, limit] = [bare ? name : `requests.${name}`, `limits.${name}`];
    const [low, high] = [hard[request], hard[limit]];
    return low !== undefined && high !== undefined && compareQuantities(low, high) > 0
      ? [`ResourceQuota ${request} (${low}) should be less than ${limit} (${high})`]
      : [];
  });
}

const isPem = (base64: string | undefined): boolean => {
  try {
    return atob(base64 ?? '').includes('-----BEGIN ');
  } catch {
    return false;
  }
};

/** Whether the key belongs to the certificate is not examined. */
function secretWarnings({ type, data }: Secret): string[] {
  if (type !== 'kubernetes.io/tls') return [];
  if (!isPem(data?.['tls.crt'])) return ['tls: failed to find any PEM data in certificate input'];
  return isPem(data?.['tls.key']) ? [] : ['tls: failed to find any PEM data in key input'];
}

const sliceWarnings = ({ addressType }: EndpointSlice, old?: EndpointSlice): string[] =>
  addressType === 'FQDN' && !old ? ['spec.addressType: FQDN endpoints are deprecated'] : [];

const ingressWarnings = ({ metadata, spec }: Ingress, old?: Ingress): string[] =>
  !old && metadata?.annotations?.['kubernetes.io/ingress.class'] !== undefined && spec?.ingressClassName === undefined
    ? ['annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead']
    : [];

const cronJobAdvice = ({ spec = {} }: CronJob, old?: CronJob): string[] => [
  ...jobAdvice('spec.jobTemplate.spec', spec.jobTemplate?.spec ?? {}),
  ...(old && spec.schedule?.includes('TZ')
    ? [
        'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
      ]
    : []),
];

const topologyWarnings = ({ allowedTopologies = [] }: StorageClass): string[] =>
  allowedTopologies.flatMap(({ matchLabelExpressions = [] }, i) =>
    matchLabelExpressions.flatMap(({ key }, j) => {
      const text = deprecatedLabel(key);
      return text ? [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${text}`] : [];
    }),
  );

/** Typed entries of a table that holds many kinds. */
const entry = <T>(resource: string, warn: (object: T, old?: T) => string[]): [string, KindStrategy['warnings']] => [resource, warn as KindStrategy['warnings']];

export const warnings = new Map([
  entry('v1/pods', podWarnings),
  entry(
    'v1/podtemplates',
    workloadWarnings<PodTemplate>('template', ({ template }) => template),
  ),
  entry(
    'v1/replicationcontrollers',
    workloadWarnings<ReplicationController>(SPEC_TEMPLATE, ({ spec }) => spec?.template, { named: true }),
  ),
  entry(
    'apps/v1/deployments',
    workloadWarnings<Deployment>(SPEC_TEMPLATE, ({ spec }) => spec?.template, { named: true }),
  ),
  entry(
    'apps/v1/replicasets',
    workloadWarnings<ReplicaSet>(SPEC_TEMPLATE, ({ spec }) => spec?.template, { named: true }),
  ),
  entry(
    'apps/v1/daemonsets',
    workloadWarnings<DaemonSet>(SPEC_TEMPLATE, ({ spec }) => spec?.template),
  ),
  entry(
    'apps/v1/statefulsets',
    workloadWarnings<StatefulSet>(SPEC_TEMPLATE, ({ spec }) => spec?.template, { also: statefulSetAdvice }),
  ),
  entry(
    'batch/v1/jobs',
    workloadWarnings<Job>(SPEC_TEMPLATE, ({ spec }) => spec?.template, { named: true, also: ({ spec = {} }) => jobAdvice('spec', spec) }),
  ),
  entry(
    'batch/v1/cronjobs',
    workloadWarnings<CronJob>('spec.jobTemplate.spec.template', ({ spec }) => spec?.jobTemplate?.spec?.template, { named: true, also: cronJobAdvice }),
  ),
  entry('v1/persistentvolumes', volumeWarnings),
  entry('v1/persistentvolumeclaims', claimWarnings),
  entry('v1/services', serviceWarnings),
  entry('v1/resourcequotas', quotaWarnings),
  entry('v1/secrets', secretWarnings),
  entry('discovery.k8s.io/v1/endpointslices', sliceWarnings),
  entry('networking.k8s.io/v1/ingresses', ingressWarnings),
  entry('storage.k8s.io/v1/storageclasses', topologyWarnings),
  entry<RuntimeClass>('node.k8s.io/v1/runtimeclasses', ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => (deprecatedLabel(key) ? [`scheduling.nodeSelector: ${deprecatedLabel(key)}`] : [])),
  ),
  entry<Node>('v1/nodes', ({ spec = {} }) => [
    ...(spec.configSource ? ['spec.configSource: the feature is removed'] : []),
    ...(spec.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
  ]),
]);
