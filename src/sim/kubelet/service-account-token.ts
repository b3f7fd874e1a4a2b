import { ISSUER, signedToken } from '../apiserver/token-form.ts';
import type { ServiceAccountTokenProjection } from '../kinds/types.ts';
import type { PodWorker } from './pod-worker.ts';

/** A bound service account token: a JWT with the claims the real one has. Left out: asking the API server for it. */
export function serviceAccountToken(worker: PodWorker, projection: ServiceAccountTokenProjection): string {
  const { pod, kubelet } = worker;
  const namespace = pod.metadata?.namespace ?? '';
  const account = pod.spec?.serviceAccountName ?? 'default';
  const uid = kubelet.client.resource('v1/serviceaccounts').get(namespace, account)?.metadata?.uid ?? '';
  const issuedAt = Math.floor(kubelet.kernel.now() / 1000);
  return signedToken({
    aud: [projection.audience ?? ISSUER],
    exp: issuedAt + 31_536_000,
    iat: issuedAt,
    iss: ISSUER,
    'kubernetes.io': {
      namespace,
      node: { name: kubelet.nodeName },
      pod: { name: pod.metadata?.name, uid: worker.uid },
      serviceaccount: { name: account, uid },
      warnafter: issuedAt + (projection.expirationSeconds ?? 3607),
    },
    nbf: issuedAt,
    sub: `system:serviceaccount:${namespace}:${account}`,
  });
}
