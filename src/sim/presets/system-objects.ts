import type { Kernel } from '../../kernel/index.ts';
import type { ApiObject, Client, ResourceId } from '../client/types.ts';
import { podTemplateHash } from '../controllers/hash.ts';
import type { Deployment, Pod } from '../kinds/types.ts';
import { coreDnsObjects } from './coredns.ts';
import { localPathObjects } from './local-path.ts';
import type { Preset } from './preset.ts';
import { rbacObjects } from './rbac.ts';
import type { Seed } from './seed.ts';

const NAMESPACE = 'kube-system';
/** As on the reference cluster (tests/conformance/corpus/kubectl-errors.json, get all -A). */
const SYSTEM_POD_SUFFIXES = { coredns: '28fjb', 'local-path-provisioner': '6z4hr' };
const ROLES_AT_ONCE = 8;

/** What the API server makes by itself when it starts: namespaces, priority classes, the kubernetes Service and its endpoints. */
function apiServerObjects(preset: Preset): Seed[] {
  const seeds: Seed[] = [];
  for (const name of ['kube-system', 'kube-public', 'kube-node-lease', 'default']) {
    seeds.push(['v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }]);
  }
  const priority = (name: string, value: number, description: string): Seed => [
    'scheduling.k8s.io/v1/priorityclasses',
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, description },
  ];
  seeds.push(priority('system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'));
  seeds.push(
    priority(
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
  );
  seeds.push([
    'networking.k8s.io/v1/servicecidrs',
    { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.43.0.0/16'] } },
  ]);
  seeds.push([
    'v1/services',
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        clusterIP: '10.43.0.1',
        clusterIPs: ['10.43.0.1'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
        sessionAffinity: 'None',
        type: 'ClusterIP',
      },
    },
  ]);
  const configMap = (name: string, data: Record<string, string>): Seed => [
    'v1/configmaps',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: NAMESPACE }, data },
  ];
  seeds.push(
    configMap('extension-apiserver-authentication', {
      'requestheader-allowed-names': '["system:auth-proxy"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    }),
    configMap('kube-apiserver-legacy-service-account-token-tracking', { since: '2026-11-23' }),
  );
  const ip = preset.nodes[0]?.ip ?? '';
  const ports = [{ name: 'https', port: 6443, protocol: 'TCP' }];
  seeds.push([
    'v1/endpoints',
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip }], ports }],
    },
  ]);
  seeds.push([
    'discovery.k8s.io/v1/endpointslices',
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [ip], conditions: { ready: true } }],
      ports,
    },
  ]);
  return seeds;
}

function createSeeds(client: Client, actor: string, seeds: readonly Seed[]): void {
  for (const [resource, object] of seeds) {
    const { namespace = '', name = '' } = object.metadata ?? {};
    if (!client.resource(resource).get(namespace, name)) client.resource(resource).create(object, { cause: { actor, rule: 'cluster/bootstrap' } });
  }
}

/** The controllers' roles come a handful at a time once the reader has the cluster: nobody asks for them in the first second. */
export function createControllerRoles(kernel: Kernel, client: Client): void {
  const seeds = rbacObjects('controllers');
  for (let at = 0; at < seeds.length; at += ROLES_AT_ONCE) {
    kernel.timer(1_000 + at * 20, () => createSeeds(client, 'kube-apiserver', seeds.slice(at, at + ROLES_AT_ONCE)));
  }
}

/** Creates what a fresh cluster has; nodes and Pods come from kubelets and controllers. */
export function createSystemObjects(client: Client, preset: Preset): void {
  const create = (actor: string, seeds: readonly Seed[]): void => createSeeds(client, actor, seeds);
  create('kube-apiserver', apiServerObjects(preset));
  create('kube-apiserver', rbacObjects('general'));
  create('kubectl', coreDnsObjects(preset));
  create('kubectl', localPathObjects());
  for (const [name, suffix] of Object.entries(SYSTEM_POD_SUFFIXES)) createSystemPod(client, name, suffix);
}

/** The Pod of a system Deployment under its recorded name; the Deployment's ReplicaSet adopts it as its own. */
function createSystemPod(client: Client, deploymentName: string, suffix: string): void {
  const deployment = client.resource<Deployment>('apps/v1/deployments').get(NAMESPACE, deploymentName);
  if (!deployment) return;
  const template = deployment.spec?.template;
  const hash = podTemplateHash(template, undefined);
  const generateName = `${deploymentName}-${hash}-`;
  client.resource<Pod>('v1/pods').create(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${generateName}${suffix}`, generateName, namespace: NAMESPACE, labels: { ...template?.metadata?.labels, 'pod-template-hash': hash } },
      spec: structuredClone(template?.spec ?? {}),
    },
    { cause: { actor: 'replicaset-controller', rule: 'cluster/bootstrap' } },
  );
}

/** Events of the start are an hour old and gone by the time the reader comes: namespace default has none. */
export function expireBootEvents(client: Client): void {
  const cause = { actor: 'kube-apiserver', rule: 'event/expired' };
  for (const event of client.resource('v1/events').list('default')) client.resource('v1/events').delete('default', event.metadata?.name ?? '', { cause });
}
