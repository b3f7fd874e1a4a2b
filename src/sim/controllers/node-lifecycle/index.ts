import type { Disposable } from '../../../kernel/index.ts';
import type { Lease, Node, NodeCondition, Pod } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { ignoreNotFound } from '../errors.ts';
import { cause, clone, equal, labelsOf, msOf, nameOf, refOf, regarding, timeOf } from '../object.ts';
import { patchPodCondition } from '../pod-condition.ts';
import { POD, podCondition, podInformer } from '../pods.ts';
import { hasTaint, NOT_READY, nodeCondition, swapTaints, syncNoScheduleTaints, UNREACHABLE } from './taints.ts';

const ACTOR = 'node-controller';
const NODE = { apiVersion: 'v1', kind: 'Node', resource: 'v1/nodes' };
/** kube-controller-manager's defaults: --node-monitor-period, -grace-period, -startup-grace-period, --node-eviction-rate. */
const MONITOR_MS = 5_000;
const GRACE_MS = 50_000;
const STARTUP_GRACE_MS = 60_000;
const EVICTION_INTERVAL_MS = 10_000;
const WATCHED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** What is remembered of a node's heartbeats. */
interface Health {
  heartbeat: string;
  renewTime: string;
  probeMs: number;
  /** Ready's status at the last look. */
  ready: string;
}

