import { createdAtRow, plain, row } from '../lifecycle.ts';
import type { Cell, KindStrategy, StrategyContext } from '../strategy.ts';
import type { ClusterRole, ClusterRoleBinding, RbacV1Subject, Role, RoleBinding } from '../types.ts';

const GROUP = 'rbac.authorization.k8s.io';

const role = (resource: 'roles' | 'clusterroles'): KindStrategy<Role | ClusterRole> => ({
  resource: `${GROUP}/v1/${resource}`,
  ...plain,
  tableRow: createdAtRow,
});

function bindingRow(binding: RoleBinding | ClusterRoleBinding, context: StrategyContext): Cell[] {
  const named = (kind: string, text: (subject: RbacV1Subject) => string): string =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(text)
      .join(', ');
  return [
    ...row<RoleBinding>(() => [`${binding.roleRef?.kind}/${binding.roleRef?.name}`])(binding, context),
    named('User', ({ name = '' }) => name),
    named('Group', ({ name = '' }) => name),
    named('ServiceAccount', ({ name, namespace }) => (namespace ? `${namespace}/${name}` : (name ?? ''))),
  ];
}

const binding = (resource: 'rolebindings' | 'clusterrolebindings'): KindStrategy<RoleBinding | ClusterRoleBinding> => ({
  resource: `${GROUP}/v1/${resource}`,
  applyDefaults({ roleRef, subjects }) {
    if (roleRef) roleRef.apiGroup ||= GROUP;
    for (const subject of subjects ?? []) if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= GROUP;
  },
  ...plain,
  tableRow: bindingRow,
});

export const roleStrategy = role('roles');
export const clusterRoleStrategy = role('clusterroles');
export const roleBindingStrategy = binding('rolebindings');
export const clusterRoleBindingStrategy = binding('clusterrolebindings');
