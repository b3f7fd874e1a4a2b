import { type ClusterView, DRAWN_LIMIT, type PodView } from '../lab/protocol.ts';

/** How a Pod is doing, as one of the shapes that the drawing knows. */
export type PodShape = 'pending' | 'starting' | 'ready' | 'unready' | 'failing' | 'done' | 'leaving';

const STARTING = /^(ContainerCreating|PodInitializing|Init:\d)/;
const HEALTHY = /^(Running|Pending|Completed|Succeeded|Terminating)$/;

export function podShape(pod: PodView): PodShape {
  if (pod.deleting) return 'leaving';
  if (/^(Completed|Succeeded)$/.test(pod.status)) return 'done';
  if (STARTING.test(pod.status)) return 'starting';
  if (pod.status === 'Pending') return 'pending';
  if (!HEALTHY.test(pod.status)) return 'failing';
  return pod.ready ? 'ready' : 'unready';
}

const SAID: Record<PodShape, string> = {
  pending: '等待中',
  starting: '啟動中',
  ready: '就緒',
  unready: '還沒就緒',
  failing: '出錯',
  done: '已完成',
  leaving: '終止中',
};

/** The state in words: zh-TW first, then the word kubectl prints when it says more. */
export function podSays(pod: PodView): string {
  const said = SAID[podShape(pod)];
  return pod.status === 'Running' && pod.ready ? said : `${said}（${pod.status}）`;
}

export type ClaimView = ClusterView['claims'][number];
export type ServiceView = ClusterView['services'][number];
export type WorkloadView = ClusterView['workloads'][number];

/** A place on a workload's line: a Pod, or the gap where one is missing, with the claims that belong to the place. */
export interface Slot {
  key: string;
  ordinal?: number;
  pod?: PodView;
  /** The Pod that would stand here, as what a click asks about. */
  missing?: string;
  claims: ClaimView[];
}

/** One line of the drawing. */
export interface Row {
  key: string;
  kind: string;
  name: string;
  namespace: string;
  /** Behind the name: "2/3 就緒". */
  note: string;
  slots: Slot[];
  services: ServiceView[];
  deleting: boolean;
  /** What a click on the title asks about. */
  object?: string;
}

export interface ClusterModel {
  rows: Row[];
  /** Services that select nobody, or only Pods that are not drawn. */
  looseServices: ServiceView[];
  looseClaims: ClaimView[];
  nodes: { name: string; short: string; ready: boolean; schedulable: boolean; running: boolean; pods: PodView[]; systemPods: number }[];
}

const SYSTEM = /^(kube-system|kube-public|kube-node-lease|local-path-storage)$/;

function bySuffix(a: PodView, b: PodView): number {
  return (a.ordinal ?? 0) - (b.ordinal ?? 0) || a.name.localeCompare(b.name);
}

/** Highest ordinal plus one that the StatefulSet wants, has, or still has claims for. */
function statefulSlots(set: WorkloadView, pods: PodView[], claims: ClaimView[]): Slot[] {
  const claimsOf = new Map<number, ClaimView[]>();
  for (const claim of claims) {
    const match = claim.namespace === set.namespace ? new RegExp(`-${set.name}-(\\d+)$`).exec(claim.name) : null;
    if (match) claimsOf.set(Number(match[1]), [...(claimsOf.get(Number(match[1])) ?? []), claim]);
  }
  const owned = pods.filter((pod) => pod.ordinal !== undefined);
  // With .spec.ordinals.start the line begins later; what exists tells where.
  const used = [...owned.map((pod) => pod.ordinal ?? 0), ...claimsOf.keys()];
  const first = used.length > 0 && !used.includes(0) && set.ready > 0 ? Math.min(...used) : 0;
  const end = Math.max(first + set.desired, ...used.map((ordinal) => ordinal + 1));
  const slots: Slot[] = [];
  for (let ordinal = first; ordinal < end && slots.length < DRAWN_LIMIT; ordinal++) {
    const pod = owned.find((each) => each.ordinal === ordinal);
    slots.push({ key: `${set.uid}/${ordinal}`, ordinal, pod, claims: claimsOf.get(ordinal) ?? [], missing: `pods/${set.namespace}/${set.name}-${ordinal}` });
  }
  return slots;
}

