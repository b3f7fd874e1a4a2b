import { quote } from '../kinds/field-error.ts';
import type { UserInfo } from './request-context.ts';
import { newBadRequest, newUnauthorized } from './status-error.ts';
import { claimsOf, ISSUER, signedToken } from './token-form.ts';
import type { Verbs } from './verbs.ts';

export { ISSUER } from './token-form.ts';

/** What a client without credentials is on this server: the owner of the cluster, as k3d's kubeconfig makes it. */
export const ADMIN: UserInfo = { username: 'system:admin', groups: ['system:masters', 'system:authenticated'] };

interface TokenClaims {
  sub: string;
  exp: number;
  'kubernetes.io': { namespace: string; serviceaccount: { name: string; uid: string }; pod?: { name: string; uid: string } };
}

/** Makes and reads ServiceAccount tokens (JWTs in form), and decides who a request comes from. */
export class Authenticator {
  readonly #verbs: Verbs;

  constructor(verbs: Verbs) {
    this.#verbs = verbs;
  }

  issueToken(
    namespace: string,
    account: { name: string; uid: string },
    audiences: readonly string[],
    expirationSeconds: number,
    pod?: { name: string; uid: string },
  ): string {
    const now = Math.floor(this.#verbs.kernel.now() / 1000);
    return signedToken({
      aud: audiences,
      exp: now + expirationSeconds,
      iat: now,
      iss: ISSUER,
      'kubernetes.io': { namespace, ...(pod ? { pod } : {}), serviceaccount: account },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${account.name}`,
    });
  }

  /** The user of a token, or undefined when it is not (or no longer) valid. */
  userOfToken(token: string): UserInfo | undefined {
    const claims = claimsOf(token) as TokenClaims | undefined;
    if (claims === undefined) return undefined;
    if (claims.exp * 1000 < this.#verbs.kernel.now()) return undefined;
    const { namespace, serviceaccount, pod } = claims['kubernetes.io'];
    const account = this.#verbs.context.get('v1/serviceaccounts', namespace, serviceaccount.name);
    if (account?.metadata?.uid !== serviceaccount.uid) return undefined;
    return {
      username: claims.sub,
      uid: serviceaccount.uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      ...(pod ? { extra: { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] } } : {}),
    };
  }

  /** Bearer token, or the owner; then impersonation (`--as`). Throws 401. */
  authenticate(headers: Readonly<Record<string, string>>): UserInfo {
    const authorization = headers.authorization ?? '';
    let user: UserInfo = ADMIN;
    if (/^bearer /i.test(authorization)) {
      const known = this.userOfToken(authorization.slice(7).trim());
      if (!known) throw newUnauthorized();
      user = known;
    }
    return user;
  }

  /** Whom a request wants to act as, or undefined. Throws 400. */
  impersonated(headers: Readonly<Record<string, string>>): UserInfo | undefined {
    const username = headers['impersonate-user'];
    const uid = headers['impersonate-uid'] ?? '';
    const given = headers['impersonate-group'];
    const groups = given ? given.split(',').map((group) => group.trim()) : [];
    if (!username) {
      if (!given && !uid) return undefined;
      const list = given ? `[]string{${groups.map(quote).join(', ')}}` : '[]string(nil)';
      const wanted = `&user.DefaultInfo{Name:"", UID:${quote(uid)}, Groups:${list}, Extra:map[string][]string(nil)}`;
      throw newBadRequest(`requested ${wanted} without impersonating a user name`);
    }
    if (username.startsWith('system:serviceaccount:') && groups.length === 0) {
      const namespace = username.split(':')[2] ?? '';
      groups.push('system:serviceaccounts', `system:serviceaccounts:${namespace}`);
    }
    if (!groups.includes('system:authenticated') && username !== 'system:anonymous') groups.push('system:authenticated');
    return { username, groups, ...(uid ? { uid } : {}) };
  }
}
