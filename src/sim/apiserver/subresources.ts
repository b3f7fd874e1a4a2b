import type { ApiObject } from '../client/types.ts';
import { asSelector, formatSelector, matchesSelector, type Selector } from '../kinds/selector.ts';
import type { FieldError } from '../kinds/strategy.ts';
import type { LabelSelector, Pod, PodDisruptionBudget } from '../kinds/types.ts';
import { cloneJson } from './decode.ts';
import type { DeleteParameters } from './deletion.ts';
import { difference, type FieldTree, hasPath, LEAF, union } from './managed-fields/field-set.ts';
import { decodeManaged, encodeManaged, identifier, type ManagedEntry } from './managed-fields/manager.ts';
import type { RequestContext } from './request-context.ts';
import type { ResourceInfo } from './resources.ts';
import {
  newBadRequest,
  newConflict,
  newInvalid,
  newNotFound,
  newPreconditionConflict,
  newTooManyRequests,
  plainError,
  type Status,
  type StatusError,
} from './status-error.ts';
import type { Verbs } from './verbs.ts';

type Json = Record<string, unknown>;
type Loose = ApiObject & { spec?: Json; status?: Json };

export const SUCCESS: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

/** Adds or changes one condition as `podutil.UpdatePodCondition` does. Returns new conditions. */
function withCondition(
  pod: Pod,
  condition: { type: string; status: string; reason?: string; message?: string },
  now: string,
): NonNullable<NonNullable<Pod['status']>['conditions']> {
  const conditions = [...(pod.status?.conditions ?? [])];
  const at = conditions.findIndex((known) => known.type === condition.type);
  const old = conditions[at];
  const lastTransitionTime = old && old.status === condition.status ? old.lastTransitionTime : now;
  const next = {
    ...condition,
    ...(old?.observedGeneration ? { observedGeneration: old.observedGeneration } : {}),
    lastProbeTime: old?.lastProbeTime,
    lastTransitionTime,
  };
  if (at >= 0) conditions[at] = next;
  else conditions.push(next);
  return conditions;
}

