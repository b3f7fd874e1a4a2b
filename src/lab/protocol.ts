/**
 * What the page and the session (in its worker, or another host) say to each other. Plain data only, so that the same
 * messages cross `postMessage`, a WebContainer's stdin and a socket. Every request carries an id and is answered once.
 */
export type SessionRequest =
  /** `speed`: at which time goes on from the beginning, or from the end of what is restored. Default 1. */
  | { type: 'start'; lab: LabFileSet; seed: string; restore?: SavedSession; speed?: number }
  | ({ type: 'start-twins' } & TwinSides)
  | { type: 'open-terminal'; terminal: string; columns: number; rows: number }
  | { type: 'close-terminal'; terminal: string }
  /** Raw bytes as typed (UTF-8 text). */
  | { type: 'input'; terminal: string; data: string }
  | { type: 'resize'; terminal: string; columns: number; rows: number }
  /** Types a command and Enter, after Ctrl-C if something is running. */
  | { type: 'run'; terminal: string; command: string }
  | { type: 'list-files' }
  | { type: 'read-file'; path: string }
  | { type: 'write-file'; path: string; text: string }
  | { type: 'delete-file'; path: string }
  /** What kubectl and the API server would say to a file of that name: lines, none when all is well. */
  | { type: 'check-manifest'; name: string; text: string }
  /** 0 pauses. */
  | { type: 'set-speed'; speed: number }
  | { type: 'step' }
  | { type: 'skip'; ms: number }
  | { type: 'until-settled' }
  | { type: 'get-object'; resource: string; namespace: string; name: string }
  | { type: 'node-action'; node: string; action: 'stop-kubelet' | 'start-kubelet' | 'power-off' | 'power-on' | 'partition' | 'mend' }
  | { type: 'save' }
  /** `resource` "dns": a name; "last": the last command that failed; "text": what a reader typed ("pod/web-1 .spec"). */
  | { type: 'why'; resource: string; namespace: string; name: string; field?: string; atMs?: number }
  /** The view of an earlier moment, from the writes that are kept: nothing is replayed. */
  | { type: 'moment'; atMs: number }
  /** Every Pod that ever was, with the states it went through. */
  | { type: 'history' }
  /** A digest of every write that is kept, whole: two sessions that agree in it are the same. */
  | { type: 'digest' }
  /** What is different between two moments. */
  | { type: 'compare'; fromMs: number; toMs: number }
  /** An object's YAML, now or at a moment; '' when it was not there. */
  | { type: 'yaml'; resource: string; namespace: string; name: string; atMs?: number }
  /** Really sent in the cluster, so it belongs to the session's log; the answer comes when the cluster's time has gone on. */
  | { type: 'trace'; what: 'dns' | 'request'; namespace: string; pod: string; target: string };

/** What the session tells without being asked. */
export type SessionNotice =
  | { type: 'output'; terminal: string; data: string }
  /** The cluster as the view draws it; sent at most every 50 ms of wall time, only when it changed. */
  | { type: 'view'; view: ClusterView /** Of twins: which. */; side?: number }
  | { type: 'clock'; nowMs: number; speed: number }
  | { type: 'progress'; steps: readonly StepState[] }
  | { type: 'files-changed' }
  /** A command line was entered in a terminal, by key, text field or button. */
  | { type: 'command'; terminal: string; line: string; atMs: number }
  /** `kubectl edit` or `vi` wants a file edited in the page's editor. */
  | { type: 'edit'; path: string }
  | { type: 'failed'; message: string; detail: string };

export type FromSession =
  | { kind: 'answer'; id: number; ok: true; value: unknown }
  | { kind: 'answer'; id: number; ok: false; error: string }
  | { kind: 'notice'; notice: SessionNotice };
export type ToSession = { kind: 'request'; id: number; request: SessionRequest };

/** Between a page and its worker only: a session with this seed on this cluster will be asked for soon. */
export type Prepare = { kind: 'prepare'; seed: string; cluster: import('../sim/cluster.ts').PresetName };

/** Between a page and its worker only: is anybody there? */
export type Ping = { kind: 'ping' };
export type Pong = { kind: 'pong' };

/** A lab as built by `scripts/`: lab.yaml parsed and checked, files inlined. */
export interface LabFileSet {
  lab: import('./schema.ts').Lab;
  files: Readonly<Record<string, string>>;
}

/** Two clusters that get the same commands: the files in each reader's home, and what is run in both first. */
export interface TwinSides {
  preset: import('./schema.ts').Lab['cluster'];
  seed: string;
  sides: readonly { files: Readonly<Record<string, string>> }[];
  setup: readonly string[];
}

export interface StepState {
  id: string;
  reached: boolean;
  /** For the first check that does not hold: object, what was expected, what is. */
  failing?: { object: string; expected: string; actual: string };
  /** The state is as it should be; what the step is there to see was not printed yet. */
  unseen?: boolean;
  /** A misconception that was recognised, as its zh-TW explanation (Markdown). */
  hint?: string;
}

/** Seed and inputs: the whole session, replayable. */
export interface SavedSession {
  version: 1;
  lab: string;
  seed: string;
  inputs: readonly { atMs: number; request: SessionRequest }[];
  nowMs: number;
  /** What the cluster had come to at the end: tells whether a replay came to the same. */
  mark?: string;
}

/** So many Pods of one owner, and so many claims that no Pod uses, are told: a mistyped number of replicas must not freeze the page. */
export const DRAWN_LIMIT = 120;

export interface ClusterView {
  nowMs: number;
  nodes: readonly { name: string; ready: boolean; schedulable: boolean; running: boolean; roles: string }[];
  pods: readonly PodView[];
  workloads: readonly {
    kind: string;
    namespace: string;
    name: string;
    uid: string;
    owner?: string;
    desired: number;
    ready: number;
    updated?: number;
    revision?: string;
    deleting: boolean;
  }[];
  services: readonly {
    namespace: string;
    name: string;
    type: string;
    clusterIP: string;
    ports: string;
    endpoints: readonly { ip: string; pod?: string; ready: boolean }[];
  }[];
  claims: readonly {
    namespace: string;
    name: string;
    phase: string;
    volume?: string;
    storageClass?: string;
    capacity?: string;
    deleting: boolean;
  }[];
  volumes: readonly { name: string; phase: string; claim?: string; node?: string; reclaimPolicy: string }[];
  events: readonly { namespace: string; name: string; atMs: number; type: string; reason: string; object: string; message: string; count: number }[];
}

/** A Pod's life: how it looked from which moment on, and when it was gone. */
export interface PodHistory {
  uid: string;
  states: readonly { fromMs: number; pod: PodView }[];
  goneMs?: number;
}

export interface PodView {
  namespace: string;
  name: string;
  uid: string;
  node?: string;
  ip?: string;
  /** As kubectl's STATUS column. */
  status: string;
  ready: boolean;
  readyText: string;
  restarts: number;
  deleting: boolean;
  owner?: { kind: string; name: string };
  ordinal?: number;
  revision?: string;
  claims: readonly string[];
  image: string;
}
