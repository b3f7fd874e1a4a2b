import { type Disposable, DisposableStore, type Kernel } from '../../../kernel/index.ts';
import { testKernel } from '../../../kernel/testing/index.ts';
import { createApiServer } from '../../apiserver/index.ts';
import { loadSchema } from '../../apiserver/schema.ts';
import type { Cause } from '../../cause.ts';
import type { ApiObject, Client, ResourceId, WatchEvent } from '../../client/types.ts';
import type { WriteRecord } from '../../cluster.ts';
import { admissionPlugins, strategies } from '../../kinds/index.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../kinds/types.ts';
import { startScheduler } from '../../scheduler/index.ts';
import { startControllers } from '../index.ts';
import { nameOf, namespaceOf, timeOf, uidOf } from '../object.ts';

await loadSchema();

const TEST: Cause = { actor: 'test', rule: 'test' };

/** What a Pod does on its node: 'ready' (after `startMs`), 'unready' (runs, never ready), 'failing' (ends with phase Failed), 'succeeding'. */
export type Behaviour = 'ready' | 'unready' | 'failing' | 'succeeding';

/**
 * The real API server, controllers and scheduler with the smallest of kubelets: it makes Pods run, ends them when they are
 * deleted and provisions local-path claims. For tests of the control loops alone.
 */
export class Harness implements Disposable {
  readonly kernel: Kernel;
  readonly client: Client;
  readonly writes: WriteRecord[] = [];
  /** Calls back at every write. */
  readonly onWrite: (listener: (write: WriteRecord) => void) => void;
  /** Virtual ms from binding to running and ready. */
  startMs = 500;
  /** Virtual ms from deletion to gone. */
  stopMs = 300;
  behaviourOf: (pod: Pod) => Behaviour = () => 'ready';
  readonly #owned = new DisposableStore();
  readonly #silent = new Set<string>();

