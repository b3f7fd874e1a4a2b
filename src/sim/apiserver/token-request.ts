import type { ApiObject } from '../client/types.ts';
import { type Authenticator, ISSUER } from './authentication.ts';
import { trackUpdate } from './managed-fields/index.ts';
import type { ResourceInfo } from './resources.ts';
import { type ObjectNode, typeNode } from './schema.ts';
import { newConflict, newInvalid } from './status-error.ts';
import type { Verbs } from './verbs.ts';

type Json = Record<string, unknown>;

/** `serviceaccounts/token`: a TokenRequest answered. */
export function requestToken(
  verbs: Verbs,
  authenticator: Authenticator,
  info: ResourceInfo,
  namespace: string,
  name: string,
  object: Json,
  manager: string,
): Json {
  const account = verbs.get(info, namespace, name);
  const spec = (object.spec ?? {}) as { audiences?: string[]; expirationSeconds?: number; boundObjectRef?: { kind?: string; name?: string; uid?: string } };
  const expirationSeconds = spec.expirationSeconds ?? 3600;
  if (expirationSeconds < 600) {
    throw newInvalid({ group: 'authentication.k8s.io', resource: 'TokenRequest' }, '', [
      { type: 'Invalid value', field: 'spec.expirationSeconds', value: String(expirationSeconds), detail: 'may not specify a duration less than 10 minutes' },
    ]);
  }
  const audiences = spec.audiences?.length ? spec.audiences : [ISSUER];
  const bound = spec.boundObjectRef;
  if (bound?.kind === 'Pod' && bound.uid) {
    const pod = verbs.context.get('v1/pods', namespace, bound.name ?? '');
    if (pod?.metadata?.uid !== bound.uid)
      throw newConflict(
        { group: '', resource: 'Pod' },
        bound.name ?? '',
        `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
  }
  const pod = bound?.kind === 'Pod' && bound.name && bound.uid ? { name: bound.name, uid: bound.uid } : undefined;
  const token = authenticator.issueToken(namespace, { name, uid: account.metadata?.uid ?? '' }, audiences, expirationSeconds, pod);
  const expirationTimestamp = `${new Date(verbs.kernel.now() + expirationSeconds * 1000).toISOString().slice(0, 19)}Z`;
  const own: ResourceInfo = {
    ...info,
    groupVersion: 'authentication.k8s.io/v1',
    node: typeNode('io.k8s.api.authentication.v1.TokenRequest') as ObjectNode,
    subresources: new Map(),
  };
  const managed = { managedFields: trackUpdate(own, undefined, { metadata: {}, spec } as ApiObject, manager, 'token', verbs.now()).metadata?.managedFields };
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: verbs.now(), ...managed },
    spec: { audiences, expirationSeconds, boundObjectRef: bound ?? null },
    status: { token, expirationTimestamp },
  };
}
