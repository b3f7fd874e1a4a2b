import type { Client } from '../../client/types.ts';
import type { Node, NodeCondition, Taint } from '../../kinds/types.ts';
import { retryOnConflict } from '../errors.ts';
import { cause, clone, equal, nameOf, refOf, timeOf } from '../object.ts';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
export const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/** Condition → status → the NoSchedule taint it stands for. */
const BY_CONDITION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};
const MANAGED = new Set([UNSCHEDULABLE, ...Object.values(BY_CONDITION).flatMap((one) => Object.values(one))]);

export function nodeCondition(node: Node, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

export function hasTaint(node: Node, key: string, effect: string): boolean {
  return node.spec?.taints?.some((taint) => taint.key === key && taint.effect === effect) ?? false;
}

/** The NoSchedule taints a node's conditions and `unschedulable` ask for. */
function wantedNoSchedule(node: Node): string[] {
  const keys: string[] = [];
  for (const condition of node.status?.conditions ?? []) {
    const key = BY_CONDITION[condition.type ?? '']?.[condition.status ?? ''];
    if (key) keys.push(key);
  }
  if (node.spec?.unschedulable) keys.push(UNSCHEDULABLE);
  return keys;
}

/** controllerutil.SwapNodeControllerTaint: adds and removes taints in one patch; false when nothing changed. */
export function swapTaints(client: Client, actor: string, name: string, nowMs: number, add: readonly Taint[], remove: (taint: Taint) => boolean): boolean {
  const resource = client.resource<Node>('v1/nodes');
  return retryOnConflict(() => {
    const node = resource.get('', name);
    if (!node) return false;
    const kept = (node.spec?.taints ?? []).filter((taint) => !remove(taint));
    const fresh = add.filter((taint) => !kept.some((one) => one.key === taint.key && one.effect === taint.effect));
    const taints = [...kept, ...fresh.map((taint) => ({ ...taint, timeAdded: timeOf(nowMs) }))];
    if (equal(taints, node.spec?.taints ?? [])) return false;
    const copy = clone(node);
    copy.spec = { ...copy.spec, taints };
    if (taints.length === 0) delete copy.spec.taints;
    const detail = { node: nameOf(node), taints: fresh.map((taint) => `${taint.key}:${taint.effect}`).join(',') };
    resource.update(copy, { cause: cause(actor, 'node/taint', refOf(node, 'v1/nodes'), detail) });
    return true;
  });
}

/** doNoScheduleTaintingPass: keeps the NoSchedule taints in line with the conditions. */
export function syncNoScheduleTaints(client: Client, actor: string, node: Node, nowMs: number): void {
  const wanted = wantedNoSchedule(node);
  const present = (node.spec?.taints ?? []).filter((taint) => taint.effect === 'NoSchedule' && MANAGED.has(taint.key ?? '')).map((taint) => taint.key ?? '');
  if (equal([...wanted].sort(), [...present].sort())) return;
  const add = wanted.filter((key) => !present.includes(key)).map((key) => ({ key, effect: 'NoSchedule' }));
  swapTaints(
    client,
    actor,
    nameOf(node),
    nowMs,
    add,
    (taint) => taint.effect === 'NoSchedule' && MANAGED.has(taint.key ?? '') && !wanted.includes(taint.key ?? ''),
  );
}
