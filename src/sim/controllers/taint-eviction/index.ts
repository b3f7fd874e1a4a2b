import type { Disposable } from '../../../kernel/index.ts';
import type { Node, Pod, Taint } from '../../kinds/types.ts';
import { tolerates } from '../../scheduler/node-selector.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { ignoreNotFound } from '../errors.ts';
import { cause, equal, keyOf, nameOf, namespaceOf, refOf, splitKey, uidOf } from '../object.ts';
import { patchPodCondition } from '../pod-condition.ts';
import { podInformer } from '../pods.ts';

const ACTOR = 'taint-eviction-controller';

interface Planned {
  createdMs: number;
  triggerMs: number;
  handle: Disposable;
}

/** Deletes Pods that do not tolerate their node's NoExecute taints, after their tolerationSeconds (pkg/controller/tainteviction). */
export function startTaintEvictionController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const nodes = client.informer<Node>('v1/nodes');
  const pods = podInformer(client);
  const planned = new Map<string, Planned>();
  const controller = new Controller(context, { name: ACTOR, sync: () => undefined });

  const noExecute = (node: Node | undefined): Taint[] => (node?.spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute');

  function event(key: string, message: string): void {
    const [namespace, name] = splitKey(key);
    // Upstream's reference has no uid, so `describe pod` does not show this event.
    client.event({
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name },
      type: 'Normal',
      reason: 'TaintManagerEviction',
      message,
      component: ACTOR,
      cause: cause(ACTOR, 'taint/event', { resource: 'v1/pods', namespace, name }),
    });
  }

  function cancel(key: string): void {
    const plan = planned.get(key);
    if (!plan) return;
    plan.handle.dispose();
    planned.delete(key);
    event(key, `Cancelling deletion of Pod ${key}`);
  }

  function evict(key: string, uid: string, node: string): void {
    planned.delete(key);
    const [namespace, name] = splitKey(key);
    event(key, `Marking for deletion Pod ${key}`);
    ignoreNotFound(() => {
      const pod = client.resource<Pod>('v1/pods').get(namespace, name);
      if (!pod || uidOf(pod) !== uid) return;
      const because = cause(ACTOR, 'taint/evict', refOf(pod, 'v1/pods'), { node });
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
      };
      patchPodCondition(client, pod, condition, kernel.now(), because);
      // The condition and the deletion are two requests.
      kernel.timer(10, () => ignoreNotFound(() => client.resource<Pod>('v1/pods').delete(namespace, name, { cause: because, preconditions: { uid } })));
    });
  }

  /** processPodOnNode. */
  function check(pod: Pod, taints: readonly Taint[]): void {
    const key = keyOf(pod);
    const nowMs = kernel.now();
    if (taints.length === 0) {
      cancel(key);
      return;
    }
    const tolerations = (pod.spec?.tolerations ?? []).filter((one) => taints.some((taint) => tolerates(one, taint)));
    const all = taints.every((taint) => tolerations.some((one) => tolerates(one, taint)));
    if (!all) {
      cancel(key);
      plan(key, pod, nowMs, nowMs);
      return;
    }
    const limits = tolerations.map((one) => one.tolerationSeconds).filter((one) => one !== undefined);
    if (limits.length === 0) return;
    const leastMs = Math.max(0, Math.min(...limits)) * 1000;
    const known = planned.get(key);
    if (known) {
      if (known.createdMs + leastMs < nowMs + leastMs) return;
      cancel(key);
    }
    plan(key, pod, nowMs, nowMs + leastMs);
  }

  function plan(key: string, pod: Pod, createdMs: number, triggerMs: number): void {
    const handle = kernel.timer(triggerMs - kernel.now(), () => evict(key, uidOf(pod), pod.spec?.nodeName ?? ''));
    planned.set(key, { createdMs, triggerMs, handle });
  }

  controller.watch<Node>('v1/nodes', ({ type, object: node, old }) => {
    const taints = type === 'DELETED' ? [] : noExecute(node);
    if (type === 'DELETED' || equal(taints, noExecute(old))) return;
    for (const pod of pods.byIndex('node', nameOf(node))) check(pod, taints);
  });
  controller.watch<Pod>('v1/pods', ({ type, object: pod, old }) => {
    if (type === 'DELETED') {
      cancel(keyOf(pod));
      return;
    }
    const node = pod.spec?.nodeName;
    if (!node || (old?.spec?.nodeName === node && equal(old.spec?.tolerations, pod.spec?.tolerations))) return;
    const taints = noExecute(nodes.get('', node));
    if (taints.length > 0 && namespaceOf(pod) !== '') check(pod, taints);
  });
  controller.own({
    dispose: () => {
      for (const { handle } of planned.values()) handle.dispose();
    },
  });
  return controller;
}
