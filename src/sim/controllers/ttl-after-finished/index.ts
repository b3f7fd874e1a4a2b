import type { Disposable } from '../../../kernel/index.ts';
import type { Job } from '../../kinds/types.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { ignoreNotFound } from '../errors.ts';
import { conditionOf, JOB } from '../job/sync.ts';
import { cause, isDeleting, keyOf, msOf, nameOf, namespaceOf, refOf, splitKey, uidOf } from '../object.ts';

const ACTOR = 'ttl-after-finished-controller';

/** Deletes finished Jobs after ttlSecondsAfterFinished (pkg/controller/ttlafterfinished). */
export function startTtlAfterFinishedController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const jobs = client.informer<Job>(JOB.resource);
  const controller = new Controller(context, { name: ACTOR, sync });

  function sync(key: string): void {
    const job = jobs.get(...splitKey(key));
    const seconds = job?.spec?.ttlSecondsAfterFinished;
    const finished = job ? (conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed')) : undefined;
    if (!job || seconds === undefined || !finished || isDeleting(job)) return;
    const leftMs = msOf(finished.lastTransitionTime) + seconds * 1000 - kernel.now();
    if (leftMs > 0) {
      controller.queue.addAfter(key, leftMs);
      return;
    }
    ignoreNotFound(() =>
      client.resource<Job>(JOB.resource).delete(namespaceOf(job), nameOf(job), {
        cause: cause(ACTOR, 'ttl/expired', refOf(job, JOB.resource)),
        propagationPolicy: 'Foreground',
        preconditions: { uid: uidOf(job) },
      }),
    );
  }

  controller.watch<Job>(JOB.resource, ({ type, object }) => {
    if (type !== 'DELETED' && object.spec?.ttlSecondsAfterFinished !== undefined) controller.queue.add(keyOf(object));
  });
  return controller;
}
