import { type Disposable, DisposableStore, type Kernel, type Random } from '../../kernel/index.ts';
import type { Client, WatchEvent } from '../client/types.ts';
import { ignoreNotFound } from '../controllers/errors.ts';
import { cause, clone, equal, isDeleting, keyFor, nameOf, namespaceOf, refOf, regarding, uidOf } from '../controllers/object.ts';
import { boundToClaim, isFullyBound, nodeFits, SELECTED_NODE } from '../controllers/persistentvolume/match.ts';
import { patchPodCondition } from '../controllers/pod-condition.ts';
import { isPodFinished, POD } from '../controllers/pods.ts';
import { DURATIONS, drawMs } from '../durations.ts';
import type { Binding, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodCondition } from '../kinds/types.ts';
import { describeFitError, type FitError, place } from './algorithm.ts';
import { SchedulerCache } from './cache.ts';
import type { Cycle, Plugin } from './framework.ts';
import { interPodAffinity } from './plugins/inter-pod-affinity.ts';
import { imageLocality, nodeAffinity, nodeName, nodePorts, nodeUnschedulable, taintToleration } from './plugins/node-plugins.ts';
import { nodeResourcesBalancedAllocation, nodeResourcesFit } from './plugins/node-resources.ts';
import { podTopologySpread } from './plugins/topology-spread.ts';
import { AssumedVolumes, createVolumeBinding, type PodVolumes, volumeRestrictions, volumesFor, volumeZone } from './plugins/volumes.ts';
import { claimNames } from './pod-state.ts';
import { type Candidate, preempt } from './preemption.ts';
import { type QueuedPod, SchedulingQueue } from './queue.ts';

const ACTOR = 'default-scheduler';
const CLAIMS = 'v1/persistentvolumeclaims';
const VOLUMES = 'v1/persistentvolumes';
const BIND_TIMEOUT_MS = 600_000;
const PRE_BIND = 'PreBind plugin "VolumeBinding"';
const POLL_MS = 1_000;

const NODE_PLUGINS = [
  'NodeUnschedulable',
  'NodeName',
  'TaintToleration',
  'NodeAffinity',
  'NodePorts',
  'NodeResourcesFit',
  'VolumeBinding',
  'VolumeZone',
  'PodTopologySpread',
  'InterPodAffinity',
  'NoNodes',
];
const POD_DELETE_PLUGINS = ['NodeResourcesFit', 'NodePorts', 'InterPodAffinity', 'PodTopologySpread', 'VolumeRestrictions'];
const POD_ADD_PLUGINS = ['InterPodAffinity', 'PodTopologySpread'];

/**
 * The scheduler (pkg/scheduler of v1.36): one Pod after the other gets a node; binding, which may wait for volumes,
 * goes on beside it. Left out: extenders, profiles, dynamic resources, pod groups, CSI volume limits.
 */
export class Scheduler implements Disposable {
  readonly #kernel: Kernel;
  readonly #client: Client;
  readonly #random: Random;
  readonly #cache = new SchedulerCache();
  readonly #assumed = new AssumedVolumes();
  readonly #plugins: readonly Plugin[];
  readonly #queue: SchedulingQueue;
  readonly #owned = new DisposableStore();
  readonly #start = { index: 0 };
  #working = false;
  #stopped = false;

