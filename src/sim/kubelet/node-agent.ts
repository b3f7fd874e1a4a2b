import type { Disposable } from '../../kernel/index.ts';
import type { Cause } from '../cause.ts';
import { DURATIONS } from '../durations.ts';
import { semanticEqual } from '../kinds/equal.ts';
import type { ContainerImage, CSINode, Lease, Node, NodeCondition, NodeStatus } from '../kinds/types.ts';
import type { Kubelet } from './kubelet.ts';
import { rfc3339, rfc3339Micro } from './time-format.ts';

/** Size of a machine of the presets. */
export const NODE_CAPACITY = { cpu: '4', memory: '8131720Ki', pods: '110', ephemeralStorage: '61202244Ki' } as const;
/** What is left for Pods: 100 MiB of memory and a tenth of the disk are kept for eviction thresholds. */
const NODE_ALLOCATABLE = { memory: '8029320Ki', ephemeralStorage: '56403987978' } as const;
/** How often a changed status is looked for (nodeStatusUpdateFrequency). */
const STATUS_PERIOD_MS = 10_000;
const LEASE_SECONDS = 40;

/** Registers a node and keeps its lease and status fresh (models `kubelet_node_status.go`, `nodestatus/setters.go`, `nodelease`). */
export class NodeAgent implements Disposable {
  readonly #kubelet: Kubelet;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #bootId: string;
  readonly #machineId: string;
  #lastReportMs = 0;
  #lastSeen = '';
  #lease: Disposable | undefined;
  #status: Disposable | undefined;
  /** Set after the kubelet stood still: it takes its runtime for dead until it has asked it again. */
  #runtimeUnknown = false;

  constructor(kubelet: Kubelet, labels: Readonly<Record<string, string>>, ids: { bootId: string; machineId: string }) {
    this.#kubelet = kubelet;
    this.#labels = labels;
    this.#bootId = ids.bootId;
    this.#machineId = ids.machineId;
  }

  /** Creates the Node object unless it exists, and starts the heartbeats. `rebooted`: the machine had been running before. */
  start(rebooted = false): void {
    this.#nodeEvent('Normal', 'Starting', 'Starting kubelet.');
    this.#register();
    const { nodeName } = this.#kubelet;
    for (const reason of ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID']) {
      this.#nodeEvent('Normal', reason, `Node ${nodeName} status is now: ${reason}`);
    }
    this.#nodeEvent('Normal', 'NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
    if (rebooted) this.#nodeEvent('Warning', 'Rebooted', `Node ${nodeName} has been rebooted, boot id: ${this.#bootId}`);
    this.#renew();
    this.#renewLoop();
    this.#statusLoop();
  }

  dispose(): void {
    this.#lease?.dispose();
    this.#status?.dispose();
  }

