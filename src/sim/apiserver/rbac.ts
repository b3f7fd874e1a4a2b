import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '../kinds/types.ts';
import type { UserInfo } from './request-context.ts';
import { newForbidden, quote, type StatusError } from './status-error.ts';
import type { Verbs } from './verbs.ts';

/** What is asked for, as `authorizer.Attributes`. */
export type AccessAttributes =
  | { verb: string; group: string; resource: string; subresource: string; namespace: string; name: string }
  | { verb: string; path: string };

export interface Decision {
  allowed: boolean;
  reason: string;
}

type Subject = NonNullable<RoleBinding['subjects']>[number];

function isFor(subject: Subject, user: UserInfo, bindingNamespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.username;
    case 'Group':
      return user.groups.includes(subject.name ?? '');
    case 'ServiceAccount':
      return user.username === `system:serviceaccount:${subject.namespace || bindingNamespace}:${subject.name}`;
    default:
      return false;
  }
}

function ruleAllows(rule: PolicyRule, attributes: AccessAttributes): boolean {
  if (!rule.verbs?.some((verb) => verb === '*' || verb === attributes.verb)) return false;
  if ('path' in attributes) {
    return (
      rule.nonResourceURLs?.some((url) => url === '*' || url === attributes.path || (url.endsWith('*') && attributes.path.startsWith(url.slice(0, -1)))) ??
      false
    );
  }
  if (!rule.apiGroups?.some((group) => group === '*' || group === attributes.group)) return false;
  const wanted = attributes.subresource ? `${attributes.resource}/${attributes.subresource}` : attributes.resource;
  const resource = rule.resources?.some(
    (known) => known === '*' || known === wanted || (attributes.subresource !== '' && known === `*/${attributes.subresource}`),
  );
  if (!resource) return false;
  return !rule.resourceNames || rule.resourceNames.length === 0 || rule.resourceNames.includes(attributes.name);
}

/** Evaluates Roles and bindings (models `plugin/pkg/auth/authorizer/rbac`). Members of system:masters may do everything. */
export class Authorizer {
  readonly #verbs: Verbs;

  constructor(verbs: Verbs) {
    this.#verbs = verbs;
  }

  /** Each binding that concerns the user, with the rules it grants. */
  *rulesFor(user: UserInfo, namespace: string): Generator<{ rule: PolicyRule; by: string }> {
    const { context } = this.#verbs;
    for (const binding of context.list<ClusterRoleBinding>('rbac.authorization.k8s.io/v1/clusterrolebindings')) {
      const subject = binding.subjects?.find((known) => isFor(known, user, ''));
      if (!subject) continue;
      const name = binding.roleRef?.name ?? '';
      const rules = context.get<ClusterRole>('rbac.authorization.k8s.io/v1/clusterroles', '', name)?.rules ?? [];
      for (const rule of rules)
        yield { rule, by: `ClusterRoleBinding ${quote(binding.metadata?.name ?? '')} of ClusterRole ${quote(name)} to ${subjectText(subject, '')}` };
    }
    if (namespace === '') return;
    for (const binding of context.list<RoleBinding>('rbac.authorization.k8s.io/v1/rolebindings', namespace)) {
      const subject = binding.subjects?.find((known) => isFor(known, user, namespace));
      if (!subject) continue;
      const { kind = 'Role', name = '' } = binding.roleRef ?? {};
      const role =
        kind === 'ClusterRole'
          ? context.get<ClusterRole>('rbac.authorization.k8s.io/v1/clusterroles', '', name)
          : context.get<Role>('rbac.authorization.k8s.io/v1/roles', namespace, name);
      const own = `${binding.metadata?.name ?? ''}/${namespace}`;
      for (const rule of role?.rules ?? []) yield { rule, by: `RoleBinding ${quote(own)} of ${kind} ${quote(name)} to ${subjectText(subject, namespace)}` };
    }
  }

  decide(user: UserInfo, attributes: AccessAttributes): Decision {
    if (user.groups.includes('system:masters')) return { allowed: true, reason: '' };
    if ('path' in attributes && isPublicPath(attributes.path, user) && attributes.verb === 'get') return { allowed: true, reason: '' };
    // What the roles system:basic-user and system:discovery give to everybody who is known.
    if (
      !('path' in attributes) &&
      attributes.verb === 'create' &&
      /^selfsubject(access|rules)?reviews$/.test(attributes.resource) &&
      user.groups.includes('system:authenticated')
    ) {
      return { allowed: true, reason: '' };
    }
    const namespace = 'path' in attributes ? '' : attributes.namespace;
    for (const { rule, by } of this.rulesFor(user, namespace)) if (ruleAllows(rule, attributes)) return { allowed: true, reason: `RBAC: allowed by ${by}` };
    return { allowed: false, reason: '' };
  }

  /** Throws 403 in the server's words. */
  require(user: UserInfo, attributes: AccessAttributes): void {
    if (this.decide(user, attributes).allowed) return;
    throw forbidden(user, attributes);
  }
}

function subjectText(subject: Subject, namespace: string): string {
  const name = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : (subject.name ?? '');
  return `${subject.kind} ${quote(name)}`;
}

/** Health and the version are open to everybody (system:public-info-viewer), discovery to whoever is known (system:discovery). */
function isPublicPath(path: string, user: UserInfo): boolean {
  if (/^\/(healthz|livez|readyz|version)(\/|$)/.test(path)) return true;
  return /^\/(api|apis|openapi)(\/|$)/.test(path) && user.groups.includes('system:authenticated');
}

export function forbidden(user: UserInfo, attributes: AccessAttributes): StatusError {
  const who = `User ${quote(user.username)} cannot ${attributes.verb}`;
  if ('path' in attributes) return newForbidden({ group: '', resource: '' }, '', `${who} path ${quote(attributes.path)}`);
  const { group, resource, subresource, namespace, name } = attributes;
  const full = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? `in the namespace ${quote(namespace)}` : 'at the cluster scope';
  const error = newForbidden({ group, resource }, name, `${who} resource ${quote(full)} in API group ${quote(group)} ${where}`);
  return error;
}
