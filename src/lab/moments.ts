import { fnv32a } from '../kernel/index.ts';
import { unified } from '../kubectl/commands/diff.ts';
import { toYaml } from '../kubectl/format/yaml-write.ts';
import type { ApiObject, Client } from '../sim/client/types.ts';
import type { Cluster, WriteRecord } from '../sim/cluster.ts';
import type { Pod } from '../sim/kinds/types.ts';
import type { ClusterView, PodHistory, PodView } from './protocol.ts';
import { clusterView, podView, SYSTEM_NAMESPACES } from './view.ts';

/** Bookkeeping that changes all the time and tells nothing. */
const NOISE = new Set(['coordination.k8s.io/v1/leases', 'v1/events', 'events.k8s.io/v1/events']);

/** What became of one object between two moments. */
export interface ObjectChange {
  change: 'created' | 'changed' | 'deleted';
  /** "v1/pods". */
  resource: string;
  namespace: string;
  name: string;
  /** Who wrote it meanwhile, in the order they first did. */
  actors: readonly string[];
  /** Unified diff of its YAML, without managedFields. */
  diff: string;
}

/** The cluster's history reaches back to here; earlier moments can only be replayed. */
export class TooLongAgo extends Error {
  constructor() {
    super('這一刻太久以前了，它的紀錄已經丟掉；「回到這一刻」仍然可以重播。');
    this.name = 'TooLongAgo';
  }
}

type Remembering = Pick<Cluster, 'client' | 'writes' | 'kernel'>;

/** A cluster to look at as it was at a moment: its objects and its writes until then. Nothing is replayed. Throws TooLongAgo. */
export function clusterAt(cluster: Remembering, atMs: number): Remembering {
  if (atMs >= cluster.kernel.now()) return cluster;
  const since = firstAfter(cluster.writes, atMs);
  if (since === 0 && (cluster.writes[0]?.revision ?? 0) > 1 && cluster.writes.length > 0 && atMs < (cluster.writes[0]?.atMs ?? 0)) throw new TooLongAgo();
  return { client: pastClient(cluster.client, cluster.writes.slice(since)), writes: cluster.writes.slice(0, since), kernel: stoppedAt(atMs) };
}

/** The page's view of the cluster at a moment. */
export function viewAt(cluster: Remembering, atMs: number): ClusterView {
  return clusterView(clusterAt(cluster, atMs));
}

/** "<number of writes>.<digest of all of them>". */
export function digestOf(writes: readonly WriteRecord[]): string {
  let digest = 0;
  for (const write of writes) digest = fnv32a(`${digest} ${JSON.stringify(write)}`);
  return `${writes.length}.${digest.toString(16)}`;
}

/** The lives of the readers' Pods, in the order they were born. */
export function podHistories(writes: readonly WriteRecord[]): PodHistory[] {
  const lives = new Map<string, { uid: string; states: { fromMs: number; pod: PodView }[]; goneMs?: number }>();
  for (const { resource, namespace, type, object, atMs } of writes) {
    if (resource !== 'v1/pods' || SYSTEM_NAMESPACES.has(namespace)) continue;
    const pod = podView(object as Pod);
    const life = lives.get(pod.uid) ?? { uid: pod.uid, states: [] };
    lives.set(pod.uid, life);
    if (type === 'DELETED') life.goneMs = atMs;
    else life.states.push({ fromMs: atMs, pod });
  }
  return [...lives.values()];
}

/** What is different between two moments, objects in the order they first changed. Throws TooLongAgo. */
export function compareMoments(cluster: Remembering, fromMs: number, toMs: number): ObjectChange[] {
  const [early, late] = fromMs <= toMs ? [fromMs, toMs] : [toMs, fromMs];
  clusterAt(cluster, early);
  const between = cluster.writes.slice(firstAfter(cluster.writes, early), firstAfter(cluster.writes, late));
  const touched = new Map<string, WriteRecord[]>();
  for (const write of between) {
    if (NOISE.has(write.resource)) continue;
    const key = `${write.resource} ${write.namespace}/${write.name}`;
    const list = touched.get(key);
    if (list) list.push(write);
    else touched.set(key, [write]);
  }
  const found: ObjectChange[] = [];
  for (const writes of touched.values()) {
    const first = writes[0] as WriteRecord;
    const last = writes.at(-1) as WriteRecord;
    const before = first.type === 'ADDED' ? undefined : (first.old ?? first.object);
    const after = last.type === 'DELETED' ? undefined : last.object;
    if (!before && !after) continue;
    const diff = unified(yamlOf(before), yamlOf(after));
    if (diff === '') continue;
    const { resource, namespace, name } = first;
    const actors = [...new Set(writes.map((write) => write.cause.actor))];
    found.push({ change: before ? (after ? 'changed' : 'deleted') : 'created', resource, namespace, name, actors, diff });
  }
  return found;
}

/** An object's YAML as `kubectl get -o yaml` shows it, without what changes at every heartbeat. */
export function yamlOf(object: ApiObject | undefined): string {
  if (!object) return '';
  const copy = structuredClone(object) as ApiObject & { status?: { conditions?: { lastHeartbeatTime?: string }[] } };
  if (copy.metadata) {
    delete copy.metadata.managedFields;
    delete copy.metadata.resourceVersion;
  }
  for (const condition of copy.status?.conditions ?? []) delete condition.lastHeartbeatTime;
  return toYaml(copy as unknown as Parameters<typeof toYaml>[0]);
}

/** Index of the first write after a moment; writes come in the order of time. */
function firstAfter(writes: readonly WriteRecord[], atMs: number): number {
  let low = 0;
  let high = writes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((writes[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Only its time is asked. */
function stoppedAt(atMs: number): Cluster['kernel'] {
  return { now: () => atMs } as Cluster['kernel'];
}

/** The client's reading half, with later writes taken back. */
function pastClient(client: Client, later: readonly WriteRecord[]): Client {
  const past = new Map<string, Map<string, ApiObject | undefined>>();
  for (const write of later.toReversed()) {
    const objects = past.get(write.resource) ?? new Map<string, ApiObject | undefined>();
    past.set(write.resource, objects);
    objects.set(`${write.namespace}/${write.name}`, write.type === 'ADDED' ? undefined : (write.old ?? write.object));
  }
  const resource = (id: string) => {
    const present = client.resource(id);
    const changed = past.get(id);
    if (!changed) return { get: present.get.bind(present), list: present.list.bind(present) };
    return {
      get(namespace: string, name: string) {
        const key = `${namespace}/${name}`;
        return changed.has(key) ? changed.get(key) : present.get(namespace, name);
      },
      list(namespace?: string) {
        const objects = new Map(present.list(namespace).map((object) => [`${object.metadata?.namespace ?? ''}/${object.metadata?.name}`, object]));
        for (const [key, object] of changed) {
          if (!object) objects.delete(key);
          else if (namespace === undefined || object.metadata?.namespace === namespace) objects.set(key, object);
        }
        return [...objects].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, object]) => object);
      },
    };
  };
  return { resource } as unknown as Client;
}
