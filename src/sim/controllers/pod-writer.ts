import type { ApiObject, Client } from '../client/types.ts';
import type { Pod, PodTemplateSpec } from '../kinds/types.ts';
import { isNamespaceTerminating, isNotFound, SyncError } from './errors.ts';
import { cause, type Identified, nameOf, namespaceOf, newControllerRef, refOf, regarding } from './object.ts';
import { podFromTemplate } from './pods.ts';

/** controller.RealPodControl: creates and deletes an owner's Pods, with its Events. */
export class PodWriter {
  readonly #client: Client;
  readonly #actor: string;
  readonly #kind: Identified;

  constructor(client: Client, actor: string, kind: Identified) {
    this.#client = client;
    this.#actor = actor;
    this.#kind = kind;
  }

  /** Creates a Pod from the template; `adjust` may change it first. */
  create(owner: ApiObject, template: PodTemplateSpec | undefined, rule: string, adjust?: (pod: Pod) => void): Pod {
    const pod = podFromTemplate(template, owner, newControllerRef(owner, this.#kind));
    adjust?.(pod);
    try {
      const created = this.#client.resource<Pod>('v1/pods').create(pod, { cause: cause(this.#actor, rule, refOf(owner, this.#kind.resource)) });
      this.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${nameOf(created)}`);
      return created;
    } catch (error) {
      if (!isNamespaceTerminating(error)) this.event(owner, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
      throw error;
    }
  }

  delete(owner: ApiObject, pod: Pod, rule: string): void {
    try {
      this.#client
        .resource<Pod>('v1/pods')
        .delete(namespaceOf(pod), nameOf(pod), { cause: cause(this.#actor, rule, refOf(owner, this.#kind.resource), { pod: nameOf(pod) }) });
    } catch (error) {
      if (isNotFound(error)) return;
      this.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`);
      throw new SyncError(`unable to delete pods: ${(error as Error).message}`);
    }
    this.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${nameOf(pod)}`);
  }

  event(owner: ApiObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#client.event({
      regarding: regarding(owner, this.#kind),
      type,
      reason,
      message,
      component: this.#actor,
      cause: cause(this.#actor, 'controller/event', refOf(owner, this.#kind.resource)),
    });
  }
}

/** Runs `count` jobs in batches of 1, 2, 4 …; after a failing batch the rest is left for the next sync. Returns [successes, failure]. */
export function slowStartBatch(count: number, job: () => void): [number, unknown] {
  let remaining = count;
  let successes = 0;
  for (let batch = Math.min(count, 1); batch > 0; batch = Math.min(batch * 2, remaining)) {
    let failure: unknown;
    for (let i = 0; i < batch; i++) {
      try {
        job();
        successes++;
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure) return [successes, failure];
    remaining -= batch;
  }
  return [successes, undefined];
}
