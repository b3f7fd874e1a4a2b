import { randomSuffix } from '../../../kernel/index.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../strategy.ts';
import type { Pod, ServiceAccount, Volume } from '../types.ts';
import { refuse } from './request.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';

/** Where a container finds its token, the cluster's certificate and its namespace. */
const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
    defaultMode: 420,
  },
});

function mountToken(request: AdmissionRequest, pod: Pod): void {
  const spec = pod.spec ?? {};
  const present = spec.volumes?.find(({ name }) => name?.startsWith(VOLUME_PREFIX))?.name;
  const name = present ?? VOLUME_PREFIX + randomSuffix(request.context.random);
  let needed = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === TOKEN_PATH)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: TOKEN_PATH }];
    needed = true;
  }
  if (needed && present === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

/** `plugin/pkg/admission/serviceaccount`: names the account, mounts its token, adds its pull secrets. */
export const serviceAccountPlugin: AdmissionPlugin = {
  name: 'ServiceAccount',
  admit(request) {
    if (request.resource !== 'v1/pods' || request.subresource !== '' || request.operation !== 'CREATE') return;
    const pod = request.object as Pod;
    const spec = pod.spec ?? {};
    if (pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
      if (spec.serviceAccountName) throw refuse(request, 'a mirror pod may not reference service accounts');
      return;
    }
    const name = spec.serviceAccountName || 'default';
    spec.serviceAccountName = name;
    spec.serviceAccount = name;
    const account = request.context.get<ServiceAccount>('v1/serviceaccounts', request.namespace, name);
    if (!account) throw refuse(request, `error looking up service account ${request.namespace}/${name}: serviceaccount "${name}" not found`);
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(request, pod);
    if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
      spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ name: secret.name }));
    }
  },
};