/** `pods/binding`: assigns a Pod to a node once (models `BindingREST`). */
export function bindPod(verbs: Verbs, info: ResourceInfo, namespace: string, name: string, body: unknown, request: RequestContext): Status {
  const binding = body as {
    metadata?: { name?: string; uid?: string; resourceVersion?: string; annotations?: Record<string, string>; labels?: Record<string, string> };
    target?: { kind?: string; name?: string };
  };
  if (binding.metadata?.name && binding.metadata.name !== name) throw newBadRequest('name in URL does not match name in Binding object');
  if (binding.target?.kind && binding.target.kind !== 'Node') {
    throw plainError(`target.kind: Unsupported value: ${JSON.stringify(binding.target.kind)}: supported values: "Node", "<empty>"`);
  }
  if (!binding.target?.name) throw plainError('target.name: Required value');
  const existing = verbs.get(info, namespace, name) as Pod;
  const conflict = (why: string): StatusError => newConflict({ group: '', resource: 'pods/binding' }, name, why);
  const { uid, resourceVersion } = binding.metadata ?? {};
  const broken = (what: string, wanted: string, found: string | undefined): StatusError =>
    newPreconditionConflict(info, namespace, name, `${what} in precondition: ${wanted}, ${what} in object meta: ${found}`);
  if (uid && uid !== existing.metadata?.uid) throw broken('UID', uid, existing.metadata?.uid);
  if (resourceVersion && resourceVersion !== existing.metadata?.resourceVersion)
    throw broken('ResourceVersion', resourceVersion, existing.metadata?.resourceVersion);
  if (existing.metadata?.deletionTimestamp) throw conflict(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (existing.spec?.nodeName) throw conflict(`pod ${name} is already assigned to node ${JSON.stringify(existing.spec.nodeName)}`);
  if ((existing.spec?.schedulingGates?.length ?? 0) > 0) throw conflict(`pod ${name} has non-empty .spec.schedulingGates`);
  if (request.dryRun) return SUCCESS;
  const { nominatedNodeName: _nominated, ...status } = existing.status ?? {};
  const pod = {
    ...existing,
    metadata: {
      ...existing.metadata,
      ...(binding.metadata?.annotations ? { annotations: { ...existing.metadata?.annotations, ...binding.metadata.annotations } } : {}),
      ...(binding.metadata?.labels ? { labels: { ...existing.metadata?.labels, ...binding.metadata.labels } } : {}),
    },
    spec: { ...existing.spec, nodeName: binding.target.name },
    status: { ...status, conditions: withCondition(existing, { type: 'PodScheduled', status: 'True' }, verbs.now()) },
  };
  verbs.put(info, pod as ApiObject, request);
  return SUCCESS;
}

/** `pods/eviction`: a deletion that respects PodDisruptionBudgets (models `EvictionREST`). */
export function evictPod(verbs: Verbs, info: ResourceInfo, namespace: string, name: string, body: unknown, request: RequestContext): Status {
  const eviction = body as { metadata?: { name?: string }; deleteOptions?: DeleteParameters & { dryRun?: string[] } };
  if (eviction.metadata?.name && eviction.metadata.name !== name) throw newBadRequest('name in URL does not match name in Eviction object');
  const dryRun = request.dryRun || (eviction.deleteOptions?.dryRun?.length ?? 0) > 0;
  const inner = { ...request, dryRun };
  const pod = verbs.get(info, namespace, name) as Pod;
  const phase = pod.status?.phase;
  const free = phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata?.deletionTimestamp !== undefined;
  if (!free) checkBudgets(verbs, pod, inner);
  if (!dryRun) {
    const conditions = withCondition(
      pod,
      { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' },
      verbs.now(),
    );
    verbs.put(info, { ...pod, status: { ...pod.status, conditions } } as ApiObject, inner);
  }
  const options = { ...eviction.deleteOptions };
  if (options.preconditions?.resourceVersion) options.preconditions = { ...options.preconditions, resourceVersion: undefined };
  verbs.delete(info, namespace, name, options, inner);
  return SUCCESS;
}

function checkBudgets(verbs: Verbs, pod: Pod, request: RequestContext): void {
  const info = verbs.registry.get('policy/v1/poddisruptionbudgets') as ResourceInfo;
  const namespace = pod.metadata?.namespace ?? '';
  const budgets = (verbs.bucket(info).list(namespace) as PodDisruptionBudget[]).filter(
    (budget) => budget.spec?.selector && matchesSelector(asSelector(budget.spec.selector), pod.metadata?.labels),
  );
  if (budgets.length > 1) throw plainError('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  const budget = budgets[0];
  if (!budget) return;
  const status = budget.status ?? { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  const ready = pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
  if (!ready) {
    if (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return;
    if ((status.currentHealthy ?? 0) >= (status.desiredHealthy ?? 0) && (status.desiredHealthy ?? 0) > 0) return;
  }
  const budgetName = budget.metadata?.name ?? '';
  if ((status.observedGeneration ?? 0) < (budget.metadata?.generation ?? 0)) {
    throw newTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 10, [
      { reason: 'DisruptionBudget', message: `The disruption budget ${budgetName} is still being processed by the server.` },
    ]);
  }
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed <= 0) {
    const failed = status.conditions?.find(
      (condition) => condition.type === 'DisruptionAllowed' && condition.status === 'False' && condition.reason === 'SyncFailed',
    );
    const message = failed
      ? `The disruption budget ${budgetName} does not allow evicting pods currently because it failed sync: ${failed.message}`
      : (status.currentHealthy ?? 0) <= (status.desiredHealthy ?? 0)
        ? `The disruption budget ${budgetName} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`
        : `The disruption budget ${budgetName} does not allow evicting pods currently`;
    throw newTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 0, [{ reason: 'DisruptionBudget', message }]);
  }
  if (request.dryRun) return;
  const disruptedPods = { ...status.disruptedPods, [pod.metadata?.name ?? '']: verbs.now() };
  verbs.put(info, { ...budget, status: { ...status, disruptionsAllowed: allowed - 1, disruptedPods } } as ApiObject, request);
}

/** How a kind's replicas are read and written, when its strategy does not say. */
function scaleOf(verbs: Verbs, info: ResourceInfo, object: Loose): { spec: number; status: number; selector: string } {
  const custom = info.custom?.scale;
  if (custom) {
    return {
      spec: Number(atPath(object, custom.specReplicasPath) ?? 0),
      status: Number(atPath(object, custom.statusReplicasPath) ?? 0),
      selector: custom.labelSelectorPath ? String(atPath(object, custom.labelSelectorPath) ?? '') : '',
    };
  }
  const own = verbs.strategy(info)?.scale;
  if (own) return own.get(object);
  const selector = object.spec?.selector;
  return {
    spec: Number(object.spec?.replicas ?? 0),
    status: Number(object.status?.replicas ?? 0),
    selector: selector
      ? formatSelector(
          asSelector(info.id === 'v1/replicationcontrollers' ? ({ matchLabels: selector } as LabelSelector) : (selector as LabelSelector)) as Selector,
        )
      : '',
  };
}

function atPath(object: unknown, path: string): unknown {
  let at = object;
  for (const part of path.split('.').filter(Boolean)) at = (at as Json | undefined)?.[part];
  return at;
}

/** `scale`, read (autoscaling/v1 Scale). */
export function getScale(verbs: Verbs, info: ResourceInfo, object: ApiObject): ApiObject {
  const { spec, status, selector } = scaleOf(verbs, info, object as Loose);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: spec === 0 ? {} : { replicas: spec },
    status: { replicas: status, ...(selector ? { selector } : {}) },
  } as ApiObject;
}

/** `scale`, written: only replicas move; the field's owner becomes the caller, on the subresource. */
export function updateScale(
  verbs: Verbs,
  info: ResourceInfo,
  namespace: string,
  name: string,
  change: (scale: ApiObject) => ApiObject,
  request: RequestContext,
  managedEntry?: (before: number, after: number, path: readonly string[]) => ManagedEntry | undefined,
): ApiObject {
  const { object } = verbs.update(
    info,
    namespace,
    name,
    (existing) => {
      if (!existing) throw newNotFound({ group: info.group, resource: `${info.resource}/scale` }, name);
      const before = getScale(verbs, info, existing);
      const scale = change(before) as Loose & { metadata: NonNullable<ApiObject['metadata']> };
      const replicas = Number(scale.spec?.replicas ?? 0);
      if (replicas < 0) {
        const error: FieldError = { type: 'Invalid value', field: 'spec.replicas', value: String(replicas), detail: 'must be greater than or equal to 0' };
        throw newInvalid({ group: 'autoscaling', resource: 'Scale' }, name, [error]);
      }
      if (scale.metadata.uid && scale.metadata.uid !== existing.metadata?.uid) {
        throw newConflict(
          { group: info.group, resource: `${info.resource}/scale` },
          name,
          `Precondition failed: UID in precondition: ${scale.metadata.uid}, UID in object meta: ${existing.metadata?.uid}`,
        );
      }
      const object = cloneJson(existing) as Loose;
      const path = info.custom?.scale ? info.custom.scale.specReplicasPath.split('.').filter(Boolean) : ['spec', 'replicas'];
      let at: Json = object as Json;
      for (const part of path.slice(0, -1)) {
        at[part] ??= {};
        at = at[part] as Json;
      }
      at[path[path.length - 1] as string] = replicas;
      object.metadata = { ...object.metadata, resourceVersion: scale.metadata.resourceVersion };
      const old = scaleOf(verbs, info, existing as Loose).spec;
      const elements = path.map((part) => `f:${part}`);
      const entry = managedEntry
        ? managedEntry(old, replicas, elements)
        : old === replicas
          ? undefined
          : ({
              manager: request.fieldManager || 'unknown',
              operation: 'Update',
              apiVersion: info.groupVersion,
              fields: fieldsOf(elements),
              subresource: 'scale',
            } satisfies ManagedEntry);
      if (entry) object.metadata.managedFields = takeReplicas(existing, entry, elements);
      return object;
    },
    request,
    { subresource: 'scale', managed: true },
  );
  return getScale(verbs, info, object);
}

function fieldsOf(path: readonly string[]): FieldTree {
  let tree = LEAF;
  for (const element of [...path].reverse()) tree = { [element]: tree };
  return tree;
}

/** Moves ownership of the replicas field to `entry`. As upstream, the new entry has no time. */
function takeReplicas(existing: ApiObject, entry: ManagedEntry, path: readonly string[]): NonNullable<ApiObject['metadata']>['managedFields'] {
  const managed = decodeManaged(existing.metadata?.managedFields) ?? new Map<string, ManagedEntry>();
  const replicas = fieldsOf(path);
  const self = identifier(entry);
  for (const [id, known] of managed) {
    if (id === self || !hasPath(known.fields, path)) continue;
    const left = difference(known.fields, replicas);
    if (Object.keys(left).length === 0) managed.delete(id);
    else managed.set(id, { ...known, fields: left });
  }
  const mine = managed.get(self);
  managed.set(self, mine ? { ...mine, fields: union(mine.fields, replicas) } : entry);
  return encodeManaged(managed);
}

/** `namespaces/finalize`: only spec.finalizers move. */
export function finalizeNamespace(existing: ApiObject, object: ApiObject): ApiObject {
  const finalizers = (object as Loose).spec?.finalizers;
  return {
    ...existing,
    metadata: { ...existing.metadata, resourceVersion: object.metadata?.resourceVersion },
    spec: { ...(existing as Loose).spec, finalizers },
  } as ApiObject;
}
