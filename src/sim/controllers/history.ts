import type { ApiObject, Client, Informer } from '../client/types.ts';
import type { ControllerRevision, PodTemplateSpec } from '../kinds/types.ts';
import { ensureIndex } from './controller.ts';
import { isAlreadyExists, retryOnConflict } from './errors.ts';
import { revisionHash } from './hash.ts';
import type { Matcher } from './labels.ts';
import { cause, clone, controllerOf, type Identified, labelsOf, msOf, nameOf, namespaceOf, newControllerRef, refOf, stableStringify, uidOf } from './object.ts';

// pkg/controller/history/controller_history.go of v1.36: the revisions of StatefulSets and DaemonSets.

export const CONTROLLER_REVISION: Identified = { apiVersion: 'apps/v1', kind: 'ControllerRevision', resource: 'apps/v1/controllerrevisions' };
const HASH_LABEL = 'controller.kubernetes.io/hash';

export function revisionInformer(client: Client): Informer<ControllerRevision> {
  const informer = client.informer<ControllerRevision>(CONTROLLER_REVISION.resource);
  ensureIndex(informer, 'owner', (revision) => {
    const owner = controllerOf(revision);
    return owner ? [owner.uid ?? ''] : [];
  });
  return ensureIndex(informer, 'orphans', (revision) => (controllerOf(revision) ? [] : [namespaceOf(revision)]));
}

/** Revisions `parent` owns, and orphans its selector matches, oldest first. */
export function listRevisions(informer: Informer<ControllerRevision>, parent: ApiObject, matches: Matcher): ControllerRevision[] {
  const found = [...informer.byIndex('owner', uidOf(parent)), ...informer.byIndex('orphans', namespaceOf(parent))];
  return sortRevisions(found.filter((revision) => matches(labelsOf(revision))));
}

export function sortRevisions(revisions: ControllerRevision[]): ControllerRevision[] {
  return revisions.sort((a, b) => {
    if (a.revision !== b.revision) return (a.revision ?? 0) - (b.revision ?? 0);
    const age = msOf(a.metadata?.creationTimestamp) - msOf(b.metadata?.creationTimestamp);
    return age !== 0 ? age : nameOf(a) < nameOf(b) ? -1 : 1;
  });
}

/** What a revision stores: a patch that replaces the Pod template. */
export function templatePatch(template: PodTemplateSpec | undefined): Record<string, unknown> {
  return { spec: { template: { ...(clone(template ?? {}) as Record<string, unknown>), $patch: 'replace' } } };
}

/** The template a revision stores. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const spec = (revision.data as { spec?: { template?: Record<string, unknown> } } | undefined)?.spec;
  const { $patch: _, ...template } = spec?.template ?? {};
  return template as PodTemplateSpec;
}

export function newRevision(
  parent: ApiObject,
  kind: Identified,
  template: PodTemplateSpec | undefined,
  number: number,
  collisionCount: number,
): ControllerRevision {
  const data = templatePatch(template);
  const hash = revisionHash(stableStringify(data), collisionCount);
  const metadata: NonNullable<ControllerRevision['metadata']> = {
    name: revisionName(parent, hash),
    namespace: namespaceOf(parent),
    labels: { ...template?.metadata?.labels, [HASH_LABEL]: hash },
    ownerReferences: [newControllerRef(parent, kind)],
  };
  if (parent.metadata?.annotations) metadata.annotations = { ...parent.metadata.annotations };
  return { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata, data, revision: number };
}

function revisionName(parent: ApiObject, hash: string): string {
  return `${nameOf(parent).slice(0, 223)}-${hash}`;
}

const dataTexts = new WeakMap<object, string>();

/** The revision's data as canonical text; revisions from the API never change, so it is computed once. */
function dataText(revision: ControllerRevision): string {
  let text = dataTexts.get(revision);
  if (text === undefined) {
    text = stableStringify(revision.data);
    dataTexts.set(revision, text);
  }
  return text;
}

export function equalRevisions(a: ControllerRevision, b: ControllerRevision): boolean {
  return dataText(a) === dataText(b);
}

/** Creates the revision; on a name collision with other data the count grows and another name is tried. */
export function createRevision(
  client: Client,
  actor: string,
  parent: ApiObject,
  kind: Identified,
  revision: ControllerRevision,
  collision: { count: number },
  hashOf = (count: number): string => revisionHash(stableStringify(revision.data), count),
): ControllerRevision {
  const resource = client.resource<ControllerRevision>(CONTROLLER_REVISION.resource);
  for (;;) {
    const copy = clone(revision);
    copy.metadata = { ...copy.metadata, name: revisionName(parent, hashOf(collision.count)) };
    try {
      return resource.create(copy, { cause: cause(actor, 'history/create-revision', refOf(parent, kind.resource), { revision: String(revision.revision) }) });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const existing = resource.get(namespaceOf(copy), nameOf(copy));
      if (existing && equalRevisions(existing, copy)) return existing;
      collision.count++;
    }
  }
}

/** Gives an old revision the newest number: a roll-back. */
export function renumberRevision(client: Client, actor: string, revision: ControllerRevision, number: number): ControllerRevision {
  const resource = client.resource<ControllerRevision>(CONTROLLER_REVISION.resource);
  return retryOnConflict((attempt) => {
    const copy = clone(attempt === 0 ? revision : (resource.get(namespaceOf(revision), nameOf(revision)) ?? revision));
    if (copy.revision === number) return copy;
    copy.revision = number;
    return resource.update(copy, { cause: cause(actor, 'history/roll-back', refOf(revision, CONTROLLER_REVISION.resource), { revision: String(number) }) });
  });
}

export function adoptRevision(client: Client, actor: string, parent: ApiObject, kind: Identified, revision: ControllerRevision): void {
  const ownerReferences = [...(revision.metadata?.ownerReferences ?? []), newControllerRef(parent, kind)];
  client
    .resource<ControllerRevision>(CONTROLLER_REVISION.resource)
    .patch(
      namespaceOf(revision),
      nameOf(revision),
      { metadata: { uid: uidOf(revision), ownerReferences } },
      { cause: cause(actor, 'controller/adopt', refOf(revision, CONTROLLER_REVISION.resource)) },
    );
}

/** Deletes the oldest revisions that nothing uses, beyond `limit`. */
export function truncateHistory(client: Client, actor: string, revisions: readonly ControllerRevision[], live: ReadonlySet<string>, limit: number): void {
  const dead = revisions.filter((revision) => !live.has(nameOf(revision)));
  if (limit < 0 || dead.length <= limit) return;
  for (const revision of dead.slice(0, dead.length - limit)) {
    client
      .resource<ControllerRevision>(CONTROLLER_REVISION.resource)
      .delete(namespaceOf(revision), nameOf(revision), { cause: cause(actor, 'history/truncate', refOf(revision, CONTROLLER_REVISION.resource)) });
  }
}
