import type { Client } from '../../client/types.ts';
import { ensureIndex } from '../../controllers/controller.ts';
import { keyFor, labelsOf, nameOf, namespaceOf, uidOf } from '../../controllers/object.ts';
import {
  claimClass,
  classOf,
  findMatchingVolume,
  isDelayBinding,
  isFullyBound,
  nodeFits,
  requestedBytes,
  SELECTED_NODE,
  volumeClass,
} from '../../controllers/persistentvolume/match.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../kinds/types.ts';
import { type Cycle, type Plugin, reject } from '../framework.ts';
import { topologyTermsMatch } from '../node-selector.ts';
import { claimNames } from '../pod-state.ts';

const CLAIMS = 'v1/persistentvolumeclaims';
const VOLUMES = 'v1/persistentvolumes';

/** What binding a Pod to a node means for its volumes. */
export interface PodVolumes {
  bindings: { volume: PersistentVolume; claim: PersistentVolumeClaim }[];
  provisions: PersistentVolumeClaim[];
}

/** What the scheduler has decided about volumes but the API does not say yet. */
export class AssumedVolumes {
  /** Volume name → uid of the claim it is meant for. */
  readonly volumes = new Map<string, string>();
  /** Claim key → node it is to be provisioned for. */
  readonly claims = new Map<string, string>();
}

interface State {
  bound: PersistentVolumeClaim[];
  delayed: PersistentVolumeClaim[];
  byNode: Map<string, PodVolumes>;
}

export const VOLUME_BINDING = 'VolumeBinding';

export function volumesFor(cycle: Cycle, node: string): PodVolumes | undefined {
  return (cycle.state.get(VOLUME_BINDING) as State | undefined)?.byNode.get(node);
}

function claimOf(client: Client, namespace: string, name: string): PersistentVolumeClaim | undefined {
  return client.informer<PersistentVolumeClaim>(CLAIMS).get(namespace, name);
}

/** Why a Pod's claims keep it from being scheduled anywhere. */
function claimTrouble({ pod, client }: Cycle): string | undefined {
  for (const { name, ephemeral } of claimNames(pod)) {
    const claim = claimOf(client, namespaceOf(pod), name);
    if (!claim) {
      if (ephemeral) return `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`;
      return `persistentvolumeclaim "${name}" not found`;
    }
    if (claim.status?.phase === 'Lost') return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`;
    if (claim.metadata?.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`;
    if (ephemeral && !claim.metadata?.ownerReferences?.some((ref) => ref.controller && ref.uid === uidOf(pod))) {
      return `PVC ${namespaceOf(pod)}/${name} was not created for pod ${namespaceOf(pod)}/${nameOf(pod)} (pod is not owner)`;
    }
  }
  return undefined;
}

/** pkg/scheduler/framework/plugins/volumerestrictions: ReadWriteOncePod claims have one Pod. */
export const volumeRestrictions: Plugin = {
  name: 'VolumeRestrictions',
  preFilter(cycle) {
    const { pod, client } = cycle;
    const exclusive: string[] = [];
    for (const { name } of claimNames(pod)) {
      const claim = claimOf(client, namespaceOf(pod), name);
      if (!claim) return reject('VolumeRestrictions', true, `persistentvolumeclaim "${name}" not found`);
      if (claim.spec?.accessModes?.includes('ReadWriteOncePod')) exclusive.push(keyFor(namespaceOf(pod), name));
    }
    if (exclusive.length === 0) return 'skip';
    const wanted = new Set(exclusive);
    const used = cycle.nodes.some((node) =>
      [...node.pods.values()].some((other) => claimNames(other.pod).some(({ name }) => wanted.has(keyFor(namespaceOf(other.pod), name)))),
    );
    cycle.state.set('VolumeRestrictions', used);
    return undefined;
  },
  filter(cycle) {
    if (cycle.state.get('VolumeRestrictions') !== true) return undefined;
    const reason = 'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod';
    return reject('VolumeRestrictions', false, reason);
  },
};

