import type { ReadinessView } from './api-status.ts';
import type { Kubelet } from './kubelet.ts';
import type { ProbeVerdict } from './pod-actions.ts';
import type { PodWorker } from './pod-worker.ts';

export class ProbeManager {
  readonly verdict: ProbeVerdict = () => undefined;
  readonly kubelet: Kubelet;
  constructor(kubelet: Kubelet) {
    this.kubelet = kubelet;
  }
  view(_uid: string): ReadinessView {
    return { started: () => true, ready: () => true };
  }
  addPod(_worker: PodWorker): void {}
  stopLivenessAndStartup(_uid: string): void {}
  removePod(_uid: string): void {}
  containerEnded(_id: string): void {}
  dispose(): void {}
}
