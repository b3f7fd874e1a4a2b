import { defaultClaimSpec } from '../core/volumes.ts';
import { semanticEqual } from '../equal.ts';
import { age, keep, nameOf, plain, row, setGeneration, withGeneration, withStatus, workloadCells } from '../lifecycle.ts';
import { defaultPodTemplate } from '../pod/defaults.ts';
import { asSelector, formatSelector } from '../selector.ts';
import type { KindStrategy } from '../strategy.ts';
import type { ControllerRevision, DaemonSet, Deployment, LabelSelector, ReplicaSet, StatefulSet } from '../types.ts';

interface Scalable {
  spec?: { replicas?: number; selector?: LabelSelector };
  status?: { replicas?: number };
}

/** The scale subresource of kinds with replicas and a label selector. */
const scale = {
  get: ({ spec, status }: Scalable) => ({
    spec: spec?.replicas ?? 0,
    status: status?.replicas ?? 0,
    selector: formatSelector(asSelector(spec?.selector) ?? []),
  }),
  set(object: Scalable, replicas: number): void {
    object.spec = { ...object.spec, replicas };
  },
};

export const statefulSetStrategy: KindStrategy<StatefulSet> = {
  resource: 'apps/v1/statefulsets',
  applyDefaults(set) {
    set.spec ??= {};
    const { spec } = set;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = 'v1';
      claim.kind = 'PersistentVolumeClaim';
      claim.metadata ??= {};
      claim.spec ??= {};
      claim.spec.resources ??= {};
      defaultClaimSpec(claim.spec);
      claim.status ??= {};
      claim.status.phase ||= 'Pending';
    }
    spec.podManagementPolicy ||= 'OrderedReady';
    spec.updateStrategy ??= {};
    const strategy = spec.updateStrategy;
    if (!strategy.type) {
      strategy.type = 'RollingUpdate';
      strategy.rollingUpdate ??= {};
    }
    if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) {
      strategy.rollingUpdate.partition ??= 0;
      // Behind a feature gate that is off.
      delete strategy.rollingUpdate.maxUnavailable;
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    set.status ??= { replicas: 0 };
    set.status.availableReplicas ??= 0;
  },
  ...withGeneration(() => ({ replicas: 0, availableReplicas: 0 })),
  tableRow: (set, context) => [
    nameOf(set),
    `${set.status?.readyReplicas ?? 0}/${set.spec?.replicas ?? 0}`,
    age(set, context),
    ...workloadCells(set.spec?.template?.spec?.containers),
  ],
  scale,
};

export const deploymentStrategy: KindStrategy<Deployment> = {
  resource: 'apps/v1/deployments',
  applyDefaults(deployment) {
    deployment.spec ??= {};
    const { spec } = deployment;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
    spec.replicas ??= 1;
    spec.strategy ??= {};
    spec.strategy.type ||= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
      spec.strategy.rollingUpdate.maxSurge ??= '25%';
    }
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    deployment.status ??= {};
  },
  // Annotations count too: they are copied to the ReplicaSets.
  ...withStatus<Deployment>({ generation: ({ spec, metadata }) => ({ spec, annotations: metadata?.annotations }) }),
  tableRow: (deployment, context) => {
    const { spec = {}, status = {} } = deployment;
    return [
      nameOf(deployment),
      `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
      status.updatedReplicas ?? 0,
      status.availableReplicas ?? 0,
      age(deployment, context),
      ...workloadCells(spec.template?.spec?.containers),
      formatSelector(asSelector(spec.selector) ?? []),
    ];
  },
  scale,
};

export const replicaSetStrategy: KindStrategy<ReplicaSet> = {
  resource: 'apps/v1/replicasets',
  applyDefaults(set) {
    set.spec ??= {};
    set.spec.replicas ??= 1;
    set.spec.template ??= {};
    defaultPodTemplate(set.spec.template);
    set.status ??= { replicas: 0 };
  },
  ...withGeneration(() => ({ replicas: 0 })),
  selectableFields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  tableRow: (set, context) => {
    const { spec = {}, status = {} } = set;
    return [
      nameOf(set),
      spec.replicas ?? 0,
      status.replicas ?? 0,
      status.readyReplicas ?? 0,
      age(set, context),
      ...workloadCells(spec.template?.spec?.containers, spec.selector ?? null),
    ];
  },
  scale,
};

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

export const daemonSetStrategy: KindStrategy<DaemonSet> = {
  resource: 'apps/v1/daemonsets',
  applyDefaults(set) {
    set.spec ??= {};
    const { spec } = set;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
    spec.updateStrategy ??= {};
    const strategy = spec.updateStrategy;
    strategy.type ||= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') {
      strategy.rollingUpdate ??= {};
      strategy.rollingUpdate.maxUnavailable ??= 1;
      strategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    set.status ??= {};
    // Upstream's conversion keeps the internal templateGeneration field in this annotation, hence it is always there.
    set.metadata ??= {};
    set.metadata.annotations = { [TEMPLATE_GENERATION]: '0', ...set.metadata.annotations };
  },
  prepareForCreate(set) {
    set.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
    setGeneration(set, 1);
    set.metadata = { ...set.metadata, annotations: { ...set.metadata?.annotations, [TEMPLATE_GENERATION]: '1' } };
  },
  prepareForUpdate(set, old) {
    keep(set, old, 'status');
    const generation = old.metadata?.generation ?? 0;
    const templateGeneration = Number(old.metadata?.annotations?.[TEMPLATE_GENERATION] ?? 0);
    const templateChanged = !semanticEqual(set.spec?.template, old.spec?.template);
    setGeneration(set, semanticEqual(set.spec, old.spec) ? generation : generation + 1);
    set.metadata = {
      ...set.metadata,
      annotations: { ...set.metadata?.annotations, [TEMPLATE_GENERATION]: String(templateChanged ? templateGeneration + 1 : templateGeneration) },
    };
  },
  tableRow: (set, context) => {
    const { spec = {}, status = {} } = set;
    return [
      nameOf(set),
      status.desiredNumberScheduled ?? 0,
      status.currentNumberScheduled ?? 0,
      status.numberReady ?? 0,
      status.updatedNumberScheduled ?? 0,
      status.numberAvailable ?? 0,
      formatSelector(asSelector({ matchLabels: spec.template?.spec?.nodeSelector ?? {} }) ?? []) || '<none>',
      age(set, context),
      ...workloadCells(spec.template?.spec?.containers, spec.selector ?? null),
    ];
  },
};

export const controllerRevisionStrategy: KindStrategy<ControllerRevision> = {
  resource: 'apps/v1/controllerrevisions',
  ...plain,
  tableRow: row((revision) => {
    const owner = revision.metadata?.ownerReferences?.find(({ controller }) => controller);
    const group = owner?.apiVersion?.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
    return [owner ? `${owner.kind}${group}`.toLowerCase() + `/${owner.name}` : '<none>', revision.revision ?? 0];
  }),
};
