/** The server's address in the reader's kubeconfig. Nothing listens there: inside the program it names the simulated API server. */
export const CLUSTER_ADDRESS = 'https://172.18.0.2:6443';

/** A kubeconfig as k3d writes one, for context k3d-demo. */
export function kubeconfig(server: string): string {
  return `apiVersion: v1
clusters:
- cluster:
    server: ${server}
  name: k3d-demo
contexts:
- context:
    cluster: k3d-demo
    user: admin@k3d-demo
  name: k3d-demo
current-context: k3d-demo
kind: Config
users:
- name: admin@k3d-demo
  user: {}
`;
}
