import { Check } from '../kinds/check.ts';
import { type Authenticator, ISSUER } from './authentication.ts';
import type { AccessAttributes, Authorizer } from './rbac.ts';
import type { UserInfo } from './request-context.ts';
import type { ResourceInfo } from './resources.ts';
import { newBadRequest, newInvalid } from './status-error.ts';

type Json = Record<string, unknown>;

function attributesOf(spec: Json): AccessAttributes {
  const resource = spec.resourceAttributes as Json | undefined;
  if (resource) {
    return {
      verb: String(resource.verb ?? ''),
      group: String(resource.group ?? ''),
      resource: String(resource.resource ?? ''),
      subresource: String(resource.subresource ?? ''),
      namespace: String(resource.namespace ?? ''),
      name: String(resource.name ?? ''),
    };
  }
  const path = (spec.nonResourceAttributes ?? {}) as Json;
  return { verb: String(path.verb ?? ''), path: String(path.path ?? '') };
}

function userInfoOf(user: UserInfo): Json {
  return { username: user.username, ...(user.uid ? { uid: user.uid } : {}), groups: user.groups, ...(user.extra ? { extra: user.extra } : {}) };
}

/** The rules of access reviews (`pkg/apis/authorization/validation`). Throws 422; the server names no kind in it. */
function checkAccessReview(kind: string, { metadata, spec }: { metadata?: Json; spec: Json }): void {
  const check = new Check();
  const resource = spec.resourceAttributes as Json | undefined;
  const path = spec.nonResourceAttributes as Json | undefined;
  const internal = path && { Path: path.path ?? '', Verb: path.verb ?? '' };
  if (resource && path) check.invalid('spec.nonResourceAttributes', internal, 'cannot be specified in combination with resourceAttributes');
  if (!resource && !path) check.invalid('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified');
  const anyone = spec.user || ((spec.groups as string[] | undefined) ?? []).length > 0;
  if (kind !== 'SelfSubjectAccessReview' && !anyone) check.invalid('spec.user', '', 'at least one of user or group must be specified');
  const local = kind === 'LocalSubjectAccessReview';
  const allowed = local ? ['managedFields', 'namespace'] : ['managedFields'];
  if (Object.keys(metadata ?? {}).some((key) => !allowed.includes(key)))
    check.invalid('metadata', metadata, local ? 'must be empty except for namespace' : 'must be empty');
  if (local && resource && (resource.namespace ?? '') !== (metadata?.namespace ?? ''))
    check.invalid('spec.resourceAttributes.namespace', resource.namespace ?? '', 'must match metadata.namespace');
  if (local && path) check.invalid('spec.nonResourceAttributes', internal, 'disallowed on this kind of request');
  if (check.errors.length > 0) throw newInvalid({ group: 'authorization.k8s.io', resource: '' }, '', check.errors);
}

/**
 * Resources that are questions: nothing is stored, the answer is in the status
 * (authentication.k8s.io and authorization.k8s.io reviews).
 */
export function answerReview(info: ResourceInfo, object: Json, user: UserInfo, authorizer: Authorizer, authenticator: Authenticator): Json {
  const spec = (object.spec ?? {}) as Json;
  if (info.kind.endsWith('AccessReview')) checkAccessReview(info.kind, { metadata: object.metadata as Json | undefined, spec });
  switch (info.kind) {
    case 'SelfSubjectReview':
      return { ...object, status: { userInfo: userInfoOf(user) } };
    case 'TokenReview': {
      if (!spec.token) throw newBadRequest('token is required for TokenReview in authentication');
      const known = authenticator.userOfToken(String(spec.token ?? ''));
      const status = known ? { authenticated: true, user: userInfoOf(known), audiences: [ISSUER] } : { user: {}, error: '[invalid bearer token, unknown]' };
      return { ...object, status };
    }
    case 'SelfSubjectAccessReview': {
      const { allowed, reason } = authorizer.decide(user, attributesOf(spec));
      return { ...object, status: { allowed, ...(reason ? { reason } : {}) } };
    }
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview': {
      const subject: UserInfo = { username: String(spec.user ?? ''), groups: (spec.groups as string[] | undefined) ?? [] };
      const { allowed, reason } = authorizer.decide(subject, attributesOf(spec));
      return { ...object, status: { allowed, ...(reason ? { reason } : {}) } };
    }
    case 'SelfSubjectRulesReview': {
      if (!spec.namespace) throw newBadRequest('no namespace on request');
      const resourceRules: Json[] = [];
      const nonResourceRules: Json[] = [];
      for (const { rule } of authorizer.rulesFor(user, String(spec.namespace ?? ''))) {
        if ((rule.resources?.length ?? 0) > 0) {
          resourceRules.push({
            verbs: rule.verbs,
            apiGroups: rule.apiGroups,
            resources: rule.resources,
            ...(rule.resourceNames ? { resourceNames: rule.resourceNames } : {}),
          });
        }
        if ((rule.nonResourceURLs?.length ?? 0) > 0) nonResourceRules.push({ verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs });
      }
      if (user.groups.includes('system:masters') && resourceRules.length === 0) {
        resourceRules.push({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] });
        nonResourceRules.push({ verbs: ['*'], nonResourceURLs: ['*'] });
      }
      return { kind: object.kind, apiVersion: object.apiVersion, metadata: {}, spec: {}, status: { resourceRules, nonResourceRules, incomplete: false } };
    }
    default:
      throw newBadRequest(`${info.kind} is not a review`);
  }
}
