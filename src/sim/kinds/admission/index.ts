import { newForbidden, newNotFound } from '../../apiserver/status-error.ts';
import { storageClassOf } from '../core/volumes.ts';
import { semanticEqual } from '../equal.ts';
import { DEFAULT_INGRESS_CLASS } from '../networking/index.ts';
import { compareQuantities } from '../quantity.ts';
import { isDefaultClass } from '../storage/index.ts';
import type { AdmissionPlugin, AdmissionRequest, StrategyContext } from '../strategy.ts';
import type { Ingress, IngressClass, Namespace, Node, PersistentVolumeClaim, Pod, PriorityClass, RuntimeClass, StorageClass } from '../types.ts';
import { limitRangerPlugin } from './limit-ranger.ts';
import { resourceQuotaPlugin } from './quota.ts';
import { refuse } from './request.ts';
import { serviceAccountPlugin } from './service-account.ts';

/** The admission plugins a kube-apiserver runs by default, in its order (`pkg/kubeapiserver/options/plugins.go`). */

const creates = (request: AdmissionRequest, resource: string): boolean =>
  request.operation === 'CREATE' && request.subresource === '' && request.resource === resource;

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  admit(request) {
    const { operation, resource, namespace, name, context } = request;
    if (resource === 'v1/namespaces') {
      if (operation === 'DELETE' && IMMORTAL.has(name)) throw newForbidden({ group: '', resource: 'namespaces' }, name, 'this namespace may not be deleted');
      return;
    }
    if (namespace === '' || operation === 'DELETE' || resource === 'authorization.k8s.io/v1/localsubjectaccessreviews') return;
    const found = context.get<Namespace>('v1/namespaces', '', namespace);
    if (!found) throw newNotFound({ group: '', resource: 'namespaces' }, namespace);
    if (operation === 'CREATE' && found.status?.phase === 'Terminating') {
      throw refuse(request, `unable to create new content in namespace ${namespace} because it is being terminated`, [
        { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
      ]);
    }
  },
};

const NOT_READY = 'node.kubernetes.io/not-ready';

const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit(request) {
    if (!creates(request, 'v1/nodes')) return;
    const node = request.object as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === NOT_READY && effect === 'NoSchedule')) return;
    node.spec = { ...node.spec, taints: [...taints, { key: NOT_READY, effect: 'NoSchedule' }] };
  },
};

function defaultPriorityClass(context: StrategyContext): PriorityClass | undefined {
  return context
    .list<PriorityClass>('scheduling.k8s.io/v1/priorityclasses')
    .filter(({ globalDefault }) => globalDefault)
    .reduce<PriorityClass | undefined>((lowest, one) => (lowest && (lowest.value ?? 0) <= (one.value ?? 0) ? lowest : one), undefined);
}

const priority: AdmissionPlugin = {
  name: 'Priority',
  admit(request) {
    if (request.resource !== 'v1/pods' || request.subresource !== '') return;
    const spec = (request.object as Pod | undefined)?.spec;
    if (!spec) return;
    if (request.operation === 'UPDATE') {
      const old = (request.old as Pod).spec ?? {};
      spec.priority ??= old.priority;
      spec.preemptionPolicy ??= old.preemptionPolicy;
      return;
    }
    if (request.operation !== 'CREATE') return;
    const named = spec.priorityClassName;
    const found = named ? request.context.get<PriorityClass>('scheduling.k8s.io/v1/priorityclasses', '', named) : defaultPriorityClass(request.context);
    if (named && !found) throw refuse(request, `no PriorityClass with name ${named} was found`);
    if (found) spec.priorityClassName = found.metadata?.name;
    const value = found?.value ?? 0;
    if (spec.priority !== undefined && spec.priority !== value) {
      throw refuse(
        request,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    }
    spec.priority = value;
    const policy = found ? found.preemptionPolicy : 'PreemptLowerPriority';
    if (!policy) return;
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
      throw refuse(
        request,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      );
    }
    spec.preemptionPolicy = policy;
  },
  validate(request) {
    if (request.resource !== 'scheduling.k8s.io/v1/priorityclasses' || !(request.object as PriorityClass | undefined)?.globalDefault) return;
    const present = defaultPriorityClass(request.context)?.metadata?.name;
    const name = request.object?.metadata?.name;
    if (present && (request.operation === 'CREATE' || (request.operation === 'UPDATE' && present !== name))) {
      throw refuse(request, `PriorityClass ${present} is already marked as default. Only one default can exist`);
    }
  },
};

const TOLERATED = [NOT_READY, 'node.kubernetes.io/unreachable'];

