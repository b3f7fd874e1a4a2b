import type { ApiObject } from '../../client/types.ts';
import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from '../../kinds/types.ts';
import { type Identified, nameOf, newControllerRef, uidOf } from '../object.ts';
import { POD } from '../pods.ts';
import { inOrdinalRange, STATEFUL_SET } from './identity.ts';

// persistentVolumeClaimRetentionPolicy: who owns a claim, so that the garbage collector deletes it with its owner.
// (pkg/controller/statefulset/stateful_set_utils.go of v1.36.)

interface Policy {
  whenScaled: string;
  whenDeleted: string;
}

export function retentionPolicy(set: StatefulSet): Policy {
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  return { whenScaled: policy?.whenScaled ?? 'Retain', whenDeleted: policy?.whenDeleted ?? 'Retain' };
}

function refs(object: ApiObject): OwnerReference[] {
  return object.metadata?.ownerReferences ?? [];
}

function matchesRef(ref: OwnerReference, object: ApiObject, kind: Identified): boolean {
  return ref.apiVersion === kind.apiVersion && ref.kind === kind.kind && ref.name === nameOf(object);
}

function hasOwner(claim: PersistentVolumeClaim, owner: ApiObject): boolean {
  return refs(claim).some((ref) => ref.uid === uidOf(owner));
}

/** An owner of that kind and name, but of another life. */
export function hasStaleOwner(claim: PersistentVolumeClaim, object: ApiObject, kind: Identified): boolean {
  const ref = refs(claim).find((one) => matchesRef(one, object, kind));
  return ref !== undefined && ref.uid !== uidOf(object);
}

export function hasUnexpectedController(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): boolean {
  const policy = retentionPolicy(set);
  if (policy.whenScaled === 'Retain' && policy.whenDeleted === 'Retain') return false;
  for (const ref of refs(claim)) {
    if (matchesRef(ref, set, STATEFUL_SET)) {
      if (ref.uid !== uidOf(set)) return true;
    } else if (matchesRef(ref, pod, POD)) {
      if (ref.uid !== uidOf(pod)) return true;
    } else if (ref.controller) return true;
  }
  return false;
}

function hasNonControllerOwner(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): boolean {
  return refs(claim).some((ref) => (ref.uid === uidOf(set) || ref.uid === uidOf(pod)) && !ref.controller);
}

/** Which of [set, pod] should own the claim under the policy. */
function wantedOwners(set: StatefulSet, pod: Pod): { set: boolean; pod: boolean } {
  const { whenScaled, whenDeleted } = retentionPolicy(set);
  const scaledDown = !inOrdinalRange(pod, set);
  if (whenScaled === 'Delete' && scaledDown) return { set: false, pod: true };
  return { set: whenDeleted === 'Delete', pod: false };
}

export function isClaimOwnerUpToDate(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): boolean {
  if (hasStaleOwner(claim, set, STATEFUL_SET) || hasStaleOwner(claim, pod, POD)) return true;
  if (hasUnexpectedController(claim, set, pod)) return !(hasOwner(claim, set) || hasOwner(claim, pod));
  if (hasNonControllerOwner(claim, set, pod)) return false;
  const wanted = wantedOwners(set, pod);
  return hasOwner(claim, set) === wanted.set && hasOwner(claim, pod) === wanted.pod;
}

/** The claim's owner references as the policy wants them. */
export function claimOwnersFor(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): OwnerReference[] {
  const unexpected = hasUnexpectedController(claim, set, pod);
  const kept = refs(claim).filter((ref) => !matchesRef(ref, set, STATEFUL_SET) && !matchesRef(ref, pod, POD));
  if (unexpected) return kept;
  const wanted = wantedOwners(set, pod);
  if (wanted.pod) kept.push(newControllerRef(pod, POD));
  if (wanted.set) kept.push(newControllerRef(set, STATEFUL_SET));
  return kept;
}
