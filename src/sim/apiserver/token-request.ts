import type { ApiObject } from '../client/types.ts';
import type { Pod } from '../kinds/types.ts';
import { type Authenticator, ISSUER } from './authentication.ts';
import { trackUpdate } from './managed-fields/index.ts';
import type { ResourceInfo } from './resources.ts';
import { type ObjectNode, typeNode } from './schema.ts';
import { newBadRequest, newConflict, newInvalid } from './status-error.ts';
import type { Verbs } from './verbs.ts';

type Json = Record<string, unknown>;

interface BoundObject {
  apiVersion?: string;
  kind?: string;
  name?: string;
  uid?: string;
}

const BINDABLE: Readonly<Record<string, string>> = { Pod: 'v1/pods', Node: 'v1/nodes', Secret: 'v1/secrets' };

/** The object whose life limits a token's. Throws 400, 404 or 409. */
function boundObject(verbs: Verbs, namespace: string, account: string, { apiVersion = '', kind = '', name = '', uid }: BoundObject): ApiObject {
  const id = apiVersion.includes('/') ? undefined : BINDABLE[kind];
  if (!id) throw newBadRequest(`cannot bind token to object of type ${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`);
  const found = verbs.get(verbs.registry.get(id) as ResourceInfo, kind === 'Node' ? '' : namespace, name);
  if (kind === 'Pod' && (found as Pod).spec?.serviceAccountName !== account)
    throw newBadRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`);
  if (uid && uid !== found.metadata?.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw newConflict({ group: '', resource: kind }, name, why);
  }
  return found;
}

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
  const spec = (object.spec ?? {}) as { audiences?: string[]; expirationSeconds?: number; boundObjectRef?: BoundObject };
  const expirationSeconds = spec.expirationSeconds ?? 3600;
  if (expirationSeconds < 600) {
    throw newInvalid({ group: 'authentication.k8s.io', resource: 'TokenRequest' }, '', [
      { type: 'Invalid value', field: 'spec.expirationSeconds', value: String(expirationSeconds), detail: 'may not specify a duration less than 10 minutes' },
    ]);
  }
  const audiences = spec.audiences?.length ? spec.audiences : [ISSUER];
  const bound = spec.boundObjectRef;
  const holder = bound && boundObject(verbs, namespace, name, bound);
  const pod = bound?.kind === 'Pod' && holder ? { name: bound.name ?? '', uid: holder.metadata?.uid ?? '' } : undefined;
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