const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(request) {
    if (request.resource !== 'v1/pods' || request.subresource !== '' || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
    const spec = (request.object as Pod).spec ?? {};
    const given = spec.tolerations ?? [];
    const missing = TOLERATED.filter(
      (key) => !given.some((toleration) => (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === 'NoExecute')),
    );
    if (missing.length === 0) return;
    spec.tolerations = [...given, ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }))];
  },
};

const newestFirst = (a: { metadata?: { creationTimestamp?: string; name?: string } }, b: typeof a): number => {
  const [x, y] = [a.metadata?.creationTimestamp ?? '', b.metadata?.creationTimestamp ?? ''];
  if (x !== y) return x > y ? -1 : 1;
  return (a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1;
};

const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  admit(request) {
    if (!creates(request, 'v1/persistentvolumeclaims')) return;
    const claim = request.object as PersistentVolumeClaim;
    if (storageClassOf(claim) !== '' || claim.spec?.storageClassName !== undefined) return;
    const [found] = request.context.list<StorageClass>('storage.k8s.io/v1/storageclasses').filter(isDefaultClass).sort(newestFirst);
    if (found) claim.spec = { ...claim.spec, storageClassName: found.metadata?.name };
  },
};

const PROTECTED: Readonly<Record<string, string>> = {
  'v1/persistentvolumes': 'kubernetes.io/pv-protection',
  'v1/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  'storage.k8s.io/v1/volumeattributesclasses': 'kubernetes.io/vac-protection',
};

const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit(request) {
    const finalizer = PROTECTED[request.resource];
    if (!finalizer || !creates(request, request.resource) || !request.object) return;
    const finalizers = request.object.metadata?.finalizers ?? [];
    if (!finalizers.includes(finalizer)) request.object.metadata = { ...request.object.metadata, finalizers: [...finalizers, finalizer] };
  },
};

const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  validate(request) {
    if (request.resource !== 'v1/persistentvolumeclaims' || request.subresource !== '' || request.operation !== 'UPDATE') return;
    const claim = request.object as PersistentVolumeClaim;
    const old = request.old as PersistentVolumeClaim;
    if (compareQuantities(claim.spec?.resources?.requests?.storage, old.spec?.resources?.requests?.storage) <= 0) return;
    if (old.status?.phase !== 'Bound') throw refuse(request, 'Only bound persistent volume claims can be expanded');
    const name = storageClassOf(claim);
    const found = name === '' || name !== storageClassOf(old) ? undefined : request.context.get<StorageClass>('storage.k8s.io/v1/storageclasses', '', name);
    if (!found?.allowVolumeExpansion) {
      throw refuse(request, 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize');
    }
  },
};

const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  admit(request) {
    if (!creates(request, 'v1/pods')) return;
    const spec = (request.object as Pod).spec ?? {};
    if (!spec.runtimeClassName) {
      if (spec.overhead) throw refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
      return;
    }
    const found = request.context.get<RuntimeClass>('node.k8s.io/v1/runtimeclasses', '', spec.runtimeClassName);
    if (!found) throw refuse(request, `pod rejected: RuntimeClass "${spec.runtimeClassName}" not found`);
    const overhead = found.overhead?.podFixed;
    if (overhead && spec.overhead && !semanticEqual(overhead, spec.overhead)) {
      throw refuse(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    }
    if (overhead) spec.overhead = { ...overhead };
    for (const [key, value] of Object.entries(found.scheduling?.nodeSelector ?? {})) {
      const own = spec.nodeSelector?.[key];
      if (own !== undefined && own !== value) {
        throw refuse(request, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`);
      }
      spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
    }
    const extra = (found.scheduling?.tolerations ?? []).filter((toleration) => !spec.tolerations?.some((own) => semanticEqual(own, toleration)));
    if (extra.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...extra];
  },
};

const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  admit(request) {
    if (!creates(request, 'networking.k8s.io/v1/ingresses')) return;
    const ingress = request.object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined || ingress.metadata?.annotations?.['kubernetes.io/ingress.class'] !== undefined) return;
    const [found] = request.context
      .list<IngressClass>('networking.k8s.io/v1/ingressclasses')
      .filter(({ metadata }) => metadata?.annotations?.[DEFAULT_INGRESS_CLASS] === 'true')
      .sort(newestFirst);
    if (found) ingress.spec = { ...ingress.spec, ingressClassName: found.metadata?.name };
  },
};

export const admissionPlugins: AdmissionPlugin[] = [
  namespaceLifecycle,
  limitRangerPlugin,
  serviceAccountPlugin,
  taintNodesByCondition,
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageObjectInUseProtection,
  persistentVolumeClaimResize,
  runtimeClass,
  defaultIngressClass,
  resourceQuotaPlugin,
];
