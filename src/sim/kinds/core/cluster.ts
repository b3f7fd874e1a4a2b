import { age, keep, nameOf, plain, row, setGeneration, withStatus } from '../lifecycle.ts';
import type { KindStrategy } from '../strategy.ts';
import type { ComponentStatus, Namespace, Node } from '../types.ts';

export const namespaceStrategy: KindStrategy<Namespace> = {
  resource: 'v1/namespaces',
  applyDefaults(namespace) {
    const name = nameOf(namespace);
    if (name !== '') namespace.metadata = { ...namespace.metadata, labels: { ...namespace.metadata?.labels, 'kubernetes.io/metadata.name': name } };
    namespace.spec ??= {};
    namespace.status ??= {};
    namespace.status.phase ||= 'Active';
  },
  prepareForCreate(namespace) {
    namespace.status = { phase: 'Active' };
    setGeneration(namespace, undefined);
    // A generated name came after defaulting (`Canonicalize`).
    namespace.metadata = { ...namespace.metadata, labels: { ...namespace.metadata?.labels, 'kubernetes.io/metadata.name': nameOf(namespace) } };
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = { ...namespace.spec, finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'] };
  },
  prepareForUpdate(namespace, old) {
    keep(namespace, old, 'status');
    namespace.spec = { ...namespace.spec };
    keep(namespace.spec, old.spec ?? {}, 'finalizers');
  },
  selectableFields: ({ metadata, status }) => ({ 'status.phase': status?.phase ?? '', name: metadata?.name ?? '' }),
  tableRow: row(({ status }) => [status?.phase ?? '']),
};

/** Roles by label: `node-role.kubernetes.io/<role>` and `kubernetes.io/role=<role>`. */
export function nodeRoles(node: Node): string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata?.labels ?? {})) {
    const role = key.startsWith('node-role.kubernetes.io/') ? key.slice('node-role.kubernetes.io/'.length) : key === 'kubernetes.io/role' ? value : '';
    if (role !== '') roles.add(role);
  }
  return [...roles].sort();
}

export const nodeStrategy: KindStrategy<Node> = {
  resource: 'v1/nodes',
  applyDefaults(node) {
    node.spec ??= {};
    node.status ??= {};
    if (!node.status.allocatable && node.status.capacity) node.status.allocatable = { ...node.status.capacity };
  },
  prepareForCreate: plain.prepareForCreate,
  prepareForUpdate(node, old) {
    keep(node, old, 'status');
  },
  selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec?.unschedulable ?? false) }),
  tableRow(node, context) {
    const { spec = {}, status = {} } = node;
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    const words = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
    if (spec.unschedulable) words.push('SchedulingDisabled');
    const info = status.nodeInfo ?? {};
    const address = (wanted: string): string => status.addresses?.find(({ type }) => type === wanted)?.address ?? '<none>';
    return [
      nameOf(node),
      words.join(','),
      nodeRoles(node).join(',') || '<none>',
      age(node, context),
      info.kubeletVersion ?? '',
      address('InternalIP'),
      address('ExternalIP'),
      info.osImage || '<unknown>',
      (info.kernelVersion || '<unknown>') + (info.architecture ? ` (${info.architecture})` : ''),
      info.containerRuntimeVersion || '<unknown>',
    ];
  },
};

export const componentStatusStrategy: KindStrategy<ComponentStatus> = {
  resource: 'v1/componentstatuses',
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  ...withStatus(),
  tableRow(object) {
    const healthy = object.conditions?.find(({ type }) => type === 'Healthy');
    if (!healthy) return [nameOf(object), 'Unknown', '', ''];
    return [nameOf(object), healthy.status === 'True' ? 'Healthy' : 'Unhealthy', healthy.message ?? '', healthy.error ?? ''];
  },
};
