import type { ServiceAccountTokenProjection } from '../kinds/types.ts';
import type { PodWorker } from './pod-worker.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function base64Url(text: string): string {
  let out = '';
  let held = 0;
  let bits = 0;
  for (const byte of new TextEncoder().encode(text)) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += ALPHABET[(held >> bits) & 63];
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? out + ALPHABET[(held << (6 - bits)) & 63] : out;
}

/** A bound service account token: a JWT with the claims the real one has. Its signature is made up; the simulated server checks none. */
export function serviceAccountToken(worker: PodWorker, projection: ServiceAccountTokenProjection): string {
  const { pod, kubelet } = worker;
  const namespace = pod.metadata?.namespace ?? '';
  const account = pod.spec?.serviceAccountName ?? 'default';
  const uid = kubelet.client.resource('v1/serviceaccounts').get(namespace, account)?.metadata?.uid ?? '';
  const issuedAt = Math.floor(kubelet.kernel.now() / 1000);
  const claims = {
    aud: [projection.audience ?? 'https://kubernetes.default.svc.cluster.local'],
    exp: issuedAt + 31_536_000,
    iat: issuedAt,
    iss: 'https://kubernetes.default.svc.cluster.local',
    'kubernetes.io': {
      namespace,
      node: { name: kubelet.nodeName },
      pod: { name: pod.metadata?.name, uid: worker.uid },
      serviceaccount: { name: account, uid },
      warnafter: issuedAt + (projection.expirationSeconds ?? 3607),
    },
    nbf: issuedAt,
    sub: `system:serviceaccount:${namespace}:${account}`,
  };
  const header = { alg: 'RS256', kid: 'chartroom' };
  return `${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(claims))}.${base64Url(worker.uid.repeat(7).slice(0, 256))}`;
}
