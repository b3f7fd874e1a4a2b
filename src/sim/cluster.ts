import type { Disposable, Kernel } from '../kernel/index.ts';
import type { Cause } from './cause.ts';
import type { ApiObject, Client } from './client/types.ts';
import type { Draw, OwnedStack } from './network/index.ts';
import type { Transport } from './transport.ts';

export type { Draw } from './network/index.ts';

/** "k3d": one server, two agents, as `k3d cluster create demo --agents 2` makes; "single": one node. */
export type PresetName = 'k3d' | 'single';

export interface ClusterOptions {
  kernel: Kernel;
  preset: PresetName;
  /** Number of agents of the k3d preset. Default 2. */
  agents?: number;
  /** More Pods than this are refused with a quota-style Forbidden. Default 5,000. */
  maxPods?: number;
}

/** One write to the store, in order: the timeline and 「為什麼？」 read this. */
export interface WriteRecord {
  revision: number;
  atMs: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resource: string;
  namespace: string;
  name: string;
  cause: Cause;
  object: ApiObject;
  old?: ApiObject;
}

/** A simulated cluster. Made by `createCluster` in index.ts; the system Pods are already running when it returns. */
export interface Cluster extends Disposable {
  readonly kernel: Kernel;
  /** The API server's door for kubectl and other clients. */
  readonly transport: Transport;
  /** For checks, views and tests; lessons never write through it. */
  readonly client: Client;
  /** One DNS message to CoreDNS, as from a Pod in `namespace`, and its answer. */
  queryDns(message: Uint8Array): Promise<Uint8Array | undefined>;
  /** Every write so far (bounded) and those to come. */
  readonly writes: readonly WriteRecord[];
  onWrite(listener: (write: WriteRecord) => void): Disposable;
  readonly nodes: NodeControl;
  /** A Pod's own view of the network, as its containers have it; undefined when it has none (not running, its node away). Dispose it. */
  podStack(namespace: string, name: string): OwnedStack | undefined;
  /** Tells of each endpoint that kube-proxy draws; one listener at a time. */
  watchDraws(listener: (draw: Draw) => void): Disposable;
}

/** What happens to machines: not part of the Kubernetes API, done from outside as one pulls a plug. */
export interface NodeControl {
  names(): readonly string[];
  /** False while the machine is without power. */
  isRunning(node: string): boolean;
  /** Freezes the kubelet; containers go on. */
  stopKubelet(node: string): void;
  startKubelet(node: string): void;
  /** Containers die with the machine. */
  powerOff(node: string): void;
  powerOn(node: string): void;
  /** Cuts (or mends) the node's connection to everything else. */
  partition(node: string, cut: boolean): void;
  /** Limits what the machine's way to the registries carries (`tc qdisc … netem rate`); undefined lifts it. */
  limitRate(node: string, bitsPerSecond: number | undefined): void;
  /** SIGKILL to a running container's main process, by its id or the beginning of it; false: there is none. */
  killContainer(node: string, id: string): boolean;
  /** Bytes in files that somebody put on the machine's disk; 0 frees it again. */
  fillDisk(node: string, bytes: number): Promise<void>;
}