  /** The kubelet goes on after having stood still. */
  resumed(): void {
    this.#runtimeUnknown = true;
    this.dispose();
    this.#renew();
    this.#report(true);
    this.#renewLoop();
    this.#statusLoop();
    this.#kubelet.kernel.timer(STATUS_PERIOD_MS / 2, () => {
      this.#runtimeUnknown = false;
    });
  }

  #register(): void {
    const { client, nodeName } = this.#kubelet;
    const nodes = client.resource<Node>('v1/nodes');
    if (nodes.get('', nodeName)) {
      this.#report(true);
      return;
    }
    nodes.create(
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: nodeName,
          annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
          labels: {
            'beta.kubernetes.io/arch': 'amd64',
            'beta.kubernetes.io/os': 'linux',
            'kubernetes.io/arch': 'amd64',
            'kubernetes.io/hostname': nodeName,
            'kubernetes.io/os': 'linux',
            ...this.#labels,
          },
        },
        spec: {},
        status: this.#buildStatus(undefined),
      },
      { cause: this.#cause('kubelet/register-node') },
    );
    this.#lastReportMs = this.#kubelet.kernel.now();
    this.#createCsiNode();
  }

  /** Every kubelet registers a CSINode, without drivers here. */
  #createCsiNode(): void {
    const { client, nodeName } = this.#kubelet;
    const nodes = client.resource<CSINode>('storage.k8s.io/v1/csinodes');
    if (nodes.get('', nodeName)) return;
    const uid = client.resource<Node>('v1/nodes').get('', nodeName)?.metadata?.uid;
    const plugins = ['aws-ebs', 'azure-disk', 'azure-file', 'cinder', 'gce-pd', 'portworx-volume', 'vsphere-volume'].map((name) => `kubernetes.io/${name}`);
    nodes.create(
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSINode',
        metadata: {
          name: nodeName,
          annotations: { 'storage.alpha.kubernetes.io/migrated-plugins': plugins.join(',') },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: uid ?? '' }],
        },
        spec: { drivers: [] },
      },
      { cause: this.#cause('kubelet/register-node') },
    );
  }

  #renewLoop(): void {
    this.#lease = this.#kubelet.kernel.timer(DURATIONS.leaseRenewMs, () => {
      if (this.#kubelet.online) this.#renew();
      this.#renewLoop();
    });
  }

  #renew(): void {
    const { client, nodeName, kernel } = this.#kubelet;
    if (!this.#kubelet.online) return;
    const leases = client.resource<Lease>('coordination.k8s.io/v1/leases');
    const cause = this.#cause('kubelet/renew-lease');
    const renewTime = rfc3339Micro(kernel.now());
    const lease = leases.get('kube-node-lease', nodeName);
    if (lease) {
      leases.update({ ...lease, spec: { ...lease.spec, renewTime } }, { cause });
      return;
    }
    const uid = client.resource<Node>('v1/nodes').get('', nodeName)?.metadata?.uid;
    if (!uid) return;
    leases.create(
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: nodeName, namespace: 'kube-node-lease', ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }] },
        spec: { holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime },
      },
      { cause },
    );
  }

  #statusLoop(): void {
    const period = STATUS_PERIOD_MS;
    this.#status = this.#kubelet.kernel.timer(period, () => {
      // A Node that was deleted stays deleted until the kubelet starts again.
      if (this.#kubelet.online) this.#report(false);
      this.#statusLoop();
    });
  }

  /** Writes the status when it changed, when others changed it, or every five minutes. */
  #report(force: boolean): void {
    const { client, nodeName, kernel } = this.#kubelet;
    if (!this.#kubelet.online) return;
    const nodes = client.resource<Node>('v1/nodes');
    const node = nodes.get('', nodeName);
    if (!node) return;
    // Nothing of ours and nothing of others changed: there is nothing to compare.
    const seen = `${node.metadata?.resourceVersion} ${this.#kubelet.images.count} ${this.#runtimeUnknown} ${this.#kubelet.diskPressure?.active}`;
    if (!force && seen === this.#lastSeen && kernel.now() - this.#lastReportMs < DURATIONS.nodeStatusReportMs) return;
    this.#lastSeen = seen;
    const status = this.#buildStatus(node.status);
    const isDue = force || kernel.now() - this.#lastReportMs >= DURATIONS.nodeStatusReportMs;
    if (!isDue && semanticEqual(withoutHeartbeats(node.status), withoutHeartbeats(status))) return;
    const conditionOf = (of: NodeStatus | undefined, type: string): string | undefined => of?.conditions?.find((entry) => entry.type === type)?.status;
    const before = conditionOf(node.status, 'Ready');
    const after = conditionOf(status, 'Ready');
    const pressure = conditionOf(status, 'DiskPressure');
    const { resourceVersion: _stale, ...metadata } = node.metadata ?? {};
    nodes.updateStatus({ ...node, metadata, status }, { cause: this.#cause('kubelet/node-status') });
    this.#lastReportMs = kernel.now();
    if (conditionOf(node.status, 'DiskPressure') !== pressure) {
      const said = pressure === 'True' ? 'NodeHasDiskPressure' : 'NodeHasNoDiskPressure';
      this.#nodeEvent('Normal', said, `Node ${nodeName} status is now: ${said}`);
    }
    if (before === after) return;
    const reason = after === 'True' ? 'NodeReady' : 'NodeNotReady';
    this.#nodeEvent('Normal', reason, `Node ${nodeName} status is now: ${reason}`);
  }

  #nodeEvent(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { client, nodeName } = this.#kubelet;
    client.event({
      regarding: { apiVersion: 'v1', kind: 'Node', namespace: '', name: nodeName, uid: nodeName },
      type,
      reason,
      message,
      component: 'kubelet',
      host: nodeName,
      cause: this.#cause(`kubelet/event-${reason}`),
    });
  }

  #buildStatus(old: NodeStatus | undefined): NodeStatus {
    const { nodeName, nodeIp, kernel } = this.#kubelet;
    const now = rfc3339(kernel.now());
    const ready = !this.#runtimeUnknown;
    const conditions: NodeCondition[] = [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      this.#kubelet.diskPressure?.active
        ? condition('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
        : condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      ready
        ? condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
        : condition('Ready', 'False', 'KubeletNotReady', 'container runtime is down'),
    ];
    for (const entry of conditions) {
      const before = old?.conditions?.find((candidate) => candidate.type === entry.type);
      entry.lastHeartbeatTime = now;
      entry.lastTransitionTime = before && before.status === entry.status ? before.lastTransitionTime : now;
    }
    const resources = {
      cpu: NODE_CAPACITY.cpu,
      'ephemeral-storage': NODE_CAPACITY.ephemeralStorage,
      'hugepages-1Gi': '0',
      'hugepages-2Mi': '0',
      memory: NODE_CAPACITY.memory,
      pods: NODE_CAPACITY.pods,
    };
    // Extended resources are whatever others wrote into the capacity.
    const capacity = { ...old?.capacity, ...resources };
    const allocatable = { ...capacity, 'ephemeral-storage': NODE_ALLOCATABLE.ephemeralStorage, memory: NODE_ALLOCATABLE.memory };
    const status: NodeStatus = {
      addresses: [
        { address: nodeIp, type: 'InternalIP' },
        { address: nodeName, type: 'Hostname' },
      ],
      allocatable,
      capacity,
      conditions: [...conditions, ...(old?.conditions ?? []).filter((entry) => !conditions.some((own) => own.type === entry.type))],
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      features: { supplementalGroupsPolicy: true },
      images: this.#images(),
      nodeInfo: {
        architecture: 'amd64',
        bootID: this.#bootId,
        containerRuntimeVersion: 'containerd://2.2.1+unknown',
        kernelVersion: '6.12.43-generic',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.36.3',
        machineID: this.#machineId,
        operatingSystem: 'linux',
        osImage: 'Debian GNU/Linux 12 (bookworm)',
        swap: { capacity: 0 },
        systemUUID: this.#machineId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      },
      runtimeHandlers: [
        { features: { recursiveReadOnlyMounts: true, userNamespaces: true }, name: '' },
        { features: { recursiveReadOnlyMounts: true, userNamespaces: true }, name: 'runc' },
      ],
    };
    for (const field of ['volumesInUse', 'volumesAttached'] as const) if (old?.[field]) Object.assign(status, { [field]: old[field] });
    return status;
  }

  #images(): ContainerImage[] {
    return [...this.#kubelet.images.list()]
      .sort((a, b) => b.definition.sizeBytes - a.definition.sizeBytes)
      .slice(0, 50)
      .map((image) => ({ names: [image.digestReference, image.reference], sizeBytes: image.definition.sizeBytes }));
  }

  #cause(rule: string): Cause {
    const { nodeName } = this.#kubelet;
    return { actor: `kubelet/${nodeName}`, rule, because: { resource: 'v1/nodes', namespace: '', name: nodeName } };
  }
}

function condition(type: string, status: string, reason: string, message: string): NodeCondition {
  return { type, status, reason, message };
}

function withoutHeartbeats(status: NodeStatus | undefined): NodeStatus {
  return { ...status, conditions: (status?.conditions ?? []).map(({ lastHeartbeatTime: _beat, ...rest }) => rest) };
}
