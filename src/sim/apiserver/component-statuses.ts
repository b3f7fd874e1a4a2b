import type { ApiObject } from '../client/types.ts';
import type { ResourceInfo } from './resources.ts';
import type { Verbs } from './verbs.ts';

const MESSAGES: Readonly<Record<string, string>> = { 'controller-manager': 'ok', 'etcd-0': 'ok', scheduler: 'ok' };

/**
 * `componentstatuses` are asked of the components at each request and never stored (models
 * `pkg/registry/core/componentstatus`). Here they stand in their bucket, unchanging: the components are this program.
 */
export function addComponentStatuses(verbs: Verbs, info: ResourceInfo): void {
  for (const [name, message] of Object.entries(MESSAGES)) {
    const object = { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions: [{ type: 'Healthy', status: 'True', message }] } as ApiObject;
    verbs.store.seed(info.storage, '', name, object);
  }
}
