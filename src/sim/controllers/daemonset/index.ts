import type { Disposable } from '../../../kernel/index.ts';
import type { ControllerRevision, DaemonSet, DaemonSetStatus, Node, Pod } from '../../kinds/types.ts';
import { claimObjects } from '../claim-ref.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { isNamespaceTerminating, retryOnConflict } from '../errors.ts';
import { podTemplateHash } from '../hash.ts';
import { CONTROLLER_REVISION, createRevision, equalRevisions, listRevisions, newRevision, renumberRevision, revisionInformer } from '../history.ts';
import { selectorMatcher } from '../labels.ts';
import {
  cause,
  clone,
  controllerOf,
  equal,
  type Identified,
  isDeleting,
  keyOf,
  labelsOf,
  msOf,
  nameOf,
  namespaceOf,
  omitEmpty,
  refOf,
  scaledValue,
  splitKey,
  uidOf,
} from '../object.ts';
import { PodWriter } from '../pod-writer.ts';
import { isPodAvailable, isPodFinished, isPodReady, nextAvailabilityMs, podInformer, podsOfOwner } from '../pods.ts';
import { pinToNode, shouldRun, targetNode, withDaemonTolerations } from './placement.ts';

const DAEMON_SET: Identified = { apiVersion: 'apps/v1', kind: 'DaemonSet', resource: 'apps/v1/daemonsets' };
const ACTOR = 'daemonset-controller';
const HASH = 'controller-revision-hash';
const GENERATION = 'deprecated.daemonset.template.generation';
const BURST = 250;

