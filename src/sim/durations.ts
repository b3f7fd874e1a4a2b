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
  /**
   * kubelet: the pull of the local-path provisioner's helper image, which comes from afar. With it the first claim of a node takes
   * about 13 s, later ones 3 to 4 s, as measured.
   */
  helperImagePullMs: [9_600, 10_400],
  /** kubelet: an image pull from a registry next door. Measured 16 to 39. */
  imagePullMs: [14, 42],
  /** kubelet: a pull that fails at once. Measured about 20. */
  imagePullFailMs: [12, 40],
  /** container runtime: from a process' end (or SIGKILL) to StopContainer's return. Measured 120 to 350. */
  containerStopMs: [120, 240],
  /** container runtime: stopping a sandbox. Measured about 100. */
  sandboxStopMs: [60, 120],
  /** container runtime: starting an exec. Measured 40 to 120 (kubectl exec took 160 to 320 altogether). */
  execStartMs: [40, 90],
  /** kubelet: period of the pod lifecycle event generator and of the sync ticker (Kubernetes: 1 s each). */
  kubeletTickMs: 1_000,
  /** kubelet: reaction to a change of a Pod it has (an update, a deletion). Measured 10 to 40. */
  kubeletUpdateMs: [8, 30],
  /** kubelet: lease renewal (Kubernetes: 10 s) and status heartbeat without changes (5 min). */
  leaseRenewMs: 10_000,
  nodeStatusReportMs: 300_000,
  /** EndpointSlice change to rules on the nodes and to CoreDNS. */
  endpointsProgrammingMs: [20, 120],
} as const;

/** A whole number of milliseconds from a range of the table. */
export function drawMs(random: { between(min: number, max: number): number }, range: readonly [number, number]): number {
  return Math.round(random.between(range[0], range[1]));
}
