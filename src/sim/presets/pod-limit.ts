import { newForbidden } from '../apiserver/status-error.ts';
import type { WriteRecord } from '../cluster.ts';
import type { AdmissionPlugin } from '../kinds/strategy.ts';

/** Keeps a reader's page from drowning in Pods: more than the limit are refused as by a quota. Not a part of Kubernetes. */
export class PodLimit {
  readonly plugin: AdmissionPlugin;
  #count = 0;

  constructor(limit: number) {
    this.plugin = {
      name: 'PodLimit',
      validate: (request) => {
        if (request.operation !== 'CREATE' || request.resource !== 'v1/pods' || request.subresource !== '' || this.#count < limit) return;
        const message = `exceeded quota: cluster-limit, requested: pods=1, used: pods=${this.#count}, limited: pods=${limit}`;
        throw newForbidden({ group: '', resource: 'pods' }, request.name, message);
      },
    };
  }

  observe(write: WriteRecord): void {
    if (write.resource !== 'v1/pods') return;
    if (write.type === 'ADDED') this.#count++;
    else if (write.type === 'DELETED') this.#count--;
  }
}
