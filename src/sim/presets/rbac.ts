import type { PolicyRule, RbacV1Subject } from '../kinds/types.ts';
import data from './rbac-roles.json' with { type: 'json' };
import type { Seed } from './seed.ts';

const GROUP = 'rbac.authorization.k8s.io';
const API = `${GROUP}/v1`;
const ANNOTATIONS = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
const BOOTSTRAP_LABEL = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const CONTROLLER_PREFIX = 'system:controller:';

/** A role in rbac-roles.json: a rule is [verbs, apiGroups, resources, resourceNames, nonResourceURLs], each joined by commas. */
interface RoleData {
  name: string;
  namespace?: string;
  labels?: string[];
  /** Labels of the roles whose rules it gathers. */
  aggregate?: string[];
  rules: string[][];
}

/** A binding in rbac-roles.json: subjects are "Kind name" or "ServiceAccount namespace/name". */
interface BindingData {
  name: string;
  role: string;
  kind?: string;
  namespace?: string;
  subjects: string[];
}

function ruleOf([verbs = '', apiGroups = '', resources = '', resourceNames = '', urls = '']: readonly string[]): PolicyRule {
  if (urls) return { nonResourceURLs: urls.split(','), verbs: verbs.split(',') };
  return {
    apiGroups: apiGroups.split(','),
    resources: resources.split(','),
    ...(resourceNames ? { resourceNames: resourceNames.split(',') } : {}),
    verbs: verbs.split(','),
  };
}

function subjectOf(text: string): RbacV1Subject {
  const [kind = '', rest = ''] = text.split(' ') as [string, string];
  if (kind === 'ServiceAccount') {
    const [namespace = '', name = ''] = rest.split('/');
    return { kind, name, namespace };
  }
  return { apiGroup: GROUP, kind, name: rest };
}

/** The rules of a role and of those it aggregates, as the aggregation controller gathers them: by name, each rule once. */
function rulesOf(role: RoleData, all: readonly RoleData[]): PolicyRule[] {
  const rules = new Map(role.rules.map((rule) => [rule.join('|'), rule]));
  for (const other of [...all].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (other === role || !role.aggregate?.some((label) => other.labels?.includes(label))) continue;
    const own = other.aggregate ? [] : other.rules;
    for (const rule of own) rules.set(rule.join('|'), rule);
    // admin gathers edit, which gathers view.
    if (other.aggregate) for (const rule of gathered(other, all)) rules.set(rule.join('|'), rule);
  }
  return [...rules.values()].map(ruleOf);
}

function gathered(role: RoleData, all: readonly RoleData[]): string[][] {
  return all.flatMap((other) => {
    if (other === role || !role.aggregate?.some((label) => other.labels?.includes(label))) return [];
    return other.aggregate ? gathered(other, all) : other.rules;
  });
}

function seed(
  kind: 'ClusterRole' | 'Role' | 'ClusterRoleBinding' | 'RoleBinding',
  name: string,
  namespace: string | undefined,
  rest: object,
  labels: readonly string[] = [],
): Seed {
  const metadata = {
    name,
    ...(namespace ? { namespace } : {}),
    annotations: ANNOTATIONS,
    labels: { ...BOOTSTRAP_LABEL, ...Object.fromEntries(labels.map((label) => [label, 'true'])) },
  };
  return [`${API}/${kind.toLowerCase()}s`, { apiVersion: API, kind, metadata, ...rest }];
}

/**
 * The roles and bindings every API server bootstraps (plugin/pkg/auth/authorizer/rbac/bootstrappolicy, v1.36.3): those for users
 * and components, or those of the controllers.
 */
export function rbacObjects(which: 'general' | 'controllers'): Seed[] {
  const clusterRoles: RoleData[] = data.clusterRoles;
  const roles: RoleData[] = data.roles;
  const seeds: Seed[] = [];
  for (const role of clusterRoles) {
    if (role.name.startsWith(CONTROLLER_PREFIX) !== (which === 'controllers')) continue;
    const aggregationRule = role.aggregate
      ? { aggregationRule: { clusterRoleSelectors: role.aggregate.map((label) => ({ matchLabels: { [label]: 'true' } })) } }
      : {};
    seeds.push(seed('ClusterRole', role.name, undefined, { ...aggregationRule, rules: rulesOf(role, clusterRoles) }, role.labels));
    if (!role.name.startsWith(CONTROLLER_PREFIX)) continue;
    const subjects = [{ kind: 'ServiceAccount', name: role.name.slice(CONTROLLER_PREFIX.length), namespace: 'kube-system' }];
    seeds.push(seed('ClusterRoleBinding', role.name, undefined, { roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: role.name }, subjects }));
  }
  if (which === 'controllers') return seeds;
  for (const role of roles) seeds.push(seed('Role', role.name, role.namespace, { rules: role.rules.map(ruleOf) }));
  const binding = (kind: 'ClusterRoleBinding' | 'RoleBinding', one: BindingData): void => {
    const roleRef = { apiGroup: GROUP, kind: one.kind ?? 'ClusterRole', name: one.role };
    seeds.push(seed(kind, one.name, one.namespace, { roleRef, ...(one.subjects.length > 0 ? { subjects: one.subjects.map(subjectOf) } : {}) }));
  };
  for (const one of data.clusterRoleBindings as BindingData[]) binding('ClusterRoleBinding', one);
  for (const one of data.roleBindings as BindingData[]) binding('RoleBinding', one);
  return seeds;
}
