import type { Client, Informer } from '../../client/types.ts';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../kinds/types.ts';
import { isAlreadyExists, isNotFound, retryOnConflict, SyncError } from '../errors.ts';
import { cause, clone, isDeleting, nameOf, namespaceOf, refOf, regarding } from '../object.ts';
import { POD } from '../pods.ts';
import { claimName, claimsOf, identityMatches, ordinalOf, STATEFUL_SET, storageMatches, updateIdentity, updateStorage } from './identity.ts';
import { claimOwnersFor, hasStaleOwner, hasUnexpectedController, isClaimOwnerUpToDate, retentionPolicy } from './retention.ts';

const ACTOR = 'statefulset-controller';

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Creates, updates and deletes one set's Pods and claims, with its Events (stateful_pod_control.go of v1.36). */
export class StatefulPodControl {
  readonly #client: Client;
  readonly #claims: Informer<PersistentVolumeClaim>;

  constructor(client: Client) {
    this.#client = client;
    this.#claims = client.informer<PersistentVolumeClaim>('v1/persistentvolumeclaims');
  }

  /** Creates the Pod's claims, then the Pod. */
  create(set: StatefulSet, pod: Pod): void {
    try {
      this.#createClaims(set, pod);
    } catch (error) {
      this.#podEvent('Create', set, pod, error);
      throw error;
    }
    let failure: unknown;
    try {
      this.#client.resource<Pod>('v1/pods').create(pod, {
        cause: cause(ACTOR, 'statefulset/create-pod', refOf(set, STATEFUL_SET.resource), { pod: nameOf(pod), ordinal: String(ordinalOf(pod)) }),
      });
    } catch (error) {
      if (isAlreadyExists(error)) throw error;
      failure = error;
    }
    this.updateClaims(set, pod);
    this.#podEvent('Create', set, pod, failure);
    if (failure) throw failure;
  }

  /** Creates claims a pending Pod is missing. */
  createMissingClaims(set: StatefulSet, pod: Pod): void {
    this.#createClaims(set, pod);
    this.updateClaims(set, pod);
  }

  /** Brings identity, storage and claim ownership of a Pod in line with the set. */
  update(set: StatefulSet, original: Pod): void {
    let pod = clone(original);
    let attempted = false;
    let failure: unknown;
    try {
      retryOnConflict((attempt) => {
        if (attempt > 0) pod = clone(this.#client.resource<Pod>('v1/pods').get(namespaceOf(pod), nameOf(pod)) ?? pod);
        let consistent = true;
        if (!identityMatches(set, pod)) {
          updateIdentity(set, pod);
          consistent = false;
        }
        if (!storageMatches(set, pod)) {
          updateStorage(set, pod);
          consistent = false;
          this.#createClaims(set, pod);
        }
        if (!this.claimsMatchPolicy(set, pod)) {
          this.updateClaims(set, pod);
          consistent = false;
        }
        if (consistent) return;
        attempted = true;
        this.#client
          .resource<Pod>('v1/pods')
          .update(pod, { cause: cause(ACTOR, 'statefulset/update-pod', refOf(set, STATEFUL_SET.resource), { pod: nameOf(pod) }) });
      });
    } catch (error) {
      failure = error;
    }
    if (attempted || failure) this.#podEvent('Update', set, pod, failure);
    if (failure) throw failure;
  }

  delete(set: StatefulSet, pod: Pod, rule: string): void {
    try {
      this.#client.resource<Pod>('v1/pods').delete(namespaceOf(pod), nameOf(pod), {
        cause: cause(ACTOR, rule, refOf(set, STATEFUL_SET.resource), { pod: nameOf(pod), ordinal: String(ordinalOf(pod)) }),
      });
    } catch (error) {
      if (!isNotFound(error)) {
        this.#podEvent('Delete', set, pod, error);
        throw error;
      }
    }
    this.#podEvent('Delete', set, pod, undefined);
  }

  claimsMatchPolicy(set: StatefulSet, pod: Pod): boolean {
    return this.#existingClaims(set, pod).every((claim) => isClaimOwnerUpToDate(claim, set, pod));
  }

  /** Sets the owner references of the Pod's claims as the retention policy wants them. */
  updateClaims(set: StatefulSet, pod: Pod): void {
    for (const claim of this.#existingClaims(set, pod)) {
      if (hasUnexpectedController(claim, set, pod)) {
        this.#event(
          set,
          'Warning',
          'ConflictingController',
          `PersistentVolumeClaim ${nameOf(claim)} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`,
        );
      }
      if (isClaimOwnerUpToDate(claim, set, pod)) continue;
      const copy = clone(claim);
      copy.metadata = { ...copy.metadata, ownerReferences: claimOwnersFor(claim, set, pod) };
      this.#client
        .resource<PersistentVolumeClaim>('v1/persistentvolumeclaims')
        .update(copy, { cause: cause(ACTOR, 'statefulset/claim-retention', refOf(set, STATEFUL_SET.resource), { claim: nameOf(claim) }) });
    }
  }

  /** A claim that still belongs to an earlier Pod of this name: it is about to be deleted, so wait. */
  claimIsStale(set: StatefulSet, pod: Pod): boolean {
    if (retentionPolicy(set).whenScaled === 'Retain') return false;
    return this.#existingClaims(set, pod).some((claim) => hasStaleOwner(claim, pod, POD));
  }

  /**
   * Read from the server: here the writes of one sync take no time, so that the informer has not yet heard of a claim that upstream's,
   * some milliseconds later, has, and upstream's retries after a conflict would find the same stale claim again.
   */
  #existingClaims(set: StatefulSet, pod: Pod): PersistentVolumeClaim[] {
    const out: PersistentVolumeClaim[] = [];
    const claims = this.#client.resource<PersistentVolumeClaim>('v1/persistentvolumeclaims');
    for (const template of set.spec?.volumeClaimTemplates ?? []) {
      const claim = claims.get(namespaceOf(set), claimName(set, template, ordinalOf(pod)));
      if (claim) out.push(claim);
    }
    return out;
  }

  #createClaims(set: StatefulSet, pod: Pod): void {
    const failures: string[] = [];
    for (const claim of claimsOf(set, pod)) {
      const existing = this.#claims.get(namespaceOf(claim), nameOf(claim));
      if (existing) {
        if (isDeleting(existing)) failures.push(`pvc ${nameOf(claim)} is being deleted`);
        continue;
      }
      let failure: unknown;
      try {
        this.#client.resource<PersistentVolumeClaim>('v1/persistentvolumeclaims').create(claim, {
          cause: cause(ACTOR, 'statefulset/create-claim', refOf(set, STATEFUL_SET.resource), { claim: nameOf(claim), pod: nameOf(pod) }),
        });
      } catch (error) {
        failure = error;
        failures.push(`failed to create PVC ${nameOf(claim)}: ${messageOf(error)}`);
      }
      if (!failure) this.#claimEvent(set, pod, claim, undefined);
      else if (!isAlreadyExists(failure)) this.#claimEvent(set, pod, claim, failure);
    }
    if (failures.length > 0) throw new SyncError(failures.length === 1 ? (failures[0] ?? '') : `[${failures.join(', ')}]`);
  }

  #podEvent(verb: 'Create' | 'Update' | 'Delete', set: StatefulSet, pod: Pod, error: unknown): void {
    const subject = `${verb} Pod ${nameOf(pod)} in StatefulSet ${nameOf(set)}`;
    if (error) this.#event(set, 'Warning', `Failed${verb}`, `${subject} failed error: ${messageOf(error)}`);
    else this.#event(set, 'Normal', `Successful${verb}`, `${subject} successful`);
  }

  #claimEvent(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim, error: unknown): void {
    if (error) {
      const message = `Create Claim ${nameOf(claim)} for Pod ${nameOf(pod)} in StatefulSet ${nameOf(set)} failed error: ${messageOf(error)}`;
      this.#event(set, 'Warning', 'FailedCreate', message);
    } else {
      this.#event(set, 'Normal', 'SuccessfulCreate', `Create Claim ${nameOf(claim)} Pod ${nameOf(pod)} in StatefulSet ${nameOf(set)} success`);
    }
  }

  #event(set: StatefulSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#client.event({
      regarding: regarding(set, STATEFUL_SET),
      type,
      reason,
      message,
      component: ACTOR,
      cause: cause(ACTOR, 'statefulset/event', refOf(set, STATEFUL_SET.resource)),
    });
  }
}
