export { ClusterNetwork, type ClusterNetworkOptions, createClusterNetwork, type PodAttachment, type PodSandbox } from './cluster-network.ts';
export type { Draw } from './service-proxy.ts';
export type { OwnedStack } from './stack.ts';
