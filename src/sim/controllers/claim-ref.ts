import type { ApiObject, ResourceClient, ResourceId } from '../client/types.ts';
import { ignoreNotFound } from './errors.ts';
import { cause, controllerOf, type Identified, isDeleting, labelsOf, nameOf, namespaceOf, newControllerRef, refOf, uidOf } from './object.ts';

/**
 * controller.ControllerRefManager.ClaimObjects: keeps the children that match, adopts matching orphans and releases
 * children whose labels no longer match. Returns those that belong to `owner` afterwards.
 */
export function claimObjects<T extends ApiObject>(options: {
  actor: string;
  owner: ApiObject;
  ownerKind: Identified;
  childResource: ResourceId;
  children: ResourceClient<T>;
  candidates: readonly T[];
  matches: (child: T) => boolean;
  /** The owner as the API server has it now; undefined when it is gone. Asked before the first adoption only. */
  fresh: () => ApiObject | undefined;
}): T[] {
  const { actor, owner, ownerKind } = options;
  let adoptable: boolean | undefined;
  const canAdopt = (): boolean => {
    if (adoptable === undefined) {
      const fresh = options.fresh();
      adoptable = fresh !== undefined && uidOf(fresh) === uidOf(owner) && !isDeleting(fresh);
    }
    return adoptable;
  };
  const claimed: T[] = [];
  for (const child of options.candidates) {
    const controller = controllerOf(child);
    if (controller) {
      if (controller.uid !== uidOf(owner)) continue;
      if (options.matches(child)) {
        claimed.push(child);
        continue;
      }
      if (isDeleting(owner)) continue;
      ignoreNotFound(() => {
        const ownerReferences = (child.metadata?.ownerReferences ?? []).filter((ref) => ref.uid !== uidOf(owner));
        options.children.patch(
          namespaceOf(child),
          nameOf(child),
          { metadata: { uid: uidOf(child), ownerReferences: ownerReferences.length > 0 ? ownerReferences : null } },
          { cause: cause(actor, 'controller/release', refOf(child, options.childResource)) },
        );
      });
      continue;
    }
    if (isDeleting(owner) || !options.matches(child) || isDeleting(child) || namespaceOf(child) !== namespaceOf(owner)) continue;
    if (!canAdopt()) continue;
    ignoreNotFound(() => {
      const ownerReferences = [...(child.metadata?.ownerReferences ?? []), newControllerRef(owner, ownerKind)];
      options.children.patch(
        namespaceOf(child),
        nameOf(child),
        { metadata: { uid: uidOf(child), ownerReferences } },
        { cause: cause(actor, 'controller/adopt', refOf(child, options.childResource), { labels: JSON.stringify(labelsOf(child)) }) },
      );
      claimed.push(child);
    });
  }
  return claimed;
}
