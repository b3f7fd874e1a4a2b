import type { Disposable } from '../../../kernel/index.ts';
import type { Job, Pod } from '../../kinds/types.ts';
import { claimObjects } from '../claim-ref.ts';
import { Controller, type ControllerContext } from '../controller.ts';
import { ignoreNotFound } from '../errors.ts';
import { selectorMatcher } from '../labels.ts';
import { cause, controllerOf, equal, isDeleting, keyOf, labelsOf, nameOf, namespaceOf, refOf, splitKey, uidOf } from '../object.ts';
import { PodWriter } from '../pod-writer.ts';
import { isPodReady, podInformer, podsOfOwner } from '../pods.ts';
import { type Backoff, FINALIZER } from './job-pods.ts';
import { isFinished, JOB, JOB_ACTOR, JobSync } from './sync.ts';

/** Pod changes are gathered for a second before a Job is looked at again (syncJobBatchPeriod). */
const BATCH_MS = 1_000;

/** The Job controller of v1.36 (pkg/controller/job). */
export function startJobController(context: ControllerContext): Disposable {
  const { kernel, client } = context;
  const pods = podInformer(client);
  const jobs = client.informer<Job>(JOB.resource);
  const writer = new PodWriter(client, JOB_ACTOR, JOB);
  const backoffs = new Map<string, Backoff>();
  const controller = new Controller(context, { name: JOB_ACTOR, sync });

  function sync(key: string): void {
    const [namespace, name] = splitKey(key);
    const job = jobs.get(namespace, name);
    const managedElsewhere = job?.spec?.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller';
    if (!job || isFinished(job) || managedElsewhere) return;
    const matches = selectorMatcher(job.spec?.selector);
    const members = claimObjects<Pod>({
      actor: JOB_ACTOR,
      owner: job,
      ownerKind: JOB,
      childResource: 'v1/pods',
      children: client.resource<Pod>('v1/pods'),
      candidates: podsOfOwner(pods, job, true),
      matches: (pod) => matches(labelsOf(pod)),
      fresh: () => client.resource<Job>(JOB.resource).get(namespace, name),
    });
    const run = new JobSync(kernel, client, writer, backoffs, job, members);
    try {
      run.run();
    } finally {
      if (run.againMs !== undefined) controller.queue.addAfter(key, run.againMs);
    }
  }

  function ownerOf(pod: Pod): Job | undefined {
    const ref = controllerOf(pod);
    if (ref?.kind !== JOB.kind) return undefined;
    const job = jobs.get(namespaceOf(pod), ref.name ?? '');
    return job && uidOf(job) === ref.uid ? job : undefined;
  }

  /** A Pod that no Job counts any more must not be held by the finalizer. */
  function releaseOrphan(pod: Pod): void {
    const ref = controllerOf(pod);
    if (!pod.metadata?.finalizers?.includes(FINALIZER) || (ref && ref.kind !== JOB.kind)) return;
    const job = ownerOf(pod);
    if (job && !isFinished(job)) return;
    const finalizers = pod.metadata.finalizers.filter((one) => one !== FINALIZER);
    const because = cause(JOB_ACTOR, 'job/release-orphan', refOf(pod, 'v1/pods'));
    ignoreNotFound(() => {
      client
        .resource<Pod>('v1/pods')
        .patch(namespaceOf(pod), nameOf(pod), { metadata: { finalizers: finalizers.length > 0 ? finalizers : null } }, { cause: because });
    });
  }

  const orphans = controller.own(
    new Controller(context, {
      name: JOB_ACTOR,
      sync: (key) => {
        const pod = pods.get(...splitKey(key));
        if (pod) releaseOrphan(pod);
      },
    }),
  );

  controller.watch<Job>(JOB.resource, ({ type, object: job, old }) => {
    if (type === 'DELETED') {
      backoffs.delete(uidOf(job));
      for (const pod of pods.byIndex('owner', uidOf(job))) orphans.queue.add(keyOf(pod));
      return;
    }
    if (isFinished(job)) {
      for (const pod of pods.byIndex('owner', uidOf(job))) if (pod.metadata?.finalizers?.includes(FINALIZER)) orphans.queue.add(keyOf(pod));
      return;
    }
    // Its own status writes are gathered; a change of the spec is acted on at once.
    if (!old || old.metadata?.generation !== job.metadata?.generation || isDeleting(job)) controller.queue.add(keyOf(job));
    else controller.queue.addAfter(keyOf(job), BATCH_MS);
  });
  controller.watch<Pod>('v1/pods', ({ type, object: pod, old }) => {
    const owner = ownerOf(pod);
    if (owner && !isFinished(owner)) {
      const unseen = type === 'MODIFIED' && old && equal(claimOf(old), claimOf(pod)) && old.status?.phase === pod.status?.phase;
      const quiet = unseen && isDeleting(old) === isDeleting(pod) && isPodReady(old) === isPodReady(pod);
      if (!quiet) controller.queue.addAfter(keyOf(owner), BATCH_MS);
    } else if (type !== 'DELETED' && pod.metadata?.finalizers?.includes(FINALIZER)) orphans.queue.add(keyOf(pod));
    if (!controllerOf(pod) && type !== 'DELETED' && !isDeleting(pod)) {
      for (const job of jobs.list(namespaceOf(pod))) if (selectorMatcher(job.spec?.selector)(labelsOf(pod))) controller.queue.addAfter(keyOf(job), BATCH_MS);
    }
  });
  return controller;
}

/** What decides whose Pod it is and whether it still counts. */
function claimOf({ metadata }: Pod): unknown {
  return [metadata?.finalizers, metadata?.labels, metadata?.ownerReferences];
}
