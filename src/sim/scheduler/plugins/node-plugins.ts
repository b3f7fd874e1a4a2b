import type { Cycle, Plugin } from '../framework.ts';
import { defaultNormalize, reject } from '../framework.ts';
import { type HostPort, type NodeInfo, podInfo } from '../node-info.ts';
import { requiredAffinityMatches, termMatches, tolerates, untoleratedTaint } from '../node-selector.ts';

const UNSCHEDULABLE_TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  filter({ pod }, { node }) {
    if (!node.spec?.unschedulable) return undefined;
    if (pod.spec?.tolerations?.some((one) => tolerates(one, UNSCHEDULABLE_TAINT))) return undefined;
    return reject('NodeUnschedulable', true, 'node(s) were unschedulable');
  },
};

export const nodeName: Plugin = {
  name: 'NodeName',
  filter({ pod }, node) {
    if (!pod.spec?.nodeName || pod.spec.nodeName === node.name) return undefined;
    return reject('NodeName', true, "node(s) didn't match the requested node name");
  },
};

export const taintToleration: Plugin = {
  name: 'TaintToleration',
  weight: 3,
  filter({ pod }, { node }) {
    if (!untoleratedTaint(node.spec?.taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute'])) return undefined;
    return reject('TaintToleration', true, 'node(s) had untolerated taint(s)');
  },
  score({ pod }, { node }) {
    const tolerations = (pod.spec?.tolerations ?? []).filter((one) => !one.effect || one.effect === 'PreferNoSchedule');
    return (node.spec?.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((one) => tolerates(one, taint))).length;
  },
  normalize: (_cycle, scores) => defaultNormalize(scores, true),
};

export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  weight: 2,
  preFilter({ pod }) {
    const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    return !required && !pod.spec?.nodeSelector ? 'skip' : undefined;
  },
  filter({ pod }, { node }) {
    return requiredAffinityMatches(pod, node) ? undefined : reject('NodeAffinity', true, "node(s) didn't match Pod's node affinity/selector");
  },
  preScore: ({ pod }) => (pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length ? undefined : 'skip'),
  score({ pod }, node) {
    let total = 0;
    for (const { weight = 0, preference = {} } of pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      const empty = !preference.matchExpressions?.length && !preference.matchFields?.length;
      if (!empty && termMatches(preference, node.labels, node.name)) total += weight;
    }
    return total;
  },
  normalize: (_cycle, scores) => defaultNormalize(scores, false),
};

function conflicts(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0');
}

export const nodePorts: Plugin = {
  name: 'NodePorts',
  preFilter: ({ pod }) => (podInfo(pod).hostPorts.length === 0 ? 'skip' : undefined),
  filter({ pod }, node) {
    const wanted = podInfo(pod).hostPorts;
    for (const other of node.pods.values()) {
      if (other.hostPorts.some((used) => wanted.some((port) => conflicts(port, used)))) {
        return reject('NodePorts', false, "node(s) didn't have free ports for the requested pod ports");
      }
    }
    return undefined;
  },
};

const MIN_IMAGE_BYTES = 23 * 1024 * 1024;
const MAX_IMAGE_BYTES_PER_CONTAINER = 1000 * 1024 * 1024;

function normalizedImage(name: string): string {
  return name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name;
}

/** Bytes of each image name on a node. */
function imagesOf(node: NodeInfo): Map<string, number> {
  const out = new Map<string, number>();
  for (const image of node.node.status?.images ?? []) for (const name of image.names ?? []) out.set(name, image.sizeBytes ?? 0);
  return out;
}

export const imageLocality: Plugin = {
  name: 'ImageLocality',
  weight: 1,
  preScore(cycle: Cycle) {
    const all = new Map(cycle.nodes.map((node) => [node.name, imagesOf(node)]));
    const spread = new Map<string, number>();
    for (const images of all.values()) for (const name of images.keys()) spread.set(name, (spread.get(name) ?? 0) + 1);
    cycle.state.set('ImageLocality', { all, spread });
    return undefined;
  },
  score(cycle: Cycle, node: NodeInfo) {
    const { all, spread } = cycle.state.get('ImageLocality') as { all: Map<string, Map<string, number>>; spread: Map<string, number> };
    const images = all.get(node.name);
    const containers = [...(cycle.pod.spec?.initContainers ?? []), ...(cycle.pod.spec?.containers ?? [])];
    let sum = 0;
    for (const container of containers) {
      const name = normalizedImage(container.image ?? '');
      sum += Math.floor(((images?.get(name) ?? 0) * (spread.get(name) ?? 0)) / Math.max(1, cycle.nodes.length));
    }
    const most = MAX_IMAGE_BYTES_PER_CONTAINER * containers.length;
    const bounded = Math.min(Math.max(sum, MIN_IMAGE_BYTES), most);
    return Math.floor((100 * (bounded - MIN_IMAGE_BYTES)) / (most - MIN_IMAGE_BYTES));
  },
};
