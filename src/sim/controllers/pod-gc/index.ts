import type { Disposable } from '../../../kernel/index.ts';
import type { Node, Pod } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { ignoreNotFound } from '../errors.ts';
import { nodeCondition, OUT_OF_SERVICE } from '../node-lifecycle/taints.ts';
import { cause, isDeleting, msOf, nameOf, namespaceOf, refOf } from '../object.ts';
import { patchPodCondition } from '../pod-condition.ts';
import { isPodFinished, podInformer } from '../pods.ts';

const ACTOR = 'pod-garbage-collector';
const CHECK_MS = 20_000;
const QUARANTINE_MS = 40_000;
const TERMINATED_THRESHOLD = 12_500;

/** Removes Pods nobody else removes: of nodes that are gone or out of service, and too many finished ones (pkg/controller/podgc). */
export function startPodGarbageCollector(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const nodes = client.informer<Node>('v1/nodes');
  const pods = podInformer(client);
  /** Node name → since when Pods are bound to it although it does not exist. */
  const missingSince = new Map<string, number>();
  const controller = new Controller(context, { name: ACTOR, sync: () => collect(), latencyMs: 1 });

  /** The collector looks every twenty seconds; looks at which there is nothing to do are left out. */
  function planCheck(): void {
    controller.queue.addAfter('check', Math.ceil((kernel.now() + 1) / CHECK_MS) * CHECK_MS - kernel.now());
  }

  function collect(): void {
    const byAge = [...pods.list()].sort((a, b) => msOf(a.metadata?.creationTimestamp) - msOf(b.metadata?.creationTimestamp));
    const finished = byAge.filter(isPodFinished);
    for (const pod of finished.slice(0, Math.max(0, finished.length - TERMINATED_THRESHOLD))) remove(pod, 'podgc/terminated');
    let again = false;
    const seen = new Set<string>();
    for (const pod of byAge) {
      const name = pod.spec?.nodeName ?? '';
      const node = name === '' ? undefined : nodes.get('', name);
      if (isDeleting(pod)) {
        if (name === '') remove(pod, 'podgc/unscheduled');
        else if (node && isOutOfService(node)) remove(pod, 'podgc/out-of-service');
      }
      if (name === '' || node) continue;
      seen.add(name);
      const since = missingSince.get(name) ?? kernel.now();
      missingSince.set(name, since);
      if (kernel.now() - since >= QUARANTINE_MS) remove(pod, 'podgc/orphaned', 'PodGC: node no longer exists');
      else again = true;
    }
    for (const name of missingSince.keys()) if (!seen.has(name)) missingSince.delete(name);
    if (again) planCheck();
  }

  function isOutOfService(node: Node): boolean {
    return nodeCondition(node, 'Ready')?.status !== 'True' && (node.spec?.taints?.some((taint) => taint.key === OUT_OF_SERVICE) ?? false);
  }

  function remove(pod: Pod, rule: string, message?: string): void {
    const because = cause(ACTOR, rule, refOf(pod, 'v1/pods'));
    ignoreNotFound(() => {
      if (!isPodFinished(pod)) {
        const condition = message ? { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message } : undefined;
        patchPodCondition(client, pod, condition, kernel.now(), because, { phase: 'Failed' });
      }
      client.resource<Pod>('v1/pods').delete(namespaceOf(pod), nameOf(pod), { cause: because, gracePeriodSeconds: 0 });
    });
  }

  controller.watch<Node>('v1/nodes', ({ type, object }) => {
    if (type === 'DELETED' || isOutOfService(object)) planCheck();
  });
  controller.watch<Pod>('v1/pods', ({ type, object: pod }) => {
    if (type === 'DELETED') return;
    const name = pod.spec?.nodeName ?? '';
    const node = name === '' ? undefined : nodes.get('', name);
    if ((name !== '' && !node) || (isDeleting(pod) && (name === '' || (node && isOutOfService(node))))) planCheck();
  });
  return controller;
}
