import { type Kernel, randomSuffix, randomUid } from '../../kernel/index.ts';
import type { ApiObject, ResourceId } from '../client/types.ts';
import type { AdmissionPlugin, AdmissionRequest, FieldError, KindStrategy, StrategyContext } from '../kinds/strategy.ts';
import type { ObjectMeta } from '../kinds/types.ts';
import { type Bucket, deepFreeze, type Store } from '../storage/index.ts';
import { timeText } from '../time-text.ts';
import { cloneJson, convert } from './decode.ts';
import { checkDeletion, type DeleteParameters, deletionFinalizers, isEmptied, podGracePeriod, shortenGrace } from './deletion.ts';
import { countsGeneration, desiredStateChanged } from './generation.ts';
import { equalJson } from './json-equal.ts';
import { CONDITIONAL_UPDATE, CREATE_ON_UPDATE } from './kind-rules.ts';
import { trackUpdate, withoutTimes } from './managed-fields/index.ts';
import { orderMeta } from './meta-order.ts';
import { validateMeta, validateMetaUpdate, validateName } from './object-meta.ts';
import type { RequestContext } from './request-context.ts';
import type { ResourceInfo, ResourceRegistry } from './resources.ts';
import { keepSpec, keepStatus, type Mutable, normalCopy, resetStatus, thaw } from './spec-and-status.ts';
import {
  isStatusError,
  kindOf,
  newAlreadyExists,
  newBadRequest,
  newConflict,
  newGenerateNameConflict,
  newInvalid,
  newNotFound,
  newPreconditionConflict,
  OPTIMISTIC_LOCK_MESSAGE,
  plainError,
} from './status-error.ts';

export interface UpdateParameters {
  subresource?: string;
  /** Server-side apply and some kinds make what is missing. */
  allowCreate?: boolean;
  /** uid the request was made for. */
  uid?: string;
  /** The new object already carries its managedFields (apply). */
  managed?: boolean;
}

export interface DeleteResult {
  object: ApiObject;
  /** Gone, rather than waiting for grace or finalizers. */
  deleted: boolean;
}

/**
 * The generic registry: what every kind's create, update and delete have in common, over the store
 * (models `k8s.io/apiserver/pkg/registry/generic/registry/store.go` and `registry/rest`). What it takes and gives are
 * normal copies (see `convert`); what it gives is frozen.
 */
export class Verbs {
  readonly kernel: Kernel;
  readonly store: Store;
  readonly registry: ResourceRegistry;
  readonly #strategies = new Map<ResourceId, KindStrategy>();
  #admission: readonly AdmissionPlugin[];
  readonly #random;
  readonly context: StrategyContext;
  readonly #dryRunContext: StrategyContext;

  constructor(options: {
    kernel: Kernel;
    store: Store;
    registry: ResourceRegistry;
    strategies: Iterable<KindStrategy>;
    admission: readonly AdmissionPlugin[];
  }) {
    this.kernel = options.kernel;
    this.store = options.store;
    this.registry = options.registry;
    for (const strategy of options.strategies) this.#strategies.set(strategy.resource, strategy);
    this.#admission = options.admission;
    this.#random = options.kernel.random.fork('apiserver');
    const verbs = this;
    this.context = {
      get nowMs() {
        return verbs.kernel.now();
      },
      random: this.#random,
      get: <T extends ApiObject>(resource: ResourceId, namespace: string, name: string) => this.#bucketOf(resource).get(namespace, name) as T | undefined,
      list: <T extends ApiObject>(resource: ResourceId, namespace = '') => this.#bucketOf(resource).list(namespace) as readonly ApiObject[] as readonly T[],
    };
    this.#dryRunContext = Object.create(this.context, { dryRun: { value: true, enumerable: true } }) as StrategyContext;
  }

  strategy(info: ResourceInfo): KindStrategy | undefined {
    return this.#strategies.get(info.id);
  }

  setStrategy(strategy: KindStrategy): void {
    this.#strategies.set(strategy.resource, strategy);
  }

