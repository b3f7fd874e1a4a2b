import { type Disposable, DisposableStore, type Kernel, randomUid } from '../../kernel/index.ts';
import { isStatusError } from '../apiserver/status-error.ts';
import type { Cause } from '../cause.ts';
import type { Client } from '../client/types.ts';
import { quantityValue } from '../kinds/quantity.ts';
import type { ConfigMap, Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../kinds/types.ts';

const PROVISIONER = 'rancher.io/local-path';
const NAMESPACE = 'kube-system';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const STORAGE_PROVISIONER = ['volume.kubernetes.io/storage-provisioner', 'volume.beta.kubernetes.io/storage-provisioner'];
const DEFAULT_PATH = '/var/lib/rancher/k3s/storage';
/** The helper Pod is looked at every second, at most this often (cmdTimeoutSeconds). */
const HELPER_POLLS = 120;
/** From the event of the claim to the provisioner's reaction. */
const REACTION_MS = 25;
/** First wait before a failed claim is tried again; doubled each time (the library's rate limiter). */
const FIRST_RETRY_MS = 15_000;

/** A claim that cannot be provisioned; the text is the event's. */
class ProvisionError extends Error {}

/**
 * local-path-provisioner 0.0.37: makes a directory on the claim's node with a helper Pod, and the PersistentVolume for it; removes
 * both when the claim is gone (models rancher/local-path-provisioner over sig-storage-lib-external-provisioner). It works while
 * its Deployment's Pod is running, as the process in that Pod.
 */
export class LocalPathProvisioner implements Disposable {
  readonly #kernel: Kernel;
  readonly #client: Client;
  readonly #store = new DisposableStore();
  readonly #busy = new Set<string>();
  readonly #retries = new Map<string, number>();
  /** The id it takes when it starts for the first time, as on the reference cluster. */
  #nextId: string | undefined = 'a0243ea1-ea86-4f5c-83b1-2d6829dd09d3';
  /** The Pod it runs in and the identity it took when that started. */
  #identity: { podUid: string; name: string } | undefined;

  constructor(kernel: Kernel, client: Client) {
    this.#kernel = kernel;
    this.#client = client;
    const claims = client.informer<PersistentVolumeClaim>('v1/persistentvolumeclaims');
    const volumes = client.informer<PersistentVolume>('v1/persistentvolumes');
    this.#store.add(
      claims.onEvent((event) => {
        if (event.type !== 'DELETED') this.#later(REACTION_MS, () => this.#claimChanged(event.object));
      }),
    );
    this.#store.add(
      volumes.onEvent((event) => {
        if (event.type !== 'DELETED') this.#later(REACTION_MS, () => this.#volumeChanged(event.object));
      }),
    );
    this.#store.add(
      client.informer<Pod>('v1/pods').onEvent((event) => {
        if (event.object.metadata?.namespace === NAMESPACE && event.object.metadata.labels?.app === 'local-path-provisioner')
          this.#later(0, () => this.#podChanged());
      }),
    );
    // Its Pod has been running for long when the first claim brings this code.
    this.#later(0, () => this.#podChanged());
  }

  dispose(): void {
    this.#store.dispose();
  }

  #later(ms: number, job: () => void): void {
    this.#kernel.timer(ms, job);
  }

  /** Follows its own Pod; a new one takes up everything that waits. */
  #podChanged(): void {
    const pod = this.#client
      .informer<Pod>('v1/pods')
      .list(NAMESPACE)
      .find((candidate) => candidate.metadata?.labels?.app === 'local-path-provisioner' && candidate.status?.containerStatuses?.[0]?.state?.running);
    if (!pod) {
      this.#identity = undefined;
      return;
    }
    const podUid = `${pod.metadata?.uid}/${pod.status?.containerStatuses?.[0]?.containerID}`;
    if (this.#identity?.podUid === podUid) return;
    this.#identity = { podUid, name: `${PROVISIONER}_${pod.metadata?.name}_${this.#nextId ?? randomUid(this.#kernel.random)}` };
    this.#nextId = undefined;
    for (const claim of this.#client.informer<PersistentVolumeClaim>('v1/persistentvolumeclaims').list()) this.#claimChanged(claim);
    for (const volume of this.#client.informer<PersistentVolume>('v1/persistentvolumes').list()) this.#volumeChanged(volume);
  }

  #claimChanged(seen: PersistentVolumeClaim): void {
    const claim = this.#client.resource<PersistentVolumeClaim>('v1/persistentvolumeclaims').get(seen.metadata?.namespace ?? '', seen.metadata?.name ?? '');
    const uid = claim?.metadata?.uid ?? '';
    if (!this.#identity || !claim || this.#busy.has(uid) || claim.spec?.volumeName || claim.metadata?.deletionTimestamp) return;
    if (!STORAGE_PROVISIONER.some((annotation) => claim.metadata?.annotations?.[annotation] === PROVISIONER)) return;
    const storageClass = this.#client.resource<StorageClass>('storage.k8s.io/v1/storageclasses').get('', claim.spec?.storageClassName ?? '');
    if (!storageClass || storageClass.provisioner !== PROVISIONER) return;
    const node = claim.metadata?.annotations?.[SELECTED_NODE];
    if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && !node) return;
    if (this.#client.resource<PersistentVolume>('v1/persistentvolumes').get('', `pvc-${uid}`)) return;
    this.#busy.add(uid);
    void this.#provision(claim, storageClass, node).then((again) => {
      this.#busy.delete(uid);
      if (!again) {
        this.#retries.delete(uid);
        return;
      }
      const tries = this.#retries.get(uid) ?? 0;
      this.#retries.set(uid, tries + 1);
      this.#later(FIRST_RETRY_MS * 2 ** Math.min(tries, 6), () => this.#claimChanged(claim));
    });
  }

  /** True when it has to be tried again. */
  async #provision(claim: PersistentVolumeClaim, storageClass: StorageClass, node: string | undefined): Promise<boolean> {
    const { namespace = '', name = '', uid = '' } = claim.metadata ?? {};
    const cause = this.#cause('local-path/provision', claim);
    const event = (type: 'Normal' | 'Warning', reason: string, message: string): void => this.#event(claim, type, reason, message, cause);
    event('Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${namespace}/${name}"`);
    try {
      if (claim.spec?.selector) throw new ProvisionError('claim.Spec.Selector is not supported');
      for (const mode of claim.spec?.accessModes ?? []) {
        if (mode !== 'ReadWriteOnce' && mode !== 'ReadWriteOncePod') {
          throw new ProvisionError('NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes');
        }
      }
      const target = node === undefined ? undefined : this.#client.resource<Node>('v1/nodes').get('', node);
      if (!target) throw new ProvisionError('configuration error, no node was specified');
      const path = `${this.#storagePath(target)}/pvc-${uid}_${namespace}_${name}`;
      await this.#runHelper('create', `pvc-${uid}`, path, target, quantityValue(claim.spec?.resources?.requests?.storage), cause);
      const hostname = target.metadata?.labels?.['kubernetes.io/hostname'] ?? target.metadata?.name ?? '';
      this.#client.resource<PersistentVolume>('v1/persistentvolumes').create(
        {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: {
            name: `pvc-${uid}`,
            annotations: { 'local.path.provisioner/selected-node': target.metadata?.name ?? '', 'pv.kubernetes.io/provisioned-by': PROVISIONER },
          },
          spec: {
            accessModes: claim.spec?.accessModes ?? [],
            capacity: { storage: claim.spec?.resources?.requests?.storage ?? '0' },
            claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, resourceVersion: claim.metadata?.resourceVersion, uid },
            hostPath: { path, type: 'DirectoryOrCreate' },
            nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [hostname] }] }] } },
            persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
            storageClassName: storageClass.metadata?.name,
            volumeMode: claim.spec?.volumeMode ?? 'Filesystem',
            ...(storageClass.mountOptions ? { mountOptions: storageClass.mountOptions } : {}),
          },
        },
        { cause, fieldManager: 'local-path-provisioner' },
      );
      event('Normal', 'ProvisioningSucceeded', `Successfully provisioned volume pvc-${uid}`);
      return false;
    } catch (error) {
      if (!(error instanceof ProvisionError) && !isStatusError(error)) {
        this.#kernel.onError(error);
        return false;
      }
      event('Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass "${storageClass.metadata?.name}": ${error.message}`);
      return this.#client.resource<PersistentVolumeClaim>('v1/persistentvolumeclaims').get(namespace, name)?.metadata?.uid === uid;
    }
  }

  #volumeChanged(seen: PersistentVolume): void {
    const volume = this.#client.resource<PersistentVolume>('v1/persistentvolumes').get('', seen.metadata?.name ?? '');
    const uid = volume?.metadata?.uid ?? '';
    if (!this.#identity || !volume || this.#busy.has(uid) || volume.metadata?.deletionTimestamp) return;
    if (volume.metadata?.annotations?.['pv.kubernetes.io/provisioned-by'] !== PROVISIONER) return;
    if (volume.status?.phase !== 'Released' || volume.spec?.persistentVolumeReclaimPolicy !== 'Delete') return;
    this.#busy.add(uid);
    void this.#delete(volume).then((again) => {
      this.#busy.delete(uid);
      if (again) this.#later(FIRST_RETRY_MS, () => this.#volumeChanged(volume));
    });
  }

  async #delete(volume: PersistentVolume): Promise<boolean> {
    const name = volume.metadata?.name ?? '';
    const cause: Cause = { actor: 'local-path-provisioner', rule: 'local-path/delete', because: { resource: 'v1/persistentvolumes', namespace: '', name } };
    const nodeName = volume.metadata?.annotations?.['local.path.provisioner/selected-node'] ?? '';
    const node = this.#client.resource<Node>('v1/nodes').get('', nodeName);
    try {
      // A node that is gone took the data with it.
      if (node)
        await this.#runHelper(
          'delete',
          name,
          volume.spec?.hostPath?.path ?? volume.spec?.local?.path ?? '',
          node,
          quantityValue(volume.spec?.capacity?.storage),
          cause,
        );
      this.#client.resource<PersistentVolume>('v1/persistentvolumes').delete('', name, { cause });
      return false;
    } catch (error) {
      if (!(error instanceof ProvisionError) && !isStatusError(error)) {
        this.#kernel.onError(error);
        return false;
      }
      this.#client.event({
        regarding: { apiVersion: 'v1', kind: 'PersistentVolume', namespace: '', name, uid: volume.metadata?.uid },
        type: 'Warning',
        reason: 'VolumeFailedDelete',
        message: error.message,
        component: this.#identity?.name ?? PROVISIONER,
        cause,
      });
      return this.#client.resource<PersistentVolume>('v1/persistentvolumes').get('', name) !== undefined;
    }
  }

  /** The directory for volumes on a node, from the ConfigMap local-path-config. */
  #storagePath(node: Node): string {
    const text = this.#client.resource<ConfigMap>('v1/configmaps').get(NAMESPACE, 'local-path-config')?.data?.['config.json'];
    if (!text) return DEFAULT_PATH;
    try {
      const config = JSON.parse(text) as { nodePathMap?: { node: string; paths: string[] }[] };
      const own =
        config.nodePathMap?.find((entry) => entry.node === node.metadata?.name) ??
        config.nodePathMap?.find((entry) => entry.node === 'DEFAULT_PATH_FOR_NON_LISTED_NODES');
      const [path] = own?.paths ?? [];
      if (!path) throw new ProvisionError(`config doesn't contain node ${node.metadata?.name}, and no DEFAULT_PATH_FOR_NON_LISTED_NODES available`);
      return path;
    } catch (error) {
      if (error instanceof SyntaxError) throw new ProvisionError(`fail to load config file: ${error.message}`);
      throw error;
    }
  }

  /** Runs setup or teardown in a helper Pod on the node and waits until it has succeeded. */
  async #runHelper(action: 'create' | 'delete', volume: string, path: string, node: Node, sizeBytes: number, cause: Cause): Promise<void> {
    const pods = this.#client.resource<Pod>('v1/pods');
    const name = `helper-pod-${action}-${volume}`;
    const script = action === 'create' ? 'setup' : 'teardown';
    if (!pods.get(NAMESPACE, name)) pods.create(helperPod(name, script, path, node, sizeBytes), { cause, fieldManager: 'local-path-provisioner' });
    let succeeded = false;
    for (let poll = 0; poll < HELPER_POLLS && !succeeded; poll++) {
      if (pods.get(NAMESPACE, name)?.status?.phase === 'Succeeded') succeeded = true;
      else await this.#kernel.sleep(1_000);
    }
    if (pods.get(NAMESPACE, name)) pods.delete(NAMESPACE, name, { cause });
    if (!succeeded) throw new ProvisionError(`failed to ${action} volume ${volume}: ${action} process timeout after ${HELPER_POLLS} seconds`);
  }

  #cause(rule: string, claim: PersistentVolumeClaim): Cause {
    const { namespace = '', name = '', uid, resourceVersion } = claim.metadata ?? {};
    return {
      actor: 'local-path-provisioner',
      rule,
      because: { resource: 'v1/persistentvolumeclaims', namespace, name, ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
    };
  }

  #event(claim: PersistentVolumeClaim, type: 'Normal' | 'Warning', reason: string, message: string, cause: Cause): void {
    const { namespace = '', name = '', uid, resourceVersion } = claim.metadata ?? {};
    this.#client.event({
      regarding: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion },
      type,
      reason,
      message,
      component: this.#identity?.name ?? PROVISIONER,
      cause,
    });
  }
}

