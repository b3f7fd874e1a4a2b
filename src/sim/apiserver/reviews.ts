import { type Authenticator, ISSUER } from './authentication.ts';
import type { AccessAttributes, Authorizer } from './rbac.ts';
import type { UserInfo } from './request-context.ts';
import type { ResourceInfo } from './resources.ts';
import { newBadRequest } from './status-error.ts';

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

/**
 * Resources that are questions: nothing is stored, the answer is in the status
 * (authentication.k8s.io and authorization.k8s.io reviews).
 */
export function answerReview(info: ResourceInfo, object: Json, user: UserInfo, authorizer: Authorizer, authenticator: Authenticator): Json {
  const spec = (object.spec ?? {}) as Json;
  switch (info.kind) {
    case 'SelfSubjectReview':
      return { ...object, status: { userInfo: userInfoOf(user) } };
    case 'TokenReview': {
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
      if (!subject.username && subject.groups.length === 0) throw newBadRequest('at least one of user or group must be specified');
      const { allowed, reason } = authorizer.decide(subject, attributesOf(spec));
      return { ...object, status: { allowed, ...(reason ? { reason } : {}) } };
    }
    case 'SelfSubjectRulesReview': {
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
      return { ...object, status: { resourceRules, nonResourceRules, incomplete: false } };
    }
    default:
      throw newBadRequest(`${info.kind} is not a review`);
  }
}