/** What is drawn, in order, from what the session tells. Pure: the same view gives the same model. */
export function clusterModel(view: ClusterView): ClusterModel {
  const pods = view.pods.filter((pod) => !SYSTEM.test(pod.namespace));
  const claims = view.claims.filter((claim) => !SYSTEM.test(claim.namespace));
  const workloads = view.workloads.filter((workload) => !SYSTEM.test(workload.namespace));
  const manyNamespaces = new Set([...pods, ...workloads, ...claims].map((each) => each.namespace)).size > 1;
  const label = (namespace: string, name: string): string => (manyNamespaces ? `${namespace}/${name}` : name);
  const taken = new Set<string>();
  const drawnClaims = new Set<ClaimView>();
  const rows: Row[] = [];

  const claimsByUse = (pod: PodView): ClaimView[] => claims.filter((claim) => claim.namespace === pod.namespace && pod.claims.includes(claim.name));
  const add = (workload: WorkloadView, name: string, slots: Slot[]): void => {
    for (const slot of slots) {
      if (slot.pod) taken.add(slot.pod.uid);
      for (const claim of slot.claims) drawnClaims.add(claim);
    }
    rows.push({
      key: workload.uid,
      kind: workload.kind,
      name: label(workload.namespace, name),
      namespace: workload.namespace,
      note: `${workload.ready}/${workload.desired} 就緒${workload.desired > DRAWN_LIMIT ? `，只畫前 ${DRAWN_LIMIT} 個` : ''}`,
      slots,
      services: [],
      deleting: workload.deleting,
      object: `${workload.kind.toLowerCase()}s/${workload.namespace}/${workload.name}`,
    });
  };
  const podsOf = (kind: string, workload: WorkloadView): PodView[] =>
    pods.filter((pod) => pod.namespace === workload.namespace && pod.owner?.kind === kind && pod.owner.name === workload.name).sort(bySuffix);
  const plainSlots = (list: PodView[]): Slot[] =>
    list.map((pod) => ({ key: pod.uid, pod, claims: claimsByUse(pod).filter((claim) => !drawnClaims.has(claim)) }));

  for (const workload of workloads) {
    if (workload.kind === 'StatefulSet') add(workload, workload.name, statefulSlots(workload, podsOf('StatefulSet', workload), claims));
    else if (workload.kind === 'Deployment') {
      const sets = workloads.filter((each) => each.kind === 'ReplicaSet' && each.namespace === workload.namespace && each.owner === workload.name);
      const live = sets.filter((set) => set.desired > 0 || podsOf('ReplicaSet', set).length > 0);
      if (live.length === 0) add(workload, workload.name, []);
      for (const set of live)
        add(
          { ...workload, uid: set.uid, ready: set.ready, desired: set.desired },
          live.length > 1 ? set.name : workload.name,
          plainSlots(podsOf('ReplicaSet', set)),
        );
    } else if (workload.kind === 'ReplicaSet' ? workload.owner === undefined : true) {
      add(workload, workload.name, plainSlots(podsOf(workload.kind, workload)));
    }
  }
  const alone = pods.filter((pod) => !taken.has(pod.uid)).sort((a, b) => a.name.localeCompare(b.name));
  if (alone.length > 0) {
    const slots = plainSlots(alone);
    for (const slot of slots) for (const claim of slot.claims) drawnClaims.add(claim);
    rows.push({ key: 'alone', kind: 'Pod', name: '', namespace: '', note: '', slots, services: [], deleting: false });
  }

  const looseServices: ServiceView[] = [];
  for (const service of view.services) {
    if (SYSTEM.test(service.namespace) || (service.namespace === 'default' && service.name === 'kubernetes')) continue;
    const row = rows.find((each) => each.slots.some((slot) => slot.pod && service.endpoints.some((endpoint) => endpoint.ip === slot.pod?.ip)));
    if (row) row.services.push(service);
    else looseServices.push(service);
  }
  const names = view.nodes.map((node) => node.name);
  return {
    rows,
    looseServices,
    looseClaims: claims.filter((claim) => !drawnClaims.has(claim)),
    nodes: view.nodes.map((node) => ({
      name: node.name,
      short: shortNode(node.name, names),
      ready: node.ready,
      schedulable: node.schedulable,
      running: node.running,
      pods: pods.filter((pod) => pod.node === node.name).sort(bySuffix),
      systemPods: view.pods.filter((pod) => SYSTEM.test(pod.namespace) && pod.node === node.name).length,
    })),
  };
}

/** A node's name without what all nodes' names begin with ("k3d-demo-agent-0" → "agent-0"). */
export function shortNode(name: string, names: readonly string[]): string {
  const parts = name.split('-');
  for (let cut = parts.length - 1; cut > 0; cut--) {
    const prefix = `${parts.slice(0, cut).join('-')}-`;
    if (names.length > 1 && names.every((each) => each.startsWith(prefix))) return name.slice(prefix.length);
  }
  return name;
}
