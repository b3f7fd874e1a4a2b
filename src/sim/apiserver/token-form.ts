/** Who signs ServiceAccount tokens, and whom they are for unless they say otherwise. */
export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

function base64Url(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** A checksum in the place of a signature: enough to tell our tokens from made-up ones in a simulated cluster. */
function sign(text: string): string {
  let hash = 0x811c9dc5;
  let out = '';
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i) ^ round, 0x01000193) >>> 0;
    out += String.fromCharCode(hash >>> 24, (hash >>> 16) & 255, (hash >>> 8) & 255, hash & 255);
  }
  return base64Url(out);
}

/** A JWT in form. */
export function signedToken(claims: object): string {
  const body = `${base64Url(JSON.stringify({ alg: 'RS256', kid: 'simulated' }))}.${base64Url(JSON.stringify(claims))}`;
  return `${body}.${sign(body)}`;
}

/** The claims of a token that this cluster has signed; undefined for anything else. */
export function claimsOf(token: string): unknown {
  const [header, payload, signature] = token.split('.');
  if (!header || !payload || signature !== sign(`${header}.${payload}`)) return undefined;
  try {
    return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    return undefined;
  }
}