  /** Plugins that come later: they stand before the last one, which counts what the others let through (ResourceQuota). */
  addAdmission(plugins: readonly AdmissionPlugin[]): void {
    this.#admission = [...this.#admission.slice(0, -1), ...plugins, ...this.#admission.slice(-1)];
  }

  #bucketOf(id: ResourceId): Bucket {
    return this.store.bucket(this.registry.get(id)?.storage ?? id);
  }

  bucket(info: ResourceInfo): Bucket {
    return this.store.bucket(info.storage);
  }

  /** RFC 3339 with seconds, as `metav1.Time` is written. */
  now(): string {
    return timeText(this.kernel.now());
  }

  /** 404 when there is none. */
  get(info: ResourceInfo, namespace: string, name: string): ApiObject {
    const object = this.bucket(info).get(namespace, name);
    if (!object) throw newNotFound(info, name);
    return object;
  }

  /** The normal form of an object of this kind, with defaults. Strict complaints are left out: see http/decode-body. */
  normalize(info: ResourceInfo, object: unknown): Mutable {
    return this.applyDefaults(info, normalCopy(info, object as ApiObject));
  }

  /** The same for a write to `status`, which leaves everything but metadata as it is: that is shared with the existing object. */
  normalizeStatus(info: ResourceInfo, object: ApiObject, existing: ApiObject): Mutable {
    const { managedFields: _managed, ...metadata } = object.metadata ?? {};
    const converted = convert(info.node, { metadata, status: (object as Mutable).status }, { strict: [], checkTypes: false, share: true });
    const part = this.applyDefaults(info, converted);
    const out = { ...existing, metadata: part.metadata } as Mutable;
    if (part.status === undefined) delete out.status;
    else out.status = part.status;
    return out;
  }

  applyDefaults(info: ResourceInfo, object: Mutable | Record<string, unknown>): Mutable {
    const out = object as Mutable;
    out.metadata ??= {};
    this.strategy(info)?.applyDefaults?.(out);
    // Kind and apiVersion first, as the server writes them.
    const { kind: _kind, apiVersion: _version, metadata, ...rest } = out as Mutable & Record<string, unknown>;
    return { kind: info.kind, apiVersion: info.groupVersion, metadata: orderMeta(metadata), ...rest } as Mutable;
  }

  /** The Namespace of a request is its object's. Throws 400. */
  matchNamespace(info: ResourceInfo, namespace: string, metadata: ObjectMeta): void {
    const expected = info.namespaced ? namespace : '';
    if (!metadata.namespace) {
      if (expected) metadata.namespace = expected;
    } else if (metadata.namespace !== expected) {
      if (!info.namespaced) delete metadata.namespace;
      else throw newBadRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
  }

  #admit(
    attributes: Omit<AdmissionRequest, 'context' | 'resource' | 'dryRun' | 'user' | 'warnings'> & { info: ResourceInfo },
    { dryRun, user, warnings }: RequestContext,
    phase: 'admit' | 'validate',
  ): void {
    const { info, ...rest } = attributes;
    const full: AdmissionRequest = { ...rest, dryRun, user, warnings, resource: info.id, context: dryRun ? this.#dryRunContext : this.context };
    for (const plugin of this.#admission) plugin[phase]?.(full);
  }

  /** Creates `object` (a normal copy that the callee may keep). */
  create(info: ResourceInfo, namespace: string, object: Mutable, request: RequestContext, parameters: Pick<UpdateParameters, 'managed'> = {}): ApiObject {
    this.matchNamespace(info, namespace, object.metadata);
    const tracked = parameters.managed ? object : trackUpdate(info, undefined, object, request.fieldManager, '', this.now());
    this.#admit({ info, operation: 'CREATE', subresource: '', namespace, name: object.metadata.name ?? '', object: tracked, old: undefined }, request, 'admit');
    return this.#create(info, namespace, tracked as Mutable, request);
  }

  #create(info: ResourceInfo, namespace: string, object: Mutable, request: RequestContext): ApiObject {
    const generated = !object.metadata.name && object.metadata.generateName !== undefined && object.metadata.generateName !== '';
    for (let attempt = 0; ; attempt++) {
      try {
        return this.#createOnce(info, namespace, generated ? cloneJson(object) : object, generated, request);
      } catch (error) {
        if (!generated || !isStatusError(error, 'AlreadyExists')) throw error;
        if (attempt >= 7) throw newGenerateNameConflict(info, error.status.details?.name ?? '');
      }
    }
  }

  #createOnce(info: ResourceInfo, namespace: string, object: Mutable, generated: boolean, request: RequestContext): ApiObject {
    const { metadata } = object;
    if (generated) metadata.name = `${(metadata.generateName as string).slice(0, 58)}${randomSuffix(this.#random)}`;
    delete metadata.deletionTimestamp;
    delete metadata.deletionGracePeriodSeconds;
    delete metadata.selfLink;
    metadata.creationTimestamp = this.now();
    metadata.uid = randomUid(this.#random);
    this.matchNamespace(info, namespace, metadata);
    const strategy = this.strategy(info);
    const context = request.dryRun ? this.#dryRunContext : this.context;
    if (strategy?.prepareForCreate) strategy.prepareForCreate(object, context);
    else if (info.subresources.has('status')) resetStatus(info, object);
    if (!strategy?.prepareForCreate) {
      if (countsGeneration(info)) metadata.generation = 1;
      else delete metadata.generation;
    }
    const errors = strategy?.validate?.(object, context) ?? [];
    if (!strategy?.validate) errors.push(...validateName(info, metadata));
    if (errors.length === 0 || !strategy?.validate) errors.push(...validateMeta(info, metadata));
    if (errors.length > 0) throw newInvalid(kindOf(info), metadata.name ?? '', errors);
    request.warnings.push(...(strategy?.warnings?.(object) ?? []));
    const name = metadata.name as string;
    this.#admit({ info, operation: 'CREATE', subresource: '', namespace, name, object, old: undefined }, request, 'validate');
    if (metadata.resourceVersion) throw plainError('resourceVersion should not be set on objects to be created');
    if (this.bucket(info).get(metadata.namespace ?? '', name)) throw newAlreadyExists(info, name);
    const normal = this.#settle(info, object);
    if (request.dryRun) return deepFreeze(normal);
    return this.store.put(info.storage, normal.metadata.namespace ?? '', name, normal, request.cause);
  }

  /** Strategies and admission may have left empties and undefined members: back to the normal form, in order. */
  #settle(info: ResourceInfo, object: Mutable): Mutable {
    const {
      kind: _kind,
      apiVersion: _version,
      metadata,
      ...rest
    } = convert(info.node, object, { strict: [], checkTypes: false, share: true }) as unknown as Mutable & Record<string, unknown>;
    return { kind: info.kind, apiVersion: info.groupVersion, metadata: orderMeta(metadata as ObjectMeta), ...rest } as Mutable;
  }

  /**
   * Replaces the object by what `change` makes of the existing one (undefined when there is none and creating is
   * allowed). `change` returns a normal copy.
   */
  update(
    info: ResourceInfo,
    namespace: string,
    name: string,
    change: (existing: ApiObject | undefined) => ApiObject,
    request: RequestContext,
    parameters: UpdateParameters = {},
  ): { object: ApiObject; created: boolean } {
    const subresource = parameters.subresource ?? '';
    const allowCreate = (parameters.allowCreate || CREATE_ON_UPDATE.has(info.id)) && subresource === '';
    const existing = this.bucket(info).get(info.namespaced ? namespace : '', name) as Mutable | undefined;
    if (!existing && !allowCreate) throw newNotFound(info, name);
    if (existing && parameters.uid && parameters.uid !== existing.metadata.uid) {
      throw newPreconditionConflict(
        info,
        existing.metadata.namespace ?? '',
        name,
        `UID in precondition: ${parameters.uid}, UID in object meta: ${existing.metadata.uid}`,
      );
    }
    let object = change(existing) as Mutable;
    if (!existing) {
      this.matchNamespace(info, namespace, object.metadata);
      if (!parameters.managed) object = trackUpdate(info, undefined, object, request.fieldManager, '', this.now()) as Mutable;
      this.#admit({ info, operation: 'CREATE', subresource, namespace, name, object, old: undefined }, request, 'admit');
      return { object: this.#create(info, namespace, object, request), created: true };
    }
    if (!parameters.managed) object = trackUpdate(info, existing, object, request.fieldManager, subresource, this.now()) as Mutable;
    this.#admit({ info, operation: 'UPDATE', subresource, namespace, name, object, old: existing }, request, 'admit');
    const given = object.metadata.resourceVersion;
    if (!given || given === '0') {
      if (CONDITIONAL_UPDATE.has(info.id) || info.custom) {
        const error: FieldError = { type: 'Invalid value', field: 'metadata.resourceVersion', value: '0x0', detail: 'must be specified for an update' };
        throw newInvalid(info, name, [error]);
      }
    } else if (given !== existing.metadata.resourceVersion) throw newConflict(info, name, OPTIMISTIC_LOCK_MESSAGE);
    object.metadata.resourceVersion = existing.metadata.resourceVersion;
    object = this.#beforeUpdate(info, namespace, object, existing, subresource, request);
    this.#admit({ info, operation: 'UPDATE', subresource, namespace, name, object, old: existing }, request, 'validate');
    if (isEmptied(info, object, existing)) {
      if (!request.dryRun) this.store.remove(info.storage, existing.metadata.namespace ?? '', name, request.cause, object);
      return { object: deepFreeze(object), created: false };
    }
    return { object: this.#write(info, object, existing, request), created: false };
  }

  #beforeUpdate(info: ResourceInfo, namespace: string, object: Mutable, existing: Mutable, subresource: string, request: RequestContext): Mutable {
    this.matchNamespace(info, namespace, object.metadata);
    const { metadata } = object;
    const old = existing.metadata;
    if (old.generation === undefined) delete metadata.generation;
    else metadata.generation = old.generation;
    const strategy = this.strategy(info);
    const context = request.dryRun ? this.#dryRunContext : this.context;
    const changed = subresource === 'status' || subresource === 'approval' ? keepSpec(object, existing) : object;
    if (changed === object && subresource === '') {
      if (strategy?.prepareForUpdate) strategy.prepareForUpdate(object, existing, context);
      else {
        if (info.subresources.has('status')) keepStatus(object, existing);
        if (countsGeneration(info) && desiredStateChanged(object, existing)) metadata.generation = (old.generation ?? 0) + 1;
      }
    } else if (changed === object && countsGeneration(info) && desiredStateChanged(object, existing)) metadata.generation = (old.generation ?? 0) + 1;
    metadata.uid ||= old.uid;
    metadata.creationTimestamp = old.creationTimestamp;
    if (old.deletionTimestamp !== undefined) metadata.deletionTimestamp = old.deletionTimestamp;
    else delete metadata.deletionTimestamp;
    if (old.deletionGracePeriodSeconds !== undefined) metadata.deletionGracePeriodSeconds ??= old.deletionGracePeriodSeconds;
    const isPart = subresource === 'ephemeralcontainers' || subresource === 'resize';
    const own = isPart ? undefined : subresource === 'status' ? strategy?.validateStatusUpdate : strategy?.validateUpdate;
    const errors = own ? own.call(strategy, changed, existing, context) : [...validateMeta(info, metadata), ...validateMetaUpdate(metadata, old)];
    if (errors.length > 0) throw newInvalid(kindOf(info), metadata.name ?? '', errors);
    if (subresource === '') request.warnings.push(...(strategy?.warnings?.(changed, existing) ?? []));
    return this.#settle(info, changed);
  }

  /** Writes unless nothing but times of managers changed. */
  #write(info: ResourceInfo, object: Mutable, existing: Mutable, request: RequestContext): ApiObject {
    if (!desiredStateChanged(object, existing) && equalJson(withoutTimes(object), withoutTimes(existing))) return existing;
    if (request.dryRun) return deepFreeze(object);
    return this.store.put(info.storage, existing.metadata.namespace ?? '', existing.metadata.name as string, object, request.cause);
  }

  /**
   * Stores a new state of an existing object without admission or validation: for subresources that have checked
   * everything themselves (binding, eviction).
   */
  put(info: ResourceInfo, object: ApiObject, request: RequestContext): ApiObject {
    const { namespace = '', name = '' } = object.metadata ?? {};
    const existing = this.get(info, namespace, name) as Mutable;
    return this.#write(info, this.#settle(info, object as Mutable), existing, request);
  }

  delete(info: ResourceInfo, namespace: string, name: string, parameters: DeleteParameters, request: RequestContext): DeleteResult {
    const existing = this.get(info, info.namespaced ? namespace : '', name) as Mutable;
    checkDeletion(info, existing, parameters);
    const admission = { info, operation: 'DELETE' as const, subresource: '', namespace, name, object: undefined, old: existing };
    this.#admit(admission, request, 'admit');
    this.#admit(admission, request, 'validate');
    if (info.id === 'v1/namespaces') return this.#deleteNamespace(info, existing, request);
    const object = thaw(existing);
    const mark = this.strategy(info)?.markDeleted;
    if (mark && existing.metadata.deletionTimestamp === undefined) {
      object.metadata.deletionTimestamp = this.now();
      mark(object, this.context);
      return { object: this.#write(info, { ...object, metadata: orderMeta(object.metadata) }, existing, request), deleted: false };
    }
    const { metadata } = object;
    let graceful = false;
    let grace = 0;
    if (info.id === 'v1/pods') {
      if (metadata.deletionTimestamp !== undefined) {
        const pending = metadata.deletionGracePeriodSeconds ?? 0;
        if (pending !== 0) {
          const wanted =
            parameters.gracePeriodSeconds === undefined ? undefined : Math.max(parameters.gracePeriodSeconds, parameters.gracePeriodSeconds < 0 ? 1 : 0);
          if (wanted === undefined || wanted >= pending) return { object: existing, deleted: false };
          graceful = true;
          grace = shortenGrace(metadata, wanted, this.kernel.now());
        }
      } else {
        graceful = true;
        grace = podGracePeriod(object, parameters);
        metadata.deletionTimestamp = `${new Date(this.kernel.now() + grace * 1000).toISOString().slice(0, 19)}Z`;
        metadata.deletionGracePeriodSeconds = grace;
        if ((metadata.generation ?? 0) > 0) metadata.generation = (metadata.generation as number) + 1;
      }
    }
    const finalizers = deletionFinalizers(metadata.finalizers ?? [], parameters, info);
    if (finalizers.length > 0) metadata.finalizers = finalizers;
    else delete metadata.finalizers;
    if (!graceful && finalizers.length > 0) {
      // `markAsDeleting`
      if (metadata.deletionTimestamp === undefined) {
        if ((metadata.generation ?? 0) > 0) metadata.generation = (metadata.generation as number) + 1;
        metadata.deletionTimestamp = this.now();
      }
      metadata.deletionGracePeriodSeconds = 0;
    }
    if (!graceful && finalizers.length === 0) {
      if (!request.dryRun) this.store.remove(info.storage, metadata.namespace ?? '', name, request.cause);
      return { object: existing, deleted: true };
    }
    const ordered = { ...object, metadata: orderMeta(metadata) };
    const written = this.#write(info, ordered, existing, request);
    if (finalizers.length > 0 || grace > 0) return { object: written, deleted: false };
    if (!request.dryRun) this.store.remove(info.storage, metadata.namespace ?? '', name, request.cause);
    return { object: written, deleted: true };
  }

  /** Namespaces wait for their finalizer: the namespace controller empties them first (`registry/core/namespace/storage`). */
  #deleteNamespace(info: ResourceInfo, existing: Mutable, request: RequestContext): DeleteResult {
    if (existing.metadata.deletionTimestamp === undefined) {
      const object = thaw(existing);
      object.metadata = orderMeta({ ...object.metadata, deletionTimestamp: this.now() });
      object.status = { ...object.status, phase: 'Terminating' };
      return { object: this.#write(info, object, existing, request), deleted: false };
    }
    if (((existing.spec?.finalizers as string[] | undefined)?.length ?? 0) > 0) return { object: existing, deleted: false };
    if (!request.dryRun) this.store.remove(info.storage, '', existing.metadata.name as string, request.cause);
    return { object: existing, deleted: true };
  }
}
