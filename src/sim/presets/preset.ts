import type { PresetName } from '../cluster.ts';

/** One machine of a preset. */
export interface PresetNode {
  name: string;
  ip: string;
  podCidr: string;
  /** Besides those every kubelet sets. */
  labels: Readonly<Record<string, string>>;
}

/** What a cluster starts with. */
export interface Preset {
  name: PresetName;
  nodes: readonly PresetNode[];
  /** Virtual time the cluster has been up when the reader gets it, in ms. */
  ageMs: number;
}

const SERVER_LABELS = { 'node-role.kubernetes.io/control-plane': 'true' };
/** The cluster has been up for this long when the reader gets it. */
const AGE_MS = 3 * 60_000;

/** Machine number `index` of a k3d cluster: the server is 0 (172.18.0.2, 10.42.0.0/24), agents follow. */
function machine(name: string, index: number, labels: PresetNode['labels']): PresetNode {
  const host = index + 2;
  return { name, ip: `172.18.${host >> 8}.${host & 255}`, podCidr: `10.42.${index}.0/24`, labels };
}

/**
 * "k3d": what `k3d cluster create demo --agents 2` makes; "single": the server alone.
 * Shown by tests/conformance/corpus/kubectl-errors.json (get nodes -o wide).
 */
export function createPreset(name: PresetName, agents = 2): Preset {
  const nodes = [machine('k3d-demo-server-0', 0, SERVER_LABELS)];
  if (name === 'k3d') for (let index = 0; index < agents; index++) nodes.push(machine(`k3d-demo-agent-${index}`, index + 1, {}));
  return { name, ageMs: AGE_MS, nodes };
}