/** Ready and pressure conditions, taints and Pods of nodes that fall silent (pkg/controller/nodelifecycle of v1.36). */
export function startNodeLifecycleController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const nodes = client.informer<Node>('v1/nodes');
  const leases = client.informer<Lease>('coordination.k8s.io/v1/leases');
  const pods = podInformer(client);
  const health = new Map<string, Health>();
  /** When the next node of a zone may get a NoExecute taint. */
  const nextEvictionMs = new Map<string, number>();
  const taints = new Controller(context, { name: ACTOR, sync: syncTaints, latencyMs: 8 });
  let tick: { atMs: number; handle: Disposable } | undefined;
  let disrupted = false;

  function syncTaints(name: string): void {
    const node = nodes.get('', name);
    if (node) syncNoScheduleTaints(client, ACTOR, node, kernel.now());
  }

  /** The monitor looks every five seconds; ticks at which nothing can happen are left out. */
  function planTick(notBeforeMs: number): void {
    const atMs = Math.ceil(Math.max(notBeforeMs, kernel.now() + 1) / MONITOR_MS) * MONITOR_MS;
    if (tick && tick.atMs <= atMs) return;
    tick?.handle.dispose();
    tick = {
      atMs,
      handle: kernel.timer(atMs - kernel.now(), () => {
        tick = undefined;
        monitor();
      }),
    };
  }

  function monitor(): void {
    const nowMs = kernel.now();
    const zones = new Map<string, { ready: number; notReady: number }>();
    const down: Node[] = [];
    for (const node of nodes.list()) {
      const current = checkHealth(node);
      if (labelsOf(node)['node.kubernetes.io/exclude-disruption'] === undefined) {
        const counts = zones.get(zoneOf(node)) ?? { ready: 0, notReady: 0 };
        if (current?.status === 'True') counts.ready++;
        else counts.notReady++;
        zones.set(zoneOf(node), counts);
      }
      if (current && current.status !== 'True') down.push(node);
      else if (current && (hasTaint(node, NOT_READY, 'NoExecute') || hasTaint(node, UNREACHABLE, 'NoExecute'))) dropNoExecute(node);
    }
    const all = [...zones.values()];
    const everythingDown = all.length > 0 && all.every((zone) => zone.ready === 0 && zone.notReady > 0);
    // When every node is silent the fault is more likely here: nothing is evicted, and what was tainted is forgiven.
    if (everythingDown && !disrupted) for (const node of down) dropNoExecute(node);
    if (!everythingDown && disrupted) for (const one of health.values()) one.probeMs = nowMs;
    disrupted = everythingDown;
    if (!everythingDown) for (const node of down) taintForEviction(node, zones.get(zoneOf(node)));
    let next = Number.POSITIVE_INFINITY;
    for (const [name, one] of health) {
      const node = nodes.get('', name);
      if (!node) health.delete(name);
      else next = Math.min(next, one.ready === 'Unknown' ? Number.POSITIVE_INFINITY : one.probeMs + graceOf(node) + 1);
    }
    if (down.some((node) => needsTaint(node))) next = nowMs + 1;
    if (next < Number.POSITIVE_INFINITY) planTick(next);
  }

  const graceOf = (node: Node): number => (nodeCondition(node, 'Ready') ? GRACE_MS : STARTUP_GRACE_MS);
  const zoneOf = (node: Node): string => `${labelsOf(node)['topology.kubernetes.io/region'] ?? ''}:${labelsOf(node)['topology.kubernetes.io/zone'] ?? ''}`;

  /** tryUpdateNodeHealth: returns Ready as it is now, after marking a silent node's conditions Unknown. */
  function checkHealth(node: Node): NodeCondition | undefined {
    const nowMs = kernel.now();
    const name = nameOf(node);
    const observed = nodeCondition(node, 'Ready');
    const renewTime = leases.get('kube-node-lease', name)?.spec?.renewTime ?? '';
    const created = msOf(node.metadata?.creationTimestamp);
    let known = health.get(name);
    if (!known) {
      known = { heartbeat: observed?.lastHeartbeatTime ?? '', renewTime, probeMs: observed ? nowMs : created, ready: observed?.status ?? 'Unknown' };
      health.set(name, known);
    }
    const heartbeat = observed?.lastHeartbeatTime ?? '';
    if (heartbeat !== known.heartbeat || renewTime > known.renewTime) {
      known.heartbeat = heartbeat;
      known.renewTime = renewTime;
      // The look at which an eager monitor would have noticed it.
      known.probeMs = Math.min(nowMs, Math.ceil(Math.max(msOf(heartbeat), msOf(renewTime === '' ? undefined : renewTime)) / MONITOR_MS) * MONITOR_MS);
    }
    let current = observed;
    if (nowMs > known.probeMs + graceOf(node) && observed?.status !== 'Unknown') current = markUnknown(node);
    const before = observed?.status ?? 'Unknown';
    if (current && current.status !== 'True' && before === 'True') nodeNotReady(node);
    known.ready = current?.status ?? 'Unknown';
    return current;
  }

  function markUnknown(node: Node): NodeCondition | undefined {
    const now = timeOf(kernel.now());
    const copy = clone(node);
    const conditions = [...(copy.status?.conditions ?? [])];
    for (const type of WATCHED) {
      const index = conditions.findIndex((condition) => condition.type === type);
      const known = conditions[index];
      if (!known) {
        conditions.push({
          type,
          status: 'Unknown',
          reason: 'NodeStatusNeverUpdated',
          message: 'Kubelet never posted node status.',
          lastHeartbeatTime: node.metadata?.creationTimestamp ?? now,
          lastTransitionTime: now,
        });
      } else if (known.status !== 'Unknown') {
        conditions[index] = {
          ...known,
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime: now,
        };
      }
    }
    copy.status = { ...copy.status, conditions };
    const written = client.resource<Node>('v1/nodes').updateStatus(copy, { cause: cause(ACTOR, 'node/unknown', refOf(node, 'v1/nodes')) });
    return nodeCondition(written, 'Ready');
  }

  function nodeNotReady(node: Node): void {
    nodeEvent(node, 'NodeNotReady', `Node ${nameOf(node)} status is now: NodeNotReady`);
    for (const pod of pods.byIndex('node', nameOf(node))) markPodNotReady(pod, node);
  }

  function markPodNotReady(pod: Pod, node: Node): void {
    const ready = podCondition(pod, 'Ready');
    if (ready?.status !== 'True') return;
    const because = cause(ACTOR, 'node/pod-not-ready', refOf(node, 'v1/nodes'));
    ignoreNotFound(() => {
      const { type, reason, message } = ready;
      const next = { type: type ?? 'Ready', status: 'False', ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
      patchPodCondition(client, pod, next, kernel.now(), because);
      client.event({ regarding: regarding(pod, POD), type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready', component: ACTOR, cause: because });
    });
  }

  function nodeEvent(node: Node, reason: string, message: string): void {
    client.event({
      regarding: regarding(node, NODE),
      type: 'Normal',
      reason,
      message,
      component: ACTOR,
      cause: cause(ACTOR, 'node/event', refOf(node, 'v1/nodes')),
    });
  }

  function needsTaint(node: Node): boolean {
    const now = nodes.get('', nameOf(node));
    if (!now) return false;
    const status = nodeCondition(now, 'Ready')?.status;
    return status !== 'True' && !hasTaint(now, status === 'Unknown' ? UNREACHABLE : NOT_READY, 'NoExecute');
  }

  /** processTaintBaseEviction with the zone's rate: one node every ten seconds; small broken zones are left alone. */
  function taintForEviction(stale: Node, zone: { ready: number; notReady: number } | undefined): void {
    const node = client.resource<Node>('v1/nodes').get('', nameOf(stale));
    const status = node && nodeCondition(node, 'Ready')?.status;
    if (!node || status === 'True') return;
    const [wanted, other] = status === 'Unknown' ? [UNREACHABLE, NOT_READY] : [NOT_READY, UNREACHABLE];
    if (hasTaint(node, wanted, 'NoExecute')) return;
    const swap = hasTaint(node, other, 'NoExecute');
    if (!swap) {
      const partial = zone && zone.notReady > 2 && zone.notReady / (zone.notReady + zone.ready) >= 0.55;
      if (partial && zone.notReady + zone.ready <= 50) return;
      const key = zoneOf(node);
      if ((nextEvictionMs.get(key) ?? 0) > kernel.now()) return;
      nextEvictionMs.set(key, kernel.now() + EVICTION_INTERVAL_MS);
    }
    // The pass that works off the zone's queue runs every 100 ms.
    kernel.timer(swap ? 1 : 20, () => {
      swapTaints(
        client,
        ACTOR,
        nameOf(node),
        kernel.now(),
        [{ key: wanted, effect: 'NoExecute' }],
        (taint) => taint.key === other && taint.effect === 'NoExecute',
      );
    });
  }

  function dropNoExecute(node: Node): void {
    const gone = (taint: { key?: string; effect?: string }): boolean => taint.effect === 'NoExecute' && (taint.key === NOT_READY || taint.key === UNREACHABLE);
    swapTaints(client, ACTOR, nameOf(node), kernel.now(), [], gone);
  }

  taints.watch<Node>('v1/nodes', ({ type, object: node, old }) => {
    if (type === 'DELETED') {
      health.delete(nameOf(node));
      nodeEvent(node, 'RemovingNode', `Node ${nameOf(node)} event: Removing Node ${nameOf(node)} from Controller`);
      return;
    }
    if (type === 'ADDED') nodeEvent(node, 'RegisteredNode', `Node ${nameOf(node)} event: Registered Node ${nameOf(node)} in Controller`);
    const changed = !equal(old?.spec, node.spec) || nodeCondition(old ?? {}, 'Ready')?.status !== nodeCondition(node, 'Ready')?.status;
    const conditionsChanged = !old || WATCHED.some((one) => nodeCondition(old, one)?.status !== nodeCondition(node, one)?.status);
    if (changed || conditionsChanged) taints.queue.add(nameOf(node));
    if (!old || changed) planTick(kernel.now());
  });
  taints.watch<Pod>('v1/pods', ({ type, object: pod, old }) => {
    // A Pod that comes to a node that is not ready is told so.
    if (type === 'DELETED' || !pod.spec?.nodeName || pod.spec.nodeName === old?.spec?.nodeName) return;
    const node = nodes.get('', pod.spec.nodeName);
    const ready = node ? nodeCondition(node, 'Ready') : undefined;
    if (node && ready && ready.status !== 'True') markPodNotReady(pod, node);
  });
  taints.own({ dispose: () => tick?.handle.dispose() });
  return taints;
}