/** pkg/scheduler/framework/plugins/volumebinding of v1.36. */
export function createVolumeBinding(client: Client, assumed: AssumedVolumes): Plugin {
  const volumes = ensureIndex(client.informer<PersistentVolume>(VOLUMES), 'class', (volume) => [volumeClass(volume)]);

  function find(_cycle: Cycle, state: State, node: Cycle['nodes'][number]): string[] | PodVolumes {
    const out: PodVolumes = { bindings: [], provisions: [] };
    for (const claim of state.bound) {
      const volume = volumes.get('', claim.spec?.volumeName ?? '');
      if (!volume) return ['node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'];
      if (!nodeFits(volume, node.node)) return ["node(s) didn't match PersistentVolume's node affinity"];
    }
    const toMatch: PersistentVolumeClaim[] = [];
    const toProvision: PersistentVolumeClaim[] = [];
    const conflict = ["node(s) didn't find available persistent volumes to bind"];
    for (const claim of state.delayed) {
      const selected = assumed.claims.get(keyFor(namespaceOf(claim), nameOf(claim))) ?? claim.metadata?.annotations?.[SELECTED_NODE];
      if (selected === undefined) toMatch.push(claim);
      else if (selected === node.name) toProvision.push(claim);
      else return conflict;
    }
    const chosen = new Set<string>();
    for (const claim of [...toMatch].sort((a, b) => requestedBytes(a) - requestedBytes(b))) {
      const free = volumes.byIndex('class', claimClass(claim)).filter((one) => {
        const holder = assumed.volumes.get(nameOf(one));
        return holder === undefined || holder === uidOf(claim);
      });
      const volume = findMatchingVolume(claim, free, node.node, chosen, true);
      if (volume) {
        chosen.add(nameOf(volume));
        out.bindings.push({ volume, claim });
      } else toProvision.push(claim);
    }
    for (const claim of toProvision) {
      const storageClass = classOf(client, claimClass(claim));
      const provisioner = storageClass?.provisioner;
      if (!provisioner || provisioner === 'kubernetes.io/no-provisioner') return conflict;
      if (!topologyTermsMatch(storageClass.allowedTopologies, labelsOf(node.node))) return conflict;
      out.provisions.push(claim);
    }
    return out;
  }

  return {
    name: VOLUME_BINDING,
    preFilter(cycle) {
      const trouble = claimTrouble(cycle);
      if (trouble) return reject(VOLUME_BINDING, true, trouble);
      const names = claimNames(cycle.pod);
      if (names.length === 0) return 'skip';
      const state: State = { bound: [], delayed: [], byNode: new Map() };
      for (const { name } of names) {
        const claim = claimOf(client, namespaceOf(cycle.pod), name);
        if (!claim) continue;
        if (isFullyBound(claim)) state.bound.push(claim);
        else if (isDelayBinding(client, claim) && !claim.spec?.volumeName) state.delayed.push(claim);
        else return reject(VOLUME_BINDING, true, 'pod has unbound immediate PersistentVolumeClaims');
      }
      cycle.state.set(VOLUME_BINDING, state);
      return undefined;
    },
    filter(cycle, node) {
      const state = cycle.state.get(VOLUME_BINDING) as State;
      const found = find(cycle, state, node);
      if (Array.isArray(found)) return reject(VOLUME_BINDING, true, ...found);
      state.byNode.set(node.name, found);
      return undefined;
    },
    preScore(cycle) {
      const state = cycle.state.get(VOLUME_BINDING) as State | undefined;
      return state && [...state.byNode.values()].some((one) => one.bindings.length > 0) ? undefined : 'skip';
    },
    // Static volumes that fit tightly score higher (scorer.go with the default shape: utilization 0 → 0, 100 → 100).
    score(cycle, node) {
      const found = volumesFor(cycle, node.name);
      if (!found || found.bindings.length === 0) return 0;
      const byClass = new Map<string, { requested: number; capacity: number }>();
      for (const { volume, claim } of found.bindings) {
        const sums = byClass.get(volumeClass(volume)) ?? { requested: 0, capacity: 0 };
        sums.requested += requestedBytes(claim);
        sums.capacity += Number.isFinite(capacityOf(volume)) ? capacityOf(volume) : 0;
        byClass.set(volumeClass(volume), sums);
      }
      let total = 0;
      for (const { requested, capacity } of byClass.values()) total += capacity === 0 ? 0 : Math.floor((requested * 100) / capacity);
      return Math.round(total / byClass.size);
    },
    weight: 1,
  };
}

function capacityOf(volume: PersistentVolume): number {
  return requestedBytes({ spec: { resources: { requests: { storage: volume.spec?.capacity?.storage ?? '0' } } } });
}

/** pkg/scheduler/framework/plugins/volumezone: zonal volumes stay in their zone. */
export const volumeZone: Plugin = {
  name: 'VolumeZone',
  preFilter(cycle) {
    const constraints: { key: string; values: Set<string> }[] = [];
    for (const { name } of claimNames(cycle.pod)) {
      const claim = claimOf(cycle.client, namespaceOf(cycle.pod), name);
      const volume = claim?.spec?.volumeName ? cycle.client.informer<PersistentVolume>(VOLUMES).get('', claim.spec.volumeName) : undefined;
      for (const key of ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']) {
        const value = volume ? labelsOf(volume)[key] : undefined;
        if (value !== undefined) constraints.push({ key, values: new Set(value.split('__')) });
      }
    }
    if (constraints.length === 0) return 'skip';
    cycle.state.set('VolumeZone', constraints);
    return undefined;
  },
  filter(cycle, node) {
    for (const { key, values } of cycle.state.get('VolumeZone') as { key: string; values: Set<string> }[]) {
      if (!values.has(node.labels[key] ?? '\u0000')) return reject('VolumeZone', true, 'node(s) had no available volume zone');
    }
    return undefined;
  },
};