/** The DaemonSet controller of v1.36 (pkg/controller/daemon): one Pod per node that should have one, bound by the scheduler. */
export function startDaemonSetController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const sets = client.informer<DaemonSet>(DAEMON_SET.resource);
  const nodes = client.informer<Node>('v1/nodes');
  const pods = podInformer(client);
  const revisions = revisionInformer(client);
  const writer = new PodWriter(client, ACTOR, DAEMON_SET);
  /** Back-off of failed Pods, by set and node. */
  const failures = new Map<string, { delayMs: number; atMs: number }>();
  const controller = new Controller(context, { name: ACTOR, sync });

  function sync(key: string): void {
    const [namespace, name] = splitKey(key);
    const set = sets.get(namespace, name);
    if (!set || isDeleting(set)) return;
    if (equal(set.spec?.selector, {})) {
      writer.event(set, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.');
      return;
    }
    const matches = selectorMatcher(set.spec?.selector);
    const current = currentRevision(set, matches);
    const hash = labelsOf(current)[HASH] ?? '';
    const members = claimObjects<Pod>({
      actor: ACTOR,
      owner: set,
      ownerKind: DAEMON_SET,
      childResource: 'v1/pods',
      children: client.resource<Pod>('v1/pods'),
      candidates: podsOfOwner(pods, set, true),
      matches: (pod) => matches(labelsOf(pod)),
      fresh: () => client.resource<DaemonSet>(DAEMON_SET.resource).get(namespace, name),
    });
    const onNode = new Map<string, Pod[]>();
    for (const pod of members) {
      const node = isPodFinished(pod) && isDeleting(pod) ? undefined : targetNode(pod);
      if (node !== undefined) onNode.set(node, [...(onNode.get(node) ?? []), pod]);
    }
    let failure: unknown;
    try {
      const changed = manage(key, set, onNode, hash);
      // Upstream waits for its expectations before it rolls on; here the events of what was written bring it back.
      if (!changed && set.spec?.updateStrategy?.type !== 'OnDelete') roll(set, onNode, hash);
      cleanUpHistory(set, matches, current, members);
    } catch (error) {
      failure = error;
    }
    writeStatus(key, set, onNode, hash);
    if (failure) throw failure;
  }

  function currentRevision(set: DaemonSet, matches: (labels: Readonly<Record<string, string>>) => boolean): ControllerRevision {
    const history = listRevisions(revisions, set, matches);
    const fresh = newRevision(set, DAEMON_SET, set.spec?.template, 1, set.status?.collisionCount ?? 0);
    const same = history.filter((one) => equalRevisions(one, fresh)).at(-1);
    const newest = history.filter((one) => !equalRevisions(one, fresh)).at(-1)?.revision ?? 0;
    if (same) return (same.revision ?? 0) <= newest ? renumberRevision(client, ACTOR, same, newest + 1) : same;
    // Named after the template's hash, as ReplicaSets are, not after the data as a StatefulSet's.
    const { collisionCount } = set.status ?? {};
    const hashOf = (count: number): string => podTemplateHash(set.spec?.template, count === 0 && collisionCount === undefined ? undefined : count);
    const labels: Record<string, string> = { ...set.spec?.template?.metadata?.labels, [HASH]: hashOf(collisionCount ?? 0) };
    fresh.metadata = { ...fresh.metadata, labels };
    fresh.revision = newest + 1;
    return createRevision(client, ACTOR, set, DAEMON_SET, fresh, { count: collisionCount ?? 0 }, hashOf);
  }

  /** Makes Pods where they are missing and removes those that should not be; true when it wrote anything. */
  function manage(key: string, set: DaemonSet, onNode: ReadonlyMap<string, Pod[]>, hash: string): boolean {
    const missing: string[] = [];
    const surplus: Pod[] = [];
    for (const node of nodes.list()) {
      const { run, stay } = shouldRun(set, node);
      const here = onNode.get(nameOf(node));
      if (run && !here) missing.push(nameOf(node));
      else if (stay) {
        const verdict = judgeNode(key, set, node, here ?? [], hash, run);
        surplus.push(...verdict.surplus);
        if (verdict.missing) missing.push(nameOf(node));
      } else surplus.push(...(here ?? []).filter((pod) => !isDeleting(pod)));
    }
    // Pods that wait for a node that is gone.
    for (const [node, here] of onNode) if (!nodes.get('', node)) surplus.push(...here.filter((pod) => !pod.spec?.nodeName && !isDeleting(pod)));
    apply(set, missing, surplus, hash);
    return missing.length > 0 || surplus.length > 0;
  }

  /** podsShouldBeOnNode, for a node that may keep its Pod. */
  function judgeNode(key: string, set: DaemonSet, node: Node, here: readonly Pod[], hash: string, run: boolean): { surplus: Pod[]; missing: boolean } {
    const surplus: Pod[] = [];
    const running: Pod[] = [];
    for (const pod of here) {
      if (isDeleting(pod)) continue;
      if (pod.status?.phase === 'Failed') {
        const waitMs = failureBackoffMs(key, nameOf(node));
        if (waitMs > 0) {
          controller.queue.addAfter(key, waitMs);
          continue;
        }
        writer.event(
          set,
          'Warning',
          'FailedDaemonPod',
          `Found failed daemon pod ${namespaceOf(pod)}/${nameOf(pod)} on node ${nameOf(node)}, will try to kill it`,
        );
        surplus.push(pod);
      } else if (pod.status?.phase === 'Succeeded') {
        writer.event(
          set,
          'Normal',
          'SucceededDaemonPod',
          `Found succeeded daemon pod ${namespaceOf(pod)}/${nameOf(pod)} on node ${nameOf(node)}, will try to delete it`,
        );
        surplus.push(pod);
      } else running.push(pod);
    }
    running.sort(byAge);
    if (maxSurgeOf(set, 1) === 0) return { surplus: [...surplus, ...running.slice(1)], missing: false };
    if (running.length <= 1) return { surplus, missing: running.length === 0 && run };
    const [newest, ...extraNew] = running.filter((pod) => labelsOf(pod)[HASH] === hash);
    const [old, ...extraOld] = running.filter((pod) => labelsOf(pod)[HASH] !== hash);
    surplus.push(...extraNew, ...extraOld);
    if (newest && old && (!isPodReady(old) || isPodAvailable(newest, set.spec?.minReadySeconds ?? 0, kernel.now()))) surplus.push(old);
    return { surplus, missing: false };
  }

  function byAge(a: Pod, b: Pod): number {
    return Number(!a.spec?.nodeName) - Number(!b.spec?.nodeName) || msOf(a.metadata?.creationTimestamp) - msOf(b.metadata?.creationTimestamp);
  }

  function failureBackoffMs(key: string, node: string): number {
    const id = `${key}/${node}`;
    const known = failures.get(id);
    const nowMs = kernel.now();
    if (known && nowMs < known.atMs + known.delayMs) return known.atMs + known.delayMs - nowMs;
    failures.set(id, { delayMs: known ? Math.min(known.delayMs * 2, 15 * 60_000) : 1_000, atMs: nowMs });
    return 0;
  }

  function apply(set: DaemonSet, missing: readonly string[], surplus: readonly Pod[], hash: string): void {
    let failure: unknown;
    for (const node of missing.slice(0, BURST)) {
      try {
        writer.create(set, set.spec?.template, 'daemonset/create-pod', (pod) => {
          const generation = set.metadata?.annotations?.[GENERATION];
          const labels: Record<string, string> = { ...pod.metadata?.labels, [HASH]: hash };
          if (generation !== undefined) labels['pod-template-generation'] = generation;
          pod.metadata = { ...pod.metadata, labels };
          withDaemonTolerations(pod);
          pinToNode(pod, node);
        });
      } catch (error) {
        if (!isNamespaceTerminating(error)) failure ??= error;
        break;
      }
    }
    for (const pod of surplus.slice(0, BURST)) writer.delete(set, pod, 'daemonset/delete-pod');
    if (failure) throw failure;
  }

  function desiredCount(set: DaemonSet): number {
    return nodes.list().filter((node) => shouldRun(set, node).run).length;
  }

  function maxSurgeOf(set: DaemonSet, desired: number): number {
    return scaledValue(set.spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0, desired, true);
  }

  /** rollingUpdate: replaces old Pods, not more at a time than the strategy allows. */
  function roll(set: DaemonSet, onNode: ReadonlyMap<string, Pod[]>, hash: string): void {
    const desired = desiredCount(set);
    const maxSurge = maxSurgeOf(set, desired);
    let maxUnavailable = scaledValue(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, desired, true);
    if (maxSurge === 0 && maxUnavailable === 0) maxUnavailable = 1;
    const minReadySeconds = set.spec?.minReadySeconds ?? 0;
    const available = (pod: Pod): boolean => isPodAvailable(pod, minReadySeconds, kernel.now());
    let unavailable = 0;
    let surging = 0;
    const replaceNow: Pod[] = [];
    const replaceLater: Pod[] = [];
    const surgeNow: string[] = [];
    const surgeLater: string[] = [];
    for (const [node, here] of onNode) {
      const living = here.filter((pod) => !isDeleting(pod));
      const fresh = living.filter((pod) => labelsOf(pod)[HASH] === hash);
      const old = living.filter((pod) => labelsOf(pod)[HASH] !== hash);
      const newPod = fresh[0];
      const oldPod = old[0];
      const odd = fresh.length > 1 || old.length > 1;
      if (maxSurge === 0) {
        if (odd || (newPod === undefined) === (oldPod === undefined)) unavailable++;
        else if (newPod) unavailable += available(newPod) ? 0 : 1;
        else if (oldPod && !available(oldPod)) {
          replaceNow.push(oldPod);
          unavailable++;
        } else if (oldPod && unavailable < maxUnavailable) replaceLater.push(oldPod);
        continue;
      }
      if (odd) surging++;
      else if (oldPod && !newPod) (available(oldPod) ? surgeLater : surgeNow).push(node);
      else if (oldPod && newPod) {
        if (available(newPod)) replaceNow.push(oldPod);
        else surging++;
      }
    }
    if (maxSurge === 0) apply(set, [], [...replaceNow, ...replaceLater.slice(0, Math.max(0, maxUnavailable - unavailable))], hash);
    else apply(set, [...surgeNow, ...surgeLater.slice(0, Math.max(0, maxSurge - surging))], replaceNow, hash);
  }

  function cleanUpHistory(
    set: DaemonSet,
    matches: (labels: Readonly<Record<string, string>>) => boolean,
    current: ControllerRevision,
    members: readonly Pod[],
  ): void {
    const live = new Set(members.map((pod) => labelsOf(pod)[HASH]));
    const old = listRevisions(revisions, set, matches).filter((one) => nameOf(one) !== nameOf(current));
    let surplus = old.length - (set.spec?.revisionHistoryLimit ?? 10);
    for (const one of old) {
      if (surplus <= 0) return;
      if (live.has(labelsOf(one)[HASH])) continue;
      client
        .resource<ControllerRevision>(CONTROLLER_REVISION.resource)
        .delete(namespaceOf(one), nameOf(one), { cause: cause(ACTOR, 'history/truncate', refOf(one, CONTROLLER_REVISION.resource)) });
      surplus--;
    }
  }

  function writeStatus(key: string, set: DaemonSet, onNode: ReadonlyMap<string, Pod[]>, hash: string): void {
    const minReadySeconds = set.spec?.minReadySeconds ?? 0;
    const status: DaemonSetStatus = {
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
      updatedNumberScheduled: 0,
      numberAvailable: 0,
      numberUnavailable: 0,
      observedGeneration: set.metadata?.generation ?? 0,
    };
    const add = (
      field: 'currentNumberScheduled' | 'desiredNumberScheduled' | 'numberMisscheduled' | 'numberReady' | 'updatedNumberScheduled' | 'numberAvailable',
    ): void => {
      status[field] = (status[field] ?? 0) + 1;
    };
    const counted: Pod[] = [];
    for (const node of nodes.list()) {
      const here = onNode.get(nameOf(node)) ?? [];
      const { run } = shouldRun(set, node);
      if (!run) {
        if (here.length > 0) add('numberMisscheduled');
        continue;
      }
      add('desiredNumberScheduled');
      const pod = [...here].sort(byAge)[0];
      if (!pod) continue;
      counted.push(pod);
      add('currentNumberScheduled');
      if (isPodReady(pod)) add('numberReady');
      if (isPodAvailable(pod, minReadySeconds, kernel.now())) add('numberAvailable');
      if (labelsOf(pod)[HASH] === hash) add('updatedNumberScheduled');
    }
    status.numberUnavailable = (status.desiredNumberScheduled ?? 0) - (status.numberAvailable ?? 0);
    const waitMs = nextAvailabilityMs(counted, minReadySeconds, kernel.now());
    if (waitMs !== undefined) controller.queue.addAfter(key, waitMs);
    const kept = omitEmpty(status, ['currentNumberScheduled', 'desiredNumberScheduled', 'numberMisscheduled', 'numberReady']);
    const { collisionCount: _, conditions: __, ...old } = set.status ?? {};
    if (equal(old, kept)) return;
    const resource = client.resource<DaemonSet>(DAEMON_SET.resource);
    retryOnConflict((attempt) => {
      const copy = clone(attempt === 0 ? set : (resource.get(namespaceOf(set), nameOf(set)) ?? set));
      const { collisionCount, conditions } = copy.status ?? {};
      copy.status = { ...kept, ...(collisionCount === undefined ? {} : { collisionCount }), ...(conditions ? { conditions } : {}) };
      resource.updateStatus(copy, { cause: cause(ACTOR, 'daemonset/status', refOf(set, DAEMON_SET.resource)) });
    });
  }

  controller.watch<DaemonSet>(DAEMON_SET.resource, ({ object }) => controller.queue.add(keyOf(object)));
  controller.watch<Node>('v1/nodes', ({ type, object, old }) => {
    const changed = type !== 'MODIFIED' || !equal(old?.metadata?.labels, object.metadata?.labels) || !equal(old?.spec, object.spec);
    if (changed) for (const set of sets.list()) controller.queue.add(keyOf(set));
  });
  controller.watch<ControllerRevision>(CONTROLLER_REVISION.resource, ({ type, object }) => {
    const owner = controllerOf(object);
    if (type === 'DELETED' && owner?.kind === DAEMON_SET.kind) controller.queue.add(`${namespaceOf(object)}/${owner.name}`);
  });
  controller.watch<Pod>('v1/pods', ({ type, object: pod, old }) => {
    for (const one of old ? [old, pod] : [pod]) {
      const owner = controllerOf(one);
      const set = owner?.kind === DAEMON_SET.kind ? sets.get(namespaceOf(one), owner.name ?? '') : undefined;
      if (set && uidOf(set) === owner?.uid) controller.queue.add(keyOf(set));
    }
    if (controllerOf(pod) || type === 'DELETED' || isDeleting(pod)) return;
    for (const set of sets.list(namespaceOf(pod))) if (selectorMatcher(set.spec?.selector)(labelsOf(pod))) controller.queue.add(keyOf(set));
  });
  return controller;
}
