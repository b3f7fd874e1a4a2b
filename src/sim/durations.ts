/**
 * How long things take, in virtual milliseconds. Where Kubernetes fixes a number, it is Kubernetes' number; the rest
 * was measured on the reference cluster (see tests/conformance/corpus). A pair is a range drawn from evenly.
 */
export const DURATIONS = {
  /** kubectl: process start, discovery cache, TLS. Measured 80 to 140. */
  kubectlStartMs: [70, 110],
  /** Informer and worker of a controller. */
  controllerLatencyMs: 3,
  /** scheduler: from seeing a Pod to its binding. Measured 5 to 20. */
  scheduleMs: [4, 12],
  /** kubelet: from seeing the binding to the first status write (ContainerCreating). Measured 10 to 60. */
  kubeletAdmitMs: [10, 40],
  /** kubelet: sandbox and network. Measured 450 to 600. */
  sandboxMs: [420, 560],
  /** kubelet: create and start one container. Measured 50 to 250. */
  containerStartMs: [60, 180],
  /** local-path provisioner with its helper Pod, first use on a node. Measured about 13 s. */
  provisionMs: [12_600, 13_600],
  /** EndpointSlice change to rules on the nodes and to CoreDNS. */
  endpointsProgrammingMs: [20, 120],
} as const;
