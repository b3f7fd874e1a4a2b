import type { Container } from '../kinds/types.ts';
import type { ContainerMount } from './launcher.ts';
import type { Kubelet } from './kubelet.ts';
import type { PodWorker } from './pod-worker.ts';

export class VolumeStore {}

export class VolumeManager {
  constructor(_kubelet: Kubelet, _store: VolumeStore) {}
  async waitForMounts(_worker: PodWorker): Promise<boolean> {
    return true;
  }
  mountsFor(_worker: PodWorker, _spec: Container): ContainerMount[] {
    return [];
  }
  async unmount(_worker: PodWorker): Promise<void> {}
}