/** The helper Pod as the provisioner fills in helperPod.yaml. */
function helperPod(name: string, script: 'setup' | 'teardown', path: string, node: Node, sizeBytes: number): Pod {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName: node.metadata?.name,
      restartPolicy: 'Never',
      serviceAccountName: 'local-path-provisioner-service-account',
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'helper-pod',
          image: 'rancher/mirrored-library-busybox:1.37.0',
          imagePullPolicy: 'IfNotPresent',
          command: ['/bin/sh', `/script/${script}`],
          args: ['-p', path, '-s', String(sizeBytes), '-m', 'Filesystem', '-a', script === 'setup' ? 'create' : 'delete'],
          env: [
            { name: 'VOL_DIR', value: path },
            { name: 'VOL_MODE', value: 'Filesystem' },
            { name: 'VOL_SIZE_BYTES', value: String(sizeBytes) },
          ],
          securityContext: { privileged: true },
          volumeMounts: [
            { name: 'data', mountPath: `${parent}/` },
            { name: 'script', mountPath: '/script' },
          ],
        },
      ],
      volumes: [
        { name: 'data', hostPath: { path: parent, type: 'DirectoryOrCreate' } },
        { name: 'script', configMap: { name: 'local-path-config', items: [{ key: script, path: script }] } },
      ],
    },
  };
}