  constructor(context: { kernel: Kernel; client: Client }) {
    const { kernel, client } = context;
    this.#kernel = kernel;
    this.#client = client;
    this.#random = kernel.random.fork('scheduler');
    this.#plugins = [
      nodeUnschedulable,
      nodeName,
      taintToleration,
      nodeAffinity,
      nodePorts,
      nodeResourcesFit,
      volumeRestrictions,
      createVolumeBinding(client, this.#assumed),
      volumeZone,
      podTopologySpread,
      interPodAffinity,
      nodeResourcesBalancedAllocation,
      imageLocality,
    ];
    this.#queue = this.#owned.add(new SchedulingQueue(kernel, () => this.#work()));
    this.#follow<Node>('v1/nodes', (event) => this.#onNode(event));
    this.#follow<Pod>('v1/pods', (event) => this.#onPod(event));
    this.#follow<PersistentVolumeClaim>(CLAIMS, (event) => this.#onClaim(event));
    this.#follow<PersistentVolume>(VOLUMES, ({ type }) => {
      if (type !== 'DELETED') this.#queue.wake(['VolumeBinding']);
    });
    this.#follow('storage.k8s.io/v1/storageclasses', ({ type }) => {
      if (type !== 'DELETED') this.#queue.wake(['VolumeBinding']);
    });
  }

  #follow<T extends object>(resource: string, handler: (event: WatchEvent<T>) => void): void {
    const informer = this.#client.informer(resource);
    for (const object of informer.list()) handler({ type: 'ADDED', object: object as T });
    this.#owned.add(informer.onEvent((event) => handler(event as unknown as WatchEvent<T>)));
  }

  #onNode({ type, object: node, old }: WatchEvent<Node>): void {
    if (type === 'DELETED') {
      this.#cache.removeNode(nameOf(node));
      return;
    }
    this.#cache.setNode(node);
    const changed =
      !old ||
      !equal(old.spec?.taints, node.spec?.taints) ||
      !equal(old.metadata?.labels, node.metadata?.labels) ||
      !equal(old.status?.allocatable, node.status?.allocatable) ||
      old.spec?.unschedulable !== node.spec?.unschedulable;
    if (changed) this.#queue.wake(NODE_PLUGINS);
  }

  #onPod({ type, object: pod, old }: WatchEvent<Pod>): void {
    const uid = uidOf(pod);
    if (type === 'DELETED') {
      this.#queue.remove(uid);
      this.#cache.removePod(uid);
      if (pod.spec?.nodeName) this.#queue.wake(POD_DELETE_PLUGINS);
      return;
    }
    if (pod.spec?.nodeName) {
      this.#queue.remove(uid);
      // Status changes that alter nothing the scheduler looks at keep what is there.
      const same = old?.spec === pod.spec && old?.metadata?.labels === pod.metadata?.labels;
      if (!(same && isDeleting(old ?? {}) === isDeleting(pod) && isPodFinished(old ?? {}) === isPodFinished(pod))) this.#cache.setPod(pod);
      if (isPodFinished(pod) && !isPodFinished(old ?? {})) this.#queue.wake(POD_DELETE_PLUGINS);
      else if (!old?.spec?.nodeName) this.#queue.wake(POD_ADD_PLUGINS);
      return;
    }
    const schedulable = !isPodFinished(pod) && pod.spec?.schedulerName === ACTOR && !pod.spec.schedulingGates?.length;
    if (!schedulable || this.#cache.isAssumed(uid)) return;
    const waits = this.#queue.has(uid);
    this.#queue.add(pod);
    if (waits && old && (!equal(old.spec, pod.spec) || !equal(old.metadata?.labels, pod.metadata?.labels))) this.#queue.wakePod(uid);
  }

  #onClaim({ type, object: claim }: WatchEvent<PersistentVolumeClaim>): void {
    if (type === 'DELETED') return;
    this.#queue.wake(
      ['VolumeBinding', 'VolumeRestrictions'],
      (pod) => namespaceOf(pod) === namespaceOf(claim) && claimNames(pod).some(({ name }) => name === nameOf(claim)),
    );
  }

  /** Takes the next Pod from the queue, one every couple of milliseconds. */
  #work(): void {
    if (this.#working || this.#stopped) return;
    this.#working = true;
    this.#kernel.timer(1, () => {
      this.#working = false;
      if (this.#stopped) return;
      const item = this.#queue.pop();
      if (!item) return;
      this.#scheduleOne(item);
      if (this.#queue.size > 0) this.#work();
    });
  }

  #scheduleOne(item: QueuedPod): void {
    const fresh = this.#client.informer<Pod>('v1/pods').get(namespaceOf(item.pod), nameOf(item.pod));
    if (!fresh || uidOf(fresh) !== uidOf(item.pod) || fresh.spec?.nodeName || this.#cache.isAssumed(uidOf(fresh))) return;
    item.pod = fresh;
    if (isDeleting(fresh)) {
      this.#event(fresh, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${namespaceOf(fresh)}/${nameOf(fresh)}`);
      return;
    }
    const nodes = this.#cache.nodes();
    if (nodes.length === 0) {
      this.#fail(item, 'no nodes available to schedule pods', new Set(['NoNodes']), '');
      return;
    }
    const cycle: Cycle = { pod: fresh, nodes, cache: this.#cache, client: this.#client, state: new Map(), trial: false };
    const placement = place(this.#plugins, cycle, this.#start);
    if ('error' in placement) this.#unschedulable(item, cycle, placement.error);
    else this.#assume(item, cycle, placement.node.name);
  }

  #unschedulable(item: QueuedPod, cycle: Cycle, error: FitError): void {
    const result = preempt(this.#plugins, cycle, error);
    const refusedBy = new Set([...error.byNode.values(), ...(error.preFilter ? [error.preFilter] : [])].map((one) => one.plugin));
    let nominate: string | undefined;
    if ('candidate' in result) {
      nominate = result.candidate.node;
      this.#evict(item.pod, result.candidate);
    } else {
      error.postFilter = result.message;
      if (result.clearNomination) nominate = '';
    }
    this.#fail(item, describeFitError(error), refusedBy, nominate);
  }

  /** Makes room: tells the victims why, then deletes them. */
  #evict(pod: Pod, { node, victims }: Candidate): void {
    const pods = this.#client.resource<Pod>('v1/pods');
    const because = cause(ACTOR, 'scheduler/preempt', refOf(pod, 'v1/pods'), { node });
    for (const victim of victims) {
      if (isDeleting(victim)) continue;
      ignoreNotFound(() => {
        this.#setCondition(victim, {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'PreemptionByScheduler',
          message: `${ACTOR}: preempting to accommodate a higher priority pod`,
        });
        pods.delete(namespaceOf(victim), nameOf(victim), { cause: because });
        this.#event(victim, 'Normal', 'Preempted', `Preempted by pod ${uidOf(pod)} on node ${node}`);
      });
    }
  }

  /** `nominate`: a node to wait for, '' to clear, undefined to leave as it is. */
  #fail(item: QueuedPod, message: string, refusedBy: Set<string>, nominate: string | undefined): void {
    const { pod } = item;
    this.#queue.park(item, refusedBy);
    this.#event(pod, 'Warning', 'FailedScheduling', message.length > 1024 ? `${message.slice(0, 1021)}...` : message);
    const reason = refusedBy.size > 0 ? 'Unschedulable' : 'SchedulerError';
    this.#setCondition(pod, { type: 'PodScheduled', status: 'False', reason, message }, nominate);
  }

  #setCondition(pod: Pod, condition: PodCondition | undefined, nominate?: string): void {
    const more: Record<string, unknown> = {};
    if (nominate !== undefined && (pod.status?.nominatedNodeName ?? '') !== nominate) more.nominatedNodeName = nominate === '' ? null : nominate;
    const because = cause(ACTOR, 'scheduler/status', refOf(pod, 'v1/pods'));
    ignoreNotFound(() => patchPodCondition(this.#client, pod, condition, this.#kernel.now(), because, more));
  }

  #assume(item: QueuedPod, cycle: Cycle, node: string): void {
    const { pod } = item;
    this.#cache.assume(pod, node);
    const volumes = volumesFor(cycle, node);
    for (const { volume, claim } of volumes?.bindings ?? []) this.#assumed.volumes.set(nameOf(volume), uidOf(claim));
    for (const claim of volumes?.provisions ?? []) this.#assumed.claims.set(keyFor(namespaceOf(claim), nameOf(claim)), node);
    const waitMs = drawMs(this.#random, DURATIONS.scheduleMs);
    const binding: BindingCycle = { item, node, volumes };
    if (!volumes || (volumes.bindings.length === 0 && volumes.provisions.length === 0)) {
      this.#kernel.timer(waitMs, () => this.#attemptBind(binding));
      return;
    }
    this.#kernel.timer(waitMs, () =>
      this.#attempt(binding, PRE_BIND, () => {
        // Since v1.35 a Pod that waits for its volumes says which node it waits for.
        this.#setCondition(pod, undefined, node);
        this.#bindVolumes(binding, volumes);
        this.#poll(binding, volumes, this.#kernel.now() + BIND_TIMEOUT_MS);
      }),
    );
  }

  /** A step of the binding cycle; what the server refuses is told in the name of the plugin at work. */
  #attempt(binding: BindingCycle, plugin: string, step: () => void): void {
    if (this.#stopped) return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'StatusError') throw error;
      this.#bindingFailed(binding, plugin, error.message);
    }
  }

  #attemptBind(binding: BindingCycle): void {
    this.#attempt(binding, 'Bind plugin "DefaultBinder"', () => this.#bind(binding));
  }

  /** bindAPIUpdate: static volumes are reserved, claims to be provisioned get their node. */
  #bindVolumes({ item, node }: BindingCycle, volumes: PodVolumes): void {
    const because = cause(ACTOR, 'scheduler/bind-volumes', refOf(item.pod, 'v1/pods'), { node });
    for (const { volume, claim } of volumes.bindings) {
      const next = boundToClaim(volume, claim);
      if (next) this.#client.resource<PersistentVolume>(VOLUMES).update(next, { cause: because });
    }
    for (const claim of volumes.provisions) {
      const next = clone(claim);
      next.metadata = { ...next.metadata, annotations: { ...next.metadata?.annotations, [SELECTED_NODE]: node } };
      this.#client.resource<PersistentVolumeClaim>(CLAIMS).update(next, { cause: because });
    }
  }

  #poll(binding: BindingCycle, volumes: PodVolumes, deadlineMs: number): void {
    this.#kernel.timer(POLL_MS, () =>
      this.#attempt(binding, PRE_BIND, () => {
        const verdict = this.#checkVolumes(binding, volumes);
        if (verdict === 'bound') this.#attemptBind(binding);
        else if (verdict !== 'waiting') this.#bindingFailed(binding, PRE_BIND, `binding volumes: ${verdict}`);
        else if (this.#kernel.now() >= deadlineMs) this.#bindingFailed(binding, PRE_BIND, 'binding volumes: context deadline exceeded');
        else this.#poll(binding, volumes, deadlineMs);
      }),
    );
  }

  /** checkBindings: 'bound', 'waiting', or what went wrong. */
  #checkVolumes({ item, node }: BindingCycle, volumes: PodVolumes): string {
    const claims = this.#client.informer<PersistentVolumeClaim>(CLAIMS);
    const known = this.#client.informer<PersistentVolume>(VOLUMES);
    const target = this.#cache.node(node);
    if (!target) return `failed to get node "${node}": node "${node}" not found`;
    const pod = this.#client.informer<Pod>('v1/pods').get(namespaceOf(item.pod), nameOf(item.pod));
    if (!pod || uidOf(pod) !== uidOf(item.pod)) return `pod does not exist any more: pod "${nameOf(item.pod)}" not found`;
    for (const { volume, claim } of volumes.bindings) {
      const nowVolume = known.get('', nameOf(volume));
      const nowClaim = claims.get(namespaceOf(claim), nameOf(claim));
      if (!nowVolume || !nowClaim) return `failed to check binding: could not find ${nowVolume ? 'claim' : 'volume'}`;
      if (!nowVolume.spec?.claimRef?.uid) return `ClaimRef got reset for pv "${nameOf(volume)}"`;
      if (!isFullyBound(nowClaim)) return 'waiting';
    }
    for (const claim of volumes.provisions) {
      const nowClaim = claims.get(namespaceOf(claim), nameOf(claim));
      if (!nowClaim) return `failed to check provisioning pvc: could not find v1.PersistentVolumeClaim "${keyFor(namespaceOf(claim), nameOf(claim))}"`;
      const selected = nowClaim.metadata?.annotations?.[SELECTED_NODE];
      if (!nowClaim.metadata?.annotations) return `selectedNode annotation reset for PVC "${nameOf(claim)}"`;
      if (selected !== node) return `provisioning failed for PVC "${nameOf(claim)}"`;
      const volume = nowClaim.spec?.volumeName ? known.get('', nowClaim.spec.volumeName) : undefined;
      if (volume && !nodeFits(volume, target.node)) return `pv "${nameOf(volume)}" node affinity doesn't match node "${node}": no matching NodeSelectorTerms`;
      if (!isFullyBound(nowClaim)) return 'waiting';
    }
    return 'bound';
  }

  #release({ volumes }: BindingCycle): void {
    for (const { volume } of volumes?.bindings ?? []) this.#assumed.volumes.delete(nameOf(volume));
    for (const claim of volumes?.provisions ?? []) this.#assumed.claims.delete(keyFor(namespaceOf(claim), nameOf(claim)));
  }

  #bind(binding: BindingCycle): void {
    const { item, node } = binding;
    const { pod } = item;
    const object: Binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) },
      target: { kind: 'Node', name: node },
    };
    this.#client.resource<Binding>('v1/pods/binding').create(object, { cause: cause(ACTOR, 'scheduler/bind', refOf(pod, 'v1/pods'), { node }) });
    this.#release(binding);
    this.#event(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespaceOf(pod)}/${nameOf(pod)} to ${node}`);
  }

  #bindingFailed(binding: BindingCycle, plugin: string, message: string): void {
    const { item } = binding;
    this.#release(binding);
    this.#cache.forget(uidOf(item.pod));
    const fresh = this.#client.informer<Pod>('v1/pods').get(namespaceOf(item.pod), nameOf(item.pod));
    this.#queue.wake(POD_DELETE_PLUGINS);
    if (!fresh || uidOf(fresh) !== uidOf(item.pod) || fresh.spec?.nodeName) return;
    item.pod = fresh;
    this.#fail(item, `running ${plugin}: ${message}`, new Set(), '');
  }

  #event(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#client.event({
      regarding: regarding(pod, POD),
      type,
      reason,
      message,
      component: ACTOR,
      cause: cause(ACTOR, 'scheduler/event', refOf(pod, 'v1/pods')),
    });
  }

  dispose(): void {
    this.#stopped = true;
    this.#owned.dispose();
  }
}

/** A Pod on its way to its node. */
interface BindingCycle {
  item: QueuedPod;
  node: string;
  volumes: PodVolumes | undefined;
}