  constructor(options: { seed?: string; nodes?: readonly string[]; controllers?: boolean } = {}) {
    this.kernel = testKernel(options.seed ?? 'controllers');
    const server = createApiServer({ kernel: this.kernel, strategies, admission: admissionPlugins });
    this.client = server.client;
    for (const name of ['default', 'kube-system', 'kube-node-lease']) this.create('v1/namespaces', { kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
    this.#owned.add(server.onWrite((write) => this.writes.push(write)));
    this.onWrite = (listener) => {
      this.#owned.add(server.onWrite(listener));
    };
    this.#owned.add(startControllers({ kernel: this.kernel, client: this.client }));
    this.#owned.add(startScheduler({ kernel: this.kernel, client: this.client }));
    this.#owned.add(this.client.informer<Pod>('v1/pods').onEvent((event) => this.#onPod(event)));
    this.#owned.add(this.client.informer<PersistentVolumeClaim>('v1/persistentvolumeclaims').onEvent((event) => this.#onClaim(event)));
    this.#owned.add(this.client.informer<PersistentVolume>('v1/persistentvolumes').onEvent((event) => this.#onVolume(event)));
    for (const node of options.nodes ?? ['node-a', 'node-b', 'node-c']) this.addNode(node);
    this.create('storage.k8s.io/v1/storageclasses', {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'local-path', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'rancher.io/local-path',
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
    } as ApiObject);
  }

  addNode(name: string, allocatable: Record<string, string> = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' }): void {
    this.create<Node>('v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } });
    this.#postNodeStatus(name, allocatable);
    const renew = (): void => {
      this.kernel.timer(10_000, () => {
        if (!this.#silent.has(name) && this.client.resource<Node>('v1/nodes').get('', name)) this.#postNodeStatus(name, allocatable);
        renew();
      });
    };
    renew();
  }

  /** The node's kubelet falls silent: no heartbeats, no Pod changes. */
  silence(name: string, silent = true): void {
    if (silent) this.#silent.add(name);
    else this.#silent.delete(name);
    if (silent) return;
    for (const pod of this.list<Pod>('v1/pods')) if (pod.spec?.nodeName === name) this.#onPod({ type: 'MODIFIED', object: pod });
  }

  #postNodeStatus(name: string, allocatable: Record<string, string>): void {
    const now = timeOf(this.kernel.now());
    const condition = (type: string, status: string): object => ({
      type,
      status,
      lastHeartbeatTime: now,
      lastTransitionTime: now,
      reason: 'Test',
      message: 'test',
    });
    const conditions = [
      condition('MemoryPressure', 'False'),
      condition('DiskPressure', 'False'),
      condition('PIDPressure', 'False'),
      condition('Ready', 'True'),
    ];
    this.client
      .resource<Node>('v1/nodes')
      .patch('', name, { status: { allocatable, capacity: allocatable, conditions } }, { cause: TEST, subresource: 'status' });
  }

  #status(pod: Pod, status: object): void {
    const known = this.client.resource<Pod>('v1/pods').get(namespaceOf(pod), nameOf(pod));
    if (!known || uidOf(known) !== uidOf(pod) || this.#silent.has(pod.spec?.nodeName ?? '')) return;
    this.client.resource<Pod>('v1/pods').patch(namespaceOf(pod), nameOf(pod), { status }, { cause: TEST, subresource: 'status' });
  }

  #conditions(pod: Pod, ready: boolean): object[] {
    const now = timeOf(this.kernel.now());
    const scheduled = (pod.status?.conditions ?? []).filter((one) => one.type === 'PodScheduled');
    return [...scheduled, { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now }];
  }

  readonly #started = new Set<string>();
  readonly #stopping = new Set<string>();
  #ip = 1;

  #onPod({ type, object: pod }: WatchEvent<Pod>): void {
    const node = pod.spec?.nodeName;
    if (type === 'DELETED' || !node || this.#silent.has(node)) return;
    const uid = uidOf(pod);
    if (pod.metadata?.deletionTimestamp) {
      if (this.#stopping.has(uid)) return;
      this.#stopping.add(uid);
      this.kernel.timer(this.stopMs, () => {
        this.#stopping.delete(uid);
        const known = this.client.resource<Pod>('v1/pods').get(namespaceOf(pod), nameOf(pod));
        if (!known || uidOf(known) !== uid || this.#silent.has(node)) return;
        this.client.resource<Pod>('v1/pods').delete(namespaceOf(pod), nameOf(pod), { cause: TEST, gracePeriodSeconds: 0, preconditions: { uid } });
      });
      return;
    }
    if (this.#started.has(uid)) return;
    this.#started.add(uid);
    this.kernel.timer(this.startMs, () => {
      // A kubelet that fell silent meanwhile starts the Pod when it is back.
      if (this.#silent.has(node)) {
        this.#started.delete(uid);
        return;
      }
      const known = this.client.resource<Pod>('v1/pods').get(namespaceOf(pod), nameOf(pod));
      if (!known || uidOf(known) !== uid || known.metadata?.deletionTimestamp) return;
      const behaviour = this.behaviourOf(known);
      const podIP = `10.0.${(this.#ip >> 8) & 255}.${this.#ip++ & 255}`;
      const running = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], startTime: timeOf(this.kernel.now()) };
      if (behaviour === 'failing' || behaviour === 'succeeding') {
        this.#status(known, {
          phase: behaviour === 'failing' ? 'Failed' : 'Succeeded',
          podIP,
          conditions: this.#conditions(known, false),
          ...this.#exit(known, behaviour === 'failing' ? 1 : 0),
        });
      } else this.#status(known, { ...running, conditions: this.#conditions(known, behaviour === 'ready') });
    });
  }

  #exit(pod: Pod, exitCode: number): object {
    const at = timeOf(this.kernel.now());
    const state = { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: at, finishedAt: at } };
    return {
      containerStatuses: (pod.spec?.containers ?? []).map((container) => ({
        name: container.name,
        image: container.image,
        imageID: '',
        ready: false,
        restartCount: 0,
        state,
      })),
    };
  }

  /** Makes a running Pod ready or not. */
  setReady(name: string, ready: boolean): void {
    const pod = this.get<Pod>('v1/pods', name);
    if (pod) this.#status(pod, { conditions: this.#conditions(pod, ready) });
  }

  /** Ends a Pod with a phase. */
  finish(name: string, phase: 'Failed' | 'Succeeded'): void {
    const pod = this.get<Pod>('v1/pods', name);
    if (pod) this.#status(pod, { phase, conditions: this.#conditions(pod, false) });
  }

  #onClaim({ type, object: claim }: WatchEvent<PersistentVolumeClaim>): void {
    const annotations = claim.metadata?.annotations ?? {};
    const node = annotations['volume.kubernetes.io/selected-node'];
    if (type === 'DELETED' || !node || claim.spec?.volumeName || annotations['volume.kubernetes.io/storage-provisioner'] !== 'rancher.io/local-path') return;
    this.kernel.timer(1500, () => {
      const name = `pvc-${uidOf(claim)}`;
      if (this.client.resource('v1/persistentvolumes').get('', name)) return;
      this.create<PersistentVolume>('v1/persistentvolumes', {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': 'rancher.io/local-path' } },
        spec: {
          accessModes: ['ReadWriteOnce'],
          capacity: { storage: claim.spec?.resources?.requests?.storage ?? '1Gi' },
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: namespaceOf(claim), name: nameOf(claim), uid: uidOf(claim) },
          hostPath: { path: `/data/${name}`, type: 'DirectoryOrCreate' },
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }] } },
          persistentVolumeReclaimPolicy: 'Delete',
          storageClassName: 'local-path',
          volumeMode: 'Filesystem',
        },
      });
    });
  }

  #onVolume({ type, object: volume }: WatchEvent<PersistentVolume>): void {
    if (type === 'DELETED' || volume.status?.phase !== 'Released' || volume.metadata?.deletionTimestamp) return;
    if (volume.spec?.persistentVolumeReclaimPolicy !== 'Delete' || !volume.metadata?.annotations?.['pv.kubernetes.io/provisioned-by']) return;
    this.kernel.timer(1000, () => {
      if (this.client.resource('v1/persistentvolumes').get('', nameOf(volume))) this.delete('v1/persistentvolumes', nameOf(volume), '');
    });
  }

  create<T extends ApiObject>(resource: ResourceId, object: T): T {
    return this.client.resource<T>(resource).create(object, { cause: TEST });
  }

  get<T extends ApiObject>(resource: ResourceId, name: string, namespace = 'default'): T | undefined {
    return this.client.resource<T>(resource).get(namespace, name);
  }

  list<T extends ApiObject>(resource: ResourceId, namespace = 'default'): readonly T[] {
    return this.client.resource<T>(resource).list(namespace);
  }

  /** Names, sorted. */
  names(resource: ResourceId, namespace = 'default'): string[] {
    return this.list(resource, namespace).map(nameOf).sort();
  }

  patch(resource: ResourceId, name: string, body: unknown, namespace = 'default'): void {
    this.client.resource(resource).patch(namespace, name, body, { cause: TEST });
  }

  delete(
    resource: ResourceId,
    name: string,
    namespace = 'default',
    options: { gracePeriodSeconds?: number; propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' } = {},
  ): void {
    this.client.resource(resource).delete(namespace, name, { cause: TEST, ...options });
  }

  async run(ms: number): Promise<void> {
    await this.kernel.advance({ untilMs: this.kernel.now() + ms });
  }

  /** Runs until `condition` holds; fails after `limitMs` of virtual time. */
  async until(condition: () => boolean, limitMs = 120_000): Promise<void> {
    const done = await this.kernel.advance({ untilMs: this.kernel.now() + limitMs, until: condition });
    if (!done) throw new Error(`not reached within ${limitMs} ms of virtual time: ${condition}`);
  }

  /** Messages of the Events about an object, oldest first. */
  events(kind: string, name: string, namespace = 'default'): string[] {
    interface Event extends ApiObject {
      involvedObject?: { kind?: string; name?: string };
      reason?: string;
      message?: string;
    }
    return this.list<Event>('v1/events', namespace)
      .filter((event) => event.involvedObject?.kind === kind && event.involvedObject.name === name)
      .map((event) => `${event.reason}: ${event.message}`);
  }

  dispose(): void {
    this.#owned.dispose();
  }
}
