import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { compareStrings, type Obj } from '../util/object.ts';
import { finish, metadataOf, nameFromArgs } from './common.ts';

const RBAC = 'rbac.authorization.k8s.io';
const RESOURCE_VERBS = new Set(
  '* get delete list create update patch watch proxy deletecollection use bind escalate impersonate approve sign attest'.split(' '),
);
const SPECIAL_VERBS: Record<string, string[]> = {
  use: ['podsecuritypolicies.policy', 'podsecuritypolicies.extensions'],
  bind: [`roles.${RBAC}`, `clusterroles.${RBAC}`],
  escalate: [`roles.${RBAC}`, `clusterroles.${RBAC}`],
  impersonate: ['users', 'serviceaccounts', 'groups', 'userextras.authentication.k8s.io'],
};
const NON_RESOURCE_VERBS = new Set('* get post put delete patch head options'.split(' '));

interface RuleParts {
  verbs: string[];
  rules: Obj[];
}

async function policyRules(session: Session, nonResourceUrls: string[]): Promise<RuleParts> {
  const { flags } = session;
  const given = flags.list('verb');
  const verbs = given.includes('*') ? ['*'] : [...new Set(given)];
  if (verbs.length === 0) throw new CliError('at least one verb must be specified');
  const resources: { resource: string; group: string; sub: string }[] = [];
  for (const text of flags.list('resource')) {
    const slash = text.indexOf('/');
    const head = slash < 0 ? text : text.slice(0, slash);
    const dot = head.indexOf('.');
    const entry = { resource: dot < 0 ? head : head.slice(0, dot), group: dot < 0 ? '' : head.slice(dot + 1), sub: slash < 0 ? '' : text.slice(slash + 1) };
    if (entry.resource === '*' && dot < 0 && slash < 0) {
      resources.splice(0, resources.length, entry);
      break;
    }
    resources.push(entry);
  }
  const clusterRole = flags.has('non-resource-url');
  if (resources.length === 0 && nonResourceUrls.length === 0)
    throw new CliError(clusterRole ? 'one of resource or nonResourceURL must be specified' : 'at least one resource must be specified');
  if (resources.length > 0) for (const verb of verbs) if (!RESOURCE_VERBS.has(verb)) await session.err(`Warning: '${verb}' is not a standard resource verb\n`);
  const mapper = await session.mapper();
  const byGroup = new Map<string, string[]>();
  for (const { resource, group, sub } of resources) {
    if (resource === '') throw new CliError('resource must be specified if apiGroup/subresource specified');
    let found = { resource, group };
    let failure: unknown;
    if (resource !== '*') {
      try {
        const mapping = mapper.resourceFor(group === '' ? resource : `${resource}.${group}`);
        found = { resource: mapping.resource, group: mapping.group };
      } catch (error) {
        failure = error;
      }
      for (const verb of verbs) {
        const special = SPECIAL_VERBS[verb];
        if (!special) continue;
        if (!special.includes(found.group === '' ? found.resource : `${found.resource}.${found.group}`)) {
          throw new CliError(`can not perform '${verb}' on '${found.resource}' in group '${found.group}'`);
        }
        failure = undefined;
      }
      if (failure) throw failure;
    }
    const name = sub === '' ? found.resource : `${found.resource}/${sub}`;
    const list = byGroup.get(found.group) ?? [];
    if (!list.includes(name)) list.push(name);
    byGroup.set(found.group, list);
  }
  const names = [...new Set(flags.list('resource-name'))];
  const rules: Obj[] = [...byGroup.keys()]
    .sort(compareStrings)
    .map((group) => ({ verbs, apiGroups: [group], resources: byGroup.get(group), ...(names.length > 0 ? { resourceNames: names } : {}) }));
  return { verbs, rules };
}

/** kubectl create role. */
export async function createRole(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  const { rules } = await policyRules(session, []);
  await finish(session, { kind: 'Role', apiVersion: `${RBAC}/v1`, metadata: metadataOf(session, name), rules }, undefined);
}

/** kubectl create clusterrole. */
export async function createClusterRole(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const urls = flags.list('non-resource-url');
  const aggregation = flags.text('aggregation-rule');
  if (aggregation !== '') {
    if (urls.length + flags.list('verb').length + flags.list('resource').length + flags.list('resource-name').length > 0) {
      throw new CliError('aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames');
    }
    const matchLabels = Object.fromEntries(aggregation.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
    await finish(
      session,
      { kind: 'ClusterRole', apiVersion: `${RBAC}/v1`, metadata: { name }, rules: null, aggregationRule: { clusterRoleSelectors: [{ matchLabels }] } },
      undefined,
    );
    return;
  }
  const { verbs, rules } = await policyRules(session, urls);
  for (const url of urls) {
    for (const verb of verbs) if (!NON_RESOURCE_VERBS.has(verb)) throw new CliError(`invalid verb: '${verb}' for nonResourceURL`);
    if (url === '*') continue;
    if (!url.startsWith('/')) throw new CliError('nonResourceURL should start with /');
    if (url.slice(0, -1).includes('*')) throw new CliError("nonResourceURL only supports wildcard matches when '*' is at the end");
  }
  if (urls.length > 0) rules.push({ verbs, nonResourceURLs: urls });
  await finish(session, { kind: 'ClusterRole', apiVersion: `${RBAC}/v1`, metadata: { name }, rules }, undefined);
}

function subjectsOf(session: Session): Obj[] {
  const { flags } = session;
  return [
    ...flags.list('user').map((user) => ({ kind: 'User', apiGroup: RBAC, name: user })),
    ...flags.list('group').map((group) => ({ kind: 'Group', apiGroup: RBAC, name: group })),
    ...flags.list('serviceaccount').map((account) => {
      const tokens = account.split(':');
      if (tokens.length !== 2 || tokens[0] === '' || tokens[1] === '') throw new CliError('serviceaccount must be <namespace>:<name>');
      return { kind: 'ServiceAccount', name: tokens[1], namespace: tokens[0] };
    }),
  ];
}

/** kubectl create rolebinding. */
export async function createRoleBinding(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const role = flags.text('role');
  const clusterRole = flags.text('clusterrole');
  if ((role === '') === (clusterRole === '')) throw new CliError('exactly one of clusterrole or role must be specified');
  const subjects = subjectsOf(session);
  const roleRef = { apiGroup: RBAC, kind: role === '' ? 'ClusterRole' : 'Role', name: role || clusterRole };
  await finish(
    session,
    { kind: 'RoleBinding', apiVersion: `${RBAC}/v1`, metadata: metadataOf(session, name), ...(subjects.length > 0 ? { subjects } : {}), roleRef },
    'failed to create rolebinding: ',
  );
}

/** kubectl create clusterrolebinding. */
export async function createClusterRoleBinding(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  const subjects = subjectsOf(session);
  const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name: session.flags.text('clusterrole') };
  await finish(
    session,
    { kind: 'ClusterRoleBinding', apiVersion: `${RBAC}/v1`, metadata: { name }, ...(subjects.length > 0 ? { subjects } : {}), roleRef },
    'failed to create clusterrolebinding: ',
  );
}
