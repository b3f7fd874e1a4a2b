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

/** `k3d cluster create demo --agents 2`, and a single node. Shown by tests/conformance/corpus/kubectl-errors.json (get nodes -o wide). */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  k3d: {
    name: 'k3d',
    ageMs: 35 * 60_000,
    nodes: [
      { name: 'k3d-demo-server-0', ip: '172.18.0.2', podCidr: '10.42.0.0/24', labels: SERVER_LABELS },
      { name: 'k3d-demo-agent-0', ip: '172.18.0.3', podCidr: '10.42.1.0/24', labels: {} },
      { name: 'k3d-demo-agent-1', ip: '172.18.0.4', podCidr: '10.42.2.0/24', labels: {} },
    ],
  },
  single: {
    name: 'single',
    ageMs: 35 * 60_000,
    nodes: [{ name: 'k3d-demo-server-0', ip: '172.18.0.2', podCidr: '10.42.0.0/24', labels: SERVER_LABELS }],
  },
};
